package solver

import (
	"slices"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
)

// wanEstate is a WAN of two hubs: VNets a and b and a site at the first, VNet c and clients at the second. parts replace what has the same
// type and name.
func wanEstate(parts ...az.Resource) []az.Resource {
	base := []az.Resource{
		az.VirtualWAN("wan"),
		az.VirtualHub("hub1", "wan", "10.100.0.0/23", "vpn=vpn"), az.VirtualHub("hub2", "wan", "10.101.0.0/23", "clients=p2s"),
		az.HubTable("hub1/defaultRouteTable", "label default"), az.HubTable("hub2/defaultRouteTable", "label default"),
		az.VNet("a", "10.1.0.0/16", az.Subnet("s", "10.1.1.0/24")), az.VNet("b", "10.2.0.0/16", az.Subnet("s", "10.2.1.0/24")), az.VNet("c", "10.3.0.0/16", az.Subnet("s", "10.3.1.0/24")),
		az.NIC("vma", "a/s", "10.1.1.4"), az.NIC("vmb", "b/s", "10.2.1.4"), az.NIC("vmc", "c/s", "10.3.1.4"),
		az.HubConnection("hub1", "a"), az.HubConnection("hub1", "b"), az.HubConnection("hub2", "c"),
		az.VPNSite("site", "wan", "10.50.0.0/16"), az.HubVPN("vpn", "hub1", "site"), az.HubClients("p2s", "hub2", "172.20.0.0/24"),
	}
	for _, p := range parts {
		if i := slices.IndexFunc(base, func(r az.Resource) bool { return r["id"] == p["id"] }); i >= 0 {
			base[i] = p
		} else {
			base = append(base, p)
		}
	}
	return base
}

type wanRow struct{ from, packet, to, want string }

func wanRows(t *testing.T, s *Solution, rows ...wanRow) {
	t.Helper()
	for _, r := range rows {
		s.wants(t, "", r.from, r.packet, r.to, r.want)
	}
}

// EX-34: Virtual WAN, everything by default; der from AZ-WAN-02.
func TestEX34(t *testing.T) {
	s := imported(t, "", wanEstate()...)
	wanRows(t, s,
		wanRow{"nic:vma", "10.1.1.4 > 10.2.1.4 tcp/443", "nic:vmb", "A same > same"},
		wanRow{"nic:vma", "10.1.1.4 > 10.3.1.4 tcp/443", "nic:vmc", "A same > same"},
		wanRow{"nic:vma", "10.1.1.4 > 10.50.0.4 tcp/443", "far:vpn/site", "A same > same"},
		wanRow{"far:vpn/site", "10.50.0.4 > 10.3.1.4 tcp/443", "nic:vmc", "A same > same"},
		wanRow{"far:p2s/clients", "172.20.0.4 > 10.50.0.4 tcp/443", "far:vpn/site", "A same > same"},
		wanRow{"nic:vma", "10.1.1.4 > 203.0.113.9 tcp/443", "internet:", "A"}, // its own default route
	)
	agree(t, s, 1000, 34)

	s = imported(t, "", wanEstate(az.VirtualWAN("wan", "no-branches"))...)
	wanRows(t, s,
		wanRow{"far:p2s/clients", "172.20.0.4 > 10.50.0.4 tcp/443", "far:vpn/site", "D"},
		wanRow{"far:p2s/clients", "172.20.0.4 > 10.1.1.4 tcp/443", "nic:vma", "A same > same"},
	)
	agree(t, s, 500, 35)

	s = imported(t, "", wanEstate(az.VirtualWAN("wan", "basic"))...)
	wanRows(t, s,
		wanRow{"nic:vma", "10.1.1.4 > 10.2.1.4 tcp/443", "nic:vmb", "D"},
		wanRow{"far:vpn/site", "10.50.0.4 > 10.1.1.4 tcp/443", "nic:vma", "A same > same"},
		wanRow{"far:vpn/site", "10.50.0.4 > 10.3.1.4 tcp/443", "nic:vmc", "over"}, // no way between hubs is offered
	)
	agree(t, s, 500, 36)
}

// EX-35: route tables of hubs; der. VNets that are associated to a table which learns branches alone reach branches, not each other.
func TestEX35(t *testing.T) {
	isolated := []string{"assoc=iso", "label=default"}
	s := imported(t, "", wanEstate(
		az.HubTable("hub1/iso", "label iso"),
		az.HubConnection("hub1", "a", isolated...), az.HubConnection("hub1", "b", isolated...),
		az.HubVPN("vpn", "hub1", "site", "to=defaultRouteTable", "label=default", "label=iso"),
	)...)
	wanRows(t, s,
		wanRow{"nic:vma", "10.1.1.4 > 10.2.1.4 tcp/443", "nic:vmb", "D"},
		wanRow{"nic:vma", "10.1.1.4 > 10.3.1.4 tcp/443", "nic:vmc", "D"},
		wanRow{"nic:vma", "10.1.1.4 > 10.50.0.4 tcp/443", "far:vpn/site", "A same > same"},
		wanRow{"far:vpn/site", "10.50.0.4 > 10.2.1.4 tcp/443", "nic:vmb", "A same > same"},
		wanRow{"nic:vmc", "10.3.1.4 > 10.1.1.4 tcp/443", "nic:vma", "A same > same"}, // one way: a has no route back
	)
	agree(t, s, 666, 35)

	// AZ-WAN-04: a static route of the connection leads to an appliance in VNet b; it beats nothing that is longer.
	s = imported(t, "", wanEstate(
		az.HubTable("hub1/defaultRouteTable", "label default", "10.2.64.0/18,10.77.0.0/16 -> "+az.ID("virtualHubs/hubVirtualNetworkConnections", "hub1/b")),
		az.VNet("b", "10.2.0.0/16", az.Subnet("s", "10.2.1.0/24"), az.Subnet("AzureFirewallSubnet", "10.2.0.0/26"), az.Peering("d", "forwarded")),
		az.VNet("d", "10.77.0.0/16", az.Subnet("s", "10.77.1.0/24"), az.Peering("b", "forwarded")), az.NIC("vmd", "d/s", "10.77.1.4"),
		az.PublicIP("pip", "20.0.0.4"), az.Firewall("fw", "b/AzureFirewallSubnet", "10.2.0.4", "pip", "100 Allow tcp 10.1.0.0/16 -> 10.77.0.0/16 443"),
		az.HubConnection("hub1", "b", "static=10.77.0.0/16>10.2.0.4"),
	)...)
	wanRows(t, s,
		wanRow{"nic:vma", "10.1.1.4 > 10.77.1.4 tcp/443", "nic:vmd", "A same > same"},
		wanRow{"nic:vma", "10.1.1.4 > 10.77.1.4 tcp/22", "nic:vmd", "D"},
		wanRow{"nic:vma", "10.1.1.4 > 10.2.1.4 tcp/22", "nic:vmb", "A same > same"},
	)
	agree(t, s, 666, 36)

	// AZ-WAN-02: a table that the input lacks may lead anywhere in the WAN, and nowhere for certain.
	s = imported(t, "", wanEstate(az.HubConnection("hub1", "a", isolated...))...)
	wanRows(t, s, wanRow{"nic:vma", "10.1.1.4 > 10.2.1.4 tcp/443", "nic:vmb", "over"})
	agree(t, s, 500, 37)
}

// EX-36: routing intent; doc for the ways (how-to-routing-policies.md), der for the verdicts.
func TestEX36(t *testing.T) {
	fw1 := az.HubFirewall("fw1", "hub1", "10.100.0.4", "20.0.0.1", "100 Allow tcp 10.1.0.0/16 -> 10.2.0.0/16,10.3.0.0/16 443", "200 Allow tcp 10.1.0.0/16 -> 203.0.113.0/24 443")
	hub1 := az.VirtualHub("hub1", "wan", "10.100.0.0/23", "vpn=vpn", "firewall=fw1")
	s := imported(t, "", wanEstate(
		hub1, fw1, az.RoutingIntent("hub1", "fw1", "PrivateTraffic", "Internet"), az.HubConnection("hub1", "a", "secure"),
	)...)
	wanRows(t, s,
		wanRow{"nic:vma", "10.1.1.4 > 10.2.1.4 tcp/443", "nic:vmb", "A same > same"},
		wanRow{"nic:vma", "10.1.1.4 > 10.2.1.4 tcp/22", "nic:vmb", "D"},
		wanRow{"nic:vma", "10.1.1.4 > 10.3.1.4 tcp/443", "nic:vmc", "A same > same"}, // a hub without a firewall
		wanRow{"nic:vmc", "10.3.1.4 > 10.1.1.4 tcp/443", "nic:vma", "D"},             // the policy of hub1 acts on what comes in
		wanRow{"far:vpn/site", "10.50.0.4 > 10.1.1.4 tcp/443", "nic:vma", "D"},
		wanRow{"nic:vma", "10.1.1.4 > 203.0.113.9 tcp/443", "internet:", "A"},
		wanRow{"nic:vma", "10.1.1.4 > 203.0.113.9 tcp/22", "internet:", "D"},
		wanRow{"nic:vmb", "10.2.1.4 > 203.0.113.9 tcp/22", "internet:", "A"}, // without enableInternetSecurity: its own default route
	)
	agree(t, s, 1000, 36)

	// Both hubs: the packet passes both firewalls.
	fw2 := az.HubFirewall("fw2", "hub2", "10.101.0.4", "20.0.0.2", "100 Allow tcp 10.1.0.0/16 -> 10.3.0.0/16 443")
	both := func(rules ...string) *Solution {
		return imported(t, "", wanEstate(
			hub1, az.HubFirewall("fw1", "hub1", "10.100.0.4", "20.0.0.1", rules...), az.RoutingIntent("hub1", "fw1", "PrivateTraffic"),
			az.VirtualHub("hub2", "wan", "10.101.0.0/23", "clients=p2s", "firewall=fw2"), fw2, az.RoutingIntent("hub2", "fw2", "PrivateTraffic"),
		)...)
	}
	s = both("100 Allow tcp 10.1.0.0/16 -> 10.3.0.0/16 *")
	wanRows(t, s,
		wanRow{"nic:vma", "10.1.1.4 > 10.3.1.4 tcp/443", "nic:vmc", "A same > same"},
		wanRow{"nic:vma", "10.1.1.4 > 10.3.1.4 tcp/22", "nic:vmc", "D"}, // fw2
	)
	agree(t, s, 666, 37)
	s = both()
	wanRows(t, s, wanRow{"nic:vma", "10.1.1.4 > 10.3.1.4 tcp/443", "nic:vmc", "D"}) // fw1

	// AZ-FW-52: without an intent the firewall of the hub is past; a static default route of the table leads to it.
	s = imported(t, "", wanEstate(hub1, fw1)...)
	wanRows(t, s, wanRow{"nic:vma", "10.1.1.4 > 10.2.1.4 tcp/22", "nic:vmb", "A same > same"})
	agree(t, s, 500, 38)
	s = imported(t, "", wanEstate(
		hub1, fw1, az.HubTable("hub1/defaultRouteTable", "label default", "0.0.0.0/0,10.0.0.0/8 -> "+az.ID("azureFirewalls", "fw1")), az.HubConnection("hub1", "a", "secure"),
	)...)
	wanRows(t, s,
		wanRow{"nic:vma", "10.1.1.4 > 203.0.113.9 tcp/443", "internet:", "A"},
		wanRow{"nic:vma", "10.1.1.4 > 203.0.113.9 tcp/22", "internet:", "D"},
		wanRow{"nic:vma", "10.1.1.4 > 10.2.1.4 tcp/22", "nic:vmb", "A same > same"}, // the learned prefix is longer than 10.0.0.0/8
	)
	agree(t, s, 500, 39)

	// A next hop that the input lacks is unknown, by name.
	s = imported(t, "", wanEstate(az.RoutingIntent("hub1", "gone", "PrivateTraffic"))...)
	r, err := s.Reach(selectors(t, "subnet:a/s"), selectors(t, "subnet:b/s"), nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != Unknown || !slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return a.ID == "MISSING(next hop gone)" }) {
		t.Errorf("got %s %v, want unknown by the missing next hop", r.Verdict, r.Assumptions)
	}
}

// EX-37: what a hub learns by BGP, and a hub that the input lacks; der.
func TestEX37(t *testing.T) {
	s := imported(t, "", wanEstate(az.VirtualHub("hub2", "wan", "10.101.0.0/23", "clients=p2s", "er=er"), az.HubExpressRoute("er", "hub2"))...)
	wanRows(t, s,
		wanRow{"nic:vma", "10.1.1.4 > 10.88.0.4 tcp/443", "far:er/circuit", "over"},
		wanRow{"nic:vma", "10.1.1.4 > 10.2.1.4 tcp/443", "nic:vmb", "over"}, // the circuit may advertise something longer
		wanRow{"far:vpn/site", "10.50.0.4 > 10.88.0.4 tcp/443", "far:er/circuit", "over"},
	)
	agree(t, s, 666, 37)

	lone := az.VNet("a", "10.1.0.0/16", az.Subnet("s", "10.1.1.0/24"), az.Peering("HV_hub").Set(".name", "RemoteVnetToHubPeering_1").Set("useRemoteGateways", true).
		Set("remoteAddressSpace", az.Object{"addressPrefixes": []any{"10.100.0.0/23"}}))
	s = imported(t, "", lone, az.VNet("b", "10.2.0.0/16", az.Subnet("s", "10.2.1.0/24")), az.NIC("vma", "a/s", "10.1.1.4"), az.NIC("vmb", "b/s", "10.2.1.4"))
	r, err := s.Reach(selectors(t, "subnet:a/s"), selectors(t, "subnet:b/s"), nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != Unknown {
		t.Errorf("a hub that the input lacks: got %s, want unknown", r.Verdict)
	}
}
