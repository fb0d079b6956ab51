// Package trained is an embedder that learns from the operator's own listings, offline: words that stand with the same
// words and concepts come to point the same way. The glossary's concepts are tokens that all languages share, so that a
// Korean word and a Vietnamese one that stand with the same concepts come to point the same way too.
//
// A text is the weighted average of its tokens' vectors, without what all texts of its language have in common. Sources:
// latent semantic analysis, Deerwester et al. 1990; the randomized range finder, Halko, Martinsson and Tropp 2011; averages
// without the common direction, Arora, Liang and Ma 2017.
package trained

import (
	"context"
	"math"
	"slices"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
)

// Embedder is a trained model. It implements embeddings.Embedder and is safe for concurrent use.
type Embedder struct {
	glossary *glossary.Glossary
	learned
	tokens map[string]int32
}

// learned is what a training leaves.
type learned struct {
	ID      string // names what was learned
	Width   int
	Bridge  float64              // how much more a concept counts than in a corpus of one language
	Tokens  []string             // words, and concepts behind conceptMark; sorted
	Weights []float32            // of each token in an average: the rarer, the more
	Scales  []float32            // of each token's vector
	Vectors []int8               // Width a token; times its scale, of length 1
	Common  map[string][]float32 // by language, and "" for all: what texts have in common, of length 1
}

// conceptMark begins the token of a concept or field; no word does.
const conceptMark = "\x00"

// NameOf is the name of a model under a glossary: other terms, other vectors.
func NameOf(id string, g *glossary.Glossary) string { return "trained-" + id + "-" + g.Version() }

// ID names what was learned, whatever the glossary.
func (e *Embedder) ID() string { return e.learned.ID }

// Model implements embeddings.Embedder.
func (e *Embedder) Model() string { return NameOf(e.learned.ID, e.glossary) }

// Dim implements embeddings.Embedder.
func (e *Embedder) Dim() int { return e.Width }

// Size is how many words and concepts the model knows.
func (e *Embedder) Size() int { return len(e.Tokens) }

// Embed implements embeddings.Embedder. It fails only when ctx is done. A text without a single token that the model knows
// gets the same vector as any other such text.
func (e *Embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	all := make([]float32, len(texts)*e.Width)
	out := make([][]float32, len(texts))
	counts := map[int32]float64{}
	sum := make([]float64, e.Width)
	for i, t := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		clear(counts)
		clear(sum)
		lang := eachToken(e.glossary, t, func(token string, mentions float64) {
			if id, known := e.tokens[token]; known {
				if token[0] == conceptMark[0] {
					mentions *= e.Bridge
				}
				counts[id] += mentions
			}
		})
		e.average(sum, counts)
		out[i] = all[i*e.Width : (i+1)*e.Width : (i+1)*e.Width]
		finish(out[i], sum, e.common(lang))
	}
	return out, nil
}

func (e *Embedder) common(lang string) []float32 {
	if c := e.Common[lang]; c != nil {
		return c
	}
	return e.Common[""]
}

// average adds the weighted vectors of a text's tokens into sum, in the order of their numbers.
func (e *Embedder) average(sum []float64, counts map[int32]float64) {
	ids := make([]int32, 0, len(counts))
	for id := range counts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		w := damp(counts[id]) * float64(e.Weights[id]) * float64(e.Scales[id])
		for j, v := range e.Vectors[int(id)*e.Width : int(id+1)*e.Width] {
			sum[j] += w * float64(v)
		}
	}
}

// damp makes the second mention count less than the first.
func damp(n float64) float64 { return math.Log2(1 + n) }

// finish writes sum, without its part along common, at length 1.
func finish(out []float32, sum []float64, common []float32) {
	along := 0.0
	for j, c := range common {
		along += sum[j] * float64(c)
	}
	length := 0.0
	for j, c := range common {
		sum[j] -= along * float64(c)
		length += sum[j] * sum[j]
	}
	if length < 1e-12 { // no token, or nothing beyond what all have
		for j := range out {
			out[j] = float32(1 / math.Sqrt(float64(len(out))))
		}
		return
	}
	length = math.Sqrt(length)
	for j, v := range sum {
		out[j] = float32(v / length)
	}
}

// Mentions that a concept, what it is a kind of, and its field count for, beside a word's 1. Where a corpus has several
// languages they count for more (bridge): concepts are all that those share.
const (
	ofConcept = 2.0
	ofBroader = 0.67
	ofField   = 0.17
)

// eachToken yields the words of a text, and what it mentions of the glossary with what that is a kind of. It returns the text's
// language, a guess where it is short.
func eachToken(g *glossary.Glossary, s string, yield func(token string, mentions float64)) string {
	text.Terms(s, func(term []byte, _, _ int) {
		if term[0] != '=' && !text.IsStopWord(string(term)) {
			yield(string(term), 1)
		}
	})
	lang, sure := text.Detect(s)
	stated := lang
	if !sure {
		stated = "" // a wrong guess would hide concepts
	}
	g.Find(s, stated, func(m glossary.Mention) {
		c := g.Concept(m.Concept)
		yield(conceptMark+c.ID, ofConcept)
		for up, w := c.Broader, ofBroader; up != glossary.None && w > 0.1; up, w = g.Concept(up).Broader, w/2 {
			yield(conceptMark+g.Concept(up).ID, w)
		}
		for _, code := range glossary.FieldAncestors(c.Field) {
			yield(conceptMark+"field "+code, ofField)
		}
	})
	return lang
}
