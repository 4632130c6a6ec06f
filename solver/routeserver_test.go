package solver

import (
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
)

// AZ-RS-01, AZ-RS-02: what an appliance advertises to a Route Server may be any prefix outside of the VNet and its peers, and never anything
// inside. AZ-RS-03: only branch-to-branch joins the VPN and the ExpressRoute gateway.
func TestRouteServer(t *testing.T) {
	estate := func(rs ...az.Resource) *Solution {
		er := az.VPNGateway("er", "hub").Set("gatewayType", "ExpressRoute").Set("vpnType", nil)
		return imported(t, "", append([]az.Resource{
			az.VNet("hub", "10.0.0.0/16", az.Subnet("vms", "10.0.1.0/24"), az.Subnet("pinned", "10.0.2.0/24", "rt=pinned"), az.Subnet("alone", "10.0.3.0/24", "rt=alone"),
				az.Subnet("nva", "10.0.4.0/24"), az.Subnet("GatewaySubnet", "10.0.0.0/27"), az.Subnet("RouteServerSubnet", "10.0.5.0/27"), az.Peering("spoke", "transit", "forwarded")),
			az.VNet("spoke", "10.1.0.0/16", az.Subnet("vms", "10.1.1.0/24"), az.Peering("hub", "remote")),
			az.RouteTable("pinned", "203.0.113.9/32 Internet"), az.RouteTable("alone", "no-propagation"),
			az.NIC("vm", "hub/vms", "10.0.1.4"), az.NIC("pinnedvm", "hub/pinned", "10.0.2.4"), az.NIC("alonevm", "hub/alone", "10.0.3.4"), az.NIC("spokevm", "spoke/vms", "10.1.1.4"),
			az.NIC("nva", "hub/nva", "10.0.4.4", "forward"),
			az.VPNGateway("vpn", "hub"), az.LocalGateway("site", "172.16.0.0/16"), az.Connection("site", "vpn", "local:site"),
			er, az.New("connections", "c", az.Object{
				"connectionType": "ExpressRoute", "virtualNetworkGateway1": az.Ref("virtualNetworkGateways", "er"), "connectionStatus": "Connected",
				"peer": az.Object{"id": az.ID("expressRouteCircuits", "c")},
			}),
		}, rs...)...)
	}
	s := estate(az.RouteServer("rs", "hub", "10.0.4.4")...)
	wanRows(t, s,
		wanRow{"nic:vm", "10.0.1.4 > 10.1.1.4 tcp/443", "nic:spokevm", "A same > same"}, // AZ-RT-20
		wanRow{"nic:vm", "10.0.1.4 > 203.0.113.9 tcp/443", "internet:", "over"},
		wanRow{"nic:pinnedvm", "10.0.2.4 > 203.0.113.9 tcp/443", "internet:", "A"}, // a user route to one address
		wanRow{"nic:alonevm", "10.0.3.4 > 203.0.113.9 tcp/443", "internet:", "A"},  // AZ-RT-26
		wanRow{"nic:spokevm", "10.1.1.4 > 203.0.113.9 tcp/443", "internet:", "over"},
		wanRow{"far:vpn/site", "172.16.0.4 > 192.168.0.4 tcp/443", "far:er/c", "over"}, // perhaps by the appliance
	)
	s = estate()
	wanRows(t, s, wanRow{"far:vpn/site", "172.16.0.4 > 192.168.0.4 tcp/443", "far:er/c", "over"}) // RouteServerSubnet: it may be missing
	s = estate(az.RouteServer("rs", "hub", "", "branch-to-branch")...)
	wanRows(t, s, wanRow{"far:vpn/site", "172.16.0.4 > 192.168.0.4 tcp/443", "far:er/c", "over"})
}

// AZ-RS-03 without a Route Server: the gateways of a VNet are not joined.
func TestGatewaysAreNotJoined(t *testing.T) {
	for _, test := range []struct{ name, subnet, want string }{{"no Route Server", "other", "D"}, {"its subnet alone", "RouteServerSubnet", "over"}} {
		s := imported(t, "",
			az.VNet("hub", "10.0.0.0/16", az.Subnet("GatewaySubnet", "10.0.0.0/27"), az.Subnet(test.subnet, "10.0.5.0/27")),
			az.VPNGateway("vpn", "hub"), az.LocalGateway("site", "172.16.0.0/16"), az.Connection("site", "vpn", "local:site"),
			az.VPNGateway("er", "hub").Set("gatewayType", "ExpressRoute").Set("vpnType", nil), az.New("connections", "c", az.Object{
				"connectionType": "ExpressRoute", "virtualNetworkGateway1": az.Ref("virtualNetworkGateways", "er"), "connectionStatus": "Connected",
				"peer": az.Object{"id": az.ID("expressRouteCircuits", "c")},
			}))
		s.wants(t, test.name, "far:vpn/site", "172.16.0.4 > 192.168.0.4 tcp/443", "far:er/c", test.want)
		agree(t, s, 500, 3)
	}
}
