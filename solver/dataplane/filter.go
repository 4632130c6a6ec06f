package dataplane

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// filterList is one NSG in one direction at NICs that share their surroundings.
type filterList struct {
	guard guard
	notes []string
}

// at says where a list stands.
func (l filterList) at(stage string, place model.Place) guard { return l.guard.acting(stage, place) }

// alternatives is one side of a rule: address sets, and symbolic tags.
type alternatives struct {
	must, may []*lazy
}

// reading is how a list is read at places that are not plain NICs. The zero value is a plain NIC.
type reading struct {
	// behind: the filter sees a gateway's subnet as destination, not the frontend that the packet names; with dual it may see either
	// (AZ-AGW-10).
	instead bool
	dual    bool
	behind  packet.AddrSet
	// anySourcePort: a private endpoint ignores source ports (AZ-PE-07).
	anySourcePort bool
	// pods: the packets carry pod addresses of an overlay cluster; default rules pass them, VirtualNetwork in a custom rule may or may
	// not hold them (K8S-AZ-06).
	pods *netipx.IPSet
	// service is the Service of whose frontend the packets come, for the managed NSG that the input lacks (AKS-LB-03).
	service *model.KubeService
	// portless says how `*` with ports is read for packets without ports (AZ-NSG-07).
	portless portlessReading
	// self is the node that sends or receives. The input does not state which addresses of its subnet are a node's; here they are
	// (AZ-ASG-05).
	self *machine
	// from is the node that sent the packets, with an address of its own, to a filter elsewhere.
	from *machine
}

// portlessReading is a reading of AZ-NSG-07. It is one for all rules, so that two lists of rules can be compared under each.
type portlessReading uint8

const (
	portlessOpen    portlessReading = iota // possibly matched, not for certain
	portlessMatched                        // in every rule
	portlessMissed                         // in none
)

// key tells readings apart.
func (r reading) key() string {
	k := ""
	if r.instead {
		k += "|behind" + strconv.Itoa(int(r.behind))
	}
	if r.dual {
		k += "|dual"
	}
	if r.anySourcePort {
		k += "|anysource"
	}
	if r.pods != nil {
		k += "|pods" + setKey(r.pods)
	}
	if r.service != nil {
		k += "|service" + r.service.ID.Key()
	}
	if r.self != nil {
		k += "|self" + r.self.site.Place.ID.Key() + "/" + r.self.site.Place.Part
	}
	if r.from != nil {
		k += "|from" + r.from.site.Place.ID.Key() + "/" + r.from.site.Place.Part
	}
	return k
}

// nsg compiles one NSG in one direction for NICs of a subnet. members are the application security groups of the NIC, which decide
// whether a Deny that names a source group acts there (AZ-ASG-04).
func (p *planner) nsg(id model.ID, dir model.Direction, ctx *subnetContext, members []model.ID, d reading) filterList {
	n, ok := model.Get[*model.NSG](p.e, id)
	if !ok {
		return filterList{guard{over: everything(), under: nothing()}, []string{missing("network security group", id)}}
	}
	groups := denyGroups(n, dir)
	key := id.Key() + "|" + dir.String() + "|" + ctx.key
	if groups {
		names := make([]string, len(members))
		for i, m := range members {
			names[i] = m.Key()
		}
		slices.Sort(names)
		key += "|" + strings.Join(names, ",")
	}
	if d.self != nil && !usesGroup(n, dir) {
		d.self = nil
	}
	if d.from != nil && !slices.ContainsFunc(n.Rules, func(r model.SecurityRule) bool { return len(r.SourceAddrs.ASGs) > 0 }) {
		d.from = nil
	}
	key += d.key()
	if l, ok := p.lists[key]; ok {
		return *l
	}
	l := p.nsgList(n, dir, ctx, members, d, false)
	if p.open != nil {
		x := &openList{first: l, plan: func(other *model.NSG) filterList { return p.nsgList(other, dir, ctx, members, d, true) }}
		p.open[id.Key()] = append(p.open[id.Key()], x)
		l = x.list()
	}
	p.lists[key] = &l
	return l
}

// nsgList compiles the rules of an NSG in one direction. second says that it is the second estate's, where one plan describes two.
func (p *planner) nsgList(n *model.NSG, dir model.Direction, ctx *subnetContext, members []model.ID, d reading, second bool) filterList {
	l := filterList{}
	var rules []model.SecurityRule
	for _, r := range n.Rules {
		if r.Direction == dir {
			rules = append(rules, r)
		}
	}
	slices.SortStableFunc(rules, func(a, b model.SecurityRule) int { return a.Priority - b.Priority }) // AZ-NSG-02
	var lists [][]ruleMatch
	l.guard, lists = p.evaluate(rules, dir, ctx, members, d)
	if dir == model.Outbound {
		l.guard = p.platformExceptions(rules, l.guard, func(kept []model.SecurityRule) guard {
			g, _ := p.evaluate(kept, dir, ctx, members, d)
			return g
		})
	}
	wider := p.widened(ctx, l.guard.over, func(c *subnetContext) guard {
		g, _ := p.evaluate(rules, dir, c, members, d)
		return g
	})
	l.guard = l.guard.behind(nsgControl(n, dir), nsgParts(n, dir, rules, lists, second).and(wider))
	for _, entry := range p.fogged(n.ID) {
		// AZ-GEN-08: a field that was not understood may change what the group lets pass.
		l.guard = guard{over: everything(), under: nothing()}
		l.notes = append(l.notes, unsupported(entry))
	}
	l.notes = append(l.notes, p.matchNotes(rules, ctx)...)
	if denyGroups(n, dir) {
		l.notes = append(l.notes, "ASM-ASG")
	}
	slices.Sort(l.notes)
	l.notes = slices.Compact(l.notes)
	return l
}

// matchNotes are the assumptions that what the rules of a list match rests on.
func (p *planner) matchNotes(rules []model.SecurityRule, ctx *subnetContext) []string {
	var notes []string
	if len(ctx.parts) > 0 && p.usesTag(rules, tagVNet) {
		notes = append(notes, "ASM-VNETTAG")
		if ctx.lacks != "" {
			notes = append(notes, ctx.lacks)
		}
	}
	if (ctx.grown[0] || ctx.grown[1] || !isEmpty(ctx.wide)) && p.usesTag(rules, tagInternet) {
		notes = append(notes, "ASM-INTERNET-0")
	}
	for _, r := range rules {
		if r.Protocol == model.AnyProtocol && (!allPorts(r.DestPorts) || !allPorts(r.SourcePorts)) && !slices.Contains(notes, "ASM-PORTLESS") {
			notes = append(notes, "ASM-PORTLESS")
		}
		for _, t := range append(slices.Clone(r.SourceAddrs.Tags), r.DestAddrs.Tags...) {
			if p.tagKind(t) == tagSymbolic {
				notes = append(notes, "ASM-TAG("+t+")")
			}
		}
	}
	return notes
}

func allPorts(ps []model.PortRange) bool {
	return len(ps) == 0 || everyPort(portRanges(ps))
}

func (p *planner) usesTag(rules []model.SecurityRule, k tagKind) bool {
	for _, r := range rules {
		for _, t := range append(slices.Clone(r.SourceAddrs.Tags), r.DestAddrs.Tags...) {
			if p.tagKind(t) == k {
				return true
			}
		}
	}
	return false
}

// denyGroups reports whether a list holds a Deny with a source ASG.
func denyGroups(n *model.NSG, dir model.Direction) bool {
	return slices.ContainsFunc(n.Rules, func(r model.SecurityRule) bool {
		return r.Direction == dir && r.Access == model.Deny && len(r.SourceAddrs.ASGs) > 0
	})
}

// usesGroup reports whether a rule of a list names a group on the side of the NIC.
func usesGroup(n *model.NSG, dir model.Direction) bool {
	return slices.ContainsFunc(n.Rules, func(r model.SecurityRule) bool {
		return r.Direction == dir && len(sideOf(r).ASGs) > 0
	})
}

// sideOf is the side of a rule that the NIC is on.
func sideOf(r model.SecurityRule) model.AddressMatch {
	if r.Direction == model.Inbound {
		return r.DestAddrs
	}
	return r.SourceAddrs
}

// evaluate is what a list allows: the union of its readings in over, what all of them allow in under (AZ-GEN-01).
func (p *planner) evaluate(rules []model.SecurityRule, dir model.Direction, ctx *subnetContext, members []model.ID, d reading) (guard, [][]ruleMatch) {
	var over []*lazy
	var under *lazy
	var lists [][]ruleMatch
	same := map[int]ruleMatch{}
	for _, a := range p.assignments(ctx) {
		list := p.walk(rules, dir, a, members, d, same)
		widest := untie(list, rules, true)
		over, under = append(over, firstMatch(widest, Over)), both(under, firstMatch(untie(list, rules, false), OneWay))
		lists = append(lists, widest)
	}
	return guard{over: either(over...), under: under}, lists
}

// ruleMatch is the two bounds of what one rule matches.
type ruleMatch struct {
	must, may *lazy
	allow     bool
	rule      int // index of the rule, where the list may be in another order
	rank      int // rules of one rank may stand in any order (AZ-FW-16)
}

// walk compiles a list in one reading of the tags: over takes the widest Allow and the narrowest Deny, under the reverse (AZ-GEN-01).
// same holds the matches of rules that every reading reads alike.
func (p *planner) walk(rules []model.SecurityRule, dir model.Direction, a assignment, members []model.ID, d reading, same map[int]ruleMatch) []ruleMatch {
	list := make([]ruleMatch, len(rules))
	for i, r := range rules {
		if m, ok := same[i]; ok {
			list[i] = m
			continue
		}
		m := ruleMatch{allow: r.Access != model.Deny, rule: i}
		m.must, m.may = p.matchOf(r, a, d)
		if dir == model.Inbound && !m.allow && len(r.SourceAddrs.ASGs) > 0 && !member(r.SourceAddrs.ASGs, members) && !member(r.DestAddrs.ASGs, members) {
			m.must = nothing() // AZ-ASG-04, ASM-ASG
		}
		list[i] = m
		if !p.usesTag(rules[i:i+1], tagVNet) && !p.usesTag(rules[i:i+1], tagInternet) {
			same[i] = m
		}
	}
	return list
}

// untie orders rules of one priority, whose order is not known (AZ-NSG-02): one access before the other.
func untie(list []ruleMatch, rules []model.SecurityRule, allowFirst bool) []ruleMatch {
	out := slices.Clone(list)
	for i := 0; i < len(rules); {
		j := i
		for j < len(rules) && rules[j].Priority == rules[i].Priority {
			j++
		}
		slices.SortStableFunc(out[i:j], func(a, b ruleMatch) int {
			if a.allow == b.allow {
				return 0
			}
			if a.allow == allowFirst {
				return -1
			}
			return 1
		})
		i = j
	}
	return out
}

// matchOf is what one rule matches in one reading of the tags, for certain and possibly.
func (p *planner) matchOf(r model.SecurityRule, a assignment, d reading) (must, may *lazy) {
	if d.pods != nil {
		a = a.withPods(p, d.pods, r.Default)
	}
	src := p.side(r.SourceAddrs, srcIn, a)
	dst := p.side(r.DestAddrs, dstIn, a)
	own := func(m *machine, at func(packet.AddrSet) *lazy) func(model.ID) (must, may *lazy) {
		return func(g model.ID) (must, may *lazy) { return p.ownGroup(g, at, m) }
	}
	switch {
	case len(r.SourceAddrs.ASGs) == 0:
	case r.Direction == model.Outbound && d.self != nil:
		src = p.groupSide(r.SourceAddrs, srcIn, a, own(d.self, srcIn))
	case d.from != nil:
		src = p.groupSide(r.SourceAddrs, srcIn, a, own(d.from, srcIn))
	default:
		src = p.groupSide(r.SourceAddrs, srcIn, a, p.sentByGroup)
	}
	if r.Direction == model.Inbound && d.self != nil && len(r.DestAddrs.ASGs) > 0 {
		dst = p.groupSide(r.DestAddrs, dstIn, a, own(d.self, dstIn))
	}
	if d.instead {
		dst = p.behindSide(r.DestAddrs, dst, d, a)
	}
	sports := r.SourcePorts
	if d.anySourcePort {
		sports = nil
	}
	ports := func(portless bool) *lazy {
		return transport([]model.Protocol{r.Protocol}, sports, r.DestPorts, portless)
	}
	// AZ-GEN-02: addresses, ports and protocol are all that an NSG sees: no name, no kind of ICMP message.
	// AZ-NSG-07: whether `*` with ports matches packets without ports is not documented.
	must = both(both(either(src.must...), either(dst.must...)), ports(d.portless == portlessMatched))
	may = both(both(either(src.may...), either(dst.may...)), ports(d.portless != portlessMissed))
	if r.Protocol == model.ICMP && r.Access == model.Deny {
		// AZ-V6-02: a rule cannot name ICMPv6; whether one for Icmp stops it is not documented.
		v6 := transport([]model.Protocol{model.ICMPv6}, sports, r.DestPorts, d.portless != portlessMissed)
		may = either(may, both(both(either(src.may...), either(dst.may...)), v6))
	}
	if r.UnknownMatch != "" {
		must = nothing()
	}
	return must, may
}

func member(groups, members []model.ID) bool {
	return slices.ContainsFunc(groups, func(g model.ID) bool {
		return slices.ContainsFunc(members, func(m model.ID) bool { return m.Key() == g.Key() })
	})
}

// firstMatch is what a first-match list allows in one bound; what nothing matches is denied.
func firstMatch(list []ruleMatch, b Bound) *lazy {
	return later(func(c *compiler) packet.Set { return c.s.Where(c.decide(list, b), allowed(list)) })
}

// decide maps every packet to 1 + the index of the rule that decides it in one bound.
func (c *compiler) decide(list []ruleMatch, b Bound) packet.Decision {
	leaves := make([]packet.Decision, len(list))
	for i, r := range list {
		m := r.must
		if r.allow == (b == Over) {
			m = r.may
		}
		leaves[i] = c.s.Leaf(m.get(c), packet.Value(i+1))
	}
	return c.s.Seq(leaves...)
}

func allowed(list []ruleMatch) func(packet.Value) bool {
	return func(v packet.Value) bool { return v > 0 && list[v-1].allow }
}

// side compiles the addresses of one side of a rule.
func (p *planner) side(m model.AddressMatch, at func(packet.AddrSet) *lazy, a assignment) alternatives {
	if m.Any {
		return alternatives{[]*lazy{everything()}, []*lazy{everything()}}
	}
	var out alternatives
	add := func(must, may packet.AddrSet) {
		out.must, out.may = append(out.must, at(must)), append(out.may, at(may))
	}
	if len(m.Prefixes) > 0 {
		s := p.addr.set(m.Prefixes)
		add(s.must, s.may)
	}
	for _, t := range m.Tags { // AZ-NSG-08: several tags or groups are a union
		switch p.tagKind(t) {
		case tagVNet:
			add(a.vnet.must, a.vnet.may)
			for _, t := range a.tags { // AZ-TAG-01: the tags of user routes
				l := p.inTag(t, at)
				out.must, out.may = append(out.must, l), append(out.may, l)
			}
		case tagInternet:
			must := at(a.net.must)
			for _, t := range a.tags { // ASM-INTERNET-0
				must = minus(must, p.inTag(t, at))
			}
			out.must, out.may = append(out.must, must), append(out.may, at(a.net.may))
		case tagLoadBalancer:
			s := p.addr.exactHosts(platformDNS(), probeV6()) // AZ-TAG-08, AZ-V6-07
			add(s, s)
		case tagPlatformDNS, tagPlatformIMDS: // AZ-PLAT-03; platformExceptions reads them too
			s := p.addr.exactHosts(platformHosts()[map[tagKind]int{tagPlatformDNS: 0, tagPlatformIMDS: 1}[p.tagKind(t)]])
			add(s, s)
		case tagPlatformLKM: // the hosts of the licence service are in no list here
		case tagListed:
			s := p.listedTag(t)
			add(s.must, s.may)
		case tagSymbolic:
			l := p.inTag(t, at)
			out.must, out.may = append(out.must, l), append(out.may, l)
		}
	}
	for _, g := range m.ASGs { // AZ-ASG-03: as a destination a group is its members' addresses, whatever NSG the rule stands in
		must, may := p.asgMembers(g)
		add(must, may)
	}
	if len(m.FQDNs) > 0 || len(m.IPGroups) > 0 {
		out.may = append(out.may, everything()) // no field of an NSG: what it would mean is not known
	}
	return out
}

// groupSide is a side with another reading of its groups.
func (p *planner) groupSide(m model.AddressMatch, at func(packet.AddrSet) *lazy, a assignment, group func(model.ID) (must, may *lazy)) alternatives {
	groups := m.ASGs
	m.ASGs = nil
	out := p.side(m, at, a)
	for _, g := range groups {
		must, may := group(g)
		out.must, out.may = append(out.must, must), append(out.may, may)
	}
	return out
}

// ownGroup is a group at a node: the node's addresses are its own, in its groups and in no others (AZ-ASG-05).
func (p *planner) ownGroup(g model.ID, at func(packet.AddrSet) *lazy, self *machine) (must, may *lazy) {
	in, perhaps := p.asgMembers(g)
	own := at(self.addr)
	if member([]model.ID{g}, self.filters.members) {
		return either(at(in), own), either(at(perhaps), own)
	}
	return minus(at(in), own), minus(at(perhaps), own)
}

// sentByGroup is what members of a group send. Of an address that may be a node's, or not, the sender says more: what a node or its pods
// send with an address of the node is a member's where the node is one, unless something on the way may have put an address of the same
// range there.
func (p *planner) sentByGroup(g model.ID) (must, may *lazy) {
	if m, ok := p.asgSenders[g.Key()]; ok {
		return m[0], m[1]
	}
	in, perhaps := p.asgMembers(g)
	must, may = srcIn(in), srcIn(perhaps)
	if _, possible, known := p.groupAddresses(g); len(possible) > 0 || !known {
		here, rest := must, may
		must = later(func(c *compiler) packet.Set {
			members, others := p.sentByNodes(c, g)
			return c.s.Union(c.s.Subtract(here.get(c), others), members)
		})
		may = later(func(c *compiler) packet.Set {
			members, others := p.sentByNodes(c, g)
			return c.s.Union(c.s.Subtract(rest.get(c), others), members)
		})
	}
	if p.asgSenders == nil {
		p.asgSenders = map[string][2]*lazy{}
	}
	p.asgSenders[g.Key()] = [2]*lazy{must, may}
	return must, may
}

// sentByNodes is what nodes of a group send with their addresses, and what those do that are not in it.
func (p *planner) sentByNodes(c *compiler, g model.ID) (members, others packet.Set) {
	disguises := ipset(p.disguises)
	in := func(m *machine) bool { return member([]model.ID{g}, m.filters.members) }
	for _, m := range p.machines {
		if !m.filters.node || m.cluster == nil || disguises.Overlaps(ipset(m.site.Prefixes)) || slices.ContainsFunc(p.machines, func(x *machine) bool { return p.mayMask(x, m) && in(x) != in(m) }) {
			continue
		}
		places := map[model.Place]bool{m.site.Place.Key(): true}
		for _, x := range m.cluster.pods {
			gateway := slices.ContainsFunc(p.masking[x], func(y *machine) bool { return y.shares(m) && in(y) != in(m) }) // AKS-OUT-09
			if x.node == m && (x.w.HostNetwork || m.cluster.mode == podsOverlay) && !gateway {
				places[x.site.Place.Key()] = true // and the relay that it may be
			}
		}
		var origins []packet.Range
		for i, o := range p.origins {
			if places[o.Site.Place.Key()] {
				origins = append(origins, packet.Range{Lo: uint32(i), Hi: uint32(i)})
			}
		}
		if origins == nil {
			continue
		}
		sent := c.s.Box(packet.Box{Origin: origins, Src: c.u.Addrs(m.addr)})
		if in(m) {
			members = c.s.Union(members, sent)
		} else {
			others = c.s.Union(others, sent)
		}
	}
	return members, others
}

// mayMask reports that a machine may pass on packets of another one with an address that may be that one's: an appliance does (AZ-RT-11), and
// a node for a Service whose endpoints the input does not state (K8S-SVC-02).
func (p *planner) mayMask(x, m *machine) bool {
	if x == m || !x.shares(m) {
		return false
	}
	if x.cluster != nil && slices.ContainsFunc(x.cluster.services, func(k *model.KubeService) bool { return len(k.Selector) == 0 && takenBy(x, k) }) {
		return true
	}
	_, forwards := p.vias[applianceVia(x.site.Place)]
	return forwards
}

// shares reports that an address may be either machine's.
func (m *machine) shares(x *machine) bool {
	return ipset(m.site.Prefixes).Overlaps(ipset(x.site.Prefixes))
}

// takenBy reports a Service for whose packets others come to a node: by its load balancer, a node port or an external IP that is the node's
// (K8S-SVC-06).
func takenBy(x *machine, k *model.KubeService) bool {
	return k.Type == "LoadBalancer" || k.Type == "NodePort" || slices.ContainsFunc(k.ExternalIPs, func(a netip.Addr) bool {
		return slices.ContainsFunc(x.site.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
	})
}

// behindSide matches a destination by the subnet behind a frontend. Where the filter may see the frontend as well, it widens to rules
// that match either, and narrows what they match for certain to both (AZ-AGW-10).
func (p *planner) behindSide(m model.AddressMatch, dst alternatives, d reading, a assignment) alternatives {
	alts := p.side(m, dstIn, a)
	certain, possible := either(alts.must...), either(alts.may...)
	holds := func(test func(c *compiler, subnet packet.Set) bool) *lazy {
		return later(func(c *compiler) packet.Set {
			if test(c, c.s.Box(packet.Box{Dst: c.u.Addrs(d.behind)})) {
				return c.s.All()
			}
			return packet.Set{}
		})
	}
	inside := holds(func(c *compiler, subnet packet.Set) bool { return c.s.Subset(subnet, certain.get(c)) })
	overlaps := holds(func(c *compiler, subnet packet.Set) bool { return !c.s.Disjoint(subnet, possible.get(c)) })
	if !d.dual {
		return alternatives{must: []*lazy{inside}, may: []*lazy{overlaps}}
	}
	return alternatives{
		must: []*lazy{both(either(dst.must...), inside)},
		may:  append(slices.Clone(dst.may), overlaps),
	}
}

// asgMembers are the addresses of an application security group (AZ-ASG-01). Instances of a scale set are members whose addresses
// the input does not state (AZ-ASG-05).
func (p *planner) asgMembers(g model.ID) (must, may packet.AddrSet) {
	if s, ok := p.asgs[g.Key()]; ok {
		return s.must, s.may
	}
	certain, possible, known := p.groupAddresses(g)
	s := addrs{must: p.b.AddSet("", certain)}
	s.may = s.must
	if len(possible) > 0 {
		s.may = p.b.AddSet("", slices.Concat(certain, possible, p.podsAmong(possible)))
	}
	if !known { // but for what the input holds
		s.may = p.b.AddSet("", ipset([]netip.Prefix{allV4(), allV6()}, p.stated()...).Prefixes())
	}
	p.asgs[g.Key()] = s
	return s.must, s.may
}

// podsAmong are the symbols of pods whose addresses may lie among those of a subnet's instances. Overlay pods have none of a subnet
// (AKS-NET-01).
func (p *planner) podsAmong(possible []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	among := ipset(possible)
	for _, s := range p.symbols.All() {
		if s.Kind != model.PodAddress {
			continue
		}
		if w, ok := model.Get[*model.Workload](p.e, s.Owner); ok {
			if cp := p.clusters[w.Cluster.Key()]; cp == nil || cp.mode.flat() {
				if p.podSpace(w).Overlaps(among) {
					out = append(out, host(s.Addr))
				}
			}
		}
	}
	return out
}

// groupAddresses lists the members of a group, and where instances that the input does not list may have theirs. known is false where
// the group is referenced and neither it nor a member is in the input.
func (p *planner) groupAddresses(g model.ID) (certain, possible []netip.Prefix, known bool) {
	in := func(ids []model.ID) bool { return member(ids, []model.ID{g}) }
	for _, n := range p.e.NICs {
		for _, c := range n.IPConfigs {
			if in(c.ASGs) {
				certain = append(certain, host(p.configAddr(n, c)))
			}
		}
	}
	for _, e := range p.e.Endpoints {
		if in(e.ASGs) {
			certain = append(certain, hosts(p.endpointAddrs(e))...)
		}
	}
	for _, s := range p.e.ScaleSets {
		for _, pr := range s.Profiles {
			for _, c := range pr.IPConfigs {
				if in(c.ASGs) {
					if _, ok := model.Get[*model.Subnet](p.e, c.Subnet); !ok {
						possible = append(possible, p.subnetSpace(c.Subnet).Prefixes()...)
						continue
					}
					possible = append(possible, p.rangeOf(c.Subnet)...) // of both families; who holds the others is stated
				}
			}
		}
	}
	for _, c := range p.e.Clusters {
		for _, pool := range c.Pools {
			if in(pool.ASGs) && p.poolScaleSet(c, pool.Name) == nil { // AKS-NET-12: nodes, as instances of a scale set that the input lacks
				possible = append(possible, p.nodeRange(pool.Subnet)...)
			}
		}
	}
	_, listed := model.Get[*model.ASG](p.e, g)
	return certain, possible, listed || len(certain) > 0 || len(possible) > 0
}

// stated are the addresses whose holder's groups the input states.
func (p *planner) stated() []netip.Prefix {
	var out []netip.Prefix
	for _, n := range p.e.NICs {
		for _, c := range n.IPConfigs {
			out = append(out, host(p.configAddr(n, c)))
		}
	}
	for _, e := range p.e.Endpoints {
		out = append(out, hosts(p.endpointAddrs(e))...)
	}
	return out
}

// platformExceptions are the flows to host addresses that an NSG does not filter (AZ-PLAT-01 to 03): the agent's ports never, DNS and
// metadata unless an outbound Deny names their tag.
func (p *planner) platformExceptions(rules []model.SecurityRule, g guard, evaluate func([]model.SecurityRule) guard) guard {
	x := p.exempt()
	platform := dstIn(p.addr.exactHosts(platformHosts()...))
	filtered := both(platform, minus(everything(), x.tagged()))
	over, under := []*lazy{minus(g.over, platform), x.pass, x.older, both(g.over, filtered)}, []*lazy{minus(g.under, platform), x.pass, both(g.under, filtered)}
	for _, s := range x.services {
		kept := p.platformRules(rules, s.tag)
		if kept == nil {
			over, under = append(over, s.flows), append(under, s.flows)
			continue
		}
		e := evaluate(kept)
		over, under = append(over, both(s.flows, e.over)), append(under, both(s.flows, e.under))
	}
	return guard{over: either(over...), under: either(under...)}
}

// platformRules is a list for a platform service: a Deny that does not name the service's tag does not count, and what no rule decides
// passes (AZ-PLAT-03). Nil where no Deny names it.
func (p *planner) platformRules(rules []model.SecurityRule, tag tagKind) []model.SecurityRule {
	named := false
	kept := slices.DeleteFunc(slices.Clone(rules), func(r model.SecurityRule) bool {
		tagged := slices.ContainsFunc(r.DestAddrs.Tags, func(t string) bool { return p.tagKind(t) == tag })
		named = named || tagged && r.Access == model.Deny
		return r.Access == model.Deny && !tagged
	})
	if !named {
		return nil
	}
	anywhere := model.AddressMatch{Any: true}
	return append(kept, model.SecurityRule{Priority: math.MaxInt, Direction: model.Outbound, Access: model.Allow, Protocol: model.AnyProtocol, SourceAddrs: anywhere, DestAddrs: anywhere})
}

// exemption is the flows to host addresses that a list does not decide.
type exemption struct {
	pass     *lazy // whatever rules say
	older    *lazy // likewise, by an older text (AZ-PLAT-02)
	services []platformService
}

// platformService is the flows that rules for a tag of the platform alone decide (AZ-PLAT-03).
type platformService struct {
	tag   tagKind
	flows *lazy
}

// tagged is the flows of all services.
func (x exemption) tagged() *lazy {
	var out []*lazy
	for _, s := range x.services {
		out = append(out, s.flows)
	}
	return either(out...)
}

func (p *planner) exempt() exemption {
	dns, imds := p.addr.exactHosts(platformDNS()), p.addr.exactHosts(platformIMDS())
	udp := []model.Protocol{model.UDP}
	return exemption{
		pass:  either(both(dstIn(dns), tcpTo(80, 32526)), both(dstIn(dns), transport(udp, nil, []model.PortRange{{First: 67, Last: 67}}, false))),
		older: both(dstIn(dns), tcpTo(443)),
		services: []platformService{
			{tagPlatformDNS, both(dstIn(dns), transport([]model.Protocol{model.TCP, model.UDP}, nil, []model.PortRange{{First: 53, Last: 53}}, false))},
			{tagPlatformIMDS, dstIn(imds)},
		},
	}
}

// bound is how stages spell a direction.
func bound(d model.Direction) string {
	if d == model.Outbound {
		return "outbound"
	}
	return "inbound"
}

// outbound and inbound are the filters of a NIC: admin rules (AZ-AVNM-01), NIC NSG and subnet NSG, both must allow (AZ-NSG-11).
func (p *planner) outbound(s filtered) (guard, []string) {
	return p.filters(s, model.Outbound, reading{})
}

func (p *planner) inbound(s filtered) (guard, []string) {
	return p.filters(s, model.Inbound, reading{})
}

// sends is the outbound filters of what a machine sends from its own address, receives the inbound ones of what is for it.
func (p *planner) sends(m *machine) (guard, []string) {
	return p.filters(m.filters, model.Outbound, m.reading())
}

func (p *planner) receives(m *machine) (guard, []string) {
	return p.filters(m.filters, model.Inbound, m.reading())
}

// reading is how filters read the machine's own addresses: of what a node sends or gets they are its own, and no other machine's.
func (m *machine) reading() reading {
	if m.filters.node {
		return reading{self: m}
	}
	return reading{}
}

// of is a reading of packets that come of a Service's frontend.
func (r reading) of(k *model.KubeService) reading {
	r.service = k
	return r
}

// filtered says which filters stand at a NIC.
type filtered struct {
	subnet  model.ID
	nicNSG  model.ID
	members []model.ID     // ASGs
	nic     model.ID       // the NIC, where the input has effective rules or routes of it
	node    bool           // of a cluster
	managed *model.Cluster // of an AKS node whose managed NSG is not in the input (AKS-LB-01)
	blocked bool           // outboundType block: that NSG may close egress (AKS-OUT-01)
	at      model.Place    // who is filtered, where that is known
	stops   []string       // what was not understood of the NIC or scale set (AZ-GEN-08)
}

// key is equal for NICs that meet the same filters.
func (f filtered) key() string {
	groups := make([]string, len(f.members))
	for i, m := range f.members {
		groups[i] = m.Key()
	}
	slices.Sort(groups)
	return f.subnet.Key() + "|" + f.nicNSG.Key() + "|" + strings.Join(groups, ",") + "|" + f.nic.Key() + "|" + strings.Join(f.stops, ",")
}

// hasNSG reports whether any NSG stands at the NIC (AZ-PIP-02).
func (p *planner) hasNSG(f filtered) bool {
	return f.nicNSG != "" || f.managed != nil || p.subnetNSG(f.subnet) != ""
}

// subnetNSG is the NSG that acts at a subnet; platform subnets take none (AZ-NSG-20).
func (p *planner) subnetNSG(id model.ID) model.ID {
	s, ok := model.Get[*model.Subnet](p.e, id)
	if !ok {
		return ""
	}
	switch strings.ToLower(s.Name()) {
	case "gatewaysubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet", "routeserversubnet":
		return ""
	default:
		return s.NSG
	}
}

// filters are the controls of a NIC in one direction: admin rules, then both NSGs, which must both allow (AZ-GEN-06 stages 1 to 3 and 8
// to 10).
func (p *planner) filters(f filtered, dir model.Direction, d reading) (guard, []string) {
	nic, notes := p.nicFilter(f, dir, d)
	sub, more := p.subnetFilter(f, dir, d)
	notes = append(slices.Clone(notes), more...)
	g := and(nic, sub)
	if a := p.adminAt(f, dir, d); a != nil {
		g, notes = a.before(g), append(notes, a.notes...)
	}
	fog, more := p.fogOf(f)
	g, notes = and(g, fog), append(notes, more...)
	slices.Sort(notes)
	return g, slices.Compact(notes)
}

// nicFilter is the NSG of the NIC.
func (p *planner) nicFilter(f filtered, dir model.Direction, d reading) (guard, []string) {
	switch {
	case f.nicNSG != "":
		l := p.nsg(f.nicNSG, dir, p.context(f.subnet, f.nic), f.members, d)
		return l.at("nic-nsg-"+bound(dir), f.at), l.notes
	case f.managed != nil:
		// AKS-LB-01: the NSG exists; over admits everything, under has the least that it holds.
		l := p.managedRules(f, dir, p.context(f.subnet, f.nic), d)
		g, notes := guard{over: everything(), under: l.guard.under}, []string{"ASM-A-NODENSG"}
		if f.blocked && dir == model.Outbound {
			g.under, notes = minus(g.under, dstIn(p.addr.public)), append(notes, "ASM-A-BLOCK")
		}
		return g, notes
	default:
		return guard{}, nil
	}
}

// subnetFilter is the NSG of the subnet.
func (p *planner) subnetFilter(f filtered, dir model.Direction, d reading) (guard, []string) {
	ctx := p.context(f.subnet, f.nic)
	var g guard
	var notes []string
	if id := p.subnetNSG(f.subnet); id != "" {
		l := p.nsg(id, dir, ctx, f.members, d)
		g, notes = l.at("subnet-nsg-"+bound(dir), model.Place{Kind: model.PlaceSubnet, ID: f.subnet}), append(notes, l.notes...)
	}
	if _, ok := model.Get[*model.Subnet](p.e, f.subnet); !ok {
		return guard{over: everything(), under: nothing()}, []string{missing("subnet", f.subnet)}
	}
	return g, notes
}

// managedRules is the least that the NSG of a cluster's nodes holds: the default rules (AZ-NSG-03), those for the host ports of its pools
// (AKS-NET-09), and those of the Service of whose frontend the packets come (AKS-LB-03).
func (p *planner) managedRules(f filtered, dir model.Direction, ctx *subnetContext, d reading) filterList {
	key := "managed|" + f.managed.ID.Key() + "|" + dir.String() + "|" + ctx.key + d.key()
	if l, ok := p.lists[key]; ok {
		return *l
	}
	rules := model.DefaultRules()
	if dir == model.Inbound {
		rules = slices.Concat(serviceRules(d.service), hostPortRules(f.managed), rules)
	}
	rules = slices.DeleteFunc(rules, func(r model.SecurityRule) bool { return r.Direction != dir })
	g, _ := p.evaluate(rules, dir, ctx, nil, d)
	if dir == model.Outbound {
		g = p.platformExceptions(rules, g, func(kept []model.SecurityRule) guard {
			without, _ := p.evaluate(kept, dir, ctx, nil, d)
			return without
		})
	}
	l := &filterList{guard: g}
	p.lists[key] = l
	return *l
}
