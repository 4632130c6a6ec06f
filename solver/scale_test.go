package solver

import (
	"fmt"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
)

// scaled is the hub-and-spoke estate of modeltest as a project without intent.
func scaled(tb testing.TB, subnets int) *model.Project {
	tb.Helper()
	e, err := model.NewEstate(modeltest.Scale(subnets), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return &model.Project{Estate: e}
}

// BenchmarkMatrix answers every pair of subnets of a hub-and-spoke estate, from the model to the rows that the command prints: 20 rules
// and 5 NICs for each subnet, a route table for every second one.
func BenchmarkMatrix(b *testing.B) {
	for _, n := range []int{100, 300, 1000} {
		b.Run(fmt.Sprintf("subnets=%d", n), func(b *testing.B) {
			p := scaled(b, n)
			b.ReportAllocs()
			rows := 0
			for b.Loop() {
				s, err := Solve(p, Options{})
				if err != nil {
					b.Fatal(err)
				}
				out, err := s.Matrix(BySubnet, nil, false)
				if err != nil {
					b.Fatal(err)
				}
				rows = len(out)
			}
			b.ReportMetric(float64(n*n)*float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
			b.ReportMetric(float64(rows), "rows")
		})
	}
}

// BenchmarkPoint answers one question on the same estates, after the import: from one subnet of a spoke to another spoke's.
func BenchmarkPoint(b *testing.B) {
	for _, n := range []int{100, 300, 1000} {
		b.Run(fmt.Sprintf("subnets=%d", n), func(b *testing.B) {
			p := scaled(b, n)
			sel := func(text string) []model.Selector {
				x, err := model.ParseSelector(text)
				if err != nil {
					b.Fatal(err)
				}
				return []model.Selector{x}
			}
			from, to := sel("subnet:spoke000/snet3"), sel("subnet:spoke009/snet4")
			b.ReportAllocs()
			for b.Loop() {
				s, err := Solve(p, Options{Questions: append(from, to...)})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.Reach(from, to, nil, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
