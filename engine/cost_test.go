package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/engine"
)

// BenchmarkAnswer answers the demo's problems and reports, at the median, how many candidates there were, and what scoring,
// shaping and explaining them took, beside retrieval.
func BenchmarkAnswer(b *testing.B) {
	listings := demoListings(b)
	rec := taught(b, listings)
	var ids []string
	for _, l := range listings {
		if l.Kind == engine.Problem {
			ids = append(ids, l.ID)
		}
	}
	var took, retrieve []time.Duration
	var candidates []int
	for i := 0; b.Loop(); i++ {
		a, err := rec.Recommend(b.Context(), engine.Query{For: ids[i%len(ids)], Limit: 10})
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, a.Steps.Score+a.Steps.Explain)
		retrieve = append(retrieve, a.Steps.Read+a.Steps.Retrieve)
		candidates = append(candidates, a.Candidates)
	}
	slices.Sort(took)
	slices.Sort(retrieve)
	slices.Sort(candidates)
	half := len(took) / 2
	b.ReportMetric(float64(candidates[half]), "candidates")
	b.ReportMetric(float64(took[half].Microseconds())/1e3, "ms-score-explain")
	b.ReportMetric(float64(retrieve[half].Microseconds())/1e3, "ms-retrieve")
}
