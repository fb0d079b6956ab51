package main

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ketnoi/ketnoi/eval"
)

// results prints a line a result, and of a single one its main parts; a report has all of them.
func (p *printer) results(results []*eval.Result, measures []string) {
	if len(results) == 0 {
		return
	}
	wide := 16
	for _, res := range results {
		wide = max(wide, utf8.RuneCountInString(res.Name))
	}
	p.f("%-*s %7s %7s", wide, "", "topics", "judged")
	for _, m := range measures {
		p.f(" %*s", max(7, len(m)), m)
	}
	p.f("\n")
	row := func(name string, topics, judged int, values map[string]float64) {
		p.f("%-*s %7d %7d", wide, showLine(name), topics, judged)
		for _, m := range measures {
			p.f(" %*.4f", max(7, len(m)), values[m])
		}
		p.f("\n")
	}
	for _, res := range results {
		row(res.Name, res.Counts.Topics, res.Counts.Relevant, res.Measures)
		if n := res.Counts.Missing; n > 0 {
			row("  where answered", res.Counts.Topics-n, res.Counts.Relevant, res.Answered)
		}
	}
	if len(results) == 1 {
		p.parts(results[0], row)
	}
	p.f("\n")
}

// parts prints the parts of a collection that anybody asks about first.
func (p *printer) parts(res *eval.Result, row func(name string, topics, judged int, values map[string]float64)) {
	others := 0
	for _, name := range slices.Sorted(maps.Keys(res.Slices)) {
		if s := res.Slices[name]; strings.HasSuffix(name, "-language") || strings.HasPrefix(name, "kind ") {
			row("  "+name, s.Topics, s.Judged, s.Measures)
		} else {
			others++
		}
	}
	same, cross := res.Slices["same-language"].Measures["nDCG@10"], res.Slices["cross-language"].Measures["nDCG@10"]
	if same > 0 && cross > 0 {
		p.f("cross-language nDCG@10 is %.2f of the same-language figure\n", cross/same)
	}
	if l := res.Latency; l != nil {
		p.f("a topic took %.1f ms (median), %.1f ms (95 %%); no good match for %d of %d\n", l.Median, l.P95, res.Counts.NoMatch, res.Counts.Topics)
	}
	if others > 0 {
		p.f("%d more parts (languages, fields, regions) are in --json and in the report of --out\n", others)
	}
}

// comparison prints what changed from A to B.
func (p *printer) comparison(c *eval.Comparison) {
	p.f("%s → %s, %d topics\n%-14s %8s %8s %9s  %-19s %8s %8s %7s  %s\n", showLine(c.A), showLine(c.B), c.Topics, "", "A", "B", "change", "95 % interval", "p", "Holm p", "effect", "better/worse/equal")
	for _, ch := range c.Changes {
		p.f("%-14s %8.4f %8.4f %+9.4f  %+.4f to %+.4f  %8.5f %8.5f %+7.2f  %d/%d/%d  %s", ch.Measure, ch.A, ch.B, ch.Difference, ch.Interval.Low, ch.Interval.High, ch.P, ch.Holm, ch.Effect, ch.Better, ch.Worse, ch.Equal, ch.Verdict)
		if ch.Verdict == eval.Noise && ch.Needed > 0 {
			p.f(" (to see it takes %d topics)", ch.Needed)
		}
		p.f("\n")
	}
	p.f("\n")
}
