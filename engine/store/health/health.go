// Package health is what an examination of a store says. It is a leaf, so that every store can say it.
package health

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
)

// State is how serious a finding is.
type State string

const (
	// Fine is as it should be.
	Fine State = "fine"
	// Warning works, but slowly, not for long, or with less safety than expected.
	Warning State = "warning"
	// Fault makes answers wrong or incomplete, or makes the store unusable.
	Fault State = "fault"
)

// Finding is one thing that was looked at.
type Finding struct {
	Check  string `json:"check"`  // what was looked at, a word that scripts can rely on
	State  State  `json:"state"`  //
	Detail string `json:"detail"` // what was found, with the name of the thing
	Do     string `json:"do,omitempty"`
}

// Options are what an examination can do more, or has to know.
type Options struct {
	// Model names the vectors that the program uses.
	Model    string
	provided bool // by others
	// Sample is how many vectors of each model and kind are looked for in the graphs; 0 for none.
	Sample int
	// Progress is told what is being done; total is 0 while it is not known.
	Progress func(what string, done, total int)
}

// Active makes the model that a store's note names the one that is looked for. The built-in one is the program's own, by
// whatever version the note was written.
func (o *Options) Active(note []byte) {
	var spec struct{ Name, Provider string }
	if json.Unmarshal(note, &spec) == nil && spec.Name != "" && spec.Provider != "lexicon" {
		o.Model, o.provided = spec.Name, true
	}
}

// Fill is what gives listings the vectors they lack.
func (o *Options) Fill() string {
	if o.provided {
		return "ketnoi ingest work"
	}
	return "ketnoi migrate"
}

// ActiveNote is where that note stands: its space and its key.
const (
	ActiveSpace = "models"
	ActiveNote  = "active"
)

// List collects findings.
type List []Finding

// Fine adds what is as it should be.
func (l *List) Fine(check, format string, args ...any) {
	*l = append(*l, Finding{check, Fine, fmt.Sprintf(format, args...), ""})
}

// Warn adds a warning, with what to do about it.
func (l *List) Warn(check, do, format string, args ...any) {
	*l = append(*l, Finding{check, Warning, fmt.Sprintf(format, args...), do})
}

// Fault adds a fault, with what to do about it.
func (l *List) Fault(check, do, format string, args ...any) {
	*l = append(*l, Finding{check, Fault, fmt.Sprintf(format, args...), do})
}

// Count returns how many findings are of the state.
func (l List) Count(state State) (n int) {
	for _, f := range l {
		if f.State == state {
			n++
		}
	}
	return n
}

// Size writes a number of bytes for people.
func Size(n int64) string {
	f, unit := float64(n), 0
	for ; f >= 1000 && unit < 4; unit++ {
		f /= 1024
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.3g %ciB", f, "KMGT"[unit-1])
}

// Schema adds what the number of a database's schema means to a program with these migrations, and reports whether the
// program can read it. 0 is a database without one.
func (l *List) Schema(current int64, migrations fs.FS) (readable bool) {
	var newest int64
	files, _ := fs.Glob(migrations, "migrations/*.sql")
	for _, file := range files {
		var n int64
		if _, err := fmt.Sscanf(path.Base(file), "%d_", &n); err == nil {
			newest = max(newest, n)
		}
	}
	switch {
	case current == 0:
		l.Warn("schema", "ketnoi migrate", "the database is empty: nothing was ever stored in it")
	case current < newest:
		l.Warn("schema", "ketnoi migrate", "schema %d is older than this ketnoi's, %d; what depends on it was not looked at", current, newest)
	case current > newest:
		l.Fault("schema", "install the version of ketnoi that made it, or a newer one", "schema %d was made by a newer version of ketnoi; this one knows up to %d", current, newest)
	default:
		l.Fine("schema", "schema %d, this ketnoi's own", current)
	}
	return current == newest
}
