package ingest

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// xlsx reads the first sheet of a workbook, whose first row is the header.
type xlsx struct {
	file    *os.File
	size    int64
	book    *excelize.File
	rows    *excelize.Rows // as Excel shows the cells
	raw     *excelize.Rows // as it keeps them
	columns []string
	row     int

	from1904 bool // dates count from 1904, as on old Macs
}

func openXLSX(f *os.File, size int64) (Source, error) {
	book, err := excelize.OpenReader(f, excelize.Options{UnzipSizeLimit: 1 << 30, UnzipXMLSizeLimit: 64 << 20})
	if err != nil {
		return nil, fmt.Errorf("not a workbook that can be read: %w", err)
	}
	s := &xlsx{file: f, size: size, book: book}
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		s.Close()
		return nil, errors.New("the workbook has no sheet")
	}
	if s.rows, err = book.Rows(sheets[0]); err != nil {
		s.Close()
		return nil, err
	}
	if s.raw, err = book.Rows(sheets[0]); err != nil {
		s.Close()
		return nil, err
	}
	if props, err := book.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		s.from1904 = *props.Date1904
	}
	cells, _, err := s.next()
	if errors.Is(err, io.EOF) {
		err = errors.New("the first sheet is empty")
	}
	if err == nil {
		s.columns, err = header(cells)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("sheet %q: row 1: %w", sheets[0], err)
	}
	return s, nil
}

// next returns the next row as Excel shows it and as it keeps it, or io.EOF.
func (s *xlsx) next() (shown, raw []string, err error) {
	if !s.rows.Next() || !s.raw.Next() {
		if err := errors.Join(s.rows.Error(), s.raw.Error()); err != nil {
			return nil, nil, err
		}
		return nil, nil, io.EOF
	}
	s.row++
	if shown, err = s.rows.Columns(); err != nil {
		return nil, nil, err
	}
	raw, err = s.raw.Columns(excelize.Options{RawCellValue: true})
	return shown, raw, err
}

// plain takes the format off a cell that holds a date, and returns the number behind one that holds another number.
// Formats cannot be asked for row by row, but a cell that shows the very date its number stands for is a date.
func (s *xlsx) plain(shown, raw string) (cell, number string) {
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil || shown == raw || !strings.ContainsAny(shown, "0123456789") {
		return shown, ""
	}
	if t, err := excelize.ExcelDateToTime(n, s.from1904); err == nil && showsDate(shown, t) {
		if t = t.Round(time.Second); t.Equal(t.Truncate(24 * time.Hour)) {
			return t.Format(time.DateOnly), ""
		}
		return t.Format(localTime), ""
	}
	if whole := math.Round(n); math.Abs(n-whole) < 1e-9 { // kept in binary: 6.9999999999999996
		n = whole
	}
	return shown, strconv.FormatFloat(n, 'f', -1, 64)
}

// showsDate reports whether a cell shows the year of t, and its day or month.
func showsDate(shown string, t time.Time) bool {
	year, more := false, strings.Contains(shown, t.Month().String()[:3])
	for group := range strings.FieldsFuncSeq(shown, func(r rune) bool { return r < '0' || r > '9' }) {
		switch n, _ := strconv.Atoi(group); {
		case !year && (n == t.Year() || len(group) == 2 && n == t.Year()%100 && t.Year() >= 1930): // else 7.00 is a day of 1900
			year = true
		case n == t.Day() || n == int(t.Month()):
			more = true
		}
	}
	return year && more
}

// Columns are the names in the first row.
func (s *xlsx) Columns() []string { return s.columns }

func (s *xlsx) Next() (Record, error) {
	for {
		cells, raw, err := s.next()
		if err != nil {
			return Record{}, err
		}
		if len(cells) > len(s.columns) && strings.TrimSpace(strings.Join(cells[len(s.columns):], "")) != "" {
			return Record{}, &RecordError{Line: s.row, Reason: fmt.Sprintf("%d columns instead of %d", len(cells), len(s.columns))}
		}
		numbers := map[string]string{}
		for i := range min(len(cells), len(raw), len(s.columns)) {
			var number string
			if cells[i], number = s.plain(cells[i], raw[i]); number != "" {
				numbers[s.columns[i]] = number
			}
		}
		r, err := tableRecord(s.row, s.columns, cells)
		r.Numbers = numbers
		if err != nil || len(r.Values) > 0 {
			return r, err
		}
	}
}

// Offset is not known within a workbook: half of it, so that a progress bar shows that work goes on.
func (s *xlsx) Offset() int64 { return s.size / 2 }
func (s *xlsx) Size() int64   { return s.size }

func (s *xlsx) Close() error {
	for _, r := range []*excelize.Rows{s.rows, s.raw} {
		if r != nil {
			r.Close()
		}
	}
	return errors.Join(s.book.Close(), s.file.Close())
}
