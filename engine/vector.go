package engine

import (
	"errors"
	"fmt"
	"math"
)

// ErrVector is wrapped by the errors of CheckVector and Entry.CheckVectors.
var ErrVector = errors.New("unusable vector")

// CheckVector returns an error unless v has the width dim, only finite elements, and the length 1 (to 1e-3). A zero
// vector has no direction: every cosine with it would be undefined, and a database may rank it first.
func CheckVector(v []float32, dim int) error {
	if len(v) != dim {
		return fmt.Errorf("%w: %d dimensions instead of %d", ErrVector, len(v), dim)
	}
	var sum float64
	for i, x := range v {
		f := float64(x)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("%w: element %d is %v", ErrVector, i, x)
		}
		sum += f * f
	}
	if math.Abs(math.Sqrt(sum)-1) > 1e-3 {
		return fmt.Errorf("%w: its length is %.4g, not 1", ErrVector, math.Sqrt(sum))
	}
	return nil
}

// CheckVectors returns an error unless the entry has no vectors, or one good vector (see CheckVector) a passage.
// Stores call it before they write, so that nothing undefined is ever compared.
func (e *Entry) CheckVectors(dim int) error {
	if len(e.Vectors) == 0 {
		return nil
	}
	if len(e.Vectors) != len(e.Passages) {
		return fmt.Errorf("%w: %d vectors for %d passages", ErrVector, len(e.Vectors), len(e.Passages))
	}
	for i, v := range e.Vectors {
		if err := CheckVector(v, dim); err != nil {
			return fmt.Errorf("passage %d: %w", i, err)
		}
	}
	return nil
}
