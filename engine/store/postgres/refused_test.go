package postgres

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
)

// user makes a database user that is gone after the test, and returns its name and password.
func user(t *testing.T, server *pgtest.Server, options string) (name, password string) {
	t.Helper()
	name, password = "test_"+strings.ToLower(rand.Text()[:10]), rand.Text()
	do(t, server.Address("postgres"), "CREATE ROLE "+name+" LOGIN PASSWORD '"+password+"' "+options)
	t.Cleanup(func() { do(t, server.Address("postgres"), "DROP ROLE "+name) })
	return name, password
}

// as is the address for another user.
func as(t *testing.T, address, user, password string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

func TestErrorsSayWhatToDo(t *testing.T) {
	server := pgtest.Shared(t)
	name, password := user(t, server, "")
	full, fullPassword := user(t, server, "CONNECTION LIMIT 0")
	address := server.Database(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	nobody, _ := url.Parse(address)
	nobody.Host = l.Addr().String()
	w, through := tap(t, server.Database(t))
	// The server is asked for an extension that is really missing.
	w.set(&trap{pattern: "CREATE EXTENSION", nth: 1, spring: func(_ *link, sent []byte) ([]byte, bool) {
		return bytes.Replace(sent, []byte("vector"), []byte("absent"), 1), false
	}}, 1)
	for _, tc := range []struct {
		name, address string
		want          []string
	}{
		{"wrong password", as(t, address, name, "not "+password), []string{"wrong user or password", name, "28P01"}},
		{"unknown user", as(t, address, "nobody_known", password), []string{"wrong user or password", "nobody_known"}},
		{"unknown database", server.Address("no_such_database"), []string{"createdb", "no_such_database"}},
		{"no server", nobody.String(), []string{"is it running", nobody.Host}},
		{"no extension", through, []string{"install its package", "absent"}},
		{"no right to make tables", as(t, address, name, password), []string{"lacks a right", "ketnoi migrate", "schema public"}},
		{"too many connections", as(t, address, full, fullPassword), []string{"max_connections", full}},
		{"port", "postgres://me:" + password + "@localhost:port/db", []string{"port"}},
		{"escape", "postgres://me:" + password + "%zz@localhost/db", []string{"invalid"}},
		{"an at sign", "postgres://me:a@" + password + "@localhost/db", []string{"%40"}},
		{"setting", "postgres://me:" + password + "@localhost/db?sslmode=some", []string{"sslmode"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := Open(t.Context(), tc.address)
			if err == nil {
				s.Close()
				t.Fatal("it opens")
			}
			for _, secret := range []string{password, fullPassword} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("it tells the password: %v", err)
				}
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nwithout %q", err, want)
				}
			}
		})
	}
}

// A user who may only read can do that; what he may not do names what he lacks.
func TestReadOnlyUser(t *testing.T) {
	server := pgtest.Shared(t)
	name, password := user(t, server, "")
	address := server.Database(t)
	put(t, open(t, address), drafts(3, 1)...)
	theirs := as(t, address, name, password)
	if s, err := Open(t.Context(), theirs); err == nil || !strings.Contains(err.Error(), "lacks a right") {
		t.Errorf("without any right: %v, %v", s, err)
	}
	do(t, address, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO "+name)
	s := open(t, theirs+"&pool_max_conns=1") // few connections are enough, too
	if n := s.primary.Config().MaxConns; n != 1 {
		t.Errorf("%d connections, want what the address says", n)
	}
	holds(t, s, address, drafts(3, 1))
	if list, err := s.Entries(t.Context(), []string{"L001"}, testModel); err != nil || !reflect.DeepEqual(list, []engine.Entry{draft("L001", 1)}) {
		t.Errorf("it reads %v, %v", list, err)
	}
	if !finds(t, s.Retriever(testModel, glossary.Default()), draft("L001", 1)) {
		t.Error("it finds nothing")
	}
	for what, err := range map[string]error{
		"Put": s.Put(t.Context(), testModel, testDim, drafts(3, 2)), "Delete": s.Delete(t.Context(), "L001"), "a new model": s.Put(t.Context(), "test-2", 2, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), "lacks a right") || !strings.Contains(err.Error(), "permission denied for table") || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", what, err)
		}
	}
	holds(t, s, address, drafts(3, 1))
	do(t, address, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "+name)
}

// disk mounts a small file system of its own, on which everybody may write.
func disk(t *testing.T, size string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ketnoi-disk-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=0777,size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "--lazy", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dir
}

// fill writes a file that leaves a disk without any room, and returns what removes it.
func fill(t *testing.T, dir string) (remove func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 1<<16))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// moveTo moves a database into a folder where everybody may write.
func moveTo(t *testing.T, server *pgtest.Server, address, dir string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	do(t, server.Address("postgres"), "COPY (SELECT 1) TO PROGRAM 'mkdir "+dir+"/space'", // the server makes it, so that it is its own
		"CREATE TABLESPACE space LOCATION '"+dir+"/space'", "ALTER DATABASE "+u.Path[1:]+" SET TABLESPACE space")
}

func TestDiskFull(t *testing.T) {
	dir := disk(t, "24m")
	server := pgtest.New(t, pgtest.Options{})
	address := server.Database(t)
	moveTo(t, server, address, dir)
	s := open(t, address)
	put(t, s, drafts(20, 1)...)
	want := drafts(20, 1)
	for round := range 2 {
		remove := fill(t, dir)
		var err error
		for version := 2; err == nil; version++ { // tables have some room of their own
			if err = s.Put(t.Context(), testModel, testDim, drafts(200, version)); err == nil {
				want = drafts(200, version)
			}
		}
		if !strings.Contains(err.Error(), "disk is full; nothing of this batch was stored; make room") {
			t.Errorf("round %d: %v", round, err)
		}
		holds(t, s, address, want)
		remove()
		want = drafts(200, 100+round)
		put(t, s, want...)
		holds(t, s, address, want)
	}
}

// Where the log of the server has no room, the server crashes, and cannot come back until there is some.
func TestDiskOfTheLogFull(t *testing.T) {
	dir, roomy := disk(t, "120m"), t.TempDir()
	for _, d := range []string{roomy, filepath.Dir(roomy)} {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TMPDIR", dir)
	server := pgtest.New(t, pgtest.Options{Durable: true, Settings: []string{"max_wal_size=32MB", "min_wal_size=32MB"}})
	address := server.Database(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	moveTo(t, server, address, roomy)
	s := open(t, address)
	remove := fill(t, dir)
	var acknowledged atomic.Int32
	ended, stop := make(chan error, 1), make(chan bool)
	go func() {
		for version := int32(1); ; version++ {
			err := s.Put(t.Context(), testModel, testDim, drafts(200, int(version)))
			if err == nil {
				acknowledged.Store(version)
			}
			select {
			case <-stop:
				ended <- err
				return
			default:
			}
			if err != nil {
				ended <- err
				return
			}
		}
	}()
	refused := 0
	within(t, 30*time.Second, "the server is down", func() bool {
		select {
		case err := <-ended:
			t.Fatal(err)
		default:
		}
		db, err := net.Dial("tcp", u.Host)
		if refused++; err == nil {
			db.Close()
			refused = 0
		}
		return refused > 20
	})
	before := acknowledged.Load()
	remove()
	if err := errors.Join(server.Kill(), server.StartAgain()); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "the write that was going on succeeds", func() bool { return acknowledged.Load() > before })
	close(stop)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	holds(t, s, address, drafts(200, int(acknowledged.Load())))
}
