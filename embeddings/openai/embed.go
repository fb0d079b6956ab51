package openai

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ketnoi/ketnoi/embeddings"
)

// probe is a text that every model takes.
const probe = "water"

// maxDoubt is after how many refusals in a row the provider is asked for a vector of the probe, so that a wrong setting is
// not taken for hundreds of wrong texts.
const maxDoubt = 8

// probes reports whether texts are the probe alone.
func (c *Client) probes(texts []string) bool {
	return len(texts) == 1 && texts[0] == c.spec.Prefix+probe
}

// ask sends one batch of texts, as patiently as its caller is.
type ask func(ctx context.Context, texts []string) (answer, error)

// part is what is sent: a text that is distinct from all others of the run, whole or a piece that fits.
type part struct {
	text   string
	vector []float32
	faults int
	reason string // why it is refused, "" if it is not
}

// run is one call of Embed.
type run struct {
	*Client
	ask ask

	mu    sync.Mutex
	doubt int // refusals since a vector came
}

func (c *Client) embed(ctx context.Context, texts []string, ask ask) ([][]float32, error) {
	r := &run{Client: c, ask: ask, doubt: maxDoubt}
	reasons := map[int]string{}
	known := map[string]*part{}
	var parts []*part
	of := make([][]*part, len(texts))
	for i, t := range texts {
		for _, piece := range c.pieces(t) {
			p := known[piece]
			if p == nil {
				p = &part{text: piece}
				known[piece] = p
				parts = append(parts, p)
			}
			of[i] = append(of[i], p)
		}
		if of[i] == nil {
			reasons[i] = "the text is empty"
		}
	}
	if err := r.all(ctx, parts); err != nil {
		return nil, err
	}
	out := make([][]float32, len(texts))
	for i := range texts {
		if of[i] == nil {
			continue
		}
		var reason string
		if out[i], reason = join(of[i]); reason != "" {
			reasons[i] = reason
		}
	}
	if len(reasons) > 0 {
		return out, &embeddings.RefusedError{Reasons: reasons}
	}
	return out, nil
}

// pieces cuts a text into parts that fit, none of them blank.
func (c *Client) pieces(text string) []string {
	pieces := []string{text}
	if c.o.Fit != nil && strings.TrimSpace(text) != "" {
		pieces = slices.Clone(c.o.Fit(text))
	}
	return slices.DeleteFunc(pieces, func(s string) bool { return strings.TrimSpace(s) == "" })
}

// all gives every part a vector or the reason why it has none.
func (r *run) all(ctx context.Context, parts []*part) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.spec.Concurrency)
	for batch := range slices.Chunk(parts, r.spec.Batch) {
		g.Go(func() error { return r.batch(ctx, batch) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return alarm(parts)
}

// batch sends parts until each has a vector or is refused. What is refused together is sent again by halves.
func (r *run) batch(ctx context.Context, parts []*part) error {
	for len(parts) > 0 {
		texts := make([]string, len(parts))
		for i, p := range parts {
			texts[i] = r.spec.Prefix + p.text
		}
		a, err := r.ask(ctx, texts)
		var refused *refusal
		if errors.As(err, &refused) {
			if err := r.verify(ctx, refused); err != nil {
				return err
			}
			if len(parts) == 1 {
				parts[0].reason = refused.reason
				return nil
			}
			half := len(parts) / 2
			if err := r.batch(ctx, parts[:half]); err != nil {
				return err
			}
			parts = parts[half:]
			continue
		}
		if err != nil {
			return err
		}
		if parts, err = r.take(ctx, parts, a); err != nil {
			return err
		}
	}
	return nil
}

// take hands the vectors of an answer to their parts, and returns the parts to be sent again: those whose row is missing
// while others came, and those whose row was unusable for the first time.
func (r *run) take(ctx context.Context, parts []*part, a answer) (again []*part, err error) {
	dim, err := r.width(parts, a)
	if err != nil {
		return nil, err
	}
	came := 0
	for i, p := range parts {
		if a.vectors[i] == nil {
			continue
		}
		if p.vector, a.faults[i] = unit(a.vectors[i], dim); p.vector != nil {
			came++
		}
	}
	if came > 0 {
		if err := errors.Join(r.learn(dim), alarm(parts)); err != nil {
			return nil, err
		}
		r.mu.Lock()
		r.doubt = 0
		r.mu.Unlock()
	}
	for i, p := range parts {
		if p.vector != nil {
			continue
		}
		fault := a.faults[i]
		if fault == "" {
			fault = "the answer has no vector for it"
		}
		if came == 0 || a.faults[i] != "" {
			p.faults++
		}
		if p.faults < 2 {
			again = append(again, p)
			continue
		}
		if err := r.verify(ctx, &refusal{reason: fault}); err != nil {
			return nil, err
		}
		p.reason = fault
	}
	return again, nil
}

// width returns the width that the vectors of an answer ought to have. Another one in all rows is a fault of the provider;
// in some rows, or in one that was at fault before, it is a fault of these rows.
func (r *run) width(parts []*part, a answer) (int, error) {
	got, uneven, before := 0, false, false
	for i, v := range a.vectors {
		if v == nil {
			continue
		}
		uneven = uneven || got != 0 && got != len(v)
		before = before || parts[i].faults > 0
		got = len(v)
	}
	want := r.Dim()
	switch {
	case want == 0 && uneven:
		return 0, unusable("it gives vectors of different widths for one model")
	case want == 0:
		return got, nil
	case got == 0 || got == want || uneven || before:
		return want, nil
	}
	return 0, r.otherWidth(got)
}

// learn keeps the width of the first good answer; another one that came meanwhile is an error.
func (r *run) learn(dim int) error {
	if r.dim.CompareAndSwap(0, int64(dim)) || r.Dim() == dim {
		return nil
	}
	return r.otherWidth(dim)
}

func (r *run) otherWidth(got int) error {
	if r.spec.Dimensions > 0 {
		return unusable(fmt.Sprintf("asked for %d dimensions it gives %d: it does not heed the question; leave dimensions out", r.Dim(), got))
	}
	return unusable(fmt.Sprintf("it gives %d dimensions instead of %d: if the model has changed, it needs a name of its own", got, r.Dim()))
}

// verify returns an error if the provider takes no text at all. It asks where there is reason to believe so: before anything
// was accepted, after many refusals in a row, and where a refusal is tacit.
func (r *run) verify(ctx context.Context, why *refusal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.doubt++; r.doubt <= maxDoubt && !why.tacit {
		return nil
	}
	a, err := r.ask(ctx, []string{r.spec.Prefix + probe})
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		return unusable("it refuses every text: " + refused.reason)
	case err != nil:
		return err
	case a.vectors[0] == nil:
		return unusable("it has no usable vector for any text: " + why.reason)
	}
	if _, fault := unit(a.vectors[0], len(a.vectors[0])); fault != "" {
		return unusable("it has no usable vector for any text: " + fault)
	}
	r.doubt = 0
	return nil
}
