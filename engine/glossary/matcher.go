package glossary

import (
	"strings"
	"sync"
	"unicode"

	"github.com/ketnoi/ketnoi/engine/text"
)

// Mention is a concept found in a text: bytes [Start, End) of it name Concept.
type Mention struct {
	Concept    int
	Start, End int
}

// ref is one atom of a text or a term, ready to be walked.
type ref struct {
	id         int32 // number of the folded atom, or -1 when no term has it
	accents    uint32
	singular   uint32
	start, end int32
	gap        text.Gap
	script     text.Script
	marked     bool
}

var refPool = sync.Pool{New: func() any { return new([]ref) }}

// Find calls yield for every concept that s names, from left to right, the longest term first, without overlaps.
// lang is the language of s: its own terms count, and English ones, which stand in technical texts everywhere; an
// empty lang lets the terms of all languages count. Nothing is allocated for each atom.
//
// Accents decide where the text has them: "bò" is cattle, "bơ" is not. A text without accents ("nuoi tom") still
// finds terms of two syllables and more. A term of one word is found in the singular and the plural and in no other form:
// "canned" is food, "can" is not. An abbreviation wants its capitals (see spelled). Spaces inside Korean terms are free; a
// Korean term of two syllables must stand at the beginning of a word.
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
			r.accents, r.singular = accentsOf(a.Exact), hashOf(a.Singular)
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

// fits checks accents, capitals and endings: 0 if the text cannot mean the term, 2 if it has the very accents, 1 if it
// lacks some. An atom without accents may stand for one with them where it is hardly mistaken: in a term of several
// atoms, or as a long word that is no Vietnamese syllable.
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
	if e.singular == 0 { // several atoms, or no Latin ones
		return fit
	}
	word := s[refs[0].start:refs[0].end]
	switch {
	case e.short:
		if !e.spelled(s, word, lang) {
			return 0
		}
	case e.singular != refs[0].singular || e.lang != "vi" && e.other(s, word, lang):
		return 0
	}
	return fit
}

// other reports whether the word of s looks like the term and is not: a Vietnamese syllable ("can"), or in capitals
// among words that are not, an abbreviation ("SOW" is no pig).
func (e *ending) other(s, word, lang string) bool {
	if e.viet && lang == "vi" && len(word) == len(e.term) {
		return true
	}
	return len(word) <= 4 && isUpper(word) && !strings.ContainsFunc(e.term, unicode.IsUpper) && strings.ContainsFunc(s, unicode.IsLower)
}

// everyday are abbreviations that written small are words of English or French: "led by", "aids", "mes travaux".
var everyday = map[string]bool{"AIDS": true, "ALE": true, "LED": true, "MES": true, "ODD": true, "PEEK": true, "RAG": true,
	"REP": true, "SIG": true, "SLAM": true, "TAL": true, "UPS": true}

// spelled reports whether the word of s means the abbreviation. In capitals it does, with an "s" behind them too ("LEDs"),
// but for words like "it" where all of a longer text is in capitals. Written small it does where that is no word of the language,
// and in English and French, which have too many words to know, only where the writer uses no capitals at all.
func (e *ending) spelled(s, word, lang string) bool {
	if !strings.EqualFold(word, e.term) {
		if word = strings.TrimSuffix(word, "s"); !strings.EqualFold(word, e.term) {
			return false
		}
	}
	foreign := lang == "vi" || lang == "ko" || lang == "zh"
	confusable := e.stop || everyday[e.term] && !foreign || e.viet && (lang == "vi" || lang == "fr" || lang == "")
	if isUpper(word) {
		return !confusable || lang == "ko" || lang == "zh" || len(word) >= len(s)-1 || strings.ContainsFunc(s, unicode.IsLower)
	}
	return !confusable && (foreign || !strings.ContainsFunc(s, unicode.IsUpper))
}
