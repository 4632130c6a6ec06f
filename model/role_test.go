package model

import "testing"

// Operations match without case; `*` stands for any text, slashes included, and exceptions take from their own entry alone.
func TestRolePermits(t *testing.T) {
	for _, test := range []struct {
		actions, but, operation string
		want                    bool
	}{
		{"*", "", "Microsoft.Network/routeTables/write", true},
		{"Microsoft.Network/*", "", "microsoft.network/routetables/routes/write", true},
		{"Microsoft.Network/*/read", "", "Microsoft.Network/routeTables/write", false},
		{"*/read", "", "Microsoft.Network/routeTables/read", true},
		{"Microsoft.Network/*/write", "", "Microsoft.Network/routeTables/routes/write", true},
		{"Microsoft.Network/*/routes/*", "", "Microsoft.Network/routeTables/routes/delete", true},
		{"Microsoft.Network/routeTables/write", "", "Microsoft.Network/routeTables/routes/write", false},
		{"*", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/roleAssignments/write", false},
		{"*", "Microsoft.Network/networkSecurityGroups/*", "Microsoft.Network/networkSecurityGroups/securityRules/write", false},
		{"", "", "Microsoft.Network/routeTables/write", false},
	} {
		p := RolePermission{Actions: []string{test.actions}, NotActions: []string{test.but}}
		if got := p.Permits(test.operation, false); got != test.want {
			t.Errorf("%s but %s permits %s: got %v, want %v", test.actions, test.but, test.operation, got, test.want)
		}
		if p.Permits(test.operation, true) {
			t.Errorf("%s permits %s in the data plane", test.actions, test.operation)
		}
	}
}

// What each built-in role that matters permits (learn.microsoft.com, Azure built-in roles).
func TestBuiltInRoles(t *testing.T) {
	const aks = "Microsoft.ContainerService/managedClusters/"
	for guid, test := range map[string]struct {
		title             string
		yes, no, data, ro string // operations of the management plane, then of the data plane
	}{
		"8E3AF657-A8FF-443C-A75C-2FE8C4BCB635": {"Owner", "Microsoft.Authorization/roleAssignments/write", "", "", aks + "services/write"},
		"b24988ac-6180-42a0-ab88-20f7382dd24c": {"Contributor", "Microsoft.Network/routeTables/write", "Microsoft.Authorization/roleAssignments/write", "", ""},
		"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": {"User Access Administrator", "Microsoft.Authorization/roleAssignments/write", "Microsoft.Network/routeTables/write", "", ""},
		"4d97b98b-1d4f-4787-a291-c67834d212e7": {"Network Contributor", "Microsoft.Network/azureFirewalls/delete", aks + "write", "", ""},
		"ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8": {"Azure Kubernetes Service Contributor Role", aks + "write", "Microsoft.Network/routeTables/write", "", ""},
		"3498e952-d568-435e-9b2c-8d77e338d7f7": {"Azure Kubernetes Service RBAC Admin", "", aks + "write", aks + "networking.k8s.io/networkpolicies/write", aks + "namespaces/write"},
		"a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb": {"Azure Kubernetes Service RBAC Writer", "", "", aks + "services/delete", aks + "namespaces/write"},
		"acdd72a7-3385-48ef-bd42-f606fba81ae7": {"Reader", "", "Microsoft.Network/routeTables/write", "", ""},
	} {
		r, ok := BuiltInRole(guid)
		if !ok || r.Title != test.title || r.ID != RoleID(guid) {
			t.Errorf("%s: got %s %s", guid, r.Title, r.ID)
		}
		permits := func(operation string, data bool) bool {
			for _, p := range r.Permissions {
				if p.Permits(operation, data) {
					return true
				}
			}
			return false
		}
		if test.yes != "" && !permits(test.yes, false) || test.no != "" && permits(test.no, false) || test.data != "" && !permits(test.data, true) || test.ro != "" && permits(test.ro, true) {
			t.Errorf("%s permits %v", r.Title, r.Permissions)
		}
	}
	if _, ok := BuiltInRole("00000000-0000-0000-0000-000000000000"); ok {
		t.Error("an unknown role is built in")
	}
}
