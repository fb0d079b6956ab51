package index

import (
	"sync"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
)

// Pool scores passages that a database retrieved for one query by the very formulas of the index, so that both ways
// of retrieval rank alike. Listings and their passages are added, then Retrieve picks among them.
type Pool struct {
	seg      *segment
	reading  *engine.Reading
	glossary *glossary.Glossary
	corpus   Corpus
	words    collector
	rows     collector
}

// Corpus is what scoring has to know of all passages that can be found, in the pool or not.
type Corpus struct {
	Listings int
	Passages int
	Length   int64                 // terms in them
	Term     func(term string) int // how many of them have a term
	Concept  func(concept int) int // how many of them name a concept
}

// NewPool returns an empty pool for one query.
func NewPool(r *engine.Reading, g *glossary.Glossary, c Corpus) *Pool {
	p := &Pool{reading: r, glossary: g, corpus: c, seg: &segment{first: []uint32{0}, given: []float32{}, dict: make(map[string]uint32, len(r.Terms)), concepts: map[uint32]uint32{}}}
	for i, t := range r.Terms {
		p.seg.dict[t.Text] = uint32(i)
	}
	return p
}

// Listing begins the next listing.
func (p *Pool) Listing(stub *engine.Stub) {
	p.seg.stubs = append(p.seg.stubs, stub)
	p.seg.first = append(p.seg.first, uint32(len(p.seg.lengths)))
}

// Passage adds the next passage of the listing begun last: the work it belongs to, its length in terms, and the cosine
// of its vector with the query's, 0 for none.
func (p *Pool) Passage(work, length int, similarity float32) {
	s := p.seg
	s.works = append(s.works, int32(max(work, engine.FromText)))
	s.lengths = append(s.lengths, uint16(min(length, 1<<16-1)))
	s.owner = append(s.owner, uint32(len(s.stubs)-1))
	s.given = append(s.given, similarity)
	s.first[len(s.stubs)] = uint32(len(s.lengths))
}

// Term says that the passage added last has the reading's term number i, count times.
func (p *Pool) Term(i int, count uint8) { p.words.append(uint32(i), p.doc(), count) }

// Concept says that it names the concept.
func (p *Pool) Concept(n int) {
	row, ok := p.seg.concepts[uint32(n)]
	if !ok {
		row = uint32(len(p.seg.concepts))
		p.seg.concepts[uint32(n)] = row
	}
	p.rows.append(row, p.doc(), 1)
}

func (p *Pool) doc() uint32 { return uint32(len(p.seg.lengths) - 1) }

var poolWork = sync.Pool{New: func() any { return newWork() }}

// Retrieve fills out with the best n listings of the pool by each of vectors, words and concepts, as Index.Retrieve
// does; it leaves out.Allowed and out.Path to the caller. It may be called once.
func (p *Pool) Retrieve(n int, out *engine.Candidates) {
	p.seg.countRecords()
	p.seg.terms = p.words.sorted(len(p.seg.dict))
	p.seg.rows = p.rows.sorted(len(p.seg.concepts))
	s := &snapshot{parts: []part{{segment: p.seg}}, span: len(p.seg.lengths), stubs: len(p.seg.stubs), listings: p.corpus.Listings, passages: p.corpus.Passages, length: p.corpus.Length, corpus: &p.corpus}
	w := poolWork.Get().(*work)
	defer poolWork.Put(w)
	w.prepare(s, n)
	w.sets[0].runs = append(w.sets[0].runs[:0], run{0, uint32(s.stubs)})
	if p.reading.Mean != nil {
		w.pick(s, &w.tops[0], p.seg.given, lowest)
	}
	w.score(s, p.reading, p.glossary, 0, out)
}
