package modeltest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// Scale generates a hub-and-spoke estate with about the given number of subnets: ten subnets and fifty NICs for each spoke VNet, an NSG
// of 20 rules for each subnet, a route table for every second subnet that sends the default and the other spokes to the hub's firewall,
// and a firewall with 500 network rules. The same size gives the same estate.
func Scale(subnets int) []model.Resource {
	g := &scale{rnd: rand.New(rand.NewPCG(uint64(subnets), 1))}
	hub := g.vnet("hub", netip.MustParsePrefix("10.255.0.0/16"))
	fwSubnet := g.subnet(hub, "AzureFirewallSubnet", netip.MustParsePrefix("10.255.0.0/26"), "", "")
	pip := &model.PublicIP{Meta: g.meta("publicIPAddresses", "pip-fw"), Address: netip.MustParseAddr("20.0.0.4"), SKU: model.Standard}
	fw := &model.Firewall{
		Meta: g.meta("azureFirewalls", "fw"), Tier: "Premium", ThreatIntel: "Alert", Subnet: fwSubnet.ID, Address: netip.MustParseAddr("10.255.0.4"), PublicIPs: []model.ID{pip.ID},
		Collections: []model.RuleCollection{{Name: "net", Source: g.source(), Priority: 100, Kind: model.NetworkRules, Access: model.Allow, Rules: g.firewallRules(500)}},
	}
	pip.AttachedTo = fw.ID
	g.out = append(g.out, pip, fw)
	for v := range (subnets + 9) / 10 {
		space := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(v), 0, 0}), 16)
		spoke := g.vnet(fmt.Sprintf("spoke%03d", v), space)
		g.peer(hub, spoke)
		for s := range min(10, subnets-10*v) {
			prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(v), byte(s), 0}), 24)
			nsg := g.nsg(fmt.Sprintf("nsg-%03d-%d", v, s), prefix)
			table := model.ID("")
			if s%2 == 0 {
				table = g.table(fmt.Sprintf("rt-%03d-%d", v, s), fw.Address)
			}
			sub := g.subnet(spoke, fmt.Sprintf("snet%d", s), prefix, nsg, table)
			for n := range 5 {
				a := netip.AddrFrom4([4]byte{10, byte(v), byte(s), byte(10 + n)})
				g.out = append(g.out, &model.NIC{
					Meta: g.meta("networkInterfaces", fmt.Sprintf("nic-%03d-%d-%d", v, s, n)), IPForwarding: model.Off,
					IPConfigs: []model.IPConfig{{Name: "ipconfig1", Source: g.source(), Subnet: sub.ID, Address: a, Primary: true}},
				})
			}
		}
	}
	return g.out
}

type scale struct {
	rnd  *rand.Rand
	out  []model.Resource
	line int
}

func (g *scale) source() model.Source {
	g.line++
	return model.Source{File: "scale.json", Line: g.line}
}

func (g *scale) meta(kind, name string) model.Meta {
	return model.Meta{
		ID:     model.ID("/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/" + kind + "/" + name),
		Source: g.source(), Location: "westeurope",
	}
}

func (g *scale) vnet(name string, p netip.Prefix) *model.VNet {
	v := &model.VNet{Meta: g.meta("virtualNetworks", name), Prefixes: []netip.Prefix{p}}
	g.out = append(g.out, v)
	return v
}

func (g *scale) subnet(v *model.VNet, name string, p netip.Prefix, nsg, table model.ID) *model.Subnet {
	s := &model.Subnet{
		Meta: model.Meta{ID: v.ID + "/subnets/" + model.ID(name), Source: g.source()}, VNet: v.ID, Prefixes: []netip.Prefix{p},
		NSG: nsg, RouteTable: table, EndpointPolicies: model.PoliciesDisabled,
	}
	g.out = append(g.out, s)
	return s
}

func (g *scale) peer(a, b *model.VNet) {
	link := func(from, to *model.VNet) {
		from.Peerings = append(from.Peerings, model.Peering{
			Name: to.Name(), Source: g.source(), Remote: to.ID, State: "Connected", AllowVNetAccess: model.On, AllowForwarded: model.On,
			AllowGatewayTransit: model.Off, UseRemoteGateways: model.Off, CompleteVNets: model.On, RemotePrefixes: to.Prefixes, SyncedPrefixes: to.Prefixes,
		})
	}
	link(a, b)
	link(b, a)
}

func (g *scale) table(name string, fw netip.Addr) model.ID {
	t := &model.RouteTable{Meta: g.meta("routeTables", name), DisableBGP: model.Off}
	for i, p := range []string{"0.0.0.0/0", "10.0.0.0/8"} {
		t.Routes = append(t.Routes, model.UserRoute{Name: fmt.Sprintf("r%d", i), Source: g.source(), Prefix: netip.MustParsePrefix(p), NextHop: model.HopAppliance, Address: fw})
	}
	g.out = append(g.out, t)
	return t.ID
}

// nsg makes 20 custom rules of the kinds that people write, and the default rules.
func (g *scale) nsg(name string, own netip.Prefix) model.ID {
	n := &model.NSG{Meta: g.meta("networkSecurityGroups", name)}
	ports := []uint16{22, 80, 443, 1433, 3306, 3389, 5432, 8080, 8443, 9090}
	for i := range 20 {
		dir := model.Direction(i % 2)
		r := model.SecurityRule{
			Name: fmt.Sprintf("rule%02d", i), Source: g.source(), Priority: 100 + 10*i, Direction: dir, Access: model.Allow, Protocol: model.TCP,
			SourcePorts: []model.PortRange{model.AllPorts}, SourcePortText: []string{"*"}, ProvisioningState: "Succeeded",
		}
		port := ports[g.rnd.IntN(len(ports))]
		r.DestPorts, r.DestPortText = []model.PortRange{{First: port, Last: port}}, []string{fmt.Sprint(port)}
		if g.rnd.IntN(3) == 0 {
			r.Access = model.Deny
		}
		far := model.AddressMatch{Prefixes: []netip.Prefix{g.block()}}
		near := model.AddressMatch{Prefixes: []netip.Prefix{own}}
		if dir == model.Inbound {
			r.SourceAddrs, r.DestAddrs = far, near
		} else {
			r.SourceAddrs, r.DestAddrs = near, far
		}
		n.Rules = append(n.Rules, r)
	}
	for _, r := range model.DefaultRules() {
		r.Source = model.Source{Platform: "default rule", Resource: n.ID}
		n.Rules = append(n.Rules, r)
	}
	slices.SortStableFunc(n.Rules, func(a, b model.SecurityRule) int {
		return cmp.Or(cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Priority, b.Priority))
	})
	g.out = append(g.out, n)
	return n.ID
}

func (g *scale) block() netip.Prefix {
	bits := []int{8, 16, 16, 24, 24, 24, 32}[g.rnd.IntN(7)]
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(g.rnd.IntN(100)), byte(g.rnd.IntN(10)), byte(10 + g.rnd.IntN(5))}), bits).Masked()
}

func (g *scale) firewallRules(n int) []model.FirewallRule {
	var out []model.FirewallRule
	for i := range n {
		port := []uint16{22, 80, 443, 1433, 8443}[g.rnd.IntN(5)]
		out = append(out, model.FirewallRule{
			Name: fmt.Sprintf("net%03d", i), Source: g.source(), Sources: model.AddressMatch{Prefixes: []netip.Prefix{g.block()}}, Dests: model.AddressMatch{Prefixes: []netip.Prefix{g.block()}},
			Protocols: []model.Protocol{model.TCP}, Ports: []model.PortRange{{First: port, Last: port}},
		})
	}
	return out
}
