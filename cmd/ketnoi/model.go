package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/lexicon"
	"github.com/ketnoi/ketnoi/embeddings/openai"
	"github.com/ketnoi/ketnoi/embeddings/trained"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/store/health"
	"github.com/ketnoi/ketnoi/ingest"
)

// A store remembers which model embeds: the active one, the one before it, and how each that it knows is reached.
const (
	modelSpace  = health.ActiveSpace
	knownSpace  = "models/known"
	activeNote  = health.ActiveNote
	formerNote  = "former"
	fillingNote = "filling"
)

// trainedSpace is where a store keeps the models that were trained on it, by their ids.
const trainedSpace = "models/trained"

// loadTrained opens a model that was trained on the store.
func loadTrained(ctx context.Context, s store.Notes, spec embeddings.Spec) (*model, error) {
	notes, err := s.Notes(ctx, trainedSpace, spec.Model)
	if err != nil {
		return nil, err
	}
	if notes[spec.Model] == nil {
		return nil, fmt.Errorf("the store has lost its model %s: train another (ketnoi train), or return to the built-in one (ketnoi reindex --model lexicon)", spec.Name)
	}
	e, err := trained.Load(notes[spec.Model], glossary.Default())
	if err != nil {
		return nil, err
	}
	return &model{spec: spec, embedder: e, asks: e}, nil
}

// builtIn is the model of a store that was never told of another.
func builtIn() embeddings.Spec {
	e := lexicon.New(glossary.Default())
	return embeddings.Spec{Name: e.Model(), Provider: embeddings.Lexicon, Dim: e.Dim()}
}

// activeSpec returns the model by which a store answers.
func activeSpec(ctx context.Context, s store.Notes) (embeddings.Spec, error) {
	spec, known, err := readSpec(ctx, s, modelSpace, activeNote)
	if err == nil && !known {
		spec = builtIn()
	}
	return spec, err
}

// readSpec reads a model's note. The built-in model is the one of this program, whatever version the note was written by.
func readSpec(ctx context.Context, s store.Notes, space, key string) (spec embeddings.Spec, known bool, err error) {
	notes, err := s.Notes(ctx, space, key)
	if err != nil || notes[key] == nil {
		return spec, false, err
	}
	if err := json.Unmarshal(notes[key], &spec); err != nil {
		return spec, false, fmt.Errorf("the store's note on its model: %w", err)
	}
	switch spec.Provider {
	case embeddings.Lexicon:
		spec = builtIn()
	case embeddings.Trained: // under this program's glossary
		spec.Name = trained.NameOf(spec.Model, glossary.Default())
	}
	return spec, true, nil
}

// switchModel makes spec the active model in one step.
func switchModel(ctx context.Context, s store.Notes, spec, former embeddings.Spec) error {
	now, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	before, err := json.Marshal(former)
	if err != nil {
		return err
	}
	return s.PutNotes(ctx, modelSpace, map[string][]byte{activeNote: now, formerNote: before})
}

// model is an embedding model that is ready to be asked.
type model struct {
	spec     embeddings.Spec
	embedder embeddings.Embedder // for listings: patient
	asks     embeddings.Embedder // for people's questions: quick, or not at all
	client   *openai.Client      // nil for one that computes here
	claims   ingest.Claims
}

// askTime is how long a question waits for its vector before it is answered by words and concepts.
const askTime = 3 * time.Second

// openModel prepares a model to be asked; nothing is sent yet.
func (c *config) openModel(spec embeddings.Spec, meter func(requests, texts, tokens int)) (*model, error) {
	if spec.Provider == embeddings.Lexicon {
		e := lexicon.New(glossary.Default())
		return &model{spec: spec, embedder: e, asks: e}, nil
	}
	if spec.Foreign() && c.forbidForeign {
		return nil, fmt.Errorf("%s is outside of your network, and KETNOI_FORBID_FOREIGN says that no text may leave it", spec.Recipient())
	}
	room := spec.Window
	if spec.Prefix != "" {
		room -= embeddings.TokensOf(spec.Tokenizer, spec.Prefix)
	}
	client, err := openai.New(spec, c.embedKey, openai.Options{Fit: embeddings.Fit(room, spec.Tokenizer), Meter: meter})
	if err != nil {
		return nil, err
	}
	return &model{spec: spec, embedder: client, asks: client.Impatient(askTime), client: client}, nil
}

// local reports whether the model costs nothing to ask and is always there.
func (m *model) local() bool { return m.client == nil }

// jobPassages is about how many passages a job holds: several calls of the provider, so that few of them are not full.
func (m *model) jobPassages() int {
	if m.local() {
		return 0
	}
	return max(256, m.spec.Batch)
}

var errUnknownModel = errors.New("the store knows no such model")

// remembered says how to reach a model that the store knows.
func remembered(ctx context.Context, s store.Notes, name string) (embeddings.Spec, error) {
	spec, known, err := readSpec(ctx, s, knownSpace, name)
	if err == nil && !known {
		err = errUnknownModel
	}
	return spec, err
}

// provider says whether the model's provider answers, as api.State does.
func (m *model) provider() string {
	if m.local() {
		return "built in"
	}
	switch s := m.client.State(); {
	case s.Breaker == "open":
		return "fails"
	case s.Breaker == "half-open":
		return "is tried"
	case time.Now().Before(s.NotBefore):
		return "asks to wait"
	}
	return "answers"
}
