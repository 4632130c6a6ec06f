package trace

import (
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// mapping is one pair of ranges of a NAT rule that is in force on a connection (AZ-GW-12).
type mapping struct {
	inner, outer netip.Prefix
	static       bool
}

// mappings lists the pairs of the rules that a connection names; lacking reports one that the input does not hold.
func (w *world) mappings(g *model.Gateway, ids []model.ID, mode string) (list []mapping, lacking bool) {
	for _, id := range ids {
		found := false
		for _, r := range g.NATRules {
			if !same(r.ID, id) {
				continue
			}
			found = true
			if !fold(r.Mode, mode) {
				continue
			}
			for i, inner := range r.Internal {
				if i < len(r.External) {
					list = append(list, mapping{inner.Masked(), r.External[i].Masked(), fold(r.Type, "Static")})
				}
			}
		}
		lacking = lacking || !found
	}
	return list, lacking
}

// ofConnection lists the pairs of both modes. Neither clients nor VNet-to-VNet connections have any.
func (w *world) ofConnection(g *model.Gateway, c *model.Connection) (ingress, egress []mapping, lacking bool) {
	if c == nil || g.Kind == model.ExpressRouteGateway {
		return nil, nil, false
	}
	if _, vnet := model.Get[*model.Gateway](w.e, far(g, c)); vnet {
		return nil, nil, false
	}
	ingress, a := w.mappings(g, c.IngressNAT, "IngressSnat")
	egress, b := w.mappings(g, c.EgressNAT, "EgressSnat")
	return ingress, egress, a || b
}

// exact reports a pair that maps address by address.
func (m mapping) exact() bool {
	return m.static && m.inner.Bits() == m.outer.Bits() && m.inner.Addr().Is4() == m.outer.Addr().Is4()
}

// moved maps the addresses of one range to the other, by their distance from its start.
func moved(a address, from, to netip.Prefix) address {
	place := func(x netip.Addr) netip.Addr {
		out := to.Addr()
		b, base, start := x.AsSlice(), out.AsSlice(), from.Addr().AsSlice()
		carry := 0
		for i := len(b) - 1; i >= 0; i-- { // base + (x - start), byte by byte
			n := int(base[i]) + int(b[i]) - int(start[i]) + carry
			carry = n >> 8
			base[i] = byte(n)
		}
		out, _ = netip.AddrFromSlice(base)
		return out
	}
	if a.may == nil {
		return address{at: place(a.at)}
	}
	var b netipx.IPSetBuilder
	for _, r := range a.may.Ranges() {
		part, ok := r.Prefix()
		if ok && from.Overlaps(part) {
			b.AddRange(netipx.IPRangeFrom(place(r.From()), place(r.To())))
			continue
		}
		for _, x := range r.Prefixes() {
			if from.Overlaps(x) {
				b.AddRange(netipx.IPRangeFrom(place(netipx.RangeOfPrefix(x).From()), place(netipx.RangeOfPrefix(x).To())))
			}
		}
	}
	may := built(&b)
	return address{at: first(may), may: may}
}

// someOf is an address of a range that the gateway chooses.
func someOf(p netip.Prefix) address {
	may := prefixSet(p)
	return address{at: first(may), may: may}
}

// translateSource makes the source external: each pair that may hold it is a way of its own.
func (t *tracer) translateSource(c course, at model.Place, list []mapping, next func(course)) {
	t.eachMapping(c, c.src, list, func(m mapping) netip.Prefix { return m.inner }, func(d course, m mapping) {
		a := someOf(m.outer)
		if m.exact() {
			a = moved(d.src, m.inner, m.outer)
		}
		ports := []uint16{d.packet.SPort}
		if !m.static && d.packet.Protocol.HasPorts() { // with a new port, which may be any
			ports = append(ports, 1, 65535)
		}
		t.together(len(ports), func(i int) {
			x := d.from(a, ports[i])
			x.pod, x.node = nil, nil
			next(x.add(Hop{At: at, Stage: SNAT, Action: Forward, Detail: m.inner.String() + " to " + m.outer.String() + " (AZ-GW-12)", Certain: true}))
		}, len(ports) > 1)
	}, next)
}

// translateDestination makes the destination internal. Only a static pair does; a dynamic one opens from its internal side alone. A
// packet to the internal range, which nobody should send, may pass as it is (ASM-VPNNAT).
func (t *tracer) translateDestination(c course, at model.Place, list []mapping, next func(course)) {
	t.eachMapping(c, c.dst, list, func(m mapping) netip.Prefix { return m.outer }, func(d course, m mapping) {
		if !m.static {
			t.drop(d, at, DNAT, "only the internal side of a dynamic rule opens connections (AZ-GW-12)")
			return
		}
		a := someOf(m.inner)
		if m.exact() {
			a = moved(d.dst, m.outer, m.inner)
			if a.may == nil {
				a = t.address(a.at)
			}
		}
		d = d.to(a, d.packet.DPort)
		next(d.add(Hop{At: at, Stage: DNAT, Action: Forward, Detail: m.outer.String() + " to " + m.inner.String() + " (AZ-GW-12)", Certain: true}))
	}, func(d course) {
		for _, m := range list {
			if d.dst.in(prefixSet(m.inner)).may {
				d = d.uncertain("ASM-VPNNAT")
			}
		}
		next(d)
	})
}

// eachMapping follows every pair that may hold an address, and the packet as it is where none holds it for certain. Of several, any may
// act.
func (t *tracer) eachMapping(c course, a address, list []mapping, match func(mapping) netip.Prefix, act func(course, mapping), rest func(course)) {
	var hits []mapping
	certain := false
	for _, m := range list {
		if in := a.in(prefixSet(match(m))); in.may {
			hits = append(hits, m)
			certain = certain || in.must
		}
	}
	for _, m := range hits {
		d := c
		if len(hits) > 1 || !a.in(prefixSet(match(m))).must {
			d = d.uncertain("ASM-VPNNAT")
		}
		act(d, m)
	}
	if !certain {
		if len(hits) > 0 {
			c = c.uncertain("ASM-VPNNAT")
		}
		rest(c)
	}
}

// sentFrom says whether the far side of a connection may send from an address, given a prefix by which the estate knows the far side:
// translated, the address has to become one of the prefix.
func (w *world) sentFrom(a address, known netip.Prefix, ingress []mapping) match {
	out := no()
	translated := false
	for _, m := range ingress {
		part, ok := overlap(known, m.outer)
		if !ok {
			continue
		}
		if m.exact() {
			back := moved(address{may: prefixSet(part)}, m.outer, m.inner)
			out = out.or(a.in(back.may))
		} else {
			out = out.or(a.in(prefixSet(m.inner)))
		}
		translated = true
	}
	plain := prefixSet(known)
	if translated {
		var b netipx.IPSetBuilder
		b.AddSet(plain)
		for _, m := range ingress {
			b.RemovePrefix(m.outer)
		}
		plain = built(&b)
	}
	return out.or(a.in(plain))
}

// overlap is the smaller of two prefixes that overlap.
func overlap(a, b netip.Prefix) (netip.Prefix, bool) {
	switch {
	case !a.Overlaps(b):
		return netip.Prefix{}, false
	case a.Bits() >= b.Bits():
		return a.Masked(), true
	default:
		return b.Masked(), true
	}
}

// transitBetween says whether a packet that came into one gateway of a VNet may leave by another: between ExpressRoute and VPN only a
// Route Server with branch-to-branch carries it (AZ-RS-03).
func (w *world) transitBetween(g *model.Gateway) (match, string) {
	const refusal = "nothing joins the gateways of the VNet (AZ-RS-03)"
	v, _ := w.vnetOf(g.Subnet)
	if v == nil {
		return maybe("ASM-RS"), ""
	}
	for _, rs := range w.e.RouteServers {
		if !w.inVNet(rs.Subnet, v) {
			continue
		}
		switch rs.BranchToBranch {
		case model.On:
			return yes(), ""
		case model.Off:
			return no(), refusal
		default:
			return maybe("ASM-RS"), ""
		}
	}
	if slices.ContainsFunc(w.subnetsOf(v), func(s *model.Subnet) bool { return subnetKind(s) == routeServerSubnet }) {
		return maybe("ASM-RS"), "" // its Route Server may be missing from the input
	}
	return no(), refusal
}
