// Package people recognises a person again by what a listing says of them, without keeping it: of whoever was erased only keyed
// hashes stay, so that neither an old source nor a restored backup brings them back.
package people

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/text"
	"github.com/ketnoi/ketnoi/ingest/record"
)

// Notes is a store's memory for small things.
type Notes interface {
	Notes(ctx context.Context, space string, keys ...string) (map[string][]byte, error)
	PutNotes(ctx context.Context, space string, notes map[string][]byte) error
	ListNotes(ctx context.Context, space, after string, limit int) ([]engine.Note, error)
}

// Where a store keeps what is left of those who were erased.
const (
	tombstones = "erased"   // dates by hash
	settings   = "erasures" // the secret, and how much of the ledger is in the store
	secretNote = "secret"
	linesNote  = "lines"
)

var (
	orcidPattern = regexp.MustCompile(`\b\d{4}-\d{4}-\d{4}-\d{3}[\dXx]\b`)
	mailPattern  = regexp.MustCompile(`[\pL\d._%+-]+@[\pL\d.-]+\.\pL{2,}`)
)

// Name returns the name of the person that a listing is about, "" for none.
func Name(l *engine.Listing) string {
	switch {
	case l.Person != "":
		return l.Person
	case l.AboutPerson():
		return l.Title
	}
	return ""
}

// Same reports whether two names are the same but for accents, case and spacing.
func Same(a, b string) bool { return fold(a) == fold(b) && fold(a) != "" }

func fold(s string) string { return strings.Join(strings.Fields(text.Fold(s)), " ") }

// keys are what a listing's person is recognised by: the id; ORCID iDs and e-mail addresses that stand in its address or its
// extra values; the name together with the organisation. A name alone is no key: too many share one.
func keys(l *engine.Listing) []string {
	out := []string{"id " + l.ID}
	if name := fold(Name(l)); name != "" && l.Organisation != "" {
		out = append(out, "name "+name+" at "+fold(l.Organisation))
	}
	places := []string{l.URL}
	for key, v := range l.Extra {
		if !strings.HasPrefix(key, "works") { // where co-authors are named
			places = append(places, string(v))
		}
	}
	for _, s := range places {
		for _, found := range orcidPattern.FindAllString(s, -1) {
			if id, ok := record.ORCID(found); ok {
				out = append(out, "orcid "+id)
			}
		}
		for _, found := range mailPattern.FindAllString(s, -1) {
			out = append(out, "mail "+strings.ToLower(found))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Register knows who was erased from a store.
type Register struct {
	notes  Notes
	path   string // of the ledger, "" for none
	secret []byte // nil until somebody is erased
	ledger []entry
	behind bool // the ledger tells of erasures that the store does not know: it was restored from a backup
}

// Open opens the register of a store, and the ledger beside it at path, "" for none.
func Open(ctx context.Context, notes Notes, path string) (*Register, error) {
	r := &Register{notes: notes, path: path}
	kept, err := notes.Notes(ctx, settings, secretNote, linesNote)
	if err != nil {
		return nil, err
	}
	r.secret = kept[secretNote]
	secret, ledger, err := readLedger(path)
	if err != nil {
		return nil, err
	}
	r.ledger = ledger
	switch {
	case secret == nil:
		return r, nil
	case r.secret == nil:
		r.secret = secret
	case !hmac.Equal(r.secret, secret):
		return nil, fmt.Errorf("%s tells of erasures from another store: name the file that belongs to this one", path)
	}
	var lines int
	_ = json.Unmarshal(kept[linesNote], &lines) // none are 0
	r.behind = lines < len(ledger)
	return r, nil
}

// Behind reports whether the store has to be caught up with the ledger: see CatchUp.
func (r *Register) Behind() bool { return r.behind }

// Any reports whether anybody was ever erased.
func (r *Register) Any() bool { return r.secret != nil }

func (r *Register) hash(key string) string {
	h := hmac.New(sha256.New, r.secret)
	h.Write([]byte(key))
	return hex.EncodeToString(h.Sum(nil))
}

// Erased returns when the persons that listings are about were erased, by the listings' ids; those who were not are left out,
// and those who consented since.
func (r *Register) Erased(ctx context.Context, listings ...*engine.Listing) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	if r.secret == nil {
		return out, nil
	}
	of := map[string][]*engine.Listing{}
	for _, l := range listings {
		for _, key := range keys(l) {
			h := r.hash(key)
			of[h] = append(of[h], l)
		}
	}
	hashes := make([]string, 0, len(of))
	for h := range of {
		hashes = append(hashes, h)
	}
	found, err := r.notes.Notes(ctx, tombstones, hashes...)
	if err != nil {
		return nil, err
	}
	for h, value := range found {
		at, err := time.Parse(time.RFC3339, string(value))
		if err != nil {
			return nil, fmt.Errorf("the store's note of an erasure: %w", err)
		}
		for _, l := range of[h] {
			if !consented(l, at) {
				out[l.ID] = at
			}
		}
	}
	return out, nil
}

// consented reports whether the person agreed after the moment at.
func consented(l *engine.Listing, at time.Time) bool {
	if l.Basis == nil || l.Basis.Kind != "consent" {
		return false
	}
	if t, err := time.Parse(time.RFC3339, l.Basis.At); err == nil {
		return t.After(at)
	}
	day, err := time.Parse(time.DateOnly, l.Basis.At)
	return err == nil && day.Format(time.DateOnly) > at.UTC().Format(time.DateOnly)
}

// Add registers that the persons of listings are erased, in the ledger first: what stands there is found whatever becomes of
// the store.
func (r *Register) Add(ctx context.Context, at time.Time, listings ...*engine.Listing) error {
	at = at.UTC().Truncate(time.Second)
	if r.secret == nil {
		r.secret = make([]byte, 32)
		_, _ = rand.Read(r.secret) // it never fails
	}
	e := entry{At: at}
	for _, l := range listings {
		for _, key := range keys(l) {
			e.Keys = append(e.Keys, r.hash(key))
		}
	}
	slices.Sort(e.Keys)
	e.Keys = slices.Compact(e.Keys)
	if err := r.write(ctx, e); err != nil {
		return err
	}
	return r.bury(ctx, []entry{e})
}

// bury writes tombstones into the store.
func (r *Register) bury(ctx context.Context, entries []entry) error {
	if err := r.notes.PutNotes(ctx, settings, map[string][]byte{secretNote: r.secret}); err != nil {
		return err
	}
	stones := map[string][]byte{}
	for _, e := range entries {
		for _, h := range e.Keys {
			stones[h] = []byte(e.At.Format(time.RFC3339))
		}
	}
	if err := r.notes.PutNotes(ctx, tombstones, stones); err != nil {
		return err
	}
	if r.path == "" || r.behind { // until those who came back are gone again
		return nil
	}
	return r.notes.PutNotes(ctx, settings, map[string][]byte{linesNote: fmt.Append(nil, len(r.ledger))})
}

// CatchUp brings a store that was restored from a backup up to the ledger: each gives its listings, and erase removes one of
// whom the ledger knows.
func (r *Register) CatchUp(ctx context.Context, each func(see func(*engine.Listing) error) error, erase func(*engine.Listing) error) (erased int, err error) {
	if err := r.bury(ctx, r.ledger); err != nil {
		return 0, err
	}
	var back, some []*engine.Listing
	look := func() error {
		found, err := r.Erased(ctx, some...)
		for _, l := range some {
			if _, ok := found[l.ID]; ok {
				back = append(back, l)
			}
		}
		some = nil
		return err
	}
	err = each(func(l *engine.Listing) error {
		if some = append(some, l); len(some) < 500 {
			return nil
		}
		return look()
	})
	if err == nil {
		err = look()
	}
	if err != nil {
		return 0, err
	}
	for _, l := range back {
		if err := erase(l); err != nil {
			return erased, err
		}
		erased++
	}
	r.behind = false
	return erased, r.bury(ctx, nil)
}
