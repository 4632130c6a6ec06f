package modeltest

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// hubs draws a Virtual WAN of one or two hubs: connections of the estate's VNets, route tables, firewalls and the intents that lead to them,
// gateways and what lies behind them. It is drawn last, so that the rest of a seed's estate stays as it was.
func (d *draft) hubs() {
	wan := &model.VirtualWAN{Meta: d.meta(networkID("virtualWans", "wan")), Type: choose(d, "Standard", "Standard", "Standard", "", "Basic"), BranchToBranch: choose(d, model.On, model.On, model.Off, model.NotStated)}
	if !d.has(WithPartial) || !d.one(10) {
		d.add(wan)
	}
	var list []*hub
	for i := range d.upTo(1, 2) {
		h := &hub{VirtualHub: &model.VirtualHub{Meta: d.meta(networkID("virtualHubs", d.name("hub", i))), WAN: wan.ID}, i: i}
		h.Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 4, byte(16 * i)}), 28)
		if d.has(WithPartial) && d.one(10) {
			h.WAN = ""
		}
		list = append(list, h)
		d.hubTables(h)
		if d.has(WithFirewalls) || d.one(2) {
			d.hubFirewall(h)
		}
	}
	for _, v := range d.vnets {
		if !d.one(5) {
			d.connect(choose(d, list...), v)
		}
	}
	for _, h := range list {
		d.hubGateways(h)
	}
	for _, h := range list { // what they hold is drawn when everything that a route may name is there
		d.hubRouting(h, list)
		if d.has(WithPartial) {
			d.hubHoles(h)
		}
		if d.has(WithLedger) && d.one(4) {
			d.Ledger = append(d.Ledger, model.LedgerEntry{
				Resource: h.ID, Type: "Microsoft.Network/virtualHubs", Field: "anything", Disposition: model.Unsupported, Source: model.Source{File: "random"}, Affects: []model.ID{h.ID}, Role: choose(d, model.Carries, model.Steers),
			})
		}
		if !d.has(WithPartial) || !d.one(12) {
			d.add(h.VirtualHub)
		}
	}
}

// hub is a hub in the making.
type hub struct {
	*model.VirtualHub
	i           int
	tables      []*model.HubRouteTable
	connections []*model.HubConnection
	firewall    model.ID
}

func (h *hub) table(name string) model.ID {
	return h.ID + "/hubRouteTables/" + model.ID(name)
}

// hubTables draws the tables of a hub: the one that every hub has, and perhaps another.
func (d *draft) hubTables(h *hub) {
	t := &model.HubRouteTable{Meta: d.meta(h.table("defaultRouteTable")), Hub: h.ID}
	if !d.one(3) {
		t.Labels = []string{"default"}
	}
	h.tables = append(h.tables, t)
	if d.one(2) {
		h.tables = append(h.tables, &model.HubRouteTable{Meta: d.meta(h.table("iso")), Hub: h.ID, Labels: some(d, 2, "iso", "shared")})
	}
	for _, t := range h.tables {
		if !d.has(WithPartial) || !d.one(8) {
			d.add(t)
		}
	}
}

// hubFirewall draws a firewall in a hub (AZ-FW-52).
func (d *draft) hubFirewall(h *hub) {
	f := &model.Firewall{
		Meta: d.meta(networkID("azureFirewalls", d.name("hubfw", h.i))), Hub: true, VirtualHub: h.ID, Tier: choose(d, "Standard", "Premium", ""), ThreatIntel: choose(d, "", "Alert", "Deny"),
		SNAT: d.snat(), DNSProxy: d.setting(),
	}
	if d.has(WithPartial) || !d.one(6) { // with a hub that the input lacks, or does not describe, nobody would know anything of it
		f.Address = netip.AddrFrom4([4]byte{10, 0, 4, byte(16*h.i + 4)})
		d.entries = append(d.entries, f.Address)
	}
	for j := range d.IntN(3) {
		a := netip.AddrFrom4([4]byte{20, 0, 0, byte(240 + 4*h.i + j)})
		f.PublicAddresses = append(f.PublicAddresses, a)
		d.entries = append(d.entries, a)
	}
	if d.has(WithRaw) && d.one(10) {
		f.ProvisioningBad = "Failed"
	}
	d.add(f)
	if d.one(2) {
		f.Collections = d.collections()
	} else {
		f.Policy = d.policy(d.name("hubpol", h.i))
		if d.has(WithPartial) && d.one(8) {
			f.Policy = networkID("firewallPolicies", "gone")
		}
	}
	h.firewall = f.ID
	if !d.one(4) { // an export has one side of the reference, or both
		h.Firewall = f.ID
	}
}

// connect joins a VNet to a hub.
func (d *draft) connect(h *hub, v *model.VNet) {
	c := &model.HubConnection{
		Meta: d.meta(h.ID + "/hubVirtualNetworkConnections/" + model.ID(v.Name())), Hub: h.ID, VNet: v.ID, InternetSecurity: choose(d, model.On, model.On, model.Off, model.NotStated), Routing: d.configuration(h),
	}
	if c.Routing.Stated && d.one(3) {
		for i := range d.upTo(1, 2) {
			s := model.HubStaticRoute{Name: d.name("s", i), Source: c.Source, Prefixes: []netip.Prefix{d.prefixV4()}, NextHop: netip.AddrFrom4([4]byte{10, 0, 0, byte(d.IntN(96))})}
			if len(d.hops) > 0 && !d.one(4) {
				s.NextHop = choose(d, d.hops...)
			}
			if s.NextHop.Is6() {
				continue
			}
			c.Routing.Static = append(c.Routing.Static, s)
		}
		c.Routing.PropagateStatic, c.Routing.LocalOverride = choose(d, model.On, model.On, model.Off, model.NotStated), choose(d, "", "Contains", "Equal")
	}
	if d.one(2) { // the platform's own side of the connection
		v.Peerings = append(v.Peerings, model.Peering{
			Name: "RemoteVnetToHubPeering_1", Source: model.Source{File: "random", Resource: v.ID}, Remote: networkID("virtualNetworks", "HV_"+h.Name()), Hub: true, State: "Connected", AllowVNetAccess: model.On, AllowForwarded: model.On, UseRemoteGateways: model.On,
			RemotePrefixes: []netip.Prefix{h.Prefix},
		})
	}
	h.connections = append(h.connections, c)
	if !d.has(WithPartial) || !d.one(12) {
		d.add(c)
	}
}

// configuration draws the routing configuration of a connection: none, the default one as portals write it, or another.
func (d *draft) configuration(h *hub) model.HubRouting {
	if d.one(3) {
		return model.HubRouting{}
	}
	r := model.HubRouting{Stated: true, Associated: h.table("defaultRouteTable"), Propagated: []model.ID{h.table("defaultRouteTable")}, Labels: []string{"default"}}
	if d.one(10) {
		r.Maps = []model.ID{h.ID + "/routeMaps/map"}
	}
	if d.one(3) {
		return r
	}
	r.Associated = choose(d, choose(d, h.tables...).ID, r.Associated, "")
	r.Propagated = nil
	switch d.IntN(4) {
	case 0:
		r.Propagated, r.Labels = []model.ID{h.table("noneRouteTable")}, choose(d, nil, []string{"none"})
	case 1:
		r.Propagated, r.Labels = []model.ID{choose(d, h.tables...).ID}, nil
	default:
		for _, t := range h.tables {
			if d.one(2) {
				r.Propagated = append(r.Propagated, t.ID)
			}
		}
		r.Labels = some(d, 2, "Default", "iso", "shared")
	}
	return r
}

// hubGateways draws the gateways of a hub with what they connect (AZ-WAN-06).
func (d *draft) hubGateways(h *hub) {
	gateway := func(kind model.HubGatewayKind, provider, name string) *model.HubGateway {
		g := &model.HubGateway{Meta: d.meta(networkID(provider, d.name(name, h.i))), Kind: kind, Hub: h.ID}
		if !d.one(4) {
			h.Gateways = append(h.Gateways, g.ID)
		}
		d.add(g)
		return g
	}
	part := func(g *model.HubGateway, kind, name string) model.HubBranch {
		return model.HubBranch{ID: g.ID + "/" + model.ID(kind) + "/" + model.ID(name), Name: name, Source: g.Source, InternetSecurity: choose(d, model.On, model.Off, model.NotStated), Routing: d.branchRouting(h)}
	}
	if !d.one(3) {
		g := gateway(model.HubVPN, "vpnGateways", "hubvpn")
		d.hubTranslations(g)
		for j := range d.upTo(1, 2) {
			b := part(g, "vpnConnections", d.name("c", j))
			b.Site, b.State, b.BGP = d.hubSite(h, j), d.state(), choose(d, model.Off, model.Off, model.Off, model.On, model.NotStated)
			for _, r := range g.NATRules {
				switch {
				case d.one(3):
				case r.Mode == "IngressSnat":
					b.IngressNAT = append(b.IngressNAT, r.ID)
				default:
					b.EgressNAT = append(b.EgressNAT, r.ID)
				}
			}
			if d.has(WithPartial) && d.one(8) {
				b.IngressNAT = append(b.IngressNAT, g.ID+"/natRules/gone")
			}
			g.Connections = append(g.Connections, b)
		}
	}
	if d.one(2) {
		g := gateway(model.HubClients, "p2sVpnGateways", "hubp2s")
		b := part(g, "p2sConnectionConfigurations", "clients")
		b.Pools = []netip.Prefix{choose(d, cidr("172.16.8.0/29"), cidr("192.168.0.16/29"), cidr("10.0.4.64/29"))}
		g.Connections = append(g.Connections, b)
	}
	if d.one(4) {
		g := gateway(model.HubExpressRoute, "expressRouteGateways", "huber")
		b := part(g, "expressRouteConnections", "circuit")
		b.Site, b.BGP = networkID("expressRouteCircuits", "hc")+"/peerings/AzurePrivatePeering", model.On
		g.Connections = append(g.Connections, b)
	}
}

// branchRouting is mostly that of all branches: the default table (AZ-WAN-02).
func (d *draft) branchRouting(h *hub) model.HubRouting {
	if d.one(2) {
		return model.HubRouting{}
	}
	return d.configuration(h)
}

// hubSite draws the site of a VPN connection.
func (d *draft) hubSite(h *hub, j int) model.ID {
	s := &model.VPNSite{Meta: d.meta(networkID("vpnSites", d.name(d.name("hubsite", h.i)+"-", j))), BGP: choose(d, model.NotStated, model.NotStated, model.On)}
	for range d.upTo(1, 2) {
		s.Prefixes = append(s.Prefixes, cidr(choose(d, "192.168.0.0/24", "192.168.0.0/29", "192.168.0.0/29", "192.168.2.0/29", "198.51.100.0/24", "172.16.0.0/12", "10.0.0.0/24", "10.0.0.8/29", "0.0.0.0/0", "10.9.9.0/24")))
	}
	if d.has(WithPartial) && d.one(8) {
		return networkID("vpnSites", "gone")
	}
	d.add(s)
	return s.ID
}

// hubTranslations draws NAT rules as translations does.
func (d *draft) hubTranslations(g *model.HubGateway) {
	like := &model.Gateway{Meta: g.Meta}
	d.translations(like)
	g.NATRules = like.NATRules
}

// hubRouting draws the static routes of a hub's tables and its routing intent.
func (d *draft) hubRouting(h *hub, all []*hub) {
	hops := []model.ID{}
	if h.firewall != "" {
		hops = append(hops, h.firewall, h.firewall)
	}
	for _, x := range all {
		if x != h && !d.one(4) {
			continue
		}
		for _, c := range x.connections {
			hops = append(hops, c.ID)
		}
	}
	if d.has(WithPartial) {
		hops = append(hops, h.ID+"/hubVirtualNetworkConnections/gone")
	}
	for _, t := range h.tables {
		if len(hops) == 0 || d.one(2) {
			continue
		}
		for i := range d.upTo(1, 2) {
			r := model.HubRoute{Name: d.name("r", i), Source: t.Source, Prefixes: []netip.Prefix{d.prefixV4()}, NextHop: choose(d, hops...)}
			if d.one(3) {
				r.Prefixes = append(r.Prefixes, d.prefixV4())
			}
			if d.has(WithPartial) && d.one(8) {
				r.Unknown = "destinations of type Service"
			}
			t.Routes = append(t.Routes, r)
		}
	}
	if h.firewall == "" && (!d.has(WithPartial) || !d.one(8)) || d.one(2) {
		return
	}
	next := h.firewall
	if next == "" || d.has(WithPartial) && d.one(8) {
		next = networkID("networkVirtualAppliances", "gone")
	}
	in := &model.RoutingIntent{Meta: d.meta(h.ID + "/routingIntent/intent"), Hub: h.ID}
	for _, x := range choose(d, []string{"PrivateTraffic"}, []string{"Internet"}, []string{"PrivateTraffic", "Internet"}) {
		in.Policies = append(in.Policies, model.RoutingPolicy{Name: x, Source: in.Source, Destinations: []string{x}, NextHop: next})
	}
	d.add(in)
}

// hubHoles lets a hub name what the input lacks.
func (d *draft) hubHoles(h *hub) {
	if d.one(8) {
		h.Gateways = append(h.Gateways, networkID("vpnGateways", "gone"))
	}
	if d.one(8) {
		h.Peers = append(h.Peers, model.RoutePeer{Name: "peer", Source: h.Source, Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(d.IntN(96))})})
	}
	if d.one(10) {
		h.Prefix = netip.Prefix{}
	}
	if d.one(8) {
		d.add(&model.HubConnection{Meta: d.meta(h.ID + "/hubVirtualNetworkConnections/lost"), Hub: h.ID, VNet: networkID("virtualNetworks", "lost"), InternetSecurity: d.setting(), Routing: d.configuration(h)})
	}
}

// prefixV4 is a block of IPv4, of which hubs have nothing else (AZ-V6-05).
func (d *draft) prefixV4() netip.Prefix {
	for {
		if p := d.prefix(); p.Addr().Is4() {
			return p
		}
	}
}
