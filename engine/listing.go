// Package engine is the vocabulary and the ranking of Kết Nối: what a listing, a query, a rule, a score and an
// explanation are, and how candidates become recommendations. It knows no store, no server and no file format.
package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ketnoi/ketnoi/engine/text"
)

// Kind is what a listing is about.
type Kind string

// The kinds of listing.
const (
	Expert     Kind = "expert"
	Technology Kind = "technology"
	Problem    Kind = "problem"
)

// Kinds are all kinds, in the order in which messages list them.
var Kinds = []Kind{Expert, Technology, Problem}

// Listing is one record that can be matched. Normalise brings it into the form that everything else relies on.
type Listing struct {
	ID           string   `json:"id"`
	Kind         Kind     `json:"kind"`
	Title        string   `json:"title"`
	Text         string   `json:"text,omitzero"`
	Lang         string   `json:"lang,omitzero"` // BCP-47; detected when not given
	Summary      string   `json:"summary,omitzero"`
	Fields       []string `json:"fields,omitempty"`    // OECD FORD codes, "2.7"
	Regions      []string `json:"regions,omitempty"`   // ISO 3166 codes as written, "VN-40"
	Languages    []string `json:"languages,omitempty"` // BCP-47 tags of the working languages
	Organisation string   `json:"organisation,omitzero"`
	// OrganisationType is a code of OrganisationTypes.
	OrganisationType string                     `json:"organisation_type,omitzero"`
	Conflicts        []string                   `json:"conflicts,omitempty"` // organisations that it must not be brought together with
	Ambassador       bool                       `json:"ambassador,omitzero"` // it bridges academia and business for others, and their languages
	TRL              int                        `json:"trl,omitzero"`        // readiness 1 to 9; 0 when not stated
	IPStatus         string                     `json:"ip_status,omitzero"`
	Seeks            *Seeks                     `json:"seeks,omitempty"`
	Works            []Work                     `json:"works,omitempty"`
	Capacity         *int                       `json:"capacity,omitempty"` // matches it can take on at once; nil when not stated
	URL              string                     `json:"url,omitzero"`
	PublishedAt      string                     `json:"published_at,omitzero"` // date or RFC 3339 time
	ExpiresAt        string                     `json:"expires_at,omitzero"`   // the last day (or moment) on which it may be recommended
	Person           string                     `json:"person,omitzero"`       // name of the natural person it is about
	Basis            *Basis                     `json:"basis,omitempty"`       // without one, a person is not recommended
	Extra            map[string]json.RawMessage `json:"extra,omitempty"`       // what a source says beyond this vocabulary
}

// Work is a publication, patent, project or reference of an expert or provider.
type Work struct {
	Title string `json:"title,omitzero"`
	Text  string `json:"text,omitzero"`
	Year  int    `json:"year,omitzero"`
	URL   string `json:"url,omitzero"`
}

// Seeks is what the owner of a listing looks for in a counterpart; an empty list leaves it open.
type Seeks struct {
	Kinds       []Kind   `json:"kinds,omitempty"`
	Fields      []string `json:"fields,omitempty"`
	Regions     []string `json:"regions,omitempty"`
	Languages   []string `json:"languages,omitempty"`
	Partnership []string `json:"partnership,omitempty"`
}

// Clone returns a copy that shares no list, nil of nil.
func (s *Seeks) Clone() *Seeks {
	if s == nil {
		return nil
	}
	return &Seeks{slices.Clone(s.Kinds), slices.Clone(s.Fields), slices.Clone(s.Regions), slices.Clone(s.Languages), slices.Clone(s.Partnership)}
}

// Basis is the ground on which data about a person is processed.
type Basis struct {
	Kind string `json:"kind"`
	At   string `json:"at,omitzero"`
}

// The closed vocabularies of a listing.
var (
	OrganisationTypes = []string{"university", "institute", "enterprise", "cooperative", "hospital", "public_body", "association", "incubator", "individual"}
	IPStatuses        = []string{"open", "know_how", "filed", "granted", "expired"}
	Partnerships      = []string{"licence", "sale", "joint_research", "consulting", "service", "training", "investment"}
	BasisKinds        = []string{"consent", "contract", "public_record", "legal_duty", "vital_interest", "public_task", "legitimate_interest"}
)

// Limits of a listing. They are far above honest use and keep one record from costing like a thousand.
const (
	maxID    = 128     // characters
	maxTitle = 500     // characters
	MaxText  = 200_000 // bytes: text, summary, each work, and all extra values together
	MaxWorks = 2_000
	MaxList  = 100 // fields, regions, languages, …
)

// Normalise cleans every text (see text.Clean), resolves names of regions and languages to codes, detects the
// language where none is given, and checks everything. It is idempotent. The error is a *FieldError for the first
// field at fault; the listing must not be used then.
func (l *Listing) Normalise() error {
	v := &validator{}
	l.ID = v.id("id", l.ID)
	l.Kind = v.kind("kind", l.Kind)
	l.Title = v.line("title", l.Title, maxTitle)
	if l.Title == "" {
		v.fault("title", "missing: every listing needs one")
	}
	l.Text = v.text("text", l.Text)
	l.Summary = v.text("summary", l.Summary)
	v.works(l)
	if v.err == nil && !l.hasText() {
		v.tooLittle("text", "a listing needs words in text, summary or a work")
	}
	if l.Lang = v.language("lang", l.Lang); l.Lang == "" && v.err == nil {
		l.Lang, _ = text.Detect(l.sample())
	}
	l.Fields = v.fields("fields", l.Fields)
	l.Regions = v.regions("regions", l.Regions)
	l.Languages = v.languages("languages", l.Languages)
	l.Organisation = v.line("organisation", l.Organisation, maxTitle)
	l.OrganisationType = v.oneOf("organisation_type", l.OrganisationType, OrganisationTypes)
	l.Conflicts = v.codes("conflicts", l.Conflicts, func(field, s string) string {
		if s = v.line(field, s, maxTitle); nameKey(s) == "" {
			v.fault(field, "names no organisation")
		}
		return s
	})
	l.Person = v.line("person", l.Person, maxTitle)
	if l.TRL < 0 || l.TRL > 9 {
		v.fault("trl", "%d is no readiness level: want 1 to 9", l.TRL)
	}
	l.IPStatus = v.oneOf("ip_status", l.IPStatus, IPStatuses)
	if s := l.Seeks; s != nil {
		for i := range s.Kinds {
			s.Kinds[i] = v.kind(fmt.Sprintf("seeks.kinds[%d]", i), s.Kinds[i])
		}
		s.Fields = v.fields("seeks.fields", s.Fields)
		s.Regions = v.regions("seeks.regions", s.Regions)
		s.Languages = v.languages("seeks.languages", s.Languages)
		for i := range s.Partnership {
			s.Partnership[i] = v.oneOf(fmt.Sprintf("seeks.partnership[%d]", i), s.Partnership[i], Partnerships)
		}
	}
	if l.Capacity != nil && *l.Capacity < 0 {
		v.fault("capacity", "%d is negative", *l.Capacity)
	}
	l.URL = v.url("url", l.URL)
	l.PublishedAt = v.date("published_at", l.PublishedAt)
	l.ExpiresAt = v.date("expires_at", l.ExpiresAt)
	if l.Basis != nil {
		if l.Basis.Kind = v.oneOf("basis.kind", l.Basis.Kind, BasisKinds); l.Basis.Kind == "" {
			v.fault("basis.kind", "missing: want one of %s", strings.Join(BasisKinds, ", "))
		}
		l.Basis.At = v.date("basis.at", l.Basis.At)
	}
	size := 0
	for key, value := range l.Extra {
		if size += len(key) + len(value); size > MaxText {
			v.fault("extra", "more than the %d bytes allowed", MaxText)
		}
	}
	if v.err != nil {
		return v.err
	}
	return nil
}

// hasText reports whether there is at least one term to match by, beyond the title.
func (l *Listing) hasText() bool {
	found := false
	see := func([]byte, int, int) { found = true }
	text.Terms(l.Text, see)
	text.Terms(l.Summary, see)
	for i := 0; i < len(l.Works) && !found; i++ {
		text.Terms(l.Works[i].Title, see)
		text.Terms(l.Works[i].Text, see)
	}
	return found
}

// sample is the text by which the language is told.
func (l *Listing) sample() string {
	if l.Text != "" || l.Summary != "" {
		return l.Text + "\n" + l.Summary
	}
	var b strings.Builder
	for _, w := range l.Works {
		b.WriteString(w.Title + ". " + w.Text + "\n")
		if b.Len() > 4096 {
			break
		}
	}
	return b.String()
}

// ParseBasis reads KIND, or KIND@DATE.
func ParseBasis(s string) (*Basis, error) {
	kind, at, dated := strings.Cut(s, "@")
	v := &validator{}
	b := &Basis{Kind: v.oneOf("basis", kind, BasisKinds), At: v.date("date", at)}
	switch {
	case v.err != nil:
		return nil, errors.New(v.err.Reason)
	case b.Kind == "" || dated && b.At == "":
		return nil, fmt.Errorf("want one of %s, perhaps with a date: consent@2026-05-31", strings.Join(BasisKinds, ", "))
	}
	return b, nil
}

// AboutPerson reports whether the listing is about a natural person: it names one, or is an expert's and names no
// organisation, so that its title is a person's name.
func (l *Listing) AboutPerson() bool {
	return l.Person != "" || l.Kind == Expert && l.Organisation == ""
}

// LacksBasis reports whether the listing is about a person and states no basis for processing: it is stored, and not
// recommended to anybody.
func (l *Listing) LacksBasis() bool { return l.Basis == nil && l.AboutPerson() }

// Expires returns the moment after which the listing must not be recommended, and false when it never expires. A
// bare date lasts until that day ends in Viet Nam (UTC+7).
func (l *Listing) Expires() (time.Time, bool) {
	if l.ExpiresAt == "" {
		return time.Time{}, false
	}
	if t, err := time.Parse(time.RFC3339, l.ExpiresAt); err == nil {
		return t, true
	}
	t, err := time.ParseInLocation(time.DateOnly, l.ExpiresAt, time.FixedZone("ICT", 7*3600))
	return t.AddDate(0, 0, 1), err == nil
}
