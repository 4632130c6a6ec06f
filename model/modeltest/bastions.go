package modeltest

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// bastions draws Bastion hosts of every SKU, with the flags that widen what they reach (AZ-BAS-01 to AZ-BAS-05).
func (d *draft) bastions() {
	for i, v := range d.vnets {
		if d.one(3) {
			continue
		}
		b := &model.Bastion{Meta: d.meta(networkID("bastionHosts", d.name("bastion", i))), SKU: choose(d, "Basic", "Standard", "Standard", "Premium", "Developer", "developer")}
		b.Location = v.Location
		if d.has(WithPartial) && d.one(5) {
			b.SKU = ""
		}
		if b.Developer() {
			b.VNet = v.ID
			if d.has(WithPartial) && d.one(8) {
				b.VNet = networkID("virtualNetworks", "gone")
			}
			d.add(b)
			continue
		}
		b.Tunneling, b.IPConnect, b.Shareable = choose(d, model.On, model.Off, model.NotStated), choose(d, model.On, model.Off, model.NotStated), d.setting()
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 2, byte(128 + 8*i)}), 29)
		v.Prefixes = append(v.Prefixes, p)
		s := &model.Subnet{Meta: d.meta(v.ID + "/subnets/AzureBastionSubnet"), VNet: v.ID, Prefixes: []netip.Prefix{p}, DefaultOutbound: d.setting()}
		s.Location = v.Location
		switch d.IntN(3) {
		case 0:
			s.NSG = maybe(d, 4, d.nsgs)
		case 1:
			s.NSG = d.bastionNSG(b)
		}
		b.Subnet = s.ID
		d.add(s)
		if !d.one(4) {
			p := d.publicIP(b.Name())
			b.PublicIP = p.ID
			if d.one(2) {
				p.AttachedTo = b.ID + "/bastionHostIpConfigurations/ip"
			}
		}
		d.add(b)
	}
}

// bastionNSG is a group of the rules that the platform asks for on AzureBastionSubnet, of which some may be missing (AZ-BAS-02).
func (d *draft) bastionNSG(b *model.Bastion) model.ID {
	g := &model.NSG{Meta: d.meta(networkID("networkSecurityGroups", b.Name()))}
	anywhere := model.AddressMatch{Any: true}
	tag := func(name string) model.AddressMatch { return model.AddressMatch{Tags: []string{name}} }
	for i, x := range []struct {
		dir      model.Direction
		from, to model.AddressMatch
		ports    []uint16
	}{
		{model.Inbound, tag("Internet"), anywhere, []uint16{443}},
		{model.Inbound, tag("GatewayManager"), anywhere, []uint16{443}},
		{model.Inbound, tag("AzureLoadBalancer"), anywhere, []uint16{443}},
		{model.Inbound, tag("VirtualNetwork"), tag("VirtualNetwork"), []uint16{8080, 5701}},
		{model.Outbound, anywhere, tag("VirtualNetwork"), []uint16{22, 3389}},
		{model.Outbound, anywhere, tag("AzureCloud"), []uint16{443}},
		{model.Outbound, tag("VirtualNetwork"), tag("VirtualNetwork"), []uint16{8080, 5701}},
		{model.Outbound, anywhere, tag("Internet"), []uint16{80}},
	} {
		if d.one(10) {
			continue
		}
		r := model.SecurityRule{
			Name: d.name("required", i), Source: g.Source, Priority: 100 + 10*i, Direction: x.dir, Access: model.Allow, Protocol: model.TCP, SourceAddrs: x.from, DestAddrs: x.to,
			SourcePorts: []model.PortRange{model.AllPorts},
		}
		for _, p := range x.ports {
			r.DestPorts = append(r.DestPorts, model.PortRange{First: p, Last: p})
		}
		g.Rules = append(g.Rules, r)
	}
	shut := d.one(2)
	for _, dir := range []model.Direction{model.Inbound, model.Outbound} {
		if shut {
			g.Rules = append(g.Rules, model.SecurityRule{
				Name: "shut" + dir.String(), Source: g.Source, Priority: 4000, Direction: dir, Access: model.Deny, Protocol: model.AnyProtocol, SourceAddrs: anywhere, DestAddrs: anywhere,
				SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts},
			})
		}
	}
	for _, r := range model.DefaultRules() {
		r.Source = model.Source{Platform: "default rule", Resource: g.ID}
		g.Rules = append(g.Rules, r)
	}
	d.add(g)
	return g.ID
}
