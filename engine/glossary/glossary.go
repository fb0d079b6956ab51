// Package glossary knows what the engine knows before it has seen a listing: concepts of science and technology
// with their terms in five languages (concepts/*.tsv, written by hand), the fields of OECD FORD, and the regions of
// ISO 3166 with Viet Nam's units before and since 1 July 2025 (tables/*.tsv).
package glossary

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/ketnoi/ketnoi/engine/text"
)

// None stands for "no concept".
const None = -1

// Concept is one meaning with the terms people write for it. Its number within a Glossary is dense, from 0, and
// not stable from build to build: keep the ID.
type Concept struct {
	ID      string
	Field   string // FORD code of the file it stands in, such as "2.7"
	Broader int    // the concept above, or None
	Related []int
	Terms   map[string][]string // by language tag, the preferred term first
}

// Label returns the preferred term in lang, else in English.
func (c *Concept) Label(lang string) string {
	if terms := c.Terms[lang]; len(terms) > 0 {
		return terms[0]
	}
	return c.Terms["en"][0]
}

// Glossary is an immutable set of concepts with a matcher over their terms. It is safe for concurrent use.
type Glossary struct {
	concepts []Concept
	byID     map[string]int
	narrower [][]int
	trie     trie
	version  string
}

// Default returns the glossary embedded in the binary.
var Default = sync.OnceValue(func() *Glossary {
	return must(Load(must(fs.Sub(files, "concepts"))))
})

// Load reads every *.tsv of fsys as concepts; the file's name is the field's code. It refuses, naming file and line:
// an unknown field, a wrong number of columns, an empty term, a second concept with the same id, a lone word of grammar, a
// term that the matcher cannot tell from another concept's in that language, and links that lead nowhere or round in a circle.
func Load(fsys fs.FS) (*Glossary, error) {
	names, err := fs.Glob(fsys, "*.tsv")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	g := &Glossary{byID: map[string]int{}}
	var rows []row
	hash := sha256.New()
	fmt.Fprintln(hash, "matcher", matcherVersion)
	for _, name := range names {
		more, err := readTable(fsys, name, append([]string{"id", "broader", "related"}, text.Languages...)...)
		if err != nil {
			return nil, err
		}
		field := strings.TrimSuffix(path.Base(name), ".tsv")
		if !IsField(field) || !strings.Contains(field, ".") {
			return nil, fmt.Errorf("%s: the file's name is no minor FORD field", name)
		}
		for _, r := range more {
			if err := g.add(r, field); err != nil {
				return nil, err
			}
			fmt.Fprintln(hash, field, strings.Join(r.cells, "\t"))
		}
		rows = append(rows, more...)
	}
	if err := g.link(rows); err != nil {
		return nil, err
	}
	if g.trie, err = buildTrie(g.concepts, rows); err != nil {
		return nil, err
	}
	g.version = hex.EncodeToString(hash.Sum(nil))[:8]
	return g, nil
}

func (g *Glossary) add(r row, field string) error {
	id := r.cells[0]
	if id == "" || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return r.errorf("id %q: want lower-case ASCII letters, digits and hyphens", id)
	}
	if _, dup := g.byID[id]; dup {
		return r.errorf("id %q stands twice", id)
	}
	c := Concept{ID: id, Field: field, Broader: None, Terms: map[string][]string{}}
	for i, lang := range text.Languages {
		c.Terms[lang] = list(r.cells[3+i])
		if len(c.Terms[lang]) == 0 {
			return r.errorf("%s: no term in %s", id, lang)
		}
	}
	g.byID[id] = len(g.concepts)
	g.concepts = append(g.concepts, c)
	return nil
}

// link resolves broader and related ids, once all are known.
func (g *Glossary) link(rows []row) error {
	g.narrower = make([][]int, len(g.concepts))
	for i, r := range rows {
		c := &g.concepts[i]
		if up := r.cells[1]; up != "" {
			b, ok := g.byID[up]
			if !ok || b == i {
				return r.errorf("%s: broader %q is no other concept", c.ID, up)
			}
			c.Broader = b
			g.narrower[b] = append(g.narrower[b], i)
		}
		for _, id := range list(r.cells[2]) {
			n, ok := g.byID[id]
			if !ok || n == i {
				return r.errorf("%s: related %q is no other concept", c.ID, id)
			}
			if !slices.Contains(c.Related, n) {
				c.Related = append(c.Related, n)
			}
		}
	}
	for i := range g.concepts {
		for up, steps := g.concepts[i].Broader, 0; up != None; up, steps = g.concepts[up].Broader, steps+1 {
			if up == i || steps > len(g.concepts) {
				return rows[i].errorf("%s: broader leads round in a circle", g.concepts[i].ID)
			}
		}
	}
	return nil
}

// Len returns the number of concepts.
func (g *Glossary) Len() int { return len(g.concepts) }

// Version returns 8 hexadecimal digits that change whenever a concept, a term or a link does, or the way terms are found.
func (g *Glossary) Version() string { return g.version }

// Concept returns concept number n, 0 <= n < Len. It must not be changed.
func (g *Glossary) Concept(n int) *Concept { return &g.concepts[n] }

// ByID returns the number of the concept with the id, or None.
func (g *Glossary) ByID(id string) int {
	if n, ok := g.byID[id]; ok {
		return n
	}
	return None
}

// Link says how a concept stands to the one it was reached from.
type Link string

// The links, from the closest to the loosest.
const (
	Same     Link = "same"
	Narrower Link = "narrower" // the other is a kind of this one
	Broader  Link = "broader"  // this one is a kind of the other
	Related  Link = "related"
)

// Strength is how much of a match a link is worth, in (0, 1]: a specialist in a kind of the thing asked for usually
// can help, one who names only the wider subject perhaps, a neighbour sometimes.
func (l Link) Strength() float32 {
	switch l {
	case Same:
		return 1
	case Narrower:
		return 0.7
	case Broader:
		return 0.5
	default:
		return 0.4
	}
}

// Neighbours calls yield for concept n itself and for every concept one link away, closest links first.
func (g *Glossary) Neighbours(n int, yield func(other int, link Link)) {
	yield(n, Same)
	for _, other := range g.narrower[n] {
		yield(other, Narrower)
	}
	if up := g.concepts[n].Broader; up != None {
		yield(up, Broader)
	}
	for _, other := range g.concepts[n].Related {
		yield(other, Related)
	}
}
