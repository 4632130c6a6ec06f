package modeltest

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// routeServers draws Route Servers, with appliances that are machines of the estate, addresses that nobody has, or none that the input names.
func (d *draft) routeServers() {
	for i, v := range d.vnets {
		if d.one(2) {
			continue
		}
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 2, byte(64 + 8*i)}), 29)
		v.Prefixes = append(v.Prefixes, p)
		s := &model.Subnet{Meta: d.meta(v.ID + "/subnets/RouteServerSubnet"), VNet: v.ID, Prefixes: []netip.Prefix{p}, DefaultOutbound: d.setting()}
		s.Location = v.Location
		d.add(s)
		if d.has(WithPartial) && d.one(5) {
			continue // AZ-RS-03: its Route Server may be missing
		}
		rs := &model.RouteServer{Meta: d.meta(networkID("virtualHubs", d.name("rs", i))), Subnet: s.ID, BranchToBranch: choose(d, model.On, model.Off, model.NotStated)}
		rs.Location = v.Location
		for j := range d.IntN(3) {
			x := model.RoutePeer{Name: d.name("peer", j), Source: rs.Source, Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(d.IntN(96))})}
			if len(d.hops) > 0 && !d.one(4) {
				x.Address = choose(d, d.hops...)
			}
			rs.Peers = append(rs.Peers, x)
		}
		d.add(rs)
	}
	if !d.has(WithGateways) {
		d.transit() // AZ-PEER-06: a peer may use a Route Server as it uses a gateway
	}
}
