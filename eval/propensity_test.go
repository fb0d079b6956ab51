package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func always1(_, _ string) float64 { return 1 }

// TestEstimatesByTopic: of 40 topics, half earn 1 with each of their 25 entries and half nothing. The mean is ½, and its standard
// error √(¼/40) = 0.079, so the interval is about ±1.96·0.079 = ±0.155; as if the 1,000 entries knew nothing of each other, it
// would be ±0.031.
func TestEstimatesByTopic(t *testing.T) {
	var log []Logged
	for topic := range 40 {
		for i := range 25 {
			log = append(log, Logged{fmt.Sprint(topic), fmt.Sprint(i), 1, float64(topic % 2)})
		}
	}
	for name, of := range map[string]func([]Logged, ShownBy, float64, int, uint64) Estimate{"IPS": IPS, "SNIPS": SNIPS} {
		e := of(log, always1, 0, 4000, 1)
		if math.Abs(e.Value-0.5) > 1e-12 || math.Abs(e.Interval.Low-(0.5-0.155)) > 0.03 || math.Abs(e.Interval.High-(0.5+0.155)) > 0.03 || e.N != 1000 || math.Abs(e.ESS-1000) > 1e-9 {
			t.Errorf("%s %+v, want 0.5 ± 0.155 of 1000", name, e)
		}
		if again := of(log, always1, 0, 4000, 1); again != e {
			t.Errorf("%s %+v the second time, %+v the first", name, again, e)
		}
		if e := of(nil, always1, 0, 100, 1); e != (Estimate{}) {
			t.Errorf("%s of nothing: %+v", name, e)
		}
		nothing := of(log, func(_, _ string) float64 { return 0 }, 0, 100, 1)
		if want := (Estimate{N: 1000}); nothing != want { // no weight, and no NaN either, which JSON cannot hold
			t.Errorf("%s of what is never shown: %+v", name, nothing)
		}
	}
}

// TestEstimatesWithinRewards: SNIPS is a mean of rewards, so it and its interval lie among them; IPS without clipping agrees with
// it where everything had the propensity with which it would be shown.
func TestEstimatesWithinRewards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var log []Logged
		for range rapid.IntRange(1, 20).Draw(t, "entries") {
			log = append(log, Logged{fmt.Sprint(rapid.IntRange(0, 4).Draw(t, "topic")), fmt.Sprint(len(log)), rapid.Float64Range(1e-3, 1).Draw(t, "propensity"), rapid.Float64Range(0, 1).Draw(t, "reward")})
		}
		clip := rapid.SampledFrom([]float64{0, 1, 10}).Draw(t, "clip")
		e := SNIPS(log, always1, clip, 50, 1)
		if e.Value < 0 || e.Value > 1 || e.Interval.Low < 0 || e.Interval.High > 1 || e.Interval.Low > e.Interval.High || e.ESS > float64(len(log))+1e-9 || e.ESS < 1-1e-9 {
			t.Fatalf("%+v", e)
		}
		by := map[string]float64{}
		for _, l := range log {
			by[l.Doc] = l.Propensity
		}
		same := func(_, doc string) float64 { return by[doc] }
		if a, b := IPS(log, same, 0, 50, 1), SNIPS(log, same, 0, 50, 1); math.Abs(a.Value-b.Value) > 1e-9 {
			t.Fatalf("of the policy that was logged: IPS %v, SNIPS %v", a.Value, b.Value)
		}
	})
}

// TestClippingIsBiased: clipping only takes weight away, so IPS falls with it: from 1, which is right, to clip/10 for what was
// shown one time in ten.
func TestClippingIsBiased(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	var log []Logged
	for i := range 20_000 {
		l := Logged{fmt.Sprint(i), "often", 0.9, 0}
		if rng.Float64() < 0.1 {
			l.Doc, l.Propensity, l.Reward = "seldom", 0.1, 1
		}
		log = append(log, l)
	}
	seldom := func(_, doc string) float64 { return float64(strings.Count(doc, "seldom")) }
	// The standard error is 10·√(0.1·0.9/20000) = 0.021 without clipping, in proportion with it.
	for clip, want := range map[float64]float64{0: 1, 100: 1, 5: 0.5, 1: 0.1} {
		if got := IPS(log, seldom, clip, 1, 1).Value; math.Abs(got-want) > 4*0.021*want {
			t.Errorf("clipped at %v: %v, want about %v", clip, got, want)
		}
	}
}
