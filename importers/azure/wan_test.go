package azure

import (
	"testing"

	"github.com/ringfence/ringfence/model"
)

const wanExample = `[{
  "name": "wan", "id": "RG/Microsoft.Network/virtualWans/wan", "type": "Microsoft.Network/virtualWans", "location": "westeurope",
  "properties": {"provisioningState": "Succeeded", "disableVpnEncryption": false, "allowBranchToBranchTraffic": true, "office365LocalBreakoutCategory": "None", "type": "Standard",
    "virtualHubs": [{"id": "RG/Microsoft.Network/virtualHubs/hub"}], "vpnSites": [{"id": "RG/Microsoft.Network/vpnSites/site"}]}},
{"name": "hub", "id": "RG/Microsoft.Network/virtualHubs/hub", "type": "Microsoft.Network/virtualHubs", "location": "westeurope",
  "properties": {"provisioningState": "Succeeded", "virtualHubRouteTableV2s": [], "addressPrefix": "10.100.0.0/23", "virtualRouterAsn": 65515, "virtualRouterIps": ["10.100.0.69"],
    "routeTable": {"routes": []}, "virtualRouterAutoScaleConfiguration": {"minCapacity": 2}, "virtualWan": {"id": "RG/Microsoft.Network/virtualWans/wan"},
    "vpnGateway": {"id": "RG/Microsoft.Network/vpnGateways/vpn"}, "p2SVpnGateway": {"id": "RG/Microsoft.Network/p2sVpnGateways/p2s"}, "azureFirewall": {"id": "RG/Microsoft.Network/azureFirewalls/fw"},
    "sku": "Standard", "routingState": "Provisioned", "allowBranchToBranchTraffic": false, "preferredRoutingGateway": "ExpressRoute"}},
{"name": "nva", "id": "RG/Microsoft.Network/virtualHubs/hub/bgpConnections/nva", "type": "Microsoft.Network/virtualHubs/bgpConnections",
  "properties": {"provisioningState": "Succeeded", "peerAsn": 65001, "peerIp": "10.1.0.9", "connectionState": "Connected",
    "hubVirtualNetworkConnection": {"id": "RG/Microsoft.Network/virtualHubs/hub/hubVirtualNetworkConnections/a"}}},
{"name": "a", "id": "RG/Microsoft.Network/virtualHubs/hub/hubVirtualNetworkConnections/a", "type": "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections",
  "properties": {"provisioningState": "Succeeded", "connectivityStatus": "Connected", "enableInternetSecurity": true, "allowHubToRemoteVnetTransit": true, "allowRemoteVnetToUseHubVnetGateways": true,
    "remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/a"},
    "routingConfiguration": {"associatedRouteTable": {"id": "RG/Microsoft.Network/virtualHubs/hub/hubRouteTables/rt"},
      "propagatedRouteTables": {"labels": ["rt", "default"], "ids": [{"id": "RG/Microsoft.Network/virtualHubs/hub/hubRouteTables/defaultRouteTable"}]},
      "vnetRoutes": {"staticRoutesConfig": {"propagateStaticRoutes": false, "vnetLocalRouteOverrideCriteria": "equal"}, "bgpConnections": [],
        "staticRoutes": [{"name": "s", "addressPrefixes": ["10.9.0.0/16"], "nextHopIpAddress": "10.1.0.9"}]},
      "inboundRouteMap": {"id": "RG/Microsoft.Network/virtualHubs/hub/routeMaps/m"}}}},
{"name": "rt", "id": "RG/Microsoft.Network/virtualHubs/hub/hubRouteTables/rt", "type": "Microsoft.Network/virtualHubs/hubRouteTables",
  "properties": {"provisioningState": "Succeeded", "labels": ["rt"], "associatedConnections": ["RG/Microsoft.Network/virtualHubs/hub/hubVirtualNetworkConnections/a"], "propagatingConnections": [],
    "routes": [{"name": "all", "destinationType": "CIDR", "destinations": ["0.0.0.0/0"], "nextHopType": "ResourceId", "nextHop": "RG/Microsoft.Network/azureFirewalls/fw"}]}},
{"name": "intent", "id": "RG/Microsoft.Network/virtualHubs/hub/routingIntent/intent", "type": "Microsoft.Network/virtualHubs/routingIntent",
  "properties": {"provisioningState": "Succeeded", "routingPolicies": [{"name": "p", "destinations": ["privateTraffic"], "nextHop": "RG/Microsoft.Network/azureFirewalls/fw"}]}},
{"name": "site", "id": "RG/Microsoft.Network/vpnSites/site", "type": "Microsoft.Network/vpnSites", "location": "westeurope",
  "properties": {"provisioningState": "Succeeded", "addressSpace": {"addressPrefixes": ["10.50.0.0/16"]}, "deviceProperties": {"deviceVendor": "x", "linkSpeedInMbps": 0}, "ipAddress": "198.51.100.1",
    "virtualWan": {"id": "RG/Microsoft.Network/virtualWans/wan"}, "isSecuritySite": false, "o365Policy": {"breakOutCategories": {"allow": false}},
    "vpnSiteLinks": [{"name": "l", "id": "RG/Microsoft.Network/vpnSites/site/vpnSiteLinks/l", "properties": {"provisioningState": "Succeeded", "ipAddress": "198.51.100.1",
      "bgpProperties": {"asn": 65010, "bgpPeeringAddress": "10.50.0.1"}, "linkProperties": {"linkProviderName": "x", "linkSpeedInMbps": 10}}}]}},
{"name": "vpn", "id": "RG/Microsoft.Network/vpnGateways/vpn", "type": "Microsoft.Network/vpnGateways", "location": "westeurope",
  "properties": {"provisioningState": "Succeeded", "virtualHub": {"id": "RG/Microsoft.Network/virtualHubs/hub"}, "bgpSettings": {"asn": 65515, "peerWeight": 0}, "vpnGatewayScaleUnit": 1,
    "isRoutingPreferenceInternet": false, "enableBgpRouteTranslationForNat": false, "ipConfigurations": [{"id": "Instance0", "publicIpAddress": "20.0.0.9"}],
    "natRules": [{"name": "n", "id": "RG/Microsoft.Network/vpnGateways/vpn/natRules/n", "type": "Microsoft.Network/vpnGateways/natRules",
      "properties": {"provisioningState": "Succeeded", "type": "static", "mode": "ingressSnat", "internalMappings": [{"addressSpace": "10.50.0.0/24"}], "externalMappings": [{"addressSpace": "10.60.0.0/24"}],
        "ingressVpnSiteLinkConnections": []}}],
    "connections": [{"name": "c", "id": "RG/Microsoft.Network/vpnGateways/vpn/vpnConnections/c", "properties": {"provisioningState": "Succeeded", "connectionStatus": "connected",
      "remoteVpnSite": {"id": "RG/Microsoft.Network/vpnSites/site"}, "routingWeight": 0, "enableInternetSecurity": false, "ingressBytesTransferred": 5000000000,
      "vpnLinkConnections": [{"name": "l", "id": "RG/Microsoft.Network/vpnGateways/vpn/vpnConnections/c/vpnLinkConnections/l", "properties": {"provisioningState": "Succeeded", "sharedKey": "hunter2",
        "vpnSiteLink": {"id": "RG/Microsoft.Network/vpnSites/site/vpnSiteLinks/l"}, "enableBgp": false, "ingressNatRules": [{"id": "RG/Microsoft.Network/vpnGateways/vpn/natRules/n"}], "egressNatRules": []}}]}}]}},
{"name": "p2s", "id": "RG/Microsoft.Network/p2sVpnGateways/p2s", "type": "Microsoft.Network/p2sVpnGateways", "location": "westeurope",
  "properties": {"provisioningState": "Succeeded", "virtualHub": {"id": "RG/Microsoft.Network/virtualHubs/hub"}, "vpnGatewayScaleUnit": 1, "customDnsServers": [],
    "vpnServerConfiguration": {"id": "RG/Microsoft.Network/vpnServerConfigurations/v"},
    "p2SConnectionConfigurations": [{"name": "k", "id": "RG/Microsoft.Network/p2sVpnGateways/p2s/p2sConnectionConfigurations/k", "properties": {"provisioningState": "Succeeded",
      "vpnClientAddressPool": {"addressPrefixes": ["172.20.0.0/24"]}, "enableInternetSecurity": true}}]}},
{"name": "er", "id": "RG/Microsoft.Network/expressRouteGateways/er", "type": "Microsoft.Network/expressRouteGateways", "location": "westeurope",
  "properties": {"provisioningState": "Succeeded", "autoScaleConfiguration": {"bounds": {"min": 1}}, "virtualHub": {"id": "RG/Microsoft.Network/virtualHubs/hub", "resourceGroup": "rg1"},
    "expressRouteConnections": [{"name": "x", "id": "RG/Microsoft.Network/expressRouteGateways/er/expressRouteConnections/x", "properties": {"provisioningState": "Succeeded", "routingWeight": 0,
      "expressRouteCircuitPeering": {"id": "RG/Microsoft.Network/expressRouteCircuits/c/peerings/AzurePrivatePeering"}}}]}},
{"name": "rs", "id": "RG/Microsoft.Network/virtualHubs/rs", "type": "Microsoft.Network/virtualHubs", "location": "westeurope", "kind": "RouteServer",
  "properties": {"provisioningState": "Succeeded", "sku": "Standard", "virtualRouterAsn": 65515, "virtualRouterIps": ["10.0.5.4"], "allowBranchToBranchTraffic": true, "hubRoutingPreference": "ASPath",
    "ipConfigurations": [{"id": "RG/Microsoft.Network/virtualHubs/rs/ipConfigurations/ip"}]}},
{"name": "ip", "id": "RG/Microsoft.Network/virtualHubs/rs/ipConfigurations/ip", "type": "Microsoft.Network/virtualHubs/ipConfigurations",
  "properties": {"provisioningState": "Succeeded", "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/hub/subnets/RouteServerSubnet"}, "privateIPAllocationMethod": "Dynamic"}}]`

func TestVirtualWAN(t *testing.T) {
	hub, fw := id("Microsoft.Network/virtualHubs/hub"), id("Microsoft.Network/azureFirewalls/fw")
	vpn := id("Microsoft.Network/vpnGateways/vpn")
	shapes(t, wanExample,
		&model.HubGateway{Meta: meta("Microsoft.Network/expressRouteGateways/er"), Kind: model.HubExpressRoute, Hub: hub, Connections: []model.HubBranch{{
			ID: id("Microsoft.Network/expressRouteGateways/er/expressRouteConnections/x"), Name: "x", BGP: model.On, Site: id("Microsoft.Network/expressRouteCircuits/c/peerings/AzurePrivatePeering"),
		}}},
		&model.HubGateway{Meta: meta("Microsoft.Network/p2sVpnGateways/p2s"), Kind: model.HubClients, Hub: hub, Connections: []model.HubBranch{{
			ID: id("Microsoft.Network/p2sVpnGateways/p2s/p2sConnectionConfigurations/k"), Name: "k", Pools: prefixList2("172.20.0.0/24"), InternetSecurity: model.On,
		}}},
		&model.VirtualHub{
			Meta: meta("Microsoft.Network/virtualHubs/hub"), WAN: id("Microsoft.Network/virtualWans/wan"), Prefix: prefixList2("10.100.0.0/23")[0], Firewall: fw,
			Gateways: []model.ID{id("Microsoft.Network/p2sVpnGateways/p2s"), vpn},
			Peers:    []model.RoutePeer{{Name: "nva", Address: addr("10.1.0.9"), VNet: hub + "/hubVirtualNetworkConnections/a"}},
		},
		&model.HubRouteTable{Meta: bare("Microsoft.Network/virtualHubs/hub/hubRouteTables/rt"), Hub: hub, Labels: []string{"rt"}, Routes: []model.HubRoute{{Name: "all", Prefixes: prefixList2("0.0.0.0/0"), NextHop: fw}}},
		&model.HubConnection{
			Meta: bare("Microsoft.Network/virtualHubs/hub/hubVirtualNetworkConnections/a"), Hub: hub, VNet: id("Microsoft.Network/virtualNetworks/a"), InternetSecurity: model.On,
			Routing: model.HubRouting{
				Stated: true, Associated: hub + "/hubRouteTables/rt", Propagated: []model.ID{hub + "/hubRouteTables/defaultRouteTable"}, Labels: []string{"default", "rt"},
				Static: []model.HubStaticRoute{{Name: "s", Prefixes: prefixList2("10.9.0.0/16"), NextHop: addr("10.1.0.9")}}, PropagateStatic: model.Off, LocalOverride: "Equal",
				Maps: []model.ID{hub + "/routeMaps/m"},
			},
		},
		&model.RoutingIntent{Meta: bare("Microsoft.Network/virtualHubs/hub/routingIntent/intent"), Hub: hub, Policies: []model.RoutingPolicy{{Name: "p", Destinations: []string{"PrivateTraffic"}, NextHop: fw}}},
		&model.RouteServer{Meta: meta("Microsoft.Network/virtualHubs/rs"), Subnet: id("Microsoft.Network/virtualNetworks/hub/subnets/RouteServerSubnet"), BranchToBranch: model.On},
		&model.VirtualWAN{Meta: meta("Microsoft.Network/virtualWans/wan"), Type: "Standard", BranchToBranch: model.On},
		&model.HubGateway{
			Meta: meta("Microsoft.Network/vpnGateways/vpn"), Kind: model.HubVPN, Hub: hub,
			Connections: []model.HubBranch{{
				ID: vpn + "/vpnConnections/c", Name: "c", Site: id("Microsoft.Network/vpnSites/site"), State: "Connected", BGP: model.Off, InternetSecurity: model.Off, IngressNAT: []model.ID{vpn + "/natRules/n"},
			}},
			NATRules: []model.GatewayNATRule{{
				ID: vpn + "/natRules/n", Name: "n", Mode: "IngressSnat", Type: "Static", Internal: prefixList2("10.50.0.0/24"), External: prefixList2("10.60.0.0/24"),
			}},
		},
		&model.VPNSite{Meta: meta("Microsoft.Network/vpnSites/site"), Prefixes: prefixList2("10.50.0.0/16"), BGP: model.On},
	)
}

// bare is the description of a child, which has no location.
func bare(kind string) model.Meta {
	m := meta(kind)
	m.Location = ""
	return m
}
