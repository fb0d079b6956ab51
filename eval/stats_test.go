package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

// TestRandomizationByHand: of 1, 2, 3 the eight sign vectors give the sums ±6, ±4, ±2 and 0 twice; as far from 0 as 6 are 2
// of 8. Of 1, 2, -3 the sum is 0, which all reach. A pair of equal size: ±2, 0, 0; 2 of 4.
func TestRandomizationByHand(t *testing.T) {
	for _, tc := range []struct {
		d    []float64
		want float64
	}{
		{[]float64{1, 2, 3}, 2.0 / 8}, {[]float64{1, 2, -3}, 1}, {[]float64{1, 1}, 2.0 / 4}, {[]float64{0.1, 0.2, 0, 0.3, 0}, 2.0 / 8}, {[]float64{0, 0}, 1}, {nil, 1},
		// 0.1+0.2 differs from 0.3 in its last bit: |sum| of +0.1 +0.2 -0.3 must still count as 0, like that of its mirror.
		{[]float64{0.1, 0.2, -0.3}, 1}, {[]float64{-1, -2, -3}, 2.0 / 8},
	} {
		if got, exact := Randomization(tc.d, 10, 1); got != tc.want || !exact {
			t.Errorf("%v: %v, exact %v; want %v", tc.d, got, exact, tc.want)
		}
	}
}

// TestRandomizationEstimates: the estimate agrees with trying all sign vectors, here by another way than the Gray code.
func TestRandomizationEstimates(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	d := make([]float64, 21)
	sum := 0.0
	for i := range d {
		d[i] = rng.NormFloat64() + 0.35
		sum += d[i]
	}
	hits := 0
	for signs := range 1 << len(d) {
		s := 0.0
		for i, v := range d {
			if signs>>i&1 == 1 {
				v = -v
			}
			s += v
		}
		if math.Abs(s) >= math.Abs(sum)-1e-9 {
			hits++
		}
	}
	want := float64(hits) / float64(int(1)<<len(d))
	got, exact := Randomization(d, 200_000, 1)
	if exact || math.Abs(got-want) > 4*math.Sqrt(want*(1-want)/200_000) {
		t.Errorf("%v, exact %v; all sign vectors give %v", got, exact, want)
	}
	if again, _ := Randomization(d, 200_000, 1); again != got {
		t.Errorf("%v the second time, %v the first", again, got)
	}
	exactly, isExact := Randomization(d[:20], 0, 1)
	if !isExact || exactly <= 0 || exactly > 1 {
		t.Errorf("20 differences: %v, exact %v", exactly, isExact)
	}
}

// TestRandomizationIsNever0: that 25 equal differences all get one sign has the chance 2/2^25. No round of 99 sees it, and p is
// (0+1)/(99+1), not 0.
func TestRandomizationIsNever0(t *testing.T) {
	if p, exact := Randomization(slices.Repeat([]float64{0.5}, 25), 99, 1); p != 0.01 || exact {
		t.Errorf("%v, exact %v; want 0.01, estimated", p, exact)
	}
}

func TestRandomizationProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SliceOfN(rapid.Float64Range(-1, 1), 1, 10).Draw(t, "d")
		p, _ := Randomization(d, 0, 1)
		turned := make([]float64, len(d))
		for i, v := range d {
			turned[len(d)-1-i] = -v
		}
		if q, _ := Randomization(turned, 0, 1); p != q || p <= 0 || p > 1 {
			t.Fatalf("p is %v, and %v for the mirror image", p, q)
		}
		// The oracle: whole numbers, whose sums are exact, and every sign vector anew. Zeros may have either sign.
		whole := rapid.SliceOfN(rapid.IntRange(-5, 5), 1, 10).Draw(t, "whole")
		d = nil
		sum, hits := 0, 0
		for _, v := range whole {
			d, sum = append(d, float64(v)/10), sum+v
		}
		for signs := range 1 << len(whole) {
			s := 0
			for i, v := range whole {
				s += v * (1 - 2*(signs>>i&1))
			}
			if max(s, -s) >= max(sum, -sum) {
				hits++
			}
		}
		if p, _ := Randomization(d, 0, 1); p != float64(hits)/float64(int(1)<<len(whole)) {
			t.Fatalf("p is %v, want %d of 2^%d", p, hits, len(whole))
		}
	})
}

// TestBootstrapCovers: of 400 samples, about 95 % of the intervals hold the true mean.
func TestBootstrapCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	held := 0
	for i := range 400 {
		d := make([]float64, 60)
		for k := range d {
			d[k] = rng.ExpFloat64()
		}
		if in := Bootstrap(d, 0.95, 600, uint64(i)); in.Low <= 1 && 1 <= in.High {
			held++
		}
	}
	if held < 355 || held > 395 {
		t.Errorf("%d of 400 intervals hold the mean", held)
	}
	if in := Bootstrap([]float64{0.5, 0.5}, 0.95, 100, 1); in.Low != 0.5 || in.High != 0.5 {
		t.Errorf("of equal values: %v", in)
	}
}

// TestHolm: sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, none less than the one before.
func TestHolm(t *testing.T) {
	got := Holm([]float64{0.04, 0.01, 0.03, 0.02})
	for i, want := range []float64{0.06, 0.04, 0.06, 0.06} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("%v", got)
		}
	}
	if got := Holm([]float64{0.5, 0.9}); got[0] != 1 || got[1] != 1 {
		t.Errorf("%v", got)
	}
}

// TestEffectSize: 1, 2, 3 have mean 2 and standard deviation 1.
func TestEffectSize(t *testing.T) {
	tenths := make([]float64, 5) // P@10 rises by one listing on each topic: all differ by 0.1, in floating point not quite
	for i := range tenths {
		tenths[i] = float64(i+2)/10 - float64(i+1)/10
	}
	for _, tc := range []struct {
		d    []float64
		want float64
	}{
		{[]float64{1, 2, 3}, 2}, {[]float64{-1, -2, -3}, -2}, {[]float64{1e-9, 2e-9, 3e-9}, 2}, {[]float64{1, -1}, 0},
		{[]float64{1, 1, 1}, 0}, {tenths, 0}, {[]float64{1}, 0}, {nil, 0},
	} {
		if got := EffectSize(tc.d); math.Abs(got-tc.want) > 1e-12 {
			t.Errorf("%v: %v, want %v", tc.d, got, tc.want)
		}
	}
}

// TestTopicsNeeded: for power 0.8 and alpha 0.05 the tables of the paired t test (Cohen 1988; G*Power) say 199 pairs for an
// effect of 0.2, 34 for 0.5, 15 for 0.8. For 2: of 4 pairs, t has 3 degrees of freedom, (3.182+0.978)²/2² = 4.33, too few; of 5,
// (2.776+0.941)²/2² = 3.45.
func TestTopicsNeeded(t *testing.T) {
	for _, tc := range []struct {
		sd, difference float64
		want           int
	}{
		{1, 0.2, 199}, {1, 0.5, 34}, {1, -0.5, 34}, {0.2, 0.1, 34}, {1, 0.8, 15}, {1, 2, 5}, {1, 100, 2}, {1, 1e-9, maxNeeded}, {math.Inf(1), 1, maxNeeded},
		{1, 0, 0}, {0, 1, 0}, {1e-17, 1, 0}, {math.NaN(), 1, 0}, {1, math.NaN(), 0},
	} {
		if got := TopicsNeeded(tc.sd, tc.difference, 0.05, 0.8); got != tc.want {
			t.Errorf("deviation %v, difference %v: %d topics, want %d", tc.sd, tc.difference, got, tc.want)
		}
	}
}

// TestTopicsNeededReachPower: t tests on simulated differences find the effect four times in five on so many topics, and less
// often on one fewer. The formula takes the central t distribution, hence the 2 points to spare.
func TestTopicsNeededReachPower(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	found := func(effect float64, n int) float64 {
		critical := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}.Quantile(0.975)
		const times = 20_000
		hits, d := 0, make([]float64, n)
		for range times {
			for i := range d {
				d[i] = effect + rng.NormFloat64()
			}
			if math.Abs(EffectSize(d))*math.Sqrt(float64(n)) > critical {
				hits++
			}
		}
		return float64(hits) / times
	}
	for _, effect := range []float64{0.8, 1, 1.5, 2, 2.5} {
		n := TopicsNeeded(1, effect, 0.05, 0.8)
		if on, fewer := found(effect, n), found(effect, n-1); on < 0.78 || fewer > 0.82 {
			t.Errorf("effect %v: power %v on %d topics, %v on one fewer", effect, on, n, fewer)
		}
	}
}

// TestExposureByHand: four listings, a and b of group x, c of y, d of none. Topic 1 shows a, c; topic 2 shows c.
// Attention: a 1, c 1/log2(3) + 1. Population: x 2/3, y 1/3. Relevant: a and c, one each.
func TestExposureByHand(t *testing.T) {
	run := Run{"1": {{"a", 2}, {"c", 1}}, "2": {{"c", 1}}}
	e := MeasureExposure(run, 10, map[string][]string{"a": {"x"}, "b": {"x"}, "c": {"y"}, "d": nil}, Qrels{"1": {"a": 1}, "2": {"c": 2, "b": 0}})
	second := 1 / math.Log2(3)
	all := 1 + second + 1
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	if len(e.Groups) != 2 || e.Groups[0].Group != "x" {
		t.Fatalf("%+v", e)
	}
	x, y := e.Groups[0], e.Groups[1]
	near("population of x", x.Population, 2.0/3)
	near("exposure of x", x.Exposure, 1/all)
	near("ratio of x", x.Ratio, (1/all)/(2.0/3))
	near("exposure of y", y.Exposure, (second+1)/all)
	near("merit of y", y.Merit, y.Exposure/0.5)
	near("unknown", e.Unknown, 1.0/4)
	// Prefixes of topic 1: {x} against 2/3, 1/3: ln(3/2); {x, y}: ½ln(½·3/2) + ½ln(½·3); of topic 2: {y}: ln 3.
	first := (math.Log(1.5) + second*(0.5*math.Log(0.75)+0.5*math.Log(1.5))) / (1 + second)
	near("NDKL", e.NDKL, (first+math.Log(3))/2)

	// Of 4 listings two are shown, c twice and a once: sorted 0, 0, 1, 2: Σ(2i-5)x = 1·1 + 3·2 = 7, over 4·3.
	s := MeasureSpread(run, 10, 4)
	near("Gini", s.Gini, 7.0/12)
	near("coverage", s.Coverage, 0.5)
	near("top share", s.TopShare, 2.0/3)
	if want := []Count{{"c", 2}, {"a", 1}}; !slices.Equal(s.Most, want) {
		t.Errorf("%v, want %v", s.Most, want)
	}
}

// TestCalibrationByHand: scores 0.1 (no), 0.3 (yes), 0.8 (yes), 1 (no) in two bins: means 0.2 and 0.9; accepted ½ each: the
// error is (0.3 + 0.4) / 2. c is not judged.
func TestCalibrationByHand(t *testing.T) {
	run := Run{"1": {{"d", 1}, {"c", 0.9}, {"b", 0.3}}, "2": {{"b", 0.8}, {"a", 0.1}}}
	qrels := Qrels{"1": {"d": 0, "b": 1}, "2": {"b": 2, "a": -1}}
	c := Calibrate(run, qrels, 2)
	if c.Judged != 4 || len(c.Bins) != 2 || c.Bins[0].Count != 2 || math.Abs(c.ECE-0.35) > 1e-12 || c.Bins[0].Accepted != 0.5 || c.Bins[1].High != 1 {
		t.Errorf("%+v", c)
	}
	if c := Calibrate(Run{"1": {{"a", 0.5}, {"b", 0.5}, {"c", 0.5}}}, Qrels{"1": {"a": 1, "b": 0, "c": 0}}, 3); len(c.Bins) != 1 || math.Abs(c.ECE-(0.5-1.0/3)) > 1e-12 {
		t.Errorf("equal scores in several bins: %+v", c)
	}
	if Calibrate(Run{"1": {{"a", 17}}}, Qrels{"1": {"a": 1}}, 10) != nil {
		t.Error("calibration of scores that are no probabilities")
	}
	if Calibrate(run, Qrels{}, 10) != nil {
		t.Error("calibration without judgements")
	}
}

// TestPropensities: a logging policy shows listing 0 nine times in ten, of ten listings of which only 9 is accepted by all; the ranking under
// test shows 9. What was earned is about 0.01, what it would earn is 1; IPS is right on average.
func TestPropensities(t *testing.T) {
	propensity := func(i int) float64 {
		if i == 0 {
			return 0.9
		}
		return 0.1 / 9
	}
	shown := func(_, doc string) float64 {
		if doc == "9" {
			return 1
		}
		return 0
	}
	rng := rand.New(rand.NewPCG(5, 5))
	sum, squares, naive, held := 0.0, 0.0, 0.0, 0
	const times = 200
	for n := range times {
		var log []Logged
		for topic := range 600 {
			i := 0
			if rng.Float64() >= 0.9 {
				i = 1 + rng.IntN(9)
			}
			reward := 0.0
			if i == 9 {
				reward = 1
			}
			naive += reward / 600 / times
			log = append(log, Logged{fmt.Sprint(topic), fmt.Sprint(i), propensity(i), reward})
		}
		e := IPS(log, shown, 0, 300, uint64(n))
		sum += e.Value
		squares += e.Value * e.Value
		if e.Interval.Low <= 1 && 1 <= e.Interval.High {
			held++
		}
		if s := SNIPS(log, shown, 0, 50, uint64(n)); s.Value < 0 || s.Value > 1 || s.N != 600 || s.ESS > 600 {
			t.Fatalf("SNIPS %+v", s)
		}
	}
	mean := sum / times
	err := math.Sqrt((squares/times - mean*mean) / times)
	if math.Abs(mean-1) > 3*err || naive > 0.05 || held < 160 {
		t.Errorf("IPS is %v ± %v on average, want 1; earned %v; %d of %d intervals hold 1", mean, err, naive, held, times)
	}
	// By hand: weights 2 and 1/0.1 = 10, clipped to 4; rewards 1 and 0.5: (2·1 + 4·0.5) / 3 over three entries, / 6 by the weights.
	log := []Logged{{"1", "a", 0.5, 1}, {"1", "b", 0.1, 0.5}, {"2", "c", 1, 1}}
	first := func(_, doc string) float64 { return map[string]float64{"a": 1, "b": 1}[doc] }
	ips, snips := IPS(log, first, 4, 10, 1), SNIPS(log, first, 4, 10, 1)
	if math.Abs(ips.Value-4.0/3) > 1e-12 || math.Abs(snips.Value-4.0/6) > 1e-12 || math.Abs(ips.ESS-36.0/20) > 1e-12 {
		t.Errorf("%+v, %+v", ips, snips)
	}
	for _, l := range []Logged{{"", "a", 1, 1}, {"t", "", 1, 1}, {"t", "a", 0, 1}, {"t", "a", math.NaN(), 1}, {"t", "a", 1.5, 1}, {"t", "a", 1, 2}} {
		if l.Check() == nil {
			t.Errorf("%+v is taken", l)
		}
	}
}

// BenchmarkRandomization is 100,000 rounds over 1,000 topics.
func BenchmarkRandomization(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	d := make([]float64, 1000)
	for i := range d {
		d[i] = rng.NormFloat64()
	}
	for b.Loop() {
		Randomization(d, 100_000, 1)
	}
}
