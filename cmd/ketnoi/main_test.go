package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store"
)

// TestMain lets the test binary stand in for ketnoi itself: called with KETNOI_AS_PROGRAM it is the program.
func TestMain(m *testing.M) {
	if os.Getenv("KETNOI_AS_PROGRAM") == "1" {
		os.Exit(run(os.Args[1:]))
	}
	code := m.Run()
	if demoMade.dir != "" {
		_ = os.RemoveAll(demoMade.dir)
	}
	os.Exit(code)
}

// demoMade is where the demo was loaded once, for all tests that need it.
var demoMade struct {
	sync.Mutex
	dir string
}

// program prepares a run of ketnoi in a folder, as a user without settings would start it.
func program(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "KETNOI_AS_PROGRAM=1", "KETNOI_STORE=", "LANG=C.UTF-8", "LC_ALL=", "LC_MESSAGES=", "CI=", "GOCOVERDIR="+t.TempDir())
	return cmd
}

// ketnoi runs the program to its end.
func ketnoi(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := program(t, dir, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDemoOnce(t *testing.T) {
	dir := t.TempDir()
	out, errs, code := ketnoi(t, dir, "demo", "--once")
	// What a slow machine adds on the way is progress, nothing else.
	for line := range strings.Lines(errs) {
		if !strings.HasPrefix(line, "loading the index: ") {
			t.Errorf("unexpected: %s", line)
		}
	}
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, want := range []string{"595 listings, 595 new", "invented", "P501 · problem · Vietnamese", "answers en", "answers ko", "answers zh", "dịch tả heo châu Phi = African swine fever", "score"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b[") {
		t.Error("colours are written to a file")
	}
	again, _, code := ketnoi(t, dir, "demo", "--once", "--reader", "vi")
	if code != 0 || !strings.Contains(again, "595 listings, 0 new") || !strings.Contains(again, "Cùng nói đến") {
		t.Errorf("again: exit %d\n%s", code, again)
	}
}

// TestDemoServes starts the demo as a newcomer does, asks it over HTTP, changes the store from another process, and
// stops it.
func TestDemoServes(t *testing.T) {
	dir := t.TempDir()
	cmd := program(t, dir, "demo", "--addr", "127.0.0.1:0")
	var out safeBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	address := waitFor(t, &out, regexp.MustCompile(`The server is at (http://127\.0\.0\.1:\d+)`))
	if n := strings.Count(out.String(), "recommend"); n < 3 {
		t.Errorf("%d commands to try:\n%s", n, out.String())
	}
	ask := func(body string) (a engine.Answer, status int) {
		t.Helper()
		resp, err := http.Post(address+"/v1/recommendations", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.UnmarshalRead(resp.Body, &a); err != nil && resp.StatusCode == http.StatusOK {
			t.Fatal(err)
		}
		return a, resp.StatusCode
	}
	a, status := ask(`{"text":"새우 양식장의 흰반점병 조기 진단","want":["expert","technology"],"limit":3}`)
	if status != 200 || len(a.Items) != 3 || a.Subject.Lang != "ko" {
		t.Fatalf("%d: %+v", status, a)
	}
	write(t, dir, "new.jsonl", `{"id":"NEW1","kind":"technology","title":"Zwickelhuber probe","text":"The Zwickelhuber probe measures flux in a Zwickelhuber cell.","lang":"en"}`+"\n")
	if _, errs, code := ketnoi(t, dir, "--store", "sqlite:ketnoi-demo.db", "ingest", "new.jsonl"); code != 0 {
		t.Fatal(errs)
	}
	stored := time.Now()
	for {
		a, _ = ask(`{"text":"Zwickelhuber flux measurement","want":["technology"]}`)
		if len(a.Items) > 0 && a.Items[0].Listing.ID == "NEW1" {
			break
		}
		if time.Since(stored) > 10*time.Second { // a second by far, but for machines that are busy with other tests
			t.Fatalf("another process's listing is not found after ten seconds: %+v", a)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("stopped with %v\n%s", err, out.String())
	}
}

func waitFor(t *testing.T, out *safeBuffer, pattern *regexp.Regexp) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if m := pattern.FindStringSubmatch(out.String()); m != nil {
			return m[1]
		}
	}
	t.Fatalf("never said %s:\n%s", pattern, out.String())
	return ""
}

// demoStoreIn loads the demo into a folder.
func demoStoreIn(t *testing.T) string {
	t.Helper()
	demoMade.Lock()
	defer demoMade.Unlock()
	if demoMade.dir == "" {
		dir, err := os.MkdirTemp("", "ketnoi-test-")
		if err != nil {
			t.Fatal(err)
		}
		if _, errs, code := ketnoi(t, dir, "demo", "--once"); code != 0 {
			t.Fatal(errs)
		}
		demoMade.dir = dir
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(demoMade.dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

const inDemo = "sqlite:ketnoi-demo.db"

// TestRecommendJSON checks the promised shape: what a platform's backend reads.
func TestRecommendJSON(t *testing.T) {
	dir := demoStoreIn(t)
	args := []string{"--store", inDemo, "recommend", "--for", "P501", "--want", "expert,technology", "--limit", "5", "--json", "--lang", "ko,zh", "--prefer", "region=KR"}
	out, errs, code := ketnoi(t, dir, args...)
	if code != 0 {
		t.Fatal(errs)
	}
	var a engine.Answer
	if err := json.Unmarshal([]byte(out), &a, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	if len(a.Items) != 5 || a.NoMatch || a.Ranker == "" || a.Model == "" || a.Degraded || len(a.Removed) != 1 || a.Removed[0].Rule != "language" || a.Removed[0].Count == 0 {
		t.Errorf("%d items, removed %+v, %+v", len(a.Items), a.Removed, a.Subject)
	}
	for i, item := range a.Items {
		e := item.Explanation
		sum := 0.0
		for _, p := range e.Parts {
			sum += p.Points
			if math.Abs(p.Raw*p.Weight-p.Points) > 1e-12 {
				t.Errorf("%s: %+v", item.Listing.ID, p)
			}
		}
		if math.Abs(sum-item.Score) > 1e-9 || item.Rank != i+1 || e.Summary == "" || len(e.Rules) != 3 {
			t.Errorf("item %d: score %v, parts %v, %+v", i, item.Score, sum, e)
		}
		for _, ev := range e.Evidence {
			if ev.Subject.Lang != "vi" || ev.Subject.Text == "" || ev.Candidate.Text == "" || ev.Similarity < 0 || ev.Similarity > 1 {
				t.Errorf("evidence %+v", ev)
			}
		}
	}
	if again, _, _ := ketnoi(t, dir, args...); again != out {
		t.Error("the same question has two answers")
	}
	for _, key := range []string{`"items"`, `"rank"`, `"listing"`, `"score"`, `"explanation"`, `"summary"`, `"parts"`, `"signal"`, `"raw"`, `"weight"`, `"points"`, `"evidence"`, `"similarity"`, `"concepts"`, `"rules"`, `"ranker"`, `"model"`, `"degraded"`, `"no_match"`, `"removed"`} {
		if !strings.Contains(out, key) {
			t.Errorf("the answer lacks %s", key)
		}
	}
}

// TestEvidenceIsQuoted checks that every quote stands in its listing, letter by letter.
func TestEvidenceIsQuoted(t *testing.T) {
	dir := demoStoreIn(t)
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(dir, "ketnoi-demo.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	quotes := 0
	for _, id := range []string{"P101", "P205", "P310", "P406", "P501", "P613", "P711", "P809"} {
		out, errs, code := ketnoi(t, dir, "--store", inDemo, "recommend", "--for", id, "--json")
		if code != 0 {
			t.Fatal(errs)
		}
		var a engine.Answer
		if err := json.Unmarshal([]byte(out), &a); err != nil {
			t.Fatal(err)
		}
		for _, item := range a.Items {
			entries, err := s.Entries(t.Context(), []string{id, item.Listing.ID}, "")
			if err != nil || len(entries) != 2 {
				t.Fatal(entries, err)
			}
			whole := map[string]string{}
			for _, e := range entries {
				l := e.Listing
				whole[l.ID] = l.Title + "\n" + l.Text + "\n" + l.Summary
				for _, w := range l.Works {
					whole[l.ID] += "\n" + w.Title + "\n" + w.Text
				}
			}
			for _, ev := range item.Explanation.Evidence {
				quotes++
				if !strings.Contains(whole[id], strings.TrimSuffix(ev.Subject.Text, " …")) || !strings.Contains(whole[item.Listing.ID], strings.TrimSuffix(ev.Candidate.Text, " …")) {
					t.Errorf("%s, %s: not a quote: %+v", id, item.Listing.ID, ev)
				}
			}
		}
	}
	if quotes < 40 {
		t.Errorf("only %d quotes", quotes)
	}
}

func TestNoGoodMatch(t *testing.T) {
	dir := demoStoreIn(t)
	out, errs, code := ketnoi(t, dir, "--store", inDemo, "recommend", "--text", "Bệnh tôm chân trắng", "--region", "AQ", "--json")
	var a engine.Answer
	if code != 0 || json.Unmarshal([]byte(out), &a) != nil || !a.NoMatch || len(a.Items) != 0 || a.Allowed != 0 || len(a.Removed) != 1 || a.Removed[0].Count < 3 {
		t.Errorf("exit %d, %s\n%s", code, errs, out)
	}
	text, _, _ := ketnoi(t, dir, "--store", inDemo, "recommend", "--text", "Bệnh tôm chân trắng", "--region", "AQ")
	for _, want := range []string{"No good match.", "The rule on region removed", "No listing is within the rules"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}

func TestOwnOrganisationIsNotRecommended(t *testing.T) {
	dir := t.TempDir()
	l := func(id, kind, org string) string {
		return fmt.Sprintf(`{"id":%q,"kind":%q,"title":"Tôm","text":"Phòng bệnh đốm trắng trên tôm","organisation":%q}`+"\n", id, kind, org)
	}
	write(t, dir, "x.jsonl", l("P", "problem", "Viện Tôm")+l("OWN", "expert", "VIEN TOM")+l("OTHER", "expert", "Viện Khác")+l("P2", "problem", ""))
	if _, errs, code := ketnoi(t, dir, "ingest", "x.jsonl"); code != 0 {
		t.Fatal(errs)
	}
	out, _, _ := ketnoi(t, dir, "recommend", "--for", "P", "--want", "expert,problem", "--json")
	if strings.Contains(out, `"OWN"`) || !strings.Contains(out, `"OTHER"`) || !strings.Contains(out, `"P2"`) || strings.Count(out, `"P"`) != 1 {
		t.Error(out)
	}
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	good := `{"id":"a","kind":"expert","title":"A","text":"Nuôi tôm"}` + "\n"
	write(t, dir, "good.jsonl", good)
	write(t, dir, "half.jsonl", good+`{"id":"b"}`+"\n")
	write(t, dir, "bad.jsonl", `{"id":"b"}`+"\n")
	write(t, dir, "empty.jsonl", "")
	write(t, dir, "header.csv", "id,kind,title,text\n")
	write(t, dir, "x.pdf", "%PDF")
	for _, tc := range []struct {
		code int
		want string
		args []string
	}{
		{0, "1 read; stored: 1 added", []string{"ingest", "good.jsonl"}},
		{0, "1 unchanged", []string{"ingest", "good.jsonl"}},
		{1, "half.jsonl:2: b: kind: missing", []string{"ingest", "half.jsonl"}},
		{1, "bad.jsonl:1: b: kind: missing", []string{"ingest", "bad.jsonl", "good.jsonl"}},
		{0, "0 read", []string{"ingest", "header.csv"}},
		{2, "empty.jsonl: the file is empty", []string{"ingest", "empty.jsonl"}},
		{2, "absent.jsonl: no such file", []string{"ingest", "absent.jsonl"}},
		{1, "absent.jsonl: no such file", []string{"ingest", "absent.jsonl", "good.jsonl"}},
		{2, "cannot tell the format", []string{"ingest", "x.pdf"}},
		{2, "is a folder", []string{"ingest", "."}},
		{2, "name the files to ingest", []string{"ingest"}},
		{2, "unknown flag: --colour", []string{"ingest", "--colour", "good.jsonl"}},
		{2, `--kind "firm"`, []string{"ingest", "--kind", "firm", "good.jsonl"}},
		{2, `--lang "??"`, []string{"ingest", "--lang", "??", "good.jsonl"}},
		{2, `--map: "colour" is no key`, []string{"ingest", "--map", "colour=x", "good.jsonl"}},
		{2, "--text: missing", []string{"recommend"}},
		{2, "--region: \"Atlantis\" is no region", []string{"recommend", "--text", "tôm", "--region", "Atlantis"}},
		{2, "--limit 0", []string{"recommend", "--text", "tôm", "--limit", "0"}},
		{2, "--reader", []string{"recommend", "--text", "tôm", "--reader", "ja"}},
		{2, "too little text", []string{"recommend", "--text", "😀"}},
		{2, "--for nobody: no such listing", []string{"recommend", "--for", "nobody"}},
		{2, "--text-lang: \"??\" is no language tag", []string{"recommend", "--text", "tôm", "--text-lang", "??"}},
		{2, "--text-lang: only with --text", []string{"recommend", "--for", "a", "--text-lang", "vi"}},
		{2, "want sqlite:PATH", []string{"--store", "bogus", "ingest", "--dry-run", "good.jsonl"}},
		{2, "want sqlite:PATH", []string{"--store", "sqlite:", "ingest", "--dry-run", "good.jsonl"}},
		{2, "folder does not exist", []string{"--store", "sqlite:no/x.db", "ingest", "--dry-run", "good.jsonl"}},
		{2, "want sqlite:PATH", []string{"--store", "x.db", "recommend", "--text", "tôm"}},
		{2, "--topics FILE", []string{"eval"}},
		{2, "only loopback addresses", []string{"serve", "--addr", "0.0.0.0:8080"}},
		{2, "want HOST:PORT", []string{"serve", "--addr", "8080"}},
		{2, "unknown command", []string{"dance"}},
		{0, "matches technology problems", []string{"--help"}},
		{0, "ketnoi version", []string{"--version"}},
	} {
		out, errs, code := ketnoi(t, dir, tc.args...)
		if code != tc.code || !strings.Contains(out+errs, tc.want) {
			t.Errorf("ketnoi %s: exit %d, want %d and …%s…\n%s%s", strings.Join(tc.args, " "), code, tc.code, tc.want, out, errs)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "dry.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if out, _, code := ketnoi(t, dir, "--store", "sqlite:dry.db", "ingest", "--dry-run", "good.jsonl"); code != 0 || !strings.Contains(out, "nothing stored (--dry-run); would be: 1 added") {
		t.Errorf("dry run: exit %d, %s", code, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "dry.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a dry run made a store")
	}
}

func TestBench(t *testing.T) {
	dir := demoStoreIn(t)
	out, errs, code := ketnoi(t, dir, "--store", inDemo, "bench", "--queries", "20")
	if code != 0 || !strings.Contains(out, "20 free-text recommendations") || !strings.Contains(out, "retrieve") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// raced is set in a build with the race detector.
var raced bool

// slowRaced skips a test that starts the program many times or computes much: with the race detector each start takes a second
// and each sum ten times as long, and other tests race the same code.
func slowRaced(t *testing.T) {
	if raced {
		t.Skip("too slow for the race detector, and raced elsewhere")
	}
}
