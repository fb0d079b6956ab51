package main

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store/queue"
	"github.com/ketnoi/ketnoi/ingest"
)

// filler fills by a model.
func (h *house) filler(m *model) *ingest.Filler {
	f := &ingest.Filler{Store: h.store, Notes: h.store, Embedder: m.embedder, Batch: 256}
	if !m.local() {
		f.Ledger, f.Claims, f.Batch = h.store, &m.claims, m.spec.Batch
	}
	if m.spec.Foreign() {
		f.Withhold = func(l *engine.Listing) string {
			if l.LacksBasis() {
				return "it is about a person and states no basis for processing: its texts are not sent to " + m.spec.Recipient()
			}
			return ""
		}
	}
	return f
}

// atOnce is how many batches are filled at once: twice as many as there may be requests, so that the provider never waits
// for the store.
func (m *model) atOnce() int {
	if m.local() {
		return runtime.GOMAXPROCS(0)
	}
	return 2 * m.spec.Concurrency
}

// worker embeds what jobs ask for, until its context is done.
type worker struct {
	house   *house
	model   func() *model // the active one
	trouble atomic.Pointer[error]
	told    func(error) // called when the provider begins to fail, and with nil when it goes on; may be nil
}

const (
	sweepEvery  = 20 * time.Second
	deniedPause = time.Minute
	leastPause  = time.Second
	jobMargin   = 5 * time.Second // of a job's time, for storing what was embedded
)

// run works jobs, and now and then looks for those that were given up and for listings that no job is about.
func (w *worker) run(ctx context.Context) error {
	m := w.model()
	if m.local() {
		return nil
	}
	go w.tend(ctx)
	timeout := m.spec.Timeout + jobMargin
	return w.house.store.Queue().Work(ctx, queue.Options{Workers: m.atOnce(), Timeout: timeout, Do: func(ctx context.Context, ids []string) (time.Duration, error) {
		return w.do(ctx, ids, time.Now().Add(jobMargin))
	}})
}

// do works one job. A provider that does not answer is no fault of the job: it waits.
func (w *worker) do(ctx context.Context, ids []string, until time.Time) (again time.Duration, err error) {
	if len(ids) == 0 {
		return 0, w.sweep(ctx)
	}
	more, err := w.house.filler(w.model()).Fill(ctx, ids, until)
	var away *embeddings.UnavailableError
	switch {
	case errors.As(err, &away):
		w.tell(err)
		return max(away.After, leastPause), nil
	case errors.Is(err, context.DeadlineExceeded):
		w.tell(err)
		return leastPause, nil
	case errors.Is(err, embeddings.ErrDenied):
		w.tell(err)
		return deniedPause, nil
	case err == nil:
		w.tell(nil)
	}
	if more {
		return time.Millisecond, err
	}
	return 0, err
}

// tell says when the provider begins and ends to fail, once each.
func (w *worker) tell(err error) {
	var now *error
	if err != nil {
		now = &err
	}
	if before := w.trouble.Swap(now); (before == nil) != (err == nil) && w.told != nil {
		w.told(err)
	}
}

// sweep inserts jobs for listings that lack vectors and have no job: those that came while the model was exchanged, and
// those of a program from before there were jobs.
func (w *worker) sweep(ctx context.Context) error {
	var jobs [][]string
	const most = 1000
	err := w.house.filler(w.model()).Each(ctx, func(ids []string) error {
		if jobs = append(jobs, ids); len(jobs) == most {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	// Asked after the listings were read: a job that one of them had then has come to its end, unless it is counted here.
	backlog, err := w.house.store.Queue().Backlog(ctx)
	if err != nil || backlog.Total() > 1 { // the one is this job
		return err
	}
	return w.house.store.Queue().Insert(ctx, jobs)
}

// tend looks after the queue.
func (w *worker) tend(ctx context.Context) {
	for ctx.Err() == nil {
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("the queue of embeddings cannot be looked after; trying again", "error", err)
		}
		sleep(ctx, sweepEvery)
	}
}

func (w *worker) look(ctx context.Context) error {
	jobs, f := w.house.store.Queue(), w.house.filler(w.model())
	err := jobs.GivenUp(ctx, func(gone []queue.GivenUp) error {
		for _, g := range gone {
			if err := f.Fail(ctx, g.IDs, g.Reason); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	backlog, err := jobs.Backlog(ctx)
	if err != nil || backlog.Total() > 0 {
		return err
	}
	err = f.Each(ctx, func([]string) error { return errEnough })
	if errors.Is(err, errEnough) {
		err = jobs.Sweep(ctx)
	}
	return err
}

// failures counts the listings noted as failed under a model, and gives each to see, if there is one.
func (h *house) failures(ctx context.Context, model string, see func(id string, note []byte) error) (n int, err error) {
	err = ingest.EachNote(ctx, h.store, ingest.FailedSpace(model), "", func(note engine.Note) error {
		if n++; see == nil {
			return nil
		}
		return see(note.Key, note.Value)
	})
	return n, err
}
