package twins

import (
	"cmp"
	"slices"
)

// Find compares listings of one kind, those that are fresh with all others, and yields the pairs from Least up.
// fresh nil means all.
//
// Only listings that have a key or the beginning of a sketch in common are compared: every other pair stays below Least
// (a property test holds it to that), but for texts that begin alike in more than maxBucket listings. What more than
// crowd listings of all have in common is no reason. It takes seconds for 100,000 listings.
func Find(all []*Traits, fresh func(*Traits) bool, yield func(Pair)) {
	x := newBlocks(all)
	seen := make([]int32, len(all))
	for i := range all {
		if fresh != nil && !fresh(all[i]) {
			continue
		}
		for _, key := range x.keys(i) {
			for _, e := range x.of(key) {
				j := int(e.who)
				// A pair of two fresh ones comes once, from the later of them.
				if j == i || seen[j] == int32(i+1) || j > i && (fresh == nil || fresh(all[j])) {
					continue
				}
				seen[j] = int32(i + 1)
				if p := compare(all[i], all[j], x.crowded); p.Score >= Least {
					yield(p)
				}
			}
		}
	}
}

// maxBucket is how many listings whose sketches begin alike are compared for that.
const maxBucket = 100

// blocks leads from a key to the listings that have it.
type blocks struct {
	all     []*Traits
	entries []block // in the order of keys; keys of one listing alone are left out
	crowded map[uint64]bool
}

type block struct {
	key uint64
	who int32
}

func newBlocks(all []*Traits) *blocks {
	x := &blocks{all: all, crowded: map[uint64]bool{}}
	for i := range all {
		for _, key := range x.keys(i) {
			x.entries = append(x.entries, block{key, int32(i)})
		}
	}
	slices.SortFunc(x.entries, func(a, b block) int {
		if c := cmp.Compare(a.key, b.key); c != 0 {
			return c
		}
		return cmp.Compare(a.who, b.who)
	})
	kept := x.entries[:0]
	for rest := x.entries; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].key == rest[0].key {
			n++
		}
		most := crowd
		if rest[0].key&textKey != 0 {
			most = maxBucket
		}
		switch {
		case n > most:
			x.crowded[rest[0].key] = true
		case n > 1:
			kept = append(kept, rest[:n]...)
		}
		rest = rest[n:]
	}
	x.entries = slices.Clip(kept)
	return x
}

// textKey is the bit that tells the beginnings of sketches from other keys.
const textKey = 1 << 63

// keys are the hashes of what may lead to the listing.
func (x *blocks) keys(i int) []uint64 {
	t := x.all[i]
	out := make([]uint64, 0, len(t.keys)+prefixSize)
	for _, k := range t.keys {
		out = append(out, hash(k)&^textKey)
	}
	for _, h := range t.sketch[:min(len(t.sketch), prefixSize)] {
		out = append(out, uint64(h)|textKey)
	}
	return out
}

func (x *blocks) of(key uint64) []block {
	i, _ := slices.BinarySearchFunc(x.entries, key, func(b block, key uint64) int { return cmp.Compare(b.key, key) })
	j := i
	for j < len(x.entries) && x.entries[j].key == key {
		j++
	}
	return x.entries[i:j]
}
