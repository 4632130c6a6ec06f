package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// named is the packets whose name one of some patterns matches. A `*` matches every name; a flow without one is the caller's matter
// (AZ-FW-31, AZ-FW-32).
func (p *planner) named(patterns ...string) *lazy {
	list := make([]string, len(patterns))
	for i, x := range patterns {
		list[i] = strings.ToLower(strings.TrimSuffix(x, "."))
		p.useName(list[i])
	}
	return later(func(c *compiler) packet.Set {
		ranges := []packet.Range{} // none is no name, and not any
		for _, x := range list {
			ranges = append(ranges, c.u.NameRanges(x)...)
		}
		return c.s.Box(packet.Box{Name: ranges})
	})
}

// nameless is the packets without a name.
func nameless() *lazy {
	return later(func(c *compiler) packet.Set { return c.s.Box(packet.Box{Name: []packet.Range{{Lo: 0, Hi: 0}}}) })
}

func (p *planner) useName(pattern string) {
	if !p.nameSet[pattern] {
		p.nameSet[pattern] = true
		p.b.Names(pattern)
	}
}

// collectNames registers the names that answers tell apart: those of accounts, whose owner is known, and those of questions.
func (p *planner) collectNames() {
	for _, s := range p.e.Services {
		for _, h := range s.Hosts {
			p.useName(strings.ToLower(h))
		}
	}
	for _, n := range p.o.Names {
		p.useName(strings.ToLower(n))
	}
	for _, t := range p.o.TagNames {
		if p.tagKind(t) == tagSymbolic && !onlyFQDNTag(t) {
			p.useTag(t)
		}
	}
}

// exactNames lists the concrete names that were registered.
func (p *planner) exactNames() []string {
	var out []string
	for n := range p.nameSet {
		if !strings.Contains(n, "*") {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// resolution is what a name stands for, asked from some VNet.
type resolution struct {
	addrs   []netip.Addr
	public  bool   // the name's owner is an internet host that is not in the input
	unknown string // assumption that the answer rests on; empty: certain
	none    bool   // of an uncertain one: there may be no answer
}

func (r resolution) certainly(l *lazy) *lazy {
	if r.unknown != "" {
		return nothing()
	}
	return l
}

// resolve answers a name as a VNet's DNS servers do (AZ-DNS-01).
func (p *planner) resolve(v *model.VNet, name string) resolution {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if v == nil {
		return p.anyAnswer(name)
	}
	if len(v.DNSServers) == 0 {
		return p.zoneAnswer(v, name)
	}
	for _, f := range p.e.Firewalls {
		if slices.Contains(v.DNSServers, f.Address) {
			return p.firewallAnswer(f, name)
		}
	}
	return p.anyAnswer(name)
}

// firewallAnswer resolves a name as a firewall does: by the zones linked to its VNet, unless its policy names other servers.
func (p *planner) firewallAnswer(f *model.Firewall, name string) resolution {
	if p.asksOthers(f) {
		return p.anyAnswer(name)
	}
	v, ok := model.Get[*model.VNet](p.e, f.Subnet.Parent())
	if !ok {
		return p.anyAnswer(name)
	}
	return p.zoneAnswer(v, name)
}

// asksOthers reports whether a firewall asks servers other than Azure's: by a policy of it, or a parent, or by its own word where it has none.
func (p *planner) asksOthers(f *model.Firewall) bool {
	other := func(list []netip.Addr) bool {
		return slices.ContainsFunc(list, func(a netip.Addr) bool { return a != platformDNS() })
	}
	return f.Policy == "" && other(f.DNSServers) || slices.ContainsFunc(p.policyChain(f), func(x *model.FirewallPolicy) bool { return other(x.DNSServers) })
}

// anyAnswer is the answer of servers that the input does not describe: any record of the input, any private endpoint of the account that
// has the name, or the public owner (ASM-E-DNSCUSTOM).
func (p *planner) anyAnswer(name string) resolution {
	r := resolution{unknown: "ASM-E-DNSCUSTOM"}
	for _, z := range p.e.DNSZones {
		r.addrs = append(r.addrs, p.records(z, name)...)
	}
	for _, s := range p.e.Services {
		if slices.Contains(s.Hosts, name) {
			for _, e := range p.endpointsOf(s.ID) {
				r.addrs = append(r.addrs, p.endpointAddrs(e)...)
			}
		}
	}
	if door, ok := p.doorOf(name); ok {
		r.addrs = append(r.addrs, door)
	} else {
		r.public = true
	}
	slices.SortFunc(r.addrs, netip.Addr.Compare)
	r.addrs = slices.Compact(r.addrs)
	return r
}

// apiNamed is the private cluster whose API server has a name.
func (p *planner) apiNamed(name string) *model.Cluster {
	for _, c := range p.e.Clusters {
		if c.Private == model.On && name != "" && (name == c.PrivateFQDN || name == c.FQDN) {
			return c
		}
	}
	return nil
}

// apiAnswer is what a network gets for the name of a private cluster's API server, where its zones do not say so themselves: the public name leads
// everywhere to the private address; the private one only where the zone is linked, which AKS writes the record into, and whose own kind is
// linked to the nodes' VNet alone (AKS-API-04, AKS-API-05).
func (p *planner) apiAnswer(v *model.VNet, c *model.Cluster, name string, r resolution) resolution {
	var door resolution
	for _, e := range p.endpointsOf(c.ID) {
		door.addrs = append(door.addrs, p.endpointAddrs(e)...)
	}
	if a, ok := p.symbols.Of(model.APIDoor, c.ID, ""); ok && len(door.addrs) == 0 {
		door.addrs = []netip.Addr{a}
	}
	if len(r.addrs) > 0 || len(door.addrs) == 0 {
		return r
	}
	if name == c.FQDN && c.PublicFQDN != model.Off {
		return door
	}
	asked, known := p.answering(v)
	if !known {
		door.unknown, door.none = "ASM-E-DNSCUSTOM", true
		return door
	}
	z, inInput := model.Get[*model.DNSZone](p.e, model.ID(c.PrivateDNSZone))
	switch zone := strings.ToLower(c.PrivateDNSZone); {
	case name != c.PrivateFQDN, zone == "none":
		return resolution{}
	case zone == "" || zone == "system":
		for _, x := range c.Pools {
			if x.Subnet.Parent().Key() == asked.ID.Key() {
				return door
			}
		}
		return resolution{}
	case !inInput:
		door.unknown, door.none = missing("private DNS zone", model.ID(c.PrivateDNSZone)), true
		return door
	case slices.ContainsFunc(z.Links, func(l model.ZoneLink) bool { return l.VNet.Key() == asked.ID.Key() }):
		return door
	default:
		return resolution{}
	}
}

// answering is the VNet whose zones answer for one (AZ-DNS-01). known is false for servers that the input does not describe.
func (p *planner) answering(v *model.VNet) (asked *model.VNet, known bool) {
	if len(v.DNSServers) == 0 {
		return v, true
	}
	for _, f := range p.e.Firewalls {
		if slices.Contains(v.DNSServers, f.Address) && !p.asksOthers(f) {
			return model.Get[*model.VNet](p.e, f.Subnet.Parent())
		}
	}
	return nil, false
}

// zoneAnswer resolves a name by Azure DNS in a VNet: a linked private zone decides alone (AZ-DNS-02), then public zones of the input,
// then the account that has the name, then the internet.
func (p *planner) zoneAnswer(v *model.VNet, name string) resolution {
	for _, private := range []bool{true, false} {
		for _, z := range p.zonesOf(v, name, private) {
			found := p.records(z, name)
			if there, owner := p.answersIn(z, name); there == maybe {
				r := resolution{addrs: slices.Clone(found), unknown: "ASM-E-DNSCUSTOM"}
				if owner != "" {
					r.unknown = missing("sub-resources of private endpoints of", owner)
				}
				r.none = private && len(found) == 0 && !fallsBack(z, v)
				door, ok := p.doorOf(name)
				if r.public = !ok; ok {
					r.addrs = append(r.addrs, door)
				}
				return r
			}
			if len(found) > 0 {
				return resolution{addrs: found}
			}
			if private && !fallsBack(z, v) {
				return resolution{} // NXDOMAIN: a linked zone without the record breaks the name
			}
		}
	}
	if door, ok := p.doorOf(name); ok {
		return resolution{addrs: []netip.Addr{door}}
	}
	return resolution{public: true}
}

// zonesOf are the zones that answer for a name, the longest first: private ones that are linked to the VNet itself, whatever its peers
// have (AZ-DNS-05), or public ones.
func (p *planner) zonesOf(v *model.VNet, name string, private bool) []*model.DNSZone {
	var out []*model.DNSZone
	for _, z := range p.e.DNSZones {
		if there, _ := p.answersIn(z, name); z.Private != private || there == no {
			continue
		}
		if private && !slices.ContainsFunc(z.Links, func(l model.ZoneLink) bool { return l.VNet.Key() == v.ID.Key() }) {
			continue
		}
		out = append(out, z)
	}
	slices.SortStableFunc(out, func(a, b *model.DNSZone) int { return len(b.Zone) - len(a.Zone) })
	return out
}

func fallsBack(z *model.DNSZone, v *model.VNet) bool {
	return slices.ContainsFunc(z.Links, func(l model.ZoneLink) bool {
		return l.VNet.Key() == v.ID.Key() && strings.EqualFold(l.Resolution, "NxDomainRedirect")
	})
}

// answersIn says whether a zone answers for a name, directly or as the privatelink zone that the public name of a service leads to: of one
// with an approved private endpoint for the sub-resource that the zone is about (AZ-DNS-02, AZ-PAAS-07). The second result is the service; whether
// that of another owner has one, and so an alias into the zone, is not known.
func (p *planner) answersIn(z *model.DNSZone, name string) (tri, model.ID) {
	if name == z.Zone || strings.HasSuffix(name, "."+z.Zone) {
		return yes, ""
	}
	if linkLabel(z, name) == "" {
		return no, ""
	}
	for _, s := range p.e.Services {
		if !slices.Contains(s.Hosts, name) {
			continue
		}
		out := no
		in := map[string]bool{}
		for _, e := range p.endpointsOf(s.ID) {
			in[e.ID.Key()] = true
			if opensFor(e.Groups, z) {
				return yes, s.ID
			}
		}
		for _, c := range s.Connections {
			switch _, known := model.Get[*model.PrivateEndpoint](p.e, c.Endpoint); {
			case known || !strings.EqualFold(c.State, "Approved") && c.State != "":
			case len(c.Groups) > 0 || zoneResource(z) == "":
				if opensFor(c.Groups, z) {
					return yes, s.ID
				}
			default:
				out = maybe // an endpoint elsewhere, of which the service does not say what it is for
			}
		}
		return out, s.ID
	}
	return maybe, ""
}

// zoneResource is the sub-resource whose names a privatelink zone holds; empty where the type has but one (AZ-PAAS-07).
func zoneResource(z *model.DNSZone) string {
	zone := strings.TrimPrefix(strings.ToLower(z.Zone), "privatelink.")
	if label, ok := strings.CutSuffix(zone, ".core.windows.net"); ok {
		return label // blob, file, queue, table, dfs, web
	}
	switch zone {
	case "documents.azure.com":
		return "sql"
	case "mongo.cosmos.azure.com":
		return "mongodb"
	}
	if label, ok := strings.CutSuffix(zone, ".cosmos.azure.com"); ok {
		return label // cassandra, gremlin, table
	}
	return ""
}

// opensFor reports whether an endpoint of some sub-resources has the names of a zone. One that states none is taken to be the zone's.
func opensFor(groups []string, z *model.DNSZone) bool {
	want := zoneResource(z)
	return want == "" || len(groups) == 0 || slices.ContainsFunc(groups, func(g string) bool { return strings.EqualFold(g, want) })
}

// linkLabel is the record name under a privatelink zone that a public name would have there; empty where it is no name of its kind.
func linkLabel(z *model.DNSZone, name string) string {
	public, ok := strings.CutPrefix(z.Zone, "privatelink.")
	if !ok {
		return ""
	}
	if z.Zone == "privatelink.vaultcore.azure.net" {
		public = "vault.azure.net"
	}
	label, _ := strings.CutSuffix(name, "."+public)
	if label == name {
		return ""
	}
	return label
}

// records are the addresses that a zone holds for a name: its own record, one that the zone group of a private endpoint writes (AZ-DNS-04),
// else a wildcard's.
func (p *planner) records(z *model.DNSZone, name string) []netip.Addr {
	label := "@"
	if l, ok := strings.CutSuffix(name, "."+z.Zone); ok {
		label = l
	} else if name != z.Zone {
		if there, _ := p.answersIn(z, name); there == no {
			return nil
		}
		label = linkLabel(z, name)
	}
	called := func(label string) []netip.Addr {
		for _, r := range z.Records {
			if strings.EqualFold(r.Name, label) {
				return r.Addresses
			}
		}
		return nil
	}
	if own := called(label); own != nil {
		return own
	}
	for _, e := range p.e.Endpoints {
		if !member([]model.ID{z.ID}, e.Zones) || !opensFor(e.Groups, z) {
			continue
		}
		if s, ok := model.Get[*model.Service](p.e, e.Target); ok && slices.Contains(s.Hosts, name) {
			return p.endpointAddrs(e)
		}
	}
	for label != "" && label != "@" {
		_, rest, more := strings.Cut(label, ".")
		if !more {
			return called("*")
		}
		if wild := called("*." + rest); wild != nil {
			return wild
		}
		label = rest
	}
	return nil
}

// namelessAccounts are the addresses that a name which no account of the input has may stand for all the same, where a firewall asks: those of
// each account of which the input does not state the names (AZ-FW-33).
func (p *planner) namelessAccounts(f *model.Firewall) []resolution {
	_, known := model.Get[*model.VNet](p.e, f.Subnet.Parent())
	return p.withoutNames(known && !p.asksOthers(f))
}

// withoutNames are the addresses of each account of which the input does not state the names. known: the servers that are asked answer by zones
// of the input.
func (p *planner) withoutNames(known bool) []resolution {
	var out []resolution
	for _, s := range p.e.Services {
		if len(s.Hosts) > 0 || s.Kind == model.MonitorScope {
			continue
		}
		r := resolution{addrs: []netip.Addr{p.symbolOf(model.ServiceDoor, s.ID, "")}, unknown: missing("host names of", s.ID)}
		for _, e := range p.e.Endpoints { // approved or not: a name may lead where nobody answers, and routes lead on
			if e.Target.Key() == s.ID.Key() && (len(e.Zones) > 0 || !known) { // else no zone leads to it, but for records, which are read as they stand
				r.addrs = append(r.addrs, p.endpointAddrs(e)...)
			}
		}
		out = append(out, r)
	}
	return out
}

// accountsBehind are the accounts that a public address may be one of: what the input has of an account is no address. None where the estate
// itself holds it, or nobody of the internet does.
func (p *planner) accountsBehind(a netip.Addr) []resolution {
	if !a.IsValid() || !p.internetSpace().Contains(a) {
		return nil
	}
	var out []resolution
	for _, s := range p.e.Services {
		if s.Kind != model.MonitorScope && s.Injected == "" {
			out = append(out, resolution{addrs: []netip.Addr{p.symbolOf(model.ServiceDoor, s.ID, "")}, unknown: missing("public address of", s.ID)})
		}
	}
	return out
}

// namesOfAccounts is the packets with a name of an account.
func (p *planner) namesOfAccounts() *lazy {
	var hosts []string
	for _, s := range p.e.Services {
		hosts = append(hosts, s.Hosts...)
	}
	return p.named(hosts...)
}

// doorOf is the public door of the account that has a name.
func (p *planner) doorOf(name string) (netip.Addr, bool) {
	for _, s := range p.e.Services {
		if slices.Contains(s.Hosts, name) {
			return p.symbols.Of(model.ServiceDoor, s.ID, "")
		}
	}
	return netip.Addr{}, false
}

// onlyFQDNTag reports whether a tag is one of Azure Firewall's FQDN tags and no service tag (AZ-FW-34).
func onlyFQDNTag(tag string) bool {
	switch strings.ToLower(tag) {
	case "azurekubernetesservice", "windowsupdate", "windowsdiagnostics", "microsoftactiveprotectionservice", "appserviceenvironment",
		"citrixhdxplusforwindows365", "windows365":
		return true
	default:
		return strings.HasPrefix(strings.ToLower(tag), "office365")
	}
}

// fqdnTagNames are the names that documentation lists for an FQDN tag; a leading `*.` stands for any label (AZ-FW-34).
func fqdnTagNames(tag string) []string {
	switch strings.ToLower(tag) {
	case "azurekubernetesservice":
		return []string{
			"mcr.microsoft.com", "*.data.mcr.microsoft.com", "mcr-0001.mcr-msedge.net", "management.azure.com", "login.microsoftonline.com",
			"packages.microsoft.com", "acs-mirror.azureedge.net", "packages.aks.azure.com",
		}
	case "windowsupdate":
		return []string{"*.update.microsoft.com", "*.windowsupdate.com", "*.download.windowsupdate.com", "wustat.windows.com"}
	default:
		return nil
	}
}

// listedIn reports whether a concrete name is in the documented list of an FQDN tag.
func listedIn(tag, name string) bool {
	for _, pattern := range fqdnTagNames(tag) {
		if suffix, ok := strings.CutPrefix(pattern, "*"); ok && strings.HasSuffix(name, suffix) || pattern == name {
			return true
		}
	}
	return strings.EqualFold(tag, "AzureKubernetesService") && strings.HasSuffix(name, ".azmk8s.io") && strings.Contains(name, ".hcp.")
}

// nameTag is the packets whose name is in an FQDN tag or web category, a Boolean of the packet (AZ-NAME-01).
func (p *planner) nameTag(kind, tag string) *lazy {
	field := kind + ":" + strings.ToLower(tag)
	if !p.symbolic[field] {
		p.symbolic[field] = true
		p.b.Tags(field)
	}
	return later(func(c *compiler) packet.Set {
		f, ok := c.u.Tag(field)
		if !ok {
			panic("dataplane: " + field + " was not registered") // INVARIANT: registered above, before the freeze
		}
		return c.s.Box(packet.Box{Tags: []packet.TagValue{{Tag: f, Value: true}}})
	})
}

const (
	fqdnTag     = "fqdntag"
	webCategory = "webcategory"
)

// nameFacts is the packets that agree with what is known of FQDN tags: a listed name is in its tag, another concrete name outside
// (ASM-E-FQDNTAG), and no tag holds a flow without a name.
func (p *planner) nameFacts(c *compiler) packet.Set {
	s := c.s
	facts := s.All()
	anonymous := nameless().get(c)
	for _, field := range c.u.TagNames() {
		kind, tag, _ := strings.Cut(field, ":")
		if kind != fqdnTag && kind != webCategory {
			continue
		}
		f, _ := c.u.Tag(field)
		on := s.Box(packet.Box{Tags: []packet.TagValue{{Tag: f, Value: true}}})
		facts = s.Subtract(facts, s.Intersect(on, anonymous))
		if kind == webCategory {
			continue
		}
		for _, name := range p.exactNames() {
			class := s.Box(packet.Box{Name: one(c.u.NameClass(name))})
			switch {
			case listedIn(tag, name):
				facts = s.Subtract(facts, s.Subtract(class, on))
			case p.assumed("ASM-E-FQDNTAG"):
				facts = s.Subtract(facts, s.Intersect(class, on))
			}
		}
	}
	return facts
}
