package solver

import (
	"slices"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/trace"
)

// Rules of docs/semantics/azure-network.md that no worked example shows, from Azure's JSON on: importer, solver and interpreter. Each test is
// named after its rule.

// AZ-NSG-08: several service tags or groups in one rule are a union.
func TestAZNSG08(t *testing.T) {
	rows := []exampleRow{
		{from: "nic:web", to: "nic:db", service: "tcp/1433", want: "reachable: db/securityRules/110"},
		{from: "nic:app", to: "nic:db", service: "tcp/1433", want: "reachable: db/securityRules/110"},
		{from: "nic:other", to: "nic:db", service: "tcp/1433", want: "unreachable: db/securityRules/200"},
		{from: "internet", to: "nic:db", service: "tcp/443", dial: "ip:20.0.0.1", want: "reachable: db/securityRules/120"},
		{from: "nic:other", to: "nic:db", service: "tcp/443", want: "reachable: db/securityRules/120"},
	}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24"), az.Subnet("db", "10.0.1.0/24", "nsg=db")), az.ASG("web"), az.ASG("app"), az.ASG("db"),
		az.NSG("db", "110 Allow In tcp asg:web,asg:app -> asg:db 1433", "120 Allow In tcp Internet,VirtualNetwork -> * 443", "200 Deny In * * -> * *"),
		az.NIC("web", "net/s", "10.0.0.4", "asg=web"), az.NIC("app", "net/s", "10.0.0.5", "asg=app"), az.NIC("other", "net/s", "10.0.0.6"),
		az.NIC("db", "net/db", "10.0.1.4", "asg=db", "pip=p"), az.PublicIP("p", "20.0.0.1"),
	}, rows), rows)
}

// AZ-NSG-13: neighbours in one subnet meet its NSG twice; each side alone can part them.
func TestAZNSG13(t *testing.T) {
	for _, test := range []struct{ rule, want string }{
		{"", "reachable: nsg/defaultSecurityRules/AllowVnetOutBound, nsg/defaultSecurityRules/AllowVnetInBound"},
		{"100 Deny In * 10.0.0.0/24 -> * *", "unreachable: nsg/defaultSecurityRules/AllowVnetOutBound, nsg/securityRules/100"},
		{"100 Deny Out * * -> 10.0.0.0/24 *", "unreachable: nsg/securityRules/100"},
	} {
		rows := []exampleRow{{from: "nic:a", to: "nic:b", service: "tcp/22", want: test.want}}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg")), az.NSG("nsg", test.rule), az.NIC("a", "net/s", "10.0.0.4"), az.NIC("b", "net/s", "10.0.0.5"),
		}, rows), rows)
	}
}

// AZ-NSG-19: that a subscription may block tcp/25 is no control: the way out stays open.
func TestAZNSG19(t *testing.T) {
	rows := []exampleRow{{from: "nic:vm", to: "internet", service: "tcp/25", dial: "ip:203.0.113.9", want: "reachable: nsg/defaultSecurityRules/AllowInternetOutBound"}}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg")), az.NSG("nsg"), az.NIC("vm", "net/s", "10.0.0.4", "pip=p"), az.PublicIP("p", "20.0.0.1"),
	}, rows), rows)
}

// AZ-ASG-03: a rule for a group acts at its members alone, although the NSG hangs on the whole subnet.
func TestAZASG03(t *testing.T) {
	rows := []exampleRow{
		{from: "internet", to: "nic:member", service: "tcp/443", dial: "ip:20.0.0.1", want: "reachable: nsg/securityRules/100"},
		{from: "internet", to: "nic:other", service: "tcp/443", dial: "ip:20.0.0.2", want: "unreachable: nsg/defaultSecurityRules/DenyAllInBound"},
		{from: "nic:far", to: "nic:member", service: "tcp/22", want: "unreachable: nsg/securityRules/110"},
		{from: "nic:far", to: "nic:other", service: "tcp/22", want: "reachable: nsg/defaultSecurityRules/AllowVnetInBound"},
	}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg"), az.Subnet("t", "10.0.1.0/24")), az.ASG("web"),
		az.NSG("nsg", "100 Allow In tcp Internet -> asg:web 443", "110 Deny In tcp * -> asg:web 22"),
		az.NIC("member", "net/s", "10.0.0.4", "asg=web", "pip=p1"), az.NIC("other", "net/s", "10.0.0.5", "pip=p2"), az.NIC("far", "net/t", "10.0.1.4"),
		az.PublicIP("p1", "20.0.0.1"), az.PublicIP("p2", "20.0.0.2"),
	}, rows), rows)
}

// AZ-GEN-02: an NSG sees the five-tuple and nothing else: a name changes no verdict.
func TestAZGEN02(t *testing.T) {
	rows := []exampleRow{
		{from: "nic:vm", to: "internet", service: "tcp/443/1024", dial: "ip:203.0.113.9", want: "reachable: nsg/securityRules/100"},
		{from: "nic:vm", to: "internet", service: "tcp/443/80", dial: "ip:203.0.113.9", want: "unreachable: nsg/securityRules/200"},
		{from: "nic:vm", to: "internet", service: "udp/443/1024", dial: "ip:203.0.113.9", want: "unreachable: nsg/securityRules/200"},
	}
	s := written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg")), az.NSG("nsg", "100 Allow Out tcp 10.0.0.4 -> Internet 443/1024-65535", "200 Deny Out * * -> * *"),
		az.NIC("vm", "net/s", "10.0.0.4", "pip=p"), az.PublicIP("p", "20.0.0.1"),
	}, rows)
	hold(t, s, rows)
	r, err := s.Reach(selectors(t, "nic:vm"), selectors(t, "internet"), []model.PortService{portService(t, "tcp/443")}, true)
	if err != nil || r.Verdict != Reachable {
		t.Errorf("got %+v, %v; want reachable", r, err)
	}
	for _, f := range r.Flows {
		for _, p := range f.Packets {
			if !slices.Equal(p.Names, []string{"*"}) {
				t.Errorf("got %+v, want every name", p)
			}
		}
	}
	p := trace.Packet{Src: address("10.0.0.4"), Dst: address("203.0.113.9"), Protocol: model.TCP, SPort: 1024, DPort: 443, Name: "example.com"}
	if res := trace.Run(s.Project.Estate, s.traceOptions(false), p); !res.Paths[0].Session {
		t.Errorf("with a name:\n%s", walked(res))
	}
}

// AZ-LB-06: with floating IP the backend port is the frontend's unless the rule says otherwise.
func TestAZLB06(t *testing.T) {
	for _, test := range []struct{ rule, service, want string }{
		{"rule tcp f:443 -> p:0 floating", "tcp/443", "reachable: nsg/securityRules/100"},
		{"rule tcp f:443 -> p:8443 floating", "tcp/8443", "unreachable: nsg/defaultSecurityRules/DenyAllInBound"},
		{"rule tcp f:443 -> p:8443 floating", "tcp/443", "unreachable"},
	} {
		rows := []exampleRow{{from: "internet", to: "nic:vm", service: test.service, dial: "ip:20.0.0.9", port: "tcp/443", want: test.want}}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg")), az.NSG("nsg", "100 Allow In tcp Internet -> * 443"), az.NIC("vm", "net/s", "10.0.0.4", "pool=lb/p"),
			az.PublicIP("p", "20.0.0.9"), az.LoadBalancer("lb", "frontend f pip=p", test.rule),
		}, rows), rows)
	}
	rows := []exampleRow{{from: "internet", to: "nic:vm", service: "tcp/8443", dial: "ip:20.0.0.9", port: "tcp/443", want: "reachable: nsg/securityRules/100"}}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg")), az.NSG("nsg", "100 Allow In tcp Internet -> * 8443"), az.NIC("vm", "net/s", "10.0.0.4", "pool=lb/p"),
		az.PublicIP("p", "20.0.0.9"), az.LoadBalancer("lb", "frontend f pip=p", "rule tcp f:443 -> p:8443 floating"),
	}, rows), rows)
}

// AZ-OUT-03: an instance's address and a public load balancer let in as before where new flows leave by a NAT gateway.
func TestAZOUT03(t *testing.T) {
	rows := []exampleRow{
		{from: "internet", to: "nic:own", service: "tcp/443", dial: "ip:20.0.0.1", want: "reachable: nsg/securityRules/100"},
		{from: "internet", to: "nic:pooled", service: "tcp/443", dial: "ip:20.0.0.2", want: "reachable: nsg/securityRules/100"},
		{from: "internet", to: "nic:pooled", service: "tcp/443", dial: "ip:20.0.0.3", want: "reachable: nsg/securityRules/100", walk: "unreachable"}, // the NAT gateway's own address
		{from: "nic:own", to: "internet", service: "tcp/443", dial: "ip:203.0.113.9", want: "reachable", hop: "Internet"},
	}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg", "nat=ng", "outbound=false")), az.NSG("nsg", "100 Allow In tcp Internet -> * 443"),
		az.NIC("own", "net/s", "10.0.0.4", "pip=p1"), az.NIC("pooled", "net/s", "10.0.0.5", "pool=lb/p"), az.PublicIP("p1", "20.0.0.1"), az.PublicIP("p2", "20.0.0.2"), az.PublicIP("p3", "20.0.0.3"),
		az.NATGateway("ng", "p3"), az.LoadBalancer("lb", "frontend f pip=p2", "rule tcp f:443 -> p:443"),
	}, rows), rows)
}

// AZ-PEER-03: a peering leads to machines, internal frontends and private endpoints alike; NSGs are the only filter.
func TestAZPEER03(t *testing.T) {
	rows := []exampleRow{
		{from: "nic:vm", to: "nic:open", service: "tcp/22", want: "reachable", hop: "VNetPeering"},
		{from: "nic:vm", to: "nic:shut", service: "tcp/22", want: "unreachable: shut/securityRules/100"},
		{from: "nic:vm", to: "nic:pooled", service: "tcp/443", dial: "ip:10.1.2.9", want: "reachable"},
		{from: "nic:vm", to: "endpoint:pe", service: "tcp/443", want: "reachable", hop: "InterfaceEndpoint"},
	}
	hold(t, written(t, []az.Resource{
		az.VNet("a", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24"), az.Peering("b")), az.NIC("vm", "a/s", "10.0.0.4"),
		az.VNet("b", "10.1.0.0/16", az.Subnet("open", "10.1.0.0/24"), az.Subnet("shut", "10.1.1.0/24", "nsg=shut"), az.Subnet("lb", "10.1.2.0/24"), az.Subnet("pe", "10.1.3.0/24"), az.Peering("a")),
		az.NSG("shut", "100 Deny In * * -> * *"), az.NIC("open", "b/open", "10.1.0.4"), az.NIC("shut", "b/shut", "10.1.1.4"), az.NIC("pooled", "b/lb", "10.1.2.4", "pool=lb/p"),
		az.LoadBalancer("lb", "frontend f b/lb 10.1.2.9", "rule tcp f:443 -> p:443"),
		az.StorageAccount("data"), az.PrivateEndpoint("pe", "b/pe", "10.1.3.4", az.ID("Microsoft.Storage/storageAccounts", "data")),
	}, rows), rows)
}

// AZ-PEER-09: between two VNets with a peering and a VNet-to-VNet connection the peering carries the traffic.
func TestAZPEER09(t *testing.T) {
	rows := []exampleRow{
		{from: "nic:vm1", to: "nic:vm2", service: "tcp/22", want: "reachable", hop: "VNetPeering"},
		{from: "nic:vm2", to: "nic:vm1", service: "tcp/22", want: "reachable", hop: "VNetPeering"},
	}
	hold(t, written(t, []az.Resource{
		az.VNet("one", "10.1.0.0/16", az.Subnet("s", "10.1.0.0/24"), az.Subnet("GatewaySubnet", "10.1.255.0/27"), az.Peering("two")), az.NIC("vm1", "one/s", "10.1.0.4"),
		az.VNet("two", "10.2.0.0/16", az.Subnet("s", "10.2.0.0/24"), az.Subnet("GatewaySubnet", "10.2.255.0/27"), az.Peering("one")), az.NIC("vm2", "two/s", "10.2.0.4"),
		az.VPNGateway("gw1", "one"), az.VPNGateway("gw2", "two"), az.Connection("c12", "gw1", "gateway:gw2"), az.Connection("c21", "gw2", "gateway:gw1"),
	}, rows), rows)
}

// AZ-PEER-11, AZ-RT-24, AZ-RT-25: of equal routes any may take the packet: nothing is certain about overlapping ranges, and nothing proved shut.
// The findings peering-overlap and peers-overlap report them.
func TestAZPEER11(t *testing.T) {
	rows := []exampleRow{
		{from: "nic:vm", to: "nic:own", service: "tcp/443", want: "unknown", hop: "VNetPeering or VnetLocal"},
		{from: "nic:vm", to: "nic:far", service: "tcp/443", want: "unknown", hop: "VNetPeering or VnetLocal"},
	}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24"), az.Subnet("t", "10.0.1.0/24"), az.Peering("twin")), az.NIC("vm", "net/s", "10.0.0.4"), az.NIC("own", "net/t", "10.0.1.5"),
		az.VNet("twin", "10.0.0.0/16", az.Subnet("u", "10.0.1.0/24"), az.Peering("net")), az.NIC("far", "twin/u", "10.0.1.5"),
	}, rows), rows)
}

func TestAZRT25(t *testing.T) {
	rows := []exampleRow{
		{from: "nic:hub", to: "nic:one", service: "tcp/443", want: "unknown", hop: "VNetPeering"},
		{from: "nic:hub", to: "nic:two", service: "tcp/443", want: "unknown", hop: "VNetPeering"},
		{from: "nic:hub", to: "nic:alone", service: "tcp/443", want: "reachable", hop: "VNetPeering"},
	}
	hold(t, written(t, []az.Resource{
		az.VNet("hub", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24"), az.Peering("one"), az.Peering("two")), az.NIC("hub", "hub/s", "10.0.0.4"),
		az.VNet("one", "10.1.0.0/16", az.Subnet("s", "10.1.0.0/24"), az.Peering("hub")), az.NIC("one", "one/s", "10.1.0.4"),
		az.VNet("two", "10.1.0.0/16,10.2.0.0/16", az.Subnet("s", "10.1.0.0/24"), az.Subnet("t", "10.2.0.0/24"), az.Peering("hub")), az.NIC("two", "two/s", "10.1.0.4"), az.NIC("alone", "two/t", "10.2.0.4"),
	}, rows), rows)
}

// AZ-PIP-03: traffic of the VNet to an internal load balancer needs no NSG that opens it; through a public one it does.
func TestAZPIP03(t *testing.T) {
	rows := []exampleRow{
		{from: "nic:vm", to: "nic:pooled", service: "tcp/443", dial: "ip:10.0.1.9", want: "reachable"},
		{from: "internet", to: "nic:pooled", service: "tcp/443", dial: "ip:20.0.0.1", want: "unreachable"},
	}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24"), az.Subnet("t", "10.0.1.0/24")), az.NIC("vm", "net/s", "10.0.0.4"), az.NIC("pooled", "net/t", "10.0.1.4", "pool=in/p", "pool=out/p"),
		az.LoadBalancer("in", "frontend f net/t 10.0.1.9", "rule tcp f:443 -> p:443"), az.PublicIP("out", "20.0.0.1"), az.LoadBalancer("out", "frontend f pip=out", "rule tcp f:443 -> p:443"),
	}, rows), rows)
}

// AZ-PLAT-05: a proof that nothing reaches the internet names the DNS of the platform as what is left, unless it is denied.
func TestAZPLAT05(t *testing.T) {
	for _, test := range []struct {
		rules    []string
		residual bool
	}{
		{[]string{"200 Deny Out * * -> * *"}, true},
		{[]string{"100 Deny Out * * -> AzurePlatformDNS *", "200 Deny Out * * -> * *"}, false},
		{[]string{"100 Deny Out tcp * -> AzurePlatformDNS *", "200 Deny Out * * -> * *"}, true},
	} {
		s := written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg")), az.NSG("nsg", test.rules...), az.NIC("vm", "net/s", "10.0.0.4"),
		}, nil)
		named := func(list []Assumption) bool {
			return slices.ContainsFunc(list, func(a Assumption) bool { return a.ID == "ASM-PLATFORM" })
		}
		r, err := s.Check(model.Assertion{ID: "x", Verb: model.VerbDeny, From: selectors(t, "subnet:net/s"), To: selectors(t, "internet")})
		if err != nil || r.Verdict != Pass || named(r.Assumptions) != test.residual {
			t.Errorf("%v: got %+v, %v; want it to pass, residual %v", test.rules, r, err, test.residual)
		}
		reach, err := s.Reach(selectors(t, "subnet:net/s"), selectors(t, "internet"), nil, true)
		if err != nil || reach.Verdict != Unreachable || named(reach.Assumptions) != test.residual {
			t.Errorf("%v: got %+v, %v; want unreachable, residual %v", test.rules, reach, err, test.residual)
		}
	}
}

// AZ-RT-18: a user route for the VNet's range takes neighbours' traffic too, unless one with hop VnetLocal spares them.
func TestAZRT18(t *testing.T) {
	for _, test := range []struct{ more, want, hop string }{
		{"", "unreachable", "VirtualAppliance 10.0.9.4"},
		{"10.0.0.0/24 VnetLocal", "reachable", "VnetLocal"},
	} {
		rows := []exampleRow{{from: "nic:a", to: "nic:b", service: "tcp/22", want: test.want, hop: test.hop}}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "rt=rt"), az.Subnet("AzureFirewallSubnet", "10.0.9.0/26")), az.RouteTable("rt", "10.0.0.0/16 10.0.9.4", test.more),
			az.Firewall("fw", "net/AzureFirewallSubnet", "10.0.9.4", "fw"), az.PublicIP("fw", "20.0.0.1"), az.NIC("a", "net/s", "10.0.0.4"), az.NIC("b", "net/s", "10.0.0.5"),
		}, rows), rows)
	}
}

// AZ-RT-27: a route for 0.0.0.0/0 takes everything that no longer route has, Azure's public services included unless a service endpoint leads there;
// answers to clients on the internet no longer leave by the instance's own address (AZ-RT-28).
func TestAZRT27(t *testing.T) {
	for _, test := range []struct{ endpoint, want, hop string }{
		{"", "unreachable", "VirtualAppliance 10.0.9.4"},
		{"se=Microsoft.Storage", "reachable", "VirtualNetworkServiceEndpoint"},
	} {
		rows := []exampleRow{
			{from: "nic:vm", to: "service:data", service: "tcp/443", want: test.want, hop: test.hop},
			{from: "nic:vm", to: "ip:203.0.113.9", service: "tcp/443", want: "unreachable", hop: "VirtualAppliance 10.0.9.4"},
			{from: "internet", to: "nic:vm", service: "tcp/443", dial: "ip:20.0.0.2", want: "asymmetric: nsg/securityRules/100"},
		}
		hold(t, writtenWith(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "rt=rt", "nsg=nsg", test.endpoint), az.Subnet("AzureFirewallSubnet", "10.0.9.0/26")), az.RouteTable("rt", "0.0.0.0/0 10.0.9.4"),
			az.NSG("nsg", "100 Allow In tcp * -> * 443"), az.Firewall("fw", "net/AzureFirewallSubnet", "10.0.9.4", "fw"), az.PublicIP("fw", "20.0.0.1"),
			az.NIC("vm", "net/s", "10.0.0.4", "pip=own"), az.PublicIP("own", "20.0.0.2"), az.StorageAccount("data"),
		}, rows, Options{}, storageList()), rows)
	}
}

// AZ-V6-06: reserved prefixes have None routes in IPv4 alone; a unique local address follows ::/0.
func TestAZV606(t *testing.T) {
	for _, test := range []struct{ route, hop4, hop6 string }{
		{"", "None", "Internet"},
		{"::/0 fd00:db8::9", "None", "VirtualAppliance fd00:db8::9"},
		{"0.0.0.0/0 10.0.0.9", "VirtualAppliance 10.0.0.9", "Internet"},
	} {
		rows := []exampleRow{
			{from: "ip:10.0.0.4", to: "ip:192.168.7.7", service: "tcp/443", hop: test.hop4},
			{from: "ip:fd00:db8::4", to: "ip:fd00:9::7", service: "tcp/443", hop: test.hop6},
		}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16,fd00:db8::/48", az.Subnet("s", "10.0.0.0/24,fd00:db8::/64", "rt=rt")), az.RouteTable("rt", test.route),
			az.NIC("vm", "net/s", "10.0.0.4", "v6=fd00:db8::4"), az.NIC("nva", "net/s", "10.0.0.9", "v6=fd00:db8::9", "forward"),
		}, rows), rows)
	}
}

// AZ-V6-07: probes over IPv6 come from a link-local address and work only where an NSG is present that lets them in.
func TestAZV607(t *testing.T) {
	for _, test := range []struct {
		name  string
		nsg   string
		rules []string
		want  string
	}{
		{"the default rule lets the probe in", "nsg=nsg", []string{"100 Allow In tcp Internet -> * 443"}, "reachable: nsg/securityRules/100"},
		{"the tag is denied", "nsg=nsg", []string{"100 Allow In tcp Internet -> * 443", "110 Deny In * AzureLoadBalancer -> * *"}, "unknown"},
		{"the address is denied", "nsg=nsg", []string{"100 Allow In tcp Internet -> * 443", "110 Deny In * fe80::/10 -> * *"}, "unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := []exampleRow{{from: "ip:2001:db8::7", to: "nic:vm", service: "tcp/443", dial: "ip:2001:db8:1::9", want: test.want}}
			hold(t, written(t, []az.Resource{
				az.VNet("net", "10.0.0.0/16,fd00:db8::/48", az.Subnet("s", "10.0.0.0/24,fd00:db8::/64", test.nsg)), az.NSG("nsg", test.rules...),
				az.NIC("vm", "net/s", "10.0.0.4", "v6=fd00:db8::4", "pool6=lb/p"), az.PublicIP("p", "2001:db8:1::9"),
				az.LoadBalancer("lb", "frontend f pip=p", "rule tcp f:443 -> p:443 probe=h", "probe h 443"),
			}, rows), rows)
		})
	}
	// From inside the VNet an internal frontend needs no NSG, but its probe does.
	rows := []exampleRow{{from: "ip:fd00:db8:0:1::4", to: "ip:fd00:db8::9", service: "tcp/443", want: "unknown"}}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16,fd00:db8::/48", az.Subnet("s", "10.0.0.0/24,fd00:db8::/64"), az.Subnet("t", "10.0.1.0/24,fd00:db8:0:1::/64")),
		az.NIC("vm", "net/s", "10.0.0.4", "v6=fd00:db8::4", "pool6=lb/p"), az.NIC("client", "net/t", "10.0.1.4", "v6=fd00:db8:0:1::4"),
		az.LoadBalancer("lb", "frontend f net/s fd00:db8::9", "rule tcp f:443 -> p:443 probe=h", "probe h 443"),
	}, rows), rows)
}
