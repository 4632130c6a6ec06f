package dataplane

import (
	"slices"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// compiler turns planned guards into packet sets once the universe is frozen.
type compiler struct {
	s *packet.Space
	u *packet.Universe

	// Of the second of two estates that one plan describes: it reads the rules in which the two differ as that estate has them.
	second bool
	moved  map[model.Source]model.Source // where the second estate has what the first one has elsewhere
	varies bool                          // what was compiled since this was last reset depends on such rules
}

// memo is a value that is computed when it is first asked for: sets exist only after the universe is frozen, while guards are planned before.
// What depends on rules in which two estates differ is computed for each of them; the rest is theirs together.
type memo[T any] struct {
	f      func(c *compiler) T
	done   bool
	varies bool
	value  T
	second *T // where it varies, the second estate's
}

func (m *memo[T]) get(c *compiler) T {
	if m.varies {
		c.varies = true
		if c.second && m.second != nil {
			return *m.second
		}
	}
	if m.done && (!m.varies || !c.second) {
		return m.value
	}
	before := c.varies
	c.varies = false
	value := m.f(c)
	if c.varies && c.second {
		m.varies, m.second = true, &value
	} else {
		m.value, m.done, m.varies = value, true, m.varies || c.varies
	}
	if !m.varies {
		m.f = nil
	}
	c.varies = c.varies || before
	return value
}

// lazy is a packet set that is computed when it is first asked for.
type lazy struct{ memo[packet.Set] }

func later(f func(c *compiler) packet.Set) *lazy { return &lazy{memo[packet.Set]{f: f}} }

func everything() *lazy { return later(func(c *compiler) packet.Set { return c.s.All() }) }
func nothing() *lazy    { return later(func(*compiler) packet.Set { return packet.Set{} }) }

// guard is what an edge lets pass, in the three bounds of AZ-GEN-09. A nil over means everything; a nil under means the same as
// over; reply, where set, is what session lets pass beside under: packets whose answer returns (AZ-RT-28). barriers are the controls
// behind over, and rest is what over asks for beside them; nil means everything.
type guard struct {
	over, under, reply, rest *lazy
	barriers                 []*barrier
}

func exactly(l *lazy) guard       { return guard{over: l} }
func between(over, u *lazy) guard { return guard{over: over, under: u} }
func onlyOver(over *lazy) guard   { return guard{over: over, under: nothing()} }

func (g guard) withReply(r *lazy) guard {
	g.reply = both(g.reply, r)
	return g
}

// low is the under bound of a guard whose over is stated.
func (g guard) low() *lazy {
	if g.under != nil {
		return g.under
	}
	return g.over
}

// bound returns the set of one bound.
func (g guard) bound(c *compiler, b Bound) packet.Set {
	over := c.s.All()
	if g.over != nil {
		over = g.over.get(c)
	}
	if b == Over {
		return over
	}
	under := over
	if g.under != nil {
		under = g.under.get(c)
	}
	if b == OneWay || g.reply == nil {
		return under
	}
	return c.s.Intersect(under, g.reply.get(c))
}

// both is the conjunction of two sets, nil meaning everything.
func both(a, b *lazy) *lazy {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	default:
		return later(func(c *compiler) packet.Set { return c.s.Intersect(a.get(c), b.get(c)) })
	}
}

func either(ls ...*lazy) *lazy {
	return later(func(c *compiler) packet.Set {
		sets := make([]packet.Set, len(ls))
		for i, l := range ls {
			sets[i] = l.get(c)
		}
		return c.s.Union(sets...)
	})
}

func minus(a, b *lazy) *lazy {
	return later(func(c *compiler) packet.Set { return c.s.Subtract(a.get(c), b.get(c)) })
}

// and is the conjunction of guards.
func and(gs ...guard) guard {
	var out guard
	for _, g := range gs {
		under := g.under
		if under == nil {
			under = g.over
		}
		outUnder := out.under
		if outUnder == nil {
			outUnder = out.over
		}
		out = guard{
			over: both(out.over, g.over), under: both(outUnder, under), reply: both(out.reply, g.reply),
			rest: both(out.fixed(), g.fixed()), barriers: slices.Concat(out.barriers, g.barriers),
		}
		if out.under == out.over {
			out.under = nil
		}
	}
	return out
}

func dstIn(a packet.AddrSet) *lazy {
	return later(func(c *compiler) packet.Set { return c.s.Box(packet.Box{Dst: c.u.Addrs(a)}) })
}

func srcIn(a packet.AddrSet) *lazy {
	return later(func(c *compiler) packet.Set { return c.s.Box(packet.Box{Src: c.u.Addrs(a)}) })
}

// one is the range of a single value.
func one[T ~uint8 | ~uint16 | ~uint32](v T) []packet.Range {
	return []packet.Range{{Lo: uint32(v), Hi: uint32(v)}}
}

func portRanges(ps []model.PortRange) []packet.Range {
	sorted := slices.SortedFunc(slices.Values(ps), func(a, b model.PortRange) int {
		return int(a.First) - int(b.First)
	})
	var out []packet.Range
	for _, p := range sorted {
		r := packet.Range{Lo: uint32(p.First), Hi: uint32(p.Last)}
		if n := len(out); n > 0 && r.Lo <= out[n-1].Hi+1 {
			out[n-1].Hi = max(out[n-1].Hi, r.Hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

func everyPort(ps []packet.Range) bool {
	return len(ps) == 0 || len(ps) == 1 && ps[0].Lo == 0 && ps[0].Hi == 65535
}

// portProtocols are the protocols with ports; every other one is port-less.
func portProtocols() []model.Protocol { return []model.Protocol{model.TCP, model.UDP, model.SCTP} }

// transport is the packets of some protocols with destination and source ports. No protocols means all of them. A restriction of
// ports applies to the protocols that have ports; whether port-less packets match it is the caller's matter (AZ-NSG-07).
func transport(protocols []model.Protocol, sports, dports []model.PortRange, portless bool) *lazy {
	return later(func(c *compiler) packet.Set { return c.transport(protocols, sports, dports, portless) })
}

func (c *compiler) transport(protocols []model.Protocol, sports, dports []model.PortRange, portless bool) packet.Set {
	sp, dp := portRanges(sports), portRanges(dports)
	restricted := !everyPort(sp) || !everyPort(dp)
	every := len(protocols) == 0 || slices.Contains(protocols, model.AnyProtocol)
	if every && !restricted {
		return c.s.All()
	}
	var sets []packet.Set
	for _, p := range portProtocols() {
		if every || slices.Contains(protocols, p) {
			sets = append(sets, c.s.Box(packet.Box{Protocol: one(p), SPort: sp, DPort: dp}))
		}
	}
	switch {
	case every && portless:
		sets = append(sets, c.portless())
	case !every && (portless || !restricted):
		for _, p := range protocols {
			if !p.HasPorts() {
				sets = append(sets, c.s.Box(packet.Box{Protocol: one(p)}))
			}
		}
	}
	return c.s.Union(sets...)
}

// portless is every packet of a protocol without ports.
func (c *compiler) portless() packet.Set {
	var sets []packet.Set
	for _, p := range portProtocols() {
		sets = append(sets, c.s.Box(packet.Box{Protocol: one(p)}))
	}
	return c.s.Complement(c.s.Union(sets...))
}

// tcpTo is TCP to some ports.
func tcpTo(ports ...uint16) *lazy {
	var ps []model.PortRange
	for _, p := range ports {
		ps = append(ps, model.PortRange{First: p, Last: p})
	}
	return transport([]model.Protocol{model.TCP}, nil, ps, false)
}
