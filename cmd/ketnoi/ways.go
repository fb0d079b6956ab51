package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store"
)

// way is who finds candidates.
type way string

const (
	byIndex    way = "index"    // the index in memory
	byDatabase way = "database" // the database itself
	byBoth     way = "both"     // the database until the index is loaded, and again if it outgrows its memory
)

// ways retrieves by whichever way is open now. It is exchanged while queries run.
type ways struct {
	now      atomic.Pointer[engine.Retriever]
	first    way // the way that answers first
	index    engine.Retriever
	database engine.Retriever // nil for a store that cannot retrieve
	both     bool
}

// newWays settles who retrieves: what --retrieve says, or auto where it leaves it open. An embedded store has only the
// index.
func (h *house) newWays(c *config, d *desk, auto way) *ways {
	w := &ways{first: byIndex, index: d.index}
	if db, ok := h.store.(store.Database); ok {
		w.database = db.Retriever(d.spec.Name, glossary.Default())
		chosen := way(c.retrieve)
		if chosen != byIndex && chosen != byDatabase {
			chosen = auto
		}
		if chosen != byIndex {
			w.first = byDatabase
		}
		w.both = chosen == byBoth
	}
	w.use(w.first)
	return w
}

func (w *ways) use(by way) {
	r := w.index
	if by == byDatabase {
		r = w.database
	}
	w.now.Store(&r)
}

func (w *ways) byIndex() bool { return *w.now.Load() == w.index }

// advice ends a message about an index that does not fit.
func (w *ways) advice() string {
	if w.database != nil {
		return ", or let the database retrieve with --retrieve database"
	}
	return ", or move to a PostgreSQL store, which can retrieve by itself"
}

// Retrieve implements engine.Retriever.
func (w *ways) Retrieve(ctx context.Context, r *engine.Reading, rules []engine.Clause, n int, out *engine.Candidates) error {
	return (*w.now.Load()).Retrieve(ctx, r, rules, n, out)
}

// follow keeps what answers up to date until ctx is done: it loads the index beside the database's answers, and follows the
// store's changes.
func (d *desk) follow(ctx context.Context, h *house) {
	if d.ways.first == byDatabase && !d.ways.both {
		return
	}
	var wake <-chan struct{}
	if db, ok := h.store.(store.Database); ok {
		wake = db.Wakeups(ctx)
	}
	for ctx.Err() == nil && !d.ways.byIndex() {
		err := d.index.Refresh(ctx, h.store)
		switch {
		case err == nil:
			d.ways.use(byIndex)
			listings, passages := d.index.Size()
			slog.Info("the index is loaded and answers from now on", "listings", listings, "passages", passages)
		case errors.Is(err, index.ErrMemory):
			slog.Warn("the index does not fit into its memory; the database goes on answering", "index_memory", "raise --index-memory to change that")
			return
		case ctx.Err() == nil:
			slog.Warn("the index cannot be loaded; trying again", "error", err)
			sleep(ctx, 2*time.Second)
		}
	}
	if err := d.index.Follow(ctx, h.store, followEvery, wake); errors.Is(err, index.ErrMemory) {
		if d.ways.database == nil {
			slog.Error("the index has outgrown its memory and no longer follows the store; raise --index-memory and start again")
			return
		}
		slog.Warn("the index has outgrown its memory; the database answers from now on")
		d.ways.use(byDatabase)
	}
}

// maintainEvery is how often a server looks whether the database wants maintenance; one server at a time does it.
const maintainEvery = time.Minute

func maintain(ctx context.Context, db store.Database) {
	for ctx.Err() == nil {
		if err := db.Maintain(ctx, nil); err != nil && ctx.Err() == nil {
			slog.Warn("the database is not maintained; trying again", "error", err)
		}
		sleep(ctx, maintainEvery)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
