package twins

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ketnoi/ketnoi/engine"
)

func TestCompose(t *testing.T) {
	two := 2
	kept := &engine.Listing{ID: "b", Kind: engine.Expert, Title: "Lê Văn An", Person: "Lê Văn An", Lang: "vi", Fields: []string{"4.1"}, Regions: []string{"VN-35"},
		Works: []engine.Work{{Title: "Nấm trên thanh long", Year: 2020}, {Title: "Với DOI", URL: "https://doi.org/10.1000/1"}},
		Basis: &engine.Basis{Kind: "consent", At: "2026-01-01"}, Extra: map[string]json.RawMessage{"rank": raw("A")}}
	other := &engine.Listing{ID: "a", Kind: engine.Expert, Title: "An Le", Person: "An Le", Text: "Expert of fruit diseases and their fungi", Summary: "Fungi", Lang: "en",
		Fields: []string{"4.1", "1.6"}, Regions: []string{"VN"}, Languages: []string{"en"}, Organisation: "Fruit Institute", Capacity: &two, URL: "https://x.vn/an",
		ExpiresAt: "2026-12-31", Basis: &engine.Basis{Kind: "public_record"}, Seeks: &engine.Seeks{Regions: []string{"VN"}},
		Works: []engine.Work{{Title: "NAM TREN THANH LONG", Year: 2020, Text: "Thu mẫu"}, {Title: "With a DOI", URL: "https://dx.doi.org/10.1000/1"}, {Title: "New one", Year: 2021}},
		Extra: map[string]json.RawMessage{"rank": raw("B"), "orcid": raw("0000-0002-1825-0097"), "works[0].doi": raw("10.1000/9"), "works[2].doi": raw("10.1000/7")}}
	got, err := Compose(kept, other)
	if err != nil {
		t.Fatal(err)
	}
	want := &engine.Listing{ID: "b", Kind: engine.Expert, Title: "Lê Văn An", Person: "Lê Văn An", Text: other.Text, Summary: "Fungi", Lang: "en",
		Fields: []string{"4.1", "1.6"}, Regions: []string{"VN-35", "VN"}, Languages: []string{"en"}, Organisation: "Fruit Institute", Capacity: &two, URL: "https://x.vn/an",
		Basis: &engine.Basis{Kind: "public_record"}, Seeks: &engine.Seeks{Regions: []string{"VN"}},
		Works: []engine.Work{{Title: "Nấm trên thanh long", Year: 2020, Text: "Thu mẫu"}, {Title: "Với DOI", URL: "https://doi.org/10.1000/1"}, {Title: "New one", Year: 2021}},
		Extra: map[string]json.RawMessage{"rank": raw("A"), "orcid": raw("0000-0002-1825-0097"), "works[2].doi": raw("10.1000/7")}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", body(t, got), body(t, want))
	}
	other.Basis = nil
	if got, _ := Compose(kept, other); got.Basis != nil {
		t.Errorf("one has no basis, and together they have %v", got.Basis)
	}
	kept.Person, other.Person = "", ""
	if got, _ := Compose(kept, other); got.Basis == nil || got.Basis.Kind != "consent" {
		t.Errorf("about nobody: basis %v", got.Basis)
	}
}

func body(t interface{ Fatal(...any) }, l *engine.Listing) string {
	b, _, err := l.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestComposeBounds unites lists and works that are full.
func TestComposeBounds(t *testing.T) {
	full := func(id string) *engine.Listing {
		l := &engine.Listing{ID: id, Kind: engine.Expert, Title: id, Text: "x y z", Extra: map[string]json.RawMessage{"k" + id: raw(strings.Repeat("x", engine.MaxText-100))}}
		for i := range engine.MaxWorks {
			l.Works = append(l.Works, engine.Work{Title: fmt.Sprint("Work ", id, i)})
		}
		return l
	}
	a, b := full("q"), full("p")
	got, err := Compose(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Works) != engine.MaxWorks || len(got.Extra) != 1 || got.Works[0].Title != "Work q0" {
		t.Errorf("%d works, %d extra", len(got.Works), len(got.Extra))
	}
	var many, more []string
	for i := range engine.MaxList {
		many, more = append(many, fmt.Sprint(i)), append(more, fmt.Sprint(i+engine.MaxList/2))
	}
	if got := unite(many[:engine.MaxList-10], more); len(got) != engine.MaxList || got[engine.MaxList-1] != fmt.Sprint(engine.MaxList-1) {
		t.Errorf("united: %v", got)
	}
}

// TestComposeLaws: composing again changes nothing, the order of the others does not matter, nothing given is changed.
func TestComposeLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
		some := func(label string, of ...string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, len(of), rapid.ID[string]).Draw(t, label)
		}
		draw := func(id string) *engine.Listing {
			l := &engine.Listing{ID: id, Kind: engine.Expert, Title: pick("title", "Lê An", "An Le"), Text: pick("text", "", "Nuôi tôm sạch", "Shrimp farming"), Summary: pick("summary", "", "Tôm", "Shrimps"),
				Lang: pick("lang", "", "vi", "en"), Person: pick("person", "", "Lê An"), Organisation: pick("organisation", "", "Viện"), URL: pick("url", "", "https://x.vn"),
				Fields: some("fields", "1", "2", "4.1"), Regions: some("regions", "VN", "KR"), Languages: some("languages", "vi", "en"), TRL: rapid.IntRange(0, 9).Draw(t, "trl"), Extra: map[string]json.RawMessage{}}
			for i := range rapid.IntRange(0, 4).Draw(t, "works") {
				l.Works = append(l.Works, engine.Work{Title: pick("work", "", "Một", "MOT", "Hai", "Ba"), Text: pick("about", "", "về tôm"), Year: rapid.SampledFrom([]int{0, 2020}).Draw(t, "year"), URL: pick("doi", "", "https://doi.org/10.1000/1", "https://doi.org/10.1000/2")})
				if l.Works[i].Title+l.Works[i].Text == "" {
					l.Works[i].Title = "Bốn"
				}
				if rapid.Bool().Draw(t, "beside") {
					l.Extra[fmt.Sprintf("works[%d].doi", i)] = raw(pick("other doi", "10.1000/1", "10.1000/3"))
				}
			}
			for _, k := range some("extra", "a", "b") {
				l.Extra[k] = raw(id)
			}
			if k := pick("basis", "", "consent", "public_record"); k != "" {
				l.Basis = &engine.Basis{Kind: k, At: pick("at", "", "2025-01-01", "2026-01-01")}
			}
			if err := l.Normalise(); err != nil {
				l.Text = "Nuôi tôm"
				if err := l.Normalise(); err != nil {
					t.Fatal(err)
				}
			}
			return l
		}
		kept := draw("k")
		var others []*engine.Listing
		var before []string
		for i := range rapid.IntRange(0, 3).Draw(t, "others") {
			others = append(others, draw(fmt.Sprint("o", i)))
		}
		for _, l := range append([]*engine.Listing{kept}, others...) {
			before = append(before, body(t, l))
		}
		once, err := Compose(kept, others...)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Compose(once, others...)
		if err != nil || body(t, again) != body(t, once) {
			t.Fatalf("again: %v\n%s\nonce\n%s", err, body(t, again), body(t, once))
		}
		turned := slices.Clone(others)
		slices.Reverse(turned)
		if other, err := Compose(kept, turned...); err != nil || body(t, other) != body(t, once) {
			t.Fatalf("turned: %v\n%s\nnot\n%s", err, body(t, other), body(t, once))
		}
		for i, l := range append([]*engine.Listing{kept}, others...) {
			if now := body(t, l); now != before[i] {
				t.Fatalf("changed: %s\nwas %s", now, before[i])
			}
		}
		if alone, err := Compose(kept); err != nil || body(t, alone) != before[0] {
			t.Fatalf("alone: %v %s\nnot %s", err, body(t, alone), before[0])
		}
	})
}
