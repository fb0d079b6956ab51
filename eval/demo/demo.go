// Package demo is the demo corpus, written by us: problems, technologies and experts in five languages, and pairs
// judged by those who wrote them. Every person and organisation in it is invented and marked "(demo)".
package demo

import (
	"embed"
	"io/fs"
)

// Names of the files that topics and judgements are in.
const (
	Topics = "problems.jsonl"
	Qrels  = "qrels.txt"
)

//go:embed *.jsonl qrels.txt
var files embed.FS

// Files returns the corpus: problems.jsonl, technologies.jsonl, experts.jsonl and qrels.txt.
func Files() fs.FS { return files }

// Listings are the names of the files that hold listings.
var Listings = []string{"problems.jsonl", "technologies.jsonl", "experts.jsonl"}
