package ingest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ParseMapping reads "title=name,text=desc": for each key of a listing the source's name for it. A name with a comma
// stands in quotes, as in a CSV file: title="Name, full" or "title=Name, full"; a quote within is doubled.
func ParseMapping(spec string) (map[string]string, error) {
	return ParseColumns(spec, keys, "a listing")
}

// ParseColumns is ParseMapping for the keys of something else.
func ParseColumns(spec string, keys []string, of string) (map[string]string, error) {
	out := map[string]string{}
	for rest := spec; rest != ""; {
		var key, column string
		var err error
		if key, column, rest, err = cutPair(rest); err != nil {
			return nil, err
		}
		switch {
		case key == "" && column == "":
			continue
		case key == "" || column == "":
			return nil, fmt.Errorf("%q: want key=column, such as title=name", key+column)
		case !slices.Contains(keys, key):
			return nil, fmt.Errorf("%q is no key of %s: want one of %s", key, of, strings.Join(keys, ", "))
		case out[key] != "":
			return nil, fmt.Errorf("%q is mapped twice", key)
		}
		out[key] = column
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%q maps nothing: want key=column, such as title=name", spec)
	}
	return out, nil
}

// cutPair cuts the first key=column from spec, and the comma behind it.
func cutPair(spec string) (key, column, rest string, err error) {
	if spec = strings.TrimLeft(spec, " "); strings.HasPrefix(spec, `"`) {
		pair, rest, err := cutQuoted(spec)
		key, column, _ = strings.Cut(pair, "=")
		return strings.TrimSpace(key), strings.TrimSpace(column), rest, err
	}
	end := strings.IndexAny(spec, ",=")
	if end < 0 || spec[end] == ',' {
		key, rest, _ = strings.Cut(spec, ",")
		return strings.TrimSpace(key), "", rest, nil
	}
	key, rest = strings.TrimSpace(spec[:end]), strings.TrimLeft(spec[end+1:], " ")
	if strings.HasPrefix(rest, `"`) {
		column, rest, err = cutQuoted(rest)
		return key, column, rest, err
	}
	column, rest, _ = strings.Cut(rest, ",")
	return key, strings.TrimSpace(column), rest, nil
}

// cutQuoted cuts what stands in the quotes that s begins with, and the comma behind them.
func cutQuoted(s string) (inside, rest string, err error) {
	var b strings.Builder
	for rest = s[1:]; ; {
		part, behind, found := strings.Cut(rest, `"`)
		b.WriteString(part)
		switch rest = behind; {
		case !found:
			return "", "", fmt.Errorf("%s: a quote is opened and not closed", s)
		case strings.HasPrefix(rest, `"`):
			b.WriteByte('"')
			rest = rest[1:]
			continue
		}
		if rest = strings.TrimLeft(rest, " "); rest != "" && !strings.HasPrefix(rest, ",") {
			return "", "", errors.New(s + ": want a comma behind the quotes")
		}
		return b.String(), strings.TrimPrefix(rest, ","), nil
	}
}

// pairFor writes key=column so that ParseMapping and a shell read it back. A name that either could take for something
// else is left to the reader to fill in: it comes from a file, and may be made to be copied into a shell.
func pairFor(key, column string) string {
	for i, r := range column {
		if i > maxField/2 || !isLetterOrDigit(r) && (i == 0 || !strings.ContainsRune("_-. ", r)) {
			return key + "=COLUMN"
		}
	}
	if strings.Contains(column, " ") {
		return `"` + key + "=" + column + `"`
	}
	return key + "=" + column
}
