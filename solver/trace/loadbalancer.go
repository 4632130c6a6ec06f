package trace

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// balance hands a packet for a frontend to a member of the pool (AZ-LB-01, AZ-LB-02, AZ-LB-07, AZ-LB-10). Any member may receive: each
// is a course of its own, and available. basic says whether frontends of Basic load balancers are reached by this way (AZ-PEER-13).
func (t *tracer) balance(c course, lb *model.LoadBalancer, f *model.LBFrontend, basic match) {
	at := model.Place{Kind: model.PlaceFrontend, ID: f.ID}
	if !t.step(&c, "balance", at) {
		return
	}
	switch {
	case lb.SKU == model.GatewaySKU:
		t.lose(c, at, DNAT, "chains of gateway load balancers are not modelled (AZ-LB-12)", "ASM-NVA")
		return
	case lb.SKU == model.Basic && !basic.may:
		t.drop(c, at, DNAT, "a Basic frontend is not reachable across a global peering (AZ-PEER-13)")
		return
	case lb.SKU == model.Basic && !basic.must:
		c = c.uncertain(basic.why...)
	}
	if list := t.doubts(lb.ID); len(list) > 0 { // AZ-GEN-08: a rule may be another one than it seems
		c = c.uncertain(namesOf(list)...)
		t.lose(c, at, DNAT, "something of the load balancer was not understood (AZ-GEN-08)")
	}
	c.frontend = f.ID
	internal := f.Subnet != "" && f.PublicIP == "" && f.Prefix == ""
	if !internal { // AZ-PIP-03: an internal frontend needs no NSG that opens it
		c.public = &publicEntry{lb.SKU}
	}
	matched := false
	for _, r := range lb.Rules {
		m, high := ruleTakes(r, f, c.packet, internal)
		if !m.may {
			continue
		}
		matched = true
		port := r.BackendPort
		if high || port == 0 { // AZ-LB-06: the frontend's port unless the rule says otherwise
			port = c.packet.DPort
		}
		t.members(c.given(m), lb, f, r.Pools, member{name: r.Name, source: r.Source, port: port, floating: r.FloatingIP, probe: t.probe(lb, r.Probe)})
	}
	for _, r := range lb.NATRules {
		if !same(r.Frontend, f.ID) || !protocolTakes(r.Protocol, c.packet.Protocol) || !c.packet.Protocol.HasPorts() ||
			c.packet.DPort < r.FrontendPorts.First || c.packet.DPort > r.FrontendPorts.Last {
			continue
		}
		matched = true
		m := member{name: r.Name, source: r.Source, port: r.BackendPort, floating: r.FloatingIP}
		if r.Pool != "" {
			m.one = r.FrontendPorts.First != r.FrontendPorts.Last // each port of a range leads to one member, and nobody says to which
			t.members(c, lb, f, []model.ID{r.Pool}, m)
			continue
		}
		hosts := t.nicHosts(func(n *model.NIC, cfg *model.IPConfig) bool {
			return contains(cfg.NATRules, r.ID) || same(r.Target, n.ID+"/ipConfigurations/"+model.ID(cfg.Name))
		})
		hosts = append(hosts, t.scaleSetHosts(func(_ *model.ScaleSet, cfg *model.IPConfig) bool { return contains(cfg.NATRules, r.ID) })...)
		for _, h := range hosts {
			t.toMember(c, f, h, m)
		}
		if len(hosts) == 0 && r.Target != "" {
			t.lose(c, model.Place{Kind: model.PlaceUnknown, ID: r.Target}, DNAT, "the input lacks the target of the inbound NAT rule "+r.Name+" (AZ-LB-08)", "ASM-NEXTHOP")
			continue
		}
		if len(hosts) == 0 {
			t.drop(c, at, DNAT, "no machine uses the inbound NAT rule "+r.Name)
		}
	}
	if !matched {
		t.drop(c, at, DNAT, "the frontend has no rule for this protocol and port (AZ-LB-02)")
	}
}

// member is how a rule hands packets on.
type member struct {
	name     string
	source   model.Source
	port     uint16
	floating model.Setting
	probe    *model.LBProbe
	one      bool // one member only, unknown which
}

// ruleTakes says whether a load-balancing rule takes a packet. HA ports are all TCP and UDP ports of an internal frontend; whether
// ICMP passes is undocumented (AZ-LB-04).
func ruleTakes(r model.LBRule, f *model.LBFrontend, p Packet, internal bool) (m match, high bool) {
	high = r.Protocol == model.AnyProtocol && r.FrontendPort == 0
	switch {
	case !same(r.Frontend, f.ID):
		return no(), high
	case high && !internal:
		return no(), high
	case high && p.Protocol != model.TCP && p.Protocol != model.UDP:
		return when(p.Protocol == model.ICMP).and(maybe()), high
	case high:
		return yes(), high
	default:
		return when(protocolTakes(r.Protocol, p.Protocol) && p.Protocol.HasPorts() && p.DPort == r.FrontendPort), high
	}
}

func protocolTakes(rule, packet model.Protocol) bool {
	return rule == packet || rule == model.AnyProtocol && (packet == model.TCP || packet == model.UDP)
}

func (t *tracer) probe(lb *model.LoadBalancer, id model.ID) *model.LBProbe {
	for i := range lb.Probes {
		if same(lb.Probes[i].ID, id) {
			return &lb.Probes[i]
		}
	}
	return nil
}

// members hands the packet to every member of the pools.
func (t *tracer) members(c course, lb *model.LoadBalancer, f *model.LBFrontend, pools []model.ID, m member) {
	at := model.Place{Kind: model.PlaceFrontend, ID: f.ID}
	hosts, unresolved := t.poolHosts(lb, pools, true)
	if m.one && len(hosts) > 1 {
		c = c.uncertain()
	}
	for _, h := range hosts {
		if h.cluster != nil && t.ofService(h.cluster, f, c.packet) {
			continue
		}
		t.toMember(c, f, h, m)
	}
	for _, a := range unresolved {
		t.lose(c, model.Place{Kind: model.PlaceUnknown, Part: a}, DNAT, "the input lacks the pool member "+a+" (AZ-LB-08)", "ASM-NEXTHOP")
	}
	if len(hosts) == 0 && len(unresolved) == 0 {
		t.drop(c, at, DNAT, "the backend pool has no member")
	}
}

// poolHosts resolves pools to hosts: IP configurations named at the pool or at the NIC, profiles of scale sets, and if wanted addresses
// (AZ-LB-08). unresolved names members that the input lacks.
func (w *world) poolHosts(lb *model.LoadBalancer, pools []model.ID, addresses bool) (hosts []*host, unresolved []string) {
	named := map[string]bool{}
	add := func(list []*host) {
		for _, h := range list {
			key := h.place.ID.Key() + "/" + h.place.Part
			if !named[key] {
				named[key] = true
				hosts = append(hosts, h)
			}
		}
	}
	for _, id := range pools {
		add(w.nicHosts(func(_ *model.NIC, c *model.IPConfig) bool { return contains(c.LBPools, id) }))
		add(w.scaleSetHosts(func(_ *model.ScaleSet, c *model.IPConfig) bool { return contains(c.LBPools, id) }))
		for _, p := range lb.Pools {
			if !same(p.ID, id) {
				continue
			}
			for _, cfg := range p.IPConfigs {
				n, c := w.configByID(cfg)
				switch {
				case c != nil:
					add([]*host{w.nicHost(n, c)})
				case !strings.Contains(cfg.Key(), "/virtualmachinescalesets/"):
					unresolved = append(unresolved, cfg.ShortName())
				}
			}
			if !addresses {
				continue
			}
			for _, a := range p.Addresses {
				found := w.addressHosts(a)
				add(found)
				if len(found) == 0 {
					unresolved = append(unresolved, a.Address.String())
				}
			}
		}
	}
	return hosts, unresolved
}

// addressHosts resolves a pool member by address.
func (w *world) addressHosts(a model.LBAddress) []*host {
	vnet := a.VNet
	if vnet == "" {
		_, vnet = w.vnetOf(a.Subnet)
	}
	v, _ := model.Get[*model.VNet](w.e, vnet)
	if v == nil || !a.Address.IsValid() {
		return nil
	}
	addr := a.Address.Unmap()
	if h := w.nicHosts(func(n *model.NIC, c *model.IPConfig) bool {
		return w.inVNet(c.Subnet, v) && w.configAddress(n, c) == addr
	}); len(h) > 0 {
		return h
	}
	for _, s := range w.subnetsOf(v) {
		for _, p := range s.Prefixes {
			if p.IsValid() && p.Contains(addr) {
				hosts := w.classHosts(s)
				for _, h := range hosts {
					h.addr = address{at: addr, holder: h}
				}
				return hosts
			}
		}
	}
	return nil
}

// toMember delivers to one member. Without floating IP the destination becomes the member's address and the backend port (AZ-NSG-17);
// with it the frontend's address stays, and which of the two an NSG sees is not documented (AZ-LB-05, ASM-FLOATIP).
func (t *tracer) toMember(c course, f *model.LBFrontend, h *host, m member) {
	if !t.healthy(h, m.probe) {
		c = c.uncertain() // AZ-LB-03: healthy in over; in under only if the probe is let in
	}
	if sameMachine(c.src.holder, h) || t.looksLike(c, h) {
		c = c.uncertain() // AZ-LB-11: a member that calls its own frontend may be sent to itself
	}
	before := c.packet
	frontend := c.dst
	own := t.memberAddress(h, frontend)
	floating := m.floating == model.On
	if floating {
		c = c.to(frontend, m.port)
	} else {
		c = c.to(own, m.port)
	}
	at := model.Place{Kind: model.PlaceFrontend, ID: f.ID}
	c = c.add(Hop{At: at, Stage: DNAT, Action: Forward, Rule: m.name, Source: m.source, Certain: true})
	c = c.cross(crossing{at: at, before: before})
	if !floating {
		t.arrive(c, h)
		return
	}
	t.arriveEither(c, h, []address{frontend, own}, func(c course) {
		if h.cluster != nil {
			t.floating(c, h)
			return
		}
		t.received(c, h)
	})
}

// looksLike reports a packet from outside whose source is, or may be, an address of the member's machine: a site holds it too (AZ-LB-11).
func (t *tracer) looksLike(c course, h *host) bool {
	if c.packet.From.Kind != model.PlaceFarSide {
		return false
	}
	return slices.ContainsFunc(t.machine(h), func(x *host) bool {
		if x.nic != nil {
			return x.addr.at == c.src.at
		}
		return t.mayStand(x.subnetID, c.src)
	})
}

// memberAddress is the address of a member to which a frontend leads: of its own family (AZ-V6-04). An instance in a dual-stack subnet, whose address
// the input does not state, has one of either.
func (t *tracer) memberAddress(h *host, frontend address) address {
	if h.addr.may == nil || h.subnet == nil || frontend.v6() == h.addr.v6() {
		return h.addr
	}
	var six []netip.Prefix
	for _, p := range h.subnet.Prefixes {
		if p.IsValid() && p.Addr().Is6() == frontend.v6() {
			six = append(six, p)
		}
	}
	free := without(unreserved(six), t.heldIn(h.subnet)...)
	if len(six) == 0 || emptySet(free) || h.addr.v6() {
		return h.addr
	}
	return pickedOf(address{at: first(free), may: free, holder: h})
}

// arriveEither is arrive where NSGs may see either of two destinations: over = let in for one of them, under = for both (AZ-LB-05).
func (t *tracer) arriveEither(c course, h *host, dsts []address, next func(course)) {
	if !t.step(&c, "arrive", h.place) {
		return
	}
	c.entry, c.last = nil, h
	port := c.packet.DPort
	seen := c.dst
	if len(dsts) > 1 { // an NSG that AKS writes sees the frontend
		first := dsts[0]
		first.holder = own(h, first)
		c.balanced = &first
	}
	var v verdict
	differ := false
	for i, d := range dsts {
		d.holder = own(h, d)
		u := t.inboundVerdict(c.to(d, port), h)
		differ = differ || i > 0 && (u.allow.is != v.allow.is || u.deny.is != v.deny.is)
		v = v.either(u)
	}
	back := func(x course) {
		x = x.to(seen, port)
		x.dst.holder, x.balanced = h, nil
		next(x)
	}
	if !differ {
		d := dsts[0]
		d.holder = own(h, d)
		t.inbound(c.to(d, port), h, back)
		return
	}
	v.why = union(v.why, []string{"ASM-FLOATIP"})
	t.decide(c, Hop{At: h.place, Stage: SubnetIn, Detail: "the NSGs differ for the frontend's address and the member's"}, v, back)
}

// own is the host where an address is its own: the groups of a member hold no address of a frontend (AZ-ASG-01).
func own(h *host, a address) *host {
	if a.at == h.addr.at {
		return h
	}
	return nil
}

// inboundVerdict is the joint answer of the controls of the receiving side.
func (t *tracer) inboundVerdict(c course, h *host) verdict {
	out := allowed("", model.Source{})
	sub := &tracer{world: &world{e: t.e, symbols: t.symbols, tags: t.tags, strict: t.strict}}
	var v verdict
	sub.inbound(course{packet: c.packet, src: c.src, dst: c.dst, certain: true, public: c.public, service: c.service, balanced: c.balanced}, h, func(x course) {
		v.allow = out.allow
		v.deny.is = v.deny.is || !x.certain
		v.why = union(v.why, x.assumed)
	})
	for _, p := range sub.paths {
		last := p.Hops[len(p.Hops)-1]
		v.deny = blame{is: true, rule: last.Rule, source: last.Source, detail: last.Detail}
		v.why = union(v.why, p.Assumptions)
	}
	return v
}

// healthy reports whether health probes surely reach a member (AZ-LB-03, AZ-PLAT-04), whatever port they are sent from.
func (t *tracer) healthy(h *host, p *model.LBProbe) bool {
	if p == nil {
		return true
	}
	source := wireServer()
	if h.addr.v6() {
		if h.nsg == "" && t.subnetNSG(h) == "" {
			return false // AZ-V6-07: probes over IPv6 work only where an NSG is present
		}
		source = netip.MustParseAddr("fe80::1234:5678:9abc")
	}
	from := []uint16{0} // one port of each range that rules tell apart
	for _, id := range []model.ID{h.nsg, t.subnetNSG(h)} {
		if g, ok := model.Get[*model.NSG](t.e, id); ok {
			for _, r := range g.Rules {
				for _, ports := range r.SourcePorts {
					from = append(from, ports.First)
					if ports.Last < 65535 {
						from = append(from, ports.Last+1)
					}
				}
			}
		}
	}
	slices.Sort(from)
	for _, port := range slices.Compact(from) {
		probe := Packet{Src: source, Dst: h.addr.at, Protocol: model.TCP, SPort: port, DPort: p.Port}
		c := course{packet: probe, src: address{at: source}, dst: h.addr, certain: true}
		if v := t.inboundVerdict(c, h); !v.allow.is || v.deny.is {
			return false
		}
	}
	return true
}

// balanceAppliance is a frontend as next hop: the pool's members forward the packet, whose destination stays (AZ-LB-04).
func (t *tracer) balanceAppliance(c course, lb *model.LoadBalancer, f *model.LBFrontend) {
	at := model.Place{Kind: model.PlaceFrontend, ID: f.ID}
	if !t.step(&c, "balance", at) {
		return
	}
	if lb.SKU == model.GatewaySKU {
		t.lose(c, at, Transport, "chains of gateway load balancers are not modelled (AZ-LB-12)", "ASM-NVA")
		return
	}
	if list := t.doubts(lb.ID); len(list) > 0 { // AZ-GEN-08
		c = c.uncertain(namesOf(list)...)
		t.lose(c, at, Transport, "something of the load balancer was not understood (AZ-GEN-08)")
	}
	matched := false
	for _, r := range lb.Rules {
		m, _ := ruleTakes(r, f, c.packet, true)
		if !m.may {
			continue
		}
		matched = true
		hosts, unresolved := t.poolHosts(lb, r.Pools, true)
		d := c.given(m).add(Hop{At: at, Stage: Transport, Action: Forward, Rule: r.Name, Source: r.Source, Certain: m.must})
		for _, h := range hosts {
			t.throughAppliance(d, h)
		}
		for _, a := range unresolved {
			t.lose(d, model.Place{Kind: model.PlaceUnknown, Part: a}, Transport, "the input lacks the pool member "+a+" (AZ-LB-08)", "ASM-NEXTHOP")
		}
		if len(hosts) == 0 && len(unresolved) == 0 {
			t.drop(d, at, Transport, "the backend pool has no member")
		}
	}
	if !matched {
		t.drop(c, at, Transport, "the frontend has no rule for this protocol and port (AZ-LB-02)")
	}
}
