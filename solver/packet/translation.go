package packet

import (
	"fmt"
	"slices"
)

// NoImage stands in Images for a value that the other Universe does not have.
const NoImage = ^uint32(0)

// Images says what the values of one Universe are in another one: for each value, by index, the one that holds it there, or NoImage. A
// Universe whose classes are finer than another's, since it was built from all sets and patterns of that one, has an image for each.
type Images struct {
	Origin, Addr, Name []uint32
}

// Translation carries sets of one Space over to a Space of another Universe, so that sets of two estates can be compared. It remembers
// what it carried over.
type Translation struct {
	to, from *Space
	valid    Set
	lists    [Name + 1][][]Range // for each value of from, those of to
	tags     []Field             // for each tag of from, that of to
	memo     map[ref]ref
	gen      uint32
}

// NewTranslation prepares a translation. Images are indexed by values of to's Universe. Each tag of from's Universe must be one of to's.
func NewTranslation(to, from *Space, m Images) *Translation {
	t := &Translation{to: to, from: from, memo: map[ref]ref{}, gen: from.gen}
	box := Box{}
	read := func(f Field, images []uint32) {
		if len(images) != int(to.u.domain[f])+1 {
			panic(fmt.Sprintf("packet: %d images of the %v, want %d", len(images), f, to.u.domain[f]+1))
		}
		lists := make([][]Range, from.u.domain[f]+1)
		valid := []Range{}
		for v, image := range images {
			if image == NoImage {
				continue
			}
			valid = addValue(valid, uint32(v))
			lists[image] = addValue(lists[image], uint32(v))
		}
		t.lists[f] = lists
		*box.ranges(f) = valid
	}
	read(Origin, m.Origin)
	read(Dst, m.Addr)
	read(Src, m.Addr)
	read(Name, m.Name)
	for _, name := range from.u.tags {
		f, ok := to.u.Tag(name)
		if !ok {
			panic(fmt.Sprintf("packet: the tag `%s` is not in the other universe", name))
		}
		t.tags = append(t.tags, f) // sorted here as there: the order of levels is the same
	}
	t.valid = to.Box(box)
	return t
}

// addValue adds a value that is larger than those in a list of ranges.
func addValue(list []Range, v uint32) []Range {
	if n := len(list); n > 0 && list[n-1].Hi+1 == v {
		list[n-1].Hi = v
		return list
	}
	return append(list, Range{v, v})
}

// Set carries a set over: the packets of to whose images are in it.
func (t *Translation) Set(a Set) Set {
	t.from.check(a)
	t.to.writable()
	if t.gen != t.from.gen {
		t.memo, t.gen = map[ref]ref{}, t.from.gen
	}
	if t.from.Err() != nil && t.to.d.err == nil {
		t.to.d.err = t.from.Err()
	}
	return t.to.Intersect(t.to.set(t.carry(a.r)), t.valid)
}

func (t *Translation) carry(r ref) ref {
	if !r.isNode() {
		return r
	}
	if out, ok := t.memo[r]; ok {
		return out
	}
	d := t.to.d
	if !d.step() {
		return invalid
	}
	n := t.from.d.node(r)
	level := n.level()
	f := Field(level)
	var out ref
	switch {
	case f.IsTag():
		base := len(d.stack)
		for _, e := range t.from.d.edgesOf(n) {
			d.push(base, e.hi, t.carry(e.kid))
		}
		out = d.mk(uint8(t.tags[f.tag()]), base)
	case t.lists[f] == nil:
		base := len(d.stack)
		for _, e := range t.from.d.edgesOf(n) {
			d.push(base, e.hi, t.carry(e.kid))
		}
		out = d.mk(level, base)
	default:
		out = t.spread(n, f)
	}
	if out != invalid {
		t.memo[r] = out
	}
	return out
}

// spread carries a node over whose values have other numbers there.
func (t *Translation) spread(n node, f Field) ref {
	type part struct {
		Range

		kid ref
	}
	var parts []part
	lo := uint32(0)
	for _, e := range t.from.d.edgesOf(n) {
		if e.kid != none {
			kid := t.carry(e.kid)
			if kid == invalid {
				return invalid
			}
			for v := lo; v <= e.hi; v++ {
				for _, r := range t.lists[f][v] {
					parts = append(parts, part{r, kid})
				}
			}
		}
		lo = e.hi + 1
	}
	slices.SortFunc(parts, func(a, b part) int { return compareRange(a.Range, b.Range) })
	d, last := t.to.d, t.to.u.domain[f]
	base, next := len(d.stack), uint32(0)
	for _, p := range parts {
		if p.Lo > next {
			d.push(base, p.Lo-1, none)
		}
		d.push(base, p.Hi, p.kid)
		next = p.Hi + 1
	}
	if len(parts) == 0 || next <= last {
		d.push(base, last, none)
	}
	return d.mk(uint8(f), base)
}
