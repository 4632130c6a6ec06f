package dataplane

import (
	"container/heap"
	"slices"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// Pair is two estates whose graphs differ in what some edges let pass and in nothing else, in one space. So equal guards are equal sets, and only
// packets that cross an edge that differs can have another fate: all others take the same edges in both.
type Pair struct {
	A, B     *Graph
	changed  []int32 // edges, by index in both
	affected []packet.Set
	done     bool
}

// sameSymbols reports that two estates have the same addresses without a value, under the same stand-ins.
func sameSymbols(a, b *model.Estate) bool {
	return slices.EqualFunc(a.Symbols().All(), b.Symbols().All(), func(x, y model.Symbol) bool {
		return x.Addr == y.Addr && x.Kind == y.Kind && x.Owner.Key() == y.Owner.Key() && x.Part == y.Part
	})
}

// BuildPair reads two estates into one space, each by a plan of its own. The pair is nil where their graphs differ in more than guards: then each
// takes Build.
func BuildPair(a, b *model.Estate, oa, ob Options) (*Pair, error) {
	if !sameSymbols(a, b) {
		return nil, nil
	}
	builder := packet.NewBuilder()
	p := &Pair{}
	var err error
	if p.A, err = plan(a, oa, builder, nil); err != nil {
		return nil, err
	}
	if p.B, err = plan(b, ob, builder, nil); err != nil {
		return nil, err
	}
	if !p.aligned() {
		return nil, nil
	}
	space := packet.NewSpace(builder.Freeze(), oa.Limits)
	for _, g := range []*Graph{p.A, p.B} {
		if err := g.in(space); err != nil {
			return nil, err
		}
	}
	if p.A.base != p.B.base || p.A.Facts() != p.B.Facts() || len(space.Universe().TagsLeftOut()) > 0 {
		return nil, nil
	}
	for i := range p.A.edges {
		x, y := p.A.edges[i].guard, p.B.edges[i].guard
		for _, bound := range []Bound{Over, OneWay, Session} {
			if x.bound(p.A.compiler, bound) != y.bound(p.B.compiler, bound) {
				p.changed = append(p.changed, int32(i))
				break
			}
		}
	}
	return p, space.Err()
}

// aligned reports whether both graphs have the same nodes, senders, receivers, relays and edges, guards left aside.
func (p *Pair) aligned() bool {
	a, b := p.A, p.B
	site := func(x, y *Site) bool {
		return x.Place.Key() == y.Place.Key() && x.Channel == y.Channel && x.Send == y.Send && x.Receive == y.Receive && x.Subnet.Key() == y.Subnet.Key() && x.isRelay == y.isRelay &&
			slices.Equal(x.Prefixes, y.Prefixes) && slices.EqualFunc(x.Members, y.Members, func(m, n Member) bool { return m.Addr == n.Addr && m.Place.Key() == n.Place.Key() }) &&
			len(x.Outer) == 0 && len(y.Outer) == 0
	}
	set := func(x, y *packet.AddrSet) bool { return x == y || x != nil && y != nil && *x == *y }
	return slices.EqualFunc(a.Nodes, b.Nodes, func(x, y Node) bool { return x.compare(y) == 0 }) &&
		slices.EqualFunc(a.Sites, b.Sites, site) &&
		slices.EqualFunc(a.Origins, b.Origins, func(x, y Origin) bool { return site(x.Site, y.Site) && x.addrs == y.addrs }) &&
		slices.EqualFunc(a.Relays, b.Relays, func(x, y Relay) bool { return site(x.Accept, y.Accept) && slices.EqualFunc(x.From, y.From, site) }) &&
		slices.EqualFunc(a.edges, b.edges, func(x, y edge) bool {
			if x.from != y.from || x.to != y.to || x.hypothetical != y.hypothetical || (x.rewrite == nil) != (y.rewrite == nil) {
				return false
			}
			return x.rewrite == nil || set(x.rewrite.dst, y.rewrite.dst) && set(x.rewrite.src, y.rewrite.src) &&
				slices.Equal(x.rewrite.dports, y.rewrite.dports) && slices.Equal(x.rewrite.sports, y.rewrite.sports)
		})
}

// Floods floods both graphs, with everything or with some packets alone: over the edges that they share once, and from there over the others.
func (p *Pair) Floods(bound Bound, only *packet.Set) (a, b *Flood) {
	own := map[int32]bool{}
	for _, i := range p.changed {
		own[i] = true
	}
	a = p.A.newFlood(bound, nil)
	w := a.send(only)
	a.drain(w, own)
	b = p.B.newFlood(bound, nil)
	b.only = only
	copy(b.reached, a.reached)
	for n, list := range a.arrivals {
		b.arrivals[n] = list[:len(list):len(list)] // what is added goes to a copy
	}
	other := &spreading{pending: make([]packet.Set, len(w.pending)), queue: &nodeQueue{in: make([]bool, len(w.pending))}, step: w.step}
	for _, x := range []struct {
		f *Flood
		w *spreading
	}{{a, w}, {b, other}} {
		f, w := x.f, x.w
		for _, i := range p.changed {
			e := &f.g.edges[i]
			if f.skips(e) {
				continue
			}
			if out := f.cross(e, f.reached[e.from]); !out.Empty() {
				f.arrive(w, e.to, i, out)
			}
		}
		f.drain(w, nil)
	}
	return a, b
}

// Affected is, for every node, the packets that may have come there over an edge that differs, in either graph. What is not among them is at that
// node in both graphs or in none, in every bound, and came there by the same edges.
func (p *Pair) Affected() []packet.Set {
	if p.done {
		return p.affected
	}
	p.done = true
	s := p.A.Space
	p.affected = make([]packet.Set, len(p.A.Nodes))
	// Whatever crosses such an edge came to the first one over edges that both share.
	at := map[NodeID]packet.Set{}
	for _, i := range p.changed {
		for _, g := range []*Graph{p.A, p.B} {
			if e := &g.edges[i]; !e.hypothetical {
				at[e.from] = s.Union(at[e.from], e.guard.bound(g.compiler, Over))
			}
		}
	}
	concerned := p.A.Toward(at)
	x, y := p.Floods(Over, &concerned)
	for _, f := range []*Flood{x, y} {
		mine := make([]packet.Set, len(p.A.Nodes))
		pending := make([]packet.Set, len(p.A.Nodes))
		queue := &nodeQueue{in: make([]bool, len(p.A.Nodes))}
		arrive := func(n NodeID, set packet.Set) {
			fresh := s.Subtract(set, mine[n])
			if fresh.Empty() {
				return
			}
			mine[n], pending[n] = s.Union(mine[n], fresh), s.Union(pending[n], fresh)
			if !queue.in[n] {
				heap.Push(queue, n)
			}
		}
		for _, i := range p.changed {
			if e := &f.g.edges[i]; !f.skips(e) {
				arrive(e.to, f.cross(e, f.reached[e.from]))
			}
		}
		for queue.Len() > 0 && s.Err() == nil {
			n := heap.Pop(queue).(NodeID) //nolint:forcetypeassert // a queue of nodes
			delta := pending[n]
			pending[n] = packet.Set{}
			for i := f.g.first[n]; i < f.g.first[n+1]; i++ {
				if e := &f.g.edges[i]; !f.skips(e) {
					arrive(e.to, f.cross(e, delta))
				}
			}
		}
		for n, set := range mine {
			p.affected[n] = s.Union(p.affected[n], set)
		}
	}
	return p.affected
}

// OnePlan reports that both graphs come of one plan, since the estates differ in rules of NSGs alone.
func (p *Pair) OnePlan() bool { return p.B.compiler.second }

// Same reports whether no edge differs, so that nothing does.
func (p *Pair) Same() bool { return len(p.changed) == 0 }
