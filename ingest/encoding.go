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

// guess tells legacy encodings apart by how many of the bytes above ASCII stand where each would have them.
func guess(b []byte) string {
	var w1258, tcvn, vni, all int
	for i, c := range b {
		if c < 0x80 {
			continue
		}
		all++
		var before byte
		if i > 0 {
			before = b[i-1]
		}
		switch {
		case bytes.IndexByte([]byte{0xCC, 0xEC, 0xD2, 0xDE, 0xF2}, c) >= 0: // combining tones of Windows-1258
			if isVowel1258(before) {
				w1258++
			}
		case bytes.IndexByte([]byte{0xF0, 0xD0, 0xF5, 0xFD, 0xE3, 0xF4, 0xEA, 0xE2}, c) >= 0: // đ Đ ơ ư ă ô ê â there
			w1258++
		}
		switch {
		case c == 0xAE || c == 0xA7: // đ Đ of TCVN3 (ABC)
			tcvn++
		case c >= 0xA8 && c <= 0xAD || c >= 0xB5 && c <= 0xC6 || c >= 0xC7 && !isVowel(before):
			tcvn++
		}
		switch {
		case bytes.IndexByte([]byte{0xF1, 0xD1, 0xF6, 0xF4, 0xD6, 0xD4}, c) >= 0: // đ Đ ư ơ of VNI
			vni++
		case isVowel(before) && bytes.IndexByte([]byte{0xF9, 0xF8, 0xFB, 0xF5, 0xEF, 0xE2, 0xE1, 0xE0, 0xE5, 0xE3, 0xE4, 0xEA, 0xE9, 0xE8, 0xFA, 0xFC, 0xEB}, c) >= 0:
			vni++ // a tone or a hat behind its vowel
		}
	}
	switch best := max(w1258, tcvn, vni); {
	case all < 4 || best*4 < all*3:
		return "a one-byte encoding such as Windows-1252"
	case best == vni:
		return "VNI"
	case best == w1258:
		return "Windows-1258"
	}
	return "TCVN3 (ABC)"
}

func isVowel(c byte) bool { return bytes.IndexByte([]byte("aeiouyAEIOUY\xF6\xD6\xF4\xD4"), c) >= 0 } // with ö ô, VNI's ư ơ

func isVowel1258(c byte) bool {
	return bytes.IndexByte([]byte("aeiouyAEIOUY\xE2\xC2\xEA\xCA\xF4\xD4\xF5\xD5\xFD\xDD\xE3\xC3"), c) >= 0
}
