package turtle

import (
	"strings"
	"unicode/utf8"
)

// startsName reports whether a prefix or a local name can begin with r (PN_CHARS_BASE of the grammar).
func startsName(r rune) bool {
	return isLetter(r) || r >= 0xC0 && r <= 0x2FF && r != 0xD7 && r != 0xF7 || r >= 0x370 && r <= 0x1FFF && r != 0x37E ||
		r == 0x200C || r == 0x200D || r >= 0x2070 && r <= 0x218F || r >= 0x2C00 && r <= 0x2FEF || r >= 0x3001 && r <= 0xD7FF ||
		r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFFD || r >= 0x10000 && r <= 0xEFFFF
}

// inName reports whether r can stand within one (PN_CHARS).
func inName(r rune) bool {
	return startsName(r) || isDigit(r) || r == '_' || r == '-' || r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}

// name reads a run of characters that more allows. A dot belongs to it only if the run goes on behind it: the last one
// ends the statement.
func (l *lexer) name(more func(rune) bool) (string, error) {
	var b strings.Builder
	for {
		r := l.peek()
		if r == '.' && !l.goesOn(more) || r != '.' && !more(r) {
			return b.String(), l.err
		}
		if b.WriteRune(l.next()); b.Len() > MaxIRI {
			return "", l.fail("a name longer than %d bytes", MaxIRI)
		}
	}
}

// goesOn reports whether, behind the dot that comes next and further ones, a name goes on.
func (l *lexer) goesOn(more func(rune) bool) bool {
	for _, r := range string(l.after(64)) {
		if r != '.' {
			return r != utf8.RuneError && (more(r) || strings.ContainsRune(":%\\", r) && more(':'))
		}
	}
	return false
}

// local reads the part of a prefixed name behind the colon, escapes resolved.
func (l *lexer) local() (string, error) {
	inLocal := func(r rune) bool { return inName(r) || r == ':' }
	var b strings.Builder
	for {
		part, err := l.name(inLocal)
		if err != nil {
			return "", err
		}
		b.WriteString(part)
		switch l.peek() {
		case '%':
			b.WriteRune(l.next())
			for range 2 {
				r := l.peek()
				if !isDigit(r) && (r|0x20 < 'a' || r|0x20 > 'f') {
					return "", l.fail("want two hexadecimal digits behind %%, not %s", l.found())
				}
				b.WriteRune(l.next())
			}
		case '\\':
			l.next()
			if r := l.peek(); r == end || !strings.ContainsRune("_~.-!$&'()*+,;=/?#@%", r) {
				return "", l.fail("%s needs no backslash in a name", l.found())
			}
			b.WriteRune(l.next())
		default:
			return b.String(), l.err
		}
		if b.Len() > MaxIRI {
			return "", l.fail("a name longer than %d bytes", MaxIRI)
		}
	}
}

// number reads a number and returns it with its type.
func (l *lexer) number() (Term, error) {
	var b strings.Builder
	digits := func() (n int) {
		for ; isDigit(l.peek()) && b.Len() < 1000; n++ {
			b.WriteRune(l.next())
		}
		return n
	}
	if r := l.peek(); r == '+' || r == '-' {
		b.WriteRune(l.next())
	}
	kind, n := "integer", digits()
	if l.peek() == '.' {
		next := string(l.after(3)) + "   "
		exponent := next[0]|0x20 == 'e' && (isDigit(rune(next[1])) || strings.IndexByte("+-", next[1]) >= 0 && isDigit(rune(next[2])))
		if isDigit(rune(next[0])) || n > 0 && exponent {
			b.WriteRune(l.next())
			n += digits()
			kind = "decimal"
		}
	}
	if n == 0 {
		return Term{}, l.fail("want a number, not %s", l.found())
	}
	if l.peek()|0x20 == 'e' {
		kind = "double"
		b.WriteRune(l.next())
		if r := l.peek(); r == '+' || r == '-' {
			b.WriteRune(l.next())
		}
		if digits() == 0 {
			return Term{}, l.fail("want digits behind the e of a number, not %s", l.found())
		}
	}
	if b.Len() >= 1000 {
		return Term{}, l.fail("a number of more than 1000 digits")
	}
	return Term{Kind: Literal, Value: b.String(), Datatype: XSD + kind}, l.err
}
