// Package embeddings turns listings into passages and passages into vectors.
package embeddings

import "context"

// Embedder turns texts into vectors of one model. Implementations are safe for concurrent use.
type Embedder interface {
	// Model names the model; vectors of different names are never compared, even of the same width.
	Model() string
	// Dim is the width of its vectors.
	Dim() int
	// Embed returns one unit vector for each text, in order. A *RefusedError comes with the vectors of the texts that are
	// not refused, nil in the places of those that are; with any other error (an *UnavailableError, ErrDenied, ctx's) there
	// are no vectors.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}
