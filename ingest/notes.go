package ingest

import (
	"context"
	"strings"

	"github.com/ketnoi/ketnoi/engine"
)

// Notes is a store's memory for small things beside listings: values by key, in named spaces.
type Notes interface {
	// Notes returns those that are there.
	Notes(ctx context.Context, space string, keys ...string) (map[string][]byte, error)
	// PutNotes writes all or none; a nil value removes.
	PutNotes(ctx context.Context, space string, notes map[string][]byte) error
	// ListNotes lists keys behind the given one, in the order of their bytes.
	ListNotes(ctx context.Context, space, after string, limit int) ([]engine.Note, error)
}

// EachNote gives the notes of a space whose keys begin with prefix, in the order of their keys, a page at a time, until do fails.
func EachNote(ctx context.Context, notes Notes, space, prefix string, do func(engine.Note) error) error {
	for after := prefix; ; {
		page, err := notes.ListNotes(ctx, space, after, 500)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, n := range page {
			if after = n.Key; !strings.HasPrefix(n.Key, prefix) {
				return nil
			}
			if err := do(n); err != nil {
				return err
			}
		}
	}
}
