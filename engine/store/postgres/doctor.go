package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store/health"
)

// examiner looks at one database over one connection that can change nothing.
type examiner struct {
	health.List
	db       *pgx.Conn
	o        health.Options
	pool     int32 // connections that a process of ours may take
	vector   version
	allStats bool // the user sees what other users' sessions do
	standby  bool
	usable   bool // the schema is the one we know, and all its tables are there
	models   []namedModel
	kinds    map[string]map[engine.Kind]int // passages of each kind in each table of vectors
	indexes  map[string]foundIndex
}

type namedModel struct {
	model
	name string
}

type foundIndex struct {
	table           string
	valid, building bool
	size            int64
}

// baseTables are the tables that every database of ours has.
var baseTables = []string{"listings", "changes", "words", "models", "frequencies", "facet_frequencies", "corpus", "clock", "notes", "paid"}

// Examine looks at the database at an address, as it is: it needs no schema, no extension and no right to write, and
// it makes nothing.
func Examine(ctx context.Context, address string, o health.Options) (health.List, error) {
	config, err := configure(address)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	where := redact(config)
	db, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, explain(err))
	}
	defer db.Close(context.WithoutCancel(ctx))
	x := &examiner{db: db, o: o, pool: config.MaxConns, kinds: map[string]map[engine.Kind]int{}, indexes: map[string]foundIndex{}}
	checks := []struct {
		name  string
		data  bool // it needs our tables
		check func(context.Context) error
	}{
		{"server", false, x.checkServer}, {"pgvector", false, x.checkVector}, {"schema", false, x.checkSchema}, {"rights", true, x.checkRights},
		{"changes", true, x.checkChanges}, {"words", true, x.checkWords}, {"reading", true, x.checkReading}, {"vectors", true, x.checkVectors},
		{"indexes", true, x.checkIndexes}, {"graph", true, x.checkGraphs}, {"frequencies", true, x.checkFrequencies}, {"vacuum", true, x.checkVacuum},
		{"transactions", false, x.checkTransactions}, {"settings", false, x.checkSettings}, {"connections", false, x.checkConnections},
		{"disk", true, x.checkDisk}, {"replication", false, x.checkReplication}, {"verify", true, x.verify},
	}
	for i, c := range checks {
		if c.data && !x.usable {
			continue
		}
		o.Progress("looking at "+c.name, i, len(checks))
		if err := x.refused(ctx, c.name, c.check(ctx)); err != nil {
			return nil, fmt.Errorf("%s: %w", where, explain(err))
		}
	}
	return x.List, nil
}

// refused turns what the server says of one check into a finding; other errors mean that nothing more can be seen.
func (x *examiner) refused(ctx context.Context, check string, err error) error {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil || x.db.IsClosed() || !errors.As(err, &pg):
		return err
	case pg.Code == "42501" && !x.usable:
		x.Fault(check, "let the owner run: GRANT SELECT ON ALL TABLES IN SCHEMA public TO "+pgx.Identifier{x.db.Config().User}.Sanitize(), "%s may not read what every command reads first: %v", x.db.Config().User, err)
	case pg.Code == "42501":
		x.Warn(check, "look as the database's owner, or let a superuser run: GRANT pg_monitor TO "+pgx.Identifier{x.db.Config().User}.Sanitize(), "cannot be seen by this user: %v", err)
	case pg.Code == "57014":
		x.Warn(check, "raise statement_timeout for this user", "the server broke the look off: %v", err)
	default:
		x.Fault(check, "look at the server's log; restore a backup if the data are damaged", "the server cannot say: %v", err)
	}
	return nil
}

func (x *examiner) checkServer(ctx context.Context) error {
	var number int
	var version, encoding string
	var up float64
	if err := x.db.QueryRow(ctx, `SELECT current_setting('server_version_num')::integer, current_setting('server_version'), current_setting('server_encoding'),
		pg_is_in_recovery(), pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), extract(epoch FROM now() - pg_postmaster_start_time())::float8`).
		Scan(&number, &version, &encoding, &x.standby, &x.allStats, &up); err != nil {
		return err
	}
	switch {
	case number < 150_000:
		x.Fault("server", "move the database to PostgreSQL 15 or newer with pg_dump and pg_restore, or pg_upgrade", "PostgreSQL %s is too old: 15 is the oldest that is tested", version)
	case encoding != "UTF8":
		x.Fault("server", "make a database with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and ingest into that", "the database is encoded in %s, which cannot hold all five languages", encoding)
	default:
		x.Fine("server", "PostgreSQL %s, up for %s", version, duration(up))
	}
	return nil
}

func (x *examiner) checkVector(ctx context.Context) error {
	var installed, offered string
	var fresh bool
	if err := x.db.QueryRow(ctx, `SELECT coalesce((SELECT extversion FROM pg_extension WHERE extname = 'vector'), ''),
		coalesce((SELECT default_version FROM pg_available_extensions WHERE name = 'vector'), ''), to_regclass('goose_db_version') IS NULL`).Scan(&installed, &offered, &fresh); err != nil {
		return err
	}
	_, _ = fmt.Sscanf(installed, "%d.%d.%d", &x.vector[0], &x.vector[1], &x.vector[2])
	var newer version
	_, _ = fmt.Sscanf(offered, "%d.%d.%d", &newer[0], &newer[1], &newer[2])
	update := "install a newer package (postgresql-NN-pgvector) on the server, then let a superuser run: ALTER EXTENSION vector UPDATE"
	if x.vector.below(newer[0], newer[1], newer[2]) {
		update = "let a superuser run: ALTER EXTENSION vector UPDATE"
	}
	switch {
	case installed == "" && offered == "":
		x.Fault("pgvector", "install its package (postgresql-NN-pgvector) on the server", "the server lacks the pgvector extension")
	case installed == "" && fresh:
		x.Warn("pgvector", "ketnoi migrate, by a user who may, or let a superuser run: CREATE EXTENSION vector", "the server has pgvector %s, which this database does not use yet", offered)
	case installed == "":
		x.Fault("pgvector", "let a superuser run: CREATE EXTENSION vector", "the server has pgvector %s, but this database does not", offered)
	case x.vector.below(0, 8, 0):
		x.Fault("pgvector", update, "pgvector %s is too old: 0.8.0 is the first that searches on under a filter", installed)
	case x.vector.below(0, 8, 6):
		x.Warn("pgvector", update, "pgvector %s has faults in HNSW that 0.8.6 repairs; graphs are built without parallel workers until then, and it is worth running \"ketnoi doctor --verify\" now and then", installed)
	default:
		x.Fine("pgvector", "pgvector %s", installed)
	}
	return nil
}

func (x *examiner) checkSchema(ctx context.Context) error {
	var exists bool
	var current int64
	err := x.db.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&exists)
	if err == nil && exists {
		err = x.db.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&current)
	}
	if err == nil {
		x.usable = x.Schema(current, migrations) && x.vector != version{}
	}
	return err
}

// checkRights learns which tables there are, and what the user may do with them.
func (x *examiner) checkRights(ctx context.Context) error {
	x.usable = false // until the tables are found
	rows, err := x.db.Query(ctx, `SELECT num, dim, name FROM models ORDER BY num`)
	if err != nil {
		return err
	}
	if x.models, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (m namedModel, err error) {
		err = row.Scan(&m.num, &m.dim, &m.name)
		return m, err
	}); err != nil {
		return err
	}
	var user string
	var makes bool
	if err := x.db.QueryRow(ctx, `SELECT current_user, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)`).Scan(&user, &makes); err != nil {
		return err
	}
	if rows, err = x.db.Query(ctx, `SELECT n, c.oid IS NOT NULL, coalesce(has_table_privilege(c.oid, 'SELECT'), false), coalesce(pg_has_role(c.relowner, 'USAGE'), false),
		coalesce(has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'), false)
		FROM unnest($1::text[]) WITH ORDINALITY AS t (n, at) LEFT JOIN pg_class c ON c.oid = to_regclass(n) ORDER BY at`, x.tables()); err != nil {
		return err
	}
	var name string
	var exists, reads, owns, writes bool
	var missing, unread, unwritten, foreign []string
	if _, err := pgx.ForEachRow(rows, []any{&name, &exists, &reads, &owns, &writes}, func() error {
		switch {
		case !exists:
			missing = append(missing, name)
		case !reads:
			unread = append(unread, name)
		case !writes:
			unwritten = append(unwritten, name)
		case !owns:
			foreign = append(foreign, name)
		}
		return nil
	}); err != nil {
		return err
	}
	x.usable = true
	for _, table := range missing {
		if i := slices.IndexFunc(x.models, func(m namedModel) bool { return m.table() == table }); i >= 0 {
			x.Fault("rights", fmt.Sprintf("DELETE FROM models WHERE num = %d; then ketnoi migrate", x.models[i].num), "the table %s of model %s is gone", table, x.models[i].name)
			x.models = slices.Delete(x.models, i, i+1)
			continue
		}
		x.usable = false
		x.Fault("rights", "restore a backup, or ingest into a new database", "the table %s is gone", table)
	}
	as := pgx.Identifier{user}.Sanitize()
	switch {
	case len(unread) > 0:
		x.usable = false
		x.Fault("rights", "GRANT SELECT ON "+strings.Join(unread, ", ")+" TO "+as, "%s may not read %s", user, strings.Join(unread, ", "))
	case len(unwritten) > 0:
		x.Warn("rights", "GRANT INSERT, UPDATE, DELETE ON "+strings.Join(unwritten, ", ")+" TO "+as+", if it is to write", "%s may not write %s: it can answer, but neither ingest nor embed", user, strings.Join(unwritten, ", "))
	case len(foreign) > 0 || !makes:
		x.Warn("rights", "run \"ketnoi migrate\" as the owner after an upgrade and after big loads", "%s reads and writes, but cannot build graphs nor add the table of a new model", user)
	case len(missing) == 0:
		x.Fine("rights", "%s reads and writes, adds tables and builds indexes", user)
	}
	if !x.usable {
		return nil
	}
	var active []byte
	err = x.db.QueryRow(ctx, `SELECT value FROM notes WHERE space = $1 AND key = $2`, health.ActiveSpace, health.ActiveNote).Scan(&active)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	x.o.Active(active)
	return err
}

// tables are all that hold our data.
func (x *examiner) tables() []string {
	out := slices.Clone(baseTables)
	for _, m := range x.models {
		out = append(out, m.table())
	}
	return out
}

// duration writes seconds for people, in the unit that says enough.
func duration(seconds float64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"d", 86_400}, {"h", 3_600}, {"min", 60}} {
		if seconds >= 2*u.size {
			return fmt.Sprintf("%.0f %s", seconds/u.size, u.name)
		}
	}
	return fmt.Sprintf("%.0f s", seconds)
}

// ago writes how long something is past; nil is never.
func ago(seconds *float64) string {
	if seconds == nil {
		return "never"
	}
	return duration(*seconds) + " ago"
}
