package twins

import (
	"slices"

	"github.com/ketnoi/ketnoi/engine/text"
)

// A sketch is the smallest hashes of a text's shingles, in order: three neighbouring words, syllables or characters each,
// folded. Of a short text it has all of them; of a longer one it is a sample from which similarity is estimated with a
// standard error of 0.04.
type sketch []uint32

const (
	sketchSize   = 128
	leastShingle = 20      // a text of fewer shingles says too little
	sketched     = 1 << 16 // bytes of a text that count
	nearEqual    = 0.8     // the similarity from which texts are near equal
	// prefixSize is how many hashes of a sketch lead to all near-equal ones. Of the (at most) 128 smallest hashes of both
	// texts together, at least 8 of 10 are shared where they are near equal, so the first that is shared has at most 25
	// before it.
	prefixSize = sketchSize*2/10 + 1
)

func newSketch(parts ...string) sketch {
	var all []uint32
	left := sketched
	for _, s := range parts {
		if len(s) > left {
			s = s[:left]
		}
		left -= len(s)
		var a, b uint64
		n := 0
		text.Scan(s, func(atom *text.Atom) bool {
			c := hash(string(atom.Fold))
			if n++; n >= 3 {
				all = append(all, uint32(mix(a*3+b*5+c*7)>>32))
			}
			a, b = b, c
			return true
		})
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) < leastShingle {
		return nil
	}
	return slices.Clone(all[:min(len(all), sketchSize)])
}

// hash is FNV-1a: equal on every machine and in every run.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// similarity estimates the part of the shingles of both texts that both have, 0 to 1.
func similarity(a, b sketch) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	shared, n := 0, 0
	for i, j := 0, 0; n < sketchSize && (i < len(a) || j < len(b)); n++ {
		switch {
		case j == len(b) || i < len(a) && a[i] < b[j]:
			i++
		case i == len(a) || b[j] < a[i]:
			j++
		default:
			shared++
			i, j = i+1, j+1
		}
	}
	return float64(shared) / float64(n)
}
