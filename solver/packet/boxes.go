package packet

import (
	"encoding/binary"
	"math"
	"slices"
)

const (
	improveMost  = 2048 // more boxes than this are listed as the diagram groups them
	reorderAbove = 20   // so many are worth a look from other sides
)

// Boxes describes a set as disjoint boxes: few, sorted, the same on every run. It returns at most max of them (none below 1), and
// how many there are. It only reads.
//
// Values of a field that lead to the same rest are one box; then boxes that differ in one field alone become one; then the same is tried
// with sources or ports first, and the shortest list stays. The fewest possible boxes are not promised, since that is NP-hard.
// [Universe.Labels] names addresses.
func (s *Space) Boxes(a Set, max int) (boxes []Box, total uint64) {
	s.check(a)
	most := 0
	if max > 0 {
		most = max
	}
	if a.r == none || a.r == invalid {
		return nil, 0
	}
	total = s.d.countBoxes(a.r, map[ref]uint64{})
	b := boxer{d: s.d, fields: s.d.support(a.r), ids: map[string]uint32{}, lists: [][]Range{nil}}
	var list [][]uint32
	if total <= improveMost {
		list = b.merge(b.enumerate(s.d, a.r, b.fields, improveMost))
		if len(list) > reorderAbove {
			for _, order := range b.orders() {
				if other, ok := b.reordered(list, order); ok && len(other) < len(list) {
					list = other
				}
			}
		}
		total = uint64(len(list))
	} else {
		list = b.enumerate(s.d, a.r, b.fields, most)
	}
	slices.SortFunc(list, b.compare)
	for _, box := range list[:min(len(list), most)] {
		boxes = append(boxes, b.box(box))
	}
	return boxes, total
}

// countBoxes counts the boxes that enumerate would list, up to the largest uint64.
func (d *diagram) countBoxes(r ref, memo map[ref]uint64) uint64 {
	if !r.isNode() {
		return uint64(r) // a set ends in 0 or 1
	}
	if n, ok := memo[r]; ok {
		return n
	}
	edges := d.edgesOf(d.node(r))
	kids := make([]ref, 0, min(len(edges), 64))
	for _, e := range edges {
		if e.kid != none {
			kids = append(kids, e.kid)
		}
	}
	slices.Sort(kids)
	n := uint64(0)
	for _, k := range slices.Compact(kids) {
		if m := d.countBoxes(k, memo); m > math.MaxUint64-n {
			n = math.MaxUint64
		} else {
			n += m
		}
	}
	memo[r] = n
	return n
}

// support lists the levels that a diagram looks at.
func (d *diagram) support(r ref) []Field {
	var used [leafLevel + 1]bool
	var seen refSet
	d.visit(r, &seen, func(r ref) { used[d.level(r)] = true })
	var fields []Field
	for f, yes := range used[:leafLevel] {
		if yes {
			fields = append(fields, Field(f))
		}
	}
	return fields
}

// boxer turns diagrams into lists of boxes. A box is one number for each field in use: the number of a list of ranges, 0 for any value.
type boxer struct {
	d      *diagram
	fields []Field
	lists  [][]Range
	ids    map[string]uint32
}

// id is the number of a canonical list of ranges of field i.
func (b *boxer) id(i int, r []Range) uint32 {
	if len(r) == 1 && r[0] == (Range{0, b.d.domain[b.fields[i]]}) {
		return 0
	}
	key := make([]byte, 0, 8*len(r))
	for _, x := range r {
		key = binary.BigEndian.AppendUint32(key, x.Lo)
		key = binary.BigEndian.AppendUint32(key, x.Hi)
	}
	id, ok := b.ids[string(key)]
	if !ok {
		id = uint32(len(b.lists))
		b.ids[string(key)] = id
		b.lists = append(b.lists, r)
	}
	return id
}

// group is the values of a node that lead to one child.
type group struct {
	kid    ref
	ranges []Range
}

// groups lists the children of a node but the empty one, in order of their first value.
func (d *diagram) groups(r ref) []group {
	var out []group
	at := map[ref]int{}
	lo := uint32(0)
	for _, e := range d.edgesOf(d.node(r)) {
		if e.kid != none {
			i, ok := at[e.kid]
			if !ok {
				i = len(out)
				at[e.kid] = i
				out = append(out, group{kid: e.kid})
			}
			out[i].ranges = append(out[i].ranges, Range{lo, e.hi})
		}
		lo = e.hi + 1
	}
	return out
}

// enumerate lists the first most boxes of a set in a diagram whose level i is the field order[i] (or, in the diagram of the Space
// itself, whose levels are the fields).
func (b *boxer) enumerate(d *diagram, r ref, order []Field, most int) [][]uint32 {
	place := make([]int, leafLevel) // where in a box the field of a level is
	for i, f := range order {
		level := uint8(f)
		if d != b.d {
			level = uint8(i)
		}
		place[level] = slices.Index(b.fields, f)
	}
	type grouped struct {
		groups []group
		ids    []uint32
	}
	memo := map[ref]grouped{}
	var out [][]uint32
	box := make([]uint32, len(b.fields))
	var walk func(r ref)
	walk = func(r ref) {
		if len(out) >= most {
			return
		}
		if !r.isNode() {
			out = append(out, slices.Clone(box))
			return
		}
		i := place[d.level(r)]
		g, ok := memo[r]
		if !ok {
			g.groups = d.groups(r)
			for _, x := range g.groups {
				g.ids = append(g.ids, b.id(i, x.ranges))
			}
			memo[r] = g
		}
		for k, x := range g.groups {
			box[i] = g.ids[k]
			walk(x.kid)
		}
		box[i] = 0
	}
	walk(r)
	return out
}

// merge joins boxes that differ in one field alone, until there are none.
func (b *boxer) merge(list [][]uint32) [][]uint32 {
	for changed := true; changed && len(list) > 1; {
		changed = false
		for i := len(b.fields) - 1; i >= 0; i-- {
			at := map[string]int{} // by all fields but i
			var members [][]uint32 // numbers in field i
			var out [][]uint32
			for _, box := range list {
				mine := box[i]
				box[i] = 0
				key := make([]byte, 0, 4*len(box))
				for _, id := range box {
					key = binary.BigEndian.AppendUint32(key, id)
				}
				box[i] = mine
				k, ok := at[string(key)]
				if !ok {
					k = len(out)
					at[string(key)] = k
					out = append(out, box)
					members = append(members, nil)
				}
				members[k] = append(members[k], mine)
			}
			if len(out) == len(list) {
				continue
			}
			changed = true
			for k, ids := range members {
				if len(ids) > 1 {
					var r []Range
					for _, id := range ids {
						r = append(r, b.lists[id]...)
					}
					slices.SortFunc(r, compareRange)
					out[k][i] = b.id(i, joinRanges(r))
				}
			}
			list = out
		}
	}
	return list
}

// orders are other ways to look at a set. Protocol stays above the ports: no box then mixes a port with a protocol that has none.
func (b *boxer) orders() [][]Field {
	var out [][]Field
	for _, first := range [][]Field{{Origin, Src}, {Protocol, DPort, SPort}} {
		var order []Field
		for _, f := range append(first, b.fields...) {
			if slices.Contains(b.fields, f) && !slices.Contains(order, f) {
				order = append(order, f)
			}
		}
		if !slices.Equal(order, b.fields) {
			out = append(out, order)
		}
	}
	return out
}

// reordered builds a list of boxes anew, with the fields in another order, and lists what that diagram groups.
func (b *boxer) reordered(list [][]uint32, order []Field) ([][]uint32, bool) {
	domain := make([]uint32, len(order))
	for level, f := range order {
		domain[level] = b.d.domain[f]
	}
	d := newDiagram(domain, Limits{Nodes: 1 << 16, Edges: 1 << 20})
	refs := make([]ref, len(list))
	for k, box := range list {
		r := all
		for level := len(order) - 1; level >= 0; level-- {
			if id := box[slices.Index(b.fields, order[level])]; id != 0 {
				r = d.interval(uint8(level), b.lists[id], r, none)
			}
		}
		refs[k] = r
	}
	r := d.tree(opOr, refs)
	if d.err != nil || d.countBoxes(r, map[ref]uint64{}) > improveMost {
		return nil, false
	}
	return b.merge(b.enumerate(d, r, order, improveMost)), true
}

// compare orders boxes field by field.
func (b *boxer) compare(x, y []uint32) int {
	for i := range x {
		if x[i] != y[i] {
			return slices.CompareFunc(b.list(i, x[i]), b.list(i, y[i]), compareRange)
		}
	}
	return 0
}

// list is the ranges of a number in field i.
func (b *boxer) list(i int, id uint32) []Range {
	if id == 0 {
		return []Range{{0, b.d.domain[b.fields[i]]}}
	}
	return b.lists[id]
}

// box is the form that callers see.
func (b *boxer) box(ids []uint32) Box {
	var out Box
	for i, f := range b.fields {
		switch {
		case ids[i] == 0:
		case f.IsTag():
			out.Tags = append(out.Tags, TagValue{f, b.lists[ids[i]][0].Lo == 1})
		default:
			*out.ranges(f) = slices.Clone(b.lists[ids[i]])
		}
	}
	return out
}
