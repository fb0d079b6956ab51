package vivo

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/eval/shared"
	"github.com/ketnoi/ketnoi/ingest/record"
	"github.com/ketnoi/ketnoi/ingest/record/recordtest"
	"github.com/ketnoi/ketnoi/ingest/turtle"
)

// graph reads files into one.
func graph(t testing.TB, paths ...string) *Graph {
	t.Helper()
	g := new(Graph)
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Add(bytes.NewReader(body)); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func TestGolden(t *testing.T) {
	for _, c := range []struct{ golden, lang string }{{"own", ""}, {"vi", "vi"}, {"fr", "fr"}} {
		g := graph(t, "testdata/people.ttl", "testdata/people-fr.nt")
		recordtest.Golden(t, "testdata/"+c.golden+".golden", func(o record.Options, yield record.Yield) error {
			return g.Experts(Options{Options: o, Lang: c.lang}, yield)
		})
	}
}

// TestOrderIsNoChange writes the statements of a graph in another order and wants the same experts.
func TestOrderIsNoChange(t *testing.T) {
	body, err := os.ReadFile("testdata/people.ttl")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	err = turtle.Read(bytes.NewReader(body), turtle.Options{}, func(_ int, t turtle.Triple) error {
		lines = append(lines, fmt.Sprintf("%v %v %v .\n", t.Subject, t.Predicate, t.Object))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	experts := func() (all []string) {
		seen, err := recordtest.Read(t, func(o record.Options, yield record.Yield) error {
			return Read(strings.NewReader(strings.Join(lines, "")), Options{Options: o}, yield)
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range seen {
			b, err := json.Marshal(s.Values, json.Deterministic(true))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(b))
		}
		slices.Sort(all)
		return all
	}
	want := experts()
	slices.Sort(lines)
	if got := experts(); !slices.Equal(got, want) {
		t.Errorf("sorted: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	slices.Reverse(lines)
	if got := experts(); !slices.Equal(got, want) {
		t.Errorf("reversed: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const prefixes = "@prefix v: <http://vivoweb.org/ontology/core#> . @prefix f: <http://xmlns.com/foaf/0.1/> . @prefix o: <http://purl.obolibrary.org/obo/> . @prefix c: <http://www.w3.org/2006/vcard/ns#> . @prefix r: <http://www.w3.org/2000/01/rdf-schema#> . @prefix : <http://x.org/> .\n"

func TestHostile(t *testing.T) {
	var all strings.Builder // everybody is related to everybody
	for i := range 300 {
		fmt.Fprintf(&all, ":p%d a f:Person ; r:label \"P\" ; v:relatedBy :hub .\n", i)
		fmt.Fprintf(&all, ":d%d r:label \"D%d\" ; v:relatedBy :hub .\n", i, i)
	}
	for _, c := range []struct {
		name, in, want string
		experts        int
	}{
		{"nothing", "", "", 0},
		{"no person", ":a a v:University ; r:label \"U\" .", "", 0},
		{"a loop of organisations", ":p a f:Person ; r:label \"P\" ; v:relatedBy :q . :q a v:Position ; v:relates :o . :o r:label \"O\" ; o:BFO_0000050 :o2 . :o2 r:label \"O2\" ; o:BFO_0000050 :o .", `"O2"`, 1},
		{"a loop of blank nodes", "_:a a f:Person ; r:label \"P\" ; v:relatedBy _:a ; v:relates _:a ; o:ARG_2000028 _:a ; c:hasName _:a ; v:hasResearchArea _:a ; o:BFO_0000050 _:a ; v:dateTimeInterval _:a ; v:start _:a .", "no id that lasts", 1},
		{"a person that is its own position and work", ":p a f:Person , v:Position , v:Authorship , v:Grant ; r:label \"P\" ; v:relatedBy :p ; v:relates :p .", "too little text", 1},
		{"nodes where texts should stand", ":p a f:Person ; r:label :x , [] ; v:overview :y ; v:orcidId [] ; v:hasResearchArea \"text\" .", "title: missing", 1},
		{"texts where nodes should stand", ":p a f:Person ; r:label \"P\" ; v:relatedBy \"a\" ; v:hasResearchArea \"b\" ; o:ARG_2000028 \"c\" ; v:overview \"V\" .", `"V"`, 1},
		{"a class below itself", "f:Person r:subClassOf f:Person . :p a f:Person ; r:label \"P\" ; v:overview \"V\" .", `"V"`, 1},
		{"everybody related to everybody", all.String() + ":hub a v:Authorship .", `"D299"`, 300},
		{"a character U+0000", ":p a f:Person ; r:label \"P\" ; v:overview \"\\u0000\" .", "U+0000", 1},
	} {
		seen, err := recordtest.Read(t, func(o record.Options, yield record.Yield) error {
			return Read(strings.NewReader(prefixes+c.in), Options{Options: o}, yield)
		})
		got := ""
		for _, s := range seen {
			got += s.Refused + s.Fault + string(s.Values["organisation"]) + string(s.Values["text"]) + string(s.Values["works"])
		}
		if err != nil || len(seen) != c.experts || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %d experts, %.300s, %v; want %d, %s", c.name, len(seen), got, err, c.experts, c.want)
		}
	}
}

func TestFaultsOfSyntaxEndTheReading(t *testing.T) {
	err := Read(strings.NewReader(prefixes+":p a f:Person ;"), Options{}, nil)
	var e *turtle.Error
	if !errors.As(err, &e) || e.Line != 2 {
		t.Errorf("got %v, want the line of the fault", err)
	}
}

func TestLabelsOfFilesStayApart(t *testing.T) {
	var g Graph
	for _, name := range []string{"A", "B"} {
		if err := g.Add(strings.NewReader(prefixes + ":p" + name + " a f:Person ; v:hasResearchArea _:x . _:x r:label \"" + name + "\" .")); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	err := g.Experts(Options{}, func(_ int, v record.Values) error { got = append(got, string(v["summary"])); return nil })
	if want := []string{`"A"`, `"B"`}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

// TestSample reads what VIVO ships: a graph of seven people, and one whose labels are in two languages.
func TestSample(t *testing.T) {
	type expert struct {
		Title, Organisation, Summary, Lang string
		Works                              []struct{ Title string }
	}
	read := func(lang string, names ...string) map[string]expert {
		var paths []string
		for _, name := range names {
			paths = append(paths, shared.Path(t, "data/experts-vivo/"+name))
		}
		seen, err := recordtest.Read(t, func(o record.Options, yield record.Yield) error {
			return graph(t, paths...).Experts(Options{Options: o, Lang: lang}, yield)
		})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]expert{}
		for _, s := range seen {
			if s.Fault != "" || s.Refused != "" {
				t.Errorf("%s: %s%s", s.Values["id"], s.Fault, s.Refused)
			}
			body, err := json.Marshal(s.Values)
			if err != nil {
				t.Fatal(err)
			}
			var e expert
			if err := json.Unmarshal(body, &e, json.MatchCaseInsensitiveNames(true)); err != nil {
				t.Fatal(err)
			}
			out[e.Title] = e
		}
		return out
	}
	both := []string{"sample-data-i18n.ttl", "sample-data-i18n-fr_FR.ttl"}
	for _, c := range []struct {
		lang  string
		files []string
		want  [3]string // of Patricia Roberts: organisation, summary, first work
	}{
		{"", []string{"sample-data.n3"}, [3]string{"Sample University", "Derrida; Rhetoric; Political discourse; Electracy", "Derrida's influence on political rhetoric"}},
		{"", both, [3]string{"Sample University", "Derrida; Rhetoric; Political discourse; Electracy", "Derrida's influence on political rhetoric"}},
		{"en", both, [3]string{"Sample University", "Derrida; Rhetoric; Political discourse; Electracy", "Derrida's influence on political rhetoric"}},
		{"fr", both, [3]string{"Exemple d'Université", "Derrida; Rhétorique; Discours politique; Electracy", "L'influence de Derrida sur la rhétorique politique"}},
		{"vi", both, [3]string{"Sample University", "Derrida; Rhetoric; Political discourse; Electracy", "Derrida's influence on political rhetoric"}},
	} {
		experts := read(c.lang, c.files...)
		works := 0
		var names []string
		for name, e := range experts {
			works += len(e.Works)
			names = append(names, name)
		}
		slices.Sort(names)
		want := []string{"Andrew Bogart", "Claudia Martinez", "Emily K Stevens", "Franklin J Pierce", "Jasper I Peters", "Patricia Roberts", "Suzanne Katrinsky Powell"}
		if !slices.Equal(names, want) || works != 8 {
			t.Errorf("%v in %q: got %d works of %v, want 8 of %v", c.files, c.lang, works, names, want)
		}
		roberts := experts["Patricia Roberts"]
		if got := [3]string{roberts.Organisation, roberts.Summary, roberts.Works[0].Title}; got != c.want || roberts.Lang != "en" {
			t.Errorf("%v in %q: got %q in %s, want %q", c.files, c.lang, got, roberts.Lang, c.want)
		}
	}
}

func TestIdentifier(t *testing.T) {
	seen := map[string]string{}
	for iri, want := range map[string]string{
		"https://vivo.example.org/individual/n42": "vivo.example.org:individual:n42",
		"http://h.org:8080/a#b":                   "h.org:8080:a:b",
		"urn:uuid:1234":                           "urn:uuid:1234",
		"http://h.org/é":                          "h.org:é",
		"http://h.org/a?b":                        "",
		"http://h.org/a&b":                        "",
		"http://" + strings.Repeat("x", 4000):     "",
		"x:/..":                                   "",
		"http://h.org/漢字":                         "h.org:漢字",
	} {
		got := identifier(Term{Kind: turtle.IRI, Value: iri})
		if want != "" && got != want || len([]rune(got)) > 128 || seen[got] != "" {
			t.Errorf("%.60s: got %s (of %s too), want %s", iri, got, seen[got], want)
		}
		seen[got] = iri
	}
}

func FuzzRead(f *testing.F) {
	body, err := os.ReadFile("testdata/people.ttl")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(body), "vi")
	f.Add(prefixes+":p a f:Person ; v:relatedBy [ a v:FacultyPosition ; v:relates :o ] . :o r:label 'O'@x-y .", "x-y")
	f.Fuzz(func(t *testing.T, s, lang string) {
		_, _ = recordtest.Read(t, func(o record.Options, yield record.Yield) error {
			return Read(strings.NewReader(s), Options{Options: o, Lang: lang}, yield)
		})
	})
}
