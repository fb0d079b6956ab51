// Command bench measures the PostgreSQL store on a synthetic corpus, all in one run with calls interleaved: the index in
// memory, retrieval in the database, and whole recommendations by both, beside what one writes with pgvector alone; and the
// rate of ingest beside a bare binary copy into the same tables with the same indexes.
//
//	go run ./engine/store/postgres/bench -passages 100000
//
// It starts a server of its own, or uses the one at -server, where it makes a database and keeps it with -keep.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/index"
	"github.com/ketnoi/ketnoi/engine/store/postgres"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
)

var (
	passages  = flag.Int("passages", 100_000, "how many passages, one a listing")
	queries   = flag.Int("queries", 60, "how many queries a filter")
	rounds    = flag.Int("rounds", 3, "how often each is asked; the median is over all")
	server    = flag.String("server", "", "address of a database to use; what it holds of an earlier run of the same size is used again")
	copyRate  = flag.Int("copy", 20_000, "how many passages the ingest rate is measured on; 0 leaves it out")
	withIndex = flag.Bool("index", true, "measure the index in memory too")
)

func main() {
	flag.Parse()
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	address, stop, err := database()
	if err != nil {
		return err
	}
	defer stop()
	fmt.Printf("%s, %d CPUs; %d passages x %d, clustered unit vectors, one passage a listing; medians of %d queries x %d rounds, calls interleaved\n",
		runtime.Version(), runtime.NumCPU(), *passages, dim, *queries, *rounds)
	c := newCorpus(*passages, *queries)
	s, err := postgres.Open(ctx, address)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := load(ctx, s, c); err != nil {
		return err
	}
	b := &bench{c: c, raw: s.Pool(), database: s.Retriever(model, glossary.Default()), store: s}
	if *withIndex {
		x := index.New(index.Options{Model: model, Dim: dim, Glossary: glossary.Default()})
		start := time.Now()
		if err := x.Refresh(ctx, s); err != nil {
			return err
		}
		fmt.Printf("index in memory: loaded in %.1f s\n", time.Since(start).Seconds())
		b.index = x
	}
	if err := sizes(ctx, s.Pool()); err != nil {
		return err
	}
	if err := b.table(ctx); err != nil {
		return err
	}
	if *copyRate > 0 {
		return ingestRate(ctx, address, c)
	}
	return nil
}

// database returns the address to work on, and what ends it.
func database() (address string, stop func(), err error) {
	if *server != "" {
		return *server, func() {}, nil
	}
	srv, err := pgtest.Start(pgtest.Options{Settings: []string{"shared_buffers=2GB", "max_wal_size=8GB", "synchronous_commit=on"}})
	if err != nil {
		return "", nil, err
	}
	return srv.Address("postgres"), func() { srv.Close() }, nil
}

// load stores the corpus where it is not there yet, counts it and builds the graph.
func load(ctx context.Context, s *postgres.Store, c *corpus) error {
	counts, err := s.Counts(ctx)
	if err != nil {
		return err
	}
	have, start := counts[engine.Technology], time.Now()
	const batch = 1_000
	for at := have; at < c.n; at += batch {
		if at%50_000 == 0 && at > 0 {
			fmt.Fprintf(os.Stderr, "stored %d of %d\n", at, c.n)
		}
		if err := s.Put(ctx, model, dim, c.entries(at, min(at+batch, c.n))); err != nil {
			return err
		}
	}
	fmt.Printf("stored %d listings in %.1f s\n", c.n-have, time.Since(start).Seconds())
	start = time.Now()
	last := time.Now()
	err = s.Maintain(ctx, func(what string, done, total int) {
		if time.Since(last) > 10*time.Second {
			last = time.Now()
			fmt.Fprintf(os.Stderr, "%s: %d of %d\n", what, done, total)
		}
	})
	fmt.Printf("counted and indexed in %.1f s\n", time.Since(start).Seconds())
	return err
}

func (c *corpus) entries(from, to int) []engine.Entry {
	out := make([]engine.Entry, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, c.entry(i))
	}
	return out
}

func sizes(ctx context.Context, db *pgxpool.Pool) error {
	var all, vectors, graph, said, byWord string
	err := db.QueryRow(ctx, `SELECT pg_size_pretty(pg_database_size(current_database())), pg_size_pretty(pg_table_size('vectors_1')), pg_size_pretty(pg_relation_size('vectors_1_technology')),
		pg_size_pretty(pg_table_size('words')), pg_size_pretty(pg_relation_size('words_keys'))`).Scan(&all, &vectors, &graph, &said, &byWord)
	fmt.Printf("database %s: vectors %s, their graph %s, words %s, their index %s\n\n", all, vectors, graph, said, byWord)
	return err
}

// way is one way of asking; ask returns the numbers of the nearest passages, best first, or nil where it has no order
// by vectors alone.
type way struct {
	name  string
	ask   func(ctx context.Context, f, q int) ([]int, error)
	times []time.Duration
	hits  []float64
	short int
}

func (b *bench) table(ctx context.Context) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "filter leaves\tway\tmedian\tp95\trecall@10\tworst\tshort\tbeside\t")
	for f := range filters {
		ways := b.ways()
		truth := make([][]int, *queries)
		for q := range truth {
			truth[q] = b.c.truth(f, b.c.queries[q].vector, 10)
		}
		for round := -1; round < *rounds; round++ { // the first warms up
			for q := range *queries {
				for i := range ways {
					x := &ways[(i+q)%len(ways)]
					start := time.Now()
					got, err := x.ask(ctx, f, q)
					took := time.Since(start)
					if err != nil {
						return fmt.Errorf("%s: %w", x.name, err)
					}
					switch {
					case round >= 0:
						x.times = append(x.times, took)
					case got != nil:
						x.hits = append(x.hits, recall(got, truth[q]))
						if len(got) < min(perWay, b.left(f)) {
							x.short++
						}
					}
				}
			}
		}
		b.print(w, filters[f].name, ways)
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) left(f int) int {
	n := 0
	for i := range b.c.n {
		if b.c.leaves(f, i) {
			n++
		}
	}
	return n
}

func (b *bench) print(w *tabwriter.Writer, filter string, ways []way) {
	var median []time.Duration
	for i := range ways {
		slices.Sort(ways[i].times)
		median = append(median, ways[i].times[len(ways[i].times)/2])
	}
	best := func(ok func(int) bool) time.Duration { // the faster raw way whose recall is good
		t := time.Duration(0)
		for i := range 2 {
			if ok(i) && (t == 0 || median[i] < t) {
				t = median[i]
			}
		}
		return t
	}
	good := best(func(i int) bool { return mean(ways[i].hits) >= 0.99 })
	any := best(func(int) bool { return true })
	for i := range ways {
		x, r, worst, short, beside := &ways[i], "", "", "", ""
		if len(x.hits) > 0 {
			r, worst, short = fmt.Sprintf("%.3f", mean(x.hits)), fmt.Sprintf("%.1f", slices.Min(x.hits)), fmt.Sprint(x.short)
		}
		if i >= 2 {
			beside = fmt.Sprintf("%.2f x the faster raw way", ratio(median[i], any))
			if good > 0 {
				beside = fmt.Sprintf("%.2f x the faster raw way of recall 0.99", ratio(median[i], good))
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%.2f ms\t%.2f\t%s\t%s\t%s\t%s\t\n", filter, x.name, ms(median[i]), ms(x.times[len(x.times)*95/100]), r, worst, short, beside)
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

func recall(got, truth []int) float64 {
	hits := 0
	for _, t := range truth {
		if slices.Contains(got[:min(10, len(got))], t) {
			hits++
		}
	}
	return float64(hits) / float64(max(1, len(truth)))
}
