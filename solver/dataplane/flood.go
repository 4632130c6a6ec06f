package dataplane

import (
	"container/heap"
	"net/netip"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// Flood is every packet that every origin can put at every node, in one bound. The origin field tells senders apart, so one flood
// answers for all of them.
type Flood struct {
	g        *Graph
	bound    Bound
	reached  []packet.Set
	arrivals [][]arrival // by node, in the order in which they came
	blocked  map[model.Place]bool
	world    *Hypothesis // nil: as the input says
	within   map[NodeID]packet.Set
	passing  map[*edge]packet.Set
	only     *packet.Set // the packets that were sent; nil: all

	picked bool // picks is known
	picks  []pick
}

// arrival is a set of packets that reached a node for the first time.
type arrival struct {
	step int
	edge int32 // index of the edge that brought it; -1 at a sender
	set  packet.Set
}

// Flood floods the graph with everything that every origin can send. Nodes of the places to avoid are not entered: what still arrives
// has a path round them.
func (g *Graph) Flood(b Bound, avoid ...model.Place) *Flood {
	f := g.newFlood(b, avoid)
	f.run(nil)
	return f
}

// FloodOf is the flood of some packets alone, as their origins make them.
func (g *Graph) FloodOf(b Bound, packets packet.Set) *Flood {
	f := g.newFlood(b, nil)
	f.run(&packets)
	return f
}

func (g *Graph) newFlood(b Bound, avoid []model.Place) *Flood {
	f := &Flood{g: g, bound: b, reached: make([]packet.Set, len(g.Nodes)), arrivals: make([][]arrival, len(g.Nodes)), blocked: map[model.Place]bool{}}
	for _, p := range avoid {
		f.blocked[model.Place{Kind: p.Kind, ID: p.Key().ID}] = true
	}
	return f
}

// run floods with what every origin can send, or with some packets of it.
func (f *Flood) run(only *packet.Set) { f.drain(f.send(only), nil) }

// spreading is a flood under way: what has come to each node and was not led on.
type spreading struct {
	pending []packet.Set
	queue   *nodeQueue
	step    int
}

// send puts what every origin can send, or some packets of it, at the nodes of the senders.
func (f *Flood) send(only *packet.Set) *spreading {
	g := f.g
	s := g.Space
	f.only = only
	w := &spreading{pending: make([]packet.Set, len(g.Nodes)), queue: &nodeQueue{in: make([]bool, len(g.Nodes))}}
	starts := map[NodeID][]packet.Set{}
	for i, o := range g.Origins {
		if f.avoids(o.Site.Send) {
			continue
		}
		set := g.Sent(i)
		if only != nil {
			set = s.Intersect(set, *only)
		}
		starts[o.Site.Send] = append(starts[o.Site.Send], set)
	}
	for n := range NodeID(len(g.Nodes)) {
		if sets, ok := starts[n]; ok {
			f.arrive(w, n, -1, s.Union(sets...))
		}
	}
	return w
}

// arrive adds packets to a node.
func (f *Flood) arrive(w *spreading, n NodeID, edge int32, set packet.Set) {
	s := f.g.Space
	if f.within != nil {
		set = s.Intersect(set, f.within[n])
	}
	fresh := s.Subtract(set, f.reached[n])
	if fresh.Empty() {
		return
	}
	f.reached[n] = s.Union(f.reached[n], fresh)
	w.pending[n] = s.Union(w.pending[n], fresh)
	f.arrivals[n] = append(f.arrivals[n], arrival{w.step, edge, fresh})
	w.step++
	if !w.queue.in[n] {
		heap.Push(w.queue, n)
	}
}

// drain leads on what is pending, over every edge but those to leave out.
func (f *Flood) drain(w *spreading, without map[int32]bool) {
	g := f.g
	for w.queue.Len() > 0 && g.Space.Err() == nil {
		n := heap.Pop(w.queue).(NodeID)
		delta := w.pending[n]
		w.pending[n] = packet.Set{}
		for i := g.first[n]; i < g.first[n+1]; i++ {
			e := &g.edges[i]
			if f.skips(e) || without[i] {
				continue
			}
			if out := f.cross(e, delta); !out.Empty() {
				f.arrive(w, e.to, i, out)
			}
		}
	}
}

func (f *Flood) avoids(n NodeID) bool {
	p := f.g.Nodes[n].Place
	return len(f.blocked) > 0 && f.blocked[model.Place{Kind: p.Kind, ID: p.Key().ID}]
}

// cross is what an edge makes of a set of packets.
func (f *Flood) cross(e *edge, set packet.Set) packet.Set {
	s := f.g.Space
	out := s.Intersect(set, f.pass(e))
	if e.rewrite == nil || out.Empty() {
		return out
	}
	return f.g.sameFamily(e, s.Rewrite(out, f.g.rewriteOf(e)))
}

func (g *Graph) rewriteOf(e *edge) packet.Rewrite {
	var r packet.Rewrite
	if e.rewrite.dst != nil {
		r.Dst = g.Universe.Addrs(*e.rewrite.dst)
	}
	if e.rewrite.src != nil {
		r.Src = g.Universe.Addrs(*e.rewrite.src)
	}
	r.DPort, r.SPort = portRanges(e.rewrite.dports), portRanges(e.rewrite.sports)
	return r
}

// At is the packets that reach a node; empty for a node that does not exist.
func (f *Flood) At(n NodeID) packet.Set {
	if n < 0 {
		return packet.Set{}
	}
	return f.reached[n]
}

// Step is one edge of a packet's course.
type Step struct {
	From, To NodeID
	Before   packet.Packet
	After    packet.Packet
	Certain  bool     // the packet passes the edge in the one-way bound too
	Notes    []string // assumptions that the edge rests on
	edge     int32
}

// Course walks back from a packet that reached a node to the packet as its sender made it. The result is empty when the packet did
// not reach the node.
func (f *Flood) Course(n NodeID, p packet.Packet) (start packet.Packet, steps []Step) {
	s := f.g.Space
	limit := 1 << 30
	for {
		a, ok := f.arrivalOf(n, p, limit)
		if !ok {
			return packet.Packet{}, nil
		}
		if a.edge < 0 {
			for i, j := 0, len(steps)-1; i < j; i, j = i+1, j-1 {
				steps[i], steps[j] = steps[j], steps[i]
			}
			return p, steps
		}
		e := &f.g.edges[a.edge]
		before := s.Intersect(f.single(p), f.crossable(e))
		if e.rewrite != nil {
			before = s.Intersect(s.Preimage(f.single(p), f.g.rewriteOf(e)), f.pass(e))
		}
		found := false
		for _, b := range f.arrivals[e.from] {
			if b.step >= a.step {
				break
			}
			hit := s.Intersect(before, b.set)
			if hit.Empty() {
				continue
			}
			prev, _ := s.Sample(hit, f.g.Natural()...)
			certain := s.Contains(e.guard.bound(f.g.compiler, OneWay), prev)
			steps = append(steps, Step{From: e.from, To: n, Before: prev, After: p, Certain: certain, Notes: f.g.bearing(e.notes, f.single(prev)), edge: a.edge})
			n, p, limit, found = e.from, prev, a.step, true
			break
		}
		if !found {
			panic("dataplane: an arrival without a source") // INVARIANT: every arrival came over its edge from an earlier one
		}
	}
}

func (f *Flood) crossable(e *edge) packet.Set { return f.pass(e) }

// arrivalOf finds the first arrival of a packet at a node before a step.
func (f *Flood) arrivalOf(n NodeID, p packet.Packet, before int) (arrival, bool) {
	for _, a := range f.arrivals[n] {
		if a.step < before && f.g.Space.Contains(a.set, p) {
			return a, true
		}
	}
	return arrival{}, false
}

// single is the set that holds one packet.
func (f *Flood) single(p packet.Packet) packet.Set { return f.g.Single(p) }

// Single is the set that holds one packet.
func (g *Graph) Single(p packet.Packet) packet.Set {
	b := packet.Box{
		Origin: one(p.Origin), Dst: one(p.Dst), Src: one(p.Src), Protocol: one(p.Protocol), Name: one(p.Name),
	}
	if model.Protocol(p.Protocol).HasPorts() {
		b.DPort, b.SPort = one(p.DPort), one(p.SPort)
	}
	for i, name := range g.Universe.TagNames() {
		f, _ := g.Universe.Tag(name)
		b.Tags = append(b.Tags, packet.TagValue{Tag: f, Value: p.Tags.Has(i)})
	}
	return g.Space.Box(b)
}

// Natural is preferences for a sample: an ephemeral source port, no name, no tags, TCP, to no address of the host.
func (g *Graph) Natural() []packet.Set {
	s := g.Space
	to := func(lo, hi uint32) packet.Set {
		return s.Box(packet.Box{Protocol: one(model.TCP), DPort: []packet.Range{{Lo: lo, Hi: hi}}})
	}
	from := func(lo, hi uint32) packet.Set {
		return s.Box(packet.Box{Protocol: []packet.Range{{Lo: uint32(model.TCP), Hi: uint32(model.TCP)}, {Lo: uint32(model.UDP), Hi: uint32(model.UDP)}}, SPort: []packet.Range{{Lo: lo, Hi: hi}}})
	}
	return []packet.Set{
		s.Box(packet.Box{Protocol: one(model.TCP)}), from(49152, 49152), from(49152, 65535), to(443, 443), to(22, 22), to(1, 1023),
		s.Box(packet.Box{Src: one(g.Universe.Class(UsualInternet()))}), s.Complement(s.Box(packet.Box{Dst: g.Universe.Addrs(g.planner.hosts)})),
	}
}

// UsualInternet is the address that stands for the internet in examples, where every address of its class is treated alike (RFC 5737).
func UsualInternet() netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, 7}) }

// Touched lists the notes of the edges whose start the packets of some origins reach, on the way to some nodes.
func (f *Flood) Touched(origins packet.Set, towards map[NodeID]bool) []string {
	var out []string
	seen := map[string]bool{}
	for i := range f.g.edges {
		e := &f.g.edges[i]
		if len(e.notes) == 0 || towards != nil && !towards[e.to] || f.g.Space.Disjoint(f.reached[e.from], origins) {
			continue
		}
		for _, n := range e.notes {
			if !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}

// nodeQueue yields the lowest node first: nodes follow stages, so a packet's own course is drained before it starts again.
type nodeQueue struct {
	list []NodeID
	in   []bool
}

func (q *nodeQueue) Len() int           { return len(q.list) }
func (q *nodeQueue) Less(i, j int) bool { return q.list[i] < q.list[j] }
func (q *nodeQueue) Swap(i, j int)      { q.list[i], q.list[j] = q.list[j], q.list[i] }

func (q *nodeQueue) Push(x any) {
	n := x.(NodeID)
	q.list, q.in[n] = append(q.list, n), true
}

func (q *nodeQueue) Pop() any {
	n := q.list[len(q.list)-1]
	q.list, q.in[n] = q.list[:len(q.list)-1], false
	return n
}
