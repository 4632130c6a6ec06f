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
	if z, label, link := w.privateZone(r, name, labelIn); z != nil {
		return zoneAnswer(w, z, label, link, public, yes())
	}
	z, label, link := w.privateZone(r, name, aliasIn)
	switch {
	case z == nil:
		return []answer{{public, yes()}}
	case service == nil:
		// Whether another owner's account has a private endpoint, and so an alias into the zone, is not known.
		return append(zoneAnswer(w, z, label, link, public, maybe("ASM-E-DNSCUSTOM")), answer{public, maybe("ASM-E-DNSCUSTOM")})
	}
	alias := w.alias(service, z)
	var out []answer
	if !alias.must {
		out = append(out, answer{public, alias.not()})
	}
	if !alias.may {
		return out
	}
	if addrs := w.zoneGroup(z, service); len(addrs) > 0 && exactRecord(z, label) == nil { // AZ-DNS-04
		for _, a := range addrs {
			out = append(out, answer{w.address(a), alias})
		}
		return out
	}
	return append(out, zoneAnswer(w, z, label, link, public, alias)...)
}

// alias says whether the name of an account leads into a private-link zone: where a private endpoint for the zone's sub-resource is approved
// (AZ-DNS-02, AZ-PAAS-07).
func (w *world) alias(s *model.Service, z *model.DNSZone) match {
	resource := subResource(z)
	names := func(groups []string) bool {
		return resource == "" || slices.ContainsFunc(groups, func(g string) bool { return fold(g, resource) })
	}
	unsaid := false
	for _, p := range w.e.Endpoints {
		if same(p.Target, s.ID) && w.approved(p) && (len(p.Groups) == 0 || names(p.Groups)) {
			return yes()
		}
	}
	for _, c := range s.Connections {
		if _, known := model.Get[*model.PrivateEndpoint](w.e, c.Endpoint); known || c.State != "" && !fold(c.State, "Approved") {
			continue
		}
		if names(c.Groups) {
			return yes()
		}
		unsaid = unsaid || len(c.Groups) == 0
	}
	if unsaid {
		return maybe(lacking("sub-resources of private endpoints of", s.ID))
	}
	return match{}
}

// subResource is what the names of a private-link zone are names of, in types with several sub-resources.
func subResource(z *model.DNSZone) string {
	labels := strings.Split(strings.ToLower(z.Zone), ".")
	switch {
	case len(labels) == 5 && strings.HasSuffix(z.Zone, ".core.windows.net"):
		return labels[1]
	case fold(z.Zone, "privatelink.documents.azure.com"):
		return "Sql"
	case fold(z.Zone, "privatelink.mongo.cosmos.azure.com"):
		return "MongoDB"
	case len(labels) == 5 && strings.HasSuffix(strings.ToLower(z.Zone), ".cosmos.azure.com"):
		return labels[1]
	}
	return ""
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
		for _, in := range []func(*model.DNSZone, string) (string, bool){labelIn, aliasIn} {
			if label, ok := in(z, name); ok {
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

// accountsBehind are the accounts that a public address which nobody of the estate holds may be one of: the input has no address of an account.
func (w *world) accountsBehind(a netip.Addr) []answer {
	switch {
	case !a.IsValid() || w.isSymbol(a) || !w.address(a).isPublic().may,
		slices.ContainsFunc(w.e.PublicIPs, func(p *model.PublicIP) bool { return p.Address == a }),
		slices.ContainsFunc(w.e.Prefixes, func(p *model.PublicIPPrefix) bool { return p.Prefix.IsValid() && p.Prefix.Contains(a) }),
		slices.ContainsFunc(w.e.Firewalls, func(f *model.Firewall) bool { return slices.Contains(f.PublicAddresses, a) }):
		return nil
	}
	var out []answer
	for _, s := range w.e.Services {
		if door, ok := w.symbols.Of(model.ServiceDoor, s.ID, ""); ok && s.Kind != model.MonitorScope && s.Injected == "" {
			out = append(out, answer{w.address(door), maybe(lacking("public address of", s.ID))})
		}
	}
	return out
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

// aliasIn is the relative name that a PaaS name has as alias in a private-link zone of its type (AZ-DNS-02).
func aliasIn(z *model.DNSZone, name string) (string, bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(z.Zone), "privatelink.")
	if !ok {
		return "", false
	}
	if rest == "vaultcore.azure.net" { // the one type whose zone has another name
		rest = "vault.azure.net"
	}
	return strings.CutSuffix(name, "."+rest)
}

// privateZone is the most specific private zone of a resolver that holds a name, or its alias.
func (w *world) privateZone(r resolver, name string, in func(*model.DNSZone, string) (string, bool)) (best *model.DNSZone, label string, link model.ZoneLink) {
	for _, z := range w.e.DNSZones {
		l, ok := in(z, name)
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

// recordsOf are the addresses of a relative name; a wildcard answers for names below its parent that have no record.
func recordsOf(z *model.DNSZone, label string) []netip.Addr {
	if found := exactRecord(z, label); found != nil || label == "@" {
		return found
	}
	parts := strings.Split(label, ".")
	for i := range parts {
		if found := exactRecord(z, strings.Join(append([]string{"*"}, parts[i+1:]...), ".")); found != nil {
			return found
		}
	}
	return nil
}

func exactRecord(z *model.DNSZone, label string) []netip.Addr {
	for _, r := range z.Records {
		if fold(r.Name, label) {
			return r.Addresses
		}
	}
	return nil
}

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
		if resource := subResource(z); same(p.Target, s.ID) && contains(p.Zones, z.ID) &&
			(resource == "" || len(p.Groups) == 0 || slices.ContainsFunc(p.Groups, func(g string) bool { return fold(g, resource) })) {
			out = append(out, w.endpointAddresses(p)...)
		}
	}
	return out
}
