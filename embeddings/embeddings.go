// Package embeddings turns listings into passages and passages into vectors.
package embeddings

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Embedder turns texts into vectors of one model. Implementations are safe for concurrent use.
type Embedder interface {
	// Model names the model; vectors of different names are never compared, even of the same width.
	Model() string
	// Dim is the width of its vectors.
	Dim() int
	// Embed returns one unit vector for each text, in order. On error it returns no vectors at all.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// ErrVector is wrapped by the errors of Check.
var ErrVector = errors.New("unusable vector")

// Check returns an error unless v has the width dim, only finite elements, and the length 1 (to 1e-3). A zero vector
// has no direction: every cosine with it would be undefined.
func Check(v []float32, dim int) error {
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
