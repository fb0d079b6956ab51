package fake

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

const maxBody = 64 << 20

// request is what a client asks.
type request struct {
	Model      string   `json:"model"`
	Input      []string `json:"input"`
	Encoding   string   `json:"encoding_format"`
	Dimensions int      `json:"dimensions"`
}

// ServeHTTP answers POST …/embeddings, also under Azure's path, and GET …/models.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return
	}
	switch path := strings.TrimRight(r.URL.Path, "/"); {
	case r.Method == http.MethodGet && strings.HasSuffix(path, "/models"):
		if p.admits(w, r) {
			write(w, http.StatusOK, fmt.Sprintf(`{"object":"list","data":[{"id":%q,"object":"model"}]}`, p.o.Model))
		}
	case r.Method == http.MethodPost && strings.HasSuffix(path, "/embeddings"):
		p.now.Add(1)
		defer p.now.Add(-1)
		p.embeddings(w, r, body)
	default:
		fail(w, http.StatusNotFound, "", "no such path: "+r.URL.Path)
	}
}

func (p *Provider) embeddings(w http.ResponseWriter, r *http.Request, body []byte) {
	var q request
	parse := json.Unmarshal(body, &q)
	shape := p.enter(q.Input)
	if deployment, ok := azure(r.URL.Path); ok {
		q.Model = deployment
	}
	wait(r, p.o.Latency)
	if !p.admits(w, r) {
		return
	}
	if p.limiter != nil && !p.limiter.Allow() || p.o.Concurrent > 0 && int(p.now.Load()) > p.o.Concurrent {
		shape = Busy
	}
	if p.misbehave(w, r, shape) {
		return
	}
	switch why := p.refusal(q, parse); {
	case q.Model != p.o.Model:
		fail(w, http.StatusNotFound, "model_not_found", fmt.Sprintf("The model `%s` does not exist", q.Model))
	case why != "":
		fail(w, http.StatusBadRequest, "invalid_request_error", why)
	default:
		p.answer(w, q, shape)
	}
}

// azure returns the deployment in …/openai/deployments/NAME/embeddings.
func azure(path string) (string, bool) {
	_, rest, ok := strings.Cut(path, "/openai/deployments/")
	name, _, _ := strings.Cut(rest, "/")
	return name, ok
}

// admits checks the key, which Azure has in a header of its own, and Azure's version.
func (p *Provider) admits(w http.ResponseWriter, r *http.Request) bool {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if _, ok := azure(r.URL.Path); ok {
		key = r.Header.Get("api-key")
		if r.URL.Query().Get("api-version") == "" {
			fail(w, http.StatusNotFound, "404", "Resource not found")
			return false
		}
	}
	if p.o.Key != "" && key != p.o.Key {
		fail(w, http.StatusUnauthorized, "invalid_api_key", "Incorrect API key provided: "+key)
		return false
	}
	return true
}

// refusal is what a provider that behaves has against a request, "" for nothing.
func (p *Provider) refusal(q request, parse error) string {
	switch {
	case parse != nil || len(q.Input) == 0:
		return "'input' must be an array of strings"
	case p.o.Batch > 0 && len(q.Input) > p.o.Batch:
		return fmt.Sprintf("batch size %d > maximum allowed batch size %d", len(q.Input), p.o.Batch)
	case p.o.Asked == Refuse && (q.Encoding != "" || q.Dimensions != 0):
		return "Extra inputs are not permitted"
	case q.Dimensions < 0 || q.Dimensions > p.o.Dim:
		return "'dimensions' is out of range"
	}
	for i, t := range q.Input {
		if t == "" {
			return fmt.Sprintf("'$.input[%d]' is invalid: it is an empty string", i)
		}
		if n := len([]rune(t)); p.o.Window > 0 && n > p.o.Window {
			return fmt.Sprintf("This model's maximum context length is %d, you requested %d", p.o.Window, n)
		}
	}
	return ""
}

// misbehave answers with an error, or none, in place of rows; it reports false where the shape concerns rows.
func (p *Provider) misbehave(w http.ResponseWriter, r *http.Request, s Shape) bool {
	h := w.Header()
	switch s {
	case BadRequest:
		fail(w, http.StatusBadRequest, "invalid_request_error", "the request is refused")
	case TooLarge:
		page(w, http.StatusRequestEntityTooLarge)
	case Unprocessable:
		write(w, http.StatusUnprocessableEntity, `{"detail":[{"loc":["body","input"],"msg":"the text is refused"}]}`)
	case Unauthorized:
		fail(w, http.StatusUnauthorized, "invalid_api_key", "Incorrect API key provided: "+r.Header.Get("Authorization")+r.Header.Get("api-key"))
	case Forbidden:
		write(w, http.StatusForbidden, `{"message":"this key may not embed"}`)
	case UnknownModel:
		fail(w, http.StatusNotFound, "model_not_found", "The model does not exist")
	case NoQuota:
		fail(w, http.StatusTooManyRequests, "insufficient_quota", "You exceeded your current quota")
	case Busy:
		h.Set("Retry-After", p.o.RetryAfter)
		fail(w, http.StatusTooManyRequests, "rate_limit_exceeded", "Rate limit reached")
	case BusyUntil:
		h.Set("Retry-After", time.Now().Add(7*time.Second).UTC().Format(http.TimeFormat))
		fail(w, http.StatusTooManyRequests, "rate_limit_exceeded", "Rate limit reached")
	case BusyForever:
		h.Set("Retry-After", "1000000000")
		fail(w, http.StatusTooManyRequests, "rate_limit_exceeded", "Rate limit reached")
	case BusySilent:
		fail(w, http.StatusTooManyRequests, "rate_limit_exceeded", "Rate limit reached")
	case Error500:
		write(w, http.StatusInternalServerError, `{"error":"out of\u001b[31m memory\u202e\n`+strings.Repeat("x", 10_000)+`"}`)
	case BadGateway:
		page(w, http.StatusBadGateway)
	case Unavailable:
		h.Set("Retry-After", p.o.RetryAfter)
		fail(w, http.StatusServiceUnavailable, "", "the model is loading")
	case Redirect:
		h.Set("Location", (&url.URL{Scheme: "http", Host: "elsewhere.invalid", Path: r.URL.Path}).String())
		w.WriteHeader(http.StatusTemporaryRedirect)
	case Error200:
		write(w, http.StatusOK, `{"error":{"message":"the backend is gone","code":502}}`)
	case Empty200:
		write(w, http.StatusOK, "")
	case NotJSON:
		write(w, http.StatusOK, "OK")
	case ManyRows:
		write(w, http.StatusOK, `{"data":[{}`+strings.Repeat(",{}", 200_000)+`]}`)
	case Hang:
		<-r.Context().Done()
	case Drip:
		drip(w, r)
	case Dropped:
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}

func fail(w http.ResponseWriter, status int, code, message string) {
	quoted, _ := json.Marshal(message)
	write(w, status, fmt.Sprintf(`{"error":{"message":%s,"type":%q,"param":null,"code":%q}}`, quoted, code, code))
}

func page(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<html>\r\n<head><title>%d %s</title></head>\r\n<body><center><h1>nginx</h1></center></body></html>", status, http.StatusText(status))
}

func write(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func drip(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, " "); err != nil || control.Flush() != nil {
			return
		}
		wait(r, 10*time.Millisecond)
	}
}

// reset sends the head and half of the body, then resets the connection.
func reset(w http.ResponseWriter, body []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:len(body)/2])
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}
