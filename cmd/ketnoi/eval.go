package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/eval"
)

func newEval(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval --topics FILE --qrels FILE",
		Short: "Measure rankings on judged topics, compare them, and report",
		Long: `Ranks the store's listings for every judged topic and prints the measures, over all judgements and by parts: whether the
judged listing is in the topic's language, which languages, which kind, the topic's field and region. A part counts only
its own relevant listings; the others are taken out of the ranking, so that they are neither a success nor in the way.

Several --weights are measured one after the other and compared with the first; --ablate adds the first without each of
its signals. With --out, a folder gets the figures (JSON), the runs (TREC form) and a report to read (report.html,
report.md); an experiment that was stopped goes on where it was.

Topics and judgements are TREC files, JSONL, CSV or XLSX. See docs/evaluation.md.`,
		Example: `  ketnoi eval --topics problems.jsonl --qrels qrels.txt --want expert,technology --out lab
  ketnoi eval --topics topics.xlsx --qrels judgements.xlsx --want expert --weights default --weights words=1
  ketnoi eval --topics topics.jsonl --qrels qrels.txt --listings providers.jsonl.gz --kind expert --map title=firm --out lab
  ketnoi eval compare before/additive-2.json after/additive-2.json --bound nDCG@10=0.01`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runEval(cmd.Context()) },
	}
	c.evalFlags(cmd)
	cmd.AddCommand(newScore(c), newCompare(c), newPool(c), newJudgements(c), newPropensity(c), newFit(c))
	return cmd
}

// trial is one ranker to be measured, one way round.
type trial struct {
	name    string
	ranker  engine.Ranker // only a name for the yardsticks
	answers eval.Ranker
	x       *eval.Experiment
}

func (c *config) runEval(ctx context.Context) error {
	x := &eval.Experiment{}
	err := c.readCollection(x)
	if err != nil {
		return err
	}
	if _, err := c.rankers(engine.DefaultRanker(), "default"); err != nil { // before anything takes time
		return err
	}
	if len(c.listings) > 0 {
		remove, err := c.temporaryStore(ctx)
		defer remove()
		if err != nil {
			return err
		}
	}
	h, err := c.ready(ctx, os.Stderr, byIndex)
	if err != nil {
		return err
	}
	defer h.store.Close()
	if err := h.requireListings(ctx); err != nil {
		return err
	}
	rankers, err := c.rankers(h.desk.Load().rec.Ranker, "default")
	if err != nil {
		return err
	}
	if x.Facts, err = h.facts(ctx); err != nil {
		return err
	}
	c.warnUnknown(x)
	var trials []trial
	for _, rk := range rankers {
		trials = append(trials, trial{rk.Name, rk, nil, x})
	}
	if c.back {
		turned, err := h.turn(ctx, x)
		if err != nil {
			return err
		}
		for _, rk := range rankers {
			trials = append(trials, trial{rk.Name + " back", rk, nil, turned})
		}
	}
	answers, err := h.answerers(ctx, rankers)
	if err != nil {
		return err
	}
	for i := range trials {
		trials[i].answers = answers[trials[i].ranker.Name]
	}
	results, err := c.measureAll(ctx, h, trials)
	if err != nil {
		return err
	}
	return c.tell(results, len(rankers))
}

// rankers are those that --weights and --ablate name, or otherwise; default is the store's.
func (c *config) rankers(ofStore engine.Ranker, otherwise ...string) ([]engine.Ranker, error) {
	var out []engine.Ranker
	specs := c.weights
	if len(specs) == 0 {
		specs = otherwise
	}
	for _, spec := range specs {
		rk := ofStore
		switch spec {
		case "default":
		case eval.BM25Name, eval.RRFName:
			rk = engine.Ranker{Name: spec}
		default:
			var err error
			if rk, err = engine.ParseRanker(spec); err != nil {
				return nil, fmt.Errorf("--weights: %w", err)
			}
		}
		if slices.ContainsFunc(out, func(o engine.Ranker) bool { return o.Name == rk.Name }) {
			return nil, fmt.Errorf("--weights %s stands twice", spec)
		}
		out = append(out, rk)
	}
	if c.ablate {
		first := out[0]
		for _, sig := range first.Signals() {
			if sig != engine.SignalPreference { // topics state none
				out = append(out, first.Without(sig))
			}
		}
	}
	return out, nil
}

// answerers makes the rankers answer, by their names.
func (h *house) answerers(ctx context.Context, rankers []engine.Ranker) (map[string]eval.Ranker, error) {
	out := map[string]eval.Ranker{}
	for _, rk := range rankers {
		switch rk.Name {
		case eval.RRFName:
			out[rk.Name] = eval.RRF{Of: h.desk.Load().ranked(engine.DefaultRanker())}
		case eval.BM25Name:
			bm25 := &eval.BM25{}
			if err := h.eachListed(ctx, func(l *engine.Listing) error { bm25.Add(l); return nil }); err != nil {
				return nil, err
			}
			out[rk.Name] = bm25
		default:
			out[rk.Name] = h.desk.Load().ranked(rk)
		}
	}
	return out, nil
}

// measureAll runs the trials, one after the other.
func (c *config) measureAll(ctx context.Context, h *house, trials []trial) ([]*eval.Result, error) {
	d := h.desk.Load()
	seq, err := h.store.Seq(ctx)
	if err != nil {
		return nil, err
	}
	if c.out != "" {
		if err := os.MkdirAll(c.out, 0o777); err != nil {
			return nil, fmt.Errorf("--out: %w", err)
		}
	}
	var results []*eval.Result
	var journals []string
	for i, t := range trials {
		res := &eval.Result{Name: t.name, Ranker: t.ranker.Name, Weights: weightSets(&t.ranker), Model: d.spec.Name}
		if c.out != "" {
			path := filepath.Join(c.out, fileName(res.Name)+".journal")
			subject := fmt.Sprint(h.store.Address(), seq, d.spec.Name, t.ranker, t.x.Digest())
			if t.x.Journal, err = eval.OpenJournal(path, subject); err != nil {
				return nil, fmt.Errorf("--out: %w", err)
			}
			journals = append(journals, path)
			if n := t.x.Journal.Known(); n > 0 {
				fmt.Fprintf(os.Stderr, "%s: %d topics were ranked before and are taken over\n", res.Name, n)
			}
		}
		what := "ranking topics"
		if len(trials) > 1 {
			what = fmt.Sprintf("%d of %d, %s", i+1, len(trials), res.Name)
		}
		m := c.meter(os.Stderr, what, len(t.x.Topics))
		t.x.Progress = m.set
		err := t.x.Execute(ctx, t.answers, t.ranker.Threshold, res)
		m.finish(false)
		if t.x.Journal != nil {
			err = errors.Join(err, t.x.Journal.Close())
			t.x.Journal = nil
		}
		if err != nil {
			return nil, err
		}
		if err := c.keepResult(res); err != nil {
			return nil, fmt.Errorf("--out: %w", err)
		}
		results = append(results, res)
	}
	for _, path := range journals { // all is measured: nothing is left to go on with
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// tell prints the results and writes the report. The first n are of one direction, the others of the other one.
func (c *config) tell(results []*eval.Result, n int) error {
	var comparisons []*eval.Comparison
	for part := range slices.Chunk(results, n) {
		if len(part) < 2 {
			continue
		}
		found, err := eval.Compare(part, c.measures, eval.Chance{Rounds: c.rounds, Seed: c.seed})
		if err != nil {
			return err
		}
		comparisons = append(comparisons, found...)
	}
	if err := c.report(c.out, results, comparisons); err != nil {
		return err
	}
	if c.json {
		for _, res := range results {
			res.Details = nil // they are for people, and in the files of --out
		}
		if len(results) == 1 {
			return printJSON(results[0])
		}
		return printJSON(struct {
			Results     []*eval.Result     `json:"results"`
			Comparisons []*eval.Comparison `json:"comparisons"`
		}{results, comparisons})
	}
	p := newPrinter()
	p.results(results, c.measures)
	for _, cmp := range comparisons {
		p.comparison(cmp)
	}
	return p.err
}

// fileName makes a name of a result one of a file.
func fileName(name string) string {
	safe := func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.=+@", r) {
			return r
		}
		return '-'
	}
	return strings.TrimLeft(strings.Map(safe, name), ".")
}

// ranked answers as the desk does, but for the ranker.
func (d *desk) ranked(rk engine.Ranker) *engine.Recommender {
	return &engine.Recommender{Retriever: d.rec.Retriever, Library: d.rec.Library, Embedder: d.rec.Embedder, Glossary: d.rec.Glossary, Ranker: rk, Split: d.rec.Split, Now: time.Now}
}
