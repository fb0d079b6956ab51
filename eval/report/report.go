// Package report writes what an evaluation found for people: one self-contained HTML file, or Markdown.
package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ketnoi/ketnoi/eval"
)

// Report is what is written: results of one collection or, with the other direction, of both, and how they compare.
type Report struct {
	Title       string
	Made        time.Time
	Results     []*eval.Result
	Comparisons []*eval.Comparison
	Measures    []string // in order; the first leads
	Notes       []string
}

// few is how many topics a slice needs to say much.
const few = 10

// worstShown is how many topics are shown in full.
const worstShown = 10

//go:embed report.html.tmpl report.css
var files embed.FS

var page = template.Must(template.New("report.html.tmpl").Funcs(template.FuncMap{
	"f3":     f3,
	"signed": func(v float64) string { return fmt.Sprintf("%+.3f", v) },
	"pct":    pct,
	"ms":     func(ms float64) string { return fmt.Sprintf("%.1f ms", ms) },
	"p":      pValue,
	"clip":   clip,
	"ordinal": func(rank int) string {
		if rank == 0 {
			return "not found"
		}
		return fmt.Sprint(rank)
	},
	"percent": func(part, whole float64) template.CSS {
		if whole <= 0 {
			return "0%"
		}
		return template.CSS(fmt.Sprintf("%.1f%%", 100*part/whole)) //nolint:gosec // a number
	},
}).ParseFS(files, "report.html.tmpl"))

// HTML writes one file that needs nothing else: no script, no font, no address elsewhere.
func (r *Report) HTML(w io.Writer) error {
	css, err := files.ReadFile("report.css")
	if err != nil {
		return err
	}
	v := view{Report: r, CSS: template.CSS(css), Lead: r.Measures[0], Summary: r.summary(), Slices: r.slices()} //nolint:gosec // ours
	if v.Curve, err = curve(r.Results, v.Lead); err != nil {
		return err
	}
	for _, c := range r.Comparisons {
		d := difference{Comparison: c, Losses: head10(c.Moved, false), Gains: head10(c.Moved, true)}
		if d.Plot, err = differences(c); err != nil {
			return err
		}
		v.Differences = append(v.Differences, d)
	}
	for _, res := range r.detailed() {
		s := section{Result: res, Worst: worst(res, v.Lead)}
		if res.Calibration != nil {
			if s.Reliability, err = reliability(res.Calibration); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(res.Exposure)) {
			e := res.Exposure[name]
			drawn, err := exposure(e)
			if err != nil {
				return err
			}
			s.Exposures = append(s.Exposures, exposed{name, e, drawn})
		}
		v.Sections = append(v.Sections, s)
	}
	return page.Execute(w, v)
}

// detailed are the results that are shown in detail: of many, the first.
func (r *Report) detailed() []*eval.Result {
	if len(r.Results) > 3 {
		return r.Results[:1]
	}
	return r.Results
}

// view is what the template sees.
type view struct {
	*Report
	CSS         template.CSS
	Lead        string
	Summary     []string
	Curve       template.HTML
	Slices      []sliceRow
	Differences []difference
	Sections    []section
}

type difference struct {
	*eval.Comparison
	Plot          template.HTML
	Losses, Gains []eval.TopicShift
}

// section is what is said of one result alone.
type section struct {
	*eval.Result
	Reliability template.HTML
	Exposures   []exposed
	Worst       []worstTopic
}

type exposed struct {
	Name string
	eval.Exposure
	Plot template.HTML
}

// sliceRow is one slice over all results: the lead measure of each.
type sliceRow struct {
	Name           string
	Topics, Judged int
	Few            bool
	Values         []string
}

func (r *Report) slices() []sliceRow {
	var out []sliceRow
	for _, name := range eval.SliceNames(r.Results) {
		row := sliceRow{Name: name}
		for _, res := range r.Results {
			s, has := res.Slices[name]
			if !has {
				row.Values = append(row.Values, "–")
				continue
			}
			row.Topics, row.Judged = max(row.Topics, s.Topics), max(row.Judged, s.Judged)
			row.Values = append(row.Values, f3(s.Measures[r.Measures[0]]))
		}
		row.Few = row.Topics < few
		out = append(out, row)
	}
	return out
}

// worstTopic is a topic on which a ranker failed.
type worstTopic struct {
	ID    string
	Value float64
	eval.Detail
}

// worst returns the topics of least value; ties by their ids.
func worst(res *eval.Result, measure string) []worstTopic {
	ids := slices.DeleteFunc(slices.Sorted(maps.Keys(res.Topics)), func(id string) bool {
		_, known := res.Details[id]
		return !known
	})
	slices.SortStableFunc(ids, func(a, b string) int {
		switch x, y := res.Topics[a][measure], res.Topics[b][measure]; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	var out []worstTopic
	for _, id := range ids[:min(worstShown, len(ids))] {
		out = append(out, worstTopic{id, res.Topics[id][measure], res.Details[id]})
	}
	return out
}

// head10 returns the ten greatest losses or gains.
func head10(moved []eval.TopicShift, gains bool) []eval.TopicShift {
	var out []eval.TopicShift
	for i := range moved {
		m := moved[i]
		if gains {
			m = moved[len(moved)-1-i]
		}
		if len(out) == worstShown || gains && m.Difference <= 0 || !gains && m.Difference >= 0 {
			break
		}
		out = append(out, m)
	}
	return out
}

// summary says in words what was found.
func (r *Report) summary() []string {
	var out []string
	for _, c := range r.Comparisons {
		out = append(out, sentence(c))
	}
	unknown, blind := 0, []string{}
	for _, res := range r.Results {
		if n := res.Counts.Missing; n > 0 || len(r.Results) == 1 {
			s := fmt.Sprintf("%s: %s %s over %d topics", res.Name, r.Measures[0], f3(res.Measures[r.Measures[0]]), res.Counts.Topics)
			if n > 0 {
				s += fmt.Sprintf("; %d got no answer, which counts as 0: %s over those answered", n, f3(res.Answered[r.Measures[0]]))
			}
			out = append(out, s+".")
		}
		unknown = max(unknown, res.Counts.Unknown)
		if judged, has := res.Measures["Judged@10"]; has && judged < 0.5 {
			blind = append(blind, fmt.Sprintf("%s (%s)", res.Name, pct(judged)))
		}
	}
	if unknown > 0 {
		out = append(out, fmt.Sprintf("%d judgements are about listings that the store does not have: they count as not found.", unknown))
	}
	if len(blind) > 0 {
		out = append(out, "Of the first ten places, less than half were judged by anybody: "+strings.Join(blind, ", ")+". What was not judged counts as not relevant, so a ranker that finds other listings than the judges saw looks worse than it is. Compare rankers, quote no figure as quality, and have a pool judged before deciding (ketnoi eval pool).")
	}
	return append(out, r.Notes...)
}

// sentence says what a comparison's leading measure means.
func sentence(c *eval.Comparison) string {
	ch := c.Changes[0]
	s := fmt.Sprintf("%s against %s on %s: ", c.B, c.A, ch.Measure)
	evidence := fmt.Sprintf("%+.3f (95 %% interval %+.3f to %+.3f; p %s after correction; %d topics, %d better and %d worse)", ch.Difference, ch.Interval.Low, ch.Interval.High, pValue(ch.Holm), c.Topics, ch.Better, ch.Worse)
	switch ch.Verdict {
	case eval.Same:
		return s + "the same on every topic."
	case eval.Noise:
		s += "within noise, " + evidence
		if ch.Needed > 0 {
			s += fmt.Sprintf("; to see a difference of this size takes about %d topics", ch.Needed)
		}
		return s + "."
	}
	return s + string(ch.Verdict) + ", " + evidence + "."
}

func f3(v float64) string { return fmt.Sprintf("%.3f", v) }

func pct(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }

func pValue(p float64) string {
	if p < 0.001 {
		return "under 0.001"
	}
	return f3(p)
}

// paragraph is the last section, in both forms.
const paragraph = "A topic's ranking is ordered by score, ties by listing id descending, as trec_eval does. nDCG takes the grade as gain and log2(rank+1) as discount; listings nobody judged count as not relevant, and topics without an answer as 0. Slices take other slices' relevant listings out of the ranking. Differences: paired randomization test over topics (exact up to 20 topics that differ), corrected by Holm's method over all comparisons of this report; intervals by bootstrap over topics; effect is the mean difference in standard deviations of the differences; topics needed are those on which a test at 0.05 finds a true difference of this size four times in five. Exposure falls with 1/log2(rank+1) over the first ten places; NDKL is 0 where each prefix of the rankings has the groups' shares of the store. Expected calibration error is the mean gap between score and acceptance, in bins of equal size."

// Method is that paragraph, for the template.
func (r *Report) Method() string { return paragraph }

// Ranked says whether any result was made here, and not read from a run.
func (s *section) Ranked() bool { return len(s.Details) > 0 }
