package postgres

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"github.com/ketnoi/ketnoi/engine"
)

// nearest returns the listings with the nearest passages: n of them, or all that are allowed. It says how it went about it.
func (t *retrieval) nearest(ctx context.Context) (nums []int64, how string, err error) {
	exact := t.plan.exact
	if st := &t.k.statistics; !exact && t.plan.likely <= 4*t.plan.exactBound(st) && t.plan.likely < t.plan.most {
		// Rules may depend on each other: where that could turn the decision, count as far as it takes.
		bound := t.plan.exactBound(st)
		c := t.where(t.k.model.table())
		var n int
		if err := t.db.QueryRow(ctx, fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 %s LIMIT %d) AS few`, c.sql.String(), bound+1), c.args...).Scan(&n); err != nil {
			return nil, "", err
		}
		exact = n <= bound
	}
	how = "exact"
	if !exact {
		how = "hnsw"
		// The nearest passages may be of a few listings: then more are fetched, while that costs less than comparing all.
		for limit := t.plan.limit; ; limit *= 4 {
			var got int
			if nums, got, err = t.walk(ctx, limit); err != nil || len(nums) >= t.n {
				return nums[:min(len(nums), t.n)], how, err
			}
			if got < limit || 4*limit > t.plan.most/4 {
				break
			}
		}
		how = "hnsw then exact"
	}
	for limit := t.plan.limit; ; limit *= 4 {
		var got int
		if nums, got, err = t.compare(ctx, limit); err != nil || got < limit || len(nums) >= t.n {
			return nums[:min(len(nums), t.n)], how, err
		}
	}
}

// where begins a query over a table within the rules; the kind is among the facets.
func (t *retrieval) where(table string) *condition {
	c := new(condition)
	c.sql.WriteString("FROM " + table + " WHERE true")
	c.rules(t.rules, &t.k.statistics, func(engine.Clause) bool { return false })
	return c
}

// compare finds the nearest passages by comparing all that are allowed; got is how many it fetched. Adding nothing to the
// distance keeps the server from taking the graph.
func (t *retrieval) compare(ctx context.Context, limit int) (nums []int64, got int, err error) {
	c := t.where(t.k.model.table())
	v := c.arg(pgvector.NewVector(t.r.Mean))
	rows, err := t.db.Query(ctx, fmt.Sprintf(`SELECT listing, false %s ORDER BY (v <=> %s) + 0, listing LIMIT %d`, c.sql.String(), v, limit), c.args...)
	if err != nil {
		return nil, 0, err
	}
	return collect(rows, new(int))
}

// collect returns the distinct numbers in the order of their first coming, and how many rows there were; it adds to early
// how many of them are marked so.
func collect(rows pgx.Rows, early *int) (nums []int64, got int, err error) {
	seen := map[int64]bool{}
	var num int64
	var marked bool
	_, err = pgx.ForEachRow(rows, []any{&num, &marked}, func() error {
		if marked {
			*early++
		}
		if got++; !seen[num] {
			seen[num] = true
			nums = append(nums, num)
		}
		return nil
	})
	return nums, got, err
}

// walk finds the nearest passages through the graphs of the kinds wanted; got is how many. They are fewer than the limit,
// though more may be allowed, when it gave up: after a number of passages that would have been plenty, were the allowed
// ones spread like the others. Rules are asked of what the graph gives, not within it: when the graph itself gives up, it
// goes on with what it has left over, which is not the nearest.
func (t *retrieval) walk(ctx context.Context, limit int) (nums []int64, got int, err error) {
	kinds := t.plan.kinds
	if kinds == nil {
		kinds = engine.Kinds
	}
	m, c := t.k.model, new(condition)
	v := c.arg(pgvector.NewVector(t.r.Mean))
	c.rules(t.rules, &t.k.statistics, func(r engine.Clause) bool { return r.Rule == engine.RuleKind && !r.Not })
	width := SearchWidth(t.k.passages)
	share := float64(max(1, t.plan.likely)) / float64(max(1, t.k.passages))
	visits := max(min(int(4*float64(limit)/share), t.plan.most/4), width) // beyond, comparing all would have been cheaper
	var sql string
	for i, k := range kinds {
		if i > 0 {
			sql += " UNION ALL "
		}
		// The literal kind lets the partial index match. Half precision chooses, full precision orders.
		sql += fmt.Sprintf(`(SELECT listing, distance, place FROM (SELECT *, row_number() OVER () AS place FROM (
			SELECT listing, own, expires, facets, v <=> %[1]s AS distance FROM %[2]s WHERE kind = %[3]d
			ORDER BY v::halfvec(%[4]d) <=> %[1]s::halfvec(%[4]d) LIMIT %[5]d) AS given) AS seen WHERE true%[6]s LIMIT %[7]d)`,
			v, m.table(), kindNumber(k), m.dim, visits, c.sql.String(), limit)
	}
	var b pgx.Batch
	b.Queue(`SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', $1, true), set_config('hnsw.max_scan_tuples', $2, true),
		set_config('hnsw.scan_mem_multiplier', '8', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true)`,
		strconv.Itoa(width), strconv.Itoa(2*visits)) // some that the graph gives are dead
	early, complete := 0, width/3
	b.Queue(fmt.Sprintf(`SELECT listing, place <= %d FROM (%s) AS near ORDER BY distance, listing LIMIT %d`, complete, sql, limit), c.args...).Query(func(rows pgx.Rows) (err error) {
		nums, got, err = collect(rows, &early)
		return err
	})
	if err := t.db.SendBatch(ctx, &b).Close(); err != nil {
		return nil, 0, err
	}
	// Where hardly any of the subject's close neighbours are allowed, the allowed ones lie elsewhere, and those that the
	// graph came upon on its way are not the nearest: only the first part of what it gives leaves nothing out.
	if expected := min(float64(complete)*t.plan.within, float64(limit), float64(t.plan.likely)); float64(early) < expected/2 {
		return nil, 0, nil
	}
	return nums, got, nil
}

// SearchWidth is hnsw.ef_search for a corpus.
func SearchWidth(passages int) int {
	grown := leastWidth * math.Pow(float64(passages)/widthFrom, 0.25)
	return int(min(max(leastWidth, grown), mostWidth))
}
