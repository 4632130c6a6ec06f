package dataplane

import (
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// prefixes parses constant prefixes.
func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

// rfc1918 is the private IPv4 space.
func rfc1918() []netip.Prefix { return prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16") }

// ianaPrivate is Azure Firewall's IANAPrivateRanges (AZ-FW-41) and the four documented None routes (AZ-RT-02).
func ianaPrivate() []netip.Prefix { return append(rfc1918(), netip.MustParsePrefix("100.64.0.0/10")) }

// reserved is IPv4 space that no internet host has (AZ-TAG-06).
func reserved() []netip.Prefix {
	return prefixes("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "224.0.0.0/3")
}

func allV4() netip.Prefix { return netip.MustParsePrefix("0.0.0.0/0") }
func allV6() netip.Prefix { return netip.MustParsePrefix("::/0") }

// platformDNS is the host address for DNS, agents and probes; platformIMDS the metadata service (AZ-PLAT-01).
func platformDNS() netip.Addr  { return netip.MustParseAddr("168.63.129.16") }
func platformIMDS() netip.Addr { return netip.MustParseAddr("169.254.169.254") }

func platformHosts() []netip.Addr { return []netip.Addr{platformDNS(), platformIMDS()} }

// probeV6 is the source of health probes over IPv6 (AZ-V6-07).
func probeV6() netip.Addr { return netip.MustParseAddr("fe80::1234:5678:9abc") }

func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

func hosts(as []netip.Addr) []netip.Prefix {
	out := make([]netip.Prefix, len(as))
	for i, a := range as {
		out[i] = host(a)
	}
	return out
}

// ipset is a union of prefixes, less others.
func ipset(add []netip.Prefix, remove ...netip.Prefix) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, p := range add {
		b.AddPrefix(p)
	}
	for _, p := range remove {
		b.RemovePrefix(p)
	}
	return must(b.IPSet())
}

// The operations on sets return one that they were given where it is the result: nothing changes a set once it is built, and building one costs
// more than looking.

func unionSet(sets ...*netipx.IPSet) *netipx.IPSet {
	switch {
	case len(sets) == 1, len(sets) == 2 && contains(sets[0], sets[1]):
		return sets[0]
	case len(sets) == 2 && contains(sets[1], sets[0]):
		return sets[1]
	}
	var b netipx.IPSetBuilder
	for _, s := range sets {
		b.AddSet(s)
	}
	return must(b.IPSet())
}

func minusSet(a *netipx.IPSet, bs ...*netipx.IPSet) *netipx.IPSet {
	bs = slices.DeleteFunc(slices.Clone(bs), func(s *netipx.IPSet) bool { return disjoint(a, s) })
	switch {
	case len(bs) == 0:
		return a
	case slices.ContainsFunc(bs, func(s *netipx.IPSet) bool { return contains(s, a) }):
		return &netipx.IPSet{}
	}
	var b netipx.IPSetBuilder
	b.AddSet(a)
	for _, s := range bs {
		b.RemoveSet(s)
	}
	return must(b.IPSet())
}

func intersectSet(a, c *netipx.IPSet) *netipx.IPSet {
	switch {
	case contains(c, a):
		return a
	case contains(a, c):
		return c
	case disjoint(a, c):
		return &netipx.IPSet{}
	}
	var b netipx.IPSetBuilder
	b.AddSet(a)
	b.Intersect(c)
	return must(b.IPSet())
}

func isEmpty(s *netipx.IPSet) bool { return len(s.Ranges()) == 0 }

// contains reports whether a holds all of b.
func contains(a, b *netipx.IPSet) bool {
	list := a.Ranges()
	for _, r := range b.Ranges() {
		for len(list) > 0 && list[0].To().Less(r.To()) {
			list = list[1:]
		}
		if len(list) == 0 || r.From().Less(list[0].From()) { // ranges of a set neither touch nor overlap
			return false
		}
	}
	return true
}

// disjoint reports whether two sets have no address in common.
func disjoint(a, b *netipx.IPSet) bool {
	x, y := a.Ranges(), b.Ranges()
	for len(x) > 0 && len(y) > 0 {
		switch {
		case x[0].To().Less(y[0].From()):
			x = x[1:]
		case y[0].To().Less(x[0].From()):
			y = y[1:]
		default:
			return false
		}
	}
	return true
}

// must unwraps set operations on valid prefixes, which cannot fail.
func must(s *netipx.IPSet, err error) *netipx.IPSet {
	if err != nil {
		panic("dataplane: " + err.Error()) // INVARIANT: only valid prefixes reach a set
	}
	return s
}

// publicSpace is the address space of the internet: everything that is neither private nor reserved, both families. The
// documentation networks 198.51.100.0/24, 203.0.113.0/24 and 2001:db8::/32 count as internet, as they do in every example.
func publicSpace() *netipx.IPSet {
	remove := append(append(ianaPrivate(), reserved()...), host(platformDNS()))
	return ipset(prefixes("0.0.0.0/0", "2000::/3"), remove...)
}

// publicV4 is where a public address of Azure lies that the input does not state.
func publicV4() *netipx.IPSet { return intersectSet(publicSpace(), ipset([]netip.Prefix{allV4()})) }

// addrs is a set of addresses with its two bounds (AZ-GEN-01): must holds the addresses that are in it for certain, may those
// that can be. They differ only by symbols whose real address may or may not lie in the set.
type addrs struct{ must, may packet.AddrSet }

// addressPlan registers every address set of a run before the universe is frozen, and resolves symbols in them.
type addressPlan struct {
	b      *packet.Builder
	groups []symbolGroup
	any    packet.AddrSet // every address
	v4, v6 packet.AddrSet // each family; symbols stand for IPv4 addresses
	public packet.AddrSet // publicSpace and the symbols of public addresses
	cache  map[string]addrs
	single map[netip.Prefix]addrs // by prefix
	joined map[string]addrs       // spaces with more in them; see spaceWith

	private *addressPlan // without the symbols of public addresses; see published

	manifold packet.AddrSet // multicast and broadcast
	internet *netipx.IPSet  // publicV4
	unnamed  netip.Addr     // a public address that lies in no prefix of the input; invalid where there is none
}

// symbolGroup is the symbols that share one range of possible addresses.
type symbolGroup struct {
	within  *netipx.IPSet // what the real address may be; nil for a public address that no prefix of the input names
	members []netip.Prefix
}

func newAddressPlan(b *packet.Builder, symbols []symbolGroup, unnamed netip.Addr) *addressPlan {
	p := &addressPlan{b: b, groups: symbols, cache: map[string]addrs{}, single: map[netip.Prefix]addrs{}, joined: map[string]addrs{}, unnamed: unnamed}
	p.internet = publicV4()
	block := model.SymbolBlock()
	p.any = b.AddSet("", []netip.Prefix{allV4(), allV6()})
	p.v4 = b.AddSet("", []netip.Prefix{allV4(), block})
	p.v6 = b.AddSet("", ipset([]netip.Prefix{allV6()}, block).Prefixes())
	p.public = p.space(publicSpace()).must
	p.manifold = b.AddSet("", prefixes("224.0.0.0/4", "255.255.255.255/32", "ff00::/8"))
	return p
}

// set registers the union of prefixes.
func (p *addressPlan) set(ps []netip.Prefix) addrs {
	if len(ps) != 1 {
		return p.space(ipset(ps))
	}
	a, ok := p.single[ps[0]]
	if !ok {
		a = p.space(ipset(ps))
		p.single[ps[0]] = a
	}
	return a
}

// space registers a set of real addresses with the symbols that lie in it.
func (p *addressPlan) space(s *netipx.IPSet) addrs {
	if s.OverlapsPrefix(model.SymbolBlock()) {
		s = minusSet(s, ipset([]netip.Prefix{model.SymbolBlock()}))
	}
	key := setKey(s)
	if a, ok := p.cache[key]; ok {
		return a
	}
	must, may := p.bounds(s)
	a := addrs{p.b.AddSet("", must), p.b.AddSet("", may)}
	p.cache[key] = a
	return a
}

// spaceWith is a space with more addresses in it for certain, symbols perhaps.
func (p *addressPlan) spaceWith(s *netipx.IPSet, more []netip.Prefix) addrs {
	if len(more) == 0 {
		return p.space(s)
	}
	key := setKey(s) + "+" + prefixKey(more)
	if a, ok := p.joined[key]; ok {
		return a
	}
	must, may := p.bounds(s)
	a := addrs{p.b.AddSet("", append(must, more...)), p.b.AddSet("", append(may, more...))}
	p.joined[key] = a
	return a
}

// bounds are the addresses that are in a set for certain, and those that can be.
func (p *addressPlan) bounds(s *netipx.IPSet) (must, may []netip.Prefix) {
	must = s.Prefixes()
	may = slices.Clone(must)
	for _, g := range p.groups {
		switch {
		case g.within == nil:
			// A public address that lies in no prefix that the input names is in a set as any such address is (K8S-SVC-11). Where prefixes name
			// all of the space, only what holds all of it holds the address.
			if p.unnamed.IsValid() && s.Contains(p.unnamed) || !p.unnamed.IsValid() && contains(s, p.internet) {
				must, may = append(must, g.members...), append(may, g.members...)
			}
		case contains(s, g.within):
			must, may = append(must, g.members...), append(may, g.members...)
		case s.Overlaps(g.within):
			may = append(may, g.members...)
		}
	}
	return must, may
}

// unstated is the public addresses that the input does not state and may be any.
func (p *addressPlan) unstated() []netip.Prefix {
	var out []netip.Prefix
	for _, g := range p.groups {
		if g.within == nil || contains(g.within, p.internet) && contains(p.internet, g.within) {
			out = append(out, g.members...)
		}
	}
	return out
}

// published registers the real addresses of a set alone, with the symbols that lie in it and stand for no public address.
func (p *addressPlan) published(s *netipx.IPSet) addrs {
	a := p.space(s)
	if p.private == nil {
		p.private = &addressPlan{b: p.b, cache: map[string]addrs{}, internet: p.internet, unnamed: p.unnamed}
		for _, g := range p.groups {
			if g.within != nil && !contains(p.internet, g.within) {
				p.private.groups = append(p.private.groups, g)
			}
		}
	}
	if len(p.private.groups) == len(p.groups) {
		return a
	}
	return p.private.space(s)
}

// exact registers addresses, symbols among them, exactly as given. The result may be the target of a rewrite.
func (p *addressPlan) exact(as ...netip.Addr) packet.AddrSet {
	if len(as) == 1 {
		return p.b.AddTarget(as[0])
	}
	return p.b.AddPool("", hosts(as))
}

// exactHosts registers real or symbolic addresses that no rewrite writes.
func (p *addressPlan) exactHosts(as ...netip.Addr) packet.AddrSet { return p.b.AddSet("", hosts(as)) }

// pool registers a set of real addresses, without symbols, that a rewrite may write.
func (p *addressPlan) pool(s *netipx.IPSet) packet.AddrSet {
	return p.b.AddPool("", minusSet(s, ipset([]netip.Prefix{model.SymbolBlock()})).Prefixes())
}

func setKey(s *netipx.IPSet) string {
	list := s.Ranges()
	b := make([]byte, 0, 33*len(list))
	for _, r := range list {
		f, l := r.From().As16(), r.To().As16()
		b = append(append(append(b, byte(r.From().BitLen())), f[:]...), l[:]...)
	}
	return string(b)
}

// prefixKey names a list of prefixes.
func prefixKey(list []netip.Prefix) string {
	b := make([]byte, 0, 18*len(list))
	for _, p := range list {
		a := p.Addr().As16()
		b = append(append(b, byte(p.Addr().BitLen()), byte(p.Bits())), a[:]...)
	}
	return string(b)
}
