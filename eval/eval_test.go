package eval

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/eval/shared"
)

// trecNames leads from trec_eval's names to ours.
var trecNames = map[string]string{
	"map": "AP", "recip_rank": "RR", "P_5": "P@5", "P_10": "P@10", "recall_5": "R@5", "recall_10": "R@10", "recall_100": "R@100",
	"ndcg_cut_5": "nDCG@5", "ndcg_cut_10": "nDCG@10", "ndcg_cut_100": "nDCG@100", "success_1": "Success@1", "success_5": "Success@5", "success_10": "Success@10",
}

// TestAgainstTrecEval reproduces what trec_eval 10.0 printed, to its four digits, per topic and as means.
func TestAgainstTrecEval(t *testing.T) {
	for _, tc := range []struct {
		qrels, run, golden string
		rel                int
	}{
		{"data/golden/synthetic.qrels", "data/golden/synthetic.run", "data/golden/synthetic.eval", 1},
		{"data/golden/synthetic.qrels", "data/golden/synthetic.run", "data/golden/synthetic-level2.eval", 2},
		{"data/needs-providers/qrels.txt", "data/golden/needs-providers-bm25.run.gz", "data/golden/needs-providers-bm25.eval", 1},
	} {
		qrels, err := ReadQrels(open(t, tc.qrels))
		if err != nil {
			t.Fatal(err)
		}
		run, err := ReadRun(open(t, tc.run))
		if err != nil {
			t.Fatal(err)
		}
		compared := 0
		for sc := bufio.NewScanner(open(t, tc.golden)); sc.Scan(); {
			f := strings.Fields(sc.Text())
			name, ours := f[0], trecNames[f[0]]
			if ours == "" {
				continue
			}
			m, err := ParseMeasure(ours)
			if err != nil {
				t.Fatal(err)
			}
			got := 0.0
			if f[1] == "all" {
				topics := 0
				for topic, grades := range qrels {
					if relevant(grades, tc.rel) == 0 && !judgedInRun(run, topic) {
						continue
					}
					topics++
					got += m(run[topic], grades, tc.rel)
				}
				got /= float64(topics)
			} else {
				got = m(run[f[1]], qrels[f[1]], tc.rel)
			}
			want, err := strconv.ParseFloat(f[2], 64)
			if err != nil {
				t.Fatal(err)
			}
			compared++
			if math.Abs(got-want) > 0.00005+1e-9 {
				t.Errorf("%s, topic %s: %s is %.4f, trec_eval printed %s", tc.golden, f[1], name, got, f[2])
			}
		}
		t.Logf("%s: %d values compared", tc.golden, compared)
		if compared < 100 {
			t.Errorf("%s: only %d values compared", tc.golden, compared)
		}
	}
}

// judgedInRun: trec_eval -c counts the topics of the judgements.
func judgedInRun(Run, string) bool { return true }

func open(t *testing.T, name string) io.Reader {
	t.Helper()
	f, err := os.Open(shared.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestByHand works out each measure on five documents: relevant are b (grade 2), d (1) and x (1), which was not found.
func TestByHand(t *testing.T) {
	ranking := []Ranked{{"a", 5}, {"b", 4}, {"c", 3}, {"d", 2}, {"e", 1}}
	grades := map[string]int{"a": 0, "b": 2, "d": 1, "x": 1, "e": -1}
	for name, want := range map[string]float64{
		"P@2": 1.0 / 2, "P@5": 2.0 / 5, "P@10": 2.0 / 10, "R@2": 1.0 / 3, "R@5": 2.0 / 3, "RR": 1.0 / 2, "RR@1": 0, "Success@1": 0, "Success@2": 1,
		"AP":     (1.0/2 + 2.0/4) / 3,
		"nDCG@5": (2/math.Log2(3) + 1/math.Log2(5)) / (2/math.Log2(2) + 1/math.Log2(3) + 1/math.Log2(4)),
		"nDCG@2": (2 / math.Log2(3)) / (2/math.Log2(2) + 1/math.Log2(3)),
	} {
		m, err := ParseMeasure(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := m(ranking, grades, 1); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	for _, bad := range []string{"", "nDCG@0", "nDCG@x", "P", "R", "MAP", "P@-1"} {
		if _, err := ParseMeasure(bad); err == nil {
			t.Errorf("ParseMeasure(%q) is taken", bad)
		}
	}
}

func TestMeasureProperties(t *testing.T) {
	names := []string{"nDCG@10", "RR", "AP", "P@5", "R@10", "Success@3"}
	rapid.Check(t, func(t *rapid.T) {
		grades := map[string]int{}
		var ranking, perfect []Ranked
		for i := range rapid.IntRange(1, 12).Draw(t, "n") {
			doc := fmt.Sprintf("d%02d", i)
			grades[doc] = rapid.IntRange(-1, 3).Draw(t, "grade")
			ranking = append(ranking, Ranked{doc, rapid.Float64Range(0, 1).Draw(t, "score")})
			perfect = append(perfect, Ranked{doc, float64(grades[doc])})
		}
		Order(ranking)
		Order(perfect)
		n := relevant(grades, 1)
		for _, name := range names {
			m, err := ParseMeasure(name)
			if err != nil {
				t.Fatal(err)
			}
			got := m(ranking, grades, 1)
			if got < 0 || got > 1+1e-12 || math.IsNaN(got) {
				t.Fatalf("%s = %v", name, got)
			}
			if best := m(perfect, grades, 1); got > best+1e-12 {
				t.Fatalf("%s: %v beats the perfect ranking's %v", name, got, best)
			} else if n > 0 && (name == "nDCG@10" || name == "RR" || name == "AP") && math.Abs(best-1) > 1e-9 {
				t.Fatalf("%s of a perfect ranking is %v", name, best)
			}
		}
	})
}

func TestReadersAreStrict(t *testing.T) {
	for in, want := range map[string]string{
		"1 0 a 1\n1 0 a 2\n": "line 2: topic 1 judges a twice (1 before)", "1 0 a\n": "line 1: 3 columns instead of 4", "1 0 a x\n": `line 1: grade "x" is no whole number`, "1 0 a 1.5\n": `grade "1.5"`,
	} {
		if _, err := ReadQrels(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", in, err, want)
		}
	}
	for in, want := range map[string]string{
		"1 Q0 a 1 NaN t\n": `line 1: score "NaN" is no number`, "1 Q0 a 1 0.5\n": "5 columns instead of 6", "1 Q0 a 1 1 t\n\n1 Q0 a 2 1 t\n": "line 3: topic 1 ranks a twice", "1 Q0 a 1 +Inf t\n": "is no number",
	} {
		if _, err := ReadRun(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", in, err, want)
		}
	}
	for in, want := range map[string]string{
		`{"title":"x"}`: "id: missing", `{"id":"a"}`: "neither title nor text", "{": "line 1", `{"id":"a","title":"x"}` + "\n" + `{"id":"a","title":"y"}`: "line 2: id: a stands twice",
	} {
		if _, err := ReadTopics(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", in, err, want)
		}
	}
}

func TestRunSurvivesWriting(t *testing.T) {
	run := Run{"t1": {{"b", 0.1234567890123}, {"a", 0.1234567890123}}, "t0": {{"c", -1}}}
	for _, r := range run {
		Order(r)
	}
	var b strings.Builder
	if err := WriteRun(&b, run, "tag"); err != nil {
		t.Fatal(err)
	}
	back, err := ReadRun(strings.NewReader(b.String()))
	if err != nil || len(back) != 2 || !slices.Equal(back["t1"], run["t1"]) || !slices.Equal(back["t0"], run["t0"]) {
		t.Errorf("%v, %v\n%s", back, err, b.String())
	}
	var z strings.Builder
	w := gzip.NewWriter(&z)
	io.WriteString(w, b.String())
	w.Close()
	if back, err := ReadRun(strings.NewReader(z.String())); err != nil || len(back) != 2 {
		t.Errorf("gzipped: %v, %v", back, err)
	}
}

// fixed ranks the same way whatever is asked.
type fixed []engine.Near

func (f fixed) Rank(context.Context, *engine.Listing, engine.Query) ([]engine.Near, error) {
	return f, nil
}

// TestSlices: the slices take the other slice's relevant documents out of the ranking.
func TestSlices(t *testing.T) {
	x := &Experiment{
		Topics: []Topic{{ID: "t", Title: "Nước thải nuôi tôm", Lang: "vi"}, {ID: "unjudged", Title: "x"}},
		Qrels:  Qrels{"t": {"same": 2, "cross": 2, "bad": 0}},
		LangOf: map[string]string{"same": "vi", "cross": "ko", "bad": "ko"},
	}
	rep, err := x.Execute(t.Context(), fixed{{ID: "same", Score: 3}, {ID: "cross", Score: 2}, {ID: "bad", Score: 1}}, "fixed")
	if err != nil {
		t.Fatal(err)
	}
	if rep.Measures["nDCG@10"] != 1 || rep.Slices["same-language"].Measures["nDCG@10"] != 1 || rep.Slices["cross-language"].Measures["nDCG@10"] != 1 || rep.Slices["cross-language"].Judged != 1 || len(rep.Topics) != 1 {
		t.Errorf("%+v", rep)
	}
	x.Qrels = Qrels{"other": {"a": 1}}
	if _, err := x.Execute(t.Context(), fixed{}, "fixed"); err == nil {
		t.Error("judgements of other topics are taken")
	}
}

func FuzzReaders(f *testing.F) {
	f.Add("1 0 a 1\n")
	f.Add("1 Q0 a 1 0.5 t\n")
	f.Add(`{"id":"a","title":"x"}`)
	f.Add("\x1f\x8b")
	f.Fuzz(func(t *testing.T, s string) {
		_, _ = ReadQrels(strings.NewReader(s))
		_, _ = ReadTopics(strings.NewReader(s))
		if run, err := ReadRun(strings.NewReader(s)); err == nil {
			var b strings.Builder
			if err := WriteRun(&b, run, "t"); err != nil {
				t.Fatal(err)
			}
			back, err := ReadRun(strings.NewReader(b.String()))
			if err != nil || len(back) != len(run) {
				t.Fatalf("written and read again: %d topics of %d, %v", len(back), len(run), err)
			}
		}
	})
}

func BenchmarkMeasures(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	var ranking []Ranked
	grades := map[string]int{}
	for i := range 1000 {
		ranking = append(ranking, Ranked{fmt.Sprint(i), rng.Float64()})
		if i%20 == 0 {
			grades[fmt.Sprint(i)] = 1 + i%3
		}
	}
	Order(ranking)
	for b.Loop() {
		for _, name := range Measures {
			m, _ := ParseMeasure(name)
			m(ranking, grades, 1)
		}
	}
}
