package azure

import (
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/importertest"
	"github.com/ringfence/ringfence/model"
)

// effectiveRoutesOfNIC is what `az network nic show-effective-route-table` prints, with the NIC's ID beside it.
const effectiveRoutesOfNIC = `{
  "id": "RG/Microsoft.Network/networkInterfaces/nic1",
  "nextLink": null,
  "value": [
    {"addressPrefix": ["10.0.0.0/16"], "disableBgpRoutePropagation": false, "name": null, "nextHopIpAddress": [], "nextHopType": "VnetLocal", "source": "Default", "state": "Active"},
    {"addressPrefix": ["0.0.0.0/0"], "disableBgpRoutePropagation": false, "hasBgpOverride": false, "name": null, "nextHopIpAddress": [], "nextHopType": "Internet", "source": "Default", "state": "Invalid"},
    {"addressPrefix": ["0.0.0.0/0"], "disableBgpRoutePropagation": false, "name": "out", "nextHopIpAddress": ["10.0.9.4"], "nextHopType": "VirtualAppliance", "source": "User", "state": "Active"},
    {"addressPrefix": ["10.9.0.0/16", "10.8.0.0/16"], "nextHopIpAddress": ["10.0.255.5", "10.0.255.4"], "nextHopType": "VirtualNetworkGateway", "source": "VirtualNetworkGateway", "state": "Active"}
  ]
}`

// effectiveRulesOfNIC is what `az network nic list-effective-nsg` prints.
const effectiveRulesOfNIC = `{
  "nextLink": null,
  "value": [
    {"association": {"networkInterface": {"id": "RG/Microsoft.Network/networkInterfaces/nic1", "resourceGroup": "rg"}, "networkManager": null, "subnet": null},
     "effectiveSecurityRules": [
       {"access": "Allow", "destinationAddressPrefix": "VirtualNetwork", "destinationAddressPrefixes": ["VirtualNetwork"], "destinationPortRange": "0-65535", "destinationPortRanges": ["0-65535"],
        "direction": "Inbound", "expandedDestinationAddressPrefix": ["10.0.0.0/16", "168.63.129.16/32"], "expandedSourceAddressPrefix": ["10.0.0.0/16", "168.63.129.16/32"],
        "name": "defaultSecurityRules/AllowVnetInBound", "priority": 65000, "protocol": "All", "sourceAddressPrefix": "VirtualNetwork", "sourceAddressPrefixes": ["VirtualNetwork"],
        "sourcePortRange": "0-65535", "sourcePortRanges": ["0-65535"]},
       {"access": "Allow", "destinationAddressPrefix": "0.0.0.0/0", "destinationAddressPrefixes": ["0.0.0.0/0", "0.0.0.0/0"], "destinationPortRange": "443-443", "destinationPortRanges": ["443-443"],
        "direction": "Inbound", "expandedDestinationAddressPrefix": null, "expandedSourceAddressPrefix": null, "name": "securityRules/Web", "priority": 100, "protocol": "Tcp",
        "sourceAddressPrefix": "10.1.0.0/16", "sourceAddressPrefixes": ["10.1.0.0/16"], "sourcePortRange": "0-65535", "sourcePortRanges": ["0-65535"]}],
     "networkSecurityGroup": {"id": "RG/Microsoft.Network/networkSecurityGroups/nsg1", "resourceGroup": "rg"}, "tagMap": null},
    {"association": {"networkInterface": null, "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}},
     "effectiveSecurityRules": [], "networkSecurityGroup": {"id": "RG/Microsoft.Network/networkSecurityGroups/nsg2"}}
  ]
}`

func effectiveOf(t *testing.T, text string) Result {
	t.Helper()
	if !Recognise([]byte(fill(text))) {
		t.Errorf("not recognised: %.80s", text)
	}
	r, err := Import(fstest.MapFS{"e.json": {Data: []byte(fill(text))}}, []string{"e.json"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEffectiveRoutes(t *testing.T) {
	r := effectiveOf(t, effectiveRoutesOfNIC)
	want := &model.EffectiveRoutes{
		Meta: model.Meta{ID: model.ID(rg + "/providers/Microsoft.Network/networkInterfaces/nic1/effective/routes")},
		Of:   model.ID(rg + "/providers/Microsoft.Network/networkInterfaces/nic1"),
		Routes: []model.EffectiveRoute{
			{From: "Default", Active: true, Prefixes: prefixList2("10.0.0.0/16"), NextHop: model.HopVnetLocal},
			{From: "Default", Prefixes: prefixList2("0.0.0.0/0"), NextHop: model.HopInternet},
			{Name: "out", From: "User", Active: true, Prefixes: prefixList2("0.0.0.0/0"), NextHop: model.HopAppliance, Addresses: addrList2("10.0.9.4")},
			{From: "VirtualNetworkGateway", Active: true, Prefixes: prefixList2("10.8.0.0/16", "10.9.0.0/16"), NextHop: model.HopGateway, Addresses: addrList2("10.0.255.4", "10.0.255.5")},
		},
	}
	if diff := cmp.Diff([]model.Resource{want}, r.Resources, facts()); diff != "" {
		t.Error(diff)
	}
	if got := r.Ledger[0]; got.Disposition != model.Irrelevant || !strings.Contains(got.Effect, "which the input lacks") {
		t.Errorf("a NIC that the input lacks: got %+v", got)
	}
}

// The shapes in which people keep effective rules give one model: az, REST, a bare list, PowerShell, the NIC's ID beside the list.
func TestEffectiveRulesShapes(t *testing.T) {
	want := effectiveOf(t, effectiveRulesOfNIC).Resources
	rules, ok := want[0].(*model.EffectiveRules)
	if !ok || len(want) != 1 || len(rules.Groups) != 2 || len(rules.Groups[0].Rules) != 2 {
		t.Fatalf("got %+v, want the rules of one NIC: both groups, since the list names the NIC", want)
	}
	web, vnet := rules.Groups[0].Rules[0], rules.Groups[0].Rules[1]
	if web.Name != "Web" || web.Default || web.Protocol != model.TCP || web.DestPorts[0].String() != "443" || len(web.ExpandedSource) > 0 {
		t.Errorf("got %+v", web)
	}
	if lists, ok := rules.Content("virtualnetwork"); !ok || len(lists) != 2 || !vnet.Default {
		t.Errorf("VirtualNetwork: got %v, %v, want its two expansions", lists, ok)
	}
	_, list, _ := strings.Cut(strings.TrimSpace(effectiveRulesOfNIC), `"value": `)
	list = strings.TrimSuffix(list, "}")
	power := strings.NewReplacer(
		`"association"`, `"Association"`, `"networkInterface"`, `"NetworkInterface"`, `"id"`, `"Id"`, `"effectiveSecurityRules"`, `"EffectiveSecurityRules"`,
		`"networkSecurityGroup"`, `"NetworkSecurityGroup"`, `"subnet"`, `"Subnet"`, `"priority"`, `"Priority"`, `"name"`, `"Name"`,
		`"sourceAddressPrefix": "VirtualNetwork", "sourceAddressPrefixes": ["VirtualNetwork"]`, `"SourceAddressPrefix": ["VirtualNetwork"]`,
	).Replace(list)
	for name, text := range map[string]string{
		"list": list, "PowerShell": power, "NDJSON": strings.ReplaceAll(effectiveRulesOfNIC, "\n", " ") + "\n",
		"the NIC's ID beside it": `{"id": "RG/Microsoft.Network/networkInterfaces/NIC1", "value": ` + list + `}`,
		"by another name":        `{"networkInterface": "RG/Microsoft.Network/networkInterfaces/nic1", "value": ` + list + `}`,
		"a list of lists":        `[{"id": "RG/Microsoft.Network/networkInterfaces/nic1", "value": ` + list + `}]`,
	} {
		got := effectiveOf(t, text).Resources
		if len(got) != 1 || !model.Alike(want[0], got[0]) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// Rules of a subnet's group, with nothing that names the NIC, are those of every NIC in the subnet.
func TestEffectiveRulesOfSubnet(t *testing.T) {
	r := effectiveOf(t, `[{"association": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}}, "networkSecurityGroup": {"id": "RG/Microsoft.Network/networkSecurityGroups/g"}, "effectiveSecurityRules": []}]`)
	if got := r.Resources[0].(*model.EffectiveRules).Of.Name(); got != "s" {
		t.Errorf("got rules of %s, want of the subnet", got)
	}
}

func TestBadEffectiveState(t *testing.T) {
	row := func(old, text string) string {
		return `{"id": "RG/Microsoft.Network/networkInterfaces/n", "value": [` + "\n" +
			strings.Replace(`{"addressPrefix": ["10.0.0.0/16"], "nextHopIpAddress": [], "nextHopType": "VnetLocal", "source": "Default", "state": "Active"}`, old, text, 1) + `]}`
	}
	rule := func(old, text string) string {
		return `[{"association": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}}, "effectiveSecurityRules": [` + "\n" +
			strings.Replace(`{"name": "securityRules/A", "access": "Allow", "direction": "Inbound", "priority": 100, "protocol": "Tcp", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "sourcePortRange": "0-65535", "destinationPortRange": "22-22"}`, old, text, 1) + `]}]`
	}
	for _, test := range []struct{ name, text, want string }{
		{
			"routes without a NIC", `{"value": [{"addressPrefix": ["10.0.0.0/16"], "nextHopType": "VnetLocal", "source": "Default", "state": "Active"}]}`,
			`e.json:1: id: found ` + "`effective routes that name no NIC`" + `, want the NIC's resource ID beside the list: {"id": "/subscriptions/…/networkInterfaces/NIC", "value": […]}`,
		},
		{"the ID of a subnet", strings.Replace(row("", ""), "networkInterfaces/n", "virtualNetworks/v", 1), "want the resource ID of a network interface"},
		{"a bad state", row(`"Active"`, `"Sleeping"`), "e.json:2: n: value[0].state: found `Sleeping`, want one of Active, Invalid"},
		{"a bad source", row(`"Default"`, `7`), "value[0].source: found `nothing`, want one of Default, User"},
		{"a bad prefix", row(`10.0.0.0/16`, `10.0.0.0/99`), "value[0].addressPrefix[0]: found `10.0.0.0/99`, want an address or CIDR"},
		{"an appliance without an address", row(`"VnetLocal"`, `"VirtualAppliance"`), "nextHopIpAddress: found `nothing`, want the address of the appliance"},
		{"a bad address", row(`[]`, `["fw"]`), "nextHopIpAddress[0]: found `fw`, want an IP address"},
		{"no next hop", row(`"VnetLocal"`, `""`), "nextHopType: found `nothing`"},
		{"null among rows", row(`{"addr`, `null, {"addr`), "value[0]: found `null`, want a row like the first"},
		{"routes among rules", row(`]}`, `]}`) + row(`{"addr`, `{"effectiveSecurityRules": []}, {"addr`), "effective routes and effective rules in lists of their own"},
		{"a group of nothing", `[{"effectiveSecurityRules": [], "association": {}}]`, "association: found `no NIC and no subnet`, want an association with a networkInterface or subnet, or the NIC's resource ID"},
		{"a rule without a name", rule(`securityRules/A`, ``), "name: found `nothing`, want the name of the rule"},
		{"a bad direction", rule(`Inbound`, `Sideways`), "direction: found `Sideways`"},
		{"no priority", rule(`: 100`, `: "x"`), "priority: found `nothing`"},
		{"a bad port", rule(`22-22`, `22-2`), "destinationPortRange: found `22-2`"},
		{"a number for an address", rule(`"sourceAddressPrefix": "*"`, `"sourceAddressPrefix": 5`), "sourceAddressPrefix: found `a number`, want a text"},
		{"rules that are no list", `[{"association": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}}, "effectiveSecurityRules": "x"}]`, "effectiveSecurityRules: found `a text`, want a list of rules"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Import(fstest.MapFS{"e.json": {Data: []byte(fill(test.text))}}, []string{"e.json"})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			importertest.Errors(t, err)
		})
	}
}

func addrList2(texts ...string) (out []netip.Addr) {
	for _, t := range texts {
		out = append(out, netip.MustParseAddr(t))
	}
	return out
}
