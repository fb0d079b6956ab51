// Package index is the one retrieval path: an immutable snapshot of all listings in memory, with vectors (exact, or
// by 1-bit signatures with rescoring), inverted words under BM25, concept postings and a bitmap for every value a rule
// can ask for. Readers take no lock; a writer, or the change feed of a store, puts a new snapshot in its place.
package index

import (
	"context"
	"errors"
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
	Memory    int64              // bytes that it may take, about; 0 for no bound
	Progress  func(listings int) // called while changes are read; may be nil
}

// ErrMemory is wrapped when the listings need more memory than the index may take.
var ErrMemory = errors.New("the listings need more memory than the index may take")

// Index is safe for concurrent use.
type Index struct {
	model     string
	dim       int
	glossary  *glossary.Glossary
	precision Precision
	most      int // passages; 0 for no bound
	progress  func(int)
	current   atomic.Int64 // when the index was last known to be as its source, in Unix nanoseconds
	snap      atomic.Pointer[snapshot]
	writing   sync.Mutex // held while a snapshot is replaced
	merging   sync.Mutex // held while segments are merged, which others need not wait for
	work      sync.Pool
}

// New returns an empty index.
func New(o Options) *Index {
	x := &Index{model: o.Model, dim: o.Dim, glossary: o.Glossary, precision: o.Precision, progress: o.Progress, most: int(o.Memory / passageBytes(o.Dim))}
	x.snap.Store(newSnapshot(nil, 0))
	x.work.New = func() any { return newWork() }
	return x
}

// passageBytes is about what a passage takes: its vector and signature, and 1,100 bytes of words, concepts and its share
// of the listing, as measured on providers with works in English.
func passageBytes(dim int) int64 { return int64(4*dim + 8*rotationFor(dim).words() + 1_100) }

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
	s, began := x.snap.Load(), time.Now()
	latest, err := src.Seq(ctx)
	if err != nil {
		return err
	}
	if latest <= s.seq {
		x.current.Store(began.UnixNano())
		return nil
	}
	segments, deleted, seq, err := x.gather(ctx, src, s.seq)
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	deleted = s.named(deleted)
	// Not latest: that may be of another server than the changes, one that is ahead.
	next := s.with(nil, deleted, max(seq, s.seq))
	for _, seg := range segments {
		next = next.with(seg, nil, next.seq)
	}
	if x.most > 0 && next.passages > x.most {
		return ErrMemory
	}
	x.snap.Store(next)
	x.current.Store(began.UnixNano())
	go x.merge()
	return nil
}

// Lag returns how long ago the index was last known to be as its source; 0 before it was filled.
func (x *Index) Lag() time.Duration {
	at := x.current.Load()
	if at == 0 {
		return 0
	}
	return time.Since(time.Unix(0, at))
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
	passages, all, count := 0, 0, 0
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
		if all += len(c.Entry.Passages); x.most > 0 && all > x.most {
			return ErrMemory
		}
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

// Follow refreshes the index whenever the source has changed, until ctx is done or ErrMemory says that it has outgrown
// its memory. It looks every interval, and at once when wake gets a value; wake may be nil. Other failures are logged
// once each time they begin, and tried again.
func (x *Index) Follow(ctx context.Context, src Source, interval time.Duration, wake <-chan struct{}) error {
	failing := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		case <-time.After(interval):
		}
		err := x.Refresh(ctx, src)
		switch {
		case err == nil:
			failing = false
		case errors.Is(err, ErrMemory):
			return err
		case !failing && ctx.Err() == nil:
			failing = true
			slog.Warn("index does not follow the store; trying again", "error", err)
		}
	}
}
