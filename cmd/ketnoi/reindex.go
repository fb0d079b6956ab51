package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/eval"
	"github.com/ketnoi/ketnoi/ingest"
)

func newReindex(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reindex [--model NAME --url ADDRESS | --back | --forget NAME]",
		Short: "Change the embedding model without an interruption, or show the models there are",
		Long: `Asks the provider for one vector, embeds every listing with the new model beside the present one, which goes on
answering, compares both on judged topics where --topics and --qrels name some, and makes the new one active in one step.
Servers that run change over by themselves within seconds. Stopped at any moment it goes on where it was when it is run
again, and nothing is paid for twice. Vectors of the model before are kept: --back returns to it.

The key comes from KETNOI_EMBED_KEY or OPENAI_API_KEY. An address outside of your own network is noted as a transfer;
KETNOI_FORBID_FOREIGN=1 forbids it. On a store without listings this chooses the model for those to come.

Exit codes: 0 switched (or filled, with --fill-only); 1 filled and not switched, since the new model ranks worse; 2 failed.`,
		Example: `  ketnoi reindex --model bge-m3 --url http://127.0.0.1:11434/v1 --window 8192 --dry-run
  ketnoi reindex --model text-embedding-3-small --url https://api.openai.com/v1 --price 0.02 --batch 256
  ketnoi reindex --model bge-m3 --topics topics.jsonl --qrels qrels.txt --want expert
  ketnoi reindex --back`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runReindex(cmd.Context(), cmd) },
	}
	c.reindexFlags(cmd)
	return cmd
}

func (c *config) runReindex(ctx context.Context, cmd *cobra.Command) error {
	chosen := 0
	for _, set := range []bool{c.spec.Model != "", c.back, c.forget != ""} {
		if set {
			chosen++
		}
	}
	if chosen > 1 {
		return errors.New("--model, --back and --forget: give one of them")
	}
	h, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer h.store.Close()
	switch {
	case c.forget != "":
		return c.forgetModel(ctx, h)
	case c.back:
		spec, known, err := readSpec(ctx, h.store, modelSpace, formerNote)
		if err != nil {
			return err
		}
		if !known {
			return errors.New("--back: there was no other model before")
		}
		return c.change(ctx, h, spec)
	case c.spec.Model != "":
		spec, err := c.wantedSpec(ctx, h, cmd)
		if err != nil {
			return err
		}
		return c.change(ctx, h, spec)
	}
	return c.printModels(ctx, h)
}

// wantedSpec is the model that the flags describe; what they leave out is as the store remembers it.
func (c *config) wantedSpec(ctx context.Context, h *house, cmd *cobra.Command) (embeddings.Spec, error) {
	if c.spec.Model == embeddings.Lexicon {
		return builtIn(), nil
	}
	spec := c.spec
	if spec.URL == "" {
		known, err := remembered(ctx, h.store, firstOf(spec.Name, spec.Model))
		if err == nil && known.Provider == embeddings.Trained {
			return known, nil
		}
		if err != nil {
			return spec, fmt.Errorf("--url: missing, and %w; where is %s served?", err, spec.Model)
		}
		for name, keep := range map[string]func(){
			"batch": func() { known.Batch = spec.Batch }, "concurrency": func() { known.Concurrency = spec.Concurrency },
			"timeout": func() { known.Timeout = spec.Timeout }, "price": func() { known.Price = spec.Price },
		} {
			if isSet(cmd, name) {
				keep()
			}
		}
		return known, nil
	}
	if of := strings.HasPrefix(spec.Model, "text-embedding-3-") || spec.Model == "text-embedding-ada-002"; of && spec.Window == 0 {
		spec.Window = 8191
		if spec.Tokenizer == "" {
			spec.Tokenizer = "cl100k_base"
		}
	}
	if err := spec.Normalise(); err != nil {
		return spec, fmt.Errorf("--%w", err)
	}
	m, err := h.openModel(ctx, c, spec)
	if err != nil {
		return spec, err
	}
	if spec.Dim, err = m.client.Probe(ctx); err != nil {
		return spec, err
	}
	known, err := remembered(ctx, h.store, spec.Name)
	if err == nil && known.Dim != spec.Dim {
		return spec, fmt.Errorf("%s gives vectors of %d dimensions, and those stored under that name have %d: it is another model, give it another --name", spec.Model, spec.Dim, known.Dim)
	}
	return spec, nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// change fills a model's vectors, compares, and makes it the active one.
func (c *config) change(ctx context.Context, h *house, spec embeddings.Spec) error {
	former := h.model.spec
	if spec == former {
		fmt.Printf("%s is the active model already\n", spec.Name)
		return nil
	}
	m, err := h.openModel(ctx, c, spec)
	if err != nil {
		return err
	}
	lacking, err := h.store.Lacking(ctx, spec.Name)
	if err != nil {
		return err
	}
	if err := c.announce(ctx, h, m, lacking); err != nil || c.dryRun {
		return err
	}
	release, err := h.claimFilling(ctx, spec)
	if err != nil {
		return err
	}
	defer release()
	if err := c.fillFor(ctx, h, m, lacking); err != nil {
		return err
	}
	better, err := c.compare(ctx, h, m)
	if err != nil {
		return err
	}
	switch {
	case c.fillOnly:
		fmt.Printf("%s has all vectors; %s stays active\n", spec.Name, former.Name)
		return nil
	case !better && !c.force:
		fmt.Printf("%s ranks worse: %s stays active; --force switches all the same\n", spec.Name, former.Name)
		return &exitError{code: exitRejected}
	}
	// What came in while both were compared.
	if _, err := h.filler(m).All(ctx, m.atOnce(), nil); err != nil {
		return err
	}
	if err := switchModel(ctx, h.store, spec, former); err != nil {
		return err
	}
	fmt.Printf("%s is active now; \"ketnoi reindex --back\" returns to %s, \"--forget %s\" removes its vectors\n", spec.Name, former.Name, former.Name)
	return nil
}

// fillFor embeds what lacks vectors of the model.
func (c *config) fillFor(ctx context.Context, h *house, m *model, lacking int) error {
	bar := c.meter(os.Stderr, "embedding with "+m.spec.Name, lacking)
	done, err := 0, error(nil)
	for since := time.Now(); ; {
		var some int
		before := done
		some, err = h.filler(m).All(ctx, m.atOnce(), func(n int) { bar.set(before + n) })
		done += some
		var away *embeddings.UnavailableError
		if some > 0 {
			since = time.Now()
		}
		if !errors.As(err, &away) || time.Since(since) > troubleTime {
			break
		}
		fmt.Fprintf(os.Stderr, "%s; waiting for it (stop with Ctrl+C, nothing is lost)\n", showLine(err.Error()))
		sleep(ctx, max(away.After, leastPause))
	}
	bar.finish(false)
	if lacking > 0 && !m.local() {
		fmt.Printf("embedded %d listings: %s\n", done, h.usage.sentence(&m.spec))
	}
	if interrupted(ctx, err) {
		fmt.Fprintln(os.Stderr, "stopped; what was embedded is kept, run the same command again to go on")
		return &exitError{code: exitFailed}
	}
	if err != nil {
		return fmt.Errorf("%w; what was embedded is kept, run the same command again to go on", err)
	}
	failed, err := h.failures(ctx, m.spec.Name, nil)
	if failed > 0 {
		fmt.Fprintf(os.Stderr, "%d listings are refused by %s and will be found by words only\n", failed, m.spec.Name)
	}
	return err
}

// compare ranks judged topics by both models, and reports whether the new one is not worse.
func (c *config) compare(ctx context.Context, h *house, m *model) (better bool, err error) {
	if c.topics == "" && c.qrels == "" {
		return true, nil
	}
	x := &eval.Experiment{}
	if err := c.readCollection(x); err != nil {
		return false, err
	}
	total, err := h.total(ctx)
	if err != nil {
		return false, err
	}
	if x.Facts, err = h.facts(ctx); err != nil {
		return false, err
	}
	var results []*eval.Result
	p := newPrinter()
	for _, of := range []*model{h.model, m} {
		d, err := h.loaded(ctx, c, of, os.Stderr, total, byIndex)
		if err != nil {
			return false, err
		}
		h.desk.Store(d)
		res := &eval.Result{Name: of.spec.Name, Ranker: d.rec.Ranker.Name, Model: of.spec.Name}
		bar := c.meter(os.Stderr, "ranking topics", len(x.Topics))
		x.Progress = bar.set
		err = x.Execute(ctx, d.rec, d.rec.Ranker.Threshold, res)
		bar.finish(false)
		if err != nil {
			return false, err
		}
		results = append(results, res)
	}
	p.results(results, c.measures)
	found, err := eval.Compare(results, c.measures, eval.Chance{Rounds: c.rounds, Seed: c.seed})
	if err != nil {
		return false, err
	}
	p.comparison(found[0])
	return found[0].Changes[0].Difference >= 0, p.err
}

// claimFilling notes how a model is reached, and keeps two processes from filling it, which would pay twice.
func (h *house) claimFilling(ctx context.Context, spec embeddings.Spec) (release func(), err error) {
	known, err := json.Marshal(spec)
	if err == nil {
		err = h.store.PutNotes(ctx, knownSpace, map[string][]byte{spec.Name: known})
	}
	if err != nil {
		return nil, err
	}
	const stale = 30 * time.Second
	type claim struct {
		Model string    `json:"model"`
		At    time.Time `json:"at"`
	}
	notes, err := h.store.Notes(ctx, modelSpace, fillingNote)
	if err != nil {
		return nil, err
	}
	var other claim
	if json.Unmarshal(notes[fillingNote], &other) == nil && time.Since(other.At) < stale {
		return nil, fmt.Errorf("another process is filling %s; wait for it, or %s after it was killed", other.Model, stale)
	}
	put := func(ctx context.Context) error {
		body, err := json.Marshal(claim{spec.Name, time.Now()})
		if err == nil {
			err = h.store.PutNotes(ctx, modelSpace, map[string][]byte{fillingNote: body})
		}
		return err
	}
	if err := put(ctx); err != nil {
		return nil, err
	}
	own, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for sleep(own, stale/3); own.Err() == nil; sleep(own, stale/3) {
			_ = put(own) // if the store is away, filling fails by itself
		}
	}()
	return func() {
		cancel()
		<-ended
		_ = h.store.PutNotes(context.WithoutCancel(ctx), modelSpace, map[string][]byte{fillingNote: nil})
	}, nil
}

func (c *config) forgetModel(ctx context.Context, h *house) error {
	if c.forget == h.model.spec.Name {
		return fmt.Errorf("--forget %s: it is the active model; change to another first", c.forget)
	}
	if err := h.store.Forget(ctx, c.forget); err != nil {
		return err
	}
	known, err := remembered(ctx, h.store, c.forget)
	if err == nil && known.Provider == embeddings.Trained {
		err = h.store.PutNotes(ctx, trainedSpace, map[string][]byte{known.Model: nil})
	}
	if err != nil && !errors.Is(err, errUnknownModel) {
		return err
	}
	if err := h.store.PutNotes(ctx, knownSpace, map[string][]byte{c.forget: nil}); err != nil {
		return err
	}
	if former, known, err := readSpec(ctx, h.store, modelSpace, formerNote); err == nil && known && former.Name == c.forget {
		if err := h.store.PutNotes(ctx, modelSpace, map[string][]byte{formerNote: nil}); err != nil {
			return err
		}
	}
	fmt.Printf("the vectors of %s are removed\n", c.forget)
	return nil
}

func (c *config) printModels(ctx context.Context, h *house) error {
	total, err := h.total(ctx)
	if err != nil {
		return err
	}
	show := func(spec embeddings.Spec, what string) error {
		lacking, err := h.store.Lacking(ctx, spec.Name)
		if err != nil {
			return err
		}
		where := "built in"
		if spec.URL != "" {
			where = spec.URL
		}
		fmt.Printf("%-8s %s: %d dimensions, %s, vectors of %d of %d listings\n", what, showLine(spec.Name), spec.Dim, showLine(where), total-lacking, total)
		return nil
	}
	if err := show(h.model.spec, "active"); err != nil {
		return err
	}
	former, known, err := readSpec(ctx, h.store, modelSpace, formerNote)
	if err != nil {
		return err
	}
	if known {
		if err := show(former, "before"); err != nil {
			return err
		}
	}
	return ingest.EachNote(ctx, h.store, knownSpace, "", func(n engine.Note) error {
		spec, _, err := readSpec(ctx, h.store, knownSpace, n.Key)
		if err != nil || spec.Name == h.model.spec.Name || spec.Name == former.Name {
			return err
		}
		return show(spec, "known")
	})
}
