// Package turtle reads RDF graphs written as Turtle, as N-Triples, or as that part of Notation3 which files called .n3
// hold in practice: prefixes, a base, literals, lists, blank nodes. Formulas, rules and variables of Notation3 are refused
// by name. It streams: what it holds does not grow with the file, but for prefixes and labels of blank nodes.
package turtle

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Kind is what a term is.
type Kind uint8

// The kinds of term.
const (
	IRI Kind = iota + 1
	Blank
	Literal
)

// Term is a node of a graph, or the name of an edge. Terms are comparable: equal terms are the same node.
type Term struct {
	Kind     Kind
	Value    string // the absolute IRI, the label of a blank node without "_:", or the text of a literal
	Lang     string // language tag of a literal, as written
	Datatype string // IRI of a literal's type; "" for a plain string
}

// Triple is one statement. Subject is an IRI or a blank node, Predicate an IRI.
type Triple struct{ Subject, Predicate, Object Term }

// The vocabulary that the syntax itself speaks of.
const (
	RDF      = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	XSD      = "http://www.w3.org/2001/XMLSchema#"
	rdfType  = RDF + "type"
	rdfFirst = RDF + "first"
	rdfRest  = RDF + "rest"
	rdfNil   = RDF + "nil"
	sameAs   = "http://www.w3.org/2002/07/owl#sameAs"
)

// Limits of a document. They are far above honest use.
const (
	MaxIRI      = 4096    // bytes, after prefix and base are put in front
	MaxLiteral  = 1 << 20 // bytes
	MaxDepth    = 64      // brackets within brackets
	MaxPrefixes = 10_000
	MaxLabels   = 1_000_000 // labelled blank nodes
	MaxTriples  = 20_000_000
)

// Options of a document. The zero value is usable.
type Options struct {
	Base  string // absolute IRI against which relative ones are resolved until the document states its own
	Scope string // put before the label of every blank node, so that those of several documents stay apart
}

// Error says where a document goes wrong, and why. Line and column count from 1, the column in characters.
type Error struct {
	Line, Column int
	Reason       string
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// Read parses a document and hands over its triples in the order written, each with the line on which it ends. A
// document that breaks the syntax or a limit ends with an *Error, after the triples before it; what yield returns ends
// the reading and is returned as it is.
func Read(r io.Reader, o Options, yield func(line int, t Triple) error) error {
	p := &parser{
		lexer:    lexer{in: bufio.NewReaderSize(r, 64<<10), line: 1, column: 1},
		base:     o.Base,
		scope:    o.Scope,
		prefixes: map[string]string{},
		labels:   map[string]string{},
		yield:    yield,
	}
	return p.document()
}

// String writes the term as N-Triples does.
func (t Term) String() string {
	switch t.Kind {
	case IRI:
		return "<" + t.Value + ">"
	case Blank:
		return "_:" + t.Value
	}
	s := `"` + escapes.Replace(t.Value) + `"`
	switch {
	case t.Lang != "":
		return s + "@" + t.Lang
	case t.Datatype != "":
		return s + "^^<" + t.Datatype + ">"
	}
	return s
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`)
