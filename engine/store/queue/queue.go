// Package queue is the background work of a store: batches of listings that wait for their vectors. River keeps the jobs in
// tables beside the listings, so that a job is added by the transaction that stores the listings it is about, and any
// number of processes share the work.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

// batch is a job: listings to embed. It holds ids and no texts: what stands in the store when it is worked counts. One
// without ids asks to look for what no job is about.
type batch struct {
	IDs []string `json:"ids"`
}

// Kind implements river.JobArgs.
func (batch) Kind() string { return "embed" }

// Options says how jobs are worked.
type Options struct {
	Workers int           // jobs at once, in this process
	Timeout time.Duration // of one job
	// Do works a job; without ids it inserts jobs for whatever lacks vectors and has none. With again > 0 the job goes on
	// after that time, which is no failure; an error is one.
	Do func(ctx context.Context, ids []string) (again time.Duration, err error)
}

// maxAttempts is how often a job may fail before it is given up.
const maxAttempts = 6

// Backlog is how many jobs there are.
type Backlog struct {
	Waiting int // may be worked now
	Running int
	Later   int // after a failure, or since the provider asked for time
}

// Total is all of them.
func (b Backlog) Total() int { return b.Waiting + b.Running + b.Later }

// GivenUp is a job that failed too often.
type GivenUp struct {
	IDs    []string
	Reason string
}

// Jobs is what there is to do with the queue of a store, whatever its database.
type Jobs interface {
	// Insert adds jobs, each a list of ids, in a transaction of their own.
	Insert(ctx context.Context, jobs [][]string) error
	// Sweep asks for a job that looks for what no job is about. However often it is asked for, there is one.
	Sweep(ctx context.Context) error
	// Work works jobs until ctx is done.
	Work(ctx context.Context, o Options) error
	Backlog(ctx context.Context) (Backlog, error)
	// GivenUp tells of the jobs that failed too often, and forgets those it has told of.
	GivenUp(ctx context.Context, tell func([]GivenUp) error) error
}

// Queue keeps jobs in a store's database, of which T is a transaction. It is safe for concurrent use.
type Queue[T any] struct {
	driver riverdriver.Driver[T]
	client *river.Client[T]
}

// New returns the queue of a database. Its tables need not be there yet.
func New[T any](driver riverdriver.Driver[T]) (*Queue[T], error) {
	client, err := river.NewClient(driver, &river.Config{Logger: quiet()})
	if err != nil {
		return nil, err
	}
	return &Queue[T]{driver, client}, nil
}

// quiet is River's log: what fails is told by whoever works the jobs.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Migrate brings the queue's tables up to date. Where they are, it changes nothing and needs no right to.
func (q *Queue[T]) Migrate(ctx context.Context) error {
	m, err := rivermigrate.New(q.driver, &rivermigrate.Config{Logger: quiet()})
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		state, err := m.Validate(ctx, nil)
		if err == nil && state.OK {
			return nil
		}
		if err == nil {
			if _, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil); err == nil {
				return nil
			}
		}
		if try == migrateTries || ctx.Err() != nil {
			return fmt.Errorf("tables of the job queue: %w", err)
		}
		time.Sleep(200 * time.Millisecond) // another process is doing the same
	}
}

const migrateTries = 10

// Add adds jobs within a transaction.
func (q *Queue[T]) Add(ctx context.Context, tx T, jobs [][]string) error {
	if len(jobs) == 0 {
		return nil
	}
	_, err := q.client.InsertManyFastTx(ctx, tx, params(jobs))
	return err
}

// Insert implements Jobs.
func (q *Queue[T]) Insert(ctx context.Context, jobs [][]string) error {
	if len(jobs) == 0 {
		return nil
	}
	_, err := q.client.InsertManyFast(ctx, params(jobs))
	return err
}

// Sweep implements Jobs.
func (q *Queue[T]) Sweep(ctx context.Context) error {
	_, err := q.client.Insert(ctx, batch{}, &river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
	}}})
	return err
}

func params(jobs [][]string) []river.InsertManyParams {
	out := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		out[i] = river.InsertManyParams{Args: batch{j}, InsertOpts: &river.InsertOpts{MaxAttempts: maxAttempts}}
	}
	return out
}

type worker struct {
	river.WorkerDefaults[batch]
	do func(ctx context.Context, ids []string) (time.Duration, error)
}

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, job *river.Job[batch]) error {
	again, err := w.do(ctx, job.Args.IDs)
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil: // the program stops, which is no failure
		return river.JobSnooze(0)
	case err == nil && again > 0:
		return river.JobSnooze(again)
	}
	return err
}

// How a queue is watched. A job of a process that was killed is found again when it has run longer than a job may, by a look
// every half minute: with the usual timeout of 20 seconds within a minute of the kill.
const (
	rescueMargin = 5 * time.Second
	softStop     = 10 * time.Second
	fetchEvery   = 200 * time.Millisecond
	fetchPause   = 10 * time.Millisecond
)

// Work works jobs until ctx is done, and lets those that run come to their end for a few seconds then.
func (q *Queue[T]) Work(ctx context.Context, o Options) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{do: o.Do})
	client, err := river.NewClient(q.driver, &river.Config{
		Logger: quiet(), Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: o.Workers}},
		JobTimeout: o.Timeout, RescueStuckJobsAfter: o.Timeout + rescueMargin, SoftStopTimeout: softStop,
		FetchPollInterval: fetchEvery, FetchCooldown: fetchPause,
		CompletedJobRetentionPeriod: time.Minute, // nobody asks for them, and they name people
	})
	if err != nil {
		return err
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), softStop+5*time.Second)
	defer cancel()
	return client.Stop(end)
}

// Backlog counts jobs.
func (q *Queue[T]) Backlog(ctx context.Context) (b Backlog, err error) {
	counts, err := q.driver.GetExecutor().JobCountByAllStates(ctx, &riverdriver.JobCountByAllStatesParams{})
	if err != nil {
		return b, err
	}
	return Backlog{
		Waiting: counts[rivertype.JobStateAvailable],
		Running: counts[rivertype.JobStateRunning],
		Later:   counts[rivertype.JobStateRetryable] + counts[rivertype.JobStateScheduled] + counts[rivertype.JobStatePending],
	}, nil
}

// GivenUp returns some of the jobs that failed too often, and forgets them once tell has heard of them.
func (q *Queue[T]) GivenUp(ctx context.Context, tell func([]GivenUp) error) error {
	for {
		found, err := q.client.JobList(ctx, river.NewJobListParams().States(rivertype.JobStateDiscarded, rivertype.JobStateCancelled).First(100))
		if err != nil || len(found.Jobs) == 0 {
			return err
		}
		gone := make([]GivenUp, 0, len(found.Jobs))
		for _, row := range found.Jobs {
			var j batch
			if err := json.Unmarshal(row.EncodedArgs, &j); err != nil {
				continue // none of ours
			}
			g := GivenUp{IDs: j.IDs, Reason: "given up"}
			if n := len(row.Errors); n > 0 {
				g.Reason = row.Errors[n-1].Error
			}
			gone = append(gone, g)
		}
		if err := tell(gone); err != nil {
			return err
		}
		for _, row := range found.Jobs {
			if _, err := q.client.JobDelete(ctx, row.ID); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
				return err
			}
		}
	}
}
