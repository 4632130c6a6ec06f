package lint

import "github.com/ringfence/ringfence/model"

// twoSpokes is a hub with a firewall and two spokes, whose subnets send their default there, joined directly.
func twoSpokes(b *builder, routes ...string) (left, right *model.VNet) {
	hub, left := hubAndSpoke(b)
	right = b.vnet("twin", "10.2.0.0/16")
	b.peer(hub, right)
	b.subnet("twin/app", "10.2.0.0/24", "rt=twin")
	b.routes("twin", append([]string{"default 0.0.0.0/0 10.0.0.4"}, routes...)...)
	b.peer(left, right)
	return left, right
}

func peeringCases() []testCase {
	pair := func(change func(x, y *model.Peering)) func(*builder) {
		return func(b *builder) {
			x, y := b.peer(b.vnet("a", "10.0.0.0/16"), b.vnet("b", "10.1.0.0/16"))
			change(x, y)
		}
	}
	return []testCase{
		{id: "peering-not-connected", name: "disconnected", build: pair(func(x, _ *model.Peering) { x.State = "Disconnected" }), want: []string{"vnet:a/to-b"}},
		{id: "peering-not-connected", name: "one side is missing", build: func(b *builder) {
			v, w := b.vnet("a", "10.0.0.0/16"), b.vnet("b", "10.1.0.0/16")
			b.peer(v, w)
			w.Peerings = nil
		}, want: []string{"vnet:a/to-b"}},
		{id: "peering-not-connected", name: "both connected", build: pair(func(_, _ *model.Peering) {})},
		{id: "peering-not-connected", name: "a template has no state", build: pair(func(x, y *model.Peering) { x.State, y.State = "", "" })},
		{id: "peering-not-connected", name: "the other VNet is not in the input", build: func(b *builder) {
			v, w := b.vnet("a", "10.0.0.0/16"), b.vnet("b", "10.1.0.0/16")
			b.peer(v, w)
			w.Peerings, w.Partial = nil, true
		}},

		{id: "peering-bypasses-firewall", name: "two spokes", build: func(b *builder) { twoSpokes(b) }, want: []string{"vnet:spoke/to-twin"}},
		{id: "peering-bypasses-firewall", name: "routes on one side only", build: func(b *builder) { twoSpokes(b, "spoke 10.1.0.0/16 10.0.0.4") }, want: []string{"vnet:spoke/to-twin"}},
		{id: "peering-bypasses-firewall", name: "an appliance of another make", build: func(b *builder) {
			hub, left, right := b.vnet("hub", "10.0.0.0/16"), b.vnet("left", "10.1.0.0/16"), b.vnet("right", "10.2.0.0/16")
			b.peer(hub, left)
			b.peer(hub, right)
			b.peer(left, right)
			b.subnet("left/app", "10.1.0.0/24", "rt=out")
			b.subnet("right/app", "10.2.0.0/24", "rt=out")
			b.routes("out", "default 0.0.0.0/0 10.0.0.9")
		}, want: []string{"vnet:left/to-right"}},
		{id: "peering-bypasses-firewall", name: "routes on both sides", build: func(b *builder) {
			twoSpokes(b, "spoke 10.1.0.0/16 10.0.0.4")
			for _, r := range b.resources {
				if t, ok := r.(*model.RouteTable); ok && t.Name() == "out" {
					t.Routes = append(t.Routes, model.UserRoute{Name: "twin", Prefix: prefixes(b.t, "10.2.0.0/16")[0], NextHop: model.HopAppliance, Address: addr("10.0.0.4")})
				}
			}
		}},
		{id: "peering-bypasses-firewall", name: "no firewall between", build: func(b *builder) {
			hub, left, right := b.vnet("hub", "10.0.0.0/16"), b.vnet("left", "10.1.0.0/16"), b.vnet("right", "10.2.0.0/16")
			b.peer(hub, left)
			b.peer(hub, right)
			b.peer(left, right)
		}},
		{id: "peering-bypasses-firewall", name: "the direct peering is down", build: func(b *builder) {
			left, _ := twoSpokes(b)
			left.Peerings[len(left.Peerings)-1].State = "Initiated"
		}},

		// EX-15 of azure-network.md.
		{id: "peering-without-transit", name: "not lent", build: pair(func(x, y *model.Peering) { x.UseRemoteGateways, y.AllowGatewayTransit = model.On, model.Off }), want: []string{"vnet:a/to-b"}},
		{id: "peering-without-transit", name: "lent", build: pair(func(x, y *model.Peering) { x.UseRemoteGateways, y.AllowGatewayTransit = model.On, model.On })},

		{id: "peering-access-off", name: "off", build: pair(func(x, _ *model.Peering) { x.AllowVNetAccess = model.Off }), want: []string{"vnet:a/to-b"}},
		{id: "peering-access-off", name: "not stated", build: pair(func(x, _ *model.Peering) { x.AllowVNetAccess = model.NotStated })},

		{id: "peering-overlap", name: "one range in the other", build: func(b *builder) {
			b.peer(b.vnet("a", "10.0.0.0/16"), b.vnet("b", "10.9.0.0/16", "10.0.8.0/24"))
		}, want: []string{"vnet:a/to-b"}},
		{id: "peering-overlap", name: "side by side", build: func(b *builder) { b.peer(b.vnet("a", "10.0.0.0/17"), b.vnet("b", "10.0.128.0/17")) }},
		{id: "peering-overlap", name: "of subnets", build: func(b *builder) {
			x, y := b.peer(b.vnet("a", "10.0.0.0/16"), b.vnet("b", "10.0.0.0/16"))
			x.CompleteVNets, y.CompleteVNets = model.Off, model.Off
		}},
		{id: "peering-overlap", name: "not connected", build: func(b *builder) {
			x, _ := b.peer(b.vnet("a", "10.0.0.0/16"), b.vnet("b", "10.0.0.0/16"))
			x.State = "Disconnected"
		}},

		// AZ-RT-25.
		{id: "peers-overlap", name: "two spokes with one range", build: func(b *builder) {
			hub := b.vnet("hub", "10.0.0.0/16")
			b.peer(hub, b.vnet("a", "10.1.0.0/16"))
			b.peer(hub, b.vnet("b", "10.1.0.0/16"))
		}, want: []string{"vnet:hub"}},
		{id: "peers-overlap", name: "two spokes side by side", build: func(b *builder) {
			hub := b.vnet("hub", "10.0.0.0/16")
			b.peer(hub, b.vnet("a", "10.1.0.0/16"))
			b.peer(hub, b.vnet("b", "10.2.0.0/16"))
		}},
	}
}
