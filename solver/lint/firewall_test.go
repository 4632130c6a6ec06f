package lint

import "github.com/ringfence/ringfence/model"

func firewallCases() []testCase {
	const rule = "firewall:fw-policy/group/list/rule"
	with := func(kind model.RuleKind, access model.Access, u func(b *builder) model.FirewallRule) func(*builder) {
		return func(b *builder) {
			b.vnet("hub", "10.0.0.0/16")
			_, p := b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
			b.add(&model.IPGroup{Meta: meta(network("ipGroups", "all")), Prefixes: prefixes(b.t, "0.0.0.0/0")})
			b.add(&model.IPGroup{Meta: meta(network("ipGroups", "spoke")), Prefixes: prefixes(b.t, "10.1.0.0/16")})
			b.group(p, kind, access, u(b))
		}
	}
	dnat := func(from string) func(*builder) {
		return with(model.DNATRules, model.Allow, func(b *builder) model.FirewallRule {
			return model.FirewallRule{Sources: b.match(from), Dests: b.match("20.0.0.4"), Protocols: []model.Protocol{model.TCP}, Ports: b.ports("443"), ToAddress: addr("10.1.0.4"), ToPort: 8443}
		})
	}
	net := func(access model.Access, from, to string) func(*builder) {
		return with(model.NetworkRules, access, func(b *builder) model.FirewallRule {
			return model.FirewallRule{Sources: b.match(from), Dests: b.match(to), Protocols: []model.Protocol{model.TCP, model.UDP}, Ports: b.ports("123")}
		})
	}
	app := func(access model.Access, protocol string, port uint16, names ...string) func(*builder) {
		return with(model.ApplicationRules, access, func(b *builder) model.FirewallRule {
			return model.FirewallRule{Sources: b.match("10.1.0.0/16"), Apps: []model.AppProtocol{{Type: protocol, Port: port}}, FQDNs: names}
		})
	}
	named := func(proxy model.Setting, base model.Setting) func(*builder) {
		return func(b *builder) {
			b.vnet("hub", "10.0.0.0/16")
			_, p := b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
			parent := &model.FirewallPolicy{Meta: meta(fwpID("base")), Tier: "Premium", DNSProxy: base}
			p.DNSProxy, p.Base = proxy, parent.ID
			b.add(parent)
			b.group(p, model.NetworkRules, model.Allow, model.FirewallRule{
				Sources: b.match("10.1.0.0/16"), Dests: model.AddressMatch{FQDNs: []string{"sql.example"}}, Protocols: []model.Protocol{model.TCP}, Ports: b.ports("1433"),
			})
		}
	}
	modes := func(change func(f *model.Firewall, p, base *model.FirewallPolicy)) func(*builder) {
		return func(b *builder) {
			b.vnet("hub", "10.0.0.0/16")
			f, p := b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
			base := &model.FirewallPolicy{Meta: meta(fwpID("base")), Tier: "Premium"}
			b.add(base)
			p.Base = base.ID
			change(f, p, base)
		}
	}
	twice := func(first, second int, kind model.RuleKind) func(*builder) {
		return func(b *builder) {
			net(model.Allow, "10.1.0.0/16", "10.0.4.0/24")(b)
			for _, r := range b.resources {
				if g, ok := r.(*model.RuleCollectionGroup); ok {
					g.Collections[0].Priority = first
					g.Collections = append(g.Collections, model.RuleCollection{Name: "second", Source: g.Source, Priority: second, Kind: kind, Access: model.Deny})
				}
			}
		}
	}
	return []testCase{
		{id: "dnat-any-source", name: "any", build: dnat("*"), want: []string{rule}},
		{id: "dnat-any-source", name: "an IP group that holds everything", build: dnat("group:all"), want: []string{rule}},
		{id: "dnat-any-source", name: "a partner", build: dnat("198.51.100.0/24")},
		{id: "dnat-any-source", name: "an IP group", build: dnat("group:spoke")},

		{id: "network-rule-any-any", name: "from anywhere to anywhere", build: net(model.Allow, "*", "*"), want: []string{rule}},
		{id: "network-rule-any-any", name: "by 0.0.0.0/0 and the tag", build: net(model.Allow, "0.0.0.0/0", "Internet"), want: []string{rule}},
		{id: "network-rule-any-any", name: "a Deny", build: net(model.Deny, "*", "*")},
		{id: "network-rule-any-any", name: "one side is named", build: net(model.Allow, "10.1.0.0/16", "*")},

		{id: "network-rule-any-source", name: "any", build: net(model.Allow, "*", "10.2.0.0/24"), want: []string{rule}},
		{id: "network-rule-any-source", name: "named", build: net(model.Allow, "10.1.0.0/16", "10.2.0.0/24")},
		{id: "network-rule-any-source", name: "both sides are any: another finding", build: net(model.Allow, "*", "*")},

		{id: "network-rule-any-destination", name: "any", build: net(model.Allow, "group:spoke", "*"), want: []string{rule}},
		{id: "network-rule-any-destination", name: "a tag of one service", build: net(model.Allow, "group:spoke", "AzureMonitor")},

		{id: "network-rule-over-wide", name: "a block around one VNet", build: net(model.Allow, "10.1.0.0/16", "10.0.0.0/8"), want: []string{rule}},
		{id: "network-rule-over-wide", name: "the VNet", build: net(model.Allow, "10.1.0.0/16", "10.0.0.0/16")},
		{id: "network-rule-over-wide", name: "a part of it", build: net(model.Allow, "10.1.0.0/16", "10.0.4.0/24")},
		{id: "network-rule-over-wide", name: "public space", build: net(model.Allow, "10.1.0.0/16", "198.51.100.0/24")},
		{id: "network-rule-over-wide", name: "a Deny", build: net(model.Deny, "10.1.0.0/16", "10.0.0.0/8")},
		{id: "network-rule-over-wide", name: "behind a gateway that learns", build: func(b *builder) {
			net(model.Allow, "10.1.0.0/16", "10.0.0.0/8")(b)
			b.add(&model.Gateway{Meta: meta(network("virtualNetworkGateways", "er")), Kind: model.ExpressRouteGateway})
		}},

		{id: "network-fqdn-without-proxy", name: "not stated", build: named(model.NotStated, model.NotStated), want: []string{rule}},
		{id: "network-fqdn-without-proxy", name: "a classic firewall", build: func(b *builder) {
			b.vnet("hub", "10.0.0.0/16")
			f, _ := b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
			f.Policy = ""
			f.Collections = []model.RuleCollection{{Name: "list", Kind: model.NetworkRules, Access: model.Allow, Rules: []model.FirewallRule{
				{Name: "rule", Source: source("rule"), Sources: b.match("10.1.0.0/16"), Dests: model.AddressMatch{FQDNs: []string{"sql.example"}}, Protocols: []model.Protocol{model.TCP}, Ports: b.ports("1433")},
			}}}
		}, want: []string{"firewall:fw/list/rule"}},
		{id: "network-fqdn-without-proxy", name: "on", build: named(model.On, model.NotStated)},
		{id: "network-fqdn-without-proxy", name: "on in the parent", build: named(model.NotStated, model.On)},

		{id: "application-rule-any-name", name: "every name", build: app(model.Allow, "Https", 443, "*"), want: []string{rule}},
		{id: "application-rule-any-name", name: "a Deny of every name", build: app(model.Deny, "Https", 443, "*")},
		{id: "application-rule-any-name", name: "every name below one", build: app(model.Allow, "Https", 443, "*.shop.example")},

		{id: "application-rule-http", name: "HTTP", build: app(model.Allow, "Http", 80, "mirror.example"), want: []string{rule}},
		{id: "application-rule-http", name: "HTTPS", build: app(model.Allow, "Https", 443, "mirror.example")},
		{id: "application-rule-http", name: "a Deny", build: app(model.Deny, "Http", 80, "*")},

		// X-EDGE-05 of azure-edge-and-aks.md.
		{id: "fqdn-suffix-wildcard", name: "without a dot", build: app(model.Allow, "Https", 443, "*contoso.com"), want: []string{rule}},
		{id: "fqdn-suffix-wildcard", name: "with a dot", build: app(model.Allow, "Https", 443, "*.contoso.com", "contoso.com")},

		{id: "egress-list-shared", name: "one IP group of both pools", build: sharedEgress("10.1.1.0/24,10.1.2.0/24"), want: []string{"firewall:fw"}},
		{id: "egress-list-shared", name: "any source", build: sharedEgress("*"), want: []string{"firewall:fw"}},
		{id: "egress-list-shared", name: "the cardholder data's pool alone", build: sharedEgress("10.1.1.0/24")},
		{id: "egress-list-shared", name: "a rule of its own beside the shared one", build: sharedEgress("10.1.0.0/16", "10.1.2.0/24")},
		{id: "egress-list-shared", name: "neither", build: sharedEgress("10.9.0.0/16")},
		{id: "threat-intelligence-off", name: "Alert", build: modes(func(_ *model.Firewall, p, _ *model.FirewallPolicy) { p.ThreatIntel = "Alert" }), want: []string{"firewall:fw"}},
		{id: "threat-intelligence-off", name: "not stated", build: modes(func(_ *model.Firewall, p, _ *model.FirewallPolicy) { p.ThreatIntel = "" }), want: []string{"firewall:fw"}},
		{id: "threat-intelligence-off", name: "the parent is stricter", build: modes(func(_ *model.Firewall, p, base *model.FirewallPolicy) {
			p.ThreatIntel, base.ThreatIntel = "Alert", "Deny"
		})},
		{id: "threat-intelligence-off", name: "Basic knows no Deny", build: modes(func(f *model.Firewall, p, _ *model.FirewallPolicy) {
			f.Tier, p.Tier, p.ThreatIntel = "Basic", "Basic", "Alert"
		})},
		{id: "threat-intelligence-off", name: "a classic firewall denies", build: modes(func(f *model.Firewall, _, _ *model.FirewallPolicy) { f.Policy, f.ThreatIntel = "", "Deny" })},

		{id: "idps-off", name: "Alert", build: modes(func(_ *model.Firewall, p, _ *model.FirewallPolicy) { p.IDPS = "Alert" }), want: []string{"firewall:fw"}},
		{id: "idps-off", name: "Standard has none", build: modes(func(f *model.Firewall, p, _ *model.FirewallPolicy) { f.Tier, p.IDPS = "Standard", "" })},
		{id: "idps-off", name: "Deny", build: modes(func(_ *model.Firewall, _, _ *model.FirewallPolicy) {})},

		{id: "firewall-without-route", name: "no route anywhere", build: modes(func(_ *model.Firewall, _, _ *model.FirewallPolicy) {}), want: []string{"firewall:fw"}},
		{id: "firewall-without-route", name: "a table that no subnet uses", build: func(b *builder) {
			b.vnet("hub", "10.0.0.0/16")
			b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
			b.routes("out", "default 0.0.0.0/0 10.0.0.4")
		}, want: []string{"firewall:fw"}},
		{id: "firewall-without-route", name: "a spoke sends to it", build: func(b *builder) { hubAndSpoke(b) }},
		{id: "firewall-without-route", name: "its address is not stated, and the route leads into its subnet", build: func(b *builder) {
			hubAndSpoke(b)
			for _, r := range b.resources {
				if f, ok := r.(*model.Firewall); ok {
					f.Address = addr("")
				}
			}
		}},
		{id: "firewall-without-route", name: "a spoke is not in the input", build: func(b *builder) {
			v := b.vnet("hub", "10.0.0.0/16")
			v.Peerings = []model.Peering{{Name: "spoke", Remote: vnetID("gone"), State: "Connected"}}
			b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
		}},
		{id: "firewall-without-route", name: "in a virtual hub", build: func(b *builder) {
			b.add(&model.Firewall{Meta: meta(fwID("fw")), Hub: true, Tier: "Standard", ThreatIntel: "Deny"})
		}},

		{id: "firewall-reference-missing", name: "the policy", build: modes(func(f *model.Firewall, _, _ *model.FirewallPolicy) { f.Policy = fwpID("gone") }), want: []string{"firewall:fw"}},
		{id: "firewall-reference-missing", name: "the parent", build: modes(func(_ *model.Firewall, p, _ *model.FirewallPolicy) { p.Base = fwpID("gone") }), want: []string{"firewall:fw-policy"}},
		{id: "firewall-reference-missing", name: "a group", build: modes(func(_ *model.Firewall, p, _ *model.FirewallPolicy) {
			p.GroupRefs = []model.ID{p.ID + "/ruleCollectionGroups/gone"}
		}), want: []string{"firewall:fw-policy"}},
		{id: "firewall-reference-missing", name: "an IP group", build: net(model.Allow, "group:gone", "10.2.0.0/24"), want: []string{rule}},
		{id: "firewall-priority-twice", name: "collections", build: twice(100, 100, model.NetworkRules), want: []string{"firewall:fw-policy/group/second"}},
		{id: "firewall-priority-twice", name: "of two kinds", build: twice(100, 100, model.ApplicationRules)},
		{id: "firewall-priority-twice", name: "two priorities", build: twice(100, 110, model.NetworkRules)},
		{id: "firewall-priority-twice", name: "groups", build: func(b *builder) {
			twice(100, 110, model.NetworkRules)(b)
			other := &model.RuleCollectionGroup{Meta: meta(fwpID("fw-policy") + "/ruleCollectionGroups/other"), Policy: fwpID("fw-policy"), Priority: 200}
			for _, r := range b.resources {
				if g, ok := r.(*model.RuleCollectionGroup); ok {
					other.Priority = g.Priority
				}
			}
			b.add(other)
		}, want: []string{"firewall:fw-policy/other"}},
		{id: "firewall-reference-missing", name: "all are there", build: net(model.Allow, "group:spoke", "10.2.0.0/24")},
	}
}

// sharedEgress is a firewall with an application rule for each source, and machines of a zone cde and of a zone out of scope.
func sharedEgress(sources ...string) func(*builder) {
	return func(b *builder) {
		b.vnet("hub", "10.0.0.0/16")
		f, _ := b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
		f.Policy = ""
		for i, from := range sources {
			f.Collections = append(f.Collections, model.RuleCollection{Name: "list", Priority: 100 + i, Kind: model.ApplicationRules, Access: model.Allow, Rules: []model.FirewallRule{
				{Name: "rule", Source: source("rule"), Sources: b.match(from), Apps: []model.AppProtocol{{Type: "Https", Port: 443}}, FQDNs: []string{"a.example"}},
			}})
		}
		b.vnet("spoke", "10.1.0.0/16")
		b.intent = &model.Intent{}
		for i, kind := range []model.ZoneKind{model.ZoneCDE, model.ZoneOutOfScope} {
			name := []string{"in", "out"}[i]
			b.subnet("spoke/"+name, []string{"10.1.1.0/24", "10.1.2.0/24"}[i])
			b.nic(name, "spoke/"+name, []string{"10.1.1.4", "10.1.2.4"}[i])
			sel, err := model.ParseSelectors([]string{"subnet:spoke/" + name})
			if err != nil {
				b.t.Fatal(err)
			}
			b.intent.Zones = append(b.intent.Zones, model.Zone{Name: name, Kind: kind, Members: sel})
		}
	}
}
