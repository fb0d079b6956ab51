package glossary

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/ketnoi/ketnoi/engine/text"
)

// Mention is a concept found in a text: bytes [Start, End) of it name Concept.
type Mention struct {
	Concept    int
	Start, End int
}

// trie holds the terms of all languages as paths of atoms. An atom is its folded, stemmed form, so that plural and
// unaccented spellings walk the same path; whether the accents agree is checked where a term ends.
type trie struct {
	atoms map[string]int32 // folded atom -> its number
	edges map[uint64]int32 // node<<32 | atom -> node
	ends  map[int32][]ending
}

// ending is a term that ends at a node.
type ending struct {
	concept int
	lang    string
	accents []uint32 // for each atom, the accents the term wants
	capital bool     // an abbreviation that written small is a word of grammar ("IT")
	viet    bool     // one that written small is a Vietnamese syllable ("AI")
}

// ref is one atom of a text or a term, ready to be walked.
type ref struct {
	id         int32 // number of the folded atom, or -1 when no term has it
	accents    uint32
	start, end int32
	gap        text.Gap
	script     text.Script
	marked     bool
}

// accentsOf condenses the accents of an exact form into a number: the letters that are not ASCII, in order.
// Stemming cuts plain letters only, so "séchoir" and "séchoirs" agree while "bò" and "bơ" do not.
func accentsOf(exact []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range exact {
		if c >= utf8.RuneSelf {
			h = (h ^ uint32(c)) * 16777619
		}
	}
	return h
}

func buildTrie(concepts []Concept) trie {
	t := trie{atoms: map[string]int32{}, edges: map[uint64]int32{}, ends: map[int32][]ending{}}
	nodes := int32(1)
	for n := range concepts {
		for _, lang := range text.Languages {
			for _, term := range concepts[n].Terms[lang] {
				e := ending{concept: n, lang: lang}
				if isAbbreviation(term) {
					e.capital, e.viet = text.IsStopWord(term), text.IsSyllable(strings.ToLower(term))
				}
				node := int32(0)
				text.Scan(term, func(a *text.Atom) bool {
					id, ok := t.atoms[string(a.Fold)]
					if !ok {
						id = int32(len(t.atoms))
						t.atoms[string(a.Fold)] = id
					}
					next, ok := t.edges[edge(node, id)]
					if !ok {
						next = nodes
						nodes++
						t.edges[edge(node, id)] = next
					}
					node = next
					e.accents = append(e.accents, accentsOf(a.Exact))
					return true
				})
				if node != 0 {
					t.ends[node] = append(t.ends[node], e)
				}
			}
		}
	}
	return t
}

func edge(node, atom int32) uint64 { return uint64(node)<<32 | uint64(atom) }

// isAbbreviation reports whether the term is two to four capitals.
func isAbbreviation(term string) bool {
	for _, r := range term {
		if !unicode.IsUpper(r) {
			return false
		}
	}
	n := utf8.RuneCountInString(term)
	return n >= 2 && n <= 4
}

var refPool = sync.Pool{New: func() any { return new([]ref) }}

// Find calls yield for every concept that s names, from left to right, the longest term first, without overlaps.
// lang is the language of s: its own terms count, and English ones, which stand in technical texts everywhere; an
// empty lang lets the terms of all languages count. Nothing is allocated for each atom.
//
// Accents decide where the text has them: "bò" is cattle, "bơ" is not. A text without accents ("nuoi tom") still
// finds terms of two syllables and more. Spaces inside Korean terms are free; a Korean term of two syllables must
// stand at the beginning of a word.
func (g *Glossary) Find(s, lang string, yield func(Mention)) {
	buf := refPool.Get().(*[]ref)
	refs := (*buf)[:0]
	text.Scan(s, func(a *text.Atom) bool {
		id, ok := g.trie.atoms[string(a.Fold)]
		if !ok {
			id = -1
		}
		r := ref{id: id, start: int32(a.Start), end: int32(a.End), gap: a.Gap, script: a.Script, marked: a.Marked}
		if ok {
			r.accents = accentsOf(a.Exact)
		}
		refs = append(refs, r)
		return true
	})
	after := -1 // where the mention before ended
	for i := 0; i < len(refs); {
		concept, n := g.longest(s, refs[i:], lang, i == after)
		if n == 0 {
			i++
			continue
		}
		yield(Mention{Concept: concept, Start: int(refs[i].start), End: int(refs[i+n-1].end)})
		i += n
		after = i
	}
	*buf = refs
	refPool.Put(buf)
}

// longest returns the concept of the longest term that begins at refs[0], and its length in atoms, or 0.
func (g *Glossary) longest(s string, refs []ref, lang string, follows bool) (concept, n int) {
	node := int32(0)
	for i, r := range refs {
		if r.id < 0 || i > 0 && r.gap == text.Break {
			break
		}
		next, ok := g.trie.edges[edge(node, r.id)]
		if !ok {
			break
		}
		node = next
		ends := g.trie.ends[node]
		if len(ends) == 0 || !wordEdges(refs, i+1, follows) {
			continue
		}
		if e := pick(ends, s, refs[:i+1], lang); e != nil {
			concept, n = e.concept, i+1
		}
	}
	return concept, n
}

// wordEdges reports whether the n atoms from refs[0] may stand for a term where they stand. In a Korean word, short
// terms count only at its beginning or right behind another term, since any two syllables meet by chance.
func wordEdges(refs []ref, n int, follows bool) bool {
	return refs[0].script != text.Hangul || n > 2 || refs[0].gap != text.Touching || follows
}

// pick returns the ending that fits the text best: one with the very accents before one that only may be meant, then
// the text's own language before English, and English before others, which count only if lang is empty.
func pick(ends []ending, s string, refs []ref, lang string) *ending {
	var best *ending
	bestFit := 0
	for i := range ends {
		e := &ends[i]
		if e.lang != lang && e.lang != "en" && lang != "" {
			continue
		}
		fit := e.fits(s, refs, lang)
		if fit == 0 {
			continue
		}
		switch fit *= 4; e.lang {
		case lang:
			fit += 2
		case "en":
			fit++
		}
		if fit > bestFit {
			best, bestFit = e, fit
		}
	}
	return best
}

// fits checks accents and capitals: 0 if the text cannot mean the term, 2 if it has the very accents, 1 if it lacks some.
// An atom without accents may stand for one with them where it is hardly mistaken: in a term of several atoms, or as a
// long word that is no Vietnamese syllable.
func (e *ending) fits(s string, refs []ref, lang string) int {
	fit := 2
	for i, r := range refs {
		if r.accents == e.accents[i] {
			continue
		}
		if r.marked || len(refs) == 1 && (e.lang == "vi" || r.end-r.start < 5) {
			return 0
		}
		fit = 1
	}
	if e.capital || e.viet && (lang == "vi" || lang == "fr" || lang == "") {
		for _, r := range s[refs[0].start:refs[len(refs)-1].end] {
			if !unicode.IsUpper(r) {
				return 0
			}
		}
	}
	return fit
}
