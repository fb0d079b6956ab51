package openai_test

import (
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/ketnoi/ketnoi/embeddings/openai"
	"github.com/ketnoi/ketnoi/embeddings/openai/fake"
)

// TestNetwork puts a proxy between client and provider that harms connections, and then stops harming them.
func TestNetwork(t *testing.T) {
	for name, tc := range map[string]struct {
		toxic string // as toxiproxy takes it
		want  string
		says  string
	}{
		"slow":            {`{"type":"latency","attributes":{"latency":20,"jitter":10}}`, well, ""},
		"in small pieces": {`{"type":"slicer","attributes":{"average_size":64,"size_variation":32,"delay":10}}`, well, ""},
		"closed slowly":   {`{"type":"slow_close","attributes":{"delay":50}}`, well, ""},
		"too slow":        {`{"type":"latency","attributes":{"latency":1000}}`, unavailable, "no answer within 200ms"},
		"reset":           {`{"type":"reset_peer","attributes":{"timeout":0}}`, unavailable, ""},
		"reset upstream":  {`{"type":"reset_peer","stream":"upstream","attributes":{"timeout":0}}`, unavailable, ""},
		"cut in the head": {`{"type":"limit_data","attributes":{"bytes":30}}`, unavailable, ""},
		"cut in the body": {`{"type":"limit_data","attributes":{"bytes":600}}`, unavailable, "an answer that breaks off: unexpected EOF"},
		"dropped":         {`{"type":"timeout","attributes":{"timeout":20}}`, unavailable, ""},
		"swallowed":       {`{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`, unavailable, "no answer within 200ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, spec := serve(t, fake.Options{})
			server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
			proxy := toxiproxy.NewProxy(server, name, "127.0.0.1:0", strings.TrimSuffix(strings.TrimPrefix(spec.URL, "http://"), "/v1"))
			if err := proxy.Start(); err != nil {
				t.Fatal(err)
			}
			defer proxy.Stop()
			toxic, err := proxy.Toxics.AddToxicJson(strings.NewReader(tc.toxic))
			if err != nil {
				t.Fatal(err)
			}
			spec.URL = "http://" + proxy.Listen + "/v1"
			spec.Timeout = 200 * time.Millisecond
			if tc.want == well {
				spec.Timeout = 5 * time.Second
			}
			c := client(t, spec, openai.Options{Recovery: 100 * time.Millisecond})
			if err := embed(t, c, 10, tc.want); err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v, want %q", err, tc.says)
			}
			if err := proxy.Toxics.RemoveToxic(t.Context(), toxic.Name); err != nil {
				t.Fatal(err)
			}
			time.Sleep(120 * time.Millisecond)
			embed(t, c, 10, well)
			if s := c.State(); s.Breaker != "closed" {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestNobodyListens has the provider stop and start again.
func TestNobodyListens(t *testing.T) {
	p := fake.New(fake.Options{})
	url, stop, err := p.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, spec := serve(t, fake.Options{})
	spec.URL = url
	c := client(t, spec, openai.Options{Recovery: 20 * time.Millisecond})
	embed(t, c, 3, well)
	stop()
	if err := embed(t, c, 3, unavailable); !strings.Contains(err.Error(), "connection refused") {
		t.Error(err)
	}
	_, stop, err = p.Start(strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/v1"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	time.Sleep(30 * time.Millisecond)
	embed(t, c, 3, well)
}
