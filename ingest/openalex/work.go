package openalex

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/ingest/record"
)

// paper is as much of a work as is read of it.
type paper struct {
	ID          string       `json:"id"`
	DOI         string       `json:"doi"`
	Title       string       `json:"title"`
	DisplayName string       `json:"display_name"`
	Year        int          `json:"publication_year"`
	Abstract    abstract     `json:"abstract_inverted_index"`
	Authorships []authorship `json:"authorships"`
	Primary     *topic       `json:"primary_topic"`
	Topics      []topic      `json:"topics"`
	Retracted   bool         `json:"is_retracted"`
	Paratext    bool         `json:"is_paratext"`
	Location    *struct {
		Page string `json:"landing_page_url"`
	} `json:"primary_location"`
}

type authorship struct {
	Author struct {
		ID    string `json:"id"`
		Name  string `json:"display_name"`
		ORCID string `json:"orcid"`
	} `json:"author"`
	Institutions []institution `json:"institutions"`
}

// abstract is a text from the index of its words: {"We": [0], "show": [1, 7]}.
type abstract string

// The most words an abstract may have; some "abstracts" are whole theses.
const maxWords = 50_000

// UnmarshalJSONFrom puts the words in the order of their positions, which may have gaps and begin anywhere. A string is
// read as an index written into one.
func (a *abstract) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if v.Kind() == '"' {
		inner, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return err
		}
		v = jsontext.Value(inner)
	}
	var index map[string][]int64
	if err := json.Unmarshal(v, &index); err != nil {
		return errors.New("want words with lists of their positions")
	}
	type placed struct {
		at   int64
		word string
	}
	var words []placed
	for word, positions := range index {
		if len(words)+len(positions) > maxWords {
			return fmt.Errorf("more than %d words", maxWords)
		}
		for _, at := range positions {
			words = append(words, placed{at, word})
		}
	}
	slices.SortFunc(words, func(a, b placed) int { return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.word, b.word)) })
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		if b.WriteString(w.word); b.Len() > maxAbstract {
			break
		}
	}
	*a = abstract(b.String())
	return nil
}

// maxAbstract is in bytes, beyond which the record would cut it anyway.
const maxAbstract = 200_000

func (p *paper) record() record.Work {
	w := record.Work{Title: record.Plain(cmp.Or(p.Title, p.DisplayName)), Text: record.Plain(string(p.Abstract)), Year: p.Year}
	if doi, ok := record.DOI(p.DOI); ok {
		w.DOI, w.URL = doi, "https://doi.org/"+doi
	} else if p.Location != nil {
		w.URL = p.Location.Page
	}
	if w.URL == "" {
		w.URL = "https://openalex.org/" + shortID(p.ID)
	}
	return w
}
