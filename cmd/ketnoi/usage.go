package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync/atomic"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/openai"
	"github.com/ketnoi/ketnoi/engine"
)

// usage counts what a provider was asked for by this process.
type usage struct{ requests, texts, tokens atomic.Int64 }

// openModel prepares a model whose requests are counted and, where they leave the network, noted.
func (h *house) openModel(ctx context.Context, c *config, spec embeddings.Spec) (*model, error) {
	if spec.Provider == embeddings.Trained {
		return loadTrained(ctx, h.store, spec)
	}
	note := func(int, int, int) {}
	if spec.Foreign() {
		note = h.newTransfer(&spec).add
	}
	return c.openModel(spec, func(requests, texts, tokens int) {
		h.usage.requests.Add(int64(requests))
		h.usage.texts.Add(int64(texts))
		h.usage.tokens.Add(int64(tokens))
		note(requests, texts, tokens)
	})
}

// openChat sets up the chat model that writes narratives, if one is named; nothing is sent yet.
func (h *house) openChat(c *config) error {
	if c.chat.URL == "" && c.chat.Model == "" {
		return nil
	}
	spec := c.chat
	spec.Provider = embeddings.OpenAI
	if err := spec.Normalise(); err != nil {
		return fmt.Errorf("--chat-%w", err)
	}
	var note func(requests, texts, tokens int)
	if spec.Foreign() {
		if c.forbidForeign {
			return fmt.Errorf("%s is outside of your network, and KETNOI_FORBID_FOREIGN says that no text may leave it", spec.Recipient())
		}
		t := h.newTransfer(&spec)
		t.now.Purpose = "writing of narratives on recommendations"
		note = t.add
	}
	chat, err := openai.NewChat(spec, c.chatKey, note)
	if err != nil {
		return err
	}
	h.writer = chat
	return nil
}

// sentence says what was asked for and, where the price is known, what it cost.
func (u *usage) sentence(spec *embeddings.Spec) string {
	s := fmt.Sprintf("%d requests with %d texts", u.requests.Load(), u.texts.Load())
	if n := u.tokens.Load(); n > 0 {
		s += fmt.Sprintf(", %d tokens", n)
		if spec.Price > 0 {
			s += fmt.Sprintf(", which cost %.4f", float64(n)/1e6*spec.Price)
		}
	}
	return s
}

// announce says what filling a model takes and costs.
func (c *config) announce(ctx context.Context, h *house, m *model, lacking int) error {
	if m.local() || lacking == 0 {
		fmt.Printf("%d listings lack vectors of %s\n", lacking, m.spec.Name)
		return nil
	}
	bar := c.meter(os.Stderr, "counting tokens", lacking)
	passages, tokens, err := h.weigh(ctx, m, bar.set)
	bar.finish(false)
	if err != nil {
		return err
	}
	fmt.Printf("%d listings lack vectors of %s: %d passages, about %d tokens%s\n", lacking, m.spec.Name, passages, tokens, priceOf(tokens, &m.spec))
	return nil
}

// priceOf is what tokens cost, where the price is known.
func priceOf(tokens int, spec *embeddings.Spec) string {
	if spec.Price == 0 {
		return ""
	}
	return fmt.Sprintf(", which cost about %.4f", float64(tokens)/1e6*spec.Price)
}

// weigh counts what a model would be sent: texts that were paid for are left out.
func (h *house) weigh(ctx context.Context, m *model, progress func(done int)) (passages, tokens int, err error) {
	done := 0
	err = h.filler(m).Each(ctx, func(ids []string) error {
		done += len(ids)
		progress(done)
		entries, err := h.store.Entries(ctx, ids, "")
		if err != nil {
			return err
		}
		texts := map[engine.TextKey]string{}
		for _, e := range entries {
			for _, p := range e.Passages {
				t := e.Listing.Matchable(p)
				texts[engine.KeyOf(t)] = t
			}
		}
		paid, err := h.store.Paid(ctx, m.spec.Name, slices.Collect(maps.Keys(texts)))
		for key, t := range texts {
			if paid[key] == nil {
				passages++
				tokens += m.spec.Tokens(m.spec.Prefix + t)
			}
		}
		return err
	})
	return passages, tokens, err
}
