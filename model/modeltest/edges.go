package modeltest

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// groups draws application security groups and puts machines into them.
func (d *draft) groups() {
	for i := range 2 {
		id := networkID("applicationSecurityGroups", d.name("g", i))
		d.asgs = append(d.asgs, id)
		if !d.has(WithPartial) || !d.one(4) {
			d.add(&model.ASG{Meta: d.meta(id)})
		}
	}
	for _, n := range d.nics {
		for j := range n.IPConfigs {
			n.IPConfigs[j].ASGs = some(d, 2, d.asgs...)
		}
	}
}

// lists gives some estates the published prefixes of service tags.
func (d *draft) lists() {
	if d.one(2) {
		return
	}
	d.Tags = &model.ServiceTags{Tags: []model.ServiceTag{
		{Name: "AzureCloud", Prefixes: []netip.Prefix{cidr("20.0.0.0/8")}},
		{Name: "AzureCloud.westeurope", Prefixes: []netip.Prefix{cidr("20.1.0.0/16")}},
		{Name: "Storage", Prefixes: []netip.Prefix{cidr("20.1.0.0/24"), cidr("20.2.0.0/24")}},
		{Name: "Storage.westeurope", Prefixes: []netip.Prefix{cidr("20.1.0.0/24")}},
	}}
}

// serviceTags are the tags that random rules and routes name.
func serviceTags() []string {
	return []string{"Storage", "Storage", "Storage.westeurope", "AzureCloud", "AzureCloud.westeurope", "Sql", "GatewayManager"}
}

// publicIP draws a public address resource.
func (d *draft) publicIP(name string) *model.PublicIP {
	p := &model.PublicIP{Meta: d.meta(networkID("publicIPAddresses", name)), SKU: choose(d, model.Standard, model.Standard, model.Basic)}
	if d.has(WithPartial) && d.one(6) {
		p.SKU = model.SKUNotStated
	}
	d.publics++
	if !d.one(4) {
		p.Address = netip.AddrFrom4([4]byte{20, 0, 0, byte(d.publics)})
	}
	d.add(p)
	return p
}

// public gives machines public addresses and subnets NAT gateways.
func (d *draft) public() {
	for i, n := range d.nics {
		if !d.one(2) {
			continue
		}
		p := d.publicIP(d.name("pip", i))
		c := &n.IPConfigs[d.IntN(len(n.IPConfigs))]
		c.PublicIP = p.ID
		if d.one(2) {
			p.AttachedTo = n.ID + "/ipConfigurations/" + model.ID(c.Name)
		}
		if d.has(WithPartial) && d.one(6) {
			c.PublicIP = networkID("publicIPAddresses", "gone")
		}
	}
	if d.one(4) {
		p := d.publicIP("loose")
		if d.has(WithPartial) && d.one(2) {
			p.AttachedTo = networkID("networkInterfaces", "gone") + "/ipConfigurations/ip0"
		}
	}
	if !d.one(2) {
		return
	}
	g := &model.NATGateway{Meta: d.meta(networkID("natGateways", "nat")), SKU: choose(d, "Standard", "", "StandardV2")}
	for i := range d.IntN(3) {
		p := d.publicIP(d.name("nat", i))
		p.AttachedTo = g.ID
		g.PublicIPs = append(g.PublicIPs, p.ID)
	}
	if d.one(2) {
		x := &model.PublicIPPrefix{Meta: d.meta(networkID("publicIPPrefixes", "block")), Prefix: cidr("20.0.1.0/30")}
		d.add(x)
		g.Prefixes = append(g.Prefixes, x.ID)
	}
	d.add(g)
	for _, s := range d.subnets {
		switch {
		case d.has(WithPartial) && d.one(8):
			s.NATGateway = networkID("natGateways", "gone")
		case d.one(2):
			s.NATGateway = g.ID
		}
	}
}

// endpoints draws private endpoints in the ordinary subnets, whose policies it sets.
func (d *draft) endpoints() {
	for _, s := range d.subnets {
		s.EndpointPolicies = choose(d, model.PoliciesDisabled, model.PoliciesNSG, model.PoliciesRouteTable, model.PoliciesEnabled, model.PoliciesNotStated)
	}
	for i := range d.upTo(1, 2) {
		s := choose(d, d.subnets...)
		p := &model.PrivateEndpoint{
			Meta: d.meta(networkID("privateEndpoints", d.name("pe", i))), Subnet: s.ID, Target: id("Microsoft.Test", "services", d.name("target", i)),
			State: choose(d, "Approved", "Approved", "Approved", "", "Pending", "Rejected"), ASGs: some(d, 3, d.asgs...),
		}
		if a, ok := d.free(s); ok && !d.one(5) {
			p.Addresses = []netip.Addr{a}
		}
		if len(p.Addresses) > 0 && d.one(2) {
			n := &model.NIC{
				Meta: d.meta(networkID("networkInterfaces", d.name("pe-nic", i))), PrivateEndpoint: p.ID,
				IPConfigs: []model.IPConfig{{Name: "ip", Source: p.Source, Subnet: s.ID, Address: p.Addresses[0], Primary: true, ASGs: p.ASGs}},
			}
			p.NICs = []model.ID{n.ID}
			d.add(n)
		}
		d.add(p)
	}
}

// balancers draws load balancers, internal and public ones, with every kind of rule.
func (d *draft) balancers() {
	for i := range d.upTo(1, 2) {
		d.balancer(i)
	}
}

func (d *draft) balancer(i int) {
	lb := &model.LoadBalancer{Meta: d.meta(networkID("loadBalancers", d.name("lb", i))), SKU: choose(d, model.Standard, model.Standard, model.Basic)}
	internal := d.one(2)
	for j := range d.upTo(1, 2) {
		f := model.LBFrontend{ID: lb.ID + "/frontendIPConfigurations/" + model.ID(d.name("f", j)), Name: d.name("f", j), Source: lb.Source}
		if internal {
			s := choose(d, d.subnets...)
			f.Subnet = s.ID
			if a, ok := d.free(s); ok && !d.one(5) {
				f.Address = a
				d.hops = append(d.hops, a)
			}
		} else {
			p := d.publicIP(d.name(lb.Name(), j))
			f.PublicIP = p.ID
			if d.one(2) {
				p.AttachedTo = f.ID
			}
		}
		lb.Frontends = append(lb.Frontends, f)
	}
	for j := range d.upTo(1, 2) {
		p := model.LBPool{ID: lb.ID + "/backendAddressPools/" + model.ID(d.name("p", j)), Name: d.name("p", j), Source: lb.Source}
		for _, n := range d.nics {
			c := &n.IPConfigs[d.IntN(len(n.IPConfigs))]
			switch {
			case !d.one(2):
			case d.one(3) && c.Address.IsValid():
				p.Addresses = append(p.Addresses, model.LBAddress{VNet: c.Subnet.Parent(), Address: c.Address})
			case d.one(2):
				p.IPConfigs = append(p.IPConfigs, n.ID+"/ipConfigurations/"+model.ID(c.Name))
			default:
				c.LBPools = append(c.LBPools, p.ID)
			}
		}
		if d.has(WithPartial) && d.one(5) {
			p.IPConfigs = append(p.IPConfigs, networkID("networkInterfaces", "gone")+"/ipConfigurations/ip0")
		}
		lb.Pools = append(lb.Pools, p)
	}
	lb.Probes = []model.LBProbe{{ID: lb.ID + "/probes/probe", Name: "probe", Source: lb.Source, Protocol: "Tcp", Port: d.port()}}
	pool := func() model.ID { return choose(d, lb.Pools...).ID }
	front := func() model.ID { return choose(d, lb.Frontends...).ID }
	for j := range d.upTo(0, 2) {
		r := model.LBRule{
			ID: lb.ID + "/loadBalancingRules/" + model.ID(d.name("r", j)), Name: d.name("r", j), Source: lb.Source, Frontend: front(), Pools: []model.ID{pool()},
			Protocol: choose(d, model.TCP, model.TCP, model.UDP), FrontendPort: d.port(), BackendPort: d.port(), FloatingIP: choose(d, model.Off, model.Off, model.On, model.NotStated),
			DisableOutboundSNAT: d.setting(),
		}
		if r.FloatingIP == model.On {
			r.BackendPort = r.FrontendPort
		}
		if internal && d.one(3) {
			r.Protocol, r.FrontendPort, r.BackendPort = model.AnyProtocol, 0, 0 // HA ports (AZ-LB-04)
		}
		if d.one(3) {
			r.Probe = lb.Probes[0].ID
		}
		lb.Rules = append(lb.Rules, r)
	}
	if d.one(2) {
		first := d.port()
		r := model.LBNATRule{
			ID: lb.ID + "/inboundNatRules/nat", Name: "nat", Source: lb.Source, Frontend: front(), Protocol: model.TCP, FrontendPorts: model.PortRange{First: first, Last: first}, BackendPort: d.port(),
		}
		switch n := choose(d, d.nics...); d.IntN(3) {
		case 0:
			r.Target = n.ID + "/ipConfigurations/" + model.ID(n.IPConfigs[0].Name)
		case 1:
			n.IPConfigs[0].NATRules = append(n.IPConfigs[0].NATRules, r.ID)
		default:
			r.Pool, r.FrontendPorts.Last = pool(), first+uint16(d.IntN(3))
		}
		lb.NATRules = append(lb.NATRules, r)
	}
	if !internal && d.one(2) {
		lb.Outbound = []model.LBOutboundRule{{Name: "out", Source: lb.Source, Frontends: []model.ID{front()}, Pool: pool()}}
	}
	d.add(lb)
}
