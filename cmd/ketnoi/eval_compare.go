package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/eval"
	"github.com/ketnoi/ketnoi/eval/report"
)

func newScore(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "score --qrels FILE RUN…",
		Short:   "Measure runs that were made elsewhere, and compare them with the first",
		Example: `  ketnoi eval score --qrels qrels.txt bm25.run ours.run --measures nDCG@10,AP`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if c.qrels == "" {
				return errors.New("name the judgements with --qrels FILE")
			}
			results, err := c.score(args)
			if err != nil {
				return err
			}
			return c.tell(results, len(results))
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.qrels, "qrels", "", "judgements: TREC form, or CSV, XLSX or JSONL with topic, listing, grade")
	c.columnsFlag(cmd)
	f.StringVar(&c.out, "out", "", "folder to write the report and the figures to")
	c.chanceFlags(cmd)
	return cmd
}

func (c *config) score(paths []string) ([]*eval.Result, error) {
	measures, err := c.parseMeasures()
	if err != nil {
		return nil, err
	}
	qrels, err := c.readQrels(c.qrels)
	if err != nil {
		return nil, err
	}
	var results []*eval.Result
	for _, path := range paths {
		run, tag, err := readRun(path)
		if err != nil {
			return nil, err
		}
		for i, other := range results {
			if fileName(other.Name) == fileName(tag) {
				return nil, fmt.Errorf("%s and %s both have the tag %q, or nearly: give each run its own", paths[i], path, tag)
			}
		}
		res, err := eval.Score(tag, run, qrels, measures)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		results = append(results, res)
	}
	for _, res := range results {
		if err := c.keepResult(res); err != nil {
			return nil, fmt.Errorf("--out: %w", err)
		}
	}
	return results, nil
}

func readRun(path string) (eval.Run, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	run, tag, err := eval.ReadRun(f)
	if err == nil && len(run) == 0 {
		err = errors.New("no lines")
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	return run, tag, nil
}

func newCompare(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compare A.json B.json…",
		Short: "Compare results with the first of them, and fail where a measure falls",
		Long: `Compares results that "ketnoi eval --out" kept, on the topics they share: the difference of each measure, whether it is
luck (paired randomization test, corrected by Holm's method), its 95 % interval (bootstrap), and how many topics such a
difference takes.

With --bound, the exit code is 1 where a measure of B lies lower than A's by more than its bound: for anyone's CI.`,
		Example: `  ketnoi eval compare main/additive-2.json branch/additive-2.json --bound nDCG@10=0.01 --bound R@100=0.02`,
		Args:    cobra.MinimumNArgs(2),
		RunE:    func(_ *cobra.Command, args []string) error { return c.runCompare(args) },
	}
	cmd.Flags().StringArrayVar(&c.bounds, "bound", nil, "fail where a measure falls by more: `MEASURE=DROP`, such as nDCG@10=0.01; may be repeated")
	cmd.Flags().StringVar(&c.out, "out", "", "folder to write a report to")
	c.chanceFlags(cmd)
	return cmd
}

// bound is how far a measure may fall.
type bound struct {
	measure string
	drop    float64
}

func (c *config) runCompare(paths []string) error {
	bounds, err := c.parseBounds()
	if err != nil {
		return err
	}
	if _, err := c.parseMeasures(); err != nil {
		return err
	}
	var results []*eval.Result
	for _, path := range paths {
		res, err := readResult(path)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(results, func(o *eval.Result) bool { return o.Name == res.Name }) {
			res.Name = strings.TrimSuffix(path, ".json") // before/additive-2 and after/additive-2
		}
		results = append(results, res)
	}
	measures := c.shared(results)
	for _, b := range bounds {
		if !slices.Contains(measures, b.measure) {
			measures = append(measures, b.measure)
		}
	}
	comparisons, err := eval.Compare(results, measures, eval.Chance{Rounds: c.rounds, Seed: c.seed})
	if err != nil {
		return err
	}
	if err := c.report(c.out, results, comparisons); err != nil {
		return err
	}
	if c.json {
		err = printJSON(comparisons)
	} else {
		p := newPrinter()
		for _, cmp := range comparisons {
			p.comparison(cmp)
		}
		err = p.err
	}
	if err != nil {
		return err
	}
	return withinBounds(comparisons, bounds)
}

// shared are the measures asked for that all results have: a result need not have all of the defaults.
func (c *config) shared(results []*eval.Result) []string {
	return slices.DeleteFunc(slices.Clone(c.measures), func(m string) bool {
		return slices.ContainsFunc(results, func(r *eval.Result) bool { _, has := r.Measures[m]; return !has })
	})
}

func (c *config) parseBounds() ([]bound, error) {
	var out []bound
	for _, s := range c.bounds {
		i := strings.LastIndexByte(s, '=')
		drop, err := strconv.ParseFloat(s[i+1:], 64)
		if i <= 0 || err != nil || !(drop >= 0 && drop <= 1) {
			return nil, fmt.Errorf("--bound %q: want a measure and how far it may fall, such as nDCG@10=0.01", s)
		}
		if _, err := eval.ParseMeasure(s[:i]); err != nil {
			return nil, fmt.Errorf("--bound: %w", err)
		}
		out = append(out, bound{s[:i], drop})
	}
	return out, nil
}

// withinBounds fails where a measure fell by more than its bound.
func withinBounds(comparisons []*eval.Comparison, bounds []bound) error {
	var fell []string
	for _, cmp := range comparisons {
		for _, b := range bounds {
			for _, ch := range cmp.Changes {
				if ch.Measure == b.measure && -ch.Difference > b.drop {
					fell = append(fell, fmt.Sprintf("%s of %s fell by %.4f, more than %g", b.measure, cmp.B, -ch.Difference, b.drop))
				}
			}
		}
	}
	if len(fell) > 0 {
		return &exitError{code: exitRejected, err: errors.New(strings.Join(fell, "; "))}
	}
	return nil
}

func readResult(path string) (*eval.Result, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	res := &eval.Result{}
	if json.Unmarshal(body, res) != nil || res.Collection == "" || len(res.Topics) == 0 {
		return nil, fmt.Errorf("%s is no result of \"ketnoi eval --out\"", path)
	}
	return res, nil
}

// keepResult writes a result and its run into the folder of --out.
func (c *config) keepResult(res *eval.Result) error {
	if c.out == "" {
		return nil
	}
	if err := os.MkdirAll(c.out, 0o777); err != nil {
		return err
	}
	body, err := json.Marshal(res, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	base := filepath.Join(c.out, fileName(res.Name))
	if err := os.WriteFile(base+".json", append(body, '\n'), 0o666); err != nil {
		return err
	}
	f, err := os.Create(base + ".run")
	if err != nil {
		return err
	}
	return errors.Join(eval.WriteRun(f, res.Run, fileName(res.Name)), f.Close())
}

// report writes report.html and report.md into a folder, if one is named.
func (c *config) report(dir string, results []*eval.Result, comparisons []*eval.Comparison) error {
	if dir == "" {
		return nil
	}
	r := &report.Report{Title: "Kết Nối: evaluation", Made: time.Now(), Results: results, Comparisons: comparisons, Measures: c.measures}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	for name, write := range map[string]func(*os.File) error{
		"report.html": func(f *os.File) error { return r.HTML(f) },
		"report.md":   func(f *os.File) error { return r.Markdown(f) },
	} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("--out: %w", err)
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			return fmt.Errorf("--out: %s: %w", name, err)
		}
	}
	fmt.Fprintf(os.Stderr, "the report is %s\n", filepath.Join(dir, "report.html"))
	return nil
}
