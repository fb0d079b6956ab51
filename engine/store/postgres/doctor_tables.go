package postgres

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store/health"
)

// cutInto is the number of passages into which listing l was cut.
const cutInto = `CASE WHEN l.passages LIKE '[%' THEN json_array_length(l.passages::json) ELSE 0 END`

// alike says whether row t repeats what rules ask of its listing l.
var alike = fmt.Sprintf(`(t.kind = array_position(ARRAY['%s'], l.kind) AND t.own = l.own AND t.expires = l.expires AND t.facets = l.facets)`, kindNames())

func kindNames() string {
	names := make([]string, len(engine.Kinds))
	for i, k := range engine.Kinds {
		names[i] = string(k)
	}
	return strings.Join(names, "','")
}

// tally compares a table that has a row for each passage with the listings.
type tally struct {
	rows, orphans, without, uneven, unlike int
	example                                string // a listing at fault
	kinds                                  []int
}

func (x *examiner) tally(ctx context.Context, table string) (t tally, err error) {
	perKind := make([]string, len(engine.Kinds))
	for i, k := range engine.Kinds {
		perKind[i] = fmt.Sprintf("coalesce(sum(t.n) FILTER (WHERE t.kind = %d), 0)::bigint", kindNumber(k))
	}
	err = x.db.QueryRow(ctx, fmt.Sprintf(`SELECT coalesce(sum(t.n), 0)::bigint, coalesce(sum(t.n) FILTER (WHERE l.num IS NULL), 0)::bigint,
		count(*) FILTER (WHERE l.n > 0 AND t.n IS NULL), count(*) FILTER (WHERE t.n <> l.n OR l.n IS NOT NULL AND t.last >= t.n),
		count(*) FILTER (WHERE l.num IS NOT NULL AND NOT t.alike),
		coalesce(min(l.id) FILTER (WHERE t.n <> l.n OR t.last >= t.n OR NOT t.alike), min(l.id) FILTER (WHERE l.n > 0 AND t.n IS NULL), ''), ARRAY[%s]
		FROM (SELECT num, id, %s AS n FROM listings l) l FULL JOIN
			(SELECT t.listing, min(t.kind) AS kind, count(*) AS n, max(t.passage) AS last, bool_and(coalesce(%s, true)) AS alike
			FROM %s t LEFT JOIN listings l ON l.num = t.listing GROUP BY t.listing) t ON t.listing = l.num`, strings.Join(perKind, ", "), cutInto, alike, table)).
		Scan(&t.rows, &t.orphans, &t.without, &t.uneven, &t.unlike, &t.example, &t.kinds)
	return t, err
}

// orphansOf deletes rows whose listing is gone.
func orphansOf(table string) string {
	return fmt.Sprintf(`DELETE FROM %s t WHERE NOT EXISTS (SELECT 1 FROM listings l WHERE l.num = t.listing)`, table)
}

// recut is SQL that forgets how the listings that the query names were cut, and their vectors: "ketnoi migrate" then cuts, reads and
// embeds them again.
func (x *examiner) recut(bad string) string {
	for _, m := range x.models {
		if m.name == x.o.Model {
			return fmt.Sprintf(`WITH bad AS (%s), cut AS (UPDATE listings l SET passages = '[]' FROM bad WHERE l.num = bad.num) DELETE FROM %s v USING bad WHERE v.listing = bad.num; then ketnoi migrate`, bad, m.table())
		}
	}
	return fmt.Sprintf(`WITH bad AS (%s) UPDATE listings l SET passages = '[]' FROM bad WHERE l.num = bad.num; then ketnoi migrate`, bad)
}

// checkWords compares what passages say with the listings they are of.
func (x *examiner) checkWords(ctx context.Context) error {
	t, err := x.tally(ctx, "words")
	if err != nil {
		return err
	}
	if t.orphans > 0 {
		x.Fault("words", orphansOf("words"), "%d rows of words belong to listings that are gone: they take the places of others", t.orphans)
	}
	if bad := t.without + t.uneven + t.unlike; bad > 0 {
		x.Fault("words", x.recut(fmt.Sprintf(`SELECT l.num FROM listings l LEFT JOIN words t ON t.listing = l.num GROUP BY l.num
			HAVING count(t.listing) <> %s OR max(t.passage) >= count(t.listing) OR NOT bool_and(coalesce(%s, true))`, cutInto, alike)),
			"the words of listings disagree with them (%d have none, %d not one row a passage, %d other rules), such as %s: the database does not find them, or where it should not", t.without, t.uneven, t.unlike, t.example)
	}
	if t.orphans+t.without+t.uneven+t.unlike == 0 {
		x.Fine("words", "%d passages, each of a listing that is there", t.rows)
	}
	return nil
}

// checkVectors compares the vectors of every model with the listings.
func (x *examiner) checkVectors(ctx context.Context) error {
	known := false
	for _, m := range x.models {
		known = known || m.name == x.o.Model
		t, err := x.tally(ctx, m.table())
		if err != nil {
			return err
		}
		x.kinds[m.table()] = map[engine.Kind]int{}
		for i, k := range engine.Kinds {
			x.kinds[m.table()][k] = t.kinds[i]
		}
		if t.orphans > 0 {
			x.Fault("vectors", orphansOf(m.table()), "%d vectors in %s (model %s) belong to listings that are gone: they take the places of others", t.orphans, m.table(), m.name)
		}
		if t.uneven+t.unlike > 0 {
			x.Fault("vectors", fmt.Sprintf(`DELETE FROM %s WHERE listing IN (SELECT l.num FROM listings l JOIN %[1]s t ON t.listing = l.num GROUP BY l.num
				HAVING count(*) <> %s OR max(t.passage) >= count(*) OR NOT bool_and(%s)); then ketnoi migrate`, m.table(), cutInto, alike),
				"vectors in %s (model %s) disagree with their listings (%d not one a passage, %d other rules), such as %s", m.table(), m.name, t.uneven, t.unlike, t.example)
		}
		switch {
		case m.name == x.o.Model && t.without > 0:
			x.Warn("vectors", x.o.Fill(), "%d listings lack vectors of %s: they are found by words and concepts only", t.without, m.name)
		case m.name != x.o.Model:
			x.List = append(x.List, health.Finding{Check: "vectors", State: health.Fine, Detail: fmt.Sprintf("%s: %d vectors of %d dimensions of model %s, which is not active", m.table(), t.rows, m.dim, m.name),
				Do: "when you will not go back to it: ketnoi reindex --forget " + m.name})
		case t.orphans+t.uneven+t.unlike == 0:
			x.Fine("vectors", "%s: %d vectors of %d dimensions of model %s, for every listing", m.table(), t.rows, m.dim, m.name)
		}
	}
	if !known && x.o.Model != "" {
		var some bool
		if err := x.db.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM listings)`).Scan(&some); err != nil {
			return err
		}
		if some {
			x.Warn("vectors", x.o.Fill(), "there are no vectors of %s, the active model", x.o.Model)
		}
	}
	return nil
}

// checkChanges compares the listings with the clock that followers go by.
func (x *examiner) checkChanges(ctx context.Context) error {
	var listings, untold, seq, last int
	var example string
	if err := x.db.QueryRow(ctx, `SELECT count(l.num), count(*) FILTER (WHERE c.listing IS DISTINCT FROM l.num), coalesce(min(coalesce(l.id, c.id)) FILTER (WHERE c.listing IS DISTINCT FROM l.num), ''),
		coalesce(max(c.seq), 0), (SELECT seq FROM clock) FROM listings l FULL JOIN changes c ON c.id = l.id`).Scan(&listings, &untold, &example, &last, &seq); err != nil {
		return err
	}
	if last > seq {
		x.Fault("changes", `UPDATE clock SET seq = (SELECT max(seq) FROM changes)`, "the clock stands at %d though there is a change %d: followers miss it, and writers fail", seq, last)
	}
	if untold > 0 {
		x.Fault("changes", `WITH bad AS (SELECT coalesce(l.id, c.id) AS id, l.num, row_number() OVER () AS n FROM listings l FULL JOIN changes c ON c.id = l.id WHERE c.listing IS DISTINCT FROM l.num),
			now AS (UPDATE clock SET seq = greatest(seq, (SELECT max(seq) FROM changes)) + (SELECT count(*) FROM bad) RETURNING seq)
			INSERT INTO changes (id, seq, listing) SELECT id, seq - n + 1, num FROM bad, now ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, listing = excluded.listing`,
			"%d listings came or went without a change that says so, such as %s: indexes in memory do not know", untold, example)
	}
	if last <= seq && untold == 0 {
		x.Fine("changes", "%d listings, change %d", listings, seq)
	}
	return nil
}

// readingSample is how many listings are read again.
const readingSample = 50

// checkReading reads a few listings as if they came now: another version may have another tokenizer, another glossary or
// other rules than the one that stored them.
func (x *examiner) checkReading(ctx context.Context) error {
	rows, err := x.db.Query(ctx, `SELECT l.num, l.own, l.expires, l.facets, l.body, l.passages, (SELECT array_agg(t.counts ORDER BY t.passage) FROM words t WHERE t.listing = l.num)
		FROM listings l WHERE l.num IN (SELECT num FROM listings ORDER BY random() LIMIT $1)`, readingSample)
	if err != nil {
		return err
	}
	var num int64
	var is ruled
	var body, passages []byte
	var counts [][]byte
	n, ruledElse, readElse := 0, 0, 0
	if _, err := pgx.ForEachRow(rows, []any{&num, &is.own, &is.expires, &is.facets, &body, &passages, &counts}, func() error {
		e := engine.Entry{Listing: new(engine.Listing)}
		if err := json.Unmarshal(body, e.Listing); err != nil {
			return fmt.Errorf("listing number %d: %w", num, err)
		}
		if err := json.Unmarshal(passages, &e.Passages); err != nil {
			return fmt.Errorf("listing number %d: %w", num, err)
		}
		r, err := newRow(0, &e)
		if err != nil {
			return fmt.Errorf("listing number %d: %w", num, err)
		}
		n++
		if r.own != is.own || r.expires != is.expires || !slices.Equal(r.facets, is.facets) {
			ruledElse++
		}
		if !slices.EqualFunc(r.said, counts, func(s said, was []byte) bool { return sameCounts(s.counts, was) }) && len(counts) == len(r.said) { // else words are at fault
			readElse++
		}
		return nil
	}); err != nil {
		return err
	}
	if ruledElse > 0 {
		x.Warn("reading", "UPDATE listings SET fingerprint = ''; then ingest the files again", "of %d listings that were read again, rules ask other things of %d than when they were stored by another version", n, ruledElse)
	}
	if readElse > 0 {
		x.Warn("reading", x.recut("SELECT num FROM listings"), "of %d listings that were read again, %d now have other words or concepts than when they were stored, by another tokenizer or glossary: the database retrieves by the old ones (the index in memory does not)", n, readElse)
	}
	if ruledElse+readElse == 0 {
		x.Fine("reading", "%d listings, read again, say what is stored of them", n)
	}
	return nil
}

// sameCounts compares counts of keys in whatever order.
func sameCounts(a, b []byte) bool {
	sorted := func(c []byte) [][]byte { return slices.SortedFunc(slices.Chunk(c, countSize), bytes.Compare) }
	return slices.EqualFunc(sorted(a), sorted(b), bytes.Equal)
}

// checkFrequencies looks whether the corpus was counted lately.
func (x *examiner) checkFrequencies(ctx context.Context) error {
	old, err := stale(ctx, x.db)
	if err != nil {
		return err
	}
	var listings, changed int
	if err := x.db.QueryRow(ctx, `SELECT listings, (SELECT count(*) FROM changes WHERE seq > corpus.seq) FROM corpus`).Scan(&listings, &changed); err != nil {
		return err
	}
	if old {
		x.Warn("frequencies", "ketnoi migrate; a server that runs does it within a minute", "%d listings changed since the corpus was counted, at %d listings: the database weighs words by old figures", changed, listings)
	} else {
		x.Fine("frequencies", "counted at %d listings; %d changed since", listings, changed)
	}
	return nil
}
