package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/ingest"
)

// A store keeps standing queries by their names, and beside them, by "NAME ID", who answers one and was there or was told of: a
// note each, so that erasing a listing forgets it and no query.
const (
	standingSpace = "standing"
	seenSpace     = "standing/seen"
)

// standingQuery is asked again whenever listings have come in.
type standingQuery struct {
	Query engine.Query `json:"query"`
	At    time.Time    `json:"at"` // when it was opened
}

// seen is a listing that answers a standing query. One that was there when it was opened has no title: it is no news.
type seen struct {
	ID         string    `json:"-"`
	Title      string    `json:"title,omitzero"`
	Confidence float64   `json:"confidence,omitzero"`
	Summary    string    `json:"summary,omitzero"`
	At         time.Time `json:"at"`
}

const maxStanding = 10_000 // of a store

func newStanding(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "standing",
		Short: "Keep a query open, and hear when something that answers it arrives",
		Long: `A standing query is asked again as listings come in: by a server that runs, at once; or by "ketnoi standing check". What answers
it and was not there before is news. For a problem without a good match it keeps the problem open.`,
	}
	open := &cobra.Command{
		Use: "open NAME (--for ID | --text TEXT)", Short: "Open a standing query under a name", Args: cobra.ExactArgs(1),
		Example: `  ketnoi standing open p101-korea --for P101 --region KR`,
		RunE:    func(cmd *cobra.Command, args []string) error { return c.openStanding(cmd.Context(), args[0]) },
	}
	c.queryFlags(open)
	shut := &cobra.Command{
		Use: "close NAME", Short: "Close a standing query", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.closeStanding(cmd.Context(), args[0]) },
	}
	list := &cobra.Command{
		Use: "list", Short: "List the standing queries with their news", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.listStanding(cmd.Context()) },
	}
	check := &cobra.Command{
		Use: "check", Short: "Ask all standing queries again, and print the news", Args: cobra.NoArgs,
		Long: `Asks all standing queries again and prints what is new.

Exit codes: 0 there is news; 1 there is none; 2 failed.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.checkStanding(cmd.Context()) },
	}
	c.retrieveFlags(check)
	cmd.AddCommand(open, shut, list, check)
	return cmd
}

func (c *config) openStanding(ctx context.Context, name string) error {
	if name == "" || len(name) > 100 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("%q is no name: want up to 100 characters without spaces", name)
	}
	q, err := c.checkedQuery()
	if err != nil {
		return err
	}
	h, err := c.ready(ctx, os.Stderr, byDatabase)
	if err != nil {
		return err
	}
	defer h.store.Close()
	notes, err := h.store.Notes(ctx, standingSpace, name)
	if err != nil {
		return err
	}
	if notes[name] != nil {
		return fmt.Errorf("%s is open already; close it first (ketnoi standing close %s)", name, name)
	}
	all, err := h.store.ListNotes(ctx, standingSpace, "", maxStanding)
	if err != nil {
		return err
	}
	if len(all) == maxStanding {
		return fmt.Errorf("no more than %d standing queries can be open", maxStanding-1)
	}
	body, err := json.Marshal(standingQuery{Query: q, At: time.Now().UTC().Truncate(time.Second)}, json.Deterministic(true))
	if err != nil {
		return err
	}
	there, err := h.ask(ctx, name, &standingQuery{Query: q}, false)
	if errors.Is(err, engine.ErrUnknownListing) {
		return fmt.Errorf("--for %s: no such listing in %s", c.subject, h.store.Address())
	}
	if err == nil {
		err = h.store.PutNotes(ctx, standingSpace, map[string][]byte{name: body})
	}
	if err == nil {
		fmt.Printf("%s is open; %d that answer it are there already, and what comes is news\n", name, len(there))
	}
	return err
}

func (c *config) closeStanding(ctx context.Context, name string) error {
	h, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer h.store.Close()
	notes, err := h.store.Notes(ctx, standingSpace, name)
	if err != nil {
		return err
	}
	if notes[name] == nil {
		return fmt.Errorf("no standing query is called %s", name)
	}
	gone := map[string][]byte{}
	if err := h.eachSeen(ctx, name, func(x seen) { gone[name+" "+x.ID] = nil }); err != nil {
		return err
	}
	if err := h.store.PutNotes(ctx, standingSpace, map[string][]byte{name: nil}); err != nil {
		return err
	}
	fmt.Printf("%s is closed\n", show(name))
	return h.store.PutNotes(ctx, seenSpace, gone)
}

func (c *config) listStanding(ctx context.Context) error {
	h, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer h.store.Close()
	n := 0
	err = h.eachStanding(ctx, func(name string, s *standingQuery) error {
		n++
		what := s.Query.For
		if what == "" {
			what = "“" + s.Query.Text + "”"
		}
		fmt.Printf("%s  since %s  %s\n", show(name), s.At.Format(time.DateOnly), showLine(what))
		return h.eachSeen(ctx, name, func(x seen) {
			if x.Title != "" {
				printSeen(x)
			}
		})
	})
	if err == nil && n == 0 {
		fmt.Println("no standing query is open")
	}
	return err
}

func printSeen(x seen) {
	fmt.Printf("  %s  %s  confidence %.2f  %s\n    %s\n", x.At.Format("2006-01-02 15:04"), show(x.ID), x.Confidence, showLine(x.Title), showLine(x.Summary))
}

func (c *config) checkStanding(ctx context.Context) error {
	h, err := c.ready(ctx, os.Stderr, byDatabase)
	if err != nil {
		return err
	}
	defer h.store.Close()
	news := 0
	err = h.checkAll(ctx, func(name string, found []seen) {
		news += len(found)
		fmt.Println(show(name))
		for _, x := range found {
			printSeen(x)
		}
	})
	if err == nil && news == 0 {
		fmt.Println("nothing new")
		return &exitError{code: exitRejected}
	}
	return err
}

// checkAll asks all standing queries again, keeps the news and tells them. One that fails does not keep the others from being asked.
func (h *house) checkAll(ctx context.Context, tell func(name string, found []seen)) error {
	var failed []error
	err := h.eachStanding(ctx, func(name string, s *standingQuery) error {
		found, err := h.ask(ctx, name, s, true)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("standing query %s: %w", name, err))
		} else if len(found) > 0 {
			tell(name, found)
		}
		return nil
	})
	return errors.Join(append(failed, err)...)
}

// ask asks a standing query, notes whom it has not seen before, and returns them; news says whether they are any.
func (h *house) ask(ctx context.Context, name string, s *standingQuery, news bool) (out []seen, err error) {
	q := s.Query
	q.Limit = engine.MaxLimit
	a, err := h.desk.Load().rec.Look(ctx, q)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	if err := h.eachSeen(ctx, name, func(x seen) { known[x.ID] = true }); err != nil {
		return nil, err
	}
	notes, now := map[string][]byte{}, time.Now().UTC().Truncate(time.Second)
	for _, item := range a.Items {
		if known[item.Listing.ID] {
			continue
		}
		x := seen{ID: item.Listing.ID, At: now}
		if news {
			x.Title, x.Confidence, x.Summary = item.Listing.Title, item.Confidence, item.Explanation.Summary
		}
		if notes[name+" "+x.ID], err = json.Marshal(x); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	if len(notes) > 0 {
		err = h.store.PutNotes(ctx, seenSpace, notes)
	}
	return out, err
}

// eachSeen gives all that a standing query has seen.
func (h *house) eachSeen(ctx context.Context, name string, do func(seen)) error {
	prefix := name + " "
	return ingest.EachNote(ctx, h.store, seenSpace, prefix, func(n engine.Note) error {
		x := seen{ID: strings.TrimPrefix(n.Key, prefix)}
		if json.Unmarshal(n.Value, &x) != nil {
			return fmt.Errorf("the note on the standing query %q cannot be read", n.Key)
		}
		do(x)
		return nil
	})
}

func (h *house) eachStanding(ctx context.Context, do func(name string, s *standingQuery) error) error {
	return ingest.EachNote(ctx, h.store, standingSpace, "", func(n engine.Note) error {
		s := new(standingQuery)
		if json.Unmarshal(n.Value, s) != nil {
			return fmt.Errorf("the note on the standing query %q cannot be read", n.Key)
		}
		return do(n.Key, s)
	})
}

// stand asks the standing queries again whenever what can be found has changed, while a server runs.
func (h *house) stand(ctx context.Context) {
	const every = 2 * time.Second
	last := int64(-1)
	var told string
	for ; ctx.Err() == nil; sleep(ctx, every) {
		seq, err := h.store.Seq(ctx)
		if err == nil && seq == last {
			continue
		}
		if err == nil {
			sleep(ctx, every) // until the index has them
			err = h.checkAll(ctx, func(name string, found []seen) {
				for _, x := range found {
					slog.Info("a standing query has news", "query", name, "listing", x.ID, "confidence", x.Confidence)
				}
			})
		}
		if err == nil {
			last, told = seq, ""
		} else if err.Error() != told && ctx.Err() == nil {
			told = err.Error()
			slog.Warn("standing queries cannot be asked; trying again", "error", err)
		}
	}
}
