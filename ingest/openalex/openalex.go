// Package openalex reads authors and works as OpenAlex writes them, one JSON object a line as in its snapshot or in
// pages as its API gives them, and makes experts of them.
package openalex

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/ingest/record"
)

// Options of a reading.
type Options struct {
	record.Options
	Works io.Reader // works of the authors that Read is given; nil where there are none
}

// Read gives experts by the keys of a listing. What the file holds is told by its first record:
//
//   - Authors: each is an expert, with those works of o.Works that name it. Authors stream; the works are read first and
//     held. A work names co-authors too; who is not among the authors is not wanted.
//   - Works alone: each author they name is an expert, in the order of first mention, on line 0. All is held.
//
// What is held is titles and abstracts, each once whoever wrote it, of at most MaxHeld bytes: some 300,000 works with an
// abstract. A record that cannot be used, or is of the other kind, goes to o.Refuse; retracted works and what OpenAlex
// marks as no work (paratext) are passed over.
func Read(r io.Reader, o Options, yield record.Yield) error {
	var held shelf
	if o.Works != nil {
		of := o.Options
		if o.Refuse != nil {
			of.Refuse = func(e *record.Error) error {
				e.Reason = "works: " + e.Reason // the line is one of that file
				return o.Refuse(e)
			}
		}
		err := record.Objects(o.Works, "results", of, func(_ int, object jsontext.Value) error {
			return held.add(object)
		})
		if err != nil {
			return fmt.Errorf("works: %w", err)
		}
	}
	var first byte
	err := record.Objects(r, "results", o.Options, func(line int, object jsontext.Value) error {
		kind, err := kindOf(object)
		if err != nil {
			return err
		}
		if first == 0 {
			first = kind
			if kind == 'W' && o.Works != nil {
				return fmt.Errorf("works stand where authors should: give one file of works alone, or authors and works")
			}
		}
		switch {
		case kind != first:
			return &record.Error{Reason: "an author among works, or a work among authors: give each a file of its own"}
		case kind == 'W':
			return held.add(object)
		}
		a := new(author)
		if err := json.Unmarshal(object, a); err != nil {
			return &record.Error{Reason: "not as OpenAlex writes an author", Err: err}
		}
		e, err := a.expert(held.by[shortID(a.ID)])
		if err != nil {
			return err
		}
		return yield(line, e.Values(o.Options))
	})
	if err != nil || first != 'W' {
		return err
	}
	for _, id := range held.order {
		e, err := held.expert(id)
		var refused *record.Error
		switch {
		case err == nil:
			err = yield(0, e.Values(o.Options))
		case errors.As(err, &refused):
			err = o.Refused(refused)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// kindOf tells an author from a work by its id.
func kindOf(object jsontext.Value) (byte, error) {
	var o struct {
		ID    string `json:"id"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(object, &o); err != nil {
		return 0, &record.Error{Reason: "not as OpenAlex writes a record", Err: err}
	}
	switch id := shortID(o.ID); {
	case o.Error != "":
		return 0, &record.Error{Reason: "an error of OpenAlex in place of records: " + clip(o.Error)}
	case id == "":
		return 0, &record.Error{Reason: fmt.Sprintf("%q is no id of OpenAlex: want https://openalex.org/A… or W…", clip(o.ID))}
	case id[0] != 'A' && id[0] != 'W':
		return 0, &record.Error{Reason: id + " is neither an author nor a work"}
	default:
		return id[0], nil
	}
}

// shortID returns "A5000000001" from that or from an address that ends in it, else nothing.
func shortID(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	s = s[strings.LastIndexByte(s, '/')+1:]
	if len(s) < 2 || len(s) > 20 || s[0] < 'A' || s[0] > 'Z' || strings.Trim(s[1:], "0123456789") != "" {
		return ""
	}
	return s
}

func clip(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}
