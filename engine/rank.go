package engine

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Ranker is a versioned set of weights. A score is the sum over the signals of weight times raw value. Shared words say
// much within a language and little between two, where names, formulas and loanwords are all there is to share;
// therefore there are two sets. Their ratio is learned from topics that are answered in both, and each set's evidence is
// led by a calibration of its own to one scale: how likely a judge calls the candidate a match.
type Ranker struct {
	Name      string
	Within    Weights     // for a candidate in the subject's language
	Across    Weights     // for one in another language
	Likely    Calibration // of evidence within a language
	LikelyTo  Calibration // of evidence across languages
	Threshold float64     // the least confidence of a good match, 0 to 1
}

// Calibration leads points of evidence to the log-odds of a match: A + B times evidence. The zero value says nothing.
type Calibration struct {
	A float64 `json:"a"`
	B float64 `json:"b"`
}

// Confidence is the likelihood, 0 to 1, that a judge calls a candidate with that much evidence a match; 0 where c says nothing.
func (c Calibration) Confidence(evidence float64) float64 {
	if c == (Calibration{}) {
		return 0
	}
	return 1 / (1 + math.Exp(-c.A-c.B*evidence))
}

// From which confidence on a match is called strong, and fair; below it is weak.
const (
	strongFrom = 0.5
	fairFrom   = 0.2
)

// confidenceWord is the code of a confidence: strong, fair or weak; empty where nothing is known.
func confidenceWord(c float64) string {
	switch {
	case c >= strongFrom:
		return "strong"
	case c >= fairFrom:
		return "fair"
	case c > 0:
		return "weak"
	}
	return ""
}

// DefaultRanker returns the ranker that is used when none is named. Its weights and calibrations were learned by eval.Fit's
// method with a trained model from the topics of needs-providers, needs-solutions, the demo's P1xx and P2xx, and the first half of eval/crosslang together, the
// calibrations from the demo's alone, since only these are judged beyond one answer. docs/ranking.md has the figures on other topics.
func DefaultRanker() Ranker {
	return Ranker{
		Name: "additive-2",
		Within: Weights{SignalMeaning: 0.048, SignalWords: 0.232, SignalRecord: 0.263, SignalConcepts: 0.020, SignalField: 0.118, SignalSeeks: 0.197, SignalRecent: 0.082,
			SignalPreference: 0.10},
		Across: Weights{SignalMeaning: 0.075, SignalWords: 0.210, SignalRecord: 0.152, SignalConcepts: 0.127, SignalField: 0.118, SignalSeeks: 0.197, SignalRecent: 0.082,
			SignalAcross: 0.039, SignalPreference: 0.10},
		Likely:    Calibration{-8.6, 83.5},
		LikelyTo:  Calibration{-4.25, 59.9},
		Threshold: 0.08,
	}
}

// weigh scores by one set.
func (s *Scored) weigh(w *Weights, likely Calibration) {
	s.Weights, s.Score, s.Evidence = *w, 0, 0
	for sig, v := range s.Raw {
		points := w[sig] * v
		if s.Score += points; evidence[sig] {
			s.Evidence += points
		}
	}
	s.Confidence = likely.Confidence(s.Evidence)
}

// Without returns the ranker without a signal, the others weighing more in proportion: what the signal is worth shows in
// what is lost.
func (rk Ranker) Without(sig Signal) Ranker {
	rk.Name += " without " + sig.String()
	rk.Within, rk.Across = rk.Within.drop(sig), rk.Across.drop(sig)
	return rk
}

// Signals are those that weigh something.
func (rk *Ranker) Signals() (out []Signal) {
	for sig := range nSignals {
		if rk.Within[sig] > 0 || rk.Across[sig] > 0 {
			out = append(out, sig)
		}
	}
	return out
}

// Scored is a candidate with its raw signals and its score.
type Scored struct {
	*Candidate
	Raw      [nSignals]float64
	Weights  Weights // by which it was scored
	Score    float64
	Evidence float64 // the points of the signals that are evidence
	// Confidence is how likely the evidence makes a match: the threshold is held against this.
	Confidence float64
}

// Rank scores the candidates into out, which it returns ordered: best score first, ties by the listing's id. It
// allocates only when out is too short.
func (rk *Ranker) Rank(r *Reading, prefer []Clause, c *Candidates, out []Scored) []Scored {
	out = out[:0]
	within, across := rk.Within.without(r), rk.Across.without(r)
	for i := range c.List {
		s := Scored{Candidate: &c.List[i]}
		s.Raw = raw(r, prefer, s.Candidate)
		switch lang := s.Listing.Lang; {
		case r.Lang == "" || lang == "":
			// A language that is unknown or a guess costs a candidate nothing: the kinder set counts.
			s.weigh(&across, rk.LikelyTo)
			other := s
			other.weigh(&within, rk.Likely)
			sure := max(s.Confidence, other.Confidence)
			if other.Score >= s.Score {
				s = other
			}
			s.Confidence = sure
		case r.Lang == lang:
			s.weigh(&within, rk.Likely)
		default:
			s.weigh(&across, rk.LikelyTo)
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Scored) int {
		if a.Score != b.Score {
			return cmp.Compare(b.Score, a.Score)
		}
		return strings.Compare(a.Listing.ID, b.Listing.ID)
	})
	return out
}
