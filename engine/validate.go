package engine

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
)

// FieldError says which field of a listing or a query is at fault, and why; the reason also says what to do.
type FieldError struct {
	Field  string // as in JSON: "works[2].year"
	Reason string
	err    error
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// Unwrap returns ErrTooLittleText or nil.
func (e *FieldError) Unwrap() error { return e.err }

// ErrTooLittleText is what a *FieldError wraps when a text is well-formed but has no word to match by, such as one of
// emoji only.
var ErrTooLittleText = errors.New("too little text to match")

func fault(field, format string, args ...any) *FieldError {
	return &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// validator collects the first fault while it cleans.
type validator struct{ err *FieldError }

func (v *validator) fault(field, format string, args ...any) {
	if v.err == nil {
		v.err = fault(field, format, args...)
	}
}

func (v *validator) tooLittle(field, advice string) {
	if v.err == nil {
		v.err = &FieldError{Field: field, Reason: ErrTooLittleText.Error() + ": " + advice, err: ErrTooLittleText}
	}
}

// clean is text.Clean with the field's name in the error, and a limit in bytes.
func (v *validator) clean(field, s string, limit int) string {
	if len(s) > limit {
		v.fault(field, "%d bytes are more than the %d allowed", len(s), limit)
		return ""
	}
	out, err := text.Clean(s)
	if err != nil {
		v.fault(field, "%v; save the source as UTF-8", err)
	}
	return out
}

func (v *validator) text(field, s string) string { return v.clean(field, s, MaxText) }

// line is text without line breaks, of at most limit characters.
func (v *validator) line(field, s string, limit int) string {
	s = strings.Join(strings.Fields(v.clean(field, s, MaxText)), " ")
	if n := utf8.RuneCountInString(s); n > limit {
		v.fault(field, "%d characters are more than the %d allowed", n, limit)
	}
	return s
}

// id checks an identifier: letters and digits of any script with - _ . : @ between them. Case counts; outer white
// space does not.
func (v *validator) id(field, s string) string {
	if len(s) > 4*maxID {
		v.fault(field, "%d bytes are more than the %d characters allowed", len(s), maxID)
		return ""
	}
	raw := strings.TrimSpace(s)
	id := v.clean(field, raw, 4*maxID)
	switch {
	case id == "":
		v.fault(field, "missing: every listing needs one that never changes")
		return ""
	case strings.ContainsFunc(raw, unprintable):
		v.fault(field, "%+q contains an invisible character", raw)
	case utf8.RuneCountInString(id) > maxID:
		v.fault(field, "%d characters are more than the %d allowed", utf8.RuneCountInString(id), maxID)
	}
	for i, r := range id {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && (i == 0 || !strings.ContainsRune("-_.:@", r)) {
			v.fault(field, "%+q contains %+q: want letters and digits, and - _ . : @ after the first", id, r)
		}
	}
	return id
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) && !unicode.Is(unicode.M, r) }

func (v *validator) kind(field string, k Kind) Kind {
	switch k = Kind(strings.ToLower(strings.TrimSpace(string(k)))); k {
	case Expert, Technology, Problem:
	case "":
		v.fault(field, "missing: want expert, technology or problem")
	default:
		v.fault(field, "%q is none of expert, technology, problem", string(k))
	}
	return k
}

func (v *validator) oneOf(field, s string, allowed []string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" {
		return ""
	}
	for _, a := range allowed {
		if a == s {
			return s
		}
	}
	v.fault(field, "%q is none of %s", s, strings.Join(allowed, ", "))
	return s
}

// codes maps every entry of a list and drops empty ones and repetitions.
func (v *validator) codes(field string, in []string, one func(field, s string) string) []string {
	if len(in) > MaxList {
		v.fault(field, "%d entries are more than the %d allowed", len(in), MaxList)
		return nil
	}
	var out []string
	seen := map[string]bool{}
	for i, s := range in {
		if s = one(fmt.Sprintf("%s[%d]", field, i), s); s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

func (v *validator) fields(field string, in []string) []string {
	return v.codes(field, in, func(field, s string) string {
		if s = strings.TrimSpace(s); s != "" && !glossary.IsField(s) {
			v.fault(field, "%q is no OECD FORD code: want 1 to 6, or a minor code such as 2.7", s)
		}
		return s
	})
}

func (v *validator) regions(field string, in []string) []string {
	return v.codes(field, in, func(field, s string) string {
		s = v.clean(field, s, 4*maxTitle)
		if s == "" {
			return ""
		}
		code, ok := glossary.RegionCode(s)
		if !ok {
			v.fault(field, "%q is no region we know: want an ISO 3166 code such as VN or VN-HP, or a name in vi, fr, en, ko or zh", s)
		}
		return code
	})
}

func (v *validator) language(field, s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return ""
	}
	tag, ok := text.LanguageTag(s)
	if !ok {
		v.fault(field, "%q is no language tag: want BCP-47 such as vi, fr, en, ko, zh", s)
	}
	return tag
}

func (v *validator) languages(field string, in []string) []string {
	return v.codes(field, in, v.language)
}

func (v *validator) url(field, s string) string {
	if s = v.line(field, s, 2000); s == "" {
		return ""
	}
	if !IsWebAddress(s) {
		v.fault(field, "%q is no web address: want https://…", s)
	}
	return s
}

// IsWebAddress reports whether s is an absolute http or https address.
func IsWebAddress(s string) bool {
	u, err := url.Parse(strings.TrimSpace(s))
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// date accepts a calendar date, or an RFC 3339 time, which carries its zone.
func (v *validator) date(field, s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return ""
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t, err = time.Parse(time.RFC3339, s)
	}
	if err != nil || t.Year() < 1900 || t.Year() > 2200 {
		v.fault(field, "%q is no date: want 2026-05-31, or 2026-05-31T17:00:00+07:00", s)
	}
	return s
}

func (v *validator) works(l *Listing) {
	if len(l.Works) > MaxWorks {
		v.fault("works", "%d works are more than the %d allowed", len(l.Works), MaxWorks)
		return
	}
	for i := range l.Works {
		w, at := &l.Works[i], fmt.Sprintf("works[%d].", i)
		w.Title = v.line(at+"title", w.Title, 2*maxTitle)
		w.Text = v.text(at+"text", w.Text)
		if w.Title == "" && w.Text == "" {
			v.fault(at+"title", "missing: a work needs a title or a text")
		}
		if w.Year != 0 && (w.Year < 1800 || w.Year > 2200) {
			v.fault(at+"year", "%d is no year", w.Year)
		}
		w.URL = v.url(at+"url", w.URL)
	}
}
