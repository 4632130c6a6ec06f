package azure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/importertest"
	"github.com/ringfence/ringfence/model"
)

const managerExample = `[
{"id": "RG/Microsoft.Network/networkManagers/nm", "name": "nm", "type": "Microsoft.Network/networkManagers", "location": "westeurope", "etag": "W/\"1\"",
 "properties": {"description": "all", "networkManagerScopes": {"managementGroups": ["/providers/Microsoft.Management/managementGroups/root"],
   "subscriptions": ["/subscriptions/00000000-0000-0000-0000-000000000001"]}, "networkManagerScopeAccesses": ["SecurityAdmin", "connectivity"],
   "provisioningState": "Succeeded", "resourceGuid": "1"}},
{"id": "RG/Microsoft.Network/networkManagers/nm/networkGroups/app", "name": "app", "type": "Microsoft.Network/networkManagers/networkGroups", "location": "westeurope",
 "properties": {"description": "", "memberType": "VirtualNetwork", "provisioningState": "Succeeded", "resourceGuid": "2"}},
{"id": "RG/Microsoft.Network/networkManagers/nm/networkGroups/app/staticMembers/v1", "name": "v1", "type": "Microsoft.Network/networkManagers/networkGroups/staticMembers", "location": "westeurope",
 "properties": {"resourceId": "RG/Microsoft.Network/virtualNetworks/v1", "region": "westeurope", "provisioningState": "Succeeded"}},
{"id": "RG/Microsoft.Network/networkManagers/nm/connectivityConfigurations/hub", "name": "hub", "type": "Microsoft.Network/networkManagers/connectivityConfigurations", "location": "westeurope",
 "properties": {"connectivityTopology": "HubAndSpoke", "hubs": [{"resourceId": "RG/Microsoft.Network/virtualNetworks/hub", "resourceType": "Microsoft.Network/virtualNetworks"}],
   "isGlobal": "False", "deleteExistingPeering": "True", "connectivityCapabilities": {"connectedGroupAddressOverlap": "Allowed", "connectedGroupPrivateEndpointsScale": "Standard", "peeringEnforcement": "Unenforced"},
   "appliesToGroups": [{"networkGroupId": "RG/Microsoft.Network/networkManagers/nm/networkGroups/app", "groupConnectivity": "DirectlyConnected", "isGlobal": "True", "useHubGateway": "False"}]}},
{"id": "RG/Microsoft.Network/networkManagers/nm/securityAdminConfigurations/sec", "name": "sec", "type": "Microsoft.Network/networkManagers/securityAdminConfigurations", "location": "westeurope",
 "properties": {"applyOnNetworkIntentPolicyBasedServices": ["AllowRulesOnly"], "networkGroupAddressSpaceAggregationOption": "None"}},
{"id": "RG/Microsoft.Network/networkManagers/nm/securityAdminConfigurations/sec/ruleCollections/base", "name": "base", "type": "Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections", "location": "westeurope",
 "properties": {"appliesToGroups": [{"networkGroupId": "RG/Microsoft.Network/networkManagers/nm/networkGroups/app"}]}},
{"id": "RG/Microsoft.Network/networkManagers/nm/securityAdminConfigurations/sec/ruleCollections/base/rules/DenySSH", "name": "DenySSH", "location": "westeurope",
 "type": "Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections/rules", "kind": "Custom",
 "properties": {"description": "no ssh", "protocol": "Tcp", "access": "Deny", "direction": "Inbound", "priority": 20, "sourcePortRanges": ["0-65535"], "destinationPortRanges": ["22"],
   "sources": [{"addressPrefix": "Internet", "addressPrefixType": "ServiceTag"}, {"addressPrefix": "10.0.0.0/8", "addressPrefixType": "IPPrefix"}],
   "destinations": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}], "provisioningState": "Succeeded", "resourceGuid": "3"}},
{"id": "RG/Microsoft.Network/networkManagers/nm/securityAdminConfigurations/sec/ruleCollections/base/rules/Flagged", "name": "Flagged", "location": "westeurope",
 "type": "Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections/rules", "kind": "Default",
 "properties": {"flag": "AllowVnetInbound", "protocol": "Any", "access": "AlwaysAllow", "direction": "Inbound", "priority": 10, "sources": [], "provisioningState": "Succeeded"}}
]`

// The outputs of list operations, as REST prints them, in their envelopes.
const (
	listedRule = `{"id": "RG/Microsoft.Network/networkManagers/nm/securityAdminConfigurations/sec/ruleCollections/base/rules/DenySSH",
	 "configurationDescription": "", "ruleCollectionDescription": "",
	 "ruleCollectionAppliesToGroups": [{"networkGroupId": "RG/Microsoft.Network/networkManagers/nm/networkGroups/app"}],
	 "ruleGroups": [{"id": "RG/Microsoft.Network/networkManagers/nm/networkGroups/app", "properties": {"memberType": "VirtualNetwork", "provisioningState": "Succeeded"}}],
	 "kind": "Custom", "properties": {"protocol": "Tcp", "access": "Deny", "direction": "Inbound", "priority": 20, "destinationPortRanges": ["22"], "sourcePortRanges": [], "provisioningState": "Succeeded"}}`
	effectiveExample = `{"virtualNetwork": "RG/Microsoft.Network/virtualNetworks/v1", "skipToken": "", "value": [` + listedRule + `]}`
)

var (
	activeRule     = strings.Replace(listedRule, `"kind"`, `"region": "West Europe", "commitTime": "2026-01-01T10:00:00Z", "kind"`, 1)
	activeExample  = `{"value": [` + activeRule + `]}`
	statusExample  = `{"value": [{"commitTime": "2026-01-01T10:00:00Z", "configurationIds": ["RG/Microsoft.Network/networkManagers/nm/securityAdminConfigurations/sec"], "deploymentStatus": "Deployed", "deploymentType": "SecurityAdmin", "errorMessage": "", "region": "westeurope"}]}`
	managerID      = id("Microsoft.Network/networkManagers/nm")
	configID1      = managerID + "/securityAdminConfigurations/sec"
	collectionID   = configID1 + "/ruleCollections/base"
	everyPort      = []model.PortRange{model.AllPorts}
	anywhere       = model.AddressMatch{Any: true}
	listedDenySSH  = denySSH(anywhere, "", "*")
	appliesToGroup = []model.ID{managerID + "/networkGroups/app"}
)

func denySSH(from model.AddressMatch, description, sports string) model.AdminRule {
	return model.AdminRule{
		ID: collectionID + "/rules/DenySSH", SecurityRule: model.SecurityRule{
			Name: "DenySSH", Priority: 20, Direction: model.Inbound, Access: model.Deny, Protocol: model.TCP, Description: description,
			SourceAddrs: from, DestAddrs: anywhere, SourcePorts: everyPort, DestPorts: []model.PortRange{{First: 22, Last: 22}},
			SourcePortText: []string{sports}, DestPortText: []string{"22"}, ProvisioningState: "Succeeded",
		},
	}
}

// Every resource of a network manager, in every shape (AZ-AVNM-04, AZ-AVNM-05, AZ-AVNM-08, AZ-AVNM-11, AZ-AVNM-15).
func TestNetworkManager(t *testing.T) {
	here := func(rest string) model.Meta { return meta("Microsoft.Network/networkManagers/nm" + rest) }
	vnet := func(name string) model.ID { return id("Microsoft.Network/virtualNetworks/" + name) }
	shapes(
		t, managerExample,
		&model.NetworkManager{
			Meta: here(""), Subscriptions: []model.ID{"/subscriptions/00000000-0000-0000-0000-000000000001"},
			ManagementGroups: []model.ID{"/providers/Microsoft.Management/managementGroups/root"}, Accesses: []string{"Connectivity", "SecurityAdmin"},
		},
		&model.ConnectivityConfiguration{Meta: here("/connectivityConfigurations/hub"), Manager: managerID, Facts: model.Connectivity{
			Topology: "HubAndSpoke", Hubs: []model.ConnectivityHub{{Resource: vnet("hub"), Type: "Microsoft.Network/virtualNetworks"}},
			Groups: []model.ConnectivityGroup{{Group: managerID + "/networkGroups/app", Direct: model.On, Global: model.On, UseHubGateway: model.Off}},
			Global: model.Off, AddressOverlap: "Allowed", DeletesPeerings: model.On, EnforcesPeerings: "Unenforced",
		}},
		&model.NetworkGroup{
			Meta: here("/networkGroups/app"), Manager: managerID, MemberType: "VirtualNetwork",
			Members: []model.GroupMember{{Name: "v1", Resource: vnet("v1")}},
		},
		&model.SecurityAdminConfiguration{Meta: here("/securityAdminConfigurations/sec"), Manager: managerID, IntentPolicy: model.IntentAllowRulesOnly},
		&model.AdminRuleCollection{
			Meta: here("/securityAdminConfigurations/sec/ruleCollections/base"), Configuration: configID1, Groups: appliesToGroup,
			Rules: []model.AdminRule{
				{
					ID: collectionID + "/rules/Flagged", Flag: "AllowVnetInbound", SecurityRule: model.SecurityRule{
						Name: "Flagged", Priority: 10, Access: model.AlwaysAllow, Protocol: model.AnyProtocol, SourceAddrs: anywhere, DestAddrs: anywhere,
						SourcePorts: everyPort, DestPorts: everyPort, SourcePortText: []string{"*"}, DestPortText: []string{"*"}, ProvisioningState: "Succeeded",
					},
				},
				denySSH(model.AddressMatch{Tags: []string{"Internet"}, Prefixes: prefixList2("10.0.0.0/8")}, "no ssh", "0-65535"),
			},
		},
	)
}

// What list operations print, with and without an envelope (AZ-AVNM-14).
func TestListOperations(t *testing.T) {
	listed := listedDenySSH
	listed.Groups = appliesToGroup
	vnet := id("Microsoft.Network/virtualNetworks/v1")
	effective := &model.EffectiveAdminRules{Meta: model.Meta{ID: vnet + "/effectiveSecurityAdminRules/default"}, VNet: vnet, Rules: []model.AdminRule{listed}}
	active := &model.ActiveAdminRules{Meta: model.Meta{ID: managerID + "/activeSecurityAdminRules/westeurope"}, Manager: managerID, Region: "westeurope", Rules: []model.AdminRule{listed}}
	status := &model.DeploymentStatus{
		Meta:    model.Meta{ID: managerID + "/deployments/SecurityAdmin-westeurope", Location: "westeurope"},
		Manager: managerID, Region: "westeurope", Kind: "SecurityAdmin", State: "Deployed", Configurations: []model.ID{configID1},
	}
	committed, unclear := *status, *status
	committed.State, unclear.State = "Committed", "Unclear"
	connectivity := `{"id": "RG/Microsoft.Network/networkManagers/nm/connectivityConfigurations/mesh", "configurationGroups": [], "properties": {"connectivityTopology": "Mesh", "isGlobal": "True",
	 "appliesToGroups": [{"networkGroupId": "RG/Microsoft.Network/networkManagers/nm/networkGroups/app", "groupConnectivity": "None"}]}}`
	applied := []model.AppliedConnectivity{{ID: managerID + "/connectivityConfigurations/mesh", Facts: model.Connectivity{
		Topology: "Mesh", Global: model.On, Groups: []model.ConnectivityGroup{{Group: managerID + "/networkGroups/app", Direct: model.Off}},
	}}}
	none := func(r model.Resource) model.Resource {
		switch r := r.(type) {
		case *model.EffectiveAdminRules:
			x := *r
			x.Rules = nil
			return &x
		case *model.ActiveAdminRules:
			x := *r
			x.Rules = nil
			return &x
		default:
			return r
		}
	}
	cut := *effective
	cut.Cut = true
	flat := strings.NewReplacer(`"properties": {"protocol"`, `"protocol"`, `"provisioningState": "Succeeded"}}`, `"provisioningState": "Succeeded"}`)
	envelope := func(rows string) string {
		return `{"virtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/v1"}, "value": [` + rows + `]}`
	}
	last := strings.LastIndex(listedRule, `"properties"`)
	azRule := listedRule[:last] + flat.Replace(listedRule[last:])
	for _, test := range []struct {
		name, text string
		want       []model.Resource
	}{
		{"effective rules of a VNet", effectiveExample, []model.Resource{effective}},
		{"the same as az prints them", envelope(azRule), []model.Resource{effective}},
		{"the same row twice", envelope(listedRule + "," + listedRule), []model.Resource{effective}},
		{"none in force", `{"operation": "listNetworkManagerEffectiveSecurityAdminRules", "virtualNetwork": "RG/Microsoft.Network/virtualNetworks/v1", "value": []}`, []model.Resource{none(effective)}},
		{"a list that goes on", strings.Replace(effectiveExample, `"skipToken": ""`, `"skipToken": "x"`, 1), []model.Resource{&cut}},
		{"active rules of a region", activeExample, []model.Resource{active}},
		{"a bare list of active rules", `[` + activeRule + `]`, []model.Resource{active}},
		{"none is active", `{"operation": "listActiveSecurityAdminRules", "networkManager": "RG/Microsoft.Network/networkManagers/nm", "regions": ["West Europe"], "value": []}`, []model.Resource{none(active)}},
		{"envelopes in a list", `[` + effectiveExample + `,` + activeExample + `]`, []model.Resource{active, effective}},
		{"deployment status", statusExample, []model.Resource{status}},
		{"two rows that contradict each other", `{"value": [` + statusExample[len(`{"value": [`):len(statusExample)-2] + `, {"configurationIds": [], "deploymentStatus": "Deployed", "deploymentType": "SecurityAdmin", "region": "westeurope"}]}`, []model.Resource{&unclear}},
		{"a commit in a template", `{"id": "RG/Microsoft.Network/networkManagers/nm/commits/c", "properties": {"commitType": "SecurityAdmin", "targetLocations": ["West Europe"],
		 "configurationIds": ["RG/Microsoft.Network/networkManagers/nm/securityAdminConfigurations/sec"]}}`, []model.Resource{&committed}},
		{"effective connectivity", envelope(connectivity), []model.Resource{&model.EffectiveConnectivity{
			Meta: model.Meta{ID: vnet + "/effectiveConnectivityConfigurations/default"}, VNet: vnet, Configurations: applied,
		}}},
		{"active connectivity", `{"value": [` + strings.Replace(connectivity, `"properties"`, `"region": "westeurope", "properties"`, 1) + `]}`, []model.Resource{&model.ActiveConnectivity{
			Meta: model.Meta{ID: managerID + "/activeConnectivityConfigurations/westeurope"}, Manager: managerID, Region: "westeurope", Configurations: applied,
		}}},
		{"members as Resource Graph records them", `{"id": "RG/Microsoft.Network/virtualNetworks/v1/providers/Microsoft.Network/networkGroupMemberships/default", "type": "microsoft.network/networkgroupmemberships",
		 "properties": {"GroupMemberships": [{"NetworkGroupId": "RG/Microsoft.Network/networkManagers/nm/networkGroups/app", "SourceIds": ["/a"]}]}}`, []model.Resource{&model.GroupMembership{
			Meta: model.Meta{ID: vnet + "/providers/Microsoft.Network/networkGroupMemberships/default"}, VNet: vnet, Groups: appliesToGroup,
		}}},
		{"a snapshot of Resource Graph says that something is in force", `{"id": "RG/Microsoft.Network/virtualNetworks/v1/providers/Microsoft.Network/effectiveSecurityAdminRules/default",
		 "properties": {"EffectiveSecurityAdminConfigurations": [{"Id": "RG/Microsoft.Network/networkManagers/nm/securityAdminConfigurations/sec/snapshots/7"}]}}`, []model.Resource{
			&model.EffectiveAdminRules{Meta: effective.Meta, VNet: vnet, Cut: true},
		}},
		{"and gives way to the list", `[` + effectiveExample + `, {"id": "RG/Microsoft.Network/virtualNetworks/v1/providers/Microsoft.Network/effectiveSecurityAdminRules/default",
		 "properties": {"EffectiveSecurityAdminConfigurations": [{"Id": "RG/Microsoft.Network/networkManagers/nm/securityAdminConfigurations/sec/snapshots/7"}]}}]`, []model.Resource{effective}},
		{"a rule without its collection", `{"id": "RG/Microsoft.Network/networkManagers/nm/securityAdminConfigurations/sec/ruleCollections/base/rules/DenySSH", "kind": "custom",
		 "properties": {"protocol": "*", "access": "deny", "direction": "inbound", "priority": 20, "destinationPortRanges": ["22"], "provisioningState": "Succeeded"}}`, []model.Resource{&model.AdminRuleCollection{
			Meta: model.Meta{ID: collectionID}, Configuration: configID1, Partial: true, Rules: []model.AdminRule{func() model.AdminRule {
				r := listedDenySSH
				r.Protocol = model.AnyProtocol
				return r
			}()},
		}}},
		{"a member without its group", `{"id": "RG/Microsoft.Network/networkManagers/nm/networkGroups/app/staticMembers/v1", "properties": {"resourceId": "RG/Microsoft.Network/virtualNetworks/v1"}}`, []model.Resource{&model.NetworkGroup{
			Meta: model.Meta{ID: managerID + "/networkGroups/app"}, Manager: managerID, ByPolicy: true, Members: []model.GroupMember{{Name: "v1", Resource: vnet}},
		}}},
		{"a manager that is listed without its properties", `{"id": "RG/Microsoft.Network/networkManagers/nm", "type": "Microsoft.Network/networkManagers"}`, []model.Resource{&model.NetworkManager{Meta: model.Meta{ID: managerID}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !Recognise([]byte(fill(test.text))) {
				t.Error("not recognised")
			}
			res := one(t, test.text)
			if diff := cmp.Diff(test.want, res.Resources, facts()); diff != "" {
				t.Errorf("model (-want +got):\n%s", diff)
			}
			for _, r := range res.Resources {
				if r.Origin().IsZero() {
					t.Errorf("%s has no source", r.ResourceID())
				}
			}
			if got := ledgerOf(res, model.Unsupported); got != nil {
				t.Errorf("unsupported: %v", got)
			}
			if _, err := model.NewEstate(res.Resources, res.Ledger); err != nil {
				t.Error(err)
			}
		})
	}
}

// AZ-AVNM-15: a policy with the effect addToNetworkGroup fills the group that it names, and any group when it does not say which.
func TestGroupsByPolicy(t *testing.T) {
	groups := `{"id": "RG/Microsoft.Network/networkManagers/nm/networkGroups/a", "properties": {}}, {"id": "RG/Microsoft.Network/networkManagers/nm/networkGroups/b", "properties": {}}`
	policy := func(group string) string {
		return `{"id": "/subscriptions/s/providers/Microsoft.Authorization/policyDefinitions/p", "properties": {"mode": "Microsoft.Network.Data", "policyRule": {"if": {"field": "name", "contains": "v"},
		 "then": {"effect": "addToNetworkGroup", "details": {"networkGroupId": "` + group + `"}}}}}`
	}
	for _, test := range []struct{ name, policy, want string }{
		{"none", `{"id": "/subscriptions/s/providers/Microsoft.Authorization/policyDefinitions/p", "properties": {"policyRule": {"then": {"effect": "audit"}}}}`, ""},
		{"by name", policy("RG/Microsoft.Network/networkManagers/NM/networkGroups/b"), "b"},
		{"by a parameter", policy("[parameters('group')]"), "a b"},
	} {
		var got []string
		for _, r := range one(t, `[`+groups+`,`+test.policy+`]`).Resources {
			if g, ok := r.(*model.NetworkGroup); ok && g.ByPolicy {
				got = append(got, g.Name())
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: got %v, want %s", test.name, got, test.want)
		}
	}
}

// What is wrong with the output of a list operation is said with what to add.
func TestBadListOperations(t *testing.T) {
	const ask = ", want the VNet that was asked, as `\"virtualNetwork\": \"/subscriptions/…\"` beside `value`: the rows do not name it"
	row := strings.ReplaceAll(listedRule, "\n", " ")
	for _, test := range []struct{ name, text, want string }{
		{"effective rules without their VNet", `{"value": [` + row + `]}`, "a.json:1: virtualNetwork: found `nothing`" + ask},
		{"a bare list of effective rules", `[` + row + `]`, "a.json:1: virtualNetwork: found `nothing`" + ask},
		{"an empty list", `{"virtualNetwork": "RG/Microsoft.Network/virtualNetworks/v1", "value": []}`, "a.json:1: operation: found `nothing`, want " + operationNames + ": a list without such rows does not say what it lists"},
		{"an empty list of nobody", `{"operation": "listActiveSecurityAdminRules", "value": []}`, "a.json:1: networkManager: found `nothing`, want who was asked, as `\"virtualNetwork\"`, or `\"networkManager\"` and `\"regions\"`, beside `value`: an empty list does not say it"},
		{"an operation that is none", `{"operation": "list", "networkManager": "RG/Microsoft.Network/networkManagers/nm", "value": []}`, "a.json:1: operation: found `\"list\"`, want " + operationNames},
		{"the wrong operation", `{"operation": "listDeploymentStatus", "virtualNetwork": "RG/Microsoft.Network/virtualNetworks/v1", "value": [` + row + `]}`, "a.json:1: operation: found `\"listDeploymentStatus\"`, want the operation that lists such rows"},
		{"a VNet that is none", `{"virtualNetwork": "RG/Microsoft.Network/networkManagers/nm", "value": [` + row + `]}`, "a.json:1: virtualNetwork: found `" + `"` + string(managerID) + `"` + "`, want the ID of a resource of type Microsoft.Network/virtualNetworks"},
		{"rows of two operations", `[` + row + `, {"deploymentType": "SecurityAdmin", "deploymentStatus": "Deployed"}]`, "a.json:1: virtualNetwork: found `nothing`" + ask + "\na.json:1: found `an object`, want a row of the same list operation as the rows before"},
		{"a status that names nobody", `{"value": [{"deploymentType": "SecurityAdmin", "deploymentStatus": "Deployed", "region": "westeurope", "configurationIds": []}]}`, "a.json:1: networkManager: found `nothing`, want the network manager that was asked, as `\"networkManager\": \"/subscriptions/…\"` beside `value`: the rows do not name it"},
		{"access", `{"virtualNetwork": "RG/Microsoft.Network/virtualNetworks/v1", "value": [` + strings.Replace(row, `"Deny"`, `"Never"`, 1) + `]}`, "a.json:1: v1/default: value[0].properties.access: found `Never`, want one of Allow, AlwaysAllow, Deny"},
		{"priority", `{"virtualNetwork": "RG/Microsoft.Network/virtualNetworks/v1", "value": [` + strings.Replace(row, `: 20`, `: 4097`, 1) + `]}`, "a.json:1: v1/default: value[0].properties.priority: found `4097`, want a priority from 1 to 4096"},
		{"port", `{"virtualNetwork": "RG/Microsoft.Network/virtualNetworks/v1", "value": [` + strings.Replace(row, `"22"`, `"65536"`, 1) + `]}`, "a.json:1: v1/default: value[0].properties.destinationPortRanges[0]: found `65536`, want a port from 0 to 65535, a range such as 8000-8100, or *"},
		{"a null row", `{"virtualNetwork": "RG/Microsoft.Network/virtualNetworks/v1", "value": [` + row + `, null]}`, "a.json:1: found `null`, want an Azure resource: an object with `id` and `type`"},
		{"regions that are no list", `{"operation": "listActiveSecurityAdminRules", "networkManager": "RG/Microsoft.Network/networkManagers/nm", "regions": "westeurope", "value": []}`, "a.json:1: regions: found `\"westeurope\"`, want a list of regions such as westeurope"},
		{"a rule that is a reference", `{"id": "RG/Microsoft.Network/networkManagers/nm/securityAdminConfigurations/sec/ruleCollections/base/rules/r"}`, "a.json:1: nm/sec/base/r: properties: found `nothing`, want the rule: a reference alone describes none"},
		{"a member of nothing", `{"id": "RG/Microsoft.Network/networkManagers/nm/networkGroups/app/staticMembers/v1", "properties": {}}`, "a.json:1: nm/app/v1: properties.resourceId: found `nothing`, want the ID of a virtual network or subnet"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := files(t, map[string]string{"a.json": test.text})
			if err == nil {
				t.Fatalf("no error; want %s", test.want)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			importertest.Errors(t, err)
		})
	}
}

// What a rule says and nobody understands leaves it with what the rest says (AZ-GEN-01).
func TestUnknownAdminRules(t *testing.T) {
	for _, test := range []struct{ name, old, text, want string }{
		{"protocol", `"Tcp"`, `"Gre"`, "protocol Gre"},
		{"kind", `"Custom"`, `"Inherited"`, "kind Inherited"},
		{"field", `"priority": 20`, `"priority": 20, "somethingNew": 1`, "field somethingNew"},
		{"network group as source", `"priority": 20`, `"priority": 20, "sources": [{"addressPrefix": "RG/Microsoft.Network/networkManagers/nm/networkGroups/app", "addressPrefixType": "NetworkGroup"}]`, "network group as source"},
		{"kind of address", `"priority": 20`, `"priority": 20, "sources": [{"addressPrefix": "x", "addressPrefixType": "Planet"}]`, "addressPrefixType Planet"},
	} {
		res := one(t, strings.Replace(effectiveExample, test.old, test.text, 1))
		rules := res.Resources[0].(*model.EffectiveAdminRules).Rules
		if len(rules) != 1 || rules[0].UnknownMatch != test.want {
			t.Errorf("%s: got %+v, want %s", test.name, rules, test.want)
		}
	}
}
