package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/ingest/openalex"
	"github.com/ketnoi/ketnoi/ingest/orcid"
	"github.com/ketnoi/ketnoi/ingest/record"
	"github.com/ketnoi/ketnoi/ingest/vivo"
)

// Format is what a file holds where its name does not say it.
type Format struct {
	Name string   // one of Formats; "" tells by the file's name
	With []string // files that belong to it: openalex's works of the authors (one file), more of vivo's graph
	Lang string   // vivo: the language preferred where the graph has several
}

// Formats are the names of formats: our own three, and those of expert profiles elsewhere.
var Formats = []string{"jsonl", "csv", "xlsx", "vivo", "orcid", "openalex"}

// reader reads expert profiles of a foreign kind.
type reader func(f Format, r io.Reader, o record.Options, yield record.Yield) error

var profileReaders = map[string]reader{
	"vivo": func(f Format, r io.Reader, o record.Options, yield record.Yield) error {
		var g vivo.Graph
		if err := g.Add(r); err != nil {
			return err
		}
		for _, path := range f.With {
			if err := beside(path, g.Add); err != nil {
				return err
			}
		}
		return g.Experts(vivo.Options{Options: o, Lang: f.Lang}, yield)
	},
	"orcid": func(_ Format, r io.Reader, o record.Options, yield record.Yield) error {
		return orcid.Read(r, o, yield)
	},
	"openalex": func(f Format, r io.Reader, o record.Options, yield record.Yield) error {
		if len(f.With) == 0 {
			return openalex.Read(r, openalex.Options{Options: o}, yield)
		}
		return beside(f.With[0], func(works io.Reader) error {
			return openalex.Read(r, openalex.Options{Options: o, Works: works}, yield)
		})
	},
}

// beside opens a file that belongs to another. Errors name it.
func beside(path string, read func(io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in, err := unpacked(bufio.NewReaderSize(file, sniffSize))
	if err == nil {
		err = read(in)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// formatOf is the format of a file by its name, without ".gz", in small letters.
func formatOf(name string) string {
	for _, end := range []string{".ttl", ".n3", ".nt"} {
		if strings.HasSuffix(name, end) {
			return "vivo"
		}
	}
	return ""
}

// unpacked reads what may be packed by gzip, told by its content.
func unpacked(r *bufio.Reader) (*bufio.Reader, error) {
	if magic, _ := r.Peek(2); !bytes.Equal(magic, []byte{0x1F, 0x8B}) {
		return r, nil
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, unpacking(err)
	}
	return bufio.NewReaderSize(z, sniffSize), nil
}

// profiles is a source of records that a reader gives.
type profiles struct {
	file    *os.File
	counted *countingReader
	size    int64
	next    func() (profile, error, bool)
	stop    func()
}

type profile struct {
	line   int
	values record.Values
	fault  *record.Error
}

func openProfiles(f Format, file *os.File, size int64) (Source, error) {
	read := profileReaders[f.Name]
	s := &profiles{file: file, size: size, counted: &countingReader{r: file}}
	in, err := unpacked(bufio.NewReaderSize(s.counted, sniffSize))
	if err != nil {
		return nil, err
	}
	ended := errors.New("ended")
	s.next, s.stop = iter.Pull2(func(yield func(profile, error) bool) {
		o := record.Options{Refuse: func(e *record.Error) error {
			if !yield(profile{fault: e}, nil) {
				return ended
			}
			return nil
		}}
		err := read(f, in, o, func(line int, values record.Values) error {
			if !yield(profile{line: line, values: values}, nil) {
				return ended
			}
			return nil
		})
		if err != nil && !errors.Is(err, ended) {
			yield(profile{}, unpacking(err))
		}
	})
	return s, nil
}

func (s *profiles) Next() (Record, error) {
	p, err, more := s.next()
	switch {
	case !more:
		return Record{}, io.EOF
	case err != nil:
		return Record{}, err
	case p.fault != nil:
		field, reason := "", p.fault.Reason
		if p.fault.Err != nil {
			var why string
			field, why = record.Describe(p.fault.Err)
			reason += ": " + why
		}
		return Record{}, &RecordError{Line: p.fault.Line, Field: field, Reason: reason}
	}
	size := 0
	for _, v := range p.values {
		size += len(v)
	}
	return Record{Line: p.line, Values: p.values, Size: size}, nil
}

func (s *profiles) Offset() int64 { return s.counted.n }
func (s *profiles) Size() int64   { return s.size }

func (s *profiles) Close() error {
	s.stop()
	return s.file.Close()
}

// check refuses a format that there is not.
func (f Format) check() error {
	if f.Name != "" && !slices.Contains(Formats, f.Name) {
		return fmt.Errorf("%q is no format: want one of %s", f.Name, strings.Join(Formats, ", "))
	}
	if most, ok := map[string]int{"openalex": 1, "vivo": 100}[f.Name]; len(f.With) > most || len(f.With) > 0 && !ok {
		return fmt.Errorf("files that belong to another go with the formats vivo and openalex (one file with works)")
	}
	return nil
}
