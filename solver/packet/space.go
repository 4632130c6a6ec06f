package packet

import (
	"fmt"
	"slices"
)

// Set is a set of packets of one Space. Sets are immutable and canonical: two sets of a Space are equal exactly when they are ==.
// The zero Set is the empty set of every Space.
type Set struct {
	r   ref
	gen uint32
	s   *Space
}

// Empty reports whether no packet is in the set. The set that an exhausted Space returns is not empty.
func (a Set) Empty() bool { return a.r == none }

// Space owns the diagrams of sets and decisions over one Universe. It has one writer at a time: every method but those that say otherwise
// may write.
//
// Over its Limits a Space is exhausted: Err reports ErrBudget for good, every operation returns a set that is neither empty nor full,
// has no sample and no boxes, and Subset and Disjoint report false. So nothing is proved by mistake; who asks must look at Err and say
// unknown.
//
// Mixing sets of two Spaces, and a set from before Compact that was not among its roots, panics: a bug of ours.
type Space struct {
	u      *Universe
	d      *diagram
	bases  []*Space // frozen Spaces below, oldest first
	gen    uint32   // grows with each Compact
	frozen bool

	from     *Space // the Space that Import read last, and what it became
	fromGen  uint32
	imported map[ref]ref
}

// NewSpace returns an empty Space over a Universe.
func NewSpace(u *Universe, l Limits) *Space {
	s := &Space{u: u, d: newDiagram(u.domain, l)}
	s.d.err = u.err
	return s
}

// Universe is what the packets of the Space are made of.
func (s *Space) Universe() *Universe { return s.u }

// Err is ErrBudget, with what was exceeded, once the Space is exhausted.
func (s *Space) Err() error { return s.d.err }

// Limit changes the budget of the Space. It does not revive an exhausted one.
func (s *Space) Limit(l Limits) {
	s.writable()
	s.d.limits = l.withDefaults()
	s.d.slack = min(slackEdges, s.d.limits.Edges/4)
}

// Size reports what the Space holds, garbage included, without the frozen Spaces below it.
func (s *Space) Size() (nodes, edges int, bytes int64) { return s.d.used, s.d.spent, s.d.bytes() }

// Freeze makes the Space a base: from now on it can be read by several goroutines and forked, and an operation that may write panics.
// Empty, ==, Contains, At, Sample without preferences, Boxes, Values, Origins and Size only read.
func (s *Space) Freeze() { s.frozen = true }

// Fork returns an overlay on a frozen Space, with the same Limits for what it adds: it uses the base's sets as its own, without locks
// and without a copy. Sets of the overlay that equal a set of the base are ==. Each worker takes its own.
func Fork(base *Space) *Space {
	if !base.frozen {
		panic("packet: Fork of a Space that is not frozen")
	}
	s := &Space{u: base.u, d: base.d.over(base.d.limits), bases: append(slices.Clone(base.bases), base)}
	s.d.err = base.d.err
	return s
}

// Import copies a set of another Space over the same Universe. What both have from a common base is not copied.
func (s *Space) Import(from *Space, a Set) Set {
	from.check(a)
	return s.set(s.copyFrom(from, a.r))
}

// ImportDecision copies a decision of another Space, as Import does.
func (s *Space) ImportDecision(from *Space, a Decision) Decision {
	from.checkDecision(a)
	return s.decision(s.copyFrom(from, a.r))
}

func (s *Space) copyFrom(from *Space, r ref) ref {
	s.writable()
	if from.u != s.u {
		panic("packet: Import from a Space over another Universe")
	}
	if from.d.err != nil && s.d.err == nil {
		s.d.err = fmt.Errorf("import: %w", from.d.err)
	}
	// Refs below shared mean the same in both.
	shared := nodeBit
	if from == s || slices.Contains(s.bases, from) {
		return r
	}
	for i := 0; i < len(s.bases) && i < len(from.bases) && s.bases[i] == from.bases[i]; i++ {
		shared = s.startAfter(i)
	}
	if s.from != from || s.fromGen != from.gen {
		s.from, s.fromGen, s.imported = from, from.gen, map[ref]ref{}
	}
	return s.d.copyFrom(from.d, r, shared, s.imported)
}

// startAfter is the first ref above base i.
func (s *Space) startAfter(i int) ref {
	if i+1 < len(s.bases) {
		return s.bases[i+1].d.start
	}
	return s.d.start
}

func (d *diagram) copyFrom(from *diagram, r, shared ref, memo map[ref]ref) ref {
	if r < shared {
		return r
	}
	if c, ok := memo[r]; ok {
		return c
	}
	base := len(d.stack)
	n := from.node(r)
	for _, e := range from.edgesOf(n) {
		d.push(base, e.hi, d.copyFrom(from, e.kid, shared, memo))
	}
	c := d.mk(n.level(), base)
	memo[r] = c
	return c
}

// set wraps a ref. A set belongs to the lowest Space that holds its node, so that == works between a base and its overlays.
func (s *Space) set(r ref) Set {
	if s.d.err != nil {
		r = invalid
	}
	if r == none {
		return Set{}
	}
	o := s.owner(r)
	return Set{r, o.gen, o}
}

func (s *Space) decision(r ref) Decision { return Decision(s.set(r)) }

func (s *Space) owner(r ref) *Space {
	if r >= s.d.start || r == invalid || len(s.bases) == 0 {
		return s
	}
	o := s.bases[0]
	for _, b := range s.bases[1:] {
		if r >= b.d.start {
			o = b
		}
	}
	return o
}

// check panics on a set that is not one of this Space.
func (s *Space) check(a Set) {
	if a.s == nil {
		return // the empty set
	}
	if a.s != s && !slices.Contains(s.bases, a.s) {
		panic("packet: set of another Space")
	}
	if a.gen != a.s.gen {
		panic("packet: set from before Compact that was not among its roots")
	}
}

func (s *Space) checkDecision(d Decision) { s.check(Set(d)) }

// writable panics when the Space is frozen.
func (s *Space) writable() {
	if s.frozen {
		panic("packet: operation on a frozen Space; use Fork")
	}
}
