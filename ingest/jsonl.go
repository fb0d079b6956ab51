package ingest

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/ingest/record"
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
			field, reason := record.Describe(err)
			return Record{}, &RecordError{Line: s.line, Field: field, Reason: reason}
		}
		if r.Values == nil {
			return Record{}, &RecordError{Line: s.line, Reason: "null is no listing: want a JSON object"}
		}
		return r, nil
	}
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
