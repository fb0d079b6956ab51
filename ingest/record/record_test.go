package record

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/engine"
)

func TestIdentifiers(t *testing.T) {
	for _, c := range []struct {
		name string
		of   func(string) (string, bool)
		in   string
		want string // "" where it is none
	}{
		{"ORCID", ORCID, "0000-0002-1825-0097", "0000-0002-1825-0097"},
		{"ORCID", ORCID, " https://orcid.org/0000-0002-1694-233x/ ", "0000-0002-1694-233X"},
		{"ORCID", ORCID, "orcid:0000-0002-1694-233X", "0000-0002-1694-233X"},
		{"ORCID", ORCID, "0000-0002-1825-0098", ""},
		{"ORCID", ORCID, "0000-0002-1825-009X", ""},
		{"ORCID", ORCID, "0000-000X-1825-0097", ""},
		{"ORCID", ORCID, "0000 0002 1825 0097", ""},
		{"ORCID", ORCID, "", ""},
		{"DOI", DOI, "10.5555/ABC-1", "10.5555/abc-1"},
		{"DOI", DOI, " https://doi.org/10.5555/a%2Fb ", "10.5555/a/b"},
		{"DOI", DOI, "http://dx.doi.org/10.5555/a", "10.5555/a"},
		{"DOI", DOI, "DOI: 10.1000.10/123", "10.1000.10/123"},
		{"DOI", DOI, "10.1002/(sici)1097<1::aid>3.0.co;2-t", "10.1002/(sici)1097<1::aid>3.0.co;2-t"},
		{"DOI", DOI, "10.5555/", ""},
		{"DOI", DOI, "10.55/a", ""},
		{"DOI", DOI, "11.5555/a", ""},
		{"DOI", DOI, "10.5555/a b", ""},
		{"DOI", DOI, "https://doi.org/10.5555/a%00", ""},
		{"DOI", DOI, "https://doi.org/10.5555/a%ff", ""},
		{"DOI", DOI, "10.5555/" + strings.Repeat("a", 400), ""},
		{"patent", Patent, "EP 1 234 567-b1", "EP1234567B1"},
		{"patent", Patent, "US 5,960,411", "US5960411"},
		{"patent", Patent, "PCT/VN2019/000012", "PCT/VN2019/000012"},
		{"patent", Patent, "1-0012345", "10012345"},
		{"patent", Patent, "pending", ""},
		{"patent", Patent, "số 12345", ""},
	} {
		got, ok := c.of(c.in)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s of %q: got %q, want %q", c.name, c.in, got, c.want)
		}
		if again, ok := c.of(got); c.want != "" && (again != got || !ok) {
			t.Errorf("%s of %q: got %q, want it unchanged", c.name, got, again)
		}
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "",
		" plain\n\ntext ":                      "plain\n\ntext",
		"<p>One <em>two</em>.</p><p>Three</p>": "One two.\nThree",
		"a <br/>b":                             "a\nb",
		"CO<sub>2</sub> &amp; H<SUB>2</SUB>O":  "CO2 & H2O",
		"<jats:p>x</jats:p>":                   "x",
		"<jats:title>Abstract</jats:title><jats:p>x</jats:p>": "Abstract\nx",
		"p<0.05 and x>1":             "p<0.05 and x>1",
		"x<y and z>w":                "x<y and z>w",
		"if a <- b then c":           "if a <- b then c",
		"a <b":                       "a <b",
		"R&D":                        "R&D",
		"<script>alert(1)</script>x": "x",
		"<style>p{}":                 "",
		"a<!-- gone -->b":            "ab",
		"<ul><li>a</li><li>b</ul>":   "a\nb",
	} {
		if got := Plain(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestName(t *testing.T) {
	for _, c := range []struct{ given, middle, family, lang, want string }{
		{"Marie", "", "Curie", "", "Marie Curie"},
		{"Lan", "Thị", "Trần", "vi", "Trần Thị Lan"},
		{"Lan", "Thị", "Trần", "vi-VN", "Trần Thị Lan"},
		{"Lan", "Thị", "Trần", "en", "Lan Thị Trần"},
		{"伟", "", "王", "zh", "王伟"},
		{"민준", "", "김", "", "김민준"},
		{" Only ", "", "", "", "Only"},
	} {
		if got := Name(c.given, c.middle, c.family, c.lang); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

// TestLimits holds that the largest record that can be made still passes a listing's own check.
func TestLimits(t *testing.T) {
	long := strings.Repeat("chữ ", 400_000)
	e := Expert{ID: "x:1", Name: long, Text: long, Summary: long, Organisation: long, URL: "https://example.org/" + long,
		Extra: map[string]any{"orcid": "0000-0002-1825-0097", "position": long, "none": "", "other_names": strings.Fields(long)}}
	for i := range 3000 {
		e.Works = append(e.Works, Work{Title: long[:6000], Text: long[:12_000], Year: 9000 - i, URL: "ftp://x/", DOI: "10.5555/" + strings.Repeat("d", 100) + fmt.Sprint(i), Patent: "EP1234567B1"})
	}
	e.Works = append(e.Works, Work{Title: " ", DOI: "10.5555/none"})
	body, err := json.Marshal(e.Values(Options{Basis: "public_record"}))
	if err != nil {
		t.Fatal(err)
	}
	var l engine.Listing
	if err := json.Unmarshal(body, &l, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	if err := l.Normalise(); err != nil {
		t.Fatal(err)
	}
	if len(l.Works) != 2000 || l.Works[0].Year != 0 || l.Works[0].URL != "" || l.Works[0].Text == "" || l.Works[1999].Text != "" || l.Works[1999].Title == "" {
		t.Errorf("got %d works, the first %+v", len(l.Works), l.Works[0])
	}
	if l.Basis == nil || l.Basis.Kind != "public_record" || l.URL != "" {
		t.Errorf("got basis %v, address %q", l.Basis, l.URL)
	}
	if got := string(l.Extra["works_left_out"]); got != "1000" {
		t.Errorf("got %s works left out, want 1000", got)
	}
	if l.Extra["left_out"] == nil || l.Extra["orcid"] == nil || l.Extra["none"] != nil || l.Extra["works[0].doi"] == nil {
		t.Error("extra: want what identifies, what was left out counted, and nothing empty")
	}
	var names []string
	if err := json.Unmarshal(l.Extra["other_names"], &names); err != nil || len(names) != maxList {
		t.Errorf("got %d names, %v; want %d", len(names), err, maxList)
	}
}

func TestWorksHaveOneOrder(t *testing.T) {
	a, b, c := Work{Title: "a", Year: 2001, DOI: "10.5555/a"}, Work{Title: "b", Year: 2001}, Work{Title: "c", Year: 2020}
	want := string((&Expert{Works: []Work{a, b, c}}).Values(Options{})["works"])
	if got := string((&Expert{Works: []Work{b, c, a}}).Values(Options{})["works"]); got != want || !strings.HasPrefix(got, `[{"title":"c"`) {
		t.Errorf("got %s and %s, want one order, the newest first", got, want)
	}
}

// objects lists what Objects gives and refuses.
func objects(in, page string) (out []string, err error) {
	o := Options{Refuse: func(e *Error) error { out = append(out, "!"+e.Error()); return nil }}
	err = Objects(strings.NewReader(in), page, o, func(line int, v jsontext.Value) error {
		if strings.Contains(string(v), "refuse") {
			return &Error{Reason: "refused"}
		}
		out = append(out, fmt.Sprint(line, strings.Join(strings.Fields(string(v)), "")))
		return nil
	})
	return out, err
}

func TestObjects(t *testing.T) {
	for _, c := range []struct {
		name, in, page string
		want           string
		fails          string
	}{
		{name: "nothing", in: "\n \n"},
		{name: "a line each", in: "\uFEFF{\"a\":1}\r\n\n{\"a\":2}", want: `1{"a":1} 3{"a":2}`},
		{name: "broken lines", in: "{\"a\":1}\n{\"a\":\n{\"a\":3}\nx\n{\"a\":5,\"a\":5}\n[]\n7\n{\"refuse\":1}\n{\"a\":9}\n",
			want: `1{"a":1} !line 2: not a JSON object: … 3{"a":3} !line 4: not a JSON object: … !line 5: not a JSON object: … !line 7: want a JSON object, not a number !line 8: refused 9{"a":9}`},
		{name: "a first line that is none", in: "x\n{\"a\":2}", want: `!line 1: not a JSON object: … 2{"a":2}`},
		{name: "cut", in: `{"a":`, want: `!line 1: not a JSON object: …`},
		{name: "two on a line", in: `{"a":1} {"a":2}`, want: `!line 1: not a JSON object: …`},
		{name: "over several lines", in: "\n{\n \"a\": 1\n}\n\n{ \"a\":\n 2}\n", want: `2{"a":1} 6{"a":2}`},
		{name: "over several lines, cut", in: "{\n \"a\": 1\n}\n{\n\"a\"", want: `1{"a":1}`, fails: "line 5: not valid JSON"},
		{name: "an array", in: "[\n{\"a\":1},\n{\"refuse\":1},7,\n{\"a\":2}]", want: `1{"a":1} !line 1: refused !line 1: want a JSON object, not a number 1{"a":2}`},
		{name: "pages", in: `{"meta":{},"results":[{"a":1},{"a":2}]}` + "\n" + `{"results":[{"a":3}]}` + "\n" + `{"results":3}`, page: "results",
			want: `1{"a":1} 1{"a":2} 2{"a":3} 3{"results":3}`},
		{name: "pages nobody asked for", in: `{"results":[{"a":1}]}`, want: `1{"results":[{"a":1}]}`},
		{name: "an array of pages", in: `[{"results":[{"a":1}]},{"results":[]}]`, page: "results", want: `1{"a":1}`},
		{name: "not UTF-8", in: "{\"a\":\"\xff\"}\n{\"a\":2}", want: `!line 1: not a JSON object: … 2{"a":2}`},
		{name: "depth", in: strings.Repeat("[", 20_000), want: `!line 1: not a JSON object: …`},
		{name: "depth within", in: `{"results":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, page: "results", want: `!line 1: want a JSON object, not a list`},
	} {
		got, err := objects(c.in, c.page)
		for i, s := range got {
			if head, _, ok := strings.Cut(s, "not a JSON object: "); ok {
				got[i] = head + "not a JSON object: …"
			}
		}
		if strings.Join(got, " ") != c.want || (err == nil) != (c.fails == "") || err != nil && !strings.HasPrefix(err.Error(), c.fails) {
			t.Errorf("%s: got\n%s, %v; want\n%s", c.name, strings.Join(got, " "), err, c.want)
		}
	}
}

// filler is n bytes of one letter.
type filler int

func (f *filler) Read(p []byte) (int, error) {
	n := min(len(p), int(*f))
	for i := range p[:n] {
		p[i] = 'x'
	}
	if *f -= filler(n); n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func TestObjectsTooLong(t *testing.T) {
	long := func() io.Reader { f := filler(MaxRecord + 1); return &f }
	var got []string
	o := Options{Refuse: func(e *Error) error { got = append(got, "!"+e.Error()); return nil }}
	take := func(line int, v jsontext.Value) error { got = append(got, fmt.Sprint(line, string(v))); return nil }
	err := Objects(io.MultiReader(strings.NewReader("{}\n\""), long(), strings.NewReader("\"\n{}")), "", o, take)
	if want := "[1{} !line 2: not a JSON object: a record of more than 64 MiB 3{}]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, %v; want %s", got, err, want)
	}
	got = nil
	err = Objects(io.MultiReader(strings.NewReader("{\n\"a\":\""), long(), strings.NewReader("\"}")), "", o, take)
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "more than 64 MiB") || got != nil {
		t.Errorf("got %v, %v; want it too long", got, err)
	}
}

func TestRefusedWithoutAnyoneToHear(t *testing.T) {
	err := Objects(strings.NewReader("{}\nx\n{}"), "", Options{}, func(int, jsontext.Value) error { return nil })
	var e *Error
	if !errors.As(err, &e) || e.Line != 2 {
		t.Errorf("got %v, want line 2 to end the reading", err)
	}
}

func FuzzObjects(f *testing.F) {
	f.Add("{}\n{", "")
	f.Add("{\n\"results\":[{}]}\n{}", "results")
	f.Add("[{\"a\":[1]}]", "a")
	f.Fuzz(func(t *testing.T, in, page string) {
		lines := strings.Count(in, "\n") + 1
		o := Options{Refuse: func(e *Error) error {
			if e.Line < 1 || e.Line > lines {
				t.Errorf("line %d of %d", e.Line, lines)
			}
			return nil
		}}
		_ = Objects(strings.NewReader(in), page, o, func(line int, v jsontext.Value) error {
			if line < 1 || line > lines || v.Kind() != '{' || !v.IsValid() {
				t.Errorf("line %d of %d: %s", line, lines, v)
			}
			return nil
		})
	})
}

func FuzzPlain(f *testing.F) {
	f.Add("<p>a<b>c</p>&lt;")
	f.Add("<script><!--")
	f.Add("x < y <- z <é>")
	f.Fuzz(func(t *testing.T, s string) {
		if got := Plain(s); len(got) > 3*len(s) {
			t.Errorf("%q became %q", s, got)
		}
	})
}
