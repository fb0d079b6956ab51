// Package storetest is the one suite that every store must pass.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

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
		{"round trip", roundTrip}, {"foreign text", foreignText}, {"replace", replace}, {"delete", deleteIDs}, {"changes", changes}, {"models", models},
		{"all or nothing", allOrNothing}, {"late vectors", lateVectors}, {"unembedded", unembedded}, {"writers", writers}, {"followed", followed}, {"cancelled", cancelled},
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

const (
	model = "test-1"
	dim   = 8
)

var rng = rand.New(rand.NewPCG(1, 2))

// entry makes a listing with two passages and their vectors.
func entry(id, text string) engine.Entry {
	l := &engine.Listing{ID: id, Kind: engine.Technology, Title: "Title of " + id, Text: text, Lang: "en", Works: []engine.Work{{Title: "work", Text: text, Year: 2020}}}
	return engine.Entry{Listing: l, Passages: []engine.Passage{{Source: engine.FromText, End: len(text)}, {Source: 0, End: len(text)}}, Vectors: [][]float32{vector(), vector()}}
}

// vector returns a random unit vector.
func vector() []float32 {
	v, norm := make([]float32, dim), 0.0
	for i := range v {
		x := rng.NormFloat64()
		v[i], norm = float32(x), norm+x*x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(norm))
	}
	return v
}

func (s *suite) put(t *testing.T, entries ...engine.Entry) {
	t.Helper()
	if err := s.Put(s.ctx, model, dim, entries); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, ctx context.Context, st store.Store, model string, ids ...string) map[string]engine.Entry {
	t.Helper()
	list, err := st.Entries(ctx, ids, model)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]engine.Entry{}
	for _, e := range list {
		out[e.Listing.ID] = e
	}
	return out
}

func same(a, b engine.Entry) bool {
	return reflect.DeepEqual(a.Listing, b.Listing) && slices.Equal(a.Passages, b.Passages) && reflect.DeepEqual(a.Vectors, b.Vectors)
}

func roundTrip(t *testing.T, s *suite) {
	three := 3
	full := entry("full", "a text")
	full.Listing.Summary, full.Listing.Fields, full.Listing.Regions, full.Listing.Languages = "sum", []string{"4.1"}, []string{"VN-40"}, []string{"vi", "en"}
	full.Listing.Organisation, full.Listing.TRL, full.Listing.IPStatus, full.Listing.Capacity = "Viện A (demo)", 7, "granted", &three
	full.Listing.Seeks = &engine.Seeks{Kinds: []engine.Kind{engine.Problem}, Partnership: []string{"licence"}}
	full.Listing.URL, full.Listing.PublishedAt, full.Listing.ExpiresAt = "https://example.org/x?a=1&b=<2>", "2026-01-02", "2027-01-02"
	full.Listing.Person, full.Listing.Basis = "Nguyễn Văn A (demo)", &engine.Basis{Kind: "consent", At: "2026-01-15"}
	full.Listing.Extra = map[string]json.RawMessage{"big": json.RawMessage("9007199254740993"), "s": json.RawMessage(`"<&>"`)}
	bare := entry("bare", "b")
	s.put(t, full, bare)
	for _, st := range []store.Store{s.Store, s.again(t)} {
		got := get(t, s.ctx, st, model, "full", "bare", "absent")
		if len(got) != 2 || !same(got["full"], full) || !same(got["bare"], bare) {
			t.Errorf("got %+v", got)
		}
		if e := get(t, s.ctx, st, "", "bare")["bare"]; e.Vectors != nil {
			t.Error("vectors come though none were asked for")
		}
	}
	counts, err := s.Counts(s.ctx)
	if err != nil || counts[engine.Technology] != 2 || counts[engine.Expert] != 0 {
		t.Errorf("counts %v, %v", counts, err)
	}
	if got := get(t, s.ctx, s.Store, model); len(got) != 0 {
		t.Errorf("no ids give %v", got)
	}
}

// foreignText must come back letter by letter, and never be taken for SQL.
func foreignText(t *testing.T, s *suite) {
	for i, text := range []string{`'; DROP TABLE listings; --`, `" OR 1=1`, `$1 ? :x @y`, `%_\`, "a\nb\tc", "Nước thải 새우 对虾 👨‍👩‍👧", "{{.}} ${7*7} </script>", "\uffff\ufffe"} {
		e := entry(fmt.Sprintf("id-%d", i), text)
		e.Listing.Title = text
		s.put(t, e)
		if got := get(t, s.ctx, s.Store, model, e.Listing.ID)[e.Listing.ID]; !same(got, e) {
			t.Errorf("%q comes back as %+v", text, got.Listing)
		}
	}
	for _, id := range []string{`x' OR '1'='1`, "%", "_", "ID-0"} {
		if got := get(t, s.ctx, s.Store, model, id); len(got) > 0 {
			t.Errorf("the id %q finds %v", id, got)
		}
	}
}

func replace(t *testing.T, s *suite) {
	s.put(t, entry("a", "old"), entry("A", "another: case counts"))
	next := entry("a", "new text")
	next.Passages, next.Vectors = next.Passages[:1], next.Vectors[:1]
	s.put(t, next)
	got := get(t, s.ctx, s.Store, model, "a", "A")
	if len(got) != 2 || !same(got["a"], next) || got["A"].Listing.Text != "another: case counts" {
		t.Errorf("got %+v", got)
	}
	stored, err := s.Stored(s.ctx, []string{"a", "b"}, model)
	_, sum, _ := next.Listing.Fingerprint()
	if err != nil || len(stored) != 1 || stored["a"] != (engine.Stored{Fingerprint: sum, Embedded: true}) {
		t.Errorf("stored %v, %v", stored, err)
	}
}

func deleteIDs(t *testing.T, s *suite) {
	s.put(t, entry("a", "x"), entry("b", "x"))
	before := s.seq(t)
	if err := s.Delete(s.ctx, "a", "absent"); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s.ctx, s.Store, model, "a", "b"); len(got) != 1 || got["b"].Listing == nil {
		t.Errorf("left: %v", got)
	}
	if list := s.since(t, s.Store, before); len(list) != 1 || list[0].ID != "a" || list[0].Entry.Listing != nil {
		t.Errorf("changes %+v", list)
	}
	back := entry("a", "again")
	s.put(t, back)
	if list := s.since(t, s.Store, before); len(list) != 1 || list[0].Entry.Listing == nil {
		t.Errorf("after it came back: %+v", list)
	}
	if list := s.since(t, s.Store, 0); len(list) != 2 {
		t.Errorf("from the start: %+v", list)
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

// changes come once each in their latest state, in the order of their numbers, which only grow.
func changes(t *testing.T, s *suite) {
	if s.seq(t) != 0 || len(s.since(t, s.Store, 0)) != 0 {
		t.Error("a new store has a history")
	}
	var entries []engine.Entry
	for i := range 20 {
		entries = append(entries, entry(fmt.Sprintf("L%02d", i), "text"))
	}
	s.put(t, entries...)
	mark := s.seq(t)
	s.put(t, entry("L07", "changed"))
	all, later := s.since(t, s.Store, 0), s.since(t, s.again(t), mark)
	if len(all) != 20 || all[19].ID != "L07" || len(later) != 1 || later[0].ID != "L07" || later[0].Seq != s.seq(t) {
		t.Errorf("%d changes, the last %s; later %+v", len(all), all[len(all)-1].ID, later)
	}
	for i := 1; i < len(all); i++ {
		if all[i].Seq <= all[i-1].Seq {
			t.Errorf("number %d after %d", all[i].Seq, all[i-1].Seq)
		}
	}
	stop := errors.New("stop")
	n := 0
	if err := s.Changes(s.ctx, 0, model, func(index.Change) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("the callback's error is %v after %d calls", err, n)
	}
}

// models are never mixed, not even where their widths agree.
func models(t *testing.T, s *suite) {
	e := entry("a", "x")
	s.put(t, e)
	if got := get(t, s.ctx, s.Store, "test-2", "a")["a"]; got.Vectors != nil {
		t.Error("vectors of another model are given")
	}
	if st, err := s.Stored(s.ctx, []string{"a"}, "test-2"); err != nil || st["a"].Embedded {
		t.Errorf("embedded by a model that never saw it: %v, %v", st, err)
	}
	if err := s.Put(s.ctx, model, dim+1, []engine.Entry{entry("b", "x")}); err == nil {
		t.Error("a model changes its width")
	}
	bad := entry("c", "x")
	bad.Vectors[1] = bad.Vectors[1][:dim-1]
	if err := s.Put(s.ctx, model, dim, []engine.Entry{bad}); err == nil {
		t.Error("a vector of another width is stored")
	}
	short := entry("d", "x")
	short.Vectors = short.Vectors[:1]
	if err := s.Put(s.ctx, model, dim, []engine.Entry{short}); err == nil {
		t.Error("a passage without a vector is stored as embedded")
	}
}

func allOrNothing(t *testing.T, s *suite) {
	s.put(t, entry("old", "x"))
	before := s.seq(t)
	bad := entry("bad", "x")
	bad.Vectors = bad.Vectors[:1]
	if err := s.Put(s.ctx, model, dim, []engine.Entry{entry("good", "x"), entry("old", "changed"), bad}); err == nil {
		t.Fatal("a bad batch is stored")
	}
	got := get(t, s.ctx, s.Store, model, "good", "old", "bad")
	if len(got) != 1 || got["old"].Listing.Text != "x" || s.seq(t) != before {
		t.Errorf("half a batch is stored: %v", got)
	}
}

func lateVectors(t *testing.T, s *suite) {
	a, b := entry("a", "x"), entry("b", "x")
	withVectors := []engine.Entry{a, b}
	a.Vectors, b.Vectors = nil, nil
	s.put(t, a, b)
	s.put(t, entry("b", "changed meanwhile"))
	changed := get(t, s.ctx, s.Store, model, "b")["b"]
	before := s.seq(t)
	gone := entry("gone", "x")
	if err := s.PutVectors(s.ctx, model, dim, append(withVectors, gone)); err != nil {
		t.Fatal(err)
	}
	got := get(t, s.ctx, s.Store, model, "a", "b", "gone")
	if !same(got["a"], withVectors[0]) || !same(got["b"], changed) || len(got) != 2 {
		t.Errorf("got %+v", got)
	}
	if list := s.since(t, s.Store, before); len(list) != 1 || list[0].ID != "a" {
		t.Errorf("followers hear of %+v", list)
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

// followed: an index in another process finds what was written within a second.
func followed(t *testing.T, s *suite) {
	other := s.again(t)
	x := index.New(index.Options{Model: model, Dim: dim, Glossary: glossary.Default()})
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	go x.Follow(ctx, other, 250*time.Millisecond, nil)
	e := entry("a", "shrimp pond")
	e.Passages[1].End, e.Listing.Works[0].Text = 11, "shrimp pond"
	s.put(t, e)
	deadline := time.Now().Add(time.Second)
	for time.Now().Before(deadline) {
		if n, _ := x.Size(); n == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	out := new(engine.Candidates)
	r := &engine.Reading{Listing: &engine.Listing{}, Terms: []engine.Term{{Text: "shrimp", Weight: 1}}}
	if err := x.Retrieve(s.ctx, r, nil, 5, out); err != nil || len(out.List) != 1 {
		t.Errorf("after a second %d are found, %v", len(out.List), err)
	}
}

func cancelled(t *testing.T, s *suite) {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if err := s.Put(ctx, model, dim, []engine.Entry{entry("a", "x")}); err == nil {
		t.Error("a cancelled write is stored")
	}
	s.put(t, entry("b", "x"))
	if got := get(t, s.ctx, s.Store, model, "a", "b"); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}
