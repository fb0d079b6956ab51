package main

import (
	"context"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/ingest"
)

// library is a store's listings as queries see them: the id of one that was merged leads to what it was merged into.
type library struct{ store.Store }

func (l library) Entries(ctx context.Context, ids []string, model string) ([]engine.Entry, error) {
	entries, err := l.Store.Entries(ctx, ids, model)
	if err != nil || len(entries) == len(ids) {
		return entries, err
	}
	there := map[string]bool{}
	for _, e := range entries {
		there[e.Listing.ID] = true
	}
	into, err := ingest.Kept(ctx, l.Store, ids...)
	if err != nil {
		return nil, err
	}
	var kept []string
	for _, id := range into {
		if !there[id] {
			there[id] = true
			kept = append(kept, id)
		}
	}
	if len(kept) == 0 {
		return entries, nil
	}
	more, err := l.Store.Entries(ctx, kept, model)
	return append(entries, more...), err
}

// merges merges the store's listings.
func (h *house) merges() *ingest.Merges {
	return &ingest.Merges{Store: h.store, Notes: h.store, Embedder: h.model.embedder, Later: h.model.jobPassages()}
}
