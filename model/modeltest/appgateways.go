package modeltest

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// appGateways draws application gateways in subnets of their own: frontends of both kinds, listeners, path maps, WAF policies.
func (d *draft) appGateways() {
	for i, v := range d.vnets {
		if i > 0 && d.one(2) {
			continue
		}
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 2, byte(160 + 8*i)}), 29)
		v.Prefixes = append(v.Prefixes, p)
		s := &model.Subnet{Meta: d.meta(v.ID + "/subnets/appgw"), VNet: v.ID, Prefixes: []netip.Prefix{p}, NSG: maybe(d, 2, d.nsgs), DefaultOutbound: d.setting()}
		s.Location = v.Location
		if t := maybe(d, 2, d.tables); t != nil {
			s.RouteTable = t.ID
		}
		d.add(s)
		d.appGateway(i, s)
	}
}

func (d *draft) appGateway(i int, s *model.Subnet) {
	g := &model.AppGateway{
		Meta: d.meta(networkID("applicationGateways", d.name("agw", i))), Tier: choose(d, "Standard_v2", "WAF_v2", "WAF_v2", "WAF", "Standard"), Subnets: []model.ID{s.ID},
		WAFPolicy: d.wafPolicy(d.name("waf", i)), Stopped: d.one(8),
	}
	g.Location = s.Location
	part := func(kind, name string) model.ID { return g.ID + "/" + model.ID(kind) + "/" + model.ID(name) }
	for j := range d.upTo(1, 2) {
		f := model.AGWFrontend{ID: part("frontendIPConfigurations", d.name("f", j)), Name: d.name("f", j)}
		if public := d.one(2); public && j == 0 || len(g.Frontends) > 0 && g.Frontends[0].PublicIP == "" {
			p := d.publicIP(d.name(g.Name(), j))
			if f.PublicIP = p.ID; d.one(2) {
				p.AttachedTo = f.ID
			}
		} else if f.Subnet = s.ID; !d.one(5) {
			f.Address, _ = d.free(s)
		}
		g.Frontends = append(g.Frontends, f)
	}
	for j := range 2 {
		g.Ports = append(g.Ports, model.AGWPort{ID: part("frontendPorts", d.name("port", j)), Port: d.port()})
	}
	for j := range d.upTo(1, 2) {
		g.Pools = append(g.Pools, d.gatewayPool(part("backendAddressPools", d.name("p", j)), d.name("p", j), g.Source))
	}
	for j := range d.upTo(1, 2) {
		x := model.AGWSetting{ID: part("backendHttpSettingsCollection", d.name("s", j)), Name: d.name("s", j), Source: g.Source, Port: d.port(), Protocol: choose(d, "Http", "Https")}
		if d.one(3) {
			g.Probes = append(g.Probes, model.AGWProbe{ID: part("probes", d.name("probe", j)), Name: d.name("probe", j), Source: g.Source, Protocol: "Http", Port: choose(d, 0, d.port())})
			x.Probe = g.Probes[len(g.Probes)-1].ID
		}
		g.Settings = append(g.Settings, x)
	}
	pool, setting := func() model.ID { return choose(d, g.Pools...).ID }, func() model.ID { return choose(d, g.Settings...).ID }
	for j := range d.upTo(1, 3) {
		l := model.AGWListener{
			ID: part("httpListeners", d.name("l", j)), Name: d.name("l", j), Source: g.Source, Frontend: choose(d, g.Frontends...).ID, Port: choose(d, g.Ports...).ID, Protocol: choose(d, "Http", "Https"),
		}
		if d.one(4) {
			l.WAFPolicy = d.wafPolicy(d.name(g.Name()+l.Name, j))
		}
		g.Listeners = append(g.Listeners, l)
		if d.one(8) {
			continue // AZ-AGW-04: it forwards nothing
		}
		r := model.AGWRule{ID: part("requestRoutingRules", d.name("r", j)), Name: d.name("r", j), Source: g.Source, Priority: 10 + j, Listener: l.ID}
		switch d.IntN(5) {
		case 0:
			r.Redirect = part("redirectConfigurations", "elsewhere")
		case 1:
			m := model.AGWPathMap{ID: part("urlPathMaps", d.name("m", j)), Name: d.name("m", j), DefaultPool: pool(), DefaultSetting: setting()}
			for k := range d.IntN(3) {
				x := model.AGWPathRule{Name: d.name("path", k), Source: g.Source, Paths: []string{d.name("/x", k)}, Pool: pool(), Setting: setting()}
				if d.one(3) {
					x.WAFPolicy = d.wafPolicy(d.name(g.Name()+x.Name, j))
				}
				m.Paths = append(m.Paths, x)
			}
			g.PathMaps, r.PathMap = append(g.PathMaps, m), m.ID
		default:
			r.Pool, r.Setting = pool(), setting()
		}
		g.Rules = append(g.Rules, r)
	}
	d.add(g)
}

// gatewayPool is machines of the estate, and addresses that may be anybody's.
func (d *draft) gatewayPool(id model.ID, name string, at model.Source) model.AGWPool {
	p := model.AGWPool{ID: id, Name: name, Source: at}
	for _, n := range d.nics {
		c := &n.IPConfigs[d.IntN(len(n.IPConfigs))]
		switch {
		case !d.one(3):
		case d.one(3):
			p.Addresses = append(p.Addresses, c.Address)
		case d.one(2):
			p.IPConfigs = append(p.IPConfigs, n.ID+"/ipConfigurations/"+model.ID(c.Name))
		default:
			c.AGWPools = append(c.AGWPools, p.ID)
		}
	}
	if d.one(3) {
		p.Addresses = append(p.Addresses, choose(d, netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("10.9.9.9"), d.prefix().Addr()))
	}
	return p
}

// wafPolicy draws a WAF policy, or none.
func (d *draft) wafPolicy(name string) model.ID {
	if d.one(2) {
		return ""
	}
	id := networkID("ApplicationGatewayWebApplicationFirewallPolicies", name)
	if d.has(WithPartial) && d.one(5) {
		return id
	}
	p := &model.WAFPolicy{Meta: d.meta(id), Enabled: choose(d, model.On, model.On, model.Off, d.setting()), Mode: choose(d, "Prevention", "Prevention", "Detection", "")}
	for i := range d.upTo(0, 3) {
		r := model.WAFRule{
			Name: d.name("custom", i), Source: p.Source, Priority: 10 * (i + 1), Action: choose(d, "Block", "Block", "Allow", "Log"), RateLimit: d.one(8), Enabled: choose(d, model.On, model.On, model.NotStated, model.Off),
		}
		for range d.upTo(1, 2) {
			c := model.WAFCondition{Variables: []string{"RemoteAddr"}, Operator: "IPMatch", Negate: d.one(3), Prefixes: []netip.Prefix{d.prefix()}}
			switch d.IntN(8) {
			case 0:
				c = model.WAFCondition{Variables: []string{"RequestHeaders:X-Key"}, Operator: "Equal", Values: []string{"k"}, Negate: d.one(2)}
			case 1:
				c.Operator, c.Prefixes, c.Values = "GeoMatch", nil, []string{"AQ"}
			}
			r.Conditions = append(r.Conditions, c)
		}
		p.Custom = append(p.Custom, r)
	}
	d.add(p)
	return id
}
