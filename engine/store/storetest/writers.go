package storetest

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store"
)

// writers in several handles at once lose nothing and share no number.
func writers(t *testing.T, s *suite) {
	var wg sync.WaitGroup
	for w := range 4 {
		st := s.again(t)
		var entries []engine.Entry
		for i := range 25 {
			entries = append(entries, entry(fmt.Sprintf("w%d-%02d", w, i), "x"))
		}
		wg.Go(func() {
			for i := range entries {
				if err := st.Put(s.ctx, model, dim, entries[i:i+1]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[int64]bool{}
	for _, c := range s.since(t, s.Store, 0) {
		seen[c.Seq] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d listings with numbers of their own, want 100", len(seen))
	}
}

// version makes a listing of which everything follows from its id and a number, which its title says: whoever sees a
// part of it can tell what the rest must be.
func version(id string, n int) *engine.Listing {
	h := fnv.New64a()
	fmt.Fprint(h, id, n)
	rng := rand.New(rand.NewPCG(h.Sum64(), 0))
	l := random(rng, id)
	l.Title = id + " " + strconv.Itoa(n)
	l.Text += " " + token(n)
	for range rng.IntN(3) {
		l.Works = append(l.Works, engine.Work{Title: "work", Text: saying(rng, 4) + " " + token(n)})
	}
	return l
}

// original is the listing that one with this title is a version of.
func original(l *engine.Listing) *engine.Listing {
	_, n, _ := strings.Cut(l.Title, " ")
	number, err := strconv.Atoi(n)
	if err != nil {
		return &engine.Listing{}
	}
	return version(l.ID, number)
}

// half says what of an entry belongs to another version, "" when it is whole.
func half(e engine.Entry) string {
	l := original(e.Listing)
	switch {
	case !same(engine.Entry{Listing: l}, engine.Entry{Listing: e.Listing}):
		return fmt.Sprintf("%+v is no version", e.Listing)
	case !slices.Equal(e.Passages, cut(l, 1)) && !slices.Equal(e.Passages, cut(l, 2)):
		return fmt.Sprintf("%s has passages %v", l.Title, e.Passages)
	case e.Vectors != nil && !same(e, embed(e, model, dim)):
		return l.Title + " has vectors of another version, or of other passages"
	}
	return ""
}

// halfCandidate says the same of a candidate.
func halfCandidate(c *engine.Candidate, mean []float32) string {
	l := original(c.Listing)
	if !slices.Equal(c.Facets, engine.Facets(l)) || c.Expires != engine.NewStub(l).Expires {
		return fmt.Sprintf("%s has facets %q until %d", c.Listing.Title, c.Facets, c.Expires)
	}
	for n := 1; n <= 2; n++ {
		e := embed(engine.Entry{Listing: l, Passages: cut(l, n)}, model, dim)
		with, without := len(e.Passages) == len(c.Hits), len(e.Passages) == len(c.Hits)
		for i := 0; i < len(c.Hits) && (with || without); i++ {
			want := max(0, dot(e.Vectors[i], mean))
			got := float64(c.Hits[i].Meaning)
			with, without = with && got-want < 1e-5 && want-got < 1e-5, without && got == 0
		}
		if with || without {
			return ""
		}
	}
	return fmt.Sprintf("%s has hits %+v", l.Title, c.Hits)
}

// Storm runs that part of the suite alone, for what only some stores can tell afterwards. All handles are closed then.
func Storm(t *testing.T, open Open, address string) {
	t.Run("storm", func(t *testing.T) {
		s := &suite{ctx: t.Context(), open: open, address: address}
		s.Store = s.again(t)
		storm(t, s)
	})
}

// storm: many write the same listings at once in different orders, in several handles. No write fails; whoever reads
// meanwhile sees whole versions only, and a follower misses nothing; in the end each listing is one of its versions,
// wholly, for every way of finding it.
func storm(t *testing.T, s *suite) {
	var ids []string
	for i := range 9 {
		ids = append(ids, fmt.Sprintf("S%d", i))
	}
	handles := []store.Store{s.Store, s.again(t), s.again(t)}
	var writing, readers sync.WaitGroup
	var over atomic.Bool
	for w := range 5 {
		st, rng := handles[w%len(handles)], rand.New(rand.NewPCG(9, uint64(w)))
		writing.Go(func() {
			for step := range 30 {
				if err := scramble(s, st, rng, ids, 5*step+w); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	follower := map[string]engine.Entry{}
	until := func(do func(rng *rand.Rand) error) {
		rng := rand.New(rand.NewPCG(10, 10))
		readers.Go(func() {
			for last := false; !last; {
				last = over.Load() // once more when all is written
				if err := do(rng); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	since := int64(0)
	until(func(*rand.Rand) error {
		latest, err := handles[1].Seq(s.ctx)
		if err != nil || latest == since {
			return err
		}
		first := since
		err = handles[1].Changes(s.ctx, first, model, func(c index.Change) error {
			if c.Seq <= since {
				return fmt.Errorf("change %d comes after %d", c.Seq, since)
			}
			if since, follower[c.ID] = c.Seq, c.Entry; c.Entry.Listing != nil && half(c.Entry) != "" {
				return fmt.Errorf("change %d: %s", c.Seq, half(c.Entry))
			}
			return nil
		})
		if err == nil && since < latest && first > 0 { // whoever starts is not told what was deleted
			return fmt.Errorf("the clock stood at %d, and changes after %d end at %d", latest, first, since)
		}
		return err
	})
	until(func(*rand.Rand) error {
		list, err := handles[2].Entries(s.ctx, ids, model)
		for _, e := range list {
			if half(e) != "" {
				return fmt.Errorf("entries: %s", half(e))
			}
		}
		return err
	})
	if db, ok := s.Store.(store.Database); ok {
		retriever := db.Retriever(model, glossary.Default())
		out := new(engine.Candidates)
		until(func(rng *rand.Rand) error {
			r := reading(past(rng, 149), unit(rng, dim))
			if err := retriever.Retrieve(s.ctx, r, nil, 1+rng.IntN(len(ids)), out); err != nil {
				return err
			}
			for i := range out.List {
				mean := r.Mean
				if out.Path.Vectors == "" {
					mean = make([]float32, dim)
				}
				if h := halfCandidate(&out.List[i], mean); h != "" {
					return fmt.Errorf("the database finds a half: %s", h)
				}
			}
			return nil
		})
	}
	writing.Wait()
	over.Store(true)
	readers.Wait()

	got := get(t, s.ctx, s.Store, model, ids...)
	for _, id := range ids {
		e, ok := got[id]
		if f := follower[id]; (f.Listing != nil) != ok || ok && !same(f, e) {
			t.Errorf("%s: the follower has %+v, the store %+v", id, f.Listing, e.Listing)
		}
		if ok && half(e) != "" {
			t.Errorf("in the end %s", half(e))
		}
	}
	s.found(t, got)
}

// scramble writes some of the ids in any order.
func scramble(s *suite, st store.Store, rng *rand.Rand, ids []string, n int) error {
	var some []string
	for _, i := range rng.Perm(len(ids))[:2+rng.IntN(len(ids)-2)] {
		some = append(some, ids[i])
	}
	var batch []engine.Entry
	for _, id := range some {
		l := version(id, n)
		e := embed(engine.Entry{Listing: l, Passages: cut(l, 1)}, model, dim)
		if rng.IntN(3) == 0 {
			e = bare(e)
		}
		batch = append(batch, e)
	}
	switch rng.IntN(6) {
	case 0:
		return st.Delete(s.ctx, some...)
	case 1, 2: // vectors of what is there now, cut otherwise
		now, err := st.Entries(s.ctx, some, "")
		if err != nil {
			return err
		}
		for i := range now {
			now[i].Passages = cut(now[i].Listing, 1+rng.IntN(2))
			now[i] = embed(now[i], model, dim)
		}
		rng.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
		return st.PutVectors(s.ctx, model, dim, now)
	}
	return st.Put(s.ctx, model, dim, batch)
}

// found checks that every way finds each listing as it is, and no other, by the word of its version and its own facet.
func (s *suite) found(t *testing.T, entries map[string]engine.Entry) {
	t.Helper()
	for _, w := range s.ways(t, model, dim) {
		for id, e := range entries {
			_, n, _ := strings.Cut(e.Listing.Title, " ")
			number, _ := strconv.Atoi(n)
			mean := unit(rand.New(rand.NewPCG(1, 1)), dim)
			if e.Vectors != nil {
				mean = e.Vectors[0]
			}
			out := w.retrieve(t, reading(token(number), mean), nil, len(entries))
			if out.Allowed != len(entries) {
				t.Errorf("the %s allows %d, want %d", w.name, out.Allowed, len(entries))
			}
			list, ok := hits(out)[id]
			if !ok || len(list) != len(e.Passages) {
				t.Errorf("the %s says of %s %+v, want %d passages", w.name, id, list, len(e.Passages))
				continue
			}
			for i, h := range list {
				want := 0.0
				if e.Vectors != nil {
					want = max(0, dot(e.Vectors[i], mean))
				}
				if says := strings.Contains(e.Listing.Quote(e.Passages[i]), token(number)); says && h.Words == 0 || float64(h.Meaning)-want > 1e-5 || want-float64(h.Meaning) > 1e-5 {
					t.Errorf("the %s says of passage %d of %s %+v, want meaning %v, the word: %v", w.name, i, id, h, want, says)
				}
			}
		}
	}
}
