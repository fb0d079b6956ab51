package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ketnoi/ketnoi/engine"
)

// rate says how near an ingest comes to what its provider gives: to a client that does nothing but post full batches of such
// texts and read the answers, as many at once.
func rate(ctx context.Context, w *world) error {
	file, err := w.file("rate.jsonl", w.listings)
	if err == nil {
		err = w.use()
	}
	if err != nil {
		return err
	}
	ceiling, err := w.bare(file)
	if err != nil {
		return err
	}
	before := w.provider.texts()
	took, memory, err := w.ran("ingest", file)
	if err != nil {
		return err
	}
	texts := w.provider.texts() - before
	reached := float64(texts) / took.Seconds()
	fmt.Printf("rate on %s: %d listings (%d texts) in %.1f s, from the start of the program to its end: %.0f listings/s, %.0f texts/s, %.0f %% of the %.0f that a bare client gets (%d texts x %d at once / %s: %.0f); %d MiB\n",
		w.store, w.listings, texts, took.Seconds(), float64(w.listings)/took.Seconds(), reached, 100*reached/ceiling, ceiling, w.batch, w.concurrency, w.latency, float64(w.batch*w.concurrency)/w.latency.Seconds(), memory>>20)
	if err := w.audit(ctx, "rate"); err != nil {
		return err
	}
	if reached < 0.9*ceiling {
		return errors.New("below 90 %")
	}
	return nil
}

// bare is how many texts a second the provider gives whoever asks without a pause and does nothing with the answers.
func (w *world) bare(file string) (float64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var bodies [][]byte
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for more := true; more; {
		var texts []string
		for len(texts) < w.batch {
			if more = lines.Scan(); !more {
				break
			}
			var l engine.Listing
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				return 0, err
			}
			texts = append(texts, "bare "+l.Text) // not what is embedded later
		}
		if len(texts) < w.batch {
			break
		}
		body, err := json.Marshal(map[string]any{"model": w.provider.model, "input": texts})
		if err != nil {
			return 0, err
		}
		bodies = append(bodies, body)
	}
	bodies = bodies[:min(len(bodies), int(10*float64(w.concurrency)/w.latency.Seconds()))]
	var next atomic.Int64
	var group errgroup.Group
	began := time.Now()
	for range w.concurrency {
		group.Go(func() error {
			for i := next.Add(1) - 1; int(i) < len(bodies); i = next.Add(1) - 1 {
				resp, err := http.Post(w.provider.url+"/embeddings", "application/json", bytes.NewReader(bodies[i]))
				if err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK {
					return fmt.Errorf("status %d, %w", resp.StatusCode, err)
				}
			}
			return nil
		})
	}
	err = group.Wait()
	return float64(len(bodies)*w.batch) / time.Since(began).Seconds(), err
}

// memory compares what an ingest holds for few and for many listings.
func memory(_ context.Context, w *world) error {
	if err := w.use(); err != nil {
		return err
	}
	held := map[int]int64{}
	for _, n := range []int{w.listings, w.most} {
		file, err := w.file(fmt.Sprintf("memory-%d.jsonl", n), n)
		if err != nil {
			return err
		}
		took, most, err := w.ran("ingest", file)
		if err != nil {
			return err
		}
		held[n] = most
		fmt.Printf("memory on %s: %d listings in %.1f s, at most %d MiB\n", w.store, n, took.Seconds(), most>>20)
		_ = os.Remove(file)
	}
	if grown := float64(held[w.most]) / float64(held[w.listings]); grown > 1.5 {
		return fmt.Errorf("memory grows %.1f times", grown)
	}
	return nil
}

// down lets the provider fail wholly under load, and says how long answers take to recover when it is back.
func down(_ context.Context, w *world) error {
	file, err := w.file("down.jsonl", 2_000)
	if err == nil {
		err = w.use()
	}
	if err == nil {
		_, _, err = w.ran("ingest", file)
	}
	if err != nil {
		return err
	}
	s, err := w.serve()
	if err != nil {
		return err
	}
	defer s.stop()
	var asked atomic.Int64 // no question twice: the server remembers vectors
	query := func(int) engine.Query {
		return engine.Query{Text: fmt.Sprintf("shrimp pond effluent sensor %d", asked.Add(1)), Want: []engine.Kind{engine.Technology}, Limit: 3}
	}
	phase := func(name string, d time.Duration) *load {
		l := s.load(query, nil)
		time.Sleep(d)
		l.end()
		fmt.Printf("down on %s: %s: %d answered, %d of them degraded, %d failed, median %s\n", w.store, name, l.answered, l.degraded, l.failed, median(l.took).Round(10*time.Microsecond))
		return l
	}
	before := phase("the provider answers", 3*time.Second)
	w.provider.fail(true)
	_, _ = s.ask(query(-1))
	away := phase("it fails wholly", 10*time.Second)
	var whole atomic.Bool
	l := s.load(query, func(a *engine.Answer) {
		if !a.Degraded {
			whole.Store(true)
		}
	})
	began := time.Now()
	w.provider.fail(false)
	for !whole.Load() && time.Since(began) < time.Minute {
		time.Sleep(time.Millisecond)
	}
	recovered := time.Since(began)
	l.end()
	fmt.Printf("down on %s: the first whole answer %s after the provider was back\n", w.store, recovered.Round(time.Millisecond))
	after := phase("it answers again", 3*time.Second)
	switch {
	case before.failed+away.failed+l.failed+after.failed > 0:
		return fmt.Errorf("answers failed: %w", errors.Join(before.firstFail, away.firstFail, l.firstFail, after.firstFail))
	case away.degraded != away.answered || before.degraded > 0 || after.degraded > 0 || !whole.Load():
		return errors.New("answers are not marked as they are")
	}
	return nil
}

// change exchanges the model of a store of real providers while it answers.
func change(_ context.Context, w *world) error {
	if w.providers == "" {
		return errors.New("-providers FILE: missing")
	}
	if _, _, err := w.ran("ingest", w.providers, "--kind", "expert", "--lang", "en", "--map", "title=firm"); err != nil {
		return err
	}
	s, err := w.serve()
	if err != nil {
		return err
	}
	defer s.stop()
	words := strings.Fields("radar turbine coating sensor laser vaccine software antenna battery composite sonar optics drone")
	l := s.load(func(i int) engine.Query {
		return engine.Query{Text: words[i%len(words)] + " for " + words[(i/len(words))%len(words)] + " systems", Want: []engine.Kind{engine.Expert}, Limit: 5}
	}, nil)
	time.Sleep(2 * time.Second)
	for _, step := range [][]string{nil, {"reindex", "--back"}} {
		began := time.Now()
		if step == nil {
			err = w.use()
		} else {
			_, _, err = w.ran(step...)
		}
		if err != nil {
			return err
		}
		took := time.Since(began)
		want := w.provider.model
		for until := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			a, err := s.ask(engine.Query{Text: "laser radar", Want: []engine.Kind{engine.Expert}, Limit: 1})
			if err == nil && (a.Model == want) == (step == nil) {
				break
			}
			if time.Now().After(until) {
				return errors.New("the server does not change over")
			}
		}
		fmt.Printf("change on %s: reindex %v took %.1f s, the server changed over %.1f s after it\n", w.store, step, took.Seconds(), (time.Since(began) - took).Seconds())
		time.Sleep(2 * time.Second)
	}
	l.end()
	fmt.Printf("change on %s: %d recommendations under way meanwhile, %d failed, %d degraded, by model %v\n", w.store, l.answered, l.failed, l.degraded, l.by)
	if l.failed > 0 {
		return l.firstFail
	}
	return nil
}
