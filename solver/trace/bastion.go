package trace

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// atBastion is a packet for a Bastion's public address: tcp/443, through the NSG of AzureBastionSubnet (AZ-BAS-01, AZ-BAS-02).
func (t *tracer) atBastion(c course, b *model.Bastion) {
	h := t.hostIn(model.Place{Kind: model.PlaceBastion, ID: b.ID}, b.Subnet)
	if !t.step(&c, "arrive", h.place) {
		return
	}
	c.public, c.entry, c.last = nil, nil, h
	if h.subnet != nil { // NSGs see the address behind the public one (AZ-NSG-16)
		inside := usable(h.subnet)
		c = c.to(address{at: first(inside), may: inside, holder: h}, c.packet.DPort)
	}
	t.inbound(c, h, func(c course) {
		if c.packet.Protocol != model.TCP || c.packet.DPort != 443 {
			t.drop(c, h.place, Relay, "Bastion listens on tcp 443 only (AZ-BAS-01)")
			return
		}
		t.deliver(c.add(Hop{At: h.place, Stage: Relay, Action: Allow, Detail: "Bastion accepts; authentication is no matter of the network (AZ-REL-07)", Certain: true}), h.place)
	})
}

// fromBastion is a packet that a Bastion opens to a machine (AZ-BAS-01, AZ-BAS-03, AZ-BAS-04).
func (t *tracer) fromBastion(c course, b *model.Bastion) {
	at := model.Place{Kind: model.PlaceBastion, ID: b.ID}
	if !t.step(&c, "relay", at) {
		return
	}
	if fold(b.SKU, "Developer") {
		t.fromDeveloper(c, b)
		return
	}
	h := t.hostIn(at, b.Subnet)
	if h.subnet != nil && !c.src.in(prefixSet(h.subnet.Prefixes...)).may {
		t.drop(c, at, Relay, "the source is no address of AzureBastionSubnet (AZ-BAS-01)")
		return
	}
	c.src.holder = h
	m := bastionPort(b, c.packet).and(t.bastionReach(b, h, c))
	if c.dst.v6() { // AZ-BAS-06
		m = m.and(maybe("ASM-E-V6"))
	}
	if !m.may {
		t.drop(c, at, Relay, "Bastion opens no such connection (AZ-BAS-03, AZ-BAS-04)")
		return
	}
	c = c.add(Hop{At: at, Stage: Relay, Action: Forward, Rule: b.Name(), Source: b.Source, Certain: m.must, Assumptions: m.why})
	t.leave(c, h)
}

// bastionPort: 22 and 3389 always; any TCP port with tunnelling; possibly any where the SKU or the flag is not stated (AZ-BAS-04,
// ASM-BASTION). Custom ports need no flag in the higher SKUs, so the flag switched off leaves the port open.
func bastionPort(b *model.Bastion, p Packet) match {
	switch {
	case p.Protocol != model.TCP:
		return no()
	case p.DPort == 22 || p.DPort == 3389:
		return yes()
	case fold(b.SKU, "Basic"):
		return no()
	case b.Tunneling == model.On && b.SKU != "":
		return yes()
	default:
		return maybe("ASM-BASTION")
	}
}

// bastionReach: machines of the VNet and its direct peers; with connect-by-address any private address, beyond them too (AZ-BAS-03,
// AZ-BAS-04, AZ-JMP-03).
func (t *tracer) bastionReach(b *model.Bastion, h *host, c course) match {
	if h.vnet == nil {
		return maybe("ASM-BASTION")
	}
	basic := fold(b.SKU, "Basic")
	if b.IPConnect == model.On && !basic {
		return yes()
	}
	m := c.dst.in(prefixSet(h.vnet.Prefixes...))
	for _, l := range t.links(h.vnet) {
		for _, p := range t.peerPrefixes(l) {
			hit := c.dst.in(prefixSet(p.prefix))
			if !p.certain && l.subnets() {
				hit = hit.and(maybe("ASM-BASTION"))
			}
			m = m.or(hit)
		}
		for _, p := range t.wholePeer(l) { // what a peering of subnets leaves out
			m = m.or(c.dst.in(prefixSet(p.prefix)).and(maybe("ASM-BASTION")))
		}
	}
	for _, l := range t.groupLinks(h.vnet) { // AZ-BAS-03 names peers alone
		m = m.or(c.dst.in(prefixSet(l.remote.Prefixes...)).and(maybe("ASM-BASTION")))
	}
	if other, api := t.noMachine(c.packet.Dst); api && !basic && b.Tunneling != model.Off {
		m = m.and(maybe("ASM-BASTION"))
	} else if other {
		m = no()
	}
	if m.must || basic || b.IPConnect == model.Off {
		return m
	}
	return m.or(maybe("ASM-BASTION"))
}

// noMachine reports an address that the estate gives to something other than a machine, and whether that is an API server (AZ-JMP-03).
func (t *tracer) noMachine(a netip.Addr) (other, api bool) {
	if len(t.nicHosts(func(n *model.NIC, c *model.IPConfig) bool { return t.configAddress(n, c) == a })) > 0 {
		return false, false
	}
	if s, ok := t.symbols.At(a); ok {
		switch s.Kind {
		case model.APIDoor:
			return true, true
		case model.ServiceFrontend, model.PodAddress, model.APIMAddress:
			return true, false
		default:
		}
	}
	for _, p := range t.e.Endpoints {
		if slices.Contains(t.endpointAddresses(p), a) {
			_, cluster := model.Get[*model.Cluster](t.e, p.Target)
			other, api = true, api || cluster
		}
	}
	if other {
		return other, api
	}
	for _, lb := range t.e.LoadBalancers {
		for i := range lb.Frontends {
			if f := &lb.Frontends[i]; f.PublicIP == "" && f.Prefix == "" && t.frontendAddress(f) == a {
				return true, false
			}
		}
	}
	for _, g := range t.e.AppGateways {
		for i := range g.Frontends {
			if f := &g.Frontends[i]; f.PublicIP == "" && t.gatewayAddress(g, f) == a {
				return true, false
			}
		}
	}
	for _, x := range t.e.APIMs {
		for i := range x.Sites {
			if x.Injected() && slices.Contains(t.apimPrivate(x, i), a) {
				return true, false
			}
		}
	}
	return slices.ContainsFunc(t.e.Firewalls, func(f *model.Firewall) bool { return t.firewallAddress(f) == a }) ||
		slices.ContainsFunc(t.e.KubeServices, func(k *model.KubeService) bool { return slices.Contains(t.frontendAddresses(k), a) }) ||
		slices.ContainsFunc(t.e.Workloads, func(w *model.Workload) bool { return !w.HostNetwork && slices.Contains(w.Addresses, a) }), false
}

// atDeveloper is a client of the Developer SKU, which stands at Microsoft's shared service, behind no NSG of the estate (AZ-BAS-05).
func (t *tracer) atDeveloper(c course, b *model.Bastion) {
	at := model.Place{Kind: model.PlaceBastion, ID: b.ID}
	c.public, c.entry = nil, nil
	if c.packet.Protocol != model.TCP || c.packet.DPort != 443 {
		t.drop(c, at, Relay, "Bastion listens on tcp 443 only (AZ-BAS-01)")
		return
	}
	t.deliver(c.add(Hop{At: at, Stage: Relay, Action: Allow, Detail: "Bastion accepts; authentication is no matter of the network (AZ-REL-07)", Certain: true}), at)
}

// fromDeveloper: the Developer SKU has no subnet; its connections come from the host address, past every outbound control, to machines
// of its VNet on 22 and 3389 (AZ-BAS-05).
func (t *tracer) fromDeveloper(c course, b *model.Bastion) {
	at := model.Place{Kind: model.PlaceBastion, ID: b.ID}
	v, ok := model.Get[*model.VNet](t.e, b.VNet)
	p := c.packet
	switch {
	case p.Src != wireServer():
		t.drop(c, at, Relay, "Bastion Developer sends from 168.63.129.16 (AZ-BAS-05)")
	case p.Protocol != model.TCP || p.DPort != 22 && p.DPort != 3389:
		t.drop(c, at, Relay, "Bastion Developer opens tcp 22 and 3389 only (AZ-BAS-05)")
	case !ok:
		t.lose(c, at, Relay, "the input lacks the VNet of the Bastion", "ASM-BASTION")
	default:
		c = c.add(Hop{At: at, Stage: Relay, Action: Forward, Rule: b.Name(), Source: b.Source, Certain: true})
		t.deliverIn(c, v, yes())
	}
}
