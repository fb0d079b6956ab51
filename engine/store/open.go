// Package store opens the system of record that an address names. It is the only place that knows which kinds of
// store there are.
package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store/sqlite"
)

// Writer is how listings get into a store.
type Writer interface {
	// Put stores entries with vectors of the model, all or none; see the conformance suite in storetest.
	Put(ctx context.Context, model string, dim int, entries []engine.Entry) error
	// PutVectors adds vectors of a model to listings that have not changed since they were read.
	PutVectors(ctx context.Context, model string, dim int, entries []engine.Entry) error
	// Delete removes listings; unknown ids are passed over.
	Delete(ctx context.Context, ids ...string) error
	// Stored tells what is known of the ids that are stored.
	Stored(ctx context.Context, ids []string, model string) (map[string]engine.Stored, error)
	// Unembedded lists ids after the given one of listings that lack vectors of the model.
	Unembedded(ctx context.Context, model, after string, limit int) ([]string, error)
}

// Store is a system of record: what each of its users asks for, together.
type Store interface {
	engine.Library
	index.Source
	Writer
	Counts(ctx context.Context) (map[engine.Kind]int, error)
	Address() string
	Close() error
}

// Open opens the store at an address: sqlite:PATH. It creates what is not there yet.
func Open(ctx context.Context, address string) (Store, error) {
	scheme, rest, ok := strings.Cut(address, ":")
	switch {
	case ok && scheme == "sqlite":
		return sqlite.Open(ctx, rest)
	case scheme == "postgres" || scheme == "postgresql":
		return nil, fmt.Errorf("store %s://…: PostgreSQL is not supported yet; want sqlite:PATH", scheme)
	}
	return nil, fmt.Errorf("store %q: want sqlite:PATH", address)
}
