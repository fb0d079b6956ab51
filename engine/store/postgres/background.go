package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store/queue"
)

// PutLater stores entries without vectors, replacing listings of the same ids, and in the same transaction the jobs that
// will embed them, each a list of ids.
func (s *Store) PutLater(ctx context.Context, entries []engine.Entry, jobs [][]string) error {
	bare := make([]engine.Entry, len(entries))
	for i, e := range entries {
		bare[i] = engine.Entry{Listing: e.Listing, Passages: e.Passages}
	}
	batch, err := prepare(0, bare)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx pgx.Tx) ([]change, error) {
		if err := batch.store(ctx, tx); err != nil {
			return nil, err
		}
		return batch.changes(), s.queue.Add(ctx, tx, jobs)
	})
}

// Queue returns the jobs of this store.
func (s *Store) Queue() queue.Jobs { return s.queue }

// Paid returns the vectors that are kept of texts, by their keys.
func (s *Store) Paid(ctx context.Context, model string, keys []engine.TextKey) (map[engine.TextKey][]float32, error) {
	out := map[engine.TextKey][]float32{}
	if len(keys) == 0 {
		return out, nil
	}
	wanted := make([][]byte, len(keys))
	for i := range keys {
		wanted[i] = keys[i][:]
	}
	err := again(ctx, writePatience, func() error {
		m, known, err := findModel(ctx, s.primary, model)
		if err != nil || !known {
			return err
		}
		rows, err := s.primary.Query(ctx, `SELECT key, data FROM paid WHERE model = $1 AND key = ANY($2)`, m.num, wanted)
		if err != nil {
			return err
		}
		var key, data []byte
		_, err = pgx.ForEachRow(rows, []any{&key, &data}, func() error {
			if v := engine.UnpackVectors(data, m.dim); len(v) == 1 && len(key) == len(engine.TextKey{}) {
				out[engine.TextKey(key)] = v[0]
			}
			return nil
		})
		return err
	})
	return out, err
}

// PutPaid keeps vectors that were paid for. A text that is kept already stays as it is.
func (s *Store) PutPaid(ctx context.Context, model string, dim int, paid []engine.Paid) error {
	keys, ids, data := make([][]byte, len(paid)), make([]string, len(paid)), make([][]byte, len(paid))
	for i := range paid {
		p := &paid[i]
		if err := engine.CheckVector(p.Vector, dim); err != nil {
			return fmt.Errorf("a text of listing %s: %w", p.ID, err)
		}
		keys[i], ids[i], data[i] = p.Key[:], p.ID, engine.PackVectors(p.Vector)
	}
	return s.write(ctx, func(tx pgx.Tx) ([]change, error) {
		m, err := addModel(ctx, tx, model, dim)
		if err != nil {
			return nil, err
		}
		_, err = tx.Exec(ctx, `INSERT INTO paid (model, key, listing, data) SELECT $1, n.key, n.listing, n.data
			FROM unnest($2::bytea[], $3::text[], $4::bytea[]) AS n (key, listing, data) ORDER BY n.key ON CONFLICT DO NOTHING`, m.num, keys, ids, data)
		return nil, err
	})
}

// Lacking returns how many listings lack vectors of the model.
func (s *Store) Lacking(ctx context.Context, model string) (n int, err error) {
	err = again(ctx, writePatience, func() error {
		m, known, err := findModel(ctx, s.primary, model)
		if err != nil {
			return err
		}
		return s.primary.QueryRow(ctx, `SELECT count(*) FROM listings l WHERE NOT `+embedded(m, known)).Scan(&n)
	})
	return n, err
}

// Forget removes all vectors of a model, and those kept of its texts.
func (s *Store) Forget(ctx context.Context, name string) error {
	return s.write(ctx, func(tx pgx.Tx) ([]change, error) {
		m, known, err := findModel(ctx, tx, name)
		if err != nil || !known {
			return nil, err
		}
		var b pgx.Batch
		b.Queue(`DELETE FROM paid WHERE model = $1`, m.num)
		b.Queue(`DELETE FROM models WHERE num = $1`, m.num)
		b.Queue(`DROP TABLE ` + m.table())
		return nil, tx.SendBatch(ctx, &b).Close()
	})
}
