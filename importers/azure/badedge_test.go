package azure

import (
	"strings"
	"testing"
)

// policyRule is a rule collection group with one collection, of which the one rule stands in line 2.
func policyRule(collection, rule string) string {
	return `{"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "properties": {"priority": 100, "ruleCollections": [{"ruleCollectionType": "` + collection + `", "name": "c", "priority": 100, "action": {"type": "` +
		map[bool]string{true: "DNAT", false: "Allow"}[strings.Contains(collection, "Nat")] + `"}, "rules": [` + "\n" + rule + `]}]}}`
}

const (
	filterRules = "FirewallPolicyFilterRuleCollection"
	natRules    = "FirewallPolicyNatRuleCollection"
)

// gateway is an application gateway with one listener, one pool, settings, a probe and a rule, each in a line of its own; pairs change it.
func gateway(pairs ...string) string {
	part := func(kind string) string { return `{"id": "RG/Microsoft.Network/applicationGateways/agw/` + kind + `"}` }
	return strings.NewReplacer(pairs...).Replace(`{"id": "RG/Microsoft.Network/applicationGateways/agw", "properties": {"sku": {"tier": "WAF_v2"}, "gatewayIPConfigurations": [{"name": "g", "properties": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/agw"}}}],
"frontendIPConfigurations": [{"name": "f", "properties": {"publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/p"}}}],
"frontendPorts": [{"name": "443", "properties": {"port": 443}}],
"sslCertificates": [{"name": "cert", "properties": {}}],
"httpListeners": [{"name": "l", "properties": {"frontendIPConfiguration": ` + part("frontendIPConfigurations/f") + `, "frontendPort": ` + part("frontendPorts/443") + `, "protocol": "Https", "sslCertificate": ` + part("sslCertificates/cert") + `}}],
"backendAddressPools": [{"name": "b", "properties": {"backendAddresses": [{"ipAddress": "10.0.0.4"}]}}],
"probes": [{"name": "probe", "properties": {"protocol": "Https", "port": 443}}],
"backendHttpSettingsCollection": [{"name": "s", "properties": {"port": 443, "protocol": "Https", "probe": ` + part("probes/probe") + `}}],
"requestRoutingRules": [{"name": "r", "properties": {"priority": 10, "ruleType": "Basic", "httpListener": ` + part("httpListeners/l") + `, "backendAddressPool": ` + part("backendAddressPools/b") + `, "backendHttpSettings": ` + part("backendHttpSettingsCollection/s") + `}}]}}`)
}

// aks is a cluster with a pool; pairs change it.
func aks(pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(`{"id": "RG/Microsoft.ContainerService/managedClusters/aks", "properties": {"networkProfile": {"networkPlugin": "azure", "networkPolicy": "azure", "outboundType": "loadBalancer"},
"agentPoolProfiles": [{"name": "np", "vnetSubnetID": "RG/Microsoft.Network/virtualNetworks/v/subnets/s", "count": 1}],
"apiServerAccessProfile": {"enablePrivateCluster": false, "authorizedIPRanges": ["198.51.100.0/24"]}}}`)
}

// What edge services and clusters can get wrong, each with the message that its reader gets, or the entry of the ledger that leaves open what rests
// on it. Without either the input says something: port 0, a NAT rule for every port, two collections of one priority (AZ-FW-16), a cluster that
// leaves its network to defaults (ASM-A-PLUGIN, ASM-A-MANAGEDVNET).
func TestBadEdgeInput(t *testing.T) {
	const network = `{"ruleType": "NetworkRule", "name": "r", "ipProtocols": ["TCP"], "sourceAddresses": ["10.0.0.0/24"], "destinationAddresses": ["*"], "destinationPorts": ["443"]}`
	const application = `{"ruleType": "ApplicationRule", "name": "r", "sourceAddresses": ["10.0.0.0/24"], "protocols": [{"protocolType": "Https", "port": 443}], "targetFqdns": ["www.contoso.com"]}`
	const nat = `{"ruleType": "NatRule", "name": "r", "ipProtocols": ["TCP"], "sourceAddresses": ["*"], "destinationAddresses": ["20.0.0.4"], "destinationPorts": ["443"], "translatedAddress": "10.0.0.4", "translatedPort": "443"}`
	with := func(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }
	long, markup := strings.Repeat("n", 10_000), `<img src=x onerror=alert(1)>`
	for _, test := range []struct{ name, text, want string }{
		{"a network rule", policyRule(filterRules, network), ""},
		{"port 0 of a rule", policyRule(filterRules, with(network, `"443"`, `"0"`)), ""},
		{"port 65536 of a rule", policyRule(filterRules, with(network, `"443"`, `"65536"`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].destinationPorts[0]: found `65536`, want a port from 0 to 65535, a range such as 8000-8100, or *"},
		{"ports of a rule backwards", policyRule(filterRules, with(network, `"443"`, `"90-80"`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].destinationPorts[0]: found `90-80`, want a port from 0 to 65535, a range such as 8000-8100, or *"},
		{"addresses backwards", policyRule(filterRules, with(network, `10.0.0.0/24`, `10.0.0.9-10.0.0.4`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].sourceAddresses[0]: found `10.0.0.9-10.0.0.4`, want a range that runs from a lower to a higher address of one family"},
		{"a prefix with host bits", policyRule(filterRules, with(network, `10.0.0.0/24`, `10.0.0.7/24`)), ""},
		{"IPv4 in IPv6", policyRule(filterRules, with(network, `10.0.0.0/24`, `::ffff:10.0.0.0/120`)), ""},
		{"a kind of rule that there is not", policyRule(filterRules, with(network, `NetworkRule`, `MailRule`)), "p/g properties.ruleCollections[0].rules[0]: a firewall rule of a kind that is not known to ringfence"},
		{"a protocol that there is not", policyRule(filterRules, with(network, `"TCP"`, `"SMTP"`)), "p/g properties.ruleCollections[0].rules[0].ipProtocols[0]: a protocol that is not known to ringfence: the rule may match any"},
		{"no protocol", policyRule(filterRules, with(network, `["TCP"]`, `[]`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].ipProtocols: found `nothing`, want at least one of TCP, UDP, ICMP, Any"},
		{"no destination", policyRule(filterRules, with(network, `["*"]`, `[]`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].destinationAddresses: found `nothing`, want at least one of destinationAddresses, destinationIpGroups, destinationFqdns"},
		{"no port", policyRule(filterRules, with(network, `["443"]`, `[]`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].destinationPorts: found `nothing`, want at least one port, range or *"},
		{"null for a rule", policyRule(filterRules, `null`), "a.json:2: p/g: properties.ruleCollections[0].rules[0]: found `null`, want an object"},
		{"null for the list of rules", with(policyRule(filterRules, ``), "[\n]", "null"), ""},
		{"a text for a list", policyRule(filterRules, with(network, `["*"]`, `"*"`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].destinationAddresses: found `\"*\"`, want a list"},
		{"an IP group that is no ID", policyRule(filterRules, with(network, `"sourceAddresses": ["10.0.0.0/24"]`, `"sourceIpGroups": ["nodes"]`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].sourceIpGroups[0]: found `nodes`, want a resource ID: /subscriptions/…/providers/…"},
		{"a name of 10,000 characters", policyRule(filterRules, with(network, `"r"`, `"`+long+`"`, `"443"`, `"x"`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].destinationPorts[0]: found `x`, want a port from 0 to 65535, a range such as 8000-8100, or *"},
		{"markup in a name", policyRule(filterRules, with(network, `"r"`, `"`+markup+`"`, `"443"`, `"`+markup+`"`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].destinationPorts[0]: found `<img src=x onerror=alert(1)>`, want a port from 0 to 65535, a range such as 8000-8100, or *"},
		{"an application rule", policyRule(filterRules, application), ""},
		{"a name with two dots", policyRule(filterRules, with(application, `www.contoso.com`, `www..contoso.com`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].targetFqdns[0]: found `www..contoso.com`, want a name such as www.contoso.com, *.contoso.com or *"},
		{"a name of 300 characters", policyRule(filterRules, with(application, `www.contoso.com`, strings.Repeat("a.", 150)+"com")), "a.json:2: p/g: properties.ruleCollections[0].rules[0].targetFqdns[0]: found `a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.…`, want a name such as www.contoso.com, *.contoso.com or *"},
		{"a name with a port", policyRule(filterRules, with(application, `www.contoso.com`, `www.contoso.com:8443`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].targetFqdns[0]: found `www.contoso.com:8443`, want a name such as www.contoso.com, *.contoso.com or *"},
		{"a name with a slash", policyRule(filterRules, with(application, `www.contoso.com`, `www.contoso.com/x`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].targetFqdns[0]: found `www.contoso.com/x`, want a name such as www.contoso.com, *.contoso.com or *"},
		{"a wildcard inside", policyRule(filterRules, with(application, `www.contoso.com`, `a.*.com`)), "p/g properties.ruleCollections[0].rules[0].targetFqdns[0]: a wildcard that does not stand first in a name: what the rule matches is not known"},
		{"two wildcards", policyRule(filterRules, with(application, `www.contoso.com`, `*.*.com`)), "p/g properties.ruleCollections[0].rules[0].targetFqdns[0]: a wildcard that does not stand first in a name: what the rule matches is not known"},
		{"port 0 of an application", policyRule(filterRules, with(application, `443`, `0`)), ""},
		{"port 65536 of an application", policyRule(filterRules, with(application, `443`, `65536`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].protocols[0].port: found `65536`, want a port from 0 to 65535"},
		{"a port as a text", policyRule(filterRules, with(application, `443`, `"443"`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].protocols[0].port: found `\"443\"`, want a whole number"},
		{"an application protocol that there is not", policyRule(filterRules, with(application, `Https`, `Ftp`)), "p/g properties.ruleCollections[0].rules[0].protocols[0]: a protocol of an application rule that is not known to ringfence"},
		{"no name", policyRule(filterRules, with(application, `["www.contoso.com"]`, `[]`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].targetFqdns: found `nothing`, want at least one of targetFqdns, fqdnTags, webCategories, targetUrls"},
		{"a NAT rule", policyRule(natRules, nat), ""},
		{"a NAT rule without a target", policyRule(natRules, with(nat, `"translatedAddress": "10.0.0.4", `, ``)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].translatedAddress: found `nothing`, want an address, or translatedFqdn"},
		{"a NAT rule to no address", policyRule(natRules, with(nat, `"translatedAddress": "10.0.0.4"`, `"translatedAddress": "10.0.0"`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].translatedAddress: found `10.0.0`, want an IP address"},
		{"a NAT rule to port 0", policyRule(natRules, with(nat, `"translatedPort": "443"`, `"translatedPort": "0"`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].translatedPort: found `0`, want a port from 1 to 65535"},
		{"a NAT rule to port 65536", policyRule(natRules, with(nat, `"translatedPort": "443"`, `"translatedPort": "65536"`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].translatedPort: found `65536`, want a port from 1 to 65535"},
		{"a NAT rule without a port", policyRule(natRules, with(nat, `, "translatedPort": "443"`, ``)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].translatedPort: found `nothing`, want a port from 1 to 65535"},
		{"a NAT rule to a name that is none", policyRule(natRules, with(nat, `"translatedAddress": "10.0.0.4"`, `"translatedFqdn": "a b"`)), "a.json:2: p/g: properties.ruleCollections[0].rules[0].translatedFqdn: found `a b`, want the name of one host, such as www.contoso.com"},
		{"a NAT rule at any port", policyRule(natRules, with(nat, `"destinationPorts": ["443"]`, `"destinationPorts": ["*"]`)), ""},
		{"a group without priority", with(policyRule(filterRules, network), `"priority": 100, "ruleCollections"`, `"ruleCollections"`), "a.json:1: p/g: properties.priority: found `nothing`, want a priority from 100 to 65000"},
		{"a group of priority 65001", with(policyRule(filterRules, network), `"priority": 100, "ruleCollections"`, `"priority": 65001, "ruleCollections"`), "a.json:1: p/g: properties.priority: found `65001`, want a priority from 100 to 65000"},
		{"an action that there is not", with(policyRule(filterRules, network), `"Allow"`, `"Permit"`), "a.json:1: p/g: properties.ruleCollections[0].action.type: found `Permit`, want Allow or Deny"},
		{"no action", with(policyRule(filterRules, network), `"action": {"type": "Allow"}, `, ``), "a.json:1: p/g: properties.ruleCollections[0].action: found `nothing`, want an object with `type`, Allow or Deny"},
		{"collections of one priority", `{"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "properties": {"priority": 100, "ruleCollections": [` + "\n" +
			`{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "a", "priority": 100, "action": {"type": "Allow"}, "rules": [` + network + `]},` + "\n" +
			`{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "b", "priority": 100, "action": {"type": "Deny"}, "rules": [` + network + `]}]}}`, ""},
		{"threat intelligence", `{"id": "RG/Microsoft.Network/firewallPolicies/p", "properties": {"threatIntelMode": "Sometimes"}}`, "a.json:1: p: properties.threatIntelMode: found `Sometimes`, want one of Alert, Deny, Off"},
		{"a tier", `{"id": "RG/Microsoft.Network/firewallPolicies/p", "properties": {"sku": {"tier": "Gold"}}}`, "a.json:1: p: properties.sku.tier: found `Gold`, want one of Basic, Premium, Standard"},
		{"a parent that is no ID", `{"id": "RG/Microsoft.Network/firewallPolicies/p", "properties": {"basePolicy": {"id": "base"}}}`, "a.json:1: p: properties.basePolicy.id: found `base`, want a resource ID: /subscriptions/…/providers/…"},
		{"a parent that is null", `{"id": "RG/Microsoft.Network/firewallPolicies/p", "properties": {"basePolicy": null}}`, ""},
		{"a gateway", gateway(), ""},
		{"a listener without a certificate", gateway(`, "sslCertificate": {"id": "RG/Microsoft.Network/applicationGateways/agw/sslCertificates/cert"}`, ``), "a.json:5: agw: properties.httpListeners[0].properties.sslCertificate: found `nothing`, want a certificate of the gateway, which a listener with TLS has"},
		{"a certificate that the gateway lacks", gateway(`sslCertificates/cert"`, `sslCertificates/gone"`), "a.json:5: agw: properties.httpListeners[0].properties.sslCertificate.id: found `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.Network/applicationGateways/agw/sslCertificates/gone`, want the ID of a certificate that the gateway has"},
		{"a listener at no port", gateway(`, "frontendPort": {"id": "RG/Microsoft.Network/applicationGateways/agw/frontendPorts/443"}`, ``), "a.json:5: agw: properties.httpListeners[0].properties.frontendPort: found `nothing`, want the port of the listener: without one it accepts nothing"},
		{"a listener at no frontend", gateway(`"frontendIPConfiguration": {"id": "RG/Microsoft.Network/applicationGateways/agw/frontendIPConfigurations/f"}, `, ``), "a.json:5: agw: properties.httpListeners[0].properties.frontendIPConfiguration: found `nothing`, want the frontend of the listener: without one it accepts nothing"},
		{"a frontend that the gateway lacks", gateway(`frontendIPConfigurations/f"`, `frontendIPConfigurations/gone"`), "a.json:5: agw: properties.httpListeners[0].properties.frontendIPConfiguration.id: found `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.Network/applicationGateways/agw/frontendIPConfigurations/gone`, want the ID of a frontend that the gateway has"},
		{"a pool that the gateway lacks", gateway(`backendAddressPools/b"`, `backendAddressPools/gone"`), "a.json:9: agw: properties.requestRoutingRules[0].properties.backendAddressPool.id: found `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.Network/applicationGateways/agw/backendAddressPools/gone`, want the ID of a backend pool that the gateway has"},
		{"settings that the gateway lacks", gateway(`backendHttpSettingsCollection/s"`, `backendHttpSettingsCollection/gone"`), "a.json:9: agw: properties.requestRoutingRules[0].properties.backendHttpSettings.id: found `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.Network/applicationGateways/agw/backendHttpSettingsCollection/gone`, want the ID of backend settings that the gateway has"},
		{"a probe that the gateway lacks", gateway(`probes/probe"`, `probes/gone"`), "a.json:8: agw: properties.backendHttpSettingsCollection[0].properties.probe.id: found `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.Network/applicationGateways/agw/probes/gone`, want the ID of a probe that the gateway has"},
		{"a rule without a listener", gateway(`"httpListener": {"id": "RG/Microsoft.Network/applicationGateways/agw/httpListeners/l"}, `, ``), "a.json:9: agw: properties.requestRoutingRules[0].properties.httpListener: found `nothing`, want the listener whose requests the rule takes"},
		{"a rule without settings", gateway(`, "backendHttpSettings": {"id": "RG/Microsoft.Network/applicationGateways/agw/backendHttpSettingsCollection/s"}`, ``), "a.json:9: agw: properties.requestRoutingRules[0].properties.backendHttpSettings: found `nothing`, want the settings for the pool, which say the port"},
		{"a rule without a pool", gateway(`"backendAddressPool": {"id": "RG/Microsoft.Network/applicationGateways/agw/backendAddressPools/b"}, `, ``), "a.json:9: agw: properties.requestRoutingRules[0].properties.backendAddressPool: found `nothing`, want the pool that the rule leads to, or a redirect"},
		{"port 0 of a gateway", gateway(`{"port": 443}`, `{"port": 0}`), "a.json:3: agw: properties.frontendPorts[0].properties.port: found `0`, want a port from 1 to 65535"},
		{"port 65536 of a gateway", gateway(`{"port": 443}`, `{"port": 65536}`), "a.json:3: agw: properties.frontendPorts[0].properties.port: found `65536`, want a port from 1 to 65535"},
		{"port 65536 of settings", gateway(`{"port": 443, "protocol"`, `{"port": 65536, "protocol"`), "a.json:8: agw: properties.backendHttpSettingsCollection[0].properties.port: found `65536`, want a port from 1 to 65535"},
		{"port 65536 of a probe", gateway(`"protocol": "Https", "port": 443`, `"protocol": "Https", "port": 65536`), "a.json:7: agw: properties.probes[0].properties.port: found `65536`, want a port from 0 to 65535"},
		{"a listener of a protocol that there is not", gateway(`"protocol": "Https", "sslCertificate"`, `"protocol": "Gopher", "sslCertificate"`), "a.json:5: agw: properties.httpListeners[0].properties.protocol: found `Gopher`, want one of Http, Https, Tcp, Tls"},
		{"a back end that is no address", gateway(`10.0.0.4`, `10.0.0`), "a.json:6: agw: properties.backendAddressPools[0].properties.backendAddresses[0].ipAddress: found `10.0.0`, want an IP address"},
		{"a back end that is no name", gateway(`{"ipAddress": "10.0.0.4"}`, `{"fqdn": "a b"}`), "a.json:6: agw: properties.backendAddressPools[0].properties.backendAddresses[0].fqdn: found `a b`, want the name of one host, such as www.contoso.com"},
		{"null for a listener", gateway(`"httpListeners": [`, `"httpListeners": [null, `), "a.json:5: agw: properties.httpListeners[0]: found `null`, want an object\na.json:9: agw: properties.requestRoutingRules[0].properties.httpListener.id: found `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.Network/applicationGateways/agw/httpListeners/l`, want the ID of a listener that the gateway has"},
		{"a tier of a gateway", gateway(`WAF_v2`, `WAF_v9`), "a.json:1: agw: properties.sku.tier: found `WAF_v9`, want one of Basic, Standard, Standard_v2, WAF, WAF_v2"},
		{"a WAF mode", `{"id": "RG/Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/w", "properties": {"policySettings": {"mode": "Blocking", "state": "Enabled"}}}`, "a.json:1: w: properties.policySettings.mode: found `Blocking`, want one of Detection, Prevention"},
		{"a WAF rule without an action", `{"id": "RG/Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/w", "properties": {"customRules": [` + "\n" + `{"name": "c", "priority": 10, "ruleType": "MatchRule", "matchConditions": [{"matchVariables": [{"variableName": "RemoteAddr"}], "operator": "IPMatch", "matchValues": ["10.0.0.0/8"]}]}]}}`, "a.json:2: w: properties.customRules[0].action: found `nothing`, want one of Allow, Block, CAPTCHA, JSChallenge, Log"},
		{"a WAF rule with no address", `{"id": "RG/Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/w", "properties": {"customRules": [` + "\n" + `{"name": "c", "priority": 10, "ruleType": "MatchRule", "action": "Block", "matchConditions": [{"matchVariables": [{"variableName": "RemoteAddr"}], "operator": "IPMatch", "matchValues": ["10.0.0"]}]}]}}`, "a.json:2: w: properties.customRules[0].matchConditions[0].matchValues[0]: found `10.0.0`, want an address or CIDR such as 10.0.0.0/16; IPv4-in-IPv6 only from ::ffff:0:0/96 on"},
		{"a cluster", aks(), ""},
		{"a pool without a name", aks(`"name": "np", `, ``), "a.json:2: aks: properties.agentPoolProfiles[0].name: found `nothing`, want the name of the agentPools entry"},
		{"a pool without a subnet", aks(`"vnetSubnetID": "RG/Microsoft.Network/virtualNetworks/v/subnets/s", `, ``), ""},
		{"a pool in a subnet that is no ID", aks(`"RG/Microsoft.Network/virtualNetworks/v/subnets/s"`, `"s"`), "a.json:2: aks: properties.agentPoolProfiles[0].vnetSubnetID: found `s`, want a resource ID: /subscriptions/…/providers/…"},
		{"no network profile", aks(`"networkProfile": {"networkPlugin": "azure", "networkPolicy": "azure", "outboundType": "loadBalancer"},`, ``), ""},
		{"null for the network profile", aks(`{"networkPlugin": "azure", "networkPolicy": "azure", "outboundType": "loadBalancer"}`, `null`), ""},
		{"a plugin that there is not", aks(`"networkPlugin": "azure"`, `"networkPlugin": "weave"`), "aks properties.networkProfile.networkPlugin: a value that is not known to ringfence"},
		{"a policy engine that there is not", aks(`"networkPolicy": "azure"`, `"networkPolicy": "weave"`), "aks properties.networkProfile.networkPolicy: a value that is not known to ringfence"},
		{"an outbound type that there is not", aks(`"loadBalancer"`, `"tunnel"`), "aks properties.networkProfile.outboundType: a value that is not known to ringfence"},
		{"an authorised range that is none", aks(`198.51.100.0/24`, `198.51.100/24`), "a.json:3: aks: properties.apiServerAccessProfile.authorizedIPRanges[0]: found `198.51.100/24`, want an address or CIDR such as 10.0.0.0/16; IPv4-in-IPv6 only from ::ffff:0:0/96 on"},
		{"a pod range that is none", aks(`"networkPolicy": "azure"`, `"networkPolicy": "azure", "podCidr": "10.244.0.0"`), "a.json:1: aks: properties.networkProfile.podCidr: found `10.244.0.0`, want a range with its length, such as 10.0.0.0/16"},
		{"null for a pool", aks(`[{"name": "np"`, `[null, {"name": "np"`), "a.json:2: aks: properties.agentPoolProfiles[0]: found `null`, want an object"},
	} {
		t.Run(test.name, func(t *testing.T) { says(t, test.text, test.want) })
	}
}
