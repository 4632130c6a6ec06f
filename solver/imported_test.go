package solver

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

// effectiveRoutesJSON is the effective routes of a NIC as az prints them, with the NIC's ID beside them; each row is
// `SOURCE STATE PREFIX HOP [ADDRESS,…]`.
func effectiveRoutesJSON(nic string, rows ...string) string {
	var list []string
	for _, r := range rows {
		f := append(strings.Fields(r), "")
		address := ""
		if f[4] != "" {
			address = `"` + strings.ReplaceAll(f[4], ",", `", "`) + `"`
		}
		list = append(list, fmt.Sprintf(`{"source": "%s", "state": "%s", "addressPrefix": ["%s"], "nextHopType": "%s", "nextHopIpAddress": [%s]}`, f[0], f[1], f[2], f[3], address))
	}
	return fmt.Sprintf(`{"id": "RG/networkInterfaces/%s", "value": [%s]}`, nic, strings.Join(list, ", "))
}

// effectiveRulesJSON is the effective rules of a NIC or subnet as az prints them: the default rules, with the tags expanded.
func effectiveRulesJSON(association, vnet, internet string) string {
	list := func(s string) string { return `["` + strings.ReplaceAll(s, " ", `", "`) + `"]` }
	rule := func(name, dir, src, dst, expSrc, expDst string, priority int, access string) string {
		return fmt.Sprintf(`{"name": "defaultSecurityRules/%s", "direction": "%s", "priority": %d, "access": "%s", "protocol": "All", "sourcePortRange": "0-65535", "destinationPortRange": "0-65535",
			"sourceAddressPrefix": "%s", "destinationAddressPrefix": "%s", "expandedSourceAddressPrefix": %s, "expandedDestinationAddressPrefix": %s}`, name, dir, priority, access, src, dst, expSrc, expDst)
	}
	v := list(vnet)
	net := "null"
	if internet != "" {
		net = list(internet)
	}
	return fmt.Sprintf(`{"association": {%s}, "networkSecurityGroup": {"id": "RG/networkSecurityGroups/nsg"}, "effectiveSecurityRules": [%s]}`, association, strings.Join([]string{
		rule("AllowVnetInBound", "Inbound", "VirtualNetwork", "VirtualNetwork", v, v, 65000, "Allow"),
		rule("AllowInternetOutBound", "Outbound", "0.0.0.0/0", "Internet", "null", net, 65001, "Allow"),
	}, ", "))
}

const publicEntryNIC = `{"id": "RG/publicIPAddresses/pip", "type": "Microsoft.Network/publicIPAddresses", "sku": {"name": "Standard"}, "properties": {"ipAddress": "20.0.0.9", "ipConfiguration": {"id": "RG/networkInterfaces/n/ipConfigurations/ip"}}},
	{"id": "RG/networkInterfaces/n", "type": "Microsoft.Network/networkInterfaces", "properties": {"ipConfigurations": [{"name": "ip",
	"properties": {"primary": true, "privateIPAddress": "10.0.0.4", "publicIPAddress": {"id": "RG/publicIPAddresses/pip"}, "subnet": {"id": "RG/virtualNetworks/v/subnets/s"}}}]}}`

// verdictOf asks for a verdict.
func verdictOf(t *testing.T, s *Solution, from, to, service string) *Reach {
	t.Helper()
	sels, err := model.ParseSelectors([]string{from, to})
	if err != nil {
		t.Fatal(err)
	}
	svc, err := model.ParsePortService(service)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Reach(sels[:1], sels[1:], []model.PortService{svc}, true)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// AZ-TAG-04: effective rules of a NIC settle what VirtualNetwork holds there; EX-13 without and with them.
func TestEffectiveRulesSettleTheTag(t *testing.T) {
	estate := func(more ...string) *Solution {
		return effectiveEstate(t, nil, append([]string{
			vnetJSON("v", "eastus", []string{"10.0.0.0/16"}, nil, subnetJSON("s", "10.0.0.0/24", withTable+withNSG), subnetJSON("fw", "10.0.9.0/24", "")),
			tableJSON("rt", "0.0.0.0/0 VirtualAppliance 10.0.9.4"), nsgJSON("nsg"), publicEntryNIC, nicJSON("other", "v/s", "10.0.0.5", ""), nicJSON("nva", "v/fw", "10.0.9.4", `, "enableIPForwarding": false`),
		}, more...)...)
	}
	const own, grown, public = "10.0.0.0/16 168.63.129.16/32", "0.0.0.0/0", "1.0.0.0/8 2.0.0.0/7 4.0.0.0/6 8.0.0.0/7 11.0.0.0/8 12.0.0.0/6 16.0.0.0/4 32.0.0.0/3 64.0.0.0/3 96.0.0.0/6"
	nic, subnet := `"networkInterface": {"id": "RG/networkInterfaces/n"}`, `"subnet": {"id": "RG/virtualNetworks/v/subnets/s"}`
	for _, test := range []struct {
		name string
		more []string
		want string
		tag  bool // the answer hangs on ASM-VNETTAG
	}{
		{"no effective rules", nil, "unknown", true},
		{"the tag did not grow", []string{effectiveRulesJSON(nic, own, public)}, "unreachable", false},
		{"the tag grew", []string{effectiveRulesJSON(nic, grown, public)}, "reachable", false},
		{"rules of the subnet's group", []string{effectiveRulesJSON(subnet, own, "")}, "unreachable", false},
		{"rules of another NIC", []string{effectiveRulesJSON(`"networkInterface": {"id": "RG/networkInterfaces/other"}`, own, "")}, "unknown", true},
		{"rules of the NIC before those of the subnet", []string{effectiveRulesJSON(nic, grown, ""), strings.Replace(effectiveRulesJSON(subnet, own, ""), `{"assoc`, `{"tagMap": null, "assoc`, 1)}, "reachable", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var lists []string
			for _, m := range test.more {
				lists = append(lists, `{"value": [`+m+`]}`)
			}
			s := estate(lists...)
			r := verdictOf(t, s, "internet", "nic:n", "tcp/22")
			if got := r.Verdict.String(); got != test.want {
				t.Errorf("internet to nic:n tcp/22: got %s, want %s", got, test.want)
			}
			named := false
			for _, a := range r.Assumptions {
				named = named || a.ID == "ASM-VNETTAG"
			}
			if named != test.tag {
				t.Errorf("ASM-VNETTAG named: got %v, want %v", named, test.tag)
			}
			agree(t, s, 1500, 7)
		})
	}
}

// AZ-RT-33: the active rows of a NIC's effective routes are its table, whatever the resources say; its neighbours keep theirs.
func TestEffectiveRoutesAreTheTable(t *testing.T) {
	estate := func(rows ...string) *Solution {
		more := []string{}
		if rows != nil {
			more = append(more, effectiveRoutesJSON("n", rows...))
		}
		return effectiveEstate(t, nil, append([]string{
			vnetJSON("v", "eastus", []string{"10.0.0.0/16"}, []string{"p"}, subnetJSON("s", "10.0.0.0/24", withTable+`, "defaultOutboundAccess": true`), subnetJSON("b", "10.0.1.0/24", ""), subnetJSON("fw", "10.0.9.0/24", "")),
			vnetJSON("p", "eastus", []string{"10.5.0.0/16"}, []string{"v"}, subnetJSON("s", "10.5.0.0/24", ""), subnetJSON("pe", "10.5.1.0/24", `, "privateEndpointNetworkPolicies": "Disabled"`)),
			tableJSON("rt", "0.0.0.0/0 None"), nicJSON("n", "v/s", "10.0.0.4", ""), nicJSON("other", "v/s", "10.0.0.5", ""), nicJSON("nva", "v/fw", "10.0.9.4", `, "enableIPForwarding": false`), nicJSON("far", "p/s", "10.5.0.4", ""), nicJSON("b", "v/b", "10.0.1.4", ""),
			`{"id": "RG/privateEndpoints/e", "type": "Microsoft.Network/privateEndpoints", "properties": {"subnet": {"id": "RG/virtualNetworks/p/subnets/pe"},
				"privateLinkServiceConnections": [{"name": "c", "properties": {"privateLinkServiceId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv", "groupIds": ["vault"], "privateLinkServiceConnectionState": {"status": "Approved"}}}],
				"customDnsConfigs": [{"fqdn": "kv.vault.azure.net", "ipAddresses": ["10.5.1.9"]}]}}`,
		}, more...)...)
	}
	const vnet, peer, end = "Default Active 10.0.0.0/16 VnetLocal", "Default Active 10.5.0.0/16 VNetPeering", "Default Active 10.5.1.9/32 InterfaceEndpoint"
	for _, test := range []struct {
		name string
		rows []string
		want map[string]string // target: verdict
	}{
		{"computed", nil, map[string]string{"nic:b": "reachable", "nic:far": "reachable", "endpoint:e": "reachable", "internet": "unreachable"}},
		{
			"the same, imported",
			[]string{vnet, peer, end, "User Active 0.0.0.0/0 None", "Default Invalid 0.0.0.0/0 Internet"},
			map[string]string{"nic:b": "reachable", "nic:far": "reachable", "endpoint:e": "reachable", "internet": "unreachable"},
		},
		{"the default route was changed", []string{vnet, peer, end, "Default Active 0.0.0.0/0 Internet"}, map[string]string{"internet": "reachable", "nic:far": "reachable"}},
		{"no peering", []string{vnet, "Default Active 0.0.0.0/0 Internet", "Default Active 10.0.0.0/8 None"}, map[string]string{"nic:b": "reachable", "nic:far": "unreachable", "endpoint:e": "unreachable"}},
		{"the peering is not in force", []string{vnet, "Default Invalid 10.5.0.0/16 VNetPeering", "User Active 10.5.0.0/16 None"}, map[string]string{"nic:far": "unreachable", "endpoint:e": "unreachable"}},
		{"an endpoint's row alone", []string{vnet, end}, map[string]string{"endpoint:e": "reachable", "nic:far": "unreachable"}},
		{"an endpoint that the table lacks", []string{vnet, peer}, map[string]string{"nic:far": "reachable"}},
		{"an appliance that does not forward", []string{"User Active 10.0.0.0/16 VirtualAppliance 10.0.9.4", peer}, map[string]string{"nic:b": "unreachable", "nic:far": "reachable"}},
		{"one of two appliances", []string{"User Active 10.0.1.0/24 VirtualAppliance 10.0.9.4,10.0.9.5", vnet}, map[string]string{"nic:b": "unknown"}},
		{"a row behind which the input shows nobody", []string{vnet, "VirtualNetworkGateway Active 10.5.0.0/16 VirtualNetworkGateway"}, map[string]string{"nic:b": "reachable", "nic:far": "unknown"}},
		{"an unknown next hop", []string{vnet, "Default Active 10.5.0.0/16 ConnectedGroup"}, map[string]string{"nic:far": "unknown"}},
		{"rows of two families", []string{vnet, "Default Active ::/0 Internet"}, map[string]string{"nic:b": "reachable", "nic:far": "unreachable"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := estate(test.rows...)
			got := map[string]string{}
			for to := range test.want {
				got[to] = verdictOf(t, s, "nic:n", to, "tcp/443").Verdict.String()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("from nic:n: %s", diff)
			}
			if got := verdictOf(t, s, "nic:other", "internet", "tcp/443").Verdict.String(); got != "unreachable" {
				t.Errorf("its neighbour to internet: got %s, want unreachable: it has its own table", got)
			}
			if test.want["nic:far"] != "unknown" && test.want["nic:b"] != "unknown" { // an unknown forwarder delivers anywhere; the interpreter loses the packet
				agree(t, s, 1500, 3)
			}
		})
	}
}

// EX-12, AZ-RT-33: what the platform printed is what is printed.
func TestEffectivePrintsWhatWasImported(t *testing.T) {
	s := effectiveEstate(t, nil, vnetJSON("v", "eastus", []string{"10.1.0.0/24"}, nil, subnetJSON("s", "10.1.0.0/26", withNSG)), nsgJSON("nsg"), nicJSON("n", "v/s", "10.1.0.4", ""),
		effectiveRoutesJSON("n", "Default Active 10.1.0.0/24 VnetLocal", "Default Invalid 0.0.0.0/0 Internet", "VirtualNetworkGateway Active 0.0.0.0/0 VirtualNetworkGateway 10.1.0.70"),
		`{"value": [`+effectiveRulesJSON(`"networkInterface": {"id": "RG/networkInterfaces/n"}`, "10.1.0.0/24 10.7.0.0/16 168.63.129.16/32", "")+`]}`)
	want := []string{"Default Invalid 0.0.0.0/0 Internet", "VirtualNetworkGateway Active 0.0.0.0/0 VirtualNetworkGateway 10.1.0.70", "Default Active 10.1.0.0/24 VnetLocal"}
	if diff := cmp.Diff(want, routesOf(t, s, "nic:n")); diff != "" {
		t.Error(diff)
	}
	r := rulesAt(t, s, "nic:n")
	if got := strings.Join(expandedOf(t, r, "defaultSecurityRules/AllowVnetInBound"), " "); got != "10.1.0.0/24 10.7.0.0/16 168.63.129.16/32" || r.Imported != "net.json:7" {
		t.Errorf("got %s from %s", got, r.Imported)
	}
	if len(r.VirtualNetwork.Possible) > 0 {
		t.Errorf("got possible parts %v, want none: the rules settle the tag", r.VirtualNetwork.Possible)
	}
}

// AZ-RT-33: a table that is imported as it was computed changes no answer.
func TestImportingTheComputedTableChangesNothing(t *testing.T) {
	p := project(t, "../examples/aks-pci")
	before, err := Solve(p, Options{EachNIC: true})
	if err != nil {
		t.Fatal(err)
	}
	resources := p.Estate.Resources()
	imported := 0
	for _, n := range p.Estate.NICs {
		table, no := before.EffectiveRoutes(model.Selector{Kind: model.SelNIC, Parts: []string{string(n.ID)}, Whole: true})
		if no != nil {
			continue // of a private endpoint
		}
		src := model.Source{File: "routes.json", Line: 1}
		e := &model.EffectiveRoutes{Meta: model.Meta{ID: model.EffectiveRoutesID(n.ID), Source: src}, Of: n.ID}
		for _, r := range table.Routes {
			if r.Possible || r.Tag != "" {
				t.Fatalf("%s is no table that can be imported: %+v", n.Name(), r)
			}
			row := model.EffectiveRoute{Source: src, From: r.Source, Active: r.State == "Active", Prefixes: []netip.Prefix{netip.MustParsePrefix(r.Prefix)}, NextHop: model.NextHopType(r.NextHopType)}
			if r.NextHopIP != "" {
				row.Addresses = []netip.Addr{netip.MustParseAddr(r.NextHopIP)}
			}
			e.Routes = append(e.Routes, row)
		}
		resources, imported = append(resources, e), imported+1
	}
	if imported == 0 {
		t.Fatal("the example has no NIC")
	}
	estate, err := model.NewEstate(resources, p.Estate.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Solve(&model.Project{Estate: estate, Intent: p.Intent}, Options{EachNIC: true})
	if err != nil {
		t.Fatal(err)
	}
	rows := func(s *Solution) []string {
		list, err := s.Matrix(ByNIC, nil, true)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, r := range list {
			out = append(out, fmt.Sprintf("%s %s %s %v", r.Src, r.Dst, r.Verdict, r.Packets))
		}
		return out
	}
	if diff := cmp.Diff(rows(before), rows(after)); diff != "" {
		t.Error(diff)
	}
	agree(t, after, 2000, 11)
}
