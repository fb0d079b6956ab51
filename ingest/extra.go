package ingest

import (
	"bytes"
	"errors"
	"io"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/engine/text"
	"github.com/ketnoi/ketnoi/ingest/record"
)

// keep puts a value that no key of a listing holds among the extra ones, cleaned.
func (d *draft) keep(name string, v jsontext.Value) error {
	key, err := text.Clean(name)
	if err != nil {
		return d.refuse(name, "%v", err)
	}
	if _, twice := d.extra[key]; twice {
		return d.refuse(name, "stands in extra already")
	}
	v, at, err := cleanValue(v)
	if err != nil {
		return d.refuse(record.Path(name, at), "%v", err)
	}
	d.extra[key] = v
	return nil
}

// keepAll keeps what a record gives as extra itself.
func (d *draft) keepAll(v jsontext.Value) error {
	var cell string
	if d.r.Cells && json.Unmarshal(v, &cell) == nil {
		v = jsontext.Value(cell)
	}
	if !v.IsValid() || v.Kind() != '{' {
		return d.refuse("extra", "want an object")
	}
	v, at, err := cleanValue(v)
	if err != nil {
		return d.refuse(record.Path("extra", at), "%v", err)
	}
	return d.refused("extra", json.Unmarshal(v, &d.extra))
}

// cleanValue cleans every string within a value, keys too, as text.Clean does. An error comes with the place at fault.
func cleanValue(v jsontext.Value) (jsontext.Value, jsontext.Pointer, error) {
	var out bytes.Buffer
	dec, enc := jsontext.NewDecoder(bytes.NewReader(v)), jsontext.NewEncoder(&out)
	for {
		if dec.PeekKind() == '0' { // not by way of a token, which would be a float: all digits stay
			n, err := dec.ReadValue()
			if err == nil {
				err = enc.WriteValue(n)
			}
			if err != nil {
				return nil, dec.StackPointer(), err
			}
			continue
		}
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return bytes.TrimSuffix(out.Bytes(), []byte{'\n'}), "", nil
		}
		if err == nil && token.Kind() == '"' {
			var s string
			s, err = text.Clean(token.String())
			token = jsontext.String(s)
		}
		if err == nil {
			err = enc.WriteToken(token)
		}
		if errors.Is(err, jsontext.ErrDuplicateName) {
			err = errors.New("the key stands twice, but for characters that do not show")
		}
		if err != nil {
			return nil, dec.StackPointer(), err
		}
	}
}

func isLetterOrDigit(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r)
}
