package rudd

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/dalzilio/rudd"

	"github.com/ringfence/ringfence/bench/workload"
	"github.com/ringfence/ringfence/solver/packet"
)

// Both give the verdict of the interpreter: nobody is timed on a wrong answer.
func TestRudd(t *testing.T) {
	l := workload.Rules(300, 1)
	b := New()
	fold, tree := b.Fold(l), b.Tree(l)
	if !b.Equal(fold, tree) {
		t.Error("the ways to compose a list differ")
	}
	for _, p := range l.BoundaryPackets(20_000, 1) {
		v := l.Verdict(p)
		if got, want := b.Contains(fold, p), v > 0 && l.Rules[v-1].Allow; got != want {
			t.Fatalf("%+v is permitted: %v, want %v", p, got, want)
		}
	}
}

// The sets of all pairs of a small hub hold the same packets on both sides.
func TestHub(t *testing.T) {
	h := workload.NewHub(3, 1)
	b := New()
	nodes := b.Hub(h)
	e := workload.NewHubEngine(h)
	s := packet.NewSpace(e.Universe(), packet.Limits{})
	g := e.Compile(s, 1)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range nodes {
		for j := range nodes[i] {
			set := e.PairPackets(s, g, i, j)
			if set.Empty() != b.Equal(nodes[i][j], b.False()) {
				t.Fatalf("subnet %d to %d: empty %v", i, j, set.Empty())
			}
			boxes, _ := s.Boxes(set, 1000)
			for _, box := range boxes { // a corner of each box, and a neighbour
				p, ok := s.Sample(s.Box(box))
				if !ok {
					t.Fatal("empty box")
				}
				for range 2 {
					c := workload.Packet{
						Src: e.Universe().Example(p.Src), Dst: e.Universe().Example(p.Dst),
						Protocol: p.Protocol, SPort: p.SPort, DPort: p.DPort,
					}
					if got, want := b.Contains(nodes[i][j], c), s.Contains(set, p); got != want {
						t.Fatalf("subnet %d to %d: %+v arrives: %v, want %v", i, j, c, got, want)
					}
					p.DPort += uint16(r.IntN(3)) - 1
				}
			}
		}
	}
}

// T1: the permitted set of 1,000 rules from nothing, classes included. T2: the deciding rule of every packet and the shadowed rules, for
// which rudd still gives no more than the permitted set.
func BenchmarkT1T2(b *testing.B) {
	l := workload.Rules(1000, 1)
	var permitted, rules, peer time.Duration
	for b.Loop() {
		permitted = workload.Best(5, func() { workload.NewEngine(packet.Limits{}, l)[0].Permitted() })
		rules = workload.Best(5, func() {
			e := workload.NewEngine(packet.Limits{}, l)[0]
			e.Shadowed(e.Seq(e.ByRule()...))
		})
		peer = min(workload.Best(3, func() { New().Fold(l) }), workload.Best(3, func() { New().Tree(l) }))
	}
	workload.Ratio(b, "T1", permitted, peer, floor(10, 5))
	workload.Ratio(b, "T2", rules, peer, floor(6, 3))
}

// T4: 1,000 rules, half of them with a service tag, classes included.
func BenchmarkT4Tags(b *testing.B) {
	l := workload.TaggedRules(1000, 1)
	var engine, peer time.Duration
	for b.Loop() {
		engine = workload.Best(5, func() { workload.NewEngine(packet.Limits{}, l)[0].Permitted() })
		peer = min(workload.Best(1, func() { New().Fold(l) }), workload.Best(1, func() { New().Tree(l) }))
	}
	workload.Ratio(b, "T4", engine, peer, floor(40, 20))
}

// T5: 200 subnets, eight guards, both translations, all 40,000 pairs; compiling included, one goroutine.
func BenchmarkT5Hub(b *testing.B) {
	h := workload.NewHub(20, 1)
	var engine, peer time.Duration
	var reached []workload.Reached
	var nodes [][]rudd.Node
	var m BDD
	for b.Loop() {
		engine = workload.Best(5, func() { reached, _ = workload.NewHubEngine(h).All(1, false) })
		peer = workload.Best(2, func() {
			m = New()
			nodes = m.Hub(h)
		})
	}
	pairs := 0
	for i := range nodes {
		for j := range nodes[i] {
			if !m.Equal(nodes[i][j], m.False()) {
				pairs++
			}
		}
	}
	if got := workload.Pairs(reached); got != pairs {
		b.Fatalf("%d pairs, rudd finds %d", got, pairs)
	}
	workload.Ratio(b, "T5", engine, peer, floor(15, 8))
	b.ReportMetric(float64(pairs), "pairs")
}
