package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// bastionIn is the place before a Bastion host: clients come to tcp/443 of its public address, and meet the NSG of its subnet
// (AZ-BAS-01, AZ-BAS-02).
func (p *planner) bastionIn(b *model.Bastion) NodeID {
	place := model.Place{Kind: model.PlaceBastion, ID: b.ID}
	n := p.node(place, StageInbound, "")
	key := Node{Place: place.Key(), Stage: StageInbound}
	if p.routeDone[key] {
		return n
	}
	p.routeDone[key] = true
	behind := p.bastionRange(b)
	set := p.b.AddPool("", behind)
	inside := p.node(place, StageNode, "")
	p.edge(n, inside, guard{}, &rewrite{dst: &set})
	in, notes := p.filters(filtered{subnet: b.Subnet}, model.Inbound, reading{})
	p.edge(inside, p.node(place, StageReceive, ""), and(in, exactly(tcpTo(443))), nil, notes...)
	return n
}

func (p *planner) bastionRange(b *model.Bastion) []netip.Prefix {
	if s, ok := model.Get[*model.Subnet](p.e, b.Subnet); ok {
		return p.freeAddresses(s)
	}
	return nil
}

// planBastions adds Bastion hosts as relays: to 22 and 3389, or any TCP port with tunnelling, of machines in the VNet and its peers, and of
// any private address with connect-by-address (AZ-BAS-03, AZ-BAS-04, AZ-JMP-03).
func (p *planner) planBastions() {
	for _, b := range p.e.Bastions {
		if b.Developer() {
			p.planDeveloper(b)
			continue
		}
		if b.Subnet == "" {
			continue
		}
		place := model.Place{Kind: model.PlaceBastion, ID: b.ID}
		s := p.site(&Site{Place: place, Prefixes: p.bastionRange(b), Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, ""), Subnet: b.Subnet, isRelay: true})
		p.relays = append(p.relays, Relay{Accept: s, From: []*Site{s}})
		p.bastionIn(b)

		shells := tcpTo(22, 3389)
		every := transport([]model.Protocol{model.TCP}, nil, nil, false)
		sent := exactly(shells)
		var notes []string
		if !strings.EqualFold(b.SKU, "Basic") {
			// AZ-BAS-04: Standard and higher take custom ports; only tunnelling makes any TCP port certain.
			sent = between(every, shells)
			notes = append(notes, "ASM-BASTION")
			if b.Tunneling == model.On && b.SKU != "" {
				sent, notes = exactly(every), nil
			}
		}
		_, v := p.e.SubnetOf(b.Subnet)
		if basic := strings.EqualFold(b.SKU, "Basic"); v != nil && (b.IPConnect != model.On || basic) {
			near, sure := slices.Clone(v.Prefixes), slices.Clone(v.Prefixes)
			for _, l := range p.peers(v) {
				near = append(near, l.prefixes()...)
				for _, x := range l.ranges(p.e) {
					if x.certain || !l.partial() {
						sure = append(sure, x.prefix)
					}
				}
			}
			a := p.addr.set(sure)
			for _, l := range p.joined(v) {
				near = append(near, l.remote.Prefixes...) // AZ-BAS-03 names peers alone
			}
			none, api := p.bastionTargets()
			reaches := between(minus(dstIn(p.addr.set(near).may), dstIn(none)), minus(dstIn(a.must), dstIn(none)))
			if !basic && b.Tunneling != model.Off {
				reaches.over = either(reaches.over, both(dstIn(p.addr.set(near).may), dstIn(api)))
				notes = append(notes, "ASM-BASTION")
			}
			if b.IPConnect == model.NotStated && !basic {
				reaches.over = everything()
			}
			sent = and(sent, reaches)
		}
		if v == nil || slices.ContainsFunc(v.Prefixes, isSix) { // AZ-BAS-06
			sent, notes = and(sent, between(everything(), dstIn(p.addr.v4))), append(notes, "ASM-E-V6")
		}
		out, more := p.filters(filtered{subnet: b.Subnet}, model.Outbound, reading{})
		eg := egressNone()
		p.edge(s.Send, p.routing(b.Subnet, "", eg), and(sent, out), nil, append(notes, more...)...)
	}
}

// bastionTargets returns the private addresses that are no machine's, to which a Bastion opens nothing without connect-by-address, and
// among them those of API servers, to which its tunnels may lead (AZ-JMP-03).
func (p *planner) bastionTargets() (none, api packet.AddrSet) {
	machine := map[netip.Addr]bool{}
	for _, n := range p.e.NICs {
		if n.PrivateEndpoint != "" {
			continue
		}
		for _, c := range n.IPConfigs {
			machine[p.configAddr(n, c)] = true
		}
	}
	var others, doors []netip.Addr
	add := func(a netip.Addr) {
		if a.IsValid() && !machine[a] {
			others = append(others, a)
		}
	}
	for _, e := range p.e.Endpoints {
		_, isAPI := model.Get[*model.Cluster](p.e, e.Target)
		for _, a := range p.endpointAddrs(e) {
			add(a)
			if isAPI {
				doors = append(doors, a)
			}
		}
	}
	for _, c := range p.e.Clusters {
		if a, ok := p.symbols.Of(model.APIDoor, c.ID, ""); ok && c.Private == model.On {
			add(a)
			doors = append(doors, a)
		}
	}
	for _, lb := range p.e.LoadBalancers {
		for _, f := range lb.Frontends {
			if f.PublicIP == "" && f.Prefix == "" {
				add(p.frontendAddr(f))
			}
		}
	}
	for _, k := range p.e.KubeServices {
		for _, f := range p.e.FrontendsOf(k) {
			add(f.Addr)
		}
	}
	for _, g := range p.e.AppGateways {
		for _, f := range g.Frontends {
			if f.PublicIP == "" {
				add(p.gatewayFrontendAddr(g, f))
			}
		}
	}
	for _, f := range p.e.Firewalls {
		add(p.firewallAddr(f))
	}
	for _, x := range p.e.APIMs {
		for i := range x.Sites {
			if x.Injected() {
				for _, a := range p.apimPrivate(x, i) {
					add(a)
				}
			}
		}
	}
	for _, w := range p.e.Workloads {
		if !w.HostNetwork {
			for _, a := range p.podAddrs(w) {
				add(a)
			}
		}
	}
	return p.b.AddSet("", hosts(others)), p.b.AddSet("", hosts(doors))
}

// planDeveloper adds a Bastion of the Developer SKU: clients come to Microsoft's shared service, and from the host address it reaches every
// machine of its VNet on 22 and 3389 that no NSG shuts to it (AZ-BAS-05).
func (p *planner) planDeveloper(b *model.Bastion) {
	place := model.Place{Kind: model.PlaceBastion, ID: b.ID}
	door := p.symbolOf(model.BastionDoor, b.ID, "")
	accept := p.site(&Site{Place: place, Prefixes: []netip.Prefix{host(door)}, Send: -1, Receive: p.node(place, StageReceive, "")})
	open := p.site(&Site{Place: place, Prefixes: []netip.Prefix{host(platformDNS())}, Send: p.node(place, StageSend, ""), Receive: -1})
	p.relays = append(p.relays, Relay{Accept: accept, From: []*Site{open}})
	p.edge(p.publicIn(), accept.Receive, and(exactly(dstIn(p.addr.exact(door))), exactly(tcpTo(443))), nil)
	shells := exactly(tcpTo(22, 3389))
	if v, ok := model.Get[*model.VNet](p.e, b.VNet); ok {
		p.edge(open.Send, p.fabric(v, "platform"), shells, nil)
		if v.Partial { // machines of subnets that the input lacks
			p.edge(open.Send, p.node(model.Place{Kind: model.PlaceUnknown, ID: v.ID}, StageReceive, ""), and(shells, onlyOver(everything())), nil, missing("virtual network", v.ID))
		}
		return
	}
	for _, v := range p.e.VNets { // the input lacks its VNet: it may be any
		if !v.Partial {
			p.edge(open.Send, p.fabric(v, "platform"), and(shells, onlyOver(everything())), nil, missing("virtual network", b.VNet))
		}
	}
	p.edge(open.Send, p.node(model.Place{Kind: model.PlaceUnknown, ID: b.VNet}, StageReceive, ""), and(shells, onlyOver(everything())), nil, missing("virtual network", b.VNet))
}
