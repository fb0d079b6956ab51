package eval

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/engine"
)

// RRFName is what the other yardstick is called.
const RRFName = "rrf"

// RRF is the usual way of joining rankings without judgements: reciprocal rank fusion of the candidates' orders by each signal of
// evidence (Cormack, Clarke and Büttcher 2009; k 60). It looks at no value of a signal, at no circumstance and at no language.
type RRF struct{ Of Ranker }

// Rank yields the candidates of Of, best first, ties by id.
func (x RRF) Rank(ctx context.Context, subject *engine.Listing, q engine.Query, yield func(*engine.Scored)) error {
	const k = 60
	var all []engine.Scored
	err := x.Of.Rank(ctx, subject, q, func(s *engine.Scored) {
		all = append(all, engine.Scored{Candidate: &engine.Candidate{Stub: s.Stub}, Raw: s.Raw}) // what is yielded does not last
	})
	if err != nil {
		return err
	}
	order := make([]int, len(all))
	for sig := range engine.Signal(len(engine.Weights{})) {
		if !sig.Evidence() {
			continue
		}
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Or(cmp.Compare(all[b].Raw[sig], all[a].Raw[sig]), strings.Compare(all[a].Listing.ID, all[b].Listing.ID))
		})
		for place, i := range order {
			if all[i].Raw[sig] > 0 {
				all[i].Score += 1 / float64(k+place+1)
			}
		}
	}
	slices.SortFunc(all, func(a, b engine.Scored) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.Listing.ID, b.Listing.ID))
	})
	for i := range all {
		yield(&all[i])
	}
	return nil
}
