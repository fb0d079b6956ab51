package eval

import (
	"context"
	"math"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
)

type asGiven []engine.Scored

func (f asGiven) Rank(_ context.Context, _ *engine.Listing, _ engine.Query, yield func(*engine.Scored)) error {
	for i := range f {
		yield(&f[i])
	}
	return nil
}

// TestRRF is worked out by hand: a is 1st by meaning and 2nd by words, b 2nd and 1st, c 3rd by words alone; d has a field only.
func TestRRF(t *testing.T) {
	of := func(id string, raw map[engine.Signal]float64) engine.Scored {
		s := engine.Scored{Candidate: &engine.Candidate{Stub: engine.NewStub(&engine.Listing{ID: id})}}
		for sig, v := range raw {
			s.Raw[sig] = v
		}
		return s
	}
	x := RRF{asGiven{of("d", map[engine.Signal]float64{engine.SignalField: 1}), of("c", map[engine.Signal]float64{engine.SignalWords: 0.1}),
		of("b", map[engine.Signal]float64{engine.SignalMeaning: 0.5, engine.SignalWords: 0.9}), of("a", map[engine.Signal]float64{engine.SignalMeaning: 0.9, engine.SignalWords: 0.2})}}
	want := []struct {
		id    string
		score float64
	}{{"a", 1.0/61 + 1.0/62}, {"b", 1.0/62 + 1.0/61}, {"c", 1.0 / 63}, {"d", 0}}
	i := 0
	err := x.Rank(t.Context(), &engine.Listing{}, engine.Query{}, func(s *engine.Scored) {
		if s.Listing.ID != want[i].id || math.Abs(s.Score-want[i].score) > 1e-12 {
			t.Errorf("place %d: %s with %v, want %+v", i+1, s.Listing.ID, s.Score, want[i])
		}
		i++
	})
	if err != nil || i != len(want) {
		t.Errorf("%d listings, %v", i, err)
	}
}
