package eval

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Logged is a suggestion that was shown with a known probability, and what became of it.
type Logged struct {
	Topic      string
	Doc        string
	Propensity float64 // with which it was shown, in (0, 1]
	Reward     float64 // 1 accepted, 0 not; between them for half a success
}

// Check says what is wrong with an entry.
func (l *Logged) Check() error {
	switch {
	case l.Topic == "":
		return errors.New("topic: missing")
	case l.Doc == "":
		return errors.New("listing: missing")
	case !(l.Propensity > 0 && l.Propensity <= 1):
		return fmt.Errorf("propensity: %v is no probability of something shown: want above 0, up to 1", l.Propensity)
	case !(l.Reward >= 0 && l.Reward <= 1):
		return fmt.Errorf("reward: %v: want 0 to 1", l.Reward)
	}
	return nil
}

// Estimate is the mean reward that a ranking would earn, told from a log of what another one showed. Its interval says nothing
// where the log has few topics, and has no width where it has one.
type Estimate struct {
	Value    float64  `json:"value"`
	Interval Interval `json:"interval"` // 95 %, by bootstrap over topics
	N        int      `json:"n"`        // entries
	ESS      float64  `json:"ess"`      // effective sample size: as many entries of equal weight would tell as much
}

// ShownBy is the probability with which the ranking under test shows a listing; of a fixed ranking it is 1 for what stands in
// its first places.
type ShownBy = func(topic, doc string) float64

// IPS estimates by inverse propensities (Horvitz and Thompson 1952): unbiased where everything could have been shown, and
// noisy where that was unlikely. A weight is at most clip; 0 clips none.
func IPS(log []Logged, shown ShownBy, clip float64, rounds int, seed uint64) Estimate {
	return estimate(log, shown, clip, rounds, seed, func(reward, _, n float64) float64 { return over(reward, n) })
}

// SNIPS divides by the weights' sum instead of the entries' number (Swaminathan and Joachims 2015): a little biased, much
// steadier, and never outside of the rewards.
func SNIPS(log []Logged, shown ShownBy, clip float64, rounds int, seed uint64) Estimate {
	return estimate(log, shown, clip, rounds, seed, func(reward, weight, _ float64) float64 { return over(reward, weight) })
}

func estimate(log []Logged, shown ShownBy, clip float64, rounds int, seed uint64, of func(reward, weight, n float64) float64) Estimate {
	type sums struct{ reward, weight, n float64 } // of a topic: its entries hang together
	topics := map[string]*sums{}
	weights, squares := 0.0, 0.0
	for _, l := range log {
		w := shown(l.Topic, l.Doc) / l.Propensity
		if clip > 0 {
			w = min(w, clip)
		}
		s := topics[l.Topic]
		if s == nil {
			s = &sums{}
			topics[l.Topic] = s
		}
		s.reward += w * l.Reward
		s.weight += w
		s.n++
		weights += w
		squares += w * w
	}
	var each []*sums
	for _, t := range slices.Sorted(maps.Keys(topics)) {
		each = append(each, topics[t])
	}
	figure := func(picked []int) float64 {
		var all sums
		for _, i := range picked {
			all.reward += each[i].reward
			all.weight += each[i].weight
			all.n += each[i].n
		}
		return of(all.reward, all.weight, all.n)
	}
	every := make([]int, len(each))
	for i := range every {
		every[i] = i
	}
	return Estimate{Value: figure(every), Interval: resample(len(each), 1-alpha, rounds, seed, figure), N: len(log), ESS: over(weights*weights, squares)}
}
