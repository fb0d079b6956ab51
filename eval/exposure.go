package eval

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Exposure is how the attention of those who read the first places is spread over the groups of an attribute.
type Exposure struct {
	Groups  []GroupExposure `json:"groups"`  // the largest first
	NDKL    float64         `json:"ndkl"`    // distance of the rankings from the population, 0 for none
	Unknown float64         `json:"unknown"` // share of listings that say nothing of the attribute; they are left out of the rest
}

// GroupExposure is one group's part. Shares add up to 1 over the groups.
type GroupExposure struct {
	Group      string  `json:"group"`
	Population float64 `json:"population"` // of the listings that could be shown
	Exposure   float64 `json:"exposure"`   // of the attention, which falls with 1/log2(rank+1)
	Ratio      float64 `json:"ratio"`      // exposure / population
	Relevant   float64 `json:"relevant"`   // of the listings judged relevant: what exposure by merit would be
	Merit      float64 `json:"merit"`      // exposure / relevant, 0 where none is relevant
}

// MeasureExposure measures the first k places of a run. groups leads each listing that could be shown to its groups of the
// attribute; one of several counts in part for each. Sources: exposure as in Singh and Joachims 2018; NDKL by Geyik,
// Ambler and Kenthapadi 2019, its mean over topics that show any listing whose group is known.
func MeasureExposure(run Run, k int, groups map[string][]string, qrels Qrels) Exposure {
	listings, judged, attention := tally{}, tally{}, shares{}
	unknown := 0
	for _, g := range groups {
		listings.add(g)
		if len(g) == 0 {
			unknown++
		}
	}
	population := listings.shares()
	ndkl, told := 0.0, 0.0
	for _, topic := range slices.Sorted(maps.Keys(run)) {
		ranking := run[topic]
		for i, d := range ranking[:min(k, len(ranking))] {
			attention.add(groups[d.Doc], 1/math.Log2(float64(i+2)))
		}
		if d, known := divergence(ranking[:min(k, len(ranking))], groups, population); known {
			ndkl += d
			told++
		}
	}
	attention.scale()
	for _, grades := range qrels {
		for doc, g := range grades {
			if g >= 1 {
				judged.add(groups[doc])
			}
		}
	}
	relevant := judged.shares()
	out := Exposure{NDKL: over(ndkl, told), Unknown: over(float64(unknown), float64(len(groups))), Groups: []GroupExposure{}}
	for g := range population {
		e := GroupExposure{Group: g, Population: population[g], Exposure: attention[g], Relevant: relevant[g]}
		e.Ratio, e.Merit = over(e.Exposure, e.Population), over(e.Exposure, e.Relevant)
		out.Groups = append(out.Groups, e)
	}
	slices.SortFunc(out.Groups, func(a, b GroupExposure) int {
		return cmp.Or(cmp.Compare(b.Population, a.Population), cmp.Compare(a.Group, b.Group))
	})
	return out
}

// shares are weights of groups. They are added to in a fixed order only: another one would change the last bits.
type shares map[string]float64

func (s shares) add(groups []string, weight float64) {
	for _, g := range groups {
		s[g] += weight / float64(len(groups))
	}
}

// scale makes them add up to 1.
func (s shares) scale() {
	sum := 0.0
	for _, g := range slices.Sorted(maps.Keys(s)) {
		sum += s[g]
	}
	for g := range s {
		s[g] = over(s[g], sum)
	}
}

// tally is how many listings are in a group, by the number of groups they are in. Whole numbers may be added in any
// order, such as that of a map.
type tally map[part]int

type part struct {
	group string
	of    int
}

func (t tally) add(groups []string) {
	for _, g := range groups {
		t[part{g, len(groups)}]++
	}
}

// shares are the groups' parts of what was counted, a listing of n groups being 1/n in each.
func (t tally) shares() shares {
	s := shares{}
	for _, p := range slices.SortedFunc(maps.Keys(t), func(a, b part) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.of, b.of))
	}) {
		s[p.group] += float64(t[p]) / float64(p.of)
	}
	s.scale()
	return s
}

// divergence is the normalised discounted Kullback-Leibler divergence of a ranking's prefixes from the population; it is
// unknown where no listing's group is known.
func divergence(ranking []Ranked, groups map[string][]string, population shares) (d float64, known bool) {
	seen, n := shares{}, 0.0
	sum, norm := 0.0, 0.0
	for i, d := range ranking {
		if g := groups[d.Doc]; len(g) > 0 {
			seen.add(g, 1)
			n++
		}
		if n == 0 {
			continue
		}
		kl := 0.0
		for _, g := range slices.Sorted(maps.Keys(seen)) {
			kl += seen[g] / n * math.Log(seen[g]/n/population[g])
		}
		weight := 1 / math.Log2(float64(i+2))
		sum += weight * kl
		norm += weight
	}
	return max(0, over(sum, norm)), norm > 0
}

// Spread is how much the same few listings are shown.
type Spread struct {
	Listings int     `json:"listings"`  // that could be shown
	Shown    int     `json:"shown"`     // at least once in the first places
	Coverage float64 `json:"coverage"`  // shown / listings
	Gini     float64 `json:"gini"`      // of the places over all listings: 0 each as often, near 1 few take all
	TopShare float64 `json:"top_share"` // of the places, taken by the 1 % most shown (at least one)
	Most     []Count `json:"most"`      // the five most shown
}

// Count is how often a listing was shown.
type Count struct {
	ID    string `json:"id"`
	Count int    `json:"count"`
}

// MeasureSpread counts the first k places of a run among as many listings as could be shown.
func MeasureSpread(run Run, k, listings int) Spread {
	counts, places := map[string]int{}, 0
	for _, ranking := range run {
		for _, d := range ranking[:min(k, len(ranking))] {
			counts[d.Doc]++
			places++
		}
	}
	most := make([]Count, 0, len(counts))
	for id, n := range counts {
		most = append(most, Count{id, n})
	}
	slices.SortFunc(most, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ID, b.ID)) })
	s := Spread{Listings: max(listings, len(most)), Shown: len(most)}
	s.Coverage = over(float64(s.Shown), float64(s.Listings))
	// Gini over the sorted counts, Σ (2i - n - 1)·x_i / (n·Σx): the listings never shown come first and add nothing.
	n, weighted, top := s.Listings, 0.0, 0
	for i, c := range most {
		weighted += float64(2*(n-i)-n-1) * float64(c.Count)
		if i < max(1, n/100) {
			top += c.Count
		}
	}
	s.Gini = over(weighted, float64(n)*float64(places))
	s.TopShare = over(float64(top), float64(places))
	s.Most = most[:min(5, len(most))]
	return s
}
