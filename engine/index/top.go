package index

// ref is a listing with a score by which it was found.
type ref struct {
	score   float32
	part    int32 // which part of the snapshot
	listing uint32
}

// top keeps the n best of the refs offered to it: a binary heap with the worst at the root. Ties go to the lower id,
// so that the result does not depend on the order of offers.
type top struct {
	n    int
	refs []ref
	snap *snapshot
}

func (t *top) reset(s *snapshot, n int) { t.snap, t.n, t.refs = s, n, t.refs[:0] }

// lowest is below every score: cosines reach down to -1.
const lowest = -2

// floor is the score that an offer must reach to have a chance.
func (t *top) floor() float32 {
	if len(t.refs) < t.n {
		return lowest
	}
	return t.refs[0].score
}

func (t *top) worse(a, b *ref) bool {
	if a.score != b.score {
		return a.score < b.score
	}
	return t.id(a) > t.id(b) // looked up for ties only: it lies far away in memory
}

func (t *top) id(r *ref) string { return t.snap.parts[r.part].stubs[r.listing].Listing.ID }

func (t *top) offer(r ref) {
	if len(t.refs) < t.n {
		t.refs = append(t.refs, r)
		for i := len(t.refs) - 1; i > 0; {
			up := (i - 1) / 2
			if !t.worse(&t.refs[i], &t.refs[up]) {
				break
			}
			t.refs[i], t.refs[up] = t.refs[up], t.refs[i]
			i = up
		}
		return
	}
	if t.n == 0 || !t.worse(&t.refs[0], &r) {
		return
	}
	t.refs[0] = r
	for i := 0; ; {
		low := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(t.refs); c++ {
			if t.worse(&t.refs[c], &t.refs[low]) {
				low = c
			}
		}
		if low == i {
			return
		}
		t.refs[i], t.refs[low] = t.refs[low], t.refs[i]
		i = low
	}
}
