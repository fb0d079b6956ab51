// Package lexicon is the built-in embedder: offline, deterministic and fast. It knows the glossary, so that a concept
// named in Korean lands near the same concept named in Vietnamese; words outside the glossary still count, by a
// direction of their own.
//
// Every concept and field has a fixed pattern of +1 and -1 over all dimensions, drawn from its name, and every word one
// over a few of them. A text is the weighted sum of the patterns of what it names, brought to length 1. All sums are
// whole numbers, and the one square root and the divisions are exactly rounded in IEEE 754, so that the same text
// gives the same bits on every machine.
package lexicon

import (
	"context"
	"math"
	"sync"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
)

// Dim is the width of the vectors.
const Dim = 384

// The weights, in whole units. A concept is mostly itself, in part its broader concept, a little its neighbours and
// its field; a word that is no concept weighs less than one that is.
const (
	own      = 48
	broader  = 20
	related  = 8
	field    = 10
	major    = 4
	word     = 28 // on 48 dimensions only, which is as long as 10 on all
	weakWord = 8
	trigram  = 14 // on 8 dimensions, as long as 2 on all

	wordSpread    = 48
	trigramSpread = 8
)

// Embedder implements embeddings.Embedder.
type Embedder struct {
	glossary *glossary.Glossary
	model    string
	concepts [][Dim]int16 // the pattern of each concept with its surroundings
	scratch  sync.Pool
}

// New returns the embedder over a glossary. The model's name carries the glossary's version, and that the matcher's: other
// terms, or found otherwise, other vectors. The number before it is raised when the tokenizer or the sums change.
func New(g *glossary.Glossary) *Embedder {
	e := &Embedder{glossary: g, model: "lexicon-2-" + g.Version(), concepts: make([][Dim]int16, g.Len())}
	e.scratch.New = func() any { return &sums{words: map[string]int32{}, concepts: map[int]int32{}} }
	for n := range e.concepts {
		e.concepts[n] = pattern(g, n)
	}
	return e
}

// pattern is the direction of a concept: its own and its surroundings'.
func pattern(g *glossary.Glossary, n int) (p [Dim]int16) {
	c := g.Concept(n)
	spread(&p, "concept "+c.ID, own)
	for up, w := c.Broader, broader; up != glossary.None && w > 1; up, w = g.Concept(up).Broader, w/2 {
		spread(&p, "concept "+g.Concept(up).ID, w)
	}
	for _, r := range c.Related {
		spread(&p, "concept "+g.Concept(r).ID, related)
	}
	for i, code := range glossary.FieldAncestors(c.Field) {
		spread(&p, "field "+code, []int{field, major}[i])
	}
	return p
}

func spread(p *[Dim]int16, name string, weight int) {
	bits := draw([]byte(name))
	for i := range p {
		if bits[i/64]>>(i%64)&1 == 1 {
			p[i] += int16(weight)
		} else {
			p[i] -= int16(weight)
		}
	}
}

// draw returns Dim random bits that depend on the name only.
func draw(name []byte) (bits [Dim / 64]uint64) {
	g := seed(name)
	for i := range bits {
		bits[i] = g.next()
	}
	return bits
}

// generator is splitmix64 (Steele, Lea and Flood 2014).
type generator uint64

// seed starts a generator from a name by 64-bit FNV-1a.
func seed(name []byte) generator {
	h := uint64(14695981039346656037)
	for _, c := range name {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return generator(h)
}

func (g *generator) next() uint64 {
	*g += 0x9E3779B97F4A7C15
	z := uint64(*g)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// Model implements embeddings.Embedder.
func (e *Embedder) Model() string { return e.model }

// Dim implements embeddings.Embedder.
func (e *Embedder) Dim() int { return Dim }

// Embed implements embeddings.Embedder. It fails only when ctx is done. A text without a single word gets the same
// vector as any other such text.
func (e *Embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	all := make([]float32, len(texts)*Dim)
	out := make([][]float32, len(texts))
	for i, t := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out[i] = all[i*Dim : (i+1)*Dim : (i+1)*Dim]
		e.embed(out[i], t)
	}
	return out, nil
}

// sums is the work space of one text.
type sums struct {
	total    [Dim]int64
	words    map[string]int32
	concepts map[int]int32
}

func (e *Embedder) embed(out []float32, s string) {
	w := e.scratch.Get().(*sums)
	defer e.scratch.Put(w)
	clear(w.total[:])
	clear(w.words)
	clear(w.concepts)
	lang, sure := text.Detect(s)
	if !sure {
		lang = ""
	}
	e.glossary.Find(s, lang, func(m glossary.Mention) { w.concepts[m.Concept]++ })
	text.Terms(s, func(term []byte, _, _ int) {
		if term[0] != '=' {
			w.words[string(term)]++
		}
	})
	for c, n := range w.concepts {
		k := damp(n)
		for i, x := range e.concepts[c] {
			w.total[i] += k * int64(x)
		}
	}
	for t, n := range w.words {
		addWord(&w.total, t, damp(n))
	}
	normalise(out, &w.total)
}

// damp makes the second mention count less than the first: 16 times the square root, rounded down.
func damp(n int32) int64 { return int64(16 * math.Sqrt(float64(n))) }

// addWord adds a word's own direction and, so that related spellings ("capteur", "captation") are not strangers,
// those of its letter trigrams.
func addWord(total *[Dim]int64, term string, times int64) {
	if weak[term] {
		scatter(total, seed([]byte(term)), wordSpread, times*weakWord)
		return
	}
	scatter(total, seed([]byte(term)), wordSpread, times*word)
	if len(term) < 6 || term[0] >= 0x80 {
		return
	}
	for i := 0; i+3 <= len(term); i++ {
		scatter(total, ^seed([]byte(term[i:i+3])), trigramSpread, times*trigram)
	}
}

// scatter adds +weight or -weight to n dimensions that the generator picks, nine bits for the place and one for the
// sign of each; the same dimension may come twice.
func scatter(total *[Dim]int64, g generator, n int, weight int64) {
	for n > 0 {
		bits := g.next()
		for k := 0; k < 6 && n > 0; k, n = k+1, n-1 {
			at := (bits & 511) * Dim >> 9
			total[at] += weight * (int64(bits>>9&1)*2 - 1)
			bits >>= 10
		}
	}
}

// normalise writes total / |total|. The sum of squares is a whole number below 2^63, so its order does not matter.
func normalise(out []float32, total *[Dim]int64) {
	var squares int64
	for _, x := range total {
		squares += x * x
	}
	if squares == 0 { // not a single word
		for i := range total {
			total[i] = 1
		}
		squares = Dim
	}
	norm := math.Sqrt(float64(squares))
	for i, x := range total {
		out[i] = float32(float64(x) / norm)
	}
}
