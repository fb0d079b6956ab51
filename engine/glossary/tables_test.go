package glossary

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/engine/text"
	"github.com/ketnoi/ketnoi/eval/shared"
)

func TestFields(t *testing.T) {
	major, minor := 0, 0
	for code, f := range fieldTable() {
		if strings.Contains(code, ".") {
			minor++
		} else {
			major++
		}
		for _, lang := range text.Languages {
			if f.Labels[lang] == "" {
				t.Errorf("field %s has no label in %s", code, lang)
			}
		}
	}
	if major != 6 || minor != 42 {
		t.Errorf("%d major and %d minor fields, want 6 and 42", major, minor)
	}
	for code, want := range map[string]bool{"2": true, "2.11": true, "2.12": false, "7": false, "": false, "2.": false, "02": false} {
		if got := IsField(code); got != want {
			t.Errorf("IsField(%q) = %v", code, got)
		}
	}
	if got := FieldAncestors("2.7"); !slices.Equal(got, []string{"2.7", "2"}) {
		t.Errorf("ancestors of 2.7: %q", got)
	}
}

func TestRegionCode(t *testing.T) {
	for in, want := range map[string]string{
		"VN-HP": "VN-HP", "vn-hp": "VN-HP", "Hai Phong": "VN-HP", "海防": "VN-HP", "하이퐁": "VN-HP", "Haïphong": "VN-HP", "TP. Hải Phòng": "VN-HP",
		"Hô-Chi-Minh-Ville": "VN-SG", "TP.HCM": "VN-SG", "Sài Gòn": "VN-SG", "胡志明市": "VN-SG", "Thành phố Hồ Chí Minh": "VN-SG",
		"Bình Thuận": "VN-40", "Binh Thuan": "VN-40", "Đắk Nông": "VN-72", "Dak Nong": "VN-72", "Thừa Thiên Huế": "VN-26",
		"Hà Nam": "VN-63", "KR": "KR", "한국": "KR", "Hàn Quốc": "KR", "Corée du Sud": "KR", "경기도": "KR-41", "Busan": "KR-26", "广东省": "CN-GD",
		"Bretagne": "FR-BRE", "法国": "FR", "AU-QLD": "AU-QLD", "FR-29": "FR-29", "FR-974": "RE", "Đồng bằng sông Cửu Long": "VN-R6",
		"Tây Nguyên": "VN-R4", "vùng Tây Nguyên": "VN-R4", "tay nguyen": "VN-R4", "Central Highlands": "VN-R4", "Hauts Plateaux du Centre": "VN-R4", "西原": "VN-R4", "Duyên hải Nam Trung Bộ": "VN-R4",
		"Bắc Trung Bộ và duyên hải Trung Bộ": "", "VN-99": "", "ZZ": "", "KR-99": "", "Atlantis": "", "": "",
	} {
		if got, ok := RegionCode(in); got != want || ok != (want != "") {
			t.Errorf("RegionCode(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
}

func TestRegionAncestors(t *testing.T) {
	for in, want := range map[string]string{
		"VN-40": "VN-35 VN-R4 VN", "VN-35": "VN-35 VN-R4 VN", "VN-72": "VN-35 VN-R4 VN", "VN-43": "VN-SG VN-R5 VN", "VN-57": "VN-SG VN-R5 VN", "VN-61": "VN-HP VN-R2 VN",
		"VN-06": "VN-02 VN-R1 VN", "VN-73": "VN-CT VN-R6 VN", "VN-52": "VN-CT VN-R6 VN", "VN-27": "VN-DN VN-R4 VN",
		"VN-R6": "VN-R6 VN", "VN": "VN", "KR-26": "KR-26 KR", "AU-QLD": "AU-QLD AU", "RE": "RE",
	} {
		if got := strings.Join(RegionAncestors(in), " "); got != want {
			t.Errorf("RegionAncestors(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestUnitsOf2025 compares the table with the official list.
func TestUnitsOf2025(t *testing.T) {
	data, err := os.ReadFile(shared.Path(t, "vn-units-2025.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	inForce, retired := 0, 0
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		f := strings.Split(line, "\t")
		r, ok := regionTable().regions[f[0]]
		if !ok || r.Names["vi"] != f[1] || r.MergedInto != f[2] {
			t.Errorf("%s %s (into %q) is here %+v", f[0], f[1], f[2], r)
		}
		if f[2] == "" {
			inForce++
			if !strings.HasPrefix(r.Parent, "VN-R") {
				t.Errorf("%s lies in no economic region", f[0])
			}
		} else {
			retired++
		}
	}
	if inForce != 34 || retired != 29 {
		t.Errorf("%d units in force and %d retired, want 34 and 29", inForce, retired)
	}
}

func TestRegionNames(t *testing.T) {
	g := regionTable()
	if len(g.clashes) > 0 {
		t.Errorf("names that lead to two regions: %q", g.clashes)
	}
	for code, r := range g.regions {
		if r.Parent != "" {
			if _, ok := g.regions[r.Parent]; !ok {
				t.Errorf("%s lies in %q, which is no region", code, r.Parent)
			}
		}
		for _, lang := range text.Languages {
			name := r.Names[lang]
			if name == "" {
				t.Errorf("%s has no name in %s", code, lang)
				continue
			}
			for _, written := range []string{name, text.Fold(name), strings.ToUpper(name)} {
				if got, _ := RegionCode(written); got != code && len(written) > 2 { // "BI" is Burundi, though Belgium is "Bỉ"
					t.Errorf("RegionCode(%q) = %q, want %s", written, got, code)
				}
			}
		}
	}
	t.Logf("%d regions, %d names", len(g.regions), len(g.names))
}

func TestTablesNameTheirSource(t *testing.T) {
	names, err := files.ReadDir("tables")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		data, err := files.ReadFile("tables/" + n.Name())
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(data), "\n")
		if !strings.HasPrefix(first, "# Source: ") || !strings.Contains(first, "Date: 20") {
			t.Errorf("%s does not begin with its source and date: %q", n.Name(), first)
		}
	}
}

func ExampleRegionCode() {
	for _, name := range []string{"Hai Phong", "海防", "tỉnh Bình Thuận"} {
		code, _ := RegionCode(name)
		fmt.Println(code, "→", Canonical(code), RegionLabel(Canonical(code), "vi"))
	}
	// Output:
	// VN-HP → VN-HP Hải Phòng
	// VN-HP → VN-HP Hải Phòng
	// VN-40 → VN-35 Lâm Đồng
}
