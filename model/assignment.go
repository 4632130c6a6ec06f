package model

// PolicyAssignment puts an Azure Policy definition, or an initiative, in force at a scope. It filters no packet: it says what may be
// deployed.
type PolicyAssignment struct {
	Meta
	Definition  ID     // of the policy or initiative
	Scope       ID     // management group, subscription, resource group or resource
	NotScopes   []ID   // left out of it
	Enforcement string // Default, DoNotEnforce; empty is Default
	Effect      string // parameter `effect` as read; empty where the assignment sets none
}

// PolicyExemption takes a scope out of an assignment.
type PolicyExemption struct {
	Meta
	Assignment ID
	Scope      ID
	Expires    string // timestamp as read; empty: never
}

// PolicyDefinitionRule is a policy definition of the estate's own, with what its rule tests; built-in ones are known by their ID.
type PolicyDefinitionRule struct {
	Meta
	Fields []string // aliases that the rule tests, sorted: Microsoft.ContainerService/managedClusters/apiServerAccessProfile.enablePrivateCluster
	Effect string   // of the rule, or the default of the parameter that it names; empty where neither is stated
}

// PolicySet is an initiative: a set of policy definitions.
type PolicySet struct {
	Meta
	Members []PolicySetMember
}

// PolicySetMember is a definition in an initiative.
type PolicySetMember struct {
	Definition ID
	Effect     string // parameter `effect` as the member sets it; a parameter of the set shows as [parameters('…')]
}
