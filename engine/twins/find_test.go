package twins

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/text"
	"github.com/ketnoi/ketnoi/eval/demo"
)

func raw(s string) json.RawMessage { b, _ := json.Marshal(s); return b }

// TestCompare holds each reason to what it must do alone and beside others.
func TestCompare(t *testing.T) {
	const long = "Nghiên cứu bệnh học cây ăn quả ở viện phía Nam từ nhiều năm, định danh nấm và thử tính gây bệnh trên họ xương rồng, theo dõi phát tán bào tử bằng bẫy và lập công thức luân phiên hoạt chất"
	expert := func(edit func(*engine.Listing)) *engine.Listing {
		l := &engine.Listing{Kind: engine.Expert, Title: "Chuyên gia", Text: "Nuôi tôm", Extra: map[string]json.RawMessage{}}
		edit(l)
		return l
	}
	tech := func(title, org, body string, edit func(*engine.Listing)) *engine.Listing {
		l := &engine.Listing{Kind: engine.Technology, Title: title, Organisation: org, Text: body, Extra: map[string]json.RawMessage{}}
		if edit != nil {
			edit(l)
		}
		return l
	}
	person := func(name, org string, extra ...string) *engine.Listing {
		return expert(func(l *engine.Listing) {
			l.Person, l.Organisation = name, org
			for i := 0; i < len(extra); i += 2 {
				l.Extra[extra[i]] = raw(extra[i+1])
			}
		})
	}
	work := func(l *engine.Listing, works ...engine.Work) *engine.Listing { l.Works = works; return l }
	for _, tc := range []struct {
		name    string
		a, b    *engine.Listing
		reasons string
		found   bool
	}{
		{"iD", person("김민수", "", "orcid", "0000-0002-1825-0097"), person("Kim Min-su", "", "links", "https://orcid.org/0000-0002-1825-0097"), "orcid", true},
		{"iD, renamed", person("Lê Anh Thư", "", "orcid", "0000-0002-1825-0097"), person("Maria Schmidt", "", "orcid", "0000-0002-1825-0097"), "orcid other_name", false},
		{"other iDs", person("Lê An", "Viện A", "orcid", "0000-0002-1825-0097"), person("Lê An", "Viện A", "orcid", "0000-0002-1694-233X"), "name organisation other_orcid", false},
		{"name", person("Lê Văn An", ""), person("Le Van An", ""), "name", false},
		{"name and organisation", person("TS. Lê Văn An", "Viện Lúa"), person("An Le Van", "Vien Lua"), "name organisation", true},
		{"other organisation", person("Lê Văn An", "Viện Lúa"), person("Lê Văn An", "Viện Tôm"), "name", false},
		{"organisation only", person("Lê Văn An", "Viện Lúa"), person("Trần Bình", "Viện Lúa"), "", false},
		{"mailbox", person("Lê Văn An", "", "email", "an@x.vn"), person("안 레", "", "contact", "mailto:AN@x.vn"), "email", true},
		{"mailbox, other name", person("Lê Văn An", "", "email", "lab@x.vn"), person("Trần Thị Bình", "", "email", "lab@x.vn"), "email other_name", false},
		{"co-author", work(person("Lê Văn An", ""), engine.Work{Title: "T", URL: "https://doi.org/10.1000/1"}), work(person("Trần Bình", ""), engine.Work{Title: "T", URL: "https://doi.org/10.1000/1"}), "doi other_name", false},
		{"namesake with a work in common", work(person("Lê Văn An", "A đại học"), engine.Work{Title: "T", URL: "https://doi.org/10.1000/1"}), work(person("Le Van An", "B university"), engine.Work{Title: "T", URL: "https://dx.doi.org/10.1000/1"}), "doi name", true},
		{"a work by its title", work(person("Lê Văn An", ""), engine.Work{Title: "Nấm trên thanh long ruột đỏ", Year: 2020}), work(person("Le Van An", ""), engine.Work{Title: "Nam tren thanh long ruot do", Year: 2020}), "name work", true},
		{"patent of inventors", person("Lê Văn An", "", "patent", "US 9,876,543 B2"), person("Trần Bình", "", "patents", "US9876543"), "other_name patent", false},
		{"firms", expert(func(l *engine.Listing) { l.Title = "GS Engineering Inc." }), expert(func(l *engine.Listing) { l.Title = "G.S. ENGINEERING, LLC" }), "name", true},
		{"firms abroad", expert(func(l *engine.Listing) { l.Title = "GS Engineering Inc."; l.Regions = []string{"US"} }), expert(func(l *engine.Listing) { l.Title = "GS Engineering"; l.Regions = []string{"KR-11"} }), "name other_country", false},
		{"patent", tech("Máy sấy", "A", "Sấy", func(l *engine.Listing) { l.URL = "https://patents.google.com/patent/US9876543B2/en" }), tech("Dryer", "B", "Drying", func(l *engine.Listing) { l.Extra["patent"] = raw("US 9,876,543 B2") }), "patent", true},
		{"DOI", tech("Máy sấy", "A", "Sấy", func(l *engine.Listing) { l.Extra["doi"] = raw("10.1000/1") }), tech("Dryer", "B", "Drying", func(l *engine.Listing) { l.URL = "https://doi.org/10.1000/1" }), "doi", true},
		{"page", tech("Máy sấy", "A", "Sấy", func(l *engine.Listing) { l.URL = "https://x.vn/t/1?lang=vi" }), tech("Dryer", "B", "Drying", func(l *engine.Listing) { l.URL = "http://www.x.vn/t/1/" }), "page", true},
		{"front page", tech("Máy sấy", "A", "Sấy", func(l *engine.Listing) { l.URL = "https://x.vn" }), tech("Dryer", "B", "Drying", func(l *engine.Listing) { l.URL = "https://x.vn" }), "", false},
		{"title", tech("Máy sấy lúa tầng sôi", "A", "Sấy", nil), tech("May say lua tang soi", "B", "Khô", nil), "title", false},
		{"title and organisation", tech("Máy sấy lúa tầng sôi", "Viện Lúa", "Sấy", nil), tech("May say lua tang soi", "Viện lúa", "Khô", nil), "organisation title", true},
		{"text", tech("Nấm", "A", long, nil), tech("Thanh long", "B", text.Fold(long), nil), "text", true},
		{"series", tech("Máy sấy MS 200", "A", long, nil), tech("Máy sấy MS 300", "A", long, nil), "other_number text", false},
	} {
		tc.a.ID, tc.b.ID = "a", "b"
		for _, l := range []*engine.Listing{tc.a, tc.b} {
			if err := l.Normalise(); err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
		}
		p, q := Compare(Read(tc.a), Read(tc.b)), Compare(Read(tc.b), Read(tc.a))
		var kinds []string
		for _, r := range p.Reasons {
			kinds = append(kinds, r.Kind)
		}
		slices.Sort(kinds)
		if got := strings.Join(kinds, " "); got != tc.reasons || (p.Score >= Least) != tc.found {
			t.Errorf("%s: got %q, %.3f; want %q, proposed %v", tc.name, got, p.Score, tc.reasons, tc.found)
		}
		if p.Score != q.Score || p.A != q.A || p.Score < 0 || p.Score > 1 {
			t.Errorf("%s: %v one way, %v the other", tc.name, p, q)
		}
	}
}

// TestFindAll holds Find to the comparison of all with all, on corpora in which everything repeats.
func TestFindAll(t *testing.T) {
	words := strings.Fields("nấm thanh long tôm lúa sấy nước lọc màng than bùn cát đất men vi sinh enzyme cảm biến đo nhiệt ẩm bơm")
	rapid.Check(t, func(t *rapid.T) {
		pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
		kind := engine.Kind(pick("kind", "expert", "technology"))
		body := rapid.SliceOfN(rapid.SampledFrom(words), 60, 60).Draw(t, "body")
		var all []*Traits
		n := rapid.IntRange(2, 30).Draw(t, "n")
		for i := range n {
			cut := rapid.IntRange(0, 30).Draw(t, "cut")
			l := &engine.Listing{ID: fmt.Sprintf("L%02d", i), Kind: kind, Title: pick("title", "Lê Văn An", "Le Van An", "Acme Inc.", "ACME", "Máy sấy lúa tầng sôi"),
				Organisation: pick("organisation", "", "Viện Lúa", "Vien lua"), Text: strings.Join(body[cut:], " "),
				URL:   pick("url", "", "https://x.vn", "https://x.vn/a", "https://x.vn/b"),
				Extra: map[string]json.RawMessage{"orcid": raw(pick("orcid", "", "0000-0002-1825-0097", "0000-0002-1694-233X")), "patent": raw(pick("patent", "", "US9876543", "KR101234567"))},
				Works: []engine.Work{{Title: pick("work", "Một hai ba bốn", "Năm sáu bảy tám"), Year: 2020, URL: pick("doi", "", "https://doi.org/10.1000/1", "https://doi.org/10.1000/2")}}}
			if kind == engine.Expert {
				l.Person = pick("person", "", "Lê Văn An", "An Le Van", "Trần Bình")
			}
			if err := l.Normalise(); err != nil {
				t.Fatal(err)
			}
			all = append(all, Read(l))
		}
		fresh := func(*Traits) bool { return true }
		if rapid.Bool().Draw(t, "some") {
			least := fmt.Sprintf("L%02d", rapid.IntRange(0, n).Draw(t, "fresh"))
			fresh = func(x *Traits) bool { return x.ID >= least }
		}
		var got, want []string
		Find(all, fresh, func(p Pair) { got = append(got, fmt.Sprint(p)) })
		crowded := newBlocks(all).crowded
		for i := range all {
			for j := range i {
				if p := compare(all[i], all[j], crowded); p.Score >= Least && (fresh(all[i]) || fresh(all[j])) {
					want = append(want, fmt.Sprint(p))
				}
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// TestCrowd has one key in so many listings that it says nothing, though each pair would be proposed by itself.
func TestCrowd(t *testing.T) {
	var all []*Traits
	for i := range crowd + 1 {
		l := &engine.Listing{ID: fmt.Sprint("L", i), Kind: engine.Technology, Title: "T", Text: "x", URL: "https://x.vn/a"}
		all = append(all, Read(l))
	}
	for n, want := range map[int]int{crowd: crowd * (crowd - 1) / 2, crowd + 1: 0} {
		found := 0
		Find(all[:n], nil, func(Pair) { found++ })
		if found != want {
			t.Errorf("%d with one page: %d pairs, want %d", n, found, want)
		}
	}
}

// TestHostile reads listings that were made to cost much, or to be taken for others.
func TestHostile(t *testing.T) {
	many := &engine.Listing{ID: "many", Kind: engine.Expert, Title: strings.Repeat("An (", 100), Text: strings.Repeat("a@b.vn ", 20_000), Extra: map[string]json.RawMessage{}}
	for i := range engine.MaxWorks {
		many.Works = append(many.Works, engine.Work{Title: fmt.Sprint("Một hai ba ", i), Year: 2020, URL: fmt.Sprint("https://doi.org/10.1000/", i)})
	}
	for i := range 2_000 {
		many.Extra[fmt.Sprint("patent", i)] = raw(fmt.Sprint("US", 1_000_000+i))
	}
	deep := &engine.Listing{ID: "deep", Kind: engine.Expert, Title: "T", Text: "x", Extra: map[string]json.RawMessage{
		"orcid": json.RawMessage(strings.Repeat("[", 50_000) + `"0000-0002-1825-0097"` + strings.Repeat("]", 50_000)), "broken": json.RawMessage(`{"orcid":`),
		"key:orcid": raw("orcid:0000-0002-1825-0097\x00"), "shallow": json.RawMessage(`{"a":[{"id":"0000-0002-1694-233X"}]}`)}}
	if got := Read(many); len(got.keys) > maxKeys || len(got.keys) < engine.MaxWorks || len(got.sketch) > sketchSize {
		t.Errorf("%d keys, %d hashes", len(got.keys), len(got.sketch))
	}
	if got := Read(deep).values(ByORCID); len(got) != 1 || got[0] != "0000-0002-1694-233X" {
		t.Errorf("iDs: %q", got)
	}
	if p := Compare(Read(many), Read(many)); p.Score != 0 {
		t.Errorf("a listing is its own twin: %+v", p)
	}
}

// TestPlanted plants a twin beside every expert and technology of the demo corpus, of several sorts, and counts.
func TestPlanted(t *testing.T) {
	experts := demoListings(t, "experts.jsonl")
	technologies := demoListings(t, "technologies.jsonl")
	email := func(l *engine.Listing) json.RawMessage { return raw("p." + strings.ToLower(l.ID) + "@example.vn") }
	for _, tc := range []struct {
		name   string
		of     []*engine.Listing
		plant  func(of, twin *engine.Listing) bool // false where it cannot be planted
		recall float64
	}{
		{"accents and order of the name lost, a title before it, another text", experts, func(of, twin *engine.Listing) bool {
			w := strings.Fields(text.Fold(nameOf(of)))
			if len(w) < 2 || scriptOf(nameOf(of)) != latin || of.Organisation == "" {
				return false
			}
			twin.Person = "PGS.TS. " + strings.ToUpper(strings.Join(append(w[1:], w[0]), " "))
			twin.Organisation, twin.Text, twin.Works = text.Fold(of.Organisation), "Hồ sơ khác", nil
			return true
		}, 1},
		{"a title behind a Korean or Chinese name, another text", experts, func(of, twin *engine.Listing) bool {
			if scriptOf(nameOf(of)) == latin || of.Organisation == "" {
				return false
			}
			twin.Person, twin.Text, twin.Works = map[script]string{hangul: nameOf(of) + " 교수", han: nameOf(of) + "教授"}[scriptOf(nameOf(of))], "Hồ sơ khác", nil
			return true
		}, 1},
		{"another language, one mailbox", experts, func(of, twin *engine.Listing) bool {
			of.Extra, twin.Extra = map[string]json.RawMessage{"email": email(of)}, map[string]json.RawMessage{"contact": email(of)}
			twin.Person, twin.Title, twin.Organisation = "", "Shrimp disease specialist", "Another institute"
			twin.Text, twin.Works, twin.Lang = "A profile in another language", nil, "en"
			return true
		}, 1},
		{"a name without accents, works without text, another organisation", experts, func(of, twin *engine.Listing) bool {
			twin.Person, twin.Text, twin.Organisation = text.Fold(nameOf(of)), "Hồ sơ khác", "Institute of "+of.ID
			for i := range twin.Works {
				twin.Works[i].Text = ""
			}
			return slices.ContainsFunc(of.Works, func(w engine.Work) bool { return titleKey(w.Title) != "" && w.Year > 0 })
		}, 0.95},
		{"renamed technology", technologies, func(_, twin *engine.Listing) bool {
			twin.Title, twin.Organisation = "Giải pháp mới", "Sàn giao dịch công nghệ"
			return true
		}, 1},
		{"accents lost, one sentence more", technologies, func(of, twin *engine.Listing) bool {
			twin.Title, twin.Text = text.Fold(of.Title), text.Fold(of.Text)+". Liên hệ để biết thêm."
			return true
		}, 0.95},
	} {
		var all []*Traits
		planted, found, wrong := 0, 0, 0
		for _, l := range tc.of {
			of, twin := copyOf(l), copyOf(l)
			if tc.plant(of, twin) {
				planted++
				twin.ID = "twin-" + of.ID
				if err := twin.Normalise(); err != nil {
					t.Fatal(err)
				}
				all = append(all, Read(twin))
			}
			all = append(all, Read(of))
		}
		Find(all, nil, func(p Pair) {
			if p.B == "twin-"+p.A || p.A == "twin-"+p.B {
				found++
			} else {
				wrong++
				t.Logf("%s: wrong: %+v", tc.name, p)
			}
		})
		recall, precision := float64(found)/float64(planted), float64(found)/float64(found+wrong)
		t.Logf("%s: %d planted, recall %.3f, precision %.3f", tc.name, planted, recall, precision)
		if planted < 20 || recall < tc.recall || precision < 0.99 {
			t.Errorf("%s: %d planted, recall %.3f, precision %.3f; want %.2f and 0.99", tc.name, planted, recall, precision, tc.recall)
		}
	}
}

func nameOf(l *engine.Listing) string { return strings.TrimSuffix(l.Person, " (demo)") }

func copyOf(l *engine.Listing) *engine.Listing {
	c := *l
	c.Works = slices.Clone(c.Works)
	return &c
}

func demoListings(t *testing.T, name string) (out []*engine.Listing) {
	for _, line := range demo.Records(name) {
		l := new(engine.Listing)
		if err := json.Unmarshal([]byte(line), l); err != nil {
			t.Fatal(err)
		}
		if err := l.Normalise(); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}
