package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const aPerson = `{"id":"E1","kind":"expert","title":"TS. Hồ Thị Vĩnh Khuê","person":"Hồ Thị Vĩnh Khuê","organisation":"Viện X","text":"Nghiên cứu bệnh đốm trắng trên tôm.","basis":{"kind":"consent","at":"2026-01-01"},"extra":{"email":"vk.ho@example.vn"}}
{"id":"T1","kind":"technology","title":"Kit","text":"Bộ kít phát hiện bệnh đốm trắng trên tôm."}
`

// TestErase: a person is exported and erased, an old source does not bring them back under any id, a restored backup neither,
// and a consent given later does.
func TestErase(t *testing.T) {
	dir := t.TempDir()
	run := func(want int, args ...string) string {
		t.Helper()
		out, errs, code := ketnoi(t, dir, args...)
		if code != want {
			t.Fatalf("%v: exit %d\n%s%s", args, code, out, errs)
		}
		return out + errs
	}
	write(t, dir, "p.jsonl", aPerson)
	run(exitOK, "ingest", "p.jsonl")
	backup, err := os.ReadFile(filepath.Join(dir, "ketnoi.db"))
	if err != nil {
		t.Fatal(err)
	}
	if out := run(exitOK, "export", "--person", "ho thi vinh khue", "--vectors"); !strings.Contains(out, `"email": "vk.ho@example.vn"`) || !strings.Contains(out, "Nghiên cứu bệnh đốm trắng") || !strings.Contains(out, `"vectors": [`) {
		t.Errorf("exported:\n%s", out)
	}
	run(exitOK, "export", "--id", "E1", "--out", "e1.json")
	if info, err := os.Stat(filepath.Join(dir, "e1.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("an export that others may read: %v, %v", info, err)
	}
	if out := run(exitFailed, "erase", "--id", "E1"); !strings.Contains(out, "--yes") {
		t.Errorf("nobody was asked:\n%s", out)
	}
	run(exitOK, "erase", "--person", "Ho Thi Vinh Khue", "--yes")
	if out := run(exitRejected, "export", "--id", "E1"); !strings.Contains(out, "holds nothing about E1") {
		t.Errorf("exported:\n%s", out)
	}
	for _, name := range []string{"ketnoi.db", "ketnoi.db.erasures"} {
		body, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || strings.Contains(string(body), "Khuê") || strings.Contains(string(body), "vk.ho") {
			t.Errorf("%s still names the person, %v", name, err)
		}
	}
	for name, change := range map[string][2]string{"the same": {}, "another id": {`"E1"`, `"X-77"`}, "another id and name, the same address": {`"E1","kind":"expert","title":"TS. Hồ Thị Vĩnh Khuê","person":"Hồ Thị Vĩnh Khuê"`, `"X-78","kind":"expert","title":"TS. Khuê"`}} {
		write(t, dir, "again.jsonl", strings.Replace(aPerson, change[0], change[1], 1))
		if out := run(exitRejected, "ingest", "again.jsonl"); !strings.Contains(out, "was erased on") || !strings.Contains(out, "1 rejected") {
			t.Errorf("%s comes back:\n%s", name, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "ketnoi.db"), backup, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := run(exitRejected, "export", "--id", "E1"); !strings.Contains(out, "erased again") {
		t.Errorf("a backup brings the person back:\n%s", out)
	}
	if out := run(exitOK, "recommend", "--text", "bệnh đốm trắng trên tôm", "--json"); strings.Contains(out, "E1") || !strings.Contains(out, "T1") {
		t.Errorf("recommended:\n%s", out)
	}
	write(t, dir, "later.jsonl", strings.Replace(aPerson, "2026-01-01", "2199-01-01", 1))
	if out := run(exitOK, "ingest", "later.jsonl"); !strings.Contains(out, "1 added") {
		t.Errorf("a later consent:\n%s", out)
	}
	if err := os.WriteFile(filepath.Join(dir, "ketnoi.db.erasures"), []byte("no ledger\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := run(exitFailed, "recommend", "--text", "bệnh đốm trắng"); !strings.Contains(out, "ketnoi.db.erasures:1: not a ledger") {
		t.Errorf("a damaged ledger:\n%s", out)
	}
}

// TestBasis: a person without a basis is stored, told of, and not recommended; what names a firm is no person.
func TestBasis(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "p.jsonl", `{"id":"a","kind":"expert","title":"Lê An","text":"Xử lý nước thải nuôi tôm."}
{"id":"b","kind":"expert","title":"Viện B","organisation":"Viện B","text":"Xử lý nước thải nuôi tôm."}
{"id":"c","kind":"expert","title":"Lê C","organisation":"Viện C","person":"Lê C","text":"Xử lý nước thải nuôi tôm.","basis":{"kind":"contract"}}
`)
	write(t, dir, "firms.jsonl", `{"id":"d","firm":"Sao Biển","text":"Xử lý nước thải nuôi tôm."}`+"\n")
	recommended := func() string {
		t.Helper()
		out, errs, _ := ketnoi(t, dir, "recommend", "--text", "xử lý nước thải nuôi tôm", "--want", "expert", "--json")
		ids := ""
		for _, id := range []string{"a", "b", "c", "d"} {
			if strings.Contains(out, `"id": "`+id+`"`) {
				ids += id
			}
		}
		if ids == "" {
			t.Log(out, errs)
		}
		return ids
	}
	if out, errs, code := ketnoi(t, dir, "ingest", "p.jsonl"); code != exitOK || !strings.Contains(out, "stated for 1 of the persons") || !strings.Contains(out, "--basis KIND") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if out, errs, code := ketnoi(t, dir, "ingest", "firms.jsonl", "--kind", "expert", "--map", "title=firm"); code != exitOK || strings.Contains(out, "persons") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if got := recommended(); got != "bcd" {
		t.Errorf("recommended %q, want bcd", got)
	}
	if out, errs, code := ketnoi(t, dir, "ingest", "p.jsonl", "--basis", "consent@2026-05-31"); code != exitOK || !strings.Contains(out, "1 changed; 2 unchanged") || strings.Contains(out, "persons") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if got := recommended(); got != "abcd" {
		t.Errorf("recommended %q, want all", got)
	}
	if _, errs, code := ketnoi(t, dir, "ingest", "p.jsonl", "--basis", "because"); code != exitFailed || !strings.Contains(errs, `--basis "because"`) {
		t.Errorf("exit %d %s", code, errs)
	}
}
