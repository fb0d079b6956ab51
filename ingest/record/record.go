// Package record is what the readers of foreign expert profiles share: the record they all fill and its bounds, the
// error that refuses one, identifiers in one spelling, names, and text without markup.
package record

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Values are those of one listing, by our own keys of it.
type Values = map[string]jsontext.Value

// Yield takes the record that begins on a line, or on line 0 where there are none. What it returns ends the reading.
type Yield = func(line int, values Values) error

// Options are those of every reader of profiles.
type Options struct {
	Basis  string             // kind of the ground on which the operator processes the data; "" states none
	Refuse func(*Error) error // hears of each record that is refused; where nil, the first of them ends the reading
}

// Refused hands a refused record to whoever wants to hear of it.
func (o Options) Refused(e *Error) error {
	if o.Refuse == nil {
		return e
	}
	return o.Refuse(e)
}

// Error says why one record cannot be used. Err is what stands behind it, and may be nil.
type Error struct {
	Line   int
	Reason string
	Err    error
}

func (e *Error) Error() string {
	s := e.Reason
	if e.Err != nil {
		field, reason := Describe(e.Err)
		if field != "" {
			s += ": " + field
		}
		s += ": " + reason
	}
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %s", e.Line, s)
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Limits of a record. What exceeds them is cut: a foreign profile is not lost for one long list.
const (
	maxTitle = 500     // characters of a title, a name, an organisation; twice that for a work
	maxText  = 200_000 // bytes of a text
	maxTexts = 8 << 20 // bytes of the texts of all works
	maxWorks = 2_000   // the newest
	maxURL   = 2_000   // bytes
	maxExtra = 150_000 // bytes of what a record says beyond our keys
	maxList  = 20      // entries of a list there, and
	maxEntry = 300     // characters of each
	minYear  = 1800    // of a work; others are slips
	maxYear  = 2200
)

// Expert is a profile on its way to a listing. Empty fields are left out.
type Expert struct {
	ID           string
	Name         string
	Text         string
	Summary      string
	Lang         string
	Fields       []string // OECD FORD codes
	Regions      []string
	Organisation string
	Works        []Work
	URL          string
	Extra        map[string]any // strings and lists of strings
}

// Work is one of an expert's works. DOI and Patent are kept in extra, as "works[2].doi" and "works[2].patent".
type Work struct {
	Title, Text string
	Year        int
	URL         string
	DOI, Patent string // as DOI and Patent return them
}

// Values returns the record by the keys of a listing, within the limits. Works go newest
// first, then by title, so that another order of a source is no change.
func (e *Expert) Values(o Options) Values {
	v := Values{}
	set := func(key string, value any) {
		b, err := json.Marshal(value, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
		if err != nil {
			panic(err) // strings, numbers and lists of them always have a form
		}
		v[key] = b
	}
	text := func(key, s string) {
		if s != "" {
			set(key, s)
		}
	}
	list := func(key string, s []string) {
		if len(s) > 0 {
			set(key, s)
		}
	}
	text("id", e.ID)
	set("kind", "expert")
	text("title", cut(e.Name, maxTitle))
	text("person", cut(e.Name, maxTitle))
	text("text", cutBytes(e.Text, maxText))
	text("summary", cutBytes(e.Summary, maxText))
	text("lang", e.Lang)
	list("fields", e.Fields)
	list("regions", e.Regions)
	text("organisation", cut(e.Organisation, maxTitle))
	text("url", webAddress(e.URL))
	if o.Basis != "" {
		set("basis", map[string]string{"kind": o.Basis})
	}
	extra := boundedExtra{values: map[string]any{}}
	for _, key := range slices.Sorted(maps.Keys(e.Extra)) {
		extra.add(key, e.Extra[key])
	}
	if works := e.works(&extra); len(works) > 0 {
		set("works", works)
	}
	if extra.left > 0 {
		extra.values["left_out"] = extra.left
	}
	if len(extra.values) > 0 {
		set("extra", extra.values)
	}
	return v
}

// works returns those that have a title or a text by our keys, and puts their identifiers into extra.
func (e *Expert) works(extra *boundedExtra) []map[string]any {
	works := slices.DeleteFunc(slices.Clone(e.Works), func(w Work) bool { return strings.TrimSpace(w.Title+w.Text) == "" })
	slices.SortStableFunc(works, func(a, b Work) int {
		return cmp.Or(cmp.Compare(b.Year, a.Year), strings.Compare(a.Title, b.Title), strings.Compare(a.URL, b.URL))
	})
	if n := len(works) - maxWorks; n > 0 {
		works = works[:maxWorks]
		extra.values["works_left_out"] = n
	}
	out := make([]map[string]any, len(works))
	size := 0
	for i, w := range works {
		o := map[string]any{}
		for key, s := range map[string]string{"title": cut(w.Title, 2*maxTitle), "text": cutBytes(w.Text, maxText), "url": webAddress(w.URL)} {
			if s != "" {
				o[key] = s
			}
		}
		if size += len(w.Text); size > maxTexts && w.Title != "" {
			delete(o, "text")
		}
		if w.Year >= minYear && w.Year <= maxYear {
			o["year"] = w.Year
		}
		out[i] = o
		extra.add(fmt.Sprintf("works[%d].doi", i), w.DOI)
		extra.add(fmt.Sprintf("works[%d].patent", i), w.Patent)
	}
	return out
}

// boundedExtra collects what a record says beyond our keys, until it is full.
type boundedExtra struct {
	values map[string]any
	size   int
	left   int // entries for which no room was left
}

func (x *boundedExtra) add(key string, value any) {
	size := len(key)
	switch v := value.(type) {
	case string:
		v = cut(v, maxEntry)
		if v == "" {
			return
		}
		size, value = size+len(v), v
	case []string:
		if len(v) == 0 {
			return
		}
		v = slices.Clone(v[:min(len(v), maxList)])
		for i := range v {
			v[i] = cut(v[i], maxEntry)
			size += len(v[i])
		}
		value = v
	}
	if x.size+size > maxExtra {
		x.left++
		return
	}
	x.size += size
	x.values[key] = value
}

// cut makes one line of s, of at most n characters.
func cut(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:n-1])) + "…"
}

// cutBytes cuts s to n bytes at the end of a word.
func cutBytes(s string, n int) string {
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s
	}
	s = s[:n-len("…")]
	for !utf8.RuneStart(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	s = s[:len(s)-1] // the character begun last may be cut
	if i := strings.LastIndexAny(s, " \n\t"); i > n-200 {
		s = s[:i]
	}
	return s + "…"
}

// webAddress returns s if it can be the address of a page, else nothing.
func webAddress(s string) string {
	s = strings.TrimSpace(s)
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || len(s) > maxURL {
		return ""
	}
	return s
}
