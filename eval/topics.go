package eval

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/engine"
)

// Topic is one question of a test collection. Its keys are those of a listing; others in the file are passed over.
type Topic struct {
	ID        string        `json:"id"`
	Title     string        `json:"title"`
	Text      string        `json:"text"`
	Lang      string        `json:"lang"`
	Fields    []string      `json:"fields"`
	Regions   []string      `json:"regions"`
	Languages []string      `json:"languages"`
	Seeks     *engine.Seeks `json:"seeks"`
	Published string        `json:"published_at"`
	Expires   string        `json:"expires_at"`
	Close     string        `json:"close"` // as expires_at, also written "June 27, 2012", as calls for proposals do

	Listing *engine.Listing `json:"-"` // who asks, where that is a stored listing; nil for a problem made of the above
}

// ReadTopics reads topics, one JSON object a line. Errors name the line and what is missing.
func ReadTopics(r io.Reader) ([]Topic, error) {
	var out []Topic
	var lines []int
	err := scanLines(r, func(n int, line []byte) error {
		var t Topic
		if json.Unmarshal(line, &t) != nil { // the library's own words change from run to run
			return errors.New("no topic: want a JSON object with id, title and text as strings, fields, regions and languages as lists of strings, published_at, expires_at and close as dates")
		}
		out, lines = append(out, t), append(lines, n)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, CheckTopics(out, func(i int) string { return fmt.Sprintf("line %d", lines[i]) })
}

// CheckTopics says what is wrong with a list of topics; at says where one stands, such as "line 7".
func CheckTopics(topics []Topic, at func(i int) string) error {
	seen := map[string]bool{}
	for i := range topics {
		t := &topics[i]
		var err error
		switch {
		case t.ID == "":
			err = fmt.Errorf("id: missing")
		case hasSpace(t.ID):
			err = fmt.Errorf("id: %q has white space in it, which TREC files cannot hold", t.ID)
		case seen[t.ID]:
			err = fmt.Errorf("id: %s stands twice", t.ID)
		case strings.TrimSpace(t.Title+t.Text) == "" && t.Listing == nil:
			err = fmt.Errorf("topic %s has neither title nor text", t.ID)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", at(i), err)
		}
		seen[t.ID] = true
	}
	return nil
}
