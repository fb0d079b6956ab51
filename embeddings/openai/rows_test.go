package openai_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/openai"
	"github.com/ketnoi/ketnoi/embeddings/openai/fake"
	"github.com/ketnoi/ketnoi/eval/shared"
)

// badInputs are the rows of the catalogue of bad inputs that concern providers, by their ids.
var badInputs = map[string]func(*testing.T){
	"B077": victim(fake.Zero, "the length 0"),
	"B078": func(t *testing.T) {
		victim(fake.NaN, "element 1 of its vector is no number")(t)
		victim(fake.Infinite, "element 1 of its vector is no number")(t)
		victim(fake.Base64NaN, "element 1 of its vector is no number")(t)
	},
	"B079": victim(fake.Overflow, "1e39, too large"),
	"B080": victim(fake.Underflow, "the length 0"),
	"B081": func(t *testing.T) {
		victim(fake.Tiny, "the length 5.66e-30")(t)
		victim(fake.Huge, "the length 1.7e+39")(t)
	},
	"B082": victim(fake.NullElement, "element 1 of its vector is no number"),
	"B083": victim(fake.OneWider, "33 dimensions instead of 32"),
	"B084": func(t *testing.T) {
		p, spec := serve(t, fake.Options{})
		c := client(t, spec, openai.Options{})
		embed(t, c, 3, well)
		p.Always(fake.AllWider)
		if err := embed(t, c, 3, denied); !strings.Contains(err.Error(), "needs a name of its own") {
			t.Error(err)
		}
	},
	"B085": func(t *testing.T) {
		_, spec := serve(t, fake.Options{})
		a := client(t, spec, openai.Options{})
		spec.Model = "other"
		if b := client(t, spec, openai.Options{}); a.Model() == b.Model() || a.Dim() != b.Dim() {
			t.Errorf("%s and %s of %d dimensions", a.Model(), b.Model(), a.Dim())
		}
	},
	"B086": func(t *testing.T) {
		p, spec := serve(t, fake.Options{Victim: "number 3"})
		p.Next(fake.Short)
		embed(t, client(t, spec, openai.Options{}), 10, well)
		if n := p.Counts(); n.Requests != 2 || n.Texts != 11 || p.Billed("text number 3") != 2 {
			t.Errorf("%+v", n)
		}
	},
	"B087": again(fake.Shuffled, 1),
	"B088": again(fake.DuplicateIndex, 2),
	"B089": func(t *testing.T) {
		again(fake.BeyondIndex, 2)(t)
		again(fake.NegativeIndex, 2)(t)
	},
	"B090": again(fake.Error200, 2),
	"B091": again(fake.Empty200, 2),
	"B092": again(fake.BadGateway, 2),
	"B093": func(t *testing.T) {
		for shape, want := range map[fake.Shape]time.Duration{fake.Busy: 7 * time.Second, fake.BusyUntil: 7 * time.Second, fake.BusyForever: 2 * time.Minute} {
			p, spec := serve(t, fake.Options{})
			p.Next(shape)
			c := client(t, spec, openai.Options{Patience: time.Second})
			start := time.Now()
			var e *embeddings.UnavailableError
			if err := embed(t, c, 1, unavailable); !errors.As(err, &e) || e.After > want || e.After < want-2*time.Second {
				t.Errorf("%s: try again after %s, want %s", shape, e.After, want)
			}
			if wait := c.State().NotBefore.Sub(start); wait < want-2*time.Second || wait > want+time.Second {
				t.Errorf("%s: waits %s, want %s", shape, wait, want)
			}
			// The others wait too, rather than ask.
			embed(t, c, 1, unavailable)
			if n := p.Counts().Requests; n != 1 || time.Since(start) > 3*time.Second {
				t.Errorf("%s: %d requests in %s", shape, n, time.Since(start))
			}
		}
		p, spec := serve(t, fake.Options{RetryAfter: "0.2"})
		p.Next(fake.Busy)
		start := time.Now()
		embed(t, client(t, spec, openai.Options{}), 1, well)
		if took := time.Since(start); took < 200*time.Millisecond || p.Counts().Requests != 2 {
			t.Errorf("%d requests in %s, asked to wait 200ms", p.Counts().Requests, took)
		}
	},
	"B094": func(t *testing.T) {
		for _, shape := range []fake.Shape{fake.Unauthorized, fake.Forbidden} {
			p, spec := serve(t, fake.Options{})
			p.Always(shape)
			embed(t, client(t, spec, openai.Options{}), 100, denied)
			if n := p.Counts().Requests; n > embeddings.DefaultConcurrency {
				t.Errorf("%d requests", n)
			}
		}
	},
	"B095": func(t *testing.T) {
		for _, shape := range []fake.Shape{fake.BadRequest, fake.TooLarge, fake.Unprocessable} {
			p, spec := serve(t, fake.Options{Victim: "number 42"})
			spec.Batch = 100
			p.Always(shape)
			err := embed(t, client(t, spec, openai.Options{}), 100, refused, 42)
			var e *embeddings.RefusedError
			if !errors.As(err, &e) || len(e.Reasons) != 1 || !strings.HasPrefix(e.Reasons[42], "4") {
				t.Errorf("%s: %v", shape, err)
			}
			// The batch, the probe, and two halves at each of seven levels.
			if n := p.Counts(); n.Requests > 16 || n.Most > 1 {
				t.Errorf("%s: %+v", shape, n)
			}
		}
	},
	"B096": again(fake.Hang, 2),
	"B097": again(fake.Drip, 2),
	"B098": again(fake.Reset, 2),
	"B099": func(t *testing.T) {
		var vectors [2][][]float32
		for i, shape := range []fake.Shape{fake.Floats, fake.Base64} {
			for _, encoding := range []string{"", "float", "base64"} {
				p, spec := serve(t, fake.Options{})
				spec.Encoding = encoding
				p.Always(shape)
				got, err := client(t, spec, openai.Options{}).Embed(t.Context(), texts(3))
				if err != nil {
					t.Fatal(err)
				}
				vectors[i] = got
			}
		}
		for i := range vectors[0] {
			if !slices.Equal(vectors[0][i], vectors[1][i]) {
				t.Errorf("text %d has another vector in base64", i)
			}
		}
	},
	"B100": func(t *testing.T) {
		_, spec := serve(t, fake.Options{Window: 100})
		in := []string{"a short text", strings.Repeat("a long text. ", 20)}
		got, err := client(t, spec, openai.Options{}).Embed(t.Context(), in)
		if o := outcome(t, got, err); o != refused || got[1] != nil || !strings.Contains(err.Error(), "maximum context length") {
			t.Error(err)
		}
		fit := func(s string) []string { return []string{s[:min(90, len(s))], s[min(90, len(s)):]} }
		if got, err = client(t, spec, openai.Options{Fit: func(s string) []string {
			if len(s) > 180 {
				return append(fit(s[:180]), s[180:])
			}
			return fit(s)
		}}).Embed(t.Context(), in); err != nil || got[1] == nil {
			t.Error(err)
		}
	},
	"B101": func(t *testing.T) {
		p, spec := serve(t, fake.Options{})
		in := []string{"", "a text", " \n\t\u00a0"}
		got, err := client(t, spec, openai.Options{}).Embed(t.Context(), in)
		if o := outcome(t, got, err); o != refused || p.Counts().Texts != 1 {
			t.Errorf("%d texts sent: %v", p.Counts().Texts, err)
		}
		checkVectors(t, got, in, 0, 2)
		if _, err := client(t, spec, openai.Options{}).Embed(t.Context(), []string{""}); outcome(t, nil, err) != refused || p.Counts().Requests != 1 {
			t.Errorf("%d requests: %v", p.Counts().Requests, err)
		}
	},
	"B102": func(t *testing.T) {
		p, spec := serve(t, fake.Options{})
		in := slices.Repeat([]string{"a text", "another"}, 1000)
		got, err := client(t, spec, openai.Options{}).Embed(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		checkVectors(t, got, in)
		if n := p.Counts(); n.Texts != 2 || n.Requests != 1 {
			t.Errorf("%+v", n)
		}
		got[0][0] = 9
		if got[2][0] == 9 {
			t.Error("identical texts share memory")
		}
	},
	"B103": func(t *testing.T) {
		p, spec := serve(t, fake.Options{})
		p.Always(fake.Same)
		c := client(t, spec, openai.Options{})
		if err := embed(t, c, 8, denied); !strings.Contains(err.Error(), "the same vector for 8 different texts") {
			t.Error(err)
		}
		if _, err := c.Embed(t.Context(), texts(7)); err != nil {
			t.Errorf("seven alike are no proof: %v", err)
		}
	},
	"B104": again(fake.Scaled, 1),
}

func TestBadInputs(t *testing.T) {
	for id, test := range badInputs {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// TestBadInputsAreComplete holds the tests to the catalogue.
func TestBadInputsAreComplete(t *testing.T) {
	data, err := os.ReadFile(shared.Path(t, "data/bad-inputs.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		if f := strings.Split(line, "\t"); len(f) > 1 && strings.HasPrefix(f[1], "Vectors & embedding") {
			if n++; badInputs[f[0]] == nil {
				t.Errorf("%s has no test: %s", f[0], line)
			}
		}
	}
	if n < 28 {
		t.Errorf("%d rows, want 28", n)
	}
}

// embed embeds n texts, checks the outcome and the vectors, and returns the error.
func embed(t *testing.T, c *openai.Client, n int, want string, without ...int) error {
	t.Helper()
	got, err := c.Embed(t.Context(), texts(n))
	if o := outcome(t, got, err); o != want {
		t.Fatalf("%s, want %s: %v", o, want, err)
	}
	if want == well || want == refused {
		checkVectors(t, got, texts(n), without...)
	}
	return err
}

// victim has one text of ten hurt in every answer: it alone is refused, after it was asked for twice.
func victim(shape fake.Shape, reason string) func(*testing.T) {
	return func(t *testing.T) {
		p, spec := serve(t, fake.Options{Victim: "number 6"})
		p.Always(shape)
		err := embed(t, client(t, spec, openai.Options{}), 10, refused, 6)
		var e *embeddings.RefusedError
		if !errors.As(err, &e) || len(e.Reasons) != 1 || !strings.Contains(e.Reasons[6], reason) {
			t.Errorf("%s: %v, want %s", shape, err, reason)
		}
		if n := p.Billed("text number 6"); n != 2 || p.Billed("text number 5") != 1 {
			t.Errorf("%s: billed %d times, its neighbour %d times", shape, n, p.Billed("text number 5"))
		}
	}
}

// again has one answer hurt, after which all is well.
func again(shape fake.Shape, requests int) func(*testing.T) {
	return func(t *testing.T) {
		p, spec := serve(t, fake.Options{})
		spec.Timeout = 500 * time.Millisecond
		p.Next(shape)
		embed(t, client(t, spec, openai.Options{}), 10, well)
		if n := p.Counts().Requests; n != requests {
			t.Errorf("%s: %d requests, want %d", shape, n, requests)
		}
	}
}
