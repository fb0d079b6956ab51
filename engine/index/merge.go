package index

import (
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/ketnoi/ketnoi/engine"
)

// fanIn is how many segments of about the same size are joined into one. Every passage is then rewritten a number of
// times that grows with the logarithm of the corpus.
const fanIn = 8

// merge joins small segments, and rewrites those that are mostly dead, until neither is left. Readers and writers go
// on meanwhile: the joined segment is built aside, and what died in the meantime is marked when it is put in.
func (x *Index) merge() {
	if !x.merging.TryLock() {
		return // whoever holds it looks again before it is done
	}
	defer x.merging.Unlock()
	for {
		seen := x.snap.Load()
		chosen := choose(seen.parts)
		if len(chosen) == 0 {
			return
		}
		joined := join(x, chosen)
		x.writing.Lock()
		x.snap.Store(x.snap.Load().replace(chosen, joined))
		x.writing.Unlock()
	}
}

// choose returns the parts to join next: one that is half dead, or fanIn of one size class.
func choose(parts []part) []part {
	classes := map[int][]part{}
	for _, p := range parts {
		if p.dead != nil && 2*int(p.dead.GetCardinality()) >= len(p.stubs) {
			return []part{p}
		}
		class := bits.Len(uint(p.passages())) / 3 // classes are eightfold
		if classes[class] = append(classes[class], p); len(classes[class]) == fanIn {
			return classes[class]
		}
	}
	return nil
}

// replace puts the joined segment in the place of the parts it was made of.
func (s *snapshot) replace(old []part, joined *segment) *snapshot {
	fresh := part{segment: joined}
	var parts []part
	for _, p := range s.parts {
		i := slices.IndexFunc(old, func(o part) bool { return o.segment == p.segment })
		if i < 0 {
			parts = append(parts, p)
			continue
		}
		if p.dead == nil {
			continue
		}
		died := p.dead.Clone()
		if old[i].dead != nil {
			died.AndNot(old[i].dead)
		}
		for _, l := range died.ToArray() {
			if at, ok := joined.ids[p.stubs[l].Listing.ID]; ok {
				if fresh.dead == nil {
					fresh.dead = roaring.New()
				}
				fresh.dead.Add(at)
			}
		}
	}
	if len(joined.stubs) > 0 {
		parts = append(parts, fresh)
	}
	return newSnapshot(parts, s.seq)
}

// join copies what is live in the parts into one segment. Texts are not needed for it.
func join(x *Index, parts []part) *segment {
	b := newBuilder(x.dim, x.glossary)
	out := b.seg
	for _, p := range parts {
		// renumber gives each live passage its number in the joined segment, plus one.
		renumber := make([]uint32, p.passages())
		for l, stub := range p.stubs {
			if p.isDead(uint32(l)) {
				continue
			}
			n := b.addStub(stub)
			for at := p.first[l]; at < p.first[l+1]; at++ {
				out.lengths, out.works = append(out.lengths, p.lengths[at]), append(out.works, p.works[at])
				out.owner = append(out.owner, n)
				out.vectors = append(out.vectors, p.vectors[int(at)*p.dim:(int(at)+1)*p.dim]...)
				out.sigs = append(out.sigs, p.sigs[int(at)*p.words:(int(at)+1)*p.words]...)
				renumber[at] = uint32(len(out.lengths))
			}
			out.first[n+1] = uint32(len(out.lengths))
		}
		for term, id := range p.dict {
			to, ok := out.dict[term]
			if !ok {
				to = uint32(len(out.dict))
				out.dict[term] = to
			}
			b.terms.copy(to, &p.terms, id, renumber)
		}
		for concept, row := range p.concepts {
			b.rows.copy(b.row(concept), &p.rows, row, renumber)
		}
	}
	return b.build()
}

// copy appends the live postings of one term under its new number.
func (c *collector) copy(to uint32, from *postings, term uint32, renumber []uint32) {
	docs, tfs := from.of(term)
	for i, d := range docs {
		if n := renumber[d]; n > 0 {
			c.append(to, n-1, tfs[i])
		}
	}
}

var _ engine.Retriever = (*Index)(nil)
