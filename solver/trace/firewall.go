package trace

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// atFirewall is a packet that meets a firewall: routed to it, or addressed to it (AZ-FW-02).
func (t *tracer) atFirewall(c course, f *model.Firewall, addressed bool) {
	at := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	if !t.step(&c, "firewall", at) {
		return
	}
	c.public, c.entry, c.endpoint = nil, nil, nil
	if c.dst.v6() || c.src.v6() {
		if !t.dualStack() {
			t.drop(c, at, FirewallNetwork, "the firewall carries no IPv6: no VNet has any (AZ-FW-47)")
			return
		}
		t.lose(c, model.Place{Kind: model.PlaceUnknown, ID: f.ID}, FirewallNetwork, "whether the firewall carries IPv6 is not known (AZ-FW-47)", "ASM-E-V6")
		t.end(c.uncertain("ASM-E-V6"), Hop{At: at, Stage: FirewallNetwork, Action: Deny, Detail: "the firewall may carry no IPv6 (AZ-FW-47)"}, Dropped, at)
		return
	}
	if f.ProvisioningBad != "" { // AZ-FW-06: over as if running, under as a dead hop
		c = c.uncertain()
		t.drop(c, at, FirewallNetwork, "the firewall's provisioning state is "+f.ProvisioningBad)
	}
	rules := t.rulesOf(f)
	switch {
	case addressed || c.packet.Dst == t.firewallAddress(f):
		t.translate(c, f, rules)
	case t.holdsDoor(f, c.packet.Dst):
		// AZ-FW-10: NAT rules come first. Whether other rules then pass a packet for the firewall itself is not documented.
		if rest, left := t.byNATRules(c, f, rules); left {
			t.filter(rest.uncertain(), f, rules)
		}
	default:
		t.filter(c, f, rules)
	}
}

// dualStack reports an estate of which some VNet carries IPv6: without one no firewall does.
func (w *world) dualStack() bool {
	return slices.ContainsFunc(w.e.VNets, func(v *model.VNet) bool {
		return slices.ContainsFunc(v.Prefixes, func(p netip.Prefix) bool { return p.Addr().Is6() })
	})
}

// holdsDoor reports whether an address is a public one of the firewall.
func (t *tracer) holdsDoor(f *model.Firewall, a netip.Addr) bool {
	return slices.Contains(f.PublicAddresses, a) || slices.ContainsFunc(t.publicIPAt(a), func(p *model.PublicIP) bool { return contains(f.PublicIPs, p.ID) || same(p.AttachedTo.Parent(), f.ID) })
}

// firewallService is whether the firewall itself answers a packet on its private address, and where: DNS, which it forwards to servers where
// it is told some (AZ-FW-54), and the explicit proxy (AZ-FW-53).
func (t *tracer) firewallService(c course, f *model.Firewall) (at model.Place, answers bool) {
	p := c.packet
	at = model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	if p.Dst != t.firewallAddress(f) {
		return at, false
	}
	if p.DPort == 53 && (p.Protocol == model.UDP || p.Protocol == model.TCP) && t.dnsProxy(f) {
		if len(t.dnsServers(f)) > 0 {
			at.Part = dnsService
		}
		return at, true
	}
	for _, policy := range t.policies(f) {
		if policy.ExplicitProxy == model.On && p.Protocol == model.TCP && slices.Contains(policy.ProxyPorts, p.DPort) {
			at.Part = proxyService
			return at, true
		}
	}
	return at, false
}

// translate is a packet addressed to the firewall: its own services and NAT rules take it, nothing else does (AZ-FW-20, AZ-FW-57). Where both
// may, which of them stands first is not documented.
func (t *tracer) translate(c course, f *model.Firewall, rules firewallRules) {
	at := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	if service, answers := t.firewallService(c, f); answers {
		x, d := c.flow(), c
		if slices.ContainsFunc(rules.nat, func(r firewallRule) bool { return r.unknown || t.natMatch(f, r, x).may }) {
			d = d.uncertain()
		}
		d.last = t.hostIn(at, f.Subnet)
		t.deliver(d.add(Hop{At: at, Stage: Relay, Action: Allow, Detail: "the firewall answers DNS, or as an explicit proxy", Certain: true}), service)
		c = c.uncertain()
	}
	if rest, left := t.byNATRules(c, f, rules); left {
		t.end(rest, Hop{At: at, Stage: FirewallDNAT, Action: Deny, Detail: "no NAT rule takes the packet (AZ-FW-57)", Certain: true}, Dropped, at)
	}
}

// byNATRules sends a packet on by the NAT rules that take it. It reports whether one that none of them takes for certain is left.
func (t *tracer) byNATRules(c course, f *model.Firewall, rules firewallRules) (course, bool) {
	at := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	if len(rules.missing) > 0 {
		c = c.uncertain(rules.lacks()...)
		t.lose(c, at, FirewallDNAT, rulesUnknown, rules.lacks()...)
	}
	x := c.flow()
	for start, end := 0, 0; start < len(rules.nat); start = end {
		for end = start + 1; end < len(rules.nat) && rules.nat[end].rank == rules.nat[start].rank; end++ {
		}
		var left bool
		if c, left = t.byRank(c, f, rules, rules.nat[start:end], x); !left {
			return c, false
		}
	}
	return c, true
}

// byRank sends a packet on by NAT rules of one rank. Those of one collection are asked in their order; where rules of several may take the
// packet, any of them may be the first (AZ-FW-16).
func (t *tracer) byRank(c course, f *model.Firewall, rules firewallRules, rank []firewallRule, x flow) (course, bool) {
	at := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	matches := make([]match, len(rank))
	for i, r := range rank {
		if matches[i] = maybe(); !r.unknown {
			matches[i] = t.natMatch(f, r, x)
		}
	}
	taken, rest := false, c
	for i, r := range rank {
		m := matches[i]
		if !m.may {
			continue
		}
		d, after := c, false
		for j, other := range rank {
			switch {
			case !matches[j].may || i == j:
			case other.where != r.where:
				d = d.uncertain()
			case j < i && matches[j].must:
				after = true
			case j < i:
				d = d.uncertain(matches[j].why...)
			}
		}
		switch {
		case after:
			continue
		case r.unknown:
			t.lose(d, at, FirewallDNAT, "the collection "+r.name+" was not understood")
		default:
			t.byNATRule(d.given(m), f, rules, r, m)
		}
		taken = taken || m.must
		rest = rest.uncertain(m.why...)
	}
	return rest, !taken
}

// natMatch is a NAT rule: source, an address of the firewall, protocol, port (AZ-FW-20). Those of a parent policy may not be
// inherited (AZ-FW-14), and Basic translates on public addresses only (AZ-FW-51).
func (t *tracer) natMatch(f *model.Firewall, r firewallRule, x flow) match {
	if !firewallProtocol(r, x.protocol) || !x.protocol.HasPorts() || !inPorts(r.Ports, x.dport) {
		return no()
	}
	m := t.firewallSide(r.Sources, x.src, x.tags).and(t.firewallSide(r.Dests, x.dst, x.tags))
	if r.parent {
		m = m.and(maybe("ASM-E-NATINHERIT"))
	}
	if !x.dst.isPublic().may && fold(t.tier(f), "Basic") {
		m = m.and(maybe())
	}
	if r.Unknown != "" || r.contested {
		m = m.and(maybe())
	}
	return m
}

// byNATRule sends a packet on that a NAT rule took. It is allowed whatever the network rules say, for certain only if none of them
// denies the translated flow (AZ-FW-21); application rules are not asked (AZ-FW-23), and the target may lie anywhere that the firewall routes to
// (AZ-FW-26). Through a public address the source becomes one of AzureFirewallSubnet (AZ-FW-22).
func (t *tracer) byNATRule(c course, f *model.Firewall, rules firewallRules, r firewallRule, m match) {
	at := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	targets := append([]answer{{t.address(r.ToAddress.Unmap()), yes()}}, t.accountsBehind(r.ToAddress.Unmap())...)
	if !r.ToAddress.IsValid() {
		targets = nil
		if r.ToFQDN != "" {
			targets = t.resolve(t.firewallResolver(f), r.ToFQDN)
			if slices.ContainsFunc(targets, func(a answer) bool { return isNamedHost(t.world, a.addr.at) }) { // it may be an account's (AZ-FW-33)
				targets = append(targets, t.withoutNames(t.firewallResolver(f), r.ToFQDN)...)
			}
		}
	}
	port := r.ToPort
	if port == 0 {
		port = c.packet.DPort
	}
	public := c.dst.isPublic().may
	for _, target := range targets {
		d := c.given(target.match)
		if !target.addr.at.IsValid() {
			t.drop(d, at, FirewallDNAT, "the translated name "+r.ToFQDN+" does not exist (AZ-DNS-02)")
			continue
		}
		before := d.packet
		d = d.to(target.addr, port)
		d = d.add(Hop{At: at, Stage: FirewallDNAT, Action: Allow, Rule: r.name, Source: r.source, Certain: m.must, Assumptions: m.why})
		if v, _ := walk(t.firewallSteps(rules.network, func(n firewallRule) match { return t.networkMatch(f, n, d.flow()) })); v.deny.is {
			d = d.uncertain(union(v.why, []string{"ASM-E-DNATDENY"})...)
		}
		t.onward(d, f, before, snatInbound, public)
	}
	if len(targets) == 0 {
		t.lose(c, at, FirewallDNAT, "the NAT rule "+r.name+" states no target")
	}
}

// filter is a packet routed to the firewall: network rules, application rules, the infrastructure collection, deny (AZ-FW-10,
// AZ-FW-17). Threat intelligence and IDPS only remove flows and stay annotations (AZ-FW-50).
func (t *tracer) filter(c course, f *model.Firewall, rules firewallRules) {
	at := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	if len(rules.missing) > 0 {
		t.unknownRules(c, f, rules)
		return
	}
	x := c.flow()
	n, goesOn := walk(t.firewallSteps(rules.network, func(r firewallRule) match { return t.networkMatch(f, r, x) }))
	certain := oneOf(n.allow.is, n.deny.is, goesOn)
	if n.allow.is {
		d := c.add(answerHop(at, FirewallNetwork, Allow, n.allow, certain, n.why))
		t.onward(d, f, c.packet, snatNetwork, false)
	}
	if n.deny.is {
		t.firewallDenies(c, f, answerHop(at, FirewallNetwork, Deny, n.deny, certain, n.why))
	}
	if !goesOn {
		return
	}
	if !certain {
		c = c.uncertain(n.why...)
	}
	a, goesOn := walk(t.firewallSteps(rules.application, func(r firewallRule) match { return t.applicationMatch(r, x) }))
	certain = oneOf(a.allow.is, a.deny.is, goesOn)
	if a.allow.is {
		t.proxied(c.add(answerHop(at, FirewallApplication, Allow, a.allow, certain, a.why)), f, c.packet)
	}
	if a.deny.is {
		t.firewallDenies(c, f, answerHop(at, FirewallApplication, Deny, a.deny, certain, a.why))
	}
	if !goesOn {
		return
	}
	if !certain {
		c = c.uncertain(a.why...)
	}
	c = c.because(closed(a.why)...)
	t.infrastructure(c, f, x)
}

// oneOf reports that exactly one answer is possible.
func oneOf(a, b, c bool) bool {
	n := 0
	for _, x := range []bool{a, b, c} {
		if x {
			n++
		}
	}
	return n == 1
}

func answerHop(at model.Place, s Stage, a Action, b blame, certain bool, why []string) Hop {
	if certain {
		why = closed(why)
	}
	return Hop{At: at, Stage: s, Action: a, Rule: b.rule, Source: b.source, Detail: b.detail, Certain: certain, Assumptions: why}
}

// firewallDenies drops the packet, or with Options.All walks on as if the network rules had passed it.
func (t *tracer) firewallDenies(c course, f *model.Firewall, h Hop) {
	if t.allows != nil && t.allows(h) {
		h.Action = Allow
		t.onward(c.add(h), f, c.packet, snatNetwork, false)
		if c.packet.Protocol == model.TCP && c.packet.Name != "" {
			t.proxied(c.add(h), f, c.packet) // the rule that would allow it may be of either kind
		}
		return
	}
	d := c.add(h)
	if t.all && h.Certain {
		if d.dropped == nil {
			d.dropped = &h.At
		}
		t.onward(d, f, c.packet, snatNetwork, false)
		return
	}
	t.finish(d, Dropped, h.At)
}

// infrastructure is the built-in collection for platform names, and the deny behind it (AZ-FW-37, AZ-FW-05).
func (t *tracer) infrastructure(c course, f *model.Firewall, x flow) {
	at := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	web := x.protocol == model.TCP && (x.dport == 80 || x.dport == 443) && x.name != ""
	if web && hasTag(x.tags, "infra") {
		h := Hop{At: at, Stage: FirewallInfrastructure, Action: Allow, Detail: "built-in collection for platform names (AZ-FW-37)", Certain: true, Assumptions: []string{"ASM-E-FWINFRA"}}
		t.proxied(c.add(h), f, c.packet)
		return
	}
	h := Hop{At: at, Stage: FirewallNetwork, Action: Deny, Detail: "no rule allows the flow (AZ-FW-05)", Certain: true}
	if web {
		h.Stage, h.Assumptions = FirewallApplication, []string{"ASM-E-FWINFRA"}
	}
	t.firewallDenies(c, f, h)
}

// rulesUnknown says of a firewall that what it admits is not known.
const rulesUnknown = "not all of the firewall's policy is in the input and understood"

// lacks names what of the rules the input lacks.
func (r firewallRules) lacks() []string { return append(slices.Clone(r.missing), "ASM-E-FWPOLICY") }

// unknownRules is a firewall whose policy the input lacks: everything may pass, by a network or an application rule, and nothing does
// for certain (AZ-FW-03, ASM-E-FWPOLICY).
func (t *tracer) unknownRules(c course, f *model.Firewall, rules firewallRules) {
	at := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	c = c.uncertain(rules.lacks()...)
	detail := blame{detail: rulesUnknown}
	t.onward(c.add(answerHop(at, FirewallNetwork, Allow, detail, false, nil)), f, c.packet, snatNetwork, false)
	if c.packet.Protocol == model.TCP && c.packet.Name != "" {
		t.proxied(c.add(answerHop(at, FirewallApplication, Allow, detail, false, nil)), f, c.packet)
	}
	t.end(c, answerHop(at, FirewallNetwork, Deny, detail, false, nil), Dropped, at)
}

// proxied is a flow that an application rule took: the firewall resolves the name itself and connects to the result, whatever address
// the client chose (AZ-FW-33, ASM-E-FWRESOLVE). A connection without a name keeps its destination.
func (t *tracer) proxied(c course, f *model.Firewall, before Packet) {
	at := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	if c.packet.Name == "" {
		t.onward(c, f, before, snatAlways, false)
		return
	}
	m := t.assume("ASM-E-FWRESOLVE")
	if m.uncertain() {
		t.onward(c.given(m), f, before, snatAlways, false)
	}
	c = c.given(m)
	r := t.firewallResolver(f)
	for _, a := range append(t.resolve(r, c.packet.Name), t.withoutNames(r, c.packet.Name)...) {
		d := c.given(a.match)
		if !a.addr.at.IsValid() {
			t.drop(d, at, DNAT, "the name "+c.packet.Name+" does not exist where the firewall resolves it (AZ-DNS-02)")
			continue
		}
		d = d.to(a.addr, d.packet.DPort)
		d = d.add(Hop{At: at, Stage: DNAT, Action: Forward, Detail: "the firewall connects to the owner of " + c.packet.Name + " (AZ-FW-33)", Certain: a.match.must, Assumptions: a.match.why})
		t.onward(d, f, before, snatAlways, false)
	}
}

// snatMode is when a firewall replaces the source.
type snatMode uint8

const (
	snatNetwork snatMode = iota // outside the private ranges (AZ-FW-40, AZ-FW-41)
	snatAlways                  // application rules (AZ-FW-43)
	snatInbound                 // NAT rules
)

// onward routes what the firewall passes, from AzureFirewallSubnet (AZ-FW-04), and sets its source: kept inside the private ranges,
// a public address towards the internet, a private one of the subnet else (AZ-FW-40, AZ-FW-43 to AZ-FW-45).
func (t *tracer) onward(c course, f *model.Firewall, before Packet, mode snatMode, fromPublic bool) {
	h := t.hostIn(model.Place{Kind: model.PlaceFirewall, ID: f.ID}, f.Subnet)
	hub := t.hubOf(f)
	if h.vnet == nil && hub == nil {
		t.lose(c, h.place, Routing, "the input does not say where the firewall's packets go (AZ-FW-52)", "ASM-NEXTHOP")
		return
	}
	kept := no()
	switch {
	case mode == snatAlways, mode == snatInbound && fromPublic:
	default:
		kept = t.keepsSource(f, c.dst)
		if mode == snatInbound && !kept.must { // AZ-FW-22: outside the private ranges the documents do not say
			kept = maybe()
		}
	}
	next := func(d course, snat bool) {
		if hub != nil {
			t.fromHubFirewall(d, f, hub, before, snat)
			return
		}
		t.fromFirewall(d, f, h, before, snat)
	}
	if kept.may {
		next(c.given(kept), false)
	}
	if !kept.must {
		next(c.given(kept.not()), true)
	}
}

// fromFirewall follows the routes of the firewall's subnet.
func (t *tracer) fromFirewall(c course, f *model.Firewall, h *host, before Packet, snat bool) {
	crossed := func(d course, source bool) course {
		return d.cross(crossing{at: h.place, before: before, subnet: h.subnet, vnet: h.vnet, stateful: true, source: source})
	}
	private := func(d course, next func(course)) {
		if !snat {
			next(crossed(d, false))
			return
		}
		t.pick([]address{t.firewallSource(f, h)}, "ASM-SNATPOOL", func(a address) {
			x := d.from(a, d.packet.SPort)
			x.pod, x.node = nil, nil
			x = x.add(Hop{At: h.place, Stage: SNAT, Action: Forward, Detail: "an address of the firewall's subnet (AZ-FW-22, AZ-FW-43)", Certain: true})
			next(crossed(x, true))
		})
	}
	if isPlatform(c.packet.Dst) { // AZ-PLAT-01: the firewall's own host takes it, perhaps; no route does
		c = c.uncertain("ASM-PLATFORM")
		private(c, func(c course) { t.toPlatform(c, h) })
		t.drop(c, h.place, Transport, "the firewall may pass nothing on to host addresses")
		return
	}
	table := t.table(h, tableOptions{})
	if endpoints, _ := t.endpointsAt(h.vnet, c.packet.Dst); len(endpoints) > 0 {
		private(c, func(c course) { t.route(c, h) })
		return
	}
	private(c, func(c course) { t.carry(c, h) })
	winners, certain := t.winners(h, table, c.flow())
	if len(winners) == 0 {
		private(c, func(c course) { t.drop(c, h.place, Routing, "no route to the destination") })
		return
	}
	var why []string
	// AZ-FW-46: without a management NIC a learned default route cuts the firewall off from the internet, perhaps.
	breaks := func(r route) bool {
		return r.tunnels && !f.Management && c.dst.isPublic().may
	}
	for _, r := range winners {
		why = union(why, sorted(r.why))
	}
	for _, r := range winners {
		if r.hop == model.HopInternet && c.dst.isPublic().may {
			t.firewallToInternet(c.add(hopOf(h, r, certain, why)), f, h, snat, crossed)
			continue
		}
		if breaks(r) {
			private(c.uncertain("ASM-E-FWTUNNEL"), func(c course) { t.follow(c, h, r, certain, why) })
			continue
		}
		private(c, func(c course) { t.follow(c, h, r, certain, why) })
	}
	if slices.ContainsFunc(winners, breaks) && !slices.ContainsFunc(winners, func(r route) bool { return r.hop == model.HopInternet }) {
		t.firewallToInternet(c.uncertain(append(why, "ASM-E-FWTUNNEL")...), f, h, snat, crossed)
	}
}

// firewallToInternet leaves with one of the firewall's public addresses, or with one of a NAT gateway on its subnet (AZ-FW-40).
func (t *tracer) firewallToInternet(c course, f *model.Firewall, h *host, snat bool, crossed func(course, bool) course) {
	if c.packet.Protocol != model.TCP && c.packet.Protocol != model.UDP {
		c = c.uncertain() // AZ-FW-28: no SNAT for other protocols
	}
	if !snat { // AZ-FW-41: the source is kept, and the internet drops it
		c = c.uncertain()
		t.drop(c, h.place, Transport, "the internet drops a private source (AZ-FW-41)")
		t.toPublic(crossed(c, false))
		return
	}
	var ways []translation
	if h.subnet != nil && h.subnet.NATGateway != "" {
		if g, ok := model.Get[*model.NATGateway](t.e, h.subnet.NATGateway); ok {
			ways = t.natGatewayAddresses(g, false)
		} else {
			ways = []translation{{addr: t.unknownOutbound(), detail: "NAT gateway " + h.subnet.NATGateway.Name() + ", which is not in the input"}}
		}
	}
	if len(ways) == 0 {
		for _, p := range t.e.PublicIPs {
			if a := t.publicAddress(p.ID); a.IsValid() && (contains(f.PublicIPs, p.ID) || same(p.AttachedTo.Parent(), f.ID)) {
				ways = append(ways, translation{addr: t.address(a), detail: "public address " + p.Name() + " of the firewall"})
			}
		}
	}
	if len(ways) == 0 {
		ways = []translation{{addr: t.unknownOutbound(), detail: "a public address of the firewall, which is not in the input"}}
	}
	t.eachWay(ways, func(way translation) {
		d := c.from(way.addr, c.packet.SPort)
		d.pod, d.node = nil, nil
		d = d.add(Hop{At: h.place, Stage: SNAT, Action: Forward, Detail: way.detail, Certain: true})
		t.toPublic(crossed(d, true))
	})
}

// firewallSource is the private source: any instance's address, not necessarily the firewall's own (AZ-FW-22).
func (t *tracer) firewallSource(f *model.Firewall, h *host) address {
	if h.subnet == nil {
		return address{at: t.firewallAddress(f), may: privateSpace()}
	}
	may := usable(h.subnet)
	at := first(may)
	if f.Address.IsValid() {
		at = f.Address.Unmap()
		may = joinSets(may, addressSet(at))
	}
	if emptySet(may) {
		may = privateSpace()
		at = first(may)
	}
	return pickedOf(address{at: at, may: may})
}
