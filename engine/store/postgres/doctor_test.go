package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/lexicon"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/store/health"
	"github.com/ketnoi/ketnoi/engine/store/postgres"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
	"github.com/ketnoi/ketnoi/ingest"
)

// patient is a store that can be broken and examined.
type patient struct {
	*testing.T
	address  string
	store    store.Database
	db       *pgx.Conn // may do everything
	embedder embeddings.Embedder
}

func newPatient(t *testing.T, address string) *patient {
	t.Helper()
	s, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	db, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(context.WithoutCancel(t.Context())) })
	return &patient{t, address, s.(store.Database), db, lexicon.New(glossary.Default())}
}

// said is a text of its own for each number: many that are nearly the same make a graph lose some.
func said(n int) string {
	words := strings.Fields("shrimp disease pond early detection wastewater dye house textile rice drought sensor battery cathode solar soil bacteria enzyme polymer coating catalyst vaccine pig fever coffee drying robot vision network speech protein cancer drone flood salinity mangrove fish feed algae biogas plastic recycling steel weld crack concrete bridge")
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	var out []string
	for range 25 {
		out = append(out, words[rng.IntN(len(words))])
	}
	return strings.Join(out, " ")
}

// put stores listings first to last, of two passages each, without vectors.
func (p *patient) put(kind engine.Kind, first, last int) {
	p.Helper()
	var entries []engine.Entry
	for i := first; i <= last; i++ {
		l := &engine.Listing{ID: fmt.Sprintf("%s-%05d", kind, i), Kind: kind, Title: fmt.Sprintf("Title %d", i), Lang: "en", Regions: []string{"VN"},
			Text: said(2 * i), Works: []engine.Work{{Title: fmt.Sprintf("Study %d", i%31), Text: said(2*i + 1), Year: 2020}}}
		entries = append(entries, engine.Entry{Listing: l, Passages: embeddings.Split(l)})
	}
	if err := p.store.Put(p.Context(), p.embedder.Model(), p.embedder.Dim(), entries); err != nil {
		p.Fatal(err)
	}
}

// migrate does what the command does.
func (p *patient) migrate() {
	p.Helper()
	if _, err := (&ingest.Filler{Store: p.store, Embedder: p.embedder, Batch: 64}).All(p.Context(), 2, nil); err != nil {
		p.Fatal(err)
	}
	if err := p.store.Maintain(p.Context(), nil); err != nil {
		p.Fatal(err)
	}
}

func (p *patient) exec(sql string) {
	p.Helper()
	if _, err := p.db.Exec(p.Context(), sql); err != nil {
		p.Fatalf("%s: %v", sql, err)
	}
}

func (p *patient) examine(sample int) health.List {
	p.Helper()
	found, err := store.Examine(p.Context(), p.address, health.Options{Model: p.embedder.Model(), Sample: sample})
	if err != nil {
		p.Fatal(err)
	}
	return found
}

// bad are the findings of our data that are not fine; those of the server itself are as the machine has it.
func bad(found health.List) (out health.List) {
	for _, f := range found {
		switch f.Check {
		case "pgvector", "settings", "vacuum", "transactions", "connections", "replication":
			if f.State != health.Fault {
				continue
			}
		}
		if f.State != health.Fine {
			out = append(out, f)
		}
	}
	return out
}

// follow does what a finding says: SQL, statement by statement, or the command.
func (p *patient) follow(do string) {
	p.Helper()
	for step := range strings.SplitSeq(do, "; ") {
		switch step = strings.TrimPrefix(step, "then "); {
		case strings.HasPrefix(step, "ketnoi migrate"):
			p.migrate()
		case strings.HasPrefix(step, "a server"), strings.HasPrefix(step, "if "):
		default:
			p.exec(step)
		}
	}
}

// TestDoctor breaks a healthy store in many ways. Each must be found alone, and what the finding says to do must heal it.
func TestDoctor(t *testing.T) {
	p := newPatient(t, pgtest.Shared(t).Database(t))
	if found := p.examine(0); found.Count(health.Fault) > 0 {
		t.Errorf("an empty store: %+v", bad(found))
	}
	p.put(engine.Expert, 1, 1_200)
	p.put(engine.Technology, 1, 40)
	if found := bad(p.examine(0)); len(found) != 2 || found[0].Check != "vectors" || found[0].State != health.Warning || found[1].Check != "frequencies" {
		t.Errorf("before the first migration: %+v", found)
	}
	p.migrate()
	if found := p.examine(20); len(bad(found)) > 0 {
		t.Fatalf("a healthy store: %+v", bad(found))
	}
	for _, tc := range []struct {
		name, sql string
		check     string
		state     health.State
		says      string
	}{
		{"words are gone", `DELETE FROM words WHERE listing < 4`, "words", health.Fault, "(3 have none, 0 not one row a passage, 0 other rules), such as expert-00001"},
		{"words of one passage are gone", `DELETE FROM words WHERE listing = 5 AND passage = 0`, "words", health.Fault, "1 not one row a passage"},
		{"words without a listing", `INSERT INTO words SELECT 999999, passage, kind, own, expires, work, length, facets, keys, counts FROM words WHERE listing = 7`, "words", health.Fault, "2 rows of words belong to listings that are gone"},
		{"words with other rules", `UPDATE words SET facets = facets || 1::bigint WHERE listing = 8 AND passage = 1`, "words", health.Fault, "1 other rules), such as expert-00008"},
		{"a vector without a listing", `INSERT INTO vectors_1 SELECT 999999, passage, kind, own, expires, facets, v FROM vectors_1 WHERE listing = 9 LIMIT 1`, "vectors", health.Fault, "1 vectors in vectors_1"},
		{"a vector too few", `DELETE FROM vectors_1 WHERE listing = 10 AND passage = 1`, "vectors", health.Fault, "1 not one a passage"},
		{"vectors of another owner", `UPDATE vectors_1 SET own = 1 WHERE listing = 11`, "vectors", health.Fault, "1 other rules"},
		{"listings without vectors", `DELETE FROM vectors_1 WHERE listing IN (12, 13)`, "vectors", health.Warning, "2 listings lack vectors"},
		{"a change that nobody was told of", `DELETE FROM changes WHERE listing = 14`, "changes", health.Fault, "1 listings came or went"},
		{"a listing that nobody was told is gone", `WITH l AS (DELETE FROM listings WHERE num = 15), w AS (DELETE FROM words WHERE listing = 15) DELETE FROM vectors_1 WHERE listing = 15`, "changes", health.Fault, "1 listings came or went"},
		{"a clock that went back", `UPDATE clock SET seq = 3`, "changes", health.Fault, "the clock stands at 3"},
		{"a graph is missing", `DROP INDEX vectors_1_expert`, "graph", health.Warning, "vectors_1_expert is missing"},
		{"a graph is invalid", `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'vectors_1_expert'::regclass`, "graph", health.Warning, "vectors_1_expert is not valid"},
		{"another index is missing", `DROP INDEX words_keys`, "indexes", health.Warning, "words_keys is missing"},
		{"another index is invalid", `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'listings_facets'::regclass`, "indexes", health.Warning, "listings_facets is not valid"},
		{"a build left something behind", `CREATE INDEX vectors_1_expert_ccnew ON vectors_1 (own); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'vectors_1_expert_ccnew'::regclass`, "indexes", health.Warning, "vectors_1_expert_ccnew is not valid"},
		{"stale figures", `UPDATE corpus SET seq = 0`, "frequencies", health.Warning, "changed since the corpus was counted"},
		{"another tokenizer", `UPDATE words SET counts = substring(counts FROM 1 FOR 5)`, "reading", health.Warning, "now have other words or concepts"},
		{"a table of vectors is gone", `INSERT INTO models (name, dim) VALUES ('gone', 3)`, "rights", health.Fault, "of model gone is gone"},
	} {
		p.exec(tc.sql)
		found := bad(p.examine(0))
		if len(found) != 1 || found[0].Check != tc.check || found[0].State != tc.state || !strings.Contains(found[0].Detail, tc.says) || found[0].Do == "" {
			t.Errorf("%s: want one %s of %s that says %q, got %+v", tc.name, tc.state, tc.check, tc.says, found)
		}
		for _, f := range found {
			p.follow(f.Do)
		}
		if left := bad(p.examine(0)); len(left) > 0 {
			t.Fatalf("%s: still ill after %q: %+v", tc.name, found[0].Do, left)
		}
	}
	// Passages that a graph does not know cannot find themselves.
	p.exec(`UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = 'vectors_1_expert'::regclass`)
	p.put(engine.Expert, 2_001, 2_300)
	if _, err := (&ingest.Filler{Store: p.store, Embedder: p.embedder, Batch: 64}).All(t.Context(), 2, nil); err != nil {
		t.Fatal(err)
	}
	p.exec(`UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid = 'vectors_1_expert'::regclass`)
	p.exec(`UPDATE corpus SET seq = (SELECT seq FROM clock)`)
	found := bad(p.examine(100))
	if len(found) != 1 || found[0].Check != "verify" || found[0].State != health.Fault || !strings.Contains(found[0].Do, "REINDEX INDEX CONCURRENTLY vectors_1_expert") {
		t.Fatalf("rows that the graph lacks: %+v", found)
	}
	p.follow(found[0].Do)
	if left := bad(p.examine(100)); len(left) > 0 {
		t.Errorf("after REINDEX: %+v", left)
	}
	// Stores that do not open are looked at all the same.
	p.exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
	if _, err := store.Open(t.Context(), p.address); !errors.Is(err, postgres.ErrNewer) {
		t.Error(err)
	}
	if found := bad(p.examine(0)); len(found) != 1 || found[0].Check != "schema" || found[0].State != health.Fault || !strings.Contains(found[0].Detail, "99999") {
		t.Errorf("a newer schema: %+v", found)
	}
	p.exec(`DELETE FROM goose_db_version WHERE version_id = 99999; DROP EXTENSION vector CASCADE`)
	if found := bad(p.examine(0)); len(found) != 1 || found[0].Check != "pgvector" || found[0].State != health.Fault || !strings.Contains(found[0].Do, "CREATE EXTENSION vector") {
		t.Errorf("no extension: %+v", found)
	}
}

// TestDoctorRights looks as users who may do less.
func TestDoctorRights(t *testing.T) {
	p := newPatient(t, pgtest.Shared(t).Database(t))
	p.put(engine.Expert, 1, 10)
	p.migrate()
	user := strings.ReplaceAll(p.db.Config().Database, "test_", "user_")
	p.exec(`CREATE ROLE ` + user + ` LOGIN PASSWORD 'x'`)
	defer func() { p.exec(`DROP OWNED BY ` + user + `; DROP ROLE ` + user) }()
	admin := p.address
	at := strings.LastIndex(admin, "@")
	p.address = "postgres://" + user + ":x" + admin[at:]
	for _, tc := range []struct {
		grant string
		state health.State
		says  string
	}{
		{`GRANT SELECT ON goose_db_version, models TO ` + user, health.Fault, "may not read "},
		{`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ` + user, health.Warning, "may not write listings"},
		{`GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ` + user, health.Warning, "cannot build graphs"},
		{`GRANT ` + pgx.Identifier{p.db.Config().User}.Sanitize() + ` TO ` + user, health.Fine, "adds tables and builds indexes"},
	} {
		p.exec(tc.grant)
		var rights health.List
		for _, f := range p.examine(0) {
			if f.Check == "rights" {
				rights = append(rights, f)
			}
		}
		if len(rights) != 1 || rights[0].State != tc.state || !strings.Contains(rights[0].Detail, tc.says) {
			t.Errorf("%s: %+v", tc.grant, rights)
		}
	}
}

// TestDoctorStandby looks at a primary and its standby.
func TestDoctorStandby(t *testing.T) {
	primary := pgtest.New(t, pgtest.Options{})
	p := newPatient(t, primary.Database(t))
	p.put(engine.Expert, 1, 10)
	p.migrate()
	standby, err := primary.Replica()
	if err != nil {
		t.Fatal(err)
	}
	defer standby.Close()
	if err := standby.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	replication := func(p *patient) (f health.Finding) {
		for _, f = range p.examine(0) {
			if f.Check == "replication" {
				break
			}
		}
		return f
	}
	if f := replication(p); f.State != health.Fine || !strings.Contains(f.Detail, "streaming") {
		t.Errorf("the primary: %+v", f)
	}
	at := *p
	at.address = standby.Address(p.db.Config().Database)
	if f := replication(&at); f.State != health.Warning || !strings.Contains(f.Detail, "is a standby") {
		t.Errorf("the standby: %+v", f)
	}
	if err := standby.Stop(); err != nil {
		t.Fatal(err)
	}
	if f := replication(p); f.State != health.Warning || !strings.Contains(f.Do, "pg_drop_replication_slot") {
		t.Errorf("the standby is gone: %+v", f)
	}
}
