package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/ingest"
)

func newIngestStatus(c *config) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say what waits for its vectors, and what failed for which reason",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withStore(cmd.Context(), func(h *house) error { return c.printBacklog(cmd.Context(), h) })
		},
	}
}

func newIngestWork(c *config) *cobra.Command {
	return &cobra.Command{
		Use:   "work",
		Short: "Embed what waits for its vectors, then stop",
		Long: `Works the store's jobs until none is left. Several of these, and servers, share the work; each may be stopped at any
moment, and what was paid for by then is kept.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withStore(cmd.Context(), func(h *house) error { return c.await(cmd.Context(), h) })
		},
	}
}

func newIngestRetry(c *config) *cobra.Command {
	return &cobra.Command{
		Use:   "retry [ID…]",
		Short: "Try to embed again what failed: the listings named, or all",
		RunE: func(cmd *cobra.Command, ids []string) error {
			return c.withStore(cmd.Context(), func(h *house) error {
				n, err := h.retry(cmd.Context(), ids)
				if err != nil || n == 0 {
					if err == nil {
						fmt.Println("nothing has failed")
					}
					return err
				}
				fmt.Printf("%d listings are tried again\n", n)
				return c.await(cmd.Context(), h)
			})
		},
	}
}

// withStore opens a store that is there.
func (c *config) withStore(ctx context.Context, do func(*house) error) error {
	h, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer h.store.Close()
	return do(h)
}

func (c *config) printBacklog(ctx context.Context, h *house) error {
	total, err := h.total(ctx)
	if err != nil {
		return err
	}
	lacking, err := h.store.Lacking(ctx, h.model.spec.Name)
	if err != nil {
		return err
	}
	backlog, err := h.store.Queue().Backlog(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d listings, %d without vectors of %s\njobs: %d waiting, %d running, %d later\n", total, lacking, h.model.spec.Name, backlog.Waiting, backlog.Running, backlog.Later)
	if err := h.eachTransfer(ctx, func(t transfer) error {
		fmt.Printf("sent to %s: %d texts in %d requests for %s, %s to %s (%s)\n", showLine(t.Recipient), t.Texts, t.Requests, showLine(t.Model), t.First.Format(time.DateTime), t.Last.Format(time.TimeOnly), t.Purpose)
		return nil
	}); err != nil {
		return err
	}
	n, err := h.failures(ctx, h.model.spec.Name, func(id string, note []byte) error {
		var f ingest.Failure
		if err := json.Unmarshal(note, &f); err != nil {
			return err
		}
		fmt.Printf("failed: %s: %s (%s)\n", showLine(id), showLine(f.Reason), f.At.Format(time.RFC3339))
		return nil
	})
	if err == nil && n > 0 {
		fmt.Printf("%d failed; mend the listings and ingest them again, or \"ketnoi ingest retry\"\n", n)
		return &exitError{code: exitRejected}
	}
	return err
}

// retry forgets failures and inserts jobs for their listings.
func (h *house) retry(ctx context.Context, ids []string) (n int, err error) {
	space := ingest.FailedSpace(h.model.spec.Name)
	if len(ids) > 0 {
		noted, err := h.store.Notes(ctx, space, ids...)
		if err != nil {
			return 0, err
		}
		for _, id := range ids {
			if noted[id] == nil {
				return 0, fmt.Errorf("%s has not failed under %s", id, h.model.spec.Name)
			}
		}
	} else if _, err := h.failures(ctx, h.model.spec.Name, func(id string, _ []byte) error { ids = append(ids, id); return nil }); err != nil {
		return 0, err
	}
	for rest := ids; len(rest) > 0; {
		some := rest[:min(len(rest), 64)]
		rest = rest[len(some):]
		gone := make(map[string][]byte, len(some))
		for _, id := range some {
			gone[id] = nil
		}
		// Jobs first: whoever is stopped between the two tries twice rather than never.
		if err := h.store.Queue().Insert(ctx, [][]string{some}); err != nil {
			return n, err
		}
		if err := h.store.PutNotes(ctx, space, gone); err != nil {
			return n, err
		}
		n += len(some)
	}
	return n, nil
}

// How long an ingest waits for a provider that does not answer.
const (
	troubleTime = 5 * time.Minute
	watchEvery  = 100 * time.Millisecond
)

// await works jobs until nothing waits for its vectors, showing how far it is.
func (c *config) await(ctx context.Context, h *house) error {
	if h.model.local() {
		fmt.Println("nothing waits: the built-in model embeds at once")
		return nil
	}
	e := h.startEmbedding(ctx)
	return e.await(ctx, c)
}

// embedding is work on a store's jobs that goes on while listings come in, and is waited for at the end.
type embedding struct {
	house   *house
	stop    context.CancelFunc
	trouble chan error // when the provider begins to fail, and nil when it goes on
	ended   chan error
}

func (h *house) startEmbedding(ctx context.Context) *embedding {
	e := &embedding{house: h, trouble: make(chan error, 100), ended: make(chan error, 1)}
	w := &worker{house: h, model: func() *model { return h.model }, told: func(err error) {
		select {
		case e.trouble <- err:
		default:
		}
	}}
	ctx, e.stop = context.WithCancel(ctx)
	go func() { e.ended <- w.run(ctx) }()
	return e
}

// await waits until nothing lacks vectors but what failed, and stops the work.
func (e *embedding) await(ctx context.Context, c *config) error {
	h := e.house
	name := h.model.spec.Name
	total, err := h.store.Lacking(ctx, name)
	if err == nil {
		bar := c.meter(os.Stderr, "embedding with "+name, total)
		err = e.watch(ctx, bar, total)
		bar.finish(false)
	}
	e.stop()
	if workErr := <-e.ended; err == nil {
		err = workErr
	}
	left, countErr := h.store.Lacking(context.WithoutCancel(ctx), name)
	if countErr != nil {
		return errors.Join(err, countErr)
	}
	fmt.Printf("embedded with %s: %s\n", name, h.usage.sentence(&h.model.spec))
	if interrupted(ctx, err) {
		fmt.Fprintf(os.Stderr, "stopped; %d listings wait for their vectors, \"ketnoi ingest work\" or a server goes on\n", left)
		return &exitError{code: exitRejected}
	}
	if err != nil {
		return &exitError{exitRejected, fmt.Errorf("%w; %d listings are stored and wait for their vectors: \"ketnoi ingest work\" or a server goes on", err, left)}
	}
	if left > 0 {
		fmt.Fprintf(os.Stderr, "%d listings failed: \"ketnoi ingest status\" says why\n", left)
		return &exitError{code: exitRejected}
	}
	return nil
}

// watch waits for the end of the work, or for a reason to give up.
func (e *embedding) watch(ctx context.Context, bar *meter, total int) error {
	h := e.house
	var since, counted time.Time
	var last error
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-e.ended:
			e.ended <- nil
			return err
		case err := <-e.trouble:
			switch {
			case errors.Is(err, embeddings.ErrDenied):
				return err
			case err != nil && last == nil:
				since = time.Now()
				fmt.Fprintf(os.Stderr, "%s; waiting for it (stop with Ctrl+C, nothing is lost)\n", showLine(err.Error()))
			case err == nil && last != nil:
				fmt.Fprintln(os.Stderr, "the provider answers again")
			}
			last = err
			continue
		case <-ticker.C:
		}
		if last != nil && time.Since(since) > troubleTime {
			return last
		}
		if time.Since(counted) > time.Second { // counting takes longer than looking whether there are jobs
			left, err := h.store.Lacking(ctx, h.model.spec.Name)
			if err != nil {
				return err
			}
			bar.set(total - left)
			counted = time.Now()
		}
		if done, err := h.settled(ctx); done || err != nil {
			return err
		}
	}
}

// settled reports whether no job is left and nothing lacks vectors but what failed.
func (h *house) settled(ctx context.Context) (bool, error) {
	backlog, err := h.store.Queue().Backlog(ctx)
	if err != nil || backlog.Total() > 0 {
		return false, err
	}
	err = h.filler(h.model).Each(ctx, func([]string) error { return errEnough })
	if errors.Is(err, errEnough) {
		return false, h.store.Queue().Sweep(ctx)
	}
	return err == nil, err
}
