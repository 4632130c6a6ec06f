package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// carriesTraffic reports whether a private endpoint is approved; a template has no state and means to be (AZ-PE-01).
func (p *planner) carriesTraffic(e *model.PrivateEndpoint) bool {
	state := p.endpointState(e)
	return state == "" || strings.EqualFold(state, "Approved")
}

// endpointState is the state of an endpoint's connection, as it says itself or, where it does not, as the service does (AZ-PAAS-06).
func (p *planner) endpointState(e *model.PrivateEndpoint) string {
	s, ok := model.Get[*model.Service](p.e, e.Target)
	if e.State != "" || !ok {
		return e.State
	}
	for _, x := range s.Connections {
		if x.Endpoint.Key() == e.ID.Key() {
			return x.State
		}
	}
	return ""
}

// endpointInbound is the place before a private endpoint: its subnet's NSG acts only with endpoint network policies on (AZ-PE-03).
func (p *planner) endpointInbound(e *model.PrivateEndpoint) NodeID {
	place := model.Place{Kind: model.PlaceEndpoint, ID: e.ID}
	n := p.node(place, StageInbound, "")
	key := Node{Place: place.Key(), Stage: StageInbound}
	if p.routeDone[key] {
		return n
	}
	p.routeDone[key] = true
	receive := p.node(place, StageReceive, "")
	f := filtered{subnet: e.Subnet, members: e.ASGs, stops: p.stops(e.ID)}
	g, notes := p.endpointFilters(f)
	fog, more := p.fogOf(f)
	g, notes = and(g, fog), append(slices.Clone(notes), more...)
	if !p.carriesTraffic(e) {
		k := Control{Key: "approval|" + e.ID.Key(), Name: "approval of " + e.Name(), Stage: "transport", Place: place}
		p.hypothesis(n, receive, and(g, closed(k, Part{Key: k.Key, Source: e.Source, Detail: "the connection of the private endpoint is " + p.endpointState(e) + " (AZ-PE-01)", Open: "approval of the connection"})))
		return n
	}
	p.edge(n, receive, g, nil, notes...)
	return n
}

// oversized reports whether a rule of an NSG stands for more combinations of source, destination and port than a private endpoint takes
// (AZ-PE-07, EX-26).
func oversized(n *model.NSG) bool {
	const most = 250_000
	values := func(m model.AddressMatch) int { return max(1, len(m.Prefixes)+len(m.Tags)+len(m.ASGs)) }
	for _, r := range n.Rules {
		if values(r.SourceAddrs)*values(r.DestAddrs)*max(1, len(r.DestPorts)) > most {
			return true
		}
	}
	return false
}

// endpointFilters are the filters in front of a private endpoint.
func (p *planner) endpointFilters(f filtered) (guard, []string) {
	g, notes := guard{}, []string(nil)
	s, _ := p.e.SubnetOf(f.subnet)
	switch {
	case s == nil:
		g, notes = guard{over: everything(), under: nothing()}, []string{missing("subnet", f.subnet)}
	case s.EndpointPolicies == model.PoliciesNSG || s.EndpointPolicies == model.PoliciesEnabled:
		g, notes = p.inboundAnySource(f)
	case s.EndpointPolicies == model.PoliciesNotStated && p.subnetNSG(f.subnet) != "":
		// The property is absent: REST defaults to Disabled, some tools create Enabled.
		in, more := p.inboundAnySource(f)
		g, notes = between(everything(), in.low()), more
	}
	if nsg, ok := model.Get[*model.NSG](p.e, p.subnetNSG(f.subnet)); ok && oversized(nsg) && g.over != nil {
		// AZ-PE-07: the rules may fail, and then nothing filters.
		g, notes = guard{over: everything(), under: g.low(), reply: g.reply}, append(slices.Clone(notes), "ASM-PE-SIZE")
	}
	return g, notes
}

// inboundAnySource is the inbound filters of a private endpoint, which take any source port (AZ-PE-07).
func (p *planner) inboundAnySource(f filtered) (guard, []string) {
	return p.filters(f, model.Inbound, reading{anySourcePort: true})
}

// endpointReply is the packets whose answer returns from a private endpoint in a subnet: by the system routes there, which user routes do
// not change, and through an appliance only when the appliance translated the source (AZ-PE-08).
func (p *planner) endpointReply(subnet model.ID, via string) *lazy {
	groups := p.groupsOf(subnet, "", false)
	platform := srcIn(p.addr.exactHosts(platformHosts()...))
	place, forwarded := p.vias[via]
	var own *lazy
	if forwarded && !isGateway(via) {
		if own = p.forwarderSpace(place); own == nil {
			return nothing()
		}
	}
	hubs, outside := p.hubsBack(groups, via), p.outsideSent()
	return later(func(c *compiler) packet.Set {
		back := []packet.Set{platform.get(c)}
		for _, g := range groups {
			direct := g.hop.kind == model.HopVnetLocal || g.hop.peer != "" || g.hop.kind == model.HopPrivateEndpoint || g.hop.kind == model.HopConnectedGroup
			switch {
			case g.link != nil:
				back = append(back, c.s.Intersect(c.swap(g.under.get(c)), hubs[g.link].get(c)))
			case isHub(via) && direct:
				back = append(back, c.s.Subtract(c.swap(g.under.get(c)), outside.get(c)))
			case isGateway(via) && g.hop.kind == model.HopGateway && p.returnsBy(subnet, place.ID, g), !isGateway(via) && direct:
				back = append(back, c.swap(g.under.get(c)))
			}
		}
		set := c.s.Union(back...)
		if own != nil {
			set = c.s.Intersect(set, own.get(c))
		}
		return set
	})
}

// planEndpoints adds private endpoints as receivers.
func (p *planner) planEndpoints() {
	for _, e := range p.e.Endpoints {
		place := model.Place{Kind: model.PlaceEndpoint, ID: e.ID}
		p.site(&Site{Place: place, Prefixes: hosts(p.endpointAddrs(e)), Send: -1, Receive: p.node(place, StageReceive, ""), Subnet: e.Subnet})
		p.endpointInbound(e)
	}
}

// endpointRoute is the /32 route of a private endpoint, and the user route that takes its place, if one does.
type endpointRoute struct {
	route
	by *route
}

// endpointRoutes are the /32 routes of private endpoints that a subnet has and that no user route displaces (AZ-RT-22).
func (p *planner) endpointRoutes(subnet, nic model.ID, table []route) []route {
	var out []route
	for _, r := range p.endpointTable(subnet, nic, table) {
		if r.by == nil {
			out = append(out, r.route)
		}
	}
	return out
}

// endpointTable lists the /32 routes of private endpoints that a subnet gets: those of its VNet and of directly peered ones
// (AZ-PE-05).
func (p *planner) endpointTable(subnet, nic model.ID, table []route) []endpointRoute {
	_, v := p.e.SubnetOf(subnet)
	if v == nil {
		return nil
	}
	near := map[string]bool{v.ID.Key(): true}
	sure := map[string]*netipx.IPSet{v.ID.Key(): ipset([]netip.Prefix{allV4(), allV6()})} // by VNet: where a route surely leads
	for _, l := range p.peers(v) {
		near[l.remoteID.Key()] = true
		s, _ := p.e.SubnetOf(subnet)
		if l.certain && (!l.partial() || s != nil && slices.ContainsFunc(l.local.LocalSubnets, func(n string) bool { return strings.EqualFold(n, s.Name()) })) {
			var ps []netip.Prefix
			for _, r := range l.ranges(p.e) {
				if r.certain {
					ps = append(ps, r.prefix)
				}
			}
			sure[l.remoteID.Key()] = ipset(ps)
		}
	}
	for _, l := range p.joined(v) {
		near[l.remote.ID.Key()] = true // AZ-AVNM-11
		if l.certain {
			sure[l.remote.ID.Key()] = ipset(l.remote.Prefixes)
		}
	}
	var out []endpointRoute
	imported := p.e.RoutesAt(nic)
	for _, e := range p.e.Endpoints {
		home := e.Subnet.Parent()
		if !near[home.Key()] {
			continue
		}
		s, hv := p.e.SubnetOf(e.Subnet)
		for _, a := range p.endpointAddrs(e) {
			if imported != nil && imported.Families()[a.BitLen()] && !model.SymbolBlock().Contains(a) {
				continue // AZ-RT-33: the rows of the NIC's own table say where its /32 stands
			}
			r := endpointRoute{route: route{prefix: host(a), origin: systemRoute, hop: hop{kind: model.HopPrivateEndpoint, endpoint: e.ID}}}
			policies := model.PoliciesNotStated
			if s != nil {
				policies = s.EndpointPolicies
			}
			at := p.possible(a)
			where := sure[home.Key()]
			r.certain = where != nil && contains(where, at) && imported == nil && p.carriesTraffic(e) // whether one that is not approved has its route is not known
			surely, perhaps, local := false, false, false
			var by *route
			for i, u := range table {
				if u.origin != userRoute || u.tag != "" || !ipset([]netip.Prefix{u.prefix}).Overlaps(at) {
					continue
				}
				on := policies == model.PoliciesRouteTable || policies == model.PoliciesEnabled
				switch {
				case u.prefix.IsSingleIP() && !on: // AZ-PE-06
				case u.prefix.Bits() < rangeBits(hv, at), !on && policies != model.PoliciesNotStated:
					continue // AZ-PE-05
				}
				if by == nil { // the table is in order: the first is the longest
					by = &table[i]
				}
				perhaps = true
				surely = surely || on && contains(ipset([]netip.Prefix{u.prefix}), at)
				local = local || u.hop.kind == model.HopVnetLocal
			}
			switch {
			case perhaps && local:
				r.certain, r.note = false, "ASM-PE-VNETLOCAL"
			case surely:
				r.by = by // the user route wins
			case perhaps:
				r.certain, r.note = false, "ASM-PE32"
			}
			out = append(out, r)
		}
	}
	return out
}

// possible is what an address may be: itself, or the range of its symbol.
func (p *planner) possible(a netip.Addr) *netipx.IPSet {
	if s, ok := p.symbols.At(a); ok {
		if within := p.symbolRange(s); within != nil {
			return within
		}
	}
	return ipset([]netip.Prefix{host(a)})
}

// rangeBits is the length of the VNet range that holds an address: a user route must be at least as long to displace an endpoint's /32.
func rangeBits(v *model.VNet, at *netipx.IPSet) int {
	best := 0
	if v != nil {
		for _, x := range v.Prefixes {
			if ipset([]netip.Prefix{x}).Overlaps(at) {
				best = max(best, x.Bits())
			}
		}
	}
	return best
}

// endpointsOf are the approved private endpoints that lead to a resource, in the order of their IDs.
func (p *planner) endpointsOf(target model.ID) []*model.PrivateEndpoint {
	var out []*model.PrivateEndpoint
	for _, e := range p.e.Endpoints {
		if e.Target.Key() == target.Key() && p.carriesTraffic(e) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *model.PrivateEndpoint) int { return a.ID.Compare(b.ID) })
	return out
}
