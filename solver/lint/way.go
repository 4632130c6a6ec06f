package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
)

// ways returns the effective table of a subnet; nil where it is not known, or where routes that the input lacks may be in it: those of a
// Route Server (AZ-RS-02), of a resource that was not understood, of a peered VNet that is not in the input.
func (r *reader) ways(s *model.Subnet) []dataplane.Way {
	list, ok := r.tables[s.ID.Key()]
	if !ok {
		list = r.readWays(s)
		r.tables[s.ID.Key()] = list
	}
	return list
}

func (r *reader) readWays(s *model.Subnet) []dataplane.Way {
	v, ok := vnetOf(r, s)
	if !ok || r.foggy(s.ID) || r.foggy(v.ID) || r.foggy(s.RouteTable) || r.learns(v) {
		return nil
	}
	if t := r.routes.Table(s.ID); t.Known {
		return t.Ways
	}
	return nil
}

// learns reports whether a Route Server may add routes to a VNet.
func (r *reader) learns(v *model.VNet) bool {
	near := append([]*model.VNet{v}, r.peers(v)...)
	return slices.ContainsFunc(near, func(x *model.VNet) bool {
		return slices.ContainsFunc(r.subnetsOf(x), func(s *model.Subnet) bool { return kindOf(s) == routeServerSubnet })
	})
}

// wayTo returns the one way by which all of some destinations leave for certain.
func wayTo(ways []dataplane.Way, to []netip.Prefix) (dataplane.Way, bool) {
	for _, w := range ways {
		if len(to) > 0 && !slices.ContainsFunc(to, func(p netip.Prefix) bool { return !w.Certain.ContainsPrefix(p) }) {
			return w, true
		}
	}
	return dataplane.Way{}, false
}

// v4 returns the IPv4 prefixes among some: what a firewall and a VPN tunnel carry (AZ-FW-47, AZ-V6-05).
func v4(ps []netip.Prefix) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(ps), func(p netip.Prefix) bool { return !p.Addr().Is4() })
}

// addressSet is the addresses of some prefixes.
func addressSet(ps []netip.Prefix) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, p := range ps {
		b.AddPrefix(p)
	}
	set, err := b.IPSet()
	if err != nil {
		return &netipx.IPSet{} // INVARIANT: valid prefixes make a set
	}
	return set
}

func common4(a, b *netipx.IPSet) *netipx.IPSet {
	var x netipx.IPSetBuilder
	x.AddSet(a)
	x.Intersect(b)
	set, err := x.IPSet()
	if err != nil {
		return &netipx.IPSet{} // INVARIANT: sets are valid
	}
	return set
}

func emptySet(s *netipx.IPSet) bool { return len(s.Ranges()) == 0 }

// userRoute returns the route of a subnet's table that a way stands for.
func (r *reader) userRoute(s *model.Subnet, w dataplane.Way) (*model.RouteTable, *model.UserRoute, bool) {
	t, ok := r.table(s)
	if !ok || t == nil || w.User == "" {
		return nil, nil, false
	}
	i := slices.IndexFunc(t.Routes, func(u model.UserRoute) bool { return u.Name == w.User && u.Prefix == w.Prefix })
	if i < 0 {
		return nil, nil, false
	}
	return t, &t.Routes[i], true
}

// wall returns the firewall that a way leads to, in the VNet or a peered one.
func (r *reader) wall(s *model.Subnet, w dataplane.Way) *model.Firewall {
	v, ok := vnetOf(r, s)
	if w.Hop != model.HopAppliance || !ok {
		return nil
	}
	f := r.reached(&model.UserRoute{NextHop: w.Hop, Address: w.Address})
	if f == nil || !f.Address.IsValid() {
		return nil
	}
	near := append([]*model.VNet{v}, r.peers(v)...)
	if !slices.ContainsFunc(near, func(x *model.VNet) bool { return x.ID.Key() == f.Subnet.Parent().Key() }) {
		return nil
	}
	return f
}

// straight reports whether a way leads straight into a VNet.
func straight(w dataplane.Way) bool {
	return w.Hop == model.HopVnetLocal || w.Hop == model.HopPeering || w.Hop == model.HopGlobalPeering || w.Hop == model.HopConnectedGroup
}

// lost reports whether nothing gets through a way: None, or the internet for private addresses (AZ-RT-14, AZ-RT-16).
func lost(w dataplane.Way, to []netip.Prefix) bool {
	return w.Hop == model.HopNone || w.Hop == model.HopInternet && !slices.ContainsFunc(to, func(p netip.Prefix) bool { return !private(p) })
}

// private reports whether a prefix lies in private space (RFC 1918).
func private(p netip.Prefix) bool {
	return p.Addr().Is4() && p.Bits() >= 8 && p.Addr().IsPrivate() && (p.Bits() >= 12 || p.Addr().As4()[0] == 10)
}

// routeLoop: an appliance forwards by the table of its own subnet. Where that leads back to it, packets go round until they die
// (AZ-RT-01, AZ-RT-12). Machines with several interfaces are left out: which one they send by is theirs to choose (AZ-RT-32).
func routeLoop(r *reader, found sink) {
	seen := map[string]bool{}
	for _, d := range r.steers {
		ways := r.ways(d.subnet)
		for _, w := range ways {
			if w.User != d.route.Name || w.Prefix != d.route.Prefix || seen[r.routeRule(d.table, d.route)] {
				continue
			}
			round, set := r.circle(d.vnet, d.route.Address, w.Certain, nil)
			if len(round) == 0 {
				continue
			}
			seen[r.routeRule(d.table, d.route)] = true
			found(fact{
				subject: r.routeRule(d.table, d.route), origin: d.route.Source,
				text: fmt.Sprintf("The route sends %s of %s to %s, and what is forwarded there comes back: %s. Packets to %s go round until they die.",
					routeTarget(d.route), r.subnet(d.subnet), d.route.Address, join(round), prefixList(set)),
				remedy: "Give the appliance's own subnet a route table of its own, in which these destinations lead on.",
			})
		}
	}
}

// prefixList writes a set of addresses into a sentence.
func prefixList(s *netipx.IPSet) string { return join(model.PrefixTexts(s.Prefixes())) }

// circle follows what an appliance forwards until it comes back to an appliance that it has passed: the hops of the circle, and the
// destinations that go round.
func (r *reader) circle(v *model.VNet, at netip.Addr, set *netipx.IPSet, passed []netip.Addr) ([]string, *netipx.IPSet) {
	if emptySet(set) {
		return nil, nil
	}
	if slices.Contains(passed, at) {
		return []string{}, set
	}
	home, subnets := r.forwarderAt(v, at)
	if len(subnets) == 0 {
		return nil, nil
	}
	s := subnets[0]
	for _, w := range r.ways(s) {
		_, u, ok := r.userRoute(s, w)
		if w.Hop != model.HopAppliance || !ok {
			continue
		}
		// Every member of a pool must send the same way.
		next := common4(set, w.Certain)
		for _, other := range subnets[1:] {
			x, same := wayTo(r.ways(other), next.Prefixes())
			if !same || x.Address != w.Address {
				next = &netipx.IPSet{}
			}
		}
		if round, rest := r.circle(home, w.Address, next, append(slices.Clone(passed), at)); round != nil {
			t, _ := r.table(s)
			return append([]string{fmt.Sprintf("%s of %s leads to %s", r.routeRule(t, u), r.subnet(s), w.Address)}, round...), rest
		}
	}
	return nil, nil
}

// forwarderAt returns the VNet of what has a next-hop address as seen from one, and the subnets that it sends by. There are none where the
// input does not tell, or where the guest may choose.
func (r *reader) forwarderAt(v *model.VNet, at netip.Addr) (*model.VNet, []*model.Subnet) {
	for _, near := range append([]*model.VNet{v}, r.peers(v)...) {
		for _, f := range r.e.Firewalls {
			if f.Address == at && f.Subnet.Parent().Key() == near.ID.Key() {
				if s, ok := model.Get[*model.Subnet](r.e, f.Subnet); ok {
					return near, []*model.Subnet{s}
				}
			}
		}
		nics, ok, _ := r.holderIn(near, at)
		if !ok {
			continue
		}
		var out []*model.Subnet
		for _, n := range nics {
			vm, hasVM := model.Get[*model.VM](r.e, n.VM)
			if n.IPForwarding != model.On || len(n.IPConfigs) == 0 || hasVM && len(vm.NICs) > 1 {
				return near, nil
			}
			s, ok := model.Get[*model.Subnet](r.e, n.IPConfigs[0].Subnet)
			if !ok {
				return near, nil
			}
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
		return near, out
	}
	return v, nil
}

// routeBlackHole: a user route whose packets nobody delivers: to a gateway where there is none that it may use (AZ-RT-13), private addresses
// to the internet (AZ-RT-16), None for addresses that are in use here (AZ-RT-14). Appliances that are missing or do not forward are
// next-hop-unresolved and next-hop-not-forwarding.
func routeBlackHole(r *reader, found sink) {
	type hole struct {
		table    *model.RouteTable
		route    *model.UserRoute
		why      string
		remedy   string
		severity Severity
		from     []string
	}
	var order []*hole
	at := map[string]*hole{}
	for _, s := range r.e.Subnets {
		v, ok := vnetOf(r, s)
		if !ok || kindOf(s) == bastionSubnet || kindOf(s) == routeServerSubnet {
			continue
		}
		for _, w := range r.ways(s) {
			t, u, ok := r.userRoute(s, w)
			if !ok || emptySet(w.Certain) {
				continue
			}
			h := hole{table: t, route: u, remedy: "Correct the next hop, or remove the route.", severity: Warning}
			switch {
			case u.NextHop == model.HopGateway:
				h.why = r.gatewayless(v)
			case u.NextHop == model.HopInternet && private(u.Prefix):
				h.why = "Private addresses are not delivered over the internet"
			case u.NextHop == model.HopInternet && r.shutIn(s):
				h.why = "The subnet is private and has no NAT gateway, public address or load balancer: nothing gets out there, but to storage of the same region"
				h.remedy = "Give the subnet a NAT gateway, or remove the route."
			case u.NextHop == model.HopNone:
				var hit []string
				for _, x := range append([]*model.VNet{v}, r.peers(v)...) {
					for _, o := range r.subnetsOf(x) {
						if o != s && r.in(o.ID).machines() && !emptySet(common4(w.Certain, addressSet(o.Prefixes))) {
							hit = append(hit, r.subnet(o))
						}
					}
				}
				if len(hit) > 0 {
					h.severity, h.why = Note, "It drops what is sent to "+join(hit)+", answers included; requests from there still arrive"
					h.remedy = "Deny the requests as well, in the NSG, if nothing is to pass; else remove the route."
				}
			}
			if h.why == "" {
				continue
			}
			key := r.routeRule(t, u) + "|" + h.why
			if at[key] == nil {
				at[key] = &h
				order = append(order, &h)
			}
			at[key].from = append(at[key].from, r.subnet(s))
		}
	}
	for _, h := range order {
		found(fact{
			severity: h.severity, subject: r.routeRule(h.table, h.route), origin: h.route.Source, remedy: h.remedy,
			text: fmt.Sprintf("The route sends %s of %s to %s. %s.", routeTarget(h.route), join(h.from), hop(h.route), h.why),
		})
	}
}

// shutIn reports whether a subnet with machines has no way out to the internet (AZ-OUT-05, AZ-OUT-06): it is private and names no explicit
// method.
func (r *reader) shutIn(s *model.Subnet) bool {
	t := r.in(s.ID)
	if s.DefaultOutbound != model.Off || s.NATGateway != "" || len(s.Delegations) > 0 || len(t.nics) == 0 || len(t.sets)+len(t.pools)+len(t.gateways) > 0 || r.publicIn(s) {
		return false
	}
	return !slices.ContainsFunc(r.e.LoadBalancers, func(lb *model.LoadBalancer) bool {
		return slices.ContainsFunc(lb.Frontends, func(f model.LBFrontend) bool { return f.PublicIP != "" || f.Prefix != "" })
	})
}

// gatewayless says why a route to the VNet's gateway leads nowhere; it says nothing where some VPN gateway may take it, or where the input
// does not tell.
func (r *reader) gatewayless(v *model.VNet) string {
	list := r.gatewaysOf(v)
	for _, l := range r.links(v) {
		if l.local.UseRemoteGateways == model.On && (l.remote == nil || l.back == nil) {
			return ""
		}
	}
	if len(list) == 0 {
		return r.vnet(v) + " has no gateway and uses none of a peer: the packets are dropped"
	}
	if !slices.ContainsFunc(list, func(g *model.Gateway) bool { return g.Kind != model.ExpressRouteGateway }) {
		return r.refs.Of(model.SelGateway, list[0]) + " is an ExpressRoute gateway, which user routes cannot name: the packets are dropped"
	}
	return ""
}

// keeps reports whether a firewall keeps the source of network-rule flows to some addresses: then their replies go to the sender, and not
// to the firewall (AZ-FW-40, AZ-FW-41).
func (r *reader) keeps(f *model.Firewall, to []netip.Prefix) bool {
	ranges := f.SNAT
	if f.Policy != "" {
		p, ok := model.Get[*model.FirewallPolicy](r.e, f.Policy)
		if !ok {
			return false
		}
		ranges = p.SNAT
	}
	if ranges.AutoLearn == model.On {
		return false
	}
	kept := slices.Clone(ranges.Prefixes)
	if !ranges.Custom || ranges.IANA {
		for _, s := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"} {
			kept = append(kept, netip.MustParsePrefix(s))
		}
	}
	return !slices.ContainsFunc(to, func(p netip.Prefix) bool { return !inside(p, kept) })
}

// carried returns the destinations to which a firewall's network rules let something of some sources pass, as far as prefixes tell.
func (r *reader) carried(f *model.Firewall, from []netip.Prefix) *netipx.IPSet {
	var b netipx.IPSetBuilder
	walk := func(list []model.RuleCollection) {
		for _, c := range list {
			if c.Kind != model.NetworkRules || c.Access != model.Allow {
				continue
			}
			for _, u := range c.Rules {
				src, dst := r.resolved(u.Sources), r.resolved(u.Dests)
				if u.Unknown != "" || !src.Any && !slices.ContainsFunc(from, func(p netip.Prefix) bool { return touches(p, src.Prefixes) }) {
					continue
				}
				if dst.Any {
					b.AddPrefix(allV4())
				}
				for _, p := range dst.Prefixes {
					b.AddPrefix(p)
				}
			}
		}
	}
	walk(f.Collections)
	seen := map[string]bool{}
	for id := f.Policy; id != "" && !seen[id.Key()]; {
		seen[id.Key()] = true
		for _, g := range r.e.RuleGroups {
			if g.Policy.Key() == id.Key() {
				walk(g.Collections)
			}
		}
		p, ok := model.Get[*model.FirewallPolicy](r.e, id)
		if !ok {
			break
		}
		id = p.Base // AZ-FW-12: a child inherits the rules of its base
	}
	set, err := b.IPSet()
	if err != nil {
		return &netipx.IPSet{} // INVARIANT: valid prefixes make a set
	}
	return set
}

// end is a subnet with machines whose table is known.
type end struct {
	subnet   *model.Subnet
	name     string
	prefixes []netip.Prefix // IPv4
	ways     []dataplane.Way
	walls    []*model.Firewall // by way: the firewall that it leads to
}

func (r *reader) ends() []*end {
	var out []*end
	for _, s := range r.e.Subnets {
		e := &end{subnet: s, prefixes: v4(s.Prefixes)}
		if kindOf(s) != ordinary || len(e.prefixes) == 0 || !r.in(s.ID).machines() {
			continue
		}
		if e.ways = r.ways(s); len(e.ways) == 0 {
			continue
		}
		e.name = r.subnet(s)
		for _, w := range e.ways {
			e.walls = append(e.walls, r.wall(s, w))
		}
		out = append(out, e)
	}
	return out
}

// wayTo is the index of the one way by which all of some destinations leave for certain, else -1.
func (e *end) wayTo(to []netip.Prefix) int {
	return slices.IndexFunc(e.ways, func(w dataplane.Way) bool {
		return !slices.ContainsFunc(to, func(p netip.Prefix) bool { return !w.Certain.ContainsPrefix(p) })
	})
}

// delivers says of each end whether a firewall sends to it straight, with the sender's address.
func (r *reader) delivers(f *model.Firewall, ends []*end) []bool {
	out := make([]bool, len(ends))
	home, ok := model.Get[*model.Subnet](r.e, f.Subnet)
	if !ok {
		return out
	}
	for k, x := range ends {
		w, ok := wayTo(r.ways(home), x.prefixes)
		out[k] = ok && straight(w) && r.keeps(f, x.prefixes)
	}
	return out
}

// bend is a route to a firewall whose flows do not come back by it.
type bend struct {
	table            *model.RouteTable
	route            *model.UserRoute
	wall             *model.Firewall
	from, back, none texts // senders; targets whose replies come back another way, or not at all
}

// texts is a list in which each text stands once.
type texts struct {
	list []string
	seen map[string]bool
}

func (t *texts) add(s string) {
	if t.seen == nil {
		t.seen = map[string]bool{}
	}
	if !t.seen[s] {
		t.seen[s] = true
		t.list = append(t.list, s)
	}
}

// asymmetricPath: requests that cross a firewall while their replies do not, for flows that a network rule lets pass: the firewall sees half
// of the connection and drops the rest (AZ-RT-29, AZ-FW-56). What the firewall translates comes back to it and is left out (AZ-FW-40).
func asymmetricPath(r *reader, found sink) {
	var order []*bend
	at := map[string]*bend{}
	ends := r.ends()
	delivers := map[*model.Firewall][]bool{} // by end: the firewall's own subnet has it next door, and the source is kept
	for _, s := range ends {
		for i, w := range s.ways {
			f := s.walls[i]
			t, u, ok := r.userRoute(s.subnet, w)
			if f == nil || !ok || emptySet(w.Certain) || !r.keeps(f, s.prefixes) {
				continue
			}
			pass := common4(w.Certain, r.carried(f, s.prefixes))
			if emptySet(pass) {
				continue
			}
			if delivers[f] == nil {
				delivers[f] = r.delivers(f, ends)
			}
			for k, x := range ends {
				to := x.prefixes[0]
				if x == s || !delivers[f][k] || !w.Certain.ContainsPrefix(to) || !pass.OverlapsPrefix(to) {
					continue
				}
				reply := x.wayTo(s.prefixes)
				if reply < 0 || x.walls[reply] == f {
					continue
				}
				back, other := x.ways[reply], x.walls[reply]
				if other == nil && !straight(back) && !lost(back, s.prefixes) {
					continue // an appliance or a gateway, which may bring it to the firewall
				}
				key := r.routeRule(t, u)
				b := at[key]
				if b == nil {
					b = &bend{table: t, route: u, wall: f}
					at[key] = b
					order = append(order, b)
				}
				b.from.add(s.name)
				switch {
				case straight(back):
					b.back.add(x.name + " come back directly")
				case other != nil:
					b.back.add(fmt.Sprintf("%s come back by %s", x.name, r.refs.Of(model.SelFirewall, other)))
				default:
					b.none.add(x.name)
				}
			}
		}
	}
	for _, b := range order {
		var says []string
		if len(b.back.list) > 0 {
			says = append(says, "replies of "+join(b.back.list))
		}
		if len(b.none.list) > 0 {
			says = append(says, fmt.Sprintf("%s %s no way back", join(b.none.list), plural(len(b.none.list), "has", "have")))
		}
		found(fact{
			subject: r.routeRule(b.table, b.route), origin: b.route.Source,
			text: fmt.Sprintf("The route sends %s of %s to %s, but %s. The firewall sees one direction alone, and connections that its network rules allow break.",
				routeTarget(b.route), join(b.from.list), r.refs.Of(model.SelFirewall, b.wall), strings.Join(says, ", and ")),
			remedy: "Give both sides a route to the firewall, each as long as the other's range or longer.",
		})
	}
	r.asymmetricOnPrem(found)
	r.asymmetricServices(found)
}

// asymmetricServices is asymmetricPath for public Services of a cluster whose nodes send their default to an appliance: requests come in by
// the load balancer, replies leave by the appliance, which has no state for them (AZ-FW-55).
func (r *reader) asymmetricServices(found sink) {
	for _, s := range r.e.KubeServices {
		c, ok := model.Get[*model.Cluster](r.e, s.Cluster)
		if !ok || !isBalanced(s) || s.Internal() || len(c.Pools) == 0 {
			continue
		}
		var hops texts
		all := true
		for _, p := range c.Pools {
			sub, known := model.Get[*model.Subnet](r.e, p.Subnet)
			if !known {
				all = false
				break
			}
			u, ok := r.defaultRoute(sub, allV4())
			if !ok || u == nil || u.NextHop != model.HopAppliance {
				all = false
				break
			}
			hops.add(hop(u))
		}
		if !all {
			continue
		}
		found(fact{
			subject: kubeService(s), origin: s.Source,
			text:   fmt.Sprintf("Requests come in by the public load balancer, and every node sends its replies to %s, which has not seen them: connections break.", join(hops.list)),
			remedy: "Use an internal load balancer behind a DNAT rule of the firewall or the application gateway.",
		})
	}
}

// onPrem returns the ranges behind a gateway that the input states: those of local network gateways.
func (r *reader) onPrem(g *model.Gateway) []netip.Prefix {
	var out []netip.Prefix
	for _, c := range r.e.Connections {
		if c.Gateway.Key() != g.ID.Key() || len(c.IngressNAT)+len(c.EgressNAT) > 0 {
			continue
		}
		if l, ok := model.Get[*model.LocalNetworkGateway](r.e, c.Peer); ok {
			out = append(out, v4(l.Prefixes)...)
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}

// crossings calls each for every subnet with machines and every stated range behind a gateway that serves it: the way in from
// GatewaySubnet and the way back. Gateways of a FastPath connection are left out (AZ-RT-31).
func (r *reader) crossings(each func(s *model.Subnet, g *model.Gateway, far netip.Prefix, in, back dataplane.Way, gate *model.Subnet)) {
	for _, g := range r.e.Gateways {
		gate, ok := model.Get[*model.Subnet](r.e, g.Subnet)
		ranges := r.onPrem(g)
		if !ok || len(ranges) == 0 {
			continue
		}
		entry := r.ways(gate)
		for _, s := range r.e.Subnets {
			v, ok := vnetOf(r, s)
			if !ok || kindOf(s) != ordinary || !r.in(s.ID).machines() || !slices.Contains(r.gatewaysOf(v), g) {
				continue
			}
			in, ok := wayTo(entry, v4(s.Prefixes))
			if !ok {
				continue
			}
			for _, far := range ranges {
				if back, ok := wayTo(r.ways(s), []netip.Prefix{far}); ok {
					each(s, g, far, in, back, gate)
				}
			}
		}
	}
}

// asymmetricOnPrem is asymmetricPath between a gateway and a subnet: requests that come in by the firewall and are answered past it
// (AZ-RT-30), and requests that arrive and cannot be answered (AZ-RT-26). Requests that come in past the firewall are
// gateway-route-missing.
func (r *reader) asymmetricOnPrem(found sink) {
	type answer struct {
		subnet *model.Subnet
		text   string
		far    []string
	}
	var order []*answer
	at := map[string]*answer{}
	r.crossings(func(s *model.Subnet, g *model.Gateway, far netip.Prefix, in, back dataplane.Way, gate *model.Subnet) {
		text := ""
		f := r.wall(gate, in)
		switch {
		case f != nil && back.Hop == model.HopGateway && r.keeps(f, v4(s.Prefixes)) && !emptySet(common4(r.carried(f, []netip.Prefix{far}), addressSet(s.Prefixes))):
			text = fmt.Sprintf("crosses %s and is answered by the gateway's own route, past it: the firewall sees one direction alone, and connections that its network rules allow break",
				r.refs.Of(model.SelFirewall, f))
		case straight(in) && lost(back, []netip.Prefix{far}):
			text = fmt.Sprintf("arrives by %s and cannot be answered: the subnet's route for it drops the replies, requests still get in", r.refs.Of(model.SelGateway, g))
		default:
			return
		}
		key := s.ID.Key() + "|" + text
		if at[key] == nil {
			at[key] = &answer{subnet: s, text: text}
			order = append(order, at[key])
		}
		at[key].far = append(at[key].far, far.String())
	})
	for _, a := range order {
		found(fact{
			subject: r.subnet(a.subnet), origin: a.subnet.Source,
			text:   fmt.Sprintf("What comes from %s to the subnet %s.", join(a.far), a.text),
			remedy: "Route both directions by the same firewall: on GatewaySubnet for the subnet's range, on the subnet for the ranges behind the gateway.",
		})
	}
}

// gatewayBypassesFirewall: a default route to a firewall does not take what a gateway's own routes name, for they are longer (AZ-RT-19,
// AZ-RT-23).
func gatewayBypassesFirewall(r *reader, found sink) {
	type bypass struct {
		subnet *model.Subnet
		route  string
		wall   string
		gate   string
		far    []string
	}
	var order []*bypass
	at := map[string]*bypass{}
	r.crossings(func(s *model.Subnet, g *model.Gateway, far netip.Prefix, in, back dataplane.Way, gate *model.Subnet) {
		u, ok := r.defaultRoute(s, allV4())
		if !ok || u == nil || back.Hop != model.HopGateway || back.User != "" || r.wall(gate, in) != nil {
			return
		}
		f := r.wall(s, dataplane.Way{Hop: u.NextHop, Address: u.Address})
		if f == nil {
			return
		}
		t, _ := r.table(s)
		b := at[s.ID.Key()+g.ID.Key()]
		if b == nil {
			b = &bypass{subnet: s, route: r.routeRule(t, u), wall: r.refs.Of(model.SelFirewall, f), gate: r.refs.Of(model.SelGateway, g)}
			at[s.ID.Key()+g.ID.Key()] = b
			order = append(order, b)
		}
		b.far = append(b.far, far.String())
	})
	for _, b := range order {
		found(fact{
			subject: r.subnet(b.subnet), origin: b.subnet.Source,
			text: fmt.Sprintf("%s sends the default to %s, but not %s: the routes of %s are longer and win, so this traffic does not meet the firewall.",
				b.route, b.wall, join(b.far), b.gate),
			remedy: "Add a route for each range to the firewall, or switch gateway routes off on the table; on GatewaySubnet, route the subnet's range to the firewall as well.",
		})
	}
}

// serviceEndpointBypassesFirewall: the route of a service endpoint comes before a default to an appliance (AZ-RT-21, AZ-SE-01). A service
// endpoint policy limits the accounts (AZ-SE-04).
func serviceEndpointBypassesFirewall(r *reader, found sink) {
	for _, s := range r.e.Subnets {
		u, ok := r.defaultRoute(s, allV4())
		if !ok || u == nil || u.NextHop != model.HopAppliance || kindOf(s) != ordinary {
			continue
		}
		var names []string
		limited := len(s.ServicePolicies) > 0
		origin := s.Source
		for _, e := range s.ServiceEndpoints {
			if e.State == "" || strings.EqualFold(e.State, "Succeeded") {
				names = append(names, e.Service)
				limited = limited && strings.HasPrefix(strings.ToLower(e.Service), "microsoft.storage")
				if len(names) == 1 && !e.Source.IsZero() {
					origin = e.Source
				}
			}
		}
		if len(names) == 0 {
			continue
		}
		t, _ := r.table(s)
		f := fact{
			subject: r.subnet(s), origin: origin,
			text: fmt.Sprintf("%s sends the default to %s, but traffic to %s leaves by its service endpoint, whose route comes first: the appliance does not see it, and accounts of any Azure customer can be reached.",
				r.routeRule(t, u), hop(u), join(names)),
			remedy: "Use private endpoints in place of the service endpoint, or limit the accounts by a service endpoint policy.",
		}
		if limited {
			f.severity = Note
			f.text = fmt.Sprintf("%s sends the default to %s, but traffic to %s leaves by its service endpoint, whose route comes first: the appliance does not see it. A service endpoint policy limits the accounts.",
				r.routeRule(t, u), hop(u), join(names))
			f.remedy = "Nothing, if the policy is what is meant; else use private endpoints."
		}
		found(f)
	}
}

// onPremRangeOverlaps: the VNet's and its peers' own routes win over those of a gateway, however specific (AZ-RT-20, AZ-RT-25).
func onPremRangeOverlaps(r *reader, found sink) {
	for _, c := range r.e.Connections {
		g, ok := model.Get[*model.Gateway](r.e, c.Gateway)
		l, hasFar := model.Get[*model.LocalNetworkGateway](r.e, c.Peer)
		if !ok || !hasFar || len(c.IngressNAT)+len(c.EgressNAT) > 0 {
			continue
		}
		v, ok := model.Get[*model.VNet](r.e, g.Subnet.Parent())
		if !ok || !known(v) {
			continue
		}
		var hit []string
		for _, x := range append([]*model.VNet{v}, r.peers(v)...) {
			for _, p := range l.Prefixes {
				if p.Bits() > 0 && touches(p, x.Prefixes) {
					hit = append(hit, fmt.Sprintf("%s (%s)", p, r.vnet(x)))
				}
			}
		}
		if len(hit) == 0 {
			continue
		}
		found(fact{
			subject: r.refs.Of(model.SelGateway, g) + "/" + c.Name(), origin: l.Source,
			text:   fmt.Sprintf("Ranges behind the connection overlap virtual networks: %s. The network's own routes win, so what has such an address on-prem is not reached.", join(hit)),
			remedy: "Renumber one side, or translate by NAT rules of the gateway.",
		})
	}
}
