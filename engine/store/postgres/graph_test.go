package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
)

// TestGraphs: with thousands of clustered listings the database walks graphs where rules leave many and compares all
// where they leave few. No rule makes an answer shorter, not even one whose listings are all far from what is asked for.
func TestGraphs(t *testing.T) {
	k := newSky(t)
	sun := k.around(k.centres[0], 0.1)
	opposite := make([]float32, starDim)
	for i := range sun {
		opposite[i] = -sun[i]
	}
	var entries []engine.Entry
	for i := range 4_000 {
		v, languages := k.near(), []string{"all"}
		for name, every := range map[string]int{"half": 2, "tenth": 10, "hundredth": 100, "thousandth": 1_000} {
			if i%every == 1 {
				languages = append(languages, name)
			}
		}
		if i%5 < 2 {
			v, languages = k.around(opposite, 0.5), append(languages, "far", "far but for three")
		} else if i == 2 || i == 3 || i == 4 {
			v, languages = k.around(sun, 0.1), append(languages, "far but for three")
		}
		if i%4 == 0 != (i%5 < 2) {
			languages = append(languages, "mixed") // half of all, a tenth of the far ones
		}
		entries = append(entries, star(fmt.Sprintf("T%04d", i), engine.Technology, v, languages...))
	}
	for i := range 2_100 {
		entries = append(entries, star(fmt.Sprintf("E%04d", i), engine.Expert, k.near(), "all", "expert"))
	}
	for i := range 20 {
		entries = append(entries, star(fmt.Sprintf("P%04d", i), engine.Problem, k.near(), "all"))
	}
	k.put(entries...)
	tech, all := is("technology"), is("technology", "expert")
	own := engine.Clause{Rule: engine.RuleOwn, AnyOf: []engine.Facet{"id:T0003"}, Not: true}
	cases := []struct {
		name  string
		path  string // once there are graphs and figures
		n     int
		rules []engine.Clause
	}{
		{"no rules", "exact", 100, nil}, // problems have no graph
		{"a kind", "hnsw", 100, []engine.Clause{tech}},
		{"a kind, few", "hnsw", 10, []engine.Clause{tech}},
		{"two kinds", "hnsw", 100, []engine.Clause{all, own}},
		{"all of two kinds", "hnsw", 100, []engine.Clause{all, speaks("all")}},
		{"half", "hnsw", 10, []engine.Clause{tech, speaks("half"), own}},
		{"a tenth", "exact", 100, []engine.Clause{tech, speaks("tenth")}},
		{"a tenth, few", "exact", 10, []engine.Clause{tech, speaks("tenth")}},
		{"a hundredth", "exact", 100, []engine.Clause{tech, speaks("hundredth")}},
		{"a hundredth, few", "exact", 10, []engine.Clause{all, speaks("hundredth")}},
		{"a thousandth", "exact", 100, []engine.Clause{tech, speaks("thousandth")}},
		{"a thousandth, few", "exact", 3, []engine.Clause{tech, speaks("thousandth")}},
		{"the far ones", "hnsw then exact", 10, []engine.Clause{tech, speaks("far")}},
		{"the far ones and three", "hnsw then exact", 10, []engine.Clause{tech, speaks("far but for three")}},
		{"all the far ones", "", 2_000, []engine.Clause{tech, speaks("far")}},
		{"what depends on each other", "", 10, []engine.Clause{tech, speaks("far"), speaks("mixed"), speaks("half", "tenth")}},
		{"what excludes each other", "", 10, []engine.Clause{tech, speaks("expert"), speaks("all")}},
		{"one kind of the other's", "", 10, []engine.Clause{tech, speaks("expert")}},
		{"none", "", 10, []engine.Clause{tech, speaks("x-none")}},
		{"more than there are", "", 10_000, []engine.Clause{all}},
	}
	compare := func(when string, paths bool) {
		r := k.Retriever(starModel, glossary.Default())
		for _, tc := range cases {
			sum, times := 0.0, 4
			if tc.n > 100 || !paths {
				times = 2
			}
			for i := range times {
				mean := sun
				if i > 0 {
					mean = k.near()
				}
				out, recall := k.look(r, mean, tc.n, tc.rules...)
				if sum += recall; i == 0 && paths && tc.path != "" && out.Path.Vectors != tc.path {
					t.Errorf("%s, %s: by %q, want %q", when, tc.name, out.Path.Vectors, tc.path)
				}
				if out.Path.Vectors != "hnsw" && recall < 1 {
					t.Errorf("%s, %s: %q finds %.3f of the nearest", when, tc.name, out.Path.Vectors, recall)
				}
			}
			if sum/float64(times) < 0.95 {
				t.Errorf("%s, %s: recall %.3f", when, tc.name, sum/float64(times))
			}
		}
	}
	compare("before the first maintenance", false)
	k.maintain()
	compare("with graphs", true)

	// The graph follows what is replaced and deleted, and gives as many as before though its nearest are gone.
	k.put(star("T0007", engine.Technology, sun, "all"), star("T9999", engine.Technology, sun, "all"))
	r := k.Retriever(starModel, glossary.Default())
	if out, _ := k.look(r, sun, 10, tech); out.Path.Vectors != "hnsw" || !slices.ContainsFunc(out.List, func(c engine.Candidate) bool { return c.Listing.ID == "T0007" }) {
		t.Errorf("a vector that has changed is not found by %q", out.Path.Vectors)
	}
	var gone []string
	for id, e := range k.listed {
		if e.Listing.Kind == engine.Technology && cosine(e.Vectors[0], sun) > 0.1 {
			gone = append(gone, id)
		}
	}
	if err := k.Delete(t.Context(), gone...); err != nil || len(gone) < 100 {
		t.Fatalf("%d deleted, %v", len(gone), err)
	}
	for _, id := range gone {
		delete(k.listed, id)
	}
	k.look(k.Retriever(starModel, glossary.Default()), sun, 50, tech)

	// All facets change while the figures stay what they were.
	entries = entries[:0]
	for _, e := range k.listed {
		l := *e.Listing
		l.Languages = []string{"all"}
		if k.rng.IntN(50) == 0 {
			l.Languages = []string{"all", "half"}
		}
		e.Listing = &l
		entries = append(entries, e.Entry)
	}
	k.put(entries...)
	compare("with figures of another time", false)
}

// TestGraphOfAlikeWorks: the nearest passages are of a few experts with many works each. Enough experts are found without
// comparing all.
func TestGraphOfAlikeWorks(t *testing.T) {
	k := newSky(t)
	const works = 16
	var entries []engine.Entry
	for i := range 250 {
		field := k.near()
		l := &engine.Listing{ID: fmt.Sprintf("E%04d", i), Kind: engine.Expert, Title: "Star", Text: "star", Lang: "en"}
		e := engine.Entry{Listing: l}
		for w := range works {
			l.Works = append(l.Works, engine.Work{Title: "star"})
			e.Passages = append(e.Passages, engine.Passage{Source: w, End: 4})
			e.Vectors = append(e.Vectors, k.around(field, 0.2))
		}
		entries = append(entries, e)
	}
	k.put(entries...)
	k.maintain()
	r := k.Retriever(starModel, glossary.Default())
	for _, n := range []int{1, 10, 20} {
		var out engine.Candidates
		if err := r.Retrieve(t.Context(), &engine.Reading{Listing: &engine.Listing{}, Mean: k.near()}, []engine.Clause{is("expert")}, n, &out); err != nil {
			t.Fatal(err)
		}
		if len(out.List) != n || len(out.List[0].Hits) != works || out.Path.Vectors != "hnsw" {
			t.Errorf("%d asked for: %d found by %q", n, len(out.List), out.Path.Vectors)
		}
	}
}

// TestGraphOfEquals: where thousands have one vector, as many are found as are asked for. Which ones is not asked: more
// equals than the graph looks at when it is built become an island in it, which a search that begins there never leaves.
func TestGraphOfEquals(t *testing.T) {
	k := newSky(t)
	sun := k.near()
	var entries []engine.Entry
	for i := range 3_000 {
		v := sun
		if i%3 == 0 {
			v = k.near()
		}
		entries = append(entries, star(fmt.Sprintf("T%04d", i), engine.Technology, v, "all"))
	}
	k.put(entries...)
	k.maintain()
	r := k.Retriever(starModel, glossary.Default())
	for _, n := range []int{1, 10, 100} {
		for _, mean := range [][]float32{sun, k.near()} {
			k.look(r, mean, n, is("technology"))
		}
	}
}

// TestBrokenGraphIsRebuilt cuts off the building of a graph, which leaves an index that is not valid. It is not used, and
// the next maintenance replaces it.
func TestBrokenGraphIsRebuilt(t *testing.T) {
	k := newSky(t)
	var entries []engine.Entry
	for i := range 2_500 {
		entries = append(entries, star(fmt.Sprintf("T%04d", i), engine.Technology, k.near(), "all"))
	}
	k.put(entries...)
	connect := func() *pgx.Conn {
		db, err := pgx.Connect(t.Context(), k.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close(context.Background()) })
		return db
	}
	watch := connect()
	// Whoever writes keeps a build from ending.
	writer, err := connect().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Exec(t.Context(), `LOCK TABLE vectors_1 IN ROW EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- k.Maintain(ctx, nil) }()
	state := func() (valid, building bool) {
		err := watch.QueryRow(t.Context(), `SELECT coalesce((SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('vectors_1_technology')), true), EXISTS (SELECT 1 FROM pg_stat_progress_create_index)`).Scan(&valid, &building)
		if err != nil {
			t.Fatal(err)
		}
		return valid, building
	}
	await := func(what string, is func(valid, building bool) bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !is(state()); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the index is never %s", what)
			}
		}
	}
	await("half built", func(valid, building bool) bool { return !valid && building })
	// Another process that maintains meanwhile leaves it to the first one.
	if err := k.Maintain(t.Context(), nil); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("a maintenance that was cut off says nothing")
	}
	await("left behind", func(valid, building bool) bool { return !valid && !building })
	if err := writer.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	look := func() string {
		out, _ := k.look(k.Retriever(starModel, glossary.Default()), k.near(), 10, is("technology"))
		return out.Path.Vectors
	}
	if how := look(); how != "exact" {
		t.Errorf("with a broken graph: by %q, want exact", how)
	}
	for range 2 { // the second time there is nothing to do
		k.maintain()
		if how := look(); how != "hnsw" {
			t.Errorf("with a graph that was built again: by %q, want hnsw", how)
		}
	}
}
