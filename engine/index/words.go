package index

import (
	"cmp"
	"slices"

	"github.com/ketnoi/ketnoi/engine"
)

const (
	// BM25's constants as in Robertson and Zaragoza 2009, section 3.4, for a record. Passages are discounted more for their length
	// (nDCG@10 by words alone on needs-solutions 0.747 to 0.758, on needs-providers 0.205 to 0.203).
	k1, b, bRecord = 1.2, 0.9, 0.75
	// maxTerms is how many of the subject's terms are looked up, the rarest and most repeated first.
	maxTerms = 128
	// idealTerms is how many of them a passage is expected to hold at best: it has no room for all words of a page.
	idealTerms = 64
)

// weighed is a term of the subject with what it is worth in this snapshot.
type weighed struct {
	index int // in the reading
	worth float32
	plain float32 // with as many times its rarity as the subject repeats it: a whole record has room for that
}

// scoreWords adds the BM25 score of every passage into w.words and that of every listing into w.records. Ideal is what a
// passage of average length would score that had each of the idealTerms heaviest terms once, and a record that had all terms.
func (w *work) scoreWords(s *snapshot, r *engine.Reading, ideal *ideals, out *engine.Candidates) {
	clear(w.words)
	clear(w.records)
	w.terms = w.terms[:0]
	for i, t := range r.Terms {
		df := s.termPassages(t.Text)
		rare := idf(s.passages, df)
		if df > 0 {
			out.TermIDF = append(out.TermIDF, rare)
		} else {
			out.TermIDF = append(out.TermIDF, 0)
		}
		w.terms = append(w.terms, weighed{i, t.Weight * rare, t.Count * rare})
	}
	slices.SortFunc(w.terms, func(a, b weighed) int {
		return cmp.Or(cmp.Compare(b.worth, a.worth), cmp.Compare(a.index, b.index))
	})
	w.terms = w.terms[:min(len(w.terms), maxTerms)]
	average, whole := float32(1), float32(1) // lengths of a passage and of a record
	if s.passages > 0 {
		average = max(1, float32(s.length)/float32(s.passages))
		whole = max(1, float32(s.length)/float32(max(1, s.listings)))
	}
	for n, t := range w.terms {
		if n < idealTerms {
			ideal.words += t.worth
		}
		ideal.record += t.plain
		for i := range s.parts {
			p := &s.parts[i]
			id, ok := p.dict[r.Terms[t.index].Text]
			if !ok {
				continue
			}
			docs, tfs := p.terms.of(id)
			bm25(w.words[p.base:p.base+p.passages()], docs, tfs, p.lengths, t.worth*(k1+1), k1*(1-b), k1*b/average)
			bm25Records(w.records[p.offset:p.offset+len(p.stubs)], docs, tfs, p, t.plain*(k1+1), k1*(1-bRecord), k1*bRecord/whole)
		}
	}
}

// bm25 adds worth * tf / (tf + flat + slope*length) for every posting.
func bm25(sums []float32, docs []uint32, tfs []uint8, lengths []uint16, worth, flat, slope float32) {
	tfs = tfs[:len(docs)]
	for i, d := range docs {
		tf := float32(tfs[i])
		sums[d] += worth * tf / (tf + flat + slope*float32(lengths[d]))
	}
}

// bm25Records does the same for whole listings: the postings of one's passages stand together.
func bm25Records(sums []float32, docs []uint32, tfs []uint8, p *part, worth, flat, slope float32) {
	tfs = tfs[:len(docs)]
	for i := 0; i < len(docs); {
		l := p.owner[docs[i]]
		tf := float32(0)
		for end := p.first[l+1]; i < len(docs) && docs[i] < end; i++ {
			tf += float32(tfs[i])
		}
		sums[l] += worth * tf / (tf + flat + slope*float32(p.records[l]))
	}
}

// pickRecords offers every allowed listing by its words taken together.
func (w *work) pickRecords(s *snapshot) {
	t := &w.tops[3]
	for i := range s.parts {
		f := w.records[s.parts[i].offset:]
		for _, r := range w.sets[i].runs {
			for l := r.from; l < r.to; l++ {
				if f[l] > 0 && f[l] >= t.floor() {
					t.offer(ref{f[l], int32(i), l})
				}
			}
		}
	}
}
