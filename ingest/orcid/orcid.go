// Package orcid reads public ORCID records, version 3.0, as experts: as JSON, which the public API gives, and as XML,
// which the API and the yearly data file hold. E-mail addresses are left out, and so is whatever a record does not
// mark as public.
package orcid

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/ingest/record"
)

// Read gives every record of a file as an expert by the keys of a listing, with the line on which the record begins.
// The file is JSON (one record, one a line, or several) or XML (one record or several, whatever stands around them).
// A record is held at a time, of at most record.MaxRecord bytes. A record that cannot be used goes to o.Refuse.
func Read(r io.Reader, o record.Options, yield record.Yield) error {
	in := bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), " \t\r\n")
	one := func(line int, p *profile) error {
		e, err := p.expert()
		if err != nil {
			return err
		}
		return yield(line, e.Values(o))
	}
	if bytes.HasPrefix(head, []byte("<")) {
		return readXML(in, o, one)
	}
	return record.Objects(in, "", o, func(line int, object jsontext.Value) error {
		p := new(profile)
		if err := json.Unmarshal(object, p); err != nil {
			return &record.Error{Reason: "not as ORCID writes a record", Err: err}
		}
		return one(line, p)
	})
}

// errLong ends a document of XML whose record is too long: it tells no other beginning.
var errLong = errors.New("an ORCID record longer than allowed")

// allowance stops a reader that has given more than is left.
type allowance struct {
	r    io.Reader
	left int
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errLong
	}
	n, err := a.r.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}

func readXML(r io.Reader, o record.Options, yield func(int, *profile) error) error {
	in := &allowance{r: r}
	dec := xml.NewDecoder(in)
	for {
		in.left = record.MaxRecord
		line, _ := dec.InputPos()
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &record.Error{Line: line, Reason: "not valid XML", Err: err}
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "record" && start.Name.Local != "error" {
			continue
		}
		p := new(profile)
		if err = dec.DecodeElement(p, &start); err == nil {
			err = yield(line, p)
		} else {
			var syntax *xml.SyntaxError
			fault := &record.Error{Line: line, Reason: "not as ORCID writes a record", Err: err}
			if errors.As(err, &syntax) || errors.Is(err, errLong) || errors.Is(err, io.EOF) {
				return fault
			}
			err = fault
		}
		var refused *record.Error
		if errors.As(err, &refused) {
			refused.Line = line
			err = o.Refused(refused)
		}
		if err != nil {
			return err
		}
	}
}
