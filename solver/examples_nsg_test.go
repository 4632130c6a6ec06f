package solver

import (
	"fmt"
	"strings"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
)

// twoNSGs is the estate of EX-01 and EX-02: three subnets, four machines, each with a public address.
func twoNSGs(nsg1, nsg2 string, sku string) []az.Resource {
	return []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("Subnet1", "10.0.1.0/24", "nsg=NSG1"), az.Subnet("Subnet2", "10.0.2.0/24"), az.Subnet("Subnet3", "10.0.3.0/24")),
		az.NSG("NSG1", nsg1), az.NSG("NSG2", nsg2),
		az.NIC("VM1", "net/Subnet1", "10.0.1.4", "nsg=NSG2", "pip=p1"), az.NIC("VM2", "net/Subnet1", "10.0.1.5", "pip=p2"),
		az.NIC("VM3", "net/Subnet2", "10.0.2.4", "nsg=NSG2", "pip=p3"), az.NIC("VM4", "net/Subnet3", "10.0.3.4", "pip=p4"),
		az.PublicIP("p1", "20.0.0.1", sku), az.PublicIP("p2", "20.0.0.2", sku), az.PublicIP("p3", "20.0.0.3", sku), az.PublicIP("p4", "20.0.0.4", sku),
	}
}

// EX-01: NSGs inbound at subnet and NIC.
func TestEX01(t *testing.T) {
	const plus80 = "100 Allow In tcp Internet -> * 80"
	const sub, nic = "unreachable: NSG1/defaultSecurityRules/DenyAllInBound", "unreachable: NSG2/defaultSecurityRules/DenyAllInBound"
	for _, test := range []struct {
		nsg1, nsg2 string
		want       [4]string
	}{
		{"", "", [4]string{sub, sub, nic, "reachable"}},                                     // doc
		{plus80, "", [4]string{nic, "reachable: NSG1/securityRules/100", nic, "reachable"}}, // doc
		{"", plus80, [4]string{sub, sub, "reachable: NSG2/securityRules/100", "reachable"}}, // doc: NSG2 is never read at VM1
		{plus80, plus80, [4]string{"reachable", "reachable", "reachable", "reachable"}},     // doc
	} {
		rows := []exampleRow{
			{from: "internet", to: "nic:VM1", service: "tcp/80", dial: "ip:20.0.0.1", want: test.want[0]},
			{from: "internet", to: "nic:VM2", service: "tcp/80", dial: "ip:20.0.0.2", want: test.want[1]},
			{from: "internet", to: "nic:VM3", service: "tcp/80", dial: "ip:20.0.0.3", want: test.want[2]},
			{from: "internet", to: "nic:VM4", service: "tcp/80", dial: "ip:20.0.0.4", want: test.want[3]},
		}
		hold(t, written(t, twoNSGs(test.nsg1, test.nsg2, "basic"), rows), rows)
	}
	// der: through a Standard public address VM4 is closed, since no NSG opens it (AZ-PIP-02).
	rows := []exampleRow{{from: "internet", to: "nic:VM4", service: "tcp/80", dial: "ip:20.0.0.4", want: "unreachable"}}
	hold(t, written(t, twoNSGs("", "", ""), rows), rows)
	rows[0].want = "unknown: ASM-STDPIP"
	hold(t, writtenWith(t, twoNSGs("", "", ""), rows, Options{Strict: true}, nil), rows)
}

// EX-02: the same estate outbound.
func TestEX02(t *testing.T) {
	const minus80 = "100 Deny Out tcp * -> Internet 80"
	const n1, n2 = "unreachable: NSG1/securityRules/100", "unreachable: NSG2/securityRules/100"
	for _, test := range []struct {
		nsg1, nsg2 string
		want       [4]string
	}{
		{"", "", [4]string{"reachable: NSG2/defaultSecurityRules/AllowInternetOutBound, NSG1/defaultSecurityRules/AllowInternetOutBound", "reachable", "reachable", "reachable"}}, // doc
		{"", minus80, [4]string{n2, "reachable", n2, "reachable"}}, // doc: NSG1 is never read at VM1
		{minus80, "", [4]string{n1, n1, "reachable", "reachable"}}, // doc
		{minus80, minus80, [4]string{n2, n1, n2, "reachable"}},     // doc
	} {
		rows := []exampleRow{
			{from: "nic:VM1", to: "internet", service: "tcp/80", dial: "ip:13.107.21.200", want: test.want[0]},
			{from: "nic:VM2", to: "internet", service: "tcp/80", dial: "ip:13.107.21.200", want: test.want[1]},
			{from: "nic:VM3", to: "internet", service: "tcp/80", dial: "ip:13.107.21.200", want: test.want[2]},
			{from: "nic:VM4", to: "internet", service: "tcp/80", dial: "ip:13.107.21.200", want: test.want[3]},
		}
		hold(t, written(t, twoNSGs(test.nsg1, test.nsg2, ""), rows), rows)
	}
}

// EX-03: neighbours in one subnet meet its NSG on both sides (AZ-NSG-13).
func TestEX03(t *testing.T) {
	const both = "reachable: NSG1/defaultSecurityRules/AllowVnetOutBound, NSG1/defaultSecurityRules/AllowVnetInBound"
	for _, test := range []struct {
		rules []string
		want  string
	}{
		{nil, both}, // doc
		{[]string{"100 Deny In * * -> * * ShutIn", "100 Deny Out * * -> * * ShutOut"}, "unreachable: NSG1/securityRules/ShutOut"},          // doc
		{[]string{"100 Deny In * * -> * * ShutIn"}, "unreachable: NSG1/defaultSecurityRules/AllowVnetOutBound, NSG1/securityRules/ShutIn"}, // der: at the receiver's side
	} {
		rows := []exampleRow{
			{from: "nic:VM1", to: "nic:VM2", service: "tcp/8080", want: test.want},
			{from: "nic:VM2", to: "nic:VM1", service: "udp/53", want: test.want},
		}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.1.0/24", "nsg=NSG1")), az.NSG("NSG1", test.rules...),
			az.NIC("VM1", "net/s", "10.0.1.4"), az.NIC("VM2", "net/s", "10.0.1.5"),
		}, rows), rows)
	}
}

// EX-04: application security groups.
func TestEX04(t *testing.T) {
	rows := []exampleRow{
		{from: "internet", to: "nic:NIC1", service: "tcp/80", dial: "ip:20.0.0.1", want: "reachable: NSG1/securityRules/100"},                      // doc
		{from: "internet", to: "nic:NIC3", service: "tcp/80", dial: "ip:20.0.0.3", want: "unreachable: NSG1/defaultSecurityRules/DenyAllInBound"},  // doc: no member
		{from: "internet", to: "nic:NIC1", service: "tcp/443", dial: "ip:20.0.0.1", want: "unreachable: NSG1/defaultSecurityRules/DenyAllInBound"}, // der
		{from: "nic:NIC3", to: "nic:NIC4", service: "tcp/1433", want: "reachable: NSG1/securityRules/110"},                                         // doc
		{from: "nic:NIC1", to: "nic:NIC4", service: "tcp/1433", want: "unreachable: NSG1/securityRules/120"},                                       // doc
		{from: "internet", to: "nic:NIC4", service: "tcp/1433", dial: "ip:20.0.0.4", want: "unreachable: NSG1/securityRules/120"},                  // doc
		{from: "nic:NIC3", to: "nic:NIC4", service: "udp/1433", want: "unreachable: NSG1/securityRules/120"},                                       // der
		{from: "nic:NIC1", to: "nic:NIC4", service: "tcp/22", want: "reachable: NSG1/defaultSecurityRules/AllowVnetInBound"},                       // der: not isolated
		{from: "nic:NIC1", to: "nic:NIC4", service: "icmp", want: "unknown: ASM-PORTLESS"},                                                         // der
	}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("a", "10.0.1.0/24", "nsg=NSG1"), az.Subnet("b", "10.0.2.0/24", "nsg=NSG1")),
		az.NSG("NSG1", "100 Allow In tcp Internet -> asg:AsgWeb 80", "110 Allow In tcp asg:AsgLogic -> asg:AsgDb 1433", "120 Deny In * * -> asg:AsgDb 1433"),
		az.ASG("AsgWeb"), az.ASG("AsgLogic"), az.ASG("AsgDb"),
		az.NIC("NIC1", "net/a", "10.0.1.4", "asg=AsgWeb", "pip=p1"), az.NIC("NIC2", "net/a", "10.0.1.5", "asg=AsgWeb"),
		az.NIC("NIC3", "net/b", "10.0.2.4", "asg=AsgLogic", "pip=p3"), az.NIC("NIC4", "net/b", "10.0.2.5", "asg=AsgDb", "pip=p4"),
		az.PublicIP("p1", "20.0.0.1"), az.PublicIP("p3", "20.0.0.3"), az.PublicIP("p4", "20.0.0.4"),
	}, rows), rows)
}

// EX-05: default rules by remote address. So that somebody has 172.31.0.100 and is not in VirtualNetwork, its VNet is peered without access on
// either side (AZ-TAG-01).
func TestEX05(t *testing.T) {
	rows := []exampleRow{
		{from: "nic:vm", to: "internet", service: "tcp/80/60000", dial: "ip:13.107.21.200", want: "reachable: nsg/defaultSecurityRules/AllowInternetOutBound"}, // doc
		{from: "nic:vm", to: "nic:far", service: "tcp/80/60000", want: "unreachable: nsg/defaultSecurityRules/DenyAllOutBound"},                                // doc
		{from: "nic:far", to: "nic:vm", service: "tcp/80/60000", want: "unreachable: nsg/defaultSecurityRules/DenyAllInBound"},                                 // doc
	}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg"), az.Peering("elsewhere", "no-access")), az.NSG("nsg"), az.NIC("vm", "net/s", "10.0.0.4"),
		az.VNet("elsewhere", "172.31.0.0/16", az.Subnet("s", "172.31.0.0/24"), az.Peering("net", "no-access")), az.NIC("far", "elsewhere/s", "172.31.0.100"),
	}, rows), rows)
}

// EX-12: published expansions of tags, as the verdicts that hang on them: a rule for the tag decides for its members, the rule behind it
// for others.
func TestEX12(t *testing.T) {
	const in, out = "reachable", "unreachable: nsg/securityRules/Rest"
	rows := []exampleRow{
		{from: "nic:vm", to: "nic:near", service: "tcp/443", want: in},                                             // doc: 10.1.0.0/24 is VirtualNetwork
		{from: "nic:vm", to: "nic:far", service: "tcp/443", want: out},                                             // doc: nothing else is
		{from: "nic:vm", to: "internet", service: "tcp/443", dial: "ip:1.0.0.1", want: in},                         // doc: Internet starts at 1.0.0.0/8
		{from: "nic:vm", to: "internet", service: "tcp/443", dial: "ip:2.255.0.1", want: in},                       // doc
		{from: "nic:vm", to: "internet", service: "tcp/443", dial: "ip:11.0.0.1", want: in},                        // doc
		{from: "nic:vm", to: "internet", service: "tcp/443", dial: "ip:12.0.0.1", want: in},                        // doc
		{from: "nic:far", to: "nic:vm", service: "tcp/443", want: "unreachable: nsg/securityRules/RestIn"},         // doc
		{from: "ip:168.63.129.16", to: "nic:vm", service: "tcp/443", want: "unreachable: nsg/securityRules/Probe"}, // doc: AzureLoadBalancer is this address
	}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.1.0.0/24", az.Subnet("s", "10.1.0.0/25", "nsg=nsg"), az.Subnet("t", "10.1.0.128/25"), az.Peering("elsewhere", "no-access")),
		az.NSG("nsg", "100 Allow Out * * -> VirtualNetwork,Internet * Tags", "110 Deny Out * * -> * * Rest", "110 Deny In * AzureLoadBalancer -> * * Probe", "120 Allow In * VirtualNetwork,Internet -> * * TagsIn", "130 Deny In * * -> * * RestIn"),
		az.NIC("vm", "net/s", "10.1.0.4"), az.NIC("near", "net/t", "10.1.0.132"),
		az.VNet("elsewhere", "10.2.0.0/16", az.Subnet("s", "10.2.0.0/24"), az.Peering("net", "no-access")), az.NIC("far", "elsewhere/s", "10.2.0.9"),
	}, rows), rows)
}

// EX-13: growth of VirtualNetwork under a user default route; observed.
func TestEX13(t *testing.T) {
	for _, test := range []struct{ route, rule, want string }{
		{"", "", "unreachable: nsg/defaultSecurityRules/DenyAllInBound"},
		{"0.0.0.0/0 10.0.9.4", "", "unknown: ASM-VNETTAG"},
		{"0.0.0.0/0 10.0.9.4", "4096 Deny In * * -> * *", "unreachable: nsg/securityRules/4096"},
	} {
		rows := []exampleRow{{from: "internet", to: "nic:vm", service: "tcp/22", dial: "ip:20.0.0.1", want: test.want}}
		s := written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg", "rt=rt"), az.Subnet("nva", "10.0.9.0/24")), az.NSG("nsg", test.rule), az.RouteTable("rt", test.route),
			az.NIC("vm", "net/s", "10.0.0.4", "pip=p"), az.NIC("nva", "net/nva", "10.0.9.4", "forward"), az.PublicIP("p", "20.0.0.1"),
		}, rows)
		hold(t, s, rows)
	}
}

// EX-21: two NSGs.
func TestEX21(t *testing.T) {
	const plus = "100 Allow In tcp * -> * 80 Allow-HTTP-All"
	const sub, nic = "unreachable: mySubnetNSG/defaultSecurityRules/DenyAllInBound", "unreachable: mySubnetNSG/securityRules/Allow-HTTP-All, myVMNSG/defaultSecurityRules/DenyAllInBound"
	const one = "reachable: mySubnetNSG/securityRules/Allow-HTTP-All"
	for _, test := range []struct{ subnet, vm, nic1, nic2 string }{
		{"", "", sub, sub},   // doc
		{"", plus, sub, sub}, // doc
		{plus, "", nic, one}, // doc
		{plus, plus, one + ", myVMNSG/securityRules/Allow-HTTP-All", one}, // doc
	} {
		rows := []exampleRow{
			{from: "internet", to: "nic:myVMVMNic", service: "tcp/80", dial: "ip:20.0.0.1", want: test.nic1},
			{from: "internet", to: "nic:myVMVMNic2", service: "tcp/80", dial: "ip:20.0.0.2", want: test.nic2},
		}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=mySubnetNSG")), az.NSG("mySubnetNSG", test.subnet), az.NSG("myVMNSG", test.vm),
			az.NIC("myVMVMNic", "net/s", "10.0.0.4", "nsg=myVMNSG", "pip=p1"), az.NIC("myVMVMNic2", "net/s", "10.0.0.5", "pip=p2"),
			az.PublicIP("p1", "20.0.0.1"), az.PublicIP("p2", "20.0.0.2"),
		}, rows), rows)
	}
}

// EX-24: platform traffic.
func TestEX24(t *testing.T) {
	for _, test := range []struct {
		extra string
		rows  []exampleRow
	}{
		{"", []exampleRow{
			{from: "nic:vm", to: "ip:168.63.129.16", service: "udp/53", want: "reachable"},                                      // doc
			{from: "nic:vm", to: "ip:168.63.129.16", service: "tcp/80", want: "reachable"},                                      // doc
			{from: "nic:vm", to: "ip:168.63.129.16", service: "tcp/32526", want: "reachable"},                                   // doc
			{from: "nic:vm", to: "ip:169.254.169.254", service: "tcp/80", want: "reachable"},                                    // doc
			{from: "nic:vm", to: "internet", service: "udp/53", dial: "ip:8.8.8.8", want: "unreachable: nsg/securityRules/All"}, // doc
			{from: "ip:168.63.129.16", to: "nic:vm", service: "tcp/443", want: "unreachable: nsg/securityRules/AllIn"},          // doc: a probe
		}},
		{"100 Deny Out * * -> AzurePlatformDNS * DNS", []exampleRow{
			{from: "nic:vm", to: "ip:168.63.129.16", service: "udp/53", want: "unreachable: nsg/securityRules/DNS"}, // doc
			{from: "nic:vm", to: "ip:168.63.129.16", service: "tcp/80", want: "reachable"},                          // doc
		}},
	} {
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg")), az.NSG("nsg", test.extra, "200 Deny Out * * -> * * All", "200 Deny In * * -> * * AllIn"),
			az.NIC("vm", "net/s", "10.0.0.4"),
		}, test.rows), test.rows)
	}
}

// EX-26: the size of an NSG at private endpoints (AZ-PE-07).
func TestEX26(t *testing.T) {
	prefixes := func(n int) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprintf("10.1.%d.0/24", i))
		}
		return strings.Join(out, ",")
	}
	ports := func(n int) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprint(400+2*i))
		}
		return strings.Join(append(out[1:], "443"), ",")
	}
	for _, test := range []struct {
		n    int
		want string
	}{
		{50, "unreachable: nsg/securityRules/100"}, // doc: 250 000 is valid
		{100, "unknown: ASM-PE-SIZE"},              // doc: 1 000 000 is not
	} {
		rows := []exampleRow{{from: "nic:vm", to: "endpoint:pe", service: "tcp/443", want: test.want}}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.1.0.0/16", az.Subnet("pe", "10.1.0.0/24", "nsg=nsg", "pe=Enabled"), az.Subnet("s", "10.1.5.0/24")),
			az.NSG("nsg", "100 Deny In tcp "+prefixes(test.n)+" -> "+prefixes(test.n)+" "+ports(100)),
			az.NIC("vm", "net/s", "10.1.5.4"), az.StorageAccount("data"), az.PrivateEndpoint("pe", "net/pe", "10.1.0.10", az.ID("Microsoft.Storage/storageAccounts", "data")),
		}, rows), rows)
	}
}

// EX-27: Bastion Developer.
func TestEX27(t *testing.T) {
	for _, test := range []struct{ rule, want string }{
		{"4096 Deny In * * -> * *", "unreachable: nsg/securityRules/4096"}, // der
		{"", "reachable: nsg/defaultSecurityRules/AllowVnetInBound"},       // der: 168.63.129.16 is in VirtualNetwork (AZ-TAG-01)
	} {
		rows := []exampleRow{{from: "bastion:bastion", to: "nic:vm", service: "tcp/22", want: test.want}}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg")), az.NSG("nsg", test.rule), az.NIC("vm", "net/s", "10.0.0.4"), az.Bastion("bastion", "net", "Developer", ""),
		}, rows), rows)
	}
}

// EX-29: one unknown in two rules (AZ-GEN-01). The private source is a peer's machine whose VNet gives no access, so that only the growth of
// the tag could hold it; the public one comes by the NIC's own address.
func TestEX29(t *testing.T) {
	const unclear = "unknown: ASM-VNETTAG"
	for _, test := range []struct {
		rules           []string
		private, public string
	}{
		{[]string{"200 Deny In * VirtualNetwork -> * *"}, "unreachable", "unreachable"},                                                           // der
		{[]string{"200 Deny In tcp VirtualNetwork -> * 22"}, unclear, unclear},                                                                    // der
		{[]string{"200 Allow In tcp VirtualNetwork -> * 443", "300 Deny In * VirtualNetwork -> * *"}, unclear, unclear},                           // der
		{[]string{"200 Allow In * 10.1.0.0/16 -> * *", "300 Deny In * VirtualNetwork -> * *"}, "reachable: nsg/securityRules/200", "unreachable"}, // der
	} {
		rows := []exampleRow{
			{from: "nic:other", to: "nic:vm", service: "tcp/443", want: test.private},
			{from: "internet", to: "nic:vm", service: "tcp/443", dial: "ip:20.0.0.1", want: test.public},
		}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg", "rt=rt"), az.Subnet("nva", "10.0.9.0/24"), az.Peering("other", "no-access")),
			az.NSG("nsg", test.rules...), az.RouteTable("rt", "0.0.0.0/0 10.0.9.4"), az.NIC("vm", "net/s", "10.0.0.4", "pip=p"), az.PublicIP("p", "20.0.0.1"),
			az.VNet("other", "10.1.0.0/16", az.Subnet("s", "10.1.0.0/24"), az.Peering("net", "no-access")), az.NIC("other", "other/s", "10.1.0.5"),
		}, rows), rows)
	}
}
