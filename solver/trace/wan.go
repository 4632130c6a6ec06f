package trace

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// attachment is one connection of a virtual hub (AZ-WAN-01).
type attachment struct {
	id       model.ID
	hub      *model.VirtualHub // nil: the input lacks it
	hubID    model.ID
	vnetID   model.ID    // of a VNet connection
	vnet     *model.VNet // nil: a branch, or the input lacks the VNet
	gateway  *model.HubGateway
	branch   *model.HubBranch
	routing  model.HubRouting
	internet model.Setting
}

// attachments lists the connections of all hubs.
func (w *world) attachments() []*attachment {
	if w.attached == nil {
		w.attached = w.listAttachments()
	}
	return w.attached
}

func (w *world) listAttachments() []*attachment {
	out := []*attachment{}
	hub := func(id model.ID) *model.VirtualHub {
		h, _ := model.Get[*model.VirtualHub](w.e, id)
		return h
	}
	for _, c := range w.e.HubConnections {
		a := &attachment{id: c.ID, hub: hub(c.Hub), hubID: c.Hub, vnetID: c.VNet, routing: c.Routing, internet: c.InternetSecurity}
		if v, ok := model.Get[*model.VNet](w.e, c.VNet); ok && !v.Partial {
			a.vnet = v
		}
		out = append(out, a)
	}
	for _, g := range w.e.HubGateways {
		for i := range g.Connections {
			b := &g.Connections[i]
			out = append(out, &attachment{id: b.ID, hub: hub(g.Hub), hubID: g.Hub, gateway: g, branch: b, routing: b.Routing, internet: b.InternetSecurity})
		}
	}
	return out
}

func (w *world) attachmentsOf(v *model.VNet) []*attachment {
	return slices.DeleteFunc(slices.Clone(w.attachments()), func(a *attachment) bool { return !same(a.vnetID, v.ID) })
}

func (a *attachment) place() model.Place {
	return model.Place{Kind: model.PlaceFarSide, ID: a.gateway.ID, Part: a.branch.Name}
}

// known is a prefix of a branch (AZ-WAN-06); invalid where the input does not state it.
type knownPrefix struct {
	prefix  netip.Prefix
	certain bool
	why     []string
}

// translations are the NAT rules of a branch (AZ-GW-12).
func (w *world) translations(a *attachment) (ingress, egress []mapping, lacking bool) {
	g := &model.Gateway{NATRules: a.gateway.NATRules}
	ingress, x := w.mappings(g, a.branch.IngressNAT, "IngressSnat")
	egress, y := w.mappings(g, a.branch.EgressNAT, "EgressSnat")
	return ingress, egress, x || y
}

// prefixes are those of a connection: the ranges of its VNet, the prefixes of its site or client pools, and what is learned.
func (w *world) prefixesOfAttachment(a *attachment) []knownPrefix {
	var out []knownPrefix
	switch {
	case a.branch == nil && a.vnet == nil:
		return []knownPrefix{{why: []string{"ASM-NEXTHOP"}}}
	case a.branch == nil:
		for _, p := range a.vnet.Prefixes {
			if p.IsValid() && p.Addr().Is4() { // AZ-V6-05
				out = append(out, knownPrefix{prefix: p, certain: true})
			}
		}
		return out
	case a.gateway.Kind == model.HubExpressRoute:
		return []knownPrefix{{why: []string{"ASM-ER"}}}
	case a.gateway.Kind == model.HubClients:
		for _, p := range a.branch.Pools {
			out = append(out, knownPrefix{prefix: p, certain: true})
		}
		return out
	}
	site, ok := model.Get[*model.VPNSite](w.e, a.branch.Site)
	if !ok {
		return []knownPrefix{{why: []string{"ASM-BEHIND"}}}
	}
	ingress, _, lacking := w.translations(a)
	up := connected(a.branch.State) && !lacking
	for _, p := range site.Prefixes {
		inner := false
		for _, m := range ingress {
			if m.inner.Overlaps(p) {
				inner = true
				out = append(out, knownPrefix{prefix: m.outer, certain: up})
			}
		}
		out = append(out, knownPrefix{prefix: p, certain: up && !inner})
	}
	if a.branch.BGP == model.On || a.branch.BGP == model.NotStated && site.BGP == model.On {
		out = append(out, knownPrefix{why: []string{"ASM-BGP"}})
	}
	return out
}

// oneWAN reports that two hubs announce routes to each other (AZ-WAN-02).
func oneWAN(a, b *model.VirtualHub) bool { return same(a.ID, b.ID) || same(a.WAN, b.WAN) }

func defaultTableOf(hub model.ID) model.ID { return hub + "/hubRouteTables/defaultRouteTable" }

// tableOf is the table that packets of a connection are looked up in.
func (a *attachment) tableOf() model.ID {
	if a.routing.Associated != "" {
		return a.routing.Associated
	}
	return defaultTableOf(a.hubID)
}

// routingPolicy is the next hop of a hub's policy (AZ-WAN-03); empty where there is none.
func (w *world) routingPolicy(h *model.VirtualHub, destination string) model.ID {
	for _, in := range w.e.Intents {
		if same(in.Hub, h.ID) {
			for _, p := range in.Policies {
				if slices.Contains(p.Destinations, destination) {
					return p.NextHop
				}
			}
		}
	}
	return ""
}

// privatePolicyPrefixes are the private ranges, and what the default table sends to the same next hop.
func (w *world) privatePolicyPrefixes(h *model.VirtualHub, next model.ID) []netip.Prefix {
	out := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16")}
	if t, ok := model.Get[*model.HubRouteTable](w.e, defaultTableOf(h.ID)); ok {
		for _, r := range t.Routes {
			for _, p := range r.Prefixes {
				if same(r.NextHop, next) && p.Bits() > 0 {
					out = append(out, p)
				}
			}
		}
	}
	return out
}

// hubOf is the hub that a firewall lives in.
func (w *world) hubOf(f *model.Firewall) *model.VirtualHub {
	if f.Subnet != "" {
		return nil
	}
	for _, h := range w.e.Hubs {
		if same(f.VirtualHub, h.ID) || same(h.Firewall, f.ID) {
			return h
		}
	}
	return nil
}

// learnedBy says whether a table learns the prefixes of a connection: by ID, by label, or by default (AZ-WAN-02).
func (w *world) learnedBy(table model.ID, h *model.VirtualHub, a *attachment) match {
	if a.hub == nil || !oneWAN(h, a.hub) {
		return no()
	}
	isDefault := same(table, defaultTableOf(h.ID))
	if w.routingPolicy(a.hub, "PrivateTraffic") != "" {
		// AZ-WAN-03: an intent manages what its hub's connections propagate, whatever they say, and their prefixes are announced to other hubs.
		if !isDefault && w.routingPolicy(h, "PrivateTraffic") == "" {
			return maybe("ASM-WAN")
		}
		return when(isDefault)
	}
	if !a.routing.Stated {
		return when(isDefault)
	}
	if contains(a.routing.Propagated, table) {
		return yes()
	}
	t, known := model.Get[*model.HubRouteTable](w.e, table)
	has := func(label string) bool {
		return isDefault && fold(label, "default") || known && slices.ContainsFunc(t.Labels, func(l string) bool { return fold(l, label) })
	}
	if slices.ContainsFunc(a.routing.Labels, has) {
		return yes()
	}
	none := slices.ContainsFunc(a.routing.Labels, func(l string) bool { return fold(l, "none") }) ||
		slices.ContainsFunc(a.routing.Propagated, func(id model.ID) bool { return fold(id.Name(), "noneRouteTable") })
	switch {
	case none:
		return no()
	case isDefault:
		if len(a.routing.Labels) == 0 {
			return maybe("ASM-WAN")
		}
		return no()
	case !known && len(a.routing.Labels) > 0:
		return maybe("ASM-WAN")
	default:
		return no()
	}
}

// hubEntry is one row of a hub's table.
type hubEntry struct {
	prefix   netip.Prefix // invalid: learned, of any length
	static   bool
	certain  bool
	to       *attachment
	firewall *model.Firewall
	why      []string // both nil: what the input lacks
	name     string
	source   model.Source
}

func (r hubEntry) bits() int {
	if !r.prefix.IsValid() {
		return 32
	}
	return r.prefix.Bits()
}

func (r hubEntry) sameTarget(q hubEntry) bool {
	switch {
	case r.to != nil && q.to != nil:
		return same(r.to.id, q.to.id)
	case r.firewall != nil && q.firewall != nil:
		return same(r.firewall.ID, q.firewall.ID)
	default:
		return r.to == nil && q.to == nil && r.firewall == nil && q.firewall == nil
	}
}

// hubTable lists the rows of a table (AZ-WAN-04).
func (w *world) hubTable(h *model.VirtualHub, table model.ID) []hubEntry {
	var out []hubEntry
	all := w.attachments()
	t, known := model.Get[*model.HubRouteTable](w.e, table)
	if known {
		for _, r := range t.Routes {
			row := hubEntry{static: true, certain: true, name: r.Name, source: r.Source}
			if f, ok := model.Get[*model.Firewall](w.e, r.NextHop); ok {
				row.firewall = f
			} else if i := slices.IndexFunc(all, func(a *attachment) bool { return same(a.id, r.NextHop) }); i >= 0 {
				row.to = all[i]
			}
			if r.Unknown != "" {
				row.certain, row.why = false, []string{"ASM-WAN"}
				out = append(out, row)
				continue
			}
			for _, p := range r.Prefixes {
				row.prefix = p
				out = append(out, row)
			}
		}
	}
	isDefault := same(table, defaultTableOf(h.ID))
	_, haveWAN := model.Get[*model.VirtualWAN](w.e, h.WAN)
	for _, a := range all {
		m := w.learnedBy(table, h, a)
		if !known && !isDefault && a.hub != nil && oneWAN(h, a.hub) {
			m = maybe("ASM-WAN")
		}
		if !m.may {
			continue
		}
		certain := m.must && known && haveWAN && len(a.routing.Maps) == 0
		why := m.why
		if !certain {
			why = union(sorted(why), []string{"ASM-WAN"})
		}
		abroad := a.hub == nil || !same(a.hub.ID, h.ID) // AZ-WAN-04: 0.0.0.0/0 is local to its hub
		for _, p := range w.prefixesOfAttachment(a) {
			if abroad && p.prefix.IsValid() && p.prefix.Bits() == 0 {
				continue
			}
			out = append(out, hubEntry{prefix: p.prefix, certain: certain && p.certain, to: a, why: union(sorted(why), p.why)})
		}
		if a.routing.PropagateStatic != model.Off { // AZ-WAN-07
			for _, s := range a.routing.Static {
				for _, p := range s.Prefixes {
					if abroad && p.Bits() == 0 {
						continue
					}
					out = append(out, hubEntry{prefix: p, certain: certain && a.routing.PropagateStatic == model.On, to: a, why: []string{"ASM-WAN"}})
				}
			}
		}
	}
	for _, id := range h.Gateways {
		if _, ok := w.e.Lookup(id); !ok {
			out = append(out, hubEntry{why: []string{"ASM-WAN"}})
		}
	}
	for range h.Peers {
		out = append(out, hubEntry{why: []string{"ASM-BGP"}})
	}
	if f, ok := model.Get[*model.Firewall](w.e, h.Firewall); ok && !known && isDefault {
		out = append(out, hubEntry{firewall: f, why: []string{"ASM-WAN"}})
	}
	for i := range out {
		for j := range out {
			if out[i].prefix.IsValid() && out[i].prefix == out[j].prefix && out[i].static == out[j].static && !out[i].sameTarget(out[j]) {
				out[i].certain = false
			}
		}
	}
	return out
}

// hubRoutes are the routes that a VNet has by its connection to a hub (AZ-WAN-05).
func (w *world) hubRoutes(h *host) []route {
	if h.vnet == nil {
		return nil
	}
	var out []route
	list := w.attachmentsOf(h.vnet)
	if len(list) == 0 {
		for _, p := range h.vnet.Peerings {
			if p.Hub && connected(p.State) { // the input lacks the hub
				out = append(out, route{hop: model.HopGateway, origin: gatewayRoute, why: []string{"ASM-WAN"}, hub: &attachment{hubID: p.Remote}})
			}
		}
	}
	for _, a := range list {
		add := func(p netip.Prefix, certain bool, why ...string) {
			out = append(out, route{prefix: p, hop: model.HopGateway, origin: gatewayRoute, certain: certain, why: why, hub: a})
		}
		if a.hub == nil {
			add(netip.Prefix{}, false, "ASM-WAN")
			continue
		}
		byDefault := func(certain bool, why ...string) {
			switch a.internet {
			case model.On:
				add(netip.MustParsePrefix("0.0.0.0/0"), certain, why...)
			case model.NotStated:
				add(netip.MustParsePrefix("0.0.0.0/0"), false, "ASM-WAN")
			}
		}
		if len(a.routing.Maps) > 0 || len(w.misread(a.hubID)) > 0 {
			add(netip.Prefix{}, false, append(namesOf(w.misread(a.hubID)), "ASM-WAN")...)
		}
		if next := w.routingPolicy(a.hub, "PrivateTraffic"); next != "" {
			for _, p := range w.privatePolicyPrefixes(a.hub, next) {
				add(p, len(a.routing.Maps) == 0)
			}
		}
		if w.routingPolicy(a.hub, "Internet") != "" {
			byDefault(true)
		}
		for _, r := range w.hubTable(a.hub, a.tableOf()) {
			switch {
			case r.to != nil && same(r.to.id, a.id) && !r.static:
			case r.prefix.IsValid() && r.prefix.Bits() == 0:
				byDefault(r.certain, r.why...)
			default:
				add(r.prefix, r.certain, r.why...)
			}
		}
		if a.hub.Prefix.IsValid() {
			out = append(out, route{prefix: a.hub.Prefix, hop: model.HopGateway, inside: true, certain: true, hub: a})
		}
	}
	return out
}

// intoHub hands a packet of a connection to its hub.
func (t *tracer) intoHub(c course, from model.Place, a *attachment) {
	if isPlatform(c.packet.Dst) {
		t.drop(c, from, Transport, "the host addresses lie behind no hub (AZ-PLAT-02)")
		return
	}
	if a.hub == nil {
		t.lose(c, model.Place{Kind: model.PlaceUnknown, ID: a.hubID, Part: c.packet.Dst.String()}, Transport, "the input lacks the virtual hub "+a.hubID.ShortName(), "ASM-WAN")
		return
	}
	c = c.forward(from, Transport, "virtual hub "+a.hub.Name())
	c.entry = nil
	t.atHub(c, a.hub, a.tableOf(), nil)
}

// atHub is a packet at a hub: its policies decide, then the table of the connection that it came by. behind is a firewall of a hub that
// it has passed.
func (t *tracer) atHub(c course, h *model.VirtualHub, table model.ID, behind *model.Firewall) {
	at := model.Place{Kind: model.PlaceGateway, ID: h.ID}
	stage := "hub " + table.Key()
	if behind != nil {
		stage = "hub behind " + behind.ID.Key()
	}
	if !t.step(&c, stage, at) {
		return
	}
	if isPlatform(c.packet.Dst) {
		t.drop(c, at, Transport, "the host addresses lie behind no hub (AZ-PLAT-02)")
		return
	}
	if list := t.misread(h.ID); len(list) > 0 { // AZ-GEN-08
		t.lose(c, model.Place{Kind: model.PlaceUnknown, ID: h.ID}, Transport, "the hub has something that is not understood and may route the packet", namesOf(list)...)
		c = c.uncertain(namesOf(list)...)
	}
	rows := t.hubTable(h, table)
	if behind != nil {
		t.pastFirewall(c, h, rows, behind)
		return
	}
	for _, f := range t.e.Firewalls {
		if x := t.hubOf(f); x != nil && oneWAN(x, h) && c.packet.Dst == t.firewallAddress(f) {
			t.atFirewall(c, f, true)
			return
		}
	}
	inRows := no()
	learned := false
	for _, r := range rows {
		switch {
		case !r.prefix.IsValid():
			learned = true
		case r.prefix.Bits() > 0:
			inRows = inRows.or(c.dst.in(prefixSet(r.prefix)))
		}
	}
	public := c.dst.isPublic()
	private, internet := t.routingPolicy(h, "PrivateTraffic"), t.routingPolicy(h, "Internet")
	switch {
	case private != "":
		in := c.dst.in(prefixSet(t.privatePolicyPrefixes(h, private)...))
		if in.may {
			t.toPolicy(c.given(in), at, private, nil)
		}
		if in.must {
			return
		}
		if inRows.may {
			t.toPolicy(c.uncertain("ASM-WAN"), at, private, nil)
		}
		if internet != "" && !inRows.must && public.may {
			t.toPolicy(c.given(in.not()).given(inRows.not()).given(public), at, internet, nil)
		}
		t.byRows(c.uncertain("ASM-WAN"), h, rows, nil)
	case internet != "":
		if !inRows.must && public.may {
			d := c.given(inRows.not()).given(public)
			if learned {
				d = d.uncertain("ASM-WAN")
			}
			t.toPolicy(d, at, internet, nil)
		}
		t.byRows(c, h, slices.DeleteFunc(rows, func(r hubEntry) bool { return r.prefix.IsValid() && r.prefix.Bits() == 0 }), nil)
	default:
		t.byRows(c, h, rows, nil)
	}
}

// pastFirewall is a packet that a firewall of the hub sends on: to connections, and to the internet where the hub's routes lead there
// straight.
func (t *tracer) pastFirewall(c course, h *model.VirtualHub, rows []hubEntry, f *model.Firewall) {
	at := model.Place{Kind: model.PlaceGateway, ID: h.ID}
	rest, straight, learned, inRows := t.rowsPast(f, h, rows, c.dst)
	if !inRows.must && c.dst.isPublic().may && c.src.isPublic().may {
		d := c.given(inRows.not()).given(c.dst.isPublic().and(c.src.isPublic()))
		if n := len(c.crossed); n == 0 || !c.crossed[n-1].source {
			d = d.uncertain() // AZ-FW-41: the internet may drop a source that the firewall keeps
		}
		if !straight || learned {
			d = d.uncertain("ASM-WAN")
		}
		t.toPublic(d.forward(at, Transport, "to the internet"))
	}
	t.byRows(c, h, rest, f)
}

// rowsPast is how a firewall of a hub sends on: the rows of the default table that do not lead to itself, whether public destinations leave
// straight, and whether a row that the input does not state may take them, or one that holds the address.
func (w *world) rowsPast(f *model.Firewall, h *model.VirtualHub, rows []hubEntry, dst address) (rest []hubEntry, straight, learned bool, inRows match) {
	inRows = no()
	for _, r := range rows {
		if r.firewall != nil && same(r.firewall.ID, f.ID) {
			straight = straight || r.prefix.IsValid() && r.prefix.Bits() == 0
			continue
		}
		rest = append(rest, r)
		if !r.prefix.IsValid() {
			learned = true
		} else if r.prefix.Bits() > 0 {
			inRows = inRows.or(dst.in(prefixSet(r.prefix)))
		}
	}
	straight = same(w.routingPolicy(h, "Internet"), f.ID) || straight && w.routingPolicy(h, "PrivateTraffic") == ""
	if straight {
		rest = slices.DeleteFunc(rest, func(r hubEntry) bool { return r.prefix.IsValid() && r.prefix.Bits() == 0 })
	}
	return rest, straight, learned, inRows
}

// backAtHub is the reply at a hub to which a connection hands it (AZ-WAN-09): to the firewall whose address it goes to, to that of the private
// policy, or by the table of the connection.
func (t *tracer) backAtHub(c course, a *attachment, seen address, crossed []crossing) bool {
	crossed = untranslate(crossed)
	h := a.hub
	if h == nil || len(t.misread(h.ID)) > 0 || isPlatform(seen.at) {
		return false
	}
	for _, f := range t.e.Firewalls {
		if x := t.hubOf(f); x != nil && oneWAN(x, h) && seen.at == t.firewallAddress(f) {
			return t.backThroughFirewall(c, f.ID, crossed)
		}
	}
	if next := t.routingPolicy(h, "PrivateTraffic"); next != "" {
		return seen.in(prefixSet(t.privatePolicyPrefixes(h, next)...)).must && t.backThroughFirewall(c, next, crossed)
	}
	rows := t.hubTable(h, a.tableOf())
	if t.routingPolicy(h, "Internet") != "" {
		rows = slices.DeleteFunc(rows, func(r hubEntry) bool { return r.prefix.IsValid() && r.prefix.Bits() == 0 })
	}
	return t.backByRows(c, h, rows, nil, seen, crossed)
}

// backThroughFirewall: a firewall that the packet did not meet last drops the reply (AZ-RT-29).
func (t *tracer) backThroughFirewall(c course, id model.ID, crossed []crossing) bool {
	n := len(crossed)
	return n > 0 && crossed[n-1].stateful && crossed[n-1].at.Kind == model.PlaceFirewall && same(crossed[n-1].at.ID, id) && t.backThrough(c, crossed[n-1], crossed)
}

// backFromHubFirewall is the reply behind a firewall of a hub.
func (t *tracer) backFromHubFirewall(c course, f *model.Firewall, h *model.VirtualHub, seen address, crossed []crossing) bool {
	if len(t.misread(h.ID)) > 0 || isPlatform(seen.at) {
		return false
	}
	rest, straight, learned, inRows := t.rowsPast(f, h, t.hubTable(h, defaultTableOf(h.ID)), seen)
	if n := len(crossed); n == 0 && outside(c.packet.From) || n > 0 && crossed[n-1].source && seen.isPublic().must {
		return straight && !learned && !inRows.may && seen.isPublic().must && (n == 0 || t.backAt(c, seen, crossed))
	}
	return t.backByRows(c, h, rest, f, seen, crossed)
}

// backByRows is the reply by the rows of a hub, of which one target must take it for certain.
func (t *tracer) backByRows(c course, h *model.VirtualHub, rows []hubEntry, behind *model.Firewall, seen address, crossed []crossing) bool {
	winners, certain := hubWinners(rows, seen)
	if !certain || len(winners) != 1 {
		return false
	}
	switch r := winners[0]; {
	case r.to != nil:
		return t.backToAttachment(c, h, r.to, behind, seen, crossed)
	case r.firewall != nil:
		return t.backThroughFirewall(c, r.firewall.ID, crossed)
	default:
		return false
	}
}

// backToAttachment is the reply at the connection that holds its destination: it is where the packet came from, straight, or through the firewall
// of that connection's hub.
func (t *tracer) backToAttachment(c course, h *model.VirtualHub, a *attachment, behind *model.Firewall, seen address, crossed []crossing) bool {
	if a.hub != nil && !same(a.hub.ID, h.ID) {
		if next := t.routingPolicy(a.hub, "PrivateTraffic"); next != "" && (behind == nil || !same(behind.ID, next)) {
			return t.backThroughFirewall(c, next, crossed)
		}
	}
	for n := len(crossed); n > 0 && crossed[n-1].source && !crossed[n-1].stateful && !crossed[n-1].link; n = len(crossed) { // at the sender's own host
		crossed = untranslate(crossed[:n-1])
	}
	from := c.packet.From
	switch {
	case len(crossed) > 0:
		return false
	case a.branch != nil:
		return from.Key() == a.place().Key()
	case a.vnet == nil, outside(from), from.Kind == model.PlaceFarSide, !seen.in(prefixSet(a.vnet.Prefixes...)).must:
		return false
	}
	for _, s := range a.routing.Static {
		if seen.in(prefixSet(s.Prefixes...)).may {
			return false
		}
	}
	return !slices.ContainsFunc(t.e.VNets, func(v *model.VNet) bool { return !same(v.ID, a.vnet.ID) && seen.in(prefixSet(v.Prefixes...)).may })
}

// toPolicy hands a packet to the next hop of a routing policy.
func (t *tracer) toPolicy(c course, at model.Place, next model.ID, _ *model.Firewall) {
	if f, ok := model.Get[*model.Firewall](t.e, next); ok && t.hubOf(f) != nil {
		t.atFirewall(c, f, false)
		return
	}
	t.lose(c, at, Transport, "the next hop "+next.ShortName()+" of the routing policy is not in the input", "ASM-WAN")
}

// hubWinners are the rows that may take a destination, one of each target: a certain row that is longer, or static at equal length, beats
// the rest. certain says that one of them surely takes it.
func hubWinners(rows []hubEntry, dst address) (winners []hubEntry, certain bool) {
	holds := func(r hubEntry) match {
		if !r.prefix.IsValid() {
			return when(!dst.v6())
		}
		return dst.in(prefixSet(r.prefix))
	}
	for _, r := range rows {
		m := holds(r)
		if !m.may {
			continue
		}
		beaten := slices.ContainsFunc(rows, func(q hubEntry) bool {
			return q.certain && holds(q).must && (q.bits() > r.bits() || q.bits() == r.bits() && q.static && !r.static)
		})
		if beaten {
			continue
		}
		certain = certain || r.certain && m.must
		if !slices.ContainsFunc(winners, r.sameTarget) {
			winners = append(winners, r)
		}
	}
	return winners, certain
}

// byRows follows every row that may take the packet.
func (t *tracer) byRows(c course, h *model.VirtualHub, rows []hubEntry, behind *model.Firewall) {
	at := model.Place{Kind: model.PlaceGateway, ID: h.ID}
	winners, certain := hubWinners(rows, c.dst)
	if len(winners) == 0 {
		t.drop(c, at, Routing, "the hub has no route to the destination")
		return
	}
	for _, r := range winners {
		d := c.add(Hop{
			At: at, Stage: Routing, Action: Forward, Source: r.source, Certain: certain && len(winners) == 1, Assumptions: r.why,
			Route: &Route{NextHopType: model.HopGateway, Prefix: r.prefix, RouteTable: r.name},
		})
		switch {
		case r.to != nil:
			t.toAttachment(d, h, r.to, behind)
		case r.firewall != nil && t.hubOf(r.firewall) != nil:
			t.atFirewall(d, r.firewall, false)
		default:
			t.lose(d, at, Transport, "the next hop of the hub's route is not in the input", "ASM-WAN")
		}
	}
}

// toAttachment delivers to a connection, in the hub or in another one of the WAN, whose private policy then acts as well (AZ-WAN-03).
func (t *tracer) toAttachment(c course, h *model.VirtualHub, a *attachment, behind *model.Firewall) {
	at := model.Place{Kind: model.PlaceGateway, ID: h.ID}
	if a.hub != nil && !same(a.hub.ID, h.ID) {
		if next := t.routingPolicy(a.hub, "PrivateTraffic"); next != "" && (behind == nil || !same(behind.ID, next)) {
			t.toPolicy(c, at, next, behind)
			return
		}
	}
	m, refusal := t.mayJoin(c, h, a, behind)
	if !m.may {
		t.drop(c, at, Transport, refusal)
		return
	}
	c = c.given(m)
	switch {
	case a.branch != nil:
		if behind == nil && c.packet.From.Key() == a.place().Key() {
			t.drop(c, at, Transport, "the packet would leave by the connection that it came by")
			return
		}
		ingress, egress, lacking := t.translations(a)
		c = c.uncertainIf(lacking || !connected(a.branch.State))
		c.shown = c.src
		t.translateSource(c, at, egress, func(c course) {
			t.translateDestination(c, at, ingress, func(c course) { t.deliver(c.forward(at, Transport, "connection "+a.branch.Name), a.place()) })
		})
	case a.vnet == nil:
		t.lose(c, model.Place{Kind: model.PlaceUnknown, ID: a.vnetID, Part: c.packet.Dst.String()}, Transport, "the input lacks the VNet of the connection", "ASM-WAN")
	default:
		t.intoSpoke(c.forward(at, Transport, "connection "+a.id.Name()), at, a)
	}
}

// intoSpoke delivers into a VNet: by a static route of the connection to an appliance there, else to whoever holds the address. Of a
// static route over ranges of the VNet itself text and flag differ, so both are followed.
func (t *tracer) intoSpoke(c course, at model.Place, a *attachment) {
	local, static := c.dst.in(prefixSet(a.vnet.Prefixes...)), no()
	for _, s := range a.routing.Static {
		m := c.dst.in(prefixSet(s.Prefixes...))
		if !m.may {
			continue
		}
		static = static.or(m)
		d := c.given(m).because("ASM-WAN")
		if local.may {
			d = d.uncertain("ASM-WAN")
		}
		h := &host{place: at, vnet: a.vnet}
		t.toAppliance(d, h, s.NextHop)
	}
	switch {
	case local.may:
		d := c.given(local)
		if static.may {
			d = d.uncertain("ASM-WAN")
		}
		t.deliverIn(d, a.vnet, yes())
	case !static.may:
		t.drop(c, at, Transport, "nothing in the VNet "+a.vnet.Name()+" holds the destination")
	}
}

// mayJoin says whether the WAN lets one connection open to another (AZ-WAN-08): a Basic one joins no VNets with each other; branches talk only where
// branch-to-branch traffic is on.
func (t *tracer) mayJoin(c course, h *model.VirtualHub, a *attachment, behind *model.Firewall) (match, string) {
	wan, ok := model.Get[*model.VirtualWAN](t.e, h.WAN)
	if !ok {
		return yes(), ""
	}
	fromBranch := slices.ContainsFunc(t.attachments(), func(x *attachment) bool { return x.branch != nil && x.place().Key() == c.packet.From.Key() })
	switch {
	case a.branch != nil && fromBranch && wan.BranchToBranch == model.Off:
		return no(), "the WAN lets no branch talk to another (allowBranchToBranchTraffic)"
	case a.branch != nil && fromBranch && wan.BranchToBranch == model.NotStated:
		return maybe("ASM-WAN"), ""
	case a.branch == nil && !fromBranch && strings.EqualFold(wan.Type, "Basic") && behind == nil:
		return no(), "a Basic WAN joins no VNets with each other"
	case strings.EqualFold(wan.Type, "Basic") && (a.hub == nil || !same(a.hub.ID, h.ID)):
		return maybe("ASM-WAN"), "" // Basic has no way between hubs, as documented; nobody says that packets are dropped
	default:
		return yes(), ""
	}
}

// fromBranch brings a packet in from the far side of a hub's gateway.
func (t *tracer) fromBranch(c course, g *model.HubGateway, from model.Place) {
	for _, a := range t.attachments() {
		if a.branch == nil || !same(a.gateway.ID, g.ID) || !fold(a.branch.Name, from.Part) {
			continue
		}
		ingress, egress, lacking := t.translations(a)
		inside := no()
		for _, p := range t.prefixesOfAttachment(a) {
			switch {
			case !p.prefix.IsValid():
				inside = inside.or(maybe(p.why...))
			case p.prefix.Bits() > 0:
				inside = inside.or(t.sentFrom(c.src, p.prefix, ingress))
			}
		}
		if !inside.may {
			if m := t.assume("ASM-ONPREM"); m.must {
				t.drop(c, from, Transport, "the source is outside the prefixes of the connection (AZ-GW-03)", m.why...)
				return
			}
			inside = maybe("ASM-ONPREM")
		}
		c = c.given(inside).because("ASM-ONPREM").uncertainIf(lacking || !connected(a.branch.State))
		if !t.carried(&c, from) {
			return
		}
		at := model.Place{Kind: model.PlaceGateway, ID: g.ID}
		t.translateSource(c, at, ingress, func(c course) {
			t.translateDestination(c, at, egress, func(c course) { t.intoHub(c, at, a) })
		})
		return
	}
	t.drop(c, from, Transport, "the gateway has no such connection")
}

// fromHubFirewall sends on what a firewall of a hub passed, with its source kept or replaced (AZ-FW-40, AZ-FW-52).
func (t *tracer) fromHubFirewall(c course, f *model.Firewall, h *model.VirtualHub, before Packet, snat bool) {
	at := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
	table := defaultTableOf(h.ID)
	cross := func(d course, source bool) course {
		return d.cross(crossing{at: at, before: before, stateful: true, source: source})
	}
	if !snat {
		t.atHub(cross(c, false), h, table, f)
		return
	}
	inside := c.dst.in(joinSets(prefixSet(ianaPrivateRanges()...), t.estateRanges()))
	if inside.may {
		d := c.given(inside)
		a := t.address(t.firewallAddress(f))
		d = d.from(a, d.packet.SPort)
		d.pod, d.node = nil, nil
		d = d.add(Hop{At: at, Stage: SNAT, Action: Forward, Detail: "the firewall's address (AZ-FW-43)", Certain: true})
		t.atHub(cross(d, true), h, table, f)
	}
	if inside.must {
		return
	}
	c = c.given(inside.not())
	if c.packet.Protocol != model.TCP && c.packet.Protocol != model.UDP {
		c = c.uncertain() // AZ-FW-28: no SNAT for other protocols
	}
	var ways []translation
	for _, id := range f.PublicIPs {
		if a := t.publicAddress(id); a.IsValid() {
			ways = append(ways, translation{addr: t.address(a), detail: "public address " + id.Name() + " of the firewall"})
		}
	}
	for _, a := range f.PublicAddresses {
		ways = append(ways, translation{addr: t.address(a), detail: "public address of the firewall"})
	}
	if len(ways) == 0 {
		ways = []translation{{addr: t.unknownOutbound(), detail: "a public address of the firewall, which is not in the input"}}
	}
	t.eachWay(ways, func(way translation) {
		d := c.from(way.addr, c.packet.SPort)
		d.pod, d.node = nil, nil
		d = d.add(Hop{At: at, Stage: SNAT, Action: Forward, Detail: way.detail, Certain: true})
		t.atHub(cross(d, true), h, table, f)
	})
}

// estateRanges is every address range of the VNets of the input.
func (w *world) estateRanges() *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, v := range w.e.VNets {
		for _, p := range v.Prefixes {
			addPrefix(&b, p)
		}
	}
	return built(&b)
}
