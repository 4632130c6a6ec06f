package dataplane

import (
	"fmt"
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// Rulebook compiles rules of NSGs by themselves, apart from any graph: what each of them matches, for questions about rules rather than
// about packets on their way. It reads an estate once; not safe for concurrent use.
type Rulebook struct {
	base   *planner
	groups []symbolGroup
}

// reader is a planner that knows surroundings and nothing else: it plans no graph.
func reader(e *model.Estate, tags *model.ServiceTags) *planner {
	p := &planner{
		e: e, o: Options{Tags: tags}, symbols: e.Symbols(), links: map[*model.VNet][]peerLink{}, gateways: map[*model.VNet][]gatewayUse{}, sides: map[string][]farSide{},
		observed: observedNICs(e), contexts: map[string]*subnetContext{}, admin: map[string][]adminList{}, unknown: map[string][]string{}, serviceTag: map[string]*netipx.IPSet{},
	}
	p.planGroups()
	p.readTags()
	return p
}

// NewRulebook reads what rules depend on. tags may be nil: service tags are symbolic then (AZ-TAG-09).
func NewRulebook(e *model.Estate, tags *model.ServiceTags) *Rulebook {
	b := &Rulebook{base: reader(e, tags)}
	// A rule's prefix holds real addresses, whoever has them. Only the members of a group whose address is not stated, and the doors
	// that a tag holds for certain, need a stand-in.
	grouped := map[string]bool{}
	for _, n := range e.NICs {
		for _, c := range n.IPConfigs {
			if len(c.ASGs) > 0 {
				grouped[n.ID.Key()] = true
			}
		}
	}
	for _, x := range e.Endpoints {
		if len(x.ASGs) > 0 {
			grouped[x.ID.Key()] = true
		}
	}
	b.groups = b.base.groupSymbols(func(s model.Symbol) bool { return s.Kind == model.ServiceDoor || grouped[s.Owner.Key()] })
	return b
}

// observedNICs lists, by the subnet's key, the NICs of which the input has effective rules or routes (AZ-TAG-04, AZ-RT-33).
func observedNICs(e *model.Estate) map[string][]model.ID {
	out := map[string][]model.ID{}
	for _, n := range e.NICs {
		for _, c := range n.IPConfigs {
			if key := c.Subnet.Key(); (e.RulesAt(n.ID, c.Subnet) != nil || e.RoutesAt(n.ID) != nil) && !slices.Contains(out[key], n.ID) {
				out[key] = append(out[key], n.ID)
			}
		}
	}
	return out
}

// surroundings are those of a subnet's NICs: of one that the input describes alone, and of those whose effective rules or routes it has.
func (p *planner) surroundings(subnet model.ID) []*subnetContext {
	out := []*subnetContext{p.context(subnet, "")}
	for _, nic := range p.observed[subnet.Key()] {
		if c := p.context(subnet, nic); !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// planner is a planner for one space. What it registers there must not stay with the surroundings, which all spaces share.
func (b *Rulebook) planner(lists []RuleList) *planner {
	p := *b.base
	p.contexts = map[string]*subnetContext{}
	for _, l := range lists {
		for _, id := range l.Subnets {
			for _, at := range b.base.surroundings(id) {
				c := *at
				c.readings = nil
				p.contexts[c.key] = &c
			}
		}
	}
	p.b, p.asgs, p.symbolic = packet.NewBuilder(), map[string]addrs{}, map[string]bool{}
	p.doorSets, p.nameSet, p.stages = map[string]packet.AddrSet{}, map[string]bool{}, map[string]*adminStage{}
	p.addr = newAddressPlan(p.b, b.groups, netip.Addr{})
	real := []netip.Prefix{allV4()} // and the stand-ins in use
	for _, g := range b.groups {
		real = append(real, g.members...)
	}
	p.addr.v4 = p.b.AddSet("", real)
	p.podsEver = p.b.AddSet("", nil)
	p.planDoors()
	return &p
}

// RuleList names the rules of one NSG in one direction.
type RuleList struct {
	NSG       *model.NSG
	Direction model.Direction
	// Subnets are those of the NICs that the list filters: tags are computed where a rule is evaluated (AZ-TAG-01). Of none, or of one
	// that the input lacks, nothing is known of its surroundings.
	Subnets []model.ID
	// Near is the addresses that packets at those NICs can carry on their side; nil: any.
	Near []netip.Prefix
}

// RuleSpace is some lists, compiled into one packet space.
type RuleSpace struct {
	*packet.Space
	Lists []RuleTable
}

// RuleTable is a compiled list.
type RuleTable struct {
	Rules []model.SecurityRule // by ascending priority, default rules last
	// Packets are those that come before the list: with one family, a protocol that Azure carries, near addresses. Left out are flows
	// to host addresses that no rule for an address decides (AZ-PLAT-01 to 03); Exempt holds those.
	Packets, Exempt packet.Set
	// Readings are the readings of what is not known: the tags at each subnet (AZ-GEN-01), and ports of packets without any
	// (AZ-NSG-07). What holds in each of them holds for certain.
	Readings [][]RuleMatch // by reading, then by rule
	Admin    AdminRules
}

// AdminRules is what security admin rules do, before the list, at some of the places where it stands (AZ-AVNM-02). Each set is the packets
// that may be treated so.
type AdminRules struct {
	Asks    packet.Set // comes up to the NSGs
	Accepts packet.Set // passes, whatever the NSGs say
	Drops   packet.Set
	Rules   []AdminMatch
}

// AdminMatch is a security admin rule that may be in force, and what it may match.
type AdminMatch struct {
	*model.AdminRule
	May packet.Set
}

// RuleMatch is the two bounds of what a rule matches in one reading: must ⊆ truth ⊆ may.
type RuleMatch struct{ Must, May packet.Set }

// Compile compiles lists into one space. The error is a packet.ErrBudget, or says that the lists name too many tags without a list.
func (b *Rulebook) Compile(lists ...RuleList) (*RuleSpace, error) {
	p := b.planner(lists)
	type plan struct {
		near, exempt *lazy
		readings     [][]ruleMatch
		admin        adminPlan
	}
	out := &RuleSpace{Lists: make([]RuleTable, len(lists))}
	plans := make([]plan, len(lists))
	for i, l := range lists {
		t := &out.Lists[i]
		for _, r := range l.NSG.Rules {
			if r.Direction == l.Direction {
				t.Rules = append(t.Rules, r)
			}
		}
		slices.SortStableFunc(t.Rules, func(a, b model.SecurityRule) int { return a.Priority - b.Priority }) // AZ-NSG-02
		near := srcIn
		if l.Direction == model.Inbound {
			near = dstIn
		}
		plans[i] = plan{near: everything(), exempt: nothing(), readings: p.ruleReadings(t.Rules, l), admin: p.adminPlan(l)}
		if l.Near != nil {
			plans[i].near = near(p.addr.set(l.Near).may)
		}
		if l.Direction == model.Outbound {
			x := p.exempt()
			plans[i].exempt = either(x.pass, x.tagged())
		}
	}
	if n := len(p.symbolic); n > packet.MaxTags {
		return nil, fmt.Errorf("%w: %d service tags without a list, at most %d are told apart", packet.ErrBudget, n, packet.MaxTags)
	}
	u := p.b.Freeze()
	c := &compiler{s: packet.NewSpace(u, packet.Limits{}), u: u}
	out.Space = c.s
	wire := p.wire(c)
	for i, x := range plans {
		t := &out.Lists[i]
		t.Exempt = c.s.Intersect(wire, x.exempt.get(c))
		t.Packets = c.s.Subtract(c.s.Intersect(wire, x.near.get(c)), t.Exempt)
		t.Admin = AdminRules{Asks: x.admin.asks.get(c), Accepts: x.admin.accepts.get(c), Drops: x.admin.drops.get(c)}
		for k, r := range x.admin.rules {
			t.Admin.Rules = append(t.Admin.Rules, AdminMatch{r, x.admin.may[k].get(c)})
		}
		for _, list := range x.readings {
			row := make([]RuleMatch, len(list))
			for k, m := range list {
				row[k] = RuleMatch{Must: m.must.get(c), May: m.may.get(c)}
			}
			t.Readings = append(t.Readings, row)
		}
	}
	return out, c.s.Err()
}

// adminPlan is AdminRules before the freeze.
type adminPlan struct {
	asks, accepts, drops *lazy
	rules                []*model.AdminRule
	may                  []*lazy
}

func (p *planner) adminPlan(l RuleList) adminPlan {
	var asks, accepts, drops []*lazy
	var out adminPlan
	for _, id := range l.Subnets {
		s, v := p.e.SubnetOf(id)
		if s == nil || v == nil {
			asks = append(asks, everything())
			continue
		}
		for _, nic := range append(slices.Clone(p.observed[id.Key()]), "") {
			a := p.adminAt(filtered{subnet: id, nic: nic}, l.Direction, reading{})
			if a == nil {
				asks = append(asks, everything())
				continue
			}
			asks, accepts, drops = append(asks, a.goOn, a.allow), append(accepts, a.always), append(drops, a.deny)
		}
		for _, list := range p.adminLists(v) {
			for _, r := range list.rules {
				if r.Direction != l.Direction || slices.Contains(out.rules, r.AdminRule) {
					continue
				}
				var may []*lazy
				for _, c := range p.surroundings(id) {
					for _, tags := range p.assignments(c) {
						_, m := p.matchOf(r.SecurityRule, tags, reading{})
						may = append(may, m)
					}
				}
				out.rules, out.may = append(out.rules, r.AdminRule), append(out.may, either(may...))
			}
		}
	}
	if len(l.Subnets) == 0 {
		asks = append(asks, everything())
	}
	out.asks, out.accepts, out.drops = either(asks...), either(accepts...), either(drops...)
	return out
}

// tagReading is one reading of the tags. Rules of the platform and of people read them alike but for pods (K8S-AZ-06).
type tagReading struct{ custom, byDefault assignment }

// ruleReadings plans a list in every reading. Rules that no unknown touches are planned once.
func (p *planner) ruleReadings(rules []model.SecurityRule, l RuleList) [][]ruleMatch {
	portless := []portlessReading{portlessOpen}
	if slices.ContainsFunc(rules, asksPortsOfPortless) {
		portless = []portlessReading{portlessMatched, portlessMissed}
	}
	var out [][]ruleMatch
	fixed := make([]*ruleMatch, len(rules))
	for _, tags := range p.tagReadings(l.Subnets, p.oneInternet(rules)) {
		for _, of := range portless {
			list := make([]ruleMatch, len(rules))
			for i, r := range rules {
				if fixed[i] != nil {
					list[i] = *fixed[i]
					continue
				}
				a, d := tags.custom, portlessOpen
				if r.Default {
					a = tags.byDefault
				}
				if asksPortsOfPortless(r) {
					d = of
				}
				m := ruleMatch{allow: r.Access != model.Deny}
				m.must, m.may = p.matchOf(r, a, reading{portless: d})
				if l.Direction == model.Inbound && !m.allow && len(r.SourceAddrs.ASGs) > 0 {
					m.must = nothing() // ASM-ASG: some NIC is no member
				}
				list[i] = m
				if one := []model.SecurityRule{r}; d == portlessOpen && !p.usesTag(one, tagVNet) && !p.usesTag(one, tagInternet) {
					fixed[i] = &list[i]
				}
			}
			out = append(out, list)
		}
	}
	return out
}

// tagReadings lists the readings of the tags at some subnets, equal ones once. Where nodes of an overlay cluster are, packets between
// its pods come by as well. With oneInternet, what Internet may hold is wholly in or wholly out (AZ-GEN-01).
func (p *planner) tagReadings(subnets []model.ID, oneInternet bool) []tagReading {
	var out []tagReading
	seen := map[string]bool{}
	note := func(custom, byDefault assignment) {
		custom.register(p)
		byDefault.register(p)
		key := ""
		for _, a := range []assignment{custom, byDefault} {
			for _, s := range []*netipx.IPSet{a.vnetMust, a.vnetMay, a.netMust, a.netMay} {
				key += setKey(s) + "|"
			}
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, tagReading{custom, byDefault})
		}
	}
	add := func(custom, byDefault assignment) {
		if !oneInternet {
			note(custom, byDefault)
			return
		}
		note(custom.withInternet(custom.netMust), byDefault.withInternet(byDefault.netMust))
		note(custom.withInternet(custom.netMay), byDefault.withInternet(byDefault.netMay))
	}
	for _, id := range subnets {
		s, v := p.e.SubnetOf(id)
		if s == nil || v == nil || v.Partial {
			add(unknownTags(), unknownTags())
			continue
		}
		if slices.ContainsFunc(p.peers(v), func(l peerLink) bool { return len(l.prefixes()) == 0 }) {
			add(unknownTags(), unknownTags()) // a peer whose ranges the input does not state is in the tag (AZ-TAG-01)
		}
		for _, c := range p.surroundings(id) {
			for _, a := range p.assignments(c) {
				add(a, a)
				for _, pods := range p.overlaysIn(id) {
					with := a.withPods(p, pods, true)
					add(a, with)
					add(with, with) // ASM-K-PODCIDR-TAG
				}
			}
		}
	}
	if len(out) == 0 {
		add(unknownTags(), unknownTags())
	}
	return out
}

// withInternet is the reading in which Internet is one set.
func (a assignment) withInternet(s *netipx.IPSet) assignment {
	a.netMust, a.netMay = s, s
	return a
}

// oneInternet reports whether rules name Internet on one side alone. Then it is asked about one address of a packet, which is in it or
// not, in every rule.
func (p *planner) oneInternet(rules []model.SecurityRule) bool {
	var from, to bool
	for _, r := range rules {
		names := func(m model.AddressMatch) bool {
			return slices.ContainsFunc(m.Tags, func(t string) bool { return p.tagKind(t) == tagInternet })
		}
		from, to = from || names(r.SourceAddrs), to || names(r.DestAddrs)
	}
	return from != to
}

// overlaysIn is the pod ranges of the overlay clusters with nodes in a subnet.
func (p *planner) overlaysIn(subnet model.ID) []*netipx.IPSet {
	var out []*netipx.IPSet
	for _, c := range p.e.Clusters {
		if modeOf(c) == podsOverlay && slices.ContainsFunc(c.Pools, func(n model.NodePool) bool { return n.Subnet.Key() == subnet.Key() }) {
			out = append(out, ipset(podCIDRs(c)))
		}
	}
	return out
}

// asksPortsOfPortless reports whether a rule names ports and may match protocols without ports (AZ-NSG-07).
func asksPortsOfPortless(r model.SecurityRule) bool {
	return (!allPorts(r.SourcePorts) || !allPorts(r.DestPorts)) && (r.Protocol == model.AnyProtocol || !r.Protocol.HasPorts())
}

// unknownTags is the tags where the surroundings are not known: VirtualNetwork holds the host address and may hold anything, Internet is
// never private (AZ-TAG-06).
func unknownTags() assignment {
	everywhere := ipset([]netip.Prefix{allV4(), allV6()})
	return assignment{
		vnetMust: ipset([]netip.Prefix{host(platformDNS())}), vnetMay: everywhere,
		netMust: ipset(nil), netMay: minusSet(everywhere, ipset(rfc1918()), ipset([]netip.Prefix{host(platformDNS())})),
	}
}
