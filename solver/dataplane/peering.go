package dataplane

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// peerLink is a peering that may carry traffic, seen from one VNet.
type peerLink struct {
	vnet       *model.VNet
	local      model.Peering
	remoteSide model.Peering // the remote VNet's object; zero when the input lacks it
	remoteID   model.ID
	remote     *model.VNet // nil when the input lacks it
	certain    bool        // both sides are Connected (AZ-PEER-01)
}

// peers lists the peerings of a VNet that may carry traffic, in the order of the remote ID.
func (p *planner) peers(v *model.VNet) []peerLink {
	links, ok := p.links[v]
	if !ok {
		links = p.peersOf(v)
		p.links[v] = links
	}
	return links
}

func (p *planner) peersOf(v *model.VNet) []peerLink {
	var out []peerLink
	for _, local := range v.Peerings {
		if !connected(local.State) || local.Hub && len(p.linksOf(v)) > 0 { // the platform's side of a connection to a hub (AZ-WAN-05)
			continue
		}
		l := peerLink{vnet: v, local: local, remoteID: local.Remote}
		l.remote, _ = model.Get[*model.VNet](p.e, local.Remote)
		switch {
		case l.remote == nil || l.remote.Partial:
			// The far object is not in the input; Connected says that it exists.
			l.certain = strings.EqualFold(local.State, "Connected")
		default:
			found := false
			for _, back := range l.remote.Peerings {
				if back.Remote.Is(v.ID) {
					l.remoteSide, found = back, true
				}
			}
			if found && !connected(l.remoteSide.State) {
				continue // AZ-PEER-01: Disconnected on one side is no path
			}
			if !found && !strings.EqualFold(local.State, "Connected") {
				continue
			}
			l.certain = found
		}
		out = append(out, l)
	}
	named := map[string]bool{v.ID.Key(): true}
	for _, x := range v.Peerings {
		named[x.Remote.Key()] = true
	}
	for _, w := range p.e.VNets {
		// AZ-PEER-01: an object is Connected only where the other one exists, so that the input lacks this VNet's; what it says is not known.
		if named[w.ID.Key()] {
			continue
		}
		for _, back := range w.Peerings {
			if back.Remote.Compare(v.ID) == 0 && strings.EqualFold(back.State, "Connected") {
				out = append(out, peerLink{vnet: v, local: model.Peering{Remote: w.ID}, remoteSide: back, remoteID: w.ID, remote: w})
				break
			}
		}
	}
	slices.SortStableFunc(out, func(a, b peerLink) int { return a.remoteID.Compare(b.remoteID) })
	return out
}

// strangers are the VNets that a VNet could be peered with and is not, among those of the question: their ranges do not meet (AZ-PEER-01).
func (p *planner) strangers(v *model.VNet) []*model.VNet {
	if v == nil || v.Partial || !p.o.Peerable[v.ID.Key()] {
		return nil
	}
	var out []*model.VNet
	for _, w := range p.e.VNets {
		grouped := slices.ContainsFunc(p.groups[v.ID.Key()], func(l groupLink) bool { return l.remote == w })
		if p.o.Peerable[w.ID.Key()] && !w.Partial && w.ID.Key() != v.ID.Key() && !grouped && !p.linked(v, w.ID.Key()) && !ipset(v.Prefixes).Overlaps(ipset(w.Prefixes)) {
			out = append(out, w)
		}
	}
	return out
}

// peeringPart is the peering that two VNets do not have, or that is not connected.
func peeringPart(v, w *model.VNet) Part {
	a, b := v, w
	if b.ID.Key() < a.ID.Key() {
		a, b = b, a
	}
	part := Part{Key: "peering|" + a.ID.Key() + "|" + b.ID.Key(), Detail: a.Name() + " and " + b.Name() + " are not peered", Source: a.Source, Open: "a peering of the two"}
	for _, end := range []struct{ here, there *model.VNet }{{b, a}, {a, b}} {
		for _, x := range end.here.Peerings {
			if x.Remote.Key() == end.there.ID.Key() && (part.Rule == "" || !connected(x.State)) {
				part.Rule, part.Source = end.here.Name()+"/virtualNetworkPeerings/"+x.Name, x.Source
				part.Detail = "the peering is " + cmp.Or(x.State, "stated on one side alone")
				part.Open = "both sides of the peering Connected"
			}
		}
	}
	return part
}

// unpeered leads from a subnet's routes into the VNets that could be peered with its own. A user route that is at least as long wins over
// the routes of a peering (AZ-RT-19).
func (p *planner) unpeered(from NodeID, v *model.VNet, subnet model.ID, via string) {
	strangers := p.strangers(v)
	if len(strangers) == 0 {
		return
	}
	routes, _ := p.candidates(subnet, "")
	for _, w := range strangers {
		to := ipset(w.Prefixes)
		for _, r := range routes {
			if r.origin == userRoute && r.tag == "" && slices.ContainsFunc(w.Prefixes, func(x netip.Prefix) bool { return x.Overlaps(r.prefix) && r.prefix.Bits() >= x.Bits() }) {
				to = minusSet(to, ipset([]netip.Prefix{r.prefix}))
			}
		}
		part := peeringPart(v, w)
		k := Control{Key: part.Key, Name: "peering", Stage: "route", Place: model.Place{Kind: model.PlaceSubnet, ID: subnet}}
		p.hypothesis(from, p.fabric(w, via), and(exactly(dstIn(p.addr.space(to).may)), closed(k, part)))
	}
}

// widened is what an NSG lets pass besides once a VNet is peered, because the VirtualNetwork tag then holds its ranges (AZ-TAG-01).
func (p *planner) widened(ctx *subnetContext, now *lazy, evaluate func(*subnetContext) guard) *partList {
	strangers := p.strangers(ctx.vnet)
	over := make([]*lazy, len(strangers))
	for i, w := range strangers {
		c := *ctx
		c.readings, c.key = nil, ctx.key+"|with "+w.ID.Key()
		c.must, c.own = unionSet(ctx.must, ipset(w.Prefixes)), unionSet(ctx.own, ipset(w.Prefixes))
		over[i] = evaluate(&c).over
	}
	return partsLater(func(c *compiler) []Part {
		var out []Part
		for i, w := range strangers {
			part := peeringPart(ctx.vnet, w)
			part.Beside, part.Stage, part.Set = true, "route", c.s.Subtract(over[i].get(c), now.get(c))
			if !part.Set.Empty() {
				out = append(out, part)
			}
		}
		return out
	})
}

// connected reads a peering state; a template has none and means to connect.
func connected(state string) bool { return state == "" || strings.EqualFold(state, "Connected") }

// peerRange is a range of a peer's address space; certain is false where it may not be routed yet, or no more.
type peerRange struct {
	prefix  netip.Prefix
	certain bool
}

// whole is the remote address space that the peering covers: the ranges of now and of the last sync, certain where both agree
// (AZ-PEER-10).
func (l peerLink) whole() []peerRange {
	var now []netip.Prefix
	if l.remote != nil {
		now = append(now, l.remote.Prefixes...)
	}
	if l.remote == nil || l.remote.Partial {
		now = append(now, l.local.RemotePrefixes...)
	}
	var out []peerRange
	for _, x := range append(slices.Clone(now), l.local.SyncedPrefixes...) {
		if l.local.OnlyIPv6 == model.On && x.Addr().Is4() {
			continue
		}
		synced := len(l.local.SyncedPrefixes) == 0 || slices.Contains(l.local.SyncedPrefixes, x)
		out = append(out, peerRange{x, synced && slices.Contains(now, x)})
	}
	slices.SortFunc(out, func(a, b peerRange) int { return a.prefix.Compare(b.prefix) })
	return slices.Compact(out)
}

// ranges are what the peering routes to: the whole remote space, or that of the peered subnets (AZ-PEER-14). A subnet that the input
// lacks may have any of it.
func (l peerLink) ranges(e *model.Estate) []peerRange {
	if !l.partial() {
		return l.whole()
	}
	var out []peerRange
	for _, name := range l.local.RemoteSubnets {
		ps := subnetPrefixes(e, l.remoteID, []string{name})
		for _, x := range ps {
			if l.local.OnlyIPv6 != model.On || x.Addr().Is6() {
				out = append(out, peerRange{x, true})
			}
		}
		if len(ps) == 0 {
			for _, x := range l.whole() {
				out = append(out, peerRange{x.prefix, false})
			}
		}
	}
	return out
}

// prefixes are all remote ranges that may be routed.
func (l peerLink) prefixes() []netip.Prefix {
	var out []netip.Prefix
	for _, r := range l.whole() {
		out = append(out, r.prefix)
	}
	return out
}

// partial reports a subnet peering (AZ-PEER-14).
func (l peerLink) partial() bool { return l.local.CompleteVNets == model.Off }

func (l peerLink) localSubnetPrefixes(e *model.Estate) []netip.Prefix {
	return subnetPrefixes(e, l.vnet.ID, l.local.LocalSubnets)
}

func subnetPrefixes(e *model.Estate, vnet model.ID, names []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range e.Subnets {
		if s.VNet.Key() != vnet.Key() {
			continue
		}
		for _, n := range names {
			if strings.EqualFold(n, s.Name()) {
				out = append(out, s.Prefixes...)
			}
		}
	}
	return out
}

// carried is the guard of a packet that the peering takes from l.vnet into the remote VNet, whatever its destination.
func (p *planner) carried(l peerLink, via string) (guard, []string) {
	var g guard
	var notes []string
	if !l.certain {
		g.under = nothing()
	}
	// A gateway in transit needs no such flag (AZ-PEER-06); without the pair of flags, text and examples differ (AZ-PEER-07).
	transit := isGateway(via) && l.local.AllowGatewayTransit == model.On && l.remoteSide.UseRemoteGateways == model.On
	if via != "" && l.remote != nil && !transit && l.remoteSide.AllowForwarded != model.On {
		// AZ-PEER-05: whether the flag drops packets that did not originate in the peer is contradicted by the documentation.
		local := p.addr.set(l.vnet.Prefixes)
		g = and(g, between(everything(), srcIn(local.must)))
		notes = append(notes, "ASM-FWD")
	}
	return g, notes
}

// crossing is the guard of a packet that crosses the peering to its destination in the remote VNet.
func (p *planner) crossing(l peerLink, subnet model.ID, via string) (guard, []string) {
	g, notes := p.carried(l, via)
	if l.partial() {
		// AZ-PEER-14: only listed pairs talk. AZ-PEER-15: other local subnets have the route too and are said to be cut off later.
		var certain, possible []netip.Prefix
		for _, r := range l.ranges(p.e) {
			possible = append(possible, r.prefix)
			if r.certain {
				certain = append(certain, r.prefix)
			}
		}
		sent := srcIn(p.addr.set(l.localSubnetPrefixes(p.e)).must)
		if via == "" && slices.ContainsFunc(l.local.LocalSubnets, func(n string) bool { return strings.EqualFold(n, subnet.Name()) }) {
			sent = everything() // the subnet's own hosts, whatever their addresses
		}
		g = and(g, between(dstIn(p.addr.set(possible).may), both(dstIn(p.addr.set(certain).must), sent)))
		notes = append(notes, "ASM-SUBNETPEER")
	}
	return g, notes
}
