package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ketnoi/ketnoi/engine"
)

// Fitted is a ranker whose weights were learned from judgements, and what it is worth on topics that it did not learn from.
type Fitted struct {
	Ranker engine.Ranker
	// CrossValidated ranks each topic by weights that were fitted on the other folds' topics only.
	CrossValidated *Result
	// Present is the ranker that the candidates came from, on the same candidates.
	Present *Result
}

// FitOptions say how weights are fitted. Zero values stand for the defaults.
type FitOptions struct {
	Folds  int     // of the cross-validation; 5
	Shrink float64 // how strongly weights are drawn to be alike, which keeps few topics from saying much; 0.005
}

// sample is a topic's candidates.
type sample struct {
	topic      string
	candidates []candidate
	gain       float64 // sum of grades
}

type candidate struct {
	doc    string
	raw    engine.Weights // signals, in [0, 1]
	across bool           // in another language than the topic
	grade  float64
}

// learnable are the signals that topics have: they state no preference.
var learnable = []engine.Signal{engine.SignalMeaning, engine.SignalWords, engine.SignalRecord, engine.SignalConcepts, engine.SignalField, engine.SignalSeeks, engine.SignalRecent, engine.SignalAcross}

// evidence are those of them that show that a candidate answers.
var evidence = slices.DeleteFunc(slices.Clone(learnable), func(s engine.Signal) bool { return !s.Evidence() })

// weightSets are the weights within a language and across.
type weightSets [2]engine.Weights

func (w *weightSets) score(c *candidate) float64 { return w.points(c, learnable) }

// points are those of some signals.
func (w *weightSets) points(c *candidate, of []engine.Signal) (s float64) {
	for _, sig := range of {
		s += w[c.set()][sig] * c.raw[sig]
	}
	return s
}

// set is the place of the candidate's weights in a weightSets.
func (c *candidate) set() int {
	if c.across {
		return 1
	}
	return 0
}

// Fit learns the weights of the signals from judged topics, within a language and across, none below 0, so that a score stays
// the sum of its parts and more of a signal is never worse. It maximises the likelihood of drawing the relevant listings, by grade, from a
// topic's candidates (ListNet's top-one probability, Cao et al. 2007). r yields the candidates; present describes it.
func (e *Experiment) Fit(ctx context.Context, r Ranker, present engine.Ranker, o FitOptions) (*Fitted, error) {
	if o.Folds == 0 {
		o.Folds = 5
	}
	if o.Shrink == 0 {
		o.Shrink = 0.005
	}
	samples, err := e.samples(ctx, r)
	if err != nil {
		return nil, err
	}
	if len(samples) < 2*o.Folds {
		return nil, fmt.Errorf("%d topics with a relevant candidate are too few to learn from in %d folds", len(samples), o.Folds)
	}
	held, now := Run{}, Run{}
	before := &weightSets{present.Within, present.Across}
	for fold := range o.Folds {
		// Topics are dealt out in their order: those that stand together are often alike.
		var others []sample
		for i, s := range samples {
			if i%o.Folds != fold {
				others = append(others, s)
			}
		}
		w := learn(others, o.Shrink)
		for i := fold; i < len(samples); i += o.Folds {
			held[samples[i].topic], now[samples[i].topic] = w.rank(&samples[i]), before.rank(&samples[i])
		}
	}
	w := learn(samples, o.Shrink)
	w.scale()
	out := &Fitted{Ranker: engine.Ranker{Name: "fitted", Within: w[0], Across: w[1]}}
	out.Ranker.Within[engine.SignalPreference], out.Ranker.Across[engine.SignalPreference] = present.Within[engine.SignalPreference], present.Across[engine.SignalPreference]
	w.calibrate(samples, &out.Ranker)
	qrels := Qrels{} // of the topics that were asked
	for _, t := range e.judged() {
		qrels[t.ID] = e.Qrels[t.ID]
	}
	if out.CrossValidated, err = Score("fitted, cross-validated", held, qrels, e.Measures); err != nil {
		return nil, err
	}
	out.Present, err = Score(present.Name, now, qrels, e.Measures)
	return out, err
}

// samples ranks the topics and keeps the candidates' signals of those that have a relevant one.
func (e *Experiment) samples(ctx context.Context, r Ranker) (out []sample, err error) {
	topics := e.judged()
	if len(topics) == 0 {
		return nil, errors.New("no topic has a relevant document: do the ids of topics and judgements fit together?")
	}
	for i, t := range topics {
		l, err := t.subject()
		if err != nil {
			return nil, fmt.Errorf("topic %s: %w", t.ID, err)
		}
		s := sample{topic: t.ID}
		err = r.Rank(ctx, l, engine.Query{Want: e.Want}, func(c *engine.Scored) {
			grade := float64(max(0, e.Qrels[t.ID][c.Listing.ID]))
			s.candidates = append(s.candidates, candidate{c.Listing.ID, c.Raw, c.Listing.Lang != l.Lang, grade})
			s.gain += grade
		})
		if err != nil {
			return nil, fmt.Errorf("topic %s: %w", t.ID, err)
		}
		if s.gain > 0 {
			out = append(out, s)
		}
		if e.Progress != nil {
			e.Progress(i + 1)
		}
	}
	return out, nil
}

func (w *weightSets) rank(s *sample) []Ranked {
	out := make([]Ranked, len(s.candidates))
	for i := range s.candidates {
		out[i] = Ranked{s.candidates[i].doc, w.score(&s.candidates[i])}
	}
	Order(out)
	return out
}

// scale brings the set that weighs more to a sum of 1: the ratio of both was learned, and a score stays in [0, 1].
func (w *weightSets) scale() {
	most := 0.0
	for k := range w {
		sum := 0.0
		for _, sig := range learnable {
			sum += w[k][sig]
		}
		most = max(most, sum)
	}
	for k := range w {
		for _, sig := range learnable {
			w[k][sig] = math.Round(w[k][sig]/most*1000) / 1000 // more digits would claim more than judgements say
		}
	}
}

const (
	reached   = 0.95 // share of answerable topics that a good match must be found for
	lookedAt  = 30   // places of a ranking that a calibration is learned from: judges look no further
	fewJudged = 10   // relevant candidates below which a set is calibrated with the other's
)

// calibrate leads evidence to the likelihood of a match, by set, and finds the threshold: the confidence that the best relevant
// listing reaches on the share reached of the topics.
func (w *weightSets) calibrate(samples []sample, rk *engine.Ranker) {
	var points [2][]float64
	var accepted [2][]bool
	var yes [2]int
	for i := range samples {
		for _, c := range w.first(&samples[i], lookedAt) {
			k := c.set()
			points[k], accepted[k] = append(points[k], w.points(&c, evidence)), append(accepted[k], c.grade > 0)
			if c.grade > 0 {
				yes[k]++
			}
		}
	}
	of := func(k int) engine.Calibration {
		if yes[k] < fewJudged {
			return logistic(slices.Concat(points[0], points[1]), slices.Concat(accepted[0], accepted[1]))
		}
		return logistic(points[k], accepted[k])
	}
	likely := [2]engine.Calibration{of(0), of(1)}
	rk.Likely, rk.LikelyTo = likely[0], likely[1]
	best := make([]float64, len(samples))
	for i := range samples {
		for j := range samples[i].candidates {
			if c := &samples[i].candidates[j]; c.grade > 0 {
				best[i] = max(best[i], likely[c.set()].Confidence(w.points(c, evidence)))
			}
		}
	}
	slices.Sort(best)
	rk.Threshold = best[int(float64(len(best))*(1-reached))]
}

// learn fits in two steps: evidence alone first; then everything, on the candidates that evidence puts first. Learned from all of them,
// circumstances would tell what nobody confuses apart, and outweigh evidence where many listings share them.
func learn(samples []sample, shrink float64) *weightSets {
	return maximise(maximise(samples, shrink, evidence).nearest(samples, lookedAt), shrink, learnable)
}

// nearest keeps the first n candidates of each sample, and the samples that have a relevant one among them.
func (w *weightSets) nearest(samples []sample, n int) (out []sample) {
	for i := range samples {
		s := sample{topic: samples[i].topic, candidates: w.first(&samples[i], n)}
		for _, c := range s.candidates {
			s.gain += c.grade
		}
		if s.gain > 0 {
			out = append(out, s)
		}
	}
	return out
}

// first are the n candidates of a sample that the weights put first, in the order of the sample.
func (w *weightSets) first(s *sample, n int) (out []candidate) {
	places := map[string]bool{}
	for _, r := range w.rank(s)[:min(n, len(s.candidates))] {
		places[r.Doc] = true
	}
	for _, c := range s.candidates {
		if places[c.doc] {
			out = append(out, c)
		}
	}
	return out
}

// maximise learns by Adam (Kingma and Ba 2015) over the weights' logarithms, which keeps them above 0.
func maximise(samples []sample, shrink float64, of []engine.Signal) *weightSets {
	const (
		steps        = 400
		start        = 4.0 // each weight's: scores then tell candidates apart about as much as judges do
		rate         = 0.05
		fast, slow   = 0.9, 0.999
		almostNought = 1e-9
		beside       = 0.1 // of the start, for what is 1 for everybody: it would decide alone
	)
	var logs, first, second, gradient, w weightSets
	for k := range logs {
		for _, sig := range of {
			logs[k][sig] = math.Log(start)
		}
	}
	exponentials := func() {
		for k := range w {
			for _, sig := range of {
				w[k][sig] = math.Exp(logs[k][sig])
			}
		}
		w[0][engine.SignalAcross] = 0
		w[1][engine.SignalAcross] *= beside
	}
	for step := 1; step <= steps; step++ {
		exponentials()
		gradient = weightSets{}
		for i := range samples {
			samples[i].climb(&w, &gradient)
		}
		// A circumstance says the same of a candidate whatever its language: were it to weigh more in one set, that set's
		// candidates would all stand higher.
		for _, sig := range of {
			if !sig.Evidence() && sig != engine.SignalAcross {
				gradient[0][sig] += gradient[1][sig]
				gradient[1][sig] = gradient[0][sig]
			}
		}
		for k := range logs {
			for _, sig := range of {
				g := gradient[k][sig]*w[k][sig]/float64(len(samples)) - shrink*(logs[k][sig]-math.Log(start))
				first[k][sig] = fast*first[k][sig] + (1-fast)*g
				second[k][sig] = slow*second[k][sig] + (1-slow)*g*g
				a, b := first[k][sig]/(1-math.Pow(fast, float64(step))), second[k][sig]/(1-math.Pow(slow, float64(step)))
				logs[k][sig] += rate * a / (math.Sqrt(b) + almostNought)
			}
		}
	}
	exponentials()
	return &w
}

// climb adds the gradient of the sample's log-likelihood.
func (s *sample) climb(w, gradient *weightSets) {
	scores, most := make([]float64, len(s.candidates)), math.Inf(-1)
	for i := range s.candidates {
		scores[i] = w.score(&s.candidates[i])
		most = max(most, scores[i])
	}
	sum := 0.0
	for i := range scores {
		scores[i] = math.Exp(scores[i] - most)
		sum += scores[i]
	}
	for i := range s.candidates {
		c := &s.candidates[i]
		d := c.grade/s.gain - scores[i]/sum
		set := &gradient[c.set()]
		for _, sig := range learnable {
			set[sig] += d * c.raw[sig]
		}
	}
}
