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

// Judged is one topic's ranking seen through its judgements: what every measure is computed from.
type Judged struct {
	Ranking []int // grade at each rank, Unjudged where there is none
	Ideal   []int // all grades of the topic, best first
}

// Unjudged stands for a document that nobody judged. Measures count it as not relevant.
const Unjudged = math.MinInt

// Judge looks a ranking up, which Order has sorted.
func Judge(ranking []Ranked, grades map[string]int) *Judged {
	j := &Judged{Ranking: make([]int, len(ranking)), Ideal: make([]int, 0, len(grades))}
	for i, d := range ranking {
		g, ok := grades[d.Doc]
		if !ok {
			g = Unjudged
		}
		j.Ranking[i] = g
	}
	for _, g := range grades {
		j.Ideal = append(j.Ideal, g)
	}
	slices.SortFunc(j.Ideal, func(a, b int) int { return cmp.Compare(b, a) })
	return j
}

// relevant counts the topic's documents of grade rel or more.
func (j *Judged) relevant(rel int) int {
	n := 0
	for n < len(j.Ideal) && j.Ideal[n] >= rel {
		n++
	}
	return n
}

// first returns the first k ranks.
func (j *Judged) first(k int) []int { return j.Ranking[:min(k, len(j.Ranking))] }

// Measure judges one topic's ranking. Its Name is written as ir_measures does: nDCG@10, P(rel=2)@5, RBP(p=0.8).
type Measure struct {
	Name string
	Of   func(*Judged) float64 // in [0, 1]
}

// args are a measure's parameters: rank cutoff, least relevant grade, persistence.
type args struct {
	k, rel int
	p      float64
}

// family is a measure before its parameters are known.
type family struct {
	name   string
	of     func(*Judged, args) float64
	cutoff need
	params string // which it takes
}

type need int

const (
	never need = iota
	maybe
	always
)

// families, in the order help lists them.
var families = []family{
	{"nDCG", ndcg, maybe, ""}, {"R", recall, always, "rel"}, {"P", precision, always, "rel"}, {"RR", reciprocalRank, maybe, "rel"}, {"AP", averagePrecision, maybe, "rel"},
	{"Success", success, always, "rel"}, {"Judged", judgedShare, always, ""}, {"bpref", bpref, never, "rel"}, {"RBP", rankBiasedPrecision, maybe, "rel,p"},
}

// otherNames are what people from elsewhere call them.
var otherNames = map[string]string{"map": "AP", "mrr": "RR", "recip_rank": "RR", "ndcg": "nDCG", "ndcg_cut": "nDCG", "precision": "P", "recall": "R", "hit": "Success", "hits": "Success", "bpref": "bpref", "rbp": "RBP"}

// ParseMeasure returns the measure with an ir_measures name: nDCG@10, R@100, P(rel=2)@5, RR, AP, Success@5, Judged@10, bpref,
// RBP(p=0.8).
func ParseMeasure(name string) (Measure, error) {
	name = strings.TrimSpace(name)
	f, a, err := parseMeasure(name)
	if err != nil {
		return Measure{}, fmt.Errorf("measure %q: %w", name, err)
	}
	return Measure{name, func(j *Judged) float64 { return f.of(j, a) }}, nil
}

func parseMeasure(name string) (f family, a args, err error) {
	bad := func(format string, values ...any) (family, args, error) {
		return family{}, args{}, fmt.Errorf(format, values...)
	}
	base, depth, cut := strings.Cut(name, "@")
	a = args{k: math.MaxInt, rel: 1, p: 0.8}
	if cut {
		n, err := strconv.Atoi(depth)
		if err != nil || n < 1 {
			return bad("want a depth such as @10")
		}
		a.k = n
	}
	base, params, bracket := strings.Cut(base, "(")
	if bracket && !strings.HasSuffix(params, ")") {
		return bad("the bracket is not closed")
	}
	i := slices.IndexFunc(families, func(f family) bool { return f.name == base || base == "Bpref" && f.name == "bpref" })
	if i < 0 {
		if other := otherNames[strings.ToLower(base)]; other != "" {
			return bad("it is called %s here", other)
		}
		return bad("want nDCG, R, P, RR, AP, Success, Judged, bpref or RBP, such as nDCG@10")
	}
	f = families[i]
	switch {
	case f.cutoff == always && !cut:
		return bad("want a depth, such as %s@10", base)
	case f.cutoff == never && cut:
		return bad("it looks at whole rankings and takes no depth")
	}
	for p := range strings.SplitSeq(strings.TrimSuffix(params, ")"), ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch {
		case key == "" && !bracket:
		case key == "rel" && strings.Contains(f.params, "rel"):
			if a.rel, err = strconv.Atoi(value); err != nil || a.rel < 1 || a.rel > maxGrade {
				return bad("want rel as the least relevant grade, such as rel=2")
			}
		case key == "p" && strings.Contains(f.params, "p"):
			if a.p, err = strconv.ParseFloat(value, 64); err != nil || !(a.p > 0 && a.p < 1) {
				return bad("want p between 0 and 1, such as p=0.8")
			}
		case f.params == "":
			return bad("%s takes no parameters", base)
		default:
			return bad("%q is none of its parameters (%s)", key, f.params)
		}
	}
	return f, a, nil
}

// ParseMeasures is ParseMeasure for a list.
func ParseMeasures(names []string) ([]Measure, error) {
	out := make([]Measure, len(names))
	for i, name := range names {
		var err error
		if out[i], err = ParseMeasure(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func hits(ranks []int, rel int) (n int) {
	for _, g := range ranks {
		if g >= rel {
			n++
		}
	}
	return n
}

// over is a share; of nothing it is 0.
func over(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func precision(j *Judged, a args) float64 { return float64(hits(j.first(a.k), a.rel)) / float64(a.k) }

func recall(j *Judged, a args) float64 {
	return over(float64(hits(j.first(a.k), a.rel)), float64(j.relevant(a.rel)))
}

func success(j *Judged, a args) float64 { return min(1, float64(hits(j.first(a.k), a.rel))) }

func reciprocalRank(j *Judged, a args) float64 {
	if i := slices.IndexFunc(j.first(a.k), func(g int) bool { return g >= a.rel }); i >= 0 {
		return 1 / float64(i+1)
	}
	return 0
}

func averagePrecision(j *Judged, a args) float64 {
	found, sum := 0, 0.0
	for i, g := range j.first(a.k) {
		if g >= a.rel {
			found++
			sum += float64(found) / float64(i+1)
		}
	}
	return over(sum, float64(j.relevant(a.rel)))
}

// ndcg is normalised discounted cumulative gain with the grade as gain and log2(rank+1) as discount (Järvelin and
// Kekäläinen 2002, as trec_eval's ndcg_cut computes it). Negative grades gain nothing.
func ndcg(j *Judged, a args) float64 {
	sum := func(grades []int) (s float64) {
		for i, g := range grades[:min(a.k, len(grades))] {
			if g > 0 {
				s += float64(g) / math.Log2(float64(i+2))
			}
		}
		return s
	}
	return over(sum(j.Ranking), sum(j.Ideal))
}

// judgedShare is the share of what was shown that somebody judged, whatever the grade: where it is low, the other figures say little.
func judgedShare(j *Judged, a args) float64 {
	shown := j.first(a.k)
	n := 0
	for _, g := range shown {
		if g != Unjudged {
			n++
		}
	}
	return over(float64(n), float64(len(shown)))
}

// bpref is the share of preferences between judged documents that the ranking keeps; unjudged ones are passed over (Buckley
// and Voorhees 2004, as trec_eval computes it: negative grades count as unjudged).
func bpref(j *Judged, a args) float64 {
	relevant, others := j.relevant(a.rel), 0
	for _, g := range j.Ideal {
		if g >= 0 && g < a.rel {
			others++
		}
	}
	above, sum := 0, 0.0
	for _, g := range j.Ranking {
		switch {
		case g >= a.rel && above == 0:
			sum++
		case g >= a.rel:
			sum += 1 - float64(min(above, relevant))/float64(min(others, relevant))
		case g >= 0:
			above++
		}
	}
	return over(sum, float64(relevant))
}

// rankBiasedPrecision is what a reader gains who goes on to the next listing with probability p (Moffat and Zobel 2008), with
// gain 1 for a relevant document.
func rankBiasedPrecision(j *Judged, a args) float64 {
	sum, weight := 0.0, 1-a.p
	for _, g := range j.first(a.k) {
		if g >= a.rel {
			sum += weight
		}
		weight *= a.p
	}
	return sum
}
