package embeddings

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Providers of embedding models.
const (
	Lexicon = "lexicon" // built in, offline
	Trained = "trained" // learned from the store's own listings and kept there; Model is what the training called it
	OpenAI  = "openai"  // any server that speaks OpenAI's protocol: OpenAI, Ollama, vLLM, TEI, LM Studio, …
	Azure   = "azure"   // Azure OpenAI: the model is a deployment
)

// Spec says which model embeds and how it is reached. A store keeps the spec of each of its models, so that whoever opens
// it embeds alike. It never holds a key: keys come from the environment.
type Spec struct {
	Name        string        `json:"name"`                 // by which vectors are stored; another name is another model, whatever its width
	Provider    string        `json:"provider"`             // Lexicon, Trained, OpenAI or Azure
	URL         string        `json:"url,omitzero"`         // base address, such as https://host/v1
	Model       string        `json:"model,omitzero"`       // as the provider calls it
	APIVersion  string        `json:"api_version,omitzero"` // Azure's
	Dimensions  int           `json:"dimensions,omitzero"`  // asked of the provider; 0 asks for none, since some servers refuse the question
	Encoding    string        `json:"encoding,omitzero"`    // "float" or "base64"; "" does not ask
	Dim         int           `json:"dim"`                  // width of the vectors that come
	Batch       int           `json:"batch,omitzero"`       // texts a request
	Concurrency int           `json:"concurrency,omitzero"` // requests at once, of one process
	Timeout     time.Duration `json:"timeout,omitzero"`     // of a request
	Window      int           `json:"window,omitzero"`      // tokens that a text may have, by the model's own count
	Tokenizer   string        `json:"tokenizer,omitzero"`   // the model's vocabulary, if it is one that we have: "cl100k_base", "o200k_base"
	Price       float64       `json:"price,omitzero"`       // of a million tokens, in whatever currency the operator thinks
	Prefix      string        `json:"prefix,omitzero"`      // put before every text, for models that are told what to do: "query: "
}

// Defaults of a Spec.
const (
	DefaultBatch       = 32 // what the strictest of the usual servers takes
	DefaultConcurrency = 4
	DefaultTimeout     = 15 * time.Second
	DefaultWindow      = 512
)

// Normalise fills in defaults and checks what can be checked without asking the provider. The error names the field.
func (s *Spec) Normalise() error {
	if s.Provider == Lexicon || s.Provider == Trained {
		return nil
	}
	if s.Provider != OpenAI && s.Provider != Azure {
		return fmt.Errorf("provider %q: want lexicon, openai or azure", s.Provider)
	}
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("url %q: want the provider's base address, such as http://127.0.0.1:11434/v1", s.URL)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("url: want no more than the base address: a user, password or key in it would be stored; give keys in the environment")
	}
	if s.Model == "" {
		return fmt.Errorf("model: missing: the name by which the provider knows it")
	}
	for _, f := range []struct {
		name        string
		value       *int
		usual, most int
	}{{"batch", &s.Batch, DefaultBatch, 2048}, {"concurrency", &s.Concurrency, DefaultConcurrency, 256}, {"window", &s.Window, DefaultWindow, 1 << 20}, {"dimensions", &s.Dimensions, 0, 16_000}} {
		if *f.value == 0 {
			*f.value = f.usual
		}
		if *f.value < 0 || *f.value > f.most {
			return fmt.Errorf("%s %d: want 1 to %d", f.name, *f.value, f.most)
		}
	}
	if s.Timeout == 0 {
		s.Timeout = DefaultTimeout
	}
	if s.Timeout < 0 || s.Timeout > 10*time.Minute {
		return fmt.Errorf("timeout %s: want up to 10m", s.Timeout)
	}
	switch s.Encoding {
	case "", "float", "base64":
	default:
		return fmt.Errorf("encoding %q: want float or base64, or none, which does not ask", s.Encoding)
	}
	if s.Price < 0 {
		return fmt.Errorf("price %g: want what a million tokens cost", s.Price)
	}
	if s.Name == "" {
		s.Name = s.Model
		if s.Dimensions > 0 {
			s.Name += fmt.Sprintf("/%d", s.Dimensions)
		}
	}
	return nil
}

// Recipient is the host that is sent texts, "" for none.
func (s *Spec) Recipient() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// Foreign reports whether texts leave the operator's own network: the host is no loopback or private address, and no name
// that can only be one (localhost, a name without a dot, .local, .internal, .lan, .home.arpa).
func (s *Spec) Foreign() bool {
	host := strings.ToLower(s.Recipient())
	if host == "" {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast()
	}
	if !strings.Contains(host, ".") {
		return false
	}
	for _, own := range []string{".localhost", ".local", ".internal", ".lan", ".home.arpa"} {
		if strings.HasSuffix(host, own) {
			return false
		}
	}
	return true
}
