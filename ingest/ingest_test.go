package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/embeddings/lexicon"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/store"
)

// bench is a store in a file and what an ingest said.
type bench struct {
	store.Store
	dir    string
	issues []string
}

func newBench(t *testing.T) *bench {
	b := &bench{dir: t.TempDir()}
	var err error
	if b.Store, err = store.Open(t.Context(), "sqlite:"+filepath.Join(b.dir, "x.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func (b *bench) file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var lex = lexicon.New(glossary.Default())

// run ingests a file and returns the summary; issues are kept without the folder's name.
func (b *bench) run(t *testing.T, path string, m Mapping) (Summary, error) {
	t.Helper()
	b.issues = nil
	r := &Run{Store: b, Embedder: lex, Mapping: m, Report: func(i Issue) {
		kind := "error "
		if i.Warning {
			kind = "warning "
		}
		i.File = filepath.Base(i.File)
		b.issues = append(b.issues, kind+i.String())
	}}
	err := r.File(t.Context(), path)
	return r.Summary(), err
}

func (b *bench) get(t *testing.T, id string) *engine.Listing {
	t.Helper()
	e, err := b.Entries(t.Context(), []string{id}, lex.Model())
	if err != nil {
		t.Fatal(err)
	}
	if len(e) == 0 {
		return nil
	}
	if len(e[0].Vectors) != len(e[0].Passages) || len(e[0].Vectors) == 0 {
		t.Errorf("%s has %d vectors for %d passages", id, len(e[0].Vectors), len(e[0].Passages))
	}
	return e[0].Listing
}

func line(id, rest string) string {
	return fmt.Sprintf(`{"id":%q,"kind":"problem","title":"Nước thải","text":"Cần xử lý nước thải dệt nhuộm"%s}`+"\n", id, rest)
}

func TestJSONL(t *testing.T) {
	b := newBench(t)
	path := b.file(t, "p.jsonl", "\ufeff"+line("a", "")+"\n"+line("b", `,"colour":"red"`)+line("c", `,"trl":12`)+`{"id":"d"`+"\n"+line("e", `,"works":[{"title":"x"},{"year":"2020"}]`)+line("f", ""))
	s, err := b.run(t, path, Mapping{})
	if err != nil || s.Read != 6 || s.Added != 2 || s.Rejected != 4 {
		t.Errorf("summary %+v, %v", s, err)
	}
	want := []string{
		"error p.jsonl:3: b: colour: unknown key; if it is the summary, say --map summary=colour; or keep it: any --map, such as --map id=id, keeps what it does not name as extra",
		"error p.jsonl:4: c: trl: 12 is no readiness level: want 1 to 9",
		"error p.jsonl:5: the JSON ends too early (at byte 9)",
		"error p.jsonl:6: e: works[1].year: want a whole number such as 7, not a string",
	}
	if got := strings.Join(b.issues, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("issues\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if l := b.get(t, "a"); l == nil || l.Lang != "vi" {
		t.Errorf("a is %+v", l)
	}
	again, err := b.run(t, path, Mapping{})
	if err != nil || again.Unchanged != 2 || again.Added+again.Changed != 0 || again.Passages != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	changed, err := b.run(t, b.file(t, "q.jsonl", line("a", `,"trl":3`)), Mapping{})
	if err != nil || changed.Changed != 1 {
		t.Errorf("changed: %+v, %v", changed, err)
	}
}

func TestCSV(t *testing.T) {
	header := "id,kind,title,text,fields,regions,trl,works,seeks.kinds\n"
	row := `a,technology,Máy sấy,"Sấy ""thanh long"", bằng` + "\n" + `bơm nhiệt",2.3;4.1,"Bình Thuận; Hải Phòng",7,"Một
Hai",problem` + "\n"
	for name, content := range map[string]string{
		"commas": header + row, "bom": "\ufeff" + header + row, "crlf": strings.ReplaceAll(header+row, "\n", "\r\n"), "cr": strings.ReplaceAll(header+row, "\n", "\r"),
		"semicolons": strings.NewReplacer("id,kind,title,text,fields,regions,trl,works,seeks.kinds", "id;kind;title;text;fields;regions;trl;works;seeks.kinds", `a,technology,Máy sấy,"`, `a;technology;Máy sấy;"`, `bơm nhiệt",2.3;4.1,"Bình Thuận; Hải Phòng",7,"Một`, `bơm nhiệt";"2.3;4.1";"Bình Thuận; Hải Phòng";7;"Một`, `Hai",problem`, `Hai";problem`).Replace(header + row),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s, err := b.run(t, b.file(t, "x.csv", content), Mapping{})
			if err != nil || s.Added != 1 || s.Rejected != 0 {
				t.Fatalf("%+v, %v, %v", s, err, b.issues)
			}
			l := b.get(t, "a")
			if l.Text != "Sấy \"thanh long\", bằng\nbơm nhiệt" || len(l.Fields) != 2 || strings.Join(l.Regions, " ") != "VN-40 VN-HP" || l.TRL != 7 || len(l.Works) != 2 || l.Works[1].Title != "Hai" || l.Seeks.Kinds[0] != engine.Problem {
				t.Errorf("listing %+v", l)
			}
		})
	}
}

func TestCSVBadRows(t *testing.T) {
	const good = "g%d,problem,Tên,Cần xử lý nước thải\n"
	content := "id,kind,title,text\n" + fmt.Sprintf(good, 1) +
		"b1,problem,only three\n" +
		"b2,problem,Tên,văn bản,và thừa\n" +
		`b3,problem,Tên,"never closed` + "\n" + fmt.Sprintf(good, 2) +
		`g3,problem,5" pipe,Ống 5" bị rò nước thải` + "\n" +
		"b4,problem,Tên,\xc0\xaf\xff\n" +
		fmt.Sprintf(good, 4) + "g5,problem,Tên,Cần xử lý nước thải,,\n"
	b := newBench(t)
	s, err := b.run(t, b.file(t, "x.csv", content), Mapping{})
	if err == nil && s.Added == 5 && s.Rejected == 4 {
		for _, id := range []string{"g1", "g2", "g3", "g4", "g5"} {
			if b.get(t, id) == nil {
				t.Errorf("%s is lost", id)
			}
		}
	} else if err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Errorf("%+v, %v\n%s", s, err, strings.Join(b.issues, "\n"))
	}
	// The same without the bytes that are no UTF-8, which condemn a small file as a whole.
	b = newBench(t)
	s, err = b.run(t, b.file(t, "x.csv", strings.Replace(content, "\xc0\xaf\xff", "thép", 1)), Mapping{})
	want := []string{
		"error x.csv:3: 3 columns instead of 4", "error x.csv:4: 5 columns instead of 4", `error x.csv:5: a quote is opened and not closed; double the quotes inside a cell ("")`,
	}
	if err != nil || s.Added != 6 || strings.Join(b.issues, "\n") != strings.Join(want, "\n") {
		t.Errorf("%+v, %v\n%s", s, err, strings.Join(b.issues, "\n"))
	}
}

func TestCSVHeader(t *testing.T) {
	for content, want := range map[string]string{
		"sep=;\nid;id\n": `line 2: the column "id" stands twice`, "sep=;\n": "header: EOF",
		"id,id,title\n": `the column "id" stands twice`, "id,,title\nx": "column 2 has no name", "": "the file is empty", "\n\n": "the file is empty", ",,\n": "the header is empty",
	} {
		b := newBench(t)
		if _, err := b.run(t, b.file(t, "x.csv", content), Mapping{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", content, err, want)
		}
	}
	b := newBench(t)
	if s, err := b.run(t, b.file(t, "x.csv", "id,kind,title,text\n"), Mapping{}); err != nil || s.Read != 0 {
		t.Errorf("a header alone: %+v, %v", s, err)
	}
	for i, first := range []string{"sep=;", "SEP=;\r"} { // Excel's; more commas than semicolons would tell otherwise
		content := first + "\nid;kind;title;text;\"a,b,c,d,e,f\"\n" + fmt.Sprintf("s%d;problem;T;Cần xử lý nước thải;x\n", i)
		columns, _ := ParseMapping("id=id")
		if s, err := b.run(t, b.file(t, "x.csv", content), Mapping{Columns: columns}); err != nil || s.Added != 1 {
			t.Errorf("%q: %+v, %v, %v", first, s, err, b.issues)
		}
	}
}

func TestGzip(t *testing.T) {
	b := newBench(t)
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	for i := range 500 {
		io.WriteString(z, line(fmt.Sprintf("g%d", i), ""))
	}
	z.Close()
	whole := buf.String()
	if s, err := b.run(t, b.file(t, "x.jsonl.gz", whole), Mapping{}); err != nil || s.Added != 500 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := b.run(t, b.file(t, "named-otherwise.jsonl", whole), Mapping{}); err != nil || s.Unchanged != 500 {
		t.Errorf("told by content: %+v, %v", s, err)
	}
	cut := newBench(t)
	s, err := cut.run(t, cut.file(t, "cut.jsonl.gz", whole[:len(whole)*9/10]), Mapping{})
	if !errors.Is(err, errCut) || s.Added == 0 || s.Added >= 500 {
		t.Errorf("a cut file: %+v, %v", s, err)
	}
}

func TestRepeatedIDs(t *testing.T) {
	b := newBench(t)
	s, err := b.run(t, b.file(t, "x.jsonl", line("a", "")+line("a", "")+line("a", `,"trl":3`)), Mapping{})
	if err != nil || s.Added != 1 || s.Unchanged != 1 || s.Rejected != 1 || b.issues[0] != "error x.jsonl:3: a: id: stands already at "+filepath.Join(b.dir, "x.jsonl")+":1 with other content" {
		t.Errorf("%+v, %v, %v", s, err, b.issues)
	}
	if l := b.get(t, "a"); l.TRL != 0 {
		t.Error("the second one won")
	}
}

func TestDryRunStoresNothing(t *testing.T) {
	b := newBench(t)
	path := b.file(t, "x.jsonl", line("a", "")+line("b", `,"x":1`))
	r := &Run{Store: b, Embedder: lex, DryRun: true}
	if err := r.File(t.Context(), path); err != nil || r.Summary().Added != 1 || r.Summary().Rejected != 1 {
		t.Errorf("%+v, %v", r.Summary(), err)
	}
	without := &Run{DryRun: true}
	if err := without.File(t.Context(), path); err != nil || without.Summary().Added != 1 {
		t.Errorf("without a store: %+v, %v", without.Summary(), err)
	}
	if seq, _ := b.Seq(t.Context()); seq != 0 {
		t.Error("something was stored")
	}
}

func TestFillAnotherModel(t *testing.T) {
	b := newBench(t)
	if s, err := b.run(t, b.file(t, "x.jsonl", line("a", "")+line("b", "")), Mapping{}); err != nil || s.Added != 2 {
		t.Fatal(s, err)
	}
	other := renamed{lex}
	if n, err := (&Filler{Store: b, Embedder: other, Batch: 64}).All(t.Context(), 2, nil); err != nil || n != 2 {
		t.Errorf("%d embedded, %v", n, err)
	}
	if n, err := (&Filler{Store: b, Embedder: other, Batch: 64}).All(t.Context(), 2, nil); err != nil || n != 0 {
		t.Errorf("again: %d embedded, %v", n, err)
	}
	for _, model := range []string{lex.Model(), other.Model()} {
		e, err := b.Entries(t.Context(), []string{"a"}, model)
		if err != nil || len(e[0].Vectors) == 0 {
			t.Errorf("%s: %v, %v", model, e, err)
		}
	}
}

type renamed struct{ *lexicon.Embedder }

func (renamed) Model() string { return "other-1" }

// TestLongLinesAreBounded feeds a line of 200 MB and watches the memory.
func TestLongLinesAreBounded(t *testing.T) {
	b := newBench(t)
	path := filepath.Join(b.dir, "x.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, line("a", ""))
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	fmt.Fprint(f, `{"id":"`)
	for range 200 {
		f.Write(chunk)
	}
	fmt.Fprint(f, "\"}\n", line("b", ""))
	f.Close()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s, err := b.run(t, path, Mapping{})
	runtime.ReadMemStats(&after)
	if err != nil || s.Added != 2 || s.Rejected != 1 || !strings.Contains(b.issues[0], "x.jsonl:2: the line is longer than 16 MiB") {
		t.Errorf("%+v, %v, %v", s, err, b.issues)
	}
	if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 150 {
		t.Errorf("%d MB were allocated for a line of 200 MB", grown)
	}
}

func TestStops(t *testing.T) {
	b := newBench(t)
	var content strings.Builder
	for i := range 2000 {
		content.WriteString(line(fmt.Sprintf("s%d", i), ""))
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &Run{Store: b, Embedder: lex, Progress: func(s Summary, _ Position) {
		if s.Added >= 256 {
			cancel()
		}
	}}
	err := r.File(ctx, b.file(t, "x.jsonl", content.String()))
	counts, _ := b.Counts(t.Context())
	if !errors.Is(err, context.Canceled) || counts[engine.Problem] != r.Summary().Added || counts[engine.Problem] == 2000 {
		t.Errorf("%v; %d stored, %d counted", err, counts[engine.Problem], r.Summary().Added)
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"id,kind,title,text\na,problem,b,c\n", "a;b\n\"x\n\"\"y\";z\r\r\n", "\"\n\"", "a\tb\n\"", "id|text\n1|\"2\"3\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		path := filepath.Join(t.TempDir(), "x.csv")
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		r := &Run{DryRun: true}
		_ = r.File(t.Context(), path)
		if sum := r.Summary(); sum.Read != sum.Added+sum.Unchanged+sum.Rejected {
			t.Fatalf("the summary does not add up: %+v", sum)
		}
	})
}

func FuzzJSONL(f *testing.F) {
	for _, s := range []string{line("a", ""), `{"id":1,"extra":{"a":[]},"works":[{}]}`, `{"seeks":{"kinds":["x"]}}`, "null", "[]", "{\"id\":\"\\ud800\"}"} {
		f.Add(s, "title=name,works=w,works.title=t,text=a.b")
	}
	f.Fuzz(func(t *testing.T, s, spec string) {
		path := filepath.Join(t.TempDir(), "x.jsonl")
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		columns, _ := ParseMapping(spec)
		r := &Run{DryRun: true, Mapping: Mapping{Columns: columns, Kind: engine.Expert}}
		_ = r.File(t.Context(), path)
		if sum := r.Summary(); sum.Read != sum.Added+sum.Unchanged+sum.Rejected {
			t.Fatalf("the summary does not add up: %+v", sum)
		}
	})
}
