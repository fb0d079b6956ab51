package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/ingest"
)

// blockedSpace is where a store keeps pairs that must not be brought together, by "A B" and by "B A".
const blockedSpace = "blocked"

// blockNote is why a pair is blocked.
type blockNote struct {
	Reason string    `json:"reason,omitzero"`
	At     time.Time `json:"at"`
	By     string    `json:"by,omitzero"`
}

func newBlock(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "block [ID ID]",
		Short: "Keep two listings from being recommended to each other, or list such pairs",
		Long: `Blocks a pair in both directions: neither is recommended to the other from then on, and answers say how many good matches that
cost. Without ids it lists what is blocked. Two organisations with a conflict of interest are better named in the
listings' own "conflicts".`,
		Example: `  ketnoi block P101 T214 --reason "declined in 2025"
  ketnoi block P101 T214 --undo
  ketnoi block`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 0 && len(args) != 2 {
				return errors.New("give two ids, or none to list what is blocked")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.runBlock(cmd.Context(), args) },
	}
	c.blockFlags(cmd)
	return cmd
}

func (c *config) runBlock(ctx context.Context, ids []string) error {
	h, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer h.store.Close()
	if len(ids) == 0 {
		n := 0
		err := h.eachBlocked(ctx, "", func(a, b string, note blockNote) {
			if a < b {
				n++
				fmt.Printf("%s %s  %s  %s\n", show(a), show(b), note.At.Format(time.DateOnly), showLine(note.Reason))
			}
		})
		if err == nil && n == 0 {
			fmt.Println("no pair is blocked")
		}
		return err
	}
	a, b := ids[0], ids[1]
	if a == b {
		return fmt.Errorf("%s is never recommended to itself", a)
	}
	for _, id := range ids {
		found, err := library{h.store}.Entries(ctx, []string{id}, "")
		if err != nil {
			return err
		}
		if len(found) == 0 && !c.undo {
			return fmt.Errorf("%w: %s", engine.ErrUnknownListing, id)
		}
	}
	if c.undo {
		notes, err := h.store.Notes(ctx, blockedSpace, a+" "+b)
		if err != nil {
			return err
		}
		if notes[a+" "+b] == nil {
			return fmt.Errorf("%s and %s are not blocked", a, b)
		}
	}
	var body []byte
	if !c.undo {
		if body, err = json.Marshal(blockNote{c.reason, time.Now().UTC().Truncate(time.Second), c.by}); err != nil {
			return err
		}
	}
	if err := h.store.PutNotes(ctx, blockedSpace, map[string][]byte{a + " " + b: body, b + " " + a: body}); err != nil {
		return err
	}
	if c.undo {
		fmt.Printf("%s and %s may be recommended to each other\n", a, b)
	} else {
		fmt.Printf("%s and %s are not recommended to each other any more\n", a, b)
	}
	return nil
}

// blocked are those whom a listing, or what was merged into it, must not be brought together with; and what these were merged into.
func (h *house) blocked(ctx context.Context, id string) (out []string, err error) {
	members, err := h.merges().Group(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, id := range append(slices.Sorted(maps.Keys(members)), id) {
		if err := h.eachBlocked(ctx, id, func(_, b string, _ blockNote) { out = append(out, b) }); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	kept, err := ingest.Kept(ctx, h.store, out...)
	for _, id := range kept {
		out = append(out, id)
	}
	return out, err
}

// eachBlocked gives the blocked pairs of a listing, or all where id is empty, each in both directions.
func (h *house) eachBlocked(ctx context.Context, id string, do func(a, b string, n blockNote)) error {
	prefix := ""
	if id != "" {
		prefix = id + " "
	}
	return ingest.EachNote(ctx, h.store, blockedSpace, prefix, func(note engine.Note) error {
		var n blockNote
		a, b, ok := strings.Cut(note.Key, " ")
		if !ok || json.Unmarshal(note.Value, &n) != nil {
			return fmt.Errorf("the note on the blocked pair %q cannot be read", note.Key)
		}
		do(a, b, n)
		return nil
	})
}
