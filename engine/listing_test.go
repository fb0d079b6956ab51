package engine

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// good returns a listing that passes.
func good() *Listing {
	return &Listing{ID: "T-1", Kind: Technology, Title: "Heat-pump dryer", Text: "Dries seaweed at 40 °C with a heat pump."}
}

func TestNormalise(t *testing.T) {
	l := &Listing{
		ID: " CG-001 ", Kind: "Expert", Title: "  Nguyê\u0303n  Văn\nA ", Text: "Chuyên gia về nuôi tôm nước lợ", Fields: []string{"4.1", "4.1", " 4.2"},
		Regions: []string{"Bình Thuận", "Hai Phong", "kr"}, Languages: []string{"Tiếng Việt", "en-GB"}, IPStatus: "GRANTED", Seeks: &Seeks{Kinds: []Kind{"PROBLEM"}, Regions: []string{"Lam Dong"}},
	}
	if err := l.Normalise(); err != nil {
		t.Fatal(err)
	}
	if l.ID != "CG-001" || l.Kind != Expert || l.Title != "Nguyễn Văn A" || l.Lang != "vi" || l.IPStatus != "granted" ||
		!slices.Equal(l.Fields, []string{"4.1", "4.2"}) || !slices.Equal(l.Regions, []string{"VN-40", "VN-HP", "KR"}) ||
		!slices.Equal(l.Languages, []string{"vi", "en"}) || l.Seeks.Kinds[0] != Problem || l.Seeks.Regions[0] != "VN-35" {
		t.Errorf("normalised to %+v", l)
	}
}

func TestNormaliseNamesTheField(t *testing.T) {
	minus := -1
	for _, tc := range []struct {
		field, reason string
		spoil         func(*Listing)
	}{
		{"id", "missing", func(l *Listing) { l.ID = " " }},
		{"id", "characters are more than", func(l *Listing) { l.ID = strings.Repeat("a", 129) }},
		{"id", "bytes are more than", func(l *Listing) { l.ID = strings.Repeat("a", 10_000) }},
		{"id", "contains", func(l *Listing) { l.ID = "." }},
		{"id", "contains", func(l *Listing) { l.ID = "../x" }},
		{"id", "contains", func(l *Listing) { l.ID = "a/b" }},
		{"id", "contains", func(l *Listing) { l.ID = "a%2fb" }},
		{"id", "invisible", func(l *Listing) { l.ID = "a\u200bb" }},
		{"id", "invisible", func(l *Listing) { l.ID = "a\u200cb" }},
		{"id", "U+0000", func(l *Listing) { l.ID = "a\x00b" }},
		{"id", "contains", func(l *Listing) { l.ID = "8.4E+10" }},
		{"kind", "missing", func(l *Listing) { l.Kind = "" }},
		{"kind", "none of", func(l *Listing) { l.Kind = "patent" }},
		{"title", "missing", func(l *Listing) { l.Title = "\u00a0" }},
		{"title", "characters are more than", func(l *Listing) { l.Title = strings.Repeat("x", 501) }},
		{"text", "too little", func(l *Listing) { l.Text = "" }},
		{"text", "too little", func(l *Listing) { l.Text = "😀 🎉" }},
		{"text", "not valid UTF-8", func(l *Listing) { l.Text = "\xff\xfe" }},
		{"text", "U+0000", func(l *Listing) { l.Text = "a\x00" }},
		{"text", "bytes are more than", func(l *Listing) { l.Text = strings.Repeat("word ", 50_000) }},
		{"lang", "no language tag", func(l *Listing) { l.Lang = "??" }},
		{"fields[1]", "no OECD FORD code", func(l *Listing) { l.Fields = []string{"2", "2.99"} }},
		{"regions[0]", "no region we know", func(l *Listing) { l.Regions = []string{"Atlantis"} }},
		{"languages[0]", "no language tag", func(l *Listing) { l.Languages = []string{"x y z"} }},
		{"trl", "no readiness level", func(l *Listing) { l.TRL = 10 }},
		{"trl", "no readiness level", func(l *Listing) { l.TRL = -1 }},
		{"ip_status", "none of", func(l *Listing) { l.IPStatus = "secret" }},
		{"seeks.kinds[0]", "none of", func(l *Listing) { l.Seeks = &Seeks{Kinds: []Kind{"money"}} }},
		{"seeks.partnership[0]", "none of", func(l *Listing) { l.Seeks = &Seeks{Partnership: []string{"marriage"}} }},
		{"capacity", "negative", func(l *Listing) { l.Capacity = &minus }},
		{"url", "no web address", func(l *Listing) { l.URL = "javascript:alert(1)" }},
		{"published_at", "no date", func(l *Listing) { l.PublishedAt = "2026-02-30" }},
		{"expires_at", "no date", func(l *Listing) { l.ExpiresAt = "infinity" }},
		{"expires_at", "no date", func(l *Listing) { l.ExpiresAt = "294277-01-01" }},
		{"basis.kind", "missing", func(l *Listing) { l.Basis = &Basis{} }},
		{"works[0].title", "missing", func(l *Listing) { l.Works = []Work{{Year: 2020}} }},
		{"works[1].year", "no year", func(l *Listing) { l.Works = []Work{{Title: "a"}, {Title: "b", Year: 20240}} }},
		{"works[0].url", "no web address", func(l *Listing) { l.Works = []Work{{Title: "a", URL: "ftp://x"}} }},
		{"extra", "bytes allowed", func(l *Listing) {
			l.Extra = map[string]json.RawMessage{"x": json.RawMessage(strings.Repeat("1", 300_000))}
		}},
	} {
		l := good()
		tc.spoil(l)
		err := l.Normalise()
		var fe *FieldError
		if !errors.As(err, &fe) || fe.Field != tc.field || !strings.Contains(fe.Reason, tc.reason) {
			t.Errorf("got %v, want %s: …%s…", err, tc.field, tc.reason)
		}
	}
	if err := good().Normalise(); err != nil {
		t.Errorf("a good listing is refused: %v", err)
	}
}

// TestNormaliseIsIdempotent: what was stored once is not changed by being read again, whatever it was.
func TestNormaliseIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := good()
		l.Title, l.Text, l.Summary = rapid.String().Draw(t, "title"), rapid.String().Draw(t, "text"), rapid.String().Draw(t, "summary")
		l.Organisation = rapid.String().Draw(t, "organisation")
		l.Works = []Work{{Title: rapid.String().Draw(t, "work"), Text: "shrimp"}}
		if l.Normalise() != nil {
			return
		}
		_, before, err := l.Fingerprint()
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Normalise(); err != nil {
			t.Fatalf("refused the second time: %v", err)
		}
		if _, after, _ := l.Fingerprint(); after != before {
			t.Fatalf("changed by the second time: %+v", l)
		}
	})
}

func TestSameContentSameFingerprint(t *testing.T) {
	nfc, nfd := good(), good()
	nfc.Title, nfd.Title = "Việt", "Vie\u0302\u0323t"
	for _, l := range []*Listing{nfc, nfd} {
		if err := l.Normalise(); err != nil {
			t.Fatal(err)
		}
	}
	_, a, _ := nfc.Fingerprint()
	_, b, _ := nfd.Fingerprint()
	if a != b {
		t.Error("NFC and NFD of one listing have two fingerprints")
	}
}

func TestExpires(t *testing.T) {
	for in, want := range map[string]string{"2026-05-31": "2026-05-31T17:00:00Z", "2026-05-31T12:00:00+07:00": "2026-05-31T05:00:00Z"} {
		at, ok := (&Listing{ExpiresAt: in}).Expires()
		if got := at.UTC().Format(time.RFC3339); !ok || got != want {
			t.Errorf("%s expires at %s, want %s", in, got, want)
		}
	}
	if _, ok := (&Listing{}).Expires(); ok {
		t.Error("a listing without a date expires")
	}
}

func TestQueryNamesTheField(t *testing.T) {
	for _, tc := range []struct {
		field, reason string
		q             Query
	}{
		{"text", "missing", Query{}},
		{"text", "one of them asks", Query{For: "a", Text: "b"}},
		{"text", "too little text", Query{Text: "😀"}},
		{"text", "bytes are more than", Query{Text: strings.Repeat("a ", 30_000)}},
		{"for", "contains", Query{For: "a b"}},
		{"want", "none of", Query{Text: "shrimp", Want: []Kind{"money"}}},
		{"limit", "out of range", Query{Text: "shrimp", Limit: -1}},
		{"limit", "out of range", Query{Text: "shrimp", Limit: 101}},
		{"filter.regions[0]", "no region", Query{Text: "shrimp", Filter: Filter{Regions: []string{"Atlantis"}}}},
		{"filter.trl_max", "below", Query{Text: "shrimp", Filter: Filter{TRLMin: 6, TRLMax: 3}}},
		{"prefer.fields[0]", "no OECD", Query{Text: "shrimp", Prefer: Filter{Fields: []string{"99"}}}},
		{"reader", "explanations are written in", Query{Text: "shrimp", Reader: "ja"}},
	} {
		var fe *FieldError
		if err := tc.q.Normalise(); !errors.As(err, &fe) || fe.Field != tc.field || !strings.Contains(fe.Reason, tc.reason) {
			t.Errorf("%+v: got %v, want %s: …%s…", tc.q, err, tc.field, tc.reason)
		}
	}
}
