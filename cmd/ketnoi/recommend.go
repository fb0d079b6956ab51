package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
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
  ketnoi recommend --for P101 --exclude region=CN --prefer org-type=university,trl-min=6
  ketnoi recommend --for P101 --why-not T214
  ketnoi recommend --for T05814 --limit 3 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runRecommend(cmd.Context()) },
	}
	c.queryFlags(cmd)
	c.whyNotFlag(cmd)
	c.chatFlags(cmd)
	cmd.Flags().BoolVar(&c.narrative, "narrative", false, "let the chat model put the first explanations into its own words, as far as the facts support them")
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
	q.Filter = engine.Filter{Fields: c.fields, Regions: c.regions, Languages: c.languages, TRLMin: c.trlMin, TRLMax: c.trlMax, IPStatus: c.ipStatus, OrganisationTypes: c.orgTypes, Since: c.since, SharedLanguage: c.sharedLanguage}
	q.Without, q.Narrative = c.without, c.narrative
	err := readRules("--prefer", c.prefer, &q.Prefer)
	if err == nil {
		err = readRules("--exclude", c.exclude, &q.Exclude)
	}
	return q, err
}

// readRules reads rules written as key=value into a filter.
func readRules(flag string, rules []string, f *engine.Filter) error {
	for _, rule := range rules {
		key, value, _ := strings.Cut(rule, "=")
		var number *int
		switch key {
		case "field":
			f.Fields = append(f.Fields, value)
		case "region":
			f.Regions = append(f.Regions, value)
		case "lang":
			f.Languages = append(f.Languages, value)
		case "ip":
			f.IPStatus = append(f.IPStatus, value)
		case "org-type":
			f.OrganisationTypes = append(f.OrganisationTypes, value)
		case "shared-language":
			if value != "yes" && value != "" {
				return fmt.Errorf("%s %q: want shared-language=yes, or leave it out", flag, rule)
			}
			f.SharedLanguage = true
		case "since":
			number = &f.Since
		case "trl-min":
			number = &f.TRLMin
		case "trl-max":
			number = &f.TRLMax
		default:
			return fmt.Errorf("%s %q: want field=CODE, region=CODE, lang=TAG, ip=STATUS, org-type=TYPE, since=YEAR, trl-min=N, trl-max=N or shared-language=yes", flag, rule)
		}
		if number != nil {
			n, err := strconv.Atoi(value)
			if err != nil {
				return fmt.Errorf("%s %q: %q is no whole number", flag, rule, value)
			}
			*number = n
		}
	}
	return nil
}

// flagOf leads from the fields of a query to the flags they come from.
var flagOf = map[string]string{"for": "--for", "text": "--text", "lang": "--text-lang", "want": "--want", "limit": "--limit", "reader": "--reader",
	"filter.fields": "--field", "filter.regions": "--region", "filter.languages": "--lang", "filter.trl_min": "--trl-min", "filter.trl_max": "--trl-max",
	"filter.ip_status": "--ip", "filter.organisation_types": "--org-type", "filter.since": "--since", "filter.shared_language": "--shared-language", "without": "--without", "narrative": "--narrative"}

// checkedQuery builds the query and checks it; an error names the flag.
func (c *config) checkedQuery() (engine.Query, error) {
	q, err := c.query()
	if err == nil {
		checked := q
		err = checked.Normalise()
	}
	var field *engine.FieldError
	if errors.As(err, &field) {
		name, _, _ := strings.Cut(field.Field, "[")
		flag := flagOf[name]
		if head, _, _ := strings.Cut(name, "."); head == "prefer" || head == "exclude" {
			flag = "--" + head
		}
		err = fmt.Errorf("%s: %s", flag, strings.ReplaceAll(field.Reason, `"for"`, "--for"))
	}
	return q, err
}

func (c *config) runRecommend(ctx context.Context) error {
	q, err := c.checkedQuery()
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
	rec := h.desk.Load().rec
	if c.whyNot != "" {
		why, err := rec.WhyNot(ctx, q, c.whyNot)
		var field *engine.FieldError
		switch {
		case errors.As(err, &field):
			return fmt.Errorf("--why-not: %s", field.Reason)
		case errors.Is(err, engine.ErrUnknownListing):
			return fmt.Errorf("%w in %s", err, h.store.Address())
		case err != nil:
			return err
		case c.json:
			return printJSON(why)
		}
		return newView(c).whyNot(why)
	}
	answer, err := rec.Recommend(ctx, q)
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
