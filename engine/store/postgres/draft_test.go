package postgres

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store/postgres/kills/audit"
)

// What the tests of faults and of replicas share.

const (
	testModel = "test-1"
	testDim   = 256
)

// draft makes a version of a listing that differs from the others in its passages, words and vectors.
func draft(id string, version int) engine.Entry {
	rng := rand.New(rand.NewPCG(hash(id), uint64(version)))
	e := engine.Entry{Listing: &engine.Listing{ID: id, Kind: engine.Technology, Title: fmt.Sprintf("%s, version %d", id, version), Lang: "en"}}
	for i := range 1 + version%3 {
		text := strings.TrimSpace(strings.Repeat("pond sensor ", 5+version%7+i))
		e.Listing.Works = append(e.Listing.Works, engine.Work{Title: "work", Text: text, Year: 2020})
		e.Passages = append(e.Passages, engine.Passage{Source: i, End: len(text)})
		v, norm := make([]float32, testDim), 0.0
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

func drafts(n, version int) (out []engine.Entry) {
	for i := range n {
		out = append(out, draft(fmt.Sprintf("L%03d", i), version))
	}
	return out
}

func open(t *testing.T, address string) *Store {
	t.Helper()
	s, err := Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func put(t *testing.T, s *Store, entries ...engine.Entry) {
	t.Helper()
	if err := s.Put(t.Context(), testModel, testDim, entries); err != nil {
		t.Fatal(err)
	}
}

// holds fails unless the database holds these listings and no others, wholly in all tables, and the store is done with
// its connections.
func holds(t *testing.T, s *Store, address string, want []engine.Entry) {
	t.Helper()
	if wrong, err := audit.Database(t.Context(), address); err != nil || len(wrong) > 0 {
		t.Errorf("audit: %v, %v", wrong, err)
	}
	var got []engine.Entry
	if err := s.Changes(t.Context(), 0, testModel, func(c index.Change) error { got = append(got, c.Entry); return nil }); err != nil {
		t.Fatal(err)
	}
	byID := func(a, b engine.Entry) int { return cmp.Compare(a.Listing.ID, b.Listing.ID) }
	slices.SortFunc(got, byID)
	if want = slices.SortedFunc(slices.Values(want), byID); !reflect.DeepEqual(got, want) {
		t.Errorf("%d listings are stored, want %d, or they differ", len(got), len(want))
	}
	within(t, 5*time.Second, "all connections are given back", func() bool {
		return s.primary.Stat().AcquiredConns() == 0 && (s.replica == nil || s.replica.pool.Stat().AcquiredConns() < 2) // the watch uses one
	})
}

func within(t *testing.T, limit time.Duration, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after %s", what, limit)
		}
	}
}

// finds reports whether the retriever finds this very version: no other one has a vector so near.
func finds(t *testing.T, r engine.Retriever, e engine.Entry) bool {
	t.Helper()
	var out engine.Candidates
	if err := r.Retrieve(t.Context(), &engine.Reading{Listing: &engine.Listing{}, Mean: e.Vectors[0]}, nil, 3, &out); err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(out.List, func(c engine.Candidate) bool {
		return c.Listing.ID == e.Listing.ID && len(c.Hits) == len(e.Passages) && c.Hits[0].Meaning > 0.999
	})
}

func impatient(t *testing.T, read, write time.Duration) {
	r, w := readPatience, writePatience
	readPatience, writePatience = read, write
	t.Cleanup(func() { readPatience, writePatience = r, w })
}

func do(t *testing.T, address string, statements ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // to clean up too
	db, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(ctx)
	for _, sql := range statements {
		if _, err := db.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}
