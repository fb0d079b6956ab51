package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	driver "modernc.org/sqlite"
	code "modernc.org/sqlite/lib"

	"github.com/ketnoi/ketnoi/engine/store/health"
)

// Examine looks at the file at path, as it is: it makes none, and changes nothing in it.
func Examine(ctx context.Context, path string, o health.Options) (health.List, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%s: no such file: check --store, or make it with \"ketnoi ingest\"", path)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file", path)
	}
	options := url.Values{"mode": {"rw"}, "_pragma": {"query_only(1)", "busy_timeout(15000)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: abs}).EscapedPath(), RawQuery: options.Encode()}).String())
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var l health.List
	size := info.Size()
	if log, err := os.Stat(abs + "-wal"); err == nil {
		size += log.Size()
	}
	l.Fine("file", "%s: %s", path, health.Size(size))
	o.Progress("checking the file", 0, 0)
	if err := examine(ctx, db, &l, o); err != nil {
		var broken *driver.Error
		if !errors.As(err, &broken) || ctx.Err() != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		switch broken.Code() & 0xff {
		case code.SQLITE_NOTADB, code.SQLITE_CORRUPT:
			l.Fault("file", "restore a backup, or ingest into a new file", "%s cannot be read: %v", path, err)
		default:
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return l, nil
}

func examine(ctx context.Context, db *sql.DB, l *health.List, o health.Options) error {
	if err := quickCheck(ctx, db, l); err != nil {
		return err
	}
	var tables int
	var current int64
	err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'goose_db_version'`).Scan(&tables)
	if err == nil && tables > 0 {
		err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&current)
	}
	if err != nil || !l.Schema(current, migrations) {
		return err
	}
	var active []byte
	if err := db.QueryRowContext(ctx, `SELECT value FROM notes WHERE space = ? AND key = ?`, health.ActiveSpace, health.ActiveNote).Scan(&active); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	o.Active(active)
	var listings, bare int
	if err := db.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM vectors v JOIN models m ON m.num = v.model WHERE v.listing = l.num AND m.name = ?)) FROM listings l`, o.Model).
		Scan(&listings, &bare); err != nil {
		return err
	}
	if bare > 0 {
		l.Warn("vectors", o.Fill(), "%d of %d listings lack vectors of %s: they are found by words and concepts only", bare, listings, o.Model)
	} else {
		l.Fine("vectors", "%d listings, all with vectors of %s", listings, o.Model)
	}
	if o.Sample > 0 {
		l.Fine("verify", "an SQLite store has no graph: all searches are exact")
	}
	return nil
}

func quickCheck(ctx context.Context, db *sql.DB, l *health.List) error {
	rows, err := db.QueryContext(ctx, `PRAGMA quick_check(20)`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		if line == "ok" {
			l.Fine("file", "PRAGMA quick_check finds nothing wrong")
		} else {
			l.Fault("file", "restore a backup, or ingest into a new file", "the file is damaged: %s", line)
		}
	}
	return rows.Err()
}
