// Package vivo reads the experts of a VIVO, or of any graph in its ontology (1.6 and later): persons with what they say
// of themselves, their positions, research areas, publications, grants and talks. E-mail addresses and telephone numbers
// are left out.
package vivo

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"unicode"

	"github.com/ketnoi/ketnoi/ingest/record"
	"github.com/ketnoi/ketnoi/ingest/turtle"
)

// Options of a reading.
type Options struct {
	record.Options
	Lang string // BCP-47 tag of the language preferred where the graph has several; "" takes each person's own
}

// Read gives every person of a file as an expert by the keys of a listing, with the line on which it is first called a
// person. The whole graph is held, of at most MaxHeld bytes; a fault of syntax ends the reading before any expert.
func Read(r io.Reader, o Options, yield record.Yield) error {
	var g Graph
	if err := g.Add(r); err != nil {
		return err
	}
	return g.Experts(o, yield)
}

// Experts gives every person of the graph, in the order of the files; lines are those of the file that names it first.
// A person without a name, or without any text, is given as it is. One that only a blank node stands for has no id that
// lasts, and goes to o.Refuse unless it states an ORCID iD.
func (g *Graph) Experts(o Options, yield record.Yield) error {
	g.sort()
	types := g.personTypes()
	for _, t := range g.types {
		if !g.is(t, types) {
			continue
		}
		p := &person{g: g, at: t, persons: types}
		e := p.expert(o.Lang)
		var err error
		if e.ID == "" {
			err = o.Refused(&record.Error{Line: g.lines[t], Reason: "a person without an address or an ORCID iD has no id that lasts"})
		} else {
			err = yield(g.lines[t], e.Values(o.Options))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxID is how many characters of an address an id takes over.
const maxID = 100

// identifier makes an id of an address: "vivo.example.org:individual:n42". Where characters had to go, or the end, a
// piece of the address' hash tells it from others.
func identifier(t Term) string {
	if t.Kind != turtle.IRI {
		return ""
	}
	_, s, ok := strings.Cut(t.Value, "://")
	if !ok {
		s = t.Value
	}
	exact := true
	id := strings.TrimLeft(strings.Map(func(r rune) rune {
		switch {
		case r == '/' || r == '#':
			return ':'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.:@", r):
			return r
		}
		exact = false
		return '_'
	}, s), "-_.:@")
	if r := []rune(id); len(r) > maxID {
		id, exact = string(r[:maxID]), false
	}
	if !exact || id == "" {
		sum := sha256.Sum256([]byte(t.Value))
		id = strings.TrimPrefix(id+"-"+hex.EncodeToString(sum[:6]), "-")
	}
	return id
}
