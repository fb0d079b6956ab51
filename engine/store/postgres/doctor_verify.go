package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine"
)

const (
	// verifyDepth is how many of the nearest are compared.
	verifyDepth = 10
	// verifyLimit is how many passages a graph is asked for: as many as a query asks for where listings have one each.
	verifyLimit = 100
	// deepSearch and deepLimit are a search that finds all but what no way leads to: among many that are nearly the same, the
	// usual one may end before it comes to a vector.
	deepSearch, deepLimit = 1_000, 2_000
	// wantedRecall is what graphs as we build them reach easily.
	wantedRecall = 0.95
	// tiny is more than rounding does to a distance.
	tiny = 1e-6
)

// verify takes stored vectors as queries, and compares what each graph returns with exact search.
func (x *examiner) verify(ctx context.Context) error {
	if x.o.Sample == 0 {
		return nil
	}
	graphs := 0
	for _, m := range x.models {
		for _, kind := range engine.Kinds {
			if found := x.indexes[m.graph(kind)]; !found.valid {
				continue
			}
			graphs++
			if err := x.verifyGraph(ctx, m, kind); err != nil {
				return fmt.Errorf("%s: %w", m.graph(kind), err)
			}
		}
	}
	if graphs == 0 {
		x.Fine("verify", "there is no graph: all searches are exact")
	}
	return nil
}

type passageKey struct {
	Listing int64
	Passage int32
}

func (x *examiner) verifyGraph(ctx context.Context, m namedModel, kind engine.Kind) error {
	rows, err := x.db.Query(ctx, fmt.Sprintf(`SELECT listing, passage FROM %s WHERE kind = %d ORDER BY random() LIMIT %d`, m.table(), kindNumber(kind), x.o.Sample))
	if err != nil {
		return err
	}
	sample, err := pgx.CollectRows(rows, pgx.RowToStructByPos[passageKey])
	if err != nil || len(sample) == 0 {
		return err
	}
	all := 0 // a query is as wide as the whole corpus wants, not the kind alone
	for _, n := range x.kinds[m.table()] {
		all += n
	}
	width := SearchWidth(all)
	sum, worst, n, lost, cutOff := 0.0, 1.0, 0, 0, 0
	for i, key := range sample {
		x.o.Progress("asking "+m.graph(kind), i, len(sample))
		l, err := x.lookFor(ctx, m, kind, key, width, verifyLimit)
		if err != nil {
			return err
		}
		if l == nil {
			continue // deleted meanwhile
		}
		n++
		recall := l.recall()
		sum, worst = sum+recall, min(worst, recall)
		if l.found() {
			continue
		}
		lost++
		if l, err = x.lookFor(ctx, m, kind, key, deepSearch, deepLimit); err != nil {
			return err
		}
		if l != nil && !l.found() {
			cutOff++
		}
	}
	if n == 0 {
		return nil
	}
	mean := sum / float64(n)
	about := fmt.Sprintf("%s, asked with %d of its own vectors: recall@%d is %.3f, at worst %.2f; %d are not found by their own vectors (%d not even by a wide search)", m.graph(kind), n, verifyDepth, mean, worst, lost, cutOff)
	// The server's own maintenance_work_mem is small, and a graph that does not fit takes several times as long.
	repair := fmt.Sprintf("SET maintenance_work_mem = '%dMB'; ", min(2_000, max(64, x.indexes[m.graph(kind)].size>>19)))
	if x.vector.below(0, 8, 6) {
		repair += "SET max_parallel_maintenance_workers = 0; "
	}
	repair += fmt.Sprintf("REINDEX INDEX CONCURRENTLY %s; if that changes nothing, once more after ALTER INDEX %[1]s SET (m = 32, ef_construction = 200): many passages are nearly the same", m.graph(kind))
	switch {
	case cutOff*100 >= n:
		x.Fault("verify", repair, "%s: the graph cannot reach them", about)
	case cutOff > 0:
		x.Warn("verify", repair, "%s: the graph cannot reach them", about)
	case mean < wantedRecall || lost*20 >= n:
		x.Warn("verify", repair, "%s: the graph loses some", about)
	default:
		x.Fine("verify", "%s", about)
	}
	return nil
}

// lookup is one vector and how far from it things are: itself, the nearest ones, and those that the graph returned,
// each in order.
type lookup struct {
	own          float64
	exact, graph []float64
}

// recall is the part of the nearest that the graph returned; what is as near as the last of them is as good.
func (l *lookup) recall() float64 {
	within, hits := l.exact[len(l.exact)-1]+tiny, 0
	for _, d := range l.graph[:min(len(l.graph), len(l.exact))] {
		if d <= within {
			hits++
		}
	}
	return float64(hits) / float64(len(l.exact))
}

// found reports whether the graph returned the vector itself, or an equal one.
func (l *lookup) found() bool { return len(l.graph) > 0 && l.graph[0] <= l.own+tiny }

// lookFor searches both ways in one state of the database, in the graph as widely as told; nil where the vector is gone.
func (x *examiner) lookFor(ctx context.Context, m namedModel, kind engine.Kind, key passageKey, width, limit int) (*lookup, error) {
	l := &lookup{own: math.NaN()}
	v := fmt.Sprintf("(SELECT v FROM %s WHERE listing = $1 AND passage = $2)", m.table())
	from := fmt.Sprintf("FROM %s WHERE kind = %d", m.table(), kindNumber(kind))
	into := func(list *[]float64) func(pgx.Rows) error {
		return func(rows pgx.Rows) (err error) {
			*list, err = pgx.CollectRows(rows, pgx.RowTo[float64])
			return err
		}
	}
	err := pgx.BeginTxFunc(ctx, x.db, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var b pgx.Batch
		b.Queue(fmt.Sprintf(`SELECT v <=> %s FROM %s WHERE listing = $1 AND passage = $2`, v, m.table()), key.Listing, key.Passage).Query(func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&l.own}, func() error { return nil })
			return err
		})
		b.Queue(fmt.Sprintf(`SELECT (v <=> %s) + 0 AS distance %s ORDER BY distance LIMIT %d`, v, from, verifyDepth), key.Listing, key.Passage).Query(into(&l.exact))
		// As a query does it, but with no way around the graph.
		b.Queue(`SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', $1, true), set_config('enable_bitmapscan', 'off', true),
			set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)`, strconv.Itoa(width))
		b.Queue(fmt.Sprintf(`SELECT v <=> %s %s ORDER BY v::halfvec(%d) <=> %[1]s::halfvec(%[3]d) LIMIT %d`, v, from, m.dim, limit), key.Listing, key.Passage).Query(into(&l.graph))
		return tx.SendBatch(ctx, &b).Close()
	})
	if err != nil || math.IsNaN(l.own) || len(l.exact) == 0 {
		return nil, err
	}
	slices.Sort(l.graph)
	return l, nil
}
