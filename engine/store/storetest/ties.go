package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
)

type scored struct {
	id    string
	score float64
}

// ranked are the candidates of a way in the order in which people see them.
func (w way) ranked(t *testing.T, r *engine.Reading, n int) (out []scored) {
	t.Helper()
	ranker := engine.DefaultRanker()
	for _, c := range ranker.Rank(r, nil, w.retrieve(t, r, nil, n), nil) {
		out = append(out, scored{c.Listing.ID, c.Score})
	}
	return out
}

// alike reports whether two ranked lists are the same but for rounding.
func alike(a, b []scored) bool {
	return slices.EqualFunc(a, b, func(a, b scored) bool { return a.id == b.id && math.Abs(a.score-b.score) < 1e-5 })
}

// ties: listings that say the same stand in the order of their ids, whatever the order in which they came; all ways
// rank alike, and alike each time. Where only some of those that say the same are asked for, the index finds the first by
// id, a database those that it had first.
func ties(t *testing.T, s *suite) {
	rng := rand.New(rand.NewPCG(6, 6))
	var texts []string
	for range 6 {
		texts = append(texts, saying(rng, 12))
	}
	var entries []engine.Entry
	for i := range 60 {
		l := &engine.Listing{ID: fmt.Sprintf("L%d", i), Kind: engine.Technology, Title: "Title", Text: texts[i%6], Lang: "en"}
		entries = append(entries, embed(engine.Entry{Listing: l, Passages: cut(l, 1)}, model, dim))
	}
	rng.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	for batch := range slices.Chunk(entries, 7) {
		s.put(t, batch...)
	}
	s.maintain(t)
	for i, text := range texts {
		mean := entries[slices.IndexFunc(entries, func(e engine.Entry) bool { return e.Listing.Text == text })].Vectors[0]
		for _, r := range []*engine.Reading{reading(text, mean), reading(text, nil), reading("", mean), reading(strings.Fields(text)[0], nil)} {
			for _, n := range []int{60, 30, 10, 3} {
				var want []scored
				for _, w := range s.ways(t, model, dim) {
					got := w.ranked(t, r, n)
					for k := range got {
						if k > 0 && got[k].score == got[k-1].score && got[k].id < got[k-1].id {
							t.Errorf("text %d: the %s puts %s before %s", i, w.name, got[k-1].id, got[k].id)
						}
					}
					if again := w.ranked(t, r, n); !slices.Equal(got, again) {
						t.Errorf("text %d: the %s ranks %v, then %v", i, w.name, got, again)
					}
					if want == nil {
						want = got
					} else if n == len(entries) && !alike(got, want) {
						t.Errorf("text %d: the %s ranks %v, the index %v", i, w.name, got, want)
					}
				}
			}
		}
	}
}

// manyWords: a subject of more words than are looked for, some of them in every listing and some in one, is answered
// alike by all ways.
func manyWords(t *testing.T, s *suite) {
	rng := rand.New(rand.NewPCG(7, 7))
	word := func(i int) string { return fmt.Sprintf("q%cx%cz%ck", 'a'+i%26, 'a'+i/26%26, 'a'+i/676) }
	var entries []engine.Entry
	for i := range 150 {
		var said []string
		for k := range 400 {
			said = append(said, word(k*k/40+rng.IntN(1+k)))
		}
		l := &engine.Listing{ID: fmt.Sprintf("L%03d", i), Kind: engine.Technology, Title: "Title", Text: strings.Join(said, " "), Lang: "en"}
		entries = append(entries, embed(engine.Entry{Listing: l, Passages: cut(l, 1)}, model, dim))
	}
	s.put(t, entries...)
	s.maintain(t)
	var asked []string
	for i := range 3_000 {
		asked = append(asked, word(i))
	}
	for _, n := range []int{1, 10, 1_000, 1_001, 3_000} {
		r := reading(strings.Join(asked[:n], " "), nil)
		var want []scored
		for _, w := range s.ways(t, model, dim) {
			if got := w.ranked(t, r, 200); want == nil {
				want = got
			} else if !alike(got, want) {
				t.Errorf("%d words: the %s ranks %v, the index %v", n, w.name, got[:3], want[:3])
			}
		}
	}
}
