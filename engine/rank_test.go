package engine

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func drawCandidates(t *rapid.T) *Candidates {
	c := new(Candidates)
	share := rapid.Float32Range(0, 1)
	for i := range rapid.IntRange(0, 8).Draw(t, "candidates") {
		l := &Listing{ID: fmt.Sprintf("C%d", i), Kind: Expert, Lang: rapid.SampledFrom([]string{"vi", "ko", ""}).Draw(t, "lang"), Fields: rapid.SampledFrom([][]string{nil, {"4.1"}, {"4.2"}, {"2.7"}}).Draw(t, "fields")}
		if rapid.Bool().Draw(t, "seeks") {
			l.Seeks = &Seeks{Kinds: []Kind{Problem}, Fields: []string{"4.1"}, Languages: []string{"vi"}}
		}
		cand := Candidate{Stub: NewStub(l)}
		for p := range rapid.IntRange(1, 4).Draw(t, "hits") {
			cand.Hits = append(cand.Hits, Hit{Passage: p, Work: p / 2, Meaning: share.Draw(t, "m"), Words: share.Draw(t, "w"), Concepts: share.Draw(t, "c")})
		}
		c.List = append(c.List, cand)
	}
	return c
}

var subject = &Reading{Listing: &Listing{ID: "S", Kind: Problem, Lang: "vi"}, Lang: "vi", Fields: []string{"4.1"}, Mean: []float32{1}}

// TestScoreIsTheSumOfItsParts: every raw value lies in [0, 1], the points add up, the order is by score, then id.
func TestScoreIsTheSumOfItsParts(t *testing.T) {
	rk := DefaultRanker()
	prefer := (&Filter{Fields: []string{"4.1"}, Languages: []string{"ko"}}).Clauses()
	rapid.Check(t, func(t *rapid.T) {
		ranked := rk.Rank(subject, prefer, drawCandidates(t), nil)
		for i, s := range ranked {
			sum := 0.0
			for _, p := range s.Parts() {
				if p.Raw < 0 || p.Raw > 1 || math.IsNaN(p.Raw) {
					t.Fatalf("%s of %s is %v", p.Signal, s.Listing.ID, p.Raw)
				}
				sum += p.Points
			}
			if math.Abs(sum-s.Score) > 1e-9 {
				t.Fatalf("%s: parts add up to %v, score %v", s.Listing.ID, sum, s.Score)
			}
			if i > 0 && (ranked[i-1].Score < s.Score || ranked[i-1].Score == s.Score && ranked[i-1].Listing.ID >= s.Listing.ID) {
				t.Fatalf("%s before %s", ranked[i-1].Listing.ID, s.Listing.ID)
			}
		}
	})
}

// TestMoreIsNeverWorse: raising one figure of one passage never lowers a score.
func TestMoreIsNeverWorse(t *testing.T) {
	rk := DefaultRanker()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCandidates(t)
		if len(c.List) == 0 {
			return
		}
		before := rk.Rank(subject, nil, c, nil)[0]
		hit := &before.Hits[rapid.IntRange(0, len(before.Hits)-1).Draw(t, "hit")]
		up := rapid.Float32Range(0, 1).Draw(t, "up")
		switch rapid.IntRange(0, 2).Draw(t, "signal") {
		case 0:
			hit.Meaning = max(hit.Meaning, up)
		case 1:
			hit.Words = max(hit.Words, up)
		default:
			hit.Concepts = max(hit.Concepts, up)
		}
		for _, s := range rk.Rank(subject, nil, c, nil) {
			if s.Listing.ID == before.Listing.ID && s.Score < before.Score-1e-12 {
				t.Fatalf("%s fell from %v to %v", s.Listing.ID, before.Score, s.Score)
			}
		}
	})
}

// TestWorksAreNotAveraged: works that say nothing do not pull down the one that answers, and the passages of one text
// do not count as several works.
func TestWorksAreNotAveraged(t *testing.T) {
	value := func(hits ...Hit) float64 {
		return raw(subject, nil, &Candidate{Stub: NewStub(&Listing{}), Hits: hits})[SignalMeaning]
	}
	one := value(Hit{Meaning: 0.6})
	if many := value(Hit{Meaning: 0.6}, Hit{Work: 1}, Hit{Work: 2}, Hit{Work: 3}); many != one {
		t.Errorf("with empty works beside it: %v, alone %v", many, one)
	}
	if split := value(Hit{Meaning: 0.6}, Hit{Meaning: 0.5, Passage: 1}); split != one {
		t.Errorf("two passages of one work: %v, one %v", split, one)
	}
	if two := value(Hit{Meaning: 0.6}, Hit{Meaning: 0.5, Work: 1}); two <= one {
		t.Errorf("two works: %v, one %v", two, one)
	}
}

// TestWeightsAddUp: a score stays within 0 and 1, and one set reaches 1.
func TestWeightsAddUp(t *testing.T) {
	rk := DefaultRanker()
	most := 0.0
	for _, w := range []Weights{rk.Within, rk.Across} {
		sum := 0.0
		for sig, x := range w {
			if Signal(sig) != SignalPreference {
				sum += x
			}
		}
		most = max(most, sum)
	}
	if math.Abs(most-1) > 1e-9 {
		t.Errorf("the weights that weigh more add up to %v without preferences", most)
	}
}

// TestUnknownLanguageCostsNothing: where a language is unknown or a guess, a candidate scores what the kinder set gives it.
func TestUnknownLanguageCostsNothing(t *testing.T) {
	rk := DefaultRanker()
	guessed := *subject
	guessed.Lang = ""
	rapid.Check(t, func(t *rapid.T) {
		c := drawCandidates(t)
		scores := map[string]float64{}
		for _, s := range rk.Rank(&guessed, nil, c, nil) {
			scores[s.Listing.ID] = s.Score
		}
		for i := range c.List {
			s := Scored{Raw: raw(subject, nil, &c.List[i])}
			s.weigh(&rk.Within, rk.Likely)
			want := s.Score
			s.weigh(&rk.Across, rk.LikelyTo)
			if want = max(want, s.Score); math.Abs(scores[c.List[i].Listing.ID]-want) > 1e-12 {
				t.Fatalf("%s scores %v, want %v", c.List[i].Listing.ID, scores[c.List[i].Listing.ID], want)
			}
		}
	})
}

// TestPreferencesMakeNoMatch: what preferences add is not held against the threshold.
func TestPreferencesMakeNoMatch(t *testing.T) {
	rk := DefaultRanker()
	prefer := (&Filter{Fields: []string{"4.1"}, Languages: []string{"ko"}}).Clauses()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCandidates(t)
		bare := map[string]float64{}
		for _, s := range rk.Rank(subject, nil, c, nil) {
			bare[s.Listing.ID] = s.Evidence
		}
		for _, s := range rk.Rank(subject, prefer, c, nil) {
			if s.Evidence != bare[s.Listing.ID] || s.Score < s.Evidence {
				t.Fatalf("%s: evidence %v, score %v, without preferences %v", s.Listing.ID, s.Evidence, s.Score, bare[s.Listing.ID])
			}
		}
	})
}

// TestWeightsWithoutVectors: what vectors weigh goes to the other evidence.
func TestWeightsWithoutVectors(t *testing.T) {
	rk := DefaultRanker()
	for name, w := range map[string]Weights{"within": rk.Within, "across": rk.Across} {
		with, without := 0.0, 0.0
		bare := w.without(&Reading{})
		for sig := range nSignals {
			if sig.Evidence() {
				with, without = with+w[sig], without+bare[sig]
			} else if bare[sig] != w[sig] {
				t.Errorf("%s: %s weighs %v without vectors, with them %v", name, sig, bare[sig], w[sig])
			}
		}
		if math.Abs(with-without) > 1e-9 || bare[SignalMeaning] != 0 {
			t.Errorf("%s: evidence weighs %v without vectors (meaning %v), with them %v", name, without, bare[SignalMeaning], with)
		}
	}
}

func TestParseRanker(t *testing.T) {
	rk, err := ParseRanker("words=1, concepts=0.5")
	if err != nil || rk.Within[SignalWords] != 1 || rk.Across[SignalConcepts] != 0.5 || rk.Within[SignalMeaning] != 0 {
		t.Errorf("%+v, %v", rk, err)
	}
	rk, err = ParseRanker("words=1/meaning=0.5,words=0.5")
	if err != nil || rk.Within[SignalWords] != 1 || rk.Within[SignalMeaning] != 0 || rk.Across[SignalMeaning] != 0.5 || rk.Across[SignalWords] != 0.5 {
		t.Errorf("%+v, %v", rk, err)
	}
	if again, err := ParseRanker(rk.Spec()); err != nil || again.Within != rk.Within || again.Across != rk.Across {
		t.Errorf("%s, %v", rk.Spec(), err)
	}
	for _, bad := range []string{"", "luck=1", "words=1/", "/words=1", "words=1/luck=1", "words", "words=x", "words=-1", "words=NaN", "words=1e9"} {
		if _, err := ParseRanker(bad); err == nil {
			t.Errorf("ParseRanker(%q) is taken", bad)
		}
	}
}

// TestRankAllocatesNothingPerCandidate holds the hot path to its promise.
func TestRankAllocatesNothingPerCandidate(t *testing.T) {
	c := new(Candidates)
	for i := range 300 {
		l := &Listing{ID: fmt.Sprintf("C%03d", i), Lang: "ko", Fields: []string{"4.1"}, Seeks: &Seeks{Kinds: []Kind{Problem}, Regions: []string{"VN"}, Languages: []string{"vi"}}}
		c.List = append(c.List, Candidate{Stub: NewStub(l), Hits: []Hit{{Meaning: float32(i%7) / 7}, {Work: 1, Words: 0.1}}})
	}
	rk, r := DefaultRanker(), &Reading{Listing: subject.Listing, Lang: "vi", Fields: subject.Fields, Regions: []string{"VN-35", "VN"}}
	prefer := (&Filter{Fields: []string{"4"}, Regions: []string{"VN"}}).Clauses()
	out := rk.Rank(r, prefer, c, nil)
	if got := testing.AllocsPerRun(20, func() { out = rk.Rank(r, prefer, c, out) }); got > 0 {
		t.Errorf("%.0f allocations for %d candidates", got, len(c.List))
	}
}

func TestPhrasesAreComplete(t *testing.T) {
	for key, p := range phrases {
		for _, lang := range []string{"vi", "fr", "en", "ko", "zh"} {
			if p[lang] == "" {
				t.Errorf("phrase %q is missing in %s", key, lang)
			}
			for _, verb := range []string{"%s", "%d"} {
				if strings.Count(p[lang], verb) != strings.Count(p["en"], verb) {
					t.Errorf("phrase %q in %s has other placeholders than in English: %q", key, lang, p[lang])
				}
			}
		}
	}
	for _, k := range Kinds {
		if _, ok := phrases[string(k)]; !ok {
			t.Errorf("kind %s has no phrase", k)
		}
	}
	for _, rule := range []string{RuleKind, RuleField, RuleRegion, RuleLanguage, RuleReadiness, RuleIPStatus, RuleOrgType, RuleSince, RuleShared, RuleCurrent, RuleOwn, RuleConflict, RuleCapacity, RuleBlocked} {
		if _, ok := phrases[rule]; !ok {
			t.Errorf("rule %s has no phrase", rule)
		}
	}
	for sig := range nSignals {
		if _, ok := phrases["signal_"+sig.String()]; !ok {
			t.Errorf("signal %s has no phrase", sig)
		}
	}
	for _, code := range slices.Concat(Interventions) {
		if _, ok := phrases["shape_"+code]; !ok {
			t.Errorf("intervention %s has no phrase", code)
		}
	}
	for _, code := range slices.Concat(IPStatuses, OrganisationTypes, []string{"strong", "fair", "weak"}) {
		if _, ok := phrases[code]; !ok {
			t.Errorf("%s has no phrase", code)
		}
	}
}

func TestCut(t *testing.T) {
	long := strings.Repeat("nước ", 200)
	for _, in := range []string{"short", long, strings.Repeat("水", 1000), strings.Repeat("👨\u200d👩\u200d👧", 200)} {
		got := cut(in)
		if n := len([]rune(got)); n > maxQuote+2 || !slices.Equal([]byte(got), []byte(strings.ToValidUTF8(got, ""))) {
			t.Errorf("cut to %d characters: %q", n, got)
		}
		if in == "short" && got != in {
			t.Errorf("%q is cut", in)
		}
	}
}
