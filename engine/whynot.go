package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// WhyNot is why a listing is not in the list that answers a query, or where it stands in it.
type WhyNot struct {
	ID         string         `json:"id"`
	Listed     int            `json:"listed,omitzero" doc:"Its place in the list; 0 when it is not in it"`
	Removed    []RuleResult   `json:"removed" nullable:"false" doc:"The rules that remove it"`
	Place      int            `json:"place,omitzero" doc:"Its place by score among the good matches, were it one; 0 when a rule removes it or it is not near by any way"`
	Last       int            `json:"last,omitzero" doc:"The last place of the list"`
	Score      float64        `json:"score,omitzero"`
	Confidence float64        `json:"confidence,omitzero"`
	Threshold  float64        `json:"threshold"`
	Parts      []Part         `json:"parts,omitempty" doc:"Of its score"`
	HeldBack   []HeldBack     `json:"held_back,omitempty" doc:"The parts by which it loses against the last of the list, most first"`
	Shaping    []Intervention `json:"shaping,omitempty" doc:"What left it out of the list"`
	Changes    []Change       `json:"changes,omitempty" doc:"What would bring it further up"`
	Reasons    []string       `json:"reasons" nullable:"false" doc:"All of this in sentences, in the reader's language"`
}

// HeldBack is a part by which a listing loses.
type HeldBack struct {
	Signal string  `json:"signal"`
	Points float64 `json:"points" doc:"Less than the other's"`
}

// WhyNot says why the listing of an id is not among the recommendations for a query. Errors are those of Recommend;
// ErrUnknownListing for this id too.
func (rec *Recommender) WhyNot(ctx context.Context, q Query, id string) (*WhyNot, error) {
	v := &validator{}
	if id = v.id("listing", id); v.err != nil {
		return nil, v.err
	}
	if err := q.Normalise(); err != nil {
		return nil, err
	}
	sc := rec.borrow()
	defer rec.scratch.Put(sc)
	f, err := rec.find(ctx, &q, sc)
	if err != nil {
		return nil, err
	}
	entries, err := rec.Library.Entries(ctx, []string{id}, "")
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnknownListing, id)
	}
	w := &WhyNot{ID: id, Removed: []RuleResult{}, Threshold: rec.Ranker.Threshold, Last: len(f.list), Reasons: []string{}}
	stub := NewStub(entries[0].Listing)
	for _, c := range f.x.ask.rules() {
		if !c.Holds(stub.Facets, stub.Expires) {
			w.Removed = append(w.Removed, f.x.result(c, stub, false))
		}
	}
	if slices.Contains(f.x.ask.blocked, id) {
		w.Removed = append(w.Removed, f.x.result(Clause{Rule: RuleBlocked}, stub, false))
	}
	w.Listed = 1 + slices.IndexFunc(f.list, func(p placed) bool { return p.Listing.ID == id })
	for _, left := range f.answer.Left {
		if left.ID == id {
			w.Shaping = append(w.Shaping, left)
		}
	}
	if len(w.Removed) == 0 {
		if err := rec.place(ctx, w, &f, sc, stub); err != nil {
			return nil, err
		}
	}
	w.say(f.x.reader)
	return w, nil
}

// place finds where a listing that the rules let through stands among the candidates, and what it lacks against the last one that
// is shown.
func (rec *Recommender) place(ctx context.Context, w *WhyNot, f *found, sc *scratch, stub *Stub) error {
	var last *Scored // nil where nothing is shown
	if n := len(f.list); n > 0 {
		last = &f.list[n-1].Scored
	}
	before := 0 // good matches that stand before it
	for i := range sc.scored {
		if s := &sc.scored[i]; s.Listing.ID == w.ID {
			w.Place, w.Changes = before+1, f.x.changes(s)
			w.against(s, last)
			return nil
		} else if s.Confidence >= rec.Ranker.Threshold {
			before++
		}
	}
	// Not near by any way: among its own organisation's it may still be found, and scored.
	own := append(f.x.ask.rules(), Clause{Rule: RuleOwn, AnyOf: []Facet{OwnFacet(stub.Listing)}})
	if err := rec.Retriever.Retrieve(ctx, f.x.r, own, perWay, &sc.candidates); err != nil {
		return err
	}
	sc.scored = rec.Ranker.Rank(f.x.r, f.x.ask.prefer, &sc.candidates, sc.scored)
	if i := slices.IndexFunc(sc.scored, func(s Scored) bool { return s.Listing.ID == w.ID }); i >= 0 {
		w.against(&sc.scored[i], last)
	}
	return nil
}

// against notes the score of one and what it lacks against the other, if there is one.
func (w *WhyNot) against(s, other *Scored) {
	w.Score, w.Confidence, w.Parts = s.Score, s.Confidence, s.Parts()
	if other == nil {
		return
	}
	for sig := range nSignals {
		if less := other.Weights[sig]*other.Raw[sig] - s.Weights[sig]*s.Raw[sig]; less > 1e-9 {
			w.HeldBack = append(w.HeldBack, HeldBack{sig.String(), less})
		}
	}
	slices.SortStableFunc(w.HeldBack, func(a, b HeldBack) int { return cmp.Compare(b.Points, a.Points) })
}

// say puts everything into sentences.
func (w *WhyNot) say(reader string) {
	fill := func(key string, args ...string) {
		s := Phrase(key, reader)
		for _, a := range args {
			s = strings.Replace(s, "%s", a, 1)
		}
		w.Reasons = append(w.Reasons, s)
	}
	if w.Listed > 0 {
		fill("why_listed", strconv.Itoa(w.Listed))
		return
	}
	for _, r := range w.Removed {
		fill("why_rules", strings.TrimSuffix(strings.TrimSuffix(r.Text, "."), "。"))
	}
	if len(w.Removed) > 0 {
		return
	}
	for _, s := range w.Shaping {
		w.Reasons = append(w.Reasons, s.Reason)
	}
	switch {
	case w.Place == 0:
		fill("why_far")
	case len(w.Shaping) == 0 && w.Confidence >= w.Threshold:
		fill("why_place", strconv.Itoa(w.Place), strconv.Itoa(w.Last))
	}
	if w.Confidence < w.Threshold {
		fill("why_weak")
	}
	if len(w.HeldBack) > 0 {
		var names []string
		for _, h := range w.HeldBack[:min(3, len(w.HeldBack))] {
			names = append(names, fmt.Sprintf("%s %+.3f", Phrase("signal_"+h.Signal, reader), -h.Points))
		}
		fill("why_held", strconv.Itoa(max(1, w.Last)), joinFor(reader, names, 3))
	}
	for _, c := range w.Changes {
		w.Reasons = append(w.Reasons, c.Text)
	}
}
