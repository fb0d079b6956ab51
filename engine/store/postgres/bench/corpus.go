package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/viterin/vek/vek32"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
)

const (
	dim   = 384
	model = "bench-1"
	words = 40 // of a passage
)

// corpus is synthetic: vectors in clusters; words by Zipf's law with a few terms of the glossary; regions that stand on
// every passage, one in ten, a hundred, a thousand; and a field of a tenth of the clusters, from which no query comes.
type corpus struct {
	n       int
	vectors []float32 // n x dim
	queries []query
	foreign []bool // passages of the field that no query is near to
	centres [][]float32
	cluster []int
}

type query struct {
	text   string
	vector []float32
}

// filters of the table, by name, with the share of the corpus they leave.
var filters = []struct {
	name   string
	share  float64
	filter engine.Filter
}{
	{"100 %", 1, engine.Filter{}},
	{"10 %", 0.1, engine.Filter{Regions: []string{"VN-CT"}}},
	{"1 %", 0.01, engine.Filter{Regions: []string{"VN-HP"}}},
	{"0.1 %", 0.001, engine.Filter{Regions: []string{"VN-HN"}}},
	{"foreign", 0.1, engine.Filter{Fields: []string{"4.1"}}},
}

func newCorpus(n, queries int) *corpus {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	c := &corpus{n: n, vectors: make([]float32, 0, n*dim), foreign: make([]bool, n), cluster: make([]int, n)}
	c.centres = make([][]float32, max(50, n/200))
	for i := range c.centres {
		c.centres[i] = noisy(rng, make([]float32, dim), 1)
	}
	for i := range n {
		k := rng.IntN(len(c.centres))
		c.foreign[i], c.cluster[i] = k%10 == 0, k
		c.vectors = append(c.vectors, noisy(rng, c.centres[k], 0.8)...)
	}
	for i := range queries {
		k := rng.IntN(len(c.centres))
		for k%10 == 0 {
			k = rng.IntN(len(c.centres))
		}
		c.queries = append(c.queries, query{fmt.Sprintf("q%d ", i) + text(rand.New(rand.NewPCG(3, uint64(i))), 8), noisy(rng, c.centres[k], 0.8)})
	}
	return c
}

// text is of n words, every tenth of them a term of the glossary.
func text(rng *rand.Rand, n int) string {
	zipf := rand.NewZipf(rng, 1.1, 20, 60_000)
	g := glossary.Default()
	out := make([]string, n)
	for i := range out {
		out[i] = "w" + strconv.FormatUint(zipf.Uint64(), 36) + "q"
		if i%10 == 4 {
			out[i] = g.Concept(rng.IntN(g.Len())).Label("en")
		}
	}
	return strings.Join(out, " ")
}

// noisy returns centre with Gaussian noise of the given length added, as a unit vector.
func noisy(rng *rand.Rand, centre []float32, length float64) []float32 {
	out := make([]float32, dim)
	var norm float64
	for i := range out {
		x := float64(centre[i]) + rng.NormFloat64()*length/math.Sqrt(dim)
		out[i] = float32(x)
		norm += x * x
	}
	for i := range out {
		out[i] /= float32(math.Sqrt(norm))
	}
	return out
}

func (c *corpus) vector(i int) []float32 { return c.vectors[i*dim : (i+1)*dim] }

// leaves reports whether filter number f leaves passage i.
func (c *corpus) leaves(f, i int) bool {
	if filters[f].name == "foreign" {
		return c.foreign[i]
	}
	return i%int(math.Round(1/filters[f].share)) == 0
}

// entry is listing i: one passage, so that recall is the same for both.
func (c *corpus) entry(i int) engine.Entry {
	l := &engine.Listing{ID: id(i), Kind: engine.Technology, Title: "-", Text: text(rand.New(rand.NewPCG(2, uint64(i))), words), Lang: "en", Fields: []string{"2.7"}, Regions: []string{"VN-SG"}}
	if c.foreign[i] {
		l.Fields[0] = "4.1"
	}
	for f, region := range []string{"", "VN-CT", "VN-HP", "VN-HN"} {
		if region != "" && c.leaves(f, i) {
			l.Regions = append(l.Regions, region)
		}
	}
	return engine.Entry{Listing: l, Passages: []engine.Passage{{Source: engine.FromText, End: len(l.Text)}}, Vectors: [][]float32{c.vector(i)}}
}

func id(i int) string { return fmt.Sprintf("d%07d", i) }

// truth returns the k nearest passages that filter f leaves, by comparing all. Those that point away count as nothing,
// whatever their order.
func (c *corpus) truth(f int, q []float32, k int) []int {
	type scored struct {
		i int
		s float32
	}
	best := make([]scored, 0, k+1)
	for i := range c.n {
		if !c.leaves(f, i) {
			continue
		}
		s := vek32.Dot(q, c.vector(i))
		if s <= 0 || len(best) == k && s <= best[k-1].s {
			continue
		}
		at := len(best)
		for at > 0 && best[at-1].s < s {
			at--
		}
		best = append(best, scored{})
		copy(best[at+1:], best[at:])
		best[at] = scored{i, s}
		best = best[:min(k, len(best))]
	}
	out := make([]int, len(best))
	for i, b := range best {
		out[i] = b.i
	}
	return out
}
