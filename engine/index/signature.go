package index

import (
	"math"
	"math/bits"
	"sync"
)

// rotation turns vectors so that the signs of their coordinates carry about the same information each: random signs,
// then a Walsh-Hadamard transform, over the next power of two. The signs are the vector's signature; the Hamming
// distance of two signatures grows with the angle between the vectors (Charikar 2002, similarity estimation by random
// hyperplanes; the fast transform as in Ailon and Chazelle 2009).
type rotation struct {
	dim, size int
	flips     []float32 // +1 or -1 for each input coordinate
	scratch   sync.Pool
}

var rotations sync.Map // dim -> *rotation

// rotationFor returns the one rotation used for vectors of a width; it is the same in every process.
func rotationFor(dim int) *rotation {
	if r, ok := rotations.Load(dim); ok {
		return r.(*rotation)
	}
	r := &rotation{dim: dim, size: max(64, 1<<bits.Len(uint(max(dim, 1)-1))), flips: make([]float32, dim)}
	r.scratch.New = func() any { s := make([]float32, r.size); return &s }
	state := uint64(0x9E3779B97F4A7C15)
	for i := range r.flips {
		state += 0x9E3779B97F4A7C15 // splitmix64
		z := state
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		r.flips[i] = 1 - 2*float32((z^z>>31)&1)
	}
	actual, _ := rotations.LoadOrStore(dim, r)
	return actual.(*rotation)
}

// words is the length of a signature in 64-bit words.
func (r *rotation) words() int { return r.size / 64 }

// sign appends the signature of v, which has dim elements, to out.
func (r *rotation) sign(out []uint64, v []float32) []uint64 {
	buf := r.scratch.Get().(*[]float32)
	x := *buf
	for i, f := range r.flips {
		x[i] = v[i] * f
	}
	clear(x[r.dim:])
	for h := 1; h < len(x); h *= 2 {
		for i := 0; i < len(x); i += 2 * h {
			a, b := x[i:i+h], x[i+h:i+2*h]
			for j := range a {
				a[j], b[j] = a[j]+b[j], a[j]-b[j]
			}
		}
	}
	for w := 0; w < len(x); w += 64 {
		var word uint64
		for i, y := range x[w : w+64] {
			word |= uint64(math.Float32bits(y)>>31) << i
		}
		out = append(out, word)
	}
	r.scratch.Put(buf)
	return out
}

// distances writes the Hamming distances between sig and the signatures of passages [lo, hi) to out[lo:hi].
func (s *segment) distances(out []uint16, sig []uint64, lo, hi int) {
	if s.words == 8 { // 257 to 512 dimensions: one cache line a signature
		q := (*[8]uint64)(sig)
		for p := lo; p < hi; p++ {
			x := (*[8]uint64)(s.sigs[p*8:])
			out[p] = uint16(bits.OnesCount64(x[0]^q[0]) + bits.OnesCount64(x[1]^q[1]) + bits.OnesCount64(x[2]^q[2]) + bits.OnesCount64(x[3]^q[3]) +
				bits.OnesCount64(x[4]^q[4]) + bits.OnesCount64(x[5]^q[5]) + bits.OnesCount64(x[6]^q[6]) + bits.OnesCount64(x[7]^q[7]))
		}
		return
	}
	for p := lo; p < hi; p++ {
		x, n := s.sigs[p*s.words:(p+1)*s.words], 0
		for i, w := range x {
			n += bits.OnesCount64(w ^ sig[i])
		}
		out[p] = uint16(n)
	}
}
