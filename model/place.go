package model

import "cmp"

// PlaceKind is the kind of a place.
type PlaceKind uint8

const (
	PlaceNowhere    PlaceKind = iota
	PlaceNIC                  // ID: NIC, Part: IP configuration
	PlaceScaleSet             // ID: scale set, Part: IP configuration of its profile; every present and future instance
	PlaceSubnet               // ID: subnet; its addresses that no NIC holds today (AZ-GEN-07)
	PlaceNodePool             // ID: cluster, Part: node pool; any address of the pool's subnet (AKS-NET-12)
	PlacePod                  // ID: workload, Part: the node pool it runs on, empty when the cluster states no pools
	PlaceEndpoint             // ID: private endpoint
	PlaceService              // ID: PaaS service; its public door
	PlaceFirewall             // ID: Azure Firewall
	PlaceAppGateway           // ID: application gateway; its instances and frontends
	PlaceBastion              // ID: Bastion host
	PlaceGateway              // ID: VPN or ExpressRoute gateway, its own listeners
	PlaceFarSide              // ID: gateway, Part: connection name, or `p2s`; what lies behind it
	PlaceAPIServer            // ID: cluster
	PlaceInternet             // everything outside that is reached over public addresses
	PlacePlatform             // 168.63.129.16 and 169.254.169.254
	PlaceFrontend             // ID: load balancer frontend, or Kubernetes Service
	PlaceFrontDoor            // ID: Front Door profile, Part: endpoint
	PlaceAPIM                 // ID: API Management service, Part: number of the site
	PlaceUnknown              // ID: subnet, Part: address; an unresolved next hop or a network that the input lacks
)

func (k PlaceKind) String() string {
	return [...]string{
		"nowhere", "nic", "scale set", "subnet", "node pool", "pod", "private endpoint", "service", "firewall", "application gateway", "bastion", "gateway",
		"far side", "api server", "internet", "platform", "frontend", "front door", "API Management", "unknown",
	}[k]
}

// Place is where packets start, end, or are decided.
type Place struct {
	Kind PlaceKind
	ID   ID
	Part string
}

// Compare orders places by kind, ID and part.
func (p Place) Compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Kind, q.Kind), p.ID.Compare(q.ID), cmp.Compare(p.Part, q.Part))
}

// Key is the place with its ID folded, for use as a map key.
func (p Place) Key() Place { return Place{p.Kind, ID(p.ID.Key()), p.Part} }
