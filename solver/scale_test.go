package solver

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

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
			b.ReportMetric(float64(pairByPair(b, p, n*n))/(float64(b.Elapsed())/float64(b.N)), "times-pair-by-pair")
		})
	}
}

// pairByPair is the time that all pairs would take if each were asked alone, in one solution: the peer of the matrix, extrapolated from
// some pairs.
func pairByPair(b *testing.B, p *model.Project, pairs int) time.Duration {
	b.Helper()
	const sample = 2000
	s, err := Solve(p, Options{})
	if err != nil {
		b.Fatal(err)
	}
	sides, err := s.sides(BySubnet)
	if err != nil {
		b.Fatal(err)
	}
	s.rows(s.newQuery(sides[0].end, sides[1].end)) // the floods are not counted
	rnd := rand.New(rand.NewPCG(3, 4))
	start := time.Now()
	for range sample {
		q := s.newQuery(sides[rnd.IntN(len(sides))].end, sides[rnd.IntN(len(sides))].end)
		s.flows(q, s.rows(q))
	}
	return time.Since(start) * time.Duration(pairs/sample)
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
			ask := func(alone bool) {
				s, err := Solve(p, Options{Questions: append(from, to...), Alone: alone})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.Reach(from, to, nil, false); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				ask(true)
			}
			start := time.Now() // the peer: the same question with everything planned
			ask(false)
			b.ReportMetric(float64(time.Since(start))/(float64(b.Elapsed())/float64(b.N)), "times-whole-plan")
		})
	}
}

// A question that is asked alone, for which only what can matter is planned, has the verdict that it has among all others.
func TestAloneChangesNoVerdict(t *testing.T) {
	for _, name := range []string{"aks-pci", "aks-pci-broken"} {
		p := project(t, "../examples/"+name)
		refs := model.NewRefs(p.Estate)
		texts := []string{"internet", "ip:10.240.0.9", "cidr:10.0.0.0/8", "pod:payments/api"}
		for _, x := range p.Estate.Subnets {
			texts = append(texts, refs.Of(model.SelSubnet, x))
		}
		for _, x := range p.Estate.NICs {
			if x.PrivateEndpoint == "" {
				texts = append(texts, refs.Of(model.SelNIC, x))
			}
		}
		for _, x := range p.Estate.Services {
			texts = append(texts, refs.Of(model.SelService, x))
		}
		var all []model.Selector
		for _, text := range texts {
			sel, err := model.ParseSelector(text)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, sel)
		}
		whole, err := Solve(p, Options{Questions: all})
		if err != nil {
			t.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(1, 2))
		asked := map[Verdict]int{}
		for range 40 {
			from, to := all[rnd.IntN(len(all))], all[rnd.IntN(len(all))]
			want, err := whole.Reach([]model.Selector{from}, []model.Selector{to}, nil, false)
			if err != nil {
				continue // the selector sends or receives nothing
			}
			alone, err := Solve(p, Options{Questions: []model.Selector{from, to}, Alone: true})
			if err != nil {
				t.Fatal(err)
			}
			got, err := alone.Reach([]model.Selector{from}, []model.Selector{to}, nil, false)
			if err != nil {
				t.Errorf("%s: %s to %s: %v", name, from.Text, to.Text, err)
				continue
			}
			asked[want.Verdict]++
			if got.Verdict != want.Verdict || (got.Witness == nil) != (want.Witness == nil) {
				t.Errorf("%s: %s to %s: alone %s, among others %s", name, from.Text, to.Text, got.Verdict, want.Verdict)
			}
		}
		if asked[Reachable] == 0 || asked[Unreachable] == 0 {
			t.Errorf("%s: asked %v", name, asked)
		}
	}
}
