package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/embeddings/openai/fake"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store"
)

// office is a folder with a store, and a provider of embeddings.
type office struct {
	*testing.T
	dir      string
	provider *fake.Provider
	url      string
}

func newOffice(t *testing.T, o fake.Options) *office {
	f := &office{T: t, dir: t.TempDir(), provider: fake.New(o)}
	url, stop, err := f.provider.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	f.url = url
	return f
}

// run runs the program and returns all it prints.
func (f *office) run(code int, args ...string) string {
	f.Helper()
	out, errs, got := ketnoi(f.T, f.dir, args...)
	if got != code {
		f.Fatalf("ketnoi %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got, code, out, errs)
	}
	return out + errs
}

func (f *office) reindex(code int, more ...string) string {
	f.Helper()
	return f.run(code, append([]string{"reindex", "--model", "fake", "--url", f.url, "--timeout", "2s", "--window", "8192"}, more...)...)
}

// listings writes a file of n technologies.
func (f *office) listings(name string, n int, text string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":"T%03d","kind":"technology","title":"Offer %d","lang":"en","text":"%s, number %d."}`+"\n", i, i, text, i)
	}
	return write(f.T, f.dir, name, b.String())
}

// audit checks every stored vector against the provider's for the passage it stands by, and returns how many listings have
// theirs.
func (f *office) audit(model string) (whole int) {
	f.Helper()
	s, err := store.Open(f.Context(), "sqlite:"+filepath.Join(f.dir, "ketnoi.db"))
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	err = s.Changes(f.Context(), 0, model, func(c index.Change) error {
		if c.Entry.Listing == nil || len(c.Entry.Vectors) == 0 {
			return nil
		}
		whole++
		for i, p := range c.Entry.Passages {
			want := fake.Vector(c.Entry.Listing.Matchable(p), fake.DefaultDim)
			for j := range want {
				if d := c.Entry.Vectors[i][j] - want[j]; d > 1e-5 || d < -1e-5 {
					f.Errorf("%s: passage %d has the vector of another text", c.ID, i)
					return nil
				}
			}
		}
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	return whole
}

// TestProvider: a provider's model is chosen, listings are stored and embedded, nothing is paid for twice, and the model before
// is a command away.
func TestProvider(t *testing.T) {
	f := newOffice(t, fake.Options{Batch: 32})
	if out := f.reindex(exitOK, "--price", "2"); !strings.Contains(out, "fake is active now") {
		t.Errorf("chosen: %s", out)
	}
	f.listings("a.jsonl", 100, "A sensor for shrimp ponds")
	if out := f.run(exitOK, "ingest", "a.jsonl", "--dry-run"); !strings.Contains(out, "100 passages to embed, about ") || !strings.Contains(out, "which cost about") {
		t.Errorf("a dry run: %s", out)
	}
	probes := f.provider.Counts().Texts
	if out := f.run(exitOK, "ingest", "a.jsonl"); !strings.Contains(out, "100 added") || !strings.Contains(out, "tokens, which cost") {
		t.Errorf("ingested: %s", out)
	}
	if n := f.audit("fake"); n != 100 {
		t.Errorf("%d of 100 have vectors", n)
	}
	if n := f.provider.Counts().Texts - probes; n > 101 { // one more asks whether the provider is well
		t.Errorf("%d texts were paid for", n)
	}
	// Unchanged listings, changed ones whose passage is the same, and a text that another listing has cost nothing.
	before := f.provider.Counts().Texts
	f.run(exitOK, "ingest", "a.jsonl")
	body, err := os.ReadFile(filepath.Join(f.dir, "a.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, f.dir, "b.jsonl", strings.ReplaceAll(string(body), `"lang":"en"`, `"lang":"en","trl":5`)+`{"id":"copy","kind":"technology","title":"Offer 7","lang":"en","text":"A sensor for shrimp ponds, number 7."}`+"\n")
	if out := f.run(exitOK, "ingest", "b.jsonl"); !strings.Contains(out, "1 added, 100 changed") {
		t.Errorf("changed: %s", out)
	}
	if n := f.audit("fake"); n != 101 || f.provider.Counts().Texts != before {
		t.Errorf("%d of 101 have vectors, %d texts were paid for again", n, f.provider.Counts().Texts-before)
	}
	// A thousand equal texts, worked by several jobs at once, are one.
	before = f.provider.Counts().Texts
	write(t, f.dir, "same.jsonl", sameTexts(1_000))
	f.run(exitOK, "ingest", "same.jsonl")
	if n := f.provider.Counts().Texts - before; n > 2 {
		t.Errorf("a thousand equal texts were paid for %d times", n)
	}
	if out := f.run(exitOK, "reindex"); !strings.Contains(out, "active   fake: 32 dimensions") || !strings.Contains(out, "before   lexicon") {
		t.Errorf("models: %s", out)
	}
	if out := f.run(exitOK, "reindex", "--back"); !strings.Contains(out, "lexicon") || !strings.Contains(out, "is active now") {
		t.Errorf("back: %s", out)
	}
	if out := f.run(exitOK, "recommend", "--text", "shrimp pond sensor", "--json"); !strings.Contains(out, `"model": "lexicon`) {
		t.Errorf("after going back: %.300s", out)
	}
	if f.reindex(exitOK); f.provider.Counts().Texts > before+2 {
		t.Errorf("%d texts were paid for by going forth again", f.provider.Counts().Texts-before)
	}
	f.run(exitFailed, "reindex", "--forget", "fake")
	f.run(exitOK, "reindex", "--back")
	if f.run(exitOK, "reindex", "--forget", "fake"); f.audit("fake") != 0 {
		t.Error("forgotten vectors are there")
	}
}

func sameTexts(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":"S%04d","kind":"technology","title":"Pump","lang":"en","text":"The same pump everywhere."}`+"\n", i)
	}
	return b.String()
}

// TestProviderRefuses: a text that the model does not take leaves its listing without vectors, visibly, and the others with
// theirs; a provider that refuses everything is told at once.
func TestProviderRefuses(t *testing.T) {
	f := newOffice(t, fake.Options{Victim: "number 13."})
	f.reindex(exitOK)
	f.listings("a.jsonl", 40, "A sensor for shrimp ponds")
	f.provider.Always(fake.BadRequest)
	if out := f.run(exitRejected, "ingest", "a.jsonl"); !strings.Contains(out, "1 listings failed") {
		t.Errorf("ingested: %s", out)
	}
	if n := f.audit("fake"); n != 39 {
		t.Errorf("%d of 39 have vectors", n)
	}
	if out := f.run(exitRejected, "ingest", "status"); !strings.Contains(out, "failed: T013: passage 1, ") || !strings.Contains(out, "ketnoi ingest retry") {
		t.Errorf("status: %s", out)
	}
	f.run(exitRejected, "ingest", "retry", "T013")
	f.provider.Always(fake.Good)
	if out := f.run(exitOK, "ingest", "retry"); !strings.Contains(out, "1 listings are tried again") || f.audit("fake") != 40 {
		t.Errorf("retried: %s", out)
	}
	if out := f.run(exitOK, "ingest", "retry"); !strings.Contains(out, "nothing has failed") {
		t.Errorf("again: %s", out)
	}

	g := newOffice(t, fake.Options{Key: "right"})
	if out := g.reindex(exitFailed); !strings.Contains(out, "401") {
		t.Errorf("without a key: %s", out)
	}
	t.Setenv("KETNOI_EMBED_KEY", "right")
	g.reindex(exitOK)
	g.listings("a.jsonl", 3, "A pump")
	t.Setenv("KETNOI_EMBED_KEY", "wrong-key")
	began := time.Now()
	if out := g.run(exitRejected, "ingest", "a.jsonl"); !strings.Contains(out, "3 added") || !strings.Contains(out, "3 listings are stored and wait") || strings.Contains(out, "wrong-key") || time.Since(began) > 20*time.Second {
		t.Errorf("with a wrong key, after %s: %s", time.Since(began), out)
	}
	t.Setenv("KETNOI_EMBED_KEY", "right")
	if out := g.run(exitOK, "recommend", "--text", "a pump for water", "--json"); !strings.Contains(out, "T00") {
		t.Errorf("by words: %.300s", out)
	}
	t.Setenv("KETNOI_FORBID_FOREIGN", "1")
	if out := g.run(exitFailed, "reindex", "--model", "m", "--url", "https://api.example.com/v1"); !strings.Contains(out, "outside of your network") {
		t.Errorf("a foreign address: %s", out)
	}
}

// TestProviderAway: a server answers free texts by words while the provider is away, marks the answers, and recovers by itself;
// listings that come in wait and get their vectors then.
func TestProviderAway(t *testing.T) {
	f := newOffice(t, fake.Options{})
	f.reindex(exitOK)
	f.listings("a.jsonl", 20, "A sensor for shrimp ponds")
	f.run(exitOK, "ingest", "a.jsonl")
	cmd := program(t, f.dir, "serve", "--addr", "127.0.0.1:0")
	var out safeBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	address := waitFor(t, &out, servedOn)
	n := 0
	ask := func(q string) (a engine.Answer) {
		t.Helper()
		body, status := post(t, address+"/v1/recommendations", q)
		if status != 200 {
			t.Fatalf("status %d: %s", status, body)
		}
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	free := func() engine.Answer {
		n++
		return ask(fmt.Sprintf(`{"text":"sensor for a shrimp pond %d","want":["technology"]}`, n))
	}
	if a := free(); a.Degraded || a.Model != "fake" || len(a.Items) == 0 {
		t.Errorf("well: %+v", a)
	}
	f.provider.Always(fake.BadGateway)
	for range 8 {
		if a := free(); !a.Degraded || a.Reason == "" || len(a.Items) == 0 {
			t.Fatalf("away: %+v", a)
		}
	}
	if a := ask(`{"for":"T001","want":["technology"]}`); a.Degraded {
		t.Errorf("a stored listing needs no provider: %+v", a)
	}
	if ready, _ := get(t, address+"/readyz"); !strings.Contains(string(ready), `"provider":"fails"`) {
		t.Errorf("ready: %s", ready)
	}
	write(t, f.dir, "b.jsonl", `{"id":"N1","kind":"technology","title":"New","lang":"en","text":"A new aerator for shrimp ponds."}`+"\n")
	f.run(exitOK, "ingest", "b.jsonl", "--no-wait")
	f.provider.Always(fake.Good)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		ready, _ := get(t, address+"/readyz")
		if a := free(); !a.Degraded && strings.Contains(string(ready), `"waiting":0`) && f.audit("fake") == 21 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("not recovered: %s, %d have vectors\n%s", ready, f.audit("fake"), out.String())
		}
	}
	// The server changes over with the store, and back, without a failed answer.
	f.run(exitOK, "reindex", "--back")
	for end := time.Now().Add(20 * time.Second); !strings.HasPrefix(free().Model, "lexicon"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still by the old model\n%s", out.String())
		}
	}
	f.reindex(exitOK)
	for end := time.Now().Add(20 * time.Second); free().Model != "fake"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still by the old model\n%s", out.String())
		}
	}
}

// TestKilledWhileEmbedding: an ingest that is killed goes on where it was, in another process.
func TestKilledWhileEmbedding(t *testing.T) {
	slowRaced(t)
	f := newOffice(t, fake.Options{Latency: 100 * time.Millisecond})
	f.reindex(exitOK, "--batch", "8", "--concurrency", "2")
	f.listings("a.jsonl", 400, "A sensor for shrimp ponds")
	cmd := program(t, f.dir, "ingest", "a.jsonl")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); f.provider.Counts().Texts < 60; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing is embedded")
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	began := time.Now()
	f.run(exitOK, "ingest", "work")
	if time.Since(began) > time.Minute+5*time.Second {
		t.Errorf("the work of the killed process is found after %s", time.Since(began))
	}
	c := f.provider.Counts()
	if n := f.audit("fake"); n != 400 || c.Texts-c.Distinct > 2*8 {
		t.Errorf("%d of 400 have vectors, %d texts were paid for again, of 2 x 8 under way", n, c.Texts-c.Distinct)
	}
}

var servedOn = regexp.MustCompile(`on (http://127\.0\.0\.1:\d+)`)

func get(t *testing.T, url string) ([]byte, int) {
	t.Helper()
	resp, err := http.Get(url)
	return answered(t, resp, err)
}

func post(t *testing.T, url, body string) ([]byte, int) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	return answered(t, resp, err)
}

func answered(t *testing.T, resp *http.Response, err error) ([]byte, int) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body, resp.StatusCode
}
