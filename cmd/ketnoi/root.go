package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/ingest/people"
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
	root.AddCommand(newDemo(c), newIngest(c), newRecommend(c), newBlock(c), newStanding(c), newServe(c), newEval(c), newBench(c), newDuplicates(c), newReindex(c), newTrain(c), newDoctor(c), newMigrate(c), newExport(c), newErase(c))
	return root
}

// house is an open store with everything that answers from it.
type house struct {
	store store.Store
	model *model               // the one that was active when the store was opened
	desk  atomic.Pointer[desk] // what answers now
	usage usage

	writer   engine.Writer    // of narratives; nil where no chat model is set
	exposure *engine.Exposure // what a server has shown; nil for a command that answers once

	people *people.Register // who was erased
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
	spec, err := activeSpec(ctx, s)
	if err == nil {
		h := &house{store: s}
		if h.model, err = h.openModel(ctx, c, spec); err == nil {
			err = h.openPeople(ctx, c)
		}
		if err == nil {
			err = h.openChat(c)
		}
		if err == nil {
			return h, nil
		}
	}
	s.Close()
	return nil, err
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
