package embeddings

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// ErrDenied is wrapped, or matched by errors.Is, when the provider refuses whoever asks, does not know the model, takes no
// text at all or gives vectors that cannot be right: trying again changes nothing until an operator does something.
var ErrDenied = errors.New("the embedding provider refuses us")

// UnavailableError says that the provider does not answer for now; nothing is wrong with the texts.
type UnavailableError struct {
	Reason string
	After  time.Duration // when to try again, 0 if it did not say
	Err    error
}

func (e *UnavailableError) Error() string {
	return "the embedding provider does not answer: " + e.Reason
}

// Unwrap returns what went wrong underneath.
func (e *UnavailableError) Unwrap() error { return e.Err }

// RefusedError says which texts the model does not take, each for what reason. It comes with the vectors of the others.
type RefusedError struct {
	Reasons map[int]string // by the number of the text
}

func (e *RefusedError) Error() string {
	if len(e.Reasons) == 0 {
		return "texts are refused"
	}
	first := slices.Min(slices.Collect(maps.Keys(e.Reasons)))
	if len(e.Reasons) == 1 {
		return fmt.Sprintf("text %d is refused: %s", first, e.Reasons[first])
	}
	return fmt.Sprintf("%d texts are refused, the first of them text %d: %s", len(e.Reasons), first, e.Reasons[first])
}
