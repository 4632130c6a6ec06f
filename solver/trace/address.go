package trace

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// address is one side of a packet as rules see it. A symbol, an address that a device picks from a range, and a source that may
// or may not have been translated have several possible values: a rule matches them for certain when it holds all of the range, and
// possibly when it holds a part of it (K8S-NP-13).
type address struct {
	at         netip.Addr       // as the packet carries it
	may        *netipx.IPSet    // what it may be; nil: just at
	public     bool             // a symbol of a public address
	unnamed    bool             // a public address that lies in no prefix of the input (K8S-SVC-11)
	azure      *azureAddress    // a public address that Azure owns
	service    *model.Service   // the public door of a service of the input (AZ-SE-03)
	overlay    *model.Cluster   // the address of a pod outside VNet space (K8S-AZ-06)
	holder     *host            // who holds it, where the walk knows
	because    []string         // why it is not known which of its values it has
	picked     bool             // a device picks it from may, anew for each course (AZ-GEN-13)
	way        int              // of a list of translations
	asked      *[]*netipx.IPSet // of a picked one: the sets that hold a part of may
	outboundOf *model.Cluster   // the outbound address that AKS made for a cluster (AKS-API-02)
}

// azureAddress is what is known of a public address of the estate or of Microsoft.
type azureAddress struct{ location string }

// prefixSet is the union of prefixes; invalid ones are left out.
func prefixSet(prefixes ...netip.Prefix) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, p := range prefixes {
		if p.IsValid() {
			b.AddPrefix(p.Masked())
		}
	}
	s, _ := b.IPSet() // no error: every prefix is valid
	return s
}

func addressSet(addrs ...netip.Addr) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, a := range addrs {
		if a.IsValid() {
			b.Add(a)
		}
	}
	s, _ := b.IPSet() // no error: every address is valid
	return s
}

func joinSets(sets ...*netipx.IPSet) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, s := range sets {
		if s != nil {
			b.AddSet(s)
		}
	}
	s, _ := b.IPSet() // no error: sets are valid
	return s
}

func without(s *netipx.IPSet, remove ...netip.Addr) *netipx.IPSet {
	var b netipx.IPSetBuilder
	b.AddSet(s)
	for _, a := range remove {
		if a.IsValid() {
			b.Remove(a)
		}
	}
	out, _ := b.IPSet() // no error: every address is valid
	return out
}

// lessSet is what of a set is not in another.
func lessSet(s, remove *netipx.IPSet) *netipx.IPSet {
	var b netipx.IPSetBuilder
	b.AddSet(s)
	b.RemoveSet(remove)
	return built(&b)
}

func emptySet(s *netipx.IPSet) bool { return s == nil || len(s.Ranges()) == 0 }

// in says whether an address lies in a set.
func (a address) in(s *netipx.IPSet) match {
	if s == nil {
		return no()
	}
	if a.may == nil {
		return when(s.Contains(a.at))
	}
	all, some := true, false
	for _, r := range a.may.Ranges() {
		all = all && s.ContainsRange(r)
		some = some || s.OverlapsRange(r)
	}
	if a.unnamed && !all {
		return no()
	}
	m := match{must: all && some, may: some}
	if m.uncertain() {
		m.why = a.because
		if a.asked != nil {
			*a.asked = append(*a.asked, s)
		}
	}
	return m
}

// inAny is in, for a list of prefixes.
func (a address) inAny(prefixes []netip.Prefix) match {
	if a.may != nil {
		return a.in(prefixSet(prefixes...))
	}
	return when(slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.IsValid() && p.Contains(a.at) }))
}

// v6 reports the family of the real address.
func (a address) v6() bool {
	if a.may == nil {
		return a.at.Is6()
	}
	r := a.may.Ranges()
	return len(r) > 0 && r[0].From().Is6()
}

// isPublic says whether an address is one of the internet's. An address of which only the family is known is some network's own.
func (a address) isPublic() match {
	switch {
	case a.public:
		return yes()
	case a.may != nil:
		return when(a.in(publicSpace()).must)
	case a.at.Is4():
		for _, p := range notPublic() {
			if p.Contains(a.at) {
				return no()
			}
		}
		return yes()
	default:
		return when(publicV6().Contains(a.at))
	}
}

// alternatively is an address that is either of two, and nobody knows which.
func (a address) alternatively(b address, why ...string) address {
	set := func(x address) *netipx.IPSet {
		if x.may != nil {
			return x.may
		}
		return addressSet(x.at)
	}
	a.may = joinSets(set(a), set(b))
	a.overlay, a.because, a.picked, a.asked = nil, why, false, nil
	return a
}

// publicSpace is globally routable unicast (AZ-TAG-06). The documentation prefixes 192.0.2.0/24, 198.51.100.0/24 and 203.0.113.0/24
// stay in, because the worked examples use them as internet addresses and the published expansion of the tag holds them (AZ-TAG-05).
func publicSpace() *netipx.IPSet {
	var b netipx.IPSetBuilder
	b.AddPrefix(netip.MustParsePrefix("0.0.0.0/0"))
	for _, p := range notPublic() {
		b.RemovePrefix(p)
	}
	b.AddPrefix(publicV6())
	s, _ := b.IPSet() // no error: constants
	return s
}

// notPublic is the IPv4 space that no host of the internet has: 0/8, 10/8, 100.64/10, 127/8, 169.254/16, 172.16/12, 192.0.0/24, 192.168/16,
// 198.18/15, 224/3.
func notPublic() [10]netip.Prefix {
	block := func(a, b byte, bits int) netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b}), bits) }
	return [10]netip.Prefix{
		block(0, 0, 8), block(10, 0, 8), block(100, 64, 10), block(127, 0, 8), block(169, 254, 16), block(172, 16, 12), block(192, 0, 24), block(192, 168, 16), block(198, 18, 15), block(224, 0, 3),
	}
}

// publicV6 is 2000::/3.
func publicV6() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20}), 3) }

// rfc1918 is the space that Internet never holds (AZ-TAG-06).
func rfc1918() []netip.Prefix { return ianaPrivateRanges()[:3] }

// anywhereBut is every address of both families outside some prefixes.
func anywhereBut(prefixes ...netip.Prefix) *netipx.IPSet {
	var b netipx.IPSetBuilder
	b.AddPrefix(netip.MustParsePrefix("0.0.0.0/0"))
	b.AddPrefix(netip.MustParsePrefix("::/0"))
	for _, p := range prefixes {
		b.RemovePrefix(p)
	}
	return built(&b)
}

// privateSpace is where addresses of a network that the input lacks lie.
func privateSpace() *netipx.IPSet {
	return prefixSet(ianaPrivateRanges()...)
}

// ianaPrivateRanges is what Azure Firewall calls so (AZ-FW-41).
func ianaPrivateRanges() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
	}
}

// anyIPv4 is the range of an address of which only the family is known.
func anyIPv4() *netipx.IPSet { return prefixSet(netip.MustParsePrefix("0.0.0.0/0")) }

// The host addresses of the platform (AZ-PLAT-01).
func wireServer() netip.Addr       { return netip.MustParseAddr("168.63.129.16") }
func metadataService() netip.Addr  { return netip.MustParseAddr("169.254.169.254") }
func isPlatform(a netip.Addr) bool { return a == wireServer() || a == metadataService() }

func (w *world) isSymbol(a netip.Addr) bool {
	_, ok := w.symbols.At(a)
	return ok
}

// address resolves what a packet carries.
func (w *world) address(a netip.Addr) address {
	s, ok := w.symbols.At(a)
	if !ok {
		out := address{at: a}
		for _, p := range w.e.PublicIPs {
			if p.Address.IsValid() && p.Address.Unmap() == a {
				out.azure = &azureAddress{p.Location}
			}
		}
		for _, x := range w.e.Prefixes {
			if out.azure == nil && x.Prefix.IsValid() && x.Prefix.Contains(a) {
				out.azure = &azureAddress{x.Location}
			}
		}
		for _, k := range w.e.KubeServices {
			if f, ok := w.kubeFrontendAt(k, a); ok && f.Public && out.azure == nil {
				out.azure = &azureAddress{w.clusterOf(k.Cluster).Location}
			}
		}
		return out
	}
	out := address{at: a}
	switch s.Kind {
	case model.NamedHost, model.FrontDoorDoor, model.FrontDoorBackend, model.APIMDoor:
		out.may, out.public = publicIPv4(), true
	case model.DefaultOutbound:
		out.may, out.public, out.azure = publicIPv4(), true, &azureAddress{}
	case model.PodAddress:
		out = w.podSymbol(a, s.Owner)
	case model.ConfigAddress:
		out.may = privateSpace()
		if n, c := w.config(s.Owner, s.Part); c != nil {
			out.may = w.unheld(c.Subnet)
			_ = n
		}
	case model.APIMAddress:
		out.may = privateSpace()
		if a, ok := model.Get[*model.APIM](w.e, s.Owner); ok {
			if i, err := strconv.Atoi(s.Part); err == nil && i < len(a.Sites) && a.Sites[i].Subnet != "" {
				out.may = w.unheld(a.Sites[i].Subnet)
			}
		}
	case model.EndpointAddress:
		out.may = privateSpace()
		if p, ok := model.Get[*model.PrivateEndpoint](w.e, s.Owner); ok {
			out.may = w.unheld(p.Subnet)
		}
	case model.FrontendAddress:
		out.may = privateSpace()
		if _, f := w.frontend(s.Owner); f != nil {
			out.may = w.unheld(f.Subnet)
		}
	case model.ServiceFrontend:
		out = w.serviceSymbol(a, s.Owner)
	case model.PublicAddress:
		out.may, out.public, out.azure = publicIPv4(), true, &azureAddress{}
		if p, ok := model.Get[*model.PublicIP](w.e, s.Owner); ok {
			out.azure.location = p.Location
			if prefix, ok := model.Get[*model.PublicIPPrefix](w.e, p.Prefix); ok && prefix.Prefix.IsValid() {
				out.may = prefixSet(prefix.Prefix)
			}
		}
	case model.InstancePublicAddress:
		out.may, out.public, out.azure = publicIPv4(), true, &azureAddress{}
		if x, ok := model.Get[*model.ScaleSet](w.e, s.Owner); ok {
			out.azure.location = x.Location
		}
	case model.NodePublicAddress:
		out.may, out.public, out.azure = publicIPv4(), true, &azureAddress{}
		if c, ok := model.Get[*model.Cluster](w.e, s.Owner); ok {
			out.azure.location = c.Location
		}
	case model.BastionDoor: // AZ-BAS-05: Microsoft's own, in a region that the input does not state
		out.may, out.public, out.azure = publicIPv4(), true, &azureAddress{}
	case model.ServiceDoor:
		out.may, out.public, out.azure = publicIPv4(), true, &azureAddress{}
		if p, ok := model.Get[*model.Service](w.e, s.Owner); ok {
			out.service, out.azure.location = p, p.Location
			if p.Injected != "" { // AZ-PG-01: no public door; an address of the delegated subnet
				out = address{at: a, may: w.unheld(p.Injected)}
			}
		}
	case model.APIDoor:
		out = w.apiSymbol(a, s.Owner)
	case model.FirewallAddress:
		out.may = privateSpace()
		if f, ok := model.Get[*model.Firewall](w.e, s.Owner); ok {
			out.may = w.unheld(f.Subnet)
			if h := w.hubOf(f); h != nil && h.Prefix.IsValid() { // AZ-FW-52
				out.may = prefixSet(h.Prefix)
			}
		}
	case model.GatewayAddress:
		out.may = privateSpace()
		if g, ok := model.Get[*model.AppGateway](w.e, s.Owner); ok {
			for _, f := range g.Frontends {
				if f.Name == s.Part {
					out.may = w.unheld(f.Subnet)
				}
			}
		}
	default:
		out.may = anyIPv4()
	}
	return out
}

func publicIPv4() *netipx.IPSet {
	var b netipx.IPSetBuilder
	b.AddSet(publicSpace())
	b.Intersect(anyIPv4())
	b.Remove(wireServer())
	s, _ := b.IPSet() // no error: constants
	return s
}

// unheld is the set of addresses of a subnet that may belong to something whose address the input does not state: all but the five
// that Azure keeps (AZ-GEN-07) and those that something else is known to hold. IPv4 where the subnet has any (AZ-V6-01).
func (w *world) unheld(id model.ID) *netipx.IPSet {
	s, _ := w.e.SubnetOf(id)
	if s == nil {
		return privateSpace()
	}
	all := usable(s)
	free := without(all, w.heldIn(s)...)
	if emptySet(free) {
		free = all
	}
	if emptySet(free) {
		return privateSpace()
	}
	return free
}

// usable is what Azure lets NICs hold of a subnet: not the first four and not the last address (AZ-GEN-07).
func usable(s *model.Subnet) *netipx.IPSet {
	var v4, v6 []netip.Prefix
	for _, p := range s.Prefixes {
		switch {
		case !p.IsValid():
		case p.Addr().Is4():
			v4 = append(v4, p)
		default:
			v6 = append(v6, p)
		}
	}
	if len(v4) == 0 {
		return unreserved(v6)
	}
	return unreserved(v4)
}

// unreserved is the addresses of a subnet's prefixes but those that Azure keeps.
func unreserved(list []netip.Prefix) *netipx.IPSet {
	set := prefixSet(list...)
	for _, p := range list {
		set = without(set, reserved(p)...)
	}
	return set
}

// reserved lists the five addresses of a subnet prefix that no NIC can hold (AZ-GEN-07).
func reserved(p netip.Prefix) []netip.Addr {
	out := []netip.Addr{netipx.PrefixLastIP(p)}
	for i, a := 0, p.Masked().Addr(); i < 4 && a.IsValid(); i, a = i+1, a.Next() {
		out = append(out, a)
	}
	return out
}

// first is a representative of a range.
func first(s *netipx.IPSet) netip.Addr {
	if emptySet(s) {
		return netip.Addr{}
	}
	return s.Ranges()[0].From()
}

// fold compares names of Azure, which have no case.
func fold(a, b string) bool { return strings.EqualFold(a, b) }
