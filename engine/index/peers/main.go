// Command peers times the index beside what a Go user would write or take instead, all in one run: a plain loop, the
// bare sum of the same memory, and chromem-go. It is a module of its own, so that peers are no dependency of Kết Nối.
//
//	go run . -passages 10000,100000
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/philippgille/chromem-go"
	"github.com/viterin/vek/vek32"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
)

const (
	dim     = 384
	perWay  = 100 // what a recommendation retrieves by each way
	depth   = 10  // at which recall is taken
	queries = 60
)

func main() {
	sizes := flag.String("passages", "10000,100000", "how many passages, one or more numbers")
	flag.Parse()
	fmt.Printf("%s, %d CPUs, GOMAXPROCS %d; passages x %d, clustered unit vectors, medians of %d queries\n\n", runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0), dim, queries)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "passages\tfilter leaves\tway\tmedian\trecall@10\tbeside\t")
	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1000 {
			log.Fatalf("-passages %q: want numbers from 1000", s)
		}
		if err := compare(w, newCorpus(n)); err != nil {
			log.Fatal(err)
		}
	}
	w.Flush()
}

// corpus is synthetic: vectors in clusters, words by Zipf's law, and a region that stands on every passage, on one in
// ten, or on one in a hundred.
type corpus struct {
	n       int
	vectors []float32 // n x dim
	queries [][]float32
	texts   [][]string // of the queries: eight terms
	doc     []string
	share   []int // for each passage, 100, 10 or 1: the tightest filter that leaves it
}

// regions that the filters ask for, by the percentage they leave.
var regions = map[int]string{100: "VN", 10: "VN-R6", 1: "VN-HP"}

func newCorpus(n int) *corpus {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	c := &corpus{n: n, vectors: make([]float32, 0, n*dim)}
	centres := make([][]float32, max(50, n/200))
	for i := range centres {
		centres[i] = noisy(rng, make([]float32, dim), 1)
	}
	zipf := rand.NewZipf(rng, 1.1, 20, 60_000)
	word := func() string { return "w" + strconv.FormatUint(zipf.Uint64(), 36) + "q" }
	for i := range n {
		c.vectors = append(c.vectors, noisy(rng, centres[rng.IntN(len(centres))], 0.8)...)
		words := make([]string, 120)
		for j := range words {
			words[j] = word()
		}
		c.doc = append(c.doc, strings.Join(words, " "))
		share := 100
		if i%10 == 3 {
			share = 10
		}
		if i%100 == 3 {
			share = 1
		}
		c.share = append(c.share, share)
	}
	for range queries {
		c.queries = append(c.queries, noisy(rng, centres[rng.IntN(len(centres))], 0.8))
		terms := make([]string, 8)
		for j := range terms {
			terms[j] = word()
		}
		c.texts = append(c.texts, terms)
	}
	return c
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

func (c *corpus) left(percent int) []int {
	var out []int
	for i, s := range c.share {
		if s <= percent {
			out = append(out, i)
		}
	}
	return out
}

// Seq and Changes make the corpus a source for the index.
func (c *corpus) Seq(context.Context) (int64, error) { return int64(c.n), nil }

func (c *corpus) Changes(_ context.Context, since int64, _ string, yield func(index.Change) error) error {
	for i := int(since); i < c.n; i++ {
		region := map[int]string{100: "VN-HN", 10: "VN-CT", 1: "VN-HP"}[c.share[i]]
		l := &engine.Listing{ID: id(i), Kind: engine.Technology, Title: "-", Text: c.doc[i], Lang: "en", Regions: []string{region}}
		if c.share[i] == 1 {
			l.Regions = append(l.Regions, "VN-CT") // the 1 % are among the 10 %
		}
		e := engine.Entry{Listing: l, Passages: []engine.Passage{{Source: engine.FromText, End: len(l.Text)}}, Vectors: [][]float32{c.vector(i)}}
		if err := yield(index.Change{Seq: int64(i + 1), ID: l.ID, Entry: e}); err != nil {
			return err
		}
	}
	return nil
}

func id(i int) string { return fmt.Sprintf("d%07d", i) }

func compare(w *tabwriter.Writer, c *corpus) error {
	ctx := context.Background()
	exact, signatures, err := build(ctx, c)
	if err != nil {
		return err
	}
	peer, err := buildChromem(ctx, c)
	if err != nil {
		return err
	}
	for _, percent := range []int{100, 10, 1} {
		left := c.left(percent)
		rules := []engine.Clause{{Rule: engine.RuleRegion, AnyOf: []engine.Facet{engine.Facet("region:" + regions[percent])}}}
		var truth [][]int
		sum := median(c, func(i int) { sink += c.sum(left, percent) })
		loop := median(c, func(i int) { truth = append(truth, c.loop(left, c.queries[i])) })
		row := func(way string, t time.Duration, recall float64, beside string) {
			r := "" // where it is exact by construction
			if recall >= 0 {
				r = fmt.Sprintf("%.3f", recall)
			}
			fmt.Fprintf(w, "%d\t%d %%\t%s\t%.3f ms\t%s\t%s\t\n", c.n, percent, way, float64(t.Microseconds())/1000, r, beside)
		}
		times := func(a, b time.Duration) string { return fmt.Sprintf("%.1f", float64(a)/float64(b)) }
		row("sum of the same memory (SIMD)", sum, -1, "")
		row("plain Go loop", loop, -1, "")
		te, re := search(ctx, c, exact, rules, truth)
		row("index, exact", te, re, times(loop, te)+" x faster than the loop, "+times(te, sum)+" x the sum")
		ts, rs := search(ctx, c, signatures, rules, truth)
		row("index, signatures", ts, rs, times(te, ts)+" x faster than exact")
		tc, rc := c.chromem(ctx, peer, percent, truth)
		row("chromem-go", tc, rc, "exact is "+times(tc, te)+" x faster")
		row("index, BM25 of 8 terms", words(ctx, c, exact, rules), -1, "")
	}
	return nil
}

var sink float32

// median runs f once for every query, after a warm-up of a few, and returns the median time.
func median(c *corpus, f func(query int)) time.Duration {
	for i := range 3 {
		f(i)
	}
	return timed(len(c.queries), f)
}

func timed(n int, f func(int)) time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		start := time.Now()
		f(i)
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return times[n/2]
}

func (c *corpus) sum(left []int, percent int) (s float32) {
	if percent == 100 {
		return vek32.Sum(c.vectors)
	}
	for _, i := range left {
		s += vek32.Sum(c.vector(i))
	}
	return s
}

type scored struct {
	doc   int
	score float32
}

// loop is what one writes without thinking of SIMD: a dot product, and the best kept in a sorted list.
func (c *corpus) loop(left []int, query []float32) []int {
	best := make([]scored, 0, perWay+1)
	for _, i := range left {
		v := c.vector(i)
		var dot float32
		for k, q := range query {
			dot += q * v[k]
		}
		if len(best) < perWay || dot > best[len(best)-1].score {
			at, _ := slices.BinarySearchFunc(best, dot, func(s scored, d float32) int { return cmp.Compare(d, s.score) })
			best = slices.Insert(best, at, scored{i, dot})
			best = best[:min(len(best), perWay)]
		}
	}
	out := make([]int, 0, depth)
	for _, s := range best[:min(depth, len(best))] {
		out = append(out, s.doc)
	}
	return out
}

func build(ctx context.Context, c *corpus) (exact, signatures *index.Index, err error) {
	o := index.Options{Dim: dim, Glossary: glossary.Default(), Precision: index.Exact}
	exact = index.New(o)
	o.Precision = index.Signatures
	signatures = index.New(o)
	if err := exact.Refresh(ctx, c); err != nil {
		return nil, nil, err
	}
	return exact, signatures, signatures.Refresh(ctx, c)
}

// search asks by vector alone, through the same call as a recommendation: rules, scan, collection of candidates.
func search(ctx context.Context, c *corpus, x *index.Index, rules []engine.Clause, truth [][]int) (time.Duration, float64) {
	var out engine.Candidates
	found := make([][]int, 0, 2*queries)
	truth = truth[len(truth)-queries:]
	ask := func(i int) {
		if err := x.Retrieve(ctx, &engine.Reading{Listing: &engine.Listing{}, Mean: c.queries[i]}, rules, perWay, &out); err != nil {
			log.Fatal(err)
		}
	}
	for i := range queries {
		ask(i)
		slices.SortFunc(out.List, func(a, b engine.Candidate) int { return cmp.Compare(b.Hits[0].Meaning, a.Hits[0].Meaning) })
		var docs []int
		for _, cand := range out.List[:min(depth, len(out.List))] {
			n, _ := strconv.Atoi(strings.TrimLeft(cand.Listing.ID, "d"))
			docs = append(docs, n)
		}
		found = append(found, docs)
	}
	return median(c, ask), recall(found, truth)
}

func recall(found, truth [][]int) float64 {
	hits, all := 0, 0
	for i := range truth {
		for _, d := range truth[i] {
			all++
			if slices.Contains(found[i], d) {
				hits++
			}
		}
	}
	return float64(hits) / float64(all)
}

func words(ctx context.Context, c *corpus, x *index.Index, rules []engine.Clause) time.Duration {
	var out engine.Candidates
	readings := make([]*engine.Reading, queries)
	for i := range readings {
		readings[i] = &engine.Reading{Listing: &engine.Listing{}}
		for _, t := range c.texts[i] {
			readings[i].Terms = append(readings[i].Terms, engine.Term{Text: t, Weight: 1})
		}
	}
	return median(c, func(i int) {
		if err := x.Retrieve(ctx, readings[i], rules, perWay, &out); err != nil {
			log.Fatal(err)
		}
	})
}

func buildChromem(ctx context.Context, c *corpus) (*chromem.Collection, error) {
	none := func(context.Context, string) ([]float32, error) { return nil, fmt.Errorf("vectors are given") }
	col, err := chromem.NewDB().CreateCollection("passages", nil, none)
	if err != nil {
		return nil, err
	}
	docs := make([]chromem.Document, c.n)
	for i := range docs {
		meta := map[string]string{"all": "1"}
		if c.share[i] <= 10 {
			meta["tenth"] = "1"
		}
		if c.share[i] <= 1 {
			meta["hundredth"] = "1"
		}
		docs[i] = chromem.Document{ID: id(i), Embedding: slices.Clone(c.vector(i)), Metadata: meta}
	}
	return col, col.AddDocuments(ctx, docs, runtime.NumCPU())
}

func (c *corpus) chromem(ctx context.Context, col *chromem.Collection, percent int, truth [][]int) (time.Duration, float64) {
	where := map[int]map[string]string{100: nil, 10: {"tenth": "1"}, 1: {"hundredth": "1"}}[percent]
	n := min(perWay, len(c.left(percent)))
	found := make([][]int, queries)
	t := timed(queries, func(i int) {
		res, err := col.QueryEmbedding(ctx, c.queries[i], n, where, nil)
		if err != nil {
			log.Fatal(err)
		}
		found[i] = nil
		for _, r := range res[:min(depth, len(res))] {
			d, _ := strconv.Atoi(strings.TrimLeft(r.ID, "d"))
			found[i] = append(found[i], d)
		}
	})
	return t, recall(found, truth[len(truth)-queries:])
}
