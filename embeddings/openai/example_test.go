package openai_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/openai"
	"github.com/ketnoi/ketnoi/embeddings/openai/fake"
)

func Example() {
	provider := fake.New(fake.Options{Dim: 256})
	url, stop, err := provider.Start("127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer stop()

	c, err := openai.New(embeddings.Spec{Provider: embeddings.OpenAI, URL: url, Model: "fake"}, "", openai.Options{})
	if err != nil {
		panic(err)
	}
	dim, err := c.Probe(context.Background())
	fmt.Println(dim, err)

	vectors, err := c.Embed(context.Background(), []string{"Nước thải nuôi tôm", "  "})
	var refused *embeddings.RefusedError
	if errors.As(err, &refused) {
		fmt.Println(len(vectors[0]), vectors[1] == nil, refused.Reasons[1])
	}

	// Somebody waits for this one.
	_, err = c.Impatient(time.Second).Embed(context.Background(), []string{"shrimp farm effluent"})
	fmt.Println(err, c.State().Breaker)
	// Output:
	// 256 <nil>
	// 256 true the text is empty
	// <nil> closed
}
