package openalex

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/ingest/record"
	"github.com/ketnoi/ketnoi/ingest/record/recordtest"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestGolden(t *testing.T) {
	authors, works := file(t, "authors.jsonl"), file(t, "works.json")
	recordtest.Golden(t, "testdata/authors.golden", func(o record.Options, yield record.Yield) error {
		return Read(bytes.NewReader(authors), Options{Options: o}, yield)
	})
	recordtest.Golden(t, "testdata/works.golden", func(o record.Options, yield record.Yield) error {
		return Read(bytes.NewReader(works), Options{Options: o}, yield)
	})
	recordtest.Golden(t, "testdata/both.golden", func(o record.Options, yield record.Yield) error {
		return Read(bytes.NewReader(authors), Options{Options: o, Works: bytes.NewReader(works)}, yield)
	})
}

func TestHostile(t *testing.T) {
	const w = `{"id":"W1","title":"T","authorships":[{"author":{"id":"A1","display_name":"N"}}],`
	for _, c := range []struct{ name, in, want string }{
		{"an author without more", `{"id":"A1","display_name":"N"}`, "too little text"},
		{"a page without results", `{"meta":{"count":0},"results":[]}`, ""},
		{"an error of the API", `{"error":"Invalid query parameters error.","message":"x"}`, "in place of records: Invalid query"},
		{"an id of elsewhere", `{"id":"https://example.org/x"}`, "is no id of OpenAlex"},
		{"an id that is a number", `{"id":7}`, "id"},
		{"no id", `{}`, "is no id of OpenAlex"},
		{"positions in any order, with gaps and repeated", w + `"abstract_inverted_index":{"c":[1000000000],"a":[-5,7],"b":[7]}}`, `"text":"a a b c"`},
		{"a position too great", w + `"abstract_inverted_index":{"c":[1e300]}}`, "want words with lists of their positions"},
		{"a position that is a text", w + `"abstract_inverted_index":{"c":["0"]}}`, "want words with lists of their positions"},
		{"an index that is a list", w + `"abstract_inverted_index":["c"]}`, "want words with lists of their positions"},
		{"an index that is a text", w + `"abstract_inverted_index":"just an abstract"}`, "want words with lists of their positions"},
		{"too many words", w + `"abstract_inverted_index":{"c":[` + strings.Repeat("0,", maxWords) + `0]}}`, "more than 50000 words"},
		{"long words", w + `"abstract_inverted_index":{"` + strings.Repeat("c", 150_000) + `":[1,2,3]}}`, `"title":"T"`},
		{"authors that are a text", `{"id":"W1","authorships":"N"}`, "authorships"},
		{"a year that is a text", w + `"publication_year":"2019"}`, "publication_year"},
		{"a year far off", w + `"publication_year":99999}`, `[{"title":"T","url":"https://openalex.org/W1"}]`},
		{"topics without fields", w + `"topics":[{"id":null},{"field":null},{"field":{"id":"x/y"}},{"count":-9223372036854775808,"display_name":"D"}]}`, `D`},
	} {
		seen, err := recordtest.Read(t, func(o record.Options, yield record.Yield) error {
			return Read(strings.NewReader(c.in), Options{Options: o}, yield)
		})
		var got string
		for _, s := range seen {
			got += s.Refused + s.Fault + string(s.Values["works"]) + string(s.Values["summary"])
		}
		if err != nil || !strings.Contains(got, c.want) || len(seen) > 1 || (len(seen) == 0) != (c.want == "") {
			t.Errorf("%s: got %.300s, %v; want %s", c.name, got, err, c.want)
		}
	}
}

func TestWorksWhereAuthorsShouldStand(t *testing.T) {
	err := Read(strings.NewReader(`{"id":"W1"}`), Options{Works: strings.NewReader(`{"id":"W1"}`)}, nil)
	if err == nil || !strings.Contains(err.Error(), "works stand where authors should") {
		t.Errorf("got %v", err)
	}
	err = Read(strings.NewReader(`{"id":"A1"}`), Options{Works: strings.NewReader(`{"id":"A1"}`)}, nil)
	if err == nil || err.Error() != `works: line 1: "A1" is no id of a work` {
		t.Errorf("got %v", err)
	}
}

// TestShelfIsBounded counts what is held against what it is said to be at least.
func TestShelfIsBounded(t *testing.T) {
	var s shelf
	object := func(id int) []byte {
		return fmt.Appendf(nil, `{"id":"W%d","title":"T","abstract_inverted_index":{"%s":[1]},"authorships":[{"author":{"id":"A1","display_name":"N"}}]}`, id, strings.Repeat("x", 1000))
	}
	for id := range 100 {
		if err := s.add(object(id)); err != nil {
			t.Fatal(err)
		}
	}
	if s.size < 100*1000 {
		t.Errorf("100 works with 1000 bytes each count as %d bytes", s.size)
	}
	s.size = MaxHeld
	if err := s.add(object(100)); err == nil || !strings.Contains(err.Error(), "1024 MiB") {
		t.Errorf("got %v, want the shelf full", err)
	}
}

func TestFieldsAreThoseOfTheGlossary(t *testing.T) {
	if len(ford) != 26 {
		t.Errorf("got %d fields, OpenAlex has 26", len(ford))
	}
	for id, codes := range ford {
		for _, code := range codes {
			if !glossary.IsField(code) {
				t.Errorf("field %s leads to %q, which is no field", id, code)
			}
		}
	}
}

// TestAbstract turns texts into an index and back.
func TestAbstract(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-cé.]{1,3}`), 1, 30).Draw(t, "words")
		index := map[string][]int{}
		at := rapid.IntRange(-3, 3).Draw(t, "first")
		for _, w := range words {
			index[w] = append(index[w], at)
			at += rapid.IntRange(1, 1_000_000_000).Draw(t, "gap")
		}
		for w := range index { // their order within a word says nothing
			slices.Reverse(index[w])
		}
		body, err := json.Marshal(index)
		if err != nil {
			t.Fatal(err)
		}
		var a abstract
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatal(err)
		}
		if want := strings.Join(words, " "); string(a) != want {
			t.Fatalf("got %q, want %q", a, want)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(file(f, "authors.jsonl"), file(f, "works.json"))
	f.Add(file(f, "works.json"), []byte{})
	f.Add([]byte(`{"id":"W1","abstract_inverted_index":{"a":[9223372036854775807]}}`), []byte(`{"id":"W1"}`))
	f.Fuzz(func(t *testing.T, body, works []byte) {
		_, _ = recordtest.Read(t, func(o record.Options, yield record.Yield) error {
			of := Options{Options: o}
			if len(works) > 0 {
				of.Works = bytes.NewReader(works)
			}
			return Read(bytes.NewReader(body), of, yield)
		})
	})
}
