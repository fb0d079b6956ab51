// Package store opens the system of record that an address names. It is the only place that knows which kinds of
// store there are.
package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store/postgres"
	"github.com/ketnoi/ketnoi/engine/store/queue"
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

// Background is what stands beside listings for work that is done later: jobs, vectors that were paid for, and notes.
type Background interface {
	// PutLater stores entries without vectors and, in the same transaction, the jobs that will embed them.
	PutLater(ctx context.Context, entries []engine.Entry, jobs [][]string) error
	Queue() queue.Jobs
	// Paid returns the vectors that are kept of texts; PutPaid keeps some.
	Paid(ctx context.Context, model string, keys []engine.TextKey) (map[engine.TextKey][]float32, error)
	PutPaid(ctx context.Context, model string, dim int, paid []engine.Paid) error
	// Lacking counts the listings that lack vectors of the model.
	Lacking(ctx context.Context, model string) (int, error)
	// Forget removes all vectors of a model.
	Forget(ctx context.Context, model string) error
}

// Notes is a store's memory for small things: values by key, in named spaces.
type Notes interface {
	Notes(ctx context.Context, space string, keys ...string) (map[string][]byte, error)
	PutNotes(ctx context.Context, space string, notes map[string][]byte) error
	ListNotes(ctx context.Context, space, after string, limit int) ([]engine.Note, error)
}

// Eraser removes a listing as if it had never been there.
type Eraser interface {
	// Traces says where the store holds something of a listing, by its id and the texts of its passages.
	Traces(ctx context.Context, id string, texts []engine.TextKey) ([]engine.Trace, error)
	// Erase removes all of that. Followers hear of the alias instead of the id.
	Erase(ctx context.Context, id, alias string, texts []engine.TextKey) error
	// Scrub makes what was removed unreadable in the store's own files.
	Scrub(ctx context.Context) error
}

// Store is a system of record: what each of its users asks for, together.
type Store interface {
	engine.Library
	index.Source
	Writer
	Background
	Notes
	Eraser
	Counts(ctx context.Context) (map[engine.Kind]int, error)
	Address() string
	Close() error
}

// Database is what a store on a server can do beyond keeping listings.
type Database interface {
	Store
	// Retriever retrieves by the database itself, for the vectors of a model.
	Retriever(model string, g *glossary.Glossary) engine.Retriever
	// Maintain counts and indexes what need not be up to date in every transaction.
	Maintain(ctx context.Context, progress func(what string, done, total int)) error
	// Wakeups says when it is worth looking for changes at once.
	Wakeups(ctx context.Context) <-chan struct{}
	// ReadFrom lets reads go to a standby while it is at most maxLag behind.
	ReadFrom(ctx context.Context, address string, maxLag time.Duration) error
}

const want = "want sqlite:PATH or postgres://USER@HOST:PORT/DATABASE"

// Open opens the store at an address: sqlite:PATH, or postgres://USER@HOST:PORT/DATABASE, which is a Database. It creates
// what is not there yet.
func Open(ctx context.Context, address string) (Store, error) {
	scheme, rest, ok := strings.Cut(address, ":")
	switch {
	case ok && scheme == "sqlite":
		return sqlite.Open(ctx, rest)
	case ok && (scheme == "postgres" || scheme == "postgresql"):
		return postgres.Open(ctx, address)
	}
	if at := strings.LastIndexByte(address, '@'); at >= 0 { // before it may stand a password
		address = scheme + ":…" + address[at:]
	}
	return nil, fmt.Errorf("store %q: %s", address, want)
}

var _ Database = (*postgres.Store)(nil)
