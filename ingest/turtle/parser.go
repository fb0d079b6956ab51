package turtle

import (
	"strconv"
	"strings"
)

// parser follows the grammar of Turtle 1.1 by recursive descent, as deep as MaxDepth.
type parser struct {
	lexer
	base, scope string
	prefixes    map[string]string
	labels      map[string]string // of blank nodes, as written, to ours
	blanks      int
	depth       int
	triples     int
	yield       func(int, Triple) error
}

func (p *parser) document() error {
	p.accept('\uFEFF')
	for {
		p.space()
		if p.peek() == end {
			return p.err
		}
		if err := p.statement(); err != nil {
			return err
		}
	}
}

func (p *parser) emit(s, pred, o Term) error {
	if p.err != nil {
		return p.err
	}
	if p.triples++; p.triples > MaxTriples {
		return p.fail("more than %d statements; split the file", MaxTriples)
	}
	return p.yield(p.line, Triple{s, pred, o})
}

func (p *parser) statement() error {
	switch p.peek() {
	case '@':
		p.next()
		return p.directive(p.word(), true)
	case '{':
		return p.fail("formulas of Notation3 in { } are not read; export the graph as Turtle")
	}
	subject, more, err := p.subject()
	if err != nil {
		return err
	}
	if subject.Kind == 0 { // a directive as SPARQL writes it
		return nil
	}
	p.space()
	if more || p.peek() != '.' { // what a [ … ] says of itself may be all
		if err := p.predicates(subject); err != nil {
			return err
		}
	}
	return p.expect('.', "at the end of the statement")
}

// directive reads a prefix or a base behind its keyword.
func (p *parser) directive(keyword string, dot bool) error {
	name := ""
	switch {
	case strings.EqualFold(keyword, "prefix") && (!dot || keyword == "prefix"):
		p.space()
		var err error
		if name, err = p.name(inName); err != nil {
			return err
		}
		if err := p.expect(':', "behind the name of a prefix"); err != nil {
			return err
		}
	case strings.EqualFold(keyword, "base") && (!dot || keyword == "base"):
	default:
		return p.fail("@%s is not read: want @prefix or @base", keyword)
	}
	p.space()
	if p.peek() != '<' {
		return p.fail("want an address in < >, not %s", p.found())
	}
	iri, err := p.iri()
	if err != nil {
		return err
	}
	if keyword[0]|0x20 == 'b' {
		p.base = iri
	} else if p.prefixes[name] = iri; len(p.prefixes) > MaxPrefixes {
		return p.fail("more than %d prefixes", MaxPrefixes)
	}
	if p.space(); dot {
		return p.expect('.', "at the end of the directive")
	}
	return p.err
}

// subject reads what a statement is about. more is false where nothing need follow. A directive without @ is carried
// out, and gives no term.
func (p *parser) subject() (t Term, more bool, err error) {
	switch r := p.peek(); {
	case r == '[':
		t, empty, err := p.bracket()
		return t, empty, err
	case r == '(':
		t, err = p.list()
		return t, true, err
	case r == '<':
		t, err = p.iriTerm()
		return t, true, err
	case r == '_':
		t, err = p.label()
		return t, true, err
	case r == '"' || r == '\'' || isDigit(r) || r == '+' || r == '-':
		return t, false, p.fail("a literal cannot be what a statement is about")
	}
	word, err := p.name(inName)
	if err != nil {
		return t, false, err
	}
	if p.peek() != ':' && (strings.EqualFold(word, "prefix") || strings.EqualFold(word, "base")) {
		return Term{}, false, p.directive(word, false)
	}
	t, err = p.prefixed(word)
	return t, true, err
}

// predicates reads what is said of a subject, up to the dot or bracket behind it.
func (p *parser) predicates(subject Term) error {
	for first := true; ; first = false {
		p.space()
		if r := p.peek(); !first && (r == '.' || r == ']') {
			return p.err
		}
		pred, err := p.predicate()
		if err != nil {
			return err
		}
		for {
			p.space()
			o, err := p.object()
			if err != nil {
				return err
			}
			if err := p.emit(subject, pred, o); err != nil {
				return err
			}
			if p.space(); !p.accept(',') {
				break
			}
		}
		if p.peek() != ';' {
			return p.err
		}
		for p.accept(';') {
			p.space()
		}
	}
}

func (p *parser) predicate() (Term, error) {
	switch r := p.peek(); {
	case r == '<':
		if next := p.after(1); len(next) == 1 && next[0] == '=' {
			return Term{}, p.fail("rules of Notation3 (<=) are not read")
		}
		return p.iriTerm()
	case r == '=':
		if p.next(); p.peek() == '>' {
			return Term{}, p.fail("rules of Notation3 (=>) are not read")
		}
		return Term{Kind: IRI, Value: sameAs}, p.err
	case r == ':' || startsName(r):
		word, err := p.name(inName)
		if err != nil {
			return Term{}, err
		}
		if word == "a" && p.peek() != ':' {
			return Term{Kind: IRI, Value: rdfType}, p.err
		}
		return p.prefixed(word)
	}
	return Term{}, p.fail("want the name of a property, not %s", p.found())
}

func (p *parser) object() (Term, error) {
	switch r := p.peek(); {
	case r == '<':
		return p.iriTerm()
	case r == '_':
		return p.label()
	case r == '[':
		t, _, err := p.bracket()
		return t, err
	case r == '(':
		return p.list()
	case r == '"' || r == '\'':
		return p.literal()
	case isDigit(r) || r == '+' || r == '-' || r == '.':
		return p.number()
	case r == ':' || startsName(r):
		word, err := p.name(inName)
		if err != nil {
			return Term{}, err
		}
		if (word == "true" || word == "false") && p.peek() != ':' {
			return Term{Kind: Literal, Value: word, Datatype: XSD + "boolean"}, p.err
		}
		return p.prefixed(word)
	case r == '{':
		return Term{}, p.fail("formulas of Notation3 in { } are not read; export the graph as Turtle")
	case r == '?':
		return Term{}, p.fail("variables of Notation3 are not read")
	}
	return Term{}, p.fail("want a value, not %s", p.found())
}

func (p *parser) literal() (Term, error) {
	value, err := p.quoted()
	if err != nil {
		return Term{}, err
	}
	t := Term{Kind: Literal, Value: value}
	switch p.peek() {
	case '@':
		t.Lang, err = p.langTag()
	case '^':
		p.next()
		if err := p.expect('^', "behind ^"); err != nil {
			return Term{}, err
		}
		if t.Datatype, err = p.name1(); t.Datatype == XSD+"string" {
			t.Datatype = ""
		}
	}
	return t, err
}

// name1 reads an IRI, in full or by its prefix.
func (p *parser) name1() (string, error) {
	if p.peek() == '<' {
		return p.iri()
	}
	word, err := p.name(inName)
	if err != nil {
		return "", err
	}
	t, err := p.prefixed(word)
	return t.Value, err
}

// iri reads < > and resolves it.
func (p *parser) iri() (string, error) {
	ref, err := p.iriRef()
	if err != nil {
		return "", err
	}
	iri, ok := resolve(p.base, ref)
	switch {
	case !ok:
		return "", p.fail("the address <%s> is relative, and the file states no @base", brief(ref))
	case len(iri) > MaxIRI:
		return "", p.fail("an address longer than %d bytes", MaxIRI)
	}
	return iri, nil
}

func (p *parser) iriTerm() (Term, error) {
	iri, err := p.iri()
	return Term{Kind: IRI, Value: iri}, err
}

// prefixed reads the rest of a prefixed name.
func (p *parser) prefixed(prefix string) (Term, error) {
	if p.peek() != ':' {
		if prefix == "" {
			return Term{}, p.fail("want a statement, not %s", p.found())
		}
		return Term{}, p.fail("%q is no keyword; a name needs a prefix and a colon", brief(prefix))
	}
	iri, ok := p.prefixes[prefix]
	if !ok || prefix != "" && !startsName([]rune(prefix)[0]) {
		return Term{}, p.fail("the prefix %q is not declared", brief(prefix)+":")
	}
	p.next()
	local, err := p.local()
	if err != nil {
		return Term{}, err
	}
	if len(iri)+len(local) > MaxIRI {
		return Term{}, p.fail("an address longer than %d bytes", MaxIRI)
	}
	return Term{Kind: IRI, Value: iri + local}, nil
}

// fresh returns a blank node of our own.
func (p *parser) fresh() Term {
	p.blanks++
	return Term{Kind: Blank, Value: p.scope + "b" + strconv.Itoa(p.blanks)}
}

// label reads _:name. Labels are counted anew, so that none meets those of [ ].
func (p *parser) label() (Term, error) {
	p.next()
	if err := p.expect(':', "behind _"); err != nil {
		return Term{}, err
	}
	if r := p.peek(); !startsName(r) && !isDigit(r) && r != '_' {
		return Term{}, p.fail("want the name of a blank node, not %s", p.found())
	}
	name, err := p.name(inName)
	if err != nil {
		return Term{}, err
	}
	ours, ok := p.labels[name]
	if !ok {
		if len(p.labels) == MaxLabels {
			return Term{}, p.fail("more than %d blank nodes with a name", MaxLabels)
		}
		ours = p.fresh().Value
		p.labels[name] = ours
	}
	return Term{Kind: Blank, Value: ours}, nil
}

func (p *parser) deeper() error {
	if p.depth++; p.depth > MaxDepth {
		return p.fail("brackets within brackets, more than %d deep", MaxDepth)
	}
	return nil
}

// bracket reads [ … ] and reports whether it is empty.
func (p *parser) bracket() (t Term, empty bool, err error) {
	if err := p.deeper(); err != nil {
		return t, false, err
	}
	defer func() { p.depth-- }()
	p.next()
	t = p.fresh()
	if p.space(); p.accept(']') {
		return t, true, p.err
	}
	if err := p.predicates(t); err != nil {
		return t, false, err
	}
	return t, false, p.expect(']', "at the end of [")
}

// list reads ( … ) as a chain of blank nodes.
func (p *parser) list() (Term, error) {
	if err := p.deeper(); err != nil {
		return Term{}, err
	}
	defer func() { p.depth-- }()
	p.next()
	last := Term{Kind: IRI, Value: rdfNil}
	head := last
	for first := true; ; first = false {
		if p.space(); p.accept(')') {
			if first {
				return head, p.err
			}
			return head, p.emit(last, Term{Kind: IRI, Value: rdfRest}, Term{Kind: IRI, Value: rdfNil})
		}
		o, err := p.object()
		if err != nil {
			return Term{}, err
		}
		node := p.fresh()
		if first {
			head = node
		} else if err := p.emit(last, Term{Kind: IRI, Value: rdfRest}, node); err != nil {
			return Term{}, err
		}
		if err := p.emit(node, Term{Kind: IRI, Value: rdfFirst}, o); err != nil {
			return Term{}, err
		}
		last = node
	}
}

func brief(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
