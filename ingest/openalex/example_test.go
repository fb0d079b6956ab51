package openalex_test

import (
	"fmt"
	"strings"

	"github.com/ketnoi/ketnoi/ingest/openalex"
	"github.com/ketnoi/ketnoi/ingest/record"
)

func ExampleRead() {
	authors := `{"id":"https://openalex.org/A1","display_name":"Jean Exemple","last_known_institutions":[{"display_name":"Institut","country_code":"FR"}]}`
	works := `{"results":[{"id":"https://openalex.org/W1","title":"Pompes solaires","doi":"https://doi.org/10.5555/P1",` +
		`"authorships":[{"author":{"id":"https://openalex.org/A1"}}],"abstract_inverted_index":{"soleil":[2],"Le":[0],"bon":[1]}}]}`
	err := openalex.Read(strings.NewReader(authors), openalex.Options{Works: strings.NewReader(works)}, func(line int, v record.Values) error {
		fmt.Printf("line %d: %s %s\n%s\n%s\n", line, v["id"], v["regions"], v["works"], v["extra"])
		return nil
	})
	fmt.Println(err)
	// Output:
	// line 1: "openalex:A1" ["FR"]
	// [{"text":"Le bon soleil","title":"Pompes solaires","url":"https://doi.org/10.5555/p1"}]
	// {"openalex":"A1","works[0].doi":"10.5555/p1"}
	// <nil>
}
