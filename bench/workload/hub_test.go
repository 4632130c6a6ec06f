package workload_test

import (
	"testing"
	"time"

	"github.com/ringfence/ringfence/bench/workload"
	"github.com/ringfence/ringfence/solver/packet"
)

// One walk for all sources finds what a walk for each pair finds, and any number of workers lists the same bytes.
func TestHub(t *testing.T) {
	h := workload.NewHub(4, 1)
	e := workload.NewHubEngine(h)
	s := packet.NewSpace(e.Universe(), packet.Limits{})
	g := e.Compile(s, 1)
	local, routed := e.Sent(s, g)
	e.Arrives(s, g, local, routed, 1, func(s *packet.Space, to int, from packet.Set) {
		for i := range h.Subnets {
			if s.OriginSlice(from, uint32(i)) != e.PairPackets(s, g, i, to) {
				t.Fatalf("subnet %d to %d: the walks differ", i, to)
			}
		}
	})
	one, _ := e.All(1, true)
	for _, workers := range []int{2, 8} {
		if many, _ := e.All(workers, true); !workload.SameBytes(one, many) {
			t.Errorf("%d workers list other boxes than one", workers)
		}
	}
}

// T9: two goroutines against one, 1,000 subnets, a million pairs.
func BenchmarkT9Goroutines(b *testing.B) {
	e := workload.NewHubEngine(workload.NewHub(100, 1))
	var one, two time.Duration
	for b.Loop() {
		one = workload.Best(3, func() { e.All(1, false) })
		two = workload.Best(3, func() { e.All(2, false) })
	}
	workload.Ratio(b, "T9", two, one, 1.5)
	x, _ := e.All(1, true)
	y, _ := e.All(2, true)
	if !workload.SameBytes(x, y) {
		b.Error("two goroutines list other boxes than one")
	}
	b.ReportMetric(float64(workload.Pairs(x)), "pairs")
}

// T10: boxes for each pair of 200 subnets that has any. That there are never more than the diagram groups is tested in the package.
func BenchmarkT10Boxes(b *testing.B) {
	e := workload.NewHubEngine(workload.NewHub(20, 1))
	var r []workload.Reached
	for b.Loop() {
		r, _ = e.All(1, true)
	}
	boxes := uint64(0)
	for _, x := range r {
		boxes += x.Boxes
	}
	workload.AtMost(b, "T10-boxes-per-pair", float64(boxes)/float64(workload.Pairs(r)), 1.5)
}
