package dataplane

import (
	"maps"
	"slices"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// Most changes are to a few rules of NSGs. Then one plan describes both estates: every list of such an NSG is compiled twice, and what depends on
// it as well, all else once.

// BuildTogether reads two estates that differ in rules of NSGs alone into one plan. The pair is nil where they differ in more, or in what is planned
// before any rule is read.
func BuildTogether(a, b *model.Estate, oa, ob Options) (*Pair, error) {
	second, moved, ok := secondRules(a, b)
	if !ok || !asksAlike(oa, ob) || !sameSymbols(a, b) {
		return nil, nil
	}
	builder := packet.NewBuilder()
	g, err := plan(a, oa, builder, second)
	if err != nil || g.planner.unlike {
		return nil, nil //nolint:nilerr // each by itself may be within the limits
	}
	space := packet.NewSpace(builder.Freeze(), oa.Limits)
	if err := g.in(space); err != nil {
		return nil, err
	}
	if len(space.Universe().TagsLeftOut()) > 0 {
		return nil, nil
	}
	p := &Pair{A: g, B: g.secondOf(b, ob, moved)}
	x, y := p.A.compiler, p.B.compiler
	for i := range g.edges {
		e := &g.edges[i]
		for _, bound := range []Bound{Over, OneWay, Session} {
			x.varies = false
			if set := e.guard.bound(x, bound); x.varies && set != e.guard.bound(y, bound) {
				p.changed = append(p.changed, int32(i))
				break
			}
		}
	}
	return p, space.Err()
}

// secondOf is the graph of the second of two estates that a graph's plan describes.
func (g *Graph) secondOf(e *model.Estate, o Options, moved map[model.Source]model.Source) *Graph {
	p := *g.planner
	p.e, p.o, p.symbols = e, o, e.Symbols()
	out := *g
	out.Estate, out.planner = e, &p
	out.compiler = &compiler{s: g.Space, u: g.Universe, second: true, moved: moved}
	out.into, out.facts, out.family, out.shortcuts = nil, nil, nil, nil
	return &out
}

// asksAlike reports that two sets of options have the same questions.
func asksAlike(a, b Options) bool {
	return a.Strict == b.Strict && a.Explain == b.Explain && slices.Equal(a.Questions, b.Questions) && slices.Equal(a.Names, b.Names) && slices.Equal(a.TagNames, b.TagNames) &&
		(a.Subnets == nil) == (b.Subnets == nil) && maps.Equal(a.Subnets, b.Subnets) && maps.Equal(a.Peerable, b.Peerable)
}

// secondRules lists, by key, the NSGs of one estate that another has with other rules, and where that one has what is the same in both. ok is false
// where they differ in anything else.
func secondRules(a, b *model.Estate) (second map[string]*model.NSG, moved map[model.Source]model.Source, ok bool) {
	before, after := a.Resources(), b.Resources()
	if len(before) != len(after) || len(a.Ledger) != len(b.Ledger) {
		return nil, nil, false
	}
	second, moved = map[string]*model.NSG{}, map[model.Source]model.Source{}
	clear := true // no place of the one is two of the other
	at := func(x, y model.Source) {
		if to, known := moved[x]; known && to != y {
			clear = false
		}
		moved[x] = y
	}
	for i, x := range before {
		y := after[i]
		if model.SameAt(x, y, at) {
			continue
		}
		m, ours := x.(*model.NSG)
		n, theirs := y.(*model.NSG)
		if !ours || !theirs || !likeButRules(m, n, at) {
			return nil, nil, false
		}
		second[m.ID.Key()] = n
	}
	for i := range a.Ledger {
		if x, y := a.Ledger[i], b.Ledger[i]; !model.SameAt(x, y, at) || unsupported(x) != unsupported(y) {
			return nil, nil, false
		}
	}
	maps.DeleteFunc(moved, func(x, y model.Source) bool { return x == y })
	return second, moved, clear
}

// likeButRules reports that two NSGs differ in rules alone, and in none of what is planned before any rule is read.
func likeButRules(a, b *model.NSG, at func(a, b model.Source)) bool {
	x, y := *a, *b
	x.Rules, y.Rules = nil, nil
	sources := func(n *model.NSG) bool {
		return slices.ContainsFunc(n.Rules, func(r model.SecurityRule) bool { return len(r.SourceAddrs.ASGs) > 0 })
	}
	for _, dir := range []model.Direction{model.Inbound, model.Outbound} {
		if denyGroups(a, dir) != denyGroups(b, dir) || usesGroup(a, dir) != usesGroup(b, dir) {
			return false
		}
	}
	return sources(a) == sources(b) && oversized(a) == oversized(b) && model.SameAt(&x, &y, at)
}

// ofTwo is a list that two estates have otherwise, as each has it.
func (p *planner) ofTwo(a, b filterList) filterList {
	x, y := a.guard, b.guard
	if !slices.Equal(a.notes, b.notes) || x.reply != nil || y.reply != nil || x.rest != nil || y.rest != nil || len(x.barriers) != len(y.barriers) {
		p.unlike = true
		return a
	}
	out := filterList{guard: guard{over: lazyOfTwo(x.over, y.over), under: lazyOfTwo(x.low(), y.low())}, notes: a.notes}
	for i, first := range x.barriers {
		z, other := *first, y.barriers[i]
		z.over = lazyOfTwo(first.over, other.over)
		z.parts = partsLater(func(c *compiler) []Part {
			c.varies = true
			if c.second {
				return other.parts.get(c)
			}
			return first.parts.get(c)
		})
		out.guard.barriers = append(out.guard.barriers, &z)
	}
	return out
}

// lazyOfTwo is a set that two estates have otherwise.
func lazyOfTwo(a, b *lazy) *lazy {
	a, b = orEverything(a), orEverything(b)
	return later(func(c *compiler) packet.Set {
		c.varies = true
		if c.second {
			return b.get(c)
		}
		return a.get(c)
	})
}
