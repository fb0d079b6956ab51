package index

import (
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
)

// unnamed is how much of the worth of the subject's words counts as concepts that the glossary does not know. It keeps
// a long text with two known concepts from being answered in full by whoever names those two.
const unnamed = 0.05

// scoreConcepts adds up, for every passage, what it answers of the subject's concepts: each concept's weight times its
// rarity times the strength of the closest link by which the passage names it. It returns the sum for a passage that
// names them all, with the unnamed ones. scoreWords must have gone before.
func (w *work) scoreConcepts(s *snapshot, r *engine.Reading, g *glossary.Glossary, out *engine.Candidates) (ideal float32) {
	clear(w.stamp)
	clear(w.concepts)
	for i, c := range r.Concepts {
		df := s.conceptPassages(c.Concept)
		rare := idf(s.passages, df)
		out.ConceptIDF = append(out.ConceptIDF, rare)
		worth := c.Weight * rare
		ideal += worth
		// Neighbours come closest first, so the first to reach a passage is the one that counts.
		g.Neighbours(c.Concept, func(other int, link glossary.Link) {
			gain := worth * link.Strength()
			for p := range s.parts {
				base := s.parts[p].base
				for _, d := range s.parts[p].naming(other) {
					if at := base + int(d); w.stamp[at] != uint32(i)+1 {
						w.stamp[at] = uint32(i) + 1
						w.concepts[at] += gain
					}
				}
			}
		})
	}
	for _, t := range w.terms {
		ideal += unnamed * t.worth
	}
	return ideal
}

// naming returns the passages that name the concept.
func (p *part) naming(concept int) []uint32 {
	row, ok := p.concepts[uint32(concept)]
	if !ok {
		return nil
	}
	docs, _ := p.rows.of(row)
	return docs
}
