package engine

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const erasedPrefix = "erased:"

// NewAlias returns by what an erased listing is known in a store's change feed: followers recognise the listing by it, and
// nobody who does not hold the id already learns it.
func NewAlias(id string) string {
	salt := make([]byte, 8)
	_, _ = rand.Read(salt) // it never fails
	return alias(salt, id)
}

func alias(salt []byte, id string) string {
	sum := sha256.Sum256(append(salt, id...))
	return erasedPrefix + hex.EncodeToString(salt) + hex.EncodeToString(sum[:16])
}

// Unalias returns what recognises the id that the alias stands for; nil if it is an id and no alias.
func Unalias(s string) func(id string) bool {
	rest, ok := strings.CutPrefix(s, erasedPrefix)
	salt, err := hex.DecodeString(rest[:min(16, len(rest))])
	if !ok || err != nil || len(rest) != 48 {
		return nil
	}
	return func(id string) bool { return alias(salt[:8:8], id) == s }
}

// Trace is where a store holds something of a listing.
type Trace struct {
	Where string `json:"where"`
	Count int    `json:"count"`
}
