package openai

import (
	"fmt"
	"math"
	"slices"

	"github.com/ketnoi/ketnoi/engine"
)

// The lengths that a vector may have before it is brought to length 1. Models give lengths from 0.1 to 10,000 (of 8-bit
// elements); beyond these bounds elements have underflowed or will overflow.
const (
	minNorm = 1e-6
	maxNorm = 1e6
)

// unit brings a vector to length 1, in 64 bits, or says why there is none.
func unit(v []float32, dim int) (_ []float32, fault string) {
	if len(v) != dim {
		return nil, fmt.Sprintf("its vector has %d dimensions instead of %d", len(v), dim)
	}
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	norm := math.Sqrt(sum)
	if !(norm >= minNorm && norm <= maxNorm) { // NaN is neither
		return nil, fmt.Sprintf("its vector has the length %.3g, which gives no direction", norm)
	}
	out := make([]float32, dim)
	for i, x := range v {
		out[i] = float32(float64(x) / norm)
	}
	if err := engine.CheckVector(out, dim); err != nil {
		return nil, err.Error()
	}
	return out, ""
}

// join returns the vector of a text: its one part's, or the mean of its parts', brought to length 1.
func join(parts []*part) (_ []float32, fault string) {
	for i, p := range parts {
		if p.reason != "" && len(parts) > 1 {
			return nil, fmt.Sprintf("part %d of %d: %s", i+1, len(parts), p.reason)
		}
		if p.reason != "" {
			return nil, p.reason
		}
	}
	if len(parts) == 1 {
		return slices.Clone(parts[0].vector), ""
	}
	mean := make([]float32, len(parts[0].vector))
	for i := range mean {
		sum := 0.0
		for _, p := range parts {
			sum += float64(p.vector[i])
		}
		mean[i] = float32(sum / float64(len(parts)))
	}
	return unit(mean, len(mean))
}

// minAlike is how many distinct texts may not all have the same vector.
const minAlike = 8

// alarm returns an error if there are vectors of many distinct texts that are all the same: whatever the provider does, it
// does not read the texts.
func alarm(parts []*part) error {
	var first []float32
	n := 0
	for _, p := range parts {
		if p.vector == nil {
			continue
		}
		if first == nil {
			first = p.vector
		}
		if !slices.Equal(first, p.vector) {
			return nil
		}
		n++
	}
	if n < minAlike {
		return nil
	}
	return unusable(fmt.Sprintf("it gives the same vector for %d different texts", n))
}
