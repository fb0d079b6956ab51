package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/ketnoi/ketnoi/embeddings/openai/fake"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store"
)

// kills kills the program at random moments of an ingest, again and again, lets it come to its end, and counts what is
// missing, double, wrong, or paid for twice.
func kills(ctx context.Context, w *world) error {
	file, err := w.file("kills.jsonl", w.listings)
	if err == nil {
		err = w.use()
	}
	if err != nil {
		return err
	}
	began := time.Now()
	killed := 0
	for killed < w.kills {
		c := w.command("ingest", file)
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		if err := c.Start(); err != nil {
			return err
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		select {
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("%w\n%s", err, out.String())
			}
			// Everything is embedded: the rest of the kills falls on the texts of another version.
			if err := w.revise(file); err != nil {
				return err
			}
		case <-time.After(time.Duration(w.random.IntN(1_500)) * time.Millisecond):
			_ = c.Process.Kill()
			if <-ended == nil {
				continue // it came to its end first
			}
			killed++
		}
	}
	lastKill := time.Now()
	took, _, err := w.ran("ingest", file)
	if err != nil {
		return err
	}
	if _, _, err := w.ran("ingest", "work"); err != nil {
		return err
	}
	again := w.provider.again()
	fmt.Printf("kills on %s: %d kills in %s; the last run came to its end %s after the last kill; %d texts billed, %d of them again: %.2f a kill (a batch is %d, %d at once)\n",
		w.store, killed, lastKill.Sub(began).Round(time.Second), took.Round(100*time.Millisecond), w.provider.texts(), again, float64(again)/float64(killed), w.batch, w.concurrency)
	if err := w.audit(ctx, "kills"); err != nil {
		return err
	}
	if most := killed * w.batch * w.concurrency; again > most {
		return fmt.Errorf("%d texts were paid for again, more than the %d that can have been under way", again, most)
	}
	return nil
}

// revise changes every listing, so that there is something to embed.
func (w *world) revise(file string) error {
	w.version++
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(strings.ReplaceAll(string(body), `","lang"`, fmt.Sprintf(` v%d","lang"`, w.version))), 0o600)
}

// audit compares what is stored with what the provider gives for it.
func (w *world) audit(ctx context.Context, what string) error {
	s, err := store.Open(ctx, w.address)
	if err != nil {
		return err
	}
	defer s.Close()
	ids := map[string]int{}
	passages, bare, wrong := 0, 0, 0
	err = s.Changes(ctx, 0, w.provider.model, func(c index.Change) error {
		ids[c.ID]++
		e := c.Entry
		passages += len(e.Passages)
		if len(e.Vectors) != len(e.Passages) {
			bare += len(e.Passages)
			return nil
		}
		for i, p := range e.Passages {
			if !near(e.Vectors[i], fake.Vector(e.Listing.Matchable(p), width)) {
				wrong++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	double := 0
	for _, n := range ids {
		if n > 1 {
			double++
		}
	}
	fmt.Printf("%s on %s: %d listings, %d passages: %d without a vector, %d doubled listings, %d vectors of another text\n", what, w.store, len(ids), passages, bare, double, wrong)
	if len(ids) != w.listings || bare+double+wrong > 0 {
		return fmt.Errorf("want %d listings and no fault", w.listings)
	}
	return nil
}

func near(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 1e-5 {
			return false
		}
	}
	return true
}
