package lint

import "github.com/ringfence/ringfence/model"

// hubAndSpoke is a hub 10.0.0.0/16 with the firewall 10.0.0.4 and a spoke 10.1.0.0/16 whose subnet web sends its default there.
func hubAndSpoke(b *builder) (hub, spoke *model.VNet) {
	hub, spoke = b.vnet("hub", "10.0.0.0/16"), b.vnet("spoke", "10.1.0.0/16")
	b.peer(hub, spoke)
	b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
	b.subnet("spoke/web", "10.1.0.0/24", "rt=out")
	b.routes("out", "default 0.0.0.0/0 10.0.0.4")
	return hub, spoke
}

// withGateway adds a gateway to the hub, lent to the spoke, and the routes of GatewaySubnet.
func withGateway(b *builder, hub, spoke *model.VNet, routes ...string) {
	b.subnet("hub/GatewaySubnet", "10.0.1.0/27", "rt=gateway")
	b.add(&model.Gateway{Meta: meta(network("virtualNetworkGateways", "vgw")), Kind: model.VPNGateway, Subnet: subnetID("hub/GatewaySubnet")})
	hub.Peerings[0].AllowGatewayTransit, spoke.Peerings[0].UseRemoteGateways = model.On, model.On
	b.routes("gateway", routes...)
}

func routeCases() []testCase {
	second := func(more func(b *builder)) func(*builder) {
		return func(b *builder) {
			hubAndSpoke(b)
			more(b)
		}
	}
	appliance := func(options ...string) func(*builder) {
		return func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "rt=out")
			b.subnet("net/nva", "10.0.9.0/24")
			b.nic("nva", "net/nva", "10.0.9.4", options...)
			b.routes("out", "default 0.0.0.0/0 10.0.9.4")
		}
	}
	gateway := func(routes ...string) func(*builder) {
		return func(b *builder) {
			hub, spoke := hubAndSpoke(b)
			withGateway(b, hub, spoke, routes...)
		}
	}
	appgw := func(tier string, public bool, hop string) func(*builder) {
		return func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/agw", "10.0.0.0/24", "rt=out")
			b.routes("out", "default 0.0.0.0/0 "+hop)
			g := &model.AppGateway{Meta: meta(agwID("agw")), Tier: tier, Subnets: []model.ID{subnetID("net/agw")}, Frontends: []model.AGWFrontend{{ID: agwID("agw") + "/frontendIPConfigurations/f"}}}
			if public {
				g.Frontends[0].PublicIP = pipID("agw")
			}
			b.add(g)
		}
	}
	return []testCase{
		{id: "default-route-missing", name: "no route table", build: second(func(b *builder) { b.subnet("spoke/app", "10.1.1.0/24") }), want: []string{"subnet:spoke/app"}},
		{id: "default-route-missing", name: "a table without the route", build: second(func(b *builder) {
			b.subnet("spoke/app", "10.1.1.0/24", "rt=empty")
			b.routes("empty")
		}), want: []string{"subnet:spoke/app"}},
		{id: "default-route-missing", name: "to the internet by its own route", build: second(func(b *builder) {
			b.subnet("spoke/app", "10.1.1.0/24", "rt=internet")
			b.routes("internet", "default 0.0.0.0/0 Internet")
		}), want: []string{"subnet:spoke/app"}},
		{id: "default-route-missing", name: "a private subnet with a NAT gateway", build: second(func(b *builder) { b.subnet("spoke/app", "10.1.1.0/24", "private", "nat=nat") }), want: []string{"subnet:spoke/app"}},
		{id: "default-route-missing", name: "it has the route", build: second(func(b *builder) { b.subnet("spoke/app", "10.1.1.0/24", "rt=out") })},
		{id: "default-route-missing", name: "two halves", build: second(func(b *builder) {
			b.subnet("spoke/app", "10.1.1.0/24", "rt=halves")
			b.routes("halves", "low 0.0.0.0/1 10.0.0.4", "high 128.0.0.0/1 10.0.0.4")
		})},
		{id: "default-route-missing", name: "a private subnet has no other way", build: second(func(b *builder) { b.subnet("spoke/app", "10.1.1.0/24", "private") })},
		{id: "default-route-missing", name: "endpoints open nothing", build: second(func(b *builder) {
			b.subnet("spoke/pe", "10.1.1.0/24")
			b.endpoint("pe", "spoke/pe", "10.1.1.4", "x")
		})},
		{id: "default-route-missing", name: "subnets that Azure keeps", build: second(func(b *builder) {
			b.subnet("spoke/AzureBastionSubnet", "10.1.1.0/26")
			b.subnet("spoke/db", "10.1.2.0/24", "delegated=Microsoft.Sql/managedInstances")
		})},
		{id: "default-route-missing", name: "the appliance's own subnet", build: appliance("forward")},
		{id: "default-route-missing", name: "the table is not in the input", build: second(func(b *builder) { b.subnet("spoke/app", "10.1.1.0/24", "rt=gone") })},

		// EX-28 of azure-network.md.
		{id: "ipv6-default-route-missing", name: "IPv4 alone is steered", build: second(func(b *builder) { b.subnet("spoke/app", "10.1.1.0/24,fd00:1::/64", "rt=out") }), want: []string{"subnet:spoke/app"}},
		{id: "ipv6-default-route-missing", name: "both are", build: second(func(b *builder) {
			b.subnet("spoke/app", "10.1.1.0/24,fd00:1::/64", "rt=both")
			b.routes("both", "four 0.0.0.0/0 10.0.0.4", "six ::/0 None")
		})},
		{id: "ipv6-default-route-missing", name: "no IPv6", build: second(func(b *builder) { b.subnet("spoke/app", "10.1.1.0/24", "rt=out") })},

		// EX-11 of azure-network.md.
		{id: "route-supernet", name: "a supernet of a peer", build: second(func(b *builder) {
			other := b.vnet("other", "10.2.0.0/16")
			b.subnet("other/app", "10.2.0.0/24")
			b.peer(b.resources[1].(*model.VNet), other)
			b.subnet("spoke/app", "10.1.1.0/24", "rt=wide")
			b.routes("wide", "private 10.0.0.0/8 10.0.0.4")
		}), want: []string{"routes:wide/private"}},
		{id: "route-supernet", name: "the hub holds machines too", build: second(func(b *builder) {
			b.subnet("hub/shared", "10.0.5.0/24")
			b.nic("dns", "hub/shared", "10.0.5.4")
			b.subnet("spoke/app", "10.1.1.0/24", "rt=wide")
			b.routes("wide", "private 10.0.0.0/8 10.0.0.4")
		}), want: []string{"routes:wide/private"}},
		{id: "route-supernet", name: "the hub holds the firewall alone", build: second(func(b *builder) {
			b.subnet("spoke/app", "10.1.1.0/24", "rt=wide")
			b.routes("wide", "private 10.0.0.0/8 10.0.0.4")
		})},
		{id: "route-supernet", name: "a route as long as the peer's", build: second(func(b *builder) {
			other := b.vnet("other", "10.2.0.0/16")
			b.peer(b.resources[1].(*model.VNet), other)
			b.subnet("spoke/app", "10.1.1.0/24", "rt=wide")
			b.routes("wide", "private 10.0.0.0/8 10.0.0.4", "other 10.2.0.0/16 10.0.0.4")
		})},
		{id: "route-supernet", name: "a route for the subnet that is there", build: second(func(b *builder) {
			other := b.vnet("other", "10.2.0.0/16")
			b.subnet("other/app", "10.2.0.0/24")
			b.peer(b.resources[1].(*model.VNet), other)
			b.subnet("spoke/app", "10.1.1.0/24", "rt=wide")
			b.routes("wide", "private 10.0.0.0/8 10.0.0.4", "other 10.2.0.0/20 10.0.0.4")
		})},

		{id: "next-hop-unresolved", name: "nothing has the address", build: second(func(b *builder) {
			b.subnet("spoke/app", "10.1.1.0/24", "rt=typo")
			b.routes("typo", "default 0.0.0.0/0 10.0.0.40")
		}), want: []string{"routes:typo/default"}},
		{id: "next-hop-unresolved", name: "in a VNet two peerings away", build: second(func(b *builder) {
			b.subnet("spoke/app", "10.1.1.0/24", "rt=far")
			b.routes("far", "default 0.0.0.0/0 10.7.0.4")
		}), want: []string{"routes:far/default"}},
		{id: "next-hop-unresolved", name: "the firewall has it", build: second(func(*builder) {})},
		{id: "next-hop-unresolved", name: "an internal frontend has it", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "rt=out")
			b.routes("out", "default 0.0.0.0/0 10.0.0.9")
			b.add(&model.LoadBalancer{Meta: meta(lbID("nva")), Frontends: []model.LBFrontend{{ID: lbID("nva") + "/frontendIPConfigurations/f", Subnet: subnetID("net/web"), Address: addr("10.0.0.9")}}})
		}},
		{id: "next-hop-unresolved", name: "an interface with an address that is not stated may have it", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "rt=out")
			b.nic("nva", "net/web", "")
			b.routes("out", "default 0.0.0.0/0 10.0.0.9")
		}},
		{id: "next-hop-unresolved", name: "the peer is not in the input", build: func(b *builder) {
			v := b.vnet("net", "10.0.0.0/16")
			v.Peerings = []model.Peering{{Name: "hub", Remote: vnetID("gone"), State: "Connected", RemotePrefixes: prefixes(b.t, "10.9.0.0/16")}}
			b.subnet("net/web", "10.0.0.0/24", "rt=out")
			b.routes("out", "default 0.0.0.0/0 10.9.0.4")
		}},

		{id: "next-hop-not-forwarding", name: "off", build: appliance(), want: []string{"routes:out/default"}},
		{id: "next-hop-not-forwarding", name: "off behind a frontend", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "rt=out")
			b.nic("nva", "net/web", "10.0.0.8")
			b.routes("out", "default 0.0.0.0/0 10.0.0.9")
			id := lbID("nva")
			b.add(&model.LoadBalancer{
				Meta: meta(id), Frontends: []model.LBFrontend{{ID: id + "/frontendIPConfigurations/f", Subnet: subnetID("net/web"), Address: addr("10.0.0.9")}},
				Pools: []model.LBPool{{ID: id + "/backendAddressPools/p", IPConfigs: []model.ID{nicID("nva") + "/ipConfigurations/ip"}}},
				Rules: []model.LBRule{{Frontend: id + "/frontendIPConfigurations/f", Pools: []model.ID{id + "/backendAddressPools/p"}, Protocol: model.AnyProtocol}},
			})
		}, want: []string{"routes:out/default"}},
		{id: "next-hop-not-forwarding", name: "on", build: appliance("forward")},

		{id: "gateway-route-missing", name: "no route for the spoke", build: gateway("other 10.7.0.0/16 10.0.0.4"), want: []string{"subnet:hub/GatewaySubnet"}},
		{id: "gateway-route-missing", name: "a supernet does not do", build: gateway("all 10.0.0.0/8 10.0.0.4"), want: []string{"subnet:hub/GatewaySubnet"}},
		{id: "gateway-route-missing", name: "a route for the range", build: gateway("spoke 10.1.0.0/16 10.0.0.4")},
		{id: "gateway-route-missing", name: "routes for the subnets in use", build: gateway("web 10.1.0.0/24 10.0.0.4")},
		{id: "gateway-route-missing", name: "the spoke does not use the gateway", build: func(b *builder) {
			hub, spoke := hubAndSpoke(b)
			withGateway(b, hub, spoke)
			spoke.Peerings[0].UseRemoteGateways = model.Off
		}},
		{id: "gateway-route-missing", name: "nothing uses the firewall", build: func(b *builder) {
			hub, spoke := b.vnet("hub", "10.0.0.0/16"), b.vnet("spoke", "10.1.0.0/16")
			b.peer(hub, spoke)
			b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
			b.subnet("spoke/web", "10.1.0.0/24")
			withGateway(b, hub, spoke)
		}},

		{id: "route-unsupported", name: "a default on GatewaySubnet", build: gateway("default 0.0.0.0/0 10.0.0.4", "spoke 10.1.0.0/16 10.0.0.4"), want: []string{"subnet:hub/GatewaySubnet"}},
		{id: "route-unsupported", name: "gateway routes off on GatewaySubnet", build: func(b *builder) {
			hub, spoke := hubAndSpoke(b)
			withGateway(b, hub, spoke, "spoke 10.1.0.0/16 10.0.0.4")
			b.resources[len(b.resources)-1].(*model.RouteTable).DisableBGP = model.On
		}, want: []string{"subnet:hub/GatewaySubnet"}},
		{id: "route-unsupported", name: "Bastion", build: second(func(b *builder) { b.subnet("hub/AzureBastionSubnet", "10.0.2.0/26", "rt=out") }), want: []string{"subnet:hub/AzureBastionSubnet"}},
		{id: "route-unsupported", name: "a public v2 application gateway", build: appgw("WAF_v2", true, "10.0.9.4"), want: []string{"subnet:net/agw"}},
		{id: "route-unsupported", name: "a private application gateway", build: appgw("WAF_v2", false, "10.0.9.4")},
		{id: "route-unsupported", name: "an application gateway, to the internet", build: appgw("WAF_v2", true, "Internet")},
		{id: "route-unsupported", name: "single ranges on GatewaySubnet", build: gateway("spoke 10.1.0.0/16 10.0.0.4")},
	}
}
