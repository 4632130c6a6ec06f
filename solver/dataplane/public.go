package dataplane

import (
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// publicOut is where packets from the estate are on public addresses: they reach the internet, or come back in through an address of
// the estate (AZ-OUT-09). publicIn is where the internet's own packets are.
func (p *planner) publicOut() NodeID {
	return p.node(model.Place{Kind: model.PlaceInternet}, StagePublic, "out")
}

func (p *planner) publicIn() NodeID {
	return p.node(model.Place{Kind: model.PlaceInternet}, StagePublic, "in")
}

// internetSpace is the public addresses that no resource of the estate holds.
func (p *planner) internetSpace() *netipx.IPSet {
	var owned []netip.Prefix
	for _, ip := range p.e.PublicIPs {
		if ip.Address.IsValid() {
			owned = append(owned, host(ip.Address))
		}
	}
	for _, x := range p.e.Prefixes {
		if x.Prefix.IsValid() {
			owned = append(owned, x.Prefix)
		}
	}
	for _, f := range p.e.Firewalls {
		owned = append(owned, hosts(f.PublicAddresses)...)
	}
	for _, f := range p.publicFronts() {
		owned = append(owned, host(f.Addr))
	}
	return minusSet(publicSpace(), ipset(owned))
}

// publicFronts are the public frontends of Services.
func (p *planner) publicFronts() []kubeFrontend {
	var out []kubeFrontend
	for _, k := range p.e.KubeServices {
		for _, f := range p.e.FrontendsOf(k) {
			if f.Public {
				out = append(out, kubeFrontend{KubeFrontend: f, service: k})
			}
		}
	}
	return out
}

// planInternet adds the internet as sender and receiver.
func (p *planner) planInternet() {
	place := model.Place{Kind: model.PlaceInternet}
	space := p.internetSpace()
	s := p.site(&Site{Place: place, Prefixes: space.Prefixes(), Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, "")})
	p.edge(s.Send, p.publicIn(), guard{}, nil)
	// NamedHost is the internet host that a proxy resolved: it has no address that the input could name (AZ-FW-33).
	p.outside = p.b.AddSet("", space.Prefixes())
	p.outsideNamed = p.b.AddSet("", append(space.Prefixes(), host(p.symbolOf(model.NamedHost, "", ""))))
	p.edge(p.publicOut(), s.Receive, exactly(dstIn(p.outsideNamed)), nil)
	p.edge(p.publicOut(), p.publicIn(), guard{}, nil)
}

// planPublicEntries adds what listens on public addresses.
func (p *planner) planPublicEntries() {
	for _, ip := range p.e.PublicIPs {
		a := p.publicAddr(ip.ID)
		if !a.IsValid() {
			continue
		}
		to := exactly(dstIn(p.addr.exact(a)))
		if ip.AttachedTo == "" && !p.namedElsewhere(ip.ID) {
			continue // AZ-PIP-05: not attached, no entry
		}
		if !p.attach(ip, a, to) {
			// The address hangs on something that the input does not hold.
			p.forwardUnknownPublic(p.publicIn(), to, ip)
		}
	}
	for _, f := range p.e.Firewalls { // of a hub, which names its addresses without resources
		if len(f.PublicAddresses) > 0 {
			p.edge(p.publicIn(), p.firewallIn(f, viaInternet), exactly(dstIn(p.addr.exactHosts(f.PublicAddresses...))).withReply(p.hubFirewallBack(f, viaInternet)), nil)
		}
	}
	for _, m := range p.machines {
		for _, a := range m.egress.instance {
			if sym, ok := p.symbols.At(a); ok && (sym.Kind == model.NodePublicAddress || sym.Kind == model.InstancePublicAddress) {
				p.instanceEntry(m, a, model.Standard)
			}
		}
	}
}

// holdsPublicIP reports whether a configuration holds a public address: either of them names the other.
func holdsPublicIP(ip *model.PublicIP, named, config model.ID) bool {
	return named != "" && named.Key() == ip.ID.Key() || ip.AttachedTo != "" && ip.AttachedTo.Key() == config.Key()
}

// attach leads a public address to what holds it, and reports whether anything of the input does.
func (p *planner) attach(ip *model.PublicIP, a netip.Addr, to guard) bool {
	found := false
	is := func(id model.ID) bool { return id != "" && id.Key() == ip.ID.Key() }
	within := func(owner model.ID) bool { return ip.AttachedTo != "" && ip.AttachedTo.Parent().Key() == owner.Key() }
	for _, n := range p.e.NICs {
		for _, c := range n.IPConfigs {
			if m := p.machineAt[(model.Place{Kind: model.PlaceNIC, ID: n.ID, Part: c.Name}).Key()]; m != nil && holdsPublicIP(ip, c.PublicIP, n.ID+"/ipConfigurations/"+model.ID(c.Name)) {
				p.instanceEntry(m, a, ip.SKU)
				found = true
			}
		}
	}
	for _, lb := range p.e.LoadBalancers {
		for _, f := range lb.Frontends {
			if holdsPublicIP(ip, f.PublicIP, f.ID) {
				p.edge(p.publicIn(), p.frontend(lb, f, viaInternet), to, nil)
				found = true
			}
		}
	}
	for _, f := range p.e.Firewalls {
		if slices.ContainsFunc(f.PublicIPs, is) || within(f.ID) {
			if _, ok := model.Get[*model.Subnet](p.e, f.Subnet); ok { // AZ-FW-25: the answer leaves by the routes of the firewall's subnet
				to = to.withReply(p.reply(f.Subnet, viaInternet))
			}
			p.edge(p.publicIn(), p.firewallIn(f, viaInternet), to, nil)
			found = true
		}
	}
	for _, g := range p.e.AppGateways {
		for _, f := range g.Frontends {
			if holdsPublicIP(ip, f.PublicIP, f.ID) {
				p.edge(p.publicIn(), p.appGatewayIn(g, f), to.withReply(p.appGatewayReply(g)), nil)
				found = true
			}
		}
	}
	for _, x := range p.e.APIMs {
		found = found || servesAPIM(x, ip) // planned with the service
	}
	for _, b := range p.e.Bastions {
		if is(b.PublicIP) || within(b.ID) {
			p.edge(p.publicIn(), p.bastionIn(b), to.withReply(p.reply(b.Subnet, viaInternet)), nil)
			found = true
		}
	}
	for _, g := range p.e.Gateways {
		if slices.ContainsFunc(g.PublicIPs, is) || within(g.ID) {
			listen := either(tcpTo(443), transport([]model.Protocol{model.UDP}, nil, []model.PortRange{{First: 500, Last: 500}, {First: 4500, Last: 4500}}, false),
				transport([]model.Protocol{model.ESP}, nil, nil, false))
			accepts := exactly(listen)
			if g.Kind == model.GatewayKindUnknown {
				accepts = onlyOver(listen)
			}
			if g.Kind != model.ExpressRouteGateway {
				p.edge(p.publicIn(), p.node(model.Place{Kind: model.PlaceGateway, ID: g.ID}, StageReceive, ""), and(to, accepts), nil)
			}
			found = true
		}
	}
	for _, n := range p.e.NATGateways {
		if slices.ContainsFunc(n.PublicIPs, is) || ip.AttachedTo != "" && ip.AttachedTo.Key() == n.ID.Key() {
			found = true // AZ-OUT-02: replies only
		}
	}
	for _, k := range p.kubeFront {
		if k.Addr == a {
			found = true // planned with its Service
		}
	}
	return found
}

// namedElsewhere reports whether a resource names the public address although the address itself does not say where it hangs.
func (p *planner) namedElsewhere(id model.ID) bool {
	is := func(x model.ID) bool { return x != "" && x.Key() == id.Key() }
	for _, n := range p.e.NICs {
		if slices.ContainsFunc(n.IPConfigs, func(c model.IPConfig) bool { return is(c.PublicIP) }) {
			return true
		}
	}
	for _, lb := range p.e.LoadBalancers {
		if slices.ContainsFunc(lb.Frontends, func(f model.LBFrontend) bool { return is(f.PublicIP) }) {
			return true
		}
	}
	for _, f := range p.e.Firewalls {
		if slices.ContainsFunc(f.PublicIPs, is) {
			return true
		}
	}
	for _, g := range p.e.AppGateways {
		if slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool { return is(f.PublicIP) }) {
			return true
		}
	}
	for _, a := range p.e.APIMs {
		if slices.ContainsFunc(a.Sites, func(s model.APIMSite) bool { return is(s.PublicIP) }) {
			return true
		}
	}
	for _, b := range p.e.Bastions {
		if is(b.PublicIP) {
			return true
		}
	}
	for _, g := range p.e.Gateways {
		if slices.ContainsFunc(g.PublicIPs, is) {
			return true
		}
	}
	return false
}

// inFamilyOf is the addresses of a machine to which a translation from an address leads: it keeps the family (AZ-V6-01). A symbol stands for an
// IPv4 address; an invalid one tells nothing.
func (p *planner) inFamilyOf(m *machine, front netip.Addr) packet.AddrSet {
	v4 := func(x netip.Prefix) bool { return x.Addr().Is4() }
	if own := m.site.Prefixes; front.IsValid() && slices.ContainsFunc(own, v4) {
		wanted := front.Is4() || model.SymbolBlock().Contains(front)
		if kept := slices.DeleteFunc(slices.Clone(own), func(x netip.Prefix) bool { return v4(x) != wanted }); len(kept) > 0 && len(kept) < len(own) {
			return p.b.AddPool("", kept)
		}
	}
	return m.addr
}

// instanceEntry is an instance's own public address: translated one to one, all protocols (AZ-PIP-01), whatever new flows of the subnet leave
// by (AZ-OUT-03).
func (p *planner) instanceEntry(m *machine, a netip.Addr, sku model.SKU) {
	private := p.inFamilyOf(m, a) // AZ-PIP-01
	to := exactly(dstIn(p.addr.exact(a)))
	if m.site.Place.Kind != model.PlaceNIC { // which of its addresses the instance has nobody chooses: certain is what is for any of them
		in, _ := p.receives(m)
		if under := in.low(); under != nil {
			to.under = both(to.over, allOf(under, private))
		}
	}
	p.edge(p.publicIn(), p.publicEntry(m, sku), to.withReply(p.replyAt(m.filters.subnet, m.filters.nic, viaInternet)), &rewrite{dst: &private})
}

// forwardUnknownPublic leads a public address that hangs on something unknown to where that may lie.
func (p *planner) forwardUnknownPublic(from NodeID, to guard, ip *model.PublicIP) {
	place := model.Place{Kind: model.PlaceUnknown, ID: ip.ID}
	n := p.node(place, StageForward, "unknown")
	p.edge(from, n, guard{over: to.over, under: nothing()}, nil, missing("resource", ip.AttachedTo))
	all := p.b.AddPool("", []netip.Prefix{allV4(), allV6()})
	for _, v := range p.e.VNets {
		if v.Partial {
			continue
		}
		p.edge(n, p.fabric(v, "unknown"), onlyOver(everything()), &rewrite{dst: &all})
	}
}
