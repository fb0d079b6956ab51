package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ketnoi/ketnoi/engine"
)

// Put stores entries with the vectors of a model, replacing listings of the same ids, all in one transaction: after
// an error, or a kill at any moment, none of them is stored. Vectors of other models are dropped for listings that
// changed. An entry may come without vectors.
func (s *Store) Put(ctx context.Context, model string, dim int, entries []engine.Entry) error {
	return s.write(ctx, func(tx *writer) error {
		num, err := tx.model(ctx, model, dim)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := tx.put(ctx, e, num, dim); err != nil {
				return fmt.Errorf("listing %s: %w", e.Listing.ID, err)
			}
		}
		return nil
	})
}

// PutVectors adds vectors of a model to listings that are stored. An entry whose listing was changed or deleted in the
// meantime is passed over: its vectors are of another text.
func (s *Store) PutVectors(ctx context.Context, model string, dim int, entries []engine.Entry) error {
	return s.write(ctx, func(tx *writer) error {
		num, err := tx.model(ctx, model, dim)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := tx.putVectors(ctx, e, num, dim); err != nil {
				return fmt.Errorf("listing %s: %w", e.Listing.ID, err)
			}
		}
		return nil
	})
}

func (tx *writer) putVectors(ctx context.Context, e engine.Entry, model int64, dim int) error {
	_, sum, err := e.Listing.Fingerprint()
	if err != nil {
		return err
	}
	passages, err := json.Marshal(e.Passages)
	if err != nil {
		return err
	}
	var num int64
	var old string
	err = tx.QueryRowContext(ctx, `SELECT num, passages FROM listings WHERE id = ? AND fingerprint = ?`, e.Listing.ID, sum[:]).Scan(&num, &old)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if old != string(passages) { // cut differently since: vectors of other models no longer fit
		if _, err := tx.ExecContext(ctx, `DELETE FROM vectors WHERE listing = ?`, num); err != nil {
			return err
		}
	}
	tx.seq++
	if _, err := tx.ExecContext(ctx, `UPDATE listings SET seq = ?, passages = ? WHERE num = ?`, tx.seq, string(passages), num); err != nil {
		return err
	}
	return tx.vectors(ctx, e, num, model, dim)
}

// Delete removes listings; ids that are not there are passed over.
func (s *Store) Delete(ctx context.Context, ids ...string) error {
	return s.write(ctx, func(tx *writer) error {
		for _, id := range ids {
			res, err := tx.ExecContext(ctx, `DELETE FROM listings WHERE id = ?`, id)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				if err != nil {
					return err
				}
				continue
			}
			tx.seq++
			if _, err := tx.ExecContext(ctx, `INSERT INTO tombstones (id, seq) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq`, id, tx.seq); err != nil {
				return err
			}
		}
		return nil
	})
}

// writer is a write transaction with the change number it has reached.
type writer struct {
	*sql.Tx
	seq int64
}

func (s *Store) write(ctx context.Context, do func(*writer) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	w := &writer{Tx: tx}
	if err := tx.QueryRowContext(ctx, `SELECT seq FROM clock`).Scan(&w.seq); err != nil {
		return err
	}
	if err := do(w); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE clock SET seq = ?`, w.seq); err != nil {
		return err
	}
	return tx.Commit()
}

// model returns the number of the model, which it adds if it is new.
func (tx *writer) model(ctx context.Context, name string, dim int) (num int64, err error) {
	var have int
	err = tx.QueryRowContext(ctx, `SELECT num, dim FROM models WHERE name = ?`, name).Scan(&num, &have)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, `INSERT INTO models (name, dim) VALUES (?, ?) RETURNING num`, name, dim).Scan(&num)
		return num, err
	}
	if err == nil && have != dim {
		err = fmt.Errorf("model %s has %d dimensions here, not %d: give the other model another name", name, have, dim)
	}
	return num, err
}

func (tx *writer) put(ctx context.Context, e engine.Entry, model int64, dim int) error {
	body, sum, err := e.Listing.Fingerprint()
	if err != nil {
		return err
	}
	passages, err := json.Marshal(e.Passages)
	if err != nil {
		return err
	}
	tx.seq++
	var num int64
	err = tx.QueryRowContext(ctx, `INSERT INTO listings (id, seq, kind, fingerprint, body, passages) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, kind = excluded.kind, fingerprint = excluded.fingerprint,
			body = excluded.body, passages = excluded.passages RETURNING num`,
		e.Listing.ID, tx.seq, string(e.Listing.Kind), sum[:], string(body), string(passages)).Scan(&num)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM tombstones WHERE id = ?`, e.Listing.ID); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM vectors WHERE listing = ?`, num); err != nil {
		return err
	}
	if len(e.Vectors) == 0 {
		return nil
	}
	return tx.vectors(ctx, e, num, model, dim)
}

// vectors stores the vectors of one listing and model; none take away those it had.
func (tx *writer) vectors(ctx context.Context, e engine.Entry, listing, model int64, dim int) error {
	if err := e.CheckVectors(dim); err != nil {
		return err
	}
	if len(e.Vectors) == 0 {
		_, err := tx.ExecContext(ctx, `DELETE FROM vectors WHERE listing = ? AND model = ?`, listing, model)
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO vectors (listing, model, data) VALUES (?, ?, ?)
		ON CONFLICT (listing, model) DO UPDATE SET data = excluded.data`, listing, model, engine.PackVectors(e.Vectors...))
	return err
}
