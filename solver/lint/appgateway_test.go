package lint

import "github.com/ringfence/ringfence/model"

const gatewayOpen = "GatewayManager 110 In Allow tcp GatewayManager * 65200-65535"

// webGateway is a gateway agw with an https listener on a public frontend, its policy waf in Prevention, and the NSG agw on its subnet.
func webGateway(b *builder, rules ...string) (*model.AppGateway, *model.WAFPolicy) {
	b.vnet("net", "10.0.0.0/16")
	b.subnet("net/agw", "10.0.0.0/24", "nsg=agw")
	b.nsg("agw", rules...)
	w := &model.WAFPolicy{Meta: meta(wafID("waf")), Enabled: model.On, Mode: "Prevention"}
	id := agwID("agw")
	g := &model.AppGateway{
		Meta: meta(id), Tier: "WAF_v2", Subnets: []model.ID{subnetID("net/agw")}, WAFPolicy: w.ID,
		Frontends: []model.AGWFrontend{{ID: id + "/frontendIPConfigurations/public", Name: "public", PublicIP: pipID("agw")}},
		Ports:     []model.AGWPort{{ID: id + "/frontendPorts/p", Port: 443}},
		Listeners: []model.AGWListener{{ID: id + "/httpListeners/web", Name: "web", Source: source("web"), Frontend: id + "/frontendIPConfigurations/public", Port: id + "/frontendPorts/p", Protocol: "Https"}},
		Pools:     []model.AGWPool{{ID: id + "/backendAddressPools/pool", Name: "pool"}},
		Settings:  []model.AGWSetting{{ID: id + "/backendHttpSettingsCollection/tls", Name: "tls", Source: source("tls"), Port: 443, Protocol: "Https"}},
		Rules:     []model.AGWRule{{ID: id + "/requestRoutingRules/r", Name: "r", Listener: id + "/httpListeners/web", Pool: id + "/backendAddressPools/pool", Setting: id + "/backendHttpSettingsCollection/tls"}},
		TLS:       model.TLSPolicy{Type: "Predefined", Name: "AppGwSslPolicy20220101", Source: source("tls policy")},
	}
	b.add(g)
	b.add(w)
	return g, w
}

func gatewayCases() []testCase {
	gateway := func(change func(b *builder, g *model.AppGateway, w *model.WAFPolicy)) func(*builder) {
		return func(b *builder) {
			g, w := webGateway(b, gatewayOpen)
			change(b, g, w)
		}
	}
	none := func(*builder, *model.AppGateway, *model.WAFPolicy) {}
	guardedBy := func(rules ...string) func(*builder) { return func(b *builder) { webGateway(b, rules...) } }
	redirect := func(to string) func(*builder) {
		return gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) {
			id := g.ID + "/redirectConfigurations/d"
			g.Listeners[0].Protocol = "Http"
			g.Rules[0].Pool, g.Rules[0].Setting, g.Rules[0].Redirect = "", "", id
			g.Redirects = []model.AGWRedirect{{ID: id, Type: "Permanent", TargetURL: to}}
		})
	}
	allow := func(conditions ...model.WAFCondition) func(*builder) {
		return gateway(func(_ *builder, _ *model.AppGateway, w *model.WAFPolicy) {
			w.Custom = []model.WAFRule{{Name: "partner", Source: source("partner"), Priority: 10, Action: "Allow", Conditions: conditions}}
		})
	}
	tls := func(p model.TLSPolicy) func(*builder) {
		return gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) { g.TLS = p })
	}
	header := model.WAFCondition{Variables: []string{"RequestHeaders:X-Partner"}, Operator: "Equal", Values: []string{"yes"}}
	// frontDoor has an endpoint shop and a domain pay behind an enforcing policy, unless change is nil.
	frontDoor := func(change func(*model.FrontDoor, *model.WAFPolicy)) func(*builder) {
		return func(b *builder) {
			id := resourceID("Microsoft.Cdn/profiles", "fd")
			shop, pay := id+"/afdEndpoints/shop", id+"/customDomains/pay"
			w := &model.WAFPolicy{Meta: meta(wafID("front")), FrontDoor: true, Enabled: model.On, Mode: "Prevention"}
			f := &model.FrontDoor{
				Meta: meta(id), Tier: "Premium_AzureFrontDoor", Domains: []model.FrontDoorDomain{{ID: pay, Name: "pay", Source: source("pay"), Host: "pay.example", MinTLS: "TLS12"}},
				Endpoints: []model.FrontDoorEndpoint{{ID: shop, Name: "shop", Source: source("shop"), Routes: []model.FrontDoorRoute{
					{ID: shop + "/routes/r", Name: "r", Source: source("r"), HTTPS: true, Default: model.On, Domains: []model.ID{pay}},
				}}},
			}
			if change != nil {
				f.WAFs = []model.FrontDoorWAF{{Source: source("association"), Policy: w.ID, Domains: []model.ID{shop, pay}, Whole: true}}
				change(f, w)
			}
			b.add(f)
			b.add(w)
		}
	}
	lock := model.WAFRule{Name: "lock", Priority: 10, Action: "Block", Conditions: []model.WAFCondition{{Variables: []string{"RequestHeaders:X-Azure-FDID"}, Operator: "Equal", Negate: true, Values: []string{"0f0f"}}}}
	unlocked := func(mode string, rules ...model.WAFRule) func(*builder) {
		return func(b *builder) {
			_, w := webGateway(b, gatewayOpen, "Front 100 In Allow tcp AzureFrontDoor.Backend * 443", denyIn)
			w.Mode, w.Custom = mode, rules
		}
	}
	return []testCase{
		{id: "waf-not-enforcing", name: "a Front Door without security policy", build: frontDoor(nil), want: []string{"frontdoor:fd/pay", "frontdoor:fd/shop"}},
		{id: "waf-not-enforcing", name: "the endpoint's own name is forgotten", build: frontDoor(func(f *model.FrontDoor, _ *model.WAFPolicy) { f.WAFs[0].Domains = f.WAFs[0].Domains[1:] }), want: []string{"frontdoor:fd/shop"}},
		{id: "waf-not-enforcing", name: "some paths of a Front Door", build: frontDoor(func(f *model.FrontDoor, _ *model.WAFPolicy) { f.WAFs[0].Whole = false }), want: []string{"frontdoor:fd/pay", "frontdoor:fd/shop"}},
		{id: "waf-not-enforcing", name: "a Front Door in Detection", build: frontDoor(func(_ *model.FrontDoor, w *model.WAFPolicy) { w.Mode = "Detection" }), want: []string{"frontdoor:fd/pay", "frontdoor:fd/shop"}},
		{id: "waf-not-enforcing", name: "a Front Door whose policy is not in the input", build: frontDoor(func(f *model.FrontDoor, _ *model.WAFPolicy) { f.WAFs[0].Policy = wafID("gone") })},
		{id: "waf-not-enforcing", name: "a Front Door in Prevention", build: frontDoor(func(*model.FrontDoor, *model.WAFPolicy) {})},
		{id: "http-backend", name: "a Front Door that forwards http", build: frontDoor(func(f *model.FrontDoor, _ *model.WAFPolicy) { f.Endpoints[0].Routes[0].Forwarding = "HttpOnly" }), want: []string{"frontdoor:fd/shop/r"}},
		{id: "http-backend", name: "a Front Door that forwards as it is asked", build: frontDoor(func(f *model.FrontDoor, _ *model.WAFPolicy) { f.Endpoints[0].Routes[0].HTTP = true }), want: []string{"frontdoor:fd/shop/r"}},
		{id: "http-backend", name: "a Front Door that redirects", build: frontDoor(func(f *model.FrontDoor, _ *model.WAFPolicy) {
			f.Endpoints[0].Routes[0].HTTP, f.Endpoints[0].Routes[0].Redirect = true, model.On
		})},
		{id: "listener-tls-floor", name: "a domain of a Front Door", build: frontDoor(func(f *model.FrontDoor, _ *model.WAFPolicy) { f.Domains[0].MinTLS = "TLS10" }), want: []string{"frontdoor:fd/pay"}},
		{id: "front-door-unlocked", name: "the tag alone", build: unlocked("Prevention"), want: []string{"nsg:agw/Front"}},
		{id: "front-door-unlocked", name: "the header in Detection", build: unlocked("Detection", lock), want: []string{"nsg:agw/Front"}},
		{id: "front-door-unlocked", name: "an Allow before it", build: unlocked("Prevention", model.WAFRule{Action: "Allow", Conditions: []model.WAFCondition{header}}, lock), want: []string{"nsg:agw/Front"}},
		{id: "front-door-unlocked", name: "tag and header", build: unlocked("Prevention", lock)},
		// X-EDGE-10 and X-EDGE-11 of azure-edge-and-aks.md.
		{id: "waf-not-enforcing", name: "Detection", build: gateway(func(_ *builder, _ *model.AppGateway, w *model.WAFPolicy) { w.Mode = "Detection" }), want: []string{"appgw:agw/web"}},
		{id: "waf-not-enforcing", name: "disabled", build: gateway(func(_ *builder, _ *model.AppGateway, w *model.WAFPolicy) { w.Enabled = model.Off }), want: []string{"appgw:agw/web"}},
		{id: "waf-not-enforcing", name: "a tier without WAF", build: gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) { g.Tier = "Standard_v2" }), want: []string{"appgw:agw/web"}},
		{id: "waf-not-enforcing", name: "no policy", build: gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) { g.WAFPolicy = "" }), want: []string{"appgw:agw/web"}},
		{id: "waf-not-enforcing", name: "the listener's own policy", build: gateway(func(b *builder, g *model.AppGateway, _ *model.WAFPolicy) {
			b.add(&model.WAFPolicy{Meta: meta(wafID("test")), Enabled: model.On, Mode: "Detection"})
			g.Listeners[0].WAFPolicy = wafID("test")
		}), want: []string{"appgw:agw/web"}},
		{id: "waf-not-enforcing", name: "a path's own policy", build: gateway(func(b *builder, g *model.AppGateway, _ *model.WAFPolicy) {
			b.add(&model.WAFPolicy{Meta: meta(wafID("test")), Enabled: model.On, Mode: "Detection"})
			g.Rules[0].Pool, g.Rules[0].PathMap = "", g.ID+"/urlPathMaps/m"
			g.PathMaps = []model.AGWPathMap{{ID: g.ID + "/urlPathMaps/m", DefaultPool: g.Pools[0].ID, Paths: []model.AGWPathRule{{Name: "x", Paths: []string{"/x/*"}, Pool: g.Pools[0].ID, WAFPolicy: wafID("test")}}}}
		}), want: []string{"appgw:agw/web"}},
		{id: "waf-not-enforcing", name: "the older configuration, in Detection", build: gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) {
			g.WAFPolicy, g.LegacyWAF = "", &model.LegacyWAF{Enabled: model.On, Mode: "Detection"}
		}), want: []string{"appgw:agw/web"}},
		{id: "waf-not-enforcing", name: "Prevention", build: gateway(none)},
		{id: "waf-not-enforcing", name: "the policy wins over the older configuration", build: gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) {
			g.LegacyWAF = &model.LegacyWAF{Enabled: model.On, Mode: "Detection"}
		})},
		{id: "waf-not-enforcing", name: "nothing is forwarded", build: gateway(func(_ *builder, g *model.AppGateway, w *model.WAFPolicy) { g.Rules, w.Mode = nil, "Detection" })},
		{id: "waf-not-enforcing", name: "private, without a policy", build: gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) {
			g.WAFPolicy, g.Frontends[0].PublicIP = "", ""
		})},
		{id: "waf-not-enforcing", name: "the policy is not in the input", build: gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) { g.WAFPolicy = wafID("gone") })},

		{id: "waf-allow-rule", name: "by a header", build: allow(header), want: []string{"waf:waf/partner"}},
		{id: "waf-allow-rule", name: "by everything but an address", build: allow(model.WAFCondition{Variables: []string{"RemoteAddr"}, Operator: "IPMatch", Negate: true}), want: []string{"waf:waf/partner"}},
		{id: "waf-allow-rule", name: "by an address and a header", build: allow(header, model.WAFCondition{Variables: []string{"RemoteAddr"}, Operator: "IPMatch", Values: []string{"198.51.100.7"}})},
		{id: "waf-allow-rule", name: "a Block", build: gateway(func(_ *builder, _ *model.AppGateway, w *model.WAFPolicy) {
			w.Custom = []model.WAFRule{{Name: "partner", Action: "Block", Conditions: []model.WAFCondition{header}}}
		})},

		{id: "http-listener", name: "it forwards", build: gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) { g.Listeners[0].Protocol = "Http" }), want: []string{"appgw:agw/web"}},
		{id: "http-listener", name: "it redirects to http", build: redirect("http://shop.example/"), want: []string{"appgw:agw/web"}},
		{id: "http-listener", name: "it redirects a path to an http listener", build: gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) {
			id := g.ID + "/redirectConfigurations/d"
			g.Listeners[0].Protocol = "Http"
			g.Rules[0].Pool, g.Rules[0].PathMap = "", g.ID+"/urlPathMaps/m"
			g.PathMaps = []model.AGWPathMap{{ID: g.ID + "/urlPathMaps/m", Paths: []model.AGWPathRule{{Paths: []string{"/x"}, Redirect: id}}}}
			g.Redirects = []model.AGWRedirect{{ID: id, TargetListener: g.Listeners[0].ID}}
		}), want: []string{"appgw:agw/web"}},
		{id: "http-listener", name: "it redirects to https", build: redirect("https://shop.example/")},
		{id: "http-listener", name: "it has no rule", build: gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) {
			g.Listeners[0].Protocol, g.Rules = "Http", nil
		})},

		{id: "http-backend", name: "clear text to the backend", build: gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) { g.Settings[0].Protocol = "Http" }), want: []string{"appgw:agw/tls"}},
		{id: "http-backend", name: "settings that no rule uses", build: gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) {
			g.Settings = append(g.Settings, model.AGWSetting{ID: g.ID + "/backendHttpSettingsCollection/old", Name: "old", Protocol: "Http", Port: 80})
		})},

		{id: "listener-tls-floor", name: "an old predefined policy", build: tls(model.TLSPolicy{Type: "Predefined", Name: "AppGwSslPolicy20150501", Source: source("tls")}), want: []string{"appgw:agw/web"}},
		{id: "listener-tls-floor", name: "a custom policy", build: tls(model.TLSPolicy{Type: "Custom", MinVersion: "TLSv1_1", Source: source("tls")}), want: []string{"appgw:agw/web"}},
		{id: "listener-tls-floor", name: "not stated", build: tls(model.TLSPolicy{}), want: []string{"appgw:agw/web"}},
		{id: "listener-tls-floor", name: "the listener's profile", build: gateway(func(_ *builder, g *model.AppGateway, _ *model.WAFPolicy) {
			g.TLSProfiles = []model.TLSProfile{{ID: g.ID + "/sslProfiles/old", Policy: model.TLSPolicy{Type: "Custom", MinVersion: "TLSv1_0", Source: source("profile")}}}
			g.Listeners[0].TLSProfile = g.ID + "/sslProfiles/old"
		}), want: []string{"appgw:agw/web"}},
		{id: "listener-tls-floor", name: "1.2", build: tls(model.TLSPolicy{Type: "CustomV2", MinVersion: "TLSv1_2", Source: source("tls")})},
		{id: "listener-tls-floor", name: "a policy that is newer than the table", build: tls(model.TLSPolicy{Type: "Predefined", Name: "AppGwSslPolicy20300101", Source: source("tls")})},

		// X-EDGE-12 of azure-edge-and-aks.md.
		{id: "gateway-management-open", name: "source any", build: guardedBy("Manager 110 In Allow tcp * * 65200-65535", denyIn), want: []string{"nsg:agw/Manager"}},
		{id: "gateway-management-open", name: "a rule for every port", build: guardedBy("Web 100 In Allow tcp Internet * *", denyIn), want: []string{"nsg:agw/Web"}},
		{id: "gateway-management-open", name: "a v1 gateway", build: func(b *builder) {
			g, _ := webGateway(b, "Manager 110 In Allow tcp * * 65503-65534", denyIn)
			g.Tier = "WAF"
		}, want: []string{"nsg:agw/Manager"}},
		{id: "gateway-management-open", name: "source GatewayManager", build: guardedBy(gatewayOpen, denyIn)},
		{id: "gateway-management-open", name: "an NSG elsewhere", build: func(b *builder) {
			webGateway(b, gatewayOpen, denyIn)
			b.subnet("net/app", "10.0.1.0/24", "nsg=app")
			b.nsg("app", "High 110 In Allow tcp * * 65200-65535", denyIn)
		}},

		{id: "gateway-nsg-incomplete", name: "GatewayManager is missing", build: guardedBy("Web 100 In Allow tcp Internet * 443"), want: []string{"nsg:agw"}},
		{id: "gateway-nsg-incomplete", name: "the Deny takes AzureLoadBalancer too", build: guardedBy(gatewayOpen, denyIn), want: []string{"nsg:agw"}},
		{id: "gateway-nsg-incomplete", name: "both are there", build: guardedBy(gatewayOpen, "Probe 120 In Allow * AzureLoadBalancer * *", denyIn)},
		{id: "gateway-nsg-incomplete", name: "the default rule admits AzureLoadBalancer", build: guardedBy(gatewayOpen)},
		{id: "gateway-nsg-incomplete", name: "a Deny of one port before", build: guardedBy("NoSsh 100 In Deny * * * 22", gatewayOpen)},
		{id: "gateway-nsg-incomplete", name: "a private deployment", build: func(b *builder) {
			g, _ := webGateway(b, denyIn)
			g.Frontends[0].PublicIP = ""
		}},
	}
}
