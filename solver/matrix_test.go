package solver

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
)

// NICs that every control treats alike are one class; a matrix by NIC still tells apart what a rule of the target does.
func TestMatrixTellsNICsApart(t *testing.T) {
	resources := modeltest.Scale(2)
	second := netip.MustParseAddr("10.0.0.11") // nic-000-0-1, alike nic-000-0-0
	var own model.ID
	for _, r := range resources {
		if c, ok := r.(*model.NIC); ok {
			c.NSG = own // an NSG of their own, so that they are no part of their subnet's class
		}
		n, ok := r.(*model.NSG)
		if ok && n.Name() == "nsg-000-0" {
			own = n.ID
		}
		if !ok || n.Name() != "nsg-000-1" {
			continue
		}
		n.Rules = slices.Insert(n.Rules, 0, model.SecurityRule{
			Name: "OnlySecond", Source: model.Source{File: "t.json", Line: 1}, Priority: 100, Direction: model.Inbound, Access: model.Allow, Protocol: model.TCP,
			SourceAddrs: model.AddressMatch{Prefixes: []netip.Prefix{netip.PrefixFrom(second, 32)}}, DestAddrs: model.AddressMatch{Any: true},
			SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{{First: 4711, Last: 4711}},
		}, model.SecurityRule{
			Name: "NobodyElse", Source: model.Source{File: "t.json", Line: 2}, Priority: 101, Direction: model.Inbound, Access: model.Deny, Protocol: model.TCP,
			SourceAddrs: model.AddressMatch{Any: true}, DestAddrs: model.AddressMatch{Any: true},
			SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{{First: 4711, Last: 4711}},
		})
		for i := range n.Rules[2:] {
			n.Rules[2+i].Priority += 2
		}
	}
	e, err := model.NewEstate(resources, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Solve(&model.Project{Estate: e}, Options{EachNIC: true})
	if err != nil {
		t.Fatal(err)
	}
	svc, err := model.ParsePortService("tcp/4711")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.Matrix(ByNIC, []model.PortService{svc}, false)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		if r.Dst == "nic:nic-000-1-0" && r.Src != "internet" && r.Src[:9] == "nic:nic-0" {
			got = append(got, r.Src)
		}
	}
	slices.Sort(got)
	// Neighbours of the target pass the same NSG.
	if want := []string{"nic:nic-000-0-1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A matrix says the same of each pair as the question about that pair alone.
func TestMatrixIsReachOfEachPair(t *testing.T) {
	s, err := Solve(scaled(t, 20), Options{})
	if err != nil {
		t.Fatal(err)
	}
	sides, err := s.sides(BySubnet)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.Matrix(BySubnet, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	at := map[[2]string]bool{}
	for _, r := range rows {
		at[[2]string{r.Src, r.Dst}] = true
	}
	for _, from := range sides {
		for _, to := range sides {
			if got, want := at[[2]string{from.name, to.name}], len(s.rows(s.newQuery(from.end, to.end))) > 0; got != want {
				t.Errorf("%s to %s: in the matrix %v, asked alone %v", from.name, to.name, got, want)
			}
		}
	}
}

// What lies behind a gateway beside the prefixes that a question names is one end of a matrix, whatever its prefixes are.
func TestMatrixBehindGateways(t *testing.T) {
	far := 0
	for seed := range uint64(12) {
		d := modeltest.Random(rand.New(rand.NewPCG(seed, 7)), modeltest.WithGateways)
		e, err := d.Estate()
		if err != nil {
			t.Fatal(err)
		}
		s, err := Solve(&model.Project{Estate: e}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		sides, err := s.sides(ByEndpoint)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i, o := range s.graph.Origins {
			if o.Site.Place.Kind != model.PlaceFarSide {
				continue
			}
			far++
			if !slices.ContainsFunc(sides, func(x side) bool { return x.name == s.originRef(o) && slices.Contains(x.end.senders, i) }) {
				t.Errorf("seed %d: no end sends what %s sends", seed, s.originRef(o))
			}
		}
	}
	if far == 0 {
		t.Error("nothing lies behind a gateway")
	}
}
