package openai

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/ketnoi/ketnoi/embeddings"
)

// maxRemembered is how many texts an impatient embedder knows the vectors of.
const maxRemembered = 1000

// impatient embeds what people wait for.
type impatient struct {
	*Client
	timeout time.Duration
	seen    *lru.Cache[[sha256.Size]byte, []float32]
}

// Impatient returns an embedder over the same client for questions that people wait for. It has this time in all, sends
// each request once, neither waits for a turn nor where the provider asked to, and shares the breaker: while that is open
// it fails at once, and its first success closes it for all. It remembers its last 1,000 texts, which are billed once.
func (c *Client) Impatient(timeout time.Duration) embeddings.Embedder {
	seen, err := lru.New[[sha256.Size]byte, []float32](maxRemembered)
	if err != nil {
		panic(err) // only of a size that is not positive
	}
	return &impatient{Client: c, timeout: timeout, seen: seen}
}

// Embed implements embeddings.Embedder.
func (e *impatient) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	var missing []string
	var at []int
	for i, t := range texts {
		if v, ok := e.seen.Get(sha256.Sum256([]byte(t))); ok {
			out[i] = slices.Clone(v)
		} else {
			missing, at = append(missing, t), append(at, i)
		}
	}
	if missing == nil {
		return out, nil
	}
	until := time.Now().Add(e.timeout)
	vectors, err := e.embed(ctx, missing, func(ctx context.Context, texts []string) (answer, error) { return e.try(ctx, texts, until) })
	for i, v := range vectors {
		if v != nil {
			out[at[i]] = v
			e.seen.Add(sha256.Sum256([]byte(missing[i])), slices.Clone(v))
		}
	}
	var refused *embeddings.RefusedError
	if errors.As(err, &refused) {
		reasons := map[int]string{}
		for i, reason := range refused.Reasons {
			reasons[at[i]] = reason
		}
		return out, &embeddings.RefusedError{Reasons: reasons}
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// try sends texts once, if that may be done now.
func (e *impatient) try(ctx context.Context, texts []string, until time.Time) (answer, error) {
	if wait := e.gate.wait(); wait > 0 {
		return answer{}, (&failure{reason: "it asked to wait"}).unavailable(wait)
	}
	left := min(time.Until(until), e.spec.Timeout)
	if left <= 0 {
		return answer{}, (&failure{reason: fmt.Sprintf("no answer within %s", e.timeout), err: context.DeadlineExceeded}).unavailable(0)
	}
	a, err := e.once(ctx, texts, left)
	var f *failure
	if errors.As(err, &f) {
		return answer{}, f.unavailable(0)
	}
	return a, err
}
