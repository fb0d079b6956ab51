package ingest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/text"
)

// SourceFile is the one small file in which staff say where listings come from and what the source's names, codes and words
// mean. See docs/sources.md.
type SourceFile struct {
	Name     string                       `yaml:"name"`     // what the source remembers is kept under it
	From     string                       `yaml:"from"`     // a web address, a path, a pattern of paths, or a folder
	Format   string                       `yaml:"format"`   // one of Formats; told by the name where it can be
	With     []string                     `yaml:"with"`     // files that belong to each file: see Format
	Kind     string                       `yaml:"kind"`     // of every listing
	Lang     string                       `yaml:"lang"`     // of every listing
	Basis    string                       `yaml:"basis"`    // KIND or KIND@DATE, of persons that state none
	Map      map[string]string            `yaml:"map"`      // our key -> the source's name
	Values   map[string]map[string]string `yaml:"values"`   // our key -> the source's value -> ours
	Unknown  map[string]string            `yaml:"unknown"`  // our key -> refuse or drop, of values that are neither ours nor in values
	Pull     *Pull                        `yaml:"pull"`     // of a web address
	Complete bool                         `yaml:"complete"` // what a whole run does not list is removed
	Every    string                       `yaml:"every"`    // how often a source that is watched is asked; folders are followed at once

	path  string
	every time.Duration
}

const maxSourceFile = 256 << 10 // bytes

// ReadSourceFile reads and checks a source file. Errors name the line or the key.
func ReadSourceFile(path string) (*SourceFile, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := ParseSourceFile(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.path = path
	if !s.web() && !filepath.IsAbs(s.From) { // paths are those of the file, wherever one stands
		s.From = filepath.Join(filepath.Dir(path), s.From)
	}
	for i, w := range s.With {
		if !filepath.IsAbs(w) {
			s.With[i] = filepath.Join(filepath.Dir(path), w)
		}
	}
	return s, nil
}

// ParseSourceFile is ReadSourceFile for what stands in a file.
func ParseSourceFile(body []byte) (*SourceFile, error) {
	if len(body) > maxSourceFile {
		return nil, fmt.Errorf("%d bytes are more than the %d a source file may have", len(body), maxSourceFile)
	}
	s := new(SourceFile)
	if err := yaml.UnmarshalWithOptions(body, s, yaml.Strict()); err != nil {
		return nil, errors.New(strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	return s, s.check()
}

func (s *SourceFile) check() error {
	if _, err := text.Clean(s.Name); err != nil || s.Name == "" || strings.ContainsAny(s.Name, " /\t\n") || len(s.Name) > 100 {
		return fmt.Errorf("name %q: want a short name without spaces and slashes, which never changes", s.Name)
	}
	if s.From == "" {
		return errors.New("from: missing: a web address, a path or a folder")
	}
	m, err := s.mapping()
	if err != nil {
		return err
	}
	for key, table := range m.values {
		for theirs, ours := range table {
			if !known(key, ours) {
				return fmt.Errorf("values: %s: %q leads to %q, which is no value of ours for %s", key, theirs, ours, key)
			}
		}
	}
	for key, what := range s.Unknown {
		if !slices.Contains(coded, key) || what != "refuse" && what != "drop" {
			return fmt.Errorf("unknown: %s: %s: want refuse or drop for one of %s", key, what, strings.Join(coded, ", "))
		}
	}
	if err := (Format{Name: s.Format, With: s.With}).check(); err != nil && s.Format != "json" {
		return fmt.Errorf("format: %w", err)
	}
	if s.Every != "" {
		if s.every, err = time.ParseDuration(s.Every); err != nil || s.every < 10*time.Second {
			return fmt.Errorf("every: %q: want a time such as 15m, of at least 10s", s.Every)
		}
	}
	switch {
	case s.web() && s.Pull == nil:
		return errors.New("pull: missing: how the answers of the web address are read")
	case !s.web() && s.Pull != nil:
		return fmt.Errorf("pull: %q is no web address", s.From)
	case s.Pull != nil && s.Complete && s.Pull.Since != nil:
		return errors.New("complete: a pull that asks only for what changed since is never complete")
	case s.Pull != nil:
		return s.Pull.check()
	}
	return nil
}

// web reports whether the source is pulled.
func (s *SourceFile) web() bool {
	u, err := url.Parse(s.From)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}

// mapping is what the file says of names, codes and words.
func (s *SourceFile) mapping() (m Mapping, err error) {
	m.File = s.path
	switch k := engine.Kind(s.Kind); k {
	case "", engine.Expert, engine.Technology, engine.Problem:
		m.Kind = k
	default:
		return m, fmt.Errorf("kind: %q: want expert, technology or problem", s.Kind)
	}
	if s.Lang != "" {
		tag, ok := text.LanguageTag(s.Lang)
		if !ok {
			return m, fmt.Errorf("lang: %q is no language tag: want BCP-47 such as vi", s.Lang)
		}
		m.Lang = tag
	}
	if s.Basis != "" {
		if m.Basis, err = engine.ParseBasis(s.Basis); err != nil {
			return m, fmt.Errorf("basis: %w", err)
		}
	}
	m.Columns = map[string]string{"id": "id"} // so that what is not named is kept
	for key, column := range s.Map {
		if !slices.Contains(keys, key) {
			return m, fmt.Errorf("map: %q is no key of a listing%s: want one of %s", key, nearest(key, keys), strings.Join(keys, ", "))
		}
		m.Columns[key] = column
	}
	m.values = map[string]map[string]string{}
	for key, table := range s.Values {
		if !slices.Contains(coded, key) {
			return m, fmt.Errorf("values: %q%s: want one of %s", key, nearest(key, coded), strings.Join(coded, ", "))
		}
		m.values[key] = make(map[string]string, len(table))
		for theirs, ours := range table {
			m.values[key][folded(theirs)] = ours
		}
	}
	m.unknown = s.Unknown
	return m, nil
}

// nearest suggests the name that was perhaps meant.
func nearest(name string, of []string) string {
	for _, n := range of {
		if a, b := strings.ToLower(name), n; a != b && (strings.TrimSuffix(a, "s") == strings.TrimSuffix(b, "s") || len(a) > 3 && (strings.HasPrefix(b, a) || strings.HasPrefix(a, b))) {
			return fmt.Sprintf(" (%s is)", n)
		}
	}
	return ""
}
