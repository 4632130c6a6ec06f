package packet

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// Universe is what packets of one run are made of: address classes, name classes, tags and origins. It is immutable and may be shared.
//
// A class is a set of addresses that no set of the Builder tells apart. Classes are numbered so that sets become few intervals of class
// numbers: a tag of 4,000 prefixes is then a handful of edges in a diagram, and only this file and the Builder ever see 128 bits.
type Universe struct {
	domain []uint32 // highest value of each field
	ported []Range  // protocols with ports

	sets     []addrSet // without their addresses once the classes are known
	ranges   [][]Range // of each set
	byRanges map[uint64][]AddrSet
	starts   [2][]addr   // first address of each piece of the address space, by family
	class    [2][]uint32 // class of the piece
	pieces   [][]piece   // of each class, in order of address
	first6   uint32      // first class of IPv6
	writable []bool      // the class lies wholly inside a target or pool

	names    nameForest
	tags     []string
	leftOut  []string
	err      error
	setNames []string // first name of each set, "" if none
}

// piece is an interval of addresses that no set cuts.
type piece struct {
	family int
	span   span
}

func newUniverse(b *Builder) *Universe {
	u := &Universe{ported: Ported(), sets: b.sets, byRanges: map[uint64][]AddrSet{}}
	u.names = newNameForest(slices.Sorted(maps.Keys(b.patterns)))
	u.tags = slices.Sorted(maps.Keys(b.tags))
	if len(u.tags) > MaxTags {
		u.tags, u.leftOut = u.tags[:MaxTags:MaxTags], u.tags[MaxTags:]
	}
	u.classify(b.work)

	u.domain = []uint32{
		Origin: uint32(b.origins - 1), Dst: uint32(u.Classes() - 1), Src: uint32(u.Classes() - 1),
		Protocol: 255, DPort: 65535, SPort: 65535, Name: uint32(u.names.classes() - 1),
	}
	for range u.tags {
		u.domain = append(u.domain, 1)
	}
	u.setNames = make([]string, len(u.sets))
	for s := range u.sets {
		u.sets[s].spans = [2][]span{}
		if names := u.sets[s].names; len(names) > 0 {
			u.setNames[s] = slices.Min(names)
			h := hashRanges(u.ranges[s])
			u.byRanges[h] = append(u.byRanges[h], AddrSet(s))
		}
	}
	return u
}

// Err is not nil when the address sets were too many and too entangled for the Builder's budget. The Universe then knows only IPv4 and
// IPv6, and every Space over it starts exhausted.
func (u *Universe) Err() error { return u.err }

// Domain is the highest value of a field.
func (u *Universe) Domain(f Field) uint32 {
	if int(f) >= len(u.domain) {
		panic(fmt.Sprintf("packet: %v in a universe of %d tags", f, len(u.tags)))
	}
	return u.domain[f]
}

// Classes is the number of address classes.
func (u *Universe) Classes() int { return len(u.pieces) }

// Addrs returns the classes of a set: sorted, disjoint, never nil.
func (u *Universe) Addrs(s AddrSet) []Range {
	if s < 0 || int(s) >= len(u.ranges) {
		panic(fmt.Sprintf("packet: address set %d of another Builder", s))
	}
	return u.ranges[s]
}

// IPv4 returns all classes of IPv4 addresses.
func (u *Universe) IPv4() []Range { return []Range{{0, u.first6 - 1}} }

// IPv6 returns all classes of IPv6 addresses.
func (u *Universe) IPv6() []Range { return []Range{{u.first6, uint32(u.Classes() - 1)}} }

// Class returns the class of an address; every address of both families has one. IPv4 in IPv6 form is IPv4. A class may hold
// other addresses too: a rewrite needs the classes of a set that [Builder.AddTarget] or [Builder.AddPool] returned.
func (u *Universe) Class(a netip.Addr) uint32 {
	family, n := addrOf(unmap(a))
	i, found := slices.BinarySearchFunc(u.starts[family], n, addr.compare)
	if !found {
		i-- // the piece that starts before n; the first piece starts at zero
	}
	return u.class[family][i]
}

// Example returns the lowest address of a class.
func (u *Universe) Example(class uint32) netip.Addr {
	u.checkClass(class)
	p := u.pieces[class][0]
	return p.span.lo.netipAddr(p.family)
}

// Is4 reports whether a class is one of IPv4 addresses.
func (u *Universe) Is4(class uint32) bool {
	u.checkClass(class)
	return class < u.first6
}

// Single reports whether a class holds exactly one address.
func (u *Universe) Single(class uint32) bool {
	u.checkClass(class)
	p := u.pieces[class]
	return len(p) == 1 && p[0].span.lo == p[0].span.hi
}

// Prefixes turns classes back into the fewest prefixes, sorted, IPv4 before IPv6.
func (u *Universe) Prefixes(r []Range) []netip.Prefix {
	var spans [2][]span
	for _, x := range canonicalRanges("class", u.domain[Dst], r) {
		for c := x.Lo; c <= x.Hi; c++ {
			for _, p := range u.pieces[c] {
				spans[p.family] = append(spans[p.family], p.span)
			}
		}
	}
	var out []netip.Prefix
	for family := range spans {
		for _, s := range mergeSpans(spans[family]) {
			out = prefixesOf(family, s, out)
		}
	}
	return out
}

// SetName returns the name of the added set that has exactly these classes. Of several, the first in sorted order.
func (u *Universe) SetName(r []Range) (string, bool) {
	r = canonicalRanges("class", u.domain[Dst], r)
	for _, s := range u.byRanges[hashRanges(r)] {
		if slices.Equal(u.ranges[s], r) {
			return u.setNames[s], true
		}
	}
	return "", false
}

// Labels says a list of classes as a user would: the name of the set that it equals, or else its prefixes.
func (u *Universe) Labels(r []Range) []string {
	if name, ok := u.SetName(r); ok {
		return []string{name}
	}
	prefixes := u.Prefixes(r)
	out := make([]string, len(prefixes))
	for i, p := range prefixes {
		out[i] = p.String()
	}
	return out
}

// Tag returns the field of a tag; false for one that the Builder did not see or that found no room (see [Builder.Tags]).
func (u *Universe) Tag(name string) (Field, bool) {
	i, ok := slices.BinarySearch(u.tags, name)
	if !ok {
		return 0, false
	}
	return Tag(i), true
}

// TagNames returns the tags that have a field; tag i is the i-th.
func (u *Universe) TagNames() []string { return slices.Clone(u.tags) }

// TagsLeftOut returns the tags beyond MaxTags, which have no field.
func (u *Universe) TagsLeftOut() []string { return slices.Clone(u.leftOut) }

func (u *Universe) checkClass(class uint32) {
	if int(class) >= len(u.pieces) {
		panic(fmt.Sprintf("packet: address class %d, want 0 to %d", class, len(u.pieces)-1))
	}
}

// checkWritable panics unless a rewrite may put these classes into a packet: only classes that lie wholly inside a target or a
// pool. Any other class holds addresses that the rewrite does not produce.
func (u *Universe) checkWritable(f Field, r []Range) {
	for _, x := range r {
		for c := x.Lo; c <= x.Hi; c++ {
			if !u.writable[c] {
				panic(fmt.Sprintf("packet: rewrite of the %v to %v and what shares its class; add it with AddTarget or AddPool", f, u.Example(c)))
			}
		}
	}
}

// canonicalRanges returns ranges sorted, disjoint and not adjacent. It panics on a range that is backwards or outside the domain.
func canonicalRanges(what string, last uint32, r []Range) []Range {
	sorted := true
	for i, x := range r {
		if x.Lo > x.Hi {
			panic(fmt.Sprintf("packet: %s range %d to %d is backwards", what, x.Lo, x.Hi))
		}
		if x.Hi > last {
			panic(fmt.Sprintf("packet: %s range %d to %d, want values up to %d", what, x.Lo, x.Hi, last))
		}
		sorted = sorted && (i == 0 || r[i-1].Hi < x.Lo && x.Lo-r[i-1].Hi > 1)
	}
	if sorted {
		return r
	}
	r = slices.Clone(r)
	slices.SortFunc(r, compareRange)
	return joinRanges(r)
}

// joinRanges joins sorted ranges that overlap or touch, in place.
func joinRanges(r []Range) []Range {
	n := 0
	for _, x := range r {
		if n > 0 && (x.Lo == 0 || r[n-1].Hi >= x.Lo-1) {
			r[n-1].Hi = max(r[n-1].Hi, x.Hi)
			continue
		}
		r[n] = x
		n++
	}
	return r[:n]
}
