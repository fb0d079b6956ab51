package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
)

// fixed ranks the same way whatever is asked, and counts how often it is.
type fixed struct {
	listings []engine.Listing
	scores   []float64
	asked    atomic.Int32
	failAt   int32 // the call that fails; 0 for none
}

func (f *fixed) Rank(_ context.Context, _ *engine.Listing, _ engine.Query, yield func(*engine.Scored)) error {
	if n := f.asked.Add(1); n == f.failAt {
		return errors.New("the plug is pulled")
	}
	for i := range f.listings {
		s := &engine.Scored{Candidate: &engine.Candidate{Stub: engine.NewStub(&f.listings[i])}, Score: f.scores[i]}
		s.Raw[engine.SignalWords], s.Weights[engine.SignalWords] = f.scores[i], 1
		yield(s)
	}
	return nil
}

func shelf(scores map[string]float64) *fixed {
	f := &fixed{}
	for _, id := range []string{"same", "cross", "bad", "low"} {
		if score, ok := scores[id]; ok {
			lang := "ko"
			if id == "same" {
				lang = "vi"
			}
			f.listings = append(f.listings, engine.Listing{ID: id, Kind: engine.Expert, Title: "T " + id, Lang: lang})
			f.scores = append(f.scores, score)
		}
	}
	return f
}

func collection(t *testing.T) *Experiment {
	t.Helper()
	measures, err := ParseMeasures([]string{"nDCG@10", "Judged@10", "P@5"})
	if err != nil {
		t.Fatal(err)
	}
	return &Experiment{
		Topics:   []Topic{{ID: "t", Title: "Nước thải nuôi tôm", Lang: "vi", Fields: []string{"2.7"}, Regions: []string{"VN-HP"}}, {ID: "unjudged", Title: "x"}},
		Qrels:    Qrels{"t": {"same": 2, "cross": 2, "bad": 0, "gone": 1}},
		Measures: measures,
		Facts:    Facts{"same": {Kind: engine.Expert, Lang: "vi", Regions: []string{"VN"}}, "cross": {Kind: engine.Technology, Lang: "ko", Size: "small"}, "bad": {Kind: engine.Expert, Lang: "ko"}},
	}
}

// TestExperiment: slices take the other slices' relevant documents out of the ranking; what the store lacks is counted;
// details say what was shown, why, and what was missed.
func TestExperiment(t *testing.T) {
	x := collection(t)
	res := &Result{Name: "fixed"}
	if err := x.Execute(t.Context(), shelf(map[string]float64{"same": 0.9, "cross": 0.8, "bad": 0.7}), 0.95, res); err != nil {
		t.Fatal(err)
	}
	for name, topics := range map[string]int{"same-language": 1, "cross-language": 1, "language vi-vi": 1, "language vi-ko": 1, "kind expert": 1, "kind technology": 1, "field 2.7": 1, "region VN": 1, "region VN-HP": 0} {
		if got := res.Slices[name]; got.Topics != topics {
			t.Errorf("slice %s: %+v, want %d topics", name, got, topics)
		}
	}
	// "gone" has no language: it is judged and not found, which costs only the whole, and the slice across languages.
	if same := res.Slices["same-language"].Measures["nDCG@10"]; same != 1 {
		t.Errorf("same-language nDCG@10 is %v", same)
	}
	want := Counts{Topics: 1, Judged: 4, Relevant: 3, Unknown: 1, NoMatch: 1}
	if res.Counts != want {
		t.Errorf("counts %+v, want %+v", res.Counts, want)
	}
	d := res.Details["t"]
	if len(d.Ranked) != 3 || d.Ranked[0].ID != "same" || *d.Ranked[0].Grade != 2 || d.Ranked[0].Parts["words"] != 0.9 || len(d.Missed) != 1 || d.Missed[0].ID != "gone" || d.Missed[0].Rank != 0 {
		t.Errorf("%+v", d)
	}
	if res.Exposure["language"].Groups == nil || len(res.Exposure["organisation size"].Groups) != 1 || res.Spread.Shown != 3 || res.Calibration.Judged != 3 || len(res.Topics) != 1 || res.Latency == nil {
		t.Errorf("%+v", res)
	}
	if _, has := res.Exposure["gender"]; has {
		t.Error("exposure by gender, which nobody stated")
	}
	x.Qrels = Qrels{"other": {"a": 1}}
	if err := x.Execute(t.Context(), shelf(nil), 0, &Result{}); err == nil {
		t.Error("judgements of other topics are taken")
	}
}

// TestMissing: a topic without an answer counts as 0 in the one mean and not in the other.
func TestMissing(t *testing.T) {
	measures, _ := ParseMeasures([]string{"P@1"})
	res, err := Score("x", Run{"1": {{"a", 1}}}, Qrels{"1": {"a": 1}, "2": {"a": 1}, "3": {"a": 0}}, measures)
	if err != nil || res.Measures["P@1"] != 0.5 || res.Answered["P@1"] != 1 || res.Counts.Topics != 2 || res.Counts.Missing != 1 {
		t.Errorf("%+v, %v", res, err)
	}
	if _, err := Score("x", Run{"7": {{"a", 1}}}, Qrels{"1": {"a": 1}}, measures); err == nil {
		t.Error("a run of other topics is scored")
	}
}

// TestJournal: an experiment that was stopped goes on where it was, and comes to the same; one of something else begins anew.
func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.journal")
	many := func() *Experiment {
		x := collection(t)
		x.Topics, x.Qrels = nil, Qrels{}
		for i := range 40 {
			id := fmt.Sprintf("t%02d", i)
			x.Topics = append(x.Topics, Topic{ID: id, Title: "nước thải", Lang: "vi"})
			x.Qrels[id] = map[string]int{"same": i % 3, "cross": 1}
		}
		return x
	}
	run := func(subject string, f *fixed) (*Result, int, error) {
		x := many()
		var err error
		if x.Journal, err = OpenJournal(path, subject); err != nil {
			t.Fatal(err)
		}
		defer x.Journal.Close()
		known := x.Journal.Known()
		res := &Result{}
		err = x.Execute(t.Context(), f, 0, res)
		res.Latency = nil
		return res, known, err
	}
	scores := map[string]float64{"same": 0.9, "cross": 0.8}
	stopped := shelf(scores)
	stopped.failAt = 20
	if _, _, err := run("a", stopped); err == nil || !strings.Contains(err.Error(), "the plug is pulled") || !strings.Contains(err.Error(), "topic t") {
		t.Fatalf("stopped: %v", err)
	}
	body, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(body, `{"topic":"t39","ran`...), 0o666) // what a kill leaves
	}
	if err != nil {
		t.Fatal(err)
	}
	on := shelf(scores)
	res, known, err := run("a", on)
	if err != nil || known < 18 || known+int(on.asked.Load()) != 40 {
		t.Errorf("%d known, %d asked, %v", known, on.asked.Load(), err)
	}
	os.Remove(path)
	whole, _, err := run("a", shelf(scores))
	if err != nil || fmt.Sprintf("%+v", whole.Measures) != fmt.Sprintf("%+v", res.Measures) || len(whole.Details) != len(res.Details) || whole.Details["t07"].Ranked[0].Parts["words"] != res.Details["t07"].Ranked[0].Parts["words"] {
		t.Errorf("in one go %+v, in two %+v, %v", whole.Measures, res.Measures, err)
	}
	if _, known, err := run("b", shelf(scores)); known != 0 || err != nil {
		t.Errorf("another subject takes over %d topics, %v", known, err)
	}
}

// results makes two of the same collection: B gains on the first n topics and loses on the others.
func results(n, of int, by float64) (*Result, *Result) {
	a, b := &Result{Name: "a", Collection: "c", Topics: map[string]map[string]float64{}}, &Result{Name: "b", Collection: "c", Topics: map[string]map[string]float64{}}
	for i := range of {
		id, d := fmt.Sprintf("t%03d", i), by
		if i >= n {
			d = -by
		}
		a.Topics[id] = map[string]float64{"P@5": 0.5, "R@5": 0.5}
		b.Topics[id] = map[string]float64{"P@5": 0.5 + d, "R@5": 0.5}
	}
	return a, b
}

func TestCompare(t *testing.T) {
	chance := Chance{Rounds: 10_000, Seed: 1}
	for _, tc := range []struct {
		n, of int
		want  Verdict
	}{{30, 30, Better}, {0, 30, Worse}, {16, 30, Noise}, {3, 4, Noise}} {
		a, b := results(tc.n, tc.of, 0.1)
		got, err := Compare([]*Result{a, b}, []string{"P@5", "R@5"}, chance)
		if err != nil {
			t.Fatal(err)
		}
		ch := got[0].Changes[0]
		if ch.Verdict != tc.want || ch.Better != tc.n || ch.Worse != tc.of-tc.n || got[0].Changes[1].Verdict != Same || ch.Holm < ch.P || math.Abs(ch.Difference-0.1*float64(2*tc.n-tc.of)/float64(tc.of)) > 1e-9 {
			t.Errorf("%d of %d: %+v", tc.n, tc.of, ch)
		}
		if !slices.IsSortedFunc(got[0].Moved, func(x, y TopicShift) int { return int(1e6 * (x.Difference - y.Difference)) }) || len(got[0].Moved) != tc.of {
			t.Errorf("moved: %+v", got[0].Moved)
		}
	}
	a, b := results(1, 2, 0.1)
	b.Collection = "other"
	if _, err := Compare([]*Result{a, b}, []string{"P@5"}, chance); err == nil || !strings.Contains(err.Error(), "different topics or judgements") {
		t.Errorf("two collections: %v", err)
	}
	b.Collection = "c"
	if _, err := Compare([]*Result{a, b}, []string{"AP"}, chance); err == nil || !strings.Contains(err.Error(), "AP is not in both") {
		t.Errorf("a measure that is not there: %v", err)
	}
}

// TestPool: every run's first listings and the random ones are there once, without what was judged, in an order that says
// nothing of who proposed them, and the same each time.
func TestPool(t *testing.T) {
	runs := []NamedRun{{"a", Run{"1": {{"x", 3}, {"y", 2}, {"z", 1}}}}, {"b", Run{"1": {{"y", 3}, {"w", 2}}}}}
	topics := []Topic{{ID: "1", Title: "t"}, {ID: "2", Title: "t"}}
	candidates := []string{"r1", "r2", "r3", "r4", "x", "1"}
	o := PoolOptions{Depth: 2, Random: 3, Seed: 1}
	pool := Pool(runs, topics, candidates, Qrels{"1": {"w": 0}}, o)
	by, random := map[string][]string{}, 0
	for _, p := range pool {
		if p.Topic == "1" {
			by[p.Doc] = p.By
		}
		if slices.Contains(p.By, RandomName) {
			random++
		}
	}
	if !slices.Equal(by["y"], []string{"a", "b"}) || by["x"] == nil || by["z"] != nil || by["w"] != nil || by["1"] != nil || random < 5 || random > 6 {
		t.Errorf("%+v", pool)
	}
	if again := Pool(runs, topics, candidates, Qrels{"1": {"w": 0}}, o); fmt.Sprint(again) != fmt.Sprint(pool) {
		t.Error("another pool the second time")
	}
	// Over many seeds, what a proposed first stands at either end alike.
	first := 0
	for seed := range uint64(400) {
		pool := Pool(runs[:1], topics[:1], nil, nil, PoolOptions{Depth: 2, Seed: seed})
		if pool[0].Doc == "x" {
			first++
		}
	}
	if first < 150 || first > 250 {
		t.Errorf("the best proposal stands first %d times of 400", first)
	}
}

func TestParseGrade(t *testing.T) {
	for in, want := range map[string]int{"2": 2, "3": 3, "-1": -1, "1.0": 1, "Concluded": 3, "in_talks": 2, "declined": 0} {
		if g, judged, err := ParseGrade(in, nil); g != want || !judged || err != nil {
			t.Errorf("%q: %d, %v, %v; want %d", in, g, judged, err, want)
		}
	}
	for _, in := range []string{"", " ", "suggested"} {
		if _, judged, err := ParseGrade(in, nil); judged || err != nil {
			t.Errorf("%q counts as judged, %v", in, err)
		}
	}
	for _, in := range []string{"good", "1.5", "NaN", "2 3"} {
		if _, _, err := ParseGrade(in, nil); err == nil {
			t.Errorf("%q is taken", in)
		}
	}
	q := Qrels{}
	if err := q.Add("t", "a", 1); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []error{q.Add("t", "a", 2), q.Add("t", "a b", 1), q.Add("", "a", 1), q.Add("t", "b", 100_000)} {
		if bad == nil {
			t.Error("a faulty judgement is taken")
		}
	}
}
