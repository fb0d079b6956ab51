package eval

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Pooled is a pair to be judged. By says who proposed it, and is kept away from whoever judges.
type Pooled struct {
	Topic string   `json:"topic"`
	Doc   string   `json:"listing"`
	By    []string `json:"by"`
}

// PoolOptions say how deep each run is drawn from, how many random candidates join it, and by which seed.
type PoolOptions struct {
	Depth  int
	Random int
	Seed   uint64
}

// RandomName is what proposed the random candidates.
const RandomName = "random"

// NamedRun is a run and what it is called.
type NamedRun struct {
	Name string
	Run  Run
}

// Pool draws what is to be judged: the first of each run, so that none is favoured, and random candidates, which tell how
// much all runs miss. Within a topic the order is random too: it says nothing about who proposed what. What qrels has judged
// already is left out. candidates are all that could be shown.
func Pool(runs []NamedRun, topics []Topic, candidates []string, judged Qrels, o PoolOptions) []Pooled {
	var out []Pooled
	candidates = slices.Sorted(slices.Values(candidates))
	for n, t := range topics {
		rng := rand.New(rand.NewPCG(o.Seed, uint64(n))) // a topic's draw does not hang on the others'
		by := map[string][]string{}
		for _, r := range runs {
			ranking := r.Run[t.ID]
			for _, d := range ranking[:min(o.Depth, len(ranking))] {
				by[d.Doc] = append(by[d.Doc], r.Name)
			}
		}
		for _, i := range rng.Perm(len(candidates))[:min(o.Random, len(candidates))] {
			if doc := candidates[i]; doc != t.ID {
				by[doc] = append(by[doc], RandomName)
			}
		}
		from := len(out)
		for doc, names := range by {
			if _, known := judged[t.ID][doc]; !known {
				out = append(out, Pooled{t.ID, doc, names})
			}
		}
		slices.SortFunc(out[from:], func(a, b Pooled) int { return cmp.Compare(a.Doc, b.Doc) })
		rng.Shuffle(len(out)-from, func(i, j int) { out[from+i], out[from+j] = out[from+j], out[from+i] })
	}
	return out
}

// Stages are the grades that decisions of staff and the course of a match stand for. What was only suggested is no judgement.
var Stages = map[string]int{
	"declined": 0, "shortlisted": 1, "abandoned": 1, "introduced": 2, "in talks": 2, "agreed": 3, "concluded": 3,
}

// ParseGrade reads a grade: a whole number, or the stage that a match reached, by grades (nil: Stages). judged is false where
// there is none: an empty cell, or a match that was only suggested.
func ParseGrade(s string, grades map[string]int) (grade int, judged bool, err error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" || s == "suggested" {
		return 0, false, nil
	}
	if grades == nil {
		grades = Stages
	}
	if g, ok := grades[strings.NewReplacer("_", " ", "-", " ").Replace(s)]; ok {
		return g, true, nil
	}
	if grade, err = strconv.Atoi(strings.TrimSuffix(s, ".0")); err != nil { // as spreadsheets write whole numbers
		return 0, false, fmt.Errorf("%q is no grade: want a whole number, or a stage such as concluded", s)
	}
	return grade, true, nil
}

// Add takes one judgement, or says why it cannot be taken: judged before, out of range, a name with white space.
func (q Qrels) Add(topic, doc string, grade int) error {
	for _, id := range []string{topic, doc} {
		if id == "" || hasSpace(id) {
			return fmt.Errorf("%q: want an id without white space", id)
		}
	}
	return q.add(topic, doc, grade)
}

func hasSpace(s string) bool { return strings.ContainsFunc(s, unicode.IsSpace) }
