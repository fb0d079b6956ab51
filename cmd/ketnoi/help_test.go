package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/ketnoi/ketnoi/embeddings/lexicon"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
)

// safeBuffer takes output of a running program and can be read meanwhile.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// eachListing goes over the store with the built-in model's vectors.
func (h *house) eachListing(ctx context.Context, yield func(id string, passages, vectors int)) error {
	return h.store.Changes(ctx, 0, lexicon.New(glossary.Default()).Model(), func(c index.Change) error {
		yield(c.ID, len(c.Entry.Passages), len(c.Entry.Vectors))
		return nil
	})
}

func TestEveryCommandHasHelp(t *testing.T) {
	for _, cmd := range newRoot().Commands() {
		out, errs, code := ketnoi(t, t.TempDir(), cmd.Name(), "--help")
		if code != 0 || errs != "" || !strings.Contains(out, "Usage:") || cmd.Short == "" {
			t.Errorf("%s --help: exit %d\n%s%s", cmd.Name(), code, out, errs)
		}
	}
}
