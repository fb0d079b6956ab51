package openai_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/openai"
	"github.com/ketnoi/ketnoi/embeddings/openai/fake"
)

func TestBreaker(t *testing.T) {
	const recovery = 200 * time.Millisecond
	p, spec := serve(t, fake.Options{})
	p.Always(fake.BadGateway)
	c := client(t, spec, openai.Options{Recovery: recovery})
	embed(t, c, 1, unavailable)
	if s := c.State(); s.Breaker != "open" || s.Reason != "502 Bad Gateway" || time.Since(s.Since) > 5*time.Second {
		t.Fatalf("%+v", s)
	}
	n := p.Counts().Requests
	err := embed(t, c, 1, unavailable)
	var e *embeddings.UnavailableError
	if !errors.As(err, &e) || e.After > recovery || !strings.Contains(err.Error(), "the last: 502 Bad Gateway") || p.Counts().Requests != n {
		t.Errorf("while open: %d requests more, %v", p.Counts().Requests-n, err)
	}
	time.Sleep(recovery + 20*time.Millisecond)
	if s := c.State(); s.Breaker != "half-open" {
		t.Errorf("%+v", s)
	}
	embed(t, c, 1, unavailable)
	if s := c.State(); s.Breaker != "open" || p.Counts().Requests != n+1 {
		t.Errorf("%+v after %d requests more, want open after one", s, p.Counts().Requests-n)
	}
	p.Always(fake.Good)
	time.Sleep(recovery + 20*time.Millisecond)
	embed(t, c, 200, well) // several batches at once: all but one wait for the one that finds out
	if s := c.State(); s.Breaker != "closed" || s.Reason != "" {
		t.Errorf("%+v", s)
	}
}

func TestConcurrency(t *testing.T) {
	p, spec := serve(t, fake.Options{Latency: 2 * time.Millisecond})
	spec.Concurrency, spec.Batch = 3, 4
	c := client(t, spec, openai.Options{})
	p.Sometimes(fake.Shuffled, 0.5)
	all(t, 8, func(int) error {
		got, err := c.Embed(t.Context(), texts(40))
		if err == nil {
			checkVectors(t, got, texts(40))
		}
		return err
	})
	if n := p.Counts(); n.AtOnce > 3 || n.AtOnce < 2 || n.Requests != 80 {
		t.Errorf("%+v, want at most 3 at once", n)
	}
}

// TestStorm has many callers and a provider at which every third answer is wrong in some way: no text ever gets another's
// vector.
func TestStorm(t *testing.T) {
	for _, shape := range fake.Shapes {
		switch shape {
		case fake.Unauthorized, fake.Forbidden, fake.UnknownModel, fake.NoQuota, fake.Redirect, fake.Same, fake.AllWider, fake.BusyUntil, fake.BusyForever:
			continue // these stop a client, as they should
		}
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			p, spec := serve(t, fake.Options{RetryAfter: "0.005", Seed: 1})
			p.Sometimes(shape, 0.3)
			spec.Batch, spec.Timeout = 5, 100*time.Millisecond
			c := client(t, spec, openai.Options{Recovery: time.Millisecond})
			all(t, 4, func(int) error {
				for range 3 {
					got, err := c.Embed(t.Context(), texts(15))
					var refused *embeddings.RefusedError
					switch outcome(t, got, err) {
					case well:
						checkVectors(t, got, texts(15))
					case "refused":
						errors.As(err, &refused)
						var without []int
						for i := range refused.Reasons {
							without = append(without, i)
						}
						checkVectors(t, got, texts(15), without...)
					case unavailable, denied:
					default:
						return err
					}
				}
				return nil
			})
		})
	}
}

func TestRateLimit(t *testing.T) {
	p, spec := serve(t, fake.Options{PerSecond: 100, Concurrent: 2, RetryAfter: "0.01"})
	spec.Batch = 2
	c := client(t, spec, openai.Options{})
	all(t, 6, func(int) error { _, err := c.Embed(t.Context(), texts(20)); return err })
	if n := p.Counts(); n.Paid != 60 || c.State().Breaker != "closed" {
		t.Errorf("%+v, %+v", n, c.State())
	}
}

func all(t *testing.T, n int, do func(int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := do(i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestImpatient(t *testing.T) {
	const recovery = 100 * time.Millisecond
	p, spec := serve(t, fake.Options{})
	spec.Concurrency = 1
	c := client(t, spec, openai.Options{Recovery: recovery})
	quick := c.Impatient(150 * time.Millisecond)
	ask := func(text, want string) {
		t.Helper()
		start := time.Now()
		got, err := quick.Embed(t.Context(), []string{text})
		if o := outcome(t, got, err); o != want || time.Since(start) > time.Second {
			t.Fatalf("%s after %s, want %s: %v", o, time.Since(start), want, err)
		}
		if want == well {
			checkVectors(t, got, []string{text})
			got[0][0] = 9 // what a caller does with it is no concern of the next
		}
	}
	if quick.Model() != c.Model() || quick.Dim() != c.Dim() {
		t.Error("another model")
	}
	ask("a question", well)
	ask("a question", well)
	if n := p.Billed("a question"); n != 1 {
		t.Errorf("billed %d times", n)
	}
	ask(" ", refused)

	// It does not stand in line behind patient callers.
	ctx, cancel := context.WithCancel(t.Context())
	p.Next(fake.Hang)
	done := make(chan error)
	go func() { _, err := c.Embed(ctx, texts(1)); done <- err }()
	for p.Counts().Requests < 2 {
		time.Sleep(time.Millisecond)
	}
	ask("another question", well)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}

	// One try each; five failures open the breaker; what is remembered is answered nevertheless.
	n := p.Counts().Requests
	p.Always(fake.Hang)
	ask("question 0", unavailable)
	p.Always(fake.Error500)
	for i := range 6 {
		ask(fmt.Sprint("question ", i), unavailable)
	}
	if more := p.Counts().Requests - n; more != 5 || c.State().Breaker != "open" {
		t.Errorf("%d requests, %+v", more, c.State())
	}
	ask("a question", well)

	// It closes the breaker for all.
	p.Always(fake.Good)
	time.Sleep(recovery + 20*time.Millisecond)
	ask("question 7", well)
	if s := c.State(); s.Breaker != "closed" {
		t.Errorf("%+v", s)
	}

	// It does not wait where the provider asked to.
	p.Next(fake.Busy)
	ask("question 8", unavailable)
	ask("question 9", unavailable)
	ask("a question", well)
	if p.Billed("question 9") != 0 {
		t.Error("asked in spite of Retry-After")
	}
}

func TestImpatientNumbersTheTextsOfItsCaller(t *testing.T) {
	p, spec := serve(t, fake.Options{Victim: "poison"})
	p.Always(fake.BadRequest)
	quick := client(t, spec, openai.Options{}).Impatient(5 * time.Second)
	if _, err := quick.Embed(t.Context(), []string{"known"}); err != nil {
		t.Fatal(err)
	}
	in := []string{"known", "new", "poison", "newer"}
	got, err := quick.Embed(t.Context(), in)
	var e *embeddings.RefusedError
	if !errors.As(err, &e) || len(e.Reasons) != 1 || e.Reasons[2] == "" {
		t.Fatal(err)
	}
	checkVectors(t, got, in, 2)
}

// TestWrongRequest: where no text is accepted the provider is not asked about each.
func TestWrongRequest(t *testing.T) {
	p, spec := serve(t, fake.Options{})
	c := client(t, spec, openai.Options{})
	p.Always(fake.BadRequest)
	embed(t, c, 1000, denied)
	if n := p.Counts().Requests; n > 2*embeddings.DefaultConcurrency {
		t.Errorf("%d requests", n)
	}
	// Nor where it stops accepting in the midst of a call.
	p, spec = serve(t, fake.Options{Latency: time.Millisecond})
	spec.Concurrency = 1
	c = client(t, spec, openai.Options{})
	p.Next(fake.Good)
	p.Always(fake.BadRequest)
	embed(t, c, 1000, denied)
	if n := p.Counts().Requests; n > 12 {
		t.Errorf("%d requests", n)
	}
	// Nor is it a refusal where it fails at every text.
	p, spec = serve(t, fake.Options{})
	p.Always(fake.Error500)
	embed(t, client(t, spec, openai.Options{}), 10, unavailable)
	// Many texts that are wrong are refused each.
	p, spec = serve(t, fake.Options{Victim: "1"})
	p.Always(fake.BadRequest)
	var without []int
	for i, s := range texts(32) {
		if strings.Contains(s, "1") {
			without = append(without, i)
		}
	}
	embed(t, client(t, spec, openai.Options{}), 32, refused, without...)
}

// TestFailsAtOneText: a provider that says 500, or an error under 200, at one text is not thought to be down.
func TestFailsAtOneText(t *testing.T) {
	for shape, want := range map[fake.Shape]string{fake.Error500: "500 Internal Server Error: out of", fake.Error200: "an error in place of vectors: the backend is gone"} {
		p, spec := serve(t, fake.Options{Victim: "number 6"})
		p.Always(shape)
		c := client(t, spec, openai.Options{})
		if err := embed(t, c, 32, refused, 6); !strings.Contains(err.Error(), "text 6 is refused: "+want) || c.State().Breaker != "closed" {
			t.Errorf("%+v: %v", c.State(), err)
		}
		// Three tries at each of six levels, each followed by the probe; five good halves.
		if n := p.Counts(); n.Requests > 6*4+5 || n.Most > 6 || p.Billed("text number 5") != 1 {
			t.Errorf("%+v", n)
		}
	}
}
