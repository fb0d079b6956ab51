// Package index is the one retrieval path: an immutable snapshot of all listings in memory, with vectors (exact, or
// by 1-bit signatures with rescoring), inverted words under BM25, concept postings and a bitmap for every value a rule
// can ask for. Readers take no lock; a writer, or the change feed of a store, puts a new snapshot in its place.
package index

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
)

// Change is one step in a store's history: a listing was put, or deleted (Entry.Listing is nil).
type Change struct {
	Seq   int64 // grows with every change, never used twice
	ID    string
	Entry engine.Entry
}

// Source is the store that an index follows.
type Source interface {
	// Seq returns the number of the latest change.
	Seq(ctx context.Context) (int64, error)
	// Changes calls yield for the present state of everything that changed after since, in the order of Seq, with
	// vectors of the model. From 0 on it yields every listing.
	Changes(ctx context.Context, since int64, model string, yield func(Change) error) error
}

// Options sets up an index.
type Options struct {
	Model     string // of the vectors to load
	Dim       int    // their width
	Glossary  *glossary.Glossary
	Precision Precision
	Progress  func(listings int) // called while changes are read; may be nil
}

// Index is safe for concurrent use.
type Index struct {
	model     string
	dim       int
	glossary  *glossary.Glossary
	precision Precision
	progress  func(int)
	snap      atomic.Pointer[snapshot]
	writing   sync.Mutex // held while a snapshot is replaced
	merging   sync.Mutex // held while segments are merged, which others need not wait for
	work      sync.Pool
}

// New returns an empty index.
func New(o Options) *Index {
	x := &Index{model: o.Model, dim: o.Dim, glossary: o.Glossary, precision: o.Precision, progress: o.Progress}
	x.snap.Store(newSnapshot(nil, 0))
	x.work.New = func() any { return newWork() }
	return x
}

// Size returns how many listings and passages can be found.
func (x *Index) Size() (listings, passages int) {
	s := x.snap.Load()
	return s.listings, s.passages
}

// Seq returns the number of the last change that is in the index.
func (x *Index) Seq() int64 { return x.snap.Load().seq }

// batchPassages is how many passages make one segment while much is loaded at once. It bounds what one builder
// holds, and lets all cores build.
const batchPassages = 16_384

// Refresh brings the index up to date with the source. Calls wait for each other. When it fails, the index stays as
// it was, and may be refreshed again.
func (x *Index) Refresh(ctx context.Context, src Source) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	s := x.snap.Load()
	latest, err := src.Seq(ctx)
	if err != nil || latest <= s.seq {
		return err
	}
	segments, deleted, seq, err := x.gather(ctx, src, s.seq)
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	next := s.with(nil, deleted, max(seq, latest))
	for _, seg := range segments {
		next = next.with(seg, nil, next.seq)
	}
	x.snap.Store(next)
	go x.merge()
	return nil
}

// gather reads the changes after since and builds segments of them, on all cores.
func (x *Index) gather(ctx context.Context, src Source, since int64) (segments []*segment, deleted []string, seq int64, err error) {
	var wg sync.WaitGroup
	var builders []*builder
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	build := func(entries []engine.Entry) {
		b := newBuilder(x.dim, x.glossary)
		builders = append(builders, b)
		slots <- struct{}{}
		wg.Go(func() {
			for _, e := range entries {
				b.add(e)
			}
			b.build()
			<-slots
		})
	}
	var batch []engine.Entry
	passages, count := 0, 0
	err = src.Changes(ctx, since, x.model, func(c Change) error {
		seq = max(seq, c.Seq)
		if count++; x.progress != nil && count%500 == 0 {
			x.progress(count)
		}
		if c.Entry.Listing == nil {
			deleted = append(deleted, c.ID)
			return ctx.Err()
		}
		batch = append(batch, c.Entry)
		if passages += len(c.Entry.Passages); passages >= batchPassages {
			build(batch)
			batch, passages = nil, 0
		}
		return ctx.Err()
	})
	if err == nil && len(batch) > 0 {
		build(batch)
	}
	wg.Wait()
	if x.progress != nil && err == nil {
		x.progress(count)
	}
	for _, b := range builders {
		segments = append(segments, b.seg)
	}
	return segments, deleted, seq, err
}

// Follow refreshes the index whenever the source has changed, looking every interval, until ctx is done. Failures are
// logged once each time they begin, and tried again.
func (x *Index) Follow(ctx context.Context, src Source, interval time.Duration) {
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
		err := x.Refresh(ctx, src)
		switch {
		case err == nil:
			failing = false
		case !failing && ctx.Err() == nil:
			failing = true
			slog.Warn("index does not follow the store; trying again", "error", err)
		}
	}
}
