package ingest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type object = map[string]jsontext.Value

// nest moves values of keys such as "seeks.kinds" into the objects they belong to; those of works make one work.
func (d *draft) nest() error {
	groups := map[string]object{}
	for name, v := range d.values {
		if head, rest, ok := strings.Cut(name, "."); ok {
			if groups[head] == nil {
				groups[head] = object{}
			}
			groups[head][rest] = v
			delete(d.values, name)
		}
	}
	for _, head := range slices.Sorted(maps.Keys(groups)) {
		inner, given := groups[head], object{}
		v, ok := d.values[head]
		switch {
		case ok && head == "works":
			return d.refuse(head, "stands beside %s.%s, which makes a work of its own", head, slices.Sorted(maps.Keys(inner))[0])
		case ok && json.Unmarshal(v, &given) != nil:
			return d.refuse(head, "want an object")
		}
		for _, name := range slices.Sorted(maps.Keys(given)) {
			if inner[name] != nil {
				return d.refuse(head+"."+name, "stands in %s too", head)
			}
			inner[name] = given[name]
		}
		var body any = inner
		if head == "works" {
			body = []object{inner}
		}
		var err error
		if d.values[head], err = json.Marshal(body); err != nil {
			return d.refused(head, err)
		}
	}
	return nil
}

// sift leads the names within works to their keys and keeps as extra what works, seeks and basis hold beyond ours, each
// under its place: "works[2].doi".
func (d *draft) sift() error {
	for _, head := range []string{"seeks", "basis"} {
		if d.values[head].Kind() != '{' {
			continue
		}
		var o object
		err := json.Unmarshal(d.values[head], &o)
		if err == nil {
			if o, err = d.siftObject(head, head+".", o, nil); err == nil {
				d.values[head], err = json.Marshal(o, json.Deterministic(true))
			}
		}
		if err != nil {
			return d.refused(head, err)
		}
	}
	if d.values["works"] == nil {
		return nil
	}
	columns := map[string]string{}
	for key, column := range d.m.Columns {
		if inner, ok := strings.CutPrefix(key, "works."); ok {
			columns[column] = inner
		}
	}
	var works []object
	if json.Unmarshal(d.values["works"], &works) != nil {
		return d.refuse("works", "want a list of objects")
	}
	for i := range works {
		var err error
		if works[i], err = d.siftObject(fmt.Sprintf("works[%d]", i), "works.", works[i], columns); err != nil {
			return err
		}
	}
	body, err := json.Marshal(works, json.Deterministic(true))
	d.values["works"] = body
	return d.refused("works", err)
}

// siftObject renames what columns name, leaves what is a key under prefix, and keeps the rest.
func (d *draft) siftObject(place, prefix string, o object, columns map[string]string) (object, error) {
	out := object{}
	for name, key := range columns {
		if v, ok := o[name]; ok {
			out[key] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		_, led := columns[name]
		_, taken := out[name]
		switch {
		case led:
		case !taken && slices.Contains(keys, prefix+name):
			out[name] = o[name]
		default:
			if err := d.keep(place+"."+name, o[name]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
