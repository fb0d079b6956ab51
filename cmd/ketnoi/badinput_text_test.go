package main

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/ketnoi/ketnoi/engine/text"
)

// badTexts are the rows on encodings and on Unicode.
var badTexts = map[string]func(*badBench){
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
			"VNI":          "N\xf6\xf4\xf9c tha\xfbi de\xe4t nhuo\xe4m, ca\xe0n x\xf6\xfb ly\xf9 \xf4\xfb \xd1o\xe0ng Nai",
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
		b.rejects("x.jsonl", withExtra(`{"a":"x\u0000y"}`), "extra.a: contains the character U+0000")
		b.rejects("x.jsonl", withExtra(`{"a":[{"k\u0000":1}]}`), "extra.a[0]")
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
		b.extra(b.takes("x.jsonl", withExtra(`{"a":["\u001b[31mred"],"b\u001b]0;t\u0007":{"c":"\u009b1m"}}`)), `{"a":["red"],"b]0;t":{"c":"1m"}}`)
		for name, content := range map[string]string{ // what is refused is named without them
			"x.jsonl":          record(`\u001b[31m`, "T", okText) + strings.Replace(record("a", "T", okText), `"text"`, `"t\u001b[31mxt"`, 1),
			"x.csv":            "id,kind,title,text,a\x1b[31m\na,problem,T," + okText + ",x\n",
			"y.csv":            "id,kind,title,a\x1b[31m,a\x1b[31m\n",
			"x\x1b[31m.jsonl":  "{}\n",
			"x\x1b[31m.pdf":    "%PDF",
			"x\x1b[31mz.jsonl": "",
		} {
			if said, code := b.ingest(name, content); code == exitOK || len(said) < 20 {
				b.Errorf("%q: exit %d, %s", name, code, said)
			}
		}
		_, errs, _ := ketnoi(b.T, b.dir, "ingest", "no\x1b[31m.jsonl", "--map", "\x1b[31m=\u202ex")
		b.clean(errs)
		_, errs, _ = ketnoi(b.T, b.dir, "--store", "\x1b[31m", "recommend", "--text", "tôm")
		b.clean(errs)
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
		b.extra(b.takes("x.jsonl", withExtra(`{"f\u202ename":"cod.\u202efdp.exe"}`)), `{"fname":"cod.fdp.exe"}`)
		for _, name := range []string{"x\u202efdp.jsonl", "x\u2066fdp.pdf"} { // a page will isolate the name, a terminal cannot
			if said, code := b.ingest(name, record("a", "T", "")); code == exitOK || !strings.Contains(said, "x fdp.") {
				b.Errorf("exit %d, %s", code, said)
			}
		}
		b.rejects("x.jsonl", strings.Replace(record("a", "T", okText), `"text"`, "\"t\u202ext\"", 1), "t xt: unknown key")
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
}
