package ingest

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"github.com/ketnoi/ketnoi/engine/text"
)

// The encodings that are told apart. Files in many others exist; those are only said to be no UTF-8.
const (
	utf16Little = "UTF-16 (little-endian)"
	utf16Big    = "UTF-16 (big-endian)"
	utf16Bare   = "UTF-16 without a byte-order mark"
	windows1258 = "Windows-1258"
	windows1252 = "Windows-1252"
	tcvn3       = "TCVN3 (ABC)"
	vni         = "VNI"
	gbk         = "GBK"
	cp949       = "CP949 (EUC-KR)"
	unknown     = "unknown"
)

// iconvNames are what iconv calls them. It does not know VNI.
var iconvNames = map[string]string{utf16Little: "UTF-16", utf16Big: "UTF-16", utf16Bare: "UTF-16LE", windows1258: "CP1258",
	windows1252: "CP1252", tcvn3: "TCVN", gbk: "GB18030", cp949: "CP949"}

// advice says what an encoding that Sniff or guess returned looks like, and how to get UTF-8 from it.
func advice(encoding string) string {
	from := iconvNames[encoding]
	switch {
	case encoding == unknown:
		return `save it as UTF-8 in the program it comes from (in Excel "CSV UTF-8"), or convert it: iconv -f ITS-ENCODING -t UTF-8`
	case from == "":
		return "it looks like " + encoding + "; convert it, for example with UniKey's toolkit"
	}
	return "it looks like " + encoding + "; save it as UTF-8, or convert it: iconv -f " + from + " -t UTF-8"
}

// Sniff returns the encoding that the beginning of a file seems to be in, "" if it is UTF-8.
func Sniff(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}):
		return utf16Little
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return utf16Big
	}
	if zeros := bytes.Count(head, []byte{0}); zeros > 0 && zeros*4 > len(head) {
		return utf16Bare
	}
	for len(head) > 0 { // the last character may be cut by the end of what we see
		r, size := utf8.DecodeLastRune(head)
		if r != utf8.RuneError || size != 1 || utf8.RuneStart(head[len(head)-1]) {
			break
		}
		head = head[:len(head)-1]
	}
	if n := len(head); n > 0 && head[n-1] >= 0xC0 {
		head = head[:n-1]
	}
	// One bad line is that line's fault; a file is in another encoding when most of its lines beyond ASCII are.
	bad, beyond := 0, 0
	for line := range bytes.Lines(head) {
		if !utf8.Valid(line) {
			bad, beyond = bad+1, beyond+1
		} else if bytes.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }) {
			beyond++
		}
	}
	if bad*2 <= beyond {
		return ""
	}
	return guess(head)
}

// guess names the encoding in which bytes that are no UTF-8 read as text of a language that was written so, or unknown.
// A wrong name would lead people to ruin their file, so little evidence is none.
func guess(b []byte) string {
	if east := eastAsian(b); east != unknown {
		return east
	}
	best, most := unknown, 0.75 // names and loanwords are no Vietnamese syllables
	for _, old := range []struct {
		name   string
		decode func([]byte) string
	}{{windows1258, decode1258}, {tcvn3, decodeTCVN3}, {vni, decodeVNI}} {
		if share := vietnamese(old.decode(b)); share > most {
			best, most = old.name, share
		}
	}
	if best == unknown && western(b) {
		return windows1252
	}
	return best
}

// eastAsian tells Chinese from Korean in two bytes a character, as nearly all of both is in the older standards (GB 2312,
// KS X 1001), where both bytes have their high bit set. What Korean writes stands in rows 0xB0 to 0xC8; of Chinese, which
// is sorted by sound, close to half stands behind.
func eastAsian(b []byte) string {
	var pairs, signs, front, behind int
	for i := 0; i+1 < len(b); i++ {
		lead, trail := b[i], b[i+1]
		if lead < 0x80 {
			continue
		}
		pairs++
		switch {
		case trail < 0x40: // no second byte
			continue
		case trail < 0xA1:
		case lead >= 0xA1 && lead <= 0xA3:
			signs++
		case lead >= 0xB0 && lead <= 0xC8:
			front++
		case lead > 0xC8 && lead <= 0xF7:
			behind++
		}
		i++
	}
	switch words := front + behind; {
	case words < 10 || (words+signs)*10 < pairs*9:
		return unknown
	case behind*20 < words:
		return cp949
	case behind*8 >= words:
		return gbk
	}
	return unknown
}

// vietnamese returns how many of the words of s with letters beyond ASCII are Vietnamese syllables; 0 where there are few.
func vietnamese(s string) float64 {
	words, good := 0, 0
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) && r != utf8.RuneError }) {
		if !strings.ContainsFunc(word, func(r rune) bool { return r >= utf8.RuneSelf }) {
			continue
		}
		words++
		tones, foreign := 0, false
		for _, r := range norm.NFD.String(word) {
			switch {
			case strings.ContainsRune("\u0300\u0301\u0303\u0309\u0323", r):
				tones++
			case r >= utf8.RuneSelf && !strings.ContainsRune("đĐ\u0302\u0306\u031b", r): // hat, breve, horn
				foreign = true
			}
		}
		if tones <= 1 && !foreign && text.IsSyllable(text.Fold(word)) {
			good++
		}
	}
	if words < 3 {
		return 0
	}
	return float64(good) / float64(words)
}

// western reports whether b reads as French or English in Windows-1252.
func western(b []byte) bool {
	s, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return false
	}
	all, fit := 0, 0
	for _, r := range string(s) {
		if r >= utf8.RuneSelf {
			if all++; strings.ContainsRune("éèêëàâäçîïôöùûüÿœæÉÈÊËÀÂÇÎÏÔÙÛÜŒÆ‘’“”«»–—…•·€£©®™°±²³µ×½§\u00a0", r) {
				fit++
			}
		}
	}
	lang, sure := text.Detect(string(s))
	return fit*20 >= all*19 && sure && (lang == "fr" || lang == "en")
}

// decode1258 reads Windows-1258, which writes the tone as a character of its own behind the vowel.
func decode1258(b []byte) string {
	s, _ := charmap.Windows1258.NewDecoder().Bytes(b)
	return norm.NFC.String(string(s))
}

// Letters of TCVN 5712-3 (TCVN3, called ABC after its fonts) from 0xA1 and from 0xB5 on; capitals with a tone are there in
// fonts only.
const (
	tcvnFirst = "ĂÂÊÔƠƯĐăâêôơưđ"
	tcvnNext  = "àảãáạ\uFFFDằẳẵắ\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDặầẩẫấậè\uFFFDẻẽéẹềểễếệìỉ\uFFFD\uFFFD\uFFFDĩíịò\uFFFDỏõóọồổỗốộờởỡớợù\uFFFDủũúụừửữứựỳỷỹýỵ"
)

var tcvnLetters = func() (out [256]rune) {
	for i := range out {
		out[i] = rune(i)
		if i >= utf8.RuneSelf {
			out[i] = utf8.RuneError
		}
	}
	copy(out[0xA1:], []rune(tcvnFirst))
	copy(out[0xB5:], []rune(tcvnNext))
	return out
}()

func decodeTCVN3(b []byte) string {
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = tcvnLetters[c]
	}
	return string(out)
}

// VNI writes hat and tone together as one character behind the vowel; some vowels, and đ, are one character. Both tables
// are of small letters; capitals stand 0x20 below.
var (
	vniLetters = map[byte]string{0xF1: "đ", 0xF4: "ơ", 0xF6: "ư", 0xEC: "ì", 0xED: "í", 0xE6: "ỉ", 0xF3: "ĩ", 0xF2: "ị", 0xEE: "ỵ"}
	vniMarks   = map[byte]string{0xF8: "\u0300", 0xF9: "\u0301", 0xF5: "\u0303", 0xFB: "\u0309", 0xEF: "\u0323",
		0xE2: "\u0302", 0xE0: "\u0302\u0300", 0xE1: "\u0302\u0301", 0xE3: "\u0302\u0303", 0xE5: "\u0302\u0309", 0xE4: "\u0302\u0323",
		0xEA: "\u0306", 0xE8: "\u0306\u0300", 0xE9: "\u0306\u0301", 0xFC: "\u0306\u0303", 0xFA: "\u0306\u0309", 0xEB: "\u0306\u0323"}
)

func decodeVNI(b []byte) string {
	var out strings.Builder
	for i, c := range b {
		small := c | 0x20
		letter, mark := vniLetters[small], vniMarks[small]
		switch {
		case c < utf8.RuneSelf:
			out.WriteByte(c)
		case c < 0xC0:
			out.WriteRune(utf8.RuneError)
		case letter != "" && c == small:
			out.WriteString(letter)
		case letter != "":
			out.WriteString(strings.ToUpper(letter))
		case mark != "" && i > 0 && bytes.IndexByte([]byte("aeiouyAEIOUY\xF4\xF6\xD4\xD6"), b[i-1]) >= 0:
			out.WriteString(mark)
		default:
			out.WriteRune(utf8.RuneError)
		}
	}
	return norm.NFC.String(out.String())
}
