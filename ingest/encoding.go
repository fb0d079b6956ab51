package ingest

import (
	"bytes"
	"unicode/utf8"
)

// Sniff returns the encoding that the beginning of a file seems to be in, "" if it is UTF-8. Vietnamese agencies still
// have files in three older encodings, which differ in where they put đ and the tone marks.
func Sniff(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}):
		return "UTF-16 (little-endian)"
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return "UTF-16 (big-endian)"
	}
	if zeros := bytes.Count(head, []byte{0}); zeros > 0 && zeros*4 > len(head) {
		return "UTF-16 without a byte-order mark"
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
	if utf8.Valid(head) {
		return ""
	}
	return guess(head)
}

// guess tells legacy encodings apart by how often their typical bytes stand where they would. Each counts only
// behind a letter that can carry it.
func guess(b []byte) string {
	var w1258, tcvn, vni, other int
	for i, c := range b {
		if c < 0x80 {
			continue
		}
		var before byte
		if i > 0 {
			before = b[i-1]
		}
		switch {
		case c == 0xCC || c == 0xEC || c == 0xD2 || c == 0xDE || c == 0xF2: // combining tones of Windows-1258
			if isVowel1258(before) {
				w1258 += 2
			}
		case c == 0xF0 || c == 0xD0 || c == 0xF5 || c == 0xFD || c == 0xE3: // đ Đ ơ ư ă there
			w1258++
		}
		switch {
		case c == 0xAE || c == 0xA7: // đ Đ of TCVN3 (ABC)
			tcvn += 2
		case c >= 0xA8 && c <= 0xAD || c >= 0xB5 && c <= 0xC6 || c >= 0xC7 && c <= 0xFE && !isLetter(before):
			tcvn++
		}
		switch {
		case c == 0xF1 || c == 0xD1: // đ Đ of VNI
			vni += 2
		case isVowel(before) && bytes.IndexByte([]byte{0xF9, 0xF8, 0xFB, 0xF5, 0xEF, 0xE2, 0xE1, 0xE0, 0xE5, 0xE3, 0xE4, 0xEA, 0xE9, 0xE8, 0xFA, 0xFC, 0xEB}, c) >= 0:
			vni += 2 // a tone or a hat behind its vowel
		}
		other++
	}
	switch best := max(w1258, tcvn, vni); {
	case best*3 < other:
		return "a one-byte encoding such as Windows-1252"
	case best == vni:
		return "VNI"
	case best == w1258:
		return "Windows-1258"
	}
	return "TCVN3 (ABC)"
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isVowel(c byte) bool { return bytes.IndexByte([]byte("aeiouyAEIOUY\xF6\xD6\xF4\xD4"), c) >= 0 } // with ö ô, VNI's ư ơ

func isVowel1258(c byte) bool {
	return bytes.IndexByte([]byte("aeiouyAEIOUY\xE2\xC2\xEA\xCA\xF4\xD4\xF5\xD5\xFD\xDD\xE3\xC3"), c) >= 0
}
