package text

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func sentences(s string) (out []string) {
	Sentences(s, func(start, end int) { out = append(out, s[start:end]) })
	return out
}

func TestSentences(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
	}{
		{"One. Two!  Three?", []string{"One.", "Two!", "Three?"}},
		{"TP. Hồ Chí Minh có 3.5 triệu xe. Cần đo.", []string{"TP. Hồ Chí Minh có 3.5 triệu xe.", "Cần đo."}},
		{"Dr. Kim and e.g. Fig. 2 show it. Good.", []string{"Dr. Kim and e.g. Fig. 2 show it.", "Good."}},
		{"M. Dupont a dit « oui. » Puis rien.", []string{"M. Dupont a dit « oui. »", "Puis rien."}},
		{"养殖技术。水质监测！好", []string{"养殖技术。", "水质监测！", "好"}},
		{"수질을 측정한다. 병을 막는다.", []string{"수질을 측정한다.", "병을 막는다."}},
		{"a line\nanother", []string{"a line", "another"}},
		{"no end", []string{"no end"}},
		{" \n ", nil},
	} {
		if got := sentences(tc.in); !slices.Equal(got, tc.want) {
			t.Errorf("Sentences(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

func FuzzSentences(f *testing.F) {
	for _, s := range []string{"a. B", "。。", "\n.\n", "A.B. c", "e.g. x… Y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		last, kept := 0, 0
		Sentences(s, func(start, end int) {
			if start < last || end <= start || end > len(s) || s[start:end] != strings.TrimSpace(s[start:end]) {
				t.Fatalf("Sentences(%+q): [%d, %d) after %d", s, start, end, last)
			}
			last = end
			kept += visible(s[start:end])
		})
		if kept != visible(s) {
			t.Fatalf("Sentences(%+q) keeps %d of %d characters", s, kept, visible(s))
		}
	})
}

func visible(s string) (n int) {
	for _, r := range s {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}
