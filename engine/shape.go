package engine

import (
	"hash/maphash"
	"slices"

	"github.com/ketnoi/ketnoi/engine/text"
)

// Interventions are the ways a ranked list is shaped before it is shown, by code. Each can be switched off by a query's without.
const (
	ShapeEcho         = "echoes"        // leaves out what repeats the subject's own text and offers nothing
	ShapeDuplicate    = "duplicates"    // shows near-duplicates once
	ShapeOrganisation = "organisations" // moves an organisation's further listings behind others
	ShapeExposure     = "exposure"      // lets the next go first before one that was shown too often
)

// Interventions are all of them, in the order in which they are made.
var Interventions = []string{ShapeEcho, ShapeDuplicate, ShapeOrganisation, ShapeExposure}

// Intervention is what was done to a listing's place.
type Intervention struct {
	Code   string `json:"code" doc:"echoes, duplicates, organisations, exposure"`
	ID     string `json:"id,omitzero" doc:"The listing that was left out"`
	Title  string `json:"title,omitzero"`
	Like   string `json:"like,omitzero" doc:"The listing that it repeats"`
	Place  int    `json:"place" doc:"Its place by score"`
	Reason string `json:"reason" doc:"In the reader's language"`
}

const (
	window        = 10   // further candidates that may take the places of those that were left out
	shingle       = 3    // terms in a row that are compared
	leastShingles = 12   // of a text that can be said to be repeated
	echoShare     = 0.5  // of the subject's shingles, from which a candidate repeats it
	twinShare     = 0.7  // Jaccard's index of two listings' shingles, from which they are near-duplicates
	sameTerms     = 4000 // of a listing that are compared
)

var shingleSeed = maphash.MakeSeed()

// shingles returns the hashes of the runs of terms in the texts, sorted.
func shingles(texts ...string) []uint64 {
	var out []uint64
	var last [shingle]uint64
	n := 0
	for _, s := range texts {
		text.Terms(s, func(term []byte, _, _ int) {
			if term[0] == '=' || n >= sameTerms { // the exact form beside a folded one
				return
			}
			copy(last[:], last[1:])
			last[shingle-1] = maphash.Bytes(shingleSeed, term)
			if n++; n >= shingle {
				h := uint64(0)
				for _, x := range last {
					h = h*0x9E3779B97F4A7C15 + x
				}
				out = append(out, h)
			}
		})
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// shinglesOf are those of a listing's own texts.
func shinglesOf(l *Listing) []uint64 {
	texts := []string{l.Text, l.Summary}
	for i := range l.Works {
		texts = append(texts, l.Works[i].Title, l.Works[i].Text)
	}
	return shingles(texts...)
}

// common counts what two sorted sets share.
func common(a, b []uint64) (n int) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			n, i, j = n+1, i+1, j+1
		}
	}
	return n
}

// placed is a candidate with its place by score and its texts.
type placed struct {
	Scored
	Entry
	place    int // from 1
	shingles []uint64
	done     []Intervention
}

// shape turns the ranked candidates, best first, into the list that is shown, of at most limit, and says what it left out.
func (rec *Recommender) shape(r *Reading, ranked []placed, limit int, without []string, reader string) (list []placed, out []Intervention) {
	off := func(code string) bool { return slices.Contains(without, code) || slices.Contains(without, "all") }
	leave := func(p *placed, code, like string) {
		out = append(out, Intervention{Code: code, ID: p.Scored.Listing.ID, Title: p.Scored.Listing.Title, Like: like, Place: p.place, Reason: Phrase("shape_"+code, reader)})
	}
	asks := shinglesOf(r.Listing)
	list = ranked[:0:0]
candidates:
	for i := range ranked {
		p := &ranked[i]
		if !off(ShapeEcho) || !off(ShapeDuplicate) {
			p.shingles = shinglesOf(p.Entry.Listing)
		}
		if !off(ShapeEcho) && len(asks) >= leastShingles && float64(common(asks, p.shingles)) >= echoShare*float64(len(asks)) {
			leave(p, ShapeEcho, r.Listing.ID)
			continue
		}
		for j := range list {
			both := len(list[j].shingles) + len(p.shingles)
			if same := common(list[j].shingles, p.shingles); !off(ShapeDuplicate) && min(len(p.shingles), len(list[j].shingles)) >= leastShingles && float64(same) >= twinShare*float64(both-same) {
				leave(p, ShapeDuplicate, list[j].Scored.Listing.ID)
				continue candidates
			}
		}
		list = append(list, *p)
	}
	if !off(ShapeOrganisation) {
		list = spread(list, limit, reader)
	}
	if !off(ShapeExposure) && rec.Exposure != nil {
		rec.Exposure.balance(list, reader, rec.Now())
	}
	return list[:min(limit, len(list))], out
}

// spread moves what an organisation has beyond its share of the list behind the others, keeping both orders.
func spread(list []placed, limit int, reader string) []placed {
	most := max(2, limit/4)
	counts := map[Facet]int{}
	var first, later []placed
	for _, p := range list {
		own := OwnFacet(p.Scored.Listing)
		if counts[own]++; counts[own] > most {
			later = append(later, p)
		} else {
			first = append(first, p)
		}
	}
	if len(first) >= limit || len(later) == 0 {
		return append(first, later...)
	}
	for i := range later {
		if len(first)+i+1 != later[i].place {
			later[i].done = append(later[i].done, Intervention{Code: ShapeOrganisation, Place: later[i].place, Reason: Phrase("shape_"+ShapeOrganisation, reader)})
		}
	}
	return append(first, later...)
}
