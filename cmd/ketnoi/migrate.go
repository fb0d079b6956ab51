package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/engine/store"
)

func newMigrate(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the store up to date: its schema, vectors, counts and graphs",
		Long: `Brings the schema up to date, embeds listings that lack vectors of the present model, counts words, and builds the
graphs (HNSW indexes) that a PostgreSQL store lacks, while others go on reading and writing. Run again, it does what is
left.

Every command brings the schema up to date when it opens the store, and a server does the rest by itself, so one needs
this only

  - where the database user of the servers may not create tables: run it once as the database's owner, before the first
    use and after each upgrade;
  - after a big load, or an upgrade with a new model: a server then starts with everything embedded, counted and indexed;
  - where "ketnoi doctor" says so.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runMigrate(cmd.Context()) },
	}
	return cmd
}

func (c *config) runMigrate(ctx context.Context) error {
	start := time.Now()
	h, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer h.store.Close()
	fmt.Printf("%s: the schema is up to date\n", h.store.Address())
	total, err := h.total(ctx)
	if err != nil {
		return err
	}
	if h.model.local() {
		done, err := h.fill(ctx, c, os.Stderr, total)
		if err != nil {
			return err
		}
		fmt.Printf("%d of %d listings lacked vectors of %s; now none does\n", done, total, h.model.spec.Name)
	} else {
		lacking, err := h.store.Lacking(ctx, h.model.spec.Name)
		if err != nil {
			return err
		}
		fmt.Printf("%d of %d listings lack vectors of %s; \"ketnoi ingest --wait\" or a server embeds them\n", lacking, total, h.model.spec.Name)
	}
	if db, ok := h.store.(store.Database); ok {
		if err := c.maintained(ctx, db); err != nil {
			return err
		}
	}
	fmt.Printf("done in %s\n", time.Since(start).Round(10*time.Millisecond))
	return nil
}

// maintained maintains the database, and says what that took.
func (c *config) maintained(ctx context.Context, db store.Database) error {
	bars, began := c.stages(os.Stderr), time.Now()
	var mu sync.Mutex
	var steps []string
	err := db.Maintain(ctx, func(what string, done, total int) {
		bars.set(what, done, total)
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(steps, what) {
			steps = append(steps, what)
		}
	})
	bars.finish()
	mu.Lock()
	defer mu.Unlock()
	if err != nil {
		return err
	}
	for _, s := range steps {
		fmt.Printf("done: %s\n", s)
	}
	if len(steps) == 0 {
		fmt.Println("counts and graphs are up to date, or another process is at it")
	} else {
		fmt.Printf("maintained in %s\n", time.Since(began).Round(10*time.Millisecond))
	}
	return nil
}
