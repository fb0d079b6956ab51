package eval

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ketnoi/ketnoi/engine"
)

// Ranker ranks listings for a subject, best first; *engine.Recommender is one. It is asked from several goroutines at once.
type Ranker interface {
	Rank(ctx context.Context, subject *engine.Listing, q engine.Query, yield func(*engine.Scored)) error
}

// Defaults are the measures of a report, in order.
var Defaults = []string{"nDCG@10", "RR@10", "P@5", "R@100", "AP", "Success@1", "Judged@10", "bpref", "RBP(p=0.8)"}

// Experiment is a test collection and what to ask of it.
type Experiment struct {
	Topics   []Topic
	Qrels    Qrels
	Want     []engine.Kind
	Measures []Measure
	Facts    Facts          // of the listings that can be shown; nil where they are unknown
	Journal  *Journal       // keeps each topic's ranking, so that an experiment can go on where it was stopped; may be nil
	Progress func(done int) // may be nil
}

// Facts are what slices and fairness need to know of the listings of a store, by id.
type Facts map[string]Fact

// Fact is what is known of a listing.
type Fact struct {
	Kind    engine.Kind
	Title   string
	Lang    string
	Regions []string // of a country each
	Size    string   // of the organisation, where the source says it
	Gender  string   // as the person states it, where it is stated
}

// answer is one topic's ranking on its way to a Result.
type answer struct {
	Topic  string   `json:"topic"`
	Lang   string   `json:"lang"`
	Ranked []Ranked `json:"ranked"`
	Likely []Ranked `json:"likely,omitempty"` // by confidence, of a calibrated ranker
	Shown  []Shown  `json:"shown"`
	Took   float64  `json:"took_ms"`
}

const (
	shownDepth = 10   // places that people look at: shown, and counted for exposure
	bins       = 10   // of the reliability curve
	maxRanked  = 1000 // of a topic; what comes later no measure of ours tells apart
)

// Topics with a relevant document are what measures are means over.
func (e *Experiment) judged() []Topic {
	return slices.DeleteFunc(slices.Clone(e.Topics), func(t Topic) bool { return !hasRelevant(e.Qrels[t.ID]) })
}

func hasRelevant(grades map[string]int) bool {
	for _, g := range grades {
		if g >= 1 {
			return true
		}
	}
	return false
}

// Digest tells the judgements of one collection from another's.
func (q Qrels) Digest() string {
	h := sha256.New()
	_ = WriteQrels(h, q) // a hash takes all
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Digest tells an experiment from another: its topics, kinds and judgements.
func (e *Experiment) Digest() string {
	h := sha256.New()
	for _, t := range e.Topics {
		fmt.Fprintf(h, "%q %q %q %q %q %q %q %q\n", t.ID, t.Title, t.Text, t.Lang, t.Fields, t.Regions, t.Languages, t.Published+" "+t.Expires+" "+t.Close)
		if t.Seeks != nil {
			fmt.Fprintf(h, "%q\n", *t.Seeks)
		}
	}
	fmt.Fprintf(h, "%q %s\n", e.Want, e.Qrels.Digest())
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Score measures a run that was made elsewhere: over all topics that have a relevant document.
func Score(name string, run Run, qrels Qrels, measures []Measure) (*Result, error) {
	var ids []string
	for topic, grades := range qrels {
		if hasRelevant(grades) {
			ids = append(ids, topic)
		}
	}
	slices.Sort(ids)
	res := &Result{Name: name, Run: run, Collection: qrels.Digest(), Slices: map[string]Slice{}}
	if !slices.ContainsFunc(ids, func(id string) bool { return len(run[id]) > 0 }) {
		return nil, errors.New("the run ranks nothing for any topic with a relevant document: do the ids of topics fit together?")
	}
	res.measure(ids, qrels, measures)
	res.Calibration = Calibrate(run, qrels, bins)
	return res, nil
}

// Execute ranks every topic that has judgements and measures the result. Of res it reads the description of what is measured
// (Name, Ranker, …) and fills the rest. threshold is the least confidence of a good match.
func (e *Experiment) Execute(ctx context.Context, r Ranker, threshold float64, res *Result) error {
	topics := e.judged()
	if len(topics) == 0 {
		return errors.New("no topic has a relevant document: do the ids of topics and judgements fit together?")
	}
	answers, err := e.rank(ctx, r, topics)
	if err != nil {
		return err
	}
	res.Collection, res.Want, res.Run = e.Qrels.Digest(), e.Want, Run{}
	ids := make([]string, len(topics))
	langs := map[string]string{}
	took := make([]float64, 0, len(topics))
	res.Details = map[string]Detail{}
	likely := Run{}
	for i, t := range topics {
		a := &answers[i]
		ids[i] = t.ID
		if len(a.Ranked) > 0 {
			res.Run[t.ID] = a.Ranked
		}
		langs[t.ID] = a.Lang
		took = append(took, a.Took)
		if !slices.ContainsFunc(a.Likely, func(r Ranked) bool { return r.Score >= threshold }) && (threshold > 0 || len(a.Ranked) == 0) {
			res.Counts.NoMatch++
		}
		if len(a.Likely) > 0 {
			likely[t.ID] = a.Likely
		}
		res.Details[t.ID] = e.detail(t, a)
	}
	res.measure(ids, e.Qrels, e.Measures)
	e.slice(topics, ids, langs, res)
	e.fairness(res)
	if len(likely) > 0 {
		res.Calibration = Calibrate(likely, e.Qrels, bins)
	}
	slices.Sort(took)
	res.Latency = &Latency{Median: took[len(took)/2], P95: took[(len(took)*95-1)/100]}
	return nil
}

// Rank ranks every topic, judged or not, and measures nothing.
func (e *Experiment) Rank(ctx context.Context, r Ranker) (Run, error) {
	answers, err := e.rank(ctx, r, e.Topics)
	if err != nil {
		return nil, err
	}
	run := Run{}
	for i, t := range e.Topics {
		run[t.ID] = answers[i].Ranked
	}
	return run, nil
}

// rank asks for every topic, on all cores, those left out that the journal knows.
func (e *Experiment) rank(ctx context.Context, r Ranker, topics []Topic) ([]answer, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers, done := make([]answer, len(topics)), 0
	work := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range work {
				a, known := e.Journal.known(topics[i].ID)
				var err error
				if !known {
					a, err = e.ask(ctx, r, topics[i])
				}
				if err == nil && !known {
					err = e.Journal.keep(&a)
				}
				mu.Lock()
				if answers[i] = a; err != nil {
					stop(fmt.Errorf("topic %s: %w", topics[i].ID, err))
				}
				if done++; e.Progress != nil {
					e.Progress(done)
				}
				mu.Unlock()
			}
		})
	}
	for i := range topics {
		if ctx.Err() != nil {
			break
		}
		work <- i
	}
	close(work)
	wg.Wait()
	return answers, context.Cause(ctx)
}

// subject is the listing that asks for a topic.
func (t *Topic) subject() (*engine.Listing, error) {
	if t.Listing != nil {
		return t.Listing, nil
	}
	seeks := t.Seeks.Clone() // Normalise writes into it, and a topic is asked by several at once
	l := &engine.Listing{ID: t.ID, Kind: engine.Problem, Title: t.Title, Text: cmp.Or(t.Text, t.Title), Lang: t.Lang, Fields: t.Fields, Regions: t.Regions, Languages: t.Languages, Seeks: seeks, PublishedAt: t.Published, ExpiresAt: cmp.Or(t.Expires, t.Close)}
	l.Title = cmp.Or(l.Title, "-")
	if day, err := time.Parse("January 2, 2006", l.ExpiresAt); err == nil {
		l.ExpiresAt = day.Format(time.DateOnly)
	}
	return l, l.Normalise()
}

func (e *Experiment) ask(ctx context.Context, r Ranker, t Topic) (answer, error) {
	l, err := t.subject()
	if err != nil {
		return answer{}, err
	}
	a := answer{Topic: t.ID, Lang: l.Lang}
	grades := e.Qrels[t.ID]
	start := time.Now()
	err = r.Rank(ctx, l, engine.Query{Want: e.Want}, func(s *engine.Scored) {
		if len(a.Ranked) == maxRanked {
			return
		}
		a.Ranked = append(a.Ranked, Ranked{s.Listing.ID, s.Score})
		if s.Confidence > 0 {
			a.Likely = append(a.Likely, Ranked{s.Listing.ID, s.Confidence})
		}
		g, judged := grades[s.Listing.ID]
		if len(a.Ranked) <= shownDepth || judged && g >= 1 {
			a.Shown = append(a.Shown, shown(s, len(a.Ranked), g, judged))
		}
	})
	a.Took = time.Since(start).Seconds() * 1e3
	Order(a.Ranked) // ties as trec_eval sees them
	for i := range a.Shown {
		s := &a.Shown[i]
		s.Rank = 1 + slices.IndexFunc(a.Ranked, func(r Ranked) bool { return r.Doc == s.ID })
	}
	slices.SortFunc(a.Shown, func(x, y Shown) int { return cmp.Compare(x.Rank, y.Rank) })
	return a, err
}

func shown(s *engine.Scored, rank, grade int, judged bool) Shown {
	out := Shown{Rank: rank, ID: s.Listing.ID, Title: s.Listing.Title, Lang: s.Listing.Lang, Score: s.Score, Parts: map[string]float64{}}
	if judged {
		out.Grade = &grade
	}
	for _, p := range s.Parts() {
		out.Parts[p.Signal] = p.Points
	}
	return out
}

// detail is a topic for people: what was shown, and which relevant listings were not.
func (e *Experiment) detail(t Topic, a *answer) Detail {
	d := Detail{Title: strings.TrimSpace(t.Title), Lang: a.Lang, Ranked: []Shown{}, Missed: []Shown{}}
	found := map[string]bool{}
	for _, s := range a.Shown {
		found[s.ID] = true
		if s.Rank <= shownDepth {
			d.Ranked = append(d.Ranked, s)
		} else {
			d.Missed = append(d.Missed, s)
		}
	}
	grades := e.Qrels[t.ID]
	for _, doc := range slices.Sorted(maps.Keys(grades)) {
		if g := grades[doc]; g >= 1 && !found[doc] {
			d.Missed = append(d.Missed, Shown{ID: doc, Title: e.Facts[doc].Title, Lang: e.Facts[doc].Lang, Grade: &g})
		}
	}
	return d
}
