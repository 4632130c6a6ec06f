package solver

import (
	"fmt"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
)

// fourVNets is the estate of EX-14: VNet1 to VNet4, each with a machine; links adds peerings to a VNet.
func fourVNets(links map[int][]az.Resource) []az.Resource {
	var out []az.Resource
	for i := 1; i <= 4; i++ {
		name := fmt.Sprintf("VNet%d", i)
		parts := []az.Resource{az.Subnet("s", fmt.Sprintf("10.%d.0.0/24", i)), az.Subnet("GatewaySubnet", fmt.Sprintf("10.%d.255.0/27", i))}
		out = append(out, az.VNet(name, fmt.Sprintf("10.%d.0.0/16", i), append(parts, links[i]...)...), az.NIC(fmt.Sprintf("vm%d", i), name+"/s", fmt.Sprintf("10.%d.0.4", i)))
	}
	return out
}

// EX-14: point-to-site reach by topology. The table is about the client's packets.
func TestEX14(t *testing.T) {
	const yes, no = "reachable", "unreachable"
	gateways := func(options ...string) []az.Resource {
		return []az.Resource{
			az.VPNGateway("gw1", "VNet1", "clients=192.168.0.0/24"), az.VPNGateway("gw2", "VNet2"), az.VPNGateway("gw3", "VNet3"),
			az.Connection("c12", "gw1", "gateway:gw2", options...), az.Connection("c21", "gw2", "gateway:gw1", options...),
			az.Connection("c23", "gw2", "gateway:gw3", options...), az.Connection("c32", "gw3", "gateway:gw2", options...),
		}
	}
	alone := []az.Resource{az.VPNGateway("gw1", "VNet1", "clients=192.168.0.0/24")}
	site := func(gateway string, options ...string) []az.Resource {
		return []az.Resource{az.LocalGateway("site1", "10.101.0.0/16"), az.Connection("site1", gateway, "local:site1", options...)}
	}
	for _, test := range []struct {
		name  string
		links map[int][]az.Resource
		more  [][]az.Resource
		want  [4]string // VNet1 to VNet4
		site  string    // Site1; empty: there is none
	}{
		{"VNet1 alone", nil, [][]az.Resource{alone}, [4]string{yes, no, no, no}, ""}, // doc
		{"peerings", map[int][]az.Resource{ // doc; VNet4 is listed as reached, and rests on ASM-FWD without the flag of its peering (AZ-PEER-07)
			1: {az.Peering("VNet2", "transit"), az.Peering("VNet4")}, 2: {az.Peering("VNet1", "remote"), az.Peering("VNet3")}, 3: {az.Peering("VNet2")}, 4: {az.Peering("VNet1")},
		}, [][]az.Resource{alone}, [4]string{yes, yes, no, "unknown: ASM-FWD"}, ""},
		{"S2S 1-2, 2-3, no BGP", nil, [][]az.Resource{gateways()}, [4]string{yes, no, no, no}, ""},                             // doc
		{"S2S 1-2, 2-3, BGP", nil, [][]az.Resource{gateways("bgp")}, [4]string{yes, yes, yes, no}, ""},                         // doc
		{"S2S 1-Site1, no BGP", nil, [][]az.Resource{alone, site("gw1")}, [4]string{yes, no, no, no}, "unknown"},               // doc, contradicted by its prose
		{"S2S 1-Site1, BGP", nil, [][]az.Resource{alone, site("gw1", "bgp")}, [4]string{yes, no, no, no}, yes},                 // doc
		{"S2S 1-2-3-Site1, no BGP", nil, [][]az.Resource{gateways(), site("gw3")}, [4]string{yes, no, no, no}, no},             // doc
		{"S2S 1-2-3-Site1, BGP", nil, [][]az.Resource{gateways("bgp"), site("gw3", "bgp")}, [4]string{yes, yes, yes, no}, yes}, // doc: all
	} {
		t.Run(test.name, func(t *testing.T) {
			list := fourVNets(test.links)
			for _, m := range test.more {
				list = append(list, m...)
			}
			var rows []exampleRow
			for i, want := range test.want {
				rows = append(rows, exampleRow{from: "ip:192.168.0.9", to: fmt.Sprintf("nic:vm%d", i+1), service: "tcp/443", want: want})
			}
			if test.site != "" {
				rows = append(rows, exampleRow{from: "ip:192.168.0.9", to: "ip:10.101.0.4", service: "tcp/443", want: test.site})
			}
			hold(t, written(t, list, rows), rows)
		})
	}
}
