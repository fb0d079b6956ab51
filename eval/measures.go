package eval

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Ranked is one line of a run: a document with its score.
type Ranked struct {
	Doc   string
	Score float64
}

// Order sorts a ranking as trec_eval does: by score, ties by document id descending.
func Order(r []Ranked) {
	slices.SortFunc(r, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(b.Doc, a.Doc))
	})
}

// Measure judges one topic's ranking, which Order has sorted, by its grades: documents without a grade count as not
// relevant, and so do those whose grade is below rel. The result is in [0, 1].
type Measure func(ranking []Ranked, grades map[string]int, rel int) float64

// ParseMeasure returns the measure with an ir_measures name: nDCG@10, R@100, P@5, RR, RR@10, AP, Success@5.
func ParseMeasure(name string) (Measure, error) {
	base, depth, cut := strings.Cut(name, "@")
	k := math.MaxInt
	if cut {
		n, err := strconv.Atoi(depth)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("measure %q: want a depth such as @10", name)
		}
		k = n
	}
	needsCut := false
	var m func([]Ranked, map[string]int, int, int) float64
	switch base {
	case "nDCG":
		m = ndcg
	case "RR":
		m = reciprocalRank
	case "AP":
		m = averagePrecision
	case "R":
		m, needsCut = recall, true
	case "P":
		m, needsCut = precision, true
	case "Success":
		m, needsCut = success, true
	default:
		return nil, fmt.Errorf("measure %q: want nDCG, R, P, RR, AP or Success, such as nDCG@10", name)
	}
	if needsCut && !cut {
		return nil, fmt.Errorf("measure %q: want a depth, such as %s@10", name, base)
	}
	return func(r []Ranked, g map[string]int, rel int) float64 { return m(r, g, rel, k) }, nil
}

func relevant(grades map[string]int, rel int) int {
	n := 0
	for _, g := range grades {
		if g >= rel {
			n++
		}
	}
	return n
}

// hits counts relevant documents among the first k.
func hits(r []Ranked, grades map[string]int, rel, k int) int {
	n := 0
	for _, d := range r[:min(k, len(r))] {
		if g, ok := grades[d.Doc]; ok && g >= rel {
			n++
		}
	}
	return n
}

func precision(r []Ranked, grades map[string]int, rel, k int) float64 {
	return float64(hits(r, grades, rel, k)) / float64(k)
}

func recall(r []Ranked, grades map[string]int, rel, k int) float64 {
	all := relevant(grades, rel)
	if all == 0 {
		return 0
	}
	return float64(hits(r, grades, rel, k)) / float64(all)
}

func success(r []Ranked, grades map[string]int, rel, k int) float64 {
	return min(1, float64(hits(r, grades, rel, k)))
}

func reciprocalRank(r []Ranked, grades map[string]int, rel, k int) float64 {
	for i, d := range r[:min(k, len(r))] {
		if g, ok := grades[d.Doc]; ok && g >= rel {
			return 1 / float64(i+1)
		}
	}
	return 0
}

func averagePrecision(r []Ranked, grades map[string]int, rel, k int) float64 {
	all, found, sum := relevant(grades, rel), 0, 0.0
	if all == 0 {
		return 0
	}
	for i, d := range r[:min(k, len(r))] {
		if g, ok := grades[d.Doc]; ok && g >= rel {
			found++
			sum += float64(found) / float64(i+1)
		}
	}
	return sum / float64(all)
}

// ndcg is normalised discounted cumulative gain with the grade as gain and log2(rank+1) as discount (Järvelin and
// Kekäläinen 2002, as trec_eval's ndcg_cut computes it). It looks at grades themselves: rel does not matter, negative
// grades gain nothing.
func ndcg(r []Ranked, grades map[string]int, _, k int) float64 {
	gain := func(g, i int) float64 { return float64(max(0, g)) / math.Log2(float64(i+2)) }
	got, ideal := 0.0, 0.0
	for i, d := range r[:min(k, len(r))] {
		got += gain(grades[d.Doc], i)
	}
	best := make([]int, 0, len(grades))
	for _, g := range grades {
		best = append(best, g)
	}
	slices.SortFunc(best, func(a, b int) int { return b - a })
	for i, g := range best[:min(k, len(best))] {
		ideal += gain(g, i)
	}
	if ideal == 0 {
		return 0
	}
	return got / ideal
}
