package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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
	root.AddCommand(newDemo(c), newIngest(c), newRecommend(c), newServe(c), newEval(c), newBench(c))
	return root
}

// house is an open store with everything that answers from it.
type house struct {
	store    store.Store
	embedder embeddings.Embedder
	index    *index.Index
	rec      *engine.Recommender
}

// open opens the store only.
func (c *config) open(ctx context.Context) (*house, error) {
	s, err := store.Open(ctx, c.store)
	if err != nil {
		return nil, err
	}
	return &house{store: s, embedder: lexicon.New(glossary.Default())}, nil
}

// ready opens the store and loads the index, saying on w what takes time.
func (c *config) ready(ctx context.Context, w io.Writer) (*house, error) {
	h, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.load(ctx, c, w); err != nil {
		h.store.Close()
		return nil, err
	}
	return h, nil
}

func (h *house) load(ctx context.Context, c *config, w io.Writer) error {
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
	start := time.Now()
	read := c.meter(w, "loading the index", total)
	h.index = index.New(index.Options{Model: h.embedder.Model(), Dim: h.embedder.Dim(), Glossary: glossary.Default(), Progress: read.set})
	err = h.index.Refresh(ctx, h.store)
	read.finish(time.Since(start) > 500*time.Millisecond)
	if err != nil {
		return err
	}
	h.rec = &engine.Recommender{
		Retriever: h.index, Library: h.store, Embedder: h.embedder, Glossary: glossary.Default(),
		Ranker: engine.DefaultRanker(), Split: embeddings.Split, Now: time.Now,
	}
	return nil
}

// requireListings fails with advice when the store is empty.
func (h *house) requireListings() error {
	if n, _ := h.index.Size(); n == 0 {
		return fmt.Errorf("%s holds no listings; bring some in with \"ketnoi ingest FILE\", or try \"ketnoi demo\"", h.store.Address())
	}
	return nil
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
