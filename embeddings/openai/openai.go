// Package openai embeds with any server that speaks OpenAI's protocol for embeddings, or Azure's. It trusts neither the
// network nor the answers: what it returns are unit vectors of one width, each of the text that it stands by, or an error
// of package embeddings that says what to do.
package openai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/sony/gobreaker/v2"

	"github.com/ketnoi/ketnoi/embeddings"
)

// Defaults of Options.
const (
	DefaultPatience = time.Minute
	DefaultRecovery = 5 * time.Second
	DefaultBackoff  = 500 * time.Millisecond
)

// Options of a Client. The zero value is good.
type Options struct {
	// Fit cuts a text into parts that the model takes, prefix included; the text's vector is then the mean of theirs. Nil
	// leaves texts whole, and those that are too long to the provider, which refuses them or cuts them unseen.
	Fit func(text string) []string
	// Meter is called after each request that is paid for, by several goroutines at once: with 1, the number of texts sent
	// and the tokens that the provider billed, 0 if it does not say.
	Meter func(requests, texts, tokens int)

	Patience time.Duration // how long one batch is tried and waited for, besides its turn among ours; 0 is DefaultPatience
	Recovery time.Duration // how long nothing is sent after failures in a row; 0 is DefaultRecovery
	Backoff  time.Duration // about the first wait between two tries; 0 is DefaultBackoff
}

// Client is an embeddings.Embedder, safe for concurrent use. All its callers share the requests at once that its spec
// allows, the wait that the provider asks for, and the breaker that stops requests while the provider fails.
type Client struct {
	spec    embeddings.Spec
	key     string
	o       Options
	config  openai.ClientConfig
	http    *http.Client
	turns   chan struct{} // one token a request under way
	gate    gate
	breaker *gobreaker.CircuitBreaker[answer]
	dim     atomic.Int64 // 0 until known

	mu     sync.Mutex // of what follows
	since  time.Time  // of the breaker's state
	reason string     // as in State
}

// New returns a client for a spec, which it normalises, and a key, "" for none. Nothing is sent yet.
func New(spec embeddings.Spec, key string, o Options) (*Client, error) {
	if err := spec.Normalise(); err != nil {
		return nil, err
	}
	if spec.Provider != embeddings.OpenAI && spec.Provider != embeddings.Azure {
		return nil, fmt.Errorf("provider %q: want openai or azure", spec.Provider)
	}
	if spec.Dimensions > 0 && spec.Dim > 0 && spec.Dimensions != spec.Dim {
		return nil, fmt.Errorf("dimensions %d: the model's vectors stored so far have %d; another width is another model", spec.Dimensions, spec.Dim)
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the key holds a space, a line break or a letter outside ASCII, which no key does")
	}
	o.Patience = or(o.Patience, DefaultPatience)
	o.Recovery = or(o.Recovery, DefaultRecovery)
	o.Backoff = or(o.Backoff, DefaultBackoff)
	c := &Client{spec: spec, key: key, o: o, http: newHTTP(spec), turns: make(chan struct{}, spec.Concurrency), since: time.Now()}
	c.dim.Store(int64(max(spec.Dim, spec.Dimensions)))
	c.config = openai.DefaultConfig(key)
	if spec.Provider == embeddings.Azure {
		c.config = openai.DefaultAzureConfig(key, "")
		c.config.AzureModelMapperFunc = url.PathEscape
		if spec.APIVersion != "" {
			c.config.APIVersion = spec.APIVersion
		}
	}
	c.config.BaseURL = spec.URL
	c.breaker = c.newBreaker()
	return c, nil
}

func or(d, usual time.Duration) time.Duration {
	if d <= 0 {
		return usual
	}
	return d
}

// Model is the spec's name.
func (c *Client) Model() string { return c.spec.Name }

// Dim is the width of the spec or, if it has none, of the first good answer; 0 until then.
func (c *Client) Dim() int { return int(c.dim.Load()) }

// Probe sends one tiny text and returns the width of its vector, for a new spec whose width is not known yet.
func (c *Client) Probe(ctx context.Context) (dim int, err error) {
	if _, err := c.Embed(ctx, []string{probe}); err != nil {
		return 0, err
	}
	return c.Dim(), nil
}

// Embed implements embeddings.Embedder. It tries again and waits as Options say; identical texts are sent once.
func (c *Client) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return c.embed(ctx, texts, c.insist)
}
