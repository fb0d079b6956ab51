package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine"
)

// graphFrom is the number of passages of a kind from which its vectors get a graph: below, comparing all is as fast.
const graphFrom = 2_000

// progress tells how far a long step is; total is 0 while it is not known.
type progress = func(what string, done, total int)

// Maintain brings up to date what need not be so in the transaction that changes a listing: it counts the corpus where
// more than a tenth of it changed since it was last counted, and builds the graphs that are missing, without blocking
// readers or writers. Where another process is doing that already, it does nothing. tell may be nil.
func (s *Store) Maintain(ctx context.Context, tell progress) error {
	if tell == nil {
		tell = func(string, int, int) {}
	}
	// A connection of its own: the lock is the session's, and settings stay with it.
	conn, err := pgx.ConnectConfig(ctx, s.primary.Config().ConnConfig)
	if err != nil {
		return explain(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var ours bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext('ketnoi maintenance'))`).Scan(&ours); err != nil || !ours {
		return explain(err)
	}
	stale, err := stale(ctx, conn)
	if err == nil && stale {
		tell("counting words", 0, 0)
		if err = recount(ctx, conn); err == nil {
			_, err = conn.Exec(ctx, `ANALYZE`) // the server's own counts are as old as ours were
		}
	}
	if err == nil {
		err = mergePending(ctx, conn)
	}
	if err == nil {
		err = s.buildGraphs(ctx, conn, tell)
	}
	return explain(err)
}

// mergePending sorts what writers left in the pending lists of the inverted indexes into them: writers are several times
// faster for leaving it, but every query reads those lists through.
func mergePending(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT gin_clean_pending_list(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
		WHERE a.amname = 'gin' AND c.relnamespace = current_schema()::regnamespace AND i.indisvalid AND pg_has_role(c.relowner, 'USAGE')`)
	return err
}

// stale reports whether so much changed since the corpus was counted that rankings could notice.
func stale(ctx context.Context, q querier) (yes bool, err error) {
	err = q.QueryRow(ctx, `SELECT (SELECT count(*) FROM changes WHERE seq > corpus.seq) > corpus.listings / 10 FROM corpus`).Scan(&yes)
	return yes, err
}

// recount counts in one transaction, so that readers see all old figures or all new ones.
func recount(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		for _, sql := range []string{
			`SET LOCAL work_mem = '256MB'`,
			`WITH now AS MATERIALIZED (SELECT k, count(*)::integer AS n FROM words, unnest(keys) AS k GROUP BY k),
				gone AS (DELETE FROM frequencies f WHERE NOT EXISTS (SELECT 1 FROM now WHERE k = f.key))
				INSERT INTO frequencies (key, passages) SELECT k, n FROM now ON CONFLICT (key) DO UPDATE SET passages = excluded.passages WHERE frequencies.passages <> excluded.passages`,
			`WITH now AS MATERIALIZED (SELECT f, sum(w.n)::integer AS passages, count(*)::integer AS listings
					FROM listings l JOIN (SELECT listing, count(*) AS n FROM words GROUP BY listing) w ON w.listing = l.num, unnest(l.facets) AS f GROUP BY f),
				gone AS (DELETE FROM facet_frequencies o WHERE NOT EXISTS (SELECT 1 FROM now WHERE f = o.facet))
				INSERT INTO facet_frequencies (facet, passages, listings) SELECT f, passages, listings FROM now
				ON CONFLICT (facet) DO UPDATE SET passages = excluded.passages, listings = excluded.listings`,
			`UPDATE corpus SET seq = (SELECT seq FROM clock), listings = (SELECT count(*) FROM listings),
				passages = (SELECT count(*) FROM words), length = (SELECT coalesce(sum(length), 0) FROM words)`,
		} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
}

// buildGraphs makes the HNSW indexes that are missing or broken, for the kinds that have enough passages.
func (s *Store) buildGraphs(ctx context.Context, conn *pgx.Conn, tell progress) error {
	models, err := allModels(ctx, conn)
	if err != nil {
		return err
	}
	for _, m := range models {
		if m.dim > maxGraphDim {
			continue // searched exactly; doctor says so
		}
		for _, kind := range engine.Kinds {
			var passages int
			var valid *bool
			if err := conn.QueryRow(ctx, fmt.Sprintf(`SELECT (SELECT count(*) FROM (SELECT 1 FROM %s WHERE kind = %d LIMIT %d) AS few),
				(SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1))`, m.table(), kindNumber(kind), graphFrom), m.graph(kind)).Scan(&passages, &valid); err != nil {
				return err
			}
			if passages < graphFrom || valid != nil && *valid {
				continue
			}
			if err := s.buildGraph(ctx, conn, m, kind, valid != nil, tell); err != nil {
				return fmt.Errorf("index %s: %w", m.graph(kind), err)
			}
		}
	}
	return nil
}

// buildGraph builds one index. A broken one, left by a build that was cut off, is dropped first.
func (s *Store) buildGraph(ctx context.Context, conn *pgx.Conn, m model, kind engine.Kind, broken bool, tell progress) error {
	if broken {
		if _, err := conn.Exec(ctx, `DROP INDEX CONCURRENTLY IF EXISTS `+m.graph(kind)); err != nil {
			return err
		}
	}
	var rows int
	if err := conn.QueryRow(ctx, fmt.Sprintf(`SELECT count(*) FROM %s WHERE kind = %d`, m.table(), kindNumber(kind))).Scan(&rows); err != nil {
		return err
	}
	if s.vector.below(0, 8, 6) {
		if _, err := conn.Exec(ctx, `SET max_parallel_maintenance_workers = 0`); err != nil {
			return err
		}
	}
	// The graph is built in memory while it fits, several times faster than on disk: about 300 bytes a passage beside
	// its vector in half precision.
	memory := min(2_000, 64+rows*(2*m.dim+400)>>20)
	if _, err := conn.Exec(ctx, fmt.Sprintf(`SET maintenance_work_mem = '%dMB'`, memory)); err != nil {
		return err
	}
	built := make(chan struct{})
	defer close(built)
	go s.watchBuild(ctx, conn.PgConn().PID(), "building the graph of "+string(kind)+" vectors", rows, built, tell)
	tell("building the graph of "+string(kind)+" vectors", 0, rows)
	// The default width of the build, 64, lost one in twenty of near-duplicates; 200 loses one in a hundred.
	_, err := conn.Exec(ctx, fmt.Sprintf(`CREATE INDEX CONCURRENTLY %s ON %s USING hnsw ((v::halfvec(%d)) halfvec_cosine_ops) WITH (ef_construction = 200) WHERE kind = %d`, m.graph(kind), m.table(), m.dim, kindNumber(kind)))
	return err
}

// watchBuild reports the progress of a build until it is over.
func (s *Store) watchBuild(ctx context.Context, pid uint32, what string, rows int, built <-chan struct{}, tell progress) {
	for {
		select {
		case <-built:
			return
		case <-time.After(500 * time.Millisecond):
		}
		var done int
		if s.primary.QueryRow(ctx, `SELECT tuples_done FROM pg_stat_progress_create_index WHERE pid = $1`, pid).Scan(&done) == nil {
			tell(what, min(done, rows), rows)
		}
	}
}
