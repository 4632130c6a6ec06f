package trace

import (
	"slices"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// twoNSGs is the estate of EX-01 and EX-02.
func twoNSGs(t *testing.T, nsg1, nsg2 string, sku model.SKU) *model.Estate {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("NSG1", nsg1)
	b.nsg("NSG2", nsg2)
	b.subnet("net/Subnet1", "10.0.1.0/24", "nsg=NSG1")
	b.subnet("net/Subnet2", "10.0.2.0/24")
	b.subnet("net/Subnet3", "10.0.3.0/24")
	b.nic("VM1", "net/Subnet1", "10.0.1.4", "nsg=NSG2", "pip=p1")
	b.nic("VM2", "net/Subnet1", "10.0.1.5", "pip=p2")
	b.nic("VM3", "net/Subnet2", "10.0.2.4", "nsg=NSG2", "pip=p3")
	b.nic("VM4", "net/Subnet3", "10.0.3.4", "pip=p4")
	for i, name := range []string{"p1", "p2", "p3", "p4"} {
		b.pip(name, "20.0.0."+string(rune('1'+i))).SKU = sku
	}
	return b.build()
}

// EX-01: NSGs inbound at subnet and NIC; doc.
func TestEX01(t *testing.T) {
	const open = "100 Allow In tcp Internet -> * 80"
	const sub, nicDeny = "D NSG1/defaultSecurityRules/DenyAllInBound", "D NSG2/defaultSecurityRules/DenyAllInBound"
	for _, test := range []struct {
		nsg1, nsg2 string
		want       [4]string
	}{
		{"", "", [4]string{sub, sub, nicDeny, reached}},             // doc
		{open, "", [4]string{nicDeny, reached, nicDeny, reached}},   // doc
		{"", open, [4]string{sub, sub, reached, reached}},           // doc: NSG2 never read at VM1
		{open, open, [4]string{reached, reached, reached, reached}}, // doc
	} {
		e := twoNSGs(t, test.nsg1, test.nsg2, model.Basic)
		for i, vm := range []string{"VM1", "VM2", "VM3", "VM4"} {
			r := Run(e, Options{}, packet("198.51.100.7 > 20.0.0."+string(rune('1'+i))+" tcp/80"))
			check(t, "internet to "+vm, r, decided(r, nic(vm)), test.want[i])
		}
	}
	// der: VM4 through a Standard public IP is closed without an NSG (AZ-PIP-02).
	e := twoNSGs(t, "", "", model.Standard)
	r := Run(e, Options{}, packet("198.51.100.7 > 20.0.0.4 tcp/80"))
	check(t, "internet to VM4, Standard", r, ask(r, nic("VM4")), nothing)
	if !hasAssumption(r, "ASM-STDPIP") {
		t.Errorf("ASM-STDPIP is missing: %v", assumptionsOf(r))
	}
	r = Run(e, Options{Strict: true}, packet("198.51.100.7 > 20.0.0.4 tcp/80"))
	check(t, "internet to VM4, Standard, strict", r, ask(r, nic("VM4")), unclear)
}

// EX-02: the same estate outbound; doc.
func TestEX02(t *testing.T) {
	const shut = "100 Deny Out tcp * -> Internet 80"
	const n1, n2 = "D NSG1/securityRules/100", "D NSG2/securityRules/100"
	for _, test := range []struct {
		nsg1, nsg2 string
		want       [4]string
	}{
		{"", "", [4]string{reached, reached, reached, reached}}, // doc
		{"", shut, [4]string{n2, reached, n2, reached}},         // doc: NSG1 never read
		{shut, "", [4]string{n1, n1, reached, reached}},         // doc
		{shut, shut, [4]string{n2, n1, n2, reached}},            // doc
	} {
		e := twoNSGs(t, test.nsg1, test.nsg2, model.Standard)
		for i, src := range []string{"10.0.1.4", "10.0.1.5", "10.0.2.4", "10.0.3.4"} {
			r := Run(e, Options{}, packet(src+" > 13.107.21.200 tcp/80"))
			check(t, src+" to internet", r, decided(r, internet()), test.want[i])
		}
	}
	// doc: the first row is decided by AllowInternetOutBound twice.
	r := Run(twoNSGs(t, "", "", model.Standard), Options{}, packet("10.0.1.4 > 13.107.21.200 tcp/80"))
	var rules []string
	for _, h := range r.Paths[0].Hops {
		if h.Stage == NICOut || h.Stage == SubnetOut {
			rules = append(rules, h.Rule)
		}
	}
	if want := []string{"NSG2/defaultSecurityRules/AllowInternetOutBound", "NSG1/defaultSecurityRules/AllowInternetOutBound"}; !slices.Equal(rules, want) {
		t.Errorf("deciding rules: got %v, want %v", rules, want)
	}
}

// EX-03: neighbours in one subnet meet its NSG on both sides; doc.
func TestEX03(t *testing.T) {
	for _, test := range []struct {
		rules    []string
		one, two string
	}{
		{nil, reached, reached}, // doc
		{[]string{"100 Deny In * * -> * *", "100 Deny Out * * -> * *"}, "D NSG1/securityRules/100", "D NSG1/securityRules/100"}, // doc
		{[]string{"100 Deny In * * -> * *"}, "D NSG1/securityRules/100", "D NSG1/securityRules/100"},                            // der
	} {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.nsg("NSG1", test.rules...)
		b.subnet("net/s", "10.0.1.0/24", "nsg=NSG1")
		b.nic("VM1", "net/s", "10.0.1.4")
		b.nic("VM2", "net/s", "10.0.1.5")
		e := b.build()
		r := Run(e, Options{}, packet("10.0.1.4 > 10.0.1.5 tcp/8080"))
		check(t, "VM1 to VM2", r, decided(r, nic("VM2")), test.one)
		if len(test.rules) == 1 { // der: dropped at the receiver's subnet stage
			last := r.Paths[0].Hops[len(r.Paths[0].Hops)-1]
			if last.Stage != SubnetIn || last.At != nic("VM2") {
				t.Errorf("dropped at %s of %s, want the receiver's subnet stage", last.Stage, last.At.ID)
			}
		}
		r = Run(e, Options{}, packet("10.0.1.5 > 10.0.1.4 udp/53"))
		check(t, "VM2 to VM1", r, decided(r, nic("VM1")), test.two)
	}
}

// EX-04: application security groups; doc and der per row.
func TestEX04(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("NSG1", "100 Allow In tcp Internet -> asg:AsgWeb 80", "110 Allow In tcp asg:AsgLogic -> asg:AsgDb 1433", "120 Deny In * * -> asg:AsgDb 1433")
	b.subnet("net/a", "10.0.1.0/24", "nsg=NSG1")
	b.subnet("net/b", "10.0.2.0/24", "nsg=NSG1")
	for _, name := range []string{"AsgWeb", "AsgLogic", "AsgDb"} {
		b.add(&model.ASG{Meta: meta(asgID(name))})
	}
	b.nic("NIC1", "net/a", "10.0.1.4", "asg=AsgWeb", "pip=p1")
	b.nic("NIC2", "net/a", "10.0.1.5", "asg=AsgWeb", "pip=p2")
	b.nic("NIC3", "net/b", "10.0.2.4", "asg=AsgLogic", "pip=p3")
	b.nic("NIC4", "net/b", "10.0.2.5", "asg=AsgDb", "pip=p4")
	for i, name := range []string{"p1", "p2", "p3", "p4"} {
		b.pip(name, "20.0.0."+string(rune('1'+i)))
	}
	e := b.build()
	for _, test := range []struct{ packet, to, want string }{
		{"198.51.100.7 > 20.0.0.1 tcp/80", "NIC1", reached},                                       // doc
		{"198.51.100.7 > 20.0.0.3 tcp/80", "NIC3", "D NSG1/defaultSecurityRules/DenyAllInBound"},  // doc: no member
		{"198.51.100.7 > 20.0.0.1 tcp/443", "NIC1", "D NSG1/defaultSecurityRules/DenyAllInBound"}, // der
		{"10.0.2.4 > 10.0.2.5 tcp/1433", "NIC4", reached},                                         // doc
		{"10.0.1.4 > 10.0.2.5 tcp/1433", "NIC4", "D NSG1/securityRules/120"},                      // doc
		{"198.51.100.7 > 20.0.0.4 tcp/1433", "NIC4", "D NSG1/securityRules/120"},                  // doc
		{"10.0.2.4 > 10.0.2.5 udp/1433", "NIC4", "D NSG1/securityRules/120"},                      // der
		{"10.0.1.4 > 10.0.2.5 tcp/22", "NIC4", reached},                                           // der: not isolated
		{"10.0.1.4 > 10.0.2.5 icmp", "NIC4", unclear},                                             // der: ASM-PORTLESS
	} {
		r := Run(e, Options{}, packet(test.packet))
		check(t, test.packet, r, decided(r, nic(test.to)), test.want)
		if test.want == unclear && !hasAssumption(r, "ASM-PORTLESS") {
			t.Errorf("ASM-PORTLESS is missing: %v", assumptionsOf(r))
		}
	}
}

// EX-05: default rules by remote address; doc.
func TestEX05(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("nsg")
	b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
	b.nic("vm", "net/s", "10.0.0.4")
	e := b.build()
	w := newWorld(e, Options{})
	tr := &tracer{world: w}
	h := w.nicHosts(func(*model.NIC, *model.IPConfig) bool { return true })[0]
	for _, test := range []struct {
		dir         model.Direction
		src, dst    string
		allow, rule string
	}{
		{model.Outbound, "10.0.0.4", "13.107.21.200", "allow", "nsg/defaultSecurityRules/AllowInternetOutBound"}, // doc
		{model.Outbound, "10.0.0.4", "172.31.0.100", "deny", "nsg/defaultSecurityRules/DenyAllOutBound"},         // doc
		{model.Inbound, "172.31.0.100", "10.0.0.4", "deny", "nsg/defaultSecurityRules/DenyAllInBound"},           // doc
	} {
		f := flow{src: w.address(addr(test.src)), dst: w.address(addr(test.dst)), protocol: model.TCP, sport: 60000, dport: 80}
		v := tr.subnetVerdict(h, f, test.dir)
		got, answer := v.allow.rule, "allow"
		if !v.allow.is {
			got, answer = v.deny.rule, "deny"
		}
		if !v.certain() || answer != test.allow || got != test.rule {
			t.Errorf("%s %s to %s: got %+v, want %s by %s", test.dir, test.src, test.dst, v, test.allow, test.rule)
		}
	}
}

// EX-12: published expansions of tags; doc.
func TestEX12(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.1.0.0/24")
	b.nsg("nsg")
	b.subnet("net/s", "10.1.0.0/25", "nsg=nsg")
	b.nic("vm", "net/s", "10.1.0.4")
	w := newWorld(b.build(), Options{})
	v := w.view(w.nicHosts(func(*model.NIC, *model.IPConfig) bool { return true })[0])
	in := func(tag, a string) bool {
		x := w.address(addr(a))
		switch tag {
		case "VirtualNetwork":
			return w.virtualNetwork(v, assignment{}, x, nil, false).must
		case "Internet":
			return w.internet(v, assignment{}, x, nil).must
		default:
			return w.inTag(tag, x, nil).must
		}
	}
	for _, test := range []struct {
		tag, addr string
		want      bool
	}{
		{"VirtualNetwork", "10.1.0.9", true}, {"VirtualNetwork", "168.63.129.16", true}, {"VirtualNetwork", "10.2.0.9", false}, // doc
		{"AzureLoadBalancer", "168.63.129.16", true}, {"AzureLoadBalancer", "10.1.0.9", false}, // doc
		{"Internet", "1.0.0.1", true}, {"Internet", "2.255.0.1", true}, {"Internet", "11.0.0.1", true}, {"Internet", "12.0.0.1", true}, // doc
		{"Internet", "10.2.0.9", false}, {"Internet", "192.168.1.1", false}, {"Internet", "172.16.0.1", false}, // doc: not in the list
	} {
		if got := in(test.tag, test.addr); got != test.want {
			t.Errorf("%s in %s: got %v, want %v", test.addr, test.tag, got, test.want)
		}
	}
	if len(v.rows) != 0 {
		t.Errorf("a lone VNet has no uncertain part of the tag, got %v", v.rows)
	}
}

// EX-13: growth of VirtualNetwork under a user default route; observed.
func TestEX13(t *testing.T) {
	for _, test := range []struct {
		route, rule, want string
		asm               bool
	}{
		{"", "", "D nsg/defaultSecurityRules/DenyAllInBound", false},                         // observed
		{"0.0.0.0/0 10.0.9.4", "", unclear, true},                                            // observed
		{"0.0.0.0/0 10.0.9.4", "4096 Deny In * * -> * *", "D nsg/securityRules/4096", false}, // observed
	} {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.nsg("nsg", test.rule)
		b.routes("rt", test.route)
		b.subnet("net/s", "10.0.0.0/24", "nsg=nsg", "rt=rt")
		b.nic("vm", "net/s", "10.0.0.4", "pip=p")
		b.pip("p", "20.0.0.1")
		r := Run(b.build(), Options{}, packet("198.51.100.7 > 20.0.0.1 tcp/22"))
		check(t, test.route+" "+test.rule, r, decided(r, nic("vm")), test.want)
		if got := hasAssumption(r, "ASM-VNETTAG"); got != test.asm {
			t.Errorf("%q: ASM-VNETTAG mentioned: got %v, want %v", test.route, got, test.asm)
		}
	}
}

// EX-21: two NSGs; doc.
func TestEX21(t *testing.T) {
	const open = "100 Allow In tcp * -> * 80 Allow-HTTP-All"
	for _, test := range []struct{ subnet, vm, nic1, nic2 string }{
		{"", "", "D mySubnetNSG/defaultSecurityRules/DenyAllInBound", "D mySubnetNSG/defaultSecurityRules/DenyAllInBound"},   // doc
		{"", open, "D mySubnetNSG/defaultSecurityRules/DenyAllInBound", "D mySubnetNSG/defaultSecurityRules/DenyAllInBound"}, // doc
		{open, "", "D myVMNSG/defaultSecurityRules/DenyAllInBound", reached},                                                 // doc
		{open, open, reached, reached}, // doc
	} {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.nsg("mySubnetNSG", test.subnet)
		b.nsg("myVMNSG", test.vm)
		b.subnet("net/s", "10.0.0.0/24", "nsg=mySubnetNSG")
		b.nic("myVMVMNic", "net/s", "10.0.0.4", "nsg=myVMNSG", "pip=p1")
		b.nic("myVMVMNic2", "net/s", "10.0.0.5", "pip=p2")
		b.pip("p1", "20.0.0.1")
		b.pip("p2", "20.0.0.2")
		e := b.build()
		r := Run(e, Options{}, packet("198.51.100.7 > 20.0.0.1 tcp/80"))
		check(t, "to myVMVMNic", r, decided(r, nic("myVMVMNic")), test.nic1)
		r = Run(e, Options{}, packet("198.51.100.7 > 20.0.0.2 tcp/80"))
		check(t, "to myVMVMNic2", r, decided(r, nic("myVMVMNic2")), test.nic2)
	}
}

// EX-24: platform traffic; doc.
func TestEX24(t *testing.T) {
	for _, test := range []struct {
		extra, packet, want string
	}{
		{"", "10.0.0.4 > 168.63.129.16 udp/53", reached},                                                         // doc
		{"", "10.0.0.4 > 168.63.129.16 tcp/80", reached},                                                         // doc
		{"", "10.0.0.4 > 168.63.129.16 tcp/32526", reached},                                                      // doc
		{"", "10.0.0.4 > 168.63.129.16 tcp/443", unclear},                                                        // AZ-PLAT-02: in older texts only
		{"", "10.0.0.4 > 169.254.169.254 tcp/80", reached},                                                       // doc
		{"", "10.0.0.4 > 8.8.8.8 udp/53", "D nsg/securityRules/200"},                                             // doc
		{"100 Deny Out * * -> AzurePlatformDNS *", "10.0.0.4 > 168.63.129.16 udp/53", "D nsg/securityRules/100"}, // doc
		{"100 Deny Out * * -> AzurePlatformDNS *", "10.0.0.4 > 168.63.129.16 tcp/80", reached},                   // doc
	} {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.nsg("nsg", test.extra, "200 Deny Out * * -> * *", "200 Deny In * * -> * *")
		b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
		b.nic("vm", "net/s", "10.0.0.4")
		r := Run(b.build(), Options{}, packet(test.packet))
		at := model.Place{Kind: model.PlacePlatform}
		if r.Paths[0].At.Kind == model.PlaceInternet {
			at = internet()
		}
		check(t, test.packet, r, decided(r, at), test.want)
	}
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("nsg", "200 Deny In * * -> * *")
	b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
	b.nic("vm", "net/s", "10.0.0.4")
	r := Run(b.build(), Options{}, packet("168.63.129.16 > 10.0.0.4 tcp/443"))
	check(t, "probe to VM", r, decided(r, nic("vm")), "D nsg/securityRules/200") // doc
}

// EX-29: one unknown in two rules; der.
func TestEX29(t *testing.T) {
	for _, test := range []struct {
		rules           []string
		private, public string
	}{
		{[]string{"200 Deny In * VirtualNetwork -> * *"}, nothing, nothing},                                             // der
		{[]string{"200 Deny In tcp VirtualNetwork -> * 22"}, unclear, unclear},                                          // der
		{[]string{"200 Allow In tcp VirtualNetwork -> * 443", "300 Deny In * VirtualNetwork -> * *"}, unclear, unclear}, // der
		{[]string{"200 Allow In * 10.1.0.0/16 -> * *", "300 Deny In * VirtualNetwork -> * *"}, letIn, nothing},          // der
	} {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.nsg("nsg", test.rules...)
		b.routes("rt", "0.0.0.0/0 10.0.9.4")
		b.subnet("net/s", "10.0.0.0/24", "nsg=nsg", "rt=rt")
		b.nic("vm", "net/s", "10.0.0.4")
		w := newWorld(b.build(), Options{})
		tr := &tracer{world: w}
		h := w.nicHosts(func(*model.NIC, *model.IPConfig) bool { return true })[0]
		for src, want := range map[string]string{"10.1.0.5": test.private, "198.51.100.7": test.public} {
			f := flow{src: w.address(addr(src)), dst: w.address(addr("10.0.0.4")), protocol: model.TCP, sport: 50000, dport: 443}
			v := tr.subnetVerdict(h, f, model.Inbound)
			got := nothing
			switch {
			case v.allow.is && v.deny.is:
				got = unclear
			case v.allow.is:
				got = letIn
			}
			if got != want {
				t.Errorf("%v from %s: got %+v, want %s", test.rules, src, v, want)
			}
			if got == unclear && !slices.Contains(v.why, "ASM-VNETTAG") {
				t.Errorf("%v from %s: ASM-VNETTAG is missing: %v", test.rules, src, v.why)
			}
		}
	}
}

// letIn is the verdict of one NSG that admits the packet for certain.
const letIn = "let in"
