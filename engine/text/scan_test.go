package text

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ketnoi/ketnoi/eval/shared"
)

func TestTerms(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
	}{
		{"nước mắm", []string{"nuoc", "=nươ\u0301c", "mam", "=mă\u0301m", "nuoc mam"}},
		{"nuoc mam", []string{"nuoc", "mam", "nuoc mam"}},
		{"Đắk Lắk", []string{"dak", "=đăk\u0301", "lak", "=lăk\u0301"}},
		{"sensors, drying and industries", []string{"sensor", "dry", "industri"}},
		{"capteurs d'humidité séchée", []string{"capteur", "humidit", "=humidite\u0301", "sech", "=sechee\u0301\u0301"}},
		{"CO₂ và ＩｏＴ", []string{"co2", "iot"}},
		{"새우양식장에서", []string{"새우", "우양", "양식", "식장", "장에"}},
		{"虾类养殖", []string{"虾类", "类养", "养殖"}},
		{"虾", []string{"虾"}},
		{"쌀을 씻는 솥은", []string{"쌀을", "쌀", "씻는", "씻", "솥은", "솥"}},
		{"쌀 쌀가루를 이를 수 있다", []string{"쌀", "쌀가", "가루", "루를"}},
		{"kỹ kĩ", []string{"ki", "=ki\u0303", "ki", "=ki\u0303", "ki ki"}},
		{"của và the le", nil},
		{"cua", []string{"cua"}},
		{"😀 🎉", nil},
		{"", nil},
	} {
		got := TermList(tc.in)
		for i := range tc.want { // written above with the tone mark where it is read; compare canonically
			tc.want[i] = canonical(tc.want[i])
		}
		for i := range got {
			got[i] = canonical(got[i])
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("TermList(%q) = %+q, want %+q", tc.in, got, tc.want)
		}
	}
}

// canonical moves combining tone marks to the end, as exact forms have them.
func canonical(s string) string {
	var base, tones strings.Builder
	for _, r := range s {
		if isTone(r) {
			tones.WriteRune(r)
		} else {
			base.WriteRune(r)
		}
	}
	return base.String() + tones.String()
}

func shares(t *testing.T, query, doc string) (n int) {
	t.Helper()
	terms := TermList(doc)
	for _, q := range TermList(query) {
		if slices.Contains(terms, q) {
			n++
		}
	}
	return n
}

func TestFinds(t *testing.T) {
	for _, tc := range []struct{ query, doc string }{
		{"nuoc", "nước sạch"}, {"Dak Lak", "tỉnh Đắk Lắk"}, {"thuy san", "thủy sản"}, {"hoà", "hòa"}, {"thuý", "thúy"},
		{"养殖", "对虾养殖技术"}, {"양식", "새우양식장을"}, {"반도체", "반도체는"}, {"쌀", "쌀을"}, {"솥을", "솥은"}, {"옻", "옻을"}, {"쌀", "쌀"}, {"sechage", "séchage"}, {"SENSORS", "a sensor"},
	} {
		if shares(t, tc.query, tc.doc) == 0 {
			t.Errorf("%q does not find %q", tc.query, tc.doc)
		}
	}
}

func TestExactBeatsFolded(t *testing.T) {
	if exact, folded := shares(t, "nước", "nước"), shares(t, "nước", "nuộc"); exact <= folded || folded == 0 {
		t.Errorf("shared terms: exact %d, folded %d; want more for exact, some for folded", exact, folded)
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{"Đắk Lắk": "dak lak", "Hô-Chi-Minh": "ho-chi-minh", "İstanbul": "istanbul", "STRAẞE": "strasse", "œuf": "oeuf", "Ω": "ω"} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestStemLeavesVietnamese runs the one stemmer over professionally translated Vietnamese: no syllable may change.
func TestStemLeavesVietnamese(t *testing.T) {
	f, err := os.Open(shared.Path(t, "data/parallel-ntrex/vie.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	changed, seen := map[string]string{}, 0
	for sc := bufio.NewScanner(f); sc.Scan(); {
		Scan(sc.Text(), func(a *Atom) bool {
			plain := Fold(sc.Text()[a.Start:a.End])
			if a.Marked && isSyllable([]byte(plain)) {
				if seen++; string(a.Fold) != string(evenY([]byte(plain))) {
					changed[plain] = string(a.Fold)
				}
			}
			return true
		})
	}
	if seen < 10_000 || len(changed) > 0 {
		t.Errorf("%d syllables seen, changed: %v", seen, changed)
	}
}

// checkScan holds for any text: atoms lie in order within it, at character boundaries, with valid forms.
func checkScan(t interface{ Fatalf(string, ...any) }, s string) {
	last := 0
	Scan(s, func(a *Atom) bool {
		if a.Start < last || a.End <= a.Start || a.End > len(s) || !utf8.RuneStart(s[a.Start]) || a.End < len(s) && !utf8.RuneStart(s[a.End]) {
			t.Fatalf("Scan(%+q): atom [%d, %d) after %d", s, a.Start, a.End, last)
		}
		if len(a.Fold) == 0 || !utf8.Valid(a.Fold) || !utf8.Valid(a.Exact) {
			t.Fatalf("Scan(%+q): atom %+q has the forms %+q and %+q", s, s[a.Start:a.End], a.Fold, a.Exact)
		}
		last = a.End
		return true
	})
	Terms(s, func(term []byte, start, end int) {
		if len(term) == 0 || start < 0 || end <= start || end > len(s) {
			t.Fatalf("Terms(%+q): %+q at [%d, %d)", s, term, start, end)
		}
	})
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{"nước mắm", "İẞﬁ", "새우 양식", "养殖ab", "a\u0301\u0301", "👨\u200d👩", "１２", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		checkScan(t, s)
		Fold(s)
		Detect(s)
	})
}

func TestScanAllocatesNothingPerAtom(t *testing.T) {
	s := strings.Repeat("Nước thải nuôi tôm 새우양식 养殖 sensors ", 200)
	n := 0
	if got := testing.AllocsPerRun(20, func() { Terms(s, func([]byte, int, int) { n++ }) }); got > 20 {
		t.Errorf("%.0f allocations for %d terms", got, n)
	}
}

func ExampleFold() {
	fmt.Println(Fold("Nước thải ở Đắk Lắk"))
	// Output: nuoc thai o dak lak
}

func ExampleTermList() {
	fmt.Println(TermList("nuoc mam"), TermList("sensors"), TermList("养殖场"))
	// Output: [nuoc mam nuoc mam] [sensor] [养殖 殖场]
}
