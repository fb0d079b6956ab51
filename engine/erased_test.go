package engine

import (
	"strings"
	"testing"
)

func TestAlias(t *testing.T) {
	a := NewAlias("orcid:0000-0002-1825-0097")
	if strings.Contains(a, "0097") || a == NewAlias("orcid:0000-0002-1825-0097") {
		t.Errorf("%s gives the id away", a)
	}
	is := Unalias(a)
	if is == nil || !is("orcid:0000-0002-1825-0097") || is("orcid:0000-0002-1825-009X") {
		t.Errorf("%s is not recognised", a)
	}
	for _, id := range []string{"E1", "erased:", "erased:abc", "erased:" + strings.Repeat("x", 48), ""} {
		if Unalias(id) != nil {
			t.Errorf("%q is taken for an alias", id)
		}
	}
	if v := (&validator{}); v.id("id", a) != a {
		t.Error("an alias must be able to stand where ids stand")
	}
}
