package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"
	"golang.org/x/sync/errgroup"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
)

// channel is where a writer says that there are changes; followers read the clock then, and now and then anyway.
const channel = "ketnoi_changes"

// Put stores entries with the vectors of a model, replacing listings of the same ids, all in one transaction: after
// an error, or a kill at any moment, none of them is stored. Vectors of other models are dropped for listings that
// changed. An entry may come without vectors. Of entries with one id the last counts.
func (s *Store) Put(ctx context.Context, model string, dim int, entries []engine.Entry) error {
	batch, err := prepare(dim, entries)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx pgx.Tx) ([]change, error) {
		m, err := addModel(ctx, tx, model, dim)
		if err != nil {
			return nil, err
		}
		if err := batch.store(ctx, tx); err != nil {
			return nil, err
		}
		return batch.changes(), batch.copyVectors(ctx, tx, m)
	})
}

// PutVectors adds vectors of a model to listings that are stored. An entry whose listing was changed or deleted in the
// meantime is passed over: its vectors are of another text.
func (s *Store) PutVectors(ctx context.Context, model string, dim int, entries []engine.Entry) error {
	batch, err := prepare(dim, entries)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx pgx.Tx) ([]change, error) {
		m, err := addModel(ctx, tx, model, dim)
		if err != nil {
			return nil, err
		}
		same, recut, err := batch.match(ctx, tx)
		if err != nil || len(same) == 0 {
			return nil, err
		}
		// Cut differently since: vectors of other models no longer fit.
		if err := clear(ctx, tx, recut.nums()); err != nil {
			return nil, err
		}
		// A new model often comes with a new version of this program, which may read words and facets otherwise.
		if err := same.reread(ctx, tx); err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM `+m.table()+` WHERE listing = ANY($1)`, same.nums()); err != nil {
			return nil, err
		}
		return same.changes(), same.copyVectors(ctx, tx, m)
	})
}

// Delete removes listings; ids that are not there are passed over.
func (s *Store) Delete(ctx context.Context, ids ...string) error {
	return s.write(ctx, func(tx pgx.Tx) ([]change, error) {
		rows, err := tx.Query(ctx, `DELETE FROM listings WHERE num IN (SELECT num FROM listings WHERE id = ANY($1) ORDER BY id FOR UPDATE) RETURNING id, num`, ids)
		if err != nil {
			return nil, err
		}
		var gone []change
		var nums []int64
		var id string
		var num int64
		if _, err := pgx.ForEachRow(rows, []any{&id, &num}, func() error {
			gone, nums = append(gone, change{id: id}), append(nums, num)
			return nil
		}); err != nil {
			return nil, err
		}
		return gone, clear(ctx, tx, nums)
	})
}

// change is what becomes of an id; listing is nil when it was deleted.
type change struct {
	id      string
	listing *int64
}

// write runs do in a transaction, gives what it changed the next numbers, and tells followers. It is tried again when
// the connection or the server goes away.
func (s *Store) write(ctx context.Context, do func(pgx.Tx) ([]change, error)) error {
	return again(ctx, writePatience, func() error {
		return pgx.BeginFunc(ctx, s.primary, func(tx pgx.Tx) error {
			changed, err := do(tx)
			if err != nil || len(changed) == 0 {
				return err
			}
			ids, listings := make([]string, len(changed)), make([]*int64, len(changed))
			for i, c := range changed {
				ids[i], listings[i] = c.id, c.listing
			}
			var b pgx.Batch
			b.Queue(`WITH now AS (UPDATE clock SET seq = seq + $3 RETURNING seq - $3 AS base)
				INSERT INTO changes (id, seq, listing) SELECT n.id, base + n.at, n.listing FROM now, unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS n (id, listing, at)
				ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, listing = excluded.listing`, ids, listings, len(changed))
			b.Queue(`SELECT pg_notify($1, '')`, channel)
			return tx.SendBatch(ctx, &b).Close()
		})
	})
}

// row is an entry on its way into the tables.
type row struct {
	*engine.Entry
	ruled
	num         int64
	fingerprint []byte
	stub        string
	body        string
	passages    string
	said        []said
}

type rows []*row

// prepare checks entries and turns them into rows, on all cores, in the order of their ids: writers that lock in one
// order never wait for each other in a circle.
func prepare(dim int, entries []engine.Entry) (rows, error) {
	made := make(rows, len(entries))
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	for begin := 0; begin < len(entries); begin += preparedAtOnce {
		all.Go(func() (err error) {
			for i := begin; i < min(begin+preparedAtOnce, len(entries)); i++ {
				if made[i], err = newRow(dim, &entries[i]); err != nil {
					return fmt.Errorf("listing %s: %w", entries[i].Listing.ID, err)
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	out := slices.Collect(maps.Values(made.byID()))
	slices.SortFunc(out, func(a, b *row) int { return cmp.Compare(a.Listing.ID, b.Listing.ID) })
	return out, nil
}

const preparedAtOnce = 16

func newRow(dim int, e *engine.Entry) (*row, error) {
	if err := e.CheckVectors(dim); err != nil {
		return nil, err
	}
	body, sum, err := e.Listing.Fingerprint()
	if err != nil {
		return nil, err
	}
	passages, err := json.Marshal(e.Passages)
	if err != nil {
		return nil, err
	}
	stub := engine.NewStub(e.Listing)
	bare, err := json.Marshal(stub)
	if err != nil {
		return nil, err
	}
	r := &row{Entry: e, ruled: newRuled(stub), fingerprint: sum[:], stub: string(bare), body: string(body), passages: string(passages)}
	for _, p := range e.Passages {
		r.said = append(r.said, newSaid(glossary.Default(), e.Listing, p))
	}
	return r, nil
}

func column[T any](rs rows, get func(*row) T) []T {
	out := make([]T, len(rs))
	for i, r := range rs {
		out[i] = get(r)
	}
	return out
}

func (rs rows) nums() []int64 { return column(rs, func(r *row) int64 { return r.num }) }

func (rs rows) ids() []string { return column(rs, func(r *row) string { return r.Listing.ID }) }

func (rs rows) byID() map[string]*row {
	out := make(map[string]*row, len(rs))
	for _, r := range rs {
		out[r.Listing.ID] = r
	}
	return out
}

func (rs rows) changes() []change {
	return column(rs, func(r *row) change { return change{r.Listing.ID, &r.num} })
}

// store writes the listings and what their passages say; vectors that they had are gone then.
func (rs rows) store(ctx context.Context, tx pgx.Tx) error {
	replaced, err := rs.upsert(ctx, tx)
	if err == nil {
		err = clear(ctx, tx, replaced)
	}
	if err == nil {
		err = rs.copyWords(ctx, tx)
	}
	return err
}

// upsert writes the listings' own rows in one statement, learns their numbers, and returns those that were there before.
func (rs rows) upsert(ctx context.Context, tx pgx.Tx) (replaced []int64, err error) {
	byID := rs.byID()
	got, err := tx.Query(ctx, `INSERT INTO listings (id, kind, own, expires, facets, fingerprint, stub, body, passages)
		SELECT id, kind, own, expires, facets::bigint[], fingerprint, stub, body, passages
			FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[], $7::text[], $8::text[], $9::text[])
				AS n (id, kind, own, expires, facets, fingerprint, stub, body, passages) ORDER BY id COLLATE "C"
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, own = excluded.own, expires = excluded.expires, facets = excluded.facets,
			fingerprint = excluded.fingerprint, stub = excluded.stub, body = excluded.body, passages = excluded.passages
		RETURNING id, num, xmax <> 0`,
		rs.ids(), column(rs, func(r *row) string { return string(r.Listing.Kind) }), column(rs, func(r *row) int64 { return r.own }), column(rs, func(r *row) int64 { return r.expires }),
		column(rs, func(r *row) string { return array(r.facets) }), column(rs, func(r *row) []byte { return r.fingerprint }),
		column(rs, func(r *row) string { return r.stub }), column(rs, func(r *row) string { return r.body }), column(rs, func(r *row) string { return r.passages }))
	if err != nil {
		return nil, err
	}
	var id string
	var num int64
	var old bool
	_, err = pgx.ForEachRow(got, []any{&id, &num, &old}, func() error {
		if byID[id].num = num; old {
			replaced = append(replaced, num)
		}
		return nil
	})
	return replaced, err
}

// array writes numbers as PostgreSQL does: an array of arrays of several lengths cannot be sent otherwise.
func array(numbers []int64) string {
	out := []byte{'{'}
	for i, n := range numbers {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, n, 10)
	}
	return string(append(out, '}'))
}

// match locks the stored listings that are the very ones of the rows and learns their numbers. recut are those among
// them whose passages differ.
func (rs rows) match(ctx context.Context, tx pgx.Tx) (same, recut rows, err error) {
	byID := rs.byID()
	found, err := tx.Query(ctx, `SELECT l.id, l.num, l.passages FROM listings l JOIN unnest($1::text[], $2::bytea[]) AS n (id, fingerprint)
		ON l.id = n.id AND l.fingerprint = n.fingerprint ORDER BY l.id FOR UPDATE OF l`,
		rs.ids(), column(rs, func(r *row) []byte { return r.fingerprint }))
	if err != nil {
		return nil, nil, err
	}
	var id, passages string
	var num int64
	_, err = pgx.ForEachRow(found, []any{&id, &num, &passages}, func() error {
		r := byID[id]
		r.num = num
		if same = append(same, r); passages != r.passages {
			recut = append(recut, r)
		}
		return nil
	})
	return same, recut, err
}

// reread brings up to date what this program reads out of the listings: passages, facets and words.
func (rs rows) reread(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `UPDATE listings l SET own = n.own, expires = n.expires, facets = n.facets::bigint[], stub = n.stub, passages = n.passages
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[]) AS n (num, own, expires, facets, stub, passages) WHERE l.num = n.num`,
		rs.nums(), column(rs, func(r *row) int64 { return r.own }), column(rs, func(r *row) int64 { return r.expires }), column(rs, func(r *row) string { return array(r.facets) }),
		column(rs, func(r *row) string { return r.stub }), column(rs, func(r *row) string { return r.passages })); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM words WHERE listing = ANY($1)`, rs.nums()); err != nil {
		return err
	}
	return rs.copyWords(ctx, tx)
}

// clear removes what belongs to passages of the listings: words, and the vectors of every model.
func clear(ctx context.Context, tx pgx.Tx, nums []int64) error {
	if len(nums) == 0 {
		return nil
	}
	models, err := allModels(ctx, tx)
	if err != nil {
		return err
	}
	var b pgx.Batch
	b.Queue(`DELETE FROM words WHERE listing = ANY($1)`, nums)
	for _, m := range models {
		b.Queue(`DELETE FROM `+m.table()+` WHERE listing = ANY($1)`, nums)
	}
	return tx.SendBatch(ctx, &b).Close()
}

// copyWords writes what the rows' passages say, by binary copy.
func (rs rows) copyWords(ctx context.Context, tx pgx.Tx) error {
	return rs.copy(ctx, tx, "words", []string{"listing", "passage", "kind", "own", "expires", "work", "length", "facets", "keys", "counts"},
		func(r *row, i int) []any {
			s := &r.said[i]
			return []any{r.num, i, r.kind, r.own, r.expires, max(r.Passages[i].Source, engine.FromText), s.length, r.facets, s.keys, s.counts}
		})
}

// copyVectors writes the rows' vectors, by binary copy.
func (rs rows) copyVectors(ctx context.Context, tx pgx.Tx, m model) error {
	with := slices.DeleteFunc(slices.Clone(rs), func(r *row) bool { return len(r.Vectors) == 0 })
	return with.copy(ctx, tx, m.table(), []string{"listing", "passage", "kind", "own", "expires", "facets", "v"}, func(r *row, i int) []any {
		return []any{r.num, i, r.kind, r.own, r.expires, r.facets, pgvector.NewVector(r.Vectors[i])}
	})
}

// copy sends one table row for each passage.
func (rs rows) copy(ctx context.Context, tx pgx.Tx, table string, columns []string, values func(*row, int) []any) error {
	if len(rs) == 0 {
		return nil
	}
	at, passage := 0, -1
	_, err := tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		for passage++; at < len(rs) && passage >= len(rs[at].Passages); passage = 0 {
			at++
		}
		if at == len(rs) {
			return nil, nil
		}
		return values(rs[at], passage), nil
	}))
	return err
}
