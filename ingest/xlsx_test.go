package ingest

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

func TestXLSX(t *testing.T) {
	f := excelize.NewFile()
	for i, row := range [][]any{
		{"id", "kind", "title", "text", "trl", "published_at", "Ghi chú"},
		{"007", "expert", "Nguyễn Văn A", "Chuyên gia nuôi tôm nước lợ", nil, "2026-01-02", "giữ số 0"},
		{84000000000, "expert", "B", "Số điện thoại làm mã", nil, nil, nil},
		{nil, nil, nil},
		{"t1", "technology", "Máy sấy", "Sấy thanh long bằng bơm nhiệt", 7, nil, nil},
	} {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	b := newBench(t)
	path := filepath.Join(b.dir, "x.xlsx")
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	columns, _ := ParseMapping("title=title")
	s, err := b.run(t, path, Mapping{Columns: columns})
	if err != nil || s.Added+s.Rejected != 3 || s.Added < 2 {
		t.Fatalf("%+v, %v, %v", s, err, b.issues)
	}
	if l := b.get(t, "007"); l == nil || string(l.Extra["Ghi chú"]) != `"giữ số 0"` {
		t.Errorf("007 is %+v", l)
	}
	if l := b.get(t, "t1"); l == nil || l.TRL != 7 {
		t.Errorf("t1 is %+v", l)
	}
	if _, err := b.run(t, b.file(t, "no.xlsx", "PK\x03\x04 not really"), Mapping{}); err == nil {
		t.Error("a broken workbook is read")
	}
}

// formatted is a cell's value with a number format, built in or of one's own.
type formatted struct {
	value  any
	number int
	custom string
}

// workbook writes one row below its header.
func workbook(t *testing.T, path string, from1904 bool, columns []string, row []any) {
	t.Helper()
	f := excelize.NewFile()
	if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &from1904}); err != nil {
		t.Fatal(err)
	}
	for i, name := range columns {
		head, _ := excelize.CoordinatesToCellName(i+1, 1)
		cell, _ := excelize.CoordinatesToCellName(i+1, 2)
		if err := f.SetCellValue("Sheet1", head, name); err != nil {
			t.Fatal(err)
		}
		v := row[i]
		if x, ok := v.(formatted); ok {
			style := &excelize.Style{NumFmt: x.number}
			if x.custom != "" {
				style = &excelize.Style{CustomNumFmt: &x.custom}
			}
			id, err := f.NewStyle(style)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.SetCellStyle("Sheet1", cell, cell, id); err != nil {
				t.Fatal(err)
			}
			v = x.value
		}
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
}

// TestXLSXFormats takes dates and numbers as they are kept, whatever the format shows; ids as they are shown.
func TestXLSXFormats(t *testing.T) {
	day := time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC)
	serial := day.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)).Hours() / 24
	columns := []string{"id", "kind", "title", "text", "trl", "capacity", "expires_at", "Ghi chú"}
	for _, tc := range []struct {
		name                       string
		from1904                   bool
		id, trl, capacity, expires any
		want                       string // id, trl, capacity, expires_at; or the issue
	}{
		{name: "a date, numbers with decimals", id: "a", trl: formatted{7, 2, ""}, capacity: formatted{1200, 4, ""}, expires: formatted{day, 14, ""}, want: "a 7 1200 2026-05-31"},
		{name: "day first", id: "a", trl: 7, capacity: 3, expires: formatted{serial, 0, "dd/mm/yyyy"}, want: "a 7 3 2026-05-31"},
		{name: "points", id: "a", trl: 7, capacity: 3, expires: formatted{serial, 0, "dd.mm.yy"}, want: "a 7 3 2026-05-31"},
		{name: "in words", id: "a", trl: 7, capacity: 3, expires: formatted{serial, 0, "d mmmm yyyy"}, want: "a 7 3 2026-05-31"},
		{name: "month and year", id: "a", trl: 7, capacity: 3, expires: formatted{serial, 17, ""}, want: "a 7 3 2026-05-31"},
		{name: "Korean", id: "a", trl: 7, capacity: 3, expires: formatted{serial, 0, `yyyy"년" m"월" d"일"`}, want: "a 7 3 2026-05-31"},
		{name: "ISO", id: "a", trl: 7, capacity: 3, expires: formatted{serial, 0, "yyyy-mm-dd"}, want: "a 7 3 2026-05-31"},
		{name: "with a time", id: "a", trl: 7, capacity: 3, expires: formatted{serial + 17.5/24, 22, ""}, want: "a 7 3 2026-05-31T17:30:00+07:00"},
		{name: "from 1904", from1904: true, id: "a", trl: 7, capacity: 3, expires: formatted{serial - 1462, 14, ""}, want: "a 7 3 2026-05-31"},
		{name: "an id with zeros", id: formatted{123, 0, "00000"}, trl: formatted{"7", 2, ""}, capacity: 3, expires: "2026-05-31", want: "00123 7 3 2026-05-31"},
		{name: "a unit", id: "a", trl: formatted{7, 0, `"TRL "0`}, capacity: 3, expires: "2026-05-31", want: "a 7 3 2026-05-31"},
		{name: "no whole number", id: "a", trl: formatted{6.5, 1, ""}, capacity: 3, expires: "2026-05-31", want: `"6.5" is no whole number`},
		{name: "a year is no date", id: "a", trl: 7, capacity: 3, expires: formatted{2026, 3, ""}, want: `"2,026" is no date`},
		{name: "a text is none", id: "a", trl: 7, capacity: 3, expires: "31/05/2026", want: `"31/05/2026" is no date`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			path := filepath.Join(b.dir, "x.xlsx")
			workbook(t, path, tc.from1904, columns, []any{tc.id, "technology", "Máy sấy", "Sấy thanh long bằng bơm nhiệt", tc.trl, tc.capacity, tc.expires, formatted{day, 14, ""}})
			mapping, _ := ParseMapping("id=id")
			s, err := b.run(t, path, Mapping{Columns: mapping})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(b.issues, "\n")
			if s.Added == 1 {
				id, _, _ := strings.Cut(tc.want, " ")
				l := b.get(t, id)
				if l == nil {
					t.Fatalf("no %s", id)
				}
				got = fmt.Sprintf("%s %d %d %s", l.ID, l.TRL, *l.Capacity, l.ExpiresAt)
				if note := string(l.Extra["Ghi chú"]); note != `"2026-05-31"` && !tc.from1904 {
					t.Errorf("a date that is kept as extra is %s", note)
				}
			}
			if got != tc.want && (s.Added == 1 || !strings.Contains(got, tc.want)) {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
