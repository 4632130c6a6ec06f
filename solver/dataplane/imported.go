package dataplane

import (
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// importedRoutes are the active rows of a NIC's effective routes as the platform printed them, in place of the computed table
// (AZ-RT-33). Of a family that the rows do not mention the computed routes stand.
func (p *planner) importedRoutes(v *model.VNet, t *model.EffectiveRoutes, computed []route) []route {
	var out []route
	families := t.Families()
	for _, r := range computed {
		if r.prefix.IsValid() && !families[r.prefix.Addr().BitLen()] {
			out = append(out, r)
		}
	}
	for _, row := range t.Routes {
		if !row.Active {
			continue
		}
		for _, tag := range row.Tags {
			for _, h := range p.importedHops(v, row, netip.Prefix{}) {
				h.tag = tag
				out = append(out, h)
			}
		}
		for _, x := range row.Prefixes {
			out = append(out, p.importedHops(v, row, x)...)
		}
	}
	return out
}

// importedHops are the routes of one row for one prefix: one for each next hop that it may have.
func (p *planner) importedHops(v *model.VNet, row model.EffectiveRoute, x netip.Prefix) []route {
	r := route{prefix: x, origin: systemRoute, certain: true, name: row.Name, source: row.Source, hop: hop{kind: row.NextHop}}
	switch row.From {
	case "User":
		r.origin = userRoute
	case "VirtualNetworkGateway":
		r.origin = gatewayRoute
	}
	var out []route
	add := func(h hop, l *peerLink) {
		s := r
		s.hop, s.peer = h, l
		out = append(out, s)
	}
	switch row.NextHop {
	case model.HopAppliance:
		for _, a := range row.Addresses {
			add(hop{kind: model.HopAppliance, addr: a}, nil) // AZ-RT-24: any of several may be used
		}
	case model.HopPeering, model.HopGlobalPeering:
		for _, l := range p.peers(v) {
			if slices.ContainsFunc(l.prefixes(), func(y netip.Prefix) bool { return y.Overlaps(x) }) {
				add(hop{kind: row.NextHop, peer: l.remoteID.Key()}, &l)
			}
		}
	case model.HopConnectedGroup:
		for _, l := range p.joined(v) {
			if slices.ContainsFunc(l.prefixes, func(y netip.Prefix) bool { return y.Overlaps(x) }) {
				add(hop{kind: row.NextHop, peer: l.remote.ID.Key()}, nil)
			}
		}
	case model.HopGateway:
		for _, a := range row.Addresses {
			if r.origin == gatewayRoute && a.IsPrivate() && !p.inGatewaySubnet(v, a) {
				add(hop{kind: model.HopAppliance, addr: a}, nil) // AZ-RT-05: an appliance that a route server announces
			}
		}
		if len(out) > 0 {
			break
		}
		for _, use := range p.gatewaysOf(v) {
			// What the gateway's connections do not state, it learned from somewhere that the input does not say.
			if r.origin == userRoute || p.states(use.gw, x) {
				add(hop{kind: model.HopGateway, gateway: use.gw.ID}, nil)
				out[len(out)-1].use = &use
			}
		}
		for _, l := range p.linksOf(v) { // AZ-WAN-05
			if l.hub != nil && r.origin == gatewayRoute {
				add(hop{kind: model.HopGateway, gateway: l.hubID}, nil)
				out[len(out)-1].link = l
			}
		}
	case model.HopPrivateEndpoint:
		for _, e := range p.e.Endpoints {
			if x.IsSingleIP() && p.carriesTraffic(e) && p.near(v, e.Subnet.Parent()) && slices.Contains(p.endpointAddrs(e), x.Addr()) {
				add(hop{kind: model.HopPrivateEndpoint, endpoint: e.ID}, nil)
			}
		}
	default:
		add(r.hop, nil)
	}
	if len(out) == 0 {
		r.hop, r.note = hop{kind: hopMissing}, "ASM-NEXTHOP" // who stands behind the row is not in the input
		out = append(out, r)
	}
	return out
}

// states reports whether a prefix lies in one that a connection of a gateway, or its client pool, states.
func (p *planner) states(g *model.Gateway, x netip.Prefix) bool {
	return slices.ContainsFunc(p.farSides(g), func(f farSide) bool {
		return slices.ContainsFunc(f.stated(), func(y netip.Prefix) bool { return y.Bits() <= x.Bits() && y.Contains(x.Addr()) })
	})
}

// inGatewaySubnet reports whether an address is one of the gateways' instances.
func (p *planner) inGatewaySubnet(v *model.VNet, a netip.Addr) bool {
	inHub := slices.ContainsFunc(p.linksOf(v), func(l *hubLink) bool { return l.hub != nil && l.hub.Prefix.IsValid() && l.hub.Prefix.Contains(a) })
	return inHub || slices.ContainsFunc(p.gatewaysOf(v), func(use gatewayUse) bool {
		s, _ := p.e.SubnetOf(use.gw.Subnet)
		return s != nil && slices.ContainsFunc(s.Prefixes, func(x netip.Prefix) bool { return x.Contains(a) })
	})
}

// near reports whether a VNet is one, is peered with it, or shares a connected group with it.
func (p *planner) near(v *model.VNet, id model.ID) bool {
	return v.ID.Is(id) || slices.ContainsFunc(p.peers(v), func(l peerLink) bool { return l.remoteID.Is(id) }) ||
		slices.ContainsFunc(p.joined(v), func(l groupLink) bool { return l.remote.ID.Is(id) })
}

// hopsTo reports whether an effective table has an active row with a next hop.
func hopsTo(t *model.EffectiveRoutes, kind model.NextHopType) bool {
	return slices.ContainsFunc(t.Routes, func(r model.EffectiveRoute) bool { return r.Active && r.NextHop == kind })
}

// learn takes over what imported effective rules say of the tags that are computed at the NIC: the expansions replace what the table of
// AZ-TAG-01 gives, for each family that they mention (AZ-TAG-04). Several expansions of one tag that differ leave their difference open.
func (c *subnetContext) learn(rules *model.EffectiveRules) {
	c.internetLeast, c.internetMost = c.internet()
	if lists, ok := rules.Content("VirtualNetwork"); ok {
		least, most, space := expansionBounds(lists)
		open := minusSet(most, least)
		rest := func(s *netipx.IPSet) *netipx.IPSet { return minusSet(s, space) }
		c.must = unionSet(rest(c.must), least)
		var parts []tagPart
		for _, t := range c.parts {
			if set := rest(t.set); !contains(c.must, set) {
				parts = append(parts, tagPart{set: set, tags: t.tags, reason: t.reason, listed: set.Prefixes()})
			}
		}
		c.parts = parts
		c.known = []tagPart{{reason: "effective", listed: least.Prefixes()}}
		if other := rest(c.must); !isEmpty(other) {
			c.known = append(c.known, tagPart{reason: "own", listed: other.Prefixes()})
		}
		if !isEmpty(open) {
			c.parts = append(c.parts, tagPart{set: open, reason: "effective", listed: open.Prefixes()})
		}
		for i, all := range []netip.Prefix{allV4(), allV6()} {
			c.grown[i] = c.grown[i] && !space.ContainsPrefix(all)
		}
	}
	if lists, ok := rules.Content("Internet"); ok {
		least, most, space := expansionBounds(lists)
		c.internetLeast = unionSet(minusSet(c.internetLeast, space), least)
		c.internetMost = unionSet(minusSet(c.internetMost, space), most)
		c.internetSaid = space
	} else {
		c.internetSaid = ipset(nil)
	}
}

// expansionBounds is what all expansions hold, what any holds, and the whole space of the families that they mention.
func expansionBounds(lists [][]netip.Prefix) (least, most, space *netipx.IPSet) {
	least, most, space = ipset(lists[0]), ipset(nil), ipset(nil)
	for _, l := range lists {
		least, most = intersectSet(least, ipset(l)), unionSet(most, ipset(l))
		for _, x := range l {
			if x.Addr().Is4() {
				space = unionSet(space, ipset([]netip.Prefix{allV4()}))
			} else {
				space = unionSet(space, ipset([]netip.Prefix{allV6()}))
			}
		}
	}
	return least, most, space
}
