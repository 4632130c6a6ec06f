package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// nextHop is the next hop of a packet at its first route, as Azure prints it, all possible ones joined.
func nextHop(r *Result) string {
	var out []string
	for _, p := range r.Paths {
		for _, h := range p.Hops {
			if h.Route == nil {
				continue
			}
			s := string(h.Route.NextHopType)
			if h.Route.NextHopIP.IsValid() {
				s += " " + h.Route.NextHopIP.String()
			}
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
			break
		}
	}
	slices.Sort(out)
	if len(out) == 1 {
		return out[0]
	}
	return fmt.Sprint(out)
}

// route of the first hop.
func firstRoute(r *Result) *Route {
	for _, p := range r.Paths {
		for _, h := range p.Hops {
			if h.Route != nil {
				return h.Route
			}
		}
	}
	return nil
}

// EX-06: next hop without custom routes; doc.
func TestEX06(t *testing.T) {
	for _, test := range []struct {
		ranges []string
		dst    string
		hop    model.NextHopType
		prefix string
		may    bool // another row may win too
	}{
		{[]string{"10.0.0.0/16"}, "13.107.21.200", model.HopInternet, "0.0.0.0/0", false},                      // doc
		{[]string{"10.0.0.0/16"}, "172.31.0.100", model.HopNone, "172.16.0.0/12", true},                        // doc; printed tables differ: ASM-NONE-LIST
		{[]string{"10.0.0.0/16", "172.16.0.0/12"}, "172.31.0.100", model.HopVnetLocal, "172.16.0.0/12", false}, // doc
	} {
		b := estate(t)
		b.vnet("net", test.ranges...)
		b.subnet("net/s", "10.0.0.0/24")
		b.nic("vm", "net/s", "10.0.0.4")
		r := Run(b.build(), Options{}, packet("10.0.0.4 > "+test.dst+" tcp/80"))
		found := false
		for _, p := range r.Paths {
			for _, h := range p.Hops {
				if h.Route != nil {
					found = found || h.Route.NextHopType == test.hop && h.Route.Prefix.String() == test.prefix && h.Certain == !test.may && h.Route.RouteTable == ""
				}
			}
		}
		if !found {
			t.Errorf("%s in %v: want next hop %s by %s\n%s", test.dst, test.ranges, test.hop, test.prefix, show(r))
		}
		if test.hop == model.HopNone && (ask(r, internet()) != nothing || !hasAssumption(r, "ASM-NONE-LIST")) {
			t.Errorf("%s: want it undeliverable either way, with ASM-NONE-LIST\n%s", test.dst, show(r))
		}
	}
}

// udrOverview is the network of EX-07 and EX-08.
func udrOverview(t *testing.T) *model.Estate {
	b := estate(t)
	v1 := b.vnet("VNet1", "10.0.0.0/16")
	v2 := b.vnet("VNet2", "10.1.0.0/16", "10.2.0.0/16")
	b.peer(v1, v2)
	b.routes("rt", "10.0.0.0/16 10.0.100.4", "10.0.0.0/24 VnetLocal", "10.1.0.0/16 None", "10.2.0.0/16 None", "10.10.0.0/16 10.0.100.4", "0.0.0.0/0 10.0.100.4")
	b.subnet("VNet1/Subnet1", "10.0.0.0/24", "rt=rt", "se=Microsoft.Storage")
	b.subnet("VNet1/Subnet2", "10.0.1.0/24")
	b.subnet("VNet1/Subnet100", "10.0.100.0/24")
	b.subnet("VNet1/GatewaySubnet", "10.0.255.0/27")
	b.subnet("VNet2/s", "10.1.0.0/24")
	b.nic("vm1", "VNet1/Subnet1", "10.0.0.5")
	b.nic("vm1b", "VNet1/Subnet1", "10.0.0.9")
	b.nic("vm2", "VNet1/Subnet2", "10.0.1.5")
	b.nic("nva", "VNet1/Subnet100", "10.0.100.4", "forward")
	b.nic("peer", "VNet2/s", "10.1.0.4")
	b.vpn("gw", "VNet1/GatewaySubnet", nil, site{name: "onprem", ranges: []string{"10.10.0.0/16"}})
	return b.build()
}

// site is the far side of a VPN connection.
type site struct {
	name   string
	ranges []string
	bgp    bool
}

// vpn adds a VPN gateway with connections to sites.
func (b *builder) vpn(name, subnet string, pool []string, sites ...site) *model.Gateway {
	g := &model.Gateway{Meta: meta(gwID(name)), Kind: model.VPNGateway, Subnet: subnetID(subnet), ClientPools: prefixes(pool...)}
	b.add(g)
	for _, s := range sites {
		lng := &model.LocalNetworkGateway{Meta: meta(network("localNetworkGateways", s.name)), Prefixes: prefixes(s.ranges...)}
		c := &model.Connection{Meta: meta(network("connections", s.name)), Kind: "IPsec", Gateway: g.ID, Peer: lng.ID, State: "Connected"}
		if s.bgp {
			c.BGP = model.On
		}
		b.add(lng)
		b.add(c)
	}
	return g
}

// vnetToVNet joins two gateways.
func (b *builder) vnetToVNet(name string, x, y *model.Gateway, bgp bool) {
	c := &model.Connection{Meta: meta(network("connections", name)), Kind: "Vnet2Vnet", Gateway: x.ID, Peer: y.ID, State: "Connected"}
	if bgp {
		c.BGP = model.On
	}
	b.add(c)
}

func farSide(gateway, connection string) model.Place {
	return model.Place{Kind: model.PlaceFarSide, ID: gwID(gateway), Part: connection}
}

// EX-07: Subnet1 of the route overview; doc.
func TestEX07(t *testing.T) {
	e := udrOverview(t)
	const nva = "VirtualAppliance 10.0.100.4"
	for dst, want := range map[string]string{
		"10.0.0.9": "VnetLocal", "10.0.1.9": nva, "10.1.0.4": "None", "10.2.3.4": "None", "10.10.0.7": nva, // doc
		"203.0.113.9": nva, "192.168.5.5": nva, "172.16.9.9": nva, "100.64.1.1": nva, "10.200.0.1": nva, // doc
	} {
		r := Run(e, Options{}, packet("10.0.0.5 > "+dst+" tcp/443"))
		check(t, dst, r, nextHop(r), want)
	}
	// doc: a Storage address takes the service endpoint.
	r := Run(e, Options{}, tagged(packet("10.0.0.5 > 20.60.0.9 tcp/443"), "Storage.westeurope"))
	check(t, "a Storage address", r, nextHop(r), "VirtualNetworkServiceEndpoint")
}

// EX-08: Subnet2 of the same VNet; doc, the reply der.
func TestEX08(t *testing.T) {
	e := udrOverview(t)
	for dst, want := range map[string]string{
		"10.0.0.9": "VnetLocal", "10.1.0.4": "VNetPeering", "10.10.0.7": "VirtualNetworkGateway", "10.200.0.1": "None", "203.0.113.9": "Internet", // doc
	} {
		r := Run(e, Options{}, packet("10.0.1.5 > "+dst+" tcp/443"))
		check(t, dst, r, nextHop(r), want)
	}
	r := Run(e, Options{}, packet("10.0.1.5 > 10.0.0.9 tcp/443"))
	check(t, "Subnet2 to Subnet1", r, ask(r, nic("vm1b")), asym) // der: the reply goes by the appliance
}

// EX-09: longest prefix, then user route before system; doc.
func TestEX09(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16", "10.9.0.0/16")
	b.routes("rt", "10.0.0.0/24 10.9.0.1", "10.0.0.0/16 10.9.0.2")
	b.routes("gw", "0.0.0.0/0 VirtualNetworkGateway")
	b.subnet("net/a", "10.9.1.0/24", "rt=rt")
	b.subnet("net/b", "10.9.2.0/24", "rt=gw")
	b.subnet("net/GatewaySubnet", "10.9.255.0/27")
	b.nic("vma", "net/a", "10.9.1.4")
	b.nic("vmb", "net/b", "10.9.2.4")
	b.vpn("gw", "net/GatewaySubnet", nil)
	e := b.build()
	for _, test := range []struct{ packet, want string }{
		{"10.9.1.4 > 10.0.0.5 tcp/443", "VirtualAppliance 10.9.0.1"}, // doc
		{"10.9.1.4 > 10.0.1.5 tcp/443", "VirtualAppliance 10.9.0.2"}, // doc
		{"10.9.2.4 > 203.0.113.9 tcp/443", "VirtualNetworkGateway"},  // doc
	} {
		r := Run(e, Options{}, packet(test.packet))
		check(t, test.packet, r, nextHop(r), test.want)
	}
}

// EX-10: routes that are learned never win inside the VNet and its peers; doc. The announcements come from a gateway here: a Route
// Server is not in the model.
func TestEX10(t *testing.T) {
	for _, udr := range []bool{false, true} {
		b := estate(t)
		v := b.vnet("net", "10.0.0.0/16")
		p := b.vnet("peer", "10.1.0.0/16")
		b.peer(v, p)
		learned := []string{"10.0.1.0/24", "10.1.2.0/24", "10.50.0.0/16", "0.0.0.0/0"}
		if udr {
			b.routes("rt", "10.0.1.0/24 10.0.9.4", "10.1.2.0/24 10.0.9.4", "10.50.0.0/16 10.0.9.4", "0.0.0.0/0 10.0.9.4")
		} else {
			b.routes("rt")
		}
		b.subnet("net/s", "10.0.0.0/24", "rt=rt")
		b.subnet("net/GatewaySubnet", "10.0.255.0/27")
		b.nic("vm", "net/s", "10.0.0.4")
		b.vpn("gw", "net/GatewaySubnet", nil, site{name: "far", ranges: learned})
		e := b.build()
		for _, test := range []struct{ dst, want string }{
			{"10.0.1.5", "VnetLocal"},                // doc
			{"10.1.2.5", "VNetPeering"},              // doc
			{"10.50.0.5", "VirtualNetworkGateway"},   // doc: by BGP
			{"203.0.113.9", "VirtualNetworkGateway"}, // doc: by BGP
		} {
			want := test.want
			if udr {
				want = "VirtualAppliance 10.0.9.4" // doc
			}
			r := Run(e, Options{}, packet("10.0.0.4 > "+test.dst+" tcp/443"))
			check(t, test.dst, r, nextHop(r), want)
		}
	}
}

// EX-11: a supernet does not divert; der.
func TestEX11(t *testing.T) {
	for _, test := range []struct{ udr, want string }{
		{"0.0.0.0/0 10.1.0.4", "VNetPeering"},                 // der
		{"10.0.0.0/8 10.1.0.4", "VNetPeering"},                // der
		{"10.1.0.0/16 10.1.0.4", "VirtualAppliance 10.1.0.4"}, // der
		{"10.1.5.0/24 10.1.0.4", "VirtualAppliance 10.1.0.4"}, // der
	} {
		b := estate(t)
		spoke := b.vnet("spoke", "10.2.0.0/16")
		hub := b.vnet("hub", "10.1.0.0/16")
		b.peer(spoke, hub)
		b.routes("rt", test.udr)
		b.subnet("spoke/s", "10.2.0.0/24", "rt=rt")
		b.subnet("hub/AzureFirewallSubnet", "10.1.0.0/26")
		b.subnet("hub/five", "10.1.5.0/24")
		b.firewall("fw", "hub/AzureFirewallSubnet", "10.1.0.4")
		b.nic("vm", "spoke/s", "10.2.0.4")
		r := Run(b.build(), Options{}, packet("10.2.0.4 > 10.1.5.5 tcp/443"))
		check(t, test.udr, r, nextHop(r), test.want)
	}
}

// EX-14: point-to-site reach by topology; doc.
func TestEX14(t *testing.T) {
	vnets := func(b *builder) []*model.VNet {
		var out []*model.VNet
		for _, n := range []string{"1", "2", "3", "4"} {
			out = append(out, b.vnet("VNet"+n, "10."+n+".0.0/16"))
			b.subnet("VNet"+n+"/s", "10."+n+".0.0/24")
			b.subnet("VNet"+n+"/GatewaySubnet", "10."+n+".255.0/27")
			b.nic("vm"+n, "VNet"+n+"/s", "10."+n+".0.4")
		}
		return out
	}
	gateways := func(b *builder, bgp bool) []*model.Gateway {
		g1 := b.vpn("gw1", "VNet1/GatewaySubnet", []string{"192.168.0.0/24"})
		g2 := b.vpn("gw2", "VNet2/GatewaySubnet", nil)
		g3 := b.vpn("gw3", "VNet3/GatewaySubnet", nil)
		b.vnetToVNet("c12", g1, g2, bgp)
		b.vnetToVNet("c23", g2, g3, bgp)
		return []*model.Gateway{g1, g2, g3}
	}
	client := farSide("gw1", clients)
	vms := []string{"10.1.0.4", "10.2.0.4", "10.3.0.4", "10.4.0.4"}
	run := func(name string, e *model.Estate, want [4]string) {
		t.Helper()
		for i, dst := range vms {
			r := Run(e, Options{}, from(client, packet("192.168.0.9 > "+dst+" tcp/443")))
			got := ask(r, nic(fmt.Sprintf("vm%d", i+1)))
			if got == asym {
				got = reached // the table is about the client's packets
			}
			check(t, name+" to "+dst, r, got, want[i])
		}
	}

	b := estate(t)
	vnets(b)
	b.vpn("gw1", "VNet1/GatewaySubnet", []string{"192.168.0.0/24"})
	run("VNet1 alone", b.build(), [4]string{reached, nothing, nothing, nothing}) // doc

	b = estate(t)
	v := vnets(b)
	hub, spoke := b.peer(v[0], v[1])
	hub.AllowGatewayTransit, spoke.UseRemoteGateways = model.On, model.On
	b.peer(v[1], v[2])
	b.peer(v[0], v[3])
	b.vpn("gw1", "VNet1/GatewaySubnet", []string{"192.168.0.0/24"})
	// doc: VNet4 is listed as reached; without the flag of its peering that rests on ASM-FWD (AZ-PEER-07).
	run("peerings", b.build(), [4]string{reached, reached, nothing, unclear})

	b = estate(t)
	vnets(b)
	gateways(b, false)
	run("S2S 1-2, 2-3 without BGP", b.build(), [4]string{reached, nothing, nothing, nothing}) // doc

	b = estate(t)
	vnets(b)
	gateways(b, true)
	run("S2S 1-2, 2-3 with BGP", b.build(), [4]string{reached, reached, reached, nothing}) // doc

	for _, bgp := range []bool{false, true} {
		b = estate(t)
		vnets(b)
		b.vpn("gw1", "VNet1/GatewaySubnet", []string{"192.168.0.0/24"}, site{"site1", []string{"10.101.0.0/16"}, bgp})
		e := b.build()
		run("S2S 1-Site1", e, [4]string{reached, nothing, nothing, nothing}) // doc
		r := Run(e, Options{}, from(client, packet("192.168.0.9 > 10.101.0.4 tcp/443")))
		over, oneWay, _ := r.Delivered(farSide("gw1", "site1"))
		if !over || oneWay != bgp { // doc: with BGP; without it the page contradicts itself: over A, under D
			t.Errorf("Site1 with BGP %v: got over %v, certain %v\n%s", bgp, over, oneWay, show(r))
		}
	}

	for _, bgp := range []bool{false, true} {
		b = estate(t)
		vnets(b)
		g := gateways(b, bgp)
		lng := &model.LocalNetworkGateway{Meta: meta(network("localNetworkGateways", "site1")), Prefixes: prefixes("10.101.0.0/16")}
		c := &model.Connection{Meta: meta(network("connections", "site1")), Kind: "IPsec", Gateway: g[2].ID, Peer: lng.ID, State: "Connected"}
		if bgp {
			c.BGP = model.On
		}
		b.add(lng)
		b.add(c)
		e := b.build()
		want := [4]string{reached, nothing, nothing, nothing} // doc
		if bgp {
			want = [4]string{reached, reached, reached, nothing} // doc: all
		}
		run("S2S 1-2-3-Site1", e, want)
		r := Run(e, Options{}, from(client, packet("192.168.0.9 > 10.101.0.4 tcp/443")))
		if over, _, _ := r.Delivered(farSide("gw3", "site1")); over != bgp { // doc
			t.Errorf("Site1 over VNet-to-VNet with BGP %v: got %v\n%s", bgp, over, show(r))
		}
	}
}

// EX-15: gateway transit; doc.
func TestEX15(t *testing.T) {
	for _, test := range []struct{ transit, remote, noPropagation, want bool }{
		{true, true, false, true},   // doc
		{true, false, false, false}, // doc
		{false, true, false, false}, // doc
		{true, true, true, false},   // doc
	} {
		b := estate(t)
		hub := b.vnet("hub", "10.0.0.0/16")
		spoke := b.vnet("spoke", "10.1.0.0/16")
		h, s := b.peer(hub, spoke)
		h.AllowGatewayTransit, s.UseRemoteGateways = model.SettingOf(test.transit), model.SettingOf(test.remote)
		b.routes("rt").DisableBGP = model.SettingOf(test.noPropagation)
		b.subnet("hub/GatewaySubnet", "10.0.255.0/27")
		b.subnet("spoke/s", "10.1.0.0/24", "rt=rt")
		b.nic("vm", "spoke/s", "10.1.0.4")
		b.vpn("gw", "hub/GatewaySubnet", nil, site{name: "onprem", ranges: []string{"10.10.0.0/16"}})
		r := Run(b.build(), Options{}, packet("10.1.0.4 > 10.10.0.7 tcp/443"))
		if got := ask(r, farSide("gw", "onprem")) == reached; got != test.want {
			t.Errorf("%+v: got %v\n%s", test, got, show(r))
		}
	}
}

// EX-16: spokes behind an appliance; doc and der per row.
func TestEX16(t *testing.T) {
	for _, test := range []struct {
		udr, forwarding, allow bool
		over                   bool
		assumption             string
	}{
		{false, true, true, false, ""},        // doc: None of 10.0.0.0/8
		{true, true, true, true, "ASM-NVA"},   // doc: certain only if the appliance's rules are known
		{true, true, false, true, "ASM-FWD"},  // doc, contradicted: unknown, never blocked
		{true, false, true, false, "ASM-NVA"}, // doc: by routing; a proxy may relay
	} {
		b := estate(t)
		hub, s1, s2 := b.vnet("hub", "10.0.0.0/16"), b.vnet("spoke1", "10.1.0.0/16"), b.vnet("spoke2", "10.2.0.0/16")
		b.peer(hub, s1)
		_, back := b.peer(hub, s2)
		back.AllowForwarded = model.SettingOf(test.allow)
		if test.udr {
			b.routes("rt", "10.2.0.0/16 10.0.0.4")
		} else {
			b.routes("rt")
		}
		b.subnet("hub/nva", "10.0.0.0/24")
		b.subnet("spoke1/s", "10.1.0.0/24", "rt=rt")
		b.subnet("spoke2/s", "10.2.0.0/24")
		b.nic("nva", "hub/nva", "10.0.0.4").IPForwarding = model.SettingOf(test.forwarding)
		b.nic("vm1", "spoke1/s", "10.1.0.5")
		b.nic("vm2", "spoke2/s", "10.2.0.5")
		r := Run(b.build(), Options{}, packet("10.1.0.5 > 10.2.0.5 tcp/443"))
		over, oneWay, _ := r.Delivered(nic("vm2"))
		if over != test.over || oneWay {
			t.Errorf("%+v: got over %v, certain %v\n%s", test, over, oneWay, show(r))
		}
		if test.assumption != "" && !hasAssumption(r, test.assumption) {
			t.Errorf("%+v: %s is missing: %v", test, test.assumption, assumptionsOf(r))
		}
		for _, p := range r.Paths { // AZ-PEER-05: never printed as blocked by the peering
			if last := p.Hops[len(p.Hops)-1]; p.End == Dropped && last.Stage == Transport && slices.Contains(last.Assumptions, "ASM-FWD") {
				t.Errorf("%+v: dropped by the peering\n%s", test, show(r))
			}
		}
	}
}

// EX-18: user routes and NSGs at a private endpoint; doc, the last column der.
func TestEX18(t *testing.T) {
	for _, test := range []struct{ policy, udr, path, want string }{
		{"Disabled", "10.1.0.0/16 10.1.9.4", "direct", reached},                    // doc
		{"RouteTableEnabled", "0.0.0.0/0 10.1.9.4", "direct", reached},             // doc
		{"RouteTableEnabled", "10.0.0.0/8 10.1.9.4", "direct", reached},            // doc
		{"RouteTableEnabled", "10.1.0.0/16 10.1.9.4", "fw", asym},                  // doc; the reply bypasses the firewall (AZ-PE-08)
		{"RouteTableEnabled", "10.1.0.0/24 10.1.9.4", "fw", asym},                  // doc
		{"NetworkSecurityGroupEnabled", "10.1.0.0/16 10.1.9.4", "direct", nothing}, // doc
		{"Enabled", "10.1.0.0/16 10.1.9.4", "fw", nothing},                         // doc
		{"Enabled", "0.0.0.0/0 10.1.9.4", "direct", nothing},                       // doc
	} {
		b := estate(t)
		b.vnet("net", "10.1.0.0/16")
		b.nsg("nsg", "100 Deny In tcp * -> * 443")
		b.routes("rt", test.udr)
		b.subnet("net/pe", "10.1.0.0/24", "nsg=nsg", "pe="+test.policy)
		b.subnet("net/client", "10.1.5.0/24", "rt=rt")
		b.subnet("net/AzureFirewallSubnet", "10.1.9.0/26")
		f := b.firewall("fw", "net/AzureFirewallSubnet", "10.1.9.4")
		f.Collections = []model.RuleCollection{collection("all", model.NetworkRules, 100, model.Allow, netRule("any", "* -> * * *"))}
		b.endpoint("pe", "net/pe", "10.1.0.10", "")
		b.nic("vm", "net/client", "10.1.5.4")
		r := Run(b.build(), Options{}, packet("10.1.5.4 > 10.1.0.10 tcp/443"))
		check(t, test.policy+" "+test.udr, r, ask(r, endpoint("pe")), test.want)
		hop := "direct"
		if nextHop(r) == "VirtualAppliance 10.1.9.4" {
			hop = "fw"
		}
		check(t, test.policy+" "+test.udr+" path", r, hop, test.path)
	}
}

// EX-19: subnet peering; doc.
func TestEX19(t *testing.T) {
	b := estate(t)
	v1, v2 := b.vnet("vnet-1", "10.0.0.0/16"), b.vnet("vnet-2", "10.1.0.0/16")
	x, y := b.peer(v1, v2)
	x.CompleteVNets, x.LocalSubnets, x.RemoteSubnets = model.Off, []string{"subnet-1"}, []string{"subnet-3"}
	y.CompleteVNets, y.LocalSubnets, y.RemoteSubnets = model.Off, []string{"subnet-3"}, []string{"subnet-1"}
	b.subnet("vnet-1/subnet-1", "10.0.1.0/24")
	b.subnet("vnet-1/subnet-2", "10.0.2.0/24")
	b.subnet("vnet-2/subnet-3", "10.1.1.0/24")
	b.subnet("vnet-2/subnet-4", "10.1.2.0/24")
	b.nic("vm1", "vnet-1/subnet-1", "10.0.1.4")
	b.nic("vm2", "vnet-1/subnet-2", "10.0.2.4")
	b.nic("vm3", "vnet-2/subnet-3", "10.1.1.4")
	b.nic("vm4", "vnet-2/subnet-4", "10.1.2.4")
	e := b.build()
	for _, test := range []struct{ src, dst, to, want string }{
		{"10.0.1.4", "10.1.1.4", "vm3", reached}, // doc
		{"10.0.1.4", "10.1.2.4", "vm4", nothing}, // doc
		{"10.0.2.4", "10.1.1.4", "vm3", unclear}, // doc: a route exists, ASM-SUBNETPEER
		{"10.0.2.4", "10.1.2.4", "vm4", nothing}, // doc
	} {
		r := Run(e, Options{}, packet(test.src+" > "+test.dst+" tcp/443"))
		check(t, test.src+" to "+test.dst, r, ask(r, nic(test.to)), test.want)
		if test.want == unclear && !hasAssumption(r, "ASM-SUBNETPEER") {
			t.Errorf("ASM-SUBNETPEER is missing: %v", assumptionsOf(r))
		}
	}
}

// EX-23: choice of the outbound method; doc.
func TestEX23(t *testing.T) {
	for _, test := range []struct {
		udr, nat, instance, lb bool
		private                string
		want                   string // source address at the internet, or how it ends
	}{
		{true, true, true, true, "", "appliance"},        // doc
		{false, true, true, true, "", "20.0.0.1"},        // doc: NAT gateway
		{false, false, true, true, "", "20.0.0.2"},       // doc: instance address
		{false, false, false, true, "", "20.0.0.3"},      // doc: load balancer frontend
		{false, false, false, false, "", "default"},      // doc: default outbound access
		{false, false, false, false, "private", nothing}, // doc
	} {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		if test.udr {
			b.routes("rt", "0.0.0.0/0 10.0.9.4")
		} else {
			b.routes("rt")
		}
		s := b.subnet("net/s", "10.0.0.0/24", "rt=rt", test.private)
		b.pip("nat", "20.0.0.1")
		b.pip("own", "20.0.0.2")
		b.pip("lb", "20.0.0.3")
		if test.nat {
			b.add(&model.NATGateway{Meta: meta(network("natGateways", "ng")), PublicIPs: []model.ID{pipID("nat")}})
			s.NATGateway = network("natGateways", "ng")
		}
		n := b.nic("vm", "net/s", "10.0.0.4")
		if test.instance {
			n.IPConfigs[0].PublicIP = pipID("own")
		}
		if test.lb {
			n.IPConfigs[0].LBPools = []model.ID{poolID("p")}
			b.add(&model.LoadBalancer{
				Meta: meta(lbID("lb")), SKU: model.Standard, Frontends: []model.LBFrontend{{ID: lbID("lb") + "/frontends/f", Name: "f", PublicIP: pipID("lb")}},
				Outbound: []model.LBOutboundRule{{Name: "out", Frontends: []model.ID{lbID("lb") + "/frontends/f"}, Pool: poolID("p")}},
			})
		}
		e := b.build()
		r := Run(e, Options{}, packet("10.0.0.4 > 203.0.113.9 tcp/443"))
		got := nothing
		for _, p := range r.Paths {
			switch {
			case p.End == Delivered && p.Certain && e.PublicIPs != nil:
				got = p.Packet.Src.String()
				if s, ok := e.Symbols().At(p.Packet.Src); ok && s.Kind == model.DefaultOutbound {
					got = "default"
				}
			case p.End == Lost:
				got = "appliance"
			}
		}
		check(t, fmt.Sprintf("%+v", test), r, got, test.want)
	}
	// doc: the tag route of a private subnet fails, but for storage of the same region (AZ-OUT-06); the rest goes to the appliance.
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.routes("rt", "0.0.0.0/0 10.0.9.4", "Storage Internet")
	b.subnet("net/s", "10.0.0.0/24", "rt=rt", "private")
	b.nic("vm", "net/s", "10.0.0.4")
	near := &model.Service{Meta: meta("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/near"), Kind: model.StorageAccount}
	farAway := &model.Service{Meta: meta("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/far"), Kind: model.StorageAccount}
	farAway.Location = "eastasia"
	b.add(near)
	b.add(farAway)
	e := b.build()
	door := func(s *model.Service) netip.Addr {
		a, _ := e.Symbols().Of(model.ServiceDoor, s.ID, "")
		return a
	}
	for _, test := range []struct {
		s    *model.Service
		want string
	}{{near, unclear}, {farAway, nothing}} {
		p := packet("10.0.0.4 > 203.0.113.9 tcp/443")
		p.Dst = door(test.s)
		r := Run(e, Options{}, p)
		check(t, test.s.Name(), r, ask(r, model.Place{Kind: model.PlaceService, ID: test.s.ID}), test.want)
	}
	r := Run(e, Options{}, packet("10.0.0.4 > 203.0.113.9 tcp/443"))
	check(t, "others", r, nextHop(r), "VirtualAppliance 10.0.9.4")
}

// EX-25: service-tag routes of equal prefix; doc.
func TestEX25(t *testing.T) {
	const p = "20.60.0.0/16"
	all := []struct{ name, route string }{
		{"10.0.9.1", p + " 10.0.9.1"},
		{"10.0.9.2", "Storage.EastUS 10.0.9.2"},
		{"10.0.9.3", "Storage 10.0.9.3"},
		{"10.0.9.4", "AzureCloud.eastus 10.0.9.4"},
		{"10.0.9.5", "AzureCloud 10.0.9.5"},
	}
	tags := &model.ServiceTags{}
	for _, name := range []string{"AzureCloud", "AzureCloud.eastus", "Storage", "Storage.EastUS"} {
		tags.Tags = append(tags.Tags, model.ServiceTag{Name: name, Prefixes: prefixes(p)})
	}
	for i := range all {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		var routes []string
		for _, r := range all[i:] {
			routes = append(routes, r.route)
		}
		slices.Reverse(routes)
		b.routes("rt", routes...)
		b.subnet("net/s", "10.0.0.0/24", "rt=rt")
		b.nic("vm", "net/s", "10.0.0.4")
		r := Run(b.build(), Options{Tags: tags}, packet("10.0.0.4 > 20.60.0.9 tcp/443"))
		check(t, all[i].route, r, nextHop(r), "VirtualAppliance "+all[i].name) // doc
	}
}

// EX-28: an IPv4 default route does not steer IPv6; der.
func TestEX28(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16", "fd00:db8::/48")
	b.routes("rt", "0.0.0.0/0 10.0.9.4")
	b.subnet("net/s", "10.0.0.0/24,fd00:db8::/64", "rt=rt")
	b.subnet("net/AzureFirewallSubnet", "10.0.9.0/26")
	b.firewall("fw", "net/AzureFirewallSubnet", "10.0.9.4")
	n := b.nic("vm", "net/s", "10.0.0.4")
	n.IPConfigs = append(n.IPConfigs, model.IPConfig{Name: "v6", Subnet: subnetID("net/s"), Address: addr("fd00:db8::4"), PublicIP: pipID("p6")})
	b.pip("p6", "2001:db8:1::1")
	e := b.build()
	r := Run(e, Options{}, packet("10.0.0.4 > 203.0.113.9 tcp/443"))
	check(t, "IPv4", r, nextHop(r), "VirtualAppliance 10.0.9.4") // der
	r = Run(e, Options{}, packet("fd00:db8::4 > 2001:db8::1 tcp/443"))
	check(t, "IPv6", r, nextHop(r), "Internet") // der
	check(t, "IPv6 delivery", r, ask(r, internet()), reached)
	if firstRoute(r).Prefix.String() != "::/0" {
		t.Errorf("IPv6 follows %v", firstRoute(r))
	}
}
