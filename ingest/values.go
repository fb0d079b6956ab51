package ingest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
)

// coded are the keys whose values are codes or words of a closed list, which other people write otherwise.
var coded = []string{"kind", "lang", "fields", "regions", "languages", "trl", "ip_status", "organisation_type", "seeks.kinds", "seeks.fields", "seeks.regions", "seeks.languages", "seeks.partnership"}

// lists are those of them that hold several values.
func isList(key string) bool {
	return key == "fields" || key == "regions" || key == "languages" || strings.HasPrefix(key, "seeks.")
}

// known reports whether a value is one of ours for the key.
func known(key, value string) bool {
	ok := false
	switch strings.TrimPrefix(key, "seeks.") {
	case "kind", "kinds":
		ok = slices.Contains(engine.Kinds, engine.Kind(value))
	case "lang", "languages":
		_, ok = text.LanguageTag(value)
	case "fields":
		ok = glossary.IsField(value)
	case "regions":
		_, ok = glossary.RegionCode(value)
	case "trl":
		n, err := strconv.Atoi(value)
		ok = err == nil && n >= 1 && n <= 9
	case "ip_status":
		ok = slices.Contains(engine.IPStatuses, value)
	case "organisation_type":
		ok = slices.Contains(engine.OrganisationTypes, value)
	case "partnership":
		ok = slices.Contains(engine.Partnerships, value)
	}
	return ok
}

// folded is how values are compared: without regard to case, spacing and Unicode form.
func folded(s string) string {
	clean, err := text.Clean(s)
	if err != nil {
		clean = s
	}
	return strings.ToLower(strings.Join(strings.Fields(clean), " "))
}

// translate leads a source's codes and words to ours, as its file says.
func (d *draft) translate() error {
	if d.m.values == nil {
		return nil
	}
	for _, key := range coded {
		v, ok := d.values[key]
		if !ok {
			continue
		}
		given, ok := plain(key, v)
		if !ok {
			continue // it is refused for what it is
		}
		var out []string
		for _, g := range given {
			if ours, ok := d.m.values[key][folded(g)]; ok {
				g = ours
			}
			if d.m.unknown[key] == "drop" && !known(key, g) {
				continue
			}
			out = append(out, g)
		}
		if err := d.put(key, out); err != nil {
			return err
		}
	}
	return nil
}

// plain returns the values that a cell or a JSON value holds, as texts.
func plain(key string, v jsontext.Value) (out []string, ok bool) {
	one := func(v jsontext.Value) (s string, ok bool) {
		if v.Kind() == '0' {
			return string(v), true
		}
		return s, json.Unmarshal(v, &s) == nil
	}
	if !isList(key) || v.Kind() != '[' {
		s, ok := one(v)
		if ok && isList(key) {
			return splitList(s), true
		}
		return []string{s}, ok
	}
	var list []jsontext.Value
	if json.Unmarshal(v, &list) != nil {
		return nil, false
	}
	for _, e := range list {
		s, ok := one(e)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// put writes values back in the form they had.
func (d *draft) put(key string, values []string) (err error) {
	var v any
	switch {
	case isList(key) && d.r.Cells:
		v = strings.Join(values, ";")
	case isList(key):
		v = values
	case len(values) == 0:
		delete(d.values, key)
		return nil
	case key == "trl" && !d.r.Cells:
		if v = any(values[0]); known(key, values[0]) {
			v, _ = strconv.Atoi(values[0])
		}
	default:
		v = values[0]
	}
	d.values[key], err = json.Marshal(v)
	return d.refused(key, err)
}

// advice ends the message on a value that is none of ours, where a source file could lead it to one.
func (m *Mapping) advice(field string) string {
	key, _, _ := strings.Cut(field, "[")
	if m.File == "" || !slices.Contains(coded, key) {
		return ""
	}
	return fmt.Sprintf("; or say in %s what it means: values: {%s: {THEIRS: OURS}}, or unknown: {%s: drop}", m.File, key, key)
}

// idOf is the id that a record names, as far as one can be read.
func (m *Mapping) idOf(r Record) string {
	column := m.Columns["id"]
	if column == "" {
		column = "id"
	}
	v, ok := lookup(r.Values, column)
	if !ok {
		return ""
	}
	l := engine.Listing{ID: string(v), Kind: engine.Problem, Title: "text", Text: "text"}
	var s string
	if json.Unmarshal(v, &s) == nil {
		l.ID = s
	}
	if l.Normalise() != nil {
		return ""
	}
	return l.ID
}
