package ingest

import (
	"encoding/json"
	"fmt"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/text"
)

// remark is what is odd about a field that is taken all the same.
type remark struct{ field, reason string }

// setAsideAddresses moves web addresses that are none into the listing's extra values: a field that only leads further
// is no reason to refuse the rest.
func setAsideAddresses(l *engine.Listing) (out []remark) {
	look := func(field string, address *string) {
		if *address == "" || engine.IsWebAddress(*address) {
			return
		}
		s, err := text.Clean(*address)
		if err != nil {
			return // it is refused for that
		}
		if v, err := json.Marshal(s); err == nil {
			if l.Extra == nil {
				l.Extra = map[string]json.RawMessage{}
			}
			l.Extra[field] = v
		}
		out = append(out, remark{field, fmt.Sprintf("%q is no web address; kept as extra", brief(s, maxField))})
		*address = ""
	}
	look("url", &l.URL)
	for i := range l.Works {
		look(fmt.Sprintf("works[%d].url", i), &l.Works[i].URL)
	}
	return out
}

// inspect finds what is odd about a listing's texts before they are cleaned.
func inspect(l *engine.Listing) (out []remark) {
	look := func(field, s string) {
		for _, f := range text.Inspect(s) {
			out = append(out, remark{field, f.Sentence()})
		}
	}
	look("title", l.Title)
	look("text", l.Text)
	look("summary", l.Summary)
	look("organisation", l.Organisation)
	look("person", l.Person)
	for i, w := range l.Works {
		look(fmt.Sprintf("works[%d].title", i), w.Title)
		look(fmt.Sprintf("works[%d].text", i), w.Text)
	}
	return out
}
