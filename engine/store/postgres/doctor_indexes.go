package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store/health"
)

// checkIndexes learns which indexes there are, and looks at those that are no graphs.
func (x *examiner) checkIndexes(ctx context.Context) error {
	rows, err := x.db.Query(ctx, `SELECT c.relname, i.indrelid::regclass::text, i.indisvalid, pg_relation_size(c.oid), EXISTS (SELECT 1 FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid IN (SELECT to_regclass(n) FROM unnest($1::text[]) AS n)`, x.tables())
	if err != nil {
		return err
	}
	var name string
	var found foundIndex
	if _, err := pgx.ForEachRow(rows, []any{&name, &found.table, &found.valid, &found.size, &found.building}, func() error {
		x.indexes[name] = found
		return nil
	}); err != nil {
		return err
	}
	wanted := map[string]string{"listings_facets": "listings USING gin (facets)", "words_keys": "words USING gin (keys, facets)"}
	graphs := map[string]bool{}
	for _, m := range x.models {
		wanted[m.table()+"_facets"] = m.table() + " USING gin (facets)"
		for _, k := range engine.Kinds {
			graphs[m.graph(k)] = true
		}
	}
	fine := true
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if _, ok := x.indexes[name]; !ok {
			fine = false
			x.Warn("indexes", fmt.Sprintf("CREATE INDEX CONCURRENTLY %s ON %s", name, wanted[name]), "the index %s is missing: the database reads the whole table instead", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(x.indexes)) {
		if found := x.indexes[name]; !found.valid && !found.building && !graphs[name] {
			fine = false
			repair := "DROP INDEX CONCURRENTLY " + name
			if wanted[name] != "" {
				repair = "REINDEX INDEX CONCURRENTLY " + name
			}
			x.Warn("indexes", repair, "the index %s is not valid, left by a build that was cut off: it is written, but never used", name)
		}
	}
	if fine {
		x.Fine("indexes", "%d indexes, none missing", len(x.indexes))
	}
	return x.checkPending(ctx)
}

// checkPending looks at what GIN indexes have not merged yet, which every search reads in full.
func (x *examiner) checkPending(ctx context.Context) error {
	var see bool
	if err := x.db.QueryRow(ctx, `SELECT coalesce(has_function_privilege(to_regprocedure('pgstatginindex(regclass)'), 'EXECUTE'), false)`).Scan(&see); err != nil || !see {
		return err // one needs the extension pgstattuple for it
	}
	rows, err := x.db.Query(ctx, `SELECT c.relname, p.pending_pages, p.pending_pages * current_setting('block_size')::bigint > 2 * pg_size_bytes(current_setting('gin_pending_list_limit'))
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam AND a.amname = 'gin', pgstatginindex(c.oid) p
		WHERE i.indisvalid AND i.indrelid IN (SELECT to_regclass(n) FROM unnest($1::text[]) AS n) ORDER BY c.relname`, x.tables())
	if err != nil {
		return err
	}
	var name string
	var pages, n int
	var much, waits bool
	if _, err := pgx.ForEachRow(rows, []any{&name, &pages, &much}, func() error {
		if n += pages; much {
			waits = true
			x.Warn("indexes", fmt.Sprintf("SELECT gin_clean_pending_list('%s')", name), "the index %s has %d pages that wait to be merged, which every search reads", name, pages)
		}
		return nil
	}); err != nil {
		return err
	}
	if !waits {
		x.Fine("indexes", "%d pages of GIN indexes wait to be merged", n)
	}
	return nil
}

// checkGraphs looks for the HNSW index of each model and kind.
func (x *examiner) checkGraphs(ctx context.Context) error {
	var sum int64
	small := 0
	for _, m := range x.models {
		for _, k := range engine.Kinds {
			rows := x.kinds[m.table()][k]
			of := fmt.Sprintf("%d %s vectors of %s", rows, k, m.name)
			found, exists := x.indexes[m.graph(k)]
			switch {
			case exists && found.building:
				x.Fine("graph", "%s, over %s, is being built", m.graph(k), of)
			case exists && !found.valid:
				x.Warn("graph", "ketnoi migrate; a server that runs does it within a minute", "%s is not valid, left by a build that was cut off: %s are compared one by one", m.graph(k), of)
			case exists:
				sum += found.size
				x.Fine("graph", "%s, over %s: %s", m.graph(k), of, health.Size(found.size))
			case rows < graphFrom:
				small += rows
			case m.dim > maxGraphDim:
				x.Warn("graph", "use a model of at most 4000 dimensions, or retrieve by the index in memory (--retrieve index)", "%s are compared one by one: with %d dimensions they are too wide for a graph", of, m.dim)
			default:
				x.Warn("graph", "ketnoi migrate; a server that runs does it within a minute", "%s is missing: %s are compared one by one", m.graph(k), of)
			}
		}
	}
	if small > 0 {
		x.Fine("graph", "%d vectors are of kinds with fewer than %d, which need no graph", small, graphFrom)
	}
	var buffers int64
	if err := x.db.QueryRow(ctx, `SELECT pg_size_bytes(current_setting('shared_buffers'))`).Scan(&buffers); err != nil {
		return err
	}
	if sum > buffers {
		x.Warn("graph", fmt.Sprintf("ALTER SYSTEM SET shared_buffers = '%dMB'; then restart the server, if it has four times as much memory", (sum+sum/4)>>20), "the graphs take %s, more than shared_buffers (%s): searches read them again and again", health.Size(sum), health.Size(buffers))
	}
	return nil
}
