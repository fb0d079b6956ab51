// Package demo is the demo corpus, written by us: problems, technologies and experts in five languages, and pairs
// judged by those who wrote them. Every person and organisation in it is invented and marked "(demo)".
package demo

import (
	"embed"
	"io/fs"
	"strings"
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

// Records are the lines of the named files of listings, or of all where none is named: a listing in JSON each.
func Records(names ...string) (out []string) {
	if len(names) == 0 {
		names = Listings
	}
	for _, name := range names {
		body, err := files.ReadFile(name)
		if err != nil {
			panic(err) // it is embedded
		}
		for line := range strings.Lines(string(body)) {
			out = append(out, line)
		}
	}
	return out
}

// Listings are the names of the files that hold listings.
var Listings = []string{"problems.jsonl", "technologies.jsonl", "experts.jsonl"}
