package model

// Resource is one of the resource types of this package. The list is closed, so that a switch can be checked for completeness.
//
//sumtype:decl
type Resource interface {
	ResourceID() ID
	Origin() Source // where it was read; never zero
	resource()
}

// Meta is what every resource has.
type Meta struct {
	ID       ID
	Source   Source
	Location string            // region as read, `westeurope`; empty when not stated
	Tags     map[string]string // resource tags; values are shown, never interpreted
}

// ResourceID returns the ID as read.
func (m *Meta) ResourceID() ID { return m.ID }

// Origin returns where the resource was read.
func (m *Meta) Origin() Source { return m.Source }

// Name is the last part of the ID.
func (m *Meta) Name() string { return m.ID.Name() }

// The closed list of resource types.

func (*VNet) resource()                       {}
func (*Subnet) resource()                     {}
func (*NSG) resource()                        {}
func (*ASG) resource()                        {}
func (*RouteTable) resource()                 {}
func (*NIC) resource()                        {}
func (*VM) resource()                         {}
func (*ScaleSet) resource()                   {}
func (*PublicIP) resource()                   {}
func (*PublicIPPrefix) resource()             {}
func (*NATGateway) resource()                 {}
func (*LoadBalancer) resource()               {}
func (*Gateway) resource()                    {}
func (*LocalNetworkGateway) resource()        {}
func (*Connection) resource()                 {}
func (*Bastion) resource()                    {}
func (*PrivateEndpoint) resource()            {}
func (*DNSZone) resource()                    {}
func (*Firewall) resource()                   {}
func (*FirewallPolicy) resource()             {}
func (*RuleCollectionGroup) resource()        {}
func (*IPGroup) resource()                    {}
func (*AppGateway) resource()                 {}
func (*WAFPolicy) resource()                  {}
func (*Service) resource()                    {}
func (*Cluster) resource()                    {}
func (*Namespace) resource()                  {}
func (*Workload) resource()                   {}
func (*NetworkPolicy) resource()              {}
func (*ClusterPolicy) resource()              {}
func (*CiliumPolicy) resource()               {}
func (*CalicoPolicy) resource()               {}
func (*AuthorizationPolicy) resource()        {}
func (*PeerAuthentication) resource()         {}
func (*CalicoTier) resource()                 {}
func (*CalicoNetworkSet) resource()           {}
func (*KubeService) resource()                {}
func (*Ingress) resource()                    {}
func (*JITPolicy) resource()                  {}
func (*PolicyAssignment) resource()           {}
func (*PolicyExemption) resource()            {}
func (*PolicyDefinitionRule) resource()       {}
func (*PolicySet) resource()                  {}
func (*NetworkManager) resource()             {}
func (*NetworkGroup) resource()               {}
func (*SecurityAdminConfiguration) resource() {}
func (*AdminRuleCollection) resource()        {}
func (*EffectiveAdminRules) resource()        {}
func (*ActiveAdminRules) resource()           {}
func (*ConnectivityConfiguration) resource()  {}
func (*EffectiveConnectivity) resource()      {}
func (*ActiveConnectivity) resource()         {}
func (*GroupMembership) resource()            {}
func (*DeploymentStatus) resource()           {}
func (*EffectiveRules) resource()             {}
func (*EffectiveRoutes) resource()            {}
func (*VirtualWAN) resource()                 {}
func (*VirtualHub) resource()                 {}
func (*HubConnection) resource()              {}
func (*HubRouteTable) resource()              {}
func (*RoutingIntent) resource()              {}
func (*HubGateway) resource()                 {}
func (*VPNSite) resource()                    {}
func (*RouteServer) resource()                {}
func (*ServiceEndpointPolicy) resource()      {}
func (*FrontDoor) resource()                  {}
func (*PerimeterProfile) resource()           {}
func (*PerimeterRule) resource()              {}
func (*PerimeterAssociation) resource()       {}
func (*APIM) resource()                       {}
func (*RoleAssignment) resource()             {}
func (*RoleDefinition) resource()             {}
func (*KubeRole) resource()                   {}
func (*KubeBinding) resource()                {}
func (*DiagnosticSetting) resource()          {}
func (*FlowLog) resource()                    {}

// Disposition says what became of one object that an importer read.
type Disposition uint8

const (
	Unsupported Disposition = iota // could carry or filter traffic and is not understood: verdicts that depend on it are unknown
	Irrelevant                     // cannot carry or filter traffic
	Modelled                       // became part of the estate
)

func (d Disposition) String() string { return [...]string{"unsupported", "irrelevant", "modelled"}[d] }

// LedgerEntry records one object that was read, or one field of a modelled object that was not understood.
type LedgerEntry struct {
	Resource    ID
	Type        string // resource type or Kubernetes apiVersion/kind
	Field       string // empty for a whole object
	Disposition Disposition
	Effect      string // why it is irrelevant, or what an unsupported one may change
	Source      Source
	Affects     []ID // unsupported: the modelled resources whose behaviour it may change; empty means the estate as a whole
	Role        Role // unsupported: what it may do to packets
}

// Role says what an unsupported object may do to the packets of what it affects (AZ-GEN-08, K8S-GEN-07).
type Role uint8

const (
	Carries  Role = iota // let packets in from outside, carry them anywhere and stop them
	Steers               // change ways and filters, or hold machines that open connections; it lets nothing in from outside
	Resolves             // change what names resolve to, and no packet's way
	Relays               // open connections to pods of what it affects, for whoever asks (K8S-GW-02)
	Refuses              // stop connections, and let none pass
	Adds                 // bring pods, nodes or gateways into being that the input lacks; what is there acts as before
)

func (r Role) String() string {
	return [...]string{"carries", "steers", "resolves", "relays", "refuses", "adds"}[r]
}
