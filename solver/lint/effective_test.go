package lint

import (
	"net/netip"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// effectiveRules adds the effective rules of a NIC, or of a subnet: its groups by name, with what VirtualNetwork holds; each rule is
// `GROUP NAME PRIORITY Allow|Deny`, inbound.
func (b *builder) effectiveRules(of model.ID, vnet string, rules ...string) {
	e := &model.EffectiveRules{Meta: meta(model.EffectiveRulesID(of)), Of: of}
	e.Source = source("rules")
	group := func(name string) *model.EffectiveGroup {
		for i := range e.Groups {
			if e.Groups[i].NSG == nsgID(name) {
				return &e.Groups[i]
			}
		}
		e.Groups = append(e.Groups, model.EffectiveGroup{NSG: nsgID(name), At: of})
		return &e.Groups[len(e.Groups)-1]
	}
	for _, text := range rules {
		f := strings.Fields(text)
		u := model.EffectiveRule{SecurityRule: model.SecurityRule{Name: f[1], Priority: b.number(f[2]), Access: model.Deny}}
		u.Default = u.Priority >= 65000
		if f[3] == "Allow" {
			u.Access = model.Allow
		}
		if f[1] == "AllowVnetInBound" {
			u.SourceAddrs = model.AddressMatch{Tags: []string{"VirtualNetwork"}}
			u.ExpandedSource = prefixes(b.t, strings.Fields(vnet)...)
		}
		g := group(f[0])
		g.Rules = append(g.Rules, u)
	}
	b.add(e)
}

// effectiveRoutes adds the effective routes of a NIC; each row is `SOURCE STATE PREFIX HOP [ADDRESS]`.
func (b *builder) effectiveRoutes(of model.ID, rows ...string) {
	e := &model.EffectiveRoutes{Meta: meta(model.EffectiveRoutesID(of)), Of: of}
	for _, text := range rows {
		f := append(strings.Fields(text), "")
		r := model.EffectiveRoute{From: f[0], Active: f[1] == "Active", Prefixes: prefixes(b.t, f[2]), NextHop: model.NextHopType(f[3]), Source: source("row")}
		if f[4] != "" {
			r.Addresses = []netip.Addr{addr(f[4])}
		}
		e.Routes = append(e.Routes, r)
	}
	b.add(e)
}

func effectiveCases() []testCase {
	// web is a NIC in net/web with an NSG of its own, and a route table.
	web := func(more func(*builder)) func(*builder) {
		return func(b *builder) {
			v := b.vnet("net", "10.0.0.0/16")
			peer := b.vnet("peer", "10.5.0.0/16")
			v.Peerings = []model.Peering{{Name: "a", Source: source("a"), Remote: vnetID("peer"), State: "Connected"}}
			peer.Peerings = []model.Peering{{Name: "b", Source: source("b"), Remote: vnetID("net"), State: "Connected"}}
			b.subnet("net/web", "10.0.0.0/24", "nsg=web", "rt=out")
			b.routes("out", "db 10.0.7.0/24 10.0.9.4")
			b.nsg("web", "Https 100 In Allow tcp Internet * 443")
			b.nic("n", "net/web", "10.0.0.4")
			more(b)
		}
	}
	const vnet, https, last, space = "web AllowVnetInBound 65000 Allow", "web Https 100 Allow", "web DenyAllInBound 65500 Deny", "10.0.0.0/16 10.5.0.0/16 168.63.129.16"
	rules := func(name, holds string, want bool, list ...string) testCase {
		c := testCase{id: "effective-rules-differ", name: name, build: web(func(b *builder) { b.effectiveRules(nicID("n"), holds, list...) })}
		if want {
			c.want = []string{"nic:n"}
		}
		return c
	}
	const own, far, end, db = "Default Active 10.0.0.0/16 VnetLocal", "Default Active 10.5.0.0/16 VNetPeering", "Default Active 0.0.0.0/0 Internet", "User Active 10.0.7.0/24 VirtualAppliance 10.0.9.4"
	routes := func(name string, want bool, rows ...string) testCase {
		c := testCase{id: "effective-routes-differ", name: name, build: web(func(b *builder) { b.effectiveRoutes(nicID("n"), rows...) })}
		if want {
			c.want = []string{"nic:n"}
		}
		return c
	}
	grown := func(more func(*builder)) func(*builder) {
		return func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "nsg=web", "rt=out")
			b.routes("out", "default 0.0.0.0/0 10.0.9.4")
			b.nsg("web")
			b.nic("n", "net/web", "10.0.0.4")
			more(b)
		}
	}
	return []testCase{
		rules("the same", space, false, https, vnet, last),
		rules("a rule is not in force", space, true, vnet, last),
		rules("a list that is not whole", space, false, vnet),
		rules("a rule that the NSG lacks", space, true, https, "web Ssh 110 Allow", vnet, last),
		rules("another action", space, true, "web Https 100 Deny", vnet, last),
		rules("another priority", space, true, "web Https 200 Allow", vnet, last),
		rules("another NSG", space, true, https, vnet, last, "other AllowVnetInBound 65000 Allow"),
		rules("a prefix that nothing explains", space+" 10.7.0.0/16", true, vnet),
		rules("a prefix of a user route", space+" 10.0.7.0/24", false, vnet),
		rules("own space is missing", "10.5.0.0/16 168.63.129.16", true, vnet),
		{id: "effective-rules-differ", name: "a gateway explains prefixes", build: web(func(b *builder) {
			b.add(&model.Gateway{Meta: meta(network("virtualNetworkGateways", "g")), Subnet: subnetID("net/GatewaySubnet")})
			b.effectiveRules(nicID("n"), space+" 10.7.0.0/16", vnet)
		})},
		{id: "effective-rules-differ", name: "a NIC that the input lacks", build: web(func(b *builder) { b.effectiveRules(nicID("else"), "10.7.0.0/16", vnet) })},

		routes("the same", false, own, far, end, db),
		routes("not in force, and there", false, own, far, "Default Invalid 0.0.0.0/0 Internet", "VirtualNetworkGateway Active 0.0.0.0/0 VirtualNetworkGateway 10.0.255.4", db),
		routes("a user route is missing", true, own, far, end),
		routes("a user route to elsewhere", true, own, far, end, "User Active 10.0.7.0/24 VirtualAppliance 10.0.9.5"),
		routes("a user route that the table lacks", true, own, far, end, db, "User Active 10.0.8.0/24 None"),
		routes("a peer without a row", true, own, end, db),
		routes("a VNet that the input lacks", true, own, far, end, db, "Default Active 10.9.0.0/16 VNetPeering"),
		routes("a range of the VNet without a row", true, far, end, db),

		{id: "tag-growth", name: "effective rules show that the tag did not grow", build: grown(func(b *builder) { b.effectiveRules(nicID("n"), "10.0.0.0/16 168.63.129.16", vnet) })},
		{id: "tag-growth", name: "effective rules of the subnet's NSG", build: grown(func(b *builder) { b.effectiveRules(subnetID("net/web"), "10.0.0.0/16 168.63.129.16", vnet) })},
		{id: "tag-growth", name: "effective rules show that it did", build: grown(func(b *builder) { b.effectiveRules(nicID("n"), "0.0.0.0/0", vnet) }), want: []string{"subnet:net/web"}},
		{id: "tag-growth", name: "effective rules of one NIC of two", build: grown(func(b *builder) {
			b.nic("m", "net/web", "10.0.0.5")
			b.effectiveRules(nicID("n"), "10.0.0.0/16 168.63.129.16", vnet)
		}), want: []string{"subnet:net/web"}},
	}
}
