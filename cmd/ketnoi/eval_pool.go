package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"
	"github.com/xuri/excelize/v2"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/eval"
)

func newPool(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pool --topics FILE --out FILE.xlsx",
		Short: "Draw listings to be judged, from several rankers and by chance",
		Long: `Judgements that come from one ranker's suggestions favour that ranker. A pool mixes the first listings of several rankers
with random ones, in random order, without saying who proposed what; people fill in the column grade (0 not relevant, 1
somewhat, 2 relevant, 3 just what is wanted) and "ketnoi eval judgements" reads it. What --qrels has judged is left out.`,
		Example: `  ketnoi eval pool --topics topics.jsonl --want expert --out pool.xlsx --key pool-key.jsonl
  ketnoi eval pool --topics topics.jsonl --weights default --weights bm25 --weights meaning=1 --run theirs.run --out pool.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runPool(cmd.Context()) },
	}
	c.collectionFlags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&c.weights, "weights", nil, "rankers that propose: weights such as meaning=1, default, bm25 or rrf; may be repeated (where none is named: default and bm25)")
	f.StringArrayVar(&c.runs, "run", nil, "a run from elsewhere that proposes too (TREC `FILE`); may be repeated")
	f.IntVar(&c.depth, "depth", 10, "how many of each ranker's first listings")
	f.IntVar(&c.random, "random", 5, "how many random listings a topic")
	f.Uint64Var(&c.seed, "seed", 1, "of what is random")
	f.StringVar(&c.out, "out", "", "table for the judges: .xlsx or .csv")
	f.StringVar(&c.keyFile, "key", "", "`FILE` to write who proposed what to (JSONL); keep it from the judges")
	c.retrieveFlags(cmd)
	return cmd
}

func (c *config) runPool(ctx context.Context) error {
	asTable := strings.HasSuffix(strings.ToLower(c.out), ".xlsx") || strings.HasSuffix(strings.ToLower(c.out), ".csv")
	switch {
	case c.topics == "" || !asTable:
		return errors.New("name the topics with --topics FILE and the table for the judges with --out FILE.xlsx or FILE.csv")
	case c.depth < 1 || c.depth > 1000 || c.random < 0 || c.random > 1000:
		return errors.New("--depth: want 1 to 1000; --random: 0 to 1000")
	}
	x := &eval.Experiment{Qrels: eval.Qrels{}}
	var err error
	if x.Topics, err = c.readTopics(); err != nil {
		return err
	}
	if c.qrels != "" {
		if x.Qrels, err = c.readQrels(c.qrels); err != nil {
			return err
		}
	}
	if x.Want, err = c.kindsWanted(); err != nil {
		return err
	}
	rankers, err := c.rankers(engine.DefaultRanker(), "default", eval.BM25Name)
	if err != nil {
		return err
	}
	h, err := c.ready(ctx, os.Stderr, byIndex)
	if err != nil {
		return err
	}
	defer h.store.Close()
	facts, err := h.facts(ctx)
	if err != nil {
		return err
	}
	answers, err := h.answerers(ctx, rankers)
	if err != nil {
		return err
	}
	var runs []eval.NamedRun
	for _, rk := range rankers {
		m := c.meter(os.Stderr, "ranking by "+rk.Name, len(x.Topics))
		x.Progress = m.set
		run, err := x.Rank(ctx, answers[rk.Name])
		m.finish(false)
		if err != nil {
			return err
		}
		runs = append(runs, eval.NamedRun{Name: rk.Name, Run: run})
	}
	for _, path := range c.runs {
		run, tag, err := readRun(path)
		if err != nil {
			return err
		}
		runs = append(runs, eval.NamedRun{Name: tag, Run: run})
	}
	var candidates []string
	for id, f := range facts {
		if len(x.Want) == 0 && f.Kind != engine.Problem || slices.Contains(x.Want, f.Kind) {
			candidates = append(candidates, id)
		}
	}
	pool := eval.Pool(runs, x.Topics, candidates, x.Qrels, eval.PoolOptions{Depth: c.depth, Random: c.random, Seed: c.seed})
	rows, err := h.judgeable(ctx, x.Topics, pool)
	if err != nil {
		return err
	}
	if err := writeTable(c.out, rows); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if err := c.writeKey(pool); err != nil {
		return fmt.Errorf("--key: %w", err)
	}
	fmt.Printf("%d pairs of %d topics are in %s: fill in the column grade, then: ketnoi eval judgements %s --out qrels.txt\n", len(pool), len(x.Topics), c.out, c.out)
	return nil
}

// longest is how many characters of a text a judge gets to read.
const longest = 1500

// judgeable writes a pool as judges see it.
func (h *house) judgeable(ctx context.Context, topics []eval.Topic, pool []eval.Pooled) ([][]string, error) {
	asked := map[string]eval.Topic{}
	for _, t := range topics {
		asked[t.ID] = t
	}
	rows := [][]string{{"topic", "topic_title", "topic_text", "listing", "kind", "language", "title", "text", "grade", "remark"}}
	for part := range slices.Chunk(pool, 500) {
		ids := map[string]bool{}
		for _, p := range part {
			ids[p.Doc] = true
		}
		entries, err := h.store.Entries(ctx, slices.Collect(maps.Keys(ids)), "")
		if err != nil {
			return nil, err
		}
		listings := map[string]*engine.Listing{}
		for _, e := range entries {
			listings[e.Listing.ID] = e.Listing
		}
		for _, p := range part {
			t, l := asked[p.Topic], listings[p.Doc]
			if l == nil {
				continue // removed meanwhile, or only a foreign run knows it
			}
			text := l.Text
			for _, w := range l.Works {
				text += "\n– " + w.Title
			}
			rows = append(rows, []string{p.Topic, t.Title, shorten(t.Text), p.Doc, string(l.Kind), l.Lang, l.Title, shorten(text), "", ""})
		}
	}
	return rows, nil
}

func shorten(s string) string {
	if r := []rune(strings.TrimSpace(s)); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return strings.TrimSpace(s)
}

// writeTable writes rows as XLSX or CSV, by the file's name. Texts come from strangers: none becomes a formula.
func writeTable(path string, rows [][]string) error {
	if strings.HasSuffix(strings.ToLower(path), ".csv") {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		_, err = f.WriteString("\uFEFF") // so that Excel reads UTF-8
		w := csv.NewWriter(f)
		for _, row := range rows {
			for i, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					row[i] = "'" + cell
				}
			}
			err = errors.Join(err, w.Write(row))
		}
		w.Flush()
		return errors.Join(err, w.Error(), f.Close())
	}
	book := excelize.NewFile()
	defer book.Close()
	sheet := book.GetSheetList()[0]
	out, err := book.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	wrap, err := book.NewStyle(&excelize.Style{Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}})
	if err != nil {
		return err
	}
	err = errors.Join(out.SetColWidth(2, 3, 40), out.SetColWidth(7, 8, 40), out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	for i, row := range rows {
		cells := make([]any, len(row))
		for k, s := range row {
			cells[k] = excelize.Cell{StyleID: wrap, Value: s}
		}
		err = errors.Join(err, out.SetRow("A"+strconv.Itoa(i+1), cells))
	}
	return errors.Join(err, out.Flush(), book.SaveAs(path))
}

func (c *config) writeKey(pool []eval.Pooled) error {
	if c.keyFile == "" {
		return nil
	}
	var b strings.Builder
	for _, p := range pool {
		line, err := json.Marshal(p)
		if err != nil {
			return err
		}
		b.Write(append(line, '\n'))
	}
	return os.WriteFile(c.keyFile, []byte(b.String()), 0o600)
}

func newJudgements(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "judgements FILE…",
		Short: "Turn judges' tables, or the stages that matches reached, into judgements in TREC form",
		Long: `Reads CSV, XLSX or JSONL with topic, listing and grade. A grade is a whole number, or the stage a match reached: declined
is 0; shortlisted and abandoned 1; introduced and in talks 2; agreed and concluded 3; --grade sets others. Rows without a
grade, and matches only suggested, are no judgements and are counted.`,
		Example: `  ketnoi eval judgements pool.xlsx --out qrels.txt
  ketnoi eval judgements deals.csv --columns "topic=Problem,listing=Expert,grade=Result" --grade "ký hợp đồng=3" --grade "từ chối=0"`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.runJudgements(args) },
	}
	c.columnsFlag(cmd)
	cmd.Flags().StringArrayVar(&c.grades, "grade", nil, "what a word in the column is worth: `WORD=GRADE`; may be repeated")
	cmd.Flags().StringVar(&c.out, "out", "", "`FILE` to write to (default: standard output)")
	return cmd
}

func (c *config) runJudgements(paths []string) error {
	grades := maps.Clone(eval.Stages)
	for _, s := range c.grades {
		i := strings.LastIndexByte(s, '=')
		g, err := strconv.Atoi(s[i+1:])
		if i <= 0 || err != nil {
			return fmt.Errorf("--grade %q: want a word and a whole number, such as concluded=3", s)
		}
		grades[strings.ToLower(strings.TrimSpace(s[:i]))] = g
	}
	q, blank, err := c.judgements(paths, grades)
	if err != nil {
		return err
	}
	to := os.Stdout
	if c.out != "" {
		if to, err = os.Create(c.out); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	if err = eval.WriteQrels(to, q); c.out != "" {
		err = errors.Join(err, to.Close())
	}
	n, relevant := 0, 0
	for _, docs := range q {
		for _, g := range docs {
			n++
			if g >= 1 {
				relevant++
			}
		}
	}
	fmt.Fprintf(os.Stderr, "%d judgements of %d topics, %d relevant; %d rows without a grade\n", n, len(q), relevant, blank)
	if err == nil && n == 0 {
		err = &exitError{code: exitRejected, err: errors.New("no row has a grade")}
	}
	return err
}

func newPropensity(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "propensity LOG --run RUN",
		Short: "Estimate what a ranking would have earned, from a log of what another one showed",
		Long: `The log (JSONL, CSV or XLSX) has for each suggestion topic, listing, propensity (the probability with which it was shown, above 0)
and reward (1 accepted, 0 not). Prints what the rankings in RUN would earn a suggestion, by inverse propensities (IPS) and
self-normalised (SNIPS), with 95 % intervals, beside what was earned.`,
		Example: `  ketnoi eval propensity shown.csv --run new.run --depth 5`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return c.runPropensity(args[0]) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&c.runs, "run", nil, "rankings to be estimated (TREC `FILE`); may be repeated")
	f.IntVar(&c.depth, "depth", 10, "how many places of a ranking are shown")
	f.Float64Var(&c.clip, "clip", 0, "weigh no suggestion more than this, for less noise and some bias; 0 clips none")
	f.Uint64Var(&c.seed, "seed", 1, "of the bootstrap behind the intervals")
	f.BoolVar(&c.json, "json", false, "print JSON")
	c.columnsFlag(cmd)
	return cmd
}

func (c *config) runPropensity(path string) error {
	if len(c.runs) == 0 || c.depth < 1 || c.clip < 0 {
		return errors.New("name the rankings with --run FILE; --depth: at least 1; --clip: at least 0")
	}
	log, err := c.readLog(path)
	if err != nil {
		return err
	}
	type estimate struct {
		Run   string        `json:"run"`
		IPS   eval.Estimate `json:"ips"`
		SNIPS eval.Estimate `json:"snips"`
	}
	var out []estimate
	for _, path := range c.runs {
		run, tag, err := readRun(path)
		if err != nil {
			return err
		}
		first := map[[2]string]bool{}
		for topic, ranking := range run {
			for _, d := range ranking[:min(c.depth, len(ranking))] {
				first[[2]string{topic, d.Doc}] = true
			}
		}
		shown := func(topic, doc string) float64 {
			if first[[2]string{topic, doc}] {
				return 1
			}
			return 0
		}
		out = append(out, estimate{tag, eval.IPS(log, shown, c.clip, bootstrapRounds, c.seed), eval.SNIPS(log, shown, c.clip, bootstrapRounds, c.seed)})
	}
	if c.json {
		return printJSON(out)
	}
	earned := 0.0
	for _, l := range log {
		earned += l.Reward / float64(len(log))
	}
	p := newPrinter()
	p.f("%d suggestions shown earned %.4f each\n", len(log), earned)
	for _, e := range out {
		for _, by := range []struct {
			name string
			eval.Estimate
		}{{"IPS", e.IPS}, {"SNIPS", e.SNIPS}} {
			p.f("%-24s %-6s %.4f  (95 %% %.4f to %.4f; effective sample %.0f of %d)\n", showLine(e.Run), by.name, by.Value, by.Interval.Low, by.Interval.High, by.ESS, by.N)
		}
	}
	return p.err
}

// bootstrapRounds are plenty for an interval to two digits.
const bootstrapRounds = 10_000

func (c *config) readLog(path string) ([]eval.Logged, error) {
	columns, err := c.columns()
	if err != nil {
		return nil, err
	}
	var log []eval.Logged
	t := table{path, columns}
	err = t.each([]string{"topic", "listing", "propensity", "reward"}, 4, func(r *row) error {
		l := eval.Logged{Topic: r.cell("topic"), Doc: r.cell("listing")}
		for key, to := range map[string]*float64{"propensity": &l.Propensity, "reward": &l.Reward} {
			v, err := strconv.ParseFloat(strings.Replace(r.cell(key), ",", ".", 1), 64)
			if err != nil {
				return fmt.Errorf("%s: %q is no number", key, r.cell(key))
			}
			*to = v
		}
		log = append(log, l)
		return l.Check()
	})
	return log, err
}
