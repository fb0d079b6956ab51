package main

import (
	"bufio"
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
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/ingest"
	"github.com/ketnoi/ketnoi/ingest/people"
)

func newErase(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "erase (--id ID | --person NAME)",
		Short: "Remove a person everywhere, for good",
		Long: `Removes the listings about a person from every table, with their passages, vectors of all models, vectors that were paid for,
notes and jobs, and writes the files anew without them. What stays is a keyed hash, so that an old source that still
lists the person is refused. It is also written to a ledger outside of the store (--erasures; beside an SQLite file
unless you say otherwise): keep it apart from your backups, and a restored one is brought up to it when it is opened.

Not within reach: backups, a PostgreSQL server's write-ahead log and standbys' until they move on, files you made with
"ketnoi export", and what an embedding provider keeps. docs/personal-data.md says more.

Exit codes: 0 erased; 1 nobody of that name or id is stored; 2 nothing was done.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withPerson(cmd.Context(), func(h *house, found []*subject) error { return c.erase(cmd.Context(), h, found) })
		},
	}
	c.personFlags(cmd)
	cmd.Flags().BoolVar(&c.yes, "yes", false, "do not ask")
	return cmd
}

// subject is a listing about a person, with what is needed to find all of it.
type subject struct {
	entry engine.Entry
	texts []engine.TextKey
}

func newSubject(e engine.Entry) *subject {
	s := &subject{entry: e}
	for _, p := range e.Passages {
		s.texts = append(s.texts, engine.KeyOf(e.Listing.Matchable(p)))
	}
	return s
}

// withPerson opens the store and finds the person that the flags name.
func (c *config) withPerson(ctx context.Context, do func(*house, []*subject) error) error {
	if (c.id == "") == (c.person == "") {
		return errors.New("--id ID or --person NAME: give one of them")
	}
	return c.withStore(ctx, func(h *house) error {
		found, err := h.findPerson(ctx, c.id, c.person)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			fmt.Fprintf(os.Stderr, "ketnoi: %s holds nothing about %s\n", h.store.Address(), showLine(c.id+c.person))
			return &exitError{code: exitRejected}
		}
		return do(h, found)
	})
}

// findPerson returns the listings with the id, or about a person of the name, and those that were merged with them.
func (h *house) findPerson(ctx context.Context, id, name string) (found []*subject, err error) {
	ids := map[string]bool{id: id != ""}
	if name != "" {
		err := h.eachListed(ctx, func(l *engine.Listing) error {
			if people.Same(people.Name(l), name) {
				ids[l.ID] = true
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for id, wanted := range ids {
		if !wanted {
			continue
		}
		members, err := h.mergedWith(ctx, id, name)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			ids[m] = true
		}
	}
	var all []string
	for id, wanted := range ids {
		if wanted {
			all = append(all, id)
		}
	}
	entries, err := h.store.Entries(ctx, all, "")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		found = append(found, newSubject(e))
		delete(ids, e.Listing.ID)
	}
	for id, wanted := range ids { // no listing, but perhaps something of it
		if !wanted {
			continue
		}
		s := &subject{entry: engine.Entry{Listing: &engine.Listing{ID: id}}}
		traces, err := h.store.Traces(ctx, id, nil)
		if err != nil {
			return nil, err
		}
		if len(traces) > 0 {
			found = append(found, s)
		}
	}
	return found, nil
}

// mergedWith returns the ids of the listings that were merged into one with the given one, or of whose own listings one bears
// the name.
func (h *house) mergedWith(ctx context.Context, id, name string) (out []string, err error) {
	into := map[string][]string{}
	kept := map[string]bool{}
	err = ingest.EachNote(ctx, h.store, ingest.MergedSpace, "", func(n engine.Note) error {
		var m struct {
			Into    string          `json:"into"`
			Listing *engine.Listing `json:"listing"`
		}
		if err := json.Unmarshal(n.Value, &m); err != nil {
			return fmt.Errorf("the note on the merged listing %s: %w", n.Key, err)
		}
		into[m.Into] = append(into[m.Into], n.Key)
		if n.Key == id || m.Into == id || m.Listing != nil && name != "" && people.Same(people.Name(m.Listing), name) {
			kept[m.Into] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for k := range kept {
		out = append(append(out, k), into[k]...)
	}
	return out, nil
}

// eachListed gives every listing.
func (h *house) eachListed(ctx context.Context, see func(*engine.Listing) error) error {
	return h.store.Changes(ctx, 0, "", func(c index.Change) error {
		if c.Entry.Listing == nil {
			return nil
		}
		return see(c.Entry.Listing)
	})
}

func (c *config) erase(ctx context.Context, h *house, found []*subject) error {
	for _, s := range found {
		traces, err := h.store.Traces(ctx, s.entry.Listing.ID, s.texts)
		if err != nil {
			return err
		}
		l := s.entry.Listing
		fmt.Printf("%s: %s (%s)\n", showLine(l.ID), showLine(l.Title), showLine(l.Organisation))
		for _, t := range traces {
			fmt.Printf("  %-14s %d\n", t.Where, t.Count)
		}
	}
	if !c.yes {
		if err := c.confirm(len(found)); err != nil {
			return err
		}
	}
	if c.ledger() == "" {
		fmt.Fprintln(os.Stderr, "ketnoi: warning: without --erasures FILE (KETNOI_ERASURES), a restored backup brings back whom it holds")
	}
	listings := make([]*engine.Listing, len(found))
	for i, s := range found {
		listings[i] = s.entry.Listing
	}
	// First what keeps them from coming back: whoever is stopped in between erases again.
	if err := h.people.Add(ctx, time.Now(), listings...); err != nil {
		return err
	}
	for _, s := range found {
		if err := h.eraseOne(ctx, s); err != nil {
			return err
		}
	}
	fmt.Fprintln(os.Stderr, "writing the store's files anew without what was removed")
	if err := h.store.Scrub(ctx); err != nil {
		return fmt.Errorf("%d listings are erased, but what was removed may still be read from the store's files: %w; run the command again", len(found), err)
	}
	fmt.Printf("%d listings are erased\n", len(found))
	return nil
}

// eraseOne erases a listing and makes sure that nothing of it is left: a job that ran may have put something back.
func (h *house) eraseOne(ctx context.Context, s *subject) error {
	id := s.entry.Listing.ID
	for range 5 {
		if err := h.store.Erase(ctx, id, engine.NewAlias(id), s.texts); err != nil {
			return err
		}
		left, err := h.store.Traces(ctx, id, s.texts)
		if err != nil || len(left) == 0 {
			return err
		}
		sleep(ctx, time.Second)
	}
	return fmt.Errorf("%s comes back while it is erased: stop what ingests or embeds it, and run the command again", id)
}

// confirm asks the person at the terminal.
func (c *config) confirm(n int) error {
	if !c.interactive {
		return errors.New("nobody is there to ask: give --yes to erase this")
	}
	fmt.Fprintf(os.Stderr, "Erase these %d listings for good? Type yes: ", n)
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil || strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was erased")
	}
	return nil
}

// ledger is where erasures are kept outside of the store.
func (c *config) ledger() string {
	if c.erasures != "" {
		return c.erasures
	}
	if file, embedded := strings.CutPrefix(c.store, "sqlite:"); embedded {
		return file + ".erasures"
	}
	return ""
}

// openPeople opens the register of who was erased, and erases again whoever a restored backup brought back.
func (h *house) openPeople(ctx context.Context, c *config) (err error) {
	if h.people, err = people.Open(ctx, h.store, c.ledger()); err != nil || !h.people.Behind() {
		return err
	}
	n, err := h.people.CatchUp(ctx, func(see func(*engine.Listing) error) error { return h.eachListed(ctx, see) }, func(l *engine.Listing) error {
		entries, err := h.store.Entries(ctx, []string{l.ID}, "")
		if err != nil || len(entries) == 0 {
			return err
		}
		return h.eraseOne(ctx, newSubject(entries[0]))
	})
	if err != nil {
		return fmt.Errorf("erasing again whom %s names: %w", c.ledger(), err)
	}
	if n > 0 {
		slog.Warn("the store held persons who were erased, as a restored backup does; they are erased again", "listings", n)
		return h.store.Scrub(ctx)
	}
	return nil
}
