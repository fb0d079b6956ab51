package index

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/ketnoi/ketnoi/engine"
)

// snapshot is the whole index at one moment: immutable, so that readers need no lock. Its figures count what is live
// only, which makes a score independent of the index's history: an index grown change by change answers exactly as
// one built at once.
type snapshot struct {
	parts    []part
	span     int     // passages in all parts, dead ones included: the length of per-passage work space
	stubs    int     // listings, likewise
	passages int     // live
	listings int     // live
	length   int64   // terms in live passages
	seq      int64   // of the last change it has seen
	corpus   *Corpus // of a pool: what passages and length count, and who else uses a term; nil in an index
}

// termPassages returns how many live passages have the term.
func (s *snapshot) termPassages(term string) (n int) {
	if s.corpus != nil {
		return s.corpus.Term(term)
	}
	for i := range s.parts {
		if id, ok := s.parts[i].dict[term]; ok {
			docs, _ := s.parts[i].terms.of(id)
			n += s.parts[i].live(docs)
		}
	}
	return n
}

// conceptPassages returns how many live passages name the concept.
func (s *snapshot) conceptPassages(concept int) (n int) {
	if s.corpus != nil {
		return s.corpus.Concept(concept)
	}
	for i := range s.parts {
		n += s.parts[i].live(s.parts[i].naming(concept))
	}
	return n
}

// part is a segment with the listings in it that were since replaced or deleted.
type part struct {
	*segment
	base   int             // number of its first passage within the snapshot
	offset int             // number of its first listing
	dead   *roaring.Bitmap // nil for none
}

func (p *part) isDead(l uint32) bool { return p.dead != nil && p.dead.Contains(l) }

// newSnapshot counts what is live in the parts and numbers their passages.
func newSnapshot(parts []part, seq int64) *snapshot {
	s := &snapshot{parts: parts, seq: seq}
	for i := range parts {
		p := &parts[i]
		p.base, p.offset = s.span, s.stubs
		s.span, s.stubs = s.span+p.passages(), s.stubs+len(p.stubs)
		for l := range p.stubs {
			if p.isDead(uint32(l)) {
				continue
			}
			s.listings++
			for _, n := range p.lengths[p.first[l]:p.first[l+1]] {
				s.passages++
				s.length += int64(n)
			}
		}
	}
	return s
}

// find returns where the live listing with the id stands.
func (s *snapshot) find(id string) (part int, listing uint32, ok bool) {
	for i := len(s.parts) - 1; i >= 0; i-- {
		if l, ok := s.parts[i].ids[id]; ok && !s.parts[i].isDead(l) {
			return i, l, true
		}
	}
	return 0, 0, false
}

// named replaces what stands for listings that were erased, whose ids the source no longer knows, by these ids.
func (s *snapshot) named(deleted []string) []string {
	for i, d := range deleted {
		is := engine.Unalias(d)
		if is == nil {
			continue
		}
		for p := range s.parts {
			for id := range s.parts[p].ids {
				if is(id) {
					deleted[i] = id
				}
			}
		}
	}
	return deleted
}

// with returns a snapshot in which the listings of fresh, if any, have replaced those with the same ids, and the
// deleted ids are gone.
func (s *snapshot) with(fresh *segment, deleted []string, seq int64) *snapshot {
	parts := slices.Clone(s.parts)
	old := &snapshot{parts: parts}
	copied := map[int]bool{}
	bury := func(id string) {
		i, l, ok := old.find(id)
		if !ok {
			return
		}
		if !copied[i] {
			copied[i] = true
			if parts[i].dead == nil {
				parts[i].dead = roaring.New()
			} else {
				parts[i].dead = parts[i].dead.Clone()
			}
		}
		parts[i].dead.Add(l)
	}
	for _, id := range deleted {
		bury(id)
	}
	if fresh != nil {
		for id := range fresh.ids {
			bury(id)
		}
		if len(fresh.stubs) > 0 {
			parts = append(parts, part{segment: fresh})
		}
	}
	return newSnapshot(parts, seq)
}

// allowed returns the live listings of the part that hold all clauses.
func (p *part) allowed(rules []engine.Clause) *roaring.Bitmap {
	set := roaring.New()
	set.AddRange(0, uint64(len(p.stubs)))
	if p.dead != nil {
		set.AndNot(p.dead)
	}
	for _, c := range rules {
		if c.After != 0 {
			for _, e := range p.expires {
				if e.at < c.After {
					set.Remove(e.listing)
				}
			}
			continue
		}
		any := make([]*roaring.Bitmap, 0, len(c.AnyOf))
		for _, f := range c.AnyOf {
			if m := p.facets[f]; m != nil {
				any = append(any, m)
			}
		}
		switch union := roaring.FastOr(any...); {
		case c.Not:
			set.AndNot(union)
		default:
			set.And(union)
		}
	}
	return set
}

// run is a range of neighbouring listings that are allowed.
type run struct{ from, to uint32 }

// runs turns a set into ranges, so that scans go straight through memory.
func runs(out []run, set *roaring.Bitmap, buf []uint32) []run {
	it := set.ManyIterator()
	for n := it.NextMany(buf); n > 0; n = it.NextMany(buf) {
		for _, l := range buf[:n] {
			if k := len(out) - 1; k >= 0 && out[k].to == l {
				out[k].to++
			} else {
				out = append(out, run{l, l + 1})
			}
		}
	}
	return out
}
