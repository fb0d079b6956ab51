// Package postgres is the system of record on a PostgreSQL server with pgvector: many processes, one database. It
// also retrieves by itself, for a corpus beyond the memory of an index and while one loads.
package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	pgxvector "github.com/pgvector/pgvector-go/pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/ketnoi/ketnoi/engine/store/queue"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store keeps listings in a PostgreSQL database. It is safe for concurrent use, by many processes too.
type Store struct {
	primary *pgxpool.Pool
	replica *replica // nil without one
	address string   // without the password
	vector  version  // of the extension
	queue   *queue.Queue[pgx.Tx]
}

// ErrNewer is wrapped when the database was written by a newer Kết Nối, whose schema this one does not know.
var ErrNewer = errors.New("the database was made by a newer version of ketnoi; install that one")

// Open connects to the database at a postgres:// address, brings its schema up to date, and checks the extension.
// Errors say what to do about them; they never hold the password.
func Open(ctx context.Context, address string) (*Store, error) {
	config, err := configure(address)
	if err != nil {
		return nil, err
	}
	s := &Store{address: redact(config)}
	if err := migrate(ctx, config.ConnConfig); err != nil {
		return nil, fmt.Errorf("%s: %w", s.address, explain(err))
	}
	if s.primary, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("%s: %w", s.address, explain(err))
	}
	if s.queue, err = queue.New(riverpgxv5.New(s.primary)); err == nil {
		if err = s.queue.Migrate(ctx); err == nil {
			err = s.sampleNoJobs(ctx)
		}
	}
	if err == nil {
		err = s.checkExtension(ctx)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("%s: %w", s.address, explain(err))
	}
	return s, nil
}

// sampleNoJobs keeps the server from sampling what jobs are about, which would outlive a person who is erased.
func (s *Store) sampleNoJobs(ctx context.Context) error {
	var sampled bool
	if err := s.primary.QueryRow(ctx, `SELECT count(*) FILTER (WHERE attstattarget = 0) < 2 FROM pg_attribute WHERE attrelid = 'river_job'::regclass AND attname IN ('args', 'errors')`).Scan(&sampled); err != nil || !sampled {
		return err
	}
	_, err := s.primary.Exec(ctx, `ALTER TABLE river_job ALTER COLUMN args SET STATISTICS 0, ALTER COLUMN errors SET STATISTICS 0`)
	return err
}

// configure reads an address. What is set here the address may override.
func configure(address string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, err // pgx leaves the password out
	}
	if strings.Contains(config.ConnConfig.Host, "@") { // a part of the password, which must not be shown
		return nil, errors.New("an @ in the user or the password of an address is written %40")
	}
	for name, value := range map[string]string{
		"application_name":                "ketnoi",
		"jit":                             "off",               // compiling costs more than any of our queries
		"plan_cache_mode":                 "force_custom_plan", // which index is best depends on the values asked for
		"max_parallel_workers_per_gather": "0",                 // queries are short and many: workers cost more than they save
	} {
		if _, set := config.ConnConfig.RuntimeParams[name]; !set {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	if !strings.Contains(address, "pool_max_conns") {
		config.MaxConns = max(config.MaxConns, 16) // queries, and beside them the jobs that embed
	}
	config.AfterConnect = pgxvector.RegisterTypes
	return config, nil
}

// redact is the address as it may be shown.
func redact(c *pgxpool.Config) string {
	u := url.URL{Scheme: "postgres", User: url.User(c.ConnConfig.User), Host: fmt.Sprintf("%s:%d", c.ConnConfig.Host, c.ConnConfig.Port), Path: "/" + c.ConnConfig.Database}
	return u.String()
}

// migrate brings the schema up to date. Processes that start at once wait for each other.
func migrate(ctx context.Context, config *pgx.ConnConfig) error {
	db := stdlib.OpenDB(*config)
	defer db.Close()
	p, err := provider(db)
	if err != nil {
		return err
	}
	if err := db.PingContext(ctx); err != nil {
		return err
	}
	// A user without the right to create tables can still use an up-to-date database: nothing is made unless it is missing.
	var exists bool
	if err := db.QueryRowContext(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&exists); err != nil {
		return err
	}
	if exists {
		current, target, err := p.GetVersions(ctx)
		switch {
		case err != nil:
			return err
		case current > target:
			return fmt.Errorf("%w (schema %d, known up to %d)", ErrNewer, current, target)
		case current == target:
			return nil
		}
	}
	_, err = p.Up(ctx)
	return err
}

func provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // it asks every second, for as long as a migration may take
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
}

var warnOfVersion sync.Once // in a process, however many stores it opens

// version is a version of pgvector, for comparison.
type version [3]int

func (v version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

func (v version) below(major, minor, patch int) bool {
	w := version{major, minor, patch}
	for i := range v {
		if v[i] != w[i] {
			return v[i] < w[i]
		}
	}
	return false
}

func (s *Store) checkExtension(ctx context.Context) error {
	var text string
	if err := s.primary.QueryRow(ctx, `SELECT extversion FROM pg_extension WHERE extname = 'vector'`).Scan(&text); err != nil {
		return err
	}
	_, _ = fmt.Sscanf(text, "%d.%d.%d", &s.vector[0], &s.vector[1], &s.vector[2])
	if s.vector.below(0, 8, 0) {
		return fmt.Errorf("pgvector %s is too old: want 0.8.0 or newer, which searches on under a filter; install it and run ALTER EXTENSION vector UPDATE", text)
	}
	if s.vector.below(0, 8, 6) {
		warnOfVersion.Do(func() {
			slog.Warn("pgvector below 0.8.6 has faults in HNSW that newer ones repair; indexes are built without parallel workers", "version", text)
		})
	}
	return nil
}

// Address returns the address by which the store was opened, without the password.
func (s *Store) Address() string { return s.address }

// Pool returns the connections to the primary, for those who look behind the store: doctors and benchmarks.
func (s *Store) Pool() *pgxpool.Pool { return s.primary }

// Close closes all connections.
func (s *Store) Close() error {
	s.replica.close()
	s.primary.Close()
	return nil
}
