package azure

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ringfence/ringfence/importers/importertest"
	"github.com/ringfence/ringfence/model"
)

// FuzzImport: no bytes make the importer panic, every error has a place, every resource a source, and the same file gives the same
// result twice. For more than the seeds: go test -fuzz FuzzImport -fuzzminimizetime 1x (making an input smaller takes a minute otherwise,
// in which nothing is tried).
func FuzzImport(f *testing.F) {
	for _, text := range examples() {
		f.Add([]byte(fill(text)))
	}
	for _, text := range []string{
		``, `null`, `[null]`, `{}`, `[[]]`, "\xff\xfe[\x00", "\x1f\x8b\x08", "\ufeff{}", // no resources
		`{"id": "/subscriptions/", "type": "/"}`,                                                       // an ID without anything
		`{"id": "/providers/a/b/c/providers/d/e", "properties": {"id": null}}`,                         // an extension
		nsgHead + `null, {}, {"name": 1}, {"properties": null}, {"properties": {"priority": 1e99}}]}}`, // null where an object belongs
		nsgHead + rule(`"22"`, `"0-99999999999999999999"`) + `]}}`,                                     // a port that is none
		nsgHead + rule(`10.0.0.0/8`, `::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff`) + `]}}`,             // every address as a range
		`{"id": "/subscriptions/s/providers/Microsoft.Network/virtualNetworks/v", "properties": {"subnets": [{}, {"id": 1}, {"name": ""}], "addressSpace": {"addressPrefixes": [""]}}}`,
		`{"id": "/subscriptions/s/providers/Microsoft.Network/firewallPolicies/p/ruleCollectionGroups/g", "ruleCollections": [{"rules": [{}]}, {"ruleCollectionType": "x"}, null]}`,
		`{"id": "/subscriptions/s/providers/Microsoft.Compute/virtualMachineScaleSets/s", "virtualMachineProfile": {"networkProfile": {"networkInterfaceConfigurations": [{}, {"ipConfigurations": [{}]}]}}}`,
		`{"id": "/subscriptions/s/providers/Microsoft.ContainerService/managedClusters/c", "agentPoolProfiles": [{}, {"name": "a"}, {"name": "a"}]}`,
		`{"value": [{"id": "/subscriptions/s/providers/Microsoft.Sql/servers/s/firewallRules/r"}], "nextLink": "x"}`,
		fill(effectiveRoutesOfNIC), fill(effectiveRulesOfNIC), `[{"addressPrefix": null, "nextHopType": ""}, null]`, // effective state, and rows that say nothing
		`{"value": [{"effectiveSecurityRules": [{}, null, {"priority": 1e99}], "association": {"subnet": {"id": 1}}}]}`,
		`{"id": "/subscriptions/s/providers/Microsoft.Storage/storageAccounts/s", "primaryEndpoints": {"blob": ["::", "http://["]}}`,
		`{"id": "/subscriptions/s/providers/Microsoft.Network/virtualHubs/h/bgpConnections/b", "properties": null}`,                   // a part without its hub
		`{"id": "/subscriptions/s/providers/Microsoft.Network/virtualHubs/h/ipConfigurations/c", "properties": {"subnet": {}}}`,       // a Route Server without a subnet
		`{"id": "/subscriptions/s/providers/Microsoft.Network/virtualHubs/h/hubRouteTables/t", "properties": {"routes": [{}, null]}}`, // routes without anything
		`{"id": "/subscriptions/s/providers/Microsoft.Network/virtualHubs/h/routingIntent/i", "properties": {"routingPolicies": [{"destinations": [""]}]}}`,
		`{"id": "/subscriptions/s/providers/Microsoft.Network/vpnGateways/g", "properties": {"connections": [{}, {"properties": {"vpnLinkConnections": [{}]}}], "natRules": [{}]}}`,
		`{"id": "/subscriptions/s/providers/Microsoft.Network/serviceEndpointPolicies/p", "properties": {"serviceEndpointPolicyDefinitions": [{}, {"properties": {"serviceResources": ["", "/", 1]}}]}}`,
		`[{"id": "/subscriptions/s/providers/Microsoft.Network/networkSecurityPerimeters/n/profiles/p/accessRules/r", "properties": {"direction": "Inbound", "addressPrefixes": [null, "::"], "subscriptions": [{}]}}, {"id": "/subscriptions/s/providers/Microsoft.Network/networkSecurityPerimeters/n/resourceAssociations/a", "properties": {"profile": []}}]`, // a perimeter of nothing
		`{"operation": 1, "virtualNetwork": {}, "networkManager": [], "regions": [null, 1], "value": [null, {}]}`,                                     // an envelope of nothing
		`{"value": [{"deploymentType": null, "deploymentStatus": {}, "configurationIds": [null, {}]}, {"deploymentType": 1, "deploymentStatus": 1}]}`, // rows of nothing
		`[{"id": "subscriptions/s/providers/Microsoft.Network/networkManagers/m/securityAdminConfigurations/c/ruleCollections/r/rules/x", "region": {}, "properties": {"sources": [{}, {"addressPrefixType": "NetworkGroup", "addressPrefix": "x"}]}}]`,
		`[{"id": "/subscriptions/s/providers/Microsoft.Network/networkManagers/m/securityAdminConfigurations/c/ruleCollections/r/rules/x"}, {"id": "/subscriptions/s/providers/Microsoft.Network/networkManagers/m/networkGroups/g/staticMembers/x"}]`,
		`{"id": "/providers/Microsoft.Network/networkGroupMemberships/default", "properties": {"GroupMemberships": [{}]}}`,
		`{"id": "/providers/Microsoft.Network/effectiveSecurityAdminRules/default", "properties": ["/securityAdminConfigurations/"]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		Recognise(data)
		fsys := fstest.MapFS{"a.json": {Data: data}}
		res, err := Import(fsys, []string{"a.json"})
		again, err2 := Import(fsys, []string{"a.json"})
		if err != nil {
			importertest.Errors(t, err)
			if err2 == nil || err.Error() != err2.Error() {
				t.Errorf("two runs, two errors:\n%v\n%v", err, err2)
			}
			return
		}
		if len(res.Resources) != len(again.Resources) || len(res.Ledger) != len(again.Ledger) {
			t.Error("two runs, two results")
		}
		for _, r := range res.Resources {
			if r.Origin().File == "" || r.ResourceID() == "" {
				t.Errorf("%T without a source or an ID: %+v", r, r.Origin())
			}
		}
		for _, e := range res.Ledger {
			if e.Source.File == "" || e.Disposition != model.Modelled && e.Effect == "" {
				t.Errorf("an entry that says nothing: %+v", e)
			}
		}
		if _, err := model.NewEstate(res.Resources, res.Ledger); err != nil {
			importertest.Errors(t, err)
		}
	})
}

// FuzzServiceTags: no bytes make the reader panic, and every error has a place.
func FuzzServiceTags(f *testing.F) {
	for _, text := range []string{
		tagsExample, ``, `null`, `{"values": null}`, `{"values": [null]}`, `{"changeNumber": 1e9, "values": [{"name": "A", "properties": 1}]}`,
		`{"changeNumber": 1, "values": [{"name": "A", "properties": {"addressPrefixes": [null, {}, "::/0"]}}]}`, strings.Repeat(`{"values":`, 200),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ServiceTags(fstest.MapFS{"t.json": {Data: data}}, "t.json")
		if err != nil {
			importertest.Errors(t, err)
			return
		}
		for _, tag := range got.Tags {
			if tag.Name == "" {
				t.Error("a tag without a name")
			}
		}
	})
}
