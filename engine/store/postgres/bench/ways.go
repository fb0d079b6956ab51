package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pgvector/pgvector-go"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store/postgres"
)

// perWay is what a recommendation retrieves by vectors, and so the limit of the raw queries.
const perWay = 100

type bench struct {
	c        *corpus
	store    *postgres.Store
	raw      *pgxpool.Pool
	database engine.Retriever
	index    *index.Index // nil when it is left out
}

// given is an embedder that knows the vectors of the queries: what embedding costs is not measured here.
type given map[string][]float32

func (given) Model() string { return model }

func (g given) Embed(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		name, _, _ := strings.Cut(t, " ")
		out[i] = g[name]
	}
	return out, nil
}

// whole is the one passage of a short text.
func whole(l *engine.Listing) []engine.Passage {
	return []engine.Passage{{Source: engine.FromText, End: len(l.Text)}}
}

func (b *bench) ways() []way {
	embedder := given{}
	for _, q := range b.c.queries {
		name, _, _ := strings.Cut(q.text, " ")
		embedder[name] = q.vector
	}
	now := time.Now()
	recommend := func(r engine.Retriever) func(context.Context, int, int) ([]int, error) {
		rec := &engine.Recommender{Retriever: r, Library: b.store, Embedder: embedder, Glossary: glossary.Default(), Ranker: engine.DefaultRanker(), Split: whole, Now: func() time.Time { return now }}
		rec.Ranker.Threshold = 0 // everything is explained
		return func(ctx context.Context, f, q int) ([]int, error) {
			a, err := rec.Recommend(ctx, engine.Query{Text: b.c.queries[q].text, Lang: "en", Want: []engine.Kind{engine.Technology}, Filter: filters[f].filter})
			if err == nil && len(a.Items) < 10 {
				err = fmt.Errorf("%d recommendations under %s", len(a.Items), filters[f].name)
			}
			return nil, err
		}
	}
	near := func(r engine.Retriever) func(context.Context, int, int) ([]int, error) {
		var out engine.Candidates
		return func(ctx context.Context, f, q int) ([]int, error) {
			rules := append([]engine.Clause{{Rule: engine.RuleKind, AnyOf: []engine.Facet{"kind:technology"}}}, filters[f].filter.Clauses()...)
			err := r.Retrieve(ctx, &engine.Reading{Listing: &engine.Listing{}, Mean: b.c.queries[q].vector}, rules, perWay, &out)
			slices.SortFunc(out.List, func(a, b engine.Candidate) int { return cmp.Compare(b.Hits[0].Meaning, a.Hits[0].Meaning) })
			nums := make([]int, len(out.List))
			for i, c := range out.List {
				nums[i], _ = strconv.Atoi(strings.TrimLeft(c.Listing.ID, "d0"))
			}
			return nums, err
		}
	}
	out := []way{
		{name: "raw pgvector, iterative HNSW", ask: b.walk},
		{name: "raw pgvector, exact", ask: b.compare},
		{name: "ours by pgvector", ask: near(b.database)},
		{name: "whole recommendation by pgvector", ask: recommend(b.database)},
	}
	if b.index != nil {
		out = append(out, way{name: "ours by index", ask: near(b.index)}, way{name: "whole recommendation by index", ask: recommend(b.index)})
	}
	return out
}

// condition is the filter as one would write it by hand.
func condition(f int) (sql string, args []any) {
	clauses := filters[f].filter.Clauses()
	if len(clauses) == 0 {
		return "", nil
	}
	keys := make([]int64, len(clauses[0].AnyOf))
	for i, facet := range clauses[0].AnyOf {
		keys[i] = postgres.FacetKey(facet)
	}
	return " AND facets && $2", []any{keys}
}

// walk is what one writes with pgvector: the graph, searched on until enough pass the filter, at the same width as ours.
func (b *bench) walk(ctx context.Context, f, q int) ([]int, error) {
	sql, args := condition(f)
	var nums []int
	var batch pgx.Batch
	batch.Queue(`SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', $1, true), set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true)`, strconv.Itoa(postgres.SearchWidth(b.c.n)))
	batch.Queue(fmt.Sprintf(`SELECT listing FROM vectors_1 WHERE kind = 2%s ORDER BY v::halfvec(%d) <=> $1::halfvec(%d) LIMIT %d`, sql, dim, dim, perWay),
		append([]any{pgvector.NewVector(b.c.queries[q].vector)}, args...)...).Query(func(rows pgx.Rows) (err error) {
		nums, err = numbers(rows)
		return err
	})
	return nums, b.raw.SendBatch(ctx, &batch).Close()
}

// compare is the same without the graph.
func (b *bench) compare(ctx context.Context, f, q int) ([]int, error) {
	sql, args := condition(f)
	rows, err := b.raw.Query(ctx, fmt.Sprintf(`SELECT listing FROM vectors_1 WHERE kind = 2%s ORDER BY (v <=> $1) + 0 LIMIT %d`, sql, perWay), append([]any{pgvector.NewVector(b.c.queries[q].vector)}, args...)...)
	if err != nil {
		return nil, err
	}
	return numbers(rows)
}

// numbers reads listings' numbers; listing number n + 1 is passage n of the corpus, since it was stored in that order.
func numbers(rows pgx.Rows) ([]int, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (n int, err error) {
		err = row.Scan(&n)
		return n - 1, err
	})
}
