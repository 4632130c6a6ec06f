package dataplane

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// fabric is the inside of a VNet: from here a packet goes to whoever holds its destination. via is the forwarder it passed last.
func (p *planner) fabric(v *model.VNet, via string) NodeID {
	place := model.Place{Kind: model.PlaceSubnet, ID: v.ID}
	n := p.node(place, StageFabric, via)
	key := Node{Place: place.Key(), Stage: StageFabric, Via: via}
	if !p.fabricDone[key] {
		p.fabricDone[key] = true
		p.fabrics = append(p.fabrics, pendingFabric{n, v, via})
	}
	return n
}

type pendingFabric struct {
	node NodeID
	vnet *model.VNet
	via  string
}

// drainFabrics adds the edges of fabrics that were asked for, until none is left: adding them may ask for more.
func (p *planner) drainFabrics() {
	for len(p.fabrics) > 0 {
		f := p.fabrics[0]
		p.fabrics = p.fabrics[1:]
		p.deliver(f.node, f.vnet, f.via)
	}
}

// machinesIn lists the machines of a VNet. It is called when all machines are planned.
func (p *planner) machinesIn(v *model.VNet) []*machine {
	if p.inVNet == nil {
		p.inVNet = map[string][]*machine{}
		for _, m := range p.machines {
			key := m.filters.subnet.Parent().Key()
			p.inVNet[key] = append(p.inVNet[key], m)
		}
	}
	return p.inVNet[v.ID.Key()]
}

// deliver adds the ways from a VNet's fabric to everything in it that holds an address: machines, endpoints, frontends. A peering leads to all
// of them (AZ-PEER-03).
func (p *planner) deliver(n NodeID, v *model.VNet, via string) {
	inside := func(subnet model.ID) bool { return subnet.Parent().Is(v.ID) }
	for _, m := range p.machinesIn(v) {
		p.edge(n, m.in, guard{over: dstIn(m.addr), reply: p.replyAt(m.filters.subnet, m.filters.nic, via)}, nil)
	}
	for _, e := range p.e.Endpoints {
		if inside(e.Subnet) {
			p.edge(n, p.endpointInbound(e), guard{over: dstIn(p.addr.exactHosts(p.endpointAddrs(e)...)), reply: p.endpointReply(e.Subnet, via)}, nil)
		}
	}
	for _, f := range p.e.Firewalls {
		if inside(f.Subnet) {
			p.edge(n, p.firewallIn(f, via), guard{over: dstIn(p.addr.exactHosts(p.firewallAddr(f))), reply: p.reply(f.Subnet, via)}, nil)
		}
	}
	for _, lb := range p.e.LoadBalancers {
		for _, f := range lb.Frontends {
			if f.Subnet != "" && inside(f.Subnet) {
				p.edge(n, p.frontend(lb, f, via), guard{over: dstIn(p.addr.exact(p.frontendAddr(f)))}, nil)
			}
		}
	}
	for _, g := range p.e.AppGateways {
		for _, f := range g.Frontends {
			if f.PublicIP == "" && f.Subnet != "" && inside(f.Subnet) {
				p.edge(n, p.appGatewayIn(g, f), guard{over: dstIn(p.addr.exactHosts(p.gatewayFrontendAddr(g, f))), reply: p.reply(f.Subnet, via)}, nil)
			}
		}
	}
	for _, a := range p.e.APIMs {
		for i, s := range a.Sites {
			if a.Injected() && s.Subnet != "" && inside(s.Subnet) {
				p.edge(n, p.apimIn(a, i, false), guard{over: dstIn(p.addr.exactHosts(p.apimPrivate(a, i)...)), reply: p.reply(s.Subnet, via)}, nil)
			}
		}
	}
	for _, a := range p.apiEntries {
		if a.vnet == v.ID.Key() {
			g := a.guard
			for _, subnet := range a.subnets {
				g = g.withReply(p.endpointReply(subnet, via))
			}
			p.edge(n, a.receive, g, nil, a.notes...)
		}
	}
	for _, c := range p.e.Clusters {
		if cp := p.clusters[c.ID.Key()]; cp != nil {
			p.deliverCluster(n, v, via, cp)
		}
	}
}

// reply is the packets whose answer, routed by the receiver's subnet, returns to the forwarder that brought them: straight to the
// sender when there was none (AZ-RT-28, AZ-RT-29). It reads the source address as the receiver sees it.
func (p *planner) reply(subnet model.ID, via string) *lazy { return p.replyAt(subnet, "", via) }

// replyAt is reply at a NIC; nic is empty where the input has no effective routes of it.
func (p *planner) replyAt(subnet, nic model.ID, via string) *lazy {
	if p.e.RoutesAt(nic) == nil {
		nic = ""
	}
	key := subnet.Key() + "|" + nic.Key() + "|" + via
	if l, ok := p.replies[key]; ok {
		return l
	}
	groups := p.hopGroups(subnet, nic)
	place, forwarded := p.vias[via]
	var own *lazy
	if forwarded {
		own = p.forwarderSpace(place)
	}
	platform := srcIn(p.addr.exactHosts(platformHosts()...))
	inside := nothing()
	if _, v := p.e.SubnetOf(subnet); v != nil {
		inside = srcIn(p.addr.set(v.Prefixes).must)
	}
	back := func(c *compiler, g hopGroup) packet.Set {
		set := c.swap(g.under.get(c))
		if g.hop.kind == model.HopVnetLocal { // AZ-RT-15: what such a route does outside the VNet is not documented
			set = c.s.Intersect(set, inside.get(c))
		}
		return set
	}
	hubs, outside := p.hubsBack(groups, via), p.outsideSent()
	l := later(func(c *compiler) packet.Set {
		var sets []packet.Set
		if via == "platform" {
			sets = append(sets, platform.get(c)) // AZ-PLAT-02: answers to the host addresses meet no route
		}
		for _, g := range groups {
			direct := g.hop.kind == model.HopVnetLocal || g.hop.peer != "" || g.hop.kind == model.HopPrivateEndpoint
			switch {
			case g.link != nil:
				sets = append(sets, c.s.Intersect(back(c, g), hubs[g.link].get(c)))
			case isHub(via) && direct:
				sets = append(sets, c.s.Subtract(back(c, g), outside.get(c)))
			case (via == "" || via == "platform") && direct,
				via == viaInternet && g.hop.kind == model.HopInternet,
				isGateway(via) && g.hop.kind == model.HopGateway && g.link == nil && p.returnsBy(subnet, place.ID, g),
				forwarded && g.hop.kind == model.HopAppliance && p.holds(place, subnet, g.hop.addr):
				sets = append(sets, back(c, g))
			case own != nil && direct:
				sets = append(sets, c.s.Intersect(back(c, g), own.get(c)))
			}
		}
		return c.s.Union(sets...)
	})
	p.replies[key] = l
	return l
}

// viaInternet marks packets that came straight from public addresses.
const viaInternet = "internet"

// forwarderSpace is the packets whose source is a forwarder's own address, because it translated them.
func (p *planner) forwarderSpace(place model.Place) *lazy {
	switch place.Kind {
	case model.PlaceFirewall:
		if f, ok := model.Get[*model.Firewall](p.e, place.ID); ok {
			return srcIn(p.firewallPool(f))
		}
	case model.PlaceNIC:
		if m := p.machineAt[place.Key()]; m != nil {
			return srcIn(m.addr)
		}
	default:
	}
	return nil
}

// holds reports whether a next-hop address, seen from a subnet, belongs to a forwarder.
func (p *planner) holds(place model.Place, subnet model.ID, a netip.Addr) bool {
	_, v := p.e.SubnetOf(subnet)
	if v == nil {
		return false
	}
	o, ok := p.ownerIn(v, a)
	if !ok {
		for _, l := range p.peers(v) {
			if l.remote != nil {
				if o, ok = p.ownerIn(l.remote, a); ok {
					break
				}
			}
		}
	}
	return ok && o.kind == place.Kind && o.id.Key() == place.ID.Key()
}

// swap turns a set that restricts destinations (and tags) into the one that restricts sources in the same way.
func (c *compiler) swap(s packet.Set) packet.Set {
	boxes, total := c.s.Boxes(s, 1<<16)
	if uint64(len(boxes)) < total {
		return packet.Set{} // too many pieces to turn: no reply is certain
	}
	var out []packet.Set
	for _, b := range boxes {
		out = append(out, c.s.Box(packet.Box{Src: b.Dst, Tags: b.Tags}))
	}
	return c.s.Union(out...)
}
