package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// planGateway adds the far sides of a gateway as senders and receivers, and the gateway's own listeners.
func (p *planner) planGateway(g *model.Gateway) {
	via, _ := p.gatewayWay(g, "", "")
	for _, f := range p.farSides(g) {
		if p.internal(f) {
			continue
		}
		all, stated := p.senders(f)
		if isEmpty(all) {
			continue
		}
		place := farPlace(f)
		s := p.site(&Site{Place: place, Prefixes: all.Prefixes(), Outer: outerPairs(f.ingress), Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, "")})
		in, notes := p.arrives(f, s, all, stated)
		from := p.translateIn(s.Send, f)
		if g.Subnet == "" {
			p.forwardUnknown(from, "", everything(), append(notes, missing("subnet of", g.ID)))
			continue
		}
		p.intoGatewaySubnet(from, g, via, f.conn, in, notes...)
	}
	place := model.Place{Kind: model.PlaceGateway, ID: g.ID}
	if g.Kind != model.ExpressRouteGateway && len(g.PublicIPs) > 0 {
		// The gateway's own listeners: IKE, NAT traversal, SSTP and OpenVPN (AZ-GW-10).
		p.site(&Site{Place: place, Prefixes: nil, Send: -1, Receive: p.node(place, StageReceive, ""), Subnet: g.Subnet})
	}
}

// arrives is what comes in from a far side: its sources are those of its prefixes, for certain only where the input states them.
func (p *planner) arrives(f farSide, s *Site, all, stated *netipx.IPSet) (guard, []string) {
	in, notes := guard{}, []string{"ASM-ONPREM"}
	known := p.addr.set(withoutDefaults(f.stated())) // behind the translations of the connection, as its routes are
	uncertain := func(note string) {
		notes = append(notes, note)
		in = and(in, between(everything(), srcIn(known.must)))
	}
	switch {
	case !p.assumed("ASM-ONPREM"):
		s.Prefixes = []netip.Prefix{allV4(), allV6()} // AZ-GW-03
		uncertain("ASM-ONPREM")
	case f.learned != "":
		uncertain(f.learned)
	case !stated.Equal(all):
		uncertain("ASM-BEHIND") // AZ-GW-11: a declared zone reaches beyond the prefixes of the connection
	}
	if !f.certain || len(f.missing) > 0 {
		in.under = nothing()
	}
	return in, append(notes, f.missing...)
}

// intoGatewaySubnet hands packets from a far side to the routes of GatewaySubnet (AZ-RT-30). FastPath may skip its user routes
// (AZ-RT-31): both readings are kept, and what holds in both is certain.
func (p *planner) intoGatewaySubnet(from NodeID, g *model.Gateway, via string, conn *model.Connection, in guard, notes ...string) {
	plain := p.routing(g.Subnet, via, egressNone())
	s, _ := p.e.SubnetOf(g.Subnet)
	if conn == nil || conn.FastPath != model.On || s == nil || s.RouteTable == "" {
		p.edge(from, plain, in, nil, notes...)
		return
	}
	notes = append(notes, "ASM-FASTPATH")
	with, without := p.hopGroups(g.Subnet, ""), p.hopGroups(g.Subnet, noUserRoutes)
	same := later(func(c *compiler) packet.Set {
		var out []packet.Set
		for _, a := range with {
			for _, b := range without {
				if a.hop == b.hop {
					out = append(out, c.s.Intersect(a.under.get(c), b.under.get(c)))
				}
			}
		}
		return c.s.Union(out...)
	})
	p.edge(from, plain, and(in, between(everything(), same)), nil, notes...)
	p.edge(from, p.routing(g.Subnet, via, egress{key: "past the user routes", nic: noUserRoutes, none: true}), and(in, onlyOver(everything())), nil, notes...)
}

// noUserRoutes stands in the place of a NIC for packets that go past the user routes of a subnet.
const noUserRoutes model.ID = "past the user routes"

// towardsGateway hands packets from inside to a gateway, which forwards by the routes of GatewaySubnet (AZ-PEER-08). The reply comes
// back to the gateway, and from there by those routes the way that the packet came (AZ-RT-29).
func (p *planner) towardsGateway(from NodeID, use gatewayUse, via string, byUserRoute bool, sent guard, notes ...string) {
	way := byRoute
	if byUserRoute {
		way = byUser
	}
	into, ok := p.gatewayWay(use.gw, way, via)
	if !ok {
		return
	}
	if !use.certain {
		sent.under = nothing()
	}
	if use.link != nil {
		cross, more := p.carried(*use.link, via)
		if use.link.partial() { // AZ-PEER-14: nothing says that a peering of subnets leads to the gateway
			cross.under, more = nothing(), append(more, "ASM-SUBNETPEER")
		}
		sent, notes = and(sent, cross), append(slices.Clone(notes), more...)
	}
	sent = and(sent, exactly(p.routed()))
	g := use.gw
	p.edge(from, p.routing(g.Subnet, into, egressNone()), sent.withReply(p.reply(g.Subnet, via)), nil, notes...)
}

// routed is the packets that routes have a say in: all but those to the host addresses (AZ-PLAT-02).
func (p *planner) routed() *lazy {
	return minus(everything(), dstIn(p.addr.exactHosts(platformHosts()...)))
}

// tunnel leads packets at a gateway to its far sides. The longest prefix decides; which connection takes what is learned by BGP is not
// in the input (AZ-GW-11).
func (p *planner) tunnel(from NodeID, g *model.Gateway, via string, sent guard, notes ...string) {
	at := p.node(model.Place{Kind: model.PlaceGateway, ID: g.ID}, StageGateway, via)
	sent = and(sent, exactly(p.routed())) // AZ-PLAT-02
	if g.Kind == model.VPNGateway {
		v4 := later(func(c *compiler) packet.Set { return c.s.Box(packet.Box{Dst: c.u.Addrs(p.addr.v4)}) })
		sent = and(sent, exactly(v4)) // AZ-V6-05
	}
	p.edge(from, at, sent, nil, notes...)
	key := Node{Place: model.Place{Kind: model.PlaceGateway, ID: model.ID(g.ID.Key())}, Stage: StageGateway, Via: via}
	if p.routeDone[key] {
		return
	}
	p.routeDone[key] = true
	sides := p.farSides(g)
	for _, f := range sides {
		learned := slices.ContainsFunc(sides, func(other farSide) bool { return other.name != f.name && other.learned != "" })
		over, under := p.takes(sides, f)
		may, must := p.addr.space(over), p.addr.space(under)
		gd := between(dstIn(may.may), dstIn(must.must))
		var why []string
		if f.learned != "" {
			gd.over, why = everything(), append(why, f.learned)
		}
		if learned || !f.certain {
			gd.under = nothing()
		}
		gd = and(gd, p.transits(g, via, f))
		p.throughTunnel(at, g, f, via, gd, why...)
	}
}

// takes is the destinations that a connection takes by the prefixes of the input: over where it has a longest prefix of those that are
// surely there, under where no other has one as long.
func (p *planner) takes(sides []farSide, f farSide) (over, under *netipx.IPSet) {
	over, under = ipset(nil), ipset(nil)
	for _, r := range f.routes {
		mine, alone := ipset([]netip.Prefix{r.prefix}), ipset([]netip.Prefix{r.prefix})
		for _, other := range sides {
			for _, o := range other.routes {
				longer := o.prefix.Bits() > r.prefix.Bits() && r.prefix.Contains(o.prefix.Addr())
				if longer && o.certain {
					mine = minusSet(mine, ipset([]netip.Prefix{o.prefix}))
				}
				switch {
				case other.name == f.name:
				case longer:
					alone = minusSet(alone, ipset([]netip.Prefix{o.prefix}))
				case o.prefix == r.prefix:
					alone = ipset(nil)
				}
			}
		}
		over = unionSet(over, mine)
		if r.certain {
			under = unionSet(under, alone)
		}
	}
	return over, under
}

// throughTunnel carries packets to the far side of a connection: another VNet's gateway, or what lies outside of the estate, behind
// the translations of the connection (AZ-GW-12). via is how they came into the gateway.
func (p *planner) throughTunnel(at NodeID, g *model.Gateway, f farSide, via string, gd guard, notes ...string) {
	notes = append(notes, f.missing...)
	if p.internal(f) {
		// AZ-GW-09: on the other side the packet enters that VNet through its gateway, and its reply comes back through it.
		if into, ok := p.gatewayWay(f.peer, "|"+f.gw.ID.Key(), via); ok && f.peer.Subnet != "" {
			p.intoGatewaySubnet(at, f.peer, into, f.conn, gd.withReply(p.tunnelBack(f)), notes...)
		}
		return
	}
	if g.Kind == model.ExpressRouteGateway {
		p.circuit(at, g, f, via, gd)
	}
	// The other side knows the ranges of the VNet and of the peers in transit (AZ-PEER-06, AZ-PEER-07).
	p.translateOut(at, f, gd.withReply(p.announced(g, f)), notes)
}

// announced is the packets from ranges that a far side of a gateway has a route to.
func (p *planner) announced(g *model.Gateway, out farSide) *lazy {
	v := p.gatewayVNet(g)
	if v == nil {
		return nothing()
	}
	known := slices.Clone(v.Prefixes)
	for _, l := range p.peers(v) {
		if l.remote != nil && l.remoteSide.UseRemoteGateways == model.On && l.local.AllowGatewayTransit == model.On {
			known = append(known, l.remote.Prefixes...)
		}
	}
	for _, f := range p.farSides(g) { // AZ-GW-04, AZ-GW-05: by BGP, what lies behind the other connections as well
		if f.name == out.name || !f.bgp || !out.bgp {
			continue
		}
		for _, r := range f.routes {
			if r.certain && r.prefix.Bits() > 0 {
				known = append(known, r.prefix)
			}
		}
	}
	return srcIn(p.addr.set(known).must)
}

// tunnelBack is the packets whose reply the gateway of the other VNet sends back through the tunnel: it routes their source there.
func (p *planner) tunnelBack(f farSide) *lazy {
	sides := p.farSides(f.peer)
	for _, back := range sides {
		if back.peer != nil && back.peer.ID.Key() == f.gw.ID.Key() {
			_, under := p.takes(sides, back)
			return srcIn(p.addr.space(under).must)
		}
	}
	return nothing()
}

// transits is what may leave by a connection, by the way that it came into the gateway: from inside, everything; from a far side, what
// comes by another connection, for certain where both exchange routes by BGP, possibly where any connection does, or where texts
// contradict each other about a site (AZ-GW-04, AZ-GW-05).
func (p *planner) transits(g *model.Gateway, via string, out farSide) guard {
	base, way, _ := gatewayParts(via)
	switch {
	case way == byRoute, way == byUser, way == byCircuit:
		return guard{}
	case base != gatewayVia(g):
		return p.betweenGateways(g)
	case way != "":
		for _, in := range p.farSides(g) {
			if in.peer != nil && way == "|"+in.peer.ID.Key() {
				return p.passes(g, in, out)
			}
		}
		return p.passes(g, farSide{gw: g, name: way}, out)
	}
	var over, under []*lazy
	for _, in := range p.farSides(g) {
		if p.internal(in) {
			continue
		}
		from := p.fromPlace(farPlace(in))
		t := p.passes(g, in, out)
		o, u := t.over, t.under
		if o == nil {
			o = everything()
		}
		if u == nil {
			u = o
		}
		over, under = append(over, both(from, o)), append(under, both(from, u))
	}
	return between(either(over...), either(under...))
}

// betweenGateways is what passes from one gateway of a VNet to another one, between ExpressRoute and VPN: nothing, unless a Route Server
// of the VNet joins them (AZ-RS-03). A RouteServerSubnet without its Route Server says that the input may lack one.
func (p *planner) betweenGateways(g *model.Gateway) guard {
	v := p.gatewayVNet(g)
	if v == nil {
		return onlyOver(everything())
	}
	for _, rs := range p.e.RouteServers {
		if rs.Subnet.Parent().Key() == v.ID.Key() {
			switch rs.BranchToBranch {
			case model.On:
				return guard{}
			case model.Off:
				return exactly(nothing())
			default:
				return onlyOver(everything())
			}
		}
	}
	for _, id := range v.Subnets {
		if strings.EqualFold(id.Name(), "RouteServerSubnet") {
			return onlyOver(everything())
		}
	}
	return exactly(nothing())
}

// passes is what may pass from one far side of a gateway to another.
func (p *planner) passes(g *model.Gateway, in, out farSide) guard {
	if in.name == out.name {
		return exactly(nothing()) // the packet would leave by the connection that it came by
	}
	if in.bgp && out.bgp {
		return guard{}
	}
	var custom []netip.Prefix
	if in.conn == nil {
		custom = g.CustomRoutes
	}
	told := dstIn(p.addr.set(custom).must)
	any := slices.ContainsFunc(p.farSides(g), func(f farSide) bool { return f.conn != nil && f.bgp })
	if !any && out.peer != nil {
		return exactly(told)
	}
	return between(everything(), told)
}

// fromPlace is the packets that a place sent.
func (p *planner) fromPlace(place model.Place) *lazy {
	return p.ofSites(func(s *Site) bool { return s.Place.Key() == place.Key() })
}

// fromKind is the packets that places of one kind sent.
func (p *planner) fromKind(k model.PlaceKind) *lazy {
	return p.ofSites(func(s *Site) bool { return s.Place.Kind == k })
}

// ofSites is the packets that some sites sent.
func (p *planner) ofSites(is func(*Site) bool) *lazy {
	return later(func(c *compiler) packet.Set {
		var rs []packet.Range
		for i, o := range p.origins {
			if is(o.Site) {
				rs = append(rs, packet.Range{Lo: uint32(i), Hi: uint32(i)})
			}
		}
		if len(rs) == 0 {
			return packet.Set{}
		}
		return c.s.Box(packet.Box{Origin: rs})
	})
}

// circuit carries packets over an ExpressRoute circuit into other VNets on it, past any peering, unless both gateways refuse
// (AZ-GW-07).
func (p *planner) circuit(at NodeID, g *model.Gateway, f farSide, via string, gd guard) {
	for _, other := range p.e.Gateways {
		v := p.gatewayVNet(other)
		if other.ID.Key() == g.ID.Key() || other.Kind != model.ExpressRouteGateway || v == nil || g.AllowRemoteVNet == model.Off && other.AllowRemoteVNet == model.Off {
			continue
		}
		if !p.sharesCircuit(f.conn, other) {
			continue
		}
		if into, ok := p.gatewayWay(other, byCircuit, via); ok {
			to := onlyOver(dstIn(p.addr.set(v.Prefixes).may))
			p.edge(at, p.routing(other.Subnet, into, egressNone()), and(gd, to), nil, "ASM-ER")
		}
	}
}

// sharesCircuit reports whether a gateway may be on the circuit of a connection: it has a connection to the same circuit, or to one
// that the input does not name, or no connection in the input at all.
func (p *planner) sharesCircuit(c *model.Connection, other *model.Gateway) bool {
	conns := p.connectionsOf(other)
	if c == nil || c.Peer == "" || len(conns) == 0 {
		return true
	}
	return slices.ContainsFunc(conns, func(o *model.Connection) bool { return o.Peer == "" || o.Peer.Key() == c.Peer.Key() })
}

// defaultSite is packets that user routes brought to a gateway for a destination which no connection names: a default site, which the
// input does not state, may take them (AZ-GW-08, ASM-BEHIND).
func (p *planner) defaultSite(from NodeID, g *model.Gateway, via string, sent guard) {
	for _, f := range p.farSides(g) {
		if f.conn != nil && !p.internal(f) {
			p.throughTunnel(from, g, f, via, and(sent, onlyOver(everything())), "ASM-BEHIND")
		}
	}
}

// gatewayOut is packets whose route at GatewaySubnet leads to the internet: a gateway has no way out there. What a user route brought
// may go to a default site.
func (p *planner) gatewayOut(from NodeID, via string, sent guard) {
	if g, ok := model.Get[*model.Gateway](p.e, p.vias[via].ID); ok {
		if _, way, _ := gatewayParts(via); way == byUser {
			p.defaultSite(from, g, via, sent)
		}
	}
}

// onlyTunnels reports a gateway that gets only what its own connections hold, so that nothing else can become of a packet at
// GatewaySubnet: no routes are learned, none are user routes, and no prefix reaches into the estate.
func (p *planner) onlyTunnels(subnet model.ID, via string) bool {
	if _, way, _ := gatewayParts(via); !isGateway(via) || way != byRoute {
		return false
	}
	s, _ := p.e.SubnetOf(subnet)
	g, ok := model.Get[*model.Gateway](p.e, p.vias[via].ID)
	if !ok || s == nil || s.RouteTable != "" {
		return false
	}
	inside := p.estateSpace()
	return !slices.ContainsFunc(p.farSides(g), func(f farSide) bool { return f.learned != "" || ipset(f.stated()).Overlaps(inside) })
}
