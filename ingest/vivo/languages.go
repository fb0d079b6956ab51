package vivo

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/ingest/turtle"
)

// languages are tags in the order in which they are preferred, in lower case.
type languages []string

// languages returns the one asked for, then those in which most is said of this person and its works.
func (p *person) languages(asked string, works []Term) languages {
	count := map[string]int{}
	see := func(literals []Term) {
		for _, t := range literals {
			if t.Lang != "" {
				count[strings.ToLower(t.Lang)]++
			}
		}
	}
	g := p.g
	see(g.all(p.at, label, overview, researches, keyword, prefTitle))
	see(g.along(p.at, area, label))
	see(g.along(p.at, contact, hasName, familyName))
	for _, w := range works {
		see(g.all(w, label, abstract, keyword))
	}
	out := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), strings.Compare(a, b))
	})
	if asked != "" {
		out = slices.Insert(out, 0, strings.ToLower(asked))
	}
	return out
}

// best returns the literal in the language most preferred; then one without a language, then the first.
func (l languages) best(literals []Term) Term {
	if best := l.like(literals); len(best) > 0 {
		return best[0]
	}
	return Term{}
}

// like returns all literals in the language that best takes.
func (l languages) like(literals []Term) []Term {
	literals = slices.DeleteFunc(slices.Clone(literals), func(t Term) bool { return t.Kind != turtle.Literal || strings.TrimSpace(t.Value) == "" })
	pick := func(fits func(tag string) bool) (out []Term) {
		for _, t := range literals {
			if fits(strings.ToLower(t.Lang)) {
				out = append(out, t)
			}
		}
		return out
	}
	for _, want := range l {
		if out := pick(func(tag string) bool { return tag == want }); len(out) > 0 {
			return out
		}
		if out := pick(func(tag string) bool { return tag != "" && primary(tag) == primary(want) }); len(out) > 0 {
			return out
		}
	}
	if out := pick(func(tag string) bool { return tag == "" }); len(out) > 0 {
		return out
	}
	return literals
}

func primary(tag string) string {
	tag, _, _ = strings.Cut(tag, "-")
	return tag
}
