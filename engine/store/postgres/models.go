package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine"
)

// A model is where the vectors of one embedding model stand: a table of its own, since an index needs one width, and
// since a model that is given up goes with its table.
type model struct {
	num, dim int
}

func (m model) table() string { return fmt.Sprintf("vectors_%d", m.num) }

// graph is the name of the HNSW index over the vectors of listings of a kind.
func (m model) graph(k engine.Kind) string { return fmt.Sprintf("vectors_%d_%s", m.num, k) }

// Bounds of pgvector.
const (
	maxPlainDim = 1_900  // a wider vector does not fit a page of 8 KiB beside its other columns
	maxGraphDim = 4_000  // that HNSW takes of half precision
	maxDim      = 16_000 // that a vector has
)

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// findModel returns the model with the name, and false when the database has never seen it.
func findModel(ctx context.Context, q querier, name string) (m model, ok bool, err error) {
	if name == "" {
		return m, false, nil
	}
	err = q.QueryRow(ctx, `SELECT num, dim FROM models WHERE name = $1`, name).Scan(&m.num, &m.dim)
	if errors.Is(err, pgx.ErrNoRows) {
		return m, false, nil
	}
	return m, err == nil, err
}

func allModels(ctx context.Context, q querier) ([]model, error) {
	rows, err := q.Query(ctx, `SELECT num, dim FROM models ORDER BY num`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (m model, err error) {
		err = row.Scan(&m.num, &m.dim)
		return m, err
	})
}

// addModel returns the model with the name, which it adds with its table if it is new.
func addModel(ctx context.Context, tx pgx.Tx, name string, dim int) (model, error) {
	m, ok, err := findModel(ctx, tx, name)
	if err == nil && !ok {
		if dim < 1 || dim > maxDim {
			return m, fmt.Errorf("model %s has %d dimensions: pgvector stores 1 to %d", name, dim, maxDim)
		}
		// One process makes the table; the others find it.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('ketnoi models'))`); err != nil {
			return m, err
		}
		if m, ok, err = findModel(ctx, tx, name); err == nil && !ok {
			m.dim = dim
			if err = tx.QueryRow(ctx, `INSERT INTO models (name, dim) VALUES ($1, $2) RETURNING num`, name, dim).Scan(&m.num); err == nil {
				_, err = tx.Exec(ctx, m.definition())
			}
			return m, err
		}
	}
	if err == nil && m.dim != dim {
		err = fmt.Errorf("model %s has %d dimensions here, not %d: give the other model another name", name, m.dim, dim)
	}
	return m, err
}

// definition is the SQL that makes the model's table. Vectors stay on the row's page where they fit, which makes an
// exact search several times faster; beyond, they are not compressed, since they do not shrink.
func (m model) definition() string {
	storage := "PLAIN"
	if m.dim > maxPlainDim {
		storage = "EXTERNAL"
	}
	return fmt.Sprintf(`CREATE TABLE %[1]s (
		listing bigint NOT NULL, passage integer NOT NULL, kind smallint NOT NULL, own bigint NOT NULL, expires bigint NOT NULL,
		facets bigint[] NOT NULL, v vector(%[2]d) NOT NULL, PRIMARY KEY (listing, passage));
		ALTER TABLE %[1]s ALTER COLUMN v SET STORAGE %[3]s, ALTER COLUMN facets SET STATISTICS 0;
		CREATE INDEX %[1]s_facets ON %[1]s USING gin (facets)`, m.table(), m.dim, storage)
}
