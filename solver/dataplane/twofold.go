package dataplane

import (
	"maps"
	"slices"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// Most changes are to a few rules of NSGs. Then one plan describes both estates: every list of such an NSG is compiled twice, and what depends on
// it as well, all else once.

// Draft is the plan of an estate, made before it is known what another one has otherwise: the lists of its NSGs stay open.
type Draft struct {
	e     *model.Estate
	o     Options
	b     *packet.Builder
	graph *Graph // nil where an error ended it
	done  bool   // a pair was made of it
}

// NewDraft plans an estate that may be one of two.
func NewDraft(e *model.Estate, o Options) *Draft {
	d := &Draft{e: e, o: o, b: packet.NewBuilder()}
	d.graph, _ = plan(e, o, d.b, map[string][]*openList{}) // each of two by itself may be within the limits
	return d
}

// Together reads a second estate, which differs from the first in rules of NSGs alone, into the plan. The pair is nil where it differs in more, or
// in what is planned before any rule is read. A draft makes one pair.
func (d *Draft) Together(b *model.Estate, ob Options) (*Pair, error) {
	second, moved, ok := secondRules(d.e, b)
	if d.graph == nil || d.done || !ok || !asksAlike(d.o, ob) || !sameSymbols(d.e, b) {
		return nil, nil
	}
	d.done = true
	g := d.graph
	if !g.planner.adopt(second) {
		return nil, nil
	}
	space := packet.NewSpace(d.b.Freeze(), d.o.Limits)
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

// openList is a list of an NSG that a second estate may have otherwise.
type openList struct {
	first  filterList
	plan   func(*model.NSG) filterList // as an estate has it
	second *filterList                 // nil: both have it alike
}

// adopt takes in the NSGs that the second estate has otherwise, by key. It fails where that changes what was planned of the first one.
func (p *planner) adopt(second map[string]*model.NSG) bool {
	notes := len(p.notes)
	for _, key := range slices.Sorted(maps.Keys(second)) {
		for _, x := range p.open[key] {
			l := x.plan(second[key])
			if a, b := x.first.guard, l.guard; !slices.Equal(x.first.notes, l.notes) || a.reply != nil || b.reply != nil || a.rest != nil || b.rest != nil || len(a.barriers) != len(b.barriers) {
				return false
			}
			x.second = &l
		}
	}
	p.second = second
	return len(p.notes) == notes && len(p.symbolic) <= packet.MaxTags && p.unnamedAddr(p.addr.groups) == p.addr.unnamed
}

// list is the list as each estate has it. What reads it is compiled once the second estate is known.
func (x *openList) list() filterList {
	a := x.first.guard
	out := filterList{guard: guard{over: x.lazy(a.over, func(g guard) *lazy { return g.over }), under: x.lazy(a.low(), guard.low), reply: a.reply, rest: a.rest}, notes: x.first.notes}
	for i, first := range a.barriers {
		z := *first
		z.over = x.lazy(first.over, func(g guard) *lazy { return g.barriers[i].over })
		z.parts = partsLater(func(c *compiler) []Part {
			if x.varies(c) {
				return x.second.guard.barriers[i].parts.get(c)
			}
			return first.parts.get(c)
		})
		out.guard.barriers = append(out.guard.barriers, &z)
	}
	return out
}

// lazy is a set of the list: first, or what of finds in the list of the second estate.
func (x *openList) lazy(first *lazy, of func(guard) *lazy) *lazy {
	return later(func(c *compiler) packet.Set {
		if x.varies(c) {
			return orEverything(of(x.second.guard)).get(c)
		}
		return orEverything(first).get(c)
	})
}

// varies reports, to the compiler too, that the list is read as the second estate has it; to the compiler alone where that one only could.
func (x *openList) varies(c *compiler) bool {
	c.varies = c.varies || x.second != nil
	return x.second != nil && c.second
}
