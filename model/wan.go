package model

import "net/netip"

// VirtualWAN is a Virtual WAN: the hubs that announce routes to each other (AZ-WAN-02).
type VirtualWAN struct {
	Meta
	Type           string  // Standard, Basic
	BranchToBranch Setting // allowBranchToBranchTraffic
}

// VirtualHub is a hub of a Virtual WAN: a router between its connections (AZ-WAN-01).
type VirtualHub struct {
	Meta
	WAN      ID
	Prefix   netip.Prefix
	Firewall ID   // azureFirewall
	Gateways []ID // VPN, point-to-site and ExpressRoute gateways that the hub names; sorted
	Peers    []RoutePeer
}

// HubConnection joins a VNet to a hub.
type HubConnection struct {
	Meta
	Hub              ID
	VNet             ID
	InternetSecurity Setting // enableInternetSecurity: the VNet learns the hub's 0.0.0.0/0
	Routing          HubRouting
}

// HubRouting is the routing configuration of a connection.
type HubRouting struct {
	Stated          bool // the input has one; else it is the default (AZ-WAN-02)
	Associated      ID   // the route table that packets of the connection are looked up in; empty: the hub's default table
	Propagated      []ID // the tables that learn the connection's prefixes
	Labels          []string
	Static          []HubStaticRoute // of a VNet connection
	PropagateStatic Setting
	LocalOverride   string // vnetLocalRouteOverrideCriteria: Contains (the default), Equal
	Maps            []ID   // route maps
}

// HubStaticRoute leads prefixes behind a VNet connection to an address in the VNet.
type HubStaticRoute struct {
	Name     string
	Source   Source
	Prefixes []netip.Prefix
	NextHop  netip.Addr
}

// HubRouteTable is a route table of a hub. Its learned routes are computed.
type HubRouteTable struct {
	Meta
	Hub    ID
	Labels []string
	Routes []HubRoute
}

// HubRoute is a static route of a hub's table (AZ-WAN-04).
type HubRoute struct {
	Name     string
	Source   Source
	Prefixes []netip.Prefix
	NextHop  ID     // a firewall or a connection
	Unknown  string // not empty: its destinations are not prefixes, or its next hop is not known
}

// RoutingIntent sends traffic of a hub to a next hop (AZ-WAN-03).
type RoutingIntent struct {
	Meta
	Hub      ID
	Policies []RoutingPolicy
}

// RoutingPolicy is one policy of a routing intent.
type RoutingPolicy struct {
	Name         string
	Source       Source
	Destinations []string // Internet, PrivateTraffic
	NextHop      ID
}

// HubGatewayKind is what a gateway of a hub connects.
type HubGatewayKind uint8

const (
	HubVPN          HubGatewayKind = iota // sites
	HubClients                            // point-to-site clients
	HubExpressRoute                       // circuits
)

// HubGateway is a VPN, point-to-site or ExpressRoute gateway of a hub.
type HubGateway struct {
	Meta
	Kind        HubGatewayKind
	Hub         ID
	Connections []HubBranch
	NATRules    []GatewayNATRule
}

// HubBranch is a connection of a hub's gateway.
type HubBranch struct {
	ID                    ID
	Name                  string
	Source                Source
	Site                  ID             // VPN site, or peering of a circuit
	Pools                 []netip.Prefix // of point-to-site clients
	State                 string
	BGP                   Setting
	InternetSecurity      Setting
	Routing               HubRouting
	IngressNAT, EgressNAT []ID
}

// VPNSite is the far side of a hub's VPN connection.
type VPNSite struct {
	Meta
	Prefixes []netip.Prefix
	BGP      Setting
}
