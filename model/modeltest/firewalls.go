package modeltest

import (
	"net/netip"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// firewalls draws one or two Azure Firewalls, classic ones and those with policies, and makes them next hops of routes.
func (d *draft) firewalls() {
	for i := range d.IntN(3) {
		g := &model.IPGroup{Meta: d.meta(networkID("ipGroups", d.name("ips", i)))}
		for range d.IntN(3) { // a group without addresses is legal (AZ-FW-2B)
			g.Prefixes = append(g.Prefixes, d.prefix())
		}
		d.ipGroups = append(d.ipGroups, g.ID)
		d.add(g)
	}
	if d.has(WithPartial) && d.one(4) {
		d.ipGroups = append(d.ipGroups, networkID("ipGroups", "gone"))
	}
	for i := range d.upTo(1, min(2, len(d.vnets))) {
		d.firewall(i, d.vnets[i])
	}
}

// firewall draws a firewall in the last eight addresses of its VNet's first range.
func (d *draft) firewall(i int, v *model.VNet) {
	a := v.Prefixes[0].Addr().As4()
	a[3] += 24
	s := &model.Subnet{
		Meta: d.meta(v.ID + "/subnets/AzureFirewallSubnet"), VNet: v.ID, Prefixes: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4(a), 29)}, DefaultOutbound: d.setting(),
		EndpointPolicies: model.PoliciesDisabled,
	}
	s.Location = v.Location
	if t := maybe(d, 2, d.tables); t != nil && d.one(2) {
		s.RouteTable = t.ID
	}
	d.add(s)
	f := &model.Firewall{
		Meta: d.meta(networkID("azureFirewalls", d.name("fw", i))), Tier: choose(d, "Standard", "Premium", "Basic", ""), Subnet: s.ID, ThreatIntel: choose(d, "", "Off", "Alert", "Deny"),
		Management: d.one(3), DNSProxy: d.setting(), SNAT: d.snat(),
	}
	a[3] += 4
	if !d.one(6) {
		f.Address = netip.AddrFrom4(a)
		d.hops = append(d.hops, f.Address, f.Address, f.Address)
	}
	for j := range d.IntN(3) {
		p := d.publicIP(d.name(f.Name(), j))
		f.PublicIPs = append(f.PublicIPs, p.ID)
		if d.one(2) {
			p.AttachedTo = f.ID + "/azureFirewallIpConfigurations/ip"
		}
		if p.Address.IsValid() {
			d.entries = append(d.entries, p.Address)
		}
	}
	if d.has(WithPartial) && d.one(6) {
		f.PublicIPs = append(f.PublicIPs, networkID("publicIPAddresses", "gone"))
	}
	if f.Address.IsValid() {
		d.entries = append(d.entries, f.Address)
	}
	if d.one(10) {
		f.ProvisioningBad = "Failed"
	}
	d.add(f)
	if d.one(2) {
		f.Collections = d.collections()
		return
	}
	if d.has(WithRaw) && d.one(4) { // both is invalid (AZ-FW-01)
		f.Collections = d.collections()
	}
	f.Policy = d.policy(d.name("pol", i))
	if d.has(WithPartial) && d.one(8) {
		f.Policy = networkID("firewallPolicies", "gone")
	}
}

func (d *draft) snat() model.SNATRanges {
	switch d.IntN(6) {
	case 0:
		return model.SNATRanges{Custom: true, Prefixes: []netip.Prefix{choose(d, cidr("0.0.0.0/0"), cidr("255.255.255.255/32"), d.prefix())}, IANA: d.one(3)}
	case 1:
		return model.SNATRanges{AutoLearn: choose(d, model.On, model.Off)}
	default:
		return model.SNATRanges{}
	}
}

// policy draws a firewall policy, some with parents.
func (d *draft) policy(name string) model.ID {
	p := &model.FirewallPolicy{
		Meta: d.meta(networkID("firewallPolicies", name)), Tier: choose(d, "Standard", "Premium", "Basic", ""), ThreatIntel: choose(d, "", "Alert", "Deny"), DNSProxy: d.setting(), SNAT: d.snat(),
	}
	if d.one(8) {
		p.ExplicitProxy, p.ProxyPorts = model.On, []uint16{80, 443}
	}
	if len(d.hops) > 0 && d.one(8) {
		p.DNSServers = []netip.Addr{choose(d, append(clip(d.hops), netip.MustParseAddr("198.51.100.53"), netip.MustParseAddr("168.63.129.16"))...)}
	}
	if strings.Count(name, "-") < 2 && d.one(3) { // three levels at most
		p.Base = d.policy(name + "-base")
		if d.has(WithPartial) && d.one(6) {
			p.Base = networkID("firewallPolicies", "gone")
		}
	}
	prio := 100
	equal := d.has(WithRaw) && d.one(4) // refused by Azure (AZ-FW-16)
	for i := range d.upTo(1, 2) {
		g := &model.RuleCollectionGroup{Meta: d.meta(p.ID + "/ruleCollectionGroups/" + model.ID(d.name("g", i))), Policy: p.ID, Priority: prio, Collections: d.collections()}
		p.Groups = append(p.Groups, g.ID)
		if d.one(3) {
			p.GroupRefs = append(p.GroupRefs, g.ID)
		}
		if !equal {
			prio += choose(d, -10, 10)
		}
		d.add(g)
	}
	if d.has(WithPartial) && d.one(8) {
		p.GroupRefs = append(p.GroupRefs, p.ID+"/ruleCollectionGroups/gone")
	}
	d.add(p)
	return p.ID
}

// collections draws rule collections of every kind, not in the order of their priorities.
func (d *draft) collections() []model.RuleCollection {
	var out []model.RuleCollection
	prios := []int{300, 100, 200, 400}
	if d.has(WithRaw) && d.one(4) {
		prios = []int{100, 100, 200, 100}
	}
	for i := range d.upTo(1, 3) {
		c := model.RuleCollection{Name: d.name("c", i), Priority: prios[i], Kind: choose(d, model.DNATRules, model.NetworkRules, model.NetworkRules, model.ApplicationRules), Access: choose(d, model.Allow, model.Allow, model.Deny)}
		if c.Kind == model.DNATRules {
			c.Access = model.Allow
		}
		for j := range d.upTo(1, 2) {
			c.Rules = append(c.Rules, d.firewallRule(c.Kind, d.name("r", j)))
		}
		out = append(out, c)
	}
	return out
}

func (d *draft) firewallRule(kind model.RuleKind, name string) model.FirewallRule {
	r := model.FirewallRule{Name: name, Sources: d.firewallSide(false)}
	switch kind {
	case model.DNATRules:
		r.Dests = model.AddressMatch{Prefixes: []netip.Prefix{d.prefix()}}
		if len(d.entries) > 0 && !d.one(6) {
			a := choose(d, d.entries...)
			r.Dests.Prefixes[0] = netip.PrefixFrom(a, a.BitLen())
		}
		p := d.port()
		r.Protocols, r.Ports, r.ToPort = choose(d, []model.Protocol{model.TCP}, []model.Protocol{model.UDP}, []model.Protocol{model.AnyProtocol}, []model.Protocol{model.TCP, model.UDP}), []model.PortRange{{First: p, Last: p}}, d.port()
		if d.one(6) {
			r.Ports, r.ToPort = []model.PortRange{{First: 22, Last: 80}}, 0
		}
		r.ToAddress = choose(d, d.hops...)
		if d.one(8) {
			r.ToAddress, r.ToFQDN = netip.Addr{}, choose(d, "a.example.com", "gone.example.net")
		}
	case model.NetworkRules:
		r.Dests = d.firewallSide(true)
		r.Protocols, r.Ports = []model.Protocol{choose(d, model.AnyProtocol, model.AnyProtocol, model.TCP, model.UDP, model.ICMP)}, d.ports()
		if d.one(6) {
			r.Protocols = []model.Protocol{model.TCP, model.UDP}
		}
	case model.ApplicationRules:
		r.Apps = choose(d, []model.AppProtocol{{Type: "Https", Port: 443}}, []model.AppProtocol{{Type: "Http", Port: 80}, {Type: "Https", Port: 443}}, []model.AppProtocol{{Type: "Mssql", Port: 1433}}, []model.AppProtocol{{Type: "Https", Port: 8443}})
		switch d.IntN(8) {
		case 0:
			r.FQDNTags = []string{choose(d, "WindowsUpdate", "AzureKubernetesService")}
		case 1:
			r.WebCategories = []string{choose(d, "Gambling", "News")}
		case 2:
			r.URLs = []string{choose(d, "a.example.com/x", "https://*.example.com/y/z")}
		case 3:
			r.FQDNs = []string{"*"}
			if d.has(WithRaw) && d.one(2) {
				r.FQDNs = []string{choose(d, "a.*.com", "*.example.*", "10.0.0.12")}
			}
		default:
			r.FQDNs = some(d, 2, "a.example.com", "*.example.com", "*example.com", "b.example.net", "*")
		}
	}
	return r
}

// firewallSide draws one side of a firewall rule. Sources have neither tags nor names.
func (d *draft) firewallSide(dest bool) model.AddressMatch {
	var m model.AddressMatch
	switch d.IntN(4) {
	case 0, 1:
		return model.AddressMatch{Any: true}
	case 2:
		m.Prefixes = []netip.Prefix{d.prefix()}
		if d.one(2) {
			m.Prefixes = append(m.Prefixes, d.prefix())
		}
	default:
	}
	if len(d.ipGroups) > 0 && d.one(3) {
		m.IPGroups = []model.ID{choose(d, d.ipGroups...)}
	}
	if dest && d.has(WithTags) && d.one(3) {
		m.Tags = []string{choose(d, serviceTags()...)}
	}
	if dest && d.one(8) {
		m.FQDNs = []string{choose(d, "a.example.com", "c.example.org")}
	}
	return m
}
