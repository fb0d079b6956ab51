package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/embeddings/lexicon"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/store/health"
)

func newDoctor(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether the store is well, and say what to do where it is not",
		Long: `Looks at the store at --store: its version and schema, what listings, words and vectors say of each other, indexes,
figures, and, of a PostgreSQL server, settings, vacuum, disk, standbys and long transactions. It changes nothing, and
looks at stores too that do not open. Each finding is fine, a warning or a fault, and comes with the SQL or command
that mends it. To look at a standby, give its address as --store.

--verify also takes stored vectors of each model and kind as queries and compares what the graphs (HNSW indexes) return
with exact search. That reads every vector once for each query.

Exit codes: 0 all is fine, but for warnings; 1 there is a fault; 2 the store could not be looked at.`,
		Example: `  ketnoi doctor
  ketnoi doctor --store postgres://ketnoi@db.example.org/ketnoi --verify --sample 500
  ketnoi doctor --json | jq '.findings[] | select(.state != "fine")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case c.sample < 1:
				return fmt.Errorf("--sample %d: want at least 1", c.sample)
			case isSet(cmd, "sample") && !c.verify:
				return fmt.Errorf("--sample %d: only with --verify", c.sample)
			}
			return c.runDoctor(cmd.Context())
		},
	}
	c.doctorFlags(cmd)
	return cmd
}

// diagnosis is what doctor prints as JSON.
type diagnosis struct {
	State    health.State `json:"state"` // of the worst finding
	Warnings int          `json:"warnings"`
	Faults   int          `json:"faults"`
	Findings health.List  `json:"findings"`
}

func (c *config) runDoctor(ctx context.Context) error {
	show := c.stages(os.Stderr)
	o := health.Options{Model: lexicon.New(glossary.Default()).Model(), Progress: show.set}
	if c.verify {
		o.Sample = c.sample
	}
	found, err := store.Examine(ctx, c.store, o)
	show.finish()
	if err != nil {
		return err
	}
	d := diagnosis{State: health.Fine, Warnings: found.Count(health.Warning), Faults: found.Count(health.Fault), Findings: found}
	switch {
	case d.Faults > 0:
		d.State = health.Fault
	case d.Warnings > 0:
		d.State = health.Warning
	}
	if c.json {
		err = printJSON(d)
	} else {
		err = newView(c).diagnosis(&d)
	}
	if err == nil && d.Faults > 0 {
		return &exitError{code: exitRejected}
	}
	return err
}

// diagnosis prints findings one below the other. What is to be done is never broken into lines: it is there to be copied.
func (v *view) diagnosis(d *diagnosis) error {
	const states, checks = 9, 14
	for _, f := range d.Findings {
		style := v.good
		if f.State != health.Fine {
			style = v.bold
		}
		head := style(fmt.Sprintf("%-*s", states, f.State)) + v.mark(fmt.Sprintf("%-*s", checks, f.Check))
		for _, l := range lines(show(f.Detail), v.width-states-checks) {
			v.p.f("%s%s\n", head, l)
			head = strings.Repeat(" ", states+checks)
		}
		if f.Do != "" {
			v.line(states+checks, v.bold("do: ")+strings.Join(strings.Fields(show(f.Do)), " "))
		}
	}
	v.p.f("\n%s\n", v.bold(fmt.Sprintf("%s, %s, %d findings", plural(d.Faults, "fault"), plural(d.Warnings, "warning"), len(d.Findings))))
	return v.p.err
}

func plural(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
