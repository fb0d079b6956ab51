package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sentences calls yield with the byte range of every sentence of s, outer white space left out. The ranges are in
// order, do not overlap and miss nothing but white space. It knows the marks of all five languages, and the
// abbreviations with a full stop that stand before names and numbers ("TP. Hồ Chí Minh", "Dr. Kim", "Fig. 2").
func Sentences(s string, yield func(start, end int)) {
	start := 0
	emit := func(end int) {
		piece := s[start:end]
		lead := len(piece) - len(strings.TrimLeftFunc(piece, unicode.IsSpace))
		if body := strings.TrimSpace(piece); body != "" {
			yield(start+lead, start+lead+len(body))
		}
		start = end
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch r {
		case '\n', '。', '！', '？', '；':
			emit(closing(s, i))
			i = start
		case '.', '!', '?', '…':
			end := closing(s, i)
			if end < len(s) && startsSentence(s[end:]) && (r != '.' || !abbreviation(s[start:i-1])) {
				emit(end)
			}
			i = end
		}
	}
	emit(len(s))
}

// closing moves past further marks and closing quotes or brackets that belong to the sentence ending at i.
func closing(s string, i int) int {
	for i < len(s) {
		if strings.HasPrefix(s[i:], " »") { // French sets its quotes off
			i++
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if !strings.ContainsRune(".!?…。！？\"'”’»)]）」』", r) {
			break
		}
		i += size
	}
	return i
}

// startsSentence reports whether rest, just behind a full stop, is white space and then something that opens a
// sentence: anything but a lower-case letter or closing punctuation.
func startsSentence(rest string) bool {
	trimmed := strings.TrimLeftFunc(rest, unicode.IsSpace)
	if len(trimmed) == len(rest) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(trimmed)
	return trimmed == "" || !unicode.IsLower(r) && !strings.ContainsRune(",;:)]»", r)
}

var abbreviations = set("tp", "gs", "pgs", "ts", "ths", "ks", "bs", "cn", "dr", "mr", "mrs", "ms", "prof", "m", "mm", "mme",
	"pr", "st", "no", "nr", "fig", "figs", "eq", "ref", "vol", "pp", "vs", "etc", "cf", "env", "art", "al", "e.g", "i.e", "inc", "ltd",
	"co", "corp", "approx", "dept", "u.s", "q", "p", "h", "tx", "tt", "sp", "spp", "var", "subsp")

// abbreviation reports whether the text before a full stop ends in a known abbreviation or a single capital.
func abbreviation(before string) bool {
	word := before[strings.LastIndexFunc(before, func(r rune) bool { return unicode.IsSpace(r) || r == '(' || r == '/' })+1:]
	if r, size := utf8.DecodeRuneInString(word); size == len(word) && unicode.IsUpper(r) {
		return true
	}
	return abbreviations[strings.ToLower(word)]
}
