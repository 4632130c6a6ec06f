package lint

import (
	"fmt"
	"math/rand/v2"
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

// BenchmarkLongList holds the 1,000 rules of one NSG against each other, the most that Azure takes, where the tag may have grown.
func BenchmarkLongList(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	side := func() string {
		return pick(r, fmt.Sprintf("10.%d.0.0/16", r.IntN(40)), fmt.Sprintf("10.%d.%d.0/24", r.IntN(40), r.IntN(256)), fmt.Sprintf("10.%d.%d.%d", r.IntN(40), r.IntN(256), r.IntN(256)),
			fmt.Sprintf("%d.%d.0.0/16", 20+r.IntN(100), r.IntN(256)), "VirtualNetwork", "Internet", "*")
	}
	var rules []string
	for i := range 1000 {
		rules = append(rules, fmt.Sprintf("r%d %d In %s %s %s %s %s", i, 100+i, pick(r, "Allow", "Allow", "Deny"), pick(r, "tcp", "tcp", "udp", "*"), side(), side(), pick(r, "22", "443", "80-90", "1433", "8000-9000", "*")))
	}
	x := &builder{t: b}
	hub, net := x.vnet("hub", "10.1.0.0/16"), x.vnet("net", "10.0.0.0/16")
	mine, _ := x.peer(net, hub)
	mine.AllowVNetAccess = model.Off
	x.subnet("net/web", "10.0.0.0/24", "nsg=web", "rt=out")
	x.routes("out", "default 0.0.0.0/0 10.1.0.4", "some 172.16.0.0/12 10.1.0.4")
	x.nsg("web", rules...)
	p := x.project()
	b.ReportAllocs()
	for b.Loop() {
		b.ReportMetric(float64(len(Check(p))), "findings")
	}
}
