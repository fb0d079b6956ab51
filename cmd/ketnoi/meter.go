package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// meter shows how far long work has come: a bar when a person watches, else a line every few seconds.
type meter struct {
	w     io.Writer
	what  string
	total int
	done  int
	start time.Time
	last  time.Time
	bar   *progressbar.ProgressBar
}

// plainEvery is how often a line is written where nobody watches.
const plainEvery = 5 * time.Second

func (c *config) meter(w io.Writer, what string, total int) *meter {
	m := &meter{w: w, what: what, total: total, start: time.Now(), last: time.Now()}
	if c.interactive {
		m.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionSetWidth(24), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	}
	return m
}

// set tells how much is done.
func (m *meter) set(done int) {
	m.done = done
	if m.bar != nil {
		_ = m.bar.Set(min(done, m.total))
		return
	}
	if now := time.Now(); now.Sub(m.last) >= plainEvery {
		m.last = now
		fmt.Fprintf(m.w, "%s: %d of %d\n", m.what, done, m.total)
	}
}

// finish ends the bar and, if tell is set, says how much was done in what time.
func (m *meter) finish(tell bool) {
	if m.bar != nil {
		_ = m.bar.Finish()
	}
	if tell {
		fmt.Fprintf(m.w, "%s: %d in %s\n", m.what, m.done, time.Since(m.start).Round(10*time.Millisecond))
	}
}

// stages shows work of several steps, each with a meter of its own. It is safe for concurrent use.
type stages struct {
	mu  sync.Mutex
	c   *config
	w   io.Writer
	now *meter
}

func (c *config) stages(w io.Writer) *stages { return &stages{c: c, w: w} }

// set tells how far the step what is; total is 0 while nobody knows.
func (s *stages) set(what string, done, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil || s.now.what != what {
		if s.now != nil {
			s.now.finish(false)
		}
		s.now = s.c.meter(s.w, what, total)
	}
	s.now.set(done)
}

func (s *stages) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil {
		s.now.finish(false)
	}
}
