package packet

// op is an operation on two diagrams, by the number under which the cache keeps its results.
type op uint32

const (
	opNone     op = iota
	opAnd         // both
	opOr          // either
	opDiff        // the first and not the second
	opSubset      // 1 when the first implies the second; builds nothing
	opDisjoint    // 1 when nothing is in both; builds nothing
	opSeq         // the first value, or the second where there is none
	opOutcome     // outcomes of two uncertain rules in sequence
	opWithin      // the value of the first where the second holds
	opDiffer      // 1 where two decisions differ
	opLeaf        // the value that the second is, where the first holds
	firstOp    op = 64
)

// terminal answers an operation without looking into both diagrams, when it can.
func (d *diagram) terminal(o op, a, b ref) (ref, bool) {
	switch o {
	case opAnd:
		switch {
		case a == none || b == none:
			return none, true
		case a == all || a == b:
			return b, true
		case b == all:
			return a, true
		}
	case opOr:
		switch {
		case a == all || b == all:
			return all, true
		case a == none || a == b:
			return b, true
		case b == none:
			return a, true
		}
	case opDiff:
		switch {
		case a == none || b == all || a == b:
			return none, true
		case b == none:
			return a, true
		}
	case opSeq:
		switch {
		case a == none || a == b:
			return b, true
		case b == none || !a.isNode():
			return a, true
		}
	case opOutcome:
		return outcomes(a, b)
	case opWithin:
		switch {
		case a == none || b == none:
			return none, true
		case b == all:
			return a, true
		}
	case opDiffer:
		switch {
		case a == b:
			return none, true
		case !a.isNode() && !b.isNode():
			return all, true
		}
	case opLeaf:
		switch {
		case a == none || b == none:
			return none, true
		case a == all:
			return b, true
		}
	default:
		switch {
		case a == invalid || b == invalid:
			return invalid, true
		case !a.isNode() && !b.isNode():
			return ref(d.custom(Value(a), Value(b))), true
		}
	}
	return 0, false
}

// commutes reports whether the operands may change places, which doubles the hits of the cache.
func (o op) commutes() bool {
	return o == opAnd || o == opOr || o == opDiffer || o == opDisjoint
}

// apply merges two diagrams: one pass over the edges of both, level by level, each pair of nodes once.
func (d *diagram) apply(o op, a, b ref) ref {
	if r, ok := d.terminal(o, a, b); ok {
		return r
	}
	if o.commutes() && a > b {
		a, b = b, a
	}
	if r, ok := d.cached(o, a, b); ok {
		return r
	}
	if !d.step() {
		return invalid
	}
	base := len(d.stack)
	la, lb := d.level(a), d.level(b)
	switch {
	case la < lb:
		for _, e := range d.edgesOf(d.node(a)) {
			d.push(base, e.hi, d.apply(o, e.kid, b))
		}
	case la > lb:
		for _, e := range d.edgesOf(d.node(b)) {
			d.push(base, e.hi, d.apply(o, a, e.kid))
		}
	default:
		d.merge(o, base, d.edgesOf(d.node(a)), d.edgesOf(d.node(b)))
	}
	r := d.mk(min(la, lb), base)
	if r != invalid {
		d.keep(o, a, b, r)
	}
	return r
}

// merge applies an operation to two nodes of one level. Long runs of edges on one side often stand beside a single edge to a terminal on
// the other, which makes one value of them or leaves them as they are.
func (d *diagram) merge(o op, base int, ea, eb []edge) {
	for i, j := 0, 0; i < len(ea); {
		x, y := ea[i], eb[j]
		switch {
		case x.hi > y.hi && !x.kid.isNode():
			if r, what := o.leftTerminal(x.kid); what != neither {
				n := j + runTo(eb[j:], x.hi)
				if what == constant {
					d.push(base, x.hi, r)
				} else {
					d.copyRun(base, eb[j:n])
					if n < len(eb) && eb[n-1].hi < x.hi {
						d.push(base, x.hi, eb[n].kid)
					}
				}
				i, j = i+1, n
				continue
			}
		case y.hi > x.hi && !y.kid.isNode():
			if r, what := o.rightTerminal(y.kid); what != neither {
				n := i + runTo(ea[i:], y.hi)
				if what == constant {
					d.push(base, y.hi, r)
				} else {
					d.copyRun(base, ea[i:n])
					if n < len(ea) && ea[n-1].hi < y.hi {
						d.push(base, y.hi, ea[n].kid)
					}
				}
				i, j = n, j+1
				continue
			}
		}
		d.push(base, min(x.hi, y.hi), d.apply(o, x.kid, y.kid))
		if x.hi <= y.hi {
			i++
		}
		if y.hi <= x.hi {
			j++
		}
	}
}

// runTo is how many edges end at or before hi; the first does. Most runs are short, and some are as long as the node.
func runTo(edges []edge, hi uint32) int {
	lo, n := 0, 1 // the edge at lo ends there
	for n < len(edges) && edges[n].hi <= hi {
		lo, n = n, 2*n
	}
	n = min(n, len(edges))
	for n-lo > 1 {
		if mid := int(uint(lo+n) / 2); edges[mid].hi <= hi {
			lo = mid
		} else {
			n = mid
		}
	}
	return n
}

// copyRun pushes edges that are next to each other in a node.
func (d *diagram) copyRun(base int, edges []edge) {
	d.push(base, edges[0].hi, edges[0].kid)
	d.stack = append(d.stack, edges[1:]...)
}

// effect is what a terminal on one side makes of anything on the other.
type effect uint8

const (
	neither  effect = iota
	constant        // one value
	same            // the other side
)

// leftTerminal says what an operation makes of anything when its first operand is a terminal.
func (o op) leftTerminal(a ref) (ref, effect) {
	switch {
	case a == none && (o == opAnd || o == opDiff || o == opWithin || o == opLeaf):
		return none, constant
	case a == none && (o == opOr || o == opSeq || o == opOutcome), a == all && o == opAnd:
		return 0, same
	case a == all && o == opOr, a != none && o == opSeq, a&ref(Continue) == 0 && o == opOutcome:
		return a, constant
	}
	return 0, neither
}

// rightTerminal says what an operation makes of anything when its second operand is a terminal.
func (o op) rightTerminal(b ref) (ref, effect) {
	switch {
	case b == none && (o == opAnd || o == opWithin), b == all && o == opDiff:
		return none, constant
	case b == none && (o == opOr || o == opDiff || o == opSeq || o == opOutcome), b == all && (o == opAnd || o == opWithin):
		return 0, same
	case b == all && o == opOr:
		return all, constant
	}
	return 0, neither
}

// holds answers opSubset and opDisjoint: it stops at the first packet that says no.
func (d *diagram) holds(o op, a, b ref) bool {
	switch {
	case a == none:
		return true
	case o == opSubset && (b == all || a == b):
		return true
	case o == opSubset && b == none: // a is not empty
		return false
	case o == opDisjoint && b == none:
		return true
	case o == opDisjoint && (a == all || b == all || a == b): // neither is empty
		return false
	}
	if o.commutes() && a > b {
		a, b = b, a
	}
	if r, ok := d.cached(o, a, b); ok {
		return r == all
	}
	if !d.step() {
		return false
	}
	ok := d.holdsBelow(o, a, b)
	if d.err != nil {
		return false
	}
	r := none
	if ok {
		r = all
	}
	d.keep(o, a, b, r)
	return ok
}

func (d *diagram) holdsBelow(o op, a, b ref) bool {
	la, lb := d.level(a), d.level(b)
	switch {
	case la < lb:
		for _, e := range d.edgesOf(d.node(a)) {
			if !d.holds(o, e.kid, b) {
				return false
			}
		}
	case la > lb:
		for _, e := range d.edgesOf(d.node(b)) {
			if !d.holds(o, a, e.kid) {
				return false
			}
		}
	default:
		ea, eb := d.edgesOf(d.node(a)), d.edgesOf(d.node(b))
		for i, j := 0, 0; i < len(ea); {
			x, y := ea[i], eb[j]
			if !d.holds(o, x.kid, y.kid) {
				return false
			}
			if x.hi <= y.hi {
				i++
			}
			if y.hi <= x.hi {
				j++
			}
		}
	}
	return true
}

// each applies f to the terminals of a diagram. o is an operation that nobody else uses.
func (d *diagram) each(o op, a ref, f func(Value) Value) ref {
	if a == invalid {
		return invalid
	}
	if !a.isNode() {
		return ref(f(Value(a)))
	}
	if r, ok := d.cached(o, a, 0); ok {
		return r
	}
	if !d.step() {
		return invalid
	}
	base := len(d.stack)
	n := d.node(a)
	for _, e := range d.edgesOf(n) {
		d.push(base, e.hi, d.each(o, e.kid, f))
	}
	r := d.mk(n.level(), base)
	if r != invalid {
		d.keep(o, a, 0, r)
	}
	return r
}

// tree combines a list pairwise: neighbours first, then the results. With an associative operation this is the fold from the left, at a
// fourth of the cost, since the operands stay small until the end.
func (d *diagram) tree(o op, a []ref) ref {
	switch len(a) {
	case 0:
		return none
	case 1:
		return a[0]
	}
	half := (len(a) + 1) / 2
	return d.apply(o, d.tree(o, a[:half]), d.tree(o, a[half:]))
}

// leaf gives the packets of a set a value.
func (d *diagram) leaf(a, value ref) ref { return d.apply(opLeaf, a, value) }

// visit calls f for each node and terminal of a diagram once.
func (d *diagram) visit(r ref, seen *refSet, f func(ref)) {
	if !seen.add(r) {
		return
	}
	f(r)
	if !r.isNode() {
		return
	}
	for _, e := range d.edgesOf(d.node(r)) {
		d.visit(e.kid, seen, f)
	}
}

// refSet is a set of refs: open addressing, since a map costs more than the walk that it serves.
type refSet struct {
	table []uint64 // ref+1, 0 is free
	used  int
}

// add reports whether r was not in the set.
func (s *refSet) add(r ref) bool {
	if 2*s.used >= len(s.table) {
		old := s.table
		s.table = make([]uint64, max(16, 2*len(old)))
		for _, e := range old {
			if e != 0 {
				s.table[s.find(e)] = e
			}
		}
	}
	e := uint64(r) + 1
	i := s.find(e)
	if s.table[i] == e {
		return false
	}
	s.table[i] = e
	s.used++
	return true
}

func (s *refSet) find(e uint64) int {
	i := int(e*hashPrime>>32) & (len(s.table) - 1)
	for s.table[i] != 0 && s.table[i] != e {
		i = (i + 1) & (len(s.table) - 1)
	}
	return i
}
