package solver

import (
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
)

// EX-15: gateway transit.
func TestEX15(t *testing.T) {
	for _, test := range []struct {
		transit, remote, table string
		want, hop              string
	}{
		{"transit", "remote", "", "reachable", "VirtualNetworkGateway"}, // doc
		{"transit", "", "", "unreachable", "None"},                      // doc
		{"", "remote", "", "unreachable", "None"},                       // doc: the API refuses it
		{"transit", "remote", "no-propagation", "unreachable", "None"},  // doc
	} {
		rows := []exampleRow{{from: "nic:vm", to: "ip:10.10.0.7", service: "tcp/443", want: test.want, hop: test.hop}}
		hold(t, written(t, []az.Resource{
			az.VNet("hub", "10.0.0.0/16", az.Subnet("GatewaySubnet", "10.0.255.0/27"), az.Peering("spoke", test.transit)),
			az.VNet("spoke", "10.1.0.0/16", az.Subnet("s", "10.1.0.0/24", "rt=rt"), az.Peering("hub", test.remote)),
			az.RouteTable("rt", test.table), az.NIC("vm", "spoke/s", "10.1.0.4"), az.VPNGateway("gw", "hub"), az.LocalGateway("onprem", "10.10.0.0/16"), az.Connection("onprem", "gw", "local:onprem"),
		}, rows), rows)
	}
}

// EX-16: spokes behind an appliance.
func TestEX16(t *testing.T) {
	for _, test := range []struct {
		route, forwarding, allow string
		want                     string
	}{
		{"", "forward", "forwarded", "unreachable"},                          // doc: None of 10.0.0.0/8
		{"10.2.0.0/16 10.0.0.4", "forward", "forwarded", "unknown: ASM-NVA"}, // doc: certain only if the appliance's rules are known
		{"10.2.0.0/16 10.0.0.4", "forward", "", "unknown: ASM-FWD"},          // doc, contradicted: never blocked
		{"10.2.0.0/16 10.0.0.4", "", "forwarded", "unreachable"},             // doc: by routing
	} {
		rows := []exampleRow{{from: "nic:vm1", to: "nic:vm2", service: "tcp/443", want: test.want}}
		hold(t, written(t, []az.Resource{
			az.VNet("hub", "10.0.0.0/16", az.Subnet("nva", "10.0.0.0/24"), az.Peering("spoke1"), az.Peering("spoke2")),
			az.VNet("spoke1", "10.1.0.0/16", az.Subnet("s", "10.1.0.0/24", "rt=rt"), az.Peering("hub")),
			az.VNet("spoke2", "10.2.0.0/16", az.Subnet("s", "10.2.0.0/24"), az.Peering("hub", test.allow)),
			az.RouteTable("rt", test.route), az.NIC("nva", "hub/nva", "10.0.0.4", test.forwarding), az.NIC("vm1", "spoke1/s", "10.1.0.5"), az.NIC("vm2", "spoke2/s", "10.2.0.5"),
		}, rows), rows)
	}
}

// EX-19: subnet peering.
func TestEX19(t *testing.T) {
	rows := []exampleRow{
		{from: "nic:vm1", to: "nic:vm3", service: "tcp/443", want: "reachable"},               // doc
		{from: "nic:vm1", to: "nic:vm4", service: "tcp/443", want: "unreachable"},             // doc
		{from: "nic:vm2", to: "nic:vm3", service: "tcp/443", want: "unknown: ASM-SUBNETPEER"}, // doc: a route exists
		{from: "nic:vm2", to: "nic:vm4", service: "tcp/443", want: "unreachable"},             // doc
	}
	hold(t, written(t, []az.Resource{
		az.VNet("vnet-1", "10.0.0.0/16", az.Subnet("subnet-1", "10.0.1.0/24"), az.Subnet("subnet-2", "10.0.2.0/24"), az.Peering("vnet-2", "local=subnet-1", "far=subnet-3")),
		az.VNet("vnet-2", "10.1.0.0/16", az.Subnet("subnet-3", "10.1.1.0/24"), az.Subnet("subnet-4", "10.1.2.0/24"), az.Peering("vnet-1", "local=subnet-3", "far=subnet-1")),
		az.NIC("vm1", "vnet-1/subnet-1", "10.0.1.4"), az.NIC("vm2", "vnet-1/subnet-2", "10.0.2.4"), az.NIC("vm3", "vnet-2/subnet-3", "10.1.1.4"), az.NIC("vm4", "vnet-2/subnet-4", "10.1.2.4"),
	}, rows), rows)
}
