package propose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// kinds tells what the parts of an estate are there for.
type kinds struct {
	e     *model.Estate
	refs  *model.Refs
	sites map[string]bool // what can send or receive, and the subnets of it, by key
}

// selector prints a resource as a selector that selects it alone. A name may be one that a selector reads otherwise: with `*`, or with
// blanks at its end.
func (k *kinds) selector(kind model.SelectorKind, r model.Resource) (string, bool) {
	for _, text := range []string{k.refs.Of(kind, r), string(kind) + ":" + string(r.ResourceID())} {
		sel, err := model.ParseSelector(text)
		if err != nil {
			continue
		}
		if found, err := k.e.Find(sel); err == nil && len(found) == 1 && found[0].Resource.ResourceID().Is(r.ResourceID()) {
			return text, true
		}
	}
	return "", false
}

// subnet is the zone of a subnet, and why.
func (k *kinds) subnet(s *model.Subnet) (zone, why string) {
	if why = k.platform(s); why != "" {
		return zoneHub, why
	}
	if why = k.edge(s); why != "" {
		return zoneDMZ, why
	}
	if zone, why = k.nodes(s); zone != "" {
		return zone, why
	}
	if zone, why = k.stores(s); zone != "" {
		return zone, why
	}
	names := append([]string{s.Name()}, k.machines(s)...)
	for _, x := range []struct {
		zone  string
		words []string
	}{{zoneMgmt, []string{"jump", "bastion", "mgmt", "management", "admin"}}, {zoneDMZ, []string{"dmz", "perimeter"}}} {
		for _, name := range names {
			for _, w := range x.words {
				if strings.Contains(strings.ToLower(name), w) {
					return x.zone, "by the name " + name
				}
			}
		}
	}
	return zoneCDE, "nothing shows that it is out of scope"
}

// platform says which part of the platform a subnet is reserved for; empty: none.
func (k *kinds) platform(s *model.Subnet) string {
	for _, f := range k.e.Firewalls {
		if f.Subnet.Is(s.ID) {
			return "firewall " + f.Name()
		}
	}
	for _, b := range k.e.Bastions {
		if b.Subnet.Is(s.ID) {
			return "Bastion " + b.Name()
		}
	}
	for _, g := range k.e.Gateways {
		if g.Subnet.Is(s.ID) {
			return "gateway " + g.Name()
		}
	}
	for _, name := range []string{"AzureFirewallSubnet", "AzureFirewallManagementSubnet", "AzureBastionSubnet", "GatewaySubnet", "RouteServerSubnet"} {
		if strings.EqualFold(s.Name(), name) {
			return "the platform's, by its name"
		}
	}
	return ""
}

// edge says what takes requests from outside in a subnet; empty: nothing.
func (k *kinds) edge(s *model.Subnet) string {
	for _, g := range k.e.AppGateways {
		if slices.ContainsFunc(g.Subnets, s.ID.Is) {
			return "application gateway " + g.Name()
		}
	}
	for _, a := range k.e.APIMs {
		if a.PublicDoor() && a.Injected() && slices.ContainsFunc(a.Sites, func(x model.APIMSite) bool { return x.Subnet.Is(s.ID) }) {
			return "API Management " + a.Name()
		}
	}
	if delegated(s, "Microsoft.ServiceNetworking/trafficControllers") {
		return "Application Gateway for Containers"
	}
	return ""
}

func delegated(s *model.Subnet, services ...string) bool {
	return slices.ContainsFunc(s.Delegations, func(d string) bool {
		return slices.ContainsFunc(services, func(x string) bool { return strings.EqualFold(d, x) })
	})
}

// nodes is the zone of a subnet of nodes or pods: that of card data, unless all of its pools run what the cluster needs.
func (k *kinds) nodes(s *model.Subnet) (zone, why string) {
	var pools []string
	system := true
	for _, c := range k.e.Clusters {
		for _, p := range c.Pools {
			if p.Subnet.Is(s.ID) || p.PodSubnet.Is(s.ID) {
				pools = append(pools, c.Name()+"/"+p.Name)
				system = system && strings.EqualFold(p.Mode, "System")
			}
		}
	}
	switch {
	case len(pools) == 0:
		return "", ""
	case system:
		return zoneSystem, "system node pool " + strings.Join(pools, ", ")
	default:
		return zoneCDE, "node pool " + strings.Join(pools, ", ") + "; nothing shows that it is out of scope"
	}
}

// stores is the zone of a subnet that holds nothing but services: databases that stand in it, or private endpoints.
func (k *kinds) stores(s *model.Subnet) (zone, why string) {
	for _, x := range k.e.Services {
		if x.Injected.Is(s.ID) && x.Injected != "" {
			return zoneData, "service " + x.Name()
		}
	}
	if delegated(s, "Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.DBforMySQL/flexibleServers", "Microsoft.Sql/managedInstances") {
		return zoneData, "delegated to databases"
	}
	if len(k.machines(s)) > 0 || slices.ContainsFunc(k.e.ScaleSets, func(x *model.ScaleSet) bool { return inProfiles(x, s.ID) }) {
		return "", ""
	}
	n, cards := 0, false
	for _, p := range k.e.Endpoints {
		if p.Subnet.Is(s.ID) {
			n++
			cards = cards || k.zoneOfEndpoint(p) == zoneData
		}
	}
	switch {
	case n == 0:
		return "", ""
	case cards:
		return zoneData, fmt.Sprintf("private endpoints (%d)", n)
	default:
		return zoneSystem, fmt.Sprintf("private endpoints of what the estate runs on (%d)", n)
	}
}

func inProfiles(x *model.ScaleSet, subnet model.ID) bool {
	return slices.ContainsFunc(x.Profiles, func(p model.NICProfile) bool {
		return slices.ContainsFunc(p.IPConfigs, func(c model.IPConfig) bool { return c.Subnet.Is(subnet) })
	})
}

// machines names the network interfaces of a subnet that are no private endpoints, and the machines that they belong to.
func (k *kinds) machines(s *model.Subnet) []string {
	var out []string
	for _, n := range k.e.NICs {
		if n.PrivateEndpoint != "" || !slices.ContainsFunc(n.IPConfigs, func(c model.IPConfig) bool { return c.Subnet.Is(s.ID) }) ||
			slices.ContainsFunc(k.e.Endpoints, func(p *model.PrivateEndpoint) bool { return slices.ContainsFunc(p.NICs, n.ID.Is) }) {
			continue
		}
		out = append(out, n.Name())
		if n.VM != "" {
			out = append(out, n.VM.Name())
		}
	}
	return out
}

// zoneOfEndpoint is the zone that a private endpoint asks for: of its service, or, where that is not in the input, of the kind of door.
func (k *kinds) zoneOfEndpoint(p *model.PrivateEndpoint) string {
	if s, ok := model.Get[*model.Service](k.e, p.Target); ok {
		zone, _ := zoneOfService(s)
		return zone
	}
	if _, ok := model.Get[*model.Cluster](k.e, p.Target); ok {
		return zoneSystem
	}
	for _, g := range p.Groups {
		switch strings.ToLower(g) {
		case "registry", "azuremonitor", "management":
			return zoneSystem
		}
	}
	return zoneData
}

// zoneOfService is the zone of a PaaS service, and why. What may hold card data does until somebody says otherwise.
func zoneOfService(s *model.Service) (zone, why string) {
	switch s.Kind {
	case model.ContainerRegistry:
		return zoneSystem, "container registry"
	case model.LogAnalytics, model.MonitorScope:
		return zoneSystem, "monitoring"
	case model.KeyVault:
		return zoneData, "key vault"
	default:
		return zoneData, "may hold card data: " + s.Type
	}
}
