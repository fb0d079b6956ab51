package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
)

// pair is a store with a primary and a standby.
type pair struct {
	*Store
	primary, standby *pgtest.Server
	address, theirs  string // of the database here and there
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{primary: pgtest.New(t, pgtest.Options{Durable: true})}
	p.address = p.primary.Database(t)
	put(t, open(t, p.address), draft("first", 0))
	var err error
	if p.standby, err = p.primary.Replica(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.standby.Close() })
	p.catchUp(t)
	u, err := url.Parse(p.address)
	if err != nil {
		t.Fatal(err)
	}
	p.theirs = p.standby.Address(u.Path[1:])
	return p
}

// again opens the store anew, as another process would.
func (p *pair) again(t *testing.T, maxLag time.Duration) *pair {
	t.Helper()
	other := *p
	other.Store = open(t, p.address)
	if err := other.ReadFrom(t.Context(), p.theirs, maxLag); err != nil {
		t.Fatal(err)
	}
	return &other
}

func (p *pair) catchUp(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := p.standby.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
}

// reads makes every kind of read once, of the listing that was stored first.
func (p *pair) reads(t *testing.T) error {
	list, err := p.Entries(t.Context(), []string{"first"}, testModel)
	if err == nil && !reflect.DeepEqual(list, []engine.Entry{draft("first", 0)}) {
		err = fmt.Errorf("it reads %v", list)
	}
	_, err2 := p.Seq(t.Context())
	_, err3 := p.Counts(t.Context())
	n := 0
	err4 := p.Changes(t.Context(), 0, testModel, func(index.Change) error { n++; return nil })
	if err4 == nil && n == 0 {
		err4 = errors.New("no changes")
	}
	var out engine.Candidates
	err5 := p.Retriever(testModel, glossary.Default()).Retrieve(t.Context(), &engine.Reading{Listing: &engine.Listing{}, Mean: draft("first", 0).Vectors[0]}, nil, 5, &out)
	if err5 == nil && len(out.List) == 0 {
		err5 = errors.New("it finds nothing")
	}
	return errors.Join(err, err2, err3, err4, err5)
}

// by makes reads and says by which server they were answered: what the watch asks meanwhile does not count.
func (p *pair) by(t *testing.T) string {
	t.Helper()
	count := func() (here, there int64) {
		return p.Store.primary.Stat().AcquireCount(), p.replica.pool.Stat().AcquireCount()
	}
	here, there := count()
	for range 4 {
		if err := p.reads(t); err != nil {
			t.Error(err)
		}
	}
	h, s := count()
	switch h, s = h-here, s-there; {
	case h < 10 && s > 30:
		return "standby"
	case s < 10 && h > 30:
		return "primary"
	}
	return fmt.Sprintf("both: %d by the primary and %d by the standby", h, s)
}

func TestStandby(t *testing.T) {
	p := newPair(t)
	refused := make(chan error, 1)
	go func() { // it takes some seconds
		_, err := Open(t.Context(), p.standby.Address("postgres"))
		refused <- err
	}()
	t.Run("an index misses nothing between servers", p.between)
	t.Run("it is no primary", p.asPrimary)
	t.Run("the primary says nothing", p.silent)
	t.Run("reads go to it", func(t *testing.T) { p.inTurns(t, refused) })
}

func (p *pair) inTurns(t *testing.T, refused <-chan error) {
	impatient(t, 30*time.Second, time.Second)
	p = p.again(t, time.Second)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	x := index.New(index.Options{Model: testModel, Dim: testDim, Glossary: glossary.Default()})
	go x.Follow(ctx, p, 50*time.Millisecond, p.Wakeups(ctx))
	// Somebody writes all the time; with the primary away that fails, clearly.
	want := map[string]engine.Entry{"first": draft("first", 0), "between": draft("between", 1)}
	maybe := map[string]bool{}
	var writer sync.WaitGroup
	var enough atomic.Bool
	writer.Go(func() {
		for n := 1; !enough.Load(); n++ {
			e := draft(fmt.Sprintf("w%02d", n%40), n)
			err := p.Put(t.Context(), testModel, testDim, []engine.Entry{e})
			if maybe[e.Listing.ID] = err != nil; err == nil {
				want[e.Listing.ID] = e
			} else if !strings.Contains(err.Error(), "gave up after ") {
				t.Error(err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	goesTo := func(server, when string) {
		t.Helper()
		within(t, 15*time.Second, "reads go to the "+server+" "+when, func() bool { return p.by(t) == server })
	}
	sees := func(address string) bool { // an entry that is only on the primary
		list, err := p.Entries(t.Context(), []string{address}, testModel)
		if err != nil {
			t.Error(err)
		}
		return len(list) > 0
	}
	goesTo("standby", "while it is in step")

	do(t, p.theirs, `SELECT pg_wal_replay_pause()`)
	put(t, p.Store, draft("late", 1))
	if paused := time.Now(); sees("late") && time.Since(paused) < 300*time.Millisecond {
		t.Error("at once, what the standby has not reached is read: the standby does not answer")
	}
	goesTo("primary", "when the standby is too far behind")
	if !sees("late") {
		t.Error("later it is not read")
	}
	do(t, p.theirs, `SELECT pg_wal_replay_resume()`)
	goesTo("standby", "when it has caught up")

	if err := <-refused; err == nil || !strings.Contains(err.Error(), "this server is a standby") {
		t.Errorf("without a schema it opens: %v", err)
	}
	if err := p.standby.Kill(); err != nil {
		t.Fatal(err)
	}
	if got := p.by(t); got != "primary" {
		t.Errorf("when the standby is dead, reads go to %s", got)
	}
	if err := p.standby.StartAgain(); err != nil {
		t.Fatal(err)
	}
	goesTo("standby", "when it is back")

	p.catchUp(t)
	if err := p.primary.Kill(); err != nil {
		t.Fatal(err)
	}
	if got := p.by(t); got != "standby" {
		t.Errorf("when the primary is dead, reads go to %s", got)
	}
	time.Sleep(1500 * time.Millisecond) // longer than the lag that is allowed
	if got := p.by(t); got != "standby" {
		t.Errorf("when the primary has been dead for long, reads go to %s", got)
	}
	if err := p.Put(t.Context(), testModel, testDim, drafts(1, 1)); err == nil || !strings.Contains(err.Error(), "no server answers there") {
		t.Errorf("a write without a primary: %v", err)
	}
	// The standby goes and comes back, while there is no primary.
	if err := errors.Join(p.standby.Kill(), p.standby.StartAgain()); err != nil {
		t.Fatal(err)
	}
	if got := p.by(t); got != "standby" {
		t.Errorf("when the standby is back alone, reads go to %s", got)
	}
	if err := p.primary.StartAgain(); err != nil {
		t.Fatal(err)
	}
	put(t, p.Store, draft("after", 1))
	goesTo("standby", "when all are back")
	enough.Store(true)
	writer.Wait()

	want["late"], want["after"] = draft("late", 1), draft("after", 1)
	all := index.New(index.Options{Model: testModel, Dim: testDim, Glossary: glossary.Default()})
	p.catchUp(t)
	if err := all.Refresh(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "the index has all changes", func() bool { return x.Seq() == all.Seq() })
	if n, _ := all.Size(); n != len(want) {
		t.Errorf("%d listings, want %d", n, len(want))
	}
	for id, e := range want {
		if stored, followed := finds(t, all, e), finds(t, x, e); stored != followed || !stored && !maybe[id] {
			t.Errorf("%s: in the database %v, in the index that followed %v", id, stored, followed)
		}
	}
}

// What one server has told of the clock, the other may not show yet: an index must not take it for seen.
func (p *pair) between(t *testing.T) {
	p = p.again(t, time.Hour)
	x := index.New(index.Options{Model: testModel, Dim: testDim, Glossary: glossary.Default()})
	do(t, p.theirs, `SELECT pg_wal_replay_pause()`)
	put(t, p.Store, draft("between", 1))
	if err := x.Refresh(t.Context(), ahead{p}); err != nil {
		t.Fatal(err)
	}
	// How far a standby is behind that was never seen in step, nobody knows.
	if list, err := p.again(t, time.Minute).Entries(t.Context(), []string{"between"}, testModel); err != nil || len(list) != 1 {
		t.Errorf("at first a standby is read that is behind: %v, %v", list, err)
	}
	do(t, p.theirs, `SELECT pg_wal_replay_resume()`)
	p.catchUp(t)
	if err := x.Refresh(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if !finds(t, x, draft("first", 0)) || !finds(t, x, draft("between", 1)) {
		t.Error("the index has missed a change")
	}
}

// ahead asks the primary for the clock, and the standby for the changes.
type ahead struct{ *pair }

func (a ahead) Seq(ctx context.Context) (seq int64, err error) {
	err = a.Store.primary.QueryRow(ctx, `SELECT seq FROM clock`).Scan(&seq)
	return seq, err
}

func (p *pair) asPrimary(t *testing.T) {
	s := open(t, p.theirs)
	if list, err := s.Entries(t.Context(), []string{"first"}, testModel); err != nil || len(list) != 1 {
		t.Errorf("it reads %v, %v", list, err)
	}
	if err := s.Put(t.Context(), testModel, testDim, drafts(1, 1)); err == nil || !strings.Contains(err.Error(), "this server is a standby") {
		t.Errorf("Put: %v", err)
	}
}

// A primary that swallows what it is sent does not take its standby along.
func (p *pair) silent(t *testing.T) {
	w, through := tap(t, p.address)
	s := open(t, through)
	w.set(&trap{pattern: "clock", nth: 1, spring: func(_ *link, sent []byte) ([]byte, bool) {
		return nil, !bytes.Contains(sent, []byte("clock")) // until it gives up
	}}, 1_000)
	r := &replica{pool: open(t, p.theirs).primary, maxLag: time.Second}
	if err := r.look(t.Context(), s.primary); err == nil || !r.usable.Load() {
		t.Errorf("usable: %v; %v", r.usable.Load(), err)
	}
}
