package engine_test

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/trained"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/eval/demo"
)

// raced says whether the race detector watches.
var raced bool

// demoListings reads the demo corpus.
func demoListings(t testing.TB) (out []engine.Listing) {
	t.Helper()
	for _, line := range demo.Records() {
		var l engine.Listing
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Basis == nil {
			l.Basis = &engine.Basis{Kind: "consent"}
		}
		if err := l.Normalise(); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

// catalogue is a shelf that finds listings at once.
type catalogue struct {
	shelf
	at map[string]int
}

func (c catalogue) Entries(_ context.Context, ids []string, _ string) (out []engine.Entry, err error) {
	for _, id := range ids {
		if i, ok := c.at[id]; ok {
			out = append(out, c.shelf[i])
		}
	}
	return out, nil
}

// taught returns a recommender over the listings and some more, by a model that was trained on the listings alone.
func taught(t testing.TB, listings []engine.Listing, more ...engine.Listing) *engine.Recommender {
	t.Helper()
	if raced {
		t.Skip("training is too slow for the race detector, and nothing here is done at once")
	}
	g := glossary.Default()
	trainer := trained.NewTrainer(g)
	texts := func(l *engine.Listing) (out []string) {
		for _, p := range embeddings.Split(l) {
			out = append(out, l.Matchable(p))
		}
		return out
	}
	for i := range listings {
		trainer.Add(texts(&listings[i]))
	}
	e, err := trainer.Train(t.Context(), trained.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := catalogue{at: map[string]int{}}
	all := slices.Concat(listings, more)
	for i := range all {
		l := &all[i]
		if err := l.Normalise(); err != nil {
			t.Fatalf("%s: %v", l.ID, err)
		}
		entry := engine.Entry{Listing: l, Passages: embeddings.Split(l)}
		if entry.Vectors, err = e.Embed(t.Context(), texts(l)); err != nil {
			t.Fatal(err)
		}
		c.at[l.ID] = len(c.shelf)
		c.shelf = append(c.shelf, entry)
	}
	x := index.New(index.Options{Model: e.Model(), Dim: e.Dim(), Glossary: g})
	if err := x.Refresh(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return &engine.Recommender{Retriever: x, Library: c, Embedder: e, Glossary: g, Ranker: engine.DefaultRanker(), Split: embeddings.Split, Now: time.Now}
}

// scores are those of all candidates for a problem of the demo.
func scores(t testing.TB, rec *engine.Recommender, id string) map[string]float64 {
	t.Helper()
	entries, err := rec.Library.Entries(t.Context(), []string{id}, "")
	if err != nil || len(entries) != 1 {
		t.Fatal(id, err)
	}
	out := map[string]float64{}
	if err := rec.Rank(t.Context(), entries[0].Listing, engine.Query{}, func(s *engine.Scored) { out[s.Listing.ID] = s.Score }); err != nil {
		t.Fatal(err)
	}
	return out
}

// without returns the listing without a text, wherever it stands.
func without(l engine.Listing, id string, quotes []string) engine.Listing {
	cut := func(s string) string {
		for _, q := range quotes {
			s = strings.ReplaceAll(s, strings.Trim(q, "…"), "")
		}
		return strings.TrimSpace(s)
	}
	l.ID, l.Title, l.Text, l.Summary = id, cut(l.Title), cut(l.Text), cut(l.Summary)
	if l.Title == "" {
		l.Title = "-"
	}
	var works []engine.Work
	for _, w := range l.Works {
		if w.Title, w.Text = cut(w.Title), cut(w.Text); w.Title+w.Text != "" {
			works = append(works, w)
		}
	}
	l.Works = works
	return l
}

// TestExplanationsHold: parts add up to the score; and what is quoted as evidence carries it: the same listing without what is
// quoted scores less, for at least 95 in 100.
func TestExplanationsHold(t *testing.T) {
	listings := demoListings(t)
	byID := map[string]engine.Listing{}
	for _, l := range listings {
		byID[l.ID] = l
	}
	rec := taught(t, listings)
	type pair struct{ subject, with, without string }
	var pairs []pair
	var cut []engine.Listing
	quoted := 0
	for _, l := range listings {
		if l.Kind != engine.Problem {
			continue
		}
		a := ask(t, rec, engine.Query{For: l.ID, Limit: 3})
		for _, item := range a.Items {
			sum := 0.0
			for _, p := range item.Explanation.Parts {
				sum += p.Points
			}
			if math.Abs(sum-item.Score) > 1e-9 {
				t.Errorf("%s for %s: parts add up to %v, the score is %v", item.Listing.ID, l.ID, sum, item.Score)
			}
			var quotes []string
			for _, e := range item.Explanation.Evidence {
				quotes = append(quotes, e.Candidate.Text)
			}
			if len(quotes) == 0 {
				t.Errorf("%s for %s: no evidence is quoted", item.Listing.ID, l.ID)
				continue
			}
			quoted++
			p := pair{l.ID, item.Listing.ID, item.Listing.ID + "-" + l.ID}
			less := without(byID[p.with], p.without, quotes)
			if check := less; check.Normalise() != nil {
				continue // nothing is left of it
			}
			pairs, cut = append(pairs, p), append(cut, less)
		}
	}
	rec = taught(t, listings, cut...)
	lower, kept := 0, ""
	var all map[string]float64
	for i, p := range pairs {
		if i == 0 || pairs[i-1].subject != p.subject {
			all = scores(t, rec, p.subject)
		}
		if all[p.without] < all[p.with] {
			lower++
		} else {
			kept += " " + p.without
		}
	}
	t.Logf("of %d explained, %d were tried without their evidence: %d score less", quoted, len(pairs), lower)
	if float64(lower) < 0.95*float64(len(pairs)) || len(pairs) < 300 {
		t.Errorf("these do not:%s", kept)
	}
}

// TestNamesAndGenderCountNothing: two profiles that differ in a name or in words of gender score the same for everybody.
func TestNamesAndGenderCountNothing(t *testing.T) {
	profiles := []struct{ lang, title, person, text, work string }{
		{"vi", "TS. {Nguyễn Văn Hùng|Trần Thị Mai} – xử lý nước thải dệt nhuộm", "{Nguyễn Văn Hùng|Trần Thị Mai}", "{Ông|Bà} {Nguyễn Văn Hùng|Trần Thị Mai} nghiên cứu xử lý nước thải dệt nhuộm bằng ozone. {Anh|Chị} ấy đã tư vấn cho 12 nhà máy; {ông|bà} nhận đào tạo kỹ sư. {Thầy|Cô} giáo hướng dẫn sinh viên.", "Khử màu nước thải nhuộm bằng ozone"},
		{"fr", "Dr {Jean Morel|Claire Morel}, chercheu{r|se} en aquaculture", "{Jean Morel|Claire Morel}", "{M.|Mme} {Jean Morel|Claire Morel} est chercheu{r|se} et direct{eur|rice} d'un laboratoire. {Il|Elle} est ingénieur{|e} et expert{|e} en maladies des crevettes. {Consultant|Consultante} pour des fermes, {il|elle} forme les techniciens. {Spécialiste reconnu|Spécialiste reconnue}, {français|française}.", "Diagnostic des maladies de la crevette"},
		{"en", "{Mr|Ms} {John Parker|Emily Parker}, veterinary virologist", "{John Parker|Emily Parker}", "{Mr|Ms} {John Parker|Emily Parker} has worked on African swine fever since 2009. {He|She} leads a laboratory; {his|her} group runs field trials, and farmers know {him|her}. {He|She} did it {himself|herself}. {Chairman|Chairwoman} of the society, {businessman|businesswoman}.", "Field diagnosis of African swine fever"},
		{"ko", "{김철수|이영희} 박사, 새우 양식 질병", "{김철수|이영희}", "{김철수|이영희} 박사는 새우 흰반점병을 연구합니다. {그는|그녀는} 양식장 진단 키트를 개발했습니다. {그의|그녀의} 연구는 현장에서 쓰입니다.", "새우 흰반점병 현장 진단"},
		{"zh", "{王伟|李娜}，水产养殖专家", "{王伟|李娜}", "{王伟|李娜}{先生|女士}长期从事对虾白斑病研究。{他|她}开发了快速检测方法，{他|她}的团队服务于养殖场。{男|女}，1975年生。", "对虾白斑病快速检测"},
	}
	choose := func(s string, k int) string {
		for {
			i := strings.Index(s, "{")
			if i < 0 {
				return s
			}
			j := i + strings.Index(s[i:], "}")
			s = s[:i] + strings.Split(s[i+1:j], "|")[k] + s[j+1:]
		}
	}
	var more []engine.Listing
	for _, p := range profiles {
		for k, suffix := range []string{"A", "B"} {
			more = append(more, engine.Listing{ID: p.lang + suffix, Kind: engine.Expert, Lang: p.lang, Title: choose(p.title, k), Person: choose(p.person, k), Text: choose(p.text, k), Organisation: "Viện X " + p.lang,
				Basis: &engine.Basis{Kind: "consent"}, Works: []engine.Work{{Title: p.work, Year: 2024}}})
		}
	}
	listings := demoListings(t)
	rec := taught(t, listings, more...)
	found := 0
	for _, l := range listings {
		if l.Kind != engine.Problem {
			continue
		}
		all := scores(t, rec, l.ID)
		for _, p := range profiles {
			a, isA := all[p.lang+"A"]
			b, isB := all[p.lang+"B"]
			if isA && isB {
				found++
			}
			if isA && isB && math.Abs(a-b) > 1e-6 {
				t.Errorf("%s: for %s one scores %.8f, the other %.8f", p.lang, l.ID, a, b)
			}
		}
	}
	if found < 20 {
		t.Errorf("they were candidates together %d times only", found)
	}
}
