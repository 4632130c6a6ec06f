package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// peering names one side of a peering.
func (r *reader) peering(v *model.VNet, p *model.Peering) string { return r.vnet(v) + "/" + p.Name }

// peeringNotConnected: a peering carries traffic only when both sides exist and are connected (AZ-PEER-01).
func peeringNotConnected(r *reader, found sink) {
	for _, v := range r.e.VNets {
		for _, l := range r.links(v) {
			var text string
			switch {
			case !connected(l.local):
				text = fmt.Sprintf("The peering with %s is in state %s: no traffic passes, and no route leads there.", l.local.Remote.Name(), l.local.State)
			case l.remote != nil && l.back == nil:
				text = fmt.Sprintf("%s has no peering back: one side alone carries no traffic.", r.vnet(l.remote))
			default:
				continue
			}
			found(fact{
				subject: r.peering(v, l.local), origin: l.local.Source, text: text,
				remedy: "Create or sync the peering on both sides; remove it if it is not wanted.",
			})
		}
	}
}

// peeringBypassesFirewall: two VNets whose peer holds a firewall are peered with each other, and the route of that peering is longer
// than the one to the firewall (AZ-RT-23, AZ-PEER-02). Routes on both sides that are as long as the ranges undo it (AZ-FW-56).
func peeringBypassesFirewall(r *reader, found sink) {
	for _, a := range r.e.VNets {
		for _, l := range r.links(a) {
			b := l.remote
			if !l.up() || a.ID.Key() > b.ID.Key() || len(r.firewallsIn(a))+len(r.firewallsIn(b)) > 0 {
				continue
			}
			hub, by := r.inspector(a, b)
			if hub == nil || !r.direct(a, b) && !r.direct(b, a) {
				continue
			}
			found(fact{
				subject: r.peering(a, l.local), origin: l.local.Source,
				text: fmt.Sprintf("%s and %s are peered with %s, which holds %s, and directly with each other: the direct peering's routes are longer than the one to it, so traffic between them does not meet it.",
					r.vnet(a), r.vnet(b), r.vnet(hub), by),
				remedy: "Remove the direct peering, or add routes for the other VNet's ranges to the appliance, on both sides.",
			})
		}
	}
}

// inspector returns a VNet that both are peered with and that holds a firewall, or an appliance that both send traffic to.
func (r *reader) inspector(a, b *model.VNet) (hub *model.VNet, by string) {
	for _, h := range r.peers(a) {
		if h.ID.Key() == b.ID.Key() || !slices.Contains(r.peers(b), h) {
			continue
		}
		if walls := r.firewallsIn(h); len(walls) > 0 {
			return h, r.refs.Of(model.SelFirewall, walls[0])
		}
		if addr := r.sendsTo(a, h); addr != "" && addr == r.sendsTo(b, h) {
			return h, "the appliance " + addr
		}
	}
	return nil, ""
}

// sendsTo returns the address of an appliance in a VNet to which a subnet of another sends its default.
func (r *reader) sendsTo(v, hub *model.VNet) string {
	for _, s := range r.subnetsOf(v) {
		if u, _ := r.defaultRoute(s, allV4()); u != nil && u.NextHop == model.HopAppliance && within(u.Address, hub.Prefixes) {
			return u.Address.String()
		}
	}
	return ""
}

// direct reports whether some subnet of one VNet reaches some subnet of another by the peering's own route.
func (r *reader) direct(a, b *model.VNet) bool {
	subnets := r.subnetsOf(a)
	for _, s := range subnets {
		t, ok := r.table(s)
		if !ok || kindOf(s) != ordinary {
			continue
		}
		d := diversionOf(t)
		for _, rng := range b.Prefixes {
			if len(d.leaves(rng, r.targets(b, rng))) > 0 {
				return true
			}
		}
	}
	return len(subnets) == 0
}

// peeringWithoutTransit: a VNet uses the gateways of a peer that does not lend them (AZ-PEER-06).
func peeringWithoutTransit(r *reader, found sink) {
	for _, v := range r.e.VNets {
		for _, l := range r.links(v) {
			if l.local.UseRemoteGateways != model.On || l.back == nil || l.back.AllowGatewayTransit == model.On {
				continue
			}
			found(fact{
				subject: r.peering(v, l.local), origin: l.local.Source,
				text: fmt.Sprintf("The peering uses remote gateways, but %s does not allow gateway transit: the VNet gets no route to on-prem.",
					r.peering(l.remote, l.back)),
				remedy: "Set allowGatewayTransit on the side of the VNet with the gateway, or useRemoteGateways to false.",
			})
		}
	}
}

// peeringAccessOff: allowVirtualNetworkAccess=false takes the peer out of the tag VirtualNetwork and stops nothing else (AZ-PEER-04).
func peeringAccessOff(r *reader, found sink) {
	for _, v := range r.e.VNets {
		for _, l := range r.links(v) {
			if l.local.AllowVNetAccess != model.Off || strings.EqualFold(l.local.State, "Disconnected") {
				continue
			}
			found(fact{
				subject: r.peering(v, l.local), origin: l.local.Source,
				text: fmt.Sprintf("allowVirtualNetworkAccess is false, which does not cut the peering: it only takes %s out of the tag VirtualNetwork. Rules that name its addresses, and subnets without an NSG, still let its traffic pass.",
					l.local.Remote.Name()),
				remedy: "Remove the peering if the VNets must not talk, or deny the peer's ranges in the NSGs.",
			})
		}
	}
}

// peeringOverlap: address spaces of peered VNets must not overlap (AZ-PEER-11); which of two equal routes takes a packet is then open.
func peeringOverlap(r *reader, found sink) {
	for _, v := range r.e.VNets {
		for _, l := range r.links(v) {
			if !l.up() || v.ID.Key() > l.remote.ID.Key() || l.local.CompleteVNets == model.Off {
				continue
			}
			if a, b, ok := overlapping(v.Prefixes, l.remote.Prefixes); ok {
				found(fact{
					subject: r.peering(v, l.local), origin: l.local.Source,
					text:   fmt.Sprintf("%s has %s and its peer %s has %s: address spaces of peered VNets must not overlap, and verdicts about these addresses follow both.", r.vnet(v), a, r.vnet(l.remote), b),
					remedy: "Export both VNets at one time; give one of them other ranges.",
				})
			}
		}
	}
}

// peersOverlap: two VNets that one is peered with have the same addresses. Whether the platform accepts that is not confirmed; packets may go
// to either (AZ-RT-25).
func peersOverlap(r *reader, found sink) {
	for _, v := range r.e.VNets {
		links := r.links(v)
		for i, x := range links {
			for _, y := range links[i+1:] {
				if !x.up() || !y.up() || x.local.CompleteVNets == model.Off || y.local.CompleteVNets == model.Off {
					continue
				}
				if a, b, ok := overlapping(x.remote.Prefixes, y.remote.Prefixes); ok {
					found(fact{
						subject: r.vnet(v), origin: y.local.Source,
						text:   fmt.Sprintf("It is peered with %s (%s) and %s (%s), whose ranges overlap: packets to these addresses may go to either, and verdicts follow both.", r.vnet(x.remote), a, r.vnet(y.remote), b),
						remedy: "Give one of the two other ranges.",
					})
				}
			}
		}
	}
}

// overlapping returns the first two ranges that have addresses in common.
func overlapping(as, bs []netip.Prefix) (a, b netip.Prefix, ok bool) {
	for _, x := range as {
		for _, y := range bs {
			if x.Overlaps(y) {
				return x, y, true
			}
		}
	}
	return a, b, false
}
