package engine

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ketnoi/ketnoi/engine/text"
)

// evidence pairs the telling sentence of a candidate's passage, unless it was quoted before, with the subject's sentence
// that says the same.
func (x *explainer) evidence(candidate []sentence, quoted map[string]bool, l *Listing, p Passage, lang string) (Evidence, bool) {
	best, bestWorth := -1, 0.0
	for i := range candidate {
		if w := x.worth(&candidate[i], nil); w > bestWorth && !quoted[candidate[i].text] {
			best, bestWorth = i, w
		}
	}
	if best < 0 {
		return Evidence{}, false
	}
	quoted[candidate[best].text] = true
	mine, mineWorth := -1, 0.0
	for i := range x.subject {
		if w := x.worth(&candidate[best], &x.subject[i]); w > mineWorth {
			mine, mineWorth = i, w
		}
	}
	out := Evidence{Candidate: quote(l, p, candidate[best].text, lang)}
	if mine < 0 { // what they share runs over the end of a sentence
		out.Subject = x.mine(x.central())
		out.Candidate.Marks = x.marks(&out.Candidate, &candidate[best], nil)
		return out, true
	}
	out.Subject = x.mine(x.subject[mine].text)
	out.Subject.Marks, out.Candidate.Marks = x.marks(&out.Subject, &x.subject[mine], &candidate[best]), x.marks(&out.Candidate, &candidate[best], &x.subject[mine])
	return out, true
}

// marks are the words of a quoted sentence that carry the match: the concepts and the rare words that it shares with the other, or
// with the whole subject if other is nil.
func (x *explainer) marks(q *Quote, s, other *sentence) (out []string) {
	for _, n := range s.concepts {
		if x.answers(n.concept, other) {
			out = addWord(out, n.written)
		}
	}
	out = x.words(out, s.text, rareWord, func(term int) bool { return other == nil || slices.Contains(other.terms, term) })
	low := strings.ToLower(q.Text)
	return slices.DeleteFunc(out, func(w string) bool { return !strings.Contains(low, strings.ToLower(w)) }) // it was cut off
}

// answers reports whether a concept of one sentence is one of the subject's, or close to one, and so is one of the other's.
func (x *explainer) answers(concept int, other *sentence) bool {
	to, ok := x.reach[concept]
	if !ok || other == nil {
		return ok
	}
	return slices.ContainsFunc(other.concepts, func(n named) bool {
		o, ok := x.reach[n.concept]
		return ok && o.index == to.index
	})
}

// nearest quotes the most similar passage where no sentence shares a word or a concept with the subject: meaning is all there
// is to show then. Of the subject it quotes what is nearest to the whole of it.
func (x *explainer) nearest(out []Evidence, hits []Hit, e Entry) []Evidence {
	var best Hit
	for _, h := range hits {
		if h.Meaning > best.Meaning && h.Passage < len(e.Passages) {
			best = h
		}
	}
	if best.Meaning == 0 {
		return out
	}
	p := e.Passages[best.Passage]
	return append(out, Evidence{
		Subject:    x.mine(x.central()),
		Candidate:  quote(e.Listing, p, e.Listing.Quote(p), e.Listing.LangOf(e.Listing.Matchable(p))),
		Similarity: float64(best.Meaning),
	})
}

// central returns the subject's passage that is nearest to all of them, the first where there are no vectors.
func (x *explainer) central() string {
	best, most := 0, float32(-1)
	for i := range min(len(x.r.Vectors), len(x.r.Passages)) {
		sum := float32(0)
		for d, v := range x.r.Vectors[i] {
			if d < len(x.r.Mean) {
				sum += v * x.r.Mean[d]
			}
		}
		if sum > most {
			best, most = i, sum
		}
	}
	if best >= len(x.r.Passages) {
		return ""
	}
	return x.r.Listing.Quote(x.r.Passages[best])
}

// mine quotes the subject.
func (x *explainer) mine(s string) Quote { return Quote{Text: cut(s), Lang: langOf(s, x.r.Lang)} }

// quote quotes a candidate's passage, whose language is lang, though a sentence of it may be in another.
func quote(l *Listing, p Passage, s, lang string) Quote {
	q := Quote{Text: cut(s), Lang: langOf(s, lang)}
	if p.Source >= 0 {
		q.Work, q.Year = l.Works[p.Source].Title, l.Works[p.Source].Year
	}
	return q
}

// worth is what sentence c of a candidate has in common with sentence s of the subject, or with the whole subject if
// s is nil: concepts by closeness and rarity, words by rarity.
func (x *explainer) worth(c, s *sentence) float64 {
	sum := 0.0
	for _, n := range c.concepts {
		if to, ok := x.reach[n.concept]; ok && (s == nil || s.names(x.r.Concepts[to.index].Concept)) {
			sum += float64(to.link.Strength()) * float64(at(x.c.ConceptIDF, to.index))
		}
	}
	for _, t := range c.terms {
		if s == nil || slices.Contains(s.terms, t) {
			sum += 0.5 * float64(at(x.c.TermIDF, t))
		}
	}
	return sum
}

func (s *sentence) names(concept int) bool {
	return slices.ContainsFunc(s.concepts, func(n named) bool { return n.concept == concept })
}

// at returns v[i], or 1 where a retriever gave no figures.
func at(v []float32, i int) float32 {
	if i < len(v) {
		return v[i]
	}
	return 1
}

// words adds the subject's words that s uses, as s writes them, but for those more common than least. Pairs of Han or Hangul
// characters are no words to a reader; those that overlap are joined ("水质监测"). A Vietnamese pair stands for its syllables,
// and "thẻ" is not the subject's "thể".
func (x *explainer) words(out []string, s string, least float32, keep func(term int) bool) []string {
	start, end, rare, last := 0, 0, false, "" // the word or the run of pairs at hand, and the word as a term
	flush := func() {
		if rare {
			out = addWord(out, strings.ToLower(s[start:end]))
		}
		start, end, rare, last = 0, 0, false, ""
	}
	text.Terms(s, func(term []byte, from, to int) {
		i, ok := x.terms[string(term)]
		if term[0] == '=' { // the exact form of the word at hand
			if !ok && from == start && x.accented[last] {
				rare = false
			}
			return
		}
		if !ok || !keep(i) {
			return
		}
		pair := term[0] >= utf8.RuneSelf && spaceless(term)
		if !pair || from >= end {
			flush()
			start, last = from, string(term)
		}
		end, rare = max(end, to), rare || at(x.c.TermIDF, i) >= least && telling(term)
	})
	flush()
	return out
}

// spaceless reports whether the term is of a script that the index takes by pairs of characters.
func spaceless(term []byte) bool {
	r, _ := utf8.DecodeRune(term)
	return r >= 0x1100 && (r < 0x1E00 || r > 0x1EFF)
}

// addWord adds w unless it is there, alone or as half of a pair; the halves of a pair give way to it.
func addWord(out []string, w string) []string {
	if slices.ContainsFunc(out, func(o string) bool { return o == w || half(o, w) }) {
		return out
	}
	out = slices.DeleteFunc(out, func(o string) bool { return half(w, o) })
	if len(out) < maxShared {
		out = append(out, w)
	}
	return out
}

func half(pair, w string) bool {
	return strings.HasPrefix(pair, w+" ") || strings.HasSuffix(pair, " "+w)
}

// cut shortens a quote to maxQuote characters at a space, and says so with "…".
func cut(s string) string {
	if utf8.RuneCountInString(s) <= maxQuote {
		return s
	}
	n, last := 0, 0
	for i, r := range s {
		if n++; n > maxQuote {
			if last == 0 {
				last = i
			}
			return strings.TrimSpace(s[:last]) + " …"
		}
		if r == ' ' {
			last = i
		}
	}
	return s
}
