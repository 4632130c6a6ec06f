package trace

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// endpointsAt lists the private endpoints that hold an address and are routed to from a VNet: its own, those of direct peers and of members of
// a connected group (AZ-RT-05, AZ-PE-02, AZ-AVNM-11).
func (w *world) endpointsAt(v *model.VNet, a netip.Addr) (out []*model.PrivateEndpoint, via []link) {
	for _, l := range w.near(v) {
		if l.remote == nil {
			continue
		}
		for _, p := range w.e.Endpoints {
			if w.inVNet(p.Subnet, l.remote) && slices.Contains(w.endpointAddresses(p), a) {
				out, via = append(out, p), append(via, l)
			}
		}
	}
	return out, via
}

// policies says whether the subnet of an endpoint subjects it to NSGs and to user routes (AZ-PE-03). An absent value is never assumed.
func (w *world) endpointPolicies(p *model.PrivateEndpoint) (nsg, routes match) {
	s, _ := w.e.SubnetOf(p.Subnet)
	if s == nil {
		return maybe(), maybe()
	}
	switch s.EndpointPolicies {
	case model.PoliciesEnabled:
		return yes(), yes()
	case model.PoliciesNSG:
		return yes(), no()
	case model.PoliciesRouteTable:
		return no(), yes()
	case model.PoliciesDisabled:
		return no(), no()
	default:
		return maybe("ASM-PE32"), maybe("ASM-PE32")
	}
}

// routeToEndpoint follows the /32 route of a private endpoint. A user route displaces it only if the endpoint's subnet has route
// policies on, and the route is at least as long as the range of the endpoint's VNet that holds the address (AZ-RT-22, AZ-PE-05). It reports
// whether the ordinary table has nothing more to say.
func (t *tracer) routeToEndpoint(c course, h *host, table []route) bool {
	endpoints, via := t.endpointsAt(h.vnet, c.packet.Dst)
	done := false
	imported := t.e.RoutesAt(h.nicID())
	for i, p := range endpoints {
		if imported != nil && familiesOf(imported)[c.packet.Dst.BitLen()] && c.dst.may == nil {
			return false // AZ-RT-33: its /32 stands in the NIC's own table, or it has none there
		}
		displaced, local := t.displaced(h, table, p, c.flow())
		direct := func(c course) {
			c = c.add(hopOf(h, route{
				prefix: netip.PrefixFrom(c.packet.Dst, c.packet.Dst.BitLen()), hop: model.HopPrivateEndpoint,
			}, true, nil))
			t.arriveEndpoint(t.crossInto(c, via[i], h.place), p)
		}
		switch {
		case imported != nil: // an endpoint whose address the input does not state: which row is its own is not known
			direct(c.uncertain())
		case displaced.may && local:
			// ASM-PE-VNETLOCAL: the route is said to invalidate the /32 without taking effect itself.
			direct(c.uncertain("ASM-PE-VNETLOCAL"))
			t.drop(c.uncertain("ASM-PE-VNETLOCAL"), h.place, Routing, "a VnetLocal route may have displaced the endpoint's own (AZ-PE-05)")
			winners, _ := t.winners(h, table, c.flow()) // of an endpoint whose address is not stated another route may be the one
			for _, r := range winners {
				t.follow(c, h, r, false, []string{"ASM-PE-VNETLOCAL"})
			}
			done = true
		case displaced.must: // the user route takes the packet
		case !t.approved(p) || !via[i].certain || via[i].peering != nil && !t.routesEndpoint(via[i], h, c.dst):
			// Whether an endpoint has its route is not known where its connection is not approved, or the peering may not lead to it.
			d := c.uncertain()
			if via[i].peering != nil && via[i].subnets() {
				d = d.uncertain("ASM-SUBNETPEER")
			}
			direct(d)
			winners, _ := t.winners(h, table, c.flow())
			for _, r := range winners {
				t.follow(c, h, r, false, nil)
			}
			done = true
		case displaced.may:
			direct(c.uncertain(displaced.why...))
			winners, _ := t.winners(h, table, c.flow())
			for _, r := range winners {
				t.follow(c, h, r, false, displaced.why)
			}
			done = true
		default:
			direct(c)
			done = true
		}
	}
	return done
}

// routesEndpoint says whether a peering surely leads to an endpoint: its subnet is peered with the sender's, its range synced (AZ-PEER-10,
// AZ-PEER-14).
func (t *tracer) routesEndpoint(l link, h *host, a address) bool {
	return l.peersSubnet(h.subnet).must && slices.ContainsFunc(t.peerPrefixes(l), func(p peerPrefix) bool {
		return p.certain && a.in(prefixSet(p.prefix)).must
	})
}

// displaced says whether a user route takes the packet away from the endpoint's own route, and whether it is a VnetLocal one.
func (w *world) displaced(h *host, table []route, p *model.PrivateEndpoint, f flow) (m match, local bool) {
	_, policy := w.endpointPolicies(p)
	for _, r := range table {
		if r.origin != userRoute {
			continue
		}
		if r.unknown() {
			m = m.or(maybe(r.why...)) // a /32 among the routes that the input lacks may do so whatever the policy (AZ-PE-06)
			continue
		}
		hit := w.covers(r, h, f)
		if !hit.may || !r.prefix.IsValid() {
			continue
		}
		var by match
		switch {
		case r.prefix.Bits() == r.prefix.Addr().BitLen() && !policy.may:
			by = maybe("ASM-PE32") // AZ-PE-06: a /32 with the policy off
		case r.prefix.Bits() >= w.rangeLength(p, f.dst):
			by = policy
		}
		by = by.and(hit)
		local = local || by.may && r.hop == model.HopVnetLocal
		m = m.or(by)
	}
	return m, local
}

// rangeLength is the length of the endpoint VNet's range that holds an address.
func (w *world) rangeLength(p *model.PrivateEndpoint, a address) int {
	best := 0
	if v, _ := w.vnetOf(p.Subnet); v != nil {
		for _, prefix := range v.Prefixes {
			if prefix.IsValid() && a.in(prefixSet(prefix)).may {
				best = max(best, prefix.Bits())
			}
		}
	}
	return best
}

// arriveEndpoint is the receiving side of a private endpoint: state, and the subnet's NSG if policies are on (AZ-PE-01, AZ-PE-03).
// Security admin rules never apply (AZ-AVNM-10).
func (t *tracer) arriveEndpoint(c course, p *model.PrivateEndpoint) {
	h := t.endpointHost(p)
	if !t.step(&c, "arrive", h.place) {
		return
	}
	c.entry, c.last = nil, h
	if !t.approved(p) {
		t.drop(c, h.place, Transport, "the connection of the private endpoint is "+t.endpointState(p)+" (AZ-PE-01, AZ-PAAS-06)")
		return
	}
	nsg, _ := t.endpointPolicies(p)
	next := func(c course) { t.atEndpoint(c, p) }
	doubts := t.doubtsAt(h)
	if !nsg.may && len(doubts) == 0 {
		next(c.forward(h.place, Transport, "endpoint policies are off, an NSG would be ignored (AZ-PE-04)"))
		return
	}
	if h.subnet != nil && (h.subnet.NSG == "" || !nsg.may) {
		if len(doubts) == 0 {
			next(c)
			return
		}
		t.decide(c, Hop{At: h.place, Stage: SubnetIn}, hindered(allowed("", h.subnet.Source), doubts), next) // AZ-GEN-08
		return
	}
	v := t.subnetVerdict(h, c.flow(), model.Inbound)
	if g, ok := model.Get[*model.NSG](t.e, t.subnetNSG(h)); ok && tooLarge(g) {
		v = v.either(verdict{allow: blame{is: true, detail: "the NSG is too large for private endpoints, its rules may fail (AZ-PE-07)"}}, "ASM-PE-SIZE")
	}
	if !nsg.must {
		v = v.either(verdict{allow: blame{is: true, detail: "endpoint policies may be off"}}, nsg.why...)
	}
	t.decide(c, Hop{At: h.place, Stage: SubnetIn}, hindered(v.settle(), doubts), next)
}

// approved reports whether an endpoint carries traffic (AZ-PE-01).
func (w *world) approved(p *model.PrivateEndpoint) bool {
	state := w.endpointState(p)
	return state == "" || fold(state, "Approved")
}

// endpointState is the state of the connection, as the endpoint or as the service has it.
func (w *world) endpointState(p *model.PrivateEndpoint) string {
	if p.State != "" {
		return p.State
	}
	if s, ok := model.Get[*model.Service](w.e, p.Target); ok {
		for _, x := range s.Connections {
			if same(x.Endpoint, p.ID) {
				return x.State
			}
		}
	}
	return ""
}

// atEndpoint delivers to the endpoint. Behind one of a Private Link service lies the Service that made it (AKS-LB-08): the packet goes on
// with an address of the provider's own subnet (AZ-PE-10).
func (t *tracer) atEndpoint(c course, p *model.PrivateEndpoint) {
	at := model.Place{Kind: model.PlaceEndpoint, ID: p.ID}
	if a, ok := model.Get[*model.APIM](t.e, p.Target); ok { // AZ-APIM-02
		for i := range a.Sites {
			t.deliver(c, apimPlace(a, i))
		}
	}
	t.deliver(c, at)
	if !fold(p.Target.Type(), "Microsoft.Network/privateLinkServices") {
		return
	}
	for _, s := range t.e.KubeServices {
		if !linkServiceOf(s, p.Target) {
			continue
		}
		for _, a := range t.frontendAddresses(s) {
			t.throughLink(c, at, s, a)
		}
		return
	}
	t.lose(c, model.Place{Kind: model.PlaceUnknown, ID: p.Target}, Transport, "the input lacks what lies behind the Private Link service (AZ-PE-10)", "ASM-NEXTHOP")
}

// linkServiceOf reports that a Service asked for a Private Link service of this name.
func linkServiceOf(s *model.KubeService, id model.ID) bool {
	return s.Annotation("azure-pls-create") == "true" && fold(s.Annotation("azure-pls-name"), id.Name())
}

// throughLink carries a packet through a Private Link service to a Service's frontend.
func (t *tracer) throughLink(c course, at model.Place, s *model.KubeService, frontend netip.Addr) {
	if c.packet.Protocol != model.TCP && c.packet.Protocol != model.UDP {
		t.drop(c, at, Transport, "Private Link carries TCP and UDP only (AZ-PE-10)")
		return
	}
	h := t.hostIn(at, "")
	for _, id := range t.linkSubnets(s) {
		h = t.hostIn(at, id)
		break
	}
	before := c.packet
	may := usableOf(h)
	if emptySet(may) {
		may = privateSpace()
	}
	t.pick([]address{pickedOf(address{at: first(may), may: may})}, "ASM-SNATPOOL", func(a address) {
		d := c.from(a, c.packet.SPort).to(t.address(frontend), c.packet.DPort)
		d.pod, d.node, d.entry = nil, nil, nil
		d = d.add(Hop{At: at, Stage: SNAT, Action: Forward, Detail: "Private Link service of " + s.Namespace + "/" + s.Name(), Source: s.Source, Certain: true})
		t.toService(d.cross(crossing{at: at, before: before, subnet: h.subnet, vnet: h.vnet, source: true, link: true}), s)
	})
}

// linkSubnets is where the NAT addresses of a Service's Private Link service lie: the annotated subnet, else the frontend's.
func (w *world) linkSubnets(s *model.KubeService) []model.ID {
	name := s.Annotation("azure-pls-ip-configuration-subnet")
	for _, id := range w.frontendSubnets(s) {
		if v, _ := w.vnetOf(id); v != nil && name != "" {
			for _, x := range w.subnetsOf(v) {
				if fold(x.Name(), name) {
					return []model.ID{x.ID}
				}
			}
		}
	}
	return w.frontendSubnets(s)
}

// tooLarge reports an NSG with more combinations of sources, destinations and ports than private endpoints support (AZ-PE-07).
func tooLarge(g *model.NSG) bool {
	const limit = 250_000
	size := func(m model.AddressMatch) int { return max(1, len(m.Prefixes)+len(m.Tags)+len(m.ASGs)) }
	for _, r := range g.Rules {
		if size(r.SourceAddrs)*size(r.DestAddrs)*max(1, len(r.DestPorts)) > limit {
			return true
		}
	}
	return false
}
