package engine

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
)

// Reading is a subject as the ranking sees it.
type Reading struct {
	Listing  *Listing // a free text is a problem with a text and nothing else
	Lang     string   // its language as far as it is certain, else empty
	Passages []Passage
	Vectors  [][]float32 // one unit vector a passage; nil when no embedder answered
	Mean     []float32   // their mean, a unit vector; nil with them
	Terms    []Term      // distinct, heaviest first
	Concepts []Weighted  // distinct, in the order of their first mention
	Fields   []string    // stated, or else the fields of its concepts
	Regions  []string    // stated ones and all above them, codes in force
	Year     int         // in which it asks
	Seeks    []Clause    // what it says it seeks in a counterpart
}

// Term is an index term of the subject with its weight, 1 + ln(occurrences), less for a lone Vietnamese syllable.
type Term struct {
	Text   string
	Weight float32
	Count  float32 // occurrences, with the same discount
}

// Weighted is a concept of the subject with its weight, 1 + ln(mentions).
type Weighted struct {
	Concept int
	Weight  float32
}

// maxReadPassages bounds how much of a very long subject is read: an expert with hundreds of works asks by the
// first ones.
const maxReadPassages = 12

// syllableWeight is what a lone Vietnamese syllable counts beside the pair it stands in: the pair is the word.
const syllableWeight = 0.4

// Embedder turns texts into unit vectors of one model.
type Embedder interface {
	Model() string
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// read prepares a subject; lang is its language as far as it is certain, else empty. Without vectors in e it asks the
// embedder; when that fails, the reading comes without vectors and the error says why.
func (rec *Recommender) read(ctx context.Context, e Entry, lang string) (*Reading, error) {
	r := &Reading{Listing: e.Listing, Lang: lang, Passages: e.Passages, Vectors: e.Vectors, Fields: e.Listing.Fields, Year: asked(e.Listing, rec.Now())}
	if s := e.Listing.Seeks; s != nil {
		r.Seeks = (&Filter{Kinds: s.Kinds, Fields: s.Fields, Regions: s.Regions, Languages: s.Languages}).Clauses()
	}
	for _, code := range e.Listing.Regions {
		r.Regions = append(r.Regions, glossary.RegionAncestors(code)...)
	}
	if len(r.Passages) > maxReadPassages {
		r.Passages = r.Passages[:maxReadPassages]
	}
	texts := make([]string, len(r.Passages))
	for i, p := range r.Passages {
		texts[i] = e.Listing.Matchable(p)
		if i > 0 && e.Listing.Heading(p.Source) == e.Listing.Heading(r.Passages[i-1].Source) {
			texts[i] = e.Listing.Quote(p) // the heading counts once as words and concepts
		}
	}
	rec.readWords(r, texts)
	var err error
	if len(r.Vectors) >= len(r.Passages) {
		r.Vectors = r.Vectors[:len(r.Passages)]
	} else {
		for i, p := range r.Passages {
			texts[i] = e.Listing.Matchable(p)
		}
		if r.Vectors, err = rec.Embedder.Embed(ctx, texts); err != nil {
			r.Vectors = nil
		}
	}
	r.Mean = mean(r.Vectors)
	return r, err
}

// asked returns the year in which the subject asks: when it was published or closed where that is past, else now.
func asked(l *Listing, now time.Time) int {
	for _, date := range []string{l.PublishedAt, l.ExpiresAt} {
		if y := year(date); y > 0 && y < now.Year() {
			return y
		}
	}
	return now.Year()
}

// year returns that of a date as a listing has it, 0 for none.
func year(date string) int {
	if len(date) < 4 {
		return 0
	}
	y, _ := strconv.Atoi(date[:4]) // Normalise has checked it
	return y
}

// newest returns the year of a listing's newest work, of its publication where no work has one, or 0.
func newest(l *Listing) int {
	out := 0
	for i := range l.Works {
		out = max(out, l.Works[i].Year)
	}
	if out == 0 {
		out = year(l.PublishedAt)
	}
	return out
}

func (rec *Recommender) readWords(r *Reading, texts []string) {
	terms, concepts := map[string]int{}, map[int]int{}
	var order []int
	for _, t := range texts {
		text.Terms(t, func(term []byte, _, _ int) { terms[string(term)]++ })
		rec.Glossary.Find(t, langOf(t, r.Lang), func(m glossary.Mention) {
			if concepts[m.Concept]++; concepts[m.Concept] == 1 {
				order = append(order, m.Concept)
			}
		})
	}
	for t, n := range terms {
		term := Term{t, 1 + float32(math.Log(float64(n))), float32(n)}
		if r.Listing.Lang == "vi" && text.IsSyllable(t) {
			term.Weight, term.Count = term.Weight*syllableWeight, term.Count*syllableWeight
		}
		r.Terms = append(r.Terms, term)
	}
	slices.SortFunc(r.Terms, func(a, b Term) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Text, b.Text))
	})
	for _, c := range order {
		r.Concepts = append(r.Concepts, Weighted{c, 1 + float32(math.Log(float64(concepts[c])))})
	}
	if len(r.Fields) == 0 {
		r.Fields = rec.inferFields(r.Concepts)
	}
}

// inferFields returns the fields that hold at least a third of the concepts' weight: at most three.
func (rec *Recommender) inferFields(concepts []Weighted) []string {
	weight, all := map[string]float32{}, float32(0)
	for _, c := range concepts {
		weight[rec.Glossary.Concept(c.Concept).Field] += c.Weight
		all += c.Weight
	}
	var out []string
	for f, w := range weight {
		if w*3 >= all {
			out = append(out, f)
		}
	}
	slices.Sort(out)
	return out
}

// mean returns the normalised mean of unit vectors, nil for none or when they cancel out.
func mean(vectors [][]float32) []float32 {
	if len(vectors) == 0 {
		return nil
	}
	out := slices.Clone(vectors[0])
	for _, v := range vectors[1:] {
		for i, x := range v {
			out[i] += x
		}
	}
	var norm float64
	for _, x := range out {
		norm += float64(x) * float64(x)
	}
	if norm < 1e-12 {
		return nil
	}
	scale := float32(1 / math.Sqrt(norm))
	for i := range out {
		out[i] *= scale
	}
	return out
}
