package solver

import (
	"net/netip"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/trace"
)

// The cases of application gateways, Route Servers, and ways in and out of a firewall in which the engines once differed.
func TestFoundCasesOfEntries(t *testing.T) {
	vnet := &model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/26", "fd00::/62")}
	subnet := func(name string, prefixes ...string) *model.Subnet {
		return &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/" + name), VNet: vnet.ID, Prefixes: cidrs(prefixes...), DefaultOutbound: model.On}
	}
	guarded := func(s *model.Subnet) *model.Subnet { s.NSG = smallID("networkSecurityGroups/n"); return s }
	routed := func(s *model.Subnet) *model.Subnet { s.RouteTable = smallID("routeTables/t"); return s }
	nic := func(address string, forwarding model.Setting) *model.NIC {
		return &model.NIC{Meta: smallMeta("networkInterfaces/nic"), IPForwarding: forwarding, IPConfigs: []model.IPConfig{{Name: "a", Subnet: smallID("virtualNetworks/v/subnets/d"), Address: ip(address), Primary: true}}}
	}
	s, d := subnet("s", "10.0.0.0/29"), subnet("d", "10.0.0.8/29")
	any := model.AddressMatch{Any: true}
	admit := func(dst string) *model.NSG {
		return &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: append(model.DefaultRules(), model.SecurityRule{
			Name: "r", Priority: 100, Access: model.Allow, Protocol: model.TCP, SourceAddrs: any, DestAddrs: model.AddressMatch{Prefixes: cidrs(dst)},
			SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts},
		})}
	}
	agw := smallID("applicationGateways/agw")
	public := &model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), SKU: model.Standard, Address: ip("20.0.0.1"), AttachedTo: agw + "/frontendIPConfigurations/f"}
	gateway := func(change func(*model.AppGateway)) *model.AppGateway {
		g := &model.AppGateway{
			Meta: smallMeta("applicationGateways/agw"), Tier: "WAF_v2", Subnets: []model.ID{smallID("virtualNetworks/v/subnets/agw")},
			Frontends: []model.AGWFrontend{{ID: public.AttachedTo, Name: "f", PublicIP: public.ID}}, Ports: []model.AGWPort{{ID: agw + "/frontendPorts/p", Port: 443}},
			Listeners: []model.AGWListener{{ID: agw + "/httpListeners/l", Name: "l", Frontend: public.AttachedTo, Port: agw + "/frontendPorts/p", Protocol: "Https"}},
			Pools:     []model.AGWPool{{ID: agw + "/backendAddressPools/p", Name: "p", Addresses: []netip.Addr{ip("10.0.0.4")}}}, Settings: []model.AGWSetting{{ID: agw + "/backendHttpSettingsCollection/s", Name: "s", Port: 443, Protocol: "Https"}},
			Rules: []model.AGWRule{{ID: agw + "/requestRoutingRules/r", Name: "r", Listener: agw + "/httpListeners/l", Pool: agw + "/backendAddressPools/p", Setting: agw + "/backendHttpSettingsCollection/s"}},
		}
		change(g)
		return g
	}
	plain := func(*model.AppGateway) {}
	instances := subnet("agw", "10.0.0.16/29")
	waf := func(c ...model.WAFCondition) *model.WAFPolicy {
		return &model.WAFPolicy{Meta: smallMeta("ApplicationGatewayWebApplicationFirewallPolicies/w"), Enabled: model.On, Mode: "Prevention", Custom: []model.WAFRule{{Name: "r", Priority: 1, Action: "Block", Enabled: model.On, Conditions: c}}}
	}
	withWAF := func(g *model.AppGateway) { g.WAFPolicy = smallID("ApplicationGatewayWebApplicationFirewallPolicies/w") }
	everywhere := func(hop model.NextHopType) *model.RouteTable {
		return &model.RouteTable{Meta: smallMeta("routeTables/t"), Routes: []model.UserRoute{{Name: "r", Prefix: cidrs("0.0.0.0/0")[0], NextHop: hop}}}
	}
	servers := subnet("RouteServerSubnet", "10.0.0.24/29")
	server := func(peers ...string) *model.RouteServer {
		rs := &model.RouteServer{Meta: smallMeta("virtualHubs/rs"), Subnet: servers.ID}
		for _, a := range peers {
			rs.Peers = append(rs.Peers, model.RoutePeer{Name: a, Address: ip(a)})
		}
		return rs
	}
	edge := subnet("GatewaySubnet", "10.0.0.32/29")
	vpn := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: edge.ID, ClientPools: cidrs("172.16.0.0/29")}
	six := &model.PublicIP{Meta: smallMeta("publicIPAddresses/six"), SKU: model.Standard, Address: ip("2603:1000::5")}
	onSix := nic("fd00:0:0:1::7", model.Off)
	onSix.IPConfigs[0].PublicIP = six.ID
	firewalls := subnet("AzureFirewallSubnet", "10.0.0.40/29")
	firewall := &model.Firewall{Meta: smallMeta("azureFirewalls/fw"), Subnet: firewalls.ID, Address: ip("10.0.0.44"), Collections: []model.RuleCollection{{
		Name: "c", Priority: 100, Kind: model.ApplicationRules, Access: model.Allow,
		Rules: []model.FirewallRule{{Name: "r", Sources: any, FQDNs: []string{"*.example.com"}, Apps: []model.AppProtocol{{Type: "Https", Port: 443}}}},
	}}}
	asks := *firewall
	asks.DNSServers = []netip.Addr{ip("10.0.0.12")}
	toFirewall := everywhere(model.HopAppliance)
	toFirewall.Routes[0].Address = firewall.Address
	set := &model.ScaleSet{Meta: smallMeta("virtualMachineScaleSets/ss"), Orchestration: "Uniform", Profiles: []model.NICProfile{{
		Name: "nic", PublicPerVM: true, IPConfigs: []model.IPConfig{{Name: "a", Subnet: d.ID, PublicIP: smallID("virtualMachineScaleSets/ss/publicIP"), Primary: true}},
	}}}
	unread := func(affects model.ID) []model.LedgerEntry {
		return []model.LedgerEntry{{Resource: smallID("things/x"), Type: "Contoso.Network/things", Disposition: model.Unsupported, Affects: []model.ID{affects}, Role: model.Steers}}
	}
	named := func(name string) func(*trace.Packet) { return func(p *trace.Packet) { p.Name = name } }
	tagged := func(tags ...string) func(*trace.Packet) { return func(p *trace.Packet) { p.Tags = tags } }
	group := smallID("applicationSecurityGroups/g")
	grouped := &model.ScaleSet{Meta: set.Meta, Orchestration: "Uniform", Profiles: []model.NICProfile{{Name: "nic", IPConfigs: []model.IPConfig{{Name: "a", Subnet: d.ID, ASGs: []model.ID{group}, Primary: true}}}}}
	endpoint := &model.PrivateEndpoint{Meta: smallMeta("privateEndpoints/pe"), Subnet: d.ID, State: "Approved"}
	every := []model.PortRange{model.AllPorts}
	denied := &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: append(model.DefaultRules(), model.SecurityRule{
		Name: "r", Priority: 100, Direction: model.Outbound, Access: model.Deny, Protocol: model.AnyProtocol, SourceAddrs: any, DestAddrs: model.AddressMatch{ASGs: []model.ID{group}}, SourcePorts: every, DestPorts: every,
	})}
	proxied := &model.FirewallPolicy{Meta: smallMeta("firewallPolicies/p"), ExplicitProxy: model.On, ProxyPorts: []uint16{443}, Groups: []model.ID{smallID("firewallPolicies/p/ruleCollectionGroups/g")}}
	groupOf := &model.RuleCollectionGroup{Meta: smallMeta("firewallPolicies/p/ruleCollectionGroups/g"), Priority: 100, Collections: firewall.Collections}
	proxy := model.Firewall{Meta: firewall.Meta, Subnet: firewalls.ID, Address: firewall.Address, Policy: proxied.ID}
	dynamic := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/g"), Kind: model.VPNGateway, Subnet: edge.ID}
	dynamic.NATRules = []model.GatewayNATRule{{ID: dynamic.ID + "/natRules/n", Name: "n", Mode: "IngressSnat", Type: "Dynamic", Internal: cidrs("192.168.0.0/29"), External: cidrs("172.20.0.0/32")}}
	site := &model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs("172.20.0.0/32")}
	line := &model.Connection{Meta: smallMeta("connections/line"), Kind: "IPsec", Gateway: dynamic.ID, Peer: site.ID, State: "Connected", IngressNAT: []model.ID{dynamic.NATRules[0].ID}}
	ports := &model.NSG{Meta: denied.Meta, Rules: append(model.DefaultRules(), model.SecurityRule{
		Name: "r", Priority: 100, Access: model.Deny, Protocol: model.AnyProtocol, SourceAddrs: any, DestAddrs: any, SourcePorts: []model.PortRange{{First: 1024, Last: 60000}}, DestPorts: every,
	})}
	serving := subnet("s", "10.0.0.0/29")
	serving.ServiceEndpoints = []model.ServiceEndpoint{{Service: "Microsoft.Storage.Global", State: "Succeeded"}}
	rivals := &model.RouteTable{Meta: smallMeta("routeTables/t"), Routes: []model.UserRoute{{Name: "r", Prefix: cidrs("198.51.100.7/32")[0], NextHop: model.HopInternet}, {Name: "q", Tag: "Sql", NextHop: model.HopNone}}}
	nodes := &model.Cluster{Meta: smallMeta("managedClusters/aks"), NodeGroup: "nodes", Plugin: "azure", PluginMode: "overlay", Pools: []model.NodePool{{Name: "p", Subnet: d.ID, PublicIPs: model.On}}}
	const all = "over one-way session"
	for _, test := range []struct {
		name           string
		estate         small
		ledger         []model.LedgerEntry
		from, src, dst string // an empty destination is the instance's public address, `endpoint` that of the endpoint
		change         func(*trace.Packet)
		at, want       string
	}{
		{"AZ-AGW-02: a listener whose port the input lacks may have any", small{vnet, instances, public, gateway(func(g *model.AppGateway) { g.Ports = nil })}, nil, "internet  ", "203.0.113.9", "20.0.0.1", nil, "application gateway agw ", "over"},
		{"AZ-PIP-05: a public address that names the frontend leads to it", small{vnet, instances, public, gateway(func(g *model.AppGateway) { g.Frontends[0].PublicIP = "" })}, nil, "internet  ", "203.0.113.9", "20.0.0.1", nil, "application gateway agw ", all},
		{"AZ-GEN-08: what was not understood of its subnet may stop a gateway's clients", small{vnet, instances, public, gateway(plain)}, unread(instances.ID), "internet  ", "203.0.113.9", "20.0.0.1", nil, "application gateway agw ", "over"},
		{"AZ-AGW-13: a gateway sends with its default route to the internet", small{vnet, s, routed(subnet("agw", "10.0.0.16/29")), everywhere(model.HopInternet), public, gateway(plain)}, nil, "application gateway agw ", "10.0.0.20", "10.0.0.4", nil, "subnet v/s ", all},
		{"AZ-AGW-13: with a default route that leads elsewhere it may be down", small{vnet, s, routed(subnet("agw", "10.0.0.16/29")), everywhere(model.HopVnetLocal), public, gateway(plain)}, nil, "application gateway agw ", "10.0.0.20", "10.0.0.4", nil, "subnet v/s ", "over"},
		{"AZ-AGW-13: a Route Server may announce such a route", small{vnet, s, instances, servers, server(), public, gateway(plain)}, nil, "application gateway agw ", "10.0.0.20", "10.0.0.4", nil, "subnet v/s ", "over"},
		{"AZ-AGW-34: a rule without conditions blocks perhaps", small{vnet, instances, public, gateway(withWAF), waf()}, nil, "internet  ", "203.0.113.9", "20.0.0.1", nil, "application gateway agw ", "over"},
		{"AZ-AGW-34: so does one on what the client writes", small{vnet, instances, public, gateway(withWAF), waf(model.WAFCondition{Variables: []string{"RequestHeaders:X-Key"}, Operator: "Equal", Values: []string{"k"}})}, nil, "internet  ", "203.0.113.9", "20.0.0.1", nil, "application gateway agw ", "over"},
		{"AZ-RS-02: an appliance that a Route Server names forwards, whatever else names it", small{vnet, s, d, servers, server("10.0.0.12"), nic("10.0.0.12", model.NotStated)}, nil, "subnet v/s ", "10.0.0.4", "10.9.9.9", nil, "subnet v/d ", "over"},
		{"AZ-RS-02, AZ-V6-05: it announces nothing of IPv6", small{vnet, guarded(subnet("d", "10.0.0.8/29", "fd00:0:0:1::/64")), servers, server(), onSix, six, &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: model.DefaultRules()}}, nil, "internet  ", "2603:1004::3", "2603:1000::5", nil, "nic nic a", ""},
		{"AZ-GEN-08: what was not understood of a gateway may stop its clients", small{vnet, s, edge, vpn}, unread(vpn.ID), "far side vpn p2s", "172.16.0.1", "10.0.0.4", nil, "subnet v/s ", "over"},
		{"AZ-PIP-01, AZ-GEN-13: nobody chooses which address an instance has", small{vnet, guarded(subnet("d", "10.0.0.8/29")), set, admit("10.0.0.13/32")}, nil, "internet  ", "203.0.113.9", "", nil, "scale set ss a", "over"},
		{"AZ-PIP-01: where all are admitted it does not matter", small{vnet, guarded(subnet("d", "10.0.0.8/29")), set, admit("10.0.0.8/29")}, nil, "internet  ", "203.0.113.9", "", nil, "scale set ss a", all},
		{"AZ-ASG-01: no instance has the address of an endpoint", small{vnet, guarded(subnet("s", "10.0.0.0/29")), d, grouped, endpoint, denied}, nil, "subnet v/s ", "10.0.0.4", "endpoint", nil, "private endpoint pe ", all},
		{"AZ-FW-53: the explicit proxy connects to the owner of a name, whatever address the client wrote", small{vnet, firewalls, &proxy, proxied, groupOf}, nil, "firewall fw explicit proxy", "10.0.0.44", "169.254.169.254", named("x.example.com"), "internet  ", "over"},
		{"AZ-PLAT-01, AZ-FW-58: it asks nothing of its host", small{vnet, firewalls, &proxy, proxied, groupOf}, nil, "firewall fw explicit proxy", "10.0.0.44", "169.254.169.254", nil, "platform  ", ""},
		{"AZ-GW-12: a dynamic rule puts any port on a packet", small{vnet, guarded(subnet("s", "10.0.0.0/29")), edge, dynamic, line, site, ports}, nil, "far side g line", "192.168.0.1", "10.0.0.4", nil, "subnet v/s ", "over"},
		{"AZ-RT-17, AZ-RT-21: a tag's route is no rival where a longer one to Internet beats it", small{vnet, routed(serving), rivals}, nil, "subnet v/s ", "10.0.0.4", "198.51.100.7", tagged("storage", "sql"), "internet  ", all},
		{"AZ-V6-04: the public address of a node is none of IPv6", small{vnet, subnet("d", "10.0.0.8/29", "fd00:0:0:1::/64"), nodes}, nil, "node pool aks p", "fd00:0:0:1::4", "2001:db8::1", nil, "internet  ", ""},
		{"AZ-FW-33: the answers of servers that the input does not describe are no certain ones", small{vnet, routed(subnet("s", "10.0.0.0/29")), firewalls, toFirewall, &asks}, nil, "subnet v/s ", "10.0.0.4", "203.0.113.9", named("x.example.com"), "internet  ", "over"},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, err := newJoint(modeltest.Draft{Resources: test.estate, Ledger: test.ledger}.Clone())
			if err != nil {
				t.Fatal(err)
			}
			p := trace.Packet{Src: ip(test.src), Protocol: model.TCP, SPort: 50000, DPort: 443}
			switch test.dst {
			default:
				p.Dst = ip(test.dst)
			case "endpoint":
				p.Dst, _ = j.s.Project.Estate.Symbols().Of(model.EndpointAddress, endpoint.ID, "")
			case "":
				p.Dst, _ = j.s.Project.Estate.Symbols().Of(model.InstancePublicAddress, set.ID, "a")
			}
			if test.change != nil {
				test.change(&p)
			}
			q, ok := j.sentFrom(test.from, p)
			if !ok {
				t.Fatalf("%s does not send %s", test.from, p)
			}
			if diff := j.differ(q); diff != "" {
				t.Errorf("the engines differ: %s", diff)
			}
			if got := bounds(j.solver(q)[test.at]); got != test.want {
				t.Errorf("%s at %s: got %q, want %q; all: %v", p, test.at, got, test.want, j.solver(q))
			}
		})
	}
}
