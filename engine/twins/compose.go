package twins

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/engine"
)

// Compose makes one listing of several that are about the same: the kept one's id, and of its values all it has. What it
// lacks comes from the first of the others, in the order of their ids, that has it; lists are united, works too, within
// the bounds of Listing.Normalise. The order of the others does not matter, and composing again what was composed changes
// nothing. The listings stay as they are. An error is one of Listing.Normalise.
//
// Text, and the language it is in, come from one listing; a summary from one of the same language. What is sought is the
// kept one's, since an empty list there means "any". An expiry is never filled in, since none means "does not expire".
//
// The basis is the weakest: where any of them is about a person, and one has no basis, neither has what is composed of
// them; else the one that gives the fewest rights (see weakest), and of equal ones the oldest.
func Compose(kept *engine.Listing, others ...*engine.Listing) (*engine.Listing, error) {
	c := *kept
	others = slices.Clone(others)
	slices.SortFunc(others, func(a, b *engine.Listing) int { return strings.Compare(a.ID, b.ID) })
	others = slices.DeleteFunc(others, func(l *engine.Listing) bool { return l.ID == kept.ID })

	c.Fields, c.Regions, c.Languages = slices.Clone(c.Fields), slices.Clone(c.Regions), slices.Clone(c.Languages)
	c.Conflicts = slices.Clone(c.Conflicts)
	c.Extra = maps.Clone(c.Extra)
	c.Basis = composeBasis(append([]*engine.Listing{kept}, others...))
	works := newWorkUnion(kept)
	for _, l := range others {
		if c.Text == "" && c.Summary == "" && (l.Text != "" || l.Summary != "") {
			c.Text, c.Summary, c.Lang = l.Text, l.Summary, l.Lang
		}
		if c.Lang == l.Lang {
			c.Text, c.Summary = cmp.Or(c.Text, l.Text), cmp.Or(c.Summary, l.Summary)
		}
		c.Organisation = cmp.Or(c.Organisation, l.Organisation)
		c.OrganisationType = cmp.Or(c.OrganisationType, l.OrganisationType)
		c.Conflicts = unite(c.Conflicts, l.Conflicts)
		c.Ambassador = c.Ambassador || l.Ambassador
		c.TRL = cmp.Or(c.TRL, l.TRL)
		c.IPStatus = cmp.Or(c.IPStatus, l.IPStatus)
		c.Seeks = cmp.Or(c.Seeks, l.Seeks)
		c.Capacity = cmp.Or(c.Capacity, l.Capacity)
		c.URL = cmp.Or(c.URL, l.URL)
		c.PublishedAt = cmp.Or(c.PublishedAt, l.PublishedAt)
		c.Person = cmp.Or(c.Person, l.Person)
		c.Fields, c.Regions, c.Languages = unite(c.Fields, l.Fields), unite(c.Regions, l.Regions), unite(c.Languages, l.Languages)
		composeExtra(&c, l, works.add(l))
	}
	c.Works = works.works
	c.Seeks = c.Seeks.Clone() // Normalise writes into it
	if err := c.Normalise(); err != nil {
		return nil, err
	}
	return &c, nil
}

// unite appends what is not there yet, as far as a list may go.
func unite(to, from []string) []string {
	for _, s := range from {
		if len(to) < engine.MaxList && !slices.Contains(to, s) {
			to = append(to, s)
		}
	}
	return to
}

// weakest has the grounds of processing in the order of the rights they give, the fewest first: what somebody else's
// source claims gives fewer than what the person has agreed to.
var weakest = []string{"legitimate_interest", "public_record", "public_task", "legal_duty", "vital_interest", "contract", "consent"}

func composeBasis(all []*engine.Listing) *engine.Basis {
	person := slices.ContainsFunc(all, func(l *engine.Listing) bool { return l.Person != "" })
	var least *engine.Basis
	for _, l := range all {
		switch b := l.Basis; {
		case b == nil && person:
			return nil
		case b != nil && (least == nil || weaker(b, least)):
			least = b
		}
	}
	if least == nil {
		return nil
	}
	b := *least
	return &b
}

func weaker(a, b *engine.Basis) bool {
	return cmp.Or(cmp.Compare(slices.Index(weakest, a.Kind), slices.Index(weakest, b.Kind)), strings.Compare(a.At, b.At)) < 0
}

// workUnion is a list of works without repetition. The works of the kept listing stay as they are, whatever they repeat.
type workUnion struct {
	works []engine.Work
	at    map[string]int // the first work with a DOI, or with a title and a year
}

func newWorkUnion(kept *engine.Listing) *workUnion {
	u := &workUnion{works: slices.Clone(kept.Works), at: map[string]int{}}
	dois := workDOIs(kept)
	for i := range u.works {
		u.remember(i, workKeys(&u.works[i], dois[i]))
	}
	return u
}

func (u *workUnion) remember(i int, keys []string) {
	for _, k := range keys {
		if _, there := u.at[k]; !there {
			u.at[k] = i
		}
	}
}

// add adds the works of a listing that are not there yet, and returns where each of those stands now. Of a work that is
// there already only a text that it lacks is taken.
func (u *workUnion) add(l *engine.Listing) map[int]int {
	moved := map[int]int{}
	dois := workDOIs(l)
	for i, w := range l.Works {
		keys := workKeys(&w, dois[i])
		first := -1
		for _, k := range keys {
			if at, there := u.at[k]; there && (first < 0 || at < first) {
				first = at
			}
		}
		switch {
		case first >= 0:
			if u.works[first].Text == "" {
				u.works[first].Text = w.Text
			}
		case len(u.works) < engine.MaxWorks:
			moved[i] = len(u.works)
			u.remember(len(u.works), keys)
			u.works = append(u.works, w)
		}
	}
	return moved
}

func workKeys(w *engine.Work, doi string) (keys []string) {
	if doi != "" {
		keys = append(keys, "doi:"+doi)
	}
	if v, ok := DOI(w.URL); ok {
		keys = append(keys, "doi:"+v)
	}
	title := plainTitle(w.Title)
	if title == "" {
		title = "\x00" + w.Text
	}
	return append(keys, fmt.Sprintf("%s (%d)", title, w.Year))
}

// workDOIs are the DOIs that a source gave beside a listing's works, by the works' numbers.
func workDOIs(l *engine.Listing) map[int]string {
	out := map[int]string{}
	for key, value := range l.Extra {
		var s string
		if i, rest, ok := ofWork(key); ok && strings.EqualFold(rest, ".doi") && json.Unmarshal(value, &s) == nil {
			if v, ok := DOI(s); ok {
				out[i] = v
			}
		}
	}
	return out
}

// ofWork reads a key such as "works[3].doi".
func ofWork(key string) (i int, rest string, ok bool) {
	n, err := fmt.Sscanf(key, "works[%d]", &i)
	_, rest, closed := strings.Cut(key, "]")
	return i, rest, n == 1 && err == nil && closed && i >= 0
}

// composeExtra adds what a listing says beyond the vocabulary, as far as there is room. What it says about a work goes
// where the work went, and nowhere where its work was there already.
func composeExtra(c *engine.Listing, l *engine.Listing, moved map[int]int) {
	size := 0
	for key, value := range c.Extra {
		size += len(key) + len(value)
	}
	for _, key := range slices.Sorted(maps.Keys(l.Extra)) {
		value, as := l.Extra[key], key
		if i, rest, ok := ofWork(key); ok {
			to, there := moved[i]
			if !there {
				continue
			}
			as = fmt.Sprintf("works[%d]%s", to, rest)
		}
		if _, there := c.Extra[as]; there || size+len(as)+len(value) > engine.MaxText {
			continue
		}
		if c.Extra == nil {
			c.Extra = map[string]json.RawMessage{}
		}
		c.Extra[as], size = value, size+len(as)+len(value)
	}
}
