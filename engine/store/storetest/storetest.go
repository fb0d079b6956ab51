// Package storetest is the one suite that every store must pass.
package storetest

import (
	"context"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store"
)

// Open opens a store. Called again with the same address it opens the same one, as another process would.
type Open func(ctx context.Context, address string) (store.Store, error)

// Run runs the suite; address gives each test a store of its own.
func Run(t *testing.T, open Open, address func(t testing.TB) string) {
	for _, tc := range []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"round trip", roundTrip}, {"foreign text", foreignText}, {"odd ids", oddIDs}, {"empty lists", emptyLists}, {"large", large},
		{"replace", replace}, {"delete", deleteIDs}, {"twice in a batch", twice}, {"all or nothing", allOrNothing}, {"cancelled", cancelled},
		{"changes", changes}, {"followed", followed}, {"woken", woken},
		{"models", models}, {"widths", widths}, {"unusable vectors", unusable}, {"late vectors", lateVectors}, {"unembedded", unembedded},
		{"rules", rules}, {"clauses", clauses}, {"ties", ties}, {"many words", manyWords}, {"history", history}, {"writers", writers}, {"storm", storm},
		{"notes", notes}, {"paid", paid}, {"jobs", jobs}, {"erase", erase},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &suite{ctx: t.Context(), open: open, address: address(t)}
			s.Store = s.again(t)
			tc.run(t, s)
		})
	}
}

type suite struct {
	store.Store
	ctx     context.Context
	open    Open
	address string
}

// again opens the same store once more.
func (s *suite) again(t *testing.T) store.Store {
	t.Helper()
	st, err := s.open(s.ctx, s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

func (s *suite) put(t *testing.T, entries ...engine.Entry) {
	t.Helper()
	if err := s.Put(s.ctx, model, dim, entries); err != nil {
		t.Fatal(err)
	}
}

func (s *suite) seq(t *testing.T) int64 {
	t.Helper()
	n, err := s.Seq(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (s *suite) since(t *testing.T, st store.Store, seq int64) (out []index.Change) {
	t.Helper()
	if err := st.Changes(s.ctx, seq, model, func(c index.Change) error { out = append(out, c); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// maintain lets a database count and index what it holds; false for a store that is none.
func (s *suite) maintain(t *testing.T) bool {
	t.Helper()
	db, ok := s.Store.(store.Database)
	if ok {
		if err := db.Maintain(s.ctx, nil); err != nil {
			t.Fatal(err)
		}
	}
	return ok
}

// way is one of the ways in which listings are found.
type way struct {
	name string
	engine.Retriever
}

// ways are an index that has just read the store and, where the store can retrieve by itself, the database.
func (s *suite) ways(t *testing.T, model string, dim int) []way {
	t.Helper()
	x := newIndex(model, dim)
	if err := x.Refresh(s.ctx, s.Store); err != nil {
		t.Fatal(err)
	}
	out := []way{{"index", x}}
	if db, ok := s.Store.(store.Database); ok {
		out = append(out, way{"database", db.Retriever(model, glossary.Default())})
	}
	return out
}

func newIndex(model string, dim int) *index.Index {
	return index.New(index.Options{Model: model, Dim: dim, Glossary: glossary.Default(), Precision: index.Exact})
}

func (w way) retrieve(t *testing.T, r *engine.Reading, rules []engine.Clause, n int) *engine.Candidates {
	t.Helper()
	out := new(engine.Candidates)
	if err := w.Retrieve(t.Context(), r, rules, n, out); err != nil {
		t.Fatalf("%s: %v", w.name, err)
	}
	if out.Path.By != w.name {
		t.Fatalf("the %s says that the %q answers", w.name, out.Path.By)
	}
	return out
}
