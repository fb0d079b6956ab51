package engine

import (
	"slices"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
)

// Explanation is why a candidate is recommended, as data; Summary says it in one sentence or two, from these facts alone.
type Explanation struct {
	Summary   string `json:"summary"`
	Narrative string `json:"narrative,omitzero" doc:"The same in the words of a chat model, where one is asked and every sentence is supported by the facts"`

	Parts    []Part       `json:"parts" nullable:"false" doc:"Their points add up to the score"`
	Evidence []Evidence   `json:"evidence" nullable:"false" doc:"Pairs of quoted passages, strongest first"`
	Concepts []Shared     `json:"concepts" nullable:"false" doc:"Glossary concepts that both sides name"`
	Words    []string     `json:"words" nullable:"false" doc:"Words that both sides use, as the candidate writes them"`
	Rules    []RuleResult `json:"rules" nullable:"false" doc:"The rules of the query and whether they hold"`

	Confidence string         `json:"confidence,omitzero" enum:"strong,fair,weak" doc:"How far the evidence makes it a match, in a word"`
	Changes    []Change       `json:"changes,omitempty" doc:"What would bring it further up"`
	Shaping    []Intervention `json:"shaping,omitempty" doc:"What was done to its place"`
}

// Change is what would bring a candidate to a better place.
type Change struct {
	Signal string `json:"signal"`
	Rule   string `json:"rule,omitzero" doc:"The preference that it does not meet"`
	Place  int    `json:"place" doc:"Where it would stand by score"`
	Text   string `json:"text" doc:"In the reader's language"`
}

// Part is one signal's points: weight times raw value.
type Part struct {
	Signal string  `json:"signal"`
	Raw    float64 `json:"raw" doc:"0 to 1"`
	Weight float64 `json:"weight"`
	Points float64 `json:"points"`
}

// Quote is the text of a passage, or its telling part, in its own language.
type Quote struct {
	Text string `json:"text"`
	Lang string `json:"lang"`
	Work string `json:"work,omitzero" doc:"Title of the work it comes from"`
	Year int    `json:"year,omitzero"`

	Marks []string `json:"marks,omitempty" doc:"The words of it that carry the match, as they stand there, in small letters or not"`
}

// Evidence is a pair of quotes with the cosine between the candidate's passage and the subject.
type Evidence struct {
	Subject    Quote   `json:"subject"`
	Candidate  Quote   `json:"candidate"`
	Similarity float64 `json:"similarity"`
}

// Shared is a concept that both sides name, or name closely, with the words that show it.
type Shared struct {
	ID        string        `json:"id"`
	Label     string        `json:"label" doc:"Preferred term in the reader's language"`
	Link      glossary.Link `json:"link" doc:"How the candidate's concept stands to the subject's: same, narrower, broader, related"`
	Subject   string        `json:"subject" doc:"As the subject writes it"`
	Candidate string        `json:"candidate" doc:"As the candidate writes it"`
}

// RuleResult is a rule of the query and whether the candidate holds it.
type RuleResult struct {
	Rule       string   `json:"rule"`
	Wants      []string `json:"wants,omitempty" doc:"What the rule asks for: codes"`
	Not        bool     `json:"not,omitzero" doc:"The query excludes it: it holds where none of wants is met"`
	Holds      bool     `json:"holds"`
	Preference bool     `json:"preference,omitzero" doc:"It only adds points"`
	Via        *Via     `json:"via,omitempty" doc:"Of a shared language: the ambassador who lends it"`
	Text       string   `json:"text" doc:"In the reader's language"`
}

// Via is an ambassador between two sides without a common language.
type Via struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// The lengths of an explanation.
const (
	maxEvidence = 3
	maxQuote    = 320 // characters
	maxShared   = 12
	rareWord    = 2 // inverse document frequency from which a word tells a reader something
)

// sentence is one sentence of a passage, or its heading, with what it names.
type sentence struct {
	text     string
	concepts []named
	terms    []int // indexes into the reading's terms
}

type named struct {
	concept int
	written string
}

// explainer holds what is the same for all candidates of one query.
type explainer struct {
	rec      *Recommender
	r        *Reading
	c        *Candidates
	reader   string
	ask      *ask
	scored   []Scored        // all good matches, best first
	terms    map[string]int  // the subject's terms -> index
	accented map[string]bool // those that it writes with accents
	reach    map[int]reached
	subject  []sentence
	lastTerm []int // for each term, the last sentence that used it, so that a sentence counts it once
	counted  int   // sentences so far
}

// reached says which of the subject's concepts another concept answers, and how closely.
type reached struct {
	index int
	link  glossary.Link
}

// read takes the subject apart, as explaining candidates needs it.
func (x *explainer) read() {
	x.terms, x.accented, x.reach, x.lastTerm = map[string]int{}, map[string]bool{}, map[int]reached{}, make([]int, len(x.r.Terms))
	for i, t := range x.r.Terms {
		x.terms[t.Text] = i
	}
	for i, w := range x.r.Concepts {
		x.rec.Glossary.Neighbours(w.Concept, func(other int, link glossary.Link) {
			if old, ok := x.reach[other]; !ok || link.Strength() > old.link.Strength() {
				x.reach[other] = reached{i, link}
			}
		})
	}
	for i, p := range x.r.Passages {
		first := i == 0 || x.r.Passages[i-1].Source != p.Source
		matchable := x.r.Listing.Matchable(p)
		x.subject = x.sentences(x.subject, x.r.Listing, langOf(matchable, x.r.Lang), p, first)
		last := ""
		text.Terms(matchable, func(term []byte, _, _ int) {
			if term[0] == '=' {
				x.accented[last] = true
			} else {
				last = string(term)
			}
		})
	}
}

// sentences appends the sentences of a passage, after its heading if that is wanted.
func (x *explainer) sentences(out []sentence, l *Listing, lang string, p Passage, heading bool) []sentence {
	if h := l.Heading(p.Source); h != "" && heading {
		out = append(out, x.look(lang, h))
	}
	body := l.Quote(p)
	text.Sentences(body, func(start, end int) {
		out = append(out, x.look(lang, body[start:end]))
	})
	return out
}

func (x *explainer) look(lang, s string) sentence {
	x.counted++
	se := sentence{text: s}
	x.rec.Glossary.Find(s, lang, func(m glossary.Mention) {
		se.concepts = append(se.concepts, named{m.Concept, s[m.Start:m.End]})
	})
	text.Terms(s, func(term []byte, _, _ int) {
		if i, ok := x.terms[string(term)]; ok && x.lastTerm[i] != x.counted && telling(term) {
			x.lastTerm[i] = x.counted
			se.terms = append(se.terms, i)
		}
	})
	return se
}

// telling reports whether sharing the term tells a reader anything: small numbers and units meet by chance.
func telling(term []byte) bool {
	if len(term) < 3 {
		return false
	}
	for _, c := range term {
		if c < '0' || c > '9' {
			return true
		}
	}
	return len(term) > 3
}

// item is a candidate as it is shown at a place of the list.
func (x *explainer) item(rank int, p *placed) Recommendation {
	shown := *p.Listing
	shown.Text, shown.Works, shown.Conflicts = "", nil, nil // whom it avoids is nobody else's business
	e := x.explain(&p.Scored, p.Entry)
	e.Shaping = p.done
	return Recommendation{Rank: rank, Listing: &shown, Score: p.Score, Confidence: p.Confidence, Explanation: e}
}

// explain builds the explanation of one ranked candidate from its stored entry.
func (x *explainer) explain(s *Scored, e Entry) Explanation {
	out := Explanation{Parts: s.Parts(), Evidence: []Evidence{}, Concepts: []Shared{}, Words: []string{}, Rules: x.results(s)}
	shared, quoted := map[int]Shared{}, map[string]bool{} // by index of the subject's concept; by text
	hits := strongest(s)
	hits = slices.DeleteFunc(hits, func(h Hit) bool { return h.Passage >= len(e.Passages) }) // the listing changed since
	for _, h := range hits {
		p := e.Passages[h.Passage]
		matchable := e.Listing.Matchable(p)
		lang := e.Listing.LangOf(matchable)
		candidate := x.sentences(nil, e.Listing, lang, p, true)
		if ev, ok := x.evidence(candidate, quoted, e.Listing, p, lang); ok {
			ev.Similarity = float64(h.Meaning)
			out.Evidence = append(out.Evidence, ev)
		}
		for _, se := range candidate {
			x.gather(shared, se)
		}
		out.Words = x.words(out.Words, matchable, rareWord, anyTerm)
	}
	if len(out.Evidence) == 0 {
		out.Evidence = x.nearest(out.Evidence, s.Hits, e)
	}
	if len(out.Words)+len(shared) == 0 { // better common words than none
		for _, h := range hits {
			out.Words = x.words(out.Words, e.Listing.Matchable(e.Passages[h.Passage]), 0, anyTerm)
		}
	}
	out.Concepts = x.order(shared)
	out.Confidence = confidenceWord(s.Confidence)
	out.Changes = x.changes(s)
	out.Summary = x.summary(&out, e.Listing)
	return out
}

// Parts returns the score's parts in the order of the signals; a preference is listed only when one was stated, another language only where it is one.
func (s *Scored) Parts() []Part {
	var out []Part
	for sig, v := range s.Raw {
		if Signal(sig) == SignalPreference && v == 0 || Signal(sig) == SignalAcross && s.Weights[sig] == 0 {
			continue
		}
		out = append(out, Part{Signal(sig).String(), v, s.Weights[sig], s.Weights[sig] * v})
	}
	return out
}

// strongest returns the candidate's hits that carry its score, best first, as many as are quoted.
func strongest(s *Scored) []Hit {
	worth := func(h Hit) float64 {
		return s.Weights[SignalMeaning]*float64(h.Meaning) + s.Weights[SignalWords]*float64(h.Words) + s.Weights[SignalConcepts]*float64(h.Concepts)
	}
	hits := slices.Clone(s.Hits)
	slices.SortStableFunc(hits, func(a, b Hit) int {
		switch wa, wb := worth(a), worth(b); {
		case wa > wb:
			return -1
		case wa < wb:
			return 1
		}
		return 0
	})
	return hits[:min(len(hits), maxEvidence)]
}

func anyTerm(int) bool { return true }

// gather notes which of the subject's concepts the sentence answers, the closest link first.
func (x *explainer) gather(shared map[int]Shared, se sentence) {
	for _, n := range se.concepts {
		to, ok := x.reach[n.concept]
		if !ok {
			continue
		}
		if old, have := shared[to.index]; have && old.Link.Strength() >= to.link.Strength() {
			continue
		}
		c := x.rec.Glossary.Concept(n.concept)
		shared[to.index] = Shared{ID: c.ID, Label: c.Label(x.reader), Link: to.link, Candidate: n.written, Subject: x.written(x.r.Concepts[to.index].Concept)}
	}
}

// written returns the words by which the subject first names the concept.
func (x *explainer) written(concept int) string {
	for _, se := range x.subject {
		for _, n := range se.concepts {
			if n.concept == concept {
				return n.written
			}
		}
	}
	return x.rec.Glossary.Concept(concept).Label(x.r.Listing.Lang) // named across the end of a sentence
}

// order lists shared concepts by what they are worth: closeness times rarity times weight in the subject.
func (x *explainer) order(shared map[int]Shared) []Shared {
	index := make([]int, 0, len(shared))
	for i := range shared {
		index = append(index, i)
	}
	worth := func(i int) float32 {
		return shared[i].Link.Strength() * at(x.c.ConceptIDF, i) * x.r.Concepts[i].Weight
	}
	slices.SortFunc(index, func(a, b int) int {
		switch wa, wb := worth(a), worth(b); {
		case wa > wb:
			return -1
		case wa < wb:
			return 1
		}
		return a - b
	})
	out := []Shared{}
	for _, i := range index[:min(len(index), maxShared)] {
		out = append(out, shared[i])
	}
	return out
}
