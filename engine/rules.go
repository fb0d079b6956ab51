package engine

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
)

// Facet is one thing a rule can ask of a listing: "field:2.7", "region:VN-HP", "language:vi". What stands higher in a
// hierarchy is a facet too: a listing in Hải Phòng has region:VN-HP, region:VN-R2 and region:VN.
type Facet string

// Clause is one rule in the form that decides everywhere, in this package, in the index and in a store's SQL: the
// listing must have one of the facets (none of them, if Not), or must not have expired.
type Clause struct {
	Rule  string // the rule's code: "kind", "field", "region", "language", "readiness", "ip_status", "current", "own"
	AnyOf []Facet
	Not   bool
	After int64 // for "current": Unix seconds; the listing must not expire before
}

// Holds decides the clause for a listing with these facets (sorted) that expires at the given Unix second, 0 for never.
func (c Clause) Holds(facets []Facet, expires int64) bool {
	if c.After != 0 {
		return expires == 0 || expires >= c.After
	}
	for _, f := range c.AnyOf {
		if _, found := slices.BinarySearch(facets, f); found {
			return !c.Not
		}
	}
	return c.Not
}

// Filter is a set of rules that must hold. Within a list one entry is enough; all lists together must hold. The zero
// value allows everything that has not expired.
type Filter struct {
	Fields    []string `json:"fields,omitempty" doc:"OECD FORD codes; a major code covers its minors" example:"[\"4.1\"]"`
	Regions   []string `json:"regions,omitempty" doc:"ISO 3166 codes or names; retired Vietnamese units lead to the unit they merged into" example:"[\"VN-35\"]"`
	Languages []string `json:"languages,omitempty" doc:"BCP-47 tags: written in, or worked in" example:"[\"ko\"]"`
	TRLMin    int      `json:"trl_min,omitempty" doc:"Least readiness level of technologies, 1 to 9"`
	TRLMax    int      `json:"trl_max,omitempty" doc:"Highest readiness level of technologies, 1 to 9"`
	IPStatus  []string `json:"ip_status,omitempty" doc:"Status of technologies: open, know_how, filed, granted, expired"`
}

// normalise resolves names to codes and checks them; prefix ("filter" or "prefer") goes before the field in errors.
func (f *Filter) normalise(v *validator, prefix string) {
	f.Fields = v.fields(prefix+".fields", f.Fields)
	f.Regions = v.regions(prefix+".regions", f.Regions)
	f.Languages = v.languages(prefix+".languages", f.Languages)
	for i, s := range f.IPStatus {
		f.IPStatus[i] = v.oneOf(prefix+".ip_status["+strconv.Itoa(i)+"]", s, IPStatuses)
	}
	if f.TRLMin < 0 || f.TRLMin > 9 {
		v.fault(prefix+".trl_min", "%d is no readiness level: want 1 to 9", f.TRLMin)
	}
	if f.TRLMax < 0 || f.TRLMax > 9 {
		v.fault(prefix+".trl_max", "%d is no readiness level: want 1 to 9", f.TRLMax)
	} else if f.TRLMax != 0 && f.TRLMax < f.TRLMin {
		v.fault(prefix+".trl_max", "%d is below trl_min %d", f.TRLMax, f.TRLMin)
	}
}

// The rules that people state, by code. A new rule needs its facets in Facets and its clause here.
const (
	RuleKind      = "kind"
	RuleField     = "field"
	RuleRegion    = "region"
	RuleLanguage  = "language"
	RuleReadiness = "readiness"
	RuleIPStatus  = "ip_status"
	RuleCurrent   = "current" // not expired
	RuleOwn       = "own"     // neither the subject itself nor its own organisation
)

// Clauses returns the filter's rules. Every listing that holds them all is allowed.
func (f *Filter) Clauses() []Clause {
	var out []Clause
	add := func(rule, prefix string, values []string) {
		if len(values) == 0 {
			return
		}
		c := Clause{Rule: rule}
		for _, v := range values {
			c.AnyOf = append(c.AnyOf, Facet(prefix+v))
		}
		out = append(out, c)
	}
	add(RuleField, "field:", f.Fields)
	regions := slices.Clone(f.Regions)
	for i := range regions {
		regions[i] = glossary.Canonical(regions[i])
	}
	add(RuleRegion, "region:", regions)
	add(RuleLanguage, "language:", f.Languages)
	if f.TRLMin > 1 || f.TRLMax != 0 && f.TRLMax < 9 {
		levels := []string{"-"} // experts and problems have no readiness to fall short of
		for n := max(f.TRLMin, 1); n <= 9 && (f.TRLMax == 0 || n <= f.TRLMax); n++ {
			levels = append(levels, strconv.Itoa(n))
		}
		add(RuleReadiness, "trl:", levels)
	}
	if len(f.IPStatus) > 0 {
		add(RuleIPStatus, "ip:", append([]string{"-"}, f.IPStatus...))
	}
	return out
}

// currentClause is the rule that every query has: nothing that expired before now.
func currentClause(now time.Time) Clause { return Clause{Rule: RuleCurrent, After: now.Unix()} }

// Allows is the reference for what a filter lets through at the moment now: index and stores must agree with it.
func (f *Filter) Allows(l *Listing, now time.Time) bool {
	facets, expires := Facets(l), expiry(l)
	for _, c := range append(f.Clauses(), currentClause(now)) {
		if !c.Holds(facets, expires) {
			return false
		}
	}
	return true
}

// expiry is the last moment, in Unix seconds, at which the listing may be recommended, 0 for never. A person about whom
// nobody stated a basis for processing may not be recommended at all: that moment lies before all others.
func expiry(l *Listing) int64 {
	if l.LacksBasis() {
		return 1
	}
	if t, ok := l.Expires(); ok {
		return t.Unix()
	}
	return 0
}

// Facets returns what rules can ask of l, sorted.
func Facets(l *Listing) []Facet {
	out := []Facet{Facet("kind:" + l.Kind), OwnFacet(l)}
	for _, code := range l.Fields {
		for _, f := range glossary.FieldAncestors(code) {
			out = append(out, Facet("field:"+f))
		}
	}
	for _, code := range l.Regions {
		for _, r := range glossary.RegionAncestors(code) {
			out = append(out, Facet("region:"+r))
		}
	}
	for _, tag := range append([]string{l.Lang}, l.Languages...) {
		if tag != "" {
			out = append(out, Facet("language:"+tag))
		}
	}
	trl, ip := "-", "-"
	if l.Kind == Technology {
		trl, ip = "?", "?"
		if l.TRL > 0 {
			trl = strconv.Itoa(l.TRL)
		}
		if l.IPStatus != "" {
			ip = l.IPStatus
		}
	}
	out = append(out, Facet("trl:"+trl), Facet("ip:"+ip))
	slices.Sort(out)
	return slices.Compact(out)
}

// OwnFacet is the facet that a listing shares with the others of its organisation, or with itself alone where it
// names none. Names are compared folded, without spaces and punctuation.
func OwnFacet(l *Listing) Facet {
	if l.Organisation == "" {
		return Facet("id:" + l.ID)
	}
	key := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .,;:-–'\"()&/", r) {
			return -1
		}
		return r
	}, text.Fold(l.Organisation))
	return Facet("own:" + key)
}
