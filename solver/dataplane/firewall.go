package dataplane

import (
	"net/netip"
	"slices"
	"strings"

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
	add := func(cs []model.RuleCollection, where string, inherited bool) {
		sorted := slices.Clone(cs)
		slices.SortStableFunc(sorted, func(a, b model.RuleCollection) int { return a.Priority - b.Priority }) // AZ-FW-11
		for _, c := range sorted {
			for _, r := range c.Rules {
				out.byKind[c.Kind] = append(out.byKind[c.Kind], fwRule{r, c.Access != model.Deny, inherited, c.Unknown != "" || r.Unknown != "", where + "/" + c.Name})
			}
			if c.Unknown != "" && len(c.Rules) == 0 {
				out.missing = append(out.missing, missing("rule collection", model.ID(c.Name)))
			}
		}
	}
	add(f.Collections, f.Name(), false)
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
		for _, g := range groups {
			add(g.Collections, pol.Name()+"/"+g.Name(), i < len(chain)-1)
		}
		for _, entry := range p.fogged(pol.ID) {
			out.missing = append(out.missing, unsupported(entry))
		}
	}
	for _, entry := range p.fogged(f.ID) {
		out.missing = append(out.missing, unsupported(entry))
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

// firewallPublic is the public addresses that a firewall translates to: its own, or those of a NAT gateway on its subnet (AZ-FW-40).
func (p *planner) firewallPublic(f *model.Firewall) packet.AddrSet {
	var out []netip.Prefix
	if s, ok := model.Get[*model.Subnet](p.e, f.Subnet); ok && s.NATGateway != "" {
		out, _ = p.natAddresses(s.NATGateway)
	}
	if len(out) == 0 {
		for _, id := range f.PublicIPs {
			if a := p.publicAddr(id); a.IsValid() {
				out = append(out, host(a))
			}
		}
	}
	out = append(out, hosts(f.PublicAddresses)...)
	if len(out) == 0 {
		out = append(out, host(p.symbolOf(model.DefaultOutbound, "", ""))) // the address is not in the input
	}
	return p.b.AddPool("", out)
}

// firewallOwn is every address of a firewall: packets to them are for the firewall itself.
func (p *planner) firewallOwn(f *model.Firewall) packet.AddrSet {
	out := append([]netip.Addr{p.firewallAddr(f)}, f.PublicAddresses...)
	for _, id := range f.PublicIPs {
		if a := p.publicAddr(id); a.IsValid() {
			out = append(out, a)
		}
	}
	return p.addr.exactHosts(out...)
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
		if e.public && via != viaInternet {
			continue
		}
		p.edge(n, fw.out, and(e.guard, fw.running), e.rewrite, e.notes...)
	}
	if fw.dns {
		p.edge(n, p.node(place, StageReceive, ""), and(exactly(both(dstIn(p.addr.exactHosts(p.firewallAddr(f))),
			transport([]model.Protocol{model.TCP, model.UDP}, nil, []model.PortRange{{First: 53, Last: 53}}, false))), fw.running), nil)
	}
	return n
}

// firewallStep is one way through a firewall.
type firewallStep struct {
	guard   guard
	rewrite *rewrite
	notes   []string
	public  bool // only for packets that came straight from public addresses
}

type firewallPlan struct {
	out     NodeID
	steps   []firewallStep
	running guard
	dns     bool
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
	if hub := p.hubFirewall(f); hub != nil {
		p.hubOnward(fw.out, f, hub) // AZ-FW-52
	} else {
		p.edge(fw.out, p.routing(f.Subnet, firewallVia(f), egressNone()), guard{}, nil) // AZ-FW-04
	}
	rules := p.firewallOrder(f)
	pol, _ := model.Get[*model.FirewallPolicy](p.e, f.Policy)
	fw.dns = f.DNSProxy == model.On || pol != nil && pol.DNSProxy == model.On
	p.planDNAT(f, fw, rules)
	transit := minus(everything(), dstIn(p.firewallOwn(f)))
	network := p.networkList(rules.byKind[model.NetworkRules])
	netOver, netUnder := firstMatch(network, Over), firstMatch(network, OneWay)
	touchedMust, touchedMay := touched(network)
	v4 := later(func(c *compiler) packet.Set { return c.s.Box(packet.Box{Dst: c.u.Addrs(p.addr.v4)}) }) // AZ-FW-47
	if len(rules.missing) > 0 {
		// AZ-FW-03: what a missing policy or group says is not known.
		netOver, netUnder = everything(), nothing()
	}
	scope := both(transit, v4)
	apps := p.applicationList(rules.byKind[model.ApplicationRules])
	appOver := minus(firstMatch(apps, Over), touchedMust)
	control := Control{Key: "firewall|" + f.ID.Key(), Name: f.Name() + " rules", Shut: shutRule, Stage: "firewall-network", Place: place}
	parts := p.firewallParts(f, rules, network, apps, appOver)
	passed := between(netOver, netUnder)
	if len(rules.missing) == 0 {
		passed = passed.behind(control, parts)
	}
	for _, s := range p.snat(f, pol) {
		g := and(exactly(scope), passed, s.guard)
		fw.steps = append(fw.steps, firewallStep{guard: g, rewrite: s.rewrite, notes: append(append(slices.Clone(s.notes), rules.missing...), p.ruleNotes(rules.byKind[model.NetworkRules], pol)...)})
	}
	if len(rules.missing) > 0 {
		return fw
	}
	// AZ-FW-17: what a network rule touches never reaches application rules.
	proxied := between(appOver, minus(firstMatch(apps, OneWay), touchedMay)).behind(control, parts)
	if len(rules.byKind[model.ApplicationRules]) > 0 {
		for _, s := range p.nameOwners(f) {
			fw.steps = append(fw.steps, firewallStep{
				guard: and(exactly(scope), proxied, s.guard), rewrite: s.rewrite,
				notes: append(append(slices.Clone(s.notes), "ASM-E-FWRESOLVE"), p.ruleNotes(rules.byKind[model.ApplicationRules], pol)...),
			})
		}
		if !p.assumed("ASM-E-FWRESOLVE") {
			pub := p.firewallPublic(f)
			fw.steps = append(fw.steps, firewallStep{guard: and(exactly(scope), proxied).mayOnly(), rewrite: &rewrite{src: &pub}, notes: []string{"ASM-E-FWRESOLVE"}})
		}
	}
	if p.infrastructure(rules) {
		p.note("ASM-E-FWINFRA") // AZ-FW-37: built-in platform names are a residual, no way out for data
	}
	return fw
}

// firewallParts is who decides about what a firewall forwards: network rules, then application rules, then nobody, which is a deny
// (AZ-FW-05, AZ-FW-17). What an application rule lets pass is stopped by no network rule.
func (p *planner) firewallParts(f *model.Firewall, rules firewallRules, network, apps []ruleMatch, appOver *lazy) *partList {
	return partsLater(func(c *compiler) []Part {
		var out []Part
		passed := appOver.get(c)
		left := c.s.All()
		for _, l := range []struct {
			list  []ruleMatch
			rules []fwRule
			stage string
		}{{network, rules.byKind[model.NetworkRules], "firewall-network"}, {apps, rules.byKind[model.ApplicationRules], "firewall-application"}} {
			d := c.s.Within(c.decide(l.list, Over), left)
			for _, v := range c.s.Values(d) {
				r := l.rules[v-1]
				x := Part{Key: "rule|" + f.ID.Key() + "|" + strings.ToLower(r.where+"/"+r.Name), Rule: r.where + "/" + r.Name, Source: r.Source, Stage: l.stage, Allow: r.allow, Open: openRule}
				x.Set = c.s.WhereIs(d, v)
				if !r.allow {
					x.Set = c.s.Subtract(x.Set, passed)
				}
				out = append(out, x)
			}
			left = c.s.Intersect(left, c.s.WhereIs(d, 0))
		}
		return append(out, Part{
			Key: "firewall|" + f.ID.Key() + "|default", Source: f.Source, Detail: "no rule allows the flow (AZ-FW-05)", Open: "a rule that allows it", Stage: "firewall-network", Set: c.s.Subtract(left, passed),
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

// touched is the packets that some rule of a list matches, whatever its action.
func touched(list []ruleMatch) (must, may *lazy) {
	var a, b []*lazy
	for _, r := range list {
		a, b = append(a, r.must), append(b, r.may)
	}
	return either(a...), either(b...)
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
		if group, ok := model.Get[*model.IPGroup](p.e, g); ok {
			add(group.Prefixes)
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

// networkList compiles network rules.
func (p *planner) networkList(rules []fwRule) []ruleMatch {
	list := make([]ruleMatch, len(rules))
	for i, r := range rules {
		src := p.addresses(r.Sources, srcIn, p.fqdnAddresses)
		dst := p.addresses(r.Dests, dstIn, p.fqdnAddresses)
		// AZ-FW-28: ports are ignored for protocols without them.
		traffic := transport(r.Protocols, nil, r.Ports, true)
		list[i] = ruleMatch{
			must:  both(both(either(src.must...), either(dst.must...)), traffic),
			may:   both(both(either(src.may...), either(dst.may...)), traffic),
			allow: r.allow,
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

// applicationList compiles application rules (AZ-FW-30 to 36).
func (p *planner) applicationList(rules []fwRule) []ruleMatch {
	list := make([]ruleMatch, len(rules))
	for i, r := range rules {
		src := p.addresses(r.Sources, srcIn, p.fqdnAddresses)
		var ports []model.PortRange
		for _, a := range r.Apps {
			ports = append(ports, model.PortRange{First: a.Port, Last: a.Port})
		}
		traffic := nothing()
		if len(ports) > 0 {
			traffic = transport([]model.Protocol{model.TCP}, nil, ports, false)
		}
		var must, may []*lazy
		for _, n := range r.FQDNs {
			l := p.named(n)
			must, may = append(must, l), append(may, l)
			if n == "*" {
				may = append(may, nameless()) // AZ-FW-31
			}
		}
		for _, t := range r.FQDNTags {
			l := p.nameTag(fqdnTag, t)
			must, may = append(must, l), append(may, l)
		}
		for _, w := range r.WebCategories {
			may = append(may, p.nameTag(webCategory, w)) // AZ-FW-35
		}
		for _, u := range r.URLs {
			host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(u, "https://"), "http://"), "/")
			may = append(may, p.named(host)) // AZ-FW-36
		}
		list[i] = ruleMatch{
			must:  both(both(either(src.must...), traffic), either(must...)),
			may:   both(both(either(src.may...), traffic), either(may...)),
			allow: r.allow,
		}
		if r.unknown {
			list[i].must = nothing()
		}
	}
	return list
}

// snat says what happens to the source of network-rule flows, by destination (AZ-FW-40 to 44).
func (p *planner) snat(f *model.Firewall, pol *model.FirewallPolicy) []firewallStep {
	ranges := f.SNAT
	if pol != nil {
		ranges = pol.SNAT
	}
	keep := ipset(ianaPrivate())
	if ranges.Custom {
		keep = ipset(ranges.Prefixes)
		if ranges.IANA {
			keep = unionSet(keep, ipset(ianaPrivate()))
		}
	}
	private := unionSet(ipset(ianaPrivate()), p.estateSpace())
	toPrivate := dstIn(p.addr.space(private).may)
	kept := p.addr.space(keep)
	rest := minus(everything(), dstIn(kept.must))
	pool, public := p.firewallPool(f), p.firewallPublic(f)
	out := []firewallStep{{guard: between(dstIn(kept.may), dstIn(kept.must))}}
	out = append(out, firewallStep{guard: exactly(both(rest, toPrivate)), rewrite: &rewrite{src: &pool}})
	// Only TCP and UDP are translated towards the internet (AZ-FW-28).
	translatable := transport([]model.Protocol{model.TCP, model.UDP}, nil, nil, false)
	outside := both(rest, minus(everything(), toPrivate))
	src := public
	if p.forcedTunnel(f) {
		src = pool // AZ-FW-45
	}
	out = append(out, firewallStep{guard: exactly(both(outside, translatable)), rewrite: &rewrite{src: &src}})
	if ranges.AutoLearn == model.On {
		for i := range out {
			out[i].guard = onlyOver(everything()) // AZ-FW-42
		}
	}
	return out
}

// forcedTunnel reports whether a firewall's own default route leads elsewhere than the internet (AZ-FW-45).
func (p *planner) forcedTunnel(f *model.Firewall) bool {
	s, ok := model.Get[*model.Subnet](p.e, f.Subnet)
	if !ok {
		return false
	}
	t, ok := model.Get[*model.RouteTable](p.e, s.RouteTable)
	return ok && slices.ContainsFunc(t.Routes, func(r model.UserRoute) bool { return r.Prefix == allV4() && r.NextHop != model.HopInternet })
}

// nameOwners says where the flows of application rules go: to the owner of the name, as the firewall resolves it, with a source of the
// firewall (AZ-FW-33, AZ-FW-43).
func (p *planner) nameOwners(f *model.Firewall) []firewallStep {
	pool, public := p.firewallPool(f), p.firewallPublic(f)
	if p.forcedTunnel(f) {
		public = pool
	}
	var out []firewallStep
	var known []*lazy
	for _, name := range p.exactNames() {
		r := p.firewallAnswer(f, name)
		here := p.named(name)
		known = append(known, here)
		if len(r.addrs) > 0 {
			dst := p.addr.exact(r.addrs...)
			src := pool
			if p.isDoor(r.addrs) {
				src = public
			}
			out = append(out, firewallStep{guard: between(here, r.certainly(here)), rewrite: &rewrite{dst: &dst, src: &src}, notes: notesOf(r.unknown)})
		}
		if r.public {
			dst := p.addr.exact(p.symbolOf(model.NamedHost, "", ""))
			out = append(out, firewallStep{guard: between(here, r.certainly(here)), rewrite: &rewrite{dst: &dst, src: &public}, notes: notesOf(r.unknown)})
		}
	}
	dst := p.addr.exact(p.symbolOf(model.NamedHost, "", ""))
	out = append(out, firewallStep{guard: exactly(minus(everything(), either(known...))), rewrite: &rewrite{dst: &dst, src: &public}})
	return out
}

func notesOf(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

func (p *planner) isDoor(as []netip.Addr) bool {
	return slices.ContainsFunc(as, func(a netip.Addr) bool {
		s, ok := p.symbols.At(a)
		return ok && s.Kind == model.ServiceDoor
	})
}

// planDNAT compiles NAT rules: a match is translated and admitted (AZ-FW-20 to 22). Whether a network Deny overrides it changed over
// time (AZ-FW-21); those of a parent policy may be inherited (AZ-FW-14).
func (p *planner) planDNAT(f *model.Firewall, fw *firewallPlan, rules firewallRules) {
	network := p.networkList(rules.byKind[model.NetworkRules])
	pool := p.firewallPool(f)
	public := slices.Clone(f.PublicAddresses)
	for _, id := range f.PublicIPs {
		if a := p.publicAddr(id); a.IsValid() {
			public = append(public, a)
		}
	}
	toPublic := dstIn(p.addr.exactHosts(public...))
	own := dstIn(p.firewallOwn(f))
	var earlier []*lazy
	for _, r := range rules.byKind[model.DNATRules] {
		src := p.addresses(r.Sources, srcIn, p.fqdnAddresses)
		dst := p.addresses(r.Dests, dstIn, p.fqdnAddresses)
		traffic := transport(r.Protocols, nil, r.Ports, false)
		must := both(both(both(either(src.must...), either(dst.must...)), traffic), own)
		may := both(both(both(either(src.may...), either(dst.may...)), traffic), own)
		rw := &rewrite{}
		notes := []string{"ASM-E-DNATDENY"}
		target := r.ToAddress
		certain := true
		if !target.IsValid() {
			a := p.firewallAnswer(f, r.ToFQDN)
			if len(a.addrs) == 0 {
				continue
			}
			target, certain = a.addrs[0], a.unknown == ""
			notes = append(notes, notesOf(a.unknown)...)
		}
		to := p.addr.exact(target)
		rw.dst = &to
		if r.ToPort != 0 {
			rw.dports = []model.PortRange{{First: r.ToPort, Last: r.ToPort}}
		}
		over := minus(may, either(earlier...))
		under := minus(must, either(earlier...))
		if r.inherited {
			certain = false
			notes = append(notes, "ASM-E-NATINHERIT")
		}
		if !certain || r.unknown {
			under = nothing()
		}
		under = minus(under, p.deniedAfter(network, to, rw))
		earlier = append(earlier, must)
		// AZ-FW-22: through a public address the source is translated as well; through the private one it is kept.
		masked := &rewrite{dst: rw.dst, dports: rw.dports, src: &pool}
		fw.steps = append(fw.steps,
			firewallStep{guard: and(between(over, under), exactly(toPublic)), rewrite: masked, notes: notes},
			firewallStep{guard: and(between(over, under), exactly(minus(everything(), toPublic))), rewrite: rw, notes: notes})
	}
}

// deniedAfter is the packets that a network Deny may match once they are translated.
func (p *planner) deniedAfter(network []ruleMatch, to packet.AddrSet, rw *rewrite) *lazy {
	return later(func(c *compiler) packet.Set {
		denied := c.s.Where(c.decide(network, OneWay), func(v packet.Value) bool { return v > 0 && !network[v-1].allow })
		return c.s.Preimage(denied, packet.Rewrite{Dst: c.u.Addrs(to), DPort: portRanges(rw.dports)})
	})
}
