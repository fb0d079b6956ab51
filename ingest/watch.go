package ingest

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// How a folder is watched: what is written is left to settle, and now and then it is looked at without an event, since
// network file systems give none.
const (
	settleTime  = 2 * time.Second
	rescanEvery = time.Minute
)

// Watch calls do at once and whenever the source may have something new, until ctx is done: a folder when its files have
// settled, a pull as often as its file says.
func (s *SourceFile) Watch(ctx context.Context, do func() error) error {
	every := s.every
	if every == 0 {
		every = 15 * time.Minute
		if !s.web() {
			every = rescanEvery
		}
	}
	var events chan fsnotify.Event
	if !s.web() {
		w, err := fsnotify.NewWatcher()
		if err != nil {
			return err
		}
		defer w.Close()
		if err := w.Add(s.folder()); err != nil {
			return err
		}
		events = w.Events
		go func() { // what fails is looked at again in a minute
			for range w.Errors {
				continue
			}
		}()
	}
	for {
		if err := do(); err != nil {
			return err
		}
		if err := s.await(ctx, every, events); err != nil {
			return err
		}
	}
}

// await returns when it is time to look again.
func (s *SourceFile) await(ctx context.Context, every time.Duration, events <-chan fsnotify.Event) error {
	next := time.NewTimer(every)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-next.C:
			if wait := s.unsettled(); wait > 0 {
				next.Reset(wait)
				continue
			}
			return nil
		case e := <-events:
			if e.Has(fsnotify.Write) || e.Has(fsnotify.Create) || e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
				next.Reset(settleTime)
			}
		}
	}
}

// unsettled is how long to wait until the newest file is old enough to be whole.
func (s *SourceFile) unsettled() (wait time.Duration) {
	if s.web() {
		return 0
	}
	paths, _ := s.paths()
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			wait = max(wait, settleTime-time.Since(info.ModTime()))
		}
	}
	return wait
}

// folder is what holds the source's files.
func (s *SourceFile) folder() string {
	if info, err := os.Stat(s.From); err == nil && info.IsDir() {
		return s.From
	}
	return filepath.Dir(s.From)
}
