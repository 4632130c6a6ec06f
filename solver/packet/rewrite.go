package packet

import (
	"encoding/binary"
	"slices"
)

// Rewrite says what a translation does to a packet: nil leaves a field as it is; a rewritten field takes any value of its ranges.
// Origin cannot be rewritten, by type: translation does not launder a source.
//
// Addresses must be classes of sets that [Builder.AddTarget] or [Builder.AddPool] returned; anything else panics, because a class
// that lies partly outside holds addresses that the translation does not produce. Ports of port-less protocols are left alone.
type Rewrite struct {
	Dst, Src     []Range
	DPort, SPort []Range
}

// change is one rewritten field.
type change struct {
	level uint8
	to    []Range
}

// changes checks a rewrite and splits it into the fields of every packet and those of packets with ports.
func (u *Universe) changes(r Rewrite) (every, ported []change) {
	for _, c := range []struct {
		f  Field
		to []Range
	}{{Dst, r.Dst}, {Src, r.Src}, {DPort, r.DPort}, {SPort, r.SPort}} {
		if c.to == nil {
			continue
		}
		to := canonicalRanges(c.f.String(), u.domain[c.f], c.to)
		if c.f == Dst || c.f == Src {
			u.checkWritable(c.f, to)
			every = append(every, change{uint8(c.f), to})
		}
		ported = append(ported, change{uint8(c.f), to})
	}
	return every, ported
}

// Rewrite returns what the packets of a can become: the image.
func (s *Space) Rewrite(a Set, r Rewrite) Set {
	return s.translate(a, r, "image", s.d.image)
}

// Preimage returns the packets that can become a packet of a.
func (s *Space) Preimage(a Set, r Rewrite) Set {
	return s.translate(a, r, "preimage", s.d.preimage)
}

func (s *Space) translate(a Set, r Rewrite, name string, f func(o op, a ref, c []change) ref) Set {
	s.writable()
	s.check(a)
	every, ported := s.u.changes(r)
	if len(every) == len(ported) {
		return s.set(f(s.d.interned(name, every), a.r, every))
	}
	// A packet without ports keeps what it has instead.
	with := s.d.interval(uint8(Protocol), s.u.ported, all, none)
	in := s.d.apply(opAnd, a.r, with)
	out := s.d.apply(opDiff, a.r, with)
	in = f(s.d.interned(name, ported), in, ported)
	out = f(s.d.interned(name, every), out, every)
	return s.set(s.d.apply(opOr, in, out))
}

// interned is the first of one operation number for each change and one more.
func (d *diagram) interned(name string, c []change) op {
	key := []byte(name)
	for _, x := range c {
		key = append(key, x.level)
		key = binary.AppendUvarint(key, uint64(len(x.to)))
		for _, r := range x.to {
			key = binary.AppendUvarint(key, uint64(r.Lo))
			key = binary.AppendUvarint(key, uint64(r.Hi))
		}
	}
	return d.intern(string(key), op(len(c))+1)
}

// image applies the changes: at the level of each, all children are united and the result is put under the new values.
func (d *diagram) image(o op, a ref, c []change) ref {
	if a == none || a == invalid || len(c) == 0 {
		return a
	}
	if len(c[0].to) == 0 {
		return none // a field without a value: no packet
	}
	if r, ok := d.cached(o, a, 0); ok {
		return r
	}
	if !d.step() {
		return invalid
	}
	var r ref
	switch level := d.level(a); {
	case level > c[0].level: // a says nothing of the field
		r = d.interval(c[0].level, c[0].to, d.image(o+1, a, c[1:]), none)
	case level < c[0].level:
		base := len(d.stack)
		for _, e := range d.edgesOf(d.node(a)) {
			d.push(base, e.hi, d.image(o, e.kid, c))
		}
		r = d.mk(level, base)
	default:
		k := d.image(o+1, d.unite(d.edgesOf(d.node(a)), nil), c[1:])
		r = d.interval(level, c[0].to, k, none)
	}
	if r != invalid {
		d.keep(o, a, 0, r)
	}
	return r
}

// preimage undoes the changes: at the level of each, the children under the new values are united and the level disappears.
func (d *diagram) preimage(o op, a ref, c []change) ref {
	if a == none || a == invalid || len(c) == 0 {
		return a
	}
	if len(c[0].to) == 0 {
		return none // nothing becomes any packet
	}
	if r, ok := d.cached(o, a, 0); ok {
		return r
	}
	if !d.step() {
		return invalid
	}
	var r ref
	switch level := d.level(a); {
	case level > c[0].level:
		r = d.preimage(o+1, a, c[1:])
	case level < c[0].level:
		base := len(d.stack)
		for _, e := range d.edgesOf(d.node(a)) {
			d.push(base, e.hi, d.preimage(o, e.kid, c))
		}
		r = d.mk(level, base)
	default:
		r = d.preimage(o+1, d.unite(d.edgesOf(d.node(a)), c[0].to), c[1:])
	}
	if r != invalid {
		d.keep(o, a, 0, r)
	}
	return r
}

// unite is the union of the children whose edge meets one of the ranges; nil is all of them.
func (d *diagram) unite(edges []edge, r []Range) ref {
	var kids []ref
	lo := uint32(0)
	for _, e := range edges {
		for len(r) > 0 && r[0].Hi < lo {
			if r = r[1:]; len(r) == 0 {
				return d.uniteRefs(kids)
			}
		}
		if e.kid != none && (r == nil || r[0].Lo <= e.hi) {
			kids = append(kids, e.kid)
		}
		lo = e.hi + 1
	}
	return d.uniteRefs(kids)
}

func (d *diagram) uniteRefs(kids []ref) ref {
	// Neighbours tend to be alike, and equal ones need no work: the order is free, the result is canonical.
	slices.Sort(kids)
	return d.tree(opOr, slices.Compact(kids))
}

// Project frees fields: it returns the packets that equal a packet of a but for the fields f (existential quantification). To free
// Protocol frees both ports too, since ports mean nothing without it.
func (s *Space) Project(a Set, f ...Field) Set {
	s.writable()
	s.check(a)
	free := make([]bool, len(s.u.domain))
	for _, x := range f {
		s.u.Domain(x) // panics on a tag that does not exist
		free[x] = true
		if x == Protocol {
			free[DPort], free[SPort] = true, true
		}
	}
	key := []byte("project")
	last := -1
	for level, yes := range free {
		if yes {
			key, last = append(key, byte(level)), level
		}
	}
	if last < 0 {
		return a
	}
	return s.set(s.d.project(s.d.intern(string(key), 1), a.r, free, uint8(last)))
}

func (d *diagram) project(o op, a ref, free []bool, last uint8) ref {
	level := d.level(a)
	if level > last {
		return a
	}
	if r, ok := d.cached(o, a, 0); ok {
		return r
	}
	if !d.step() {
		return invalid
	}
	base := len(d.stack)
	for _, e := range d.edgesOf(d.node(a)) {
		kid := d.project(o, e.kid, free, last)
		d.stack = append(d.stack, edge{e.hi, kid})
	}
	var r ref
	if free[level] {
		kids := make([]ref, 0, len(d.stack)-base)
		for _, e := range d.stack[base:] {
			kids = append(kids, e.kid)
		}
		d.stack = d.stack[:base]
		r = d.uniteRefs(kids)
	} else {
		edges := d.stack[base:]
		d.stack = d.stack[:base]
		for _, e := range edges { // push never writes ahead of what it has read
			d.push(base, e.hi, e.kid)
		}
		r = d.mk(level, base)
	}
	if r != invalid {
		d.keep(o, a, 0, r)
	}
	return r
}
