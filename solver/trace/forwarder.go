package trace

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// toAppliance hands a packet to the next hop of a VirtualAppliance route. The fabric delivers to the address itself; it is not looked
// up again (AZ-RT-09), and it has to lie in the VNet or a direct peer (AZ-RT-08). Who holds an address that the input does not explain
// is unknown, never nobody (ASM-NEXTHOP).
func (t *tracer) toAppliance(c course, h *host, a netip.Addr) {
	if a.IsValid() {
		a = a.Unmap()
		for _, l := range t.near(h.vnet) {
			if l.remote == nil {
				continue
			}
			cross := func() course {
				d := t.crossInto(c, l, h.place)
				if l.group {
					d = d.uncertain() // AZ-RT-08 names direct peers alone
				}
				return d
			}
			if f := t.firewallAt(l.remote, a); f != nil {
				d := cross()
				if !f.Address.IsValid() { // the firewall, or nobody
					d = d.uncertain("ASM-NEXTHOP")
				}
				t.atFirewall(d, f, false)
				return
			}
			if lb, f := t.frontendAt(l.remote, a); f != nil {
				t.balanceAppliance(cross(), lb, f)
				return
			}
			hosts := slices.DeleteFunc(t.nicsAt(a), func(x *host) bool { return !t.inVNet(x.config.Subnet, l.remote) })
			if len(hosts) > 0 {
				for _, x := range hosts {
					t.throughAppliance(cross(), x)
				}
				return
			}
			if nodes := t.kubenetNodes(l.remote, a, c.dst); len(nodes) > 0 {
				for _, x := range nodes {
					t.atKubenetNode(cross(), x)
				}
				return
			}
		}
	}
	at := model.Place{Kind: model.PlaceUnknown, ID: h.subnetID, Part: a.String()}
	if h.vnet != nil {
		for _, l := range t.near(h.vnet) {
			if l.remote != nil {
				for _, s := range t.subnetsOf(l.remote) {
					if slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.IsValid() && p.Contains(a) }) {
						at.ID = s.ID
					}
				}
			}
		}
	}
	t.lose(c, at, Transport, "nothing in the input holds the next hop "+a.String(), "ASM-NEXTHOP")
}

// throughAppliance hands a packet to a machine as next hop. What is addressed to its NIC itself needs no forwarding (AZ-RT-10).
func (t *tracer) throughAppliance(c course, h *host) {
	if own := h.sharedNIC(t.world, c); own != nil {
		t.arrive(c, own)
		return
	}
	t.atAppliance(c, h)
}

// firewallAt is the firewall with a private address in a VNet. In the subnet of one whose address the input does not state there is nothing
// else (AZ-FW-58).
func (w *world) firewallAt(v *model.VNet, a netip.Addr) *model.Firewall {
	for _, f := range w.e.Firewalls {
		if !w.inVNet(f.Subnet, v) {
			continue
		}
		if f.Address.IsValid() && f.Address.Unmap() == a {
			return f
		}
		if s, _ := w.e.SubnetOf(f.Subnet); !f.Address.IsValid() && s != nil && usable(s).Contains(a) {
			return f
		}
	}
	return nil
}

func (w *world) frontendAt(v *model.VNet, a netip.Addr) (*model.LoadBalancer, *model.LBFrontend) {
	for _, lb := range w.e.LoadBalancers {
		for i := range lb.Frontends {
			if f := &lb.Frontends[i]; w.inVNet(f.Subnet, v) && w.frontendAddress(f) == a {
				return lb, f
			}
		}
	}
	return nil, nil
}

// atAppliance is a VM as next hop. Its NSGs meet the packet with its real addresses (AZ-NSG-18), it needs IP forwarding (AZ-RT-10),
// and what it then lets through nobody knows: anything that its own routes and NSGs allow, with the original source or its own
// (AZ-RT-11, ASM-NVA).
func (t *tracer) atAppliance(c course, h *host) {
	if !t.step(&c, "forward", h.place) {
		return
	}
	c.public = nil
	c.entry = nil
	t.transit(c, h, func(c course) {
		switch h.forwarding() {
		case model.Off:
			t.drop(c, h.place, Transport, "the NIC does not forward: enableIPForwarding is off (AZ-RT-10); a proxy on the machine could still relay", "ASM-NVA")
			return
		case model.NotStated:
			t.drop(c.uncertain("ASM-NVA"), h.place, Transport, "enableIPForwarding is not stated")
		}
		c = c.uncertain("ASM-NVA")
		before := c.packet
		t.drop(c, h.place, Transport, "the appliance's own rules are not in the input")
		t.lose(c, h.place, Transport, "the appliance may send it to any other destination", "ASM-NVA")
		for _, out := range t.machine(h) {
			kept := c.forward(h.place, Transport, "the appliance may forward the packet as it is").
				cross(crossing{at: h.place, before: before, subnet: out.subnet, vnet: out.vnet, stateful: true})
			if out.forwarding() != model.Off {
				t.leave(kept, out)
			}
			own := c.from(out.addr, c.packet.SPort)
			own.pod, own.node = nil, nil
			own = own.add(Hop{At: h.place, Stage: SNAT, Action: Forward, Detail: "the appliance may send from its own address", Certain: true})
			t.leave(own.cross(crossing{at: h.place, before: before, subnet: out.subnet, vnet: out.vnet, stateful: true, source: true}), out)
		}
	})
}

// transit is the inbound side of a forwarding NIC. With Strict the NSGs may also have met the appliance's own address (ASM-NVA-NSG).
func (t *tracer) transit(c course, h *host, next func(course)) {
	m := t.assume("ASM-NVA-NSG")
	if !m.uncertain() {
		t.inbound(c.because(m.why...), h, next)
		return
	}
	t.inbound(c.uncertain(m.why...), h, next)
	own := c.uncertain(m.why...)
	dst, port := c.dst, c.packet.DPort
	own = own.to(h.addr, port)
	t.inbound(own, h, func(c course) { next(c.to(dst, port)) })
}
