package glossary

import (
	"fmt"
	"strings"
	"sync"
	"unicode"

	"github.com/ketnoi/ketnoi/engine/text"
)

// Region is a country, an economic region of Viet Nam, or a first-level unit. Codes are those of ISO 3166, but for
// the six economic regions VN-R1 to VN-R6, which have none there.
type Region struct {
	Code       string
	Parent     string            // the code above: a country, or an economic region; "" for countries
	MergedInto string            // for a unit that Viet Nam retired on 1 July 2025
	Names      map[string]string // by language tag
}

// gazetteer is all regions by code, and codes by folded name.
type gazetteer struct {
	regions map[string]Region
	names   map[string]string
	listed  map[string]bool // countries whose units we list, all of them
	clashes []string        // names that were already taken, for the tests
}

var regionTable = sync.OnceValue(func() *gazetteer {
	g := &gazetteer{regions: map[string]Region{}, names: map[string]string{}, listed: map[string]bool{}}
	// Viet Nam first: where names clash (Hà Nam is also Henan), its own units keep theirs.
	for _, r := range must(readTable(files, "tables/vn-units.tsv", "code", "merged_into", "economic_region", "vi", "fr", "en", "ko", "zh", "aliases")) {
		g.add(Region{Code: r.cells[0], MergedInto: r.cells[1], Parent: r.cells[2], Names: labels(r.cells[3:8])}, r.cells[8])
	}
	plain := []string{"code", "vi", "fr", "en", "ko", "zh", "aliases"}
	for _, t := range []struct {
		file   string
		parent func(code string) string
	}{
		{"tables/vn-economic-regions.tsv", func(string) string { return "VN" }},
		{"tables/countries.tsv", func(string) string { return "" }},
		{"tables/subdivisions.tsv", func(code string) string { return code[:2] }},
	} {
		for _, r := range must(readTable(files, t.file, plain...)) {
			g.add(Region{Code: r.cells[0], Parent: t.parent(r.cells[0]), Names: labels(r.cells[1:6])}, r.cells[6])
		}
	}
	return g
})

// partly are the countries of which only the units that readers need are listed (of France the regions, not the
// departments).
var partly = map[string]bool{"FR": true, "CA": true, "BE": true, "CH": true}

func (g *gazetteer) add(r Region, aliases string) {
	if country, _, unit := strings.Cut(r.Code, "-"); unit && !partly[country] {
		g.listed[country] = true
	}
	g.regions[r.Code] = r
	names := list(aliases)
	for _, lang := range text.Languages {
		names = append(names, r.Names[lang])
	}
	for _, name := range names {
		key := nameKey(name)
		if code, taken := g.names[key]; !taken {
			g.names[key] = r.Code
		} else if code != r.Code {
			g.clashes = append(g.clashes, fmt.Sprintf("%s: %s before %s", name, code, r.Code))
		}
	}
}

// nameKey folds a name and keeps letters and digits only: "Hô-Chi-Minh-Ville" and "ho chi minh ville" meet.
func nameKey(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text.Fold(name))
}

// titles are what people put before or behind a name; a name that is not found is tried again without them.
var titles = struct{ before, after []string }{
	before: []string{"thanhpho", "tinh", "tp", "vung", "provincede", "province", "cityof", "regionde", "region", "prefecturede", "cantonde"},
	after:  []string{"province", "prefecture", "city", "특별자치도", "특별자치시", "광역시", "특별시", "성", "시", "도", "현", "省", "市", "自治区", "県", "县"},
}

// RegionCode returns the code that a code or a name stands for: names in five languages, old names, without accents,
// with or without "tỉnh", "TP.", "Province", 省, 도. A retired code or name gives the retired code; Canonical leads on
// from there. A code of the form of ISO 3166-2 is taken as it is for countries whose units are not listed here
// ("AU-QLD"). ok is false when nothing is known by that name.
func RegionCode(nameOrCode string) (code string, ok bool) {
	g := regionTable()
	upper := strings.ToUpper(strings.TrimSpace(nameOrCode))
	if _, ok := g.regions[upper]; ok {
		return upper, true
	}
	key := nameKey(nameOrCode)
	if code, ok := g.names[key]; ok {
		return code, true
	}
	for _, p := range titles.before {
		if code, ok := g.names[strings.TrimPrefix(key, p)]; ok && strings.HasPrefix(key, p) {
			return code, true
		}
	}
	for _, s := range titles.after {
		if code, ok := g.names[strings.TrimSuffix(key, s)]; ok && strings.HasSuffix(key, s) {
			return code, true
		}
	}
	if g.foreign(upper) {
		return upper, true
	}
	return "", false
}

// foreign reports whether code looks like a unit of a country that we know without its units.
func (g *gazetteer) foreign(code string) bool {
	country, unit, ok := strings.Cut(code, "-")
	_, known := g.regions[country]
	return ok && known && len(country) == 2 && !g.listed[country] && len(unit) >= 1 && len(unit) <= 3 && strings.Trim(unit, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// Canonical returns the code in force: a retired unit of Viet Nam leads to the one it merged into.
func Canonical(code string) string {
	if r, ok := regionTable().regions[code]; ok && r.MergedInto != "" {
		return r.MergedInto
	}
	return code
}

// RegionAncestors returns the code in force and all above it: "VN-40" gives VN-35, VN-R4, VN.
func RegionAncestors(code string) []string {
	g := regionTable()
	var out []string
	for code = Canonical(code); code != ""; {
		out = append(out, code)
		if r, ok := g.regions[code]; ok {
			code = r.Parent
		} else {
			code, _, _ = strings.Cut(code, "-")
		}
	}
	return out
}

// RegionLabel returns the region's name in lang, else in English, else the code.
func RegionLabel(code, lang string) string {
	r, ok := regionTable().regions[code]
	if !ok {
		return code
	}
	if n := r.Names[lang]; n != "" {
		return n
	}
	return r.Names["en"]
}
