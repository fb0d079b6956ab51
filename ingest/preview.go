package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/engine"
)

// Previewed is what a record of a source would become.
type Previewed struct {
	Line    int
	Fields  []PreviewedField
	Refused string // why it would be refused, "" if it would come in
}

// PreviewedField is a key of a listing with what the source gives for it, both as short texts.
type PreviewedField struct {
	Key, Ours, Name, Theirs string
}

// Preview shows what up to n records of a source would become. It stores nothing.
func Preview(ctx context.Context, file *SourceFile, n int, show func(Previewed)) error {
	mapping, err := file.mapping()
	if err != nil {
		return err
	}
	src, err := file.open(ctx)
	if err != nil {
		return err
	}
	defer src.Close()
	for ; n > 0; n-- {
		r, err := src.Next()
		var refused *RecordError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &refused):
			show(Previewed{Line: refused.Line, Refused: refused.Reason})
			continue
		case err != nil:
			return err
		}
		show(mapping.preview(r))
	}
	return nil
}

// open opens the source, or the first of its files.
func (s *SourceFile) open(ctx context.Context) (Source, error) {
	if s.Pull != nil {
		return openPull(ctx, s, "", "")
	}
	paths, err := s.paths()
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, errors.New("from: the folder holds no file that could be read: " + s.From)
	}
	return Open(paths[0], Format{Name: s.Format, With: s.With, Lang: s.Lang})
}

func (m *Mapping) preview(r Record) Previewed {
	out := Previewed{Line: r.Line}
	l, err := m.listing(r)
	if err == nil {
		err = l.Normalise()
	}
	if err != nil {
		out.Refused = err.Error()
		var field *engine.FieldError
		if errors.As(err, &field) {
			out.Refused += m.advice(field.Field)
		}
	}
	ours := map[string]json.RawMessage{}
	if l != nil {
		if body, err := json.Marshal(l); err == nil {
			_ = json.Unmarshal(body, &ours)
		}
	}
	for _, key := range keys {
		name := m.Columns[key]
		if name == "" {
			name = key
		}
		theirs, given := lookup(r.Values, name)
		own, has := ours[key]
		if given || has {
			out.Fields = append(out.Fields, PreviewedField{key, short(own), name, short(json.RawMessage(theirs))})
		}
		delete(ours, key)
	}
	for _, key := range slices.Sorted(maps.Keys(ours)) {
		out.Fields = append(out.Fields, PreviewedField{Key: key, Ours: short(ours[key])})
	}
	return out
}

// short is a value as a short text.
func short(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) != nil {
		s = string(v)
	}
	return brief(strings.Join(strings.Fields(s), " "), maxField)
}
