package record

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// Plain returns a text without the HTML or JATS markup that profiles and titles hold; blocks become lines. Only tags
// known by name are taken for markup, so that "p<0.05 and x>1" stays.
func Plain(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return strings.TrimSpace(s)
	}
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	hidden := "" // the element whose content is no text
	for {
		kind := z.Next()
		raw := string(z.Raw())
		switch kind {
		case html.ErrorToken:
			if hidden == "" { // a tag that the text ends in is none
				b.WriteString(html.UnescapeString(raw))
			}
			return lines(b.String())
		case html.TextToken:
			if hidden == "" {
				b.WriteString(html.UnescapeString(raw))
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			tag := strings.TrimPrefix(string(name), "jats:")
			switch known := markup[tag]; {
			case tag == "script" || tag == "style":
				hidden = tag
				if kind == html.EndTagToken {
					hidden = ""
				}
			case hidden != "":
			case known == block:
				b.WriteByte('\n')
			case known == 0:
				b.WriteString(html.UnescapeString(raw))
			}
		case html.CommentToken: // also what only looks like one: "<- arrow"
			if hidden == "" && !strings.HasPrefix(raw, "<!") {
				b.WriteString(raw)
			}
		}
	}
}

const (
	inline = iota + 1
	block
)

var markup = func() map[string]int {
	m := map[string]int{}
	for _, tag := range strings.Fields("a abbr b bold big em font i italic img ins del mark q s small span strike strong sub sup tt u code inline-formula") {
		m[tag] = inline
	}
	for _, tag := range strings.Fields("p div br hr h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table tbody thead tr td th pre blockquote section title sec list list-item") {
		m[tag] = block
	}
	return m
}()

// lines trims every line and leaves out empty ones.
func lines(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// Name joins the parts of a name as its language does: Chinese and Korean script family first without a space,
// Vietnamese (by the tag lang) family first, others given name first.
func Name(given, middle, family, lang string) string {
	given, middle, family = strings.TrimSpace(given), strings.TrimSpace(middle), strings.TrimSpace(family)
	lang, _, _ = strings.Cut(strings.ToLower(lang), "-")
	switch {
	case eastern(family) && eastern(given):
		return family + middle + given
	case lang == "vi":
		return strings.Join(strings.Fields(family+" "+middle+" "+given), " ")
	}
	return strings.Join(strings.Fields(given+" "+middle+" "+family), " ")
}

// eastern reports whether s is written in Chinese characters or Hangul alone.
func eastern(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.In(r, unicode.Han, unicode.Hangul) })
}
