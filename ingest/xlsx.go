package ingest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/xuri/excelize/v2"
)

// xlsx reads the first sheet of a workbook, whose first row is the header.
type xlsx struct {
	file    *os.File
	size    int64
	book    *excelize.File
	rows    *excelize.Rows
	columns []string
	row     int
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
	cells, err := s.cells()
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

// cells returns the next row as Excel shows it, or io.EOF.
func (s *xlsx) cells() ([]string, error) {
	if !s.rows.Next() {
		if err := s.rows.Error(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	s.row++
	return s.rows.Columns()
}

func (s *xlsx) Next() (Record, error) {
	for {
		cells, err := s.cells()
		if err != nil {
			return Record{}, err
		}
		if len(cells) > len(s.columns) && strings.TrimSpace(strings.Join(cells[len(s.columns):], "")) != "" {
			return Record{}, &RecordError{Line: s.row, Reason: fmt.Sprintf("%d columns instead of %d", len(cells), len(s.columns))}
		}
		r, err := tableRecord(s.row, s.columns, cells)
		if err != nil || len(r.Values) > 0 {
			return r, err
		}
	}
}

// Offset is not known within a workbook: half of it, so that a progress bar shows that work goes on.
func (s *xlsx) Offset() int64 { return s.size / 2 }
func (s *xlsx) Size() int64   { return s.size }

func (s *xlsx) Close() error {
	if s.rows != nil {
		s.rows.Close()
	}
	return errors.Join(s.book.Close(), s.file.Close())
}
