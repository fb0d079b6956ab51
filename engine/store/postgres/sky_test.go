package postgres_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
)

const (
	starModel = "stars"
	starDim   = 32
)

// sky is a database of listings whose vectors stand in clusters.
type sky struct {
	*testing.T
	store.Database
	address string
	rng     *rand.Rand
	centres [][]float32
	listed  map[string]listed
}

func newSky(t *testing.T) *sky {
	t.Helper()
	address := pgtest.Shared(t).Database(t)
	s, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	k := &sky{T: t, address: address, Database: s.(store.Database), rng: rand.New(rand.NewPCG(1, 1)), listed: map[string]listed{}}
	for range 40 {
		k.centres = append(k.centres, k.around(make([]float32, starDim), 1))
	}
	return k
}

type listed struct {
	engine.Entry
	stub *engine.Stub
}

// around returns a unit vector off from v.
func (k *sky) around(v []float32, off float64) []float32 {
	out, norm := make([]float32, starDim), 0.0
	for i := range v {
		out[i] = v[i] + float32(off*k.rng.NormFloat64()/math.Sqrt(starDim))
		norm += float64(out[i]) * float64(out[i])
	}
	for i := range out {
		out[i] /= float32(math.Sqrt(norm))
	}
	return out
}

func (k *sky) near() []float32 { return k.around(k.centres[k.rng.IntN(len(k.centres))], 0.7) }

func star(id string, kind engine.Kind, v []float32, languages ...string) engine.Entry {
	l := &engine.Listing{ID: id, Kind: kind, Title: "Star", Text: "star", Lang: "en", Languages: languages}
	return engine.Entry{Listing: l, Passages: []engine.Passage{{Source: engine.FromText, End: len(l.Text)}}, Vectors: [][]float32{v}}
}

func (k *sky) put(entries ...engine.Entry) {
	k.Helper()
	for batch := range slices.Chunk(entries, 1_000) {
		if err := k.Put(k.Context(), starModel, starDim, batch); err != nil {
			k.Fatal(err)
		}
	}
	for _, e := range entries {
		k.listed[e.Listing.ID] = listed{e, engine.NewStub(e.Listing)}
	}
}

func (k *sky) maintain() {
	k.Helper()
	if err := k.Maintain(k.Context(), nil); err != nil {
		k.Fatal(err)
	}
}

// look asks a retriever for the n nearest within the rules. It must find as many as are asked for or are there, all of
// them allowed; recall is the share of the truly nearest among them.
func (k *sky) look(r engine.Retriever, mean []float32, n int, rules ...engine.Clause) (out *engine.Candidates, recall float64) {
	k.Helper()
	out = new(engine.Candidates)
	if err := r.Retrieve(k.Context(), &engine.Reading{Listing: &engine.Listing{}, Mean: mean}, rules, n, out); err != nil {
		k.Fatal(err)
	}
	var near []float64
	for _, e := range k.listed {
		if e.stub.Allowed(rules) {
			near = append(near, cosine(e.Vectors[0], mean))
		}
	}
	slices.Sort(near)
	slices.Reverse(near)
	want, hits := min(n, len(near)), 0
	if want == 0 {
		recall = 1
	}
	for _, c := range out.List {
		e, ok := k.listed[c.Listing.ID]
		if !ok || !c.Allowed(rules) {
			k.Errorf("%s is found, which is gone or not allowed by %+v", c.Listing.ID, rules)
			continue
		}
		got := cosine(e.Vectors[0], mean)
		if math.Abs(float64(c.Hits[0].Meaning)-max(0, got)) > 1e-5 {
			k.Errorf("%s means %v, want %v", c.Listing.ID, c.Hits[0].Meaning, got)
		}
		if got >= near[want-1]-1e-6 {
			hits++
		}
	}
	if len(out.List) != want || !out.Path.Estimated && out.Allowed != len(near) {
		k.Errorf("%d are found of %d allowed, want %d of %d; %+v under %+v", len(out.List), out.Allowed, want, len(near), out.Path, rules)
	}
	return out, recall + float64(hits)/float64(max(1, want))
}

func cosine(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func speaks(languages ...engine.Facet) engine.Clause {
	c := engine.Clause{Rule: engine.RuleLanguage}
	for _, l := range languages {
		c.AnyOf = append(c.AnyOf, "language:"+l)
	}
	return c
}

func is(kinds ...engine.Facet) engine.Clause {
	c := engine.Clause{Rule: engine.RuleKind}
	for _, k := range kinds {
		c.AnyOf = append(c.AnyOf, "kind:"+k)
	}
	return c
}
