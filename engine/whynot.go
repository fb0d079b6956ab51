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
	q.Narrative = false
	a, err := rec.Uncounted().Recommend(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := q.Normalise(); err != nil {
		return nil, err
	}
	found, err := rec.Library.Entries(ctx, []string{id}, "")
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnknownListing, id)
	}
	sc := rec.borrow()
	defer rec.scratch.Put(sc)
	r, _, err := rec.subject(ctx, &q)
	if err != nil {
		return nil, err
	}
	ask, err := rec.rules(ctx, r, &q, sc)
	if err != nil {
		return nil, err
	}
	w := &WhyNot{ID: id, Removed: []RuleResult{}, Threshold: rec.Ranker.Threshold, Last: len(a.Items), Reasons: []string{}}
	reader := cmp.Or(q.Reader, r.Listing.Lang)
	x := &explainer{rec: rec, r: r, ask: ask, reader: reader}
	stub := NewStub(found[0].Listing)
	for _, c := range ask.rules {
		if !c.Holds(stub.Facets, stub.Expires) {
			w.Removed = append(w.Removed, x.result(c, stub, false))
		}
	}
	if slices.Contains(ask.blocked, id) {
		w.Removed = append(w.Removed, x.result(Clause{Rule: RuleBlocked}, stub, false))
	}
	for _, item := range a.Items {
		if item.Listing.ID == id {
			w.Listed = item.Rank
		}
	}
	for _, left := range a.Left {
		if left.ID == id {
			w.Shaping = append(w.Shaping, left)
		}
	}
	if len(w.Removed) == 0 {
		last := ""
		if len(a.Items) > 0 {
			last = a.Items[len(a.Items)-1].Listing.ID
		}
		if err := rec.place(ctx, w, x, sc, stub, last); err != nil {
			return nil, err
		}
	}
	w.say(reader)
	return w, nil
}

// Uncounted is the recommender without counting what it shows, to nobody or once more.
func (rec *Recommender) Uncounted() *Recommender {
	return &Recommender{Retriever: rec.Retriever, Library: rec.Library, Embedder: rec.Embedder, Glossary: rec.Glossary, Ranker: rec.Ranker, Split: rec.Split, Now: rec.Now, Blocked: rec.Blocked, Exposure: rec.Exposure, uncounted: true}
}

// place finds where a listing that the rules let through stands among the candidates, and what it lacks against the last one that
// is shown.
func (rec *Recommender) place(ctx context.Context, w *WhyNot, x *explainer, sc *scratch, stub *Stub, last string) error {
	rank := func(rules []Clause) error {
		if err := rec.Retriever.Retrieve(ctx, x.r, rules, perWay+len(x.ask.blocked), &sc.candidates); err != nil {
			return err
		}
		sc.scored = rec.Ranker.Rank(x.r, x.ask.prefer, &sc.candidates, sc.scored)
		rec.drop(x.ask, sc)
		sc.scored = slices.DeleteFunc(sc.scored, func(s Scored) bool { return s.Confidence < rec.Ranker.Threshold && s.Listing.ID != w.ID })
		return nil
	}
	at := func() int { return slices.IndexFunc(sc.scored, func(s Scored) bool { return s.Listing.ID == w.ID }) }
	if err := rank(x.ask.rules); err != nil {
		return err
	}
	x.scored = slices.Clone(sc.scored)
	if i := at(); i >= 0 {
		w.Place = i + 1
		w.Changes = x.changes(&sc.scored[i])
		w.against(&sc.scored[i], x.lastShown(last, &sc.scored[i]))
		return nil
	}
	// Not near by any way: among its own organisation's it may still be found, and scored.
	if err := rank(append(slices.Clone(x.ask.rules), Clause{Rule: RuleOwn, AnyOf: []Facet{OwnFacet(stub.Listing)}})); err != nil {
		return err
	}
	if i := at(); i >= 0 {
		w.against(&sc.scored[i], x.lastShown(last, &sc.scored[i]))
	}
	return nil
}

// lastShown is the last of the list, among the good matches; otherwise where nothing is shown.
func (x *explainer) lastShown(id string, otherwise *Scored) *Scored {
	for i := range x.scored {
		if x.scored[i].Listing.ID == id {
			return &x.scored[i]
		}
	}
	return otherwise
}

// against notes the score of one and what it lacks against the other.
func (w *WhyNot) against(s, other *Scored) {
	w.Score, w.Confidence, w.Parts = s.Score, s.Confidence, s.Parts()
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
