package postgres

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
)

// Rules and words go into the database as numbers: the FNV-1a hash of what they stand for. Facets take all 64 bits,
// so that no two of a real corpus meet; terms take 32, where a chance meeting only adds a little to a score.

func hash[T string | []byte](s T) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// FacetKey is the number by which a facet stands in the database.
func FacetKey(f engine.Facet) int64 { return int64(hash(string(f))) }

func termKey[T string | []byte](term T) int32 { return int32(hash(term) >> 32) }

// conceptKey names a concept by its id, which is stable from build to build.
func conceptKey(g *glossary.Glossary, n int) int32 {
	return int32(hash("\x00"+g.Concept(n).ID) >> 32)
}

// isOwn reports whether the facet says whose a listing is: nearly every listing has another one, so they stand in a
// column instead of among the facets.
func isOwn(f engine.Facet) bool {
	return strings.HasPrefix(string(f), "own:") || strings.HasPrefix(string(f), "id:")
}

// never is the moment at which a listing expires that does not.
const never = math.MaxInt64

// ruled is what rules can ask of a listing, as columns.
type ruled struct {
	kind         int16
	own, expires int64
	facets       []int64
}

func newRuled(stub *engine.Stub) ruled {
	r := ruled{kind: kindNumber(stub.Listing.Kind), expires: stub.Expires}
	if r.expires == 0 {
		r.expires = never
	}
	for _, f := range stub.Facets {
		if isOwn(f) {
			r.own = FacetKey(f)
		} else {
			r.facets = append(r.facets, FacetKey(f))
		}
	}
	return r
}

// kindNumber numbers the kinds from 1.
func kindNumber(k engine.Kind) int16 { return int16(slices.Index(engine.Kinds, k) + 1) }

// said is what a passage says, as columns of words.
type said struct {
	length int
	keys   []int32
	counts []byte
}

const countSize = 5 // bytes of a key in counts

func newSaid(g *glossary.Glossary, l *engine.Listing, p engine.Passage) said {
	terms, concepts := map[int32]int{}, map[int32]bool{}
	s := said{}
	s.length = index.Read(g, l, p, func(term []byte) { terms[termKey(term)]++ }, func(n int) { concepts[conceptKey(g, n)] = true })
	s.keys = make([]int32, 0, len(terms)+len(concepts))
	s.counts = make([]byte, 0, countSize*cap(s.keys))
	add := func(key int32, count int) {
		s.keys = append(s.keys, key)
		s.counts = append(binary.LittleEndian.AppendUint32(s.counts, uint32(key)), byte(min(count, math.MaxUint8)))
	}
	for key, n := range terms {
		add(key, n)
	}
	for key := range concepts {
		add(key, 0)
	}
	return s
}

// question leads from keys to what they stand for in one query.
type question struct {
	terms    map[int32]int32 // key -> number of the term in the reading
	concepts map[int32]int32 // key -> number of the concept: the reading's and their neighbours
}

func newQuestion(g *glossary.Glossary, r *engine.Reading) *question {
	q := &question{make(map[int32]int32, len(r.Terms)), make(map[int32]int32, 8*len(r.Concepts))}
	for i, t := range r.Terms {
		q.terms[termKey(t.Text)] = int32(i)
	}
	for _, c := range r.Concepts {
		g.Neighbours(c.Concept, func(other int, _ glossary.Link) { q.concepts[conceptKey(g, other)] = int32(other) })
	}
	return q
}

// tell adds to the passage at hand what counts says of the question.
func (q *question) tell(pool *index.Pool, counts []byte) {
	for ; len(counts) >= countSize; counts = counts[countSize:] {
		key := int32(binary.LittleEndian.Uint32(counts))
		if n := counts[4]; n > 0 {
			if i, ok := q.terms[key]; ok {
				pool.Term(int(i), n)
			}
		} else if c, ok := q.concepts[key]; ok {
			pool.Concept(int(c))
		}
	}
}
