package engine

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ketnoi/ketnoi/engine/glossary"
)

// results says of the query's rules and preferences whether a candidate holds them.
func (x *explainer) results(s *Scored) []RuleResult {
	out := []RuleResult{x.result(x.ask.kind, s.Stub, false)}
	for _, c := range x.ask.stated { // what holds always is no choice of the reader's
		out = append(out, x.result(c, s.Stub, false))
	}
	for _, c := range x.ask.prefer {
		out = append(out, x.result(c, s.Stub, true))
	}
	return out
}

// always are the rules that no query states. What they want is no code that people know, and may be somebody's secret.
var always = []string{RuleOwn, RuleConflict, RuleCapacity, RuleCurrent, RuleBlocked}

// result says whether a candidate holds a rule.
func (x *explainer) result(c Clause, s *Stub, preference bool) RuleResult {
	out := RuleResult{Rule: c.Rule, Not: c.Not, Preference: preference, Holds: c.Holds(s.Facets, s.Expires)}
	for _, f := range c.AnyOf {
		if _, code, _ := strings.Cut(string(f), ":"); code != "-" && !slices.Contains(always, c.Rule) {
			out.Wants = append(out.Wants, code)
		}
	}
	if c.Rule == RuleSince && len(out.Wants) > 0 { // one year stands for all that follow
		out.Wants = out.Wants[:1]
	}
	if c.Rule == RuleShared && out.Holds {
		out.Via = x.via(s.Listing)
	}
	out.Text = ruleText(&out, x.reader)
	return out
}

// via is the first ambassador who shares a language with the candidate, nil where the subject does itself.
func (x *explainer) via(l *Listing) *Via {
	theirs := languagesOf(l)
	meets := func(tags []string) bool {
		return slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(theirs, tag) })
	}
	if meets(languagesOf(x.r.Listing)) {
		return nil
	}
	for _, b := range x.ask.bridges {
		if meets(b.languages) {
			return &Via{b.id, b.title}
		}
	}
	return nil
}

// ruleText is a rule and whether it holds, as a sentence in the reader's language.
func ruleText(r *RuleResult, reader string) string {
	names := make([]string, 0, len(r.Wants))
	for _, code := range r.Wants {
		names = append(names, wantLabel(r.Rule, code, reader))
	}
	if n := len(r.Wants); r.Rule == RuleReadiness && n > 0 {
		if names = []string{"TRL " + r.Wants[0]}; n > 1 {
			names[0] += "–" + r.Wants[n-1]
		}
	}
	out := Phrase(r.Rule, reader)
	if len(names) > 0 {
		out += " (" + joinFor(reader, names, 5) + ")"
	}
	kind := "must"
	if r.Preference {
		kind = "should"
	} else if r.Not && len(names) > 0 {
		kind = "must_not"
	}
	held := "held"
	if !r.Holds {
		held = "not_held"
	}
	out += colonFor(reader)
	if !slices.Contains(always, r.Rule) {
		out += Phrase(kind, reader) + commaFor(reader)
	}
	out += Phrase(held, reader) + stopFor(reader)
	if r.Via != nil {
		out += spaceFor(reader) + Phrase("via", reader) + colonFor(reader) + r.Via.Title + stopFor(reader)
	}
	return out
}

// wantLabel is what people call a code that a rule asks for.
func wantLabel(rule, code, reader string) string {
	switch rule {
	case RuleField:
		return glossary.FieldLabel(code, reader)
	case RuleRegion:
		return glossary.RegionLabel(code, reader)
	case RuleSince:
		return code + "+"
	}
	return Phrase(code, reader)
}

// shownPlaces are those that people look at: a change that leads to none of them is not worth telling.
const shownPlaces = 5

// changes are the circumstances and preferences that would bring the candidate to a better place among the first if they were met,
// at most two, the best place first.
func (x *explainer) changes(s *Scored) []Change {
	at := func(score float64) int {
		n := 1
		for i := range x.scored {
			if o := &x.scored[i]; o.Score > score && o.Candidate != s.Candidate {
				n++
			}
		}
		return n
	}
	now := at(s.Score)
	var out []Change
	add := func(sig Signal, rule string, gain float64, text func(place string) string) {
		if gain <= 1e-12 {
			return
		}
		if place := at(s.Score + gain); place < now && place <= shownPlaces {
			out = append(out, Change{Signal: sig.String(), Rule: rule, Place: place, Text: text(strconv.Itoa(place))})
		}
	}
	for _, sig := range []Signal{SignalField, SignalSeeks, SignalRecent} {
		add(sig, "", s.Weights[sig]*(1-s.Raw[sig]), func(place string) string {
			return strings.Replace(Phrase("change_"+sig.String(), x.reader), "%s", place, 1)
		})
	}
	for _, c := range x.ask.prefer {
		if r := x.result(c, s.Stub, true); !r.Holds {
			add(SignalPreference, c.Rule, s.Weights[SignalPreference]/float64(len(x.ask.prefer)), func(place string) string {
				return strings.Replace(strings.Replace(Phrase("change_preference", x.reader), "%s", Phrase(c.Rule, x.reader), 1), "%s", place, 1)
			})
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int { return a.Place - b.Place })
	return out[:min(2, len(out))]
}
