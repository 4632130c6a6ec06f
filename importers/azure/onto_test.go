package azure

import (
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringfence/ringfence/model"
)

// laid is what comes of an overlay: an estate, what was recorded, and what resources say by themselves; or errors.
type laid struct {
	Resources []model.Resource
	Ledger    []model.LedgerEntry
	Read      []model.Resource
	Claims    []model.Claim
	Err       string
}

func laidBy(r Result, err error) laid {
	if err != nil {
		return laid{Err: err.Error()}
	}
	e, err := model.NewEstate(r.Resources, r.Ledger)
	if err != nil {
		return laid{Err: err.Error()}
	}
	a := r.Apart()
	return laid{Resources: e.Resources(), Ledger: e.Ledger, Read: a.Read.Held(), Claims: a.Claims}
}

// bothWays lays files over others, and over what a snapshot of these holds.
func bothWays(t *testing.T, files fs.FS, paths []string, over string) (sources, snapshot laid) {
	t.Helper()
	r, err := Import(files, paths)
	if err != nil {
		t.Fatal(err)
	}
	e, err := model.NewEstate(r.Resources, r.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	apart := r.Apart()
	snapshot = laidBy(ImportOnto(Base{Resources: e.Resources(), Ledger: e.Ledger, Apart: &apart}, files, []string{over}))
	sources = laidBy(ImportOver(files, paths, []string{over}))
	return sources, snapshot
}

func compareLaid(t *testing.T, sources, snapshot laid) {
	t.Helper()
	if sources.Err != snapshot.Err {
		t.Fatalf("over the sources: %s\nover the snapshot: %s", sources.Err, snapshot.Err)
	}
	if diff := cmp.Diff(sources, snapshot, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
		t.Errorf("-over the sources +over the snapshot:\n%s", diff)
	}
}

// Each resource of the examples, as it is and with its lists emptied, over all of them. What is refused over the snapshot says so.
func TestOntoExamples(t *testing.T) {
	files := fstest.MapFS{}
	for i, text := range examples() {
		files[fmt.Sprintf("%d/a.json", i)] = &fstest.MapFile{Data: []byte(fill(text))}
	}
	paths := slices.Sorted(maps.Keys(files))
	laid, refused := 0, 0
	for i, text := range examples() {
		for j, one := range each(t, fill(text)) {
			for k, over := range []string{one, emptied(t, one)} {
				t.Run(fmt.Sprintf("%d-%d-%d", i, j, k), func(t *testing.T) {
					all := maps.Clone(files)
					all["over.json"] = &fstest.MapFile{Data: []byte(over)}
					sources, snapshot := bothWays(t, all, paths, "over.json")
					if strings.Contains(snapshot.Err, "over a snapshot") || strings.Contains(snapshot.Err, "belongs to the sources") {
						refused++
						return
					}
					laid++
					compareLaid(t, sources, snapshot)
				})
			}
		}
	}
	if laid < 2*refused {
		t.Errorf("%d resources were laid over the snapshot, %d were refused", laid, refused)
	}
}

// each lists the objects of a text.
func each(t *testing.T, text string) []string {
	t.Helper()
	var list []jsontext.Value
	if json.Unmarshal([]byte(text), &list) != nil {
		return []string{text}
	}
	var out []string
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

// emptied is an object without the entries of the lists in its properties.
func emptied(t *testing.T, text string) string {
	t.Helper()
	var o struct {
		Properties map[string]jsontext.Value `json:"properties,omitzero"`
		Rest       jsontext.Value            `json:",unknown"`
	}
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	for name, v := range o.Properties {
		if v.Kind() == '[' {
			o.Properties[name] = jsontext.Value("[]")
		}
	}
	data, err := json.Marshal(o, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// What resources say of each other goes with the one that says it, and stays with the other.
func TestOntoNeighbours(t *testing.T) {
	const base = `[
		{"id": "RG/Microsoft.Network/virtualNetworks/v", "type": "Microsoft.Network/virtualNetworks", "properties": {
			"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
			"subnets": [
				{"name": "a", "properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": "RG/Microsoft.Network/networkSecurityGroups/g"}, "somethingNew": 1}},
				{"name": "b", "properties": {"addressPrefix": "10.0.2.0/24", "serviceEndpoints": [{"service": "Microsoft.Sql"}]}},
				{"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/unknown", "name": "unknown"}],
			"virtualNetworkPeerings": [{"name": "p", "properties": {"remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/w"}, "strange": true}}]}},
		{"id": "RG/Microsoft.Network/virtualNetworks/w/subnets/c", "type": "Microsoft.Network/virtualNetworks/subnets", "properties": {"addressPrefix": "10.1.1.0/24"}},
		{"id": "RG/Microsoft.Network/virtualNetworks/w/subnets/d", "type": "Microsoft.Network/virtualNetworks/subnets", "properties": {"addressPrefix": "10.1.2.0/24"}},
		{"id": "RG/Microsoft.Network/virtualNetworks/x/virtualNetworkPeerings/q", "type": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings", "properties": {"remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/v"}}},
		{"id": "RG/Microsoft.Network/networkSecurityGroups/g", "type": "Microsoft.Network/networkSecurityGroups", "properties": {
			"securityRules": [{"name": "r", "properties": {"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "*", "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*", "odd": 1}}],
			"subnets": [{"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/a"}], "networkInterfaces": [{"id": "RG/Microsoft.Network/networkInterfaces/n"}]}},
		{"id": "RG/Microsoft.Network/routeTables/t", "type": "Microsoft.Network/routeTables", "properties": {"routes": [], "subnets": [{"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/b"}]}},
		{"id": "RG/Microsoft.Network/networkInterfaces/n", "type": "Microsoft.Network/networkInterfaces", "properties": {
			"virtualMachine": {"id": "RG/Microsoft.Compute/virtualMachines/m"}, "ipConfigurations": [{"name": "c", "properties": {"primary": true, "privateIPAddress": "10.0.1.4",
				"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/a"}, "loadBalancerBackendAddressPools": [{"id": "RG/Microsoft.Network/loadBalancers/l/backendAddressPools/one"}],
				"publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/i", "type": "Microsoft.Network/publicIPAddresses", "properties": {"provisioningState": "Succeeded", "publicIPAllocationMethod": "Static", "ipAddress": "20.0.0.1"}}}}]}},
		{"id": "RG/Microsoft.Network/networkInterfaces/o", "type": "Microsoft.Network/networkInterfaces", "properties": {
			"ipConfigurations": [{"name": "c", "properties": {"privateIPAddress": "10.0.2.4", "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/b"}}}]}},
		{"id": "RG/Microsoft.Compute/virtualMachines/m", "type": "Microsoft.Compute/virtualMachines", "properties": {"networkProfile": {"networkInterfaces": [{"id": "RG/Microsoft.Network/networkInterfaces/n"}]}}},
		{"id": "RG/Microsoft.Compute/virtualMachines/m2", "type": "Microsoft.Compute/virtualMachines", "properties": {"networkProfile": {"networkInterfaces": [{"id": "RG/Microsoft.Network/networkInterfaces/o"}]}}},
		{"id": "RG/Microsoft.Network/loadBalancers/l", "type": "Microsoft.Network/loadBalancers", "sku": {"name": "Standard"}, "properties": {
			"frontendIPConfigurations": [{"name": "f", "properties": {"publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/j"}}}],
			"backendAddressPools": [{"name": "one", "properties": {}}, {"name": "two", "properties": {"backendIPConfigurations": [{"id": "RG/Microsoft.Network/networkInterfaces/o/ipConfigurations/c"}]}}],
			"inboundNatRules": [{"name": "ssh", "properties": {"frontendIPConfiguration": {"id": "RG/Microsoft.Network/loadBalancers/l/frontendIPConfigurations/f"}, "protocol": "Tcp", "frontendPort": 22, "backendPort": 22,
				"backendIPConfiguration": {"id": "RG/Microsoft.Network/networkInterfaces/n/ipConfigurations/c"}}}]}},
		{"id": "RG/Microsoft.Network/publicIPAddresses/j", "type": "Microsoft.Network/publicIPAddresses", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static", "ipAddress": "20.0.0.2",
			"ipConfiguration": {"id": "RG/Microsoft.Network/loadBalancers/l/frontendIPConfigurations/f"}}},
		{"id": "RG/Microsoft.Network/natGateways/ng", "type": "Microsoft.Network/natGateways", "properties": {"subnets": [{"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/b"}]}},
		{"id": "RG/Microsoft.Network/publicIPAddresses/k", "type": "Microsoft.Network/publicIPAddresses", "properties": {"publicIPAllocationMethod": "Static", "ipAddress": "20.0.0.3", "natGateway": {"id": "RG/Microsoft.Network/natGateways/ng"}}},
		{"id": "RG/Microsoft.Network/privateEndpoints/e", "type": "Microsoft.Network/privateEndpoints", "properties": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/a"},
			"networkInterfaces": [{"id": "RG/Microsoft.Network/networkInterfaces/pe"}], "privateLinkServiceConnections": [{"name": "x", "properties": {"privateLinkServiceId": "RG/Microsoft.Sql/servers/s", "groupIds": ["sqlServer"]}}]}},
		{"id": "RG/Microsoft.Network/networkInterfaces/pe", "type": "Microsoft.Network/networkInterfaces", "properties": {
			"privateEndpoint": {"id": "RG/Microsoft.Network/privateEndpoints/e"}, "ipConfigurations": [{"name": "c", "properties": {"privateIPAddress": "10.0.1.9", "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/a"}}}]}},
		{"id": "RG/Microsoft.Sql/servers/s", "type": "Microsoft.Sql/servers", "properties": {"publicNetworkAccess": "Enabled"}},
		{"id": "RG/Microsoft.Sql/servers/s2", "type": "Microsoft.Sql/servers", "properties": {"firewallRules": [{"name": "one", "properties": {"startIpAddress": "20.1.0.1", "endIpAddress": "20.1.0.9"}}], "virtualNetworkRules": []}},
		{"id": "RG/Microsoft.Network/privateLinkServices/pls", "type": "Microsoft.Network/privateLinkServices", "properties": {"ipConfigurations": [{"properties": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/new"}}}]}},
		{"id": "RG/Microsoft.Network/routeServers/rs", "type": "Microsoft.Network/routeServers", "properties": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/b"}}},
		{"id": "RG/Microsoft.Network/firewallPolicies/fp", "type": "Microsoft.Network/firewallPolicies", "properties": {"sql": {"allowSqlRedirect": true}, "ruleCollectionGroups": [{"id": "RG/Microsoft.Network/firewallPolicies/fp/ruleCollectionGroups/rcg"}]}},
		{"id": "RG/Microsoft.ContainerService/managedClusters/aks", "type": "Microsoft.ContainerService/managedClusters", "properties": {"nodeResourceGroup": "nodes", "agentPoolProfiles": [{"name": "sys", "mode": "System", "count": 1}, {"name": "user", "count": 2}]}},
		{"id": "RG/Microsoft.Network/privateDnsZones/z.example", "type": "Microsoft.Network/privateDnsZones", "properties": {}},
		{"id": "RG/Microsoft.Network/privateDnsZones/z.example/A/web", "type": "Microsoft.Network/privateDnsZones/A", "properties": {"aRecords": [{"ipv4Address": "10.0.1.4"}]}}
	]`
	vnet := func(subnets string) string {
		return `{"id": "RG/Microsoft.Network/virtualNetworks/v", "type": "Microsoft.Network/virtualNetworks", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [` + subnets + `]}}`
	}
	nic := func(name, more string) string {
		return `{"id": "RG/Microsoft.Network/networkInterfaces/` + name + `", "type": "Microsoft.Network/networkInterfaces", "properties": {"ipConfigurations": [{"name": "c", "properties": {"privateIPAddress": "10.0.1.5", "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/a"}` + more + `}}]}}`
	}
	part := func(id, properties string) string { return `{"id": "RG/` + id + `", "properties": ` + properties + `}` }
	for name, over := range map[string]string{
		"a VNet with fewer subnets":             vnet(`{"name": "a", "properties": {"addressPrefix": "10.0.1.0/24"}}`),
		"a VNet without subnets":                vnet(``),
		"a VNet that names a subnet":            vnet(`{"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/b", "name": "b"}`),
		"a subnet without its NSG":              part("Microsoft.Network/virtualNetworks/v/subnets/a", `{"addressPrefix": "10.0.1.0/24"}`),
		"a subnet that the VNet names":          part("Microsoft.Network/virtualNetworks/v/subnets/unknown", `{"addressPrefix": "10.0.9.0/24"}`),
		"a subnet that others name":             part("Microsoft.Network/virtualNetworks/v/subnets/new", `{"addressPrefix": "10.0.8.0/24"}`),
		"a subnet without the service endpoint": part("Microsoft.Network/virtualNetworks/v/subnets/b", `{"addressPrefix": "10.0.2.0/24", "routeTable": {"id": "RG/Microsoft.Network/routeTables/t"}}`),
		"a subnet that overlaps":                part("Microsoft.Network/virtualNetworks/v/subnets/new", `{"addressPrefix": "10.0.1.0/25"}`),
		"a subnet outside its VNet":             part("Microsoft.Network/virtualNetworks/v/subnets/new", `{"addressPrefix": "10.9.1.0/25"}`),
		"a subnet of a VNet that is not there":  part("Microsoft.Network/virtualNetworks/w/subnets/c", `{"addressPrefix": "10.1.3.0/24"}`),
		"a subnet of a VNet that nothing names": part("Microsoft.Network/virtualNetworks/y/subnets/c", `{"addressPrefix": "10.1.3.0/24"}`),
		"the VNet of subnets":                   `{"id": "RG/Microsoft.Network/virtualNetworks/w", "type": "Microsoft.Network/virtualNetworks", "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}}`,
		"a peering":                             part("Microsoft.Network/virtualNetworks/v/virtualNetworkPeerings/p", `{"remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/x"}}`),
		"another peering":                       part("Microsoft.Network/virtualNetworks/v/virtualNetworkPeerings/a", `{"remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/x"}}`),
		"a peering of a VNet that is not there": part("Microsoft.Network/virtualNetworks/x/virtualNetworkPeerings/q", `{"remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/w"}}`),
		"a peering of a VNet of subnets":        part("Microsoft.Network/virtualNetworks/w/virtualNetworkPeerings/q", `{"remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/v"}}`),
		"an NSG that is attached to nothing":    `{"id": "RG/Microsoft.Network/networkSecurityGroups/g", "type": "Microsoft.Network/networkSecurityGroups", "properties": {"securityRules": []}}`,
		"a rule":                                part("Microsoft.Network/networkSecurityGroups/g/securityRules/R", `{"priority": 100, "direction": "Inbound", "access": "Deny", "protocol": "*", "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*"}`),
		"a NIC of no machine":                   nic("n", ""),
		"a NIC of another machine":              strings.Replace(nic("o", ""), `"ipConf`, `"virtualMachine": {"id": "RG/Microsoft.Compute/virtualMachines/m"}, "ipConf`, 1),
		"a NIC in pools":                        nic("o", `, "loadBalancerBackendAddressPools": [{"id": "RG/Microsoft.Network/loadBalancers/l/backendAddressPools/one"}], "publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/j"}`),
		"a new NIC":                             nic("new", `, "loadBalancerInboundNatRules": [{"id": "RG/Microsoft.Network/loadBalancers/l/inboundNatRules/ssh"}]`),
		"a NIC that was mentioned":              `{"id": "RG/Microsoft.Network/networkInterfaces/n", "type": "Microsoft.Network/networkInterfaces"}`,
		"a machine without NICs":                `{"id": "RG/Microsoft.Compute/virtualMachines/m", "type": "Microsoft.Compute/virtualMachines", "properties": {}}`,
		"a machine with another NIC":            `{"id": "RG/Microsoft.Compute/virtualMachines/m", "type": "Microsoft.Compute/virtualMachines", "properties": {"networkProfile": {"networkInterfaces": [{"id": "RG/Microsoft.Network/networkInterfaces/o"}]}}}`,
		"a load balancer without pools":         `{"id": "RG/Microsoft.Network/loadBalancers/l", "type": "Microsoft.Network/loadBalancers", "properties": {"frontendIPConfigurations": [{"name": "f", "properties": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/a"}}}]}}`,
		"a pool":                                part("Microsoft.Network/loadBalancers/l/backendAddressPools/two", `{"backendIPConfigurations": [{"id": "RG/Microsoft.Network/networkInterfaces/n/ipConfigurations/c"}]}`),
		"a NAT rule":                            part("Microsoft.Network/loadBalancers/l/inboundNatRules/ssh", `{"frontendIPConfiguration": {"id": "RG/Microsoft.Network/loadBalancers/l/frontendIPConfigurations/f"}, "protocol": "Tcp", "frontendPort": 2222, "backendPort": 22}`),
		"a public address that was in another":  `{"id": "RG/Microsoft.Network/publicIPAddresses/i", "type": "Microsoft.Network/publicIPAddresses", "properties": {"publicIPAllocationMethod": "Static", "ipAddress": "20.0.0.8"}}`,
		"a public address of nothing":           `{"id": "RG/Microsoft.Network/publicIPAddresses/j", "type": "Microsoft.Network/publicIPAddresses", "properties": {"publicIPAllocationMethod": "Static", "ipAddress": "20.0.0.8"}}`,
		"a public address of a NAT gateway":     `{"id": "RG/Microsoft.Network/publicIPAddresses/k", "type": "Microsoft.Network/publicIPAddresses", "properties": {"publicIPAllocationMethod": "Static", "ipAddress": "20.0.0.8"}}`,
		"a NAT gateway":                         `{"id": "RG/Microsoft.Network/natGateways/ng", "type": "Microsoft.Network/natGateways", "properties": {"publicIpAddresses": [{"id": "RG/Microsoft.Network/publicIPAddresses/j"}]}}`,
		"a private endpoint":                    `{"id": "RG/Microsoft.Network/privateEndpoints/e", "type": "Microsoft.Network/privateEndpoints", "properties": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/b"}, "privateLinkServiceConnections": [{"name": "x", "properties": {"privateLinkServiceId": "RG/Microsoft.Sql/servers/s", "groupIds": ["sqlServer"]}}]}}`,
		"the NIC of a private endpoint":         nic("pe", ""),
		"a firewall rule of a server":           part("Microsoft.Sql/servers/s/firewallRules/one", `{"startIpAddress": "20.1.0.1", "endIpAddress": "20.1.0.9"}`),
		"a virtual network rule of a server":    part("Microsoft.Sql/servers/s/virtualNetworkRules/one", `{"virtualNetworkSubnetId": "RG/Microsoft.Network/virtualNetworks/v/subnets/b"}`),
		"a firewall rule in place of another":   part("Microsoft.Sql/servers/s2/firewallRules/One", `{"startIpAddress": "20.1.0.1", "endIpAddress": "20.1.0.1"}`),
		"a firewall rule of IPv6":               part("Microsoft.Sql/servers/s2/ipv6FirewallRules/one", `{"startIpAddress": "2001:db8::1", "endIpAddress": "2001:db8::1"}`),
		"a server":                              `{"id": "RG/Microsoft.Sql/servers/s", "type": "Microsoft.Sql/servers", "properties": {"publicNetworkAccess": "Disabled"}}`,
		"a group with rules for SQL":            part("Microsoft.Network/firewallPolicies/fp/ruleCollectionGroups/rcg", `{"priority": 100, "ruleCollections": [{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100, "action": {"type": "Allow"}, "rules": [{"ruleType": "ApplicationRule", "name": "sql", "sourceAddresses": ["*"], "targetFqdns": ["a.database.windows.net"], "protocols": [{"protocolType": "Mssql", "port": 1433}]}]}]}`),
		"a cluster with another node group":     `{"id": "RG/Microsoft.ContainerService/managedClusters/aks", "type": "Microsoft.ContainerService/managedClusters", "properties": {"nodeResourceGroup": "` + rg[strings.LastIndexByte(rg, '/')+1:] + `"}}`,
		"a node pool":                           part("Microsoft.ContainerService/managedClusters/aks/agentPools/user", `{"count": 9}`),
		"a record":                              part("Microsoft.Network/privateDnsZones/z.example/A/web", `{"aRecords": [{"ipv4Address": "10.0.1.5"}]}`),
		"a link of a zone":                      part("Microsoft.Network/privateDnsZones/z.example/virtualNetworkLinks/v", `{"virtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/v"}}`),
		"a zone":                                `{"id": "RG/Microsoft.Network/privateDnsZones/z.example", "type": "Microsoft.Network/privateDnsZones", "properties": {}}`,
		"a resource that is not modelled":       `{"id": "RG/Microsoft.Network/privateLinkServices/pls", "type": "Microsoft.Network/privateLinkServices", "properties": {"ipConfigurations": [{"properties": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/a"}}}]}}`,
		"a resource that nobody knows":          `{"id": "RG/Microsoft.New/things/x", "type": "Microsoft.New/things", "properties": {"subnet": "RG/Microsoft.Network/virtualNetworks/v/subnets/a"}}`,
		"a part of what is not there":           part("Microsoft.Network/networkSecurityGroups/none/securityRules/R", `{"priority": 100}`),
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{"base.json": {Data: []byte(fill(base))}, "over.json": {Data: []byte(strings.ReplaceAll(fill(over), "RG/", rg+"/providers/"))}}
			sources, snapshot := bothWays(t, fsys, []string{"base.json"}, "over.json")
			compareLaid(t, sources, snapshot)
		})
	}
}
