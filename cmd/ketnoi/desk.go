package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/ketnoi/ketnoi/api"
	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
)

// desk is everything that answers by one model. A server exchanges it for another when the store's model changes.
type desk struct {
	*model
	index *index.Index
	ways  *ways
	rec   *engine.Recommender

	ranker string // the store's note on its ranker; "" for none
}

// newDesk sets up what answers by a model; its index is empty.
func (h *house) newDesk(c *config, m *model, auto way, progress func(int)) *desk {
	d := &desk{model: m}
	d.index = index.New(index.Options{Model: m.spec.Name, Dim: m.spec.Dim, Glossary: glossary.Default(), Memory: c.memory << 20, Progress: progress})
	d.ways = h.newWays(c, d, auto)
	d.rec = &engine.Recommender{
		Retriever: d.ways, Library: library{h.store}, Embedder: m.asks, Glossary: glossary.Default(),
		Ranker: engine.DefaultRanker(), Split: embeddings.Split, Now: time.Now, Writer: h.writer, Blocked: h.blocked, Exposure: h.exposure,
	}
	return d
}

// load makes the store answer by its model: it embeds what lacks vectors where that costs nothing, and opens the way of
// retrieval.
func (h *house) load(ctx context.Context, c *config, w io.Writer, auto way) error {
	total, err := h.total(ctx)
	if err != nil {
		return err
	}
	if h.model.local() {
		if _, err := h.fill(ctx, c, w, total); err != nil {
			return err
		}
	}
	d, err := h.loaded(ctx, c, h.model, w, total, auto)
	if err != nil {
		return err
	}
	h.desk.Store(d)
	return nil
}

// fill embeds what lacks vectors of the model, and returns how many listings that were.
func (h *house) fill(ctx context.Context, c *config, w io.Writer, total int) (int, error) {
	embed := c.meter(w, "embedding with "+h.model.spec.Name, total)
	done, err := h.filler(h.model).All(ctx, h.model.atOnce(), embed.set)
	embed.finish(done > 0)
	return done, err
}

// loaded returns a desk that is ready to answer.
func (h *house) loaded(ctx context.Context, c *config, m *model, w io.Writer, total int, auto way) (*desk, error) {
	read := c.meter(w, "loading the index", total)
	var done atomic.Bool // what is loaded later, while a server follows the store, nobody wants to watch
	defer done.Store(true)
	d := h.newDesk(c, m, auto, func(n int) {
		if !done.Load() {
			read.set(n)
		}
	})
	var err error
	if d.rec.Ranker, d.ranker, err = storedRanker(ctx, h.store); err != nil {
		return nil, err
	}
	if d.ways.first != byIndex {
		return d, nil
	}
	start := time.Now()
	err = d.index.Refresh(ctx, h.store)
	read.finish(time.Since(start) > 500*time.Millisecond)
	if errors.Is(err, index.ErrMemory) {
		return nil, fmt.Errorf("%w: raise --index-memory (now %d MiB)%s", err, c.memory, d.ways.advice())
	}
	return d, err
}

// total is how many listings the store holds.
func (h *house) total(ctx context.Context) (n int, err error) {
	counts, err := h.store.Counts(ctx)
	for _, k := range counts {
		n += k
	}
	return n, err
}

// size returns how many listings and passages can be found; passages are 0 where only the database knows.
func (h *house) size(ctx context.Context) (listings, passages int, err error) {
	if d := h.desk.Load(); d.ways.byIndex() {
		listings, passages = d.index.Size()
		return listings, passages, nil
	}
	listings, err = h.total(ctx)
	return listings, 0, err
}

// state says from what and how a server can answer.
func (h *house) state(ctx context.Context) (s api.State, err error) {
	d := h.desk.Load()
	s.Model, s.Provider = d.spec.Name, d.provider()
	if s.Listings, s.Passages, err = h.size(ctx); err != nil || d.local() {
		return s, err
	}
	backlog, err := h.store.Queue().Backlog(ctx)
	s.Waiting = backlog.Total()
	return s, err
}

// WhyNot answers by the model that is active now.
func (h *house) WhyNot(ctx context.Context, q engine.Query, id string) (*engine.WhyNot, error) {
	return h.desk.Load().rec.WhyNot(ctx, q, id)
}

// Recommend answers by the model that is active now.
func (h *house) Recommend(ctx context.Context, q engine.Query) (*engine.Answer, error) {
	return h.desk.Load().rec.Recommend(ctx, q)
}
