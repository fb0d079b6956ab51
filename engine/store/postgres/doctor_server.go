package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine/store/health"
)

// checkVacuum looks at dead rows, statistics for the planner, and the age of transaction numbers.
func (x *examiner) checkVacuum(ctx context.Context) error {
	rows, err := x.db.Query(ctx, `SELECT s.relname, CASE WHEN c.reltuples >= 0 THEN c.reltuples ELSE n_live_tup END::bigint, n_dead_tup, n_mod_since_analyze,
		extract(epoch FROM now() - greatest(last_vacuum, last_autovacuum))::float8, extract(epoch FROM now() - greatest(last_analyze, last_autoanalyze))::float8
		FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid WHERE c.oid IN (SELECT to_regclass(n) FROM unnest($1::text[]) AS n) AND n_live_tup + n_dead_tup > 1000 ORDER BY s.relname`, x.tables())
	if err != nil {
		return err
	}
	var table string
	var live, dead, changed int
	var vacuumed, analyzed *float64
	if _, err := pgx.ForEachRow(rows, []any{&table, &live, &dead, &changed, &vacuumed, &analyzed}, func() error {
		// Autovacuum comes at a fifth, and autoanalyze at a tenth: twice that means that they do not. What was analyzed just
		// now may still get changes from before counted against it.
		switch about := fmt.Sprintf("%s: %d rows, %d dead; vacuumed %s, analyzed %s", table, live, dead, ago(vacuumed), ago(analyzed)); {
		case dead > 1_000+live*2/5:
			x.Warn("vacuum", "VACUUM (ANALYZE) "+table, "%s: autovacuum does not keep up", about)
		case changed > 1_000+live/5 && (analyzed == nil || *analyzed > 600) && !x.standby:
			x.Warn("vacuum", "ANALYZE "+table, "%s: %d changed since; plans may be bad until autovacuum has seen it, in some minutes", about, changed)
		default:
			x.Fine("vacuum", "%s", about)
		}
		return nil
	}); err != nil {
		return err
	}
	var xid, multi int64
	if err := x.db.QueryRow(ctx, `SELECT age(datfrozenxid), mxid_age(datminmxid) FROM pg_database WHERE datname = current_database()`).Scan(&xid, &multi); err != nil {
		return err
	}
	// The server stops writing at two billion; autovacuum steps in at a tenth of that.
	freeze := "VACUUM (FREEZE), and look for what holds it back: old transactions, prepared transactions, replication slots"
	switch age := max(xid, multi); {
	case age > 1_500_000_000:
		x.Fault("vacuum", freeze, "the oldest transaction number is %d transactions old: at two billion the server takes no more writes", age)
	case age > 500_000_000:
		x.Warn("vacuum", freeze, "the oldest transaction number is %d transactions old: autovacuum does not keep up", age)
	default:
		x.Fine("vacuum", "the oldest transaction number is %d transactions old", age)
	}
	return nil
}

// longTransaction is how long a transaction may last before it counts as forgotten. An index takes minutes to load.
const longTransaction = 30 * time.Minute

// checkTransactions looks for what keeps vacuum from removing dead rows.
func (x *examiner) checkTransactions(ctx context.Context) error {
	rows, err := x.db.Query(ctx, `SELECT 'pid ' || pid || ' (' || coalesce(usename, '') || ', ' || coalesce(application_name, '') || ', ' || coalesce(state, '') || ')', extract(epoch FROM now() - xact_start)::float8,
			'SELECT pg_terminate_backend(' || pid || ')'
		FROM pg_stat_activity a WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND xact_start < now() - $1 * interval '1 second'
			AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL) AND pid NOT IN (SELECT pid FROM pg_stat_progress_create_index)
		UNION ALL SELECT 'prepared transaction ' || gid, extract(epoch FROM now() - prepared)::float8, 'ROLLBACK PREPARED ' || quote_literal(gid)
		FROM pg_prepared_xacts WHERE database = current_database() AND prepared < now() - $1 * interval '1 second' ORDER BY 2 DESC LIMIT 10`, longTransaction.Seconds())
	if err != nil {
		return err
	}
	var who, end string
	var age float64
	n := 0
	if _, err := pgx.ForEachRow(rows, []any{&who, &age, &end}, func() error {
		n++
		x.Warn("transactions", end+", if it is forgotten", "%s has been in a transaction for %s: vacuum removes nothing that died since", who, duration(age))
		return nil
	}); err != nil {
		return err
	}
	switch {
	case n > 0:
	case x.allStats:
		x.Fine("transactions", "none lasts longer than %s", duration(longTransaction.Seconds()))
	default:
		x.Fine("transactions", "none of this user's own lasts longer than %s; others' cannot be seen without pg_monitor", duration(longTransaction.Seconds()))
	}
	return nil
}

// checkSettings looks at what the server was told.
func (x *examiner) checkSettings(ctx context.Context) error {
	var list string
	var fsync, pages, commit, jit, autovacuum string
	if err := x.db.QueryRow(ctx, `SELECT string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name) FILTER (WHERE name IN ('shared_buffers', 'maintenance_work_mem', 'effective_cache_size', 'work_mem')),
		current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'), current_setting('jit'), current_setting('autovacuum') FROM pg_settings`).
		Scan(&list, &fsync, &pages, &commit, &jit, &autovacuum); err != nil {
		return err
	}
	for _, off := range []struct{ name, value, means string }{
		{"fsync", fsync, "a crash of the machine can lose acknowledged writes and damage the whole database"},
		{"full_page_writes", pages, "a crash of the machine can damage the database"},
		{"synchronous_commit", commit, "a crash can lose acknowledged writes"},
		{"autovacuum", autovacuum, "dead rows stay, and plans go by old figures"},
	} {
		if off.value == "off" {
			x.Warn("settings", fmt.Sprintf("ALTER SYSTEM SET %s = on; then SELECT pg_reload_conf()", off.name), "%s is off: %s", off.name, off.means)
		}
	}
	if jit == "on" {
		x.Warn("settings", "take jit out of the address; ketnoi then turns it off for itself", "jit is on: compiling costs more than any query here")
	}
	x.Fine("settings", "%s", list)
	return nil
}

// checkConnections compares what the server takes with what programs of ours open.
func (x *examiner) checkConnections(ctx context.Context) error {
	var most, used int
	if err := x.db.QueryRow(ctx, `SELECT current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer,
		(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')`).Scan(&most, &used); err != nil {
		return err
	}
	each := int(x.pool) + 2 // one listens, one maintains
	about := fmt.Sprintf("%d of %d are in use; a server or an ingest takes up to %d", used, most, each)
	raise := fmt.Sprintf("ALTER SYSTEM SET max_connections = %d; then restart the server; or put pool_max_conns=N into the address", max(100, 2*most))
	switch {
	case each > most:
		x.Warn("connections", raise, "%s: even one can be turned away", about)
	case used > most*4/5:
		x.Warn("connections", raise, "%s: the next one may be turned away", about)
	default:
		x.Fine("connections", "%s", about)
	}
	return nil
}

// checkDisk says what takes how much room.
func (x *examiner) checkDisk(ctx context.Context) error {
	rows, err := x.db.Query(ctx, `SELECT n, pg_table_size(c), pg_indexes_size(c) FROM (SELECT n, to_regclass(n) AS c FROM unnest($1::text[]) AS n) AS t ORDER BY pg_total_relation_size(c) DESC`, x.tables())
	if err != nil {
		return err
	}
	var table string
	var own, indexes int64
	var list []string
	if _, err := pgx.ForEachRow(rows, []any{&table, &own, &indexes}, func() error {
		if own+indexes > 1<<20 {
			list = append(list, fmt.Sprintf("%s %s + indexes %s", table, health.Size(own), health.Size(indexes)))
		}
		return nil
	}); err != nil {
		return err
	}
	var all int64
	var broken *int64
	if err := x.db.QueryRow(ctx, `SELECT pg_database_size(current_database()), (SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database())`).Scan(&all, &broken); err != nil {
		return err
	}
	if broken != nil && *broken > 0 {
		x.Fault("disk", "restore a backup onto another disk; pg_amcheck tells which tables are damaged", "%d pages of this database did not match their checksums when they were read", *broken)
	}
	x.Fine("disk", "the database takes %s%s; how much is free cannot be seen from here (df -h on the server's data folder)", health.Size(all), strings.Join(append([]string{""}, list...), ", "))
	return nil
}

// checkReplication looks at this server's standbys, or at what it follows.
func (x *examiner) checkReplication(ctx context.Context) error {
	if x.standby {
		return x.checkStandby(ctx)
	}
	rows, err := x.db.Query(ctx, `SELECT coalesce(application_name, ''), coalesce(host(client_addr), 'this machine'), coalesce(state, ''), coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn), 0)::bigint,
		coalesce(extract(epoch FROM replay_lag), 0)::float8 FROM pg_stat_replication ORDER BY 1, 2`)
	if err != nil {
		return err
	}
	var name, from, state string
	var behind int64
	var lag float64
	n := 0
	if _, err := pgx.ForEachRow(rows, []any{&name, &from, &state, &behind, &lag}, func() error {
		n++
		switch about := fmt.Sprintf("standby %s at %s", name, from); {
		case state == "":
			x.Fine("replication", "%s: how far it is cannot be seen without pg_monitor", about)
		case state != "streaming" || behind > 64<<20 || lag > DefaultMaxLag.Seconds():
			x.Warn("replication", "look at the standby's log, its disk and the network", "%s (%s) is %s and %.1f s behind: reads go to this server meanwhile", about, state, health.Size(behind), lag)
		default:
			x.Fine("replication", "%s: %s, %s and %.1f s behind", about, state, health.Size(behind), lag)
		}
		return nil
	}); err != nil {
		return err
	}
	if rows, err = x.db.Query(ctx, `SELECT slot_name, coalesce(wal_status, ''), coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint FROM pg_replication_slots WHERE NOT active ORDER BY 1`); err != nil {
		return err
	}
	if _, err := pgx.ForEachRow(rows, []any{&name, &state, &behind}, func() error {
		n++
		x.Warn("replication", fmt.Sprintf("start the standby that uses it, or, when it is gone for good: SELECT pg_drop_replication_slot('%s')", name),
			"nobody reads from the replication slot %s (%s): the server keeps %s of log for it, and more with every write", name, state, health.Size(behind))
		return nil
	}); err != nil {
		return err
	}
	if n == 0 {
		x.Fine("replication", "no standby: this server has the only copy beside your backups")
	}
	return nil
}

func (x *examiner) checkStandby(ctx context.Context) error {
	var status string
	var paused bool
	var left int64
	var age *float64
	if err := x.db.QueryRow(ctx, `SELECT coalesce((SELECT status FROM pg_stat_wal_receiver), 'not connected'), pg_is_wal_replay_paused(),
		coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)::bigint, extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8`).Scan(&status, &paused, &left, &age); err != nil {
		return err
	}
	switch about := fmt.Sprintf("this server is a standby (%s; %s received but not shown yet; last change shown %s)", status, health.Size(left), ago(age)); {
	case paused:
		x.Warn("replication", "SELECT pg_wal_replay_resume()", "%s, and it is paused", about)
	case status == "not connected" && x.allStats:
		x.Warn("replication", "look at its log, and whether its primary answers", "%s, and it follows nobody", about)
	default:
		x.Warn("replication", "give the primary's address as --store, and this one as --read-store", "%s: it takes no writes", about)
	}
	return nil
}
