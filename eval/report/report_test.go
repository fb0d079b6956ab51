package report

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"github.com/ketnoi/ketnoi/eval"
)

var update = flag.Bool("update", false, "write the golden files anew")

func grade(g int) *int { return &g }

// sample is a report in which everything is there, with titles in five languages, two of them hostile.
func sample() *Report {
	titles := []string{"Xử lý nước thải dệt nhuộm | giá rẻ", "Dépoussiérage d'une cimenterie", "Cold storage for `fresh` <script>alert(1)</script> fish", "새우 양식장의 흰반점병 조기 진단", "海水淡化膜的\u202e污染控制"}
	langs := []string{"vi", "fr", "en", "ko", "zh"}
	make := func(name string, shift float64) *eval.Result {
		r := &eval.Result{
			Name: name, Ranker: name, Model: "lexicon", Collection: "c", Weights: []eval.WeightSet{{Signal: "words", Within: 0.7, Across: 0.3}, {Signal: "meaning", Within: 0.3, Across: 0.7}},
			Measures: map[string]float64{}, Answered: map[string]float64{"nDCG@10": 0.625 + shift, "Judged@10": 0.35},
			Counts:      eval.Counts{Topics: 5, Missing: 1, Judged: 20, Relevant: 9, Unknown: 2, NoMatch: 1},
			Slices:      map[string]eval.Slice{"same-language": {Topics: 4, Judged: 5, Measures: map[string]float64{"nDCG@10": 0.7 + shift}}, "language vi-ko": {Topics: 12, Judged: 14, Measures: map[string]float64{"nDCG@10": 0.4}}},
			Topics:      map[string]map[string]float64{},
			Details:     map[string]eval.Detail{},
			Calibration: &eval.Calibration{ECE: 0.2, Judged: 20, Bins: []eval.Bin{{Low: 0, High: 0.3, Score: 0.2, Accepted: 0.3, Count: 10}, {Low: 0.3, High: 0.9, Score: 0.6, Accepted: 0.9, Count: 10}}},
			Exposure:    map[string]eval.Exposure{"language": {NDKL: 0.1, Unknown: 0.25, Groups: []eval.GroupExposure{{Group: "vi", Population: 0.5, Exposure: 0.6, Ratio: 1.2, Relevant: 0.5, Merit: 1.2}, {Group: "한국어", Population: 0.5, Exposure: 0.4, Ratio: 0.8}}}},
			Spread:      &eval.Spread{Listings: 40, Shown: 20, Coverage: 0.5, Gini: 0.6, TopShare: 0.1, Most: []eval.Count{{ID: "E1", Count: 4}}},
			Latency:     &eval.Latency{Median: 1.2, P95: 3.4},
		}
		for i, title := range titles {
			id := "T" + string(rune('1'+i))
			v := min(1, float64(i)*0.25+shift*float64(i%2))
			r.Topics[id] = map[string]float64{"nDCG@10": v, "Judged@10": 0.28}
			r.Measures["nDCG@10"] += v / 5
			r.Details[id] = eval.Detail{Title: title, Lang: langs[i],
				Ranked: []eval.Shown{{Rank: 1, ID: "E1", Title: titles[4-i], Lang: langs[4-i], Grade: grade(0), Score: 0.6, Parts: map[string]float64{"words": 0.4, "meaning": 0.2}}, {Rank: 2, ID: "E2", Title: "E2", Score: 0.5}},
				Missed: []eval.Shown{{ID: "E9", Title: title, Grade: grade(2)}}}
		}
		r.Measures["Judged@10"] = 0.28
		return r
	}
	r := &Report{Title: "Kết Nối: evaluation", Made: time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC), Measures: []string{"nDCG@10", "Judged@10"}, Results: []*eval.Result{make("additive-1", 0), make("words & more", 0.1)}}
	var err error
	if r.Comparisons, err = eval.Compare(r.Results, r.Measures, eval.Chance{Rounds: 1000, Seed: 1}); err != nil {
		panic(err)
	}
	return r
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	r := sample()
	for name, write := range map[string]func(io.Writer) error{"report.html": r.HTML, "report.md": r.Markdown} {
		got := written(t, write)
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from %s: look at it, and run with -update if it is right", name, path)
		}
		if again := written(t, write); again != got {
			t.Errorf("%s comes out differently the second time", name)
		}
	}
}

// TestSafe: nothing in the page runs or comes from elsewhere, whatever titles say; drawings are well formed.
func TestSafe(t *testing.T) {
	page := written(t, sample().HTML)
	drawn := 0
	for z := html.NewTokenizer(strings.NewReader(page)); z.Next() != html.ErrorToken; {
		token := z.Token()
		if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
			continue
		}
		switch token.Data {
		case "script", "link", "iframe", "img", "object", "embed", "base", "form", "a":
			t.Errorf("the page has %s", token)
		case "svg":
			drawn++
		}
		for _, a := range token.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "href" {
				t.Errorf("%s has %s", token.Data, a.Key)
			}
		}
	}
	if drawn != 2+2*2 {
		t.Errorf("%d drawings", drawn)
	}
	for rest := page; ; {
		from := strings.Index(rest, "<svg")
		if from < 0 {
			break
		}
		to := strings.Index(rest, "</svg>") + len("</svg>")
		dec := xml.NewDecoder(strings.NewReader(rest[from:to]))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("a drawing is not well formed: %v", err)
			}
		}
		rest = rest[to:]
	}
	md := written(t, sample().Markdown)
	for _, bad := range []string{"<script", "\u202e", "nước thải dệt nhuộm | giá"} {
		if strings.Contains(md, bad) {
			t.Errorf("the Markdown has %q", bad)
		}
	}
	for _, word := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(page+md, word) {
			t.Errorf("the report has %q", word)
		}
	}
}

// TestSparse: a run from elsewhere has means and nothing else.
func TestSparse(t *testing.T) {
	r := &Report{Title: "x", Measures: []string{"P@5"}, Results: []*eval.Result{{Name: "theirs", Measures: map[string]float64{"P@5": 0.2}, Topics: map[string]map[string]float64{"1": {"P@5": 0.2}}, Counts: eval.Counts{Topics: 1}}}}
	page, md := written(t, r.HTML), written(t, r.Markdown)
	for _, absent := range []string{"in detail", "Who is shown", "Parts of the collection", "worst topics"} {
		if strings.Contains(page+md, absent) {
			t.Errorf("there is a section %q", absent)
		}
	}
	if !strings.Contains(page, "0.200") || !strings.Contains(md, "| P@5 | 0.200 |") {
		t.Error(md)
	}
}

// TestInBrowser: on a phone the page does not scroll sideways; dark is dark, and its text is legible.
func TestInBrowser(t *testing.T) {
	browser := os.Getenv("KETNOI_TEST_BROWSER")
	if browser == "" || browser == "none" {
		t.Skip("KETNOI_TEST_BROWSER names no browser; .ci/browser installs one")
	}
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(written(t, sample().HTML)), 0o666); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(375, 800)); err != nil {
		t.Fatal(err)
	}
	type look struct {
		Wide, Inner int
		Paper, Ink  string
		Korean      bool
	}
	for _, scheme := range []string{"light", "dark"} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media)
		if err == nil {
			err = chromedp.Do(ctx, chromedp.Navigate("file://"+path))
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := chromedp.Run(ctx, chromedp.Evaluate[look](`({
			Wide: document.documentElement.scrollWidth, Inner: window.innerWidth,
			Paper: getComputedStyle(document.body).backgroundColor, Ink: getComputedStyle(document.querySelector("svg.plot text")).fill,
			Korean: document.querySelectorAll("article bdi[lang=ko]").length > 0 && document.title.startsWith("Kết Nối"),
		})`))
		if err != nil {
			t.Fatal(err)
		}
		if light := got.Paper == "rgb(255, 255, 255)"; got.Wide > got.Inner || light != (scheme == "light") || got.Ink == got.Paper || !got.Korean {
			t.Errorf("%s: %+v", scheme, got)
		}
	}
}
