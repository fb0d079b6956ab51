package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/embeddings/lexicon"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/ingest"
)

// killed is a store that is cut off after some writes, as by a kill.
type killed struct {
	store.Store
	writes int // that still succeed
}

var errKilled = errors.New("killed")

func (k *killed) spend() error {
	if k.writes--; k.writes < 0 {
		return errKilled
	}
	return nil
}

func (k *killed) Put(ctx context.Context, model string, dim int, e []engine.Entry) error {
	if err := k.spend(); err != nil {
		return err
	}
	return k.Store.Put(ctx, model, dim, e)
}

func (k *killed) Delete(ctx context.Context, ids ...string) error {
	if err := k.spend(); err != nil {
		return err
	}
	return k.Store.Delete(ctx, ids...)
}

func (k *killed) PutNotes(ctx context.Context, space string, notes map[string][]byte) error {
	if err := k.spend(); err != nil {
		return err
	}
	return k.Store.PutNotes(ctx, space, notes)
}

// shop is a store with two sources that send two of its listings.
type shop struct {
	t     *testing.T
	dir   string
	store *killed
}

var embedder = lexicon.New(glossary.Default())

const unlimited = 1 << 30

func openShop(t *testing.T) *shop {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(dir, "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &shop{t, dir, &killed{s, unlimited}}
}

func (s *shop) merges() *ingest.Merges {
	return &ingest.Merges{Store: s.store, Notes: s.store, Embedder: embedder}
}

// send ingests lines "ID TEXT" as experts, and returns added, changed, unchanged.
func (s *shop) send(lines ...string) (string, error) {
	s.t.Helper()
	var b strings.Builder
	for _, line := range lines {
		id, text, _ := strings.Cut(line, " ")
		fmt.Fprintf(&b, `{"id":%q,"kind":"expert","title":%q,"text":%q,"lang":"vi","works":[{"title":%q}]}`+"\n", id, "Chuyên gia "+id, text, "Work of "+id)
	}
	path := filepath.Join(s.dir, "f.jsonl")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	m := s.merges()
	if err := m.Settle(s.t.Context()); err != nil {
		return "", err
	}
	run := &ingest.Run{Store: s.store, Merges: m, Embedder: m.Embedder}
	err := run.File(s.t.Context(), path)
	sum := run.Summary()
	return fmt.Sprint(sum.Added, sum.Changed, sum.Unchanged), err
}

// state is what stands in the store: "ID TEXT/WORKS", and notes that are left in spaces.
func (s *shop) state() string {
	s.t.Helper()
	var rows []string
	err := s.store.Changes(s.t.Context(), 0, embedder.Model(), func(c index.Change) error {
		l := c.Entry.Listing
		row := l.ID + " " + l.Text
		for _, w := range l.Works {
			row += " +" + strings.TrimPrefix(w.Title, "Work of ")
		}
		if len(c.Entry.Vectors) != len(c.Entry.Passages) {
			row += " WITHOUT VECTORS"
		}
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(rows)
	return strings.Join(rows, "; ")
}

func (s *shop) notes() string {
	var out []string
	for _, space := range []string{"merged", "members", "settle"} {
		notes, err := s.store.ListNotes(s.t.Context(), space, "", 100)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, n := range notes {
			out = append(out, space+"/"+n.Key)
		}
	}
	return strings.Join(out, " ")
}

func (s *shop) merge(a, b, keep string) error {
	_, err := s.merges().Merge(s.t.Context(), a, b, keep)
	return err
}

func (s *shop) check(what, want, notes string) {
	s.t.Helper()
	if got := s.state(); got != want {
		s.t.Errorf("%s: got %s; want %s", what, got, want)
	}
	if got := s.notes(); got != notes {
		s.t.Errorf("%s: notes %s; want %s", what, got, notes)
	}
}

// TestMerge merges, takes in both sources again and again, and parts.
func TestMerge(t *testing.T) {
	s := openShop(t)
	send := func(want string, lines ...string) {
		t.Helper()
		if got, err := s.send(lines...); err != nil || got != want {
			t.Errorf("sent %q: %s, %v; want %s", lines, got, err, want)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const all = "merged/a merged/b merged/c members/a a members/a b members/a c"
	send("4 0 0", "a tôm", "b lúa", "c nấm", "d cá")
	must(s.merge("a", "b", ""))
	s.check("merged", "a tôm +a +b; c nấm +c; d cá +d", "merged/a merged/b members/a a members/a b")
	must(s.merge("a", "b", ""))
	must(s.merge("b", "c", "")) // c joins the group of b
	s.check("merged again", "a tôm +a +b +c; d cá +d", all)
	send("0 0 4", "a tôm", "b lúa", "c nấm", "d cá")
	s.check("sent again", "a tôm +a +b +c; d cá +d", all)
	send("0 1 2", "b ngô", "a tôm", "c nấm")
	send("0 1 0", "a cua")
	s.check("changed", "a cua +a +b +c; d cá +d", all)
	if err := s.merge("a", "x", ""); !errors.Is(err, engine.ErrUnknownListing) {
		t.Errorf("with an unknown one: %v", err)
	}
	if err := s.merge("a", "d", "x"); err == nil {
		t.Error("a kept one that is none of them is accepted")
	}
	if err := s.merge("d", "d", ""); err == nil {
		t.Error("a listing is merged with itself")
	}

	must(s.merge("a", "c", "b")) // another is kept
	s.check("turned", "b ngô +b +a +c; d cá +d", "merged/a merged/b merged/c members/b a members/b b members/b c")
	must(s.merges().Remove(t.Context(), "c"))
	s.check("one removed", "b ngô +b +a; d cá +d", "merged/a merged/b members/b a members/b b")
	send("1 0 0", "c nấm")
	must(s.merge("b", "c", ""))
	must(s.merges().Remove(t.Context(), "b"))
	s.check("the kept one removed", "a cua +a +c; d cá +d", "merged/a merged/c members/a a members/a c")
	must(s.merges().Apart(t.Context(), "a", "d")) // are apart
	must(s.merges().Apart(t.Context(), "a", "c"))
	s.check("apart", "a cua +a; c nấm +c; d cá +d", "")
	send("1 0 3", "a cua", "b ngô", "c nấm", "d cá")
	must(s.merge("c", "d", "d"))
	must(s.merges().Apart(t.Context(), "d", "c"))
	s.check("and back", "a cua +a; b ngô +b; c nấm +c; d cá +d", "")
}

// TestMergeMendsRows has a row come back that was merged away, and a kept one whose notes went without the merges knowing.
func TestMergeMendsRows(t *testing.T) {
	s := openShop(t)
	if _, err := s.send("a tôm", "b lúa"); err != nil {
		t.Fatal(err)
	}
	old, err := s.store.Entries(t.Context(), []string{"b"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.merge("a", "b", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Put(t.Context(), embedder.Model(), embedder.Dim(), old); err != nil {
		t.Fatal(err)
	}
	if got, err := s.send("a tôm", "b lúa"); err != nil || got != "0 0 2" {
		t.Errorf("sent again: %s, %v", got, err)
	}
	s.check("mended", "a tôm +a +b", "merged/a merged/b members/a a members/a b")
	// Somebody erased a by its notes' keys.
	for space, key := range map[string]string{"merged": "a", "members": "a a"} {
		if err := s.store.PutNotes(t.Context(), space, map[string][]byte{key: nil, "a b": nil}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.store.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.send("b lúa"); err != nil || got != "0 0 1" {
		t.Errorf("sent after erasure: %s, %v", got, err)
	}
	s.check("back", "b lúa +b", "")
}

// TestMergeIDs merges listings whose ids begin alike. The works of a and á are one: accents do not part titles.
func TestMergeIDs(t *testing.T) {
	s := openShop(t)
	if _, err := s.send("a tôm", "a.b lúa", "a:1 nấm", "á cá", "ab cua"); err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{"a.b", "a:1"}, {"a", "á"}} {
		if err := s.merge(pair[0], pair[1], ""); err != nil {
			t.Fatal(err)
		}
	}
	s.check("merged", "a tôm +a; a.b lúa +a.b +a:1; ab cua +ab", "merged/a merged/a.b merged/a:1 merged/á members/a a members/a á members/a.b a.b members/a.b a:1")
	if err := s.merges().Apart(t.Context(), "a", "á"); err != nil {
		t.Fatal(err)
	}
	s.check("apart", "a tôm +a; a.b lúa +a.b +a:1; ab cua +ab; á cá +á", "merged/a.b merged/a:1 members/a.b a.b members/a.b a:1")
}

// TestMergeKilled kills every change at each of its writes. Afterwards it has happened or not; repeated, it has happened.
func TestMergeKilled(t *testing.T) {
	const together, apart = "a tôm +a +b; c nấm +c", "a tôm +a; b lúa +b; c nấm +c"
	for _, tc := range []struct {
		name          string
		first         func(*shop) error
		do            func(*shop) error
		before, after string
	}{
		{"merge", nil, func(s *shop) error { return s.merge("a", "b", "") }, apart, together},
		{"apart", func(s *shop) error { return s.merge("a", "b", "") }, func(s *shop) error { return s.merges().Apart(s.t.Context(), "a", "b") }, together, apart},
		{"turn", func(s *shop) error { return s.merge("a", "b", "") }, func(s *shop) error { return s.merge("a", "b", "b") }, together, "b lúa +b +a; c nấm +c"},
		{"join", func(s *shop) error { return s.merge("a", "b", "") }, func(s *shop) error { return s.merge("c", "b", "") }, together, "c nấm +c +a +b"},
		{"change", func(s *shop) error { return s.merge("a", "b", "") }, func(s *shop) error { _, err := s.send("b lúa", "a cua"); return err }, together, "a cua +a +b; c nấm +c"},
		{"remove", func(s *shop) error { return s.merge("a", "b", "") }, func(s *shop) error { return s.merges().Remove(s.t.Context(), "b") }, together, "a tôm +a; c nấm +c"},
		{"remove the kept one", func(s *shop) error { return s.merge("a", "b", "") }, func(s *shop) error { return s.merges().Remove(s.t.Context(), "a") }, together, "b lúa +b; c nấm +c"},
	} {
		for writes := 0; ; writes++ {
			s := openShop(t)
			if _, err := s.send("a tôm", "b lúa", "c nấm"); err != nil {
				t.Fatal(err)
			}
			if tc.first != nil {
				if err := tc.first(s); err != nil {
					t.Fatal(err)
				}
			}
			s.store.writes = writes
			err := tc.do(s)
			s.store.writes = unlimited
			if err == nil {
				s.check(tc.name, tc.after, s.notes())
				if writes < 4 {
					t.Errorf("%s takes %d writes only", tc.name, writes)
				}
				break
			}
			if !errors.Is(err, errKilled) {
				t.Fatalf("%s: %v", tc.name, err)
			}
			if err := s.merges().Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			removing := strings.HasPrefix(tc.name, "remove") // what is removed may stand until it is called again
			if got := s.state(); got != tc.before && got != tc.after && !removing {
				t.Errorf("%s, killed after %d writes: %s", tc.name, writes, got)
			}
			if strings.Contains(s.notes(), "settle/") {
				t.Errorf("%s, killed after %d writes: left %s", tc.name, writes, s.notes())
			}
			if err := tc.do(s); err != nil {
				t.Fatalf("%s again: %v", tc.name, err)
			}
			if got := s.state(); got != tc.after {
				t.Errorf("%s, killed after %d writes and repeated: %s; want %s", tc.name, writes, got, tc.after)
			}
		}
	}
}
