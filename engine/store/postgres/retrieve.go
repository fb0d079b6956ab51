package postgres

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pgvector/pgvector-go"
	"golang.org/x/sync/errgroup"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
)

// retriever lets the database find the candidates and the index's formulas score them.
type retriever struct {
	store    *Store
	model    string
	glossary *glossary.Glossary

	refreshing sync.Mutex
	known      atomic.Pointer[known]

	seed  maphash.Seed
	stubs *lru.Cache[uint64, *engine.Stub] // by the hash of their text
}

// cachedStubs is how many stubs are kept, about a kilobyte each.
const cachedStubs = 30_000

// known is what the retriever remembers of the database between queries.
type known struct {
	at    time.Time
	model model
	has   bool // the database knows the model
	statistics
}

// Retriever returns a way of retrieval by the database itself, for the vectors of a model.
func (s *Store) Retriever(model string, g *glossary.Glossary) engine.Retriever {
	stubs, err := lru.New[uint64, *engine.Stub](cachedStubs)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &retriever{store: s, model: model, glossary: g, seed: maphash.MakeSeed(), stubs: stubs}
}

const (
	// knownFor is how long statistics are used before they are read again.
	knownFor = 2 * time.Second
	// leastWidth is the width of the search in a graph of up to widthFrom passages: at 100 single queries came back with
	// nothing, at 400 none did. Beyond, the width grows with the fourth root, up to what pgvector takes.
	leastWidth, mostWidth, widthFrom = 400, 1_000, 100_000
	// About wordBudget passages with the subject's rarest words and concepts are looked at, and wordShare more for each
	// word: of a long text, many words that are not rare add up.
	wordBudget, wordShare, maxWordBudget = 400, 20, 4_000
)

// Retrieve implements engine.Retriever.
func (x *retriever) Retrieve(ctx context.Context, r *engine.Reading, rules []engine.Clause, n int, out *engine.Candidates) error {
	out.Reset()
	k, err := x.know(ctx)
	if err != nil {
		return err
	}
	return x.store.read(ctx, func(db *pgxpool.Pool) error {
		out.Reset()
		out.Path.By = "database"
		return (&retrieval{x: x, k: k, db: db, r: r, rules: rules, n: n, out: out, q: newQuestion(x.glossary, r)}).run(ctx)
	})
}

// retrieval is one query on its way.
type retrieval struct {
	x     *retriever
	k     *known
	db    *pgxpool.Pool
	r     *engine.Reading
	rules []engine.Clause
	n     int
	out   *engine.Candidates
	q     *question
	plan  plan
	df    map[int32]int // passages of the corpus with each key of the question
}

func (t *retrieval) run(ctx context.Context) error {
	t.plan = newPlan(t.rules, &t.k.statistics, t.n)
	if t.plan.listings <= t.n {
		if done, err := t.all(ctx); done || err != nil {
			return err
		}
	}
	var near, worded []int64
	var path engine.Path
	both, inner := errgroup.WithContext(ctx)
	if t.vectors() {
		both.Go(func() (err error) {
			near, path.Vectors, err = t.nearest(inner)
			return err
		})
	}
	both.Go(func() (err error) {
		if worded, err = t.worded(inner); err == nil {
			t.out.Allowed, path.Estimated, err = t.allowed(inner)
		}
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	path.By = "database"
	t.out.Path = path
	nums := slices.Concat(near, worded)
	slices.Sort(nums)
	return t.figures(ctx, slices.Compact(nums))
}

// all answers a query whose rules leave so few listings that nothing has to be chosen: every one is a candidate. done is
// false where there are more of them than was expected.
func (t *retrieval) all(ctx context.Context) (done bool, err error) {
	c := t.where("listings")
	rows, err := t.db.Query(ctx, fmt.Sprintf(`SELECT num %s LIMIT %d`, c.sql.String(), t.n+1), c.args...)
	if err != nil {
		return false, err
	}
	nums, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(nums) > t.n {
		return false, err
	}
	if err := t.count(ctx); err != nil {
		return false, err
	}
	if t.out.Allowed = len(nums); t.vectors() {
		t.out.Path.Vectors = "exact"
	}
	return true, t.figures(ctx, nums)
}

// withoutScans keeps the server, which expects little of an index on arrays, from reading a whole table for a few
// hundred of its rows.
const withoutScans = `SELECT set_config('enable_seqscan', 'off', true)`

// exactCount is the number of listings up to which those that the rules allow are counted rather than estimated.
const exactCount = 1_000

// allowed returns how many listings the rules let through, and whether that is an estimate.
func (t *retrieval) allowed(ctx context.Context) (n int, estimated bool, err error) {
	if t.plan.listings > exactCount {
		return t.plan.listings, true, nil
	}
	c := t.where("listings")
	err = t.db.QueryRow(ctx, `SELECT count(*) `+c.sql.String(), c.args...).Scan(&n)
	return n, false, err
}

// figures fetches the listings with all that their passages say, and picks among them as the index does.
func (t *retrieval) figures(ctx context.Context, nums []int64) error {
	if len(nums) == 0 {
		return nil
	}
	var b pgx.Batch
	b.Queue(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`) // a listing that changes meanwhile is seen as it was, or as it is
	b.Queue(withoutScans)
	stubs := make(map[int64]*engine.Stub, len(nums))
	b.Queue(`SELECT num, stub FROM listings WHERE num = ANY($1)`, nums).Query(func(rows pgx.Rows) error {
		var num int64
		var body pgtype.DriverBytes
		_, err := pgx.ForEachRow(rows, []any{&num, &body}, func() error {
			stub, err := t.x.stub(body)
			if err != nil {
				return fmt.Errorf("listing number %d: %w", num, err)
			}
			if stub.Allowed(t.rules) { // it may have changed since it was found
				stubs[num] = stub
			}
			return nil
		})
		return err
	})
	similar := map[place]float32{}
	if t.vectors() {
		b.Queue(`SELECT listing, passage, -(v <#> $2) FROM `+t.k.model.table()+` WHERE listing = ANY($1)`, nums, pgvector.NewVector(t.r.Mean)).Query(func(rows pgx.Rows) error {
			var at place
			var s float64
			_, err := pgx.ForEachRow(rows, []any{&at.listing, &at.passage, &s}, func() error {
				similar[at] = float32(s)
				return nil
			})
			return err
		})
	}
	pool := index.NewPool(t.r, t.x.glossary, t.corpus())
	b.Queue(`SELECT listing, passage, work, length, counts FROM words WHERE listing = ANY($1) ORDER BY listing, passage`, nums).Query(func(rows pgx.Rows) error {
		last, known := int64(-1), false
		var at place
		var work, length int
		var counts pgtype.DriverBytes
		_, err := pgx.ForEachRow(rows, []any{&at.listing, &at.passage, &work, &length, &counts}, func() error {
			if at.listing != last {
				last = at.listing
				var stub *engine.Stub
				if stub, known = stubs[last]; known {
					pool.Listing(stub)
				}
			}
			if known {
				pool.Passage(work, length, similar[at])
				t.q.tell(pool, counts)
			}
			return nil
		})
		return err
	})
	b.Queue(`COMMIT`)
	if err := t.db.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	pool.Retrieve(t.n, t.out)
	return nil
}

// stub reads a stub, or finds the one that was read from the same text before: reading them is what a query would spend
// most of its time on.
func (x *retriever) stub(body []byte) (*engine.Stub, error) {
	key := maphash.Bytes(x.seed, body)
	if stub, ok := x.stubs.Get(key); ok {
		return stub, nil
	}
	stub := new(engine.Stub)
	if err := json.Unmarshal(body, stub); err != nil {
		return nil, err
	}
	x.stubs.Add(key, stub)
	return stub, nil
}

// place is where a passage stands.
type place struct {
	listing int64
	passage int32
}

// vectors reports whether there is something to compare.
func (t *retrieval) vectors() bool {
	return t.r.Mean != nil && t.k.has && len(t.r.Mean) == t.k.model.dim
}

// know returns statistics that are at most knownFor old. While they are read again, others go on with the old ones.
func (x *retriever) know(ctx context.Context) (*known, error) {
	k := x.known.Load()
	if k != nil && (time.Since(k.at) < knownFor || !x.refreshing.TryLock()) {
		return k, nil
	}
	if k == nil {
		x.refreshing.Lock()
	}
	defer x.refreshing.Unlock()
	if again := x.known.Load(); again != k {
		return again, nil
	}
	fresh := &known{}
	err := x.store.read(ctx, func(db *pgxpool.Pool) error { return fresh.load(ctx, db, x.model, k) })
	if err != nil {
		return nil, err
	}
	fresh.at = time.Now()
	x.known.Store(fresh)
	return fresh, nil
}

// load reads the statistics, or takes those of old where they have not been counted again since.
func (k *known) load(ctx context.Context, db *pgxpool.Pool, name string, old *known) (err error) {
	if k.model, k.has, err = findModel(ctx, db, name); err != nil {
		return err
	}
	var b pgx.Batch
	b.Queue(`SELECT seq, listings, passages, length FROM corpus`).QueryRow(func(row pgx.Row) error {
		return row.Scan(&k.seq, &k.listings, &k.passages, &k.length)
	})
	k.graphs = map[engine.Kind]bool{}
	b.Queue(`SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass($1) AND i.indisvalid`, k.model.table()).Query(func(rows pgx.Rows) error {
		var name string
		_, err := pgx.ForEachRow(rows, []any{&name}, func() error {
			for _, kind := range engine.Kinds {
				if name == k.model.graph(kind) {
					k.graphs[kind] = true
				}
			}
			return nil
		})
		return err
	})
	if err := db.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	if old != nil && old.seq == k.seq {
		k.facets = old.facets
		return nil
	}
	k.facets = map[int64]count{}
	rows, err := db.Query(ctx, `SELECT facet, passages, listings FROM facet_frequencies`)
	if err != nil {
		return err
	}
	var facet int64
	var c count
	_, err = pgx.ForEachRow(rows, []any{&facet, &c.passages, &c.listings}, func() error {
		k.facets[facet] = c
		return nil
	})
	return err
}
