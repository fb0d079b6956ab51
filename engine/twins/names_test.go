package twins

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want likeness
	}{
		{"Nguyễn Văn An", "An Nguyen Van", same},
		{"PGS.TS. Nguyễn Văn An", "NGUYỄN VĂN AN", same},
		{"Phó giáo sư, Tiến sĩ Nguyễn Văn An", "GS.TSKH. Nguyen Van An", same},
		{"Nguyễn Thị Hoà", "ThS Nguyễn Thị Hòa", same},
		{"Nguyen, Van An", "Van An Nguyen, PhD", same},
		{"Mme Hélène Lefèvre", "Dr. Helene LEFEVRE", same},
		{"M. Jean-Pierre O’Brien", "JeanPierre OBrien", same},
		{"Prof. Kim Min-su", "Min-Su Kim", same},
		{"김민수 교수", "김 민수", same},
		{"김민수 (Kim Min-su)", "Kim Minsu", same},
		{"김민수 박사, 책임연구원", "김민수", same},
		{"王伟 教授", "王伟博士", same},
		{"TS. Lê An – bệnh cây ăn quả", "Lê An", same},
		{"Nguyễn Văn An", "Nguyễn Văn Ân", other}, // both know accents
		{"Nguyễn Văn An", "Nguyễn Văn Bình", other},
		{"김민수", "김민서", other},
		{"Nguyễn Văn An", "An Nguyễn", unsure}, // a part of it
		{"Kim Min-su", "M. S. Kim", unsure},    // initials: Minsu is one word
		{"김민수", "Kim Min-su", unsure},          // other script
		{"An", "An", unsure},
		{"김 교수", "김 교수", unsure},
		{"", "", unsure},
		{strings.Repeat("An ", 50), strings.Repeat("An ", 50), unsure},
	} {
		a, b := readNames(tc.a), readNames(tc.b)
		if got := compareNames(a, b); got != tc.want {
			t.Errorf("%q, %q: got %d, want %d (%v, %v)", tc.a, tc.b, got, tc.want, a, b)
		}
		if got := compareNames(b, a); got != tc.want {
			t.Errorf("%q, %q: got %d, want %d", tc.b, tc.a, got, tc.want)
		}
	}
}

func TestFirms(t *testing.T) {
	for _, tc := range []struct{ in, key string }{
		{"G.S. Engineering Inc.", "gsengineering"},
		{"GS Engineering, LLC", "gsengineering"},
		{"Orbital Technologies Corporation (ORBITEC)", "orbitaltechnologies"},
		{"Orbital Technology Corp", "orbitaltechnology"},
		{"SA Photonics, Inc.", "saphotonics"},
		{"Science & Engineering Assoc., Inc.", "scienceandengineeringassociates"},
		{"Công ty TNHH Thủy sản Minh Phú", "thuysanminhphu"},
		{"CÔNG TY CỔ PHẦN Thuỷ sản Minh Phú", "thuysanminhphu"},
		{"주식회사 한빛바이오", "한빛바이오"},
		{"한빛바이오(주)", "한빛바이오"},
		{"北京华瑞科技有限公司", "北京华瑞科技"},
		{"The Inc.", ""},
		{"", ""},
	} {
		if got := firmKey(tc.in); got != tc.key {
			t.Errorf("%q: got %q, want %q", tc.in, got, tc.key)
		}
	}
	for title, want := range map[string]bool{"Nguyễn Văn An": false, "PRO-ED": true, "Kim Min-su": false, "Acme Systems": true, "김민수": false,
		"한빛바이오 연구소": true, "Viện Bảo vệ thực vật": true, "20/20 Genes": true, "Dr. Anna Schmidt": false} {
		if got := isFirm(title); got != want {
			t.Errorf("%q is a firm: got %v, want %v", title, got, want)
		}
	}
}
