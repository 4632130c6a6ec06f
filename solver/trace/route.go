package trace

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// origin says who made a route. At equal length the later one wins (AZ-RT-19).
type origin uint8

const (
	systemRoute origin = iota
	gatewayRoute
	userRoute
)

// route is one row of an effective table.
type route struct {
	prefix   netip.Prefix // invalid: see tag, or unknown (a route that the input does not state)
	tag      string       // service tag in place of a prefix
	hop      model.NextHopType
	address  netip.Addr
	origin   origin
	inside   bool   // system route of the VNet, of a peering or of a service endpoint: BGP never beats it (AZ-RT-20)
	table    string // route table of a user route
	name     string
	source   model.Source
	link     *link
	gateway  *model.Gateway
	hub      *attachment // a virtual hub, by this connection of the VNet
	tunnels  bool        // of a winner: a default route of a gateway, or what a gateway learned, leads there
	service  *model.ServiceEndpoint
	endpoint *model.PrivateEndpoint // of an imported table
	certain  bool
	why      []string
}

// unknown reports a route whose prefix the input does not state.
func (r route) unknown() bool { return !r.prefix.IsValid() && r.tag == "" && r.service == nil }

// tableOptions vary a table.
type tableOptions struct {
	noUser bool // without the subnet's route table
}

// routeTable is the subnet's route table. ok is false where the input lacks a table that the subnet names.
func (w *world) routeTable(s *model.Subnet) (rt *model.RouteTable, ok bool) {
	switch {
	case s == nil || s.RouteTable == "":
		return nil, true
	case subnetKind(s) == bastionSubnet || subnetKind(s) == routeServerSubnet:
		return nil, true // AZ-NSG-20, AZ-BAS-03: user routes are not supported there
	}
	rt, ok = model.Get[*model.RouteTable](w.e, s.RouteTable)
	return rt, ok
}

// propagates reports whether gateway routes reach a subnet (AZ-RT-26); they always reach GatewaySubnet.
func (w *world) propagates(s *model.Subnet) bool {
	rt, _ := w.routeTable(s)
	return rt == nil || rt.DisableBGP != model.On || subnetKind(s) == gatewaySubnet
}

// table is the effective table of a host's subnet (AZ-RT-01, AZ-RT-02, AZ-RT-05). Private endpoints' /32 routes stand apart
// (endpoint.go).
func (w *world) table(h *host, o tableOptions) []route {
	if h.vnet == nil {
		return nil
	}
	key := tableKey{h.vnet, h.subnet, h.nicID(), o}
	if rows, ok := w.tables[key]; ok {
		return rows
	}
	rows, ok := w.importedTable(h, func() []route { return w.computedTable(h, o) })
	if !ok {
		rows = w.computedTable(h, o)
	}
	if w.tables == nil {
		w.tables = map[tableKey][]route{}
	}
	w.tables[key] = slices.Clip(rows)
	return w.tables[key]
}

// tableKey is what a table depends on.
type tableKey struct {
	vnet   *model.VNet
	subnet *model.Subnet
	nic    model.ID
	tableOptions
}

// computedTable is the table as the resources of the input make it.
func (w *world) computedTable(h *host, o tableOptions) []route {
	var out []route
	v6 := false
	for _, p := range h.vnet.Prefixes { // AZ-RT-18: one for each range, none for subnets: a user route for the range takes neighbours' traffic
		if p.IsValid() {
			v6 = v6 || p.Addr().Is6()
			out = append(out, route{prefix: p, hop: model.HopVnetLocal, inside: true, certain: true})
		}
	}
	// AZ-RT-27: a user or gateway route for 0.0.0.0/0 takes its place, for the public addresses of Azure's services too.
	out = append(out, route{prefix: netip.MustParsePrefix("0.0.0.0/0"), hop: model.HopInternet, certain: true})
	if v6 {
		out = append(out, route{prefix: netip.MustParsePrefix("::/0"), hop: model.HopInternet, certain: true})
	}
	out = append(out, w.peerRoutes(h)...)
	out = append(out, w.groupRoutes(h)...)
	propagates := o.noUser || w.propagates(h.subnet)
	if propagates {
		out = append(append(out, w.gatewayRoutes(h)...), w.serverRoutes(h)...)
	}
	for _, r := range w.hubRoutes(h) {
		if propagates || r.inside {
			out = append(out, r)
		}
	}
	out = append(out, w.serviceRoutes(h)...)
	if !o.noUser {
		out = append(out, w.userRoutes(h)...)
	}
	return append(out, noneRoutes(h.vnet, out)...)
}

func (w *world) peerRoutes(h *host) []route {
	var out []route
	for _, l := range w.links(h.vnet) {
		hop := model.HopPeering
		if l.global() {
			hop = model.HopGlobalPeering
		}
		part := l.peersSubnet(h.subnet)
		for _, p := range w.peerPrefixes(l) {
			out = append(out, route{prefix: p.prefix, hop: hop, inside: true, link: &l, certain: p.certain && l.certain && part.must, why: part.why})
		}
	}
	return out
}

func (w *world) gatewayRoutes(h *host) []route {
	var out []route
	for _, use := range w.gatewaysOf(h.vnet) {
		for _, r := range w.gatewayPrefixes(use.gateway) {
			out = append(out, route{
				prefix: r.prefix, hop: model.HopGateway, origin: gatewayRoute, gateway: use.gateway, link: use.link,
				certain: r.certain && use.certain, why: r.why,
			})
		}
	}
	return out
}

// serviceRoutes are the subnet's service endpoints; their prefixes are those of the service tag (AZ-RT-05, AZ-SE-01).
func (w *world) serviceRoutes(h *host) []route {
	var out []route
	if h.subnet == nil {
		return nil
	}
	for i := range h.subnet.ServiceEndpoints {
		s := &h.subnet.ServiceEndpoints[i]
		if s.State == "" || fold(s.State, "Succeeded") {
			out = append(out, route{hop: model.HopServiceEndpoint, inside: true, service: s, source: s.Source, certain: true})
		}
	}
	return out
}

func (w *world) userRoutes(h *host) []route {
	rt, ok := w.routeTable(h.subnet)
	if !ok { // a control that the input lacks is unknown, never absent
		return []route{{origin: userRoute, table: h.subnet.RouteTable.Name(), source: h.subnet.Source, why: []string{"ASM-NEXTHOP"}}}
	}
	if rt == nil {
		return nil
	}
	var out []route
	if list := w.misread(rt.ID); len(list) > 0 { // AZ-GEN-08: a route may be another one than it seems
		out = append(out, route{origin: userRoute, table: rt.Name(), source: rt.Source, why: namesOf(list)})
	}
	for _, u := range rt.Routes {
		if u.Prefix.IsValid() || u.Tag != "" {
			out = append(out, route{
				prefix: u.Prefix.Masked(), tag: u.Tag, hop: hopType(u.NextHop), address: u.Address, origin: userRoute, table: rt.Name(),
				name: u.Name, source: u.Source, certain: true,
			})
		}
	}
	return out
}

// hopType folds the case of a next hop.
func hopType(t model.NextHopType) model.NextHopType {
	for _, known := range []model.NextHopType{model.HopVnetLocal, model.HopGateway, model.HopAppliance, model.HopInternet, model.HopNone} {
		if fold(string(t), string(known)) {
			return known
		}
	}
	return t
}

// noneRoutes are the reserved prefixes that a VNet's packets go nowhere to. must: the documented ones but 172.16.0.0/12; may: all
// that were ever printed (AZ-RT-02, ASM-NONE-LIST). IPv6 has none: fd00::/8 follows ::/0 (AZ-V6-06).
func noneRoutes(v *model.VNet, table []route) []route {
	var out []route
	userDefault, bgpDefault := false, false
	for _, r := range table {
		v4Default := r.prefix.IsValid() && r.prefix.Addr().Is4() && r.prefix.Bits() == 0
		userDefault = userDefault || v4Default && r.origin == userRoute
		bgpDefault = bgpDefault || (v4Default || r.unknown()) && r.origin != systemRoute
	}
	if userDefault { // AZ-RT-04: they vanish when a user route overrides the default
		return nil
	}
	add := func(prefix string, documented bool) {
		p := netip.MustParsePrefix(prefix)
		for _, own := range v.Prefixes {
			// AZ-RT-03: a VNet range that equals or holds the reserved prefix takes its place; one inside it leaves it.
			if own.IsValid() && own.Addr().Is4() && own.Bits() <= p.Bits() && own.Contains(p.Addr()) {
				return
			}
		}
		r := route{prefix: p, hop: model.HopNone, certain: documented && !bgpDefault}
		if !documented {
			r.why = append(r.why, "ASM-NONE-LIST")
		}
		if bgpDefault {
			r.why = append(r.why, "ASM-NONE-BGP")
		}
		out = append(out, r)
	}
	for _, p := range []string{"10.0.0.0/8", "192.168.0.0/16", "100.64.0.0/10"} {
		add(p, true)
	}
	for _, p := range []string{
		"172.16.0.0/12", "127.0.0.0/8", "25.48.0.0/12", "25.4.0.0/14", "198.18.0.0/15", "157.59.0.0/16", "25.33.0.0/16", "40.109.0.0/16",
		"104.147.0.0/16", "104.146.0.0/17", "40.108.0.0/17", "23.103.0.0/18", "25.41.0.0/20", "20.35.252.0/22",
	} {
		add(p, false)
	}
	return out
}

// covers says whether a route holds the destination.
func (w *world) covers(r route, h *host, f flow) match {
	switch {
	case r.service != nil:
		return w.serviceCovers(h, r.service, f)
	case r.tag != "":
		return w.inTag(r.tag, f.dst, f.tags)
	case r.hop == model.HopNone && r.origin == systemRoute && f.dst.public:
		return no() // a host that has a name, or an address of Azure, lies in no reserved prefix (AZ-RT-02)
	case r.prefix.IsValid():
		return f.dst.in(prefixSet(r.prefix))
	default:
		return when(r.origin == userRoute || r.gateway != nil || !f.dst.v6()).and(maybe()) // AZ-V6-05: hubs and Route Servers carry IPv4
	}
}

// length is the prefix length by which a route competes; known is false for a tag or service whose prefixes the input does not state.
func (w *world) length(r route, f flow) (bits int, known bool) {
	if r.prefix.IsValid() {
		return r.prefix.Bits(), true
	}
	tag := r.tag
	if r.service != nil {
		tag = endpointTag(r.service.Service)
	}
	if w.tags == nil || f.dst.may != nil {
		return 0, false
	}
	best := -1
	for _, t := range w.tags.Tags {
		if !fold(t.Name, tag) {
			continue
		}
		for _, p := range t.Prefixes {
			if p.Contains(f.dst.at) {
				best = max(best, p.Bits())
			}
		}
	}
	return best, best >= 0
}

// tagRank orders user routes of equal prefix: an explicit prefix, then the regional tag, the tag, AzureCloud.region, AzureCloud
// (AZ-RT-17).
func tagRank(r route) int {
	base, _, regional := strings.Cut(r.tag, ".")
	switch {
	case r.tag == "":
		return 0
	case !fold(base, "AzureCloud") && regional:
		return 1
	case !fold(base, "AzureCloud"):
		return 2
	case regional:
		return 3
	default:
		return 4
	}
}

// beats says that q surely wins over r where both hold the destination.
func (w *world) beats(q, r route, f flow) bool {
	switch {
	case q.unknown():
		return false
	case q.inside && r.origin == gatewayRoute: // AZ-RT-20; between VNets with a peering and a connection the peering carries (AZ-PEER-09)
		return true
	case r.unknown(): // a user route of full length is as long as any (AZ-RT-19)
		return r.origin == gatewayRoute && q.origin == userRoute && q.prefix.IsValid() && q.prefix.Bits() == q.prefix.Addr().BitLen()
	case q.origin == gatewayRoute && r.inside:
		return false
	}
	ql, qKnown := w.length(q, f)
	rl, rKnown := w.length(r, f)
	switch {
	case q.service != nil && r.origin == userRoute:
		// AZ-RT-21, ASM-SE-UDR: a user route that is as long or longer, or names the tag, may win, unless its next hop is Internet.
		return r.hop == model.HopInternet || r.prefix.IsValid() && (r.prefix.Bits() == 0 || qKnown && rl < ql)
	case r.service != nil && q.origin == userRoute:
		return false
	case q.service != nil && r.origin == gatewayRoute, r.service != nil && q.origin == gatewayRoute: // AZ-RT-20: however specific it is
		return q.service != nil
	case qKnown && rKnown && ql != rl:
		return ql > rl
	case qKnown && !rKnown:
		// A tag's prefix is longer than a default route and no longer than one address.
		return ql == q.prefix.Addr().BitLen() && q.prefix.IsValid() && q.origin >= r.origin && q.tag == ""
	case !qKnown && rKnown:
		return rl == 0
	case !qKnown && !rKnown && q.tag != r.tag:
		return false
	}
	if q.origin != r.origin {
		return q.origin > r.origin
	}
	return q.origin == userRoute && tagRank(q) < tagRank(r)
}

// winners are the routes that may take the packet: those of the may-table that no route of the must-table beats; of equal ones any may, be
// they copies of one route (AZ-RT-24) or lead to two peers with one range (AZ-RT-25). It is certain only if
// all of them lead to one next hop, and one of them surely is there (AZ-RT-34).
func (w *world) winners(h *host, table []route, f flow) (out []route, certain bool) {
	type entry struct {
		route
		match match
	}
	var rows []entry
	for _, r := range table {
		if m := w.covers(r, h, f); m.may {
			rows = append(rows, entry{r, m})
		}
	}
	// AZ-RT-20: where a route of the VNet or of a peering may hold the destination, a gateway's is not surely there to beat any other.
	inside := slices.ContainsFunc(rows, func(q entry) bool { return q.inside && q.service == nil })
	for i := range rows {
		if inside && rows[i].origin == gatewayRoute {
			rows[i].certain = false
		}
	}
	// jointly reports that some of the routes, all surely there, hold together what the destination may be.
	jointly := func(which func(route) bool) bool {
		var held []netip.Prefix
		for _, q := range rows {
			if q.certain && q.tag == "" && q.service == nil && q.origin != gatewayRoute && q.prefix.IsValid() && which(q.route) {
				held = append(held, q.prefix)
			}
		}
		return len(held) > 1 && f.dst.may != nil && f.dst.in(prefixSet(held...)).must
	}
	certain = jointly(func(route) bool { return true })
	for _, r := range rows {
		beaten := slices.ContainsFunc(rows, func(q entry) bool { return q.certain && q.match.must && w.beats(q.route, r.route, f) })
		if beaten || jointly(func(q route) bool { return w.beats(q, r.route, f) }) {
			continue
		}
		x := r.route
		x.why = union(sorted(x.why), r.match.why)
		certain = certain || x.certain && r.match.must
		if x.origin == userRoute && slices.ContainsFunc(rows, func(q entry) bool { return q.service != nil }) ||
			x.service != nil && slices.ContainsFunc(rows, func(q entry) bool { return q.origin == userRoute && !w.beats(x, q.route, f) }) {
			x.why = union(x.why, []string{"ASM-SE-UDR"})
		}
		x.tunnels = x.origin == gatewayRoute && x.prefix.Bits() <= 0
		if i := slices.IndexFunc(out, func(q route) bool { return sameHop(q, x) }); i >= 0 {
			tunnels := x.tunnels || out[i].tunnels
			if w.lengthOr0(x, f) > w.lengthOr0(out[i], f) {
				out[i] = x
			}
			out[i].tunnels = tunnels
			continue
		}
		out = append(out, x)
	}
	return out, certain && (len(out) == 1 || w.anyEndpoint(h, out))
}

// anyEndpoint reports routes of service endpoints that no policy of the subnet tells apart (AZ-SE-04): by which of them the packet leaves does
// not matter.
func (w *world) anyEndpoint(h *host, list []route) bool {
	for _, r := range list {
		if r.service == nil || h.subnet == nil || w.policiesAct(h, r.service) {
			return false
		}
	}
	return true
}

func (w *world) lengthOr0(r route, f flow) int {
	n, _ := w.length(r, f)
	return n
}

// sameHop reports whether two routes lead the packet the same way.
func sameHop(a, b route) bool {
	return a.hop == b.hop && a.address == b.address && a.gateway == b.gateway && (a.hub == nil) == (b.hub == nil) && (a.hub == nil || same(a.hub.hubID, b.hub.hubID)) && a.service == b.service && a.endpoint == b.endpoint && (a.link == nil) == (b.link == nil) &&
		(a.link == nil || same(a.link.id, b.link.id))
}

// route looks the destination up in the table of the host's subnet and follows every route that may win (AZ-RT-01).
func (t *tracer) route(c course, h *host) {
	if !t.step(&c, "route", h.place) {
		return
	}
	c.endpoint = nil // of the subnet that a forwarder got it from
	if h.vnet == nil {
		t.lose(c, h.place, Routing, "the input lacks the VNet of "+h.subnetID.ShortName(), "ASM-NEXTHOP")
		return
	}
	t.carry(c, h)
	table := t.table(h, tableOptions{})
	f := c.flow()
	if t.routeToEndpoint(c, h, table) {
		return
	}
	winners, certain := t.winners(h, table, f)
	if len(winners) == 0 {
		t.drop(c, h.place, Routing, "no route to the destination")
		return
	}
	var why []string
	for _, r := range winners {
		why = union(why, sorted(r.why))
	}
	for _, r := range winners {
		t.follow(c, h, r, certain, why)
	}
}

// carry loses the packet to an object that is not modelled and may carry what a VNet's subnets send anywhere (AZ-GEN-08).
func (t *tracer) carry(c course, h *host) {
	if list := t.carriers(h.vnet); len(list) > 0 {
		at := model.Place{Kind: model.PlaceUnknown, ID: h.vnet.ID, Part: c.packet.Dst.String()}
		t.lose(c, at, Routing, "an object that is not modelled may carry the packet anywhere (AZ-GEN-08)", namesOf(list)...)
	}
}

// hopOf is the hop of following a route.
func hopOf(h *host, r route, certain bool, why []string) Hop {
	if certain {
		why = closed(r.why)
	}
	tag := r.tag
	if r.service != nil {
		tag = endpointTag(r.service.Service)
	}
	source := r.source
	if r.origin == systemRoute && source.IsZero() {
		source = model.Source{Platform: "system route", Resource: h.subnetID}
	}
	if r.origin == gatewayRoute && source.IsZero() {
		source = model.Source{Platform: "gateway route", Resource: h.subnetID}
	}
	rule := ""
	if r.origin == userRoute && r.table != "" && r.name != "" {
		rule = r.table + "/routes/" + r.name
	}
	return Hop{
		At: h.place, Stage: Routing, Action: Forward, Rule: rule, Source: source, Certain: certain, Assumptions: why,
		Route: &Route{NextHopType: r.hop, NextHopIP: r.address, Prefix: r.prefix, Tag: tag, RouteTable: r.table},
	}
}

// follow sends the packet to a route's next hop.
func (t *tracer) follow(c course, h *host, r route, certain bool, why []string) {
	hop := hopOf(h, r, certain, why)
	if r.hop == model.HopNone { // AZ-RT-14
		hop.Action, hop.Detail = Drop, "next hop None"
		t.end(c, hop, Dropped, h.place)
		return
	}
	c = c.add(hop)
	switch r.hop {
	case model.HopVnetLocal:
		t.local(c, h, r)
	case model.HopPeering, model.HopGlobalPeering:
		if r.link.remote == nil || r.link.remote.Partial {
			at := model.Place{Kind: model.PlaceUnknown, ID: r.link.id, Part: c.packet.Dst.String()}
			t.lose(c, at, Transport, "the input lacks the peered VNet (AZ-PEER-01)", "ASM-NEXTHOP")
			return
		}
		t.deliverIn(t.crossPeering(c, *r.link, h.place), r.link.remote, r.link.reachesBasic())
	case model.HopConnectedGroup:
		c = c.forward(h.place, Transport, "connected group")
		c.entry = nil
		basic := yes()
		if r.link.global() {
			basic = maybe("ASM-AVNM-BASIC")
		}
		t.deliverIn(c, r.link.remote, basic)
	case model.HopGateway:
		t.toGateway(c, h, r)
	case model.HopAppliance:
		t.toAppliance(c, h, r.address)
	case model.HopInternet:
		t.toInternet(c, h)
	case model.HopServiceEndpoint:
		t.byServiceEndpoint(c, h, r)
	case model.HopPrivateEndpoint:
		t.arriveEndpoint(t.crossInto(c, *r.link, h.place), r.endpoint)
	default:
		at := model.Place{Kind: model.PlaceUnknown, ID: h.subnetID, Part: c.packet.Dst.String()}
		t.lose(c, at, Transport, "the route table or its next hop is not in the input", "ASM-NEXTHOP")
	}
}

// local delivers inside the VNet. A VnetLocal user route outside its space is undocumented: whoever owns the address in the VNet or a
// peer may receive the packet (AZ-RT-15, ASM-VNETLOCAL).
func (t *tracer) local(c course, h *host, r route) {
	if r.origin != userRoute || c.dst.in(prefixSet(h.vnet.Prefixes...)).must {
		t.deliverIn(c, h.vnet, yes())
		return
	}
	for _, l := range t.near(h.vnet) {
		if l.remote == nil || l.remote.Partial || !t.ownsAddress(l.remote, c.dst) {
			continue
		}
		t.deliverIn(t.crossInto(c.uncertain("ASM-VNETLOCAL"), l, h.place), l.remote, l.reachesBasic())
	}
	t.drop(c.uncertain("ASM-VNETLOCAL"), h.place, Transport, "a VnetLocal route outside the VNet's space leads nowhere")
}
