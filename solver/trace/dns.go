package trace

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// resolver is where names are looked up (AZ-DNS-01): the private zones linked to a VNet, or servers that the input does not know.
type resolver struct {
	vnet  *model.VNet
	known bool
}

// resolverOf is the resolution context of a VNet. A firewall that answers DNS resolves with the zones of its own VNet.
func (w *world) resolverOf(v *model.VNet) resolver {
	if v == nil {
		return resolver{}
	}
	if azureDNS(v.DNSServers) {
		return resolver{v, true}
	}
	for _, f := range w.e.Firewalls {
		if f.Address.IsValid() && slices.Contains(v.DNSServers, f.Address) && w.dnsProxy(f) {
			return w.firewallResolver(f)
		}
	}
	return resolver{}
}

// azureDNS reports that names go to Azure's own servers.
func azureDNS(servers []netip.Addr) bool {
	return !slices.ContainsFunc(servers, func(a netip.Addr) bool { return a.Unmap() != wireServer() })
}

// firewallResolver: the policy's DNS servers (without one, the firewall's own), else Azure DNS with the zones linked to the firewall's VNet
// (AZ-FW-33).
func (w *world) firewallResolver(f *model.Firewall) resolver {
	if f.Policy == "" && !azureDNS(f.DNSServers) {
		return resolver{}
	}
	for _, p := range w.policies(f) {
		if !azureDNS(p.DNSServers) {
			return resolver{}
		}
	}
	v, _ := w.vnetOf(f.Subnet)
	return resolver{v, v != nil}
}

// dnsProxy reports whether a firewall answers DNS (AZ-FW-54).
func (w *world) dnsProxy(f *model.Firewall) bool {
	on := f.DNSProxy == model.On
	for _, p := range w.policies(f) {
		on = on || p.DNSProxy == model.On
	}
	return on
}

// answer is one address that a name may resolve to; an invalid one says that it does not exist.
type answer struct {
	addr  address
	match match
}

// resolve looks a name up (AZ-DNS-02, AZ-FW-33). The owner of a name that no zone of the input defines is the internet host of that
// name; the name of an account of the input is the account's public door, unless a private zone says otherwise.
func (w *world) resolve(r resolver, name string) []answer {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	service := w.serviceNamed(name)
	public := w.publicOwner(service)
	if !r.known {
		return w.anyAnswer(name, service, public)
	}
	if z, label, link := w.privateZone(r, name); z != nil {
		return zoneAnswer(w, z, label, link, public, yes())
	}
	z, label, link := w.privateZone(r, linkName(name))
	switch {
	case z == nil:
		return []answer{{public, yes()}}
	case service == nil:
		// Whether another owner's account has a private endpoint, and so an alias into the zone, is not known.
		return append(zoneAnswer(w, z, label, link, public, maybe("ASM-E-DNSCUSTOM")), answer{public, maybe("ASM-E-DNSCUSTOM")})
	}
	if addrs := w.zoneGroup(z, service); len(addrs) > 0 && !hasRecord(z, label) { // AZ-DNS-04
		var out []answer
		for _, a := range addrs {
			out = append(out, answer{w.address(a), yes()})
		}
		return out
	}
	return zoneAnswer(w, z, label, link, public, yes())
}

// publicOwner is where a name leads that no private zone holds.
func (w *world) publicOwner(s *model.Service) address {
	if s != nil {
		if a, ok := w.symbols.Of(model.ServiceDoor, s.ID, ""); ok {
			return w.address(a)
		}
	}
	a, _ := w.symbols.Of(model.NamedHost, "", "")
	return w.address(a)
}

// anyAnswer is the answer of servers that the input does not know: anything that some zone or endpoint of the input gives the name,
// or its public owner (ASM-E-DNSCUSTOM).
func (w *world) anyAnswer(name string, s *model.Service, public address) []answer {
	out := []answer{{public, maybe("ASM-E-DNSCUSTOM")}}
	add := func(a netip.Addr) {
		if a.IsValid() && !slices.ContainsFunc(out, func(x answer) bool { return x.addr.at == a.Unmap() }) {
			out = append(out, answer{w.address(a.Unmap()), maybe("ASM-E-DNSCUSTOM")})
		}
	}
	for _, z := range w.e.DNSZones {
		for _, n := range []string{name, linkName(name)} {
			if label, ok := labelIn(z, n); ok {
				for _, a := range recordsOf(z, label) {
					add(a)
				}
			}
		}
	}
	if s != nil {
		for _, p := range w.e.Endpoints {
			if same(p.Target, s.ID) {
				for _, a := range w.endpointAddresses(p) {
					add(a)
				}
			}
		}
	}
	return out
}

// serviceNamed is the account of the input that a name belongs to.
func (w *world) serviceNamed(name string) *model.Service {
	for _, s := range w.e.Services {
		if slices.ContainsFunc(s.Hosts, func(h string) bool { return fold(h, name) }) {
			return s
		}
	}
	return nil
}

// withoutNames are the accounts of which the input does not state the names: one that no other account has may be theirs, at the public door or
// at a private endpoint that a zone of the input, or one that it lacks, may lead to (AZ-FW-33).
func (w *world) withoutNames(r resolver, name string) []answer {
	if w.serviceNamed(strings.ToLower(strings.TrimSuffix(name, "."))) != nil {
		return nil
	}
	var out []answer
	for _, s := range w.e.Services {
		if len(s.Hosts) > 0 || s.Kind == model.MonitorScope {
			continue
		}
		m := maybe(lacking("host names of", s.ID))
		if a, ok := w.symbols.Of(model.ServiceDoor, s.ID, ""); ok {
			out = append(out, answer{w.address(a), m})
		}
		for _, p := range w.e.Endpoints {
			if same(p.Target, s.ID) && (len(p.Zones) > 0 || !r.known) {
				for _, a := range w.endpointAddresses(p) {
					out = append(out, answer{w.address(a.Unmap()), m})
				}
			}
		}
	}
	return out
}

// linkName is the alias that a PaaS name has in the private-link zone of its type (AZ-DNS-02).
func linkName(name string) string {
	label, rest, ok := strings.Cut(name, ".")
	if !ok {
		return ""
	}
	if rest == "vault.azure.net" { // the one type whose zone has another name
		rest = "vaultcore.azure.net"
	}
	return label + ".privatelink." + rest
}

// privateZone is the most specific private zone of a resolver that holds a name.
func (w *world) privateZone(r resolver, name string) (best *model.DNSZone, label string, link model.ZoneLink) {
	for _, z := range w.e.DNSZones {
		l, ok := labelIn(z, name)
		if !z.Private || !ok || best != nil && len(z.Zone) <= len(best.Zone) {
			continue
		}
		for _, x := range z.Links {
			if r.vnet != nil && same(x.VNet, r.vnet.ID) {
				best, label, link = z, l, x
			}
		}
	}
	return best, label, link
}

// labelIn is the relative name in a zone.
func labelIn(z *model.DNSZone, name string) (string, bool) {
	switch zone := strings.ToLower(z.Zone); {
	case zone == "" || name == "":
		return "", false
	case name == zone:
		return "@", true
	default:
		return strings.CutSuffix(name, "."+zone)
	}
}

// recordsOf are the addresses of a relative name; the wildcard record answers for names that have none.
func recordsOf(z *model.DNSZone, label string) []netip.Addr {
	for _, want := range []string{label, "*"} {
		for _, r := range z.Records {
			if fold(r.Name, want) {
				return r.Addresses
			}
		}
	}
	return nil
}

func hasRecord(z *model.DNSZone, label string) bool { return len(recordsOf(z, label)) > 0 }

// zoneAnswer is what a linked private zone says. Without the record the name does not exist, unless the link falls back to the public
// name (AZ-DNS-02).
func zoneAnswer(w *world, z *model.DNSZone, label string, link model.ZoneLink, public address, m match) []answer {
	var out []answer
	for _, a := range recordsOf(z, label) {
		if a.IsValid() {
			out = append(out, answer{w.address(a.Unmap()), m})
		}
	}
	switch {
	case len(out) > 0:
		return out
	case fold(link.Resolution, "NxDomainRedirect"):
		return []answer{{public, m}}
	default:
		return []answer{{address{}, m}}
	}
}

// zoneGroup are the addresses that zone groups write for an account into a zone (AZ-DNS-04).
func (w *world) zoneGroup(z *model.DNSZone, s *model.Service) []netip.Addr {
	var out []netip.Addr
	for _, p := range w.e.Endpoints {
		if same(p.Target, s.ID) && contains(p.Zones, z.ID) {
			out = append(out, w.endpointAddresses(p)...)
		}
	}
	return out
}
