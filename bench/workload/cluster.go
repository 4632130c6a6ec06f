package workload

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"github.com/ringfence/ringfence/solver/packet"
)

// Cluster is workload W4: Kubernetes workloads, and network policies whose selectors are resolved to the workloads that they hold.
type Cluster struct {
	Workloads int
	Policies  []Policy
	selecting [][]*Policy // the policies that select each workload
}

// Policy selects workloads and says who may reach them (Ingress) and whom they may reach (Egress); nil says nothing about that
// direction.
type Policy struct {
	Selects         Bits
	Ingress, Egress []PolicyRule
}

// PolicyRule allows some ports to or from some peers.
type PolicyRule struct {
	Peers Bits
	Ports []PolicyPort
}

// PolicyPort is a range of ports of one protocol.
type PolicyPort struct {
	Protocol uint8
	Ports    Ports
}

// Bits is a set of workloads.
type Bits []uint64

// Has reports workload i.
func (b Bits) Has(i int) bool { return b[i/64]>>(i%64)&1 == 1 }

func (b Bits) set(i int) { b[i/64] |= 1 << (i % 64) }

// NewCluster makes workloads in 100 namespaces, with labels for application, tier and team, and policies that select by them.
func NewCluster(workloads, policies int, seed uint64) *Cluster {
	r := rand.New(rand.NewPCG(seed, 9))
	type labels struct{ namespace, app, tier, team int }
	all := make([]labels, workloads)
	for i := range all {
		namespace := r.IntN(100)
		all[i] = labels{namespace, r.IntN(25), r.IntN(3), namespace % 12}
	}
	// holds resolves a selector: -1 is any value.
	holds := func(s labels) Bits {
		b := make(Bits, (workloads+63)/64)
		ok := func(want, has int) bool { return want < 0 || want == has }
		for i, l := range all {
			if ok(s.namespace, l.namespace) && ok(s.app, l.app) && ok(s.tier, l.tier) && ok(s.team, l.team) {
				b.set(i)
			}
		}
		return b
	}
	c := &Cluster{Workloads: workloads}
	usual := []uint16{53, 80, 443, 5432, 6379, 8080, 8443, 9090}
	rules := func(namespace int) []PolicyRule {
		var out []PolicyRule
		for range 1 + r.IntN(3) {
			peers := labels{namespace, r.IntN(25), -1, -1}
			switch r.IntN(4) {
			case 0:
				peers = labels{-1, -1, r.IntN(3), r.IntN(12)}
			case 1:
				peers = labels{-1, r.IntN(25), -1, r.IntN(12)}
			}
			rule := PolicyRule{Peers: holds(peers)}
			for range 1 + r.IntN(3) {
				p := usual[r.IntN(len(usual))]
				port := PolicyPort{6, Ports{p, p}}
				if p == 53 {
					port.Protocol = 17
				}
				if r.IntN(10) == 0 {
					port.Ports.Hi = port.Ports.Lo + 99
				}
				rule.Ports = append(rule.Ports, port)
			}
			out = append(out, rule)
		}
		return out
	}
	for range policies {
		namespace := r.IntN(100)
		p := Policy{Selects: holds(labels{namespace, r.IntN(25), -1, -1})}
		if r.IntN(4) == 0 {
			p.Selects = holds(labels{namespace, -1, r.IntN(3), -1})
		}
		if k := r.IntN(3); k < 2 {
			p.Ingress = rules(namespace)
		}
		if p.Ingress == nil || r.IntN(3) == 0 {
			p.Egress = rules(namespace)
		}
		c.Policies = append(c.Policies, p)
	}
	c.selecting = make([][]*Policy, workloads)
	for i := range c.Policies {
		for w := range workloads {
			if c.Policies[i].Selects.Has(w) {
				c.selecting[w] = append(c.selecting[w], &c.Policies[i])
			}
		}
	}
	return c
}

// Matrix is what every workload may open to every other: one number of a packet set for each pair of classes.
type Matrix struct {
	Class []int // of each workload
	Sets  []packet.Set
	cells [][]uint32 // from, to
}

// At is the set of one pair.
func (m *Matrix) At(from, to int) packet.Set { return m.Sets[m.cells[m.Class[from]][m.Class[to]]] }

// Pairs counts the pairs of which something is allowed.
func (m *Matrix) Pairs() int {
	size := make([]int, len(m.cells))
	for _, c := range m.Class {
		size[c]++
	}
	n := 0
	for from, row := range m.cells {
		for to, id := range row {
			if !m.Sets[id].Empty() {
				n += size[from] * size[to]
			}
		}
	}
	return n
}

// interner numbers packet sets and remembers the results of operations on the numbers.
type interner struct {
	s       *packet.Space
	sets    []packet.Set
	ids     map[packet.Set]uint32
	or, and map[uint64]uint32
}

func (n *interner) id(s packet.Set) uint32 {
	id, ok := n.ids[s]
	if !ok {
		id = uint32(len(n.sets))
		n.ids[s] = id
		n.sets = append(n.sets, s)
	}
	return id
}

// binary combines two numbers by a table: the sets are few and the pairs many.
func (n *interner) binary(memo map[uint64]uint32, f func(a, b packet.Set) packet.Set, a, b uint32) uint32 {
	key := uint64(a)<<32 | uint64(b)
	r, ok := memo[key]
	if !ok {
		r = n.id(f(n.sets[a], n.sets[b]))
		memo[key] = r
	}
	return r
}

const (
	nothing    = 0
	everything = 1
)

// Solve computes the matrix: workloads that no selector tells apart are one class; ingress is computed for each class that receives,
// egress for each that sends, and both are intersected.
func (c *Cluster) Solve(s *packet.Space) *Matrix {
	class, members := c.classes()
	n := &interner{s: s, ids: map[packet.Set]uint32{}, or: map[uint64]uint32{}, and: map[uint64]uint32{}}
	n.id(packet.Set{})
	n.id(s.All())
	either := func(a, b packet.Set) packet.Set { return s.Union(a, b) }

	// The classes that a selector holds, and the ports of a rule as a number.
	held := func(b Bits) []uint32 {
		var out []uint32
		for k, m := range members {
			if b.Has(m) {
				out = append(out, uint32(k))
			}
		}
		return out
	}
	type rule struct {
		peers []uint32
		ports uint32
	}
	compile := func(rules []PolicyRule) []rule {
		out := make([]rule, len(rules))
		for i, r := range rules {
			var parts []packet.Set
			for _, p := range r.Ports {
				parts = append(parts, s.Box(packet.Box{
					Protocol: packet.One(uint32(p.Protocol)), DPort: []packet.Range{{Lo: uint32(p.Ports.Lo), Hi: uint32(p.Ports.Hi)}},
				}))
			}
			out[i] = rule{held(r.Peers), n.id(s.Union(parts...))}
		}
		return out
	}
	ingress, egress := make([][][]rule, len(members)), make([][][]rule, len(members))
	for _, p := range c.Policies {
		subjects := held(p.Selects)
		in, out := compile(p.Ingress), compile(p.Egress)
		for _, k := range subjects {
			if p.Ingress != nil {
				ingress[k] = append(ingress[k], in)
			}
			if p.Egress != nil {
				egress[k] = append(egress[k], out)
			}
		}
	}
	row := func(policies [][]rule, cells []uint32) {
		first := uint32(everything)
		if policies != nil {
			first = nothing
		}
		for i := range cells {
			cells[i] = first
		}
		for _, p := range policies {
			for _, r := range p {
				for _, k := range r.peers {
					switch cells[k] {
					case nothing:
						cells[k] = r.ports
					case r.ports:
					default:
						cells[k] = n.binary(n.or, either, cells[k], r.ports)
					}
				}
			}
		}
	}
	// Rows of receivers first; then each row of senders meets the column of the receivers, in blocks that stay in the cache.
	into := matrix(len(members))
	for to := range into {
		row(ingress[to], into[to])
	}
	m := &Matrix{Class: class, cells: matrix(len(members))}
	for from := range m.cells {
		row(egress[from], m.cells[from])
	}
	const block = 64
	for f := 0; f < len(members); f += block {
		for t := 0; t < len(members); t += block {
			for from := f; from < min(f+block, len(members)); from++ {
				for to := t; to < min(t+block, len(members)); to++ {
					a, b := m.cells[from][to], into[to][from]
					switch {
					case a == nothing || b == nothing:
						a = nothing
					case a == everything || a == b:
						a = b
					case b != everything:
						a = n.binary(n.and, s.Intersect, a, b)
					}
					m.cells[from][to] = a
				}
			}
		}
	}
	m.Sets = n.sets
	return m
}

func matrix(n int) [][]uint32 {
	all := make([]uint32, n*n)
	out := make([][]uint32, n)
	for i := range out {
		out[i] = all[i*n : (i+1)*n]
	}
	return out
}

// classes groups workloads that no selector tells apart; members has one of each class.
func (c *Cluster) classes() (class, members []int) {
	var selectors []Bits
	for _, p := range c.Policies {
		selectors = append(selectors, p.Selects)
		for _, r := range slices.Concat(p.Ingress, p.Egress) {
			selectors = append(selectors, r.Peers)
		}
	}
	signature := make([][]byte, c.Workloads)
	for i, b := range selectors {
		for w := range c.Workloads {
			if b.Has(w) {
				signature[w] = binary.BigEndian.AppendUint32(signature[w], uint32(i))
			}
		}
	}
	ids := map[string]int{}
	class = make([]int, c.Workloads)
	for w, s := range signature {
		k, ok := ids[string(s)]
		if !ok {
			k = len(members)
			ids[string(s)] = k
			members = append(members, w)
		}
		class[w] = k
	}
	return class, members
}

// Selecting lists the policies that select a workload.
func (c *Cluster) Selecting(workload int) []*Policy { return c.selecting[workload] }

// Allowed is the answer for one pair by a plain loop over the policies that select either end, port range by port range: the port ranges of each
// protocol, sorted and joined; all says that no policy limits them.
func (c *Cluster) Allowed(from, to int) (ports []PolicyPort, all bool) {
	side := func(subject, peer int, rules func(*Policy) []PolicyRule) ([]PolicyPort, bool) {
		isolated := false
		var out []PolicyPort
		for _, p := range c.selecting[subject] {
			if rules(p) == nil {
				continue
			}
			isolated = true
			for _, r := range rules(p) {
				if r.Peers.Has(peer) {
					out = append(out, r.Ports...)
				}
			}
		}
		return joined(out), !isolated
	}
	in, allIn := side(to, from, func(p *Policy) []PolicyRule { return p.Ingress })
	out, allOut := side(from, to, func(p *Policy) []PolicyRule { return p.Egress })
	switch {
	case allIn:
		return out, allOut
	case allOut:
		return in, false
	}
	var both []PolicyPort
	for _, a := range in {
		for _, b := range out {
			if lo, hi := max(a.Ports.Lo, b.Ports.Lo), min(a.Ports.Hi, b.Ports.Hi); a.Protocol == b.Protocol && lo <= hi {
				both = append(both, PolicyPort{a.Protocol, Ports{lo, hi}})
			}
		}
	}
	return joined(both), false
}

func joined(p []PolicyPort) []PolicyPort {
	slices.SortFunc(p, func(a, b PolicyPort) int {
		if a.Protocol != b.Protocol {
			return int(a.Protocol) - int(b.Protocol)
		}
		return int(a.Ports.Lo) - int(b.Ports.Lo)
	})
	var out []PolicyPort
	for _, x := range p {
		if n := len(out); n > 0 && out[n-1].Protocol == x.Protocol && int(out[n-1].Ports.Hi) >= int(x.Ports.Lo)-1 {
			out[n-1].Ports.Hi = max(out[n-1].Ports.Hi, x.Ports.Hi)
			continue
		}
		out = append(out, x)
	}
	return out
}
