// Package sqlite is the embedded system of record: one file, no server, no C compiler.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	_ "modernc.org/sqlite" // the driver, SQLite translated to Go

	"github.com/ketnoi/ketnoi/engine/store/queue"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store keeps listings in an SQLite file. It is safe for concurrent use, by several processes too.
type Store struct {
	db    *sql.DB
	path  string
	queue *queue.Queue[*sql.Tx]
}

// ErrNewer is wrapped when the database was written by a newer Kết Nối, whose schema this one does not know.
var ErrNewer = errors.New("the database was made by a newer version of ketnoi; install that one")

// Open opens or creates the file at path and brings its schema up to date. Writes are on disk before they are
// acknowledged (write-ahead log, synchronous FULL).
func Open(ctx context.Context, path string) (*Store, error) {
	if path == "" {
		return nil, errors.New("no file named: want sqlite:PATH")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(filepath.Dir(abs)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s: its folder does not exist", path)
	}
	pragmas := url.Values{
		"_pragma": {"page_size(8192)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "busy_timeout(15000)", "cache_size(-32000)"},
		"_txlock": {"immediate"},
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: abs}).EscapedPath(), RawQuery: pragmas.Encode()}).String())
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, path: path}
	if s.queue, err = queue.New(riversqlite.New(db)); err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.db, files)
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		current, target, err := p.GetVersions(ctx)
		switch {
		case err != nil:
		case current > target:
			return fmt.Errorf("%w (schema %d, known up to %d)", ErrNewer, current, target)
		case current == target:
			if err = s.queue.Migrate(ctx); err == nil {
				return nil
			}
		default:
			_, err = p.Up(ctx)
		}
		if err == nil {
			continue
		}
		if try == 5 || ctx.Err() != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond) // another process is doing the same
	}
}

// Address returns the address by which the store was opened.
func (s *Store) Address() string { return "sqlite:" + s.path }

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }
