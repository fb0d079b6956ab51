package turtle

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/ketnoi/ketnoi/eval/shared"
)

// ntriples parses a document and writes what it says one triple a line.
func ntriples(r io.Reader, o Options) (string, error) {
	var b strings.Builder
	err := Read(r, o, func(_ int, t Triple) error {
		fmt.Fprintf(&b, "%v %v %v .\n", t.Subject, t.Predicate, t.Object)
		return nil
	})
	return b.String(), err
}

const head = "@prefix : <http://x.org/> . @prefix w: <http://w.org/ns#> .\n"

func TestRead(t *testing.T) {
	const a = "<" + RDF + "type>"
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"comments alone", " # <a> <b> <c> .\n#", ""},
		{"byte order mark", "\uFEFF<s:a> <s:b> <s:c> .", "<s:a> <s:b> <s:c> .\n"},
		{"N-Triples", "<s:a> <s:b> \"x\" .\n_:n <s:b> \"y\"@vi .", "<s:a> <s:b> \"x\" .\n_:b1 <s:b> \"y\"@vi .\n"},
		{"lists of predicates and objects", head + ":s a w:T ; w:p :a , :b ;; w:q 1 ; .",
			"<http://x.org/s> " + a + " <http://w.org/ns#T> .\n<http://x.org/s> <http://w.org/ns#p> <http://x.org/a> .\n<http://x.org/s> <http://w.org/ns#p> <http://x.org/b> .\n<http://x.org/s> <http://w.org/ns#q> \"1\"^^<" + XSD + "integer> .\n"},
		{"a directive as SPARQL writes it", "PREFIX z: <z:>\nbase <http://h/a/b>\nz:s z:p <c#d> .", "<z:s> <z:p> <http://h/a/c#d> .\n"},
		{"a prefix declared anew", head + "@prefix : <y:> . :a :b :c .", "<y:a> <y:b> <y:c> .\n"},
		{"a prefix relative to the base", "@base <http://h/x/> . @prefix p: <y#> . p:a p:b <> .", "<http://h/x/y#a> <http://h/x/y#b> <http://h/x/> .\n"},
		{"prefixes like keywords", "@prefix a: <a:> . @prefix prefix: <p:> . @prefix true: <t:> . a:a a:a true:x . prefix:s a prefix:o .",
			"<a:a> <a:a> <t:x> .\n<p:s> " + a + " <p:o> .\n"},
		{"dots in names", "@prefix p.q: <http://h/> . p.q:a.b p.q:c..d p.q:e.", "<http://h/a.b> <http://h/c..d> <http://h/e> .\n"},
		{"odd names", head + `:1a :a:b :%41b , :x\~y\,z , :é漢 , : .`,
			"<http://x.org/1a> <http://x.org/a:b> <http://x.org/%41b> .\n<http://x.org/1a> <http://x.org/a:b> <http://x.org/x~y,z> .\n<http://x.org/1a> <http://x.org/a:b> <http://x.org/é漢> .\n<http://x.org/1a> <http://x.org/a:b> <http://x.org/> .\n"},
		{"strings", head + `:s :p "a\"b" , 'c"d' , """e"f""g
h""" , '''i''' , "" , '' , """""" .`,
			strings.ReplaceAll(`S "a\"b" .
S "c\"d" .
S "e\"f\"\"g\nh" .
S "i" .
S "" .
S "" .
S "" .
`, "S", "<http://x.org/s> <http://x.org/p>")},
		{"escapes", head + `:s :p "\t\u00E9\U0001F600\\" . <h:\u00e9> :p :o .`,
			"<http://x.org/s> <http://x.org/p> \"\té😀\\\\\" .\n<h:é> <http://x.org/p> <http://x.org/o> .\n"},
		{"tags and types", head + `:s :p "a"@fr-CA , "b"^^w:t , "c"^^<u:v> , "d"^^<` + XSD + `string> .`,
			strings.ReplaceAll("S \"a\"@fr-CA .\nS \"b\"^^<http://w.org/ns#t> .\nS \"c\"^^<u:v> .\nS \"d\" .\n", "S", "<http://x.org/s> <http://x.org/p>")},
		{"numbers and truth", head + ":s :p 0, -5, +1.5, .5, 1e3, 1.E-2, true, false.",
			strings.NewReplacer("S", "<http://x.org/s> <http://x.org/p>", "T", "^^<"+XSD).Replace(
				"S \"0\"Tinteger> .\nS \"-5\"Tinteger> .\nS \"+1.5\"Tdecimal> .\nS \".5\"Tdecimal> .\nS \"1e3\"Tdouble> .\nS \"1.E-2\"Tdouble> .\nS \"true\"Tboolean> .\nS \"false\"Tboolean> .\n")},
		{"a number that ends the statement", head + ":s :p 7.", "<http://x.org/s> <http://x.org/p> \"7\"^^<" + XSD + "integer> .\n"},
		{"blank nodes", head + "_:x.y :p _:b1 . [] :p [ :q _:x.y ; :r [] ] . [ :p 'z' ] . [ :p 'y' ] :q 'x' .",
			strings.NewReplacer("P>", "<http://x.org/p>", "Q>", "<http://x.org/q>", "R>", "<http://x.org/r>").Replace(
				"_:b1 P> _:b2 .\n_:b4 Q> _:b1 .\n_:b4 R> _:b5 .\n_:b3 P> _:b4 .\n_:b6 P> \"z\" .\n_:b7 P> \"y\" .\n_:b7 Q> \"x\" .\n")},
		{"collections", head + ":s :p () . :s :p (1 (:a)) . (:b) :p :o .",
			strings.NewReplacer("S ", "<http://x.org/s> <http://x.org/p> ", "FIRST", "<"+rdfFirst+">", "REST", "<"+rdfRest+">", "NIL", "<"+rdfNil+">", "X/", "<http://x.org/").Replace(
				"S NIL .\n_:b1 FIRST \"1\"^^<" + XSD + "integer> .\n_:b2 FIRST X/a> .\n_:b2 REST NIL .\n_:b1 REST _:b3 .\n_:b3 FIRST _:b2 .\n_:b3 REST NIL .\nS _:b1 .\n_:b4 FIRST X/b> .\n_:b4 REST NIL .\n_:b4 X/p> X/o> .\n")},
		{"sameness as Notation3 writes it", head + ":a = :b .", "<http://x.org/a> <" + sameAs + "> <http://x.org/b> .\n"},
	} {
		got, err := ntriples(strings.NewReader(c.in), Options{})
		if err != nil || got != c.want {
			t.Errorf("%s: got\n%s%v\nwant\n%s", c.name, got, err, c.want)
		}
		// Whatever arrives in which pieces, the triples are the same.
		if pieces, err := ntriples(iotest.OneByteReader(strings.NewReader(c.in)), Options{}); err != nil || pieces != c.want {
			t.Errorf("%s, byte by byte: got\n%s%v\nwant\n%s", c.name, pieces, err, c.want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"<a:b> <c:d>", "line 1, column 12: want a value, not the end of the file"},
		{"<a:b> <c:d> <e:f>", "line 1, column 18: want '.' at the end of the statement, not the end of the file"},
		{"<a:b> <c:d> <e:f>\n<g:h> .", `line 2, column 1: want '.' at the end of the statement, not '<'`},
		{"x:a <b:c> <d:e> .", `line 1, column 2: the prefix "x:" is not declared`},
		{"<a:b> b <d:e> .", `line 1, column 8: "b" is no keyword; a name needs a prefix and a colon`},
		{"\n  <a> <b:c> <d:e> .", `line 2, column 6: the address <a> is relative, and the file states no @base`},
		{"<a:b> <c:d> \"é\x80\" .", "line 1, column 15: not valid UTF-8; save the file as UTF-8"},
		{"<a:b c> <c:d> 1 .", "line 1, column 5: ' ' cannot stand in an address; write it as %20"},
		{"<a:\\u0020> <c:d> 1 .", "line 1, column 10: U+0020 cannot stand in an address"},
		{"<a:b> <c:d> \"x\n\" .", `line 1, column 15: the line ends within a text; write it between """, or the line end as \n`},
		{"<a:b> <c:d> \"\"\"x\n\n", "line 3, column 1: the file ends within the text that begins on line 1"},
		{`<a:b> <c:d> "\q" .`, `line 1, column 15: 'q' behind a backslash is no escape: want one of t b n r f " ' \ u U`},
		{`<a:b> <c:d> "\uD800" .`, "line 1, column 20: the escape of U+D800 names no character"},
		{`<a:b> <c:d> "\UFFFFFFFF" .`, "line 1, column 24: the escape of U+FFFFFFFF names no character"},
		{`<a:b> <c:d> "\u12" .`, `line 1, column 18: want 4 hexadecimal digits in the escape, not '"'`},
		{`<a:b> <c:d> "x"@ .`, "line 1, column 17: want a language tag such as @en or @fr-CA"},
		{`<a:b> <c:d> "x"@en- .`, "line 1, column 20: a language tag that ends with -"},
		{`"x" <c:d> <e:f> .`, "line 1, column 1: a literal cannot be what a statement is about"},
		{"<a:b> _:p <e:f> .", "line 1, column 7: want the name of a property, not '_'"},
		{"<a:b> <c:d> { <x:y> <x:z> 1 } .", "line 1, column 13: formulas of Notation3 in { } are not read; export the graph as Turtle"},
		{"{ <a:b> <c:d> 1 } => { } .", "line 1, column 1: formulas of Notation3 in { } are not read; export the graph as Turtle"},
		{"<a:b> => <c:d> .", "line 1, column 8: rules of Notation3 (=>) are not read"},
		{"<a:b> <= <c:d> .", "line 1, column 7: rules of Notation3 (<=) are not read"},
		{"<a:b> <c:d> ?x .", "line 1, column 13: variables of Notation3 are not read"},
		{"@forAll <a:b> .", "line 1, column 8: @forAll is not read: want @prefix or @base"},
		{"@PREFIX a: <b:> .", "line 1, column 8: @PREFIX is not read: want @prefix or @base"},
		{"@prefix a <b:> .", "line 1, column 10: want ':' behind the name of a prefix, not ' '"},
		{"@prefix a: <b:>\n<c:d> <e:f> 1 .", "line 2, column 1: want '.' at the end of the directive, not '<'"},
		{"[] .", "line 1, column 4: want the name of a property, not '.'"},
		{"<a:b> <c:d> 1e .", "line 1, column 15: want digits behind the e of a number, not ' '"},
		{"<a:b> <c:d> + .", "line 1, column 14: want a number, not ' '"},
		{"<a:b> <c:d> (1 .", "line 1, column 16: want a number, not '.'"},
		{"<a:b> <c:d> 7., 8 .", "line 1, column 15: want a statement, not ','"},
		{"%", "line 1, column 1: want a statement, not '%'"},
		{"<?xml version='1.0'?>", "line 1, column 6: ' ' cannot stand in an address; write it as %20"},
	} {
		_, err := ntriples(strings.NewReader(c.in), Options{})
		var e *Error
		if !errors.As(err, &e) || err.Error() != c.want {
			t.Errorf("%q: got %v, want %s", c.in, err, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
	}{
		{"brackets", "<a:b> <c:d> " + strings.Repeat("[<e:f> ", 1_000_000), "64 deep"},
		{"lists", "<a:b> <c:d> " + strings.Repeat("(", 1_000_000), "64 deep"},
		{"a text", `<a:b> <c:d> "` + strings.Repeat("x", MaxLiteral+1), "longer than 1048576 bytes (is the quote of line 1 closed?)"},
		{"an address", "<a:" + strings.Repeat("x", MaxIRI), "longer than 4096 bytes"},
		{"a name", "@prefix p: <p:> . p:" + strings.Repeat("x", 2*MaxIRI), "longer than 4096 bytes"},
		{"a name of escapes", "@prefix p: <p:> . p:" + strings.Repeat("%41", MaxIRI), "longer than 4096 bytes"},
		{"a name behind a prefix", "@prefix p: <p:" + strings.Repeat("x", MaxIRI-10) + "> . p:" + strings.Repeat("x", 20), "longer than 4096 bytes"},
		{"dots", "@prefix p: <p:> . p:a" + strings.Repeat(".", 100) + "b", "want the name of a property"},
		{"digits", "<a:b> <c:d> " + strings.Repeat("1", 1001), "more than 1000 digits"},
	} {
		if _, err := ntriples(strings.NewReader(c.in), Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	var b strings.Builder
	for i := range MaxPrefixes + 1 {
		fmt.Fprintf(&b, "@prefix p%d: <p:> .\n", i)
	}
	if _, err := ntriples(strings.NewReader(b.String()), Options{}); err == nil || !strings.Contains(err.Error(), "more than 10000 prefixes") {
		t.Errorf("got %v, want too many prefixes refused", err)
	}
}

func TestOptionsAndEnds(t *testing.T) {
	got, err := ntriples(strings.NewReader("<a> <b> _:c ."), Options{Base: "http://h/x", Scope: "f2."})
	if want := "<http://h/a> <http://h/b> _:f2.b1 .\n"; err != nil || got != want {
		t.Errorf("got %s%v, want %s", got, err, want)
	}
	stop := errors.New("stop")
	n := 0
	err = Read(strings.NewReader("<a:b> <a:b> 1 .\n\n<a:b> <a:b> 2 . !"), Options{}, func(line int, _ Triple) error {
		if n++; line == 3 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || n != 2 {
		t.Errorf("got %v after %d, want what yield returned after 2", err, n)
	}
	if _, err := ntriples(iotest.ErrReader(stop), Options{}); !errors.Is(err, stop) {
		t.Errorf("got %v, want what the reader returned", err)
	}
}

// TestResolve holds relative addresses to net/url, where it does not escape.
func TestResolve(t *testing.T) {
	for _, c := range []struct{ base, ref, want string }{
		{"http://h/a/b?q#f", "", "http://h/a/b?q"},
		{"http://h/a/b?q", "#x", "http://h/a/b?q#x"},
		{"http://h/a/b?q", "?x", "http://h/a/b?x"},
		{"http://h", "x", "http://h/x"},
		{"http://h/a/b/c", "../x/./é y", "http://h/a/x/é y"},
		{"http://h/a", "//g/x/..", "http://g/"},
		{"http://h/a", "../../x", "http://h/x"},
		{"http://h/a/b", "c:d", "c:d"},
		{"http://h/a/b", "x:/../d", "x:/../d"}, // absolute: stays as written
		{"urn:a:b", "#c", "urn:a:b#c"},
	} {
		if got, ok := resolve(c.base, c.ref); !ok || got != c.want {
			t.Errorf("%s from %s: got %s, want %s", c.ref, c.base, got, c.want)
		}
	}
	if got, ok := resolve("a/b", "c"); ok {
		t.Errorf("got %s against a base that is relative, want none", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		base := "http://h" + rapid.StringMatching(`(/[ab]{0,3}){0,4}(\?q)?`).Draw(t, "base")
		ref := rapid.StringMatching(`(//g)?/?([ab.]{1,3}/){0,4}[ab.]{0,2}(\?r)?(#f)?`).Draw(t, "ref")
		b, err := url.Parse(base)
		if err != nil {
			t.Skip()
		}
		r, err := url.Parse(ref)
		if err != nil {
			t.Skip()
		}
		want := b.ResolveReference(r).String()
		if got, ok := resolve(base, ref); !ok || got != want {
			t.Fatalf("%q from %q: got %q, net/url has %q", ref, base, got, want)
		}
	})
}

// TestRealFiles reads what VIVO ships. Two of the files say the same of two hosts, one written in full, one by prefixes.
func TestRealFiles(t *testing.T) {
	says := map[string]map[string]bool{}
	for name, want := range map[string]int{"sample-data.n3": 666, "sample-data-i18n.ttl": 666, "sample-data-i18n-fr_FR.ttl": 59} {
		f, err := os.Open(shared.Path(t, "data/experts-vivo/"+name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got, err := ntriples(f, Options{})
		if n := strings.Count(got, "\n"); err != nil || n != want {
			t.Errorf("%s: got %d triples, %v; want %d", name, n, err, want)
		}
		says[name] = map[string]bool{}
		for line := range strings.Lines(strings.ReplaceAll(got, "http://vivo.mydomain.edu/", "http://localhost:8080/vivo_i18n/")) {
			says[name][line] = true
		}
	}
	if !maps.Equal(says["sample-data.n3"], says["sample-data-i18n.ttl"]) {
		t.Error("the two files that say the same are read differently")
	}
}

// FuzzRead holds that what is read, written as N-Triples, is read as the same again.
func FuzzRead(f *testing.F) {
	for _, s := range []string{head + ":s a w:T ; w:p ( 1 'x'@en [ :q \"\"\"y\"\"\"^^w:t ] ) , _:b .", "PREFIX a: <b:> a:%41\\, a:b..c -1.5e3 .", "@base <http://h/> . <a> = <../b#c> .",
		`<a:\u00e9> <b:c> "\U0001F600\t\\" .`, "[ <a:b> .5 ] .", "<a:b> <c:d> '''''''''."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, err := ntriples(strings.NewReader(s), Options{})
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Reason == "") {
			t.Fatalf("got %v, want an *Error with line and column", err)
		}
		again, err := ntriples(strings.NewReader(first), Options{})
		if err != nil {
			t.Fatalf("%v in what was written:\n%s", err, first)
		}
		if relabelled(first) != relabelled(again) {
			t.Fatalf("written\n%s\nread again as\n%s", first, again)
		}
	})
}

// relabelled counts the labels of blank nodes anew in the order in which they stand.
func relabelled(s string) string {
	var b strings.Builder
	labels := map[string]string{}
	_ = Read(strings.NewReader(s), Options{}, func(_ int, t Triple) error {
		for _, term := range []*Term{&t.Subject, &t.Object} {
			if term.Kind != Blank {
				continue
			}
			if labels[term.Value] == "" {
				labels[term.Value] = fmt.Sprint("n", len(labels))
			}
			term.Value = labels[term.Value]
		}
		fmt.Fprintf(&b, "%v %v %v .\n", t.Subject, t.Predicate, t.Object)
		return nil
	})
	return b.String()
}

func ExampleRead() {
	doc := `@prefix foaf: <http://xmlns.com/foaf/0.1/> .
<http://example.org/lan> a foaf:Person ; foaf:name "Trần Thị Lan"@vi .`
	err := Read(strings.NewReader(doc), Options{}, func(line int, t Triple) error {
		fmt.Println(line, t.Predicate, t.Object)
		return nil
	})
	fmt.Println(err)
	// Output:
	// 2 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://xmlns.com/foaf/0.1/Person>
	// 2 <http://xmlns.com/foaf/0.1/name> "Trần Thị Lan"@vi
	// <nil>
}
