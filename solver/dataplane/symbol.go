package dataplane

import (
	"net/netip"
	"slices"
	"strconv"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// symbolGroups says what each symbol's real address may be, and groups those that share it.
func (p *planner) symbolGroups() []symbolGroup {
	return p.groupSymbols(func(model.Symbol) bool { return true })
}

// groupSymbols is symbolGroups of those symbols that are wanted.
func (p *planner) groupSymbols(wanted func(model.Symbol) bool) []symbolGroup {
	var groups []symbolGroup
	at := map[string]int{}
	for _, s := range p.symbols.All() {
		if !wanted(s) {
			continue
		}
		within := p.symbolRange(s)
		key := "public"
		if within != nil {
			key = setKey(within)
		}
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, symbolGroup{within: within})
		}
		groups[i].members = append(groups[i].members, host(s.Addr))
	}
	for i := range groups {
		groups[i].members = ipset(groups[i].members).Prefixes() // neighbours become few blocks
	}
	return groups
}

// symbolRange is what the real address behind a symbol may be; nil for a public address that lies in no prefix of the input
// (K8S-SVC-11).
func (p *planner) symbolRange(s model.Symbol) *netipx.IPSet {
	switch s.Kind {
	case model.PublicAddress:
		if ip, ok := model.Get[*model.PublicIP](p.e, s.Owner); ok {
			if x, ok := model.Get[*model.PublicIPPrefix](p.e, ip.Prefix); ok && x.Prefix.IsValid() {
				return ipset([]netip.Prefix{x.Prefix})
			}
		}
		return publicV4()
	case model.ServiceDoor:
		if x, ok := model.Get[*model.Service](p.e, s.Owner); ok && x.Injected != "" {
			return p.freeSpace(x.Injected) // AZ-PG-01
		}
		return publicV4()
	case model.NamedHost, model.DefaultOutbound, model.NodePublicAddress, model.InstancePublicAddress, model.BastionDoor, model.FrontDoorDoor, model.FrontDoorBackend, model.APIMDoor:
		return publicV4()
	case model.APIDoor:
		// AKS-API-03: the endpoint of a private cluster lies in the node subnet.
		c, ok := model.Get[*model.Cluster](p.e, s.Owner)
		if !ok || c.Private != model.On {
			return publicV4() // AKS-API-01: Microsoft's own
		}
		return p.freeSpace(p.apiSubnets(c)...)
	case model.PodAddress:
		w, _ := model.Get[*model.Workload](p.e, s.Owner)
		return p.podSpace(w)
	case model.ConfigAddress:
		if n, ok := model.Get[*model.NIC](p.e, s.Owner); ok {
			for _, c := range n.IPConfigs {
				if c.Name == s.Part {
					return p.freeSpace(c.Subnet)
				}
			}
		}
	case model.EndpointAddress:
		if e, ok := model.Get[*model.PrivateEndpoint](p.e, s.Owner); ok {
			return p.freeSpace(e.Subnet)
		}
	case model.FrontendAddress:
		for _, lb := range p.e.LoadBalancers {
			for _, f := range lb.Frontends {
				if f.ID.Key() == s.Owner.Key() {
					return p.freeSpace(f.Subnet)
				}
			}
		}
	case model.ServiceFrontend:
		if k, ok := model.Get[*model.KubeService](p.e, s.Owner); ok {
			if !k.Internal() {
				return nil
			}
			return p.freeSpace(p.frontendSubnets(k)...)
		}
	case model.FirewallAddress:
		if f, ok := model.Get[*model.Firewall](p.e, s.Owner); ok {
			if h := p.hubFirewall(f); h != nil && h.Prefix.IsValid() { // AZ-FW-52
				return ipset([]netip.Prefix{h.Prefix})
			}
			return p.freeSpace(f.Subnet)
		}
	case model.APIMAddress:
		if a, ok := model.Get[*model.APIM](p.e, s.Owner); ok {
			if i, err := strconv.Atoi(s.Part); err == nil && i < len(a.Sites) && a.Sites[i].Subnet != "" {
				return p.freeSpace(a.Sites[i].Subnet)
			}
		}
	case model.GatewayAddress:
		if g, ok := model.Get[*model.AppGateway](p.e, s.Owner); ok {
			return p.subnetSpace(g.Subnets...)
		}
	}
	return ipset([]netip.Prefix{allV4()})
}

// subnetSpace is the union of the ranges of subnets. A subnet that the input lacks may lie anywhere.
func (p *planner) subnetSpace(ids ...model.ID) *netipx.IPSet {
	var ps []netip.Prefix
	for _, id := range ids {
		s, ok := model.Get[*model.Subnet](p.e, id)
		if !ok {
			return ipset([]netip.Prefix{allV4()})
		}
		for _, x := range s.Prefixes {
			if x.Addr().Is4() {
				ps = append(ps, x)
			}
		}
	}
	if len(ps) == 0 {
		return ipset([]netip.Prefix{allV4()})
	}
	return ipset(ps)
}

// freeSpace is where an unstated address of some subnets lies: among the IPv4 addresses that a machine may have and that nothing of the
// input is known to hold (AZ-GEN-07).
func (p *planner) freeSpace(ids ...model.ID) *netipx.IPSet {
	var out []*netipx.IPSet
	for _, id := range ids {
		out = append(out, p.freeIn(id))
	}
	if len(out) == 0 {
		return p.subnetSpace()
	}
	return unionSet(out...)
}

func (p *planner) freeIn(id model.ID) *netipx.IPSet {
	if s, ok := model.Get[*model.Subnet](p.e, id); ok {
		v4 := ipset([]netip.Prefix{allV4()})
		for _, list := range [][]netip.Prefix{p.freeAddresses(s), usable(s)} {
			if free := intersectSet(ipset(list), v4); !isEmpty(free) {
				return free
			}
		}
	}
	return p.subnetSpace(id)
}

// frontendSubnets are the subnets in which an internal frontend may lie: the annotated one, else the node subnets (AKS-LB-02).
func (p *planner) frontendSubnets(k *model.KubeService) []model.ID {
	c, ok := model.Get[*model.Cluster](p.e, k.Cluster)
	if !ok {
		return nil
	}
	nodes := p.clusterSubnets(c)
	name := k.Annotation("azure-load-balancer-internal-subnet")
	if name == "" {
		return nodes
	}
	for _, id := range nodes {
		sub := model.ID(string(id.Parent()) + "/subnets/" + name)
		if _, ok := p.e.Lookup(sub); ok {
			return []model.ID{sub}
		}
	}
	return nil
}

// clusterSubnets are the node subnets of a cluster, sorted.
func (p *planner) clusterSubnets(c *model.Cluster) []model.ID {
	var out []model.ID
	for _, pool := range c.Pools {
		if pool.Subnet != "" {
			out = append(out, pool.Subnet)
		}
	}
	slices.SortFunc(out, func(a, b model.ID) int { return a.Compare(b) })
	return slices.CompactFunc(out, func(a, b model.ID) bool { return a.Key() == b.Key() })
}
