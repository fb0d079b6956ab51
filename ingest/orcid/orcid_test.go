package orcid

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/ingest/record"
	"github.com/ketnoi/ketnoi/ingest/record/recordtest"
)

func TestGolden(t *testing.T) {
	for _, name := range []string{"records.json", "records.xml"} {
		body, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		recordtest.Golden(t, filepath.Join("testdata", name+".golden"), func(o record.Options, yield record.Yield) error {
			return Read(bytes.NewReader(body), o, yield)
		})
	}
}

// valid is the shortest record that is one.
const valid = `{"orcid-identifier":{"path":"0000-0002-1825-0097"},`

func TestReadJSON(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a name, and no more", valid + `"person":{"name":{"given-names":{"value":"A"},"family-name":{"value":"B"}}}}`, `"A B"`},
		{"a name that is not public", valid + `"person":{"name":{"given-names":{"value":"A"},"visibility":"PRIVATE"}}}`, "title: missing"},
		{"nulls everywhere", valid + `"history":null,"person":{"name":null,"biography":null,"keywords":null,"addresses":{"address":null}},"activities-summary":{"employments":{"affiliation-group":null},"works":{"group":[{"work-summary":null},null]}}}`, "title: missing"},
		{"a year that is none", valid + `"person":{"name":{"credit-name":{"value":"A"}}},"activities-summary":{"works":{"group":[{"work-summary":[{"title":{"title":{"value":"T"}},"publication-date":{"year":{"value":"20xx"}}}]}]}}}`, `[{"title":"T"}]`},
		{"a person that is a list", valid + `"person":[]}`, "person"},
		{"a title that is true", valid + `"activities-summary":{"works":{"group":[{"work-summary":[{"title":{"title":{"value":true}}}]}]}}}`, "want a text or a number"},
		{"a group that is a number", valid + `"activities-summary":{"works":{"group":7}}}`, "activities-summary.works.group"},
		{"an identifier that is a text", `{"orcid-identifier":"0000-0002-1825-0097"}`, "orcid-identifier"},
		{"a wrong check digit", `{"orcid-identifier":{"path":"0000-0002-1825-0098"}}`, "check digit"},
		{"deep nesting", valid + `"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}", "title: missing"},
		{"nesting too deep", valid + `"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}", "depth"},
		{"a character U+0000", valid + `"person":{"name":{"credit-name":{"value":"A\u0000"}}}}`, "U+0000"},
	} {
		seen, err := recordtest.Read(t, func(o record.Options, yield record.Yield) error { return Read(strings.NewReader(c.in), o, yield) })
		if err != nil || len(seen) != 1 {
			t.Errorf("%s: got %v, %v; want one record", c.name, seen, err)
			continue
		}
		got := seen[0].Refused + seen[0].Fault
		for _, key := range []string{"title", "works"} {
			got += string(seen[0].Values[key])
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestReadXML(t *testing.T) {
	const id = "<orcid-identifier><path>0000-0002-1825-0097</path></orcid-identifier>"
	for _, c := range []struct{ name, in, want, fails string }{
		{name: "nothing", in: ""},
		{name: "other XML", in: "<html><p>x</p></html>"},
		{name: "two documents", in: "<?xml version='1.0'?><record>" + id + "</record>\n<?xml version='1.0'?><record>" + id + "</record>", want: "1 title: missing: every listing needs one;2 title: missing: every listing needs one;"},
		{name: "deactivated", in: "<record>" + id + "<history><deactivation-date>2001-01-01</deactivation-date></history></record>", want: "1 line 1: 0000-0002-1825-0097 was deactivated;"},
		{name: "cut", in: "<record>\n" + id, fails: "line 1: not as ORCID writes a record: XML syntax error on line 2"},
		{name: "an entity", in: "<!DOCTYPE x [<!ENTITY a 'b'>]><record>&a;</record>", fails: "invalid character entity"},
		{name: "not UTF-8", in: "<?xml version='1.0' encoding='latin1'?><record/>", fails: "encoding \"latin1\""},
		{name: "nesting too deep", in: strings.Repeat("<record><person>", 200_000), fails: "line 1"},
	} {
		seen, err := recordtest.Read(t, func(o record.Options, yield record.Yield) error { return Read(strings.NewReader(c.in), o, yield) })
		got := ""
		for _, s := range seen {
			got += string(rune('0'+s.Line)) + " " + s.Refused + s.Fault + ";"
		}
		if got != c.want || (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: got %q, %v; want %q, %s", c.name, got, err, c.want, c.fails)
		}
	}
}

// spaces never end.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestRecordTooLong(t *testing.T) {
	err := Read(io.MultiReader(strings.NewReader("<record>"), spaces{}), record.Options{}, func(int, record.Values) error { return nil })
	if !errors.Is(err, errLong) {
		t.Errorf("got %v, want %v", err, errLong)
	}
}

func TestBasisIsTheOperators(t *testing.T) {
	for _, basis := range []string{"", "public_record"} {
		err := Read(strings.NewReader(valid+`"person":{}}`), record.Options{Basis: basis}, func(_ int, v record.Values) error {
			want := ""
			if basis != "" {
				want = `{"kind":"public_record"}`
			}
			if got := string(v["basis"]); got != want {
				t.Errorf("got basis %s, want %s", got, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"records.json", "records.xml"} {
		body, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(valid + `"person":{"keywords":{"keyword":[{"content":"x","display-index":"9999999999999999999"}]}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = recordtest.Read(t, func(o record.Options, yield record.Yield) error { return Read(bytes.NewReader(body), o, yield) })
	})
}
