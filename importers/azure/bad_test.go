package azure

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/importertest"
	"github.com/ringfence/ringfence/model"
)

const (
	nsgHead = `{"id": "RG/Microsoft.Network/networkSecurityGroups/n", "type": "Microsoft.Network/networkSecurityGroups", "properties": {"securityRules": [` + "\n"
	good    = `{"name": "A", "properties": {"protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": "22", "sourceAddressPrefix": "10.0.0.0/8", "destinationAddressPrefix": "*", "access": "Allow", "priority": 100, "direction": "Inbound"}}`
)

// rule is a good rule with some words replaced.
func rule(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(good) }

// says checks what the import of a file says: its error, or what it does not support.
func says(t *testing.T, text, want string) {
	t.Helper()
	res, err := files(t, map[string]string{"a.json": text})
	got := strings.Join(ledgerOf(res, model.Unsupported), "\n")
	if err != nil {
		got = err.Error()
		importertest.Errors(t, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

// Every way in which input can be wrong has an error of its own, with file, line, resource, field, what was found and what is accepted.
func TestBadInput(t *testing.T) {
	const rules = "a.json:2: n: properties.securityRules[0]"
	for _, test := range []struct{ name, text, want string }{
		{
			"cut off", `[{"id": "RG/x", "type":` + "\n",
			"a.json:2: found `the end of the file`, want the rest of the JSON value: the file is cut off",
		},
		{"no JSON", `{"id": "RG/a/b/c",` + "\n" + `oops}`, "a.json:2: want JSON: invalid character 'o' at start of value"},
		{"a number", `42`, "a.json:1: found `a number`, want an Azure resource, or a list of them"},
		{"null", `null`, "a.json:1: found `null`, want an Azure resource, or a list of them"},
		{"null in a list", "[\nnull]", "a.json:2: found `null`, want an Azure resource: an object with `id` and `type`"},
		{"an object without ID", `{"name": "x", "type": "Microsoft.Network/virtualNetworks"}`, "a.json:1: found `an object`, want an Azure resource: an object with `id` and `type`, or a list of them"},
		{"an empty list", `{"value": []}`, "a.json:1: found `no resource`, want Azure resources as JSON: objects with `id` and `type`"},
		{"an empty file", ``, "a.json:1: found `no resource`, want Azure resources as JSON: objects with `id` and `type`"},
		{
			"a name twice", `{"id": "RG/Microsoft.Network/routeTables/r",` + "\n" + `"id": "RG/Microsoft.Network/routeTables/s", "properties": {}}`,
			"a.json:2: id: found `the name a second time`, want each name once; the first is at line 1",
		},
		{
			"a name twice in two cases", `{"id": "RG/Microsoft.Network/routeTables/r", "properties": {"routes": [],` + "\n" + `"Routes": []}}`,
			"a.json:2: r: properties.Routes: found `the name a second time`, want each name once, whatever its case; the first is at line 1",
		},
		{"an ID that is none", `[{"id": "vnet1", "type": "Microsoft.Network/virtualNetworks"}]`, "a.json:1: id: found `vnet1`, want a resource ID: /subscriptions/…/providers/…"},
		{
			"an ID with a control character", `{"id": "/subscriptions/s/providers/Microsoft.Network/routeTables/a\u001b[2J"}`,
			"a.json:1: id: found `/subscriptions/s/providers/Microsoft.Network/routeTables/a\\x1b[2J`, want a resource ID without control characters",
		},
		{
			"type and ID disagree", `{"id": "RG/Microsoft.Network/networkSecurityGroups/n",` + "\n" + `"type": "Microsoft.Compute/disks", "properties": {}}`,
			"a.json:1: n: type: found `Microsoft.Compute/disks`, want the type of its ID: Microsoft.Network/networkSecurityGroups",
		},
		{
			"a WAN of a kind that there is not", `{"id": "RG/Microsoft.Network/virtualWans/w", "properties": {` + "\n" + `"type": "Premium"}}`,
			"a.json:2: w: properties.type: found `Premium`, want Standard or Basic",
		},
		{
			"a hub connection without a VNet", `{"id": "RG/Microsoft.Network/virtualHubs/h/hubVirtualNetworkConnections/c",` + "\n" + `"properties": {"enableInternetSecurity": true}}`,
			"a.json:2: h/c: properties.remoteVirtualNetwork: found `nothing`, want the VNet that is connected",
		},
		{
			"a hub route without a next hop", `{"id": "RG/Microsoft.Network/virtualHubs/h/hubRouteTables/t", "properties": {"routes": [` + "\n" + `{"name": "r", "destinationType": "CIDR", "destinations": ["10.0.0.0/8"], "nextHopType": "ResourceId"}]}}`,
			"a.json:2: h/t: properties.routes[0].nextHop: found `nothing`, want a firewall or a connection, as an ID",
		},
		{
			"a routing policy for something else", `{"id": "RG/Microsoft.Network/virtualHubs/h/routingIntent/i", "properties": {"routingPolicies": [` + "\n" + `{"name": "p", "destinations": ["Branches"], "nextHop": "RG/Microsoft.Network/azureFirewalls/f"}]}}`,
			"a.json:2: h/i: properties.routingPolicies[0].destinations[0]: found `Branches`, want Internet or PrivateTraffic",
		},
		{
			"a NAT rule without a mode", `{"id": "RG/Microsoft.Network/vpnGateways/g", "properties": {"natRules": [` + "\n" + `{"name": "n", "properties": {"type": "Static"}}]}}`,
			"a.json:2: g: properties.natRules[0].properties.mode: found `nothing`, want one of EgressSnat, IngressSnat",
		},
		{
			"a policy that lists no ID", `{"id": "RG/Microsoft.Network/serviceEndpointPolicies/p", "properties": {"serviceEndpointPolicyDefinitions": [` + "\n" + `{"name": "d", "properties": {"service": "Microsoft.Storage", "serviceResources": ["sa"]}}]}}`,
			"a.json:2: p: properties.serviceEndpointPolicyDefinitions[0].properties.serviceResources[0]: found `sa`, want a subscription, a resource group or an account, as an ID, or an alias: /services/Azure/…",
		},
		{"a text for a number", nsgHead + rule(`: 100`, `: "100"`) + `]}}`, rules + ".properties.priority: found `\"100\"`, want a whole number"},
		{"a fraction for a number", nsgHead + rule(`: 100`, `: 100.5`) + `]}}`, rules + ".properties.priority: found `100.5`, want a whole number"},
		{"a number for a text", nsgHead + rule(`"22"`, `22`) + `]}}`, rules + ".properties.destinationPortRange: found `22`, want a text"},
		{"an object for a list", `{"id": "RG/Microsoft.Network/routeTables/r", "properties": {"routes": {}}}`, "a.json:1: r: properties.routes: found `an object`, want a list"},
		{"a text for an object", `{"id": "RG/Microsoft.Network/routeTables/r", "properties": "x"}`, "a.json:1: r: properties: found `\"x\"`, want an object"},
		{"a text for true", `{"id": "RG/Microsoft.Network/routeTables/r", "properties": {"disableBgpRoutePropagation": "true"}}`, "a.json:1: r: properties.disableBgpRoutePropagation: found `\"true\"`, want true or false"},
		{"null for an object", nsgHead + `null]}}`, rules + ": found `null`, want an object"},
		{"null for a reference", nsgHead + rule(`"sourceAddressPrefix": "10.0.0.0/8"`, `"sourceApplicationSecurityGroups": [null]`) + `]}}`, rules + ".properties.sourceApplicationSecurityGroups[0]: found `null`, want an object with `id`"},
		{"priority too small", nsgHead + rule(`: 100`, `: 99`) + `]}}`, rules + ".properties.priority: found `99`, want a priority from 100 to 4096"},
		{"priority too large", nsgHead + rule(`: 100`, `: 4097`) + `]}}`, rules + ".properties.priority: found `4097`, want a priority from 100 to 4096"},
		{"no priority", nsgHead + rule(`"priority": 100, `, ``) + `]}}`, rules + ".properties.priority: found `nothing`, want a priority from 100 to 4096"},
		{
			"a priority twice", nsgHead + good + ",\n" + rule(`"A"`, `"B"`) + `]}}`,
			"a.json:3: n: B.priority: found `100`, want a priority that no other inbound rule has; the other is at a.json:2",
		},
		{"access", nsgHead + rule(`"Allow"`, `"Permit"`) + `]}}`, rules + ".properties.access: found `Permit`, want one of Allow, Deny"},
		{"direction", nsgHead + rule(`"Inbound"`, `"Sideways"`) + `]}}`, rules + ".properties.direction: found `Sideways`, want one of Inbound, Outbound"},
		{"port too large", nsgHead + rule(`"22"`, `"65536"`) + `]}}`, rules + ".properties.destinationPortRange: found `65536`, want a port from 0 to 65535, a range such as 8000-8100, or *"},
		{"ports backwards", nsgHead + rule(`"22"`, `"90-80"`) + `]}}`, rules + ".properties.destinationPortRange: found `90-80`, want a port from 0 to 65535, a range such as 8000-8100, or *"},
		{"no prefix", nsgHead + rule(`10.0.0.0/8`, `10.0.0.300/24`) + `]}}`, rules + ".properties.sourceAddressPrefix: found `10.0.0.300/24`, want an address or CIDR such as 10.0.0.0/16; IPv4-in-IPv6 only from ::ffff:0:0/96 on"},
		{"two families in one prefix", nsgHead + rule(`10.0.0.0/8`, `::ffff:10.0.0.0/95`) + `]}}`, rules + ".properties.sourceAddressPrefix: found `::ffff:10.0.0.0/95`, want an address or CIDR such as 10.0.0.0/16; IPv4-in-IPv6 only from ::ffff:0:0/96 on"},
		{"range backwards", nsgHead + rule(`10.0.0.0/8`, `10.0.0.9-10.0.0.4`) + `]}}`, rules + ".properties.sourceAddressPrefix: found `10.0.0.9-10.0.0.4`, want a range that runs from a lower to a higher address of one family"},
		{"range across families", nsgHead + rule(`10.0.0.0/8`, `10.0.0.9-::1`) + `]}}`, rules + ".properties.sourceAddressPrefix: found `10.0.0.9-::1`, want a range that runs from a lower to a higher address of one family"},
		{"no source", nsgHead + rule(`"sourceAddressPrefix": "10.0.0.0/8", `, ``) + `]}}`, rules + ".properties.sourceAddressPrefix: found `nothing`, want *, an address, a CIDR, a service tag, or application security groups"},
		{
			"addresses and groups", nsgHead + rule(`"sourceAddressPrefix"`, `"sourceApplicationSecurityGroups": [{"id": "RG/Microsoft.Network/applicationSecurityGroups/a"}], "sourceAddressPrefix"`) + `]}}`,
			rules + ".properties.sourceApplicationSecurityGroups: found `a list`, want either addresses or application security groups on one side of a rule",
		},
		{"a rule that is a reference", nsgHead + `{"id": "RG/Microsoft.Network/networkSecurityGroups/n/securityRules/A"}]}}`, rules + ".properties: found `nothing`, want the rule: a reference alone describes none"},
		{
			"a rule twice, different", nsgHead + good + `]}}` + "\n" + strings.Replace(rule(`"22"`, `"23"`), `{"name"`, `{"id": "RG/Microsoft.Network/networkSecurityGroups/n/securityRules/A", "name"`, 1),
			"a.json:3: n: securityRules: found `A a second time, different`, want one description of each; the other is at a.json:2",
		},
		{
			"subnet outside its VNet", `{"id": "RG/Microsoft.Network/virtualNetworks/v", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16", "fd00::/48"]},` + "\n" +
				`"subnets": [{"name": "s", "properties": {"addressPrefix": "10.1.0.0/24"}}]}}`,
			"a.json:2: v/s: addressPrefix: found `10.1.0.0/24`, want a prefix inside the address space of its VNet: 10.0.0.0/16, fd00::/48",
		},
		{
			"subnets overlap", `{"id": "RG/Microsoft.Network/virtualNetworks/v", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [` + "\n" +
				`{"name": "a", "properties": {"addressPrefix": "10.0.1.0/24"}},` + "\n" + `{"name": "b", "properties": {"addressPrefix": "10.0.0.0/22"}}]}}`,
			"a.json:3: v/b: addressPrefix: found `10.0.0.0/22`, want a prefix that no other subnet of the VNet overlaps; 10.0.1.0/24 at a.json:2 is another one's",
		},
		{"VNet without addresses", `{"id": "RG/Microsoft.Network/virtualNetworks/v", "properties": {}}`, "a.json:1: v: properties.addressSpace.addressPrefixes: found `nothing`, want at least one address range"},
		{"next hop", `{"id": "RG/Microsoft.Network/routeTables/r", "properties": {"routes": [{"name": "a", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Carrier"}}]}}`, "a.json:1: r: properties.routes[0].properties.nextHopType: found `Carrier`, want one of Internet, None, VirtualAppliance, VirtualNetworkGateway, VnetLocal"},
		{"appliance without address", `{"id": "RG/Microsoft.Network/routeTables/r", "properties": {"routes": [{"name": "a", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance"}}]}}`, "a.json:1: r: properties.routes[0].properties.nextHopIpAddress: found `nothing`, want the address of the appliance"},
		{
			"two routes for one prefix", `{"id": "RG/Microsoft.Network/routeTables/r", "properties": {"routes": [{"name": "a", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"}},` + "\n" +
				`{"name": "b", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"}}]}}`,
			"a.json:2: r: b.addressPrefix: found `0.0.0.0/0`, want a prefix that no other route of the table has; the other is at a.json:1",
		},
		{"an address that is none", `{"id": "RG/Microsoft.Network/publicIPAddresses/p", "properties": {"ipAddress": "20.0.0"}}`, "a.json:1: p: properties.ipAddress: found `20.0.0`, want an IP address"},
		{"a reference that is no ID", `{"id": "RG/Microsoft.Network/networkInterfaces/n", "properties": {"networkSecurityGroup": {"id": "[resourceId('x')]"}}}`, "a.json:1: n: properties.networkSecurityGroup.id: found `[resourceId('x')]`, want a resource ID: /subscriptions/…/providers/…"},
		{
			"two machines, one interface", `[{"id": "RG/Microsoft.Network/networkInterfaces/n", "properties": {"virtualMachine": {"id": "RG/Microsoft.Compute/virtualMachines/a"}}},` + "\n" +
				`{"id": "RG/Microsoft.Compute/virtualMachines/b", "properties": {"networkProfile": {"networkInterfaces": [{"id": "RG/Microsoft.Network/networkInterfaces/n"}]}}}]`,
			"a.json:2: b: networkProfile.networkInterfaces: found `" + string(id("Microsoft.Network/networkInterfaces/n")) + "`, want an interface that belongs to this machine; the interface names another one at a.json:1",
		},
		{"firewall priority", `{"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "properties": {"priority": 99, "ruleCollections": []}}`, "a.json:1: p/g: properties.priority: found `99`, want a priority from 100 to 65000"},
		{
			"firewall rule without source", `{"id": "RG/Microsoft.Network/azureFirewalls/f", "properties": {"networkRuleCollections": [{"name": "c", "properties": {"priority": 100, "action": {"type": "Allow"}, "rules": [` + "\n" +
				`{"name": "r", "protocols": ["TCP"], "sourceAddresses": [], "destinationAddresses": ["*"], "destinationPorts": ["443"]}]}}]}}`,
			"a.json:2: f: properties.networkRuleCollections[0].properties.rules[0].sourceAddresses: found `nothing`, want at least one of sourceAddresses, sourceIpGroups",
		},
		{"SQL range backwards", `{"id": "RG/Microsoft.Sql/servers/s", "properties": {"firewallRules": [{"name": "r", "properties": {"startIpAddress": "10.0.0.9", "endIpAddress": "10.0.0.1"}}]}}`, "a.json:1: s: properties.firewallRules[0].properties.endIpAddress: found `\"10.0.0.1\"`, want an address of the same family, not before startIpAddress 10.0.0.9"},
		{"load balancer port", `{"id": "RG/Microsoft.Network/loadBalancers/l", "properties": {"loadBalancingRules": [{"name": "r", "properties": {"frontendIPConfiguration": {"id": "RG/Microsoft.Network/loadBalancers/l/frontendIPConfigurations/f"}, "protocol": "Tcp", "frontendPort": 70000, "backendPort": 1}}]}}`, "a.json:1: l: properties.loadBalancingRules[0].properties.frontendPort: found `70000`, want a port from 0 to 65535"},
		{"default action", `{"id": "RG/Microsoft.KeyVault/vaults/k", "properties": {"networkAcls": {"defaultAction": "Maybe"}}}`, "a.json:1: k: properties.networkAcls.defaultAction: found `Maybe`, want Allow or Deny"},
		{
			"markup in a name", `{"id": "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/routeTables/<b onmouseover=alert(1)>", "properties": {"routes": 1}}`,
			"a.json:1: <b onmouseover=alert(1)>: properties.routes: found `1`, want a list",
		},
		{
			"an object of PowerShell's Az modules", `{"Subnets": [], "SubnetsText": "[]", "ResourceGroupName": "rg1", "TagsTable": null, "Name": "v",` + "\n" + `"Id": "RG/Microsoft.Network/virtualNetworks/v"}`,
			"a.json:1: v: SubnetsText: found `an object of PowerShell's Az modules`, want what the API prints: from `Get-AzResource -ExpandProperties | ConvertTo-Json -Depth 100`, `az … -o json`, Resource Graph or an ARM export",
		},
		{
			"an object that ConvertTo-Json cut off", `{"Id": "RG/Microsoft.Network/virtualNetworks/v", "Properties": {"addressSpace": "@{addressPrefixes=System.Object[]}", "subnets": "System.Object[]"}}`,
			"a.json:1: v: Properties.addressSpace: found `\"@{addressPrefixes=System.Object[]}\"`, want an object: ConvertTo-Json cut it off; repeat it with -Depth 100\n" +
				"a.json:1: v: Properties.subnets: found `\"System.Object[]\"`, want a list: ConvertTo-Json cut it off; repeat it with -Depth 100",
		},
		{
			"one reference where a list belongs", `{"id": "RG/Microsoft.Network/networkSecurityGroups/n", "properties": {"subnets": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}}}`,
			"a.json:1: n: properties.subnets: found `an object`, want a list of objects with `id`",
		},
		{
			"a list where one reference belongs", `{"id": "RG/Microsoft.Network/networkInterfaces/n", "properties": {"networkSecurityGroup": [{"id": "RG/Microsoft.Network/networkSecurityGroups/g"}]}}`,
			"a.json:1: n: properties.networkSecurityGroup: found `a list`, want an object with `id`",
		},
		{
			"a part whose ID is none", nsgHead + rule(`{"name"`, `{"id": "rule-7", "name"`) + `]}}`,
			rules + ".id: found `rule-7`, want a resource ID: /subscriptions/…/providers/…",
		},
		{"port below zero", nsgHead + rule(`"22"`, `"-1"`) + `]}}`, rules + ".properties.destinationPortRange: found `-1`, want a port from 0 to 65535, a range such as 8000-8100, or *"},
		{"port 0 of a listener", `{"id": "RG/Microsoft.Network/loadBalancers/l", "properties": {"probes": [{"name": "p", "properties": {"protocol": "Tcp", "port": 0}}]}}`, "a.json:1: l: properties.probes[0].properties.port: found `0`, want a port from 1 to 65535"},
		{"port 65536 of a rule", `{"id": "RG/Microsoft.Network/loadBalancers/l", "properties": {"inboundNatRules": [{"name": "r", "properties": {"frontendIPConfiguration": {"id": "RG/Microsoft.Network/loadBalancers/l/frontendIPConfigurations/f"}, "protocol": "Tcp", "frontendPort": 65536, "backendPort": 22}}]}}`, "a.json:1: l: properties.inboundNatRules[0].properties.frontendPort: found `65536`, want a port from 0 to 65535"},
		{
			"a VNet peered with itself", `{"id": "RG/Microsoft.Network/virtualNetworks/v", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "virtualNetworkPeerings": [` + "\n" +
				`{"name": "p", "properties": {"peeringState": "Connected", "remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/V"}}}]}}`,
			"a.json:2: v: properties.virtualNetworkPeerings[0].properties.remoteVirtualNetwork.id: found `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.Network/virtualNetworks/V`, want another VNet than its own",
		},
		{
			"a policy that is its own parent", `{"id": "RG/Microsoft.Network/firewallPolicies/p", "properties": {"basePolicy": {"id": "RG/Microsoft.Network/firewallPolicies/P"}}}`,
			"a.json:1: p: properties.basePolicy.id: found `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.Network/firewallPolicies/P`, want another policy than itself",
		},
		{
			"policies that are each other's parents", `[{"id": "RG/Microsoft.Network/firewallPolicies/p", "properties": {"basePolicy": {"id": "RG/Microsoft.Network/firewallPolicies/q"}}},` + "\n" +
				`{"id": "RG/Microsoft.Network/firewallPolicies/q", "properties": {"basePolicy": {"id": "RG/Microsoft.Network/firewallPolicies/p"}}}]`,
			"a.json:1: p: basePolicy: found `q`, want a policy whose parents do not lead back to it\n" +
				"a.json:2: q: basePolicy: found `p`, want a policy whose parents do not lead back to it",
		},
		{
			"a name with a space", `{"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "properties": {"priority": 100, "ruleCollections": [{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100, "action": {"type": "Allow"}, "rules": [` + "\n" +
				`{"ruleType": "ApplicationRule", "name": "r", "sourceAddresses": ["*"], "protocols": [{"protocolType": "Https", "port": 443}], "targetFqdns": ["www contoso.com"]}]}]}}`,
			"a.json:2: p/g: properties.ruleCollections[0].rules[0].targetFqdns[0]: found `www contoso.com`, want a name such as www.contoso.com, *.contoso.com or *",
		},
		{
			"a name that is empty", `{"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "properties": {"priority": 100, "ruleCollections": [{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100, "action": {"type": "Allow"}, "rules": [` + "\n" +
				`{"ruleType": "ApplicationRule", "name": "r", "sourceAddresses": ["*"], "protocols": [{"protocolType": "Https", "port": 443}], "targetFqdns": [""]}]}]}}`,
			"a.json:2: p/g: properties.ruleCollections[0].rules[0].targetFqdns[0]: want a name such as www.contoso.com, *.contoso.com or *",
		},
		{
			"a URL as a name", `{"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "properties": {"priority": 100, "ruleCollections": [{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100, "action": {"type": "Allow"}, "rules": [` + "\n" +
				`{"ruleType": "ApplicationRule", "name": "r", "sourceAddresses": ["*"], "protocols": [{"protocolType": "Https", "port": 443}], "targetFqdns": ["https://www.contoso.com"]}]}]}}`,
			"a.json:2: p/g: properties.ruleCollections[0].rules[0].targetFqdns[0]: found `https://www.contoso.com`, want a name such as www.contoso.com, *.contoso.com or *",
		},
		{
			"a URL without a host", `{"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "properties": {"priority": 100, "ruleCollections": [{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100, "action": {"type": "Allow"}, "rules": [` + "\n" +
				`{"ruleType": "ApplicationRule", "name": "r", "sourceAddresses": ["*"], "protocols": [{"protocolType": "Https", "port": 443}], "targetUrls": ["https:///path"]}]}]}}`,
			"a.json:2: p/g: properties.ruleCollections[0].rules[0].targetUrls[0]: found `https:///path`, want a URL such as www.contoso.com/path or *.contoso.com/*",
		},
		{
			"a firewall range backwards", `{"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "properties": {"priority": 100, "ruleCollections": [{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100, "action": {"type": "Allow"}, "rules": [` + "\n" +
				`{"ruleType": "NetworkRule", "name": "r", "ipProtocols": ["TCP"], "destinationPorts": ["443"], "sourceAddresses": ["10.0.0.9-10.0.0.4"], "destinationAddresses": ["*"]}]}]}}`,
			"a.json:2: p/g: properties.ruleCollections[0].rules[0].sourceAddresses[0]: found `10.0.0.9-10.0.0.4`, want a range that runs from a lower to a higher address of one family",
		},
		{
			"a name of a network rule that is none", `{"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "properties": {"priority": 100, "ruleCollections": [{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100, "action": {"type": "Allow"}, "rules": [` + "\n" +
				`{"ruleType": "NetworkRule", "name": "r", "ipProtocols": ["TCP"], "destinationPorts": ["443"], "sourceAddresses": ["*"], "destinationFqdns": ["a b"]}]}]}}`,
			"a.json:2: p/g: properties.ruleCollections[0].rules[0].destinationFqdns[0]: found `a b`, want a name such as www.contoso.com, *.contoso.com or *",
		},
		{
			"an IP group with a range backwards", `{"id": "RG/Microsoft.Network/ipGroups/g", "properties": {"ipAddresses": ["10.0.0.0/24",` + "\n" + `"10.0.0.9-10.0.0.4"]}}`,
			"a.json:2: g: properties.ipAddresses[1]: found `10.0.0.9-10.0.0.4`, want a range that runs from a lower to a higher address of one family",
		},
		{
			"control characters in a value", nsgHead + rule(`"Allow"`, `"a\u0007\u202eb"`) + `]}}`,
			rules + ".properties.access: found `a\\a\\u202eb`, want one of Allow, Deny",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, err := files(t, map[string]string{"a.json": test.text})
			if err == nil {
				t.Fatalf("no error; want %s", test.want)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if len(res.Resources)+len(res.Ledger)+len(res.Files) > 0 {
				t.Errorf("a result beside an error: %v", res)
			}
			importertest.Errors(t, err)
		})
	}
}

// All errors of all files come together, in the order of file and line, whatever the order of the files.
func TestAllErrorsTogether(t *testing.T) {
	fsys := fstest.MapFS{
		"b.json": {Data: []byte(fill(nsgHead + rule(`"22"`, `"x"`, `: 100`, `: 1`) + ",\n" + rule(`"A"`, `"B"`, `"Tcp"`, `""`) + `]}}`))},
		"a.json": {Data: []byte(`{"value": [` + "\n\n" + `3]}`)},
		"c.json": {Data: []byte(`[`)},
	}
	want := []string{
		"a.json:3: found `a number`, want an Azure resource: an object with `id` and `type`",
		"b.json:2: n: properties.securityRules[0].properties.destinationPortRange: found `x`, want a port from 0 to 65535, a range such as 8000-8100, or *",
		"b.json:2: n: properties.securityRules[0].properties.priority: found `1`, want a priority from 100 to 4096",
		"b.json:3: n: properties.securityRules[1].properties.protocol: found `nothing`, want one of Ah, *, Esp, Icmp, Tcp, Udp",
		"c.json:1: found `the end of the file`, want the rest of the JSON value: the file is cut off",
		"d.json: open: file does not exist",
	}
	for _, order := range [][]string{{"a.json", "b.json", "c.json", "d.json"}, {"d.json", "c.json", "b.json", "a.json", "b.json"}} {
		_, err := Import(fsys, order)
		if err == nil {
			t.Fatal("no error")
		}
		if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
			t.Errorf("order %v (-want +got):\n%s", order, diff)
		}
	}
}

// Long names and values are cut in messages, never in the model; an ID that no service gives is refused.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	res := one(t, nsgHead+rule(`"A"`, `"`+long+`"`)+`]}}`)
	if got := res.Resources[0].(*model.NSG).Rules[0].Name; got != long {
		t.Errorf("name of %d characters", len(got))
	}
	for _, text := range []string{
		nsgHead + rule(`"Allow"`, `"`+long+`"`) + `]}}`,
		`{"id": "RG/Microsoft.Network/routeTables/` + long + `", "properties": {}}`,
	} {
		_, err := files(t, map[string]string{"a.json": text})
		if err == nil || len(err.Error()) > 600 {
			t.Errorf("error of %d characters: %v", len(fmt.Sprint(err)), err)
		}
	}
}

// Limits hold before anything large is built.
func TestLimits(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	block := bytes.Repeat([]byte(" "), 1<<20)
	for range maxFile>>20 + 1 {
		if _, err := z.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ text, want string }{
		"depth":  {strings.Repeat("[", maxDepth+1), "a.json:1: want JSON: nesting is deeper than 100 levels"},
		"values": {"[" + strings.Repeat("0,", maxValues) + "0]", "a.json:1: want JSON: the file holds more than 4000000 values; split it"},
		"bomb":   {bomb.String(), "a.json: unpack gzip: the file is larger than 256 MiB; split it"},
		"gzip":   {"\x1f\x8bnot gzip at all", "a.json: unpack gzip: gzip: invalid header"},
		"UTF-16": {"\xff\xfe[", "a.json: the file starts as UTF-16 and ends in half a character"},
		"UTF-8":  {"[\"\xff\"]", "a.json:1: want JSON: invalid UTF-8"},
	} {
		_, err := Import(fstest.MapFS{"a.json": {Data: []byte(test.text)}}, []string{"a.json"})
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	if _, err := Import(fstest.MapFS{"d/a.json": {Data: []byte("x")}}, []string{"d"}); err == nil || err.Error() != "d: found `a folder`, want a file of Azure resources as JSON" {
		t.Errorf("a folder: got %v", err)
	}
}

// VNets with one address space that are not peered are no error: nothing joins them.
func TestSameSpaceTwice(t *testing.T) {
	res := one(t, `[{"id": "RG/Microsoft.Network/virtualNetworks/a", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}]}},
	 {"id": "RG/Microsoft.Network/virtualNetworks/b", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}]`)
	if len(res.Resources) != 4 {
		t.Errorf("%d resources", len(res.Resources))
	}
}

// One resource described twice and differently is an error that names both places; alike, it is one resource.
func TestTwoDescriptions(t *testing.T) {
	const a = `{"id": "RG/Microsoft.Network/routeTables/r", "location": "westeurope", "properties": {"disableBgpRoutePropagation": true, "routes": []}}`
	const b = `{"id": "RG/microsoft.network/ROUTETABLES/r", "location": "West Europe", "disableBgpRoutePropagation": true, "etag": "2"}`
	const c = `{"id": "RG/Microsoft.Network/routeTables/r", "location": "westeurope", "properties": {"disableBgpRoutePropagation": false}}`
	res, err := files(t, map[string]string{"a.json": a, "b.json": b})
	if err != nil {
		t.Fatal(err)
	}
	if e, linkErr := model.NewEstate(res.Resources, res.Ledger); linkErr != nil || len(e.RouteTables) != 1 {
		t.Errorf("alike: %v", linkErr)
	}
	res, err = files(t, map[string]string{"a.json": a, "c.json": c})
	if err != nil {
		t.Fatal(err)
	}
	_, err = model.NewEstate(res.Resources, res.Ledger)
	if want := "c.json:1: r: found `a second, different copy`, want one description of each resource; the other is at a.json:1"; err == nil || err.Error() != want {
		t.Errorf("different: got %v, want %s", err, want)
	}
}
