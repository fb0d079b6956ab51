package record

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ORCID returns an ORCID iD as "0000-0002-1825-0097", from that or an address that ends in it. ok is false where the
// check digit (ISO 7064, 11-2) is not right.
func ORCID(s string) (id string, ok bool) {
	s = strings.TrimRight(strings.TrimSpace(s), "/")
	s = strings.ToUpper(s[strings.LastIndexAny(s, "/:")+1:])
	if len(s) != 19 {
		return "", false
	}
	sum := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case i%5 == 4:
			if c != '-' {
				return "", false
			}
		case c >= '0' && c <= '9' && i < 18:
			sum = (sum + int(c-'0')) * 2
		case i < 18:
			return "", false
		}
	}
	if s[18] != "0123456789X"[(12-sum%11)%11] {
		return "", false
	}
	return s, true
}

// maxDOI is in bytes; the longest known have about 200.
const maxDOI = 300

// DOI returns a DOI in lower case and bare, "10.5555/abc", from that, from "doi:…" or from an address at doi.org.
func DOI(s string) (doi string, ok bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if _, rest, web := strings.Cut(s, "doi.org/"); web {
		s = rest
		if plain, err := url.PathUnescape(s); err == nil {
			s = plain
		}
	}
	s = strings.TrimSpace(strings.TrimPrefix(s, "doi:"))
	prefix, suffix, slash := strings.Cut(s, "/")
	registrant, ten := strings.CutPrefix(prefix, "10.")
	if !utf8.ValidString(s) || !slash || !ten || suffix == "" || len(s) > maxDOI || len(registrant) < 4 ||
		strings.Trim(registrant, "0123456789.") != "" || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) {
		return "", false
	}
	return s, true
}

// Patent returns the number of a patent in one spelling: "EP 1 234 567-b1" as "EP1234567B1". It needs a digit.
func Patent(s string) (number string, ok bool) {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return unicode.ToUpper(r)
		case r == '/' || r == '.': // they tell the years of one office from the serials of another
			return r
		case unicode.IsSpace(r) || strings.ContainsRune(",-–:", r):
			return -1
		}
		return unicode.ReplacementChar
	}, strings.TrimSpace(s))
	if len(s) < 4 || len(s) > 40 || strings.ContainsRune(s, unicode.ReplacementChar) || !strings.ContainsAny(s, "0123456789") {
		return "", false
	}
	return s, true
}
