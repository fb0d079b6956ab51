package openai_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/openai"
	"github.com/ketnoi/ketnoi/embeddings/openai/fake"
)

const key = "sk-a-key-that-nobody-may-see"

// serve starts a provider, which asks for the key.
func serve(t testing.TB, o fake.Options) (*fake.Provider, embeddings.Spec) {
	t.Helper()
	o.Key = key
	p := fake.New(o)
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return p, embeddings.Spec{Provider: embeddings.OpenAI, URL: s.URL + "/v1", Model: fake.DefaultModel, Dim: fake.DefaultDim, Timeout: 5 * time.Second}
}

// client fills in waits that are short.
func client(t testing.TB, spec embeddings.Spec, o openai.Options) *openai.Client {
	t.Helper()
	if o.Backoff == 0 {
		o.Backoff = time.Millisecond
	}
	c, err := openai.New(spec, key, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func texts(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("text number %d", i)
	}
	return out
}

// checkVectors compares vectors with those that the provider has for the texts; the texts in without have none.
func checkVectors(t testing.TB, got [][]float32, texts []string, without ...int) {
	t.Helper()
	if len(got) != len(texts) {
		t.Fatalf("%d vectors for %d texts", len(got), len(texts))
	}
	missing := map[int]bool{}
	for _, i := range without {
		missing[i] = true
	}
	for i, v := range got {
		if missing[i] {
			if v != nil {
				t.Errorf("text %d has a vector", i)
			}
			continue
		}
		checkVector(t, fmt.Sprintf("text %d", i), v, fake.Vector(texts[i], fake.DefaultDim))
	}
}

func checkVector(t testing.TB, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d dimensions, want %d", what, len(got), len(want))
	}
	for j := range want {
		if math.Abs(float64(got[j]-want[j])) > 1e-6 {
			t.Fatalf("%s has another vector: element %d is %v, want %v", what, j, got[j], want[j])
		}
	}
}

// Outcomes of Embed.
const (
	well        = "well"
	refused     = "refused" // one or more texts, with the vectors of the others
	denied      = "denied"
	unavailable = "unavailable"
)

// outcome names an error, and checks that it can be shown to anybody.
func outcome(t testing.TB, got [][]float32, err error) string {
	t.Helper()
	if err == nil {
		return well
	}
	if s := err.Error(); strings.Contains(s, key) || len([]rune(s)) > 500 || strings.ContainsFunc(s, unicode.IsControl) || strings.ContainsRune(s, '\u202e') {
		t.Errorf("an error unfit to show: %q", s)
	}
	if errors.As(err, new(*embeddings.RefusedError)) {
		return refused
	}
	if got != nil {
		t.Errorf("vectors beside %v", err)
	}
	switch {
	case errors.As(err, new(*embeddings.UnavailableError)):
		return unavailable
	case errors.Is(err, embeddings.ErrDenied):
		return denied
	}
	return err.Error()
}

func TestShapes(t *testing.T) {
	type want struct {
		outcome  string
		requests int
	}
	type wants struct{ once, always want }
	is := func(outcome string, n int, always string, m int) wants {
		return wants{want{outcome, n}, want{always, m}}
	}
	const many = -1
	for shape, w := range map[fake.Shape]wants{
		fake.Shuffled: is(well, 1, well, 1), fake.NoIndex: is(well, 1, well, 1), fake.Scaled: is(well, 1, well, 1),
		fake.Base64: is(well, 1, well, 1), fake.Floats: is(well, 1, well, 1),

		// A row that is missing is asked for until nothing comes; one that is unusable, once.
		fake.Short: is(well, 2, refused, 3), fake.NullRow: is(well, 2, refused, 3),
		fake.NullVector: is(well, 2, refused, 2), fake.NullElement: is(well, 2, refused, 2), fake.NaN: is(well, 2, refused, 2),
		fake.Infinite: is(well, 2, refused, 2), fake.Base64NaN: is(well, 2, refused, 2), fake.Base64Cut: is(well, 2, refused, 2),
		fake.Overflow: is(well, 2, refused, 2), fake.Text: is(well, 2, refused, 2), fake.Underflow: is(well, 2, refused, 2),
		fake.Tiny: is(well, 2, refused, 2), fake.Huge: is(well, 2, refused, 2), fake.Zero: is(well, 2, refused, 2),
		fake.OneWider: is(well, 2, refused, 2), fake.NoRows: is(well, 2, denied, 3),

		// An answer that is wrong as a whole is a failure; five of them open the breaker.
		fake.DuplicateIndex: is(well, 2, unavailable, 5), fake.BeyondIndex: is(well, 2, unavailable, 5),
		fake.NegativeIndex: is(well, 2, unavailable, 5), fake.TextIndex: is(well, 2, unavailable, 5),
		fake.Error200: is(well, 2, unavailable, 5), fake.Empty200: is(well, 2, unavailable, 5), fake.NotJSON: is(well, 2, unavailable, 5),
		fake.Cut: is(well, 2, unavailable, 5), fake.ManyRows: is(well, 2, unavailable, 5),
		fake.AllWider: is(denied, 1, denied, 1), fake.Same: is(denied, 1, denied, 1),

		// A refusal is verified by the probe; then the batch is sent by halves.
		fake.BadRequest: is(well, 4, denied, 2), fake.TooLarge: is(well, 4, denied, 2), fake.Unprocessable: is(well, 4, denied, 2),

		fake.Unauthorized: is(denied, 1, denied, 1), fake.Forbidden: is(denied, 1, denied, 1), fake.UnknownModel: is(denied, 1, denied, 1),
		fake.NoQuota: is(denied, 1, denied, 1), fake.Redirect: is(denied, 1, denied, 1),

		fake.Busy: is(well, 2, unavailable, many), fake.BusySilent: is(well, 2, unavailable, many),
		fake.BusyUntil: is(unavailable, 1, unavailable, 1), fake.BusyForever: is(unavailable, 1, unavailable, 1),

		fake.Error500: is(well, 2, unavailable, 5), fake.BadGateway: is(well, 2, unavailable, 5), fake.Unavailable: is(well, 2, unavailable, 5),
		fake.Hang: is(well, 2, unavailable, 5), fake.Drip: is(well, 2, unavailable, 5),
		fake.Reset: is(well, 2, unavailable, 5), fake.Dropped: is(well, 2, unavailable, 5),
	} {
		try := func(t *testing.T, want want, set func(*fake.Provider)) {
			t.Parallel()
			p, spec := serve(t, fake.Options{RetryAfter: "0.02"})
			o := openai.Options{Patience: 5 * time.Second, Recovery: time.Minute}
			switch shape {
			case fake.Hang, fake.Drip:
				spec.Timeout = 200 * time.Millisecond
			case fake.Busy, fake.BusySilent:
				o.Patience = 300 * time.Millisecond
			}
			c := client(t, spec, o)
			set(p)
			in := texts(10)
			got, err := c.Embed(t.Context(), in)
			n := p.Counts().Requests
			if o := outcome(t, got, err); o != want.outcome || n != want.requests && (want.requests != many || n < 2) {
				t.Fatalf("%s after %d requests, want %s after %d (%v)", o, n, want.outcome, want.requests, err)
			}
			switch want.outcome {
			case well:
				checkVectors(t, got, in)
			case refused:
				checkVectors(t, got, in, 9)
			}
			breaker := "closed"
			if want.requests == 5 {
				breaker = "open"
			}
			if s := c.State(); s.Breaker != breaker || (s.Reason == "") != (want.outcome == well || want.outcome == refused || err != nil && strings.Contains(err.Error(), "cannot be used")) || strings.Contains(s.Reason, key) {
				t.Errorf("the state is %+v after %v", s, err)
			}
		}
		t.Run(string(shape)+"/once", func(t *testing.T) { try(t, w.once, func(p *fake.Provider) { p.Next(shape) }) })
		t.Run(string(shape)+"/always", func(t *testing.T) { try(t, w.always, func(p *fake.Provider) { p.Always(shape) }) })
	}
}

// TestErrors holds the words of errors to what the provider said, short and clean.
func TestErrors(t *testing.T) {
	for shape, want := range map[fake.Shape]string{
		fake.Error500:      "the embedding provider does not answer: 500 Internal Server Error: out of [31m memory xxx",
		fake.BadGateway:    "the embedding provider does not answer: 502 Bad Gateway",
		fake.Unprocessable: "the embedding provider cannot be used: it refuses every text: 422 Unprocessable Entity: the text is refused",
		fake.Forbidden:     "the embedding provider refuses us: 403 Forbidden: this key may not embed",
		fake.Unauthorized:  "the embedding provider refuses us: 401 Unauthorized: Incorrect API key provided: Bearer [key]",
		fake.UnknownModel:  "the embedding provider refuses us: 404 Not Found: The model does not exist",
		fake.Redirect:      "the embedding provider refuses us: 307 Temporary Redirect, which is not followed",
		fake.NoQuota:       "the embedding provider refuses us: 429 Too Many Requests: You exceeded your current quota",
		fake.Error200:      "the embedding provider does not answer: an error in place of vectors: the backend is gone",
		fake.Empty200:      "the embedding provider does not answer: an empty answer",
		fake.Reset:         "the embedding provider does not answer: an answer that breaks off: ",
		fake.BeyondIndex:   "the embedding provider does not answer: a row numbered 1 for texts 0 to 0",
		fake.Hang:          "the embedding provider does not answer: no answer within 50ms",
		fake.Zero:          "the embedding provider cannot be used: it has no usable vector for any text: its vector has the length 0",
		fake.AllWider:      "the embedding provider cannot be used: it gives 33 dimensions instead of 32: if the model has changed",
		fake.NaN:           "the embedding provider cannot be used: it has no usable vector for any text: element 1 of its vector is no number",
		fake.Overflow:      "the embedding provider cannot be used: it has no usable vector for any text: element 1 of its vector is 1e39, too large",
	} {
		t.Run(string(shape), func(t *testing.T) {
			p, spec := serve(t, fake.Options{})
			p.Always(shape)
			if shape == fake.Hang {
				spec.Timeout = 50 * time.Millisecond
			}
			c := client(t, spec, openai.Options{Patience: time.Nanosecond})
			got, err := c.Embed(t.Context(), texts(1))
			if outcome(t, got, err) == well || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

func TestNew(t *testing.T) {
	good := embeddings.Spec{Provider: embeddings.OpenAI, URL: "http://127.0.0.1:1/v1", Model: "m"}
	for name, tc := range map[string]struct {
		change func(*embeddings.Spec)
		key    string
		want   string
	}{
		"lexicon":        {func(s *embeddings.Spec) { s.Provider = embeddings.Lexicon }, "", "want openai or azure"},
		"no address":     {func(s *embeddings.Spec) { s.URL = "" }, "", "url"},
		"key in address": {func(s *embeddings.Spec) { s.URL += "?api_key=1" }, "", "url"},
		"widths":         {func(s *embeddings.Spec) { s.Dim, s.Dimensions = 1024, 256 }, "", "dimensions 256"},
		"line break":     {func(*embeddings.Spec) {}, "sk-1\n", "line break"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := good
			tc.change(&spec)
			if _, err := openai.New(spec, tc.key, openai.Options{}); err == nil || !strings.Contains(err.Error(), tc.want) || tc.key != "" && strings.Contains(err.Error(), tc.key) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
	c, err := openai.New(good, "", openai.Options{})
	if err != nil || c.Model() != "m" || c.Dim() != 0 {
		t.Errorf("%v: model %q of %d dimensions", err, c.Model(), c.Dim())
	}
}

func TestProbe(t *testing.T) {
	p, spec := serve(t, fake.Options{})
	spec.Dim = 0
	c := client(t, spec, openai.Options{})
	dim, err := c.Probe(t.Context())
	if err != nil || dim != fake.DefaultDim || c.Dim() != dim || p.Counts().Requests != 1 {
		t.Errorf("%d dimensions after %d requests: %v", dim, p.Counts().Requests, err)
	}
	p.Always(fake.AllWider)
	if got, err := c.Embed(t.Context(), texts(2)); outcome(t, got, err) != denied {
		t.Errorf("another width than learned: %v", err)
	}
	p.Always(fake.Unauthorized)
	if _, err := client(t, spec, openai.Options{}).Probe(t.Context()); !errors.Is(err, embeddings.ErrDenied) {
		t.Errorf("probed without the right: %v", err)
	}
}

func TestAzure(t *testing.T) {
	p, spec := serve(t, fake.Options{Model: "my deployment"})
	spec.Provider, spec.Model, spec.APIVersion = embeddings.Azure, "my deployment", "2024-10-21"
	spec.URL = strings.TrimSuffix(spec.URL, "/v1")
	got, err := client(t, spec, openai.Options{}).Embed(t.Context(), texts(3))
	if err != nil {
		t.Fatal(err)
	}
	checkVectors(t, got, texts(3))
	if p.Counts().Requests != 1 {
		t.Errorf("%d requests", p.Counts().Requests)
	}
}

func TestDimensionsAreAskedOnlyIfWanted(t *testing.T) {
	for name, tc := range map[string]struct {
		asked      int
		dimensions int
		encoding   string
		want       string
		dim        int
	}{
		"not asked of one that refuses": {fake.Refuse, 0, "", well, 32},
		"asked of one that refuses":     {fake.Refuse, 16, "", denied, 16},
		"encoding, refused":             {fake.Refuse, 0, "float", denied, 0},
		"asked of one that heeds":       {fake.Honour, 16, "base64", well, 16},
		"asked of one that does not":    {fake.Ignore, 16, "", denied, 16},
		"base64 of one that does not":   {fake.Ignore, 0, "base64", well, 32},
	} {
		t.Run(name, func(t *testing.T) {
			_, spec := serve(t, fake.Options{Asked: tc.asked})
			spec.Dim, spec.Dimensions, spec.Encoding = 0, tc.dimensions, tc.encoding
			c := client(t, spec, openai.Options{})
			got, err := c.Embed(t.Context(), texts(3))
			if o := outcome(t, got, err); o != tc.want || c.Dim() != tc.dim {
				t.Errorf("%s of %d dimensions, want %s of %d: %v", o, c.Dim(), tc.want, tc.dim, err)
			}
			if tc.asked == fake.Ignore && tc.want == denied && !strings.Contains(err.Error(), "asked for 16 dimensions it gives 32") {
				t.Error(err)
			}
		})
	}
}

func TestPrefixAndMeter(t *testing.T) {
	p, spec := serve(t, fake.Options{})
	spec.Prefix, spec.Batch, spec.Concurrency = "passage: ", 4, 1
	var requests, sent, tokens int
	c := client(t, spec, openai.Options{Meter: func(r, n, k int) { requests, sent, tokens = requests+r, sent+n, tokens+k }})
	p.Next(fake.Error500)
	got, err := c.Embed(t.Context(), texts(10))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range texts(10) {
		checkVector(t, s, got[i], fake.Vector("passage: "+s, fake.DefaultDim))
	}
	n := p.Counts()
	if requests != 3 || n.Requests != 4 || sent != 10 || tokens != n.Tokens || tokens == 0 {
		t.Errorf("%d requests, %d texts, %d tokens metered of %+v", requests, sent, tokens, n)
	}
}

func TestFit(t *testing.T) {
	p, spec := serve(t, fake.Options{Window: 20})
	c := client(t, spec, openai.Options{Fit: func(s string) []string { return strings.SplitAfter(s, ". ") }})
	in := []string{"A short one.", "First sentence. Second sentence. ", "Second sentence. A sentence that is too long."}
	got, err := c.Embed(t.Context(), in)
	if o := outcome(t, got, err); o != refused || !strings.Contains(err.Error(), "text 2 is refused: part 2 of 2: 400 Bad Request: This model's maximum context length is 20") {
		t.Fatal(err)
	}
	checkVector(t, "a short text", got[0], fake.Vector(in[0], fake.DefaultDim))
	a, b := fake.Vector("First sentence. ", fake.DefaultDim), fake.Vector("Second sentence. ", fake.DefaultDim)
	mean, sum := make([]float32, len(a)), 0.0
	for i := range a {
		sum += math.Pow(float64(a[i])+float64(b[i]), 2)
	}
	for i := range a {
		mean[i] = float32((float64(a[i]) + float64(b[i])) / math.Sqrt(sum))
	}
	checkVector(t, "a text of two parts", got[1], mean)
	if got[2] != nil || p.Billed("Second sentence. ") != 1 {
		t.Errorf("a text with a part that is refused: %v; its other part is billed %d times", got[2], p.Billed("Second sentence. "))
	}
}

func TestCancelledIsNoFailure(t *testing.T) {
	p, spec := serve(t, fake.Options{})
	p.Always(fake.Hang)
	c := client(t, spec, openai.Options{})
	for range 7 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		got, err := c.Embed(ctx, texts(1))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(*embeddings.UnavailableError)) || got != nil {
			t.Fatal(err)
		}
	}
	if s := c.State(); s.Breaker != "closed" || s.Reason != "" {
		t.Errorf("%+v", s)
	}
}
