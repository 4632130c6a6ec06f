package modeltest

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// gateways draws VPN and ExpressRoute gateways with their connections, clients and translations, and peerings in transit. Their subnets
// stand in ranges of their own, so that ordinary ones keep their places.
func (d *draft) gateways() {
	var vpn []*model.Gateway
	for i, v := range d.vnets {
		if d.one(3) {
			continue
		}
		subnet := d.gatewaySubnet(v, i)
		if !d.one(3) {
			vpn = append(vpn, d.vpnGateway(v, subnet, i))
		}
		if d.one(3) {
			d.circuitGateway(v, subnet, i)
		}
	}
	sites := d.sites()
	for _, g := range vpn {
		d.translations(g)
		for j := range d.upTo(0, 2) {
			d.toSite(g, choose(d, sites...), j)
		}
		if d.one(4) { // AZ-GW-08
			g.DefaultSite, g.AdvertisedDefault = choose(d, sites...).ID, model.On
		}
	}
	for i, g := range vpn {
		for _, other := range vpn[:i] {
			if d.one(2) {
				d.tunnel(g, other)
			}
		}
	}
	d.transit()
}

func (d *draft) gatewaySubnet(v *model.VNet, i int) *model.Subnet {
	p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 2, byte(8 * i)}), 29)
	v.Prefixes = append(v.Prefixes, p)
	s := &model.Subnet{Meta: d.meta(v.ID + "/subnets/GatewaySubnet"), VNet: v.ID, Prefixes: []netip.Prefix{p}, DefaultOutbound: d.setting()}
	s.Location = v.Location
	if t := maybe(d, 2, d.tables); t != nil {
		s.RouteTable = t.ID
	}
	d.add(s)
	return s
}

func (d *draft) vpnGateway(v *model.VNet, s *model.Subnet, i int) *model.Gateway {
	g := &model.Gateway{Meta: d.meta(networkID("virtualNetworkGateways", d.name("vpn", i))), Kind: model.VPNGateway, Subnet: s.ID, BGP: d.setting()}
	g.Location = v.Location
	if !d.one(3) {
		p := d.publicIP(g.Name())
		g.PublicIPs = []model.ID{p.ID}
		if d.one(2) {
			p.AttachedTo = g.ID + "/ipConfigurations/ip"
		}
	}
	if d.one(2) {
		g.ClientPools = some(d, 2, netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(i), 0}), 29), cidr("192.168.0.8/29"), cidr("10.0.0.128/29"))
	}
	if d.one(4) {
		g.CustomRoutes = []netip.Prefix{d.prefix()}
	}
	if d.has(WithPartial) && d.one(12) {
		g.Kind = model.GatewayKindUnknown
	}
	d.add(g)
	return g
}

// circuitGateway draws an ExpressRoute gateway, whose circuit others may share (AZ-GW-07).
func (d *draft) circuitGateway(v *model.VNet, s *model.Subnet, i int) {
	g := &model.Gateway{Meta: d.meta(networkID("virtualNetworkGateways", d.name("er", i))), Kind: model.ExpressRouteGateway, Subnet: s.ID, AllowRemoteVNet: choose(d, model.On, model.Off, model.NotStated)}
	g.Location = v.Location
	if d.one(2) {
		g.PublicIPs = []model.ID{d.publicIP(g.Name()).ID}
	}
	d.add(g)
	for j := range d.upTo(0, 2) {
		d.add(&model.Connection{
			Meta: d.meta(networkID("connections", d.name(g.Name()+"-c", j))), Kind: "ExpressRoute", Gateway: g.ID, Peer: choose(d, networkID("expressRouteCircuits", "c0"), networkID("expressRouteCircuits", "c1"), ""),
			State: d.state(), FastPath: choose(d, model.On, model.Off, model.NotStated),
		})
	}
}

// state is that of a connection; a template states none.
func (d *draft) state() string {
	return choose(d, "Connected", "Connected", "Connected", "connected", "", "NotConnected", "Connecting")
}

// sites draws local network gateways: sites of their own, one inside another, and ones that claim what the estate has.
func (d *draft) sites() []*model.LocalNetworkGateway {
	var out []*model.LocalNetworkGateway
	for i := range 2 {
		l := &model.LocalNetworkGateway{Meta: d.meta(networkID("localNetworkGateways", d.name("site", i))), BGP: choose(d, model.NotStated, model.Off, model.On)}
		for range d.upTo(1, 2) {
			p := choose(d, "192.168.0.0/24", "192.168.0.0/29", "192.168.0.0/29", "192.168.1.0/29", "198.51.100.0/24", "172.16.0.0/12", "10.0.0.0/24", "10.0.0.8/29", "0.0.0.0/0", "10.9.9.0/24", "fd00::/48")
			l.Prefixes = append(l.Prefixes, cidr(p))
		}
		out = append(out, l)
		d.add(l)
	}
	return out
}

func (d *draft) toSite(g *model.Gateway, l *model.LocalNetworkGateway, j int) {
	c := &model.Connection{
		Meta: d.meta(networkID("connections", d.name(g.Name()+"-s", j))), Kind: "IPsec", Gateway: g.ID, Peer: l.ID, State: d.state(), BGP: choose(d, model.Off, model.Off, model.On, model.NotStated),
	}
	for _, r := range g.NATRules {
		switch {
		case d.one(3):
		case r.Mode == "IngressSnat":
			c.IngressNAT = append(c.IngressNAT, r.ID)
		default:
			c.EgressNAT = append(c.EgressNAT, r.ID)
		}
	}
	if d.has(WithPartial) {
		if d.one(6) {
			c.Peer = networkID("localNetworkGateways", "gone")
		}
		if d.one(8) {
			c.IngressNAT = append(c.IngressNAT, g.ID+"/natRules/gone")
		}
	}
	d.add(c)
}

// tunnel joins two VNets: each end has its connection object, or one stands for both (AZ-GW-09).
func (d *draft) tunnel(a, b *model.Gateway) {
	bgp := d.setting()
	for _, x := range [][2]*model.Gateway{{a, b}, {b, a}} {
		if x[0] == b && d.one(3) {
			continue
		}
		d.add(&model.Connection{
			Meta: d.meta(networkID("connections", x[0].Name()+"-"+x[1].Name())), Kind: "Vnet2Vnet", Gateway: x[0].ID, Peer: x[1].ID, State: d.state(), BGP: bgp,
		})
	}
}

// translations draws the NAT rules of a gateway (AZ-GW-12): sites under other addresses, subnets under other addresses.
func (d *draft) translations(g *model.Gateway) {
	if !d.one(3) {
		return
	}
	for j := range d.upTo(1, 2) {
		r := model.GatewayNATRule{ID: g.ID + "/natRules/" + model.ID(d.name("nat", j)), Name: d.name("nat", j), Source: g.Source, Mode: "IngressSnat", Type: choose(d, "Static", "Static", "Dynamic")}
		r.Internal, r.External = []netip.Prefix{choose(d, cidr("192.168.0.0/29"), cidr("192.168.0.0/30"), cidr("10.0.0.8/29"))}, []netip.Prefix{choose(d, cidr("172.20.0.0/29"), cidr("192.168.1.0/29"))}
		if d.one(2) {
			r.Mode = "EgressSnat"
			r.Internal, r.External = []netip.Prefix{choose(d, d.subnets...).Prefixes[0]}, []netip.Prefix{choose(d, cidr("172.21.0.0/29"), cidr("172.21.0.8/29"))}
		}
		if r.Type == "Static" { // of one size
			r.External[0] = netip.PrefixFrom(r.External[0].Addr(), r.Internal[0].Bits())
		} else { // one address: of a pool of several the solver proves nothing where anything tells them apart
			r.External[0] = netip.PrefixFrom(r.External[0].Addr(), 32)
		}
		g.NATRules = append(g.NATRules, r)
	}
}

// transit lets peerings use the gateway of the other side, as both sides must say (AZ-PEER-06).
func (d *draft) transit() {
	for _, v := range d.vnets {
		for i := range v.Peerings {
			p := &v.Peerings[i]
			p.AllowGatewayTransit, p.UseRemoteGateways = d.setting(), model.Off
		}
	}
	for _, v := range d.vnets {
		used := false
		for i := range v.Peerings {
			own := false
			for _, r := range d.Resources {
				g, ok := r.(*model.Gateway)
				own = own || ok && g.Subnet.Parent() == v.ID
			}
			if own && !d.one(8) || used || d.one(3) {
				continue
			}
			used = true
			v.Peerings[i].UseRemoteGateways = choose(d, model.On, model.On, d.setting())
			for _, w := range d.vnets {
				for j := range w.Peerings {
					if w.ID == v.Peerings[i].Remote && w.Peerings[j].Remote == v.ID && !d.one(4) {
						w.Peerings[j].AllowGatewayTransit = model.On
					}
				}
			}
		}
	}
}
