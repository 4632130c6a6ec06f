package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// Routebook reads effective route tables by themselves, apart from any graph. Left out are the routes of private endpoints and of service
// endpoints, which come before the others (AZ-RT-21, AZ-PE-05). Not safe for concurrent use.
type Routebook struct {
	p      *planner
	tables map[string]*RouteTable
}

// NewRoutebook reads what tables depend on. tags may be nil: the prefixes of service tags are not known then.
func NewRoutebook(e *model.Estate, tags *model.ServiceTags) *Routebook {
	return &Routebook{p: reader(e, tags), tables: map[string]*RouteTable{}}
}

// RouteTable is the effective table of a subnet's NICs.
type RouteTable struct {
	Ways []Way // by descending preference
	// Known is false where the input lacks the subnet, its VNet, or the route table that it names: nothing is certain then.
	Known bool
}

// Way is what one route of a table gets.
type Way struct {
	Hop     model.NextHopType
	Address netip.Addr // of a VirtualAppliance
	Gateway model.ID   // of a route that a gateway brings
	Peer    string     // key of the VNet that a peering's route leads to
	User    string     // name of the user route; empty for one of the system or of a gateway
	Prefix  netip.Prefix
	// Over is the destinations that the route may get, Certain those that leave by its next hop for certain (AZ-RT-34).
	Over, Certain *netipx.IPSet
}

func (w *Way) sameHop(o Way) bool {
	return o.Hop == w.Hop && o.Address == w.Address && o.Gateway == w.Gateway && o.Peer == w.Peer
}

// Table is the effective table of a subnet.
func (b *Routebook) Table(subnet model.ID) *RouteTable {
	if t, ok := b.tables[subnet.Key()]; ok {
		return t
	}
	t := b.table(subnet, "")
	b.tables[subnet.Key()] = t
	for _, nic := range b.p.observed[subnet.Key()] {
		if b.p.e.RoutesAt(nic) == nil {
			continue
		}
		// AZ-RT-33: at this NIC the printed table counts. Certain is what holds at each.
		seen := b.table(subnet, nic)
		for i := range t.Ways {
			w := &t.Ways[i]
			var alike []*netipx.IPSet
			for _, o := range seen.Ways {
				if w.sameHop(o) {
					alike = append(alike, o.Certain)
				}
			}
			w.Certain = intersectSet(w.Certain, unionSet(alike...))
		}
	}
	return t
}

// table is the effective table of one NIC of a subnet, or of those of which the input has no printed one.
func (b *Routebook) table(subnet, nic model.ID) *RouteTable {
	t := &RouteTable{}
	s, v := b.p.e.SubnetOf(subnet)
	if s == nil || v == nil || v.Partial {
		return t
	}
	routes, known := b.p.candidates(subnet, nic)
	t.Known = known && len(b.p.unknownGroups(v)) == 0
	inside, perhaps := b.p.systemSpace(routes, true), b.p.systemSpace(routes, false)
	taken, tagged := ipset(nil), ipset(nil)
	for _, r := range routes {
		if r.tag != "" {
			tagged = publicSpace() // whatever the tag holds
		}
	}
	certain := make([]bool, 0, len(routes))
	add := func(w Way, sure bool) { t.Ways, certain = append(t.Ways, w), append(certain, sure) }
	for _, g := range b.learning(s, v) {
		// AZ-RT-34, AZ-GW-06: routes of any length that the input does not state. They never beat those into the VNet and its peers.
		add(Way{Hop: model.HopGateway, Gateway: g, Over: minusSet(ipset([]netip.Prefix{allV4(), allV6()}), inside)}, false)
	}
	for start, end := 0, 0; start < len(routes); start = end {
		// AZ-RT-24, AZ-RT-25: of routes that nothing prefers one to the other, any may take the packet.
		for end = start + 1; end < len(routes) && routes[start].preferred(routes[end]) == 0; {
			end++
		}
		won := taken
		for first, last := start, start; first < end; first = last {
			// Routes alike take their destinations together: a service tag has thousands of prefixes.
			r := routes[first]
			var ps []netip.Prefix
			for ; last < end && alikeRoutes(routes[last], r); last++ {
				if r.tag == "" {
					ps = append(ps, routes[last].prefix)
				}
			}
			w := Way{Hop: r.hop.kind, Address: r.hop.addr, Gateway: r.hop.gateway, Peer: r.hop.peer, Prefix: r.prefix}
			set, sure := ipset(ps), ipset(ps)
			switch {
			case r.tag != "":
				set, sure = tagged, ipset(nil)
			case r.origin == gatewayRoute: // AZ-RT-20
				set, sure = minusSet(set, inside), minusSet(set, perhaps)
			case r.origin == userRoute && r.prefix.Bits() > 0:
				sure = minusSet(set, tagged) // a tag's prefix may be longer
			}
			if r.origin == userRoute {
				w.User = r.name
			}
			w.Over = minusSet(set, taken)
			add(w, r.certain && r.tag == "")
			if r.certain {
				won = unionSet(won, sure)
			}
		}
		taken = won
	}
	for i := range t.Ways {
		w := &t.Ways[i]
		w.Certain = ipset(nil)
		if !t.Known || !certain[i] {
			continue
		}
		w.Certain = intersectSet(w.Over, taken)
		for _, o := range t.Ways {
			if !w.sameHop(o) && !isEmpty(w.Certain) {
				w.Certain = minusSet(w.Certain, o.Over)
			}
		}
	}
	return t
}

// learning lists the gateways that may give a subnet routes which the input does not state.
func (b *Routebook) learning(s *model.Subnet, v *model.VNet) []model.ID {
	if table, ok := model.Get[*model.RouteTable](b.p.e, tableOf(s)); ok && table.DisableBGP == model.On {
		return nil // AZ-RT-26
	}
	var out []model.ID
	for _, use := range b.p.gatewaysOf(v) {
		if slices.ContainsFunc(b.p.farSides(use.gw), func(f farSide) bool { return f.learned != "" }) {
			out = append(out, use.gw.ID)
		}
	}
	return out
}

func alikeRoutes(a, b route) bool {
	return a.length() == b.length() && strings.EqualFold(a.tag, b.tag) && a.origin == b.origin && a.hop == b.hop && a.certain == b.certain && a.name == b.name
}
