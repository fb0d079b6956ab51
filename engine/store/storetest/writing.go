package storetest

import (
	"context"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
)

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
	if err := s.Delete(s.ctx, "a", "absent", "a"); err != nil {
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

// twice in a batch: of entries with one id the last counts, with its own passages, vectors and words, or without.
func twice(t *testing.T, s *suite) {
	longer := entry("a", strings.Repeat("shrimp text ", 6))
	longer.Passages = cut(longer.Listing, 3)
	longer = embed(longer, model, dim)
	late := entry("c", "rice text")
	for _, tc := range []struct {
		name  string
		put   func(context.Context, string, int, []engine.Entry) error
		batch []engine.Entry
		want  engine.Entry
	}{
		{"a shorter one", s.Put, []engine.Entry{longer, entry("b", "x"), entry("a", "drone text")}, entry("a", "drone text")},
		{"a longer one", s.Put, []engine.Entry{entry("a", "drone text"), longer}, longer},
		{"the first again", s.Put, []engine.Entry{longer, entry("a", "drone text"), longer}, longer},
		{"one without vectors", s.Put, []engine.Entry{entry("c", "drone text"), bare(late)}, bare(late)},
		{"late vectors", s.PutVectors, []engine.Entry{{Listing: late.Listing, Passages: late.Passages, Vectors: entry("c", "other").Vectors}, late}, late},
	} {
		before := s.seq(t)
		if err := tc.put(s.ctx, model, dim, tc.batch); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		id := tc.want.Listing.ID
		if got := get(t, s.ctx, s.Store, model, id)[id]; !same(got, tc.want) {
			t.Errorf("%s: got %+v %v, want %+v", tc.name, got.Listing, got.Passages, tc.want.Listing)
		}
		told := 0
		for _, c := range s.since(t, s.Store, before) {
			if c.ID == id {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%s: followers hear of it %d times", tc.name, told)
		}
		for _, w := range s.ways(t, model, dim) {
			for words, want := range map[string]bool{"shrimp": tc.want.Listing == longer.Listing, "drone": tc.want.Listing.Text == "drone text"} {
				out := w.retrieve(t, reading(words, nil), []engine.Clause{{Rule: engine.RuleOwn, AnyOf: []engine.Facet{engine.OwnFacet(tc.want.Listing)}}}, 5)
				if out.Allowed != 1 || (len(out.List) == 1) != want || want && len(out.List[0].Hits) != len(tc.want.Passages) {
					t.Errorf("%s: the %s finds %+v for %q", tc.name, w.name, out.List, words)
				}
			}
		}
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
