package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/index"
)

// Seq implements index.Source.
func (s *Store) Seq(ctx context.Context) (seq int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT seq FROM clock`).Scan(&seq)
	return seq, err
}

// Changes implements index.Source. It reads one state of the database throughout.
func (s *Store) Changes(ctx context.Context, since int64, model string, yield func(index.Change) error) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	num, dim, err := findModel(ctx, tx, model)
	if err != nil {
		return err
	}
	gone, err := tombstones(ctx, tx, since)
	if err != nil {
		return err
	}
	// buried tells of what was deleted before a change, so that all come in the order of their numbers.
	buried := func(before int64) error {
		for ; len(gone) > 0 && gone[0].Seq < before; gone = gone[1:] {
			if err := yield(gone[0]); err != nil {
				return err
			}
		}
		return nil
	}
	rows, err := tx.QueryContext(ctx, `SELECT l.seq, l.id, l.body, l.passages, v.data FROM listings l
		LEFT JOIN vectors v ON v.listing = l.num AND v.model = ? WHERE l.seq > ? ORDER BY l.seq`, num, since)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var c index.Change
		var r record
		if err := rows.Scan(&c.Seq, &c.ID, &r.body, &r.passages, &r.data); err != nil {
			return err
		}
		if c.Entry, err = r.entry(dim); err != nil {
			return fmt.Errorf("listing %s: %w", c.ID, err)
		}
		if err := buried(c.Seq); err != nil {
			return err
		}
		if err := yield(c); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return buried(math.MaxInt64)
}

// tombstones are the deletions after since, in order; whoever starts at 0 need not hear of any.
func tombstones(ctx context.Context, tx *sql.Tx, since int64) (gone []index.Change, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, seq FROM tombstones WHERE seq > ? AND ? > 0 ORDER BY seq`, since, since)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c index.Change
		if err := rows.Scan(&c.ID, &c.Seq); err != nil {
			return nil, err
		}
		gone = append(gone, c)
	}
	return gone, rows.Err()
}

// record is a listing's row as bytes that are valid until the next one is read.
type record struct{ body, passages, data sql.RawBytes }

func (r *record) entry(dim int) (engine.Entry, error) {
	e := engine.Entry{Listing: new(engine.Listing)}
	if err := json.Unmarshal(r.body, e.Listing); err != nil {
		return e, err
	}
	if err := json.Unmarshal(r.passages, &e.Passages); err != nil {
		return e, err
	}
	if len(r.data) > 0 {
		e.Vectors = engine.UnpackVectors(r.data, dim)
	}
	return e, nil
}

func findModel(ctx context.Context, tx *sql.Tx, name string) (num int64, dim int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT num, dim FROM models WHERE name = ?`, name).Scan(&num, &dim)
	if errors.Is(err, sql.ErrNoRows) {
		return -1, 0, nil
	}
	return num, dim, err
}

// Entries implements engine.Library.
func (s *Store) Entries(ctx context.Context, ids []string, model string) ([]engine.Entry, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	num, dim, err := findModel(ctx, tx, model)
	if err != nil {
		return nil, err
	}
	query, args := in(`SELECT l.body, l.passages, v.data FROM listings l
		LEFT JOIN vectors v ON v.listing = l.num AND v.model = ? WHERE l.id IN `, ids)
	rows, err := tx.QueryContext(ctx, query, append([]any{num}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []engine.Entry
	for rows.Next() {
		var r record
		if err := rows.Scan(&r.body, &r.passages, &r.data); err != nil {
			return nil, err
		}
		e, err := r.entry(dim)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// in appends a list of placeholders to a query; the values go to the driver as parameters.
func in(query string, values []string) (string, []any) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return query + "(?" + strings.Repeat(", ?", len(values)-1) + ")", args
}

// Stored returns what is known of the ids that are stored; others are left out.
func (s *Store) Stored(ctx context.Context, ids []string, model string) (map[string]engine.Stored, error) {
	out := map[string]engine.Stored{}
	if len(ids) == 0 {
		return out, nil
	}
	query, args := in(`SELECT l.id, l.fingerprint, v.listing IS NOT NULL FROM listings l
		LEFT JOIN vectors v ON v.listing = l.num AND v.model = (SELECT num FROM models WHERE name = ?) WHERE l.id IN `, ids)
	rows, err := s.db.QueryContext(ctx, query, append([]any{model}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var sum []byte
		var st engine.Stored
		if err := rows.Scan(&id, &sum, &st.Embedded); err != nil {
			return nil, err
		}
		copy(st.Fingerprint[:], sum)
		out[id] = st
	}
	return out, rows.Err()
}

// Unembedded returns up to limit ids, in order from the one after the given, of listings without vectors of the model.
func (s *Store) Unembedded(ctx context.Context, model, after string, limit int) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT l.id FROM listings l WHERE l.id > ? AND NOT EXISTS
		(SELECT 1 FROM vectors v JOIN models m ON m.num = v.model WHERE v.listing = l.num AND m.name = ?) ORDER BY l.id LIMIT ?`, after, model, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

// Counts returns how many listings there are of each kind.
func (s *Store) Counts(ctx context.Context) (map[engine.Kind]int, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT kind, count(*) FROM listings GROUP BY kind`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[engine.Kind]int{}
	for rows.Next() {
		var k engine.Kind
		var n int
		if err := rows.Scan(&k, &n); err != nil {
			return nil, err
		}
		out[k] = n
	}
	return out, rows.Err()
}
