package twins_test

import (
	"fmt"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/twins"
)

// Two sources know one expert.
func Example() {
	a := &engine.Listing{ID: "A1", Kind: engine.Expert, Title: "TS. Lê Văn An", Person: "Lê Văn An", Organisation: "Viện Lúa", Text: "Bệnh tôm", Regions: []string{"VN-59"}}
	b := &engine.Listing{ID: "B1", Kind: engine.Expert, Title: "An Le Van", Person: "An Le Van", Organisation: "Vien Lua", Text: "Shrimp diseases", Languages: []string{"en"}}
	twins.Find([]*twins.Traits{twins.Read(a), twins.Read(b)}, nil, func(p twins.Pair) {
		fmt.Println(p.A, p.B, p.Score)
		for _, r := range p.Reasons {
			fmt.Println(r.Kind, r.Value, r.Points)
		}
	})
	one, err := twins.Compose(a, b)
	fmt.Println(one.ID, one.Text, one.Regions, one.Languages, err)
	// Output:
	// A1 B1 0.76
	// name Lê Văn An 0.4
	// organisation Viện Lúa 0.6
	// A1 Bệnh tôm [VN-59] [en] <nil>
}
