package solver

import (
	"net/netip"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/trace"
)

// The cases of dual-stack networks, of instances that the input does not list, and of the ledger in which the engines once differed.
func TestFoundCasesOfKinds(t *testing.T) {
	vnet := &model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/27", "fd00::/62")}
	subnet := func(name string, prefixes ...string) *model.Subnet {
		return &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/" + name), VNet: vnet.ID, Prefixes: cidrs(prefixes...), DefaultOutbound: model.On}
	}
	guarded := func(s *model.Subnet) *model.Subnet { s.NSG = smallID("networkSecurityGroups/n"); return s }
	routed := func(s *model.Subnet) *model.Subnet { s.RouteTable = smallID("routeTables/t"); return s }
	nic := func(name, address string) *model.NIC {
		return &model.NIC{Meta: smallMeta("networkInterfaces/" + name), IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: smallID("virtualNetworks/v/subnets/d"), Address: ip(address)}}}
	}
	any := model.AddressMatch{Any: true}
	ports := []model.PortRange{model.AllPorts}
	nsg := func(access model.Access, protocol model.Protocol) *model.NSG {
		return &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: append(model.DefaultRules(), model.SecurityRule{
			Name: "r", Priority: 100, Direction: model.Inbound, Access: access, Protocol: protocol, SourceAddrs: any, DestAddrs: any, SourcePorts: ports, DestPorts: ports,
		})}
	}
	table := &model.RouteTable{Meta: smallMeta("routeTables/t"), DisableBGP: model.On}
	instances := &model.ScaleSet{Meta: smallMeta("virtualMachineScaleSets/ss"), Orchestration: "Uniform", Profiles: []model.NICProfile{{
		Name: "nic", IPForwarding: model.Off, PublicPerVM: true, NSG: smallID("networkSecurityGroups/n"),
		IPConfigs: []model.IPConfig{{Name: "a", Subnet: smallID("virtualNetworks/v/subnets/d"), PublicIP: smallID("virtualMachineScaleSets/ss/publicIP")}},
	}}}
	public := func(e *model.Estate) trace.Packet {
		a, _ := e.Symbols().Of(model.InstancePublicAddress, instances.ID, "a")
		return trace.Packet{Dst: a}
	}
	unread := func(field string, affects ...model.ID) []model.LedgerEntry {
		return []model.LedgerEntry{{Resource: smallID("things/x"), Type: "Contoso.Network/things", Field: field, Disposition: model.Unsupported, Affects: affects}}
	}
	toSix := &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: append(model.DefaultRules(), model.SecurityRule{
		Name: "r", Priority: 100, Direction: model.Inbound, Access: model.Allow, Protocol: model.TCP, SourceAddrs: any, DestAddrs: model.AddressMatch{Prefixes: cidrs("fd00:0:0:1::/64")}, SourcePorts: ports, DestPorts: ports,
	})}
	s, d4, d6 := subnet("s", "10.0.0.0/29", "fd00::/64"), subnet("d", "10.0.0.8/29"), subnet("d", "10.0.0.8/29", "fd00:0:0:1::/64")
	to := func(src, dst string) func(*model.Estate) trace.Packet {
		return func(*model.Estate) trace.Packet { return trace.Packet{Src: ip(src), Dst: ip(dst)} }
	}
	lb := smallID("loadBalancers/lb")
	pooled := nic("nic", "fd00:0:0:1::4")
	pooled.IPConfigs[0].LBPools = []model.ID{lb + "/backendAddressPools/p"}
	balancer := &model.LoadBalancer{
		Meta: smallMeta("loadBalancers/lb"), SKU: model.Standard, Frontends: []model.LBFrontend{{ID: lb + "/frontendIPConfigurations/f", Name: "f", PublicIP: smallID("publicIPAddresses/p")}},
		Pools: []model.LBPool{{ID: pooled.IPConfigs[0].LBPools[0], Name: "p"}}, Outbound: []model.LBOutboundRule{{Name: "o", Frontends: []model.ID{lb + "/frontendIPConfigurations/f"}, Pool: pooled.IPConfigs[0].LBPools[0]}},
	}
	// The instances of a dual-stack subnet behind a rule for every TCP port that is used here.
	balanced := func() *model.ScaleSet {
		x := *instances
		x.Profiles = []model.NICProfile{{Name: "nic", IPForwarding: model.Off, NSG: smallID("networkSecurityGroups/n"), IPConfigs: []model.IPConfig{{Name: "a", Subnet: smallID("virtualNetworks/v/subnets/d"), LBPools: pooled.IPConfigs[0].LBPools}}}}
		return &x
	}
	frontRule := &model.LoadBalancer{
		Meta: balancer.Meta, SKU: model.Standard, Frontends: balancer.Frontends, Pools: balancer.Pools,
		Rules: []model.LBRule{{Name: "r", Frontend: lb + "/frontendIPConfigurations/f", Pools: pooled.IPConfigs[0].LBPools, Protocol: model.TCP, FrontendPort: 443, BackendPort: 443}},
	}
	v4Front := &model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), SKU: model.Standard, Address: ip("20.0.0.1")}
	address := &model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), SKU: model.Standard, Address: ip("2603:1000::1")}
	for _, test := range []struct {
		name     string
		estate   small
		ledger   []model.LedgerEntry
		packet   func(*model.Estate) trace.Packet
		protocol model.Protocol
		at, want string
	}{
		{"AZ-GEN-07: Azure keeps the first addresses of an IPv6 subnet too", small{vnet, s, d6}, nil, to("fd00::4", "fd00:0:0:1::1"), model.TCP, "subnet v/d ", ""},
		{"AZ-GEN-07: the fifth is a machine's", small{vnet, s, d6}, nil, to("fd00::4", "fd00:0:0:1::4"), model.TCP, "subnet v/d ", "over one-way session"},
		{"AZ-V6-02: behind a Deny for Icmp, ICMPv6 passes possibly", small{vnet, s, guarded(subnet("d", "10.0.0.8/29", "fd00:0:0:1::/64")), nsg(model.Deny, model.ICMP)}, nil, to("fd00::4", "fd00:0:0:1::4"), model.ICMPv6, "subnet v/d ", "over"},
		{"AZ-V6-04: an IPv6 frontend gives its pool an outbound address", small{vnet, d6, pooled, balancer, address}, nil, to("fd00:0:0:1::4", "2001:db8::1"), model.TCP, "internet  ", "over one-way session"},
		{"AZ-PIP-01: an instance's public address leads to it", small{vnet, s, d4, instances, nsg(model.Allow, model.TCP)}, nil, public, model.TCP, "scale set ss a", "over one-way session"},
		{"AZ-LB-08, AZ-V6-04: an IPv4 frontend does not lead to the IPv6 address of a member", small{vnet, s, d6, balanced(), toSix, v4Front, frontRule}, nil, to("198.51.100.7", "20.0.0.1"), model.TCP, "scale set ss a", ""},
		{"AZ-LB-08, AZ-V6-04: an IPv6 frontend does", small{vnet, s, d6, balanced(), toSix, address, frontRule}, nil, to("2001:db8::7", "2603:1000::1"), model.TCP, "scale set ss a", "over one-way session"},
		{"AZ-PIP-01: and not to its IPv6 address", small{vnet, s, d6, instances, toSix}, nil, public, model.TCP, "scale set ss a", ""},
		{
			"AZ-GEN-07: a full subnet has no instance",
			small{vnet, s, d4, instances, nsg(model.Allow, model.TCP), nic("a", "10.0.0.12"), nic("b", "10.0.0.13"), nic("c", "10.0.0.14")},
			nil, public, model.TCP, "scale set ss a", "",
		},
		{"AZ-GEN-08: a group that was not understood may let pass what it denies", small{vnet, s, guarded(subnet("d", "10.0.0.8/29")), nsg(model.Deny, model.TCP)}, unread("f", smallID("networkSecurityGroups/n")), to("10.0.0.4", "10.0.0.12"), model.TCP, "subnet v/d ", "over"},
		{"AZ-GEN-08: what was not understood of a subnet may stop its packets", small{vnet, s, d4}, unread("f", d4.ID), to("10.0.0.4", "10.0.0.12"), model.TCP, "subnet v/d ", "over"},
		{"AZ-GEN-08: a route that was not understood may take any packet", small{vnet, routed(subnet("s", "10.0.0.0/29")), d4, table}, unread("f", table.ID), to("10.0.0.4", "10.0.0.12"), model.TCP, "subnet v/d ", "over"},
		{"AZ-GEN-08: an object that was not understood carries packets anywhere", small{vnet, routed(subnet("s", "10.0.0.0/29")), d4, &model.RouteTable{Meta: table.Meta, Routes: []model.UserRoute{{Name: "r", Prefix: cidrs("10.0.0.0/27")[0], NextHop: model.HopNone}}}}, unread(""), to("10.0.0.4", "10.0.0.12"), model.TCP, "subnet v/d ", "over"},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, err := newJoint(modeltest.Draft{Resources: test.estate, Ledger: test.ledger}.Clone())
			if err != nil {
				t.Fatal(err)
			}
			p := test.packet(j.s.Project.Estate)
			if !p.Src.IsValid() {
				p.Src = ip("203.0.113.9")
			}
			p.Protocol = test.protocol
			if p.Protocol.HasPorts() {
				p.SPort, p.DPort = 50000, 443
			}
			j.holds(t, p, test.at, test.want)
		})
	}
}

// The cases of accounts, of their service endpoints, and of machines with several interfaces in which the engines once differed.
func TestFoundCasesOfServices(t *testing.T) {
	vnet := &model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/26")}
	subnet := func(name, prefix string) *model.Subnet {
		return &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/" + name), VNet: vnet.ID, Prefixes: cidrs(prefix), DefaultOutbound: model.On}
	}
	serving := func(s *model.Subnet, services ...string) *model.Subnet {
		for _, x := range services {
			s.ServiceEndpoints = append(s.ServiceEndpoints, model.ServiceEndpoint{Service: x, State: "Succeeded"})
		}
		return s
	}
	private := func(s *model.Subnet) *model.Subnet { s.DefaultOutbound = model.Off; return s }
	guarded := func(s *model.Subnet) *model.Subnet { s.NSG = smallID("networkSecurityGroups/n"); return s }
	routed := func(s *model.Subnet) *model.Subnet { s.RouteTable = smallID("routeTables/t"); return s }
	policed := func(s *model.Subnet) *model.Subnet {
		s.ServicePolicies = []model.ID{smallID("serviceEndpointPolicies/sep")}
		return s
	}
	regional := func(s *model.Subnet, locations ...string) *model.Subnet {
		s.ServiceEndpoints[0].Locations = locations
		return s
	}
	nic := func(name, subnet string, forwarding model.Setting, addresses ...string) *model.NIC {
		n := &model.NIC{Meta: smallMeta("networkInterfaces/" + name), IPForwarding: forwarding}
		for i, a := range addresses {
			n.IPConfigs = append(n.IPConfigs, model.IPConfig{Name: []string{"a", "b"}[i], Subnet: smallID("virtualNetworks/v/subnets/" + subnet), Address: ip(a)})
		}
		return n
	}
	of := func(n *model.NIC) *model.NIC { n.VM = smallID("virtualMachines/vm"); return n }
	pooled := func(n *model.NIC, config int) *model.NIC {
		n.IPConfigs[config].LBPools = []model.ID{smallID("loadBalancers/lb/backendAddressPools/p")}
		return n
	}
	table := func(routes ...model.UserRoute) *model.RouteTable {
		return &model.RouteTable{Meta: smallMeta("routeTables/t"), Routes: routes}
	}
	account := func(kind model.ServiceKind) *model.Service {
		return &model.Service{Meta: smallMeta("accounts/acc"), Kind: kind, Public: "Enabled", HasACLs: true, DefaultAccess: model.Deny}
	}
	anyone := func(a *model.Service) *model.Service { a.DefaultAccess = model.Allow; return a }
	from := func(a *model.Service, r model.IPRule) *model.Service { a.IPRules = append(a.IPRules, r); return a }
	everything := model.AddressMatch{Any: true}
	rule := func(priority int, access model.Access, dir model.Direction, to model.AddressMatch) model.SecurityRule {
		return model.SecurityRule{
			Name: "r", Priority: priority, Direction: dir, Access: access, Protocol: model.AnyProtocol, SourceAddrs: everything, DestAddrs: to,
			SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts},
		}
	}
	nsg := func(rules ...model.SecurityRule) *model.NSG {
		return &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: rules}
	}
	scaleSet := func(forwarding model.Setting, configs ...model.IPConfig) *model.ScaleSet {
		return &model.ScaleSet{Meta: smallMeta("virtualMachineScaleSets/ss"), Orchestration: "Uniform", Profiles: []model.NICProfile{{Name: "nic", IPForwarding: forwarding, IPConfigs: configs}}}
	}
	config := func(name, subnet string, pools ...model.ID) model.IPConfig {
		return model.IPConfig{Name: name, Subnet: smallID("virtualNetworks/v/subnets/" + subnet), LBPools: pools}
	}
	lb := smallID("loadBalancers/lb")
	pool := lb + "/backendAddressPools/p"
	balancer := func(protocol model.Protocol, port uint16, floating model.Setting) *model.LoadBalancer {
		front := lb + "/frontendIPConfigurations/f"
		return &model.LoadBalancer{
			Meta: smallMeta("loadBalancers/lb"), SKU: model.Standard, Frontends: []model.LBFrontend{{ID: front, Name: "f", Subnet: smallID("virtualNetworks/v/subnets/d"), Address: ip("10.0.0.14")}},
			Pools: []model.LBPool{{ID: pool, Name: "p"}},
			Rules: []model.LBRule{{ID: lb + "/loadBalancingRules/r", Name: "r", Frontend: front, Pools: []model.ID{pool}, Protocol: protocol, FrontendPort: port, BackendPort: port, FloatingIP: floating}},
		}
	}
	floatingOn := model.On
	endpoint := func(state string) *model.PrivateEndpoint {
		return &model.PrivateEndpoint{Meta: smallMeta("privateEndpoints/pe"), Subnet: smallID("virtualNetworks/v/subnets/d"), Addresses: []netip.Addr{ip("10.0.0.13")}, Target: smallID("accounts/acc"), State: state}
	}
	refused := account(model.StorageAccount)
	refused.Connections = []model.EndpointConnection{{Endpoint: smallID("privateEndpoints/pe"), State: "Rejected"}}
	public := &model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), SKU: model.Basic, AttachedTo: smallID("networkInterfaces/nic/ipConfigurations/a")}
	gatewaySubnet := subnet("GatewaySubnet", "10.0.0.48/29")
	vpn := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: gatewaySubnet.ID}
	line := func(peer string) *model.Connection {
		c := &model.Connection{Meta: smallMeta("connections/line"), Kind: "IPsec", Gateway: vpn.ID, State: "Connected"}
		if peer != "" {
			c.Peer = smallID("localNetworkGateways/" + peer)
		}
		return c
	}
	site := &model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs("198.51.100.0/24")}
	lists := &model.ServiceTags{Tags: []model.ServiceTag{{Name: "Storage", Prefixes: cidrs("20.1.0.0/24", "20.2.0.0/24")}, {Name: "Storage.westeurope", Prefixes: cidrs("20.1.0.0/24")}}}
	regions := &model.ServiceTags{Tags: []model.ServiceTag{{Name: "AzureCloud", Prefixes: cidrs("20.0.0.0/8")}, {Name: "AzureCloud.westeurope", Prefixes: cidrs("20.1.0.0/16")}}}
	// It names the tag.
	tagged := nsg(rule(100, model.Deny, model.Outbound, model.AddressMatch{Tags: []string{"AzureCloud"}}))
	anywhere := from(account(model.StorageAccount), model.IPRule{Name: "r", Prefixes: cidrs("0.0.0.0/0")})
	door := func(e *model.Estate) netip.Addr {
		a, _ := e.Symbols().Of(model.ServiceDoor, smallID("accounts/acc"), "")
		return a
	}
	unstated := func(e *model.Estate) netip.Addr {
		a, _ := e.Symbols().Of(model.PublicAddress, public.ID, "")
		return a
	}
	at := func(a string) func(*model.Estate) netip.Addr { return func(*model.Estate) netip.Addr { return ip(a) } }
	s, d := subnet("s", "10.0.0.0/29"), subnet("d", "10.0.0.8/29")
	inside, outside := of(nic("in", "d", model.On, "10.0.0.12")), of(nic("out", "o", model.Off, "10.0.0.20"))
	o := subnet("o", "10.0.0.16/29")
	viaAppliance := table(model.UserRoute{Name: "r", Prefix: cidrs("10.0.0.0/26")[0], NextHop: model.HopAppliance, Address: ip("10.0.0.12")})
	toNIC2 := rule(100, model.Deny, model.Outbound, everything)
	local := model.UserRoute{Name: "r", Prefix: cidrs("198.51.100.0/24")[0], NextHop: model.HopVnetLocal}
	for _, test := range []struct {
		name     string
		estate   small
		lists    *model.ServiceTags
		src      string
		dst      func(*model.Estate) netip.Addr
		tags     []string
		at, want string
	}{
		{"AZ-RT-32: an appliance sends by another NIC of its VM", small{vnet, routed(subnet("s", "10.0.0.0/29")), guarded(subnet("d", "10.0.0.8/29")), o, subnet("far", "10.0.0.24/29"), viaAppliance, inside, outside, nsg(append(model.DefaultRules(), toNIC2)...)}, nil, "10.0.0.4", at("10.0.0.28"), nil, "subnet v/far ", "over"},
		{"AZ-RT-32: it takes in what comes to one NIC for another", small{vnet, routed(subnet("s", "10.0.0.0/29")), d, o, viaAppliance, inside, outside}, nil, "10.0.0.4", at("10.0.0.20"), nil, "nic out a", "over"},
		{"AZ-RT-32: a NIC that does not forward keeps no foreign source", small{vnet, routed(subnet("s", "10.0.0.0/29")), guarded(subnet("d", "10.0.0.8/29")), o, guarded(subnet("far", "10.0.0.24/29")), viaAppliance, inside, outside, nsg(
			rule(100, model.Deny, model.Outbound, everything), model.SecurityRule{Name: "r", Priority: 100, Access: model.Allow, Protocol: model.AnyProtocol, SourceAddrs: model.AddressMatch{Prefixes: cidrs("10.0.0.0/28")}, DestAddrs: everything, SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts}},
			rule(200, model.Deny, model.Inbound, everything),
		)}, nil, "10.0.0.4", at("10.0.0.28"), nil, "subnet v/far ", ""},
		{"AZ-LB-11: the member is another configuration of the sender's NIC", small{vnet, s, d, balancer(model.TCP, 443, model.Off), pooled(nic("nic", "s", model.Off, "10.0.0.4", "10.0.0.5"), 1)}, nil, "10.0.0.4", at("10.0.0.14"), nil, "nic nic b", "over"},
		{"AZ-LB-11: the member may be the instance that sends", small{vnet, s, d, balancer(model.TCP, 443, model.Off), scaleSet(model.Off, config("a", "s"), config("b", "s", pool))}, nil, "10.0.0.4", at("10.0.0.14"), nil, "scale set ss b", "over"},
		{"AZ-LB-01: another machine is sent to it for certain", small{vnet, s, d, o, balancer(model.TCP, 443, model.Off), scaleSet(model.Off, config("a", "s"), config("b", "s", pool))}, nil, "10.0.0.20", at("10.0.0.14"), nil, "scale set ss b", "over one-way session"},
		{"AZ-GEN-07: floating IP reaches no instance in a full subnet", small{vnet, s, d, o, balancer(model.TCP, 443, floatingOn), scaleSet(model.Off, config("a", "s", pool)), nic("a", "s", model.Off, "10.0.0.4"), nic("b", "s", model.Off, "10.0.0.5"), nic("c", "s", model.Off, "10.0.0.6")}, nil, "10.0.0.20", at("10.0.0.14"), nil, "scale set ss a", ""},
		{"AZ-PAAS-06: the account says that the connection is refused", small{vnet, s, d, endpoint(""), refused}, nil, "10.0.0.4", at("10.0.0.13"), nil, "private endpoint pe ", ""},
		{"AZ-PE-01: the endpoint's own word counts first", small{vnet, s, d, endpoint("Approved"), refused}, nil, "10.0.0.4", at("10.0.0.13"), nil, "private endpoint pe ", "over one-way session"},
		{"AZ-RT-21: where a user route may beat an endpoint's, the default route does not", small{vnet, serving(routed(subnet("s", "10.0.0.0/29")), "Microsoft.Sql"), table(local), from(account(model.SQLServer), model.IPRule{Name: "r", AllAzure: true})}, nil, "10.0.0.4", door, []string{"azurecloud", "sql"}, "service acc ", ""},
		{"AZ-SE-04: where policies act, the default route gains nothing", small{vnet, policed(serving(subnet("s", "10.0.0.0/29"), "Microsoft.Storage.Global", "Microsoft.Sql")), from(account(model.SQLServer), model.IPRule{Name: "r", AllAzure: true})}, nil, "10.0.0.4", door, []string{"azurecloud", "storage", "sql"}, "service acc ", ""},
		{"AZ-SE-03: a regional endpoint does not cover the tag of another region", small{vnet, private(regional(serving(subnet("s", "10.0.0.0/29"), "Microsoft.Storage"), "westeurope")), routed(d), table(model.UserRoute{Name: "r", Tag: "Storage.northeurope", NextHop: model.HopNone})}, nil, "10.0.0.4", at("198.51.100.7"), []string{"storage", "storage.northeurope"}, "internet  ", ""},
		{"AZ-SE-03: what its region's list holds it covers", small{vnet, private(serving(subnet("s", "10.0.0.0/29"), "Microsoft.Storage")), routed(d), table(model.UserRoute{Name: "r", Tag: "Storage.northeurope", NextHop: model.HopNone})}, lists, "10.0.0.4", at("20.1.0.9"), []string{"storage.northeurope"}, "internet  ", "over one-way session"},
		{"AZ-SE-03: an unstated public address is no internet host", small{vnet, private(serving(subnet("s", "10.0.0.0/29"), "Microsoft.Storage")), d, nic("nic", "d", model.Off, "10.0.0.12"), public}, nil, "10.0.0.4", unstated, []string{"storage"}, "internet  ", ""},
		{"AZ-SE-03: a machine's public address is reached over the endpoint perhaps", small{vnet, private(serving(subnet("s", "10.0.0.0/29"), "Microsoft.Sql")), d, nic("nic", "d", model.Off, "10.0.0.12"), public}, nil, "10.0.0.4", unstated, []string{"sql"}, "nic nic a", "over"},
		{"AZ-SE-03: an account of a type without a tag may be outside of its region's AzureCloud", small{vnet, guarded(subnet("s", "10.0.0.0/29")), nsg(append(model.DefaultRules(), rule(100, model.Deny, model.Outbound, model.AddressMatch{Tags: []string{"AzureCloud.westeurope"}}))...), anyone(account(model.OtherService))}, nil, "10.0.0.4", door, nil, "service acc ", "over one-way session"},
		{"AZ-ST-02: of an address outside the estate a tag without a list says nothing", small{vnet, guarded(subnet("s", "10.0.0.0/29")), tagged, anywhere}, nil, "203.0.113.9", door, []string{"azurecloud"}, "service acc ", "over one-way session"},
		{"AZ-ST-02: a list may say that it is of the region", small{anywhere}, regions, "20.1.0.0", door, nil, "service acc ", "over"},
		{"AZ-ST-02: or of another", small{anywhere}, regions, "20.2.0.0", door, nil, "service acc ", "over one-way session"},
		{"AZ-RT-20: a learned route does not beat a service endpoint's", small{vnet, serving(private(subnet("s", "10.0.0.0/29")), "Microsoft.Storage"), gatewaySubnet, vpn, line(""), anyone(account(model.StorageAccount))}, nil, "10.0.0.4", door, []string{"storage", "storage.westeurope"}, "service acc ", "over one-way session"},
		{"AZ-RT-19: a learned route may be longer than a tag's row", small{vnet, routed(subnet("s", "10.0.0.0/29")), gatewaySubnet, vpn, line(""), table(model.UserRoute{Name: "r", Tag: "Storage", NextHop: model.HopNone}), anyone(account(model.StorageAccount))}, lists, "10.0.0.4", door, nil, "far side vpn line", "over"},
		{"AZ-TAG-06: an on-premises prefix holds no address of Azure", small{vnet, guarded(routed(subnet("s", "10.0.0.0/29"))), &model.RouteTable{Meta: smallMeta("routeTables/t"), DisableBGP: model.On}, gatewaySubnet, vpn, line("site"), site, nsg(rule(100, model.Allow, model.Outbound, model.AddressMatch{Tags: []string{"Internet"}}), rule(200, model.Deny, model.Outbound, everything)), anyone(account(model.KeyVault))}, nil, "10.0.0.4", door, nil, "service acc ", "over one-way session"},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, err := newJoint(modeltest.Draft{Resources: test.estate, Tags: test.lists}.Clone())
			if err != nil {
				t.Fatal(err)
			}
			p := trace.Packet{Src: ip(test.src), Dst: test.dst(j.s.Project.Estate), Protocol: model.TCP, SPort: 50000, DPort: 443, Tags: test.tags}
			j.holds(t, p, test.at, test.want)
		})
	}
}

// holds fails unless both engines deliver a packet at a place in the bounds that are wanted, and say the same of it elsewhere.
func (j *joint) holds(t *testing.T, p trace.Packet, at, want string) {
	t.Helper()
	q, ok := j.sent(p)
	if !ok {
		t.Fatalf("nobody sends %s", p)
	}
	j.says(t, q, at, want)
}

// says fails unless both engines say the same of a packet, and deliver it at a place in the bounds that are wanted.
func (j *joint) says(t *testing.T, q probe, at, want string) {
	t.Helper()
	if diff := j.differ(q); diff != "" {
		t.Errorf("the engines differ: %s", diff)
	}
	if got := bounds(j.solver(q)[at]); got != want {
		t.Errorf("%s at %s: got %q, want %q; all: %v", q.trace, at, got, want, j.solver(q))
	}
}

// sent is a packet from whoever has its source.
func (j *joint) sent(p trace.Packet) (probe, bool) {
	g := j.s.graph
	for o := range g.Origins {
		for _, x := range g.Origins[o].Prefixes {
			if x.Contains(p.Src) {
				p.From = g.Origins[o].Site.PlaceOf(p.Src)
				if q, ok := j.as(o, p); ok {
					return q, true
				}
			}
		}
	}
	return probe{}, false
}

// The cases of firewalls and of what stands beside them in which the engines once differed.
func TestFoundCasesOfFirewalls(t *testing.T) {
	vnet := &model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/27")}
	subnet := func(name, prefix string) *model.Subnet {
		return &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/" + name), VNet: vnet.ID, Prefixes: cidrs(prefix), DefaultOutbound: model.On}
	}
	cloud := &model.ServiceTags{Tags: []model.ServiceTag{{Name: "AzureCloud.westeurope", Prefixes: cidrs("20.1.0.0/16")}}}
	nic := &model.NIC{
		Meta: smallMeta("networkInterfaces/nic"), NSG: smallID("networkSecurityGroups/n"), IPForwarding: model.Off,
		IPConfigs: []model.IPConfig{{Name: "a", Subnet: smallID("virtualNetworks/v/subnets/d"), Address: ip("10.0.0.12"), PublicIP: smallID("publicIPAddresses/p")}},
	}
	address := func(a string) *model.PublicIP {
		p := &model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), SKU: model.Standard}
		if p.Location = "westeurope"; a != "" {
			p.Address = ip(a)
		}
		return p
	}
	nsg := func(from model.AddressMatch) *model.NSG {
		ports := []model.PortRange{model.AllPorts}
		return &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: append(model.DefaultRules(), model.SecurityRule{
			Name: "r", Priority: 100, Direction: model.Inbound, Access: model.Allow, Protocol: model.AnyProtocol, SourceAddrs: from, DestAddrs: model.AddressMatch{Any: true}, SourcePorts: ports, DestPorts: ports,
		})}
	}
	routes := func(explicit string) *model.RouteTable {
		return &model.RouteTable{Meta: smallMeta("routeTables/t"), DisableBGP: model.On, Routes: []model.UserRoute{
			{Name: "explicit", Prefix: cidrs(explicit)[0], NextHop: model.HopNone}, {Name: "tag", Tag: "AzureCloud.westeurope", NextHop: model.HopInternet},
		}}
	}
	routed := subnet("s", "10.0.0.0/29")
	routed.RouteTable = smallID("routeTables/t")
	translated := subnet("s", "10.0.0.0/29")
	translated.NATGateway = smallID("natGateways/g")
	gateway := &model.NATGateway{Meta: smallMeta("natGateways/g"), Prefixes: []model.ID{smallID("publicIPPrefixes/x")}}
	block := &model.PublicIPPrefix{Meta: smallMeta("publicIPPrefixes/x"), Prefix: cidrs("20.0.1.0/30")[0]}
	block.Location = "westeurope"
	peer := &model.VNet{Meta: smallMeta("virtualNetworks/w"), Prefixes: cidrs("10.0.1.0/27")}
	peered := &model.Subnet{Meta: smallMeta("virtualNetworks/w/subnets/d"), VNet: peer.ID, Prefixes: cidrs("10.0.1.0/29")}
	parts := func(own, far []string) *model.VNet {
		return &model.VNet{Meta: vnet.Meta, Prefixes: cidrs("10.0.0.0/25"), Peerings: []model.Peering{{
			Name: "p", Remote: peer.ID, State: "Connected", AllowVNetAccess: model.On, CompleteVNets: model.Off, LocalSubnets: own, RemoteSubnets: far, RemotePrefixes: peer.Prefixes, SyncedPrefixes: peer.Prefixes,
		}}}
	}
	hosts := &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/AzureBastionSubnet"), VNet: vnet.ID, Prefixes: cidrs("10.0.0.64/26")}
	edge := &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/GatewaySubnet"), VNet: vnet.ID, Prefixes: cidrs("10.0.0.32/27")}
	bastion := &model.Bastion{Meta: smallMeta("bastionHosts/b"), SKU: "Standard", Subnet: hosts.ID, IPConnect: model.Off, Tunneling: model.Off}
	vpn := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/g"), Kind: model.VPNGateway, Subnet: edge.ID}
	site := &model.Connection{Meta: smallMeta("connections/c"), Kind: "IPsec", Gateway: vpn.ID, BGP: model.On}
	firewalls := &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/AzureFirewallSubnet"), VNet: vnet.ID, Prefixes: cidrs("10.0.0.24/29")}
	firewall := func(kind model.RuleKind, rules ...model.FirewallRule) *model.Firewall {
		return &model.Firewall{Meta: smallMeta("azureFirewalls/fw"), Subnet: firewalls.ID, Address: ip("10.0.0.28"), Collections: []model.RuleCollection{{Name: "c", Priority: 100, Kind: kind, Rules: rules}}}
	}
	door := address("20.0.0.3")
	door.AttachedTo = smallID("azureFirewalls/fw/ipConfigurations/ip")
	untargeted := model.FirewallRule{Name: "r", Sources: model.AddressMatch{Any: true}, Dests: model.AddressMatch{Prefixes: cidrs("20.0.0.3/32")}, Protocols: []model.Protocol{model.TCP}, Ports: []model.PortRange{{First: 443, Last: 443}}}
	targeted := untargeted
	targeted.ToAddress = ip("10.0.0.12")
	unread := []model.LedgerEntry{{Resource: smallID("things/x"), Type: "Contoso.Network/things", Disposition: model.Unsupported}}
	unstated := func(e *model.Estate) trace.Packet {
		a, _ := e.Symbols().Of(model.PublicAddress, smallID("publicIPAddresses/p"), "")
		return trace.Packet{Src: ip("10.0.0.4"), Dst: a}
	}
	to := func(src, dst string) func(*model.Estate) trace.Packet {
		return func(*model.Estate) trace.Packet { return trace.Packet{Src: ip(src), Dst: ip(dst)} }
	}
	every := model.AddressMatch{Any: true}
	endpoints := subnet("s", "10.0.0.0/29")
	endpoints.ServiceEndpoints = []model.ServiceEndpoint{{Service: "Microsoft.Storage.Global", State: "Succeeded"}}
	standing := []model.LedgerEntry{{Resource: smallID("things/x"), Type: "Contoso.Network/things", Disposition: model.Unsupported, Affects: []model.ID{smallID("virtualNetworks/v/subnets/d")}, Role: model.Carries}}
	tagged := func(*model.Estate) trace.Packet {
		return trace.Packet{Src: ip("10.0.0.4"), Dst: ip("198.51.100.7"), Tags: []string{"storage"}}
	}
	account := &model.Service{Meta: smallMeta("accounts/acc"), Kind: model.StorageAccount, Public: "Enabled"}
	listed := &model.Service{Meta: account.Meta, Kind: model.KeyVault, Public: "Enabled", HasACLs: true, DefaultAccess: model.Deny, IPRules: []model.IPRule{{Name: "r", Prefixes: cidrs("20.0.1.0/30")}}}
	toAccount := func(e *model.Estate) trace.Packet {
		a, _ := e.Symbols().Of(model.ServiceDoor, account.ID, "")
		return trace.Packet{Src: ip("10.0.0.4"), Dst: a, Tags: []string{"storage"}}
	}
	const carried = "unknown" // where the object may take it
	twofold := &model.NATGateway{Meta: gateway.Meta, SKU: "StandardV2", Prefixes: gateway.Prefixes, PublicIPs: []model.ID{smallID("publicIPAddresses/six")}}
	six := &model.PublicIP{Meta: smallMeta("publicIPAddresses/six"), SKU: model.Standard, Address: ip("2603:1000::9")}
	for _, test := range []struct {
		name     string
		estate   small
		ledger   []model.LedgerEntry
		packet   func(*model.Estate) trace.Packet
		port     uint16
		at, want string
	}{
		// The address is in AzureCloud.westeurope; a longer route for a part of the tag may hold it.
		{"AZ-RT-17: how long a tag's prefix is at an unstated address is not known", small{vnet, routed, subnet("d", "10.0.0.8/29"), nic, nsg(every), address(""), routes("20.1.0.0/25")}, nil, unstated, 443, "nic nic a", "over"},
		{"AZ-RT-17: a default route is shorter", small{vnet, routed, subnet("d", "10.0.0.8/29"), nic, nsg(every), address(""), routes("0.0.0.0/0")}, nil, unstated, 443, "nic nic a", "over one-way session"},
		{"AZ-TAG-09: of a NAT gateway's stated prefix the list knows more than its region", small{vnet, translated, subnet("d", "10.0.0.8/29"), nic, nsg(model.AddressMatch{Tags: []string{"AzureCloud.westeurope"}}), address("20.0.0.3"), gateway, block}, nil, to("10.0.0.4", "20.0.0.3"), 443, "nic nic a", ""},
		{"AZ-BAS-03: what a peering of subnets leaves out is Bastion's possibly", small{parts([]string{"AzureBastionSubnet"}, nil), hosts, edge, bastion, vpn, site, peer, peered}, nil, to("10.0.0.69", "10.0.1.4"), 22, "far side g c", "over"},
		{"AZ-FW-20: a NAT rule without a target may lead anywhere", small{vnet, firewalls, subnet("d", "10.0.0.8/29"), firewall(model.DNATRules, untargeted), door}, nil, to("203.0.113.9", "20.0.0.3"), 443, "subnet v/d ", "over"},
		{"AZ-FW-20: a NAT rule without a target is certain of nothing", small{vnet, firewalls, subnet("d", "10.0.0.8/29"), firewall(model.DNATRules, untargeted), door}, nil, to("203.0.113.9", "20.0.0.3"), 443, "internet  ", "over"},
		{"AZ-GEN-08: what takes the route of a service endpoint may get to an object that was not understood", small{vnet, endpoints, subnet("d", "10.0.0.8/29")}, standing, tagged, 443, carried, "over"},
		{"AZ-GEN-08: but no object has the address of an account", small{vnet, endpoints, subnet("d", "10.0.0.8/29"), account}, standing, toAccount, 443, carried, ""},
		{"AZ-OUT-02: a NAT gateway translates IPv4 to its address of IPv4", small{vnet, translated, twofold, block, six, listed}, nil, toAccount, 443, "service acc ", "over one-way session"},
		{"AZ-GEN-08: an object that was not understood may carry what a firewall passes", small{vnet, firewalls, subnet("d", "10.0.0.8/29"), firewall(model.DNATRules, targeted), door}, unread, to("203.0.113.9", "20.0.0.3"), 443, "internet  ", "over"},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, err := newJoint(modeltest.Draft{Resources: test.estate, Ledger: test.ledger, Tags: cloud}.Clone())
			if err != nil {
				t.Fatal(err)
			}
			p := test.packet(j.s.Project.Estate)
			p.Protocol, p.SPort, p.DPort = model.TCP, 50000, test.port
			j.holds(t, p, test.at, test.want)
		})
	}
}
