package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/index"
)

// Seq implements index.Source.
func (s *Store) Seq(ctx context.Context) (seq int64, err error) {
	err = s.read(ctx, func(db *pgxpool.Pool) error {
		return db.QueryRow(ctx, `SELECT seq FROM clock`).Scan(&seq)
	})
	return seq, err
}

// Changes implements index.Source. It reads one state of the database throughout, row by row as they come.
func (s *Store) Changes(ctx context.Context, since int64, model string, yield func(index.Change) error) error {
	told := false // what was told cannot be taken back
	return s.read(ctx, func(db *pgxpool.Pool) error {
		err := changes(ctx, db, since, model, func(c index.Change) error {
			told = true
			return yield(c)
		})
		if err != nil && told {
			return final{err}
		}
		return err
	})
}

func changes(ctx context.Context, db *pgxpool.Pool, since int64, model string, yield func(index.Change) error) error {
	return pgx.BeginTxFunc(ctx, db, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		m, known, err := findModel(ctx, tx, model)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT c.seq, c.id, l.body, l.passages, `+vectorsOf(m, known)+` FROM changes c LEFT JOIN listings l ON l.num = c.listing
			WHERE c.seq > $1 AND ($1 > 0 OR c.listing IS NOT NULL) ORDER BY c.seq`, since)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c index.Change
			var r record
			if err := rows.Scan(&c.Seq, &c.ID, &r.body, &r.passages, &r.vectors); err != nil {
				return err
			}
			if r.body != nil {
				if c.Entry, err = r.entry(m.dim); err != nil {
					return fmt.Errorf("listing %s: %w", c.ID, err)
				}
			}
			if err := yield(c); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// vectorsOf is a column with the listing's vectors of the model, one behind the other.
func vectorsOf(m model, known bool) string {
	if !known {
		return "NULL::bytea"
	}
	return `(SELECT string_agg(vector_send(v.v), ''::bytea ORDER BY v.passage) FROM ` + m.table() + ` v WHERE v.listing = l.num)`
}

// record is a listing's row.
type record struct{ body, passages, vectors []byte }

func (r *record) entry(dim int) (engine.Entry, error) {
	e := engine.Entry{Listing: new(engine.Listing)}
	if err := json.Unmarshal(r.body, e.Listing); err != nil {
		return e, err
	}
	if err := json.Unmarshal(r.passages, &e.Passages); err != nil {
		return e, err
	}
	if len(r.vectors) > 0 {
		e.Vectors = unpack(r.vectors, dim)
	}
	return e, nil
}

// unpack reads vectors as pgvector sends them: the width and a reserved field of two bytes each, then big-endian
// float32.
func unpack(data []byte, dim int) [][]float32 {
	size := 4 + 4*dim
	out := make([][]float32, 0, len(data)/size)
	all := make([]float32, 0, len(data)/size*dim)
	for ; len(data) >= size; data = data[size:] {
		begin := len(all)
		for i := 4; i < size; i += 4 {
			all = append(all, math.Float32frombits(binary.BigEndian.Uint32(data[i:])))
		}
		out = append(out, all[begin:len(all):len(all)])
	}
	return out
}

// Entries implements engine.Library.
func (s *Store) Entries(ctx context.Context, ids []string, model string) (out []engine.Entry, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = s.read(ctx, func(db *pgxpool.Pool) error {
		out = out[:0]
		m, known, err := findModel(ctx, db, model)
		if err != nil {
			return err
		}
		rows, err := db.Query(ctx, `SELECT l.body, l.passages, `+vectorsOf(m, known)+` FROM listings l WHERE l.id = ANY($1)`, ids)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r record
			if err := rows.Scan(&r.body, &r.passages, &r.vectors); err != nil {
				return err
			}
			e, err := r.entry(m.dim)
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return rows.Err()
	})
	return out, err
}

// embedded is a column that says whether listing l has vectors of the model.
func embedded(m model, known bool) string {
	if !known {
		return "false"
	}
	return `EXISTS (SELECT 1 FROM ` + m.table() + ` v WHERE v.listing = l.num)`
}

// Stored returns what is known of the ids that are stored; others are left out.
func (s *Store) Stored(ctx context.Context, ids []string, model string) (map[string]engine.Stored, error) {
	out := map[string]engine.Stored{}
	if len(ids) == 0 {
		return out, nil
	}
	// Asked of the primary: an answer that lags would store again what is stored.
	err := again(ctx, writePatience, func() error {
		m, known, err := findModel(ctx, s.primary, model)
		if err != nil {
			return err
		}
		rows, err := s.primary.Query(ctx, `SELECT l.id, l.fingerprint, `+embedded(m, known)+` FROM listings l WHERE l.id = ANY($1)`, ids)
		if err != nil {
			return err
		}
		var id string
		var sum []byte
		var st engine.Stored
		_, err = pgx.ForEachRow(rows, []any{&id, &sum, &st.Embedded}, func() error {
			copy(st.Fingerprint[:], sum)
			out[id] = st
			return nil
		})
		return err
	})
	return out, err
}

// Unembedded returns up to limit ids, in order from the one after the given, of listings without vectors of the model.
func (s *Store) Unembedded(ctx context.Context, model, after string, limit int) (out []string, err error) {
	err = again(ctx, writePatience, func() error {
		m, known, err := findModel(ctx, s.primary, model)
		if err != nil {
			return err
		}
		rows, err := s.primary.Query(ctx, `SELECT l.id FROM listings l WHERE l.id > $1 AND NOT `+embedded(m, known)+` ORDER BY l.id LIMIT $2`, after, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return out, err
}

// Counts returns how many listings there are of each kind.
func (s *Store) Counts(ctx context.Context) (map[engine.Kind]int, error) {
	out := map[engine.Kind]int{}
	err := s.read(ctx, func(db *pgxpool.Pool) error {
		rows, err := db.Query(ctx, `SELECT kind, count(*) FROM listings GROUP BY kind`)
		if err != nil {
			return err
		}
		var kind string
		var n int
		_, err = pgx.ForEachRow(rows, []any{&kind, &n}, func() error {
			out[engine.Kind(kind)] = n
			return nil
		})
		return err
	})
	return out, err
}
