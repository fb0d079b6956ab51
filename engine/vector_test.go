package engine

import "testing"

func TestCheckVector(t *testing.T) {
	nan, inf := float32(0), float32(0)
	nan /= nan
	inf = 1 / inf
	for name, v := range map[string][]float32{"zero": {0, 0}, "not unit": {1, 1}, "NaN": {nan, 1}, "Inf": {inf, 0}, "short": {1}, "tiny": {1e-30, 1e-30}} {
		if CheckVector(v, 2) == nil {
			t.Errorf("%s passes", name)
		}
	}
	if err := CheckVector([]float32{0.6, 0.8}, 2); err != nil {
		t.Error(err)
	}
}
