package postgres_test

import (
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/engine/store/postgres"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
	"github.com/ketnoi/ketnoi/engine/store/storetest"
)

// TestErasedIsUnreadable reads the server's own files. Its write-ahead log moves on by itself.
func TestErasedIsUnreadable(t *testing.T) {
	server := pgtest.New(t, pgtest.Options{})
	s, err := postgres.Open(t.Context(), server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var folder string
	if err := s.Pool().QueryRow(t.Context(), `SHOW data_directory`).Scan(&folder); err != nil {
		t.Fatal(err)
	}
	storetest.Unreadable(t, s, func(path string) bool { return strings.Contains(path, "/pg_wal/") }, folder)
}
