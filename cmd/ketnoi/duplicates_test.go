package main

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/engine"
)

// Two sources, which know one expert each under an id of their own, and others who are no twins.
const (
	sourceA = `{"id":"A1","kind":"expert","title":"TS. Lê Văn An","person":"Lê Văn An","organisation":"Viện Lúa","lang":"vi","text":"Nghiên cứu bệnh đốm trắng trên tôm sú nuôi thâm canh","basis":{"kind":"consent","at":"2026-01-01"}}
{"id":"A2","kind":"expert","title":"Trần Bình","person":"Trần Bình","organisation":"Viện Lúa","lang":"vi","text":"Chọn giống lúa chịu mặn"}
{"id":"P1","kind":"problem","title":"Tôm bị đốm trắng","lang":"vi","text":"Ao tôm bị đốm trắng, cần cách phát hiện sớm"}
`
	sourceB = `{"id":"B1","kind":"expert","title":"An Le Van","person":"An Le Van","organisation":"Vien Lua","lang":"vi","text":"Chuyên gia bệnh tôm","regions":["VN-59"],"works":[{"title":"Rapid detection of white spot disease in shrimp ponds","year":2024}],"email":"an@vienlua.example"}
{"id":"B2","kind":"expert","title":"Kim Min-su","person":"Kim Min-su","lang":"en","text":"Ballast water of ships"}
`
)

func TestDuplicates(t *testing.T) {
	dir := t.TempDir()
	do := func(want string, args ...string) string {
		t.Helper()
		out, errs, code := ketnoi(t, dir, args...)
		if code != 0 || !strings.Contains(out, want) {
			t.Fatalf("%s: exit %d, want …%s…:\n%s%s", args, code, want, out, errs)
		}
		return out
	}
	refused := func(want string, args ...string) {
		t.Helper()
		if out, errs, code := ketnoi(t, dir, args...); code != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, want …%s…:\n%s%s", args, code, want, out, errs)
		}
	}
	const email = "id=id,kind=kind,title=title,text=text,lang=lang,person=person,organisation=organisation,regions=regions,works=works"
	sendB := func(want, content string) {
		t.Helper()
		write(t, dir, "b.jsonl", content)
		do(want, "ingest", "b.jsonl", "--map", email, "--basis", "contract")
	}
	pairs := func(state string) (out []pairView) {
		t.Helper()
		if err := json.Unmarshal([]byte(do("", "duplicates", "--json", "--state", state)), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	write(t, dir, "a.jsonl", sourceA)
	do("3 added", "ingest", "a.jsonl", "--basis", "contract")
	sendB("2 added", sourceB)
	do("no pair waits", "duplicates")
	do("5 of 5 listings compared with all: 1 pairs proposed", "duplicates", "scan")
	do("0 of 5 listings compared with all: 0 pairs proposed, 0 proposals no longer hold, 1 wait", "duplicates", "scan")
	do("0 pairs proposed, 0 proposals no longer hold, 1 wait", "duplicates", "scan", "--full")
	list := do("0.760", "duplicates")
	for _, want := range []string{"A1", "B1", "TS. Lê Văn An · Lê Văn An · Viện Lúa", "An Le Van · Vien Lua", "for        name Lê Văn An; organisation Viện Lúa"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %q:\n%s", want, list)
		}
	}
	do("no pair waits", "duplicates", "--kind", "problem")

	refused("no such listing: X1", "duplicates", "merge", "A1", "X1")
	refused("is of kind expert and P1 of kind problem", "duplicates", "merge", "A1", "P1")
	refused("X is neither of the two", "duplicates", "merge", "A1", "B1", "--keep", "X")
	refused("with itself", "duplicates", "merge", "A1", "A1")
	refused("want proposed, merged or apart", "duplicates", "--state", "x")
	refused("no such listing", "duplicates", "apart", "A1", "'; DROP TABLE listings; --")
	refused("no such listing", "duplicates", "apart", "A1", "")

	do("B1 now stands for 2 listings", "duplicates", "merge", "A1", "B1", "--keep", "B1", "--by", "Hoa\x1b[31m")
	do("0 added, 0 changed; 3 unchanged", "ingest", "a.jsonl", "--basis", "contract")
	sendB("0 added, 0 changed; 2 unchanged", sourceB)
	do("4 listings, 0 without vectors", "ingest", "status")
	if got := pairs(merged); len(got) != 1 || !strings.HasPrefix(got[0].By, "Hoa") {
		t.Errorf("merged: %+v", got)
	}
	if out := do("B1", "duplicates", "--state", "merged"); strings.Contains(out, "\x1b") {
		t.Error("an escape reaches the terminal")
	}
	do("0 pairs proposed", "duplicates", "scan", "--full")

	// Whoever asks for the other id is led to the kept one, which has what both sources say.
	var a engine.Answer
	if err := json.Unmarshal([]byte(do("", "recommend", "--for", "A1", "--want", "problem", "--json")), &a); err != nil {
		t.Fatal(err)
	}
	if a.Subject.ID != "B1" || a.Subject.Organisation != "Vien Lua" {
		t.Errorf("the answer for A1: %+v", a.Subject)
	}
	if err := json.Unmarshal([]byte(do("", "recommend", "--for", "P1", "--want", "expert", "--json", "--region", "VN-59")), &a); err != nil {
		t.Fatal(err)
	}
	if len(a.Items) != 1 || a.Items[0].Listing.ID != "B1" || a.Items[0].Listing.Basis == nil || string(a.Items[0].Listing.Extra["email"]) != `"an@vienlua.example"` {
		t.Errorf("the answer for P1: %+v", a.Items)
	}

	// One source changes its listing.
	write(t, dir, "a.jsonl", strings.Replace(sourceA, `"lang":"vi","text":"Nghiên`, `"lang":"vi","regions":["KR"],"text":"Nghiên`, 1))
	do("0 added, 1 changed; 2 unchanged", "ingest", "--dry-run", "a.jsonl", "--basis", "contract")
	do("0 added, 1 changed; 2 unchanged", "ingest", "a.jsonl", "--basis", "contract")
	do("0 added, 0 changed; 3 unchanged", "ingest", "a.jsonl", "--basis", "contract")
	do(`"VN-59",`, "recommend", "--for", "P1", "--want", "expert", "--json", "--region", "KR")

	do("A1 and B1 are two", "duplicates", "apart", "A1", "B1")
	do("5 listings, 0 without vectors", "ingest", "status")
	do("0 added, 0 changed; 3 unchanged", "ingest", "a.jsonl", "--basis", "contract")
	sendB("0 added, 0 changed; 2 unchanged", sourceB)
	do("0 pairs proposed", "duplicates", "scan", "--full")
	// Much more speaks for it than when it was decided.
	write(t, dir, "a.jsonl", strings.Replace(sourceA, `"lang":"vi","text":"Nghiên`, `"lang":"vi","extra":{"contact":"AN@vienlua.example"},"text":"Nghiên`, 1))
	do("1 changed", "ingest", "a.jsonl", "--basis", "contract")
	do("1 pairs proposed", "duplicates", "scan")
	if got := pairs(proposed); len(got) != 1 || got[0].Score < 0.96 {
		t.Errorf("proposed again: %+v", got)
	}
	// A proposal that no longer holds goes.
	write(t, dir, "a.jsonl", strings.Replace(sourceA, "Lê Văn An", "Phạm Thị Cúc", 2))
	do("1 changed", "ingest", "a.jsonl", "--basis", "contract")
	do("1 proposals no longer hold, 0 wait", "duplicates", "scan")
}
