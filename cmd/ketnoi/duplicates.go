package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/twins"
)

func newDuplicates(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "duplicates",
		Short: "List listings that may be about the same person or thing, and decide about them",
		Long: `Lists pairs of listings that may be about the same, the most certain first, each with what speaks for it and against it.
Nothing is merged by itself: "duplicates merge" makes one listing of two, "duplicates apart" says that they are two, or
parts them again. What each source gave is kept, and goes on being taken in under both ids. Pairs that were decided
are not proposed again, unless much more speaks for one that was kept apart.

"duplicates scan" finds them; it is to be run after listings came in.`,
		Example: `  ketnoi duplicates scan
  ketnoi duplicates --kind expert
  ketnoi duplicates merge E101 E733 --keep E733
  ketnoi duplicates apart E101 E733`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withStore(cmd.Context(), func(h *house) error { return c.listPairs(cmd.Context(), h) })
		},
	}
	c.duplicatesFlags(cmd)
	cmd.AddCommand(newScan(c), newMerge(c), newApart(c))
	return cmd
}

func newScan(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scan",
		Short: "Compare what is new or changed with all listings, and propose pairs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withMerges(cmd.Context(), func(h *house) error {
				start := time.Now()
				r, err := scanPairs(cmd.Context(), h.store, c.full)
				if interrupted(cmd.Context(), err) {
					fmt.Fprintln(os.Stderr, "stopped; run the same command again")
					return &exitError{code: exitFailed}
				}
				if err != nil {
					return err
				}
				fmt.Printf("%d of %d listings compared with all: %d pairs proposed, %d proposals no longer hold, %d wait for a decision (%s)\n",
					r.fresh, r.listings, r.added, r.gone, r.waiting, time.Since(start).Round(10*time.Millisecond))
				return nil
			})
		},
	}
	c.scanFlags(cmd)
	return cmd
}

func newMerge(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merge A B",
		Short: "Make one listing of two; both sources go on being taken in",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return c.withMerges(cmd.Context(), func(h *house) error { return c.merge(cmd.Context(), h, ids[0], ids[1]) })
		},
	}
	c.mergeFlags(cmd)
	return cmd
}

func newApart(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apart A B",
		Short: "Say that two listings are two; if they were merged, part them",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return c.withMerges(cmd.Context(), func(h *house) error { return c.part(cmd.Context(), h, ids[0], ids[1]) })
		},
	}
	c.byFlag(cmd)
	return cmd
}

// withMerges opens a store that is there, and finishes merges that were stopped on their way.
func (c *config) withMerges(ctx context.Context, do func(*house) error) error {
	return c.withStore(ctx, func(h *house) error {
		if err := h.merges().Settle(ctx); err != nil {
			return err
		}
		return do(h)
	})
}

func (c *config) merge(ctx context.Context, h *house, a, b string) error {
	kept, err := h.merges().Merge(ctx, a, b, c.keep)
	if err == nil {
		err = h.decide(ctx, a, b, merged, c.by)
	}
	if err != nil {
		return h.whose(err)
	}
	group, err := h.merges().Group(ctx, kept)
	if err != nil {
		return err
	}
	fmt.Printf("%s now stands for %d listings; \"ketnoi duplicates apart %s %s\" undoes it\n", kept, len(group), a, b)
	return nil
}

// part notes first: stopped in between, it has said nothing yet and is repeated, while a pair that is parted and noted as
// merged would be proposed again.
func (c *config) part(ctx context.Context, h *house, a, b string) error {
	if a == b {
		return fmt.Errorf("%s twice: name two listings", a)
	}
	err := h.decide(ctx, a, b, apart, c.by)
	if err == nil {
		err = h.merges().Apart(ctx, a, b)
	}
	if err != nil {
		return h.whose(err)
	}
	fmt.Printf("%s and %s are two\n", a, b)
	return nil
}

func (h *house) whose(err error) error {
	if errors.Is(err, engine.ErrUnknownListing) {
		return fmt.Errorf("%w in %s", err, h.store.Address())
	}
	return err
}

// pairView is a pair with its listings.
type pairView struct {
	A       *engine.Listing `json:"a"`
	B       *engine.Listing `json:"b"`
	Score   float64         `json:"score"`
	Reasons []twins.Reason  `json:"reasons"`
	State   string          `json:"state"`
	At      time.Time       `json:"at"`
	By      string          `json:"by,omitzero"`
}

func (c *config) listPairs(ctx context.Context, h *house) error {
	if c.state != proposed && c.state != merged && c.state != apart {
		return fmt.Errorf("--state %q: want proposed, merged or apart", c.state)
	}
	if c.pairsLimit < 1 {
		return fmt.Errorf("--limit %d: want 1 or more", c.pairsLimit)
	}
	if kind := engine.Kind(c.kind); kind != "" && !slices.Contains(engine.Kinds, kind) {
		return fmt.Errorf("--kind %q: want expert, technology or problem", c.kind)
	}
	type entry struct {
		a, b string
		pairNote
	}
	var pairs []entry
	err := eachPair(ctx, h.store, func(a, b string, n pairNote) error {
		if n.State == c.state {
			pairs = append(pairs, entry{a, b, n})
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(pairs, func(a, b entry) int { return cmp.Compare(b.Score, a.Score) })
	views, more := []pairView{}, false
	for _, p := range pairs {
		if more = len(views) == c.pairsLimit; more {
			break
		}
		listings, err := h.both(ctx, p.a, p.b)
		if err != nil {
			return err
		}
		a, b := listings[p.a], listings[p.b]
		if a == nil || b == nil || c.kind != "" && string(a.Kind) != c.kind {
			continue // the next scan takes it away
		}
		views = append(views, pairView{a, b, p.Score, p.Reasons, p.State, p.At, p.By})
	}
	if c.json {
		return printJSON(views)
	}
	v := newView(c)
	for i := range views {
		v.pair(i+1, &views[i])
	}
	switch {
	case len(views) == 0 && c.state == proposed:
		v.p.f("no pair waits for a decision; \"ketnoi duplicates scan\" looks for some\n")
	case more:
		v.p.f("these are the most certain of %d; --limit shows more\n", len(pairs))
	}
	return v.p.err
}

// both returns two listings without their texts and works: as stored or, of those that are merged, as given.
func (h *house) both(ctx context.Context, a, b string) (map[string]*engine.Listing, error) {
	out := map[string]*engine.Listing{}
	entries, err := h.store.Entries(ctx, []string{a, b}, "")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		out[e.Listing.ID] = e.Listing
	}
	if len(out) < 2 {
		members, err := h.merges().Members(ctx, a, b)
		if err != nil {
			return nil, err
		}
		// A proposal whose one side was merged elsewhere in the meantime is none.
		if members[a].Into == members[b].Into {
			for id, of := range members {
				out[id] = of.Listing
			}
		}
	}
	for _, l := range out {
		l.Text, l.Works = "", nil
	}
	return out, nil
}

// pair prints two listings one above the other, and the reasons.
func (v *view) pair(i int, p *pairView) {
	v.p.f("%s %s  %s  %s\n", v.bold(fmt.Sprintf("%3d.", i)), v.bold(fmt.Sprintf("%.3f", p.Score)), v.good(bar(p.Score, 20)), p.A.Kind)
	for _, l := range []*engine.Listing{p.A, p.B} {
		about := []string{l.Title}
		for _, s := range []string{l.Person, l.Organisation, l.URL} {
			if s != "" && s != l.Title {
				about = append(about, s)
			}
		}
		about = append(about, v.facts(l)[2:]...)
		v.labelledLines(show(l.ID), lines(show(strings.Join(about, " · ")), v.width-indent-labelWidth))
	}
	var pro, contra []string
	for _, r := range p.Reasons {
		s := strings.ReplaceAll(r.Kind, "_", " ")
		if r.Value != "" {
			s += " " + r.Value
		}
		if r.Similarity > 0 {
			s += fmt.Sprintf(" %.0f %% alike", 100*r.Similarity)
		}
		if r.Points < 0 {
			contra = append(contra, s)
		} else {
			pro = append(pro, s)
		}
	}
	for _, line := range []struct {
		label string
		words []string
	}{{"for", pro}, {"against", contra}} {
		if len(line.words) > 0 {
			v.labelled(line.label, show(strings.Join(line.words, "; ")))
		}
	}
	if p.By != "" {
		v.labelled(p.State, show("by "+p.By+", "+p.At.Format(time.DateOnly)))
	}
	v.p.f("\n")
}
