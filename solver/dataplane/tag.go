package dataplane

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// subnetContext is what the filters of a subnet's NICs need to know of their surroundings: service tags that are computed per NIC
// (AZ-TAG-01) depend on the VNet, its peerings and gateways, and the subnet's route table. Subnets that share those share the context.
type subnetContext struct {
	must  *netipx.IPSet // in VirtualNetwork for certain
	own   *netipx.IPSet // own and peered VNet space, for Internet (AZ-TAG-06)
	wide  *netipx.IPSet // what of must only wide prefixes of gateways hold: Internet may have kept it (AZ-TAG-06)
	parts []tagPart     // uncertain components, in the order of the table in AZ-TAG-01
	known []tagPart     // the certain ones
	grown [2]bool       // by family (IPv4, IPv6): the default route is not the system one
	lacks string        // the assumption that names a route table which the input lacks, or ""
	key   string
	vnet  *model.VNet // nil where the input lacks it

	// Of imported effective rules: what the Internet tag holds at least and at most, and the space of which they say so (AZ-TAG-04).
	internetLeast, internetMost, internetSaid *netipx.IPSet

	readings []assignment // of the uncertain components; see assignments
}

// tagPart is one uncertain component of the VirtualNetwork tag.
type tagPart struct {
	set    *netipx.IPSet
	tags   []string       // service tags without a list that it holds as well
	doors  []netip.Prefix // addresses that the input does not state and that are among it for certain (AZ-SE-03)
	reason string
	listed []netip.Prefix // as the input has them, in the order found
}

// takesInternet reports a part by which Internet may lose public addresses that the input does not state: routes may name them, while what
// lies behind a gateway's connection is no address of Azure, unless it is wide (ASM-INTERNET-0).
// public is publicV4.
func (t tagPart) takesInternet(public *netipx.IPSet) bool {
	switch t.reason {
	case "routes", "default":
		return len(t.tags) > 0 || !disjoint(t.set, public)
	case "gateway", "behind-peer":
		return !isEmpty(wide(t.set, public)) // learned: it may be any
	default:
		return false
	}
}

// wide is the public part of the blocks larger than a /8 that a set makes up together with space that nobody on the internet has: no network has
// so much for itself, so routes to it stand for a default route, whatever prefixes make it up (AZ-TAG-06). public is publicV4.
func wide(set, public *netipx.IPSet) *netipx.IPSet {
	var out []netip.Prefix
	for _, x := range minusSet(ipset([]netip.Prefix{allV4()}), minusSet(public, set)).Prefixes() {
		if x.Bits() < 8 {
			out = append(out, x)
		}
	}
	return intersectSet(ipset(out), intersectSet(set, public))
}

// context computes the surroundings of a subnet's NICs once; nic names one that the input has effective rules or routes of, else it is
// empty.
func (p *planner) context(subnet, nic model.ID) *subnetContext {
	at := [2]model.ID{subnet, nic}
	c, ok := p.contextAt[at]
	if !ok {
		c = p.findContext(subnet, nic)
		if p.contextAt != nil {
			p.contextAt[at] = c
		}
	}
	return c
}

func (p *planner) findContext(subnet, nic model.ID) *subnetContext {
	s, v := p.e.SubnetOf(subnet)
	key := subnet.Key()
	if v != nil {
		key = v.ID.Key() + "|" + tableOf(s).Key()
	}
	rules, routes := p.e.RulesAt(nic, subnet), p.e.RoutesAt(nic)
	if rules != nil {
		key += "|" + rules.ID.Key()
	}
	if routes != nil {
		key += "|" + routes.ID.Key()
	}
	if c, ok := p.contexts[key]; ok {
		return c
	}
	c := &subnetContext{key: key, vnet: v}
	p.contexts[key] = c
	own := []netip.Prefix{}
	if v != nil {
		own = append(own, v.Prefixes...)
	} else if s != nil {
		own = append(own, s.Prefixes...)
	}
	var certain []netip.Prefix
	surely := func(reason string, ps ...netip.Prefix) {
		certain = append(certain, ps...)
		if i := slices.IndexFunc(c.known, func(t tagPart) bool { return t.reason == reason }); i >= 0 {
			c.known[i].listed = append(c.known[i].listed, ps...)
		} else if len(ps) > 0 {
			c.known = append(c.known, tagPart{reason: reason, listed: slices.Clone(ps)})
		}
	}
	surely("own", own...)
	surely("platform", host(platformDNS()))
	space := slices.Clone(own)
	possible := map[string][]netip.Prefix{}
	maybe := func(reason string, ps ...netip.Prefix) { possible[reason] = append(possible[reason], ps...) }

	var table *model.RouteTable
	if id := tableOf(s); id != "" {
		table, _ = model.Get[*model.RouteTable](p.e, id)
		if why := p.tableDoubt(s); why != "" && routes == nil {
			// AZ-GEN-08: routes that are not known may widen the tag to everything (AZ-TAG-02).
			c.grow(allV4(), maybe)
			c.grow(allV6(), maybe)
			c.lacks = why
		}
	}
	propagates := p.propagates(s, table)
	if v != nil {
		for _, peer := range p.peers(v) {
			space = append(space, peer.prefixes()...)
			off := 0
			for _, flag := range []model.Setting{peer.local.AllowVNetAccess, peer.remoteSide.AllowVNetAccess} {
				if flag == model.Off {
					off++
				}
			}
			for _, r := range peer.ranges(p.e) {
				switch {
				case off == 2: // AZ-TAG-01: with both flags off the peer is no part of the tag
				case off == 0 && r.certain && peer.certain:
					surely("peer", r.prefix)
				default:
					maybe("peer", r.prefix)
				}
			}
			if off < 2 && peer.partial() { // AZ-TAG-01: of a subnet peering the rest of the VNet is not certain
				maybe("rest", peer.prefixes()...)
			}
			if peer.local.AllowForwarded == model.On && peer.remote != nil {
				for _, next := range p.peers(peer.remote) {
					if next.remoteID.Key() != v.ID.Key() {
						maybe("behind-peer", next.prefixes()...)
					}
				}
				for _, gw := range p.ownGateways(peer.remote) {
					for _, far := range p.farSides(gw) {
						maybe("behind-peer", far.stated()...)
					}
				}
			}
		}
		for _, use := range p.gatewaysOf(v) {
			for _, far := range p.farSides(use.gw) {
				for _, r := range far.routes {
					switch {
					case r.prefix.Bits() == 0:
					case r.static && r.certain && use.certain && propagates && c.lacks == "":
						surely("gateway", r.prefix)
					default:
						maybe("gateway", r.prefix)
					}
				}
				if far.learned != "" {
					maybe("gateway", allV4(), allV6())
				}
			}
		}
	}
	if v != nil && len(p.advertised(v)) > 0 {
		maybe("gateway", allV4())
	}
	if v != nil {
		for _, r := range p.hubRoutes(v) { // AZ-WAN-05
			switch {
			case r.origin != systemRoute && !propagates:
			case r.learned:
				maybe("gateway", allV4())
			case r.prefix.Bits() == 0:
				if routes == nil || !routes.Families()[32] {
					c.grow(r.prefix, maybe)
				}
			default:
				maybe("gateway", r.prefix)
			}
		}
	}
	if v != nil {
		for _, l := range p.joined(v) { // AZ-AVNM-11: undocumented for the tag
			maybe("group", l.remote.Prefixes...)
			space = append(space, l.remote.Prefixes...)
		}
	}
	var named []string       // tags without a list that user routes name
	var doors []netip.Prefix // what tags with a list hold of the estate
	if table != nil {
		for _, r := range table.Routes {
			if r.Prefix.IsValid() {
				if r.Prefix.Bits() == 0 && routes != nil && routes.Families()[r.Prefix.Addr().BitLen()] {
					continue // AZ-RT-33: the NIC's own table says which default route it has
				}
				maybe("routes", r.Prefix)
				if r.Prefix.Bits() == 0 {
					c.grow(r.Prefix, maybe)
				}
			} else if r.Tag != "" {
				if set, ok := p.serviceTag[strings.ToLower(r.Tag)]; ok {
					maybe("routes", set.Prefixes()...)
					doors = append(doors, symbolsOf(p.ownInTag(r.Tag))...)
				} else if p.tagKind(r.Tag) == tagSymbolic && !slices.Contains(named, r.Tag) {
					named = append(named, r.Tag)
				}
			}
		}
	}
	if v != nil && propagates && (routes == nil || !routes.Families()[32]) {
		for _, use := range p.gatewaysOf(v) {
			for _, far := range p.farSides(use.gw) {
				for _, r := range far.routes {
					if r.prefix.Bits() == 0 {
						c.grow(r.prefix, maybe) // AZ-GW-08
					}
				}
			}
		}
	}
	if routes != nil {
		// AZ-RT-33: what the NIC's own table shows is among the prefixes of AZ-TAG-01, whoever made the route.
		for _, r := range routes.Routes {
			for _, x := range r.Prefixes {
				switch {
				case !r.Active || r.From == "Default":
				case x.Bits() == 0:
					c.grow(x, maybe)
				case r.From == "VirtualNetworkGateway":
					maybe("gateway", x)
				default:
					maybe("routes", x)
				}
			}
		}
	}
	c.must, c.own = ipset(certain), ipset(space)
	c.wide = ipset(nil)
	if i := slices.IndexFunc(c.known, func(t tagPart) bool { return t.reason == "gateway" }); i >= 0 {
		c.wide = minusSet(wide(ipset(c.known[i].listed), publicV4()), c.own)
	}
	for _, reason := range []string{"peer", "rest", "gateway", "group", "behind-peer", "routes", "default"} {
		part := tagPart{set: ipset(possible[reason]), reason: reason, listed: possible[reason]}
		if reason == "routes" {
			part.tags, part.doors = named, doors
		}
		if !contains(c.must, part.set) || len(part.tags) > 0 {
			c.parts = append(c.parts, part)
		}
	}
	if rules != nil {
		c.learn(rules)
	}
	return c
}

// grow records that the subnet's default route of a family is not the system one (AZ-TAG-02).
func (c *subnetContext) grow(p netip.Prefix, maybe func(string, ...netip.Prefix)) {
	family := 0
	if p.Addr().Is6() {
		family = 1
	}
	c.grown[family] = true
	maybe("default", p)
}

// assignment is one reading of the VirtualNetwork tag, and of the Internet tag that goes with it.
type assignment struct {
	vnetMust, vnetMay *netipx.IPSet
	netMust, netMay   *netipx.IPSet
	vnet, net         addrs          // the same, registered
	whole             bool           // Internet lacks no public address that the input does not state
	tags              []string       // service tags without a list that VirtualNetwork holds
	doors             []netip.Prefix // what it holds of addresses that the input does not state
}

// register registers the sets of a reading.
func (a *assignment) register(p *planner) {
	a.vnet = addrs{p.addr.spaceWith(a.vnetMust, a.doors).must, p.addr.spaceWith(a.vnetMay, a.doors).may}
	a.net = addrs{p.addr.space(a.netMust).must, p.addr.space(a.netMay).may}
	if a.whole {
		a.net.must = p.addr.spaceWith(a.netMust, p.addr.unstated()).must
	}
}

// internet is the least and the most that the Internet tag holds at a subnet, what VirtualNetwork gained left aside (AZ-TAG-06): never
// private space, and never less than the public space outside the VNet and its peers.
func (c *subnetContext) internet() (least, most *netipx.IPSet) {
	if c.internetMost != nil {
		return c.internetLeast, c.internetMost
	}
	notPrivate := minusSet(ipset([]netip.Prefix{allV4(), allV6()}), ipset(rfc1918()))
	return minusSet(publicSpace(), c.own), minusSet(notPrivate, minusSet(c.must, c.wide))
}

// assignments lists the readings of the tags at a subnet: each uncertain component is wholly in or wholly out, in every rule and on both sides
// (AZ-GEN-01). Readings with the same sets are listed once.
func (p *planner) assignments(c *subnetContext) []assignment {
	if c.readings == nil {
		c.readings = p.readings(c)
	}
	return c.readings
}

func (p *planner) readings(c *subnetContext) []assignment {
	least, most := c.internet()
	var out []assignment
	seen := map[string]bool{}
	takes := make([]bool, len(c.parts))
	for i, t := range c.parts {
		takes[i] = t.takesInternet(p.addr.internet)
	}
	for bits := range 1 << len(c.parts) {
		in := []*netipx.IPSet{c.must}
		a := assignment{whole: c.internetSaid == nil && isEmpty(c.wide)}
		var doors []netip.Prefix
		for i, t := range c.parts {
			if bits>>i&1 == 1 {
				in = append(in, t.set)
				a.tags, doors = append(a.tags, t.tags...), append(doors, t.doors...)
				a.whole = a.whole && !takes[i]
			}
		}
		a.vnetMust = unionSet(in...)
		a.vnetMay = a.vnetMust
		a.netMay = most
		// ASM-INTERNET-0: whether Internet loses what VirtualNetwork gained is open: both readings are kept.
		a.netMust = minusSet(least, a.vnetMay)
		if c.internetSaid != nil {
			a.netMust = unionSet(a.netMust, intersectSet(least, c.internetSaid))
		}
		key := setKey(a.vnetMust) + "|" + strings.Join(a.tags, ",") + "|" + strconv.FormatBool(a.whole)
		if !seen[key] {
			seen[key] = true
			a.doors = doors
			a.register(p)
			out = append(out, a)
		}
	}
	return out
}

// withPods is the reading for packets with overlay pod addresses: inside VirtualNetwork for default rules (ASM-K-PODCIDR), possibly
// inside for custom ones (ASM-K-PODCIDR-TAG).
func (a assignment) withPods(p *planner, pods *netipx.IPSet, byDefault bool) assignment {
	a.vnetMay = unionSet(a.vnetMay, pods)
	if byDefault {
		a.vnetMust = unionSet(a.vnetMust, pods)
	}
	a.register(p)
	return a
}

// readTags takes over a published list of service tags.
func (p *planner) readTags() {
	if p.o.Tags == nil {
		return
	}
	for _, t := range p.o.Tags.Tags {
		p.serviceTag[strings.ToLower(t.Name)] = ipset(t.Prefixes)
	}
}

// tagKind tells the tags that are computed from those that need a list.
type tagKind uint8

const (
	tagListed   tagKind = iota // a list gives its prefixes
	tagSymbolic                // a Boolean of the packet (AZ-TAG-09)
	tagVNet
	tagInternet
	tagLoadBalancer
	tagPlatformDNS
	tagPlatformIMDS
	tagPlatformLKM
)

func (p *planner) tagKind(name string) tagKind {
	switch strings.ToLower(name) {
	case "virtualnetwork":
		return tagVNet
	case "internet":
		return tagInternet
	case "azureloadbalancer":
		return tagLoadBalancer
	case "azureplatformdns":
		return tagPlatformDNS
	case "azureplatformimds":
		return tagPlatformIMDS
	case "azureplatformlkm":
		return tagPlatformLKM
	}
	if _, ok := p.serviceTag[strings.ToLower(name)]; ok {
		return tagListed
	}
	return tagSymbolic
}

// useTag registers a symbolic tag.
func (p *planner) useTag(name string) {
	if p.tagKind(name) == tagSymbolic && !p.symbolic[strings.ToLower(name)] {
		p.symbolic[strings.ToLower(name)] = true
		p.b.Tags(tagField(name))
		if own := p.ownInTag(name); len(own) > 0 {
			p.doorSets[strings.ToLower(name)] = p.b.AddSet("", own)
		}
	}
}

// tagField is the name of a service tag's Boolean in the packet.
func tagField(name string) string { return "tag:" + strings.ToLower(name) }

// inTag is the packets whose far address, on one side, is in a symbolic tag: a public address with the tag's Boolean set.
func (p *planner) inTag(name string, side func(packet.AddrSet) *lazy) *lazy {
	p.useTag(name)
	public := side(p.addr.public)
	own := nothing() // what is known of an address of the estate holds on either side, whatever the far address is
	if set, ok := p.doorSets[strings.ToLower(name)]; ok {
		own = side(set)
	}
	return later(func(c *compiler) packet.Set {
		f, ok := c.u.Tag(tagField(name))
		if !ok {
			panic("dataplane: tag " + name + " was not registered") // INVARIANT: useTag ran before the freeze
		}
		return c.s.Union(own.get(c), c.s.Intersect(public.get(c), c.s.Box(packet.Box{Tags: []packet.TagValue{{Tag: f, Value: true}}})))
	})
}

// listedTag is the addresses of a tag that a list gives, with those of the estate that are in it for certain (AZ-SE-03). An address that the
// input does not state may be among those of the list.
func (p *planner) listedTag(name string) addrs {
	// Of an address that the input states the list knows more than its resource.
	return p.addr.spaceWith(p.serviceTag[strings.ToLower(name)], symbolsOf(p.ownInTag(name)))
}

// serviceTagOf is the service tag of a kind of account (AZ-SE-03).
func serviceTagOf(k model.ServiceKind) string {
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

// tagMember says whether a service's public door is inside a tag: for certain, certainly not, or unknown.
func tagMember(s *model.Service, tag string) (in, known bool) {
	own := serviceTagOf(s.Kind)
	base, region, regional := strings.Cut(strings.ToLower(tag), ".")
	switch {
	case base == "azurecloud" && !regional:
		return true, true
	case own == "" || base != strings.ToLower(own) && base != "azurecloud":
		return false, false // other tags stay free (AZ-TAG-09)
	case !regional:
		return true, true
	case s.Location == "":
		return false, false
	default:
		same := strings.EqualFold(strings.ReplaceAll(s.Location, " ", ""), region)
		return same, same // another region of the same tag stays free: paired regions and global names exist
	}
}

// ownInTag are the public addresses of the estate that lie in a tag for certain: the doors of its accounts in the tag of their type
// (AZ-SE-03), and in AzureCloud every address that Azure gave it (AZ-OUT-09).
func (p *planner) ownInTag(tag string) []netip.Prefix {
	var out []netip.Prefix
	symbol := func(k model.SymbolKind, id model.ID, part string) {
		if a, ok := p.symbols.Of(k, id, part); ok {
			out = append(out, host(a))
		}
	}
	for _, s := range p.e.Services {
		if in, known := tagMember(s, tag); in && known && s.Injected == "" {
			symbol(model.ServiceDoor, s.ID, "")
		}
	}
	if strings.EqualFold(tag, frontDoorTag) {
		for _, f := range p.e.FrontDoors {
			symbol(model.FrontDoorBackend, f.ID, "")
		}
	}
	base, region, regional := strings.Cut(strings.ToLower(tag), ".")
	if base != "azurecloud" {
		return out
	}
	return append(out, p.ownPublic(func(location string) bool { return !regional || location != "" && model.Region(location) == region })...)
}

// ownPublic is the public addresses of the estate, of Microsoft's own ones those that the estate uses, whose region is one of some; an empty
// one is not stated.
func (p *planner) ownPublic(in func(location string) bool) []netip.Prefix {
	var out []netip.Prefix
	symbol := func(s model.Symbol, location string) {
		if in(location) {
			out = append(out, host(s.Addr))
		}
	}
	for _, ip := range p.e.PublicIPs {
		if a := p.publicAddr(ip.ID); in(ip.Location) && a.IsValid() {
			out = append(out, host(a))
		}
	}
	for _, x := range p.e.Prefixes {
		if in(x.Location) && x.Prefix.IsValid() {
			out = append(out, x.Prefix)
		}
	}
	for _, s := range p.symbols.All() {
		switch s.Kind {
		case model.DefaultOutbound, model.BastionDoor: // Microsoft's own, in a region that the input does not state
			symbol(s, "")
		case model.NodePublicAddress, model.InstancePublicAddress:
			if r, ok := p.e.Lookup(s.Owner); ok {
				symbol(s, locationOf(r))
			}
		case model.APIDoor: // AKS-API-01
			if c, ok := model.Get[*model.Cluster](p.e, s.Owner); ok && c.Private != model.On {
				symbol(s, c.Location)
			}
		default:
		}
	}
	for _, f := range p.publicFronts() {
		location := ""
		if c, ok := model.Get[*model.Cluster](p.e, f.service.Cluster); ok {
			location = c.Location
		}
		if in(location) {
			out = append(out, host(f.Addr))
		}
	}
	return out
}

// locationOf is the region of a cluster or scale set.
func locationOf(r model.Resource) string {
	switch r := r.(type) {
	case *model.Cluster:
		return r.Location
	case *model.ScaleSet:
		return r.Location
	default:
		return ""
	}
}

// tagFacts is the packets that agree with what is known of symbolic tags: a regional tag lies in its global one, both in AzureCloud,
// and an account of the estate in its own (AZ-TAG-09, AZ-SE-03).
func (p *planner) tagFacts(c *compiler) packet.Set {
	s := c.s
	facts := s.All()
	value := func(name string, v bool) (packet.Set, bool) {
		f, ok := c.u.Tag(name)
		if !ok {
			return packet.Set{}, false
		}
		return s.Box(packet.Box{Tags: []packet.TagValue{{Tag: f, Value: v}}}), true
	}
	implies := func(a, b packet.Set) { facts = s.Intersect(facts, s.Union(s.Complement(a), b)) }
	for _, name := range c.u.TagNames() {
		on, _ := value(name, true)
		if tag, ok := strings.CutPrefix(name, "tag:"); ok {
			base, region, regional := strings.Cut(tag, ".")
			if regional {
				if parent, ok := value("tag:"+base, true); ok {
					implies(on, parent)
				}
				if parent, ok := value("tag:azurecloud."+region, true); ok && base != "azurecloud" {
					implies(on, parent)
				}
			}
			if cloud, ok := value("tag:azurecloud", true); ok && tag != "azurecloud" && serviceInCloud(base) {
				implies(on, cloud)
			}
			if doors, ok := p.doorSets[tag]; ok {
				set := c.u.Addrs(doors)
				// The Boolean speaks of the far address: of an account's door, and of another address of the estate where the source is not
				// public itself.
				clients := s.Subtract(s.Box(packet.Box{Src: c.u.Addrs(p.addr.public)}), s.Box(packet.Box{Dst: c.u.Addrs(p.doors)}))
				implies(s.Subtract(s.Box(packet.Box{Dst: set}), clients), on)
				implies(s.Box(packet.Box{Src: set}), on)
			}
		}
	}
	return s.Intersect(facts, p.nameFacts(c))
}

// serviceInCloud names the tags whose lists are part of AzureCloud.
func serviceInCloud(base string) bool {
	switch base {
	case "azurecloud", "storage", "sql", "azurekeyvault", "azurecontainerregistry", "azurecosmosdb", "eventhub", "servicebus":
		return true
	default:
		return false
	}
}
