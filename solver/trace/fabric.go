package trace

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// leave sends a packet from a host: its NSGs outbound, then its routes (AZ-GEN-05, AZ-GEN-06).
func (t *tracer) leave(c course, h *host) {
	if d := h.sharedNIC(t.world, c); d != nil {
		// AZ-GEN-05: what never leaves a NIC is not filtered.
		t.deliver(c.forward(h.place, Transport, "between addresses of one NIC"), d.place)
		return
	}
	if !t.carried(&c, h.place) {
		return
	}
	t.outbound(c, h, func(c course) {
		if isPlatform(c.packet.Dst) { // AZ-PLAT-01, AZ-PLAT-02: the host answers; no route is consulted
			t.toPlatform(c, h)
			return
		}
		if x := t.manifestPod(c.packet.Dst); x != nil {
			t.intoManifest(c.uncertain(), x)
			return
		}
		t.route(c, h)
	})
}

// manifestPod is a pod of a cluster whose network the input does not state: whether the packet gets there is not known.
func (t *tracer) manifestPod(a netip.Addr) *pod {
	if s, ok := t.symbols.At(a); !ok || s.Kind != model.PodAddress {
		return nil
	}
	for _, wl := range t.e.Workloads {
		if x := t.placed(wl)[0]; x.network() == manifestPods && x.holds(t.world, a) {
			return x
		}
	}
	return nil
}

// manifestPodOf is a pod of one cluster of manifests.
func (t *tracer) manifestPodOf(cluster model.ID, a netip.Addr) *pod {
	for _, wl := range t.e.Workloads {
		if x := t.placed(wl)[0]; same(wl.Cluster, cluster) && x.network() == manifestPods && x.holds(t.world, a) {
			return x
		}
	}
	return nil
}

// toPlatform delivers to the host addresses.
func (t *tracer) toPlatform(c course, h *host) {
	c = c.forward(h.place, Transport, "host address of the platform").given(t.assume("ASM-PLATFORM"))
	t.deliver(c, model.Place{Kind: model.PlacePlatform, Part: ""})
}

// sharedNIC is the other IP configuration of the sending NIC that the packet goes to, if it does.
func (h *host) sharedNIC(w *world, c course) *host {
	if h.nic == nil || !h.owns(w, c.packet.Dst) {
		return nil
	}
	for i := range h.nic.IPConfigs {
		if cfg := &h.nic.IPConfigs[i]; w.configAddress(h.nic, cfg) == c.packet.Dst {
			return w.nicHost(h.nic, cfg)
		}
	}
	return nil
}

// carried drops what the fabric does not carry (AZ-GEN-03, ASM-PROTO). It reports whether the walk goes on.
func (t *tracer) carried(c *course, at model.Place) bool {
	drop := t.uncarried(c.packet)
	if drop == "" {
		return true
	}
	if m := t.assume("ASM-PROTO"); c.packet.Protocol == model.SCTP && m.uncertain() {
		*c = c.uncertain(m.why...)
		return true
	}
	t.drop(*c, at, Transport, drop, "ASM-PROTO")
	return false
}

// uncarried says why the fabric does not carry a packet (AZ-GEN-03); "" if it does.
func (t *tracer) uncarried(p Packet) string {
	dst := t.address(p.Dst)
	switch {
	case dst.may == nil && (p.Dst.IsMulticast() || p.Dst == netip.AddrFrom4([4]byte{255, 255, 255, 255})):
		return "the fabric carries no multicast and no broadcast (AZ-GEN-03)"
	case p.Protocol == model.UDP && p.SPort == 65330:
		return "UDP source port 65330 is reserved (AZ-GEN-03)"
	case p.Protocol == model.UDP && p.SPort == 68 && p.DPort == 67:
		return "DHCP is reserved (AZ-GEN-03)"
	}
	switch p.Protocol {
	case model.TCP, model.UDP, model.ICMP, model.ESP, model.AH, model.ICMPv6:
		return ""
	default:
		return "the fabric does not carry protocol " + p.Protocol.String() + " (AZ-GEN-03)"
	}
}

// owner is what an address of a VNet belongs to, and what happens to a packet that reaches it.
type owner func(*tracer, course)

// owners lists everything in a VNet that holds the destination, endpoints and frontends among them, for packets of the VNet and of its peers
// alike (AZ-PEER-03). Several may, where the input is contradictory or the address is free.
func (t *tracer) owners(v *model.VNet, c course, basic match) []owner {
	dst := c.packet.Dst
	var out []owner
	in := func(subnet model.ID) bool { return t.inVNet(subnet, v) }
	for _, p := range t.e.Endpoints {
		if in(p.Subnet) && slices.Contains(t.endpointAddresses(p), dst) {
			out = append(out, func(t *tracer, c course) { t.arriveEndpoint(c, p) })
		}
	}
	for _, h := range t.nicsAt(dst) {
		if !in(h.config.Subnet) {
			continue
		}
		out = append(out, func(t *tracer, c course) { t.arrive(c, h) })
	}
	held := len(out) > 0
	for _, s := range t.e.KubeServices {
		if f, ok := t.kubeFrontendAt(s, dst); ok && !f.Public && t.inFrontendVNet(s, v) {
			out = append(out, func(t *tracer, c course) { t.toService(t.ofFrontend(c, f), s) })
		}
	}
	if !held {
		for _, lb := range t.e.LoadBalancers {
			for i := range lb.Frontends {
				if f := &lb.Frontends[i]; in(f.Subnet) && t.frontendAddress(f) == dst {
					out = append(out, func(t *tracer, c course) { t.balance(c, lb, f, basic) })
				}
			}
		}
	}
	for _, f := range t.e.Firewalls {
		if in(f.Subnet) && t.firewallAddress(f) == dst {
			out = append(out, func(t *tracer, c course) { t.atFirewall(c, f, true) })
		}
	}
	for _, g := range t.e.AppGateways {
		for i := range g.Frontends {
			if f := &g.Frontends[i]; f.PublicIP == "" && in(f.Subnet) && t.gatewayAddress(g, f) == dst {
				out = append(out, func(t *tracer, c course) { t.atAppGateway(c, g, f) })
			}
		}
	}
	for _, a := range t.e.APIMs {
		for i, s := range a.Sites {
			if a.Injected() && in(s.Subnet) && slices.Contains(t.apimPrivate(a, i), dst) {
				out = append(out, func(t *tracer, c course) { t.atAPIM(c, a, i, false) })
			}
		}
	}
	for _, x := range t.podsAt(v, c.dst) {
		out = append(out, func(t *tracer, c course) { t.arriveAtPod(c, x) })
	}
	for _, cl := range t.e.Clusters {
		if a, ok := t.symbols.Of(model.APIDoor, cl.ID, ""); ok && a == dst && slices.ContainsFunc(t.apiSubnets(cl), in) {
			out = append(out, func(t *tracer, c course) { t.arriveAPI(c, cl) })
		}
	}
	for _, s := range t.e.Services {
		if a, ok := t.symbols.Of(model.ServiceDoor, s.ID, ""); ok && a == dst && s.Injected != "" && in(s.Injected) {
			h := t.hostIn(model.Place{Kind: model.PlaceService, ID: s.ID}, s.Injected)
			out = append(out, func(t *tracer, c course) { t.arrive(c, h) })
		}
	}
	return out
}

// ownsAddress reports whether a VNet has something at an address.
func (t *tracer) ownsAddress(v *model.VNet, a address) bool {
	c := course{packet: Packet{Dst: a.at}, dst: a}
	if len(t.owners(v, c, yes())) > 0 {
		return true
	}
	return slices.ContainsFunc(t.subnetsOf(v), func(s *model.Subnet) bool {
		return a.may == nil && slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.IsValid() && p.Contains(a.at) })
	})
}

// deliverIn hands a packet to whatever holds its destination in a VNet. An address that nothing holds belongs to the class of its
// subnet (AZ-GEN-07); outside every subnet, or among the five that Azure keeps, it belongs to nobody (AZ-RT-06).
func (t *tracer) deliverIn(c course, v *model.VNet, basic match) {
	at := model.Place{Kind: model.PlaceUnknown, ID: v.ID, Part: c.packet.Dst.String()}
	if list := t.owners(v, c, basic); len(list) > 0 {
		for _, deliver := range list {
			deliver(t, c)
		}
		return
	}
	if c.dst.may != nil && !c.dst.picked { // a symbol, or an address that a device chose: its owner is not in this VNet
		t.drop(c, at, Transport, "nothing in the VNet "+v.Name()+" holds the destination")
		return
	}
	for _, s := range t.subnetsOf(v) {
		for _, p := range s.Prefixes {
			if !p.IsValid() || !p.Contains(c.packet.Dst) {
				continue
			}
			if slices.Contains(reserved(p), c.packet.Dst) {
				t.drop(c, at, Transport, "Azure keeps this address of the subnet "+s.Name()+" (AZ-GEN-07)")
				return
			}
			if platformOnly(s) {
				t.drop(c, at, Transport, "the subnet "+s.Name()+" holds no machine of the customer (AZ-FW-58)")
				return
			}
			for _, h := range t.classHosts(s) {
				h.addr = c.dst
				h.addr.holder = h
				t.arrive(c, h)
			}
			return
		}
	}
	if v.Partial {
		t.lose(c, at, Transport, "the input lacks the subnets of "+v.Name(), "ASM-NEXTHOP")
		return
	}
	t.drop(c, at, Transport, "no subnet of "+v.Name()+" holds the destination (AZ-RT-06)")
}

// platformOnly reports a subnet of a service that the platform runs, where nothing of the customer can receive or send (AZ-FW-58).
func platformOnly(s *model.Subnet) bool {
	switch subnetKind(s) {
	case gatewaySubnet, firewallSubnet, routeServerSubnet:
		return true
	default:
		return false
	}
}

// arrive is the receiving side of a host: its controls, then what runs there.
func (t *tracer) arrive(c course, h *host) {
	if !t.step(&c, "arrive", h.place) {
		return
	}
	c.dst.holder = h
	c.entry, c.last = nil, h
	t.inbound(c, h, func(c course) { t.received(c, h) })
}

// received is a packet that passed the controls of its destination. A node of a cluster hands some of it on.
func (t *tracer) received(c course, h *host) {
	c.public = nil
	if h.place.Kind == model.PlaceSubnet {
		if list := t.relays(h.subnet); len(list) > 0 { // AZ-GEN-08
			t.lose(c, model.Place{Kind: model.PlaceUnknown, ID: h.subnetID, Part: c.packet.Dst.String()}, Relay, "an object that is not modelled may have the address and pass the packet on (AZ-GEN-08)", namesOf(list)...)
		}
	}
	if h.cluster != nil {
		t.atNode(c, h)
		return
	}
	t.deliver(c, h.place)
}
