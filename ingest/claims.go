package ingest

import (
	"sync"

	"github.com/ketnoi/ketnoi/engine"
)

// Claims keep fillers that work at the same time from paying for one text twice. The zero value is ready.
type Claims struct {
	mu   sync.Mutex
	held map[engine.TextKey]chan struct{} // closed when the text is released
}

// take claims texts. Those that others hold are returned with what to wait for.
func (c *Claims) take(texts []paidText) (mine, others []paidText, wait []<-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		c.held = map[engine.TextKey]chan struct{}{}
	}
	for _, t := range texts {
		if held, ok := c.held[t.key]; ok {
			others, wait = append(others, t), append(wait, held)
			continue
		}
		c.held[t.key] = make(chan struct{})
		mine = append(mine, t)
	}
	return mine, others, wait
}

// release gives texts back, whether they have their vectors or not.
func (c *Claims) release(texts []paidText) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range texts {
		close(c.held[t.key])
		delete(c.held, t.key)
	}
}
