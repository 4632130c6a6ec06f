package solver

import (
	"errors"
	"fmt"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// pair is two solutions whose graphs differ in what some edges let pass and in nothing else: what does not cross such an edge is the same in both,
// so that neither its flows nor its verdicts are asked for again.
type pair struct {
	base, proposed *Solution
	graphs         *dataplane.Pair
	some           map[flooding][2]*dataplane.Flood
	rules          bool // the estates differ in rules alone, and people state the same: what a selector names is the same
}

// Begun is the base of a pair, planned while the other side is still read.
type Begun struct {
	project *model.Project
	o       Options
	base    *Solution
	asks    dataplane.Options
	draft   *dataplane.Draft
}

// Begin plans the base of a pair.
func Begin(base *model.Project, o Options) *Begun {
	x := &Begun{project: base, o: o}
	x.base, x.asks = newSolution(base, o)
	x.draft = dataplane.NewDraft(base.Estate, x.asks)
	return x
}

// SolvePair is Begin and Pair.
func SolvePair(base, proposed *model.Project, o Options) (sides [2]*Solution, which int, err error) {
	return Begin(base, o).Pair(proposed)
}

// Pair reads the project that Compare will hold against the base. Where they are alike but for rules, what they share is solved once.
// The errors are those of Solve; which says which side an error is of. It is called once.
func (x *Begun) Pair(proposed *model.Project) (sides [2]*Solution, which int, err error) {
	if sides, err = x.alike(proposed); err != nil || sides[0] != nil {
		return sides, 0, err
	}
	for i, p := range []*model.Project{x.project, proposed} {
		if sides[i], err = Solve(p, x.o); err != nil {
			return sides, i, err
		}
	}
	return sides, 0, nil
}

// alike solves two projects as a pair; nothing where they are none.
func (x *Begun) alike(proposed *model.Project) (sides [2]*Solution, err error) {
	base, draft := x.project, x.draft
	x.draft = nil // it is large
	if (base.Intent == nil) != (proposed.Intent == nil) || base.Intent != nil && !model.Alike(base.Intent, proposed.Intent) ||
		(base.Tags == nil) != (proposed.Tags == nil) || base.Tags != nil && !model.Alike(base.Tags, proposed.Tags) {
		return sides, nil
	}
	a, da := x.base, x.asks
	b, db := newSolution(proposed, x.o)
	rules := true
	graphs, err := draft.Together(proposed.Estate, db)
	draft = nil
	if graphs == nil && err == nil {
		var ok bool
		if rules, ok = ruleChanges(base.Estate, proposed.Estate); !ok {
			return sides, nil
		}
		graphs, err = dataplane.BuildPair(base.Estate, proposed.Estate, da, db)
	}
	if err != nil {
		return sides, fmt.Errorf("build the forwarding graphs: %w", err)
	}
	if graphs == nil {
		return sides, nil
	}
	both := &pair{base: a, proposed: b, graphs: graphs, rules: rules}
	a.graph, a.pair, b.graph, b.pair = graphs.A, both, graphs.B, both
	return [2]*Solution{a, b}, errors.Join(a.ready(true), b.ready(true))
}

// ruleChanges compares two estates. ok: they hold the same resources, so that a pair is worth a try; rules: those that differ hold rules, which
// act on packets by the edges of the graph alone.
func ruleChanges(a, b *model.Estate) (rules, ok bool) {
	before, after := a.Resources(), b.Resources()
	if len(before) != len(after) || len(a.Ledger) != len(b.Ledger) {
		return false, false
	}
	rules = true
	for i, x := range before {
		y := after[i]
		if x.ResourceID().Key() != y.ResourceID().Key() {
			return false, false
		}
		if model.Alike(x, y) {
			continue
		}
		switch x.(type) {
		case *model.NSG, *model.RuleCollectionGroup, *model.Firewall, *model.IPGroup, *model.RouteTable, *model.NetworkPolicy, *model.ClusterPolicy, *model.CiliumPolicy,
			*model.CalicoPolicy:
		default:
			rules = false
		}
	}
	for i := range a.Ledger {
		if !model.Alike(a.Ledger[i], b.Ledger[i]) {
			return false, false
		}
	}
	return rules, true
}

// floods computes the floods of one bound for both.
func (x *pair) floods(b dataplane.Bound) {
	x.base.floods[b], x.proposed.floods[b] = x.graphs.Floods(b, nil)
}

// flooding is floods of some packets alone.
type flooding struct {
	packets packet.Set
	bound   dataplane.Bound
}

// floodOf is the flood of some packets alone in one of both, which are made together.
func (x *pair) floodOf(s *Solution, packets packet.Set, b dataplane.Bound) *dataplane.Flood {
	k := flooding{packets, b}
	both, ok := x.some[k]
	if !ok {
		both[0], both[1] = x.graphs.Floods(b, &packets)
		if x.some == nil {
			x.some = map[flooding][2]*dataplane.Flood{}
		}
		x.some[k] = both
	}
	if s == x.base {
		return both[0]
	}
	return both[1]
}

// affected is the packets at each node that may be others in the two graphs; see dataplane.Pair.Affected.
func (x *pair) affected() []packet.Set {
	return x.graphs.Affected()
}

// together returns the pair that two solutions are, nil where they are none.
func together(base, proposed *Solution) *pair {
	if x := base.pair; x != nil && x.base == base && x.proposed == proposed {
		return x
	}
	return nil
}

// SameAnswer reports, of two solutions of SolvePair, whether an assertion that both state has the same verdict for certain: no packet that it speaks
// of crosses a rule that differs. False says nothing.
func SameAnswer(base, proposed *Solution, a model.Assertion) bool {
	x := together(base, proposed)
	if x == nil || !x.rules {
		return false
	}
	if x.graphs.Same() {
		return true
	}
	s := proposed
	from, err := s.target(a.From)
	if err != nil {
		return false
	}
	to, err := s.target(a.To)
	if err != nil || len(to.entry) > 0 || len(s.relays) > 0 && !a.DirectOnly {
		return false // what an entry leads on to, and what relays open, is not asked here
	}
	affected := x.affected()
	for n := range to.nodes {
		if !s.graph.Space.Disjoint(affected[n], from.from) {
			return false
		}
	}
	return s.Err() == nil
}
