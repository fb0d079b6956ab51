package twins

import (
	"strings"
	"testing"
)

func TestNumbers(t *testing.T) {
	orcid := func(s string) string { v, ok := ORCID(s); return keep(v, ok) }
	doi := func(s string) string { v, ok := DOI(s); return keep(v, ok) }
	patent := func(s string) string { v, kind, ok := Patent(s); return keep(strings.TrimSpace(v+" "+kind), ok) }
	email := func(s string) string { v, ok := Email(s); return keep(v, ok) }
	page := func(s string) string {
		v, site, ok := Page(s)
		if site {
			v = "site " + v
		}
		return keep(v, ok)
	}
	for _, tc := range []struct {
		name    string
		read    func(string) string
		in, out string
	}{
		{"orcid", orcid, "0000-0002-1825-0097", "0000-0002-1825-0097"},
		{"orcid", orcid, " https://orcid.org/0000-0002-1694-233x/ ", "0000-0002-1694-233X"},
		{"orcid", orcid, "orcid: 0000000218250097", "0000-0002-1825-0097"},
		{"orcid", orcid, "0009-0000-0000-0001", "-"}, // check digit
		{"orcid", orcid, "0000-0002-1825-0098", "-"}, // check digit
		{"orcid", orcid, "4111-1111-1111-1111", "-"}, // of no block of theirs
		{"orcid", orcid, "0000-0002-1825-00970", "-"},
		{"orcid", orcid, "", "-"},
		{"doi", doi, "10.1000/ABC.def", "10.1000/abc.def"},
		{"doi", doi, "https://doi.org/10.1016/S0140-6736(20)30183-5", "10.1016/s0140-6736(20)30183-5"},
		{"doi", doi, "http://dx.doi.org/10.1000%2F182?x=1#y", "10.1000/182"},
		{"doi", doi, "doi: 10.1000/182).", "10.1000/182"},
		{"doi", doi, "10.1000", "-"},
		{"doi", doi, "10.1000/a b", "-"},
		{"doi", doi, "see 10.1000/182", "-"},
		{"patent", patent, "US 9,876,543 B2", "US9876543 B2"},
		{"patent", patent, "us9876543", "US9876543"},
		{"patent", patent, "U.S. Patent No. 9,876,543", "US9876543"},
		{"patent", patent, "US 2016/0012345 A1", "US20160012345 A1"},
		{"patent", patent, "US D123,456 S", "USD123456 S"},
		{"patent", patent, "VN 1-0012345", "VN10012345"},
		{"patent", patent, "KR10-1234567", "KR101234567"},
		{"patent", patent, "KR 10-1234567 B1", "KR101234567 B1"},
		{"patent", patent, "CN 101234567 A", "CN101234567 A"},
		{"patent", patent, "ZL 2015 1 0123456.7", "CN2015101234567"},
		{"patent", patent, "EP 123 456 A1", "EP0123456 A1"},
		{"patent", patent, "WO 2015/123456 A1", "WO2015123456 A1"},
		{"patent", patent, "9,876,543", "-"},
		{"patent", patent, "QQ 9,876,543", "-"},
		{"patent", patent, "US 12", "-"},
		{"email", email, " Mailto:An.Nguyen@Example.VN ", "an.nguyen@example.vn"},
		{"email", email, "info@example.vn", "-"}, // many read it
		{"email", email, "an at example.vn", "-"},
		{"page", page, "https://www.Example.org/staff/an/?utm_source=x&hl=en#top", "example.org/staff/an"},
		{"page", page, "http://example.org:80/staff/an", "example.org/staff/an"},
		{"page", page, "https://scholar.example/citations?user=A1&hl=vi", "scholar.example/citations?user=A1"},
		{"page", page, "https://example.org/index.html", "site example.org"},
		{"page", page, "mailto:an@example.org", "-"},
		{"page", page, "https://", "-"},
	} {
		if got := tc.read(tc.in); got != tc.out {
			t.Errorf("%s %q: got %q, want %q", tc.name, tc.in, got, tc.out)
		}
	}
}

func keep(v string, ok bool) string {
	if !ok {
		return "-"
	}
	return v
}

// FuzzNumbers reads anything, and what was read again.
func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"0000-0002-1825-0097", "https://doi.org/10.1000%2F182%252e", "10.1000/182).", "US 9,876,543 B2", "ZL 2015 1 0123456.7",
		"EP 123456", "mailto:mailto:a@b.vn", "http://[::1]:8080/x?%zz", "doi:doi:10.1/x", "\xff\xfe", "ORCID.ORG/ORCID.ORG/0000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, ok := ORCID(s); ok {
			if again, ok := ORCID(v); !ok || again != v || len(v) != 19 {
				t.Errorf("ORCID %q: %q, again %q %v", s, v, again, ok)
			}
		}
		if v, ok := DOI(s); ok {
			if again, ok := DOI(v); !ok || again != v || !strings.HasPrefix(v, "10.") {
				t.Errorf("DOI %q: %q, again %q %v", s, v, again, ok)
			}
		}
		if v, kind, ok := Patent(s); ok {
			if again, k, ok := Patent(v + kind); !ok || again != v || k != kind {
				t.Errorf("Patent %q: %q %q, again %q %q %v", s, v, kind, again, k, ok)
			}
		}
		if v, ok := Email(s); ok && (strings.ToLower(v) != v || strings.Count(v, "@") != 1) {
			t.Errorf("Email %q: %q", s, v)
		}
		if v, _, ok := Page(s); ok {
			if again, _, ok := Page("https://" + v); !ok || again != v {
				t.Errorf("Page %q: %q, again %q %v", s, v, again, ok)
			}
		}
		readNames(s)
		firmKey(s)
		isFirm(s)
		titleKey(s)
	})
}
