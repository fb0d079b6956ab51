package embeddings

import (
	"unicode/utf8"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/text"
)

// PassageWeight is how much text one passage holds at most: about 250 English words, 350 Vietnamese syllables or 500
// Chinese characters, which is some 350 to 500 tokens of the usual models.
const PassageWeight = 1_600

// Split cuts a listing's texts into passages at sentence boundaries. Passages of one text are of about equal weight,
// each at most PassageWeight; a single longer sentence is cut between words, or between characters where a script has
// no spaces, never inside a character. Every work gives at least one passage.
func Split(l *engine.Listing) []engine.Passage {
	var out []engine.Passage
	for _, source := range []int{engine.FromSummary, engine.FromText} {
		out = split(out, source, l.SourceText(source))
	}
	for i := range l.Works {
		out = split(out, i, l.SourceText(i))
	}
	return out
}

func split(out []engine.Passage, source int, s string) []engine.Passage {
	total := weight(s)
	if total == 0 {
		return out
	}
	parts := (total + PassageWeight - 1) / PassageWeight
	target := (total + parts - 1) / parts
	cur, sum := engine.Passage{Source: source, Start: -1}, 0
	flush := func() {
		if cur.Start >= 0 {
			out = append(out, cur)
		}
		cur.Start, sum = -1, 0
	}
	text.Sentences(s, func(start, end int) {
		for _, piece := range pieces(s, start, end) {
			if cur.Start >= 0 {
				// A passage ends where it is full, or where stopping is nearer to the target than going on.
				if w := weight(s[cur.End:piece[1]]); sum+w > PassageWeight || sum+w/2 > target {
					flush()
				}
			}
			if cur.Start < 0 {
				cur.Start, cur.End = piece[0], piece[0]
			}
			sum += weight(s[cur.End:piece[1]])
			cur.End = piece[1]
		}
	})
	flush()
	return out
}

// pieces returns the range [start, end) of s, cut where it weighs more than a passage may.
func pieces(s string, start, end int) [][2]int {
	var out [][2]int
	sum, space := 0, -1 // space is the last place for a cut
	for i := start; i < end; {
		r, size := utf8.DecodeRuneInString(s[i:end])
		w := runeWeight(r)
		if sum+w > PassageWeight {
			cut := i
			if space > start {
				cut = space
			}
			out = append(out, [2]int{start, cut})
			start, space = cut, -1
			sum = weight(s[start:i])
		}
		if r == ' ' {
			space = i + 1
		}
		sum += w
		i += size
	}
	return append(out, [2]int{start, end})
}

// weight is the length of s in Latin letters, as models count: characters of scripts with richer characters weigh three.
func weight(s string) int {
	n := 0
	for _, r := range s {
		n += runeWeight(r)
	}
	return n
}

func runeWeight(r rune) int {
	if r >= 0x0E00 && (r < 0x1E00 || r >= 0x2E80) {
		return 3
	}
	return 1
}
