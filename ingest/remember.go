package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// A source's memory: its state under its name, and in a space of its own which listings it listed in which run.
const (
	sourcesSpace = "sources"
	listedSpace  = "listed/" // and the source's name
)

// sourceState is what a source remembers.
type sourceState struct {
	Run   int                  `json:"run"`             // number of the latest run
	Open  bool                 `json:"open,omitzero"`   // it has not come to its end
	At    string               `json:"at,omitzero"`     // of a pull: the page to go on with
	Since string               `json:"since,omitzero"`  // of a pull: what was asked for was changed after this
	Files map[string]fileState `json:"files,omitempty"` // of files: how they were when they were read
	Said  string               `json:"said,omitzero"`   // hash of the source file: another one reads everything again
}

type fileState struct {
	Size int64     `json:"size"`
	Time time.Time `json:"time"`
	Hash string    `json:"sha256"`
}

// SourceStore is where a source's listings go, and its memory.
type SourceStore interface {
	Notes
	Remover
}

// Remover removes listings.
type Remover interface {
	Remove(ctx context.Context, id string) error
}

// Sourced is the run of a source file.
type Sourced struct {
	File          *SourceFile
	Notes         Notes
	Remover       Remover
	AllowRemovals bool // however many they are
	Run           *Run

	state   sourceState
	unread  int // records that were refused without an id that could be read
	Removed int
	Kept    string // why removals were not followed, "" if they were or none were due
	Skipped int    // files that had not changed
}

// Ingest brings in what the source gives, going on where it was. An error leaves what was counted stored and the place
// remembered.
func (s *Sourced) Ingest(ctx context.Context) error {
	mapping, err := s.File.mapping()
	if err != nil {
		return err
	}
	if s.Run.Mapping.Basis != nil && mapping.Basis == nil {
		mapping.Basis = s.Run.Mapping.Basis
	}
	s.Run.Mapping, s.Run.Format = mapping, Format{Name: s.File.Format, With: s.File.With, Lang: s.File.Lang}
	if s.Run.DryRun {
		return s.read(ctx)
	}
	if err := s.remember(ctx); err != nil {
		return err
	}
	s.Run.Seen = s.seen
	if err := s.read(ctx); err != nil {
		return err
	}
	if s.File.Complete {
		if err := s.followRemovals(ctx); err != nil {
			return err
		}
	}
	s.state.Open, s.state.At = false, ""
	return s.save(ctx)
}

// remember loads the state, and begins a run or goes on with one that did not come to its end.
func (s *Sourced) remember(ctx context.Context) error {
	notes, err := s.Notes.Notes(ctx, sourcesSpace, s.File.Name)
	if err != nil {
		return err
	}
	if body := notes[s.File.Name]; body != nil {
		if err := json.Unmarshal(body, &s.state); err != nil {
			return fmt.Errorf("the store's memory of %s: %w", s.File.Name, err)
		}
	}
	said, err := s.File.hash()
	if err != nil {
		return err
	}
	if said != s.state.Said { // read otherwise than before
		s.state = sourceState{Run: s.state.Run, Said: said}
	}
	if s.state.Files == nil {
		s.state.Files = map[string]fileState{}
	}
	if !s.state.Open {
		s.state.Run++
		s.state.Open = true
	}
	return s.save(ctx)
}

// hash is of what the source file says, whatever its layout.
func (s *SourceFile) hash() (string, error) {
	body, err := json.Marshal(struct {
		From, Format, Kind, Lang, Basis string
		With                            []string
		Map, Unknown                    map[string]string
		Values                          map[string]map[string]string
		Pull                            *Pull
		Complete                        bool
	}{s.From, s.Format, s.Kind, s.Lang, s.Basis, s.With, s.Map, s.Unknown, s.Values, s.Pull, s.Complete}, json.Deterministic(true))
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8]), err
}

func (s *Sourced) save(ctx context.Context) error {
	body, err := json.Marshal(s.state, json.Deterministic(true))
	if err != nil {
		return err
	}
	return s.Notes.PutNotes(ctx, sourcesSpace, map[string][]byte{s.File.Name: body})
}

// seen notes which listings the source listed, once they are stored, and where to go on.
func (s *Sourced) seen(ctx context.Context, ids []string, unread int, mark string) error {
	s.unread += unread
	notes := make(map[string][]byte, len(ids))
	for _, id := range ids {
		notes[id] = strconv.AppendInt(nil, int64(s.state.Run), 10)
	}
	if len(notes) > 0 {
		if err := s.Notes.PutNotes(ctx, listedSpace+s.File.Name, notes); err != nil {
			return err
		}
	}
	if s.File.Pull == nil {
		return nil
	}
	s.state.At = mark
	return s.save(ctx)
}

func (s *Sourced) read(ctx context.Context) error {
	if s.File.Pull == nil {
		return s.readFiles(ctx)
	}
	p, err := openPull(ctx, s.File, s.state.At, s.state.Since)
	if err != nil {
		return err
	}
	if err := s.Run.Source(ctx, s.File.Name, p); err != nil {
		return err
	}
	s.state.Since = p.latest
	return nil
}

// readFiles reads the files that changed since they were read; of a complete source all, since each has to be counted.
func (s *Sourced) readFiles(ctx context.Context) error {
	paths, err := s.File.paths()
	if err != nil {
		return err
	}
	for _, path := range paths {
		now, err := look(path)
		if err != nil {
			return err
		}
		old, known := s.state.Files[path]
		if known && !s.File.Complete && !s.Run.DryRun && old.Size == now.Size && (old.Time.Equal(now.Time) || sameContent(path, old.Hash)) {
			s.Skipped++
			continue
		}
		if now.Hash, err = hashOf(path); err != nil {
			return err
		}
		if err := s.Run.File(ctx, path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if s.Run.DryRun {
			continue
		}
		s.state.Files[path] = now
		if err := s.save(ctx); err != nil {
			return err
		}
	}
	for path := range s.state.Files {
		if !slices.Contains(paths, path) {
			delete(s.state.Files, path)
		}
	}
	return nil
}

// paths are the files that the source names: one, those of a pattern, or those of a folder, in order. Hidden ones and those
// that are no format of ours are passed over in a folder.
func (s *SourceFile) paths() ([]string, error) {
	info, err := os.Stat(s.From)
	switch {
	case err == nil && info.IsDir():
		entries, err := os.ReadDir(s.From)
		var out []string
		for _, e := range entries {
			name := strings.TrimSuffix(strings.ToLower(e.Name()), ".gz")
			readable := s.Format != "" || formatOf(name) != "" || slices.Contains([]string{".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".xlsx"}, filepath.Ext(name))
			if !e.IsDir() && !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "~") && readable {
				out = append(out, filepath.Join(s.From, e.Name()))
			}
		}
		return out, err
	case err == nil:
		return []string{s.From}, nil
	}
	out, globErr := filepath.Glob(s.From)
	if globErr == nil && len(out) > 0 {
		return out, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("from: no file is there: %s", s.From)
	}
	return nil, err
}

func look(path string) (fileState, error) {
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}, err
	}
	return fileState{Size: info.Size(), Time: info.ModTime().UTC()}, nil
}

func hashOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func sameContent(path, hash string) bool {
	now, err := hashOf(path)
	return err == nil && now == hash
}

// Removals of more than half of what a source listed are a fault of the source more often than a wish, unless they are few.
const fewRemovals = 10

// followRemovals removes what the source listed before and does not list any more, unless another source lists it.
func (s *Sourced) followRemovals(ctx context.Context) error {
	var gone []string
	listed := 0
	for after := ""; ; {
		notes, err := s.Notes.ListNotes(ctx, listedSpace+s.File.Name, after, 1000)
		if err != nil {
			return err
		}
		if len(notes) == 0 {
			break
		}
		for _, n := range notes {
			after = n.Key
			listed++
			if run, err := strconv.Atoi(string(n.Value)); err != nil || run < s.state.Run {
				gone = append(gone, n.Key)
			}
		}
	}
	switch {
	case len(gone) == 0:
		return nil
	case s.unread > 0:
		s.Kept = fmt.Sprintf("%d listings are not listed any more, but %d records have no id that could be read, and may be these: nothing is removed", len(gone), s.unread)
		return nil
	case len(gone) > fewRemovals && 2*len(gone) > listed && !s.AllowRemovals:
		s.Kept = fmt.Sprintf("%d of %d listings are not listed any more, which is more than half: nothing is removed without --allow-removals", len(gone), listed)
		return nil
	}
	elsewhere, err := s.elsewhere(ctx, gone)
	if err != nil {
		return err
	}
	for _, id := range gone {
		if !elsewhere[id] {
			if err := s.Remover.Remove(ctx, id); err != nil {
				return err
			}
			s.Removed++
		}
		if err := s.Notes.PutNotes(ctx, listedSpace+s.File.Name, map[string][]byte{id: nil}); err != nil {
			return err
		}
	}
	return nil
}

// elsewhere are those of the listings that other sources list.
func (s *Sourced) elsewhere(ctx context.Context, ids []string) (map[string]bool, error) {
	out := map[string]bool{}
	for after := ""; ; {
		others, err := s.Notes.ListNotes(ctx, sourcesSpace, after, 100)
		if err != nil || len(others) == 0 {
			return out, err
		}
		for _, o := range others {
			after = o.Key
			if o.Key == s.File.Name {
				continue
			}
			found, err := s.Notes.Notes(ctx, listedSpace+o.Key, ids...)
			if err != nil {
				return nil, err
			}
			for id := range found {
				out[id] = true
			}
		}
	}
}
