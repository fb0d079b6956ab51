package embeddings

import "testing"

func TestRefusedError(t *testing.T) {
	for _, tc := range []struct {
		reasons map[int]string
		want    string
	}{
		{nil, "texts are refused"},
		{map[int]string{4: "too long"}, "text 4 is refused: too long"},
		{map[int]string{4: "too long", 3: "empty", 9: "bad"}, "3 texts are refused, the first of them text 3: empty"},
	} {
		if got := (&RefusedError{Reasons: tc.reasons}).Error(); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}
