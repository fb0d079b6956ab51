package glossary

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/ketnoi/ketnoi/engine/text"
)

// TestDefault loads the embedded glossary, which refuses duplicates, empty terms and dangling links, and checks that
// it covers what it has to.
func TestDefault(t *testing.T) {
	g := Default()
	if g.Len() < 1000 {
		t.Errorf("%d concepts, want at least 1,000", g.Len())
	}
	perField := map[string]int{}
	for n := range g.Len() {
		perField[g.Concept(n).Field]++
	}
	for code := range fieldTable() {
		hard := strings.ContainsAny(code[:1], "1234") && strings.Contains(code, ".")
		if hard && perField[code] < 10 {
			t.Errorf("field %s (%s) has %d concepts, want at least 10", code, FieldLabel(code, "en"), perField[code])
		}
	}
	t.Logf("%d concepts, version %s", g.Len(), g.Version())
}

// TestTermsAreFound checks for every term of every concept that a text consisting of it names a concept, and counts
// those that name another one: homographs within a language are refused, but not between languages or by folding.
func TestTermsAreFound(t *testing.T) {
	g := Default()
	lost, other, all := 0, 0, 0
	for n := range g.Len() {
		for lang, terms := range g.Concept(n).Terms {
			for _, term := range terms {
				all++
				found := None
				g.Find(term, lang, func(m Mention) {
					if found == None && m.Start == 0 && m.End == len(term) {
						found = m.Concept
					}
				})
				switch {
				case found == None:
					lost++
					if lost < 10 {
						t.Errorf("%s: the %s term %q is not found whole", g.Concept(n).ID, lang, term)
					}
				case found != n:
					other++
				}
			}
		}
	}
	if other*100 > all {
		t.Errorf("%d of %d terms lead to another concept", other, all)
	}
	t.Logf("%d terms, %d lost, %d lead elsewhere", all, lost, other)
}

// TestTermsAreWritten checks what a translator can get wrong.
func TestTermsAreWritten(t *testing.T) {
	g := Default()
	for n := range g.Len() {
		c := g.Concept(n)
		for lang, terms := range c.Terms {
			for _, term := range terms {
				clean, err := text.Clean(term)
				runes := utf8.RuneCountInString(term)
				switch {
				case err != nil || clean != term:
					t.Errorf("%s: %s term %q is not clean (%v)", c.ID, lang, term, err)
				case strings.ContainsAny(term, ",()[]"):
					t.Errorf("%s: %s term %q has brackets or a comma", c.ID, lang, term)
				case (lang == "zh" || lang == "ko") && runes < 2:
					t.Errorf("%s: %s term %q is one character long, which meets by chance", c.ID, lang, term)
				case len(text.TermList(term)) == 0:
					t.Errorf("%s: %s term %q has no index term", c.ID, lang, term)
				}
			}
		}
	}
}

const header = "id\tbroader\trelated\tvi\tfr\ten\tko\tzh\n"

func load(lines ...string) error {
	_, err := Load(fstest.MapFS{"4.1.tsv": {Data: []byte(header + strings.Join(lines, "\n"))}})
	return err
}

func TestLoadRefuses(t *testing.T) {
	good := "rice\t\t\tlúa\triz\trice\t벼농사\t水稻"
	for _, tc := range []struct {
		name, want string
		lines      []string
	}{
		{"duplicate id", `4.1.tsv:3: id "rice" stands twice`, []string{good, "rice\t\t\tgạo\triz blanc\twhite rice\t쌀알\t大米"}},
		{"duplicate term", `4.1.tsv:3: paddy: the vi term "Lúa" already belongs to rice`, []string{good, "paddy\t\t\tLúa\trizière\tpaddy\t논농사\t稻田"}},
		{"empty term", `4.1.tsv:2: rice: no term in fr`, []string{"rice\t\t\tlúa\t\trice\t벼농사\t水稻"}},
		{"only separators", `4.1.tsv:2: fr: an entry between semicolons is empty`, []string{"rice\t\t\tlúa\t ; \trice\t벼농사\t水稻"}},
		{"empty between terms", `4.1.tsv:2: en: an entry between semicolons is empty`, []string{"rice\t\t\tlúa\triz\trice;;paddy\t벼농사\t水稻"}},
		{"same to the matcher", `4.1.tsv:3: dryer: the en term "rice-drying" already belongs to rice, as "rice dryings"`, []string{"rice\t\t\tlúa\triz\trice dryings\t벼농사\t水稻", "dryer\t\t\tmáy sấy\tséchoir\trice-drying\t건조기\t干燥机"}},
		{"same but for spaces", `4.1.tsv:3: dryer: the ko term "벼 농사" already belongs to rice, as "벼농사"`, []string{good, "dryer\t\t\tmáy sấy\tséchoir\tdryer\t벼 농사\t干燥机"}},
		{"word of grammar", `4.1.tsv:2: rice: the en term "can" is a word of grammar`, []string{"rice\t\t\tlúa\triz\trice;can\t벼농사\t水稻"}},
		{"dangling broader", `4.1.tsv:2: rice: broader "cereal" is no other concept`, []string{"rice\tcereal\t\tlúa\triz\trice\t벼농사\t水稻"}},
		{"dangling related", `4.1.tsv:2: rice: related "husk" is no other concept`, []string{"rice\t\thusk\tlúa\triz\trice\t벼농사\t水稻"}},
		{"circle", `broader leads round in a circle`, []string{"a\tb\t\tmột lúa\tun riz\tone rice\t벼하나\t水稻一", "b\ta\t\thai lúa\tdeux riz\ttwo rice\t벼둘둘\t水稻二"}},
		{"columns", `4.1.tsv:2: 3 columns instead of 8`, []string{"rice\tx\ty"}},
		{"bad id", `4.1.tsv:2: id "Rice!"`, []string{"Rice!\t\t\tlúa\triz\trice\t벼농사\t水稻"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := load(tc.lines...); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
	// Accents, endings and capitals tell these apart.
	if err := load(good, "lime\t\t\tlụa\tchaux\tlime;ricing\t석회암\t石灰", "lims\t\t\tlũa\tlims\tLIMS;riced\t실험실 관리\t管理系统"); err != nil {
		t.Errorf("good lines are refused: %v", err)
	}
	if _, err := Load(fstest.MapFS{"9.9.tsv": {Data: []byte(header)}}); err == nil {
		t.Error("a file of an unknown field is taken")
	}
}

// small is a glossary for the matcher's tests.
func small(t testing.TB) *Glossary {
	g, err := Load(fstest.MapFS{"4.1.tsv": {Data: []byte(header + strings.Join([]string{
		"shrimp\taquaculture\t\ttôm;tôm sú\tcrevette\tshrimp\t새우\t对虾;虾类",
		"shrimp-farming\taquaculture\tshrimp\tnuôi tôm\télevage de crevettes\tshrimp farming\t새우 양식\t对虾养殖",
		"aquaculture\t\t\tnuôi trồng thủy sản\taquaculture\taquaculture\t수산양식\t水产养殖",
		"cattle\t\t\tbò\tbovin\tcattle\t소사육\t肉牛",
		"butter\t\t\tbơ\tbeurre\tbutter\t버터\t黄油",
		"ai\t\t\tAI;trí tuệ nhân tạo\tintelligence artificielle\tartificial intelligence;AI\t인공지능\t人工智能",
		"silver-nanoparticle\t\t\tnano bạc\tnanoparticule d'argent\tsilver nanoparticle\t은나노입자\t纳米银",
		"leather\t\t\tda nhân tạo\tcuir artificiel\tartificial leather\t인조가죽\t人造革",
		"stone\t\t\tđá nhân tạo\tpierre artificielle\tartificial stone\t인조석재\t人造石",
	}, "\n"))}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func find(g *Glossary, s, lang string) (out []string) {
	g.Find(s, lang, func(m Mention) { out = append(out, g.Concept(m.Concept).ID+"="+s[m.Start:m.End]) })
	return out
}

func TestFind(t *testing.T) {
	g := small(t)
	for _, tc := range []struct {
		in, lang string
		want     []string
	}{
		{"Ao nuôi tôm sú", "vi", []string{"shrimp-farming=nuôi tôm"}},
		{"con tôm sú", "vi", []string{"shrimp=tôm sú"}},
		{"nuoi trong thuy san", "vi", []string{"aquaculture=nuoi trong thuy san"}},
		{"nuôi trồng thuỷ sản", "vi", []string{"aquaculture=nuôi trồng thuỷ sản"}},
		{"tom", "vi", nil}, // one syllable without its accent is anybody's guess
		{"con bò, không phải bơ", "vi", []string{"cattle=bò", "butter=bơ"}},
		{"bo", "vi", nil},
		{"shrimps and Shrimp Farming", "en", []string{"shrimp=shrimps", "shrimp-farming=Shrimp Farming"}},
		{"élevages de crevettes", "fr", []string{"shrimp-farming=élevages de crevettes"}},
		{"ELEVAGE DE CREVETTES", "fr", []string{"shrimp-farming=ELEVAGE DE CREVETTES"}},
		{"nanoparticules d'argent", "fr", []string{"silver-nanoparticle=nanoparticules d'argent"}},
		{"nanoparticules d’argent", "fr", []string{"silver-nanoparticle=nanoparticules d’argent"}},
		{"새우양식장에서", "ko", []string{"shrimp-farming=새우양식"}},
		{"새우 양식을", "ko", []string{"shrimp-farming=새우 양식"}},
		{"담수새우를", "ko", nil}, // two syllables inside another word
		{"集约化对虾养殖技术", "zh", []string{"shrimp-farming=对虾养殖"}},
		{"ai nuôi", "vi", nil}, // "who", not the abbreviation
		{"dùng AI", "vi", []string{"ai=AI"}},
		{"using Artificial Intelligence", "vi", []string{"ai=Artificial Intelligence"}}, // English stands everywhere
		{"crevette", "en", nil},
		{"crevette", "", []string{"shrimp=crevette"}},
		{"da nhân tạo", "vi", []string{"leather=da nhân tạo"}},
		{"đá nhân tạo", "vi", []string{"stone=đá nhân tạo"}},
		{"shrimp. Farming", "en", []string{"shrimp=shrimp"}}, // no term across a full stop
		{"", "vi", nil},
	} {
		if got := find(g, tc.in, tc.lang); !slices.Equal(got, tc.want) {
			t.Errorf("Find(%q, %q) = %q, want %q", tc.in, tc.lang, got, tc.want)
		}
	}
}

// TestFindMeansIt holds the default glossary to words that look like terms and are none, and to the terms they look like.
func TestFindMeansIt(t *testing.T) {
	g := Default()
	for _, tc := range []struct {
		in, lang string
		want     string // the concepts in order
	}{
		{"Rice can be stored", "en", "rice"}, {"rice canning", "en", "rice canned-food"}, {"Can it be done?", "en", ""},
		{"cần can thiệp sớm", "vi", ""}, {"can ho tro ky thuat", "vi", ""}, {"can", "", ""},
		{"an energy source, power sources", "en", ""}, {"sourcing of rice", "en", "procurement rice"},
		{"silicon wafers", "en", "silicon-wafer"}, {"a silicone", "en", "silicone-chemistry"},
		{"Landing aid, aiding navigation, Aid and AID", "en", ""}, {"HIV/AIDS care", "en", "hiv-aids hiv-aids"}, {"AIDS", "en", "hiv-aids"}, {"a cure for AIDS", "en", "hiv-aids"},
		{"The team was led by experts", "en", ""}, {"led by experts", "en", ""}, {"LEDs and an LED", "en", "led-device led-device"},
		{"Paced by ups and downs, a roving camera", "en", ""}, {"A UPS, an ROV", "en", "uninterruptible-power-supply underwater-robot"},
		{"Des fruits frais à cuire dans mes fours", "fr", ""}, {"Des fraises, du cuir", "fr", "strawberry leather"}, {"le MES de l'usine", "fr", "manufacturing-execution-system"},
		{"led chiếu sáng thanh long", "vi", "led-device dragon-fruit"}, {"đèn pin và gps", "vi", "gnss-receiver"},
		{"gps for tractors", "en", "gnss-receiver tractor"}, {"A gps for it", "en", ""}, {"HOW IT WORKS", "en", ""}, {"IT 기업", "ko", ""},
		{"The SOW of the contract", "en", ""}, {"a sow", "en", "sow-piglet"}, {"tomatoes, potatoes", "en", "tomato potato"},
		{"des fonderies et une fonderie, des drêches", "fr", "metal-casting metal-casting feed-ingredient"},
	} {
		var got []string
		g.Find(tc.in, tc.lang, func(m Mention) { got = append(got, g.Concept(m.Concept).ID) })
		if strings.Join(got, " ") != tc.want {
			t.Errorf("Find(%q, %q) names %q, want %q", tc.in, tc.lang, strings.Join(got, " "), tc.want)
		}
	}
}

// TestWordsOfGrammarNameNothing tries every term, its plural and its unaccented form that is a stop word in any language.
func TestWordsOfGrammarNameNothing(t *testing.T) {
	g := Default()
	for n := range g.Len() {
		for _, terms := range g.Concept(n).Terms {
			for _, term := range terms {
				for _, w := range []string{strings.ToLower(term), text.Fold(term), text.Fold(term) + "s"} {
					if !text.IsStopWord(w) {
						continue
					}
					for _, lang := range append([]string{""}, text.Languages...) {
						g.Find(w, lang, func(m Mention) { t.Errorf("Find(%q, %q) names %s", w, lang, g.Concept(m.Concept).ID) })
					}
				}
			}
		}
	}
}

func TestNeighbours(t *testing.T) {
	g := small(t)
	var got []string
	g.Neighbours(g.ByID("shrimp-farming"), func(n int, l Link) { got = append(got, fmt.Sprintf("%s %s", l, g.Concept(n).ID)) })
	want := []string{"same shrimp-farming", "broader aquaculture", "related shrimp"}
	if !slices.Equal(got, want) {
		t.Errorf("neighbours %q, want %q", got, want)
	}
	if g.ByID("nothing") != None {
		t.Error("an unknown id has a number")
	}
}

func FuzzFind(f *testing.F) {
	g := Default()
	for _, s := range []string{"nuôi tôm sú", "새우 양식을", "AI", "對蝦養殖", "nano\u0301bac"} {
		f.Add(s, "vi")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, s, lang string) {
		if !utf8.ValidString(s) {
			return
		}
		last := 0
		g.Find(s, lang, func(m Mention) {
			if m.Start < last || m.End <= m.Start || m.End > len(s) || m.Concept < 0 || m.Concept >= g.Len() {
				t.Fatalf("Find(%+q, %q): %+v after %d", s, lang, m, last)
			}
			last = m.End
		})
	})
}

func ExampleGlossary_Find() {
	g := Default()
	s := "Máy sấy thanh long bằng bơm nhiệt"
	g.Find(s, "vi", func(m Mention) { fmt.Println(s[m.Start:m.End], "=", g.Concept(m.Concept).Label("ko")) })
	// Output:
	// Máy sấy = 건조기
	// thanh long = 용과
	// bơm nhiệt = 히트펌프
}
