package eval

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is where a figure lies with the confidence that was asked for.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// exactUpTo is the most differences for which all sign vectors are tried: 2^20 take some milliseconds.
const exactUpTo = 20

// Randomization is the two-sided paired randomization test on the topics' differences (Fisher 1935; for rankings Smucker,
// Allan and Carterette 2007): how often chance, which gives each difference either sign, makes a mean as far from 0. It is
// exact for up to 20 differences that are not 0, else estimated in so many rounds as (hits+1)/(rounds+1). p is in (0, 1].
func Randomization(d []float64, rounds int, seed uint64) (p float64, exact bool) {
	d = slices.DeleteFunc(slices.Clone(d), func(v float64) bool { return v == 0 })
	if len(d) == 0 {
		return 1, true
	}
	sum, size := 0.0, 0.0
	for _, v := range d {
		sum += v
		size += math.Abs(v)
	}
	least := math.Abs(sum) - 1e-9*size // sums in another order differ in their last bits
	if len(d) <= exactUpTo {
		// By the Gray code, each sign vector differs from the one before in one sign.
		hits, all := 0, 1<<len(d)
		for i := range all {
			if i > 0 {
				k := bits.TrailingZeros(uint(i))
				sum -= 2 * d[k]
				d[k] = -d[k]
			}
			if math.Abs(sum) >= least {
				hits++
			}
		}
		return float64(hits) / float64(all), true
	}
	rng, hits := rand.New(rand.NewPCG(seed, uint64(len(d)))), 0
	for range rounds {
		sum := 0.0
		for i := 0; i < len(d); i += 64 {
			signs := rng.Uint64()
			for _, v := range d[i:min(i+64, len(d))] {
				// The lowest bit becomes the sign, without a branch that is guessed wrong half of the time.
				sum += math.Float64frombits(math.Float64bits(v) ^ signs<<63)
				signs >>= 1
			}
		}
		if math.Abs(sum) >= least {
			hits++
		}
	}
	return float64(hits+1) / float64(rounds+1), false
}

// Bootstrap is the percentile interval of the mean (Efron 1979) at a level such as 0.95, drawing topics with replacement.
func Bootstrap(d []float64, level float64, rounds int, seed uint64) Interval {
	return resample(len(d), level, rounds, seed, func(picked []int) float64 {
		sum := 0.0
		for _, i := range picked {
			sum += d[i]
		}
		return sum / float64(len(picked))
	})
}

// resample is the percentile interval of a figure of n units, drawn with replacement.
func resample(n int, level float64, rounds int, seed uint64, of func(picked []int) float64) Interval {
	if n == 0 || rounds < 1 {
		return Interval{}
	}
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	picked, values := make([]int, n), make([]float64, rounds)
	for r := range values {
		for i := range picked {
			picked[i] = rng.IntN(n)
		}
		values[r] = of(picked)
	}
	slices.Sort(values)
	tail := (1 - level) / 2
	return Interval{stat.Quantile(tail, stat.Empirical, values, nil), stat.Quantile(1-tail, stat.Empirical, values, nil)}
}

// Holm corrects p values for as many comparisons as there are, in their order (Holm 1979).
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return a - b
	})
	out, least := make([]float64, len(p)), 0.0
	for rank, i := range order {
		least = max(least, min(1, p[i]*float64(len(p)-rank)))
		out[i] = least
	}
	return out
}

// EffectSize is Cohen's d for pairs, d_z: the mean difference in standard deviations (n-1) of the differences (Cohen 1988). It
// has no unit. It is 0 for fewer than two differences and where they vary by nothing but rounding (a deviation under 1e-12),
// whatever their mean: there is no measure then, and JSON has no infinity.
func EffectSize(d []float64) float64 {
	if len(d) < 2 {
		return 0
	}
	mean, sd := stat.MeanStdDev(d, nil)
	if sd < tiny { // 0.4-0.3 and 0.3-0.2 differ in their last bits
		return 0
	}
	return mean / sd
}

// maxNeeded is where counting topics ends: nobody judges more.
const maxNeeded = 1_000_000

// TopicsNeeded is the least number of topics n on which a paired t test at alpha (two-sided) finds a true difference with the
// given power, when differences vary by sd: n is at least ((t(1-alpha/2) + t(power)) * sd / difference)², with quantiles of the
// t distribution of n-1 degrees of freedom instead of the normal ones (Cohen 1988). alpha is in (0, 1), power in [0.5, 1). It is
// at least 2 and at most a million, and 0 where it cannot be said: no difference, or differences that do not vary.
func TopicsNeeded(sd, difference, alpha, power float64) int {
	if !(math.Abs(difference) > 0) || !(sd >= tiny) { // so that NaN is caught too
		return 0
	}
	// Putting n into the formula and its result in again, until it stays, may go round for ever: for an effect of 2, from 3 to
	// 8 and back. The bound falls with n, so the least n that meets it can be searched.
	const least = 2
	return least + sort.Search(maxNeeded-least, func(i int) bool {
		n := float64(least + i)
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}
		root := (t.Quantile(1-alpha/2) + t.Quantile(power)) * sd / difference
		return root*root <= n
	})
}
