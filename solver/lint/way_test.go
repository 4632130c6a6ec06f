package lint

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// onPremBehind puts 192.168.0.0/16 behind the hub's gateway.
func onPremBehind(b *builder, ranges ...string) *model.Connection {
	lng := network("localNetworkGateways", "office")
	b.add(&model.LocalNetworkGateway{Meta: meta(lng), Prefixes: prefixes(b.t, ranges...)})
	c := &model.Connection{Meta: meta(network("connections", "to-office")), Kind: "IPsec", Gateway: network("virtualNetworkGateways", "vgw"), Peer: lng, State: "Connected"}
	b.add(c)
	return c
}

// passing lets a firewall carry everything between some ranges.
func passing(b *builder, p *model.FirewallPolicy, from, to string) {
	b.group(p, model.NetworkRules, model.Allow, model.FirewallRule{Sources: b.match(from), Dests: b.match(to), Protocols: []model.Protocol{model.TCP}, Ports: []model.PortRange{model.AllPorts}})
}

// added returns what was added to an estate under a name.
func added[T model.Resource](b *builder, name string) T {
	b.t.Helper()
	for _, r := range b.resources {
		if x, ok := r.(T); ok && r.ResourceID().Name() == name {
			return x
		}
	}
	b.t.Fatalf("nothing of the kind is named %s", name)
	panic("unreachable")
}

func wayCases() []testCase {
	// nva is a VNet with the appliance 10.0.9.4 and a client subnet.
	nva := func(client, own string, routes ...string) func(*builder) {
		return func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", client)
			b.subnet("net/nva", "10.0.9.0/24", own)
			b.nic("nva", "net/nva", "10.0.9.4", "forward", "vm=nva")
			b.routes("out", "default 0.0.0.0/0 10.0.9.4")
			b.routes("own", routes...)
		}
	}
	holed := func(route string) func(*builder) {
		return func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "rt=out")
			b.subnet("net/db", "10.0.1.0/24")
			b.nic("db", "net/db", "10.0.1.4")
			b.routes("out", route)
		}
	}
	// spokes are two spokes of a hub whose firewall lets 10.0.0.0/8 pass; web sends the other spoke to it.
	spokes := func(rule, options string, routes ...string) func(*builder) {
		return func(b *builder) {
			hub, one, two := b.vnet("hub", "10.0.0.0/16"), b.vnet("one", "10.1.0.0/16"), b.vnet("two", "10.2.0.0/16")
			b.peer(hub, one)
			b.peer(hub, two)
			_, p := b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
			if rule != "" {
				passing(b, p, "10.0.0.0/8", rule)
			}
			b.subnet("one/web", "10.1.0.0/24", "rt=out")
			b.nic("web", "one/web", "10.1.0.4")
			b.routes("out", "spokes 10.0.0.0/8 10.0.0.4")
			if options != "" {
				b.subnet("two/db", "10.2.0.0/24", options)
			} else {
				b.subnet("two/db", "10.2.0.0/24")
			}
			b.nic("db", "two/db", "10.2.0.4")
			b.routes("back", routes...)
		}
	}
	near := func(routes ...string) func(*builder) { // the hub's own subnet, which the peering reaches
		return func(b *builder) {
			hub, one := b.vnet("hub", "10.0.0.0/16"), b.vnet("one", "10.1.0.0/16")
			b.peer(hub, one)
			_, p := b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
			passing(b, p, "10.0.0.0/8", "*")
			b.subnet("one/web", "10.1.0.0/24", "rt=out")
			b.nic("web", "one/web", "10.1.0.4")
			b.routes("out", "hub 10.0.0.0/16 10.0.0.4")
			b.subnet("hub/db", "10.0.2.0/24", "rt=back")
			b.nic("db", "hub/db", "10.0.2.4")
			b.routes("back", routes...)
		}
	}
	behind := func(gatewayRoutes []string, spokeRoutes []string, more ...func(*builder)) func(*builder) {
		return func(b *builder) {
			hub, spoke := b.vnet("hub", "10.0.0.0/16"), b.vnet("spoke", "10.1.0.0/16")
			b.peer(hub, spoke)
			_, p := b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
			passing(b, p, "192.168.0.0/16", "10.1.0.0/16")
			withGateway(b, hub, spoke, gatewayRoutes...)
			onPremBehind(b, "192.168.0.0/16")
			b.subnet("spoke/web", "10.1.0.0/24", "rt=spoke")
			b.nic("web", "spoke/web", "10.1.0.4")
			b.routes("spoke", spokeRoutes...)
			for _, f := range more {
				f(b)
			}
		}
	}
	withoutPropagation := func(b *builder) {
		added[*model.RouteTable](b, "spoke").DisableBGP = model.On
	}
	return []testCase{
		{id: "route-loop", name: "the appliance's subnet has its clients' table", build: nva("rt=out", "rt=out"), want: []string{"routes:out/default"}},
		{id: "route-loop", name: "the firewall's subnet leads to the firewall", build: func(b *builder) {
			hubAndSpoke(b)
			added[*model.Subnet](b, "AzureFirewallSubnet").RouteTable = rtID("out")
		}, want: []string{"routes:out/default"}},
		{id: "route-loop", name: "two appliances send to each other", build: func(b *builder) {
			nva("rt=out", "rt=own", "on 0.0.0.0/0 10.0.8.4")(b)
			b.subnet("net/second", "10.0.8.0/24", "rt=back")
			b.nic("second", "net/second", "10.0.8.4", "forward", "vm=second")
			b.routes("back", "back 198.51.100.0/24 10.0.9.4")
		}, want: []string{"routes:back/back", "routes:out/default", "routes:own/on"}},
		{id: "route-loop", name: "the appliance's own table leads on", build: nva("rt=out", "rt=own", "on 0.0.0.0/0 Internet")},
		{id: "route-loop", name: "a longer route leads out of the circle", build: nva("rt=out", "rt=own", "same 0.0.0.0/0 10.0.9.4", "low 0.0.0.0/1 Internet", "high 128.0.0.0/1 Internet")},
		{id: "route-loop", name: "the machine may send by another interface", build: func(b *builder) {
			nva("rt=out", "rt=out")(b)
			vm := added[*model.VM](b, "nva")
			vm.NICs = append(vm.NICs, nicID("outside"))
		}},
		{id: "route-loop", name: "the machine does not forward", build: func(b *builder) {
			nva("rt=out", "rt=out")(b)
			added[*model.NIC](b, "nva").IPForwarding = model.Off
		}},
		{id: "route-loop", name: "the table of the appliance is not in the input", build: nva("rt=out", "rt=gone")},

		{id: "route-black-hole", name: "no gateway", build: holed("office 192.168.0.0/16 VirtualNetworkGateway"), want: []string{"routes:out/office"}},
		{id: "route-black-hole", name: "an ExpressRoute gateway", build: func(b *builder) {
			holed("office 192.168.0.0/16 VirtualNetworkGateway")(b)
			b.subnet("net/GatewaySubnet", "10.0.9.0/27")
			b.add(&model.Gateway{Meta: meta(network("virtualNetworkGateways", "er")), Kind: model.ExpressRouteGateway, Subnet: subnetID("net/GatewaySubnet")})
		}, want: []string{"routes:out/office"}},
		{id: "route-black-hole", name: "private addresses to the internet", build: holed("office 192.168.0.0/16 Internet"), want: []string{"routes:out/office"}},
		{id: "route-black-hole", name: "to the internet from a private subnet", build: func(b *builder) { // AZ-OUT-06
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "rt=out", "private")
			b.nic("web", "net/web", "10.0.0.4")
			b.routes("out", "direct 198.51.100.0/24 Internet")
		}, want: []string{"routes:out/direct"}},
		{id: "route-black-hole", name: "to the internet by a NAT gateway", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "rt=out", "private", "nat=out")
			b.nic("web", "net/web", "10.0.0.4")
			b.routes("out", "direct 198.51.100.0/24 Internet")
		}},
		{id: "route-black-hole", name: "None for a subnet in use", severity: Note, build: holed("db 10.0.1.0/24 None"), want: []string{"routes:out/db"}},
		{id: "route-black-hole", name: "None for the internet", build: holed("default 0.0.0.0/0 None")},
		{id: "route-black-hole", name: "public addresses to the internet", build: holed("office 198.51.100.0/24 Internet")},
		{id: "route-black-hole", name: "there is a VPN gateway", build: func(b *builder) {
			holed("office 192.168.0.0/16 VirtualNetworkGateway")(b)
			b.subnet("net/GatewaySubnet", "10.0.9.0/27")
			b.add(&model.Gateway{Meta: meta(network("virtualNetworkGateways", "vgw")), Kind: model.VPNGateway, Subnet: subnetID("net/GatewaySubnet")})
		}},
		{id: "route-black-hole", name: "a peer that is not in the input may lend its gateway", build: func(b *builder) {
			holed("office 192.168.0.0/16 VirtualNetworkGateway")(b)
			added[*model.VNet](b, "net").Peerings = []model.Peering{{Name: "hub", Source: source("hub"), Remote: vnetID("hub"), State: "Connected", UseRemoteGateways: model.On}}
		}},

		{id: "asymmetric-path", name: "the other spoke has no route back", build: spokes("*", ""), want: []string{"routes:out/spokes"}},
		{id: "asymmetric-path", name: "the peering's route answers", build: near("elsewhere 172.16.0.0/12 10.0.0.4"), want: []string{"routes:out/hub"}},
		{id: "asymmetric-path", name: "in by the firewall, back by the gateway", build: behind([]string{"spoke 10.1.0.0/16 10.0.0.4"}, []string{"none 172.16.0.0/12 None"}), want: []string{"subnet:spoke/web"}},
		{id: "asymmetric-path", name: "what comes in cannot be answered", build: behind([]string{"none 172.16.0.0/12 None"}, []string{"none 172.16.0.0/12 None"}, withoutPropagation), want: []string{"subnet:spoke/web"}},
		{id: "asymmetric-path", name: "a public Service of nodes behind a firewall", build: func(b *builder) { // AZ-FW-55
			hubAndSpoke(b)
			b.cluster("aks").Pools = []model.NodePool{{Name: "np", Subnet: subnetID("spoke/web")}}
			b.kubeService("shop", "cart", "LoadBalancer", 80, 8080)
		}, want: []string{"lb:shop/cart"}},
		{id: "asymmetric-path", name: "a public Service, and some nodes answer directly", build: func(b *builder) {
			hubAndSpoke(b)
			b.subnet("spoke/app", "10.1.1.0/24")
			b.cluster("aks").Pools = []model.NodePool{{Name: "np", Subnet: subnetID("spoke/web")}, {Name: "more", Subnet: subnetID("spoke/app")}}
			b.kubeService("shop", "cart", "LoadBalancer", 80, 8080)
		}},
		{id: "asymmetric-path", name: "both sides by the firewall", build: spokes("*", "rt=back", "back 10.1.0.0/16 10.0.0.4")},
		{id: "asymmetric-path", name: "both sides by the firewall, in the hub", build: near("back 10.1.0.0/16 10.0.0.4")},
		{id: "asymmetric-path", name: "no network rule lets it pass", build: spokes("", "")},
		{id: "asymmetric-path", name: "the rules are for others", build: spokes("10.7.0.0/16", "")},
		{id: "asymmetric-path", name: "the firewall translates", build: func(b *builder) { // AZ-FW-41
			spokes("*", "")(b)
			added[*model.FirewallPolicy](b, "fw-policy").SNAT = model.SNATRanges{Custom: true, Prefixes: []netip.Prefix{netip.MustParsePrefix("255.255.255.255/32")}}
		}},
		{id: "asymmetric-path", name: "both directions past the firewall", build: behind([]string{"none 172.16.0.0/12 None"}, []string{"none 172.16.0.0/12 None"})},
		{id: "asymmetric-path", name: "the table of the other side is not in the input", build: spokes("*", "rt=gone")},
		{id: "asymmetric-path", name: "the platform printed another table", build: func(b *builder) { // AZ-RT-33
			near("elsewhere 172.16.0.0/12 10.0.0.4")(b)
			b.add(&model.EffectiveRoutes{Meta: meta(model.EffectiveRoutesID(nicID("db"))), Of: nicID("db"), Routes: []model.EffectiveRoute{
				{From: "Default", Active: true, Prefixes: prefixes(b.t, "10.0.0.0/16"), NextHop: model.HopVnetLocal},
				{From: "User", Active: true, Prefixes: prefixes(b.t, "10.1.0.0/16"), NextHop: model.HopAppliance, Addresses: []netip.Addr{addr("10.0.0.4")}},
			}})
		}},
		{id: "asymmetric-path", name: "a Route Server may add routes", build: func(b *builder) { // AZ-RS-02
			spokes("*", "")(b)
			b.subnet("hub/RouteServerSubnet", "10.0.3.0/27")
		}},

		{id: "gateway-bypasses-firewall", name: "a default to the firewall", build: behind([]string{"none 172.16.0.0/12 None"}, []string{"default 0.0.0.0/0 10.0.0.4"}), want: []string{"subnet:spoke/web"}},
		{id: "gateway-bypasses-firewall", name: "gateway routes are off", build: behind([]string{"none 172.16.0.0/12 None"}, []string{"default 0.0.0.0/0 10.0.0.4"}, withoutPropagation)},
		{id: "gateway-bypasses-firewall", name: "a route as long as the gateway's", build: behind([]string{"none 172.16.0.0/12 None"}, []string{"default 0.0.0.0/0 10.0.0.4", "office 192.168.0.0/16 10.0.0.4"})},
		{id: "gateway-bypasses-firewall", name: "asymmetric-path says more", build: behind([]string{"spoke 10.1.0.0/16 10.0.0.4"}, []string{"default 0.0.0.0/0 10.0.0.4"})},

		{id: "service-endpoint-bypasses-firewall", name: "storage beside a default route", build: func(b *builder) {
			hubAndSpoke(b)
			added[*model.Subnet](b, "web").ServiceEndpoints = []model.ServiceEndpoint{{Service: "Microsoft.Storage", State: "Succeeded", Source: source("endpoint")}}
		}, want: []string{"subnet:spoke/web"}},
		{id: "service-endpoint-bypasses-firewall", name: "a policy limits the accounts", severity: Note, build: func(b *builder) {
			hubAndSpoke(b)
			s := added[*model.Subnet](b, "web")
			s.ServiceEndpoints = []model.ServiceEndpoint{{Service: "Microsoft.Storage", State: "Succeeded", Source: source("endpoint")}}
			s.ServicePolicies = []model.ID{network("serviceEndpointPolicies", "own")}
		}, want: []string{"subnet:spoke/web"}},
		{id: "service-endpoint-bypasses-firewall", name: "no default route", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24").ServiceEndpoints = []model.ServiceEndpoint{{Service: "Microsoft.Storage", State: "Succeeded"}}
		}},
		{id: "service-endpoint-bypasses-firewall", name: "no service endpoint", build: func(b *builder) { hubAndSpoke(b) }},

		{id: "on-prem-range-overlaps", name: "with the hub", build: func(b *builder) {
			hub, spoke := hubAndSpoke(b)
			withGateway(b, hub, spoke)
			onPremBehind(b, "192.168.0.0/16", "10.0.128.0/24")
		}, want: []string{"gateway:vgw/to-office"}},
		{id: "on-prem-range-overlaps", name: "elsewhere", build: func(b *builder) {
			hub, spoke := hubAndSpoke(b)
			withGateway(b, hub, spoke)
			onPremBehind(b, "192.168.0.0/16")
		}},
		{id: "on-prem-range-overlaps", name: "translated", build: func(b *builder) { // AZ-GW-12
			hub, spoke := hubAndSpoke(b)
			withGateway(b, hub, spoke)
			onPremBehind(b, "10.0.128.0/24").IngressNAT = []model.ID{network("virtualNetworkGateways", "vgw") + "/natRules/in"}
		}},
	}
}
