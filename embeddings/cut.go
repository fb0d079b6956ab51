package embeddings

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/ketnoi/ketnoi/engine/text"
)

// span is bytes [start, end) of a text, with the number of their tokens, and whether a sentence begins there.
type span struct {
	start, end, tokens int
	opens              bool
}

// spans returns the sentences of s in order; one of more than limit tokens comes in parts. White space between them is
// left out, nothing else.
func spans(s string, limit int, count func(string) int) (out []span) {
	text.Sentences(s, func(start, end int) {
		first := len(out)
		out = appendSpans(out, s, start, end, limit, 0, count)
		out[first].opens = true
	})
	return out
}

// cutters cut a text where it may be cut, from the best place to the worst: behind a clause, between words, between what a
// reader takes for characters. A Vietnamese syllable is a word here, so it is never cut.
var cutters = []func(s string) (end int){clauseEnd, wordsEnd, characterEnd}

func appendSpans(out []span, s string, start, end, limit, level int, count func(string) int) []span {
	n := count(s[start:end])
	if n <= limit || level == len(cutters) {
		return append(out, span{start, end, n, false})
	}
	var cur span
	flush := func() {
		if cur.end > cur.start {
			out = append(out, cur)
		}
	}
	cur.start, cur.end = start, start
	for at := start; at < end; {
		next := at + cutters[level](s[at:end])
		n := count(s[at:next])
		if cur.tokens+n > limit {
			flush()
			cur = span{start: at, end: at}
		}
		if n > limit {
			out = appendSpans(out, s, at, next, limit, level+1, count)
			cur = span{start: next, end: next}
		} else {
			cur.end, cur.tokens = next, cur.tokens+n
		}
		at = next
	}
	flush()
	return trimmed(out, s)
}

// trimmed takes the white space off the ends of spans.
func trimmed(spans []span, s string) []span {
	out := spans[:0]
	for _, p := range spans {
		piece := s[p.start:p.end]
		p.start += len(piece) - len(strings.TrimLeftFunc(piece, unicode.IsSpace))
		p.end -= len(piece) - len(strings.TrimRightFunc(piece, unicode.IsSpace))
		if p.start < p.end {
			out = append(out, p)
		}
	}
	return out
}

// clauseEnd is behind the first clause of s and the space that follows it.
func clauseEnd(s string) int {
	for i, r := range s {
		end := i + utf8.RuneLen(r)
		switch r {
		case '，', '、', '；', '：':
			return end
		case ',', ';', ':':
			if end < len(s) && s[end] == ' ' {
				return end + 1
			}
		}
	}
	return len(s)
}

// wordsEnd is behind the first word of s and the space that follows it.
func wordsEnd(s string) int {
	space := false
	for i, r := range s {
		if unicode.IsSpace(r) {
			space = true
		} else if space {
			return i
		}
	}
	return len(s)
}

// characterEnd is behind the first character of s with everything that is written with it.
func characterEnd(s string) int {
	cluster, _, _, _ := uniseg.FirstGraphemeClusterInString(s, -1)
	end := len(cluster)
	if end > maxCluster {
		for end = maxCluster; !utf8.RuneStart(s[end]); end-- {
		}
	}
	return max(end, 1)
}

// maxCluster is how many bytes one character may have: clusters have no bound of their own, and what is longer than any honest
// one is cut between code points.
const maxCluster = 64

// Fit returns what cuts a text into parts that a model takes: of at most window tokens by the vocabulary of that name, or, for
// one that we do not have, by ours with a margin. Texts that fit, which passages usually do, come back as they are; parts end
// behind sentences where they can, else as passages do.
func Fit(window int, tokenizer string) func(s string) []string {
	count := func(s string) int { return TokensOf(tokenizer, s) }
	window = max(window-fitReserve, 8)
	return func(s string) []string {
		if len(s) <= window || count(s) <= window {
			return []string{s}
		}
		var out []string
		cur := span{}
		for _, p := range spans(s, window, count) {
			if cur.tokens > 0 && cur.tokens+p.tokens > window {
				out = append(out, s[cur.start:cur.end])
				cur = span{}
			}
			if cur.tokens == 0 {
				cur.start = p.start
			}
			cur.end, cur.tokens = p.end, cur.tokens+p.tokens
		}
		return append(out, s[cur.start:cur.end])
	}
}

// fitReserve is for the tokens that models put around a text.
const fitReserve = 4
