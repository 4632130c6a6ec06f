package snapshot

import (
	"net/netip"
	"slices"
	"sort"

	"github.com/ringfence/ringfence/model"
)

// addresses maps addresses so that two of them share as many leading bits as before: each bit is flipped or not by a function of the bits
// before it (Xu et al., Prefix-Preserving IP Address Anonymization, ICNP 2002, with HMAC-SHA256). Some blocks stay where they are, so that what is
// private, public, reserved, the platform's or a service tag's stays so: no bit above them is flipped.
type addresses struct {
	flips  func(p netip.Prefix) bool // whether the bit behind a prefix is flipped
	fixed  []netip.Prefix            // blocks that are mapped to themselves, sorted by address and length
	steady map[netip.Prefix]bool     // blocks whose halves are not swapped: the first and last addresses of a subnet stay its first and last
	known  map[netip.Prefix]netip.Prefix
}

// fixedBlocks are the blocks whose meaning does not depend on the estate: IANA's registries of special addresses, the platform's addresses, and
// what AKS takes where a cluster states nothing.
func fixedBlocks() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/32", "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16",
		"198.18.0.0/15", "198.51.100.7/32", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
		"168.63.129.16/32", "169.254.169.254/32", // AZ-PLAT-01, AZ-PLAT-02
		"10.224.0.0/12", "10.224.0.0/16", "10.244.0.0/16", "10.0.0.0/16", // AKS
		"::/128", "::1/128", "100::/64", "2000::/3", "fc00::/7", "fd00::/8", "fe80::/10", "fe80::1234:5678:9abc/128", "ff00::/8",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// newAddresses prepares the mapping. Blocks of fixed stay; in the subnets the addresses that Azure keeps, the first four and the last
// (AZ-GEN-07), stay these.
func newAddresses(flips func(netip.Prefix) bool, fixed, subnets []netip.Prefix) *addresses {
	a := &addresses{flips: flips, fixed: append(fixedBlocks(), fixed...), steady: map[netip.Prefix]bool{}, known: map[netip.Prefix]netip.Prefix{}}
	slices.SortFunc(a.fixed, comparePrefix)
	a.fixed = slices.Compact(a.fixed)
	for _, p := range subnets {
		bits := p.Addr().BitLen()
		first := p.Addr()
		for n := p.Bits(); n < bits; n++ {
			a.steady[netip.PrefixFrom(first, n)] = true
			a.steady[netip.PrefixFrom(lastOf(p), n).Masked()] = true
		}
		if p.Bits() <= bits-2 {
			a.steady[netip.PrefixFrom(first.Next().Next(), bits-1)] = true // .2 and .3
		}
	}
	return a
}

func comparePrefix(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}

// lastOf is the last address of a block.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// holdsFixed reports a block with a smaller one in it that stays.
func (a *addresses) holdsFixed(p netip.Prefix) bool {
	i := sort.Search(len(a.fixed), func(i int) bool { return comparePrefix(a.fixed[i], p) > 0 })
	for ; i < len(a.fixed) && p.Contains(a.fixed[i].Addr()); i++ {
		if a.fixed[i].Bits() > p.Bits() {
			return true
		}
	}
	return false
}

// prefix maps a masked block; the zero Prefix is none.
func (a *addresses) prefix(p netip.Prefix) netip.Prefix {
	if !p.IsValid() || p.Bits() == 0 {
		return p
	}
	if out, ok := a.known[p]; ok {
		return out
	}
	above, _ := p.Addr().Prefix(p.Bits() - 1)
	b := a.prefix(above).Addr().AsSlice()
	i := p.Bits() - 1
	bit := p.Addr().AsSlice()[i/8] >> (7 - i%8) & 1
	if !a.steady[above] && !a.holdsFixed(above) && a.flips(above) {
		bit ^= 1
	}
	b[i/8] |= bit << (7 - i%8)
	to, _ := netip.AddrFromSlice(b)
	out := netip.PrefixFrom(to, p.Bits())
	a.known[p] = out
	return out
}

// addr maps an address; the zero Addr is none.
func (a *addresses) addr(x netip.Addr) netip.Addr {
	if !x.IsValid() || x.Is4In6() || model.SymbolBlock().Contains(x) {
		return x
	}
	return a.prefix(netip.PrefixFrom(x, x.BitLen())).Addr()
}
