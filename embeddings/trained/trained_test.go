package trained

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/ketnoi/ketnoi/embeddings"
	"github.com/ketnoi/ketnoi/engine/glossary"
)

var _ embeddings.Embedder = (*Embedder)(nil)

// world is a corpus of two subjects in two languages: what stands together in each of them is known.
func world(t *testing.T, o Options) (*Embedder, error) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	pick := func(words ...string) string { return words[rng.IntN(len(words))] }
	tr := NewTrainer(glossary.Default())
	for range 120 {
		tr.Add([]string{
			fmt.Sprintf("The %s treats wastewater with %s, and the %s of the %s tank is %s.", pick("plant", "factory"), pick("membrane", "coagulant"), pick("sludge", "sediment"), pick("settling", "aeration"), pick("thickened", "dewatered")),
		})
		tr.Add([]string{
			fmt.Sprintf("Nhà máy xử lý nước thải bằng %s, %s ở bể %s được %s.", pick("màng lọc", "chất keo tụ"), pick("bùn", "cặn"), pick("lắng", "sục khí"), pick("cô đặc", "ép khô")),
		})
		tr.Add([]string{
			fmt.Sprintf("The %s robot welds %s with a laser, and a %s watches the %s of the %s seam.", pick("mobile", "fixed"), pick("steel", "aluminium"), pick("camera", "scanner"), pick("width", "depth"), pick("lap", "butt")),
		})
		tr.Add([]string{
			fmt.Sprintf("Robot %s hàn laser %s, %s theo dõi %s của đường hàn %s.", pick("di động", "cố định"), pick("thép", "nhôm"), pick("camera", "máy quét"), pick("bề rộng", "độ sâu"), pick("chồng", "giáp mối")),
		})
	}
	return tr.Train(t.Context(), o)
}

func embed(t *testing.T, e *Embedder, texts ...string) [][]float32 {
	t.Helper()
	v, err := e.Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func cosine(a, b []float32) (sum float64) {
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// TestLearnsWhatGoesTogether: words that never share a passage come near when they stand with the same ones, in one language and across.
func TestLearnsWhatGoesTogether(t *testing.T) {
	e, err := world(t, Options{Dim: 6})
	if err != nil {
		t.Fatal(err)
	}
	v := embed(t, e, "sludge dewatered in the settling tank", "sediment thickened by aeration", "bùn ép khô ở bể lắng", "a camera watches the seam", "máy quét theo dõi đường hàn giáp mối")
	for _, tc := range []struct{ near, far [2]int }{{[2]int{0, 1}, [2]int{0, 3}}, {[2]int{0, 2}, [2]int{0, 4}}, {[2]int{3, 4}, [2]int{3, 2}}} {
		near, far := cosine(v[tc.near[0]], v[tc.near[1]]), cosine(v[tc.far[0]], v[tc.far[1]])
		if near < far+0.1 {
			t.Errorf("%v are at %.3f, %v at %.3f", tc.near, near, tc.far, far)
		}
	}
}

func TestEmbed(t *testing.T) {
	e, err := world(t, Options{Dim: 24})
	if err != nil {
		t.Fatal(err)
	}
	v := embed(t, e, "sludge", "", "zzyzx", "Robot hàn laser", strings.Repeat("membrane ", 5000))
	for i, x := range v {
		if length := cosine(x, x); len(x) != e.Dim() || math.Abs(length-1) > 1e-5 {
			t.Errorf("text %d: width %d, length² %v", i, len(x), length)
		}
	}
	if !slices.Equal(v[1], v[2]) {
		t.Error("two texts without a known word differ")
	}
	if alone := embed(t, e, "sludge"); !slices.Equal(alone[0], v[0]) {
		t.Error("a text's vector depends on the others")
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := e.Embed(ctx, []string{"x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the stop: %v", err)
	}
}

func TestSaveAndLoad(t *testing.T) {
	e, err := world(t, Options{Dim: 24})
	if err != nil {
		t.Fatal(err)
	}
	again, err := world(t, Options{Dim: 24})
	if err != nil || again.Model() != e.Model() {
		t.Fatalf("trained twice: %s and %s, %v", e.Model(), again.Model(), err)
	}
	if other, err := world(t, Options{Dim: 24, Seed: 2}); err != nil || other.Model() == e.Model() {
		t.Errorf("another seed gives the same bytes, %v", err)
	}
	body, err := e.Save()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Load(body, glossary.Default())
	if err != nil || back.Model() != e.Model() || back.Dim() != 24 || back.Size() != e.Size() {
		t.Fatalf("%v, %v", back, err)
	}
	if a, b := embed(t, e, "bùn ép khô"), embed(t, back, "bùn ép khô"); !slices.Equal(a[0], b[0]) {
		t.Error("another vector after saving and loading")
	}
	for cut := range len(body) {
		if cut%97 != 0 {
			continue
		}
		if _, err := Load(body[:cut], glossary.Default()); err == nil {
			t.Fatalf("%d of %d bytes are taken for a model", cut, len(body))
		}
	}
}

func TestTooFew(t *testing.T) {
	tr := NewTrainer(glossary.Default())
	for range 50 {
		tr.Add([]string{"water treatment"})
	}
	if _, err := tr.Train(t.Context(), Options{}); !errors.Is(err, ErrTooFew) {
		t.Errorf("50 texts: %v", err)
	}
	for range 300 {
		tr.Add([]string{"water treatment", ""})
	}
	if _, err := tr.Train(t.Context(), Options{}); !errors.Is(err, ErrTooFew) {
		t.Errorf("the same few words 350 times: %v", err)
	}
}

// TestRareWordsAreNotKept: what stands in fewer than three listings, such as a name, is no part of the model.
func TestRareWordsAreNotKept(t *testing.T) {
	tr := NewTrainer(glossary.Default())
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 300 {
		s := "membrane"
		for range 12 {
			s += fmt.Sprintf(" word%c%c", 'a'+rng.IntN(26), 'a'+rng.IntN(4))
		}
		if i < 2 {
			s += " Quattrocchi"
		}
		tr.Add([]string{s, s}) // twice in one listing is once
	}
	e, err := tr.Train(t.Context(), Options{Dim: 16})
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(e.Tokens, func(s string) bool { return strings.HasPrefix(s, "quattro") }); i >= 0 {
		t.Errorf("the model keeps %q", e.Tokens[i])
	}
}

// TestDirections: what the randomized iteration finds is what a dense decomposition finds.
func TestDirections(t *testing.T) {
	const rows, m, wide = 80, 30, 8
	rng := rand.New(rand.NewPCG(3, 3))
	dense := mat.NewDense(rows, m, nil)
	tr := &Trainer{}
	for i := range rows {
		var row []cell
		for j := range m {
			if rng.IntN(4) == 0 {
				v := rng.Float64() * math.Pow(0.7, float64(j%wide)) // a spectrum that falls
				dense.Set(i, j, v)
				row = append(row, cell{int32(j), float32(v)})
			}
		}
		tr.rows = append(tr.rows, row)
	}
	y := mat.NewDense(m, wide, nil)
	for i := range m {
		for j := range wide {
			y.Set(i, j, rng.NormFloat64())
		}
	}
	var err error
	for range 200 {
		if y, err = orthonormal(tr.gram(y)); err != nil {
			t.Fatal(err)
		}
	}
	var right mat.Dense
	right.Mul(y.T(), y)
	for i := range wide {
		for j := range wide {
			want := 0.0
			if i == j {
				want = 1
			}
			if math.Abs(right.At(i, j)-want) > 1e-9 {
				t.Fatalf("columns %d and %d: %v", i, j, right.At(i, j))
			}
		}
	}
	var svd mat.SVD
	if !svd.Factorize(dense, mat.SVDThin) {
		t.Fatal("the dense decomposition fails")
	}
	values := svd.Values(nil)
	var captured mat.Dense
	captured.Mul(dense, y)
	got, want := 0.0, 0.0
	for i := range wide {
		want += values[i] * values[i]
	}
	for _, v := range captured.RawMatrix().Data {
		got += v * v
	}
	if math.Abs(got-want) > 1e-3*want {
		t.Errorf("the space found holds %v, the best one %v", got, want)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("\x1f\x8b"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		if e, err := Load(body, glossary.Default()); err == nil {
			if _, err := e.Embed(t.Context(), []string{"water"}); err != nil {
				t.Error(err)
			}
		}
	})
}
