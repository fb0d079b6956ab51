package vivo

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
	"github.com/ketnoi/ketnoi/ingest/record"
	"github.com/ketnoi/ketnoi/ingest/turtle"
)

// person is one node of the graph on its way to an expert.
type person struct {
	g       *Graph
	at      Term
	persons map[string]bool
	langs   languages
}

func (p *person) expert(lang string) *record.Expert {
	g := p.g
	works := p.works()
	p.langs = p.languages(lang, works)
	e := &record.Expert{ID: identifier(p.at), Name: p.name(), Extra: map[string]any{}}
	if p.at.Kind == turtle.IRI {
		e.URL = p.at.Value
	}
	for _, t := range g.all(p.at, orcidID) {
		if id, ok := record.ORCID(t.Value); ok {
			e.Extra["orcid"] = id
			e.ID = cmp.Or(e.ID, "orcid:"+id)
		}
	}
	var told []string
	for _, property := range []string{overview, researches} {
		best := p.langs.best(g.all(p.at, property))
		if s := record.Plain(best.Value); s != "" && !slices.Contains(told, s) {
			told = append(told, s)
			e.Lang = cmp.Or(e.Lang, base(best.Lang))
		}
	}
	e.Text = strings.Join(told, "\n\n")
	e.Summary = strings.Join(p.areas(), "; ")
	p.position(e)
	if e.Extra["position"] == nil {
		e.Extra["position"] = p.pick(append(g.all(p.at, prefTitle), g.along(p.at, contact, hasTitle, title)...))
	}
	for _, t := range g.along(p.at, contact, hasURL, url) {
		e.Extra["homepage"] = t.Value
		break
	}
	var focuses []string
	for _, t := range g.all(p.at, focus) {
		focuses = append(focuses, p.label(t))
	}
	e.Extra["geographic_focus"] = focuses
	for _, w := range works {
		e.Works = append(e.Works, p.work(w))
	}
	return e
}

// pick returns the best of some literals, in plain text.
func (p *person) pick(literals []Term) string { return record.Plain(p.langs.best(literals).Value) }

func (p *person) label(t Term) string { return p.pick(p.g.all(t, label)) }

// name prefers the parts of a vcard to a label, which mostly has the family name first.
func (p *person) name() string {
	g := p.g
	for _, card := range g.along(p.at, contact, hasName) {
		given, family := p.langs.best(g.all(card, givenName)), p.langs.best(g.all(card, familyName))
		if given.Value != "" && family.Value != "" {
			return record.Name(given.Value, p.pick(g.all(card, middleName)), family.Value, family.Lang)
		}
	}
	given, family := p.langs.best(g.all(p.at, firstName)), p.langs.best(g.all(p.at, lastName))
	if given.Value != "" && family.Value != "" {
		return record.Name(given.Value, p.pick(g.all(p.at, middleName)), family.Value, family.Lang)
	}
	name := p.langs.best(g.all(p.at, label))
	if family, given, ok := strings.Cut(name.Value, ","); ok && !strings.Contains(given, ",") {
		return record.Name(given, "", family, name.Lang)
	}
	return name.Value
}

// areas are what a person works on: research areas, those of relations such as advising, and keywords.
func (p *person) areas() []string {
	g := p.g
	var out []string
	see := func(s string) {
		if s != "" && !slices.Contains(out, s) && len(out) < 100 {
			out = append(out, s)
		}
	}
	for _, t := range append(g.along(p.at, area), g.along(p.at, relatedBy, subject)...) {
		see(p.label(t))
	}
	for _, t := range p.langs.like(g.all(p.at, keyword)) {
		see(record.Plain(t.Value))
	}
	return out
}

// position fills in where the person works: by the position that lasts and began last, else by the one that ended last.
func (p *person) position(e *record.Expert) {
	g := p.g
	var best Term
	var begun, over string
	for _, t := range g.all(p.at, relatedBy) {
		if !g.isLike(t, "Position") {
			continue
		}
		s, o := p.year(t, interval, start, dateTime), p.year(t, interval, ended, dateTime)
		if o == "" {
			o = "9999"
		}
		if best.Kind == 0 || cmp.Or(strings.Compare(o, over), strings.Compare(s, begun)) > 0 {
			best, begun, over = t, s, o
		}
	}
	if best.Kind == 0 {
		return
	}
	if s := p.label(best); s != "" {
		e.Extra["position"] = s
	}
	var unit Term
	for _, t := range g.all(best, relates) {
		if t != p.at && !g.is(t, p.persons) && len(g.all(t, label)) > 0 {
			unit = t
			break
		}
	}
	// From the unit up to the institution, as far as it is told.
	var names []string
	place := p.place(p.at)
	for seen := map[Term]bool{}; unit.Kind != 0 && !seen[unit] && len(seen) < 10; {
		seen[unit] = true
		if s := p.label(unit); s != "" {
			names = append(names, s)
		}
		place = cmp.Or(place, p.place(unit))
		above := g.all(unit, partOf)
		if unit = (Term{}); len(above) > 0 {
			unit = above[0]
		}
	}
	if n := len(names); n > 0 {
		e.Organisation = names[n-1]
		e.Extra["department"] = strings.Join(names[:n-1], ", ")
	}
	if place != "" {
		e.Regions = []string{place}
	}
}

// place returns the country of an address as a code.
func (p *person) place(t Term) string {
	for _, c := range p.g.along(t, contact, hasAddress, country) {
		if code, ok := glossary.RegionCode(c.Value); ok {
			return code
		}
	}
	return ""
}

// year returns the year at the end of a path, as text.
func (p *person) year(t Term, path ...string) string {
	for _, d := range p.g.along(t, path...) {
		if y, _, _ := strings.Cut(d.Value, "-"); len(y) == 4 && strings.Trim(y, "0123456789") == "" {
			return y
		}
	}
	return ""
}

// works returns the documents a person is an author of, its grants, and the talks it gave.
func (p *person) works() []Term {
	g := p.g
	var out []Term
	seen := map[Term]bool{p.at: true}
	steps := 0
	see := func(t Term) {
		if !seen[t] && !g.is(t, p.persons) && !g.is(t, agents) && len(g.all(t, label)) > 0 {
			seen[t] = true
			out = append(out, t)
		}
	}
	related := func(t Term, property string) []Term {
		next := g.all(t, property)
		next = next[:min(len(next), maxBranches-steps)]
		steps += len(next)
		return next
	}
	for _, r := range related(p.at, relatedBy) {
		switch {
		case g.is(r, set(authorship)):
			for _, t := range related(r, relates) {
				see(t)
			}
		case g.is(r, set(grant)):
			see(r)
		}
	}
	for _, role := range related(p.at, bears) {
		for _, r := range related(role, relatedBy) {
			if g.is(r, set(grant)) {
				see(r)
			}
		}
		for _, t := range related(role, realisedIn) {
			if g.is(t, set(invitedTalk, talk)) {
				see(t)
			}
		}
	}
	return out
}

func (p *person) work(t Term) record.Work {
	g := p.g
	w := record.Work{Title: p.label(t), Text: p.pick(g.all(t, abstract))}
	w.Year, _ = strconv.Atoi(cmp.Or(p.year(t, dateValue, dateTime), p.year(t, interval, start, dateTime)))
	for _, d := range g.all(t, doi) {
		if id, ok := record.DOI(d.Value); ok {
			w.DOI = id
		}
	}
	for _, d := range g.all(t, patent) {
		if number, ok := record.Patent(d.Value); ok {
			w.Patent = number
		}
	}
	if w.Text == "" { // what it is about is better than nothing
		var about []string
		for _, t := range g.along(t, subject) {
			about = append(about, p.label(t))
		}
		for _, t := range p.langs.like(g.all(t, keyword)) {
			about = append(about, record.Plain(t.Value))
		}
		w.Text = strings.Join(about[:min(len(about), 50)], "; ")
	}
	for _, u := range g.along(t, contact, hasURL, url) {
		w.URL = u.Value
		break
	}
	switch {
	case w.URL == "" && w.DOI != "":
		w.URL = "https://doi.org/" + w.DOI
	case w.URL == "" && t.Kind == turtle.IRI:
		w.URL = t.Value
	}
	return w
}

// base returns the language of a tag, "fr" of "fr-CA", or nothing.
func base(tag string) string {
	if tag == "" {
		return ""
	}
	b, _ := text.LanguageTag(tag)
	return b
}
