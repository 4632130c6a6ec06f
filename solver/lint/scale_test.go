package lint

import (
	"fmt"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
)

// BenchmarkCheck looks for findings in a hub-and-spoke estate; rules are held against each other in every reading of their tags.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{100, 300, 1000} {
		b.Run(fmt.Sprintf("subnets=%d", n), func(b *testing.B) {
			e, err := model.NewEstate(modeltest.Scale(n), nil)
			if err != nil {
				b.Fatal(err)
			}
			rules := 0
			for _, g := range e.NSGs {
				rules += len(g.Rules)
			}
			b.ReportAllocs()
			for b.Loop() {
				b.ReportMetric(float64(len(Check(&model.Project{Estate: e}))), "findings")
			}
			b.ReportMetric(float64(rules), "rules")
		})
	}
}
