package eval

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
)

// TestLogistic: drawn from a curve, the curve comes back; what is one-sided or the wrong way round says nothing.
func TestLogistic(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	want := engine.Calibration{A: -4, B: 30}
	var evidence []float64
	var accepted []bool
	for range 20_000 {
		x := rng.Float64() * 0.3
		evidence, accepted = append(evidence, x), append(accepted, rng.Float64() < want.Confidence(x))
	}
	if got := logistic(evidence, accepted); math.Abs(got.A-want.A) > 0.2 || math.Abs(got.B-want.B) > 1.5 {
		t.Errorf("got %+v, want about %+v", got, want)
	}
	for i := range accepted {
		accepted[i] = !accepted[i]
	}
	if got := logistic(evidence, accepted); got != (engine.Calibration{}) {
		t.Errorf("more evidence that makes a match less likely: %+v", got)
	}
	if got := logistic([]float64{0.1, 0.2}, []bool{true, true}); got != (engine.Calibration{}) {
		t.Errorf("all accepted: %+v", got)
	}
	// Where evidence parts both without a doubt, nothing becomes certain or infinite.
	got := logistic([]float64{0.1, 0.11, 0.12, 0.3, 0.31, 0.32}, []bool{false, false, false, true, true, true})
	if c := got.Confidence(0.32); math.IsNaN(c) || c < 0.7 || c > 0.99 {
		t.Errorf("parted: %+v, confidence %v", got, c)
	}
}
