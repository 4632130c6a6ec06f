package lint

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// comparison is what rules of NSGs are found to be when each is held against the others, packet for packet.
type comparison struct{ shadowed, redundant, unused, wide, overruled []fact }

// compare holds the rules of every NSG against each other. What it says holds in every reading of what is not known (AZ-GEN-01), at every
// place where the NSG stands. Left out are NSGs that AKS writes (AKS-LB-01), those that hold something which was not understood, and
// those too large for the budget of a packet space.
func (r *reader) compare() *comparison {
	if r.judged != nil {
		return r.judged
	}
	r.judged = &comparison{}
	book := dataplane.NewRulebook(r.e, r.p.Tags)
	for _, g := range r.e.NSGs {
		if g.Managed || r.only != nil && !r.only[g.ID.Key()] || r.foggy(g.ID) || !slices.ContainsFunc(g.Rules, func(u model.SecurityRule) bool { return !u.Default }) {
			continue
		}
		post := r.postOf(g)
		var lists []dataplane.RuleList
		for _, d := range []model.Direction{model.Inbound, model.Outbound} {
			if !samePriority(g, d) {
				lists = append(lists, dataplane.RuleList{NSG: g, Direction: d, Subnets: post.subnets, Near: post.near})
			}
		}
		space, err := book.Compile(lists...)
		if err != nil {
			continue
		}
		for i, l := range lists {
			w := &ruleWork{reader: r, nsg: g, direction: l.Direction, post: post, space: space, table: &space.Lists[i]}
			w.run(r.judged)
			w.overruledByAdmin(r.judged)
			r.overrule(book, w)
		}
	}
	return r.judged
}

// samePriority reports whether two rules of a direction that people wrote have one priority: their order is not known (AZ-NSG-02).
func samePriority(g *model.NSG, d model.Direction) bool {
	seen := map[int]bool{}
	for _, u := range g.Rules {
		if u.Direction != d || u.Default {
			continue
		}
		if seen[u.Priority] {
			return true
		}
		seen[u.Priority] = true
	}
	return false
}

// post is where an NSG stands.
type post struct {
	subnets []model.ID     // those whose NICs it filters
	near    []netip.Prefix // the addresses that their packets can carry on their side; nil: any
	what    []string       // subnets and interfaces, as people name them
}

func (r *reader) postOf(g *model.NSG) post {
	p := post{what: r.guarded[g.ID.Key()], near: []netip.Prefix{}}
	known := true
	stand := func(subnet model.ID, near []netip.Prefix, ok bool) {
		if !slices.Contains(p.subnets, subnet) {
			p.subnets = append(p.subnets, subnet)
		}
		p.near, known = append(p.near, near...), known && ok
	}
	for _, s := range r.behind[g.ID.Key()] {
		if !ignoresNSG(s) {
			near, ok := r.addressesIn(s)
			stand(s.ID, near, ok)
		}
	}
	for _, n := range r.worn[g.ID.Key()] {
		for _, c := range n.IPConfigs {
			near, ok := r.addressesAt(n, c)
			stand(c.Subnet, near, ok)
		}
	}
	for _, set := range r.e.ScaleSets {
		for _, profile := range set.Profiles {
			if profile.NSG.Key() != g.ID.Key() {
				continue
			}
			for _, c := range profile.IPConfigs {
				s, ok := model.Get[*model.Subnet](r.e, c.Subnet)
				if !ok {
					stand(c.Subnet, nil, false)
					continue
				}
				near, ok := r.addressesIn(s)
				stand(c.Subnet, near, ok)
			}
		}
	}
	if !known || len(p.near) == 0 {
		p.near = nil
	}
	return p
}

// addressesIn returns the addresses that packets at the NICs of a subnet carry on their side: those of the subnet (AZ-NSG-16,
// AZ-RT-10), whoever comes next included (AZ-GEN-07). ok is false where others may occur: transit through machines that forward, pods,
// floating addresses (AZ-LB-05), frontends of an application gateway (AZ-AGW-10), services that Azure puts there; and where nothing is
// known to be in the subnet, so that it may be one for appliances.
func (r *reader) addressesIn(s *model.Subnet) (near []netip.Prefix, ok bool) {
	t := r.in(s.ID)
	switch {
	case len(t.pools)+len(t.gateways)+len(s.Delegations) > 0, len(t.nics)+len(t.sets)+len(t.endpoints) == 0, r.floats[s.ID.Key()]:
		return nil, false
	case slices.ContainsFunc(t.nics, func(n *model.NIC) bool { return r.mayForward(n.IPForwarding) }):
		return nil, false
	case slices.ContainsFunc(t.sets, func(set *model.ScaleSet) bool {
		return set.Managed || slices.ContainsFunc(set.Profiles, func(p model.NICProfile) bool { return r.mayForward(p.IPForwarding) })
	}):
		return nil, false
	}
	return s.Prefixes, len(s.Prefixes) > 0
}

// addressesAt is addressesIn for one IP configuration.
func (r *reader) addressesAt(n *model.NIC, c model.IPConfig) (near []netip.Prefix, ok bool) {
	s, found := model.Get[*model.Subnet](r.e, c.Subnet)
	switch {
	case !found || r.mayForward(n.IPForwarding) || r.floats[c.Subnet.Key()]:
		return nil, false
	case c.Address.IsValid():
		return []netip.Prefix{netip.PrefixFrom(c.Address, c.Address.BitLen())}, true
	default:
		return s.Prefixes, len(s.Prefixes) > 0
	}
}

// mayForward reports whether a NIC takes packets of others (AZ-RT-10). Where the input does not say, it may if the estate has routes to
// appliances at all.
func (r *reader) mayForward(s model.Setting) bool {
	return s == model.On || s == model.NotStated && len(r.steers) > 0
}

// readFloats notes the subnets with members of a pool whose load balancer leaves the frontend's address in the packet (AZ-LB-05).
func (r *reader) readFloats() {
	for _, lb := range r.e.LoadBalancers {
		if !slices.ContainsFunc(lb.Rules, func(x model.LBRule) bool { return x.FloatingIP == model.On }) &&
			!slices.ContainsFunc(lb.NATRules, func(x model.LBNATRule) bool { return x.FloatingIP == model.On }) {
			continue
		}
		ours := func(id model.ID) bool {
			return slices.ContainsFunc(lb.Pools, func(p model.LBPool) bool { return p.ID.Key() == id.Key() }) ||
				slices.ContainsFunc(lb.NATRules, func(x model.LBNATRule) bool { return x.ID.Key() == id.Key() })
		}
		mark := func(c model.IPConfig, self model.ID) {
			named := slices.ContainsFunc(lb.Pools, func(p model.LBPool) bool {
				return slices.ContainsFunc(p.IPConfigs, func(id model.ID) bool { return id.Key() == self.Key() })
			}) || slices.ContainsFunc(lb.NATRules, func(x model.LBNATRule) bool { return x.Target.Key() == self.Key() })
			if named || slices.ContainsFunc(c.LBPools, ours) || slices.ContainsFunc(c.NATRules, ours) {
				r.floats[c.Subnet.Key()] = true
			}
		}
		for _, n := range r.e.NICs {
			for _, c := range n.IPConfigs {
				mark(c, n.ID+"/ipConfigurations/"+model.ID(c.Name))
			}
		}
		for _, s := range r.e.ScaleSets {
			for _, profile := range s.Profiles {
				for _, c := range profile.IPConfigs {
					mark(c, "")
				}
			}
		}
		for _, p := range lb.Pools {
			for _, a := range p.Addresses {
				for _, s := range r.e.Subnets {
					if a.Subnet.Key() == s.ID.Key() || within(a.Address, s.Prefixes) {
						r.floats[s.ID.Key()] = true
					}
				}
			}
		}
	}
}

// ruleWork is the comparison of one list: the rules of one NSG in one direction.
type ruleWork struct {
	*reader
	nsg       *model.NSG
	direction model.Direction
	post      post
	space     *dataplane.RuleSpace
	table     *dataplane.RuleTable
	before    []*packet.List // by reading: the rules as first match, each by what it matches for certain
	state     []ruleState
}

// ruleState is what became of a rule.
type ruleState uint8

const (
	ruleActs ruleState = iota
	ruleDead           // no packet is left for it, or its packets fare the same without it
)

// certainly lists the rules of each reading as first match, by what they match for certain.
func certainly(s *dataplane.RuleSpace, t *dataplane.RuleTable) []*packet.List {
	out := make([]*packet.List, len(t.Readings))
	for k, reading := range t.Readings {
		leaves := make([]packet.Decision, len(reading))
		for i, m := range reading {
			leaves[i] = s.Leaf(m.Must, packet.Value(i+1))
		}
		out[k] = s.List(leaves...)
	}
	return out
}

func (w *ruleWork) run(out *comparison) {
	s := w.space
	w.state = make([]ruleState, len(w.table.Rules))
	w.before = certainly(s, w.table)
	var shadowed, redundant, unused, open []fact
	for i, u := range w.table.Rules {
		if u.Default || onlyPlatform(u) {
			continue
		}
		if why, ok := w.unmatched(i); ok {
			w.state[i] = ruleDead
			if why != "" {
				unused = append(unused, w.unusedFact(u, why))
			}
			continue
		}
		if cover, ok := w.covered(i); ok {
			w.state[i] = ruleDead
			if f := w.shadowedFact(i, cover); f.severity != Note || !w.demanded(u) {
				shadowed = append(shadowed, f)
			}
			continue
		}
		if ports := w.width(i); ports > 0 {
			open = append(open, w.wideFact(u, ports))
		}
	}
	gone := w.removable()
	for _, i := range slices.Sorted(maps.Keys(gone)) {
		redundant = append(redundant, w.redundantFact(i, gone[i]))
	}
	if s.Err() != nil {
		return
	}
	out.shadowed, out.redundant = append(out.shadowed, shadowed...), append(out.redundant, redundant...)
	out.unused, out.wide = append(out.unused, unused...), append(out.wide, open...)
}

// onlyPlatform reports whether a rule acts on traffic to the platform alone, which no address stands for (AZ-PLAT-03).
func onlyPlatform(u model.SecurityRule) bool {
	return slices.ContainsFunc(append(slices.Clone(u.SourceAddrs.Tags), u.DestAddrs.Tags...), func(t string) bool {
		return strings.HasPrefix(strings.ToLower(t), "azureplatform")
	})
}

// demanded reports whether a service of Azure wrote a rule or demands it, needed or not: just-in-time access, services with a network
// intent, Bastion (AZ-BAS-02).
func (w *ruleWork) demanded(u model.SecurityRule) bool {
	return jitRule(u) || w.onlyBastion(w.nsg) || strings.HasPrefix(strings.ToLower(u.Name), "microsoft.")
}

// mayTake is what a rule may match of the packets that come before the list.
func (w *ruleWork) mayTake(k, i int) packet.Set {
	return w.space.Intersect(w.table.Readings[k][i].May, w.table.Packets)
}

// left is what earlier rules surely leave to a rule.
func (w *ruleWork) left(k, i int) packet.Set {
	taken := w.space.Where(w.before[k].Before(i), func(v packet.Value) bool { return v > 0 })
	return w.space.Subtract(w.mayTake(k, i), taken)
}

// unmatched reports whether no packet that comes before the list can match a rule, and says why; it says nothing where another finding
// does (rule-asg-without-members).
func (w *ruleWork) unmatched(i int) (why string, ok bool) {
	anywhere, platform := false, false
	for k := range w.table.Readings {
		may := w.table.Readings[k][i].May
		if !w.space.Disjoint(may, w.table.Packets) {
			return "", false
		}
		anywhere = anywhere || !may.Empty()
		platform = platform || !w.space.Disjoint(may, w.table.Exempt)
	}
	u := w.table.Rules[i]
	near, side := u.DestAddrs, "destination"
	if w.direction == model.Outbound {
		near, side = u.SourceAddrs, "source"
	}
	empty := func(m model.AddressMatch) bool {
		return len(m.ASGs) > 0 && !slices.ContainsFunc(m.ASGs, func(id model.ID) bool { return w.members[id.Key()] })
	}
	switch {
	case u.UnknownMatch != "" || u.SourceAddrs.IsZero() || u.DestAddrs.IsZero() || empty(u.SourceAddrs) || empty(u.DestAddrs):
		return "", true
	case platform:
		return "its packets to the platform's own addresses are not filtered by rules that name addresses, and it matches no others", true
	case !anywhere:
		return "no packet has both its protocol and its addresses", true
	default:
		return fmt.Sprintf("its %s, %s, holds none of the addresses that packets of %s have there", side, addresses(near), join(w.post.what)), true
	}
}

// covered reports whether earlier rules take every packet of a rule, and lists them.
func (w *ruleWork) covered(i int) (cover []int, ok bool) {
	seen := map[int]bool{}
	for k := range w.table.Readings {
		if !w.left(k, i).Empty() {
			return nil, false
		}
		for _, v := range w.space.Values(w.space.Within(w.before[k].Before(i), w.mayTake(k, i))) {
			seen[int(v)-1] = true
		}
	}
	for j := range i {
		if seen[j] {
			cover = append(cover, j)
		}
	}
	return cover, true
}

// removable finds rules without which every packet fares the same, and for each of them the rules that decide its packets instead. All
// of them can go together: each is judged without those behind it that can go, and without what is dead already.
func (w *ruleWork) removable() map[int][]int {
	s := w.space
	type tail struct{ over, under packet.Set } // what the rules behind allow
	tails := make([]tail, len(w.table.Readings))
	out := map[int][]int{}
	if w.portsDiffer() {
		return out
	}
	for i := len(w.table.Rules) - 1; i >= 0; i-- {
		u := w.table.Rules[i]
		if w.state[i] == ruleDead {
			continue
		}
		same := !u.Default && !onlyPlatform(u) && !w.demanded(u)
		for k := range w.table.Readings {
			if !same {
				break
			}
			left := w.left(k, i)
			if u.Access == model.Allow {
				same = s.Subset(left, tails[k].under)
			} else {
				same = s.Disjoint(left, tails[k].over)
			}
		}
		if same {
			w.state[i] = ruleDead
			out[i] = w.instead(i)
			continue
		}
		for k, reading := range w.table.Readings {
			m, t := reading[i], &tails[k]
			if u.Access == model.Allow {
				t.over, t.under = s.Union(t.over, m.May), s.Union(t.under, m.Must)
			} else {
				t.over, t.under = s.Subtract(t.over, m.Must), s.Subtract(t.under, m.May)
			}
		}
	}
	return out
}

// portsDiffer reports whether a list reads differently at a private endpoint, which ignores source ports (AZ-PE-07). What earlier rules
// cover, they cover there as well; what later ones decide may change.
func (w *ruleWork) portsDiffer() bool {
	return slices.ContainsFunc(w.post.subnets, func(id model.ID) bool { return len(w.in(id).endpoints) > 0 }) &&
		slices.ContainsFunc(w.table.Rules, func(u model.SecurityRule) bool { return !allPorts(u.SourcePorts) })
}

// instead lists the rules behind a rule that decide its packets when it is gone.
func (w *ruleWork) instead(i int) []int {
	s := w.space
	seen := map[int]bool{}
	for k, reading := range w.table.Readings {
		var leaves []packet.Decision
		for j := i + 1; j < len(reading); j++ {
			if w.state[j] == ruleActs {
				leaves = append(leaves, s.Leaf(reading[j].May, packet.Value(j+1)))
			}
		}
		for _, v := range s.Values(s.Within(s.Seq(leaves...), w.left(k, i))) {
			seen[int(v)-1] = true
		}
	}
	var out []int
	for j := range w.table.Rules {
		if seen[j] {
			out = append(out, j)
		}
	}
	return out
}

// many is how many ports an inbound rule may open to everybody before it is called wide: no service needs so many.
const many = 1000

// width counts the TCP or UDP ports that an inbound Allow opens to everybody, when they are many; else it is 0. Counted is what earlier
// rules surely leave, in every reading.
func (w *ruleWork) width(i int) int {
	u, s := w.table.Rules[i], w.space
	if !custom(u, model.Inbound, model.Allow) || !anyone(u.SourceAddrs) || !slices.ContainsFunc(u.DestPorts, wide) && len(u.DestPorts) > 0 {
		return 0
	}
	open := w.table.Packets
	for _, reading := range w.table.Readings {
		before := make([]packet.Set, i)
		for j := range i {
			before[j] = reading[j].May
		}
		open = s.Intersect(open, s.Subtract(reading[i].Must, s.Union(before...)))
	}
	most := 0
	for _, p := range []model.Protocol{model.TCP, model.UDP} {
		some := s.Intersect(open, s.Box(packet.Box{Protocol: packet.One(uint32(p))}))
		some = s.Project(some, packet.Dst, packet.SPort, packet.Name)
		const shown = 1000
		boxes, total := s.Boxes(some, shown)
		if total > shown {
			continue // too many to tell
		}
		ports := map[uint32]bool{}
		for _, b := range boxes {
			if !slices.ContainsFunc(s.Universe().Prefixes(orAll(s, b.Src)), func(p netip.Prefix) bool { return p.Bits() <= short }) {
				continue
			}
			if b.DPort == nil {
				b.DPort = []packet.Range{{Lo: 0, Hi: 65535}}
			}
			for _, r := range b.DPort {
				for port := r.Lo; port <= r.Hi; port++ {
					ports[port] = true
				}
			}
		}
		most = max(most, len(ports))
	}
	if most < many {
		return 0
	}
	return most
}

func orAll(s *dataplane.RuleSpace, r []packet.Range) []packet.Range {
	if r == nil {
		return []packet.Range{{Lo: 0, Hi: s.Universe().Domain(packet.Src)}}
	}
	return r
}

// overrule finds Allow rules whose packets the NSG of the other layer denies, wherever the NSG stands: both must allow (AZ-NSG-11).
func (r *reader) overrule(book *dataplane.Rulebook, w *ruleWork) {
	if len(r.behind[w.nsg.ID.Key()]) == 0 {
		r.overruleBySubnet(book, w)
	} else if len(r.worn[w.nsg.ID.Key()]) == 0 {
		r.overruleByInterfaces(book, w)
	}
}

// open returns the Allow rules of a list that decide something.
func (w *ruleWork) open() []int {
	var out []int
	for i, u := range w.table.Rules {
		if !u.Default && u.Access == model.Allow && w.state[i] == ruleActs && !onlyPlatform(u) {
			out = append(out, i)
		}
	}
	return out
}

// beside compiles a list again, beside others.
func (w *ruleWork) beside(book *dataplane.Rulebook, others []dataplane.RuleList) (*ruleWork, bool) {
	own := dataplane.RuleList{NSG: w.nsg, Direction: w.direction, Subnets: w.post.subnets, Near: w.post.near}
	space, err := book.Compile(append([]dataplane.RuleList{own}, others...)...)
	if err != nil {
		return nil, false
	}
	out := *w
	out.space, out.table = space, &space.Lists[0]
	out.before = certainly(space, out.table)
	return &out, true
}

// pass is what a list may let pass, in any reading.
func pass(s *dataplane.RuleSpace, t *dataplane.RuleTable) packet.Set {
	var out packet.Set
	for _, reading := range t.Readings {
		var over packet.Set
		for i, m := range slices.Backward(reading) {
			if t.Rules[i].Access == model.Allow {
				over = s.Union(over, m.May)
			} else {
				over = s.Subtract(over, m.Must)
			}
		}
		out = s.Union(out, over)
	}
	return out
}

// comparable reports whether a list of another NSG can be held against one.
func (r *reader) comparable(id model.ID, d model.Direction) (*model.NSG, bool) {
	g, ok := model.Get[*model.NSG](r.e, id)
	return g, ok && !r.foggy(g.ID) && !samePriority(g, d)
}

// overruleBySubnet looks at an NSG that stands at interfaces alone, each in a subnet with an NSG.
func (r *reader) overruleBySubnet(book *dataplane.Rulebook, w *ruleWork) {
	rules := w.open()
	if len(rules) == 0 || len(w.post.subnets) == 0 {
		return
	}
	var others []dataplane.RuleList
	var names []string
	for _, id := range w.post.subnets {
		s, ok := model.Get[*model.Subnet](r.e, id)
		if !ok || s.NSG == "" || ignoresNSG(s) || r.foggy(s.ID) {
			return
		}
		g, ok := r.comparable(s.NSG, w.direction)
		if !ok {
			return
		}
		others = append(others, dataplane.RuleList{NSG: g, Direction: w.direction, Subnets: []model.ID{s.ID}})
		names = append(names, fmt.Sprintf("%s at %s", r.rule("nsg", g.ID), r.subnet(s)))
	}
	own, ok := w.beside(book, others)
	if !ok {
		return
	}
	s := own.space
	var open packet.Set
	for i := range others {
		open = s.Union(open, pass(s, &s.Lists[1+i]))
	}
	own.report(rules, names, func(left packet.Set) bool { return s.Disjoint(left, open) })
}

// mostInterfaces caps how many interfaces a rule is held against: one for more is a rule for the subnet.
const mostInterfaces = 64

// overruleByInterfaces looks at an NSG that stands at subnets alone. Addresses that nobody has yet have no NSG of their own (AZ-GEN-07),
// so only a rule for single addresses, or for groups, can be overruled by the NSGs of the interfaces that have them.
func (r *reader) overruleByInterfaces(book *dataplane.Rulebook, w *ruleWork) {
	var rules []int
	for _, i := range w.open() {
		near := w.table.Rules[i].DestAddrs
		if w.direction == model.Outbound {
			near = w.table.Rules[i].SourceAddrs
		}
		if !near.Any && len(near.Tags)+len(near.IPGroups)+len(near.FQDNs) == 0 && !slices.ContainsFunc(near.Prefixes, func(p netip.Prefix) bool { return !p.IsSingleIP() }) {
			rules = append(rules, i)
		}
	}
	if len(rules) == 0 || w.post.near == nil {
		return
	}
	var others []dataplane.RuleList
	var names []string
	for _, id := range w.post.subnets {
		for _, n := range r.in(id).nics {
			g, ok := r.comparable(n.NSG, w.direction)
			if !ok {
				continue
			}
			for _, c := range n.IPConfigs {
				if c.Subnet.Key() == id.Key() && c.Address.IsValid() {
					others = append(others, dataplane.RuleList{NSG: g, Direction: w.direction, Subnets: []model.ID{id}, Near: []netip.Prefix{netip.PrefixFrom(c.Address, c.Address.BitLen())}})
					names = append(names, fmt.Sprintf("%s at %s", r.rule("nsg", g.ID), r.refs.Of(model.SelNIC, n)))
				}
			}
		}
	}
	if len(others) == 0 || len(others) > mostInterfaces {
		return
	}
	own, ok := w.beside(book, others)
	if !ok {
		return
	}
	s := own.space
	for _, i := range rules {
		var stopped []packet.Set
		var by []string
		for k := range others {
			t := &s.Lists[1+k]
			if slices.ContainsFunc(own.table.Readings, func(m []dataplane.RuleMatch) bool { return !s.Disjoint(m[i].May, t.Packets) }) {
				stopped, by = append(stopped, s.Subtract(t.Packets, pass(s, t))), append(by, names[k])
			}
		}
		all := s.Union(stopped...)
		own.report([]int{i}, by, func(left packet.Set) bool { return s.Subset(left, all) })
	}
}

// report notes the rules of which every packet that is left to them is stopped by other NSGs.
func (w *ruleWork) report(rules []int, by []string, stopped func(left packet.Set) bool) {
	for _, i := range rules {
		over := true
		for k := range w.table.Readings {
			over = over && stopped(w.left(k, i))
		}
		if over && w.space.Err() == nil {
			w.judged.overruled = append(w.judged.overruled, w.overruledFact(w.table.Rules[i], by))
		}
	}
}

// overruledByAdmin finds rules that security admin rules leave nothing to decide: an Allow of what they drop, a Deny of what they accept
// past every NSG (AZ-AVNM-02). They do not act at private endpoints (AZ-AVNM-10), so that an NSG which may stand at one is left out.
func (w *ruleWork) overruledByAdmin(out *comparison) {
	s, admin := w.space, w.table.Admin
	if len(admin.Rules) == 0 || slices.ContainsFunc(w.post.subnets, func(id model.ID) bool { return len(w.in(id).endpoints) > 0 }) {
		return
	}
	var found []fact
	for i, u := range w.table.Rules {
		if u.Default || w.state[i] == ruleDead || onlyPlatform(u) {
			continue
		}
		against, access := admin.Accepts, model.Deny
		if u.Access == model.Deny {
			against, access = admin.Drops, model.AlwaysAllow
		}
		over := true
		var by []string
		for k := range w.table.Readings {
			left := w.left(k, i)
			over = over && s.Disjoint(left, admin.Asks) && s.Disjoint(left, against)
			for _, a := range admin.Rules {
				name := fmt.Sprintf("%s of %s (priority %d, %s, %s)", a.Name, a.Manager().Name(), a.Priority, a.Access, a.Source)
				if a.Access == access && !s.Disjoint(left, a.May) && !slices.Contains(by, name) {
					by = append(by, name)
				}
			}
		}
		if !over {
			continue
		}
		f := fact{
			subject: w.nsgRule(w.nsg, u), origin: ruleOrigin(w.nsg, u),
			text:   fmt.Sprintf("The rule (priority %d, Allow) has no effect: security admin rules drop all that it allows before any NSG is asked: %s.", u.Priority, join(by)),
			remedy: "Ask those who govern the network for an exception if the access is wanted; else remove the rule.",
		}
		if u.Access == model.Deny {
			f.severity = Error
			f.text = fmt.Sprintf("The rule (priority %d, Deny) protects nothing: security admin rules accept all that it denies, past every NSG: %s.", u.Priority, join(by))
			f.remedy = "Narrow the AlwaysAllow rule, or make it an Allow, which still asks the NSGs."
		}
		found = append(found, f)
	}
	if s.Err() == nil {
		out.overruled = append(out.overruled, found...)
	}
}

// placed names a rule with its priority, what it does and where it stands.
func (w *ruleWork) placed(u model.SecurityRule) string {
	name := fmt.Sprintf("%s (priority %d, %s", w.nsgRule(w.nsg, u), u.Priority, u.Access)
	if u.Source.File != "" {
		name += ", " + u.Source.String()
	}
	return name + ")"
}

func (w *ruleWork) list(rules []int) string {
	out := make([]string, len(rules))
	for i, j := range rules {
		out[i] = w.placed(w.table.Rules[j])
	}
	return join(out)
}

func (w *ruleWork) shadowedFact(i int, cover []int) fact {
	u := w.table.Rules[i]
	same, other := 0, 0
	for _, j := range cover {
		if w.table.Rules[j].Access == u.Access {
			same++
		} else {
			other++
		}
	}
	f := fact{subject: w.nsgRule(w.nsg, u), origin: ruleOrigin(w.nsg, u)}
	before := fmt.Sprintf("Nothing is left for the rule (priority %d, %s): %s %s all of its packets before it.",
		u.Priority, u.Access, w.list(cover), plural(len(cover), "takes", "take"))
	what := "All"
	if same > 0 {
		what = "A part"
	}
	switch {
	case other == 0:
		f.severity = Note
		f.text, f.remedy = before+" The outcome is the same without it.", "Remove the rule."
	case u.Access == model.Deny:
		f.severity = Error
		f.text = before + " " + what + " of what it is to deny is allowed."
		f.remedy = "Move the rule before those that cover it, or narrow them."
	default:
		f.text = before + " " + what + " of what it is to allow is denied."
		f.remedy = "Move the rule before those that cover it if the access is wanted; else remove it."
	}
	return f
}

func (w *ruleWork) redundantFact(i int, instead []int) fact {
	u := w.table.Rules[i]
	f := fact{subject: w.nsgRule(w.nsg, u), origin: ruleOrigin(w.nsg, u), remedy: "Remove the rule."}
	verb := "denied"
	if u.Access == model.Allow {
		verb = "allowed"
	}
	f.text = fmt.Sprintf("Without the rule (priority %d, %s) its packets are %s all the same, by %s.", u.Priority, u.Access, verb, w.list(instead))
	if u.Access == model.Allow && !slices.ContainsFunc(instead, func(j int) bool { return !w.table.Rules[j].Default }) {
		f.text += " It looks like a limit and is none."
		f.remedy = "Deny the rest behind the rule if it is to be the only access; else remove it."
	}
	return f
}

func (w *ruleWork) unusedFact(u model.SecurityRule, why string) fact {
	f := fact{
		subject: w.nsgRule(w.nsg, u), origin: ruleOrigin(w.nsg, u),
		text:   fmt.Sprintf("The rule (priority %d, %s) matches nothing: %s.", u.Priority, u.Access, why),
		remedy: "Name the addresses that were meant, as they are behind public ones; or remove the rule.",
	}
	if u.Access == model.Allow {
		f.severity = Note
	}
	return f
}

func (w *ruleWork) wideFact(u model.SecurityRule, ports int) fact {
	return fact{
		subject: w.nsgRule(w.nsg, u), origin: ruleOrigin(w.nsg, u),
		text: fmt.Sprintf("The rule (priority %d) opens %d ports to everybody: %s from %s to %s. %s",
			u.Priority, ports, service(u.Protocol, u.DestPorts), addresses(u.SourceAddrs), addresses(u.DestAddrs), w.guards(w.nsg)),
		remedy: "Name the ports that are offered, and who may come.",
	}
}

func (w *ruleWork) overruledFact(u model.SecurityRule, by []string) fact {
	by = slices.Compact(slices.Sorted(slices.Values(by)))
	return fact{
		subject: w.nsgRule(w.nsg, u), origin: ruleOrigin(w.nsg, u),
		text: fmt.Sprintf("The rule (priority %d, Allow) has no effect at %s: %s %s all that it allows, and both must allow.",
			u.Priority, join(w.post.what), join(by), plural(len(by), "denies", "deny")),
		remedy: "Allow it in the other NSG as well if the access is wanted; else remove the rule.",
	}
}

func ruleShadowed(r *reader, found sink)  { tell(r.compare().shadowed, found) }
func ruleRedundant(r *reader, found sink) { tell(r.compare().redundant, found) }
func ruleUnused(r *reader, found sink)    { tell(r.compare().unused, found) }
func ruleOverWide(r *reader, found sink)  { tell(r.compare().wide, found) }
func ruleOverruled(r *reader, found sink) { tell(r.compare().overruled, found) }

func tell(facts []fact, found sink) {
	for _, f := range facts {
		found(f)
	}
}
