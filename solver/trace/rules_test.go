package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// ends prints how a packet may end: the places it reaches (those reached for certain without a mark), `lost`, or `dropped`.
func ends(r *Result) string {
	var out []string
	for _, p := range r.Paths {
		s := p.End.String()
		if p.End == Delivered {
			s = strings.TrimSpace(p.At.Kind.String() + " " + p.At.ID.Name() + " " + p.At.Part)
		}
		if !p.Certain && p.End == Delivered {
			s += "?"
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// X-EDGE-24: a Private Link service opens a Service to a VNet without peering (AKS-LB-08); the row of an approved endpoint.
func TestXEDGE24(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.1.0.0/16")
	b.vnet("foreign", "10.1.0.0/16")
	b.nsg("nsg")
	b.subnet("net/nodes", "10.1.1.0/24", "nsg=nsg")
	b.subnet("foreign/s", "10.1.1.0/24")
	b.nic("vm", "foreign/s", "10.1.1.4")
	c := b.cluster("aks", "azure", "overlay", "none", "net/nodes")
	web := b.workload(c, "web", "web")
	b.kubeService(c, "web", "web", "LoadBalancer", 443, 8443, "azure-load-balancer-internal", "true", "azure-pls-create", "true", "azure-pls-name", "pls", "azure-pls-visibility", "*")
	b.endpoint("pe", "foreign/s", "10.1.1.9", network("privateLinkServices", "pls"))
	r := Run(b.build(), Options{}, from(nic("vm"), packet("10.1.1.4 > 10.1.1.9 tcp/443")))
	check(t, "foreign VNet to the Service", r, ask(r, podPlace(web, "a")), reached)
	check(t, "and the endpoint itself", r, ask(r, endpoint("pe")), reached)
	for _, p := range r.Paths {
		if p.At == podPlace(web, "a") && !netip.MustParsePrefix("10.1.1.0/24").Contains(p.Packet.Src) {
			t.Errorf("the pod sees %s", p.Packet.Src)
		}
	}
}

// X-EDGE-29: a rule that exists makes just-in-time access void; the plain run.
func TestXEDGE29(t *testing.T) {
	for _, test := range []struct{ rule, want string }{{"300 Allow In tcp VirtualNetwork -> * 22", reached}, {"", "D nsg/securityRules/1000"}} {
		b := estate(t)
		b.vnet("net", "10.1.0.0/16")
		b.nsg("nsg", test.rule, "1000 Deny In tcp * -> * 22")
		b.subnet("net/s", "10.1.1.0/24", "nsg=nsg")
		b.subnet("net/jump", "10.1.6.0/28")
		b.nic("vm", "net/s", "10.1.1.4")
		b.nic("jump", "net/jump", "10.1.6.4")
		r := Run(b.build(), Options{}, packet("10.1.6.4 > 10.1.1.4 tcp/22"))
		check(t, test.rule, r, decided(r, nic("vm")), test.want)
	}
}

// With All every control gives its answer, and the packet stays dropped where it was dropped first.
func TestWalkPastDrops(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("out", "100 Deny Out * * -> * *")
	b.nsg("in", "100 Deny In * * -> * *")
	b.subnet("net/a", "10.0.0.0/24", "nsg=out")
	b.subnet("net/b", "10.0.1.0/24", "nsg=in")
	b.nic("vm1", "net/a", "10.0.0.4")
	b.nic("vm2", "net/b", "10.0.1.4", "nsg=in")
	e := b.build()
	for all, want := range map[bool][]Stage{false: {SubnetOut}, true: {SubnetOut, SubnetIn, NICIn}} {
		r := Run(e, Options{All: all}, packet("10.0.0.4 > 10.0.1.4 tcp/443"))
		var got []Stage
		for _, h := range r.Paths[0].Hops {
			if h.Action == Deny {
				got = append(got, h.Stage)
			}
		}
		if len(r.Paths) != 1 || r.Paths[0].End != Dropped || r.Paths[0].At != nic("vm1") || !slices.Equal(got, want) {
			t.Errorf("All=%v: denied at %v, want %v\n%s", all, got, want, show(r))
		}
	}
}

// AZ-NSG-02: two rules of one priority have no order.
func TestDuplicatePriority(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("nsg", "100 Allow In tcp * -> * 443 a", "100 Deny In * * -> * * b")
	b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
	b.nic("vm1", "net/s", "10.0.0.4")
	b.nic("vm2", "net/s", "10.0.0.5")
	e := b.build()
	for port, want := range map[string]string{"443": unclear, "22": nothing} {
		r := Run(e, Options{}, packet("10.0.0.4 > 10.0.0.5 tcp/"+port))
		check(t, port, r, ask(r, nic("vm2")), want)
	}
}

// A control that something names and the input lacks is unknown, never absent.
func TestMissingControls(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.subnet("net/a", "10.0.0.0/24")
	b.subnet("net/b", "10.0.1.0/24", "nsg=gone")
	b.subnet("net/c", "10.0.2.0/24", "rt=gone")
	b.nic("vm1", "net/a", "10.0.0.4")
	b.nic("vm2", "net/b", "10.0.1.4")
	b.nic("vm3", "net/c", "10.0.2.4")
	e := b.build()
	r := Run(e, Options{}, packet("10.0.0.4 > 10.0.1.4 tcp/443"))
	check(t, "NSG", r, ask(r, nic("vm2")), unclear)
	r = Run(e, Options{}, packet("10.0.2.4 > 10.0.0.4 tcp/443"))
	check(t, "route table", r, ends(r), "lost, nic vm1 ip?")
	if !hasAssumption(r, "ASM-NEXTHOP") {
		t.Errorf("ASM-NEXTHOP is missing: %v", assumptionsOf(r))
	}
}

// AZ-GEN-07: free addresses belong to the subnet, the five reserved ones to nobody; AZ-RT-06: nor do those outside every subnet.
func TestFreeAddresses(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.subnet("net/s", "10.0.0.0/24")
	b.nic("vm", "net/s", "10.0.0.4")
	e := b.build()
	for dst, want := range map[string]string{"10.0.0.77": "subnet s", "10.0.0.3": "dropped", "10.0.0.255": "dropped", "10.0.9.9": "dropped"} {
		r := Run(e, Options{}, packet("10.0.0.4 > "+dst+" tcp/443"))
		check(t, dst, r, ends(r), want)
	}
}

// AZ-GEN-03, AZ-V6-01: what the fabric does not carry.
func TestNotCarried(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.subnet("net/s", "10.0.0.0/24")
	b.nic("vm", "net/s", "10.0.0.4")
	b.nic("vm2", "net/s", "10.0.0.5")
	e := b.build()
	for _, text := range []string{"10.0.0.4 > 10.0.0.5 sctp/7", "10.0.0.4 > 224.0.0.5 udp/53", "10.0.0.4 > 255.255.255.255 udp/67", "10.0.0.4 > 2001:db8::1 tcp/443"} {
		r := Run(e, Options{}, packet(text))
		check(t, text, r, ends(r), "dropped")
	}
	p := packet("10.0.0.4 > 10.0.0.5 udp/53")
	p.SPort = 65330
	check(t, "source port 65330", Run(e, Options{}, p), ends(Run(e, Options{}, p)), "dropped")
	r := Run(e, Options{Strict: true}, packet("10.0.0.4 > 10.0.0.5 sctp/7"))
	check(t, "sctp, strict", r, ends(r), "dropped, nic vm2 ip?")
}

// AZ-PEER-04: a flag that is false takes the peer out of the tag, not out of the routes.
func TestPeeringFlags(t *testing.T) {
	for _, test := range []struct {
		x, y  model.Setting
		state string
		rule  string
		want  string
	}{
		{model.On, model.On, "Connected", "", reached},
		{model.Off, model.On, "Connected", "", unclear}, // one side: the tag may hold the peer
		{model.Off, model.Off, "Connected", "", nothing},
		{model.Off, model.Off, "Connected", "100 Allow In tcp 10.0.0.0/16 -> * 443", reached},
		{model.On, model.On, "Disconnected", "", nothing},
	} {
		b := estate(t)
		v, w := b.vnet("x", "10.0.0.0/16"), b.vnet("y", "10.1.0.0/16")
		xy, yx := b.peer(v, w)
		xy.AllowVNetAccess, yx.AllowVNetAccess, yx.State = test.x, test.y, test.state
		b.nsg("nsg", test.rule)
		b.subnet("x/s", "10.0.0.0/24")
		b.subnet("y/s", "10.1.0.0/24", "nsg=nsg")
		b.nic("vmx", "x/s", "10.0.0.4")
		b.nic("vmy", "y/s", "10.1.0.4")
		r := Run(b.build(), Options{}, packet("10.0.0.4 > 10.1.0.4 tcp/443"))
		check(t, fmt.Sprintf("%+v", test), r, ask(r, nic("vmy")), test.want)
	}
}

// AZ-PEER-01: a peered VNet that the input lacks.
func TestPeerNotInInput(t *testing.T) {
	b := estate(t)
	v := b.vnet("x", "10.0.0.0/16")
	v.Peerings = []model.Peering{{Name: "p", Remote: vnetID("gone"), State: "Connected", RemotePrefixes: prefixes("10.1.0.0/16")}}
	b.subnet("x/s", "10.0.0.0/24")
	b.nic("vm", "x/s", "10.0.0.4")
	r := Run(b.build(), Options{}, packet("10.0.0.4 > 10.1.0.4 tcp/443"))
	if r.Paths[0].End != Lost || r.Paths[0].At.Kind != model.PlaceUnknown {
		t.Errorf("want it lost at an unknown place\n%s", show(r))
	}
}

// AZ-LB-04, AZ-RT-11: HA ports in front of appliances; AZ-PEER-13: Basic frontends across regions.
func TestHAPorts(t *testing.T) {
	build := func(sku model.SKU, region string) *model.Estate {
		b := estate(t)
		hub, spoke := b.vnet("hub", "10.0.0.0/16"), b.vnet("spoke", "10.1.0.0/16")
		spoke.Location = region
		_, back := b.peer(hub, spoke)
		back.AllowForwarded = model.On
		b.routes("rt", "10.2.0.0/16 10.0.0.100", "0.0.0.0/0 10.0.0.100")
		b.subnet("hub/nva", "10.0.0.0/24")
		b.subnet("spoke/s", "10.1.0.0/24", "rt=rt")
		b.nic("nva1", "hub/nva", "10.0.0.4", "forward", "pool=ha")
		b.nic("nva2", "hub/nva", "10.0.0.5", "pool=ha")
		b.nic("vm", "spoke/s", "10.1.0.4")
		b.balancer("ha", model.LBFrontend{Subnet: subnetID("hub/nva"), Address: addr("10.0.0.100")}, model.LBRule{Protocol: model.AnyProtocol}).SKU = sku
		return b.build()
	}
	r := Run(build(model.Standard, "westeurope"), Options{}, packet("10.1.0.4 > 203.0.113.9 tcp/443"))
	check(t, "through the pool", r, ends(r), "dropped, internet?, lost")
	for _, p := range r.Paths {
		for _, h := range p.Hops {
			if h.At == nic("nva2") && h.Stage == SNAT {
				t.Error("a member without IP forwarding forwards")
			}
		}
	}
	if !hasAssumption(r, "ASM-NVA") {
		t.Errorf("ASM-NVA is missing: %v", assumptionsOf(r))
	}
	r = Run(build(model.Basic, "eastasia"), Options{}, packet("10.1.0.4 > 10.0.0.100 tcp/443"))
	check(t, "a Basic frontend across regions", r, ends(r), "dropped")
	r = Run(build(model.Standard, "eastasia"), Options{}, packet("10.1.0.4 > 10.0.0.100 tcp/443"))
	check(t, "a Standard one", r, ends(r), "nic nva1 ip, nic nva2 ip")
}

// AZ-LB-07, AZ-LB-08, AZ-LB-03: inbound NAT rules, members by address, probes.
func TestBalancers(t *testing.T) {
	build := func(nsg string, change func(*model.LoadBalancer, *model.NIC)) *model.Estate {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.nsg("nsg", nsg)
		b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
		n := b.nic("vm", "net/s", "10.0.0.4", "pool=lb")
		b.pip("p", "20.0.0.9")
		lb := b.balancer("lb", model.LBFrontend{PublicIP: pipID("p")}, model.LBRule{Protocol: model.TCP, FrontendPort: 80, BackendPort: 8080, Probe: lbID("lb") + "/probes/p"})
		lb.Probes = []model.LBProbe{{ID: lbID("lb") + "/probes/p", Name: "p", Protocol: "Tcp", Port: 8080}}
		if change != nil {
			change(lb, n)
		}
		return b.build()
	}
	const open = "100 Allow In tcp Internet -> * 22,8080"
	ssh := func(lb *model.LoadBalancer, n *model.NIC) {
		lb.NATRules = []model.LBNATRule{{ID: lb.ID + "/inboundNatRules/ssh", Name: "ssh", Frontend: lb.Frontends[0].ID, Protocol: model.TCP, FrontendPorts: model.PortRange{First: 50000, Last: 50000}, BackendPort: 22}}
		n.IPConfigs[0].NATRules = []model.ID{lb.NATRules[0].ID}
	}
	byAddress := func(address string) func(*model.LoadBalancer, *model.NIC) {
		return func(lb *model.LoadBalancer, n *model.NIC) {
			n.IPConfigs[0].LBPools = nil
			lb.Pools = []model.LBPool{{ID: poolID("lb"), Addresses: []model.LBAddress{{VNet: vnetID("net"), Address: addr(address)}}}}
		}
	}
	for _, test := range []struct {
		name, nsg, port string
		change          func(*model.LoadBalancer, *model.NIC)
		want            string
	}{
		{"rule", open, "80", nil, "nic vm ip"},
		{"forgotten NAT rule", open, "50000", ssh, "nic vm ip"},
		{"no rule", open, "443", nil, "dropped"},
		{"member by address", open, "80", byAddress("10.0.0.4"), "nic vm ip"},
		{"member that the input lacks", open, "80", byAddress("10.7.0.4"), "lost"},
		{"probe denied", open + "#", "80", nil, "nic vm ip?"},
		{"gateway load balancer", open, "80", func(lb *model.LoadBalancer, _ *model.NIC) { lb.SKU = model.GatewaySKU }, "lost"},
	} {
		e := build(strings.TrimSuffix(test.nsg, "#"), test.change)
		if strings.HasSuffix(test.nsg, "#") {
			e.NSGs[0].Rules = append([]model.SecurityRule{rule("90 Deny In * AzureLoadBalancer -> * *")}, e.NSGs[0].Rules...)
		}
		r := Run(e, Options{}, packet("198.51.100.7 > 20.0.0.9 tcp/"+test.port))
		check(t, test.name, r, ends(r), test.want)
	}
}

// AZ-PIP-05, AZ-GW-10, AZ-OUT-02: what a public address leads to.
func TestPublicAddresses(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.subnet("net/GatewaySubnet", "10.0.255.0/27")
	b.pip("free", "20.0.0.1")
	b.pip("odd", "20.0.0.2").AttachedTo = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Odd/things/x"
	b.pip("nat", "20.0.0.3")
	b.pip("gw", "20.0.0.4")
	b.add(&model.NATGateway{Meta: meta(network("natGateways", "ng")), PublicIPs: []model.ID{pipID("nat")}})
	b.vpn("gw", "net/GatewaySubnet", nil).PublicIPs = []model.ID{pipID("gw")}
	e := b.build()
	for _, test := range []struct{ packet, want string }{
		{"198.51.100.7 > 20.0.0.1 tcp/443", "dropped"},
		{"198.51.100.7 > 20.0.0.2 tcp/443", "lost"},
		{"198.51.100.7 > 20.0.0.3 tcp/443", "dropped"},
		{"198.51.100.7 > 20.0.0.4 udp/4500", "gateway gw"},
		{"198.51.100.7 > 20.0.0.4 tcp/22", "dropped"},
		{"198.51.100.7 > 20.0.0.9 tcp/22", "dropped"},
		{"10.66.0.1 > 20.0.0.4 udp/500", "dropped"},
	} {
		r := Run(e, Options{}, packet(test.packet))
		check(t, test.packet, r, ends(r), test.want)
	}
}

// AZ-OUT-09: a machine that calls another's public address leaves and comes back with its own.
func TestHairpin(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("nsg", "100 Allow In tcp AzureCloud -> * 443", "200 Allow In tcp VirtualNetwork -> * 22", "4000 Deny In * * -> * *")
	b.subnet("net/a", "10.0.0.0/24")
	b.subnet("net/b", "10.0.1.0/24", "nsg=nsg")
	b.nic("vm1", "net/a", "10.0.0.4", "pip=p1")
	b.nic("vm2", "net/b", "10.0.1.4", "pip=p2")
	b.pip("p1", "20.0.0.1")
	b.pip("p2", "20.0.0.2")
	e := b.build()
	for port, want := range map[string]string{"443": reached, "22": nothing} {
		r := Run(e, Options{}, packet("10.0.0.4 > 20.0.0.2 tcp/"+port))
		check(t, port, r, ask(r, nic("vm2")), want)
		if want == reached && r.Paths[0].Packet.Src != addr("20.0.0.1") {
			t.Errorf("the far side sees %s", r.Paths[0].Packet.Src)
		}
	}
}

// AZ-OUT-02, AZ-OUT-08, AZ-OUT-07: exceptions of the outbound methods.
func TestOutboundExceptions(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.subnet("net/nat", "10.0.0.0/24").NATGateway = network("natGateways", "ng")
	b.subnet("net/lost", "10.0.1.0/24").NATGateway = network("natGateways", "gone")
	b.subnet("net/vmss", "10.0.2.0/24")
	b.subnet("net/delegated", "10.0.3.0/24", "private").Delegations = []string{"Microsoft.Sql/managedInstances"}
	b.add(&model.NATGateway{Meta: meta(network("natGateways", "ng")), Prefixes: []model.ID{network("publicIPPrefixes", "pp")}})
	b.add(&model.PublicIPPrefix{Meta: meta(network("publicIPPrefixes", "pp")), Prefix: prefixes("20.0.0.0/30")[0]})
	b.add(&model.ScaleSet{Meta: meta(paasID("Microsoft.Compute/virtualMachineScaleSets", "ss")), Orchestration: "Flexible", Profiles: []model.NICProfile{{IPConfigs: []model.IPConfig{{Name: "ip", Subnet: subnetID("net/vmss")}}}}})
	b.nic("vm", "net/nat", "10.0.0.4")
	off := b.nic("off", "net/nat", "10.0.0.5")
	off.DefaultOutbound = model.Off
	e := b.build()
	flex := model.Place{Kind: model.PlaceScaleSet, ID: paasID("Microsoft.Compute/virtualMachineScaleSets", "ss"), Part: "ip"}
	for _, test := range []struct {
		p    Packet
		want string
	}{
		{packet("10.0.0.4 > 203.0.113.9 tcp/443"), "internet"},
		{packet("10.0.0.4 > 203.0.113.9 icmp"), "dropped"},
		{packet("10.0.1.9 > 203.0.113.9 tcp/443"), "internet"},
		{from(flex, packet("10.0.2.9 > 203.0.113.9 tcp/443")), "dropped"},
		{packet("10.0.3.9 > 203.0.113.9 tcp/443"), "dropped, internet?"},
	} {
		r := Run(e, Options{}, test.p)
		check(t, test.p.String(), r, ends(r), test.want)
	}
}

// AZ-RT-30, AZ-RT-23: on-premises traffic meets the firewall only by routes of GatewaySubnet that are long enough.
func TestFromOnPremises(t *testing.T) {
	for _, test := range []struct {
		name, gatewayRoute, spokeRoute, src string
		fast                                model.Setting
		want                                string
	}{
		{"direct", "", "", "10.9.0.5", model.Off, reached},
		{"supernet does not divert", "10.0.0.0/8 10.0.0.4", "", "10.9.0.5", model.Off, reached},
		{"by the firewall, without rules", "10.1.0.0/16 10.0.0.4", "10.9.0.0/16 10.0.0.4", "10.9.0.5", model.Off, nothing},
		{"only the spoke has a route: the reply goes astray", "", "10.9.0.0/16 10.0.0.4", "10.9.0.5", model.Off, asym},
		{"FastPath may skip the route", "10.1.0.0/16 10.0.0.4", "", "10.9.0.5", model.On, unclear},
		{"outside the prefixes", "", "", "10.77.0.5", model.Off, nothing},
	} {
		b := estate(t)
		hub, spoke := b.vnet("hub", "10.0.0.0/16"), b.vnet("spoke", "10.1.0.0/16")
		x, y := b.peer(hub, spoke)
		x.AllowGatewayTransit, y.UseRemoteGateways = model.On, model.On
		b.routes("gw", test.gatewayRoute)
		b.routes("spoke", test.spokeRoute)
		b.subnet("hub/GatewaySubnet", "10.0.255.0/27", "rt=gw")
		b.subnet("hub/AzureFirewallSubnet", "10.0.0.0/26")
		b.subnet("spoke/s", "10.1.0.0/24", "rt=spoke")
		b.nic("vm", "spoke/s", "10.1.0.4")
		b.firewall("fw", "hub/AzureFirewallSubnet", "10.0.0.4")
		b.vpn("gw", "hub/GatewaySubnet", nil, site{name: "onprem", ranges: []string{"10.9.0.0/16"}})
		e := b.build()
		e.Connections[0].FastPath = test.fast
		r := Run(e, Options{}, from(farSide("gw", "onprem"), packet(test.src+" > 10.1.0.4 tcp/443")))
		check(t, test.name, r, ask(r, nic("vm")), test.want)
		if !hasAssumption(r, "ASM-ONPREM") {
			t.Errorf("%s: ASM-ONPREM is missing: %v", test.name, assumptionsOf(r))
		}
		if test.want == nothing && test.src == "10.77.0.5" { // --strict: over = any source
			r = Run(e, Options{Strict: true}, from(farSide("gw", "onprem"), packet(test.src+" > 10.1.0.4 tcp/443")))
			check(t, test.name+", strict", r, ask(r, nic("vm")), unclear)
		}
	}
}

// AZ-GW-06, AZ-GW-08: routes that are learned by BGP are not in the input; AZ-RT-13: forced tunnelling by a user route.
func TestLearnedRoutes(t *testing.T) {
	build := func(kind model.GatewayKind, udr string) *model.Estate {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.routes("rt", udr)
		b.subnet("net/GatewaySubnet", "10.0.255.0/27")
		b.subnet("net/s", "10.0.0.0/24", "rt=rt")
		b.nic("vm", "net/s", "10.0.0.4")
		b.nic("vm2", "net/s", "10.0.0.5")
		b.vpn("gw", "net/GatewaySubnet", nil, site{name: "onprem", ranges: []string{"10.9.0.0/16"}}).Kind = kind
		return b.build()
	}
	er := build(model.ExpressRouteGateway, "")
	for _, test := range []struct {
		e         *model.Estate
		dst, want string
		why       string
	}{
		{er, "10.0.0.5", "nic vm2 ip", ""},
		{er, "203.0.113.9", "far side gw onprem?, internet?", "ASM-ER"},
		{er, "192.168.7.7", "dropped, far side gw onprem?", "ASM-NONE-BGP"},
		{build(model.VPNGateway, "0.0.0.0/0 VirtualNetworkGateway"), "203.0.113.9", "dropped, far side gw onprem?", "ASM-BEHIND"},
		{build(model.VPNGateway, ""), "10.9.0.5", "far side gw onprem", ""},
		{build(model.ExpressRouteGateway, "198.51.100.0/24 VirtualNetworkGateway"), "198.51.100.9", "dropped, far side gw onprem?", "ASM-ER"},
	} {
		r := Run(test.e, Options{}, packet("10.0.0.4 > "+test.dst+" tcp/443"))
		check(t, test.dst, r, ends(r), test.want)
		if test.why != "" && !hasAssumption(r, test.why) {
			t.Errorf("%s: %s is missing: %v", test.dst, test.why, assumptionsOf(r))
		}
	}
}

// AZ-RT-12: an appliance that sends back to itself.
func TestLoop(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.routes("rt", "0.0.0.0/0 10.0.0.9")
	b.subnet("net/s", "10.0.0.0/24", "rt=rt")
	b.nic("vm", "net/s", "10.0.0.4")
	b.nic("nva", "net/s", "10.0.0.9", "forward")
	r := Run(b.build(), Options{}, packet("10.0.0.4 > 203.0.113.9 tcp/443"))
	check(t, "loop", r, ends(r), "dropped, lost")
}

// AZ-FW-03, AZ-FW-01, AZ-FW-14, AZ-FW-51: firewalls whose rules are not all there, or not all in force.
func TestFirewallGaps(t *testing.T) {
	run := func(change func(x *edge)) *Result {
		x := edgeEstate(t)
		change(x)
		return Run(x.build(), Options{}, named("api.contoso.com", packet("10.1.1.5 > 203.0.113.9 tcp/443")))
	}
	for _, test := range []struct {
		name   string
		change func(x *edge)
		want   string
		why    string
	}{
		{"policy missing", func(x *edge) { x.fw.Policy = network("firewallPolicies", "gone") }, unclear, "ASM-E-FWPOLICY"},
		{"group missing", func(x *edge) {
			p := x.policy("p", group("g", 100, collection("n", model.NetworkRules, 100, model.Allow, netRule("n", "* -> * * *"))))
			p.GroupRefs = []model.ID{p.ID + "/ruleCollectionGroups/gone"}
			x.fw.Policy = p.ID
		}, unclear, "ASM-E-FWPOLICY"},
		{"IP group missing", func(x *edge) {
			x.fw.Collections = []model.RuleCollection{collection("n", model.NetworkRules, 100, model.Allow, netRule("n", "group:gone -> * tcp 443"))}
		}, unclear, "ASM-E-FWPOLICY"},
		{"IP group missing, other port", func(x *edge) {
			x.fw.Collections = []model.RuleCollection{collection("n", model.NetworkRules, 100, model.Allow, netRule("n", "group:gone -> * tcp 22"))}
		}, nothing, ""},
		{"classic rules beside a policy", func(x *edge) {
			x.fw.Policy = x.policy("p").ID
			x.fw.Collections = []model.RuleCollection{collection("n", model.NetworkRules, 100, model.Allow, netRule("n", "* -> * * *"))}
		}, unclear, ""},
		{"a collection that was not understood", func(x *edge) {
			c := collection("odd", model.NetworkRules, 100, model.Allow)
			c.Unknown = "FirewallPolicyOddCollection"
			x.fw.Collections = []model.RuleCollection{c}
		}, unclear, ""},
		{"FQDN in a network rule without DNS proxy", func(x *edge) {
			x.fw.Collections = []model.RuleCollection{collection("n", model.NetworkRules, 100, model.Allow, netRule("n", "* -> fqdn:api.contoso.com tcp 443"))}
		}, unclear, "ASM-E-FQDN"},
		{"target URL", func(x *edge) {
			r := appRule("a", "* Https:443 x.example")
			r.FQDNs, r.URLs = nil, []string{"api.contoso.com/v1/*"}
			x.fw.Collections = []model.RuleCollection{collection("a", model.ApplicationRules, 100, model.Allow, r)}
		}, unclear, ""},
		{"web category", func(x *edge) {
			r := appRule("a", "* Https:443 x.example")
			r.FQDNs, r.WebCategories = nil, []string{"News"}
			x.fw.Collections = []model.RuleCollection{collection("a", model.ApplicationRules, 100, model.Allow, r)}
		}, nothing, ""},
		{"name without its port", func(x *edge) {
			x.fw.Collections = []model.RuleCollection{collection("a", model.ApplicationRules, 100, model.Allow, appRule("a", "* Https:8443 *"))}
		}, nothing, ""},
	} {
		r := run(test.change)
		check(t, test.name, r, ask(r, internet()), test.want)
		if test.why != "" && !hasAssumption(r, test.why) {
			t.Errorf("%s: %s is missing: %v", test.name, test.why, assumptionsOf(r))
		}
	}
	// AZ-FW-14: NAT rules of a parent may not be inherited.
	x := edgeEstate(t)
	nat := netRule("n", "* -> 20.0.0.4 tcp 443")
	nat.ToAddress = addr("10.1.1.5")
	parent, child := x.policy("parent", group("g", 100, collection("nat", model.DNATRules, 100, model.Allow, nat))), x.policy("child")
	child.Base, x.fw.Policy = parent.ID, child.ID
	r := Run(x.build(), Options{}, packet("198.51.100.7 > 20.0.0.4 tcp/443"))
	check(t, "inherited NAT", r, ask(r, nic("vm")), unclear)
	if !hasAssumption(r, "ASM-E-NATINHERIT") {
		t.Errorf("ASM-E-NATINHERIT is missing: %v", assumptionsOf(r))
	}
}

// AZ-FW-40, AZ-FW-28: one of several public addresses; ICMP to the internet has no translation.
func TestFirewallOutbound(t *testing.T) {
	x := edgeEstate(t)
	x.pip("pfw2", "20.0.0.5")
	x.fw.PublicIPs = append(x.fw.PublicIPs, pipID("pfw2"))
	x.fw.Collections = []model.RuleCollection{collection("n", model.NetworkRules, 100, model.Allow, netRule("n", "* -> * * *"))}
	e := x.build()
	r := Run(e, Options{}, packet("10.1.1.5 > 203.0.113.9 tcp/443"))
	var seen []string
	for _, p := range r.Paths {
		if p.End == Delivered && p.Session {
			seen = append(seen, p.Packet.Src.String())
		}
	}
	if !slices.Equal(seen, []string{"20.0.0.4", "20.0.0.5"}) {
		t.Errorf("leaves as %v, want both addresses", seen)
	}
	r = Run(e, Options{}, packet("10.1.1.5 > 203.0.113.9 icmp"))
	check(t, "ping to the internet", r, ask(r, internet()), unclear)
}

// AZ-DNS-01, AZ-DNS-02, AZ-DNS-04: answers by context.
func TestNames(t *testing.T) {
	build := func(records []model.DNSRecord, resolution string, group bool) (*world, *model.VNet, *model.Service) {
		b := estate(t)
		v := b.vnet("net", "10.0.0.0/16")
		b.subnet("net/pe", "10.0.1.0/24")
		kv := b.service(model.KeyVault, "Microsoft.KeyVault/vaults", "kv", "kv.vault.azure.net")
		pe := b.endpoint("pe", "net/pe", "10.0.1.4", kv.ID)
		z := &model.DNSZone{Meta: meta(network("privateDnsZones", "z")), Private: true, Zone: "privatelink.vaultcore.azure.net", Links: []model.ZoneLink{{VNet: v.ID, Resolution: resolution}}, Records: records}
		if group {
			pe.Zones = []model.ID{z.ID}
		}
		b.add(z)
		return newWorld(b.build(), Options{}), v, kv
	}
	for _, test := range []struct {
		name       string
		records    []model.DNSRecord
		resolution string
		group      bool
		want       string
	}{
		{"record", []model.DNSRecord{{Name: "kv", Addresses: []netip.Addr{addr("10.0.1.4")}}}, "", false, "10.0.1.4"},
		{"zone group", nil, "", true, "10.0.1.4"},
		{"no record", nil, "", false, "none"},
		{"no record, fallback", nil, "NxDomainRedirect", false, "door"},
	} {
		w, v, kv := build(test.records, test.resolution, test.group)
		door, _ := w.symbols.Of(model.ServiceDoor, kv.ID, "")
		var got []string
		for _, a := range w.resolve(w.resolverOf(v), "KV.vault.azure.net") {
			switch {
			case !a.addr.at.IsValid():
				got = append(got, "none")
			case a.addr.at == door:
				got = append(got, "door")
			default:
				got = append(got, a.addr.at.String())
			}
			if !a.match.must {
				got = append(got, "?")
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: got %v, want %s", test.name, got, test.want)
		}
	}
	w, v, _ := build(nil, "", false)
	if got := w.resolve(w.resolverOf(v), "other.vault.azure.net"); len(got) != 2 || got[0].match.must {
		t.Errorf("another owner's account: got %v, want two possible answers", got)
	}
	v.DNSServers = []netip.Addr{addr("10.9.9.9")}
	if got := w.resolve(w.resolverOf(v), "kv.vault.azure.net"); len(got) != 2 || !slices.Contains(got[0].match.why, "ASM-E-DNSCUSTOM") {
		t.Errorf("unknown servers: got %v, want the door or the endpoint", got)
	}
}

// AZ-AGW-04, AZ-AGW-05: backends by name; AZ-AGW-08: probes; AZ-REL-01: the gateway's own address.
func TestGatewayForwards(t *testing.T) {
	x, g := gatewayEstate(t, "Standard_v2", nil)
	kv := x.service(model.KeyVault, "Microsoft.KeyVault/vaults", "kv", "kv.vault.azure.net")
	kv.IPRules, kv.HasACLs = []model.IPRule{{Prefixes: prefixes("20.0.0.7/32")}}, true
	g.Pools[0].FQDNs = []string{"kv.vault.azure.net", "api.contoso.com"}
	g.Settings[0].Probe = g.ID + "/probe"
	g.Probes = []model.AGWProbe{{ID: g.ID + "/probe", Port: 8081}}
	e := x.build()
	owner, _ := e.Symbols().Of(model.NamedHost, "", "")
	for _, test := range []struct {
		name string
		p    Packet
		want string
	}{
		{"account", toDoor(e, kv, "10.1.5.4"), "service kv"},
		{"host of a name", Packet{Src: addr("10.1.5.4"), Dst: owner, Protocol: model.TCP, DPort: 443, Name: "api.contoso.com"}, "internet"},
		{"host of another name", Packet{Src: addr("10.1.5.4"), Dst: owner, Protocol: model.TCP, DPort: 443, Name: "evil.example"}, "dropped"},
		{"an address that may be the host's", packet("10.1.5.4 > 198.51.100.80 tcp/443"), "internet?"},
		{"probe", packet("10.1.5.4 > 10.1.1.5 tcp/8081"), "nic vm ip"},
		{"foreign source", packet("10.1.1.4 > 10.1.1.5 tcp/443"), "dropped"},
		{"udp", packet("10.1.5.4 > 10.1.1.5 udp/443"), "dropped"},
	} {
		r := Run(e, Options{}, from(agw(), test.p))
		check(t, test.name, r, ends(r), test.want)
	}
	g.Rules[0].Redirect = "/redirect" // a redirect forwards nothing
	r := Run(e, Options{}, from(agw(), packet("10.1.5.4 > 10.1.1.5 tcp/443")))
	check(t, "redirect", r, ends(r), "dropped")
}

// AZ-AGW-34: order and actions of custom rules.
func TestWAFRules(t *testing.T) {
	on := func(action string, negate bool, ranges ...string) model.WAFRule {
		return model.WAFRule{Name: action, Action: action, Enabled: model.On, Conditions: []model.WAFCondition{{Variables: []string{"RemoteAddr"}, Operator: "IPMatch", Negate: negate, Prefixes: prefixes(ranges...)}}}
	}
	header := model.WAFRule{Name: "header", Action: "Block", Enabled: model.On, Conditions: []model.WAFCondition{{Variables: []string{"RequestHeaders:X-Azure-FDID"}, Operator: "Equal", Negate: true}}}
	geo := model.WAFRule{Name: "geo", Action: "Block", Enabled: model.On, Conditions: []model.WAFCondition{{Variables: []string{"RemoteAddr"}, Operator: "GeoMatch", Values: []string{"ZZ"}}}}
	for _, test := range []struct {
		name  string
		rules []model.WAFRule
		want  string
	}{
		{"log goes on", []model.WAFRule{on("Log", false, "0.0.0.0/0"), on("Block", false, "203.0.113.0/24")}, nothing},
		{"allow ends", []model.WAFRule{on("Allow", false, "203.0.113.0/24"), on("Block", false, "0.0.0.0/0")}, reached},
		{"another variable is the client's to choose", []model.WAFRule{header}, reached},
		{"geography is not decided", []model.WAFRule{geo}, unclear},
		{"a rule that is off", []model.WAFRule{{Name: "off", Action: "Block", Enabled: model.Off, Conditions: on("Block", false, "0.0.0.0/0").Conditions}}, reached},
	} {
		for i := range test.rules {
			test.rules[i].Priority = i
		}
		x, _ := gatewayEstate(t, "WAF_v2", &model.WAFPolicy{Enabled: model.On, Mode: "Prevention", Custom: test.rules})
		r := Run(x.build(), Options{}, packet("203.0.113.1 > 20.0.0.7 tcp/443"))
		check(t, test.name, r, ask(r, agw()), test.want)
	}
}

// AZ-BAS-03, AZ-BAS-04: what a Bastion opens.
func TestBastionOpens(t *testing.T) {
	for _, test := range []struct {
		sku        string
		tunnel, ip model.Setting
		packet     string
		want       string
	}{
		{"Basic", model.Off, model.Off, "10.0.1.5 > 10.0.0.4 tcp/3389", reached},
		{"Basic", model.NotStated, model.NotStated, "10.0.1.5 > 10.0.0.4 tcp/5985", nothing},
		{"Standard", model.On, model.Off, "10.0.1.5 > 10.0.0.4 tcp/5985", reached},
		{"Standard", model.NotStated, model.NotStated, "10.0.1.5 > 10.0.0.4 tcp/5985", unclear},
		{"", model.NotStated, model.NotStated, "10.0.1.5 > 10.0.0.4 tcp/22", reached},
		{"Standard", model.On, model.On, "10.0.0.77 > 10.0.0.4 tcp/22", nothing},
		{"Standard", model.On, model.On, "10.0.1.5 > 10.0.0.4 udp/22", nothing},
	} {
		e := bastionEstate(t)
		e.Bastions[0].SKU, e.Bastions[0].Tunneling, e.Bastions[0].IPConnect = test.sku, test.tunnel, test.ip
		r := Run(e, Options{}, from(bastion(), packet(test.packet)))
		check(t, fmt.Sprintf("%+v", test), r, ask(r, nic("vm")), test.want)
		if test.want == unclear && !hasAssumption(r, "ASM-BASTION") {
			t.Errorf("ASM-BASTION is missing: %v", assumptionsOf(r))
		}
	}
}

// AZ-ACR-01, AZ-COSMOS-01, AZ-NSP-04, AZ-PG-01, AZ-SQL-01: doors of several types.
func TestDoors(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(s *model.Service)
		want   string
	}{
		{"registry Basic", func(s *model.Service) { s.Kind, s.Tier, s.HasACLs = model.ContainerRegistry, "Basic", true }, reached},
		{"registry Premium", func(s *model.Service) { s.Kind, s.Tier, s.HasACLs = model.ContainerRegistry, "Premium", true }, nothing},
		{"Cosmos, open", func(s *model.Service) { s.Kind = model.CosmosDB }, reached},
		{"Cosmos, filter", func(s *model.Service) { s.Kind, s.VNetFilter = model.CosmosDB, model.On }, nothing},
		{"storage without a block", func(s *model.Service) { s.Kind = model.StorageAccount }, reached},
		{"SQL without rules", func(s *model.Service) { s.Kind = model.SQLServer }, nothing},
		{"perimeter", func(s *model.Service) { s.Kind, s.Public = model.KeyVault, "SecuredByPerimeter" }, unclear},
		{"injected", func(s *model.Service) { s.Kind, s.Injected = model.PostgreSQL, subnetID("net/pg") }, nothing},
		{"another type", func(s *model.Service) { s.Kind = model.OtherService }, unclear},
		{"address rule", func(s *model.Service) {
			s.Kind, s.HasACLs, s.IPRules = model.KeyVault, true, []model.IPRule{{Name: "one", Prefixes: prefixes("203.0.113.0/24")}}
		}, reached},
	} {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.subnet("net/pg", "10.0.0.0/24")
		s := b.service(model.OtherService, "Microsoft.X/things", "s")
		test.change(s)
		e := b.build()
		r := Run(e, Options{}, toDoor(e, s, "203.0.113.1"))
		check(t, test.name, r, ask(r, servicePlace(s)), test.want)
	}
}

// AZ-SE-03: the regions that a storage endpoint covers.
func TestStorageEndpointRegions(t *testing.T) {
	for _, test := range []struct{ service, location, want string }{
		{"Microsoft.Storage", "westeurope", "VirtualNetworkServiceEndpoint"},
		{"Microsoft.Storage", "West Europe", "VirtualNetworkServiceEndpoint"},
		{"Microsoft.Storage", "eastasia", "[Internet VirtualNetworkServiceEndpoint]"}, // it may be the pair
		{"Microsoft.Storage", "", "[Internet VirtualNetworkServiceEndpoint]"},
		{"Microsoft.Storage.Global", "eastasia", "VirtualNetworkServiceEndpoint"},
		{"Microsoft.KeyVault", "westeurope", "Internet"},
	} {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.subnet("net/s", "10.0.0.0/24", "se="+test.service)
		b.nic("vm", "net/s", "10.0.0.4")
		st := b.service(model.StorageAccount, "Microsoft.Storage/storageAccounts", "st")
		st.Location = test.location
		e := b.build()
		r := Run(e, Options{}, toDoor(e, st, "10.0.0.4"))
		check(t, test.service+" "+test.location, r, nextHop(r), test.want)
	}
}

// AZ-RT-21, ASM-SE-UDR: a longer user route may or may not beat a service endpoint; the default route never does.
func TestServiceEndpointAgainstUserRoute(t *testing.T) {
	for udr, want := range map[string]string{
		"0.0.0.0/0 10.0.9.4":    "VirtualNetworkServiceEndpoint",
		"Storage 10.0.9.4":      "[VirtualAppliance 10.0.9.4 VirtualNetworkServiceEndpoint]",
		"20.60.0.0/16 10.0.9.4": "[VirtualAppliance 10.0.9.4 VirtualNetworkServiceEndpoint]",
		"20.60.0.0/16 Internet": "VirtualNetworkServiceEndpoint",
	} {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.routes("rt", udr)
		b.subnet("net/s", "10.0.0.0/24", "se=Microsoft.Storage.Global", "rt=rt")
		b.nic("vm", "net/s", "10.0.0.4")
		r := Run(b.build(), Options{}, tagged(packet("10.0.0.4 > 20.60.0.9 tcp/443"), "Storage"))
		check(t, udr, r, nextHop(r), want)
		if strings.HasPrefix(want, "[") && !hasAssumption(r, "ASM-SE-UDR") {
			t.Errorf("%s: ASM-SE-UDR is missing: %v", udr, assumptionsOf(r))
		}
	}
}

// AZ-PE-05, AZ-PE-06: routes over an endpoint that are not decided.
func TestEndpointRoutes(t *testing.T) {
	for _, test := range []struct{ policy, udr, want, why string }{
		{"Disabled", "10.1.0.10/32 10.1.9.4", unclear, "ASM-PE32"},
		{"not stated", "10.1.0.0/16 10.1.9.4", unclear, "ASM-PE32"},
		{"Enabled", "10.1.0.0/24 VnetLocal", unclear, "ASM-PE-VNETLOCAL"},
	} {
		b := estate(t)
		b.vnet("net", "10.1.0.0/16")
		b.routes("rt", test.udr)
		b.subnet("net/pe", "10.1.0.0/24", "pe="+test.policy)
		b.subnet("net/client", "10.1.5.0/24", "rt=rt")
		b.subnet("net/AzureFirewallSubnet", "10.1.9.0/26")
		b.firewall("fw", "net/AzureFirewallSubnet", "10.1.9.4")
		b.endpoint("pe", "net/pe", "10.1.0.10", "")
		b.nic("vm", "net/client", "10.1.5.4")
		r := Run(b.build(), Options{}, packet("10.1.5.4 > 10.1.0.10 tcp/443"))
		check(t, test.policy+" "+test.udr, r, ask(r, endpoint("pe")), test.want)
		if !hasAssumption(r, test.why) {
			t.Errorf("%s is missing: %v", test.why, assumptionsOf(r))
		}
	}
}

// AZ-ASG-04: a Deny from a group at a NIC that is no member.
func TestGroupDeny(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("nsg", "100 Deny In * asg:x -> * *")
	b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
	b.add(&model.ASG{Meta: meta(asgID("x"))})
	b.nic("m1", "net/s", "10.0.0.4", "asg=x")
	b.nic("m2", "net/s", "10.0.0.5", "asg=x")
	b.nic("other", "net/s", "10.0.0.6")
	e := b.build()
	for dst, want := range map[string]string{"10.0.0.5": nothing, "10.0.0.6": unclear} {
		r := Run(e, Options{}, packet("10.0.0.4 > "+dst+" tcp/443"))
		at := map[string]model.Place{"10.0.0.5": nic("m2"), "10.0.0.6": nic("other")}[dst]
		check(t, dst, r, ask(r, at), want)
		if want == unclear && !hasAssumption(r, "ASM-ASG") {
			t.Errorf("ASM-ASG is missing: %v", assumptionsOf(r))
		}
	}
	r := Run(e, Options{}, packet("10.0.0.6 > 10.0.0.5 tcp/443"))
	check(t, "from no member", r, ask(r, nic("m2")), reached)
}

// AZ-TAG-09: tags without a list are Booleans of the packet, with a list they are prefixes.
func TestServiceTags(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("nsg", "100 Allow Out tcp * -> Storage 443", "110 Deny Out * * -> Internet *")
	b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
	b.nic("vm", "net/s", "10.0.0.4")
	st := b.service(model.StorageAccount, "Microsoft.Storage/storageAccounts", "st")
	e := b.build()
	list := &model.ServiceTags{Tags: []model.ServiceTag{{Name: "Storage", Prefixes: prefixes("20.60.0.0/16")}}}
	for _, test := range []struct {
		o    Options
		p    Packet
		want string
	}{
		{Options{}, packet("10.0.0.4 > 20.60.0.9 tcp/443"), "dropped"},
		{Options{}, tagged(packet("10.0.0.4 > 20.60.0.9 tcp/443"), "Storage"), "internet"},
		{Options{}, tagged(packet("10.0.0.4 > 20.60.0.9 tcp/443"), "Storage.northeurope"), "internet"},
		{Options{Tags: list}, packet("10.0.0.4 > 20.60.0.9 tcp/443"), "internet"},
		{Options{Tags: list}, tagged(packet("10.0.0.4 > 20.61.0.9 tcp/443"), "Storage"), "dropped"},
		{Options{}, toDoor(e, st, "10.0.0.4"), "service st"}, // AZ-SE-03
	} {
		r := Run(e, test.o, test.p)
		check(t, fmt.Sprintf("%v %v list %v", test.p, test.p.Tags, test.o.Tags != nil), r, ends(r), test.want)
	}
	if r := Run(e, Options{}, tagged(packet("10.0.0.4 > 20.60.0.9 tcp/443"), "Storage")); !hasAssumption(r, "ASM-TAG(Storage)") {
		t.Errorf("ASM-TAG(Storage) is missing: %v", assumptionsOf(r))
	}
}

// AZ-TAG-06, ASM-INTERNET-0: whether Internet shrinks when VirtualNetwork grows.
func TestShrinkingInternet(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("nsg", "100 Deny Out * * -> Internet *")
	b.routes("rt", "0.0.0.0/0 10.0.9.4")
	b.subnet("net/s", "10.0.0.0/24", "nsg=nsg", "rt=rt")
	b.subnet("net/AzureFirewallSubnet", "10.0.9.0/26")
	b.firewall("fw", "net/AzureFirewallSubnet", "10.0.9.4").Collections = []model.RuleCollection{collection("n", model.NetworkRules, 100, model.Allow, netRule("n", "* -> * * *"))}
	b.nic("vm", "net/s", "10.0.0.4")
	r := Run(b.build(), Options{}, packet("10.0.0.4 > 203.0.113.9 tcp/443"))
	check(t, "Deny Internet under a user default route", r, ask(r, internet()), unclear)
	if !hasAssumption(r, "ASM-INTERNET-0") {
		t.Errorf("ASM-INTERNET-0 is missing: %v", assumptionsOf(r))
	}
}

// AZ-TAG-03, ASM-TAGTABLES: tables of other subnets feed the tag only with --strict.
func TestOtherTables(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("nsg")
	b.routes("rt", "10.7.0.0/16 10.0.9.4")
	b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
	b.subnet("net/other", "10.0.1.0/24", "rt=rt")
	b.subnet("net/GatewaySubnet", "10.0.255.0/27")
	b.nic("vm", "net/s", "10.0.0.4")
	w := newWorld(b.build(), Options{})
	for strict, want := range map[bool]string{false: nothing, true: unclear} {
		tr := &tracer{world: newWorld(w.e, Options{Strict: strict})}
		h := tr.nicHosts(func(*model.NIC, *model.IPConfig) bool { return true })[0]
		v := tr.subnetVerdict(h, flow{src: tr.address(addr("10.7.0.4")), dst: tr.address(addr("10.0.0.4")), protocol: model.TCP, dport: 443}, model.Inbound)
		got := nothing
		if v.allow.is {
			got = unclear
		}
		if got != want || !slices.Contains(v.why, "ASM-TAGTABLES") {
			t.Errorf("strict %v: got %+v, want %s with ASM-TAGTABLES", strict, v, want)
		}
	}
}

// AZ-AVNM-03: with --strict unseen admin rules may open and close.
func TestAdminRulesStrict(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("nsg", "100 Deny In tcp * -> * 22")
	b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
	b.nic("vm1", "net/s", "10.0.0.4")
	b.nic("vm2", "net/s", "10.0.0.5")
	e := b.build()
	for port, want := range map[string][2]string{"22": {nothing, unclear}, "443": {reached, unclear}} {
		for i, strict := range []bool{false, true} {
			r := Run(e, Options{Strict: strict}, packet("10.0.0.4 > 10.0.0.5 tcp/"+port))
			check(t, fmt.Sprintf("%s strict %v", port, strict), r, ask(r, nic("vm2")), want[i])
			if !hasAssumption(r, "ASM-AVNM") {
				t.Errorf("ASM-AVNM is missing: %v", assumptionsOf(r))
			}
		}
	}
}

// Addresses that the input does not state: a rule takes a symbol for certain when it holds all that it may be (K8S-NP-13).
func TestSymbols(t *testing.T) {
	for _, test := range []struct{ rule, want string }{
		{"100 Deny In * * -> 10.0.1.0/24 *", nothing},
		{"100 Deny In * * -> 10.0.1.0/25 *", unclear},
		{"100 Deny In * * -> 10.0.2.0/24 *", reached},
		{"100 Deny In * * -> 10.0.1.4 *", reached}, // another machine holds it
	} {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.nsg("nsg", test.rule)
		b.subnet("net/a", "10.0.0.0/24")
		b.subnet("net/b", "10.0.1.0/24", "nsg=nsg")
		b.nic("vm1", "net/a", "10.0.0.4")
		b.nic("held", "net/b", "10.0.1.4")
		b.nic("vm2", "net/b", "")
		e := b.build()
		p := packet("10.0.0.4 > 10.0.1.4 tcp/443")
		p.Dst, _ = e.Symbols().Of(model.ConfigAddress, nicID("vm2"), "ip")
		r := Run(e, Options{}, p)
		check(t, test.rule, r, ask(r, nic("vm2")), test.want)
	}
}

// AZ-RT-10, AZ-GEN-05: foreign sources, and traffic that stays on one NIC.
func TestSenders(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("nsg", "100 Deny In * * -> * *", "100 Deny Out * * -> * *")
	b.subnet("net/s", "10.0.0.0/24")
	b.subnet("net/shut", "10.0.1.0/24", "nsg=nsg")
	b.nic("vm", "net/s", "10.0.0.4")
	b.nic("router", "net/s", "10.0.0.5", "forward")
	two := b.nic("two", "net/shut", "10.0.1.4")
	two.IPConfigs = append(two.IPConfigs, model.IPConfig{Name: "second", Subnet: subnetID("net/shut"), Address: addr("10.0.1.5")})
	e := b.build()
	for _, test := range []struct {
		from   model.Place
		packet string
		want   string
	}{
		{nic("vm"), "10.9.9.9 > 10.0.0.5 tcp/443", "dropped"},
		{nic("router"), "10.9.9.9 > 10.0.0.4 tcp/443", "nic vm ip"},
		{nic("two"), "10.0.1.4 > 10.0.1.5 tcp/443", "nic two second"},
		{nic("gone"), "10.0.0.4 > 10.0.0.5 tcp/443", "dropped"},
		{endpoint("pe"), "10.0.0.4 > 10.0.0.5 tcp/443", "dropped"},
		{model.Place{Kind: model.PlaceSubnet, ID: subnetID("net/s")}, "10.0.0.99 > 10.0.0.5 tcp/443", "nic router ip"},
		{model.Place{Kind: model.PlaceSubnet, ID: subnetID("net/s")}, "10.0.1.99 > 10.0.0.5 tcp/443", "dropped"},
		{model.Place{Kind: model.PlaceFirewall, ID: fwID("fw")}, "10.0.0.4 > 10.0.0.5 tcp/443", "dropped"},
	} {
		r := Run(e, Options{}, from(test.from, packet(test.packet)))
		check(t, test.packet, r, ends(r), test.want)
	}
}

// AZ-PEER-06, AZ-PEER-07: outside networks know a spoke only if it uses the hub's gateway.
func TestReplyFromOnPremises(t *testing.T) {
	for _, test := range []struct {
		transit model.Setting
		want    string
	}{{model.On, reached}, {model.Off, asym}} {
		b := estate(t)
		hub, spoke := b.vnet("hub", "10.0.0.0/16"), b.vnet("spoke", "10.1.0.0/16")
		x, y := b.peer(hub, spoke)
		x.AllowGatewayTransit, y.UseRemoteGateways = test.transit, test.transit
		b.routes("spoke", "10.9.0.0/16 10.0.0.4")
		b.routes("gw", "10.1.0.0/16 10.0.0.4")
		b.subnet("hub/GatewaySubnet", "10.0.255.0/27", "rt=gw")
		b.subnet("hub/AzureFirewallSubnet", "10.0.0.0/26")
		b.subnet("spoke/s", "10.1.0.0/24", "rt=spoke")
		b.nic("vm", "spoke/s", "10.1.0.4")
		b.firewall("fw", "hub/AzureFirewallSubnet", "10.0.0.4").Collections = []model.RuleCollection{collection("n", model.NetworkRules, 100, model.Allow, netRule("n", "* -> * * *"))}
		b.vpn("gw", "hub/GatewaySubnet", nil, site{name: "onprem", ranges: []string{"10.9.0.0/16"}})
		r := Run(b.build(), Options{}, packet("10.1.0.4 > 10.9.0.5 tcp/443"))
		check(t, fmt.Sprintf("transit %v", test.transit), r, ask(r, farSide("gw", "onprem")), test.want)
	}
}
