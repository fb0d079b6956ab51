package openai

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	openai "github.com/sashabaranov/go-openai"

	"github.com/ketnoi/ketnoi/embeddings"
)

// Chat asks a chat model that is served by OpenAI's protocol, or Azure's. It implements engine.Writer.
type Chat struct {
	client *openai.Client
	spec   embeddings.Spec
	meter  func(requests, texts, tokens int)
}

// maxChat bounds an answer, in bytes; a narrative has a few hundred.
const maxChat = 64 << 10

// NewChat returns a chat by a spec, of which it needs the provider, the address, the model and the timeout, and a key, "" for none. Meter,
// which may be nil, is told of each request, as Options.Meter is. Nothing is sent yet.
func NewChat(spec embeddings.Spec, key string, meter func(requests, texts, tokens int)) (*Chat, error) {
	c, err := New(spec, key, Options{})
	if err != nil {
		return nil, err
	}
	config := c.config
	config.HTTPClient = bounded{c.http}
	if meter == nil {
		meter = func(int, int, int) {}
	}
	return &Chat{openai.NewClientWithConfig(config), c.spec, meter}, nil
}

// bounded reads no more of an answer than it may have.
type bounded struct{ http *http.Client }

func (b bounded) Do(req *http.Request) (*http.Response, error) {
	resp, err := b.http.Do(req)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxChat), resp.Body}
	}
	return resp, err
}

// Write sends both texts and returns what the model answers, tried once. The error is one of ctx, or says what the provider did.
func (c *Chat) Write(ctx context.Context, system, user string) (string, error) {
	timed, cancel := context.WithTimeout(ctx, c.spec.Timeout)
	defer cancel()
	resp, err := c.client.CreateChatCompletion(timed, openai.ChatCompletionRequest{
		Model: c.spec.Model, Temperature: 0.2,
		Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleSystem, Content: system}, {Role: openai.ChatMessageRoleUser, Content: user}},
	})
	c.meter(1, 1, resp.Usage.TotalTokens)
	var known *openai.APIError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case timed.Err() != nil:
		return "", fmt.Errorf("%s does not answer within %s", c.spec.Recipient(), c.spec.Timeout)
	case errors.As(err, &known):
		return "", fmt.Errorf("%s answers with %d %s", c.spec.Recipient(), known.HTTPStatusCode, http.StatusText(known.HTTPStatusCode))
	case err != nil:
		return "", fmt.Errorf("%s gives no answer that can be read", c.spec.Recipient())
	case len(resp.Choices) == 0:
		return "", fmt.Errorf("%s answers with nothing", c.spec.Recipient())
	}
	return resp.Choices[0].Message.Content, nil
}
