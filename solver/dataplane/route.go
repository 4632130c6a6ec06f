package dataplane

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// origin of a route; at equal length the smaller wins (AZ-RT-19).
type routeOrigin uint8

const (
	userRoute routeOrigin = iota
	gatewayRoute
	systemRoute
)

// hop is where a route leads.
type hop struct {
	kind     model.NextHopType
	addr     netip.Addr // VirtualAppliance
	peer     string     // key of the remote VNet
	gateway  model.ID
	endpoint model.ID // private endpoint
	service  string   // service endpoint: Microsoft.Storage
}

func (h hop) compare(k hop) int {
	return cmp.Or(cmp.Compare(h.kind, k.kind), h.addr.Compare(k.addr), cmp.Compare(h.peer, k.peer), cmp.Compare(h.gateway, k.gateway),
		cmp.Compare(h.endpoint, k.endpoint), cmp.Compare(h.service, k.service))
}

// route is one candidate of a subnet's effective table.
type route struct {
	prefix  netip.Prefix
	tag     string // symbolic service tag in place of a prefix
	rank    int    // among user routes of one prefix, the explicit one before those of tags (AZ-RT-17)
	origin  routeOrigin
	hop     hop
	certain bool // in the table for certain
	peer    *peerLink
	use     *gatewayUse
	link    *hubLink
	learned bool   // by BGP, or of a far side that the input lacks: it stands for prefixes of any length
	note    string // assumption that its place in the table rests on
	name    string
	list    string            // service tag whose published list holds the prefix
	table   *model.RouteTable // of a user route
	source  model.Source
}

// hopGroup is the destinations that one next hop gets: over where it can be the winner, under where every possible winner agrees
// (AZ-RT-34).
type hopGroup struct {
	hop         hop
	over, under *lazy
	notes       []string
	peer        *peerLink
	use         *gatewayUse
	link        *hubLink
	rivals      *partList // the routes that win where this hop's do not
	defaults    *lazy     // what the hop can get by a default route that BGP or a gateway brings; nil: nothing
}

// sent is what a hop gets: the routes that win elsewhere are the setting that keeps the rest from it.
func (p *planner) sent(subnet model.ID, g hopGroup) guard {
	if g.rivals == nil {
		return between(g.over, g.under)
	}
	return between(g.over, g.under).behind(Control{
		Kind: SettingControl, Key: "routes|" + subnet.Key(), Name: "routes of " + subnet.ShortName(), Stage: "route", Place: model.Place{Kind: model.PlaceSubnet, ID: subnet},
	}, g.rivals)
}

// part names a route as a setting that could be another. A user route is one setting for all subnets of its table.
func (r route) part(subnet model.ID) Part {
	to := string(r.hop.kind)
	if r.hop.addr.IsValid() {
		to += " " + r.hop.addr.String()
	}
	what := r.tag
	if r.prefix.IsValid() {
		what = r.prefix.String()
	}
	if r.table != nil {
		rule := r.table.Name() + "/routes/" + r.name
		return Part{Key: "route|" + r.table.ID.Key() + "|" + strings.ToLower(r.name), Rule: rule, Source: r.source, Detail: what + " -> " + to, Open: "another next hop for it"}
	}
	kind := "system route"
	if r.origin == gatewayRoute {
		kind = "gateway route"
	}
	return Part{
		Key: "route|" + subnet.Key() + "|" + what + "|" + to + "|" + r.hop.peer, Source: model.Source{Platform: kind, Resource: subnet}, Detail: what + " -> " + to, Open: "a route of its own for it",
	}
}

// noneRoutes are the reserved prefixes with a None route: the documented ones, then those that printed tables add (AZ-RT-02). IPv6 has none:
// fd00::/8 follows ::/0 (AZ-V6-06).
func noneRoutes() (documented, printed []netip.Prefix) {
	return prefixes("10.0.0.0/8", "192.168.0.0/16", "100.64.0.0/10"),
		prefixes("172.16.0.0/12", "127.0.0.0/8", "25.48.0.0/12", "25.4.0.0/14", "198.18.0.0/15", "157.59.0.0/16", "25.33.0.0/16", "40.109.0.0/16",
			"104.147.0.0/16", "104.146.0.0/17", "40.108.0.0/17", "23.103.0.0/18", "25.41.0.0/20", "20.35.252.0/22")
}

// candidates lists every route that may be in the effective table of a subnet's NICs, by descending preference (AZ-RT-19 to 22).
// The second result is false when the route table that the subnet names is not in the input.
// nic names one that the input has effective routes of, which then are the table, or is empty; noUserRoutes leaves user routes out.
func (p *planner) candidates(subnet, nic model.ID) (routes []route, known bool) {
	return p.candidatesOf(subnet, nic, true)
}

// candidatesOf is candidates, with the subnet's route table or without.
func (p *planner) candidatesOf(subnet, nic model.ID, user bool) (routes []route, known bool) {
	s, v := p.e.SubnetOf(subnet)
	known = true
	user = user && nic != noUserRoutes // AZ-RT-31
	var table *model.RouteTable
	if id := tableOf(s); id != "" && user {
		table, known = model.Get[*model.RouteTable](p.e, id)
		known = known && p.tableDoubt(s) == ""
	}
	propagates := p.propagates(s, table)
	add := func(r route) { routes = append(routes, r) }

	if table != nil && user {
		for _, u := range table.Routes {
			h := hop{kind: u.NextHop, addr: u.Address}
			if u.NextHop == model.HopGateway {
				h.gateway = "" // resolved where the packet goes (AZ-RT-13)
			}
			r := route{origin: userRoute, hop: h, certain: true, name: u.Name, table: table, source: u.Source, rank: tagRank(u.Tag)}
			if u.Prefix.IsValid() {
				r.prefix = u.Prefix
				add(r)
			} else if set, ok := p.serviceTag[strings.ToLower(u.Tag)]; ok {
				r.rank = tagRank(u.Tag)
				for _, x := range slices.Concat(set.Prefixes(), symbolsOf(p.ownInTag(u.Tag))) { // AZ-SE-03
					r.prefix, r.list = x, u.Tag
					add(r)
				}
			} else if u.Tag != "" {
				r.tag, r.rank = u.Tag, tagRank(u.Tag)
				add(r)
			}
		}
	}
	if v != nil {
		for _, x := range v.Prefixes { // AZ-RT-18: by range and not by subnet, so that a user route for the range takes neighbours' traffic too
			add(route{prefix: x, origin: systemRoute, hop: hop{kind: model.HopVnetLocal}, certain: true})
		}
		for _, l := range p.peers(v) {
			listed := !l.partial() || s != nil && slices.ContainsFunc(l.local.LocalSubnets, func(n string) bool { return strings.EqualFold(n, s.Name()) })
			kind := model.HopPeering
			if l.remote != nil && regionsApart(v, l.remote) {
				kind = model.HopGlobalPeering
			}
			for _, x := range l.ranges(p.e) {
				add(route{prefix: x.prefix, origin: systemRoute, hop: hop{kind: kind, peer: l.remoteID.Key()}, certain: x.certain && l.certain && listed, peer: &l})
			}
		}
		for _, l := range p.groups[v.ID.Key()] { // AZ-AVNM-11
			h := hop{kind: model.HopConnectedGroup, peer: l.remote.ID.Key()}
			for _, x := range l.prefixes {
				overlaps := slices.ContainsFunc(l.doubtful, x.Overlaps)
				add(route{prefix: x, origin: systemRoute, hop: h, certain: l.certain && !overlaps, note: l.note})
			}
		}
		for _, l := range p.undescribed(v) {
			for _, x := range l.prefixes {
				add(route{prefix: x, origin: systemRoute, hop: hop{kind: model.HopConnectedGroup, peer: unknownGroup}, note: l.note})
			}
		}
		if propagates {
			routes = append(routes, p.advertised(v)...)
		}
		for _, r := range p.hubRoutes(v) {
			if propagates || r.origin == systemRoute {
				add(r)
			}
		}
		if propagates {
			for _, use := range p.gatewaysOf(v) {
				h := hop{kind: model.HopGateway, gateway: use.gw.ID}
				for _, f := range p.farSides(use.gw) {
					for _, x := range f.routes {
						add(route{prefix: x.prefix, origin: gatewayRoute, hop: h, certain: x.certain && use.certain, use: &use})
					}
					if f.learned != "" { // AZ-GW-06: any prefix, the default route among them (AZ-GW-08)
						add(route{prefix: allV4(), origin: gatewayRoute, hop: h, learned: true, note: f.learned, use: &use})
						add(route{prefix: allV6(), origin: gatewayRoute, hop: h, learned: true, note: f.learned, use: &use})
					}
				}
			}
		}
	}
	// AZ-RT-27: a user or gateway route for 0.0.0.0/0 takes its place, for the public addresses of Azure's services too.
	add(route{prefix: allV4(), origin: systemRoute, hop: hop{kind: model.HopInternet}, certain: true})
	add(route{prefix: allV6(), origin: systemRoute, hop: hop{kind: model.HopInternet}, certain: true})
	p.addNoneRoutes(v, &routes)
	if t := p.e.RoutesAt(nic); t != nil && v != nil {
		routes, known = p.importedRoutes(v, t, routes), true
	}

	slices.SortStableFunc(routes, func(a, b route) int {
		return cmp.Or(a.preferred(b), a.hop.compare(b.hop))
	})
	return routes, known
}

// preferred orders routes: the longest prefix first, at equal length user routes before those of gateways before system ones (AZ-RT-19), and
// among user routes those of the nearer tag (AZ-RT-17). Zero: either may be the winner (AZ-RT-24, AZ-RT-25).
func (r route) preferred(q route) int {
	return cmp.Or(cmp.Compare(q.length(), r.length()), cmp.Compare(r.origin, q.origin), cmp.Compare(r.rank, q.rank))
}

// ties reports that nothing prefers one of two routes: of two tags nobody may know which holds the longer prefix.
func (r route) ties(q route) bool { return r.preferred(q) == 0 || r.vague() && q.vague() }

// vague reports a row whose prefix nobody knows: that of a tag without a list, or what a list has for an address that the input does not state.
func (r route) vague() bool {
	return r.tag != "" || r.origin == userRoute && model.SymbolBlock().Contains(r.prefix.Addr())
}

// symbolsOf keeps the addresses that the input does not state: only they are in no prefix of a list.
func symbolsOf(ps []netip.Prefix) []netip.Prefix {
	return slices.DeleteFunc(ps, func(x netip.Prefix) bool { return !model.SymbolBlock().Contains(x.Addr()) })
}

// length is the prefix length by which a route competes. The prefixes of a tag are public ones, longer than a default route and, where they
// are not known, of unknown length otherwise.
func (r route) length() int {
	switch {
	case r.vague():
		return 1
	case r.learned: // it may be as long as any: only a user route for one address is surely not longer (AZ-RT-19)
		return r.prefix.Addr().BitLen()
	default:
		return r.prefix.Bits()
	}
}

// propagates reports whether routes of gateways reach a subnet (AZ-RT-26); they always reach GatewaySubnet.
func (p *planner) propagates(s *model.Subnet, table *model.RouteTable) bool {
	return table == nil || table.DisableBGP != model.On || s != nil && strings.EqualFold(s.Name(), "GatewaySubnet")
}

// tagRank orders tags that share a prefix: an explicit CIDR, then regional, global, AzureCloud.region, AzureCloud (AZ-RT-17).
func tagRank(tag string) int {
	base, _, regional := strings.Cut(strings.ToLower(tag), ".")
	switch {
	case tag == "":
		return 0
	case base != "azurecloud" && regional:
		return 1
	case base != "azurecloud":
		return 2
	case regional:
		return 3
	default:
		return 4
	}
}

// addNoneRoutes adds the None routes of reserved prefixes. They vanish when a user route overrides the default, and may vanish under
// a gateway's default (AZ-RT-04); a VNet range that holds a reserved prefix takes its place (AZ-RT-03).
func (p *planner) addNoneRoutes(v *model.VNet, routes *[]route) {
	overridden, maybe := false, false
	user := map[netip.Prefix]bool{}
	for _, r := range *routes {
		if r.prefix == allV4() {
			overridden = overridden || r.origin == userRoute
			maybe = maybe || r.origin == gatewayRoute
		}
		if r.origin == userRoute {
			user[r.prefix] = true
		}
	}
	if overridden {
		return
	}
	documented, printed := noneRoutes()
	*routes = slices.Grow(*routes, len(documented)+len(printed))
	add := func(x netip.Prefix, certain bool, note string) {
		if user[x] {
			return // a user route for exactly this prefix removes the row
		}
		if v != nil {
			for _, own := range v.Prefixes {
				if own.Bits() <= x.Bits() && own.Contains(x.Addr()) {
					return
				}
			}
		}
		if maybe {
			certain, note = false, "ASM-NONE-BGP"
		}
		*routes = append(*routes, route{prefix: x, origin: systemRoute, hop: hop{kind: model.HopNone}, certain: certain, note: note})
	}
	for _, x := range documented {
		add(x, true, "")
	}
	for _, x := range printed {
		add(x, false, "ASM-NONE-LIST")
	}
}

// hopGroups compiles the effective table of a subnet, or of a NIC in it whose effective routes the input has, into what each next hop
// gets.
func (p *planner) hopGroups(subnet, nic model.ID) []hopGroup { return p.groupsOf(subnet, nic, true) }

// groupsOf is hopGroups, with the subnet's route table or without.
func (p *planner) groupsOf(subnet, nic model.ID, user bool) []hopGroup {
	table := subnet.Key() + "|" + nic.Key()
	if !user {
		table += "|system"
	}
	if g, ok := p.tables[table]; ok {
		return g
	}
	routes, known := p.candidatesOf(subnet, nic, user)
	type compiled struct {
		route
		may, must *lazy
	}
	var list []compiled
	for _, r := range p.endpointRoutes(subnet, nic, routes) {
		list = append(list, compiled{r, dstIn(p.addr.exact(r.prefix.Addr())), nil})
	}
	service, firm := p.serviceRoutes(subnet, nic, routes)
	for _, r := range service {
		list = append(list, compiled(r))
	}
	own := len(list) // routes of private and service endpoints stand before all others (AZ-RT-21, AZ-RT-22)
	// AZ-RT-20: a gateway's route never beats the system route of the VNet or of a peering, however specific it is; so where both a peering and
	// a connection lead to a VNet, the peering carries the traffic (AZ-PEER-09).
	inside, perhaps := p.systemSpace(routes, true), p.systemSpace(routes, false)
	for _, r := range routes {
		var c compiled
		switch {
		case r.tag != "":
			l := p.inTag(r.tag, dstIn)
			c = compiled{r, l, l}
		case r.hop.kind == model.HopPrivateEndpoint: // of an imported table: that address, and no symbol that may have it
			c = compiled{r, dstIn(p.addr.exactHosts(r.prefix.Addr())), nil}
		case r.origin == gatewayRoute:
			whole := ipset([]netip.Prefix{r.prefix})
			// What a peering or group that may exist would take is the gateway's possibly, and not for certain.
			c = compiled{r, dstIn(p.addr.space(minusSet(whole, inside)).may), dstIn(p.addr.space(minusSet(whole, perhaps)).must)}
		case model.SymbolBlock().Contains(r.prefix.Addr()): // the door of an account
			l := dstIn(p.addr.exactHosts(r.prefix.Addr()))
			c = compiled{r, l, l}
		case r.origin == systemRoute && r.hop.kind == model.HopNone:
			a := p.addr.published(ipset([]netip.Prefix{r.prefix})) // a host that has a public address lies in no reserved prefix
			c = compiled{r, dstIn(a.may), dstIn(a.must)}
		default:
			a := p.addr.set([]netip.Prefix{r.prefix})
			c = compiled{r, dstIn(a.may), dstIn(a.must)}
		}
		if firm != nil && !rivals(r) { // AZ-RT-21: what a service endpoint's route loses, a user route wins
			c.may = minus(c.may, firm)
			if c.must != nil {
				c.must = minus(c.must, firm)
			}
		}
		list = append(list, c)
	}
	// An unstated address that no route holds alone may lie within several of them for certain, by the routes up to the one of this index.
	jointly := map[int]*lazy{}
	for _, g := range p.addr.groups {
		if k, ok := held(g.within, own, len(list), func(k int) route { return list[k].route }); ok {
			jointly[k] = orNothing(jointly[k], dstIn(p.b.AddSet("", g.members)))
		}
	}
	var order []hop
	index := map[hop]int{}
	for _, c := range list {
		if _, ok := index[c.hop]; !ok {
			index[c.hop] = 0
			order = append(order, c.hop)
		}
	}
	slices.SortFunc(order, hop.compare)
	groups := make([]hopGroup, len(order))
	for i, h := range order {
		index[h] = i
		groups[i].hop = h
	}
	// The sets of all groups come from one walk down the list, shared by every group.
	type solved struct {
		over, under []packet.Set
		wins        []packet.Set // by route
		none        packet.Set   // what no route takes
		defaults    []packet.Set // what learned default routes take
	}
	var result *solved
	var solve func(c *compiler) *solved
	for _, c := range list {
		g := &groups[index[c.hop]]
		if c.note != "" && !slices.Contains(g.notes, c.note) {
			g.notes = append(g.notes, c.note)
		}
		if c.peer != nil {
			g.peer = c.peer
		}
		if c.use != nil {
			g.use = c.use
		}
		if c.link != nil {
			g.link = c.link
		}
		if i := index[c.hop]; c.origin == gatewayRoute && c.prefix.Bits() <= 0 && g.defaults == nil {
			g.defaults = later(func(co *compiler) packet.Set { return solve(co).defaults[i] })
		}
	}
	solve = func(c *compiler) *solved {
		if result != nil {
			return result
		}
		s := c.s
		over := make([][]packet.Set, len(groups))
		wins := make([]packet.Set, len(list))
		taken := packet.Set{} // by rows that are surely there: no later one gets it
		firm := packet.Set{}  // likewise, from rows whose length nobody knows as well
		tags := packet.Set{}  // what such rows may take from explicit public prefixes
		// AZ-RT-21: a service endpoint's route stands before all of them, whatever their length.
		for _, r := range list[own:] {
			if r.vague() {
				tags = s.Union(tags, r.may.get(c))
			}
		}
		for start, end := 0, 0; start < len(list); start = end {
			// AZ-RT-24, AZ-RT-25: of routes that nothing prefers one to the other, any may take the packet.
			for end = start + 1; end < len(list) && start >= own && list[start].ties(list[end].route); {
				end++
			}
			var sure, firmly []packet.Set
			for k, r := range list[start:end] {
				may, before := r.may.get(c), taken
				if r.vague() {
					before = firm
				}
				i := index[r.hop]
				wins[start+k] = s.Subtract(may, before)
				over[i] = append(over[i], wins[start+k])
				switch {
				case !r.certain:
				case r.must == nil:
					sure, firmly = append(sure, may), append(firmly, may)
				case !r.vague() && r.prefix.Bits() > 0 && !r.prefix.IsSingleIP():
					must := r.must.get(c)
					sure, firmly = append(sure, must), append(firmly, s.Subtract(must, tags))
				default:
					must := r.must.get(c)
					sure, firmly = append(sure, must), append(firmly, must)
				}
			}
			for k := start; k < end; k++ {
				if l := jointly[k]; l != nil {
					must := l.get(c)
					sure, firmly = append(sure, must), append(firmly, s.Subtract(must, tags))
				}
			}
			taken, firm = s.Union(append(sure, taken)...), s.Union(append(firmly, firm)...)
		}
		result = &solved{over: make([]packet.Set, len(groups)), under: make([]packet.Set, len(groups)), wins: wins, defaults: make([]packet.Set, len(groups))}
		for k, r := range list {
			if i := index[r.hop]; groups[i].defaults != nil && r.origin == gatewayRoute && r.prefix.Bits() <= 0 {
				result.defaults[i] = s.Union(result.defaults[i], wins[k])
			}
		}
		for i := range groups {
			result.over[i] = s.Union(over[i]...)
		}
		result.none = s.Complement(s.Union(result.over...))
		for i := range groups {
			others := []packet.Set{s.Complement(taken)} // no route for certain
			for j := range groups {
				if j != i {
					others = append(others, result.over[j])
				}
			}
			result.under[i] = s.Subtract(result.over[i], s.Union(others...))
			if !known {
				result.under[i] = packet.Set{} // the table is referenced and not in the input: anything may win
			}
		}
		return result
	}
	for i := range groups {
		groups[i].over = later(func(c *compiler) packet.Set { return solve(c).over[i] })
		groups[i].under = later(func(c *compiler) packet.Set { return solve(c).under[i] })
		groups[i].rivals = partsLater(func(c *compiler) []Part {
			var out []Part
			for k, r := range list {
				if index[r.hop] != i && !solve(c).wins[k].Empty() {
					p := r.part(subnet)
					p.Set = solve(c).wins[k]
					out = append(out, p)
				}
			}
			key := "route|" + subnet.Key() + "|none"
			return append(out, Part{Key: key, Source: model.Source{Platform: "routes", Resource: subnet}, Detail: "no route to the destination", Open: "a route for it", Set: solve(c).none})
		})
	}
	if !known {
		s, _ := p.e.SubnetOf(subnet)
		why := p.tableDoubt(s)
		for i := range groups {
			groups[i].notes = append(groups[i].notes, why)
		}
		groups = append(groups, hopGroup{hop: hop{kind: hopMissing}, over: everything(), under: nothing(), notes: []string{why}})
	}
	p.tables[table] = groups
	return groups
}

// tableOf names the route table that acts at a subnet; a Bastion's and a Route Server's take none (AZ-NSG-20).
func tableOf(s *model.Subnet) model.ID {
	if s == nil || strings.EqualFold(s.Name(), "AzureBastionSubnet") || strings.EqualFold(s.Name(), "RouteServerSubnet") {
		return ""
	}
	return s.RouteTable
}

// held is the first route of a list by which the certain ones before it and itself hold a range together that none of them holds alone.
func held(within *netipx.IPSet, from, to int, at func(int) route) (int, bool) {
	if within == nil || len(within.Ranges()) < 2 {
		return 0, false
	}
	var sum netipx.IPSetBuilder
	for k := from; k < to; k++ {
		r := at(k)
		if !r.certain || r.tag != "" || r.origin == gatewayRoute || r.hop.kind == model.HopPrivateEndpoint || !r.prefix.IsValid() || !within.OverlapsPrefix(r.prefix) {
			continue
		}
		if contains(ipset([]netip.Prefix{r.prefix}), within) {
			return 0, false
		}
		sum.AddPrefix(r.prefix)
		if both, err := sum.IPSet(); err == nil && contains(both, within) {
			return k, true
		}
	}
	return 0, false
}

func orNothing(a, b *lazy) *lazy {
	if a == nil {
		return b
	}
	return either(a, b)
}

// hopMissing stands for whatever a route table says that the input does not hold.
const hopMissing model.NextHopType = "missing route table"

// tableDoubt names why the routes of a subnet's table are not known: the input lacks the table, or says something of it that was not
// understood (AZ-GEN-08). Empty where they are known.
func (p *planner) tableDoubt(s *model.Subnet) string {
	id := tableOf(s)
	if id == "" {
		return ""
	}
	if _, ok := model.Get[*model.RouteTable](p.e, id); !ok {
		return missing("route table", id)
	}
	for _, entry := range p.fogged(id) {
		return unsupported(entry)
	}
	return ""
}

// missing is the assumption that names a referenced resource which the input lacks.
func missing(kind string, id model.ID) string { return "MISSING(" + kind + " " + id.ShortName() + ")" }

// systemSpace is the ranges with a system route that leads into the VNet, a peer or a member of a connected group: those with one for
// certain, or all that may have one.
func (p *planner) systemSpace(routes []route, certain bool) *netipx.IPSet {
	var ps []netip.Prefix
	for _, r := range routes {
		if r.origin == systemRoute && (r.certain || !certain) && (r.hop.kind == model.HopVnetLocal || r.hop.peer != "" || r.link != nil) { // AZ-WAN-05: the hub's range is one of them
			ps = append(ps, r.prefix)
		}
	}
	return ipset(ps)
}

// routing is the node behind a subnet's outbound filters: from here its effective routes decide. via names the forwarder that put the
// packet here, empty for the subnet's own hosts; eg says how packets leave to the internet.
func (p *planner) routing(subnet model.ID, via string, eg egress) NodeID {
	place := model.Place{Kind: model.PlaceSubnet, ID: subnet, Part: eg.key}
	entry := p.node(place, StageRoute, via)
	key := Node{Place: place.Key(), Stage: StageRoute, Via: via}
	if p.routeDone[key] {
		return entry
	}
	p.routeDone[key] = true
	// AZ-PLAT-01, AZ-PLAT-02, K8S-AZ-07: the host takes packets to its own addresses; no route sees them.
	n := p.node(model.Place{Kind: place.Kind, ID: subnet, Part: eg.key + " past the host"}, StageRoute, via)
	hosts := dstIn(p.addr.exactHosts(platformHosts()...))
	if !isGateway(via) {
		g := exactly(hosts)
		if via != "" || !p.assumed("ASM-PLATFORM") { // the host of a forwarder may take what it passes on
			g = onlyOver(hosts)
		}
		p.edge(entry, p.platform(), g, nil, "ASM-PLATFORM")
	}
	past := exactly(minus(everything(), hosts))
	if isGateway(via) {
		past = guard{} // from outside they are addresses like others
	}
	p.edge(entry, n, past, nil)
	_, v := p.e.SubnetOf(subnet)
	if v == nil {
		// The VNet is not in the input: what its routes are, and what lies behind them, is not known.
		if s, ok := model.Get[*model.Subnet](p.e, subnet); ok {
			p.forwardUnknown(n, "", everything(), []string{missing("virtual network", s.VNet)})
		} else {
			p.forwardUnknown(n, "", everything(), []string{missing("subnet", subnet)})
		}
		return entry
	}
	for _, entry := range p.fogged(v.ID) {
		if carries(entry) {
			p.edge(n, p.carrier(entry), onlyOver(everything()), nil, unsupported(entry))
		}
	}
	from := n
	if s, _ := p.e.SubnetOf(subnet); tableOf(s) != "" {
		if why := p.tableDoubt(s); why != "" && p.e.RoutesAt(eg.nic) == nil {
			// The routes that are known may apply, if what is not known of the table does not say otherwise.
			from = p.node(model.Place{Kind: place.Kind, ID: subnet, Part: eg.key + " without its route table"}, StageRoute, via)
			p.edge(n, from, onlyOver(everything()), nil, why)
		}
	}
	for _, g := range p.hopGroups(subnet, eg.nic) {
		if p.onlyTunnels(subnet, via) && g.hop.kind != model.HopGateway {
			continue
		}
		if eg.tunnelled && g.defaults != nil { // AZ-FW-46
			broken := both(g.defaults, dstIn(p.addr.public))
			p.leave(from, subnet, via, eg, onlyOver(broken), "ASM-E-FWTUNNEL")
			g.under, g.notes = minus(g.under, broken), append(slices.Clone(g.notes), "ASM-E-FWTUNNEL")
		}
		sent := p.sent(subnet, g)
		notes := g.notes
		switch g.hop.kind {
		case model.HopVnetLocal:
			p.edge(from, p.fabric(v, via), sent, nil, notes...)
			p.beyond(from, v, via, sent)
		case model.HopPeering, model.HopGlobalPeering:
			cross, more := p.crossing(*g.peer, subnet, via)
			if g.peer.remote == nil || g.peer.remote.Partial {
				p.edge(from, p.unknownVNet(*g.peer), and(sent, cross), nil, append(more, missing("virtual network", g.peer.remoteID))...)
				continue
			}
			if g.hop.kind == model.HopGlobalPeering { // AZ-PEER-13
				cross = and(cross, exactly(minus(everything(), dstIn(p.addr.exactHosts(p.basicFrontends(g.peer.remote)...)))))
			}
			p.edge(from, p.fabric(g.peer.remote, via), and(sent, cross), nil, append(more, notes...)...)
		case model.HopConnectedGroup:
			if g.hop.peer == unknownGroup {
				p.intoUnknownGroup(from, v, via, sent)
				continue
			}
			remote, _ := model.Get[*model.VNet](p.e, model.ID(g.hop.peer))
			if list := p.basicFrontends(remote); regionsApart(v, remote) && len(list) > 0 { // AZ-PEER-13
				basic := dstIn(p.addr.exactHosts(list...))
				p.edge(from, p.fabric(remote, via), and(sent, onlyOver(basic)), nil, append(slices.Clone(notes), "ASM-AVNM-BASIC")...)
				sent = and(sent, exactly(minus(everything(), basic)))
			}
			p.edge(from, p.fabric(remote, via), sent, nil, notes...)
		case model.HopNone:
		case model.HopInternet:
			if isGateway(via) {
				p.gatewayOut(from, via, sent)
				continue
			}
			p.leave(from, subnet, via, eg, sent)
		case model.HopGateway:
			p.toGateway(from, v, subnet, via, g)
		case model.HopAppliance:
			p.toAppliance(from, v, subnet, via, g)
		case model.HopPrivateEndpoint:
			if e, ok := model.Get[*model.PrivateEndpoint](p.e, g.hop.endpoint); ok {
				for _, l := range p.peers(v) {
					if l.remoteID.Key() == e.Subnet.Parent().Key() { // AZ-PEER-05: what a forwarder passes on needs the flag here as well
						cross, more := p.carried(l, via)
						sent, notes = and(sent, cross), append(slices.Clone(notes), more...)
					}
				}
				p.edge(from, p.endpointInbound(e), sent.withReply(p.endpointReply(e.Subnet, via)), nil, notes...)
			}
		case model.HopServiceEndpoint:
			p.toServiceEndpoint(from, subnet, g)
		case hopMissing, hopRouteServer:
			p.forwardUnknown(from, v.ID.Key(), g.over, notes)
		default:
			p.forwardUnknown(from, v.ID.Key(), g.over, []string{"ASM-NEXTHOP"})
		}
	}
	p.unpeered(from, v, subnet, via)
	return entry
}

// beyond handles a VnetLocal route for destinations outside the VNet's ranges (AZ-RT-15): whether it reaches peers is not documented.
func (p *planner) beyond(n NodeID, v *model.VNet, via string, sent guard) {
	s, err := p.vnetLocalRoutes(v)
	if !err || isEmpty(s) {
		return
	}
	outside := p.addr.space(s)
	for _, l := range p.peers(v) {
		if l.remote != nil && !l.remote.Partial {
			p.edge(n, p.fabric(l.remote, via), onlyOver(both(sent.over, dstIn(outside.may))), nil, "ASM-VNETLOCAL")
		}
	}
	for _, l := range p.joined(v) {
		p.edge(n, p.fabric(l.remote, via), onlyOver(both(sent.over, dstIn(outside.may))), nil, "ASM-VNETLOCAL")
	}
}

// vnetLocalRoutes is the space of user routes with hop VnetLocal that lies outside the VNet.
func (p *planner) vnetLocalRoutes(v *model.VNet) (*netipx.IPSet, bool) {
	var ps []netip.Prefix
	for _, id := range v.Subnets {
		s, _ := p.e.SubnetOf(id)
		if s == nil {
			continue
		}
		if t, ok := model.Get[*model.RouteTable](p.e, tableOf(s)); ok {
			for _, r := range t.Routes {
				if r.NextHop == model.HopVnetLocal && r.Prefix.IsValid() {
					ps = append(ps, r.Prefix)
				}
			}
		}
	}
	if len(ps) == 0 {
		return nil, false
	}
	return minusSet(ipset(ps), ipset(v.Prefixes)), true
}

// toGateway follows a route with hop VirtualNetworkGateway: to the route's own gateway, or for a user route to the VPN gateway that the
// VNet has or uses (AZ-RT-13).
func (p *planner) toGateway(n NodeID, v *model.VNet, subnet model.ID, via string, g hopGroup) {
	sent := p.sent(subnet, g)
	if g.link != nil {
		if via != "" {
			sent = sent.withReply(nothing()) // a forwarder on this side of the hub may not see the reply
		}
		p.intoHub(n, g.link, sent, g.notes...)
		return
	}
	if g.use != nil {
		if isGateway(via) && g.use.link == nil {
			p.tunnel(n, g.use.gw, via, sent, g.notes...)
			return
		}
		p.towardsGateway(n, *g.use, via, false, sent, g.notes...)
		return
	}
	for _, use := range p.serving(v) {
		if isGateway(via) && use.link == nil {
			if !use.certain {
				sent.under = nothing()
			}
			p.tunnel(n, use.gw, via, sent, g.notes...)
			continue
		}
		p.towardsGateway(n, use, via, true, sent, g.notes...)
	}
}

// nextHop is who holds the address of a next hop in a VNet. In the subnet of a firewall whose address the input does not state there is nothing
// but the firewall (AZ-FW-58): what is sent to an address there meets it, or nobody.
func (p *planner) nextHop(v *model.VNet, a netip.Addr) (owner, bool) {
	if o, ok := p.ownerIn(v, a); ok {
		return o, true
	}
	for _, f := range p.e.Firewalls {
		s, in := p.e.SubnetOf(f.Subnet)
		if s != nil && in == v && !f.Address.IsValid() && ipset(usable(s)).Contains(a) {
			return owner{model.PlaceFirewall, f.ID, ""}, true
		}
	}
	return owner{}, false
}

// toAppliance follows a route with hop VirtualAppliance: the address must be held in the own VNet or a directly peered one (AZ-RT-08).
func (p *planner) toAppliance(n NodeID, v *model.VNet, subnet model.ID, via string, g hopGroup) {
	sent, notes := p.sent(subnet, g), g.notes
	o, ok := p.nextHop(v, g.hop.addr)
	if !ok {
		for _, l := range p.peers(v) {
			if l.remote == nil {
				continue
			}
			if o, ok = p.nextHop(l.remote, g.hop.addr); ok {
				cross, more := p.carried(l, via)
				sent, notes = and(sent, cross), append(more, notes...)
				break
			}
		}
	}
	if !ok {
		for _, l := range p.joined(v) {
			if o, ok = p.nextHop(l.remote, g.hop.addr); ok {
				sent = p.sent(subnet, g).mayOnly() // AZ-RT-08 names direct peers alone
				break
			}
		}
	}
	switch {
	case !ok:
		left := p.toKubenetNode(n, v, subnet, via, g)
		// AZ-RT-08: an address that nothing in the input holds is an unknown forwarder, never a drop.
		p.forwardUnknown(n, v.ID.Key(), both(g.over, left), []string{"ASM-NEXTHOP"})
	case o.kind == model.PlaceFirewall:
		f, _ := model.Get[*model.Firewall](p.e, o.id)
		if !f.Address.IsValid() {
			sent, notes = sent.mayOnly(), append(slices.Clone(notes), "ASM-NEXTHOP")
		}
		p.edge(n, p.firewallIn(f, via), sent.withReply(p.reply(f.Subnet, via)), nil, notes...)
	case o.kind == model.PlaceNIC:
		p.throughAppliance(n, o, via, sent, notes)
	case o.kind == model.PlaceFrontend:
		p.frontendTransit(n, o, via, sent, notes)
	default:
		p.forwardUnknown(n, v.ID.Key(), g.over, []string{"ASM-NEXTHOP"})
	}
}

// toKubenetNode leads packets for pods of kubenet clusters to the nodes that may have the address of a next hop: a node hands them to its
// pods (AKS-NET-05). It returns the packets that no node takes.
func (p *planner) toKubenetNode(n NodeID, v *model.VNet, subnet model.ID, via string, g hopGroup) *lazy {
	left := everything()
	in := func(v *model.VNet, sent guard, notes []string) {
		taken := nothing()
		for _, c := range p.e.Clusters {
			cp := p.clusters[c.ID.Key()]
			if cp == nil || c.Manifest || !strings.EqualFold(c.Plugin, "kubenet") {
				continue
			}
			to := either(dstIn(p.addr.set(podCIDRs(c)).may), cp.toPods())
			for _, pool := range c.Pools {
				s, home := p.e.SubnetOf(pool.Subnet)
				if s == nil || home != v || !slices.ContainsFunc(s.Prefixes, func(x netip.Prefix) bool { return x.Contains(g.hop.addr) }) {
					continue
				}
				for _, m := range p.machines {
					if m.cluster == cp && m.pool == pool.Name {
						p.edge(n, p.kubenetNode(cp, m), and(sent, exactly(both(left, to))), nil, notes...)
						taken = either(taken, to)
					}
				}
			}
		}
		left = minus(left, taken)
	}
	in(v, p.sent(subnet, g), g.notes)
	for _, l := range p.peers(v) {
		if l.remote != nil {
			cross, more := p.carried(l, via)
			in(l.remote, and(p.sent(subnet, g), cross), append(more, g.notes...))
		}
	}
	for _, l := range p.joined(v) {
		in(l.remote, p.sent(subnet, g).mayOnly(), g.notes)
	}
	return left
}

// kubenetNode is where a node stands as next hop: its inbound filters see the packet, then the pod's policies. What becomes of packets for
// pods that it has not, as far as the input says, nobody knows (ASM-K-SYSTEM).
func (p *planner) kubenetNode(cp *clusterPlan, m *machine) NodeID {
	n := p.node(m.site.Place, StageFirewall, "kubenet")
	key := Node{Place: m.site.Place.Key(), Stage: StageFirewall, Via: "kubenet"}
	if p.routeDone[key] {
		return n
	}
	p.routeDone[key] = true
	// Of a pod's address that the input does not state rules know that it is one (K8S-AZ-06).
	var symbols []netip.Prefix
	for _, w := range cp.workloads {
		if !w.HostNetwork {
			symbols = append(symbols, symbolsOf(hosts(p.podAddrs(w)))...)
		}
	}
	behind := p.node(m.site.Place, StageForward, "kubenet")
	unstated := dstIn(p.b.AddSet("", symbols))
	plain, notes := p.inbound(m.filters)
	pods, more := p.filters(m.filters, model.Inbound, reading{pods: ipset(podCIDRs(cp.c))})
	notes = append(append(slices.Clone(notes), more...), "ASM-NVA-NSG")
	p.edge(n, behind, and(plain, exactly(minus(everything(), unstated))), nil, notes...)
	p.edge(n, behind, and(pods, exactly(unstated)), nil, append(notes, "ASM-K-PODCIDR")...)
	p.kubenet = append(p.kubenet, m)
	return n
}

// planKubenet leads what kubenet nodes forward to their pods, when all of them stand.
func (p *planner) planKubenet() {
	list := p.kubenet
	p.kubenet = nil
	for _, m := range list {
		behind, elsewhere := p.node(m.site.Place, StageForward, "kubenet"), everything()
		for _, x := range m.cluster.pods {
			if x.pool == m.pool && !x.w.HostNetwork {
				to := dstIn(p.addr.exactHosts(p.podsOn(m.cluster, x.w, x.pool)...))
				p.edge(behind, x.site.Receive, and(exactly(to), x.ingress), nil, x.notes...)
				elsewhere = minus(elsewhere, to)
			}
		}
		p.forwardUnknown(behind, "", elsewhere, []string{"ASM-K-SYSTEM"})
	}
}

// toPods is the packets to pods of a cluster, by their own addresses.
func (cp *clusterPlan) toPods() *lazy {
	return later(func(c *compiler) packet.Set { return dstIn(cp.all).get(c) })
}

// throughAppliance hands packets to a machine as next hop. What is addressed to its NIC itself needs no forwarding (AZ-RT-10).
func (p *planner) throughAppliance(n NodeID, o owner, via string, sent guard, notes []string) {
	if nic, ok := model.Get[*model.NIC](p.e, o.id); ok && o.kind == model.PlaceNIC {
		for _, c := range nic.IPConfigs {
			if m := p.machineAt[(model.Place{Kind: o.kind, ID: o.id, Part: c.Name}).Key()]; m != nil {
				to := dstIn(m.addr)
				p.edge(n, m.in, and(sent, exactly(to)).withReply(p.replyAt(m.filters.subnet, m.filters.nic, via)), nil, notes...)
				sent = and(sent, exactly(minus(everything(), to)))
			}
		}
	}
	p.edge(n, p.transit(o, via), sent, nil, notes...)
}

// regionsApart reports VNets that are surely in two regions (AZ-RT-05).
func regionsApart(v, w *model.VNet) bool {
	return v.Location != "" && w.Location != "" && model.Region(v.Location) != model.Region(w.Location)
}

// basicFrontends are the frontends of Basic load balancers in a VNet.
func (p *planner) basicFrontends(v *model.VNet) []netip.Addr {
	var out []netip.Addr
	for _, lb := range p.e.LoadBalancers {
		for _, f := range lb.Frontends {
			if lb.SKU == model.Basic && f.Subnet != "" && f.Subnet.Parent().Key() == v.ID.Key() {
				out = append(out, p.frontendAddr(f))
			}
		}
	}
	return out
}
