// Package fake is a provider of embeddings that speaks OpenAI's protocol over HTTP, counts what it would bill, and
// misbehaves on purpose, as providers, proxies and networks do. Its vectors come from a hash of the text, so that a
// vector that stands by the wrong text is found.
package fake

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"
)

// Defaults of Options.
const (
	DefaultModel = "fake"
	DefaultDim   = 32
	DefaultRetry = "7"
)

// What a provider does with encoding_format and dimensions.
const (
	Honour = iota
	Ignore
	Refuse
)

// Options of a Provider. The zero value is a provider without limits that behaves.
type Options struct {
	Model      string        // the one model it knows, Azure's deployment too; "" is DefaultModel
	Dim        int           // width of its vectors; 0 is DefaultDim
	Key        string        // asked of every request; "" asks for none
	Batch      int           // most texts a request; 0 sets no limit
	Window     int           // most characters a text; 0 sets no limit
	PerSecond  float64       // most requests a second, 429 beyond; 0 sets no limit
	Concurrent int           // most requests at once, 429 beyond; 0 sets no limit
	Latency    time.Duration // before every answer
	RetryAfter string        // the header of Busy and of PerSecond, in seconds; "" is DefaultRetry
	Asked      int           // Honour, Ignore or Refuse encoding_format and dimensions
	Seed       uint64        // of the chance of Sometimes

	// Victim, if given, limits misbehaviour to requests with a text that contains it, and that of rows to the rows of such
	// texts. Without it, every request is concerned, and the last row of each.
	Victim string
}

// Counts is what a Provider has seen.
type Counts struct {
	Requests int // for embeddings, whatever became of them
	Texts    int // billed
	Tokens   int // billed
	Paid     int // requests that were billed
	Distinct int // texts billed, each counted once
	Most     int // how often the text billed most often was billed
	AtOnce   int // most requests that were under way at the same time
}

// Provider is an http.Handler, safe for concurrent use. It answers under any base address.
type Provider struct {
	o       Options
	limiter *rate.Limiter
	now     atomic.Int64 // requests under way

	mu     sync.Mutex
	counts Counts
	billed map[uint64]int // by the hash of the text
	next   []Shape
	always Shape
	chance float64
	rand   *rand.Rand
}

// New returns a provider that behaves until told otherwise.
func New(o Options) *Provider {
	if o.Model == "" {
		o.Model = DefaultModel
	}
	if o.Dim == 0 {
		o.Dim = DefaultDim
	}
	if o.RetryAfter == "" {
		o.RetryAfter = DefaultRetry
	}
	p := &Provider{o: o, always: Good, billed: map[uint64]int{}, rand: rand.New(rand.NewPCG(o.Seed, 0))}
	if o.PerSecond > 0 {
		p.limiter = rate.NewLimiter(rate.Limit(o.PerSecond), max(1, int(o.PerSecond)))
	}
	return p
}

// Start serves on an address such as 127.0.0.1:0 and returns the base address for clients, and what stops it.
func (p *Provider) Start(addr string) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("the fake provider does not start: %w", err)
	}
	s := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }()
	return "http://" + l.Addr().String() + "/v1", func() { _ = s.Close() }, nil
}

// Next gives the shapes of the next answers, one a request; afterwards Always or Sometimes holds again.
func (p *Provider) Next(shapes ...Shape) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = append(p.next, shapes...)
}

// Always gives the shape of all answers from now on.
func (p *Provider) Always(s Shape) { p.Sometimes(s, 1) }

// Sometimes gives the shape of answers from now on, which each has with this probability.
func (p *Provider) Sometimes(s Shape, probability float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.always, p.chance = s, probability
}

// Counts returns what was counted so far.
func (p *Provider) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Billed returns how often a text, as it was sent, was billed.
func (p *Provider) Billed(text string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.billed[hash(text)]
}

// enter counts a request that begins, and draws the shape of its answer.
func (p *Provider) enter(texts []string) Shape {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Requests++
	p.counts.AtOnce = max(p.counts.AtOnce, int(p.now.Load()))
	if p.o.Victim != "" && !strings.Contains(strings.Join(texts, "\x00"), p.o.Victim) {
		return Good
	}
	if len(p.next) > 0 {
		s := p.next[0]
		p.next = p.next[1:]
		return s
	}
	if p.chance < 1 && p.rand.Float64() >= p.chance {
		return Good
	}
	return p.always
}

func (p *Provider) bill(texts []string) (tokens int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range texts {
		tokens += (utf8.RuneCountInString(t) + 3) / 4
		h := hash(t)
		if p.billed[h]++; p.billed[h] == 1 {
			p.counts.Distinct++
		}
		p.counts.Most = max(p.counts.Most, p.billed[h])
	}
	p.counts.Paid++
	p.counts.Texts += len(texts)
	p.counts.Tokens += tokens
	return tokens
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}

// Vector is the unit vector of a text, as sent with whatever prefix.
func Vector(text string, dim int) []float32 {
	sum := sha256.Sum256([]byte(text))
	r := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:])))
	wide, norm := make([]float64, dim), 0.0
	for i := range wide {
		wide[i] = r.NormFloat64()
		norm += wide[i] * wide[i]
	}
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(wide[i] / math.Sqrt(norm))
	}
	return v
}
