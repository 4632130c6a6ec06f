package dataplane

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// fwRule is one firewall rule in its place of the evaluated order.
type fwRule struct {
	model.FirewallRule
	allow     bool
	inherited bool // of a parent policy
	unknown   bool // the collection was not understood
	where     string
	rank      int // rules of one rank may stand in any order (AZ-FW-16)
}

// firewallRules is the rules of a firewall in the order in which they are evaluated, by kind (AZ-FW-10 to 14).
type firewallRules struct {
	byKind  [3][]fwRule
	missing []string // referenced and not in the input (AZ-FW-03)
}

func firewallVia(f *model.Firewall) string { return "firewall:" + f.ID.Key() }

// firewallOrder flattens a firewall's rules.
func (p *planner) firewallOrder(f *model.Firewall) firewallRules {
	var out firewallRules
	contested := f.Policy != "" && len(f.Collections) > 0 // AZ-FW-01: either may be in force
	rank := 0
	// add appends collections. Those of a group that ties with another share one rank: whether the groups come one after the other, and which
	// first, is not known (AZ-FW-16).
	add := func(cs []model.RuleCollection, where string, inherited, tied bool) {
		sorted := slices.Clone(cs)
		slices.SortStableFunc(sorted, func(a, b model.RuleCollection) int { return a.Priority - b.Priority }) // AZ-FW-11
		for i, c := range sorted {
			if !tied && (i == 0 || sorted[i-1].Priority != c.Priority) {
				rank++
			}
			for _, r := range c.Rules {
				out.byKind[c.Kind] = append(out.byKind[c.Kind], fwRule{r, c.Access != model.Deny, inherited, contested || c.Unknown != "" || r.Unknown != "", where + "/" + c.Name, rank})
			}
			if c.Unknown != "" && len(c.Rules) == 0 {
				out.missing = append(out.missing, missing("rule collection", model.ID(c.Name)))
			}
		}
	}
	add(f.Collections, f.Name(), false, false)
	for _, entry := range p.fogged(f.ID) {
		out.missing = append(out.missing, unsupported(entry))
	}
	if f.Policy == "" {
		return out
	}
	// AZ-FW-14: the parent's collections of a type come before the child's, from the root down.
	var chain []*model.FirewallPolicy
	seen := map[string]bool{}
	for id := f.Policy; id != ""; {
		pol, ok := model.Get[*model.FirewallPolicy](p.e, id)
		if !ok || seen[id.Key()] {
			out.missing = append(out.missing, missing("firewall policy", id))
			break
		}
		seen[id.Key()] = true
		chain = append(chain, pol)
		id = pol.Base
	}
	slices.Reverse(chain)
	for i, pol := range chain {
		var groups []*model.RuleCollectionGroup
		for _, id := range pol.Groups {
			if g, ok := model.Get[*model.RuleCollectionGroup](p.e, id); ok {
				groups = append(groups, g)
			}
		}
		for _, id := range pol.GroupRefs {
			if _, ok := p.e.Lookup(id); !ok {
				out.missing = append(out.missing, missing("rule collection group", id))
			}
		}
		slices.SortStableFunc(groups, func(a, b *model.RuleCollectionGroup) int { return a.Priority - b.Priority }) // AZ-FW-12
		for j, g := range groups {
			before, after := j > 0 && groups[j-1].Priority == g.Priority, j+1 < len(groups) && groups[j+1].Priority == g.Priority
			if !before {
				rank++
			}
			add(g.Collections, pol.Name()+"/"+g.Name(), i < len(chain)-1, before || after)
		}
		for _, entry := range p.fogged(pol.ID) {
			out.missing = append(out.missing, unsupported(entry))
		}
	}
	return out
}

// firewallPool is the private addresses that a firewall translates to: any instance of its subnet (AZ-FW-22).
func (p *planner) firewallPool(f *model.Firewall) packet.AddrSet {
	s, ok := model.Get[*model.Subnet](p.e, f.Subnet)
	if !ok {
		return p.addr.exact(p.firewallAddr(f))
	}
	return p.addr.pool(ipset(s.Prefixes))
}

// firewallDoors are the public addresses by which a firewall is reached: it names them, or they name it.
func (p *planner) firewallDoors(f *model.Firewall) []netip.Addr {
	out := slices.Clone(f.PublicAddresses)
	for _, ip := range p.e.PublicIPs {
		named := slices.ContainsFunc(f.PublicIPs, func(id model.ID) bool { return id.Key() == ip.ID.Key() })
		if a := p.publicAddr(ip.ID); a.IsValid() && (named || ip.AttachedTo != "" && ip.AttachedTo.Parent().Key() == f.ID.Key()) {
			out = append(out, a)
		}
	}
	return out
}

// firewallPublic is the public addresses that a firewall translates to: its own, or those of a NAT gateway on its subnet (AZ-FW-40).
func (p *planner) firewallPublic(f *model.Firewall) packet.AddrSet {
	var out []netip.Prefix
	if s, ok := model.Get[*model.Subnet](p.e, f.Subnet); ok && s.NATGateway != "" {
		out = p.natAddresses(s.NATGateway).four
	}
	if len(out) == 0 {
		out = hosts(p.firewallDoors(f))
	}
	if len(out) == 0 {
		out = append(out, host(p.symbolOf(model.DefaultOutbound, "", ""))) // the address is not in the input
	}
	return p.b.AddPool("", out)
}

// firewallOwn is every address of a firewall: packets to them are for the firewall itself.
func (p *planner) firewallOwn(f *model.Firewall) packet.AddrSet {
	return p.addr.exactHosts(append(p.firewallDoors(f), p.firewallAddr(f))...)
}

// firewallIn is the place before a firewall's rules.
func (p *planner) firewallIn(f *model.Firewall, via string) NodeID {
	place := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	n := p.node(place, StageFirewall, via)
	key := Node{Place: place.Key(), Stage: StageFirewall, Via: via}
	if p.routeDone[key] {
		return n
	}
	p.routeDone[key] = true
	fw := p.firewallPlan(f)
	for _, e := range fw.steps {
		if e.inside && via == viaInternet {
			continue
		}
		p.edge(n, fw.outOf(e), and(e.guard, fw.running), e.rewrite, e.notes...)
	}
	if len(fw.proxied) > 0 && via != viaInternet {
		p.edge(n, fw.proxy, and(fw.asked, fw.running), nil)
	}
	left := everything()
	for _, r := range p.relaysAt[f.ID.Key()] {
		p.edge(n, r.site.Receive, and(fw.own, fw.running, exactly(both(left, r.accepts))), nil)
		left = minus(left, r.accepts)
	}
	p.edge(n, p.node(place, StageReceive, ""), and(fw.own, fw.running, exactly(left)), nil)
	if slices.ContainsFunc(p.e.VNets, func(v *model.VNet) bool { return slices.ContainsFunc(v.Prefixes, isSix) }) {
		p.forwardUnknown(n, "", dstIn(p.addr.v6), []string{"ASM-E-V6"}) // AZ-FW-47
	}
	return n
}

func isSix(p netip.Prefix) bool { return p.Addr().Is6() }

// outOf is where a step leaves the firewall.
func (fw *firewallPlan) outOf(e firewallStep) NodeID {
	if e.masked {
		return fw.masked
	}
	return fw.out
}

// firewallStep is one way through a firewall.
type firewallStep struct {
	guard   guard
	rewrite *rewrite
	notes   []string
	inside  bool // not for packets that came straight from public addresses
	masked  bool // the source is one of the firewall's, and becomes a public one on the way to the internet
}

type firewallPlan struct {
	out     NodeID
	masked  NodeID // where the firewall's own addresses send
	hub     bool
	steps   []firewallStep
	proxy   NodeID         // behind what application rules allow, before what network rules match is taken out
	asked   guard          // the way there
	proxied []firewallStep // the ways on
	running guard
	own     guard // what the firewall itself answers
	may     *lazy // what that may be
	taken   *lazy // what NAT rules take for certain
}

// firewallPlan compiles a firewall once, whatever the ways to it.
func (p *planner) firewallPlan(f *model.Firewall) *firewallPlan {
	if fw, ok := p.firewalls[f.ID.Key()]; ok {
		return fw
	}
	place := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	fw := &firewallPlan{out: p.node(place, StageForward, "")}
	p.firewalls[f.ID.Key()] = fw
	if f.ProvisioningBad != "" {
		fw.running = guard{over: everything(), under: nothing()} // AZ-FW-06
	}
	hub := p.hubFirewall(f)
	fw.masked, fw.hub = fw.out, hub != nil
	if !fw.hub {
		fw.masked = p.node(model.Place{Kind: place.Kind, ID: f.ID, Part: "masked"}, StageForward, "")
	}
	p.firewallWays(f, fw, place)
	if len(fw.proxied) > 0 {
		fw.proxy = p.node(model.Place{Kind: place.Kind, ID: f.ID, Part: "proxy"}, StageFirewall, "")
		for _, e := range fw.proxied {
			p.edge(fw.proxy, fw.outOf(e), e.guard, e.rewrite, e.notes...)
		}
	}
	// Routes may lead back to the firewall, so that its rules are compiled before them.
	if fw.hub {
		p.hubOnward(fw.out, f, hub) // AZ-FW-52
		return fw
	}
	if f.Subnet == "" { // of a hub that the input lacks
		p.forwardUnknown(fw.out, "", everything(), []string{"ASM-NEXTHOP"})
		p.forwardUnknown(fw.masked, "", everything(), []string{"ASM-NEXTHOP"})
		return fw
	}
	p.edge(fw.out, p.routing(f.Subnet, firewallVia(f), keptEgress(f)), guard{}, nil) // AZ-FW-04
	p.edge(fw.masked, p.routing(f.Subnet, firewallVia(f), p.firewallEgress(f)), guard{}, nil)
	return fw
}

// firewallWays compiles the ways through a firewall.
func (p *planner) firewallWays(f *model.Firewall, fw *firewallPlan, place model.Place) {
	rules := p.firewallOrder(f)
	pol, _ := model.Get[*model.FirewallPolicy](p.e, f.Policy)
	p.firewallServices(f, fw)
	p.firewallSends(f, fw, rules)
	network := newVerdicts(p.networkList(f, rules.byKind[model.NetworkRules]))
	p.planDNAT(f, fw, rules, network)
	netOver, netUnder := network.allows(Over), network.allows(OneWay)
	web := webTraffic(rules.byKind[model.ApplicationRules])
	touchedMust, touchedMay := network.touched(web)
	v4 := later(func(c *compiler) packet.Set { return c.s.Box(packet.Box{Dst: c.u.Addrs(p.addr.v4)}) }) // AZ-FW-47: what rules do with IPv6 is not known
	if len(rules.missing) > 0 {
		// AZ-FW-03: what a missing policy or group says is not known.
		netOver, netUnder = everything(), nothing()
	}
	// AZ-FW-10: what a route brings to the firewall for one of its public addresses meets NAT rules first; whether the others then pass
	// it is not documented. From the internet such an address is closed without a NAT rule (AZ-FW-57).
	closed := dstIn(p.addr.exactHosts(p.firewallAddr(f)))
	scope := between(both(minus(minus(everything(), closed), fw.taken), v4), both(minus(everything(), dstIn(p.firewallOwn(f))), v4))
	apps := newVerdicts(p.applicationList(rules.byKind[model.ApplicationRules], false))
	control := Control{Key: "firewall|" + f.ID.Key(), Name: f.Name() + " rules", Shut: shutRule, Stage: "firewall-network", Place: place}
	parts := p.firewallParts(f, rules, network.ordered(mostAllowed), apps.ordered(mostAllowed), apps.allows(Over), touchedMust)
	passed := between(netOver, netUnder)
	if len(rules.missing) == 0 {
		passed = passed.behind(control, parts)
	}
	passed = and(scope, passed) // once for all steps: a policy may have thousands of rules
	for _, s := range p.snat(f, fw) {
		g := and(passed, s.guard)
		fw.steps = append(fw.steps, firewallStep{guard: g, rewrite: s.rewrite, inside: true, masked: s.masked, notes: append(append(slices.Clone(s.notes), rules.missing...), p.ruleNotes(rules.byKind[model.NetworkRules], pol)...)})
	}
	if len(rules.missing) > 0 {
		named := minus(transport([]model.Protocol{model.TCP}, nil, nil, false), nameless())
		for _, s := range p.nameOwners(f, fw) {
			fw.steps = append(fw.steps, firewallStep{guard: and(scope, onlyOver(named), s.guard), rewrite: s.rewrite, inside: true, masked: s.masked, notes: rules.missing})
		}
		return
	}
	// AZ-FW-17: what a network rule touches never reaches application rules. Allowed and touched packets are told apart one after the other,
	// because the first are a matter of sources and names, the second of sources and destinations: in one set they are a product of all three.
	if len(rules.byKind[model.ApplicationRules]) > 0 {
		fw.asked = and(scope, between(apps.allows(Over), apps.allows(OneWay)).behind(control, parts))
		left := between(minus(everything(), touchedMust), minus(everything(), touchedMay)).behind(control, parts)
		for _, s := range p.nameOwners(f, fw) {
			fw.proxied = append(fw.proxied, firewallStep{
				guard: and(left, s.guard), rewrite: s.rewrite, masked: s.masked,
				notes: append(append(slices.Clone(s.notes), "ASM-E-FWRESOLVE"), p.ruleNotes(rules.byKind[model.ApplicationRules], pol)...),
			})
		}
		if !p.assumed("ASM-E-FWRESOLVE") {
			for _, s := range p.mask(f, fw) {
				fw.proxied = append(fw.proxied, firewallStep{guard: and(left, s.guard).mayOnly(), rewrite: s.rewrite, masked: s.masked, notes: []string{"ASM-E-FWRESOLVE"}})
			}
		}
	}
	if p.infrastructure(rules) {
		p.note("ASM-E-FWINFRA") // AZ-FW-37: built-in platform names are a residual, no way out for data
	}
}

// firewallParts is who decides about what a firewall forwards: network rules, then application rules, then nobody, which is a deny
// (AZ-FW-05, AZ-FW-17). What an application rule allows is stopped by no network rule that does not match it for certain.
func (p *planner) firewallParts(f *model.Firewall, rules firewallRules, network, apps []ruleMatch, allowed, touched *lazy) *partList {
	return partsLater(func(c *compiler) []Part {
		var out []Part
		stopped := func(set packet.Set) packet.Set {
			return c.s.Union(c.s.Subtract(set, allowed.get(c)), c.s.Intersect(set, touched.get(c)))
		}
		left := c.s.All()
		for _, l := range []struct {
			list  []ruleMatch
			rules []fwRule
			stage string
		}{{network, rules.byKind[model.NetworkRules], "firewall-network"}, {apps, rules.byKind[model.ApplicationRules], "firewall-application"}} {
			d := c.s.Within(c.decide(l.list, Over), left)
			for _, v := range c.s.Values(d) {
				r := l.rules[l.list[v-1].rule]
				x := Part{Key: "rule|" + f.ID.Key() + "|" + strings.ToLower(r.where+"/"+r.Name), Rule: r.where + "/" + r.Name, Source: r.Source, Stage: l.stage, Allow: r.allow, Open: openRule}
				x.Set = c.s.WhereIs(d, v)
				if !r.allow {
					x.Set = stopped(x.Set)
				}
				out = append(out, x)
			}
			left = c.s.Intersect(left, c.s.WhereIs(d, 0))
		}
		return append(out, Part{
			Key: "firewall|" + f.ID.Key() + "|default", Source: f.Source, Detail: "no rule allows the flow (AZ-FW-05)", Open: "a rule that allows it", Stage: "firewall-network", Set: stopped(left),
		})
	})
}

// infrastructure reports whether the built-in collection is in force: it is switched off by a Deny of every name that comes last.
func (p *planner) infrastructure(rules firewallRules) bool {
	apps := rules.byKind[model.ApplicationRules]
	if len(apps) == 0 {
		return true
	}
	last := apps[len(apps)-1]
	return last.allow || !last.Sources.Any || !slices.Contains(last.FQDNs, "*")
}

// ruleNotes are the assumptions that rules of a list rest on.
func (p *planner) ruleNotes(rules []fwRule, pol *model.FirewallPolicy) []string {
	var out []string
	add := func(id string) {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for _, r := range rules {
		if len(r.Dests.FQDNs) > 0 {
			add("ASM-E-FQDN")
		}
		if len(r.FQDNTags) > 0 {
			add("ASM-E-FQDNTAG")
		}
		if len(r.WebCategories) > 0 {
			add("ASM-E-WEBCAT")
		}
		for _, t := range r.Dests.Tags {
			if p.tagKind(t) == tagSymbolic {
				add("ASM-TAG(" + t + ")")
			}
		}
		for _, m := range []model.AddressMatch{r.Sources, r.Dests} {
			for _, g := range m.IPGroups {
				if _, ok := p.e.Lookup(g); !ok {
					add(missing("IP group", g))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// addresses compiles one side of a firewall rule (AZ-FW-27, AZ-FW-2A, AZ-FW-2B). A side without any member matches nothing.
func (p *planner) addresses(m model.AddressMatch, at func(packet.AddrSet) *lazy, f func(name string) alternatives) alternatives {
	if m.Any {
		return alternatives{[]*lazy{everything()}, []*lazy{everything()}}
	}
	out := alternatives{}
	add := func(ps []netip.Prefix) {
		if len(ps) > 0 {
			s := p.addr.set(ps)
			out.must, out.may = append(out.must, at(s.must)), append(out.may, at(s.may))
		}
	}
	add(m.Prefixes)
	for _, g := range m.IPGroups {
		if s, ok := p.ipGroup(g); ok {
			out.must, out.may = append(out.must, at(s.must)), append(out.may, at(s.may))
		} else {
			out.may = append(out.may, everything()) // AZ-FW-03
		}
	}
	for _, t := range m.Tags {
		switch p.tagKind(t) {
		case tagInternet:
			s := p.addr.space(publicSpace())
			out.must, out.may = append(out.must, at(s.must)), append(out.may, at(s.may))
		case tagListed, tagSymbolic:
			must, may := p.inTagAny(t, at)
			out.must, out.may = append(out.must, must), append(out.may, may)
		default:
			out.may = append(out.may, everything()) // computed tags mean nothing at a firewall that the documents say
		}
	}
	for _, n := range m.FQDNs {
		a := f(n)
		out.must, out.may = append(out.must, a.must...), append(out.may, a.may...)
	}
	return out
}

// ipGroup is the addresses of an IP group, which many rules name (AZ-FW-2B); false where the input lacks it.
func (p *planner) ipGroup(id model.ID) (addrs, bool) {
	g, ok := model.Get[*model.IPGroup](p.e, id)
	if !ok {
		return addrs{}, false
	}
	s, ok := p.ipGroups[g]
	if !ok {
		s = p.addr.set(g.Prefixes)
		p.ipGroups[g] = s
	}
	return s, true
}

// networkList compiles network rules.
func (p *planner) networkList(f *model.Firewall, rules []fwRule) []ruleMatch {
	list := make([]ruleMatch, len(rules))
	for i, r := range rules {
		names := func(name string) alternatives {
			a := p.fqdnAddresses(name)
			if !p.dnsProxy(f) || p.isBasic(f) {
				a.must = nil // AZ-FW-29, AZ-FW-51
			}
			return a
		}
		src := p.addresses(r.Sources, srcIn, names)
		dst := p.addresses(r.Dests, dstIn, names)
		// AZ-FW-28: ports are ignored for protocols without them.
		traffic := transport(r.Protocols, nil, r.Ports, true)
		list[i] = ruleMatch{
			must:  both(both(either(src.must...), either(dst.must...)), traffic),
			may:   both(both(either(src.may...), either(dst.may...)), traffic),
			allow: r.allow, rule: i, rank: r.rank,
		}
		if r.unknown {
			list[i].must = nothing()
		}
	}
	return list
}

// fqdnAddresses is the addresses behind a name in a network rule: those of the zones in the input, else any address, public or of a
// private endpoint (AZ-FW-29).
func (p *planner) fqdnAddresses(name string) alternatives {
	for _, z := range p.e.DNSZones {
		if found := p.records(z, strings.ToLower(name)); len(found) > 0 {
			l := dstIn(p.addr.exactHosts(found...))
			return alternatives{[]*lazy{l}, []*lazy{l}}
		}
	}
	return alternatives{nil, []*lazy{everything()}}
}

// webTraffic is what application rules may match at all (AZ-FW-30).
func webTraffic(rules []fwRule) *lazy {
	var ports []model.PortRange
	for _, r := range rules {
		for _, a := range r.Apps {
			ports = append(ports, model.PortRange{First: a.Port, Last: a.Port})
		}
	}
	if len(ports) == 0 {
		return nothing()
	}
	return transport([]model.Protocol{model.TCP}, nil, ports, false)
}

// applicationList compiles application rules (AZ-FW-30 to 36). They act on traffic between private addresses too (AZ-FW-38). Where the
// client is anyone, a rule for some sources matches perhaps.
func (p *planner) applicationList(rules []fwRule, anyClient bool) []ruleMatch {
	list := make([]ruleMatch, len(rules))
	for i, r := range rules {
		src := p.addresses(r.Sources, srcIn, p.fqdnAddresses)
		if anyClient && !r.Sources.Any {
			src.must, src.may = nil, []*lazy{everything()}
		}
		var ports []model.PortRange
		for _, a := range r.Apps {
			ports = append(ports, model.PortRange{First: a.Port, Last: a.Port})
		}
		traffic := nothing()
		if len(ports) > 0 {
			traffic = transport([]model.Protocol{model.TCP}, nil, ports, false)
		}
		must, may := p.namePatterns(r.FQDNs)
		for _, t := range r.FQDNTags {
			l := p.nameTag(fqdnTag, t)
			must, may = append(must, l), append(may, l)
		}
		for _, w := range r.WebCategories {
			may = append(may, p.nameTag(webCategory, w)) // AZ-FW-35
		}
		var hosts []string
		for _, u := range r.URLs {
			hosts = append(hosts, urlHost(u))
		}
		_, inURLs := p.namePatterns(hosts) // AZ-FW-36: nothing is proved from a path
		may = append(may, inURLs...)
		list[i] = ruleMatch{
			must:  both(both(either(src.must...), traffic), either(must...)),
			may:   both(both(either(src.may...), traffic), either(may...)),
			allow: r.allow, rule: i, rank: r.rank,
		}
		if r.unknown {
			list[i].must = nothing()
		}
	}
	return list
}

// namePatterns is the packets whose name some FQDN patterns match. A flow without a name may meet `*` and an IP literal (AZ-FW-31); what a
// pattern with a wildcard elsewhere matches is not documented (AZ-FW-32).
func (p *planner) namePatterns(list []string) (must, may []*lazy) {
	var sound []string
	for _, n := range list {
		if !packet.ValidNamePattern(n) {
			may = append(may, p.named("*"))
			continue
		}
		sound = append(sound, n)
		if _, err := netip.ParseAddr(n); n == "*" || err == nil {
			may = append(may, nameless())
		}
	}
	if len(sound) > 0 {
		l := p.named(sound...)
		must, may = append(must, l), append(may, l)
	}
	return must, may
}

// urlHost is the host of a target URL.
func urlHost(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	host, _, _ := strings.Cut(url, "/")
	return host
}

// snatRanges are the destinations that keep their source, in every reading: those that a policy states, else perhaps those of its parents.
// unknown reports that others may keep it too (AZ-FW-42), or that the policy is not in the input.
func (p *planner) snatRanges(f *model.Firewall) (keep []*netipx.IPSet, unknown bool) {
	add := func(r model.SNATRanges) {
		s := ipset(ianaPrivate())
		if r.Custom {
			s = ipset(r.Prefixes)
			if r.IANA {
				s = unionSet(s, ipset(ianaPrivate()))
			}
		}
		keep, unknown = append(keep, s), unknown || r.AutoLearn == model.On
	}
	if f.Policy == "" {
		add(f.SNAT)
		return keep, unknown
	}
	chain := p.policyChain(f)
	if len(chain) == 0 {
		add(model.SNATRanges{})
		return keep, true
	}
	add(chain[0].SNAT)
	for i := 0; i < len(chain)-1 && !chain[i].SNAT.Custom && chain[i].SNAT.AutoLearn == model.NotStated; i++ {
		add(chain[i+1].SNAT) // whether a child takes them over is not documented
	}
	return keep, unknown || chain[len(chain)-1].Base != ""
}

// policyChain is a firewall's policy and its parents, as far as the input has them.
func (p *planner) policyChain(f *model.Firewall) []*model.FirewallPolicy {
	var out []*model.FirewallPolicy
	for id := f.Policy; id != ""; {
		pol, ok := model.Get[*model.FirewallPolicy](p.e, id)
		if !ok || slices.Contains(out, pol) {
			break
		}
		out = append(out, pol)
		id = pol.Base
	}
	return out
}

// dnsProxy reports whether a firewall answers DNS, by its own word or a parent's (AZ-FW-54).
func (p *planner) dnsProxy(f *model.Firewall) bool {
	return f.DNSProxy == model.On || slices.ContainsFunc(p.policyChain(f), func(x *model.FirewallPolicy) bool { return x.DNSProxy == model.On })
}

// isBasic reports the tier that lacks most functions (AZ-FW-51).
func (p *planner) isBasic(f *model.Firewall) bool {
	tier := f.Tier
	if chain := p.policyChain(f); tier == "" && len(chain) > 0 {
		tier = chain[0].Tier
	}
	return strings.EqualFold(tier, "Basic")
}

// firewallRelay is a firewall as relay: what it accepts on its private address, and the node from which it sends.
type firewallRelay struct {
	site    *Site
	accepts *lazy
	servers []netip.Addr // of DNS
}

// firewallRelays adds a firewall's explicit proxy (AZ-FW-53) and, where its DNS proxy forwards to servers of its own, that (AZ-FW-54): the
// only connections that a firewall opens (AZ-FW-58, AZ-REL-09). Both send from its private address.
func (p *planner) firewallRelays(f *model.Firewall) {
	add := func(part string, accepts *lazy, servers []netip.Addr) {
		place := model.Place{Kind: model.PlaceFirewall, ID: f.ID, Part: part}
		s := p.site(&Site{
			Place: place, Prefixes: []netip.Prefix{host(p.firewallAddr(f))}, Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, ""),
			Subnet: f.Subnet, isRelay: true, Channel: part,
		})
		p.relays = append(p.relays, Relay{Accept: s, From: []*Site{s}})
		p.relaysAt[f.ID.Key()] = append(p.relaysAt[f.ID.Key()], firewallRelay{s, accepts, servers})
	}
	if servers := p.firewallServers(f); p.dnsProxy(f) && len(servers) > 0 {
		add("dns", transport([]model.Protocol{model.TCP, model.UDP}, nil, []model.PortRange{{First: 53, Last: 53}}, false), servers)
	}
	if ports := p.proxyPorts(f); len(ports) > 0 {
		add("explicit proxy", transport([]model.Protocol{model.TCP}, nil, ports, false), nil)
	}
}

// firewallServers are the DNS servers that a firewall may ask, by its own word or a policy's.
func (p *planner) firewallServers(f *model.Firewall) []netip.Addr {
	out := slices.Clone(f.DNSServers)
	for _, pol := range p.policyChain(f) {
		out = append(out, pol.DNSServers...)
	}
	return slices.DeleteFunc(out, func(a netip.Addr) bool { return !a.Is4() || slices.Contains(platformHosts(), a) })
}

// proxyPorts are the ports of a firewall's explicit proxy (AZ-FW-53).
func (p *planner) proxyPorts(f *model.Firewall) []model.PortRange {
	var out []model.PortRange
	for _, pol := range p.policyChain(f) {
		if pol.ExplicitProxy == model.On {
			for _, port := range pol.ProxyPorts {
				out = append(out, model.PortRange{First: port, Last: port})
			}
		}
	}
	return out
}

// firewallSends compiles what a firewall opens as relay. Who asked does not show in what it sends: of application rules any may be the
// client's (AZ-REL-01), and whether the client gets what it asks for is open (ASM-E-PROXY).
func (p *planner) firewallSends(f *model.Firewall, fw *firewallPlan, rules firewallRules) {
	v4 := later(func(c *compiler) packet.Set { return c.s.Box(packet.Box{Dst: c.u.Addrs(p.addr.v4)}) })
	v4 = both(v4, either(p.routed(), minus(everything(), nameless()))) // AZ-PLAT-01: the host's addresses are the host's
	notes := append([]string{"ASM-E-PROXY"}, rules.missing...)
	for _, r := range p.relaysAt[f.ID.Key()] {
		if len(r.servers) > 0 {
			asked := both(both(r.accepts, p.routed()), dstIn(p.addr.exactHosts(r.servers...)))
			for _, s := range p.mask(f, fw) {
				p.edge(r.site.Send, fw.outOf(s), and(onlyOver(asked), s.guard).mayOnly(), s.rewrite, notes...)
			}
			continue
		}
		allowed := newVerdicts(p.applicationList(rules.byKind[model.ApplicationRules], true)).allows(Over)
		if len(rules.missing) > 0 {
			allowed = transport([]model.Protocol{model.TCP}, nil, nil, false)
		}
		for _, s := range p.nameOwners(f, fw) {
			p.edge(r.site.Send, fw.outOf(s), and(onlyOver(both(v4, allowed)), s.guard).mayOnly(), s.rewrite, append(slices.Clone(notes), s.notes...)...)
		}
	}
}

// firewallServices is what a firewall answers on its private address: DNS (AZ-FW-54), and as an explicit proxy (AZ-FW-53).
func (p *planner) firewallServices(f *model.Firewall, fw *firewallPlan) {
	served := nothing()
	if p.dnsProxy(f) {
		served = transport([]model.Protocol{model.TCP, model.UDP}, nil, []model.PortRange{{First: 53, Last: 53}}, false)
	}
	if ports := p.proxyPorts(f); len(ports) > 0 {
		served = either(served, transport([]model.Protocol{model.TCP}, nil, ports, false))
	}
	fw.may = both(dstIn(p.addr.exactHosts(p.firewallAddr(f))), served)
}

// mask puts an address of the firewall on packets. Towards the internet it becomes a public one where the route says so (AZ-FW-43 to 45);
// in a hub the destination says so.
func (p *planner) mask(f *model.Firewall, fw *firewallPlan) []firewallStep {
	pool := p.firewallPool(f)
	if !fw.hub {
		return []firewallStep{{rewrite: &rewrite{src: &pool}, masked: true}}
	}
	toPrivate := dstIn(p.addr.space(p.maskedPrivately()).may)
	public := p.firewallPublic(f)
	toInternet, ported := minus(everything(), toPrivate), transport([]model.Protocol{model.TCP, model.UDP}, nil, nil, false) // AZ-FW-28
	return []firewallStep{{guard: exactly(toPrivate), rewrite: &rewrite{src: &pool}}, {guard: between(toInternet, both(toInternet, ported)), rewrite: &rewrite{src: &public}}}
}

// maskedPrivately is where a firewall of a hub sends with its private address.
func (p *planner) maskedPrivately() *netipx.IPSet {
	return unionSet(ipset(ianaPrivate()), p.estateSpace())
}

// maskTo is the addresses, one set or the other, that a firewall puts on what it sends to some addresses: a private one, and in a hub towards the
// internet a public one.
func (p *planner) maskTo(f *model.Firewall, fw *firewallPlan, to ...netip.Addr) []packet.AddrSet {
	if !fw.hub {
		return []packet.AddrSet{p.firewallPool(f)}
	}
	must, may := p.addr.bounds(p.maskedPrivately())
	in := func(ps []netip.Prefix) func(netip.Addr) bool { return ipset(ps).Contains }
	var out []packet.AddrSet
	if slices.ContainsFunc(to, in(may)) {
		out = append(out, p.firewallPool(f))
	}
	if surely := in(must); slices.ContainsFunc(to, func(a netip.Addr) bool { return !surely(a) }) {
		out = append(out, p.firewallPublic(f))
	}
	return out
}

// snat says what happens to the source of network-rule flows, by destination (AZ-FW-40 to 44).
func (p *planner) snat(f *model.Firewall, fw *firewallPlan) []firewallStep {
	ranges, unknown := p.snatRanges(f)
	must, may := everything(), nothing()
	for _, r := range ranges {
		a := p.addr.space(r)
		must, may = both(must, dstIn(a.must)), either(may, dstIn(a.may))
	}
	if unknown {
		may = everything() // AZ-FW-42
	}
	out := []firewallStep{{guard: between(may, must)}}
	for _, s := range p.mask(f, fw) {
		s.guard = and(between(minus(everything(), must), minus(everything(), may)), s.guard)
		out = append(out, s)
	}
	return out
}

// keptEgress is how packets leave to the internet whose source a firewall keeps: the internet drops them, as far as is known (AZ-FW-41).
func keptEgress(f *model.Firewall) egress {
	return egress{key: "kept by " + f.ID.Key(), kept: true, tunnelled: !f.Management}
}

// firewallEgress is how a firewall's own addresses leave to the internet: as one of its public addresses, or of a NAT gateway on its
// subnet (AZ-FW-40).
func (p *planner) firewallEgress(f *model.Firewall) egress {
	pool := p.firewallPublic(f)
	return egress{key: "firewall " + f.ID.Key(), firewall: &pool, tunnelled: !f.Management}
}

// nameOwners says where the flows of application rules go: to the owner of the name, as the firewall resolves it, with a source of the
// firewall (AZ-FW-33, AZ-FW-43).
func (p *planner) nameOwners(f *model.Firewall, fw *firewallPlan) []firewallStep {
	var out []firewallStep
	known := []*lazy{nameless()}
	add := func(g guard, id string, to ...netip.Addr) {
		dst := p.addr.exact(to...)
		masks := p.maskTo(f, fw, to...)
		for _, src := range masks {
			if len(masks) > 1 {
				g = g.mayOnly()
			}
			out = append(out, firewallStep{guard: g, rewrite: &rewrite{dst: &dst, src: &src}, notes: notesOf(id), masked: true})
		}
	}
	// Names with one answer leave together: a policy has thousands of them, and few answers.
	var answers []resolution
	names := map[string][]string{}
	for _, name := range p.exactNames() {
		r := p.firewallAnswer(f, name)
		if r.public && r.unknown == "" && len(r.addrs) == 0 {
			continue // as any name of the internet
		}
		key := fmt.Sprint(r)
		if names[key] == nil {
			answers = append(answers, r)
		}
		names[key] = append(names[key], name)
	}
	for _, r := range answers {
		here := p.named(names[fmt.Sprint(r)]...)
		known = append(known, here)
		if len(r.addrs) > 0 {
			add(between(here, r.certainly(here)), r.unknown, r.addrs...)
		}
		if r.public {
			add(between(here, r.certainly(here)), r.unknown, p.symbolOf(model.NamedHost, "", ""))
		}
	}
	rest, why := exactly(minus(everything(), either(known...))), ""
	if _, ok := model.Get[*model.VNet](p.e, f.Subnet.Parent()); !ok || p.asksOthers(f) { // AZ-DNS-02: the answers of servers that the input does not describe
		rest, why = rest.mayOnly(), "ASM-E-DNSCUSTOM"
	}
	add(rest, why, p.symbolOf(model.NamedHost, "", ""))
	for _, x := range p.namelessAccounts(f) {
		for _, a := range x.addrs {
			add(onlyOver(minus(everything(), either(nameless(), p.namesOfAccounts()))), x.unknown, a)
		}
	}
	// A connection without a name has no owner but the address (AZ-FW-31).
	for _, s := range p.mask(f, fw) {
		s.guard = and(exactly(nameless()), s.guard)
		out = append(out, s)
	}
	return out
}

func notesOf(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

// planDNAT compiles NAT rules: a match is translated and admitted (AZ-FW-20 to 22), wherever the target lies (AZ-FW-26), and application
// rules do not see it (AZ-FW-23). Whether a network Deny overrides it changed over
// time (AZ-FW-21); those of a parent policy may be inherited (AZ-FW-14).
func (p *planner) planDNAT(f *model.Firewall, fw *firewallPlan, rules firewallRules, network *verdicts) {
	pool := p.firewallPool(f)
	toPublic := dstIn(p.addr.exactHosts(p.firewallDoors(f)...))
	own := dstIn(p.firewallOwn(f))
	earlier, possible := nothing(), nothing()
	var translated []packet.AddrSet // what NAT rules lead to
	denied := later(func(c *compiler) packet.Set {
		var to []packet.Range
		for _, a := range translated {
			to = append(to, c.u.Addrs(a)...)
		}
		return network.denied(c, c.s.Box(packet.Box{Dst: to}))
	})
	nat := rules.byKind[model.DNATRules]
	matches := p.natList(f, nat, own, toPublic)
	before, after := earlier, possible // of the ranks before
	for i, r := range nat {
		must, may := matches[i].must, matches[i].may
		if i == 0 || nat[i-1].rank != r.rank {
			before, after = earlier, possible
		}
		over, under := minus(may, before), minus(must, after)
		for j := i - 1; j >= 0 && nat[j].rank == r.rank; j-- {
			if nat[j].where == r.where {
				over, under = minus(over, matches[j].must), minus(under, matches[j].may)
			}
		}
		for _, o := range contenders(nat, i) { // AZ-FW-16: any of them may stand first
			under = minus(under, matches[o].may)
		}
		notes := []string{"ASM-E-DNATDENY"}
		if r.inherited {
			notes = append(notes, "ASM-E-NATINHERIT") // AZ-FW-14
		}
		earlier, possible = either(earlier, must), either(possible, may)
		under = minus(under, fw.may) // the firewall's own service may stand before the rule
		if len(rules.missing) > 0 {
			under = nothing() // AZ-FW-03
		}
		targets := []netip.Addr{r.ToAddress}
		var accounts []resolution // what it may be as well
		switch {
		case r.ToAddress.IsValid():
			accounts = p.accountsBehind(r.ToAddress)
		case r.ToFQDN == "": // invalid (AZ-FW-20): nobody knows where it leads
			anywhere := p.addr.pool(ipset([]netip.Prefix{allV4()}))
			step := firewallStep{guard: between(over, nothing()), rewrite: &rewrite{dst: &anywhere, src: &pool}, masked: true, notes: []string{missing("target of the NAT rule", model.ID(r.where+"/"+r.Name))}}
			fw.steps = append(fw.steps, step)
			continue
		default:
			a := p.firewallAnswer(f, r.ToFQDN)
			if targets = a.addrs; a.public {
				targets = append(slices.Clone(targets), p.symbolOf(model.NamedHost, "", ""))
				accounts = p.namelessAccounts(f)
			}
			if a.unknown != "" || len(targets) > 1 {
				under = nothing()
			}
			notes = append(notes, notesOf(a.unknown)...)
		}
		sure := len(targets)
		for _, x := range accounts {
			targets, notes = append(slices.Clone(targets), x.addrs...), append(notes, x.unknown)
		}
		for i, target := range targets {
			if i == sure {
				under = nothing()
			}
			to := p.addr.exact(target)
			translated = append(translated, to)
			rw := &rewrite{dst: &to}
			if r.ToPort != 0 {
				rw.dports = []model.PortRange{{First: r.ToPort, Last: r.ToPort}}
			}
			g := between(over, minus(under, deniedAfter(denied, to, rw)))
			// AZ-FW-22: through a public address the source is translated as well. Through the private one it is kept for targets in
			// the private ranges; for others the documents do not say.
			masks := p.maskTo(f, fw, target)
			step := func(g guard, rw *rewrite, m bool) {
				fw.steps = append(fw.steps, firewallStep{guard: g, rewrite: rw, masked: m, notes: notes})
			}
			masked := func(g guard) {
				for _, src := range masks {
					if len(masks) > 1 {
						g = g.mayOnly()
					}
					step(g, &rewrite{dst: rw.dst, dports: rw.dports, src: &src}, true)
				}
			}
			masked(and(g, exactly(toPublic)))
			g = and(g, exactly(minus(everything(), toPublic)))
			if p.keepsSource(f, target) { // AZ-GEN-05: what the target itself sent it answers without the firewall
				step(g.withReply(minus(everything(), srcIn(to))), rw, false)
				continue
			}
			step(g.mayOnly(), rw, false)
			masked(g.mayOnly())
		}
	}
	fw.taken = earlier
	fw.own = between(fw.may, minus(fw.may, possible))
}

// natList is what NAT rules match: packets for an address of the firewall (AZ-FW-20).
func (p *planner) natList(f *model.Firewall, rules []fwRule, own, toPublic *lazy) []ruleMatch {
	out := make([]ruleMatch, len(rules))
	for i, r := range rules {
		src := p.addresses(r.Sources, srcIn, p.fqdnAddresses)
		dst := p.addresses(r.Dests, dstIn, p.fqdnAddresses)
		traffic := transport(r.Protocols, nil, r.Ports, false)
		must := both(both(both(either(src.must...), either(dst.must...)), traffic), own)
		if r.inherited || r.unknown { // AZ-FW-14
			must = nothing()
		}
		if p.isBasic(f) {
			must = both(must, toPublic) // AZ-FW-51
		}
		out[i] = ruleMatch{must: must, may: both(both(both(either(src.may...), either(dst.may...)), traffic), own)}
	}
	return out
}

// contenders are the rules of other collections that share a rule's rank.
func contenders(rules []fwRule, i int) []int {
	var out []int
	first := i
	for first > 0 && rules[first-1].rank == rules[i].rank {
		first--
	}
	for j := first; j < len(rules) && rules[j].rank == rules[i].rank; j++ {
		if rules[j].where != rules[i].where {
			out = append(out, j)
		}
	}
	return out
}

// keepsSource reports whether an address is in the private ranges for certain (AZ-FW-41).
func (p *planner) keepsSource(f *model.Firewall, a netip.Addr) bool {
	ranges, _ := p.snatRanges(f)
	for _, r := range ranges {
		must, _ := p.addr.bounds(r)
		if !ipset(must).Contains(a) {
			return false
		}
	}
	return true
}

// deniedAfter is the packets that a network Deny may match once they are translated.
func deniedAfter(denied *lazy, to packet.AddrSet, rw *rewrite) *lazy {
	return later(func(c *compiler) packet.Set {
		return c.s.Preimage(denied.get(c), packet.Rewrite{Dst: c.u.Addrs(to), DPort: portRanges(rw.dports)})
	})
}
