package trace

import (
	"github.com/ringfence/ringfence/model"
)

// serverRoutes are the routes that appliances advertise to the Route Servers of a VNet, or of a peer whose gateways it uses: prefixes that
// the input does not state, with the appliance as next hop (AZ-RS-01, AZ-RS-02).
func (w *world) serverRoutes(h *host) []route {
	if h.vnet == nil {
		return nil
	}
	homes := []*model.VNet{h.vnet}
	for _, l := range w.links(h.vnet) {
		if l.remote != nil && l.peering.UseRemoteGateways == model.On && l.back != nil && l.back.AllowGatewayTransit == model.On {
			homes = append(homes, l.remote)
		}
	}
	var out []route
	for _, v := range homes {
		for _, rs := range w.e.RouteServers {
			if !w.inVNet(rs.Subnet, v) {
				continue
			}
			r := route{origin: gatewayRoute, name: rs.Name(), source: rs.Source, why: []string{"ASM-RS"}}
			if len(rs.Peers) == 0 {
				out = append(out, r) // appliances that the input does not name
			}
			for _, p := range rs.Peers {
				r.hop, r.address = model.HopAppliance, p.Address
				out = append(out, r)
			}
		}
	}
	return out
}
