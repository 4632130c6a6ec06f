package dataplane

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// members resolves the members of a pool, named from either side (AZ-LB-08). The second result is false when a member could not be
// resolved.
func (p *planner) members(lb *model.LoadBalancer, pool model.ID) (out []*machine, known bool) {
	known = true
	add := func(m *machine) {
		if m == nil {
			known = false
		} else if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	for _, m := range p.machines {
		switch m.site.Place.Kind {
		case model.PlaceNIC:
			n, _ := model.Get[*model.NIC](p.e, m.site.Place.ID)
			for _, c := range n.IPConfigs {
				if c.Name == m.site.Place.Part && member([]model.ID{pool}, c.LBPools) {
					add(m)
				}
			}
		case model.PlaceScaleSet:
			s, _ := model.Get[*model.ScaleSet](p.e, m.site.Place.ID)
			for _, pr := range s.Profiles {
				for _, c := range pr.IPConfigs {
					if c.Name == m.site.Place.Part && member([]model.ID{pool}, c.LBPools) {
						add(m)
					}
				}
			}
		default:
		}
	}
	for _, x := range lb.Pools {
		if x.ID.Key() != pool.Key() {
			continue
		}
		for _, id := range x.IPConfigs {
			add(p.machineOfConfig(id))
		}
		for _, a := range x.Addresses {
			add(p.machineOfAddress(a))
		}
	}
	return out, known
}

// machineOfConfig finds the machine of an IP configuration's ID: that of a NIC, or of an instance of a scale set.
func (p *planner) machineOfConfig(id model.ID) *machine {
	lower := id.Key()
	if i := strings.Index(lower, "/virtualmachinescalesets/"); i >= 0 {
		rest := strings.Split(lower[i+len("/virtualmachinescalesets/"):], "/")
		for _, m := range p.machines {
			if m.site.Place.Kind == model.PlaceScaleSet && strings.EqualFold(m.site.Place.ID.Name(), rest[0]) && strings.EqualFold(m.site.Place.Part, id.Name()) {
				return m
			}
		}
		return nil
	}
	return p.machineAt[(model.Place{Kind: model.PlaceNIC, ID: id.Parent(), Part: id.Name()}).Key()]
}

func (p *planner) machineOfAddress(a model.LBAddress) *machine {
	vnet := a.VNet
	if vnet == "" {
		vnet = a.Subnet.Parent()
	}
	v, ok := model.Get[*model.VNet](p.e, vnet)
	if !ok {
		return nil
	}
	o, ok := p.ownerIn(v, a.Address)
	if !ok || o.kind != model.PlaceNIC {
		return nil
	}
	return p.machineAt[(model.Place{Kind: o.kind, ID: o.id, Part: o.part}).Key()]
}

// frontend is a load balancer frontend, reached from inside or through its public address (AZ-LB-01, AZ-LB-02).
func (p *planner) frontend(lb *model.LoadBalancer, f model.LBFrontend, via string) NodeID {
	place := model.Place{Kind: model.PlaceFrontend, ID: f.ID}
	n := p.node(place, StageFrontend, via)
	key := Node{Place: place.Key(), Stage: StageFrontend, Via: via}
	if p.routeDone[key] {
		return n
	}
	p.routeDone[key] = true
	for _, r := range lb.Rules {
		if r.Frontend.Key() != f.ID.Key() {
			continue
		}
		match := p.ruleTraffic(r)
		for _, pool := range r.Pools {
			list, known := p.members(lb, pool)
			for _, m := range list {
				p.balance(n, m, match, lb.SKU, via, r.FloatingIP == model.On, r.FrontendPort, r.BackendPort, p.probePort(lb, r.Probe))
			}
			if !known {
				p.forwardUnknown(n, f.Subnet.Parent().Key(), match.over, []string{missing("load balancer member", pool)})
			}
		}
	}
	for _, r := range lb.NATRules {
		if r.Frontend.Key() != f.ID.Key() {
			continue
		}
		match := exactly(transport([]model.Protocol{r.Protocol}, nil, []model.PortRange{r.FrontendPorts}, false))
		for _, m := range p.natMembers(lb, r) {
			p.balance(n, m, match, lb.SKU, via, r.FloatingIP == model.On, r.FrontendPorts.First, r.BackendPort, 0)
		}
	}
	return n
}

// ruleTraffic is what a rule takes; HA ports take all TCP and UDP, and perhaps ICMP (AZ-LB-04).
func (p *planner) ruleTraffic(r model.LBRule) guard {
	if r.Protocol == model.AnyProtocol || r.FrontendPort == 0 {
		ports := transport([]model.Protocol{model.TCP, model.UDP}, nil, nil, false)
		return between(either(ports, transport([]model.Protocol{model.ICMP}, nil, nil, true)), ports)
	}
	port := []model.PortRange{{First: r.FrontendPort, Last: r.FrontendPort}}
	return exactly(transport([]model.Protocol{r.Protocol}, nil, port, false))
}

func (p *planner) probePort(lb *model.LoadBalancer, id model.ID) uint16 {
	for _, x := range lb.Probes {
		if id != "" && x.ID.Key() == id.Key() {
			return x.Port
		}
	}
	return 0
}

// natMembers are the targets of an inbound NAT rule: a NIC that names it, or a pool (AZ-LB-07).
func (p *planner) natMembers(lb *model.LoadBalancer, r model.LBNATRule) []*machine {
	if r.Pool != "" {
		list, _ := p.members(lb, r.Pool)
		return list
	}
	var out []*machine
	if r.Target != "" {
		if m := p.machineOfConfig(r.Target); m != nil {
			return []*machine{m}
		}
	}
	for _, n := range p.e.NICs {
		for _, c := range n.IPConfigs {
			if member([]model.ID{r.ID}, c.NATRules) {
				if m := p.machineAt[(model.Place{Kind: model.PlaceNIC, ID: n.ID, Part: c.Name}).Key()]; m != nil {
					out = append(out, m)
				}
			}
		}
	}
	return out
}

// balance leads what a rule takes to one member. The member's filters see the member's address and the backend port (AZ-NSG-17); with
// floating IP whether they see the frontend's is not documented, so over needs one of both and under both (AZ-LB-05).
func (p *planner) balance(n NodeID, m *machine, match guard, sku model.SKU, via string, floating bool, frontendPort, backendPort, probe uint16) {
	match = match.withReply(p.replyAt(m.filters.subnet, m.filters.nic, via))
	notes := []string{}
	if probe != 0 {
		match = and(match, guard{over: everything(), under: p.probed(m, probe)}) // AZ-LB-03
	}
	addr := m.addr
	entry := m.in
	if via == viaInternet {
		entry = p.publicEntry(m, sku)
	}
	rw := &rewrite{dst: &addr}
	if backendPort != 0 && backendPort != frontendPort {
		rw.dports = []model.PortRange{{First: backendPort, Last: backendPort}}
	}
	if !floating {
		p.edge(n, entry, match, rw) // AZ-PIP-03: from inside, no NSG at all means that all passes; only publicEntry is shut then
		return
	}
	if rw.dports != nil {
		// AZ-LB-06: the backend port is the frontend's unless the rule says otherwise; the filters see the backend's.
		at := p.node(m.site.Place, StageFrontend, via+"|"+p.nodes[n].Place.ID.Key()+"|"+strconv.Itoa(int(frontendPort))+"|"+strconv.Itoa(int(backendPort)))
		p.edge(n, at, match, &rewrite{dports: rw.dports})
		n, match = at, guard{}
	}
	nic, more := p.nicFilter(m.filters, model.Inbound, reading{})
	notes = append(notes, more...)
	sub, more := p.subnetFilter(m.filters, model.Inbound, reading{})
	notes = append(notes, more...)
	admin := p.adminAt(m.filters, model.Inbound, reading{}).eitherAddress(addr)
	if via == viaInternet && !p.hasNSG(m.filters) && sku != model.Basic {
		closed, more := admin.through(p.closedWithoutNSG(m, sku))
		p.edge(n, m.accept, and(match, closed), nil, append(append(notes, more...), "ASM-STDPIP")...)
		return
	}
	if admin != nil {
		notes = append(notes, admin.notes...)
	}
	if n, ok := model.Get[*model.NSG](p.e, m.filters.nicNSG); !ok || !n.Managed {
		nic = eitherAddress(nic, addr)
		notes = append(notes, "ASM-FLOATIP")
	}
	p.edge(n, m.accept, and(match, admin.before(and(nic, eitherAddress(sub, addr)))), nil, notes...)
}

// eitherAddress reads a filter where the destination may show as the frontend or as the member: over passes what one of them lets pass,
// under what both do.
func eitherAddress(g guard, member packet.AddrSet) guard {
	if g.over == nil {
		return g
	}
	over, under := g.over, g.under
	if under == nil {
		under = over
	}
	asMember := later(func(c *compiler) packet.Set { return c.s.Preimage(over.get(c), packet.Rewrite{Dst: c.u.Addrs(member)}) })
	out := guard{over: either(over, asMember), under: both(under, allOf(under, member)), reply: g.reply}
	return out.readAs(g, func(c *compiler, s packet.Set) packet.Set {
		return c.s.Union(s, c.s.Preimage(s, packet.Rewrite{Dst: c.u.Addrs(member)}))
	})
}

// allOf is the packets that a filter lets pass whichever of a machine's addresses it sees.
func allOf(under *lazy, addr packet.AddrSet) *lazy {
	return later(func(c *compiler) packet.Set {
		blocked := c.s.Complement(under.get(c))
		return c.s.Complement(c.s.Preimage(blocked, packet.Rewrite{Dst: c.u.Addrs(addr)}))
	})
}

// probed is everything where a member's filters admit the health probe to a port for certain, else nothing (AZ-LB-03, AZ-PLAT-04).
func (p *planner) probed(m *machine, port uint16) *lazy {
	src := p.addr.exactHosts(platformDNS())
	if len(m.site.Prefixes) > 0 && m.site.Prefixes[0].Addr().Is6() && !model.SymbolBlock().Contains(m.site.Prefixes[0].Addr()) {
		if !p.hasNSG(m.filters) {
			return nothing() // AZ-V6-07: probes over IPv6 need an NSG
		}
		src = p.addr.exactHosts(probeV6())
	}
	in, _ := p.inbound(m.filters)
	return later(func(c *compiler) packet.Set {
		probe := c.s.Intersect(c.s.Box(packet.Box{Src: c.u.Addrs(src), Dst: c.u.Addrs(m.addr)}), tcpTo(port).get(c))
		if c.s.Subset(probe, in.bound(c, OneWay)) {
			return c.s.All()
		}
		return packet.Set{}
	})
}

// frontendTransit follows a route to a load balancer frontend, the usual next hop in front of appliances: every member of a rule that
// takes all ports may forward the packet (AZ-LB-04).
func (p *planner) frontendTransit(n NodeID, o owner, via string, sent guard, notes []string) {
	lb, ok := model.Get[*model.LoadBalancer](p.e, o.id)
	if !ok {
		return
	}
	for _, r := range lb.Rules {
		if r.Frontend.Key() != o.part {
			continue
		}
		for _, pool := range r.Pools {
			list, _ := p.members(lb, pool)
			for _, m := range list {
				at := owner{m.site.Place.Kind, m.site.Place.ID, m.site.Place.Part}
				p.edge(n, p.transit(at, via), and(sent, p.ruleTraffic(r)), nil, notes...)
			}
		}
	}
}
