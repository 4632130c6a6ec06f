package packet

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
)

// AddrSet is the handle of an address set in a Builder and in the Universe that it becomes.
type AddrSet int

// Builder collects everything that can tell two addresses, names or tags apart: rules, tags, subnets, routes, NAT addresses, both sides
// of a diff, the query. What comes after Freeze can only use what was added before. Not safe for concurrent use.
//
// Prefixes are masked, and IPv4 in IPv6 form (::ffff:10.0.0.0/104) is unmapped; an invalid prefix or address panics, since importers
// have parsed it. The order of calls does not change the Universe.
type Builder struct {
	sets     []addrSet
	byHash   map[uint64][]AddrSet
	patterns map[string]bool
	tags     map[string]bool
	origins  int
	work     int
	frozen   bool
}

// addrSet is a set of addresses, by family, with the names that it was added under.
type addrSet struct {
	spans  [2][]span // IPv4, IPv6; sorted, neither overlapping nor adjacent
	names  []string
	target bool // a rewrite may put any of its addresses into a packet
}

// NewBuilder returns an empty Builder with one origin.
func NewBuilder() *Builder {
	return &Builder{
		byHash: map[uint64][]AddrSet{}, patterns: map[string]bool{}, tags: map[string]bool{}, origins: 1,
		work: 1 << 28,
	}
}

// LimitWork bounds what Freeze may spend on address classes: how often an input set covers a smallest piece of the address space.
// Above it the Universe is exhausted ([Universe.Err]) and so is every Space over it. Zero keeps the default of 2^28 (seconds).
func (b *Builder) LimitWork(pieces int) {
	b.mutable()
	if pieces > 0 {
		b.work = pieces
	}
}

// AddSet adds a set of addresses; name is what [Universe.SetName] prints for it, "" for none. The same content gives the same AddrSet.
// When one content has several names, the first in sorted order prints.
func (b *Builder) AddSet(name string, p []netip.Prefix) AddrSet {
	b.mutable()
	var spans [2][]span
	for _, prefix := range p {
		family, s := spanOf(prefix)
		spans[family] = append(spans[family], s)
	}
	for family := range spans {
		spans[family] = mergeSpans(spans[family])
	}
	return b.add(name, spans)
}

// AddTarget adds one address as a class of its own: what a rewrite may put into a packet, or what a query asks about. Without it the
// address shares a class with its neighbours, and a rewrite to it would smear over them; [Space.Rewrite] refuses that.
func (b *Builder) AddTarget(a netip.Addr) AddrSet {
	a = unmap(a)
	return b.AddPool("", []netip.Prefix{netip.PrefixFrom(a, a.BitLen())})
}

// AddPool adds a set that a rewrite may put into a packet. Its classes lie wholly inside it.
func (b *Builder) AddPool(name string, p []netip.Prefix) AddrSet {
	s := b.AddSet(name, p)
	b.sets[s].target = true
	return s
}

// Names adds FQDN patterns (AZ-FW-32): a full name, `*` for every name, or `*` and a suffix of the string, so that `*contoso.com`
// holds evilcontoso.com and `*.contoso.com` only names below contoso.com. Case and final dots do not matter. A `*` elsewhere panics:
// [ValidNamePattern] asks first.
func (b *Builder) Names(patterns ...string) {
	b.mutable()
	for _, p := range patterns {
		if !ValidNamePattern(p) {
			panic(fmt.Sprintf("packet: name pattern `%s`, want a name, `*`, or `*` and a suffix", p))
		}
		b.patterns[foldName(p)] = true
	}
}

// Tags adds tags whose addresses or names nobody lists: one Boolean field each (AZ-TAG-09, AZ-NAME-01). The order of their levels is
// that of the sorted names. A Universe has room for MaxTags; of more, the last in sorted order have no field, [Universe.Tag] returns
// false for them, and whoever uses them must treat them as uncertain ([Universe.TagsLeftOut]).
func (b *Builder) Tags(names ...string) {
	b.mutable()
	for _, n := range names {
		b.tags[n] = true
	}
}

// Origins says that packets have origins 0 to n-1. The largest call counts.
func (b *Builder) Origins(n int) {
	b.mutable()
	if n < 1 || n > maxEdges {
		panic(fmt.Sprintf("packet: %d origins, want 1 to %d", n, maxEdges))
	}
	b.origins = max(b.origins, n)
}

// Freeze computes the classes and ends the Builder: adding to it afterwards panics.
func (b *Builder) Freeze() *Universe {
	b.mutable()
	b.frozen = true
	return newUniverse(b)
}

func (b *Builder) mutable() {
	if b.frozen {
		panic("packet: Builder used after Freeze")
	}
}

// add finds or makes the set with this content.
func (b *Builder) add(name string, spans [2][]span) AddrSet {
	h := hashSpans(spans)
	set := AddrSet(-1)
	for _, s := range b.byHash[h] {
		if slices.Equal(b.sets[s].spans[0], spans[0]) && slices.Equal(b.sets[s].spans[1], spans[1]) {
			set = s
		}
	}
	if set < 0 {
		set = AddrSet(len(b.sets))
		b.sets = append(b.sets, addrSet{spans: spans})
		b.byHash[h] = append(b.byHash[h], set)
	}
	if name != "" && !slices.Contains(b.sets[set].names, name) {
		b.sets[set].names = append(b.sets[set].names, name)
	}
	return set
}

// addr is an address as a number. IPv4 addresses are small ones in a space of their own, never the mapped part of IPv6.
type addr struct{ hi, lo uint64 }

func (a addr) compare(b addr) int {
	if a.hi != b.hi {
		return cmp.Compare(a.hi, b.hi)
	}
	return cmp.Compare(a.lo, b.lo)
}

func (a addr) next() addr {
	lo, carry := bits.Add64(a.lo, 1, 0)
	return addr{a.hi + carry, lo}
}

func (a addr) prev() addr {
	lo, borrow := bits.Sub64(a.lo, 1, 0)
	return addr{a.hi - borrow, lo}
}

// span is an interval of addresses of one family, both ends included.
type span struct{ lo, hi addr }

const (
	ipv4 = iota
	ipv6
)

// lastAddr is the highest address of a family.
func lastAddr(family int) addr {
	if family == ipv4 {
		return addr{0, 1<<32 - 1}
	}
	return addr{1<<64 - 1, 1<<64 - 1}
}

// unmap brings an address into the form that the classes use.
func unmap(a netip.Addr) netip.Addr {
	if !a.IsValid() {
		panic("packet: invalid address")
	}
	return a.Unmap().WithZone("")
}

// addrOf is the family and number of an address that went through unmap.
func addrOf(a netip.Addr) (family int, n addr) {
	if a.Is4() {
		b := a.As4()
		return ipv4, addr{0, uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return ipv6, addr{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// netipAddr is the reverse of addrOf.
func (a addr) netipAddr(family int) netip.Addr {
	if family == ipv4 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(a.lo))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
	return netip.AddrFrom16(b)
}

// spanOf is the family of a prefix and the addresses in it.
func spanOf(p netip.Prefix) (family int, s span) {
	if !p.IsValid() {
		panic("packet: invalid prefix")
	}
	n := p.Bits()
	if p.Addr().Is4In6() && n >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), n-96)
	}
	p = p.Masked()
	family, lo := addrOf(p.Addr())
	free := p.Addr().BitLen() - p.Bits()
	hi := lo
	switch {
	case free >= 128:
		hi = lastAddr(ipv6)
	case free > 64:
		hi.hi, hi.lo = hi.hi|(1<<(free-64)-1), 1<<64-1
	default:
		hi.lo |= 1<<free - 1 // free = 64 shifts everything out: all ones
	}
	return family, span{lo, hi}
}

// mergeSpans sorts spans and joins those that overlap or touch. It reuses the slice.
func mergeSpans(s []span) []span {
	byLow := func(a, b span) int { return a.lo.compare(b.lo) }
	if !slices.IsSortedFunc(s, byLow) {
		slices.SortFunc(s, byLow)
	}
	n := 0
	for _, x := range s {
		// The last span reaches x when it ends at or after the address before x.
		if n > 0 && (x.lo == addr{} || s[n-1].hi.compare(x.lo.prev()) >= 0) {
			if x.hi.compare(s[n-1].hi) > 0 {
				s[n-1].hi = x.hi
			}
			continue
		}
		s[n] = x
		n++
	}
	return s[:n:n]
}

func hashSpans(spans [2][]span) uint64 {
	h := uint64(len(spans[0]))
	for _, family := range spans {
		for _, s := range family {
			for _, v := range [...]uint64{s.lo.hi, s.lo.lo, s.hi.hi, s.hi.lo} {
				h = bits.RotateLeft64((h^v)*hashPrime, 29)
			}
		}
	}
	return h
}

// prefixesOf cuts a span into the fewest prefixes.
func prefixesOf(family int, s span, out []netip.Prefix) []netip.Prefix {
	width := 128
	if family == ipv4 {
		width = 32
	}
	for {
		// The largest block that starts at lo, by its alignment, and does not pass hi.
		free := min(width, trailingZeros(s.lo))
		for {
			_, block := spanOf(netip.PrefixFrom(s.lo.netipAddr(family), width-free))
			if block.lo == s.lo && block.hi.compare(s.hi) <= 0 {
				out = append(out, netip.PrefixFrom(s.lo.netipAddr(family), width-free))
				if block.hi == s.hi {
					return out
				}
				s.lo = block.hi.next()
				break
			}
			free--
		}
	}
}

func trailingZeros(a addr) int {
	if a.lo != 0 {
		return bits.TrailingZeros64(a.lo)
	}
	return 64 + bits.TrailingZeros64(a.hi)
}

// compareSpans orders span lists by content.
func compareSpans(a, b []span) int {
	return slices.CompareFunc(a, b, func(x, y span) int {
		return cmp.Or(x.lo.compare(y.lo), x.hi.compare(y.hi))
	})
}

// foldName brings a name or pattern into the form that is compared.
func foldName(name string) string {
	return strings.TrimRight(strings.ToLower(name), ".")
}

// ValidNamePattern reports whether Names accepts a pattern.
func ValidNamePattern(pattern string) bool {
	return foldName(pattern) != "" && strings.LastIndexByte(pattern, '*') <= 0
}
