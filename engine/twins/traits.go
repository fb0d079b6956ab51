// Package twins finds listings that are about the same person or thing, says why, and composes one listing of several. It
// knows no store: what was decided about a pair is its callers' matter.
package twins

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/text"
)

// Kinds of reason.
const (
	ByORCID        = "orcid"
	ByDOI          = "doi"
	ByWork         = "work" // title and year of a work
	ByPatent       = "patent"
	ByEmail        = "email"
	ByPage         = "page" // web page
	BySite         = "site" // front page of a web site
	ByName         = "name"
	ByOrganisation = "organisation"
	ByTitle        = "title"
	ByText         = "text"

	// Against being the same:
	OtherORCID   = "other_orcid"
	OtherName    = "other_name"
	OtherPatent  = "other_patent"
	OtherNumber  = "other_number" // of one of several in a series
	OtherCountry = "other_country"
)

// Joint keys: what says enough only together leads from one listing to another together.
const (
	keyNameAt  = "name@"
	keyTitleAt = "title@"
	keyFirm    = "firm"
)

// Traits are what is compared of a listing: about 1 kB, and 200 bytes for each work.
type Traits struct {
	ID     string
	Kind   engine.Kind
	keys   []string // "kind:value", in order: what another listing may have too
	names  []name
	named  bool   // the names are known to be names
	label  string // its name or title as written
	body   string // its organisation as written
	title  string
	firm   string // of an expert that is an organisation
	org    string
	number []string
	places []string // countries
	sketch sketch
}

// maxKeys bounds what a hostile listing may cost.
const maxKeys = 4_000

// Read reads the traits of a normalised listing.
func Read(l *engine.Listing) *Traits {
	t := &Traits{ID: l.ID, Kind: l.Kind, label: l.Title, body: l.Organisation, org: firmKey(l.Organisation)}
	for _, r := range l.Regions {
		country, _, _ := strings.Cut(r, "-")
		t.places = append(t.places, country)
	}
	if l.Kind == engine.Expert {
		t.readExpert(l)
	} else {
		t.title, t.number = titleKey(l.Title), numerals(l.Title)
		// "Water Quality Monitor" of one institute may be several.
		if t.org != "" && t.title != "" && (strings.Count(t.title, " ") >= 3 || scriptOf(l.Title) != latin) {
			t.key(keyTitleAt, t.title+"@"+t.org)
		}
	}
	t.readAddress(l.URL)
	if page, site, ok := Page(l.URL); ok && site {
		t.key(BySite, page)
	} else if ok {
		t.key(ByPage, page)
	}
	for i := range l.Works {
		w := &l.Works[i]
		t.readAddress(w.URL)
		if title := titleKey(w.Title); title != "" && w.Year > 0 {
			t.key(ByWork, fmt.Sprintf("%s (%d)", title, w.Year))
		}
	}
	for name, value := range l.Extra {
		t.readExtra(text.Fold(name), value)
	}
	for _, s := range []string{l.Summary, l.Text} {
		if s = s[:min(len(s), sketched)]; strings.Contains(s, "@") {
			for _, m := range emailIn.FindAllString(s, 20) {
				t.readEmail(m)
			}
		}
	}
	slices.Sort(t.keys)
	t.keys = slices.Clip(slices.Compact(t.keys))
	t.sketch = readSketch(l)
	return t
}

func readSketch(l *engine.Listing) sketch {
	if l.Text != "" || l.Summary != "" {
		return newSketch(l.Text, l.Summary)
	}
	var parts []string
	for _, w := range l.Works {
		parts = append(parts, w.Title, w.Text)
	}
	return newSketch(parts...)
}

func (t *Traits) readExpert(l *engine.Listing) {
	if l.Person == "" && isFirm(l.Title) {
		if t.firm = firmKey(head(l.Title)); t.firm != "" {
			t.key(keyFirm, t.firm)
		}
		return
	}
	line := l.Person
	if line == "" {
		line = l.Title
	}
	t.label = strings.TrimSpace(head(line))
	t.names, t.named = readNames(line), l.Person != ""
	if t.org != "" {
		for _, n := range t.names {
			t.key(keyNameAt, strings.Join(n.words, " ")+"@"+t.org)
		}
	}
}

func (t *Traits) key(kind, value string) {
	if len(t.keys) < maxKeys {
		t.keys = append(t.keys, kind+":"+value)
	}
}

func (t *Traits) readEmail(s string) {
	if !strings.Contains(s, "@") {
		return
	}
	if v, ok := Email(s); ok {
		t.key(ByEmail, v)
	}
}

// readAddress reads the identifiers that a web address may be.
func (t *Traits) readAddress(s string) {
	if s == "" {
		return
	}
	if v, ok := ORCID(s); ok {
		t.key(ByORCID, v)
	}
	if v, ok := DOI(s); ok {
		t.key(ByDOI, v)
	}
	if host, path, _ := strings.Cut(strings.ToLower(s), "://"); strings.HasPrefix(host, "http") && (strings.Contains(path, "patent") || strings.Contains(path, "espacenet")) {
		for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune("/?=&#", r) }) {
			t.readPatent(part)
		}
	}
}

func (t *Traits) readPatent(s string) {
	if v, _, ok := Patent(s); ok {
		t.key(ByPatent, v)
	}
}

// maxDepth is how deep extra values are looked into.
const maxDepth = 6

var patentHints = []string{"patent", "publication", "bang sang che", "sang che", "brevet", "특허", "专利"}

// readExtra reads the identifiers among what a source says beyond our vocabulary; name is folded.
func (t *Traits) readExtra(name string, value json.RawMessage) {
	if len(value) > engine.MaxText {
		return
	}
	var v any
	if json.Unmarshal(value, &v) == nil {
		t.readValue(name, v, maxDepth)
	}
}

func (t *Traits) readValue(name string, v any, depth int) {
	if depth == 0 {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			t.readValue(name, e, depth-1)
		}
	case map[string]any:
		for key, e := range v {
			t.readValue(name+"."+text.Fold(key), e, depth-1)
		}
	case string:
		for s := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ';' || r == '|' || r == '\n' }) {
			t.readWord(name, strings.TrimSpace(s))
		}
	}
}

func (t *Traits) readWord(name, s string) {
	t.readAddress(s)
	t.readEmail(s)
	if slices.ContainsFunc(patentHints, func(hint string) bool { return strings.Contains(name, hint) }) {
		t.readPatent(s)
	}
}

// values are those of the keys of one kind.
func (t *Traits) values(kind string) (out []string) {
	kind += ":"
	i, _ := slices.BinarySearch(t.keys, kind)
	for ; i < len(t.keys) && strings.HasPrefix(t.keys[i], kind); i++ {
		out = append(out, t.keys[i][len(kind):])
	}
	return out
}
