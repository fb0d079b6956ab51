package text

import (
	"unicode"
	"unicode/utf8"
)

// Gap is what stands between an atom and the one before it.
type Gap uint8

// The gaps. Vietnamese writes one word as syllables with spaces between them, so a Space joins and a Break parts.
const (
	Touching Gap = iota // nothing: two Han characters, two syllables of one Korean word
	Space               // only spaces, or one hyphen, apostrophe or &
	Break               // punctuation, a line end, or the start of the text
)

// Atom is the smallest piece that can be matched: a Latin word (a Vietnamese syllable), one Han character, or one
// Hangul syllable. The forms are valid until the next atom is scanned.
type Atom struct {
	Script     Script
	Gap        Gap
	Start, End int    // bytes of the scanned text
	Fold       []byte // lower case, no accents, đ as d, stemmed: "đắk" -> "dak", "drying" -> "dry"
	Singular   []byte // as Fold, but only a plural is taken off, for whoever must not mix up "canned" and "can"
	Exact      []byte // lower case with accents, the tone mark last, so that "hoà" and "hòa" are one; not stemmed
	Marked     bool   // the text itself has accents here; if false, it may be an unaccented spelling
}

// Scan calls yield for every atom of s in order, until yield returns false. s should come from Clean. The atom is
// reused from call to call: nothing is allocated for each.
func Scan(s string, yield func(*Atom) bool) {
	sc := scanner{}
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		script := scriptOf(plain(r))
		switch script {
		case None:
			if (r == '.' || r == ',') && i > 0 && isDigit(s[i-1]) && i+1 < len(s) && isDigit(s[i+1]) {
				sc.gap = Space // a number goes on: "PM2.5"
			} else {
				sc.separate(r)
			}
			i += size
			continue
		case Latin:
			if i = sc.word(s, i); len(sc.fold) == 0 {
				continue // nothing but combining marks
			}
		default:
			sc.single(s, i, i+size, script)
			i += size
		}
		if !yield(&sc.atom) {
			return
		}
		sc.gap = Touching
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

type scanner struct {
	atom        Atom
	gap         Gap
	began       bool
	fold, exact []byte
	one, tones  []byte
}

// separate notes a separator: spaces, and a single hyphen, apostrophe or &, keep neighbours together ("séchage d'algues");
// all else parts them.
func (sc *scanner) separate(r rune) {
	switch {
	case r == 0x200C || r == 0x200D: // joiners are no gap
	case r == ' ' || r == '\t':
		sc.gap = max(sc.gap, Space)
	case (r == '-' || r == 0x2010 || r == 0x2011 || r == '\'' || r == '’' || r == '&') && sc.gap == Touching:
		sc.gap = Space
	default:
		sc.gap = Break
	}
}

// open starts an atom with the gap before it.
func (sc *scanner) open(script Script, start, end int) {
	if !sc.began {
		sc.began, sc.gap = true, Break
	}
	sc.atom = Atom{Script: script, Gap: sc.gap, Start: start, End: end}
}

func (sc *scanner) single(s string, start, end int, script Script) {
	sc.open(script, start, end)
	sc.fold = append(sc.fold[:0], s[start:end]...)
	sc.atom.Fold, sc.atom.Singular, sc.atom.Exact = sc.fold, sc.fold, sc.fold
}

// word scans the Latin word that begins at i and returns the offset behind it.
func (sc *scanner) word(s string, i int) int {
	start := i
	fold, exact, tones := sc.fold[:0], sc.exact[:0], sc.tones[:0]
	marked := false
	for i < len(s) {
		if c := s[i]; c < utf8.RuneSelf { // the common case, without decoding
			if scriptOf(rune(c)) != Latin {
				break
			}
			c = lowerASCII(c)
			fold, exact = append(fold, c), append(exact, c)
			i++
			continue
		}
		raw, size := utf8.DecodeRuneInString(s[i:])
		r := plain(raw)
		if scriptOf(r) != Latin {
			break
		}
		i += size
		if r < utf8.RuneSelf {
			fold, exact = append(fold, lowerASCII(byte(r))), append(exact, lowerASCII(byte(r)))
		} else if l, ok := latinLetters[r]; ok {
			marked = marked || l.fold != l.base || l.tone != 0
			fold, exact = append(fold, l.fold...), append(exact, l.base...)
			if l.tone != 0 {
				tones = utf8.AppendRune(tones, l.tone)
			}
		} else if unicode.Is(unicode.Mn, r) {
			marked = true
			tones = utf8.AppendRune(tones, r)
		} else {
			low := unicode.ToLower(r)
			fold, exact = utf8.AppendRune(fold, low), utf8.AppendRune(exact, low)
		}
	}
	exact = append(exact, tones...)
	sc.open(Latin, start, i)
	fold = singular(evenY(fold))
	sc.fold, sc.exact, sc.one, sc.tones = fold, exact, even(append(sc.one[:0], fold...)), tones
	sc.atom.Fold, sc.atom.Singular, sc.atom.Exact, sc.atom.Marked = stem(fold), sc.one, evenY(exact), marked
	return i
}

// evenY writes the Vietnamese final y after a single consonant as i, for both spellings are in use: "kỹ" and "kĩ",
// "lý" and "lí".
func evenY(w []byte) []byte {
	if len(w) >= 2 && w[1] == 'y' && (len(w) == 2 || w[2] >= utf8.RuneSelf) {
		switch w[0] {
		case 'h', 'k', 'l', 'm', 's', 't':
			w[1] = 'i'
		}
	}
	return w
}

// plain turns full-width forms and subscript digits into the ASCII characters they stand for ("ＩｏＴ", "CO₂").
func plain(r rune) rune {
	switch {
	case r < 0x2080:
	case r <= 0x2089:
		return r - 0x2080 + '0'
	case r >= 0xFF10 && r <= 0xFF5A:
		return r - 0xFEE0
	}
	return r
}
