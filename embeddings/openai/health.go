package openai

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sony/gobreaker/v2"

	"github.com/ketnoi/ketnoi/embeddings"
)

const (
	maxFailures = 5 // in a row, after which nothing is sent for a while
	maxAlike    = 3 // in a row for the same texts and reason, which may then be the texts'
)

// State is how the provider does, as far as its client knows.
type State struct {
	Breaker   string    // "closed", all is well; "open", nothing is sent; "half-open", one request is sent to see
	Since     time.Time // of the breaker's state
	Reason    string    // why it did not answer us, "" after a success
	NotBefore time.Time // the provider asked to wait until then; zero or past if it did not
}

// State returns how the provider does.
func (c *Client) State() State {
	breaker := c.breaker.State().String()
	c.mu.Lock()
	defer c.mu.Unlock()
	return State{Breaker: breaker, Since: c.since, Reason: c.reason, NotBefore: c.gate.notBefore()}
}

func (c *Client) newBreaker() *gobreaker.CircuitBreaker[answer] {
	return gobreaker.NewCircuitBreaker[answer](gobreaker.Settings{
		Timeout:     c.o.Recovery,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= maxFailures },
		OnStateChange: func(string, gobreaker.State, gobreaker.State) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.since = time.Now()
		},
		// Whoever refuses a text, or us, is well. Whoever is busy, or was not waited for, may be either.
		IsSuccessful: func(err error) bool { return !errors.As(err, new(*failure)) },
		IsExcluded: func(err error) bool {
			var f *failure
			if errors.As(err, &f) {
				return f.busy
			}
			return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
		},
	})
}

// once sends texts if the breaker lets them pass. Its errors are those of request, and the breaker's: an
// *embeddings.UnavailableError while it is open, a *failure while another request tries how the provider does.
func (c *Client) once(ctx context.Context, texts []string, timeout time.Duration) (answer, error) {
	a, err := c.breaker.Execute(func() (answer, error) {
		a, err := c.request(ctx, texts, timeout)
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case errors.As(err, new(*failure)), errors.Is(err, embeddings.ErrDenied):
			c.reason = err.Error()
		case ctx.Err() == nil:
			c.reason = ""
		}
		return a, err
	})
	switch {
	case errors.Is(err, gobreaker.ErrOpenState):
		return a, c.halted()
	case errors.Is(err, gobreaker.ErrTooManyRequests):
		return a, &failure{reason: "another request is finding out whether it answers again", err: err}
	}
	return a, err
}

// open returns an error while the breaker is open.
func (c *Client) open() error {
	if c.breaker.State() != gobreaker.StateOpen {
		return nil
	}
	return c.halted()
}

func (c *Client) halted() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &embeddings.UnavailableError{Reason: fmt.Sprintf("after %d failures in a row nothing is sent to it for %s; the last: %s", maxFailures, c.o.Recovery, c.reason),
		After: max(time.Until(c.since.Add(c.o.Recovery)), 0), Err: gobreaker.ErrOpenState}
}

// insist sends texts until they are answered or refused, for as long as Options.Patience says. Waiting for a turn among our
// own requests does not count.
func (c *Client) insist(ctx context.Context, texts []string) (answer, error) {
	b := &backoff.ExponentialBackOff{InitialInterval: c.o.Backoff, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: 20 * c.o.Backoff}
	until := time.Now().Add(c.o.Patience)
	last, alike := &failure{reason: "it asked to wait"}, 0
	for {
		if err := c.open(); err != nil {
			return answer{}, err // without waiting for a turn behind requests that hang
		}
		if wait := c.gate.wait(); wait > 0 {
			if err := sleep(ctx, wait, until, last); err != nil {
				return answer{}, err
			}
		}
		queued := time.Now()
		select {
		case c.turns <- struct{}{}:
		case <-ctx.Done():
			return answer{}, ctx.Err()
		}
		until = until.Add(time.Since(queued))
		if c.gate.wait() > 0 {
			<-c.turns
			continue
		}
		a, err := c.once(ctx, texts, c.spec.Timeout)
		<-c.turns
		before := last.reason
		if !errors.As(err, &last) {
			return a, err
		}
		if !last.text || last.reason != before {
			alike = 0
		}
		if alike++; last.text && alike == maxAlike && !c.probes(texts) {
			return answer{}, &refusal{reason: last.reason, tacit: true}
		}
		if err := c.open(); err != nil {
			return answer{}, err // before it is half-open again, which is for others to find out
		}
		if err := sleep(ctx, b.NextBackOff(), until, last); err != nil {
			return answer{}, err
		}
	}
}

// sleep waits, unless that would take longer than until: then it returns why at once.
func sleep(ctx context.Context, wait time.Duration, until time.Time, why *failure) error {
	if time.Now().Add(wait).After(until) {
		return why.unavailable(wait)
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *failure) unavailable(wait time.Duration) error {
	return &embeddings.UnavailableError{Reason: f.reason, After: max(f.after, wait), Err: f.err}
}

// gate is the time before which nothing is sent, as the provider asked.
type gate struct {
	mu   sync.Mutex
	time time.Time
}

func (g *gate) hold(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := time.Now().Add(d); t.After(g.time) {
		g.time = t
	}
}

func (g *gate) notBefore() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.time
}

func (g *gate) wait() time.Duration { return time.Until(g.notBefore()) }
