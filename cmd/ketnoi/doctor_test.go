package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine/store/health"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
)

// doctor runs it with --json and returns what it found.
func doctor(t *testing.T, dir string, want int, args ...string) diagnosis {
	t.Helper()
	out, errs, code := ketnoi(t, dir, append([]string{"doctor", "--json"}, args...)...)
	if code != want {
		t.Errorf("doctor %s: exit %d, want %d\n%s%s", strings.Join(args, " "), code, want, out, errs)
	}
	var d diagnosis
	if err := json.Unmarshal([]byte(out), &d, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err, out, errs)
	}
	if d.Faults != d.Findings.Count(health.Fault) || d.Warnings != d.Findings.Count(health.Warning) || (want == exitRejected) != (d.State == health.Fault) {
		t.Errorf("%+v", d)
	}
	for _, f := range d.Findings {
		if f.Check == "" || f.Detail == "" || f.State != health.Fine && f.Do == "" {
			t.Errorf("a finding says too little: %+v", f)
		}
	}
	return d
}

func (d *diagnosis) says(check string, state health.State, detail string) bool {
	for _, f := range d.Findings {
		if f.Check == check && f.State == state && strings.Contains(f.Detail, detail) {
			return true
		}
	}
	return false
}

func TestDoctorOfFile(t *testing.T) {
	dir := demoStoreIn(t)
	out, errs, code := ketnoi(t, dir, "doctor", "--store", inDemo)
	for _, want := range []string{"fine     file", "quick_check finds nothing wrong", "595 listings, all with vectors", "no fault, no warning"} {
		if code != 0 || errs != "" || !strings.Contains(out, want) {
			t.Errorf("exit %d, want %q\n%s%s", code, want, out, errs)
		}
	}
	if d := doctor(t, dir, exitOK, "--store", inDemo, "--verify"); !d.says("verify", health.Fine, "no graph") {
		t.Errorf("%+v", d)
	}
	// A damaged page, and a file that is something else.
	whole, err := os.ReadFile(filepath.Join(dir, "ketnoi-demo.db"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "damaged.db", string(whole[:len(whole)/2])+strings.Repeat("\xa5", 8192)+string(whole[len(whole)/2+8192:]))
	doctor(t, dir, exitRejected, "--store", "sqlite:damaged.db")
	write(t, dir, "text.db", strings.Repeat("no database\n", 1000))
	if d := doctor(t, dir, exitRejected, "--store", "sqlite:text.db"); !d.says("file", health.Fault, "text.db cannot be read") {
		t.Errorf("%+v", d)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "ketnoi-demo.db")); err != nil || !bytes.Equal(whole, after) {
		t.Error("looking changed the file", err)
	}
	out, errs, code = ketnoi(t, dir, "migrate", "--store", inDemo)
	if code != 0 || !strings.Contains(out, "the schema is up to date") || !strings.Contains(out, "0 of 595 listings lacked vectors") {
		t.Errorf("migrate: exit %d\n%s%s", code, out, errs)
	}
}

func TestDoctorCannotLook(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		want string
		args []string
	}{
		{"absent.db: no such file", []string{"--store", "sqlite:absent.db"}},
		{"is no file", []string{"--store", "sqlite:."}},
		{"want sqlite:PATH", []string{"--store", "absent.db"}},
		{"no server answers there", []string{"--store", "postgres://me:secret@127.0.0.1:1/db"}},
		{"--sample 0: want at least 1", []string{"--verify", "--sample", "0"}},
		{"--sample 10: only with --verify", []string{"--sample", "10"}},
	} {
		out, errs, code := ketnoi(t, dir, append([]string{"doctor"}, tc.args...)...)
		if code != exitFailed || !strings.Contains(errs, tc.want) || out != "" || strings.Contains(errs, "secret") {
			t.Errorf("doctor %s: exit %d, want …%s…\n%s%s", strings.Join(tc.args, " "), code, tc.want, out, errs)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "absent.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("looking made a store")
	}
}

func TestDoctorOfDatabase(t *testing.T) {
	address := pgtest.Shared(t).Database(t)
	dir := demoStoreIn(t)
	if d := doctor(t, dir, exitOK, "--store", address); !d.says("schema", health.Warning, "the database is empty") {
		t.Errorf("an empty database: %+v", d)
	}
	write(t, dir, "x.jsonl", `{"id":"a","kind":"expert","title":"A","text":"Nuôi tôm"}`+"\n"+`{"id":"b","kind":"problem","title":"B","text":"Tôm bệnh"}`+"\n")
	if _, errs, code := ketnoi(t, dir, "--store", address, "ingest", "x.jsonl"); code != 0 {
		t.Fatal(errs)
	}
	out, errs, code := ketnoi(t, dir, "--store", address, "doctor", "--verify", "--sample", "5")
	for _, want := range []string{"fine     schema", "fine     words         2 passages", "fine     verify        there is no graph", "no fault"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, want %q\n%s%s", code, want, out, errs)
		}
	}
	db, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	exec := func(sql string) {
		t.Helper()
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`DELETE FROM words; DELETE FROM vectors_1`)
	if d := doctor(t, dir, exitRejected, "--store", address); !d.says("words", health.Fault, "2 have none") || !d.says("vectors", health.Warning, "2 listings lack vectors") {
		t.Errorf("words and vectors are gone: %+v", d)
	}
	exec(`UPDATE listings SET passages = '[]'`)
	if out, errs, code = ketnoi(t, dir, "--store", address, "migrate"); code != 0 || !strings.Contains(out, "2 of 2 listings lacked vectors") {
		t.Errorf("migrate: exit %d\n%s%s", code, out, errs)
	}
	doctor(t, dir, exitOK, "--store", address)
	exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
	if d := doctor(t, dir, exitRejected, "--store", address); !d.says("schema", health.Fault, "99999") {
		t.Errorf("a newer schema: %+v", d)
	}
}
