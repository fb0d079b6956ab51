package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/eval"
	"github.com/ketnoi/ketnoi/ingest"
)

// readCollection reads topics, judgements, wanted kinds and measures.
func (c *config) readCollection(x *eval.Experiment) (err error) {
	if c.topics == "" || c.qrels == "" {
		return errors.New("name the topics with --topics FILE and the judgements with --qrels FILE")
	}
	if x.Measures, err = c.parseMeasures(); err != nil {
		return err
	}
	if x.Topics, err = c.readTopics(); err != nil {
		return err
	}
	if x.Qrels, err = c.readQrels(c.qrels); err != nil {
		return err
	}
	x.Want, err = c.kindsWanted()
	return err
}

func (c *config) kindsWanted() (out []engine.Kind, err error) {
	for _, k := range c.want {
		switch kind := engine.Kind(k); kind {
		case engine.Expert, engine.Technology, engine.Problem:
			out = append(out, kind)
		default:
			return nil, fmt.Errorf("--want %q: want expert, technology or problem", k)
		}
	}
	return out, nil
}

func (c *config) parseMeasures() ([]eval.Measure, error) {
	if len(c.measures) == 0 {
		c.measures = eval.Defaults
	}
	if c.rounds < 1 || c.rounds > 100_000_000 {
		return nil, fmt.Errorf("--rounds %d: want 1 to 100 million", c.rounds)
	}
	out, err := eval.ParseMeasures(c.measures)
	if err != nil {
		return nil, fmt.Errorf("--measures: %w", err)
	}
	return out, nil
}

// columns reads --columns.
func (c *config) columns() (map[string]string, error) {
	if len(c.tableColumns) == 0 {
		return nil, nil
	}
	out, err := ingest.ParseColumns(strings.Join(c.tableColumns, ","), slices.Sorted(maps.Keys(columnNames)), "topics, judgements or logs")
	if err != nil {
		return nil, fmt.Errorf("--columns: %w", err)
	}
	return out, nil
}

func (c *config) readTopics() ([]eval.Topic, error) {
	if name := strings.TrimSuffix(strings.ToLower(c.topics), ".gz"); !isTable(name) || strings.HasSuffix(name, "l") && len(c.tableColumns) == 0 {
		f, err := os.Open(c.topics)
		if err != nil {
			return nil, fmt.Errorf("--topics: %w", err)
		}
		defer f.Close()
		topics, err := eval.ReadTopics(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.topics, err)
		}
		return topics, nil
	}
	columns, err := c.columns()
	if err != nil {
		return nil, err
	}
	var topics []eval.Topic
	var lines []int
	list := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(";|, ", r) })
	}
	t := table{c.topics, columns}
	err = t.each([]string{"id", "title", "text", "lang", "fields", "regions", "languages"}, 1, func(r *row) error {
		topics = append(topics, eval.Topic{ID: r.cell("id"), Title: r.cell("title"), Text: r.cell("text"), Lang: r.cell("lang"),
			Fields: list(r.cell("fields")), Regions: list(r.cell("regions")), Languages: list(r.cell("languages"))})
		lines = append(lines, r.line)
		return nil
	})
	if err == nil {
		if err = eval.CheckTopics(topics, func(i int) string { return fmt.Sprintf("line %d", lines[i]) }); err != nil {
			err = fmt.Errorf("%s: %w", c.topics, err)
		}
	}
	return topics, err
}

// readQrels reads judgements in TREC form or from a table.
func (c *config) readQrels(path string) (eval.Qrels, error) {
	if isTable(path) {
		q, _, err := c.judgements([]string{path}, nil)
		return q, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--qrels: %w", err)
	}
	defer f.Close()
	q, err := eval.ReadQrels(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return q, nil
}

// judgements reads tables of them. Rows without a grade are counted as blank.
func (c *config) judgements(paths []string, grades map[string]int) (q eval.Qrels, blank int, err error) {
	columns, err := c.columns()
	if err != nil {
		return nil, 0, err
	}
	q = eval.Qrels{}
	for _, path := range paths {
		t := table{path, columns}
		err := t.each([]string{"topic", "listing", "grade"}, 3, func(r *row) error {
			g, judged, err := eval.ParseGrade(r.cell("grade"), grades)
			if err != nil {
				return err
			}
			if !judged {
				blank++
				return nil
			}
			return q.Add(r.cell("topic"), r.cell("listing"), g)
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return q, blank, nil
}

// temporaryStore brings the files of --listings into a store that is removed at the end.
func (c *config) temporaryStore(ctx context.Context) (remove func(), err error) {
	dir, err := os.MkdirTemp("", "ketnoi-eval-")
	if err != nil {
		return func() {}, err
	}
	signal.Ignore(syscall.SIGPIPE) // "| head" must not leave the store behind
	remove = func() { os.RemoveAll(dir) }
	c.store = "sqlite:" + filepath.Join(dir, "eval.db")
	c.erasures = ""
	run, err := c.ingestRun()
	if err != nil {
		return remove, err
	}
	h, err := c.open(ctx)
	if err != nil {
		return remove, err
	}
	defer h.store.Close()
	const told = 5
	run.Store, run.Merges, run.Embedder = h.store, h.merges(), h.model.embedder
	refused := 0
	run.Report = func(i ingest.Issue) {
		if i.Warning {
			return
		}
		if refused++; refused <= told {
			fmt.Fprintln(os.Stderr, "error:", showLine(i.String()))
		}
	}
	for _, path := range c.listings {
		if err := run.File(ctx, path); err != nil {
			return remove, fmt.Errorf("--listings: %w", err)
		}
	}
	s := run.Summary()
	fmt.Fprintf(os.Stderr, "%d listings in a store for this experiment, %d refused; %d about persons without a basis are not recommended (--basis)\n", s.Added, s.Rejected, s.NoBasis)
	return remove, h.learn(ctx, c, os.Stderr)
}

// facts reads what slices and fairness need to know of every listing that can be recommended.
func (h *house) facts(ctx context.Context) (eval.Facts, error) {
	out := eval.Facts{}
	stated := func(l *engine.Listing, names ...string) string {
		for _, name := range names {
			var s string
			if json.Unmarshal(jsontext.Value(l.Extra[name]), &s) == nil && s != "" {
				return strings.ToLower(s)
			}
		}
		return ""
	}
	return out, h.eachListed(ctx, func(l *engine.Listing) error {
		f := eval.Fact{Kind: l.Kind, Title: l.Title, Lang: l.Lang, Size: stated(l, "organisation_size", "size"), Gender: stated(l, "gender", "sex")}
		for _, r := range l.Regions {
			country, _, _ := strings.Cut(r, "-")
			if !slices.Contains(f.Regions, country) {
				f.Regions = append(f.Regions, country)
			}
		}
		out[l.ID] = f
		return nil
	})
}

// warnUnknown says which judged listings the store does not have: they count as not found.
func (c *config) warnUnknown(x *eval.Experiment) {
	unknown := map[string]bool{}
	for _, grades := range x.Qrels {
		for doc, g := range grades {
			if _, known := x.Facts[doc]; !known && g >= 1 {
				unknown[doc] = true
			}
		}
	}
	if len(unknown) == 0 {
		return
	}
	some := slices.Sorted(maps.Keys(unknown))
	fmt.Fprintf(os.Stderr, "ketnoi: warning: %d listings that are judged relevant are not in the store and count as not found, such as %s\n", len(unknown), showLine(strings.Join(some[:min(3, len(some))], ", ")))
}

// turn makes the experiment of the other direction: those who were judged relevant ask, and the topics, which must be
// stored, are found.
func (h *house) turn(ctx context.Context, x *eval.Experiment) (*eval.Experiment, error) {
	out := &eval.Experiment{Qrels: x.Qrels.Transpose(), Measures: x.Measures, Facts: x.Facts}
	kinds := map[engine.Kind]bool{}
	for _, t := range x.Topics {
		f, stored := x.Facts[t.ID]
		if !stored {
			return nil, fmt.Errorf("--back: topic %s is not in the store: the other direction finds topics, so ingest them as problems first", t.ID)
		}
		kinds[f.Kind] = true
	}
	for _, k := range []engine.Kind{engine.Expert, engine.Technology, engine.Problem} {
		if kinds[k] {
			out.Want = append(out.Want, k)
		}
	}
	ids := slices.Sorted(maps.Keys(out.Qrels))
	for part := range slices.Chunk(ids, 500) {
		entries, err := h.store.Entries(ctx, part, "")
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			out.Topics = append(out.Topics, eval.Topic{ID: e.Listing.ID, Title: e.Listing.Title, Lang: e.Listing.Lang, Fields: e.Listing.Fields, Regions: e.Listing.Regions, Listing: e.Listing})
		}
	}
	return out, nil
}

// weightSets writes a ranker's weights down.
func weightSets(rk *engine.Ranker) (out []eval.WeightSet) {
	for _, sig := range rk.Signals() {
		out = append(out, eval.WeightSet{Signal: sig.String(), Within: rk.Within[sig], Across: rk.Across[sig]})
	}
	return out
}
