package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/eval"
)

// rankerNote is where a store keeps weights of its own.
const rankerNote = "ranker"

// keptRanker is a ranker as a store keeps it.
type keptRanker struct {
	Name      string  `json:"name"`
	Weights   string  `json:"weights"` // as engine.ParseRanker reads them
	Threshold float64 `json:"threshold"`

	Likely   engine.Calibration `json:"likely"`
	LikelyTo engine.Calibration `json:"likely_across"`
}

func keep(rk *engine.Ranker) keptRanker {
	return keptRanker{rk.Name, rk.Spec(), rk.Threshold, rk.Likely, rk.LikelyTo}
}

// storedRanker returns the ranker by which a store answers, and the note that says so, "" for the default one.
func storedRanker(ctx context.Context, s store.Notes) (engine.Ranker, string, error) {
	rk := engine.DefaultRanker()
	notes, err := s.Notes(ctx, modelSpace, rankerNote)
	if err != nil || notes[rankerNote] == nil {
		return rk, "", err
	}
	var kept keptRanker
	if err = json.Unmarshal(notes[rankerNote], &kept); err == nil {
		rk, err = engine.ParseRanker(kept.Weights)
	}
	if err != nil {
		return rk, "", errors.New("the store's note on its ranker cannot be read; \"ketnoi eval fit --reset\" returns to the default one")
	}
	rk.Name, rk.Threshold, rk.Likely, rk.LikelyTo = kept.Name, kept.Threshold, kept.Likely, kept.LikelyTo
	return rk, string(notes[rankerNote]), nil
}

func newFit(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fit (--topics FILE --qrels FILE | --reset)",
		Short: "Learn the ranker's weights from judgements, by cross-validation",
		Long: `Learns what each signal weighs, within a language and across, from judged topics, and says what that is worth on topics
that it did not learn from: each topic is ranked by weights fitted on the other folds. With --use the store answers by the
new weights from then on, servers that run too; --reset returns to the default ones.

Exit codes: 0 the fitted weights are better, or --use was not asked for; 1 they are not better, and are not used (--force
uses them all the same); 2 failed.`,
		Example: `  ketnoi eval fit --topics topics.jsonl --qrels qrels.txt --want expert,technology
  ketnoi eval fit --topics topics.jsonl --qrels qrels.txt --want expert,technology --use`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runFit(cmd.Context()) },
	}
	c.collectionFlags(cmd)
	f := cmd.Flags()
	f.IntVar(&c.folds, "folds", 5, "of the cross-validation")
	f.BoolVar(&c.use, "use", false, "let the store answer by the fitted weights, if they are better")
	f.BoolVar(&c.force, "force", false, "with --use: also if they are not")
	f.BoolVar(&c.reset, "reset", false, "return to the default weights")
	c.chanceFlags(cmd)
	return cmd
}

func (c *config) runFit(ctx context.Context) error {
	if c.reset {
		h, err := c.openExisting(ctx)
		if err != nil {
			return err
		}
		defer h.store.Close()
		fmt.Printf("the store answers by %s again\n", engine.DefaultRanker().Name)
		return h.store.PutNotes(ctx, modelSpace, map[string][]byte{rankerNote: nil})
	}
	if c.folds < 2 || c.folds > 100 {
		return fmt.Errorf("--folds %d: want 2 to 100", c.folds)
	}
	x := &eval.Experiment{}
	if err := c.readCollection(x); err != nil {
		return err
	}
	h, err := c.ready(ctx, os.Stderr, byIndex)
	if err != nil {
		return err
	}
	defer h.store.Close()
	if err := h.requireListings(ctx); err != nil {
		return err
	}
	m := c.meter(os.Stderr, "ranking topics", len(x.Topics))
	x.Progress = m.set
	d := h.desk.Load()
	fitted, err := x.Fit(ctx, d.rec, d.rec.Ranker, eval.FitOptions{Folds: c.folds})
	m.finish(false)
	if err != nil {
		return err
	}
	results := []*eval.Result{fitted.Present, fitted.CrossValidated}
	found, err := eval.Compare(results, c.measures, eval.Chance{Rounds: c.rounds, Seed: c.seed})
	if err != nil {
		return err
	}
	rk := &fitted.Ranker
	sum := sha256.Sum256([]byte(rk.Spec()))
	rk.Name = "fitted-" + hex.EncodeToString(sum[:4])
	better := found[0].Changes[0].Verdict == eval.Better
	use := c.use && (better || c.force)
	if use {
		note, err := json.Marshal(keep(rk))
		if err == nil {
			err = h.store.PutNotes(ctx, modelSpace, map[string][]byte{rankerNote: note})
		}
		if err != nil {
			return err
		}
	}
	if c.json {
		err = printJSON(struct {
			Ranker      keptRanker         `json:"ranker"`
			Results     []*eval.Result     `json:"results"`
			Comparisons []*eval.Comparison `json:"comparisons"`
			Used        bool               `json:"used"`
		}{keep(rk), results, found, use})
	} else {
		p := newPrinter()
		p.results(results, c.measures)
		p.comparison(found[0])
		p.f("%s, a good match has a confidence of %.3f or more:\n  %-10s %8s %8s\n", rk.Name, rk.Threshold, "", "within", "across")
		for _, w := range weightSets(rk) {
			p.f("  %-10s %8.3f %8.3f\n", w.Signal, w.Within, w.Across)
		}
		p.f("--weights %s\n", rk.Spec())
		if use {
			p.f("the store answers by %s now\n", rk.Name)
		}
		err = p.err
	}
	if err == nil && c.use && !use {
		err = &exitError{code: exitRejected, err: errors.New("the fitted weights are not better than chance explains, and are not used; --force uses them")}
	}
	return err
}
