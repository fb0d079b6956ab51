package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/xuri/excelize/v2"

	"github.com/ketnoi/ketnoi/eval/demo"
)

// lab is a folder with the demo's store and its judgements.
type lab struct {
	*testing.T
	dir string
}

func newLab(t *testing.T) *lab {
	dir := demoStoreIn(t)
	if err := os.CopyFS(filepath.Join(dir, "demo"), demo.Files()); err != nil {
		t.Fatal(err)
	}
	return &lab{t, dir}
}

func (l *lab) run(want int, args ...string) (out, errs string) {
	l.Helper()
	out, errs, code := ketnoi(l.T, l.dir, append([]string{"--store", inDemo, "eval"}, args...)...)
	if code != want {
		l.Fatalf("eval %s: exit %d instead of %d\n%s%s", strings.Join(args, " "), code, want, out, errs)
	}
	return out, errs
}

func (l *lab) write(name, content string) string {
	l.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(content), 0o666); err != nil {
		l.Fatal(err)
	}
	return name
}

func (l *lab) read(name string) string {
	l.Helper()
	body, err := os.ReadFile(filepath.Join(l.dir, name))
	if err != nil {
		l.Fatal(err)
	}
	return string(body)
}

var demoCollection = []string{"--topics", "demo/" + demo.Topics, "--qrels", "demo/" + demo.Qrels, "--want", "expert,technology"}

// TestEval measures the demo corpus and holds the ranking to what it reached: a change that costs more fails here.
func TestEval(t *testing.T) {
	l := newLab(t)
	out, _ := l.run(exitOK, append(slices.Clone(demoCollection), "--json", "--out", "lab")...)
	var rep struct {
		Measures map[string]float64
		Slices   map[string]struct {
			Topics   int
			Measures map[string]float64
		}
		Topics map[string]map[string]float64
	}
	if err := json.Unmarshal([]byte(out), &rep, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	same, cross := rep.Slices["same-language"], rep.Slices["cross-language"]
	t.Logf("nDCG@10: %.3f over all, %.3f same-language (%d topics), %.3f cross-language (%d topics)", rep.Measures["nDCG@10"], same.Measures["nDCG@10"], same.Topics, cross.Measures["nDCG@10"], cross.Topics)
	if rep.Measures["nDCG@10"] < 0.70 || cross.Measures["nDCG@10"] < 0.68 || cross.Topics < 100 || len(rep.Topics) != 144 {
		t.Errorf("the ranking fell: %+v", rep.Measures)
	}
	for name, want := range map[string]string{"additive-2.json": `"collection"`, "additive-2.run": " Q0 ", "report.html": "</html>", "report.md": "## Measures"} {
		if !strings.Contains(l.read("lab/"+name), want) {
			t.Errorf("%s has no %s", name, want)
		}
	}
	table, _ := l.run(exitOK, demoCollection...)
	if !strings.Contains(table, "cross-language nDCG@10 is") {
		t.Error(table)
	}
	// The same again: but for the time it takes, nothing may differ.
	first := l.read("lab/additive-2.json")
	l.run(exitOK, append(slices.Clone(demoCollection), "--out", "lab")...)
	cut := func(s string) string { before, _, _ := strings.Cut(s, `"latency"`); return before }
	if again := l.read("lab/additive-2.json"); cut(again) != cut(first) {
		t.Error("the same experiment comes to something else")
	}
}

// TestEvalCompares: ablations, the other direction, the yardstick; a bound fails where a measure falls by more.
func TestEvalCompares(t *testing.T) {
	slowRaced(t)
	l := newLab(t)
	out, _ := l.run(exitOK, append(slices.Clone(demoCollection), "--weights", "default", "--weights", "bm25", "--ablate", "--back", "--measures", "nDCG@10,AP", "--rounds", "2000", "--out", "lab")...)
	for _, want := range []string{"additive-2 without words", "additive-2 without concepts back", "bm25 back", "additive-2 → bm25, 144 topics", "  worse\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	a, b := "lab/additive-2.json", "lab/additive-2-without-meaning.json"
	if out, errs := l.run(exitRejected, "compare", a, b, "--bound", "nDCG@10=0.01", "--rounds", "1000"); !strings.Contains(errs, "nDCG@10 of additive-2 without meaning fell by 0.") || !strings.Contains(out, "worse") {
		t.Errorf("%s%s", out, errs)
	}
	l.run(exitOK, "compare", a, b, "--bound", "nDCG@10=0.9", "--rounds", "1000", "--out", "compared")
	l.run(exitOK, "compare", b, a, "--bound", "nDCG@10=0", "--rounds", "1000")
	if !strings.Contains(l.read("compared/report.html"), "additive-2 without meaning against additive-2") {
		t.Error("the comparison has no report")
	}
	for _, tc := range []struct {
		want string
		args []string
	}{
		{"different topics or judgements", []string{"compare", a, "lab/additive-2-back.json"}},
		{"is no result", []string{"compare", a, "demo/" + demo.Qrels}},
		{"--bound \"nDCG@10\"", []string{"compare", a, b, "--bound", "nDCG@10"}},
		{"P@7 is not in both results", []string{"compare", a, b, "--bound", "P@7=0.1"}},
		{"stands twice", append([]string{"--weights", "default", "--weights", "default"}, demoCollection...)},
		{`measure "MAP"`, append([]string{"--measures", "MAP"}, demoCollection...)},
		{"--rounds 0: want", append([]string{"--rounds", "0"}, demoCollection...)},
		{"is no signal", append([]string{"--weights", "magic=1"}, demoCollection...)},
	} {
		if _, errs := l.run(exitFailed, tc.args...); !strings.Contains(errs, tc.want) {
			t.Errorf("%v: %s, want %q", tc.args, errs, tc.want)
		}
	}
}

// TestEvalStopped: an experiment that is killed goes on where it was.
func TestEvalStopped(t *testing.T) {
	l := newLab(t)
	args := append([]string{"--store", inDemo, "eval", "--weights", "default", "--weights", "words=1", "--back", "--out", "lab", "--rounds", "100"}, demoCollection...)
	cmd := program(t, l.dir, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "some topics are ranked", func() bool {
		info, err := os.Stat(filepath.Join(l.dir, "lab", "additive-2.journal"))
		return err == nil && info.Size() > 20_000
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	_, errs := l.run(exitOK, args[3:]...)
	if !strings.Contains(errs, "topics were ranked before and are taken over") {
		t.Error(errs)
	}
	if left, _ := filepath.Glob(filepath.Join(l.dir, "lab", "*.journal")); len(left) > 0 {
		t.Errorf("journals are left: %v", left)
	}
}

// TestEvalFiles: listings from files, judgements and topics from tables, runs from elsewhere.
func TestEvalFiles(t *testing.T) {
	slowRaced(t)
	l := newLab(t)
	l.write("firms.csv", "name,about,id\nAqua,Membrane filtration of textile waste water,a\nLaserix,Laser cutting of steel plates,b\nFiltra,Activated carbon for dye removal from waste water,c\n")
	l.write("topics.csv", "\ufeffMã;Tiêu đề;Nội dung\r\nq1;Textile waste water;How to remove dye from waste water\r\nq2;Steel;Cutting steel plates precisely\n")
	book := excelize.NewFile()
	for i, row := range [][]any{{"Query", "Expert", "Stage"}, {"q1", "a", "introduced"}, {"q1", "c", 3}, {"q1", "b", "declined"}, {"q2", "b", "Concluded"}, {"q2", "a", ""}} {
		if err := book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.SaveAs(filepath.Join(l.dir, "deals.xlsx")); err != nil {
		t.Fatal(err)
	}
	out, errs := l.run(exitOK, "--listings", "firms.csv", "--kind", "expert", "--map", "title=name,text=about,organisation=name,id=id", "--topics", "topics.csv", "--qrels", "deals.xlsx", "--want", "expert", "--weights", "bm25", "--out", "files", "--measures", "nDCG@10,P@1")
	if !strings.Contains(errs, "3 listings in a store for this experiment") || !strings.Contains(out, "bm25") || !strings.Contains(out, " 1.0000\n") {
		t.Errorf("%s%s", out, errs)
	}
	out, errs = l.run(exitOK, "judgements", "deals.xlsx")
	if want := "q1 0 a 2\nq1 0 b 0\nq1 0 c 3\nq2 0 b 3\n"; out != want || !strings.Contains(errs, "4 judgements of 2 topics, 3 relevant; 1 rows without a grade") {
		t.Errorf("%q, %s", out, errs)
	}
	l.write("qrels.txt", out)
	l.write("theirs.run", "q1 Q0 b 1 3 theirs\nq1 Q0 a 2 2 theirs\n")
	out, _ = l.run(exitOK, "score", "--qrels", "qrels.txt", "theirs.run", "files/bm25.run", "--measures", "P@1", "--rounds", "100")
	if !strings.Contains(out, "where answered") || !strings.Contains(out, "theirs → bm25") {
		t.Error(out)
	}
	l.write("twice.run", "q1 Q0 a 1 3 theirs\n")
	l.write("blank.csv", "topic,listing,grade\nq1,a,\n")
	l.write("log.csv", "topic,listing,propensity,reward\nq1,a,0.5,1\nq1,b,0.5,0\nq2,b,1,1\n")
	for _, tc := range []struct {
		code int
		want string
		args []string
	}{
		{exitFailed, `theirs.run and twice.run both have the tag "theirs"`, []string{"score", "--qrels", "qrels.txt", "theirs.run", "twice.run"}},
		{exitFailed, `nan.run: line 2: score "NaN" is no number`, []string{"score", "--qrels", "qrels.txt", l.write("nan.run", "q1 Q0 a 1 1 t\nq1 Q0 b 2 NaN t\n")}},
		{exitFailed, "empty.run: no lines", []string{"score", "--qrels", "qrels.txt", l.write("empty.run", "\n")}},
		{exitFailed, "do the ids of topics fit", []string{"score", "--qrels", "qrels.txt", l.write("other.run", "x Q0 a 1 1 t\n")}},
		{exitFailed, "bad.csv: line 3: topic q1 judges a twice (1 before)", []string{"judgements", l.write("bad.csv", "topic,listing,grade\nq1,a,1\nq1,a,2\n")}},
		{exitFailed, `word.csv: line 2: "good" is no grade`, []string{"judgements", l.write("word.csv", "topic,listing,grade\nq1,a,good\n")}},
		{exitFailed, "huge.csv: line 2: grade 99999 is out of range", []string{"judgements", l.write("huge.csv", "topic,listing,grade\nq1,a,99999\n")}},
		{exitFailed, "no column grade among topic, listing, points: name it with --columns grade=NAME", []string{"judgements", l.write("columns.csv", "topic,listing,points\nq1,a,1\n")}},
		{exitOK, "1 judgements", []string{"judgements", "columns.csv", "--columns", "grade=points"}},
		{exitRejected, "no row has a grade", []string{"judgements", "blank.csv"}},
		{exitOK, "2 relevant", []string{"judgements", l.write("vn.csv", "Vấn đề,Chuyên gia,Giai đoạn\nq1,a,ký hợp đồng\nq1,b,đang bàn\nq2,b,từ chối\n"), "--grade", "ký hợp đồng=3", "--grade", "đang bàn=1", "--grade", "từ chối=0"}},
		{exitFailed, "same.csv: line 3: id: q1 stands twice", []string{"--topics", l.write("same.csv", "id,title\nq1,x\nq1,y\n"), "--qrels", "qrels.txt"}},
		{exitFailed, "void.csv: line 2: topic q1 has neither title nor text", []string{"--topics", l.write("void.csv", "id,title\nq1,\n"), "--qrels", "qrels.txt"}},
		{exitFailed, "none.csv: the file is empty", []string{"--topics", l.write("none.csv", ""), "--qrels", "qrels.txt"}},
		{exitFailed, "--back: topic q1 is not in the store", []string{"--topics", "topics.csv", "--qrels", "qrels.txt", "--back"}},
		{exitOK, "listings that are judged relevant are not in the store", []string{"--topics", "topics.csv", "--qrels", "qrels.txt"}},
		{exitFailed, "log2.csv: line 2: propensity: 0 is no probability", []string{"propensity", l.write("log2.csv", "topic,listing,propensity,reward\nq1,a,0,1\n"), "--run", "theirs.run"}},
		{exitOK, "", []string{"propensity", "log.csv", "--run", "theirs.run", "--depth", "1"}},
	} {
		out, errs := l.run(tc.code, tc.args...)
		if !strings.Contains(errs, tc.want) {
			t.Errorf("%v: %s%s, want %q", tc.args, out, errs, tc.want)
		}
	}
	// theirs shows b for q1 first: weights 0, 1/0.5, 0; nothing was earned there.
	out, _ = l.run(exitOK, "propensity", "log.csv", "--run", "theirs.run", "--depth", "2")
	if !strings.Contains(out, "3 suggestions shown earned 0.6667 each") || !strings.Contains(out, "IPS    0.6667") || !strings.Contains(out, "SNIPS  0.5000") {
		t.Error(out)
	}
}

// TestEvalPool: what judges get says nothing of who proposed it and cannot run as a formula; filled in, it comes back.
func TestEvalPool(t *testing.T) {
	slowRaced(t)
	l := newLab(t)
	l.write("some.jsonl", strings.Join(strings.SplitAfter(l.read("demo/"+demo.Topics), "\n")[:6], ""))
	out, _ := l.run(exitOK, "pool", "--topics", "some.jsonl", "--want", "expert,technology", "--depth", "5", "--random", "3", "--out", "pool.xlsx", "--key", "key.jsonl")
	if !strings.Contains(out, "pairs of 6 topics are in pool.xlsx") {
		t.Error(out)
	}
	if key := l.read("key.jsonl"); !strings.Contains(key, `"bm25"`) || !strings.Contains(key, `"random"`) || !strings.Contains(key, `"additive-2"`) {
		t.Error(key)
	}
	book, err := excelize.OpenFile(filepath.Join(l.dir, "pool.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows("Sheet1")
	if err != nil || len(rows) < 6*8 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows[1:] {
		if strings.Contains(strings.Join(row, " "), "bm25") {
			t.Errorf("row %d names its ranker: %v", i, row)
		}
		if err := book.SetCellInt("Sheet1", fmt.Sprintf("I%d", i+2), int64(i%3)); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.Save(); err != nil {
		t.Fatal(err)
	}
	if _, errs := l.run(exitOK, "judgements", "pool.xlsx", "--out", "qrels.txt"); !strings.Contains(errs, fmt.Sprintf("%d judgements of 6 topics", len(rows)-1)) {
		t.Error(errs)
	}
	out, _ = l.run(exitOK, "--topics", "some.jsonl", "--qrels", "qrels.txt", "--want", "expert,technology", "--measures", "Judged@5,nDCG@10")
	if !strings.Contains(out, " 1.0000 ") {
		t.Errorf("all of the first five were judged:\n%s", out)
	}
	l.run(exitFailed, "pool", "--topics", "some.jsonl", "--out", "pool.pdf")
	l.run(exitOK, "pool", "--topics", "some.jsonl", "--out", "pool.csv")
	if err := writeTable(filepath.Join(l.dir, "hostile.csv"), [][]string{{"=1+1", "-x", "a"}}); err != nil || !strings.Contains(l.read("hostile.csv"), "'=1+1,'-x,a") {
		t.Errorf("%q, %v", l.read("hostile.csv"), err)
	}
}
