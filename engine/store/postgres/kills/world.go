package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store"
)

const (
	writers = 2   // that write at the same time, each its own listings
	each    = 120 // listings of a writer
	model   = "kills-1"
	dim     = 64
)

// step is the nth write of a writer. It follows from the seed, so that checkers know what a writer was doing.
type step struct {
	delete bool
	ids    []string
}

func newStep(seed uint64, writer, n int) step {
	rng := rand.New(rand.NewPCG(seed, uint64(writer)<<32|uint64(n)))
	st := step{delete: rng.IntN(6) == 0}
	for _, i := range rng.Perm(each)[:1+rng.IntN(12)] {
		st.ids = append(st.ids, fmt.Sprintf("w%d-%03d", writer, i))
	}
	return st
}

// do makes the step; n is the version of what it puts.
func (st step) do(ctx context.Context, s store.Store, n int) error {
	if st.delete {
		return s.Delete(ctx, st.ids...)
	}
	var entries []engine.Entry
	for _, id := range st.ids {
		entries = append(entries, entry(id, n))
	}
	return s.Put(ctx, model, dim, entries)
}

// after is the state, as versions by id, after the step.
func (st step) after(before map[string]int, n int) map[string]int {
	state := maps.Clone(before)
	for _, id := range st.ids {
		if delete(state, id); !st.delete {
			state[id] = n
		}
	}
	return state
}

// entry is a version of a listing. Each differs from the one before in its text, its passages, its words and its vectors.
func entry(id string, version int) engine.Entry {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	rng := rand.New(rand.NewPCG(h.Sum64(), uint64(version)))
	e := engine.Entry{Listing: &engine.Listing{ID: id, Kind: engine.Kinds[version%3], Title: fmt.Sprint("version ", version), Lang: "en"}}
	for i := range 1 + version%4 {
		text := strings.TrimSpace(strings.Repeat("pond sensor ", 3+version%11+i))
		e.Listing.Works = append(e.Listing.Works, engine.Work{Title: "work", Text: text, Year: 2020})
		e.Passages = append(e.Passages, engine.Passage{Source: i, End: len(text)})
		v, norm := make([]float32, dim), 0.0
		for j := range v {
			x := rng.NormFloat64()
			v[j], norm = float32(x), norm+x*x
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(norm))
		}
		e.Vectors = append(e.Vectors, v)
	}
	return e
}

// lengths are how many words each passage has.
func lengths(e engine.Entry) (out []int) {
	for _, p := range e.Passages {
		out = append(out, index.Read(glossary.Default(), e.Listing, p, func([]byte) {}, func(int) {}))
	}
	return out
}

// readWords reads the same from the database, by id.
func readWords(ctx context.Context, address string) (map[string][]int, error) {
	db, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, err
	}
	defer db.Close(ctx)
	rows, err := db.Query(ctx, `SELECT l.id, w.length FROM words w JOIN listings l ON l.num = w.listing ORDER BY l.id, w.passage`)
	if err != nil {
		return nil, err
	}
	out := map[string][]int{}
	var id string
	var length int
	_, err = pgx.ForEachRow(rows, []any{&id, &length}, func() error {
		out[id] = append(out[id], length)
		return nil
	})
	return out, err
}

// world is what must be stored.
type world struct {
	seed    uint64
	writing sync.RWMutex // held for reading during each step of writers in this process
	busy    atomic.Int32 // of these writers, those in the middle of a step

	acknowledged atomic.Int64 // steps
	of           [writers]struct {
		done  int            // steps
		state map[string]int // after these
	}
}

func newWorld(seed uint64) *world {
	w := &world{seed: seed}
	for i := range w.of {
		w.of[i].state = map[string]int{}
	}
	return w
}

// next is the step that a writer is to make, or is making.
func (w *world) next(writer int) (st step, n int) {
	n = w.of[writer].done + 1
	return newStep(w.seed, writer, n), n
}

// advance notes that a writer's next step is done.
func (w *world) advance(writer int) {
	st, n := w.next(writer)
	w.of[writer].state, w.of[writer].done = st.after(w.of[writer].state, n), n
}

// check compares what is stored with what must be, while nobody writes. Of each writer one step may be there that was
// not acknowledged: wholly, or not at all. What is found is taken for the truth from then on, so that it counts once.
func (w *world) check(ctx context.Context, s store.Store, words map[string][]int, r *report) error {
	stored := map[string]engine.Entry{}
	if err := s.Changes(ctx, 0, model, func(c index.Change) error {
		if _, twice := stored[c.ID]; twice {
			r.doubled++
			fmt.Println("WRONG: doubled", c.ID)
		}
		stored[c.ID] = c.Entry
		return nil
	}); err != nil {
		return err
	}
	versions := map[string]int{}
	for id, e := range stored {
		var version int
		_, _ = fmt.Sscanf(e.Listing.Title, "version %d", &version)
		versions[id] = version
		if want := entry(id, version); !reflect.DeepEqual(e, want) || words != nil && !slices.Equal(words[id], lengths(want)) {
			r.half++
			fmt.Println("WRONG: half-written", id, e.Listing.Title)
		}
	}
	counts, err := s.Counts(ctx)
	if err != nil {
		return err
	}
	if n := counts[engine.Expert] + counts[engine.Technology] + counts[engine.Problem]; n != len(stored) {
		r.half++
		fmt.Printf("WRONG: %d listings, and %d in the changes\n", n, len(stored))
	}
	for i := range w.of {
		of := &w.of[i]
		got := map[string]int{}
		for id, v := range versions {
			if strings.HasPrefix(id, fmt.Sprintf("w%d-", i)) {
				got[id] = v
			}
		}
		next, n := w.next(i)
		switch later := next.after(of.state, n); {
		case maps.Equal(got, of.state):
		case maps.Equal(got, later):
			w.advance(i)
			r.kept++
		default:
			blame(of.state, later, got, r)
			of.state = got
		}
	}
	return nil
}

// blame says what is wrong with a state that is neither of two.
func blame(acknowledged, later, got map[string]int, r *report) {
	old, fresh := 0, 0
	ids := maps.Clone(acknowledged)
	maps.Copy(ids, later)
	maps.Copy(ids, got)
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		switch a, l, g := acknowledged[id], later[id], got[id]; {
		case g != a && g != l:
			r.lost++
			fmt.Printf("WRONG: lost %s: version %d is stored, %d was acknowledged (0: deleted)\n", id, g, a)
		case g == a && a != l:
			old++
		case g == l && a != l:
			fresh++
		}
	}
	if old > 0 && fresh > 0 {
		r.half++
		fmt.Printf("WRONG: half-written: %d listings of a batch are stored, %d are not\n", fresh, old)
	}
}
