package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStandingAndBlock: a query stays open and hears of what comes in, once; a blocked pair is kept apart both ways, until it is
// allowed again; why-not says so.
func TestStandingAndBlock(t *testing.T) {
	slowRaced(t)
	l := newLab(t)
	run := func(code int, args ...string) string {
		t.Helper()
		out, errs, got := ketnoi(t, l.dir, append([]string{"--store", inDemo}, args...)...)
		if got != code {
			t.Fatalf("%v: exit %d, want %d\n%s%s", args, got, code, out, errs)
		}
		return out + errs
	}
	for _, tc := range []struct {
		code int
		args []string
		want string
	}{
		{exitOK, []string{"standing", "list"}, "no standing query is open"},
		{exitOK, []string{"standing", "open", "canker", "--for", "P101", "--want", "technology"}, "canker is open"},
		{exitFailed, []string{"standing", "open", "canker", "--for", "P101"}, "canker is open already"},
		{exitFailed, []string{"standing", "open", "two words", "--for", "P101"}, "is no name"},
		{exitFailed, []string{"standing", "open", "x", "--for", "P99999"}, "--for P99999: no such listing"},
		{exitFailed, []string{"standing", "open", "x", "--for", "P101", "--exclude", "luck=1"}, "--exclude \"luck=1\": want field=CODE"},
		{exitFailed, []string{"standing", "open", "x", "--for", "P101", "--exclude", "region=Atlantis"}, "--exclude: "},
		{exitRejected, []string{"standing", "check"}, "nothing new"},
		{exitOK, []string{"block"}, "no pair is blocked"},
		{exitOK, []string{"block", "P101", "T101", "--reason", "declined in 2025"}, "not recommended to each other any more"},
		{exitOK, []string{"block"}, "declined in 2025"},
		{exitFailed, []string{"block", "P101", "nobody"}, "no such listing: nobody"},
		{exitFailed, []string{"block", "P101", "P101"}, "never recommended to itself"},
		{exitFailed, []string{"block", "P101"}, "give two ids"},
		{exitOK, []string{"recommend", "--for", "P101", "--why-not", "T101", "--reader", "en"}, "the pair is not blocked: does not hold"},
		{exitOK, []string{"recommend", "--for", "T101", "--why-not", "P101", "--reader", "vi"}, "cặp không bị chặn: không đạt"},
		{exitFailed, []string{"recommend", "--for", "P101", "--why-not", "a/b"}, "--why-not: \"a/b\" contains"},
		{exitFailed, []string{"recommend", "--for", "P101", "--why-not", "nobody"}, "no such listing: nobody"},
		{exitOK, []string{"recommend", "--for", "P101", "--exclude", "region=KR", "--limit", "1"}, "not region KR: yes"},
		{exitOK, []string{"block", "T101", "P101", "--undo"}, "may be recommended to each other"},
		{exitOK, []string{"block"}, "no pair is blocked"},
		{exitFailed, []string{"block", "T101", "P101", "--undo"}, "are not blocked"},
		{exitFailed, []string{"recommend", "--for", "P101", "--prefer", "shared-language=no"}, "want shared-language=yes"},
		// Blocks outlast a merge, of either side.
		{exitOK, []string{"block", "P101", "T101"}, "any more"},
		{exitOK, []string{"duplicates", "merge", "T101", "T102", "--keep", "T102", "--by", "me"}, "T102"},
		{exitOK, []string{"recommend", "--for", "P101", "--why-not", "T102", "--reader", "en"}, "the pair is not blocked: does not hold"},
		{exitOK, []string{"recommend", "--for", "T101", "--why-not", "P101", "--reader", "en"}, "the pair is not blocked: does not hold"},
	} {
		if out := run(tc.code, tc.args...); !strings.Contains(out, tc.want) {
			t.Errorf("%v: no %q in\n%s", tc.args, tc.want, out)
		}
	}
	come := `{"id":"COME1","kind":"technology","title":"Chế phẩm nấm đối kháng trị đốm trắng thanh long","text":"Chế phẩm Trichoderma phòng nấm Neoscytalidium dimidiatum gây đốm cành thanh long mùa mưa, giảm một nửa số lần phun.","lang":"vi"}` + "\n"
	if err := os.WriteFile(filepath.Join(l.dir, "come.jsonl"), []byte(come), 0o600); err != nil {
		t.Fatal(err)
	}
	run(exitOK, "ingest", "come.jsonl")
	if out := run(exitOK, "standing", "check"); !strings.Contains(out, "canker") || !strings.Contains(out, "COME1") || strings.Contains(out, "T101") {
		t.Error(out)
	}
	run(exitRejected, "standing", "check")
	if out := run(exitOK, "standing", "list"); !strings.Contains(out, "COME1") || !strings.Contains(out, "P101") {
		t.Error(out)
	}
	// Erasing one that it has seen forgets that one, not the query.
	run(exitOK, "erase", "--id", "COME1", "--yes")
	if out := run(exitOK, "standing", "list"); strings.Contains(out, "COME1") || !strings.Contains(out, "canker") {
		t.Error(out)
	}
	if out := run(exitOK, "standing", "close", "canker"); !strings.Contains(out, "is closed") {
		t.Error(out)
	}
	run(exitFailed, "standing", "close", "canker")
}
