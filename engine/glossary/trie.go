package glossary

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ketnoi/ketnoi/engine/text"
)

// matcherVersion stands in a glossary's version: raise it when the same terms begin to find other mentions, so that
// what was made with the old matcher is made anew.
const matcherVersion = 2

// trie holds the terms of all languages as paths of atoms. An atom is its folded, stemmed form, so that plural and
// unaccented spellings walk the same path; whether the text can mean the term is checked where the term ends.
type trie struct {
	atoms map[string]int32 // folded atom -> its number
	edges map[uint64]int32 // node<<32 | atom -> node
	ends  map[int32][]ending
}

// ending is a term that ends at a node.
type ending struct {
	concept int
	lang    string
	term    string
	accents []uint32 // for each atom, the accents the term wants
	// Of a term of one Latin word:
	singular uint32 // the word, 0 if the term is no such
	short    bool   // an abbreviation, all in capitals
	stop     bool   // written small it is a word of grammar ("IT")
	viet     bool   // written small it may be a Vietnamese syllable ("AI", "can")
}

const fnvOffset, fnvPrime = uint32(2166136261), uint32(16777619)

// accentsOf condenses the accents of an exact form into a number: the letters that are not ASCII, in order.
// Stemming cuts plain letters only, so "séchoir" and "séchoirs" agree while "bò" and "bơ" do not.
func accentsOf(exact []byte) uint32 {
	h := fnvOffset
	for _, c := range exact {
		if c >= utf8.RuneSelf {
			h = (h ^ uint32(c)) * fnvPrime
		}
	}
	return h
}

func hashOf(word []byte) uint32 {
	h := fnvOffset
	for _, c := range word {
		h = (h ^ uint32(c)) * fnvPrime
	}
	return max(h, 1)
}

// buildTrie refuses a lone word of grammar, and a term that the matcher could not tell from one of another concept in the
// same language.
func buildTrie(concepts []Concept, rows []row) (trie, error) {
	t := trie{atoms: map[string]int32{}, edges: map[uint64]int32{}, ends: map[int32][]ending{}}
	for n := range concepts {
		for _, lang := range text.Languages {
			for _, term := range concepts[n].Terms[lang] {
				node, e := t.path(term)
				if node == 0 {
					continue // no term at all, which a test of the default glossary finds
				}
				e.concept, e.lang = n, lang
				if e.stop && !e.short {
					return t, rows[n].errorf("%s: the %s term %q is a word of grammar", concepts[n].ID, lang, term)
				}
				for i := range t.ends[node] {
					if o := &t.ends[node][i]; o.concept != n && o.same(&e) {
						return t, rows[n].errorf("%s: the %s term %q already belongs to %s, as %q", concepts[n].ID, lang, term, concepts[o.concept].ID, o.term)
					}
				}
				t.ends[node] = append(t.ends[node], e)
			}
		}
	}
	return t, nil
}

// path returns the node at which the term ends, after making what is missing of the way to it, and what the term wants
// of a text.
func (t *trie) path(term string) (node int32, e ending) {
	e.term = term
	text.Scan(term, func(a *text.Atom) bool {
		id, ok := t.atoms[string(a.Fold)]
		if !ok {
			id = int32(len(t.atoms))
			t.atoms[string(a.Fold)] = id
		}
		next, ok := t.edges[edge(node, id)]
		if !ok {
			next = int32(len(t.edges)) + 1
			t.edges[edge(node, id)] = next
		}
		node = next
		e.accents = append(e.accents, accentsOf(a.Exact))
		if e.singular = 0; len(e.accents) == 1 && a.Script == text.Latin {
			e.singular = hashOf(a.Singular)
		}
		return true
	})
	if e.singular != 0 {
		e.short, e.stop, e.viet = isAbbreviation(term), text.IsStopWord(term), text.IsSyllable(strings.ToLower(term))
	}
	return node, e
}

// same reports whether whatever means e also means o, which ends at the same node.
func (e *ending) same(o *ending) bool {
	if e.lang != o.lang || !slices.Equal(e.accents, o.accents) {
		return false
	}
	if e.short && o.short {
		return e.term == o.term
	}
	return e.singular == o.singular
}

func edge(node, atom int32) uint64 { return uint64(node)<<32 | uint64(atom) }

// isAbbreviation reports whether the term is two capitals or more and nothing else.
func isAbbreviation(term string) bool { return len(term) > 1 && isUpper(term) }

func isUpper(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsUpper(r) })
}
