package eval

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/text"
)

// BM25Name is what the yardstick is called.
const BM25Name = "bm25"

// BM25 is the yardstick that any ranking has to beat, and one more voice in a pool: plain BM25 over whole listings
// (Robertson and Zaragoza 2009; k1 1.2, b 0.75; a subject's repeated words count as often as they stand there), on our
// tokenizer and nothing else of the engine. Add everything first; then it is safe for concurrent use.
type BM25 struct {
	stubs    []*engine.Stub
	lengths  []float64 // terms
	total    float64
	postings map[string][]posting
}

type posting struct {
	listing int32
	count   float32
}

// Add takes a listing, unless it may not be recommended for want of a basis.
func (x *BM25) Add(l *engine.Listing) {
	if l.LacksBasis() {
		return
	}
	if x.postings == nil {
		x.postings = map[string][]posting{}
	}
	counts, n := map[string]float32{}, 0.0
	words(l, func(term []byte) { counts[string(term)]++; n++ })
	for term, c := range counts {
		x.postings[term] = append(x.postings[term], posting{int32(len(x.stubs)), c})
	}
	x.stubs, x.lengths, x.total = append(x.stubs, engine.NewStub(l)), append(x.lengths, n), x.total+n
}

// words yields the terms of all of a listing's texts; the name of an expert is no evidence.
func words(l *engine.Listing, yield func(term []byte)) {
	each := func(term []byte, _, _ int) { yield(term) }
	if l.Kind != engine.Expert {
		text.Terms(l.Title, each)
	}
	text.Terms(l.Summary, each)
	text.Terms(l.Text, each)
	for i := range l.Works {
		text.Terms(l.Works[i].Title, each)
		text.Terms(l.Works[i].Text, each)
	}
}

// Rank yields the listings that share a word with the subject, best first, ties by id. Of the query it reads the kinds.
func (x *BM25) Rank(_ context.Context, subject *engine.Listing, q engine.Query, yield func(*engine.Scored)) error {
	const k1, b = 1.2, 0.75
	docs := float64(len(x.stubs))
	mean := x.total / max(1, docs)
	scores := make([]float64, len(x.stubs))
	words(subject, func(term []byte) {
		list := x.postings[string(term)]
		df := float64(len(list))
		idf := math.Log(1 + (docs-df+0.5)/(df+0.5))
		for _, p := range list {
			tf := float64(p.count)
			scores[p.listing] += idf * tf * (k1 + 1) / (tf + k1*(1-b+b*x.lengths[p.listing]/mean))
		}
	})
	var out []engine.Scored
	for i, score := range scores {
		l := x.stubs[i].Listing
		if score > 0 && l.ID != subject.ID && (len(q.Want) == 0 && l.Kind != subject.Kind || slices.Contains(q.Want, l.Kind)) {
			s := engine.Scored{Candidate: &engine.Candidate{Stub: x.stubs[i]}, Score: score}
			s.Raw[engine.SignalWords], s.Weights[engine.SignalWords] = score, 1
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b engine.Scored) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.Listing.ID, b.Listing.ID))
	})
	for i := range out {
		yield(&out[i])
	}
	return nil
}
