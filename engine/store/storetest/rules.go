package storetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/engine"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// ask is what people can ask for, whose reference is Filter.Allows.
type ask struct {
	engine.Filter
	not   engine.Filter // must not be
	kinds []engine.Kind
	own   *engine.Listing // whose own are not wanted
	at    time.Time
}

func (a *ask) rules() []engine.Clause {
	out := append(append(a.Clauses(), a.not.Exclusions()...), engine.Clause{Rule: engine.RuleCurrent, After: a.at.Unix()})
	if len(a.kinds) > 0 {
		kind := engine.Clause{Rule: engine.RuleKind}
		for _, k := range a.kinds {
			kind.AnyOf = append(kind.AnyOf, engine.Facet("kind:"+k))
		}
		out = append(out, kind)
	}
	if a.own != nil {
		out = append(out, engine.Clause{Rule: engine.RuleOwn, AnyOf: []engine.Facet{engine.OwnFacet(a.own)}, Not: true})
	}
	return out
}

func (a *ask) allows(l *engine.Listing) bool {
	for _, c := range a.not.Exclusions() {
		if !c.Holds(engine.Facets(l), 0) {
			return false
		}
	}
	return a.Allows(l, a.at) && (len(a.kinds) == 0 || slices.Contains(a.kinds, l.Kind)) && (a.own == nil || engine.OwnFacet(l) != engine.OwnFacet(a.own))
}

// stated are the things that can be asked for, by what they are about. Regions include units that Viet Nam has retired
// and what stands above units, fields what stands above fields, and there is something of each that no listing has.
var stated = [][]func(*ask){
	each(func(a *ask, v []string) { a.Fields = v }, []string{"2"}, []string{"2.1"}, []string{"2.11"}, []string{"4"}, []string{"4.1", "1.2"}, []string{"6.5"}),
	each(func(a *ask, v []string) { a.Regions = v }, []string{"VN"}, []string{"VN-R4"}, []string{"VN-35"}, []string{"VN-40"}, []string{"VN-72", "KR"}, []string{"VN-HP"}, []string{"VN-61"}, []string{"AU", "JP"}, []string{"AU-QLD"}, []string{"FR"}),
	each(func(a *ask, v []string) { a.Languages = v }, []string{"vi"}, []string{"ko", "fr"}, []string{"x-none"}),
	each(func(a *ask, v [2]int) { a.TRLMin, a.TRLMax = v[0], v[1] }, [2]int{1, 9}, [2]int{4, 0}, [2]int{0, 3}, [2]int{5, 5}, [2]int{9, 9}),
	each(func(a *ask, v []string) { a.IPStatus = v }, []string{"open"}, []string{"filed", "granted"}, []string{"expired"}),
	each(func(a *ask, v []string) { a.OrganisationTypes = v }, []string{"university"}, []string{"institute", "enterprise"}),
	each(func(a *ask, v int) { a.Since = v }, 1990, 2015, 2026),
	each(func(a *ask, v engine.Filter) { a.not = v }, engine.Filter{Fields: []string{"2"}}, engine.Filter{Regions: []string{"VN-35"}, Languages: []string{"ko"}}, engine.Filter{TRLMin: 4}, engine.Filter{IPStatus: []string{"open"}, OrganisationTypes: []string{"university"}}, engine.Filter{Since: 2015}),
	each(func(a *ask, v []engine.Kind) { a.kinds = v }, []engine.Kind{engine.Expert}, []engine.Kind{engine.Technology}, []engine.Kind{engine.Problem, engine.Expert}, engine.Kinds),
	each(func(a *ask, v *engine.Listing) { a.own = v }, &engine.Listing{ID: "x", Organisation: "VIEN A"}, &engine.Listing{ID: "L003"}, &engine.Listing{ID: "L004", Organisation: "Nobody"}),
	each(func(a *ask, v time.Time) { a.at = v }, now.Add(-24*time.Hour), now.Add(-1), now.Add(7*time.Hour), now.Add(17*time.Hour), now.Add(17*time.Hour+time.Second), now.AddDate(5, 0, 0), time.Unix(1, 0)),
}

func each[T any](set func(*ask, T), values ...T) (out []func(*ask)) {
	for _, v := range values {
		out = append(out, func(a *ask) { set(a, v) })
	}
	return out
}

// asks are nothing, everything that can be asked for alone, a fifth of its pairs, and random sets of it.
func asks(rng *rand.Rand) []ask {
	out := []ask{{at: now}}
	add := func(set ...func(*ask)) {
		a := ask{at: now}
		for _, f := range set {
			f(&a)
		}
		out = append(out, a)
	}
	for i, some := range stated {
		for _, f := range some {
			add(f)
			for _, others := range stated[i+1:] {
				for _, g := range others {
					if rng.IntN(5) == 0 {
						add(f, g)
					}
				}
			}
		}
	}
	for range 60 {
		var set []func(*ask)
		for _, some := range stated {
			if rng.IntN(2) == 0 {
				set = append(set, some[rng.IntN(len(some))])
			}
		}
		add(set...)
	}
	return out
}

// pick draws up to most different values, in order.
func pick(rng *rand.Rand, most int, values ...string) (out []string) {
	for n := rng.IntN(most + 1); len(out) < n; {
		if v := values[rng.IntN(len(values))]; !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func one[T any](rng *rand.Rand, values ...T) T { return values[rng.IntN(len(values))] }

// random makes a listing of anything that rules can ask about.
func random(rng *rand.Rand, id string) *engine.Listing {
	l := &engine.Listing{
		ID: id, Kind: one(rng, engine.Kinds...), Title: saying(rng, 3), Text: saying(rng, 8), Lang: one(rng, "", "vi", "en", "ko", "fr", "zh"),
		Fields: pick(rng, 2, "2", "2.1", "2.10", "2.11", "4.1", "1.2", "5.9"), Regions: pick(rng, 3, "VN", "VN-40", "VN-35", "VN-72", "VN-61", "VN-HP", "VN-R4", "KR-26", "KR", "AU-QLD", "AU", "FR"),
		Languages: pick(rng, 2, "vi", "fr", "ko"), TRL: rng.IntN(10), IPStatus: one(rng, "", "open", "know_how", "filed", "granted"),
		Organisation: one(rng, "", "", "Viện A", "vien-a.", "B Co., Ltd", "会社"), OrganisationType: one(rng, "", "university", "institute", "enterprise"),
		ExpiresAt: one(rng, "", "", "", "2026-05-31", "2026-06-01", "2025-01-01", "2030-01-01", "2026-06-01T00:00:00Z", "2026-06-01T07:00:00+07:00", "1960-01-01"),
	}
	for range rng.IntN(3) {
		l.Works = append(l.Works, engine.Work{Title: saying(rng, 2), Text: saying(rng, 4), Year: one(rng, 0, 1989, 2014, 2015, 2026)})
	}
	return l
}

func randomCorpus(rng *rand.Rand, n int) (out []engine.Entry) {
	for i := range n {
		l := random(rng, fmt.Sprintf("L%03d", i))
		out = append(out, embed(engine.Entry{Listing: l, Passages: cut(l, 1)}, model, dim))
	}
	return out
}

// nearest is a plain loop over the corpus: the n allowed listings with the nearest passages, sorted by id, and how many
// are allowed.
func nearest(corpus []engine.Entry, mean []float32, allows func(*engine.Listing) bool, n int) (ids []string, allowed int) {
	type near struct {
		id   string
		best float64
	}
	var list []near
	for _, e := range corpus {
		if !allows(e.Listing) {
			continue
		}
		best := -2.0
		for _, v := range e.Vectors {
			best = max(best, dot(v, mean))
		}
		list = append(list, near{e.Listing.ID, best})
	}
	slices.SortFunc(list, func(a, b near) int { return cmp.Compare(b.best, a.best) })
	for _, x := range list[:min(n, len(list))] {
		ids = append(ids, x.id)
	}
	slices.Sort(ids)
	return ids, len(list)
}

// checkRules compares what a way finds by vectors alone with the plain loop.
func (w way) checkRules(t *testing.T, corpus []engine.Entry, rules []engine.Clause, allows func(*engine.Listing) bool, mean []float32, n int) {
	t.Helper()
	want, allowed := nearest(corpus, mean, allows, n)
	out := w.retrieve(t, reading("", mean), rules, n)
	got := found(out)
	if !slices.Equal(got, want) || out.Allowed != allowed || out.Path.Estimated {
		t.Fatalf("the %s finds %d %v, want %d %v; it allows %d, want %d; %+v", w.name, len(got), got, len(want), want, out.Allowed, allowed, rules)
	}
}

// found are the ids of the candidates, sorted.
func found(out *engine.Candidates) (ids []string) {
	for _, c := range out.List {
		ids = append(ids, c.Listing.ID)
	}
	slices.Sort(ids)
	return ids
}

// overAges runs check on a corpus three times: before a database has counted anything, after it has counted all, and
// after all has changed since. An estimate may be as wrong as it likes; answers may not.
func (s *suite) overAges(t *testing.T, rng *rand.Rand, check func(t *testing.T, corpus []engine.Entry, ways []way)) {
	corpus := randomCorpus(rng, 240)
	for _, age := range []string{"never counted", "counted", "counted before all changed"} {
		if age == "counted" {
			if !s.maintain(t) {
				return
			}
		} else {
			corpus = randomCorpus(rng, len(corpus))
			s.put(t, corpus...)
		}
		t.Run(age, func(t *testing.T) { check(t, corpus, s.ways(t, model, dim)) })
	}
}

// rules: every way finds the nearest of those that Filter.Allows allows, as many as are asked for or are there, and
// counts them; with words beside, no fewer.
func rules(t *testing.T, s *suite) {
	rng := rand.New(rand.NewPCG(4, 4))
	all := asks(rng)
	s.overAges(t, rng, func(t *testing.T, corpus []engine.Entry, ways []way) {
		for i := range all {
			a := &all[i]
			for _, w := range ways {
				mean := unit(rng, dim)
				w.checkRules(t, corpus, a.rules(), a.allows, mean, len(corpus))
				n := 1 + rng.IntN(12)
				w.checkRules(t, corpus, a.rules(), a.allows, mean, n)
				if i%4 != 0 {
					continue
				}
				_, allowed := nearest(corpus, mean, a.allows, n)
				out := w.retrieve(t, reading(saying(rng, 6), mean), a.rules(), n)
				for _, id := range found(out) {
					if l := corpus[slices.IndexFunc(corpus, func(e engine.Entry) bool { return e.Listing.ID == id })].Listing; !a.allows(l) {
						t.Errorf("the %s finds %s by words, which is not allowed by %+v", w.name, id, a.rules())
					}
				}
				if len(out.List) < min(n, allowed) || out.Allowed != allowed {
					t.Errorf("with words the %s finds %d of %d, want %d or more of %d", w.name, len(out.List), out.Allowed, min(n, allowed), allowed)
				}
			}
		}
	})
}

// clauses of any form, those too that no filter has, decide as Clause.Holds does.
func clauses(t *testing.T, s *suite) {
	rng := rand.New(rand.NewPCG(5, 5))
	s.overAges(t, rng, func(t *testing.T, corpus []engine.Entry, ways []way) {
		for range 60 {
			var rules []engine.Clause
			for range 1 + rng.IntN(3) {
				c := engine.Clause{Not: rng.IntN(3) == 0}
				for range rng.IntN(4) {
					if rng.IntN(8) == 0 {
						c.AnyOf = append(c.AnyOf, one(rng, engine.Facet("id:absent"), "region:absent", "", "own:"))
						continue
					}
					facets := engine.Facets(corpus[rng.IntN(len(corpus))].Listing)
					c.AnyOf = append(c.AnyOf, facets[rng.IntN(len(facets))])
				}
				if rng.IntN(8) == 0 {
					c = engine.Clause{After: now.Unix()}
				}
				rules = append(rules, c)
			}
			allows := func(l *engine.Listing) bool { return engine.NewStub(l).Allowed(rules) }
			for _, w := range ways {
				w.checkRules(t, corpus, rules, allows, unit(rng, dim), 1+rng.IntN(300))
			}
		}
	})
}
