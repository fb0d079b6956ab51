package eval

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Qrels are judgements: topic -> document -> grade.
type Qrels map[string]map[string]int

// Run is a ranking for each topic, each in the order of Order.
type Run map[string][]Ranked

// The range of a grade. Real scales are short; beyond it stands a slip or another column.
const (
	minGrade = -1_000
	maxGrade = 1_000
)

// scanLines calls yield for every line that is not empty, with its number; gzipped input is unpacked. Lines end as on Unix or
// Windows, mixed or not. The line is valid until yield returns.
func scanLines(r io.Reader, yield func(n int, line []byte) error) error {
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
		line := sc.Bytes()
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\uFEFF"))
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var err error
		switch {
		case bytes.IndexByte(line, '\r') >= 0:
			err = errors.New("a carriage return within the line: save the file with line ends of Unix or Windows")
		case !utf8.Valid(line):
			err = errors.New("not valid UTF-8")
		default:
			err = yield(n, line)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}

// names keeps one copy of each name, so that a file of millions of lines costs what its different names cost.
type names map[string]string

func (n names) of(b []byte) string {
	if s, ok := n[string(b)]; ok {
		return s
	}
	s := string(b)
	n[s] = s
	return s
}

// columns splits a line at white space into exactly len(out) columns.
func columns(line []byte, out [][]byte, want string) error {
	i := 0
	for f := range bytes.FieldsSeq(line) {
		if i < len(out) {
			out[i] = f
		}
		i++
	}
	if i != len(out) {
		return fmt.Errorf("%d columns instead of %d (%s)", i, len(out), want)
	}
	return nil
}

// ReadQrels reads judgements in TREC form, "topic iteration document grade", strictly. Errors name the line.
func ReadQrels(r io.Reader) (Qrels, error) {
	q, known, f := Qrels{}, names{}, make([][]byte, 4)
	err := scanLines(r, func(_ int, line []byte) error {
		if err := columns(line, f, "topic, iteration, document, grade"); err != nil {
			return err
		}
		grade, err := strconv.Atoi(string(f[3]))
		if err != nil {
			return fmt.Errorf("grade %q is no whole number", f[3])
		}
		return q.add(known.of(f[0]), known.of(f[2]), grade)
	})
	if err != nil {
		return nil, err
	}
	return q, nil
}

// add takes one judgement.
func (q Qrels) add(topic, doc string, grade int) error {
	if grade < minGrade || grade > maxGrade {
		return fmt.Errorf("grade %d is out of range: want %d to %d", grade, minGrade, maxGrade)
	}
	if old, dup := q[topic][doc]; dup {
		return fmt.Errorf("topic %s judges %s twice (%d before)", topic, doc, old)
	}
	if q[topic] == nil {
		q[topic] = map[string]int{}
	}
	q[topic][doc] = grade
	return nil
}

// Transpose asks the other way round: documents become topics.
func (q Qrels) Transpose() Qrels {
	out := Qrels{}
	for topic, grades := range q {
		for doc, g := range grades {
			if out[doc] == nil {
				out[doc] = map[string]int{}
			}
			out[doc][topic] = g
		}
	}
	return out
}

// WriteQrels writes judgements in TREC form, in order of topic and document.
func WriteQrels(w io.Writer, q Qrels) error {
	buf := bufio.NewWriter(w)
	for _, topic := range slices.Sorted(maps.Keys(q)) {
		for _, doc := range slices.Sorted(maps.Keys(q[topic])) {
			fmt.Fprintf(buf, "%s 0 %s %d\n", topic, doc, q[topic][doc])
		}
	}
	return buf.Flush()
}

// ReadRun reads a run in TREC form, "topic Q0 document rank score tag", strictly, and returns its tag. The rank is not used:
// the order is that of the scores. A file holds one run. Errors name the line. It keeps about 30 bytes a line.
func ReadRun(r io.Reader) (Run, string, error) {
	lines, known, f, tag := map[string][]int32{}, names{}, make([][]byte, 6), ""
	run := Run{}
	err := scanLines(r, func(n int, line []byte) error {
		if err := columns(line, f, "topic, Q0, document, rank, score, tag"); err != nil {
			return err
		}
		score, err := strconv.ParseFloat(string(f[4]), 64)
		if err != nil || math.IsNaN(score) || math.IsInf(score, 0) {
			return fmt.Errorf("score %q is no number", f[4])
		}
		switch {
		case tag == "":
			tag = string(f[5])
		case tag != string(f[5]):
			return fmt.Errorf("tag %q after %q: a file holds one run", f[5], tag)
		}
		topic := known.of(f[0])
		run[topic] = append(run[topic], Ranked{known.of(f[2]), score})
		lines[topic] = append(lines[topic], int32(min(n, math.MaxInt32)))
		return nil
	})
	if err == nil {
		err = run.twice(lines)
	}
	if err != nil {
		return nil, "", err
	}
	for _, r := range run {
		Order(r)
	}
	return run, tag, nil
}

// twice finds the first line that ranks a document for the second time.
func (run Run) twice(lines map[string][]int32) error {
	first, topic, doc := int32(math.MaxInt32), "", ""
	for t, ranking := range run {
		at := make([]int32, len(ranking))
		for i := range at {
			at[i] = int32(i)
		}
		slices.SortFunc(at, func(a, b int32) int {
			return cmp.Or(cmp.Compare(ranking[a].Doc, ranking[b].Doc), cmp.Compare(a, b))
		})
		for i := 1; i < len(at); i++ {
			if n := lines[t][at[i]]; ranking[at[i]].Doc == ranking[at[i-1]].Doc && n < first {
				first, topic, doc = n, t, ranking[at[i]].Doc
			}
		}
	}
	if topic == "" {
		return nil
	}
	return fmt.Errorf("line %d: topic %s ranks %s twice", first, topic, doc)
}

// WriteRun writes a run in TREC form, topics in order.
func WriteRun(w io.Writer, run Run, tag string) error {
	buf := bufio.NewWriter(w)
	for _, t := range slices.Sorted(maps.Keys(run)) {
		for i, d := range run[t] {
			fmt.Fprintf(buf, "%s Q0 %s %d %s %s\n", t, d.Doc, i+1, strconv.FormatFloat(d.Score, 'g', -1, 64), tag)
		}
	}
	return buf.Flush()
}
