package solver

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/trace"
)

// The cases of gateways, connected groups, Bastions and service tags in which the engines once differed.
func TestFoundCasesOfEdges(t *testing.T) {
	vnet := func(name string, prefixes ...string) *model.VNet {
		return &model.VNet{Meta: smallMeta("virtualNetworks/" + name), Prefixes: cidrs(prefixes...)}
	}
	subnet := func(path, prefix string) *model.Subnet {
		s := &model.Subnet{Meta: smallMeta("virtualNetworks/" + path), Prefixes: cidrs(prefix), DefaultOutbound: model.On}
		s.VNet = s.ID.Parent()
		return s
	}
	peered := func(v *model.VNet, p model.Peering) *model.VNet {
		v.Peerings = append(v.Peerings, p)
		return v
	}
	vnetID := func(name string) model.ID { return smallID("virtualNetworks/" + name) }
	gateway := func(name, vnet string, pools ...string) *model.Gateway {
		return &model.Gateway{Meta: smallMeta("virtualNetworkGateways/" + name), Kind: model.VPNGateway, Subnet: vnetID(vnet) + "/subnets/GatewaySubnet", ClientPools: cidrs(pools...)}
	}
	site := func(name string, prefixes ...string) *model.LocalNetworkGateway {
		return &model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/" + name), Prefixes: cidrs(prefixes...)}
	}
	connection := func(gateway, peer string) *model.Connection {
		return &model.Connection{Meta: smallMeta("connections/" + gateway + "-" + peer), Kind: "IPsec", Gateway: smallID("virtualNetworkGateways/" + gateway), Peer: smallID("localNetworkGateways/" + peer)}
	}
	manager := &model.NetworkManager{Meta: smallMeta("networkManagers/m"), Accesses: []string{"Connectivity"}}
	any := model.AddressMatch{Any: true}
	rule := func(priority int, dir model.Direction, access model.Access, source model.AddressMatch) model.SecurityRule {
		return model.SecurityRule{
			Name: "r", Priority: priority, Direction: dir, Access: access, Protocol: model.AnyProtocol, SourceAddrs: source, DestAddrs: any,
			SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts},
		}
	}
	nic := func(name, subnet, address string) *model.NIC {
		return &model.NIC{Meta: smallMeta("networkInterfaces/" + name), IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: smallID("virtualNetworks/" + subnet), Address: ip(address)}}}
	}
	routed := func(s *model.Subnet) *model.Subnet { s.RouteTable = smallID("routeTables/t"); return s }
	table := func(routes ...model.UserRoute) *model.RouteTable {
		return &model.RouteTable{Meta: smallMeta("routeTables/t"), Routes: routes}
	}
	unread := func(affects model.ID) []model.LedgerEntry {
		return []model.LedgerEntry{{Resource: smallID("things/x"), Type: "Contoso.Network/things", Disposition: model.Unsupported, Affects: []model.ID{affects}}}
	}
	endpoint := &model.PrivateEndpoint{Meta: smallMeta("privateEndpoints/pe"), Subnet: vnetID("b") + "/subnets/s", Addresses: []netip.Addr{ip("10.1.0.4")}}
	off := func(s *model.Subnet) *model.Subnet { s.EndpointPolicies = model.PoliciesDisabled; return s }
	always := rule(1, model.Outbound, model.AlwaysAllow, any)
	transit := model.Peering{Name: "p", Remote: vnetID("b"), UseRemoteGateways: model.On}
	back := model.Peering{Name: "p", Remote: vnetID("a"), AllowGatewayTransit: model.On}
	door := &model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), SKU: model.Standard, Address: ip("20.0.0.1")}
	bastion := &model.Bastion{Meta: smallMeta("bastionHosts/b"), SKU: "Standard", Tunneling: model.On, IPConnect: model.Off, Subnet: vnetID("a") + "/subnets/AzureBastionSubnet", PublicIP: door.ID}
	opened := nic("n", "a/subnets/s", "10.0.0.4")
	opened.NSG, opened.IPConfigs[0].PublicIP = smallID("networkSecurityGroups/n"), door.ID
	translated := connection("g", "s")
	translated.IngressNAT = []model.ID{smallID("virtualNetworkGateways/g/natRules/missing")}
	for _, test := range []struct {
		name           string
		estate         small
		ledger         []model.LedgerEntry
		from, src, dst string
		port           uint16
		at, want       string
	}{
		{
			"AZ-RT-12, AZ-GW-04: a client's packet for another pool that comes back through a tunnel goes round",
			small{
				peered(vnet("a", "10.0.0.0/24"), transit), peered(vnet("b", "10.1.0.0/24"), back), subnet("a/subnets/GatewaySubnet", "10.0.0.0/27"), subnet("b/subnets/GatewaySubnet", "10.1.0.0/27"),
				gateway("g", "a", "172.16.0.0/29", "192.168.0.8/29"), gateway("h", "b"),
				&model.Connection{Meta: smallMeta("connections/c"), Kind: "Vnet2Vnet", Gateway: smallID("virtualNetworkGateways/h"), Peer: smallID("virtualNetworkGateways/g"), BGP: model.On},
			},
			nil, "far side g p2s", "192.168.0.13", "172.16.0.1", 443, "far side g p2s", "",
		},
		{
			"AZ-AVNM-14: a connected group that the input does not describe leads to the VNets of its scope",
			small{vnet("a", "10.0.0.0/24"), vnet("b", "10.1.0.0/24"), subnet("a/subnets/s", "10.0.0.0/29"), subnet("b/subnets/s", "10.1.0.0/29"), manager},
			nil, "subnet a/s ", "10.0.0.4", "10.1.0.4", 443, "subnet b/s ", "over",
		},
		{
			"AZ-AVNM-11: and nowhere for what the VNet itself holds",
			small{vnet("a", "10.0.0.0/24"), vnet("b", "10.1.0.0/24"), subnet("a/subnets/s", "10.0.0.0/29"), manager},
			nil, "subnet a/s ", "10.0.0.4", "10.0.0.9", 443, "internet  ", "",
		},
		{
			"AZ-RT-19: where a longer user route takes the packet, the group does not",
			small{
				vnet("a", "10.0.0.0/24"), vnet("b", "10.1.0.0/24"), routed(subnet("a/subnets/s", "10.0.0.0/29")), subnet("b/subnets/s", "10.1.0.0/29"), manager,
				table(model.UserRoute{Name: "r", Prefix: cidrs("10.1.0.0/25")[0], NextHop: model.HopNone}),
			},
			nil, "subnet a/s ", "10.0.0.4", "10.1.0.4", 443, "subnet b/s ", "",
		},
		{
			"AZ-RT-29: the reply of a Bastion may leave through a gateway whose routes are not known",
			small{
				vnet("a", "10.0.0.0/24"), subnet("a/subnets/AzureBastionSubnet", "10.0.0.64/26"), bastion, door, subnet("a/subnets/GatewaySubnet", "10.0.0.32/27"), gateway("g", "a"),
				connection("g", "missing"),
			},
			nil, "internet  ", "198.51.100.7", "20.0.0.1", 443, "bastion b ", "over one-way",
		},
		{
			"AZ-NSG-20, AZ-BAS-03: a route table on AzureBastionSubnet does not act",
			small{
				vnet("a", "10.0.0.0/24"), routed(subnet("a/subnets/AzureBastionSubnet", "10.0.0.64/26")), subnet("a/subnets/s", "10.0.0.0/29"), bastion, door,
				table(model.UserRoute{Name: "r", Prefix: cidrs("10.0.0.0/24")[0], NextHop: model.HopNone}),
			},
			nil, "bastion b ", "10.0.0.70", "10.0.0.4", 22, "subnet a/s ", "over one-way session",
		},
		{
			"AZ-TAG-06: what VirtualNetwork may have gained may be no part of Internet",
			small{
				vnet("a", "10.0.0.0/24"), subnet("a/subnets/s", "10.0.0.0/29"), subnet("a/subnets/GatewaySubnet", "10.0.0.32/27"), gateway("g", "a"), site("s", "198.51.100.0/24"), translated, opened, door,
				&model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: append(model.DefaultRules(), rule(100, model.Inbound, model.Deny, model.AddressMatch{Tags: []string{"Internet"}}))},
			},
			nil, "internet  ", "198.51.100.7", "20.0.0.1", 443, "nic n a", "over",
		},
		{
			"AZ-GEN-08, AZ-AVNM-02: AlwaysAllow jumps over NSGs, and over nothing else that may stand before a subnet",
			small{
				vnet("a", "10.0.0.0/24"), subnet("a/subnets/s", "10.0.0.0/29"), subnet("a/subnets/d", "10.0.0.8/29"),
				&model.EffectiveAdminRules{Meta: smallMeta("virtualNetworks/a/effectiveSecurityAdminRules/default"), VNet: vnetID("a"), Rules: []model.AdminRule{{SecurityRule: always, ID: smallID("networkManagers/m/securityAdminConfigurations/c/ruleCollections/r/rules/x")}}},
			},
			unread(vnetID("a") + "/subnets/s"), "subnet a/s ", "10.0.0.4", "10.0.0.12", 443, "subnet a/d ", "over",
		},
		{
			"AZ-GEN-08: what stands before the subnet of an endpoint may stop its packets, whatever the policies of the endpoint",
			small{vnet("b", "10.1.0.0/24"), off(subnet("b/subnets/s", "10.1.0.0/29")), subnet("b/subnets/d", "10.1.0.8/29"), endpoint},
			unread(vnetID("b") + "/subnets/s"), "subnet b/d ", "10.1.0.12", "10.1.0.4", 443, "private endpoint pe ", "over",
		},
		{
			"AZ-PEER-06, AZ-PEER-14: a peering of subnets may carry the transit of a gateway",
			small{
				peered(vnet("a", "10.0.0.0/24"), model.Peering{Name: "p", Remote: vnetID("b"), UseRemoteGateways: model.On, CompleteVNets: model.Off, LocalSubnets: []string{"s"}, RemoteSubnets: []string{"s"}}), peered(vnet("b", "10.1.0.0/24"), back),
				subnet("a/subnets/s", "10.0.0.0/29"), subnet("b/subnets/s", "10.1.0.0/29"), subnet("b/subnets/GatewaySubnet", "10.1.0.32/27"), gateway("h", "b"), site("t", "192.168.0.0/24"), connection("h", "t"),
			},
			nil, "subnet a/s ", "10.0.0.4", "192.168.0.4", 443, "far side h h-t", "over",
		},
		{
			"AZ-PE-08, AZ-RT-29: the reply of an endpoint may leave through another gateway",
			small{
				peered(vnet("a", "10.0.0.0/24"), model.Peering{Name: "p", Remote: vnetID("b")}), peered(peered(vnet("b", "10.1.0.0/24"), model.Peering{Name: "p", Remote: vnetID("a"), AllowForwarded: model.On}), model.Peering{Name: "q", Remote: vnetID("c"), UseRemoteGateways: model.On}),
				peered(vnet("c", "10.2.0.0/24"), model.Peering{Name: "q", Remote: vnetID("b"), AllowGatewayTransit: model.On}), subnet("a/subnets/GatewaySubnet", "10.0.0.32/27"), subnet("b/subnets/s", "10.1.0.0/29"), subnet("c/subnets/GatewaySubnet", "10.2.0.32/27"),
				gateway("g", "a"), gateway("h", "c"), site("s", "198.51.100.0/24"), site("t", "198.51.0.0/16"), connection("g", "s"), connection("h", "t"), endpoint,
			},
			nil, "far side g g-s", "198.51.100.4", "10.1.0.4", 443, "private endpoint pe ", "over one-way",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, err := newJoint(modeltest.Draft{Resources: test.estate, Ledger: test.ledger}.Clone())
			if err != nil {
				t.Fatal(err)
			}
			p := trace.Packet{Src: ip(test.src), Dst: ip(test.dst), Protocol: model.TCP, SPort: 50000, DPort: test.port}
			j.holdsFrom(t, test.from, p, test.at, test.want)
		})
	}
}

// AZ-RT-17, AZ-RT-34: of two tags nobody knows which holds the longer prefix at an address that the input does not state, be one of them
// listed: the route of either may take the packet.
func TestRoutesOfTagsTieAtAnUnstatedAddress(t *testing.T) {
	v := &model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/27")}
	s := &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/s"), VNet: v.ID, Prefixes: cidrs("10.0.0.0/29"), RouteTable: smallID("routeTables/t")}
	public := &model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), SKU: model.Standard}
	table := &model.RouteTable{Meta: smallMeta("routeTables/t"), Routes: []model.UserRoute{
		{Name: "r", Tag: "AzureCloud.westeurope", NextHop: model.HopNone}, {Name: "q", Tag: "GatewayManager", NextHop: model.HopAppliance, Address: ip("10.0.0.30")},
	}}
	tags := &model.ServiceTags{Tags: []model.ServiceTag{{Name: "AzureCloud.westeurope", Prefixes: cidrs("20.1.0.0/16")}}}
	j, err := newJoint(modeltest.Draft{Resources: []model.Resource{v, s, public, table}, Tags: tags}.Clone())
	if err != nil {
		t.Fatal(err)
	}
	p := trace.Packet{Src: ip("10.0.0.4"), Protocol: model.TCP, SPort: 50000, DPort: 443, Tags: []string{"gatewaymanager"}}
	p.Dst, _ = j.s.Project.Estate.Symbols().Of(model.PublicAddress, public.ID, "")
	j.holdsFrom(t, "subnet v/s ", p, "unknown", "over")
}

// holdsFrom is holds for the packet of one of several places that have its source.
func (j *joint) holdsFrom(t *testing.T, from string, p trace.Packet, at, want string) {
	t.Helper()
	q, ok := j.sentFrom(from, p)
	if !ok {
		t.Fatalf("%s does not send %s", from, p)
	}
	j.says(t, q, at, want)
}

// sentFrom is a packet from a place.
func (j *joint) sentFrom(place string, p trace.Packet) (probe, bool) {
	g := j.s.graph
	for o := range g.Origins {
		at := g.Origins[o].Site.PlaceOf(p.Src)
		if placeText(at) != place || !slices.ContainsFunc(g.Origins[o].Prefixes, func(x netip.Prefix) bool { return x.Contains(p.Src) }) {
			continue
		}
		p.From = at
		if q, ok := j.as(o, p); ok {
			return q, true
		}
	}
	return probe{}, false
}
