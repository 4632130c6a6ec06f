package dataplane

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// owner is who holds a private address of a VNet.
type owner struct {
	kind model.PlaceKind
	id   model.ID
	part string
}

// planOwners records who holds which private address, per VNet: VNets that are not peered may use the same addresses.
func (p *planner) planOwners() {
	hold := func(vnet model.ID, a netip.Addr, o owner) {
		if !a.IsValid() {
			return
		}
		m := p.owners[vnet.Key()]
		if m == nil {
			m = map[netip.Addr]owner{}
			p.owners[vnet.Key()] = m
		}
		if _, taken := m[a]; !taken {
			m[a] = o
		}
	}
	for _, f := range p.e.Firewalls {
		hold(f.Subnet.Parent(), p.firewallAddr(f), owner{model.PlaceFirewall, f.ID, ""})
	}
	for _, e := range p.e.Endpoints {
		for _, a := range p.endpointAddrs(e) {
			hold(e.Subnet.Parent(), a, owner{model.PlaceEndpoint, e.ID, ""})
		}
	}
	for _, lb := range p.e.LoadBalancers {
		for _, f := range lb.Frontends {
			if f.Subnet != "" {
				hold(f.Subnet.Parent(), p.frontendAddr(f), owner{model.PlaceFrontend, lb.ID, f.ID.Key()})
			}
		}
	}
	for _, g := range p.e.AppGateways {
		for _, f := range g.Frontends {
			if f.PublicIP == "" && f.Subnet != "" {
				hold(f.Subnet.Parent(), p.gatewayFrontendAddr(g, f), owner{model.PlaceAppGateway, g.ID, f.Name})
			}
		}
	}
	for _, a := range p.e.APIMs {
		for i, s := range a.Sites {
			if !a.Injected() || s.Subnet == "" {
				continue
			}
			for _, addr := range p.apimPrivate(a, i) {
				hold(s.Subnet.Parent(), addr, owner{model.PlaceAPIM, a.ID, strconv.Itoa(i)})
			}
		}
	}
	for _, n := range p.e.NICs {
		if n.PrivateEndpoint != "" {
			continue // the endpoint holds its NIC's addresses
		}
		for _, c := range n.IPConfigs {
			hold(c.Subnet.Parent(), p.configAddr(n, c), owner{model.PlaceNIC, n.ID, c.Name})
		}
	}
}

func (p *planner) ownerIn(v *model.VNet, a netip.Addr) (owner, bool) {
	o, ok := p.owners[v.ID.Key()][a]
	return o, ok
}

// symbolOf returns the symbol that stands for an unstated address. Every such address has one.
func (p *planner) symbolOf(k model.SymbolKind, id model.ID, part string) netip.Addr {
	a, ok := p.symbols.Of(k, id, part)
	if !ok {
		panic("dataplane: no symbol for " + string(id) + " " + part) // INVARIANT: model.Symbols covers every unstated address
	}
	return a
}

func (p *planner) configAddr(n *model.NIC, c model.IPConfig) netip.Addr {
	if c.Address.IsValid() {
		return c.Address
	}
	return p.symbolOf(model.ConfigAddress, n.ID, c.Name)
}

func (p *planner) firewallAddr(f *model.Firewall) netip.Addr {
	if f.Address.IsValid() {
		return f.Address
	}
	return p.symbolOf(model.FirewallAddress, f.ID, "")
}

func (p *planner) endpointAddrs(e *model.PrivateEndpoint) []netip.Addr {
	if len(e.Addresses) > 0 {
		return e.Addresses
	}
	return []netip.Addr{p.symbolOf(model.EndpointAddress, e.ID, "")}
}

func (p *planner) frontendAddr(f model.LBFrontend) netip.Addr {
	if f.Address.IsValid() || f.PublicIP != "" || f.Prefix != "" {
		return f.Address
	}
	return p.symbolOf(model.FrontendAddress, f.ID, "")
}

func (p *planner) gatewayFrontendAddr(g *model.AppGateway, f model.AGWFrontend) netip.Addr {
	if f.Address.IsValid() {
		return f.Address
	}
	return p.symbolOf(model.GatewayAddress, g.ID, f.Name)
}

// publicAddr is the address of a public IP resource; the zero address when the input lacks the resource.
func (p *planner) publicAddr(id model.ID) netip.Addr {
	r, ok := model.Get[*model.PublicIP](p.e, id)
	if !ok {
		return netip.Addr{}
	}
	if r.Address.IsValid() {
		return r.Address
	}
	return p.symbolOf(model.PublicAddress, r.ID, "")
}

// platformSubnet reports whether a subnet holds a platform service and no machine of the customer.
func (p *planner) platformSubnet(s *model.Subnet) bool {
	switch strings.ToLower(s.Name()) {
	case "azurefirewallsubnet", "azurefirewallmanagementsubnet", "azurebastionsubnet", "gatewaysubnet", "routeserversubnet":
		return true
	}
	for _, g := range p.e.AppGateways {
		if slices.ContainsFunc(g.Subnets, func(id model.ID) bool { return id.Key() == s.ID.Key() }) {
			return true
		}
	}
	return false
}

// usable are the addresses of a subnet that machines may have: all but the five that Azure keeps (AZ-GEN-07).
func usable(s *model.Subnet) []netip.Prefix {
	var remove []netip.Prefix
	for _, x := range s.Prefixes {
		if x.Addr().BitLen()-x.Bits() < 3 {
			continue // smaller than Azure's smallest
		}
		a := x.Addr()
		for range 4 {
			remove = append(remove, host(a))
			a = a.Next()
		}
		remove = append(remove, host(netipx.PrefixLastIP(x)))
	}
	return ipset(s.Prefixes, remove...).Prefixes()
}

// freeAddresses are the usable addresses of a subnet that nothing of the input holds.
func (p *planner) freeAddresses(s *model.Subnet) []netip.Prefix {
	var remove []netip.Prefix
	for a := range p.owners[s.VNet.Key()] {
		if !model.SymbolBlock().Contains(a) {
			remove = append(remove, host(a))
		}
	}
	remove = append(remove, p.podsIn(s)...)
	remove = append(remove, p.frontsIn(s)...)
	return ipset(usable(s), remove...).Prefixes()
}

// frontsIn are the addresses in a subnet's VNet that frontends of Services have (K8S-SVC-11).
func (p *planner) frontsIn(s *model.Subnet) []netip.Prefix {
	var out []netip.Prefix
	for _, k := range p.e.KubeServices {
		if !slices.ContainsFunc(p.frontendSubnets(k), func(id model.ID) bool { return id.Parent().Key() == s.VNet.Key() }) {
			continue
		}
		for _, f := range p.e.FrontendsOf(k) {
			if !f.Public && !model.SymbolBlock().Contains(f.Addr) {
				out = append(out, host(f.Addr))
			}
		}
	}
	return out
}

// podsIn are the stated addresses of pods in a subnet from which a cluster takes them (K8S-AZ-02).
func (p *planner) podsIn(s *model.Subnet) []netip.Prefix {
	var out []netip.Prefix
	for _, w := range p.e.Workloads {
		cp := p.clusters[w.Cluster.Key()]
		if cp == nil || w.HostNetwork || cp.mode == podsBare || cp.mode == podsOverlay {
			continue
		}
		for _, pool := range cp.c.Pools {
			if id := p.podSubnet(cp, pool.Name); id.Key() == s.ID.Key() {
				out = append(out, hosts(w.Addresses)...)
				break
			}
		}
	}
	return out
}
