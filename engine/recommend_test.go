package engine_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/lexicon"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
)

// shelf is a store in memory.
type shelf []engine.Entry

func (s shelf) Seq(context.Context) (int64, error) { return int64(len(s)), nil }

func (s shelf) Changes(_ context.Context, _ int64, _ string, yield func(index.Change) error) error {
	for i, e := range s {
		if err := yield(index.Change{Seq: int64(i + 1), ID: e.Listing.ID, Entry: e}); err != nil {
			return err
		}
	}
	return nil
}

func (s shelf) Entries(_ context.Context, ids []string, _ string) (out []engine.Entry, err error) {
	for _, e := range s {
		if slices.Contains(ids, e.Listing.ID) {
			out = append(out, e)
		}
	}
	return out, nil
}

// house returns a recommender over the listings, with the built-in embedder.
func house(t *testing.T, listings ...engine.Listing) *engine.Recommender {
	t.Helper()
	e := lexicon.New(glossary.Default())
	var s shelf
	for i := range listings {
		l := &listings[i]
		if err := l.Normalise(); err != nil {
			t.Fatal(err)
		}
		entry := engine.Entry{Listing: l, Passages: embeddings.Split(l)}
		texts := make([]string, len(entry.Passages))
		for i, p := range entry.Passages {
			texts[i] = l.Matchable(p)
		}
		var err error
		if entry.Vectors, err = e.Embed(t.Context(), texts); err != nil {
			t.Fatal(err)
		}
		s = append(s, entry)
	}
	x := index.New(index.Options{Model: e.Model(), Dim: e.Dim(), Glossary: glossary.Default()})
	if err := x.Refresh(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return &engine.Recommender{Retriever: x, Library: s, Embedder: e, Glossary: glossary.Default(), Ranker: engine.DefaultRanker(), Split: embeddings.Split, Now: time.Now}
}

func ask(t *testing.T, rec *engine.Recommender, q engine.Query) *engine.Answer {
	t.Helper()
	a, err := rec.Recommend(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func technology(id, lang, title, text string) engine.Listing {
	return engine.Listing{ID: id, Kind: engine.Technology, Title: title, Text: text, Lang: lang, Regions: []string{"KR"}}
}

// far are listings that have little to do with shrimp, enough of them for words to be rare.
func far() (out []engine.Listing) {
	for i := range 4 {
		n := strconv.Itoa(i)
		out = append(out,
			technology("F1"+n, "en", "Weaving loom", "A loom for brocade with electronic pattern control."),
			technology("F2"+n, "en", "Ceramic kiln", "A tunnel kiln that fires ceramic tiles with little gas."),
			technology("F3"+n, "en", "Speech recogniser", "Recognises speech of elderly people in noisy rooms."),
			technology("F4"+n, "ko", "목재 건조기", "목재를 빠르게 말리는 장치이다."),
			technology("F5"+n, "zh", "齿轮检测仪", "用于齿轮齿形的快速测量。"))
	}
	return out
}

// TestWhatFallsShortIsNotRecommended: the list ends at the threshold, whoever comes first.
func TestWhatFallsShortIsNotRecommended(t *testing.T) {
	rec := house(t, append(far(), technology("S", "en", "White spot test for shrimp", "A rapid test that finds white spot virus in shrimp ponds."))...)
	a := ask(t, rec, engine.Query{Text: "Rapid test for white spot virus in shrimp", Lang: "en", Limit: 10})
	if a.NoMatch || len(a.Items) == 0 || a.Items[0].Listing.ID != "S" {
		t.Fatalf("%+v", a)
	}
	for _, item := range a.Items {
		if item.Confidence < a.Threshold {
			t.Errorf("%s is recommended with a confidence of %.3f under the threshold %.2f", item.Listing.ID, item.Confidence, a.Threshold)
		}
	}
}

// TestPreferencesAreNoMatch: what only the preferences lift over the threshold stays a miss, and so in what a rule removed.
func TestPreferencesAreNoMatch(t *testing.T) {
	rec := house(t, far()...)
	rec.Ranker.Within[engine.SignalPreference], rec.Ranker.Across[engine.SignalPreference] = 1, 1
	q := engine.Query{Text: "Rapid test for white spot virus in shrimp", Lang: "en", Prefer: engine.Filter{Regions: []string{"KR"}}}
	if a := ask(t, rec, q); !a.NoMatch || len(a.Items) > 0 || len(a.Nearest) == 0 || a.Nearest[0].Confidence >= a.Threshold {
		t.Errorf("%+v", a)
	}
	q.Filter.Regions = []string{"VN"}
	if a := ask(t, rec, q); len(a.Removed) != 1 || a.Removed[0].Count != 0 {
		t.Errorf("removed %+v", a.Removed)
	}
}

// TestGuessedLanguageIsSaid: of a short text the language is a guess, and said to be one.
func TestGuessedLanguageIsSaid(t *testing.T) {
	rec := house(t, append(far(), technology("S", "en", "Shrimp feeder", "Feeds shrimp in aquaculture."))...)
	a := ask(t, rec, engine.Query{Text: "aquaculture of shrimp"})
	if a.Subject.Lang != "en" || !a.Subject.Guessed || len(a.Items) == 0 || a.Items[0].Explanation.Evidence[0].Subject.Lang != "" {
		t.Errorf("guessed: %+v", a)
	}
	a = ask(t, rec, engine.Query{Text: "aquaculture of shrimp", Lang: "en"})
	if a.Subject.Lang != "en" || a.Subject.Guessed || a.Items[0].Explanation.Evidence[0].Subject.Lang != "en" {
		t.Errorf("stated: %+v", a)
	}
	if a = ask(t, rec, engine.Query{Text: "새우 양식"}); a.Subject.Lang != "ko" || a.Subject.Guessed {
		t.Errorf("by its script: %+v", a.Subject)
	}
}

// TestWorksInAnotherLanguage: a work is read by its own language, whatever the profile's.
func TestWorksInAnotherLanguage(t *testing.T) {
	rec := house(t, append(far(), engine.Listing{ID: "E", Kind: engine.Expert, Title: "Người nghiên cứu", Organisation: "Viện Chế biến", Lang: "vi", Works: []engine.Work{
		{Title: "Séchage de la crevette et des algues", Text: "Nous étudions le séchage de la crevette dans les fermes et la qualité des produits qui en sont issus."}}})...)
	a := ask(t, rec, engine.Query{Text: "shrimp", Lang: "en", Want: []engine.Kind{engine.Expert}})
	if a.NoMatch || len(a.Items) != 1 || len(a.Items[0].Explanation.Concepts) == 0 || a.Items[0].Explanation.Concepts[0].Candidate != "crevette" {
		t.Fatalf("%+v", a)
	}
	if lang := a.Items[0].Explanation.Evidence[0].Candidate.Lang; lang != "fr" {
		t.Errorf("quoted as %q", lang)
	}
}

// TestSharedWordsAreShown: Chinese and Korean words too, joined from the pairs they are indexed by.
func TestSharedWordsAreShown(t *testing.T) {
	rec := house(t, append(far(), technology("Z", "zh", "水质快检仪", "现场检测水质，可用于池塘。"), technology("K", "ko", "고추 꼭지 따는 기계", "고추를 다듬는다. 솥은 없다."))...)
	for text, want := range map[string]string{"水质快检怎么做": "水质快检", "고추가 시든다": "고추", "옛 솥을 찾는다": "솥"} {
		a := ask(t, rec, engine.Query{Text: text})
		if len(a.Items) == 0 || !slices.Contains(a.Items[0].Explanation.Words, want) {
			t.Errorf("%s: want the word %s in %+v", text, want, a.Items)
		}
	}
	rec = house(t, append(far(), technology("V", "vi", "Thẻ tai cho bò sữa", "Thẻ tai gắn chip."))...)
	a := ask(t, rec, engine.Query{Text: "Nhận biết cá thể bò sữa"})
	if words := a.Items[0].Explanation.Words; !slices.Contains(words, "bò sữa") || slices.Contains(words, "thẻ") {
		t.Errorf("words %q", words)
	}
}

// TestEveryRecommendationIsEvidenced: where no word or concept is shared, the nearest passages are quoted, and that texts
// are close in meaning is said where meaning weighs most.
func TestEveryRecommendationIsEvidenced(t *testing.T) {
	near := technology("N", "en", "Antenna", "An antenna.") // of the same field as a sensor, and no neighbour of it
	near.Fields = []string{"2.2"}
	rec := house(t, append(far(), near)...)
	q := engine.Query{Text: "sensor drift, sensor noise", Lang: "en", Reader: "en", Limit: 100}
	for weights, says := range map[string]string{"meaning=1,field=0.01": "close in meaning", "meaning=0.01,field=1": "Same field: "} {
		rec.Ranker, _ = engine.ParseRanker(weights)
		items := ask(t, rec, q).Items
		i := slices.IndexFunc(items, func(r engine.Recommendation) bool { return r.Listing.ID == "N" })
		if i < 0 {
			t.Fatalf("%s: no antenna in %+v", weights, items)
		}
		e := items[i].Explanation
		if len(e.Concepts)+len(e.Words) > 0 || len(e.Evidence) != 1 || e.Evidence[0].Subject.Text != q.Text || e.Evidence[0].Candidate.Text != near.Text || e.Evidence[0].Similarity <= 0 {
			t.Errorf("%s: %+v", weights, e)
		}
		if !strings.Contains(e.Summary, says) {
			t.Errorf("%s: %q does not say %q", weights, e.Summary, says)
		}
	}
}
