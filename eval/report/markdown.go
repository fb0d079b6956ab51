package report

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/eval"
)

// Markdown writes the same facts in tables for a terminal or a merge request.
func (r *Report) Markdown(w io.Writer) error {
	m := &markdown{w: w}
	m.line("# %s", esc(r.Title))
	m.line("%s", r.Made.Format("2006-01-02 15:04 MST"))
	for _, s := range r.summary() {
		m.line("- %s", esc(s))
	}
	m.line("## Measures")
	names := make([]string, len(r.Results))
	for i, res := range r.Results {
		names[i] = esc(clip(res.Name, 40))
	}
	m.table(append([]string{"measure"}, names...))
	for _, name := range r.Measures {
		row := []string{esc(name)}
		for _, res := range r.Results {
			cell := f3(res.Measures[name])
			if res.Counts.Missing > 0 {
				cell += " (" + f3(res.Answered[name]) + " answered)"
			}
			row = append(row, cell)
		}
		m.row(row)
	}
	m.print("\n")
	for _, c := range r.Comparisons {
		m.comparison(c)
	}
	if rows := r.slices(); len(rows) > 0 {
		m.line("## Parts of the collection, by %s", esc(r.Measures[0]))
		m.table(append([]string{"part", "topics", "relevant"}, names...))
		for _, s := range rows {
			name := esc(s.Name)
			if s.Few {
				name += " (few)"
			}
			m.row(append([]string{name, fmt.Sprint(s.Topics), fmt.Sprint(s.Judged)}, s.Values...))
		}
		m.print("\n")
	}
	for _, res := range r.detailed() {
		m.details(res, r.Measures[0])
	}
	m.line("## How it was measured")
	m.line("%s", esc(paragraph))
	return m.err
}

type markdown struct {
	w   io.Writer
	err error
}

func (m *markdown) print(s string) {
	if m.err == nil {
		_, m.err = io.WriteString(m.w, s)
	}
}

// line writes a paragraph; what goes into it is escaped by the caller.
func (m *markdown) line(format string, a ...any) { m.print(fmt.Sprintf(format, a...) + "\n\n") }

func (m *markdown) table(columns []string) {
	m.row(columns)
	m.print("|" + strings.Repeat("---|", len(columns)) + "\n")
}

func (m *markdown) row(cells []string) { m.print("| " + strings.Join(cells, " | ") + " |\n") }

func (m *markdown) comparison(c *eval.Comparison) {
	m.line("## %s against %s, %d topics", esc(c.B), esc(c.A), c.Topics)
	m.table([]string{"measure", "before", "after", "change", "95 % interval", "p", "p corrected", "effect", "better / worse / equal", "topics needed", "verdict"})
	for _, ch := range c.Changes {
		needed := "–"
		if ch.Needed > 0 {
			needed = fmt.Sprint(ch.Needed)
		}
		m.row([]string{esc(ch.Measure), f3(ch.A), f3(ch.B), fmt.Sprintf("%+.3f", ch.Difference), fmt.Sprintf("%+.3f to %+.3f", ch.Interval.Low, ch.Interval.High),
			pValue(ch.P), pValue(ch.Holm), fmt.Sprintf("%+.2f", ch.Effect), fmt.Sprintf("%d / %d / %d", ch.Better, ch.Worse, ch.Equal), needed, string(ch.Verdict)})
	}
	for _, part := range [][]eval.TopicShift{head10(c.Moved, false), head10(c.Moved, true)} {
		if len(part) == 0 {
			continue
		}
		m.print("\n")
		m.table([]string{"topic", "before", "after", "change"})
		for _, t := range part {
			m.row([]string{esc(clip(t.Title, 80) + " " + t.Topic), f3(t.A), f3(t.B), fmt.Sprintf("%+.3f", t.Difference)})
		}
	}
	m.print("\n")
}

func (m *markdown) details(res *eval.Result, lead string) {
	if res.Calibration == nil && len(res.Exposure) == 0 && len(res.Details) == 0 {
		return
	}
	m.line("## %s in detail", esc(res.Name))
	if l := res.Latency; l != nil {
		m.line("A topic took %.1f ms in the middle, %.1f ms at the 95th percentile.", l.Median, l.P95)
	}
	if c := res.Calibration; c != nil {
		m.line("Expected calibration error %s over %d judged listings.", f3(c.ECE), c.Judged)
		m.table([]string{"score", "accepted", "listings"})
		for _, b := range c.Bins {
			m.row([]string{f3(b.Score), f3(b.Accepted), fmt.Sprint(b.Count)})
		}
		m.print("\n")
	}
	for _, name := range slices.Sorted(maps.Keys(res.Exposure)) {
		e := res.Exposure[name]
		m.line("Exposure by %s, NDKL %s:", name, f3(e.NDKL))
		m.table([]string{name, "of the listings", "of the attention", "ratio", "of what is relevant"})
		for _, g := range e.Groups[:min(mostGroups, len(e.Groups))] {
			m.row([]string{esc(g.Group), f3(g.Population), f3(g.Exposure), fmt.Sprintf("%.2f", g.Ratio), f3(g.Relevant)})
		}
		m.print("\n")
	}
	if s := res.Spread; s != nil {
		m.line("%d of %d listings stood in some topic's first ten; the most shown hundredth took %s of all places (Gini %.2f).", s.Shown, s.Listings, pct(s.TopShare), s.Gini)
	}
	worst := worst(res, lead)
	if len(worst) == 0 {
		return
	}
	m.line("The worst topics:")
	m.table([]string{"topic", lead, "ranked first", "relevant and missed"})
	for _, t := range worst {
		first, missed := "nothing", []string{}
		if len(t.Ranked) > 0 {
			first = clip(t.Ranked[0].Title, 60) + " " + t.Ranked[0].ID
		}
		for _, s := range t.Missed[:min(3, len(t.Missed))] {
			at := "not found"
			if s.Rank > 0 {
				at = fmt.Sprint("rank ", s.Rank)
			}
			missed = append(missed, fmt.Sprintf("%s %s (%s)", clip(s.Title, 40), s.ID, at))
		}
		m.row([]string{esc(clip(t.Title, 80) + " " + t.ID), f3(t.Value), esc(first), esc(strings.Join(missed, "; "))})
	}
	m.print("\n")
}

var (
	markup  = strings.NewReplacer("\\", "\\\\", "|", "\\|", "`", "\\`", "*", "\\*", "<", "&lt;", ">", "&gt;", "[", "\\[", "]", "\\]", "#", "\\#", "\n", " ", "\r", " ")
	entity  = regexp.MustCompile(`&([A-Za-z#])`)
	mention = regexp.MustCompile(`(^|\W)@(\w)`)
)

// esc keeps a text from being read as markup, a mention or another cell; what turns the direction of writing is left out.
func esc(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r < ' ' && r != '\n' {
			return -1
		}
		return r
	}, s)
	return markup.Replace(mention.ReplaceAllString(entity.ReplaceAllString(s, "&\u200b$1"), "$1@\u200b$2"))
}
