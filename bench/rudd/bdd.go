// Package rudd runs the workloads on github.com/dalzilio/rudd, a BDD library in Go, and compares it with the engine.
//
// rudd is used as its documentation advises: a million initial nodes, and A\B as And(A, Not(B)), because its own difference operator
// returns B when A is empty. Variables are bits, most significant first, in the engine's order of fields. Both ways to compose a list
// are tried and the faster one counts.
package rudd

import (
	"fmt"
	"net/netip"

	"github.com/dalzilio/rudd"

	"github.com/ringfence/ringfence/bench/workload"
)

// field is a header field: its first variable and its width.
type field struct{ first, bits int }

func dst() field      { return field{0, 32} }
func src() field      { return field{32, 32} }
func protocol() field { return field{64, 8} }
func dport() field    { return field{72, 16} }
func sport() field    { return field{88, 16} }

const variables = 104

// BDD is a manager with the header fields as variables.
type BDD struct{ *rudd.BDD }

// New returns an empty manager.
func New() BDD {
	b, err := rudd.New(variables, rudd.Nodesize(1_000_000), rudd.Cachesize(1_000_000/4), rudd.Cacheratio(25))
	if err != nil {
		panic(err)
	}
	return BDD{b}
}

// diff is a without b.
func (b BDD) diff(x, y rudd.Node) rudd.Node { return b.And(x, b.Not(y)) }

// prefix is the set of values whose first bits are those of v.
func (b BDD) prefix(f field, v uint32, bits int) rudd.Node {
	n := b.True()
	for i := bits - 1; i >= 0; i-- {
		x := f.first + i
		if v>>(f.bits-1-i)&1 == 1 {
			n = b.And(b.Ithvar(x), n)
		} else {
			n = b.And(b.NIthvar(x), n)
		}
	}
	return n
}

// between is the set of values from lo to hi: the fewest prefixes that cover them.
func (b BDD) between(f field, lo, hi uint32) rudd.Node {
	n := b.False()
	for at := uint64(lo); at <= uint64(hi); {
		free := 0
		for free < f.bits && at>>free&1 == 0 && at+(2<<free)-1 <= uint64(hi) {
			free++
		}
		n = b.Or(n, b.prefix(f, uint32(at), f.bits-free))
		at += 1 << free
	}
	return n
}

func address(a netip.Addr) uint32 {
	x := a.As4()
	return uint32(x[0])<<24 | uint32(x[1])<<16 | uint32(x[2])<<8 | uint32(x[3])
}

// union unites a list as a balanced tree.
func (b BDD) union(list []rudd.Node) rudd.Node {
	switch len(list) {
	case 0:
		return b.False()
	case 1:
		return list[0]
	}
	return b.Or(b.union(list[:len(list)/2]), b.union(list[len(list)/2:]))
}

func (b BDD) prefixes(f field, list []netip.Prefix) rudd.Node {
	nodes := make([]rudd.Node, len(list))
	for i, p := range list {
		nodes[i] = b.prefix(f, address(p.Addr()), p.Bits())
	}
	return b.union(nodes)
}

func (b BDD) ports(f field, list []workload.Ports) rudd.Node {
	nodes := make([]rudd.Node, len(list))
	for i, p := range list {
		nodes[i] = b.between(f, uint32(p.Lo), uint32(p.Hi))
	}
	return b.union(nodes)
}

// Matches are the packets of each rule; a tag is built once for each side.
func (b BDD) Matches(l *workload.List) []rudd.Node {
	tags := map[string]rudd.Node{}
	side := func(f field, s workload.Side) rudd.Node {
		if s.Any() {
			return b.True()
		}
		if s.Tag == 0 {
			return b.prefixes(f, s.Prefixes)
		}
		key := fmt.Sprint(f.first, " ", s.Tag)
		n, ok := tags[key]
		if !ok {
			n = b.prefixes(f, l.Prefixes(s))
			tags[key] = n
		}
		return n
	}
	out := make([]rudd.Node, len(l.Rules))
	for i := range l.Rules {
		r := &l.Rules[i]
		n := b.True()
		if r.SPort != nil {
			n = b.And(b.ports(sport(), r.SPort), n)
		}
		if r.DPort != nil {
			n = b.And(b.ports(dport(), r.DPort), n)
		}
		if r.Protocols != nil {
			var p []rudd.Node
			for _, v := range r.Protocols {
				p = append(p, b.prefix(protocol(), uint32(v), 8))
			}
			n = b.And(b.union(p), n)
		}
		out[i] = b.And(side(dst(), r.Dst), b.And(side(src(), r.Src), n))
	}
	return out
}

// Fold is the permitted set, rule by rule from the last.
func (b BDD) Fold(l *workload.List) rudd.Node {
	permitted := b.False()
	matches := b.Matches(l)
	for i := len(matches) - 1; i >= 0; i-- {
		if l.Rules[i].Allow {
			permitted = b.Or(permitted, matches[i])
		} else {
			permitted = b.diff(permitted, matches[i])
		}
	}
	return permitted
}

// Tree is the permitted set as a balanced tree of (permitted, decided).
func (b BDD) Tree(l *workload.List) rudd.Node {
	matches := b.Matches(l)
	var tree func(i, j int) (permitted, decided rudd.Node)
	tree = func(i, j int) (permitted, decided rudd.Node) {
		if j-i == 1 {
			if l.Rules[i].Allow {
				return matches[i], matches[i]
			}
			return b.False(), matches[i]
		}
		p, d := tree(i, (i+j)/2)
		q, e := tree((i+j)/2, j)
		return b.Or(p, b.diff(q, d)), b.Or(d, e)
	}
	permitted, _ := tree(0, len(matches))
	return permitted
}

// Contains reports whether a packet is in a set.
func (b BDD) Contains(n rudd.Node, p workload.Packet) bool {
	var bits [variables]bool
	for _, x := range []struct {
		f field
		v uint32
	}{{dst(), address(p.Dst)}, {src(), address(p.Src)}, {protocol(), uint32(p.Protocol)}, {dport(), uint32(p.DPort)}, {sport(), uint32(p.SPort)}} {
		for i := range x.f.bits {
			bits[x.f.first+i] = x.v>>(x.f.bits-1-i)&1 == 1
		}
	}
	for !b.Equal(n, b.True()) && !b.Equal(n, b.False()) {
		if bits[b.Label(n)] {
			n = b.High(n)
		} else {
			n = b.Low(n)
		}
	}
	return b.Equal(n, b.True())
}
