package postgres

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/engine"
)

// statistics are counts over the whole corpus, taken now and then.
type statistics struct {
	seq      int64
	listings int
	passages int
	length   int64
	facets   map[int64]count
	graphs   map[engine.Kind]bool // kinds whose vectors of the model have a usable HNSW index
}

type count struct{ passages, listings int }

// share estimates which part of the passages, and of the listings, holds the clause: facets of one clause are taken to
// exclude each other.
func (st *statistics) share(c engine.Clause) (passages, listings float64) {
	if c.Not || c.After != 0 || slices.ContainsFunc(c.AnyOf, isOwn) {
		return 1, 1
	}
	n := count{}
	for _, f := range c.AnyOf {
		m := st.facets[FacetKey(f)]
		n.passages, n.listings = n.passages+m.passages, n.listings+m.listings
	}
	return min(1, float64(n.passages)/float64(max(1, st.passages))), min(1, float64(n.listings)/float64(max(1, st.listings)))
}

// plan is how one query is answered.
type plan struct {
	kinds    []engine.Kind // wanted; nil when any
	most     int           // passages that the rules leave, at most: what the tightest rule leaves
	likely   int           // the same if rules were independent of each other
	within   float64       // likely share of the passages of the kinds wanted
	listings int           // likely listings
	limit    int           // nearest passages to fetch
	exact    bool          // compare all of them
}

// exactShare: comparing every allowed passage costs less than walking the graph while fewer than exactShare x sqrt(limit
// x passages) are allowed. Walking costs a visit for each passage seen, and limit / share of them are seen; comparing costs
// a third to a sixth as much for each passage allowed. Measured as 16 x sqrt(passages) at a limit of 50; see
// docs/scaling.md.
const exactShare = 2.3

func newPlan(rules []engine.Clause, st *statistics, n int) plan {
	p := plan{most: st.passages}
	likely, listings := 1.0, 1.0
	p.within = 1
	for _, c := range rules {
		if c.Rule == engine.RuleKind && !c.Not {
			for _, k := range engine.Kinds {
				if slices.Contains(c.AnyOf, engine.Facet("kind:"+k)) {
					p.kinds = append(p.kinds, k)
				}
			}
		}
		share, of := st.share(c)
		p.most = min(p.most, int(math.Ceil(share*float64(st.passages))))
		likely, listings = likely*share, listings*of
		if c.Rule != engine.RuleKind {
			p.within *= share
		}
	}
	p.likely, p.listings = int(likely*float64(st.passages)), int(listings*float64(st.listings))
	// Several passages of one listing may be near: fetch as many more as a listing has on average.
	p.limit = n * min(max(1, st.passages/max(1, st.listings)), 3)
	p.exact = p.most <= p.exactBound(st)
	wanted := p.kinds
	if wanted == nil {
		wanted = engine.Kinds
	}
	for _, k := range wanted {
		if !st.graphs[k] {
			p.exact = true
		}
	}
	return p
}

func (p *plan) exactBound(st *statistics) int {
	return int(exactShare * math.Sqrt(float64(p.limit)*float64(st.passages)))
}

// condition writes rules as SQL over a table that repeats a listing's facets, owner and expiry; args are its
// parameters from the first on. Only clauses that leave less than half go through the index: the others cost more there
// than they save.
type condition struct {
	sql  strings.Builder
	args []any
}

func (c *condition) arg(v any) string {
	c.args = append(c.args, v)
	return fmt.Sprintf("$%d", len(c.args))
}

// rules appends " AND …" for each clause that can fail. Clauses named in skip are left out, since the caller writes them.
func (c *condition) rules(rules []engine.Clause, st *statistics, skip func(engine.Clause) bool) {
	for _, r := range rules {
		if skip(r) {
			continue
		}
		if r.After != 0 {
			fmt.Fprintf(&c.sql, " AND expires >= %s", c.arg(r.After))
			continue
		}
		facets, own := []int64{}, []int64{}
		for _, f := range r.AnyOf {
			if isOwn(f) {
				own = append(own, FacetKey(f))
			} else {
				facets = append(facets, FacetKey(f))
			}
		}
		var test string
		switch {
		case len(own) == 0:
			test = "facets && " + c.arg(facets)
		case len(facets) == 0:
			test = "own = ANY(" + c.arg(own) + ")"
		default:
			test = "(facets && " + c.arg(facets) + " OR own = ANY(" + c.arg(own) + "))"
		}
		switch share, _ := st.share(r); {
		case r.Not:
			test = "NOT (" + test + ")"
		case share > 0.5:
			test = "(" + test + ") IS NOT FALSE" // the index does not serve this form
		}
		c.sql.WriteString(" AND " + test)
	}
}
