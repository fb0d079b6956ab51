package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/ingest"
)

// TestIngestSaysAll prints an error for each bad record to a log, some of them to a terminal, and what they have in common.
func TestIngestSaysAll(t *testing.T) {
	dir := t.TempDir()
	var content strings.Builder
	const n = maxIssues + 100
	for i := range n {
		fmt.Fprintf(&content, `{"id":"a%d","kind":"expert","title":"T","text":"Nuôi tôm","centre":"X"}`+"\n", i)
	}
	write(t, dir, "x.jsonl", content.String())
	write(t, dir, "y.jsonl", content.String()+record("b", "T", okText))
	const alike = "x.jsonl: all 300 records were refused over centre: unknown key"
	_, errs, code := ketnoi(t, dir, "ingest", "x.jsonl", "y.jsonl")
	if got := strings.Count(errs, "error: "); code != exitRejected || got != 2*n || !strings.Contains(errs, alike) || strings.Contains(errs, "y.jsonl: all") || strings.Contains(errs, "more of these") {
		t.Errorf("exit %d, %d errors: %.300s … %s", code, got, errs, errs[max(0, len(errs)-300):])
	}
	screen, err := os.Create(filepath.Join(dir, "screen"))
	if err != nil {
		t.Fatal(err)
	}
	defer func(was *os.File) { os.Stderr = was }(os.Stderr)
	os.Stderr = screen
	c := &config{interactive: true, dryRun: true}
	err = c.ingestFiles(t.Context(), &ingest.Run{DryRun: true}, []string{filepath.Join(dir, "x.jsonl")})
	shown, _ := os.ReadFile(screen.Name())
	if got := strings.Count(string(shown), "error: "); err == nil || got != maxIssues || !strings.Contains(string(shown), "… and 100 more of these; with 2> FILE") || !strings.Contains(string(shown), alike) {
		t.Errorf("%v, %d errors on a terminal: %s", err, got, shown[max(0, len(shown)-600):])
	}
}

// TestIngestCut ends a packed file early: what was read before is stored, and the exit code says so.
func TestIngestCut(t *testing.T) {
	dir := t.TempDir()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for i := range 2000 {
		fmt.Fprintf(z, `{"id":"a%d","kind":"expert","title":"T%x","text":"Nuôi tôm %x"}`+"\n", i, i*i*i, i*i*i*i)
	}
	z.Close()
	broken := append([]byte{}, packed.Bytes()...)
	broken[len(broken)-6] ^= 0xFF // the checksum
	for _, tc := range []struct {
		name    string
		content []byte
		code    int
		want    string
	}{
		{"whole", packed.Bytes(), exitOK, "2000 added"},
		{"cut", packed.Bytes()[:packed.Len()*3/4], exitRejected, "cut.jsonl.gz: the file ends too early (a cut gzip?)"},
		{"stub", packed.Bytes()[:12], exitFailed, "stub.jsonl.gz: the file ends too early (a cut gzip?)"},
		{"head", packed.Bytes()[:5], exitFailed, "head.jsonl.gz: the file ends too early (a cut gzip?)"},
		{"broken", broken, exitRejected, "broken.jsonl.gz: the gzip file is damaged: gzip: invalid checksum"},
	} {
		write(t, dir, tc.name+".jsonl.gz", string(tc.content))
		out, errs, code := ketnoi(t, dir, "--store", "sqlite:"+tc.name+".db", "ingest", tc.name+".jsonl.gz")
		if code != tc.code || !strings.Contains(out+errs, tc.want) {
			t.Errorf("%s: exit %d, want %d and …%s…: %s%s", tc.name, code, tc.code, tc.want, out, errs)
		}
		again, _, code := ketnoi(t, dir, "--store", "sqlite:"+tc.name+".db", "ingest", tc.name+".jsonl.gz")
		if code != tc.code || !strings.Contains(again, " 0 added, 0 changed") {
			t.Errorf("%s again: exit %d, want %d: %s", tc.name, code, tc.code, again)
		}
	}
}

// TestIngestInterrupted stops an ingest as Ctrl-C does, once something is stored.
func TestIngestInterrupted(t *testing.T) {
	dir := t.TempDir()
	var content strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&content, `{"id":"K%05d","kind":"expert","title":"Expert %d","lang":"en","text":"Early detection of white spot disease in shrimp ponds, study %d."}`+"\n", i, i, i)
	}
	write(t, dir, "x.jsonl", content.String())
	var out safeBuffer
	cmd := program(t, dir, "ingest", "x.jsonl")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); len(stored(t, dir, "sqlite:ketnoi.db")) == 0 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	if n := len(stored(t, dir, "sqlite:ketnoi.db")); n == 20_000 {
		t.Skip("this machine is done before it can be stopped")
	} else if code := cmd.ProcessState.ExitCode(); code != exitRejected || !strings.Contains(out.String(), "stopped; ") || !strings.Contains(out.String(), fmt.Sprintf("stored: %d added", n)) {
		t.Errorf("exit %d, %d stored: %s", code, n, out.String())
	}
}

// TestReadersMakeNoStore mistypes the store's address.
func TestReadersMakeNoStore(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "topics.jsonl", `{"id":"1","title":"tôm","text":"nuôi tôm"}`+"\n")
	write(t, dir, "qrels.txt", "1 0 a 1\n")
	for _, args := range [][]string{
		{"recommend", "--text", "nuôi tôm"}, {"eval", "--topics", "topics.jsonl", "--qrels", "qrels.txt"}, {"bench"}, {"doctor"}, {"serve", "--addr", "127.0.0.1:0"},
	} {
		_, errs, code := ketnoi(t, dir, append([]string{"--store", "sqlite:typo.db"}, args...)...)
		if code != exitFailed || !strings.Contains(errs, "typo.db") || !strings.Contains(errs, "ketnoi ingest") {
			t.Errorf("%s: exit %d: %s", args[0], code, errs)
		}
		if found, _ := filepath.Glob(filepath.Join(dir, "*.db*")); len(found) > 0 {
			t.Fatalf("%s makes %v", args[0], found)
		}
	}
}

// TestTextLanguage states the language of a text that could be of another.
func TestTextLanguage(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "x.jsonl", record("a", "T", okText))
	if _, errs, code := ketnoi(t, dir, "ingest", "x.jsonl"); code != exitOK {
		t.Fatal(errs)
	}
	for _, tc := range []struct {
		want string
		args []string
	}{{"en", nil}, {"fr", []string{"--text-lang", "fr"}}, {"vi", []string{"--text-lang", "vi-VN"}}} {
		out, errs, _ := ketnoi(t, dir, append([]string{"recommend", "--json", "--text", "The shrimp of the pond is ill and needs a cure"}, tc.args...)...)
		var a engine.Answer
		if err := json.Unmarshal([]byte(out), &a); err != nil || a.Subject.Lang != tc.want {
			t.Errorf("%v: got %q, want %q (%v): %s", tc.args, a.Subject.Lang, tc.want, err, errs)
		}
	}
}

// TestMeterEndsWithTheFirstLoad follows a store that another process fills: only the first load is watched.
func TestMeterEndsWithTheFirstLoad(t *testing.T) {
	t.Parallel() // it waits
	dir := t.TempDir()
	c := &config{store: "sqlite:" + filepath.Join(dir, "x.db")}
	h, err := c.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer h.store.Close()
	var screen bytes.Buffer
	if err := h.load(t.Context(), c, &screen, byIndex); err != nil {
		t.Fatal(err)
	}
	before := screen.Len()
	var content strings.Builder
	for i := range 1200 { // the index tells every 500
		content.WriteString(record(fmt.Sprintf("a%d", i), "T", okText))
	}
	run := &ingest.Run{Store: h.store, Embedder: h.model.embedder}
	if err := run.File(t.Context(), filepath.Join(dir, write(t, dir, "x.jsonl", content.String()))); err != nil {
		t.Fatal(err)
	}
	time.Sleep(plainEvery)
	if err := h.desk.Load().index.Refresh(t.Context(), h.store); err != nil {
		t.Fatal(err)
	}
	if n, _ := h.desk.Load().index.Size(); n != 1200 || screen.Len() != before {
		t.Errorf("%d listings; after the load it says %q", n, screen.String()[before:])
	}
}

// TestKill stops an ingest with SIGKILL at several moments and looks at what is left: all that another process could
// see before is there and whole, and running it again brings in exactly the rest.
func TestKill(t *testing.T) {
	const n = 6000
	dir := t.TempDir()
	var content strings.Builder
	for i := range n {
		fmt.Fprintf(&content, `{"id":"K%04d","kind":"expert","title":"Expert %d","lang":"en","works":[{"title":"Shrimp disease %d","text":"Early detection of white spot disease in shrimp ponds, study %d."}]}`+"\n", i, i, i, i)
	}
	write(t, dir, "x.jsonl", content.String())
	for round, delay := range []time.Duration{60, 150, 250, 400, 600} {
		address := fmt.Sprintf("sqlite:kill%d.db", round)
		cmd := program(t, dir, "--store", address, "ingest", "x.jsonl")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(delay * time.Millisecond)
		seen := stored(t, dir, address)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		left := stored(t, dir, address)
		for id := range seen {
			if !left[id] {
				t.Fatalf("round %d: %s was stored and is lost", round, id)
			}
		}
		out, errs, code := ketnoi(t, dir, "--store", address, "ingest", "x.jsonl")
		want := fmt.Sprintf("%d read; stored: %d added, 0 changed; %d unchanged, 0 rejected", n, n-len(left), len(left))
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("round %d: exit %d, want %q\n%s%s", round, code, want, out, errs)
		}
		if all := stored(t, dir, address); len(all) != n {
			t.Errorf("round %d: %d listings in the end, want %d", round, len(all), n)
		}
		t.Logf("killed after %d ms: %d seen before, %d left, %d in the end", delay, len(seen), len(left), n)
	}
}

// stored returns the ids in a store, checking that each is whole; a store that is not made yet is empty.
func stored(t *testing.T, dir, address string) map[string]bool {
	t.Helper()
	path := strings.Replace(address, "sqlite:", "sqlite:"+dir+string(filepath.Separator), 1)
	ids := map[string]bool{}
	if _, err := os.Stat(strings.TrimPrefix(path, "sqlite:")); err != nil {
		return ids
	}
	s, err := store.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := &house{store: s}
	if err := h.eachListing(t.Context(), func(id string, passages, vectors int) {
		ids[id] = true
		if passages != 1 || vectors != 1 {
			t.Errorf("%s has %d passages and %d vectors", id, passages, vectors)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return ids
}
