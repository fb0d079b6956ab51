package eval_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/ketnoi/ketnoi/eval"
)

// Two runs of two topics, measured and compared: on two topics nothing can be told from luck.
func Example() {
	qrels, err := eval.ReadQrels(strings.NewReader("q1 0 pump 2\nq1 0 laser 0\nq2 0 laser 1\n"))
	if err != nil {
		panic(err)
	}
	measures, err := eval.ParseMeasures([]string{"RR", "P(rel=2)@1"})
	if err != nil {
		panic(err)
	}
	var results []*eval.Result
	for _, text := range []string{
		"q1 Q0 laser 1 2 before\nq1 Q0 pump 2 1 before\nq2 Q0 laser 1 1 before\n",
		"q1 Q0 pump 1 2 after\nq1 Q0 laser 2 1 after\nq2 Q0 laser 1 1 after\n",
	} {
		run, tag, err := eval.ReadRun(strings.NewReader(text))
		if err != nil {
			panic(err)
		}
		res, err := eval.Score(tag, run, qrels, measures)
		if err != nil {
			panic(err)
		}
		fmt.Println(res.Name, res.Measures["RR"], res.Measures["P(rel=2)@1"])
		results = append(results, res)
	}
	found, err := eval.Compare(results, []string{"RR"}, eval.Chance{Rounds: 1000, Seed: 1})
	if err != nil {
		panic(err)
	}
	change := found[0].Changes[0]
	fmt.Println(change.Difference, change.P, change.Verdict)
	_ = eval.WriteQrels(os.Stdout, qrels)
	// Output:
	// before 0.75 0
	// after 1 0.5
	// 0.25 1 within noise
	// q1 0 laser 0
	// q1 0 pump 2
	// q2 0 laser 1
}

func ExampleParseMeasure() {
	m, err := eval.ParseMeasure("RBP(p=0.5)")
	if err != nil {
		panic(err)
	}
	ranking := []eval.Ranked{{Doc: "a", Score: 3}, {Doc: "b", Score: 2}, {Doc: "c", Score: 1}}
	fmt.Println(m.Of(eval.Judge(ranking, map[string]int{"a": 1, "c": 1})))
	_, err = eval.ParseMeasure("MAP")
	fmt.Println(err)
	// Output:
	// 0.625
	// measure "MAP": it is called AP here
}

func ExampleHolm() {
	fmt.Println(eval.Holm([]float64{0.01, 0.04}))
	// Output: [0.02 0.04]
}
