package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/text"
	"github.com/ketnoi/ketnoi/ingest"
)

func newIngest(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ingest (FILE… | --source FILE)",
		Short: "Bring listings from files into the store",
		Long: `Reads listings from JSONL, CSV or XLSX files (the text formats also gzipped), and expert profiles from VIVO (Turtle, N3,
N-Triples), ORCID and OpenAlex; checks each record, embeds what is new or changed, and stores it. Running it again changes nothing. A new store learns an embedding
model of its own once it has 200 listings (--no-train keeps the built-in one). A record that is refused is named with its file,
line and field; the others go in.

A file with other keys than ours needs --map. It leads our keys to the source's names: title=name, works.year=y, and
title=contact.name into an object. A name with a comma stands in quotes: --map 'title="Name, full"'. What it does not
name is kept as extra (--map id=id does only that), within works, seeks and basis too, under names such as
works[0].doi. In tables, dates and numbers may have any format of Excel's; times without a zone are Viet Nam's.

Exit codes: 0 everything went in; 1 something was refused or a file failed; 2 nothing could be read or stored.`,
		Example: `  ketnoi ingest problems.jsonl technologies.xlsx
  ketnoi ingest awards.jsonl.gz --kind expert --lang en --map title=firm
  ketnoi ingest authors.jsonl.gz --format openalex --with works.jsonl.gz --basis public_record
  ketnoi ingest --source so-khcn.yaml --watch
  ketnoi ingest profiles.csv --kind expert --map "id=Mã,title=Họ tên" --map "text=Mô tả" --dry-run`,
		RunE: func(cmd *cobra.Command, args []string) error { return c.runIngest(cmd.Context(), args) },
	}
	c.ingestFlags(cmd)
	cmd.AddCommand(newIngestStatus(c), newIngestWork(c), newIngestRetry(c))
	return cmd
}

// maxIssues is how many refused records are printed one by one to a terminal: a file that is wrong throughout need not
// fill the screen. A log gets them all.
const maxIssues = 200

func (c *config) runIngest(ctx context.Context, files []string) error {
	if err := c.checkSource(files); err != nil {
		return err
	}
	run, err := c.ingestRun()
	if err != nil {
		return err
	}
	var h *house
	if !c.dryRun && c.preview == 0 || !c.missing() { // a dry run creates no file
		if h, err = c.open(ctx); err != nil {
			return err
		}
		defer h.store.Close()
		c.spec = h.model.spec
		run.Store, run.Merges, run.Embedder, run.Later = h.store, h.merges(), h.model.embedder, h.model.jobPassages()
		if h.people.Any() {
			run.People = h.people
		}
		if !c.dryRun {
			if err := run.Merges.Settle(ctx); err != nil {
				return err
			}
		}
		if db, ok := h.store.(store.Database); ok && !c.dryRun {
			defer c.maintain(ctx, db)
		}
	}
	read := func() error {
		if c.source != "" {
			return c.ingestSource(ctx, h, run)
		}
		return c.ingestFiles(ctx, run, files)
	}
	if c.dryRun || c.preview > 0 {
		return read()
	}
	if run.Later == 0 {
		err := read()
		if learnErr := h.learn(ctx, c, os.Stdout); learnErr != nil && !interrupted(ctx, learnErr) {
			fmt.Fprintf(os.Stderr, "ketnoi: everything is stored, but no model was learned from it: %s; \"ketnoi train\" does it\n", showLine(learnErr.Error()))
		}
		return err
	}
	if c.noWait {
		err := read()
		if done, settledErr := h.settled(ctx); settledErr == nil && !done {
			fmt.Println("listings wait for their vectors: \"ketnoi ingest work\" or a server embeds them")
		}
		return err
	}
	e := h.startEmbedding(ctx)
	err = read()
	if awaitErr := e.await(ctx, c); err == nil {
		err = awaitErr
	}
	return err
}

// maintain lets a database count and index what came in. What was stored stays stored when that fails; a server, or
// the next ingest, does it then.
func (c *config) maintain(ctx context.Context, db store.Database) {
	bars := c.stages(os.Stderr)
	err := db.Maintain(ctx, bars.set)
	bars.finish()
	if err != nil && !interrupted(ctx, err) {
		fmt.Fprintf(os.Stderr, "ketnoi: everything is stored, but not indexed: %s; \"ketnoi migrate\" does it, or a server that runs\n", showLine(err.Error()))
	}
}

// ingestRun checks the flags.
func (c *config) ingestRun() (*ingest.Run, error) {
	run := &ingest.Run{DryRun: c.dryRun, Format: c.format}
	run.Format.Lang = c.lang
	switch k := engine.Kind(strings.ToLower(c.kind)); k {
	case "", engine.Expert, engine.Technology, engine.Problem:
		run.Mapping.Kind = k
	default:
		return nil, fmt.Errorf("--kind %q: want expert, technology or problem", c.kind)
	}
	if c.lang != "" {
		tag, ok := text.LanguageTag(c.lang)
		if !ok {
			return nil, fmt.Errorf("--lang %q is no language tag: want BCP-47 such as vi, fr, en, ko, zh", c.lang)
		}
		run.Mapping.Lang = tag
	}
	if c.basis != "" {
		var err error
		if run.Mapping.Basis, err = engine.ParseBasis(c.basis); err != nil {
			return nil, fmt.Errorf("--basis %q: %w", c.basis, err)
		}
	}
	if len(c.mapping) > 0 {
		var err error
		if run.Mapping.Columns, err = ingest.ParseMapping(strings.Join(c.mapping, ",")); err != nil {
			return nil, fmt.Errorf("--map: %w", err)
		}
	}
	return run, nil
}

// ingestFiles runs over the files, shows progress and issues on standard error, and prints the summary.
func (c *config) ingestFiles(ctx context.Context, run *ingest.Run, files []string) error {
	return c.watchRun(run, func(view *ingestView) (failed int) {
		for _, file := range files {
			before := run.Summary()
			err := run.File(ctx, file)
			view.close()
			view.alike(file, run.Summary().Read-before.Read)
			if err == nil {
				continue
			}
			failed++
			c.tellFailure(ctx, file, err)
			if interrupted(ctx, err) {
				break
			}
		}
		return failed
	})
}

// watchRun shows the progress and the issues of a run on standard error, prints the summary, and says by its error what the
// exit code is.
func (c *config) watchRun(run *ingest.Run, do func(*ingestView) (failed int)) error {
	view := &ingestView{c: c, start: time.Now(), last: time.Now()}
	run.Report, run.Progress = view.issue, view.progress
	failed := do(view)
	view.close()
	s := run.Summary()
	if s.Read > 0 || !c.watch { // who watches need not hear that nothing came
		view.summary(s)
	}
	switch {
	case failed > 0 && s.Added+s.Changed+s.Unchanged == 0:
		return &exitError{code: exitFailed}
	case failed > 0 || s.Rejected > 0:
		return &exitError{code: exitRejected}
	}
	return nil
}

// tellFailure says why reading ended before its end.
func (c *config) tellFailure(ctx context.Context, file string, err error) {
	if interrupted(ctx, err) {
		what := "what is counted below is stored, run the same command again to go on"
		if c.dryRun {
			what = "only what is counted below was checked"
		}
		fmt.Fprintln(os.Stderr, "stopped; "+what)
		return
	}
	if file != "" && !strings.Contains(err.Error(), file) {
		err = fmt.Errorf("%s: %w", file, err)
	}
	fmt.Fprintln(os.Stderr, "ketnoi: "+showLine(err.Error()))
}

// ingestView is what a person, or a log, sees of an ingest.
type ingestView struct {
	c      *config
	start  time.Time
	last   time.Time
	bar    *progressbar.ProgressBar
	issues int
	hidden int
	first  ingest.Issue // why a record of this file was refused
	same   int          // how many were, over the same field
}

func (v *ingestView) issue(i ingest.Issue) {
	switch {
	case i.Warning:
	case v.same == 0:
		v.first, v.same = i, 1
	case i.Field == v.first.Field:
		v.same++
	}
	if v.issues++; v.issues > maxIssues && v.c.interactive {
		v.hidden++
		return
	}
	if v.bar != nil {
		_ = v.bar.Clear()
	}
	word := "error"
	if i.Warning {
		word = "warning"
	}
	fmt.Fprintf(os.Stderr, "%s: %s\n", word, show(i.String()))
}

func (v *ingestView) progress(s ingest.Summary, p ingest.Position) {
	if v.c.interactive {
		if v.bar == nil {
			v.bar = progressbar.NewOptions64(p.Size, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(show(p.File)),
				progressbar.OptionShowBytes(true), progressbar.OptionSetWidth(24), progressbar.OptionThrottle(100*time.Millisecond),
				progressbar.OptionClearOnFinish())
		}
		_ = v.bar.Set64(p.Offset)
		return
	}
	if now := time.Now(); now.Sub(v.last) >= plainEvery {
		v.last = now
		percent := int64(100)
		if p.Size > 0 {
			percent = 100 * p.Offset / p.Size
		}
		fmt.Fprintf(os.Stderr, "%s: %d %% read; so far %d added, %d changed, %d unchanged, %d rejected\n", show(p.File), percent, s.Added, s.Changed, s.Unchanged, s.Rejected)
	}
}

func (v *ingestView) close() {
	if v.bar != nil {
		_ = v.bar.Finish()
		v.bar = nil
	}
}

// alike says in one line what is wrong with a file of which every record was refused over the same field.
func (v *ingestView) alike(file string, read int) {
	if v.same > 1 && v.same == read && v.first.Field != "" {
		fmt.Fprintf(os.Stderr, "%s: all %d records were refused over %s: %s\n", show(file), read, show(v.first.Field), show(v.first.Reason))
	}
	v.same = 0
}

func (v *ingestView) summary(s ingest.Summary) {
	if v.hidden > 0 {
		fmt.Fprintf(os.Stderr, "… and %d more of these; with 2> FILE all of them go to a file\n", v.hidden)
	}
	verb := "stored"
	if v.c.dryRun {
		verb = "nothing stored (--dry-run); would be"
	}
	if v.c.dryRun {
		fmt.Printf("%d passages to embed, about %d tokens%s\n", s.Passages, s.Tokens, priceOf(s.Tokens, &v.c.spec))
	}
	took := time.Since(v.start)
	fmt.Printf("%d read; %s: %d added, %d changed; %d unchanged, %d rejected, %d warnings (%s)\n",
		s.Read, verb, s.Added, s.Changed, s.Unchanged, s.Rejected, s.Warnings, took.Round(10*time.Millisecond))
	if s.NoBasis > 0 {
		fmt.Printf("no basis for processing is stated for %d of the persons: they are stored and not recommended. Ingest them again with --basis KIND (consent, contract, public_record, …), or give each a basis: {\"basis\": {\"kind\": \"consent\", \"at\": \"2026-05-31\"}}; what is about an organisation names it in \"organisation\"\n", s.NoBasis)
	}
}
