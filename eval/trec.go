// Package eval measures rankings: it reads topics and judgements, ranks every topic, computes measures as trec_eval
// does, and reports them by slices.
package eval

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// Qrels are judgements: topic -> document -> grade.
type Qrels map[string]map[string]int

// Run is a ranking for each topic.
type Run map[string][]Ranked

// Topic is one question of a test collection. Its keys are those of a listing; others in the file are passed over.
type Topic struct {
	ID        string   `json:"id"`
	Title     string   `json:"title"`
	Text      string   `json:"text"`
	Lang      string   `json:"lang"`
	Fields    []string `json:"fields"`
	Regions   []string `json:"regions"`
	Languages []string `json:"languages"`
}

// scanLines calls yield for every line that is not empty, with its number; gzipped input is unpacked.
func scanLines(r io.Reader, yield func(n int, line string) error) error {
	buf := bufio.NewReaderSize(r, 1<<16)
	if magic, _ := buf.Peek(2); bytes.Equal(magic, []byte{0x1F, 0x8B}) {
		z, err := gzip.NewReader(buf)
		if err != nil {
			return err
		}
		buf = bufio.NewReaderSize(z, 1<<16)
	}
	sc := bufio.NewScanner(buf)
	sc.Buffer(nil, 16<<20)
	n := 0
	for sc.Scan() {
		n++
		line := sc.Text()
		if n == 1 {
			line = strings.TrimPrefix(line, "\uFEFF")
		}
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := yield(n, line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}

// ReadQrels reads judgements in TREC form, "topic iteration document grade", strictly.
func ReadQrels(r io.Reader) (Qrels, error) {
	q := Qrels{}
	return q, scanLines(r, func(_ int, line string) error {
		f := strings.Fields(line)
		if len(f) != 4 {
			return fmt.Errorf("%d columns instead of 4 (topic, iteration, document, grade)", len(f))
		}
		grade, err := strconv.Atoi(f[3])
		if err != nil {
			return fmt.Errorf("grade %q is no whole number", f[3])
		}
		if old, dup := q[f[0]][f[2]]; dup {
			return fmt.Errorf("topic %s judges %s twice (%d before)", f[0], f[2], old)
		}
		if q[f[0]] == nil {
			q[f[0]] = map[string]int{}
		}
		q[f[0]][f[2]] = grade
		return nil
	})
}

// ReadRun reads a run in TREC form, "topic Q0 document rank score tag", strictly. The rank is not used: the order is
// that of the scores.
func ReadRun(r io.Reader) (Run, error) {
	run := Run{}
	seen := map[[2]string]bool{}
	err := scanLines(r, func(_ int, line string) error {
		f := strings.Fields(line)
		if len(f) != 6 {
			return fmt.Errorf("%d columns instead of 6 (topic, Q0, document, rank, score, tag)", len(f))
		}
		score, err := strconv.ParseFloat(f[4], 64)
		if err != nil || math.IsNaN(score) || math.IsInf(score, 0) {
			return fmt.Errorf("score %q is no number", f[4])
		}
		if seen[[2]string{f[0], f[2]}] {
			return fmt.Errorf("topic %s ranks %s twice", f[0], f[2])
		}
		seen[[2]string{f[0], f[2]}] = true
		run[f[0]] = append(run[f[0]], Ranked{f[2], score})
		return nil
	})
	for _, r := range run {
		Order(r)
	}
	return run, err
}

// WriteRun writes a run in TREC form, topics in order.
func WriteRun(w io.Writer, run Run, tag string) error {
	buf := bufio.NewWriter(w)
	topics := make([]string, 0, len(run))
	for t := range run {
		topics = append(topics, t)
	}
	slices.Sort(topics)
	for _, t := range topics {
		for i, d := range run[t] {
			fmt.Fprintf(buf, "%s Q0 %s %d %s %s\n", t, d.Doc, i+1, strconv.FormatFloat(d.Score, 'g', -1, 64), tag)
		}
	}
	return buf.Flush()
}

// ReadTopics reads topics, one JSON object a line.
func ReadTopics(r io.Reader) ([]Topic, error) {
	var out []Topic
	seen := map[string]bool{}
	err := scanLines(r, func(_ int, line string) error {
		var t Topic
		if err := json.Unmarshal([]byte(line), &t); err != nil {
			return err
		}
		switch {
		case t.ID == "":
			return fmt.Errorf("id: missing")
		case seen[t.ID]:
			return fmt.Errorf("id: %s stands twice", t.ID)
		case t.Title == "" && t.Text == "":
			return fmt.Errorf("topic %s has neither title nor text", t.ID)
		}
		seen[t.ID] = true
		out = append(out, t)
		return nil
	})
	return out, err
}
