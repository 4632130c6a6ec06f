package azure

import (
	"strings"
	"testing"
)

// What VNets, routes, interfaces, load balancers and gateways can get wrong beside what TestBadInput has: the message that the reader gets, or the
// entry of the ledger that leaves open what rests on it. Without either the input says something: host bits, IPv4 in IPv6, port 0, a name of
// 10,000 characters.
func TestBadNetworkInput(t *testing.T) {
	network := func(kind, properties string) string {
		return `{"id": "RG/Microsoft.Network/` + kind + `/x", "properties": {` + "\n" + properties + `}}`
	}
	vnet := func(more string) string {
		return network("virtualNetworks", `"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}`+more)
	}
	peering := func(properties string) string {
		return vnet(`, "virtualNetworkPeerings": [{"name": "p", "properties": {` + properties + `}}]`)
	}
	subnet := func(properties string) string {
		return vnet(`, "subnets": [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24", ` + properties + `}}]`)
	}
	space := func(prefix string) string {
		return network("virtualNetworks", `"addressSpace": {"addressPrefixes": ["`+prefix+`"]}`)
	}
	route := func(name, properties string) string {
		return network("routeTables", `"routes": [{"name": "`+name+`", "properties": {`+properties+`}}]`)
	}
	nic := func(properties string) string {
		return network("networkInterfaces", `"ipConfigurations": [{"name": "ip", "properties": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}, `+properties+`}}]`)
	}
	const front = `"frontendIPConfigurations": [{"name": "f", "properties": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}}}]`
	balancer := func(rules, properties string) string {
		return network("loadBalancers", front+`, "`+rules+`": [{"name": "r", "properties": {`+properties+`}}]`)
	}
	const at = `"frontendIPConfiguration": {"id": "RG/Microsoft.Network/loadBalancers/x/frontendIPConfigurations/f"}, `
	link := func(properties string) string {
		return network("privateEndpoints", `"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}, "privateLinkServiceConnections": [`+properties+`]`)
	}
	const gw = `"virtualNetworkGateway1": {"id": "RG/Microsoft.Network/virtualNetworkGateways/g"}`
	long, markup := strings.Repeat("n", 10_000), `<img src=x onerror=alert(1)>`
	for _, test := range []struct{ name, text, want string }{
		{"a peering", peering(`"remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/w"}`), ""},
		{"a peering with its own VNet", peering(`"remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/x"}`), "a.json:2: x: properties.virtualNetworkPeerings[0].properties.remoteVirtualNetwork.id: found `" + string(id("Microsoft.Network/virtualNetworks/x")) + "`, want another VNet than its own"},
		{"a peering with nobody", peering(``), "a.json:2: x: properties.virtualNetworkPeerings[0].properties.remoteVirtualNetwork: found `nothing`, want the other VNet, as an object with `id`"},
		{"a peering in a state that there is not", peering(`"peeringState": "Joined", "remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/w"}`), "a.json:2: x: properties.virtualNetworkPeerings[0].properties.peeringState: found `Joined`, want one of Connected, Disconnected, Initiated"},
		{"null for a peering", vnet(`, "virtualNetworkPeerings": [null]`), "a.json:2: x: properties.virtualNetworkPeerings[0]: found `null`, want an object"},
		{"null for the address space", network("virtualNetworks", `"addressSpace": null`), "a.json:1: x: properties.addressSpace.addressPrefixes: found `nothing`, want at least one address range"},
		{"an address space with host bits", space("10.0.0.7/16"), ""},
		{"an address space as IPv4 in IPv6", space("::ffff:10.0.0.0/112"), ""},
		{"an address space without a length", space("10.0.0.0"), "a.json:2: x: properties.addressSpace.addressPrefixes[0]: found `10.0.0.0`, want a range with its length, such as 10.0.0.0/16"},
		{"an address space of 33 bits", space("10.0.0.0/33"), "a.json:2: x: properties.addressSpace.addressPrefixes[0]: found `10.0.0.0/33`, want an address or CIDR such as 10.0.0.0/16; IPv4-in-IPv6 only from ::ffff:0:0/96 on"},
		{"a subnet without a name", vnet(`, "subnets": [{"properties": {"addressPrefix": "10.0.0.0/24"}}]`), "a.json:2: x: properties.subnets[0].name: found `nothing`, want the name of the subnets entry"},
		{"a subnet without a range", vnet(`, "subnets": [{"name": "s", "properties": {}}]`), "a.json:2: x: properties.subnets[0].properties.addressPrefix: found `nothing`, want an address range of the VNet"},
		{"endpoint policies", subnet(`"privateEndpointNetworkPolicies": "Sometimes"`), "a.json:2: x: properties.subnets[0].properties.privateEndpointNetworkPolicies: found `Sometimes`, want one of Disabled, Enabled, NetworkSecurityGroupEnabled, RouteTableEnabled"},
		{"a text for default outbound access", subnet(`"defaultOutboundAccess": "false"`), "a.json:2: x: properties.subnets[0].properties.defaultOutboundAccess: found `\"false\"`, want true or false"},
		{"a service endpoint of nothing", subnet(`"serviceEndpoints": [{"locations": ["*"]}]`), "a.json:2: x: properties.subnets[0].properties.serviceEndpoints[0].service: found `nothing`, want the service, such as Microsoft.Storage"},
		{"a route with host bits", route("a", `"addressPrefix": "10.0.0.9/24", "nextHopType": "VnetLocal"`), ""},
		{"a route without a prefix", route("a", `"nextHopType": "Internet"`), "a.json:2: x: properties.routes[0].properties.addressPrefix: found `nothing`, want a CIDR or a service tag"},
		{"a next hop that is no address", route("a", `"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.0.300"`), "a.json:2: x: properties.routes[0].properties.nextHopIpAddress: found `10.0.0.300`, want an IP address"},
		{"a name of 10,000 characters", route(long, `"addressPrefix": "0.0.0.0/0", "nextHopType": "None"`), ""},
		{"markup in a name and a prefix", route(markup, `"addressPrefix": "`+markup+`", "nextHopType": "None"`), "a.json:2: x: properties.routes[0].properties.addressPrefix: found `" + markup + "`, want an address or CIDR such as 10.0.0.0/16; IPv4-in-IPv6 only from ::ffff:0:0/96 on"},
		{"a range for an address", nic(`"privateIPAddress": "10.0.0.0/24"`), "a.json:2: x: properties.ipConfigurations[0].properties.privateIPAddress: found `10.0.0.0/24`, want an IP address"},
		{"an address as IPv4 in IPv6", nic(`"privateIPAddress": "::ffff:10.0.0.4"`), ""},
		{"a public address of a tier that there is not", `{"id": "RG/Microsoft.Network/publicIPAddresses/x", "sku": {"name": "Premium"}, "properties": {}}`, "a.json:1: x: sku.name: found `Premium`, want one of Basic, Standard, StandardV2"},
		{"a NAT gateway with an address that is no ID", network("natGateways", `"publicIpAddresses": [{"id": "p"}]`), "a.json:2: x: properties.publicIpAddresses[0].id: found `p`, want a resource ID: /subscriptions/…/providers/…"},
		{"a balancing rule", balancer("loadBalancingRules", at+`"protocol": "Tcp", "frontendPort": 0, "backendPort": 0`), ""},
		{"a balancing rule at port 65536", balancer("loadBalancingRules", at+`"protocol": "Tcp", "frontendPort": 65536, "backendPort": 80`), "a.json:2: x: properties.loadBalancingRules[0].properties.frontendPort: found `65536`, want a port from 0 to 65535"},
		{"a balancing rule of a protocol that there is not", balancer("loadBalancingRules", at+`"protocol": "Sctp", "frontendPort": 80, "backendPort": 80`), "x properties.loadBalancingRules[0].properties.protocol: a protocol that is not known to ringfence: the rule may carry any"},
		{"a balancing rule without a frontend", balancer("loadBalancingRules", `"protocol": "Tcp", "frontendPort": 80, "backendPort": 80`), "a.json:2: x: properties.loadBalancingRules[0].properties.frontendIPConfiguration: found `nothing`, want the frontend of the rule: without one it takes nothing"},
		{"a frontend at no address", network("loadBalancers", `"frontendIPConfigurations": [{"name": "f", "properties": {}}]`), "x properties.frontendIPConfigurations[0]: a frontend without public address, prefix or subnet: what it takes is not known"},
		{"a gateway of a kind that there is not", network("virtualNetworkGateways", `"gatewayType": "Satellite"`), "a.json:2: x: properties.gatewayType: found `Satellite`, want one of ExpressRoute, LocalGateway, Vpn"},
		{"clients of 40 bits", network("virtualNetworkGateways", `"gatewayType": "Vpn", "vpnClientConfiguration": {"vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/40"]}}`), "a.json:2: x: properties.vpnClientConfiguration.vpnClientAddressPool.addressPrefixes[0]: found `172.16.0.0/40`, want an address or CIDR such as 10.0.0.0/16; IPv4-in-IPv6 only from ::ffff:0:0/96 on"},
		{"a site of 33 bits", network("localNetworkGateways", `"localNetworkAddressSpace": {"addressPrefixes": ["192.168.0.0/33"]}`), "a.json:2: x: properties.localNetworkAddressSpace.addressPrefixes[0]: found `192.168.0.0/33`, want an address or CIDR such as 10.0.0.0/16; IPv4-in-IPv6 only from ::ffff:0:0/96 on"},
		{"a connection", network("connections", `"connectionType": "IPsec", `+gw), ""}, // to a site that the input lacks (AZ-GW-03)
		{"a connection of a kind that there is not", network("connections", `"connectionType": "Carrier", `+gw), "a.json:2: x: properties.connectionType: found `Carrier`, want one of ExpressRoute, IPsec, VPNClient, Vnet2Vnet"},
		{"a connection of no gateway", network("connections", `"connectionType": "IPsec"`), "a.json:1: x: properties.virtualNetworkGateway1: found `nothing`, want the gateway of the connection, as an object with `id`"},
		{"a Bastion of a tier that there is not", `{"id": "RG/Microsoft.Network/bastionHosts/x", "sku": {"name": "Gold"}, "properties": {"ipConfigurations": []}}`, "a.json:1: x: sku.name: found `Gold`, want one of Basic, Developer, Premium, Standard"},
		{"an endpoint to what is no ID", link(`{"name": "c", "properties": {"privateLinkServiceId": "sa"}}`), "a.json:2: x: properties.privateLinkServiceConnections[0].properties.privateLinkServiceId: found `sa`, want a resource ID: /subscriptions/…/providers/…"},
		{"an endpoint in a state that there is not", link(`{"name": "c", "properties": {"privateLinkServiceId": "RG/Microsoft.Storage/storageAccounts/sa", "privateLinkServiceConnectionState": {"status": "Maybe"}}}`), "x properties.privateLinkServiceConnections[0].properties.privateLinkServiceConnectionState.status: a connection state that is not known to ringfence"},
		{"an endpoint to nothing", link(``), "x: the input lacks the connection of the private endpoint: what it leads to is not known"},
	} {
		t.Run(test.name, func(t *testing.T) { says(t, test.text, test.want) })
	}
}
