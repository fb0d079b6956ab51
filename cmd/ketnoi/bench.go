package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/text"
)

func newBench(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Time recommendations on the store, step by step",
		Long: `Asks the store with titles of its own problems as free texts, one after the other in this process, and prints the
median and the 95th percentile, with the share of each step. The first tenth warms up and is not counted.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runBench(cmd.Context()) },
	}
	c.benchFlags(cmd)
	return cmd
}

// timings is what bench prints; durations in milliseconds.
type timings struct {
	Listings int                `json:"listings"`
	Passages int                `json:"passages"`
	Load     float64            `json:"index_load_ms"`
	Queries  int                `json:"queries"`
	Median   float64            `json:"median_ms"`
	P95      float64            `json:"p95_ms"`
	Steps    map[string]float64 `json:"step_share"`
}

func (c *config) runBench(ctx context.Context) error {
	if c.queries < 1 {
		return fmt.Errorf("--queries %d: want at least 1", c.queries)
	}
	if err := c.checkRetrieve(); err != nil {
		return err
	}
	h, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer h.store.Close()
	start := time.Now()
	if err := h.load(ctx, c, os.Stderr, byIndex); err != nil {
		return err
	}
	t := timings{Load: ms(time.Since(start)), Steps: map[string]float64{}}
	if t.Listings, t.Passages, err = h.size(ctx); err != nil {
		return err
	}
	texts, err := problemTitles(ctx, h, c.queries)
	if err != nil {
		return err
	}
	if len(texts) == 0 {
		return fmt.Errorf("%s holds no problems to ask with", h.store.Address())
	}
	warm := max(1, len(texts)/10)
	m := c.meter(os.Stderr, "asking", len(texts)+warm)
	var times []time.Duration
	var sum engine.Steps
	for i, title := range append(slices.Clone(texts[:warm]), texts...) {
		began := time.Now()
		a, err := h.desk.Load().rec.Recommend(ctx, engine.Query{Text: title, Want: []engine.Kind{engine.Expert, engine.Technology}})
		if err != nil {
			return err
		}
		m.set(i + 1)
		if i < warm {
			continue
		}
		times = append(times, time.Since(began))
		sum.Read, sum.Retrieve, sum.Score, sum.Explain = sum.Read+a.Steps.Read, sum.Retrieve+a.Steps.Retrieve, sum.Score+a.Steps.Score, sum.Explain+a.Steps.Explain
	}
	m.finish(false)
	slices.Sort(times)
	t.Queries, t.Median, t.P95 = len(times), ms(times[len(times)/2]), ms(times[len(times)*95/100])
	all := float64(sum.Read + sum.Retrieve + sum.Score + sum.Explain)
	for name, d := range map[string]time.Duration{"read": sum.Read, "retrieve": sum.Retrieve, "score": sum.Score, "explain": sum.Explain} {
		t.Steps[name] = float64(d) / all
	}
	if c.json {
		return printJSON(t)
	}
	fmt.Printf("%d listings, %d passages; index ready after %.0f ms\n", t.Listings, t.Passages, t.Load)
	fmt.Printf("%d free-text recommendations of up to 10: median %.2f ms, p95 %.2f ms\n", t.Queries, t.Median, t.P95)
	for _, name := range []string{"read", "retrieve", "score", "explain"} {
		fmt.Printf("  %-9s %5.1f %%\n", name, 100*t.Steps[name])
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// problemTitles returns titles of stored problems, the same ones every time.
func problemTitles(ctx context.Context, h *house, n int) ([]string, error) {
	var out []string
	err := h.store.Changes(ctx, 0, "", func(c index.Change) error {
		if l := c.Entry.Listing; l != nil && l.Kind == engine.Problem && len(text.TermList(l.Title)) > 0 {
			if out = append(out, l.Title); len(out) == n {
				return errEnough
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}

var errEnough = errors.New("enough")
