package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/ketnoi/ketnoi/engine/text"
)

// Query asks for recommendations: a subject (a listing's id, or free text), the kinds wanted, rules that must hold
// and rules that add points.
type Query struct {
	For    string `json:"for,omitempty" doc:"Id of the listing that asks; give this or text" example:"P101"`
	Text   string `json:"text,omitempty" doc:"Free text that asks, in any of the five languages; give this or for" example:"Ao tôm bị đốm trắng, cần chẩn đoán nhanh"`
	Lang   string `json:"lang,omitempty" doc:"Language of the text, BCP-47; detected when not given" example:"vi"`
	Want   []Kind `json:"want,omitempty" doc:"Kinds wanted; by default experts and technologies for a problem or a text, problems for the others" example:"[\"expert\",\"technology\"]"`
	Filter Filter `json:"filter,omitzero" doc:"Rules that must hold"`
	Prefer Filter `json:"prefer,omitzero" doc:"Rules that add points"`

	Exclude   Filter   `json:"exclude,omitzero" doc:"Rules that must not hold"`
	Narrative bool     `json:"narrative,omitempty" doc:"Let the chat model that the operator has set put the first three explanations into its own words; those that the facts do not support are dropped"`
	Without   []string `json:"without,omitempty" doc:"How the list is not to be shaped: echoes, stuffing, duplicates, organisations, exposure; or all of these: all" example:"[\"organisations\"]"`
	Limit     int      `json:"limit,omitempty" doc:"How many recommendations at most; 10 by default" maximum:"100"`
	Reader    string   `json:"reader,omitempty" doc:"Language of the explanations, BCP-47; by default the subject's" example:"en"`

	guessed bool // the language is a guess: a short text
}

// Bounds of a query.
const (
	DefaultLimit = 10
	MaxLimit     = 100
	maxQueryText = 50_000 // bytes
)

// Normalise cleans and checks the query and fills in defaults that need no subject. The error is a *FieldError.
func (q *Query) Normalise() error {
	v := &validator{}
	if q.For != "" {
		q.For = v.id("for", q.For)
	}
	q.Text = v.clean("text", q.Text, maxQueryText)
	switch {
	case q.For == "" && q.Text == "":
		v.fault("text", "missing: give a text, or the id of a listing in \"for\"")
	case q.For != "" && q.Text != "":
		v.fault("text", "given together with \"for\": one of them asks, not both")
	case q.For == "" && len(text.TermList(q.Text)) == 0:
		v.tooLittle("text", "describe the need in words")
	}
	if q.Lang = v.language("lang", q.Lang); q.Lang == "" && q.Text != "" {
		var sure bool
		q.Lang, sure = text.Detect(q.Text)
		q.guessed = !sure
	}
	if len(q.Want) > len(Kinds) {
		v.fault("want", "%d kinds are more than there are", len(q.Want))
	}
	for i := range q.Want {
		q.Want[i] = v.kind("want", q.Want[i])
	}
	q.Filter.normalise(v, "filter")
	q.Prefer.normalise(v, "prefer")
	q.Exclude.normalise(v, "exclude")
	if q.Exclude.SharedLanguage {
		v.fault("exclude.shared_language", "only a filter or a preference can ask for it")
	}
	q.Without = v.codes("without", q.Without, func(field, s string) string {
		return v.oneOf(field, s, append(slices.Clone(Interventions), "all"))
	})
	switch {
	case q.Limit == 0:
		q.Limit = DefaultLimit
	case q.Limit < 0 || q.Limit > MaxLimit:
		v.fault("limit", "%d is out of range: want 1 to %d", q.Limit, MaxLimit)
	}
	if q.Reader = v.language("reader", q.Reader); q.Reader != "" && !isReader(q.Reader) {
		v.fault("reader", "%q: explanations are written in %s", q.Reader, strings.Join(text.Languages, ", "))
	}
	if v.err != nil {
		return v.err
	}
	return nil
}

func isReader(tag string) bool {
	for _, l := range text.Languages {
		if l == tag {
			return true
		}
	}
	return false
}

// wanted returns the kinds a subject of the given kind asks for when the query names none.
func wanted(subject Kind) []Kind {
	if subject == Problem {
		return []Kind{Expert, Technology}
	}
	return []Kind{Problem}
}

// kind is the rule on the kinds that are wanted.
func (q *Query) kind(subject *Listing) Clause {
	kinds := q.Want
	if len(kinds) == 0 {
		kinds = wanted(subject.Kind)
	}
	out := Clause{Rule: RuleKind}
	for _, k := range kinds {
		out.AnyOf = append(out.AnyOf, Facet("kind:"+k))
	}
	return out
}

// stated are the rules that the query states, but for the shared language.
func (q *Query) stated() []Clause { return append(q.Filter.Clauses(), q.Exclude.Exclusions()...) }

// standing are the rules that hold for every query of a subject.
func standing(subject *Listing, now time.Time) []Clause {
	out := []Clause{currentClause(now), {Rule: RuleCapacity, AnyOf: []Facet{full}, Not: true}}
	if subject.ID != "" {
		out = append(out, Clause{Rule: RuleOwn, AnyOf: []Facet{OwnFacet(subject)}, Not: true})
	}
	var conflicts []Facet
	if subject.Organisation != "" {
		conflicts = append(conflicts, Facet("avoids:"+nameKey(subject.Organisation)))
	}
	for _, name := range subject.Conflicts {
		conflicts = append(conflicts, Facet("own:"+nameKey(name)))
	}
	if len(conflicts) > 0 {
		out = append(out, Clause{Rule: RuleConflict, AnyOf: conflicts, Not: true})
	}
	return out
}
