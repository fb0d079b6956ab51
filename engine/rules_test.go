package engine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ketnoi/ketnoi/engine/glossary"
)

// allowsPlainly is an oracle for Filter.Allows, written from the documentation without facets.
func allowsPlainly(f *Filter, l *Listing, now time.Time) bool {
	within := func(have, want string) bool { return have == want || strings.HasPrefix(have, want+".") }
	any := func(want []string, ok func(string) bool) bool { return len(want) == 0 || slices.ContainsFunc(want, ok) }
	tech := l.Kind == Technology
	if t, ok := l.Expires(); ok && t.Unix() < now.Unix() {
		return false
	}
	if person := l.Person != "" || l.Kind == Expert && l.Organisation == ""; person && l.Basis == nil {
		return false
	}
	return any(f.Fields, func(w string) bool {
		return slices.ContainsFunc(l.Fields, func(h string) bool { return within(h, w) })
	}) && any(f.Regions, func(w string) bool {
		return slices.ContainsFunc(l.Regions, func(h string) bool { return slices.Contains(glossary.RegionAncestors(h), glossary.Canonical(w)) })
	}) && any(f.Languages, func(w string) bool { return l.Lang == w || slices.Contains(l.Languages, w) }) &&
		any(f.OrganisationTypes, func(w string) bool { return l.OrganisationType == w }) &&
		(f.Since == 0 || slices.ContainsFunc(l.Works, func(w Work) bool { return w.Year >= f.Since })) &&
		(!tech || len(f.IPStatus) == 0 || slices.Contains(f.IPStatus, l.IPStatus)) &&
		(!tech || f.TRLMin <= 1 && (f.TRLMax == 0 || f.TRLMax == 9) || l.TRL > 0 && l.TRL >= f.TRLMin && (f.TRLMax == 0 || l.TRL <= f.TRLMax))
}

func TestAllows(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	some := func(t *rapid.T, label string, values ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, 2, rapid.ID[string]).Draw(t, label)
	}
	rapid.Check(t, func(t *rapid.T) {
		l := &Listing{
			ID: "x", Kind: rapid.SampledFrom(Kinds).Draw(t, "kind"), Lang: rapid.SampledFrom([]string{"", "vi", "ko"}).Draw(t, "lang"),
			Fields: some(t, "fields", "2", "2.1", "2.10", "2.11", "4.1"), Regions: some(t, "regions", "VN", "VN-40", "VN-35", "VN-72", "VN-R4", "KR-26", "KR"),
			Languages: some(t, "languages", "vi", "fr", "ko"), TRL: rapid.IntRange(0, 9).Draw(t, "trl"), IPStatus: rapid.SampledFrom([]string{"", "open", "granted"}).Draw(t, "ip"),
			ExpiresAt: rapid.SampledFrom([]string{"", "2026-05-31", "2026-06-01", "2025-01-01"}).Draw(t, "expires"),
			Person:    rapid.SampledFrom([]string{"", "", "Lê An"}).Draw(t, "person"), Organisation: rapid.SampledFrom([]string{"", "Viện X"}).Draw(t, "organisation"),
		}
		l.OrganisationType = rapid.SampledFrom([]string{"", "university", "enterprise"}).Draw(t, "type")
		for _, y := range rapid.SliceOfN(rapid.IntRange(2010, 2026), 0, 2).Draw(t, "years") {
			l.Works = append(l.Works, Work{Title: "w", Year: y})
		}
		if rapid.Bool().Draw(t, "basis") {
			l.Basis = &Basis{Kind: "consent"}
		}
		f := &Filter{
			Fields: some(t, "f.fields", "2", "2.1", "2.11", "4"), Regions: some(t, "f.regions", "VN", "VN-35", "VN-40", "VN-R4", "KR"), Languages: some(t, "f.languages", "vi", "fr"),
			TRLMin: rapid.IntRange(0, 9).Draw(t, "min"), IPStatus: some(t, "f.ip", "open", "granted"),
		}
		f.OrganisationTypes, f.Since = some(t, "f.type", "university", "institute"), rapid.SampledFrom([]int{0, 0, 2015, 2026}).Draw(t, "since")
		f.TRLMax = rapid.SampledFrom([]int{0, 9, max(f.TRLMin, 5)}).Draw(t, "max")
		if got, want := f.Allows(l, now), allowsPlainly(f, l, now); got != want {
			t.Fatalf("Allows = %v, want %v; %+v on %+v", got, want, f, l)
		}
	})
}

func TestOldProvincesAreFound(t *testing.T) {
	now := time.Now()
	for _, tc := range []struct {
		filter, listing string
		want            bool
	}{
		{"VN-35", "VN-40", true}, {"VN-40", "VN-35", true}, {"VN-40", "VN-72", true}, {"VN-35", "VN-33", false},
		{"VN-SG", "VN-43", true}, {"VN-SG", "VN-57", true}, {"VN-R6", "VN-52", true}, {"VN", "VN-52", true}, {"VN-52", "VN", false},
	} {
		f := Filter{Regions: []string{tc.filter}}
		if got := f.Allows(&Listing{Kind: Problem, Regions: []string{tc.listing}}, now); got != tc.want {
			t.Errorf("a filter on %s lets %s through: %v, want %v", tc.filter, tc.listing, got, tc.want)
		}
	}
}

func TestOwnFacet(t *testing.T) {
	same := []string{"Công ty TNHH Sao Biển", "CONG TY TNHH SAO BIEN", "Công ty TNHH Sao-Biển."}
	for _, name := range same[1:] {
		if OwnFacet(&Listing{Organisation: name}) != OwnFacet(&Listing{Organisation: same[0]}) {
			t.Errorf("%q and %q are two organisations", name, same[0])
		}
	}
	if OwnFacet(&Listing{ID: "a"}) == OwnFacet(&Listing{ID: "b"}) {
		t.Error("two listings without an organisation share one")
	}
}
