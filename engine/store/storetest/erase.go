package storetest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/store/queue"
)

// planted is a person whom a store knows in every way it can.
type planted struct {
	id      string
	texts   []engine.TextKey
	secrets []string // none of which may be left
}

// plant puts a person into a store wherever one can stand, beside another who stays.
func plant(t *testing.T, s store.Store) planted {
	t.Helper()
	ctx := t.Context()
	p := planted{id: "orcid:0000-0002-9079-593X", secrets: []string{"orcid:0000-0002-9079-593X", "Hồ Thị Vĩnh Khuê", "vinhkhue.ho@"}}
	person := func(id, name, text string) engine.Entry {
		l := &engine.Listing{ID: id, Kind: engine.Expert, Title: name, Person: name, Lang: "vi", Text: name + ", vinhkhue.ho@example.vn. " + text, Basis: &engine.Basis{Kind: "consent"},
			Works: []engine.Work{{Title: "Nghiên cứu của " + name, Text: strings.Repeat(text+" ", 40)}}}
		return engine.Entry{Listing: l, Passages: cut(l, 2)}
	}
	old, now := person(p.id, p.secrets[1], "Bản cũ."), person(p.id, p.secrets[1], "Bản mới.")
	other := person("stays", "Người khác", "Ở lại.")
	other.Listing.Text = "Ở lại"
	other.Passages = cut(other.Listing, 1)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Put(ctx, model, dim, []engine.Entry{embed(old, model, dim), embed(other, model, dim)}))
	must(s.Put(ctx, model, dim, []engine.Entry{embed(now, model, dim)}))
	must(s.PutVectors(ctx, "test-2", dim, []engine.Entry{embed(now, "test-2", dim), embed(other, "test-2", dim)}))
	var paid []engine.Paid
	for _, e := range []engine.Entry{embed(old, model, dim), embed(now, model, dim)} {
		for i, passage := range e.Passages {
			paid = append(paid, engine.Paid{Key: engine.KeyOf(e.Listing.Matchable(passage)), ID: p.id, Vector: e.Vectors[i]})
		}
	}
	for _, passage := range now.Passages {
		p.texts = append(p.texts, engine.KeyOf(now.Listing.Matchable(passage)))
	}
	must(s.PutPaid(ctx, model, dim, paid))
	must(s.PutPaid(ctx, model, dim, []engine.Paid{{Key: engine.KeyOf("stays"), ID: "stays", Vector: embed(other, model, dim).Vectors[0]}}))
	must(s.PutNotes(ctx, "failed/"+model, map[string][]byte{p.id: []byte(`{"reason":"Hồ Thị Vĩnh Khuê is refused"}`), "stays": []byte("{}")}))
	must(s.PutNotes(ctx, "pairs", map[string][]byte{"a " + p.id: {}, p.id + " b": {}, "a b": {}}))
	must(s.PutNotes(ctx, "merged", map[string][]byte{"m": []byte(`{"into":"` + p.id + `"}`)}))
	must(s.Queue().Insert(ctx, [][]string{{"stays", p.id}, {"stays"}}))
	return p
}

// erase leaves nothing of a person, and everything of others; followers drop the listing without hearing its id.
func erase(t *testing.T, s *suite) {
	p := plant(t, s.Store)
	follower := newIndex(model, dim)
	if err := follower.Refresh(s.ctx, s.Store); err != nil {
		t.Fatal(err)
	}
	before, err := s.Traces(s.ctx, p.id, p.texts)
	if err != nil || len(before) < 5 {
		t.Fatalf("traces %+v, %v", before, err)
	}
	seq := s.seq(t)
	if err := s.Erase(s.ctx, p.id, engine.NewAlias(p.id), p.texts); err != nil {
		t.Fatal(err)
	}
	if left, err := s.Traces(s.ctx, p.id, p.texts); err != nil || len(left) > 0 {
		t.Errorf("left: %+v, %v", left, err)
	}
	if err := s.Scrub(s.ctx); err != nil {
		t.Fatal(err)
	}
	for _, c := range s.since(t, s.Store, seq) {
		if strings.Contains(c.ID, "0000-0002") {
			t.Errorf("followers hear of %s", c.ID)
		}
	}
	if listings, _ := follower.Size(); listings != 2 {
		t.Fatalf("%d listings", listings)
	}
	if err := follower.Refresh(s.ctx, s.Store); err != nil {
		t.Fatal(err)
	}
	if listings, _ := follower.Size(); listings != 1 {
		t.Errorf("a follower still knows %d listings", listings)
	}
	// Others are whole, and a second erasure finds nothing to do.
	if got := get(t, s.ctx, s.Store, "test-2", "stays"); len(got["stays"].Vectors) == 0 {
		t.Errorf("of the other there is %+v", got)
	}
	if got, err := s.Paid(s.ctx, model, []engine.TextKey{engine.KeyOf("stays")}); err != nil || len(got) != 1 {
		t.Errorf("the other's paid vectors: %v, %v", got, err)
	}
	if got, err := s.Notes(s.ctx, "pairs", "a b"); err != nil || len(got) != 1 {
		t.Errorf("the others' notes: %v, %v", got, err)
	}
	if b, err := s.Queue().Backlog(s.ctx); err != nil || b.Total() != 1 {
		t.Errorf("the other's jobs: %+v, %v", b, err)
	}
	if err := s.Erase(s.ctx, p.id, engine.NewAlias(p.id), nil); err != nil {
		t.Error(err)
	}
	// A job that was being worked while the person was erased finds nothing to do and puts nothing back.
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	go func() {
		_ = s.Queue().Work(ctx, queue.Options{Workers: 1, Timeout: 5 * time.Second, Do: func(context.Context, []string) (time.Duration, error) { return 0, nil }})
	}()
	settle(t, s)
}

// Unreadable checks that the bytes of a person who was erased stand in none of the files under a folder.
func Unreadable(t *testing.T, s store.Store, passOver func(path string) bool, folder string) {
	t.Helper()
	p := plant(t, s)
	found := func() (n int, where string) {
		err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || passOver(path) {
				return err
			}
			body, err := os.ReadFile(path)
			if os.IsNotExist(err) {
				return nil
			}
			for _, secret := range p.secrets {
				if k := strings.Count(string(body), secret); k > 0 {
					n, where = n+k, path
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, where
	}
	if err := s.Scrub(t.Context()); err != nil { // writes down what is there
		t.Fatal(err)
	}
	if n, _ := found(); n < 5 {
		t.Fatalf("only %d traces before: this test looks in the wrong place", n)
	}
	if err := s.Erase(t.Context(), p.id, engine.NewAlias(p.id), p.texts); err != nil {
		t.Fatal(err)
	}
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, where := found(); n > 0 {
		t.Errorf("%d traces are left, in %s among others", n, where)
	}
}
