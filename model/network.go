package model

import (
	"net/netip"
	"strings"
)

// VNet is a virtual network.
type VNet struct {
	Meta
	Prefixes   []netip.Prefix // address ranges, in the order read
	DNSServers []netip.Addr   // empty: Azure DNS (AZ-DNS-01)
	Peerings   []Peering
	Subnets    []ID // every subnet of the VNet in the input, sorted by key
	Partial    bool // the VNet itself was not in the input; it stands here because a subnet or a peering names it
}

// Peering is one side of a VNet peering (AZ-PEER-01).
type Peering struct {
	Name                string
	Source              Source
	Remote              ID
	State               string // as read: Connected, Initiated, Disconnected; empty in a template
	AllowVNetAccess     Setting
	AllowForwarded      Setting
	AllowGatewayTransit Setting
	UseRemoteGateways   Setting
	RemotePrefixes      []netip.Prefix // remoteVirtualNetworkAddressSpace
	SyncedPrefixes      []netip.Prefix // remoteAddressSpace: the ranges of the last sync (AZ-PEER-10)
	CompleteVNets       Setting        // false: subnet peering (AZ-PEER-14)
	LocalSubnets        []string
	RemoteSubnets       []string
	OnlyIPv6            Setting
	Hub                 bool // the platform made it for a connection to a virtual hub; the hub's VNet is Microsoft's (AZ-WAN-05)
}

// EndpointPolicies is the subnet property privateEndpointNetworkPolicies (AZ-PE-03).
type EndpointPolicies uint8

const (
	PoliciesNotStated EndpointPolicies = iota
	PoliciesDisabled
	PoliciesNSG
	PoliciesRouteTable
	PoliciesEnabled
)

func (p EndpointPolicies) String() string {
	return [...]string{"not stated", "Disabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled", "Enabled"}[p]
}

// Subnet is a subnet of a VNet; its ID's parent is the VNet.
type Subnet struct {
	Meta
	VNet             ID
	Prefixes         []netip.Prefix
	NSG              ID // empty: none attached
	RouteTable       ID
	NATGateway       ID
	EndpointPolicies EndpointPolicies
	DefaultOutbound  Setting // defaultOutboundAccess (AZ-OUT-05)
	ServiceEndpoints []ServiceEndpoint
	ServicePolicies  []ID     // serviceEndpointPolicies
	Delegations      []string // service names, e.g. Microsoft.ContainerService/managedClusters
}

// ServiceEndpoint is a service endpoint enabled on a subnet (AZ-SE-01).
type ServiceEndpoint struct {
	Service   string // Microsoft.Storage
	Locations []string
	State     string // provisioning state as read
	Source    Source
}

// ServiceEndpointPolicy limits what the service endpoints of its subnets reach (AZ-SE-04).
type ServiceEndpointPolicy struct {
	Meta
	Definitions []PolicyDefinition
	Alias       string // not empty: resources of a platform service, which the policy does not list (AZ-SE-06)
}

// PolicyDefinition admits resources of one service.
type PolicyDefinition struct {
	Name      string
	Source    Source
	Service   string   // Microsoft.Storage; Global for aliases
	Resources []ID     // accounts, resource groups, subscriptions
	Aliases   []string // /services/Azure, /services/Azure/DataFactory
}

// Access is what a filter rule does.
type Access uint8

const (
	Deny Access = iota // the zero value is the cautious one
	Allow
	AlwaysAllow // security admin rules only (AZ-AVNM-02)
)

func (a Access) String() string { return [...]string{"Deny", "Allow", "AlwaysAllow"}[a] }

// Direction is the direction of a filter rule, seen from the NIC.
type Direction uint8

const (
	Inbound Direction = iota
	Outbound
)

func (d Direction) String() string { return [...]string{"Inbound", "Outbound"}[d] }

// NSG is a network security group. Rules hold the default rules too (AZ-NSG-03), those of the input or synthesised.
type NSG struct {
	Meta
	Rules           []SecurityRule // sorted by direction, then priority, then name
	FlushConnection Setting
	Managed         bool // AKS wrote it (node resource group)
}

// SecurityRule is one NSG or security admin rule. Values within a field are a union, fields are a conjunction (AZ-NSG-04).
type SecurityRule struct {
	Name                         string
	Source                       Source
	Priority                     int
	Direction                    Direction
	Access                       Access
	Protocol                     Protocol
	SourceAddrs, DestAddrs       AddressMatch
	SourcePorts, DestPorts       []PortRange
	Default                      bool   // one of the six of AZ-NSG-03
	Description                  string // as read; shown in the rule table
	UnknownMatch                 string // not empty: something in the match was not understood; must = none, may = as the rest says
	ProvisioningState            string
	SourcePortText, DestPortText []string // as written
}

// AddressMatch is one side of a rule: the union of its members. The zero value matches nothing.
type AddressMatch struct {
	Any      bool           // `*`: every address of both families (AZ-NSG-05)
	Prefixes []netip.Prefix // ranges a-b are split into prefixes
	Tags     []string       // service tags as written: VirtualNetwork, Internet, AzureLoadBalancer, Storage.WestEurope
	ASGs     []ID
	IPGroups []ID
	FQDNs    []string // firewall network rules (AZ-FW-29)
}

// IsZero reports whether the match has no member at all.
func (m AddressMatch) IsZero() bool {
	return !m.Any && len(m.Prefixes) == 0 && len(m.Tags) == 0 && len(m.ASGs) == 0 && len(m.IPGroups) == 0 && len(m.FQDNs) == 0
}

// ASG is an application security group; who is in it stands at the IP configurations.
type ASG struct{ Meta }

// NextHopType is a next hop in Azure's spelling.
type NextHopType string

const (
	HopVnetLocal       NextHopType = "VnetLocal"
	HopPeering         NextHopType = "VNetPeering"
	HopGlobalPeering   NextHopType = "VNetGlobalPeering"
	HopGateway         NextHopType = "VirtualNetworkGateway"
	HopAppliance       NextHopType = "VirtualAppliance"
	HopInternet        NextHopType = "Internet"
	HopNone            NextHopType = "None"
	HopServiceEndpoint NextHopType = "VirtualNetworkServiceEndpoint"
	HopPrivateEndpoint NextHopType = "InterfaceEndpoint"
	HopConnectedGroup  NextHopType = "ConnectedGroup"
)

// RouteTable is a user-defined route table.
type RouteTable struct {
	Meta
	DisableBGP Setting // disableBgpRoutePropagation
	Routes     []UserRoute
}

// UserRoute is one user-defined route (AZ-RT-07).
type UserRoute struct {
	Name    string
	Source  Source
	Prefix  netip.Prefix // invalid when Tag is set
	Tag     string       // service tag as the address prefix (AZ-RT-17)
	NextHop NextHopType
	Address netip.Addr // of a VirtualAppliance
}

// NIC is a network interface.
type NIC struct {
	Meta
	IPConfigs       []IPConfig
	NSG             ID
	IPForwarding    Setting
	VM              ID
	PrivateEndpoint ID
	DefaultOutbound Setting // defaultOutboundConnectivityEnabled
}

// IPConfig is one IP configuration of a NIC.
type IPConfig struct {
	Name     string
	Source   Source
	Subnet   ID
	Address  netip.Addr // invalid when the input does not state it (dynamic, not deployed)
	Primary  bool
	PublicIP ID
	ASGs     []ID
	LBPools  []ID // backend address pools of load balancers
	AGWPools []ID // of application gateways
	NATRules []ID // inbound NAT rules of load balancers
}

// VM is a virtual machine.
type VM struct {
	Meta
	NICs        []ID
	Deallocated bool
	ScaleSet    ID // the scale set that it is an instance of; flexible ones never get default outbound (AZ-OUT-08)
}

// ScaleSet is a virtual machine scale set. Its profile counts for every present and future instance (AZ-ASG-05).
type ScaleSet struct {
	Meta
	Profiles      []NICProfile
	Orchestration string // Uniform, Flexible
	Capacity      int
	Managed       bool // owned by an AKS node pool
	Pool          string
}

// NICProfile is a network interface configuration of a scale set.
type NICProfile struct {
	Name         string
	Source       Source
	NSG          ID
	IPForwarding Setting
	Primary      bool
	IPConfigs    []IPConfig // Address is never set; PublicIP is `SCALESET/publicIP` when the profile gives each instance one
	PublicPerVM  bool
}

// SKU of public addresses and load balancers.
type SKU uint8

const (
	SKUNotStated SKU = iota
	Basic
	Standard
	GatewaySKU // gateway load balancer
)

func (s SKU) String() string { return [...]string{"not stated", "Basic", "Standard", "Gateway"}[s] }

// PublicIP is a public address resource.
type PublicIP struct {
	Meta
	Address    netip.Addr // invalid when the input does not state it
	SKU        SKU
	AttachedTo ID     // ipConfiguration.id, a NAT gateway, or empty
	FQDN       string // dnsSettings.fqdn
	Prefix     ID     // publicIPPrefix
}

// PublicIPPrefix is a block of public addresses.
type PublicIPPrefix struct {
	Meta
	Prefix netip.Prefix
}

// NATGateway gives subnets an outbound address (AZ-OUT-02).
type NATGateway struct {
	Meta
	SKU       string
	PublicIPs []ID
	Prefixes  []ID
}

// LoadBalancer is a pass-through load balancer (AZ-LB-01).
type LoadBalancer struct {
	Meta
	SKU       SKU
	Frontends []LBFrontend
	Pools     []LBPool
	Rules     []LBRule
	NATRules  []LBNATRule
	Outbound  []LBOutboundRule
	Probes    []LBProbe
}

// LBFrontend is a frontend IP configuration.
type LBFrontend struct {
	ID       ID
	Name     string
	Source   Source
	Subnet   ID         // internal
	Address  netip.Addr // internal; invalid when dynamic
	PublicIP ID
	Prefix   ID // publicIPPrefix
}

// LBPool is a backend pool: members by NIC IP configuration (named at the NIC or here) or by address (AZ-LB-08).
type LBPool struct {
	ID        ID
	Name      string
	Source    Source
	IPConfigs []ID
	Addresses []LBAddress
}

// LBAddress is a pool member by address.
type LBAddress struct {
	VNet, Subnet ID
	Address      netip.Addr
}

// LBRule is a load-balancing rule (AZ-LB-02). FrontendPort 0 with AnyProtocol is HA ports (AZ-LB-04).
type LBRule struct {
	ID           ID
	Name         string
	Source       Source
	Frontend     ID
	Pools        []ID
	Probe        ID
	Protocol     Protocol
	FrontendPort uint16
	BackendPort  uint16
	FloatingIP   Setting

	DisableOutboundSNAT Setting // disableOutboundSnat: the rule gives its pool no outbound address (AZ-LB-02, AZ-LB-09)
}

// LBNATRule is an inbound NAT rule (AZ-LB-07).
type LBNATRule struct {
	ID            ID
	Name          string
	Source        Source
	Frontend      ID
	Protocol      Protocol
	FrontendPorts PortRange // one port, or a range mapped over Pool
	BackendPort   uint16
	Pool          ID
	Target        ID // backendIPConfiguration: the IP configuration that the rule leads to
	FloatingIP    Setting
}

// LBOutboundRule gives its pool an outbound address (AZ-LB-09).
type LBOutboundRule struct {
	Name      string
	Source    Source
	Frontends []ID
	Pool      ID
}

// LBProbe is a health probe.
type LBProbe struct {
	ID       ID
	Name     string
	Source   Source
	Protocol string
	Port     uint16
}

// Gateway is a VPN or ExpressRoute gateway (AZ-GW-01).
type Gateway struct {
	Meta
	Kind              GatewayKind
	Subnet            ID
	PublicIPs         []ID
	BGP               Setting
	ClientPools       []netip.Prefix // vpnClientConfiguration.vpnClientAddressPool
	ClientProtocols   []string
	ClientAuth        []string
	CustomRoutes      []netip.Prefix
	NATRules          []GatewayNATRule
	AllowRemoteVNet   Setting // allowRemoteVnetTraffic
	AllowVirtualWAN   Setting
	AdvertisedDefault Setting // forced tunnelling: gatewayDefaultSite is set (AZ-GW-08)
	DefaultSite       ID      // gatewayDefaultSite: the local network gateway that takes what no other prefix holds
}

// GatewayKind tells VPN from ExpressRoute.
type GatewayKind uint8

const (
	GatewayKindUnknown GatewayKind = iota
	VPNGateway
	ExpressRouteGateway
)

// GatewayNATRule is a NAT rule of a VPN gateway (AZ-GW-12).
type GatewayNATRule struct {
	ID       ID
	Name     string
	Source   Source
	Mode     string // IngressSnat, EgressSnat
	Type     string // Static, Dynamic
	Internal []netip.Prefix
	External []netip.Prefix
}

// RouteServer programs the routes that appliances advertise by BGP into its VNet; it forwards no packets (AZ-RS-01).
type RouteServer struct {
	Meta
	Subnet         ID // RouteServerSubnet
	BranchToBranch Setting
	Peers          []RoutePeer
}

// RoutePeer is an appliance that exchanges routes with a Route Server or a virtual hub.
type RoutePeer struct {
	Name    string
	Source  Source
	Address netip.Addr
	VNet    ID // of a hub: the connection of the VNet that the appliance is in
}

// LocalNetworkGateway is the far side of a site-to-site connection.
type LocalNetworkGateway struct {
	Meta
	Prefixes []netip.Prefix
	BGP      Setting
}

// Connection joins a gateway to a far side.
type Connection struct {
	Meta
	Kind       string // IPsec, Vnet2Vnet, ExpressRoute, VPNClient
	Gateway    ID
	Peer       ID // the other VNet gateway, the local network gateway, or the circuit
	State      string
	BGP        Setting
	IngressNAT []ID
	EgressNAT  []ID
	FastPath   Setting // expressRouteGatewayBypass
}

// Bastion is a Bastion host (AZ-BAS-01).
type Bastion struct {
	Meta
	SKU       string
	Subnet    ID // empty for the Developer SKU
	VNet      ID // Developer SKU
	PublicIP  ID
	Tunneling Setting // enableTunneling
	IPConnect Setting // enableIpConnect
	Shareable Setting
}

// Developer reports the SKU that has no subnet of its own (AZ-BAS-05).
func (b *Bastion) Developer() bool { return strings.EqualFold(b.SKU, "Developer") }

// PrivateEndpoint is a NIC with a private address that leads to a service (AZ-PE-01).
type PrivateEndpoint struct {
	Meta
	Subnet    ID
	NICs      []ID
	Addresses []netip.Addr // all the input states, from NICs, ipConfigurations and customDnsConfigs; sorted
	Target    ID           // privateLinkServiceId
	Groups    []string     // sub-resources: vault, sqlServer, blob, registry
	State     string       // Approved, Pending, Rejected, Disconnected; empty in a template
	ASGs      []ID
	Zones     []ID // private DNS zones of its zone groups
	FQDNs     []EndpointName
}

// EndpointName is a custom DNS configuration of a private endpoint.
type EndpointName struct {
	FQDN      string
	Addresses []netip.Addr
}

// DNSZone is a private or public DNS zone.
type DNSZone struct {
	Meta
	Private bool
	Zone    string // the zone's name, lower case
	Links   []ZoneLink
	Records []DNSRecord
}

// ZoneLink joins a private zone to a VNet.
type ZoneLink struct {
	Name       string
	Source     Source
	VNet       ID
	Resolution string // NxDomainRedirect or empty
}

// DNSRecord is an A or AAAA record set.
type DNSRecord struct {
	Name      string // relative; `@` for the apex
	Source    Source
	Addresses []netip.Addr
}

// DefaultRules are the six rules that every NSG has (AZ-NSG-03), with the descriptions that the platform gives and without a source.
func DefaultRules() []SecurityRule {
	anywhere := AddressMatch{Any: true}
	tag := func(name string) AddressMatch { return AddressMatch{Tags: []string{name}} }
	rule := func(name string, d Direction, priority int, from, to AddressMatch, a Access, text string) SecurityRule {
		return SecurityRule{
			Name: name, Direction: d, Priority: priority, Access: a, Protocol: AnyProtocol, SourceAddrs: from, DestAddrs: to,
			SourcePorts: []PortRange{AllPorts}, DestPorts: []PortRange{AllPorts},
			SourcePortText: []string{"*"}, DestPortText: []string{"*"}, Default: true, Description: text, ProvisioningState: "Succeeded",
		}
	}
	vnet, internet, balancer := tag("VirtualNetwork"), tag("Internet"), tag("AzureLoadBalancer")
	return []SecurityRule{
		rule("AllowVnetInBound", Inbound, 65000, vnet, vnet, Allow, "Allow inbound traffic from all VMs in VNET"),
		rule("AllowAzureLoadBalancerInBound", Inbound, 65001, balancer, anywhere, Allow, "Allow inbound traffic from azure load balancer"),
		rule("DenyAllInBound", Inbound, 65500, anywhere, anywhere, Deny, "Deny all inbound traffic"),
		rule("AllowVnetOutBound", Outbound, 65000, vnet, vnet, Allow, "Allow outbound traffic from all VMs to all VMs in VNET"),
		rule("AllowInternetOutBound", Outbound, 65001, anywhere, internet, Allow, "Allow outbound traffic from all VMs to Internet"),
		rule("DenyAllOutBound", Outbound, 65500, anywhere, anywhere, Deny, "Deny all outbound traffic"),
	}
}
