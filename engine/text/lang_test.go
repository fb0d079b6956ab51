package text

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/eval/shared"
)

func TestDetect(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"Nước thải nhuộm còn màu", "vi"},
		{"nuoc thai nuoi tom bi o nhiem nang", "vi"},
		{"Capteurs d'humidité pour le séchage des algues", "fr"},
		{"We need a sensor for the drying of seaweed", "en"},
		{"새우 양식장의 수질 측정", "ko"},
		{"对虾养殖水质监测", "zh"},
		{"IoT 기반 MEMS 센서", "ko"},
		{"エビの養殖", "ja"},
		{"Прибор для измерения", ""},
		{"12345 %", ""},
		{"Autonomous underwater vehicle battery", "en"},
		{"aquaculture", "en"},
		{"dragon fruit peel", "en"},
		{"rocket motor", "en"},
		{"capteur solaire innovant", "fr"},
		{"Traitement d'eau", "fr"},
		{"forêt aléatoire", "fr"},
		{"nuoi tom", "vi"},
		{"led chiếu sáng thanh long", "vi"},
		{"Dak Lak", "vi"},
		{"thanh long", "vi"},
		{"tin can and hot pan", "en"},
		{"Reusing run-off of soilless tomatoes, Đức Trọng", "en"},
		{"", ""},
	} {
		if got, _ := Detect(tc.in); got != tc.want {
			t.Errorf("Detect(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

// TestDetectOnTranslatedNews measures the detector on 990 lines in each of the five languages.
func TestDetectOnTranslatedNews(t *testing.T) {
	for file, want := range map[string]string{"vie": "vi", "fra": "fr", "eng": "en", "kor": "ko", "zho-CN": "zh"} {
		f, err := os.Open(shared.Path(t, "data/parallel-ntrex/"+file+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		right, folded, all := 0, 0, 0
		for sc := bufio.NewScanner(f); sc.Scan(); all++ {
			if got, _ := Detect(sc.Text()); got == want {
				right++
			}
			if got, _ := Detect(Fold(sc.Text())); got == want {
				folded++
			}
		}
		f.Close()
		t.Logf("%s: %d of %d lines, %d without accents", want, right, all, folded)
		if right*100 < all*98 || folded*100 < all*90 {
			t.Errorf("%s: %d of %d lines right, %d without accents; want 98 %% and 90 %%", want, right, all, folded)
		}
	}
}

// TestDetectShortTexts holds the detector to English titles, of which a trigram detector took one in nine for French, and to
// the first words of news. What it says it is sure of must be right.
func TestDetectShortTexts(t *testing.T) {
	check := func(name string, texts []string, want string, least int) {
		right := 0
		for _, s := range texts {
			got, sure := Detect(s)
			if got == want {
				right++
			} else if sure {
				t.Errorf("%s: Detect(%q) is sure of %q", name, s, got)
			}
		}
		t.Logf("%s: %d of %d are %s", name, right, len(texts), want)
		if right*100 < len(texts)*least {
			t.Errorf("%s: %d of %d are %s, want %d %%", name, right, len(texts), want, least)
		}
	}
	var titles []string
	for sc := bufio.NewScanner(open(t, "data/technologies-nasa/technologies.jsonl")); sc.Scan(); {
		var l struct{ Title string }
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		titles = append(titles, l.Title)
	}
	check("NASA titles", titles, "en", 99)
	for _, tc := range []struct {
		file, want    string
		words         int
		least, folded int
	}{{"eng", "en", 2, 98, 98}, {"fra", "fr", 3, 90, 85}, {"vie", "vi", 2, 93, 75}, {"vie", "vi", 3, 95, 70}} {
		var texts, plain []string
		for sc := bufio.NewScanner(open(t, "data/parallel-ntrex/"+tc.file+".txt")); sc.Scan(); {
			words := strings.Fields(sc.Text())
			from := (len(words) - min(len(words), tc.words)) / 2
			s := strings.Join(words[from:min(len(words), from+tc.words)], " ")
			texts, plain = append(texts, s), append(plain, Fold(s))
		}
		name := fmt.Sprintf("%s, %d words", tc.file, tc.words)
		check(name, texts, tc.want, tc.least)
		check(name+" without accents", plain, tc.want, tc.folded)
	}
}

func open(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(shared.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestDetectorIsSmall holds the detector to the 20 MB it may cost.
func TestDetectorIsSmall(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	Detect("capteur solaire innovant")
	Detect("new solar sensor")
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 20<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

func TestLanguageTag(t *testing.T) {
	for in, want := range map[string]string{"vi": "vi", "vi-VN": "vi", "zh-Hant": "zh", "Tiếng Việt": "vi", "한국어": "ko", "Français": "fr", "th": "th", "qq!": "", "english please": ""} {
		if got, _ := LanguageTag(in); got != want {
			t.Errorf("LanguageTag(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPreferredReader(t *testing.T) {
	for in, want := range map[string]string{"vi-VN,vi;q=0.9,en;q=0.8": "vi", "ko": "ko", "de;q=0.9, fr;q=0.5": "fr", "": "", "xx": "", "zh-TW": "zh", ";;;": ""} {
		if got := PreferredReader(in); got != want {
			t.Errorf("PreferredReader(%q) = %q, want %q", in, got, want)
		}
	}
}
