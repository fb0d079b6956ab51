package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/ketnoi/ketnoi/engine/store"
)

// lookForModel is how often a server looks whether the store's model was exchanged.
const lookForModel = time.Second

// follow keeps a server up to date until ctx is done: with the store's changes, its model, its jobs and its maintenance.
func (h *house) follow(ctx context.Context, c *config, auto way) {
	if db, ok := h.store.(store.Database); ok {
		go maintain(ctx, db)
	}
	d := h.desk.Load()
	for ctx.Err() == nil {
		own, leave := context.WithCancel(ctx)
		go d.follow(own, h)
		go h.embed(own, d.model)
		next := h.awaitModel(ctx, c, d, auto)
		if next != nil {
			h.desk.Store(next)
			slog.Info("answering by another model or ranker from now on", "model", next.spec.Name, "ranker", next.rec.Ranker.Name, "model_before", d.spec.Name, "ranker_before", d.rec.Ranker.Name)
			d = next
		}
		go func() { // not before the answers that are under way
			sleep(ctx, maxAnswerTime)
			leave()
		}()
	}
}

// maxAnswerTime is how long an answer may be under way.
const maxAnswerTime = 20 * time.Second

// awaitModel waits until the store has another model or ranker, and returns a desk that is ready to answer by it; nil when ctx is done.
func (h *house) awaitModel(ctx context.Context, c *config, d *desk, auto way) *desk {
	for told := ""; ctx.Err() == nil; sleep(ctx, lookForModel) {
		spec, err := activeSpec(ctx, h.store)
		ranker := d.ranker
		if err == nil {
			_, ranker, err = storedRanker(ctx, h.store)
		}
		if err == nil && spec == d.spec && ranker == d.ranker {
			continue
		}
		var next *desk
		var m *model
		if err == nil {
			if m, err = h.openModel(ctx, c, spec); err == nil {
				// The index is loaded beside the old one, which goes on answering.
				if next, err = h.loaded(ctx, c, m, io.Discard, 0, byIndex); err != nil {
					next, err = h.loaded(ctx, c, m, io.Discard, 0, auto)
				}
			}
		}
		if err == nil {
			return next
		}
		if err.Error() != told && ctx.Err() == nil {
			told = err.Error()
			slog.Error("the store's model cannot be used; the one before goes on answering", "error", err)
		}
	}
	return nil
}

// embed works the store's jobs.
func (h *house) embed(ctx context.Context, m *model) {
	w := &worker{house: h, model: func() *model { return m }, told: func(err error) {
		if err != nil {
			slog.Warn("listings wait for their vectors", "error", err)
		} else {
			slog.Info("the embedding provider answers again")
		}
	}}
	for ctx.Err() == nil {
		if err := w.run(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("jobs cannot be worked; trying again", "error", err)
		}
		if m.local() {
			return
		}
		sleep(ctx, 5*time.Second)
	}
}
