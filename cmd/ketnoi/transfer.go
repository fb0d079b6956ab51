package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/ingest"
)

// transferSpace is where is noted what was sent out of the operator's network: a note a day, recipient, model and process.
const transferSpace = "transfers"

const purpose = "embedding of listings and of questions, to match problems with experts and technologies"

// transfer is what a process sent to a recipient on a day.
type transfer struct {
	Recipient string    `json:"recipient"`
	Purpose   string    `json:"purpose"`
	Model     string    `json:"model"`
	Requests  int       `json:"requests"`
	Texts     int       `json:"texts"`
	Tokens    int       `json:"tokens"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// transfers notes what is sent to one recipient.
type transfers struct {
	house *house
	id    string // of this process
	mu    sync.Mutex
	now   transfer
	noted time.Time
}

func (h *house) newTransfer(spec *embeddings.Spec) *transfers {
	return &transfers{house: h, id: rand.Text()[:8], now: transfer{Recipient: spec.Recipient(), Purpose: purpose, Model: spec.Name}}
}

const noteEvery = time.Second

// add counts a request; it is noted at once if the last note is older than a second.
func (t *transfers) add(requests, texts, tokens int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := time.Now().UTC()
	if t.now.First.IsZero() || at.YearDay() != t.now.First.YearDay() {
		t.now.Requests, t.now.Texts, t.now.Tokens, t.now.First = 0, 0, 0, at
		slog.Info("texts are sent to a recipient outside of the network", "recipient", t.now.Recipient, "model", t.now.Model, "purpose", purpose)
		t.noted = time.Time{}
	}
	t.now.Requests, t.now.Texts, t.now.Tokens, t.now.Last = t.now.Requests+requests, t.now.Texts+texts, t.now.Tokens+tokens, at
	if at.Sub(t.noted) < noteEvery {
		return
	}
	t.noted = at
	body, err := json.Marshal(t.now)
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		key := t.now.First.Format(time.DateOnly) + " " + t.now.Recipient + " " + t.now.Model + " " + t.id
		err = t.house.store.PutNotes(ctx, transferSpace, map[string][]byte{key: body})
	}
	if err != nil {
		slog.Error("a transfer could not be noted", "recipient", t.now.Recipient, "error", err)
	}
}

// eachTransfer gives what was noted, by day.
func (h *house) eachTransfer(ctx context.Context, see func(transfer) error) error {
	return ingest.EachNote(ctx, h.store, transferSpace, "", func(n engine.Note) error {
		var t transfer
		if err := json.Unmarshal(n.Value, &t); err != nil {
			return err
		}
		return see(t)
	})
}
