package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine"
)

// Store is where listings go.
type Store interface {
	Stored(ctx context.Context, ids []string, model string) (map[string]engine.Stored, error)
	Put(ctx context.Context, model string, dim int, entries []engine.Entry) error
	// PutLater stores entries without vectors together with the jobs that will embed them, each a list of ids.
	PutLater(ctx context.Context, entries []engine.Entry, jobs [][]string) error
}

// Register knows whom a store was told to erase: when, by the ids of listings about them.
type Register interface {
	Erased(ctx context.Context, listings ...*engine.Listing) (map[string]time.Time, error)
}

// Issue is something to tell about one record: why it was refused, or, for a Warning, what is odd about it.
type Issue struct {
	File    string
	Line    int
	ID      string
	Field   string
	Reason  string
	Warning bool
}

func (i Issue) String() string {
	s := fmt.Sprintf("%s:%d: ", i.File, i.Line)
	if i.ID != "" {
		s += i.ID + ": "
	}
	if i.Field != "" {
		s += i.Field + ": "
	}
	return s + i.Reason
}

// Summary counts the records of a run by what became of them. What it counts as added or changed is stored.
type Summary struct {
	Read      int `json:"read"`
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Rejected  int `json:"rejected"`
	Warnings  int `json:"warnings"`
	NoBasis   int `json:"no_basis"` // persons without a basis for processing: stored or to be stored, and not recommended
	Passages  int `json:"passages"` // embedded in this run, or by the jobs it left
	Tokens    int `json:"tokens"`   // of these passages, counted in a dry run only: what a provider would bill, about
}

// Run is one ingest. The zero value of an optional field leaves it out.
type Run struct {
	Store    Store // nil only in a dry run: then nothing is known to be stored
	Embedder embeddings.Embedder
	Merges   *Merges // of the same store; nil where nothing is merged
	Later    int     // passages of a job, for an embedder whose work is left to jobs; 0 embeds at once
	Mapping  Mapping
	Format   Format   // of the files
	People   Register // who may not come back; nil for nobody
	DryRun   bool
	Seen     Seen                    // called for every batch that is stored; nil for nobody
	Report   func(Issue)             // called for every issue, in the order of the records
	Progress func(Summary, Position) // called after every batch; what it counts is stored

	seen map[string]origin // ids of this run
	sum  Summary
}

// Seen hears which listings a source listed, once they are stored; how many records had no id that could be read; and, of a
// source that can go on in its middle, where.
type Seen func(ctx context.Context, ids []string, unread int, mark string) error

// marked is a source that can go on in its middle.
type marked interface{ mark() string }

// Position is how far a file has been read.
type Position struct {
	File         string
	Offset, Size int64 // bytes
}

// origin is where in this run an id was first seen, with what content.
type origin struct {
	file        string
	line        int
	fingerprint [32]byte
}

// The bounds of a batch, which is read, embedded and stored as one.
const (
	batchRecords = 256
	batchBytes   = 4 << 20
)

// File ingests one file. An error means that the file could not be read, or the store not written; what was counted
// before is stored all the same. Records that are refused are no error: they are reported and counted.
func (run *Run) File(ctx context.Context, path string) error {
	src, err := Open(path, run.Format)
	if err != nil {
		return err
	}
	return run.Source(ctx, path, src)
}

// Source ingests what a source gives, under the name by which issues call it, and closes it.
func (run *Run) Source(ctx context.Context, path string, src Source) error {
	defer src.Close()
	if run.seen == nil {
		run.seen = map[string]origin{}
	}
	// Batches are prepared on all cores and stored in order by this goroutine.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan chan *batch, runtime.GOMAXPROCS(0))
	var readErr error
	go func() {
		defer close(queue)
		readErr = run.read(ctx, src, path, queue)
	}()
	var storeErr error
	for pending := range queue {
		b := <-pending
		if storeErr == nil {
			storeErr = run.finish(ctx, b)
		}
		if storeErr != nil {
			cancel()
			continue // drain
		}
		if run.Progress != nil {
			run.Progress(run.sum, b.position)
		}
	}
	if storeErr != nil {
		return storeErr
	}
	return readErr
}

// Summary returns what became of the records so far.
func (run *Run) Summary() Summary { return run.sum }

// batch is a group of records on its way.
type batch struct {
	position Position
	items    []item
	tokens   int
	mark     string
	err      error
}

// item is one record: a listing, or the issue that refuses it.
type item struct {
	line        int
	listing     *engine.Listing
	fingerprint [32]byte
	stored      engine.Stored
	known       bool
	entry       *engine.Entry // nil where nothing has to be stored
	merged      bool          // it is a member of what is composed of several, and has no row of its own
	issue       *Issue
	erased      bool // the issue is that nobody may bring the person back
	warnings    []Issue
}

// read cuts the source into batches, until its end, an error that ends it, or ctx is done.
func (run *Run) read(ctx context.Context, src Source, path string, queue chan<- chan *batch) error {
	var records []Record
	var items []item
	size := 0
	flush := func() {
		if len(items) == 0 {
			return
		}
		b := &batch{items: items, position: Position{path, src.Offset(), src.Size()}}
		if m, ok := src.(marked); ok {
			b.mark = m.mark()
		}
		rs := records
		done := make(chan *batch, 1)
		queue <- done
		go func() {
			run.prepare(ctx, path, rs, b)
			done <- b
		}()
		records, items, size = nil, nil, 0
	}
	for {
		r, err := src.Next()
		var refused *RecordError
		switch {
		case errors.Is(err, io.EOF):
			flush()
			return nil
		case errors.As(err, &refused):
			r.Values = nil
			items = append(items, item{line: refused.Line, issue: &Issue{File: path, Line: refused.Line, Field: brief(refused.Field, maxField), Reason: brief(refused.Reason, maxReason)}})
		case err != nil:
			flush()
			return err
		default:
			items = append(items, item{line: r.Line})
		}
		records = append(records, r)
		if size += r.Size; len(items) >= batchRecords || size >= batchBytes {
			flush()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// prepare turns records into listings, looks up what is stored, and embeds what is new or changed.
func (run *Run) prepare(ctx context.Context, path string, records []Record, b *batch) {
	var ids []string
	for i := range b.items {
		it := &b.items[i]
		if it.issue != nil {
			continue
		}
		run.check(path, records[i], it)
		if it.issue == nil {
			ids = append(ids, it.listing.ID)
		}
	}
	if b.err = run.refuseErased(ctx, path, b); b.err != nil {
		return
	}
	stored, members := map[string]engine.Stored{}, map[string]Member{}
	if run.Merges != nil {
		if members, b.err = run.Merges.Members(ctx, ids...); b.err != nil {
			return
		}
		for _, of := range members {
			ids = append(ids, of.Into)
		}
	}
	if run.Store != nil {
		if stored, b.err = run.Store.Stored(ctx, ids, run.Embedder.Model()); b.err != nil {
			return
		}
	}
	var texts []string
	for i := range b.items {
		it := &b.items[i]
		if it.issue != nil {
			continue
		}
		if of, ok := members[it.listing.ID]; ok {
			if b.err = run.prepareMember(it, of, stored); b.err != nil {
				return
			}
			continue
		}
		it.stored, it.known = stored[it.listing.ID]
		if it.known && (it.stored.Embedded || run.Later > 0) && it.stored.Fingerprint == it.fingerprint {
			continue // what lacks vectors then has a job, or has failed
		}
		it.entry = &engine.Entry{Listing: it.listing, Passages: embeddings.Split(it.listing)}
		texts = append(texts, matchable(it.entry)...)
	}
	if run.DryRun {
		for _, t := range texts {
			b.tokens += embeddings.Tokens(t)
		}
	}
	if run.DryRun || run.Later > 0 || len(texts) == 0 {
		return
	}
	vectors, err := run.Embedder.Embed(ctx, texts)
	if err != nil {
		b.err = fmt.Errorf("embedding: %w", err)
		return
	}
	for i := range b.items {
		if e := b.items[i].entry; e != nil {
			e.Vectors, vectors = vectors[:len(e.Passages)], vectors[len(e.Passages):]
		}
	}
}

// refuseErased refuses listings about persons who were erased.
func (run *Run) refuseErased(ctx context.Context, path string, b *batch) error {
	if run.People == nil {
		return nil
	}
	var about []*engine.Listing
	for i := range b.items {
		if it := &b.items[i]; it.issue == nil {
			about = append(about, it.listing)
		}
	}
	gone, err := run.People.Erased(ctx, about...)
	if err != nil {
		return err
	}
	for i := range b.items {
		it := &b.items[i]
		if it.issue != nil {
			continue
		}
		if at, ok := gone[it.listing.ID]; ok {
			it.erased = true
			it.issue = &Issue{File: path, Line: it.line, ID: it.listing.ID, Reason: "the person was erased on " + at.Format(time.DateOnly) + ": only a basis of consent, dated later, brings them back"}
		}
	}
	return nil
}

func matchable(e *engine.Entry) []string {
	out := make([]string, len(e.Passages))
	for i, p := range e.Passages {
		out[i] = e.Listing.Matchable(p)
	}
	return out
}

// check maps and normalises one record.
func (run *Run) check(path string, r Record, it *item) {
	l, err := run.Mapping.listing(r)
	if err == nil {
		for _, w := range setAsideAddresses(l) {
			it.warnings = append(it.warnings, Issue{File: path, Line: r.Line, ID: l.ID, Field: w.field, Reason: w.reason, Warning: true})
		}
		for _, f := range inspect(l) {
			it.warnings = append(it.warnings, Issue{File: path, Line: r.Line, ID: l.ID, Field: f.field, Reason: f.reason, Warning: true})
		}
		if err = l.Normalise(); err == nil {
			it.listing = l
			_, it.fingerprint, err = l.Fingerprint()
		}
	}
	if err == nil {
		return
	}
	issue := &Issue{File: path, Line: r.Line, Reason: err.Error()}
	var record *RecordError
	var field *engine.FieldError
	switch {
	case errors.As(err, &record):
		issue.Field, issue.Reason, issue.ID = record.Field, record.Reason, run.Mapping.idOf(r)
	case errors.As(err, &field):
		issue.Field, issue.Reason = field.Field, field.Reason
		if field.Field != "id" {
			issue.ID = l.ID
		}
		if field.Field == "kind" && run.Mapping.Kind == "" || field.Field == "lang" && run.Mapping.Lang == "" {
			issue.Reason += "; or state it for all with --" + field.Field
		}
		issue.Reason += run.Mapping.advice(field.Field)
	}
	issue.Reason = brief(issue.Reason, maxReason)
	it.issue = issue
}

// finish reports a batch's issues, refuses ids that came before with other content, and stores the rest at once.
func (run *Run) finish(ctx context.Context, b *batch) error {
	if b.err != nil {
		return b.err
	}
	sum := run.sum
	sum.Tokens += b.tokens
	var put []engine.Entry
	var merged []*engine.Listing
	var issues []Issue
	for i := range b.items {
		it := &b.items[i]
		sum.Read++
		if it.issue == nil {
			it.issue = run.repeated(b.position.File, it)
		}
		issues = append(issues, it.warnings...)
		sum.Warnings += len(it.warnings)
		switch {
		case it.issue != nil:
			issues = append(issues, *it.issue)
			sum.Rejected++
			continue
		case it.entry == nil:
			sum.Unchanged++
			if it.listing.LacksBasis() {
				sum.NoBasis++
			}
			continue
		case !it.known:
			sum.Added++
		case it.stored.Fingerprint == it.fingerprint:
			sum.Unchanged++ // only its vectors were missing
		default:
			sum.Changed++
		}
		if it.listing.LacksBasis() {
			sum.NoBasis++
		}
		if it.merged {
			merged = append(merged, it.listing)
			continue
		}
		sum.Passages += len(it.entry.Passages)
		put = append(put, *it.entry)
	}
	if len(put) > 0 && !run.DryRun {
		var err error
		if run.Later > 0 {
			err = run.Store.PutLater(ctx, put, jobs(put, run.Later))
		} else {
			err = run.Store.Put(ctx, run.Embedder.Model(), run.Embedder.Dim(), put)
		}
		if err != nil {
			return fmt.Errorf("storing: %w", err)
		}
	}
	if len(merged) > 0 && !run.DryRun {
		n, err := run.Merges.update(ctx, merged)
		if err != nil {
			return fmt.Errorf("storing what was merged: %w", err)
		}
		sum.Passages += n
	}
	if run.Seen != nil && !run.DryRun {
		ids, unread := b.listed()
		if err := run.Seen(ctx, ids, unread, b.mark); err != nil {
			return fmt.Errorf("remembering what the source listed: %w", err)
		}
	}
	run.sum = sum
	if run.Report != nil {
		for _, i := range issues {
			run.Report(i)
		}
	}
	return nil
}

// listed are the ids that a batch's records name, those of persons who were erased left out; unread counts those without one
// that could be read.
func (b *batch) listed() (ids []string, unread int) {
	for _, it := range b.items {
		switch {
		case it.erased:
		case it.issue == nil:
			ids = append(ids, it.listing.ID)
		case it.issue.ID != "":
			ids = append(ids, it.issue.ID)
		default:
			unread++
		}
	}
	return ids, unread
}

// jobs groups entries so that each group has about the number of passages wanted, or is one entry.
func jobs(entries []engine.Entry, passages int) (out [][]string) {
	n := passages
	for _, e := range entries {
		if n += len(e.Passages); n > passages || len(out) == 0 {
			out, n = append(out, nil), len(e.Passages)
		}
		out[len(out)-1] = append(out[len(out)-1], e.Listing.ID)
	}
	return out
}

// repeated handles an id that this run has seen before: the same content counts as unchanged, other content is
// refused, since nobody can say which of the two is meant.
func (run *Run) repeated(file string, it *item) *Issue {
	first, dup := run.seen[it.listing.ID]
	if !dup {
		run.seen[it.listing.ID] = origin{file, it.line, it.fingerprint}
		return nil
	}
	if first.fingerprint == it.fingerprint {
		it.entry = nil
		return nil
	}
	return &Issue{File: file, Line: it.line, ID: it.listing.ID, Field: "id", Reason: fmt.Sprintf("stands already at %s:%d with other content", first.file, first.line)}
}
