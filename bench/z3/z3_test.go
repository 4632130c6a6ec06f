package z3

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/ringfence/ringfence/bench/workload"
	"github.com/ringfence/ringfence/solver/packet"
)

// need skips where there is no z3, except in CI.
func need(tb testing.TB) {
	tb.Helper()
	if _, err := exec.LookPath("z3"); err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatal("z3 is not installed")
		}
		tb.Skip("z3 is not installed (apt-get install z3)")
	}
}

// flipped is the list with the action of one rule turned around.
func flipped(l *workload.List, i int) *workload.List {
	out := &workload.List{Rules: slices.Clone(l.Rules), Tags: l.Tags}
	out.Rules[i].Allow = !out.Rules[i].Allow
	return out
}

// engine answers the same question, from nothing.
func engine(a, b *workload.List) (*workload.Engine, packet.Set) {
	e := workload.NewEngine(packet.Limits{}, a, b)
	return e[0], e[0].Subtract(e[0].Permitted(), e[1].Permitted())
}

// verify checks z3's answer against the engine's.
func verify(tb testing.TB, a, b *workload.List, sat bool, p workload.Packet) {
	tb.Helper()
	e, difference := engine(a, b)
	if sat == difference.Empty() {
		tb.Fatalf("z3 finds a packet: %v, the engine: %v", sat, !difference.Empty())
	}
	if sat && !e.Contains(difference, e.Of(p)) {
		tb.Fatalf("the engine does not have z3's packet %+v", p)
	}
}

func compare(tb testing.TB, a, b *workload.List) bool {
	tb.Helper()
	var answer [2]bool
	for _, form := range []Form{Defined, Named} {
		sat, p, err := Ask(Question(a, b, form))
		if err != nil {
			tb.Fatal(err)
		}
		verify(tb, a, b, sat, p)
		answer[form] = sat
	}
	return answer[Defined]
}

// Engine and z3 agree on lists that are equal and on lists that differ.
func TestZ3(t *testing.T) {
	need(t)
	l := workload.Rules(60, 1)
	if compare(t, l, l.Shuffled(1)) {
		t.Error("a shuffled list differs")
	}
	found := false
	for i := range 10 {
		found = compare(t, l, flipped(l, i*5)) || compare(t, flipped(l, i*5), l) || found
	}
	if !found {
		t.Error("no flipped rule shows")
	}
}

// T3: "A allows, B does not" for lists of 1,000 rules: equal ones, and ones that differ in one rule. z3's time is that of its process.
func BenchmarkT3Difference(b *testing.B) {
	need(b)
	run(b, "T3", workload.Rules(1000, 1), 2)
}

// T4 has z3 as its second peer: the same question for lists with service tags.
func BenchmarkT4Tags(b *testing.B) {
	need(b)
	run(b, "T4", workload.TaggedRules(1000, 1), 1)
}

func run(b *testing.B, name string, l *workload.List, runs int) {
	same, other := l.Shuffled(1), l
	for i := range l.Rules {
		if l.Rules[i].Allow {
			other = flipped(l, i)
			break
		}
	}
	for _, question := range []struct {
		name string
		b    *workload.List
		sat  bool
	}{{"equal", same, false}, {"differ", other, true}} {
		b.Run(question.name, func(b *testing.B) {
			var own time.Duration
			var process [2]time.Duration
			for b.Loop() {
				own = workload.Best(5, func() { engine(l, question.b) })
				for _, form := range []Form{Defined, Named} {
					text := Question(l, question.b, form)
					var p workload.Packet
					process[form] = workload.Best(runs, func() {
						var sat bool
						var err error
						sat, p, err = Ask(text)
						if err != nil || sat != question.sat {
							b.Fatalf("z3 finds a packet: %v, %v", sat, err)
						}
					})
					verify(b, l, question.b, question.sat, p)
				}
			}
			workload.Ratio(b, name, own, process[Defined], 100)
			workload.Ratio(b, name+"-named", own, process[Named], 0)
		})
	}
}
