package trace

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// entry is how a packet came into a gateway: by a connection, or from a point-to-site client.
type entry struct {
	gateway    *model.Gateway    // nil: from inside, to be carried on by a gateway
	connection *model.Connection // nil: point-to-site
	learned    bool              // from inside, by a route that the gateway itself learned
	circuit    bool              // from another VNet, over an ExpressRoute circuit
}

// clients is the Part of a far side of point-to-site clients.
const clients = "p2s"

// gatewayUse is a gateway whose routes a VNet has: its own, or a peer's in transit (AZ-PEER-06).
type gatewayUse struct {
	gateway *model.Gateway
	link    *link // nil: own
	certain bool
}

// gatewaysIn lists the gateways of a VNet (AZ-GW-01).
func (w *world) gatewaysIn(v *model.VNet) []*model.Gateway {
	var out []*model.Gateway
	for _, g := range w.e.Gateways {
		if w.inVNet(g.Subnet, v) {
			out = append(out, g)
		}
	}
	return out
}

// gatewaysOf lists the gateways in use: transit needs allowGatewayTransit on the gateway's side and useRemoteGateways on the other.
func (w *world) gatewaysOf(v *model.VNet) []gatewayUse {
	if v == nil {
		return nil
	}
	var out []gatewayUse
	for _, g := range w.gatewaysIn(v) {
		out = append(out, gatewayUse{gateway: g, certain: true})
	}
	for _, l := range w.links(v) {
		if l.remote == nil || l.peering.UseRemoteGateways != model.On || l.back == nil || l.back.AllowGatewayTransit != model.On {
			continue
		}
		for _, g := range w.gatewaysIn(l.remote) {
			out = append(out, gatewayUse{gateway: g, link: &l, certain: l.certain})
		}
	}
	return out
}

// reach is a prefix behind a gateway.
type reach struct {
	prefix     netip.Prefix // invalid: learned by BGP and not in the input
	static     bool         // of a local network gateway
	certain    bool
	why        []string
	connection *model.Connection // nil: point-to-site clients
}

// connections lists the connections of a gateway. A VNet-to-VNet connection serves both its ends; where either end has its own object,
// that one speaks for it.
func (w *world) connections(g *model.Gateway) []*model.Connection {
	var out []*model.Connection
	mirrored := func(c *model.Connection) bool {
		return slices.ContainsFunc(w.e.Connections, func(x *model.Connection) bool { return same(x.Gateway, g.ID) && same(x.Peer, c.Gateway) })
	}
	for _, c := range w.e.Connections {
		if same(c.Gateway, g.ID) || same(c.Peer, g.ID) && !mirrored(c) {
			out = append(out, c)
		}
	}
	return out
}

// far is the other end of a connection.
func far(g *model.Gateway, c *model.Connection) model.ID {
	if same(c.Gateway, g.ID) {
		return c.Peer
	}
	return c.Gateway
}

// carriesFor reports that a connection of a gateway is up, and that nothing of the two and of the far end was not understood (AZ-GEN-08).
func (w *world) carriesFor(g *model.Gateway, c *model.Connection) bool {
	return connected(c.State) && len(w.doubts(g.ID, c.ID, far(g, c))) == 0
}

// gatewayPrefixes is all that lies behind a gateway.
func (w *world) gatewayPrefixes(g *model.Gateway) []reach {
	var out []reach
	for _, p := range g.ClientPools {
		out = append(out, reach{prefix: p, certain: len(w.doubts(g.ID)) == 0})
	}
	for _, c := range w.connections(g) {
		out = append(out, w.behind(g, c, map[string]bool{g.ID.Key(): true})...)
		if lng, ok := model.Get[*model.LocalNetworkGateway](w.e, far(g, c)); ok && g.Kind != model.ExpressRouteGateway && !fold(c.Kind, "ExpressRoute") && same(g.DefaultSite, lng.ID) {
			out = append(out, reach{prefix: netip.MustParsePrefix("0.0.0.0/0"), certain: w.carriesFor(g, c), connection: c}) // AZ-GW-08
		}
	}
	return out
}

// behind lists the prefixes behind one connection: of a local network gateway (AZ-GW-02), of the other VNet (AZ-GW-09), by BGP
// everything that the other side knows (AZ-GW-05), or, where that is not in the input, a prefix nobody states (AZ-GW-06, AZ-GW-08).
// Only a connection in state Connected carries traffic for certain.
func (w *world) behind(g *model.Gateway, c *model.Connection, seen map[string]bool) []reach {
	var out []reach
	up := w.carriesFor(g, c)
	add := func(p netip.Prefix, static, certain bool, why ...string) {
		out = append(out, reach{prefix: p, static: static, certain: certain && up, why: why, connection: c})
	}
	if g.Kind == model.ExpressRouteGateway || fold(c.Kind, "ExpressRoute") {
		add(netip.Prefix{}, false, false, "ASM-ER")
		return out
	}
	id := far(g, c)
	if other, ok := model.Get[*model.Gateway](w.e, id); ok {
		v, _ := w.vnetOf(other.Subnet)
		if v == nil {
			add(netip.Prefix{}, false, false, "ASM-BEHIND")
			return out
		}
		for _, p := range v.Prefixes {
			add(p, false, true)
		}
		if c.BGP != model.On || seen[other.ID.Key()] {
			return out
		}
		seen[other.ID.Key()] = true
		for _, p := range other.ClientPools {
			add(p, false, true)
		}
		for _, l := range w.links(v) { // spokes in transit are announced
			if l.remote != nil && l.back != nil && l.back.UseRemoteGateways == model.On && l.peering.AllowGatewayTransit == model.On {
				for _, p := range w.peerPrefixes(l) {
					add(p.prefix, false, p.certain && l.certain)
				}
			}
		}
		for _, next := range w.connections(other) {
			if next.ID.Key() == c.ID.Key() || next.BGP != model.On || seen[far(other, next).Key()] {
				continue
			}
			for _, r := range w.behind(other, next, seen) {
				add(r.prefix, false, r.certain, r.why...)
			}
		}
		return out
	}
	lng, ok := model.Get[*model.LocalNetworkGateway](w.e, id)
	if !ok {
		add(netip.Prefix{}, false, false, "ASM-BEHIND")
		return out
	}
	ingress, _, lacking := w.ofConnection(g, c)
	for _, p := range lng.Prefixes {
		translated := false
		for _, m := range ingress { // AZ-GW-12: a prefix that is an internal range stands for the external one, and perhaps for itself
			if m.inner.Overlaps(p) {
				add(m.outer, true, !lacking)
				translated = true
			}
		}
		add(p, true, !translated && !lacking)
	}
	if c.BGP == model.On || c.BGP == model.NotStated && lng.BGP == model.On {
		add(netip.Prefix{}, false, false, "ASM-BGP")
	}
	return out
}

// gatewayHost is the gateway as sender and forwarder in GatewaySubnet.
func (w *world) gatewayHost(g *model.Gateway) *host {
	return w.hostIn(model.Place{Kind: model.PlaceGateway, ID: g.ID}, g.Subnet)
}

// toGateway follows a route to a gateway. As a user route it needs a VPN gateway, own or remote, and no ExpressRoute gateway beside it
// (AZ-RT-13).
func (t *tracer) toGateway(c course, h *host, r route) {
	if r.hub != nil {
		t.intoHub(c, h.place, r.hub)
		return
	}
	if r.gateway != nil {
		if h.place.Kind == model.PlaceGateway && r.link == nil {
			t.tunnel(c, r.gateway)
			return
		}
		t.intoGateway(c, h, gatewayUse{gateway: r.gateway, link: r.link, certain: true}, true)
		return
	}
	found := false
	for _, use := range t.gatewaysOf(h.vnet) {
		v, _ := t.vnetOf(use.gateway.Subnet)
		if use.gateway.Kind == model.ExpressRouteGateway || v != nil && t.hasExpressRoute(v) {
			continue
		}
		found = true
		d := c.uncertainIf(use.gateway.Kind == model.GatewayKindUnknown || !use.certain)
		if h.place.Kind == model.PlaceGateway && use.link == nil {
			t.tunnel(d, use.gateway)
			continue
		}
		t.intoGateway(d, h, use, false)
	}
	if !found {
		t.drop(c, h.place, Transport, "there is no VPN gateway for the route (AZ-RT-13)")
	}
}

func (w *world) hasExpressRoute(v *model.VNet) bool {
	for _, g := range w.gatewaysIn(v) {
		if g.Kind == model.ExpressRouteGateway {
			return true
		}
	}
	return false
}

// intoGateway hands a packet of the VNet, or of a spoke in transit, to a gateway, which forwards by the routes of GatewaySubnet
// (AZ-PEER-08).
func (t *tracer) intoGateway(c course, h *host, use gatewayUse, learned bool) {
	if isPlatform(c.packet.Dst) && h.place.Kind == model.PlaceGateway {
		t.drop(c, h.place, Transport, "the host addresses lie behind no gateway (AZ-PLAT-02)")
		return
	}
	if use.link != nil {
		c = t.crossPeering(c, *use.link, h.place)
		if use.link.subnets() { // AZ-PEER-14: nothing says that a peering of subnets leads to the gateway
			c = c.uncertain("ASM-SUBNETPEER")
		}
	}
	g := t.gatewayHost(use.gateway)
	c = c.forward(g.place, Transport, "gateway "+use.gateway.Name())
	c = c.cross(crossing{at: g.place, before: c.packet, gateway: use.gateway})
	c.entry = &entry{learned: learned}
	t.route(c, g)
}

// tunnel sends a packet through the connection that holds the destination; the longest prefix decides (AZ-GW-11).
func (t *tracer) tunnel(c course, g *model.Gateway) {
	at := model.Place{Kind: model.PlaceGateway, ID: g.ID}
	if isPlatform(c.packet.Dst) {
		t.drop(c, at, Transport, "the host addresses lie behind no gateway (AZ-PLAT-02)")
		return
	}
	if g.Kind == model.VPNGateway && c.dst.v6() {
		t.drop(c, at, Transport, "VPN tunnels carry no IPv6 (AZ-V6-05)")
		return
	}
	var held, best, unknown []reach
	for _, r := range t.gatewayPrefixes(g) {
		if !r.prefix.IsValid() {
			unknown = append(unknown, r)
		} else if hit := c.dst.in(prefixSet(r.prefix)); hit.may {
			r.certain = r.certain && hit.must
			held = append(held, r)
		}
	}
	for _, r := range held { // a longer prefix takes the packet where it is surely there
		if !slices.ContainsFunc(held, func(q reach) bool { return q.certain && q.prefix.Bits() > r.prefix.Bits() }) {
			best = append(best, r)
		}
	}
	all := slices.Concat(best, unknown)
	if len(all) == 0 {
		t.drop(c, at, Transport, "no connection of the gateway holds the destination")
		return
	}
	// One way out for each connection; certain if nothing else may take the packet and one of its prefixes surely holds it.
	type way struct {
		connection *model.Connection
		certain    bool
	}
	var ways []way
	var why []string
	for _, r := range all {
		why = union(why, sorted(r.why))
		i := slices.IndexFunc(ways, func(w way) bool { return w.connection == r.connection })
		if i < 0 {
			i, ways = len(ways), append(ways, way{connection: r.connection})
		}
		ways[i].certain = ways[i].certain || r.certain
	}
	for _, w := range ways {
		d := c
		if len(ways) > 1 || !w.certain {
			d = d.uncertain(why...)
		}
		if m, refusal := t.mayTransit(d, g, w.connection); !m.may {
			t.drop(d, at, Transport, refusal)
		} else {
			t.throughConnection(d.given(m), g, w.connection)
		}
	}
}

// mayTransit says whether a packet that came in by one connection of a gateway may leave by another: with BGP on both, always; with
// BGP on any, possibly (AZ-GW-04, AZ-GW-05). Without BGP a VNet behind the gateway is not reached, while texts differ about a site.
func (t *tracer) mayTransit(c course, g *model.Gateway, out *model.Connection) (match, string) {
	in := c.entry
	if in == nil || in.gateway == nil || in.circuit {
		return yes(), ""
	}
	if in.gateway.ID.Key() != g.ID.Key() {
		return t.transitBetween(g)
	}
	if in.connection == nil && out == nil || in.connection != nil && out != nil && t.sameTunnel(g, in.connection, out) {
		return no(), "the packet would leave by the connection that it came by"
	}
	bgp := func(c *model.Connection) bool {
		return c == nil || c.BGP == model.On || g.Kind == model.ExpressRouteGateway
	}
	if bgp(in.connection) && bgp(out) {
		return yes(), ""
	}
	for _, p := range g.CustomRoutes {
		if in.connection == nil && c.dst.in(prefixSet(p)).must {
			return yes(), ""
		}
	}
	for _, x := range t.connections(g) {
		if bgp(x) {
			return maybe(), ""
		}
	}
	if out != nil {
		if _, vnet := model.Get[*model.Gateway](t.e, far(g, out)); vnet {
			return no(), "connections without BGP are not transitive (AZ-GW-05)"
		}
	}
	return maybe(), ""
}

// sameTunnel reports that two connection objects are one way: the same one, or those of the two ends of a VNet-to-VNet tunnel.
func (w *world) sameTunnel(g *model.Gateway, a, b *model.Connection) bool {
	if same(a.ID, b.ID) {
		return true
	}
	_, vnet := model.Get[*model.Gateway](w.e, far(g, a))
	return vnet && same(far(g, a), far(g, b))
}

// throughConnection carries a packet to the far side: another VNet's gateway, or what lies outside the estate.
func (t *tracer) throughConnection(c course, g *model.Gateway, conn *model.Connection) {
	at := model.Place{Kind: model.PlaceGateway, ID: g.ID}
	if conn == nil {
		c = c.forward(at, Transport, "to point-to-site clients")
		c.shown = c.src
		t.deliver(c, model.Place{Kind: model.PlaceFarSide, ID: g.ID, Part: clients})
		return
	}
	c = c.forward(at, Transport, "connection "+conn.Name())
	if other, ok := model.Get[*model.Gateway](t.e, far(g, conn)); ok {
		c.entry = &entry{gateway: other, connection: conn}
		t.enter(c, other, conn)
		return
	}
	if g.Kind == model.ExpressRouteGateway {
		t.circuitTransit(c, g, conn)
	}
	place := model.Place{Kind: model.PlaceFarSide, ID: g.ID, Part: conn.Name()}
	ingress, egress, lacking := t.ofConnection(g, conn)
	c = c.uncertainIf(lacking)
	c.shown = c.src // what the gateway's own routes know of the source
	t.translateSource(c, at, egress, func(c course) {
		t.translateDestination(c, at, ingress, func(c course) { t.deliver(c, place) })
	})
}

// circuitTransit: VNets on one ExpressRoute circuit may reach each other past any peering, unless both gateways refuse (AZ-GW-07).
func (t *tracer) circuitTransit(c course, g *model.Gateway, conn *model.Connection) {
	// Gateways whose circuits the input names are on one only where it names the same.
	apart := func(other *model.Gateway) bool {
		list := t.connections(other)
		return conn.Peer != "" && len(list) > 0 && !slices.ContainsFunc(list, func(x *model.Connection) bool { return x.Peer == "" || same(x.Peer, conn.Peer) })
	}
	for _, other := range t.e.Gateways {
		if apart(other) {
			continue
		}
		if other.ID.Key() == g.ID.Key() || other.Kind != model.ExpressRouteGateway || g.AllowRemoteVNet == model.Off && other.AllowRemoteVNet == model.Off {
			continue
		}
		v, _ := t.vnetOf(other.Subnet)
		if v == nil {
			continue
		}
		for _, p := range v.Prefixes {
			if c.dst.in(prefixSet(p)).may {
				d := c.uncertain("ASM-ER")
				d.entry = &entry{gateway: other, circuit: true}
				t.enter(d, other, nil)
				break
			}
		}
	}
}

// enter brings a packet in from the far side of a gateway: the routes of GatewaySubnet govern it (AZ-RT-30). FastPath may skip its
// user routes (AZ-RT-31, ASM-FASTPATH).
func (t *tracer) enter(c course, g *model.Gateway, conn *model.Connection) {
	h := t.gatewayHost(g)
	if !t.step(&c, "enter", h.place) {
		return
	}
	c = c.forward(h.place, Transport, "gateway "+g.Name())
	c = c.cross(crossing{at: h.place, before: c.packet, gateway: g, tunnel: len(c.crossed) > 0})
	if conn == nil || conn.FastPath != model.On || h.vnet == nil {
		t.route(c, h)
		return
	}
	winners, _ := t.winners(h, t.table(h, tableOptions{noUser: true}), c.flow())
	plain, _ := t.winners(h, t.table(h, tableOptions{}), c.flow())
	if len(winners) == len(plain) && len(winners) == 1 && sameHop(winners[0], plain[0]) {
		t.route(c, h)
		return
	}
	c = c.uncertain("ASM-FASTPATH")
	for _, r := range winners {
		t.follow(c, h, r, false, []string{"ASM-FASTPATH"})
	}
	t.route(c, h)
}

// forcedTunnel is a packet that a gateway got for a destination which no connection names: the default site, which the input does not
// state, may take it (AZ-GW-08, ASM-BEHIND).
func (t *tracer) forcedTunnel(c course, h *host) {
	if c.entry != nil && c.entry.learned {
		return // the route that brought the packet here is the gateway's own, and takes it on; this would be a second reading of it
	}
	g, ok := model.Get[*model.Gateway](t.e, h.place.ID)
	if ok && c.entry != nil && c.entry.gateway == nil && !isPlatform(c.packet.Dst) { // AZ-PLAT-02: they lie behind no gateway
		for _, conn := range t.connections(g) {
			if _, vnet := model.Get[*model.Gateway](t.e, far(g, conn)); !vnet {
				t.throughConnection(c.uncertain("ASM-BEHIND"), g, conn)
			}
		}
		c = c.uncertain("ASM-BEHIND")
	}
	t.drop(c, h.place, Transport, "a gateway has no way out to the internet")
}

// atGateway is a packet for a gateway's public address: its own listeners, which no NSG guards (AZ-GW-10).
func (t *tracer) atGateway(c course, g *model.Gateway) {
	at := model.Place{Kind: model.PlaceGateway, ID: g.ID}
	p := c.packet
	if g.Kind == model.ExpressRouteGateway {
		t.drop(c, at, Transport, "an ExpressRoute gateway has no listeners (AZ-GW-10)")
		return
	}
	c = c.uncertainIf(g.Kind == model.GatewayKindUnknown)
	if p.Protocol == model.UDP && (p.DPort == 500 || p.DPort == 4500) || p.Protocol == model.TCP && p.DPort == 443 || p.Protocol == model.ESP {
		t.deliver(c.forward(at, Transport, "listener of the gateway (AZ-GW-10)"), at)
		return
	}
	t.drop(c, at, Transport, "the gateway takes udp 500, udp 4500, ESP and tcp 443 only (AZ-GW-10)")
}
