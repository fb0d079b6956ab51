package ingest

import (
	"context"

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
