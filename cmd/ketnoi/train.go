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
	"github.com/ketnoi/ketnoi/embeddings/trained"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
)

func newTrain(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train an embedding model on the store's own listings, offline, and change to it",
		Long: `Learns from the listings which words and concepts go together: nothing leaves the machine, and nothing is paid. Then, as
"ketnoi reindex" does, embeds every listing with it beside the present model, which goes on answering, compares both on
judged topics where --topics and --qrels name some, and changes over in one step. "ketnoi reindex --back" returns.

It takes about a second for a thousand listings. Train again when the corpus has grown much: the model knows only words
that stood in at least three listings when it was trained. Listings about persons without a basis are not learned from.

Exit codes: 0 switched (or filled, with --fill-only); 1 trained and not switched, since it ranks worse; 2 failed.`,
		Example: `  ketnoi train
  ketnoi train --topics topics.jsonl --qrels qrels.txt --want expert,technology`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runTrain(cmd.Context()) },
	}
	c.trainFlags(cmd)
	return cmd
}

func (c *config) runTrain(ctx context.Context) error {
	if c.spec.Dim != 0 && (c.spec.Dim < 16 || c.spec.Dim > 1024) {
		return fmt.Errorf("--dim %d: want 16 to 1024", c.spec.Dim)
	}
	h, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer h.store.Close()
	spec, err := h.train(ctx, c, os.Stdout)
	if err != nil {
		return err
	}
	return c.change(ctx, h, spec)
}

// train learns from all listings and keeps the model in the store, not active yet.
func (h *house) train(ctx context.Context, c *config, w io.Writer) (spec embeddings.Spec, err error) {
	total, err := h.total(ctx)
	if err != nil {
		return spec, err
	}
	start := time.Now()
	read := c.meter(os.Stderr, "reading listings", total)
	t, n := trained.NewTrainer(glossary.Default()), 0
	err = h.store.Changes(ctx, 0, "", func(ch index.Change) error {
		l := ch.Entry.Listing
		if l == nil || l.LacksBasis() {
			return nil
		}
		var texts []string
		for _, p := range embeddings.Split(l) {
			texts = append(texts, l.Matchable(p))
		}
		t.Add(texts)
		n++
		read.set(n)
		return nil
	})
	read.finish(false)
	if err != nil {
		return spec, err
	}
	learn := c.meter(os.Stderr, "learning", 5)
	e, err := t.Train(ctx, trained.Options{Dim: c.spec.Dim, Seed: c.seed, Progress: func(step, _ int) { learn.set(step) }})
	learn.finish(false)
	if errors.Is(err, trained.ErrTooFew) {
		return spec, fmt.Errorf("%s: %w", h.store.Address(), err)
	}
	if err != nil {
		return spec, err
	}
	body, err := e.Save()
	if err != nil {
		return spec, err
	}
	if err := h.store.PutNotes(ctx, trainedSpace, map[string][]byte{e.ID(): body}); err != nil {
		return spec, err
	}
	fmt.Fprintf(w, "%s: %d words and concepts, %d dimensions, learned from %d listings in %s\n", e.Model(), e.Size(), e.Dim(), n, time.Since(start).Round(100*time.Millisecond))
	return embeddings.Spec{Name: e.Model(), Provider: embeddings.Trained, Model: e.ID(), Dim: e.Dim()}, nil
}

// From so many listings on a store that was never told of a model learns one, and up to so many without being asked: more take
// minutes, which "ketnoi train" is for.
const (
	learnFrom = 200
	learnTo   = 50_000
)

// learn gives a store that was never told of a model one of its own, once it has enough to learn from: it ranks better than the
// built-in one in the lab (docs/ranking.md), above all across languages.
func (h *house) learn(ctx context.Context, c *config, w io.Writer) error {
	notes, err := h.store.Notes(ctx, modelSpace, activeNote)
	if err != nil || notes[activeNote] != nil || c.noTrain {
		return err
	}
	total, err := h.total(ctx)
	if err != nil || total < learnFrom {
		return err
	}
	if total > learnTo {
		fmt.Fprintf(w, "%d listings: \"ketnoi train\" learns a model from them that ranks better than the built-in one; it takes some minutes\n", total)
		return nil
	}
	c.seed, c.spec.Dim = max(c.seed, 1), 0
	spec, err := h.train(ctx, c, w)
	if errors.Is(err, trained.ErrTooFew) {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := h.openModel(ctx, c, spec)
	if err != nil {
		return err
	}
	release, err := h.claimFilling(ctx, spec)
	if err != nil {
		return err
	}
	defer release()
	embed := c.meter(os.Stderr, "embedding with "+spec.Name, total)
	_, err = h.filler(m).All(ctx, m.atOnce(), embed.set)
	embed.finish(false)
	if err == nil {
		err = switchModel(ctx, h.store, spec, h.model.spec)
	}
	if err == nil {
		h.model = m
	}
	return err
}
