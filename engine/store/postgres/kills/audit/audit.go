// Package audit says where the tables of a PostgreSQL store disagree with each other: what a write that was cut in the
// middle would leave. It shares nothing with the store, so that it repeats none of its mistakes.
package audit

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// rule is a query that counts what breaks it.
type rule struct{ broken, sql string }

var rules = []rule{
	{"listings without a change of their own", `SELECT count(*) FROM listings l WHERE NOT EXISTS (SELECT 1 FROM changes c WHERE c.id = l.id AND c.listing = l.num)`},
	{"changes of a listing that is not there", `SELECT count(*) FROM changes c WHERE c.listing IS NOT NULL AND NOT EXISTS (SELECT 1 FROM listings l WHERE l.num = c.listing AND l.id = c.id)`},
	{"clocks that do not show the last change", `SELECT abs(count(*) - 1) + count(*) FILTER (WHERE seq <> (SELECT coalesce(max(seq), 0) FROM changes)) FROM clock`},
	{"ids that are doubled", `SELECT count(*) FROM (SELECT 1 FROM listings GROUP BY id HAVING count(*) > 1) AS doubled`},
	{"changes that are doubled", `SELECT (SELECT count(*) FROM (SELECT 1 FROM changes GROUP BY id HAVING count(*) > 1) AS a) + (SELECT count(*) FROM (SELECT 1 FROM changes GROUP BY seq HAVING count(*) > 1) AS b)`},
}

// ofPassages are the rules of a table with a row for each passage. What may be 0 is all or nothing.
func ofPassages(table, least string) []rule {
	return []rule{
		{"listings whose passages are not those in " + table, fmt.Sprintf(`SELECT count(*) FROM (SELECT num, CASE WHEN passages = 'null' THEN 0 ELSE json_array_length(passages::json) END AS want FROM listings) AS l
			LEFT JOIN (SELECT listing, count(*) AS n, count(DISTINCT passage) AS different, max(passage) AS top FROM %s GROUP BY listing) AS p ON p.listing = l.num
			WHERE coalesce(n, 0) NOT IN (want, %s) OR n <> different OR top <> n - 1`, table, least)},
		{"rows of no listing in " + table, fmt.Sprintf(`SELECT count(*) FROM %s p WHERE NOT EXISTS (SELECT 1 FROM listings l WHERE l.num = p.listing)`, table)},
		{"rows with other rules than their listing's in " + table, fmt.Sprintf(`SELECT count(*) FROM %s p JOIN listings l ON l.num = p.listing
			WHERE (p.own, p.expires, p.facets) IS DISTINCT FROM (l.own, l.expires, l.facets) OR p.kind IS DISTINCT FROM array_position(ARRAY['expert', 'technology', 'problem'], l.kind)`, table)},
	}
}

// Database returns what is wrong in a database, a line each; none when all tables agree. It sees one state of it
// throughout, so writers may go on.
func Database(ctx context.Context, address string) (wrong []string, err error) {
	db, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, err
	}
	defer db.Close(ctx)
	err = pgx.BeginTxFunc(ctx, db, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		// Tables are read through, since an index is one more thing that a crash could have damaged.
		if _, err := tx.Exec(ctx, `SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off`); err != nil {
			return err
		}
		all := slices.Concat(rules, ofPassages("words", "want"))
		rows, err := tx.Query(ctx, `SELECT num FROM models ORDER BY num`)
		if err != nil {
			return err
		}
		models, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err != nil {
			return err
		}
		for _, m := range models {
			all = append(all, ofPassages(fmt.Sprintf("vectors_%d", m), "0")...)
		}
		for _, r := range all {
			var n int
			if err := tx.QueryRow(ctx, r.sql).Scan(&n); err != nil {
				return fmt.Errorf("%s: %w", r.broken, err)
			}
			if n > 0 {
				wrong = append(wrong, fmt.Sprintf("%d %s", n, r.broken))
			}
		}
		return nil
	})
	return wrong, err
}
