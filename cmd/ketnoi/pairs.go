package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/twins"
	"github.com/ketnoi/ketnoi/ingest"
)

// pairNote is what is noted of two listings that may be about the same, by "A B", the ids in order.
type pairNote struct {
	Score   float64        `json:"score"`
	Reasons []twins.Reason `json:"reasons"`
	State   string         `json:"state"`
	At      time.Time      `json:"at"`
	By      string         `json:"by,omitzero"` // who decided
}

// States of a pair.
const (
	proposed = "proposed"
	merged   = "merged"
	apart    = "apart"
)

const (
	pairsSpace = "pairs"
	scanSpace  = "scans"
	scanNote   = "duplicates"
)

// scanned is how far the last scan saw the store. Another version of the comparison begins anew.
type scanned struct {
	Seq     int64 `json:"seq"`
	Version int   `json:"version"`
}

const scanVersion = 1

// reopened is by how much the score of a pair that was kept apart has to have risen since for it to be proposed again: by
// a reason that nobody has seen yet.
const reopened = 0.2

func pairKey(a, b string) string { return min(a, b) + " " + max(a, b) }

// eachPair gives every pair noted.
func eachPair(ctx context.Context, s store.Notes, do func(a, b string, n pairNote) error) error {
	return ingest.EachNote(ctx, s, pairsSpace, "", func(note engine.Note) error {
		a, b, _ := strings.Cut(note.Key, " ")
		var n pairNote
		if err := json.Unmarshal(note.Value, &n); err != nil {
			return fmt.Errorf("the note on the pair %q: %w", note.Key, err)
		}
		return do(a, b, n)
	})
}

// scan is what a scan has read and found.
type scan struct {
	store store.Store
	since int64
	all   map[engine.Kind][]*twins.Traits
	fresh map[string]bool     // listings new or changed since the last scan
	live  map[string]bool     // all listings
	group map[string][]string // members by the kept one
	put   map[string][]byte
}

// scanResult counts.
type scanResult struct{ listings, fresh, added, gone, waiting int }

// scanPairs compares what is new or changed with all listings, and notes which pairs may be the same. All listings are read
// for it, which takes most of the time, so that an ingest does not do it by itself.
func scanPairs(ctx context.Context, s store.Store, full bool) (r scanResult, err error) {
	x := &scan{store: s, all: map[engine.Kind][]*twins.Traits{}, fresh: map[string]bool{}, live: map[string]bool{}, put: map[string][]byte{}}
	notes, err := s.Notes(ctx, scanSpace, scanNote)
	if err != nil {
		return r, err
	}
	var last scanned
	if value := notes[scanNote]; value != nil {
		if err := json.Unmarshal(value, &last); err != nil {
			return r, fmt.Errorf("the note on the last scan: %w", err)
		}
	}
	if !full && last.Version == scanVersion {
		x.since = last.Seq
	}
	// What changes while the scan reads is compared again by the next one.
	now, err := s.Seq(ctx)
	if err != nil {
		return r, err
	}
	if err := x.read(ctx); err != nil {
		return r, err
	}
	known := map[string]pairNote{}
	if err := eachPair(ctx, s, func(a, b string, n pairNote) error { known[pairKey(a, b)] = n; return nil }); err != nil {
		return r, err
	}
	r.listings, r.fresh = len(x.live), len(x.fresh)
	found := map[string]bool{}
	for _, kind := range engine.Kinds {
		twins.Find(x.all[kind], func(t *twins.Traits) bool { return x.fresh[t.ID] }, func(p twins.Pair) {
			if err == nil {
				key := pairKey(p.A, p.B)
				found[key] = true
				var isNew bool
				if isNew, err = x.propose(key, p, known); isNew {
					r.added++
				}
			}
		})
	}
	if err != nil {
		return r, err
	}
	for key, n := range known {
		a, b, _ := strings.Cut(key, " ")
		stale := !x.live[a] || !x.live[b] || (x.fresh[a] || x.fresh[b]) && !found[key]
		switch {
		case n.State == proposed && stale:
			x.put[key] = nil
			r.gone++
		case n.State == proposed:
			r.waiting++
		}
	}
	r.waiting += r.added
	return r, x.write(ctx, now)
}

func (x *scan) read(ctx context.Context) error {
	err := x.store.Changes(ctx, 0, "", func(c index.Change) error {
		l := c.Entry.Listing
		if l == nil {
			return nil
		}
		x.all[l.Kind] = append(x.all[l.Kind], twins.Read(l))
		x.live[l.ID] = true
		if c.Seq > x.since {
			x.fresh[l.ID] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	x.group, err = ingest.Groups(ctx, x.store)
	return err
}

// propose notes a pair, unless its listings, or members that were merged into them, are kept apart.
func (x *scan) propose(key string, p twins.Pair, known map[string]pairNote) (isNew bool, err error) {
	for _, a := range append(slices.Clone(x.group[p.A]), p.A) {
		for _, b := range append(slices.Clone(x.group[p.B]), p.B) {
			if n := known[pairKey(a, b)]; n.State == apart && p.Score < n.Score+reopened {
				return false, nil
			}
		}
	}
	n := pairNote{Score: p.Score, Reasons: p.Reasons, State: proposed, At: time.Now().UTC().Truncate(time.Second)}
	old, isOld := known[key]
	isOld = isOld && old.State == proposed
	if isOld {
		n.At = old.At
	}
	x.put[key], err = json.Marshal(n)
	return !isOld, err
}

// write writes the pairs, and then how far the scan saw: whoever is stopped before scans the same again.
func (x *scan) write(ctx context.Context, seq int64) error {
	some := map[string][]byte{}
	flush := func() error {
		err := x.store.PutNotes(ctx, pairsSpace, some)
		clear(some)
		return err
	}
	for key, value := range x.put {
		if some[key] = value; len(some) == 500 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	state, err := json.Marshal(scanned{seq, scanVersion})
	if err != nil {
		return err
	}
	return x.store.PutNotes(ctx, scanSpace, map[string][]byte{scanNote: state})
}

// decide notes what was decided about two listings, with what speaks for it now or did before.
func (h *house) decide(ctx context.Context, a, b, state, by string) error {
	key := pairKey(a, b)
	notes, err := h.store.Notes(ctx, pairsSpace, key)
	if err != nil {
		return err
	}
	var n pairNote
	if value := notes[key]; value != nil {
		if err := json.Unmarshal(value, &n); err != nil {
			return fmt.Errorf("the note on the pair %q: %w", key, err)
		}
	}
	members, err := h.merges().Members(ctx, a, b)
	if err != nil {
		return err
	}
	listings := map[string]*engine.Listing{}
	entries, err := h.store.Entries(ctx, []string{a, b}, "")
	if err != nil {
		return err
	}
	for _, e := range entries {
		listings[e.Listing.ID] = e.Listing
	}
	for id, of := range members {
		listings[id] = of.Listing
	}
	for _, id := range []string{a, b} {
		if listings[id] == nil {
			return fmt.Errorf("%w: %s", engine.ErrUnknownListing, id)
		}
	}
	if p := twins.Compare(twins.Read(listings[a]), twins.Read(listings[b])); p.Score >= n.Score {
		n.Score, n.Reasons = p.Score, p.Reasons
	}
	n.State, n.By, n.At = state, by, time.Now().UTC().Truncate(time.Second)
	value, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return h.store.PutNotes(ctx, pairsSpace, map[string][]byte{key: value})
}
