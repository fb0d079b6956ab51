package engine

import (
	"context"
	"hash/maphash"
	"slices"

	"github.com/ketnoi/ketnoi/engine/text"
)

// Interventions are the ways a ranked list is shaped before it is shown, by code. Each can be switched off by a query's without.
const (
	ShapeEcho         = "echoes"        // leaves out what repeats the subject's own text and offers nothing
	ShapeStuffing     = "stuffing"      // leaves out lists of terms, repetitions, and text that instructs machines
	ShapeDuplicate    = "duplicates"    // shows near-duplicates once
	ShapeOrganisation = "organisations" // moves an organisation's further listings behind others
	ShapeExposure     = "exposure"      // lets the next go first before one that was shown too often
)

// Interventions are all of them, in the order in which they are made.
var Interventions = []string{ShapeEcho, ShapeStuffing, ShapeDuplicate, ShapeOrganisation, ShapeExposure}

// Intervention is what was done to a listing's place.
type Intervention struct {
	Code   string `json:"code" doc:"echoes, stuffing, duplicates, organisations, exposure"`
	ID     string `json:"id,omitzero" doc:"The listing that was left out"`
	Title  string `json:"title,omitzero"`
	Like   string `json:"like,omitzero" doc:"The listing that it repeats"`
	Place  int    `json:"place" doc:"Its place by score"`
	Reason string `json:"reason" doc:"In the reader's language"`
}

const (
	shingle       = 3    // terms in a row that are compared
	leastShingles = 12   // of a text that can be said to be repeated
	twinShare     = 0.7  // Jaccard's index of two listings' shingles, from which they are near-duplicates
	sameTerms     = 4000 // of a listing that are compared
)

var shingleSeed = maphash.MakeSeed()

// traits are what listings are compared by: hashes, each set sorted.
type traits struct {
	runs     []uint64 // of terms in a row
	distinct []uint64 // terms
	count    int      // terms
}

func traitsOf(l *Listing) (out traits) {
	var last [shingle]uint64
	add := func(s string) {
		text.Terms(s, func(term []byte, _, _ int) {
			if term[0] == '=' || out.count >= sameTerms { // the exact form beside a folded one
				return
			}
			h := maphash.Bytes(shingleSeed, term)
			out.distinct = append(out.distinct, h)
			out.count++
			copy(last[:], last[1:])
			last[shingle-1] = h
			if out.count >= shingle {
				h = 0
				for _, x := range last {
					h = h*0x9E3779B97F4A7C15 + x
				}
				out.runs = append(out.runs, h)
			}
		})
	}
	add(l.Title)
	add(l.Text)
	add(l.Summary)
	for i := range l.Works {
		add(l.Works[i].Title)
		add(l.Works[i].Text)
	}
	for _, set := range []*[]uint64{&out.runs, &out.distinct} {
		slices.Sort(*set)
		*set = slices.Compact(*set)
	}
	return out
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
	place  int // from 1
	traits traits
	done   []Intervention
}

// shape turns the ranked candidates, best first, into the list that is shown, of at most limit, and says what it left out.
func (rec *Recommender) shape(ctx context.Context, r *Reading, ranked []placed, limit int, without []string, reader string) (list []placed, out []Intervention, err error) {
	off := func(code string) bool { return slices.Contains(without, code) || slices.Contains(without, "all") }
	leave := func(p *placed, code, like string) {
		out = append(out, Intervention{Code: code, ID: p.Scored.Listing.ID, Title: p.Scored.Listing.Title, Like: like, Place: p.place, Reason: Phrase("shape_"+code, reader)})
	}
	asked := traitsOf(r.Listing)
	list = ranked[:0:0]
	counts, shown := map[Facet]int{}, 0 // by organisation; how many of the list no organisation has too many of
candidates:
	for i := range ranked {
		if shown > limit {
			break // nobody further down can come in: exposure lets one go first at most
		}
		p := &ranked[i]
		p.traits = traitsOf(p.Listing)
		if !off(ShapeEcho) && echoes(&asked, &p.traits) {
			leave(p, ShapeEcho, r.Listing.ID)
			continue
		}
		code, err := rec.written(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		if code != "" && !off(code) {
			leave(p, code, "")
			continue
		}
		for j := range list {
			a, b := list[j].traits.runs, p.traits.runs
			if off(ShapeDuplicate) || min(len(a), len(b)) < leastShingles || float64(min(len(a), len(b))) < twinShare*float64(max(len(a), len(b))) {
				continue
			}
			if same := common(a, b); float64(same) >= twinShare*float64(len(a)+len(b)-same) {
				leave(p, ShapeDuplicate, list[j].Scored.Listing.ID)
				continue candidates
			}
		}
		list = append(list, *p)
		own := OwnFacet(p.Listing)
		if counts[own]++; counts[own] <= share(limit) || off(ShapeOrganisation) {
			shown++
		}
	}
	if !off(ShapeOrganisation) {
		list = spread(list, limit, reader)
	}
	if !off(ShapeExposure) && rec.Exposure != nil {
		rec.Exposure.balance(list, reader, rec.Now())
	}
	for i := limit; i < len(list); i++ { // what was moved out of the list
		for _, d := range list[i].done[:min(1, len(list[i].done))] {
			leave(&list[i], d.Code, "")
		}
	}
	return list[:min(limit, len(list))], out, nil
}

// share is how many places of a list one organisation may take before others have theirs.
func share(limit int) int { return max(2, limit/4) }

// spread moves what an organisation has beyond its share of the list behind the others, keeping both orders.
func spread(list []placed, limit int, reader string) []placed {
	counts := map[Facet]int{}
	var first, later []placed
	before := map[string]int{}
	for i, p := range list {
		before[p.Listing.ID] = i
		own := OwnFacet(p.Listing)
		if counts[own]++; counts[own] > share(limit) {
			later = append(later, p)
		} else {
			first = append(first, p)
		}
	}
	for i := range later {
		if p := &later[i]; len(first)+i != before[p.Listing.ID] {
			p.done = append(p.done, Intervention{Code: ShapeOrganisation, Place: p.place, Reason: Phrase("shape_"+ShapeOrganisation, reader)})
		}
	}
	return append(first, later...)
}
