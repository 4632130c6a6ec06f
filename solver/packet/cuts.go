package packet

import (
	"net/netip"
	"slices"
)

// Cuts lists where the sets added so far tell addresses of a prefix apart: the first address of each piece behind the first. A
// translation that maps addresses one to one has to cut its two sides alike, or a class of the one side would not be one of the other.
func (b *Builder) Cuts(within netip.Prefix) []netip.Addr {
	family, w := spanOf(within)
	var out []netip.Addr
	add := func(a addr) {
		if a.compare(w.lo) > 0 && a.compare(w.hi) <= 0 {
			out = append(out, a.netipAddr(family))
		}
	}
	for _, s := range b.sets {
		for _, x := range s.spans[family] {
			add(x.lo)
			if x.hi != lastAddr(family) {
				add(x.hi.next())
			}
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}
