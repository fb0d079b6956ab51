package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/eval"
)

func newEval(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval --topics FILE --qrels FILE",
		Short: "Measure the ranking on judged topics",
		Long: `Ranks the store's listings for every judged topic and prints the measures, over all judgements and by whether the
judged listing is in the topic's language. A slice counts only its own relevant listings; the others are taken out of
the ranking, so that they are neither a success nor in the way.`,
		Example: `  ketnoi eval --topics problems.jsonl --qrels qrels.txt --want expert,technology
  ketnoi eval --topics topics.jsonl --qrels qrels.txt --want expert --weights words=1 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runEval(cmd.Context()) },
	}
	c.evalFlags(cmd)
	return cmd
}

func (c *config) runEval(ctx context.Context) error {
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
	if c.weights != "" {
		if h.desk.Load().rec.Ranker, err = engine.ParseRanker(c.weights); err != nil {
			return fmt.Errorf("--weights: %w", err)
		}
	}
	rep, err := c.measure(ctx, h, x)
	if err != nil {
		return err
	}
	if c.out != "" {
		if err := writeReport(c.out, rep); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	if c.json {
		return printJSON(rep)
	}
	printReport(rep)
	return nil
}

// measure runs the experiment on an open store.
func (c *config) measure(ctx context.Context, h *house, x *eval.Experiment) (*eval.Report, error) {
	var err error
	if x.LangOf, err = languagesOf(ctx, h, x.Qrels); err != nil {
		return nil, err
	}
	m := c.meter(os.Stderr, "ranking topics", len(x.Topics))
	x.Progress = m.set
	defer m.finish(false)
	return x.Execute(ctx, h.desk.Load().rec, h.desk.Load().rec.Ranker.Name)
}

func (c *config) readCollection(x *eval.Experiment) error {
	if c.topics == "" || c.qrels == "" {
		return errors.New("name the topics with --topics FILE and the judgements with --qrels FILE")
	}
	f, err := os.Open(c.topics)
	if err != nil {
		return fmt.Errorf("--topics: %w", err)
	}
	defer f.Close()
	if x.Topics, err = eval.ReadTopics(f); err != nil {
		return fmt.Errorf("%s: %w", c.topics, err)
	}
	q, err := os.Open(c.qrels)
	if err != nil {
		return fmt.Errorf("--qrels: %w", err)
	}
	defer q.Close()
	if x.Qrels, err = eval.ReadQrels(q); err != nil {
		return fmt.Errorf("%s: %w", c.qrels, err)
	}
	for _, k := range c.want {
		switch kind := engine.Kind(k); kind {
		case engine.Expert, engine.Technology, engine.Problem:
			x.Want = append(x.Want, kind)
		default:
			return fmt.Errorf("--want %q: want expert, technology or problem", k)
		}
	}
	return nil
}

// languagesOf returns the language of every judged listing that is stored.
func languagesOf(ctx context.Context, h *house, qrels eval.Qrels) (map[string]string, error) {
	out := map[string]string{}
	var ids []string
	flush := func() error {
		entries, err := h.store.Entries(ctx, ids, "")
		for _, e := range entries {
			out[e.Listing.ID] = e.Listing.Lang
		}
		ids = ids[:0]
		return err
	}
	for _, docs := range qrels {
		for doc := range docs {
			if ids = append(ids, doc); len(ids) == 500 {
				if err := flush(); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, flush()
}

func writeReport(dir string, rep *eval.Report) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	body, err := json.Marshal(rep, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "report.json"), append(body, '\n'), 0o666); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "run.txt"))
	if err != nil {
		return err
	}
	return errors.Join(eval.WriteRun(f, rep.Run, "ketnoi"), f.Close())
}

func printReport(rep *eval.Report) {
	fmt.Printf("%-16s %7s %7s", "slice", "topics", "judged")
	for _, m := range eval.Measures {
		fmt.Printf(" %8s", m)
	}
	fmt.Println()
	row := func(name string, topics, judged int, measures map[string]float64) {
		counted := ""
		if judged > 0 {
			counted = fmt.Sprint(judged)
		}
		fmt.Printf("%-16s %7d %7s", name, topics, counted)
		for _, m := range eval.Measures {
			fmt.Printf(" %8.4f", measures[m])
		}
		fmt.Println()
	}
	row("all", len(rep.Topics), 0, rep.Measures)
	for _, name := range []string{"same-language", "cross-language"} {
		if s, ok := rep.Slices[name]; ok {
			row(name, s.Topics, s.Judged, s.Measures)
		}
	}
	same, cross := rep.Slices["same-language"].Measures["nDCG@10"], rep.Slices["cross-language"].Measures["nDCG@10"]
	if same > 0 && cross > 0 {
		fmt.Printf("cross-language nDCG@10 is %.2f of the same-language figure (ranker %s)\n", cross/same, rep.Ranker)
	}
}
