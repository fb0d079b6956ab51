package sqlite

import (
	"context"
	"database/sql"

	"github.com/ketnoi/ketnoi/engine"
)

// traces are where something of a listing may stand: a count and a deletion each, of the id as @id, its notes' keys as
// @id too, and what a JSON value would hold of it as @json.
var traces = []struct{ where, table, condition string }{
	{"listing", "listings", `id = @id`},
	{"vectors", "vectors", `listing IN (SELECT num FROM listings WHERE id = @id)`},
	{"paid vectors", "paid", `listing = @id`},
	{"notes", "notes", `key = @id OR instr(' ' || key || ' ', ' ' || @id || ' ') > 0 OR instr(value, CAST(@json AS BLOB)) > 0`},
	{"jobs", "river_job", `instr(json(args), @json) > 0 OR instr(coalesce(json(errors), ''), @id) > 0`},
	{"changes", "tombstones", `id = @id`},
}

func named(id string) []any {
	return []any{sql.Named("id", id), sql.Named("json", quoted(id))}
}

// Traces says where the store holds something of a listing, by its id and the texts of its passages.
func (s *Store) Traces(ctx context.Context, id string, texts []engine.TextKey) (out []engine.Trace, err error) {
	for _, t := range traces {
		found := engine.Trace{Where: t.where}
		if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM `+t.table+` WHERE `+t.condition, named(id)...).Scan(&found.Count); err != nil {
			return nil, err
		}
		if t.where == "paid vectors" {
			for _, key := range texts {
				var n int
				if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM paid WHERE key = ? AND listing <> ?`, key[:], id).Scan(&n); err != nil {
					return nil, err
				}
				found.Count += n
			}
		}
		if found.Count > 0 {
			out = append(out, found)
		}
	}
	return out, nil
}

// Erase removes all that Traces finds. Followers hear of the alias instead of the id.
func (s *Store) Erase(ctx context.Context, id, alias string, texts []engine.TextKey) error {
	return s.write(ctx, func(tx *writer) error {
		for _, key := range texts {
			if _, err := tx.ExecContext(ctx, `DELETE FROM paid WHERE key = ?`, key[:]); err != nil {
				return err
			}
		}
		for i := len(traces) - 1; i >= 0; i-- { // the listing last: others are found by it
			res, err := tx.ExecContext(ctx, `DELETE FROM `+traces[i].table+` WHERE `+traces[i].condition, named(id)...)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || traces[i].table != "listings" || n == 0 {
				if err != nil {
					return err
				}
				continue
			}
			tx.seq++
			if _, err := tx.ExecContext(ctx, `INSERT INTO tombstones (id, seq) VALUES (?, ?)`, alias, tx.seq); err != nil {
				return err
			}
		}
		return nil
	})
}

// Scrub writes the file anew without what was removed from it. It waits for readers and writers.
func (s *Store) Scrub(ctx context.Context) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, q := range []string{`VACUUM`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// quoted is how an id stands in JSON.
func quoted(id string) string { return `"` + id + `"` } // no id holds a character that JSON escapes
