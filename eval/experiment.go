package eval

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/ketnoi/ketnoi/engine"
)

// Ranker ranks listings for a subject; *engine.Recommender is one.
type Ranker interface {
	Rank(ctx context.Context, subject *engine.Listing, q engine.Query) ([]engine.Near, error)
}

// Measures are the figures of a report, in order.
var Measures = []string{"nDCG@10", "RR@10", "P@5", "R@100"}

// Report is what an experiment found. A measure's figure is its mean over the topics; topics without any answer
// count as zero, topics without a relevant document are left out.
type Report struct {
	Measures map[string]float64            `json:"measures"`
	Slices   map[string]Slice              `json:"slices"`
	Topics   map[string]map[string]float64 `json:"topics"`
	Ranker   string                        `json:"ranker"`
	Run      Run                           `json:"-"`
}

// Slice is a part of the judgements with its own figures.
type Slice struct {
	Topics   int                `json:"topics"`
	Judged   int                `json:"judged"` // relevant documents
	Measures map[string]float64 `json:"measures"`
}

// Experiment is a test collection and what to ask of it.
type Experiment struct {
	Topics   []Topic
	Qrels    Qrels
	Want     []engine.Kind
	LangOf   map[string]string // language of each judged document, for the slices; may be nil
	Progress func(done int)    // may be nil
}

// Execute ranks every topic that has judgements and measures the result.
func (e *Experiment) Execute(ctx context.Context, r Ranker, name string) (*Report, error) {
	topics := slices.DeleteFunc(slices.Clone(e.Topics), func(t Topic) bool { return relevant(e.Qrels[t.ID], 1) == 0 })
	if len(topics) == 0 {
		return nil, fmt.Errorf("no topic has a relevant document: do the ids of topics and judgements fit together?")
	}
	run, langs, err := e.rank(ctx, r, topics)
	if err != nil {
		return nil, err
	}
	rep := &Report{Ranker: name, Run: run, Slices: map[string]Slice{}, Topics: map[string]map[string]float64{}}
	all := e.measure(topics, run, func(string, string) bool { return true })
	rep.Measures, rep.Topics = all.Measures, all.perTopic
	if e.LangOf == nil {
		return rep, nil
	}
	for name, keep := range map[string]func(topic, doc string) bool{
		"same-language":  func(t, d string) bool { return e.LangOf[d] == langs[t] },
		"cross-language": func(t, d string) bool { return e.LangOf[d] != langs[t] },
	} {
		if s := e.measure(topics, run, keep); s.Topics > 0 {
			rep.Slices[name] = s.Slice
		}
	}
	return rep, nil
}

// rank asks for every topic, on all cores.
func (e *Experiment) rank(ctx context.Context, r Ranker, topics []Topic) (Run, map[string]string, error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	run, langs := Run{}, map[string]string{}
	var failed error
	work := make(chan Topic)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for t := range work {
				subject, ranked, err := e.ask(ctx, r, t)
				mu.Lock()
				if err != nil {
					failed = cmp.Or(failed, fmt.Errorf("topic %s: %w", t.ID, err))
				} else {
					run[t.ID], langs[t.ID] = ranked, subject.Lang
				}
				if e.Progress != nil {
					e.Progress(len(run))
				}
				mu.Unlock()
			}
		})
	}
	for _, t := range topics {
		work <- t
	}
	close(work)
	wg.Wait()
	return run, langs, failed
}

func (e *Experiment) ask(ctx context.Context, r Ranker, t Topic) (*engine.Listing, []Ranked, error) {
	l := &engine.Listing{ID: t.ID, Kind: engine.Problem, Title: t.Title, Text: cmp.Or(t.Text, t.Title), Lang: t.Lang, Fields: t.Fields, Regions: t.Regions, Languages: t.Languages}
	l.Title = cmp.Or(l.Title, "-")
	if err := l.Normalise(); err != nil {
		return nil, nil, err
	}
	near, err := r.Rank(ctx, l, engine.Query{Want: e.Want})
	out := make([]Ranked, len(near))
	for i, n := range near {
		out[i] = Ranked{n.ID, n.Score}
	}
	Order(out)
	return l, out, err
}

type measured struct {
	Slice
	perTopic map[string]map[string]float64
}

// measure computes the figures over the judgements that keep selects. Relevant documents that it does not select are
// taken out of the rankings, so that they are neither a success nor in the way.
func (e *Experiment) measure(topics []Topic, run Run, keep func(topic, doc string) bool) measured {
	out := measured{Slice: Slice{Measures: map[string]float64{}}, perTopic: map[string]map[string]float64{}}
	for _, t := range topics {
		grades, others := map[string]int{}, map[string]bool{}
		for doc, g := range e.Qrels[t.ID] {
			if keep(t.ID, doc) || g < 1 {
				grades[doc] = g
			} else {
				others[doc] = true
			}
		}
		n := relevant(grades, 1)
		if n == 0 {
			continue
		}
		out.Topics++
		out.Judged += n
		ranking := slices.DeleteFunc(slices.Clone(run[t.ID]), func(d Ranked) bool { return others[d.Doc] })
		out.perTopic[t.ID] = map[string]float64{}
		for _, name := range Measures {
			m, err := ParseMeasure(name)
			if err != nil {
				panic(err) // the list above is ours
			}
			v := m(ranking, grades, 1)
			out.perTopic[t.ID][name] = v
			out.Measures[name] += v
		}
	}
	for name := range out.Measures {
		out.Measures[name] /= float64(out.Topics)
	}
	return out
}
