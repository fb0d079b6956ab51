package glossary

import (
	"strings"
	"sync"
)

// Field is a code of the OECD FORD scheme with its labels by language tag.
type Field struct {
	Code   string
	Labels map[string]string
}

var fieldTable = sync.OnceValue(func() map[string]Field {
	m := map[string]Field{}
	for _, r := range must(readTable(files, "tables/fields.tsv", "code", "vi", "fr", "en", "ko", "zh")) {
		m[r.cells[0]] = Field{Code: r.cells[0], Labels: labels(r.cells[1:6])}
	}
	return m
})

// labels pairs cells with the languages in table order.
func labels(cells []string) map[string]string {
	return map[string]string{"vi": cells[0], "fr": cells[1], "en": cells[2], "ko": cells[3], "zh": cells[4]}
}

// IsField reports whether code is one of the 6 major ("2") or 42 minor ("2.7") FORD codes.
func IsField(code string) bool { _, ok := fieldTable()[code]; return ok }

// FieldLabel returns the field's name in lang, else in English, else the code.
func FieldLabel(code, lang string) string {
	f, ok := fieldTable()[code]
	if !ok {
		return code
	}
	if l := f.Labels[lang]; l != "" {
		return l
	}
	return f.Labels["en"]
}

// FieldAncestors returns the code and what stands above it: "2.7", "2".
func FieldAncestors(code string) []string {
	if major, _, minor := strings.Cut(code, "."); minor {
		return []string{code, major}
	}
	return []string{code}
}
