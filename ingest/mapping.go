package ingest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/text"
)

// Mapping leads from a source's own names to the keys of a listing.
type Mapping struct {
	Columns map[string]string // key of a listing ("text", "works.title") -> the source's name for it
	Kind    engine.Kind       // overrides what the source says, if not empty
	Lang    string            // the same for the language
}

// keys are the keys of a listing that a source can fill, those of a work behind "works.".
var keys = []string{"id", "kind", "title", "text", "lang", "summary", "fields", "regions", "languages", "organisation", "trl", "ip_status",
	"seeks", "seeks.kinds", "seeks.fields", "seeks.regions", "seeks.languages", "seeks.partnership", "works", "works.title", "works.text", "works.year", "works.url",
	"capacity", "url", "published_at", "expires_at", "person", "basis", "basis.kind", "basis.at", "extra"}

// ParseMapping reads "title=name,text=desc": for each key of a listing the source's name for it.
func ParseMapping(spec string) (map[string]string, error) {
	out := map[string]string{}
	for pair := range strings.SplitSeq(spec, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		key, column, ok := strings.Cut(pair, "=")
		key, column = strings.TrimSpace(key), strings.TrimSpace(column)
		switch {
		case !ok || key == "" || column == "":
			return nil, fmt.Errorf("%q: want key=column, such as title=name", pair)
		case !slices.Contains(keys, key):
			return nil, fmt.Errorf("%q is no key of a listing: want one of %s", key, strings.Join(keys, ", "))
		case out[key] != "":
			return nil, fmt.Errorf("%q is mapped twice", key)
		}
		out[key] = column
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%q maps nothing: want key=column, such as title=name", spec)
	}
	return out, nil
}

// listing builds a listing from a record: it renames keys, reads cells as what their key holds, keeps as extra what a
// mapping does not name, and decodes strictly. The result is not normalised yet.
func (m *Mapping) listing(r Record) (*engine.Listing, error) {
	refuse := func(field, format string, args ...any) error {
		return &RecordError{Line: r.Line, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	values, err := m.rename(r, refuse)
	if err != nil {
		return nil, err
	}
	if r.Cells {
		if err := readCells(values, refuse); err != nil {
			return nil, err
		}
	}
	if id, ok := values["id"]; ok && id.Kind() == '0' { // a number is as good as its digits, all of them
		values["id"] = jsontext.Value(strconv.Quote(string(id)))
	}
	force(values, "kind", string(m.Kind))
	force(values, "lang", m.Lang)
	body, err := json.Marshal(values)
	if err != nil {
		return nil, refuse("", "%v", err)
	}
	l := new(engine.Listing)
	if err := json.Unmarshal(body, l, json.RejectUnknownMembers(true)); err != nil {
		field, reason := Describe(err)
		return nil, refuse(field, "%s", reason)
	}
	return l, nil
}

// rename returns the record's values under the keys of a listing.
func (m *Mapping) rename(r Record, refuse func(string, string, ...any) error) (map[string]jsontext.Value, error) {
	out := make(map[string]jsontext.Value, len(r.Values)+2)
	used := map[string]bool{}
	works := map[string]string{}
	for key, column := range m.Columns {
		if work, ok := strings.CutPrefix(key, "works."); ok {
			works[column] = work
			continue
		}
		if v, ok := lookup(r.Values, column); ok {
			out[key] = v
			used[column] = true
		}
	}
	extra := map[string]jsontext.Value{}
	if v, ok := r.Values["extra"]; ok && !used["extra"] && json.Unmarshal(v, &extra) != nil {
		return nil, refuse("extra", "want an object")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Values)) {
		_, taken := out[name]
		switch {
		case used[name] || name == "extra":
		case slices.Contains(keys, name) && !taken && m.Columns[name] == "":
			out[name] = r.Values[name]
		case m.Columns == nil:
			return nil, refuse(name, "unknown key; rename it, or lead to it with --map (for example --map text=%s)", name)
		default:
			v, err := cleanValue(r.Values[name])
			if err != nil {
				return nil, refuse(name, "%v", err)
			}
			extra[name] = v
		}
	}
	if len(works) > 0 && out["works"] != nil {
		v, err := renameWorks(out["works"], works)
		if err != nil {
			return nil, refuse("works", "%v", err)
		}
		out["works"] = v
	}
	if _, ok := out["id"]; !ok && r.Values["id"] != nil { // a column that serves as a title may still be the id
		out["id"] = r.Values["id"]
	}
	if len(extra) > 0 {
		body, err := json.Marshal(extra, json.Deterministic(true))
		if err != nil {
			return nil, refuse("extra", "%v", err)
		}
		out["extra"] = body
	}
	return out, nil
}

// lookup finds a value by its name, or by a path through nested objects: "contact.name".
func lookup(values map[string]jsontext.Value, name string) (jsontext.Value, bool) {
	if v, ok := values[name]; ok {
		return v, true
	}
	head, rest, ok := strings.Cut(name, ".")
	if !ok || values[head].Kind() != '{' {
		return nil, false
	}
	var inner map[string]jsontext.Value
	if json.Unmarshal(values[head], &inner) != nil {
		return nil, false
	}
	return lookup(inner, rest)
}

// renameWorks renames the keys of each work; keys that no column leads to and no work has are dropped.
func renameWorks(v jsontext.Value, columns map[string]string) (jsontext.Value, error) {
	var works []map[string]jsontext.Value
	if err := json.Unmarshal(v, &works); err != nil {
		return nil, fmt.Errorf("want a list of objects")
	}
	for i, w := range works {
		out := map[string]jsontext.Value{}
		for name, v := range w {
			if key, ok := columns[name]; ok {
				out[key] = v
			} else if slices.Contains(keys, "works."+name) && !slices.Contains(slices.Collect(maps.Values(columns)), name) {
				out[name] = v
			}
		}
		works[i] = out
	}
	return json.Marshal(works)
}

// force sets a string value and keeps what the source said, if it said something else, as extra.
func force(values map[string]jsontext.Value, key, value string) {
	if value == "" {
		return
	}
	old := values[key]
	values[key] = jsontext.Value(strconv.Quote(value))
	if len(old) == 0 || old.Kind() != '"' || string(old) == string(values[key]) || string(old) == `""` {
		return
	}
	extra := map[string]jsontext.Value{}
	if len(values["extra"]) > 0 && json.Unmarshal(values["extra"], &extra) != nil {
		return
	}
	if v, err := cleanValue(old); err == nil {
		extra[key] = v
		if body, err := json.Marshal(extra, json.Deterministic(true)); err == nil {
			values["extra"] = body
		}
	}
}

// cleanValue cleans a string value as text.Clean does; other values are only compacted.
func cleanValue(v jsontext.Value) (jsontext.Value, error) {
	v = v.Clone()
	if v.Kind() != '"' {
		return v, v.Compact()
	}
	var s string
	if err := json.Unmarshal(v, &s); err != nil {
		return nil, err
	}
	s, err := text.Clean(s)
	if err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

// readCells turns the cells of a table, all strings, into what their keys hold. A list is parted by ; or | or, where
// neither stands, by commas; works are written as JSON, or as one title a line.
func readCells(values map[string]jsontext.Value, refuse func(string, string, ...any) error) error {
	nested := map[string]map[string]jsontext.Value{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if key == "extra" {
			continue
		}
		var cell string
		if err := json.Unmarshal(values[key], &cell); err != nil {
			return refuse(key, "%v", err)
		}
		cell = strings.TrimSpace(cell)
		v, err := cellValue(key, cell)
		if err != nil {
			return refuse(key, "%v", err)
		}
		if head, rest, ok := strings.Cut(key, "."); ok {
			if nested[head] == nil {
				nested[head] = map[string]jsontext.Value{}
			}
			nested[head][rest] = v
			delete(values, key)
			continue
		}
		values[key] = v
	}
	for head, inner := range nested {
		body, err := json.Marshal(inner)
		if err != nil {
			return refuse(head, "%v", err)
		}
		values[head] = body
	}
	return nil
}

func cellValue(key, cell string) (jsontext.Value, error) {
	switch key {
	case "fields", "regions", "languages", "seeks.kinds", "seeks.fields", "seeks.regions", "seeks.languages", "seeks.partnership":
		return json.Marshal(splitList(cell))
	case "trl", "capacity":
		n, err := strconv.Atoi(cell)
		if err != nil {
			return nil, fmt.Errorf("%q is no whole number", cell)
		}
		return json.Marshal(n)
	case "works":
		if v := jsontext.Value(cell); strings.HasPrefix(cell, "[") && v.IsValid() {
			return v, nil
		}
		var works []engine.Work
		for line := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if line = strings.TrimSpace(line); line != "" {
				works = append(works, engine.Work{Title: line})
			}
		}
		return json.Marshal(works)
	case "seeks", "basis":
		if v := jsontext.Value(cell); v.IsValid() && v.Kind() == '{' {
			return v, nil
		}
		return nil, fmt.Errorf("want a JSON object, or columns such as %s.%s", key, map[string]string{"seeks": "kinds", "basis": "kind"}[key])
	}
	return json.Marshal(cell)
}

func splitList(cell string) []string {
	sep := ","
	if strings.ContainsAny(cell, ";|") {
		sep = ";"
		cell = strings.ReplaceAll(cell, "|", ";")
	}
	out := []string{}
	for piece := range strings.SplitSeq(cell, sep) {
		if piece = strings.TrimSpace(piece); piece != "" {
			out = append(out, piece)
		}
	}
	return out
}
