package text

import (
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// Languages are the five the engine speaks, as BCP-47 tags, in the order in which tables list them.
var Languages = []string{"vi", "fr", "en", "ko", "zh"}

// Detect returns the language of s as a BCP-47 tag, "" when nothing can be said, and whether that is safe to rely on.
// Scripts decide first: Hangul, kana, Han, then the letters only Vietnamese has; a trigram detector tells English
// from French. Vietnamese without accents shows by its syllables.
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
	if viet*20 >= latin { // one letter in twenty; real text has one in five
		return "vi", true
	}
	n := countWords(s)
	if n.words >= 2 && n.syllables == n.words && n.marked > 0 { // "giao thông thông minh": ô is French too, but not these
		return "vi", n.words >= 3
	}
	if n.words >= 3 && n.syllables*10 >= n.words*8 && (n.english+n.french)*4 < n.words {
		return "vi", n.words >= 8
	}
	switch { // grammar words settle it at once for all but short or mixed texts
	case n.english >= 4 && n.english >= 3*n.french:
		return "en", true
	case n.french >= 4 && n.french >= 3*n.english:
		return "fr", true
	}
	info := whatlanggo.DetectWithOptions(s, whatlanggo.Options{Whitelist: map[whatlanggo.Lang]bool{whatlanggo.Eng: true, whatlanggo.Fra: true}})
	switch info.Lang {
	case whatlanggo.Fra:
		return "fr", n.words >= 8
	case whatlanggo.Eng:
		return "en", n.words >= 8
	}
	return "", false
}

// wordCount is what the Latin words of a text look like.
type wordCount struct{ words, syllables, marked, english, french int }

// countWords looks at the first hundred words.
func countWords(s string) (n wordCount) {
	Scan(s, func(a *Atom) bool {
		if a.Script != Latin || len(a.Fold) < 2 {
			return true
		}
		n.words++
		if isSyllable(a.Fold) {
			n.syllables++
		}
		if a.Marked {
			n.marked++
		} else {
			if stopEnglish[string(a.Exact)] {
				n.english++
			}
			if stopFrench[string(a.Exact)] {
				n.french++
			}
		}
		return n.words < 100
	})
	return n
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
