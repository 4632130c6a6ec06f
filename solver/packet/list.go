package packet

import "fmt"

// List is a first-match list whose tree of compositions is kept, so that one changed rule costs about log2(n) compositions instead of
// all of them, and the rules before any one rule are at hand.
type List struct {
	s      *Space
	o      op
	levels [][]ref // the leaves, then pairs of them, then pairs of pairs, up to the whole
	gen    uint32
}

// List composes decisions as Seq does, and keeps the tree.
func (s *Space) List(leaves ...Decision) *List { return s.newList(opSeq, leaves) }

// OutcomeList composes uncertain rules as SeqOutcomes does, and keeps the tree.
func (s *Space) OutcomeList(leaves ...Decision) *List { return s.newList(opOutcome, leaves) }

func (s *Space) newList(o op, leaves []Decision) *List {
	s.writable()
	l := &List{s: s, o: o, gen: s.gen}
	level := make([]ref, len(leaves))
	for i := range leaves {
		s.checkDecision(leaves[i])
		level[i] = leaves[i].r
	}
	l.levels = append(l.levels, level)
	for len(level) > 1 {
		up := make([]ref, (len(level)+1)/2)
		l.levels = append(l.levels, up)
		for i := range up {
			l.pair(len(l.levels)-1, i)
		}
		level = up
	}
	return l
}

// pair composes entry i of a level from the two below it.
func (l *List) pair(level, i int) {
	below := l.levels[level-1]
	r := below[2*i]
	if 2*i+1 < len(below) {
		r = l.s.d.apply(l.o, r, below[2*i+1])
	}
	l.levels[level][i] = r
}

// Len is the number of rules.
func (l *List) Len() int { return len(l.levels[0]) }

// Decision is the decision of the whole list.
func (l *List) Decision() Decision {
	l.check()
	if l.Len() == 0 {
		return Decision{}
	}
	return l.s.decision(l.levels[len(l.levels)-1][0])
}

// Leaf is the decision of rule i alone.
func (l *List) Leaf(i int) Decision {
	l.index(i)
	return l.s.decision(l.levels[0][i])
}

// Replace exchanges rule i and returns the decision of the new list.
func (l *List) Replace(i int, leaf Decision) Decision {
	l.s.writable()
	l.s.checkDecision(leaf)
	l.index(i)
	l.levels[0][i] = leaf.r
	for level := 1; level < len(l.levels); level++ {
		i /= 2
		l.pair(level, i)
	}
	return l.Decision()
}

// Before is the decision of the rules before rule i: restricted to the match of rule i, its values are the rules that take
// packets from it.
func (l *List) Before(i int) Decision {
	l.s.writable()
	if i != l.Len() {
		l.index(i)
	}
	l.check()
	r := none
	for level := 0; i > 0 && level < len(l.levels); level++ {
		if i%2 == 1 {
			r = l.s.d.apply(l.o, l.levels[level][i-1], r)
		}
		i /= 2
	}
	return l.s.decision(r)
}

func (l *List) index(i int) {
	l.check()
	if i < 0 || i >= l.Len() {
		panic(fmt.Sprintf("packet: rule %d of a list of %d", i, l.Len()))
	}
}

func (l *List) check() {
	if l.gen != l.s.gen {
		panic("packet: list from before Compact that was not among its roots")
	}
}
