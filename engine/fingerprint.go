package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// Fingerprint returns the listing's canonical JSON and its SHA-256: equal for equal content, whatever the source's
// order of keys, Unicode form or white space, once the listing is normalised.
func (l *Listing) Fingerprint() (body []byte, sum [sha256.Size]byte, err error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // what is stored reads as it was written
	if err := enc.Encode(l); err != nil {
		return nil, sum, fmt.Errorf("listing %s: %w", l.ID, err)
	}
	body = bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	return body, sha256.Sum256(body), nil
}

// Stored is what a store knows of a listing without reading it.
type Stored struct {
	Fingerprint [sha256.Size]byte
	Embedded    bool // it has vectors of the model asked for
}
