package azure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
)

// Every resource that is read ends in the ledger, once.
func TestEveryResourceIsInTheLedger(t *testing.T) {
	for _, text := range examples() {
		res := one(t, text)
		seen := map[string]int{}
		for _, e := range res.Ledger {
			if e.Field == "" {
				seen[e.Resource.Key()]++
			}
		}
		for key, n := range seen {
			if n != 1 {
				t.Errorf("%s is in the ledger %d times", key, n)
			}
		}
		objects := 0
		resources, err := azuretest.Resources([]byte(fill(text)))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range resources {
			if o, ok := r.(azuretest.Object); ok && o["location"] != nil {
				objects++
			}
		}
		if len(seen) < objects {
			t.Errorf("%d entries for %d resources of %.60s", len(seen), objects, text)
		}
	}
}

func TestDispositions(t *testing.T) {
	const network = `{"id": "RG/Microsoft.Network/virtualNetworks/v", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [
	  {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}, {"name": "RouteServerSubnet", "properties": {"addressPrefix": "10.0.1.0/24"}}]}},
	 {"id": "RG/Microsoft.KeyVault/vaults/kv", "properties": {}}`
	v, s := id("Microsoft.Network/virtualNetworks/v"), id("Microsoft.Network/virtualNetworks/v/subnets/s")
	for _, test := range []struct {
		text        string
		disposition model.Disposition
		effect      string // how it begins
		affects     []model.ID
	}{
		{`{"id": "RG/Microsoft.Compute/disks/d", "type": "Microsoft.Compute/disks", "properties": {}}`, model.Irrelevant, "storage of machines", nil},
		{`{"id": "RG/Microsoft.Authorization/locks/r", "type": "Microsoft.Authorization/locks"}`, model.Irrelevant, "identity and access", nil},
		{`{"id": "RG/microsoft.insights/metricalerts/m", "type": "microsoft.insights/metricalerts"}`, model.Irrelevant, "observes and alerts", nil},
		{`{"id": "RG/Microsoft.Advisor/recommendations/x", "type": "Microsoft.Advisor/recommendations"}`, model.Irrelevant, "its provider manages", nil},
		{`{"id": "/subscriptions/s/resourceGroups/r", "type": "Microsoft.Resources/resourceGroups"}`, model.Irrelevant, "containers of resources", nil},
		{ // a type that nobody knows affects what it names on the network
			`{"id": "RG/Contoso.Future/things/t", "type": "Contoso.Future/things", "properties": {"subnet": "RG/Microsoft.Network/virtualNetworks/V/subnets/s/x/y", "vault": "RG/Microsoft.KeyVault/vaults/kv"}}`,
			model.Unsupported, "not known to ringfence",
			[]model.ID{id("Contoso.Future/things/t"), s},
		},
		{ // user rules of a network manager may stand in any NSG
			`{"id": "RG/Microsoft.Network/networkManagers/m/securityUserConfigurations/c", "properties": {}}`,
			model.Unsupported, "user rules of a network manager", nil,
		},
		{ // so may rules of a manager that is elsewhere
			`{"id": "/subscriptions/s/providers/Microsoft.Network/networkManagerConnections/c", "properties": {"networkManagerId": "RG/Microsoft.Network/networkManagers/m"}}`,
			model.Unsupported, "puts the subscription under", nil,
		},
		{ // a snapshot says what was deployed and not where
			`{"id": "RG/Microsoft.Network/networkManagers/m/securityAdminConfigurations/c/snapshots/7", "properties": {}}`,
			model.Unsupported, "a snapshot", nil,
		},
		{ // an appliance of a hub changes the routes of the networks that it names
			`{"id": "RG/Microsoft.Network/networkVirtualAppliances/a", "properties": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}}}`,
			model.Unsupported, "a network virtual appliance",
			[]model.ID{id("Microsoft.Network/networkVirtualAppliances/a"), v, s},
		},
		{ // Traffic Manager carries no packet
			`{"id": "RG/Microsoft.Network/trafficManagerProfiles/t", "properties": {"endpoints": [{"properties": {"targetResourceId": "RG/Microsoft.Network/virtualNetworks/v"}}]}}`,
			model.Unsupported, "Traffic Manager answers names",
			[]model.ID{id("Microsoft.Network/trafficManagerProfiles/t")},
		},
		{ // a container environment in a subnet
			`{"id": "RG/Microsoft.App/managedEnvironments/e", "properties": {"vnetConfiguration": {"infrastructureSubnetId": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}}}`,
			model.Unsupported, "runs workloads",
			[]model.ID{id("Microsoft.App/managedEnvironments/e"), s},
		},
		{ // a part whose whole the input lacks
			`{"id": "RG/Microsoft.Network/networkSecurityGroups/n/securityRules/r", "properties": {}}`,
			model.Unsupported, "a part of n, which the input lacks",
			[]model.ID{id("Microsoft.Network/networkSecurityGroups/n")},
		},
	} {
		res := one(t, "["+network+","+test.text+"]")
		var got *model.LedgerEntry
		for i, e := range res.Ledger {
			if strings.Contains(fill(test.text), `"id": "`+string(e.Resource)+`", `) || strings.Contains(fill(test.text), `{"id": "`+string(e.Resource)+`"`) {
				got = &res.Ledger[i]
			}
		}
		if got == nil {
			t.Errorf("%s is not in the ledger", test.text)
			continue
		}
		if got.Disposition != test.disposition || !strings.HasPrefix(got.Effect, test.effect) {
			t.Errorf("%s: got %s, %q; want %s, %q", got.Resource, got.Disposition, got.Effect, test.disposition, test.effect)
		}
		if diff := cmp.Diff(test.affects, got.Affects, facts()); diff != "" {
			t.Errorf("%s affects (-want +got):\n%s", got.Resource, diff)
		}
	}
}

// AZ-GEN-08: what an unsupported object may do to packets. One that nobody knows may do anything.
func TestRoles(t *testing.T) {
	for text, want := range map[string]model.Role{
		`{"id": "RG/Contoso.Future/things/t", "type": "Contoso.Future/things", "properties": {}}`:                                           model.Carries,
		`{"id": "RG/Microsoft.Web/sites/w", "properties": {"virtualNetworkSubnetId": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}}`:  model.Carries,
		`{"id": "RG/Microsoft.ContainerInstance/containerGroups/g", "properties": {}}`:                                                      model.Steers,
		`{"id": "RG/Microsoft.Network/networkManagers/m/routingConfigurations/c", "properties": {}}`:                                        model.Steers,
		`{"id": "RG/Microsoft.Network/dnsResolvers/r", "properties": {"virtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/v"}}}`: model.Resolves,
		`{"id": "RG/Microsoft.Network/networkInterfaces/n", "properties": {"dnsSettings": {"dnsServers": ["10.0.0.9"]}}}`:                   model.Resolves,
		`{"id": "RG/Microsoft.Network/networkInterfaces/n", "properties": {"disableTcpStateTracking": true}}`:                               model.Carries,
	} {
		found := false
		for _, e := range one(t, text).Ledger {
			if e.Disposition == model.Unsupported {
				found = true
				if e.Role != want {
					t.Errorf("%s: got %s, want %s", text, e.Role, want)
				}
			}
		}
		if !found {
			t.Errorf("%s is not in the ledger as unsupported", text)
		}
	}
}

// Settings that could change a verdict and are not modelled are reported when they are on, and not when they are off.
func TestFieldsThatMatter(t *testing.T) {
	for text, want := range map[string]string{
		`{"id": "RG/Microsoft.Network/networkInterfaces/n", "properties": {"disableTcpStateTracking": true, "allowPort25Out": true}}`:                                                               "n properties.disableTcpStateTracking: connections of this NIC",
		`{"id": "RG/Microsoft.Network/networkInterfaces/n", "properties": {"disableTcpStateTracking": false, "dnsSettings": {"dnsServers": []}}}`:                                                   "",
		`{"id": "RG/Microsoft.Network/networkInterfaces/n", "properties": {"dnsSettings": {"dnsServers": ["10.0.0.9"]}}}`:                                                                           "n properties.dnsSettings.dnsServers: this NIC asks DNS servers of its own",
		`{"id": "RG/Microsoft.Network/virtualNetworks/v", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "encryption": {"enabled": true, "enforcement": "DropUnencrypted"}}}`: "v properties.encryption: machines that cannot encrypt",
		`{"id": "RG/Microsoft.Network/loadBalancers/l", "sku": {"name": "Standard", "tier": "Global"}, "properties": {}}`:                                                                           "l sku.tier: a cross-region load balancer",
		`{"id": "RG/Microsoft.Network/firewallPolicies/p", "properties": {"sql": {"allowSqlRedirect": true}}}`:                                                                                      "",
		`[{"id": "RG/Microsoft.Network/firewallPolicies/c", "properties": {"sql": {"allowSqlRedirect": true}, "basePolicy": {"id": "RG/Microsoft.Network/firewallPolicies/p"}}},
		  {"id": "RG/Microsoft.Network/firewallPolicies/p", "properties": {}},
		  {"id": "RG/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "properties": {"priority": 100, "ruleCollections": [{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100,
		   "action": {"type": "Allow"}, "rules": [{"ruleType": "ApplicationRule", "name": "r", "sourceAddresses": ["*"], "targetFqdns": ["a.b"], "protocols": [{"protocolType": "mssql", "port": 1433}]}]}]}}]`: "c properties.sql.allowSqlRedirect: redirected SQL connections",
		`{"id": "RG/Microsoft.Network/bastionHosts/b", "properties": {"networkAcls": {"ipRules": [{"addressPrefix": "10.0.0.0/8"}]}}}`: "b properties.networkAcls: the clients of this Bastion",
		`{"id": "RG/Microsoft.Network/routeTables/r", "properties": {"futureProp": {"x": [null, {}]}}}`:                                "",
		`{"id": "RG/Microsoft.Network/routeTables/r", "properties": {"futureProp": false}}`:                                            "r properties.futureProp: field not known to ringfence",
		`{"id": "RG/Microsoft.Network/routeTables/r", "properties": {}, "zzTop": 1}`:                                                   "r zzTop: field not known to ringfence",
	} {
		bad := ledgerOf(one(t, text), model.Unsupported)
		switch {
		case want == "" && len(bad) > 0:
			t.Errorf("%s: unsupported: %v", text, bad)
		case want != "" && (len(bad) != 1 || !strings.HasPrefix(bad[0], want)):
			t.Errorf("%s: got %v, want %q", text, bad, want)
		}
	}
}

// The table of types: every type stands in one list, every effect says something, and every modelled type has a reader or a parent.
func TestTypes(t *testing.T) {
	seen := map[string]bool{}
	add := func(name string) {
		if seen[strings.ToLower(name)] {
			t.Errorf("%s stands in the table twice", name)
		}
		seen[strings.ToLower(name)] = true
	}
	for _, m := range modelledTypes() {
		add(m.name)
		if (m.read == nil) != m.part {
			t.Errorf("%s: a part has no reader, the rest has one", m.name)
		}
	}
	for _, u := range unsupportedTypes() {
		add(u.name)
		if u.effect == "" || u.disposition != model.Unsupported {
			t.Errorf("%s does not say what it may change", u.name)
		}
	}
	for _, i := range irrelevantTypes() {
		for name := range strings.FieldsSeq(i.names) {
			add(name)
			if !strings.Contains(name, "/") || i.why == "" {
				t.Errorf("%q: no type, or no reason", name)
			}
		}
	}
	table := resourceTypes()
	for _, m := range modelledTypes() {
		if m.part {
			parent := m.name[:strings.LastIndexByte(m.name, '/')]
			if table[strings.ToLower(parent)].read == nil {
				t.Errorf("%s is a part of a type without a reader", m.name)
			}
		}
	}
}
