package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/engine"
)

func newRecommend(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "recommend (--for ID | --text TEXT)",
		Short: "Recommend counterparts for a listing or a free text, with reasons",
		Example: `  ketnoi recommend --text "Ao tôm bị đốm trắng, cần cách phát hiện sớm" --want expert,technology
  ketnoi recommend --for P101 --region VN --lang ko,fr --reader vi
  ketnoi recommend --for T05814 --limit 3 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runRecommend(cmd.Context()) },
	}
	c.queryFlags(cmd)
	return cmd
}

// query builds the query from the flags.
func (c *config) query() (engine.Query, error) {
	q := engine.Query{For: c.subject, Text: c.text, Lang: c.textLang, Limit: c.limit, Reader: c.reader}
	if c.limit < 1 {
		return q, fmt.Errorf("--limit %d: want 1 to %d", c.limit, engine.MaxLimit)
	}
	if c.subject != "" && c.textLang != "" {
		return q, errors.New("--text-lang: only with --text; a listing has a language of its own")
	}
	for _, k := range c.want {
		q.Want = append(q.Want, engine.Kind(k))
	}
	q.Filter = engine.Filter{Fields: c.fields, Regions: c.regions, Languages: c.languages, TRLMin: c.trlMin, TRLMax: c.trlMax}
	for _, p := range c.prefer {
		key, value, _ := strings.Cut(p, "=")
		switch key {
		case "field":
			q.Prefer.Fields = append(q.Prefer.Fields, value)
		case "region":
			q.Prefer.Regions = append(q.Prefer.Regions, value)
		case "lang":
			q.Prefer.Languages = append(q.Prefer.Languages, value)
		default:
			return q, fmt.Errorf("--prefer %q: want field=CODE, region=CODE or lang=TAG", p)
		}
	}
	return q, nil
}

// flagOf leads from the fields of a query to the flags they come from.
var flagOf = map[string]string{"for": "--for", "text": "--text", "lang": "--text-lang", "want": "--want", "limit": "--limit", "reader": "--reader",
	"filter.fields": "--field", "filter.regions": "--region", "filter.languages": "--lang", "filter.trl_min": "--trl-min", "filter.trl_max": "--trl-max",
	"prefer.fields": "--prefer", "prefer.regions": "--prefer", "prefer.languages": "--prefer"}

func (c *config) runRecommend(ctx context.Context) error {
	q, err := c.query()
	if err == nil {
		checked := q
		err = checked.Normalise()
	}
	var field *engine.FieldError
	if errors.As(err, &field) {
		name, _, _ := strings.Cut(field.Field, "[")
		return fmt.Errorf("%s: %s", flagOf[name], strings.ReplaceAll(field.Reason, `"for"`, "--for"))
	}
	if err != nil {
		return err
	}
	h, err := c.ready(ctx, os.Stderr, byDatabase)
	if err != nil {
		return err
	}
	defer h.store.Close()
	if err := h.requireListings(ctx); err != nil {
		return err
	}
	answer, err := h.desk.Load().rec.Recommend(ctx, q)
	if errors.Is(err, engine.ErrUnknownListing) {
		return fmt.Errorf("--for %s: no such listing in %s", c.subject, h.store.Address())
	}
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(answer)
	}
	newView(c).answer(answer)
	return nil
}

func printJSON(v any) error {
	if err := json.MarshalWrite(os.Stdout, v, json.Deterministic(true), jsontext.WithIndent("  ")); err != nil {
		return err
	}
	fmt.Println()
	return nil
}
