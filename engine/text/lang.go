package text

import (
	"strings"
	"unicode"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// Languages are the five the engine speaks, as BCP-47 tags, in the order in which tables list them.
var Languages = []string{"vi", "fr", "en", "ko", "zh"}

// Detect returns the language of s as a BCP-47 tag, "" when nothing can be said, and whether that is safe to rely on.
// Scripts decide first: Hangul, kana, Han, then the letters only Vietnamese has. Vietnamese without accents shows by its
// syllables; English and French are told apart by their words of grammar, and short texts by accents and endings.
// Trigrams would tell long texts apart as well, but take "aquaculture" for French and "nuoi tom" for anything.
func Detect(s string) (lang string, sure bool) {
	const enough = 1024 // bytes: the start of a text says as much as the whole
	if len(s) > enough {
		s = s[:enough]
	}
	var hangul, han, kana, latin, viet, other int
	for _, r := range s {
		switch {
		case r < 0x80:
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				latin++
			}
		case r >= 0xAC00 && r <= 0xD7A3:
			hangul++
		case r >= 0x3040 && r <= 0x30FF:
			kana++
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.Is(unicode.Latin, r):
			latin++
			if onlyVietnamese(r) {
				viet++
			}
		case unicode.IsLetter(r):
			other++
		}
	}
	// One Han or Hangul character carries about as much as three Latin letters.
	switch all := 3*(hangul+han+kana) + latin + other; {
	case all == 0:
		return "", false
	case 3*hangul*4 >= all:
		return "ko", true
	case 3*kana*10 >= all:
		return "ja", true
	case 3*han*4 >= all:
		return "zh", true
	case other*2 > all:
		return "", false
	}
	if viet*8 >= latin { // real text has one in five
		return "vi", true
	}
	n := countWords(s)
	if viet*20 >= latin && (n.english+n.french)*8 <= n.words { // with many names or loanwords; not an English text on Đắk Lắk
		return "vi", true
	}
	if n.words >= 2 && n.syllables == n.words && n.marked > 0 { // "giao thông thông minh": ô is French too, but not these
		return "vi", n.words >= 3 || viet > 0
	}
	if n.vietnamese() {
		return "vi", n.words >= 8 || viet > 0
	}
	plain := n.marked == 0 && n.viet == 0 && n.syllables*10 < n.words*8
	switch {
	case n.words == 0:
		return "", false
	case n.english > n.french:
		return "en", n.english >= 3*n.french && (n.english >= 4 || n.english >= 2 && plain)
	case n.french > n.english:
		return "fr", n.french >= 3*n.english && (n.french >= 4 || n.french >= 2 && n.viet == 0)
	case n.marked+n.frenchEnds > 0:
		return "fr", false
	}
	return "en", false
}

// wordCount is what the Latin words of a text look like.
type wordCount struct {
	words, marked         int // all, those with accents
	syllables, strict     int // those that may be a Vietnamese syllable, and hardly anything else
	english, french, viet int // words of grammar, those of Vietnamese without accents
	frenchEnds            int
}

// vietnamese reports whether a text that may lack its accents is Vietnamese: nearly all syllables, and more of its own words of
// grammar than of others; or a few syllables that could be nothing else.
func (n *wordCount) vietnamese() bool {
	others := n.english + n.french
	switch {
	case n.words < 2 || n.marked > 0 && n.syllables*10 < n.words*8:
		return false
	case n.strict == n.words && others == 0:
		return true
	case n.words >= 3 && n.syllables*10 >= n.words*8:
		return others*4 < n.words || n.viet > others
	}
	return n.syllables*10 >= n.words*6 && n.viet >= 2 && n.viet > 2*others
}

// clear reports whether more words would not change what the first ones say.
func (n *wordCount) clear() bool {
	return n.words >= 16 && n.viet == 0 && n.strict*2 < n.words && max(n.english, n.french) >= 4+3*min(n.english, n.french)
}

// countWords looks at the first hundred words, or fewer where they are clear.
func countWords(s string) (n wordCount) {
	Scan(s, func(a *Atom) bool {
		if a.Script != Latin {
			return true
		}
		if len(a.Fold) < 2 {
			if (a.Exact[0] == 'd' || a.Exact[0] == 'l') && (strings.HasPrefix(s[a.End:], "'") || strings.HasPrefix(s[a.End:], "’")) {
				n.french++ // "d'eau", "l'usine"
			}
			return true
		}
		n.words++
		if isSyllable(a.Fold) {
			n.syllables++
			if onlySyllable(a.Fold) {
				n.strict++
			}
		} else if string(a.Fold) == "dak" || string(a.Fold) == "lak" { // of Đắk Lắk
			n.syllables++
			n.strict++
		}
		if a.Marked {
			n.marked++
			return n.words < 100
		}
		switch in := grammar[string(a.Exact)]; {
		case in&(inEnglish|inFrench) == inEnglish|inFrench: // "on", "me"
		case in&inEnglish != 0:
			n.english++
		case in&inFrench != 0:
			n.french++
		case in != 0:
			n.viet++
		case n.english+n.french == 0 && endsFrench(a.Exact):
			n.frenchEnds++
		}
		return n.words < 100 && !n.clear()
	})
	return n
}

var frenchEnds = []string{"ique", "eur", "eux", "euse", "aire", "oire", "ette", "iere", "aux", "eau", "isme", "erie", "ielle", "uelle", "nelle", "issage"}

// endsFrench reports whether an unaccented word ends as French words do and English ones hardly ever.
func endsFrench(w []byte) bool {
	if w[len(w)-1] == 's' && !hasSuffix(w, "ries") {
		w = w[:len(w)-1]
	}
	if string(w) == "technique" || string(w) == "unique" || len(w) < 6 {
		return false
	}
	for _, end := range frenchEnds {
		if hasSuffix(w, end) {
			return true
		}
	}
	return false
}

// onlySyllable reports whether a syllable is none that only foreign words have: with a gliding vowel before a consonant
// ("rain", "coin").
func onlySyllable(w []byte) bool {
	n := len(w)
	for n > 0 && !isVowel(w[n-1]) {
		n--
	}
	if n == len(w) || n < 2 {
		return true
	}
	switch string(w[n-2 : n]) {
	case "ai", "ao", "au", "ay", "eo", "eu", "oi", "ui", "ue", "oo", "iu", "uy":
		return false
	}
	return true
}

// onlyVietnamese reports whether r is a letter that Vietnamese has and French has not.
func onlyVietnamese(r rune) bool {
	switch r {
	case 'đ', 'Đ', 'ơ', 'Ơ', 'ư', 'Ư', 'ă', 'Ă', 'ĩ', 'Ĩ', 'ũ', 'Ũ', 'ã', 'õ', 'ò', 'ó', 'ì', 'í', 'ú', 'ý':
		return true
	}
	return r >= 0x1EA0 && r <= 0x1EF9
}

// languageNames are what people write instead of a tag, folded.
var languageNames = map[string]string{
	"vietnamese": "vi", "tieng viet": "vi", "viet": "vi", "vietnamien": "vi", "vie": "vi", "베트남어": "vi", "越南语": "vi", "越南文": "vi",
	"french": "fr", "tieng phap": "fr", "francais": "fr", "fra": "fr", "fre": "fr", "프랑스어": "fr", "불어": "fr", "法语": "fr", "法文": "fr",
	"english": "en", "tieng anh": "en", "anglais": "en", "eng": "en", "영어": "en", "英语": "en", "英文": "en",
	"korean": "ko", "tieng han": "ko", "coreen": "ko", "kor": "ko", "한국어": "ko", "韩语": "ko", "韩文": "ko",
	"chinese": "zh", "tieng trung": "zh", "tieng hoa": "zh", "chinois": "zh", "zho": "zh", "chi": "zh", "중국어": "zh", "汉语": "zh", "中文": "zh", "华语": "zh",
}

// LanguageTag returns the BCP-47 tag that s stands for, its base language only ("vi-VN" -> "vi", "zh-Hant" -> "zh",
// "Tiếng Việt" -> "vi"), and false when s is neither a tag nor the name of one of the five languages.
func LanguageTag(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if tag, ok := languageNames[Fold(norm.NFC.String(s))]; ok {
		return tag, true
	}
	tag, err := language.Parse(s)
	if err != nil {
		return "", false
	}
	base, confidence := tag.Base()
	return base.String(), confidence == language.Exact
}

var readers = language.NewMatcher([]language.Tag{language.English, language.Vietnamese, language.French, language.Korean, language.Chinese})

// PreferredReader returns which of the five languages an Accept-Language header asks for, "" when it asks for none.
func PreferredReader(header string) string {
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(tags) == 0 {
		return ""
	}
	tag, _, confidence := readers.Match(tags...)
	if confidence == language.No {
		return ""
	}
	base, _ := tag.Base()
	return base.String()
}
