package embeddings

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ketnoi/ketnoi/engine"
)

// checkSplit: passages lie in order within their text, at character boundaries, are never too heavy, and lose nothing
// but white space.
func checkSplit(t interface{ Fatalf(string, ...any) }, s string) {
	l := &engine.Listing{Kind: engine.Problem, Title: "t", Text: s}
	last, kept := 0, 0
	for _, p := range Split(l) {
		q := l.Quote(p)
		if p.Source != engine.FromText || p.Start < last || q == "" || !utf8.ValidString(q) || weight(q) > PassageWeight {
			t.Fatalf("%.60q… gives %+v (%d heavy) after %d", s, p, weight(q), last)
		}
		last = p.End
		kept += visible(q)
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

func TestSplit(t *testing.T) {
	for name, s := range map[string]string{
		"empty": "", "short": "One sentence.", "sentences": strings.Repeat("A sentence of some length. ", 300), "one sentence": strings.Repeat("word ", 2000),
		"no spaces": strings.Repeat("ก", 50_000), "Chinese": strings.Repeat("养殖技术。", 1000), "Vietnamese": strings.Repeat("Nước thải nuôi tôm bị ô nhiễm. ", 400),
		"one word": strings.Repeat("x", 10_000), "emoji": strings.Repeat("👨\u200d👩", 2000),
	} {
		t.Run(name, func(t *testing.T) { checkSplit(t, s) })
	}
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{"word ", "câu. ", "养殖。", "한국어 ", "\n", "x", "ก", " "})
		checkSplit(t, strings.TrimSpace(strings.Join(rapid.SliceOfN(piece, 0, 2000).Draw(t, "s"), "")))
	})
}

func TestSplitIsEven(t *testing.T) {
	l := &engine.Listing{Kind: engine.Problem, Text: strings.Repeat("This sentence has about fifty letters in it, yes. ", 100)}
	passages := Split(l)
	if len(passages) < 3 {
		t.Fatalf("%d passages", len(passages))
	}
	for _, p := range passages {
		if n := p.End - p.Start; n < PassageWeight/2 {
			t.Errorf("a passage of %d among %d", n, len(passages))
		}
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
