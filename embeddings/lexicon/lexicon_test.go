package lexicon

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/engine/glossary"
)

var update = flag.Bool("update", false, "write the golden file anew")

var _ embeddings.Embedder = (*Embedder)(nil)

func embed(t testing.TB, e *Embedder, texts ...string) [][]float32 {
	t.Helper()
	out, err := e.Embed(context.Background(), texts)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func cosine(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// TestGolden holds the vectors to their bits: the same text must give the same vector on any machine, in any version
// under the same model name. The glossary here is fixed, so that new terms do not change the file.
func TestGolden(t *testing.T) {
	g, err := glossary.Load(fstest.MapFS{"4.1.tsv": {Data: []byte("id\tbroader\trelated\tvi\tfr\ten\tko\tzh\n" +
		"shrimp\taquaculture\t\ttôm\tcrevette\tshrimp\t새우\t对虾\naquaculture\t\tshrimp\tnuôi trồng thủy sản\taquaculture\taquaculture\t수산양식\t水产养殖\n")}})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, s := range []string{"tôm", "nuôi trồng thủy sản bằng công nghệ mới", "capteurs d'humidité", "새우 양식장", "对虾养殖技术", "😀", "쌀을 씻는 솥", "shrimping", "SHRIMP"} {
		h := sha256.New()
		for _, x := range embed(t, New(g), s)[0] {
			if err := binary.Write(h, binary.LittleEndian, x); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Fprintf(&got, "%s\t%s\n", s, hex.EncodeToString(h.Sum(nil)))
	}
	const file = "testdata/vectors.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("vectors changed; if that is meant, raise the version in the model's name and run with -update\ngot\n%swant\n%s", got.String(), want)
	}
}

func TestVectorsAreUnit(t *testing.T) {
	e := New(glossary.Default())
	rapid.Check(t, func(t *rapid.T) {
		v, err := e.Embed(context.Background(), []string{rapid.String().Draw(t, "s")})
		if err != nil {
			t.Fatal(err)
		}
		if err := engine.CheckVector(v[0], Dim); err != nil {
			t.Fatal(err)
		}
	})
}

// TestLanguagesMeet: a concept lands nearer to itself in another language than to other concepts, by a wide margin, for
// every concept of the glossary and every pair with Vietnamese.
func TestLanguagesMeet(t *testing.T) {
	g := glossary.Default()
	e := New(g)
	for _, lang := range []string{"fr", "en", "ko", "zh"} {
		near, far, missed := 0.0, 0.0, 0
		for n := range g.Len() {
			c, other := g.Concept(n), g.Concept((n+g.Len()/2)%g.Len())
			v := embed(t, e, c.Terms["vi"][0], c.Terms[lang][0], other.Terms[lang][0])
			a, b := cosine(v[0], v[1]), cosine(v[0], v[2])
			near, far = near+a, far+b
			if a <= b {
				missed++
				t.Logf("%s: %s / %s", c.ID, c.Terms["vi"][0], c.Terms[lang][0])
			}
		}
		n := float64(g.Len())
		t.Logf("vi-%s: mean cosine %.2f to the same concept, %.2f to another; %d of %d the wrong way round", lang, near/n, far/n, missed, g.Len())
		if near/n < 0.6 || far/n > 0.15 || missed*100 > g.Len() {
			t.Errorf("vi-%s: the languages do not meet", lang)
		}
	}
}

func TestWordsOutsideTheGlossaryCount(t *testing.T) {
	e := New(glossary.Default())
	v := embed(t, e, "Zwickelhuber Apparatur", "die Zwickelhuber", "Quellwasser Messung")
	if same, other := cosine(v[0], v[1]), cosine(v[0], v[2]); same < 0.3 || same < other+0.2 {
		t.Errorf("sharing a word: %.2f, sharing none: %.2f", same, other)
	}
}

func TestGlossaryChangesTheModel(t *testing.T) {
	g, err := glossary.Load(fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	if New(g).Model() == New(glossary.Default()).Model() {
		t.Error("two glossaries make one model")
	}
}

func TestEmbedStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if v, err := New(glossary.Default()).Embed(ctx, []string{"x"}); err == nil || v != nil {
		t.Errorf("got %v, %v", v, err)
	}
}

func BenchmarkEmbed(b *testing.B) {
	e := New(glossary.Default())
	s := strings.Repeat("Nước thải nuôi tôm bị ô nhiễm hữu cơ, cần công nghệ xử lý sinh học giá thấp. ", 10)
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		embed(b, e, s)
	}
}

func Example() {
	e := New(glossary.Default())
	v, _ := e.Embed(context.Background(), []string{"máy sấy thanh long", "용과 건조기", "anten 5G"})
	fmt.Println(len(v[0]), cosine(v[0], v[1]) > 0.6, cosine(v[0], v[2]) < 0.2)
	// Output: 384 true true
}
