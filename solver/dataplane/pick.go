package dataplane

import (
	"slices"

	"github.com/ringfence/ringfence/solver/packet"
)

// picks reports whether an edge puts a source on packets that it picks from several addresses which the run tells apart (AZ-GEN-13), or a new
// port.
func (g *Graph) picks(e *edge) bool {
	if e.rewrite == nil || e.rewrite.src == nil {
		return false
	}
	r := g.Universe.Addrs(*e.rewrite.src)
	return len(r) > 1 || len(r) == 1 && r[0].Lo != r[0].Hi || len(e.rewrite.sports) > 0
}

// oneFamily is the packets whose addresses are of one family, symbols counting as IPv4.
func (g *Graph) oneFamily() packet.Set {
	if g.family == nil {
		s, a := g.Space, g.planner.addr
		v4, v6 := g.Universe.Addrs(a.v4), g.Universe.Addrs(a.v6)
		set := s.Union(s.Box(packet.Box{Src: v4, Dst: v4}), s.Box(packet.Box{Src: v6, Dst: v6}))
		g.family = &set
	}
	return *g.family
}

// before is the packets of a set that an edge turns into ones of another set. Over: into some of them. Otherwise into one of them whatever
// source the edge picks: nobody chooses it, while destinations are a choice (AZ-GEN-13).
func (f *Flood) before(e *edge, after, here packet.Set) packet.Set {
	g, s := f.g, f.g.Space
	here = s.Intersect(here, f.pass(e))
	if e.rewrite == nil {
		return s.Intersect(here, after)
	}
	rw := g.rewriteOf(e)
	some := s.Intersect(here, s.Preimage(after, rw))
	if f.bound == Over || some.Empty() || !g.picks(e) {
		return some
	}
	to, from := rw, rw
	to.Src, to.SPort = nil, nil
	from.Dst, from.DPort = nil, nil
	sent := s.Rewrite(here, to) // with the new destination, before a source is picked
	wrong := s.Subtract(s.Intersect(s.Rewrite(sent, from), g.oneFamily()), after)
	return s.Intersect(some, s.Preimage(s.Subtract(s.Intersect(sent, s.Preimage(after, from)), s.Preimage(wrong, from)), to))
}

// pick is where packets stand to which some edges gave a source of one pool.
type pick struct {
	src    packet.AddrSet
	at     NodeID
	set    packet.Set
	why    string                // the assumption that names what is picked
	behind map[NodeID]packet.Set // where the packets get
}

// doubtful is where packets stand whose way on depends on the source that was picked for them; computed once.
func (f *Flood) doubtful() []pick {
	if f.picked {
		return f.picks
	}
	f.picked = true
	g, s := f.g, f.g.Space
	type key struct {
		src packet.AddrSet
		at  NodeID
	}
	index := map[key]int{}
	var list []pick
	for i := range g.edges {
		e := &g.edges[i]
		if !g.picks(e) || f.skips(e) {
			continue
		}
		set := f.cross(e, f.reached[e.from])
		if set.Empty() {
			continue
		}
		k := key{*e.rewrite.src, e.to}
		j, ok := index[k]
		if !ok {
			j = len(list)
			why := "ASM-SNATPOOL"
			if slices.Contains(e.notes, "ASM-A-MASQ") {
				why = "ASM-A-MASQ"
			}
			index[k], list = j, append(list, pick{src: k.src, at: k.at, why: why})
		}
		list[j].set = s.Union(list[j].set, set)
	}
	for _, p := range list {
		if f.alike(p) {
			continue
		}
		p.behind = map[NodeID]packet.Set{}
		f.spread(p, func(*edge, packet.Set) (on, ok bool) { return true, true }, p.behind)
		f.picks = append(f.picks, p)
	}
	return f.picks
}

// alike reports that no control on the way tells the picked sources apart, up to where another source takes their place.
func (f *Flood) alike(p pick) bool {
	g, s := f.g, f.g.Space
	pool := s.Intersect(s.Box(packet.Box{Src: g.Universe.Addrs(p.src)}), g.oneFamily())
	whole := func(set packet.Set) bool {
		return s.Subset(s.Intersect(s.Project(set, packet.Src), pool), set)
	}
	return f.spread(p, func(e *edge, passing packet.Set) (on, ok bool) {
		return e.rewrite == nil || e.rewrite.src == nil, whole(passing)
	}, nil)
}

// spread carries packets on from where a source was picked for them. each says of an edge that passes some of them whether to go on
// behind it, and whether to go on at all; the result is false when it said no to that. reached, where not nil, collects what comes to
// each node.
func (f *Flood) spread(p pick, each func(*edge, packet.Set) (on, ok bool), reached map[NodeID]packet.Set) bool {
	g, s := f.g, f.g.Space
	if reached == nil {
		reached = map[NodeID]packet.Set{}
	}
	pending := map[NodeID]packet.Set{p.at: p.set}
	reached[p.at] = s.Union(reached[p.at], p.set)
	queue := []NodeID{p.at}
	for len(queue) > 0 && s.Err() == nil {
		n := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		delta := pending[n]
		delete(pending, n)
		for i := g.first[n]; i < g.first[n+1]; i++ {
			e := &g.edges[i]
			if f.skips(e) {
				continue
			}
			passing := s.Intersect(delta, f.pass(e))
			if passing.Empty() {
				continue
			}
			on, ok := each(e, passing)
			if !ok {
				return false
			}
			if !on {
				continue
			}
			out := passing
			if e.rewrite != nil {
				out = f.cross(e, passing)
			}
			fresh := s.Subtract(s.Intersect(out, f.reached[e.to]), reached[e.to])
			if fresh.Empty() {
				continue
			}
			reached[e.to] = s.Union(reached[e.to], fresh)
			if _, ok := pending[e.to]; !ok {
				queue = append(queue, e.to)
			}
			pending[e.to] = s.Union(pending[e.to], fresh)
		}
	}
	return true
}

// Sure narrows what arrives at some nodes, which count as one target, to the packets that arrive at it whatever source each translation on
// the way picks (AZ-GEN-13). In the bound over that is all of them.
func (f *Flood) Sure(arrived map[NodeID]packet.Set) map[NodeID]packet.Set {
	if f.bound == Over || len(arrived) == 0 || !f.depends(arrived) {
		return arrived
	}
	s := f.g.Space
	again := &Flood{g: f.g, bound: f.bound, reached: make([]packet.Set, len(f.g.Nodes)), arrivals: make([][]arrival, len(f.g.Nodes)), blocked: f.blocked, world: f.world, passing: f.passing}
	again.within = f.Back(arrived, s.All())
	again.run(f.only)
	out := map[NodeID]packet.Set{}
	for n, set := range arrived {
		if left := s.Intersect(set, again.reached[n]); !left.Empty() {
			out[n] = left
		}
	}
	return out
}

// depends reports whether some of what arrived may hang on a picked source.
func (f *Flood) depends(arrived map[NodeID]packet.Set) bool {
	return slices.ContainsFunc(f.doubtful(), func(p pick) bool { return f.behind(p, arrived) })
}

func (f *Flood) behind(p pick, arrived map[NodeID]packet.Set) bool {
	for n, set := range arrived {
		if !f.g.Space.Disjoint(set, p.behind[n]) {
			return true
		}
	}
	return false
}

// skips reports an edge that the flood does not take.
func (f *Flood) skips(e *edge) bool { return f.avoids(e.to) || e.hypothetical && f.world == nil }

// Picked names the assumptions behind packets that arrive for certain but for the source that a translation picks.
func (f *Flood) Picked(n NodeID, set packet.Set) []string {
	var out []string
	for _, p := range f.doubtful() {
		if f.behind(p, map[NodeID]packet.Set{n: set}) {
			out = append(out, p.why)
		}
	}
	return out
}

// sameFamily drops what a translation to addresses of both families makes of a packet in the other one.
func (g *Graph) sameFamily(e *edge, out packet.Set) packet.Set {
	if !g.picks(e) {
		return out
	}
	r := g.Universe.Addrs(*e.rewrite.src)
	if meet(r, g.Universe.Addrs(g.planner.addr.v4)) && meet(r, g.Universe.Addrs(g.planner.addr.v6)) {
		return g.Space.Intersect(out, g.oneFamily())
	}
	return out
}

// meet reports whether two sorted lists of ranges have a value in common.
func meet(a, b []packet.Range) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Hi < b[0].Lo:
			a = a[1:]
		case b[0].Hi < a[0].Lo:
			b = b[1:]
		default:
			return true
		}
	}
	return false
}
