package lint

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/ringfence/ringfence/model"
)

func endpointCases() []testCase {
	sql := func(b *builder, policies string, more ...string) *model.PrivateEndpoint {
		b.vnet("net", "10.0.0.0/16")
		b.subnet("net/pe", "10.0.1.0/24", append([]string{"policies=" + policies}, more...)...)
		b.nsg("pe", denyIn)
		return b.endpoint("pe-sql", "net/pe", "10.0.1.4", b.service(model.SQLServer, "sql").ID)
	}
	policies := func(value string, more ...string) func(*builder) {
		return func(b *builder) { sql(b, value, more...) }
	}
	// EX-18 of azure-network.md: a route as long as the endpoint's range.
	steered := func(value, prefix string) func(*builder) {
		return func(b *builder) {
			sql(b, value)
			b.subnet("net/app", "10.0.2.0/24", "rt=out")
			b.routes("out", "endpoints "+prefix+" 10.0.9.4")
		}
	}
	port := func(to, ports string) func(*builder) {
		return func(b *builder) {
			sql(b, "Enabled")
			b.subnet("net/app", "10.0.2.0/24", "nsg=app")
			b.nsg("app", "Sql 100 Out Allow tcp 10.0.2.0/24 "+to+" "+ports)
		}
	}
	zoned := func(servers []string, linked string) func(*builder) {
		return func(b *builder) {
			ep := sql(b, "Enabled")
			hub := b.vnet("hub", "10.9.0.0/16")
			_, p := b.firewall("fw", "hub", "10.9.0.0/26", "10.9.0.4")
			p.DNSProxy = model.On
			for _, r := range b.resources {
				if v, ok := r.(*model.VNet); ok && v.Name() == "net" {
					for _, s := range servers {
						v.DNSServers = append(v.DNSServers, addr(s))
					}
					b.peer(hub, v)
				}
			}
			z := &model.DNSZone{Meta: meta(zoneID("privatelink.database.windows.net")), Private: true, Zone: "privatelink.database.windows.net"}
			if linked != "" {
				z.Links = []model.ZoneLink{{Name: "link", VNet: vnetID(linked)}}
			}
			b.add(z)
			ep.Zones = []model.ID{z.ID}
		}
	}
	record := func(private bool, address string) func(*builder) {
		return func(b *builder) {
			b.add(&model.DNSZone{Meta: meta(zoneID("shop.example")), Private: private, Zone: "shop.example", Records: []model.DNSRecord{
				{Name: "api", Source: source("api"), Addresses: []netip.Addr{addr(address)}},
			}})
		}
	}
	// EX-26 of azure-network.md: n sources and destinations, a hundred ports.
	large := func(n int, value string) func(*builder) {
		return func(b *builder) {
			var blocks, ports []string
			for i := range n {
				blocks = append(blocks, fmt.Sprintf("10.1.%d.0/24", i))
			}
			for i := range 100 {
				ports = append(ports, fmt.Sprint(400+2*i))
			}
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/pe", "10.0.1.0/24", "policies="+value, "nsg=pe")
			b.nsg("pe", "Rest 100 In Deny tcp "+strings.Join(blocks, ",")+" "+strings.Join(blocks, ",")+" "+strings.Join(ports, ","), denyIn)
			b.endpoint("pe-sql", "net/pe", "10.0.1.4", b.service(model.SQLServer, "sql").ID)
		}
	}
	return []testCase{
		{id: "endpoint-nsg-too-large", name: "a million combinations", build: large(100, "Enabled"), want: []string{"nsg:pe/Rest"}},
		{id: "endpoint-nsg-too-large", name: "a quarter of a million", build: large(50, "Enabled")},
		{id: "endpoint-nsg-too-large", name: "the NSG does not act there", build: large(100, "Disabled")},
		{id: "endpoint-policies-off", name: "Disabled", build: policies("Disabled", "nsg=pe"), want: []string{"subnet:net/pe"}},
		{id: "endpoint-policies-off", name: "not stated", build: policies("not stated", "nsg=pe"), want: []string{"subnet:net/pe"}},
		{id: "endpoint-policies-off", name: "for routes alone", build: policies("RouteTableEnabled", "nsg=pe"), want: []string{"subnet:net/pe"}},
		{id: "endpoint-policies-off", name: "for NSGs", build: policies("NetworkSecurityGroupEnabled", "nsg=pe")},
		{id: "endpoint-policies-off", name: "Enabled", build: policies("Enabled", "nsg=pe")},
		{id: "endpoint-policies-off", name: "no NSG to apply", build: policies("Disabled")},

		{id: "endpoint-route-void", name: "a route for the range, policies off", build: steered("Disabled", "10.0.0.0/16"), want: []string{"subnet:net/pe"}},
		{id: "endpoint-route-void", name: "a route for the subnet, NSGs alone", build: steered("NetworkSecurityGroupEnabled", "10.0.1.0/24"), want: []string{"subnet:net/pe"}},
		{id: "endpoint-route-void", name: "policies on", build: steered("Enabled", "10.0.0.0/16")},
		{id: "endpoint-route-void", name: "a supernet never does, and nobody expects it", build: steered("Disabled", "10.0.0.0/8")},
		{id: "endpoint-route-void", name: "a route for the one address", build: steered("Disabled", "10.0.1.4/32")},

		{id: "endpoint-not-approved", name: "pending", build: func(b *builder) { sql(b, "Enabled").State = "Pending" }, want: []string{"endpoint:pe-sql"}},
		{id: "endpoint-not-approved", name: "approved", build: policies("Enabled")},
		{id: "endpoint-not-approved", name: "a template has no state", build: func(b *builder) { sql(b, "Enabled").State = "" }},

		{id: "endpoint-port-mismatch", name: "one digit off", build: port("10.0.1.4", "1443"), want: []string{"nsg:app/Sql"}},
		{id: "endpoint-port-mismatch", name: "the port of the service", build: port("10.0.1.4", "1433")},
		{id: "endpoint-port-mismatch", name: "a list with the port", build: port("10.0.1.4", "1433,11000-11999")},
		{id: "endpoint-port-mismatch", name: "another address beside it", build: port("10.0.1.4,10.0.1.9", "1443")},
		{id: "endpoint-port-mismatch", name: "the whole subnet", build: port("10.0.1.0/24", "1443")},

		{id: "endpoint-zone-not-linked", name: "Azure DNS, the zone is linked elsewhere", build: zoned(nil, "hub"), want: []string{"endpoint:pe-sql"}},
		{id: "endpoint-zone-not-linked", name: "the firewall answers, the zone is linked to the spoke", build: zoned([]string{"10.9.0.4"}, "net"), want: []string{"endpoint:pe-sql"}},
		{id: "endpoint-zone-not-linked", name: "linked", build: zoned(nil, "net")},
		{id: "endpoint-zone-not-linked", name: "the firewall answers, linked to its VNet", build: zoned([]string{"10.9.0.4"}, "hub")},
		{id: "endpoint-zone-not-linked", name: "servers of another make", build: zoned([]string{"10.9.0.99"}, "hub")},
		{id: "endpoint-zone-not-linked", name: "no link was exported", build: zoned(nil, "")},

		{id: "private-address-in-public-zone", name: "a private address", build: record(false, "10.0.0.4"), want: []string{"zone:shop.example/api"}},
		{id: "private-address-in-public-zone", name: "a public address", build: record(false, "198.51.100.4")},
		{id: "private-address-in-public-zone", name: "a private zone", build: record(true, "10.0.0.4")},
	}
}
