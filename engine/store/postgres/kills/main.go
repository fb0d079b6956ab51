// Command kills proves that a store keeps what it acknowledged: it kills the process that writes, or the whole database
// server, at random moments, again and again, and counts what is lost, half written or doubled. Killed processes leave
// what they gave to the operating system; that a disk keeps it when the power fails is not tested here.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/store/postgres/kills/audit"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
)

type options struct {
	kills    int
	what     string
	store    string
	seed     uint64
	careless bool
}

func main() {
	slog.SetLogLoggerLevel(slog.LevelError) // that the server is away is no news here
	if address := os.Getenv(addressVariable); address != "" {
		if err := write(context.Background(), address, os.Getenv(fromVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.IntVar(&o.kills, "kills", 200, "how often to kill")
	flag.StringVar(&o.what, "what", "both", "whom to kill: the process that writes, the server, or both, one after the other")
	flag.StringVar(&o.store, "store", "postgres", "the store: postgres, or sqlite, which has no server")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of all that is random")
	flag.BoolVar(&o.careless, "careless", false, "let the server acknowledge what it has not written down, to see that losses are found")
	flag.Parse()
	fmt.Println("seed", o.seed)
	ctx, bad := context.Background(), false
	for _, mode := range []struct {
		name string
		run  func(context.Context, options) (*report, error)
	}{{"process", killProcess}, {"server", killServer}} {
		if o.what != mode.name && o.what != "both" || o.store == "sqlite" && mode.name == "server" {
			continue
		}
		began := time.Now()
		r, err := mode.run(ctx, o)
		if r != nil {
			fmt.Printf("%s: %v, in %s\n", mode.name, r, time.Since(began).Round(time.Second))
			bad = bad || r.bad()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			bad = true
		}
	}
	if bad {
		os.Exit(1)
	}
}

// report is what a mode found.
type report struct {
	kills               int
	acknowledged        int64 // writes
	cut, kept           int   // writes that a kill cut off, and those of them that are stored all the same
	lost, half, doubled int
}

func (r *report) bad() bool { return r.lost+r.half+r.doubled > 0 }

func (r *report) String() string {
	return fmt.Sprintf("%d kills in the middle of %d writes (%d of them were stored all the same, wholly), %d acknowledged writes, %d lost, %d half-written, %d doubled",
		r.kills, r.cut, r.kept, r.acknowledged, r.lost, r.half, r.doubled)
}

// place is where the writers' store is.
type place struct {
	address string
	server  *pgtest.Server // nil for SQLite
	close   func() error
}

func newPlace(o options) (*place, error) {
	if o.store == "sqlite" {
		dir, err := os.MkdirTemp("", "ketnoi-kills-")
		if err != nil {
			return nil, err
		}
		return &place{address: "sqlite:" + filepath.Join(dir, "kills.db"), close: func() error { return os.RemoveAll(dir) }}, nil
	}
	s, err := pgtest.Start(pgtest.Options{Durable: !o.careless})
	if err != nil {
		return nil, err
	}
	return &place{address: s.Address("postgres") + "&application_name=" + writerName, server: s, close: s.Close}, nil
}

// writerName is what the writers call themselves before the server.
const writerName = "kills"

// quiet waits until the server has ended what it was told by a process that is no more.
func (p *place) quiet(ctx context.Context) error {
	if p.server == nil {
		return nil
	}
	db, err := pgx.Connect(ctx, p.server.Address("postgres"))
	if err != nil {
		return err
	}
	defer db.Close(ctx)
	for n := 1; n > 0; time.Sleep(2 * time.Millisecond) {
		if err := db.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1`, writerName).Scan(&n); err != nil {
			return err
		}
	}
	return nil
}

// check adds to the report what is wrong.
func (p *place) check(ctx context.Context, s store.Store, w *world, r *report) error {
	if p.server != nil {
		wrong, err := audit.Database(ctx, p.server.Address("postgres"))
		if err != nil {
			return err
		}
		for _, line := range wrong {
			fmt.Println("WRONG:", line)
			if strings.Contains(line, "doubled") {
				r.doubled++
			} else {
				r.half++
			}
		}
	}
	var words map[string][]int
	if p.server != nil {
		var err error
		if words, err = readWords(ctx, p.server.Address("postgres")); err != nil {
			return err
		}
	}
	return w.check(ctx, s, words, r)
}

// progress says now and then how far a mode is.
func progress(name string, r *report, of int) {
	if r.kills%20 == 0 {
		fmt.Printf("%s: %d of %d kills, %d writes acknowledged, %d lost, %d half-written, %d doubled\n", name, r.kills, of, r.acknowledged, r.lost, r.half, r.doubled)
	}
}

// killProcess kills the process that writes.
func killProcess(ctx context.Context, o options) (r *report, err error) {
	p, err := newPlace(o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	s, err := store.Open(ctx, strings.ReplaceAll(p.address, "application_name="+writerName, "application_name=checker"))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	w, rng := newWorld(o.seed), rand.New(rand.NewPCG(o.seed, 1))
	r = new(report)
	for r.kills < o.kills {
		if err := w.writeAndKill(p.address, time.Duration(rng.IntN(300))*time.Millisecond, rng.IntN(10) == 0, r); err != nil {
			return r, err
		}
		r.kills, r.acknowledged = r.kills+1, w.acknowledged.Load()
		if err := p.quiet(ctx); err != nil {
			return r, err
		}
		if err := p.check(ctx, s, w, r); err != nil {
			return r, err
		}
		progress("process", r, o.kills)
	}
	return r, nil
}

// killServer kills the server, while the same writers go on.
func killServer(ctx context.Context, o options) (r *report, err error) {
	p, err := newPlace(o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	s, err := store.Open(ctx, p.address)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	w, rng := newWorld(o.seed), rand.New(rand.NewPCG(o.seed, 1))
	r = new(report)
	stop := w.writeOn(ctx, s)
	defer stop()
	for r.kills < o.kills {
		time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
		r.cut += int(w.busy.Load())
		if err := errors.Join(p.server.Kill(), p.server.StartAgain()); err != nil {
			return r, err
		}
		r.acknowledged = w.acknowledged.Load()
		if r.kills++; r.kills%5 == 0 || r.kills == o.kills {
			if err := w.pause(func() error { return p.check(ctx, s, w, r) }); err != nil {
				return r, err
			}
		}
		progress("server", r, o.kills)
	}
	return r, nil
}
