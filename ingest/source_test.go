package ingest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ketnoi/ketnoi/engine"
)

const aSource = `name: s
from: %s
kind: problem
lang: en
`

func (b *bench) source(t testing.TB, body string) *SourceFile {
	t.Helper()
	path := filepath.Join(b.dir, "s.yaml")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := ReadSourceFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ingest runs a source once.
func (b *bench) ingest(ctx context.Context, s *SourceFile, allow bool) (*Sourced, error) {
	run := &Sourced{File: s, Notes: b.Store, Remover: &Merges{Store: b.Store, Notes: b.Store, Embedder: lex}, AllowRemovals: allow, Run: &Run{Store: b, Embedder: lex}}
	return run, run.Ingest(ctx)
}

func (b *bench) ids(t testing.TB) (out []string) {
	t.Helper()
	ids, err := b.Unembedded(t.Context(), "no model", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestSourceFileErrors(t *testing.T) {
	for name, tc := range map[string]struct{ body, want string }{
		"no yaml":         {"name: [", "1:"},
		"a mistyped key":  {"name: s\nfrom: x\nkindd: expert", `unknown field "kindd"`},
		"no name":         {"from: x", "name"},
		"no place":        {"name: s", "from: missing"},
		"a kind":          {"name: s\nfrom: x\nkind: person", `kind: "person"`},
		"a key of map":    {"name: s\nfrom: x\nmap: {titel: a}", `"titel" is no key`},
		"a plural":        {"name: s\nfrom: x\nvalues: {region: {a: VN}}", "(regions is)"},
		"no value":        {"name: s\nfrom: x\nvalues: {regions: {a: Narnia}}", `"Narnia", which is no value`},
		"unknown":         {"name: s\nfrom: x\nunknown: {fields: keep}", "want refuse or drop"},
		"no pull":         {"name: s\nfrom: https://a.example/x", "pull: missing"},
		"a pull of files": {"name: s\nfrom: x\npull: {items: a}", "no web address"},
		"two ways":        {"name: s\nfrom: https://a.example\npull: {next: {page: p, cursor: c}}", "give one of them"},
		"complete":        {"name: s\nfrom: https://a.example\ncomplete: true\npull: {since: {as: a, from: b}}", "never complete"},
		"a key":           {"name: s\nfrom: https://a.example\npull: {key: {header: A}}", "want env"},
		"often":           {"name: s\nfrom: x\nevery: 1s", "at least 10s"},
		"a basis":         {"name: s\nfrom: x\nbasis: because", "basis"},
		"huge":            {"name: " + strings.Repeat("x", maxSourceFile), "more than"},
		"a bomb":          {"name: s\nfrom: x\na: &a [x,x]\nb: &b [*a,*a]\nmap: {id: *b}", ""},
	} {
		if _, err := ParseSourceFile([]byte(tc.body)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want …%s…", name, err, tc.want)
		}
	}
}

func FuzzSourceFile(f *testing.F) {
	f.Add("name: s\nfrom: x\nvalues: {fields: {a: '4.1'}}")
	f.Add(fmt.Sprintf(aSource, "https://a.example") + "pull: {next: {link: header}}")
	f.Fuzz(func(t *testing.T, body string) {
		s, err := ParseSourceFile([]byte(body))
		if err == nil && (s.Name == "" || s.From == "") {
			t.Errorf("%q is taken", body)
		}
	})
}

// TestSourceValues: the source's words lead to ours in tables and in JSON alike.
func TestSourceValues(t *testing.T) {
	b := newBench(t)
	said := `name: s
from: %s
kind: technology
lang: vi
map: {title: Tên, text: Mô tả, fields: Lĩnh vực, regions: Tỉnh, trl: Mức}
values:
  fields: {"Thủy  sản": "4.1"}
  regions: {"ha tay": VN-HN}
  trl: {"phòng thí nghiệm": "4", "5-6": "5"}
unknown: {fields: drop}
`
	b.file(t, "a.csv", "id,Tên,Mô tả,Lĩnh vực,Tỉnh,Mức\na,Kít,Bộ kít chẩn đoán bệnh tôm,\"thủy sản; lạ; 2.3\",Ha Tay,Phòng thí nghiệm\n")
	b.file(t, "b.jsonl", `{"id":"b","Tên":"Kít","Mô tả":"Bộ kít chẩn đoán bệnh tôm","Lĩnh vực":["THỦY SẢN"],"Tỉnh":"Hải Phòng","Mức":"5-6"}`+"\n")
	for _, file := range []string{"a.csv", "b.jsonl"} {
		if run, err := b.ingest(t.Context(), b.source(t, fmt.Sprintf(said, file)), false); err != nil || run.Run.Summary().Added != 1 {
			t.Fatalf("%s: %+v, %v", file, run.Run.Summary(), err)
		}
	}
	for id, want := range map[string]engine.Listing{
		"a": {Fields: []string{"4.1", "2.3"}, Regions: []string{"VN-HN"}, TRL: 4}, "b": {Fields: []string{"4.1"}, Regions: []string{"VN-HP"}, TRL: 5},
	} {
		l := b.get(t, id)
		if !slices.Equal(l.Fields, want.Fields) || !slices.Equal(l.Regions, want.Regions) || l.TRL != want.TRL {
			t.Errorf("%s: %v %v %d, want %v %v %d", id, l.Fields, l.Regions, l.TRL, want.Fields, want.Regions, want.TRL)
		}
	}
}

// TestRemovals: after any sequence of runs the store holds what an oracle says.
func TestRemovals(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := newBench(t)
		want := map[string]bool{}
		listed := map[string]map[string]bool{"one": {}, "two": {}}
		for range rapid.IntRange(1, 6).Draw(r, "runs") {
			name, complete := rapid.SampledFrom([]string{"one", "two"}).Draw(r, "source"), rapid.Bool().Draw(r, "complete")
			now := map[string]bool{}
			body := ""
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 30), 0, 30, rapid.ID[int]).Draw(r, "ids") {
				id := fmt.Sprintf("L%02d", n)
				now[id] = true
				body += line(id, "")
			}
			unread := rapid.IntRange(0, 4).Draw(r, "unreadable") == 0
			if unread {
				body += "{\n"
			}
			if body == "" {
				continue
			}
			b.file(t, name+".jsonl", body)
			if _, err := b.ingest(t.Context(), b.source(t, fmt.Sprintf("name: %s\nfrom: %[1]s.jsonl\ncomplete: %v\n", name, complete)), false); err != nil {
				r.Fatal(err)
			}
			var gone []string
			for id := range listed[name] {
				if !now[id] {
					gone = append(gone, id)
				}
			}
			for id := range now {
				want[id], listed[name][id] = true, true
			}
			if complete && !unread && (len(gone) <= fewRemovals || 2*len(gone) <= len(listed[name])) {
				for _, id := range gone {
					delete(listed[name], id)
					other := map[string]string{"one": "two", "two": "one"}[name]
					if !listed[other][id] {
						delete(want, id)
					}
				}
			}
			var ids []string
			for id := range want {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			if got := b.ids(t); !slices.Equal(got, ids) {
				r.Fatalf("the store holds %v, want %v", got, ids)
			}
		}
	})
}

// api is a platform's interface: 50 records, updated one a minute.
type api struct {
	*httptest.Server
	asked atomic.Int32
	wrong atomic.Int32 // the request, counted from 1, that goes wrong, and how
	how   string
	seen  []string
}

func newAPI(t *testing.T, style string) *api {
	a := new(api)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := a.asked.Add(1)
		a.seen = append(a.seen, r.URL.String())
		if r.Header.Get("X-Key") != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if n == a.wrong.Load() {
			switch a.how {
			case "busy":
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusTooManyRequests)
			case "broken":
				w.WriteHeader(http.StatusBadGateway)
			case "cut":
				w.Header().Set("Content-Length", "1000")
				_, _ = w.Write([]byte(`{"data":[`))
			case "gone":
				w.WriteHeader(http.StatusNotFound)
			case "sent away":
				http.Redirect(w, r, "http://localhost:1/", http.StatusFound)
			case "sent to http":
				http.Redirect(w, r, "ftp://"+r.Host+"/", http.StatusFound)
			}
			return
		}
		q := r.URL.Query()
		start := 0
		switch style {
		case "cursor":
			_, _ = fmt.Sscanf(q.Get("cursor"), "c%d", &start)
		case "page":
			page := 1
			_, _ = fmt.Sscan(q.Get("page"), &page)
			start = 20 * (page - 1)
		default:
			_, _ = fmt.Sscan(q.Get("start"), &start)
		}
		var items []string
		for i := start; i < min(start+20, 50); i++ {
			if at := fmt.Sprintf("2026-01-01T00:%02d:00Z", i); at > q.Get("since") {
				items = append(items, fmt.Sprintf(`{"id":"A%02d","name":"Offer %d","text":"a sensor for ponds","at":"%s"}`, i, i, at))
			}
		}
		next, link := "null", ""
		if end := start + 20; end < 50 {
			link = fmt.Sprintf("/api?start=%d&since=%s", end, q.Get("since"))
			if style == "circle" {
				link = r.URL.String()
			}
			if style == "elsewhere" {
				link = "https://elsewhere.example/api"
			}
			next = fmt.Sprintf(`"c%d"`, end)
			w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, link))
			link = `"` + link + `"`
		} else {
			link = "null"
		}
		fmt.Fprintf(w, `{"data":[%s],"meta":{"next":%s},"links":{"next":%s}}`, strings.Join(items, ","), next, link)
	}))
	t.Cleanup(a.Close)
	return a
}

func TestPull(t *testing.T) {
	t.Setenv("TEST_PULL_KEY", "secret")
	said := func(a *api, next string) string {
		return "name: s\nfrom: " + a.URL + "/api\nkind: technology\nlang: en\nmap: {title: name}\npull:\n  items: data\n  next: " + next +
			"\n  since: {as: since, from: at}\n  key: {header: X-Key, env: TEST_PULL_KEY}\n"
	}
	for style, next := range map[string]string{"cursor": "{cursor: meta.next}", "page": "{page: page}", "url": "{url: links.next}", "link": "{link: header}"} {
		t.Run(style, func(t *testing.T) {
			b, a := newBench(t), newAPI(t, style)
			s := b.source(t, said(a, next))
			if run, err := b.ingest(t.Context(), s, false); err != nil || run.Run.Summary().Added != 50 {
				t.Fatalf("%+v, %v", run.Run.Summary(), err)
			}
			// The next run asks for what changed since only.
			if run, err := b.ingest(t.Context(), s, false); err != nil || run.Run.Summary().Read != 0 {
				t.Fatalf("again: %+v, %v, %v", run.Run.Summary(), err, a.seen)
			}
			for _, asked := range a.seen {
				if strings.Contains(asked, "secret") {
					t.Errorf("the key is in %s", asked)
				}
			}
		})
	}
	for how, want := range map[string]string{"busy": "", "broken": "", "cut": "", "gone": "404", "sent away": "another host", "sent to http": "away from https"} {
		t.Run(how, func(t *testing.T) {
			b, a := newBench(t), newAPI(t, "cursor")
			a.how = how
			a.wrong.Store(3)
			s := b.source(t, said(a, "{cursor: meta.next}"))
			run, err := b.ingest(t.Context(), s, false)
			if want == "" && (err != nil || run.Run.Summary().Added != 50) {
				t.Fatalf("%+v, %v", run.Run.Summary(), err)
			}
			if want == "" {
				return
			}
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "page 3") || strings.Contains(err.Error(), "secret") {
				t.Fatalf("error %v", err)
			}
			// What was stored is kept, and the next run begins with the page that failed.
			before := a.asked.Load()
			run, err = b.ingest(t.Context(), s, false)
			if err != nil || run.Run.Summary().Read != 10 || a.asked.Load() != before+1 || len(b.ids(t)) != 50 {
				t.Fatalf("resumed: %+v, %v, %d requests, %d stored", run.Run.Summary(), err, a.asked.Load()-before, len(b.ids(t)))
			}
		})
	}
	for style, want := range map[string]string{"circle": "circle", "elsewhere": "another host"} {
		b, a := newBench(t), newAPI(t, style)
		if _, err := b.ingest(t.Context(), b.source(t, said(a, "{url: links.next}")), false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", style, err)
		}
	}
	b, a := newBench(t), newAPI(t, "cursor")
	t.Setenv("TEST_PULL_KEY", "wrong")
	if _, err := b.ingest(t.Context(), b.source(t, said(a, "{cursor: meta.next}")), false); err == nil || !strings.Contains(err.Error(), "check the key") || a.asked.Load() != 1 {
		t.Errorf("a wrong key: %v after %d requests", err, a.asked.Load())
	}
	t.Setenv("TEST_PULL_KEY", "")
	if _, err := b.ingest(t.Context(), b.source(t, said(a, "{cursor: meta.next}")), false); err == nil || !strings.Contains(err.Error(), "set TEST_PULL_KEY") {
		t.Errorf("no key: %v", err)
	}
}

// TestWatch: a folder's files come in as they are written, each once.
func TestWatch(t *testing.T) {
	b := newBench(t)
	folder := filepath.Join(b.dir, "in")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	s := b.source(t, fmt.Sprintf(aSource, "in"))
	ctx, stop := context.WithCancel(t.Context())
	runs := make(chan *Sourced)
	ended := make(chan error)
	go func() {
		ended <- s.Watch(ctx, func() error {
			run, err := b.ingest(ctx, s, false)
			runs <- run
			return err
		})
	}()
	if run := <-runs; run.Run.Summary().Read != 0 {
		t.Errorf("an empty folder gives %+v", run.Run.Summary())
	}
	if err := os.WriteFile(filepath.Join(folder, "a.jsonl"), []byte(line("a", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if run := <-runs; run.Run.Summary().Added != 1 {
		t.Errorf("a new file gives %+v", run.Run.Summary())
	}
	if err := os.WriteFile(filepath.Join(folder, "b.part"), []byte(line("b", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(folder, "b.part"), filepath.Join(folder, "b.jsonl")); err != nil {
		t.Fatal(err)
	}
	if run := <-runs; run.Run.Summary().Added != 1 || run.Skipped != 1 {
		t.Errorf("a renamed file gives %+v, %d skipped", run.Run.Summary(), run.Skipped)
	}
	stop()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("watching does not end")
	}
}
