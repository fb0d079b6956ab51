package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// advice says what to do about an error, by SQLSTATE.
var advice = map[string]string{
	"28P01": "wrong user or password; check the address, PGPASSWORD, or the password file",
	"28000": "the server does not let this user in from here; check the address and the server's pg_hba.conf",
	"3D000": "there is no such database; make it with \"createdb NAME\"",
	"42501": "the database user lacks a right; let the database's owner run \"ketnoi migrate\" once, or grant it",
	"58P01": "the server lacks the pgvector extension; install its package (postgresql-NN-pgvector) on the server",
	"0A000": "the server lacks the pgvector extension; install its package (postgresql-NN-pgvector) on the server",
	"53100": "the database server's disk is full; nothing of this batch was stored; make room and run the same command again",
	"53200": "the database server is out of memory; nothing of this batch was stored",
	"53300": "the database server takes no more connections; raise max_connections, or lower pool_max_conns in the address",
	"25006": "this server is a standby, which takes no writes; give the address of the primary, and this one as KETNOI_READ_STORE",
	"57P01": "the database server is being stopped or restarted",
	"57P02": "the database server crashed; see its log",
	"57P03": "the database server is starting or stopping; try again in a moment",
}

// final is an error after which there is no second try, whatever it is.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// explain adds to what went wrong what can be done about it.
func explain(err error) error {
	var pg *pgconn.PgError
	var op *net.OpError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &pg):
		if hint, ok := advice[pg.Code]; ok && (pg.Code != "0A000" && pg.Code != "58P01" || strings.Contains(pg.Message, "extension")) {
			return fmt.Errorf("%s: %w", hint, err)
		}
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("no server answers there; is it running, and are host and port right: %w", err)
	case disconnected(err) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the connection to the database server was lost: %w", err)
	}
	return err
}

// transient reports whether the same call may succeed when it is made again: the connection or the server went away,
// or another transaction was in the way.
func transient(err error) bool {
	var pg *pgconn.PgError
	switch {
	case errors.As(err, new(final)):
		return false
	case errors.As(err, &pg):
		switch pg.Code {
		case "40001", "40P01", "57P01", "57P02", "57P03", "53300", "55P03":
			return true
		}
		return strings.HasPrefix(pg.Code, "08")
	}
	return disconnected(err)
}

func disconnected(err error) bool {
	var op *net.OpError
	var connect *pgconn.ConnectError
	return pgconn.SafeToRetry(err) || errors.As(err, &connect) || errors.As(err, &op) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed")
}

// How long a call goes on trying while the server is away: a restart or a failover takes seconds. Tests are less patient.
var (
	readPatience  = 5 * time.Second
	writePatience = 45 * time.Second
)

// again calls do until it succeeds, fails for good, or patience is over. What do does must bear repetition: all
// writes here do, since a listing that is put twice is the same listing.
func again(ctx context.Context, patience time.Duration, do func() error) error {
	start, pause := time.Now(), 50*time.Millisecond
	for {
		err := do()
		switch {
		case ctx.Err() != nil && err != nil && !errors.Is(err, ctx.Err()):
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case ctx.Err() != nil || err == nil || !transient(err):
			return explain(err)
		case time.Since(start)+pause > patience:
			return fmt.Errorf("gave up after %s: %w", time.Since(start).Round(time.Second), explain(err))
		}
		if pause > time.Second {
			slog.Warn("the database does not answer; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; until then: %w", ctx.Err(), explain(err))
		case <-time.After(pause):
		}
		pause = min(2*pause, 2*time.Second)
	}
}
