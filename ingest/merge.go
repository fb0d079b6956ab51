package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine"
)

// MergeStore is a store whose listings can be merged.
type MergeStore interface {
	Store
	Entries(ctx context.Context, ids []string, model string) ([]engine.Entry, error)
	Delete(ctx context.Context, ids ...string) error
}

// Merges keeps listings that are about the same as one, without losing any. A group of them has a kept one, whose id stands
// in the store with what twins.Compose makes of all members; the others have no row. What each source gave is in notes.
//
// Notes and listings change in separate transactions, so every change is made in an order in which a kill at any moment
// loses nothing and is mended by the next Settle:
//
//  1. the list of members (space "members", key "KEPT MEMBER") grows; it may name too many, since it is read together with
//  2. the note that the group is to be settled (space "settle", key KEPT), and
//  3. the decision, all in one transaction: where each member leads (space "merged", key MEMBER). Whoever is killed before
//     has decided nothing; afterwards the decision stands, and the store is led there by
//  4. settle: the composed listing is stored, the rows of the others are deleted, and the notes that say nothing any more go.
type Merges struct {
	Store    MergeStore
	Notes    Notes
	Embedder embeddings.Embedder
	Later    int // as in Run
}

// The spaces of notes. MergedSpace is for whoever has a member's id and wants the listing that stands for it.
const (
	MergedSpace  = "merged"
	membersSpace = "members"
	settleSpace  = "settle"
)

// Member is a listing that was merged, as its source gave it.
type Member struct {
	Into    string // id of the kept one, which leads to itself
	Listing *engine.Listing
}

type memberNote struct {
	Into    string         `json:"into"`
	Listing jsontext.Value `json:"listing"`
}

// Kept returns where the ids lead that are members; others are left out.
func Kept(ctx context.Context, notes Notes, ids ...string) (map[string]string, error) {
	found, err := notes.Notes(ctx, MergedSpace, ids...)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(found))
	for id, value := range found {
		n, err := readMember(id, value)
		if err != nil {
			return nil, err
		}
		out[id] = n.Into
	}
	return out, nil
}

// Groups returns the members of every kept listing, itself among them.
func Groups(ctx context.Context, notes Notes) (map[string][]string, error) {
	out := map[string][]string{}
	return out, EachNote(ctx, notes, MergedSpace, "", func(note engine.Note) error {
		n, err := readMember(note.Key, note.Value)
		if err != nil {
			return err
		}
		out[n.Into] = append(out[n.Into], note.Key)
		return nil
	})
}

func readMember(id string, value []byte) (n memberNote, err error) {
	if err = json.Unmarshal(value, &n); err == nil && n.Into == "" {
		err = errors.New("it leads nowhere")
	}
	if err != nil {
		err = fmt.Errorf("the note on the merged listing %s: %w", id, err)
	}
	return n, err
}

// Members returns those of the ids that are members.
func (m *Merges) Members(ctx context.Context, ids ...string) (map[string]Member, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := m.Notes.Notes(ctx, MergedSpace, ids...)
	if err != nil {
		return nil, err
	}
	out := make(map[string]Member, len(found))
	for id, value := range found {
		n, err := readMember(id, value)
		if err != nil {
			return nil, err
		}
		l := new(engine.Listing)
		if err := json.Unmarshal(n.Listing, l); err != nil {
			return nil, fmt.Errorf("the note on the merged listing %s: %w", id, err)
		}
		out[id] = Member{n.Into, l}
	}
	return out, nil
}

// Group returns the members that lead to the kept one, itself among them, by their ids.
func (m *Merges) Group(ctx context.Context, kept string) (map[string]Member, error) {
	ids, err := m.listed(ctx, kept)
	if err != nil {
		return nil, err
	}
	out, err := m.Members(ctx, ids...)
	maps.DeleteFunc(out, func(_ string, of Member) bool { return of.Into != kept })
	return out, err
}

// listed are the ids that the list of members has for a kept one.
func (m *Merges) listed(ctx context.Context, kept string) (ids []string, err error) {
	prefix := kept + " "
	err = EachNote(ctx, m.Notes, membersSpace, prefix, func(n engine.Note) error {
		ids = append(ids, strings.TrimPrefix(n.Key, prefix))
		return nil
	})
	return ids, err
}

// maxMembers is how many listings may be merged into one.
const maxMembers = 200

// Merge makes one of two listings, and of all that either was merged with. kept is the id that stays: one of both or of
// those they were merged with; with "" it is what the first one leads to.
func (m *Merges) Merge(ctx context.Context, a, b, kept string) (string, error) {
	if a == b {
		return "", fmt.Errorf("%s twice: a listing cannot be merged with itself", a)
	}
	group := map[string]Member{}
	for _, id := range []string{b, a} {
		of, err := m.groupOf(ctx, id)
		if err != nil {
			return "", err
		}
		maps.Copy(group, of)
	}
	if kept == "" {
		if kept = group[a].Into; group[kept].Listing == nil { // it was removed
			kept = a
		}
	}
	if group[kept].Listing == nil {
		return "", fmt.Errorf("%s is neither of the two, nor merged with one of them", kept)
	}
	if ka, kb := group[a].Listing.Kind, group[b].Listing.Kind; ka != kb {
		return "", fmt.Errorf("%s is of kind %s and %s of kind %s", a, ka, b, kb)
	}
	if len(group) > maxMembers {
		return "", fmt.Errorf("%d listings in one are more than the %d allowed", len(group), maxMembers)
	}
	return kept, m.lead(ctx, kept, group, group[a].Into, group[b].Into)
}

// groupOf is the group of a listing; one that was never merged is a group of its own.
func (m *Merges) groupOf(ctx context.Context, id string) (map[string]Member, error) {
	found, err := m.Members(ctx, id)
	if err != nil {
		return nil, err
	}
	if of, ok := found[id]; ok {
		group, err := m.Group(ctx, of.Into)
		if len(group) == 0 { // its list was lost
			group = map[string]Member{id: of}
		}
		return group, err
	}
	entries, err := m.Store.Entries(ctx, []string{id}, "")
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%w: %s", engine.ErrUnknownListing, id)
	}
	return map[string]Member{id: {id, entries[0].Listing}}, nil
}

// lead leads members to a kept one, and settles it.
func (m *Merges) lead(ctx context.Context, kept string, members map[string]Member, also ...string) error {
	if err := m.prepare(ctx, kept, slices.Collect(maps.Keys(members)), also...); err != nil {
		return err
	}
	notes := make(map[string][]byte, len(members))
	for id, of := range members {
		var err error
		if notes[id], err = memberValue(kept, of.Listing); err != nil {
			return err
		}
	}
	if err := m.Notes.PutNotes(ctx, MergedSpace, notes); err != nil {
		return err
	}
	_, err := m.settle(ctx, append(also, kept)...)
	return err
}

// prepare writes what stands before a decision.
func (m *Merges) prepare(ctx context.Context, kept string, members []string, also ...string) error {
	list := make(map[string][]byte, len(members))
	for _, id := range members {
		list[kept+" "+id] = []byte(`{}`)
	}
	if err := m.Notes.PutNotes(ctx, membersSpace, list); err != nil {
		return err
	}
	due := map[string][]byte{kept: []byte(`{}`)}
	for _, k := range also {
		due[k] = []byte(`{}`)
	}
	return m.Notes.PutNotes(ctx, settleSpace, due)
}

func memberValue(into string, l *engine.Listing) ([]byte, error) {
	body, _, err := l.Fingerprint()
	if err != nil {
		return nil, err
	}
	return json.Marshal(memberNote{into, body})
}

// Apart takes a listing out of what it was merged into, and gives it a row of its own again. Of the kept one, the other
// leaves.
func (m *Merges) Apart(ctx context.Context, a, b string) error {
	found, err := m.Members(ctx, a, b)
	if err != nil {
		return err
	}
	x, y := found[a], found[b]
	if x.Listing == nil || y.Listing == nil || x.Into != y.Into || a == b {
		return nil // they are apart
	}
	leaves := b
	if y.Into == b {
		leaves = a
	}
	return m.lead(ctx, leaves, map[string]Member{leaves: found[leaves]}, x.Into)
}

// Remove removes a listing for good, from the store and from what it was merged into, which is composed anew of the rest.
// Stopped on its way, it has to be called again.
func (m *Merges) Remove(ctx context.Context, id string) error {
	into, err := Kept(ctx, m.Notes, id)
	if err != nil {
		return err
	}
	if kept := into[id]; kept != "" {
		if err := m.prepare(ctx, kept, nil); err != nil {
			return err
		}
		if err := m.Notes.PutNotes(ctx, MergedSpace, map[string][]byte{id: nil}); err != nil {
			return err
		}
		if _, err := m.settle(ctx, kept); err != nil {
			return err
		}
	}
	return m.Store.Delete(ctx, id)
}

// prepareMember compares a listing that was merged with what its source gave before. It has to be composed anew where that
// changed, or where the store is not as it should be: the kept one is missing or lacks vectors, or another has a row.
func (run *Run) prepareMember(it *item, of Member, stored map[string]engine.Stored) error {
	_, before, err := of.Listing.Fingerprint()
	if err != nil {
		return err
	}
	kept, there := stored[of.Into]
	_, row := stored[it.listing.ID]
	it.stored, it.known, it.merged = engine.Stored{Fingerprint: before}, true, true
	if before != it.fingerprint || !there || !kept.Embedded && run.Later == 0 || row && it.listing.ID != of.Into {
		it.entry = &engine.Entry{Listing: it.listing}
	}
	return nil
}

// update takes in what sources now say about members, and returns how many passages were composed.
func (m *Merges) update(ctx context.Context, listings []*engine.Listing) (int, error) {
	ids := make([]string, len(listings))
	for i, l := range listings {
		ids[i] = l.ID
	}
	into, err := Kept(ctx, m.Notes, ids...)
	if err != nil {
		return 0, err
	}
	notes := map[string][]byte{}
	due := map[string][]string{}
	for _, l := range listings {
		kept := into[l.ID]
		if kept == "" { // it left since it was looked up
			kept = l.ID
		}
		due[kept] = append(due[kept], l.ID)
		if notes[l.ID], err = memberValue(kept, l); err != nil {
			return 0, err
		}
	}
	for kept, members := range due {
		if err := m.prepare(ctx, kept, members); err != nil {
			return 0, err
		}
	}
	if err := m.Notes.PutNotes(ctx, MergedSpace, notes); err != nil {
		return 0, err
	}
	return m.settle(ctx, slices.Collect(maps.Keys(due))...)
}
