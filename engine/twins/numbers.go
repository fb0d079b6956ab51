package twins

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// maxNumber is the length in bytes beyond which nothing is an identifier.
const maxNumber = 300

var orcidShape = regexp.MustCompile(`^(\d{4})-?(\d{4})-?(\d{4})-?(\d{3}[\dX])$`)

// ORCID returns the ORCID iD that s is, bare or as an address, in the form 0000-0002-1825-0097, and false where it is
// none: its check digit is wrong, or it is none of the blocks that were set aside for ORCID.
func ORCID(s string) (string, bool) {
	if len(s) > maxNumber {
		return "", false
	}
	s = strings.ToUpper(strings.TrimSpace(s))
	if _, after, found := strings.Cut(s, "ORCID.ORG/"); found {
		s = strings.TrimRight(after, "/")
	}
	s = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(s, "ORCID"), ":"))
	m := orcidShape.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	digits := strings.Join(m[1:], "")
	old := digits >= "0000000150000007" && digits <= "0000000350000001"
	later := digits >= "0009000000000000" && digits < "0009001100000000"
	if !old && !later {
		return "", false
	}
	sum := 0
	for _, d := range digits[:15] {
		sum = (sum + int(d-'0')) * 2
	}
	if check := "10X98765432"[sum%11]; check != digits[15] {
		return "", false
	}
	return strings.Join(m[1:], "-"), true
}

var doiShape = regexp.MustCompile(`^10\.\d{4,9}(?:\.\d+)*/[^\s\pC]+$`)

// DOI returns the DOI that s is, bare, with "doi:" before it or as an address, in lower case: DOIs that differ in case
// are one.
func DOI(s string) (string, bool) {
	if len(s) > maxNumber {
		return "", false
	}
	s = strings.ToLower(strings.TrimSpace(s))
	if _, after, found := strings.Cut(s, "doi.org/"); found {
		after, _, _ = strings.Cut(after, "?")
		after, _, _ = strings.Cut(after, "#")
		plain, err := url.PathUnescape(after)
		if err != nil {
			return "", false
		}
		s = strings.ToLower(plain)
	}
	s = strings.TrimSpace(strings.TrimPrefix(s, "doi:"))
	s = strings.TrimRight(s, ".,;:/")
	for strings.HasSuffix(s, ")") && strings.Count(s, ")") > strings.Count(s, "(") { // of a sentence around it
		s = strings.TrimRight(s[:len(s)-1], ".,;:/")
	}
	return s, doiShape.MatchString(s)
}

// offices are the patent offices whose numbers are read: two letters and digits may be much else, such as a postcode.
const offices = "US|EP|WO|VN|KR|CN|JP|FR|DE|GB|TW|HK|CA|AU|NZ|IN|RU|SG|TH|MY|ID|PH|LA|KH|BR|MX|CH|IT|ES|NL|SE|FI|DK|NO|AT|BE|PL|CZ|IL|ZA|EA"

var (
	patentShape = regexp.MustCompile(`^(` + offices + `)(D|RE|PP|H)?(\d{5,13})([A-Z]\d?)?$`)
	patentWords = strings.NewReplacer("PATENT", "", "NO.", "", "Nº", "", "№", "", "#", "", "ZL", "CN")
	patentMarks = strings.NewReplacer(" ", "", "\t", "", "\n", "", "\u00A0", "", ".", "", ",", "", "-", "", "/", "", "–", "", "'", "", ":", "")
)

// Patent returns the patent number that s is, as the office's code and the number, and the kind code behind it where it
// has one: "US 9,876,543 B2" is "US9876543" and "B2". Numbers without an office are none.
func Patent(s string) (number, kind string, ok bool) {
	if len(s) > maxNumber {
		return "", "", false
	}
	m := patentShape.FindStringSubmatch(patentMarks.Replace(patentWords.Replace(strings.ToUpper(s))))
	if m == nil {
		return "", "", false
	}
	digits := m[3]
	if m[1] == "EP" && len(digits) < 7 {
		digits = strings.Repeat("0", 7-len(digits)) + digits
	}
	return m[1] + m[2] + digits, m[4], true
}

var (
	emailShape = regexp.MustCompile(`^[a-z0-9._%+-]{1,64}@[a-z0-9][a-z0-9.-]{0,200}\.[a-z]{2,24}$`)
	emailIn    = regexp.MustCompile(`(?i)[a-z0-9._%+-]{1,64}@[a-z0-9][a-z0-9.-]{0,200}\.[a-z]{2,24}`)
	// roles are mailboxes that many read.
	roles = []string{"info", "contact", "contacts", "office", "admin", "sales", "mail", "email", "hello", "support", "webmaster",
		"secretariat", "lienhe", "vanthu", "hanhchinh", "noreply", "no-reply", "post", "service", "enquiries", "inquiry", "help"}
)

// Email returns the address of a person's mailbox that s is, in lower case; mailboxes that many read are none.
func Email(s string) (string, bool) {
	if len(s) > maxNumber {
		return "", false
	}
	s = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "mailto:")
	box, _, _ := strings.Cut(s, "@")
	return s, emailShape.MatchString(s) && !slices.Contains(roles, box)
}

// Page returns a web address without what does not change the page: scheme, "www.", language, tracking, fragment. site
// reports that it is the front page of a site.
func Page(s string) (page string, site, ok bool) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || len(s) > 2000 {
		return "", false, false
	}
	host := strings.TrimPrefix(strings.ToLower(u.Host), "www.")
	host = strings.TrimSuffix(strings.TrimSuffix(host, ":80"), ":443")
	path := strings.TrimRight(u.EscapedPath(), "/")
	for _, index := range []string{"/index.html", "/index.htm", "/index.php", "/default.aspx"} {
		path = strings.TrimSuffix(path, index)
	}
	q := u.Query()
	for key := range q {
		if strings.HasPrefix(key, "utm_") || slices.Contains([]string{"hl", "lang", "locale", "fbclid", "gclid"}, key) {
			q.Del(key)
		}
	}
	page = host + path
	if query := q.Encode(); query != "" {
		page += "?" + query
	}
	return page, page == host, true
}
