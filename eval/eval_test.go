package eval

import (
	"bufio"
	"compress/gzip"
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

	"github.com/ketnoi/ketnoi/eval/shared"
)

// trecNames leads from trec_eval's names to ours.
var trecNames = map[string]string{
	"map": "AP", "recip_rank": "RR", "P_5": "P@5", "P_10": "P@10", "recall_5": "R@5", "recall_10": "R@10", "recall_100": "R@100", "bpref": "bpref",
	"ndcg_cut_5": "nDCG@5", "ndcg_cut_10": "nDCG@10", "ndcg_cut_100": "nDCG@100", "success_1": "Success@1", "success_5": "Success@5", "success_10": "Success@10",
}

// atLevel is our name of a measure when relevance begins at a grade.
func atLevel(name string, rel int) string {
	if rel == 1 || strings.HasPrefix(name, "nDCG") {
		return name
	}
	base, depth, cut := strings.Cut(name, "@")
	base += fmt.Sprintf("(rel=%d)", rel)
	if cut {
		base += "@" + depth
	}
	return base
}

// TestAgainstTrecEval reproduces every value that trec_eval 10.0 printed, to its four digits, per topic and as means.
func TestAgainstTrecEval(t *testing.T) {
	for _, tc := range []struct {
		qrels, run, golden string
		rel, values        int
	}{
		{"data/golden/synthetic.qrels", "data/golden/synthetic.run", "data/golden/synthetic.eval", 1, 17*31 + 1},
		{"data/golden/synthetic.qrels", "data/golden/synthetic.run", "data/golden/synthetic-level2.eval", 2, 4 * 31},
		{"data/needs-providers/qrels.txt", "data/golden/needs-providers-bm25.run.gz", "data/golden/needs-providers-bm25.eval", 1, 17*129 + 1},
	} {
		qrels, err := ReadQrels(open(t, tc.qrels))
		if err != nil {
			t.Fatal(err)
		}
		run, _, err := ReadRun(open(t, tc.run))
		if err != nil {
			t.Fatal(err)
		}
		// Counts, which are no measures of ours.
		counts := map[string]func(topic string) int{
			"num_ret": func(topic string) int { return len(run[topic]) },
			"num_rel": func(topic string) int { return Judge(nil, qrels[topic]).relevant(tc.rel) },
			"num_rel_ret": func(topic string) int {
				return hits(Judge(run[topic], qrels[topic]).Ranking, tc.rel)
			},
		}
		compared := 0
		for sc := bufio.NewScanner(open(t, tc.golden)); sc.Scan(); compared++ {
			f := strings.Fields(sc.Text())
			var of func(topic string) float64
			sum := f[1] == "all"
			switch ours := trecNames[f[0]]; {
			case ours != "":
				m, err := ParseMeasure(atLevel(ours, tc.rel))
				if err != nil {
					t.Fatal(err)
				}
				of = func(topic string) float64 { return m.Of(Judge(run[topic], qrels[topic])) }
			case f[0] == "num_q":
				of = func(string) float64 { return 1 }
			case counts[f[0]] != nil:
				count := counts[f[0]]
				of = func(topic string) float64 { return float64(count(topic)) }
			default:
				t.Fatalf("%s: %s is not known", tc.golden, f[0])
			}
			got := 0.0
			if !sum {
				got = of(f[1])
			} else {
				for topic := range qrels {
					if counts["num_ret"](topic) > 0 || f[0] != "num_ret" {
						got += of(topic)
					}
				}
				if trecNames[f[0]] != "" {
					got /= float64(len(qrels)) // option -c: topics that the run misses count as 0
				}
			}
			want, err := strconv.ParseFloat(f[2], 64)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got-want) > 0.00005+1e-9 {
				t.Errorf("%s, topic %s: %s is %.4f, trec_eval printed %s", tc.golden, f[1], f[0], got, f[2])
			}
		}
		if compared != tc.values {
			t.Errorf("%s: %d values compared instead of %d", tc.golden, compared, tc.values)
		}
	}
}

func open(t testing.TB, name string) io.Reader {
	t.Helper()
	f, err := os.Open(shared.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func measure(t testing.TB, name string) func(*Judged) float64 {
	t.Helper()
	m, err := ParseMeasure(name)
	if err != nil {
		t.Fatal(err)
	}
	return m.Of
}

// TestByHand works out each measure on six documents: relevant are b (grade 2), d (1) and x (1), which was not found; a and
// f were judged not relevant, e of a negative grade; c was not judged.
func TestByHand(t *testing.T) {
	ranking := []Ranked{{"a", 6}, {"b", 5}, {"c", 4}, {"d", 3}, {"e", 2}, {"f", 1}}
	j := Judge(ranking, map[string]int{"a": 0, "b": 2, "d": 1, "x": 1, "e": -1, "f": 0})
	for name, want := range map[string]float64{
		"P@2": 1.0 / 2, "P@5": 2.0 / 5, "P@10": 2.0 / 10, "P(rel=2)@5": 1.0 / 5, "R@2": 1.0 / 3, "R@5": 2.0 / 3, "R(rel=2)@5": 1.0 / 1,
		"RR": 1.0 / 2, "RR@1": 0, "RR(rel=2)@10": 1.0 / 2, "Success@1": 0, "Success@2": 1, "Success(rel=2)@1": 0,
		"AP": (1.0/2 + 2.0/4) / 3, "AP(rel=2)": 1.0 / 2, "AP@2": (1.0 / 2) / 3,
		"nDCG@5": (2/math.Log2(3) + 1/math.Log2(5)) / (2/math.Log2(2) + 1/math.Log2(3) + 1/math.Log2(4)),
		"nDCG@2": (2 / math.Log2(3)) / (2/math.Log2(2) + 1/math.Log2(3)),
		// a, b of a, b; then a, b, d, e of a, b, c, d, e; then all but c of six, which are fewer than ten.
		"Judged@2": 2.0 / 2, "Judged@5": 4.0 / 5, "Judged@10": 5.0 / 6,
		// R = 3 relevant, N = 2 judged not relevant (e counts as unjudged): above b and above d stands one of min(N, R) = 2.
		"bpref": ((1 - 1.0/2) + (1 - 1.0/2)) / 3,
		// Ranks 2 and 4, each weighing (1-p)·p^(rank-1).
		"RBP(p=0.8)": 0.2*0.8 + 0.2*0.8*0.8*0.8, "RBP(p=0.5)": 0.5*0.5 + 0.5*0.5*0.5*0.5, "RBP(p=0.8,rel=2)": 0.2 * 0.8, "RBP(p=0.8)@3": 0.2 * 0.8,
	} {
		if got := measure(t, name)(j); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	empty := Judge(nil, map[string]int{"x": 1})
	nothing := Judge(ranking, nil)
	for _, name := range Defaults {
		if a, b := measure(t, name)(empty), measure(t, name)(nothing); a != 0 || b != 0 {
			t.Errorf("%s of an empty ranking is %v, without judgements %v", name, a, b)
		}
	}
	for in, want := range map[string]string{
		"": "want nDCG", "nDCG@0": "want a depth", "nDCG@x": "want a depth", "P": "such as P@10", "MAP": "called AP", "ndcg@10": "called nDCG", "P@-1": "want a depth", "bpref@10": "takes no depth",
		"RBP(p=1)": "p between 0 and 1", "RBP(p=x)": "p between", "P(rel=0)@5": "want rel", "nDCG(rel=2)@5": "takes no parameters", "AP(p=0.5)": "none of its parameters", "AP(rel=2": "not closed", "AP()": "none of its",
	} {
		if _, err := ParseMeasure(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseMeasure(%q): %v, want %q", in, err, want)
		}
	}
}

func TestMeasureProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		grades := map[string]int{}
		var ranking, perfect []Ranked
		for i := range rapid.IntRange(1, 12).Draw(t, "n") {
			doc := fmt.Sprintf("d%02d", i)
			grades[doc] = rapid.IntRange(-1, 3).Draw(t, "grade")
			ranking = append(ranking, Ranked{doc, float64(rapid.IntRange(0, 20).Draw(t, "score"))})
			perfect = append(perfect, Ranked{doc, float64(grades[doc])})
		}
		Order(ranking)
		Order(perfect)
		j, best := Judge(ranking, grades), Judge(perfect, grades)
		for _, name := range append([]string{"P(rel=2)@5", "AP(rel=2)", "nDCG", "RR"}, Defaults...) {
			m, err := ParseMeasure(name)
			if err != nil {
				t.Fatal(err)
			}
			got, top := m.Of(j), m.Of(best)
			if got < 0 || got > 1+1e-12 || math.IsNaN(got) {
				t.Fatalf("%s = %v", name, got)
			}
			if got > top+1e-12 {
				t.Fatalf("%s: %v beats the perfect ranking's %v", name, got, top)
			}
			whole := name == "nDCG" || name == "nDCG@10" || name == "RR" || name == "RR@10" || name == "AP" || name == "Success@1" || name == "R@100" || name == "bpref"
			if best.relevant(1) > 0 && whole && math.Abs(top-1) > 1e-9 && (name != "nDCG@10" || len(grades) <= 10) {
				t.Fatalf("%s of a perfect ranking is %v", name, top)
			}
			// Documents of one grade may change places; one more that nobody judged, at the end, changes only how much is judged.
			i, k := rapid.IntRange(0, len(ranking)-1).Draw(t, "i"), rapid.IntRange(0, len(ranking)-1).Draw(t, "k")
			if grades[ranking[i].Doc] == grades[ranking[k].Doc] {
				swapped := slices.Clone(ranking)
				swapped[i].Doc, swapped[k].Doc = swapped[k].Doc, swapped[i].Doc
				if again := m.Of(Judge(swapped, grades)); again != got {
					t.Fatalf("%s: %v after equal documents changed places, %v before", name, again, got)
				}
			}
			if more := m.Of(Judge(append(slices.Clone(ranking), Ranked{"unknown", -1}), grades)); more != got && name != "Judged@10" {
				t.Fatalf("%s: %v with an unjudged document at the end, %v without", name, more, got)
			}
		}
	})
}

func TestReadersAreStrict(t *testing.T) {
	for in, want := range map[string]string{
		"1 0 a 1\n1 0 a 2\n": "line 2: topic 1 judges a twice (1 before)", "1 0 a\n": "line 1: 3 columns instead of 4", "1 0 a x\n": `line 1: grade "x" is no whole number`, "1 0 a 1.5\n": `grade "1.5"`,
		"1 0 a 1\n1 0 b 5000\n": "line 2: grade 5000 is out of range", "1 0 a 1\r1 0 b 1\n": "line 1: a carriage return", "1 0 a 1 5\n": "5 columns instead of 4", "1 0 \xff 1\n": "not valid UTF-8",
	} {
		if _, err := ReadQrels(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", in, err, want)
		}
	}
	for in, want := range map[string]string{
		"1 Q0 a 1 NaN t\n": `line 1: score "NaN" is no number`, "1 Q0 a 1 0.5\n": "5 columns instead of 6", "1 Q0 a 1 1 t\n\n1 Q0 a 2 1 t\n": "line 3: topic 1 ranks a twice", "1 Q0 a 1 +Inf t\n": "is no number",
		"1 Q0 a 1 1 t\n1 Q0 b 1 1 u\n": `line 2: tag "u" after "t"`, "1 Q0 a 1 1 t\n2 Q0 a 1 1 t\n1 Q0 b 1 1 t\n2 Q0 a 2 3 t\n1 Q0 b 3 1 t\n": "line 4: topic 2 ranks a twice",
	} {
		if _, _, err := ReadRun(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", in, err, want)
		}
	}
	if q, err := ReadQrels(strings.NewReader("\ufeff1 0 a 1\r\n\n1\t0\tb -1\n")); err != nil || q["1"]["a"] != 1 || q["1"]["b"] != -1 {
		t.Errorf("mixed line ends: %v, %v", q, err)
	}
	for in, want := range map[string]string{
		`{"id":"a b","title":"x"}`: "line 1: id: \"a b\" has white space", `{"id":"a","title":" "}`: "neither title nor text",
		`{"title":"x"}`: "id: missing", `{"id":"a"}`: "line 1: topic a has neither", "{": "line 1: no topic", `{"id":"a","title":"x"}` + "\n" + `{"id":"a","title":"y"}`: "line 2: id: a stands twice",
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
	back, tag, err := ReadRun(strings.NewReader(b.String()))
	if err != nil || tag != "tag" || len(back) != 2 || !slices.Equal(back["t1"], run["t1"]) || !slices.Equal(back["t0"], run["t0"]) {
		t.Errorf("%v, %v\n%s", back, err, b.String())
	}
	var z strings.Builder
	w := gzip.NewWriter(&z)
	io.WriteString(w, b.String())
	w.Close()
	if back, _, err := ReadRun(strings.NewReader(z.String())); err != nil || len(back) != 2 {
		t.Errorf("gzipped: %v, %v", back, err)
	}
}

func FuzzReaders(f *testing.F) {
	f.Add("1 0 a 1\n")
	f.Add("1 Q0 a 1 0.5 t\n")
	f.Add(`{"id":"a","title":"x"}`)
	f.Add("\x1f\x8b")
	f.Fuzz(func(t *testing.T, s string) {
		if q, err := ReadQrels(strings.NewReader(s)); err == nil {
			var b strings.Builder
			if err := WriteQrels(&b, q); err != nil {
				t.Fatal(err)
			}
			if back, err := ReadQrels(strings.NewReader(b.String())); err != nil || back.Digest() != q.Digest() {
				t.Fatalf("written and read again: %v, %v", back, err)
			}
		}
		_, _ = ReadTopics(strings.NewReader(s))
		if run, _, err := ReadRun(strings.NewReader(s)); err == nil {
			var b strings.Builder
			if err := WriteRun(&b, run, "t"); err != nil {
				t.Fatal(err)
			}
			back, _, err := ReadRun(strings.NewReader(b.String()))
			if err != nil || len(back) != len(run) {
				t.Fatalf("written and read again: %d topics of %d, %v", len(back), len(run), err)
			}
		}
	})
}

func FuzzParseMeasure(f *testing.F) {
	for _, name := range append([]string{"P(rel=2)@5", "RBP(p=0.8,rel=2)@3", "nDCG@", "AP("}, Defaults...) {
		f.Add(name)
	}
	j := Judge([]Ranked{{"a", 3}, {"b", 2}, {"c", 1}}, map[string]int{"a": 1, "b": 0, "c": 3, "d": -1})
	f.Fuzz(func(t *testing.T, name string) {
		m, err := ParseMeasure(name)
		if err != nil {
			return
		}
		if v := m.Of(j); !(v >= 0 && v <= 1) {
			t.Errorf("%s is %v", m.Name, v)
		}
	})
}

// BenchmarkMeasures measures 1,000 topics with 1,000 documents each by all measures; an operation is all of them.
func BenchmarkMeasures(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	run, qrels := Run{}, Qrels{}
	for t := range 1000 {
		topic := fmt.Sprint(t)
		qrels[topic] = map[string]int{}
		for i := range 1000 {
			doc := fmt.Sprint(i)
			run[topic] = append(run[topic], Ranked{doc, rng.Float64()})
			if i%20 == 0 {
				qrels[topic][doc] = i / 20 % 4
			}
		}
		Order(run[topic])
	}
	measures, err := ParseMeasures(append([]string{"P(rel=2)@5", "nDCG", "AP(rel=2)"}, Defaults...))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Score("x", run, qrels, measures); err != nil {
			b.Fatal(err)
		}
	}
}
