package turtle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// end is what peek returns after the last character.
const end rune = -1

// lexer gives the characters of a document one by one and knows where it stands. The first failure stays in err, and
// the document looks ended from then on.
type lexer struct {
	in           *bufio.Reader
	line, column int
	ahead        rune // what peek saw
	size         int  // its bytes; 0 when nothing was peeked
	err          error
}

func (l *lexer) fail(format string, args ...any) error {
	if l.err == nil {
		l.err = &Error{l.line, l.column, fmt.Sprintf(format, args...)}
	}
	return l.err
}

func (l *lexer) peek() rune {
	if l.err != nil {
		return end
	}
	if l.size > 0 {
		return l.ahead
	}
	r, size, err := l.in.ReadRune()
	switch {
	case errors.Is(err, io.EOF):
		return end
	case err != nil:
		l.err = err
		return end
	case r == utf8.RuneError && size == 1:
		_ = l.fail("not valid UTF-8; save the file as UTF-8")
		return end
	}
	l.ahead, l.size = r, size
	return r
}

// next returns the character that peek shows and goes on behind it.
func (l *lexer) next() rune {
	r := l.peek()
	if r == end {
		return end
	}
	l.size = 0
	if r == '\n' {
		l.line, l.column = l.line+1, 1
	} else {
		l.column++
	}
	return r
}

// after returns up to n bytes behind the character that peek shows.
func (l *lexer) after(n int) []byte {
	l.peek()
	b, _ := l.in.Peek(n)
	return b
}

// accept goes on behind r if it comes next.
func (l *lexer) accept(r rune) bool {
	if l.peek() != r {
		return false
	}
	l.next()
	return true
}

func (l *lexer) expect(r rune, where string) error {
	if l.accept(r) {
		return nil
	}
	return l.fail("want %q %s, not %s", r, where, l.found())
}

// found names what comes next, for messages.
func (l *lexer) found() string {
	if r := l.peek(); r != end {
		return fmt.Sprintf("%q", r)
	}
	return "the end of the file"
}

// space passes over white space and comments.
func (l *lexer) space() {
	for {
		switch l.peek() {
		case ' ', '\t', '\r', '\n':
			l.next()
		case '#':
			for r := l.peek(); r != '\n' && r != '\r' && r != end; r = l.peek() {
				l.next()
			}
		default:
			return
		}
	}
}

// iriRef reads what stands between < and >, escapes resolved.
func (l *lexer) iriRef() (string, error) {
	l.next()
	var b strings.Builder
	for {
		switch r := l.peek(); {
		case r == '>':
			l.next()
			return b.String(), l.err
		case r == end:
			return "", l.fail("the file ends within an address; > is missing")
		case r == '\\':
			l.next()
			e := l.peek()
			if e != 'u' && e != 'U' {
				return "", l.fail("\\%c is no escape of an address: want \\u or \\U", e)
			}
			c, err := l.hex()
			if err != nil {
				return "", err
			}
			if !inIRI(c) {
				return "", l.fail("U+%04X cannot stand in an address", c)
			}
			b.WriteRune(c)
		case !inIRI(r):
			return "", l.fail("%q cannot stand in an address; write it as %%%02X", r, r)
		default:
			b.WriteRune(l.next())
		}
		if b.Len() > MaxIRI {
			return "", l.fail("an address longer than %d bytes", MaxIRI)
		}
	}
}

func inIRI(r rune) bool { return r > ' ' && !strings.ContainsRune("<>\"{}|^`\\", r) }

// hex reads u1234 or U12345678, behind a backslash.
func (l *lexer) hex() (rune, error) {
	n := 4
	if l.next() == 'U' {
		n = 8
	}
	var c int64
	for range n {
		d := strings.IndexRune("0123456789abcdef", l.peek()|0x20)
		if l.peek() == end || d < 0 || l.peek() < '0' {
			return 0, l.fail("want %d hexadecimal digits in the escape, not %s", n, l.found())
		}
		l.next()
		c = c<<4 | int64(d)
	}
	if c > utf8.MaxRune || !utf8.ValidRune(rune(c)) {
		return 0, l.fail("the escape of U+%04X names no character", c)
	}
	return rune(c), nil
}

// quoted reads a string with its quotes: ", ', """ or ”'.
func (l *lexer) quoted() (string, error) {
	quote := l.next()
	long := false
	if l.peek() == quote {
		if l.next(); l.peek() != quote {
			return "", l.err
		}
		l.next()
		long = true
	}
	line := l.line
	var b strings.Builder
	for closing := 0; ; {
		r := l.peek()
		switch {
		case r == end:
			return "", l.fail("the file ends within the text that begins on line %d", line)
		case r == quote:
			l.next()
			if closing++; !long || closing == 3 {
				return b.String(), l.err
			}
			continue
		case !long && (r == '\n' || r == '\r'):
			return "", l.fail("the line ends within a text; write it between %s, or the line end as \\n", strings.Repeat(string(quote), 3))
		}
		for ; closing > 0; closing-- {
			b.WriteRune(quote)
		}
		if r == '\\' {
			c, err := l.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(c)
		} else {
			b.WriteRune(l.next())
		}
		if b.Len() > MaxLiteral {
			return "", l.fail("a text longer than %d bytes (is the quote of line %d closed?)", MaxLiteral, line)
		}
	}
}

// escape reads a backslash and what it stands for.
func (l *lexer) escape() (rune, error) {
	l.next()
	switch r := l.peek(); r {
	case 'u', 'U':
		return l.hex()
	case 't', 'b', 'n', 'r', 'f', '"', '\'', '\\':
		l.next()
		return rune("\t\b\n\r\f\"'\\"[strings.IndexRune("tbnrf\"'\\", r)]), nil
	}
	return 0, l.fail(`%s behind a backslash is no escape: want one of t b n r f " ' \ u U`, l.found())
}

// word reads letters, for keywords.
func (l *lexer) word() string {
	var b strings.Builder
	for r := l.peek(); isLetter(r) && b.Len() < 64; r = l.peek() {
		b.WriteRune(l.next())
	}
	return b.String()
}

// langTag reads a language tag behind its @.
func (l *lexer) langTag() (string, error) {
	l.next()
	var b strings.Builder
	b.WriteString(l.word())
	for b.Len() > 0 && l.peek() == '-' && b.Len() < 64 {
		b.WriteRune(l.next())
		n := b.Len()
		for r := l.peek(); (isLetter(r) || isDigit(r)) && b.Len() < 64; r = l.peek() {
			b.WriteRune(l.next())
		}
		if b.Len() == n {
			return "", l.fail("a language tag that ends with -")
		}
	}
	if b.Len() == 0 {
		return "", l.fail("want a language tag such as @en or @fr-CA")
	}
	return b.String(), l.err
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
func isDigit(r rune) bool  { return r >= '0' && r <= '9' }
