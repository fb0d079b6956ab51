package engine

import (
	"sync"
	"time"
)

// Exposure counts how often each listing was shown over the last week, and keeps any from being shown much more than others that
// answer about as well. It is safe for concurrent use. It lives in a server's memory: a restart begins a new week.
type Exposure struct {
	mu   sync.Mutex
	days [week]struct {
		day   int64 // since 1970
		shown map[string]int
		total int
	}
}

const (
	week = 7 // days

	exposureFrom  = 1000 // places shown in the week, from which shares are looked at
	exposureShare = 0.05 // of the places shown that one listing may take
	exposureLoss  = 0.05 // share of its score that another may be behind to go first
)

// Note counts what was shown.
func (e *Exposure) Note(ids []string, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	day := now.Unix() / 86400
	d := &e.days[day%week]
	if d.day != day || d.shown == nil {
		d.day, d.shown, d.total = day, map[string]int{}, 0
	}
	for _, id := range ids {
		d.shown[id]++
		d.total++
	}
}

// Share returns which share of the places shown over the last week the listing took; 0 while few were shown.
func (e *Exposure) Share(id string, now time.Time) float64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	day := now.Unix() / 86400
	mine, all := 0, 0
	for i := range e.days {
		if d := &e.days[i]; day-d.day < week {
			mine, all = mine+d.shown[id], all+d.total
		}
	}
	if all < exposureFrom {
		return 0
	}
	return float64(mine) / float64(all)
}

// balance lets the next go first, once, before one that took more than its share and answers hardly better: what is lost is at
// most exposureLoss of a score.
func (e *Exposure) balance(list []placed, reader string, now time.Time) {
	for i := 0; i+1 < len(list); i++ {
		a, b := &list[i], &list[i+1]
		if b.Score < (1-exposureLoss)*a.Score || e.Share(a.Scored.Listing.ID, now) <= exposureShare || e.Share(b.Scored.Listing.ID, now) > exposureShare {
			continue
		}
		a.done = append(a.done, Intervention{Code: ShapeExposure, Place: a.place, Reason: Phrase("shape_"+ShapeExposure, reader)})
		list[i], list[i+1] = list[i+1], list[i]
		i++
	}
}
