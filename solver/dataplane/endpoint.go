package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// carriesTraffic reports whether a private endpoint is approved; a template has no state and means to be (AZ-PE-01).
func carriesTraffic(e *model.PrivateEndpoint) bool {
	return e.State == "" || strings.EqualFold(e.State, "Approved")
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
	g, notes := guard{}, []string(nil)
	s, _ := p.e.SubnetOf(e.Subnet)
	filters := filtered{subnet: e.Subnet, members: e.ASGs}
	switch {
	case s == nil:
		g, notes = guard{over: everything(), under: nothing()}, []string{missing("subnet", e.Subnet)}
	case s.EndpointPolicies == model.PoliciesNSG || s.EndpointPolicies == model.PoliciesEnabled:
		g, notes = p.inboundAnySource(filters)
	case s.EndpointPolicies == model.PoliciesNotStated && p.subnetNSG(e.Subnet) != "":
		// The property is absent: REST defaults to Disabled, some tools create Enabled.
		in, more := p.inboundAnySource(filters)
		g, notes = guard{over: everything(), under: in.under}, more
		if in.under == nil {
			g.under = in.over
		}
	}
	if nsg, ok := model.Get[*model.NSG](p.e, p.subnetNSG(e.Subnet)); ok && oversized(nsg) && g.over != nil {
		// AZ-PE-07: the rules may fail, and then nothing filters.
		under := g.under
		if under == nil {
			under = g.over
		}
		g, notes = guard{over: everything(), under: under, reply: g.reply}, append(slices.Clone(notes), "ASM-PE-SIZE")
	}
	if !carriesTraffic(e) {
		k := Control{Key: "approval|" + e.ID.Key(), Name: "approval of " + e.Name(), Stage: "transport", Place: place}
		p.hypothesis(n, receive, and(g, closed(k, Part{Key: k.Key, Source: e.Source, Detail: "the connection of the private endpoint is " + e.State + " (AZ-PE-01)", Open: "approval of the connection"})))
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

// inboundAnySource is the inbound filters of a private endpoint, which take any source port (AZ-PE-07).
func (p *planner) inboundAnySource(f filtered) (guard, []string) {
	return p.filters(f, model.Inbound, reading{anySourcePort: true})
}

// endpointReply is the packets whose answer returns from a private endpoint: always, but through an appliance only when the appliance
// translated the source (AZ-PE-08).
func (p *planner) endpointReply(via string) *lazy {
	place, ok := p.vias[via]
	if !ok || isGateway(via) {
		return nil
	}
	if own := p.forwarderSpace(place); own != nil {
		return own
	}
	return nothing()
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
	certain := map[string]bool{v.ID.Key(): true}
	for _, l := range p.peers(v) {
		near[l.remoteID.Key()] = true
		certain[l.remoteID.Key()] = l.certain && !l.partial()
	}
	for _, l := range p.groups[v.ID.Key()] {
		near[l.remote.ID.Key()] = true // AZ-AVNM-11
		certain[l.remote.ID.Key()] = l.certain
	}
	var out []endpointRoute
	imported := p.e.RoutesAt(nic)
	for _, e := range p.e.Endpoints {
		home := e.Subnet.Parent()
		if !near[home.Key()] || !carriesTraffic(e) {
			continue
		}
		s, hv := p.e.SubnetOf(e.Subnet)
		for _, a := range p.endpointAddrs(e) {
			if imported != nil && imported.Families()[a.BitLen()] && !model.SymbolBlock().Contains(a) {
				continue // AZ-RT-33: the rows of the NIC's own table say where its /32 stands
			}
			r := endpointRoute{route: route{prefix: host(a), origin: systemRoute, hop: hop{kind: model.HopPrivateEndpoint, endpoint: e.ID}, certain: certain[home.Key()] && imported == nil}}
			var by *route
			exact, local := false, false
			for i, u := range table {
				if u.origin != userRoute || u.tag != "" || !u.prefix.Contains(a) {
					continue
				}
				if u.prefix.Bits() >= rangeBits(hv, a) && u.prefix.Bits() > 0 {
					if by == nil { // the table is in order: the first is the longest
						by = &table[i]
					}
					local = local || u.hop.kind == model.HopVnetLocal
				}
				exact = exact || u.prefix == host(a)
			}
			if by != nil {
				policies := model.PoliciesNotStated
				if s != nil {
					policies = s.EndpointPolicies
				}
				switch {
				case local:
					r.certain, r.note = false, "ASM-PE-VNETLOCAL"
				case policies == model.PoliciesRouteTable || policies == model.PoliciesEnabled:
					r.by = by // the user route wins
				case policies == model.PoliciesNotStated:
					r.certain, r.note = false, "ASM-PE32"
				case exact:
					r.certain, r.note = false, "ASM-PE32" // AZ-PE-06
				}
			}
			out = append(out, r)
		}
	}
	return out
}

// rangeBits is the length of the VNet range that holds an address: a user route must be at least as long to displace an endpoint's /32.
func rangeBits(v *model.VNet, a netip.Addr) int {
	if v != nil {
		for _, x := range v.Prefixes {
			if x.Contains(a) {
				return x.Bits()
			}
		}
	}
	return a.BitLen()
}

// endpointsOf are the approved private endpoints that lead to a resource, in the order of their IDs.
func (p *planner) endpointsOf(target model.ID) []*model.PrivateEndpoint {
	var out []*model.PrivateEndpoint
	for _, e := range p.e.Endpoints {
		if e.Target.Key() == target.Key() && carriesTraffic(e) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *model.PrivateEndpoint) int { return strings.Compare(a.ID.Key(), b.ID.Key()) })
	return out
}
