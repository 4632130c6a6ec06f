package solver

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
)

// EX-06: next hop without custom routes. Whether 172.16.0.0/12 has a None route is not certain (ASM-NONE-LIST), and the verdict is the same.
func TestEX06(t *testing.T) {
	rows := []exampleRow{
		{from: "nic:vm", to: "internet", service: "tcp/80", dial: "ip:13.107.21.200", want: "reachable", hop: "Internet"}, // doc
		{from: "nic:vm", to: "ip:172.31.0.100", service: "tcp/80", hop: "Internet or None"},                               // doc
	}
	hold(t, written(t, []az.Resource{az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24")), az.NIC("vm", "net/s", "10.0.0.4")}, rows), rows)
	rows = []exampleRow{{from: "nic:vm", to: "ip:172.31.0.100", service: "tcp/80", want: "reachable", hop: "VnetLocal"}} // doc
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16,172.16.0.0/12", az.Subnet("s", "10.0.0.0/24"), az.Subnet("far", "172.31.0.0/24")), az.NIC("vm", "net/s", "10.0.0.4"),
	}, rows), rows)
}

// A trace answers "next hop" for an address that nobody has.
func TestTraceToNobody(t *testing.T) {
	for _, test := range []struct {
		to, hop string
		want    Verdict
	}{
		{"ip:10.9.9.9", "None", Unreachable},
		{"ip:10.0.7.7", "VnetLocal", Unreachable},
	} {
		s := written(t, []az.Resource{az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24")), az.NIC("vm", "net/s", "10.0.0.4")}, []exampleRow{{from: "nic:vm", to: test.to}})
		tr, err := s.Trace(selectors(t, "nic:vm"), selectors(t, test.to), portService(t, "tcp/443"), "", false)
		if err != nil {
			t.Fatal(err)
		}
		if tr.Verdict != test.want || tr.Hops[0].NextHopType != test.hop {
			t.Errorf("%s: got %s by %+v, want %s by %s", test.to, tr.Verdict, tr.Hops, test.want, test.hop)
		}
	}
}

// udrOverview is the network of EX-07 and EX-08.
func udrOverview() []az.Resource {
	return []az.Resource{
		az.VNet("VNet1", "10.0.0.0/16", az.Subnet("Subnet1", "10.0.0.0/24", "rt=rt", "se=Microsoft.Storage"), az.Subnet("Subnet2", "10.0.1.0/24"), az.Subnet("Subnet100", "10.0.100.0/24"),
			az.Subnet("GatewaySubnet", "10.0.255.0/27"), az.Peering("VNet2")),
		az.VNet("VNet2", "10.1.0.0/16,10.2.0.0/16", az.Subnet("s", "10.1.0.0/24"), az.Subnet("t", "10.2.3.0/24"), az.Peering("VNet1")),
		az.RouteTable("rt", "10.0.0.0/16 10.0.100.4", "10.0.0.0/24 VnetLocal", "10.1.0.0/16 None", "10.2.0.0/16 None", "10.10.0.0/16 10.0.100.4", "0.0.0.0/0 10.0.100.4"),
		az.NIC("vm1", "VNet1/Subnet1", "10.0.0.5"), az.NIC("vm1b", "VNet1/Subnet1", "10.0.0.9"), az.NIC("vm2", "VNet1/Subnet2", "10.0.1.5"), az.NIC("vm2b", "VNet1/Subnet2", "10.0.1.9"),
		az.NIC("nva", "VNet1/Subnet100", "10.0.100.4", "forward"), az.NIC("peer", "VNet2/s", "10.1.0.4"), az.NIC("peer2", "VNet2/t", "10.2.3.4"),
		az.VPNGateway("gw", "VNet1"), az.LocalGateway("onprem", "10.10.0.0/16"), az.Connection("onprem", "gw", "local:onprem"),
	}
}

// storageList is a published list that knows one prefix of Storage, in the region of the VNet.
func storageList() *model.ServiceTags {
	p := []netip.Prefix{netip.MustParsePrefix("20.60.0.0/16")}
	return &model.ServiceTags{Tags: []model.ServiceTag{{Name: "Storage", Prefixes: p}, {Name: "Storage.WestEurope", Prefixes: p}}}
}

// EX-07: Subnet1 of the route overview. What goes to the appliance is unknown, since its rules are (ASM-NVA), and so is what a user route could
// take from the service endpoint (AZ-RT-21): the table of that route has the Internet hop as its alternative.
func TestEX07(t *testing.T) {
	const nva = "VirtualAppliance 10.0.100.4"
	rows := []exampleRow{
		{from: "nic:vm1", to: "nic:vm1b", service: "tcp/443", want: "reachable", hop: "VnetLocal"},                         // doc
		{from: "nic:vm1", to: "nic:vm2b", service: "tcp/443", want: "unknown: ASM-NVA", hop: nva},                          // doc
		{from: "nic:vm1", to: "nic:peer", service: "tcp/443", want: "unknown: ASM-NVA", walk: "unreachable", hop: "None"},  // doc; der: the appliance may relay to it
		{from: "nic:vm1", to: "nic:peer2", service: "tcp/443", want: "unknown: ASM-NVA", walk: "unreachable", hop: "None"}, // doc; der: the appliance may relay to it
		{from: "nic:vm1", to: "ip:10.10.0.7", service: "tcp/443", want: "unknown: ASM-NVA", hop: nva},                      // doc
		{from: "nic:vm1", to: "ip:203.0.113.9", service: "tcp/443", want: "unknown: ASM-NVA", hop: nva},                    // doc
		{from: "nic:vm1", to: "ip:192.168.5.5", service: "tcp/443", hop: nva},                                              // doc; nobody has the address
		{from: "nic:vm1", to: "ip:172.16.9.9", service: "tcp/443", hop: nva},                                               // doc
		{from: "nic:vm1", to: "ip:100.64.1.1", service: "tcp/443", hop: nva},                                               // doc
		{from: "nic:vm1", to: "ip:10.200.0.1", service: "tcp/443", hop: nva},                                               // doc
		{from: "nic:vm1", to: "ip:20.60.0.9", service: "tcp/443", want: "reachable", hop: "VirtualNetworkServiceEndpoint"}, // doc
	}
	hold(t, writtenWith(t, udrOverview(), rows, Options{}, storageList()), rows)
}

// EX-08: Subnet2 of the same VNet.
func TestEX08(t *testing.T) {
	rows := []exampleRow{
		{from: "nic:vm2", to: "nic:vm2b", service: "tcp/443", want: "reachable", hop: "VnetLocal"},                 // doc
		{from: "nic:vm2", to: "nic:vm1b", service: "tcp/443", want: "asymmetric", hop: "VnetLocal"},                // doc; der: the reply goes by the appliance
		{from: "nic:vm2", to: "nic:peer", service: "tcp/443", want: "reachable", hop: "VNetPeering"},               // doc
		{from: "nic:vm2", to: "ip:10.10.0.7", service: "tcp/443", want: "reachable", hop: "VirtualNetworkGateway"}, // doc
		{from: "nic:vm2", to: "ip:10.200.0.1", service: "tcp/443", hop: "None"},                                    // doc
		{from: "nic:vm2", to: "ip:203.0.113.9", service: "tcp/443", want: "reachable", hop: "Internet"},            // doc
	}
	hold(t, writtenWith(t, udrOverview(), rows, Options{}, storageList()), rows)
}

// EX-09: longest prefix, then user route before system.
func TestEX09(t *testing.T) {
	rows := []exampleRow{
		{from: "nic:vma", to: "ip:10.0.0.5", service: "tcp/443", want: "unknown", hop: "VirtualAppliance 10.9.0.4"},    // doc
		{from: "nic:vma", to: "ip:10.0.1.5", service: "tcp/443", want: "unknown", hop: "VirtualAppliance 10.9.0.5"},    // doc
		{from: "nic:vmb", to: "ip:203.0.113.9", service: "tcp/443", want: "unreachable", hop: "VirtualNetworkGateway"}, // doc
	}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16,10.9.0.0/16", az.Subnet("a", "10.9.1.0/24", "rt=rt"), az.Subnet("b", "10.9.2.0/24", "rt=gw"), az.Subnet("nva", "10.9.0.0/24"), az.Subnet("t", "10.0.0.0/23"), az.Subnet("GatewaySubnet", "10.9.255.0/27")),
		az.RouteTable("rt", "10.0.0.0/24 10.9.0.4", "10.0.0.0/16 10.9.0.5"), az.RouteTable("gw", "0.0.0.0/0 VirtualNetworkGateway"), az.VPNGateway("gw", "net"),
		az.NIC("vma", "net/a", "10.9.1.4"), az.NIC("vmb", "net/b", "10.9.2.4"), az.NIC("x", "net/nva", "10.9.0.4", "forward"), az.NIC("y", "net/nva", "10.9.0.5", "forward"),
	}, rows), rows)
}

// EX-10: routes that are learned never win inside the VNet and its peers. The announcements come by a gateway here: those of a Route Server
// are in no export (AZ-RS-02).
func TestEX10(t *testing.T) {
	learned := []string{"10.0.1.0/24", "10.1.2.0/24", "10.50.0.0/16", "0.0.0.0/0"}
	for _, udr := range []bool{false, true} {
		rows := []exampleRow{
			{from: "nic:vm", to: "nic:own", service: "tcp/443", want: "reachable", hop: "VnetLocal"},                                        // doc
			{from: "nic:vm", to: "nic:peer", service: "tcp/443", want: "reachable", hop: "VNetPeering"},                                     // doc
			{from: "nic:vm", to: "ip:10.50.0.5", service: "tcp/443", want: "reachable", hop: "VirtualNetworkGateway"},                       // doc: by BGP
			{from: "nic:vm", to: "gateway:gw", dial: "ip:203.0.113.9", service: "tcp/443", want: "reachable", hop: "VirtualNetworkGateway"}, // doc: by BGP
		}
		table := az.RouteTable("rt")
		if udr {
			var routes []string
			for _, p := range learned {
				routes = append(routes, p+" 10.0.9.4")
			}
			table = az.RouteTable("rt", routes...)
			for i := range rows {
				rows[i].want, rows[i].hop = "unknown: ASM-NVA", "VirtualAppliance 10.0.9.4" // doc
			}
		}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "rt=rt"), az.Subnet("t", "10.0.1.0/24"), az.Subnet("nva", "10.0.9.0/24"), az.Subnet("GatewaySubnet", "10.0.255.0/27"), az.Peering("peer")),
			az.VNet("peer", "10.1.0.0/16", az.Subnet("s", "10.1.2.0/24"), az.Peering("net")), table,
			az.NIC("vm", "net/s", "10.0.0.4"), az.NIC("own", "net/t", "10.0.1.5"), az.NIC("peer", "peer/s", "10.1.2.5"), az.NIC("nva", "net/nva", "10.0.9.4", "forward"),
			az.VPNGateway("gw", "net"), az.LocalGateway("far", learned[0]+","+learned[1]+","+learned[2]+","+learned[3]), az.Connection("far", "gw", "local:far"),
		}, rows), rows)
	}
}

// EX-11: a supernet does not divert (AZ-RT-23). The firewall has no rule and lets nothing pass.
func TestEX11(t *testing.T) {
	for _, test := range []struct{ udr, want, hop string }{
		{"0.0.0.0/0 10.1.0.4", "reachable", "VNetPeering"},                   // der
		{"10.0.0.0/8 10.1.0.4", "reachable", "VNetPeering"},                  // der
		{"10.1.0.0/16 10.1.0.4", "unreachable", "VirtualAppliance 10.1.0.4"}, // der
		{"10.1.5.0/24 10.1.0.4", "unreachable", "VirtualAppliance 10.1.0.4"}, // der
	} {
		rows := []exampleRow{{from: "nic:vm", to: "nic:five", service: "tcp/443", want: test.want, hop: test.hop}}
		hold(t, written(t, []az.Resource{
			az.VNet("spoke", "10.2.0.0/16", az.Subnet("s", "10.2.0.0/24", "rt=rt"), az.Peering("hub", "forwarded")),
			az.VNet("hub", "10.1.0.0/16", az.Subnet("AzureFirewallSubnet", "10.1.0.0/26"), az.Subnet("five", "10.1.5.0/24"), az.Peering("spoke")),
			az.RouteTable("rt", test.udr), az.Firewall("fw", "hub/AzureFirewallSubnet", "10.1.0.4", "fw"), az.PublicIP("fw", "20.0.0.1"),
			az.NIC("vm", "spoke/s", "10.2.0.4"), az.NIC("five", "hub/five", "10.1.5.5"),
		}, rows), rows)
	}
}

// EX-18: user routes and NSGs at a private endpoint. Through the firewall the reply bypasses it (AZ-PE-08), since it does not translate private
// destinations.
func TestEX18(t *testing.T) {
	const direct, fw, deny = "InterfaceEndpoint", "VirtualAppliance 10.1.9.4", "unreachable: nsg/securityRules/100"
	for _, test := range []struct{ policy, udr, hop, want string }{
		{"Disabled", "10.1.0.0/16 10.1.9.4", direct, "reachable"},             // doc
		{"RouteTableEnabled", "0.0.0.0/0 10.1.9.4", direct, "reachable"},      // doc
		{"RouteTableEnabled", "10.0.0.0/8 10.1.9.4", direct, "reachable"},     // doc
		{"RouteTableEnabled", "10.1.0.0/16 10.1.9.4", fw, "asymmetric"},       // doc
		{"RouteTableEnabled", "10.1.0.0/24 10.1.9.4", fw, "asymmetric"},       // doc
		{"NetworkSecurityGroupEnabled", "10.1.0.0/16 10.1.9.4", direct, deny}, // doc
		{"Enabled", "10.1.0.0/16 10.1.9.4", fw, deny},                         // doc
		{"Enabled", "0.0.0.0/0 10.1.9.4", direct, deny},                       // doc
	} {
		rows := []exampleRow{{from: "nic:vm", to: "endpoint:pe", service: "tcp/443", want: test.want, hop: test.hop}}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.1.0.0/16", az.Subnet("pe", "10.1.0.0/24", "nsg=nsg", "pe="+test.policy), az.Subnet("client", "10.1.5.0/24", "rt=rt"), az.Subnet("AzureFirewallSubnet", "10.1.9.0/26")),
			az.NSG("nsg", "100 Deny In tcp * -> * 443"), az.RouteTable("rt", test.udr), az.PublicIP("fw", "20.0.0.1"),
			az.Firewall("fw", "net/AzureFirewallSubnet", "10.1.9.4", "fw", "100 Allow * * -> * *"),
			az.StorageAccount("data"), az.PrivateEndpoint("pe", "net/pe", "10.1.0.10", az.ID("Microsoft.Storage/storageAccounts", "data")), az.NIC("vm", "net/client", "10.1.5.4"),
		}, rows), rows)
	}
}

// EX-25: service-tag routes of equal prefix. So that the solver's verdict shows which route wins, it is asked again with Internet for the
// winner's next hop and None for the others', and the other way round.
func TestEX25(t *testing.T) {
	const p = "20.60.0.0/16"
	names := []string{p, "Storage.EastUS", "Storage", "AzureCloud.eastus", "AzureCloud"}
	tags := &model.ServiceTags{}
	for _, name := range names[1:] {
		tags.Tags = append(tags.Tags, model.ServiceTag{Name: name, Prefixes: []netip.Prefix{netip.MustParsePrefix(p)}})
	}
	for first := range names {
		for _, test := range []struct{ winner, others, want string }{
			{"10.0.9.4", "10.0.9.5", "unknown: ASM-NVA"},
			{"Internet", "None", "reachable"},
			{"None", "Internet", "unreachable"},
		} {
			routes := []string{names[first] + " " + test.winner}
			for _, n := range names[first+1:] {
				routes = append(routes, n+" "+test.others)
			}
			slices.Reverse(routes)
			hop := test.winner
			if strings.HasPrefix(hop, "10.") {
				hop = "VirtualAppliance " + hop
			}
			rows := []exampleRow{{from: "nic:vm", to: "ip:20.60.0.9", service: "tcp/443", want: test.want, hop: hop}} // doc
			hold(t, writtenWith(t, []az.Resource{
				az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "rt=rt"), az.Subnet("nva", "10.0.9.0/24")), az.RouteTable("rt", routes...), az.NIC("vm", "net/s", "10.0.0.4"),
				az.NIC("a", "net/nva", "10.0.9.4", "forward"), az.NIC("b", "net/nva", "10.0.9.5", "forward"),
			}, rows, Options{}, tags), rows)
		}
	}
}

// EX-28: an IPv4 default route does not steer IPv6 (AZ-V6-03).
func TestEX28(t *testing.T) {
	rows := []exampleRow{
		{from: "ip:10.0.0.4", to: "ip:203.0.113.9", service: "tcp/443", want: "reachable", hop: "VirtualAppliance 10.0.9.4"}, // der
	}
	list := []az.Resource{
		az.VNet("net", "10.0.0.0/16,fd00:db8::/48", az.Subnet("s", "10.0.0.0/24,fd00:db8::/64", "rt=rt"), az.Subnet("AzureFirewallSubnet", "10.0.9.0/26")),
		az.RouteTable("rt", "0.0.0.0/0 10.0.9.4"), az.Firewall("fw", "net/AzureFirewallSubnet", "10.0.9.4", "fw", "100 Allow * * -> * *"), az.PublicIP("fw", "20.0.0.1"),
		az.NIC("vm", "net/s", "10.0.0.4", "v6=fd00:db8::4", "pip6=p6"), az.PublicIP("p6", "2001:db8:1::1"),
	}
	hold(t, written(t, list, rows), rows)
	rows = []exampleRow{{from: "ip:fd00:db8::4", to: "ip:2001:db8::1", service: "tcp/443", want: "reachable", hop: "Internet"}} // der
	s := written(t, list, rows)
	hold(t, s, rows)
	// der: "all egress passes the firewall" is false.
	r, err := s.Check(model.Assertion{ID: "egress", Verb: model.VerbThrough, From: selectors(t, "vnet:net"), To: selectors(t, "internet"), Via: selectors(t, "firewall:fw")})
	if err != nil || r.Verdict != Fail {
		t.Errorf("through the firewall: got %v, %v, want fail", r, err)
	}
}
