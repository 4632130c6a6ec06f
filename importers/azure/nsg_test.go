package azure

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

const nsgExample = `[{
  "name": "nsg-web", "id": "RG/Microsoft.Network/networkSecurityGroups/nsg-web", "etag": "W/\"1\"",
  "type": "Microsoft.Network/networkSecurityGroups", "location": "westeurope", "tags": {"owner": "team-a"},
  "properties": {
    "provisioningState": "Succeeded", "resourceGuid": "3c0",
    "flushConnection": true,
    "securityRules": [
      {"name": "AllowWeb", "id": "RG/Microsoft.Network/networkSecurityGroups/nsg-web/securityRules/AllowWeb",
       "type": "Microsoft.Network/networkSecurityGroups/securityRules",
       "properties": {"provisioningState": "Succeeded", "description": "web", "protocol": "TCP", "sourcePortRange": "*",
         "destinationPortRange": "80", "destinationPortRanges": ["443", "8000-8100"], "sourceAddressPrefix": "Internet",
         "destinationAddressPrefix": "10.0.1.0/24", "access": "allow", "priority": 100, "direction": "INBOUND",
         "sourceAddressPrefixes": [], "destinationAddressPrefixes": ["10.0.2.4"], "sourcePortRanges": []}},
      {"name": "DenyDb", "id": "RG/Microsoft.Network/networkSecurityGroups/nsg-web/securityRules/DenyDb",
       "type": "Microsoft.Network/networkSecurityGroups/securityRules",
       "properties": {"provisioningState": "Succeeded", "protocol": "*", "sourcePortRange": "*", "destinationPortRange": "1433",
         "sourceAddressPrefix": "*", "destinationApplicationSecurityGroups": [{"id": "RG/Microsoft.Network/applicationSecurityGroups/asg-db"}],
         "access": "Deny", "priority": 110, "direction": "Inbound"}}
    ],
    "defaultSecurityRules": [],
    "subnets": [{"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web"}],
    "networkInterfaces": [{"id": "RG/Microsoft.Network/networkInterfaces/nic1"}]
  }
},
{"name": "asg-db", "id": "RG/Microsoft.Network/applicationSecurityGroups/asg-db", "type": "Microsoft.Network/applicationSecurityGroups",
 "location": "westeurope", "properties": {"provisioningState": "Succeeded"}}]`

func nsgWeb() *model.NSG {
	all := []model.PortRange{model.AllPorts}
	m := meta("Microsoft.Network/networkSecurityGroups/nsg-web")
	m.Tags = map[string]string{"owner": "team-a"}
	rules := []model.SecurityRule{
		{
			Name: "AllowWeb", Priority: 100, Direction: model.Inbound, Access: model.Allow, Protocol: model.TCP, Description: "web",
			SourceAddrs: model.AddressMatch{Tags: []string{"Internet"}},
			DestAddrs:   model.AddressMatch{Prefixes: prefixList2("10.0.1.0/24", "10.0.2.4/32")},
			SourcePorts: all, DestPorts: []model.PortRange{{First: 80, Last: 80}, {First: 443, Last: 443}, {First: 8000, Last: 8100}},
			SourcePortText: []string{"*"}, DestPortText: []string{"80", "443", "8000-8100"}, ProvisioningState: "Succeeded",
		},
		{
			Name: "DenyDb", Priority: 110, Direction: model.Inbound, Access: model.Deny, Protocol: model.AnyProtocol,
			SourceAddrs: model.AddressMatch{Any: true},
			DestAddrs:   model.AddressMatch{ASGs: []model.ID{id("Microsoft.Network/applicationSecurityGroups/asg-db")}},
			SourcePorts: all, DestPorts: []model.PortRange{{First: 1433, Last: 1433}},
			SourcePortText: []string{"*"}, DestPortText: []string{"1433"}, ProvisioningState: "Succeeded",
		},
	}
	defaults := model.DefaultRules()
	return &model.NSG{Meta: m, FlushConnection: model.On, Rules: slices.Concat(rules, defaults[:3], defaults[3:])}
}

func TestNSG(t *testing.T) {
	shapes(t, nsgExample, &model.ASG{Meta: meta("Microsoft.Network/applicationSecurityGroups/asg-db")}, nsgWeb())
}

// AZ-NSG-03: the table of the document, in the order of evaluation.
func TestDefaultRules(t *testing.T) {
	res := one(t, `{"id": "RG/Microsoft.Network/networkSecurityGroups/n", "type": "Microsoft.Network/networkSecurityGroups", "properties": {}}`)
	var got []string
	for _, r := range res.Resources[0].(*model.NSG).Rules {
		got = append(got, r.Direction.String()+" "+r.Name+" "+r.Access.String()+" "+r.Source.String())
	}
	want := []string{
		"Inbound AllowVnetInBound Allow default rule of n",
		"Inbound AllowAzureLoadBalancerInBound Allow default rule of n",
		"Inbound DenyAllInBound Deny default rule of n",
		"Outbound AllowVnetOutBound Allow default rule of n",
		"Outbound AllowInternetOutBound Allow default rule of n",
		"Outbound DenyAllOutBound Deny default rule of n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("default rules (-want +got):\n%s", diff)
	}
}

// Default rules that an export lists are taken as read, with their place; those that it leaves out are there all the same.
func TestListedDefaultRules(t *testing.T) {
	res := one(t, `{"id": "RG/Microsoft.Network/networkSecurityGroups/n", "type": "Microsoft.Network/networkSecurityGroups", "properties": {
	  "defaultSecurityRules": [
	    {"name": "AllowVnetInBound", "properties": {"protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*",
	      "sourceAddressPrefix": "VirtualNetwork", "destinationAddressPrefix": "VirtualNetwork", "access": "Allow", "priority": 65000,
	      "direction": "Inbound", "description": "Allow inbound traffic from all VMs in VNET", "provisioningState": "Succeeded"}}]}}`)
	n := res.Resources[0].(*model.NSG)
	if got := n.Rules[0].Source.String(); got != "a.json:3" {
		t.Errorf("source of a listed default rule: got %s, want a.json:3", got)
	}
	if diff := cmp.Diff(model.DefaultRules(), n.Rules, facts()); diff != "" {
		t.Errorf("default rules (-want +got):\n%s", diff)
	}
}

// Rules inside an NSG, beside it, and both give one model.
func TestRulesBesideTheNSG(t *testing.T) {
	const head = `{"id": "RG/Microsoft.Network/networkSecurityGroups/n", "name": "n", "type": "Microsoft.Network/networkSecurityGroups", "properties": {"securityRules": [`
	const a = `{"name": "A", "id": "RG/Microsoft.Network/networkSecurityGroups/n/securityRules/A", "type": "Microsoft.Network/networkSecurityGroups/securityRules",
	  "properties": {"protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": "22", "sourceAddressPrefix": "10.0.0.4-10.0.0.9",
	  "destinationAddressPrefix": "*", "access": "Allow", "priority": 100, "direction": "Inbound"}}`
	const b = `{"name": "B", "id": "RG/Microsoft.Network/networkSecurityGroups/N/securityRules/B", "type": "Microsoft.Network/networkSecurityGroups/securityRules",
	  "properties": {"protocol": "Udp", "sourcePortRange": "*", "destinationPortRange": "53", "sourceAddressPrefix": "::/0",
	  "destinationAddressPrefix": "0.0.0.0/0", "access": "Deny", "priority": 100, "direction": "Outbound"}}`
	inside := one(t, head+a+","+b+"]}}")
	for name, texts := range map[string]map[string]string{
		"beside":       {"n.json": head + "]}}", "r.json": "[" + a + "," + b + "]"},
		"beside first": {"z.json": head + "]}}", "r.json": "[" + b + "," + a + "]"},
		"mixed":        {"n.json": head + a + "]}}", "r.json": b},
		"twice":        {"n.json": head + a + "," + b + "]}}", "r.json": "[" + b + "," + a + "]"},
	} {
		res, err := files(t, texts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(inside.Resources, res.Resources, facts()); diff != "" {
			t.Errorf("%s (-inside +got):\n%s", name, diff)
		}
	}
	rule := inside.Resources[0].(*model.NSG).Rules[0]
	if diff := cmp.Diff(prefixList2("10.0.0.4/30", "10.0.0.8/31"), rule.SourceAddrs.Prefixes, facts()); diff != "" {
		t.Errorf("range a-b (-want +got):\n%s", diff)
	}
	if out := inside.Resources[0].(*model.NSG).Rules; out[4].SourceAddrs.Any || out[4].DestAddrs.Any {
		t.Error("0.0.0.0/0 or ::/0 was read as any: AZ-NSG-05 keeps the families apart")
	}
}

// A rule that is partly not understood says so and is in the ledger.
func TestUnknownMatch(t *testing.T) {
	res := one(t, `{"id": "RG/Microsoft.Network/networkSecurityGroups/n", "type": "Microsoft.Network/networkSecurityGroups", "properties": {"securityRules": [
	  {"name": "A", "properties": {"protocol": "Quic", "sourcePortRange": "*", "destinationPortRange": "443", "sourceAddressPrefix": "*",
	   "destinationAddressPrefix": "*", "access": "Allow", "priority": 100, "direction": "Inbound"}},
	  {"name": "B", "properties": {"protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": "443", "sourceAddressPrefix": "*",
	   "destinationAddressPrefix": "*", "access": "Deny", "priority": 110, "direction": "Inbound", "newMatch": {"x": 1}}}]}}`)
	rules := res.Resources[0].(*model.NSG).Rules
	if got, want := rules[0].UnknownMatch, "protocol Quic"; got != want || rules[0].Protocol != model.AnyProtocol {
		t.Errorf("rule A: got %q, %s; want %q and any protocol", got, rules[0].Protocol, want)
	}
	if got, want := rules[1].UnknownMatch, "field newMatch"; got != want {
		t.Errorf("rule B: got %q, want %q", got, want)
	}
	want := []string{
		"n properties.securityRules[0].properties.protocol: a protocol that is not known to ringfence: the rule may match any",
		"n properties.securityRules[1].properties.newMatch: field not known to ringfence",
	}
	if diff := cmp.Diff(want, ledgerOf(res, model.Unsupported)); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	for _, e := range res.Ledger {
		if e.Disposition == model.Unsupported && (len(e.Affects) != 1 || e.Affects[0] != id("Microsoft.Network/networkSecurityGroups/n")) {
			t.Errorf("%s affects %v, want the group", e.Field, e.Affects)
		}
	}
}
