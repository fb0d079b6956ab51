package ingest

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxRowLines is how many lines one row may go over: beyond it, a quote was left open.
const maxRowLines = 2_000

// csvSource reads a table with a header. Rows are cut out by the balance of their quotes first, so that one bad row
// does not swallow those behind it.
type csvSource struct {
	*input
	comma   rune
	columns []string
}

func openCSV(in *input) (Source, error) {
	s := &csvSource{input: in}
	first, err := in.next()
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	s.comma = delimiter(first)
	if comma, ok := stated(first); ok {
		s.comma = comma
		if first, err = in.next(); err != nil {
			return nil, fmt.Errorf("header: %w", err)
		}
	}
	cells, err := s.parse(first)
	if err != nil {
		return nil, fmt.Errorf("line %d: header: %w", s.line, err)
	}
	s.columns, err = header(cells)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", s.line, err)
	}
	return s, nil
}

// stated returns the delimiter that a first line such as "sep=;" states, which is how Excel is told.
func stated(line []byte) (comma rune, ok bool) {
	s := strings.ToLower(strings.TrimRight(string(line), "\r\n"))
	if s, ok = strings.CutPrefix(s, "sep="); !ok || utf8.RuneCountInString(s) != 1 {
		return 0, false
	}
	comma, _ = utf8.DecodeRuneInString(s)
	return comma, comma != '"' && comma != utf8.RuneError
}

// header checks and returns the column names; trailing empty ones are dropped.
func header(cells []string) ([]string, error) {
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	if len(cells) == 0 {
		return nil, errors.New("the header is empty")
	}
	var out []string
	for i, c := range cells {
		switch c = strings.TrimSpace(c); {
		case c == "":
			return nil, fmt.Errorf("column %d has no name", i+1)
		case slices.Contains(out, c):
			return nil, fmt.Errorf("the column %q stands twice", brief(c, maxField))
		}
		out = append(out, c)
	}
	return out, nil
}

// delimiter returns which of , ; tab | parts the columns of the header, outside of quotes.
func delimiter(line []byte) rune {
	counts, quoted := map[rune]int{}, false
	for _, r := range string(line) {
		if r == '"' {
			quoted = !quoted
		} else if !quoted {
			counts[r]++
		}
	}
	best := ','
	for _, r := range []rune{';', '\t', '|'} {
		if counts[r] > counts[best] {
			best = r
		}
	}
	return best
}

// parse reads one row by the rules.
func (s *csvSource) parse(row []byte) ([]string, error) {
	r := csv.NewReader(bytes.NewReader(row))
	r.Comma, r.FieldsPerRecord = s.comma, -1
	cells, err := r.Read()
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	if _, err := r.Read(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one row")
	}
	return cells, nil
}

// Columns are the names in the header.
func (s *csvSource) Columns() []string { return s.columns }

func (s *csvSource) Next() (Record, error) {
	for {
		lines, start, err := s.row()
		if err != nil {
			return Record{}, err
		}
		if len(bytes.TrimSpace(bytes.Join(lines, nil))) == 0 {
			continue
		}
		cells, err := s.cells(lines)
		if err != nil {
			return Record{}, &RecordError{Line: start, Reason: err.Error()}
		}
		return tableRecord(start, s.columns, cells)
	}
}

// row returns the lines of the next row: as many as it takes to balance its quotes.
func (s *csvSource) row() (lines [][]byte, start int, err error) {
	quotes, size := 0, 0
	for {
		line, err := s.next()
		switch {
		case errors.Is(err, errLong):
			return nil, 0, &RecordError{Line: s.line, Reason: err.Error()}
		case errors.Is(err, io.EOF) && len(lines) > 0:
			return lines, start, nil
		case err != nil:
			return nil, 0, err
		}
		if lines = append(lines, line); start == 0 {
			start = s.line
		}
		quotes += bytes.Count(line, []byte{'"'})
		size += len(line)
		if quotes%2 == 0 || len(lines) == maxRowLines || size > maxLine {
			return lines, start, nil
		}
	}
}

// cells parses the lines of a row. Where that fails, a lone quote stands somewhere: the first line is tried by itself,
// quotes taken as they come, and the others go back.
func (s *csvSource) cells(lines [][]byte) ([]string, error) {
	cells, err := s.parse(bytes.TrimRight(bytes.Join(lines, nil), "\r\n"))
	if err == nil && s.fits(cells) {
		return cells, nil
	}
	if len(lines) > 1 {
		s.back(lines[1:])
	}
	cells, open, lazyErr := s.lazily(bytes.TrimRight(lines[0], "\r\n"))
	switch {
	case open:
		return nil, errors.New(`a quote is opened and not closed; double the quotes inside a cell ("")`)
	case lazyErr == nil && s.fits(cells):
		return cells, nil
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("%d columns instead of %d", len(cells), len(s.columns))
}

// lazily parses one line, quotes within cells taken as they come. open tells that a cell was opened by a quote and goes on
// beyond the line: it swallows another line put behind it.
func (s *csvSource) lazily(line []byte) (cells []string, open bool, err error) {
	r := csv.NewReader(io.MultiReader(bytes.NewReader(line), strings.NewReader("\nend")))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = s.comma, true, -1
	if cells, err = r.Read(); err != nil {
		return nil, false, err
	}
	next, _ := r.Read()
	return cells, len(next) != 1, nil
}

// fits reports whether the row has the header's columns; empty cells beyond them do not count.
func (s *csvSource) fits(cells []string) bool {
	if len(cells) < len(s.columns) {
		return false
	}
	for _, c := range cells[len(s.columns):] {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// tableRecord makes a record of a table's row; empty cells are left out.
func tableRecord(line int, columns, cells []string) (Record, error) {
	r := Record{Line: line, Cells: true, Values: map[string]jsontext.Value{}}
	for i, name := range columns {
		if i >= len(cells) || strings.TrimSpace(cells[i]) == "" {
			continue
		}
		if !utf8.ValidString(cells[i]) {
			return r, &RecordError{Line: line, Field: name, Reason: "not valid UTF-8: " + advice(guess([]byte(cells[i])))}
		}
		v, err := jsontext.AppendQuote(nil, cells[i])
		if err != nil {
			return r, &RecordError{Line: line, Field: name, Reason: err.Error()}
		}
		r.Values[name] = v
		r.Size += len(v)
	}
	return r, nil
}
