package eval

import "github.com/ketnoi/ketnoi/engine"

// Result is what one configuration scored on one collection: all that a comparison or a report needs, kept as JSON. But for
// Latency it is the same each time the same configuration runs on the same store.
type Result struct {
	Name       string        `json:"name"`    // of the configuration: "additive-2", "without words"
	Ranker     string        `json:"ranker"`  // name of the ranker and its weights
	Weights    []WeightSet   `json:"weights"` // empty for a run from elsewhere
	Model      string        `json:"model,omitzero"`
	Collection string        `json:"collection"` // digest of topics and judgements: results of two collections are not compared
	Want       []engine.Kind `json:"want,omitempty"`
	Seed       uint64        `json:"seed"`

	Measures map[string]float64            `json:"measures"` // means over all judged topics; a topic without an answer counts as 0
	Answered map[string]float64            `json:"answered"` // the same over those with an answer only
	Counts   Counts                        `json:"counts"`
	Slices   map[string]Slice              `json:"slices"` // by "same-language", "language vi-ko", "field 2.7", "region VN", "kind expert"
	Topics   map[string]map[string]float64 `json:"topics"` // by topic and measure
	Details  map[string]Detail             `json:"details,omitempty"`

	Calibration *Calibration        `json:"calibration,omitempty"`
	Exposure    map[string]Exposure `json:"exposure,omitempty"` // by attribute: "language", "region", "organisation_size", "gender"
	Spread      *Spread             `json:"spread,omitempty"`
	Latency     *Latency            `json:"latency,omitempty"`
	Run         Run                 `json:"-"`
}

// WeightSet is what one signal weighs, within a language and across.
type WeightSet struct {
	Signal string  `json:"signal"`
	Within float64 `json:"within"`
	Across float64 `json:"across"`
}

// Counts say what the means are over.
type Counts struct {
	Topics   int `json:"topics"`   // that have a relevant listing
	Missing  int `json:"missing"`  // of these without an answer
	Judged   int `json:"judged"`   // judgements, of all grades
	Relevant int `json:"relevant"` // judgements of grade 1 or more
	Unknown  int `json:"unknown"`  // judged listings that the store does not have
	NoMatch  int `json:"no_match"` // topics where no confidence reaches the ranker's threshold: "no good match"
}

// Slice is a part of the judgements with its own figures.
type Slice struct {
	Topics   int                `json:"topics"`
	Judged   int                `json:"judged"` // relevant listings
	Measures map[string]float64 `json:"measures"`
	perTopic map[string]map[string]float64
}

// Detail is one topic as people read it.
type Detail struct {
	Title  string  `json:"title"`
	Lang   string  `json:"lang,omitzero"`
	Ranked []Shown `json:"ranked"` // the first ten
	Missed []Shown `json:"missed"` // relevant listings below them: Rank 0 where they were not found at all
}

// Shown is a listing at its place in a ranking.
type Shown struct {
	Rank  int                `json:"rank"`
	ID    string             `json:"id"`
	Title string             `json:"title,omitzero"`
	Lang  string             `json:"lang,omitzero"`
	Grade *int               `json:"grade,omitempty"` // nil if nobody judged it
	Score float64            `json:"score"`
	Parts map[string]float64 `json:"parts,omitempty"` // points by signal; they add up to the score
}

// Latency is the time a topic took, on one core each, in milliseconds.
type Latency struct {
	Median float64 `json:"median_ms"`
	P95    float64 `json:"p95_ms"`
}
