package glossary

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/ketnoi/ketnoi/engine/text"
)

// excused holds what looks wrong to doubt and is right: terms of level tone, which are written without accents, and
// words taken into Vietnamese that are no Vietnamese syllable.
var excused = set("kim chi;nem chua;rong nho;chai pin;tua bin;phun bi;van bi;toa xe;xe lu;vi bao;vi nang;men tro;co men;cao su;tro bay;cao lanh;" +
	"men bia;men vi sinh;thanh hao;suy tim;nha khoa;nha chu;nhi khoa;khoai lang;ca cao;thanh long;chanh leo;na dai;hoa sen;hoa lan;phong lan;hoa ly;" +
	"bon sai;xen canh;keo lai;heo con;keo ong;" +
	"chip;kit;net;vectơ;nitơ;điêzen;điốt;rôto;urê;magiê;anốt;catốt;xenlulozơ;bôxit;amiăng;atisô;glôcôm;ecgônômi;niño")

func set(entries string) map[string]bool {
	m := map[string]bool{}
	for _, e := range list(entries) {
		m[e] = true
	}
	return m
}

// TestConceptsAreNotSuspicious looks for slips of the hand that load without an error. What Load refuses (a term of two
// concepts in one language, a missing language, links that lead nowhere or round in a circle) it need not look for.
func TestConceptsAreNotSuspicious(t *testing.T) {
	rows := conceptRows(t)
	used := map[string]bool{}
	for _, why := range suspicious(rows, used) {
		t.Error(why)
	}
	for e := range excused {
		if !used[e] {
			t.Errorf("nothing needs the excuse of %q any more", e)
		}
	}
}

func conceptRows(t *testing.T) (rows []row) {
	names, _ := fs.Glob(files, "concepts/*.tsv")
	for _, name := range names {
		more, err := readTable(files, name, append([]string{"id", "broader", "related"}, text.Languages...)...)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, more...)
	}
	return rows
}

// suspicious says for every row what looks wrong, as file:line: why. It notes in used which excuses it made use of.
func suspicious(rows []row, used map[string]bool) (out []string) {
	linked := func(a, b row) bool {
		names := func(a, b row) bool {
			return a.cells[1] == b.cells[0] || slices.Contains(list(a.cells[2]), b.cells[0])
		}
		return names(a, b) || names(b, a)
	}
	first := map[string]row{} // a term in small letters -> the first concept with it
	for _, r := range rows {
		report := func(format string, args ...any) {
			out = append(out, r.errorf(r.cells[0]+": "+format, args...).Error())
		}
		for i, id := range list(r.cells[2]) {
			if slices.Contains(list(r.cells[2])[:i], id) || id == r.cells[1] {
				report("related %q is linked a second time", id)
			}
		}
		for i, lang := range text.Languages {
			seen := map[string]bool{}
			for n, term := range list(r.cells[3+i]) {
				key := strings.ToLower(term)
				if o, ok := first[key]; !ok {
					first[key] = r
				} else if o.cells[0] != r.cells[0] && !linked(o, r) {
					report("the %s term %q is also one of %s, to which nothing links it", lang, term, o.cells[0])
				}
				if lang == "ko" || lang == "zh" {
					key = strings.ReplaceAll(key, " ", "")
				}
				if seen[key] {
					report("the %s term %q stands twice", lang, term)
				}
				seen[key] = true
				if lang == "zh" && n == 0 && strings.ContainsAny(term, traditional) {
					report("the zh term %q stands first and is written in traditional characters", term)
				}
				if why := doubt(lang, term, used); why != "" {
					report("the %s term %q %s", lang, term, why)
				}
			}
		}
	}
	return out
}

var (
	latinWord = regexp.MustCompile(`[A-Za-z0-9]+`)
	vietWord  = regexp.MustCompile(`\pL+`)
	scripts   = map[string][]*unicode.RangeTable{ // the letters of a language; Greek stands in names of substances
		"vi": {unicode.Latin, unicode.Greek},
		"fr": {unicode.Latin, unicode.Greek},
		"en": {unicode.Latin, unicode.Greek},
		"ko": {unicode.Latin, unicode.Greek, unicode.Hangul},
		"zh": {unicode.Latin, unicode.Greek, unicode.Han},
	}
)

// doubt says what looks wrong with a term by itself, or "".
func doubt(lang, term string, used map[string]bool) string {
	for _, c := range term {
		if unicode.IsLetter(c) && !unicode.In(c, scripts[lang]...) {
			return fmt.Sprintf("has the letter %q", c)
		}
	}
	if lang == "ko" || lang == "zh" {
		for _, w := range latinWord.FindAllString(term, -1) {
			// An abbreviation, a unit or a name has a capital or a digit, or is a single letter.
			if len(w) > 1 && strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") == "" {
				return fmt.Sprintf("has the foreign word %q", w)
			}
		}
	}
	if lang != "vi" {
		return ""
	}
	words, bare := vietWord.FindAllString(term, -1), 0
	for _, w := range words {
		small, ascii := strings.ToLower(w), strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") == ""
		switch syllable := text.IsSyllable(text.Fold(small)); {
		case w == strings.ToUpper(w), !syllable && ascii: // an abbreviation or a foreign word
			continue
		case excused[small]:
			used[small] = true
			continue
		case !syllable && strings.IndexFunc(w, func(c rune) bool { return c > unicode.MaxASCII }) >= 0:
			return fmt.Sprintf("has %q, which is no Vietnamese syllable", w)
		case syllable && w == small && toneless.MatchString(norm.NFD.String(w)):
			return fmt.Sprintf("has %q, which lacks its tone", w)
		case ascii:
			bare++
		}
	}
	if bare > 1 && bare == len(words) && !excused[term] {
		return "is Vietnamese without its accents"
	}
	used[term] = used[term] || bare > 1 && bare == len(words)
	return ""
}

// toneless finds what ends in c, ch, p or t without the acute or the dot below, which every such syllable has.
var toneless = regexp.MustCompile("^[^\u0301\u0323]*(c|ch|p|t)$")

// traditional holds characters frequent in technical terms that simplified Chinese writes otherwise.
const traditional = "個們來倉備偵傷傳價億優兒兩內凍劃劑動務勞勢區協單參員問啟國圍園圖團場塊塗塵壓壞學寧實審寫層屬島幣師帳帶庫廠廣廢張強彈後復徑從徵應態戰據擇擔擊擴攝擬擾數斷時曆書會東條構樣樞樓標機橋檢權歷殘毀氣氫決沒況沖減渦測溫滅漁漢潔潛潤" +
	"濃濕濟濾災無煉煙熱燈燒營爐狀獨獲環現產畝異療監盤確礦礎種稱穩穀窯範築簡糧糞紅級紙納純紡細終組結統絲經維網綠線緩編練縣縮總織繪繼續纖聯聲職腦腫腸膚膠臟臨舊艙莖華萬葉藍藝藥處號蟲蝕蠶術衛裝補複製見規視覺覽觀觸計訊設診評詞試認" +
	"語誤說課調論講識證譯議護變讀貝負財貨責費貿資質購軌軟軸載輔輕輪輸轉農遞遠適選遺還邊郵鄉醫釀釋針鈉鈣鋁鋼鋰錄鍋鍵鎂鏈鏡鐵鑄長門開間閥關階陽陰險隨雜雙離難電霧靜響項預領頭題類顏額風飛飲飼養館馬駕驅驗體魚鮮鳥鴨鵝鹽麥麵黃點齒龍" +
	"龜"

func TestSuspicious(t *testing.T) {
	for _, tc := range []struct{ lang, cell, want string }{
		{"vi", "canh tac lua", `4.1.tsv:2: rice: the vi term "canh tac lua" has "tac", which lacks its tone`},
		{"vi", "lua nuoc", `"nuoc", which lacks its tone`},
		{"vi", "nuoi tom", `"nuoi tom" is Vietnamese without its accents`},
		{"vi", "lúa nướcc", `"nướcc", which is no Vietnamese syllable`},
		{"vi", "tia UV;in 3D;biogas;marketing online;IoT trong nông nghiệp;ép;các-bon;thiết bị PET", ""},
		{"vi", "lúa;Lúa", `"Lúa" stands twice`},
		{"vi", "nướс", `has the letter 'с'`}, // Cyrillic
		{"en", "rice;水稻", `"水稻" has the letter '水'`},
		{"fr", "riz;벼농사", `"벼농사" has the letter '벼'`},
		{"en", "β-glucan;El Niño", ""},
		{"en", "leaf;straw", `"straw" is also one of straw, to which nothing links it`},
		{"ko", "벼 농사;벼농사", `"벼농사" stands twice`},
		{"ko", "rice 재배", `has the foreign word "rice"`},
		{"ko", "IoT 센서;pH 측정;3D 프린팅;t 검정;DNA", ""},
		{"ko", "水稻", `has the letter '水'`},
		{"zh", "deep学习", `has the foreign word "deep"`},
		{"zh", "LED灯;pH值;Wi-Fi模块;α淀粉酶;CO2捕集", ""},
		{"zh", "水產養殖;水产养殖", `"水產養殖" stands first and is written in traditional characters`},
		{"zh", "水产养殖;水產養殖", ""},
	} {
		rice := row{file: "4.1.tsv", line: 2, cells: []string{"rice", "", "", "lúa", "riz", "rice", "벼농사", "水稻"}}
		rice.cells[3+slices.Index(text.Languages, tc.lang)] = tc.cell
		straw := row{file: "4.1.tsv", line: 1, cells: []string{"straw", "", "", "rơm", "straw", "straws", "볏짚", "秸秆"}}
		got := strings.Join(suspicious([]row{straw, rice}, map[string]bool{}), "\n")
		if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
			t.Errorf("%s %q: %q, want %q", tc.lang, tc.cell, got, tc.want)
		}
	}
}
