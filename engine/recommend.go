package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ketnoi/ketnoi/engine/glossary"
)

// ErrUnknownListing is returned, wrapped with the id, when the subject is not in the library.
var ErrUnknownListing = errors.New("no such listing")

// Recommender makes recommendations. Its fields are set once; it is safe for concurrent use.
type Recommender struct {
	Retriever Retriever
	Library   Library
	Embedder  Embedder
	Glossary  *glossary.Glossary
	Ranker    Ranker
	Split     func(*Listing) []Passage // how a free text becomes passages
	Now       func() time.Time
	Writer    Writer                                                 // of narratives; nil where no chat model is set
	Blocked   func(ctx context.Context, id string) ([]string, error) // whom a listing must not be brought together with; nil for nobody
	Exposure  *Exposure                                              // what was shown over the last week; nil where nobody counts

	scratch sync.Pool // of *scratch
}

// perWay is how many listings each way of retrieval contributes to the candidates.
const perWay = 100

type scratch struct {
	candidates Candidates
	scored     []Scored
}

// Recommend answers a query. Errors: a *FieldError for a faulty query, ErrUnknownListing, or what the library or
// retriever failed with. When the embedder fails the answer is degraded, not an error.
func (rec *Recommender) Recommend(ctx context.Context, q Query) (*Answer, error) {
	if err := q.Normalise(); err != nil {
		return nil, err
	}
	if q.Narrative && rec.Writer == nil {
		return nil, &FieldError{Field: "narrative", Reason: "no chat model is set here; leave it out"}
	}
	a, err := rec.look(ctx, &q)
	if err != nil {
		return nil, err
	}
	if q.Narrative {
		rec.narrate(ctx, a, cmp.Or(q.Reader, a.Subject.Lang))
	}
	if rec.Exposure != nil {
		shown := make([]string, len(a.Items))
		for i := range a.Items {
			shown[i] = a.Items[i].Listing.ID
		}
		rec.Exposure.Note(shown, rec.Now())
	}
	return a, nil
}

// Look answers as Recommend does, for nobody's eyes: without narratives, and nothing counts as shown.
func (rec *Recommender) Look(ctx context.Context, q Query) (*Answer, error) {
	if err := q.Normalise(); err != nil {
		return nil, err
	}
	return rec.look(ctx, &q)
}

func (rec *Recommender) look(ctx context.Context, q *Query) (*Answer, error) {
	sc := rec.borrow()
	defer rec.scratch.Put(sc)
	f, err := rec.find(ctx, q, sc)
	if err != nil || len(f.list) == 0 {
		return f.answer, err
	}
	start := time.Now()
	f.x.read()
	for i := range f.list {
		f.answer.Items = append(f.answer.Items, f.x.item(i+1, &f.list[i]))
	}
	f.answer.Steps.Explain += time.Since(start)
	return f.answer, nil
}

// found is a query on its way: its answer without items, what explains it, and the list that is to be explained.
type found struct {
	answer *Answer
	x      *explainer
	list   []placed
}

// find reads, retrieves, scores and shapes for a normalised query. All candidates but blocked ones are left in sc, best first; the
// list and the explainer lead into sc too.
func (rec *Recommender) find(ctx context.Context, q *Query, sc *scratch) (f found, err error) {
	start := time.Now()
	r, degraded, err := rec.subject(ctx, q)
	if err != nil {
		return f, err
	}
	l := r.Listing
	a := &Answer{Subject: Subject{ID: l.ID, Title: l.Title, Lang: l.Lang, Guessed: q.guessed && l.Lang != "", Fields: r.Fields, Regions: l.Regions, Organisation: l.Organisation}, Items: []Recommendation{}, Removed: []Removed{}, Threshold: rec.Ranker.Threshold, Ranker: rec.Ranker.Name, Model: rec.Embedder.Model()}
	if l.ID != "" {
		a.Subject.Kind = l.Kind
	}
	if degraded != nil {
		a.Degraded, a.Reason = true, "the embedding model does not answer; ranked by words and concepts alone"
	}
	lap := func(d *time.Duration) { now := time.Now(); *d += now.Sub(start); start = now }
	lap(&a.Steps.Read)

	ask, err := rec.rules(ctx, r, q, sc)
	if err != nil {
		return f, err
	}
	if len(ask.stated) > 0 {
		if a.Removed, err = rec.removed(ctx, r, ask, sc); err != nil {
			return f, err
		}
	}
	if err := rec.Retriever.Retrieve(ctx, r, ask.rules(), perWay+len(ask.blocked), &sc.candidates); err != nil {
		return f, err
	}
	a.Allowed, a.Retrieval, a.Candidates = sc.candidates.Allowed, sc.candidates.Path, len(sc.candidates.List)
	lap(&a.Steps.Retrieve)
	sc.scored = rec.Ranker.Rank(r, ask.prefer, &sc.candidates, sc.scored)
	if n := rec.drop(ask, sc); n > 0 {
		a.Removed = append(a.Removed, Removed{Rule: RuleBlocked, Count: n})
	}
	lap(&a.Steps.Score)

	// A preference moves a candidate up or down the list, and never into it.
	top := slices.DeleteFunc(slices.Clone(sc.scored), func(s Scored) bool { return s.Confidence < rec.Ranker.Threshold })
	f = found{answer: a, x: &explainer{rec: rec, r: r, c: &sc.candidates, ask: ask, scored: top, reader: cmp.Or(q.Reader, l.Lang)}}
	if f.list, err = rec.list(ctx, r, top, q, f.x.reader, a); err != nil {
		return f, err
	}
	if a.NoMatch = len(f.list) == 0; a.NoMatch {
		rest := slices.DeleteFunc(slices.Clone(sc.scored), func(s Scored) bool { // what was left out is not near: it was written for the ranking
			return slices.ContainsFunc(a.Left, func(l Intervention) bool { return l.ID == s.Listing.ID })
		})
		a.Nearest, a.Relax = near(rest[:min(3, len(rest))]), costliest(a.Removed)
	}
	lap(&a.Steps.Explain)
	return f, nil
}

// list fetches and shapes the best candidates until the list is full, or no more are left.
func (rec *Recommender) list(ctx context.Context, r *Reading, top []Scored, q *Query, reader string, a *Answer) (list []placed, err error) {
	if len(top) == 0 {
		return nil, nil
	}
	for n := min(q.Limit+further, len(top)); ; n = min(2*n, len(top)) {
		ranked, err := rec.entries(ctx, top[:n])
		if err != nil {
			return nil, err
		}
		if list, a.Left, err = rec.shape(ctx, r, ranked, q.Limit, q.Without, reader); err != nil || len(list) == q.Limit || n == len(top) {
			return list, err
		}
	}
}

// further candidates are looked at, which may take the places of those that are left out.
const further = 10

// costliest is the rule that removes most, "" where none removes any.
func costliest(removed []Removed) (rule string) {
	most := 0
	for _, r := range removed {
		if r.Count > most && r.Rule != RuleBlocked { // which nobody relaxes by asking otherwise
			if rule, most = r.Rule, r.Count; r.Not {
				rule = "exclude." + rule
			}
		}
	}
	return rule
}

// ask is what a query asks of candidates.
type ask struct {
	kind     Clause
	stated   []Clause // what the query states must hold, or must not
	standing []Clause // what must hold always
	prefer   []Clause
	blocked  []string
	bridges  []bridge // ambassadors that lend the subject their languages
}

// newAsk is what a query asks for a subject, but for the shared language and blocked pairs.
func newAsk(q *Query, subject *Listing, now time.Time) *ask {
	return &ask{kind: q.kind(subject), stated: q.stated(), standing: standing(subject, now), prefer: q.Prefer.Clauses()}
}

// rules are all that must hold, in the order in which they are explained.
func (a *ask) rules() []Clause { return slices.Concat([]Clause{a.kind}, a.stated, a.standing) }

// bridge is an ambassador whose languages a subject shares.
type bridge struct {
	id, title string
	languages []string
}

// rules makes the query's rules for a subject.
func (rec *Recommender) rules(ctx context.Context, r *Reading, q *Query, sc *scratch) (*ask, error) {
	out := newAsk(q, r.Listing, rec.Now())
	if rec.Blocked != nil && r.Listing.ID != "" {
		var err error
		if out.blocked, err = rec.Blocked(ctx, r.Listing.ID); err != nil {
			return nil, err
		}
	}
	if q.Filter.SharedLanguage || q.Prefer.SharedLanguage {
		shared, err := rec.shared(ctx, r, out, sc)
		if err != nil {
			return nil, err
		}
		if q.Filter.SharedLanguage {
			out.stated = append(out.stated, shared)
		}
		if q.Prefer.SharedLanguage {
			out.prefer = append(out.prefer, shared)
		}
	}
	return out, nil
}

// shared is the rule that both sides have a language in common, directly or through one of the ambassadors nearest to the subject.
func (rec *Recommender) shared(ctx context.Context, r *Reading, a *ask, sc *scratch) (Clause, error) {
	own := languagesOf(r.Listing)
	if len(own) == 0 {
		return Clause{}, &FieldError{Field: "filter.shared_language", Reason: "the subject's language is not known: state it"}
	}
	c := Clause{Rule: RuleShared}
	add := func(tags []string) {
		for _, tag := range tags {
			if f := Facet("language:" + tag); !slices.Contains(c.AnyOf, f) {
				c.AnyOf = append(c.AnyOf, f)
			}
		}
	}
	add(own)
	who := slices.Concat([]Clause{{Rule: RuleShared, AnyOf: []Facet{ambassador}}}, a.standing)
	if err := rec.Retriever.Retrieve(ctx, r, who, perWay, &sc.candidates); err != nil {
		return c, err
	}
	sc.scored = rec.Ranker.Rank(r, nil, &sc.candidates, sc.scored)
	for _, s := range sc.scored {
		theirs := languagesOf(s.Listing)
		if slices.Contains(a.blocked, s.Listing.ID) {
			continue
		}
		if slices.ContainsFunc(theirs, func(tag string) bool { return slices.Contains(own, tag) }) {
			a.bridges = append(a.bridges, bridge{s.Listing.ID, s.Listing.Title, theirs})
			add(theirs)
		}
	}
	return c, nil
}

// languagesOf are those in which a listing is written and its owner works.
func languagesOf(l *Listing) []string {
	if l.Lang == "" || slices.Contains(l.Languages, l.Lang) {
		return l.Languages
	}
	return append([]string{l.Lang}, l.Languages...)
}

// drop leaves blocked candidates out and counts those that would have been good matches.
func (rec *Recommender) drop(a *ask, sc *scratch) (n int) {
	if len(a.blocked) == 0 {
		return 0
	}
	sc.scored = slices.DeleteFunc(sc.scored, func(s Scored) bool {
		gone := slices.Contains(a.blocked, s.Listing.ID)
		if gone && s.Confidence >= rec.Ranker.Threshold {
			n++
		}
		return gone
	})
	return n
}

// Rank hands over the candidates for a subject that is given as a listing and need not be stored, best first, without
// explanations and without a threshold: what the evaluation lab measures. The query gives the kinds and the rules. What is
// yielded is valid until yield returns.
func (rec *Recommender) Rank(ctx context.Context, subject *Listing, q Query, yield func(*Scored)) error {
	sc := rec.borrow()
	defer rec.scratch.Put(sc)
	r, err := rec.read(ctx, Entry{Listing: subject, Passages: rec.Split(subject)}, subject.Lang)
	if err != nil {
		return err
	}
	ask := newAsk(&q, subject, rec.Now())
	if err := rec.Retriever.Retrieve(ctx, r, ask.rules(), perWay, &sc.candidates); err != nil {
		return err
	}
	sc.scored = rec.Ranker.Rank(r, ask.prefer, &sc.candidates, sc.scored)
	for i := range sc.scored {
		yield(&sc.scored[i])
	}
	return nil
}

// near lists scored candidates by name.
func near(scored []Scored) []Near {
	out := make([]Near, len(scored))
	for i, s := range scored {
		out[i] = Near{s.Listing.ID, s.Listing.Kind, s.Listing.Title, s.Listing.Lang, s.Score, s.Confidence}
	}
	return out
}

func (rec *Recommender) borrow() *scratch {
	if sc, ok := rec.scratch.Get().(*scratch); ok {
		return sc
	}
	return new(scratch)
}

// subject reads what the query asks for. degraded is why there are no vectors, or nil.
func (rec *Recommender) subject(ctx context.Context, q *Query) (r *Reading, degraded, err error) {
	var e Entry
	if q.For == "" {
		e.Listing = &Listing{Kind: Problem, Text: q.Text, Lang: q.Lang}
		e.Passages = rec.Split(e.Listing)
	} else {
		found, err := rec.Library.Entries(ctx, []string{q.For}, rec.Embedder.Model())
		if err != nil {
			return nil, nil, err
		}
		if len(found) == 0 {
			return nil, nil, fmt.Errorf("%w: %s", ErrUnknownListing, q.For)
		}
		e = found[0]
	}
	lang := e.Listing.Lang
	if q.guessed {
		lang = ""
	}
	r, degraded = rec.read(ctx, e, lang)
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	return r, degraded, nil
}

// removed counts, among the best candidates found without the stated rules, those whose evidence reaches the threshold and that
// fail each of them. A candidate that fails two rules counts for both.
func (rec *Recommender) removed(ctx context.Context, r *Reading, a *ask, sc *scratch) ([]Removed, error) {
	if err := rec.Retriever.Retrieve(ctx, r, slices.Concat([]Clause{a.kind}, a.standing), perWay, &sc.candidates); err != nil {
		return nil, err
	}
	sc.scored = rec.Ranker.Rank(r, nil, &sc.candidates, sc.scored)
	out := make([]Removed, len(a.stated))
	for i, c := range a.stated {
		out[i].Rule, out[i].Not = c.Rule, c.Not
		for _, s := range sc.scored {
			if s.Confidence >= rec.Ranker.Threshold && !c.Holds(s.Facets, s.Expires) {
				out[i].Count++
			}
		}
	}
	return out, nil
}

// entries fetches the texts of the ranked candidates. One that was deleted since it was retrieved is passed over.
func (rec *Recommender) entries(ctx context.Context, top []Scored) ([]placed, error) {
	ids := make([]string, len(top))
	for i, s := range top {
		ids[i] = s.Listing.ID
	}
	entries, err := rec.Library.Entries(ctx, ids, "")
	if err != nil {
		return nil, err
	}
	byID := make(map[string]Entry, len(entries))
	for _, e := range entries {
		byID[e.Listing.ID] = e
	}
	out := make([]placed, 0, len(top))
	for _, s := range top {
		if e, ok := byID[s.Listing.ID]; ok {
			out = append(out, placed{Scored: s, Entry: e, place: len(out) + 1})
		}
	}
	return out, nil
}
