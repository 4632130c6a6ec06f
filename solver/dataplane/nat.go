package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// natRule is a NAT rule of a VPN gateway in force on a connection (AZ-GW-12).
type natRule struct {
	static bool
	pairs  []natPair
}

// natPair maps an internal range to an external one: address by address where both have one size.
type natPair struct{ inner, outer netip.Prefix }

func (m natPair) oneToOne() bool {
	return m.inner.Bits() == m.outer.Bits() && m.inner.Addr().BitLen() == m.outer.Addr().BitLen()
}

// natRules are the rules that a connection lists, and the names of those that the input lacks.
func (p *planner) natRules(g *model.Gateway, ids []model.ID, mode string) (rules []natRule, lacking []string) {
	for _, id := range ids {
		i := slices.IndexFunc(g.NATRules, func(r model.GatewayNATRule) bool { return r.ID.Key() == id.Key() })
		if i < 0 {
			lacking = append(lacking, missing("NAT rule", id))
			continue
		}
		r := g.NATRules[i]
		if !strings.EqualFold(r.Mode, mode) {
			continue // the platform takes no rule of the other mode
		}
		rule := natRule{static: strings.EqualFold(r.Type, "Static")}
		for i := range min(len(r.Internal), len(r.External)) {
			rule.pairs = append(rule.pairs, natPair{r.Internal[i], r.External[i]})
		}
		rules = append(rules, rule)
	}
	return rules, lacking
}

// outerPairs are the mappings by which the estate knows the addresses of a far side.
func outerPairs(rules []natRule) []natPair {
	var out []natPair
	for _, r := range rules {
		out = append(out, r.pairs...)
	}
	return out
}

// innerSpace is the addresses that translation turns into those of a set, with the ones that no rule produces.
func innerSpace(rules []natRule, outer *netipx.IPSet) *netipx.IPSet {
	out := outer
	for _, m := range outerPairs(rules) {
		out = minusSet(out, ipset([]netip.Prefix{m.outer}))
	}
	for _, r := range rules {
		for _, m := range r.pairs {
			part := intersectSet(outer, ipset([]netip.Prefix{m.outer}))
			if isEmpty(part) {
				continue
			}
			out = unionSet(out, m.back(r.static, part))
		}
	}
	return out
}

// back is the internal addresses of external ones.
func (m natPair) back(static bool, outer *netipx.IPSet) *netipx.IPSet {
	if !static || !m.oneToOne() {
		return ipset([]netip.Prefix{m.inner})
	}
	var b netipx.IPSetBuilder
	for _, r := range outer.Ranges() {
		b.AddRange(netipx.IPRangeFrom(shift(r.From(), m.outer, m.inner), shift(r.To(), m.outer, m.inner)))
	}
	return must(b.IPSet())
}

// shift moves an address of one range to the same place of another.
func shift(a netip.Addr, from, to netip.Prefix) netip.Addr {
	x, t := a.AsSlice(), to.Masked().Addr().AsSlice()
	for i := range x {
		keep := byte(0xff)
		if bits := from.Bits() - 8*i; bits >= 8 {
			keep = 0
		} else if bits > 0 {
			keep = 0xff >> bits
		}
		x[i] = t[i]&^keep | x[i]&keep
	}
	out, _ := netip.AddrFromSlice(x)
	return out
}

// Inner is the addresses of a site, as its own packets carry them, that the estate knows as a block (AZ-GW-12).
func (s *Site) Inner(block netip.Prefix) []netip.Prefix {
	out := []netip.Prefix{block}
	for _, m := range s.Outer {
		if part := intersectSet(ipset([]netip.Prefix{block}), ipset([]netip.Prefix{m.outer})); !isEmpty(part) {
			out = append(out, m.back(m.oneToOne(), part).Prefixes()...)
		}
	}
	return out
}

// Known is the block by which the estate knows addresses of a site.
func (s *Site) Known(block netip.Prefix) netip.Prefix {
	for _, m := range s.Outer {
		if m.inner.Bits() <= block.Bits() && m.inner.Contains(block.Addr()) {
			if !m.oneToOne() {
				return m.outer
			}
			return netip.PrefixFrom(shift(block.Masked().Addr(), m.inner, m.outer), block.Bits())
		}
	}
	return block
}

// side of a packet that a translation changes.
type side uint8

const (
	sourceSide side = iota
	destinationSide
)

func (s side) in(a packet.AddrSet) *lazy {
	if s == sourceSide {
		return srcIn(a)
	}
	return dstIn(a)
}

// pendingNAT is a static translation, which is cut into pieces once every address set of the run is known.
type pendingNAT struct {
	from, to    NodeID
	side        side
	match, into netip.Prefix
	guard       guard
	notes       []string
}

// translateIn is the node behind the translations of packets that come from a far side: their source becomes external, their
// destination internal (AZ-GW-12).
func (p *planner) translateIn(from NodeID, f farSide) NodeID {
	if len(f.ingress)+len(f.egress) == 0 {
		return from
	}
	place := model.Place{Kind: model.PlaceGateway, ID: f.gw.ID, Part: f.name}
	mid, to := p.node(place, StageGateway, "in source"), p.node(place, StageGateway, "in")
	p.translate(from, mid, f.ingress, sourceSide, outwards)
	p.translate(mid, to, f.egress, destinationSide, inwards)
	return to
}

// translateOut delivers packets to a far side, behind the same translations: their source becomes external, their destination internal.
func (p *planner) translateOut(from NodeID, f farSide, gd guard, notes []string) {
	receive := p.node(farPlace(f), StageReceive, "")
	if !f.certain || len(f.missing) > 0 { // AZ-GW-12: what a rule does that the input lacks is not known, whatever route leads here
		gd = gd.mayOnly()
	}
	if len(f.ingress)+len(f.egress) == 0 {
		p.edge(from, receive, gd, nil, notes...)
		return
	}
	place := model.Place{Kind: model.PlaceGateway, ID: f.gw.ID, Part: f.name}
	first, mid := p.node(place, StageGateway, "out"), p.node(place, StageGateway, "out source")
	p.edge(from, first, gd, nil, notes...)
	key := Node{Place: place.Key(), Stage: StageGateway, Via: "out"}
	if p.routeDone[key] {
		return
	}
	p.routeDone[key] = true
	p.translate(first, mid, f.egress, sourceSide, outwards)
	p.translate(mid, receive, f.ingress, destinationSide, inwards)
}

// direction of a translation.
type direction uint8

const (
	outwards direction = iota // internal to external
	inwards                   // external to internal
)

// translate adds the rules of one mode between two nodes. Where several rules match, any may act; a packet to the internal range of a
// rule, which nobody should send, may pass as it is (ASM-VPNNAT).
func (p *planner) translate(from, to NodeID, rules []natRule, s side, d direction) {
	var notes []string
	type mapping struct {
		natPair
		static bool
	}
	var list []mapping
	var matched, inner []netip.Prefix
	for _, r := range rules {
		for _, m := range r.pairs {
			list = append(list, mapping{m, r.static})
			inner = append(inner, m.inner)
			if d == outwards {
				matched = append(matched, m.inner)
			} else {
				matched = append(matched, m.outer)
			}
		}
	}
	rest := ipset([]netip.Prefix{allV4(), allV6()}, matched...)
	restSet := p.addr.space(rest)
	// Symbols of addresses that a rule may or may not hold pass both ways in over.
	pass := between(s.in(restSet.may), s.in(restSet.must))
	if d == inwards && len(inner) > 0 {
		hidden := p.addr.set(inner)
		pass.under = minus(pass.under, s.in(hidden.may))
		notes = append(notes, "ASM-VPNNAT")
	}
	p.edge(from, to, pass, nil, notes...)
	for i, m := range list {
		match, into := m.inner, m.outer
		if d == inwards {
			match, into = m.outer, m.inner
		}
		var others []netip.Prefix
		for j, x := range matched {
			if j != i {
				others = append(others, x)
			}
		}
		alone := p.addr.space(minusSet(ipset([]netip.Prefix{match}), ipset(others)))
		whole := p.addr.set([]netip.Prefix{match})
		g := between(s.in(whole.may), s.in(alone.must))
		switch {
		case m.static && m.oneToOne():
			p.static = append(p.static, pendingNAT{from, to, s, match, into, g, notes})
		case d == inwards && !m.static:
			// AZ-GW-12: only the internal side of a dynamic rule opens connections.
		default:
			p.edge(from, to, p.pooled(s, g, into), p.poolRewrite(s, into, !m.static), notes...)
		}
	}
}

// pooled is a translation to some address of a range. Of a source any may have been picked (AZ-GEN-13); a destination is certain only where
// nothing tells the addresses apart.
func (p *planner) pooled(s side, g guard, into netip.Prefix) guard {
	if s == sourceSide {
		return g
	}
	pool := p.addr.pool(ipset([]netip.Prefix{into}))
	under := g.under
	g.under = later(func(c *compiler) packet.Set {
		n := uint32(0)
		for _, r := range c.u.Addrs(pool) {
			n += r.Hi - r.Lo + 1
		}
		if n > 1 {
			return packet.Set{}
		}
		return under.get(c)
	})
	return g
}

func (p *planner) poolRewrite(s side, into netip.Prefix, ports bool) *rewrite {
	pool := p.addr.pool(ipset([]netip.Prefix{into}))
	rw := &rewrite{dst: &pool}
	if s == sourceSide {
		rw = &rewrite{src: &pool}
		if ports {
			rw.sports = []model.PortRange{{First: 1, Last: 65535}} // AZ-GW-12: with a new port
		}
	}
	return rw
}

// maxPieces bounds how finely a static translation is cut.
const maxPieces = 1 << 14

// cutStatic adds the edges of static translations. A translation maps address by address, while packets carry classes of addresses: both
// sides are cut at every boundary of either, those of other translations included, until nothing changes.
func (p *planner) cutStatic() {
	if len(p.static) == 0 {
		return
	}
	cuts := map[netip.Prefix][]netip.Addr{}
	ranges := func(n pendingNAT) []netip.Prefix { return []netip.Prefix{n.match, n.into} }
	for _, n := range p.static {
		for _, x := range ranges(n) {
			if _, ok := cuts[x]; !ok {
				cuts[x] = p.b.Cuts(x)
			}
		}
	}
	within := func(x netip.Prefix) []netip.Addr { // boundaries inside a range, whichever range they were found in
		var out []netip.Addr
		for _, list := range cuts {
			for _, a := range list {
				if x.Contains(a) && a != x.Masked().Addr() {
					out = append(out, a)
				}
			}
		}
		slices.SortFunc(out, netip.Addr.Compare)
		return slices.Compact(out)
	}
	for changed, pieces := true, 0; changed && pieces < maxPieces; {
		changed, pieces = false, 0
		for _, n := range p.static {
			for _, dir := range [][2]netip.Prefix{{n.match, n.into}, {n.into, n.match}} {
				for _, a := range within(dir[0]) {
					pieces++
					b := shift(a, dir[0], dir[1])
					if i, ok := slices.BinarySearchFunc(cuts[dir[1]], b, netip.Addr.Compare); !ok {
						cuts[dir[1]] = slices.Insert(cuts[dir[1]], i, b)
						changed = true
					}
				}
			}
		}
	}
	for _, n := range p.static {
		list := within(n.match)
		if len(list) > maxPieces {
			// Too finely cut to be followed address by address: some address of the range, and nothing is certain.
			n.guard.under = nothing()
			p.edge(n.from, n.to, n.guard, p.poolRewrite(n.side, n.into, false), n.notes...)
			continue
		}
		first := n.match.Masked().Addr()
		for i := range len(list) + 1 {
			last := netipx.PrefixLastIP(n.match)
			if i < len(list) {
				last = list[i].Prev()
			}
			piece := netipx.IPRangeFrom(first, last)
			image := netipx.IPRangeFrom(shift(first, n.match, n.into), shift(last, n.match, n.into))
			match := p.b.AddSet("", piece.Prefixes())
			into := p.b.AddPool("", image.Prefixes())
			rw := &rewrite{dst: &into}
			if n.side == sourceSide {
				rw = &rewrite{src: &into}
			}
			p.edge(n.from, n.to, and(n.guard, exactly(n.side.in(match))), rw, n.notes...)
			if i < len(list) {
				first = list[i]
			}
		}
		// A host whose address the input does not state is translated to some address of the range.
		symbols := minus(n.side.in(p.addr.set([]netip.Prefix{n.match}).may), n.side.in(p.b.AddSet("", []netip.Prefix{n.match})))
		p.edge(n.from, n.to, and(p.pooled(n.side, n.guard, n.into), exactly(symbols)), p.poolRewrite(n.side, n.into, false), n.notes...)
	}
}
