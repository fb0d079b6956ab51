package embeddings

import (
	"github.com/ketnoi/ketnoi/engine"
)

// The size of a passage in tokens of its vocabulary (see Tokens), which no model decides, so that the vectors of several stand
// side by side: with its heading it fits models of 512 tokens.
const (
	PassageTokens = 384
	overlapTokens = PassageTokens / 8
)

// Split cuts a listing's texts into passages that end where sentences end. With its heading (see Listing.Heading) a passage
// has at most PassageTokens tokens, half of which are for its own text however long the heading is. Passages of one text are
// of about equal size, and repeat the sentence before them where that is short. A single longer sentence is cut behind a
// clause, else between words, else, where a script has no spaces, between characters. Every work gives at least one passage.
func Split(l *engine.Listing) []engine.Passage {
	var out []engine.Passage
	for _, source := range []int{engine.FromSummary, engine.FromText} {
		out = split(out, l, source)
	}
	for i := range l.Works {
		out = split(out, l, i)
	}
	return out
}

func split(out []engine.Passage, l *engine.Listing, source int) []engine.Passage {
	s, heading := l.SourceText(source), l.Heading(source)
	if len(heading)+1+len(s) <= PassageTokens { // a token has at least a byte: no need to count
		for _, p := range trimmed([]span{{end: len(s)}}, s) {
			out = append(out, engine.Passage{Source: source, Start: p.start, End: p.end})
		}
		return out
	}
	limit := max(PassageTokens-Tokens(heading)-1, PassageTokens/2)
	sentences := spans(s, limit, Tokens)
	total := 0
	for _, p := range sentences {
		total += p.tokens
	}
	target := total
	if total > limit {
		room := limit - overlapTokens // what is repeated, and what does not end where it should
		target /= (total + room - 1) / room
	}
	cur, sum, own := engine.Passage{Source: source, Start: -1}, 0, 0
	for i, p := range sentences {
		// A passage ends where it is full, or where stopping is nearer to the target than going on.
		if cur.Start >= 0 && (sum+p.tokens > limit || own+p.tokens/2 > target) {
			last := cur.Start
			out = append(out, cur)
			cur.Start, sum, own = -1, 0, 0
			if b := sentences[i-1]; b.opens && p.opens && b.start > last && b.tokens <= overlapTokens && b.tokens+p.tokens <= limit {
				cur.Start, sum = b.start, b.tokens
			}
		}
		if cur.Start < 0 {
			cur.Start = p.start
		}
		cur.End = p.end
		sum, own = sum+p.tokens, own+p.tokens
	}
	if cur.Start >= 0 {
		out = append(out, cur)
	}
	return out
}
