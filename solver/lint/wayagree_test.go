package lint

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/trace"
)

// TestWaysAgreeWithTrace holds effective tables against the interpreter: where a way is certain, every course of a packet takes it, and no
// course takes a way that may not have its destination.
func TestWaysAgreeWithTrace(t *testing.T) {
	certain, asked := 0, 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 3))
		b := &builder{t: t}
		net, hub := b.vnet("net", "10.0.0.0/16"), b.vnet("hub", pick(r, "10.1.0.0/16", "172.16.0.0/12"))
		mine, theirs := b.peer(net, hub)
		if r.IntN(3) > 0 {
			mine.UseRemoteGateways, theirs.AllowGatewayTransit = model.On, model.On
		}
		if r.IntN(5) == 0 {
			mine.State = "Disconnected"
		}
		b.subnet("hub/GatewaySubnet", pick(r, "10.1.9.0/27", "172.16.9.0/27"))
		b.add(&model.Gateway{Meta: meta(network("virtualNetworkGateways", "vgw")), Kind: model.VPNGateway, Subnet: subnetID("hub/GatewaySubnet")})
		bgp := pick(r, model.On, model.Off, model.Off)
		onPremBehind(b, pick(r, "192.168.0.0/16", "10.0.9.0/24", "10.7.0.0/16", "198.51.100.0/24")).BGP = bgp
		var routes []string
		seen := map[string]bool{}
		for i := range r.IntN(6) {
			p := pick(r, "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.1.0.0/16", "192.168.0.0/16", "192.168.7.0/24", "10.7.0.0/16", "198.51.100.0/25", "100.64.0.0/10")
			if !seen[p] {
				seen[p] = true
				routes = append(routes, fmt.Sprintf("r%d %s %s", i, p, pick(r, "10.0.1.4", "10.1.0.4", "None", "Internet", "VirtualNetworkGateway", "VnetLocal")))
			}
		}
		b.subnet("net/web", "10.0.0.0/24", pick(r, "rt=out", "rt=out", "rt=out", "nat=none"))
		if table := b.routes("out", routes...); r.IntN(3) == 0 {
			table.DisableBGP = model.On
		}
		b.nic("web", "net/web", "10.0.0.4")
		b.subnet("net/nva", "10.0.1.0/24")
		b.nic("nva", "net/nva", "10.0.1.4", "forward")
		p := b.project()
		table := dataplane.NewRoutebook(p.Estate, nil).Table(subnetID("net/web"))
		if !table.Known {
			t.Fatalf("seed %d: the table is not known", seed)
		}
		for _, dst := range []string{"10.0.0.9", "10.0.1.9", "10.0.9.9", "10.1.0.9", "10.7.0.9", "10.9.0.9", "172.16.0.9", "192.168.0.9", "192.168.7.9", "198.51.100.9", "198.51.100.200", "8.8.8.8", "100.64.0.9"} {
			a := netip.MustParseAddr(dst)
			var sure *dataplane.Way
			var possible []model.NextHopType
			for i, w := range table.Ways {
				if w.Over.Contains(a) {
					possible = append(possible, w.Hop)
				}
				if w.Certain.Contains(a) {
					sure = &table.Ways[i]
				}
			}
			from := model.Place{Kind: model.PlaceNIC, ID: nicID("web"), Part: "ip"}
			res := trace.Run(p.Estate, trace.Options{}, trace.Packet{From: from, Src: netip.MustParseAddr("10.0.0.4"), Dst: a, Protocol: model.TCP, DPort: 443, SPort: 50000})
			for _, path := range res.Paths {
				i := slices.IndexFunc(path.Hops, func(h trace.Hop) bool { return h.Stage == trace.Routing && h.Route != nil && h.At.Key() == from.Key() })
				if i < 0 {
					continue
				}
				asked++
				route := path.Hops[i].Route
				if bgp == model.Off && !slices.Contains(possible, route.NextHopType) { // with BGP, the interpreter lets a learned default lift None routes
					t.Errorf("seed %d: to %s by %s (%s), and only %v may be\n%v", seed, dst, route.NextHopType, route.Prefix, possible, routes)
				}
				if sure != nil {
					certain++
					if sure.Hop != route.NextHopType || sure.Address != route.NextHopIP {
						t.Errorf("seed %d: to %s by %s %s, and %s %s (%s) is certain\n%v", seed, dst, route.NextHopType, route.NextHopIP, sure.Hop, sure.Address, sure.Prefix, routes)
					}
				}
			}
		}
	}
	if certain < asked/2 || asked < 1000 {
		t.Errorf("%d of %d courses were certain: the tables test little", certain, asked)
	}
	t.Log(certain, asked)
}
