package twins

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ketnoi/ketnoi/engine/text"
)

var (
	// legalForms say what kind of body it is, not which; folded.
	legalForms = set(`inc incorporated corp corporation co company ltd limited llc llp lp plc pllc pc gmbh ag kg sarl sas sasu sa bv nv oy ab
		spa srl pty pte bhd sdn jsc cp tnhh mtv`)
	legalPhrases = []string{"cong ty co phan", "cong ty tnhh mot thanh vien", "cong ty tnhh mtv", "cong ty trach nhiem huu han", "cong ty tnhh",
		"cong ty cp", "cong ty", "ctcp", "cty", "tap doan", "doanh nghiep tu nhan"}
	legalEast = []string{"주식회사", "유한회사", "(주)", "㈜", "(유)", "股份有限公司", "有限责任公司", "有限公司", "集团"}
	// bodies are words by which a line is known for the name of an organisation; folded.
	bodies = set(`company technologies technology systems laboratory laboratories labs research institute university college center centre
		engineering consulting solutions associates group industries sciences instruments software international enterprises foundation
		vien truong universite institut laboratoire societe entreprise ecole`)
	bodiesEast = []string{"회사", "대학", "연구원", "연구소", "공사", "公司", "大学", "研究院", "研究所", "集团"}
)

// shortForms are words of organisations' names that are often cut short.
var shortForms = map[string]string{"assoc": "associates", "labs": "laboratories", "lab": "laboratories",
	"laboratory": "laboratories", "intl": "international", "univ": "university", "dh": "daihoc", "inst": "institute", "eng": "engineering"}

// firmWords are the words of an organisation's name, folded, without its legal form. legal reports that it had one.
func firmWords(s string) (words []string, legal bool) {
	for _, form := range legalEast {
		if strings.Contains(s, form) {
			s, legal = strings.ReplaceAll(s, form, " "), true
		}
	}
	s, _ = cutAny(s, "(（[") // a former name, a place, a remark
	s = strings.ReplaceAll(text.Fold(s), "&", " and ")
	s = strings.Map(func(r rune) rune { // "G.S. Engineering" is "GS Engineering"
		if strings.ContainsRune(".'’-‐", r) {
			return -1
		}
		return r
	}, s)
	words = strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) })
	for _, phrase := range legalPhrases {
		if form := strings.Fields(phrase); len(words) > len(form) && slices.Equal(words[:len(form)], form) {
			words, legal = words[len(form):], true
			break
		}
	}
	if len(words) > 1 && words[0] == "the" {
		words = words[1:]
	}
	for len(words) > 1 && legalForms[words[len(words)-1]] { // not before: "SA Photonics" is no société anonyme
		words, legal = words[:len(words)-1], true
	}
	for i, w := range words {
		if long := shortForms[w]; long != "" {
			words[i] = long
		}
	}
	return words, legal
}

// firmKey is the name of an organisation as one word, and "" where it says too little.
func firmKey(s string) string {
	words, _ := firmWords(s)
	key := strings.Join(words, "")
	if len(key) < 4 || len(key) > maxNumber {
		return ""
	}
	return key
}

// isFirm reports whether the title of an expert is the name of an organisation: it has a legal form, a word such as
// "institute", a digit, or is one word of Latin letters.
func isFirm(title string) bool {
	words, legal := firmWords(head(title))
	if legal || strings.ContainsFunc(title, unicode.IsDigit) || len(words) == 1 && scriptOf(title) == latin {
		return true
	}
	return slices.ContainsFunc(words, func(w string) bool { return bodies[w] }) ||
		slices.ContainsFunc(bodiesEast, func(b string) bool { return strings.Contains(title, b) })
}

// plainTitle is a title as its words, folded.
func plainTitle(s string) string {
	return strings.Join(strings.FieldsFunc(text.Fold(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) }), " ")
}

// titleKey is the title of a technology, a problem or a work as its words, and "" where it says too little: less than
// three words, or eight characters of a script without spaces.
func titleKey(s string) string {
	key := plainTitle(s)
	if strings.Count(key, " ") < 2 && (scriptOf(s) == latin || utf8.RuneCountInString(key) < 8) || len(key) > 1000 {
		return ""
	}
	return key
}

// numerals are the words of a title that number one of several: "Phase II", "Model 300".
func numerals(title string) (out []string) {
	for _, w := range strings.FieldsFunc(text.Fold(title), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if strings.ContainsFunc(w, unicode.IsDigit) || w == "ii" || w == "iii" || w == "iv" || w == "i" {
			out = append(out, w)
		}
	}
	return out
}
