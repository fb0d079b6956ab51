package twins

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/ketnoi/ketnoi/engine/text"
)

// name is a person's name, comparable whatever the order of its words, its titles and its accents.
type name struct {
	script script
	words  []string // folded, in order of the alphabet; Hangul and Han: one, all characters
	exact  string   // the same words with their accents, tone marks behind each; of a Latin name with accents only
}

type script uint8

const (
	latin script = iota + 1
	hangul
	han
)

// titlesBefore are what stands before a name and is none of it, folded; titlesAfter what may stand behind one.
var (
	titlesBefore = set(`ts tskh pgs gs gsts pgsts ths ks kts bs cn ncs dr drs prof professor professeur associate assoc assistant asst adjunct
		emeritus mr mrs ms miss mme mlle m monsieur madame mademoiselle docteur pr ing ir`)
	titlesAfter = set(`phd dphil md msc mba meng beng bsc dsc scd hdr jr sr`)
)

// titlesSpelled are titles of several words, which one by one are syllables of Vietnamese names.
var titlesSpelled = []string{"pho giao su", "giao su", "tien si khoa hoc", "tien si", "thac si", "ky su", "bac si", "nha khoa hoc"}

// titlesEast stand behind a Korean or Chinese name, the longest first.
var titlesEast = []string{"책임연구원", "선임연구원", "명예교수", "석좌교수", "부교수", "조교수", "정교수", "연구원", "교수님", "박사님", "선생님", "교수", "박사", "님",
	"高级工程师", "特聘教授", "副研究员", "研究员", "副教授", "教授", "博士", "院士", "先生", "女士", "老师", "工程师"}

func set(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

// readNames reads the names that a line gives: one, and another in brackets if it is of another script, as in
// "김민수 (Kim Min-su)". What is no name gives none.
func readNames(line string) (out []name) {
	line = head(line)
	main, rest := cutAny(line, "(（[")
	if n, ok := readName(main); ok {
		out = append(out, n)
	}
	alias, _ := cutAny(rest, ")）]")
	if n, ok := readName(alias); ok && len(out) > 0 && n.script != out[0].script {
		out = append(out, n)
	}
	return out
}

// head cuts off what stands behind a name in a title: "TS. Lê An – bệnh cây".
func head(line string) string {
	for _, mark := range []string{" – ", " — ", " - ", " | ", "|", " · ", ";", ": ", "："} {
		line, _, _ = strings.Cut(line, mark)
	}
	return line
}

// cutAny cuts s around the first of some marks.
func cutAny(s, marks string) (before, after string) {
	i := strings.IndexAny(s, marks)
	if i < 0 {
		return s, ""
	}
	_, size := utf8.DecodeRuneInString(s[i:])
	return s[:i], s[i+size:]
}

// maxNameWords is how many words a name may have; more are a sentence.
const maxNameWords = 7

func readName(s string) (n name, ok bool) {
	if len(s) > maxNumber {
		return n, false
	}
	s = norm.NFC.String(s)
	switch n.script = scriptOf(s); n.script {
	case latin:
		return latinName(s)
	case hangul, han:
		return eastName(n.script, s)
	}
	return n, false
}

// scriptOf returns the script of most letters, so that "김민수 PhD" is Korean.
func scriptOf(s string) script {
	var counts [4]int
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Hangul, r):
			counts[hangul] += 3
		case unicode.Is(unicode.Han, r):
			counts[han] += 3
		case unicode.Is(unicode.Latin, r):
			counts[latin]++
		}
	}
	best := script(0)
	for c := latin; c <= han; c++ {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// eastName joins the characters of a Korean or Chinese name: two to six, without titles.
func eastName(of script, s string) (n name, ok bool) {
	var b strings.Builder
	for i, word := range strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",，、·・.", r) }) {
		if scriptOf(word) != of || i > maxNameWords {
			continue
		}
		if slices.Contains(titlesEast, word) {
			continue
		}
		b.WriteString(word)
	}
	joined := b.String()
	for cut := true; cut; {
		cut = false
		for _, t := range titlesEast {
			if rest, found := strings.CutSuffix(joined, t); found && len([]rune(rest)) >= 2 {
				joined, cut = rest, true
			}
		}
	}
	if c := len([]rune(joined)); c < 2 || c > 6 || of == hangul && c > 5 {
		return n, false
	}
	return name{script: of, words: []string{joined}}, true
}

type namePart struct{ fold, exact string }

func latinName(s string) (n name, ok bool) {
	// "Nguyễn, Văn An" is a name in two parts; behind any other comma stands something else, such as a degree.
	var parts []namePart
	for piece := range strings.SplitSeq(s, ",") {
		if len(parts) < 2 && !isTitle(piece) {
			parts = append(parts, nameParts(piece)...)
		}
	}
	if len(parts) < 2 || len(parts) > maxNameWords || !slices.ContainsFunc(parts, func(p namePart) bool { return len(p.fold) > 1 }) {
		return n, false
	}
	slices.SortFunc(parts, func(a, b namePart) int { return strings.Compare(a.fold+"\x00"+a.exact, b.fold+"\x00"+b.exact) })
	n.script = latin
	var exact []string
	marked := false
	for _, p := range parts {
		n.words = append(n.words, p.fold)
		exact = append(exact, p.exact)
		marked = marked || p.exact != p.fold
	}
	if marked {
		n.exact = strings.Join(exact, " ")
	}
	return n, true
}

func isTitle(s string) bool {
	s = strings.TrimSpace(text.Fold(s))
	return titlesAfter[strings.ReplaceAll(s, ".", "")] || slices.Contains(titlesSpelled, s)
}

// nameParts are the words of a name without titles.
func nameParts(s string) []namePart {
	var parts []namePart
	for _, word := range strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && !strings.ContainsRune("-'’‐", r)
	}) {
		word = strings.Map(func(r rune) rune {
			if strings.ContainsRune("-'’‐", r) {
				return -1
			}
			return r
		}, word)
		if fold := text.Fold(word); fold != "" {
			parts = append(parts, namePart{fold, tonesLast(word)})
		}
	}
	for cut := true; cut; {
		cut = false
		for _, t := range titlesSpelled {
			words := strings.Fields(t)
			if len(parts) >= len(words)+2 && slices.EqualFunc(parts[:len(words)], words, func(p namePart, w string) bool { return p.fold == w }) {
				parts, cut = parts[len(words):], true
			}
		}
		for len(parts) > 0 && titlesBefore[parts[0].fold] {
			parts, cut = parts[1:], true
		}
		for len(parts) > 2 && titlesAfter[parts[len(parts)-1].fold] {
			parts, cut = parts[:len(parts)-1], true
		}
	}
	return parts
}

// tonesLast is a word in lower case with its tone mark behind it, so that "hoà" and "hòa" are one.
func tonesLast(word string) string {
	var letters, tones []rune
	for _, r := range norm.NFD.String(strings.ToLower(word)) {
		switch r {
		case 0x300, 0x301, 0x303, 0x309, 0x323:
			tones = append(tones, r)
		default:
			letters = append(letters, r)
		}
	}
	return norm.NFC.String(string(letters)) + string(tones)
}

// likeness is what two names say about two listings.
type likeness uint8

const (
	unsure likeness = iota // other scripts, initials, parts of a name: nothing can be said
	same
	other
)

// compareNames compares the names of two listings; the best pair of them counts.
func compareNames(a, b []name) likeness {
	result := unsure
	for i := range a {
		for j := range b {
			switch compareName(&a[i], &b[j]) {
			case same:
				return same
			case other:
				result = other
			}
		}
	}
	return result
}

func compareName(a, b *name) likeness {
	switch {
	case a.script != b.script:
		return unsure
	case slices.Equal(a.words, b.words):
		if a.exact != "" && b.exact != "" && a.exact != b.exact {
			return other // An is not Ân where both are written with accents
		}
		return same
	case a.script == latin && (initials(a) || initials(b) || within(a.words, b.words) || within(b.words, a.words)):
		return unsure
	}
	return other
}

func initials(n *name) bool {
	return slices.ContainsFunc(n.words, func(w string) bool { return len(w) == 1 })
}

// within reports whether every word of a name is in another.
func within(a, b []string) bool {
	return !slices.ContainsFunc(a, func(w string) bool { return !slices.Contains(b, w) })
}
