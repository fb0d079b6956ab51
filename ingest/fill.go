package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine"
)

// Vectors is a store whose listings may lack vectors of a model.
type Vectors interface {
	Stored(ctx context.Context, ids []string, model string) (map[string]engine.Stored, error)
	Unembedded(ctx context.Context, model, after string, limit int) ([]string, error)
	Entries(ctx context.Context, ids []string, model string) ([]engine.Entry, error)
	PutVectors(ctx context.Context, model string, dim int, entries []engine.Entry) error
}

// Ledger keeps vectors that were paid for, by the text they are of, so that a text is paid for once.
type Ledger interface {
	Paid(ctx context.Context, model string, keys []engine.TextKey) (map[engine.TextKey][]float32, error)
	PutPaid(ctx context.Context, model string, dim int, paid []engine.Paid) error
}

// Filler gives stored listings the vectors that they lack under its embedder's model. It is safe for concurrent use.
type Filler struct {
	Store    Vectors
	Notes    Notes   // where listings that the model refuses are noted
	Ledger   Ledger  // nil for a model that costs nothing
	Claims   *Claims // of all fillers of the model in this process; goes with the ledger
	Embedder embeddings.Embedder
	Withhold func(*engine.Listing) string // why a listing's texts may not be sent, "" where they may; nil where all may
	Batch    int                          // texts a call of the embedder, which is the most that is paid for again after a kill
}

// Failure is why a listing has no vectors.
type Failure struct {
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// FailedSpace is where the failures under a model are noted, by the listing's id.
func FailedSpace(model string) string { return "failed/" + model }

// Fill embeds those of the listings that lack vectors. Texts that were paid for are not sent again, equal texts once. It
// stops where time is up, which a zero time never is, and then reports that there is more to do: what was paid for until
// then is kept. A listing with a text that the model refuses is noted as failed.
func (f *Filler) Fill(ctx context.Context, ids []string, until time.Time) (more bool, err error) {
	entries, err := f.lacking(ctx, ids)
	if err != nil || len(entries) == 0 {
		return false, err
	}
	withheld := map[string]string{}
	if f.Withhold != nil {
		entries = slices.DeleteFunc(entries, func(e engine.Entry) bool {
			reason := f.Withhold(e.Listing)
			if reason != "" {
				withheld[e.Listing.ID] = reason
			}
			return reason != ""
		})
	}
	w := f.newWork(entries)
	if f.Ledger != nil {
		if w.vectors, err = f.Ledger.Paid(ctx, f.Embedder.Model(), w.keys()); err != nil {
			return false, err
		}
	}
	for sent := false; ; sent = true {
		some := w.next(f.Batch)
		if len(some) == 0 {
			break
		}
		if sent && !until.IsZero() && time.Now().After(until) {
			more = true
			break
		}
		if err := f.obtain(ctx, w, some); err != nil {
			return false, err
		}
	}
	done, failed := w.finish()
	maps.Copy(failed, withheld)
	if len(done) > 0 {
		if err := f.Store.PutVectors(ctx, f.Embedder.Model(), f.Embedder.Dim(), done); err != nil {
			return false, err
		}
	}
	return more, f.note(ctx, done, failed)
}

// lacking returns those of the listings that lack vectors, with their passages, in the order of their ids.
func (f *Filler) lacking(ctx context.Context, ids []string) ([]engine.Entry, error) {
	stored, err := f.Store.Stored(ctx, ids, f.Embedder.Model())
	if err != nil {
		return nil, err
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { s, ok := stored[id]; return !ok || s.Embedded })
	entries, err := f.Store.Entries(ctx, ids, "")
	if err != nil {
		return nil, err
	}
	for i := range entries {
		// Passages stay as they were cut: those of another cut would make the vectors of other models useless.
		if len(entries[i].Passages) == 0 {
			entries[i].Passages = embeddings.Split(entries[i].Listing)
		}
	}
	slices.SortFunc(entries, func(a, b engine.Entry) int { return cmp.Compare(a.Listing.ID, b.Listing.ID) })
	return entries, nil
}

// work is what Fill has to do: the distinct texts of some entries.
type work struct {
	entries []engine.Entry
	keyed   [][]engine.TextKey // of each entry's passages
	texts   []paidText         // distinct, in order
	at      int                // the first text not yet looked at
	vectors map[engine.TextKey][]float32
	refused map[engine.TextKey]string
}

type paidText struct {
	key  engine.TextKey
	id   string // of the listing it came with first
	text string
}

func (f *Filler) newWork(entries []engine.Entry) *work {
	w := &work{entries: entries, keyed: make([][]engine.TextKey, len(entries)), vectors: map[engine.TextKey][]float32{}, refused: map[engine.TextKey]string{}}
	seen := map[engine.TextKey]bool{}
	for i := range entries {
		for _, t := range matchable(&entries[i]) {
			key := engine.KeyOf(t)
			w.keyed[i] = append(w.keyed[i], key)
			if !seen[key] {
				seen[key] = true
				w.texts = append(w.texts, paidText{key, entries[i].Listing.ID, t})
			}
		}
	}
	return w
}

func (w *work) keys() []engine.TextKey {
	out := make([]engine.TextKey, len(w.texts))
	for i, t := range w.texts {
		out[i] = t.key
	}
	return out
}

// next returns up to n texts whose vectors are still to be had.
func (w *work) next(n int) (some []paidText) {
	for ; w.at < len(w.texts) && len(some) < n; w.at++ {
		if w.vectors[w.texts[w.at].key] == nil {
			some = append(some, w.texts[w.at])
		}
	}
	return some
}

// obtain gets vectors for some texts. Those that another filler of this process has just sent are waited for instead.
func (f *Filler) obtain(ctx context.Context, w *work, some []paidText) error {
	if f.Ledger == nil {
		return f.embed(ctx, w, some)
	}
	mine, others, wait := f.Claims.take(some)
	if len(mine) > 0 {
		err := f.embed(ctx, w, mine)
		f.Claims.release(mine)
		if err != nil {
			return err
		}
	}
	for _, released := range wait {
		select {
		case <-released:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if len(others) == 0 {
		return nil
	}
	keys := make([]engine.TextKey, len(others))
	for i, t := range others {
		keys[i] = t.key
	}
	got, err := f.Ledger.Paid(ctx, f.Embedder.Model(), keys)
	maps.Copy(w.vectors, got)
	w.texts = append(w.texts, others...) // those that the other filler did not get are tried after all
	return err
}

// embed embeds some texts and keeps what was paid for before anything else is done with it.
func (f *Filler) embed(ctx context.Context, w *work, some []paidText) error {
	texts := make([]string, len(some))
	for i, t := range some {
		texts[i] = t.text
	}
	vectors, err := f.Embedder.Embed(ctx, texts)
	var refused *embeddings.RefusedError
	if err != nil && !errors.As(err, &refused) {
		return fmt.Errorf("embedding: %w", err)
	}
	var paid []engine.Paid
	for i, t := range some {
		if refused != nil && refused.Reasons[i] != "" {
			w.refused[t.key] = refused.Reasons[i]
			continue
		}
		w.vectors[t.key] = vectors[i]
		paid = append(paid, engine.Paid{Key: t.key, ID: t.id, Vector: vectors[i]})
	}
	if f.Ledger == nil || len(paid) == 0 {
		return nil
	}
	// What is paid for is kept even where the program is being stopped.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	return f.Ledger.PutPaid(keep, f.Embedder.Model(), f.Embedder.Dim(), paid)
}

const keepTime = 10 * time.Second

// finish returns the entries of which every passage has a vector, and the reasons of those that will never have them.
func (w *work) finish() (done []engine.Entry, failed map[string]string) {
	failed = map[string]string{}
	for i, e := range w.entries {
		e.Vectors = make([][]float32, 0, len(e.Passages))
		for at, key := range w.keyed[i] {
			if v := w.vectors[key]; v != nil {
				e.Vectors = append(e.Vectors, v)
			} else if reason := w.refused[key]; reason != "" && failed[e.Listing.ID] == "" {
				failed[e.Listing.ID] = fmt.Sprintf("passage %d, %q: %s", at+1, brief(e.Listing.Quote(e.Passages[at]), maxField), reason)
			}
		}
		if len(e.Vectors) == len(e.Passages) {
			done = append(done, e)
		}
	}
	return done, failed
}

// note notes what failed, and forgets earlier failures of what is done.
func (f *Filler) note(ctx context.Context, done []engine.Entry, failed map[string]string) error {
	if f.Notes == nil {
		return nil
	}
	space := FailedSpace(f.Embedder.Model())
	ids := make([]string, len(done))
	for i, e := range done {
		ids[i] = e.Listing.ID
	}
	old, err := f.Notes.Notes(ctx, space, ids...)
	if err != nil {
		return err
	}
	notes := make(map[string][]byte, len(old)+len(failed))
	for id := range old {
		notes[id] = nil
	}
	for id, reason := range failed {
		if notes[id], err = json.Marshal(Failure{brief(reason, maxReason), time.Now().UTC().Truncate(time.Second)}); err != nil {
			return err
		}
	}
	if len(notes) == 0 {
		return nil
	}
	return f.Notes.PutNotes(ctx, space, notes)
}

// Fail notes listings as failed for one reason.
func (f *Filler) Fail(ctx context.Context, ids []string, reason string) error {
	failed := make(map[string]string, len(ids))
	for _, id := range ids {
		failed[id] = reason
	}
	return f.note(ctx, nil, failed)
}

// All fills every listing that lacks vectors and is not noted as failed, several batches at once, and returns how many it
// was given: all of them after a change of model. progress may be nil.
func (f *Filler) All(ctx context.Context, atOnce int, progress func(done int)) (done int, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	told := make(chan int, atOnce)
	counted := make(chan struct{})
	go func() {
		defer close(counted)
		for n := range told {
			if done += n; progress != nil {
				progress(done)
			}
		}
	}()
	err = f.Each(ctx, func(ids []string) error {
		group.Go(func() error {
			_, err := f.Fill(ctx, ids, time.Time{})
			if err == nil {
				told <- len(ids)
			}
			return err
		})
		return ctx.Err()
	})
	if groupErr := group.Wait(); groupErr != nil {
		err = groupErr
	}
	close(told)
	<-counted
	return done, err
}

// fillAtOnce is how many listings are filled as one.
const fillAtOnce = 64

// Each gives the ids of all listings that lack vectors and are not noted as failed, some at a time, in order.
func (f *Filler) Each(ctx context.Context, do func(ids []string) error) error {
	for after := ""; ; {
		ids, err := f.Store.Unembedded(ctx, f.Embedder.Model(), after, fillAtOnce)
		if err != nil || len(ids) == 0 {
			return err
		}
		after = ids[len(ids)-1]
		if f.Notes != nil {
			failed, err := f.Notes.Notes(ctx, FailedSpace(f.Embedder.Model()), ids...)
			if err != nil {
				return err
			}
			ids = slices.DeleteFunc(ids, func(id string) bool { return failed[id] != nil })
		}
		if len(ids) > 0 {
			if err := do(ids); err != nil {
				return err
			}
		}
	}
}
