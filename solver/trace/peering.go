package trace

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// link is a peering that carries traffic, seen from one VNet.
type link struct {
	from    *model.VNet
	peering *model.Peering
	remote  *model.VNet    // nil: the input lacks it
	id      model.ID       // of the remote VNet
	back    *model.Peering // the other side's object; nil: the input lacks it
	certain bool
	group   bool     // no peering: both are members of a connected group (AZ-AVNM-11)
	why     []string // of a group that is not certain
}

// links lists the peerings of a VNet that carry traffic: both objects, both Connected (AZ-PEER-01). An empty state is that of a
// template, which connects when it is deployed. Where the input lacks the remote VNet, its object is not known to be missing.
func (w *world) links(v *model.VNet) []link {
	var out []link
	for i := range v.Peerings {
		p := &v.Peerings[i]
		if !connected(p.State) || same(p.Remote, v.ID) || p.Hub && len(w.attachmentsOf(v)) > 0 { // AZ-WAN-05
			continue
		}
		l := link{from: v, peering: p, id: p.Remote, certain: true}
		l.remote, _ = model.Get[*model.VNet](w.e, p.Remote)
		if l.remote != nil {
			l.back = peeringTo(l.remote, v.ID)
		}
		switch {
		case l.back != nil && !connected(l.back.State):
			continue
		case l.back == nil && l.remote != nil && !l.remote.Partial && !fold(p.State, "Connected"):
			continue // one object alone is no path; a Connected one is not alone, whatever the input lacks
		case l.back == nil:
			// Connected says that a far object which the input lacks exists; where the input has that VNet without it, it contradicts itself.
			l.certain = (l.remote == nil || l.remote.Partial) && fold(p.State, "Connected")
		}
		out = append(out, l)
	}
	for _, r := range w.e.VNets { // AZ-PEER-01: the far object is Connected, so that this VNet has one which the input lacks
		if same(r.ID, v.ID) || peeringTo(v, r.ID) != nil {
			continue
		}
		if back := peeringTo(r, v.ID); back != nil && fold(back.State, "Connected") {
			out = append(out, link{from: v, peering: &model.Peering{Name: "from-" + r.Name(), Remote: r.ID}, id: r.ID, remote: r, back: back})
		}
	}
	return out
}

func connected(state string) bool { return state == "" || fold(state, "Connected") }

func peeringTo(v *model.VNet, id model.ID) *model.Peering {
	for i := range v.Peerings {
		if same(v.Peerings[i].Remote, id) {
			return &v.Peerings[i]
		}
	}
	return nil
}

// subnets reports subnet peering (AZ-PEER-14).
func (l link) subnets() bool { return l.peering.CompleteVNets == model.Off }

// global reports a peering across regions (AZ-RT-05).
func (l link) global() bool {
	return l.remote != nil && l.remote.Location != "" && l.from.Location != "" && model.Region(l.remote.Location) != model.Region(l.from.Location)
}

// reachesBasic says whether frontends of Basic load balancers are reached over the peering (AZ-PEER-13).
func (l link) reachesBasic() match {
	if l.global() {
		return no()
	}
	return yes()
}

// peerPrefix is a range of a peer, and whether it is surely routed.
type peerPrefix struct {
	prefix  netip.Prefix
	certain bool
}

// wholePeer lists all address ranges of the peer: the current ones and, until a sync, those of the last sync (AZ-PEER-10).
func (w *world) wholePeer(l link) []peerPrefix {
	var out []peerPrefix
	var current []netip.Prefix
	if l.remote != nil {
		current = append(current, l.remote.Prefixes...)
	}
	if l.remote == nil || l.remote.Partial {
		current = append(current, l.peering.RemotePrefixes...)
	}
	for _, p := range current {
		out = append(out, peerPrefix{p, len(l.peering.SyncedPrefixes) == 0 || slices.Contains(l.peering.SyncedPrefixes, p)})
	}
	for _, p := range l.peering.SyncedPrefixes {
		if !slices.Contains(current, p) {
			out = append(out, peerPrefix{p, false})
		}
	}
	if l.peering.OnlyIPv6 == model.On {
		out = slices.DeleteFunc(out, func(p peerPrefix) bool { return p.prefix.Addr().Is4() })
	}
	return out
}

// peerPrefixes lists the ranges that the peering routes to: of the whole VNet, or of the subnets that are peered (AZ-PEER-14).
func (w *world) peerPrefixes(l link) []peerPrefix {
	if !l.subnets() {
		return w.wholePeer(l)
	}
	var out []peerPrefix
	for _, name := range l.peering.RemoteSubnets {
		found := false
		if l.remote != nil {
			for _, s := range w.subnetsOf(l.remote) {
				if !fold(s.Name(), name) {
					continue
				}
				found = true
				for _, p := range s.Prefixes {
					if l.peering.OnlyIPv6 != model.On || p.Addr().Is6() {
						out = append(out, peerPrefix{p, true})
					}
				}
			}
		}
		if !found { // a subnet that the input lacks may have any range of the VNet
			for _, p := range w.wholePeer(l) {
				out = append(out, peerPrefix{p.prefix, false})
			}
		}
	}
	return out
}

// peersSubnet says whether a local subnet takes part in the peering. One that is not listed gets the route as well; whether its packets
// are dropped is not certain (AZ-PEER-15).
func (l link) peersSubnet(s *model.Subnet) match {
	if !l.subnets() || s == nil {
		return yes()
	}
	if slices.ContainsFunc(l.peering.LocalSubnets, func(name string) bool { return fold(name, s.Name()) }) {
		return yes()
	}
	return maybe("ASM-SUBNETPEER")
}

// neighbourhood lists the VNets that an address can be delivered in directly: the VNet itself and its peers (AZ-RT-08, AZ-PEER-12).
func (w *world) neighbourhood(v *model.VNet) []link {
	out := []link{{from: v, remote: v, id: v.ID, certain: true}}
	return append(out, w.links(v)...)
}

// crossPeering carries a packet over a peering. The receiving side's allowForwardedTraffic matters for packets that the near VNet
// did not originate: false is documented both as a mere tag matter and as a drop (AZ-PEER-05), so such a packet is delivered possibly
// and never reported as blocked. A gateway in transit needs no such flag (AZ-PEER-06).
func (t *tracer) crossPeering(c course, l link, at model.Place) course {
	detail := "peering " + l.peering.Name
	c = c.forward(at, Transport, detail)
	if !l.certain {
		c = c.uncertain()
	}
	origin := c.src.in(prefixSet(l.from.Prefixes...)) // of an address that is not stated, several ranges may hold it together
	transit := c.entry != nil && l.peering.AllowGatewayTransit == model.On && l.back != nil && l.back.UseRemoteGateways == model.On
	if !origin.must && !transit && (l.back == nil || l.back.AllowForwarded != model.On) {
		c = c.uncertain("ASM-FWD")
	}
	c.entry = nil
	return c
}
