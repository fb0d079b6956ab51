// Package api is the HTTP interface: it reads requests strictly, asks the recommender, and answers in JSON, errors as
// problem details (RFC 9457). The OpenAPI document is made from this code.
package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/text"
	"github.com/ketnoi/ketnoi/ingest/record"
)

// Recommender answers queries; *engine.Recommender is one.
type Recommender interface {
	Recommend(ctx context.Context, q engine.Query) (*engine.Answer, error)
	WhyNot(ctx context.Context, q engine.Query, id string) (*engine.WhyNot, error)
}

// Options sets up the server.
type Options struct {
	Recommender Recommender
	State       func(context.Context) (State, error) // for readyz
	Metrics     http.Handler                         // figures at /metrics; nil for none
	Hosts       []string                             // names by which requests may call the server, beside loopback ones
	Version     string
	Welcome     string // plain text at /
}

// State is from what and how a server can answer.
type State struct {
	Listings int    `json:"listings"`
	Passages int    `json:"passages" doc:"In the index in memory; 0 while the database retrieves"`
	Model    string `json:"model" doc:"The embedding model that is active"`
	Provider string `json:"provider" enum:"built in,answers,asks to wait,fails,is tried" doc:"Of the model: while it does not answer, free texts are answered by words and concepts, marked degraded; it is tried again by itself"`
	Waiting  int    `json:"waiting" doc:"Batches of listings that wait for their vectors"`
}

// Bounds of a request.
const (
	maxBody     = 1 << 20 // bytes
	maxTime     = 20 * time.Second
	maxHeader   = 32 << 10 // bytes
	headerTime  = 5 * time.Second
	requestTime = 15 * time.Second
)

// NewServer returns a server with all time limits set, which answers with New(o).
func NewServer(addr string, o Options) *http.Server {
	return &http.Server{
		Addr: addr, Handler: New(o), ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: maxTime + 10*time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
}

// New returns the handler of all routes.
func New(o Options) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.HandleMethodNotAllowed = true
	router.NoRoute(func(c *gin.Context) {
		fail(c, http.StatusNotFound, "there is nothing at this address; see /openapi.json")
	})
	router.NoMethod(func(c *gin.Context) {
		fail(c, http.StatusMethodNotAllowed, "this address does not take "+c.Request.Method)
	})
	router.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, err any) {
		slog.Error("request failed", "route", c.FullPath(), "panic", fmt.Sprint(err))
		fail(c, http.StatusInternalServerError, "something broke on our side; the failure is in the server's log")
	}))
	router.Use(knownHost(o.Hosts), deadline)

	config := huma.DefaultConfig("Kết Nối", o.Version)
	config.Info.Description = "Recommends experts and technologies for problems, and problems for them, across five languages, and explains each recommendation."
	config.DocsPath, config.SchemasPath = "", "" // the library's pages load scripts from elsewhere
	config.CreateHooks = nil
	config.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	config.DefaultFormat = "application/json"
	server := &server{o}
	server.routes(humagin.New(router, config))
	if o.Metrics != nil {
		router.GET("/metrics", gin.WrapH(o.Metrics))
	}
	router.GET("/", func(c *gin.Context) { c.String(http.StatusOK, "%s", o.Welcome) })
	return router
}

// jsonFormat writes JSON; bodies are read by readJSON instead.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		return json.MarshalWrite(w, v, json.Deterministic(true))
	},
	Unmarshal: func(data []byte, v any) error { return json.Unmarshal(data, v) },
}

// knownHost refuses requests that call the server by a name it does not have, which is how a foreign web page reaches
// a server on loopback (DNS rebinding).
func knownHost(hosts []string) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Header("X-Content-Type-Options", "nosniff")
		name := c.Request.Host
		if host, _, err := net.SplitHostPort(name); err == nil {
			name = host
		}
		name = strings.ToLower(strings.Trim(name, "[]"))
		ip := net.ParseIP(name)
		if name != "localhost" && (ip == nil || !ip.IsLoopback()) && !slices.Contains(hosts, name) {
			fail(c, http.StatusMisdirectedRequest, "this server is not called "+fmt.Sprintf("%q", name)+"; name it with --host if it should be")
		}
	}
}

// deadline bounds the time of a request.
func deadline(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), maxTime)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
}

// fail answers with a problem outside of the routes that huma serves.
func fail(c *gin.Context, status int, detail string) {
	body, _ := json.Marshal(&huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail})
	c.Abort()
	c.Data(status, "application/problem+json", body)
}

type server struct{ Options }

func (s *server) routes(api huma.API) {
	huma.Register(api, question[engine.Query](api, huma.Operation{
		OperationID: "recommend", Path: "/v1/recommendations",
		Summary:     "Recommend counterparts for a listing or a free text",
		Description: "Answers with the best candidates, each explained; or with no_match, the nearest, and what each rule of the filter cost.",
	}), s.recommend)
	huma.Register(api, question[whyNotQuery](api, huma.Operation{
		OperationID: "whyNot", Path: whyNotPath,
		Summary:     "Say why a listing is not among the recommendations for a query",
		Description: "Answers with the rules that remove it; or with its place by score and the parts that hold it back; and with all of this in sentences.",
	}), s.whyNot)
	paths := api.OpenAPI().Paths // the router wants its colon escaped, readers of the document do not
	paths[strings.ReplaceAll(whyNotPath, `\`, "")] = paths[whyNotPath]
	delete(paths, whyNotPath)
	huma.Register(api, huma.Operation{OperationID: "healthz", Method: http.MethodGet, Path: "/healthz", Summary: "Is the process alive"}, s.healthz)
	huma.Register(api, huma.Operation{OperationID: "readyz", Method: http.MethodGet, Path: "/readyz", Summary: "Can it answer, and from how much", Errors: []int{503}}, s.readyz)
}

// question is an operation that takes a body of type T.
func question[T any](api huma.API, o huma.Operation) huma.Operation {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
	o.Method = http.MethodPost
	o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
	o.Errors, o.MaxBodyBytes, o.BodyReadTimeout = []int{400, 404, 413, 415, 421, 422, 503}, maxBody, requestTime
	o.SkipValidateBody = true // readJSON and the engine check it, with one voice for all who ask
	return o
}

type recommendInput struct {
	ContentType     string `header:"Content-Type" hidden:"true"`
	ContentEncoding string `header:"Content-Encoding" hidden:"true"`
	AcceptLanguage  string `header:"Accept-Language" doc:"Language of the explanations where the body names no reader" example:"vi"`
	RawBody         []byte
}

type recommendOutput struct{ Body *engine.Answer }

func (s *server) recommend(ctx context.Context, in *recommendInput) (*recommendOutput, error) {
	var q engine.Query
	if err := readJSON(in.ContentType, in.ContentEncoding, in.RawBody, &q); err != nil {
		return nil, err
	}
	if q.Reader == "" {
		q.Reader = text.PreferredReader(in.AcceptLanguage)
	}
	answer, err := s.Recommender.Recommend(ctx, q)
	if err != nil {
		return nil, problem(err)
	}
	return &recommendOutput{answer}, nil
}

const whyNotPath = `/v1/recommendations\:why-not`

// whyNotQuery is a query, and the listing that is missed among its recommendations.
type whyNotQuery struct {
	engine.Query
	Listing string `json:"listing" doc:"Id of the listing that is missed" example:"T214"`
}

type whyNotOutput struct{ Body *engine.WhyNot }

func (s *server) whyNot(ctx context.Context, in *recommendInput) (*whyNotOutput, error) {
	var q whyNotQuery
	if err := readJSON(in.ContentType, in.ContentEncoding, in.RawBody, &q); err != nil {
		return nil, err
	}
	if strings.TrimSpace(q.Listing) == "" {
		return nil, faulty(http.StatusBadRequest, "listing", "missing: give the id of the listing that is missed")
	}
	if q.Reader == "" {
		q.Reader = text.PreferredReader(in.AcceptLanguage)
	}
	q.Listing = strings.TrimSpace(q.Listing)
	answer, err := s.Recommender.WhyNot(ctx, q.Query, q.Listing)
	if errors.Is(err, engine.ErrUnknownListing) && q.Listing != q.For && strings.HasSuffix(err.Error(), ": "+q.Listing) {
		return nil, faulty(http.StatusNotFound, "listing", err.Error())
	}
	if err != nil {
		return nil, problem(err)
	}
	return &whyNotOutput{answer}, nil
}

// readJSON decodes a body strictly: UTF-8, no duplicate or unknown keys, nothing behind the value.
func readJSON(contentType, encoding string, body []byte, v any) error {
	if encoding != "" && !strings.EqualFold(encoding, "identity") {
		return huma.Error415UnsupportedMediaType("send the body uncompressed, not as " + fmt.Sprintf("%q", encoding))
	}
	media, params, err := mime.ParseMediaType(contentType)
	charset := strings.ToLower(params["charset"])
	if err != nil || media != "application/json" || charset != "" && charset != "utf-8" {
		return huma.Error415UnsupportedMediaType("want Content-Type: application/json, in UTF-8")
	}
	if trimmed := strings.TrimSpace(string(body)); trimmed == "" || trimmed[0] != '{' && json.Unmarshal(body, new(any)) == nil {
		return huma.Error400BadRequest("the body is no JSON object")
	}
	if err := json.Unmarshal(body, v, json.RejectUnknownMembers(true)); err != nil {
		field, reason := record.Describe(err)
		return faulty(http.StatusBadRequest, field, reason)
	}
	return nil
}

// faulty is a problem with the field at fault.
func faulty(status int, field, reason string) error {
	if field == "" {
		return huma.NewError(status, reason)
	}
	return huma.NewError(status, field+": "+reason, &huma.ErrorDetail{Location: "body." + field, Message: reason})
}

// problem turns an error of the engine into an answer: the one table from errors to HTTP status.
func problem(err error) error {
	var field *engine.FieldError
	switch {
	case errors.Is(err, engine.ErrTooLittleText) && errors.As(err, &field):
		return faulty(http.StatusUnprocessableEntity, field.Field, field.Reason)
	case errors.As(err, &field):
		return faulty(http.StatusBadRequest, field.Field, field.Reason)
	case errors.Is(err, engine.ErrUnknownListing):
		return faulty(http.StatusNotFound, "for", err.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return huma.Error503ServiceUnavailable("there was no time to answer; try again")
	}
	slog.Error("recommendation failed", "error", err)
	return huma.Error500InternalServerError("something broke on our side; the failure is in the server's log")
}

type healthOutput struct {
	Body struct {
		Status string `json:"status" example:"ok"`
	}
}

func (s *server) healthz(context.Context, *struct{}) (*healthOutput, error) {
	out := new(healthOutput)
	out.Body.Status = "ok"
	return out, nil
}

type readyOutput struct {
	Body struct {
		Status string `json:"status" example:"ok"`
		State
	}
}

func (s *server) readyz(ctx context.Context, _ *struct{}) (*readyOutput, error) {
	out := new(readyOutput)
	out.Body.Status = "ok"
	var err error
	if out.Body.State, err = s.State(ctx); err != nil {
		slog.Error("not ready", "error", err)
		return nil, huma.Error503ServiceUnavailable("the store does not answer; the failure is in the server's log")
	}
	return out, nil
}
