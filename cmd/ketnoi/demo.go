package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/eval/demo"
	"github.com/ketnoi/ketnoi/ingest"
)

func newDemo(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Load the demo corpus, print one explained recommendation, and serve",
		Long: `Loads the demo corpus (problems, technologies and experts in five languages; every person and organisation in it is
invented) into an embedded store, prints a Vietnamese problem with what it is matched to and why, and leaves the
server running.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !isSet(cmd, "store") {
				c.store = demoStore
			}
			return c.runDemo(cmd.Context())
		},
	}
	c.demoFlags(cmd)
	return cmd
}

const (
	demoStore   = "sqlite:ketnoi-demo.db"
	demoSubject = "P501" // early detection of African swine fever, answered in English, Korean and Chinese
)

func (c *config) runDemo(ctx context.Context) error {
	h, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer h.store.Close()
	if err := loadDemo(ctx, h); err != nil {
		return err
	}
	if err := h.learn(ctx, c, os.Stdout); err != nil {
		return err
	}
	if err := h.load(ctx, c, os.Stderr, byIndex); err != nil {
		return err
	}
	answer, err := h.desk.Load().rec.Recommend(ctx, engine.Query{For: demoSubject, Limit: 3, Reader: c.reader})
	if err != nil {
		return err
	}
	fmt.Printf("\nA problem in Vietnamese, and who or what could solve it, whatever their language:\n\n")
	newView(c).answer(answer)
	if c.once {
		return nil
	}
	return c.serve(ctx, h, byIndex, func(address string) { c.tryThis(address) })
}

// loadDemo ingests the embedded corpus by the same way as anybody's files.
func loadDemo(ctx context.Context, h *house) error {
	dir, err := os.MkdirTemp("", "ketnoi-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, demo.Files()); err != nil {
		return err
	}
	var first *ingest.Issue
	run := &ingest.Run{Store: h.store, Merges: h.merges(), Embedder: h.model.embedder, Report: func(i ingest.Issue) {
		if first == nil && !i.Warning {
			first = &i
		}
	}}
	for _, name := range demo.Listings {
		if err := run.File(ctx, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("demo corpus: %w", err)
		}
	}
	if first != nil {
		return fmt.Errorf("demo corpus: %s", first)
	}
	s := run.Summary()
	fmt.Printf("demo corpus in %s: %d listings, %d new; every person and organisation in it is invented\n", h.store.Address(), s.Read, s.Added)
	return nil
}

// tryThis says where the server is and three things to do with it.
func (c *config) tryThis(address string) {
	binary := ownName()
	fmt.Printf(`
The server is at %s (stop it with Ctrl+C). Try, in another terminal:

  curl -s %s/v1/recommendations -H 'Content-Type: application/json' -d '{"text": "새우 양식장의 흰반점병 조기 진단", "limit": 3}'

  %s --store %s recommend --text "Nước thải nhuộm còn màu, cần xử lý rẻ hơn" --want technology

  %s --store %s recommend --for %s --region KR --reader vi

`, address, address, binary, c.store, binary, c.store, demoSubject)
}

// ownName is how the user's shell finds this program.
func ownName() string {
	exe, err := os.Executable()
	if err != nil {
		return "ketnoi"
	}
	if found, err := exec.LookPath("ketnoi"); err == nil && found == exe {
		return "ketnoi"
	}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, exe); err == nil && !strings.HasPrefix(rel, "..") {
			return "./" + rel
		}
	}
	return exe
}
