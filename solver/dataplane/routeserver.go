package dataplane

import (
	"slices"

	"github.com/ringfence/ringfence/model"
)

// hopRouteServer stands for the appliances of a Route Server that the input does not name.
const hopRouteServer model.NextHopType = "Route Server"

// routeServers are the Route Servers whose routes a VNet has: its own, and those that it uses through a peering (AZ-PEER-06).
func (p *planner) routeServers(v *model.VNet) []*model.RouteServer {
	in := func(home model.ID) (out []*model.RouteServer) {
		for _, rs := range p.e.RouteServers {
			if rs.Subnet != "" && rs.Subnet.Parent().Key() == home.Key() {
				out = append(out, rs)
			}
		}
		return out
	}
	out := in(v.ID)
	for _, l := range p.peers(v) {
		if l.local.UseRemoteGateways == model.On && l.remoteSide.AllowGatewayTransit == model.On {
			out = append(out, in(l.remoteID)...)
		}
	}
	slices.SortFunc(out, func(a, b *model.RouteServer) int { return a.ID.Compare(b.ID) })
	return slices.CompactFunc(out, func(a, b *model.RouteServer) bool { return a.ID.Key() == b.ID.Key() })
}

// advertised are the routes that appliances advertise to Route Servers: of any prefix, because they are not in the input, with the
// appliance as next hop (AZ-RS-01, AZ-RS-02).
func (p *planner) advertised(v *model.VNet) []route {
	var out []route
	add := func(h hop) {
		out = append(out, route{prefix: allV4(), origin: gatewayRoute, hop: h, learned: true, note: "ASM-RS"}) // AZ-V6-05
	}
	for _, rs := range p.routeServers(v) {
		for _, peer := range rs.Peers {
			add(hop{kind: model.HopAppliance, addr: peer.Address})
		}
		if len(rs.Peers) == 0 {
			add(hop{kind: hopRouteServer})
		}
	}
	return out
}
