package trace

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// outbound takes a packet through the controls of the sending side: admin rules, the NIC's NSG, the subnet's NSG (AZ-GEN-06,
// AZ-NSG-11).
func (t *tracer) outbound(c course, h *host, next func(course)) {
	t.admin(c, h, AdminOut, func(c course) {
		t.nicStage(c, h, model.Outbound, func(c course) {
			t.subnetStage(c, h, model.Outbound, next)
		})
	})
}

// inbound takes a packet through the controls of the receiving side: admin rules, the subnet's NSG, the NIC's NSG. Neighbours of one subnet
// meet its NSG here as well as on the sender's side (AZ-NSG-13).
func (t *tracer) inbound(c course, h *host, next func(course)) {
	t.admin(c, h, AdminIn, func(c course) {
		if t.closedWithoutNSG(h, c) {
			t.closed(c, h, next)
			return
		}
		t.subnetStage(c, h, model.Inbound, func(c course) {
			t.nicStage(c, h, model.Inbound, next)
		})
	})
}

// closed is a Standard public address where no NSG stands at all (AZ-PIP-02). Whether a security admin rule that allows the flow opens it
// is not documented (AZ-AVNM-13).
func (t *tracer) closed(c course, h *host, next func(course)) {
	v := denied("", model.Source{})
	v.deny.detail = "a Standard public address is closed where no NSG allows the flow (AZ-PIP-02)"
	open := t.assume("ASM-STDPIP")
	v.why = open.why
	if open.uncertain() || c.public.sku == model.SKUNotStated {
		v = v.either(allowed("", model.Source{}))
		v.why = union(v.why, []string{"ASM-STDPIP"})
	}
	if c.opened.may {
		v = v.either(verdict{allow: blame{is: true, detail: "a security admin rule may open the address (AZ-AVNM-13)"}}, "ASM-AVNM-PIP")
	}
	t.decide(c, Hop{At: h.place, Stage: SubnetIn}, v, next)
}

// closedWithoutNSG is the exception to AZ-NSG-12 (AZ-PIP-02); Basic addresses are open (AZ-PIP-04). AKS nodes always have an NSG
// (AKS-LB-01).
func (t *tracer) closedWithoutNSG(h *host, c course) bool {
	return c.public != nil && c.public.sku != model.Basic && h.cluster == nil && h.nsg == "" && h.subnet != nil && t.subnetNSG(h) == ""
}

// nicStage is the NSG of the host's NIC.
func (t *tracer) nicStage(c course, h *host, dir model.Direction, next func(course)) {
	stage := NICIn
	if dir == model.Outbound {
		stage = NICOut
	}
	f := c.flow()
	if c.balanced != nil && dir == model.Inbound && t.writtenByAKS(h) { // AZ-LB-05
		f.dst = *c.balanced
	}
	v, exists := t.nicVerdict(h, f, dir)
	if !exists || c.bypass.must {
		next(c)
		return
	}
	t.decide(c, Hop{At: h.place, Stage: stage}, c.pastNSG(v), next)
}

// subnetStage is the NSG of the host's subnet.
func (t *tracer) subnetStage(c course, h *host, dir model.Direction, next func(course)) {
	stage := SubnetIn
	if dir == model.Outbound {
		stage = SubnetOut
	}
	if h.subnet == nil {
		t.decide(c, Hop{At: h.place, Stage: stage}, c.pastNSG(t.subnetVerdict(h, c.flow(), dir)), next)
		return
	}
	doubts := t.doubtsAt(h)
	switch {
	case t.subnetNSG(h) == "" && len(doubts) == 0 || c.bypass.must && len(doubts) == 0:
		next(c)
	case t.subnetNSG(h) == "" || c.bypass.must: // AZ-GEN-08
		t.decide(c, Hop{At: h.place, Stage: stage}, hindered(allowed("", h.subnet.Source), doubts), next)
	default:
		t.decide(c, Hop{At: h.place, Stage: stage}, hindered(c.pastNSG(t.subnetVerdict(h, c.flow(), dir)), doubts), next)
	}
}

// subnetNSG is the NSG that acts on a host's subnet; none acts where Azure does not support one (AZ-NSG-20).
func (w *world) subnetNSG(h *host) model.ID {
	switch {
	case h.subnet == nil:
		return ""
	case subnetKind(h.subnet) == ordinary || subnetKind(h.subnet) == bastionSubnet:
		return h.subnet.NSG
	default:
		return ""
	}
}

// subnetVerdict is the answer of the NSG of the host's subnet.
func (t *tracer) subnetVerdict(h *host, f flow, dir model.Direction) verdict {
	if h.subnet == nil {
		return missingNSG("the subnet " + h.subnetID.ShortName())
	}
	return t.nsgByID(t.subnetNSG(h), h, f, dir)
}

// nicVerdict is the answer of the NSG of the host's NIC; exists is false where there is none.
func (t *tracer) nicVerdict(h *host, f flow, dir model.Direction) (v verdict, exists bool) {
	if h.nsg == "" {
		if h.cluster != nil {
			return t.managedVerdict(h, f, dir), true
		}
		return verdict{}, false
	}
	return t.nsgByID(h.nsg, h, f, dir), true
}

// writtenByAKS reports that the NSG of the host's NIC is in the input, and AKS writes its rules (AKS-LB-01).
func (t *tracer) writtenByAKS(h *host) bool {
	if g, ok := model.Get[*model.NSG](t.e, h.nsg); ok {
		return g.Managed
	}
	return h.nsg == "" && h.cluster != nil && slices.ContainsFunc(t.e.NSGs, func(g *model.NSG) bool { return g.Managed && fold(g.ID.ResourceGroup(), nodeGroup(h.cluster)) })
}

func (t *tracer) nsgByID(id model.ID, h *host, f flow, dir model.Direction) verdict {
	g, ok := model.Get[*model.NSG](t.e, id)
	if !ok {
		return missingNSG("the NSG " + id.Name())
	}
	return doubted(t.nsgVerdict(g, h, f, dir), t.misread(id))
}

// missingNSG is an NSG that something names and the input lacks: unknown, never absent.
func missingNSG(what string) verdict {
	detail := what + " is not in the input"
	return verdict{allow: blame{is: true, detail: detail}, deny: blame{is: true, detail: detail}}
}

// nsgVerdict evaluates one NSG in one direction at one NIC (AZ-NSG-02): once for each assignment of the unknown parts of the NIC's
// VirtualNetwork tag (AZ-GEN-01). The packet surely passes only if it passes in all of them.
func (t *tracer) nsgVerdict(g *model.NSG, h *host, f flow, dir model.Direction) verdict {
	exempt, always := t.platformTraffic(h, f, dir)
	if always.must {
		// AZ-PLAT-02: not blockable by an NSG at all.
		return verdict{allow: blame{is: true, detail: "platform traffic, never filtered (AZ-PLAT-02)", source: model.Source{Platform: "platform traffic", Resource: g.ID}}}
	}
	var rules []model.SecurityRule
	for _, r := range g.Rules {
		if r.Direction == dir {
			rules = append(rules, r)
		}
	}
	slices.SortStableFunc(rules, func(a, b model.SecurityRule) int { return cmp.Compare(a.Priority, b.Priority) })
	view := t.view(h)
	last := denied(g.Name()+"/defaultSecurityRules/DenyAllInBound", model.Source{Platform: "default rule", Resource: g.ID})
	if dir == model.Outbound {
		last.deny.rule = g.Name() + "/defaultSecurityRules/DenyAllOutBound"
	}
	if exempt != "" {
		last = verdict{allow: blame{is: true, detail: "platform traffic that no rule for " + exempt + " denies (AZ-PLAT-03)", source: model.Source{Platform: "platform traffic", Resource: g.ID}}}
	}
	var out verdict
	disagree := false
	for i, as := range t.assignments(view, f) {
		var list []step
		for _, r := range rules {
			if exempt != "" && r.Access == model.Deny && !slices.ContainsFunc(r.DestAddrs.Tags, func(tag string) bool { return fold(tag, exempt) }) {
				continue // AZ-PLAT-03: a Deny on the address or on `*` does not count
			}
			list = append(list, step{
				match: t.ruleMatch(r, view, as, h, f, dir), access: r.Access, rule: ruleName(g, r), source: r.Source, rank: r.Priority,
			})
		}
		v := firstMatch(list, last)
		disagree = disagree || i > 0 && (v.allow.is != out.allow.is || v.deny.is != out.deny.is)
		out = out.either(v)
	}
	if always.may { // AZ-PLAT-02: older texts name one port more
		out = out.either(passes("platform traffic, perhaps never filtered (AZ-PLAT-02)"))
	}
	if disagree {
		out.why = union(out.why, t.tagReasons(view, f))
	}
	out.allow, out.deny = t.described(out.allow, rules, g, view), t.described(out.deny, rules, g, view)
	return out.settle()
}

// tagReasons are the assumptions behind the rows of the tag that hold one of the packet's addresses.
func (t *tracer) tagReasons(v *view, f flow) []string {
	var why []string
	for _, r := range v.rows {
		if r.in(t.world, f.src, f.tags).may || r.in(t.world, f.dst, f.tags).may {
			why = union(why, sorted(r.because))
			if r.growth && (f.src.isPublic().may || f.dst.isPublic().may) {
				why = union(why, []string{"ASM-INTERNET-0"})
			}
		}
	}
	return why
}

// ruleName is the rule as Azure prints it.
func ruleName(g *model.NSG, r model.SecurityRule) string {
	if r.Default {
		return g.Name() + "/defaultSecurityRules/" + r.Name
	}
	return g.Name() + "/securityRules/" + r.Name
}

// ruleMatch says whether a rule takes the packet: values within a field are a union, fields a conjunction (AZ-NSG-04).
func (t *tracer) ruleMatch(r model.SecurityRule, v *view, as assignment, h *host, f flow, dir model.Direction) match {
	if h.endpoint != nil {
		r.SourcePorts = []model.PortRange{model.AllPorts} // AZ-PE-07
	}
	m := protocolMatch(r, f).
		and(t.side(r.SourceAddrs, r, v, as, f, f.src)).
		and(t.destination(r, v, as, f))
	if m.may && r.Access == model.Deny && dir == model.Inbound && len(r.SourceAddrs.ASGs) > 0 &&
		!t.memberOf(h, r.SourceAddrs.ASGs).must && !t.memberOf(h, r.DestAddrs.ASGs).must {
		m = m.and(maybe("ASM-ASG")) // AZ-ASG-04: a Deny from an ASG at a NIC that is no member
	}
	if r.UnknownMatch != "" {
		m = m.and(maybe()) // something in the match was not understood
	}
	if r.Default && (f.src.v6() || f.dst.v6()) {
		m = m.and(t.assume("ASM-V6DEFAULT")) // AZ-NSG-05
	}
	return m
}

// destination matches the destination, which at an application gateway may be either of two addresses: certain only if both match
// (AZ-AGW-10).
func (t *tracer) destination(r model.SecurityRule, v *view, as assignment, f flow) match {
	m := t.side(r.DestAddrs, r, v, as, f, f.dst)
	if f.otherDst == nil {
		return m
	}
	o := t.side(r.DestAddrs, r, v, as, f, *f.otherDst)
	return match{must: m.must && o.must, may: m.may || o.may, why: union(m.why, o.why)}
}

// side matches one address with one side of a rule.
func (t *tracer) side(m model.AddressMatch, r model.SecurityRule, v *view, as assignment, f flow, a address) match {
	if m.Any {
		return yes() // AZ-NSG-05: both families
	}
	var prefixes []netip.Prefix
	for _, p := range m.Prefixes {
		if r.Default && p.IsValid() && p.Bits() == 0 {
			return yes() // exports print `*` of a default rule as 0.0.0.0/0
		}
		prefixes = append(prefixes, p)
	}
	hit := a.in(prefixSet(prefixes...))
	for _, tag := range m.Tags { // AZ-NSG-08: several tags or groups are a union
		switch {
		case fold(tag, "VirtualNetwork") || fold(tag, "VIRTUAL_NETWORK"):
			hit = hit.or(t.virtualNetwork(v, as, a, f.tags, r.Default))
		case fold(tag, "Internet"):
			hit = hit.or(t.internet(v, as, a, f.tags))
		default:
			hit = hit.or(t.inTag(tag, a, f.tags))
		}
	}
	for _, id := range m.ASGs { // AZ-ASG-03: at a NIC that is no member the destination does not match
		hit = hit.or(t.inASG(id, a))
	}
	return hit
}

// protocolMatch matches protocol and ports, which with the addresses are all that an NSG sees (AZ-GEN-02). `*` means all carried protocols (AZ-NSG-06). Packets without ports match a rule that
// names ports possibly (AZ-NSG-07, ASM-PORTLESS).
func protocolMatch(r model.SecurityRule, f flow) match {
	m := when(r.Protocol == model.AnyProtocol || r.Protocol == f.protocol)
	if f.protocol == model.ICMPv6 && r.Protocol == model.ICMP {
		// AZ-V6-02: ICMPv6 cannot be named; an Icmp rule is no Allow for it, and no Deny for certain.
		if r.Access != model.Deny {
			return no()
		}
		m = maybe()
	}
	if r.Protocol == model.AnyProtocol && (f.protocol == model.ESP || f.protocol == model.AH) {
		m = yes("ASM-PROTO")
	}
	if !m.may {
		return no()
	}
	if !f.protocol.HasPorts() {
		if !allPorts(r.SourcePorts) || !allPorts(r.DestPorts) {
			m = m.and(maybe("ASM-PORTLESS"))
		}
		return m
	}
	return m.and(when(inPorts(r.SourcePorts, f.sport))).and(when(inPorts(r.DestPorts, f.dport)))
}

func inPorts(list []model.PortRange, p uint16) bool {
	return slices.ContainsFunc(list, func(r model.PortRange) bool { return r.First <= p && p <= r.Last })
}

func allPorts(list []model.PortRange) bool { return slices.Contains(list, model.AllPorts) }

// inASG says whether an address is that of a member: of a NIC's IP configuration, of a private endpoint, or of an instance of a scale
// set or node pool whose profile is in the group (AZ-ASG-01, AZ-ASG-05).
func (t *tracer) inASG(id model.ID, a address) match {
	if a.holder != nil && (a.holder.nic != nil || a.holder.pool != nil || a.holder.endpoint != nil) {
		return t.memberOf(a.holder, []model.ID{id})
	}
	m := no()
	for _, n := range t.e.NICs {
		for i := range n.IPConfigs {
			if c := &n.IPConfigs[i]; contains(c.ASGs, id) && t.configAddress(n, c) == a.at {
				m = yes()
			}
		}
	}
	for _, p := range t.e.Endpoints {
		if contains(p.ASGs, id) && slices.Contains(t.endpointAddresses(p), a.at) {
			m = yes()
		}
	}
	classes := t.classMembers(id)
	if _, ok := model.Get[*model.ASG](t.e, id); !ok && len(classes) == 0 && !t.hasMember(id) && !t.stated(a) {
		return maybe() // neither the group nor a member is in the input: who is in it is not known
	}
	if x, ok := t.symbols.At(a.at); ok && x.Kind != model.PodAddress {
		return m // of a frontend, an endpoint, a NIC: no instance has it
	}
	for _, h := range classes {
		if t.mayStand(h.subnetID, a) && (a.may == nil || a.overlay == nil) {
			m = m.or(maybe())
		}
	}
	return m
}

// mayStand reports whether an instance that the input does not list may have an address: a free one of its subnet, of either family.
func (t *tracer) mayStand(subnet model.ID, a address) bool {
	if a.in(t.unheld(subnet)).may {
		return true
	}
	s, _ := t.e.SubnetOf(subnet)
	return s != nil && a.may == nil && a.v6() && !slices.Contains(t.heldIn(s), a.at) && slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool {
		return p.IsValid() && p.Contains(a.at) && !slices.Contains(reserved(p), a.at)
	})
}

// hasMember reports an IP configuration or endpoint of the input in a group.
func (t *tracer) hasMember(id model.ID) bool {
	return slices.ContainsFunc(t.e.NICs, func(n *model.NIC) bool {
		return slices.ContainsFunc(n.IPConfigs, func(c model.IPConfig) bool { return contains(c.ASGs, id) })
	}) || slices.ContainsFunc(t.e.Endpoints, func(p *model.PrivateEndpoint) bool { return contains(p.ASGs, id) })
}

// stated reports an address whose holder, and so whose groups, the input states.
func (t *tracer) stated(a address) bool {
	return slices.ContainsFunc(t.e.NICs, func(n *model.NIC) bool {
		return slices.ContainsFunc(n.IPConfigs, func(c model.IPConfig) bool { return t.configAddress(n, &c) == a.at })
	}) || slices.ContainsFunc(t.e.Endpoints, func(p *model.PrivateEndpoint) bool { return slices.Contains(t.endpointAddresses(p), a.at) })
}

// classMembers lists the scale sets and node pools whose instances are in a group.
func (t *tracer) classMembers(id model.ID) []*host {
	out := t.scaleSetHosts(func(_ *model.ScaleSet, c *model.IPConfig) bool { return contains(c.ASGs, id) })
	for _, c := range t.e.Clusters {
		for i := range c.Pools {
			if p := &c.Pools[i]; contains(p.ASGs, id) && t.poolScaleSet(c, p) == nil {
				out = append(out, t.poolHost(c, p))
			}
		}
	}
	return out
}

// memberOf says whether a host is a member of one of the groups.
func (t *tracer) memberOf(h *host, groups []model.ID) match {
	for _, id := range groups {
		if contains(h.asgs, id) {
			return yes()
		}
	}
	return no()
}

// platformTraffic says whether the packet is one of those that NSGs do not filter by default: exempt names the tag whose Outbound
// Deny blocks it (AZ-PLAT-03); always says that nothing does (AZ-PLAT-02).
func (t *tracer) platformTraffic(h *host, f flow, dir model.Direction) (exempt string, always match) {
	if dir != model.Outbound {
		return "", no() // AZ-PLAT-04: probes are filtered
	}
	tcp := f.protocol == model.TCP
	switch {
	case f.dst.at == wireServer() && tcp && (f.dport == 80 || f.dport == 32526):
		return "", yes()
	case f.dst.at == wireServer() && tcp && f.dport == 443:
		return "", maybe()
	case f.dst.at == wireServer() && (tcp || f.protocol == model.UDP) && f.dport == 53:
		return "AzurePlatformDNS", no()
	case f.dst.at == metadataService():
		return "AzurePlatformIMDS", no()
	case tcp && f.dport == 1688 && hasTag(f.tags, "AzurePlatformLKM") && len(t.overriddenDefaults(h)) == 0: // AZ-PLAT-06
		return "AzurePlatformLKM", no()
	default:
		return "", no()
	}
}
