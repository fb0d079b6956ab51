package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/xuri/excelize/v2"
)

func record(id, title, body string) string {
	return fmt.Sprintf(`{"id":"%s","kind":"problem","title":"%s","text":"%s"}`+"\n", id, title, body)
}

// withExtra is a good record with extra values.
func withExtra(values string) string {
	return strings.Replace(record("a", "T", okText), "}", `,"extra":`+values+"}", 1)
}

const csvHeader = "id,kind,title,text,trl\n"

func csvRow(cells ...string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(cells)
	w.Flush()
	return b.String()
}

// badFiles are the rows on JSON and on CSV.
var badFiles = map[string]func(*badBench){
	"B031": func(b *badBench) { b.refused(400, "", " ") },
	"B032": func(b *badBench) {
		b.refused(400, "null")
		b.rejects("x.jsonl", "null\n", "null is no listing")
	},
	"B033": func(b *badBench) {
		b.refused(400, "[]", `[{"text":"tôm"}]`, `"tôm"`, "7", `{"text":"tôm","filter":[]}`)
		b.rejects("x.jsonl", "7\n", "want an object")
		if said, code := b.ingest("x.jsonl", "["+record("a", "T", okText)+"]"); code != exitFailed || !strings.Contains(said, "one JSON array") {
			b.Errorf("exit %d, %s", code, said)
		}
	},
	"B034": func(b *badBench) {
		deep := strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001)
		b.refused(400, deep, `{"text":`+deep+`}`, `{"x":`+deep+`}`)
		b.rejects("x.jsonl", `{"id":"a","extra":{"x":`+deep+`}}`+"\n", "depth")
		said, _ := b.ingest("x.jsonl", `{"id":"a","extra":{"x":`+deep+`}}`+"\n")
		if _, answer := b.ask(`{"text":` + deep + `}`); len(said) > 500 || len(answer) > 800 {
			b.Errorf("%d bytes are printed, %d answered: %.200s %.200s", len(said), len(answer), said, answer)
		}
	},
	"B035": func(b *badBench) {
		b.refused(400, `{"text":"tôm","text":"cá"}`, `{"text":"tôm","TEXT":"cá"}`, `{"Text":"tôm"}`)
		b.rejects("x.jsonl", `{"id":"a","id":"b"}`+"\n", "id: the key stands twice")
		b.rejects("x.jsonl", strings.Replace(record("a", "T", okText), `"title"`, `"Title"`, 1), "Title: unknown key")
	},
	"B036": func(b *badBench) {
		b.refused(400, `{"text":"tôm","limi":3}`, `{"text":"tôm","filter":{"region":["VN"]}}`)
		b.rejects("x.jsonl", strings.Replace(record("a", "T", okText), `"text"`, `"txt"`, 1), "txt: unknown key")
	},
	"B037": func(b *badBench) {
		b.refused(400, `{"text":"tôm"}{"text":"cá"}`, `{"text":"tôm"} x`)
		b.rejects("x.jsonl", strings.TrimSpace(record("a", "T", okText))+record("b", "T", okText), "after top-level value")
	},
	"B038": func(b *badBench) {
		whole := `{"text":"` + okText + `","want":["expert"],"filter":{"regions":["VN"]},"limit":3}`
		for i := range whole {
			if status, answer := b.ask(whole[:i]); status != 400 {
				b.Errorf("cut at byte %d: status %d, %s", i, status, answer)
			}
		}
		b.accepted(whole)
		one, all := strings.TrimSpace(record("a", "T", okText)), ""
		for i := 1; i < len(one); i++ {
			all += one[:i] + "\n"
		}
		b.rejects("x.jsonl", all, fmt.Sprintf("%d rejected", len(one)-1))
	},
	"B039": func(b *badBench) {
		b.refused(400, `{"text":"tôm","limit":NaN}`, `{"text":"tôm","limit":Infinity}`)
		b.rejects("x.jsonl", `{"id":"a","trl":NaN}`+"\n", "not valid JSON")
	},
	"B040": func(b *badBench) {
		b.refused(400, `{"text":"tôm","limit":1e2}`)
		b.rejects("x.jsonl", strings.Replace(record("a", "T", okText), "}", `,"trl":1e0}`, 1), "trl: want a whole number")
	},
	"B041": func(b *badBench) { b.refused(400, `{"text":"tôm","limit":1.0}`) },
	"B042": func(b *badBench) {
		b.refused(400, `{"text":"tôm","limit":1e400}`)
		b.rejects("x.jsonl", strings.Replace(record("a", "T", okText), "}", `,"capacity":1e400}`, 1), "capacity: want a whole number")
	},
	"B043": func(b *badBench) {
		b.accepted(`{"text":"tôm","limit":-0}`) // 0 is the default
		if l := b.takes("x.jsonl", strings.Replace(record("a", "T", okText), "}", `,"trl":-0}`, 1)); l.TRL != 0 {
			b.Errorf("%+v", l)
		}
	},
	"B044": func(b *badBench) {
		if l := b.takes("x.jsonl", strings.Replace(record("a", "T", okText), `"a"`, "9007199254740993", 1)); l.ID != "9007199254740993" {
			b.Errorf("%+v", l)
		}
	},
	"B045": func(b *badBench) {
		b.refused(400, `{"text":"tôm","limit":"3"}`, `{"text":"tôm","limit":true}`, `{"text":true}`, `{"text":"tôm","want":"expert"}`)
	},
	"B046": func(b *badBench) { b.refused(413, `{"text":"`+strings.Repeat("tôm ", 16<<20)+`"}`) },
	"B047": func(b *badBench) {
		var keys strings.Builder
		for i := range 100_000 {
			fmt.Fprintf(&keys, `"k%d":1,`, i)
		}
		if status, answer := b.ask(`{` + keys.String() + `"text":"tôm"}`); status != 400 && status != 413 {
			b.Errorf("status %d: %.200s", status, answer)
		}
	},
	"B048": func(b *badBench) {
		b.refused(400, `{"text":"tôm","want":[`+strings.TrimSuffix(strings.Repeat(`"expert",`, 100_000), ",")+`]}`,
			`{"text":"tôm","filter":{"fields":[`+strings.TrimSuffix(strings.Repeat(`"4.1",`, 100_000), ",")+`]}}`)
	},
	"B049": func(b *badBench) {
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		_, _ = z.Write(make([]byte, 50<<20))
		_ = z.Close()
		if status, answer := b.ask(buf.String(), "Content-Encoding", "gzip"); status != 415 {
			b.Errorf("status %d: %s", status, answer)
		}
		if said, code := b.ingest("x.jsonl.gz", buf.String()); code == exitOK || len(said) > 2000 {
			b.Errorf("exit %d, %.300s", code, said)
		}
	},
	"B050": func(b *badBench) {
		body := io.MultiReader(strings.NewReader(`{"text":"`), strings.NewReader(strings.Repeat("tôm ", 1<<20)), strings.NewReader(`"}`))
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, b.server.URL+"/v1/recommendations", struct{ io.Reader }{body})
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if status, answer := b.do(req); status != 413 || req.ContentLength > 0 {
			b.Errorf("status %d: %s", status, answer)
		}
	},
	"B051": func(b *badBench) {
		for _, ct := range []string{"text/plain", "application/x-www-form-urlencoded", "", "nonsense;;", "application/xml"} {
			if status, answer := b.ask(`{"text":"tôm"}`, "Content-Type", ct); status != 415 {
				b.Errorf("%q: status %d, %s", ct, status, answer)
			}
		}
	},
	"B052": func(b *badBench) {
		if status, answer := b.ask(`{"text":"tôm"}`, "Content-Type", "application/json; charset=utf-7"); status != 415 {
			b.Errorf("status %d: %s", status, answer)
		}
		if status, answer := b.ask(`{"text":"tôm"}`, "Content-Type", "application/json; charset=UTF-8"); status != 200 {
			b.Errorf("status %d: %s", status, answer)
		}
	},
	"B053": func(b *badBench) {
		b.refused(400, `{"text":"tôm",}`, `{"text":"tôm" /* c */}`, "{\"text\":\"tôm\"} // c", `{'text':'tôm'}`)
		b.rejects("x.jsonl", `{"id":"a",}`+"\n", "not valid JSON")
	},

	"B122": func(b *badBench) {
		for _, sep := range []string{",", ";", "\t", "|"} {
			content := strings.ReplaceAll("id,kind,title,text\na,problem,T,"+okText+"\n", ",", sep)
			if l := b.takes("x.csv", content); l.Text != okText {
				b.Errorf("%q: %+v", sep, l)
			}
		}
	},
	"B123": func(b *badBench) {
		b.takes("x.csv", strings.ReplaceAll(csvHeader+csvRow("a", "problem", "T", okText, ""), "\n", "\r"))
	},
	"B124": func(b *badBench) {
		b.rejects("x.csv", csvHeader+`a,problem,T,"never closed`+"\n", "x.csv:2: a quote is opened and not closed")
	},
	"B125": func(b *badBench) {
		if l := b.takes("x.csv", csvHeader+csvRow("a", "problem", "T", okText+"\nhai dòng", "")); l.Text != okText+"\nhai dòng" {
			b.Errorf("%q", l.Text)
		}
	},
	"B126": func(b *badBench) {
		said, code := b.ingest("x.csv", csvHeader+"a,problem\n"+csvRow("b", "problem", "T", okText, ""))
		if code != exitRejected || !strings.Contains(said, "x.csv:2: 2 columns instead of 5") || !strings.Contains(said, "1 added") {
			b.Errorf("exit %d, %s", code, said)
		}
	},
	"B127": func(b *badBench) {
		for content, want := range map[string]string{"id,id\na,b\n": `"id" stands twice`, "id,,text\na,b,c\n": "column 2 has no name", "a,problem,T," + okText + "\n": "header only"} {
			said, code := b.ingest("x.csv", content)
			if want == "header only" { // the first row is always the header: nothing is left
				if code != exitOK || !strings.Contains(said, "0 read") {
					b.Errorf("exit %d, %s", code, said)
				}
			} else if code != exitFailed || !strings.Contains(said, want) {
				b.Errorf("%q: exit %d, %s", content, code, said)
			}
		}
	},
	"B130": func(b *badBench) {
		if said, code := b.ingest("x.csv", csvHeader); code != exitOK || !strings.Contains(said, "0 read") {
			b.Errorf("exit %d, %s", code, said)
		}
	},
	"B131": func(b *badBench) { // 1 GB in small: the bound is 16 MiB; the memory is watched in the ingest package
		said, code := b.ingest("x.csv", csvHeader+csvRow("a", "problem", "T", strings.Repeat("x", 20<<20), "")+csvRow("b", "problem", "T", okText, ""))
		if code != exitRejected || !strings.Contains(said, "x.csv:2: the line is longer than 16 MiB") || !strings.Contains(said, "1 added") {
			b.Errorf("exit %d, %.300s", code, said)
		}
	},
	"B132": func(b *badBench) {
		if l := b.takes("x.csv", csvHeader+`a,problem,Ống 5" PVC,"Ống ""mềm"" bị rò nước",`+"\n"); l.Title != `Ống 5" PVC` || l.Text != `Ống "mềm" bị rò nước` {
			b.Errorf("%+v", l)
		}
	},
	"B133": func(b *badBench) {
		b.rejects("x.csv", csvHeader+csvRow("a", "technology", "T", okText, "1.234,5"), `trl: "1.234,5" is no whole number`)
	},
	"B134": func(b *badBench) {
		b.rejects("x.csv", csvHeader+csvRow("8.4E+10", "problem", "T", okText, ""), "id:")
	},
	"B135": func(b *badBench) {
		f := excelize.NewFile()
		for i, row := range [][]any{{"id", "kind", "title", "text"}, {"00123", "problem", "T", okText}} {
			if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
				b.Fatal(err)
			}
		}
		buf, err := f.WriteToBuffer()
		if err != nil {
			b.Fatal(err)
		}
		if l := b.takes("x.xlsx", buf.String()); l.ID != "00123" {
			b.Errorf("%q", l.ID)
		}
	},
}
