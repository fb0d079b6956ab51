package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/lexicon"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/ingest"
)

func newRoot() *cobra.Command {
	c := &config{}
	root := &cobra.Command{
		Use:   "ketnoi",
		Short: "Finds who can solve a firm's technology problem, and says why",
		Long: `Kết Nối ("to connect") matches technology problems with experts and technologies across Vietnamese, French, English,
Korean and Chinese, and explains every recommendation.

To see it work: ketnoi demo`,
		Version:           version,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRun:  func(*cobra.Command, []string) { c.environment() },
	}
	c.storeFlag(root)
	root.AddCommand(newDemo(c), newIngest(c), newRecommend(c), newServe(c), newEval(c), newBench(c), newDoctor(c), newMigrate(c))
	return root
}

// house is an open store with everything that answers from it.
type house struct {
	store    store.Store
	embedder embeddings.Embedder
	index    *index.Index
	ways     *ways
	rec      *engine.Recommender
}

// open opens the store only.
func (c *config) open(ctx context.Context) (*house, error) {
	s, err := store.Open(ctx, c.store)
	if err != nil {
		return nil, err
	}
	db, isDatabase := s.(store.Database)
	switch {
	case c.readStore == "":
	case !isDatabase:
		s.Close()
		return nil, errors.New("--read-store: only a PostgreSQL store has standbys")
	default:
		if err := db.ReadFrom(ctx, c.readStore, c.maxLag); err != nil {
			s.Close()
			return nil, fmt.Errorf("--read-store: %w", err)
		}
	}
	return &house{store: s, embedder: lexicon.New(glossary.Default())}, nil
}

// openExisting opens a store to read from it. It makes none: whoever asks has mistyped the address, or has nothing in it yet.
func (c *config) openExisting(ctx context.Context) (*house, error) {
	if c.missing() {
		return nil, fmt.Errorf("%s does not exist; check --store, bring listings in with \"ketnoi ingest FILE\", or try \"ketnoi demo\"", c.store)
	}
	return c.open(ctx)
}

// ready opens the store and makes it answer, saying on w what takes time. auto is what --retrieve auto means.
func (c *config) ready(ctx context.Context, w io.Writer, auto way) (*house, error) {
	if err := c.checkRetrieve(); err != nil {
		return nil, err
	}
	h, err := c.openExisting(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.load(ctx, c, w, auto); err != nil {
		h.store.Close()
		return nil, err
	}
	return h, nil
}

// load embeds what lacks vectors, and opens the way of retrieval.
func (h *house) load(ctx context.Context, c *config, w io.Writer, auto way) error {
	counts, err := h.store.Counts(ctx)
	if err != nil {
		return err
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	embed := c.meter(w, "embedding with "+h.embedder.Model(), total)
	done, err := ingest.Reembed(ctx, h.store, h.embedder, embed.set)
	embed.finish(done > 0)
	if err != nil {
		return err
	}
	read := c.meter(w, "loading the index", total)
	var loaded atomic.Bool // what is loaded later, while a server follows the store, nobody wants to watch
	defer loaded.Store(true)
	h.index = index.New(index.Options{Model: h.embedder.Model(), Dim: h.embedder.Dim(), Glossary: glossary.Default(), Memory: c.memory << 20, Progress: func(n int) {
		if !loaded.Load() {
			read.set(n)
		}
	}})
	h.ways = h.newWays(c, auto)
	if h.ways.first == byIndex {
		start := time.Now()
		err = h.index.Refresh(ctx, h.store)
		read.finish(time.Since(start) > 500*time.Millisecond)
		if errors.Is(err, index.ErrMemory) {
			return fmt.Errorf("%w: raise --index-memory (now %d MiB)%s", err, c.memory, h.ways.advice())
		}
		if err != nil {
			return err
		}
	}
	h.rec = &engine.Recommender{
		Retriever: h.ways, Library: h.store, Embedder: h.embedder, Glossary: glossary.Default(),
		Ranker: engine.DefaultRanker(), Split: embeddings.Split, Now: time.Now,
	}
	return nil
}

// size returns how many listings and passages can be found; passages are 0 where only the database knows.
func (h *house) size(ctx context.Context) (listings, passages int, err error) {
	if h.ways.byIndex() {
		listings, passages = h.index.Size()
		return listings, passages, nil
	}
	counts, err := h.store.Counts(ctx)
	for _, n := range counts {
		listings += n
	}
	return listings, 0, err
}

// requireListings fails with advice when the store is empty.
func (h *house) requireListings(ctx context.Context) error {
	n, _, err := h.size(ctx)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s holds no listings; bring some in with \"ketnoi ingest FILE\", or try \"ketnoi demo\"", h.store.Address())
	}
	return err
}

// interrupted reports whether err only says that the user stopped the program.
func interrupted(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) && ctx.Err() != nil
}

// printer writes to standard output and keeps the first failure.
type printer struct {
	w   io.Writer
	err error
}

func newPrinter() *printer { return &printer{w: os.Stdout} }

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}
