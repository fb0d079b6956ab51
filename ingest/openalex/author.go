package openalex

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/ingest/record"
)

// author is as much of an author as an expert is made of.
type author struct {
	ID           string        `json:"id"`
	ORCID        string        `json:"orcid"`
	Name         string        `json:"display_name"`
	Alternatives []string      `json:"display_name_alternatives"`
	Institutions []institution `json:"last_known_institutions"`
	Institution  *institution  `json:"last_known_institution"` // until 2024
	Topics       []topic       `json:"topics"`
}

type institution struct {
	Name    string `json:"display_name"`
	Country string `json:"country_code"`
}

type topic struct {
	ID    string `json:"id"`
	Name  string `json:"display_name"`
	Count int    `json:"count"` // works of the author; 0 where a work names its topic
	Field struct {
		ID string `json:"id"`
	} `json:"field"`
}

// expert makes an expert of an author and its works.
func (a *author) expert(works []*work) (*record.Expert, error) {
	id := shortID(a.ID)
	if strings.TrimSpace(a.Name) == "" {
		return nil, &record.Error{Reason: id + " has no display_name"}
	}
	e := &record.Expert{
		ID:    "openalex:" + id,
		Name:  a.Name,
		URL:   "https://openalex.org/" + id,
		Extra: map[string]any{"openalex": id, "other_names": slices.DeleteFunc(slices.Clone(a.Alternatives), func(s string) bool { return s == a.Name })},
	}
	if orcid, ok := record.ORCID(a.ORCID); ok {
		e.Extra["orcid"] = orcid
	}
	if len(a.Institutions) == 0 && a.Institution != nil {
		a.Institutions = []institution{*a.Institution}
	}
	if len(a.Institutions) > 0 {
		e.Organisation = a.Institutions[0].Name
	}
	for _, i := range a.Institutions {
		if code, ok := glossary.RegionCode(i.Country); ok && len(i.Country) == 2 && !slices.Contains(e.Regions, code) && len(e.Regions) < 100 {
			e.Regions = append(e.Regions, code)
		}
	}
	for _, w := range works {
		e.Works = append(e.Works, w.Work)
	}
	e.Summary, e.Fields = subjects(a.Topics)
	return e, nil
}

// maxTopics is how many topics stand in a summary: an author has 25, of which the last tell of single works.
const maxTopics = 10

// subjects returns the names of the topics most worked on, and the fields that stand for a fifth of the work or more.
func subjects(topics []topic) (summary string, fields []string) {
	topics = slices.Clone(topics)
	slices.SortStableFunc(topics, func(a, b topic) int { return cmp.Compare(b.Count, a.Count) })
	var names []string
	weight, total := map[string]float64{}, 0.0
	for _, t := range topics {
		if name := strings.TrimSpace(t.Name); name != "" && len(names) < maxTopics && !slices.Contains(names, name) {
			names = append(names, name)
		}
		n := float64(max(1, t.Count))
		total += n
		weight[shortField(t.Field.ID)] += n
	}
	ids := slices.SortedFunc(maps.Keys(weight), func(a, b string) int {
		return cmp.Or(cmp.Compare(weight[b], weight[a]), cmp.Compare(a, b))
	})
	for _, id := range ids {
		for _, code := range ford[id] {
			if weight[id] >= total/5 && !slices.Contains(fields, code) {
				fields = append(fields, code)
			}
		}
	}
	return strings.Join(names, "; "), fields
}

// shortField returns "17" from that or from an address that ends in it.
func shortField(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }
