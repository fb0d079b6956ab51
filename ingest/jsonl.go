package ingest

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// jsonl reads one JSON object a line.
type jsonl struct{ *input }

func (s *jsonl) Next() (Record, error) {
	for {
		line, err := s.next()
		if errors.Is(err, errLong) {
			return Record{}, &RecordError{Line: s.line, Reason: err.Error()}
		}
		if err != nil {
			return Record{}, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if s.line == 1 && line[0] == '[' {
			return Record{}, errors.New("the file is one JSON array; write one object a line (jq -c '.[]')")
		}
		if !utf8.Valid(line) {
			return Record{}, &RecordError{Line: s.line, Reason: "not valid UTF-8: " + advice(guess(line))}
		}
		r := Record{Line: s.line, Size: len(line)}
		if err := json.Unmarshal(line, &r.Values); err != nil {
			field, reason := Describe(err)
			return Record{}, &RecordError{Line: s.line, Field: field, Reason: reason}
		}
		if r.Values == nil {
			return Record{}, &RecordError{Line: s.line, Reason: "null is no listing: want a JSON object"}
		}
		return r, nil
	}
}

// Describe turns an error of the JSON library into the field at fault, as in "works[2].year", and a reason for people.
func Describe(err error) (field, reason string) {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		reason = strings.TrimPrefix(syntax.Err.Error(), "jsontext: ")
		switch {
		case errors.Is(err, jsontext.ErrDuplicateName):
			return pointer(syntax.JSONPointer), "the key stands twice"
		case errors.Is(err, io.ErrUnexpectedEOF):
			reason = "the JSON ends too early"
		default:
			reason = "not valid JSON: " + reason
		}
		return pointer(syntax.JSONPointer), reason + " (at byte " + strconv.FormatInt(syntax.ByteOffset, 10) + ")"
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		field = pointer(semantic.JSONPointer)
		switch {
		case errors.Is(err, json.ErrUnknownName):
			return field, "unknown key"
		case semantic.GoType != nil:
			return field, "want " + wanted(semantic.GoType.Kind().String()) + ", not " + found(semantic)
		}
		return field, semantic.Error()
	}
	return "", err.Error()
}

// wanted names a Go kind as people write JSON.
func wanted(kind string) string {
	switch kind {
	case "int":
		return "a whole number such as 7"
	case "slice":
		return "a list"
	case "struct", "map", "ptr":
		return "an object"
	case "string":
		return "a string"
	}
	return "a " + kind
}

func found(e *json.SemanticError) string {
	if v := string(e.JSONValue); v != "" && len(v) <= 40 {
		return v
	}
	switch e.JSONKind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case '0':
		return "a number"
	}
	return e.JSONKind.String()
}

// pointer writes a JSON pointer as fields are named elsewhere: "/works/2/year" as "works[2].year".
func pointer(p jsontext.Pointer) string { return path("", p) }

// path is pointer below a field. A path that is too long to read is cut.
func path(field string, p jsontext.Pointer) string {
	var b strings.Builder
	b.WriteString(field)
	for token := range p.Tokens() {
		switch _, err := strconv.Atoi(token); {
		case b.Len() > maxField:
		case err == nil && b.Len() > 0:
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	return brief(b.String(), maxField)
}

// What is said of a record is bounded, whatever the record is: so many characters of a field and of a reason.
const (
	maxField  = 80
	maxReason = 600
)

// brief cuts s to n characters.
func brief(s string, n int) string {
	if len(s) <= n {
		return s
	}
	count := 0
	for i := range s {
		if count++; count > n {
			return s[:i] + "…"
		}
	}
	return s
}
