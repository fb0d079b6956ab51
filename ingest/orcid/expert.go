package orcid

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/ingest/record"
)

// expert makes an expert of the record. The error is a *record.Error.
func (p *profile) expert() (*record.Expert, error) {
	id, ok := record.ORCID(p.ID.Path)
	switch {
	case p.Message != "":
		return nil, &record.Error{Reason: "an error of ORCID in place of a record: " + clip(p.Message)}
	case p.ID.Path == "":
		return nil, &record.Error{Reason: "no orcid-identifier: want a record of ORCID's API 3.0"}
	case !ok:
		return nil, &record.Error{Reason: clip(strconv.Quote(p.ID.Path)) + " is no ORCID iD: its check digit is not right"}
	case p.History.Deactivated != nil || p.History.Date.String() != "":
		return nil, &record.Error{Reason: id + " was deactivated"}
	}
	e := &record.Expert{ID: "orcid:" + id, URL: "https://orcid.org/" + id, Extra: map[string]any{"orcid": id}}
	if n := p.Person.Name; public(n.Visibility) {
		if e.Name = n.Credit.String(); e.Name == "" {
			e.Name = record.Name(n.Given.String(), "", n.Family.String(), "")
		}
	}
	e.Text = contents([]item{p.Person.Biography}, "")
	e.Summary = contents(p.Person.Keywords.List, "; ")
	e.Extra["other_names"] = slices.DeleteFunc(strings.Split(contents(p.Person.Others.List, "\n"), "\n"), func(s string) bool { return s == "" })
	links := shown(p.Person.Links.List, func(l link) (string, text) { return l.Visibility, l.Index })
	if len(links) > 0 {
		e.Extra["homepage"] = links[0].URL.String()
	}
	country := ""
	if job := p.Activities.current(); job != nil {
		e.Organisation = job.Organisation.Name.String()
		e.Extra["department"] = job.Department.String()
		e.Extra["position"] = job.Role.String()
		country = job.Organisation.Address.Country.String()
	}
	if own := shown(p.Person.Addresses.List, func(a address) (string, text) { return a.Visibility, a.Index }); len(own) > 0 {
		country = own[0].Country.String()
	}
	if code, ok := glossary.RegionCode(country); ok {
		e.Regions = []string{code}
	}
	for _, g := range p.Activities.Works.Groups {
		// A group is one work as several sources tell it; the one with the greatest index is preferred.
		if told := shown(g.Summaries, func(w work) (string, text) { return w.Visibility, w.Index }); len(told) > 0 {
			e.Works = append(e.Works, told[0].work(told))
		}
	}
	return e, nil
}

// work returns the work, with identifiers from all that tell of it.
func (w work) work(told []work) record.Work {
	out := record.Work{Title: record.Plain(w.Title.Title.String()), Text: record.Plain(w.Description.String()), URL: w.URL.String()}
	if sub := record.Plain(w.Title.Subtitle.String()); sub != "" {
		out.Title += ": " + sub
	}
	for _, t := range told {
		if out.Year == 0 {
			out.Year, _ = strconv.Atoi(t.Date.Year.String())
		}
		for _, id := range t.IDs.List {
			// Others are those of the book or journal it is part of, or of another version.
			if id.Relationship != "" && !strings.EqualFold(id.Relationship, "self") {
				continue
			}
			for _, s := range []text{id.Normalised.Value, id.Value} {
				switch strings.ToLower(id.Type) {
				case "doi":
					out.DOI = cmp.Or(out.DOI, first(record.DOI(string(s))))
				case "pat":
					out.Patent = cmp.Or(out.Patent, first(record.Patent(string(s))))
				}
			}
		}
	}
	if out.URL == "" && out.DOI != "" {
		out.URL = "https://doi.org/" + out.DOI
	}
	return out
}

// current returns the employment that lasts and began last, else the one that ended last; nil where there is none.
func (a *activities) current() *employment {
	var all []employment
	for _, g := range a.Employments.Groups {
		for _, w := range g.Wrapped {
			all = append(all, w.Employment)
		}
		all = append(all, g.Bare...)
	}
	all = shown(all, func(e employment) (string, text) { return e.Visibility, e.Index })
	if len(all) == 0 {
		return nil
	}
	latest := slices.MaxFunc(all, func(x, y employment) int {
		if (x.End == nil) != (y.End == nil) {
			return cmp.Compare(truth(x.End == nil), truth(y.End == nil))
		}
		if x.End != nil {
			if c := strings.Compare(x.End.String(), y.End.String()); c != 0 {
				return c
			}
		}
		return strings.Compare(x.Start.String(), y.Start.String())
	})
	return &latest
}

// shown returns what is public, that which stands furthest up first.
func shown[T any](list []T, of func(T) (visibility string, index text)) []T {
	list = slices.DeleteFunc(slices.Clone(list), func(t T) bool { v, _ := of(t); return !public(v) })
	slices.SortStableFunc(list, func(a, b T) int {
		_, x := of(a)
		_, y := of(b)
		return cmp.Compare(number(y), number(x))
	})
	return list
}

// public reports whether an entry may be shown: the API for members gives others too.
func public(visibility string) bool {
	return visibility == "" || strings.EqualFold(visibility, "public")
}

func contents(list []item, separator string) string {
	var out []string
	for _, i := range shown(list, func(i item) (string, text) { return i.Visibility, i.Index }) {
		if s := record.Plain(string(i.Content)); s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, separator)
}

func (v value) String() string { return v.Value.String() }
func (t text) String() string  { return strings.TrimSpace(string(t)) }
func (d date) String() string {
	return pad(d.Year.String(), 4) + "-" + pad(d.Month.String(), 2) + "-" + pad(d.Day.String(), 2)
}

func pad(s string, n int) string { return strings.Repeat("0", max(0, n-len(s))) + s }

func number(t text) int {
	n, _ := strconv.Atoi(t.String())
	return n
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func first(s string, _ bool) string { return s }

func clip(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}
