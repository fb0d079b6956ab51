package eval

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Comparison is how B differs from A on the topics that both ranked.
type Comparison struct {
	A       string       `json:"a"`
	B       string       `json:"b"`
	Topics  int          `json:"topics"`
	Changes []Change     `json:"changes"` // by measure, in the order asked for
	Slices  []SliceShift `json:"slices"`  // of the first measure
	Moved   []TopicShift `json:"moved"`   // topics by the first measure's difference, the greatest loss first
}

// Change is one measure's difference, B minus A, over topics.
type Change struct {
	Measure    string   `json:"measure"`
	A          float64  `json:"a"`
	B          float64  `json:"b"`
	Difference float64  `json:"difference"`
	Interval   Interval `json:"interval"` // 95 %, by bootstrap over topics
	P          float64  `json:"p"`        // two-sided paired randomization test
	Exact      bool     `json:"exact"`    // of P: all sign vectors were tried
	Holm       float64  `json:"holm"`     // P, corrected for as many comparisons as were made
	Effect     float64  `json:"effect"`   // difference in standard deviations of the differences
	Better     int      `json:"better"`   // topics
	Worse      int      `json:"worse"`
	Equal      int      `json:"equal"`
	Needed     int      `json:"needed"` // topics to see such a difference four times in five; 0 where there is none
	Verdict    Verdict  `json:"verdict"`
}

// Verdict says in a word what a difference is worth.
type Verdict string

// Verdicts.
const (
	Better Verdict = "better"
	Worse  Verdict = "worse"
	Noise  Verdict = "within noise"
	Same   Verdict = "the same"
)

// SliceShift is a slice's difference, for orientation: slices are many and small, so none is tested.
type SliceShift struct {
	Slice      string  `json:"slice"`
	Topics     int     `json:"topics"`
	A          float64 `json:"a"`
	B          float64 `json:"b"`
	Difference float64 `json:"difference"`
}

// TopicShift is a topic's difference.
type TopicShift struct {
	Topic      string  `json:"topic"`
	Title      string  `json:"title,omitzero"`
	A          float64 `json:"a"`
	B          float64 `json:"b"`
	Difference float64 `json:"difference"`
}

// Chance is how much of it a comparison spends: rounds of the randomization test and the bootstrap, and their seed.
type Chance struct {
	Rounds int
	Seed   uint64
}

// alpha is the corrected p under which a difference is called one, power the chance to see it that Needed counts on.
const (
	alpha = 0.05
	power = 0.8
)

// Compare compares results of one collection with the first of them, measure by measure. All comparisons together are
// corrected by Holm's method.
func Compare(results []*Result, measures []string, chance Chance) ([]*Comparison, error) {
	if len(results) < 2 || len(measures) == 0 {
		return nil, errors.New("a comparison wants two results and a measure")
	}
	a := results[0]
	var out []*Comparison
	for _, b := range results[1:] {
		c, err := compare(a, b, measures, chance)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	var ps []float64
	for _, c := range out {
		for _, ch := range c.Changes {
			ps = append(ps, ch.P)
		}
	}
	ps = Holm(ps)
	for _, c := range out {
		for i := range c.Changes {
			c.Changes[i].judge(ps[0])
			ps = ps[1:]
		}
	}
	return out, nil
}

func compare(a, b *Result, measures []string, chance Chance) (*Comparison, error) {
	if a.Collection != b.Collection {
		return nil, fmt.Errorf("%s and %s were measured on different topics or judgements: run both on one collection", a.Name, b.Name)
	}
	topics := slices.DeleteFunc(slices.Sorted(maps.Keys(a.Topics)), func(t string) bool { return b.Topics[t] == nil })
	if len(topics) == 0 {
		return nil, fmt.Errorf("%s and %s have no topic in common", a.Name, b.Name)
	}
	c := &Comparison{A: a.Name, B: b.Name, Topics: len(topics), Slices: []SliceShift{}, Moved: []TopicShift{}}
	for i, m := range measures {
		d := make([]float64, len(topics))
		ch := Change{Measure: m}
		for k, t := range topics {
			va, ina := a.Topics[t][m]
			vb, inb := b.Topics[t][m]
			if !ina || !inb {
				return nil, fmt.Errorf("%s is not in both results: name it with --measures when they are made", m)
			}
			d[k] = vb - va
			ch.A += va / float64(len(topics))
			ch.B += vb / float64(len(topics))
			switch {
			case d[k] > tiny:
				ch.Better++
			case d[k] < -tiny:
				ch.Worse++
			default:
				d[k] = 0 // two ways of computing one figure may differ in the last bit
				ch.Equal++
			}
			if i == 0 {
				c.Moved = append(c.Moved, TopicShift{t, a.Details[t].Title, va, vb, d[k]})
			}
		}
		ch.Difference = ch.B - ch.A
		ch.P, ch.Exact = Randomization(d, chance.Rounds, chance.Seed)
		ch.Interval = Bootstrap(d, 1-alpha, min(chance.Rounds, 10_000), chance.Seed)
		ch.Effect = EffectSize(d)
		ch.Needed = TopicsNeeded(deviation(d), ch.Difference, alpha, power)
		c.Changes = append(c.Changes, ch)
	}
	slices.SortStableFunc(c.Moved, func(x, y TopicShift) int {
		switch {
		case x.Difference < y.Difference:
			return -1
		case x.Difference > y.Difference:
			return 1
		}
		return 0
	})
	for _, name := range SliceNames([]*Result{a, b}) {
		sa, ina := a.Slices[name]
		sb, inb := b.Slices[name]
		if ina && inb {
			va, vb := sa.Measures[measures[0]], sb.Measures[measures[0]]
			c.Slices = append(c.Slices, SliceShift{name, sa.Topics, va, vb, vb - va})
		}
	}
	return c, nil
}

// tiny is under what no two different values of a measure differ.
const tiny = 1e-12

// judge gives the verdict under a corrected p.
func (c *Change) judge(holm float64) {
	c.Holm = holm
	switch {
	case c.Better+c.Worse == 0:
		c.Verdict = Same
	case holm >= alpha:
		c.Verdict = Noise
	case c.Difference > 0:
		c.Verdict = Better
	default:
		c.Verdict = Worse
	}
}

// deviation is the standard deviation of a sample.
func deviation(d []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, v := range d {
		mean += v / float64(len(d))
	}
	for _, v := range d {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(over(sum, float64(len(d)-1)))
}
