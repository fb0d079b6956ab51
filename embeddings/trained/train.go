package trained

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
)

// Options of a training. Zero values stand for the defaults.
type Options struct {
	Dim      int                   // width of the vectors; an eighth of the passages, 32 to 256: few texts teach few directions
	Seed     uint64                // of the random start; 1
	Progress func(step, steps int) // may be nil
}

// Trainer collects texts and learns from them. It is not safe for concurrent use.
type Trainer struct {
	glossary *glossary.Glossary
	ids      map[string]int32
	names    []string
	listings []int32 // in how many listings each token stands
	last     []int32 // the last of them, so that each counts once
	rows     [][]cell
	langs    []string // of each row
	n        int32
}

// cell is how often a token stands in a passage, then what it weighs there.
type cell struct {
	token int32
	value float32
}

// NewTrainer returns a trainer over a glossary.
func NewTrainer(g *glossary.Glossary) *Trainer {
	return &Trainer{glossary: g, ids: map[string]int32{}}
}

// Add takes the passages of one listing.
func (t *Trainer) Add(passages []string) {
	t.n++
	counts := map[int32]float64{}
	for _, p := range passages {
		clear(counts)
		lang := eachToken(t.glossary, p, func(token string, mentions float64) {
			id, known := t.ids[token]
			if !known {
				id = int32(len(t.names))
				t.ids[token] = id
				t.names, t.listings, t.last = append(t.names, token), append(t.listings, 0), append(t.last, 0)
			}
			counts[id] += mentions
			if t.last[id] != t.n {
				t.last[id] = t.n
				t.listings[id]++
			}
		})
		if len(counts) == 0 {
			continue
		}
		row := make([]cell, 0, len(counts))
		for id, c := range counts {
			row = append(row, cell{id, float32(c)})
		}
		t.rows, t.langs = append(t.rows, row), append(t.langs, lang)
	}
}

// ErrTooFew is returned when there is not enough to learn from.
var ErrTooFew = errors.New("too few texts to learn from: bring in more, or stay with the built-in model")

const (
	leastListings = 3   // that a token must stand in: what one listing says alone teaches nothing, and is nobody's business
	leastPassages = 200 // to learn from, and of a language for a common direction of its own: 30
	leastOfLang   = 30
	oversampling  = 20
	rounds        = 3    // of the subspace iteration
	power         = 0.25 // of the squared singular values: how much more the main directions count than the others
)

// Train learns, and may be called once. The same texts in the same order, options and machine give the same model.
func (t *Trainer) Train(ctx context.Context, o Options) (*Embedder, error) {
	if len(t.rows) < leastPassages {
		return nil, ErrTooFew
	}
	l := learned{Tokens: t.vocabulary()}
	m := len(l.Tokens)
	if o.Dim == 0 {
		o.Dim = max(32, min(len(t.rows)/8, 256))
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	wide := o.Dim + oversampling
	if wide > m {
		return nil, ErrTooFew
	}
	steps, step := rounds+2, 0
	tick := func() {
		if step++; o.Progress != nil {
			o.Progress(step, steps)
		}
	}
	l.Width, l.Bridge = o.Dim, t.bridge()
	l.Weights = t.weigh(l.Tokens, l.Bridge)
	tick()
	rng := rand.New(rand.NewPCG(o.Seed, uint64(m)))
	y := mat.NewDense(m, wide, nil)
	for i, data := 0, y.RawMatrix().Data; i < len(data); i++ {
		data[i] = rng.NormFloat64()
	}
	var err error
	for range rounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if y, err = orthonormal(t.gram(y)); err != nil {
			return nil, err
		}
		tick()
	}
	if err := l.directions(t.gram(y), y); err != nil {
		return nil, err
	}
	e := newEmbedder(t.glossary, l)
	e.learnCommon(t)
	e.learned.ID, err = e.digest()
	tick()
	return e, err
}

func newEmbedder(g *glossary.Glossary, l learned) *Embedder {
	e := &Embedder{glossary: g, learned: l, tokens: make(map[string]int32, len(l.Tokens))}
	for i, name := range l.Tokens {
		e.tokens[name] = int32(i)
	}
	return e
}

// vocabulary is what stands in enough listings, in order; the rows' tokens are numbered by it, the others dropped.
func (t *Trainer) vocabulary() (names []string) {
	for id, n := range t.listings {
		if n >= leastListings {
			names = append(names, t.names[id])
		}
	}
	slices.Sort(names)
	at := make(map[int32]int32, len(names))
	for i, name := range names {
		at[t.ids[name]] = int32(i)
	}
	for r, row := range t.rows {
		kept := row[:0]
		for _, c := range row {
			if i, ok := at[c.token]; ok {
				kept = append(kept, cell{i, c.value})
			}
		}
		slices.SortFunc(kept, func(a, b cell) int { return int(a.token - b.token) })
		t.rows[r] = kept
	}
	return names
}

// bridge is how much more concepts count than in a corpus of one language: up to six times as much in one of five even ones.
func (t *Trainer) bridge() float64 {
	counts := map[string]float64{}
	for _, lang := range t.langs {
		counts[lang]++
	}
	alike := 0.0 // the chance that two passages have one language
	for _, lang := range append([]string{""}, text.Languages...) {
		p := counts[lang] / float64(len(t.langs))
		alike += p * p
	}
	return 1 + 6*(1-alike)
}

// weigh turns the counts into weights, rows of length 1, and returns what each token weighs in an average: the logarithm of how
// rare it is, times the bridge for concepts.
func (t *Trainer) weigh(names []string, bridge float64) []float32 {
	in := make([]float64, len(names))
	for _, row := range t.rows {
		for _, c := range row {
			in[c.token]++
		}
	}
	out := make([]float32, len(names))
	for i := range out {
		out[i] = float32(math.Log(1 + float64(len(t.rows))/in[i]))
	}
	for _, row := range t.rows {
		length := 0.0
		for k, c := range row {
			n := float64(c.value)
			if strings.HasPrefix(names[c.token], conceptMark) {
				n *= bridge
			}
			v := damp(n) * float64(out[c.token])
			row[k].value = float32(v)
			length += v * v
		}
		length = math.Sqrt(max(length, 1e-30))
		for k := range row {
			row[k].value = float32(float64(row[k].value) / length)
		}
	}
	return out
}

// gram returns AᵀAy, A being the rows.
func (t *Trainer) gram(y *mat.Dense) *mat.Dense {
	m, wide := y.Dims()
	out := mat.NewDense(m, wide, nil)
	sum := make([]float64, wide)
	for _, row := range t.rows {
		clear(sum)
		for _, c := range row {
			v := float64(c.value)
			for j, x := range y.RawRowView(int(c.token)) {
				sum[j] += v * x
			}
		}
		for _, c := range row {
			v := float64(c.value)
			o := out.RawRowView(int(c.token))
			for j, x := range sum {
				o[j] += v * x
			}
		}
	}
	return out
}

// orthonormal returns columns of length 1 at right angles that span the same space, by Cholesky decomposition.
func orthonormal(y *mat.Dense) (*mat.Dense, error) {
	_, wide := y.Dims()
	for range 2 { // once leaves what rounding does to nearly parallel columns
		var g mat.SymDense
		g.SymOuterK(1, y.T())
		for i := range wide {
			g.SetSym(i, i, g.At(i, i)*(1+1e-12)+1e-18)
		}
		var ch mat.Cholesky
		if !ch.Factorize(&g) {
			return nil, errors.New("the listings are too alike to learn from")
		}
		var r, inverse mat.TriDense
		ch.UTo(&r)
		var badly mat.Condition // near singular is no fault: the second time mends it
		if err := inverse.InverseTri(&r); err != nil && !errors.As(err, &badly) {
			return nil, err
		}
		var q mat.Dense
		q.Mul(y, &inverse)
		y = &q
	}
	return y, nil
}

// directions finds, in the space of y, the directions that hold most (eigenvectors of yᵀAᵀAy, z being AᵀAy), and keeps each
// token's place along them.
func (l *learned) directions(z, y *mat.Dense) error {
	m, wide := y.Dims()
	var small mat.Dense
	small.Mul(y.T(), z)
	sym := mat.NewSymDense(wide, nil)
	for i := range wide {
		for j := i; j < wide; j++ {
			sym.SetSym(i, j, (small.At(i, j)+small.At(j, i))/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(sym, true) {
		return errors.New("the decomposition does not come to an end")
	}
	values := eig.Values(nil)
	var turn, v mat.Dense
	eig.VectorsTo(&turn)
	v.Mul(y, &turn)
	l.Scales, l.Vectors = make([]float32, m), make([]int8, m*l.Width)
	row := make([]float64, l.Width)
	for i := range m {
		length, most := 0.0, 0.0
		for j := range row {
			c := wide - 1 - j // the largest stand last
			row[j] = v.At(i, c) * math.Pow(max(values[c], 0), power)
			length += row[j] * row[j]
			most = max(most, math.Abs(row[j]))
		}
		if most == 0 {
			continue
		}
		l.Scales[i] = float32(most / 127 / math.Sqrt(length))
		for j, x := range row {
			l.Vectors[i*l.Width+j] = int8(math.Round(x / most * 127))
		}
	}
	return nil
}

// learnCommon finds what texts share: the mean of the passages, of all and of each language that has enough.
func (e *Embedder) learnCommon(t *Trainer) {
	e.Common = map[string][]float32{"": e.mean(t, func(string) bool { return true })}
	for _, lang := range text.Languages {
		if c := e.mean(t, func(of string) bool { return of == lang }); c != nil {
			e.Common[lang] = c
		}
	}
}

func (e *Embedder) mean(t *Trainer, counts func(lang string) bool) []float32 {
	mean, sum, n := make([]float64, e.Width), make([]float64, e.Width), 0
	for i, row := range t.rows {
		if !counts(t.langs[i]) {
			continue
		}
		n++
		clear(sum)
		for _, c := range row {
			w := float64(e.Weights[c.token]) * float64(e.Scales[c.token])
			for j, v := range e.Vectors[int(c.token)*e.Width : int(c.token+1)*e.Width] {
				sum[j] += w * float64(v)
			}
		}
		add(mean, sum)
	}
	if n < leastOfLang {
		return nil
	}
	out, all := make([]float32, e.Width), make([]float64, e.Width)
	add(all, mean)
	for j, v := range all {
		out[j] = float32(v)
	}
	return out
}

// add adds v at length 1 to a sum.
func add(sum, v []float64) {
	length := 0.0
	for _, x := range v {
		length += x * x
	}
	length = math.Sqrt(max(length, 1e-30))
	for j, x := range v {
		sum[j] += x / length
	}
}
