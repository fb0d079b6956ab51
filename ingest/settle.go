package ingest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/twins"
)

// Settle finishes what was stopped on its way.
func (m *Merges) Settle(ctx context.Context) error {
	for {
		due, err := m.Notes.ListNotes(ctx, settleSpace, "", 100)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, n := range due {
			if _, err := m.settle(ctx, n.Key); err != nil {
				return err
			}
		}
	}
}

// settle leads the store to what the notes say about some groups, in one transaction as far as rows are added or changed,
// and returns how many passages that were.
func (m *Merges) settle(ctx context.Context, kept ...string) (passages int, err error) {
	slices.Sort(kept)
	kept = slices.Compact(kept)
	var put []*engine.Listing
	var gone []string
	for _, k := range kept {
		group, err := m.Group(ctx, k)
		if err != nil {
			return 0, err
		}
		switch _, there := group[k]; {
		case len(group) == 0:
			continue
		case !there: // the kept one was removed: the first of the rest is kept instead
			heir := slices.Min(slices.Collect(maps.Keys(group)))
			if err := m.lead(ctx, heir, group); err != nil {
				return 0, err
			}
			gone = append(gone, k)
			continue
		}
		others := make([]*engine.Listing, 0, len(group))
		for id, of := range group {
			if id != k {
				others, gone = append(others, of.Listing), append(gone, id)
			}
		}
		l, err := twins.Compose(group[k].Listing, others...)
		if err != nil {
			return 0, fmt.Errorf("what is composed as %s: %w", k, err)
		}
		put = append(put, l)
	}
	if passages, err = m.put(ctx, put); err != nil {
		return 0, err
	}
	if len(gone) > 0 {
		if err := m.Store.Delete(ctx, gone...); err != nil {
			return 0, err
		}
	}
	for _, k := range kept {
		if err := m.tidy(ctx, k); err != nil {
			return 0, err
		}
	}
	return passages, nil
}

// put stores what is not stored like this yet.
func (m *Merges) put(ctx context.Context, listings []*engine.Listing) (passages int, err error) {
	ids := make([]string, len(listings))
	for i, l := range listings {
		ids[i] = l.ID
	}
	stored, err := m.Store.Stored(ctx, ids, m.Embedder.Model())
	if err != nil {
		return 0, err
	}
	var entries []engine.Entry
	var texts []string
	for _, l := range listings {
		_, sum, err := l.Fingerprint()
		if err != nil {
			return 0, err
		}
		if s, ok := stored[l.ID]; ok && s.Fingerprint == sum && (s.Embedded || m.Later > 0) {
			continue
		}
		e := engine.Entry{Listing: l, Passages: embeddings.Split(l)}
		entries, texts = append(entries, e), append(texts, matchable(&e)...)
	}
	switch {
	case len(entries) == 0:
		return 0, nil
	case m.Later > 0:
		return len(texts), m.Store.PutLater(ctx, entries, jobs(entries, m.Later))
	}
	vectors, err := m.Embedder.Embed(ctx, texts)
	if err != nil {
		return 0, fmt.Errorf("embedding: %w", err)
	}
	for i := range entries {
		e := &entries[i]
		e.Vectors, vectors = vectors[:len(e.Passages)], vectors[len(e.Passages):]
	}
	return len(texts), m.Store.Put(ctx, m.Embedder.Model(), m.Embedder.Dim(), entries)
}

// tidy takes away the notes that say nothing any more: of a group of one, and of members that lead elsewhere.
func (m *Merges) tidy(ctx context.Context, kept string) error {
	group, err := m.Group(ctx, kept)
	if err != nil {
		return err
	}
	if _, there := group[kept]; there && len(group) == 1 {
		if err := m.Notes.PutNotes(ctx, MergedSpace, map[string][]byte{kept: nil}); err != nil {
			return err
		}
		group = nil
	}
	listed, err := m.listed(ctx, kept)
	if err != nil {
		return err
	}
	stale := map[string][]byte{}
	for _, id := range listed {
		if _, there := group[id]; !there {
			stale[kept+" "+id] = nil
		}
	}
	if len(stale) > 0 {
		if err := m.Notes.PutNotes(ctx, membersSpace, stale); err != nil {
			return err
		}
	}
	return m.Notes.PutNotes(ctx, settleSpace, map[string][]byte{kept: nil})
}
