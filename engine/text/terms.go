package text

// Terms calls yield for every index term of s, in order, with the bytes [start, end) of s that it stands for; the term
// itself is valid during the call only. What a term is:
//
//   - a Latin word: its folded stem ("nước" -> "nuoc"), and beside it the exact form marked with "=" where the
//     text has accents, so that an exact match counts twice and beats a folded one;
//   - two neighbouring Vietnamese syllables: their folded pair ("nuoc mam");
//   - Han characters and Hangul syllables: overlapping pairs within a run ("养殖", "양식"), which finds two-character
//     words anywhere and Korean words whatever particle follows; a run of one character is a term by itself, and so is a
//     Korean syllable with nothing behind it but a particle ("쌀을" -> "쌀을", "쌀").
//
// Stop words give no term. Single letters give none either.
func Terms(s string, yield func(term []byte, start, end int)) {
	var t termer
	Scan(s, func(a *Atom) bool {
		t.add(a, yield)
		return true
	})
	t.flush(yield)
}

// TermList returns the terms of s as strings, for callers outside the hot path.
func TermList(s string) []string {
	var out []string
	Terms(s, func(t []byte, _, _ int) { out = append(out, string(t)) })
	return out
}

type termer struct {
	buf   []byte
	first []byte // the character that opened the run, and its place
	open  [2]int
	prev  []byte // the atom before: a syllable (Latin), or a character of an open run
	from  int    // where prev starts
	last  Script // script of prev, None if prev cannot pair
	run   int    // atoms in the open Han or Hangul run
}

func (t *termer) add(a *Atom, yield func([]byte, int, int)) {
	if a.Script == Latin {
		t.flush(yield)
		t.word(a, yield)
		return
	}
	if t.last != a.Script || a.Gap != Touching {
		t.flush(yield)
	}
	if t.run > 0 {
		t.buf = append(append(t.buf[:0], t.prev...), a.Fold...)
		if !stopPairs[string(t.buf)] {
			yield(t.buf, t.from, a.End)
		}
	} else {
		t.first, t.open = append(t.first[:0], a.Fold...), [2]int{a.Start, a.End}
	}
	t.keep(a)
	t.run++
}

// flush ends an open run; a run of one character is a term by itself, and so is the syllable before a lone particle.
func (t *termer) flush(yield func([]byte, int, int)) {
	alone := t.run == 1 || t.run == 2 && t.last == Hangul && particles[string(t.prev)]
	if alone && !stopPairs[string(t.first)] {
		yield(t.first, t.open[0], t.open[1])
	}
	if t.run > 0 {
		t.run, t.last = 0, None
	}
}

func (t *termer) word(a *Atom, yield func([]byte, int, int)) {
	if len(a.Fold) < 2 || stopWords[string(a.Exact)] {
		t.last = None
		return
	}
	yield(a.Fold, a.Start, a.End)
	if a.Marked {
		t.buf = append(append(t.buf[:0], '='), a.Exact...)
		yield(t.buf, a.Start, a.End)
	}
	if !isSyllable(a.Fold) {
		t.last = None
		return
	}
	if t.last == Latin && a.Gap == Space {
		t.buf = append(append(append(t.buf[:0], t.prev...), ' '), a.Fold...)
		yield(t.buf, t.from, a.End)
	}
	t.keep(a)
}

// keep remembers a for the pair it may make with the next atom.
func (t *termer) keep(a *Atom) {
	t.prev, t.from, t.last = append(t.prev[:0], a.Fold...), a.Start, a.Script
}
