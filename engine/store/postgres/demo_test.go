package postgres_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/lexicon"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
	"github.com/ketnoi/ketnoi/eval/demo"
	"github.com/ketnoi/ketnoi/ingest"
)

// demoStore loads the demo corpus into the store at an address, as the command does.
func demoStore(t *testing.T, address string) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	dir := t.TempDir()
	if err := os.CopyFS(dir, demo.Files()); err != nil {
		t.Fatal(err)
	}
	run := &ingest.Run{Store: s, Embedder: lexicon.New(glossary.Default()), Report: func(i ingest.Issue) {
		if !i.Warning {
			t.Error(i)
		}
	}}
	for _, name := range demo.Listings {
		if err := run.File(t.Context(), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// demoProblems are the ids of all problems of the demo corpus, and some of their texts.
func demoProblems(t *testing.T) (ids, texts []string) {
	t.Helper()
	file, err := demo.Files().Open(demo.Topics)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for d := json.NewDecoder(file); d.More(); {
		var l engine.Listing
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if ids = append(ids, l.ID); len(ids)%5 == 0 {
			texts = append(texts, l.Title)
		}
	}
	return ids, texts
}

// gist is what people see of an answer, but for the explanations.
func gist(a *engine.Answer) string {
	var b strings.Builder
	for _, item := range a.Items {
		fmt.Fprintf(&b, "%s ", item.Listing.ID)
	}
	fmt.Fprintf(&b, "no match %v, nearest ", a.NoMatch)
	for _, n := range a.Nearest {
		fmt.Fprintf(&b, "%s ", n.ID)
	}
	fmt.Fprintf(&b, "allowed %d, removed %v", a.Allowed, a.Removed)
	return b.String()
}

// scores are those of the items, or of the nearest misses.
func scores(a *engine.Answer) (out []float64) {
	for _, item := range a.Items {
		out = append(out, item.Score)
	}
	for _, n := range a.Nearest {
		out = append(out, n.Score)
	}
	return out
}

// TestDemoIsAnsweredAlike asks for all problems of the demo corpus, with and without filters, over both stores and all
// ways of finding: people must see the same.
func TestDemoIsAnsweredAlike(t *testing.T) {
	g, embedder := glossary.Default(), lexicon.New(glossary.Default())
	recommender := func(s store.Store, r engine.Retriever) *engine.Recommender {
		now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
		return &engine.Recommender{Retriever: r, Library: s, Embedder: embedder, Glossary: g, Ranker: engine.DefaultRanker(), Split: embeddings.Split, Now: func() time.Time { return now }}
	}
	loaded := func(s store.Store) engine.Retriever {
		x := index.New(index.Options{Model: embedder.Model(), Dim: embedder.Dim(), Glossary: g})
		if err := x.Refresh(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		return x
	}
	embedded := demoStore(t, "sqlite:"+filepath.Join(t.TempDir(), "demo.db"))
	database := demoStore(t, pgtest.Shared(t).Database(t)).(store.Database)
	if err := database.Maintain(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	want := recommender(embedded, loaded(embedded))
	ways := map[string]*engine.Recommender{"PostgreSQL and the index": recommender(database, loaded(database)), "the database": recommender(database, database.Retriever(embedder.Model(), g))}
	filters := []engine.Filter{{Regions: []string{"VN"}}, {Languages: []string{"ko", "zh"}}, {Fields: []string{"4", "2"}, TRLMin: 6}, {Regions: []string{"KR", "FR"}, Languages: []string{"en"}}, {IPStatus: []string{"granted"}, TRLMax: 8}, {Fields: []string{"1.2"}}}
	var queries []engine.Query
	ids, texts := demoProblems(t)
	for i, id := range ids {
		queries = append(queries, engine.Query{For: id})
		if i%2 == 0 {
			queries = append(queries, engine.Query{For: id, Filter: filters[i/2%len(filters)]})
		}
	}
	for i, text := range texts {
		queries = append(queries, engine.Query{Text: text, Want: engine.Kinds[i%2 : i%2+1], Prefer: filters[i%len(filters)]})
	}
	for _, q := range queries {
		first, err := want.Recommend(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for name, rec := range ways {
			a, err := rec.Recommend(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if gist(a) != gist(first) || !slices.EqualFunc(scores(a), scores(first), func(a, b float64) bool { return math.Abs(a-b) < 1e-5 }) {
				t.Errorf("%s%s %+v by %s:\n%s %.5v, want\n%s %.5v", q.For, q.Text, q.Filter, name, gist(a), scores(a), gist(first), scores(first))
			}
			if e, f := explanations(t, a), explanations(t, first); gist(a) == gist(first) && e != f {
				t.Errorf("%s%s %+v by %s is explained otherwise:\n%s, want\n%s", q.For, q.Text, q.Filter, name, e, f)
			}
		}
	}
}

// explanations are what is said of the items, without figures, whose last digits differ.
func explanations(t *testing.T, a *engine.Answer) string {
	t.Helper()
	var b strings.Builder
	for _, item := range a.Items {
		x := item.Explanation
		for i := range x.Parts {
			x.Parts[i].Raw, x.Parts[i].Points = 0, 0
		}
		for i := range x.Evidence {
			x.Evidence[i].Similarity = 0
		}
		text, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	return b.String()
}
