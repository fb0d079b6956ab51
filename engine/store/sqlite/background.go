package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store/queue"
)

// PutLater stores entries without vectors, replacing listings of the same ids, and in the same transaction the jobs that
// will embed them, each a list of ids.
func (s *Store) PutLater(ctx context.Context, entries []engine.Entry, jobs [][]string) error {
	return s.write(ctx, func(tx *writer) error {
		for _, e := range entries {
			e.Vectors = nil
			if err := tx.put(ctx, e, 0, 0); err != nil {
				return fmt.Errorf("listing %s: %w", e.Listing.ID, err)
			}
		}
		return s.queue.Add(ctx, tx.Tx, jobs)
	})
}

// Queue returns the jobs of this store.
func (s *Store) Queue() queue.Jobs { return s.queue }

// Paid returns the vectors that are kept of texts, by their keys.
func (s *Store) Paid(ctx context.Context, model string, keys []engine.TextKey) (map[engine.TextKey][]float32, error) {
	out := map[engine.TextKey][]float32{}
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	num, dim, err := findModel(ctx, tx, model)
	if err != nil || dim == 0 {
		return out, err
	}
	for some := range slices.Chunk(keys, maxParameters) {
		args := []any{num}
		for i := range some {
			args = append(args, some[i][:])
		}
		if err := readPaid(ctx, tx, dim, `SELECT key, data FROM paid WHERE model = ? AND key IN (?`+strings.Repeat(", ?", len(some)-1)+`)`, args, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readPaid(ctx context.Context, tx *sql.Tx, dim int, query string, args []any, out map[engine.TextKey][]float32) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key, data sql.RawBytes
		if err := rows.Scan(&key, &data); err != nil {
			return err
		}
		if v := engine.UnpackVectors(data, dim); len(v) == 1 && len(key) == len(engine.TextKey{}) {
			out[engine.TextKey(key)] = v[0]
		}
	}
	return rows.Err()
}

// PutPaid keeps vectors that were paid for. A text that is kept already stays as it is.
func (s *Store) PutPaid(ctx context.Context, model string, dim int, paid []engine.Paid) error {
	return s.write(ctx, func(tx *writer) error {
		num, err := tx.model(ctx, model, dim)
		if err != nil {
			return err
		}
		for _, p := range paid {
			if err := engine.CheckVector(p.Vector, dim); err != nil {
				return fmt.Errorf("a text of listing %s: %w", p.ID, err)
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO paid (model, key, listing, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				num, p.Key[:], p.ID, engine.PackVectors(p.Vector)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Lacking returns how many listings lack vectors of the model.
func (s *Store) Lacking(ctx context.Context, model string) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM listings l WHERE NOT EXISTS
		(SELECT 1 FROM vectors v JOIN models m ON m.num = v.model WHERE v.listing = l.num AND m.name = ?)`, model).Scan(&n)
	return n, err
}

// Forget removes all vectors of a model, and those kept of its texts.
func (s *Store) Forget(ctx context.Context, model string) error {
	return s.write(ctx, func(tx *writer) error {
		for _, q := range []string{`DELETE FROM vectors WHERE model = (SELECT num FROM models WHERE name = ?)`,
			`DELETE FROM paid WHERE model = (SELECT num FROM models WHERE name = ?)`, `DELETE FROM models WHERE name = ?`} {
			if _, err := tx.ExecContext(ctx, q, model); err != nil {
				return err
			}
		}
		return nil
	})
}
