package workload_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/ringfence/ringfence/bench/workload"
	"github.com/ringfence/ringfence/solver/packet"
)

func solve(c *workload.Cluster) (*packet.Space, *workload.Matrix) {
	s := packet.NewSpace(packet.NewBuilder().Freeze(), packet.Limits{})
	return s, c.Solve(s)
}

// The matrix of classes says of each pair what the plain loop says.
func TestCluster(t *testing.T) {
	c := workload.NewCluster(400, 300, 1)
	s, m := solve(c)
	for from := range c.Workloads {
		for to := range c.Workloads {
			ports, all := c.Allowed(from, to)
			want := packet.Set{}
			if all {
				want = s.All()
			}
			for _, p := range ports {
				want = s.Union(want, s.Box(packet.Box{
					Protocol: packet.One(uint32(p.Protocol)), DPort: []packet.Range{{Lo: uint32(p.Ports.Lo), Hi: uint32(p.Ports.Hi)}},
				}))
			}
			if got := m.At(from, to); got != want {
				t.Fatalf("workload %d to %d: the matrix and the loop differ", from, to)
			}
		}
	}
}

// T6: all pairs of 4,000 workloads under 2,000 policies: time and memory. The ratio is to the plain loop of this module over 40,000
// pairs, extrapolated to all 16 million; it has no target. The loop on netset, which has one, is in the module of that peer.
func BenchmarkT6Kubernetes(b *testing.B) {
	c := workload.NewCluster(4000, 2000, 1)
	r := rand.New(rand.NewPCG(1, 1))
	sample := make([][2]int, 40_000)
	for i := range sample {
		sample[i] = [2]int{r.IntN(c.Workloads), r.IntN(c.Workloads)}
	}
	var engine, loop time.Duration
	var heap uint64
	var m *workload.Matrix
	for b.Loop() {
		engine = workload.Best(3, func() {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, m = solve(c)
			runtime.ReadMemStats(&after)
			heap = after.TotalAlloc - before.TotalAlloc
		})
		allowed := 0
		loop = workload.Best(1, func() {
			for _, p := range sample {
				if ports, all := c.Allowed(p[0], p[1]); all || ports != nil {
					allowed++
				}
			}
		})
		reached := 0
		for _, p := range sample {
			if !m.At(p[0], p[1]).Empty() {
				reached++
			}
		}
		if allowed != reached {
			b.Fatalf("the loop allows %d pairs, the matrix %d", allowed, reached)
		}
	}
	workload.Ratio(b, "T6-plain-loop", engine, loop*time.Duration(c.Workloads*c.Workloads/len(sample)), 0)
	workload.AtMost(b, "T6-s", engine.Seconds(), 1)
	workload.AtMost(b, "T6-allocated-MB", float64(heap)/(1<<20), 128)
	b.ReportMetric(float64(slices.Max(m.Class)+1), "classes")
	b.ReportMetric(float64(m.Pairs()), "pairs")
}
