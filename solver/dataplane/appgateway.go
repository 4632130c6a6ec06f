package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// planAppGateways adds application gateways: each listener is a relay of its own, so that a chain only joins what a listener accepts
// with what its rules forward (AZ-AGW-02, AZ-AGW-04).
func (p *planner) planAppGateways() {
	for _, g := range p.e.AppGateways {
		for _, l := range g.Listeners {
			place := listenerPlace(g, l.Name)
			s := p.site(&Site{
				Place: place, Prefixes: p.gatewayRange(g), Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, ""),
				Subnet: firstSubnet(g), isRelay: true, Channel: l.Name,
			})
			p.relays = append(p.relays, Relay{Accept: s, From: []*Site{s}})
			p.forward(g, l, s)
		}
		place := listenerPlace(g, managementListener)
		p.site(&Site{Place: place, Send: -1, Receive: p.node(place, StageReceive, ""), Subnet: firstSubnet(g), Channel: managementListener})
	}
}

// managementListener is the endpoint class of the platform's management ports (AZ-AGW-12).
const managementListener = "(management)"

func listenerPlace(g *model.AppGateway, listener string) model.Place {
	return model.Place{Kind: model.PlaceAppGateway, ID: g.ID, Part: listener}
}

func firstSubnet(g *model.AppGateway) model.ID {
	if len(g.Subnets) == 0 {
		return ""
	}
	return g.Subnets[0]
}

// gatewayRange is the addresses that a gateway's instances may have.
func (p *planner) gatewayRange(g *model.AppGateway) []netip.Prefix {
	var out []netip.Prefix
	for _, id := range g.Subnets {
		out = append(out, p.rangeOf(id)...)
	}
	return out
}

// isV2 reports the second generation, which templates may leave unsaid (AZ-AGW-01).
func isV2(g *model.AppGateway) bool {
	return g.Tier == "" || strings.EqualFold(g.Tier, "Basic") || strings.HasSuffix(strings.ToLower(g.Tier), "_v2")
}

// appGatewayIn is the place before a gateway's frontend: the NSG of its subnet filters clients, and sees the subnet as destination
// (AZ-AGW-10).
func (p *planner) appGatewayIn(g *model.AppGateway, f model.AGWFrontend) NodeID {
	place := listenerPlace(g, "frontend "+f.Name)
	n := p.node(place, StageInbound, "")
	key := Node{Place: place.Key(), Stage: StageInbound}
	if p.routeDone[key] {
		return n
	}
	p.routeDone[key] = true
	addrs := p.gatewayFrontends(g, f)
	if len(addrs) == 0 {
		return n
	}
	behind := p.b.AddSet("", p.gatewaySubnetRange(g))
	in, notes := guard{}, []string(nil)
	for _, id := range g.Subnets {
		fg, more := p.filters(filtered{subnet: id}, model.Inbound, reading{instead: true, dual: showsFrontend(g, f), behind: behind})
		in, notes = and(in, fg), append(notes, more...)
	}
	to := exactly(dstIn(p.addr.exactHosts(addrs...)))
	for _, l := range g.Listeners {
		if l.Frontend.Key() != f.ID.Key() {
			continue
		}
		at := exactly(tcpTo(p.listenerPort(g, l)))
		if p.listenerPort(g, l) == 0 { // it is not in the input
			at = onlyOver(transport([]model.Protocol{model.TCP}, nil, []model.PortRange{model.AllPorts}, false))
		}
		clients, more := p.wafSources(g, l)
		accept := and(to, in, at, clients)
		if slices.ContainsFunc(addrs, netip.Addr.Is6) && !slices.ContainsFunc(addrs, model.SymbolBlock().Contains) { // AZ-AGW-17
			accept, more = accept.mayOnly(), append(more, "ASM-E-V6")
		}
		p.edge(n, p.node(listenerPlace(g, l.Name), StageReceive, ""), accept, nil, append(slices.Clone(notes), more...)...)
	}
	if f.PublicIP != "" {
		ports := model.PortRange{First: 65200, Last: 65535}
		if !isV2(g) {
			ports = model.PortRange{First: 65503, Last: 65534}
		}
		p.edge(n, p.node(listenerPlace(g, managementListener), StageReceive, ""), and(to, in, exactly(transport([]model.Protocol{model.TCP}, nil, []model.PortRange{ports}, false))), nil, notes...)
	}
	return n
}

// showsFrontend reports whether the filter may see a frontend's own address: a private one, or any where a private and a public frontend
// listen on one port (AZ-AGW-10).
func showsFrontend(g *model.AppGateway, f model.AGWFrontend) bool {
	if f.PublicIP == "" {
		return true
	}
	number := func(id model.ID) uint16 {
		for _, x := range g.Ports {
			if x.ID.Key() == id.Key() {
				return x.Port
			}
		}
		return 0
	}
	var public, private []uint16
	for _, l := range g.Listeners {
		for _, x := range g.Frontends {
			switch {
			case x.ID.Key() != l.Frontend.Key():
			case x.PublicIP != "":
				public = append(public, number(l.Port))
			default:
				private = append(private, number(l.Port))
			}
		}
	}
	// A port that is not in the input may be any.
	return len(public) > 0 && slices.ContainsFunc(private, func(n uint16) bool { return n == 0 || slices.Contains(public, n) || slices.Contains(public, 0) })
}

// gatewayFrontends are the addresses of a frontend: the private one, or the public one that it names or that names it (AZ-PIP-05).
func (p *planner) gatewayFrontends(g *model.AppGateway, f model.AGWFrontend) []netip.Addr {
	var out []netip.Addr
	add := func(a netip.Addr) {
		if a.IsValid() && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	if f.PublicIP != "" {
		add(p.publicAddr(f.PublicIP))
	} else {
		add(p.gatewayFrontendAddr(g, f))
	}
	for _, ip := range p.e.PublicIPs {
		if holdsPublicIP(ip, "", f.ID) {
			add(p.publicAddr(ip.ID))
		}
	}
	return out
}

func (p *planner) gatewaySubnetRange(g *model.AppGateway) []netip.Prefix {
	var out []netip.Prefix
	for _, id := range g.Subnets {
		if s, ok := model.Get[*model.Subnet](p.e, id); ok {
			out = append(out, s.Prefixes...)
		}
	}
	return out
}

// appGatewayReply is the packets whose answer returns from a gateway's subnet to the internet.
func (p *planner) appGatewayReply(g *model.AppGateway) *lazy {
	return p.reply(firstSubnet(g), viaInternet)
}

func (p *planner) listenerPort(g *model.AppGateway, l model.AGWListener) uint16 {
	for _, x := range g.Ports {
		if x.ID.Key() == l.Port.Key() {
			return x.Port
		}
	}
	return 0
}

// listenerPolicies are the WAF policies in force behind a listener: that of each path rule, else the listener's, else the gateway's
// (AZ-AGW-32). An empty ID stands for requests without any policy.
func (p *planner) listenerPolicies(g *model.AppGateway, l model.AGWListener) []model.ID {
	base := g.WAFPolicy
	if l.WAFPolicy != "" {
		base = l.WAFPolicy
	}
	out := []model.ID{base}
	for _, r := range g.Rules {
		if r.Listener.Key() != l.ID.Key() || r.PathMap == "" {
			continue
		}
		for _, m := range g.PathMaps {
			if m.ID.Key() != r.PathMap.Key() {
				continue
			}
			for _, path := range m.Paths {
				if path.WAFPolicy != "" && !slices.ContainsFunc(out, func(id model.ID) bool { return id.Key() == path.WAFPolicy.Key() }) {
					out = append(out, path.WAFPolicy)
				}
			}
		}
	}
	return out
}

// wafSources is the clients that custom rules of an enforcing policy leave (AZ-AGW-34): a Block rule whose only conditions are on
// RemoteAddr removes sources. Requests under a policy that does not do so keep the listener open; of one that the input lacks nothing is
// certain.
func (p *planner) wafSources(g *model.AppGateway, l model.AGWListener) (clients guard, notes []string) {
	var all []guard
	policies := p.listenerPolicies(g, l)
	for _, id := range policies {
		w, ok := model.Get[*model.WAFPolicy](p.e, id)
		if !ok && id != "" && strings.HasPrefix(strings.ToUpper(g.Tier), "WAF") {
			all, notes = append(all, between(everything(), nothing())), append(notes, missing("WAF policy", id))
			continue
		}
		if !ok || w.Enabled == model.Off || !strings.EqualFold(w.Mode, "Prevention") || !strings.HasPrefix(strings.ToUpper(g.Tier), "WAF") {
			all = append(all, guard{})
			continue
		}
		rules := slices.Clone(w.Custom)
		slices.SortStableFunc(rules, func(a, b model.WAFRule) int { return a.Priority - b.Priority })
		var list []ruleMatch
		for i, r := range rules {
			if r.Enabled == model.Off || strings.EqualFold(r.Action, "Log") {
				continue
			}
			must, may := p.wafMatch(r)
			list = append(list, ruleMatch{must: must, may: may, allow: !strings.EqualFold(r.Action, "Block"), rule: i})
		}
		list = append(list, ruleMatch{must: everything(), may: everything(), allow: true, rule: len(rules)})
		filter := guard{over: firstMatch(list, Over), under: firstMatch(list, OneWay)}
		if len(policies) == 1 {
			return filter.behind(Control{Key: "waf|" + w.ID.Key(), Name: w.Name() + " custom rules", Shut: shutRule, Stage: "relay", Place: model.Place{Kind: model.PlaceAppGateway, ID: g.ID}}, wafParts(w, rules, list)), notes
		}
		all = append(all, filter)
	}
	return anyOf(all), notes
}

// wafMatch bounds what a custom rule matches: a conjunction of RemoteAddr conditions is decided, any other variable is not.
func (p *planner) wafMatch(r model.WAFRule) (must, may *lazy) {
	must, may = everything(), everything()
	for _, c := range r.Conditions {
		if lock, ok := p.frontDoorLock(c); ok && strings.EqualFold(r.Action, "Block") {
			must, may = both(must, lock), both(may, lock)
			continue
		}
		remote := len(c.Variables) == 1 && strings.EqualFold(c.Variables[0], "RemoteAddr") && strings.EqualFold(c.Operator, "IPMatch")
		if !remote {
			must = nothing()
			continue
		}
		set := p.addr.set(c.Prefixes)
		in, perhaps := srcIn(set.must), srcIn(set.may)
		if c.Negate {
			in, perhaps = minus(everything(), perhaps), minus(everything(), in)
		}
		must, may = both(must, in), both(may, perhaps)
	}
	if len(r.Conditions) == 0 {
		must = nothing()
	}
	return must, may
}

// frontDoorLock is the packets that a condition `X-Azure-FDID is not …` meets: those of Front Doors with another ID, which they all send. A
// client that comes directly writes into the header what it likes, and passes (AZ-AFD-10). The ID of a profile that the input lacks may be that
// of any Front Door.
func (p *planner) frontDoorLock(c model.WAFCondition) (*lazy, bool) {
	if len(c.Variables) != 1 || !strings.EqualFold(c.Variables[0], "RequestHeaders:X-Azure-FDID") || !strings.EqualFold(c.Operator, "Equal") || !c.Negate {
		return nil, false
	}
	var own, others []netip.Addr
	known := 0
	for _, f := range p.e.FrontDoors {
		a := p.symbolOf(model.FrontDoorBackend, f.ID, "")
		if f.FrontDoorID != "" && slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, f.FrontDoorID) }) {
			own, known = append(own, a), known+1
		} else if f.FrontDoorID != "" {
			others = append(others, a)
		} else {
			own = append(own, a) // its ID is not stated: it may be the one
		}
	}
	if known < len(c.Values) {
		return srcIn(p.addr.exactHosts(others...)), true
	}
	tagged, _ := p.inTagAny(frontDoorTag, srcIn)
	return minus(either(tagged, srcIn(p.addr.exactHosts(others...))), srcIn(p.addr.exactHosts(own...))), true
}

// forward is what a listener's rules send on (AZ-AGW-04): from an address of the gateway's subnet to each pool member at the port of
// the settings.
func (p *planner) forward(g *model.AppGateway, l model.AGWListener, s *Site) {
	subnet := firstSubnet(g)
	if _, ok := p.e.Lookup(subnet); !ok {
		p.forwardUnknown(s.Send, "", everything(), []string{missing("subnet", subnet)})
		return
	}
	var targets []guard
	var notes []string
	for _, b := range backends(g, l) {
		var setting *model.AGWSetting
		for i := range g.Settings {
			if g.Settings[i].ID.Key() == b.setting.Key() {
				setting = &g.Settings[i]
			}
		}
		if setting == nil {
			continue
		}
		ports := []uint16{setting.Port}
		for _, pr := range g.Probes {
			if pr.ID.Key() == setting.Probe.Key() && pr.Port != 0 {
				ports = append(ports, pr.Port) // AZ-AGW-08
			}
		}
		for _, pool := range g.Pools {
			if pool.ID.Key() != b.pool.Key() {
				continue
			}
			to, more := p.poolTargets(g, pool)
			notes = append(notes, more...)
			targets = append(targets, and(to, exactly(tcpTo(ports...))))
		}
	}
	sent := anyOf(targets)
	sent = and(sent, p.managed(g)) // AZ-AGW-11
	out, more := p.filters(filtered{subnet: subnet}, model.Outbound, reading{})
	var public []netip.Addr
	for _, f := range g.Frontends {
		if f.PublicIP != "" {
			if a := p.publicAddr(f.PublicIP); a.IsValid() {
				public = append(public, a)
			}
		}
	}
	if len(public) == 0 {
		public = append(public, p.symbolOf(model.DefaultOutbound, "", "")) // AZ-AGW-05: private-only is no egress statement
	}
	eg := egress{instance: public}.named()
	p.edge(s.Send, p.routing(subnet, "", eg), and(sent, out), nil, append(notes, more...)...)
}

// managed is everything where the subnet's NSG lets the platform manage and probe the gateway and its default route is not diverted, else
// nothing in under (AZ-AGW-11, AZ-AGW-13). A private v2 gateway is isolated and needs the probes alone (AZ-AGW-14).
func (p *planner) managed(g *model.AppGateway) guard {
	subnet := firstSubnet(g)
	behind := p.b.AddSet("", p.gatewaySubnetRange(g))
	in, _ := p.filters(filtered{subnet: subnet}, model.Inbound, reading{})
	inside := func(from *lazy, ports model.PortRange) *lazy {
		return both(both(from, dstIn(behind)), transport([]model.Protocol{model.TCP}, nil, []model.PortRange{ports}, false))
	}
	needed := inside(srcIn(p.addr.exactHosts(platformDNS())), model.AllPorts)
	if isV2(g) && !slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool { return f.PublicIP != "" }) {
		return p.admitsAll(needed, in)
	}
	ports := model.PortRange{First: 65503, Last: 65534}
	if isV2(g) {
		ports = model.PortRange{First: 65200, Last: 65535}
		if p.divertedDefault(subnet) {
			return onlyOver(everything())
		}
	}
	tagged, _ := p.inTagAny("GatewayManager", srcIn)
	return p.admitsAll(either(needed, inside(tagged, ports)), in)
}

// divertedDefault reports a subnet whose default route may lead elsewhere than to the internet, by a route of a user, gateway, hub or Route
// Server.
func (p *planner) divertedDefault(subnet model.ID) bool {
	routes, known := p.candidates(subnet, "")
	diverted := !known
	for _, r := range routes {
		if r.prefix != allV4() || r.origin == systemRoute {
			continue
		}
		if r.origin == userRoute && r.hop.kind == model.HopInternet {
			return false
		}
		diverted = true
	}
	return diverted
}

// admitsAll is everything in over, and in under too where a filter surely admits all of what the platform needs.
func (p *planner) admitsAll(needed *lazy, in guard) guard {
	return between(everything(), later(func(c *compiler) packet.Set {
		v4, v6 := c.u.Addrs(p.addr.v4), c.u.Addrs(p.addr.v6)
		family := c.s.Union(c.s.Box(packet.Box{Src: v4, Dst: v4}), c.s.Box(packet.Box{Src: v6, Dst: v6}))
		if c.s.Subset(c.s.Intersect(needed.get(c), family), in.bound(c, OneWay)) {
			return c.s.All()
		}
		return packet.Set{}
	}))
}

// backend is one (pool, setting) pair of a listener.
type backend struct{ pool, setting model.ID }

// backends are the pairs that a listener's routing rules forward to, those of path maps included. A redirect forwards nothing.
func backends(g *model.AppGateway, l model.AGWListener) []backend {
	var out []backend
	add := func(pool, setting model.ID) {
		if pool != "" && setting != "" {
			out = append(out, backend{pool, setting})
		}
	}
	for _, r := range g.Rules {
		if r.Listener.Key() != l.ID.Key() {
			continue
		}
		add(r.Pool, r.Setting)
		for _, m := range g.PathMaps {
			if r.PathMap == "" || m.ID.Key() != r.PathMap.Key() {
				continue
			}
			add(m.DefaultPool, m.DefaultSetting)
			for _, path := range m.Paths {
				add(path.Pool, path.Setting)
			}
		}
	}
	return out
}

// poolTargets is the packets to a pool's members: by address, by IP configuration, or by a name that the gateway's VNet resolves
// (AZ-AGW-05).
func (p *planner) poolTargets(g *model.AppGateway, pool model.AGWPool) (guard, []string) {
	var targets []guard
	var notes []string
	var known []netip.Addr
	known = append(known, pool.Addresses...)
	for _, n := range p.e.NICs {
		for _, c := range n.IPConfigs {
			if member([]model.ID{pool.ID}, c.AGWPools) || member([]model.ID{n.ID + "/ipConfigurations/" + model.ID(c.Name)}, pool.IPConfigs) {
				known = append(known, p.configAddr(n, c))
			}
		}
	}
	for _, m := range p.machines {
		if m.site.Place.Kind != model.PlaceScaleSet {
			continue
		}
		s, _ := model.Get[*model.ScaleSet](p.e, m.site.Place.ID)
		for _, pr := range s.Profiles {
			for _, c := range pr.IPConfigs {
				if c.Name == m.site.Place.Part && member([]model.ID{pool.ID}, c.AGWPools) {
					targets = append(targets, exactly(dstIn(m.addr)))
				}
			}
		}
	}
	six := func(a netip.Addr) bool { return a.Is6() && !model.SymbolBlock().Contains(a) }
	if list := slices.DeleteFunc(slices.Clone(known), six); len(list) > 0 {
		targets = append(targets, exactly(dstIn(p.addr.exactHosts(list...))))
	}
	if slices.ContainsFunc(known, six) { // AZ-AGW-17
		targets, notes = append(targets, onlyOver(dstIn(p.addr.exactHosts(known...)))), append(notes, "ASM-E-V6")
	}
	for _, a := range known {
		for _, x := range p.accountsBehind(a) { // AZ-AGW-05
			targets, notes = append(targets, onlyOver(dstIn(p.addr.exactHosts(x.addrs...)))), append(notes, x.unknown)
		}
	}
	_, v := p.e.SubnetOf(firstSubnet(g))
	for _, name := range pool.FQDNs {
		a := p.resolve(v, name)
		if len(a.addrs) > 0 {
			t := dstIn(p.addr.exactHosts(a.addrs...))
			targets = append(targets, between(t, a.certainly(t)))
		}
		if a.public {
			named := both(dstIn(p.addr.exactHosts(p.symbolOf(model.NamedHost, "", ""))), p.named(name))
			targets = append(targets, between(named, a.certainly(named)))
			// Its owner may be anybody of the internet, the estate's own public addresses included.
			outside := p.b.AddSet("", minusSet(publicSpace(), ipset(hosts(platformHosts()))).Prefixes())
			targets, notes = append(targets, onlyOver(dstIn(outside))), append(notes, missing("address of", model.ID(name)))
			for _, x := range p.withoutNames(a.unknown == "") { // AZ-AGW-05, AZ-FW-33: it may be an account's
				targets, notes = append(targets, onlyOver(dstIn(p.addr.exactHosts(x.addrs...)))), append(notes, x.unknown)
			}
		}
		if a.unknown != "" {
			notes = append(notes, a.unknown)
		}
	}
	return anyOf(targets), notes
}
