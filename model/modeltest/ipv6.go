package modeltest

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// ipv6 makes VNets, subnets and machines dual-stack (AZ-V6-01), after everything of IPv4 is drawn: some VNets, some of their subnets, some
// of the machines there.
func (d *draft) ipv6() {
	for i, v := range d.vnets {
		if d.one(5) {
			continue
		}
		v.Prefixes = append(v.Prefixes, netip.PrefixFrom(v6(byte(4*i), 0), 62))
		for j, s := range d.subnetsOf(v) {
			if !d.one(4) {
				s.Prefixes = append(s.Prefixes, netip.PrefixFrom(v6(byte(4*i+j), 0), 64))
			}
		}
		for k := range v.Peerings {
			if d.one(5) {
				v.Peerings[k].OnlyIPv6 = choose(d, model.On, model.Off) // AZ-PEER-14
				if d.one(2) {
					v.Peerings[k].CompleteVNets, v.Peerings[k].LocalSubnets, v.Peerings[k].RemoteSubnets = model.Off, []string{"s0", "s1"}, []string{"s0", "s1"}
				}
			}
		}
	}
	for i, n := range d.nics {
		p := v6Prefix(d.subnetOf(n.IPConfigs[0].Subnet))
		if !p.IsValid() || d.one(4) {
			continue
		}
		a := p.Addr()
		for range 4 + i%4 {
			a = a.Next()
		}
		if d.taken[a] {
			continue
		}
		d.taken[a] = true
		c := model.IPConfig{Name: "v6", Source: n.Source, Subnet: n.IPConfigs[0].Subnet, Address: a, ASGs: some(d, 2, d.asgs...)}
		if d.has(WithPublic) && d.one(2) {
			c.PublicIP = d.publicV6(d.name("pip6-", i)).ID
		}
		d.hops = append(d.hops, a)
		n.IPConfigs = append(n.IPConfigs, c)
	}
	if d.has(WithPublic) {
		d.natV6()
	}
	if d.has(WithBalancers) {
		d.balancersV6()
	}
}

// v6 is an address of a network of unique local ones.
func v6(network, host byte) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xfd, 7: network, 15: host})
}

func (d *draft) subnetsOf(v *model.VNet) []*model.Subnet {
	var out []*model.Subnet
	for _, s := range d.subnets {
		if s.VNet == v.ID {
			out = append(out, s)
		}
	}
	return out
}

func (d *draft) subnetOf(id model.ID) *model.Subnet {
	for _, s := range d.subnets {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// v6Prefix is the IPv6 range of a subnet, invalid where it has none.
func v6Prefix(s *model.Subnet) netip.Prefix {
	if s != nil {
		for _, p := range s.Prefixes {
			if p.Addr().Is6() {
				return p
			}
		}
	}
	return netip.Prefix{}
}

// publicV6 draws a public IPv6 address, which is always stated.
func (d *draft) publicV6(name string) *model.PublicIP {
	p := d.publicIP(name)
	p.Address = netip.AddrFrom16([16]byte{0: 0x26, 1: 0x03, 2: 0x10, 15: byte(d.publics)})
	return p
}

// natV6 gives a NAT gateway an IPv6 address, which only the second version has (AZ-V6-04).
func (d *draft) natV6() {
	for _, r := range d.Resources {
		if g, ok := r.(*model.NATGateway); ok && (g.SKU == "StandardV2" || d.has(WithRaw)) && d.one(2) {
			p := d.publicV6("nat6")
			p.AttachedTo = g.ID
			g.PublicIPs = append(g.PublicIPs, p.ID)
			return
		}
	}
}

// balancersV6 gives balancers IPv6 frontends, with a pool and a rule of their own.
func (d *draft) balancersV6() {
	for _, r := range clip(d.Resources) {
		lb, ok := r.(*model.LoadBalancer)
		if !ok || d.one(2) {
			continue
		}
		f := model.LBFrontend{ID: lb.ID + "/frontendIPConfigurations/f6", Name: "f6", Source: lb.Source}
		if in := lb.Frontends[0].Subnet; in != "" {
			p := v6Prefix(d.subnetOf(in))
			if !p.IsValid() {
				continue
			}
			f.Subnet, f.Address = in, p.Addr().Next().Next().Next().Next()
			if d.taken[f.Address] {
				continue
			}
			d.taken[f.Address] = true
		} else {
			f.PublicIP = d.publicV6(lb.Name() + "-6").ID
		}
		p := model.LBPool{ID: lb.ID + "/backendAddressPools/p6", Name: "p6", Source: lb.Source}
		for _, n := range d.nics {
			for j := range n.IPConfigs {
				if c := &n.IPConfigs[j]; c.Address.Is6() && !d.one(3) {
					c.LBPools = append(c.LBPools, p.ID)
				}
			}
		}
		rule := model.LBRule{
			ID: lb.ID + "/loadBalancingRules/r6", Name: "r6", Source: lb.Source, Frontend: f.ID, Pools: []model.ID{p.ID}, Protocol: choose(d, model.TCP, model.UDP),
			FrontendPort: d.port(), BackendPort: d.port(), FloatingIP: choose(d, model.Off, model.Off, model.NotStated), DisableOutboundSNAT: d.setting(),
		}
		if d.one(3) && len(lb.Probes) > 0 {
			rule.Probe = lb.Probes[0].ID
		}
		lb.Frontends, lb.Pools, lb.Rules = append(lb.Frontends, f), append(lb.Pools, p), append(lb.Rules, rule)
		if f.PublicIP != "" && d.one(2) {
			lb.Outbound = append(lb.Outbound, model.LBOutboundRule{Name: "out6", Source: lb.Source, Frontends: []model.ID{f.ID}, Pool: p.ID})
		}
	}
}

// hopV6 is an appliance of IPv6, invalid where there is none.
func (d *draft) hopV6() netip.Addr {
	var list []netip.Addr
	for _, a := range d.hops {
		if a.Is6() {
			list = append(list, a)
		}
	}
	return maybe(d, 8, list)
}
