package index

import (
	"math"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
)

// segment is an immutable part of the index. Listings and passages are numbered from 0; the passages of listing l
// are first[l] to first[l+1].
type segment struct {
	stubs   []*engine.Stub
	ids     map[string]uint32 // listing id -> number
	first   []uint32          // len(stubs)+1
	owner   []uint32          // the listing of each passage
	facets  map[engine.Facet]*roaring.Bitmap
	expires []expiring // the listings that expire

	dim     int
	vectors []float32 // passages x dim; zero where a passage has no vector
	words   int       // 64-bit words in a signature
	sigs    []uint64  // passages x words
	given   []float32 // in a pool, instead of the vectors: the similarity of each passage to the query

	works    []int32  // the work each passage belongs to, engine.FromText for the listing's own texts
	lengths  []uint16 // terms in each passage, at most 65,535
	records  []uint32 // terms in all passages of each listing
	dict     map[string]uint32
	terms    postings
	concepts map[uint32]uint32 // glossary number -> row of conceptRows
	rows     postings          // concept postings; tf is not used
}

type expiring struct {
	listing uint32
	at      int64
}

// postings lists, for each term, the passages that have it in ascending order: docs[start[t]:start[t+1]].
type postings struct {
	start []uint32
	docs  []uint32
	tfs   []uint8
}

func (p *postings) of(t uint32) (docs []uint32, tfs []uint8) {
	a, b := p.start[t], p.start[t+1]
	return p.docs[a:b], p.tfs[a:b]
}

// countRecords adds up the passages' lengths by listing.
func (s *segment) countRecords() {
	s.records = make([]uint32, len(s.stubs))
	for at, l := range s.owner {
		s.records[l] += uint32(s.lengths[at])
	}
}

func (s *segment) passages() int { return len(s.lengths) }

// builder collects entries for a new segment.
type builder struct {
	seg      *segment
	glossary *glossary.Glossary
	spin     *rotation
	terms    collector
	rows     collector
	unit     []float32
}

// collector gathers (term, passage, count) triples in passage order and sorts them by term at the end.
type collector struct {
	ids   []uint32
	docs  []uint32
	tfs   []uint8
	last  []uint32 // for each term, 1 + the position of its latest triple
	start uint32   // first position of the passage at hand
}

func (c *collector) open() { c.start = uint32(len(c.ids)) }

func (c *collector) add(term, doc uint32) {
	for int(term) >= len(c.last) {
		c.last = append(c.last, 0)
	}
	if at := c.last[term]; at > c.start {
		if c.tfs[at-1] < math.MaxUint8 {
			c.tfs[at-1]++
		}
		return
	}
	c.append(term, doc, 1)
	c.last[term] = uint32(len(c.ids))
}

// append adds a triple that is the only one of its term and passage.
func (c *collector) append(term, doc uint32, count uint8) {
	c.ids, c.docs, c.tfs = append(c.ids, term), append(c.docs, doc), append(c.tfs, count)
}

// sorted returns the triples as postings over n terms (a counting sort, which keeps passage order).
func (c *collector) sorted(n int) postings {
	p := postings{start: make([]uint32, n+1), docs: make([]uint32, len(c.ids)), tfs: make([]uint8, len(c.ids))}
	for _, t := range c.ids {
		p.start[t+1]++
	}
	for t := range n {
		p.start[t+1] += p.start[t]
	}
	next := append([]uint32(nil), p.start[:n]...)
	for i, t := range c.ids {
		p.docs[next[t]], p.tfs[next[t]] = c.docs[i], c.tfs[i]
		next[t]++
	}
	return p
}

func newBuilder(dim int, g *glossary.Glossary) *builder {
	spin := rotationFor(dim)
	return &builder{
		seg: &segment{
			ids: map[string]uint32{}, first: []uint32{0}, facets: map[engine.Facet]*roaring.Bitmap{}, dim: dim, words: spin.words(),
			dict: map[string]uint32{}, concepts: map[uint32]uint32{},
		},
		glossary: g, spin: spin,
	}
}

// Read is what a passage is found by, in memory or in a database: term is called for each of its terms, repeated ones
// too, concept for each mention of a concept of the glossary. It returns the number of terms, the passage's length.
func Read(g *glossary.Glossary, l *engine.Listing, p engine.Passage, term func([]byte), concept func(int)) (length int) {
	matchable := l.Matchable(p)
	text.Terms(matchable, func(t []byte, _, _ int) {
		term(t)
		length++
	})
	g.Find(matchable, l.LangOf(matchable), func(m glossary.Mention) { concept(m.Concept) })
	return length
}

// add indexes one entry. Vectors of another width, or missing ones, count as zero: the listing is found by words and
// concepts until it is embedded.
func (b *builder) add(e engine.Entry) {
	s := b.seg
	l := b.addStub(engine.NewStub(e.Listing))
	for i, p := range e.Passages {
		doc := uint32(len(s.lengths))
		var v []float32
		if i < len(e.Vectors) && len(e.Vectors[i]) == s.dim {
			v = e.Vectors[i]
		}
		b.addVector(v)
		b.terms.open()
		b.rows.open()
		n := Read(b.glossary, e.Listing, p, func(term []byte) {
			id, ok := s.dict[string(term)]
			if !ok {
				id = uint32(len(s.dict))
				s.dict[string(term)] = id
			}
			b.terms.add(id, doc)
		}, func(concept int) { b.rows.add(b.row(uint32(concept)), doc) })
		s.lengths = append(s.lengths, uint16(min(n, math.MaxUint16)))
		s.works = append(s.works, int32(max(p.Source, engine.FromText)))
		s.owner = append(s.owner, l)
	}
	s.first[l+1] = uint32(len(s.lengths))
}

func (b *builder) row(concept uint32) uint32 {
	row, ok := b.seg.concepts[concept]
	if !ok {
		row = uint32(len(b.seg.concepts))
		b.seg.concepts[concept] = row
	}
	return row
}

// addStub appends a listing without passages and returns its number.
func (b *builder) addStub(stub *engine.Stub) uint32 {
	s := b.seg
	l := uint32(len(s.stubs))
	s.stubs = append(s.stubs, stub)
	s.ids[stub.Listing.ID] = l
	s.first = append(s.first, uint32(len(s.lengths)))
	if stub.Expires != 0 {
		s.expires = append(s.expires, expiring{l, stub.Expires})
	}
	for _, f := range stub.Facets {
		m, ok := s.facets[f]
		if !ok {
			m = roaring.New()
			s.facets[f] = m
		}
		m.Add(l)
	}
	return l
}

// addVector appends a passage's vector and signature; nil stands for none.
func (b *builder) addVector(v []float32) {
	s := b.seg
	if v == nil {
		if b.unit == nil {
			b.unit = make([]float32, s.dim)
		}
		v = b.unit
	}
	s.vectors = append(s.vectors, v...)
	s.sigs = b.spin.sign(s.sigs, v)
}

func (b *builder) build() *segment {
	b.seg.countRecords()
	b.seg.terms = b.terms.sorted(len(b.seg.dict))
	b.seg.rows = b.rows.sorted(len(b.seg.concepts))
	for _, m := range b.seg.facets {
		m.RunOptimize()
	}
	return b.seg
}
