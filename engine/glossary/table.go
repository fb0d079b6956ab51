package glossary

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed concepts/*.tsv tables/*.tsv
var files embed.FS

// row is one line of a table, its cells by column.
type row struct {
	file  string
	line  int
	cells []string
}

func (r row) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", r.file, r.line, fmt.Sprintf(format, args...))
}

// list splits a cell at its semicolons; an empty cell is no list.
func list(cell string) []string {
	if cell == "" {
		return nil
	}
	out := strings.Split(cell, ";")
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// readTable reads a tab-separated file whose header must be the given columns; a list in a cell has no empty entry. Lines that begin with # and empty
// lines are passed over.
func readTable(fsys fs.FS, name string, columns ...string) ([]row, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	var rows []row
	header := false
	for i, line := range strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n") {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		r := row{file: name, line: i + 1, cells: strings.Split(line, "\t")}
		if len(r.cells) != len(columns) {
			return nil, r.errorf("%d columns instead of %d (%s)", len(r.cells), len(columns), strings.Join(columns, ", "))
		}
		for j := range r.cells {
			r.cells[j] = strings.TrimSpace(r.cells[j])
			if entries := list(r.cells[j]); slices.Contains(entries, "") {
				return nil, r.errorf("%s: an entry between semicolons is empty", columns[j])
			}
		}
		if !header {
			if got, want := strings.Join(r.cells, "\t"), strings.Join(columns, "\t"); got != want {
				return nil, r.errorf("header is %q instead of %q", got, want)
			}
			header = true
			continue
		}
		rows = append(rows, r)
	}
	if !header {
		return nil, fmt.Errorf("%s: no header", name)
	}
	return rows, nil
}

// must is for tables that are embedded in the binary and checked by the package's tests: a broken one is a
// programming error.
func must[T any](v T, err error) T {
	if err != nil {
		panic("glossary: " + err.Error())
	}
	return v
}
