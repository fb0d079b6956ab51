package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store"
)

// changes come once each in their latest state, in the order of their numbers, which only grow.
func changes(t *testing.T, s *suite) {
	if s.seq(t) != 0 || len(s.since(t, s.Store, 0)) != 0 {
		t.Error("a new store has a history")
	}
	var entries []engine.Entry
	for i := range 20 {
		entries = append(entries, entry(fmt.Sprintf("L%02d", i), "text"))
	}
	s.put(t, entries...)
	mark := s.seq(t)
	s.put(t, entry("L07", "changed"))
	all, later := s.since(t, s.Store, 0), s.since(t, s.again(t), mark)
	if len(all) != 20 || all[19].ID != "L07" || len(later) != 1 || later[0].ID != "L07" || later[0].Seq != s.seq(t) {
		t.Errorf("%d changes, the last %s; later %+v", len(all), all[len(all)-1].ID, later)
	}
	for i := 1; i < len(all); i++ {
		if all[i].Seq <= all[i-1].Seq {
			t.Errorf("number %d after %d", all[i].Seq, all[i-1].Seq)
		}
	}
	stop := errors.New("stop")
	n := 0
	if err := s.Changes(s.ctx, 0, model, func(index.Change) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("the callback's error is %v after %d calls", err, n)
	}
}

// followed: an index in another process finds what was written within a second.
func followed(t *testing.T, s *suite) {
	x, other := newIndex(model, dim), s.again(t)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	go func() { _ = x.Follow(ctx, other, 250*time.Millisecond, nil) }()
	s.put(t, entry("a", "shrimp pond"))
	deadline := time.Now().Add(time.Second)
	for time.Now().Before(deadline) {
		if n, _ := x.Size(); n == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if out := (way{"index", x}).retrieve(t, reading("shrimp", nil), nil, 5); len(out.List) != 1 {
		t.Errorf("after a second %d are found", len(out.List))
	}
}

// woken: whoever asks a database to be told of changes hears of those of others, after the first call that is for what
// was missed before.
func woken(t *testing.T, s *suite) {
	db, ok := s.Store.(store.Database)
	if !ok {
		t.Skip("no database")
	}
	wake, other := db.Wakeups(s.ctx), s.again(t)
	hear := func(what string) {
		t.Helper()
		select {
		case <-wake:
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: nothing is heard", what)
		}
	}
	hear("at first")
	for what, do := range map[string]func() error{
		"put": func() error { return other.Put(s.ctx, model, dim, []engine.Entry{entry("a", "x")}) },
		"vectors": func() error {
			return other.PutVectors(s.ctx, model, dim, []engine.Entry{entry("a", "x"), entry("b", "x")})
		},
		"delete": func() error { return other.Delete(s.ctx, "b") },
	} {
		s.put(t, bare(entry("a", "x")), bare(entry("b", "x")))
		hear("a write of our own")
		if err := do(); err != nil {
			t.Fatal(err)
		}
		hear(what)
	}
}
