package eval

import (
	"bufio"
	"compress/gzip"
	"math"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/engine"
)

// TestBM25 holds tokenizer, yardstick and measures to another implementation of BM25 with the same parameters: over one
// document a provider it scored nDCG@10 0.222 on these topics, on the other collection 0.704.
func TestBM25(t *testing.T) {
	for _, tc := range []struct {
		folder, file string
		topics       int
		want         float64
	}{{"data/needs-providers/", "providers.jsonl.gz", 128, 0.222}, {"data/needs-solutions/", "solutions.jsonl.gz", 179, 0.704}} {
		topics, err := ReadTopics(open(t, tc.folder+"topics.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		x := &Experiment{Topics: topics, Want: []engine.Kind{engine.Expert}}
		if x.Qrels, err = ReadQrels(open(t, tc.folder+"qrels.txt")); err != nil {
			t.Fatal(err)
		}
		if x.Measures, err = ParseMeasures([]string{"nDCG@10"}); err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(open(t, tc.folder+tc.file))
		if err != nil {
			t.Fatal(err)
		}
		bm25 := &BM25{}
		sc := bufio.NewScanner(z)
		for sc.Buffer(nil, 16<<20); sc.Scan(); {
			l := &engine.Listing{}
			if err := json.Unmarshal(sc.Bytes(), l); err != nil {
				t.Fatal(err)
			}
			l.Kind, l.Organisation = engine.Expert, "a firm"
			bm25.Add(l)
		}
		res := &Result{}
		if err := x.Execute(t.Context(), bm25, 0, res); err != nil {
			t.Fatal(err)
		}
		got := res.Measures["nDCG@10"]
		t.Logf("%s: nDCG@10 %.4f on %d topics, the other implementation %.3f", tc.folder, got, res.Counts.Topics, tc.want)
		if got < tc.want-0.01 || res.Counts.Topics != tc.topics {
			t.Errorf("%s: nDCG@10 %.4f on %d topics", tc.folder, got, res.Counts.Topics)
		}
	}
}

// TestBM25ByHand: a holds water twice among 3 terms, b once among 1; c holds none. Mean length 5/3, and 3 documents, 2 with
// the term: idf = ln(1 + 1.5/2.5).
func TestBM25ByHand(t *testing.T) {
	bm25 := &BM25{}
	for id, s := range map[string]string{"a": "water water pump", "b": "water", "c": "laser"} {
		bm25.Add(&engine.Listing{ID: id, Kind: engine.Technology, Text: s})
	}
	bm25.Add(&engine.Listing{ID: "d", Kind: engine.Expert, Person: "x", Text: "water"}) // without a basis
	got := map[string]float64{}
	err := bm25.Rank(t.Context(), &engine.Listing{ID: "p", Kind: engine.Problem, Text: "water"}, engine.Query{}, func(s *engine.Scored) { got[s.Listing.ID] = s.Score })
	idf := math.Log(1 + 1.5/2.5)
	for id, want := range map[string]float64{"a": idf * 2 * 2.2 / (2 + 1.2*(0.25+0.75*3/(5.0/3))), "b": idf * 2.2 / (1 + 1.2*(0.25+0.75*1/(5.0/3)))} {
		if err != nil || len(got) != 2 || math.Abs(got[id]-want) > 1e-12 {
			t.Errorf("%s scores %v, want %v (%v)", id, got[id], want, err)
		}
	}
}
