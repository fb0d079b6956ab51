package embeddings

import (
	"errors"
	"fmt"
	"time"
)

// ErrDenied is wrapped when the provider refuses whoever asks, or does not know the model: trying again changes nothing
// until an operator does something.
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
	for i, reason := range e.Reasons {
		if len(e.Reasons) == 1 {
			return fmt.Sprintf("text %d is refused: %s", i, reason)
		}
		return fmt.Sprintf("%d texts are refused, among them text %d: %s", len(e.Reasons), i, reason)
	}
	return "texts are refused"
}
