package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store"
)

func roundTrip(t *testing.T, s *suite) {
	three := 3
	full := entry("full", "a text")
	full.Listing.Summary, full.Listing.Fields, full.Listing.Regions, full.Listing.Languages = "sum", []string{"4.1"}, []string{"VN-40"}, []string{"vi", "en"}
	full.Listing.Organisation, full.Listing.TRL, full.Listing.IPStatus, full.Listing.Capacity = "Viện A (demo)", 7, "granted", &three
	full.Listing.Seeks = &engine.Seeks{Kinds: []engine.Kind{engine.Problem}, Partnership: []string{"licence"}}
	full.Listing.OrganisationType, full.Listing.Conflicts, full.Listing.Ambassador = "institute", []string{"Công ty B (demo)"}, true
	full.Listing.URL, full.Listing.PublishedAt, full.Listing.ExpiresAt = "https://example.org/x?a=1&b=<2>", "2026-01-02", "2027-01-02"
	full.Listing.Person, full.Listing.Basis = "Nguyễn Văn A (demo)", &engine.Basis{Kind: "consent", At: "2026-01-15"}
	full.Listing.Extra = map[string]json.RawMessage{"big": json.RawMessage("9007199254740993"), "s": json.RawMessage(`"<&>"`)}
	plain := entry("plain", "b")
	s.put(t, full, plain)
	for _, st := range []store.Store{s.Store, s.again(t)} {
		got := get(t, s.ctx, st, model, "full", "plain", "absent")
		if len(got) != 2 || !same(got["full"], full) || !same(got["plain"], plain) {
			t.Errorf("got %+v", got)
		}
		if e := get(t, s.ctx, st, "", "plain")["plain"]; e.Vectors != nil {
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
	for i, text := range []string{`'; DROP TABLE listings; --`, `" OR 1=1`, `$1 ? :x @y`, `%_\`, "a\nb\tc", "Nước thải 새우 对虾 👨‍👩‍👧", "{{.}} ${7*7} </script>", "\uffff\ufffe", `\u0000 \x00 {"a":[1,`} {
		e := entry(fmt.Sprintf("id-%d", i), text)
		e.Listing.Title, e.Listing.Organisation, e.Listing.Person = text, text, text
		e = embed(e, model, dim)
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

// oddIDs are different ids though they look alike, and all of them work everywhere.
func oddIDs(t *testing.T, s *suite) {
	ids := []string{"a", "A", "á", "a\u0301", "ａ", "ä", "ae", "ß", "ss", "İ", "i", "x@y.z", "x:1", "x_1", "x%1", "1", "01", "1.0", "null", "ĐẶNG-7", "研究-１", "연구.원", "a b", "'", `"`, `\`, "{a,b}", "--", strings.Repeat("界", 128), "aaaaaaaaaaaaaaaaaaaaaaaaaaa-" + strings.Repeat("z", 100)}
	var entries []engine.Entry
	for i, id := range ids {
		entries = append(entries, entry(id, fmt.Sprintf("text %d", i)))
	}
	s.put(t, entries...)
	got := get(t, s.ctx, s.Store, model, ids...)
	stored, err := s.Stored(s.ctx, ids, model)
	if len(got) != len(ids) || len(stored) != len(ids) || err != nil {
		t.Fatalf("%d entries and %d fingerprints for %d ids, %v", len(got), len(stored), len(ids), err)
	}
	sorted := slices.Sorted(slices.Values(ids))
	for i, id := range ids {
		if !same(got[id], entries[i]) {
			t.Errorf("%q comes back as %+v", id, got[id].Listing)
		}
		if found := get(t, s.ctx, s.Store, "", id); len(found) != 1 {
			t.Errorf("%q finds %d listings", id, len(found))
		}
	}
	for _, w := range s.ways(t, model, dim) {
		if out := w.retrieve(t, reading("", entries[0].Vectors[0]), nil, len(ids)); len(out.List) != len(ids) {
			t.Errorf("%s: %d of %d are found", w.name, len(out.List), len(ids))
		}
	}
	// Pages go on after an id, in one order.
	var pages []string
	for after := ""; ; after = pages[len(pages)-1] {
		page, err := s.Unembedded(s.ctx, "other", after, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		pages = append(pages, page...)
	}
	if !slices.Equal(pages, sorted) {
		t.Errorf("pages %q, want %q", pages, sorted)
	}
	if err := s.Delete(s.ctx, ids[1:]...); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s.ctx, s.Store, model, ids...); len(got) != 1 || !same(got["a"], entries[0]) {
		t.Errorf("left: %v", got)
	}
}

// emptyLists come back as none, in whatever way they were empty.
func emptyLists(t *testing.T, s *suite) {
	l := func(id string) *engine.Listing {
		return &engine.Listing{ID: id, Kind: engine.Expert, Title: "x", Text: "shrimp", Lang: "en"}
	}
	e := engine.Entry{Listing: l("empty"), Passages: []engine.Passage{}, Vectors: [][]float32{}}
	e.Listing.Fields, e.Listing.Regions, e.Listing.Languages, e.Listing.Works, e.Listing.Extra = []string{}, []string{}, []string{}, []engine.Work{}, map[string]json.RawMessage{}
	s.put(t, e, engine.Entry{Listing: l("nil")}, engine.Entry{Listing: l("bare"), Passages: []engine.Passage{{Source: engine.FromText, End: 6}}, Vectors: [][]float32{}})
	for id, passages := range map[string]int{"empty": 0, "nil": 0, "bare": 1} {
		got := get(t, s.ctx, s.Store, model, id)[id]
		if got.Listing == nil || len(got.Passages) != passages || got.Vectors != nil || got.Listing.Fields != nil || got.Listing.Works != nil || got.Listing.Extra != nil {
			t.Errorf("%s: %+v of %+v", id, got, got.Listing)
		}
		if st, err := s.Stored(s.ctx, []string{id}, model); err != nil || st[id].Embedded {
			t.Errorf("%s: stored %v, %v", id, st, err)
		}
	}
	if err := s.Put(s.ctx, model, dim, nil); err != nil {
		t.Error(err)
	}
	if err := s.PutVectors(s.ctx, model, dim, nil); err != nil {
		t.Error(err)
	}
	if err := s.Delete(s.ctx); err != nil {
		t.Error(err)
	}
	if st, err := s.Stored(s.ctx, nil, model); err != nil || len(st) != 0 {
		t.Errorf("stored %v, %v", st, err)
	}
	if n := s.seq(t); n != 3 {
		t.Errorf("%d changes, want 3", n)
	}
	for _, w := range s.ways(t, model, dim) { // what has no passage is allowed and never found
		out := w.retrieve(t, reading("shrimp", nil), nil, 5)
		if out.Allowed != 3 || len(out.List) != 1 || out.List[0].Listing.ID != "bare" {
			t.Errorf("%s: %d allowed, found %+v", w.name, out.Allowed, out.List)
		}
	}
}

// large listings: the longest text in one passage and in many, the most works, the longest lists.
func large(t *testing.T, s *suite) {
	rng := rand.New(rand.NewPCG(1, 1))
	long := entry("long", strings.Repeat("nước thải 새우 ", 200_000/21)+"endword")
	for i := range 99 {
		long.Listing.Fields = append(long.Listing.Fields, fmt.Sprintf("%d.%d", 1+i%6, 1+i/6))
		long.Listing.Regions = append(long.Listing.Regions, fmt.Sprintf("AU-%d", i), fmt.Sprintf("VN-%02d", i))
		long.Listing.Languages = append(long.Listing.Languages, fmt.Sprintf("x%c%c", 'a'+i/26, 'a'+i%26))
	}
	many := engine.Entry{Listing: &engine.Listing{ID: "many", Kind: engine.Expert, Title: "x", Lang: "en"}}
	for i := range 2_000 {
		many.Listing.Works = append(many.Listing.Works, engine.Work{Title: fmt.Sprintf("Work %d", i), Text: saying(rng, 10), Year: 2000 + i%26})
	}
	many.Listing.Works[1_999].Text = "lastword"
	many.Passages = cut(many.Listing, 1)
	cutUp := entry("cut up", long.Listing.Text)
	cutUp.Passages = cut(cutUp.Listing, 1_000)
	entries := []engine.Entry{embed(long, model, dim), embed(many, model, dim), embed(cutUp, model, dim)}
	s.put(t, entries...)
	got := get(t, s.ctx, s.Store, model, "long", "many", "cut up")
	for _, e := range entries {
		if !same(got[e.Listing.ID], e) {
			t.Errorf("%s comes back otherwise", e.Listing.ID)
		}
	}
	for _, w := range s.ways(t, model, dim) {
		for word, want := range map[string][]string{"endword": {"cut up", "long"}, "lastword": {"many"}} {
			var ids []string
			for _, c := range w.retrieve(t, reading(word, nil), nil, 5).List {
				ids = append(ids, c.Listing.ID)
				if len(c.Hits) != len(got[c.Listing.ID].Passages) {
					t.Errorf("%s: %d hits of %s", w.name, len(c.Hits), c.Listing.ID)
				}
			}
			if slices.Sort(ids); !slices.Equal(ids, want) {
				t.Errorf("%s: %q finds %q, want %q", w.name, word, ids, want)
			}
		}
	}
}
