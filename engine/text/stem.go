package text

import "strings"

// stem shortens a folded Latin word in place and returns it. singular has gone before; stem takes off the commonest
// endings of English and French, so that "sensors" and "sensor", "drying" and "dry", "séchée" and "séché", "industries",
// "industry" and "industrie" meet. It is light on purpose: what it merges wrongly cannot be told apart again.
//
// One stemmer serves all languages, because the language of a short query is a guess. No rule can touch a
// Vietnamese syllable: none ends in s, x, -ing or -ed, none of five or more letters ends in e, and none ends in a
// consonant followed by y with five or more letters (TestStemLeavesVietnamese checks this on real text).
func stem(w []byte) []byte {
	if len(w) < 4 || !isWord(w) {
		return w
	}
	switch {
	case hasSuffix(w, "ing") && len(w) >= 6 && hasVowel(w[:len(w)-3]):
		w = undouble(w[:len(w)-3])
	case hasSuffix(w, "ed") && len(w) >= 5 && !hasSuffix(w, "eed") && hasVowel(w[:len(w)-2]):
		w = undouble(w[:len(w)-2])
	case hasSuffix(w, "ee") && len(w) >= 6:
		w = w[:len(w)-2]
	}
	if len(w) >= 5 && w[len(w)-1] == 'e' {
		w = w[:len(w)-1]
	}
	if n := len(w); n >= 5 && w[n-1] == 'y' && !isVowel(w[n-2]) {
		w[n-1] = 'i'
	}
	return w
}

// singular takes the plural off a folded Latin word in place.
func singular(w []byte) []byte {
	n := len(w)
	switch {
	case n < 4 || !isWord(w):
		return w
	case w[n-1] == 'x' && n >= 5 && (hasSuffix(w, "eaux") || hasSuffix(w, "eux") || hasSuffix(w, "oux")):
		return w[:n-1]
	case hasSuffix(w, "aux") && n >= 5: // signaux, signal
		w[n-2] = 'l'
		return w[:n-1]
	case w[n-1] != 's' || hasSuffix(w, "ss") || hasSuffix(w, "us") || hasSuffix(w, "is"):
		return w
	case hasSuffix(w, "ies") && n >= 5:
		w[n-3] = 'y'
		return w[:n-2]
	case n >= 5 && (hasSuffix(w, "sses") || hasSuffix(w, "ches") || hasSuffix(w, "shes") || hasSuffix(w, "xes") || hasSuffix(w, "zes")):
		return w[:n-2]
	case hasSuffix(w, "oes") && n >= 6: // tomatoes, not shoes
		return w[:n-2]
	}
	return w[:n-1]
}

// even writes the ends of a singular as one that English and French plurals leave differently, in place: "scorie" as
// "scory" like "scories", "drêche" as "drêch" like "drêches", and "larvae" as "larva".
func even(w []byte) []byte {
	n := len(w)
	switch {
	case n < 5 || w[n-1] != 'e':
		return w
	case w[n-2] == 'i':
		w[n-2] = 'y'
		return w[:n-1]
	case w[n-2] == 'a' || w[n-2] == 'x' || w[n-2] == 'z' || hasSuffix(w, "che") || hasSuffix(w, "she") || hasSuffix(w, "sse"):
		return w[:n-1]
	}
	return w
}

// undouble turns "plann" into "plan"; "coat" stays, and so does "fill".
func undouble(w []byte) []byte {
	n := len(w)
	if n >= 4 && w[n-1] == w[n-2] && !isVowel(w[n-1]) && w[n-1] != 'l' && w[n-1] != 's' && w[n-1] != 'z' {
		return w[:n-1]
	}
	return w
}

func hasSuffix(w []byte, s string) bool {
	return len(w) >= len(s) && string(w[len(w)-len(s):]) == s
}

func isVowel(c byte) bool {
	return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y'
}

func hasVowel(w []byte) bool {
	for _, c := range w {
		if isVowel(c) {
			return true
		}
	}
	return false
}

// isWord reports whether w is made of the letters a to z only; codes such as "iso9001s" are not stemmed.
func isWord(w []byte) bool {
	for _, c := range w {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// isSyllable reports whether the folded word w could be one Vietnamese syllable: onset, vowels, coda. Two such
// neighbours make a pair term, because in Vietnamese it is the pair that is a word ("nước mắm", fish sauce).
func isSyllable(w []byte) bool {
	if len(w) > 7 {
		return false
	}
	i := 0
	for i < len(w) && !isVowel(w[i]) {
		i++
	}
	if i > 3 || i == len(w) || !onsets[string(w[:i])] {
		return false
	}
	if i == 1 && w[0] == 'g' && w[1] == 'i' && len(w) > 2 && isVowel(w[2]) {
		i = 2 // in "giống" the i belongs to the onset
	}
	j := i
	for j < len(w) && isVowel(w[j]) {
		j++
	}
	return nuclei[string(w[i:j])] && codas[string(w[j:])]
}

// IsSyllable reports whether an index term stands for one Vietnamese syllable, in its folded or its exact form.
func IsSyllable(term string) bool {
	return strings.HasPrefix(term, "=") || isSyllable([]byte(term))
}

// The parts of a Vietnamese syllable once accents are folded.
var (
	onsets = set("", "b", "c", "ch", "d", "g", "gh", "h", "k", "kh", "l", "m", "n", "ng", "ngh", "nh", "p", "ph", "q", "r", "s", "t", "th", "tr", "v", "x")
	nuclei = set("a", "e", "i", "o", "u", "y", "ai", "ao", "au", "ay", "eo", "eu", "ia", "ie", "ieu", "iu", "oa", "oai", "oao", "oay", "oe", "oeo", "oi", "oo",
		"ua", "uai", "uao", "uau", "uay", "ue", "ui", "uo", "uoi", "uou", "uu", "uy", "uya", "uye", "uyu", "ye", "yeu")
	codas = set("", "c", "ch", "m", "n", "ng", "nh", "p", "t")
)

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}
