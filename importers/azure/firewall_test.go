package azure

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/importertest"
	"github.com/ringfence/ringfence/model"
)

const firewallExample = `[{
  "name": "fw", "id": "RG/Microsoft.Network/azureFirewalls/fw", "type": "Microsoft.Network/azureFirewalls", "location": "westeurope", "zones": [],
  "properties": {"provisioningState": "Succeeded", "sku": {"name": "AZFW_VNet", "tier": "premium"}, "threatIntelMode": "Deny",
    "additionalProperties": {"Network.DNS.EnableProxy": "true", "Network.DNS.Servers": "10.0.0.10,10.0.0.11", "Network.SNAT.PrivateRanges": "IANAPrivateRanges, 203.0.113.0/24",
      "ThreatIntel.Whitelist.FQDNs": "a.example"},
    "ipConfigurations": [
      {"name": "c1", "id": "RG/Microsoft.Network/azureFirewalls/fw/azureFirewallIpConfigurations/c1", "type": "Microsoft.Network/azureFirewalls/azureFirewallIpConfigurations",
       "properties": {"provisioningState": "Succeeded", "privateIPAddress": "10.0.0.4", "privateIPAllocationMethod": "Dynamic",
         "publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/pip-fw1"}, "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/hub/subnets/AzureFirewallSubnet"}}},
      {"name": "c2", "properties": {"publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/pip-fw2"}}}],
    "managementIpConfiguration": {"name": "m", "properties": {"publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/pip-m"},
      "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/hub/subnets/AzureFirewallManagementSubnet"}}},
    "networkRuleCollections": [{"name": "net", "id": "RG/Microsoft.Network/azureFirewalls/fw/networkRuleCollections/net",
      "properties": {"provisioningState": "Succeeded", "priority": 100, "action": {"type": "allow"}, "rules": [
        {"name": "ntp", "description": "time", "protocols": ["UDP"], "sourceAddresses": [], "sourceIpGroups": ["RG/Microsoft.Network/ipGroups/nodes"],
         "destinationFqdns": ["NTP.ubuntu.com"], "destinationPorts": ["123"]},
        {"name": "sql", "protocols": ["tcp", "Any"], "sourceAddresses": ["10.1.0.0/16", "10.2.0.4-10.2.0.5"], "destinationAddresses": ["Sql.WestEurope", "*"],
         "destinationPorts": ["1433", "11000-11999"]}]}}],
    "applicationRuleCollections": [{"name": "app", "properties": {"priority": 200, "action": {"type": "Deny"}, "rules": [
        {"name": "aks", "protocols": [{"protocolType": "Https", "port": 443}], "fqdnTags": ["AzureKubernetesService"], "sourceAddresses": ["*"]},
        {"name": "names", "protocols": [{"protocolType": "http", "port": 8080}, {"protocolType": "Mssql", "port": 1433}], "targetFqdns": ["*.Contoso.com"], "sourceAddresses": ["10.1.1.4"]}]}}],
    "natRuleCollections": [{"name": "nat", "properties": {"priority": 300, "action": {"type": "Dnat"}, "rules": [
        {"name": "web", "protocols": ["TCP"], "sourceAddresses": ["198.51.100.0/24"], "destinationAddresses": ["20.0.0.4"], "destinationPorts": ["8443"],
         "translatedAddress": "10.1.1.5", "translatedPort": "443"}]}}],
    "ipGroups": [{"id": "RG/Microsoft.Network/ipGroups/nodes", "changeNumber": "1"}]}
},
{"name": "nodes", "id": "RG/Microsoft.Network/ipGroups/nodes", "type": "Microsoft.Network/ipGroups", "location": "westeurope",
 "properties": {"provisioningState": "Succeeded", "ipAddresses": ["10.1.1.0/24", "10.1.2.1-10.1.2.2"], "firewalls": [{"id": "RG/Microsoft.Network/azureFirewalls/fw"}]}}]`

func ports(first, last uint16) []model.PortRange {
	return []model.PortRange{{First: first, Last: last}}
}

func TestClassicFirewall(t *testing.T) {
	shapes(t, firewallExample,
		&model.Firewall{
			Meta: meta("Microsoft.Network/azureFirewalls/fw"), Tier: "Premium", ThreatIntel: "Deny", Management: true, Address: addr("10.0.0.4"),
			Subnet:    id("Microsoft.Network/virtualNetworks/hub/subnets/AzureFirewallSubnet"),
			PublicIPs: []model.ID{id("Microsoft.Network/publicIPAddresses/pip-fw1"), id("Microsoft.Network/publicIPAddresses/pip-fw2")},
			SNAT:      model.SNATRanges{Custom: true, IANA: true, Prefixes: prefixList2("203.0.113.0/24")},
			DNSProxy:  model.On, DNSServers: []netip.Addr{addr("10.0.0.10"), addr("10.0.0.11")},
			Collections: []model.RuleCollection{
				{Name: "nat", Priority: 300, Kind: model.DNATRules, Access: model.Allow, Rules: []model.FirewallRule{{
					Name: "web", Sources: model.AddressMatch{Prefixes: prefixList2("198.51.100.0/24")}, Dests: model.AddressMatch{Prefixes: prefixList2("20.0.0.4/32")},
					Protocols: []model.Protocol{model.TCP}, Ports: ports(8443, 8443), ToAddress: addr("10.1.1.5"), ToPort: 443,
				}}},
				{Name: "net", Priority: 100, Kind: model.NetworkRules, Access: model.Allow, Rules: []model.FirewallRule{
					{
						Name: "ntp", Description: "time", Sources: model.AddressMatch{IPGroups: []model.ID{id("Microsoft.Network/ipGroups/nodes")}},
						Dests: model.AddressMatch{FQDNs: []string{"ntp.ubuntu.com"}}, Protocols: []model.Protocol{model.UDP}, Ports: ports(123, 123),
					},
					{
						Name: "sql", Sources: model.AddressMatch{Prefixes: prefixList2("10.1.0.0/16", "10.2.0.4/31")},
						Dests:     model.AddressMatch{Any: true, Tags: []string{"Sql.WestEurope"}},
						Protocols: []model.Protocol{model.TCP, model.AnyProtocol}, Ports: []model.PortRange{{First: 1433, Last: 1433}, {First: 11000, Last: 11999}},
					},
				}},
				{Name: "app", Priority: 200, Kind: model.ApplicationRules, Access: model.Deny, Rules: []model.FirewallRule{
					{
						Name: "aks", Sources: model.AddressMatch{Any: true}, Apps: []model.AppProtocol{{Type: "Https", Port: 443}},
						FQDNTags: []string{"AzureKubernetesService"},
					},
					{
						Name: "names", Sources: model.AddressMatch{Prefixes: prefixList2("10.1.1.4/32")},
						Apps: []model.AppProtocol{{Type: "Http", Port: 8080}, {Type: "Mssql", Port: 1433}}, FQDNs: []string{"*.contoso.com"},
					},
				}},
			},
		},
		&model.IPGroup{Meta: meta("Microsoft.Network/ipGroups/nodes"), Prefixes: prefixList2("10.1.1.0/24", "10.1.2.1/32", "10.1.2.2/32")},
	)
}

const policyExample = `[{
  "name": "pol", "id": "RG/Microsoft.Network/firewallPolicies/pol", "type": "Microsoft.Network/firewallPolicies", "location": "westeurope",
  "properties": {"provisioningState": "Succeeded", "sku": {"tier": "Premium"}, "threatIntelMode": "Alert", "size": "0.5MB",
    "basePolicy": {"id": "RG/Microsoft.Network/firewallPolicies/base"}, "ruleCollectionGroups": [{"id": "RG/Microsoft.Network/firewallPolicies/pol/ruleCollectionGroups/g"}],
    "firewalls": [{"id": "RG/Microsoft.Network/azureFirewalls/fw"}], "childPolicies": [],
    "dnsSettings": {"servers": ["10.0.0.10"], "enableProxy": true}, "intrusionDetection": {"mode": "deny"},
    "snat": {"privateRanges": ["255.255.255.255/32"], "autoLearnPrivateRanges": "Disabled"},
    "explicitProxy": {"enableExplicitProxy": true, "httpPort": 8080, "httpsPort": 8443, "enablePacFile": false},
    "transportSecurity": {"certificateAuthority": {"name": "ca", "keyVaultSecretId": "https://kv.vault.azure.net/secrets/ca"}}}
},
{"name": "g", "id": "RG/Microsoft.Network/firewallPolicies/pol/ruleCollectionGroups/g", "type": "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
 "location": "westeurope",
 "properties": {"provisioningState": "Succeeded", "size": "0.01MB", "priority": 200, "ruleCollections": [
   {"ruleCollectionType": "firewallPolicyFilterRuleCollection", "name": "mixed", "priority": 110, "action": {"type": "Allow"}, "rules": [
     {"ruleType": "NetworkRule", "name": "n", "ipProtocols": ["TCP"], "sourceAddresses": ["10.1.0.0/16"], "destinationAddresses": ["AzureMonitor"],
      "destinationPorts": ["443"], "sourceIpGroups": [], "destinationIpGroups": [], "destinationFqdns": []},
     {"ruleType": "applicationRule", "name": "a", "protocols": [{"protocolType": "Https", "port": 443}], "targetFqdns": [], "targetUrls": ["a.com/x"],
      "webCategories": ["Games"], "sourceAddresses": ["*"], "terminateTLS": true, "destinationAddresses": []}]},
   {"ruleCollectionType": "FirewallPolicyNatRuleCollection", "name": "in", "priority": 100, "action": {"type": "DNAT"}, "rules": [
     {"ruleType": "NatRule", "name": "web", "ipProtocols": ["TCP"], "sourceAddresses": ["*"], "destinationAddresses": ["20.0.0.4"], "destinationPorts": ["443"],
      "translatedFqdn": "Web.internal", "translatedPort": "8443"}]}]}}]`

func TestFirewallPolicy(t *testing.T) {
	pol := id("Microsoft.Network/firewallPolicies/pol")
	group := pol + "/ruleCollectionGroups/g"
	shapes(t, policyExample,
		&model.FirewallPolicy{
			Meta: meta("Microsoft.Network/firewallPolicies/pol"), Base: id("Microsoft.Network/firewallPolicies/base"), Tier: "Premium", GroupRefs: []model.ID{group},
			ThreatIntel: "Alert", IDPS: "Deny", DNSProxy: model.On, DNSServers: []netip.Addr{addr("10.0.0.10")},
			SNAT:          model.SNATRanges{Custom: true, Prefixes: prefixList2("255.255.255.255/32"), AutoLearn: model.Off},
			ExplicitProxy: model.On, ProxyPorts: []uint16{8080, 8443},
		},
		&model.RuleCollectionGroup{
			Meta: model.Meta{ID: group, Location: "westeurope"}, Policy: pol, Priority: 200,
			Collections: []model.RuleCollection{
				// One collection of two kinds becomes one of each: the kinds are evaluated apart (AZ-FW-10).
				{Name: "mixed", Priority: 110, Kind: model.NetworkRules, Access: model.Allow, Rules: []model.FirewallRule{{
					Name: "n", Sources: model.AddressMatch{Prefixes: prefixList2("10.1.0.0/16")}, Dests: model.AddressMatch{Tags: []string{"AzureMonitor"}},
					Protocols: []model.Protocol{model.TCP}, Ports: ports(443, 443),
				}}},
				{Name: "mixed", Priority: 110, Kind: model.ApplicationRules, Access: model.Allow, Rules: []model.FirewallRule{{
					Name: "a", Sources: model.AddressMatch{Any: true}, Apps: []model.AppProtocol{{Type: "Https", Port: 443}}, URLs: []string{"a.com/x"},
					WebCategories: []string{"Games"}, TerminateTLS: model.On,
				}}},
				{Name: "in", Priority: 100, Kind: model.DNATRules, Access: model.Allow, Rules: []model.FirewallRule{{
					Name: "web", Sources: model.AddressMatch{Any: true}, Dests: model.AddressMatch{Prefixes: prefixList2("20.0.0.4/32")},
					Protocols: []model.Protocol{model.TCP}, Ports: ports(443, 443), ToFQDN: "web.internal", ToPort: 8443,
				}}},
			},
		},
	)
}

// Kinds of rules and collections that nobody knows are kept as unknown, and are in the ledger once each.
func TestUnknownFirewallRules(t *testing.T) {
	res := one(t, `{"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "type": "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
	 "properties": {"priority": 100, "ruleCollections": [
	  {"ruleCollectionType": "FirewallPolicyFutureCollection", "name": "f", "priority": 100, "x": 1, "rules": []},
	  {"name": "untyped", "priority": 101, "rules": []},
	  {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "ok", "priority": 102, "action": {"type": "Allow"}, "rules": [
	   {"ruleType": "FutureRule", "name": "r", "match": "all"},
	   {"ruleType": "NetworkRule", "name": "q", "ipProtocols": ["QUIC"], "sourceAddresses": ["*"], "destinationAddresses": ["*"], "destinationPorts": ["443"], "tls": true}]}]}}`)
	g := res.Resources[0].(*model.RuleCollectionGroup)
	var got []string
	for _, c := range g.Collections {
		got = append(got, c.Name+": "+c.Unknown)
		for _, r := range c.Rules {
			got = append(got, c.Name+"/"+r.Name+": "+r.Unknown)
		}
	}
	want := []string{
		"f: rule collection type FirewallPolicyFutureCollection", "untyped: rule collection type ", "ok: ", "ok/r: rule type FutureRule", "ok/q: protocol QUIC",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unknown (-want +got):\n%s", diff)
	}
	wantLedger := []string{
		"p/g properties.ruleCollections[0]: a rule collection of a kind that is not known to ringfence",
		"p/g properties.ruleCollections[1]: a rule collection of a kind that is not known to ringfence",
		"p/g properties.ruleCollections[2].rules[0]: a firewall rule of a kind that is not known to ringfence",
		"p/g properties.ruleCollections[2].rules[1].ipProtocols[0]: a protocol that is not known to ringfence: the rule may match any",
		"p/g properties.ruleCollections[2].rules[1].tls: field not known to ringfence",
	}
	if diff := cmp.Diff(wantLedger, ledgerOf(res, model.Unsupported)); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

// A firewall in a hub has addresses without resources; a policy beside classic rules is a contradiction (AZ-FW-01).
func TestHubFirewall(t *testing.T) {
	res := one(t, `{"id": "RG/Microsoft.Network/azureFirewalls/fw", "type": "Microsoft.Network/azureFirewalls", "properties": {
	  "sku": {"name": "AZFW_Hub", "tier": "Standard"}, "provisioningState": "Updating", "virtualHub": {"id": "RG/Microsoft.Network/virtualHubs/h"},
	  "firewallPolicy": {"id": "RG/Microsoft.Network/firewallPolicies/p"},
	  "hubIpAddresses": {"privateIPAddress": "10.100.0.4", "publicIPs": {"count": 1, "addresses": [{"address": "20.0.0.4"}]}},
	  "networkRuleCollections": [{"name": "n", "properties": {"priority": 100, "action": {"type": "Allow"}, "rules": []}}]}}`)
	want := &model.Firewall{
		Meta: model.Meta{ID: id("Microsoft.Network/azureFirewalls/fw")}, Hub: true, Tier: "Standard", Address: addr("10.100.0.4"),
		PublicAddresses: []netip.Addr{addr("20.0.0.4")}, VirtualHub: id("Microsoft.Network/virtualHubs/h"), Policy: id("Microsoft.Network/firewallPolicies/p"),
		Collections:     []model.RuleCollection{{Name: "n", Priority: 100, Kind: model.NetworkRules, Access: model.Allow}},
		ProvisioningBad: "Updating",
	}
	if diff := cmp.Diff([]model.Resource{want}, res.Resources, facts()); diff != "" {
		t.Errorf("hub firewall (-want +got):\n%s", diff)
	}
	wantLedger := []string{"fw properties.firewallPolicy: the firewall has a policy and classic rules, of which only one can be in force"}
	if diff := cmp.Diff(wantLedger, ledgerOf(res, model.Unsupported)); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

// A wildcard that does not stand first is kept, and its rule unknown: nobody documents what it matches (AZ-FW-32, AZ-FW-29).
func TestFirewallWildcards(t *testing.T) {
	res := one(t, `{"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "type": "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
	 "properties": {"priority": 100, "ruleCollections": [
	  {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 102, "action": {"type": "Allow"}, "rules": [
	   {"ruleType": "ApplicationRule", "name": "first", "sourceAddresses": ["*"], "protocols": [{"protocolType": "Https", "port": 443}], "targetFqdns": ["*.Contoso.com.", "*", "*contoso.com", "10.0.0.4"]},
	   {"ruleType": "ApplicationRule", "name": "inside", "sourceAddresses": ["*"], "protocols": [{"protocolType": "Https", "port": 443}], "targetFqdns": ["a.*.com"]},
	   {"ruleType": "ApplicationRule", "name": "url", "sourceAddresses": ["*"], "protocols": [{"protocolType": "Https", "port": 443}], "targetUrls": ["https://a.*.com/x"]},
	   {"ruleType": "NetworkRule", "name": "net", "ipProtocols": ["TCP"], "sourceAddresses": ["*"], "destinationFqdns": ["*.contoso.com"], "destinationPorts": ["443"]}]}]}}`)
	g := res.Resources[0].(*model.RuleCollectionGroup)
	got := map[string]string{}
	for _, c := range g.Collections {
		for _, r := range c.Rules {
			got[r.Name] = r.Unknown
		}
	}
	want := map[string]string{"first": "", "inside": "wildcard in a.*.com", "url": "wildcard in a.*.com", "net": "wildcard in *.contoso.com"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unknown (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"*.contoso.com", "*", "*contoso.com", "10.0.0.4"}, g.Collections[1].Rules[0].FQDNs); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if got := ledgerOf(res, model.Unsupported); len(got) != 3 {
		t.Errorf("ledger: %v", got)
	}
}

// An IP group may hold 5,000 addresses, blocks and ranges.
func TestLargeIPGroup(t *testing.T) {
	var list []string
	for i := range 5000 {
		a := netip.AddrFrom4([4]byte{10, byte(i / 256), byte(i), 4})
		list = append(list, []string{fmt.Sprintf("%q", a.String()), fmt.Sprintf("\"%s/30\"", a), fmt.Sprintf("\"%s-%s\"", a, a.Next())}[i%3])
	}
	res := one(t, `{"id": "RG/Microsoft.Network/ipGroups/g", "type": "Microsoft.Network/ipGroups", "properties": {"ipAddresses": [`+strings.Join(list, ",")+`]}}`)
	if got := len(res.Resources[0].(*model.IPGroup).Prefixes); got != 5000 {
		t.Errorf("got %d prefixes, want 5000", got)
	}
}

// FuzzFirewallRule: no text of a rule makes the importer panic, and an error has a place.
func FuzzFirewallRule(f *testing.F) {
	f.Add("www.contoso.com", "10.0.0.4-10.0.0.9", "443", "a.com/x")
	f.Add("*.contoso.com", "*", "1-65535", "https://*.a.com/*")
	f.Add("a.*.com", "10.0.0.9-10.0.0.4", "0", "://")            // a wildcard inside, a range backwards
	f.Add("", "", "", "")                                        // nothing
	f.Add("*", "::/0", "65536", "*")                             // a port that is none
	f.Add(".", "Storage.WestEurope", "*", "//")                  // a tag as source
	f.Add("\u00fc.example", "300.1.1.1/33", "-1", "a..b/\u202e") // letters of another script, control characters
	f.Fuzz(func(t *testing.T, name, addr, port, url string) {
		quoted := func(s string) string {
			b, err := json.Marshal(s)
			if err != nil {
				t.Skip()
			}
			return string(b)
		}
		text := fill(strings.NewReplacer("NAME", quoted(name), "ADDR", quoted(addr), "PORT", quoted(port), "URL", quoted(url)).Replace(`{"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "properties": {"priority": 100, "ruleCollections": [
		 {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100, "action": {"type": "Allow"}, "rules": [
		  {"ruleType": "ApplicationRule", "name": "a", "sourceAddresses": [ADDR], "protocols": [{"protocolType": "Https", "port": 443}], "targetFqdns": [NAME], "targetUrls": [URL]},
		  {"ruleType": "NetworkRule", "name": "n", "ipProtocols": ["TCP"], "sourceAddresses": [ADDR], "destinationFqdns": [NAME], "destinationPorts": [PORT]}]},
		 {"ruleCollectionType": "FirewallPolicyNatRuleCollection", "name": "d", "priority": 100, "action": {"type": "DNAT"}, "rules": [
		  {"ruleType": "NatRule", "name": "t", "ipProtocols": ["TCP"], "sourceAddresses": [ADDR], "destinationAddresses": [ADDR], "destinationPorts": [PORT], "translatedFqdn": NAME, "translatedPort": PORT}]}]}}`))
		res, err := Import(fstest.MapFS{"a.json": {Data: []byte(text)}}, []string{"a.json"})
		if err != nil {
			importertest.Errors(t, err)
			return
		}
		for _, r := range res.Resources {
			for _, c := range r.(*model.RuleCollectionGroup).Collections {
				for _, x := range c.Rules {
					for _, n := range x.FQDNs {
						if n == "" || strings.LastIndex(n, "*") > 0 && x.Unknown == "" {
							t.Errorf("%q is taken for a name pattern that is understood", n)
						}
					}
				}
			}
		}
	})
}
