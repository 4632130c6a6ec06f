package packet

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Value is what a Decision says about a packet: the number of a rule, an action, or a mask of outcomes, as its user likes.
// 0 is "nothing decided".
type Value uint32

// MaxValue is the largest value.
const MaxValue = Value(invalid - 1)

// Continue is the outcome "the rule may not match, the next ones decide" of an outcome mask; the other bits are the user's actions.
const Continue Value = 1

// Decision maps every packet to a value. It is as immutable and canonical as a Set, and belongs to a Space in the same way; the zero
// Decision decides nothing.
type Decision struct {
	r   ref
	gen uint32
	s   *Space
}

// Undecided reports whether no packet has a value.
func (d Decision) Undecided() bool { return d.r == none }

// Leaf is the decision of one rule: value for the packets of match, nothing for others. Value 0 decides nothing.
func (s *Space) Leaf(match Set, value Value) Decision {
	s.writable()
	s.check(match)
	if value > MaxValue {
		panic(fmt.Sprintf("packet: value %d, want at most %d", value, MaxValue))
	}
	return s.decision(s.d.leaf(match.r, ref(value)))
}

// Seq composes a first-match list: earlier decisions win. It is associative; it works as a balanced tree.
func (s *Space) Seq(d ...Decision) Decision { return s.sequence(opSeq, d) }

// SeqOutcomes composes a first-match list of uncertain rules (AZ-GEN-01). Values are masks of possible outcomes: a rule whose match lies
// between must and may has the value {action} on must and {action, Continue} on the rest of may. A later rule adds its outcomes where
// Continue is among those so far. A packet that no rule surely matches keeps Continue, or has 0 when none may match.
func (s *Space) SeqOutcomes(d ...Decision) Decision { return s.sequence(opOutcome, d) }

func (s *Space) sequence(o op, d []Decision) Decision {
	s.writable()
	r := make([]ref, len(d))
	for i := range d {
		s.checkDecision(d[i])
		r[i] = d[i].r
	}
	return s.decision(s.d.compose(o, r))
}

// outcomes is opOutcome, as far as it needs no look into the diagrams.
func outcomes(a, b ref) (ref, bool) {
	const next = ref(Continue)
	switch {
	case a == none || a == b:
		return b, true
	case b == none:
		return a, true
	case a.isNode():
		return 0, false
	case a&next == 0: // the first rule decides for certain
		return a, true
	case !b.isNode():
		return a&^next | b, true
	}
	return 0, false
}

// Within returns the decision inside a set, and nothing outside.
func (s *Space) Within(d Decision, a Set) Decision {
	s.writable()
	s.checkDecision(d)
	s.check(a)
	return s.decision(s.d.apply(opWithin, d.r, a.r))
}

// Differ returns the packets about which two decisions differ.
func (s *Space) Differ(a, b Decision) Set {
	s.writable()
	s.checkDecision(a)
	s.checkDecision(b)
	return s.set(s.d.apply(opDiffer, a.r, b.r))
}

// Op combines the values of two decisions about one packet. It must depend on its arguments alone.
type Op func(a, b Value) Value

// Combine returns f of two decisions, packet by packet; f is asked about 0 (nothing decided) too.
func (s *Space) Combine(f Op, a, b Decision) Decision {
	s.writable()
	s.checkDecision(a)
	s.checkDecision(b)
	defer func(f Op) { s.d.custom = f }(s.d.custom)
	s.d.custom = func(a, b Value) Value { return checkValue(f(a, b)) }
	return s.decision(s.d.apply(s.d.fresh(1), a.r, b.r))
}

// Mapped returns f of a decision, packet by packet; f is asked about 0 (nothing decided) too.
func (s *Space) Mapped(d Decision, f func(Value) Value) Decision {
	s.writable()
	s.checkDecision(d)
	return s.decision(s.d.each(s.d.fresh(1), d.r, func(v Value) Value { return checkValue(f(v)) }))
}

func checkValue(v Value) Value {
	if v > MaxValue {
		panic(fmt.Sprintf("packet: value %d, want at most %d", v, MaxValue))
	}
	return v
}

// Where returns the packets whose value is as asked; ok is asked about 0 (nothing decided) too.
func (s *Space) Where(d Decision, ok func(Value) bool) Set {
	s.writable()
	s.checkDecision(d)
	return s.set(s.d.each(s.d.fresh(1), d.r, func(v Value) Value {
		if ok(v) {
			return Value(all)
		}
		return Value(none)
	}))
}

// WhereIs returns the packets whose value is one of some, which may include 0. Unlike Where it remembers what it found in earlier
// decisions: after one rule has changed it looks only at what is new.
func (s *Space) WhereIs(d Decision, values ...Value) Set {
	s.writable()
	s.checkDecision(d)
	values = slices.Clone(values)
	slices.Sort(values)
	key := []byte("where")
	values = slices.Compact(values)
	for _, v := range values {
		key = binary.AppendUvarint(key, uint64(v))
	}
	return s.set(s.d.each(s.d.intern(string(key), 1), d.r, func(v Value) Value {
		if _, ok := slices.BinarySearch(values, v); ok {
			return Value(all)
		}
		return Value(none)
	}))
}

// At returns the value of one packet. It only reads.
func (s *Space) At(d Decision, p Packet) Value {
	s.checkDecision(d)
	if r := s.at(d.r, &p); r != invalid {
		return Value(r)
	}
	return 0
}

// Values returns the values that some packet has, sorted, without 0. A rule that is absent is shadowed: earlier rules decide about all
// of its packets. It only reads.
func (s *Space) Values(d Decision) []Value {
	s.checkDecision(d)
	values := []Value{}
	if d.r == invalid {
		return values
	}
	var seen refSet
	s.d.visit(d.r, &seen, func(r ref) {
		if !r.isNode() && r != none {
			values = append(values, Value(r))
		}
	})
	slices.Sort(values)
	return values
}
