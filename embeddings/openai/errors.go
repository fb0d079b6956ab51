package openai

import (
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/embeddings"
)

// maxSaid is how many characters of what a provider says are passed on.
const maxSaid = 300

// failure is one try that the provider did not answer, or not sensibly; another may do better.
type failure struct {
	reason string
	after  time.Duration // that the provider asked to wait
	busy   bool          // it answers, but not us, not now
	text   bool          // it may be one of the texts that it fails at
	err    error
}

func (f *failure) Error() string { return f.reason }
func (f *failure) Unwrap() error { return f.err }

// refusal is the provider's no to a request, for the sake of one of its texts or of the request itself. It is tacit where
// the provider does not say no, but fails again and again, as some do at a text that is too long.
type refusal struct {
	reason string
	tacit  bool
}

func (r *refusal) Error() string { return r.reason }

// unusable says that an operator has to do something, though the provider itself may believe that all is well.
type unusable string

func (u unusable) Error() string        { return "the embedding provider cannot be used: " + string(u) }
func (u unusable) Is(target error) bool { return target == embeddings.ErrDenied }

// errInPlace is wrapped where an error came under a status of success.
var errInPlace = errors.New("an error in place of vectors")

// bare is the text of an error of net/http without the address, which whoever reads it knows.
func bare(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}

// clean makes what a provider says fit for a line of a log: short, without control characters, marks that turn the
// direction of text, or our key.
func (c *Client) clean(s string) string {
	if c.key != "" {
		s = strings.ReplaceAll(s, c.key, "[key]")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxSaid {
		return string(r[:maxSaid]) + "…"
	}
	return s
}

// says finds what an error's body has to say: OpenAI's {"error":{"message":"…"}}, flat ones such as {"error":"…"},
// {"message":"…"} and {"detail":[{"msg":"…"}]}, or plain text. A page of HTML says no more than its status.
func says(body []byte) string {
	var v any
	if json.Unmarshal(body, &v) == nil {
		return find(v, 4)
	}
	if s := strings.TrimSpace(string(body)); !strings.HasPrefix(s, "<") {
		return s
	}
	return ""
}

func find(v any, depth int) string {
	if depth == 0 {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			return find(v[0], depth-1)
		}
	case map[string]any:
		for _, key := range []string{"error", "message", "detail", "msg"} {
			if s := find(v[key], depth-1); s != "" {
				return s
			}
		}
	}
	return ""
}
