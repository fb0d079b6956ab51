package vivo_test

import (
	"fmt"
	"strings"

	"github.com/ketnoi/ketnoi/ingest/record"
	"github.com/ketnoi/ketnoi/ingest/vivo"
)

func ExampleGraph() {
	var g vivo.Graph
	for _, file := range []string{
		`@prefix v: <http://vivoweb.org/ontology/core#> . @prefix : <https://vivo.example.org/> .
:lan a v:FacultyMember ; <http://www.w3.org/2000/01/rdf-schema#label> "Tran, Lan" ; v:overview "Membranes."@en .`,
		`<https://vivo.example.org/lan> <http://vivoweb.org/ontology/core#overview> "Des membranes."@fr .`,
	} {
		if err := g.Add(strings.NewReader(file)); err != nil {
			fmt.Println(err)
		}
	}
	err := g.Experts(vivo.Options{Lang: "fr"}, func(line int, v record.Values) error {
		fmt.Printf("line %d: %s %s, %s: %s\n", line, v["id"], v["title"], v["lang"], v["text"])
		return nil
	})
	fmt.Println(err)
	// Output:
	// line 2: "vivo.example.org:lan" "Lan Tran", "fr": "Des membranes."
	// <nil>
}
