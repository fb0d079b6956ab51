package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/ingest"
	"github.com/ketnoi/ketnoi/ingest/people"
)

func newExport(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export (--id ID | --person NAME)",
		Short: "Write down everything the store holds about a person",
		Long: `Writes one JSON document: each listing as it is stored, its passages, by which models it was embedded, where else the store
holds something of it, and to whom its texts may have been sent. Names are compared without accents and case; if several
persons share one, all are written, each under its id.

Exit codes: 0 written; 1 nobody of that name or id is stored; 2 failed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withPerson(cmd.Context(), func(h *house, found []*subject) error { return c.export(cmd.Context(), h, found) })
		},
	}
	c.personFlags(cmd)
	cmd.Flags().StringVar(&c.out, "out", "", "file to write to, readable by you only (default: standard output)")
	cmd.Flags().BoolVar(&c.vectors, "vectors", false, "write the vectors too")
	return cmd
}

// held is what a store holds about a person.
type held struct {
	Person   string          `json:"person"`
	Listing  *engine.Listing `json:"listing"`
	Passages []heldPassage   `json:"passages"`
	Models   []heldModel     `json:"models"`
	Traces   []engine.Trace  `json:"traces"`
}

type heldPassage struct {
	Source string `json:"source"`
	Text   string `json:"text"`
}

type heldModel struct {
	Name      string      `json:"name"`
	Recipient string      `json:"recipient,omitempty"` // who was sent the texts, if that is not this program
	Vectors   int         `json:"count"`
	Data      [][]float32 `json:"vectors,omitempty"`
}

func (c *config) export(ctx context.Context, h *house, found []*subject) error {
	models, err := h.models(ctx)
	if err != nil {
		return err
	}
	var all struct {
		Listings  []held     `json:"listings"`
		Transfers []transfer `json:"transfers"`
	}
	recipients := map[string]bool{}
	for _, s := range found {
		l := s.entry.Listing
		one := held{Person: people.Name(l), Listing: l, Passages: []heldPassage{}, Models: []heldModel{}}
		for _, p := range s.entry.Passages {
			one.Passages = append(one.Passages, heldPassage{l.Heading(p.Source), l.Quote(p)})
		}
		for _, m := range models {
			e, err := h.store.Entries(ctx, []string{l.ID}, m.Name)
			if err != nil {
				return err
			}
			if len(e) == 0 || len(e[0].Vectors) == 0 {
				continue
			}
			of := heldModel{Name: m.Name, Recipient: m.Recipient(), Vectors: len(e[0].Vectors)}
			if recipients[m.Name] = true; c.vectors {
				of.Data = e[0].Vectors
			}
			one.Models = append(one.Models, of)
		}
		if one.Traces, err = h.store.Traces(ctx, l.ID, s.texts); err != nil {
			return err
		}
		all.Listings = append(all.Listings, one)
	}
	all.Transfers = []transfer{}
	if err := h.eachTransfer(ctx, func(t transfer) error {
		if recipients[t.Model] {
			all.Transfers = append(all.Transfers, t)
		}
		return nil
	}); err != nil {
		return err
	}
	out := os.Stdout
	if c.out != "" {
		if out, err = os.OpenFile(c.out, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil {
			return err
		}
		defer out.Close()
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(all)
}

// models are all that the store was told of.
func (h *house) models(ctx context.Context) (out []embeddings.Spec, err error) {
	out = []embeddings.Spec{builtIn()}
	err = ingest.EachNote(ctx, h.store, knownSpace, "", func(n engine.Note) error {
		spec, _, err := readSpec(ctx, h.store, knownSpace, n.Key)
		if err == nil {
			out = append(out, spec)
		}
		return err
	})
	return out, err
}
