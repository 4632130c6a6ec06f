package trace

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// view is the NIC at which a rule is evaluated: what its VirtualNetwork tag holds (AZ-TAG-01).
type view struct {
	own     *netipx.IPSet // must: own space, host address, peers with both flags, on-prem prefixes with propagation
	space   *netipx.IPSet // own and peered VNets, whatever their flags: what Internet surely lacks (AZ-TAG-06)
	wide    *netipx.IPSet // what of own wide prefixes of gateways hold beside space: Internet may have kept it (AZ-TAG-06)
	rows    []row         // the rows of the table with must ≠ may, in its order, empty ones left out
	others  *netipx.IPSet // prefixes in user routes of the VNet's other subnets (AZ-TAG-03)
	nodeOf  *model.Cluster
	learned *learned // of imported effective rules; nil: none
}

// row is an uncertain component of the VirtualNetwork tag.
type row struct {
	set     *netipx.IPSet
	tags    []string      // service tags that user routes name
	every   bool          // any address: routes learned by BGP are not in the input
	but     *netipx.IPSet // less these addresses: imported effective rules speak of them (AZ-TAG-04)
	growth  bool          // prefixes of user routes and default routes, which Internet may lose (ASM-INTERNET-0)
	because []string
	what    string // in a sentence
}

func (r row) empty() bool { return emptySet(r.set) && len(r.tags) == 0 && !r.every }

// viewKey is what a view depends on.
type viewKey struct {
	vnet    *model.VNet
	subnet  model.ID
	nic     model.ID
	cluster *model.Cluster
}

// view is the tag as a host sees it.
func (w *world) view(h *host) *view {
	key := viewKey{h.vnet, model.ID(h.subnetID.Key()), h.nicID(), h.cluster}
	v, ok := w.views[key]
	if !ok {
		v = w.computedView(h)
		if w.views == nil {
			w.views = map[viewKey]*view{}
		}
		w.views[key] = v
	}
	return v
}

// computedView computes the tag for a host.
func (w *world) computedView(h *host) *view {
	v := &view{nodeOf: h.cluster}
	var own, space, sites, peerFlag, peerRest, gateways, groups, behind, routes, defaults netipx.IPSetBuilder
	own.Add(wireServer())
	if h.vnet != nil {
		for _, p := range h.vnet.Prefixes {
			addPrefix(&own, p)
			addPrefix(&space, p)
		}
		for _, l := range w.links(h.vnet) {
			w.tagOfPeer(l, &own, &space, &peerFlag, &peerRest)
			if l.peering.AllowForwarded == model.On { // AZ-PEER-05: networks behind the peer
				w.networksBehind(h.vnet, l.remote, &behind)
			}
		}
	}
	for _, l := range w.groupLinks(h.vnet) { // AZ-AVNM-11
		for _, p := range l.remote.Prefixes {
			addPrefix(&groups, p)
			addPrefix(&space, p)
		}
	}
	learned, four := w.tagOfGateways(h, &sites, &gateways)
	var tags []string
	rt, known := w.routeTable(h.subnet)
	if known && rt != nil {
		for _, r := range rt.Routes {
			switch {
			case r.Tag != "":
				tags = append(tags, r.Tag)
			case r.Prefix.IsValid() && r.Prefix.Bits() > 0:
				addPrefix(&routes, r.Prefix)
			}
		}
	}
	for _, d := range w.overriddenDefaults(h) {
		addPrefix(&defaults, d)
	}
	v.own, v.space = joinSets(built(&own), built(&sites)), built(&space)
	v.wide = lessSet(wide(built(&sites)), v.space)
	w.importedPrefixes(h, &gateways, &routes)
	v.others = w.otherTables(h)
	var rows []row
	rows = append(
		rows,
		row{set: built(&peerFlag), what: "peers that one side leaves out or that are not surely there"},
		row{set: built(&peerRest), what: "other subnets of peers"},
		row{set: built(&gateways), every: learned, growth: learned || four || !emptySet(wide(built(&gateways))), what: "behind gateways"},
		row{set: built(&groups), what: "connected groups"},
		row{set: built(&behind), growth: !emptySet(wide(built(&behind))), what: "behind peers that forward"},
		row{set: built(&routes), tags: tags, growth: true, what: "user routes"},
		row{set: built(&defaults), growth: true, what: "the default route"},
	)
	if !known && w.e.RoutesAt(h.nicID()) == nil { // AZ-GEN-08: a table that the input lacks may hold any prefix
		rows = append(rows, row{every: true, growth: true, what: "a route table that the input lacks", because: []string{"MISSING(route table " + h.subnet.RouteTable.ShortName() + ")"}})
	}
	if known && rt != nil && w.e.RoutesAt(h.nicID()) == nil { // AZ-GEN-08, likewise
		if list := w.misread(rt.ID); len(list) > 0 {
			rows = append(rows, row{every: true, growth: true, what: "what was not understood of the route table", because: namesOf(list)})
		}
	}
	if w.strict && !emptySet(v.others) { // ASM-TAGTABLES as an open question
		rows = append(rows, row{set: v.others, growth: true, what: "user routes of other subnets", because: []string{"ASM-TAGTABLES"}})
	}
	for _, r := range rows {
		if !r.empty() && !r.within(v.own) {
			r.because = union(r.because, []string{"ASM-VNETTAG"})
			v.rows = append(v.rows, r)
		}
	}
	if rules := w.e.RulesAt(h.nicID(), h.subnetID); rules != nil {
		v.learn(rules)
	}
	return v
}

// within reports a row that adds nothing to what is in the tag for certain: nothing of it is unknown (AZ-GEN-01).
func (r row) within(own *netipx.IPSet) bool {
	if r.every || len(r.tags) > 0 {
		return false
	}
	var b netipx.IPSetBuilder
	b.AddSet(r.set)
	b.RemoveSet(own)
	return emptySet(built(&b))
}

func addPrefix(b *netipx.IPSetBuilder, p netip.Prefix) {
	if p.IsValid() {
		b.AddPrefix(p.Masked())
	}
}

func built(b *netipx.IPSetBuilder) *netipx.IPSet {
	s, _ := b.IPSet() // no error: only valid prefixes were added
	return s
}

// tagOfPeer adds a peered VNet: both flags true, must; one false, may; both false, not at all. A flag that the input does not state
// counts as true, the default. Subnet peering: the peered subnets must, the rest of that VNet may (AZ-TAG-01).
func (w *world) tagOfPeer(l link, own, space, flag, rest *netipx.IPSetBuilder) {
	off := 0
	if l.peering.AllowVNetAccess == model.Off {
		off++
	}
	if l.back != nil && l.back.AllowVNetAccess == model.Off {
		off++
	}
	for _, p := range w.wholePeer(l) {
		addPrefix(space, p.prefix)
		if off < 2 && l.subnets() {
			addPrefix(rest, p.prefix)
		}
	}
	for _, p := range w.peerPrefixes(l) {
		switch {
		case off == 2:
		case off == 1 || !p.certain || !l.certain:
			addPrefix(flag, p.prefix)
		default:
			addPrefix(own, p.prefix)
		}
	}
}

// networksBehind adds what lies behind a peered VNet: its other peers, and the far sides of its gateways.
func (w *world) networksBehind(own, peer *model.VNet, b *netipx.IPSetBuilder) {
	if peer == nil {
		return
	}
	for _, l := range w.links(peer) {
		if l.remote != nil && same(l.remote.ID, own.ID) {
			continue
		}
		for _, p := range w.peerPrefixes(l) {
			addPrefix(b, p.prefix)
		}
		if l.subnets() { // the rest of a VNet of which subnets are peered may be in the tag as well (AZ-TAG-01)
			for _, p := range w.wholePeer(l) {
				addPrefix(b, p.prefix)
			}
		}
	}
	for _, g := range w.gatewaysIn(peer) {
		for _, r := range w.gatewayPrefixes(g) {
			addPrefix(b, r.prefix)
		}
	}
}

// tagOfGateways adds the far sides of the gateways in use: static prefixes of connections must where routes propagate, all the rest
// may. It reports whether routes are learned by BGP, so that any address may be among them.
func (w *world) tagOfGateways(h *host, must, may *netipx.IPSetBuilder) (learned, four bool) {
	_, known := w.routeTable(h.subnet) // a table that the input lacks may turn propagation off
	known = known || w.e.RoutesAt(h.nicID()) != nil
	propagates := w.propagates(h.subnet)
	for _, use := range w.gatewaysOf(h.vnet) {
		for _, r := range w.gatewayPrefixes(use.gateway) {
			switch {
			case !r.prefix.IsValid():
				learned = true
			case r.prefix.Bits() == 0: // a row of its own
			case r.static && r.certain && use.certain && propagates && known:
				addPrefix(must, r.prefix)
			default:
				addPrefix(may, r.prefix)
			}
		}
	}
	four = len(w.serverRoutes(h)) > 0
	for _, r := range w.hubRoutes(h) {
		switch {
		case !propagates && !r.inside, r.prefix.IsValid() && r.prefix.Bits() == 0:
		case !r.prefix.IsValid():
			four = true
		default:
			addPrefix(may, r.prefix)
		}
	}
	if four { // AZ-V6-05: hubs and Route Servers carry IPv4
		addPrefix(may, netip.MustParsePrefix("0.0.0.0/0"))
	}
	return learned, four
}

// wide is what a set holds of the internet in IPv4 blocks larger than a /8, those that only reserved and private space completes counted too: no
// network has such a block for itself, so routes to it stand for a default route (AZ-TAG-06).
func wide(s *netipx.IPSet) *netipx.IPSet {
	if emptySet(s) {
		return s
	}
	var blocks, out netipx.IPSetBuilder
	blocks.AddSet(anyIPv4())
	blocks.RemoveSet(lessSet(publicIPv4(), s))
	for _, p := range built(&blocks).Prefixes() {
		if p.Bits() < 8 {
			out.AddPrefix(p)
		}
	}
	out.Intersect(s)
	out.Intersect(publicIPv4())
	return built(&out)
}

// importedPrefixes adds what the NIC's own effective routes show, whoever made them (AZ-RT-33).
func (w *world) importedPrefixes(h *host, gateways, routes *netipx.IPSetBuilder) {
	rows := w.e.RoutesAt(h.nicID())
	if rows == nil {
		return
	}
	for _, r := range rows.Routes {
		for _, p := range r.Prefixes {
			switch {
			case !r.Active || r.From == "Default" || p.Bits() == 0:
			case r.From == "VirtualNetworkGateway":
				addPrefix(gateways, p)
			default:
				addPrefix(routes, p)
			}
		}
	}
}

// overriddenDefaults are the default routes of the subnet that are not the system's (last row of the table).
func (w *world) overriddenDefaults(h *host) []netip.Prefix {
	var out []netip.Prefix
	for _, r := range w.table(h, tableOptions{}) {
		if r.origin != systemRoute && r.prefix.IsValid() && r.prefix.Bits() == 0 {
			out = append(out, r.prefix)
		}
	}
	return out
}

// otherTables holds the prefixes of user routes of the VNet's other subnets.
func (w *world) otherTables(h *host) *netipx.IPSet {
	var b netipx.IPSetBuilder
	if h.vnet == nil {
		return built(&b)
	}
	for _, s := range w.subnetsOf(h.vnet) {
		if h.subnet != nil && same(s.ID, h.subnet.ID) {
			continue
		}
		if rt, ok := w.routeTable(s); ok && rt != nil {
			for _, r := range rt.Routes {
				addPrefix(&b, r.Prefix)
			}
		}
	}
	return built(&b)
}

// in says whether an address lies in an uncertain row, if the row is in the tag at all.
func (r row) in(w *world, a address, tags []string) match {
	m := a.in(r.set)
	if r.every {
		m = yes()
	}
	for _, t := range r.tags {
		m = m.or(w.inTag(t, a, tags))
	}
	if m.may && r.but != nil {
		m = m.and(a.in(r.but).not())
	}
	return m
}

// assignment settles the uncertain rows of one NIC's tag for the evaluation of one list (AZ-GEN-01): each is wholly in or wholly out
// in every rule and on both sides.
type assignment struct {
	in     []bool // by row
	shrunk bool   // Internet loses what VirtualNetwork gained by routes (ASM-INTERNET-0)
}

// assignments lists every assignment that may make a difference to the packet.
func (w *world) assignments(v *view, f flow) []assignment {
	out := []assignment{{in: make([]bool, len(v.rows))}}
	growth := false
	for i, r := range v.rows {
		if !r.in(w, f.src, f.tags).may && !r.in(w, f.dst, f.tags).may {
			continue
		}
		growth = growth || r.growth
		for _, a := range slices.Clone(out) {
			b := a
			b.in = slices.Clone(a.in)
			b.in[i] = true
			out = append(out, b)
		}
	}
	if growth {
		for _, a := range slices.Clone(out) {
			a.shrunk = true
			out = append(out, a)
		}
	}
	return out
}

// virtualNetwork says whether an address is in the tag under an assignment.
func (w *world) virtualNetwork(v *view, as assignment, a address, tags []string, defaultRule bool) match {
	if a.overlay != nil {
		// K8S-AZ-06: pod addresses of an overlay cluster pass the default rules at its nodes; whether a custom rule with the tag
		// takes them is not documented.
		switch {
		case v.nodeOf == nil || !same(v.nodeOf.ID, a.overlay.ID):
		case defaultRule:
			return w.assume("ASM-K-PODCIDR")
		default:
			return maybe("ASM-K-PODCIDR-TAG")
		}
	}
	m := a.in(v.own)
	if l := v.learned; l != nil && l.said != nil { // AZ-TAG-04
		m = m.and(a.in(l.said).not()).or(a.in(l.least))
	}
	for i, r := range v.rows {
		hit := r.in(w, a, tags)
		switch {
		case !hit.may || m.must:
		case as.in[i]:
			m = m.or(hit)
		}
	}
	if !m.may && a.in(v.others).may && (v.learned == nil || v.learned.said == nil) {
		return match{why: []string{"ASM-TAGTABLES"}}
	}
	return m
}

// internet says whether an address is in the tag Internet under an assignment (AZ-TAG-05, AZ-TAG-06, AZ-TAG-07).
func (w *world) internet(v *view, as assignment, a address, tags []string) match {
	m := a.isPublic()
	if !m.must && !a.public && a.in(anywhereBut(rfc1918()...)).may {
		m = maybe() // AZ-TAG-06: reserved space beyond RFC 1918 may be in the tag
	}
	switch {
	case !m.may || !a.public && a.in(v.own).must && !a.in(v.wide).may:
		return no()
	case a.in(v.wide).may:
		m = m.and(maybe("ASM-INTERNET-0"))
	case !a.public && (a.in(v.space).may || a.in(v.own).may):
		m = m.and(maybe())
	}
	for i, r := range v.rows {
		hit := r.in(w, a, tags)
		switch {
		case !hit.may || a.public && !r.growth: // an address of Azure lies in no range of a VNet and in no static prefix
		case as.in[i] && !r.growth:
			m = m.and(maybe(r.because...))
		case as.in[i] && as.shrunk:
			m = m.and(hit.not())
		}
	}
	l := v.learned
	if l == nil {
		return m
	}
	switch {
	case l.internet && a.in(l.netSaid).must:
		// AZ-TAG-04: what every expansion holds is Internet for certain. The rest of public space stays possible: hosts that have no
		// address in the input would not be found in a list of prefixes.
		switch {
		case a.in(l.netLeast).must:
			m = yes()
		case m.may || a.in(l.netIn).may:
			m = maybe()
		}
	case l.said != nil && m.may && a.in(l.most).may && !a.in(v.own).must:
		m = m.and(maybe("ASM-INTERNET-0"))
	}
	return m
}

// service tags

// inTag says whether an address is in a service tag other than VirtualNetwork and Internet (AZ-TAG-08 to AZ-TAG-10, AZ-SE-03).
func (w *world) inTag(tag string, a address, tags []string) match {
	switch {
	case fold(tag, "AzureLoadBalancer") || fold(tag, "AZURE_LOADBALANCER"):
		return a.in(joinSets(addressSet(wireServer()), prefixSet(netip.MustParsePrefix("fe80::/10")))) // AZ-V6-07: probes over IPv6
	case fold(tag, "AzurePlatformDNS"):
		return a.in(addressSet(wireServer()))
	case fold(tag, "AzurePlatformIMDS"):
		return a.in(addressSet(metadataService()))
	case fold(tag, "Internet"):
		return a.isPublic()
	}
	public := a.isPublic()
	if !public.may || isPlatform(a.at) {
		return no() // AZ-TAG-09: false for private addresses
	}
	if s, ok := w.symbols.At(a.at); ok && s.Kind == model.FrontDoorBackend && fold(tag, "AzureFrontDoor.Backend") {
		return yes() // AZ-AFD-10
	}
	prefixes, listed := w.prefixesOf(tag)
	if listed && !w.isSymbol(a.at) { // of addresses that the input states the list knows more than their resource
		return a.in(prefixes)
	}
	if m, known := ownTag(tag, a); known {
		return m
	}
	if listed {
		return a.in(prefixes)
	}
	// AZ-TAG-09: one Boolean of the packet, the same in every rule.
	if hasTag(tags, tag) {
		return public.and(yes("ASM-TAG(" + tag + ")"))
	}
	return match{why: []string{"ASM-TAG(" + tag + ")"}}
}

// ownTag is what is known of an address without a list: a service's door is in the tag of its type and region, and what Azure owns is
// in AzureCloud (AZ-SE-03, AZ-OUT-09).
func ownTag(tag string, a address) (m match, known bool) {
	if a.azure == nil {
		return no(), false
	}
	base, regional, _ := strings.Cut(tag, ".")
	mine := fold(base, "AzureCloud")
	if a.service != nil {
		mine = mine || fold(base, serviceTag(a.service.Kind))
	}
	switch {
	case !mine:
		return no(), false
	case regional == "":
		return yes(), true
	case a.azure.location == "", a.service != nil && serviceTag(a.service.Kind) == "":
		return no(), false // the region is not stated, or the type has no tags: free, as any tag
	case model.Region(a.azure.location) != model.Region(regional):
		return no(), false // the tag of another region stays free: paired regions and global names exist
	default:
		return yes(), true
	}
}

// serviceTag is the tag that holds the doors of a service type; empty where the specification knows none.
func serviceTag(k model.ServiceKind) string {
	switch k {
	case model.StorageAccount:
		return "Storage"
	case model.SQLServer:
		return "Sql"
	case model.KeyVault:
		return "AzureKeyVault"
	case model.ContainerRegistry:
		return "AzureContainerRegistry"
	case model.CosmosDB:
		return "AzureCosmosDB"
	case model.EventHub:
		return "EventHub"
	case model.ServiceBus:
		return "ServiceBus"
	default:
		return ""
	}
}

// hasTag reports whether the packet's Booleans put its far address in a tag. A regional tag lies inside the tag (AZ-TAG-09).
func hasTag(tags []string, tag string) bool {
	for _, t := range tags {
		base, _, regional := strings.Cut(t, ".")
		if fold(t, tag) || regional && fold(base, tag) {
			return true
		}
	}
	return false
}

// prefixesOf is the published list of a tag, where one was given.
func (w *world) prefixesOf(tag string) (*netipx.IPSet, bool) {
	if w.tags == nil {
		return nil, false
	}
	for _, t := range w.tags.Tags {
		if fold(t.Name, tag) {
			return prefixSet(t.Prefixes...), true
		}
	}
	return nil, false
}
