package trained

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/ketnoi/ketnoi/engine/glossary"
)

// format names how a model is written, and what it means: it is raised when tokens or sums change.
const format = "ketnoi-trained-1"

// maxSize is in bytes: of a model unpacked. What is larger is none of ours.
const maxSize = 1 << 30

// file is a model as it is kept.
type file struct {
	Format  string
	Learned learned
	Langs   []string // of Common, in order, since a map has none
	Commons [][]float32
}

func (e *Embedder) file() file {
	f := file{Format: format, Learned: e.learned}
	f.Learned.Common, f.Learned.ID = nil, ""
	for _, lang := range slices.Sorted(maps.Keys(e.Common)) {
		f.Langs, f.Commons = append(f.Langs, lang), append(f.Commons, e.Common[lang])
	}
	return f
}

// digest names what was learned.
func (e *Embedder) digest() (string, error) {
	h := sha256.New()
	if err := gob.NewEncoder(h).Encode(e.file()); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:4]), nil
}

// Save returns the model as bytes.
func (e *Embedder) Save() ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	err := gob.NewEncoder(z).Encode(e.file())
	if err == nil {
		err = z.Close()
	}
	return b.Bytes(), err
}

// Load reads what Save wrote, for use with a glossary.
func Load(body []byte, g *glossary.Glossary) (*Embedder, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("no trained model: %w", err)
	}
	var f file
	if err := gob.NewDecoder(io.LimitReader(z, maxSize)).Decode(&f); err != nil {
		return nil, fmt.Errorf("no trained model: %w", err)
	}
	l := f.Learned
	n := len(l.Tokens)
	if f.Format != format || l.Width < 1 || n == 0 || len(l.Weights) != n || len(l.Scales) != n || len(l.Vectors) != n*l.Width || len(f.Langs) != len(f.Commons) {
		return nil, fmt.Errorf("a trained model of another version (%q): train again", f.Format)
	}
	l.Common = map[string][]float32{}
	for i, lang := range f.Langs {
		if len(f.Commons[i]) != l.Width {
			return nil, fmt.Errorf("a trained model that does not fit together: train again")
		}
		l.Common[lang] = f.Commons[i]
	}
	if l.Common[""] == nil {
		return nil, fmt.Errorf("a trained model that does not fit together: train again")
	}
	e := newEmbedder(g, l)
	e.learned.ID, err = e.digest()
	return e, err
}
