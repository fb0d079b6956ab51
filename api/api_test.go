package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/lexicon"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store"
)

// flaky is the built-in embedder, which can be ordered to fail, to panic or to take its time.
type flaky struct {
	*lexicon.Embedder
	fault atomic.Pointer[func(context.Context) error]
}

// order has every later Embed begin with fault; nil ends that.
func (f *flaky) order(fault func(context.Context) error) {
	if fault == nil {
		f.fault.Store(nil)
		return
	}
	f.fault.Store(&fault)
}

func (f *flaky) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if fault := f.fault.Load(); fault != nil {
		if err := (*fault)(ctx); err != nil {
			return nil, err
		}
	}
	return f.Embedder.Embed(ctx, texts)
}

// serve starts the handler over a store with three listings.
func serve(t *testing.T) (*httptest.Server, *flaky) {
	t.Helper()
	e := &flaky{Embedder: lexicon.New(glossary.Default())}
	s, err := store.Open(t.Context(), "sqlite:"+t.TempDir()+"/x.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var entries []engine.Entry
	for _, l := range []*engine.Listing{
		{ID: "P", Kind: engine.Problem, Title: "Bệnh đốm trắng trên tôm", Text: "Ao tôm bị bệnh đốm trắng, cần phát hiện sớm.", Lang: "vi"},
		{ID: "T", Kind: engine.Technology, Title: "흰반점병 진단 키트", Text: "새우 흰반점병을 양식장에서 조기에 진단합니다.", Lang: "ko", TRL: 7, Regions: []string{"KR-26"}},
		{ID: "E", Kind: engine.Expert, Title: "Somebody", Text: "Ceramic glazes and kiln firing.", Lang: "en"},
	} {
		if err := l.Normalise(); err != nil {
			t.Fatal(err)
		}
		entry := engine.Entry{Listing: l, Passages: embeddings.Split(l)}
		for _, p := range entry.Passages {
			v, err := e.Embed(t.Context(), []string{l.Matchable(p)})
			if err != nil {
				t.Fatal(err)
			}
			entry.Vectors = append(entry.Vectors, v[0])
		}
		entries = append(entries, entry)
	}
	if err := s.Put(t.Context(), e.Model(), lexicon.Dim, entries); err != nil {
		t.Fatal(err)
	}
	x := index.New(index.Options{Model: e.Model(), Dim: lexicon.Dim, Glossary: glossary.Default()})
	if err := x.Refresh(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	rec := &engine.Recommender{Retriever: x, Library: s, Embedder: e, Glossary: glossary.Default(), Ranker: engine.DefaultRanker(), Split: embeddings.Split, Now: time.Now}
	server := httptest.NewServer(New(Options{Recommender: rec, State: func(context.Context) (State, error) {
		l, p := x.Size()
		return State{Listings: l, Passages: p, Model: e.Model(), Provider: "built in"}, nil
	}, Hosts: []string{"exchange.example"}, Version: "test", Welcome: "hello"}))
	t.Cleanup(server.Close)
	return server, e
}

func call(t *testing.T, method, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if req.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(answer)
}

func recommend(t *testing.T, url, body string, header ...string) (a engine.Answer) {
	t.Helper()
	resp, answer := call(t, http.MethodPost, url+"/v1/recommendations", body, header...)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", resp.StatusCode, answer)
	}
	if err := json.Unmarshal([]byte(answer), &a, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRecommend(t *testing.T) {
	server, _ := serve(t)
	for name, body := range map[string]string{"a listing": `{"for":"P"}`, "a text": `{"text":"Ao tôm bị bệnh đốm trắng, cần phát hiện sớm"}`} {
		a := recommend(t, server.URL, body)
		if len(a.Items) == 0 || a.Items[0].Listing.ID != "T" || a.Subject.Lang != "vi" || a.Degraded || a.Items[0].Listing.Text != "" {
			t.Errorf("%s: %+v", name, a)
		}
		if !strings.Contains(a.Items[0].Explanation.Summary, "Cùng nói đến") {
			t.Errorf("%s: explained in another language than the subject's: %s", name, a.Items[0].Explanation.Summary)
		}
	}
	if a := recommend(t, server.URL, `{"for":"P"}`, "Accept-Language", "fr-FR,fr;q=0.9"); !strings.Contains(a.Items[0].Explanation.Summary, "Sujets communs") {
		t.Errorf("Accept-Language is not heard: %s", a.Items[0].Explanation.Summary)
	}
	if a := recommend(t, server.URL, `{"for":"P","reader":"zh"}`, "Accept-Language", "fr"); !strings.Contains(a.Items[0].Explanation.Summary, "双方都提到") {
		t.Errorf("reader is not heard: %s", a.Items[0].Explanation.Summary)
	}
	if a := recommend(t, server.URL, `{"for":"P","filter":{"regions":["VN"]}}`); !a.NoMatch || a.Allowed != 0 || len(a.Removed) != 1 || a.Removed[0] != (engine.Removed{Rule: "region", Count: 1}) || a.Relax != "region" {
		t.Errorf("with a filter that nothing passes: %+v", a)
	}
}

func TestWhyNot(t *testing.T) {
	server, _ := serve(t)
	for body, want := range map[string]string{
		`{"for":"P","listing":"T","reader":"en"}`:                                 "It is in the list: no. 1.",
		`{"for":"P","listing":"T","reader":"en","filter":{"regions":["VN"]}}`:     "Removed by a rule: region (Vietnam)",
		`{"for":"P","listing":"T","reader":"ko","exclude":{"regions":["KR-26"]}}`: "규칙에 의해 제외",
	} {
		resp, answer := call(t, http.MethodPost, server.URL+"/v1/recommendations:why-not", body)
		var w engine.WhyNot
		if err := json.Unmarshal([]byte(answer), &w, json.RejectUnknownMembers(true)); err != nil || resp.StatusCode != http.StatusOK || len(w.Reasons) == 0 || !strings.Contains(w.Reasons[0], want) {
			t.Errorf("%s: %d %s, %v", body, resp.StatusCode, answer, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	server, _ := serve(t)
	for _, tc := range []struct {
		status                   int
		method, path, body, want string
		header                   []string
	}{
		{404, "POST", "/v1/recommendations", `{"for":"nobody"}`, "no such listing: nobody", nil},
		{400, "POST", "/v1/recommendations", `{"for":"a/b"}`, `"location":"body.for"`, nil},
		{400, "POST", "/v1/recommendations", `{"text":"tôm","filter":{"regions":["Atlantis"]}}`, `"location":"body.filter.regions[0]"`, nil},
		{400, "POST", "/v1/recommendations", `{"text":"tôm","limit":101}`, "limit: 101 is out of range", nil},
		{422, "POST", "/v1/recommendations", `{"text":"🦐"}`, "too little text", nil},
		{415, "POST", "/v1/recommendations", `{"text":"tôm"}`, "uncompressed", []string{"Content-Encoding", "br"}},
		{405, "GET", "/v1/recommendations", "", "does not take GET", nil},
		{405, "DELETE", "/healthz", "", "does not take DELETE", nil},
		{404, "POST", "/v1/recommendations:why-not", `{"for":"P","listing":"nobody"}`, `"location":"body.listing"`, nil},
		{404, "POST", "/v1/recommendations:why-not", `{"for":"nobody","listing":"T"}`, `"location":"body.for"`, nil},
		{400, "POST", "/v1/recommendations:why-not", `{"for":"P"}`, "listing: missing", nil},
		{400, "POST", "/v1/recommendations:why-not", `{"for":"P","listing":"T","lucky":1}`, "lucky", nil},
		{404, "POST", "/v1/recommendations:lucky", `{"for":"P"}`, "nothing at this address", nil},
		{400, "POST", "/v1/recommendations", `{"text":"tôm","without":["luck"]}`, `"location":"body.without[0]"`, nil},
		{400, "POST", "/v1/recommendations", `{"text":"tôm","exclude":{"since":12}}`, `"location":"body.exclude.since"`, nil},
		{400, "POST", "/v1/recommendations", `{"text":"tôm","filter":{"organisation_types":["club"]}}`, `"location":"body.filter.organisation_types[0]"`, nil},
		{404, "GET", "/nothing", "", "nothing at this address", nil},
		{404, "GET", "/docs", "", "nothing at this address", nil},
		{421, "GET", "/healthz", "", `not called \"evil.example\"`, []string{"Host", "evil.example"}},
		{421, "GET", "/healthz", "", "not called", []string{"Host", "127.0.0.1.evil.example:80"}},
	} {
		resp, answer := call(t, tc.method, server.URL+tc.path, tc.body, tc.header...)
		if resp.StatusCode != tc.status || !strings.Contains(answer, tc.want) || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s %s: status %d (%s), want %d and …%s…: %s", tc.method, tc.path, tc.body, resp.StatusCode, resp.Header.Get("Content-Type"), tc.status, tc.want, answer)
		}
	}
	for _, host := range []string{"localhost", "localhost:8080", "127.0.0.1:1", "[::1]:80", "exchange.example", "EXCHANGE.example:443"} {
		if resp, answer := call(t, http.MethodGet, server.URL+"/healthz", "", "Host", host); resp.StatusCode != http.StatusOK {
			t.Errorf("called %s: status %d, %s", host, resp.StatusCode, answer)
		}
	}
}

func TestDegraded(t *testing.T) {
	server, e := serve(t)
	e.order(func(context.Context) error { return errors.New("secret address refused") })
	a := recommend(t, server.URL, `{"text":"Ao tôm bị bệnh đốm trắng, cần phát hiện sớm"}`)
	if !a.Degraded || a.Reason == "" || strings.Contains(a.Reason, "secret") || len(a.Items) == 0 || a.Items[0].Listing.ID != "T" {
		t.Errorf("without an embedder: %+v", a)
	}
	if a := recommend(t, server.URL, `{"for":"P"}`); a.Degraded || len(a.Items) == 0 {
		t.Errorf("a stored subject has its vectors: %+v", a)
	}
	e.order(nil)
	if a := recommend(t, server.URL, `{"text":"Ao tôm bị bệnh đốm trắng, cần phát hiện sớm"}`); a.Degraded {
		t.Error("it does not recover")
	}
}

func TestPanicIsAProblem(t *testing.T) {
	server, e := serve(t)
	e.order(func(context.Context) error { panic("as ordered") })
	resp, answer := call(t, http.MethodPost, server.URL+"/v1/recommendations", `{"text":"tôm nuôi"}`)
	if resp.StatusCode != http.StatusInternalServerError || strings.Contains(answer, "as ordered") || !strings.Contains(answer, "server's log") {
		t.Errorf("status %d: %s", resp.StatusCode, answer)
	}
	e.order(nil)
	recommend(t, server.URL, `{"text":"tôm nuôi"}`)
}

func TestHealthAndDocument(t *testing.T) {
	server, _ := serve(t)
	for path, want := range map[string]string{"/healthz": `{"status":"ok"}`, "/readyz": `{"status":"ok","listings":3,"passages":3,"model":"` + lexicon.New(glossary.Default()).Model() + `","provider":"built in","waiting":0}`, "/": "hello"} {
		if resp, answer := call(t, http.MethodGet, server.URL+path, ""); resp.StatusCode != http.StatusOK || strings.TrimSpace(answer) != want || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %s", path, resp.StatusCode, answer)
		}
	}
	_, answer := call(t, http.MethodGet, server.URL+"/openapi.json", "")
	var doc struct {
		OpenAPI    string                    `json:"openapi"`
		Paths      map[string]map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `json:"properties"`
				Required   []string       `json:"required"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(answer), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Paths["/v1/recommendations:why-not"]["post"] == nil || doc.Components.Schemas["WhyNotQuery"].Properties["listing"] == nil || doc.Components.Schemas["WhyNotQuery"].Properties["for"] == nil {
		t.Error("the document does not know why-not")
	}
	query := doc.Components.Schemas["Query"]
	for _, key := range []string{"for", "text", "lang", "want", "filter", "prefer", "limit", "reader"} {
		if query.Properties[key] == nil {
			t.Errorf("the document does not know %s of a query", key)
		}
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || doc.Paths["/v1/recommendations"]["post"] == nil || doc.Paths["/readyz"]["get"] == nil || len(query.Required) > 0 || strings.Contains(answer, "$schema") {
		t.Errorf("the document: %.300s… required %v", answer, query.Required)
	}
	if strings.Contains(answer, "http://") || strings.Contains(answer, "https://spec") {
		t.Error("the document leads elsewhere")
	}
}

// TestSlowEmbedderIsCut hangs up while the embedder works: its context ends with the request, and the server goes on.
func TestSlowEmbedderIsCut(t *testing.T) {
	server, e := serve(t)
	begun, cut := make(chan struct{}), make(chan struct{})
	e.order(func(ctx context.Context) error {
		close(begun)
		<-ctx.Done()
		close(cut)
		return ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/recommendations", strings.NewReader(`{"text":"tôm nuôi"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	go func() {
		<-begun
		cancel()
	}()
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Errorf("status %d", resp.StatusCode)
	}
	select {
	case <-cut:
	case <-time.After(20 * time.Second):
		t.Fatal("the embedder works on for nobody")
	}
	e.order(nil)
	recommend(t, server.URL, `{"text":"tôm nuôi"}`)
}
