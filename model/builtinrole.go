package model

import "strings"

// BuiltInRole is a role that Azure provides, by its GUID: everybody has it, and exports of assignments do not bring its definition.
// Listed are those that change networks, clusters or assignments, and those that are given most often beside them. Of a role's entries
// reads are left out, and what has nothing to do with networks and clusters.
//
// Source: learn.microsoft.com, Azure built-in roles.
func BuiltInRole(guid string) (RoleDefinition, bool) {
	permit := func(actions, but, data, notData string) []RolePermission {
		return []RolePermission{{Actions: strings.Fields(actions), NotActions: strings.Fields(but), DataActions: strings.Fields(data), NotDataActions: strings.Fields(notData)}}
	}
	const aks = "Microsoft.ContainerService/managedClusters/"
	role := func(title string, p []RolePermission) (RoleDefinition, bool) {
		return RoleDefinition{Meta: Meta{ID: RoleID(guid), Source: Source{Platform: "built-in role of Azure"}}, Title: title, Permissions: p}, true
	}
	switch strings.ToLower(guid) {
	case "8e3af657-a8ff-443c-a75c-2fe8c4bcb635":
		return role("Owner", permit("*", "", "", ""))
	case "b24988ac-6180-42a0-ab88-20f7382dd24c":
		return role("Contributor", permit("*", "Microsoft.Authorization/*/Delete Microsoft.Authorization/*/Write Microsoft.Authorization/elevateAccess/Action", "", ""))
	case "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9":
		return role("User Access Administrator", permit("*/read Microsoft.Authorization/*", "", "", ""))
	case "f58310d9-a9f6-439a-9e8d-f62e7b41a168":
		return role("Role Based Access Control Administrator", permit("Microsoft.Authorization/roleAssignments/write Microsoft.Authorization/roleAssignments/delete */read", "", "", ""))
	case "4d97b98b-1d4f-4787-a291-c67834d212e7":
		return role("Network Contributor", permit("Microsoft.Network/*", "", "", ""))
	case "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8":
		return role("Azure Kubernetes Service Contributor Role", permit(aks+"read "+aks+"write", "", "", ""))
	case "18ed5180-3e48-46fd-8541-4ea054d57064":
		return role("Azure Kubernetes Service Policy Add-on Deployment", permit(aks+"read "+aks+"write", "", "", ""))
	case "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8":
		return role("Azure Kubernetes Service Cluster Admin Role", permit(aks+"listClusterAdminCredential/action "+aks+"accessProfiles/listCredential/action "+aks+"read "+aks+"runcommand/action", "", "", ""))
	case "4abbcc35-e782-43d8-92c5-2d3f1bd2253f":
		return role("Azure Kubernetes Service Cluster User Role", permit(aks+"listClusterUserCredential/action "+aks+"read", "", "", ""))
	case "1afdec4b-e479-420e-99e7-f82237c7c5e6":
		return role("Azure Kubernetes Service Cluster Monitoring User", permit(aks+"listClusterMonitoringUserCredential/action "+aks+"read", "", "", ""))
	case "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b":
		return role("Azure Kubernetes Service RBAC Cluster Admin", permit("", "", aks+"*", ""))
	case "3498e952-d568-435e-9b2c-8d77e338d7f7":
		return role("Azure Kubernetes Service RBAC Admin", permit("", "", aks+"*", aks+"resourcequotas/write "+aks+"resourcequotas/delete "+aks+"namespaces/write "+aks+"namespaces/delete"))
	case "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb":
		return role("Azure Kubernetes Service RBAC Writer", permit("", "", aks+"extensions/networkpolicies/* "+aks+"networking.k8s.io/networkpolicies/* "+aks+"services/*", ""))
	case "7f6c6a51-bcf8-42ba-9220-52d62157d7db":
		return role("Azure Kubernetes Service RBAC Reader", nil)
	}
	for _, x := range harmlessRoles() {
		if g, title, _ := strings.Cut(x, " "); strings.EqualFold(g, guid) {
			return role(title, nil)
		}
	}
	return RoleDefinition{}, false
}

// harmlessRoles are built-in roles that change neither networks nor clusters nor assignments.
func harmlessRoles() []string {
	return []string{
		"acdd72a7-3385-48ef-bd42-f606fba81ae7 Reader",
		"7f951dda-4ed3-4680-a7ca-43fe172d538d AcrPull",
		"8311e382-0749-4cb8-b61a-304f252e45ec AcrPush",
		"9980e02c-c2be-4d73-94e8-173b1dc7cf3c Virtual Machine Contributor",
		"17d1049b-9a84-46fb-8f53-869881c3d3ab Storage Account Contributor",
		"ba92f5b4-2d11-453d-a403-e96b0029c9fe Storage Blob Data Contributor",
		"b7e6dc6d-f1e8-4753-8033-0f276bb0955b Storage Blob Data Owner",
		"2a2b9908-6ea1-4ae2-8e65-a410df84e7d1 Storage Blob Data Reader",
		"e40ec5ca-96e0-45a2-b4ff-59039f2c2b59 Managed Identity Contributor",
		"f1a07417-d97a-45cb-824c-7a7467783830 Managed Identity Operator",
		"b12aa53e-6015-4669-85d0-8515ebb3ae7f Private DNS Zone Contributor",
		"befefa01-2a29-4197-83a8-272ff33ce314 DNS Zone Contributor",
		"749f88d5-cbae-40b8-bcfc-e573ddc772fa Monitoring Contributor",
		"3913510d-42f4-4e42-8a64-420c390055eb Monitoring Metrics Publisher",
		"43d0d8ad-25c7-4714-9337-8ba259a9fe05 Monitoring Reader",
		"92aaf0da-9dab-42b6-94a3-d43ce8d16293 Log Analytics Contributor",
		"73c42c96-874c-492b-b04d-ab87d138a893 Log Analytics Reader",
		"39bc4728-0917-49c7-9d2c-d95423bc2eb4 Security Reader",
		"00482a5a-887f-4fb3-b363-3b7fe8e74483 Key Vault Administrator",
		"21090545-7ca7-4776-b22c-e363652d74d2 Key Vault Reader",
		"4633458b-17de-408a-b874-0445c86b69e6 Key Vault Secrets User",
		"b86a8fe4-44ce-4948-aee5-eccb2c155cd7 Key Vault Secrets Officer",
		"a4417e6f-fecd-4de8-b567-7b0420556985 Key Vault Certificates Officer",
		"db79e9a7-68ee-4b58-9aeb-b90e7c24fcba Key Vault Certificate User",
		"14b46e9e-c2b7-41b4-b07b-48a6ebf60603 Key Vault Crypto Officer",
		"12338af0-0e69-4776-bea7-57ae8d297424 Key Vault Crypto User",
		"e147488a-f6f5-4113-8e2d-b22465e65bf6 Key Vault Crypto Service Encryption User",
	}
}
