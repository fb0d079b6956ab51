package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/store/sqlite"
	"github.com/ketnoi/ketnoi/engine/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, store.Open, func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "kết nối #1?.db") })
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := sqlite.Open(t.Context(), path); !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("error %v, want ErrNewer", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	notADatabase := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(notADatabase, []byte(strings.Repeat("no database at all ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"sqlite:": "want sqlite:PATH", "sqlite:/no/such/folder/x.db": "its folder does not exist", "x.db": "want sqlite:PATH", "redis:x": "or postgres://",
		"postgres://u:secret@127.0.0.1:1/db": "no server answers there", "sqlite:" + notADatabase: "not a database",
	} {
		_, err := store.Open(t.Context(), address)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, want …%s…", address, err, want)
		}
	}
}

func TestManyOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	failed := make(chan error, 6)
	for range cap(failed) {
		go func() {
			s, err := sqlite.Open(context.Background(), path)
			if err == nil {
				err = s.Close()
			}
			failed <- err
		}()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

func TestErasedIsUnreadable(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	storetest.Unreadable(t, s, func(string) bool { return false }, dir)
}
