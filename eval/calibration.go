package eval

import (
	"cmp"
	"math"
	"slices"

	"github.com/ketnoi/ketnoi/engine"
)

// Calibration says whether a confidence, or a score where there is none, means what it says: of listings at 0.7, are 7 in 10 accepted?
type Calibration struct {
	ECE    float64 `json:"ece"` // expected calibration error, 0 to 1
	Bins   []Bin   `json:"bins"`
	Judged int     `json:"judged"`
}

// Bin is a part of the judged listings by score: a point of the reliability curve.
type Bin struct {
	Low      float64 `json:"low"` // scores
	High     float64 `json:"high"`
	Score    float64 `json:"score"`    // mean
	Accepted float64 `json:"accepted"` // share with grade 1 or more
	Count    int     `json:"count"`
}

// Calibrate compares scores with acceptance among judged listings, in at most so many bins of about equal size; equal scores
// share a bin, and a bin that they swell leaves the rest to fewer bins, not to smaller ones, whose error would be chance.
// It is nil where nothing that was ranked is judged, and where scores beyond 0 to 1 say that they are no probabilities,
// such as BM25's. Source: Naeini, Cooper and Hauskrecht 2015; with bins of equal size, as Nguyen and O'Connor 2015 take them.
func Calibrate(run Run, qrels Qrels, bins int) *Calibration {
	type pair struct {
		score    float64
		accepted bool
	}
	var pairs []pair
	for topic, ranking := range run {
		for _, d := range ranking {
			if g, judged := qrels[topic][d.Doc]; judged {
				pairs = append(pairs, pair{d.Score, g >= 1})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.score, b.score) })
	if len(pairs) == 0 || pairs[0].score < 0 || pairs[len(pairs)-1].score > 1 {
		return nil
	}
	out := &Calibration{Judged: len(pairs)}
	for from := 0; from < len(pairs); {
		left := len(pairs) - from
		more := (2*left*bins + len(pairs)) / (2 * len(pairs)) // bins of full size in what is left, rounded
		more = max(1, min(more, bins-len(out.Bins), left))
		to := from + left/more
		for to < len(pairs) && pairs[to].score == pairs[to-1].score {
			to++
		}
		b := Bin{Low: pairs[from].score, High: pairs[to-1].score, Count: to - from}
		for _, p := range pairs[from:to] {
			b.Score += p.score / float64(b.Count)
			if p.accepted {
				b.Accepted++
			}
		}
		b.Accepted /= float64(b.Count)
		out.ECE += float64(b.Count) / float64(len(pairs)) * math.Abs(b.Score-b.Accepted)
		out.Bins = append(out.Bins, b)
		from = to
	}
	return out
}

// logistic fits the calibration of evidence to what judges accepted by maximum likelihood (Platt 1999, with his counts in place of
// 0 and 1, which keep what no judge contradicts from certainty); Newton's method. It says nothing where one side is missing.
func logistic(evidence []float64, accepted []bool) (c engine.Calibration) {
	yes := 0.0
	for _, a := range accepted {
		if a {
			yes++
		}
	}
	no := float64(len(accepted)) - yes
	if yes == 0 || no == 0 {
		return c
	}
	high, low := (yes+1)/(yes+2), 1/(no+2)
	const rounds, ridge, step = 50, 1e-6, 20.0
	for range rounds {
		var ga, gb, haa, hab, hbb float64
		for i, x := range evidence {
			p := 1 / (1 + math.Exp(-c.A-c.B*x))
			d, w := low-p, p*(1-p)
			if accepted[i] {
				d = high - p
			}
			ga, gb = ga+d, gb+d*x
			haa, hab, hbb = haa+w, hab+w*x, hbb+w*x*x
		}
		haa, hbb = haa+ridge, hbb+ridge
		det := haa*hbb - hab*hab
		c.A += max(-step, min(step, (hbb*ga-hab*gb)/det))
		c.B += max(-step, min(step, (haa*gb-hab*ga)/det))
	}
	if math.IsNaN(c.A) || math.IsNaN(c.B) || c.B <= 0 { // more evidence that makes a match less likely is none
		return engine.Calibration{}
	}
	return c
}
