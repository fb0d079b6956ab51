// Command ketnoi is the whole of Kết Nối in one binary: it ingests listings, recommends connections with reasons,
// serves the HTTP interface, and measures itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes, for scripts.
const (
	exitOK       = 0
	exitRejected = 1 // something was refused or found wanting; the rest was done
	exitFailed   = 2 // nothing was done: bad flags, unreadable files, no store
)

// exitError is an error with the exit code it asks for; an empty message was already told.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := newRoot()
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if msg := err.Error(); interrupted(ctx, err) {
		fmt.Fprintln(os.Stderr, "stopped")
	} else if msg != "" {
		fmt.Fprintln(os.Stderr, "ketnoi: "+showLine(msg))
	}
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return exitFailed
}
