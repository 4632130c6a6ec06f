package solver

import (
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
)

// EX-30: VPN NAT between a VNet and two branches with the same addresses; translations doc, verdicts der.
func TestEX30(t *testing.T) {
	ask := questions(t, "ip:10.0.1.4", "ip:10.0.1.7", "ip:100.0.2.7", "ip:100.0.1.4")
	estate := func(ingress string, rules ...string) *Solution {
		gw := az.VPNGateway("gw", "net").
			NATRule("in1", "IngressSnat", ingress, "10.0.1.0/24", "100.0.2.0/24").
			NATRule("in2", "IngressSnat", "Static", "10.0.1.0/24", "100.0.3.0/24").
			NATRule("out", "EgressSnat", "Static", "10.0.1.0/24", "100.0.1.0/24")
		return importedWith(t, ask,
			"  branch1: {kind: on-prem, owner: IT, members: ['cidr:100.0.2.0/24'], behind: 'gateway:gw'}\n"+
				"  branch2: {kind: on-prem, owner: IT, members: ['cidr:100.0.3.0/24'], behind: 'gateway:gw'}\n"+
				"  vms: {kind: trusted, owner: IT, members: ['subnet:net/vms']}\n",
			az.VNet("net", "10.0.1.0/24", az.Subnet("vms", "10.0.1.0/26", "nsg=nsg"), az.Subnet("GatewaySubnet", "10.0.1.224/27")),
			az.NSG("nsg", rules...), az.NIC("vm", "net/vms", "10.0.1.4"),
			gw, az.LocalGateway("lng1", "100.0.2.0/24"), az.LocalGateway("lng2", "100.0.3.0/24"),
			az.Connection("branch1", "gw", "local:lng1").NAT("gw", "ingress=in1", "egress=out"),
			az.Connection("branch2", "gw", "local:lng2").NAT("gw", "ingress=in2", "egress=out"))
	}
	s := estate("Static")
	s.wants(t, "row 1", "far:gw/branch1", "10.0.1.7 > 100.0.1.4 tcp/443", "nic:vm", "A 100.0.2.7 > 10.0.1.4")
	s.wants(t, "row 2", "far:gw/branch2", "10.0.1.7 > 100.0.1.4 tcp/443", "nic:vm", "A 100.0.3.7 > 10.0.1.4")
	s.wants(t, "row 4", "nic:vm", "10.0.1.4 > 100.0.2.7 tcp/443", "far:gw/branch1", "A 100.0.1.4 > 10.0.1.7")
	s.wants(t, "row 5", "nic:vm", "10.0.1.4 > 10.0.1.7 tcp/443", "far:gw/branch1", "D")
	s.wants(t, "row 5", "nic:vm", "10.0.1.4 > 10.0.1.7 tcp/443", "far:gw/branch2", "D")
	// A zone is known by the addresses that the estate sees, and so is the host of it that a question names.
	for _, test := range []struct {
		from, to string
		want     Verdict
	}{
		{"zone:branch1", "nic:vm", Reachable}, {"ip:100.0.2.7", "nic:vm", Reachable}, {"nic:vm", "zone:branch2", Reachable}, {"zone:branch1", "zone:branch2", Unknown},
	} {
		r, err := s.Reach(selectors(t, test.from), selectors(t, test.to), nil, false)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != test.want {
			t.Errorf("%s to %s: got %s, want %s", test.from, test.to, r.Verdict, test.want)
		}
	}
	agree(t, s, 1000, 30)

	s = estate("Static", "100 Deny In * 10.0.1.0/24 -> * *")
	s.wants(t, "row 3", "far:gw/branch1", "10.0.1.7 > 100.0.1.4 tcp/443", "nic:vm", "A 100.0.2.7 > 10.0.1.4")

	ask = questions(t, "ip:10.0.1.4", "ip:100.0.1.4") // what is asked about one address of the pool is not certain
	s = estate("Dynamic")
	s.wants(t, "row 6", "nic:vm", "10.0.1.4 > 100.0.2.7 tcp/443", "far:gw/branch1", "D")
	s.wants(t, "row 7", "far:gw/branch1", "10.0.1.7 > 100.0.1.4 tcp/443", "nic:vm", "A 100.0.2.0/24 > 10.0.1.4")
	agree(t, s, 1000, 31)
}

// gatewayEstate is a hub with a VPN gateway, two spokes of which one is in transit, and a VNet behind a VNet-to-VNet connection.
func gatewayEstate(more ...az.Resource) []az.Resource {
	return append([]az.Resource{
		az.VNet("hub", "10.0.0.0/16", az.Subnet("vms", "10.0.1.0/24", "nsg=nsg"), az.Subnet("plain", "10.0.2.0/24"), az.Subnet("GatewaySubnet", "10.0.0.0/27", "rt=gw"),
			az.Peering("spoke", "transit", "forwarded"), az.Peering("apart")),
		az.VNet("spoke", "10.1.0.0/16", az.Subnet("vms", "10.1.1.0/24", "nsg=nsg"), az.Subnet("closed", "10.1.2.0/24", "rt=closed"),
			az.Subnet("forced", "10.1.3.0/24", "rt=forced"), az.Peering("hub", "remote")),
		az.VNet("apart", "10.2.0.0/16", az.Subnet("vms", "10.2.1.0/24"), az.Peering("hub")),
		az.VNet("other", "10.3.0.0/16", az.Subnet("vms", "10.3.1.0/24"), az.Subnet("GatewaySubnet", "10.3.0.0/27")),
		az.NSG("nsg"), az.RouteTable("closed", "no-propagation"), az.RouteTable("forced", "0.0.0.0/0 VirtualNetworkGateway"),
		az.NIC("hubvm", "hub/vms", "10.0.1.4"), az.NIC("plainvm", "hub/plain", "10.0.2.4"), az.NIC("spokevm", "spoke/vms", "10.1.1.4"), az.NIC("closedvm", "spoke/closed", "10.1.2.4"),
		az.NIC("forcedvm", "spoke/forced", "10.1.3.4"), az.NIC("apartvm", "apart/vms", "10.2.1.4"), az.NIC("othervm", "other/vms", "10.3.1.4"),
	}, more...)
}

// AZ-GW-11: a zone enters by the connections whose prefixes meet it; one that meets none by any, possibly. AZ-GW-09: a VNet behind a tunnel
// answers through it.
func TestZonesBehindGateways(t *testing.T) {
	ask := questions(t, "nic:hubvm", "nic:spokevm", "nic:closedvm", "nic:apartvm", "nic:othervm", "nic:plainvm", "nic:forcedvm")
	s := importedWith(t, ask, `  site: {kind: on-prem, owner: IT, members: ['cidr:172.16.0.0/24'], behind: 'gateway:vpn'}
  wifi: {kind: wireless, owner: IT, members: ['cidr:172.16.0.128/25'], behind: 'gateway:vpn'}
  stray: {kind: on-prem, owner: IT, members: ['cidr:172.31.0.0/16'], behind: 'gateway:vpn'}
  elsewhere: {kind: partner, owner: IT, members: ['cidr:172.16.9.0/24']}
`, gatewayEstate(
		az.RouteTable("gw", ""), az.VPNGateway("vpn", "hub"), az.LocalGateway("a", "172.16.0.0/24"), az.LocalGateway("b", "172.16.8.0/22"),
		az.Connection("a", "vpn", "local:a"), az.Connection("b", "vpn", "local:b"),
		az.VPNGateway("far", "other"), az.Connection("there", "vpn", "gateway:far"), az.Connection("back", "far", "gateway:vpn"))...)
	for _, test := range []struct {
		from, to string
		want     Verdict
		label    string
	}{
		{"zone:site", "nic:hubvm", Reachable, ""},
		{"zone:wifi", "nic:spokevm", Reachable, ""},
		{"nic:spokevm", "zone:wifi", Reachable, ""},
		{"zone:stray", "nic:plainvm", Unknown, ""},               // no connection names it
		{"zone:stray", "nic:hubvm", Unreachable, ""},             // … and the NSG does not know it
		{"zone:elsewhere", "nic:hubvm", Reachable, ""},           // the connection that does leads to one gateway alone
		{"zone:site", "nic:apartvm", Unknown, ""},                // AZ-PEER-07
		{"nic:closedvm", "zone:site", Unreachable, ""},           // AZ-RT-26
		{"nic:plainvm", "nic:othervm", Reachable, ""},            // AZ-GW-09
		{"nic:hubvm", "nic:othervm", Unknown, ""},                // AZ-TAG-01: a VNet behind a gateway is perhaps in the tag
		{"nic:forcedvm", "nic:othervm", Reachable, "asymmetric"}, // without BGP the other side does not know the spoke
	} {
		r, err := s.Reach(selectors(t, test.from), selectors(t, test.to), nil, false)
		if err != nil {
			t.Fatal(err)
		}
		label := ""
		for _, f := range r.Flows {
			if f.Verdict == r.Verdict {
				label = f.Label
			}
		}
		if r.Verdict != test.want || label != test.label {
			t.Errorf("%s to %s: got %s %s, want %s %s", test.from, test.to, r.Verdict, label, test.want, test.label)
		}
	}
}

// Both engines read gateways alike, whatever is connected to them.
func TestEnginesAgreeOnGateways(t *testing.T) {
	circuit := func(name, gateway, circuit string) az.Resource {
		return az.New("connections", name, az.Object{
			"connectionType": "ExpressRoute", "virtualNetworkGateway1": az.Ref("virtualNetworkGateways", gateway), "connectionStatus": "Connected",
			"peer": az.Object{"id": az.ID("expressRouteCircuits", circuit)}, "expressRouteGatewayBypass": false,
		})
	}
	expressRoute := func(name, vnet string) az.Resource {
		return az.VPNGateway(name, vnet).Set("gatewayType", "ExpressRoute").Set("vpnType", nil)
	}
	plain := az.RouteTable("gw", "")
	for _, test := range []struct {
		name  string
		zones string
		parts []az.Resource
	}{
		{"two sites and clients", "", []az.Resource{
			plain, az.VPNGateway("vpn", "hub", "clients=192.168.0.0/24"), az.LocalGateway("a", "172.16.0.0/16,172.17.0.0/16"), az.LocalGateway("b", "172.16.5.0/24"),
			az.Connection("a", "vpn", "local:a"), az.Connection("b", "vpn", "local:b"),
		}},
		{"one prefix twice", "", []az.Resource{
			plain, az.VPNGateway("vpn", "hub"), az.LocalGateway("a", "172.16.0.0/16"), az.LocalGateway("b", "172.16.0.0/16"),
			az.Connection("a", "vpn", "local:a"), az.Connection("b", "vpn", "local:b", "state=NotConnected"),
		}},
		{"BGP", "", []az.Resource{
			plain, az.VPNGateway("vpn", "hub", "bgp", "clients=192.168.0.0/24"), az.LocalGateway("a", "172.16.0.0/16"), az.LocalGateway("b", "172.17.0.0/16"),
			az.Connection("a", "vpn", "local:a", "bgp"), az.Connection("b", "vpn", "local:b"),
		}},
		{"VNet-to-VNet", "", []az.Resource{
			plain, az.VPNGateway("vpn", "hub", "clients=192.168.0.0/24"), az.VPNGateway("far", "other"), az.LocalGateway("a", "172.16.0.0/16"), az.Connection("a", "far", "local:a"),
			az.Connection("there", "vpn", "gateway:far"), az.Connection("back", "far", "gateway:vpn"),
		}},
		{"VNet-to-VNet with BGP", "", []az.Resource{
			plain, az.VPNGateway("vpn", "hub", "bgp", "clients=192.168.0.0/24"), az.VPNGateway("far", "other", "bgp"), az.LocalGateway("a", "172.16.0.0/16"),
			az.Connection("a", "far", "local:a", "bgp"), az.Connection("there", "vpn", "gateway:far", "bgp"), az.Connection("back", "far", "gateway:vpn", "bgp"),
		}},
		{"ExpressRoute", "", []az.Resource{plain, expressRoute("er", "hub"), circuit("c1", "er", "circuit")}},
		{"one circuit", "", []az.Resource{plain, expressRoute("er", "hub"), expressRoute("er2", "other"), circuit("c1", "er", "circuit"), circuit("c2", "er2", "circuit")}},
		{"two circuits", "", []az.Resource{plain, expressRoute("er", "hub"), expressRoute("er2", "other"), circuit("c1", "er", "circuit"), circuit("c2", "er2", "circuit2")}},
		{"VPN beside ExpressRoute", "", []az.Resource{
			plain, expressRoute("er", "hub"), circuit("c1", "er", "circuit"), az.VPNGateway("vpn", "hub"), az.LocalGateway("a", "172.16.0.0/16"), az.Connection("a", "vpn", "local:a"),
		}},
		{"FastPath past user routes", "", []az.Resource{
			az.RouteTable("gw", "10.1.0.0/16 None", "10.1.1.0/24 None", "10.0.1.0/24 VnetLocal"), expressRoute("er", "hub"), circuit("c1", "er", "circuit").Set("expressRouteGatewayBypass", true),
		}},
		{"default site", "", []az.Resource{
			plain, az.VPNGateway("vpn", "hub").Set("gatewayDefaultSite", az.Ref("localNetworkGateways", "a")), az.LocalGateway("a", "172.16.0.0/16"), az.Connection("a", "vpn", "local:a"),
		}},
		{"a far end that the input lacks", "", []az.Resource{plain, az.VPNGateway("vpn", "hub"), az.Connection("a", "vpn", "local:gone")}},
		{"a site inside the estate's ranges", "", []az.Resource{
			plain, az.VPNGateway("vpn", "hub"), az.LocalGateway("a", "10.0.0.0/8"), az.Connection("a", "vpn", "local:a"),
		}},
		{"translation of both kinds", "", []az.Resource{
			plain, az.VPNGateway("vpn", "hub").
				NATRule("in", "IngressSnat", "Static", "10.0.1.0/24,10.1.1.0/24", "172.16.1.0/24,172.16.2.0/24").
				NATRule("dyn", "IngressSnat", "Dynamic", "10.2.0.0/16", "172.16.9.0/28").
				NATRule("out", "EgressSnat", "Static", "10.1.1.0/24", "172.18.1.0/24").NATRule("hide", "EgressSnat", "Dynamic", "10.0.1.0/24", "172.18.9.0/29"),
			az.LocalGateway("a", "172.16.1.0/24,172.16.9.0/28,10.1.1.0/24,172.30.0.0/24"),
			az.Connection("a", "vpn", "local:a").NAT("vpn", "ingress=in", "ingress=dyn", "egress=out", "egress=hide"),
		}},
		{"a NAT rule that the input lacks", "", []az.Resource{
			plain, az.VPNGateway("vpn", "hub"), az.LocalGateway("a", "172.16.1.0/24"), az.Connection("a", "vpn", "local:a").NAT("vpn", "ingress=gone"),
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			agree(t, imported(t, test.zones, gatewayEstate(test.parts...)...), 700, 5)
		})
	}
}
