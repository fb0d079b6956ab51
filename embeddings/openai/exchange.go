package openai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/ketnoi/ketnoi/embeddings"
)

const (
	maxBody  = 64 << 20 // of an answer; 2,048 vectors of 3,072 numbers have about as much
	maxError = 64 << 10 // of an error that is read
	maxWait  = 2 * time.Minute
)

// newHTTP returns a client that goes to the spec's address itself: not by a proxy that the environment names, nor to where
// a redirect leads, which would be given the texts, if not the key.
func newHTTP(spec embeddings.Spec) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.MaxIdleConnsPerHost = spec.Concurrency
	t.MaxResponseHeaderBytes = 256 << 10
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// exchange is one request and what came of it. It stands between go-openai, which knows addresses, keys and errors, and
// the network, since go-openai decodes either floats or base64, takes null for 0, and keeps no header of an error.
type exchange struct {
	http   *http.Client
	status int // 0 if there was no answer
	header http.Header
	body   []byte // of an answer with vectors
	err    error  // of reading it
}

// Do implements openai.HTTPDoer.
func (x *exchange) Do(req *http.Request) (*http.Response, error) {
	// Vectors may be asked for twice. The key, which is not sent if it has no value, says so to net/http, which then tries
	// again by itself when a connection that it kept turns out to be closed.
	req.Header["Idempotency-Key"] = nil
	resp, err := x.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	x.status, x.header = resp.StatusCode, resp.Header
	rest := []byte("{}")
	if x.status/100 == 2 {
		x.body, x.err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
		if len(x.body) > maxBody {
			x.err = fmt.Errorf("more than %d bytes", maxBody)
		}
	} else if rest, err = io.ReadAll(io.LimitReader(resp.Body, maxError)); err != nil {
		rest = nil // the status alone says enough
	}
	return &http.Response{StatusCode: resp.StatusCode, Status: resp.Status, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(rest))}, nil
}

// request sends texts once. It returns an error of ctx, a *failure, a *refusal, or one that wraps embeddings.ErrDenied.
func (c *Client) request(ctx context.Context, texts []string, timeout time.Duration) (answer, error) {
	x := &exchange{http: c.http}
	config := c.config
	config.HTTPClient = x
	timed, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := openai.NewClientWithConfig(config).CreateEmbeddings(timed, openai.EmbeddingRequest{
		Input: texts, Model: openai.EmbeddingModel(c.spec.Model),
		EncodingFormat: openai.EmbeddingEncodingFormat(c.spec.Encoding), Dimensions: c.spec.Dimensions,
	})
	if x.err != nil {
		err = x.err
	}
	switch {
	case ctx.Err() != nil:
		return answer{}, ctx.Err()
	case err != nil && timed.Err() != nil:
		return answer{}, &failure{reason: fmt.Sprintf("no answer within %s", timeout.Round(time.Millisecond)), err: timed.Err()}
	case x.status == 0:
		return answer{}, &failure{reason: c.clean(bare(err)), err: err}
	case x.status/100 != 2:
		return answer{}, c.classify(x, err)
	case x.err != nil:
		c.meter(len(texts), 0)
		return answer{}, &failure{reason: "an answer that breaks off: " + c.clean(x.err.Error()), err: x.err}
	}
	a, err := decode(x.body, len(texts))
	if !errors.Is(err, errInPlace) {
		c.meter(len(texts), a.tokens)
	}
	if err != nil {
		return answer{}, &failure{reason: c.clean(err.Error()), text: errors.Is(err, errInPlace), err: err}
	}
	return a, nil
}

func (c *Client) meter(texts, tokens int) {
	if c.o.Meter != nil {
		c.o.Meter(1, texts, tokens)
	}
}

// classify turns a status that is no success into an error. It holds the gate if the provider asks for a wait.
func (c *Client) classify(x *exchange, err error) error {
	said := ""
	var known *openai.APIError
	var other *openai.RequestError
	if errors.As(err, &other) { // which may hold an APIError that could not be read
		said = says(other.Body)
	} else if errors.As(err, &known) {
		said = known.Message
	}
	reason := fmt.Sprintf("%d %s", x.status, http.StatusText(x.status))
	if said = c.clean(said); said != "" {
		reason += ": " + said
	}
	wait, asked := retryAfter(x.header.Get("Retry-After"), time.Now())
	switch {
	case x.status/100 == 3:
		return fmt.Errorf("%w: %s, which is not followed: give the address that it leads to", embeddings.ErrDenied, reason)
	case x.status == http.StatusTooManyRequests && known != nil && (known.Code == "insufficient_quota" || known.Type == "insufficient_quota"):
		return fmt.Errorf("%w: %s", embeddings.ErrDenied, reason)
	case x.status == http.StatusTooManyRequests:
		if !asked {
			wait = c.o.Backoff
		}
		c.gate.hold(wait)
		return &failure{reason: reason, after: wait, busy: true, err: err}
	case x.status == http.StatusBadRequest, x.status == http.StatusRequestEntityTooLarge, x.status == http.StatusUnprocessableEntity:
		return &refusal{reason: reason}
	case x.status >= 500, x.status == http.StatusRequestTimeout, x.status == http.StatusConflict, x.status == http.StatusTooEarly:
		if asked {
			c.gate.hold(wait)
		}
		return &failure{reason: reason, after: wait, text: x.status == http.StatusInternalServerError, err: err}
	}
	return fmt.Errorf("%w: %s", embeddings.ErrDenied, reason)
}

// retryAfter reads the header: seconds, or a date, of which at most maxWait is waited.
func retryAfter(s string, now time.Time) (wait time.Duration, ok bool) {
	s = strings.TrimSpace(s)
	if seconds, err := strconv.ParseFloat(s, 64); (err == nil || math.IsInf(seconds, 1)) && seconds >= 0 {
		return time.Duration(min(seconds, maxWait.Seconds()) * float64(time.Second)), true
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), maxWait), true
}
