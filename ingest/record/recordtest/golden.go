// Package recordtest is how tests of readers of foreign profiles look at what these give.
package recordtest

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/ingest/record"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Seen is one record as a reader gave it.
type Seen struct {
	Line    int           `json:"line"`
	Values  record.Values `json:"values,omitempty"`
	Refused string        `json:"refused,omitempty"` // why there are none
	Fault   string        `json:"fault,omitempty"`   // what a listing's own check finds wrong with them
}

// Read collects what a reader gives. Values that do not even have the form of a listing fail the test.
func Read(t testing.TB, read func(o record.Options, yield record.Yield) error) ([]Seen, error) {
	t.Helper()
	var seen []Seen
	o := record.Options{Refuse: func(e *record.Error) error {
		seen = append(seen, Seen{Line: e.Line, Refused: e.Error()})
		return nil
	}}
	err := read(o, func(line int, values record.Values) error {
		s := Seen{Line: line, Values: values}
		body, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		var l engine.Listing
		if err := json.Unmarshal(body, &l, json.RejectUnknownMembers(true)); err != nil {
			t.Fatalf("no listing: %v in %s", err, body)
		}
		if err := l.Normalise(); err != nil {
			s.Fault = err.Error()
		}
		seen = append(seen, s)
		return nil
	})
	return seen, err
}

// Golden holds what a reader gives to a file, which -update writes anew.
func Golden(t *testing.T, file string, read func(o record.Options, yield record.Yield) error) {
	t.Helper()
	seen, err := Read(t, read)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(seen, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}
