package twins

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/eval/shared"
)

// TestReal looks for twins in real data that is published as if it had none. The bounds are what was read by eye and found
// right, and a few more.
func TestReal(t *testing.T) {
	type record struct {
		engine.Listing
		Firm   string `json:"firm"`
		Center string `json:"center"`
	}
	for _, tc := range []struct {
		file        string
		edit        func(*record)
		least, most int
		among       [2]string
	}{
		{"data/needs-providers/providers.jsonl.gz", func(r *record) { r.Kind, r.Title = engine.Expert, r.Firm }, 11, 13, [2]string{"F05233", "F05234"}},
		{"data/technologies-nasa/technologies.jsonl", func(r *record) { r.Kind, r.Organisation = engine.Technology, "NASA "+r.Center }, 88, 94, [2]string{"ARC-SO-135", "ARC-SO-250"}},
	} {
		var all []*Traits
		each(t, shared.Path(t, tc.file), func(line []byte) {
			var r record
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatal(err)
			}
			tc.edit(&r)
			if r.Normalise() == nil {
				all = append(all, Read(&r.Listing))
			}
		})
		found, among := 0, false
		Find(all, nil, func(p Pair) {
			found++
			among = among || p.A == tc.among[0] && p.B == tc.among[1]
			t.Logf("%+v", p)
		})
		t.Logf("%s: %d proposals in %d listings", tc.file, found, len(all))
		if found < tc.least || found > tc.most || !among {
			t.Errorf("%s: %d proposals in %d listings, want %d to %d, %v among them: %v", tc.file, found, len(all), tc.least, tc.most, tc.among, among)
		}
	}
}

func each(t *testing.T, path string, do func(line []byte)) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		do(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}
