package postgres

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// Wakeups returns a channel that gets a value when a writer has told of changes, until ctx is done. It is a hint to look
// at the clock at once, never the only reason to look: what is told while the connection is down is lost.
func (s *Store) Wakeups(ctx context.Context) <-chan struct{} {
	wake := make(chan struct{}, 1)
	go func() {
		for pause := 100 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 5*time.Second) {
			began := time.Now()
			err := s.listen(ctx, wake)
			if ctx.Err() == nil {
				slog.Debug("not listening for changes", "error", err)
			}
			if time.Since(began) > time.Minute {
				pause = 100 * time.Millisecond
			}
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}()
	return wake
}

// listen passes notifications on until the connection fails. A standby has none, so it listens to the primary.
func (s *Store) listen(ctx context.Context, wake chan<- struct{}) error {
	conn, err := pgx.ConnectConfig(ctx, s.primary.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return err
	}
	for {
		select {
		case wake <- struct{}{}: // the first one for what was missed before
		default: // one is waiting already
		}
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}
