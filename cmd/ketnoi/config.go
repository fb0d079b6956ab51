package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/store/postgres"
	"github.com/ketnoi/ketnoi/engine/text"
	"github.com/ketnoi/ketnoi/eval"
	"github.com/ketnoi/ketnoi/ingest"
)

// This file is the only one that reads the environment and defines flags.

// version is set by the linker for releases.
var version = "0.1.0-dev"

// config is everything that can be set, by flags or, where noted in a flag's help, by the environment.
type config struct {
	store     string
	readStore string
	maxLag    time.Duration
	retrieve  string
	memory    int64 // MiB

	// ingest
	kind, lang string
	mapping    []string
	dryRun     bool
	noWait     bool
	noTrain    bool
	pairsLimit int

	ipStatus, orgTypes, exclude, without []string
	since                                int
	sharedLanguage, undo, narrative      bool
	whyNot, reason                       string
	format                               ingest.Format

	source        string
	watch         bool
	preview       int
	allowRemovals bool
	basis         string

	// personal data
	id, person string
	yes        bool
	vectors    bool
	erasures   string // the ledger

	// duplicates
	keep, by, state string
	full            bool

	// embedding models
	spec          embeddings.Spec
	chat          embeddings.Spec
	chatKey       string
	embedKey      string // no flag: keys belong into the environment
	forbidForeign bool
	back          bool
	forget        string
	fillOnly      bool
	force         bool

	// recommend
	subject, text      string
	textLang           string
	want, fields       []string
	regions, languages []string
	prefer             []string
	trlMin, trlMax     int
	limit              int
	reader             string
	json               bool
	colour             bool // of standard output; no flag, but NO_COLOR and the terminal decide
	topics, qrels, out string
	weights            []string
	addr               string
	hosts              []string
	once               bool
	queries            int
	verify             bool
	sample             int
	measures           []string
	listings           []string
	tableColumns       []string
	bounds             []string
	runs               []string
	grades             []string
	ablate             bool
	folds              int
	use, reset         bool
	rounds             int
	seed               uint64
	depth, random      int
	clip               float64
	keyFile            string
	interactive        bool // standard error is a terminal that a person watches
	width              int  // of the terminal, in columns
}

// environment fills in what the environment says.
func (c *config) environment() {
	c.colour = term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	c.interactive = term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb" && os.Getenv("CI") == ""
	c.chatKey = os.Getenv("KETNOI_CHAT_KEY")
	c.embedKey = cmp.Or(os.Getenv("KETNOI_EMBED_KEY"), os.Getenv("OPENAI_API_KEY"))
	if v := strings.ToLower(os.Getenv("KETNOI_FORBID_FOREIGN")); v != "" && v != "0" && v != "false" && v != "no" {
		c.forbidForeign = true
	}
	c.width = 100
	if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && w > 0 {
		c.width = min(max(w, 60), 120)
	}
}

// localeReader is the language of the locale, if the engine writes it, else English.
func localeReader() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if tag := text.PreferredReader(strings.ReplaceAll(strings.Split(v, ".")[0], "_", "-")); tag != "" {
				return tag
			}
			break
		}
	}
	return "en"
}

func (c *config) storeFlag(cmd *cobra.Command) {
	address := "sqlite:ketnoi.db"
	if v := os.Getenv("KETNOI_STORE"); v != "" {
		address = v
	}
	f := cmd.PersistentFlags()
	f.StringVar(&c.store, "store", address, "address of the store: sqlite:PATH, or postgres://USER@HOST:PORT/DATABASE (also KETNOI_STORE)")
	f.StringVar(&c.readStore, "read-store", os.Getenv("KETNOI_READ_STORE"), "hot standby of a PostgreSQL store, for reads while it is in step (also KETNOI_READ_STORE)")
	f.StringVar(&c.erasures, "erasures", os.Getenv("KETNOI_ERASURES"), "ledger of erased persons, outside of the store (also KETNOI_ERASURES; default: beside an SQLite file, ending in .erasures)")
	f.DurationVar(&c.maxLag, "max-lag", postgres.DefaultMaxLag, "how far that standby may be behind before the primary is read")
}

func (c *config) retrieveFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.retrieve, "retrieve", "auto", "who finds candidates in a PostgreSQL store: the index in memory, the database, or auto (serve: the database until the index is loaded, and where it does not fit; recommend: the database)")
	f.Int64Var(&c.memory, "index-memory", 4096, "MiB that the index in memory may take, about")
}

// checkRetrieve refuses unknown ways of retrieval.
func (c *config) checkRetrieve() error {
	switch c.retrieve {
	case "", "auto", "index", "database":
		if c.memory < 0 {
			return fmt.Errorf("--index-memory %d: want a number of MiB, or 0 for no bound", c.memory)
		}
		return nil
	}
	return fmt.Errorf("--retrieve %q: want auto, index or database", c.retrieve)
}

func (c *config) ingestFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.kind, "kind", "", "kind of every listing: expert, technology or problem (overrides the file's)")
	f.StringVar(&c.lang, "lang", "", "language of every listing, such as vi (overrides the file's; detected when neither says)")
	f.StringArrayVar(&c.mapping, "map", nil, "other people's column names: `KEY=COLUMN`,… such as title=name,text=desc; the rest is kept as extra; may be repeated")
	f.StringVar(&c.source, "source", "", "a source `FILE` (YAML) that says where listings come from and what their names, codes and words mean: see docs/sources.md")
	f.BoolVar(&c.watch, "watch", false, "with --source: go on, and bring in what comes new")
	f.IntVar(&c.preview, "preview", 0, "with --source: show what the first `N` records would become, and store nothing")
	f.BoolVar(&c.allowRemovals, "allow-removals", false, "with --source: remove what a complete source does not list any more, though it be more than half")
	f.StringVar(&c.basis, "basis", "", "ground for processing data about persons that state none of their own: `KIND` or KIND@DATE, such as consent@2026-05-31; KIND is one of "+strings.Join(engine.BasisKinds, ", "))
	f.StringVar(&c.format.Name, "format", "", "what the files hold where their names do not say it: "+strings.Join(ingest.Formats, ", "))
	f.StringArrayVar(&c.format.With, "with", nil, "a `FILE` that belongs to the one named: the works of OpenAlex's authors, or more of VIVO's graph, such as labels; may be repeated")
	f.BoolVar(&c.dryRun, "dry-run", false, "check everything and store nothing")
	c.noTrainFlag(cmd)
	f.BoolVar(&c.noWait, "no-wait", false, "do not wait for the vectors of a provider: \"ketnoi ingest work\" or a server embeds")
}

func (c *config) duplicatesFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.state, "state", proposed, "list pairs that are proposed, merged or apart")
	f.StringVar(&c.kind, "kind", "", "only listings of this kind: expert, technology or problem")
	f.IntVar(&c.pairsLimit, "limit", 20, "how many pairs at most")
	f.BoolVar(&c.json, "json", false, "print JSON")
}

func (c *config) scanFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.full, "full", false, "compare all listings, not only those new or changed since the last scan")
}

func (c *config) mergeFlags(cmd *cobra.Command) {
	c.byFlag(cmd)
	cmd.Flags().StringVar(&c.keep, "keep", "", "the `ID` that stays (default: the first, or what it was merged into)")
}

func (c *config) byFlag(cmd *cobra.Command) {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	cmd.Flags().StringVar(&c.by, "by", name, "`NAME` of who decides")
}

func (c *config) reindexFlags(cmd *cobra.Command) {
	f, s := cmd.Flags(), &c.spec
	f.StringVar(&s.Model, "model", "", "the model as its provider calls it, such as text-embedding-3-small or bge-m3; or lexicon, the built-in one")
	f.StringVar(&s.URL, "url", "", "base address of the provider, such as https://api.openai.com/v1 or http://127.0.0.1:11434/v1")
	f.StringVar(&s.Provider, "provider", embeddings.OpenAI, "what the address speaks: openai (Ollama, vLLM, TEI, LM Studio too) or azure")
	f.StringVar(&s.APIVersion, "api-version", "", "of Azure's interface")
	f.StringVar(&s.Name, "name", "", "by which the vectors are stored (default: the model's, with the dimensions asked for)")
	f.IntVar(&s.Dimensions, "dimensions", 0, "ask for vectors of this width; unset asks for none, which every server understands")
	f.StringVar(&s.Encoding, "encoding", "", "ask for float or base64; unset asks for none")
	f.IntVar(&s.Batch, "batch", embeddings.DefaultBatch, "texts a request")
	f.IntVar(&s.Concurrency, "concurrency", embeddings.DefaultConcurrency, "requests at once, of each process")
	f.DurationVar(&s.Timeout, "timeout", embeddings.DefaultTimeout, "of a request; stuck work is found after this and half a minute")
	f.IntVar(&s.Window, "window", 0, "tokens that a text may have; longer ones are embedded in parts (default: 8191 for OpenAI's models, 512 for others)")
	f.StringVar(&s.Tokenizer, "tokenizer", "", "the model's vocabulary, if it is cl100k_base or o200k_base (default: cl100k_base for OpenAI's models; others are estimated with a margin)")
	f.Float64Var(&s.Price, "price", 0, "of a million tokens, to say what it costs")
	f.StringVar(&s.Prefix, "prefix", "", "put before every text, for models that want it, such as \"query: \"")
	f.BoolVar(&c.back, "back", false, "go back to the model that was active before")
	f.StringVar(&c.forget, "forget", "", "remove all vectors of this model (its `NAME`)")
	f.BoolVar(&c.fillOnly, "fill-only", false, "embed, compare, and leave the present model active")
	f.BoolVar(&c.force, "force", false, "switch although the new model ranks worse on the judged topics")
	f.BoolVar(&c.dryRun, "dry-run", false, "say what it would take and cost; nothing is sent but one word")
	f.StringVar(&c.topics, "topics", "", "judged topics to compare both models on, as for \"ketnoi eval\"")
	f.StringVar(&c.qrels, "qrels", "", "their judgements")
	c.wantFlag(cmd)
}

func (c *config) noTrainFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.noTrain, "no-train", false, "leave a new store the built-in model instead of learning one from its listings")
}

func (c *config) trainFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&c.spec.Dim, "dim", 0, "width of the vectors (default: an eighth of the passages, 32 to 256)")
	f.Uint64Var(&c.seed, "seed", 1, "of the random start; the same seed and listings give the same model")
	f.BoolVar(&c.fillOnly, "fill-only", false, "train, embed, compare, and leave the present model active")
	f.BoolVar(&c.force, "force", false, "switch although the new model ranks worse on the judged topics")
	f.StringVar(&c.topics, "topics", "", "judged topics to compare both models on, as for \"ketnoi eval\"")
	f.StringVar(&c.qrels, "qrels", "", "their judgements")
	c.wantFlag(cmd)
}

func (c *config) personFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.id, "id", "", "id of the person's listing")
	f.StringVar(&c.person, "person", "", "the person's name; accents and case do not count")
}

func (c *config) queryFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.subject, "for", "", "id of the listing that asks")
	f.StringVar(&c.text, "text", "", "free text that asks, in any of the five languages")
	f.StringVar(&c.textLang, "text-lang", "", "language of --text: a `TAG` such as vi (detected when not given)")
	c.wantFlag(cmd)
	f.StringSliceVar(&c.fields, "field", nil, "only these fields: OECD FORD codes such as 4.1, or 4 for all below it")
	f.StringSliceVar(&c.regions, "region", nil, "only these regions: ISO 3166 codes or names, such as VN-35, KR, \"Hải Phòng\"")
	f.StringSliceVar(&c.languages, "lang", nil, "only listings written or worked in these languages, such as ko,fr")
	f.IntVar(&c.trlMin, "trl-min", 0, "only technologies of at least this readiness, 1 to 9")
	f.IntVar(&c.trlMax, "trl-max", 0, "only technologies of at most this readiness, 1 to 9")
	f.StringSliceVar(&c.ipStatus, "ip", nil, "only technologies of this IP status: "+strings.Join(engine.IPStatuses, ", "))
	f.StringSliceVar(&c.orgTypes, "org-type", nil, "only of these types of organisation: "+strings.Join(engine.OrganisationTypes, ", "))
	f.IntVar(&c.since, "since", 0, "only those whose newest work, else publication, is of this year or later")
	f.BoolVar(&c.sharedLanguage, "shared-language", false, "only those who share a working language with who asks, directly or through an ambassador")
	f.StringSliceVar(&c.prefer, "prefer", nil, "rules that only add points: field=4.1, region=VN, lang=ko, ip=open, org-type=university, since=2023, trl-min=6, shared-language=yes")
	f.StringSliceVar(&c.exclude, "exclude", nil, "rules that must not hold, written as for --prefer: region=CN, org-type=enterprise")
	f.StringSliceVar(&c.without, "without", nil, "ways of shaping the list that are left off: "+strings.Join(engine.Interventions, ", ")+", all")
	f.IntVar(&c.limit, "limit", 5, "how many recommendations at most, up to 100")
	f.StringVar(&c.reader, "reader", localeReader(), "language of the explanations: vi, fr, en, ko or zh (default: of your locale)")
	f.BoolVar(&c.json, "json", false, "print JSON, as the HTTP interface answers")
	c.retrieveFlags(cmd)
}

// chatFlags name the chat model that writes narratives.
func (c *config) chatFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.chat.URL, "chat-url", os.Getenv("KETNOI_CHAT_URL"), "base address of a server that speaks OpenAI's protocol for chat, which writes narratives where a query asks for them; its key in KETNOI_CHAT_KEY (also KETNOI_CHAT_URL)")
	f.StringVar(&c.chat.Model, "chat-model", os.Getenv("KETNOI_CHAT_MODEL"), "its model, as the server calls it (also KETNOI_CHAT_MODEL)")
}

func (c *config) whyNotFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.whyNot, "why-not", "", "say why the listing of this `ID` is not among the recommendations")
}

func (c *config) blockFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.reason, "reason", "", "why the pair is blocked; kept with it")
	f.BoolVar(&c.undo, "undo", false, "allow the pair again")
	c.byFlag(cmd)
}

func (c *config) wantFlag(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&c.want, "want", nil, "kinds wanted: expert, technology, problem (default: what the subject's kind asks for)")
}

func (c *config) evalFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	c.collectionFlags(cmd)
	f.StringArrayVar(&c.weights, "weights", nil, "measure a ranker of these weights, such as meaning=1,concepts=0.5, or two sets, within a language and across, parted by /; or default (which it is where none is named), or a yardstick: bm25, plain BM25 over whole listings, or rrf, reciprocal rank fusion of the signals; may be repeated")
	f.BoolVar(&c.ablate, "ablate", false, "measure the first ranker without each of its signals too")
	f.BoolVar(&c.back, "back", false, "measure the other direction too: who was judged relevant asks, and the topics (stored as listings) are to be found")
	c.noTrainFlag(cmd)
	f.StringSliceVar(&c.listings, "listings", nil, "rank the listings of these `FILES` instead of a store's; --kind, --lang, --map and --basis are read as by \"ketnoi ingest\"")
	f.StringVar(&c.kind, "kind", "", "with --listings: kind of every listing")
	f.StringVar(&c.lang, "lang", "", "with --listings: language of every listing")
	f.StringArrayVar(&c.mapping, "map", nil, "with --listings: other people's column names: `KEY=COLUMN`,…")
	f.StringVar(&c.basis, "basis", "", "with --listings: ground for processing data about persons that state none")
	f.StringVar(&c.out, "out", "", "folder to write the report, the figures (JSON) and the runs (TREC form) to")
	c.chanceFlags(cmd)
	c.retrieveFlags(cmd)
}

// collectionFlags are topics, judgements and what is wanted.
func (c *config) collectionFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.topics, "topics", "", "topics: JSONL, CSV or XLSX with id, title, text (gzipped or not)")
	f.StringVar(&c.qrels, "qrels", "", "judgements: TREC form (topic 0 document grade), or CSV, XLSX or JSONL with topic, listing, grade")
	c.columnsFlag(cmd)
	c.wantFlag(cmd)
}

func (c *config) columnsFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&c.tableColumns, "columns", nil, "names of a table's columns, where they are not found: `KEY=NAME`,… such as topic=Problem,grade=Result")
}

// chanceFlags are measures and what statistics hang on.
func (c *config) chanceFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&c.measures, "measures", eval.Defaults, "measures by their ir_measures names, also P(rel=2)@5, AP(rel=2), Success@5; the first leads the comparison")
	f.IntVar(&c.rounds, "rounds", 100_000, "of the randomization test, and up to 10,000 of the bootstrap")
	f.Uint64Var(&c.seed, "seed", 1, "of everything random")
	f.BoolVar(&c.json, "json", false, "print JSON")
}

func (c *config) serveFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.addr, "addr", "127.0.0.1:8080", "loopback address to listen on; port 0 picks a free one")
	f.StringSliceVar(&c.hosts, "host", nil, "further names by which requests may call the server, behind a proxy of yours")
	c.chatFlags(cmd)
	c.retrieveFlags(cmd)
}

func (c *config) demoFlags(cmd *cobra.Command) {
	c.serveFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&c.once, "once", false, "print the recommendation and stop, without a server")
	f.StringVar(&c.reader, "reader", localeReader(), "language of the explanations: vi, fr, en, ko or zh (default: of your locale)")
}

func (c *config) benchFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&c.queries, "queries", 200, "how many titles of stored problems to ask with, as free texts")
	f.BoolVar(&c.json, "json", false, "print JSON")
	c.retrieveFlags(cmd)
}

func (c *config) doctorFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&c.verify, "verify", false, "compare what the graphs return with exact search")
	f.IntVar(&c.sample, "sample", 200, "how many vectors of each model and kind to look for, with --verify")
	f.BoolVar(&c.json, "json", false, "print JSON")
}

// missing reports whether the store is a file that is not there, but could be made.
func (c *config) missing() bool {
	file, embedded := strings.CutPrefix(c.store, "sqlite:")
	_, err := os.Stat(file)
	folder, _ := os.Stat(filepath.Dir(file))
	return embedded && file != "" && errors.Is(err, fs.ErrNotExist) && folder != nil && folder.IsDir()
}

// isSet reports whether somebody gave the flag.
func isSet(cmd *cobra.Command, flag string) bool { return cmd.Flags().Changed(flag) }
