package azure

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

const vnetExample = `[{
  "name": "vnet1", "id": "RG/Microsoft.Network/virtualNetworks/vnet1", "etag": "W/\"1\"", "type": "Microsoft.Network/virtualNetworks",
  "location": "westeurope",
  "properties": {
    "provisioningState": "Succeeded", "resourceGuid": "3c0", "enableDdosProtection": false, "encryption": {"enabled": true, "enforcement": "AllowUnencrypted"},
    "addressSpace": {"addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"]},
    "dhcpOptions": {"dnsServers": ["10.0.0.4"]},
    "privateEndpointVNetPolicies": "Disabled",
    "subnets": [
      {"name": "web", "id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web", "type": "Microsoft.Network/virtualNetworks/subnets",
       "properties": {"provisioningState": "Succeeded", "addressPrefixes": ["10.1.1.0/24", "fd00:1:0:1::/64"],
         "networkSecurityGroup": {"id": "RG/Microsoft.Network/networkSecurityGroups/nsg-web"},
         "routeTable": {"id": "RG/Microsoft.Network/routeTables/rt"},
         "natGateway": {"id": "RG/Microsoft.Network/natGateways/nat"},
         "serviceEndpoints": [{"service": "Microsoft.Storage", "locations": ["westeurope", "northeurope"], "provisioningState": "Succeeded"}],
         "serviceEndpointPolicies": [{"id": "RG/Microsoft.Network/serviceEndpointPolicies/sep"}],
         "delegations": [{"name": "d", "properties": {"serviceName": "Microsoft.ContainerService/managedClusters", "actions": ["x"]}}],
         "ipConfigurations": [{"id": "RG/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/ipconfig1"}],
         "privateEndpointNetworkPolicies": "networksecuritygroupenabled", "privateLinkServiceNetworkPolicies": "Enabled",
         "defaultOutboundAccess": false}},
      {"name": "pe", "id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/pe", "type": "Microsoft.Network/virtualNetworks/subnets",
       "properties": {"provisioningState": "Succeeded", "addressPrefix": "10.1.2.0/24", "privateEndpointNetworkPolicies": "Disabled"}}
    ],
    "virtualNetworkPeerings": [
      {"name": "to-hub", "id": "RG/Microsoft.Network/virtualNetworks/vnet1/virtualNetworkPeerings/to-hub",
       "type": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
       "properties": {"provisioningState": "Succeeded", "peeringState": "connected", "peeringSyncLevel": "FullyInSync",
         "remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/hub"}, "allowVirtualNetworkAccess": true,
         "allowForwardedTraffic": false, "allowGatewayTransit": false, "useRemoteGateways": true, "doNotVerifyRemoteGateways": false,
         "peerCompleteVnets": true, "remoteAddressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
         "remoteVirtualNetworkAddressSpace": {"addressPrefixes": ["10.0.0.0/16", "10.9.0.0/16"]}}}
    ]
  }
}]`

func vnetModels() (*model.VNet, *model.Subnet, *model.Subnet) {
	vnet := id("Microsoft.Network/virtualNetworks/vnet1")
	return &model.VNet{
		Meta: meta("Microsoft.Network/virtualNetworks/vnet1"), Prefixes: prefixList2("10.1.0.0/16", "fd00:1::/48"),
		DNSServers: []netip.Addr{addr("10.0.0.4")},
		Peerings: []model.Peering{{
			Name: "to-hub", Remote: id("Microsoft.Network/virtualNetworks/hub"), State: "Connected", AllowVNetAccess: model.On,
			AllowForwarded: model.Off, AllowGatewayTransit: model.Off, UseRemoteGateways: model.On, CompleteVNets: model.On,
			RemotePrefixes: prefixList2("10.0.0.0/16", "10.9.0.0/16"), SyncedPrefixes: prefixList2("10.0.0.0/16"),
		}},
	}, &model.Subnet{
		Meta: model.Meta{ID: vnet + "/subnets/pe"}, VNet: vnet, Prefixes: prefixList2("10.1.2.0/24"), EndpointPolicies: model.PoliciesDisabled,
	}, &model.Subnet{
		Meta: model.Meta{ID: vnet + "/subnets/web"}, VNet: vnet, Prefixes: prefixList2("10.1.1.0/24", "fd00:1:0:1::/64"),
		NSG: id("Microsoft.Network/networkSecurityGroups/nsg-web"), RouteTable: id("Microsoft.Network/routeTables/rt"),
		NATGateway: id("Microsoft.Network/natGateways/nat"), EndpointPolicies: model.PoliciesNSG, DefaultOutbound: model.Off,
		ServiceEndpoints: []model.ServiceEndpoint{{Service: "Microsoft.Storage", Locations: []string{"northeurope", "westeurope"}, State: "Succeeded"}},
		ServicePolicies:  []model.ID{id("Microsoft.Network/serviceEndpointPolicies/sep")},
		Delegations:      []string{"Microsoft.ContainerService/managedClusters"},
	}
}

func TestVNet(t *testing.T) {
	v, pe, web := vnetModels()
	shapes(t, vnetExample, v, pe, web)
}

// Subnets and peerings beside their VNet give the same model as inside it; without the VNet a partial one holds the peering.
func TestVNetInParts(t *testing.T) {
	vnet, pe, web := vnetModels()
	const head = `{"name": "vnet1", "id": "RG/Microsoft.Network/virtualNetworks/vnet1", "type": "Microsoft.Network/virtualNetworks", "location": "West Europe",
	  "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"]}, "dhcpOptions": {"dnsServers": ["10.0.0.4"]}}}`
	const subPE = `{"name": "pe", "id": "RG/Microsoft.Network/virtualNetworks/VNET1/subnets/pe",
	  "properties": {"provisioningState": "Succeeded", "addressPrefix": "10.1.2.0/24", "privateEndpointNetworkPolicies": "Disabled"}}`
	const subWeb = `{"name": "web", "id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web", "type": "Microsoft.Network/virtualNetworks/subnets",
	  "addressPrefix": "10.1.1.0/24", "addressPrefixes": ["10.1.1.0/24", "fd00:1:0:1::/64"],
	  "networkSecurityGroup": {"id": "RG/Microsoft.Network/networkSecurityGroups/nsg-web"}, "routeTable": {"id": "RG/Microsoft.Network/routeTables/rt"},
	  "natGateway": {"id": "RG/Microsoft.Network/natGateways/nat"}, "serviceEndpointPolicies": [{"id": "RG/Microsoft.Network/serviceEndpointPolicies/sep"}],
	  "serviceEndpoints": [{"service": "Microsoft.Storage", "locations": ["westeurope", "northeurope"], "provisioningState": "Succeeded"}],
	  "delegations": [{"name": "d", "serviceName": "Microsoft.ContainerService/managedClusters"}],
	  "privateEndpointNetworkPolicies": "NetworkSecurityGroupEnabled", "defaultOutboundAccess": false}`
	const peering = `{"name": "to-hub", "id": "RG/Microsoft.Network/virtualNetworks/vnet1/virtualNetworkPeerings/to-hub",
	  "type": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings", "properties": {"peeringState": "Connected",
	  "remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/hub"}, "allowVirtualNetworkAccess": true, "allowForwardedTraffic": false,
	  "allowGatewayTransit": false, "useRemoteGateways": true, "peerCompleteVnets": true, "remoteAddressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
	  "remoteVirtualNetworkAddressSpace": {"addressPrefixes": ["10.0.0.0/16", "10.9.0.0/16"]}}}`
	whole, err := files(t, map[string]string{"vnet.json": head, "subnets.json": "[" + subWeb + "," + subPE + "]", "peerings.json": peering})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]model.Resource{vnet, pe, web}, whole.Resources, facts()); diff != "" {
		t.Errorf("in parts (-want +got):\n%s", diff)
	}
	lone, err := files(t, map[string]string{"subnets.json": "[" + subWeb + "," + subPE + "]", "peerings.json": peering})
	if err != nil {
		t.Fatal(err)
	}
	partial := &model.VNet{Meta: model.Meta{ID: vnet.ID}, Peerings: vnet.Peerings, Partial: true}
	if diff := cmp.Diff([]model.Resource{partial, pe, web}, lone.Resources, facts()); diff != "" {
		t.Errorf("without the VNet (-want +got):\n%s", diff)
	}
	// The same subnet inside its VNet and beside it, alike: two descriptions, one resource.
	twice, err := files(t, map[string]string{"vnet.json": vnetExample, "subnets.json": "[" + subWeb + "," + subPE + "]"})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := model.NewEstate(twice.Resources, twice.Ledger); err != nil || len(e.Subnets) != 2 || len(e.VNets[0].Subnets) != 2 {
		t.Errorf("twice: %v", err)
	}
}

// A VNet that names a subnet without describing it leaves a hole, and says so.
func TestSubnetReference(t *testing.T) {
	res := one(t, `{"id": "RG/Microsoft.Network/virtualNetworks/v", "type": "Microsoft.Network/virtualNetworks", "properties": {
	  "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}]}}`)
	if diff := cmp.Diff([]string{"v properties.subnets[0]: the subnet is named and not described; export it"}, ledgerOf(res, model.Unsupported)); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

const routeExample = `[{
  "name": "rt", "id": "RG/Microsoft.Network/routeTables/rt", "type": "Microsoft.Network/routeTables", "location": "westeurope",
  "properties": {"provisioningState": "Succeeded", "disableBgpRoutePropagation": true,
    "routes": [
      {"name": "b-tag", "id": "RG/Microsoft.Network/routeTables/rt/routes/b-tag", "type": "Microsoft.Network/routeTables/routes",
       "properties": {"provisioningState": "Succeeded", "addressPrefix": "Storage.WestEurope", "nextHopType": "Internet", "hasBgpOverride": false}},
      {"name": "a-default", "id": "RG/Microsoft.Network/routeTables/rt/routes/a-default", "type": "Microsoft.Network/routeTables/routes",
       "properties": {"provisioningState": "Succeeded", "addressPrefix": "0.0.0.0/0", "nextHopType": "virtualAppliance", "nextHopIpAddress": "10.0.0.4"}}
    ],
    "subnets": [{"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web"}]}
}]`

func TestRouteTable(t *testing.T) {
	shapes(t, routeExample, &model.RouteTable{
		Meta: meta("Microsoft.Network/routeTables/rt"), DisableBGP: model.On,
		Routes: []model.UserRoute{
			{Name: "a-default", Prefix: prefix("0.0.0.0/0"), NextHop: model.HopAppliance, Address: addr("10.0.0.4")},
			{Name: "b-tag", Tag: "Storage.WestEurope", NextHop: model.HopInternet},
		},
	})
}

// Host bits are cleared, and the ledger says how the prefix was read.
func TestHostBits(t *testing.T) {
	res := one(t, `{"id": "RG/Microsoft.Network/routeTables/rt", "type": "Microsoft.Network/routeTables", "properties": {"routes": [
	  {"name": "a", "properties": {"addressPrefix": "10.0.0.5/24", "nextHopType": "None"}},
	  {"name": "b", "properties": {"addressPrefix": "::ffff:10.1.0.0/112", "nextHopType": "None"}}]}}`)
	routes := res.Resources[0].(*model.RouteTable).Routes
	if routes[0].Prefix != prefix("10.0.0.0/24") || routes[1].Prefix != prefix("10.1.0.0/16") {
		t.Errorf("prefixes: got %v and %v", routes[0].Prefix, routes[1].Prefix)
	}
	want := []string{"rt properties.routes[0].properties.addressPrefix: host bits cleared: read as 10.0.0.0/24"}
	if diff := cmp.Diff(want, ledgerOf(res, model.Irrelevant)); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

// What a route table says about its subnets and what they say must agree; else the export mixes two times.
func TestAttachmentsDisagree(t *testing.T) {
	res := one(t, `[{"id": "RG/Microsoft.Network/routeTables/rt", "type": "Microsoft.Network/routeTables",
	  "properties": {"subnets": [{"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/a"}, {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/b"}]}},
	 {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/a", "properties": {"addressPrefix": "10.0.0.0/24", "routeTable": {"id": "RG/Microsoft.Network/routeTables/RT"}}},
	 {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/b", "properties": {"addressPrefix": "10.0.1.0/24"}}]`)
	want := []string{"rt properties.subnets: says that it is attached to v/b, which does not name it: the two were exported at different times"}
	if diff := cmp.Diff(want, ledgerOf(res, model.Unsupported)); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}
