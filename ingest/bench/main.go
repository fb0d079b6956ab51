// Command bench measures the embedding of listings by a provider: against one in this process that speaks the real protocol,
// with a set latency. It runs the program itself, as operators do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ketnoi/ketnoi/embeddings/openai/fake"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
)

type options struct {
	binary      string
	what        string
	store       string
	listings    int
	most        int
	kills       int
	latency     time.Duration
	batch       int
	concurrency int
	seed        uint64
	providers   string
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "bin/ketnoi", "the program")
	flag.StringVar(&o.what, "what", "rate", "what to measure: rate, memory, kills, down, change; several with commas")
	flag.StringVar(&o.store, "store", "sqlite", "sqlite or postgres, or both with a comma")
	flag.IntVar(&o.listings, "listings", 10_000, "how many listings are ingested")
	flag.IntVar(&o.most, "most", 200_000, "and how many where memory is measured")
	flag.IntVar(&o.kills, "kills", 200, "how often the program is killed")
	flag.DurationVar(&o.latency, "latency", 100*time.Millisecond, "of the provider")
	flag.IntVar(&o.batch, "batch", 32, "texts a request")
	flag.IntVar(&o.concurrency, "concurrency", 4, "requests at once")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of all that is random")
	flag.StringVar(&o.providers, "providers", "", "a file of real providers for what=change: firm, works")
	flag.Parse()
	fmt.Println("seed", o.seed)
	ways := map[string]func(context.Context, *world) error{"rate": rate, "memory": memory, "kills": kills, "down": down, "change": change}
	bad := false
	for store := range strings.SplitSeq(o.store, ",") {
		for what := range strings.SplitSeq(o.what, ",") {
			run, ok := ways[what]
			if !ok {
				fmt.Fprintf(os.Stderr, "-what %s: want rate, memory, kills, down or change\n", what)
				os.Exit(2)
			}
			if err := in(store, o, run); err != nil {
				fmt.Fprintf(os.Stderr, "%s on %s: %v\n", what, store, err)
				bad = true
			}
		}
	}
	if bad {
		os.Exit(1)
	}
}

// in runs a measurement in a world of its own.
func in(store string, o options, run func(context.Context, *world) error) error {
	w, err := newWorld(store, o)
	if err != nil {
		return err
	}
	return errors.Join(run(context.Background(), w), w.close())
}

// world is a provider and a store.
type world struct {
	options
	dir      string
	address  string
	server   *pgtest.Server
	provider *provider
	random   *rand.Rand
	version  int // of the listings' texts
}

// provider is the one that the program asks.
type provider struct {
	*fake.Provider
	model, url string
	close      func()
}

const width = 384

func startProvider(o options) (*provider, error) {
	p := &provider{Provider: fake.New(fake.Options{Model: "bench", Dim: width, Latency: o.latency, Batch: o.batch}), model: "bench"}
	var err error
	p.url, p.close, err = p.Start("127.0.0.1:0")
	return p, err
}

func (p *provider) texts() int { return p.Counts().Texts }

// again is how many texts were billed that had been billed before.
func (p *provider) again() int { return p.Counts().Texts - p.Counts().Distinct }

func (p *provider) fail(wholly bool) {
	shape := fake.Good
	if wholly {
		shape = fake.BadGateway
	}
	p.Always(shape)
}

func newWorld(store string, o options) (*world, error) {
	dir, err := os.MkdirTemp("", "ketnoi-bench-")
	if err != nil {
		return nil, err
	}
	w := &world{options: o, dir: dir, address: "sqlite:" + filepath.Join(dir, "bench.db"), random: rand.New(rand.NewPCG(o.seed, 1))}
	if store == "postgres" {
		if w.server, err = pgtest.Start(pgtest.Options{Durable: true}); err != nil {
			return nil, err
		}
		w.address = w.server.Address("postgres")
	}
	w.store = store
	if w.binary, err = filepath.Abs(o.binary); err != nil {
		return nil, err
	}
	w.provider, err = startProvider(o)
	return w, err
}

func (w *world) close() error {
	w.provider.close()
	var err error
	if w.server != nil {
		err = w.server.Close()
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}

// file writes n listings, each with a passage or two of its own.
func (w *world) file(name string, n int) (string, error) {
	path := filepath.Join(w.dir, name)
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	words := strings.Fields(`membrane reactor shrimp pond sensor alloy coating biogas kiln dye effluent catalyst turbine spectrometer laminate
		resin enzyme vaccine silage drone lidar bearing gasket pump valve filter polymer fibre loom dryer furnace battery anode inverter`)
	var b strings.Builder
	for i := range n {
		b.Reset()
		for b.Len() < 300+w.random.IntN(2_000) {
			for range 8 + w.random.IntN(8) {
				b.WriteString(words[w.random.IntN(len(words))] + " ")
			}
			fmt.Fprintf(&b, "number %d. ", w.random.IntN(1_000_000))
		}
		if _, err := fmt.Fprintf(f, `{"id":"L%06d","kind":"technology","title":"Offer %d","lang":"en","text":"%s"}`+"\n", i, i, strings.TrimSpace(b.String())); err != nil {
			return "", err
		}
	}
	return path, f.Close()
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
