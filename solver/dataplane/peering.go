package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
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
		if !connected(local.State) {
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
	slices.SortStableFunc(out, func(a, b peerLink) int { return strings.Compare(a.remoteID.Key(), b.remoteID.Key()) })
	return out
}

// connected reads a peering state; a template has none and means to connect.
func connected(state string) bool { return state == "" || strings.EqualFold(state, "Connected") }

// prefixes are the remote ranges that are routed: those of now and of the last sync (AZ-PEER-10).
func (l peerLink) prefixes() []netip.Prefix {
	var out []netip.Prefix
	if l.remote != nil && !l.remote.Partial {
		out = append(out, l.remote.Prefixes...)
	} else {
		out = append(out, l.local.RemotePrefixes...)
		if l.remote != nil {
			out = append(out, l.remote.Prefixes...)
		}
	}
	out = append(out, l.local.SyncedPrefixes...)
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}

// partial reports a subnet peering (AZ-PEER-14).
func (l peerLink) partial() bool { return l.local.CompleteVNets == model.Off }

// remoteSubnetPrefixes are the ranges of the peered remote subnets of a subnet peering.
func (l peerLink) remoteSubnetPrefixes(e *model.Estate) []netip.Prefix {
	return subnetPrefixes(e, l.remoteID, l.local.RemoteSubnets)
}

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
	if via != "" && l.remote != nil && !isGateway(via) && l.remoteSide.AllowForwarded != model.On {
		// AZ-PEER-05: whether the flag drops packets that did not originate in the peer is contradicted by the documentation.
		local := p.addr.set(l.vnet.Prefixes)
		g = and(g, between(everything(), srcIn(local.must)))
		notes = append(notes, "ASM-FWD")
	}
	return g, notes
}

// crossing is the guard of a packet that crosses the peering to its destination in the remote VNet.
func (p *planner) crossing(l peerLink, via string) (guard, []string) {
	g, notes := p.carried(l, via)
	if l.partial() {
		// AZ-PEER-14: only listed pairs talk. AZ-PEER-15: other local subnets have the route too and are said to be cut off later.
		local, remote := p.addr.set(l.localSubnetPrefixes(p.e)), p.addr.set(l.remoteSubnetPrefixes(p.e))
		g = and(g, between(dstIn(remote.may), both(dstIn(remote.must), srcIn(local.must))))
		notes = append(notes, "ASM-SUBNETPEER")
	}
	if l.local.OnlyIPv6 == model.On {
		v6 := p.addr.v6
		g = and(g, exactly(later(func(c *compiler) packet.Set { return c.s.Box(packet.Box{Dst: c.u.Addrs(v6)}) })))
	}
	return g, notes
}
