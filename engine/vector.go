package engine

import (
	"crypto/sha256"
	"encoding/binary"
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

// TextKey is what a text is kept by where its vector is kept: its SHA-256.
type TextKey = [sha256.Size]byte

// KeyOf returns the key of a text.
func KeyOf(text string) TextKey { return sha256.Sum256([]byte(text)) }

// Paid is a vector that a provider was paid for, kept by the text it is of, so that it is never paid for again.
type Paid struct {
	Key    TextKey
	ID     string // of the listing it was first computed for: when that is erased, it goes too
	Vector []float32
}

// PackVectors writes vectors one behind the other as little-endian float32.
func PackVectors(vectors ...[]float32) []byte {
	n := 0
	for _, v := range vectors {
		n += len(v)
	}
	out := make([]byte, 0, 4*n)
	for _, v := range vectors {
		for _, x := range v {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
		}
	}
	return out
}

// UnpackVectors is the reverse of PackVectors for vectors of the width dim; bytes that make no whole vectors give nil.
func UnpackVectors(data []byte, dim int) [][]float32 {
	if dim == 0 || len(data)%(4*dim) != 0 {
		return nil
	}
	all := make([]float32, len(data)/4)
	for i := range all {
		all[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	out := make([][]float32, len(all)/dim)
	for i := range out {
		out[i] = all[i*dim : (i+1)*dim : (i+1)*dim]
	}
	return out
}
