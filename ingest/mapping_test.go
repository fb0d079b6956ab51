package ingest

import (
	"maps"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/engine"
)

func TestParseMapping(t *testing.T) {
	for _, tc := range []struct {
		spec string
		want map[string]string // nil where it is refused
	}{
		{"title=name", map[string]string{"title": "name"}},
		{" title = name , text=desc,", map[string]string{"title": "name", "text": "desc"}},
		{"title=a=b", map[string]string{"title": "a=b"}},
		{`title="Name, full",text=desc`, map[string]string{"title": "Name, full", "text": "desc"}},
		{`"title=Name, full" ,text=desc`, map[string]string{"title": "Name, full", "text": "desc"}},
		{`title="The ""real"" name"`, map[string]string{"title": `The "real" name`}},
		{`title=5" pipe,text=b`, map[string]string{"title": `5" pipe`, "text": "b"}},
		{`title=" spaced "`, map[string]string{"title": " spaced "}},
		{"", nil}, {",", nil}, {"title", nil}, {"title=", nil}, {`title=""`, nil}, {"=x", nil}, {"colour=x", nil}, {"title=a,title=b", nil},
		{`title="open`, nil}, {`title="a"b`, nil}, {`"title=a"b`, nil},
	} {
		got, err := ParseMapping(tc.spec)
		if (err == nil) != (tc.want != nil) || !maps.Equal(got, tc.want) && err == nil {
			t.Errorf("ParseMapping(%q): got %q, %v, want %q", tc.spec, got, err, tc.want)
		}
	}
}

func TestPairFor(t *testing.T) {
	for column, want := range map[string]string{
		"desc": "text=desc", "Mô tả": `"text=Mô tả"`, "a.b": "text=a.b", "a,b": "text=COLUMN", "$(id)": "text=COLUMN", "-x": "text=COLUMN", "a\u202eb": "text=COLUMN", "`x`": "text=COLUMN",
	} {
		if got := pairFor("text", column); got != want {
			t.Errorf("pairFor(text, %q): got %s, want %s", column, got, want)
		}
	}
}

func TestMap(t *testing.T) {
	columns, err := ParseMapping("title=name, text=desc,works=pubs,works.title=t,works.year=y")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	path := b.file(t, "x.jsonl", `{"id":9007199254740993,"kind":"patent","lang":"english","name":"Dryer","desc":"A heat pump dryer for seaweed","agency":"NASA","budget":90071992547409931,"pubs":[{"t":"Paper","y":2020}],"title":"own title"}`+"\n")
	s, err := b.run(t, path, Mapping{Columns: columns, Kind: engine.Technology, Lang: "en"})
	if err != nil || s.Added != 1 {
		t.Fatalf("%+v, %v, %v", s, err, b.issues)
	}
	l := b.get(t, "9007199254740993")
	if l == nil || l.Title != "Dryer" || l.Kind != engine.Technology || l.Works[0].Title != "Paper" || l.Works[0].Year != 2020 {
		t.Fatalf("listing %+v", l)
	}
	for key, want := range map[string]string{"agency": `"NASA"`, "budget": "90071992547409931", "kind": `"patent"`, "lang": `"english"`, "title": `"own title"`} {
		if got := string(l.Extra[key]); got != want {
			t.Errorf("extra %s is %s, want %s: what is not mapped is kept", key, got, want)
		}
	}
}

func TestMapOneColumnTwice(t *testing.T) {
	b := newBench(t)
	columns, _ := ParseMapping("title=id")
	s, err := b.run(t, b.file(t, "x.jsonl", `{"id":"A1","text":"a shrimp pond"}`), Mapping{Columns: columns, Kind: engine.Technology})
	if l := b.get(t, "A1"); err != nil || s.Added != 1 || l == nil || l.Title != "A1" {
		t.Errorf("%+v, %v, %+v, %v", s, err, l, b.issues)
	}
}

// TestExtra holds extra values, given or left over, to what text.Clean does to texts; an error names the place.
func TestExtra(t *testing.T) {
	columns, _ := ParseMapping("id=id")
	const esc = "\\u001b[31m"
	for _, tc := range []struct{ name, rest, want string }{
		{"nested", `,"extra":{"a":"x\u202ey","b":["` + esc + `red",{"c` + esc + `":" z "}]}`, `{"a":"xy","b":["red",{"c":"z"}]}`},
		{"left over", `,"no` + esc + `te":{"k\u0081":["v\u009f"]}`, `{"note":{"k":["v"]}}`},
		{"numbers keep their digits", `,"n":[90071992547409931, 1.10, 1e400, true, null]`, `{"n":[90071992547409931,1.10,1e400,true,null]}`},
		{"composed", `,"e":"e\u0302\u0301"`, `{"e":"ế"}`},
		{"U+0000 in a value", `,"extra":{"a":"x\u0000y","b":["x"]}`, "extra.a: contains the character U+0000 at offset 1"},
		{"U+0000 in a list", `,"b":{"c":["ok","\u0000"]}`, "b.c[1]: contains the character U+0000 at offset 0"},
		{"U+0000 in a key", `,"extra":{"a\u0000":1}`, "U+0000"},
		{"keys that look alike", `,"extra":{"a":1,"a\u200b":2}`, "the key stands twice"},
		{"stands twice", `,"extra":{"note":1},"note":2`, "note: stands in extra already"},
		{"no object", `,"extra":["a"]`, "extra: want an object"},
		{"an address that is none", `,"url":"javas\u001b[0mcript:\u202ex"`, `{"url":"javascript:x"}`},
	} {
		b := newBench(t)
		s, err := b.run(t, b.file(t, "x.jsonl", line("a", tc.rest)), Mapping{Columns: columns})
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(b.issues, "\n")
		if s.Added == 1 {
			got = extraOf(t, b, "a")
		}
		if got != tc.want && (s.Added == 1 || !strings.Contains(got, tc.want)) {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
}

// extraOf returns a stored listing's extra values as JSON.
func extraOf(t *testing.T, b *bench, id string) string {
	t.Helper()
	l := b.get(t, id)
	if l == nil {
		t.Fatalf("%s is not there: %v", id, b.issues)
	}
	out, err := json.Marshal(l.Extra, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestNested leads a mapping into works, seeks and basis: what it does not name there is kept like anything else.
func TestNested(t *testing.T) {
	const works = `,"works":[{"title":"own","t":"Paper","y":2020,"doi":"10.1/x"},{"title":"Second","doi":["a"]}]`
	for _, tc := range []struct{ name, spec, rest, title, extra, issue string }{
		{"no mapping", "", `,"works":[{"title":"Paper","doi":"10.1/x"}]`, "", "", "works[0].doi: unknown key; or keep it: any --map"},
		{"a mapping", "id=id", `,"works":[{"title":"Paper","doi":"10.1/x"}]`, "Paper", `{"works[0].doi":"10.1/x"}`, ""},
		{"a mapping of works", "works.title=t,works.year=y", works, "Paper", `{"works[0].doi":"10.1/x","works[0].title":"own","works[1].doi":["a"]}`, ""},
		{"works under another name", "works=pubs,works.title=t", `,"pubs":[{"t":"Paper"}]`, "Paper", `{}`, ""},
		{"seeks and basis", "id=id", `,"works":[{"title":"x"}],"seeks":{"kinds":["expert"],"budget":5},"basis":{"kind":"consent","by":"AB"}`, "x", `{"basis.by":"AB","seeks.budget":5}`, ""},
		{"dotted keys", "seeks.kinds=wants", `,"works":[{"title":"x"}],"wants":["expert"],"basis.kind":"consent"`, "x", `{}`, ""},
		{"no list", "id=id", `,"works":"x"`, "", "", "works: want a list of objects"},
		{"twice", "seeks.kinds=wants", `,"seeks":{"kinds":["expert"]},"wants":["problem"]`, "", "", "seeks.kinds: stands in seeks too"},
	} {
		b := newBench(t)
		m := Mapping{}
		if tc.spec != "" {
			var err error
			if m.Columns, err = ParseMapping(tc.spec); err != nil {
				t.Fatal(err)
			}
		}
		s, err := b.run(t, b.file(t, "x.jsonl", line("a", tc.rest)), m)
		if err != nil {
			t.Fatal(err)
		}
		if said := strings.Join(b.issues, "\n"); tc.issue != "" {
			if s.Added != 0 || !strings.Contains(said, tc.issue) {
				t.Errorf("%s: said %s, want %s", tc.name, said, tc.issue)
			}
			continue
		}
		if got := extraOf(t, b, "a"); got != tc.extra || b.get(t, "a").Works[0].Title != tc.title {
			t.Errorf("%s: got %s and %+v, want %s and %s", tc.name, got, b.get(t, "a").Works, tc.extra, tc.title)
		}
	}
}

// TestCellsNest reads the same from columns of a table.
func TestCellsNest(t *testing.T) {
	b := newBench(t)
	columns, _ := ParseMapping(`text="Mô tả, chi tiết",works.title=Công trình,works.year=Năm,expires_at=Hạn`)
	content := `id;kind;title;"Mô tả, chi tiết";Công trình;Năm;seeks;seeks.regions;extra;Hạn` + "\n" +
		`a;expert;T;Nuôi tôm nước lợ;Luận án;2020;"{""kinds"":[""problem""]}";VN|KR;"{""k"":1}";2026-05-31 17:00:00` + "\n"
	s, err := b.run(t, b.file(t, "x.csv", content), Mapping{Columns: columns})
	if err != nil || s.Added != 1 {
		t.Fatalf("%+v, %v, %v", s, err, b.issues)
	}
	l := b.get(t, "a")
	if len(l.Works) != 1 || l.Works[0].Title != "Luận án" || l.Works[0].Year != 2020 || len(l.Seeks.Kinds) != 1 || strings.Join(l.Seeks.Regions, " ") != "VN KR" || string(l.Extra["k"]) != "1" || l.ExpiresAt != "2026-05-31T17:00:00+07:00" {
		t.Errorf("listing %+v, seeks %+v", l, l.Seeks)
	}
}

// TestAdvice follows what is said about a file of somebody else's, step by step, until it goes in.
func TestAdvice(t *testing.T) {
	b := newBench(t)
	path := b.file(t, "x.jsonl", `{"id":"GSC-1","kind":"patent","title":"Gear Bearings","text":"A gear bearing for space and industry","category":"mechanics"}`+"\n")
	for _, step := range []struct {
		spec string
		kind engine.Kind
		want string
	}{
		{"", "", "category: unknown key; if it is the summary, say --map summary=category; or keep it: any --map, such as --map id=id, "},
		{"id=id", "", `GSC-1: kind: "patent" is none of expert, technology, problem; or state it for all with --kind`},
		{"id=id", engine.Technology, ""},
	} {
		m := Mapping{Kind: step.kind}
		if step.spec != "" {
			m.Columns, _ = ParseMapping(step.spec)
		}
		s, err := b.run(t, path, m)
		if err != nil || step.want == "" && s.Added != 1 || !strings.Contains(strings.Join(b.issues, "\n"), step.want) {
			t.Errorf("--map %s --kind %s: %+v, %v, %v", step.spec, step.kind, s, err, b.issues)
		}
	}
	if got, want := extraOf(t, b, "GSC-1"), `{"category":"mechanics","kind":"patent"}`; got != want {
		t.Errorf("extra %s, want %s", got, want)
	}
}

// TestPathsAreBrief points deep into JSON.
func TestPathsAreBrief(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{`{"works":[{},{"doi":1}]}`, "works[1].doi: unknown key"},
		{`{"extra":` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + "}", "extra[0][0]"},
		{`{"` + strings.Repeat("k", 1<<20) + `":1}`, "kkk"},
		{`{"` + strings.Repeat("k", 1<<20) + `":1,"` + strings.Repeat("k", 1<<20) + `":1}`, "the key stands twice"},
	} {
		b := newBench(t)
		if _, err := b.run(t, b.file(t, "x.jsonl", tc.in+"\n"), Mapping{}); err != nil {
			t.Fatal(err)
		}
		if said := strings.Join(b.issues, "\n"); len(b.issues) != 1 || !strings.Contains(said, tc.want) || len(said) > 400 {
			t.Errorf("%.40s: %d bytes: %.500s", tc.in, len(said), said)
		}
	}
}
