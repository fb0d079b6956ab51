package storetest

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/text"
)

const (
	model = "test-1"
	dim   = 8
)

// entry makes a listing with two passages and their vectors.
func entry(id, text string) engine.Entry {
	l := &engine.Listing{ID: id, Kind: engine.Technology, Title: "Title of " + id, Text: text, Lang: "en", Works: []engine.Work{{Title: "work", Text: text, Year: 2020}}}
	return embed(engine.Entry{Listing: l, Passages: cut(l, 1)}, model, dim)
}

// cut makes n passages of each of the listing's texts; characters are whole.
func cut(l *engine.Listing, n int) (out []engine.Passage) {
	add := func(source int) {
		s := l.SourceText(source)
		for i, start := 0, 0; i < n && start < len(s); i++ {
			end := start + max(1, (len(s)-start)/(n-i))
			for end < len(s) && s[end]&0xC0 == 0x80 {
				end++
			}
			out = append(out, engine.Passage{Source: source, Start: start, End: end})
			start = end
		}
	}
	add(engine.FromText)
	for i := range l.Works {
		add(i)
	}
	return out
}

// embed gives each passage the vector that follows from the model and its text, so that one can tell whose it is.
func embed(e engine.Entry, model string, dim int) engine.Entry {
	e.Vectors = make([][]float32, len(e.Passages))
	for i, p := range e.Passages {
		h := fnv.New64a()
		fmt.Fprintf(h, "%s\x00%s", model, e.Listing.Matchable(p))
		e.Vectors[i] = unit(rand.New(rand.NewPCG(h.Sum64(), 0)), dim)
	}
	return e
}

// bare is the entry without vectors.
func bare(e engine.Entry) engine.Entry {
	e.Vectors = nil
	return e
}

// unit returns a random unit vector.
func unit(rng *rand.Rand, dim int) []float32 {
	v, norm := make([]float32, dim), 0.0
	for i := range v {
		x := rng.NormFloat64()
		v[i], norm = float32(x), norm+x*x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(norm))
	}
	return v
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// reading is a subject that says words and means a direction, nil for none.
func reading(words string, mean []float32) *engine.Reading {
	r := &engine.Reading{Listing: &engine.Listing{Kind: engine.Problem, Lang: "en"}, Mean: mean}
	for _, term := range text.TermList(words) {
		if !slices.ContainsFunc(r.Terms, func(t engine.Term) bool { return t.Text == term }) {
			r.Terms = append(r.Terms, engine.Term{Text: term, Weight: 1})
		}
	}
	glossary.Default().Find(words, "", func(m glossary.Mention) {
		if !slices.ContainsFunc(r.Concepts, func(w engine.Weighted) bool { return w.Concept == m.Concept }) {
			r.Concepts = append(r.Concepts, engine.Weighted{Concept: m.Concept, Weight: 1})
		}
	})
	return r
}

var vocabulary = strings.Fields("shrimp pond disease sensor membrane dryer drone wastewater ceramic glaze biogas algae coating rice salinity mangrove tôm nuôi 새우양식 对虾养殖 capteur séchage")

// saying draws a text.
func saying(rng *rand.Rand, words int) string {
	out := make([]string, words)
	for i := range out {
		out[i] = vocabulary[rng.IntN(len(vocabulary))]
	}
	return strings.Join(out, " ")
}

func get(t *testing.T, ctx context.Context, st store.Store, model string, ids ...string) map[string]engine.Entry {
	t.Helper()
	list, err := st.Entries(ctx, ids, model)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]engine.Entry{}
	for _, e := range list {
		out[e.Listing.ID] = e
	}
	return out
}

// same reports whether what came back is what was put.
func same(a, b engine.Entry) bool {
	return reflect.DeepEqual(a.Listing, b.Listing) && slices.Equal(a.Passages, b.Passages) && slices.EqualFunc(a.Vectors, b.Vectors, slices.Equal)
}
