package trace

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// isAppGatewaySubnet reports a subnet that an application gateway lives in (AZ-AGW-01).
func (w *world) isAppGatewaySubnet(id model.ID) bool {
	return slices.ContainsFunc(w.e.AppGateways, func(g *model.AppGateway) bool { return contains(g.Subnets, id) })
}

// gatewaySubnetOf is the subnet of a gateway's instances.
func gatewaySubnetOf(g *model.AppGateway) model.ID {
	if len(g.Subnets) > 0 {
		return g.Subnets[0]
	}
	for _, f := range g.Frontends {
		if f.Subnet != "" {
			return f.Subnet
		}
	}
	return ""
}

// atAppGateway is a packet for a frontend: the subnet's NSG, then a listener on that frontend and port (AZ-AGW-02, AZ-AGW-10).
func (t *tracer) atAppGateway(c course, g *model.AppGateway, f *model.AGWFrontend) {
	h := t.hostIn(model.Place{Kind: model.PlaceAppGateway, ID: g.ID}, gatewaySubnetOf(g))
	if !t.step(&c, "arrive", h.place) {
		return
	}
	c.public, c.entry, c.last = nil, nil, h
	doubts := t.doubtsAt(h) // AZ-GEN-08
	if h.subnet == nil || t.subnetNSG(h) == "" {
		if c = c.uncertainIf(h.subnet == nil); len(doubts) > 0 {
			c = c.uncertain(namesOf(doubts)...)
		}
		t.accept(c, g, f)
		return
	}
	x := c.flow()
	inside := usable(h.subnet)
	behind := address{at: first(inside), may: inside}
	if f.PublicIP != "" && !sharesPorts(g) {
		x.dst = behind
	} else { // the frontend's address or the subnet's range: certain only where both match
		x.otherDst = &behind
	}
	t.decide(c, Hop{At: h.place, Stage: SubnetIn}, hindered(t.nsgByID(h.subnet.NSG, h, x, model.Inbound), doubts), func(c course) { t.accept(c, g, f) })
}

// sharesPorts reports a port on which both the public and the private frontend have a listener: then the rules see the frontends
// (AZ-AGW-10).
func sharesPorts(g *model.AppGateway) bool {
	at := func(l model.AGWListener, public bool) bool {
		return slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool { return same(f.ID, l.Frontend) && (f.PublicIP != "") == public })
	}
	port := func(l model.AGWListener) (uint16, bool) {
		for _, p := range g.Ports {
			if same(p.ID, l.Port) {
				return p.Port, p.Port != 0
			}
		}
		return 0, false
	}
	for _, a := range g.Listeners {
		for _, b := range g.Listeners {
			if !at(a, true) || !at(b, false) {
				continue
			}
			m, known := port(a)
			n, also := port(b)
			if m == n || !known || !also {
				return true
			}
		}
	}
	return false
}

// accept is a listener taking a connection. Several listeners on one port are one class of packets; the client chooses among them by
// host and path, so the connection is refused only if the WAF refuses it on all of them (AZ-AGW-02, AZ-AGW-34).
func (t *tracer) accept(c course, g *model.AppGateway, f *model.AGWFrontend) {
	at := model.Place{Kind: model.PlaceAppGateway, ID: g.ID}
	if c.packet.Dst.Is6() && !t.isSymbol(c.packet.Dst) { // AZ-AGW-17
		c = c.uncertain("ASM-E-V6")
	}
	var best verdict
	var detail string
	for i := range g.Listeners {
		l := &g.Listeners[i]
		m := t.listens(g, l, f, c.packet)
		if !m.may {
			continue
		}
		for _, p := range t.listenerPaths(g, l) {
			v, mode := t.wafVerdict(p.waf, g, c.src, c.packet.Tags)
			v.allow.rule, v.allow.source = g.Name()+"/"+l.Name, l.Source
			if !m.must {
				v = v.either(verdict{deny: blame{is: true, detail: "the listener's port is not in the input"}})
			}
			if better(v, best) {
				best, detail = v, mode
			}
		}
	}
	switch {
	case best.allow.is || best.deny.is:
		t.decide(c, Hop{At: at, Stage: Relay, Detail: detail}, best.settle(), func(c course) { t.deliver(c, at) })
	case managementPort(g, f, c.packet): // AZ-AGW-12: an endpoint class of its own, no path to the backend
		at.Part = "management"
		t.deliver(c.add(Hop{At: at, Stage: Relay, Action: Allow, Detail: "management ports of the gateway (AZ-AGW-12)", Certain: true}), at)
	default:
		t.drop(c, at, Relay, "no listener on this frontend and port (AZ-AGW-02)")
	}
}

// better prefers the verdict that lets more pass for certain: the client picks its host and path.
func better(v, best verdict) bool {
	rank := func(v verdict) int {
		switch {
		case v.allow.is && !v.deny.is:
			return 3
		case v.allow.is:
			return 2
		case v.deny.is:
			return 1
		default:
			return 0
		}
	}
	return rank(v) > rank(best)
}

// listens says whether a listener takes packets at a frontend.
func (t *tracer) listens(g *model.AppGateway, l *model.AGWListener, f *model.AGWFrontend, p Packet) match {
	if !same(l.Frontend, f.ID) || p.Protocol != model.TCP {
		return no()
	}
	for _, port := range g.Ports {
		if same(port.ID, l.Port) {
			return when(port.Port == p.DPort)
		}
	}
	return maybe()
}

// managementPort: the public frontend answers there whatever listeners exist (AZ-AGW-12).
func managementPort(g *model.AppGateway, f *model.AGWFrontend, p Packet) bool {
	lo, hi := uint16(65503), uint16(65534)
	if isV2(g) {
		lo, hi = 65200, 65535
	}
	return f.PublicIP != "" && p.Protocol == model.TCP && lo <= p.DPort && p.DPort <= hi
}

func isV2(g *model.AppGateway) bool {
	return g.Tier == "" || strings.HasSuffix(strings.ToLower(g.Tier), "_v2") || fold(g.Tier, "Basic")
}

// listenerPath is one way that a listener treats requests: a WAF policy, and where it forwards them.
type listenerPath struct {
	waf     model.ID
	pool    model.ID
	setting model.ID
	name    string
}

// listenerPaths lists the paths of a listener: its routing rules, with all entries of their path maps (AZ-AGW-04). The most specific WAF
// policy replaces the others: path rule, listener, gateway (AZ-AGW-32).
func (t *tracer) listenerPaths(g *model.AppGateway, l *model.AGWListener) []listenerPath {
	policy := l.WAFPolicy
	if policy == "" {
		policy = g.WAFPolicy
	}
	var out []listenerPath
	for _, r := range g.Rules {
		if !same(r.Listener, l.ID) {
			continue
		}
		if r.PathMap == "" {
			out = append(out, forwarding(r.Redirect, listenerPath{policy, r.Pool, r.Setting, r.Name}))
			continue
		}
		for _, m := range g.PathMaps {
			if !same(m.ID, r.PathMap) {
				continue
			}
			out = append(out, forwarding(m.DefaultRedirect, listenerPath{policy, m.DefaultPool, m.DefaultSetting, r.Name}))
			for _, p := range m.Paths {
				x := listenerPath{policy, p.Pool, p.Setting, r.Name + "/" + p.Name}
				if p.WAFPolicy != "" {
					x.waf = p.WAFPolicy
				}
				out = append(out, forwarding(p.Redirect, x))
			}
		}
	}
	if len(out) == 0 {
		out = append(out, listenerPath{waf: policy, name: l.Name}) // it takes connections and forwards none
	}
	return out
}

// forwarding takes the backend away from a redirect, which forwards nothing (AZ-AGW-04).
func forwarding(redirect model.ID, p listenerPath) listenerPath {
	if redirect != "" {
		p.pool, p.setting = "", ""
	}
	return p
}

// wafVerdict is what the custom rules of the effective WAF do with a source address, and the WAF's mode in words. It acts only in a WAF
// tier, enabled, in Prevention (AZ-AGW-30); a policy takes the place of the legacy configuration (AZ-AGW-31).
func (t *tracer) wafVerdict(id model.ID, g *model.AppGateway, src address, tags []string) (v verdict, mode string) {
	pass := verdict{allow: blame{is: true}}
	if !strings.Contains(strings.ToUpper(g.Tier), "WAF") {
		return pass, "no WAF: tier " + g.Tier
	}
	if id == "" {
		switch {
		case g.LegacyWAF == nil || g.LegacyWAF.Enabled == model.Off:
			return pass, "WAF off"
		default:
			return pass, "WAF " + g.LegacyWAF.Mode
		}
	}
	p, ok := model.Get[*model.WAFPolicy](t.e, id)
	switch {
	case !ok:
		return pass.either(verdict{deny: blame{is: true, detail: "the WAF policy is not in the input"}, why: []string{"MISSING(WAF policy " + id.ShortName() + ")"}}), "the WAF policy " + id.Name() + " is not in the input"
	case p.Enabled == model.Off:
		return pass, "WAF policy " + p.Name() + " disabled"
	case !fold(p.Mode, "Prevention"):
		return pass, "WAF policy " + p.Name() + " in " + p.Mode
	}
	var list []step
	rules := slices.Clone(p.Custom)
	slices.SortStableFunc(rules, func(a, b model.WAFRule) int { return a.Priority - b.Priority })
	for i, r := range rules {
		access := model.Deny
		switch {
		case r.Enabled == model.Off || fold(r.Action, "Log"):
			continue
		case fold(r.Action, "Allow"):
			access = model.Allow
		}
		list = append(list, step{match: t.wafMatch(r, src, tags, access), access: access, rule: p.Name() + "/" + r.Name, source: r.Source, rank: i})
	}
	return firstMatch(list, pass), "WAF policy " + p.Name() + " in Prevention"
}

// wafMatch decides a custom rule on the address of the TCP peer (AZ-AGW-34). Other variables are the client's to choose: a Block on
// them can be avoided, an Allow on them can be met (AZ-REL-05), and a client that does not know of the rule does neither.
func (t *tracer) wafMatch(r model.WAFRule, src address, tags []string, access model.Access) match {
	m := yes()
	if len(r.Conditions) == 0 {
		m = maybe()
	}
	for _, c := range r.Conditions {
		if access == model.Deny && isFrontDoorLock(c) {
			m = m.and(t.otherFrontDoor(c.Values, src, tags))
			continue
		}
		onAddress := len(c.Variables) > 0 && !slices.ContainsFunc(c.Variables, func(v string) bool { return !fold(v, "RemoteAddr") })
		var hit match
		switch {
		case onAddress && fold(c.Operator, "IPMatch"):
			hit = src.in(prefixSet(c.Prefixes...))
			if c.Negate {
				hit = hit.not()
			}
		case onAddress: // GeoMatch is not decided offline
			hit = maybe()
		default:
			hit = maybe()
		}
		m = m.and(hit)
	}
	return m
}

// fromAppGateway is a packet that a gateway opens: some listener must forward such packets (AZ-AGW-04, AZ-REL-01), the one that a place
// names where it names one.
func (t *tracer) fromAppGateway(c course, g *model.AppGateway, listener string) {
	h := t.hostIn(model.Place{Kind: model.PlaceAppGateway, ID: g.ID}, gatewaySubnetOf(g))
	if !t.step(&c, "relay", h.place) {
		return
	}
	inside := no()
	for _, id := range g.Subnets {
		if s, _ := t.e.SubnetOf(id); s != nil {
			inside = inside.or(c.src.in(prefixSet(s.Prefixes...)))
			if inside.must {
				h = t.hostIn(h.place, id)
				break
			}
		}
	}
	if !inside.may {
		t.drop(c, h.place, Relay, "the source is no address of the gateway's subnet (AZ-AGW-04)")
		return
	}
	c.src.holder = h
	named := slices.ContainsFunc(g.Listeners, func(l model.AGWListener) bool { return l.Name == listener })
	best, rule, source := no(), "", model.Source{}
	for i := range g.Listeners {
		l := &g.Listeners[i]
		if named && l.Name != listener {
			continue
		}
		for _, p := range t.listenerPaths(g, l) {
			m := t.forwards(g, p, c)
			if m.must && !best.must || m.may && !best.may {
				best, rule, source = m, g.Name()+"/"+l.Name, l.Source
			}
		}
	}
	if !best.may {
		t.drop(c, h.place, Relay, "no listener forwards such a packet (AZ-AGW-04)")
		return
	}
	best = best.and(inside).and(t.gatewayWorks(g, h))
	c = c.add(Hop{At: h.place, Stage: Relay, Action: Forward, Rule: rule, Source: source, Certain: best.must, Assumptions: best.why})
	t.leave(c, h)
}

// forwards says whether a path of a listener sends packets like this one to its backend, or probes it (AZ-AGW-08, AZ-REL-06).
func (t *tracer) forwards(g *model.AppGateway, p listenerPath, c course) match {
	if c.packet.Protocol != model.TCP || p.pool == "" || p.setting == "" {
		return no()
	}
	port := no()
	for _, s := range g.Settings {
		if !same(s.ID, p.setting) {
			continue
		}
		port = when(s.Port == c.packet.DPort)
		for _, probe := range g.Probes {
			if same(probe.ID, s.Probe) && probe.Port != 0 {
				port = port.or(when(probe.Port == c.packet.DPort))
			}
		}
	}
	if !port.may {
		return no()
	}
	for _, pool := range g.Pools {
		if same(pool.ID, p.pool) {
			return port.and(t.inBackendPool(g, pool, c))
		}
	}
	return no()
}

// inBackendPool says whether the destination is a member of a backend pool: an address, an IP configuration, or what a name resolves
// to by the DNS servers of the gateway's VNet (AZ-AGW-05).
func (t *tracer) inBackendPool(g *model.AppGateway, pool model.AGWPool, c course) match {
	dst := c.packet.Dst
	m := when(slices.ContainsFunc(pool.Addresses, func(a netip.Addr) bool { return a.IsValid() && a.Unmap() == dst }))
	for _, h := range t.nicHosts(func(n *model.NIC, cfg *model.IPConfig) bool {
		return contains(cfg.AGWPools, pool.ID) || contains(pool.IPConfigs, n.ID+"/ipConfigurations/"+model.ID(cfg.Name))
	}) {
		m = m.or(when(h.addr.at == dst))
	}
	for _, h := range t.scaleSetHosts(func(_ *model.ScaleSet, cfg *model.IPConfig) bool { return contains(cfg.AGWPools, pool.ID) }) {
		m = m.or(c.dst.in(t.unheld(h.subnetID)))
	}
	if dst.Is6() && !t.isSymbol(dst) { // AZ-AGW-17
		m = m.and(maybe("ASM-E-V6"))
	}
	account := func(list []answer) { // AZ-AGW-05: a name or address may be an account's
		for _, a := range list {
			if a.addr.at == dst {
				m = m.or(a.match)
			}
		}
	}
	members := slices.Clone(pool.Addresses)
	for _, h := range t.nicHosts(func(n *model.NIC, cfg *model.IPConfig) bool {
		return contains(cfg.AGWPools, pool.ID) || contains(pool.IPConfigs, n.ID+"/ipConfigurations/"+model.ID(cfg.Name))
	}) {
		members = append(members, h.addr.at)
	}
	for _, a := range members {
		account(t.accountsBehind(a.Unmap()))
	}
	if len(pool.FQDNs) == 0 {
		return m
	}
	v, _ := t.vnetOf(gatewaySubnetOf(g))
	r := t.resolverOf(v)
	for _, name := range pool.FQDNs {
		for _, a := range t.resolve(r, name) {
			switch {
			case !a.addr.at.IsValid():
			case a.addr.at == dst && (a.addr.service != nil || !isNamedHost(t.world, dst) || fold(c.packet.Name, name)):
				m = m.or(a.match)
			case isNamedHost(t.world, a.addr.at) && c.dst.isPublic().may && c.dst.may == nil && !t.isSymbol(dst) && !isPlatform(dst):
				m = m.or(maybe(lacking("address of", model.ID(name)))) // the public address of the name is not in the input
			}
		}
		if !r.known {
			m = m.or(maybe("ASM-E-DNSCUSTOM"))
		}
		if slices.ContainsFunc(t.resolve(r, name), func(a answer) bool { return isNamedHost(t.world, a.addr.at) }) {
			account(t.withoutNames(r, name))
		}
	}
	return m
}

func isNamedHost(w *world, a netip.Addr) bool {
	s, ok := w.symbols.At(a)
	return ok && s.Kind == model.NamedHost
}

// gatewayWorks: without the inbound rules for GatewayManager and AzureLoadBalancer, or with its default route diverted, a gateway may
// be down: over works, under does not (AZ-AGW-11, AZ-AGW-13). A private v2 gateway needs neither the first nor the last (AZ-AGW-14).
func (t *tracer) gatewayWorks(g *model.AppGateway, h *host) match {
	if h.subnet == nil {
		return maybe()
	}
	m := yes()
	private := !slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool { return f.PublicIP != "" }) && isV2(g)
	inside := usable(h.subnet)
	check := func(src address, ports model.PortRange, tags ...string) {
		if t.subnetNSG(h) == "" {
			return
		}
		sports, dports := t.distinctPorts(h.subnet.NSG, ports)
		for _, sport := range sports {
			for _, dport := range dports {
				f := flow{src: src, dst: address{at: first(inside), may: inside}, protocol: model.TCP, sport: sport, dport: dport, tags: tags}
				if v := t.nsgByID(h.subnet.NSG, h, f, model.Inbound); !v.allow.is || v.deny.is {
					m = m.and(maybe())
				}
			}
		}
	}
	check(address{at: wireServer()}, model.AllPorts)
	if private {
		return m
	}
	ports := model.PortRange{First: 65503, Last: 65534}
	if isV2(g) {
		ports = model.PortRange{First: 65200, Last: 65535}
		if t.divertedDefault(h) {
			m = m.and(maybe())
		}
	}
	check(t.platformOf("GatewayManager"), ports, "GatewayManager")
	return m
}

// distinctPorts are a port of each range that the rules of an NSG tell apart: as source, and as destination among some.
func (t *tracer) distinctPorts(id model.ID, among model.PortRange) (sports, dports []uint16) {
	add := func(list []uint16, within model.PortRange, ranges []model.PortRange) []uint16 {
		for _, r := range ranges {
			for _, p := range []int{int(r.First), int(r.Last) + 1} {
				if p >= int(within.First) && p <= int(within.Last) {
					list = append(list, uint16(p))
				}
			}
		}
		return list
	}
	sports, dports = []uint16{0}, []uint16{among.First}
	if n, ok := model.Get[*model.NSG](t.e, id); ok {
		for _, r := range n.Rules {
			if r.Direction == model.Inbound {
				sports, dports = add(sports, model.AllPorts, r.SourcePorts), add(dports, among, r.DestPorts)
			}
		}
	}
	slices.Sort(sports)
	slices.Sort(dports)
	return slices.Compact(sports), slices.Compact(dports)
}

// platformOf is an address of a tag by which the platform manages its services: any of its list, else some public address.
func (w *world) platformOf(tag string) address {
	if prefixes, ok := w.prefixesOf(tag); ok && !emptySet(prefixes) {
		return address{at: first(prefixes), may: prefixes}
	}
	named, _ := w.symbols.Of(model.NamedHost, "", "")
	return w.address(named)
}

// divertedDefault reports a default route that may lead elsewhere than to the internet: a user's, or what a gateway, hub or Route Server may
// announce, unless a user default route to Internet stands before it, the documented remedy (AZ-AGW-13).
func (t *tracer) divertedDefault(h *host) bool {
	diverted := false
	for _, r := range t.table(h, tableOptions{}) {
		isDefault := r.prefix.IsValid() && r.prefix.Addr().Is4() && r.prefix.Bits() == 0
		switch {
		case r.origin == userRoute && isDefault && r.hop == model.HopInternet:
			return false
		case r.origin != systemRoute && (isDefault || r.unknown()):
			diverted = true
		}
	}
	return diverted
}

// gatewayOutbound is the source of a gateway towards a public backend: its public frontend, or an address of the platform (AZ-AGW-05).
func (t *tracer) gatewayOutbound(h *host) []translation {
	g, ok := model.Get[*model.AppGateway](t.e, h.place.ID)
	if !ok {
		return nil
	}
	for _, f := range g.Frontends {
		if a := t.publicAddress(f.PublicIP); a.IsValid() {
			return []translation{{addr: t.address(a), detail: "public frontend " + f.Name}}
		}
	}
	return []translation{{addr: t.unknownOutbound(), detail: "an outbound address of the platform (AZ-AGW-05)"}}
}
