package ingest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/unicode/norm"

	"github.com/ketnoi/ketnoi/eval/shared"
)

const (
	vietnameseText = "Nước thải dệt nhuộm của nhà máy ở tỉnh Đồng Nai cần xử lý rẻ hơn; ưu tiên công nghệ sẵn có"
	frenchText     = "Le séchage des fruits à basse température préserve la qualité ; l’étude a été menée près de Hué avec des équipes vietnamiennes."
)

// encode writes s in a legacy encoding, as programs of its time did.
func encode(t *testing.T, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// parted puts every tone behind its vowel, as Windows-1258 has it.
func parted(s string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(s) {
		tone := ""
		var rest strings.Builder
		for _, d := range norm.NFD.String(string(r)) {
			if strings.ContainsRune("\u0300\u0301\u0303\u0309\u0323", d) {
				tone = string(d)
			} else {
				rest.WriteRune(d)
			}
		}
		b.WriteString(norm.NFC.String(rest.String()) + tone)
	}
	return b.String()
}

// inTCVN3 and inVNI turn the decoders' tables round; TestOldTables holds these to bytes written by others.
func inTCVN3(s string) string {
	var out []byte
	for _, r := range s {
		c := slices.Index(tcvnLetters[:], r)
		if c < 0 { // its fonts draw capitals with a tone over the small letters
			c = slices.Index(tcvnLetters[:], unicode.ToLower(r))
		}
		if c < 0 {
			c = '?'
		}
		out = append(out, byte(c))
	}
	return string(out)
}

func inVNI(s string) string {
	codes := map[string]string{}
	for c, letter := range vniLetters {
		codes[letter], codes[strings.ToUpper(letter)] = string([]byte{c}), string([]byte{c - 0x20})
	}
	for base, b := range map[string]byte{"a": 'a', "e": 'e', "i": 'i', "o": 'o', "u": 'u', "y": 'y', "ơ": 0xF4, "ư": 0xF6} {
		for c, mark := range vniMarks {
			letter := norm.NFC.String(base + mark)
			if utf8.RuneCountInString(letter) == 1 && codes[letter] == "" {
				codes[letter], codes[strings.ToUpper(letter)] = string([]byte{b, c}), string([]byte{b - 0x20, c - 0x20})
			}
		}
	}
	var out strings.Builder
	for _, r := range s {
		switch code := codes[string(r)]; {
		case r < utf8.RuneSelf:
			out.WriteRune(r)
		case code != "":
			out.WriteString(code)
		default:
			out.WriteByte('?')
		}
	}
	return out.String()
}

func TestOldTables(t *testing.T) {
	for _, tc := range []struct{ name, got, want string }{ // the bytes of TCVN3 by iconv, those of VNI by its charts
		{"TCVN3", inTCVN3("Nước thải, tỉnh Đồng Nai"), "N\xad\xedc th\xb6i, t\xd8nh \xa7\xe5ng Nai"},
		{"TCVN3 read", decodeTCVN3([]byte("\xc6\xc7\xc8\xc9\xca\xcb \xd2\xd3\xd4\xd5\xd6 \xdc\xdd\xde \xfa\xfb\xfc\xfd\xfe")), "ặầẩẫấậ ềểễếệ ĩíị ỳỷỹýỵ"},
		{"VNI", inVNI("Nước thải dệt nhuộm, tỉnh Đồng Nai"), "N\xf6\xf4\xf9c tha\xfbi de\xe4t nhuo\xe4m, t\xe6nh \xd1o\xe0ng Nai"},
		{"VNI read", decodeVNI([]byte("a\xea a\xe9 a\xe8 A\xc2 \xd6\xd9 y\xf5 \xee \xf3 o\xe3")), "ă ắ ằ Â Ứ ỹ ỵ ĩ ỗ"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %+q, want %+q", tc.name, tc.got, tc.want)
		}
	}
}

func TestSniff(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"UTF-8", "Nước thải", ""}, {"cut within a character", "Nước th\xe1\xba", ""}, {"ASCII", "plain", ""}, {"nothing", "", ""},
		{"UTF-16 LE", "\xff\xfei\x00d\x00", utf16Little}, {"UTF-16 BE", "\xfe\xff\x00i", utf16Big}, {"UTF-16 without a mark", "i\x00d\x00,\x00t\x00", utf16Bare},
		{"Windows-1258", encode(t, charmap.Windows1258, parted(vietnameseText)), windows1258},
		{"TCVN3", inTCVN3(vietnameseText), tcvn3},
		{"VNI", inVNI(vietnameseText), vni},
		{"French", encode(t, charmap.Windows1252, frenchText), windows1252},
		{"English with typographic quotes", encode(t, charmap.Windows1252, "The firm’s need is a “cheaper” way to dry the fruit at 60 °C."), windows1252},
		{"too little French", encode(t, charmap.Windows1252, "café x"), unknown},
		{"GBK", encode(t, simplifiedchinese.GBK, "对虾养殖水体中的白斑病，需要一种便宜的早期诊断方法。"), gbk},
		{"too little Chinese", encode(t, simplifiedchinese.GBK, "对虾养殖"), unknown},
		{"CP949", encode(t, korean.EUCKR, "새우 양식장의 흰반점병을 조기에 진단하는 값싼 방법이 필요합니다."), cp949},
		{"Big5", encode(t, traditionalchinese.Big5, "對蝦養殖水體中的白斑病,需要一種便宜的早期診斷方法,價格要低。"), unknown},
		{"EUC-JP", encode(t, japanese.EUCJP, "エビの養殖における白斑病の早期診断のための安価な方法が必要です。"), unknown},
		{"Shift JIS", encode(t, japanese.ShiftJIS, "エビの養殖における白斑病の早期診断のための安価な方法が必要です。"), unknown},
		{"Russian", encode(t, charmap.Windows1251, "Нужен дешевый способ ранней диагностики болезни белых пятен креветок"), unknown},
		{"Polish", encode(t, charmap.Windows1250, "Potrzebna jest tańsza metoda suszenia owoców w niskiej temperaturze; łączność, źródła, żywność"), unknown},
		{"noise", "\x80\x81\xfe\xff\x90\xa0\xb0 \xc0\xaf\xff", unknown},
	} {
		got := Sniff([]byte(tc.in))
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
		if got != "" && got != unknown && got != vni && !strings.Contains(advice(got), "iconv -f "+iconvNames[got]+" ") {
			t.Errorf("%s: no way to convert it: %s", tc.name, advice(got))
		}
	}
}

// TestSniffRealText takes texts of the parallel corpus, encoded, in pieces of the size of a record and of a file.
func TestSniffRealText(t *testing.T) {
	for _, tc := range []struct {
		file, want string
		encode     func(string) (string, error)
	}{
		{"vie.txt", windows1258, func(s string) (string, error) { return charmap.Windows1258.NewEncoder().String(parted(s)) }},
		{"vie.txt", tcvn3, func(s string) (string, error) { return inTCVN3(s), nil }},
		{"vie.txt", vni, func(s string) (string, error) { return inVNI(s), nil }},
		{"fra.txt", windows1252, charmap.Windows1252.NewEncoder().String},
		{"zho-CN.txt", gbk, simplifiedchinese.GBK.NewEncoder().String},
		{"kor.txt", cp949, korean.EUCKR.NewEncoder().String},
	} {
		data, err := os.ReadFile(shared.Path(t, "data/parallel-ntrex/"+tc.file))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(data)), "\n")
		for _, size := range []int{1, 5, 100} {
			named, wrong, misled, all := 0, map[string]int{}, 0, 0
			for i := 0; i+size <= len(lines) && i < 1000; i += size {
				s, err := tc.encode(strings.Join(lines[i:i+size], "\n"))
				if err != nil || !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) {
					continue // a character that the encoding has not, or nothing but ASCII
				}
				all++
				switch got := guess([]byte(s)); got {
				case tc.want:
					named++
				case unknown:
				default:
					wrong[got]++
					misled++
				}
			}
			share := fmt.Sprintf("%s as %s, %d lines at once: %d of %d named, wrong %v", tc.file, tc.want, size, named, all, wrong)
			t.Log(share)
			// A single line may mislead once in fifty times; a file must not.
			if misled*50 > all || size > 1 && misled > 0 || all == 0 || size == 5 && named*10 < all*9 || size == 100 && named < all {
				t.Error(share)
			}
		}
	}
}
