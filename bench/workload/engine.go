package workload

import (
	"slices"

	"github.com/ringfence/ringfence/solver/packet"
)

// Engine is a list on the engine.
type Engine struct {
	*packet.Space
	list     *List
	src, dst []packet.AddrSet // of each rule; -1 is any
	tags     []packet.AddrSet
}

// NewEngine gives the engine the addresses of a list (and of others that are compared with it: they must have the same tags).
func NewEngine(limits packet.Limits, lists ...*List) []*Engine {
	b := packet.NewBuilder()
	var tags []packet.AddrSet
	for _, t := range lists[0].Tags {
		tags = append(tags, b.AddSet(t.Name, t.Prefixes))
	}
	engines := make([]*Engine, len(lists))
	for i, l := range lists {
		e := &Engine{list: l, tags: tags}
		for k := range l.Rules {
			e.src = append(e.src, e.side(b, l.Rules[k].Src))
			e.dst = append(e.dst, e.side(b, l.Rules[k].Dst))
		}
		engines[i] = e
	}
	s := packet.NewSpace(b.Freeze(), limits)
	for _, e := range engines {
		e.Space = s
	}
	return engines
}

func (e *Engine) side(b *packet.Builder, s Side) packet.AddrSet {
	switch {
	case s.Any():
		return -1
	case s.Tag > 0:
		return e.tags[s.Tag-1]
	default:
		return b.AddSet("", s.Prefixes)
	}
}

// MatchOf is the set of packets of a rule whose sides are sides of rules in the list.
func (e *Engine) MatchOf(r Rule) packet.Set {
	find := func(s Side) packet.AddrSet {
		for i := range e.list.Rules {
			x := &e.list.Rules[i]
			if x.Src.equal(s) {
				return e.src[i]
			}
			if x.Dst.equal(s) {
				return e.dst[i]
			}
		}
		panic("side of no rule in the list")
	}
	return e.match(&r, find(r.Src), find(r.Dst))
}

func (s Side) equal(o Side) bool {
	return s.Tag == o.Tag && s.Any() == o.Any() && slices.Equal(s.Prefixes, o.Prefixes)
}

// Match is the set of packets of rule i.
func (e *Engine) Match(i int) packet.Set { return e.match(&e.list.Rules[i], e.src[i], e.dst[i]) }

func (e *Engine) match(r *Rule, src, dst packet.AddrSet) packet.Set {
	var b packet.Box
	u := e.Universe()
	if src >= 0 {
		b.Src = u.Addrs(src)
	}
	if dst >= 0 {
		b.Dst = u.Addrs(dst)
	}
	for _, p := range r.Protocols {
		b.Protocol = append(b.Protocol, packet.Range{Lo: uint32(p), Hi: uint32(p)})
	}
	for _, p := range r.DPort {
		b.DPort = append(b.DPort, packet.Range{Lo: uint32(p.Lo), Hi: uint32(p.Hi)})
	}
	for _, p := range r.SPort {
		b.SPort = append(b.SPort, packet.Range{Lo: uint32(p.Lo), Hi: uint32(p.Hi)})
	}
	return e.Box(b)
}

// Values of actions.
const (
	Allow packet.Value = 1
	Deny  packet.Value = 2
)

// ByAction are the rules as decisions Allow or Deny.
func (e *Engine) ByAction() []packet.Decision {
	out := make([]packet.Decision, len(e.list.Rules))
	for i := range out {
		out[i] = e.Leaf(e.Match(i), Action(e.list.Rules[i]))
	}
	return out
}

// Action is the value of a rule.
func Action(r Rule) packet.Value {
	if r.Allow {
		return Allow
	}
	return Deny
}

// ByRule are the rules as decisions with their numbers, from 1.
func (e *Engine) ByRule() []packet.Decision {
	out := make([]packet.Decision, len(e.list.Rules))
	for i := range out {
		out[i] = e.Leaf(e.Match(i), packet.Value(i+1))
	}
	return out
}

// Permitted is the set of packets that the list allows.
func (e *Engine) Permitted() packet.Set {
	return e.WhereIs(e.Seq(e.ByAction()...), Allow)
}

// Shadowed are the rules that decide about no packet.
func (e *Engine) Shadowed(d packet.Decision) []int {
	used := make([]bool, len(e.list.Rules)+1)
	for _, v := range e.Values(d) {
		used[v] = true
	}
	var out []int
	for i := 1; i < len(used); i++ {
		if !used[i] {
			out = append(out, i)
		}
	}
	return out
}

// Of is a concrete packet in the form of the engine.
func (e *Engine) Of(p Packet) packet.Packet {
	u := e.Universe()
	return packet.Packet{Src: u.Class(p.Src), Dst: u.Class(p.Dst), Protocol: p.Protocol, SPort: p.SPort, DPort: p.DPort}
}
