package dataplane

import (
	"slices"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// Back is, for every node, the packets of a flood that go on to some of the targets: the weakest precondition, restricted to what the
// flood brought to the node and to within. Where packets are translated it says what they were before; for certain, where they go on
// whatever source a translation picks for them (AZ-GEN-13).
func (f *Flood) Back(targets map[NodeID]packet.Set, within packet.Set) map[NodeID]packet.Set {
	g, s := f.g, f.g.Space
	into := g.reverse()
	out := map[NodeID]packet.Set{}
	var queue []NodeID
	queued := map[NodeID]bool{}
	push := func(n NodeID) {
		if !queued[n] {
			queued[n] = true
			queue = append(queue, n)
		}
	}
	for n, set := range targets {
		hit := s.Intersect(s.Intersect(f.reached[n], within), set)
		if !hit.Empty() {
			out[n] = hit
			push(n)
		}
	}
	slices.Sort(queue)
	for len(queue) > 0 && s.Err() == nil {
		n := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		queued[n] = false
		for _, i := range into[n] {
			e := &g.edges[i]
			here := s.Intersect(f.reached[e.from], within)
			if here.Empty() {
				continue
			}
			before := f.before(e, out[n], here)
			if s.Subset(before, out[e.from]) {
				continue
			}
			out[e.from] = s.Union(out[e.from], before)
			push(e.from)
		}
	}
	return out
}

// Toward is what senders can send that may get to some packets at some nodes, and perhaps more.
func (g *Graph) Toward(targets map[NodeID]packet.Set) packet.Set {
	f := g.newFlood(Over, nil)
	for n := range f.reached {
		f.reached[n] = g.Space.All()
	}
	back := f.Back(targets, g.Space.All())
	var out []packet.Set
	for _, o := range g.Origins {
		out = append(out, back[o.Site.Send])
	}
	return g.Space.Union(out...)
}

// reverse lists the edges into each node.
func (g *Graph) reverse() [][]int32 {
	if g.into == nil {
		g.into = make([][]int32, len(g.Nodes))
		for i := range g.edges {
			g.into[g.edges[i].to] = append(g.into[g.edges[i].to], int32(i))
		}
	}
	return g.into
}

// Delivering is the packets of a flood at a node, within a scope, that are delivered somewhere: what an entry lets in, as it arrives
// there (AZ-GEN-11).
func (f *Flood) Delivering(n NodeID, scope packet.Set) packet.Set {
	return f.g.Space.Intersect(f.Through(n, scope)[n], scope)
}

// Through is Back for an entry: the packets that go on to the places behind it, at every node, whatever way they come.
func (f *Flood) Through(n NodeID, scope packet.Set) map[NodeID]packet.Set {
	g, s := f.g, f.g.Space
	below := map[NodeID]bool{}
	var visit func(NodeID, bool)
	visit = func(m NodeID, first bool) {
		if below[m] {
			return
		}
		below[m] = true
		for i := g.first[m]; i < g.first[m+1]; i++ {
			e := &g.edges[i]
			if e.hypothetical && f.world == nil || first && s.Disjoint(f.pass(e), scope) {
				continue
			}
			visit(e.to, false)
		}
	}
	visit(n, true)
	targets := map[NodeID]packet.Set{}
	for m := range below {
		if g.Nodes[m].Stage == StageReceive {
			targets[m] = s.All()
		}
	}
	// What reaches the entry may come by other ways to the same places: only packets that pass the entry count.
	return f.Back(targets, s.All())
}

// NodesAt lists the nodes of a place and stage, whatever forwarder the packets passed.
func (g *Graph) NodesAt(p model.Place, stage Stage) []NodeID {
	var out []NodeID
	for i, n := range g.Nodes {
		if n.Stage == stage && n.Place.Key() == p.Key() {
			out = append(out, NodeID(i))
		}
	}
	return out
}

// PublicNodes are where packets are on public addresses; FabricNodes where they are inside a VNet.
func (g *Graph) PublicNodes() []NodeID {
	return g.NodesAt(model.Place{Kind: model.PlaceInternet}, StagePublic)
}

// Resolver is where packets to the host addresses arrive, and those of them that ask the platform's DNS (AZ-PLAT-05). The node is negative
// where nothing can send there.
func (g *Graph) Resolver() (NodeID, packet.Set) {
	dns := g.Space.Box(packet.Box{
		Dst: one(g.Universe.Class(platformDNS())), DPort: []packet.Range{{Lo: 53, Hi: 53}},
		Protocol: []packet.Range{{Lo: uint32(model.TCP), Hi: uint32(model.TCP)}, {Lo: uint32(model.UDP), Hi: uint32(model.UDP)}},
	})
	for _, n := range g.NodesAt(model.Place{Kind: model.PlacePlatform}, StageReceive) {
		return n, dns
	}
	return -1, dns
}

// FabricNodes are where packets are inside the VNets.
func (g *Graph) FabricNodes() []NodeID {
	var out []NodeID
	for i, n := range g.Nodes {
		if n.Stage == StageFabric {
			out = append(out, NodeID(i))
		}
	}
	return out
}

// Towards is the nodes from which some of the targets can be reached by edges alone.
func (g *Graph) Towards(targets []NodeID) map[NodeID]bool {
	into := g.reverse()
	out := map[NodeID]bool{}
	queue := slices.Clone(targets)
	for _, t := range targets {
		out[t] = true
	}
	for len(queue) > 0 {
		n := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, i := range into[n] {
			if from := g.edges[i].from; !out[from] && !g.edges[i].hypothetical {
				out[from] = true
				queue = append(queue, from)
			}
		}
	}
	return out
}

// From is the packets of some origins.
func (g *Graph) From(origins ...int) packet.Set {
	slices.Sort(origins)
	var rs []packet.Range
	for _, o := range slices.Compact(origins) {
		if n := len(rs); n > 0 && rs[n-1].Hi+1 == uint32(o) {
			rs[n-1].Hi++
			continue
		}
		rs = append(rs, packet.Range{Lo: uint32(o), Hi: uint32(o)})
	}
	if len(rs) == 0 {
		return packet.Set{}
	}
	return g.Space.Box(packet.Box{Origin: rs})
}

// Sent is everything that an origin can put on the wire, before any control.
func (g *Graph) Sent(origin int) packet.Set {
	set := g.Space.Intersect(g.base, g.Space.Box(packet.Box{Origin: one(uint32(origin)), Src: g.Universe.Addrs(g.Origins[origin].addrs)}))
	if !g.Origins[origin].Site.isRelay {
		set = g.Space.Subtract(set, g.NamedHost()) // only a proxy sends to the host that it resolved
	}
	// Nobody sends to Microsoft's outbound addresses, nor to those from which Front Doors connect.
	outbound := one(g.Universe.Class(g.planner.symbolOf(model.DefaultOutbound, "", "")))
	for _, f := range g.planner.e.FrontDoors {
		outbound = append(outbound, one(g.Universe.Class(g.planner.symbolOf(model.FrontDoorBackend, f.ID, "")))...)
	}
	set = g.Space.Subtract(set, g.Space.Box(packet.Box{Dst: outbound}))
	return set
}

// Rewritten is the addresses that translations on the way may have put into packets as their destination.
func (f *Flood) Rewritten() []packet.Range {
	var out []packet.Range
	for i := range f.g.edges {
		e := &f.g.edges[i]
		if e.rewrite != nil && e.rewrite.dst != nil && !e.hypothetical && !f.reached[e.from].Empty() {
			out = append(out, f.g.Universe.Addrs(*e.rewrite.dst)...)
		}
	}
	return out
}
