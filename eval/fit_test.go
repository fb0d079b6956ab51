package eval

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
)

// noisy yields 30 candidates a topic whose relevance follows their words within a language and their concepts across; all
// other signals are noise.
type noisy struct{ qrels Qrels }

func (n noisy) Rank(_ context.Context, subject *engine.Listing, _ engine.Query, yield func(*engine.Scored)) error {
	var seed uint64
	for _, c := range subject.ID {
		seed = seed*31 + uint64(c)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range 30 {
		l := &engine.Listing{ID: fmt.Sprintf("d%02d", i), Lang: []string{"vi", "ko"}[i%2]}
		s := &engine.Scored{Candidate: &engine.Candidate{Stub: engine.NewStub(l)}}
		for sig := range s.Raw {
			s.Raw[sig] = rng.Float64()
		}
		if n.qrels[subject.ID][l.ID] > 0 {
			s.Raw[[]engine.Signal{engine.SignalWords, engine.SignalConcepts}[i%2]] = 0.75 + rng.Float64()/4
		}
		yield(s)
	}
	return nil
}

func learnableCollection(t *testing.T, topics int) *Experiment {
	t.Helper()
	x := &Experiment{Qrels: Qrels{}}
	var err error
	if x.Measures, err = ParseMeasures([]string{"nDCG@10"}); err != nil {
		t.Fatal(err)
	}
	for i := range topics {
		id := fmt.Sprintf("t%03d", i)
		x.Topics = append(x.Topics, Topic{ID: id, Title: "nước thải", Lang: "vi"})
		x.Qrels[id] = map[string]int{fmt.Sprintf("d%02d", i*7%30): 2, fmt.Sprintf("d%02d", (i*7+1)%30): 1, "elsewhere": 0}
	}
	x.Qrels["not asked"] = map[string]int{"d00": 1}
	return x
}

// TestFit: the weights that are learned are those that the judgements follow, and what they are worth is told on topics they
// were not learned from.
func TestFit(t *testing.T) {
	x := learnableCollection(t, 60)
	even := engine.Ranker{Name: "even"}
	for _, sig := range learnable {
		even.Within[sig], even.Across[sig] = 0.2, 0.2
	}
	even.Within[engine.SignalPreference] = 0.1
	got, err := x.Fit(t.Context(), noisy{x.Qrels}, even, FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rk := got.Ranker
	most := 0.0
	for _, set := range []engine.Weights{rk.Within, rk.Across} {
		sum := 0.0
		for _, sig := range learnable {
			if set[sig] < 0 {
				t.Errorf("%s weighs %v", sig, set[sig])
			}
			sum += set[sig]
		}
		most = max(most, sum)
	}
	if most < 0.99 || most > 1.01 || rk.Within[engine.SignalPreference] != 0.1 {
		t.Errorf("the weights add up to %v at most; a preference weighs %v", most, rk.Within[engine.SignalPreference])
	}
	if rk.Within[engine.SignalWords] < 2*rk.Within[engine.SignalConcepts] || rk.Across[engine.SignalConcepts] < 2*rk.Across[engine.SignalWords] {
		t.Errorf("within %v, across %v", rk.Within, rk.Across)
	}
	before, after := got.Present.Measures["nDCG@10"], got.CrossValidated.Measures["nDCG@10"]
	if after < before+0.1 || got.CrossValidated.Counts.Topics != 60 || rk.Threshold <= 0 || rk.Threshold >= 1 {
		t.Errorf("nDCG@10 %v, before %v, on %d topics; threshold %v", after, before, got.CrossValidated.Counts.Topics, rk.Threshold)
	}
	again, err := x.Fit(t.Context(), noisy{x.Qrels}, even, FitOptions{})
	if err != nil || again.Ranker.Spec() != rk.Spec() {
		t.Errorf("the second time %s, %v", again.Ranker.Spec(), err)
	}
	if back, err := engine.ParseRanker(rk.Spec()); err != nil || back.Within != rk.Within || back.Across != rk.Across {
		t.Errorf("%s: %v", rk.Spec(), err)
	}
}

// TestFitOfNoise: where judgements follow nothing, cross-validation promises nothing.
func TestFitOfNoise(t *testing.T) {
	x := learnableCollection(t, 60)
	even := engine.Ranker{Name: "even"}
	for _, sig := range learnable {
		even.Within[sig], even.Across[sig] = 0.2, 0.2
	}
	got, err := x.Fit(t.Context(), noisy{Qrels{}}, even, FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := Compare([]*Result{got.Present, got.CrossValidated}, []string{"nDCG@10"}, Chance{Rounds: 2000, Seed: 1})
	if err != nil || found[0].Changes[0].Verdict == Better {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestFitOfFew(t *testing.T) {
	x := learnableCollection(t, 9)
	if _, err := x.Fit(t.Context(), noisy{x.Qrels}, engine.DefaultRanker(), FitOptions{}); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("nine topics: %v", err)
	}
}
