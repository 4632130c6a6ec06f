package workload_test

import (
	"testing"

	"github.com/ringfence/ringfence/bench/workload"
	"github.com/ringfence/ringfence/solver/packet"
)

// The engine gives the verdict and the deciding rule of the interpreter.
func TestRules(t *testing.T) {
	for name, l := range map[string]*workload.List{"W1": workload.Rules(1000, 1), "W2": workload.TaggedRules(300, 1), "entangled": workload.EntangledRules(60, 1)} {
		e := workload.NewEngine(packet.Limits{}, l)[0]
		byRule, permitted := e.Seq(e.ByRule()...), e.Permitted()
		for _, p := range l.BoundaryPackets(20_000, 1) {
			want := l.Verdict(p)
			if got := int(e.At(byRule, e.Of(p))); got != want {
				t.Fatalf("%s: %+v is decided by rule %d, want %d", name, p, got, want)
			}
			if got, want := e.Contains(permitted, e.Of(p)), want > 0 && l.Rules[want-1].Allow; got != want {
				t.Fatalf("%s: %+v is permitted: %v, want %v", name, p, got, want)
			}
		}
	}
}
