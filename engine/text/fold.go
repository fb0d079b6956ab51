package text

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Script is the way a run of characters forms words.
type Script uint8

// The scripts told apart. Latin stands for every script that writes words with spaces between them (Cyrillic,
// Greek, digits, …); Han for those without spaces (Thai, Khmer, kana too); Hangul for Korean words with particles.
const (
	None Script = iota
	Latin
	Han
	Hangul
)

// tone marks of Vietnamese as combining characters: grave, acute, tilde, hook above, dot below. They are also the
// accents of French that French readers leave out first.
const (
	grave, acute, tilde, hook, dot = 0x300, 0x301, 0x303, 0x309, 0x323
)

func isTone(r rune) bool {
	return r == grave || r == acute || r == tilde || r == hook || r == dot
}

// letter is what the tokenizer needs to know about one character of the Latin blocks.
type letter struct {
	fold string // lower case, without any mark: "ậ" -> "a", "đ" -> "d", "œ" -> "oe"
	base string // lower case, NFC, without the tone mark: "ậ" -> "â", "ế" -> "ê"
	tone rune   // the tone mark, or 0
}

// latinLetters covers U+00C0 to U+024F and U+1E00 to U+1EFF, the blocks that hold all of Vietnamese and French.
var latinLetters = func() map[rune]letter {
	irregular := map[rune]string{'đ': "d", 'ð': "d", 'ø': "o", 'ł': "l", 'ß': "ss", 'æ': "ae", 'œ': "oe", 'ı': "i", 'þ': "th", 'ħ': "h", 'ŋ': "ng"}
	m := make(map[rune]letter, 700)
	add := func(lo, hi rune) {
		for r := lo; r <= hi; r++ {
			if !unicode.IsLetter(r) {
				continue
			}
			low := unicode.ToLower(r)
			if low == 'i' { // U+0130 lowers to a plain i
				m[r] = letter{fold: "i", base: "i"}
				continue
			}
			var l letter
			var base []rune
			for _, d := range norm.NFD.String(string(low)) {
				switch {
				case isTone(d) && l.tone == 0:
					l.tone = d
				case unicode.Is(unicode.Mn, d):
					base = append(base, d)
				default:
					base = append(base, d)
					if f, ok := irregular[d]; ok {
						l.fold += f
					} else {
						l.fold += string(d)
					}
				}
			}
			l.base = norm.NFC.String(string(base))
			m[r] = l
		}
	}
	add(0xC0, 0x24F)
	add(0x1E00, 0x1EFF)
	return m
}()

// Fold returns s in lower case without accents and with đ as d: what a reader types who has no Vietnamese or
// French keyboard. Other scripts are only lowered.
//
//	Fold("Đắk Lắk") == "dak lak"
func Fold(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			b = append(b, lowerASCII(byte(r)))
		case unicode.Is(unicode.Mn, r):
		default:
			if l, ok := latinLetters[r]; ok {
				b = append(b, l.fold...)
			} else {
				b = utf8.AppendRune(b, unicode.ToLower(r))
			}
		}
	}
	return string(b)
}

func lowerASCII(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// scriptOf tells how r forms words; None is a separator.
func scriptOf(r rune) Script {
	switch {
	case r < utf8.RuneSelf:
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return Latin
		}
		return None
	case r >= 0xAC00 && r <= 0xD7A3, r >= 0x1100 && r <= 0x11FF, r >= 0x3130 && r <= 0x318F:
		return Hangul
	case r >= 0x4E00 && r <= 0x9FFF, r >= 0x3400 && r <= 0x4DBF, r >= 0x20000 && r <= 0x3FFFF,
		r >= 0x3040 && r <= 0x30FF, r >= 0xF900 && r <= 0xFAFF, r == '々', r == '〇':
		return Han
	case unicode.Is(unicode.Thai, r), unicode.Is(unicode.Khmer, r), unicode.Is(unicode.Lao, r), unicode.Is(unicode.Myanmar, r):
		return Han
	case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.Mn, r), unicode.Is(unicode.Mc, r):
		return Latin
	}
	return None
}
