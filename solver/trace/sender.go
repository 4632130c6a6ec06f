package trace

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// start finds who sends the packet and sends it.
func (t *tracer) start(p Packet) {
	t.from = p.Src
	c := course{packet: p, certain: true}
	if !p.Src.IsValid() || !p.Dst.IsValid() {
		t.drop(c, p.From, Transport, "a packet needs a source and a destination")
		return
	}
	c.src, c.dst = t.address(p.Src), t.address(p.Dst)
	if c.src.may == nil && c.dst.may == nil && p.Src.Is4() != p.Dst.Is4() {
		t.drop(c, p.From, Transport, "a packet has one address family (AZ-V6-01)")
		return
	}
	if s, ok := t.symbols.At(p.Dst); ok && s.Kind == model.APIDoor {
		if cl := t.clusterOf(s.Owner); cl.Private == model.On && t.hasAPIEndpoint(cl) {
			t.drop(c, p.From, Transport, "nothing has this address: the API server's is that of its private endpoint (AKS-API-03)")
			return
		}
	}
	if p.From != (model.Place{}) {
		t.send(c, p.From)
		return
	}
	senders := t.sendersOf(c)
	t.together(len(senders), func(i int) {
		d := c
		d.packet.From = senders[i]
		t.send(d, senders[i])
	}, samePod(senders))
}

// samePod reports that all senders are placements of one workload, which nobody can tell apart.
func samePod(senders []model.Place) bool {
	return len(senders) > 1 && !slices.ContainsFunc(senders, func(p model.Place) bool {
		return p.Kind != model.PlacePod || !same(p.ID, senders[0].ID)
	})
}

// together runs one walk for each alternative. Where nobody chooses between them, a delivery is certain only if every alternative makes
// it (AZ-GEN-09).
func (t *tracer) together(n int, walk func(int), joint bool) {
	from := len(t.paths)
	var ends []int
	for i := range n {
		walk(i)
		ends = append(ends, len(t.paths))
	}
	if joint {
		t.inAll(from, ends, "")
	}
}

// inAll makes deliveries of alternative walks, of which nobody chooses one, as certain as all of them are. why, where not empty, is the
// assumption that stands in the way of the others.
func (t *tracer) inAll(from int, ends []int, why string) {
	n := len(ends)
	group := func(i int) []Path {
		start := from
		if i > 0 {
			start = ends[i-1]
		}
		return t.paths[start:ends[i]]
	}
	type key struct {
		at  model.Place
		end End
	}
	certain, session := map[key]int{}, map[key]int{}
	for i := range n {
		c, s := map[key]bool{}, map[key]bool{}
		for _, p := range group(i) {
			k := key{p.At.Key(), p.End}
			c[k], s[k] = c[k] || p.Certain, s[k] || p.Session
		}
		for k := range c {
			if c[k] {
				certain[k]++
			}
			if s[k] {
				session[k]++
			}
		}
	}
	for i := from; i < len(t.paths); i++ {
		p := &t.paths[i]
		k := key{p.At.Key(), p.End}
		if why != "" && (p.Certain && certain[k] < n || p.Session && session[k] < n) {
			p.Assumptions = union(p.Assumptions, []string{why})
		}
		p.Certain = p.Certain && certain[k] == n
		p.Session = p.Session && session[k] == n
	}
}

// sendersOf derives the sender from the source address: who holds it, a far side whose prefixes hold it, else the internet.
func (t *tracer) sendersOf(c course) []model.Place {
	src := c.packet.Src
	if isPlatform(src) {
		return []model.Place{{Kind: model.PlacePlatform}}
	}
	if s, ok := t.symbols.At(src); ok {
		return t.ownerOfSymbol(s)
	}
	var out []model.Place
	for _, h := range t.nicsAt(src) {
		out = append(out, h.place)
	}
	for _, p := range t.e.Endpoints {
		if slices.Contains(t.endpointAddresses(p), src) {
			out = append(out, model.Place{Kind: model.PlaceEndpoint, ID: p.ID})
		}
	}
	for _, wl := range t.e.Workloads {
		for _, x := range t.placed(wl) {
			if x.holds(t.world, src) && t.placedAt(x, src) {
				out = append(out, x.place())
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, s := range t.e.Subnets {
		if slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.IsValid() && p.Contains(src) }) {
			for _, h := range t.classHosts(s) {
				out = append(out, h.place)
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, g := range t.e.Gateways {
		for _, r := range t.gatewayPrefixes(g) {
			ingress, _, _ := t.ofConnection(g, r.connection)
			if !r.prefix.IsValid() || r.prefix.Bits() == 0 || !t.sentFrom(c.src, r.prefix, ingress).may {
				continue
			}
			place := model.Place{Kind: model.PlaceFarSide, ID: g.ID, Part: clients}
			if r.connection != nil {
				if _, vnet := model.Get[*model.Gateway](t.e, far(g, r.connection)); vnet {
					continue
				}
				place.Part = r.connection.Name()
			}
			if !slices.Contains(out, place) {
				out = append(out, place)
			}
		}
	}
	for _, a := range t.attachments() {
		if a.branch == nil {
			continue
		}
		ingress, _, _ := t.translations(a)
		for _, p := range t.prefixesOfAttachment(a) {
			if p.prefix.IsValid() && p.prefix.Bits() > 0 && t.sentFrom(c.src, p.prefix, ingress).may && !slices.Contains(out, a.place()) {
				out = append(out, a.place())
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	return []model.Place{{Kind: model.PlaceInternet}}
}

// ownerOfSymbol is who sends from an address that the input does not state.
func (t *tracer) ownerOfSymbol(s model.Symbol) []model.Place {
	switch s.Kind {
	case model.PodAddress:
		var out []model.Place
		if wl, ok := model.Get[*model.Workload](t.e, s.Owner); ok {
			for _, x := range t.placed(wl) {
				out = append(out, x.place())
			}
		}
		return out
	case model.ConfigAddress:
		return []model.Place{{Kind: model.PlaceNIC, ID: s.Owner, Part: s.Part}}
	case model.EndpointAddress:
		return []model.Place{{Kind: model.PlaceEndpoint, ID: s.Owner}}
	case model.FirewallAddress:
		return []model.Place{{Kind: model.PlaceFirewall, ID: s.Owner}}
	case model.GatewayAddress:
		return []model.Place{{Kind: model.PlaceAppGateway, ID: s.Owner}}
	case model.FrontendAddress, model.ServiceFrontend:
		return []model.Place{{Kind: model.PlaceFrontend, ID: s.Owner}}
	case model.ServiceDoor:
		return []model.Place{{Kind: model.PlaceService, ID: s.Owner}}
	case model.APIDoor:
		return []model.Place{{Kind: model.PlaceAPIServer, ID: s.Owner}}
	case model.BastionDoor:
		return []model.Place{{Kind: model.PlaceBastion, ID: s.Owner}}
	case model.APIMDoor, model.APIMAddress:
		return []model.Place{{Kind: model.PlaceAPIM, ID: s.Owner, Part: s.Part}}
	case model.FrontDoorDoor:
		return []model.Place{{Kind: model.PlaceFrontDoor, ID: s.Owner, Part: s.Part}}
	case model.FrontDoorBackend:
		var out []model.Place
		if f, ok := model.Get[*model.FrontDoor](t.e, s.Owner); ok {
			for _, x := range f.Endpoints {
				out = append(out, model.Place{Kind: model.PlaceFrontDoor, ID: f.ID, Part: x.Name})
			}
		}
		return out
	default:
		return []model.Place{{Kind: model.PlaceInternet}}
	}
}

// send starts the walk at a sender.
func (t *tracer) send(c course, from model.Place) {
	switch from.Kind {
	case model.PlaceNIC:
		t.fromNIC(c, from)
	case model.PlaceScaleSet:
		for _, h := range t.scaleSetHosts(func(s *model.ScaleSet, cfg *model.IPConfig) bool {
			return same(s.ID, from.ID) && (from.Part == "" || fold(cfg.Name, from.Part))
		}) {
			t.fromClass(c, h)
			return
		}
		t.drop(c, from, Transport, "the input holds no such scale set")
	case model.PlaceSubnet:
		t.fromClass(c, t.hostIn(from, from.ID))
	case model.PlaceNodePool:
		cl := t.clusterOf(from.ID)
		for i := range cl.Pools {
			if p := &cl.Pools[i]; fold(p.Name, from.Part) {
				for _, h := range t.nodeHosts(cl, p) {
					t.fromClass(c, h)
				}
				return
			}
		}
		t.drop(c, from, Transport, "the input holds no such node pool")
	case model.PlacePod:
		t.fromWorkload(c, from)
	case model.PlaceAppGateway:
		if g, ok := model.Get[*model.AppGateway](t.e, from.ID); ok {
			t.fromAppGateway(c, g, from.Part)
			return
		}
		t.drop(c, from, Relay, "the input holds no such application gateway")
	case model.PlaceBastion:
		if b, ok := model.Get[*model.Bastion](t.e, from.ID); ok {
			t.fromBastion(c, b)
			return
		}
		t.drop(c, from, Relay, "the input holds no such Bastion")
	case model.PlaceAPIM:
		if a, ok := model.Get[*model.APIM](t.e, from.ID); ok && len(a.Sites) > 0 {
			t.fromAPIM(c, a, from.Part)
			return
		}
		t.drop(c, from, Relay, "the input holds no such API Management service")
	case model.PlaceFrontDoor:
		if f, ok := model.Get[*model.FrontDoor](t.e, from.ID); ok {
			t.fromFrontDoor(c, f, from.Part)
			return
		}
		t.drop(c, from, Relay, "the input holds no such Front Door")
	case model.PlaceFarSide:
		t.fromFarSide(c, from)
	case model.PlaceInternet:
		t.fromInternet(c)
	case model.PlacePlatform:
		t.fromPlatform(c)
	case model.PlaceAPIServer:
		t.fromAPIServer(c, t.clusterOf(from.ID))
	case model.PlaceFirewall:
		t.fromFirewallItself(c, from)
	case model.PlaceUnknown:
		if x := t.manifestPodOf(from.ID, c.packet.Dst); x != nil && from.Part == "" { // who is in the network around a cluster of manifests, and what is, nobody says
			t.intoManifest(c.uncertain("MISSING(network of cluster "+from.ID.ShortName()+")"), x)
			return
		}
		if cl := t.clusterOf(from.ID); cl != nil && cl.Manifest && from.Part == "" && !c.dst.isPublic().may && !isPlatform(c.packet.Dst) {
			t.toManifestNode(c, cl)
		}
		t.lose(c, from, Transport, "the sender is outside what the input states", "ASM-NEXTHOP")
	default: // AZ-PE-01, AZ-LB-01: endpoints, frontends, services and gateways open no connections
		t.drop(c, from, Transport, "a "+from.Kind.String()+" opens no connections")
	}
}

// fromNIC sends from an IP configuration. A source that is not the NIC's own needs IP forwarding (AZ-RT-10).
func (t *tracer) fromNIC(c course, from model.Place) {
	n, cfg := t.config(from.ID, from.Part)
	switch {
	case n == nil:
		t.drop(c, from, Transport, "the input holds no such NIC")
		return
	case cfg == nil && from.Part == "" && len(n.IPConfigs) > 0:
		cfg = &n.IPConfigs[0]
		for i := range n.IPConfigs {
			if t.configAddress(n, &n.IPConfigs[i]) == c.packet.Src {
				cfg = &n.IPConfigs[i]
			}
		}
	case cfg == nil:
		t.drop(c, from, Transport, "the NIC has no such IP configuration")
		return
	}
	if n.PrivateEndpoint != "" {
		t.drop(c, from, Transport, "a private endpoint opens no connections (AZ-PE-01)")
		return
	}
	h := t.nicHost(n, cfg)
	if !h.owns(t.world, c.packet.Src) {
		switch n.IPForwarding {
		case model.On:
		case model.Off:
			t.drop(c, h.place, Transport, "the source is not the NIC's own, and IP forwarding is off (AZ-RT-10)")
			return
		default:
			c = c.uncertain("ASM-NVA")
		}
	} else {
		c.src.holder = h
	}
	t.leave(c, h)
}

// fromClass sends from an address of a class: instances of a scale set, nodes of a pool, a VM to come.
func (t *tracer) fromClass(c course, h *host) {
	if h.subnet != nil && !c.src.in(prefixSet(h.subnet.Prefixes...)).may {
		if h.forwarding() != model.On {
			t.drop(c, h.place, Transport, "the source is no address of the sender's subnet (AZ-RT-10)")
			return
		}
	}
	h.addr = c.src
	c.src.holder = h
	h.addr.holder = h
	if h.cluster != nil {
		t.fromNode(c, h)
		return
	}
	t.leave(c, h)
}

// fromWorkload sends from a pod. Where the place names no pool, it may run on any that fits, and a delivery is certain only if it
// happens on all of them.
func (t *tracer) fromWorkload(c course, from model.Place) {
	wl, ok := model.Get[*model.Workload](t.e, from.ID)
	if !ok {
		t.drop(c, from, Transport, "the input holds no such workload")
		return
	}
	list := t.placed(wl)
	if from.Part != "" {
		list = slices.DeleteFunc(list, func(x *pod) bool { return x.pool == nil || x.pool.Name != from.Part })
		if len(list) == 0 { // a pool that the placement rules out: the pod may have been put there all the same
			cl := t.clusterOf(wl.Cluster)
			for i := range cl.Pools {
				if cl.Pools[i].Name == from.Part {
					list = append(list, t.podOn(wl, cl, &cl.Pools[i]))
				}
			}
		}
	}
	if len(list) == 0 {
		t.drop(c, from, Transport, "the workload runs on no such node pool")
		return
	}
	t.together(len(list), func(i int) {
		x := list[i]
		d := c
		if x.workload.HostNetwork {
			d.src = t.address(d.packet.Src)
		} else {
			d.src = t.podAddress(x, d.packet.Src)
		}
		t.fromPod(d, x)
	}, true)
}

// fromInternet sends from outside: only public addresses of the estate are reached from there.
func (t *tracer) fromInternet(c course) {
	at := model.Place{Kind: model.PlaceInternet}
	for _, wl := range t.e.Workloads { // a cluster without a network in the input: only its policies decide
		if cl := t.clusterOf(wl.Cluster); cl.Manifest {
			for _, x := range t.placed(wl) {
				if x.holds(t.world, c.packet.Dst) {
					t.intoManifest(c, x)
					return
				}
			}
		}
	}
	switch {
	case !c.src.isPublic().may:
		t.drop(c, at, Transport, "the internet carries no private source")
	case !c.dst.isPublic().may:
		t.drop(c, at, Transport, "a private destination is not reached from the internet")
	case !t.carried(&c, at):
	default:
		t.toPublic(c)
	}
}

// intoManifest is a packet from outside for a pod whose cluster's network the input does not state.
func (t *tracer) intoManifest(c course, x *pod) {
	if x.workload.HostNetwork {
		t.toManifestNode(c, x.cluster)
		t.deliverHostPod(c.forward(x.place(), Transport, "to the node of the pod"), x)
		return
	}
	t.intoPod(c, x, t.peerOf(c, x))
}

// fromPlatform is a health probe, or another packet of the host address: it meets the receiving side only (AZ-PLAT-04).
func (t *tracer) fromPlatform(c course) {
	found := false
	for _, v := range t.e.VNets {
		if t.ownsAddress(v, c.dst) {
			found = true
			t.deliverIn(c.forward(model.Place{Kind: model.PlacePlatform}, Transport, "from the host address"), v, yes())
		}
	}
	if !found {
		t.drop(c, model.Place{Kind: model.PlacePlatform}, Transport, "no VNet of the input holds the destination")
	}
}

// fromFarSide brings a packet in by a gateway. Sources lie inside the prefixes of their connection (AZ-GW-03, ASM-ONPREM); where these
// are learned by BGP, the input cannot tell.
func (t *tracer) fromFarSide(c course, from model.Place) {
	if hg, ok := model.Get[*model.HubGateway](t.e, from.ID); ok {
		t.fromBranch(c, hg, from)
		return
	}
	g, ok := model.Get[*model.Gateway](t.e, from.ID)
	if !ok {
		t.drop(c, from, Transport, "the input holds no such gateway")
		return
	}
	var conn *model.Connection
	for _, x := range t.connections(g) {
		if fold(x.Name(), from.Part) {
			conn = x
		}
	}
	if conn == nil && from.Part != clients {
		t.drop(c, from, Transport, "the gateway has no such connection")
		return
	}
	inside := no()
	ingress, egress, lacking := t.ofConnection(g, conn)
	for _, r := range t.gatewayPrefixes(g) {
		switch {
		case r.connection != conn, r.prefix.IsValid() && r.prefix.Bits() == 0: // what a site takes is not what it sends from
		case r.prefix.IsValid():
			inside = inside.or(t.sentFrom(c.src, r.prefix, ingress))
		default:
			inside = inside.or(maybe(r.why...))
		}
	}
	if !inside.may {
		if m := t.assume("ASM-ONPREM"); m.must {
			t.drop(c, from, Transport, "the source is outside the prefixes of the connection (AZ-GW-03)", m.why...)
			return
		}
		inside = maybe("ASM-ONPREM")
	}
	c = c.given(inside).because("ASM-ONPREM")
	if conn != nil {
		c = c.uncertainIf(!t.carriesFor(g, conn))
		c = c.uncertainIf(lacking)
	} else if list := t.doubts(g.ID); len(list) > 0 { // AZ-GEN-08
		c = c.uncertain(namesOf(list)...)
	}
	if !t.carried(&c, from) {
		return
	}
	at := model.Place{Kind: model.PlaceGateway, ID: g.ID}
	t.translateSource(c, at, ingress, func(c course) {
		t.translateDestination(c, at, egress, func(c course) {
			c.entry = &entry{gateway: g, connection: conn}
			t.enter(c, g, conn)
		})
	})
}

// fromFirewallItself: a firewall opens nothing of its own but, as explicit proxy, what its clients ask for and its application rules allow,
// and DNS queries to the servers that it is told (AZ-FW-58, AZ-FW-53, AZ-FW-54). Whether a client gets what it asks for is open.
func (t *tracer) fromFirewallItself(c course, from model.Place) {
	f, ok := model.Get[*model.Firewall](t.e, from.ID)
	if !ok {
		t.drop(c, from, Relay, "the input holds no such firewall")
		return
	}
	rules := t.rulesOf(f)
	c = c.uncertain("ASM-E-PROXY")
	if f.ProvisioningBad != "" {
		t.drop(c, from, Relay, "the firewall's provisioning state is "+f.ProvisioningBad) // AZ-FW-06
	}
	x := c.flow()
	switch {
	case x.dst.v6(), isPlatform(c.packet.Dst) && (from.Part == dnsService || c.packet.Name == ""): // the host's addresses are the host's (AZ-PLAT-01)
	case from.Part == dnsService && slices.Contains(t.dnsServers(f), c.packet.Dst) && c.packet.DPort == 53 && (x.protocol == model.UDP || x.protocol == model.TCP):
		t.onward(c.forward(from, Relay, "the firewall asks its DNS server"), f, c.packet, snatAlways, false)
		return
	case from.Part == proxyService && x.protocol == model.TCP && len(rules.missing) > 0:
		t.proxied(c.uncertain(rules.lacks()...).forward(from, Relay, "the firewall as explicit proxy"), f, c.packet)
		return
	case from.Part == proxyService:
		v, _ := walk(t.firewallSteps(rules.application, func(r firewallRule) match { return t.proxyMatch(r, x) }))
		if v.allow.is {
			t.proxied(c.because(v.why...).forward(from, Relay, "the firewall as explicit proxy"), f, c.packet)
			return
		}
	}
	t.drop(c, from, Relay, "the firewall opens no such connection (AZ-FW-58)")
}

// The services of a firewall, as parts of its place.
const (
	proxyService = "explicit proxy"
	dnsService   = "dns"
)

// dnsServers are the IPv4 servers that a firewall's DNS proxy may ask: its own and those of its policies, the platform's aside.
func (t *tracer) dnsServers(f *model.Firewall) []netip.Addr {
	list := slices.Clone(f.DNSServers)
	for _, p := range t.policies(f) {
		list = append(list, p.DNSServers...)
	}
	return slices.DeleteFunc(list, func(a netip.Addr) bool { return !a.Is4() || isPlatform(a) })
}
