package azuretest

import (
	"fmt"
	"strings"
)

// VNet is a virtual network with its address ranges, subnets and peerings.
func VNet(name, prefixes string, parts ...Resource) Resource {
	r := New("virtualNetworks", name, Object{"addressSpace": Object{"addressPrefixes": list(prefixes)}, "subnets": []any{}, "virtualNetworkPeerings": []any{}})
	for _, p := range parts {
		kind := p["type"].(string)
		p["id"], p["type"] = ID("virtualNetworks/"+kind, name+"/"+p["name"].(string)), "Microsoft.Network/virtualNetworks/"+kind
		add(r.properties(), kind, p)
	}
	return r
}

// child is a part that its holder gives an ID.
func child(kind, name string, properties Object) Resource {
	return Resource{"name": name, "type": kind, "properties": properties}
}

// Subnet is a part of a [VNet]. Options: nsg=NAME, rt=NAME (route table), nat=NAME, pe=Enabled (privateEndpointNetworkPolicies, else
// Disabled), se=Microsoft.Storage (service endpoint), policy=NAME (service endpoint policy), outbound=true|false|unstated
// (defaultOutboundAccess, else true), delegate=SERVICE.
func Subnet(name, prefixes string, options ...string) Resource {
	p := Object{"provisioningState": "Succeeded", "privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Enabled", "defaultOutboundAccess": true}
	if ranges := list(prefixes); len(ranges) == 1 {
		p["addressPrefix"] = ranges[0]
	} else {
		p["addressPrefixes"] = ranges
	}
	for _, word := range options {
		switch key, value := option(word); key {
		case "":
		case "nsg":
			p["networkSecurityGroup"] = Ref("networkSecurityGroups", value)
		case "rt":
			p["routeTable"] = Ref("routeTables", value)
		case "nat":
			p["natGateway"] = Ref("natGateways", value)
		case "pe":
			p["privateEndpointNetworkPolicies"] = value
		case "se":
			add(p, "serviceEndpoints", Object{"service": value, "locations": []any{"*"}, "provisioningState": "Succeeded"})
		case "policy":
			add(p, "serviceEndpointPolicies", Ref("serviceEndpointPolicies", value))
		case "outbound":
			if value == "unstated" {
				delete(p, "defaultOutboundAccess")
			} else {
				p["defaultOutboundAccess"] = value == "true"
			}
		case "delegate":
			add(p, "delegations", Object{"name": "d", "properties": Object{"serviceName": value}})
		default:
			unknownWord("a subnet", word)
		}
	}
	return child("subnets", name, p)
}

// Peering is one side of a peering, a part of a [VNet]; its name is the other VNet's. It is connected and gives access. Options: forwarded
// (allowForwardedTraffic), transit (allowGatewayTransit), remote (useRemoteGateways), no-access, state=Disconnected, local=SUBNET and
// far=SUBNET (peering of subnets), v6 (IPv6 only), synced=PREFIXES (remoteAddressSpace), space=PREFIXES (remoteVirtualNetworkAddressSpace).
func Peering(remote string, options ...string) Resource {
	p := Object{
		"provisioningState": "Succeeded", "peeringState": "Connected", "peeringSyncLevel": "FullyInSync", "remoteVirtualNetwork": Ref("virtualNetworks", remote),
		"allowVirtualNetworkAccess": true, "allowForwardedTraffic": false, "allowGatewayTransit": false, "useRemoteGateways": false, "peerCompleteVnets": true,
	}
	for _, word := range options {
		switch key, value := option(word); key {
		case "":
		case "forwarded":
			p["allowForwardedTraffic"] = true
		case "transit":
			p["allowGatewayTransit"] = true
		case "remote":
			p["useRemoteGateways"] = true
		case "no-access":
			p["allowVirtualNetworkAccess"] = false
		case "state":
			p["peeringState"] = value
		case "local":
			p["peerCompleteVnets"] = false
			add(p, "localSubnetNames", value)
		case "far":
			p["peerCompleteVnets"] = false
			add(p, "remoteSubnetNames", value)
		case "v6":
			p["enableOnlyIPv6Peering"] = true
		case "synced":
			p["remoteAddressSpace"] = Object{"addressPrefixes": list(value)}
		case "space":
			p["remoteVirtualNetworkAddressSpace"] = Object{"addressPrefixes": list(value)}
		default:
			unknownWord("a peering", word)
		}
	}
	return child("virtualNetworkPeerings", remote, p)
}

// NIC is a network interface with one IP configuration, `ip`. Options: nsg=NAME, pip=NAME, asg=NAME, pool=LB/POOL, natrule=LB/RULE, forward
// (enableIPForwarding), v6=ADDRESS (a second configuration, `v6`), pip6=NAME and pool6=LB/POOL (its public address and pool), vm=NAME.
func NIC(name, subnet, address string, options ...string) Resource {
	ip := Object{
		"provisioningState": "Succeeded", "privateIPAddress": address, "privateIPAllocationMethod": "Dynamic", "privateIPAddressVersion": "IPv4", "primary": true,
		"subnet": Object{"id": SubnetID(subnet)},
	}
	r := New("networkInterfaces", name, Object{"provisioningState": "Succeeded", "enableIPForwarding": false})
	p := r.properties()
	configuration := func(part string, properties Object) {
		add(p, "ipConfigurations", Object{
			"name": part, "id": ID("networkInterfaces/ipConfigurations", name+"/"+part), "type": "Microsoft.Network/networkInterfaces/ipConfigurations", "properties": properties,
		})
	}
	configuration("ip", ip)
	var v6 Object
	for _, word := range options {
		switch key, value := option(word); key {
		case "":
		case "nsg":
			p["networkSecurityGroup"] = Ref("networkSecurityGroups", value)
		case "pip":
			ip["publicIPAddress"] = Ref("publicIPAddresses", value)
		case "asg":
			add(ip, "applicationSecurityGroups", Ref("applicationSecurityGroups", value))
		case "pool":
			add(ip, "loadBalancerBackendAddressPools", Ref("loadBalancers/backendAddressPools", value))
		case "natrule":
			add(ip, "loadBalancerInboundNatRules", Ref("loadBalancers/inboundNatRules", value))
		case "forward":
			p["enableIPForwarding"] = true
		case "v6":
			v6 = Object{"privateIPAddress": value, "privateIPAddressVersion": "IPv6", "primary": false, "subnet": Object{"id": SubnetID(subnet)}}
			configuration("v6", v6)
		case "pip6":
			v6["publicIPAddress"] = Ref("publicIPAddresses", value)
		case "pool6":
			add(v6, "loadBalancerBackendAddressPools", Ref("loadBalancers/backendAddressPools", value))
		case "vm":
			p["virtualMachine"] = Ref("Microsoft.Compute/virtualMachines", value)
		default:
			unknownWord("a NIC", word)
		}
	}
	return r
}

// PublicIP is a public address of SKU Standard. Options: basic.
func PublicIP(name, address string, options ...string) Resource {
	version := "IPv4"
	if strings.Contains(address, ":") {
		version = "IPv6"
	}
	r := New("publicIPAddresses", name, Object{"ipAddress": address, "publicIPAddressVersion": version, "publicIPAllocationMethod": "Static"})
	r["sku"] = Object{"name": "Standard", "tier": "Regional"}
	for _, word := range options {
		switch word {
		case "":
		case "basic":
			r["sku"] = Object{"name": "Basic", "tier": "Regional"}
		default:
			unknownWord("a public address", word)
		}
	}
	return r
}

// NATGateway has the public addresses named.
func NATGateway(name string, addresses ...string) Resource {
	r := New("natGateways", name, Object{"idleTimeoutInMinutes": 4})
	r["sku"] = Object{"name": "Standard"}
	for _, a := range addresses {
		add(r.properties(), "publicIpAddresses", Ref("publicIPAddresses", a))
	}
	return r
}

// RouteTable has routes written as prefix or tag and next hop: `0.0.0.0/0 10.0.0.4`, `10.0.0.0/16 VnetLocal`, `Storage Internet`. The word
// no-propagation is disableBgpRoutePropagation.
func RouteTable(name string, routes ...string) Resource {
	p := Object{"disableBgpRoutePropagation": false, "routes": []any{}}
	for i, text := range routes {
		if text == "" {
			continue
		}
		if text == "no-propagation" {
			p["disableBgpRoutePropagation"] = true
			continue
		}
		to, hop, ok := strings.Cut(text, " ")
		if !ok {
			panic("azuretest: route `" + text + "`")
		}
		route := Object{"addressPrefix": to, "nextHopType": hop}
		if strings.ContainsAny(hop, ".:") {
			route["nextHopType"], route["nextHopIpAddress"] = "VirtualAppliance", hop
		}
		part := fmt.Sprintf("route%d", i)
		add(p, "routes", Object{"name": part, "id": ID("routeTables/routes", name+"/"+part), "type": "Microsoft.Network/routeTables/routes", "properties": route})
	}
	return New("routeTables", name, p)
}

// PrivateEndpoint is an approved endpoint with one address; target is an ID.
func PrivateEndpoint(name, subnet, address, target string) Resource {
	return New("privateEndpoints", name, Object{
		"subnet": Object{"id": SubnetID(subnet)},
		"privateLinkServiceConnections": []any{Object{"name": name, "properties": Object{
			"privateLinkServiceId": target, "groupIds": []any{"blob"}, "privateLinkServiceConnectionState": Object{"status": "Approved"},
		}}},
		"ipConfigurations": []any{Object{"name": "ip", "properties": Object{"privateIPAddress": address, "groupId": "blob", "memberName": "blob"}}},
	})
}
