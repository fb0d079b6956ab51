package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/store/postgres"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
	"github.com/ketnoi/ketnoi/engine/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, store.Open, pgtest.Shared(t).Database)
}

// ask returns what a query says, by a connection of its own.
func ask[T any](t *testing.T, address, sql string) (v T) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	if err := db.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	address := pgtest.Shared(t).Database(t)
	s, err := postgres.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	ask[int](t, address, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true) RETURNING 1`)
	if _, err := postgres.Open(t.Context(), address); !errors.Is(err, postgres.ErrNewer) {
		t.Errorf("error %v, want ErrNewer", err)
	}
}

// TestManyOpenAtOnce: of processes that find an empty database one makes the schema, once; the others wait for it.
func TestManyOpenAtOnce(t *testing.T) {
	address := pgtest.Shared(t).Database(t)
	failed := make(chan error, 6)
	for range cap(failed) {
		go func() {
			s, err := postgres.Open(context.Background(), address)
			if err == nil {
				_, err = s.Seq(context.Background())
				s.Close()
			}
			failed <- err
		}()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if n := ask[int](t, address, `SELECT count(*) FROM clock`); n != 1 {
		t.Errorf("%d clocks", n)
	}
	if n := ask[int](t, address, `SELECT count(*) - count(DISTINCT version_id) FROM goose_db_version`); n != 0 {
		t.Errorf("%d migrations ran twice", n)
	}
}

// TestWritersNeverWaitInACircle: a deadlock would be tried again and stay unseen, but for a second's wait.
func TestWritersNeverWaitInACircle(t *testing.T) {
	address := pgtest.Shared(t).Database(t)
	storetest.Storm(t, store.Open, address)
	if n := ask[int](t, address, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}
