package engine

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
)

// expiry is the last moment, in Unix seconds, at which the listing may be recommended, 0 for never. A person about whom
// nobody stated a basis for processing may not be recommended at all: that moment lies before all others.
func expiry(l *Listing) int64 {
	if l.LacksBasis() {
		return 1
	}
	if t, ok := l.Expires(); ok {
		return t.Unix()
	}
	return 0
}

// Facets that are one word.
const (
	ambassador = Facet("role:ambassador")
	full       = Facet("capacity:0") // takes on no more
)

// Facets returns what rules can ask of l, sorted.
func Facets(l *Listing) []Facet {
	out := []Facet{Facet("kind:" + l.Kind), OwnFacet(l)}
	for _, code := range l.Fields {
		for _, f := range glossary.FieldAncestors(code) {
			out = append(out, Facet("field:"+f))
		}
	}
	for _, code := range l.Regions {
		for _, r := range glossary.RegionAncestors(code) {
			out = append(out, Facet("region:"+r))
		}
	}
	for _, tag := range append([]string{l.Lang}, l.Languages...) {
		if tag != "" {
			out = append(out, Facet("language:"+tag))
		}
	}
	trl, ip := "-", "-"
	if l.Kind == Technology {
		trl, ip = "?", "?"
		if l.TRL > 0 {
			trl = strconv.Itoa(l.TRL)
		}
		if l.IPStatus != "" {
			ip = l.IPStatus
		}
	}
	out = append(out, Facet("trl:"+trl), Facet("ip:"+ip))
	if l.OrganisationType != "" {
		out = append(out, Facet("orgtype:"+l.OrganisationType))
	}
	if y := newest(l); y > 0 {
		out = append(out, Facet("newest:"+strconv.Itoa(y)))
	}
	if l.Ambassador {
		out = append(out, ambassador)
	}
	if l.Capacity != nil && *l.Capacity == 0 {
		out = append(out, full)
	}
	for _, name := range l.Conflicts {
		out = append(out, Facet("avoids:"+nameKey(name)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// OwnFacet is the facet that a listing shares with the others of its organisation, or with itself alone where it
// names none. Names are compared folded, without spaces and punctuation.
func OwnFacet(l *Listing) Facet {
	if l.Organisation == "" {
		return Facet("id:" + l.ID)
	}
	return Facet("own:" + nameKey(l.Organisation))
}

// nameKey is by what an organisation's name is compared.
func nameKey(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .,;:-–'\"()&/", r) {
			return -1
		}
		return r
	}, text.Fold(name))
}
