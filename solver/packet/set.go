package packet

import (
	"fmt"
	"slices"
)

// All returns the set of every packet.
func (s *Space) All() Set { return s.set(all) }

// Box returns the packets of a box.
//
// A range that is backwards or outside its field's domain panics, and so does a port range together with a port-less protocol: such
// packets have no ports, so "any protocol, port 443" means one thing for TCP and is undecided for ICMP. Whoever compiles a rule says what
// it means for each (AZ-NSG-07), with [Ported] and [Portless].
func (s *Space) Box(b Box) Set {
	s.writable()
	u := s.u
	var fields [Name + 1][]Range
	for f := Origin; f <= Name; f++ {
		if r := *b.ranges(f); r != nil {
			fields[f] = canonicalRanges(f.String(), u.domain[f], r)
			if len(fields[f]) == 1 && fields[f][0] == (Range{0, u.domain[f]}) {
				fields[f] = nil
			}
		}
	}
	tags, ok := u.canonicalTags(b.Tags)
	for f := range fields {
		ok = ok && (fields[f] == nil || len(fields[f]) > 0)
	}
	if !ok {
		return s.set(none)
	}
	if fields[DPort] != nil || fields[SPort] != nil {
		u.checkPorted(fields[Protocol])
	}

	r := all
	for _, t := range slices.Backward(tags) {
		v := uint32(0)
		if t.Value {
			v = 1
		}
		r = s.d.interval(uint8(t.Tag), []Range{{v, v}}, r, none)
	}
	for f := Name; ; f-- {
		if fields[f] != nil {
			r = s.d.interval(uint8(f), fields[f], r, none)
		}
		if f == Origin {
			return s.set(r)
		}
	}
}

// canonicalTags sorts tag values; false when two contradict each other.
func (u *Universe) canonicalTags(tags []TagValue) ([]TagValue, bool) {
	for _, t := range tags {
		if !t.Tag.IsTag() || t.Tag.tag() >= len(u.tags) {
			panic(fmt.Sprintf("packet: %v is no tag of a universe of %d tags", t.Tag, len(u.tags)))
		}
	}
	tags = slices.Clone(tags)
	slices.SortFunc(tags, func(a, b TagValue) int { return int(a.Tag) - int(b.Tag) })
	tags = slices.Compact(tags)
	for i := 1; i < len(tags); i++ {
		if tags[i].Tag == tags[i-1].Tag {
			return nil, false
		}
	}
	return tags, true
}

// checkPorted panics unless all protocols have ports; nil is all protocols.
//
// INVARIANT: a set holds a packet of a port-less protocol with all ports or with none. Box establishes it; all other operations
// keep it, because they work packet by packet or treat port-less protocols apart.
func (u *Universe) checkPorted(protocols []Range) {
	if protocols == nil {
		protocols = []Range{{0, u.domain[Protocol]}}
	}
	for _, p := range protocols {
		for v := p.Lo; v <= p.Hi; v++ {
			if !u.hasPorts(v) {
				panic(fmt.Sprintf("packet: box restricts the ports of protocol %d, which has none; say which protocols are meant", v))
			}
		}
	}
}

func (u *Universe) hasPorts(protocol uint32) bool {
	return slices.ContainsFunc(u.ported, func(r Range) bool { return r.Lo <= protocol && protocol <= r.Hi })
}

// Union returns the packets of any of the sets.
func (s *Space) Union(a ...Set) Set {
	s.writable()
	if len(a) == 2 {
		s.check(a[0])
		s.check(a[1])
		return s.set(s.d.apply(opOr, a[0].r, a[1].r))
	}
	return s.set(s.d.compose(opOr, s.refs(a)))
}

func (s *Space) refs(a []Set) []ref {
	r := make([]ref, len(a))
	for i := range a {
		s.check(a[i])
		r[i] = a[i].r
	}
	return r
}

// Intersect returns the packets of both.
func (s *Space) Intersect(a, b Set) Set { return s.binary(opAnd, a, b) }

// Subtract returns the packets of a that are not in b.
func (s *Space) Subtract(a, b Set) Set { return s.binary(opDiff, a, b) }

// Complement returns the packets that are not in a.
func (s *Space) Complement(a Set) Set { return s.binary(opDiff, s.set(all), a) }

func (s *Space) binary(o op, a, b Set) Set {
	s.writable()
	s.check(a)
	s.check(b)
	return s.set(s.d.apply(o, a.r, b.r))
}

// Subset reports whether every packet of a is in b. It builds nothing and stops at the first packet that is not.
func (s *Space) Subset(a, b Set) bool { return s.holds(opSubset, a, b) }

// Disjoint reports whether no packet is in both. It builds nothing and stops at the first one that is.
func (s *Space) Disjoint(a, b Set) bool { return s.holds(opDisjoint, a, b) }

func (s *Space) holds(o op, a, b Set) bool {
	s.writable()
	s.check(a)
	s.check(b)
	return s.d.err == nil && s.d.holds(o, a.r, b.r) && s.d.err == nil
}

// Contains reports whether a packet is in a set. It only reads.
func (s *Space) Contains(a Set, p Packet) bool {
	s.check(a)
	return s.at(a.r, &p) == all
}

// at is the terminal of a packet.
func (s *Space) at(r ref, p *Packet) ref {
	for r.isNode() {
		n := s.d.node(r)
		f := Field(n.level())
		v := p.value(f)
		if v > s.d.domain[f] {
			panic(fmt.Sprintf("packet: %v %d, want values up to %d", f, v, s.d.domain[f]))
		}
		r = s.d.child(n, v)
	}
	return r
}

// Sample returns one packet of a set, the same on every run; false when there is none. Each preference in turn narrows the set when that
// leaves something (an address that exists, an ephemeral source port); then the lowest packet is taken. Without preferences it only
// reads.
func (s *Space) Sample(a Set, prefer ...Set) (Packet, bool) {
	s.check(a)
	for _, p := range prefer {
		if narrow := s.Intersect(a, p); !narrow.Empty() && s.d.err == nil {
			a = narrow
		}
	}
	var p Packet
	if a.r == none || a.r == invalid {
		return p, false
	}
	for r := a.r; r.isNode(); {
		n := s.d.node(r)
		lo := uint32(0)
		for _, e := range s.d.edgesOf(n) {
			if e.kid != none {
				p.set(Field(n.level()), lo)
				r = e.kid
				break
			}
			lo = e.hi + 1
		}
	}
	return p, true
}

// Origins returns the origins that occur in a set. It only reads.
func (s *Space) Origins(a Set) []Range {
	s.check(a)
	out := []Range{}
	switch {
	case a.r == none || a.r == invalid:
		return out
	case s.d.level(a.r) != uint8(Origin):
		return append(out, Range{0, s.d.domain[Origin]})
	}
	lo := uint32(0)
	for _, e := range s.d.edgesOf(s.d.node(a.r)) {
		if e.kid != none {
			out = append(out, Range{lo, e.hi})
		}
		lo = e.hi + 1
	}
	return joinRanges(out)
}

// OriginSlice returns the packets of a that have one origin.
func (s *Space) OriginSlice(a Set, origin uint32) Set {
	s.writable()
	s.check(a)
	if origin > s.d.domain[Origin] {
		panic(fmt.Sprintf("packet: origin %d, want values up to %d", origin, s.d.domain[Origin]))
	}
	r := a.r
	if s.d.level(r) == uint8(Origin) {
		r = s.d.child(s.d.node(r), origin)
	}
	return s.set(s.d.interval(uint8(Origin), One(origin), r, none))
}

// OriginPart is the packets that some origins share in a set.
type OriginPart struct {
	Origins Range
	Rest    Set // the packets, whatever their origin
}

// ByOrigin splits a set by origin, in ascending order: neighbours whose packets are the same are one part. It only reads.
func (s *Space) ByOrigin(a Set) []OriginPart {
	s.check(a)
	switch {
	case a.r == none || a.r == invalid:
		return nil
	case s.d.level(a.r) != uint8(Origin):
		return []OriginPart{{Range{0, s.d.domain[Origin]}, a}}
	}
	var out []OriginPart
	lo := uint32(0)
	for _, e := range s.d.edgesOf(s.d.node(a.r)) {
		if e.kid != none {
			out = append(out, OriginPart{Range{lo, e.hi}, s.set(e.kid)})
		}
		lo = e.hi + 1
	}
	return out
}
