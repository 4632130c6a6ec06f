package trace

import (
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// nicID is the NIC of a host; empty where it is none of the input's.
func (h *host) nicID() model.ID {
	if h.nic == nil {
		return ""
	}
	return h.nic.ID
}

// nobody is the next hop of a row behind which the input shows nobody.
const nobody model.NextHopType = "not in the input"

// importedTable is the effective table of a NIC as the platform printed it (AZ-RT-33): its active rows, and the computed routes of a
// family that no row mentions. ok is false where the input has none.
func (w *world) importedTable(h *host, computed func() []route) (out []route, ok bool) {
	rows := w.e.RoutesAt(h.nicID())
	if rows == nil {
		return nil, false
	}
	mentioned := familiesOf(rows)
	endpoints := false
	for _, r := range rows.Routes {
		if !r.Active {
			continue
		}
		endpoints = endpoints || r.NextHop == model.HopServiceEndpoint
		for _, p := range r.Prefixes {
			out = append(out, w.importedRow(h, r, p, "")...)
		}
		for _, tag := range r.Tags {
			out = append(out, w.importedRow(h, r, netip.Prefix{}, tag)...)
		}
	}
	for _, r := range computed() {
		switch {
		case r.service != nil && endpoints: // whose prefixes these are stands in no row
			out = append(out, r)
		case r.prefix.IsValid() && !mentioned[r.prefix.Addr().BitLen()]:
			out = append(out, r)
		}
	}
	return out, true
}

func familiesOf(t *model.EffectiveRoutes) map[int]bool {
	out := map[int]bool{}
	for _, r := range t.Routes {
		for _, p := range r.Prefixes {
			out[p.Addr().BitLen()] = true
		}
	}
	return out
}

// importedRow gives a row's prefix its next hops: one for each appliance, peer, gateway or endpoint that it may mean.
func (w *world) importedRow(h *host, row model.EffectiveRoute, p netip.Prefix, tag string) []route {
	base := route{prefix: p, tag: tag, hop: row.NextHop, name: row.Name, source: row.Source, certain: true}
	switch row.From {
	case "User":
		base.origin = userRoute
		if rt, ok := w.routeTable(h.subnet); ok && rt != nil {
			base.table = rt.Name()
		}
	case "VirtualNetworkGateway":
		base.origin = gatewayRoute
	default:
		base.inside = row.NextHop == model.HopVnetLocal || row.NextHop == model.HopPeering || row.NextHop == model.HopGlobalPeering || row.NextHop == model.HopConnectedGroup
	}
	var out []route
	switch row.NextHop {
	case model.HopAppliance:
		for _, a := range row.Addresses {
			r := base
			r.address = a
			out = append(out, r)
		}
	case model.HopPeering, model.HopGlobalPeering:
		for _, l := range w.links(h.vnet) {
			if p.IsValid() && slices.ContainsFunc(w.wholePeer(l), func(x peerPrefix) bool { return x.prefix.Overlaps(p) }) {
				r := base
				r.link = &l
				out = append(out, r)
			}
		}
	case model.HopConnectedGroup:
		all := w.groupLinks(h.vnet)
		for _, l := range all {
			if p.IsValid() && slices.ContainsFunc(w.groupPrefixes(l, all), func(x peerPrefix) bool { return x.prefix.Overlaps(p) }) {
				r := base
				r.link = &l
				out = append(out, r)
			}
		}
	case model.HopGateway:
		if base.origin == gatewayRoute {
			for _, a := range row.Addresses { // AZ-RT-05: an appliance, announced by a route server
				if a.IsPrivate() && !w.gatewayInstance(h.vnet, a) {
					r := base
					r.hop, r.address = model.HopAppliance, a
					out = append(out, r)
				}
			}
			if len(out) > 0 {
				return out
			}
		}
		for _, use := range w.gatewaysOf(h.vnet) {
			if base.origin == userRoute || w.stated(use.gateway, p) {
				r := base
				r.gateway, r.link = use.gateway, use.link
				out = append(out, r)
			}
		}
		if base.origin == gatewayRoute {
			for _, a := range w.attachmentsOf(h.vnet) { // AZ-WAN-05
				if a.hub != nil {
					r := base
					r.hub = a
					out = append(out, r)
				}
			}
		}
	case model.HopPrivateEndpoint:
		if p.IsValid() && p.IsSingleIP() {
			list, via := w.endpointsAt(h.vnet, p.Addr())
			for i, e := range list {
				r := base
				r.endpoint, r.link = e, &via[i]
				out = append(out, r)
			}
		}
	default:
		return []route{base}
	}
	if len(out) == 0 {
		base.hop, base.why = nobody, []string{"ASM-NEXTHOP"}
		out = append(out, base)
	}
	return out
}

// stated reports whether a prefix lies in one that a connection of the gateway, or its client pool, states: all else it learned.
func (w *world) stated(g *model.Gateway, p netip.Prefix) bool {
	return p.IsValid() && slices.ContainsFunc(w.gatewayPrefixes(g), func(r reach) bool {
		return r.prefix.IsValid() && r.prefix.Bits() <= p.Bits() && r.prefix.Contains(p.Addr())
	})
}

// gatewayInstance reports whether an address lies in the subnet of a gateway that the VNet uses.
func (w *world) gatewayInstance(v *model.VNet, a netip.Addr) bool {
	for _, use := range w.gatewaysOf(v) {
		if s, ok := model.Get[*model.Subnet](w.e, use.gateway.Subnet); ok && prefixSet(s.Prefixes...).Contains(a) {
			return true
		}
	}
	return slices.ContainsFunc(w.attachmentsOf(v), func(x *attachment) bool {
		return x.hub != nil && x.hub.Prefix.IsValid() && x.hub.Prefix.Contains(a)
	})
}

// learned is what imported effective rules say of the tags that are computed at a NIC (AZ-TAG-04).
type learned struct {
	said            *netipx.IPSet // every address of the families that the expansions of VirtualNetwork mention
	least, most     *netipx.IPSet // in all expansions, in any
	internet        bool
	netSaid         *netipx.IPSet
	netLeast, netIn *netipx.IPSet
}

// learn replaces what the table of AZ-TAG-01 gives, for the families that the expansions mention. Expansions of one tag that differ
// leave an uncertain row.
func (v *view) learn(rules *model.EffectiveRules) {
	l := &learned{}
	if lists, ok := rules.Content("Internet"); ok {
		l.internet = true
		l.netLeast, l.netIn, l.netSaid = expansions(lists)
	}
	v.learned = l
	lists, ok := rules.Content("VirtualNetwork")
	if !ok {
		return
	}
	l.least, l.most, l.said = expansions(lists)
	for i := range v.rows {
		v.rows[i].but = l.said
	}
	var differ netipx.IPSetBuilder
	differ.AddSet(l.most)
	differ.RemoveSet(l.least)
	if r := (row{set: built(&differ), because: []string{"ASM-VNETTAG"}, what: "some imported effective rules"}); !r.empty() {
		v.rows = append(v.rows, r)
	}
}

func expansions(lists [][]netip.Prefix) (least, most, said *netipx.IPSet) {
	var all, whole netipx.IPSetBuilder
	for i, list := range lists {
		set := prefixSet(list...)
		if i == 0 {
			least = set
		} else {
			var b netipx.IPSetBuilder
			b.AddSet(least)
			b.Intersect(set)
			least = built(&b)
		}
		all.AddSet(set)
		for _, p := range list {
			whole.AddPrefix(netip.PrefixFrom(p.Addr(), 0).Masked())
		}
	}
	return least, built(&all), built(&whole)
}
