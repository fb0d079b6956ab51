package engine

import (
	"slices"
	"strconv"
	"time"

	"github.com/ketnoi/ketnoi/engine/glossary"
)

// Facet is one thing a rule can ask of a listing: "field:2.7", "region:VN-HP", "language:vi". What stands higher in a
// hierarchy is a facet too: a listing in Hải Phòng has region:VN-HP, region:VN-R2 and region:VN.
type Facet string

// Clause is one rule in the form that decides everywhere, in this package, in the index and in a store's SQL: the
// listing must have one of the facets (none of them, if Not), or must not have expired.
type Clause struct {
	Rule  string // the rule's code: "kind", "field", "region", "language", …
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
	Kinds     []Kind   `json:"-"` // of what a listing seeks; a query has Want
	Fields    []string `json:"fields,omitempty" doc:"OECD FORD codes; a major code covers its minors" example:"[\"4.1\"]"`
	Regions   []string `json:"regions,omitempty" doc:"ISO 3166 codes or names; retired Vietnamese units lead to the unit they merged into" example:"[\"VN-35\"]"`
	Languages []string `json:"languages,omitempty" doc:"BCP-47 tags: written in, or worked in" example:"[\"ko\"]"`
	TRLMin    int      `json:"trl_min,omitempty" doc:"Least readiness level of technologies, 1 to 9"`
	TRLMax    int      `json:"trl_max,omitempty" doc:"Highest readiness level of technologies, 1 to 9"`
	IPStatus  []string `json:"ip_status,omitempty" doc:"Status of technologies: open, know_how, filed, granted, expired"`

	OrganisationTypes []string `json:"organisation_types,omitempty" doc:"university, institute, enterprise, cooperative, hospital, public_body, association, incubator, individual" example:"[\"university\"]"`
	Since             int      `json:"since,omitempty" doc:"Year from which the newest work, else the publication, has to be" example:"2022"`
	SharedLanguage    bool     `json:"shared_language,omitempty" doc:"Works in a language of the subject's, or in one that an ambassador shares with both"`
}

// normalise resolves names to codes and checks them; prefix ("filter" or "prefer") goes before the field in errors.
func (f *Filter) normalise(v *validator, prefix string) {
	f.Fields = v.fields(prefix+".fields", f.Fields)
	f.Regions = v.regions(prefix+".regions", f.Regions)
	f.Languages = v.languages(prefix+".languages", f.Languages)
	among := func(allowed []string) func(field, s string) string {
		return func(field, s string) string { return v.oneOf(field, s, allowed) }
	}
	f.IPStatus = v.codes(prefix+".ip_status", f.IPStatus, among(IPStatuses))
	f.OrganisationTypes = v.codes(prefix+".organisation_types", f.OrganisationTypes, among(OrganisationTypes))
	if f.Since != 0 && (f.Since < firstYear || f.Since > lastYear) {
		v.fault(prefix+".since", "%d is no year: want %d to %d", f.Since, firstYear, lastYear)
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
	RuleOrgType   = "organisation_type"
	RuleSince     = "since"
	RuleShared    = "shared_language"
	RuleCurrent   = "current"  // not expired
	RuleOwn       = "own"      // neither the subject itself nor its own organisation
	RuleConflict  = "conflict" // neither side names the other's organisation as a conflict of interest
	RuleCapacity  = "capacity" // it takes on another match
	RuleBlocked   = "blocked"  // the pair is not blocked
)

// firstYear and lastYear bound the years of Since: each is a facet.
const firstYear, lastYear = 1950, 2100

// Clauses returns the filter's rules, but for the shared language, which depends on the subject. Every listing that holds them
// all is allowed.
func (f *Filter) Clauses() []Clause { return f.clauses("-") }

// Exclusions returns the filter's rules as what must not be. Kinds that have no readiness and no IP status are not excluded
// by one.
func (f *Filter) Exclusions() []Clause {
	out := f.clauses()
	for i := range out {
		out[i].Not = true
	}
	return out
}

// clauses are the filter's rules; none stands for kinds that a rule says nothing of.
func (f *Filter) clauses(none ...string) []Clause {
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
	kinds := make([]string, len(f.Kinds))
	for i, k := range f.Kinds {
		kinds[i] = string(k)
	}
	add(RuleKind, "kind:", kinds)
	add(RuleField, "field:", f.Fields)
	regions := slices.Clone(f.Regions)
	for i := range regions {
		regions[i] = glossary.Canonical(regions[i])
	}
	add(RuleRegion, "region:", regions)
	add(RuleLanguage, "language:", f.Languages)
	if every := f.TRLMin <= 1 && (f.TRLMax == 0 || f.TRLMax == 9); !every || len(none) == 0 && f.TRLMin+f.TRLMax > 0 {
		levels := none // experts and problems have no readiness to fall short of
		for n := max(f.TRLMin, 1); n <= 9 && (f.TRLMax == 0 || n <= f.TRLMax); n++ {
			levels = append(levels, strconv.Itoa(n))
		}
		add(RuleReadiness, "trl:", levels)
	}
	if len(f.IPStatus) > 0 {
		add(RuleIPStatus, "ip:", slices.Concat(none, f.IPStatus))
	}
	add(RuleOrgType, "orgtype:", f.OrganisationTypes)
	if f.Since != 0 {
		var years []string
		for y := f.Since; y <= lastYear; y++ {
			years = append(years, strconv.Itoa(y))
		}
		add(RuleSince, "newest:", years)
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
