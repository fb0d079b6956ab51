package text

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"plain", "  two words\n", "two words"},
		{"NFD becomes NFC", "Vie\u0302\u0323t", "Việt"},
		{"no-break and ideographic spaces", "a\u00a0b\u3000c", "a b c"},
		{"only no-break spaces", "\u00a0\u00a0", ""},
		{"line ends", "a\r\nb\rc\nd", "a\nb\nc\nd"},
		{"colour escape", "red \x1b[31;1malert\x1b[0m end", "red alert end"},
		{"bare escape", "a\x1bb", "ab"},
		{"control characters", "a\x07b\u0085c\u009fd", "ab cd"},
		{"byte-order mark and zero width", "\ufeffa\u200bb\u2060c", "abc"},
		{"direction override", "file\u202egpj.exe", "filegpj.exe"},
		{"tag characters", "ok\U000e0041\U000e0042", "ok"},
		{"variation selectors", "❤\ufe0f", "❤"},
		{"emoji joined with ZWJ stays", "👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"},
		{"noncharacter is accepted", "a\ufffeb", "a\ufffeb"},
		{"zalgo", "a" + strings.Repeat("\u0316", 10_000), "a" + strings.Repeat("\u0316", maxMarks)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Clean(tc.in)
			if err != nil || got != tc.want {
				t.Errorf("Clean(%+q) = %+q, %v; want %+q", tc.in, got, err, tc.want)
			}
		})
	}
}

func TestCleanRefuses(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want error
	}{
		{"\xff\xfe", ErrEncoding}, {"a\xc0\x80", ErrEncoding}, {"\xed\xa0\x80", ErrEncoding}, {"cut \xe1\xba", ErrEncoding}, {"a\x00b", ErrNUL},
	} {
		if _, err := Clean(tc.in); !errors.Is(err, tc.want) {
			t.Errorf("Clean(%+q): error %v, want %v", tc.in, err, tc.want)
		}
	}
}

// checkClean holds for every text that Clean accepts.
func checkClean(t interface{ Fatalf(string, ...any) }, in string) {
	out, err := Clean(in)
	if err != nil {
		if utf8.ValidString(in) && !strings.Contains(in, "\x00") {
			t.Fatalf("Clean(%+q) refuses valid text: %v", in, err)
		}
		return
	}
	if again, err := Clean(out); err != nil || again != out {
		t.Fatalf("Clean is not idempotent: %+q, then %+q (%v)", out, again, err)
	}
	if !norm.NFC.IsNormalString(out) {
		t.Fatalf("Clean(%+q) = %+q is not NFC", in, out)
	}
	for _, r := range out {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			t.Fatalf("Clean(%+q) = %+q keeps %U", in, out, r)
		}
	}
}

func TestCleanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkClean(t, rapid.String().Draw(t, "s")) })
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"Việt", "\x1b[31m", "\xff\xfe", "a\u0316\u0316\u0316\u0316\u0316", "e\u0301\u200d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkClean(t, s)
		Inspect(s)
	})
}

func TestInspect(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want Flag
	}{
		{"Nước thải nhuộm", ""},
		{"Viá»‡t Nam sáº£n xuáº¥t", FlagMojibake},
		{"thiáº¿t bá»‹", FlagMojibake},
		{"p\u0430ypal@example.org", FlagScripts},
		{"TNFα và µm", ""},
		{"Москва and Hà Nội", ""},
		{"a\u202eb", FlagHidden},
	} {
		got := Inspect(tc.in)
		if tc.want == "" && len(got) > 0 || tc.want != "" && (len(got) != 1 || got[0] != tc.want) {
			t.Errorf("Inspect(%q) = %q, want %q", tc.in, got, tc.want)
		}
		if tc.want != "" && tc.want.Sentence() == string(tc.want) {
			t.Errorf("flag %q has no sentence", tc.want)
		}
	}
}
