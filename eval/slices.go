package eval

import (
	"maps"
	"slices"
	"strings"
)

// measure computes the figures of a run: per topic, as means over all topics, and as means over those with an answer.
func (res *Result) measure(ids []string, qrels Qrels, measures []Measure) {
	for _, id := range ids {
		if len(res.Run[id]) == 0 {
			res.Counts.Missing++
		}
		res.Counts.Judged += len(qrels[id])
	}
	all := measureSlice(ids, qrels, res.Run, measures, nil)
	res.Counts.Topics, res.Counts.Relevant = all.Topics, all.Judged
	res.Measures, res.Topics = all.Measures, all.perTopic
	res.Answered = mean(ids, measures, func(id, name string) (float64, bool) { return all.perTopic[id][name], len(res.Run[id]) > 0 })
}

// mean averages in the order of the ids, so that a figure is the same each time.
func mean(ids []string, measures []Measure, of func(id, name string) (float64, bool)) map[string]float64 {
	out := map[string]float64{}
	for _, m := range measures {
		sum, n := 0.0, 0
		for _, id := range ids {
			if v, counts := of(id, m.Name); counts {
				sum += v
				n++
			}
		}
		out[m.Name] = over(sum, float64(n))
	}
	return out
}

// measureSlice computes the figures over the judgements that keep selects (nil: all). Relevant documents that it does not
// select are taken out of the rankings, so that they are neither a success nor in the way.
func measureSlice(ids []string, qrels Qrels, run Run, measures []Measure, keep func(topic, doc string) bool) Slice {
	out := Slice{perTopic: map[string]map[string]float64{}}
	var counted []string
	for _, id := range ids {
		grades, ranking := qrels[id], run[id]
		if keep != nil {
			grades = map[string]int{}
			others := map[string]bool{}
			for doc, g := range qrels[id] {
				if g < 1 || keep(id, doc) {
					grades[doc] = g
				} else {
					others[doc] = true
				}
			}
			if len(others) > 0 {
				ranking = slices.DeleteFunc(slices.Clone(ranking), func(d Ranked) bool { return others[d.Doc] })
			}
		}
		j := Judge(ranking, grades)
		n := j.relevant(1)
		if n == 0 {
			continue
		}
		counted = append(counted, id)
		out.Judged += n
		values := make(map[string]float64, len(measures))
		for _, m := range measures {
			values[m.Name] = m.Of(j)
		}
		out.perTopic[id] = values
	}
	out.Topics = len(counted)
	out.Measures = mean(counted, measures, func(id, name string) (float64, bool) { return out.perTopic[id][name], true })
	return out
}

// slice measures the parts of the collection that people ask about: whether the judged listing is in the topic's language,
// the pair of languages, the listing's kind; the topic's field and region, where it states them.
func (e *Experiment) slice(topics []Topic, ids []string, langs map[string]string, res *Result) {
	res.Slices = map[string]Slice{}
	if e.Facts == nil {
		return
	}
	byListing := map[string]func(topic, doc string) bool{
		"same-language":  func(t, d string) bool { return e.Facts[d].Lang == langs[t] },
		"cross-language": func(t, d string) bool { return e.Facts[d].Lang != langs[t] },
	}
	byTopic := map[string][]string{}
	for _, t := range topics {
		for doc, g := range e.Qrels[t.ID] {
			f, known := e.Facts[doc]
			if g < 1 || !known {
				continue
			}
			from, to, kind := langs[t.ID], f.Lang, f.Kind
			byListing["language "+from+"-"+to] = func(t, d string) bool { return langs[t] == from && e.Facts[d].Lang == to }
			byListing["kind "+string(kind)] = func(_, d string) bool { return e.Facts[d].Kind == kind }
		}
		groups := map[string]bool{}
		for _, f := range t.Fields {
			groups["field "+f] = true
		}
		for _, r := range t.Regions {
			country, _, _ := strings.Cut(r, "-")
			groups["region "+country] = true
		}
		for g := range groups {
			byTopic[g] = append(byTopic[g], t.ID)
		}
	}
	put := func(name string, s Slice) {
		if s.Topics > 0 {
			res.Slices[name] = s
		}
	}
	for name, keep := range byListing {
		put(name, measureSlice(ids, e.Qrels, res.Run, e.Measures, keep))
	}
	for name, ids := range byTopic {
		put(name, measureSlice(ids, e.Qrels, res.Run, e.Measures, nil))
	}
}

// fairness measures what accuracy does not: who is shown, and whether a score means what it says.
func (e *Experiment) fairness(res *Result) {
	res.Calibration = Calibrate(res.Run, e.Qrels, bins)
	if len(e.Facts) == 0 {
		return
	}
	couldBe := Facts{} // shown: those of a wanted kind
	for id, f := range e.Facts {
		if len(e.Want) == 0 || slices.Contains(e.Want, f.Kind) {
			couldBe[id] = f
		}
	}
	for _, grades := range e.Qrels {
		for doc := range grades {
			if _, known := e.Facts[doc]; !known {
				res.Counts.Unknown++
			}
		}
	}
	spread := MeasureSpread(res.Run, shownDepth, len(couldBe))
	res.Spread, res.Exposure = &spread, map[string]Exposure{}
	for name, of := range map[string]func(Fact) []string{
		"language":          func(f Fact) []string { return some(f.Lang) },
		"region":            func(f Fact) []string { return f.Regions },
		"organisation size": func(f Fact) []string { return some(f.Size) },
		"gender":            func(f Fact) []string { return some(f.Gender) },
	} {
		groups, given := make(map[string][]string, len(couldBe)), false
		for id, f := range couldBe {
			groups[id] = of(f)
			given = given || len(groups[id]) > 0
		}
		if given {
			res.Exposure[name] = MeasureExposure(res.Run, shownDepth, groups, e.Qrels)
		}
	}
}

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// SliceNames lists the slices of results: languages first, then as the alphabet has it.
func SliceNames(results []*Result) []string {
	all := map[string]bool{}
	for _, r := range results {
		for name := range r.Slices {
			all[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(all))
	slices.SortStableFunc(names, func(a, b string) int {
		return strings.Compare(strings.Replace(a, "same-", " ", 1), strings.Replace(b, "same-", " ", 1))
	})
	return names
}
