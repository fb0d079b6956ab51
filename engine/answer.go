package engine

import "time"

// Recommendation is a candidate that was ranked, with its explanation.
type Recommendation struct {
	Rank        int         `json:"rank"`
	Listing     *Listing    `json:"listing" doc:"Without its texts and works"`
	Score       float64     `json:"score" doc:"Sum of the parts; about 0 to 1"`
	Confidence  float64     `json:"confidence" doc:"How likely a judge calls it a match, 0 to 1, as far as its evidence says; 0 for a ranker that was not calibrated"`
	Explanation Explanation `json:"explanation"`
}

// Subject is who asked. A free text has a language only.
type Subject struct {
	ID           string   `json:"id,omitzero"`
	Kind         Kind     `json:"kind,omitzero"`
	Title        string   `json:"title,omitzero"`
	Lang         string   `json:"lang"`
	Guessed      bool     `json:"lang_guessed,omitzero" doc:"The text is too short to be sure of its language; state it in the query's lang"`
	Fields       []string `json:"fields,omitempty" doc:"Stated, else those of what it names"`
	Regions      []string `json:"regions,omitempty"`
	Organisation string   `json:"organisation,omitzero"`
}

// Answer is what a query gets.
type Answer struct {
	Subject    Subject          `json:"subject" doc:"The listing that asked; of a free text, its language"`
	Items      []Recommendation `json:"items" nullable:"false" doc:"Best first; empty when there is no good match"`
	NoMatch    bool             `json:"no_match" doc:"The evidence for no candidate reaches the threshold"`
	Threshold  float64          `json:"threshold" doc:"The least confidence of a good match"`
	Relax      string           `json:"relax,omitzero" doc:"With no_match: the stated rule that removes most good matches, such as region or exclude.region"`
	Nearest    []Near           `json:"nearest,omitempty" doc:"With no_match: the best that fell short"`
	Allowed    int              `json:"allowed" doc:"How many listings the rules let through"`
	Removed    []Removed        `json:"removed" nullable:"false" doc:"For each rule that was stated, and for blocked pairs: how many of the good matches found without it it removes"`
	Left       []Intervention   `json:"left_out,omitempty" doc:"What shaping left out of the list"`
	Ranker     string           `json:"ranker"`
	Model      string           `json:"model"`
	Unwritten  string           `json:"narratives_dropped,omitzero" doc:"Why a narrative that was asked for is not there"`
	Degraded   bool             `json:"degraded" doc:"Answered without vectors"`
	Reason     string           `json:"degraded_reason,omitzero"`
	Retrieval  Path             `json:"retrieval" doc:"Which way the candidates were found"`
	Steps      Steps            `json:"-"`
	Candidates int              `json:"candidates" doc:"How many were scored"`
}

// Near is a candidate that fell short of the threshold.
type Near struct {
	ID         string  `json:"id"`
	Kind       Kind    `json:"kind"`
	Title      string  `json:"title"`
	Lang       string  `json:"lang"`
	Score      float64 `json:"score"`
	Confidence float64 `json:"confidence" doc:"Below the threshold"`
}

// Removed says how many good matches a rule cost.
type Removed struct {
	Rule  string `json:"rule"`
	Not   bool   `json:"not,omitzero" doc:"The query excludes it"`
	Count int    `json:"count"`
}

// Steps is the time each step of an answer took.
type Steps struct{ Read, Retrieve, Score, Explain time.Duration }
