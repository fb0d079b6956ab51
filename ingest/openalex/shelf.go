package openalex

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/ingest/record"
)

// MaxHeld is how many bytes of works and of who wrote them are held at most.
const MaxHeld = 1 << 30

// shelf holds works and the authors they name.
type shelf struct {
	by    map[string][]*work // by author
	order []string           // of authors, as first named
	seen  map[string]bool    // works
	size  int
}

// work is a work, shared by its authors.
type work struct {
	record.Work
	topics  []topic
	authors []authorship
}

// add puts a work on the shelf. The error is a *record.Error but for a shelf that is full.
func (s *shelf) add(object jsontext.Value) error {
	p := new(paper)
	if err := json.Unmarshal(object, p); err != nil {
		return &record.Error{Reason: "not as OpenAlex writes a work", Err: err}
	}
	id := shortID(p.ID)
	switch {
	case id == "" || id[0] != 'W':
		return &record.Error{Reason: fmt.Sprintf("%q is no id of a work", clip(p.ID))}
	case p.Retracted || p.Paratext || s.seen[id]:
		return nil
	}
	w := &work{Work: p.record(), topics: p.Topics, authors: p.Authorships}
	if len(w.topics) == 0 && p.Primary != nil {
		w.topics = []topic{*p.Primary}
	}
	if s.by == nil {
		s.by, s.seen = map[string][]*work{}, map[string]bool{}
	}
	s.seen[id] = true
	s.size += 200 + len(w.Title) + len(w.Text) + len(w.URL) + len(w.DOI)
	for _, t := range w.topics {
		s.size += 100 + len(t.ID) + len(t.Name) + len(t.Field.ID)
	}
	for i := range w.authors {
		a := &w.authors[i].Author
		a.ID = shortID(a.ID)
		s.size += 150 + len(a.ID) + len(a.Name) + len(a.ORCID)
		for _, i := range w.authors[i].Institutions {
			s.size += 50 + len(i.Name)
		}
		if a.ID == "" || a.ID[0] != 'A' { // OpenAlex does not know who this is
			continue
		}
		theirs := s.by[a.ID]
		if theirs == nil {
			s.order = append(s.order, a.ID)
		}
		if len(theirs) == 0 || theirs[len(theirs)-1] != w { // some works name an author twice
			s.by[a.ID] = append(theirs, w)
		}
	}
	if s.size > MaxHeld {
		return fmt.Errorf("the works take more than the %d MiB that may be held; split the file, by author if they should stay together", MaxHeld>>20)
	}
	return nil
}

// expert makes an expert of what the works say of an author: name and institutions as the latest of them has it, topics
// counted over all.
func (s *shelf) expert(id string) (*record.Expert, error) {
	works := s.by[id]
	a := &author{ID: id}
	named, housed := -1, -1 // years of the works that name and institutions are from
	at := map[string]int{}
	for _, w := range works {
		for _, t := range w.topics {
			n, ok := at[t.ID+" "+t.Name]
			if !ok {
				n = len(a.Topics)
				at[t.ID+" "+t.Name] = n
				t.Count = 0
				a.Topics = append(a.Topics, t)
			}
			a.Topics[n].Count++
		}
		for _, as := range w.authors {
			if as.Author.ID != id {
				continue
			}
			if a.ORCID == "" {
				a.ORCID = as.Author.ORCID
			}
			if w.Year > named && as.Author.Name != "" {
				a.Name, named = as.Author.Name, w.Year
			}
			if w.Year > housed && len(as.Institutions) > 0 {
				a.Institutions, housed = as.Institutions, w.Year
			}
		}
	}
	return a.expert(works)
}
