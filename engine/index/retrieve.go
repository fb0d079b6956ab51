package index

import (
	"context"
	"math"
	"slices"

	"github.com/viterin/vek/vek32"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
)

// Precision is how the nearest vectors are found.
type Precision uint8

// The precisions. Exact compares every allowed vector. Signatures compares one bit a dimension first and the best
// few hundred or thousand exactly. Auto is exact while that is as fast.
const (
	Auto Precision = iota
	Exact
	Signatures
)

const (
	// autoExact is the number of allowed passages up to which Auto scans them all: below it, picking the best
	// signatures and comparing those costs as much.
	autoExact = 4_096
	// Of the nearest signatures, one in rescoredShare is compared exactly at first, within these bounds.
	rescoredShare, minRescored, maxRescored = 100, 400, 4_000
)

// work is the memory of one retrieval, reused.
type work struct {
	sets      []allowedPart
	buf       []uint32
	words     []float32 // BM25 of each passage of the snapshot
	records   []float32 // BM25 of each listing, all its passages taken as one
	concepts  []float32
	stamp     []uint32 // for each passage, the last concept that counted it
	distances []uint16
	nearest   []uint32
	sig       []uint64
	scores    []float32
	tops      [4]top
	seen      map[uint64]struct{}
	terms     []weighed
}

func newWork() *work { return &work{buf: make([]uint32, 512), seen: map[uint64]struct{}{}} }

type allowedPart struct {
	runs  []run
	count int // listings
}

// Retrieve implements engine.Retriever.
func (x *Index) Retrieve(ctx context.Context, r *engine.Reading, rules []engine.Clause, n int, out *engine.Candidates) error {
	out.Reset()
	s := x.snap.Load()
	w := x.work.Get().(*work)
	defer x.work.Put(w)
	w.prepare(s, n)
	span := 0
	for i := range s.parts {
		set := s.parts[i].allowed(rules)
		a := &w.sets[i]
		a.runs, a.count = runs(a.runs[:0], set, w.buf), int(set.GetCardinality())
		out.Allowed += a.count
		for _, r := range a.runs {
			span += int(s.parts[i].first[r.to] - s.parts[i].first[r.from])
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	out.Path.By = "index"
	if r.Mean != nil && len(r.Mean) == x.dim {
		if x.precision == Exact || x.precision == Auto && span <= autoExact {
			out.Path.Vectors = "exact"
			w.scan(s, r.Mean)
		} else {
			out.Path.Vectors = "signatures"
			w.scanSignatures(s, r.Mean, span)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.score(s, r, x.glossary, x.dim, out)
	return ctx.Err()
}

// score finds the best listings by words and by concepts, and collects them with those already found by vectors.
func (w *work) score(s *snapshot, r *engine.Reading, g *glossary.Glossary, dim int, out *engine.Candidates) {
	var ideal ideals
	if len(r.Terms) > 0 {
		w.scoreWords(s, r, &ideal, out)
		w.pick(s, &w.tops[1], w.words, 0)
		w.pickRecords(s)
	}
	if len(r.Concepts) > 0 {
		ideal.concepts = w.scoreConcepts(s, r, g, out)
		w.pick(s, &w.tops[2], w.concepts, 0)
	}
	w.collect(s, r, dim, &ideal, out)
}

// ideals are what the best answer to a subject would reach; 0 where there is nothing to look for.
type ideals struct{ words, record, concepts float32 }

// prepare sizes the work space for a snapshot.
func (w *work) prepare(s *snapshot, n int) {
	for len(w.sets) < len(s.parts) {
		w.sets = append(w.sets, allowedPart{})
	}
	if cap(w.words) < s.span {
		size := s.span + s.span/4
		w.words, w.concepts = make([]float32, size), make([]float32, size)
		w.stamp, w.distances = make([]uint32, size), make([]uint16, size)
	}
	if cap(w.records) < s.stubs {
		w.records = make([]float32, s.stubs+s.stubs/4)
	}
	w.records = w.records[:s.stubs]
	w.words, w.concepts, w.stamp, w.distances = w.words[:s.span], w.concepts[:s.span], w.stamp[:s.span], w.distances[:s.span]
	for i := range w.tops {
		w.tops[i].reset(s, n)
	}
	clear(w.seen)
}

// scan compares the query with every allowed vector; a listing counts by its nearest passage.
func (w *work) scan(s *snapshot, query []float32) {
	t := &w.tops[0]
	for i := range s.parts {
		p := &s.parts[i]
		for _, r := range w.sets[i].runs {
			at := int(p.first[r.from]) * p.dim
			for l := r.from; l < r.to; l++ {
				best := float32(lowest)
				for n := p.first[l+1] - p.first[l]; n > 0; n-- {
					if v := vek32.Dot(query, p.vectors[at:at+p.dim]); v > best {
						best = v
					}
					at += p.dim
				}
				if best >= t.floor() {
					t.offer(ref{best, int32(i), l})
				}
			}
		}
	}
}

// scanSignatures finds, among the span passages allowed, those with the nearest signatures and compares them exactly:
// first a small share of them, then as many more as could, by what those show, be nearer than the best found. Where that
// is a large part, as for a subject that is near to nothing allowed, it compares them all.
func (w *work) scanSignatures(s *snapshot, query []float32, span int) {
	if len(s.parts) == 0 {
		return
	}
	dim := s.parts[0].dim
	w.sig = rotationFor(dim).sign(w.sig[:0], query)
	counts := make([]int, len(w.sig)*64+1)
	for i := range s.parts {
		p, out := &s.parts[i], w.distances[s.parts[i].base:]
		for _, r := range w.sets[i].runs {
			lo, hi := int(p.first[r.from]), int(p.first[r.to])
			p.distances(out, w.sig, lo, hi)
			for _, d := range out[lo:hi] {
				counts[d]++
			}
		}
	}
	limit, _ := reach(counts, func(_, sum int) bool { return sum < min(max(span/rescoredShare, minRescored), maxRescored) })
	w.rescoreAll(s, limit, query)
	far := w.farthest(len(w.sig) * 64)
	if far <= limit {
		return
	}
	w.tops[0].reset(s, w.tops[0].n)
	if _, sum := reach(counts, func(d, _ int) bool { return d < far }); sum > span/4 {
		w.scan(s, query)
		return
	}
	w.rescoreAll(s, far, query)
}

// reach returns the least distance at which more stops, and how many passages are that near.
func reach(counts []int, more func(distance, sum int) bool) (distance, sum int) {
	for ; ; distance++ {
		if sum += counts[distance]; distance+1 == len(counts) || !more(distance, sum) {
			return distance, sum
		}
	}
}

// farthest returns the distance of signatures within which nearly all passages lie that are as near as the nearest few
// found so far: the distance is binomial, with the angle's share of pi for its probability (Charikar 2002).
func (w *work) farthest(bits int) int {
	const few, deviations = 10, 2.3
	w.scores = w.scores[:0]
	for i := range w.tops[0].refs {
		w.scores = append(w.scores, w.tops[0].refs[i].score)
	}
	if len(w.scores) < few {
		return bits
	}
	slices.Sort(w.scores)
	cosine := min(1, max(-1, float64(w.scores[len(w.scores)-few])))
	p := math.Acos(cosine) / math.Pi
	return min(bits, int(math.Ceil(float64(bits)*p+deviations*math.Sqrt(float64(bits)*p*(1-p)))))
}

// rescoreAll offers every listing by the exact similarity of its passages whose signatures are within the limit.
func (w *work) rescoreAll(s *snapshot, limit int, query []float32) {
	for i := range s.parts {
		p, dist := &s.parts[i], w.distances[s.parts[i].base:]
		for _, r := range w.sets[i].runs {
			w.rescore(p, int32(i), r, dist, uint16(limit), query)
		}
	}
}

// rescore offers the listings of a run by the exact similarity of their passages within the limit.
func (w *work) rescore(p *part, number int32, r run, dist []uint16, limit uint16, query []float32) {
	t, l := &w.tops[0], r.from
	best := float32(lowest)
	for at, end := p.first[r.from], p.first[r.to]; at < end; at++ {
		if dist[at] > limit {
			continue
		}
		for at >= p.first[l+1] { // at lies in a later listing: close the one before
			best = p.close(t, number, l, best)
			l++
		}
		if v := vek32.Dot(query, p.vectors[int(at)*p.dim:(int(at)+1)*p.dim]); v > best {
			best = v
		}
	}
	if l < r.to {
		p.close(t, number, l, best)
	}
}

// close offers a listing with the best similarity of its passages, if any, and returns the start for the next one.
func (p *part) close(t *top, number int32, l uint32, best float32) float32 {
	if best > lowest && best >= t.floor() {
		t.offer(ref{best, number, l})
	}
	return lowest
}

// pick offers every allowed listing by the best figure of its passages, where that is above the least.
func (w *work) pick(s *snapshot, t *top, figures []float32, least float32) {
	for i := range s.parts {
		p := &s.parts[i]
		f := figures[p.base : p.base+p.passages()]
		for _, r := range w.sets[i].runs {
			lo, hi := p.first[r.from], p.first[r.to]
			floor := t.floor()
			for at, x := range f[lo:hi] {
				// Few passages reach the floor; only for those it is worth knowing whose they are.
				if x < floor || x <= least {
					continue
				}
				l := p.owner[int(lo)+at]
				if argmax(f[p.first[l]:p.first[l+1]]) == int(lo)+at-int(p.first[l]) {
					t.offer(ref{x, int32(i), l})
					floor = t.floor()
				}
			}
		}
	}
}

// argmax returns the place of the first greatest figure.
func argmax(f []float32) int {
	best := 0
	for i, x := range f {
		if x > f[best] {
			best = i
		}
	}
	return best
}

// collect joins the ways' listings and fills in every figure of every passage.
func (w *work) collect(s *snapshot, r *engine.Reading, dim int, ideal *ideals, out *engine.Candidates) {
	hits := 0
	add := func(t *top) {
		for i := range t.refs {
			c := t.refs[i]
			key := uint64(c.part)<<32 | uint64(c.listing)
			if _, dup := w.seen[key]; dup {
				continue
			}
			w.seen[key] = struct{}{}
			p := &s.parts[c.part]
			out.List = append(out.List, engine.Candidate{Stub: p.stubs[c.listing], Record: share(w.records[p.offset+int(c.listing)], ideal.record)})
			hits += int(p.first[c.listing+1] - p.first[c.listing])
			w.nearest = append(w.nearest, uint32(c.part), c.listing)
		}
	}
	w.nearest = w.nearest[:0]
	for i := range w.tops {
		add(&w.tops[i])
	}
	out.Hits = slices.Grow(out.Hits, hits)
	for i := range out.List {
		p, l := &s.parts[w.nearest[2*i]], w.nearest[2*i+1]
		begin := len(out.Hits)
		for at := p.first[l]; at < p.first[l+1]; at++ {
			h := engine.Hit{Passage: int(at - p.first[l]), Work: int(p.works[at]), Words: share(w.words[p.base+int(at)], ideal.words), Concepts: share(w.concepts[p.base+int(at)], ideal.concepts)}
			switch {
			case p.given != nil:
				h.Meaning = min(1, max(0, p.given[at]))
			case r.Mean != nil && len(r.Mean) == dim:
				h.Meaning = min(1, max(0, vek32.Dot(r.Mean, p.vectors[int(at)*dim:(int(at)+1)*dim])))
			}
			out.Hits = append(out.Hits, h)
		}
		out.List[i].Hits = out.Hits[begin:len(out.Hits):len(out.Hits)]
	}
}

// share returns figure / ideal, at most 1; 0 for an ideal of 0, under which the figures are left over from before.
func share(figure, ideal float32) float32 {
	if ideal <= 0 {
		return 0
	}
	return min(1, figure/ideal)
}

// idf is the weight of a term that df of n passages have (Robertson and Zaragoza 2009, with 1 added inside the
// logarithm so that it stays positive).
func idf(n, df int) float32 {
	return float32(math.Log(1 + (float64(n)-float64(df)+0.5)/(float64(df)+0.5)))
}

// live counts the passages among docs whose listing is not dead.
func (p *part) live(docs []uint32) int {
	if p.dead == nil || p.dead.IsEmpty() {
		return len(docs)
	}
	n, l := 0, 0
	for _, d := range docs {
		for d >= p.first[l+1] {
			l++
		}
		if !p.dead.Contains(uint32(l)) {
			n++
		}
	}
	return n
}
