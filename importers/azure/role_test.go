package azure

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringfence/ringfence/model"
)

// Who may change what: assignments at a group, a subscription and the root, one with a condition; a role of one's own.
const roleExample = `[
 {"id": "RG/Microsoft.Authorization/roleAssignments/11111111-0000-0000-0000-000000000001", "name": "11111111-0000-0000-0000-000000000001", "type": "Microsoft.Authorization/roleAssignments",
  "properties": {"principalId": "00000000-0000-0000-0000-00000000000A", "principalType": "Group", "roleDefinitionId": "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/B24988AC-6180-42a0-ab88-20f7382dd24c",
   "scope": "/subscriptions/s/resourceGroups/rg", "condition": null, "conditionVersion": null, "createdOn": "2026-01-19T08:30:00Z", "updatedOn": "2026-01-19T08:30:00Z",
   "createdBy": "00000000-0000-0000-0000-0000000000ff", "updatedBy": "00000000-0000-0000-0000-0000000000ff", "delegatedManagedIdentityResourceId": null, "description": "network"}},
 {"id": "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/11111111-0000-0000-0000-000000000002", "type": "Microsoft.Authorization/roleAssignments",
  "properties": {"principalId": "00000000-0000-0000-0000-00000000000b", "principalType": "ServicePrincipal", "roleDefinitionId": "/providers/Microsoft.Authorization/RoleDefinitions/22222222-0000-0000-0000-000000000001",
   "condition": "@Resource[x] StringEquals 'y'", "conditionVersion": "2.0"}},
 {"id": "/providers/Microsoft.Authorization/roleAssignments/11111111-0000-0000-0000-000000000003", "type": "Microsoft.Authorization/roleAssignments",
  "properties": {"principalId": "00000000-0000-0000-0000-00000000000c", "principalType": "User", "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "scope": "/"}},
 {"id": "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/22222222-0000-0000-0000-000000000001", "type": "Microsoft.Authorization/roleDefinitions",
  "properties": {"roleName": "NSG editor", "type": "CustomRole", "description": "edits rules", "assignableScopes": ["/subscriptions/s"], "createdOn": null,
   "permissions": [{"actions": ["Microsoft.Network/networkSecurityGroups/*", "*/read"], "notActions": ["Microsoft.Network/networkSecurityGroups/delete"], "dataActions": [], "notDataActions": []}]}}]`

// Which logs go where, and how long they are kept.
const logExample = `[
 {"id": "RG/microsoft.keyvault/vaults/kv-logs/providers/microsoft.insights/diagnosticSettings/logs", "name": "logs", "type": "Microsoft.Insights/diagnosticSettings", "location": null, "kind": null, "identity": null,
  "properties": {"workspaceId": "RG/microsoft.operationalinsights/workspaces/law-logs", "storageAccountId": "RG/Microsoft.Storage/storageAccounts/stlogs", "serviceBusRuleId": null, "marketplacePartnerId": null,
   "eventHubAuthorizationRuleId": "RG/Microsoft.EventHub/namespaces/eh/authorizationrules/RootManageSharedAccessKey", "eventHubName": "logs", "logAnalyticsDestinationType": "Dedicated",
   "metrics": [{"category": "AllMetrics", "enabled": true, "retentionPolicy": {"days": 0, "enabled": false}}],
   "logs": [{"category": null, "categoryGroup": "audit", "enabled": true, "retentionPolicy": {"days": 30, "enabled": true}},
    {"category": "AuditEvent", "categoryGroup": null, "enabled": true, "retentionPolicy": {"days": 90, "enabled": false}}, {"category": "AzurePolicyEvaluationDetails", "enabled": false}]}},
 {"id": "subscriptions/s/providers/microsoft.insights/diagnosticSettings/activity", "name": "activity", "type": "Microsoft.Insights/diagnosticSettings",
  "properties": {"workspaceId": "RG/Microsoft.OperationalInsights/workspaces/law-logs", "logs": [{"category": "Administrative", "enabled": true}]}},
 {"id": "RG/Microsoft.Network/networkWatchers/nw/flowLogs/f", "name": "f", "type": "Microsoft.Network/networkWatchers/flowLogs", "location": "westeurope",
  "properties": {"targetResourceId": "RG/Microsoft.Network/virtualNetworks/v", "targetResourceGuid": "x", "storageId": "RG/Microsoft.Storage/storageAccounts/stlogs", "enabled": true,
   "retentionPolicy": {"days": 400, "enabled": true}, "format": {"type": "JSON", "version": 2}, "provisioningState": "Succeeded", "enabledFilteringCriteria": "", "recordTypes": "",
   "flowAnalyticsConfiguration": {"networkWatcherFlowAnalyticsConfiguration": {"enabled": true, "workspaceId": "x", "workspaceRegion": "westeurope", "workspaceResourceId": "RG/Microsoft.OperationalInsights/workspaces/law-logs", "trafficAnalyticsInterval": 10}}}},
 {"id": "RG/Microsoft.OperationalInsights/workspaces/law-logs", "type": "Microsoft.OperationalInsights/workspaces", "location": "westeurope", "properties": {"sku": {"name": "pergb2018"}, "retentionInDays": 90}},
 {"id": "RG/Microsoft.OperationalInsights/workspaces/law-logs/tables/AZKVAuditLogs", "name": "AZKVAuditLogs", "type": "Microsoft.OperationalInsights/workspaces/tables",
  "properties": {"totalRetentionInDays": 400, "archiveRetentionInDays": 310, "retentionInDays": 90, "plan": "Analytics", "schema": {"name": "AZKVAuditLogs"}, "provisioningState": "Succeeded"}},
 {"id": "RG/Microsoft.OperationalInsights/workspaces/law-logs/tables/Orders_CL", "name": "Orders_CL", "type": "Microsoft.OperationalInsights/workspaces/tables", "properties": {"totalRetentionInDays": 30}},
 {"id": "RG/Microsoft.Storage/storageAccounts/stlogs", "type": "Microsoft.Storage/storageAccounts", "location": "westeurope", "properties": {"publicNetworkAccess": "Disabled"}},
 {"id": "RG/Microsoft.Storage/storageAccounts/stlogs/managementPolicies/default", "name": "DefaultManagementPolicy", "type": "Microsoft.Storage/storageAccounts/managementPolicies",
  "properties": {"lastModifiedTime": "2026-01-19T08:30:00Z", "policy": {"rules": [
   {"enabled": true, "name": "short", "type": "Lifecycle", "definition": {"actions": {"baseBlob": {"tierToCool": {"daysAfterModificationGreaterThan": 10.0}, "delete": {"daysAfterModificationGreaterThan": 90.0}}, "snapshot": {"delete": {"daysAfterCreationGreaterThan": 9.0}}},
     "filters": {"blobTypes": ["blockBlob", "appendBlob"], "prefixMatch": ["insights-logs-azurefirewall/resourceId=", "pictures"]}}},
   {"enabled": true, "name": "pictures", "type": "Lifecycle", "definition": {"actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 1}}}, "filters": {"blobTypes": ["blockBlob"], "prefixMatch": ["pictures/"]}}},
   {"enabled": false, "name": "off", "type": "Lifecycle", "definition": {"actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 1}}}}},
   {"name": "unread", "type": "Lifecycle", "definition": {"actions": {"baseBlob": {"delete": {"daysAfterLastAccessTimeGreaterThan": 500}}}}},
   {"name": "old", "type": "Lifecycle", "definition": {"actions": {"baseBlob": {"delete": {"daysAfterCreationGreaterThan": 800}}}}}]}}}]`

func TestRoleAssignments(t *testing.T) {
	const sub = "/subscriptions/s"
	want := []model.Resource{
		&model.RoleAssignment{Principal: "00000000-0000-0000-0000-00000000000c", PrincipalType: "User", Role: model.RoleID("8e3af657-a8ff-443c-a75c-2fe8c4bcb635"), Scope: "/"},
		&model.RoleAssignment{Principal: "00000000-0000-0000-0000-00000000000a", PrincipalType: "Group", Role: model.RoleID("b24988ac-6180-42a0-ab88-20f7382dd24c"), Scope: sub + "/resourceGroups/rg"},
		&model.RoleAssignment{Principal: "00000000-0000-0000-0000-00000000000b", PrincipalType: "ServicePrincipal", Role: model.RoleID("22222222-0000-0000-0000-000000000001"), Scope: sub, Condition: "@Resource[x] StringEquals 'y'"},
		&model.RoleDefinition{Title: "NSG editor", Permissions: []model.RolePermission{{Actions: []string{"*/read", "Microsoft.Network/networkSecurityGroups/*"}, NotActions: []string{"Microsoft.Network/networkSecurityGroups/delete"}}}},
	}
	got := understood(t, roleExample)
	for _, r := range got { // the group's name is that of the test
		if a, ok := r.(*model.RoleAssignment); ok && a.Scope.ResourceGroup() != "" {
			a.Scope = model.ID(sub + "/resourceGroups/rg")
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(model.Meta{}), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// understood gives the resources of an estate, and fails where something is not understood.
func understood(t *testing.T, text string) []model.Resource {
	t.Helper()
	res := one(t, text)
	for _, l := range res.Ledger {
		if l.Disposition == model.Unsupported {
			t.Errorf("not understood: %s %s: %s", l.Resource, l.Field, l.Effect)
		}
	}
	e, err := model.NewEstate(res.Resources, res.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	return e.Resources()
}

func TestLogs(t *testing.T) {
	var got []any
	for _, r := range understood(t, logExample) {
		switch r := r.(type) {
		case *model.Service:
			got = append(got, r.Retention, r.Tables, r.Lifecycles)
		default:
			got = append(got, r)
		}
	}
	law, st := id("Microsoft.OperationalInsights/workspaces/law-logs"), id("Microsoft.Storage/storageAccounts/stlogs")
	want := []any{
		&model.DiagnosticSetting{
			Target: id("Microsoft.KeyVault/vaults/kv-logs"), Workspace: law, Storage: st, EventHub: id("Microsoft.EventHub/namespaces/eh/authorizationrules/RootManageSharedAccessKey"), Dedicated: true,
			Logs: []model.LogCategory{{Group: "audit", Enabled: true, Keep: 30}, {Category: "AuditEvent", Enabled: true}, {Category: "AzurePolicyEvaluationDetails"}},
		},
		&model.FlowLog{Target: id("Microsoft.Network/virtualNetworks/v"), Enabled: true, Storage: st, Workspace: law, Keep: 400},
		90,
		[]model.LogTable{{Name: "azkvauditlogs", Days: 400}},
		[]model.Lifecycle(nil),
		0, []model.LogTable(nil),
		[]model.Lifecycle{
			{Name: "old", Days: 800},
			{Name: "short", Days: 90, Containers: []string{"insights-logs-azurefirewall"}, BlobTypes: []string{"appendBlob", "blockBlob"}},
			{Name: "unread", Days: 500},
		},
		&model.DiagnosticSetting{Target: "/subscriptions/s", Workspace: law, Logs: []model.LogCategory{{Category: "Administrative", Enabled: true}}},
	}
	same := cmp.Comparer(func(a, b model.ID) bool { return a.Is(b) })
	if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(model.Meta{}, model.Source{}), same); diff != "" {
		t.Error(diff)
	}
}

// What is not accepted is reported with its place.
func TestBadRolesAndLogs(t *testing.T) {
	for text, want := range map[string]string{
		`{"id": "RG/Microsoft.Authorization/roleAssignments/a", "properties": {"roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/x"}}`:                                      "properties.principalId: found `nothing`, want the object ID",
		`{"id": "RG/Microsoft.Authorization/roleAssignments/a", "properties": {"principalId": "p"}}`:                                                                                              "properties.roleDefinitionId: found `nothing`, want the ID of a role definition",
		`{"id": "RG/Microsoft.Authorization/roleAssignments/a", "properties": {"principalId": "p", "roleDefinitionId": "RG/Microsoft.Network/virtualNetworks/v"}}`:                                "want the ID of a role definition: ",
		`{"id": "RG/Microsoft.Authorization/roleAssignments/a", "properties": {"principalId": "p", "scope": "here", "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/x"}}`: "properties.scope: found `here`, want a scope",
		`{"id": "RG/Microsoft.Authorization/roleDefinitions/d", "properties": {"roleName": "x"}}`:                                                                                                 "properties.permissions: found `nothing`",
		`{"id": "/providers/microsoft.insights/diagnosticSettings/x", "properties": {}}`:                                                                                                          "want the ID of a diagnostic setting",
		`{"id": "RG/Microsoft.KeyVault/vaults/kv-logs/providers/microsoft.insights/diagnosticSettings/x", "properties": {"logs": [{"enabled": true}]}}`:                                           "properties.logs[0].category: found `nothing`",
		`{"id": "RG/Microsoft.KeyVault/vaults/kv-logs/providers/microsoft.insights/diagnosticSettings/x", "properties": {"workspaceId": "law"}}`:                                                  "properties.workspaceId: found `law`, want a resource ID",
		`{"id": "RG/Microsoft.Network/networkWatchers/nw/flowLogs/f", "properties": {"enabled": true}}`:                                                                                           "properties.targetResourceId: found `nothing`",
		`[{"id": "RG/Microsoft.Storage/storageAccounts/s", "properties": {}}, {"id": "RG/Microsoft.Storage/storageAccounts/s/managementPolicies/default", "properties": {"policy": {"rules": [{"name": "r", "definition": {"actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": "soon"}}}}}]}}}]`: "found `soon`, want a number of days",
	} {
		_, err := Import(fstest.MapFS{"a.json": {Data: []byte(fill(text))}}, []string{"a.json"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
