package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// scored is a run of one topic with these scores; accepted says which are.
func scored(scores []float64, accepted func(i int) bool) (Run, Qrels) {
	run, qrels := Run{}, Qrels{"1": {}}
	for i, s := range scores {
		id := fmt.Sprint(i)
		run["1"] = append(run["1"], Ranked{id, s})
		qrels["1"][id] = 0
		if accepted(i) {
			qrels["1"][id] = 1
		}
	}
	return run, qrels
}

// TestCalibrationAfterTies: 55 of 100 scores are 0, so they share a bin, and what is left, 45, makes 4.5 bins of ten: 5 of nine.
// Cutting at every tenth pair instead would give bins of one pair each from the 56th to the 60th, wholly accepted or not.
func TestCalibrationAfterTies(t *testing.T) {
	scores := make([]float64, 100)
	for i := 55; i < 100; i++ {
		scores[i] = float64(i) / 100
	}
	run, qrels := scored(scores, func(i int) bool { return i%2 == 0 })
	var got []int
	for _, b := range Calibrate(run, qrels, 10).Bins {
		got = append(got, b.Count)
	}
	if want := []int{55, 9, 9, 9, 9, 9}; !slices.Equal(got, want) {
		t.Errorf("bins of %v, want %v", got, want)
	}
}

// TestCalibrationFewPairs: 15 different scores in 10 bins are five bins of one and five of two; in 20 bins, one each.
func TestCalibrationFewPairs(t *testing.T) {
	scores := make([]float64, 15)
	for i := range scores {
		scores[i] = float64(i) / 15
	}
	run, qrels := scored(scores, func(int) bool { return true })
	for bins, want := range map[int][]int{10: {1, 1, 1, 1, 1, 2, 2, 2, 2, 2}, 20: slices.Repeat([]int{1}, 15)} {
		var got []int
		for _, b := range Calibrate(run, qrels, bins).Bins {
			got = append(got, b.Count)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d bins of %v, want %v", bins, got, want)
		}
	}
}

// TestCalibrationShares: ten tenths are not 1 in floating point, but ten of ten are.
func TestCalibrationShares(t *testing.T) {
	run, qrels := scored(slices.Repeat([]float64{1}, 10), func(int) bool { return true })
	if c := Calibrate(run, qrels, 3); len(c.Bins) != 1 || c.Bins[0].Accepted != 1 {
		t.Errorf("%+v", c)
	}
}

// TestCalibrationOfTrueProbabilities: listings accepted as often as their score says have hardly an error; those accepted as
// often as its square says are off by the mean of s - s², ½ - ⅓ = 1/6.
func TestCalibrationOfTrueProbabilities(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	scores := make([]float64, 20_000)
	for i := range scores {
		scores[i] = rng.Float64()
	}
	for _, tc := range []struct {
		power, want float64
	}{{1, 0}, {2, 1.0 / 6}} {
		run, qrels := scored(scores, func(i int) bool { return rng.Float64() < math.Pow(scores[i], tc.power) })
		if c := Calibrate(run, qrels, 10); math.Abs(c.ECE-tc.want) > 0.02 {
			t.Errorf("power %v: error %v, want %v", tc.power, c.ECE, tc.want)
		}
	}
}

func TestCalibrationProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		different := rapid.IntRange(0, 60).Draw(t, "different scores")
		scores := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, different), func(i int) float64 { return float64(i) / 60 }), 1, 200).Draw(t, "scores")
		scores = append(scores, slices.Repeat([]float64{0}, rapid.IntRange(0, 200).Draw(t, "without a hit"))...)
		bins := rapid.IntRange(1, 25).Draw(t, "bins")
		run, qrels := scored(scores, func(i int) bool { return i%3 == 0 })
		c, n := Calibrate(run, qrels, bins), len(scores)
		sum := 0
		for i, b := range c.Bins {
			sum += b.Count
			inside := 0
			for _, s := range scores {
				if b.Low <= s && s <= b.High {
					inside++
				}
			}
			if inside != b.Count {
				t.Fatalf("bin %d has %d pairs, but %d have such scores: equal scores are split\n%+v", i, b.Count, inside, c)
			}
			if i < len(c.Bins)-1 && b.Count < 3*n/(4*bins) {
				t.Fatalf("bin %d has %d pairs, of %d in %d bins\n%+v", i, b.Count, n, bins, c)
			}
			if b.Accepted < 0 || b.Accepted > 1 || b.Score < b.Low-1e-12 || b.Score > b.High+1e-12 {
				t.Fatalf("bin %d: %+v", i, b)
			}
		}
		if sum != n || c.Judged != n || len(c.Bins) > bins || c.ECE < 0 || c.ECE > 1 {
			t.Fatalf("%d of %d pairs are in bins, of which %d are wanted\n%+v", sum, n, bins, c)
		}
	})
}
