package main

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/fatih/color"
	"github.com/mattn/go-runewidth"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
)

// view prints answers for people. Without colour nothing is lost: colour only repeats what words and signs say.
type view struct {
	p      *printer
	width  int
	reader string

	bold, dim, good, mark func(a ...any) string
}

func newView(c *config) *view {
	color.NoColor = !c.colour
	return &view{p: newPrinter(), width: c.width, reader: c.reader,
		bold: color.New(color.Bold).SprintFunc(), dim: color.New(color.Faint).SprintFunc(),
		good: color.New(color.FgGreen).SprintFunc(), mark: color.New(color.FgCyan).SprintFunc()}
}

const indent = 5

// answer prints the subject, then each recommendation with its reasons, or why there is none.
func (v *view) answer(a *engine.Answer) {
	v.subject(a.Subject)
	if a.Degraded {
		v.line(0, v.bold("Degraded: ")+a.Reason)
	}
	for _, r := range a.Removed {
		if r.Count > 0 {
			what := "rule on"
			switch {
			case r.Rule == engine.RuleBlocked:
				v.line(0, fmt.Sprintf("Blocked pairs removed %d good matches.", r.Count))
				continue
			case r.Not:
				what = "exclusion by"
			}
			v.line(0, fmt.Sprintf("The %s %s removed %d good matches.", what, engine.Phrase(r.Rule, "en"), r.Count))
		}
	}
	for _, s := range a.Left {
		if s.Place <= len(a.Items)+1 {
			v.line(0, v.dim(show(fmt.Sprintf("Left out at place %d: %s %s. %s", s.Place, s.ID, s.Title, s.Reason))))
		}
	}
	if a.NoMatch {
		v.noMatch(a)
	}
	if a.Unwritten != "" {
		v.line(0, v.dim(showLine("Narratives left out: "+a.Unwritten)))
	}
	for i := range a.Items {
		v.item(&a.Items[i])
	}
	v.p.f("%s\n", v.dim(fmt.Sprintf("%d listings within the rules · ranker %s · model %s · %.1f ms",
		a.Allowed, a.Ranker, a.Model, float64((a.Steps.Read+a.Steps.Retrieve+a.Steps.Score+a.Steps.Explain).Microseconds())/1000)))
}

func (v *view) subject(s engine.Subject) {
	if s.ID == "" {
		v.p.f("%s %s\n\n", v.bold("Free text"), v.dim(v.language(s.Lang)))
		return
	}
	v.p.f("%s\n", v.bold(strings.Join(v.facts(&engine.Listing{ID: s.ID, Kind: s.Kind, Lang: s.Lang, Regions: s.Regions}), " · ")))
	v.wrap(0, s.Title, nil)
	if s.Organisation != "" {
		v.line(0, v.dim(show(s.Organisation)))
	}
	v.p.f("\n")
}

func (v *view) noMatch(a *engine.Answer) {
	v.p.f("%s No candidate reaches the confidence of %.2f that a good match needs.\n", v.bold("No good match."), a.Threshold)
	for _, n := range a.Nearest {
		v.line(2, fmt.Sprintf("nearest: %s %s, %.2f: %s", n.Kind, n.ID, n.Confidence, show(n.Title)))
	}
	if a.Relax != "" {
		rule, excluded := strings.CutPrefix(a.Relax, "exclude.")
		what := "rule on "
		if excluded {
			what = "exclusion by "
		}
		v.line(2, "Relax the "+what+engine.Phrase(rule, "en")+" to see more.")
	}
	if a.Subject.ID != "" && a.Allowed > 0 {
		v.line(2, "Keep it open, and hear when something arrives: ketnoi standing open NAME --for "+show(a.Subject.ID))
	}
	if a.Allowed == 0 {
		v.line(2, "No listing is within the rules; relax --want, or a rule that is named above.")
	}
	v.p.f("\n")
}

// facts are what names a listing: id, kind, language, places.
func (v *view) facts(l *engine.Listing) []string {
	out := []string{show(l.ID), string(l.Kind), v.language(l.Lang)}
	for _, r := range l.Regions[:min(2, len(l.Regions))] {
		name := glossary.RegionLabel(r, v.reader)
		if now := glossary.Canonical(r); now != r {
			name += " (now " + glossary.RegionLabel(now, v.reader) + ")"
		}
		out = append(out, name)
	}
	if l.TRL > 0 {
		out = append(out, fmt.Sprintf("TRL %d", l.TRL))
	}
	return out
}

func (v *view) language(tag string) string {
	if tag == "" {
		return "language unknown"
	}
	return engine.Phrase(tag, "en")
}

func (v *view) item(r *engine.Recommendation) {
	e := &r.Explanation
	sure := ""
	if e.Confidence != "" {
		sure = "  " + e.Confidence + fmt.Sprintf(" %.2f", r.Confidence)
	}
	v.p.f("%s %s%s  %s  %s\n", v.bold(fmt.Sprintf("%3d.", r.Rank)), v.bold(fmt.Sprintf("%.3f", r.Score)), sure, v.good(bar(r.Score, 20)), strings.Join(v.facts(r.Listing), " · "))
	v.wrap(indent, r.Listing.Title, v.bold)
	if r.Listing.Organisation != "" && r.Listing.Organisation != r.Listing.Title {
		v.line(indent, v.dim(show(r.Listing.Organisation)))
	}
	v.wrap(indent, e.Summary, nil)
	if e.Narrative != "" {
		v.wrap(indent, e.Narrative, nil)
	}
	for _, ev := range e.Evidence[:min(2, len(e.Evidence))] {
		v.quote("asks", ev.Subject, "")
		v.quote("answers", ev.Candidate, fmt.Sprintf("similarity %.2f", ev.Similarity))
	}
	if len(e.Concepts) > 0 {
		var pairs []string
		for _, s := range e.Concepts[:min(5, len(e.Concepts))] {
			link := ""
			if s.Link != glossary.Same {
				link = " (" + string(s.Link) + ")"
			}
			pairs = append(pairs, fmt.Sprintf("%s = %s%s", show(s.Subject), show(s.Candidate), link))
		}
		v.labelled("concepts", strings.Join(pairs, "; "))
	} else if len(e.Words) > 0 {
		v.labelled("words", show(strings.Join(e.Words, ", ")))
	}
	var parts []string
	for _, p := range e.Parts {
		parts = append(parts, fmt.Sprintf("%s %.3f", p.Signal, p.Points))
	}
	v.labelled("score", fmt.Sprintf("%.3f = %s", r.Score, strings.Join(parts, " + ")))
	var rules []string
	for _, rule := range e.Rules {
		sign := "yes"
		if !rule.Holds {
			sign = "no"
		}
		name := rule.Rule
		if rule.Preference {
			name = "prefers " + name
		}
		if rule.Not {
			name = "not " + name
		}
		rules = append(rules, fmt.Sprintf("%s %s: %s", name, strings.Join(rule.Wants, "/"), sign))
	}
	v.labelled("rules", strings.Join(rules, "; "))
	var more []string
	for _, s := range e.Shaping {
		more = append(more, s.Reason)
	}
	for _, c := range e.Changes {
		more = append(more, c.Text)
	}
	if len(more) > 0 {
		v.labelled("note", show(strings.Join(more, " ")))
	}
	v.p.f("\n")
}

// whyNot says why a listing is not in a list.
func (v *view) whyNot(w *engine.WhyNot) error {
	v.p.f("%s\n", v.bold(show(w.ID)))
	for _, reason := range w.Reasons {
		v.wrap(2, reason, nil)
	}
	if len(w.Parts) > 0 {
		var parts []string
		for _, p := range w.Parts {
			parts = append(parts, fmt.Sprintf("%s %.3f", p.Signal, p.Points))
		}
		v.labelled("score", fmt.Sprintf("%.3f = %s; confidence %.2f", w.Score, strings.Join(parts, " + "), w.Confidence))
	}
	return v.p.err
}

const labelWidth = 11

// labelled prints a short label and its text, wrapped beside it.
func (v *view) labelled(label, s string) {
	v.labelledLines(label, lines(s, v.width-indent-labelWidth))
}

func (v *view) labelledLines(label string, text []string) {
	for i, l := range text {
		if i > 0 {
			label = ""
		}
		v.p.f("%s%s%s\n", strings.Repeat(" ", indent), v.mark(fmt.Sprintf("%-*s", labelWidth, label)), l)
	}
}

// quote prints a passage in its own language, with where it comes from.
func (v *view) quote(label string, q engine.Quote, note string) {
	text := lines("“"+show(q.Text)+"”", v.width-indent-labelWidth)
	var from []string
	if q.Work != "" && q.Work != q.Text {
		from = append(from, show(q.Work))
	}
	if q.Year > 0 {
		from = append(from, fmt.Sprint(q.Year))
	}
	if note != "" {
		from = append(from, note)
	}
	if len(from) > 0 {
		for _, l := range lines("("+strings.Join(from, ", ")+")", v.width-indent-labelWidth) {
			text = append(text, v.dim(l))
		}
	}
	v.labelledLines(strings.TrimSpace(label+" "+q.Lang), text)
}

// wrap prints s over as many lines as it takes.
func (v *view) wrap(by int, s string, style func(...any) string) {
	for _, l := range lines(show(s), v.width-by) {
		if style != nil {
			l = style(l)
		}
		v.line(by, l)
	}
}

func (v *view) line(by int, s string) { v.p.f("%s%s\n", strings.Repeat(" ", by), s) }

// bar draws a score from 0 to 1.
func bar(x float64, n int) string {
	full := min(n, max(0, int(x*float64(n)+0.5)))
	return strings.Repeat("█", full) + strings.Repeat("░", n-full)
}

// show makes text from a listing safe for a terminal: whatever is not printable becomes a space.
func show(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

// showLine makes one line of a message, which may quote foreign text and have several.
func showLine(s string) string { return strings.Join(strings.Fields(show(s)), " ") }

// lines breaks s at spaces, or between characters of scripts without them, into pieces of at most width columns.
func lines(s string, width int) []string {
	var out []string
	var line strings.Builder
	used := 0
	flush := func() {
		out = append(out, strings.TrimRight(line.String(), " "))
		line.Reset()
		used = 0
	}
	for _, word := range words(s) {
		w := runewidth.StringWidth(word)
		if used > 0 && used+runewidth.StringWidth(strings.TrimRight(word, " ")) > width {
			flush()
		}
		for w > width { // a word longer than a line
			cut := runewidth.Truncate(word, width, "")
			line.WriteString(cut)
			flush()
			word = word[len(cut):]
			w = runewidth.StringWidth(word)
		}
		line.WriteString(word)
		used += w
	}
	if used > 0 || len(out) == 0 {
		flush()
	}
	return out
}

// words cuts s behind spaces and around wide characters, which may stand at the end of any line.
func words(s string) []string {
	var out []string
	start := 0
	for i, r := range s {
		if wide := runewidth.RuneWidth(r) > 1 && !unicode.Is(unicode.Hangul, r) && !unicode.IsPunct(r); wide && i > start {
			out = append(out, s[start:i])
			start = i
		} else if r == ' ' {
			out = append(out, s[start:i+1])
			start = i + 1
		}
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}
