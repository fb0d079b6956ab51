package pgtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
)

func query[T any](t *testing.T, address, sql string) T {
	t.Helper()
	db, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	rows, err := db.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func do(t *testing.T, address, sql string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	if _, err := db.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestDatabasesAreOfTheirTests(t *testing.T) {
	s := pgtest.Shared(t)
	var addresses []string
	t.Run("two", func(t *testing.T) {
		for range 2 {
			address := s.Database(t)
			addresses = append(addresses, address)
			do(t, address, "CREATE EXTENSION vector; CREATE TABLE t (v vector(2))")
			if d := query[float64](t, address, "SELECT '[0,3]'::vector <-> '[4,0]'"); d != 5 {
				t.Errorf("distance %v, want 5", d)
			}
		}
		// A connection that a test leaves open does not keep its database.
		if _, err := pgx.Connect(t.Context(), addresses[1]); err != nil {
			t.Fatal(err)
		}
	})
	for _, address := range addresses {
		if _, err := pgx.Connect(t.Context(), address); err == nil || !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("after its test: error %v, want …does not exist…", err)
		}
	}
}

func TestKillLosesNothingOfADurableServer(t *testing.T) {
	s := pgtest.New(t, pgtest.Options{Durable: true, Settings: []string{"work_mem=7MB"}})
	address := s.Database(t)
	do(t, address, "CREATE TABLE t (n bigint)")
	for range 3 {
		before := query[int64](t, address, "SELECT count(*) FROM t")
		busy, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := busy.Exec(t.Context(), "INSERT INTO t SELECT sum(a) FROM generate_series(1, 1000000000) a")
			ended <- err
		}()
		do(t, address, "INSERT INTO t VALUES (1)")
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil {
			t.Error("a query went on in a server that was killed")
		}
		if _, err := pgx.Connect(t.Context(), address); err == nil {
			t.Error("a server that was killed answers")
		}
		if err := s.StartAgain(); err != nil {
			t.Fatal(err)
		}
		if after := query[int64](t, address, "SELECT count(*) FROM t"); after != before+1 {
			t.Errorf("%d rows after a crash, want %d", after, before+1)
		}
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.StartAgain(); err != nil {
		t.Fatal(err)
	}
	if v := query[string](t, address, "SHOW work_mem"); v != "7MB" {
		t.Errorf("work_mem %s, want the setting", v)
	}
}

func TestReplicaFollows(t *testing.T) {
	s := pgtest.New(t, pgtest.Options{})
	address := s.Database(t)
	database := query[string](t, address, "SELECT current_database()::text")
	do(t, address, "CREATE TABLE t (n bigint); INSERT INTO t VALUES (1)")
	r, err := s.Replica()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	// A primary that has nothing new to tell keeps nobody waiting, though its log ends beyond what the replica was sent.
	start := time.Now()
	if err := r.CatchUp(t.Context()); err != nil || time.Since(start) > 10*time.Second {
		t.Errorf("catching up with nothing: %v after %s", err, time.Since(start))
	}
	for n := int64(2); n < 4; n++ {
		if err := r.Kill(); err != nil {
			t.Fatal(err)
		}
		do(t, address, "INSERT INTO t SELECT max(n) + 1 FROM t")
		if err := r.StartAgain(); err != nil {
			t.Fatal(err)
		}
		if err := r.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v := query[int64](t, r.Address(database), "SELECT max(n) FROM t"); v != n {
			t.Errorf("the replica has %d, want %d", v, n)
		}
	}
	if !query[bool](t, r.Address(database), "SELECT pg_is_in_recovery()") {
		t.Error("the replica takes writes")
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if v := query[int64](t, r.Address(database), "SELECT count(*) FROM t"); v != 3 {
		t.Errorf("the replica has %d rows without its primary, want 3", v)
	}
}

// A test binary may end in any way; this one starts itself again to be killed.
func TestServerGoesWithItsProcess(t *testing.T) {
	const variable = "KETNOI_PGTEST_CHILD"
	if os.Getenv(variable) != "" {
		s := pgtest.New(t, pgtest.Options{})
		fmt.Println("address", s.Address("postgres"), "end")
		time.Sleep(time.Hour)
	}
	s := pgtest.New(t, pgtest.Options{}) // skips where there is none
	_ = s.Close()

	dir := t.TempDir()
	// The server is somebody else where we are root.
	for d := dir; strings.HasPrefix(d, os.TempDir()) && d != os.TempDir(); d = d[:strings.LastIndexByte(d, '/')] {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command(os.Args[0], "-test.run=^TestServerGoesWithItsProcess$", "-test.v")
	c.Env = append(os.Environ(), variable+"=1", "TMPDIR="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var host string
	for lines := bufio.NewScanner(out); host == "" && lines.Scan(); {
		if f := strings.Fields(lines.Text()); slices.Contains(f, "address") {
			config, err := pgx.ParseConfig(f[slices.Index(f, "address")+1])
			if err != nil {
				t.Fatal(err)
			}
			host = net.JoinHostPort(config.Host, fmt.Sprint(config.Port))
		}
	}
	if host == "" {
		t.Fatal("the child started no server")
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		db, err := net.Dial("tcp", host)
		if err == nil {
			db.Close()
		}
		left, _ := os.ReadDir(dir)
		if err != nil && len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("20 s after its process the server answers (%v), and left %v", err == nil, left)
		}
	}
}

func TestGivenServerIsUsedAndLeftAlone(t *testing.T) {
	given := pgtest.New(t, pgtest.Options{})
	c := exec.Command(os.Args[0], "-test.run=^TestDatabasesAreOfTheirTests$|^TestGiven$", "-test.v")
	c.Env = append(os.Environ(), pgtest.Variable+"="+given.Address("postgres"))
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestGiven ") {
		t.Errorf("%v: %s", err, out)
	}
	if n := query[int64](t, given.Address("postgres"), "SELECT count(*) FROM pg_database WHERE datname LIKE 'test\\_%'"); n != 0 {
		t.Errorf("%d databases are left", n)
	}
}

// TestGiven is run by TestGivenServerIsUsedAndLeftAlone.
func TestGiven(t *testing.T) {
	if os.Getenv(pgtest.Variable) == "" {
		t.Skip("run by another test")
	}
	s := pgtest.Shared(t)
	if err := s.Kill(); !errors.Is(err, pgtest.ErrNotOurs) {
		t.Errorf("Kill: error %v", err)
	}
	if _, err := s.Replica(); !errors.Is(err, pgtest.ErrNotOurs) {
		t.Errorf("Replica: error %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(s.Address("x"), "postgres://") {
		t.Errorf("address %s", s.Address("x"))
	}
}
