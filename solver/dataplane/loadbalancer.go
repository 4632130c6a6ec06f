package dataplane

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// poolMember is a member of a pool: a machine, and those of its addresses that the balancer sends to.
type poolMember struct {
	*machine

	to packet.AddrSet
}

// members resolves the members of a pool, named from either side (AZ-LB-08). The second result is false when a member could not be
// resolved.
func (p *planner) members(lb *model.LoadBalancer, pool model.ID) (out []poolMember, known bool) {
	known = true
	insert := func(x poolMember) {
		if !slices.Contains(out, x) && len(x.site.Prefixes) > 0 { // AZ-GEN-07: a full subnet has no instance
			out = append(out, x)
		}
	}
	add := func(m *machine) {
		if m == nil {
			known = false
			return
		}
		insert(poolMember{m, m.addr})
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
			found := p.machinesOfAddress(a)
			for _, m := range found {
				insert(m)
			}
			known = known && len(found) > 0
		}
	}
	return out, known
}

// inFrontFamily narrows the addresses of members to those of a frontend's family (AZ-V6-04): an instance of a dual-stack subnet has both.
func (p *planner) inFrontFamily(list []poolMember, f model.LBFrontend) []poolMember {
	front := p.frontendAddr(f)
	if f.PublicIP != "" {
		front = p.publicAddr(f.PublicIP)
	}
	out := slices.Clone(list)
	for i, m := range out {
		if m.to == m.addr {
			out[i].to = p.inFamilyOf(m.machine, front)
		}
	}
	return out
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

// machinesOfAddress are those that may hold a pool member's address: a machine of the input, else any that the subnet may get.
func (p *planner) machinesOfAddress(a model.LBAddress) []poolMember {
	vnet := a.VNet
	if vnet == "" {
		vnet = a.Subnet.Parent()
	}
	v, ok := model.Get[*model.VNet](p.e, vnet)
	if !ok || !a.Address.IsValid() {
		return nil
	}
	if o, ok := p.ownerIn(v, a.Address); ok && o.kind == model.PlaceNIC {
		if m := p.machineAt[(model.Place{Kind: o.kind, ID: o.id, Part: o.part}).Key()]; m != nil {
			return []poolMember{{m, m.addr}}
		}
	}
	var out []poolMember
	for _, m := range p.machines {
		if m.vnet == v && slices.ContainsFunc(m.site.Prefixes, func(x netip.Prefix) bool { return x.Contains(a.Address) }) {
			out = append(out, poolMember{m, p.addr.exact(a.Address)})
		}
	}
	return out
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
	if lb.SKU == model.GatewaySKU { // AZ-LB-12
		p.forwardUnknown(n, f.Subnet.Parent().Key(), everything(), []string{"ASM-NVA"})
		return n
	}
	p.unreadBalancer(n, lb, f, via)
	sure := p.balancerFog(lb)
	for _, r := range lb.Rules {
		if r.Frontend.Key() != f.ID.Key() {
			continue
		}
		match := and(p.ruleTraffic(f, r), sure)
		for _, pool := range r.Pools {
			list, known := p.members(lb, pool)
			for _, m := range p.inFrontFamily(list, f) {
				to := p.notToItself(match, m)
				if m.cluster != nil { // the Service says more
					to = and(to, exactly(minus(everything(), p.ofServices(m.cluster, f))))
				}
				p.balance(n, m, to, via, handover{r.Name, lb.SKU, r.FloatingIP == model.On, r.FrontendPort, r.BackendPort, p.probePort(lb, r.Probe), nil})
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
		protocols := []model.Protocol{r.Protocol}
		if r.Protocol == model.AnyProtocol {
			protocols = []model.Protocol{model.TCP, model.UDP}
		}
		match := and(exactly(transport(protocols, nil, []model.PortRange{r.FrontendPorts}, false)), sure)
		list, known := p.natMembers(lb, r)
		if !known {
			p.forwardUnknown(n, f.Subnet.Parent().Key(), match.over, []string{missing("target of inbound NAT rule", r.ID)})
		}
		front := r.FrontendPorts.First
		if r.FrontendPorts.First != r.FrontendPorts.Last {
			front = 0 // every port of the range becomes the backend port
			if len(list) > 1 {
				match.under = nothing() // each port leads to one member, and nobody says to which
			}
		}
		for _, m := range p.inFrontFamily(list, f) {
			p.balance(n, m, p.notToItself(match, m), via, handover{r.Name, lb.SKU, r.FloatingIP == model.On, front, r.BackendPort, 0, nil})
		}
	}
	return n
}

// balancerFog takes certainty from what passes a load balancer of which something was not understood (AZ-GEN-08).
func (p *planner) balancerFog(lb *model.LoadBalancer) guard {
	if len(p.stops(lb.ID)) > 0 {
		return onlyOver(everything())
	}
	return guard{}
}

// unreadBalancer leads packets for a frontend to any port of any member of any pool, where something of the load balancer was not understood:
// a rule may be another one than it seems (AZ-GEN-08).
func (p *planner) unreadBalancer(n NodeID, lb *model.LoadBalancer, f model.LBFrontend, via string) {
	notes := p.stops(lb.ID)
	if len(notes) == 0 {
		return
	}
	for _, pool := range lb.Pools {
		list, known := p.members(lb, pool.ID)
		for _, m := range p.inFrontFamily(list, f) {
			to := m.in
			if via == viaInternet {
				to = p.publicEntry(m.machine, lb.SKU)
			}
			p.edge(n, to, onlyOver(everything()), &rewrite{dst: &m.to}, notes...)
			p.edge(n, to, onlyOver(everything()), &rewrite{dst: &m.to, dports: []model.PortRange{model.AllPorts}}, notes...)
		}
		if !known {
			p.forwardUnknown(n, f.Subnet.Parent().Key(), everything(), notes)
		}
	}
}

// notToItself takes certainty from what a member's machine sends to the member's own frontend, and from what shows the machine an address of its
// own because a site holds that too (AZ-LB-11).
func (p *planner) notToItself(g guard, m poolMember) guard {
	own := srcIn(m.addr)
	switch place := m.site.Place; {
	case m.cluster != nil: // what its pods send shows its address too
		own = both(own, either(p.fromPlace(place), p.fromKind(model.PlaceFarSide), p.ofSites(func(s *Site) bool {
			return slices.ContainsFunc(m.cluster.pods, func(x *pod) bool { return x.site == s && x.pool == m.pool })
		})))
	case place.Kind == model.PlaceSubnet:
		own = both(own, either(p.fromPlace(place), p.fromKind(model.PlaceFarSide)))
	case place.Kind == model.PlaceNIC:
		if n, ok := model.Get[*model.NIC](p.e, place.ID); ok { // its other NICs may be members of a class
			var all []netip.Addr
			for _, x := range p.interfaces(n) {
				for _, c := range x.IPConfigs {
					all = append(all, p.configAddr(x, c))
				}
			}
			own = either(own, srcIn(p.addr.exactHosts(all...)))
		}
	case place.Kind == model.PlaceScaleSet: // which instance an address of the subnet is, nobody knows
		var all []*lazy
		for _, x := range p.sameMachine(m.machine) {
			all = append(all, both(either(p.fromPlace(x.site.Place), p.fromKind(model.PlaceFarSide)), srcIn(x.addr)))
		}
		own = either(all...)
	default:
	}
	return and(g, between(everything(), minus(everything(), own)))
}

// handover is how a rule hands packets on.
type handover struct {
	name              string
	sku               model.SKU
	floating          bool
	frontend, backend uint16             // ports; a frontend of 0 stands for several
	probe             uint16             // port; 0 for none
	service           *model.KubeService // of whose frontend it is; nil: of none
}

// ruleTraffic is what a rule takes. HA ports are all TCP and UDP ports of an internal frontend, and perhaps ICMP (AZ-LB-04).
func (p *planner) ruleTraffic(f model.LBFrontend, r model.LBRule) guard {
	protocols := []model.Protocol{r.Protocol}
	if r.Protocol == model.AnyProtocol {
		protocols = []model.Protocol{model.TCP, model.UDP}
	}
	if r.Protocol == model.AnyProtocol && r.FrontendPort == 0 {
		if f.Subnet == "" {
			return exactly(nothing())
		}
		ports := transport(protocols, nil, nil, false)
		return between(either(ports, transport([]model.Protocol{model.ICMP}, nil, nil, true)), ports)
	}
	return exactly(transport(protocols, nil, []model.PortRange{{First: r.FrontendPort, Last: r.FrontendPort}}, false))
}

func (p *planner) probePort(lb *model.LoadBalancer, id model.ID) uint16 {
	for _, x := range lb.Probes {
		if id != "" && x.ID.Key() == id.Key() {
			return x.Port
		}
	}
	return 0
}

// natMembers are the targets of an inbound NAT rule: a configuration that it names or that names it, or a pool (AZ-LB-07).
func (p *planner) natMembers(lb *model.LoadBalancer, r model.LBNATRule) (out []poolMember, known bool) {
	if r.Pool != "" {
		return p.members(lb, r.Pool)
	}
	add := func(m *machine) {
		if m != nil && len(m.site.Prefixes) > 0 && !slices.ContainsFunc(out, func(x poolMember) bool { return x.machine == m }) {
			out = append(out, poolMember{m, m.addr})
		}
	}
	for _, m := range p.machines {
		for _, c := range p.configsOf(m.site.Place) {
			if member([]model.ID{r.ID}, c.NATRules) {
				add(m)
			}
		}
	}
	if r.Target != "" {
		add(p.machineOfConfig(r.Target))
	}
	return out, r.Target == "" || len(out) > 0
}

// configsOf are the IP configurations of a NIC's or a scale set's place.
func (p *planner) configsOf(place model.Place) []model.IPConfig {
	var all, out []model.IPConfig
	if n, ok := model.Get[*model.NIC](p.e, place.ID); ok && place.Kind == model.PlaceNIC {
		all = n.IPConfigs
	}
	if s, ok := model.Get[*model.ScaleSet](p.e, place.ID); ok && place.Kind == model.PlaceScaleSet {
		for _, pr := range s.Profiles {
			all = append(all, pr.IPConfigs...)
		}
	}
	for _, c := range all {
		if c.Name == place.Part {
			out = append(out, c)
		}
	}
	return out
}

// balance leads what a rule takes to one member. The member's filters see the member's address and the backend port (AZ-NSG-17); with
// floating IP whether they see the frontend's address is not documented, so over needs one of both and under both (AZ-LB-05).
func (p *planner) balance(n NodeID, m poolMember, match guard, via string, h handover) {
	match = match.withReply(p.replyAt(m.filters.subnet, m.filters.nic, via))
	notes := []string{}
	if h.probe != 0 {
		match = and(match, guard{over: everything(), under: p.probed(m.machine, h.probe)}) // AZ-LB-03
	}
	rw := &rewrite{}
	if h.backend != 0 && h.backend != h.frontend {
		rw.dports = []model.PortRange{{First: h.backend, Last: h.backend}}
	}
	if !h.floating {
		rw.dst = &m.to
	}
	switch {
	case !h.floating && h.service == nil && via != viaInternet:
		p.edge(n, m.in, match, rw)
		return
	case !h.floating && h.service == nil:
		p.edge(n, p.publicEntry(m.machine, h.sku), match, rw)
		return
	case !h.floating && h.backend == 0: // K8S-SVC-10
		match, rw.dports = match.mayOnly(), []model.PortRange{{First: 30000, Last: 32767}}
		notes = append(notes, "ASM-K-NODEPORT")
	}
	if rw.dports != nil || rw.dst != nil {
		// AZ-LB-06: the backend port is the frontend's unless the rule says otherwise; the filters see the backend's.
		at := p.node(m.site.Place, StageFrontend, via+"|"+p.nodes[n].Place.ID.Key()+"|"+h.name+"|"+strconv.Itoa(int(h.frontend))+"|"+strconv.Itoa(int(h.backend)))
		p.edge(n, at, match, rw, notes...)
		n, match = at, guard{}
	}
	nic, more := p.nicFilter(m.filters, model.Inbound, m.reading().of(h.service))
	notes = append(notes, more...)
	sub, more := p.subnetFilter(m.filters, model.Inbound, m.reading())
	notes = append(notes, more...)
	admin := p.adminAt(m.filters, model.Inbound, reading{})
	if h.floating {
		admin = admin.eitherAddress(m.to)
	}
	if via == viaInternet && !p.hasNSG(m.filters) && h.sku != model.Basic {
		closed, why := admin.through(p.closedWithoutNSG(m.machine, h.sku))
		p.edge(n, m.accept, and(match, closed), nil, append(append(notes, why...), "ASM-STDPIP")...)
		return
	}
	if admin != nil {
		notes = append(notes, admin.notes...)
	}
	filters := and(nic, eitherAddress(sub, m.to))
	if !h.floating {
		filters = and(nic, sub)
	} else if n, ok := model.Get[*model.NSG](p.e, m.filters.nicNSG); !ok || !n.Managed {
		// The two levels see the same address.
		filters = eitherAddress(and(nic, sub), m.to)
		notes = append(notes, "ASM-FLOATIP")
	}
	fog, more := p.fogOf(m.filters)
	p.edge(n, m.accept, and(match, and(admin.before(filters), fog)), nil, append(notes, more...)...)
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
	in, _ := p.receives(m)
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
	if lb.SKU == model.GatewaySKU { // AZ-LB-12
		p.forwardUnknown(n, "", sent.over, []string{"ASM-NVA"})
		return
	}
	if unread := p.stops(lb.ID); len(unread) > 0 {
		for _, pool := range lb.Pools {
			list, _ := p.members(lb, pool.ID)
			for _, m := range list {
				p.throughAppliance(n, owner{m.site.Place.Kind, m.site.Place.ID, m.site.Place.Part}, via, and(sent, onlyOver(everything())), append(slices.Clone(notes), unread...))
			}
		}
	}
	for _, r := range lb.Rules {
		if r.Frontend.Key() != o.part {
			continue
		}
		takes := and(and(sent, p.ruleTraffic(model.LBFrontend{Subnet: "inside"}, r)), p.balancerFog(lb))
		for _, pool := range r.Pools {
			list, known := p.members(lb, pool)
			for _, m := range list {
				p.throughAppliance(n, owner{m.site.Place.Kind, m.site.Place.ID, m.site.Place.Part}, via, takes, notes)
			}
			if !known {
				p.forwardUnknown(n, "", takes.over, []string{missing("load balancer member", pool)})
			}
		}
	}
}
