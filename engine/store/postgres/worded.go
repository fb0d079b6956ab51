package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/index"
)

// worded returns the listings that answer best by words, and by concepts, among the passages with the subject's rarest
// ones. The rarest are asked for until enough passages have one; all of the subject's words then count.
func (t *retrieval) worded(ctx context.Context) ([]int64, error) {
	if err := t.count(ctx); err != nil || len(t.df) == 0 {
		return nil, err
	}
	keys, share := make([]int32, 0, len(t.df)), float64(max(1, t.plan.likely))/float64(max(1, t.k.passages))
	for key := range t.df {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b int32) int { return cmp.Or(cmp.Compare(t.df[a], t.df[b]), cmp.Compare(a, b)) })
	budget := min(wordBudget+wordShare*len(keys), maxWordBudget)
	sum, rare := 0.0, 0
	for ; rare < len(keys) && (rare == 0 || sum < float64(budget)); rare++ {
		sum += float64(t.df[keys[rare]]) * share
	}
	for {
		nums, got, err := t.wordedBy(ctx, keys[:rare], 2*budget)
		if err != nil || len(nums) >= t.n || got >= 2*budget || rare == len(keys) {
			return nums, err
		}
		rare = min(len(keys), 2*rare) // the rules left less than they were expected to
	}
}

// count learns how many passages have each of the question's keys.
func (t *retrieval) count(ctx context.Context) error {
	keys := make([]int32, 0, len(t.q.terms)+len(t.q.concepts))
	for key := range t.q.terms {
		keys = append(keys, key)
	}
	for key := range t.q.concepts {
		keys = append(keys, key)
	}
	if t.df = make(map[int32]int, len(keys)); len(keys) == 0 {
		return nil
	}
	for _, key := range keys {
		t.df[key] = 0 // nobody used it when frequencies were counted; somebody may since
	}
	rows, err := t.db.Query(ctx, `SELECT key, passages FROM frequencies WHERE key = ANY($1)`, keys)
	if err != nil {
		return err
	}
	var key int32
	var n int
	_, err = pgx.ForEachRow(rows, []any{&key, &n}, func() error {
		t.df[key] = n
		return nil
	})
	return err
}

// wordedBy scores the allowed passages that have one of the keys, up to a limit; got is how many there were.
func (t *retrieval) wordedBy(ctx context.Context, keys []int32, limit int) (nums []int64, got int, err error) {
	c := t.where("words")
	k := c.arg(keys)
	pool := index.NewPool(t.withoutVectors(), t.x.glossary, t.corpus())
	var b pgx.Batch
	b.Queue(withoutScans)
	b.Queue(fmt.Sprintf(`SELECT listing, work, length, counts FROM (SELECT listing, passage, work, length, counts %s AND keys && %s LIMIT %d) AS few
		ORDER BY listing, passage`, c.sql.String(), k, limit), c.args...).Query(func(rows pgx.Rows) error {
		last := int64(-1)
		var num int64
		var work, length int
		var counts pgtype.DriverBytes
		_, err := pgx.ForEachRow(rows, []any{&num, &work, &length, &counts}, func() error {
			if got++; num != last {
				pool.Listing(&engine.Stub{Listing: &engine.Listing{ID: strconv.FormatInt(num, 10)}})
				last = num
			}
			pool.Passage(work, length, 0)
			t.q.tell(pool, counts)
			return nil
		})
		return err
	})
	if err := t.db.SendBatch(ctx, &b).Close(); err != nil {
		return nil, 0, err
	}
	var best engine.Candidates
	pool.Retrieve(t.n, &best)
	for i := range best.List {
		num, _ := strconv.ParseInt(best.List[i].Listing.ID, 10, 64)
		nums = append(nums, num)
	}
	return nums, got, nil
}

// withoutVectors is the reading for a pool that knows no similarities.
func (t *retrieval) withoutVectors() *engine.Reading {
	r := *t.r
	r.Mean = nil
	return &r
}

// corpus is what scoring has to know of all passages.
func (t *retrieval) corpus() index.Corpus {
	n := t.k.passages
	of := func(key int32) int { return min(t.df[key], n) }
	return index.Corpus{
		Listings: t.k.listings,
		Passages: n, Length: t.k.length,
		Term:    func(term string) int { return of(termKey(term)) },
		Concept: func(c int) int { return of(conceptKey(t.x.glossary, c)) },
	}
}
