// Package pgtest starts private PostgreSQL servers with pgvector, for tests and benchmarks. They live in a temporary
// folder, listen on a loopback port, and go with the process that started them, however that ends.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Variable names the environment variable with the address of a server to use in place of a shared one. "none" leaves all
// tests of PostgreSQL out; make sets it so where there is none, and go test does not take such a run for the next one's.
const Variable = "KETNOI_TEST_POSTGRES"

// ErrMissing is wrapped when no PostgreSQL with pgvector is installed.
var ErrMissing = errors.New("no PostgreSQL with pgvector found: run 'make test', or .ci/postgres, which install them")

// ErrNotOurs is returned where a server would have to be stopped that was not started here.
var ErrNotOurs = errors.New("a server that " + Variable + " names is neither stopped nor copied")

// patience is how long a server may take for anything; machines can be slow.
const patience = time.Minute

// Options are what servers may differ in.
type Options struct {
	// Durable servers lose nothing that was committed when they are killed. The others are faster, and may lose the last
	// commits then.
	Durable bool
	// Settings are further settings, as name=value. They go before all others.
	Settings []string
}

// Server is a PostgreSQL server. Its methods are not for concurrent use, but for Address and Database.
type Server struct {
	bin      string // folder of its programs
	dir      string // holds its data and its log
	port     int
	password string
	settings []string
	process  *process // nil while it is stopped
	watch    *watch   // removes everything when this process is gone
	primary  *Server  // of a replica
	given    *url.URL // of a server that Variable names; all else is empty then
}

// Start starts a server. Close removes it.
func Start(o Options) (*Server, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	settings := []string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", "log_line_prefix=%m [%p] %a ",
	}
	if !o.Durable {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	s := &Server{bin: bin, password: rand.Text(), settings: append(settings, o.Settings...)}
	return s.create(func() error {
		secret := filepath.Join(s.dir, "password")
		if err := errors.Join(os.WriteFile(secret, []byte(s.password), 0o600), giveAway(secret)); err != nil {
			return err
		}
		defer os.Remove(secret)
		initdb := func(locale string) error {
			return s.run("initdb", "--pgdata="+s.data(), "--username=postgres", "--pwfile="+secret, "--auth=scram-sha-256", "--encoding=UTF8", "--locale="+locale, "--no-sync", "--no-instructions")
		}
		if initdb("C.UTF-8") == nil {
			return nil
		}
		return initdb("C") // on systems that do not know the other
	})
}

// create makes the server's folder, lets fill put the data there, and starts it.
func (s *Server) create(fill func() error) (*Server, error) {
	var err error
	if s.dir, err = os.MkdirTemp("", "ketnoi-postgres-"); err != nil {
		return nil, err
	}
	if s.watch, err = newWatch(s.dir); err == nil {
		err = fill()
	}
	for range 5 { // the port may be taken by somebody else in the meantime
		if err == nil {
			s.port, err = freePort()
		}
		if err == nil {
			if err = s.StartAgain(); err == nil {
				return s, nil
			}
		}
		if !strings.Contains(fmt.Sprint(err), "Address already in use") {
			break
		}
		err = nil
	}
	if err == nil {
		err = errors.New("no free port")
	}
	return nil, errors.Join(err, s.Close())
}

// freePort finds a port below those that systems hand out by themselves, so that a stopped server finds its own again.
func freePort() (int, error) {
	for range 100 {
		n, err := rand.Int(rand.Reader, big.NewInt(12000))
		if err != nil {
			return 0, err
		}
		port := 20000 + int(n.Int64())
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port")
}

// find returns the folder of the newest installed server that has pgvector; .ci/postgres looks in the same places.
func find() (string, error) {
	if os.Getenv(Variable) == "none" {
		return "", ErrMissing
	}
	var bins []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin"} {
		found, _ := filepath.Glob(pattern)
		bins = append(bins, found...)
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		bins = append(bins, strings.TrimSpace(string(out)))
	}
	best, newest := "", 14 // the oldest one is 15
	for _, bin := range bins {
		version, err := exec.Command(filepath.Join(bin, "postgres"), "-V").Output()
		if err != nil {
			continue
		}
		major, _ := strconv.Atoi(digits.FindString(string(version)))
		share, err := exec.Command(filepath.Join(bin, "pg_config"), "--sharedir").Output()
		if err != nil || major <= newest {
			continue
		}
		if _, err := os.Stat(filepath.Join(strings.TrimSpace(string(share)), "extension", "vector.control")); err == nil {
			best, newest = bin, major
		}
	}
	if best == "" {
		return "", ErrMissing
	}
	return best, nil
}

var digits = regexp.MustCompile(`\d+`)

func (s *Server) data() string { return filepath.Join(s.dir, "data") }
func (s *Server) log() string  { return filepath.Join(s.dir, "log") }

// run runs one of PostgreSQL's programs to its end.
func (s *Server) run(program string, args ...string) error {
	c, err := command(filepath.Join(s.bin, program), args...)
	if err != nil {
		return err
	}
	c.Env = append(environment(), "PGPASSWORD="+s.password)
	c.Dir = s.dir
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, out)
	}
	return nil
}

// environment is ours without what would lead PostgreSQL's programs elsewhere.
func environment() []string {
	return append(slices.DeleteFunc(os.Environ(), func(e string) bool {
		return strings.HasPrefix(e, "PG") || strings.HasPrefix(e, "LC_") || strings.HasPrefix(e, "LANG")
	}), "LC_ALL=C")
}

// StartAgain starts a server that Stop or Kill has stopped, at the same address, and waits until it answers.
func (s *Server) StartAgain() error {
	switch {
	case s.given != nil:
		return ErrNotOurs
	case s.process != nil:
		return errors.New("the server runs")
	}
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port)}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	c, err := command(filepath.Join(s.bin, "postgres"), args...)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	c.Stdout, c.Stderr, c.Env, c.Dir = log, log, environment(), s.dir
	if s.process, err = start(c); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		var db *pgx.Conn
		if db, err = pgx.Connect(ctx, s.Address("postgres")); err == nil {
			return db.Close(ctx)
		}
		select {
		case <-s.process.done:
			s.process = nil
			err = errors.New("it ended")
		case <-ctx.Done():
			err = errors.Join(err, s.Kill())
		case <-time.After(10 * time.Millisecond):
			continue
		}
		text, _ := os.ReadFile(s.log())
		return fmt.Errorf("PostgreSQL did not start: %w:\n%s", err, text)
	}
}

// Stop stops the server in good order: it ends all sessions and writes everything down. The data stays for StartAgain.
func (s *Server) Stop() error { return s.end(s.process.interrupt) }

// Kill ends the server and all its processes at once, as if they had crashed, and waits until they are gone. The data
// stays for StartAgain; whether all that was committed is in it depends on Options.Durable.
func (s *Server) Kill() error { return s.end(s.process.kill) }

func (s *Server) end(by func() error) error {
	if s.given != nil {
		return ErrNotOurs
	}
	if s.process == nil {
		return nil
	}
	err := by()
	s.process = nil
	return err
}

// Close ends the server and removes its data.
func (s *Server) Close() error {
	if s.given != nil {
		return nil
	}
	err := s.Kill()
	if s.watch != nil {
		err = errors.Join(err, s.watch.close())
		s.watch = nil
	}
	if s.primary != nil && s.primary.process != nil {
		_ = s.primary.exec("postgres", "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = "+quote(s.slot()))
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Address returns the address of a database of the server; "postgres" is always there.
func (s *Server) Address(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("postgres", s.password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), RawQuery: "sslmode=disable"}
	if s.given != nil {
		u = *s.given
	}
	u.Path = "/" + database
	return u.String()
}

// Database makes an empty database, which goes with the test, and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := strings.ToLower(unfit.ReplaceAllString(t.Name(), "_"))
	name = fmt.Sprintf("test_%.30s_%s", name, strings.ToLower(rand.Text()[:10]))
	if err := s.exec("postgres", "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.given == nil && s.process == nil {
			return // the test has stopped it
		}
		if err := s.exec("postgres", "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Log(err)
		}
	})
	return s.Address(name)
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9]+`)

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (s *Server) exec(database, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db, err := pgx.Connect(ctx, s.Address(database))
	if err != nil {
		return err
	}
	defer db.Close(ctx)
	_, err = db.Exec(ctx, sql)
	return err
}

func (s *Server) slot() string { return strings.ReplaceAll(filepath.Base(s.dir), "-", "_") }

// Replica starts a hot standby that follows the server by streaming. Settings are as in Options.
func (s *Server) Replica(settings ...string) (*Server, error) {
	if s.given != nil {
		return nil, ErrNotOurs
	}
	r := &Server{bin: s.bin, password: s.password, settings: append(slices.Clone(s.settings), settings...), primary: s}
	return r.create(func() error {
		// The slot keeps what a stopped replica has not seen yet.
		return r.run("pg_basebackup", "--pgdata="+r.data(), "--dbname="+s.Address("postgres"), "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--create-slot", "--slot="+r.slot(), "--no-sync")
	})
}

// CatchUp waits until a replica shows everything that its primary has committed by now.
func (s *Server) CatchUp(ctx context.Context) error {
	if s.primary == nil {
		return errors.New("not a replica")
	}
	primary, err := pgx.Connect(ctx, s.primary.Address("postgres"))
	if err != nil {
		return err
	}
	defer primary.Close(ctx)
	// A small commit that is written down takes all before it along, those too that wait for no disk.
	if _, err := primary.Exec(ctx, "SET synchronous_commit = local; SELECT pg_logical_emit_message(true, 'pgtest', '')"); err != nil {
		return err
	}
	var position string
	if err := primary.QueryRow(ctx, "SELECT pg_current_wal_flush_lsn()::text").Scan(&position); err != nil {
		return err
	}
	replica, err := pgx.Connect(ctx, s.Address("postgres"))
	if err != nil {
		return err
	}
	defer replica.Close(ctx)
	for {
		var there bool
		if err := replica.QueryRow(ctx, "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", position).Scan(&there); err != nil || there {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

var shared = struct {
	sync.Mutex
	server *Server
	err    error
}{}

// Shared returns the one server that all tests of a binary share: the one that KETNOI_TEST_POSTGRES names, else one of
// its own, which ends with the binary. Tests do not stop it; they ask it for databases. Without PostgreSQL the test is
// skipped, or fails where CI=true.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		if address := os.Getenv(Variable); address != "" && address != "none" {
			var u *url.URL
			if u, shared.err = url.Parse(address); shared.err == nil {
				shared.server = &Server{given: u}
			}
		} else {
			shared.server, shared.err = Start(Options{})
		}
	}
	if shared.err != nil {
		skip(t, shared.err)
	}
	return shared.server
}

// New starts a server for one test alone, which may stop it, kill it and follow it. It goes with the test.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		skip(t, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func skip(t testing.TB, err error) {
	t.Helper()
	switch {
	case !errors.Is(err, ErrMissing):
		t.Fatal(err)
	case os.Getenv(Variable) != "": // what needs a server of its own goes without
		t.Skip(err)
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	}
	t.Skip(err)
}
