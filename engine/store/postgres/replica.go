package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// DefaultMaxLag is how far a standby may be behind before reads go to the primary.
const DefaultMaxLag = 5 * time.Second

// replica is a hot standby that takes the reads while it is alive and not too far behind.
type replica struct {
	pool    *pgxpool.Pool
	maxLag  time.Duration
	usable  atomic.Bool
	stop    context.CancelFunc
	history []moment  // of the primary's clock, oldest first: those that the standby has not reached and that matter
	shown   time.Time // the latest moment that the standby is known to show; zero before it is known to show any
}

type moment struct {
	at  time.Time
	seq int64
}

// ReadFrom lets reads go to the hot standby at the address while it is alive and at most maxLag behind, and to the
// primary otherwise. It looks twice a second. It is called once, before the store is used.
func (s *Store) ReadFrom(ctx context.Context, address string, maxLag time.Duration) error {
	config, err := configure(address)
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("%s: %w", redact(config), explain(err))
	}
	watch, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.replica = &replica{pool: pool, maxLag: maxLag, stop: stop}
	if err := s.replica.look(ctx, s.primary); err != nil {
		slog.Warn("the standby cannot be read; reads go to the primary until it can", "standby", redact(config), "error", explain(err))
	}
	go s.replica.watch(watch, s.primary)
	return nil
}

func (r *replica) close() {
	if r != nil {
		r.stop()
		r.pool.Close()
	}
}

func (r *replica) watch(ctx context.Context, primary *pgxpool.Pool) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(500 * time.Millisecond):
		}
		was := r.usable.Load()
		err := r.look(ctx, primary)
		if now := r.usable.Load(); now != was && ctx.Err() == nil {
			slog.Warn("reads change their server", "from_standby", now, "error", err)
		}
	}
}

// look decides whether the standby is usable. Where the primary does not answer, the standby is all there is, however far
// behind it was left.
func (r *replica) look(ctx context.Context, primary *pgxpool.Pool) error {
	now := time.Now()
	seq, lost := lookAtClock(ctx, primary)
	reached, err := lookAtClock(ctx, r.pool)
	if err != nil {
		r.usable.Store(false)
		return err
	}
	if lost == nil {
		r.history = append(r.history, moment{now, seq})
	}
	for len(r.history) > 0 {
		first := r.history[0]
		if first.seq <= reached {
			r.shown = first.at
		} else if now.Sub(first.at) <= r.maxLag {
			break
		} // else reaching it would not be enough
		r.history = r.history[1:]
	}
	r.usable.Store(lost != nil || now.Sub(r.shown) <= r.maxLag)
	return lost
}

// lookAtClock has a time limit of its own: a server that swallows what it is sent must not take the other's.
func lookAtClock(ctx context.Context, db *pgxpool.Pool) (seq int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	err = db.QueryRow(ctx, `SELECT seq FROM clock`).Scan(&seq)
	return seq, err
}

// reader is where reads go now.
func (s *Store) reader() *pgxpool.Pool {
	if s.replica != nil && s.replica.usable.Load() {
		return s.replica.pool
	}
	return s.primary
}

// read runs do where reads go. What the standby fails to do the primary may; where that is away, the standby may be back.
func (s *Store) read(ctx context.Context, do func(*pgxpool.Pool) error) error {
	return again(ctx, readPatience, func() error {
		db := s.reader()
		err := do(db)
		if err == nil || db == s.primary || ctx.Err() != nil || errors.As(err, new(final)) {
			return err
		}
		if transient(err) {
			s.replica.usable.Store(false)
		}
		return do(s.primary)
	})
}
