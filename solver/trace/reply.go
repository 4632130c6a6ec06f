package trace

import (
	"slices"

	"github.com/ringfence/ringfence/model"
)

// returns says whether the reply of a delivered packet comes back for certain (AZ-GEN-04, AZ-RT-28, AZ-RT-29, AZ-FW-07). Rules let replies pass by
// their state; what matters is the way: the replier's own routes must lead to where the packet came from, through every device that
// keeps state and past none that did not see the packet.
func (t *tracer) returns(c course, at model.Place) bool {
	switch at.Kind {
	case model.PlaceInternet, model.PlaceService, model.PlaceGateway: // a gateway's listeners answer as a public service does (AZ-GW-10)
		return t.backFromOutside(c)
	case model.PlaceAPIServer:
		if c.last == nil {
			return t.backFromOutside(c)
		}
	case model.PlacePlatform:
		return true
	case model.PlaceFarSide:
		return t.backFromFarSide(c, at)
	case model.PlacePod:
		if c.inCluster { // between pods and nodes of one cluster nothing else routes
			return true
		}
	default:
	}
	if c.last == nil {
		return true // a cluster whose network the input does not state
	}
	if n := len(c.crossed); n > 0 && c.crossed[n-1].node == c.last {
		// Between the pod and the node that handed the packet on nothing else routes.
		return t.back(c, c.last, t.address(c.crossed[n-1].before.Src), c.crossed[:n-1])
	}
	return t.back(c, c.last, c.src, c.crossed)
}

// outside reports a sender on public addresses that the estate does not route: the internet, a Front Door (AZ-AFD-01).
func outside(p model.Place) bool {
	return p.Kind == model.PlaceInternet || p.Kind == model.PlaceFrontDoor
}

// backFromOutside: a public service, a gateway's listener or an internet host answers to the address that it saw.
func (t *tracer) backFromOutside(c course) bool {
	crossed := untranslate(c.crossed)
	switch {
	case c.endpoint != nil, len(crossed) > 0 && crossed[len(crossed)-1].source:
		return t.backAt(c, c.src, crossed)
	case outside(c.packet.From):
		return len(crossed) == 0
	default:
		// A packet of a cluster whose network the input does not state.
		return len(crossed) == 0 && c.src.overlay == nil && c.last == nil
	}
}

// backFromFarSide: outside networks know the ranges of the gateway's VNet and of the peers that use the gateway (AZ-PEER-06, AZ-PEER-07).
func (t *tracer) backFromFarSide(c course, at model.Place) bool {
	seen := c.shown
	for _, a := range t.attachments() {
		if a.branch != nil && a.place().Key() == at.Key() { // AZ-WAN-09
			return t.backAtHub(c, a, seen, c.crossed)
		}
	}
	g, ok := model.Get[*model.Gateway](t.e, at.ID)
	if !ok {
		return false
	}
	h := t.gatewayHost(g)
	if h.vnet == nil {
		return false
	}
	known := seen.in(prefixSet(h.vnet.Prefixes...))
	for _, l := range t.links(h.vnet) {
		if l.remote != nil && l.back != nil && l.back.UseRemoteGateways == model.On && l.peering.AllowGatewayTransit == model.On {
			known = known.or(seen.in(prefixSet(l.remote.Prefixes...)))
		}
	}
	known = known.or(t.toldByBGP(g, at.Part, seen))
	crossed := c.crossed
	if n := len(crossed); n > 0 && crossed[n-1].gateway != nil {
		// A site that custom routes lead clients to, and that speaks no BGP, may have no route back to them (AZ-GW-04).
		return known.must && t.backThroughGateway(c, seen, crossed)
	}
	if c.packet.From.Kind == model.PlaceFarSide {
		return true
	}
	return known.must && t.back(c, h, seen, crossed)
}

// toldByBGP: by BGP a far side knows what lies behind the other connections of its gateway as well (AZ-GW-04, AZ-GW-05).
func (t *tracer) toldByBGP(g *model.Gateway, part string, seen address) match {
	bgp := func(c *model.Connection) bool {
		return c == nil || c.BGP == model.On || g.Kind == model.ExpressRouteGateway
	}
	name := func(c *model.Connection) string {
		if c == nil {
			return clients
		}
		return c.Name()
	}
	speaks := part == clients || slices.ContainsFunc(t.connections(g), func(c *model.Connection) bool { return fold(c.Name(), part) && bgp(c) })
	m := no()
	for _, r := range t.gatewayPrefixes(g) {
		if speaks && r.certain && r.prefix.IsValid() && r.prefix.Bits() > 0 && bgp(r.connection) && !fold(name(r.connection), part) {
			m = m.or(seen.in(prefixSet(r.prefix)))
		}
	}
	return m
}

// untranslate takes off the translations of the destination: they are undone where the reply starts, and change no route.
func untranslate(crossed []crossing) []crossing {
	for len(crossed) > 0 && !crossed[len(crossed)-1].source && !crossed[len(crossed)-1].stateful && crossed[len(crossed)-1].gateway == nil {
		crossed = crossed[:len(crossed)-1]
	}
	return crossed
}

// back follows the reply from a host to the address that the packet showed there.
func (t *tracer) back(c course, h *host, seen address, crossed []crossing) bool {
	crossed = untranslate(crossed)
	if h.vnet == nil {
		f, ok := model.Get[*model.Firewall](t.e, h.place.ID)
		return ok && t.hubOf(f) != nil && t.backFromHubFirewall(c, f, t.hubOf(f), seen, crossed)
	}
	// AZ-PLAT-02, AZ-GEN-05: answers to the host addresses meet no route, those between addresses of one NIC never leave it. Neither passes a
	// device.
	if sameAddress(h.addr, seen) || isPlatform(seen.at) {
		for n := len(crossed); n > 0 && crossed[n-1].source && !crossed[n-1].stateful && !crossed[n-1].link; n = len(crossed) { // at the sender's own host
			crossed = untranslate(crossed[:n-1])
		}
		return len(crossed) == 0
	}
	// AZ-PE-08, AKS-API-03: the reply of an endpoint, and so of a private API server, may bypass the appliance.
	o := tableOptions{noUser: h.place.Kind == model.PlaceEndpoint || h.place.Kind == model.PlaceAPIServer}
	// AZ-RT-34: a hop is followed for certain only where all possible winners agree on it.
	winners, certain := t.winners(h, t.table(h, o), flow{src: h.addr, dst: seen, protocol: c.packet.Protocol, tags: c.packet.Tags})
	for _, r := range winners {
		if !t.backBy(c, h, r, seen, crossed) {
			return false
		}
	}
	return certain
}

func sameAddress(a, b address) bool {
	return a.at.IsValid() && a.at == b.at && a.may == nil && b.may == nil
}

// backBy is the reply's next hop.
func (t *tracer) backBy(c course, h *host, r route, seen address, crossed []crossing) bool {
	switch r.hop {
	case model.HopVnetLocal, model.HopPeering, model.HopGlobalPeering, model.HopConnectedGroup:
		if from := c.packet.From; len(crossed) == 0 && (outside(from) || from.Kind == model.PlaceFarSide) {
			return false // the sender is outside
		}
		if r.hop == model.HopVnetLocal && !seen.in(prefixSet(h.vnet.Prefixes...)).must {
			return false // AZ-RT-15: what such a route does outside the VNet is not documented
		}
		return t.backAt(c, seen, crossed)
	case model.HopAppliance:
		if len(crossed) == 0 {
			return false // the appliance never saw the packet (AZ-FW-55)
		}
		last := crossed[len(crossed)-1]
		if !last.stateful || !t.isAppliance(h, r, last.at) {
			return false
		}
		return t.backThrough(c, last, crossed)
	case model.HopInternet:
		if len(crossed) == 0 {
			return outside(c.packet.From)
		}
		// Only a public address is answered through the internet: the node's, which a pod's packets carry (AKS-NET-01), is none.
		return crossed[len(crossed)-1].source && seen.isPublic().must && t.backAt(c, seen, crossed)
	case model.HopGateway:
		if r.hub != nil {
			n := len(crossed)
			if bypasses := h.place.Kind == model.PlaceEndpoint || h.place.Kind == model.PlaceAPIServer; bypasses && n > 0 && !crossed[n-1].source {
				return false // AZ-PE-08
			}
			return t.backAtHub(c, r.hub, seen, crossed)
		}
		n := len(crossed)
		if n == 0 || crossed[n-1].gateway == nil || !t.isGateway(h, r, crossed[n-1].gateway) {
			return false // it may be another gateway than the packet came by (AZ-RT-29)
		}
		return t.backThroughGateway(c, seen, crossed)
	case model.HopServiceEndpoint:
		return false
	default:
		return false
	}
}

// isAppliance reports that a route's next hop is the device that the packet crossed.
func (t *tracer) isAppliance(h *host, r route, at model.Place) bool {
	for _, l := range t.neighbourhood(h.vnet) {
		if l.remote == nil {
			continue
		}
		if f := t.firewallAt(l.remote, r.address); f != nil {
			return at.Kind == model.PlaceFirewall && same(f.ID, at.ID) && f.Address.IsValid()
		}
	}
	return false
}

// isGateway reports that a route surely leads to a gateway: to its own, or as a user route to the only one that serves it (AZ-RT-13).
func (t *tracer) isGateway(h *host, r route, g *model.Gateway) bool {
	whole := func(l *link) bool { return l == nil || !l.subnets() }
	if r.gateway != nil {
		return same(r.gateway.ID, g.ID) && whole(r.link)
	}
	serves := 0
	for _, use := range t.gatewaysOf(h.vnet) {
		v, _ := t.vnetOf(use.gateway.Subnet)
		if use.gateway.Kind == model.ExpressRouteGateway || v != nil && t.hasExpressRoute(v) {
			continue
		}
		serves++
		if !same(use.gateway.ID, g.ID) || !use.certain || !whole(use.link) || use.gateway.Kind == model.GatewayKindUnknown {
			return false
		}
	}
	return serves == 1
}

// backThroughGateway is the reply at the gateway that the packet crossed last: on to its far side, through the tunnel to the gateway of
// another VNet where it routes the sender's address there (AZ-GW-09), or by the routes of GatewaySubnet to whoever sent it from inside.
func (t *tracer) backThroughGateway(c course, seen address, crossed []crossing) bool {
	last, rest := crossed[len(crossed)-1], crossed[:len(crossed)-1]
	switch {
	case len(rest) == 0 && c.packet.From.Kind == model.PlaceFarSide:
		return true
	case last.tunnel && rest[len(rest)-1].gateway != nil:
		return t.tunnelsTo(last.gateway, rest[len(rest)-1].gateway, seen) && t.backThroughGateway(c, seen, rest)
	case last.tunnel:
		return false
	default:
		return t.back(c, t.gatewayHost(last.gateway), seen, rest)
	}
}

// tunnelsTo reports that a gateway surely sends packets for an address through its connection to another one.
func (t *tracer) tunnelsTo(g, other *model.Gateway, dst address) bool {
	bits, surely := -1, false
	for _, r := range t.gatewayPrefixes(g) {
		there := r.connection != nil && same(far(g, r.connection), other.ID)
		if !r.prefix.IsValid() {
			continue // EX-14: what a neighbour may advertise besides is left aside for replies
		}
		hit := dst.in(prefixSet(r.prefix))
		switch {
		case !hit.may:
		case r.prefix.Bits() > bits:
			bits, surely = r.prefix.Bits(), there && r.certain && hit.must
		case r.prefix.Bits() == bits:
			surely = surely && there
		}
	}
	return surely
}

// backAt is the reply at the holder of the address that the packet showed: the device that put it there, or the sender.
func (t *tracer) backAt(c course, seen address, crossed []crossing) bool {
	if len(crossed) == 0 {
		return true
	}
	last := crossed[len(crossed)-1]
	switch {
	case last.link: // Private Link answers by itself (AZ-PE-10)
		return true
	case last.source && last.stateful:
		return t.backThrough(c, last, crossed)
	case last.source: // translated at the sender's own host
		return t.backAt(c, t.address(last.before.Src), untranslate(crossed[:len(crossed)-1]))
	default:
		return false // a device that keeps state is passed by (AZ-RT-29)
	}
}

// backThrough undoes a device's translation and goes on from its subnet.
func (t *tracer) backThrough(c course, x crossing, crossed []crossing) bool {
	h := &host{place: x.at, subnet: x.subnet, vnet: x.vnet}
	if x.subnet != nil {
		h.subnetID = x.subnet.ID
	}
	return t.back(c, h, t.address(x.before.Src), crossed[:len(crossed)-1])
}
