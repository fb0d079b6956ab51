package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine"
)

// Notes are read from the primary: an answer that lags would take back what was just decided.

// Notes returns the notes of a space with the given keys; those that are not there are left out.
func (s *Store) Notes(ctx context.Context, space string, keys ...string) (map[string][]byte, error) {
	out := map[string][]byte{}
	if len(keys) == 0 {
		return out, nil
	}
	err := again(ctx, writePatience, func() error {
		found, err := s.notes(ctx, `SELECT key, value FROM notes WHERE space = $1 AND key = ANY($2)`, space, keys)
		for _, n := range found {
			out[n.Key] = n.Value
		}
		return err
	})
	return out, err
}

// ListNotes returns up to limit notes of a space in the order of their keys' bytes, those behind the given key.
func (s *Store) ListNotes(ctx context.Context, space, after string, limit int) (out []engine.Note, err error) {
	err = again(ctx, writePatience, func() error {
		out, err = s.notes(ctx, `SELECT key, value FROM notes WHERE space = $1 AND key > $2 ORDER BY key LIMIT $3`, space, after, limit)
		return err
	})
	return out, err
}

func (s *Store) notes(ctx context.Context, query string, args ...any) ([]engine.Note, error) {
	rows, err := s.primary.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[engine.Note])
}

// PutNotes writes notes, all or none; a nil value removes the note.
func (s *Store) PutNotes(ctx context.Context, space string, notes map[string][]byte) error {
	var gone, keys []string
	var values [][]byte
	for key, value := range notes {
		if value == nil {
			gone = append(gone, key)
		} else {
			keys, values = append(keys, key), append(values, value)
		}
	}
	return s.write(ctx, func(tx pgx.Tx) ([]change, error) {
		var b pgx.Batch
		b.Queue(`DELETE FROM notes WHERE space = $1 AND key = ANY($2)`, space, gone)
		// In one order, so that writers of the same notes never wait for each other in a circle.
		b.Queue(`INSERT INTO notes (space, key, value) SELECT $1, n.key, n.value FROM unnest($2::text[], $3::bytea[]) AS n (key, value) ORDER BY n.key
			ON CONFLICT (space, key) DO UPDATE SET value = excluded.value`, space, keys, values)
		return nil, tx.SendBatch(ctx, &b).Close()
	})
}
