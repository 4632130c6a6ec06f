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
	gw       *model.Gateway
	name     string         // connection name, or p2s
	prefixes []netip.Prefix // stated ranges
	static   bool           // the ranges are those of a local network gateway: routes for certain (AZ-GW-02)
	open     bool           // routes beyond the stated ones may be learned: BGP, ExpressRoute (AZ-GW-06)
	peer     *model.Gateway // VNet-to-VNet: the other gateway
	certain  bool           // the connection carries traffic for certain
}

const p2s = "p2s"

func isGateway(via string) bool { return strings.HasPrefix(via, "gateway:") }

func gatewayVia(g *model.Gateway) string { return "gateway:" + g.ID.Key() }

// gatewayVNet is the VNet of a gateway.
func (p *planner) gatewayVNet(g *model.Gateway) *model.VNet {
	v, _ := model.Get[*model.VNet](p.e, g.Subnet.Parent())
	return v
}

// ownGateways are the gateways in a VNet.
func (p *planner) ownGateways(v *model.VNet) []*model.Gateway {
	var out []*model.Gateway
	for _, g := range p.e.Gateways {
		if g.Subnet.Parent().Key() == v.ID.Key() {
			out = append(out, g)
		}
	}
	return out
}

// gatewaysOf are the gateways whose routes a VNet has: its own, else the one it uses through a peering (AZ-PEER-06).
func (p *planner) gatewaysOf(v *model.VNet) []*model.Gateway {
	list, ok := p.gateways[v]
	if !ok {
		list = p.findGateways(v)
		p.gateways[v] = list
	}
	return list
}

func (p *planner) findGateways(v *model.VNet) []*model.Gateway {
	if own := p.ownGateways(v); len(own) > 0 {
		return own
	}
	var out []*model.Gateway
	for _, l := range p.peers(v) {
		if l.local.UseRemoteGateways == model.On && l.remoteSide.AllowGatewayTransit == model.On && l.remote != nil {
			out = append(out, p.ownGateways(l.remote)...)
		}
	}
	return out
}

// farSides lists what lies behind a gateway, in the order of the connections' IDs; point-to-site last.
func (p *planner) farSides(g *model.Gateway) []farSide {
	var out []farSide
	for _, c := range p.e.Connections {
		f := farSide{gw: g, name: c.ID.Name(), certain: c.State == "" || strings.EqualFold(c.State, "Connected")}
		switch {
		case c.Gateway.Key() == g.ID.Key():
		case c.Peer.Key() == g.ID.Key() && strings.EqualFold(c.Kind, "Vnet2Vnet"):
			// The same tunnel seen from the other end; each direction has its own connection object, so this one only adds a way in.
			continue
		default:
			continue
		}
		if g.Kind == model.ExpressRouteGateway || strings.EqualFold(c.Kind, "ExpressRoute") {
			f.open = true
			out = append(out, f)
			continue
		}
		if peer, ok := model.Get[*model.Gateway](p.e, c.Peer); ok {
			f.peer, f.static = peer, true
			if v := p.gatewayVNet(peer); v != nil {
				f.prefixes = v.Prefixes // AZ-GW-09
			}
			out = append(out, f)
			continue
		}
		lng, ok := model.Get[*model.LocalNetworkGateway](p.e, c.Peer)
		if !ok {
			f.open = true // the far side is referenced and not in the input
			out = append(out, f)
			continue
		}
		f.prefixes, f.static = lng.Prefixes, true
		f.open = c.BGP == model.On
		out = append(out, f)
	}
	if len(g.ClientPools) > 0 {
		out = append(out, farSide{gw: g, name: p2s, prefixes: g.ClientPools, certain: true})
	}
	return out
}

// farSpace is the addresses of a far side that its packets may come from and that are routed to it.
func (p *planner) farSpace(f farSide) *netipx.IPSet {
	s := ipset(f.prefixes)
	if f.open {
		s = unionSet(s, minusSet(ipset(rfc1918()), p.estateSpace()))
	}
	for _, z := range p.zonesBehind(f) {
		s = unionSet(s, z)
	}
	return s
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
// prefixes, or which meet no connection of the gateway at all (AZ-GW-11).
func (p *planner) zonesBehind(f farSide) []*netipx.IPSet {
	if p.o.Intent == nil {
		return nil
	}
	var out []*netipx.IPSet
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
			block := ipset([]netip.Prefix{m.Prefix})
			meets, meetsAny := ipset(f.prefixes).Overlaps(block), false
			for _, other := range p.farSides(f.gw) {
				meetsAny = meetsAny || ipset(other.prefixes).Overlaps(block)
			}
			if meets || !meetsAny {
				out = append(out, block)
			}
		}
	}
	return out
}

// planGateway adds the nodes of a gateway: out to its far sides, and in from them.
func (p *planner) planGateway(g *model.Gateway) {
	via := gatewayVia(g)
	p.vias[via] = model.Place{Kind: model.PlaceGateway, ID: g.ID}
	for _, f := range p.farSides(g) {
		place := model.Place{Kind: model.PlaceFarSide, ID: g.ID, Part: f.name}
		space := p.farSpace(f)
		if isEmpty(space) {
			continue
		}
		s := p.site(&Site{Place: place, Prefixes: space.Prefixes(), Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, "")})
		in := guard{}
		var notes []string
		if !f.certain {
			in.under = nothing()
		}
		if f.static && !f.open {
			notes = append(notes, "ASM-ONPREM")
			if !p.assumed("ASM-ONPREM") {
				s.Prefixes = []netip.Prefix{allV4(), allV6()}
				in = and(in, between(everything(), srcIn(p.addr.set(f.prefixes).must)))
			}
		}
		if f.open {
			notes = append(notes, "ASM-ER")
			in = and(in, between(everything(), srcIn(p.addr.set(f.prefixes).must)))
		}
		if !ipset(f.prefixes).Equal(space) && !f.open {
			// AZ-GW-11: a declared zone reaches beyond the prefixes of the connection.
			notes = append(notes, "ASM-BEHIND")
			in = and(in, between(everything(), srcIn(p.addr.set(f.prefixes).must)))
		}
		// AZ-RT-30: the route table of GatewaySubnet governs what comes from the far side.
		if v := p.gatewayVNet(g); v != nil {
			p.edge(s.Send, p.routing(g.Subnet, via, egressNone()), in, nil, notes...)
		}
	}
	// The gateway's own listeners: IKE, NAT traversal, SSTP and OpenVPN (AZ-GW-10).
	place := model.Place{Kind: model.PlaceGateway, ID: g.ID}
	if g.Kind == model.VPNGateway && len(g.PublicIPs) > 0 {
		p.site(&Site{Place: place, Prefixes: nil, Send: -1, Receive: p.node(place, StageReceive, ""), Subnet: g.Subnet})
	}
}

// towardsGateway leads packets from a route to a gateway's far sides. The longest prefix decides (AZ-GW-11).
func (p *planner) towardsGateway(from NodeID, g *model.Gateway, subnetVia string, sent guard) {
	at := p.node(model.Place{Kind: model.PlaceGateway, ID: g.ID}, StageGateway, subnetVia)
	// The reply comes back through GatewaySubnet's routes and must return the way the packet came (AZ-RT-29).
	p.edge(from, at, sent, nil)
	key := Node{Place: model.Place{Kind: model.PlaceGateway, ID: model.ID(g.ID.Key())}, Stage: StageGateway, Via: subnetVia}
	if p.routeDone[key] {
		return
	}
	p.routeDone[key] = true
	sides := p.farSides(g)
	for _, f := range sides {
		space := p.farSpace(f)
		if isEmpty(space) {
			continue
		}
		place := model.Place{Kind: model.PlaceFarSide, ID: g.ID, Part: f.name}
		// A longer prefix of another connection takes its part away.
		certain := ipset(f.prefixes)
		for _, other := range sides {
			if other.name == f.name {
				continue
			}
			for _, o := range other.prefixes {
				if longer(o, f.prefixes) {
					certain = minusSet(certain, ipset([]netip.Prefix{o}))
				}
			}
		}
		over := space
		if f.static && !f.open {
			over = unionSet(certain, minusSet(space, ipset(f.prefixes)))
		}
		gd := between(dstIn(p.addr.space(over).may), dstIn(p.addr.space(certain).must))
		if !f.certain {
			gd.under = nothing()
		}
		var notes []string
		if f.open {
			notes = append(notes, "ASM-ER")
		}
		if subnetVia == gatewayVia(g) {
			// AZ-GW-05: whether a gateway carries packets from one of its far sides to another hangs on BGP.
			gd = guard{over: minus(gd.over, srcIn(p.addr.space(space).may)), under: nothing()}
		}
		gd = gd.withReply(p.reply(g.Subnet, subnetVia))
		if f.peer != nil {
			// AZ-GW-09: on the other side the packet enters that VNet through its gateway.
			if p.gatewayVNet(f.peer) != nil {
				p.edge(at, p.routing(f.peer.Subnet, gatewayVia(f.peer), egressNone()), gd, nil, notes...)
			}
			continue
		}
		p.edge(at, p.node(place, StageReceive, ""), gd, nil, notes...)
	}
}

// longer reports whether a prefix lies strictly inside one of a list.
func longer(p netip.Prefix, in []netip.Prefix) bool {
	for _, q := range in {
		if q.Bits() < p.Bits() && q.Contains(p.Addr()) {
			return true
		}
	}
	return false
}
