package sqlite

import (
	"context"
	"slices"

	"github.com/ketnoi/ketnoi/engine"
)

// Notes returns the notes of a space with the given keys; those that are not there are left out.
func (s *Store) Notes(ctx context.Context, space string, keys ...string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for some := range slices.Chunk(keys, maxParameters) {
		query, args := in(`SELECT key, value FROM notes WHERE space = ? AND key IN `, some)
		found, err := s.notes(ctx, query, append([]any{space}, args...)...)
		if err != nil {
			return nil, err
		}
		for _, n := range found {
			out[n.Key] = n.Value
		}
	}
	return out, nil
}

func (s *Store) notes(ctx context.Context, query string, args ...any) (out []engine.Note, err error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n engine.Note
		if err := rows.Scan(&n.Key, &n.Value); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// maxParameters is how many values one statement is given.
const maxParameters = 1000

// PutNotes writes notes, all or none; a nil value removes the note.
func (s *Store) PutNotes(ctx context.Context, space string, notes map[string][]byte) error {
	return s.write(ctx, func(tx *writer) error {
		for key, value := range notes {
			var err error
			if value == nil {
				_, err = tx.ExecContext(ctx, `DELETE FROM notes WHERE space = ? AND key = ?`, space, key)
			} else {
				_, err = tx.ExecContext(ctx, `INSERT INTO notes (space, key, value) VALUES (?, ?, ?)
					ON CONFLICT (space, key) DO UPDATE SET value = excluded.value`, space, key, value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// ListNotes returns up to limit notes of a space in the order of their keys' bytes, those behind the given key.
func (s *Store) ListNotes(ctx context.Context, space, after string, limit int) ([]engine.Note, error) {
	return s.notes(ctx, `SELECT key, value FROM notes WHERE space = ? AND key > ? ORDER BY key LIMIT ?`, space, after, limit)
}
