package embeddings

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/text"
	"github.com/ketnoi/ketnoi/eval/shared"
)

// checkSplit: passages lie in order within their text, at character boundaries, are never too long, lose nothing but white
// space, and repeat only whole sentences.
func checkSplit(t interface{ Fatalf(string, ...any) }, title, s string) {
	l := &engine.Listing{Kind: engine.Problem, Title: title, Text: s}
	var sentences []string
	text.Sentences(s, func(start, end int) { sentences = append(sentences, s[start:end]) })
	last, kept := engine.Passage{}, 0
	for i, p := range Split(l) {
		q := l.Quote(p)
		if p.Source != engine.FromText || q == "" || !utf8.ValidString(q) || i > 0 && (p.Start <= last.Start || p.End <= last.End) {
			t.Fatalf("%.60q… gives %+v after %+v", s, p, last)
		}
		if n, most := Tokens(q), max(PassageTokens-Tokens(title)-1, PassageTokens/2); n > most {
			t.Fatalf("%.60q… gives a passage of %d tokens, more than %d: %q", s, n, most, q)
		}
		from := p.Start
		if i > 0 && from < last.End {
			if repeated := strings.TrimSpace(s[from:last.End]); !slices.Contains(sentences, repeated) {
				t.Fatalf("%q is repeated, which is no sentence", repeated)
			}
			from = last.End
		}
		kept += visible(s[from:p.End])
		last = p
	}
	if kept != visible(s) {
		t.Fatalf("%.60q… keeps %d of %d characters", s, kept, visible(s))
	}
}

func visible(s string) (n int) {
	for _, r := range s {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

var pieces = []string{"word ", "câu. ", "养殖。", "养", "한국어 ", "\n", "x", "ก", " ", "e\u0302\u0323", "👨\u200d👩", "1,5 ", "a, "}

func TestSplit(t *testing.T) {
	for name, s := range map[string]string{
		"empty": "", "short": "One sentence.", "sentences": strings.Repeat("A sentence of some length. ", 300), "one sentence": strings.Repeat("word ", 2000),
		"no spaces": strings.Repeat("ก", 50_000), "Chinese": strings.Repeat("养殖技术。", 1000), "Vietnamese": strings.Repeat("Nước thải nuôi tôm bị ô nhiễm. ", 400),
		"one word": strings.Repeat("x", 10_000), "emoji": strings.Repeat("👨\u200d👩", 2000), "marks": "a" + strings.Repeat("\u0301", 3000),
	} {
		t.Run(name, func(t *testing.T) {
			checkSplit(t, "t", s)
			checkSplit(t, strings.Repeat("A long title ", 38), s)
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		checkSplit(t, "t", strings.TrimSpace(strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 1500).Draw(t, "s"), "")))
	})
}

// TestSplitWhere: where passages begin, in all five languages.
func TestSplitWhere(t *testing.T) {
	for _, tc := range []struct{ name, sentence, next string }{
		{"vi", "Nước thải của ao nuôi tôm có nhiều chất hữu cơ, cần xử lý trước khi thải ra sông. ", "Nước thải"},
		{"fr", "Les eaux usées de l'élevage contiennent beaucoup de matière organique et doivent être traitées. ", "Les eaux"},
		{"en", "The waste water of the pond holds much organic matter and has to be treated before it leaves. ", "The waste"},
		{"ko", "양식장 폐수에는 유기물이 많아서 강으로 보내기 전에 처리해야 합니다. ", "양식장"},
		{"zh", "养殖池的废水含有大量有机物，排入河流之前必须处理。", "养殖池"},
	} {
		s := strings.TrimSpace(strings.Repeat(tc.sentence, 40))
		l := &engine.Listing{Kind: engine.Problem, Title: "t", Text: s}
		cut := Split(l)
		if len(cut) < 2 {
			t.Errorf("%s: %d passages", tc.name, len(cut))
		}
		for i, p := range cut {
			if q := l.Quote(p); !strings.HasPrefix(q, tc.next) || !strings.HasSuffix(q, strings.TrimSpace(tc.sentence)) {
				t.Errorf("%s: %q", tc.name, q)
			}
			if i > 0 && p.Start != cut[i-1].End-len(strings.TrimSpace(tc.sentence)) {
				t.Errorf("%s: passage %d does not repeat the one sentence before it: %+v after %+v", tc.name, i, p, cut[i-1])
			}
		}
	}
	// A sentence that is too long is cut behind a clause, and nowhere within a syllable.
	long := strings.TrimSpace(strings.Repeat("xử lý nước thải nuôi trồng thuỷ sản, ", 100))
	l := &engine.Listing{Kind: engine.Problem, Title: "t", Text: long}
	for _, p := range Split(l) {
		if q := l.Quote(p); !strings.HasPrefix(q, "xử lý") || !strings.HasSuffix(q, "thuỷ sản,") && !strings.HasSuffix(q, "thuỷ sản") {
			t.Errorf("%q", q)
		}
	}
}

func TestSplitIsEven(t *testing.T) {
	l := &engine.Listing{Kind: engine.Problem, Text: strings.Repeat("This sentence has about fifty letters in it, yes. ", 100)}
	cut := Split(l)
	if len(cut) < 3 {
		t.Fatalf("%d passages", len(cut))
	}
	for _, p := range cut {
		if n := Tokens(l.Quote(p)); n < PassageTokens/2 {
			t.Errorf("a passage of %d tokens among %d passages", n, len(cut))
		}
	}
}

// checkFit: parts fit, are whole characters, and miss nothing but white space.
func checkFit(t interface{ Fatalf(string, ...any) }, window int, tokenizer, s string) {
	parts, kept := Fit(window, tokenizer)(s), 0
	for _, p := range parts {
		if n := TokensOf(tokenizer, p); n > window && len(p) > maxCluster || !utf8.ValidString(p) {
			t.Fatalf("%d tokens in %q, window %d", n, p, window)
		}
		kept += visible(p)
	}
	if kept != visible(s) {
		t.Fatalf("%.60q… keeps %d of %d characters", s, kept, visible(s))
	}
}

func TestFit(t *testing.T) {
	if got := Fit(512, "bge")("Short. Text."); len(got) != 1 || got[0] != "Short. Text." {
		t.Errorf("got %q", got)
	}
	if got := Fit(8, CL100K)("One two three four. Five six seven eight."); !slices.Equal(got, []string{"One two three four.", "Five six seven eight."}) {
		t.Errorf("got %q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 400).Draw(t, "s"), "")
		checkFit(t, rapid.IntRange(16, 600).Draw(t, "window"), rapid.SampledFrom([]string{CL100K, O200K, "other"}).Draw(t, "tokenizer"), s)
	})
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"", "Câu một. Câu hai.", strings.Repeat("养", 2000), strings.Repeat("👨\u200d👩", 600)} {
		f.Add(s, 30)
	}
	f.Fuzz(func(t *testing.T, s string, window int) {
		if !utf8.ValidString(s) || len(s) > 20_000 {
			return
		}
		checkSplit(t, "t", s)
		checkFit(t, 16+window&0xFF, O200K, s)
	})
}

// TestTokens: the counter gives what the library gives, but for pieces across line breaks, where it gives more.
func TestTokens(t *testing.T) {
	exact := func(name, s string) int { return len(vocabulary(name).load().EncodeOrdinary(s)) }
	for _, name := range []string{CL100K, O200K} {
		rapid.Check(t, func(t *rapid.T) {
			s := strings.Join(rapid.SliceOfN(rapid.SampledFrom(append([]string{".\n", "  ", "\t", "'s ", "don't ", "\r\n", "Đà Nẵng", "3.14", "…"}, pieces...)), 0, 100).Draw(t, "s"), "")
			if got, want := TokensOf(name, s), exact(name, s); got < want {
				t.Fatalf("%s: %q has %d tokens, counted %d", name, s, want, got)
			}
		})
	}
	for _, file := range []string{"vie", "fra", "eng", "kor", "zho-CN"} {
		body, err := os.ReadFile(shared.Path(t, "data/parallel-ntrex/"+file+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.ReplaceAll(body, []byte("\n"), []byte(" "))
		for _, name := range []string{CL100K, O200K} {
			got, want := TokensOf(name, string(body)), exact(name, string(body))
			if got < want || got > want*101/100 {
				t.Errorf("%s: %s has %d tokens, counted %d", name, file, want, got)
			}
		}
	}
	if n := TokensOf("other", "a b c"); n != 6 {
		t.Errorf("an unknown vocabulary gives %d", n)
	}
}

func BenchmarkTokens(b *testing.B) {
	for _, file := range []string{"vie", "eng", "zho-CN"} {
		body, err := os.ReadFile(shared.Path(b, "data/parallel-ntrex/"+file+".txt"))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(file, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				Tokens(string(body))
			}
		})
	}
}

func TestSplitTakesEveryWork(t *testing.T) {
	l := &engine.Listing{Kind: engine.Expert, Title: "Name", Summary: "Sum.", Works: []engine.Work{{Title: "only a title"}, {Title: "title", Text: "text"}}}
	var got []string
	for _, p := range Split(l) {
		got = append(got, l.Matchable(p))
	}
	if want := "Sum.|only a title|title\ntext"; strings.Join(got, "|") != want {
		t.Errorf("passages %q, want %q: an expert's name is no evidence", got, want)
	}
}
