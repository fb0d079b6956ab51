package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/index"
)

// memory is what a store should hold: a store as one would write it that need not last.
type memory struct {
	kept map[string]*kept
	seq  int64
}

type kept struct {
	engine.Entry // without vectors
	vectors      map[string][][]float32
}

func (m *memory) put(model string, entries []engine.Entry) {
	for _, e := range entries {
		m.seq++
		k := &kept{bare(e), map[string][][]float32{}}
		if len(e.Vectors) > 0 {
			k.vectors[model] = e.Vectors
		}
		m.kept[e.Listing.ID] = k
	}
}

func (m *memory) putVectors(model string, entries []engine.Entry) {
	for _, e := range entries {
		k := m.kept[e.Listing.ID]
		if k == nil || sum(k.Listing) != sum(e.Listing) {
			continue
		}
		m.seq++
		if !slices.Equal(k.Passages, e.Passages) {
			k.Passages, k.vectors = e.Passages, map[string][][]float32{}
		}
		if k.vectors[model] = e.Vectors; len(e.Vectors) == 0 {
			delete(k.vectors, model)
		}
	}
}

func sum(l *engine.Listing) [sha256.Size]byte {
	_, sum, err := l.Fingerprint()
	if err != nil {
		panic(err)
	}
	return sum
}

// entry is what the store should give of the id.
func (m *memory) entry(id, model string) (e engine.Entry, ok bool) {
	k, ok := m.kept[id]
	if ok {
		e = k.Entry
		e.Vectors = k.vectors[model]
	}
	return e, ok
}

// Seq implements index.Source.
func (m *memory) Seq(context.Context) (int64, error) { return m.seq, nil }

// Changes implements index.Source for an index that is new.
func (m *memory) Changes(_ context.Context, _ int64, model string, yield func(index.Change) error) error {
	for i, id := range slices.Sorted(maps.Keys(m.kept)) {
		e, _ := m.entry(id, model)
		if err := yield(index.Change{Seq: int64(i) + 1, ID: id, Entry: e}); err != nil {
			return err
		}
	}
	return nil
}

// trained are the models of a history: two of one width, and one of another.
var trained = []struct {
	name string
	dim  int
}{{"test-1", dim}, {"test-2", dim}, {"test-3", 5}}

// history: after any sequence of writes the store, an index that follows it and the database hold what a plain map
// holds, and nothing that was there before answers.
func history(t *testing.T, s *suite) {
	rng := rand.New(rand.NewPCG(8, 8))
	m := &memory{kept: map[string]*kept{}}
	var ids []string
	for i := range 14 {
		ids = append(ids, fmt.Sprintf("L%02d", i))
	}
	followed := map[string]*index.Index{}
	for _, tr := range trained {
		followed[tr.name] = newIndex(tr.name, tr.dim)
	}
	for step := range 150 {
		tr := one(rng, trained...)
		var batch []engine.Entry
		var err error
		what := rng.IntN(10)
		switch {
		case what < 5:
			for range 1 + rng.IntN(4) {
				batch = append(batch, draw(rng, one(rng, ids...), step, tr.name, tr.dim))
			}
			m.put(tr.name, batch)
			err = s.Put(s.ctx, tr.name, tr.dim, batch)
		case what < 8: // of what is there, cut as it is or otherwise; of what was changed; of what is not there
			for _, i := range rng.Perm(len(ids))[:1+rng.IntN(4)] {
				e, ok := m.entry(ids[i], "")
				if !ok || rng.IntN(8) == 0 {
					e = draw(rng, ids[i], step, tr.name, tr.dim)
				}
				if rng.IntN(4) == 0 {
					e.Passages = cut(e.Listing, 1+rng.IntN(3))
				}
				if e = embed(e, tr.name, tr.dim); rng.IntN(8) == 0 {
					e = bare(e)
				}
				batch = append(batch, e)
			}
			m.putVectors(tr.name, batch)
			err = s.PutVectors(s.ctx, tr.name, tr.dim, batch)
		default:
			gone := pick(rng, 3, ids...)
			for _, id := range gone {
				if _, ok := m.kept[id]; ok {
					delete(m.kept, id)
					m.seq++
				}
			}
			err = s.Delete(s.ctx, append(gone, "absent")...)
		}
		if err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		if rng.IntN(20) == 0 {
			s.maintain(t)
		}
		s.holds(t, m, ids)
		for _, tr := range trained {
			if rng.IntN(3) > 0 {
				continue
			}
			x := followed[tr.name]
			if err := x.Refresh(s.ctx, s.Store); err != nil {
				t.Fatal(err)
			}
			s.answers(t, m, tr.name, tr.dim, x, past(rng, step), unit(rng, tr.dim))
		}
		if t.Failed() {
			t.Fatalf("after step %d: %d %+v", step, what, batch)
		}
	}
}

// token is a word that only the listings written in a step say.
func token(step int) string { return fmt.Sprintf("zq%cx%c", 'a'+step%26, 'a'+step/26) }

// past are words of some steps up to this one.
func past(rng *rand.Rand, step int) string {
	var out []string
	for range 1 + rng.IntN(6) {
		out = append(out, token(rng.IntN(step+1)))
	}
	return strings.Join(append(out, saying(rng, rng.IntN(3))), " ")
}

// draw makes an entry for a step: random facets, texts that say the step's word, cut in some way, with vectors or without.
func draw(rng *rand.Rand, id string, step int, model string, dim int) engine.Entry {
	l := random(rng, id)
	l.Text = token(step) + " " + l.Text
	for i := range l.Works {
		l.Works[i].Text += " " + token(step)
	}
	if rng.IntN(5) == 0 {
		l.Text = ""
	}
	e := embed(engine.Entry{Listing: l, Passages: cut(l, 1+rng.IntN(2))}, model, dim)
	if rng.IntN(4) == 0 {
		e = bare(e)
	}
	return e
}

// holds compares everything that a store says of what it keeps.
func (s *suite) holds(t *testing.T, m *memory, ids []string) {
	t.Helper()
	for _, model := range []string{"test-1", "test-2", "test-3", "none", ""} {
		got := get(t, s.ctx, s.Store, model, ids...)
		stored, err := s.Stored(s.ctx, ids, model)
		if err != nil {
			t.Fatal(err)
		}
		left, err := s.Unembedded(s.ctx, model, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(m.kept) || len(stored) != len(m.kept) {
			t.Errorf("%d entries, %d fingerprints, want %d", len(got), len(stored), len(m.kept))
		}
		var bare []string
		for _, id := range slices.Sorted(maps.Keys(m.kept)) {
			want, _ := m.entry(id, model)
			if e := got[id]; !same(e, want) {
				t.Errorf("%s by %q: got %+v %v %v, want %+v %v %v", id, model, e.Listing, e.Passages, e.Vectors, want.Listing, want.Passages, want.Vectors)
			}
			if got, want := stored[id], (engine.Stored{Fingerprint: sum(want.Listing), Embedded: want.Vectors != nil}); got != want {
				t.Errorf("%s by %q: stored %v, want %v", id, model, got, want)
			}
			if want.Vectors == nil {
				bare = append(bare, id)
			}
		}
		if !slices.Equal(left, bare) {
			t.Errorf("%q: %q lack vectors, want %q", model, left, bare)
		}
	}
	counts, err := s.Counts(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range m.kept {
		counts[k.Listing.Kind]--
	}
	for kind, n := range counts {
		if n != 0 {
			t.Errorf("%d too many of %s are counted", n, kind)
		}
	}
	if n := s.seq(t); n > m.seq {
		t.Errorf("the clock stands at %d after %d changes", n, m.seq)
	}
}

// answers compares what an index that followed the store finds, and what the database finds, with an index over what the
// store should hold. The database counts words now and then only, so there a figure of words says no more than whether
// there are any.
func (s *suite) answers(t *testing.T, m *memory, model string, dim int, followed *index.Index, words string, mean []float32) {
	t.Helper()
	x := newIndex(model, dim)
	if err := x.Refresh(s.ctx, m); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*engine.Reading{reading(words, mean), reading(words, nil)} {
		out := way{"index", x}.retrieve(t, r, nil, len(m.kept))
		want := hits(out)
		for i, w := range append([]way{{"index", followed}}, s.ways(t, model, dim)[1:]...) {
			for _, n := range []int{len(m.kept), 3} {
				gotten := w.retrieve(t, r, nil, n)
				got := hits(gotten)
				if gotten.Allowed != out.Allowed {
					t.Errorf("the %s allows %d listings, want %d", w.name, gotten.Allowed, out.Allowed)
				}
				for id, list := range want {
					answers := i == 0 // there what lacks vectors stands among the far ones; the database may leave it out
					for _, h := range list {
						answers = answers || h.Words > 0 || h.Concepts > 0
					}
					if e, _ := m.entry(id, model); e.Vectors != nil && r.Mean != nil {
						answers = true
					}
					if _, ok := got[id]; answers && !ok && n == len(m.kept) {
						t.Errorf("%q: %s is not found by the %s", words, id, w.name)
					}
				}
				for id, list := range got {
					if !slices.EqualFunc(list, want[id], func(a, b engine.Hit) bool {
						if i == 0 {
							return a == b
						}
						return a.Passage == b.Passage && a.Work == b.Work && math.Abs(float64(a.Meaning-b.Meaning)) < 1e-5 && (a.Words > 0) == (b.Words > 0) && (a.Concepts > 0) == (b.Concepts > 0)
					}) {
						t.Errorf("%q: the %s says of %s %+v, want %+v", words, w.name, id, list, want[id])
					}
				}
			}
		}
	}
}

// hits are the figures of each candidate.
func hits(out *engine.Candidates) map[string][]engine.Hit {
	m := map[string][]engine.Hit{}
	for _, c := range out.List {
		m[c.Listing.ID] = c.Hits
	}
	return m
}
