package openai

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"
)

// FuzzDecode: whatever comes, there is an error, or for each text one vector of finite elements, a fault, or neither.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"data":[{"index":0,"embedding":[0.1,-2e-3]},{"index":1,"embedding":"AACAPwAAAAA="}],"usage":{"prompt_tokens":3}}`,
		`{"data":[{"index":1,"embedding":[NaN,1]},null,{"index":0,"embedding":[1e39, null]}],"usage":null}`,
		`{"data":[{"embedding":[-Infinity]},{"embedding":[1]}],"usage":{"prompt_tokens":"many"}}`,
		`{"data":[{"index":-1,"embedding":[1]}]}`, `{"data":[{"index":1e0,"embedding":[1]}]}`, `{"data":null,"error":"no"}`, `{"data":[]}`, `{"data":{}}`,
		`{"data":[{"index":0,"embedding":"AADAfw=="}]}`, `{"error":{"message":["a"]}}`, ``, `[`, "\xff", `{"data":[{"index":0,"embedding":[[1]]}`,
	} {
		f.Add([]byte(s), 2)
	}
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		n = max(1, min(n, 50))
		a, err := decode(body, n)
		if err != nil {
			return
		}
		if len(a.vectors) != n || len(a.faults) != n || a.tokens < 0 {
			t.Fatalf("%+v for %d texts", a, n)
		}
		for i, v := range a.vectors {
			if v != nil && (a.faults[i] != "" || len(v) == 0) {
				t.Fatalf("text %d: %v with the fault %q", i, v, a.faults[i])
			}
			for _, x := range v {
				if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
					t.Fatalf("text %d has the element %v", i, x)
				}
			}
			if u, fault := unit(v, len(v)); (u == nil) == (fault == "") {
				t.Fatalf("text %d: %v and the fault %q", i, u, fault)
			}
		}
	})
}

// TestDecodeGivesWhatWasSent: rows in any order, as floats or base64, come back to the bit.
func TestDecodeGivesWhatWasSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		want := make([][]float32, n)
		rows := make([]string, n)
		for i := range want {
			want[i] = rapid.SliceOfN(rapid.Float32Range(-math.MaxFloat32, math.MaxFloat32), 1, 9).Draw(t, "vector")
			embedding, _ := json.Marshal(want[i])
			if rapid.Bool().Draw(t, "base64") {
				raw, _ := binary.Append(nil, binary.LittleEndian, want[i])
				embedding = fmt.Appendf(nil, "%q", base64.StdEncoding.EncodeToString(raw))
			}
			rows[i] = fmt.Sprintf(`{"index":%d,"embedding":%s}`, i, embedding)
		}
		a, err := decode([]byte(`{"data":[`+strings.Join(rapid.Permutation(rows).Draw(t, "rows"), ",")+`]}`), n)
		if err != nil || !slices.EqualFunc(a.vectors, want, slices.Equal) {
			t.Fatalf("%v: %v, want %v", err, a, want)
		}
	})
}

func TestUnit(t *testing.T) {
	for name, tc := range map[string]struct {
		v    []float32
		good bool
	}{
		"3 and 4": {[]float32{3, 4}, true}, "8-bit": {[]float32{127, -128}, true}, "short": {[]float32{1e-5, 0}, true},
		"zero": {[]float32{0, 0}, false}, "tiny": {[]float32{1e-30, 1e-30}, false}, "huge": {[]float32{3e38, 3e38}, false}, "wide": {[]float32{1, 0, 0}, false},
		"denormal": {[]float32{1e-40, 1e-44}, false}, "one denormal": {[]float32{1, 1e-44}, true},
	} {
		if u, fault := unit(tc.v, 2); (u != nil) != tc.good || (fault == "") != tc.good {
			t.Errorf("%s: %v, %q", name, u, fault)
		}
	}
	if u, _ := unit([]float32{3, 4}, 2); !slices.Equal(u, []float32{0.6, 0.8}) {
		t.Errorf("%v", u)
	}
	parts := []*part{{vector: []float32{1, 0}}, {vector: []float32{-1, 0}}}
	if v, fault := join(parts); v != nil || fault == "" {
		t.Errorf("the mean of opposites is %v", v)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2025, 7, 1, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"7": 7 * time.Second, "0.5": 500 * time.Millisecond, "0": 0, "1000000000": maxWait, strings.Repeat("9", 400): maxWait, "Inf": maxWait,
		now.Add(9 * time.Second).Format(http.TimeFormat): 9 * time.Second, now.AddDate(9, 0, 0).Format(http.TimeFormat): maxWait,
		now.Add(-time.Hour).Format(http.TimeFormat): 0,
		"": -1, "-7": -1, "NaN": -1, "soon": -1,
	} {
		got, ok := retryAfter(s, now)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%.40q: %s, %t; want %s", s, got, ok, want)
		}
	}
}

func TestSays(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":{"message":"a"}}`: "a", `{"error":"a","error_type":"b"}`: "a", `{"message":"a"}`: "a", `{"object":"error","message":"a"}`: "a",
		`{"detail":[{"msg":"a"},{"msg":"b"}]}`: "a", `{"detail":"a"}`: "a", `plain`: "plain", `<html>x`: "", ``: "", `{}`: "", `[[[[[["deep"]]]]]]`: "", `"a"`: "a",
	} {
		if got := says([]byte(body)); got != want {
			t.Errorf("%s says %q, want %q", body, got, want)
		}
	}
	c := &Client{key: "sk-1"}
	if got := c.clean("key sk-1\x1b[31m\u202e\xff\n\n" + strings.Repeat("ạ", 400)); !strings.HasPrefix(got, "key [key] [31m� ạạ") || len([]rune(got)) != maxSaid+1 {
		t.Errorf("%q", got)
	}
}

func BenchmarkDecode(b *testing.B) {
	vectors := make([][]float32, 32)
	for i := range vectors {
		vectors[i] = make([]float32, 1536)
		for j := range vectors[i] {
			vectors[i][j] = float32(math.Sin(float64(i*j))) / 30
		}
	}
	for _, encoding := range []string{"float", "base64"} {
		rows := make([]string, len(vectors))
		for i, v := range vectors {
			embedding, _ := json.Marshal(v)
			if encoding == "base64" {
				raw, _ := binary.Append(nil, binary.LittleEndian, v)
				embedding = fmt.Appendf(nil, "%q", base64.StdEncoding.EncodeToString(raw))
			}
			rows[i] = fmt.Sprintf(`{"index":%d,"embedding":%s}`, i, embedding)
		}
		body := []byte(`{"data":[` + strings.Join(rows, ",") + `]}`)
		b.Run(encoding, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decode(body, len(rows)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
