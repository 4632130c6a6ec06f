package azure

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringfence/ringfence/model"
)

// What Azure Policy says of deployments is read with its scope, effect and members.
func TestPolicies(t *testing.T) {
	const sub = "/subscriptions/s"
	const builtIn = "/providers/Microsoft.Authorization/policyDefinitions/040732e8-d947-40b8-95d6-854c95024bf8"
	res := one(t, `[
	 {"id": "`+sub+`/providers/Microsoft.Authorization/policyAssignments/private", "properties": {"policyDefinitionId": "`+builtIn+`", "scope": "`+sub+`", "notScopes": ["`+sub+`/resourceGroups/lab"],
	  "enforcementMode": "DoNotEnforce", "parameters": {"effect": {"value": "Deny"}}}},
	 {"id": "`+sub+`/resourceGroups/rg/providers/Microsoft.Authorization/policyAssignments/plain", "properties": {"policyDefinitionId": "`+sub+`/providers/Microsoft.Authorization/policySetDefinitions/set"}},
	 {"id": "`+sub+`/resourceGroups/rg/providers/Microsoft.Authorization/policyExemptions/x", "properties": {"policyAssignmentId": "`+sub+`/providers/Microsoft.Authorization/policyAssignments/private", "expiresOn": "2026-12-31T00:00:00Z"}},
	 {"id": "`+sub+`/providers/Microsoft.Authorization/policyDefinitions/own", "properties": {"parameters": {"effect": {"defaultValue": "Deny"}}, "policyRule": {"if": {"allOf": [{"field": "type", "equals": "x"},
	  {"field": "Microsoft.ContainerService/managedClusters/apiServerAccessProfile.enablePrivateCluster", "notEquals": "true"}]}, "then": {"effect": "[parameters('effect')]"}}}},
	 {"id": "`+sub+`/providers/Microsoft.Authorization/policySetDefinitions/set", "properties": {"policyDefinitions": [{"policyDefinitionId": "`+builtIn+`", "parameters": {"effect": {"value": "Audit"}}}]}}]`)
	want := []model.Resource{
		&model.PolicyAssignment{Definition: builtIn, Scope: sub, NotScopes: []model.ID{sub + "/resourceGroups/lab"}, Enforcement: "DoNotEnforce", Effect: "Deny"},
		&model.PolicyDefinitionRule{Fields: []string{"Microsoft.ContainerService/managedClusters/apiServerAccessProfile.enablePrivateCluster", "type"}, Effect: "Deny"},
		&model.PolicySet{Members: []model.PolicySetMember{{Definition: builtIn, Effect: "Audit"}}},
		&model.PolicyAssignment{Definition: sub + "/providers/Microsoft.Authorization/policySetDefinitions/set", Scope: sub + "/resourceGroups/rg"},
		&model.PolicyExemption{Assignment: sub + "/providers/Microsoft.Authorization/policyAssignments/private", Scope: sub + "/resourceGroups/rg", Expires: "2026-12-31T00:00:00Z"},
	}
	e, err := model.NewEstate(res.Resources, res.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	got := e.Resources()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(model.Meta{})); diff != "" {
		t.Error(diff)
	}
}

// `az policy assignment list` and its like print properties at the top.
func TestPoliciesLifted(t *testing.T) {
	const sub = "/subscriptions/s"
	res := one(t, `[
	 {"id": "`+sub+`/providers/Microsoft.Authorization/policyAssignments/a", "type": "Microsoft.Authorization/policyAssignments", "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/d",
	  "scope": "`+sub+`", "enforcementMode": "Default", "parameters": {"effect": {"value": "Deny"}}},
	 {"id": "`+sub+`/providers/Microsoft.Authorization/policyExemptions/x", "type": "Microsoft.Authorization/policyExemptions", "policyAssignmentId": "`+sub+`/providers/Microsoft.Authorization/policyAssignments/a"},
	 {"id": "`+sub+`/providers/Microsoft.Authorization/policySetDefinitions/s", "type": "Microsoft.Authorization/policySetDefinitions", "policyDefinitions": [{"policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/d"}]}]`)
	e, err := model.NewEstate(res.Resources, res.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Assignments) != 1 || e.Assignments[0].Effect != "Deny" || len(e.Exemptions) != 1 || len(e.Initiatives) != 1 || len(e.Initiatives[0].Members) != 1 {
		t.Errorf("got %v, %v, %v", e.Assignments, e.Exemptions, e.Initiatives)
	}
}
