package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store/queue"
)

// notes are kept by space and key, written all or none, and listed in the order of their keys' bytes.
func notes(t *testing.T, s *suite) {
	put := func(space string, notes map[string][]byte) {
		t.Helper()
		if err := s.PutNotes(s.ctx, space, notes); err != nil {
			t.Fatal(err)
		}
	}
	put("a", map[string][]byte{"k": []byte("1"), "Z": {}, "é": {0, 255}, "k 2": []byte("2")})
	put("b", map[string][]byte{"k": []byte("other")})
	put("a", map[string][]byte{"k": []byte("3"), "Z": nil, "never": nil})
	got, err := s.again(t).Notes(s.ctx, "a", "k", "Z", "é", "never")
	if err != nil || len(got) != 2 || string(got["k"]) != "3" || string(got["é"]) != "\x00\xff" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := s.Notes(s.ctx, "a"); err != nil || len(got) != 0 {
		t.Errorf("of no key %q, %v", got, err)
	}
	var keys []string
	for after := ""; ; {
		some, err := s.ListNotes(s.ctx, "a", after, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			break
		}
		keys, after = append(keys, some[0].Key), some[0].Key
	}
	if want := []string{"k", "k 2", "é"}; !slices.Equal(keys, want) {
		t.Errorf("keys %q, want %q", keys, want)
	}
	many := map[string][]byte{}
	for i := range 3_000 {
		many[fmt.Sprint(i)] = []byte{byte(i)}
	}
	put("many", many)
	if got, err := s.Notes(s.ctx, "many", slices.Collect(maps.Keys(many))...); err != nil || len(got) != len(many) {
		t.Errorf("%d of %d notes, %v", len(got), len(many), err)
	}
}

// paid vectors come back by the model and the text, and only whole ones are taken.
func paid(t *testing.T, s *suite) {
	one, two := engine.KeyOf("one"), engine.KeyOf("two")
	e := entry("a", "x")
	keep := func(dim int, p ...engine.Paid) error { return s.PutPaid(s.ctx, model, dim, p) }
	if err := keep(dim, engine.Paid{Key: one, ID: "a", Vector: e.Vectors[0]}); err != nil {
		t.Fatal(err)
	}
	if err := keep(dim, engine.Paid{Key: two, ID: "a", Vector: e.Vectors[1]}, engine.Paid{Key: one, ID: "b", Vector: e.Vectors[1]}); err != nil {
		t.Fatal(err)
	}
	if err := keep(dim, engine.Paid{Key: two, ID: "b", Vector: make([]float32, dim)}); !errors.Is(err, engine.ErrVector) {
		t.Errorf("a vector without direction: %v", err)
	}
	if err := keep(dim + 1); err == nil {
		t.Error("the model changes its width")
	}
	got, err := s.Paid(s.ctx, model, []engine.TextKey{one, two, engine.KeyOf("three")})
	if err != nil || len(got) != 2 || !slices.Equal(got[one], e.Vectors[0]) || !slices.Equal(got[two], e.Vectors[1]) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := s.Paid(s.ctx, "test-2", []engine.TextKey{one}); err != nil || len(got) != 0 {
		t.Errorf("another model: %v, %v", got, err)
	}
	s.put(t, e)
	if err := s.Forget(s.ctx, model); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Paid(s.ctx, model, []engine.TextKey{one}); err != nil || len(got) != 0 {
		t.Errorf("forgotten: %v, %v", got, err)
	}
	if n, err := s.Lacking(s.ctx, model); err != nil || n != 1 {
		t.Errorf("%d listings lack vectors of a model that was forgotten, %v", n, err)
	}
	if err := s.Put(s.ctx, model, dim+1, nil); err != nil {
		t.Errorf("a forgotten model has no width: %v", err)
	}
	if err := s.Forget(s.ctx, "never seen"); err != nil {
		t.Error(err)
	}
}

// jobs are stored with the listings they are about or not at all, worked once by however many work them, tried again when
// they fail, and told of when they are given up.
func jobs(t *testing.T, s *suite) {
	var entries []engine.Entry
	var lists [][]string
	for i := range 40 {
		e := entry(fmt.Sprintf("l%02d", i), "x")
		entries, lists = append(entries, e), append(lists, []string{e.Listing.ID})
	}
	bad := slices.Clone(entries)
	bad[39].Listing = &engine.Listing{ID: "bad", Kind: "none", Title: "x", Text: "x"}
	if err := s.PutLater(s.ctx, bad, lists); err == nil {
		t.Fatal("a listing of no kind is stored")
	}
	if b, err := s.Queue().Backlog(s.ctx); err != nil || b.Total() != 0 {
		t.Fatalf("jobs of listings that were not stored: %+v, %v", b, err)
	}
	if err := s.PutLater(s.ctx, entries, lists); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s.ctx, s.Store, model, "l00"); !same(got["l00"], bare(entries[0])) {
		t.Errorf("got %+v", got)
	}
	if n, err := s.Lacking(s.ctx, model); err != nil || n != 40 {
		t.Errorf("%d lack vectors, %v", n, err)
	}
	if b, err := s.Queue().Backlog(s.ctx); err != nil || b.Waiting != 40 {
		t.Errorf("backlog %+v, %v", b, err)
	}
	var mu sync.Mutex
	worked := map[string]int{}
	var swept atomic.Int32
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	var ended sync.WaitGroup
	for _, st := range []interface{ Queue() queue.Jobs }{s.Store, s.again(t)} {
		ended.Go(func() {
			err := st.Queue().Work(ctx, queue.Options{Workers: 4, Timeout: 10 * time.Second, Do: func(_ context.Context, ids []string) (time.Duration, error) {
				if len(ids) == 0 {
					swept.Add(1)
					return 0, nil
				}
				mu.Lock()
				defer mu.Unlock()
				worked[ids[0]]++
				switch n := worked[ids[0]]; {
				case ids[0] == "l05" && n == 1:
					return 0, errors.New("once")
				case ids[0] == "l06" && n < 4:
					return 10 * time.Millisecond, nil
				}
				return 0, nil
			}})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range 3 {
		if err := s.Queue().Sweep(s.ctx); err != nil {
			t.Error(err)
		}
	}
	settle(t, s)
	stop()
	ended.Wait()
	for id, n := range worked {
		want := map[string]int{"l05": 2, "l06": 4}[id]
		if want = max(want, 1); n != want {
			t.Errorf("%s is worked %d times, want %d", id, n, want)
		}
	}
	if len(worked) != 40 || swept.Load() == 0 || swept.Load() > 3 {
		t.Errorf("%d listings worked, %d sweeps", len(worked), swept.Load())
	}
	if err := s.Queue().GivenUp(s.ctx, func(g []queue.GivenUp) error { return fmt.Errorf("nothing was given up, but %v", g) }); err != nil {
		t.Error(err)
	}
}

// settle waits until no job is left.
func settle(t *testing.T, s *suite) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		b, err := s.Queue().Backlog(s.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if b.Total() == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("jobs are left: %+v", b)
		}
	}
}
