package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// farSide is what lies behind one connection of a gateway, or behind its point-to-site listener.
type farSide struct {
	gw      *model.Gateway
	conn    *model.Connection // nil: point-to-site clients
	name    string            // connection name, or p2s
	routes  []farRoute        // the prefixes by which the estate knows it, behind any translation (AZ-GW-12)
	learned string            // what prefixes beyond those hang on: they are learned by BGP or not in the input; "" for none
	peer    *model.Gateway    // VNet-to-VNet: the other gateway
	certain bool              // the connection carries traffic for certain
	bgp     bool              // it exchanges routes, so that transit is certain (AZ-GW-04, AZ-GW-05)
	ingress []natRule
	egress  []natRule
	missing []string // NAT rules that the connection names and the input lacks
}

// farRoute is a prefix of a far side.
type farRoute struct {
	prefix  netip.Prefix
	static  bool // of a local network gateway: in the VirtualNetwork tag (AZ-TAG-01)
	certain bool
}

// gatewayUse is a gateway whose routes a VNet has: its own, or one that it uses through a peering (AZ-PEER-06).
type gatewayUse struct {
	gw      *model.Gateway
	link    *peerLink // nil: the VNet's own
	certain bool
}

const p2s = "p2s"

// Ways into a gateway, as the last forwarder that packets passed: from a far side, from inside by a route of the gateway or of a user,
// through the tunnel of another VNet's gateway, or over an ExpressRoute circuit from another VNet.
const (
	viaFar     = "gateway:"
	byRoute    = "|route"
	byUser     = "|user"
	byCircuit  = "|circuit"
	gatewayTag = "gateway:"
)

func isGateway(via string) bool { return strings.HasPrefix(via, gatewayTag) }

func gatewayVia(g *model.Gateway) string { return viaFar + g.ID.Key() }

// maxTrail is how many gateways before the last one a way remembers, and maxTrailed in how large an estate: their combinations are many.
// Over then keeps what a loop would do, which is more than happens.
const (
	maxTrail   = 3
	maxTrailed = 8
)

// gatewayWay registers a way into a gateway. from is the forwarder before it: where that is a gateway too, the way remembers it, and false says
// that the packet was here before. One that comes back as it was takes the same way again, round and round (AZ-RT-12).
func (p *planner) gatewayWay(g *model.Gateway, way, from string) (string, bool) {
	via := gatewayVia(g) + way
	if isGateway(from) {
		base, _, trail := gatewayParts(from)
		trail = append(trail, strings.TrimPrefix(base, viaFar))
		if slices.Contains(trail, g.ID.Key()) {
			return "", false
		}
		if len(p.e.Gateways) > maxTrailed {
			trail = nil
		}
		for _, x := range trail[max(0, len(trail)-maxTrail):] {
			via += "|" + x
		}
	}
	p.vias[via] = model.Place{Kind: model.PlaceGateway, ID: g.ID}
	return via, true
}

// gatewayParts takes a way into a gateway apart: the gateway, how packets came in, and the gateways before.
func gatewayParts(via string) (base, way string, trail []string) {
	parts := strings.Split(via, "|")
	if len(parts) == 1 {
		return parts[0], "", nil
	}
	return parts[0], "|" + parts[1], parts[2:]
}

// gatewayVNet is the VNet of a gateway.
func (p *planner) gatewayVNet(g *model.Gateway) *model.VNet {
	v, _ := model.Get[*model.VNet](p.e, g.Subnet.Parent())
	return v
}

// ownGateways are the gateways in a VNet.
func (p *planner) ownGateways(v *model.VNet) []*model.Gateway {
	var out []*model.Gateway
	for _, g := range p.e.Gateways {
		if g.Subnet != "" && g.Subnet.Parent().Key() == v.ID.Key() {
			out = append(out, g)
		}
	}
	return out
}

// gatewaysOf are the gateways whose routes a VNet has: its own, and those that it uses through a peering (AZ-PEER-06).
func (p *planner) gatewaysOf(v *model.VNet) []gatewayUse {
	list, ok := p.gateways[v]
	if !ok {
		list = p.findGateways(v)
		p.gateways[v] = list
	}
	return list
}

func (p *planner) findGateways(v *model.VNet) []gatewayUse {
	var out []gatewayUse
	for _, g := range p.ownGateways(v) {
		out = append(out, gatewayUse{gw: g, certain: true})
	}
	for _, l := range p.peers(v) {
		if l.local.UseRemoteGateways != model.On || l.remoteSide.AllowGatewayTransit != model.On || l.remote == nil {
			continue
		}
		for _, g := range p.ownGateways(l.remote) {
			out = append(out, gatewayUse{gw: g, link: &l, certain: l.certain})
		}
	}
	return out
}

// serving are the gateways that a user route with next hop VirtualNetworkGateway may lead to: no ExpressRoute gateway, and none beside
// one (AZ-RT-13).
func (p *planner) serving(v *model.VNet) []gatewayUse {
	var out []gatewayUse
	for _, use := range p.gatewaysOf(v) {
		home := p.gatewayVNet(use.gw)
		coexists := home != nil && slices.ContainsFunc(p.ownGateways(home), func(g *model.Gateway) bool { return g.Kind == model.ExpressRouteGateway })
		if use.gw.Kind == model.ExpressRouteGateway || coexists {
			continue
		}
		if use.gw.Kind == model.GatewayKindUnknown {
			use.certain = false
		}
		out = append(out, use)
	}
	return out
}

// returnsBy reports that routes to a gateway lead to that one by which packets came: another one may not know the sender (AZ-RT-29).
func (p *planner) returnsBy(subnet, gateway model.ID, g hopGroup) bool {
	whole := func(use gatewayUse) bool { return use.link == nil || !use.link.partial() }
	if g.use != nil {
		return whole(*g.use) && g.use.gw.ID.Key() == gateway.Key()
	}
	_, v := p.e.SubnetOf(subnet)
	if v == nil {
		return false
	}
	list := p.serving(v)
	return len(list) == 1 && list[0].certain && whole(list[0]) && list[0].gw.ID.Key() == gateway.Key()
}

// connectionsOf lists the connections of a gateway. A VNet-to-VNet connection serves both its ends; where each end has an object, a
// gateway's own one speaks for it.
func (p *planner) connectionsOf(g *model.Gateway) []*model.Connection {
	var out []*model.Connection
	for _, c := range p.e.Connections {
		if c.Gateway.Key() == g.ID.Key() {
			out = append(out, c)
		}
	}
	for _, c := range p.e.Connections {
		if c.Peer.Key() != g.ID.Key() || c.Gateway.Key() == g.ID.Key() {
			continue
		}
		if !slices.ContainsFunc(out, func(own *model.Connection) bool { return own.Peer.Key() == c.Gateway.Key() }) {
			out = append(out, c)
		}
	}
	return out
}

// otherEnd is the far end of a connection.
func otherEnd(g *model.Gateway, c *model.Connection) model.ID {
	if c.Gateway.Key() == g.ID.Key() {
		return c.Peer
	}
	return c.Gateway
}

// farSides lists what lies behind a gateway, in the order of the connections' IDs; point-to-site last.
func (p *planner) farSides(g *model.Gateway) []farSide {
	if sides, ok := p.sides[g.ID.Key()]; ok {
		return sides
	}
	var out []farSide
	for _, c := range p.connectionsOf(g) {
		circuit := g.Kind == model.ExpressRouteGateway // always BGP (AZ-GW-06)
		f := farSide{gw: g, conn: c, name: c.ID.Name(), certain: p.carriesFor(g, c), bgp: c.BGP == model.On || circuit}
		f.peer, _ = model.Get[*model.Gateway](p.e, otherEnd(g, c))
		if f.peer == nil && g.Kind != model.ExpressRouteGateway {
			f.ingress, f.missing = p.natRules(g, c.IngressNAT, "IngressSnat")
			more := []string(nil)
			f.egress, more = p.natRules(g, c.EgressNAT, "EgressSnat")
			f.missing = append(f.missing, more...)
		}
		f.routes, f.learned = p.behind(g, c, map[string]bool{g.ID.Key(): true})
		if len(f.missing) > 0 {
			for i := range f.routes {
				f.routes[i].certain = false
			}
		}
		if lng, ok := model.Get[*model.LocalNetworkGateway](p.e, otherEnd(g, c)); ok && g.DefaultSite.Key() == lng.ID.Key() {
			f.routes = append(f.routes, farRoute{prefix: allV4(), certain: f.certain}) // AZ-GW-08
		}
		out = append(out, f)
	}
	if len(g.ClientPools) > 0 {
		f := farSide{gw: g, name: p2s, certain: len(p.stops(g.ID)) == 0, bgp: true}
		for _, x := range g.ClientPools {
			f.routes = append(f.routes, farRoute{prefix: x, certain: f.certain})
		}
		out = append(out, f)
	}
	p.sides[g.ID.Key()] = out
	return out
}

// carriesFor reports that a connection of a gateway carries traffic for certain: it is up, and all that the input says of it, of the gateway and
// of its far end was understood (AZ-GEN-08).
func (p *planner) carriesFor(g *model.Gateway, c *model.Connection) bool {
	return connected(c.State) && len(p.stops(g.ID, c.ID, otherEnd(g, c))) == 0
}

// behind lists the prefixes behind one connection: those of a local network gateway (AZ-GW-02), the ranges of the other VNet
// (AZ-GW-09), and with BGP whatever the other side knows (AZ-GW-05). learned says what more there may be, that the input does not
// state: routes of ExpressRoute (AZ-GW-06), of BGP, of a far end that is not in the input.
func (p *planner) behind(g *model.Gateway, c *model.Connection, seen map[string]bool) (routes []farRoute, learned string) {
	up := p.carriesFor(g, c)
	add := func(x netip.Prefix, static, certain bool) {
		routes = append(routes, farRoute{prefix: x, static: static, certain: certain && up})
	}
	if g.Kind == model.ExpressRouteGateway || strings.EqualFold(c.Kind, "ExpressRoute") {
		return nil, "ASM-ER"
	}
	if peer, ok := model.Get[*model.Gateway](p.e, otherEnd(g, c)); ok {
		v := p.gatewayVNet(peer)
		if v == nil {
			return nil, missing("virtual network", peer.Subnet.Parent())
		}
		for _, x := range v.Prefixes {
			add(x, false, true)
		}
		if c.BGP != model.On || seen[peer.ID.Key()] {
			return routes, ""
		}
		seen[peer.ID.Key()] = true
		for _, x := range peer.ClientPools {
			add(x, false, true)
		}
		for _, l := range p.peers(v) { // spokes in transit are announced (AZ-PEER-06)
			if l.remote != nil && l.remoteSide.UseRemoteGateways == model.On && l.local.AllowGatewayTransit == model.On {
				for _, x := range l.prefixes() {
					add(x, false, l.certain)
				}
			}
		}
		for _, next := range p.connectionsOf(peer) {
			if next.ID.Key() == c.ID.Key() || next.BGP != model.On || seen[otherEnd(peer, next).Key()] {
				continue
			}
			more, open := p.behind(peer, next, seen)
			for _, r := range more {
				add(r.prefix, false, r.certain)
			}
			if open != "" {
				learned = open
			}
		}
		return routes, learned
	}
	lng, ok := model.Get[*model.LocalNetworkGateway](p.e, otherEnd(g, c))
	if !ok {
		return nil, "ASM-BEHIND" // the far side is referenced and not in the input
	}
	rules, _ := p.natRules(g, c.IngressNAT, "IngressSnat")
	for _, x := range lng.Prefixes {
		inner := false
		for _, r := range rules {
			for _, m := range r.pairs {
				if !m.inner.Overlaps(x) {
					continue
				}
				inner = true
				add(m.outer, true, true) // AZ-GW-12: the estate knows the site by its external range
			}
		}
		add(x, true, !inner)
	}
	if c.BGP == model.On || c.BGP == model.NotStated && lng.BGP == model.On {
		learned = "ASM-BGP"
	}
	return routes, learned
}

// stated is the prefixes of a far side that the input states.
func (f farSide) stated() []netip.Prefix {
	out := make([]netip.Prefix, len(f.routes))
	for i, r := range f.routes {
		out[i] = r.prefix
	}
	return out
}

// internal reports a far side that is another VNet of the input: its hosts are senders and receivers of their own.
func (p *planner) internal(f farSide) bool { return f.peer != nil && p.gatewayVNet(f.peer) != nil }

// farPlace is the place of a far side.
func farPlace(f farSide) model.Place {
	return model.Place{Kind: model.PlaceFarSide, ID: f.gw.ID, Part: f.name}
}

// estateSpace is every address range of the estate's VNets.
func (p *planner) estateSpace() *netipx.IPSet {
	var all []netip.Prefix
	for _, v := range p.e.VNets {
		all = append(all, v.Prefixes...)
	}
	return ipset(all)
}

// zonesBehind is the ranges of declared zones that enter through a far side: those of zones bound to its gateway which meet its
// prefixes, or which meet no connection of the gateway at all (AZ-GW-11). Addresses that another connection states belong there.
func (p *planner) zonesBehind(f farSide) *netipx.IPSet {
	out := ipset(nil)
	if p.o.Intent == nil {
		return out
	}
	var others []netip.Prefix
	siblings := p.farSides(f.gw)
	for _, l := range p.hubLinks() {
		if l.side != nil && l.side.gw.ID.Key() == f.gw.ID.Key() {
			siblings = append(slices.Clip(siblings), *l.side)
		}
	}
	for _, other := range siblings {
		if other.name != f.name {
			others = append(others, other.stated()...)
		}
	}
	own, rest := ipset(f.stated()), ipset(others)
	for _, z := range p.o.Intent.Zones {
		if !z.Kind.External() || z.Behind == nil {
			continue
		}
		found, err := p.e.Find(*z.Behind)
		if err != nil || !slices.ContainsFunc(found, func(x model.Found) bool { return x.Resource.ResourceID().Key() == f.gw.ID.Key() }) {
			continue
		}
		for _, m := range z.Members {
			if m.Kind != model.SelCIDR && m.Kind != model.SelIP {
				continue
			}
			if block := ipset([]netip.Prefix{m.Prefix}); own.Overlaps(block) || !rest.Overlaps(block) {
				out = unionSet(out, minusSet(block, rest))
			}
		}
	}
	return out
}

// senders is the addresses from which a far side sends, as its hosts write them: in front of a translation (AZ-GW-12).
func (p *planner) senders(f farSide) (all, stated *netipx.IPSet) {
	stated = innerSpace(f.ingress, ipset(withoutDefaults(f.stated())))
	all = unionSet(stated, innerSpace(f.ingress, p.zonesBehind(f)))
	if f.learned != "" {
		all = unionSet(all, minusSet(ipset(rfc1918()), p.estateSpace()))
		for _, r := range f.ingress {
			for _, m := range r.pairs {
				all = unionSet(all, ipset([]netip.Prefix{m.inner}))
			}
		}
	}
	return all, stated
}

// withoutDefaults leaves default routes out: what a site takes is not what it may send from.
func withoutDefaults(ps []netip.Prefix) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(ps), func(x netip.Prefix) bool { return x.Bits() == 0 })
}
