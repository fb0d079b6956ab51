package record

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Describe turns an error of the JSON library into the field at fault, as in "works[2].year", and a reason for people. The
// library's own words are no use: they change from run to run, so that nobody relies on them.
func Describe(err error) (field, reason string) {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		reason = strings.TrimPrefix(syntax.Err.Error(), "jsontext: ")
		switch {
		case errors.Is(err, jsontext.ErrDuplicateName):
			return Path("", syntax.JSONPointer), "the key stands twice"
		case errors.Is(err, io.ErrUnexpectedEOF):
			reason = "the JSON ends too early"
		default:
			reason = "not valid JSON: " + reason
		}
		return Path("", syntax.JSONPointer), reason + " (at byte " + strconv.FormatInt(syntax.ByteOffset, 10) + ")"
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		field = Path("", semantic.JSONPointer)
		switch {
		case errors.Is(err, json.ErrUnknownName):
			return field, "unknown key"
		case semantic.Err != nil && !errors.Is(semantic.Err, strconv.ErrSyntax) && !errors.Is(semantic.Err, strconv.ErrRange): // a type's own reader says what it wants
			return field, semantic.Err.Error()
		case semantic.GoType != nil:
			return field, "want " + wanted(semantic.GoType.Kind().String()) + ", not " + found(semantic)
		}
		return field, "not as it is written there"
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

// Path writes a JSON pointer below a field as fields are named elsewhere: "/works/2/year" as "works[2].year". A path
// that is too long to read is cut.
func Path(field string, p jsontext.Pointer) string {
	var b strings.Builder
	b.WriteString(field)
	for token := range p.Tokens() {
		switch _, err := strconv.Atoi(token); {
		case b.Len() > maxPath:
		case err == nil && b.Len() > 0:
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	return b.String()
}

const maxPath = 200 // bytes, about
