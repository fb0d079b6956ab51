package main

import (
	"strings"
	"testing"

	"github.com/ketnoi/ketnoi/engine"
)

// TestTrain: a model trained on the demo corpus ranks better than the built-in one, is used by what comes after, is the same
// the second time, and can be left and forgotten.
func TestTrain(t *testing.T) {
	slowRaced(t)
	l := newLab(t)
	run := func(want int, args ...string) string {
		t.Helper()
		out, errs, code := ketnoi(t, l.dir, append([]string{"--store", inDemo}, args...)...)
		if code != want {
			t.Fatalf("%v: exit %d\n%s%s", args, code, out, errs)
		}
		return out + errs
	}
	run(exitOK, "reindex", "--model", "lexicon") // a new store has learned a model already
	out := run(exitOK, append([]string{"train"}, demoCollection...)...)
	name, _, _ := strings.Cut(out, ":")
	if !strings.Contains(out, "better") || !strings.Contains(out, name+" is active now") {
		t.Error(out)
	}
	if out := run(exitOK, "train"); !strings.Contains(out, name+" is the active model already") {
		t.Errorf("trained again: %s", out)
	}
	if out := run(exitOK, "recommend", "--text", "Nước thải dệt nhuộm còn màu", "--want", "technology", "--json"); !strings.Contains(out, `"model": "`+name+`"`) || strings.Contains(out, `"degraded": true`) {
		t.Error(out)
	}
	// What comes in afterwards is embedded by it.
	l.write("new.jsonl", `{"id":"NEW1","kind":"technology","title":"Máy lọc nước thải","text":"Màng lọc khử màu nước thải dệt nhuộm bằng ozone, chi phí thấp."}`+"\n")
	run(exitOK, "ingest", "new.jsonl")
	if out := run(exitOK, "doctor"); strings.Contains(out, "lack") {
		t.Error(out)
	}
	if out := run(exitOK, "recommend", "--text", "khử màu nước thải dệt nhuộm bằng ozone", "--want", "technology", "--json"); !strings.Contains(out, `"NEW1"`) || !strings.Contains(out, `"signal": "`+engine.SignalMeaning.String()+`"`) {
		t.Error(out)
	}
	run(exitOK, "reindex", "--back")
	if out := run(exitOK, "recommend", "--text", "ozone", "--want", "technology", "--json"); !strings.Contains(out, `"model": "lexicon-`) {
		t.Error(out)
	}
	if out := run(exitOK, "reindex", "--forget", name); !strings.Contains(out, "are removed") {
		t.Error(out)
	}
	run(exitFailed, "reindex", "--model", name)
	if out := run(exitFailed, "train", "--dim", "7"); !strings.Contains(out, "--dim 7") {
		t.Error(out)
	}
	l.write("few.jsonl", `{"id":"A","kind":"technology","title":"Máy lọc","text":"Màng lọc khử màu nước thải."}`+"\n")
	if _, errs, code := ketnoi(t, l.dir, "--store", "sqlite:few.db", "ingest", "few.jsonl"); code != exitOK {
		t.Fatal(errs)
	}
	if _, errs, code := ketnoi(t, l.dir, "--store", "sqlite:few.db", "train"); code != exitFailed || !strings.Contains(errs, "too few texts to learn from") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// TestFit: weights learned from judgements are better on topics they did not learn from; the store answers by them, and
// returns to the default ones.
func TestFit(t *testing.T) {
	slowRaced(t)
	l := newLab(t)
	// The default weights were fitted with a trained model: with the built-in one there is something to gain.
	if _, errs, code := ketnoi(t, l.dir, "--store", inDemo, "reindex", "--model", "lexicon"); code != exitOK {
		t.Fatal(errs)
	}
	fit := append([]string{"fit", "--measures", "nDCG@10", "--rounds", "5000"}, demoCollection...)
	out, _ := l.run(exitOK, fit...)
	if !strings.Contains(out, "fitted, cross-validated") || !strings.Contains(out, "  better\n") || strings.Contains(out, "answers by") {
		t.Error(out)
	}
	out, _ = l.run(exitOK, append(fit, "--use")...)
	_, name, _ := strings.Cut(out, "answers by ")
	name, _, _ = strings.Cut(name, " ")
	if !strings.HasPrefix(name, "fitted-") {
		t.Fatal(out)
	}
	if table, _ := l.run(exitOK, append([]string{"--measures", "nDCG@10"}, demoCollection...)...); !strings.Contains(table, name) {
		t.Errorf("eval measures another ranker than %s:\n%s", name, table)
	}
	ask := []string{"--store", inDemo, "recommend", "--for", "P501", "--json"}
	if out, errs, code := ketnoi(t, l.dir, ask...); code != exitOK || !strings.Contains(out, `"ranker": "`+name+`"`) {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	// Fitted again, nothing is gained beyond chance.
	if _, errs := l.run(exitRejected, append(fit, "--use")...); !strings.Contains(errs, "not used") {
		t.Error(errs)
	}
	l.run(exitOK, "fit", "--reset")
	if out, _, _ := ketnoi(t, l.dir, ask...); !strings.Contains(out, `"ranker": "`+engine.DefaultRanker().Name+`"`) {
		t.Error(out)
	}
	l.run(exitFailed, append(fit, "--folds", "1")...)
	l.run(exitFailed, "fit")
}
