package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
)

// models are never mixed, not even where their widths agree.
func models(t *testing.T, s *suite) {
	a, b := entry("a", "x"), entry("b", "y")
	b = embed(b, "test-2", dim)
	s.put(t, a)
	if err := s.Put(s.ctx, "test-2", dim, []engine.Entry{b}); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(s.ctx, model, dim+1, []engine.Entry{entry("c", "x")}); err == nil {
		t.Error("a model changes its width")
	}
	for _, tc := range []struct {
		model string
		a, b  engine.Entry
	}{{model, a, bare(b)}, {"test-2", bare(a), b}, {"never seen", bare(a), bare(b)}, {"", bare(a), bare(b)}} {
		got := get(t, s.ctx, s.Store, tc.model, "a", "b")
		if !same(got["a"], tc.a) || !same(got["b"], tc.b) {
			t.Errorf("%q: got %+v", tc.model, got)
		}
		stored, err := s.Stored(s.ctx, []string{"a", "b"}, tc.model)
		if err != nil || stored["a"].Embedded != (tc.a.Vectors != nil) || stored["b"].Embedded != (tc.b.Vectors != nil) {
			t.Errorf("%q: stored %v, %v", tc.model, stored, err)
		}
		for _, w := range s.ways(t, tc.model, dim) {
			// The listing that lacks vectors of the model is no nearer to its own than to anything.
			for _, e := range []engine.Entry{tc.a, tc.b} {
				want := float32(0)
				if e.Vectors != nil {
					want = 1
				}
				mean := slices.Concat(a.Vectors[:1], b.Vectors[:1])[map[string]int{"a": 0, "b": 1}[e.Listing.ID]]
				out := w.retrieve(t, reading("title", mean), nil, 5)
				for _, c := range out.List {
					if c.Listing.ID == e.Listing.ID && math.Abs(float64(c.Hits[0].Meaning-want)) > 1e-6 {
						t.Errorf("%q: the %s says that %s means %v of itself", tc.model, w.name, c.Listing.ID, c.Hits[0].Meaning)
					}
				}
				if len(out.List) != 2 {
					t.Errorf("%q: the %s finds %d listings by their words", tc.model, w.name, len(out.List))
				}
			}
		}
	}
	// Vectors of a second model come beside those of the first; a changed text has neither.
	if err := s.PutVectors(s.ctx, "test-2", dim, []engine.Entry{embed(a, "test-2", dim)}); err != nil {
		t.Fatal(err)
	}
	one, two := get(t, s.ctx, s.Store, model, "a")["a"], get(t, s.ctx, s.Store, "test-2", "a")["a"]
	if !same(one, a) || !same(two, embed(a, "test-2", dim)) {
		t.Errorf("beside each other: %v and %v", one.Vectors, two.Vectors)
	}
	s.put(t, entry("a", "changed"))
	if got := get(t, s.ctx, s.Store, "test-2", "a")["a"]; got.Vectors != nil {
		t.Error("vectors of another text are given")
	}
}

// widths of every size a model may have stand beside each other.
func widths(t *testing.T, s *suite) {
	var entries []engine.Entry
	for i := range 12 {
		entries = append(entries, entry(fmt.Sprintf("L%02d", i), fmt.Sprintf("text %d", i)))
	}
	full := entries[0].Listing // as many facets as a listing can have, beside a vector that fills a page
	for i := range 100 {
		full.Fields, full.Regions, full.Languages = append(full.Fields, fmt.Sprintf("7.%d", i)), append(full.Regions, fmt.Sprintf("AU-%d", i)), append(full.Languages, fmt.Sprintf("x%02d", i))
	}
	rng := rand.New(rand.NewPCG(3, 3))
	sizes := []int{1, 2, 384, 1_899, 1_900, 1_901, 4_000, 4_001, 16_000}
	for _, size := range sizes {
		name := fmt.Sprintf("wide-%d", size)
		for i := range entries {
			entries[i] = embed(entries[i], name, size)
		}
		put := s.PutVectors
		if size == sizes[0] {
			put = s.Put
		}
		if err := put(s.ctx, name, size, entries); err != nil {
			t.Fatalf("%d dimensions: %v", size, err)
		}
	}
	s.maintain(t)
	for _, size := range sizes {
		name := fmt.Sprintf("wide-%d", size)
		got := get(t, s.ctx, s.Store, name, "L00", "L11")
		if !same(got["L00"], embed(entries[0], name, size)) || !same(got["L11"], embed(entries[11], name, size)) {
			t.Errorf("%d dimensions come back otherwise", size)
		}
		for _, w := range s.ways(t, name, size) {
			if out := w.retrieve(t, reading("", unit(rng, size)), nil, 100); len(out.List) != len(entries) || out.Path.Vectors != "exact" {
				t.Errorf("%d dimensions: the %s finds %d by %+v", size, w.name, len(out.List), out.Path)
			}
			for _, width := range []int{0, size + 1} { // a question of another model
				if out := w.retrieve(t, reading("text", unit(rng, width)), nil, 100); len(out.List) != len(entries) || out.Path.Vectors != "" {
					t.Errorf("%d dimensions asked with %d: the %s finds %d by %+v", size, width, w.name, len(out.List), out.Path)
				}
			}
		}
	}
}

// unusable vectors are refused wherever they come, and leave nothing behind.
func unusable(t *testing.T, s *suite) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	good := entry("good", "x")
	s.put(t, good, bare(entry("bare", "x")))
	before := s.seq(t)
	for name, v := range map[string][]float32{
		"NaN": {nan, 0, 0, 0, 0, 0, 0, 1}, "NaN in a unit vector": {1, 0, 0, 0, 0, 0, 0, nan}, "Inf": {inf, 0, 0, 0, 0, 0, 0, 0}, "-Inf": {0, -inf, 0, 0, 0, 0, 0, 0},
		"zero": make([]float32, dim), "negative zero": {float32(math.Copysign(0, -1)), 0, 0, 0, 0, 0, 0, 0}, "short": {0.5, 0, 0, 0, 0, 0, 0, 0}, "long": {1, 1, 0, 0, 0, 0, 0, 0},
		"a little long": {1.002, 0, 0, 0, 0, 0, 0, 0}, "overflow": {math.MaxFloat32, math.MaxFloat32, 0, 0, 0, 0, 0, 0}, "denormal only": {math.SmallestNonzeroFloat32, 0, 0, 0, 0, 0, 0, 0},
		"narrow": {1, 0, 0, 0, 0, 0, 0}, "wide": {1, 0, 0, 0, 0, 0, 0, 0, 0}, "empty": {}, "nil": nil,
	} {
		for at := range 2 {
			for put, call := range map[string]func(context.Context, string, int, []engine.Entry) error{"Put": s.Put, "PutVectors": s.PutVectors} {
				for _, id := range []string{"good", "bare"} {
					bad := entry(id, "x")
					bad.Vectors[at] = v
					if err := call(s.ctx, "other", dim, []engine.Entry{embed(good, "other", dim), bad}); !errors.Is(err, engine.ErrVector) {
						t.Errorf("%s of a vector that is %s: error %v, want ErrVector", put, name, err)
					}
				}
			}
		}
	}
	for n := range 4 {
		bad := entry("bare", "x")
		if bad.Vectors = slices.Concat(bad.Vectors, bad.Vectors)[:n]; n == 0 || n == 2 {
			continue // none, or as many as there are passages
		}
		for put, call := range map[string]func(context.Context, string, int, []engine.Entry) error{"Put": s.Put, "PutVectors": s.PutVectors} {
			if err := call(s.ctx, model, dim, []engine.Entry{bad}); !errors.Is(err, engine.ErrVector) {
				t.Errorf("%s of %d vectors for 2 passages: error %v, want ErrVector", put, n, err)
			}
		}
	}
	if got := get(t, s.ctx, s.Store, model, "good", "bare"); len(got) != 2 || !same(got["good"], good) || got["bare"].Vectors != nil || s.seq(t) != before {
		t.Errorf("something was stored: %+v", got)
	}
	if got := get(t, s.ctx, s.Store, "other", "good")["good"]; got.Vectors != nil {
		t.Error("vectors of a batch that was refused are there")
	}
	// What is of length 1 is good, however small its elements are.
	tiny := entry("tiny", "x")
	tiny.Vectors = [][]float32{{1, math.SmallestNonzeroFloat32, -1e-40, 1e-38, 0, 0, 0, float32(math.Copysign(0, -1))}, {0.9995, 0, 0, 0, 0, 0, 0, 0}}
	s.put(t, tiny)
	if got := get(t, s.ctx, s.Store, model, "tiny")["tiny"]; !same(got, tiny) {
		t.Errorf("denormal elements come back as %v", got.Vectors)
	}
	for _, w := range s.ways(t, model, dim) {
		if out := w.retrieve(t, reading("", tiny.Vectors[0]), nil, 1); len(out.List) != 1 || out.List[0].Listing.ID != "tiny" {
			t.Errorf("%s: found %+v", w.name, out.List)
		}
	}
}

func lateVectors(t *testing.T, s *suite) {
	a, b := entry("a", "x"), entry("b", "x")
	s.put(t, bare(a), bare(b))
	changed := entry("b", "changed meanwhile")
	s.put(t, changed)
	before := s.seq(t)
	if err := s.PutVectors(s.ctx, model, dim, []engine.Entry{a, b, entry("gone", "x")}); err != nil {
		t.Fatal(err)
	}
	got := get(t, s.ctx, s.Store, model, "a", "b", "gone")
	if !same(got["a"], a) || !same(got["b"], changed) || len(got) != 2 {
		t.Errorf("got %+v", got)
	}
	if list := s.since(t, s.Store, before); len(list) != 1 || list[0].ID != "a" {
		t.Errorf("followers hear of %+v", list)
	}
	// Cut otherwise: vectors of other models no longer fit, words follow.
	if err := s.PutVectors(s.ctx, "test-2", dim, []engine.Entry{embed(a, "test-2", dim)}); err != nil {
		t.Fatal(err)
	}
	recut := a
	recut.Passages = recut.Passages[:1]
	recut = embed(recut, model, dim)
	if err := s.PutVectors(s.ctx, model, dim, []engine.Entry{recut}); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s.ctx, s.Store, model, "a")["a"]; !same(got, recut) {
		t.Errorf("cut otherwise: %+v", got)
	}
	if got := get(t, s.ctx, s.Store, "test-2", "a")["a"]; got.Vectors != nil {
		t.Errorf("vectors of passages that are no more: %v", got.Vectors)
	}
	for _, w := range s.ways(t, model, dim) {
		if out := w.retrieve(t, reading("work", nil), nil, 5); len(out.List) != 1 || out.List[0].Listing.ID != "b" {
			t.Errorf("%s: a word of a passage that is no more finds %+v", w.name, out.List)
		}
	}
	// None take the old ones away.
	if err := s.PutVectors(s.ctx, model, dim, []engine.Entry{bare(recut)}); err != nil {
		t.Fatal(err)
	}
	st, err := s.Stored(s.ctx, []string{"a"}, model)
	if got := get(t, s.ctx, s.Store, model, "a")["a"]; got.Vectors != nil || err != nil || st["a"].Embedded {
		t.Errorf("no vectors: %+v, %v, %v", got, st, err)
	}
}

func unembedded(t *testing.T, s *suite) {
	for _, id := range []string{"c", "a", "b", "d"} {
		e := entry(id, "x")
		if id != "d" {
			e.Vectors = nil
		}
		s.put(t, e)
	}
	for _, tc := range []struct {
		model, after string
		limit        int
		want         []string
	}{{model, "", 10, []string{"a", "b", "c"}}, {model, "a", 1, []string{"b"}}, {model, "c", 10, nil}, {"other", "", 10, []string{"a", "b", "c", "d"}}} {
		if got, err := s.Unembedded(s.ctx, tc.model, tc.after, tc.limit); err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%+v: %v, %v", tc, got, err)
		}
	}
}
