// Package text is the one place that decides what a character, a word and a sentence are: it cleans foreign
// text once at the edge, breaks it into atoms and index terms in five languages, finds sentences and tells
// languages apart.
package text

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxMarks is how many combining marks may follow one base character. Vietnamese needs two in NFD; scripts with
// stacked signs stay below four. More is decoration that only slows everyone down ("Zalgo").
const maxMarks = 4

// Errors that Clean returns; both are refused rather than repaired, because the bytes do not say what was meant.
var (
	ErrEncoding = errors.New("not valid UTF-8")
	ErrNUL      = errors.New("contains the character U+0000")
)

// Clean returns s as Kết Nối keeps it: NFC, every kind of space a plain one, line ends "\n", without terminal
// escapes, control characters, direction overrides, tag characters and variation selectors (all of them can hide
// text or forge a line), and with at most maxMarks combining marks on one base. Outer white space is cut.
// It is idempotent. The error wraps ErrEncoding or ErrNUL and says where.
func Clean(s string) (string, error) {
	if isPlain(s) {
		return strings.TrimSpace(s), nil
	}
	if i := invalidByte(s); i >= 0 {
		return "", fmt.Errorf("%w: byte 0x%02X at offset %d", ErrEncoding, s[i], i)
	}
	if i := strings.IndexByte(s, 0); i >= 0 {
		return "", fmt.Errorf("%w at offset %d", ErrNUL, i)
	}
	var b strings.Builder
	b.Grow(len(s))
	marks := 0
	for i := 0; i < len(s); {
		if n := escapeLen(s[i:]); n > 0 {
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case r == '\r':
			if i >= len(s) || s[i] != '\n' {
				b.WriteByte('\n')
			}
			continue
		case hidden(r):
			continue
		case r != '\n' && r != '\t' && unicode.IsSpace(r):
			r = ' '
		}
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(norm.NFC.String(b.String())), nil
}

// isPlain reports whether s needs no cleaning beyond trimming: printable ASCII, tabs and line feeds.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x7F || c < ' ' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// invalidByte returns the offset of the first byte that is not part of valid UTF-8, or -1.
func invalidByte(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// escapeLen returns the length of the ANSI escape sequence that s begins with, or 0. A bare ESC is one byte long.
func escapeLen(s string) int {
	if s[0] != 0x1B {
		return 0
	}
	if len(s) < 2 || s[1] != '[' {
		return 1
	}
	for i := 2; i < len(s); i++ {
		if c := s[i]; c >= 0x40 && c <= 0x7E {
			return i + 1
		} else if c < 0x20 || c > 0x3F {
			return i
		}
	}
	return len(s)
}

// hidden reports whether r is a character that shows nothing and only changes how its neighbours are read.
// Joiners (U+200C, U+200D) stay: Indic scripts and emoji need them.
func hidden(r rune) bool {
	switch {
	case r < ' ':
		return r != '\n' && r != '\t'
	case r < 0xA0:
		return r >= 0x7F && r != 0x85 // U+0085 is a line end, turned into a space
	case r == 0xAD, r == 0x200B, r == 0x2060, r == 0xFEFF, r == 0x180E: // soft hyphen, zero-width spaces, BOM
		return true
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069: // direction overrides and isolates
		return true
	case r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0000 && r <= 0xE01EF: // variation selectors, tag characters
		return true
	case r >= 0xFFF9 && r <= 0xFFFB: // interlinear annotation
		return true
	}
	return false
}

// Flag is something odd about a text that was accepted all the same.
type Flag string

// The flags that Inspect finds.
const (
	FlagMojibake Flag = "mojibake" // UTF-8 that was once read as Windows-1252
	FlagScripts  Flag = "scripts"  // one word mixing Latin with Cyrillic letters
	FlagHidden   Flag = "hidden"   // direction overrides or tag characters were taken out
)

// Sentence says in English what the flag means and what to do.
func (f Flag) Sentence() string {
	switch f {
	case FlagMojibake:
		return "looks like UTF-8 that was read as Windows-1252 (as in \"Viá»‡t\"); export the file again as UTF-8"
	case FlagScripts:
		return "mixes Latin and Cyrillic letters in one word; check it for a forged name or address"
	case FlagHidden:
		return "contained hidden direction or tag characters; they were taken out"
	}
	return string(f)
}

// Inspect returns what is odd about s, which has not been cleaned yet. Nil is the usual answer.
func Inspect(s string) []Flag {
	if isPlain(s) {
		return nil
	}
	var flags []Flag
	bad := 0
	for _, seq := range []string{"áº", "á»", "Ã¡", "Ã ", "Ã´", "Ãª", "Ã¢", "Ã©", "Ä‘", "Ä\u0090", "Æ°", "Æ¡", "ì„", "â€™"} {
		bad += strings.Count(s, seq)
	}
	if bad > 0 && bad*20 >= strings.Count(s, " ") {
		flags = append(flags, FlagMojibake)
	}
	if mixedWord(s) {
		flags = append(flags, FlagScripts)
	}
	for _, r := range s {
		if r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r >= 0xE0000 && r <= 0xE007F {
			flags = append(flags, FlagHidden)
			break
		}
	}
	return flags
}

// mixedWord reports whether a word or address of s mixes Latin and Cyrillic letters ("pаypal" with a Cyrillic а).
// Greek is left alone: "TNFα" and "µm" are honest.
func mixedWord(s string) bool {
	latin, cyrillic := false, false
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Latin, r):
			latin = true
		case unicode.Is(unicode.Cyrillic, r):
			cyrillic = true
		case !unicode.IsLetter(r) && r != '@' && r != '.':
			latin, cyrillic = false, false
		}
		if latin && cyrillic {
			return true
		}
	}
	return false
}
