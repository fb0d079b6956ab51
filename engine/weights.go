package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Weights are what each signal's raw value is multiplied by.
type Weights [nSignals]float64

// without returns w for a subject: one that has no vectors is judged by the other signals.
func (w Weights) without(r *Reading) Weights {
	if r.Mean == nil {
		return w.drop(SignalMeaning)
	}
	return w
}

// drop gives what a signal weighs to the others in proportion, so that a score means the same.
func (w Weights) drop(gone Signal) Weights {
	lost, rest := w[gone], 0.0
	w[gone] = 0
	for sig, v := range w {
		if alike(gone, Signal(sig)) {
			rest += v
		}
	}
	if lost <= 0 || rest <= 0 {
		return w
	}
	for sig := range w {
		if alike(gone, Signal(sig)) {
			w[sig] *= 1 + lost/rest
		}
	}
	return w
}

// alike reports whether both signals are evidence, or neither and no preference.
func alike(a, b Signal) bool {
	return evidence[a] == evidence[b] && a != SignalPreference && b != SignalPreference
}

// ParseRanker returns a ranker with the weights given as "words=1,concepts=0.5", or as "words=0.8,concepts=0.2/words=0.3,meaning=0.7"
// within a language and across; signals not named weigh nothing. It has no threshold and no calibration: every candidate is ranked.
func ParseRanker(spec string) (Ranker, error) {
	r := Ranker{Name: "custom:" + spec}
	within, across, two := strings.Cut(spec, "/")
	var err error
	if r.Within, err = parseWeights(within); err == nil && two {
		r.Across, err = parseWeights(across)
	} else {
		r.Across = r.Within
	}
	return r, err
}

// Spec writes the weights as ParseRanker reads them.
func (rk *Ranker) Spec() string {
	sets := []string{rk.Within.spec()}
	if rk.Across != rk.Within {
		sets = append(sets, rk.Across.spec())
	}
	return strings.Join(sets, "/")
}

func (w Weights) spec() string {
	var parts []string
	for sig, v := range w {
		if v != 0 {
			parts = append(parts, Signal(sig).String()+"="+strconv.FormatFloat(v, 'g', -1, 64))
		}
	}
	return strings.Join(parts, ",")
}

func parseWeights(spec string) (out Weights, err error) {
	for part := range strings.SplitSeq(spec, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		i := slices.Index(signalNames[:], name)
		if i < 0 {
			return out, fmt.Errorf("%q is no signal: want some of %s", name, strings.Join(signalNames[:], ", "))
		}
		w, err := strconv.ParseFloat(value, 64)
		if err != nil || !(w >= 0 && w <= 1000) {
			return out, fmt.Errorf("%s: %q is no weight: want a number from 0 to 1000", name, value)
		}
		out[i] = w
	}
	return out, nil
}
