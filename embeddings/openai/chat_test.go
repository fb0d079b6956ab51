package openai_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/embeddings/openai"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
	"github.com/ketnoi/ketnoi/eval/demo"
)

// liar is a chat server that makes things up. It notes for each answer whether all of it is supported by what it was given.
type liar struct {
	mu     sync.Mutex
	rng    *rand.Rand
	honest bool // of the last answer
	sent   string
}

type given struct {
	ID      string   `json:"id"`
	Kind    string   `json:"kind"`
	Phrases []string `json:"phrases"`
	Quote   string   `json:"quote"`
}

type said struct {
	Text  string   `json:"text"`
	Facts []string `json:"facts"`
}

// plain are honest sentences by language and kind of fact, around a phrase.
var plain = map[string]map[string]string{
	"vi": {"shared": "Hai bên đều nhắc đến %s.", "near": "Gần với nhu cầu: %s.", "candidate": "Ứng viên: %s.", "subject": "Bên hỏi viết: %s.", "sure": "%s."},
	"fr": {"shared": "Tous deux parlent de %s.", "near": "Proche du besoin : %s.", "candidate": "Candidat : %s.", "subject": "Le demandeur écrit : %s.", "sure": "%s."},
	"en": {"shared": "Both sides name %s.", "near": "Close to the need: %s.", "candidate": "The candidate: %s.", "subject": "Who asks writes: %s.", "sure": "%s."},
	"ko": {"shared": "양측 모두 %s 언급.", "near": "수요와 유사: %s.", "candidate": "후보: %s.", "subject": "요청자: %s.", "sure": "%s."},
	"zh": {"shared": "双方都提到%s。", "near": "与需求相近：%s。", "candidate": "候选：%s。", "subject": "提问方写道：%s。", "sure": "%s。"},
}

// lies turn an honest sentence into one that nothing supports.
var lies = []func(rng *rand.Rand, s said, facts []given) said{
	func(_ *rand.Rand, s said, _ []given) said { s.Text += " It raised yields by 37 %."; return s },
	func(_ *rand.Rand, s said, _ []given) said { s.Text += " Dr Smith of Oxford leads it."; return s },
	func(_ *rand.Rand, s said, _ []given) said {
		s.Text = strings.Replace(s.Text, " ", " not ", 1) + " không"
		return s
	},
	func(_ *rand.Rand, s said, _ []given) said { s.Text = "最好的 " + s.Text; return s },
	func(_ *rand.Rand, s said, _ []given) said { s.Text = "세계 최고 " + s.Text; return s },
	func(_ *rand.Rand, s said, _ []given) said {
		s.Text += " <script>alert(1)</script>"
		return s
	},
	func(_ *rand.Rand, s said, _ []given) said { s.Text += " https://evil.example/?q=1"; return s },
	func(_ *rand.Rand, s said, _ []given) said { s.Facts = []string{"concept99"}; return s },
	func(_ *rand.Rand, s said, _ []given) said { s.Facts = nil; return s },
	func(_ *rand.Rand, s said, _ []given) said { s.Text += " “guaranteed within three days”"; return s },
	func(_ *rand.Rand, s said, _ []given) said {
		s.Text = "Đã thử nghiệm thành công. " + s.Text
		return s
	},
	func(_ *rand.Rand, s said, _ []given) said {
		s.Text = "Élimine toutes les maladies. " + s.Text
		return s
	},
	func(rng *rand.Rand, s said, facts []given) said { // what a fact of the other kind says
		for range 20 {
			if f := facts[rng.IntN(len(facts))]; f.Quote != "" && !strings.Contains(strings.Join(s.Facts, " "), f.ID) {
				s.Text += " “" + f.Quote + "”"
				return s
			}
		}
		s.Text += " TRL 9!"
		return s
	},
	func(_ *rand.Rand, s said, _ []given) said { // a quote that is changed
		if strings.Contains(s.Text, "“") {
			s.Text = strings.Replace(s.Text, "”", " x”", 1)
		} else {
			s.Text += " 100"
		}
		return s
	},
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var req struct {
		Messages []struct {
			Role    string `json:"role"`
			Content string `json:"content"`
		} `json:"messages"`
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil || len(req.Messages) != 2 {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	_, reader, _ := strings.Cut(req.Messages[0].Content, "in the language \"")
	reader = reader[:2]
	var facts []given
	body := strings.TrimSuffix(strings.TrimPrefix(req.Messages[1].Content, "<facts>\n"), "\n</facts>")
	if err := json.Unmarshal([]byte(body), &facts); err != nil || strings.Count(req.Messages[1].Content, "<") != 2 {
		http.Error(w, "the fence is broken", http.StatusBadRequest)
		return
	}
	l.sent = req.Messages[0].Content
	var sentences []said
	for range 2 + l.rng.IntN(3) {
		f := facts[l.rng.IntN(len(facts))]
		what := ""
		if f.Quote != "" {
			what = "“" + f.Quote + "”"
		} else {
			what = f.Phrases[l.rng.IntN(len(f.Phrases))]
		}
		sentences = append(sentences, said{fmt.Sprintf(plain[reader][f.Kind], what), []string{f.ID}})
	}
	l.honest = l.rng.IntN(2) == 0
	if !l.honest {
		i := l.rng.IntN(len(sentences))
		sentences[i] = lies[l.rng.IntN(len(lies))](l.rng, sentences[i], facts)
	}
	content, _ := json.Marshal(map[string]any{"sentences": sentences})
	answer := string(content)
	if l.rng.IntN(50) == 0 {
		l.honest, answer = false, "Sure! Here is my answer: "+answer
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": answer}}}, "usage": map[string]any{"total_tokens": 100}})
}

// pairs are recommendations made of the demo's judged pairs, with concepts, words and quotes as they stand there.
func pairs(t *testing.T, rng *rand.Rand, n int) (out []engine.Recommendation) {
	t.Helper()
	var all []engine.Listing
	for _, line := range demo.Records() {
		var l engine.Listing
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	g := glossary.Default()
	sentence := func(l *engine.Listing) (s string) {
		text.Sentences(l.Text, func(a, b int) {
			if s == "" || rng.IntN(3) == 0 {
				s = l.Text[a:b]
			}
		})
		return s
	}
	for len(out) < n {
		a, b := &all[rng.IntN(len(all))], &all[rng.IntN(len(all))]
		r := engine.Recommendation{Listing: b}
		r.Explanation.Evidence = []engine.Evidence{{Subject: engine.Quote{Text: sentence(a)}, Candidate: engine.Quote{Text: sentence(b)}}}
		r.Explanation.Confidence = []string{"strong", "fair", "weak"}[rng.IntN(3)]
		g.Find(b.Text, b.Lang, func(m glossary.Mention) {
			c := g.Concept(m.Concept)
			link := glossary.Same
			if rng.IntN(2) == 0 {
				link = glossary.Related
			}
			r.Explanation.Concepts = append(r.Explanation.Concepts, engine.Shared{ID: c.ID, Label: c.Label("en"), Link: link, Subject: c.Label(a.Lang), Candidate: b.Text[m.Start:m.End]})
		})
		out = append(out, r)
	}
	return out
}

// TestNarratives: of a thousand narratives by a server that makes things up in half of them, none comes through with a sentence that
// nothing supports; those that are honest do.
func TestNarratives(t *testing.T) {
	l := &liar{rng: rand.New(rand.NewPCG(1, 2))}
	server := httptest.NewServer(l)
	defer server.Close()
	chat, err := openai.NewChat(embeddings.Spec{Provider: embeddings.OpenAI, URL: server.URL + "/v1", Model: "liar"}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	made, honest, through := 0, 0, 0
	for i, r := range pairs(t, rng, 1000) {
		a := &engine.Answer{Subject: engine.Subject{Fields: r.Listing.Fields}}
		narrative, err := engine.Narrate(t.Context(), chat, a, &r, text.Languages[i%5])
		switch {
		case l.honest:
			honest++
			if err == nil {
				through++
			} else if honest-through < 4 {
				t.Logf("an honest one is dropped: %v", err)
			}
		case err == nil:
			t.Errorf("comes through: %s", narrative)
		default:
			made++
		}
	}
	t.Logf("of 1,000 narratives %d made something up and were dropped; %d were honest, %d of them came through", made, honest, through)
	if made < 300 || through*10 < honest*9 {
		t.Error("too few")
	}
}

// TestChatFails: a provider that fails is an error that says so, soon, and never quotes what was sent.
func TestChatFails(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"error":{"message":"secret"}}`, http.StatusInternalServerError)
		},
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"nothing": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"choices":[]}`)) },
		"too much": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"choices":[{"message":{"content":"` + strings.Repeat("x", 1<<20) + `"}}]}`))
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusTemporaryRedirect)
		},
		"no answer":    func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
		"an empty one": func(http.ResponseWriter, *http.Request) {},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			defer server.Close()
			chat, err := openai.NewChat(embeddings.Spec{Provider: embeddings.OpenAI, URL: server.URL, Model: "m", Timeout: 300 * time.Millisecond}, "key", nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if got, err := chat.Write(ctx, "system", "user"); err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "key") {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
