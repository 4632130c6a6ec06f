package solver

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
)

// BenchmarkFirewallPolicy compiles a firewall policy of three inherited levels and asks a point question of what was compiled: for 10,000
// rules 1,000 IP groups of 100 prefixes and 2,000 name patterns. An operation is the compilation with its floods; cpu-s is its processor time,
// point-ms and point-cpu-ms are those of one question after that, heap-MB is what the solution holds.
func BenchmarkFirewallPolicy(b *testing.B) {
	for _, n := range []int{1000, 3000, 10000} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			e, err := model.NewEstate(modeltest.FirewallScale(n), nil)
			if err != nil {
				b.Fatal(err)
			}
			p := &model.Project{Estate: e}
			sel := func(text string) []model.Selector {
				x, bad := model.ParseSelector(text)
				if bad != nil {
					b.Fatal(bad)
				}
				return []model.Selector{x}
			}
			from, to := sel("subnet:spoke000/snet1"), sel("subnet:spoke001/snet2")
			service, err := model.ParsePortService("tcp/443")
			if err != nil {
				b.Fatal(err)
			}
			before := heap()
			b.ReportAllocs()
			var s *Solution
			used := cpuTime()
			for b.Loop() {
				if s, err = Solve(p, Options{}); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Reach(from, to, nil, false); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuTime()-used).Seconds()/float64(b.N), "cpu-s")
			b.ReportMetric(float64(heap()-before)/1e6, "heap-MB")
			start := time.Now()
			used = cpuTime()
			const asked = 20
			for i := range asked {
				from, to := sel(fmt.Sprintf("subnet:spoke000/snet%d", i%4)), sel(fmt.Sprintf("subnet:spoke001/snet%d", i/4%4))
				if _, err := s.Reach(from, to, []model.PortService{service}, false); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(time.Since(start).Microseconds())/1000/asked, "point-ms")
			b.ReportMetric(float64((cpuTime()-used).Microseconds())/1000/asked, "point-cpu-ms")
			nodes, edges, bytes := s.graph.Space.Size()
			b.ReportMetric(float64(nodes), "diagram-nodes")
			b.ReportMetric(float64(edges), "diagram-edges")
			b.ReportMetric(float64(bytes)/1e6, "diagram-MB")
			b.ReportMetric(float64(s.graph.Universe.Classes()), "classes")
		})
	}
}

// heap is what the program holds.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
