package vivo

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/ketnoi/ketnoi/ingest/turtle"
)

// Term is a node of the graph.
type Term = turtle.Term

// MaxHeld is about how many bytes a graph may take.
const MaxHeld = 1 << 30

// Graph is what one file or several say, as far as experts are made of it. The zero value is an empty graph.
type Graph struct {
	edges map[Term]map[string][]Term // by subject and property
	types []Term                     // what has a type, in the order in which it is first stated
	lines map[Term]int               // where that is
	seen  map[turtle.Triple]struct{}
	names map[string]string // every IRI once
	files int
	size  int
}

// Add reads a file of Turtle, N-Triples or Notation3 into the graph. What stands before an error stays.
func (g *Graph) Add(r io.Reader) error {
	if g.edges == nil {
		g.edges, g.lines = map[Term]map[string][]Term{}, map[Term]int{}
		g.seen, g.names = map[turtle.Triple]struct{}{}, map[string]string{}
	}
	g.files++
	return turtle.Read(r, turtle.Options{Scope: "f" + strconv.Itoa(g.files) + "."}, func(line int, t turtle.Triple) error {
		if !kept[t.Predicate.Value] {
			return nil
		}
		t.Subject, t.Object = g.once(t.Subject), g.once(t.Object)
		p := g.once(t.Predicate).Value
		if p == isA && g.lines[t.Subject] == 0 {
			g.lines[t.Subject] = line
			g.types = append(g.types, t.Subject)
		}
		g.add(t.Subject, p, t.Object)
		if back := inverse[p]; back != "" && t.Object.Kind != turtle.Literal {
			g.add(t.Object, back, t.Subject)
		}
		if g.size > MaxHeld {
			return fmt.Errorf("line %d: the graph takes more than the %d MiB that may be held; split it by persons", line, MaxHeld>>20)
		}
		return nil
	})
}

// once keeps the name of a node a single time, however often it is written.
func (g *Graph) once(t Term) Term {
	if t.Kind == turtle.Literal {
		return t
	}
	name, ok := g.names[t.Value]
	if !ok {
		name = t.Value
		g.names[name] = name
		g.size += 100 + len(name)
	}
	t.Value = name
	return t
}

func (g *Graph) add(s Term, p string, o Term) {
	t := turtle.Triple{Subject: s, Predicate: Term{Kind: turtle.IRI, Value: p}, Object: o}
	if _, twice := g.seen[t]; twice {
		return
	}
	g.seen[t] = struct{}{}
	edges := g.edges[s]
	if edges == nil {
		edges = map[string][]Term{}
		g.edges[s] = edges
		g.size += 400
	}
	edges[p] = append(edges[p], o)
	g.size += 400
	if o.Kind == turtle.Literal {
		g.size += len(o.Value)
	}
}

// sort puts what a node leads to in an order of its own: a graph has none, and an export written in another order must
// not look like a change.
func (g *Graph) sort() {
	for _, edges := range g.edges {
		for _, list := range edges {
			slices.SortFunc(list, func(a, b Term) int {
				return cmp.Or(strings.Compare(a.Value, b.Value), strings.Compare(a.Lang, b.Lang), strings.Compare(a.Datatype, b.Datatype))
			})
		}
	}
}

// all returns what the properties of a node lead to, literals or nodes.
func (g *Graph) all(s Term, properties ...string) []Term {
	if len(properties) == 1 {
		return g.edges[s][properties[0]]
	}
	var out []Term
	for _, p := range properties {
		out = append(out, g.edges[s][p]...)
	}
	return out
}

// along follows a path of properties and returns what it ends at, each step taking every branch.
func (g *Graph) along(s Term, path ...string) []Term {
	at := []Term{s}
	for _, p := range path {
		var next []Term
		for _, t := range at {
			next = append(next, g.edges[t][p]...)
			if len(next) > maxBranches {
				break
			}
		}
		at = next[:min(len(next), maxBranches)]
	}
	return at
}

// maxBranches bounds what is looked at for one person along one path: a graph in which all know all stays cheap.
const maxBranches = 5_000

// is reports whether a node has one of the types.
func (g *Graph) is(s Term, types map[string]bool) bool {
	for _, t := range g.edges[s][isA] {
		if types[t.Value] {
			return true
		}
	}
	return false
}

// isLike reports whether a node has a type of VIVO's whose name ends so, such as "FacultyPosition".
func (g *Graph) isLike(s Term, ending string) bool {
	for _, t := range g.edges[s][isA] {
		if strings.HasPrefix(t.Value, core) && strings.HasSuffix(t.Value, ending) {
			return true
		}
	}
	return false
}

// personTypes are persons and all that the graph states to be below them.
func (g *Graph) personTypes() map[string]bool {
	below := map[string][]string{}
	for s, edges := range g.edges {
		for _, o := range edges[subClassOf] {
			below[o.Value] = append(below[o.Value], s.Value)
		}
	}
	types := map[string]bool{}
	var queue []string
	for t := range persons {
		queue = append(queue, t)
	}
	for len(queue) > 0 {
		t := queue[0]
		if queue = queue[1:]; !types[t] {
			types[t] = true
			queue = append(queue, below[t]...)
		}
	}
	return types
}
