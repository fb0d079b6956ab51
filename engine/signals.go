package engine

import (
	"math"
	"slices"
	"strings"
)

// Signal is one way of judging a candidate. Its raw value is a number in [0, 1].
type Signal uint8

// The signals. A new one needs a name, a line in raw, a weight in DefaultRanker and a label in phrases.go.
const (
	SignalMeaning    Signal = iota // how near the vectors are
	SignalWords                    // which words the best works share with the subject
	SignalRecord                   // which words the whole record shares with it
	SignalConcepts                 // which glossary concepts are shared
	SignalField                    // same FORD field 1, same major field 0.4; 0.7 when either side states none
	SignalSeeks                    // how far both are what the other seeks (harmonic mean; of one side alone where the other says nothing)
	SignalRecent                   // how new the newest work is: full within two years, then half for every three; 1 when that is unknown
	SignalAcross                   // 1; it weighs only across languages, where words can show little of what is there
	SignalPreference               // share of the query's preferences that hold
	nSignals
)

var signalNames = [nSignals]string{"meaning", "words", "record", "concepts", "field", "seeks", "recent", "across", "preference"}

func (s Signal) String() string { return signalNames[s] }

// evidence are the signals that show that a candidate answers the subject. The others say which of several who do is to be
// preferred, and make no match: what a listing leaves unsaid about itself then costs it a place, never the list.
var evidence = [nSignals]bool{SignalMeaning: true, SignalWords: true, SignalRecord: true, SignalConcepts: true}

// Evidence reports whether the signal shows that a candidate answers the subject.
func (s Signal) Evidence() bool { return evidence[s] }

// raw judges a candidate by every signal.
func raw(r *Reading, prefer []Clause, c *Candidate) (v [nSignals]float64) {
	var m, w, k best
	for i := 0; i < len(c.Hits); {
		var top Hit // the best of one work's passages
		for work := c.Hits[i].Work; i < len(c.Hits) && c.Hits[i].Work == work; i++ {
			h := &c.Hits[i]
			top.Meaning, top.Words, top.Concepts = max(top.Meaning, h.Meaning), max(top.Words, h.Words), max(top.Concepts, h.Concepts)
		}
		m.add(top.Meaning)
		w.add(top.Words)
		k.add(top.Concepts)
	}
	v[SignalMeaning], v[SignalWords], v[SignalConcepts] = m.value(), w.value(), k.value()
	v[SignalRecord] = float64(c.Record)
	v[SignalAcross] = 1
	v[SignalField] = unsaidField
	if len(r.Fields) > 0 && len(c.Listing.Fields) > 0 {
		v[SignalField] = fieldAgreement(r.Fields, c.Listing.Fields)
	}
	v[SignalSeeks] = reciprocal(sought(r.Seeks, c.Stub), seeksMet(c.Listing.Seeks, r))
	v[SignalRecent] = recency(r.Year, c.Newest)
	if len(prefer) > 0 {
		for i := range prefer {
			if prefer[i].Holds(c.Facets, c.Expires) {
				v[SignalPreference] += 1 / float64(len(prefer))
			}
		}
	}
	return v
}

// best keeps the best three figures of a candidate's works. A listing is judged by the best of its works, the next two
// confirming it: an average would punish those who have done many things, a sum would favour them.
type best [3]float64

func (b *best) add(x float32) {
	v := float64(x)
	switch {
	case v > b[0]:
		b[0], b[1], b[2] = v, b[0], b[1]
	case v > b[1]:
		b[1], b[2] = v, b[1]
	case v > b[2]:
		b[2] = v
	}
}

// value is the best figure, moved towards 1 by a part of the next two.
func (b *best) value() float64 {
	return b[0] + (1-b[0])*(0.3*b[1]+0.15*b[2])
}

// What a listing leaves unsaid speaks against nobody: most say little of themselves, and those who say much are not better for it.
// Only a field that is not stated counts somewhat less than the right one.
const unsaidField = 0.7

// Whoever did something within the last fresh years is at work; after that, teams move on: what is halfLife years older counts half.
const (
	fresh    = 2
	halfLife = 3
)

// recency is how new something of the year newest is to whoever asks in the given year.
func recency(asked, newest int) float64 {
	if newest == 0 || asked == 0 {
		return 1
	}
	return math.Exp2(-float64(max(0, asked-newest-fresh)) / halfLife)
}

// fieldAgreement is 1 when a field is shared, 0.4 when only a major field is, else 0.
func fieldAgreement(subject, candidate []string) float64 {
	agree := 0.0
	for _, a := range subject {
		for _, b := range candidate {
			if a == b {
				return 1
			}
			if major(a) == major(b) {
				agree = 0.4
			}
		}
	}
	return agree
}

func major(field string) string {
	m, _, _ := strings.Cut(field, ".")
	return m
}

// saysNothing stands for what a side seeks that states nothing.
const saysNothing = -1

// reciprocal is the harmonic mean of how far each side is what the other says it seeks: an introduction takes two, and what one
// side misses the other cannot make up for (Pizzato et al. 2010, RECON). Where one says nothing the other's counts alone, and
// where both do, nothing speaks against.
func reciprocal(ours, theirs float64) float64 {
	switch {
	case ours == saysNothing && theirs == saysNothing:
		return 1
	case ours == saysNothing:
		return theirs
	case theirs == saysNothing:
		return ours
	case ours+theirs == 0:
		return 0
	}
	return 2 * ours * theirs / (ours + theirs)
}

// sought is the share of what the subject says it seeks that the candidate is.
func sought(seeks []Clause, c *Stub) float64 {
	if len(seeks) == 0 {
		return saysNothing
	}
	met := 0
	for i := range seeks {
		if seeks[i].Holds(c.Facets, c.Expires) {
			met++
		}
	}
	return float64(met) / float64(len(seeks))
}

// seeksMet is the share of what a candidate says it seeks (kinds, fields, regions, languages) that the subject meets.
func seeksMet(s *Seeks, r *Reading) float64 {
	if s == nil {
		return saysNothing
	}
	stated, met := 0, 0.0
	if len(s.Kinds) > 0 {
		stated++
		if slices.Contains(s.Kinds, r.Listing.Kind) {
			met++
		}
	}
	if len(s.Fields) > 0 {
		stated++
		met += fieldAgreement(r.Fields, s.Fields)
	}
	if len(s.Regions) > 0 && len(r.Regions) > 0 {
		stated++
		if slices.ContainsFunc(s.Regions, func(code string) bool { return slices.Contains(r.Regions, code) }) {
			met++
		}
	}
	if len(s.Languages) > 0 {
		stated++
		if slices.Contains(s.Languages, r.Listing.Lang) || slices.ContainsFunc(r.Listing.Languages, func(l string) bool { return slices.Contains(s.Languages, l) }) {
			met++
		}
	}
	if stated == 0 {
		return saysNothing
	}
	return met / float64(stated)
}
