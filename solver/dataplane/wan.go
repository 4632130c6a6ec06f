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

// hubLink is one connection of a virtual hub: of a VNet, or of a branch (AZ-WAN-01).
type hubLink struct {
	id       model.ID
	hubID    model.ID
	hub      *model.VirtualHub // nil: the input lacks it
	vnetID   model.ID
	vnet     *model.VNet // nil for a branch, and where the input lacks the VNet
	side     *farSide    // of a branch
	routing  model.HubRouting
	internet model.Setting
}

// hubTarget is where a row of a hub's table leads.
type hubTarget struct {
	link     string // ID key of a connection
	firewall string // ID key
	unknown  string // the note of what is not in the input
}

func (t hubTarget) compare(u hubTarget) int {
	return cmp.Or(cmp.Compare(t.link, u.link), cmp.Compare(t.firewall, u.firewall), cmp.Compare(t.unknown, u.unknown))
}

// hubRow is one route of a hub's table.
type hubRow struct {
	prefix  netip.Prefix
	static  bool
	learned bool // it stands for prefixes of any length
	certain bool
	to      hubTarget
	note    string
}

func (r hubRow) length() int {
	if r.learned {
		return r.prefix.Addr().BitLen()
	}
	return r.prefix.Bits()
}

const viaHub = "hub:"

func isHub(via string) bool { return strings.HasPrefix(via, viaHub) }

// hubLinks lists the connections of every hub, in the order of their IDs.
func (p *planner) hubLinks() []*hubLink {
	if p.hubList != nil {
		return p.hubList
	}
	hub := func(id model.ID) *model.VirtualHub {
		h, _ := model.Get[*model.VirtualHub](p.e, id)
		return h
	}
	out := []*hubLink{}
	for _, c := range p.e.HubConnections {
		l := &hubLink{id: c.ID, hubID: c.Hub, hub: hub(c.Hub), vnetID: c.VNet, routing: c.Routing, internet: c.InternetSecurity}
		if v, ok := model.Get[*model.VNet](p.e, c.VNet); ok && !v.Partial {
			l.vnet = v
		}
		out = append(out, l)
	}
	for _, g := range p.e.HubGateways {
		for i := range g.Connections {
			b := &g.Connections[i]
			out = append(out, &hubLink{id: b.ID, hubID: g.Hub, hub: hub(g.Hub), side: p.branch(g, b), routing: b.Routing, internet: b.InternetSecurity})
		}
	}
	slices.SortStableFunc(out, func(a, b *hubLink) int { return a.id.Compare(b.id) })
	p.hubList = out
	return out
}

// branch is the far side of a connection of a hub's gateway (AZ-WAN-06). Its gateway and connection stand in the terms of a VNet's gateway, so that
// zones, sources and translations are treated alike (AZ-GW-03, AZ-GW-11, AZ-GW-12).
func (p *planner) branch(g *model.HubGateway, b *model.HubBranch) *farSide {
	gw := &model.Gateway{Meta: g.Meta, Kind: model.VPNGateway, NATRules: g.NATRules}
	f := &farSide{gw: gw, conn: &model.Connection{Meta: model.Meta{ID: b.ID, Source: b.Source}}, name: b.Name, certain: connected(b.State), bgp: true}
	switch g.Kind {
	case model.HubExpressRoute:
		gw.Kind, f.learned = model.ExpressRouteGateway, "ASM-ER"
	case model.HubClients:
		for _, x := range b.Pools {
			f.routes = append(f.routes, farRoute{prefix: x, certain: true})
		}
	default:
		f.ingress, f.missing = p.natRules(gw, b.IngressNAT, "IngressSnat")
		var more []string
		f.egress, more = p.natRules(gw, b.EgressNAT, "EgressSnat")
		f.missing = append(f.missing, more...)
		site, ok := model.Get[*model.VPNSite](p.e, b.Site)
		if !ok {
			f.learned = missing("VPN site", b.Site)
			break
		}
		for _, x := range site.Prefixes {
			inner := false
			for _, m := range outerPairs(f.ingress) {
				if m.inner.Overlaps(x) {
					inner = true
					f.routes = append(f.routes, farRoute{prefix: m.outer, certain: f.certain && len(f.missing) == 0})
				}
			}
			f.routes = append(f.routes, farRoute{prefix: x, certain: f.certain && !inner && len(f.missing) == 0})
		}
		if b.BGP == model.On || b.BGP == model.NotStated && site.BGP == model.On {
			f.learned = "ASM-BGP"
		}
	}
	return f
}

// linksOf are the connections of a VNet to hubs.
func (p *planner) linksOf(v *model.VNet) []*hubLink {
	var out []*hubLink
	for _, l := range p.hubLinks() {
		if l.vnetID != "" && l.vnetID.Key() == v.ID.Key() {
			out = append(out, l)
		}
	}
	return out
}

func (p *planner) linkOf(key string) *hubLink {
	i := slices.IndexFunc(p.hubLinks(), func(l *hubLink) bool { return l.id.Key() == key })
	if i < 0 {
		return nil
	}
	return p.hubLinks()[i]
}

// sameWAN reports that two hubs announce routes to each other.
func sameWAN(a, b *model.VirtualHub) bool {
	return a.ID.Key() == b.ID.Key() || a.WAN != "" && a.WAN.Key() == b.WAN.Key()
}

// defaultTable is the table that every hub has (AZ-WAN-02).
func defaultTable(hub model.ID) model.ID { return hub + "/hubRouteTables/defaultRouteTable" }

func isNoneTable(id model.ID) bool { return strings.EqualFold(id.Name(), "noneRouteTable") }

// table is the table that packets of a connection are looked up in.
func (l *hubLink) table() model.ID {
	if l.routing.Associated != "" {
		return l.routing.Associated
	}
	return defaultTable(l.hubID)
}

// policy is the next hop of a hub's routing policy for Internet or PrivateTraffic (AZ-WAN-03).
func (p *planner) policy(h *model.VirtualHub, destination string) (next model.ID, ok bool) {
	for _, in := range p.e.Intents {
		if in.Hub.Key() != h.ID.Key() {
			continue
		}
		for _, pol := range in.Policies {
			if slices.Contains(pol.Destinations, destination) {
				return pol.NextHop, true
			}
		}
	}
	return "", false
}

// policyPrefixes is what a private routing policy takes: the private ranges, and prefixes that the default table sends to the same next hop.
func (p *planner) policyPrefixes(h *model.VirtualHub, next model.ID) []netip.Prefix {
	ps := rfc1918()
	if t, ok := model.Get[*model.HubRouteTable](p.e, defaultTable(h.ID)); ok {
		for _, r := range t.Routes {
			if r.NextHop.Key() == next.Key() {
				ps = append(ps, withoutDefaults(r.Prefixes)...)
			}
		}
	}
	return ps
}

func (p *planner) policySpace(h *model.VirtualHub, next model.ID) *netipx.IPSet {
	return ipset(p.policyPrefixes(h, next))
}

// hubFirewall is the hub of a firewall that lives in one (AZ-FW-01).
func (p *planner) hubFirewall(f *model.Firewall) *model.VirtualHub {
	if f.Subnet != "" {
		return nil
	}
	for _, h := range p.e.Hubs {
		if f.VirtualHub.Key() == h.ID.Key() || h.Firewall.Key() == f.ID.Key() {
			return h
		}
	}
	return nil
}

// learns says whether a table learns the prefixes of a connection (AZ-WAN-02): by its ID, by a label, or by default.
func (p *planner) learns(table model.ID, hub *model.VirtualHub, l *hubLink) (over, under bool) {
	if l.hub == nil || !sameWAN(hub, l.hub) {
		return false, false
	}
	isDefault := table.Key() == defaultTable(hub.ID).Key()
	if p.privatePolicy(l.hub) {
		// AZ-WAN-03: the intent manages what the connection propagates, to nothing as exports have it, and announces its prefixes to every hub.
		return isDefault || !p.privatePolicy(hub), isDefault
	}
	if !l.routing.Stated {
		return isDefault, isDefault
	}
	if slices.ContainsFunc(l.routing.Propagated, func(id model.ID) bool { return id.Key() == table.Key() }) {
		return true, true
	}
	labels := []string(nil)
	t, known := model.Get[*model.HubRouteTable](p.e, table)
	if known {
		labels = t.Labels
	}
	if isDefault {
		labels = append(slices.Clone(labels), "default")
	}
	for _, x := range l.routing.Labels {
		if slices.ContainsFunc(labels, func(y string) bool { return strings.EqualFold(x, y) }) {
			return true, true
		}
	}
	none := slices.ContainsFunc(l.routing.Propagated, isNoneTable) || slices.ContainsFunc(l.routing.Labels, func(x string) bool { return strings.EqualFold(x, "none") })
	switch {
	case none:
		return false, false
	case isDefault && len(l.routing.Labels) == 0: // no label at all means the default one, text says; exports differ
		return true, false
	default:
		return !known && !isDefault && len(l.routing.Labels) > 0, false
	}
}

// hubTable lists the rows of a hub's table, its static routes before what it learns.
func (p *planner) hubTable(h *model.VirtualHub, table model.ID) []hubRow {
	var out []hubRow
	t, known := model.Get[*model.HubRouteTable](p.e, table)
	lacking := ""
	if !known {
		lacking = missing("hub route table", table)
	} else {
		for _, r := range t.Routes {
			out = append(out, p.staticRows(r)...)
		}
	}
	unknown := func(note string) {
		out = append(out, hubRow{prefix: allV4(), learned: true, to: hubTarget{unknown: note}, note: note})
	}
	_, haveWAN := model.Get[*model.VirtualWAN](p.e, h.WAN)
	for _, l := range p.hubLinks() {
		over, under := p.learns(table, h, l)
		if !known && !isDefaultOf(table, h) && l.hub != nil && sameWAN(h, l.hub) {
			over, under = true, false // AZ-WAN-02: what the table says is not in the input
		}
		if !over {
			continue
		}
		under = under && known && haveWAN && len(l.routing.Maps) == 0
		note := lacking
		if !haveWAN && h.WAN != "" {
			note = missing("virtual WAN", h.WAN)
		} else if h.WAN == "" || len(l.routing.Maps) > 0 {
			note = "ASM-WAN"
		}
		to, local := hubTarget{link: l.id.Key()}, l.hub != nil && l.hub.ID.Key() == h.ID.Key() // AZ-WAN-04: the default route stays in its hub
		add := func(x netip.Prefix, certain bool, why string) {
			out = append(out, hubRow{prefix: x, certain: certain && under, to: to, note: why})
		}
		switch {
		case l.side != nil:
			for _, r := range l.side.routes {
				if r.prefix.Bits() > 0 || local {
					add(r.prefix, r.certain, note)
				}
			}
			if l.side.learned != "" {
				out = append(out, hubRow{prefix: allV4(), learned: true, to: to, note: l.side.learned})
			}
		case l.vnet != nil:
			// A Basic WAN joins branches with VNets and not VNets with each other; it is all one table here, deliverToLink tells them apart.
			for _, x := range l.vnet.Prefixes {
				if x.Addr().Is4() { // AZ-V6-05
					add(x, true, note)
				}
			}
		default:
			out = append(out, hubRow{prefix: allV4(), learned: true, to: to, note: missing("virtual network", l.vnetID)})
		}
		if l.routing.PropagateStatic != model.Off { // AZ-WAN-07
			for _, s := range l.routing.Static {
				for _, x := range s.Prefixes {
					if x.Bits() > 0 || local {
						add(x, l.routing.PropagateStatic == model.On, "ASM-WAN")
					}
				}
			}
		}
	}
	for _, id := range h.Gateways {
		if _, ok := p.e.Lookup(id); !ok {
			unknown(missing("gateway", id))
		}
	}
	for range h.Peers {
		unknown("ASM-BGP")
	}
	if !known && isDefaultOf(table, h) && h.Firewall != "" {
		if f, ok := model.Get[*model.Firewall](p.e, h.Firewall); ok {
			out = append(out, hubRow{prefix: allV4(), learned: true, to: hubTarget{firewall: f.ID.Key()}, note: lacking})
		}
	}
	// One prefix learned from several connections: any of them may be chosen.
	for i := range out {
		for j := range out {
			if i != j && !out[i].learned && !out[j].learned && out[i].prefix == out[j].prefix && out[i].static == out[j].static && out[i].to != out[j].to {
				out[i].certain = false
			}
		}
	}
	slices.SortStableFunc(out, func(a, b hubRow) int {
		static := func(r hubRow) int {
			if r.static {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.length(), a.length()), cmp.Compare(static(a), static(b)), a.prefix.Compare(b.prefix), a.to.compare(b.to)) // AZ-WAN-04
	})
	return out
}

func isDefaultOf(table model.ID, h *model.VirtualHub) bool {
	return table.Key() == defaultTable(h.ID).Key()
}

// staticRows are the rows of a static route of a hub's table.
func (p *planner) staticRows(r model.HubRoute) []hubRow {
	to, note := hubTarget{}, ""
	if f, ok := model.Get[*model.Firewall](p.e, r.NextHop); ok {
		to.firewall = f.ID.Key()
	} else if l := p.linkOf(r.NextHop.Key()); l != nil {
		to.link = l.id.Key()
	} else {
		note = missing("next hop", r.NextHop)
		to.unknown = note
	}
	if r.Unknown != "" {
		return []hubRow{{prefix: allV4(), static: true, learned: true, to: to, note: "ASM-WAN"}}
	}
	var out []hubRow
	for _, x := range r.Prefixes {
		out = append(out, hubRow{prefix: x, static: true, certain: true, to: to, note: note})
	}
	return out
}

// hubGroup is what one target of a hub's table gets.
type hubGroup struct {
	to          hubTarget
	over, under *lazy
	notes       []string
}

// hubGroups compiles rows in descending preference into what each target gets (AZ-RT-34).
func (p *planner) hubGroups(rows []hubRow) []hubGroup {
	var order []hubTarget
	notes := map[hubTarget][]string{}
	for _, r := range rows {
		if !slices.Contains(order, r.to) {
			order = append(order, r.to)
		}
		if r.note != "" && !slices.Contains(notes[r.to], r.note) {
			notes[r.to] = append(notes[r.to], r.note)
		}
	}
	slices.SortFunc(order, hubTarget.compare)
	sets := make([]addrs, len(rows))
	for i, r := range rows {
		sets[i] = p.addr.set([]netip.Prefix{r.prefix})
	}
	var over, under []packet.Set
	solve := func(c *compiler) {
		if over != nil {
			return
		}
		s := c.s
		taken := packet.Set{}
		over, under = make([]packet.Set, len(order)), make([]packet.Set, len(order))
		for i, r := range rows {
			t := slices.Index(order, r.to)
			over[t] = s.Union(over[t], s.Subtract(dstIn(sets[i].may).get(c), taken))
			if r.certain {
				taken = s.Union(taken, dstIn(sets[i].must).get(c))
			}
		}
		for t := range order {
			rest := s.Complement(taken)
			for u := range order {
				if u != t {
					rest = s.Union(rest, over[u])
				}
			}
			under[t] = s.Subtract(over[t], rest)
		}
	}
	out := make([]hubGroup, len(order))
	for t, to := range order {
		out[t] = hubGroup{
			to: to, notes: notes[to],
			over:  later(func(c *compiler) packet.Set { solve(c); return over[t] }),
			under: later(func(c *compiler) packet.Set { solve(c); return under[t] }),
		}
	}
	return out
}

// hubRoutes are the routes that a VNet has by its connection to a hub (AZ-WAN-05): every prefix of the associated table, the ranges of
// a private policy, and the default route only with enableInternetSecurity.
func (p *planner) hubRoutes(v *model.VNet) []route {
	var out []route
	if len(p.linksOf(v)) == 0 {
		for _, peering := range v.Peerings {
			if peering.Hub && connected(peering.State) {
				note := missing("virtual hub", peering.Remote)
				out = append(out, route{prefix: allV4(), origin: gatewayRoute, hop: hop{kind: model.HopGateway, gateway: peering.Remote}, learned: true, note: note, link: &hubLink{hubID: peering.Remote}})
			}
		}
	}
	for _, l := range p.linksOf(v) {
		h := hop{kind: model.HopGateway, gateway: l.hubID}
		add := func(x netip.Prefix, certain bool, note string) {
			out = append(out, route{prefix: x, origin: gatewayRoute, hop: h, certain: certain, note: note, link: l})
		}
		learn := func(note string) {
			out = append(out, route{prefix: allV4(), origin: gatewayRoute, hop: h, learned: true, note: note, link: l})
		}
		if l.hub == nil {
			learn(missing("virtual hub", l.hubID))
			continue
		}
		byDefault := func(certain bool, note string) {
			switch l.internet {
			case model.On:
				add(allV4(), certain, note)
			case model.NotStated:
				add(allV4(), false, "ASM-WAN")
			}
		}
		if len(l.routing.Maps) > 0 || len(p.fogged(l.hubID)) > 0 {
			learn("ASM-WAN")
		}
		if next, ok := p.policy(l.hub, "PrivateTraffic"); ok {
			for _, x := range p.policyPrefixes(l.hub, next) { // each a route of its own: a longer one beats a user route for a range that holds it
				add(x, len(l.routing.Maps) == 0, "")
			}
		}
		if _, ok := p.policy(l.hub, "Internet"); ok {
			byDefault(true, "")
		}
		for _, r := range p.hubTable(l.hub, l.table()) {
			switch {
			case r.to.link == l.id.Key() && !r.static:
			case r.learned:
				learn(r.note)
			case r.prefix.Bits() == 0:
				byDefault(r.certain, r.note)
			default:
				add(r.prefix, r.certain, r.note)
			}
		}
		if l.hub.Prefix.IsValid() {
			out = append(out, route{prefix: l.hub.Prefix, origin: systemRoute, hop: h, certain: true, link: l})
		}
	}
	return out
}

// intoHub hands packets of a connection to its hub.
func (p *planner) intoHub(from NodeID, l *hubLink, sent guard, notes ...string) {
	if l.hub == nil {
		p.unknownFrom(from, and(sent, guard{over: p.routed()}), append(notes, missing("virtual hub", l.hubID))) // AZ-PLAT-02
		return
	}
	p.edge(from, p.hubAt(l.hub, l.table(), viaHub+l.hub.ID.Key()), sent, nil, notes...)
}

// unknownIntoHub lets a forwarder that the input does not describe send to what lies behind a hub.
func (p *planner) unknownIntoHub(from NodeID, h *model.VirtualHub, table model.ID, rw *rewrite) {
	if h != nil {
		p.edge(from, p.hubAt(h, table, "unknown"), onlyOver(everything()), rw)
	}
}

// hubAt is a hub on the way from one of its connections: its policies, then the connection's table decide.
func (p *planner) hubAt(h *model.VirtualHub, table model.ID, via string) NodeID {
	place := model.Place{Kind: model.PlaceGateway, ID: h.ID, Part: table.Key()}
	n := p.node(place, StageGateway, via)
	key := Node{Place: place.Key(), Stage: StageGateway, Via: via}
	if p.routeDone[key] {
		return n
	}
	p.routeDone[key] = true
	left := guard{over: p.routed()} // AZ-PLAT-02
	fog := p.hubFog(n, h)
	for _, f := range p.e.Firewalls { // DNS and the explicit proxy of the hub's firewall
		if at := p.hubFirewall(f); at != nil && sameWAN(at, h) {
			own := dstIn(p.addr.exactHosts(p.firewallAddr(f)))
			p.edge(n, p.firewallIn(f, via), and(left, exactly(own), fog).withReply(p.hubFirewallBack(f, via)), nil)
			left = and(left, exactly(minus(everything(), own)))
		}
	}
	rows := p.hubTable(h, table)
	if next, ok := p.policy(h, "PrivateTraffic"); ok {
		// AZ-WAN-03: private traffic goes to the next hop. Of prefixes outside of the private ranges text says that they have to be added;
		// without it both ways are kept.
		space := p.addr.space(p.policySpace(h, next))
		p.toPolicy(n, next, via, and(left, fog, between(dstIn(space.may), dstIn(space.must))))
		rest := minus(everything(), dstIn(space.must))
		var outside []netip.Prefix
		for _, r := range rows {
			if !r.learned && r.prefix.Bits() > 0 {
				outside = append(outside, r.prefix)
			}
		}
		other := p.addr.space(minusSet(ipset(outside), p.policySpace(h, next)))
		p.toPolicy(n, next, via, and(left, onlyOver(dstIn(other.may))), "ASM-WAN")
		left = and(left, between(rest, nothing()))
		if next, ok := p.policy(h, "Internet"); ok {
			over, under := minus(minus(everything(), dstIn(space.must)), dstIn(other.must)), minus(minus(everything(), dstIn(space.may)), dstIn(other.may))
			p.toPolicy(n, next, via, and(guard{over: p.routed()}, fog, between(over, under), exactly(dstIn(p.addr.public))))
		}
	} else if next, ok := p.policy(h, "Internet"); ok {
		var named []netip.Prefix
		learned := false
		for _, r := range rows {
			learned = learned || r.learned
			if !r.learned && r.prefix.Bits() > 0 {
				named = append(named, r.prefix)
			}
		}
		held := p.addr.set(named)
		g := and(between(minus(everything(), dstIn(held.must)), minus(everything(), dstIn(held.may))), exactly(dstIn(p.addr.public)))
		if learned {
			g = g.mayOnly()
		}
		p.toPolicy(n, next, via, and(left, fog, g))
		rows = pastDefault(rows)
	}
	p.hubRows(n, h, rows, via, and(left, fog))
	return n
}

// hubFog leads what meets a hub of which something was not understood anywhere, and takes the certainty from its other ways (AZ-GEN-08).
func (p *planner) hubFog(n NodeID, h *model.VirtualHub) guard {
	list := p.fogged(h.ID)
	if len(list) == 0 {
		return guard{}
	}
	for _, entry := range list {
		p.forwardUnknown(n, "", p.routed(), []string{unsupported(entry)})
	}
	return onlyOver(everything())
}

// hubRows adds the ways of a hub's table.
func (p *planner) hubRows(n NodeID, h *model.VirtualHub, rows []hubRow, via string, left guard) {
	for _, g := range p.hubGroups(rows) {
		sent := and(left, between(g.over, g.under))
		switch {
		case g.to.link != "":
			p.toLink(n, h, p.linkOf(g.to.link), via, sent, g.notes...)
		case g.to.firewall != "":
			if f, ok := model.Get[*model.Firewall](p.e, model.ID(g.to.firewall)); ok && p.hubFirewall(f) != nil {
				p.edge(n, p.firewallIn(f, via), sent.withReply(p.hubFirewallBack(f, via)), nil, g.notes...)
				continue
			}
			p.unknownFrom(n, sent, append(g.notes, "ASM-WAN"))
		default:
			p.unknownFrom(n, sent, g.notes)
		}
	}
}

// unknownFrom leads some packets of a node to a forwarder that the input does not describe.
func (p *planner) unknownFrom(n NodeID, sent guard, notes []string) {
	over := sent.over
	if over == nil {
		over = everything()
	}
	p.forwardUnknown(n, "", over, notes)
}

// toPolicy hands packets to the next hop of a routing policy.
func (p *planner) toPolicy(n NodeID, next model.ID, via string, sent guard, notes ...string) {
	if f, ok := model.Get[*model.Firewall](p.e, next); ok && p.hubFirewall(f) != nil {
		p.edge(n, p.firewallIn(f, via), sent.withReply(p.hubFirewallBack(f, via)), nil, notes...)
		return
	}
	p.unknownFrom(n, sent, append(notes, missing("next hop", next)))
}

// toLink delivers packets of a hub to a connection, in its own hub or in another one of the WAN, whose private policy then acts as well
// (AZ-WAN-03).
func (p *planner) toLink(n NodeID, h *model.VirtualHub, l *hubLink, via string, sent guard, notes ...string) {
	if l.hub != nil && l.hub.ID.Key() != h.ID.Key() {
		if next, ok := p.policy(l.hub, "PrivateTraffic"); ok && via != firewallKey(next) {
			p.toPolicy(n, next, via, sent, notes...)
			return
		}
	}
	sent, more := p.between(h, l, via, sent)
	notes = append(slices.Clone(notes), more...)
	if l.side != nil {
		if isHub(via) {
			sent = and(sent, exactly(minus(everything(), p.fromPlace(farPlace(*l.side))))) // not by the way that it came
		}
		p.translateOut(n, *l.side, sent.withReply(p.hubBack(l.hub, l.table(), via)), append(notes, l.side.missing...))
		return
	}
	if l.vnet == nil {
		p.unknownFrom(n, sent, append(notes, missing("virtual network", l.vnetID)))
		return
	}
	local := p.addr.set(l.vnet.Prefixes)
	static := ipset(nil)
	for _, s := range l.routing.Static {
		static = unionSet(static, ipset(s.Prefixes))
		to := p.addr.set(s.Prefixes)
		g := between(dstIn(to.may), minus(dstIn(to.must), dstIn(local.may))) // of its own ranges text and flag differ
		p.toHubAppliance(n, l, s.NextHop, via, and(sent, g), notes)
	}
	inside := guard{over: dstIn(local.may), under: dstIn(local.must)}
	if !isEmpty(static) {
		inside.under = minus(inside.under, dstIn(p.addr.space(static).may))
	}
	p.edge(n, p.fabric(l.vnet, via), and(sent, inside), nil, notes...)
}

// between narrows what one connection may open to another (AZ-WAN-08): a Basic WAN joins no VNets with each other, and hubs perhaps; branches talk
// only if the WAN lets them.
func (p *planner) between(h *model.VirtualHub, l *hubLink, via string, sent guard) (guard, []string) {
	wan, ok := model.Get[*model.VirtualWAN](p.e, h.WAN)
	if !ok {
		return sent, nil
	}
	var branches []*lazy
	for _, other := range p.hubLinks() {
		if other.side != nil {
			branches = append(branches, p.fromPlace(farPlace(*other.side)))
		}
	}
	fromBranch := either(branches...)
	var notes []string
	if l.side != nil && len(branches) > 0 {
		switch wan.BranchToBranch {
		case model.Off:
			sent = and(sent, exactly(minus(everything(), fromBranch)))
		case model.NotStated:
			sent = and(sent, between(everything(), minus(everything(), fromBranch)))
			notes = append(notes, "ASM-WAN")
		}
	}
	if !strings.EqualFold(wan.Type, "Basic") {
		return sent, notes
	}
	if l.hub == nil || l.hub.ID.Key() != h.ID.Key() {
		sent, notes = sent.mayOnly(), append(notes, "ASM-WAN")
	}
	if l.side == nil && isHub(via) {
		sent = and(sent, exactly(fromBranch))
	}
	return sent, notes
}

// toHubAppliance follows a static route of a VNet connection to an address in the VNet, as a user route there would lead to it (AZ-WAN-07).
func (p *planner) toHubAppliance(n NodeID, l *hubLink, a netip.Addr, via string, sent guard, notes []string) {
	over := sent.over
	if over == nil {
		over = everything()
	}
	p.toAppliance(n, l.vnet, "", via, hopGroup{hop: hop{kind: model.HopAppliance, addr: a}, over: over, under: sent.low(), notes: append(slices.Clone(notes), "ASM-WAN")})
}

func firewallKey(id model.ID) string { return "firewall:" + id.Key() }

// hubOnward is behind a firewall of a hub: to the connections that its default table knows, through the firewall of another hub whose
// policy says so, and to the internet.
func (p *planner) hubOnward(from NodeID, f *model.Firewall, h *model.VirtualHub) {
	via := firewallVia(f)
	place := model.Place{Kind: model.PlaceGateway, ID: h.ID, Part: "behind " + f.ID.Key()}
	n := p.node(place, StageGateway, via)
	p.edge(from, n, guard{over: p.routed()}, nil)
	rows, straight, learned, named := p.hubOut(f, h)
	held := p.addr.set(named)
	out := and(between(minus(everything(), dstIn(held.must)), minus(everything(), dstIn(held.may))), exactly(dstIn(p.addr.public)), between(srcIn(p.addr.public), srcIn(p.firewallPublic(f)))) // AZ-FW-41: a source that it keeps the internet drops, perhaps
	var notes []string
	if !straight || learned {
		out, notes = out.mayOnly(), []string{"ASM-WAN"}
	}
	fog := p.hubFog(n, h)
	p.edge(n, p.publicOut(), and(out, fog), nil, notes...)
	p.hubRows(n, h, rows, via, fog)
}

func (p *planner) privatePolicy(h *model.VirtualHub) bool {
	_, ok := p.policy(h, "PrivateTraffic")
	return ok
}

// planHubs adds the branches of hubs as senders and receivers, and the firewalls of hubs, which send of their own (AZ-FW-53, AZ-FW-54).
func (p *planner) planHubs() {
	for _, f := range p.e.Firewalls {
		if p.hubFirewall(f) != nil {
			p.firewallPlan(f)
		}
	}
	for _, l := range p.hubLinks() {
		if l.side == nil {
			continue
		}
		f := *l.side
		all, stated := p.senders(f)
		if isEmpty(all) {
			continue
		}
		place := farPlace(f)
		s := p.site(&Site{Place: place, Prefixes: all.Prefixes(), Outer: outerPairs(f.ingress), Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, "")})
		in, notes := p.arrives(f, s, all, stated)
		p.intoHub(p.translateIn(s.Send, f), l, in, notes...)
	}
}

// outsideSent is the packets that come from outside the estate's VNets: of a public address, or from behind a gateway.
func (p *planner) outsideSent() *lazy {
	return later(func(c *compiler) packet.Set {
		var rs []packet.Range
		for i, o := range p.origins {
			switch o.Site.Place.Kind {
			case model.PlaceInternet, model.PlaceFrontDoor, model.PlaceFarSide:
				rs = append(rs, packet.Range{Lo: uint32(i), Hi: uint32(i)})
			default:
			}
		}
		if len(rs) == 0 {
			return packet.Set{}
		}
		return c.s.Box(packet.Box{Origin: rs})
	})
}

// hubBack is the packets whose reply, handed to a hub with a table, returns to where they came from (AZ-WAN-09). via is the forwarder that
// they passed last.
func (p *planner) hubBack(h *model.VirtualHub, table model.ID, via string) *lazy {
	if h == nil || len(p.fogged(h.ID)) > 0 {
		return nothing()
	}
	key := h.ID.Key() + "|" + table.Key() + "|" + via
	if l, ok := p.hubReplies[key]; ok {
		return l
	}
	l := p.hubReply(h, table, via)
	p.hubReplies[key] = l
	return l
}

// hubsBack is hubBack for the connections that routes lead to.
func (p *planner) hubsBack(groups []hopGroup, via string) map[*hubLink]*lazy {
	out := map[*hubLink]*lazy{}
	for _, g := range groups {
		if g.link != nil {
			out[g.link] = p.hubBack(g.link.hub, g.link.table(), via)
		}
	}
	return out
}

func (p *planner) hubReply(h *model.VirtualHub, table model.ID, via string) *lazy {
	left, sets := minus(everything(), srcIn(p.addr.exactHosts(platformHosts()...))), []*lazy{nothing()}
	for _, f := range p.e.Firewalls {
		if at := p.hubFirewall(f); at != nil && sameWAN(at, h) {
			own := srcIn(p.addr.exactHosts(p.firewallAddr(f)))
			if via == firewallVia(f) {
				sets = append(sets, both(left, own))
			}
			left = minus(left, own)
		}
	}
	if next, ok := p.policy(h, "PrivateTraffic"); ok {
		if via == firewallKey(next) {
			sets = append(sets, both(left, srcIn(p.addr.space(p.policySpace(h, next)).must)))
		}
		return either(sets...)
	}
	rows := p.hubTable(h, table)
	if _, ok := p.policy(h, "Internet"); ok {
		rows = pastDefault(rows)
	}
	return either(append(sets, both(left, p.rowsBack(h, rows, "", via)))...)
}

// rowsBack is the packets whose reply returns by the rows of a hub. behind is a firewall of the hub that sends it on.
func (p *planner) rowsBack(h *model.VirtualHub, rows []hubRow, behind, via string) *lazy {
	sets := []*lazy{nothing()}
	for _, g := range p.hubGroups(rows) {
		to := later(func(c *compiler) packet.Set { return c.swap(g.under.get(c)) })
		switch {
		case g.to.link != "":
			sets = append(sets, both(to, p.linkBack(h, p.linkOf(g.to.link), behind, via)))
		case g.to.firewall != "" && via == firewallKey(model.ID(g.to.firewall)):
			sets = append(sets, to)
		}
	}
	return either(sets...)
}

// linkBack is the packets whose reply returns by a connection of a hub: those that its own hosts sent, straight or through the firewall of its hub.
func (p *planner) linkBack(h *model.VirtualHub, l *hubLink, behind, via string) *lazy {
	if l.hub != nil && l.hub.ID.Key() != h.ID.Key() {
		if next, ok := p.policy(l.hub, "PrivateTraffic"); ok && behind != firewallKey(next) {
			if via == firewallKey(next) {
				return everything()
			}
			return nothing()
		}
	}
	switch {
	case via != "" && !isHub(via):
		return nothing()
	case l.side != nil:
		return p.fromPlace(farPlace(*l.side))
	case l.vnet == nil:
		return nothing()
	}
	var apart []netip.Prefix // of such addresses nobody knows who has them
	for _, s := range l.routing.Static {
		apart = append(apart, s.Prefixes...)
	}
	for _, v := range p.e.VNets {
		if v.ID.Key() != l.vnet.ID.Key() {
			apart = append(apart, v.Prefixes...)
		}
	}
	return minus(minus(srcIn(p.addr.set(l.vnet.Prefixes).must), srcIn(p.addr.set(apart).may)), p.outsideSent())
}

// hubOut is how a firewall of a hub sends on: the rows of the hub's default table but those that lead to itself, and whether public destinations
// leave straight (AZ-WAN-03).
func (p *planner) hubOut(f *model.Firewall, h *model.VirtualHub) (rows []hubRow, straight, learned bool, named []netip.Prefix) {
	for _, r := range p.hubTable(h, defaultTable(h.ID)) {
		if r.to.firewall == f.ID.Key() {
			straight = straight || !r.learned && r.prefix.Bits() == 0
			continue
		}
		rows = append(rows, r)
	}
	next, internet := p.policy(h, "Internet")
	straight = internet && next.Key() == f.ID.Key() || straight && !p.privatePolicy(h)
	for _, r := range rows {
		learned = learned || r.learned
		if !r.learned && r.prefix.Bits() > 0 {
			named = append(named, r.prefix)
		}
	}
	if straight {
		rows = pastDefault(rows)
	}
	return rows, straight, learned, named
}

// pastDefault gives the rows of a hub but its configured default routes, whose place a policy to the internet takes.
func pastDefault(rows []hubRow) []hubRow {
	return slices.DeleteFunc(slices.Clone(rows), func(r hubRow) bool { return !r.learned && r.prefix.Bits() == 0 })
}

// hubFirewallBack is the packets whose reply a firewall of a hub, which they met on this way, sends back to where they came from (AZ-WAN-09).
func (p *planner) hubFirewallBack(f *model.Firewall, via string) *lazy {
	h := p.hubFirewall(f)
	if h == nil || len(p.fogged(h.ID)) > 0 {
		return nothing()
	}
	rows, straight, learned, named := p.hubOut(f, h)
	if via == viaInternet {
		if !straight || learned {
			return nothing()
		}
		return both(srcIn(p.addr.public), minus(everything(), srcIn(p.addr.set(named).may)))
	}
	return both(p.rowsBack(h, rows, firewallVia(f), via), minus(everything(), srcIn(p.addr.exactHosts(platformHosts()...))))
}
