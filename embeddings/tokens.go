package embeddings

import (
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/pkoukk/tiktoken-go"
	loader "github.com/pkoukk/tiktoken-go-loader"
)

// The vocabularies that stand in the program; nothing is loaded from elsewhere.
const (
	CL100K = "cl100k_base" // of text-embedding-3 and text-embedding-ada-002
	O200K  = "o200k_base"
)

// passageTokenizer counts how long passages are, the same for every model of a store. It treats the five languages most
// alike: translations of one text need 1 (en), 1.26 (zh), 1.36 (fr), 1.48 (vi) and 1.52 (ko) times as many tokens (NTREX-128,
// 990 lines each); by cl100k_base 1, 1.92, 1.59, 2.43 and 2.45.
const passageTokenizer = O200K

// unknownFactor is how many tokens of a vocabulary that we do not have a token of ours may become. By cl100k_base, which knows
// little Vietnamese, Korean or Chinese, the same texts become 1.66, 1.63 and 1.54 times as many; 2 leaves a margin.
const unknownFactor = 2

// Tokens returns about how many tokens s has: never fewer than the vocabulary of passages gives it, but for pieces that it
// would join across a line break, and hardly more.
func Tokens(s string) int { return vocabulary(passageTokenizer).count(s) }

// TokensOf is Tokens by the vocabulary of that name. One that we do not have is estimated, rather too high.
func TokensOf(tokenizer, s string) int {
	if v := vocabulary(tokenizer); v != nil {
		return v.count(s)
	}
	return unknownFactor * Tokens(s)
}

// Tokens returns about how many tokens the provider will bill for a text: by the model's vocabulary if we have it, else by ours,
// without a margin.
func (s *Spec) Tokens(text string) int {
	if v := vocabulary(s.Tokenizer); v != nil {
		return v.count(text)
	}
	return Tokens(text)
}

// counter counts tokens by one vocabulary. Words come again and again, and no vocabulary joins what stands on both sides of
// a space: so words are looked up, and only new ones are taken apart.
type counter struct {
	load  func() *tiktoken.Tiktoken
	words sync.Map // string -> int
	known atomic.Int32
}

// Bounds of what a counter remembers.
const (
	maxWords = 1 << 16
	maxWord  = 48 // bytes
	maxPiece = 512
)

var counters = map[string]*counter{CL100K: newCounter(CL100K), O200K: newCounter(O200K)}

func newCounter(name string) *counter {
	return &counter{load: sync.OnceValue(func() *tiktoken.Tiktoken {
		setLoader()
		t, err := tiktoken.GetEncoding(name)
		if err != nil {
			panic(err) // it stands in the program
		}
		return t
	})}
}

var setLoader = sync.OnceFunc(func() { tiktoken.SetBpeLoader(loader.NewOfflineLoader()) })

func vocabulary(name string) *counter { return counters[name] }

func (c *counter) count(s string) (n int) {
	for len(s) > 0 {
		end := wordEnd(s)
		n += c.word(s[:end])
		s = s[end:]
	}
	return n
}

// wordEnd is the end of the first word of s with the space before it, or of a run of white space up to that.
func wordEnd(s string) int {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	switch {
	case i == len(s):
		return i
	case i > 0 && (s[i-1] == '\n' || s[i-1] == '\r'):
		return i
	case i > 1:
		return i - 1
	}
	if end := strings.IndexAny(s[i:], " \n\t\r"); end >= 0 {
		return i + end
	}
	return len(s)
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

func (c *counter) word(s string) int {
	if n, ok := c.words.Load(s); ok {
		return n.(int)
	}
	n := 0
	for rest := s; len(rest) > 0; { // the library's time grows with the square of a word
		end := min(len(rest), maxPiece)
		for end < len(rest) && !utf8.RuneStart(rest[end]) {
			end--
		}
		n += len(c.load().EncodeOrdinary(rest[:end]))
		rest = rest[end:]
	}
	if len(s) <= maxWord && c.known.Load() < maxWords {
		if _, twice := c.words.LoadOrStore(strings.Clone(s), n); !twice {
			c.known.Add(1)
		}
	}
	return n
}
