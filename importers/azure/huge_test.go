package azure

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ringfence/ringfence/model"
)

// Long lists take time in proportion to their length. Allocations are counted for it, which do not depend on what else the machine does.
func TestHugeLists(t *testing.T) {
	list := func(n int, format string) string {
		var out []string
		for i := range n {
			out = append(out, strings.NewReplacer("#a", fmt.Sprint(i/250), "#b", fmt.Sprint(i%250+4), "#", fmt.Sprint(i)).Replace(format))
		}
		return strings.Join(out, ",\n")
	}
	for name, text := range map[string]func(n int) string{
		"subnets of a VNet": func(n int) string {
			return `{"id": "RG/Microsoft.Network/virtualNetworks/v", "properties": {"addressSpace": {"addressPrefixes": ["fd00::/16"]}, "subnets": [` +
				list(n, `{"name": "s#", "properties": {"addressPrefix": "fd00:0:#a:#b::/64"}}`) + `]}}`
		},
		"subnets beside a VNet": func(n int) string {
			return `[{"id": "RG/Microsoft.Network/virtualNetworks/v", "properties": {"addressSpace": {"addressPrefixes": ["fd00::/16"]}}},` +
				list(n, `{"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s#", "properties": {"addressPrefix": "fd00:0:#a:#b::/64"}}`) + `]`
		},
		"peerings of a VNet": func(n int) string {
			return `{"id": "RG/Microsoft.Network/virtualNetworks/v", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}, "virtualNetworkPeerings": [` +
				list(n, `{"name": "p#", "properties": {"remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/v#"}}}`) + `]}}`
		},
		"prefixes of a rule": func(n int) string {
			return nsgHead + rule(`"sourceAddressPrefix": "10.0.0.0/8"`, `"sourceAddressPrefixes": [`+list(n, `"10.9.#a.#b"`)+`]`, `"destinationPortRange": "22"`,
				`"destinationPortRanges": [`+list(n, `"#"`)+`]`) + `]}}`
		},
		"routes of a table": func(n int) string {
			return `{"id": "RG/Microsoft.Network/routeTables/r", "properties": {"routes": [` +
				list(n, `{"name": "r#", "properties": {"addressPrefix": "10.9.#a.#b/32", "nextHopType": "None"}}`) + `]}}`
		},
		"members of a pool": func(n int) string {
			return `[{"id": "RG/Microsoft.Network/loadBalancers/l", "properties": {"backendAddressPools": [{"name": "p", "properties": {}}]}},` +
				list(n, `{"id": "RG/Microsoft.Network/networkInterfaces/n#", "properties": {"ipConfigurations": [{"name": "c", "properties": {"privateIPAddress": "10.9.#a.#b",
				 "loadBalancerBackendAddressPools": [{"id": "RG/Microsoft.Network/loadBalancers/l/backendAddressPools/p"}]}}]}}`) + `]`
		},
		"members that a pool names": func(n int) string {
			return `[{"id": "RG/Microsoft.Network/loadBalancers/l", "properties": {"backendAddressPools": [{"name": "p", "properties": {"backendIPConfigurations": [` +
				list(n, `{"id": "RG/Microsoft.Network/networkInterfaces/n#/ipConfigurations/c"}`) + `]}}]}},` +
				list(n, `{"id": "RG/Microsoft.Network/networkInterfaces/n#", "properties": {"ipConfigurations": [{"name": "c", "properties": {"privateIPAddress": "10.9.#a.#b"}}]}}`) + `]`
		},
		"interfaces of a machine": func(n int) string {
			return `[{"id": "RG/Microsoft.Compute/virtualMachines/vm", "properties": {"networkProfile": {"networkInterfaces": [` +
				list(n, `{"id": "RG/Microsoft.Network/networkInterfaces/n#"}`) + `]}}},` +
				list(n, `{"id": "RG/Microsoft.Network/networkInterfaces/n#", "properties": {"virtualMachine": {"id": "RG/Microsoft.Compute/virtualMachines/vm"}}}`) + `]`
		},
		"addresses of a NAT gateway": func(n int) string {
			return `[{"id": "RG/Microsoft.Network/natGateways/g", "properties": {}},` +
				list(n, `{"id": "RG/Microsoft.Network/publicIPAddresses/p#", "properties": {"natGateway": {"id": "RG/Microsoft.Network/natGateways/g"}}}`) + `]`
		},
		"interfaces of an endpoint": func(n int) string {
			return `[{"id": "RG/Microsoft.Network/privateEndpoints/e", "properties": {"privateLinkServiceConnections": []}},` +
				list(n, `{"id": "RG/Microsoft.Network/networkInterfaces/n#", "properties": {"privateEndpoint": {"id": "RG/Microsoft.Network/privateEndpoints/e"},
				 "ipConfigurations": [{"name": "c", "properties": {"privateIPAddress": "10.9.#a.#b"}}]}}`) + `]`
		},
		"records of a zone": func(n int) string {
			return `[{"id": "RG/Microsoft.Network/privateDnsZones/z.example", "properties": {}},` +
				list(n, `{"id": "RG/Microsoft.Network/privateDnsZones/z.example/A/r#", "properties": {"aRecords": [{"ipv4Address": "10.9.#a.#b"}]}}`) + `]`
		},
		"firewall rules of a server": func(n int) string {
			return `[{"id": "RG/Microsoft.Sql/servers/s", "properties": {}},` +
				list(n, `{"id": "RG/Microsoft.Sql/servers/s/firewallRules/r#", "properties": {"startIpAddress": "10.9.#a.#b", "endIpAddress": "10.9.#a.#b"}}`) + `]`
		},
		"members of an object": func(n int) string {
			return `{"id": "RG/Microsoft.Network/routeTables/r", "properties": {}, "tags": {` + list(n, `"t#": ""`) + `}}`
		},
		"unknown members": func(n int) string {
			return `{"id": "RG/Microsoft.Network/routeTables/r", "properties": {` + list(n, `"t#": 1`) + `}}`
		},
		"attachments": func(n int) string {
			return `{"id": "RG/Microsoft.Network/networkSecurityGroups/n", "properties": {"subnets": [` + list(n, `{"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s#"}`) + `]}}`
		},
	} {
		t.Run(name, func(t *testing.T) {
			allocated := func(n int) uint64 {
				fsys := fstest.MapFS{"a.json": {Data: []byte(fill(text(n)))}}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				start := time.Now()
				res, err := Import(fsys, []string{"a.json"})
				if err != nil {
					t.Fatalf("%.300v", err)
				}
				if _, err := model.NewEstate(res.Resources, res.Ledger); err != nil {
					t.Fatalf("%.300v", err)
				}
				if took := time.Since(start); took > 20*time.Second {
					t.Errorf("%d take %v", n, took)
				}
				runtime.ReadMemStats(&after)
				return after.Mallocs - before.Mallocs
			}
			// The square of the length would be sixteen times as much.
			allocated(1)
			if few, many := allocated(1000), allocated(4000); many > 8*few {
				t.Errorf("1000 take %d allocations, 4000 take %d", few, many)
			}
		})
	}
}
