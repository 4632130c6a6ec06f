package model

// NetworkManager is an Azure Virtual Network Manager. Its scope says which VNets its configurations may reach (AZ-AVNM-07).
type NetworkManager struct {
	Meta
	Subscriptions    []ID     // scope: /subscriptions/ID
	ManagementGroups []ID     // scope: /providers/Microsoft.Management/managementGroups/NAME
	Accesses         []string // features that it may deploy, as read: SecurityAdmin, Connectivity, Routing, SecurityUser
}

// NetworkGroup is a network group of a manager; its ID's parent is the manager.
type NetworkGroup struct {
	Meta
	Manager    ID
	MemberType string // as read: VirtualNetwork, Subnet; empty means VirtualNetwork
	Members    []GroupMember
	ByPolicy   bool // a policy in the input fills it, so that it may have members beside the static ones (AZ-AVNM-15)
}

// GroupMember is a static member of a network group, a VNet or a subnet.
type GroupMember struct {
	Name     string
	Source   Source
	Resource ID
}

// IntentPolicyMode is what a security admin configuration does at VNets that hold services with network intent policies, as SQL Managed
// Instance and Azure Databricks do (applyOnNetworkIntentPolicyBasedServices, AZ-AVNM-08). The service's default is to skip such VNets.
type IntentPolicyMode uint8

const (
	IntentNotStated IntentPolicyMode = iota // left out or empty, which means None
	IntentNone
	IntentAllowRulesOnly
	IntentAll
)

func (m IntentPolicyMode) String() string {
	return [...]string{"not stated", "None", "AllowRulesOnly", "All"}[m]
}

// GroupMembership is the network groups of a VNet as Azure records them, by static membership and by policy. Its ID is
// VNET/providers/Microsoft.Network/networkGroupMemberships/default.
type GroupMembership struct {
	Meta
	VNet   ID
	Groups []ID // sorted
}

// SecurityAdminConfiguration is a security admin configuration of a manager; its ID's parent is the manager. It is intent until it is
// deployed (AZ-AVNM-06, AZ-AVNM-14).
type SecurityAdminConfiguration struct {
	Meta
	Manager      ID
	IntentPolicy IntentPolicyMode
}

// AdminRuleCollection is a rule collection of a security admin configuration, with the rules that the input has of it.
type AdminRuleCollection struct {
	Meta
	Configuration ID
	Groups        []ID        // network groups that it applies to
	Rules         []AdminRule // sorted by direction, then priority, then ID
	Partial       bool        // the collection itself was not in the input; it stands here because a rule names it, and its groups are not known
}

// AdminRule is a security admin rule (AZ-AVNM-05). Its Access may be AlwaysAllow; it has no ASGs. Its priority is 1 to 4096 and unique in
// its collection only (AZ-AVNM-04).
type AdminRule struct {
	SecurityRule
	ID           ID     // of the rule: MANAGER/securityAdminConfigurations/C/ruleCollections/R/rules/NAME
	Flag         string // of a rule with kind Default, as read
	SourceGroups []ID   // network groups as source: the address space of their members
	DestGroups   []ID
	Groups       []ID // network groups that its collection applies to, where a list operation says so
}

// Collection is the rule collection of the rule.
func (r *AdminRule) Collection() ID { return r.ID.Parent() }

// Configuration is the security admin configuration of the rule.
func (r *AdminRule) Configuration() ID { return r.ID.Parent().Parent() }

// Manager is the network manager of the rule.
func (r *AdminRule) Manager() ID { return r.ID.Parent().Parent().Parent() }

// EffectiveAdminRules are the security admin rules in force at one VNet, as listNetworkManagerEffectiveSecurityAdminRules prints them
// (AZ-AVNM-14 a). Their ID is made of the VNet's: VNET/effectiveSecurityAdminRules/default.
type EffectiveAdminRules struct {
	Meta
	VNet  ID
	Rules []AdminRule // sorted by direction, then priority, then ID; empty: none is in force
	Cut   bool        // the list goes on in a page that the input lacks, or names rules that it does not print
}

// ActiveAdminRules are the active security admin rules of a manager in one region, as listActiveSecurityAdminRules prints them
// (AZ-AVNM-14 b). Their ID is made: MANAGER/activeSecurityAdminRules/REGION. A region without a rule has one only when the input says
// that it was asked for.
type ActiveAdminRules struct {
	Meta
	Manager ID
	Region  string      // westeurope
	Rules   []AdminRule // sorted by direction, then priority, then ID
	Cut     bool        // the list goes on in a page that the input lacks
}

// ConnectivityConfiguration is a connectivity configuration of a manager (AZ-AVNM-11); its ID's parent is the manager. It is intent
// until it is deployed.
type ConnectivityConfiguration struct {
	Meta
	Manager ID
	Facts   Connectivity
}

// Connectivity is what a connectivity configuration says.
type Connectivity struct {
	Topology         string // as read: HubAndSpoke, Mesh
	Hubs             []ConnectivityHub
	Groups           []ConnectivityGroup
	Global           Setting // isGlobal: members of other regions are joined too
	AddressOverlap   string  // connectedGroupAddressOverlap as read: Allowed, Disallowed, or empty
	DeletesPeerings  Setting // deleteExistingPeering
	EnforcesPeerings string  // peeringEnforcement as read
}

// ConnectivityHub is the hub of a hub-and-spoke configuration.
type ConnectivityHub struct {
	Resource ID
	Type     string
}

// ConnectivityGroup is a network group of a connectivity configuration.
type ConnectivityGroup struct {
	Group         ID
	Direct        Setting // groupConnectivity: Yes for DirectlyConnected, No for None
	Global        Setting
	UseHubGateway Setting
}

// AppliedConnectivity is a connectivity configuration that Azure reports as applied.
type AppliedConnectivity struct {
	ID     ID // of the configuration
	Source Source
	Facts  Connectivity
}

// EffectiveConnectivity are the connectivity configurations in force at one VNet, as listNetworkManagerEffectiveConnectivityConfigurations
// prints them. Their ID is made: VNET/effectiveConnectivityConfigurations/default.
type EffectiveConnectivity struct {
	Meta
	VNet           ID
	Configurations []AppliedConnectivity // sorted by ID
	Cut            bool
}

// ActiveConnectivity are the active connectivity configurations of a manager in one region, as listActiveConnectivityConfigurations
// prints them. Their ID is made: MANAGER/activeConnectivityConfigurations/REGION.
type ActiveConnectivity struct {
	Meta
	Manager        ID
	Region         string
	Configurations []AppliedConnectivity // sorted by ID
	Cut            bool
}

// DeploymentStatus is what a manager last deployed of one kind in one region (AZ-AVNM-14 c). Its ID is made:
// MANAGER/deployments/KIND-REGION. A commit that stands in the input beside the rules is one too, with State `Committed`.
type DeploymentStatus struct {
	Meta
	Manager        ID
	Region         string
	Kind           string // as read: SecurityAdmin, Connectivity
	State          string // as read: NotStarted, Deploying, Deployed, Failed; Committed for a commit; Unclear where rows of the list contradict each other
	Configurations []ID   // sorted; empty: nothing of this kind is deployed in the region
}
