package azuretest

import "strings"

// VirtualWAN is a Virtual WAN of type Standard that lets branches talk. Options: basic, no-branches (allowBranchToBranchTraffic false).
func VirtualWAN(name string, options ...string) Resource {
	p := Object{"type": "Standard", "allowBranchToBranchTraffic": true, "disableVpnEncryption": false, "virtualHubs": []any{}, "office365LocalBreakoutCategory": "None"}
	for _, word := range options {
		switch word {
		case "":
		case "basic":
			p["type"] = "Basic"
		case "no-branches":
			p["allowBranchToBranchTraffic"] = false
		default:
			unknownWord("a virtual WAN", word)
		}
	}
	return New("virtualWans", name, p)
}

// VirtualHub is a hub of a virtual WAN. Options: firewall=NAME, vpn=NAME, clients=NAME, er=NAME (gateways that it names).
func VirtualHub(name, wan, prefix string, options ...string) Resource {
	p := Object{
		"virtualWan": Ref("virtualWans", wan), "addressPrefix": prefix, "sku": "Standard", "routingState": "Provisioned", "hubRoutingPreference": "ExpressRoute",
		"virtualHubRouteTableV2s": []any{}, "routeTable": Object{"routes": []any{}}, "virtualRouterAsn": 65515, "virtualRouterIps": []any{},
		"virtualRouterAutoScaleConfiguration": Object{"minCapacity": 2}, "allowBranchToBranchTraffic": false,
	}
	for _, word := range options {
		switch key, value := option(word); key {
		case "":
		case "firewall":
			p["azureFirewall"] = Ref("azureFirewalls", value)
		case "vpn":
			p["vpnGateway"] = Ref("vpnGateways", value)
		case "clients":
			p["p2SVpnGateway"] = Ref("p2sVpnGateways", value)
		case "er":
			p["expressRouteGateway"] = Ref("expressRouteGateways", value)
		default:
			unknownWord("a virtual hub", word)
		}
	}
	return New("virtualHubs", name, p)
}

// routing is the routing configuration of a hub's connection. Words: assoc=TABLE, to=HUB/TABLE (a table that learns it), label=LABEL,
// static=PREFIX>ADDRESS. Without any word it is the default: associated and propagated to the default table, with its label.
func routing(hub string, words []string) Object {
	table := func(name string) Object {
		if !strings.Contains(name, "/") {
			name = hub + "/" + name
		}
		return Ref("virtualHubs/hubRouteTables", name)
	}
	propagated := Object{"labels": []any{}, "ids": []any{}}
	r := Object{"associatedRouteTable": table("defaultRouteTable"), "propagatedRouteTables": propagated}
	given := false
	routes := Object{"staticRoutes": []any{}, "staticRoutesConfig": Object{"propagateStaticRoutes": true, "vnetLocalRouteOverrideCriteria": "Contains"}}
	for _, word := range words {
		switch key, value := option(word); key {
		case "assoc":
			r["associatedRouteTable"] = table(value)
		case "to":
			add(propagated, "ids", table(value))
			given = true
		case "label":
			add(propagated, "labels", value)
			given = true
		case "static":
			prefix, hop, _ := strings.Cut(value, ">")
			add(routes, "staticRoutes", Object{"name": "s", "addressPrefixes": []any{prefix}, "nextHopIpAddress": hop})
			r["vnetRoutes"] = routes
		default:
			unknownWord("a routing configuration", word)
		}
	}
	if !given {
		add(propagated, "ids", table("defaultRouteTable"))
		add(propagated, "labels", "default")
	}
	return r
}

// HubConnection joins a VNet to a hub. Options: secure (enableInternetSecurity), and those of its routing configuration: assoc=TABLE,
// to=HUB/TABLE, label=LABEL, static=PREFIX>ADDRESS.
func HubConnection(hub, vnet string, options ...string) Resource {
	secure := false
	var words []string
	for _, w := range options {
		if w == "secure" {
			secure = true
		} else if w != "" {
			words = append(words, w)
		}
	}
	return New("virtualHubs/hubVirtualNetworkConnections", hub+"/"+vnet, Object{
		"remoteVirtualNetwork": Ref("virtualNetworks", vnet), "enableInternetSecurity": secure, "allowHubToRemoteVnetTransit": true,
		"allowRemoteVnetToUseHubVnetGateways": true, "routingConfiguration": routing(hub, words), "connectivityStatus": "Connected",
	})
}

// HubTable is a route table of a hub: `hub/table`. Lines: `label NAME`, `PREFIXES -> ID`.
func HubTable(name string, lines ...string) Resource {
	p := Object{"labels": []any{}, "routes": []any{}, "associatedConnections": []any{}, "propagatingConnections": []any{}}
	for _, line := range lines {
		if label, ok := strings.CutPrefix(line, "label "); ok {
			add(p, "labels", label)
			continue
		}
		prefixes, hop, ok := strings.Cut(line, " -> ")
		if !ok {
			panic("azuretest: hub route `" + line + "`")
		}
		add(p, "routes", Object{"name": "r", "destinationType": "CIDR", "destinations": list(prefixes), "nextHopType": "ResourceId", "nextHop": hop})
	}
	return New("virtualHubs/hubRouteTables", name, p)
}

// RoutingIntent sends destinations (Internet, PrivateTraffic) of a hub to a firewall.
func RoutingIntent(hub, firewall string, destinations ...string) Resource {
	p := Object{"routingPolicies": []any{}}
	for _, d := range destinations {
		add(p, "routingPolicies", Object{"name": d, "destinations": []any{d}, "nextHop": ID("azureFirewalls", firewall)})
	}
	return New("virtualHubs/routingIntent", hub+"/intent", p)
}

// VPNSite is the far side of a hub's VPN connection.
func VPNSite(name, wan, prefixes string) Resource {
	return New("vpnSites", name, Object{
		"virtualWan": Ref("virtualWans", wan), "addressSpace": Object{"addressPrefixes": list(prefixes)}, "deviceProperties": Object{"deviceVendor": "x", "linkSpeedInMbps": 0},
		"isSecuritySite": false, "o365Policy": Object{}, "vpnSiteLinks": []any{Object{"name": "l", "properties": Object{"ipAddress": "192.0.2.9"}}},
	})
}

// HubVPN is the VPN gateway of a hub with a connection to each site. Options of all connections: bgp, and those of [HubConnection].
func HubVPN(name, hub, sites string, options ...string) Resource {
	bgp, secure := false, false
	var words []string
	for _, w := range options {
		switch w {
		case "":
		case "bgp":
			bgp = true
		case "secure":
			secure = true
		default:
			words = append(words, w)
		}
	}
	p := Object{"virtualHub": Ref("virtualHubs", hub), "vpnGatewayScaleUnit": 1, "isRoutingPreferenceInternet": false, "connections": []any{}}
	for _, s := range list(sites) {
		add(p, "connections", Object{"name": s, "id": ID("vpnGateways/vpnConnections", name+"/"+s), "properties": Object{
			"remoteVpnSite": Ref("vpnSites", s), "connectionStatus": "Connected", "enableInternetSecurity": secure, "routingConfiguration": routing(hub, words),
			"vpnLinkConnections": []any{Object{"name": "l", "properties": Object{"enableBgp": bgp, "connectionStatus": "Connected", "sharedKey": "hunter2"}}},
		}})
	}
	return New("vpnGateways", name, p)
}

// HubClients is the point-to-site gateway of a hub; its one configuration is named `clients`.
func HubClients(name, hub, pool string) Resource {
	return New("p2sVpnGateways", name, Object{
		"virtualHub": Ref("virtualHubs", hub), "vpnGatewayScaleUnit": 1, "customDnsServers": []any{}, "isRoutingPreferenceInternet": false,
		"p2SConnectionConfigurations": []any{Object{"name": "clients", "id": ID("p2sVpnGateways/p2SConnectionConfigurations", name+"/clients"), "properties": Object{
			"vpnClientAddressPool": Object{"addressPrefixes": list(pool)}, "enableInternetSecurity": false, "routingConfiguration": routing(hub, nil),
		}}},
	})
}

// HubExpressRoute is the ExpressRoute gateway of a hub with one connection, `circuit`.
func HubExpressRoute(name, hub string) Resource {
	return New("expressRouteGateways", name, Object{
		"virtualHub": Ref("virtualHubs", hub), "autoScaleConfiguration": Object{"bounds": Object{"min": 1, "max": 2}}, "allowNonVirtualWanTraffic": false,
		"expressRouteConnections": []any{Object{"name": "circuit", "id": ID("expressRouteGateways/expressRouteConnections", name+"/circuit"), "properties": Object{
			"expressRouteCircuitPeering": Ref("expressRouteCircuits/peerings", "c/AzurePrivatePeering"), "routingWeight": 0, "enableInternetSecurity": false,
			"routingConfiguration": routing(hub, nil),
		}}},
	})
}

// HubFirewall is a firewall in a hub with classic network rules, written as for [Firewall].
func HubFirewall(name, hub, address, public string, rules ...string) Resource {
	r := Firewall(name, "net/AzureFirewallSubnet", address, "pip", rules...)
	p := r.properties()
	delete(p, "ipConfigurations")
	p["sku"], p["virtualHub"] = Object{"name": "AZFW_Hub", "tier": "Standard"}, Ref("virtualHubs", hub)
	p["hubIPAddresses"] = Object{"privateIPAddress": address, "publicIPs": Object{"count": 1, "addresses": []any{Object{"address": public}}}}
	return r
}

// RouteServer is a Route Server in the RouteServerSubnet of a VNet, with an appliance that it exchanges routes with. Option:
// branch-to-branch.
func RouteServer(name, vnet, peer string, options ...string) []Resource {
	p := Object{"sku": "Standard", "allowBranchToBranchTraffic": false, "virtualRouterAsn": 65515, "virtualRouterIps": []any{}, "routingState": "Provisioned", "hubRoutingPreference": "ExpressRoute"}
	for _, word := range options {
		switch word {
		case "":
		case "branch-to-branch":
			p["allowBranchToBranchTraffic"] = true
		default:
			unknownWord("a Route Server", word)
		}
	}
	hub := New("virtualHubs", name, p)
	hub["kind"] = "RouteServer"
	out := []Resource{hub, New("virtualHubs/ipConfigurations", name+"/ip", Object{"subnet": Object{"id": SubnetID(vnet + "/RouteServerSubnet")}, "privateIPAllocationMethod": "Dynamic"})}
	if peer != "" {
		out = append(out, New("virtualHubs/bgpConnections", name+"/nva", Object{"peerIp": peer, "peerAsn": 65001, "connectionState": "Connected"}))
	}
	return out
}
