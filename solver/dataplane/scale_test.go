package dataplane

import (
	"fmt"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
)

// BenchmarkFlood builds the graph of a hub-and-spoke estate and floods it from every sender at once, in both bounds.
func BenchmarkFlood(b *testing.B) {
	for _, n := range []int{100, 300, 1000} {
		b.Run(fmt.Sprintf("subnets=%d", n), func(b *testing.B) {
			e, err := model.NewEstate(modeltest.Scale(n), nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				g, err := Build(e, Options{})
				if err != nil {
					b.Fatal(err)
				}
				g.Flood(Over)
				g.Flood(OneWay)
				if err := g.Space.Err(); err != nil {
					b.Fatal(err)
				}
				nodes, edges, bytes := g.Space.Size()
				b.ReportMetric(float64(nodes), "diagram-nodes")
				b.ReportMetric(float64(edges), "diagram-edges")
				b.ReportMetric(float64(bytes)/1e6, "diagram-MB")
				b.ReportMetric(float64(len(g.Origins)), "senders")
			}
		})
	}
}
