package workload

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/ringfence/ringfence/solver/packet"
)

// HubEngine is a hub on the engine. Every subnet is an origin, and one walk serves all of them.
type HubEngine struct {
	hub      *Hub
	universe *packet.Universe
	sets     map[string]packet.AddrSet // by the text of the prefixes
	dnat     []packet.AddrSet
	public   []packet.AddrSet
	pool     packet.AddrSet
}

// NewHubEngine gives the engine the addresses of a hub.
func NewHubEngine(h *Hub) *HubEngine {
	e := &HubEngine{hub: h, sets: map[string]packet.AddrSet{}}
	b := packet.NewBuilder()
	b.Origins(len(h.Subnets))
	add := func(name string, p []netip.Prefix) { e.sets[fmt.Sprint(p)] = b.AddSet(name, p) }
	for v, p := range h.VNets {
		add(fmt.Sprintf("vnet%d", v), []netip.Prefix{p})
	}
	for i := range h.Subnets {
		s := &h.Subnets[i]
		add(fmt.Sprintf("subnet%d", i), []netip.Prefix{s.Prefix})
		for _, l := range []*List{s.NICOut, s.SubnetOut, s.SubnetIn, s.NICIn} {
			for _, r := range l.Rules {
				add("", r.Src.Prefixes)
				add("", r.Dst.Prefixes)
			}
		}
	}
	for _, r := range h.Firewall.Rules {
		add("", r.Src.Prefixes)
		add("", r.Dst.Prefixes)
	}
	for _, d := range h.DNAT {
		e.dnat = append(e.dnat, b.AddTarget(d.Target))
		e.public = append(e.public, b.AddTarget(d.Public))
	}
	e.pool = b.AddPool("pool", h.Pool)
	e.universe = b.Freeze()
	return e
}

// Universe is what the engine's packets are made of.
func (e *HubEngine) Universe() *packet.Universe { return e.universe }

func (e *HubEngine) addrs(p []netip.Prefix) []packet.Range {
	return e.universe.Addrs(e.sets[fmt.Sprint(p)])
}

// allowed compiles a list to the set that it lets pass.
func (e *HubEngine) allowed(s *packet.Space, l *List) packet.Set {
	leaves := make([]packet.Decision, len(l.Rules))
	for i := range l.Rules {
		r := &l.Rules[i]
		var b packet.Box
		if !r.Src.Any() {
			b.Src = e.addrs(r.Src.Prefixes)
		}
		if !r.Dst.Any() {
			b.Dst = e.addrs(r.Dst.Prefixes)
		}
		for _, p := range r.Protocols {
			b.Protocol = append(b.Protocol, packet.Range{Lo: uint32(p), Hi: uint32(p)})
		}
		for _, p := range r.DPort {
			b.DPort = append(b.DPort, packet.Range{Lo: uint32(p.Lo), Hi: uint32(p.Hi)})
		}
		leaves[i] = s.Leaf(s.Box(b), Action(*r))
	}
	return s.WhereIs(s.Seq(leaves...), Allow)
}

// Guards are the compiled lists of a hub: what leaves each subnet, what enters it, what the firewall passes.
type Guards struct {
	Out, In  []packet.Set
	Firewall packet.Set
}

// Compile compiles the guards with some workers: each in a Space of its own, imported in order.
func (e *HubEngine) Compile(s *packet.Space, workers int) *Guards {
	n := len(e.hub.Subnets)
	g := &Guards{Out: make([]packet.Set, n), In: make([]packet.Set, n)}
	spaces := make([]*packet.Space, workers)
	parallel(workers, func(w int) {
		own := packet.NewSpace(e.universe, packet.Limits{})
		spaces[w] = own
		for i := w * n / workers; i < (w+1)*n/workers; i++ {
			x := &e.hub.Subnets[i]
			from := own.Box(packet.Box{Origin: packet.One(uint32(i)), Src: e.addrs([]netip.Prefix{x.Prefix})})
			to := own.Box(packet.Box{Dst: e.addrs([]netip.Prefix{x.Prefix})})
			g.Out[i] = own.Intersect(from, own.Intersect(e.allowed(own, x.NICOut), e.allowed(own, x.SubnetOut)))
			g.In[i] = own.Intersect(to, own.Intersect(e.allowed(own, x.SubnetIn), e.allowed(own, x.NICIn)))
		}
		if w == workers-1 {
			g.Firewall = e.allowed(own, e.hub.Firewall)
		}
	})
	for w, own := range spaces {
		for i := w * n / workers; i < (w+1)*n/workers; i++ {
			g.Out[i], g.In[i] = s.Import(own, g.Out[i]), s.Import(own, g.In[i])
		}
		if w == workers-1 {
			g.Firewall = s.Import(own, g.Firewall)
		}
	}
	return g
}

// Sent is what arrives from all subnets at once: at the subnets of each VNet from the same VNet, and behind the firewall.
func (e *HubEngine) Sent(s *packet.Space, g *Guards) (local []packet.Set, routed packet.Set) {
	var far []packet.Set
	var hidden []packet.Range
	for v, p := range e.hub.VNets {
		out := s.Union(g.Out[10*v : 10*v+10]...)
		inside := s.Box(packet.Box{Dst: e.addrs([]netip.Prefix{p})})
		local = append(local, s.Intersect(out, inside))
		far = append(far, s.Subtract(out, inside))
		if e.hub.Hidden[v] {
			hidden = append(hidden, packet.Range{Lo: uint32(10 * v), Hi: uint32(10*v + 9)})
		}
	}
	at := s.Intersect(s.Union(far...), g.Firewall)
	var public []packet.Range
	parts := []packet.Set{{}}
	for i, d := range e.hub.DNAT {
		match := s.Box(packet.Box{
			Dst: e.universe.Addrs(e.public[i]), Protocol: packet.One(6), DPort: packet.One(uint32(d.Port)),
		})
		parts = append(parts, s.Rewrite(s.Intersect(at, match), packet.Rewrite{
			Dst: e.universe.Addrs(e.dnat[i]), DPort: packet.One(uint32(d.TargetPort)),
		}))
		public = append(public, e.universe.Addrs(e.public[i])...)
	}
	parts[0] = s.Subtract(at, s.Box(packet.Box{Dst: public}))
	translated := s.Union(parts...)
	mine := s.Box(packet.Box{Origin: hidden})
	return local, s.Union(s.Subtract(translated, mine), s.Rewrite(s.Intersect(translated, mine), packet.Rewrite{Src: e.universe.Addrs(e.pool)}))
}

// Arrives is what reaches each subnet, from all at once. Workers take destinations in turn, each on an overlay; visit is called for each
// destination, in any order but never twice for one.
func (e *HubEngine) Arrives(s *packet.Space, g *Guards, local []packet.Set, routed packet.Set, workers int, visit func(s *packet.Space, to int, from packet.Set)) {
	s.Freeze()
	parallel(workers, func(w int) {
		own := packet.Fork(s)
		for j := w; j < len(e.hub.Subnets); j += workers {
			visit(own, j, own.Intersect(own.Union(local[e.hub.Subnets[j].VNet], routed), g.In[j]))
		}
	})
}

// parallel runs f for each worker and waits for all.
func parallel(workers int, f func(w int)) {
	var wait sync.WaitGroup
	for w := 1; w < workers; w++ {
		wait.Go(func() { f(w) })
	}
	f(0)
	wait.Wait()
}

// Reached is the answer for one destination: how many subnets reach it, how many boxes describe that, and the hash of them.
type Reached struct {
	From  int
	Boxes uint64
	Hash  [sha256.Size]byte
}

// All solves the whole hub: compile, send, arrive. Boxes are listed only when asked for.
func (e *HubEngine) All(workers int, boxes bool) ([]Reached, *packet.Space) {
	s := packet.NewSpace(e.universe, packet.Limits{})
	g := e.Compile(s, workers)
	local, routed := e.Sent(s, g)
	out := make([]Reached, len(e.hub.Subnets))
	e.Arrives(s, g, local, routed, workers, func(s *packet.Space, to int, from packet.Set) {
		hash := sha256.New()
		for _, r := range s.Origins(from) {
			out[to].From += int(r.Hi - r.Lo + 1)
			if !boxes {
				continue
			}
			for o := r.Lo; o <= r.Hi; o++ {
				list, n := s.Boxes(s.Project(s.OriginSlice(from, o), packet.Origin), 1000)
				out[to].Boxes += n
				fmt.Fprintln(hash, o, to, list)
			}
		}
		out[to].Hash = [sha256.Size]byte(hash.Sum(nil))
	})
	return out, s
}

// PairPackets solves one pair without origins and without sharing, for comparison.
func (e *HubEngine) PairPackets(s *packet.Space, g *Guards, i, j int) packet.Set {
	x, h := g.Out[i], e.hub
	inside := s.Box(packet.Box{Dst: e.addrs([]netip.Prefix{h.VNets[h.Subnets[i].VNet]})})
	var local packet.Set
	if h.Subnets[i].VNet == h.Subnets[j].VNet {
		local = s.Intersect(x, inside)
	}
	x = s.Intersect(s.Subtract(x, inside), g.Firewall)
	for k, d := range h.DNAT {
		public := s.Box(packet.Box{Dst: e.universe.Addrs(e.public[k])})
		match := s.Box(packet.Box{Dst: e.universe.Addrs(e.public[k]), Protocol: packet.One(6), DPort: packet.One(uint32(d.Port))})
		x = s.Union(s.Subtract(x, public), s.Rewrite(s.Intersect(x, match), packet.Rewrite{
			Dst: e.universe.Addrs(e.dnat[k]), DPort: packet.One(uint32(d.TargetPort)),
		}))
	}
	if h.Hidden[h.Subnets[i].VNet] {
		x = s.Rewrite(x, packet.Rewrite{Src: e.universe.Addrs(e.pool)})
	}
	return s.Intersect(s.Union(local, x), g.In[j]) // behind a public address of the firewall even the own VNet is routed
}

// Pairs counts the pairs of which something arrives.
func Pairs(r []Reached) int {
	n := 0
	for i := range r {
		n += r[i].From
	}
	return n
}

// SameBytes reports whether two runs listed the same boxes.
func SameBytes(a, b []Reached) bool { return slices.Equal(a, b) }
