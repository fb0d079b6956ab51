package index

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
)

const testDim = 24

// history is a source in memory: the present state of everything, with the number of its last change.
type history struct {
	mu      sync.Mutex
	seq     int64
	changes map[string]Change
}

func newHistory() *history { return &history{changes: map[string]Change{}} }

func (h *history) put(e engine.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	h.changes[e.Listing.ID] = Change{Seq: h.seq, ID: e.Listing.ID, Entry: e}
}

func (h *history) remove(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	h.changes[id] = Change{Seq: h.seq, ID: id}
}

func (h *history) Seq(context.Context) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seq, nil
}

func (h *history) Changes(_ context.Context, since int64, _ string, yield func(Change) error) error {
	h.mu.Lock()
	var list []Change
	for _, c := range h.changes {
		if c.Seq > since {
			list = append(list, c)
		}
	}
	h.mu.Unlock()
	slices.SortFunc(list, func(a, b Change) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, c := range list {
		if err := yield(c); err != nil {
			return err
		}
	}
	return nil
}

var vocabulary = strings.Fields("shrimp pond tôm nuôi disease sensor màng lọc 새우양식 对虾养殖 capteur séchage dryer thanh long drone nước thải membrane 반도체 陶瓷 gốm men ceramic glaze")

func drawEntry(t *rapid.T) engine.Entry {
	some := func(label string, values ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, 2, rapid.ID[string]).Draw(t, label)
	}
	words := func(label string) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(vocabulary), 1, 8).Draw(t, label), " ")
	}
	l := &engine.Listing{
		ID: fmt.Sprintf("L%02d", rapid.IntRange(0, 30).Draw(t, "id")), Kind: rapid.SampledFrom(engine.Kinds).Draw(t, "kind"), Title: words("title"), Text: words("text"),
		Lang: rapid.SampledFrom([]string{"vi", "en", "ko", ""}).Draw(t, "lang"), Fields: some("fields", "4.1", "4.2", "2.7", "2"), Regions: some("regions", "VN-40", "VN-35", "VN-HP", "VN", "KR-26", "AU-QLD"),
		Languages: some("languages", "vi", "fr"), TRL: rapid.IntRange(0, 9).Draw(t, "trl"), IPStatus: rapid.SampledFrom([]string{"", "open", "granted"}).Draw(t, "ip"),
		Organisation: rapid.SampledFrom([]string{"", "Viện A", "B Co., Ltd"}).Draw(t, "org"), ExpiresAt: rapid.SampledFrom([]string{"", "2026-01-01", "2027-01-01"}).Draw(t, "expires"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "works") {
		l.Works = append(l.Works, engine.Work{Title: words("work"), Text: words("work text")})
	}
	e := engine.Entry{Listing: l, Passages: []engine.Passage{{Source: engine.FromText, End: len(l.Text)}}}
	for i := range l.Works {
		e.Passages = append(e.Passages, engine.Passage{Source: i, End: len(l.Works[i].Text)})
	}
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	for range e.Passages {
		e.Vectors = append(e.Vectors, unit(rng, testDim))
	}
	return e
}

func unit(rng *rand.Rand, dim int) []float32 {
	v, norm := make([]float32, dim), 0.0
	for i := range v {
		v[i] = float32(rng.NormFloat64())
		norm += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(norm))
	}
	return v
}

func drawFilter(t *rapid.T) engine.Filter {
	return engine.Filter{
		Fields:    rapid.SampledFrom([][]string{nil, {"4.1"}, {"4"}, {"2.7", "4.2"}}).Draw(t, "f.fields"),
		Regions:   rapid.SampledFrom([][]string{nil, {"VN-35"}, {"VN-40"}, {"VN"}, {"VN-R4"}, {"KR", "AU"}}).Draw(t, "f.regions"),
		Languages: rapid.SampledFrom([][]string{nil, {"vi"}, {"ko", "fr"}}).Draw(t, "f.languages"),
		TRLMin:    rapid.SampledFrom([]int{0, 0, 3, 7}).Draw(t, "f.trl_min"), TRLMax: rapid.SampledFrom([]int{0, 0, 8}).Draw(t, "f.trl_max"),
		IPStatus: rapid.SampledFrom([][]string{nil, nil, {"granted"}}).Draw(t, "f.ip"),
	}
}

func drawReading(t *rapid.T) *engine.Reading {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "query seed"), 2))
	r := &engine.Reading{Listing: &engine.Listing{Kind: engine.Problem, Lang: "vi"}, Mean: unit(rng, testDim)}
	for _, term := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"shrimp", "tom", "nuoi", "nuoi tom", "새우", "养殖", "drier", "sensor", "absent"}), 0, 4, rapid.ID[string]).Draw(t, "terms") {
		r.Terms = append(r.Terms, engine.Term{Text: term, Weight: 1})
	}
	g := glossary.Default()
	g.Find(strings.Join(rapid.SliceOfN(rapid.SampledFrom(vocabulary), 0, 4).Draw(t, "concepts"), " "), "", func(m glossary.Mention) {
		if !slices.ContainsFunc(r.Concepts, func(w engine.Weighted) bool { return w.Concept == m.Concept }) {
			r.Concepts = append(r.Concepts, engine.Weighted{Concept: m.Concept, Weight: 1})
		}
	})
	return r
}

func newIndex(p Precision) *Index {
	return New(Options{Dim: testDim, Glossary: glossary.Default(), Precision: p})
}

func retrieve(t interface{ Fatalf(string, ...any) }, x *Index, r *engine.Reading, rules []engine.Clause, n int) (map[string][]engine.Hit, *engine.Candidates) {
	out := new(engine.Candidates)
	if err := x.Retrieve(context.Background(), r, rules, n, out); err != nil {
		t.Fatalf("Retrieve: %v", err)
	}
	found := map[string][]engine.Hit{}
	for _, c := range out.List {
		if _, dup := found[c.Listing.ID]; dup {
			t.Fatalf("%s is found twice", c.Listing.ID)
		}
		found[c.Listing.ID] = slices.Clone(c.Hits)
	}
	return found, out
}

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func rulesOf(f engine.Filter) []engine.Clause {
	return append(f.Clauses(), engine.Clause{Rule: engine.RuleCurrent, After: now.Unix()})
}

// TestRulesAgree checks the bitmaps against Filter.Allows, the reference, on random listings and filters.
func TestRulesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory()
		for range rapid.IntRange(1, 25).Draw(t, "n") {
			h.put(drawEntry(t))
		}
		x := newIndex(Auto)
		if err := x.Refresh(context.Background(), h); err != nil {
			t.Fatal(err)
		}
		f := drawFilter(t)
		found, out := retrieve(t, x, drawReading(t), rulesOf(f), 100)
		allowed := 0
		for id, c := range h.changes {
			ok := f.Allows(c.Entry.Listing, now)
			if ok {
				allowed++
			}
			if _, got := found[id]; got && !ok {
				t.Fatalf("%s is found though the filter does not allow it", id)
			}
		}
		if out.Allowed != allowed {
			t.Fatalf("the index allows %d listings, Filter.Allows %d", out.Allowed, allowed)
		}
	})
}

// TestIncrementalEqualsRebuilt lets an index follow random puts and deletes, merging as it goes, and compares every
// figure of every candidate with an index built at once from the final state.
func TestIncrementalEqualsRebuilt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx, h, followed := context.Background(), newHistory(), newIndex(Exact)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch e := drawEntry(t); {
			case rapid.IntRange(0, 4).Draw(t, "what") == 0:
				h.remove(e.Listing.ID)
			default:
				h.put(e)
			}
			if rapid.Bool().Draw(t, "refresh") {
				if err := followed.Refresh(ctx, h); err != nil {
					t.Fatal(err)
				}
			}
			if rapid.IntRange(0, 5).Draw(t, "merge") == 0 {
				followed.merge()
			}
		}
		rebuilt := newIndex(Exact)
		for _, x := range []*Index{followed, rebuilt} {
			if err := x.Refresh(ctx, h); err != nil {
				t.Fatal(err)
			}
		}
		al, ap := followed.Size()
		bl, bp := rebuilt.Size()
		if al != bl || ap != bp {
			t.Fatalf("sizes %d/%d and %d/%d", al, ap, bl, bp)
		}
		r, rules := drawReading(t), rulesOf(drawFilter(t))
		a, ao := retrieve(t, followed, r, rules, 5)
		b, bo := retrieve(t, rebuilt, r, rules, 5)
		if len(a) != len(b) || !slices.Equal(ao.TermIDF, bo.TermIDF) || !slices.Equal(ao.ConceptIDF, bo.ConceptIDF) {
			t.Fatalf("followed finds %d, rebuilt %d", len(a), len(b))
		}
		for id, hits := range b {
			if !slices.Equal(a[id], hits) {
				t.Fatalf("%s: followed %+v, rebuilt %+v", id, a[id], hits)
			}
		}
	})
}

// TestExactIsExact compares with a plain loop in double precision.
func TestExactIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory()
		for range rapid.IntRange(1, 30).Draw(t, "n") {
			h.put(drawEntry(t))
		}
		x := newIndex(Exact)
		if err := x.Refresh(context.Background(), h); err != nil {
			t.Fatal(err)
		}
		r := drawReading(t)
		r.Terms, r.Concepts = nil, nil
		found, _ := retrieve(t, x, r, nil, 3)
		var want, got []float64 // the best three similarities; which of two equals is found does not matter here
		for _, c := range h.changes {
			best := 0.0
			for _, v := range c.Entry.Vectors {
				dot := 0.0
				for i := range v {
					dot += float64(v[i]) * float64(r.Mean[i])
				}
				best = max(best, dot)
			}
			want = append(want, best) // opposite ones are found last and count as nothing
		}
		for _, hits := range found {
			best := float32(0)
			for _, hit := range hits {
				best = max(best, hit.Meaning)
			}
			got = append(got, float64(best))
		}
		for _, list := range [][]float64{want, got} {
			slices.SortFunc(list, func(a, b float64) int { return cmp.Compare(b, a) })
		}
		want = want[:min(3, len(want))]
		if !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-5 }) {
			t.Fatalf("similarities %v, want %v", got, want)
		}
	})
}

// TestSignaturesFindTheNearest measures recall on clustered vectors of three widths, with the fewest comparisons.
func TestSignaturesFindTheNearest(t *testing.T) {
	for _, dim := range []int{100, 384, 768} {
		h, rng := newHistory(), rand.New(rand.NewPCG(3, uint64(dim)))
		var centres [][]float32
		for range 60 {
			centres = append(centres, unit(rng, dim))
		}
		near := func() []float32 {
			v, c := unit(rng, dim), centres[rng.IntN(len(centres))]
			for i := range v {
				v[i] = c[i] + 0.8*v[i]
			}
			return v
		}
		norm := func(v []float32) []float32 {
			s := 0.0
			for _, x := range v {
				s += float64(x) * float64(x)
			}
			for i := range v {
				v[i] /= float32(math.Sqrt(s))
			}
			return v
		}
		for i := range 6000 {
			l := &engine.Listing{ID: fmt.Sprintf("%05d", i), Kind: engine.Technology, Title: "x", Text: "y"}
			h.put(engine.Entry{Listing: l, Passages: []engine.Passage{{Source: engine.FromText, End: 1}}, Vectors: [][]float32{norm(near())}})
		}
		exact := New(Options{Dim: dim, Glossary: glossary.Default(), Precision: Exact})
		signed := New(Options{Dim: dim, Glossary: glossary.Default(), Precision: Signatures})
		for _, x := range []*Index{exact, signed} {
			if err := x.Refresh(context.Background(), h); err != nil {
				t.Fatal(err)
			}
		}
		hits, all := 0, 0
		for range 50 {
			r := &engine.Reading{Listing: &engine.Listing{}, Mean: norm(near())}
			want, _ := retrieve(t, exact, r, nil, 10)
			got, _ := retrieve(t, signed, r, nil, 10)
			for id := range want {
				all++
				if _, ok := got[id]; ok {
					hits++
				}
			}
		}
		if recall := float64(hits) / float64(all); recall < 0.99 {
			t.Errorf("%d dimensions: recall@10 %.3f, want 0.99", dim, recall)
		}
	}
}

// TestReadersGoOn lets readers ask while a writer puts, deletes and merges: no lock, no torn answer (run with -race).
func TestReadersGoOn(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h, x, rng := newHistory(), newIndex(Auto), rand.New(rand.NewPCG(5, 5))
	entry := func(i int) engine.Entry {
		l := &engine.Listing{ID: fmt.Sprintf("L%03d", i), Kind: engine.Technology, Title: "shrimp", Text: "shrimp pond " + fmt.Sprint(i), Lang: "en"}
		return engine.Entry{Listing: l, Passages: []engine.Passage{{Source: engine.FromText, End: len(l.Text)}}, Vectors: [][]float32{unit(rng, testDim)}}
	}
	for i := range 50 {
		h.put(entry(i))
	}
	if err := x.Refresh(ctx, h); err != nil {
		t.Fatal(err)
	}
	query := unit(rng, testDim)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			out := new(engine.Candidates)
			r := &engine.Reading{Listing: &engine.Listing{}, Mean: query, Terms: []engine.Term{{Text: "shrimp", Weight: 1}}}
			for ctx.Err() == nil {
				if err := x.Retrieve(context.Background(), r, nil, 20, out); err != nil || len(out.List) < 20 {
					t.Errorf("%d candidates, %v", len(out.List), err)
					return
				}
			}
		})
	}
	for i := range 300 {
		h.put(entry(rng.IntN(80)))
		if i%7 == 0 {
			h.remove(fmt.Sprintf("L%03d", 50+rng.IntN(30)))
		}
		if err := x.Refresh(ctx, h); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	wg.Wait()
}

func TestSegmentsStayFew(t *testing.T) {
	h, x, rng := newHistory(), newIndex(Auto), rand.New(rand.NewPCG(6, 6))
	for i := range 500 {
		l := &engine.Listing{ID: fmt.Sprintf("L%03d", i), Kind: engine.Expert, Title: "x", Text: "shrimp"}
		h.put(engine.Entry{Listing: l, Passages: []engine.Passage{{Source: engine.FromText, End: 6}}, Vectors: [][]float32{unit(rng, testDim)}})
		if err := x.Refresh(context.Background(), h); err != nil {
			t.Fatal(err)
		}
		x.merge()
	}
	for !x.merging.TryLock() { // the last write's own merge may still be at it
		time.Sleep(time.Millisecond)
	}
	x.merging.Unlock()
	x.merge()
	if n := len(x.snap.Load().parts); n > 3*fanIn {
		t.Errorf("%d segments after 500 single writes", n)
	}
	if n, _ := x.Size(); n != 500 {
		t.Errorf("%d listings, want 500", n)
	}
}

func TestVectorsOfAnotherWidthCountAsNone(t *testing.T) {
	h, x := newHistory(), newIndex(Auto)
	l := &engine.Listing{ID: "a", Kind: engine.Expert, Title: "x", Text: "shrimp"}
	h.put(engine.Entry{Listing: l, Passages: []engine.Passage{{Source: engine.FromText, End: 6}}, Vectors: [][]float32{{1, 0}}})
	if err := x.Refresh(context.Background(), h); err != nil {
		t.Fatal(err)
	}
	r := &engine.Reading{Listing: &engine.Listing{}, Mean: unit(rand.New(rand.NewPCG(1, 1)), testDim), Terms: []engine.Term{{Text: "shrimp", Weight: 1}}}
	found, _ := retrieve(t, x, r, nil, 5)
	if hits := found["a"]; len(hits) != 1 || hits[0].Meaning != 0 || hits[0].Words <= 0 {
		t.Errorf("hits %+v, want one found by words alone", hits)
	}
}
