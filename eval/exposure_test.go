package eval

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestExposureSplit: a is of x and y, b of y, c of z, so x has ½, y 1½ and z 1 of 3. The one topic shows a, whose attention is
// x's and y's by half. Its prefix has ½ each: ½·ln(½/(1/6)) + ½·ln(½/½) = ½·ln 3. Relevant are a and b: x ½, y 1½ of 2. What is
// not among groups, e, has no part in anything. y comes first, being largest.
func TestExposureSplit(t *testing.T) {
	groups := map[string][]string{"a": {"x", "y"}, "b": {"y"}, "c": {"z"}}
	got := MeasureExposure(Run{"1": {{"a", 2}, {"e", 1}}}, 1, groups, Qrels{"1": {"a": 1, "b": 2, "c": 0, "e": 1}})
	want := []GroupExposure{
		{"y", 1.5 / 3, 0.5, 1, 1.5 / 2, 0.5 / 0.75},
		{"z", 1.0 / 3, 0, 0, 0, 0}, // none relevant: merit 0
		{"x", 0.5 / 3, 0.5, 3, 0.5 / 2, 2},
	}
	if len(got.Groups) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, g := range got.Groups {
		w := want[i]
		if g.Group != w.Group || math.Abs(g.Population-w.Population)+math.Abs(g.Exposure-w.Exposure)+math.Abs(g.Ratio-w.Ratio)+math.Abs(g.Relevant-w.Relevant)+math.Abs(g.Merit-w.Merit) > 1e-12 {
			t.Errorf("%+v, want %+v", g, w)
		}
	}
	if math.Abs(got.NDKL-0.5*math.Log(3)) > 1e-12 {
		t.Errorf("NDKL %v, want ½·ln 3", got.NDKL)
	}
	// Equal groups stand by name; the second place counts only where it is among the first k.
	got = MeasureExposure(Run{"1": {{"a", 2}, {"b", 1}}}, 1, map[string][]string{"a": {"q"}, "b": {"p"}}, nil)
	if g := got.Groups; g[0].Group != "p" || g[0].Exposure != 0 || g[1].Exposure != 1 {
		t.Errorf("%+v", g)
	}
	if got := MeasureExposure(nil, 10, nil, nil); !reflect.DeepEqual(got, Exposure{Groups: []GroupExposure{}}) {
		t.Errorf("of nothing: %+v", got)
	}
}

// TestExposureSameInAnyOrder: thirds, sevenths and a whole add up to 3, or to the number next to it, by their order, which is
// that of a map if nobody sees to it. 8192 listings make this the last digit that is written.
func TestExposureSameInAnyOrder(t *testing.T) {
	groups := map[string][]string{"whole": {"x"}}
	for i := range 3 {
		groups[fmt.Sprint("third ", i)] = []string{"x", "y", "z"}
	}
	for i := range 7 {
		groups[fmt.Sprint("seventh ", i)] = []string{"x", "1", "2", "3", "4", "5", "6"}
	}
	qrels := Qrels{"1": {}}
	for doc := range groups {
		qrels["1"][doc] = 1
	}
	for i := len(groups); i < 8192; i++ {
		groups[fmt.Sprint(i)] = []string{"z"}
	}
	run := Run{"1": {{"third 0", 3}, {"seventh 0", 2}, {"whole", 1}}}
	first := MeasureExposure(run, 10, groups, qrels)
	for range 30 {
		if again := MeasureExposure(run, 10, groups, qrels); !reflect.DeepEqual(again, first) {
			t.Fatalf("%+v\nand then\n%+v", first, again)
		}
	}
}

func TestExposureProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 3, rapid.ID)
		groups, known := map[string][]string{}, false
		var all []Ranked
		for i := range rapid.IntRange(1, 12).Draw(t, "listings") {
			id := fmt.Sprint(i)
			groups[id] = names.Draw(t, "groups")
			known = known || len(groups[id]) > 0
			all = append(all, Ranked{id, float64(-i)})
		}
		e := MeasureExposure(Run{"1": all}, len(all), groups, nil)
		population, exposure := 0.0, 0.0
		for _, g := range e.Groups {
			population += g.Population
			exposure += g.Exposure
		}
		if known && (math.Abs(population-1) > 1e-9 || math.Abs(exposure-1) > 1e-9) || e.NDKL < 0 || e.Unknown < 0 || e.Unknown > 1 {
			t.Fatalf("%+v", e)
		}
		if len(e.Groups) == 1 && e.NDKL > 1e-12 {
			t.Fatalf("one group cannot be shown out of proportion: %+v", e)
		}
	})
}

// TestSpreadTop: 1 % of 300 listings are 3, here a, b and c with 4, 3 and 2 of 10 places.
func TestSpreadTop(t *testing.T) {
	run := Run{"1": {{"a", 4}, {"b", 3}, {"c", 2}, {"d", 1}}, "2": {{"a", 3}, {"b", 2}, {"c", 1}}, "3": {{"b", 2}, {"a", 1}}, "4": {{"a", 1}}}
	s := MeasureSpread(run, 10, 300)
	if want := []Count{{"a", 4}, {"b", 3}, {"c", 2}, {"d", 1}}; s.TopShare != 0.9 || !slices.Equal(s.Most, want) {
		t.Errorf("%+v, want 0.9 at the top of %v", s, want)
	}
}

// TestSpreadByDifferences: the Gini coefficient is half the mean absolute difference between any two listings, relative to the
// mean (Gini 1912), which takes n² steps and no sorting.
func TestSpreadByDifferences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.IntRange(0, 6), 1, 230).Draw(t, "times shown")
		run, places, shown := Run{}, 0, 0
		for i, n := range times {
			for topic := range n {
				id := fmt.Sprint(topic)
				run[id] = append(run[id], Ranked{fmt.Sprint(i), 1})
			}
			places += n
			shown += min(n, 1)
		}
		got, sum := MeasureSpread(run, len(times), len(times)), 0
		for _, a := range times {
			for _, b := range times {
				sum += max(a-b, b-a)
			}
		}
		want := over(float64(sum), float64(2*len(times)*places)) // n² pairs, mean places/n
		if math.Abs(got.Gini-want) > 1e-9 || got.Shown != shown || got.Coverage != float64(shown)/float64(len(times)) {
			t.Fatalf("%+v, want Gini %v and %d shown", got, want, shown)
		}
		slices.SortFunc(times, func(a, b int) int { return b - a })
		top := 0
		for _, n := range times[:max(1, len(times)/100)] {
			top += n
		}
		if got.TopShare != over(float64(top), float64(places)) || len(got.Most) != min(5, shown) {
			t.Fatalf("%+v, want %d of %d places at the top", got, top, places)
		}
	})
}
