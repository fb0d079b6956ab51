package main

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/api"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/eval/shared"
)

// badBench is what the rows of the catalogue are tried on: the program on files, and the handler over real HTTP.
type badBench struct {
	*testing.T
	dir    string
	server *httptest.Server
}

const okText = "Nước thải nuôi tôm bị ô nhiễm"

// ask posts a body and returns status and answer; no row may crash the server or get a 5xx.
func (b *badBench) ask(body string, header ...string) (int, string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, b.server.URL+"/v1/recommendations", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.do(req)
}

func (b *badBench) do(req *http.Request) (int, string) {
	b.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	if resp.StatusCode >= 500 {
		b.Errorf("status %d: %s", resp.StatusCode, answer)
	}
	if resp.StatusCode >= 400 && resp.Header.Get("Content-Type") != "application/problem+json" {
		b.Errorf("a refusal comes as %s: %s", resp.Header.Get("Content-Type"), answer)
	}
	return resp.StatusCode, string(answer)
}

// refused expects a status for each body.
func (b *badBench) refused(status int, bodies ...string) {
	b.Helper()
	for _, body := range bodies {
		if got, answer := b.ask(body); got != status {
			b.Errorf("%.80q: status %d, want %d: %s", body, got, status, answer)
		}
	}
}

func (b *badBench) accepted(bodies ...string) {
	b.Helper()
	b.refused(http.StatusOK, bodies...)
}

// ingest runs the program on one file with a store of its own.
func (b *badBench) ingest(name, content string, args ...string) (said string, code int) {
	b.Helper()
	write(b.T, b.dir, name, content)
	_ = os.Remove(filepath.Join(b.dir, "bad.db"))
	out, errs, code := ketnoi(b.T, b.dir, append([]string{"--store", "sqlite:bad.db", "ingest", name}, args...)...)
	b.clean(out + errs)
	return out + errs, code
}

// rejects expects exit 1, a line number and a word in what is said, and nothing stored.
func (b *badBench) rejects(name, content, want string) {
	b.Helper()
	said, code := b.ingest(name, content)
	if code != exitRejected || !strings.Contains(said, want) || !strings.Contains(said, name+":") || len(b.listings()) > 0 {
		b.Errorf("exit %d, %v stored, said %s", code, b.listings(), said)
	}
}

// takes expects exit 0 and returns the listing as it is stored.
func (b *badBench) takes(name, content string) *engine.Listing {
	b.Helper()
	said, code := b.ingest(name, content)
	list := b.listings()
	if code != exitOK || len(list) != 1 {
		b.Fatalf("exit %d, %d stored, said %s", code, len(list), said)
	}
	return list[0]
}

func (b *badBench) listings() (out []*engine.Listing) {
	b.Helper()
	if _, err := os.Stat(filepath.Join(b.dir, "bad.db")); err != nil {
		return nil
	}
	s, err := store.Open(b.Context(), "sqlite:"+filepath.Join(b.dir, "bad.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var ids []string
	if err := (&house{store: s}).eachListing(b.Context(), func(id string, _, _ int) { ids = append(ids, id) }); err != nil {
		b.Fatal(err)
	}
	entries, err := s.Entries(b.Context(), ids, "")
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Listing)
	}
	return out
}

// badInputs is every row of the shared catalogue in the groups Encoding, Unicode, JSON and CSV, by its id.
var badInputs = func() map[string]func(*badBench) {
	all := maps.Clone(badTexts)
	maps.Copy(all, badFiles)
	return all
}()

// notMetYet are the rows that no command and no endpoint can meet so far, and why.
var notMetYet = map[string]string{
	"B128": "nothing is exported to CSV yet",
	"B129": "nothing is exported to CSV yet",
}

// clean fails when what was said could steer a terminal, or show something else than it is.
func (b *badBench) clean(said string) {
	b.Helper()
	if i := strings.IndexFunc(said, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		b.Errorf("a character that does not show is printed at %d: %+.200q", i, said[max(0, i-20):])
	}
}

// extra expects a listing's extra values as JSON.
func (b *badBench) extra(l *engine.Listing, want string) {
	b.Helper()
	if got, err := json.Marshal(l.Extra, json.Deterministic(true)); err != nil || string(got) != want {
		b.Errorf("extra is %+q (%v), want %s", got, err, want)
	}
}

func TestBadInputs(t *testing.T) {
	slowRaced(t)
	dir := demoStoreIn(t)
	c := &config{store: "sqlite:" + filepath.Join(dir, "ketnoi-demo.db")}
	h, err := c.ready(t.Context(), io.Discard, byIndex)
	if err != nil {
		t.Fatal(err)
	}
	defer h.store.Close()
	server := httptest.NewServer(api.New(api.Options{Recommender: h, State: h.state}))
	defer server.Close()
	for _, id := range slices.Sorted(mapKeys(badInputs)) {
		t.Run(id, func(t *testing.T) { badInputs[id](&badBench{T: t, dir: t.TempDir(), server: server}) })
	}
	before := time.Now()
	b := &badBench{T: t, dir: dir, server: server}
	b.accepted(`{"text":"` + okText + `"}`)
	if time.Since(before) > 5*time.Second {
		t.Error("the server is slow after all this")
	}
}

func mapKeys[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// TestBadInputsAreAllThere compares the table with the shared catalogue.
func TestBadInputsAreAllThere(t *testing.T) {
	data, err := os.ReadFile(shared.Path(t, "data/bad-inputs.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, line := range strings.Split(string(data), "\n")[1:] {
		f := strings.Split(line, "\t")
		if len(f) < 4 {
			continue
		}
		group, _, _ := strings.Cut(f[1], " ")
		if !slices.Contains([]string{"Encoding", "Unicode", "JSON", "CSV/files"}, group) {
			continue
		}
		rows++
		_, tested := badInputs[f[0]]
		_, excused := notMetYet[f[0]]
		if tested == excused {
			t.Errorf("%s (%s): tested %v, excused %v", f[0], f[2], tested, excused)
		}
	}
	if rows != len(badInputs)+len(notMetYet) {
		t.Errorf("%d rows in the catalogue, %d here", rows, len(badInputs)+len(notMetYet))
	}
}
