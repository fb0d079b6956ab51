package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine"
)

// traces are where something of a listing may stand: $1 is its id, $2 what a JSON value would hold of it, $3 the keys of its
// texts.
var traces = []struct{ where, table, condition string }{
	{"listing", "listings", `id = $1 AND $2::text IS NOT NULL AND $3::bytea[] IS NOT NULL`},
	{"words", "words", `listing IN (SELECT num FROM listings WHERE id = $1) AND $2::text IS NOT NULL AND $3::bytea[] IS NOT NULL`},
	{"paid vectors", "paid", `(listing = $1 OR key = ANY($3::bytea[])) AND $2::text IS NOT NULL`},
	{"notes", "notes", `(key = $1 OR position(' ' || $1 || ' ' IN ' ' || key || ' ') > 0 OR position(convert_to($2, 'UTF8') IN value) > 0) AND $3::bytea[] IS NOT NULL`},
	{"jobs", "river_job", `(position($2 IN args::text) > 0 OR position($1 IN array_to_string(errors, ' ')) > 0) AND $3::bytea[] IS NOT NULL`},
	{"changes", "changes", `id = $1 AND listing IS NULL AND $2::text IS NOT NULL AND $3::bytea[] IS NOT NULL`},
}

func traceArgs(id string, texts []engine.TextKey) []any {
	keys := make([][]byte, len(texts))
	for i := range texts {
		keys[i] = texts[i][:]
	}
	return []any{id, `"` + id + `"`, keys} // no id holds a character that JSON escapes
}

// Traces says where the store holds something of a listing, by its id and the texts of its passages.
func (s *Store) Traces(ctx context.Context, id string, texts []engine.TextKey) (out []engine.Trace, err error) {
	err = again(ctx, writePatience, func() error {
		out = nil
		for _, t := range traces {
			found := engine.Trace{Where: t.where}
			if err := s.primary.QueryRow(ctx, `SELECT count(*) FROM `+t.table+` WHERE `+t.condition, traceArgs(id, texts)...).Scan(&found.Count); err != nil {
				return err
			}
			if found.Count > 0 {
				out = append(out, found)
			}
		}
		models, err := allModels(ctx, s.primary)
		if err != nil {
			return err
		}
		for _, m := range models {
			found := engine.Trace{Where: "vectors"}
			if err := s.primary.QueryRow(ctx, `SELECT count(*) FROM `+m.table()+` WHERE listing IN (SELECT num FROM listings WHERE id = $1)`, id).Scan(&found.Count); err != nil {
				return err
			}
			if found.Count > 0 {
				out = append(out, found)
			}
		}
		return nil
	})
	return out, err
}

// Erase removes all that Traces finds. Followers hear of the alias instead of the id.
func (s *Store) Erase(ctx context.Context, id, alias string, texts []engine.TextKey) error {
	return s.write(ctx, func(tx pgx.Tx) ([]change, error) {
		var nums []int64
		rows, err := tx.Query(ctx, `SELECT num FROM listings WHERE id = $1 FOR UPDATE`, id)
		if err == nil {
			nums, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		}
		if err == nil {
			err = clear(ctx, tx, nums)
		}
		if err != nil {
			return nil, err
		}
		for _, t := range traces[2:] {
			if _, err := tx.Exec(ctx, `DELETE FROM `+t.table+` WHERE `+t.condition, traceArgs(id, texts)...); err != nil {
				return nil, err
			}
		}
		if len(nums) == 0 {
			return nil, nil
		}
		if _, err := tx.Exec(ctx, `DELETE FROM changes WHERE id = $1`, id); err != nil {
			return nil, err
		}
		_, err = tx.Exec(ctx, `DELETE FROM listings WHERE id = $1`, id)
		return []change{{id: alias}}, err
	})
}

// scrubbed are the tables whose rows hold texts, names or ids. The others hold numbers that nobody reads a person from.
var scrubbed = []string{"listings", "changes", "paid", "notes", "river_job"}

// Scrub writes the tables with texts anew, without what was removed from them, one after the other: each can neither be read
// nor written meanwhile. What the server's write-ahead log holds goes with its next segments.
func (s *Store) Scrub(ctx context.Context) error {
	for _, table := range scrubbed {
		if _, err := s.primary.Exec(ctx, `VACUUM (FULL, ANALYZE) `+table); err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	// Only some users may; the server does it by itself within minutes otherwise.
	if _, err := s.primary.Exec(ctx, `CHECKPOINT`); err != nil && !strings.Contains(err.Error(), "42501") {
		return err
	}
	return nil
}
