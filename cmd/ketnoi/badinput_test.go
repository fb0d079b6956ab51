package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"github.com/ketnoi/ketnoi/api"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/text"
	"github.com/ketnoi/ketnoi/eval/shared"
)

// badBench is what the rows of the catalogue are tried on: the program on files, and the handler over real HTTP.
type badBench struct {
	*testing.T
	dir    string
	server *httptest.Server
}

const okText = "Nước thải nuôi tôm bị ô nhiễm"

// ask posts a body and returns status and answer; no row may crash the server or get a 5xx.
func (b *badBench) ask(body string, header ...string) (int, string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, b.server.URL+"/v1/recommendations", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.do(req)
}

func (b *badBench) do(req *http.Request) (int, string) {
	b.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	if resp.StatusCode >= 500 {
		b.Errorf("status %d: %s", resp.StatusCode, answer)
	}
	if resp.StatusCode >= 400 && resp.Header.Get("Content-Type") != "application/problem+json" {
		b.Errorf("a refusal comes as %s: %s", resp.Header.Get("Content-Type"), answer)
	}
	return resp.StatusCode, string(answer)
}

// refused expects a status for each body.
func (b *badBench) refused(status int, bodies ...string) {
	b.Helper()
	for _, body := range bodies {
		if got, answer := b.ask(body); got != status {
			b.Errorf("%.80q: status %d, want %d: %s", body, got, status, answer)
		}
	}
}

func (b *badBench) accepted(bodies ...string) {
	b.Helper()
	b.refused(http.StatusOK, bodies...)
}

// ingest runs the program on one file with a store of its own.
func (b *badBench) ingest(name, content string, args ...string) (said string, code int) {
	b.Helper()
	write(b.T, b.dir, name, content)
	_ = os.Remove(filepath.Join(b.dir, "bad.db"))
	out, errs, code := ketnoi(b.T, b.dir, append([]string{"--store", "sqlite:bad.db", "ingest", name}, args...)...)
	return out + errs, code
}

// rejects expects exit 1, a line number and a word in what is said, and nothing stored.
func (b *badBench) rejects(name, content, want string) {
	b.Helper()
	said, code := b.ingest(name, content)
	if code != exitRejected || !strings.Contains(said, want) || !strings.Contains(said, name+":") || len(b.listings()) > 0 {
		b.Errorf("exit %d, %v stored, said %s", code, b.listings(), said)
	}
}

// takes expects exit 0 and returns the listing as it is stored.
func (b *badBench) takes(name, content string) *engine.Listing {
	b.Helper()
	said, code := b.ingest(name, content)
	list := b.listings()
	if code != exitOK || len(list) != 1 {
		b.Fatalf("exit %d, %d stored, said %s", code, len(list), said)
	}
	return list[0]
}

func (b *badBench) listings() (out []*engine.Listing) {
	b.Helper()
	if _, err := os.Stat(filepath.Join(b.dir, "bad.db")); err != nil {
		return nil
	}
	s, err := store.Open(b.Context(), "sqlite:"+filepath.Join(b.dir, "bad.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var ids []string
	if err := (&house{store: s}).eachListing(b.Context(), func(id string, _, _ int) { ids = append(ids, id) }); err != nil {
		b.Fatal(err)
	}
	entries, err := s.Entries(b.Context(), ids, "")
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Listing)
	}
	return out
}

func record(id, title, body string) string {
	return fmt.Sprintf(`{"id":"%s","kind":"problem","title":"%s","text":"%s"}`+"\n", id, title, body)
}

const csvHeader = "id,kind,title,text,trl\n"

func csvRow(cells ...string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(cells)
	w.Flush()
	return b.String()
}

// badInputs is every row of the shared catalogue in the groups Encoding, Unicode, JSON and CSV, by its id.
var badInputs = map[string]func(*badBench){
	"B001": func(b *badBench) {
		b.refused(400, "{\"text\":\"\xff\xfe\"}")
		b.rejects("x.jsonl", record("a", "T\xff\xfe", okText), "not valid UTF-8")
	},
	"B002": func(b *badBench) {
		var body bytes.Buffer
		for _, u := range utf16.Encode([]rune(`{"text":"` + okText + `"}`)) {
			body.Write([]byte{byte(u), byte(u >> 8)})
		}
		b.refused(400, body.String(), "\xff\xfe"+body.String())
		if said, code := b.ingest("x.jsonl", "\xff\xfe"+body.String()); code != exitFailed || !strings.Contains(said, "UTF-16") {
			b.Errorf("exit %d, %s", code, said)
		}
	},
	"B003": func(b *badBench) {
		b.refused(400, "\ufeff"+`{"text":"`+okText+`"}`)
		b.takes("x.jsonl", "\ufeff"+record("a", "T", okText))
	},
	"B004": func(b *badBench) {
		if l := b.takes("x.csv", "\ufeff"+csvHeader+csvRow("a", "problem", "T", okText, "")); l.ID != "a" {
			b.Errorf("%+v", l)
		}
	},
	"B005": func(b *badBench) {
		for want, s := range map[string]string{
			"Windows-1258": "N\xfd\xf5\xec\x63 th\x61\xd2i d\xea\xf2t nhu\xf4\xf2m, c\xe2\xccn x\xfd\xd2 l\x79\xec \xf5\xd2 \xd0\xf4\xccng Nai",
			"TCVN3":        "N\xad\xedc th\xb6i d\xd6t nhu\xe9m, c\xc7n x\xf6 l\xfd \xeb \xa7\xe5ng Nai",
			"VNI":          "N\xf6\xf4\xf9c tha\xfbi de\xe4t nhuo\xe4m, ca\xe0n x\xf6\xfb l\xfd \xf4\xfb \xd1o\xe0ng Nai",
		} {
			if said, code := b.ingest("x.csv", csvHeader+csvRow("a", "problem", s, s, "")); code != exitFailed || !strings.Contains(said, want) {
				b.Errorf("%s: exit %d, %s", want, code, said)
			}
		}
	},
	"B006": func(b *badBench) {
		said, code := b.ingest("x.jsonl", record("a", "Viá»‡t Nam", "Xá»\u00ad lÃ½ nÆ°á»›c tháº£i"))
		if code != exitOK || !strings.Contains(said, "warning: x.jsonl:1: a: title: looks like UTF-8 that was read as Windows-1252") {
			b.Errorf("exit %d, %s", code, said)
		}
	},
	"B007": func(b *badBench) {
		b.refused(400, `{"text":"a\u0000b tôm"}`)
		b.rejects("x.jsonl", record("a", `A\u0000`, okText), "U+0000")
	},
	"B008": func(b *badBench) {
		b.refused(400, `{"text":"\ud800"}`, `{"text":"\udc00\ud800"}`)
		b.rejects("x.jsonl", record("a", `\ud800`, okText), "surrogate")
	},
	"B009": func(b *badBench) {
		b.refused(400, "{\"text\":\"\xc0\x80\"}")
		b.rejects("x.jsonl", record("a", "\xc0\x80", okText), "not valid UTF-8")
	},
	"B010": func(b *badBench) {
		b.accepted(`{"text":"` + okText + "\ufffe" + `"}`)
		b.takes("x.jsonl", record("a", "T\ufffe", okText))
	},
	"B011": func(b *badBench) {
		if l := b.takes("x.jsonl", record("a", "A\u0081B", okText+"\u009f")); l.Title != "AB" || l.Text != okText {
			b.Errorf("%+q", l.Title)
		}
	},
	"B012": func(b *badBench) {
		if l := b.takes("x.jsonl", record("a", `\u001b[31mred\u001b[0m`, okText)); l.Title != "red" {
			b.Errorf("%+q", l.Title)
		}
		said, _ := b.ingest("x.jsonl", record(`\u001b[31m`, "T", okText))
		b.clean(said)
	},
	"B013": func(b *badBench) {
		nfc, nfd := record("Việt", "Việt", okText), record("Vie\u0302\u0323t", "Vie\u0302\u0323t", okText)
		if said, code := b.ingest("x.jsonl", nfc+nfd); code != exitOK || !strings.Contains(said, "1 added, 0 changed; 1 unchanged") {
			b.Errorf("exit %d, %s", code, said)
		}
	},
	"B014": func(b *badBench) {
		if got := text.Fold("Đường đắt"); got != "duong dat" {
			b.Errorf("%q", got)
		}
	},
	"B015": func(b *badBench) {
		if a, c := text.TermList("hoà thuỷ"), text.TermList("hòa thủy"); !slices.Equal(a, c) {
			b.Errorf("%q and %q", a, c)
		}
		if a, c := text.TermList("hoà"), text.TermList("hòa"); !slices.Equal(a, c) {
			b.Errorf("%q and %q", a, c)
		}
	},
	"B016": func(b *badBench) {
		b.accepted(`{"text":"İİİ İstanbul'da karides İ"}`)
		b.takes("x.jsonl", record("a", "İ", "İstanbul İ tôm"))
	},
	"B017": func(b *badBench) { b.accepted(`{"text":"STRAẞE straße ß"}`) },
	"B018": func(b *badBench) {
		family := strings.Repeat("👨‍👩‍👧‍👦", 400)
		b.accepted(`{"text":"tôm ` + family + `"}`)
		b.takes("x.jsonl", record("a", "T", "tôm "+family))
		write(b.T, b.dir, "q.jsonl", record("b", "Tôm "+strings.Repeat("👨‍👩‍👧‍👦", 60), "tôm "+family))
		if _, errs, code := ketnoi(b.T, b.dir, "--store", "sqlite:bad.db", "ingest", "q.jsonl"); code != 0 {
			b.Error(errs)
		}
		out, errs, code := ketnoi(b.T, b.dir, "--store", "sqlite:bad.db", "recommend", "--for", "a", "--want", "problem")
		if code != 0 || !strings.Contains(out, "b · problem") || strings.ToValidUTF8(out, "?") != out {
			b.Errorf("exit %d, %s%s", code, out, errs)
		}
	},
	"B019": func(b *badBench) {
		b.refused(400, "{\"for\":\"P\u200b501\"}", "{\"for\":\"P\u200c501\"}")
		b.rejects("x.jsonl", record("a\u200bb", "T", okText), "invisible character")
	},
	"B020": func(b *badBench) {
		if l := b.takes("x.jsonl", record("a", "báo cáo\u202efdp.exe", okText)); strings.ContainsRune(l.Title, 0x202E) {
			b.Errorf("%+q", l.Title)
		}
		said, _ := b.ingest("x\u202efdp.jsonl", record("a", "T", ""))
		_ = said // the name is the operator's own; a page will isolate it
	},
	"B021": func(b *badBench) {
		if l := b.takes("x.jsonl", record("a", "د. علي Nguyễn אבי", okText)); l.Title != "د. علي Nguyễn אבי" {
			b.Errorf("%q", l.Title)
		}
	},
	"B022": func(b *badBench) {
		if said, code := b.ingest("x.jsonl", record("a", "l\u0430b@example.org", okText)); code != exitOK || !strings.Contains(said, "mixes Latin and Cyrillic") {
			b.Errorf("exit %d, %s", code, said)
		}
	},
	"B023": func(b *badBench) {
		b.refused(400, `{"text":"tôm","limit":１２}`, `{"text":"tôm","limit":"１２"}`)
		b.rejects("x.csv", csvHeader+csvRow("a", "technology", "T", okText, "７"), `trl: "７" is no whole number`)
	},
	"B024": func(b *badBench) {
		if l := b.takes("x.jsonl", record("a", "a"+strings.Repeat("\u0301", 10_000), okText)); len(l.Title) > 20 {
			b.Errorf("%d bytes", len(l.Title))
		}
	},
	"B025": func(b *badBench) {
		zalgo := strings.Repeat("t"+strings.Repeat("\u0335\u0316", 40), 400) // 64 kB; half of it is whole characters too
		b.accepted(`{"text":"tôm ` + zalgo[:len(zalgo)/2] + `"}`)
		if l := b.takes("x.jsonl", record("a", "T", "tôm "+zalgo)); len(l.Text) > len(zalgo)/5 {
			b.Errorf("%d of %d bytes are left", len(l.Text), len(zalgo))
		}
	},
	"B026": func(b *badBench) {
		b.refused(422, `{"text":"😀🎉🦐"}`)
		b.rejects("x.jsonl", record("a", "T", "😀🎉🦐"), "too little text")
	},
	"B027": func(b *badBench) {
		b.refused(400, "{\"text\":\"\u00a0\u00a0\"}")
		b.rejects("x.jsonl", record("a", "\u00a0", okText), "title: missing")
	},
	"B028": func(b *badBench) {
		b.accepted(`{"text":"Nuôi tôm shrimp farming 새우 양식 エビの養殖 对虾养殖"}`)
	},
	"B029": func(b *badBench) {
		thai := strings.Repeat("การเลี้ยงกุ้ง", 1500)
		b.accepted(`{"text":"` + thai[:45_000] + `"}`)
		b.takes("x.jsonl", record("a", "T", thai))
	},
	"B030": func(b *badBench) {
		hidden := "tôm\U000e0069\U000e0067\U000e006e\ufe0f\U000e0100"
		if l := b.takes("x.jsonl", record("a", hidden, okText)); l.Title != "tôm" {
			b.Errorf("%+q", l.Title)
		}
	},

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

// notMetYet are the rows that no command and no endpoint can meet so far, and why.
var notMetYet = map[string]string{
	"B128": "nothing is exported to CSV yet",
	"B129": "nothing is exported to CSV yet",
}

// clean fails when what was said could steer a terminal.
func (b *badBench) clean(said string) {
	b.Helper()
	if strings.ContainsAny(said, "\x1b\x07\u009b") {
		b.Errorf("control characters are printed: %q", said)
	}
}

func TestBadInputs(t *testing.T) {
	dir := demoStoreIn(t)
	c := &config{store: "sqlite:" + filepath.Join(dir, "ketnoi-demo.db")}
	h, err := c.ready(t.Context(), io.Discard, byIndex)
	if err != nil {
		t.Fatal(err)
	}
	defer h.store.Close()
	server := httptest.NewServer(api.New(api.Options{Recommender: h.rec, Size: h.size}))
	defer server.Close()
	for _, id := range slices.Sorted(mapKeys(badInputs)) {
		t.Run(id, func(t *testing.T) { badInputs[id](&badBench{T: t, dir: t.TempDir(), server: server}) })
	}
	before := time.Now()
	b := &badBench{T: t, dir: dir, server: server}
	b.accepted(`{"text":"` + okText + `"}`)
	if time.Since(before) > 5*time.Second {
		t.Error("the server is slow after all this")
	}
}

func mapKeys[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// TestBadInputsAreAllThere compares the table with the shared catalogue.
func TestBadInputsAreAllThere(t *testing.T) {
	data, err := os.ReadFile(shared.Path(t, "data/bad-inputs.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, line := range strings.Split(string(data), "\n")[1:] {
		f := strings.Split(line, "\t")
		if len(f) < 4 {
			continue
		}
		group, _, _ := strings.Cut(f[1], " ")
		if !slices.Contains([]string{"Encoding", "Unicode", "JSON", "CSV/files"}, group) {
			continue
		}
		rows++
		_, tested := badInputs[f[0]]
		_, excused := notMetYet[f[0]]
		if tested == excused {
			t.Errorf("%s (%s): tested %v, excused %v", f[0], f[2], tested, excused)
		}
	}
	if rows != len(badInputs)+len(notMetYet) {
		t.Errorf("%d rows in the catalogue, %d here", rows, len(badInputs)+len(notMetYet))
	}
}
