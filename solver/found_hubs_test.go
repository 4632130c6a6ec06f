package solver

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/trace"
)

// hubSmall is VNets a (10.0.0.0/27) and b (10.0.0.32/27) with a machine each, two hubs of a Standard WAN, and a site (192.168.0.0/29) at the first.
// Other resources replace those of their ID.
func hubSmall(more ...model.Resource) small {
	out := small{
		&model.VirtualWAN{Meta: smallMeta("virtualWans/wan"), Type: "Standard", BranchToBranch: model.On},
		hubIn("hub1", "10.0.4.0/28"), hubIn("hub2", "10.0.4.16/28"), hubTable("hub1"), hubTable("hub2"),
		hubVNet("a", "10.0.0.0/27"), hubSubnet("a", "10.0.0.0/29"), hubNIC("vma", "a", "10.0.0.4"),
		hubVNet("b", "10.0.0.32/27"), hubSubnet("b", "10.0.0.32/29"), hubNIC("vmb", "b", "10.0.0.36"),
		hubSpoke("hub1", "a"), hubSpoke("hub1", "b"),
		hubSite("hub1", "192.168.0.0/29"), hubTunnel("hub1"),
	}
	for _, r := range more {
		if i := slices.IndexFunc(out, func(x model.Resource) bool { return x.ResourceID() == r.ResourceID() }); i >= 0 {
			out[i] = r
		} else {
			out = append(out, r)
		}
	}
	return out
}

// without leaves resources out.
func (s small) without(paths ...string) small {
	return slices.DeleteFunc(s, func(r model.Resource) bool {
		return slices.ContainsFunc(paths, func(p string) bool { return r.ResourceID() == smallID(p) })
	})
}

func hubIn(name, prefix string) *model.VirtualHub {
	return &model.VirtualHub{Meta: smallMeta("virtualHubs/" + name), WAN: smallID("virtualWans/wan"), Prefix: netip.MustParsePrefix(prefix)}
}

func hubTable(hub string, routes ...model.HubRoute) *model.HubRouteTable {
	return &model.HubRouteTable{Meta: smallMeta("virtualHubs/" + hub + "/hubRouteTables/defaultRouteTable"), Hub: smallID("virtualHubs/" + hub), Labels: []string{"default"}, Routes: routes}
}

func hubRoute(next model.ID, prefixes ...string) model.HubRoute {
	return model.HubRoute{Name: "r", Prefixes: cidrs(prefixes...), NextHop: next}
}

func hubVNet(name, prefix string) *model.VNet {
	return &model.VNet{Meta: smallMeta("virtualNetworks/" + name), Prefixes: cidrs(prefix)}
}

func hubSubnet(vnet, prefix string) *model.Subnet {
	s := &model.Subnet{Meta: smallMeta("virtualNetworks/" + vnet + "/subnets/s"), Prefixes: cidrs(prefix), DefaultOutbound: model.On}
	s.VNet = s.ID.Parent()
	return s
}

func hubNIC(name, vnet, address string) *model.NIC {
	return &model.NIC{Meta: smallMeta("networkInterfaces/" + name), IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: smallID("virtualNetworks/" + vnet + "/subnets/s"), Address: ip(address), Primary: true}}}
}

func hubSpoke(hub, vnet string, change ...func(*model.HubConnection)) *model.HubConnection {
	c := &model.HubConnection{Meta: smallMeta("virtualHubs/" + hub + "/hubVirtualNetworkConnections/" + vnet), Hub: smallID("virtualHubs/" + hub), VNet: smallID("virtualNetworks/" + vnet), InternetSecurity: model.Off}
	for _, f := range change {
		f(c)
	}
	return c
}

func hubSite(hub string, prefixes ...string) *model.VPNSite {
	return &model.VPNSite{Meta: smallMeta("vpnSites/" + hub), Prefixes: cidrs(prefixes...)}
}

// hubTunnel is a VPN gateway of a hub with a connection to the hub's site.
func hubTunnel(hub string) *model.HubGateway {
	id := smallID("vpnGateways/" + hub)
	return &model.HubGateway{Meta: smallMeta("vpnGateways/" + hub), Hub: smallID("virtualHubs/" + hub), Connections: []model.HubBranch{{ID: id + "/vpnConnections/c", Name: "c", Site: smallID("vpnSites/" + hub), State: "Connected", BGP: model.Off}}}
}

// hubWall is a firewall of a hub that lets everything pass but what a rule of its collections takes before.
func hubWall(hub, address string, more ...model.RuleCollection) *model.Firewall {
	all := model.RuleCollection{Name: "all", Priority: 300, Kind: model.NetworkRules, Access: model.Allow, Rules: []model.FirewallRule{{
		Name: "all", Sources: model.AddressMatch{Any: true}, Dests: model.AddressMatch{Any: true}, Protocols: []model.Protocol{model.AnyProtocol}, Ports: []model.PortRange{model.AllPorts},
	}}}
	return &model.Firewall{Meta: smallMeta("azureFirewalls/" + hub), Hub: true, VirtualHub: smallID("virtualHubs/" + hub), Tier: "Standard", Address: ip(address), PublicAddresses: []netip.Addr{ip("20.0.0.240")}, Collections: append(more, all)}
}

func hubIntent(hub string, destinations ...string) *model.RoutingIntent {
	return &model.RoutingIntent{Meta: smallMeta("virtualHubs/" + hub + "/routingIntent/i"), Hub: smallID("virtualHubs/" + hub), Policies: []model.RoutingPolicy{{Name: "p", Destinations: destinations, NextHop: smallID("azureFirewalls/" + hub)}}}
}

// The cases in which the engines differed, or were wrong together, in runs over many WANs.
func TestFoundInHubs(t *testing.T) {
	secure := func(c *model.HubConnection) { c.InternetSecurity = model.On }
	none := func(c *model.HubConnection) {
		c.Routing = model.HubRouting{Stated: true, Associated: c.Hub + "/hubRouteTables/defaultRouteTable", Propagated: []model.ID{c.Hub + "/hubRouteTables/noneRouteTable"}, Labels: []string{"none"}}
	}
	isolated := func(c *model.HubConnection) {
		c.Routing = model.HubRouting{Stated: true, Associated: c.Hub + "/hubRouteTables/iso", Propagated: []model.ID{c.Hub + "/hubRouteTables/defaultRouteTable"}, Labels: []string{"default"}}
	}
	iso := &model.HubRouteTable{Meta: smallMeta("virtualHubs/hub1/hubRouteTables/iso"), Hub: smallID("virtualHubs/hub1")}
	static := func(hop string, prefixes ...string) func(*model.HubConnection) {
		return func(c *model.HubConnection) {
			c.Routing = model.HubRouting{Stated: true, Labels: []string{"default"}, PropagateStatic: model.On, Static: []model.HubStaticRoute{{Name: "s", Prefixes: cidrs(prefixes...), NextHop: ip(hop)}}}
		}
	}
	forwarding := hubNIC("vmb", "b", "10.0.0.36")
	forwarding.IPForwarding = model.On
	routed := func(routes ...model.UserRoute) small {
		s := hubSubnet("a", "10.0.0.0/29")
		s.RouteTable = smallID("routeTables/t")
		return small{s, &model.RouteTable{Meta: smallMeta("routeTables/t"), Routes: routes}}
	}
	nat := func(to string) model.RuleCollection {
		return model.RuleCollection{Name: "nat", Priority: 100, Kind: model.DNATRules, Access: model.Allow, Rules: []model.FirewallRule{{
			Name: "in", Sources: model.AddressMatch{Any: true}, Dests: model.AddressMatch{Prefixes: cidrs("20.0.0.240/32", "10.0.4.4/32")}, Protocols: []model.Protocol{model.TCP}, Ports: []model.PortRange{{First: 443, Last: 443}}, ToFQDN: to,
		}}}
	}
	natTo := func(address string) model.RuleCollection {
		c := nat("")
		c.Rules[0].ToAddress, c.Rules[0].ToPort = ip(address), 443
		return c
	}
	proxy := &model.FirewallPolicy{Meta: smallMeta("firewallPolicies/p"), Tier: "Standard", ExplicitProxy: model.On, ProxyPorts: []uint16{8080}, GroupRefs: []model.ID{smallID("firewallPolicies/p/ruleCollectionGroups/gone")}}
	proxying := hubWall("hub1", "10.0.4.4")
	proxying.Policy, proxying.Collections = proxy.ID, nil
	vma, vmb, site := "nic vma a", "nic vmb a", "far side hub1 c"
	fw1, fw2 := hubWall("hub1", "10.0.4.4"), hubWall("hub2", "10.0.4.20")
	fw2.PublicAddresses = nil
	both := hubSmall(fw1, fw2, hubIntent("hub1", "PrivateTraffic"), hubIntent("hub2", "PrivateTraffic"), hubSpoke("hub2", "b")).without("virtualHubs/hub1/hubVirtualNetworkConnections/b")
	for _, test := range []struct {
		name           string
		estate         small
		from, src, dst string
		proto          model.Protocol
		want, at       string
	}{
		{"AZ-WAN-09: between VNets", hubSmall(), vma, "10.0.0.4", "10.0.0.36", model.TCP, "over one-way session", vmb},
		{"AZ-WAN-09: to a site", hubSmall(), vma, "10.0.0.4", "192.168.0.2", model.TCP, "over one-way session", site},
		{"AZ-WAN-09: from a site", hubSmall(), site, "192.168.0.2", "10.0.0.4", model.TCP, "over one-way session", vma},
		{"AZ-WAN-09: the table of the replier's connection knows no way back", hubSmall(iso, hubSpoke("hub1", "a", isolated)), vmb, "10.0.0.36", "10.0.0.4", model.TCP, "over one-way", vma},
		{"AZ-WAN-09: a private policy at both ends", hubSmall(fw1, hubIntent("hub1", "PrivateTraffic")), vma, "10.0.0.4", "10.0.0.36", model.TCP, "over one-way session", vmb},
		{"AZ-WAN-09: policies in both hubs", both, vma, "10.0.0.4", "10.0.0.36", model.TCP, "over one-way session", vmb},
		{
			"AZ-WAN-09: a firewall by a static route of one table alone", hubSmall(fw1, iso, hubSpoke("hub1", "a", isolated), hubTable("hub1", hubRoute(fw1.ID, "10.0.0.0/29"))),
			vmb, "10.0.0.36", "10.0.0.4", model.TCP, "over one-way", vma,
		},
		{
			"AZ-WAN-03: what exports say of the connections of a hub with a private policy keeps no other hub away",
			hubSmall(fw1, hubIntent("hub1", "PrivateTraffic"), hubSpoke("hub1", "a", none), hubSpoke("hub2", "b")).without("virtualHubs/hub1/hubVirtualNetworkConnections/b"),
			vmb, "10.0.0.36", "10.0.0.4", model.TCP, "over one-way session", vma,
		},
		{
			"AZ-WAN-03: a prefix of the private policy beats a user route for a range that holds it",
			hubSmall(append(routed(model.UserRoute{Name: "r", Prefix: netip.MustParsePrefix("10.0.0.32/27"), NextHop: model.HopNone}), fw1, iso, hubIntent("hub1", "PrivateTraffic"), hubSpoke("hub1", "a", isolated), hubTable("hub1", hubRoute(fw1.ID, "10.0.0.32/29")))...),
			vma, "10.0.0.4", "10.0.0.36", model.TCP, "over one-way session", vmb,
		},
		{"AZ-WAN-04: a default route stays in its hub", hubSmall(hubSite("hub2", "0.0.0.0/0"), hubTunnel("hub2"), hubSpoke("hub1", "a", secure)), vma, "10.0.0.4", "20.9.0.9", model.TCP, "", "far side hub2 c"},
		{"AZ-WAN-05: no learned route beats the hub's range", hubSmall(gatewayOf("a", "10.0.4.0/29")...), vma, "10.0.0.4", "10.0.4.5", model.TCP, "", "far side vpn line"},
		{"AZ-WAN-07: what is addressed to the appliance itself", hubSmall(forwarding, hubSpoke("hub1", "b", static("10.0.0.36", "10.0.0.32/27"))), vma, "10.0.0.4", "10.0.0.36", model.TCP, "", "platform  "},
		{"AZ-WAN-08: Basic may not join hubs", hubSmall(&model.VirtualWAN{Meta: smallMeta("virtualWans/wan"), Type: "Basic"}, hubSpoke("hub2", "b")).without("virtualHubs/hub1/hubVirtualNetworkConnections/b"), site, "192.168.0.2", "10.0.0.36", model.TCP, "over", vmb},
		{"AZ-FW-20: a NAT rule of a hub's firewall leads to a host of the internet", hubSmall(hubWall("hub1", "10.0.4.4", nat("a.example.com"))), vma, "10.0.0.4", "10.0.4.4", model.TCP, "over", "internet  "},
		{"AZ-FW-22: by its public address, the answer goes back by the firewall", hubSmall(hubWall("hub1", "10.0.4.4", natTo("10.0.0.4")), hubIntent("hub1", "Internet")), "internet  ", "198.51.100.7", "20.0.0.240", model.TCP, "over one-way session", vma},
		{"AZ-FW-52: a hub that the input lacks", small{hubWall("hub1", "10.0.4.4", natTo("10.0.0.4")), hubVNet("a", "10.0.0.0/27"), hubSubnet("a", "10.0.0.0/29"), hubNIC("vma", "a", "10.0.0.4")}, "internet  ", "198.51.100.7", "20.0.0.240", model.TCP, "over", "unknown"},
		{"AZ-FW-53: the explicit proxy of a firewall that nothing leads to", hubSmall(proxy, proxying), "firewall hub1 explicit proxy", "10.0.4.4", "20.0.1.1", model.TCP, "over", "internet  "},
		{"AZ-FW-28: no translation for ICMP", hubSmall(fw1, hubIntent("hub1", "Internet"), hubSpoke("hub1", "a", secure)), vma, "10.0.0.4", "198.51.100.7", model.ICMP, "over", "internet  "},
		{"AZ-FW-40: with translation the firewall's own address comes back", hubSmall(fw1, hubIntent("hub1", "Internet"), hubSpoke("hub1", "a", secure)), vma, "10.0.0.4", "198.51.100.7", model.TCP, "over one-way session", "internet  "},
		{
			"AZ-FW-41: the internet may drop a source that the firewall keeps", hubSmall(kept(fw1), hubIntent("hub1", "Internet"), hubSite("hub1", "198.51.100.0/25")),
			site, "198.51.100.2", "203.0.113.9", model.TCP, "over", "internet  ",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, err := newJoint(modeltest.Draft{Resources: test.estate}.Clone())
			if err != nil {
				t.Fatal(err)
			}
			p := trace.Packet{Src: ip(test.src), Dst: ip(test.dst), Protocol: test.proto}
			if test.proto.HasPorts() {
				p.SPort, p.DPort = 50000, 443
			}
			j.holdsFrom(t, test.from, p, test.at, test.want)
		})
	}
}

// kept is a firewall that translates nothing (AZ-FW-41).
func kept(f *model.Firewall) *model.Firewall {
	out := *f
	out.SNAT = model.SNATRanges{Custom: true, Prefixes: cidrs("0.0.0.0/0")}
	return &out
}

// gatewayOf is a VPN gateway in a VNet with a site.
func gatewayOf(vnet, site string) small {
	v := hubVNet(vnet, "10.0.0.0/27")
	v.Prefixes = append(v.Prefixes, cidrs("10.0.2.0/29")...)
	s := &model.Subnet{Meta: smallMeta("virtualNetworks/" + vnet + "/subnets/GatewaySubnet"), VNet: v.ID, Prefixes: cidrs("10.0.2.0/29")}
	return small{
		v, s, &model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: s.ID}, &model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/far"), Prefixes: cidrs(site)},
		&model.Connection{Meta: smallMeta("connections/line"), Kind: "IPsec", Gateway: smallID("virtualNetworkGateways/vpn"), Peer: smallID("localNetworkGateways/far"), State: "Connected"},
	}
}
