package engine

import (
	"context"
	"sync/atomic"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
)

// Passage is a span of a listing that is embedded and can be quoted: bytes [Start, End) of one of its texts.
type Passage struct {
	Source int `json:"s"` // FromText, FromSummary, or the number of a work
	Start  int `json:"a"`
	End    int `json:"e"`
}

// The sources of a passage that are not works.
const (
	FromText    = -1
	FromSummary = -2
)

// Entry is a listing as it is stored: with its passages and, where they were asked for, one unit vector a passage.
type Entry struct {
	Listing  *Listing
	Passages []Passage
	Vectors  [][]float32
}

// SourceText returns the text that passages of the source are spans of: a work without text is its title.
func (l *Listing) SourceText(source int) string {
	switch {
	case source == FromText:
		return l.Text
	case source == FromSummary:
		return l.Summary
	case source < 0 || source >= len(l.Works):
		return ""
	case l.Works[source].Text == "":
		return l.Works[source].Title
	}
	return l.Works[source].Text
}

// Heading returns the title that goes with a passage of the source: the work's, or the listing's. An expert's own
// title is a name, and names are no evidence, so there it is empty.
func (l *Listing) Heading(source int) string {
	switch {
	case source >= 0 && source < len(l.Works) && l.Works[source].Text != "":
		return l.Works[source].Title
	case source < 0 && l.Kind != Expert:
		return l.Title
	}
	return ""
}

// Quote returns the passage's text, "" if it does not fit the listing.
func (l *Listing) Quote(p Passage) string {
	s := l.SourceText(p.Source)
	if p.Start < 0 || p.End > len(s) || p.Start > p.End {
		return ""
	}
	return s[p.Start:p.End]
}

// Matchable returns what is embedded and indexed for the passage: its heading, then its text; of a person, without name and gender.
func (l *Listing) Matchable(p Passage) string {
	if h := l.Heading(p.Source); h != "" {
		return l.neutral(h + "\n" + l.Quote(p))
	}
	return l.neutral(l.Quote(p))
}

// LangOf returns the language of a passage, given as Matchable does: what its beginning surely is, else the listing's. Works
// are often in another language than the profile around them, and their concepts would be looked for by the wrong terms.
func (l *Listing) LangOf(matchable string) string { return langOf(matchable, l.Lang) }

// langOf is what s surely is, else declared. A language that we cannot detect is believed.
func langOf(s, declared string) string {
	const enough = 300 // bytes
	if declared != "" && !isReader(declared) {
		return declared
	}
	if lang, sure := text.Detect(s[:min(len(s), enough)]); sure {
		return lang
	}
	return declared
}

// Stub is what rules and signals need to know of a listing while it is a candidate: all but its texts.
type Stub struct {
	Listing *Listing // without Text, Summary, Works and Extra
	Facets  []Facet  // sorted
	Expires int64    // Unix seconds, 0 for never
	Newest  int      // year of the newest work, else of publication; 0 when neither is known

	written atomic.Uint32 // honest, stuffed or copied, once somebody has read it
}

// NewStub strips l. The regions it seeks become the codes in force.
func NewStub(l *Listing) *Stub {
	bare := *l
	bare.Text, bare.Summary, bare.Works, bare.Extra = "", "", nil, nil
	if l.Seeks != nil && len(l.Seeks.Regions) > 0 {
		seeks := l.Seeks.Clone()
		for i, code := range seeks.Regions {
			seeks.Regions[i] = glossary.Canonical(code)
		}
		bare.Seeks = seeks
	}
	return &Stub{Listing: &bare, Facets: Facets(l), Expires: expiry(l), Newest: newest(l)}
}

// Allowed reports whether all clauses hold.
func (s *Stub) Allowed(rules []Clause) bool {
	for i := range rules {
		if !rules[i].Holds(s.Facets, s.Expires) {
			return false
		}
	}
	return true
}

// Hit is how one passage of a candidate answers the subject, by each way of finding it, every figure in [0, 1].
type Hit struct {
	Passage  int     // ordinal within the listing
	Work     int     // the work it belongs to, FromText for the listing's own texts
	Meaning  float32 // cosine of the vectors, 0 where negative
	Words    float32 // BM25 as a share of what a passage with the subject's weightiest words would score
	Concepts float32 // share of the subject's concepts that are named, rare ones weighing more, close ones counted in part
}

// Candidate is a listing that was retrieved and not yet ranked, with a hit for each of its passages in order.
type Candidate struct {
	*Stub
	Record float32 // BM25 of all its words together, as a share of what a record with all the subject's words would score
	Hits   []Hit
}

// Candidates is the result of one retrieval. It is reused from query to query; its slices are valid until then.
type Candidates struct {
	List    []Candidate
	Hits    []Hit // backs the candidates' hits
	Allowed int   // listings that the rules let through, whether retrieved or not
	Path    Path

	TermIDF    []float32 // for each term of the reading, how rare it is; 0 where nobody uses it
	ConceptIDF []float32 // the same for its concepts
}

// Reset empties c and keeps its memory.
func (c *Candidates) Reset() {
	c.List, c.Hits, c.Allowed, c.Path = c.List[:0], c.Hits[:0], 0, Path{}
	c.TermIDF, c.ConceptIDF = c.TermIDF[:0], c.ConceptIDF[:0]
}

// Path says which way of retrieval answered, for whoever looks into an answer.
type Path struct {
	By        string `json:"by" enum:"index,database" doc:"The index in memory, or the database itself"`
	Vectors   string `json:"vectors,omitzero" enum:"exact,signatures,hnsw,hnsw then exact" doc:"How the nearest passages were found; absent without vectors. \"hnsw then exact\": the graph gave too few, so all were compared"`
	Estimated bool   `json:"estimated,omitzero" doc:"The number of listings allowed is an estimate"`
}

// Retriever finds candidates within the rules: up to n listings by each of vectors, words of a passage, words of all passages
// together, and concepts, their union in no particular order. Rules are never loosened and never starve an answer: with at least n listings allowed and
// answering at all, n are found.
type Retriever interface {
	Retrieve(ctx context.Context, r *Reading, rules []Clause, n int, out *Candidates) error
}

// Library gives back what was stored. Ids that are not there are left out. With an empty model, no vectors come.
type Library interface {
	Entries(ctx context.Context, ids []string, model string) ([]Entry, error)
}
