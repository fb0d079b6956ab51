package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
)

func TestCutConnections(t *testing.T) {
	impatient(t, time.Second, 400*time.Millisecond)
	for _, tc := range []struct {
		name   string
		trap   *trap
		stored bool // though it never learns
	}{
		{"in the copy of words", &trap{pattern: "PGCOPY", nth: 1, after: 1_000, spring: sendAndCut}, false},
		{"in the copy of vectors", &trap{pattern: "PGCOPY", nth: 2, after: 70_000, spring: sendAndCut}, false},
		{"before the commit", &trap{pattern: "commit\x00", nth: 1, spring: cutBefore}, false},
		{"after the commit", &trap{pattern: "commit\x00", nth: 1, spring: sendAndLoseAnswer}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			address := pgtest.Shared(t).Database(t)
			w, through := tap(t, address)
			s := open(t, through)
			put(t, s, drafts(30, 1)...)

			once := w.set(tc.trap, 1)
			put(t, s, drafts(60, 2)...)
			if once.left.Load() == 1 {
				t.Fatal("nothing was cut")
			}
			holds(t, s, address, drafts(60, 2))

			w.set(tc.trap, 1_000)
			want := drafts(60, 2)
			if err := s.Put(t.Context(), testModel, testDim, drafts(90, 3)); err == nil || !strings.Contains(err.Error(), "the connection to the database server was lost") {
				t.Errorf("error %v", err)
			}
			if tc.stored {
				want = drafts(90, 3)
			}
			w.set(&trap{pattern: "none", nth: 1}, 0)
			holds(t, s, address, want)
			put(t, s, drafts(90, 4)...)
			holds(t, s, address, drafts(90, 4))
		})
	}
}

func TestRestartUnderLoad(t *testing.T) {
	impatient(t, 30*time.Second, writePatience) // the race detector, and others on the machine, can make a restart slow
	server := pgtest.New(t, pgtest.Options{Durable: true})
	address := server.Database(t)
	s := open(t, address)
	put(t, s, draft("first", 0))
	ctx, end := context.WithCancel(t.Context())
	defer end()
	x := index.New(index.Options{Model: testModel, Dim: testDim, Glossary: glossary.Default()})
	go x.Follow(ctx, s, 50*time.Millisecond, s.Wakeups(ctx))

	var load sync.WaitGroup
	stop := make(chan struct{})
	during := func(do func(n int) error) {
		load.Go(func() {
			for n := 1; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := do(n); err != nil {
					t.Errorf("call %d: %v", n, err)
				}
			}
		})
	}
	acknowledged := [2]map[string]engine.Entry{{}, {}}
	for w := range acknowledged {
		during(func(n int) error {
			e := draft(fmt.Sprintf("w%d-%02d", w, n%20), n)
			err := s.Put(t.Context(), testModel, testDim, []engine.Entry{e})
			if err == nil {
				acknowledged[w][e.Listing.ID] = e
			}
			return err
		})
	}
	during(func(int) error {
		list, err := s.Entries(t.Context(), []string{"first"}, testModel)
		if err == nil && !reflect.DeepEqual(list, []engine.Entry{draft("first", 0)}) {
			err = fmt.Errorf("it reads %v", list)
		}
		return err
	})
	db, question := s.Retriever(testModel, glossary.Default()), &engine.Reading{Listing: &engine.Listing{}, Mean: draft("first", 0).Vectors[0]}
	during(func(int) error {
		var out engine.Candidates
		err := db.Retrieve(t.Context(), question, nil, 5, &out)
		if err == nil && len(out.List) == 0 {
			err = errors.New("it finds nothing")
		}
		return err
	})
	for _, away := range []func() error{server.Stop, server.Kill} {
		time.Sleep(300 * time.Millisecond)
		if err := errors.Join(away(), server.StartAgain()); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(300 * time.Millisecond)
	close(stop)
	load.Wait()

	want := []engine.Entry{draft("first", 0)}
	for _, of := range acknowledged {
		for _, e := range of {
			want = append(want, e)
		}
	}
	within(t, 10*time.Second, "the index follows by itself", func() bool {
		n, _ := x.Size()
		return n == len(want) && !slices.ContainsFunc(want, func(e engine.Entry) bool { return !finds(t, x, e) })
	})
	end()
	holds(t, s, address, want)
}

func TestCancelledInTheMiddle(t *testing.T) {
	address := pgtest.Shared(t).Database(t)
	s := open(t, address)
	put(t, s, drafts(10, 1)...)
	holder, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.Background())
	waits := func() bool {
		var yes bool
		err := s.primary.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&yes)
		return err == nil && yes
	}
	db := s.Retriever(testModel, glossary.Default())
	calls := map[string]func(context.Context) error{
		"Put":    func(ctx context.Context) error { return s.Put(ctx, testModel, testDim, drafts(20, 2)) },
		"Delete": func(ctx context.Context) error { return s.Delete(ctx, "L003") },
		"Entries": func(ctx context.Context) error {
			_, err := s.Entries(ctx, []string{"L003"}, testModel)
			return err
		},
		"Changes": func(ctx context.Context) error {
			return s.Changes(ctx, 0, testModel, func(index.Change) error { return nil })
		},
		"Retrieve": func(ctx context.Context) error {
			return db.Retrieve(ctx, &engine.Reading{Listing: &engine.Listing{}, Mean: draft("L003", 1).Vectors[0]}, nil, 5, new(engine.Candidates))
		},
	}
	for name, call := range calls {
		// Writes get as far as the clock, the last thing they touch; reads no further than a table that is being altered.
		lock := `BEGIN; SELECT * FROM clock FOR UPDATE`
		if name != "Put" && name != "Delete" {
			lock = `BEGIN; LOCK TABLE changes, listings, words`
		}
		if _, err := holder.Exec(t.Context(), lock); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- call(ctx) }()
		within(t, 5*time.Second, name+" waits", waits)
		start := time.Now()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) || time.Since(start) > time.Second {
			t.Errorf("%s: %v after %s", name, err, time.Since(start))
		}
		// The server does not go on with it either.
		within(t, 5*time.Second, name+" is over in the server", func() bool { return !waits() })
		if _, err := holder.Exec(t.Context(), `ROLLBACK`); err != nil {
			t.Fatal(err)
		}
	}
	holds(t, s, address, drafts(10, 1))
}

// One process is killed in the middle of making the schema, while another waits to do the same.
func TestKilledWhileItMigrates(t *testing.T) {
	const variable = "KETNOI_MIGRATE"
	if address := os.Getenv(variable); address != "" {
		open(t, address)
		return
	}
	address := pgtest.Shared(t).Database(t)
	w, through := tap(t, address)
	reached, dead := make(chan bool), make(chan bool)
	w.set(&trap{pattern: "CREATE TABLE words", nth: 1, spring: func(*link, []byte) ([]byte, bool) {
		reached <- true
		<-dead
		return nil, true
	}}, 1)
	c := exec.Command(os.Args[0], "-test.run=^TestKilledWhileItMigrates$")
	c.Env = append(os.Environ(), variable+"="+through)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached
	opened := make(chan error)
	go func() {
		s, err := Open(t.Context(), address)
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	db, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	select {
	case err := <-opened:
		t.Fatalf("the other does not wait: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	var tables int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE tablename IN ('listings', 'words')`).Scan(&tables); err != nil || tables != 0 {
		t.Errorf("%d tables show before they are all made, %v", tables, err)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	close(dead)
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	var versions []int
	if err := db.QueryRow(t.Context(), `SELECT array_agg(version_id ORDER BY id) FROM goose_db_version`).Scan(&versions); err != nil || !slices.Equal(versions, []int{0, 1, 2}) {
		t.Errorf("versions %v, %v", versions, err)
	}
	s := open(t, address)
	put(t, s, drafts(5, 1)...)
	holds(t, s, address, drafts(5, 1))
}
