package record

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxRecord is how many bytes one record may have: a line, a document, or a page of them.
const MaxRecord = 64 << 20

var errLong = fmt.Errorf("a record of more than %d MiB", MaxRecord>>20)

// Objects reads the JSON objects of a file: one a line, or each over several lines, also within an array, or within
// the list that an object names by page ("results" of an API's page). Where the first line is an object by itself, every
// line is judged by itself; else a broken object ends the reading, since nobody knows where the next begins. One line,
// object or page is held at a time. An *Error that yield returns refuses the object; any other ends the reading.
func Objects(r io.Reader, page string, o Options, yield func(line int, object jsontext.Value) error) error {
	in := bufio.NewReaderSize(r, 64<<10)
	if bom, _ := in.Peek(3); bytes.Equal(bom, []byte("\xEF\xBB\xBF")) {
		_, _ = in.Discard(3)
	}
	one := func(line int, v jsontext.Value) error {
		return unpack(v, page, 0, func(v jsontext.Value) error {
			err := error(&Error{Reason: "want a JSON object, not " + kinds[v.Kind()]})
			if v.Kind() == '{' {
				err = yield(line, v)
			}
			var refused *Error
			if errors.As(err, &refused) {
				refused.Line = line
				err = o.Refused(refused)
			}
			return err
		})
	}
	for number, first := 1, true; ; number++ {
		line, err := readLine(in)
		if err != nil && !errors.Is(err, errLong) && !errors.Is(err, io.EOF) {
			return err
		}
		v := jsontext.Value(bytes.TrimSpace(line))
		fault := err
		if !errors.Is(err, errLong) {
			fault = valid(v)
		}
		switch {
		case len(v) == 0 && !errors.Is(err, errLong):
		case first && errors.Is(fault, io.ErrUnexpectedEOF) && err == nil:
			return documents(io.MultiReader(bytes.NewReader(line), in), number, one)
		case fault != nil:
			first = false
			if err := o.Refused(&Error{Line: number, Reason: "not a JSON object", Err: fault}); err != nil {
				return err
			}
		default:
			first = false
			if err := one(number, v); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
}

var kinds = map[jsontext.Kind]string{'[': "a list", '"': "a text", '0': "a number", 't': "true", 'f': "false", 'n': "null"}

// unpack gives the objects within an array or a page, or v itself.
func unpack(v jsontext.Value, page string, depth int, yield func(jsontext.Value) error) error {
	var items []jsontext.Value
	switch {
	case depth > 1:
		return yield(v)
	case v.Kind() == '[':
		if err := json.Unmarshal(v, &items); err != nil {
			return err
		}
	case v.Kind() == '{' && page != "":
		var o map[string]jsontext.Value
		if err := json.Unmarshal(v, &o); err != nil {
			return err
		}
		list, ok := o[page]
		if !ok || list.Kind() != '[' {
			return yield(v)
		}
		if err := json.Unmarshal(list, &items); err != nil {
			return err
		}
	default:
		return yield(v)
	}
	for _, item := range items {
		if err := unpack(item, page, depth+1, yield); err != nil {
			return err
		}
	}
	return nil
}

// valid says what is wrong with v as one JSON value.
func valid(v jsontext.Value) error {
	dec := jsontext.NewDecoder(bytes.NewReader(v))
	if _, err := dec.ReadValue(); err != nil {
		return err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the object on its line")
	}
	return nil
}

// readLine returns a line with its end. Of one that is too long it returns errLong, after passing over it.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := in.ReadSlice('\n')
		if long = long || len(line)+len(part) > MaxRecord; !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case long:
			return nil, errLong // an end of the file shows at the next call
		default:
			return line, err
		}
	}
}

// documents reads values that are written over several lines.
func documents(r io.Reader, line int, one func(line int, v jsontext.Value) error) error {
	in := &lineReader{r: r, line: line}
	dec := jsontext.NewDecoder(in)
	for {
		in.allowed = MaxRecord
		v, err := dec.ReadValue()
		at := in.lineOf(dec.InputOffset() - int64(len(v)))
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLong):
			return &Error{Line: at, Reason: errLong.Error()}
		case err != nil:
			var syntax *jsontext.SyntacticError
			if errors.As(err, &syntax) {
				at = in.lineOf(syntax.ByteOffset)
			}
			return &Error{Line: at, Reason: "not valid JSON", Err: err}
		}
		if err := one(at, v.Clone()); err != nil {
			return err
		}
	}
}

// lineReader counts lines ahead of a decoder, and stops it once it has read more than allowed.
type lineReader struct {
	r       io.Reader
	line    int     // of the offset asked for last
	ends    []int64 // offsets of line ends behind it
	offset  int64
	allowed int
}

func (l *lineReader) Read(p []byte) (int, error) {
	if l.allowed <= 0 {
		return 0, errLong
	}
	n, err := l.r.Read(p[:min(len(p), l.allowed)])
	l.allowed -= n
	for i, c := range p[:n] {
		if c == '\n' {
			l.ends = append(l.ends, l.offset+int64(i))
		}
	}
	l.offset += int64(n)
	return n, err
}

// lineOf returns the line of an offset that is not before the last one asked for.
func (l *lineReader) lineOf(offset int64) int {
	n := 0
	for n < len(l.ends) && l.ends[n] < offset {
		n++
	}
	l.line += n
	l.ends = append(l.ends[:0], l.ends[n:]...)
	return l.line
}
