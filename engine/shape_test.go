package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/engine"
)

const shrimpText = "Rapid test that finds white spot virus in shrimp ponds within twenty minutes, from a gill sample, without a laboratory, read by a phone camera at the pond side."

// shrimps are listings about a rapid test for shrimp, of the given organisations.
func shrimps(organisations ...string) (out []engine.Listing) {
	lines := []string{"Strips with gold particles are read after twelve minutes.", "A heated cartridge amplifies the gene and glows green.", "Antibodies on paper turn red when the virus is there.",
		"A magnetic bead draws the virus out of pond water first.", "The camera of a phone counts the fluorescent points.", "Isothermal amplification runs from a battery for a day."}
	for i, org := range organisations {
		l := technology(fmt.Sprintf("S%02d", i), "en", "White spot test for shrimp "+fmt.Sprint(i), "A rapid test that finds white spot virus in shrimp ponds. "+lines[i%len(lines)])
		l.Organisation = org
		out = append(out, l)
	}
	return out
}

func ids(a *engine.Answer) (out []string) {
	for _, item := range a.Items {
		out = append(out, item.Listing.ID)
	}
	return out
}

// TestShaping: each intervention does what it says, says that it did it, and can be left off.
func TestShaping(t *testing.T) {
	copied := shrimps("A", "B")
	copied[0].Text += " Farmers in four provinces used three hundred kits last season and lost fewer crops than their neighbours did."
	copied[1].Text = copied[0].Text + " Ask for a quotation."
	echo := append(shrimps("A"), technology("ECHO", "en", "We solve it", shrimpText))
	for _, tc := range []struct {
		code     string
		listings []engine.Listing
		query    engine.Query
		want     []string // in the order shown; the rest does not matter
		left     string
		off      []string // without the intervention
	}{
		{engine.ShapeDuplicate, copied, engine.Query{}, []string{"S00"}, "S01", []string{"S00", "S01"}},
		{engine.ShapeEcho, echo, engine.Query{}, []string{"S00"}, "ECHO", []string{"ECHO", "S00"}},
		{engine.ShapeOrganisation, shrimps("A", "A.", "a", "A", "B", "C"), engine.Query{Limit: 4}, nil, "", nil},
	} {
		t.Run(tc.code, func(t *testing.T) {
			rec := house(t, append(far(), tc.listings...)...)
			q := tc.query
			q.Text, q.Lang, q.Reader = shrimpText, "en", "fr"
			shaped := ask(t, rec, q)
			q.Without = []string{tc.code}
			plain := ask(t, rec, q)
			if tc.code == engine.ShapeOrganisation {
				count := func(a *engine.Answer) (n int) {
					for _, item := range a.Items {
						if strings.EqualFold(strings.Trim(item.Listing.Organisation, "."), "a") {
							n++
						}
					}
					return n
				}
				if count(shaped) != 2 || count(plain) < 3 {
					t.Errorf("of one organisation: %d shaped (%v), %d without (%v)", count(shaped), ids(shaped), count(plain), ids(plain))
				}
				return
			}
			if got := ids(shaped); !slices.Equal(got, tc.want) {
				t.Errorf("shaped: %v, want %v", got, tc.want)
			}
			if got := ids(plain); !slices.Equal(got, tc.off) || len(plain.Left) > 0 {
				t.Errorf("without: %v, want %v; left out %v", got, tc.off, plain.Left)
			}
			if len(shaped.Left) != 1 || shaped.Left[0].ID != tc.left || shaped.Left[0].Code != tc.code || shaped.Left[0].Reason != engine.Phrase("shape_"+tc.code, "fr") {
				t.Errorf("left out: %+v", shaped.Left)
			}
			q.Without = []string{"all"}
			if all := ask(t, rec, q); !slices.Equal(ids(all), tc.off) {
				t.Errorf("without all: %v", ids(all))
			}
		})
	}
}

// TestOrganisationsMoveBack: with nobody to take their places, an organisation's further listings stay in the list, say why they
// stand where they do, and nothing is lost.
func TestOrganisationsMoveBack(t *testing.T) {
	offers := shrimps("A", "A", "A", "A", "B")
	offers[4].Title, offers[4].Text = "Shrimp ponds", "Ponds for shrimp with a test bench, which a phone can watch for white spot."
	rec := house(t, append(far(), offers...)...)
	a := ask(t, rec, engine.Query{Text: shrimpText, Lang: "en", Limit: 5})
	moved := 0
	for i, item := range a.Items {
		for _, s := range item.Explanation.Shaping {
			moved++
			if s.Code != engine.ShapeOrganisation || s.Place == i+1 || s.Reason == "" {
				t.Errorf("%s at %d: %+v", item.Listing.ID, i+1, s)
			}
		}
	}
	if len(a.Items) != 5 || moved == 0 {
		t.Errorf("%v, %d moved", ids(a), moved)
	}
}

// TestExposure: over a week of the same question the one that is always first gives its place to one that answers about as well, and
// to nobody else; what one takes stays in bounds.
func TestExposure(t *testing.T) {
	twins := shrimps("A", "B", "C", "D", "E", "F")
	rec := house(t, append(far(), twins...)...)
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	rec.Now, rec.Exposure = func() time.Time { return now }, new(engine.Exposure)
	q := engine.Query{Text: "White spot virus in shrimp ponds", Lang: "en", Limit: 1, Without: []string{engine.ShapeDuplicate, engine.ShapeEcho}}
	first := ask(t, rec, q).Items[0]
	firsts := map[string]int{}
	lost := 0.0
	for i := range 3000 {
		now = now.Add(3 * time.Minute)
		item := ask(t, rec, q).Items[0]
		if firsts[item.Listing.ID]++; item.Listing.ID != first.Listing.ID {
			lost = max(lost, 1-item.Score/first.Score)
		}
		_ = i
	}
	if len(firsts) < 2 || lost > 0.05 {
		t.Errorf("first were %v; at most %.3f of the score was lost", firsts, lost)
	}
	q.Without = []string{"all"}
	if got := ask(t, rec, q).Items[0].Listing.ID; got != first.Listing.ID {
		t.Errorf("without the bound %s is first, not %s", got, first.Listing.ID)
	}
	if s := rec.Exposure.Share(first.Listing.ID, now.AddDate(0, 0, 8)); s != 0 {
		t.Errorf("after a week its share is still %v", s)
	}
}

// TestStandingRules: whoever the rules that always hold keep apart is not in the list, whatever else speaks for it; why-not names the
// rule, in every language.
func TestStandingRules(t *testing.T) {
	subject := engine.Listing{ID: "P", Kind: engine.Problem, Lang: "en", Title: "White spot in shrimp", Text: "We need a rapid test for white spot virus in shrimp ponds.", Organisation: "Farm X", Conflicts: []string{"Rival Co., Ltd"}}
	if a := ask(t, house(t, append(far(), func() engine.Listing {
		l := shrimps("A")[0]
		l.Conflicts = []string{"Secret Foe"}
		return l
	}())...), engine.Query{Text: shrimpText, Lang: "en", Without: []string{"all"}}); len(a.Items) != 1 || a.Items[0].Listing.Conflicts != nil {
		t.Errorf("whom it avoids is told: %+v", a.Items)
	}
	none, offers := 0, shrimps("Good", "Farm X", "RIVAL CO LTD", "Shy", "Full", "Apart")
	offers[3].Conflicts = []string{"farm x"}
	offers[4].Capacity = &none
	rec := house(t, append(append(far(), offers...), subject)...)
	rec.Blocked = func(_ context.Context, id string) ([]string, error) {
		if id == "P" {
			return []string{"S05"}, nil
		}
		return nil, nil
	}
	q := engine.Query{For: "P", Without: []string{"all"}}
	if got := ids(ask(t, rec, q)); !slices.Equal(got, []string{"S00"}) {
		t.Errorf("recommended: %v", got)
	}
	for id, rule := range map[string]string{"S01": engine.RuleOwn, "S02": engine.RuleConflict, "S03": engine.RuleConflict, "S04": engine.RuleCapacity, "S05": engine.RuleBlocked} {
		for _, reader := range []string{"vi", "fr", "en", "ko", "zh"} {
			q.Reader = reader
			w, err := rec.WhyNot(t.Context(), q, id)
			if err != nil {
				t.Fatal(err)
			}
			if len(w.Removed) == 1 && len(w.Removed[0].Wants) > 0 {
				t.Errorf("%s: why-not tells %v", id, w.Removed[0].Wants)
			}
			if len(w.Removed) != 1 || w.Removed[0].Rule != rule || w.Removed[0].Holds || len(w.Reasons) != 1 || !strings.Contains(w.Reasons[0], engine.Phrase(rule, reader)) {
				t.Errorf("%s, %s: %+v", id, reader, w)
			}
		}
	}
	if w, err := rec.WhyNot(t.Context(), q, "S00"); err != nil || w.Listed != 1 {
		t.Errorf("%+v, %v", w, err)
	}
	if _, err := rec.WhyNot(t.Context(), q, "nobody"); err == nil {
		t.Error("of a listing that does not exist something is said")
	}
}

// TestSharedLanguage: two sides without a common language meet through an ambassador who has one with each, and only then.
func TestSharedLanguage(t *testing.T) {
	offers := shrimps("A", "B", "C")
	offers[0].Lang, offers[1].Lang, offers[2].Lang = "ko", "vi", "fr"
	offers[0].Text += " 새우"
	bridge := engine.Listing{ID: "AMB", Kind: engine.Expert, Lang: "vi", Title: "Đại sứ", Organisation: "Sở KHCN", Text: "Kết nối doanh nghiệp nuôi tôm (shrimp) với viện nghiên cứu.", Languages: []string{"vi", "ko"}, Ambassador: true}
	q := engine.Query{Text: "White spot virus in shrimp ponds: rapid test", Lang: "vi", Want: []engine.Kind{engine.Technology}, Filter: engine.Filter{SharedLanguage: true}, Without: []string{"all"}}
	alone := ids(ask(t, house(t, append(far(), offers...)...), q))
	if !slices.Equal(alone, []string{"S01"}) {
		t.Errorf("without an ambassador: %v", alone)
	}
	a := ask(t, house(t, append(append(far(), offers...), bridge)...), q)
	if got := ids(a); !slices.Contains(got, "S00") || !slices.Contains(got, "S01") || slices.Contains(got, "S02") {
		t.Errorf("with one: %v", got)
	}
	for _, item := range a.Items {
		for _, r := range item.Explanation.Rules {
			if r.Rule == engine.RuleShared && (r.Via != nil) != (item.Listing.Lang == "ko") {
				t.Errorf("%s: %+v", item.Listing.ID, r)
			}
		}
	}
	// One whom the subject must not meet lends nothing.
	farm := engine.Listing{ID: "P", Kind: engine.Problem, Lang: "vi", Title: "Đốm trắng", Text: "White spot virus in shrimp ponds: rapid test."}
	blocked := house(t, append(append(far(), offers...), bridge, farm)...)
	blocked.Blocked = func(context.Context, string) ([]string, error) { return []string{"AMB"}, nil }
	if got := ids(ask(t, blocked, engine.Query{For: "P", Want: q.Want, Filter: q.Filter, Without: q.Without})); slices.Contains(got, "S00") {
		t.Errorf("through a blocked ambassador: %v", got)
	}
	q.Filter.SharedLanguage, q.Prefer.SharedLanguage = false, true
	if got := ids(ask(t, house(t, append(far(), offers...)...), q)); len(got) != 3 || got[0] != "S01" {
		t.Errorf("preferred: %v", got)
	}
}

// TestExclusions: what a query excludes is not there, and is counted.
func TestExclusions(t *testing.T) {
	offers := shrimps("A", "B", "C")
	offers[0].Regions, offers[1].Regions, offers[2].Regions = []string{"VN-40"}, []string{"CN"}, []string{"KR"}
	offers[1].OrganisationType = "university"
	rec := house(t, append(far(), offers...)...)
	for _, tc := range []struct {
		exclude engine.Filter
		rule    string
		gone    string
	}{
		{engine.Filter{Regions: []string{"VN"}}, engine.RuleRegion, "S00"},
		{engine.Filter{Regions: []string{"VN-35"}}, engine.RuleRegion, "S00"}, // the old province's heir
		{engine.Filter{OrganisationTypes: []string{"university"}}, engine.RuleOrgType, "S01"},
	} {
		q := engine.Query{Text: "White spot virus in shrimp ponds: rapid test", Lang: "en", Exclude: tc.exclude, Without: []string{"all"}}
		a := ask(t, rec, q)
		if got := ids(a); len(got) != 2 || slices.Contains(got, tc.gone) {
			t.Errorf("%+v: %v", tc.exclude, got)
		}
		if len(a.Removed) != 1 || a.Removed[0] != (engine.Removed{Rule: tc.rule, Not: true, Count: 1}) {
			t.Errorf("%+v removed %+v", tc.exclude, a.Removed)
		}
		w, err := rec.WhyNot(t.Context(), q, tc.gone)
		if err != nil || len(w.Removed) != 1 || !w.Removed[0].Not {
			t.Errorf("%+v, %v", w, err)
		}
	}
}

// TestExclusionOfAllLevels: an exclusion of every readiness level excludes what states one, not nothing.
func TestExclusionOfAllLevels(t *testing.T) {
	offers := shrimps("A", "B")
	offers[0].TRL = 8
	a := ask(t, house(t, append(far(), offers...)...), engine.Query{Text: shrimpText, Lang: "en", Exclude: engine.Filter{TRLMin: 1}, Without: []string{"all"}})
	if got := ids(a); !slices.Equal(got, []string{"S01"}) {
		t.Errorf("%v", got)
	}
}

// TestNothingButEchoes: where all that reaches the threshold is left out, there is no match, and it is no nearest either.
func TestNothingButEchoes(t *testing.T) {
	a := ask(t, house(t, append(far(), technology("ECHO", "en", "We solve it", shrimpText))...), engine.Query{Text: shrimpText, Lang: "en"})
	if !a.NoMatch || len(a.Items) > 0 || len(a.Left) != 1 || len(a.Nearest) == 0 || a.Nearest[0].ID == "ECHO" {
		t.Errorf("%+v", a)
	}
}

// TestChanges: what would bring a listing up does bring it there.
func TestChanges(t *testing.T) {
	offers := shrimps("A", "B", "C")
	offers[0].TRL, offers[1].TRL, offers[2].TRL = 3, 8, 9
	rec := house(t, append(far(), offers...)...)
	q := engine.Query{Text: "Rapid test white spot virus shrimp ponds. Strips with gold particles are read after twelve minutes.", Lang: "en", Prefer: engine.Filter{TRLMin: 6}, Without: []string{"all"}}
	rec.Ranker.Within[engine.SignalPreference], rec.Ranker.Across[engine.SignalPreference] = 0.9, 0.9
	for _, item := range ask(t, rec, q).Items {
		if item.Listing.ID != "S00" {
			continue
		}
		c := item.Explanation.Changes
		if item.Rank != 3 || len(c) == 0 || c[0].Rule != engine.RuleReadiness || c[0].Place != 1 || !strings.Contains(c[0].Text, "no. 1") {
			t.Fatalf("place %d: %+v", item.Rank, c)
		}
	}
	offers[0].TRL = 6
	if got := ids(ask(t, house(t, append(far(), offers...)...), q)); got[0] != "S00" {
		t.Errorf("with TRL 6: %v", got)
	}
}

// TestWhyNotByScore: of one that no rule removes it says the place, and what it lacks.
func TestWhyNotByScore(t *testing.T) {
	rec := house(t, append(far(), shrimps("A", "B", "C", "D")...)...)
	q := engine.Query{Text: shrimpText, Lang: "en", Limit: 2, Without: []string{"all"}, Reader: "vi"}
	listed := ids(ask(t, rec, q))
	for i := range 4 {
		id := fmt.Sprintf("S%02d", i)
		if slices.Contains(listed, id) {
			continue
		}
		w, err := rec.WhyNot(t.Context(), q, id)
		if err != nil || w.Listed != 0 || w.Place < 3 || w.Last != 2 || len(w.HeldBack) == 0 || len(w.Reasons) < 2 || w.Score <= 0 {
			t.Errorf("%s: %+v, %v", id, w, err)
		}
		sum := 0.0
		for _, p := range w.Parts {
			sum += p.Points
		}
		if d := sum - w.Score; d > 1e-9 || d < -1e-9 {
			t.Errorf("%s: parts add up to %v, the score is %v", id, sum, w.Score)
		}
	}
	w, err := rec.WhyNot(t.Context(), q, "F20")
	if err != nil || w.Confidence >= w.Threshold || !slices.Contains(w.Reasons, engine.Phrase("why_weak", "vi")) {
		t.Errorf("%+v, %v", w, err)
	}
}

// TestMarks: what carries a match is marked in both quotes, as it stands there, and in no other language's words.
func TestMarks(t *testing.T) {
	rec := house(t, append(far(), technology("K", "ko", "흰반점병 진단 키트", "새우 흰반점병을 양식장에서 조기에 진단합니다."), technology("S", "en", "White spot test for shrimp", "A rapid test that finds white spot virus in shrimp ponds."))...)
	a := ask(t, rec, engine.Query{Text: "Ao tôm bị bệnh đốm trắng, cần phát hiện sớm. Rapid test wanted.", Lang: "vi"})
	seen := 0
	for _, item := range a.Items {
		for _, e := range item.Explanation.Evidence {
			for _, q := range []engine.Quote{e.Subject, e.Candidate} {
				for _, m := range q.Marks {
					if seen++; !strings.Contains(strings.ToLower(q.Text), strings.ToLower(m)) {
						t.Errorf("%s: %q is not in %q", item.Listing.ID, m, q.Text)
					}
				}
			}
			if item.Listing.ID == "K" && (len(e.Candidate.Marks) == 0 || len(e.Subject.Marks) == 0) {
				t.Errorf("nothing is marked in %+v", e)
			}
		}
	}
	if seen < 4 {
		t.Errorf("%d words are marked", seen)
	}
}
