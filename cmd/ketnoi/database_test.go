package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
	"github.com/ketnoi/ketnoi/eval/demo"
)

// TestDatabase leads the program through a PostgreSQL store: ingest, both ways of retrieval with equal answers, a server
// whose index takes over, follows another process, and tells its lag, and one whose index has too little memory.
func TestDatabase(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, demo.Files()); err != nil {
		t.Fatal(err)
	}
	store := "--store=" + pgtest.Shared(t).Database(t)
	out, errs, code := ketnoi(t, dir, append([]string{store, "ingest"}, demo.Listings...)...)
	if code != 0 || !strings.Contains(out, "595 added") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	ask := func(args ...string) (a engine.Answer) {
		t.Helper()
		out, errs, code := ketnoi(t, dir, append([]string{store, "recommend", "--json", "--for", "P501"}, args...)...)
		if code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		if err := json.Unmarshal([]byte(out), &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, filter := range [][]string{nil, {"--region", "KR"}, {"--field", "4", "--trl-min", "5"}} {
		a, b := ask(append(filter, "--retrieve", "index")...), ask(filter...)
		if a.Retrieval.By != "index" || b.Retrieval.By != "database" || len(a.Items) == 0 || ids(a) != ids(b) || a.Allowed != b.Allowed {
			t.Errorf("%v: the index gives %s of %d, the database %s of %d", filter, ids(a), a.Allowed, ids(b), b.Allowed)
		}
	}

	address, stop := serving(t, dir, store)
	post := func() (a engine.Answer) {
		t.Helper()
		body := fetch(t, http.MethodPost, address+"/v1/recommendations", `{"text": "xyzzyvirus", "limit": 1}`)
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	eventually(t, "the index answers", func() bool { return post().Retrieval.By == "index" })
	write(t, dir, "new.jsonl", `{"id": "NEW", "kind": "technology", "title": "xyzzyvirus kit", "text": "a test of the xyzzyvirus", "lang": "en"}`)
	if _, errs, code := ketnoi(t, dir, store, "ingest", "new.jsonl"); code != 0 {
		t.Fatal(errs)
	}
	eventually(t, "what another process stored is found", func() bool { return strings.Contains(ids(post()), "NEW") })
	metrics := fetch(t, http.MethodGet, address+"/metrics", "")
	if !regexp.MustCompile(`(?m)^ketnoi_index_lag_seconds 0\.\d+$`).MatchString(metrics) || !strings.Contains(metrics, "ketnoi_index_listings 596") {
		t.Errorf("metrics: %s", metrics)
	}
	stop()

	address, stop = serving(t, dir, store, "--index-memory", "1")
	if a := post(); a.Retrieval.By != "database" || !strings.Contains(ids(a), "NEW") {
		t.Errorf("without memory %s answers: %s", a.Retrieval.By, ids(a))
	}
	stop()
	if _, errs, code := ketnoi(t, dir, store, "recommend", "--text", "tôm", "--retrieve", "index", "--index-memory", "1"); code != exitFailed || !strings.Contains(errs, "--retrieve database") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func ids(a engine.Answer) string {
	var out []string
	for _, item := range a.Items {
		out = append(out, fmt.Sprintf("%s %.5f", item.Listing.ID, item.Score))
	}
	return strings.Join(out, ", ")
}

// serving starts a server and returns its address, and what stops it in order.
func serving(t *testing.T, dir, store string, args ...string) (address string, stop func()) {
	t.Helper()
	cmd := program(t, dir, append([]string{store, "serve", "--addr", "127.0.0.1:0"}, args...)...)
	out := new(safeBuffer)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address = waitFor(t, out, regexp.MustCompile(`(http://127\.0\.0\.1:\d+)`))
	return address, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}

func fetch(t *testing.T, method, url, body string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s, %v", url, resp.Status, answer, err)
	}
	return string(answer)
}

// eventually waits for something that takes moments, longer on a slow machine.
func eventually(t *testing.T, what string, happens func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if happens() {
			return
		}
	}
	t.Fatalf("not in a minute: %s", what)
}
