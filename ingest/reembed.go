package ingest

import (
	"context"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine"
)

// Vectors is a store whose listings may lack vectors of a model.
type Vectors interface {
	Unembedded(ctx context.Context, model, after string, limit int) ([]string, error)
	Entries(ctx context.Context, ids []string, model string) ([]engine.Entry, error)
	PutVectors(ctx context.Context, model string, dim int, entries []engine.Entry) error
}

// Reembed computes the vectors that stored listings lack under the embedder's model, batch by batch, and returns how
// many listings it embedded: all of them after a change of model, such as a new version of the glossary. progress may be nil.
func Reembed(ctx context.Context, store Vectors, embedder embeddings.Embedder, progress func(done int)) (done int, err error) {
	after := ""
	for {
		ids, err := store.Unembedded(ctx, embedder.Model(), after, batchRecords)
		if err != nil || len(ids) == 0 {
			return done, err
		}
		after = ids[len(ids)-1]
		entries, err := store.Entries(ctx, ids, "")
		if err != nil {
			return done, err
		}
		var texts []string
		for i := range entries {
			entries[i].Passages = embeddings.Split(entries[i].Listing)
			texts = append(texts, matchable(&entries[i])...)
		}
		vectors, err := embedder.Embed(ctx, texts)
		if err != nil {
			return done, err
		}
		for i := range entries {
			n := len(entries[i].Passages)
			entries[i].Vectors, vectors = vectors[:n:n], vectors[n:]
		}
		if err := store.PutVectors(ctx, embedder.Model(), embedder.Dim(), entries); err != nil {
			return done, err
		}
		if done += len(entries); progress != nil {
			progress(done)
		}
	}
}
