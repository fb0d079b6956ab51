// Package ingest brings listings from files into a store: it reads JSONL, CSV and XLSX, maps other people's columns,
// checks every record, embeds what is new or changed, and says for each record that it refuses where and why.
package ingest

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Record is one listing as a source writes it: its values by the source's own names.
type Record struct {
	Line    int // of the file, or the row of a sheet, from 1
	Values  map[string]jsontext.Value
	Cells   bool              // the values are cells of a table: all strings, lists written as one
	Numbers map[string]string // behind cells that show them otherwise, such as "7.00"
	Size    int               // bytes, about
}

// Source gives records one after the other.
type Source interface {
	// Next returns the next record, or io.EOF. A *RecordError refuses one record and leaves the source usable; any
	// other error ends it.
	Next() (Record, error)
	// Offset is how many bytes of the file were read, Size how many there are.
	Offset() int64
	Size() int64
	Close() error
}

// RecordError says why one record cannot be used.
type RecordError struct {
	Line   int
	Field  string // as the source or the listing names it; may be empty
	Reason string
}

func (e *RecordError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	}
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Field, e.Reason)
}

// Limits of a source. They bound memory whatever a file says.
const (
	maxLine   = 16 << 20 // bytes of one line of JSON, or one row of CSV
	sniffSize = 64 << 10
)

// Open opens a file by its name: .jsonl, .ndjson, .json, .csv, .tsv, .txt or .xlsx, or .ttl, .n3, .nt for VIVO's profiles;
// the text formats also gzipped (told by content, not by name). A format that is named goes before the file's name.
func Open(path string, format Format) (Source, error) {
	name := strings.ToLower(strings.TrimSuffix(strings.ToLower(filepath.Base(path)), ".gz"))
	if format.Name == "" {
		format.Name = formatOf(name)
	}
	if err := format.check(); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder; name the files in it", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	src, err := open(name, format, f, info.Size())
	if err != nil {
		f.Close()
		return nil, err
	}
	return src, nil
}

// open opens a file by its name in small letters, without ".gz".
func open(name string, format Format, f *os.File, size int64) (Source, error) {
	switch format.Name {
	case "jsonl", "csv", "xlsx":
		name = "." + format.Name
	}
	if profileReaders[format.Name] != nil {
		return openProfiles(format, f, size)
	}
	if strings.HasSuffix(name, ".xlsx") {
		return openXLSX(f, size)
	}
	in := &input{file: f, size: size}
	in.counted = &countingReader{r: f}
	in.buf = bufio.NewReaderSize(in.counted, sniffSize)
	if magic, _ := in.buf.Peek(2); bytes.Equal(magic, []byte{0x1F, 0x8B}) {
		z, err := gzip.NewReader(in.buf)
		if err != nil {
			return nil, unpacking(err)
		}
		in.buf = bufio.NewReaderSize(z, sniffSize)
	}
	head, err := in.buf.Peek(sniffSize)
	switch {
	case len(bytes.TrimSpace(head)) > 0: // what fails further on is told when it is reached
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty")
	case err != nil:
		return nil, unpacking(err)
	}
	lines := slices.Contains([]string{".jsonl", ".ndjson", ".json"}, filepath.Ext(name)) // each line is judged by itself
	if enc := Sniff(head); enc != "" && (!lines || strings.HasPrefix(enc, "UTF-16")) {
		return nil, fmt.Errorf("the file is not UTF-8: %s", advice(enc))
	}
	if bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")) {
		_, _ = in.buf.Discard(3)
	}
	switch ext := filepath.Ext(name); {
	case lines:
		return &jsonl{input: in}, nil
	case ext == ".csv" || ext == ".tsv" || ext == ".txt":
		return openCSV(in)
	}
	return nil, fmt.Errorf("cannot tell the format from the name: want .jsonl, .csv, .xlsx or .ttl (also .jsonl.gz, …), or --format")
}

// errCut is what an archive that ends in its middle gives.
var errCut = errors.New("the file ends too early (a cut gzip?)")

// unpacking says what a failure to read means, where the file is packed.
func unpacking(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errCut
	case errors.As(err, &corrupt), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return fmt.Errorf("the gzip file is damaged: %w", err)
	}
	return err
}

// input reads lines of a file, counting them and the bytes that were read from disk.
type input struct {
	file    *os.File
	size    int64
	counted *countingReader
	buf     *bufio.Reader
	line    int
	pending [][]byte // lines that were read and put back
}

func (in *input) Offset() int64 { return in.counted.n }
func (in *input) Size() int64   { return in.size }
func (in *input) Close() error  { return in.file.Close() }

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// errLong is returned by next for a line beyond maxLine; the rest of the line has been passed over.
var errLong = fmt.Errorf("the line is longer than %d MiB", maxLine>>20)

// next returns the next line with its end (LF, CR LF, or CR alone), which the last line may lack, or io.EOF.
func (in *input) next() ([]byte, error) {
	in.line++
	if n := len(in.pending); n > 0 {
		line := in.pending[0]
		in.pending = in.pending[1:]
		return line, nil
	}
	var line []byte
	long := false
	for {
		chunk, err := in.buf.Peek(max(1, in.buf.Buffered()))
		if len(chunk) == 0 {
			if err = unpacking(err); err == nil {
				err = io.EOF
			}
			switch {
			case long:
				return nil, errLong
			case len(line) > 0 && errors.Is(err, io.EOF):
				return line, nil
			}
			in.line--
			return nil, err
		}
		end := bytes.IndexAny(chunk, "\r\n")
		take := end + 1
		if end < 0 {
			take = len(chunk)
		}
		if long = long || len(line)+take > maxLine; !long {
			line = append(line, chunk[:take]...)
		}
		ended := end >= 0
		cr := ended && chunk[end] == '\r'
		_, _ = in.buf.Discard(take)
		if cr {
			if lf, _ := in.buf.Peek(1); len(lf) == 1 && lf[0] == '\n' {
				_, _ = in.buf.Discard(1)
				if !long {
					line = append(line, '\n')
				}
			}
		}
		if ended && long {
			return nil, errLong
		}
		if ended {
			return line, nil
		}
	}
}

// back puts lines back, so that next returns them again.
func (in *input) back(lines [][]byte) {
	in.pending = append(append([][]byte{}, lines...), in.pending...)
	in.line -= len(lines)
}
