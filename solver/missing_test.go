package solver

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// AZ-GEN-08, AZ-TAG-02: a route table that the input lacks may hold 0.0.0.0/0 to an appliance, so that VirtualNetwork grows to
// everything and the default rules admit the internet.
func TestMissingRouteTableMayGrowVirtualNetwork(t *testing.T) {
	id := func(kind, name string) model.ID {
		return model.ID("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/" + kind + "/" + name)
	}
	meta := func(id model.ID) model.Meta {
		return model.Meta{ID: id, Source: model.Source{File: "net.json", Line: 1}, Location: "westeurope"}
	}
	vnet := id("virtualNetworks", "v")
	subnet, nsg, pip := vnet+"/subnets/s", id("networkSecurityGroups", "n"), id("publicIPAddresses", "p")
	group := &model.NSG{Meta: meta(nsg), Rules: model.DefaultRules()}
	for i := range group.Rules {
		group.Rules[i].Source = model.Source{Platform: "default rule", Resource: nsg}
	}
	for _, test := range []struct {
		table model.ID
		want  Verdict
	}{{"", Unreachable}, {id("routeTables", "gone"), Unknown}} {
		e, err := model.NewEstate([]model.Resource{
			&model.VNet{Meta: meta(vnet), Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}},
			&model.Subnet{Meta: meta(subnet), VNet: vnet, Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}, NSG: nsg, RouteTable: test.table},
			group,
			&model.PublicIP{Meta: meta(pip), Address: netip.MustParseAddr("20.0.0.4"), SKU: model.Standard},
			&model.NIC{Meta: meta(id("networkInterfaces", "vm")), IPConfigs: []model.IPConfig{{
				Name: "c", Source: model.Source{File: "net.json", Line: 1}, Subnet: subnet, Address: netip.MustParseAddr("10.0.0.4"), Primary: true, PublicIP: pip,
			}}},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		from, to := []model.Selector{{Kind: model.SelInternet, Text: "internet"}}, []model.Selector{{Kind: model.SelNIC, Parts: []string{"vm"}, Text: "nic:vm"}}
		public := model.Selector{Kind: model.SelIP, Prefix: netip.MustParsePrefix("20.0.0.4/32"), Text: "ip:20.0.0.4"}
		s, err := Solve(&model.Project{Estate: e}, Options{Questions: []model.Selector{from[0], to[0], public}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Reach(from, to, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		if got.Verdict != test.want {
			t.Errorf("table %q: got %s, want %s", test.table, got.Verdict, test.want)
		}
		named := slices.ContainsFunc(got.Assumptions, func(a Assumption) bool { return strings.HasPrefix(a.ID, "MISSING(route table") })
		if named != (test.want == Unknown) {
			t.Errorf("table %q: the missing table is named: %v", test.table, named)
		}
		svc, err := model.ParsePortService("tcp/22")
		if err != nil {
			t.Fatal(err)
		}
		traced, err := s.Trace(from, []model.Selector{public}, svc, "", false)
		if err != nil {
			t.Fatal(err)
		}
		if traced.Verdict != test.want {
			t.Errorf("table %q: the interpreter says %s, want %s", test.table, traced.Verdict, test.want)
		}
	}
}
