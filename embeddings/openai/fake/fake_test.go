package fake_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/embeddings/openai/fake"
)

func post(t *testing.T, url, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
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
	return resp.StatusCode, string(answer)
}

func TestProvider(t *testing.T) {
	p := fake.New(fake.Options{Key: "k", Batch: 2, Window: 9, Dim: 4, Asked: fake.Refuse})
	s := httptest.NewServer(p)
	defer s.Close()
	for name, tc := range map[string]struct {
		path, body string
		header     []string
		status     int
		says       string
	}{
		"good":          {"/v1/embeddings", `{"model":"fake","input":["a","b"]}`, []string{"Authorization", "Bearer k"}, 200, `"index":1,"embedding":[`},
		"Azure":         {"/openai/deployments/fake/embeddings?api-version=1", `{"input":["a"]}`, []string{"api-key", "k"}, 200, `"index":0`},
		"no version":    {"/openai/deployments/fake/embeddings", `{"input":["a"]}`, []string{"api-key", "k"}, 404, "Resource not found"},
		"other name":    {"/openai/deployments/x/embeddings?api-version=1", `{"input":["a"]}`, []string{"api-key", "k"}, 404, "does not exist"},
		"no key":        {"/v1/embeddings", `{"model":"fake","input":["a"]}`, nil, 401, "Incorrect API key"},
		"other model":   {"/v1/embeddings", `{"model":"x","input":["a"]}`, []string{"Authorization", "Bearer k"}, 404, "does not exist"},
		"empty text":    {"/v1/embeddings", `{"model":"fake","input":["a",""]}`, []string{"Authorization", "Bearer k"}, 400, "input[1]"},
		"too many":      {"/v1/embeddings", `{"model":"fake","input":["a","b","c"]}`, []string{"Authorization", "Bearer k"}, 400, "batch size 3"},
		"too long":      {"/v1/embeddings", `{"model":"fake","input":["0123456789"]}`, []string{"Authorization", "Bearer k"}, 400, "maximum context"},
		"asked for":     {"/v1/embeddings", `{"model":"fake","input":["a"],"dimensions":2}`, []string{"Authorization", "Bearer k"}, 400, "not permitted"},
		"not JSON":      {"/v1/embeddings", `{"model":"fake","input":[1]}`, []string{"Authorization", "Bearer k"}, 400, "array of strings"},
		"no such thing": {"/v1/chat", `{}`, []string{"Authorization", "Bearer k"}, 404, "no such path"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, answer := post(t, s.URL+tc.path, tc.body, tc.header...); status != tc.status || !strings.Contains(answer, tc.says) {
				t.Errorf("%d %s, want %d %s", status, answer, tc.status, tc.says)
			}
		})
	}
	if n := p.Counts(); n.Requests != 11 || n.Paid != 2 || n.Texts != 3 || n.Tokens != 3 || n.Most != 2 || p.Billed("a") != 2 || p.Billed("c") != 0 {
		t.Errorf("%+v", n)
	}
	resp, err := http.Get(s.URL + "/v1/models")
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("models without a key: %v, %v", resp, err)
	}
	resp.Body.Close()
}

func TestVector(t *testing.T) {
	v, w := fake.Vector("a", 64), fake.Vector("b", 64)
	norm, dot := 0.0, 0.0
	for i := range v {
		norm += float64(v[i]) * float64(v[i])
		dot += float64(v[i]) * float64(w[i])
	}
	if math.Abs(norm-1) > 1e-6 || math.Abs(dot) > 0.6 || !slices.Equal(v, fake.Vector("a", 64)) {
		t.Errorf("the square length is %v, the cosine with another %v", norm, dot)
	}
}

// TestShapesDiffer: each shape that answers at all answers in another way than all others, and Good alone gives two good rows.
func TestShapesDiffer(t *testing.T) {
	if len(fake.Shapes) < 20 {
		t.Errorf("%d shapes", len(fake.Shapes))
	}
	seen := map[string]fake.Shape{}
	for _, shape := range append([]fake.Shape{fake.Good}, fake.Shapes...) {
		switch shape {
		case fake.Hang, fake.Drip, fake.Reset, fake.Dropped, fake.Floats:
			continue // no whole answer, or the good one
		}
		p := fake.New(fake.Options{Dim: 3})
		p.Next(shape)
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/embeddings", bytes.NewBufferString(`{"model":"fake","input":["a","b"]}`)))
		answer := fmt.Sprint(w.Code, w.Header(), w.Body)
		if other, ok := seen[answer]; ok {
			t.Errorf("%s answers like %s", shape, other)
		}
		seen[answer] = shape
		if shape == fake.Good {
			var good struct {
				Data []struct{ Embedding []float32 }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &good); err != nil || len(good.Data) != 2 || !slices.Equal(good.Data[1].Embedding, fake.Vector("b", 3)) {
				t.Errorf("%s: %v", w.Body, err)
			}
		}
	}
}

func TestScript(t *testing.T) {
	p := fake.New(fake.Options{Victim: "x", Seed: 7})
	status := func(text string) int {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/embeddings", strings.NewReader(`{"model":"fake","input":["`+text+`"]}`)))
		return w.Code
	}
	p.Next(fake.BadGateway, fake.Good)
	p.Always(fake.Forbidden)
	for _, tc := range []struct {
		text string
		want int
	}{{"a", 200}, {"x", 502}, {"x", 200}, {"x", 403}, {"a", 200}} {
		if got := status(tc.text); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.text, got, tc.want)
		}
	}
	p.Sometimes(fake.Forbidden, 0.25)
	n := 0
	for range 400 {
		if status("x") == http.StatusForbidden {
			n++
		}
	}
	if n < 60 || n > 140 {
		t.Errorf("%d of 400, want about 100", n)
	}
}
