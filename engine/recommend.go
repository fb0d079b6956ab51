package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ketnoi/ketnoi/engine/glossary"
)

// Recommendation is a candidate that was ranked, with its explanation.
type Recommendation struct {
	Rank        int         `json:"rank"`
	Listing     *Listing    `json:"listing" doc:"Without its texts and works"`
	Score       float64     `json:"score" doc:"Sum of the parts; about 0 to 1"`
	Confidence  float64     `json:"confidence" doc:"How likely a judge calls it a match, 0 to 1, as far as its evidence says; 0 for a ranker that was not calibrated"`
	Explanation Explanation `json:"explanation"`
}

// Subject is who asked. A free text has a language only.
type Subject struct {
	ID           string   `json:"id,omitzero"`
	Kind         Kind     `json:"kind,omitzero"`
	Title        string   `json:"title,omitzero"`
	Lang         string   `json:"lang"`
	Guessed      bool     `json:"lang_guessed,omitzero" doc:"The text is too short to be sure of its language; state it in the query's lang"`
	Regions      []string `json:"regions,omitempty"`
	Organisation string   `json:"organisation,omitzero"`
}

// Answer is what a query gets.
type Answer struct {
	Subject   Subject          `json:"subject" doc:"The listing that asked; of a free text, its language"`
	Items     []Recommendation `json:"items" nullable:"false" doc:"Best first; empty when there is no good match"`
	NoMatch   bool             `json:"no_match" doc:"The evidence for no candidate reaches the threshold"`
	Threshold float64          `json:"threshold" doc:"The least score of a good match"`
	Nearest   []Near           `json:"nearest,omitempty" doc:"With no_match: the best that fell short"`
	Allowed   int              `json:"allowed" doc:"How many listings the rules let through"`
	Removed   []Removed        `json:"removed" nullable:"false" doc:"For each rule of the filter: how many of the good matches found without it it removes"`
	Ranker    string           `json:"ranker"`
	Model     string           `json:"model"`
	Degraded  bool             `json:"degraded" doc:"Answered without vectors"`
	Reason    string           `json:"degraded_reason,omitzero"`
	Retrieval Path             `json:"retrieval" doc:"Which way the candidates were found"`
	Steps     Steps            `json:"-"`
}

// Near is a candidate that fell short of the threshold.
type Near struct {
	ID         string  `json:"id"`
	Kind       Kind    `json:"kind"`
	Title      string  `json:"title"`
	Lang       string  `json:"lang"`
	Score      float64 `json:"score"`
	Confidence float64 `json:"confidence" doc:"Below the threshold"`
}

// Removed says how many good matches a rule cost.
type Removed struct {
	Rule  string `json:"rule"`
	Count int    `json:"count"`
}

// Steps is the time each step of an answer took.
type Steps struct{ Read, Retrieve, Score, Explain time.Duration }

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
	sc := rec.borrow()
	defer rec.scratch.Put(sc)
	start := time.Now()
	r, degraded, err := rec.subject(ctx, &q)
	if err != nil {
		return nil, err
	}
	l := r.Listing
	a := &Answer{Subject: Subject{ID: l.ID, Title: l.Title, Lang: l.Lang, Guessed: q.guessed && l.Lang != "", Regions: l.Regions, Organisation: l.Organisation}, Items: []Recommendation{}, Removed: []Removed{}, Threshold: rec.Ranker.Threshold, Ranker: rec.Ranker.Name, Model: rec.Embedder.Model()}
	if l.ID != "" {
		a.Subject.Kind = l.Kind
	}
	if degraded != nil {
		a.Degraded, a.Reason = true, "the embedding model does not answer; ranked by words and concepts alone"
	}
	lap := func(d *time.Duration) { now := time.Now(); *d += now.Sub(start); start = now }
	lap(&a.Steps.Read)

	rules, prefer := q.clauses(r.Listing, rec.Now()), q.Prefer.Clauses()
	if stated := q.Filter.Clauses(); len(stated) > 0 {
		if a.Removed, err = rec.removed(ctx, r, rules, stated, sc); err != nil {
			return nil, err
		}
	}
	if err := rec.Retriever.Retrieve(ctx, r, rules, perWay, &sc.candidates); err != nil {
		return nil, err
	}
	a.Allowed, a.Retrieval = sc.candidates.Allowed, sc.candidates.Path
	lap(&a.Steps.Retrieve)
	sc.scored = rec.Ranker.Rank(r, prefer, &sc.candidates, sc.scored)
	lap(&a.Steps.Score)

	// A preference moves a candidate up or down the list, and never into it.
	top := slices.DeleteFunc(sc.scored, func(s Scored) bool { return s.Confidence < rec.Ranker.Threshold })
	if a.NoMatch = len(top) == 0; a.NoMatch {
		sc.scored = rec.Ranker.Rank(r, nil, &sc.candidates, sc.scored)
		a.Nearest = near(sc.scored[:min(3, len(sc.scored))])
		return a, nil
	}
	top = top[:min(q.Limit, len(top))]
	reader := q.Reader
	if reader == "" {
		reader = r.Listing.Lang
	}
	x := rec.newExplainer(r, &sc.candidates, rules, prefer, reader)
	if a.Items, err = rec.items(ctx, x, top); err != nil {
		return nil, err
	}
	lap(&a.Steps.Explain)
	return a, nil
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
	if err := rec.Retriever.Retrieve(ctx, r, q.clauses(subject, rec.Now()), perWay, &sc.candidates); err != nil {
		return err
	}
	sc.scored = rec.Ranker.Rank(r, q.Prefer.Clauses(), &sc.candidates, sc.scored)
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

// removed counts, among the best candidates found without the stated rules, those that reach the threshold without
// preferences and fail each of them. A candidate that fails two rules counts for both.
func (rec *Recommender) removed(ctx context.Context, r *Reading, rules, stated []Clause, sc *scratch) ([]Removed, error) {
	open := make([]Clause, 0, len(rules))
	for _, c := range rules {
		if c.Rule == RuleKind || c.Rule == RuleCurrent || c.Rule == RuleOwn {
			open = append(open, c)
		}
	}
	if err := rec.Retriever.Retrieve(ctx, r, open, perWay, &sc.candidates); err != nil {
		return nil, err
	}
	sc.scored = rec.Ranker.Rank(r, nil, &sc.candidates, sc.scored)
	out := make([]Removed, len(stated))
	for i, c := range stated {
		out[i].Rule = c.Rule
		for _, s := range sc.scored {
			if s.Confidence >= rec.Ranker.Threshold && !c.Holds(s.Facets, s.Expires) {
				out[i].Count++
			}
		}
	}
	return out, nil
}

// items fetches and explains the top candidates.
func (rec *Recommender) items(ctx context.Context, x *explainer, top []Scored) ([]Recommendation, error) {
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
	out := make([]Recommendation, 0, len(top))
	for i := range top {
		e, ok := byID[top[i].Listing.ID]
		if !ok {
			continue // deleted since it was retrieved
		}
		shown := *e.Listing
		shown.Text, shown.Works = "", nil
		out = append(out, Recommendation{Rank: len(out) + 1, Listing: &shown, Score: top[i].Score, Confidence: top[i].Confidence, Explanation: x.explain(&top[i], e)})
	}
	return out, nil
}
