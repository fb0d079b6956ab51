package twins

import (
	"math"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/engine"
)

// Reason is one thing that speaks for, or against, two listings being about the same.
type Reason struct {
	Kind       string  `json:"kind"`
	Value      string  `json:"value,omitzero"`
	Similarity float64 `json:"similarity,omitzero"` // of texts, 0 to 1
	Points     float64 `json:"points"`              // for: how sure this alone makes; against, below 0: the part of the score it takes
}

// Pair is two listings that may be about the same, the ids in order.
type Pair struct {
	A, B    string
	Score   float64 // 0 to 1
	Reasons []Reason
}

// Least is the score from which a pair is proposed.
const Least = 0.5

// How sure each reason alone makes. They add up as independent ones do: 1 − Π(1 − points). What is below Least needs another.
const (
	sureORCID    = 0.97
	sureEmail    = 0.85
	surePatent   = 0.9  // of technologies; inventors share them
	sureDOI      = 0.6  // of technologies
	surePage     = 0.7  //
	sureSite     = 0.6  // of organisations, or beside the same name
	sureName     = 0.4  // of a person: many have one name
	sureNameAt   = 0.6  // the organisation beside the name
	sureFirm     = 0.6  // the name of an organisation
	sureTitle    = 0.45 // of a technology or a problem
	sureTitleAt  = 0.5  // the organisation beside the title
	sureNamesake = 0.7  // a work in common, beside the same name
	sureCoauthor = 0.12 // a work in common with whoever else, three at most
	sureText     = 0.14 // texts at the edge of near equal; 0.95 for equal ones, enough alone from a similarity of 0.89
)

// What each contradiction leaves of the score.
const (
	leavesName    = 0.4
	leavesPatent  = 0.4
	leavesNumber  = 0.4
	leavesCountry = 0.7
)

// crowd is how many listings may have something in common before it says nothing about any two of them.
const crowd = 20

// Compare compares two listings of one kind by themselves.
func Compare(a, b *Traits) Pair { return compare(a, b, nil) }

// compare leaves out the keys that are crowded.
func compare(a, b *Traits, crowded map[uint64]bool) Pair {
	if b.ID < a.ID {
		a, b = b, a
	}
	c := comparison{a: a, b: b, left: 1, keeps: 1}
	if a.Kind != b.Kind || a.ID == b.ID {
		return Pair{A: a.ID, B: b.ID}
	}
	expert := a.Kind == engine.Expert
	named := c.names(expert)
	nameAt, works := false, 0
	c.shared(crowded, func(kind, value string) {
		switch kind {
		case ByORCID:
			c.add(kind, value, sureORCID)
		case ByEmail:
			c.add(kind, value, sureEmail)
		case ByPage:
			c.add(kind, value, surePage)
		case BySite:
			if named == same || a.firm != "" && b.firm != "" {
				c.add(kind, value, sureSite)
			}
		case keyFirm:
			c.add(ByName, a.label, sureFirm)
		case keyNameAt, keyTitleAt:
			nameAt = true
		case ByDOI, ByPatent, ByWork:
			if !expert {
				if sure, ok := map[string]float64{ByDOI: sureDOI, ByPatent: surePatent}[kind]; ok {
					c.add(kind, value, sure)
				}
				return
			}
			switch works++; {
			case named == same && works == 1:
				c.add(kind, value, sureNamesake)
			case named != same && works <= 3:
				c.add(kind, value, sureCoauthor)
			}
		}
	})
	if nameAt && (!expert || named == same) {
		c.add(ByOrganisation, a.body, map[bool]float64{true: sureNameAt, false: sureTitleAt}[expert])
	}
	c.text()
	c.against(named)
	score := (1 - c.left) * c.keeps
	return Pair{A: a.ID, B: b.ID, Score: math.Round(score*1000) / 1000, Reasons: c.reasons}
}

type comparison struct {
	a, b    *Traits
	left    float64 // of doubt
	keeps   float64 // what contradictions leave
	reasons []Reason
}

func (c *comparison) add(kind, value string, sure float64) {
	c.left *= 1 - sure
	c.reasons = append(c.reasons, Reason{Kind: kind, Value: value, Points: sure})
}

func (c *comparison) counter(kind, value string, leaves float64) {
	c.keeps *= leaves
	c.reasons = append(c.reasons, Reason{Kind: kind, Value: value, Points: leaves - 1})
}

// names adds what names, or titles, have in common.
func (c *comparison) names(expert bool) likeness {
	if !expert {
		if c.a.title != "" && c.a.title == c.b.title {
			c.add(ByTitle, c.a.label, sureTitle)
		}
		return unsure
	}
	named := compareNames(c.a.names, c.b.names)
	if named == same {
		c.add(ByName, c.a.label, sureName)
	}
	if named == other && (!c.a.named || !c.b.named) { // "Shrimp expert" is no name
		return unsure
	}
	return named
}

// shared yields the keys that both have.
func (c *comparison) shared(crowded map[uint64]bool, yield func(kind, value string)) {
	a, b := c.a.keys, c.b.keys
	for len(a) > 0 && len(b) > 0 {
		switch order := strings.Compare(a[0], b[0]); {
		case order < 0:
			a = a[1:]
		case order > 0:
			b = b[1:]
		default:
			if !crowded[hash(a[0])&^textKey] {
				kind, value, _ := strings.Cut(a[0], ":")
				yield(kind, value)
			}
			a, b = a[1:], b[1:]
		}
	}
}

func (c *comparison) text() {
	s := similarity(c.a.sketch, c.b.sketch)
	if s < nearEqual {
		return
	}
	sure := sureText + (0.95-sureText)*(s-nearEqual)/(1-nearEqual)
	c.left *= 1 - sure
	c.reasons = append(c.reasons, Reason{Kind: ByText, Similarity: math.Round(s*100) / 100, Points: math.Round(sure*100) / 100})
}

// against adds what speaks against a pair that something speaks for.
func (c *comparison) against(named likeness) {
	if len(c.reasons) == 0 {
		return
	}
	a, b := c.a, c.b
	if x, y := a.values(ByORCID), b.values(ByORCID); apart(x, y) {
		c.counter(OtherORCID, x[0]+", "+y[0], 0)
	}
	if named == other || a.firm != "" && b.firm != "" && a.firm != b.firm {
		c.counter(OtherName, a.label+", "+b.label, leavesName)
	}
	if a.Kind != engine.Expert {
		if x, y := a.values(ByPatent), b.values(ByPatent); apart(x, y) {
			c.counter(OtherPatent, x[0]+", "+y[0], leavesPatent)
		}
		if !slices.Equal(a.number, b.number) && (len(a.number) > 0 && len(b.number) > 0 || a.title == b.title) {
			c.counter(OtherNumber, a.label+", "+b.label, leavesNumber)
		}
	}
	if a.firm != "" && apart(a.places, b.places) {
		c.counter(OtherCountry, strings.Join(a.places, " ")+", "+strings.Join(b.places, " "), leavesCountry)
	}
}

// apart reports whether both have values, and none in common.
func apart(a, b []string) bool {
	return len(a) > 0 && len(b) > 0 && !slices.ContainsFunc(a, func(v string) bool { return slices.Contains(b, v) })
}
