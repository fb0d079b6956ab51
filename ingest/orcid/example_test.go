package orcid_test

import (
	"fmt"
	"strings"

	"github.com/ketnoi/ketnoi/ingest/orcid"
	"github.com/ketnoi/ketnoi/ingest/record"
)

func ExampleRead() {
	body := `{"orcid-identifier": {"path": "0000-0000-0000-001X"}, "person": {
  "name": {"given-names": {"value": "Jean"}, "family-name": {"value": "Exemple"}, "visibility": "public"},
  "biography": {"content": "Je construis des pompes solaires.", "visibility": "public"}}}
{"orcid-identifier": {"path": "0000-0000-0000-0019"}}`
	o := record.Options{Refuse: func(e *record.Error) error { fmt.Println("refused:", e); return nil }}
	err := orcid.Read(strings.NewReader(body), o, func(line int, v record.Values) error {
		fmt.Printf("line %d: %s %s: %s\n", line, v["id"], v["title"], v["text"])
		return nil
	})
	fmt.Println(err)
	// Output:
	// line 1: "orcid:0000-0000-0000-001X" "Jean Exemple": "Je construis des pompes solaires."
	// refused: line 4: "0000-0000-0000-0019" is no ORCID iD: its check digit is not right
	// <nil>
}
