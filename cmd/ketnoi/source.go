package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/ketnoi/ketnoi/ingest"
)

// checkSource refuses flags that do not go together.
func (c *config) checkSource(files []string) error {
	switch {
	case c.source == "" && len(files) == 0:
		return errors.New("name the files to ingest, or a source file with --source")
	case c.source == "" && (c.watch || c.preview > 0 || c.allowRemovals):
		return errors.New("--watch, --preview and --allow-removals: only with --source")
	case c.source == "":
		return nil
	case len(files) > 0:
		return fmt.Errorf("%s: with --source, the source file says where listings come from", files[0])
	case c.kind != "" || c.lang != "" || len(c.mapping) > 0 || c.format.Name != "" || len(c.format.With) > 0:
		return errors.New("--kind, --lang, --map, --format and --with: the source file says these")
	case c.watch && (c.dryRun || c.preview > 0):
		return errors.New("--watch: not with --dry-run or --preview")
	}
	return nil
}

// ingestSource brings in what a source file names, once or again and again.
func (c *config) ingestSource(ctx context.Context, h *house, run *ingest.Run) error {
	file, err := ingest.ReadSourceFile(c.source)
	if err != nil {
		return err
	}
	if c.preview > 0 {
		return c.printPreview(ctx, file)
	}
	if !c.watch {
		return c.ingestOnce(ctx, h, run, file)
	}
	fmt.Fprintf(os.Stderr, "watching %s; stop with Ctrl+C\n", showLine(file.From))
	err = file.Watch(ctx, func() error {
		again := *run // a run counts from its beginning
		err := c.ingestOnce(ctx, h, &again, file)
		var exit *exitError
		if err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
			slog.Error("the source cannot be read; trying again", "source", file.Name, "error", err)
			return nil
		}
		if errors.As(err, &exit) {
			return nil // it was told
		}
		return err
	})
	if interrupted(ctx, err) {
		return nil
	}
	return err
}

// ingestOnce runs over the source once, and prints the summary.
func (c *config) ingestOnce(ctx context.Context, h *house, run *ingest.Run, file *ingest.SourceFile) error {
	s := &ingest.Sourced{File: file, Run: run, AllowRemovals: c.allowRemovals}
	if h != nil {
		s.Notes, s.Remover = h.store, h.merges()
	}
	return c.watchRun(run, func(*ingestView) (failed int) {
		err := s.Ingest(ctx)
		if s.Skipped > 0 {
			fmt.Fprintf(os.Stderr, "%d files have not changed since they were read\n", s.Skipped)
		}
		if s.Removed > 0 {
			fmt.Printf("%d listings were removed: %s does not list them any more\n", s.Removed, showLine(file.Name))
		}
		if s.Kept != "" {
			fmt.Fprintln(os.Stderr, "ketnoi: "+showLine(s.Kept))
			failed++
		}
		if err != nil {
			c.tellFailure(ctx, file.Name, err)
			failed++
		}
		return failed
	})
}

// printPreview shows what the first records would become, beside what the source says, and stores nothing.
func (c *config) printPreview(ctx context.Context, file *ingest.SourceFile) error {
	refused := 0
	err := ingest.Preview(ctx, file, c.preview, func(p ingest.Previewed) {
		fmt.Printf("record %d\n", p.Line)
		for _, f := range p.Fields {
			fmt.Printf("  %-14s %s\n", f.Key, showLine(f.Ours))
			if f.Theirs != "" && f.Theirs != f.Ours {
				fmt.Printf("  %-14s   from %s: %s\n", "", showLine(f.Name), showLine(f.Theirs))
			}
		}
		if p.Refused != "" {
			refused++
			fmt.Printf("  refused: %s\n", showLine(p.Refused))
		}
	})
	if err != nil {
		return err
	}
	if refused > 0 {
		fmt.Printf("%d of these would be refused\n", refused)
		return &exitError{code: exitRejected}
	}
	return nil
}
