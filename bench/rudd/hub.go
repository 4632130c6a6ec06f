package rudd

import (
	"net/netip"
	"slices"

	"github.com/dalzilio/rudd"

	"github.com/ringfence/ringfence/bench/workload"
)

// Hub solves all pairs of a hub: the guards are compiled once, each source walks to the firewall once, and each pair is one intersection.
// It returns the set of each pair, from and to.
func (b BDD) Hub(h *workload.Hub) [][]rudd.Node {
	sides := map[string]rudd.Node{}
	side := func(f field, p []netip.Prefix) rudd.Node {
		if p == nil {
			return b.True()
		}
		key := string(rune('a'+f.first)) + text(p)
		n, ok := sides[key]
		if !ok {
			n = b.prefixes(f, p)
			sides[key] = n
		}
		return n
	}
	allowed := func(l *workload.List) rudd.Node {
		permitted := b.False()
		for i := len(l.Rules) - 1; i >= 0; i-- {
			r := &l.Rules[i]
			n := b.True()
			if r.DPort != nil {
				n = b.And(b.ports(dport(), r.DPort), n)
			}
			if r.Protocols != nil {
				n = b.And(b.prefix(protocol(), uint32(r.Protocols[0]), 8), n)
			}
			n = b.And(side(dst(), r.Dst.Prefixes), b.And(side(src(), r.Src.Prefixes), n))
			if r.Allow {
				permitted = b.Or(permitted, n)
			} else {
				permitted = b.diff(permitted, n)
			}
		}
		return permitted
	}
	var out, in []rudd.Node
	for i := range h.Subnets {
		s := &h.Subnets[i]
		own := []netip.Prefix{s.Prefix}
		out = append(out, b.And(side(src(), own), b.And(allowed(s.NICOut), allowed(s.SubnetOut))))
		in = append(in, b.And(side(dst(), own), b.And(allowed(s.SubnetIn), allowed(s.NICIn))))
	}
	firewall := allowed(h.Firewall)

	bits := func(f field) []int {
		out := make([]int, f.bits)
		for i := range out {
			out[i] = f.first + i
		}
		return out
	}
	freed, hidden := b.Makeset(slices.Concat(bits(dst()), bits(dport()))), b.Makeset(bits(src()))
	pool := b.prefixes(src(), h.Pool)

	result := make([][]rudd.Node, len(h.Subnets))
	for i := range h.Subnets {
		v := h.Subnets[i].VNet
		inside := side(dst(), h.VNets[v:v+1])
		local := b.And(out[i], inside)
		x := b.And(b.diff(out[i], inside), firewall)
		for _, d := range h.DNAT {
			public := b.prefix(dst(), address(d.Public), 32)
			match := b.And(public, b.And(b.prefix(protocol(), 6, 8), b.prefix(dport(), uint32(d.Port), 16)))
			become := b.And(b.prefix(dst(), address(d.Target), 32), b.prefix(dport(), uint32(d.TargetPort), 16))
			x = b.Or(b.diff(x, public), b.And(become, b.AndExist(freed, x, match)))
		}
		if h.Hidden[v] {
			x = b.And(pool, b.Exist(x, hidden))
		}
		result[i] = make([]rudd.Node, len(h.Subnets))
		for j := range h.Subnets {
			arrived := x
			if h.Subnets[j].VNet == v {
				arrived = b.Or(local, x)
			}
			result[i][j] = b.And(arrived, in[j])
		}
	}
	return result
}

func text(p []netip.Prefix) string {
	var out []byte
	for _, x := range p {
		out = x.AppendTo(out)
	}
	return string(out)
}
