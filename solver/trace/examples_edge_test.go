package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// balancer adds a public or internal load balancer with one rule.
func (b *builder) balancer(name string, f model.LBFrontend, r model.LBRule) *model.LoadBalancer {
	f.ID, f.Name = lbID(name)+"/frontendIPConfigurations/f", "f"
	r.ID, r.Name, r.Frontend, r.Pools = lbID(name)+"/loadBalancingRules/r", "r", f.ID, []model.ID{poolID(name)}
	lb := &model.LoadBalancer{Meta: meta(lbID(name)), SKU: model.Standard, Frontends: []model.LBFrontend{f}, Rules: []model.LBRule{r}}
	b.add(lb)
	return lb
}

// EX-20: floating IP; doc, the last row der.
func TestEX20(t *testing.T) {
	for _, floating := range []bool{true, false} {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.nsg("nsg", "100 Allow In tcp Internet -> * *")
		b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
		b.nic("VM1", "net/s", "10.0.0.4", "pool=a", "pool=b")
		b.nic("VM2", "net/s", "10.0.0.5", "pool=a", "pool=b")
		b.pip("pa", "65.52.0.1")
		b.pip("pb", "65.52.0.2")
		for _, name := range []string{"a", "b"} {
			b.balancer(name, model.LBFrontend{PublicIP: pipID("p" + name)}, model.LBRule{Protocol: model.TCP, FrontendPort: 80, BackendPort: 80, FloatingIP: model.SettingOf(floating)})
		}
		e := b.build()
		for _, front := range []string{"65.52.0.1", "65.52.0.2"} {
			r := Run(e, Options{}, packet("198.51.100.7 > "+front+" tcp/80"))
			for i, vm := range []string{"VM1", "VM2"} {
				check(t, front+" to "+vm, r, ask(r, nic(vm)), reached)
				want := front // doc: the destination stays
				if !floating {
					want = fmt.Sprintf("10.0.0.%d", 4+i) // doc
				}
				for _, p := range r.Paths {
					if p.At == nic(vm) && (p.Packet.Dst.String() != want || p.Packet.DPort != 80) {
						t.Errorf("floating %v: %s sees %s, want %s:80", floating, vm, p.Packet, want)
					}
				}
			}
		}
	}
	// der: the NSG allows the VM subnet only.
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("nsg", "100 Allow In tcp Internet -> 10.0.0.0/24 80")
	b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
	b.nic("VM1", "net/s", "10.0.0.4", "pool=a")
	b.pip("pa", "65.52.0.1")
	b.balancer("a", model.LBFrontend{PublicIP: pipID("pa")}, model.LBRule{Protocol: model.TCP, FrontendPort: 80, BackendPort: 80, FloatingIP: model.On})
	r := Run(b.build(), Options{}, packet("198.51.100.7 > 65.52.0.1 tcp/80"))
	check(t, "allow to the VM subnet", r, ask(r, nic("VM1")), unclear)
	if !hasAssumption(r, "ASM-FLOATIP") {
		t.Errorf("ASM-FLOATIP is missing: %v", assumptionsOf(r))
	}
}

// bastionEstate is a Bastion with the eight rules of its documentation, and a machine.
func bastionEstate(t *testing.T) *model.Estate {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("bastion",
		"100 Allow In tcp Internet -> * 443", "110 Allow In tcp GatewayManager -> * 443", "120 Allow In tcp AzureLoadBalancer -> * 443",
		"130 Allow In * VirtualNetwork -> VirtualNetwork 8080,5701", "100 Allow Out * * -> VirtualNetwork 22,3389",
		"110 Allow Out tcp * -> AzureCloud 443", "120 Allow Out * VirtualNetwork -> VirtualNetwork 8080,5701", "130 Allow Out * * -> Internet 80")
	b.nsg("vm")
	b.subnet("net/AzureBastionSubnet", "10.0.1.0/26", "nsg=bastion")
	b.subnet("net/s", "10.0.0.0/24", "nsg=vm")
	b.nic("vm", "net/s", "10.0.0.4")
	b.pip("pb", "20.0.0.1")
	b.add(&model.Bastion{Meta: meta(network("bastionHosts", "bastion")), SKU: "Standard", Subnet: subnetID("net/AzureBastionSubnet"), PublicIP: pipID("pb"), Tunneling: model.On})
	return b.build()
}

func bastion() model.Place {
	return model.Place{Kind: model.PlaceBastion, ID: network("bastionHosts", "bastion")}
}

// EX-22: the NSG of AzureBastionSubnet; rules doc, verdicts der.
func TestEX22(t *testing.T) {
	e := bastionEstate(t)
	for _, test := range []struct {
		from   model.Place
		packet string
		to     model.Place
		want   string
	}{
		{internet(), "198.51.100.7 > 20.0.0.1 tcp/443", bastion(), reached}, // der
		{internet(), "198.51.100.7 > 20.0.0.1 tcp/22", bastion(), nothing},  // der
		{bastion(), "10.0.1.5 > 10.0.0.4 tcp/22", nic("vm"), reached},       // der: AllowVnetInBound
		{bastion(), "10.0.1.5 > 10.0.0.4 tcp/445", nic("vm"), reached},      // der: the eight rules do not deny it
	} {
		r := Run(e, Options{}, from(test.from, packet(test.packet)))
		check(t, test.packet, r, ask(r, test.to), test.want)
	}
}

// EX-26: the size of an NSG at private endpoints; doc.
func TestEX26(t *testing.T) {
	many := func(n int, octet string) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprintf("10.%s.%d.0/24", octet, i))
		}
		return strings.Join(out, ",")
	}
	ports := func(n int) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprint(400+i))
		}
		return strings.Join(out, ",")
	}
	for _, test := range []struct {
		n, ports int
		want     string
	}{
		{50, 100, nothing},  // doc: 250 000 is valid
		{100, 100, unclear}, // doc: 1 000 000 is not; the rules may fail
	} {
		b := estate(t)
		b.vnet("net", "10.1.0.0/16")
		b.nsg("nsg", "100 Deny In tcp "+many(test.n, "1")+" -> "+many(test.n, "1")+" "+ports(test.ports))
		b.subnet("net/pe", "10.1.0.0/24", "nsg=nsg", "pe=Enabled")
		b.subnet("net/s", "10.1.5.0/24")
		b.endpoint("pe", "net/pe", "10.1.0.10", "")
		b.nic("vm", "net/s", "10.1.5.4")
		r := Run(b.build(), Options{}, packet("10.1.5.4 > 10.1.0.10 tcp/443"))
		check(t, fmt.Sprint(test.n), r, ask(r, endpoint("pe")), test.want)
	}
}

// EX-27: Bastion Developer; der.
func TestEX27(t *testing.T) {
	for _, test := range []struct{ rule, want string }{
		{"4096 Deny In * * -> * *", nothing}, // der
		{"", reached},                        // der: AllowAzureLoadBalancerInBound
	} {
		b := estate(t)
		b.vnet("net", "10.0.0.0/16")
		b.nsg("nsg", test.rule)
		b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
		b.nic("vm", "net/s", "10.0.0.4")
		b.add(&model.Bastion{Meta: meta(network("bastionHosts", "bastion")), SKU: "Developer", VNet: vnetID("net")})
		r := Run(b.build(), Options{}, from(bastion(), packet("168.63.129.16 > 10.0.0.4 tcp/22")))
		over, oneWay, _ := r.Delivered(nic("vm"))
		if got := over && oneWay; got != (test.want == reached) {
			t.Errorf("%q: got %v\n%s", test.rule, got, show(r))
		}
		// The document blames AllowAzureLoadBalancerInBound (65001), but 168.63.129.16 is in VirtualNetwork too (AZ-TAG-01), so that
		// AllowVnetInBound (65000) decides by its number.
		if last := r.Paths[0].Hops[len(r.Paths[0].Hops)-1]; test.want == reached && last.Rule != "nsg/defaultSecurityRules/AllowVnetInBound" {
			t.Errorf("decided by %s", last.Rule)
		}
	}
}

// EX-32: ports before and after translation; der. The packet is the one that the client sends.
func TestEX32(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.0.0.0/16")
	b.nsg("nsg", "100 Allow In tcp Internet -> * 8443")
	b.subnet("net/s", "10.0.0.0/24", "nsg=nsg")
	b.nic("vm", "net/s", "10.0.0.4", "pool=lb")
	b.pip("p", "20.0.0.9")
	b.balancer("lb", model.LBFrontend{PublicIP: pipID("p")}, model.LBRule{Protocol: model.TCP, FrontendPort: 443, BackendPort: 8443})
	e := b.build()
	r := Run(e, Options{}, packet("198.51.100.7 > 20.0.0.9 tcp/443"))
	check(t, "to port 443 of the frontend", r, ask(r, nic("vm")), reached) // der
	if got := r.Paths[0].Packet; got.DPort != 8443 || got.Dst != addr("10.0.0.4") || got.Src != addr("198.51.100.7") {
		t.Errorf("the machine sees %s, want the client and port 8443", got)
	}
	r = Run(e, Options{}, packet("198.51.100.7 > 20.0.0.9 tcp/8443"))
	check(t, "to port 8443 of the frontend", r, ask(r, nic("vm")), nothing) // der: no rule
}

// edge is the estate of the examples X-EDGE: hub with firewall, spoke with a workload subnet whose default route leads there.
type edge struct {
	*builder
	hub, spoke *model.VNet
	fw         *model.Firewall
	work       *model.Subnet
	rt         *model.RouteTable
}

func edgeEstate(t testing.TB, routes ...string) *edge {
	x := &edge{builder: estate(t)}
	x.hub = x.vnet("hub", "10.0.0.0/16")
	x.spoke = x.vnet("spoke", "10.1.0.0/16")
	a, b := x.peer(x.hub, x.spoke)
	a.AllowForwarded, b.AllowForwarded = model.On, model.On
	x.rt = x.routes("rt", append([]string{"0.0.0.0/0 10.0.0.4"}, routes...)...)
	x.subnet("hub/AzureFirewallSubnet", "10.0.0.0/26")
	x.subnet("hub/vms", "10.0.5.0/24")
	x.subnet("hub/pe", "10.0.6.0/24", "pe=Disabled")
	x.nsg("default")
	x.work = x.subnet("spoke/work", "10.1.1.0/24", "nsg=default", "rt=rt")
	x.pip("pfw", "20.0.0.4")
	x.fw = x.firewall("fw", "hub/AzureFirewallSubnet", "10.0.0.4", "pfw")
	x.nic("vm", "spoke/work", "10.1.1.5")
	return x
}

// X-EDGE-01: type beats priority.
func TestXEDGE01(t *testing.T) {
	x := edgeEstate(t)
	p := x.policy("pol",
		group("g1", 100, collection("app", model.ApplicationRules, 100, model.Deny, appRule("a", "* Https:443 google.com"))),
		group("g2", 900, collection("net", model.NetworkRules, 900, model.Allow, netRule("n", "* -> * tcp 80,443"))))
	x.fw.Policy = p.ID
	r := Run(x.build(), Options{}, named("google.com", packet("10.1.1.5 > 142.250.0.1 tcp/443")))
	check(t, "google.com", r, ask(r, internet()), reached) // doc
	if got := r.Paths[0].Packet.Src; got != addr("20.0.0.4") {
		t.Errorf("leaves as %s, want 20.0.0.4", got)
	}
	for _, h := range r.Paths[0].Hops {
		if h.Stage == FirewallApplication {
			t.Error("the application rule was read")
		}
		if h.Stage == FirewallNetwork && h.Rule != "pol/g2/net/n" {
			t.Errorf("network rule printed as %q", h.Rule)
		}
	}
}

// X-EDGE-02: a network Deny pre-empts an application Allow.
func TestXEDGE02(t *testing.T) {
	x := edgeEstate(t)
	x.fw.Policy = x.policy("pol", group("g", 100,
		collection("app", model.ApplicationRules, 100, model.Allow, appRule("a", "10.1.0.0/16 Https:443 *.contoso.com")),
		collection("net", model.NetworkRules, 500, model.Deny, netRule("n", "10.1.0.0/16 -> * tcp 443")))).ID
	r := Run(x.build(), Options{}, named("api.contoso.com", packet("10.1.1.5 > 203.0.113.9 tcp/443")))
	check(t, "api.contoso.com", r, decided(r, internet()), "D pol/g/net/n") // doc
}

// X-EDGE-03: the parent's rules come first, type by type.
func TestXEDGE03(t *testing.T) {
	x := edgeEstate(t)
	parent := x.policy("parent", group("g", 200,
		collection("net", model.NetworkRules, 60000, model.Deny, netRule("n", "* -> 198.51.100.0/24 tcp 22")),
		collection("app", model.ApplicationRules, 100, model.Deny, appRule("a", "* Https:443 *"))))
	child := x.policy("child", group("g", 100,
		collection("one", model.NetworkRules, 100, model.Allow, netRule("n", "* -> 198.51.100.7 tcp 22")),
		collection("two", model.NetworkRules, 200, model.Allow, netRule("n", "* -> 203.0.113.9 tcp 443"))))
	child.Base = parent.ID
	x.fw.Policy = child.ID
	e := x.build()
	r := Run(e, Options{}, packet("10.1.1.5 > 198.51.100.7 tcp/22"))
	check(t, "ssh", r, decided(r, internet()), "D parent/g/net/n") // doc
	r = Run(e, Options{}, named("any.example", packet("10.1.1.5 > 203.0.113.9 tcp/443")))
	check(t, "any.example", r, ask(r, internet()), reached) // doc
}

// X-EDGE-04: DNAT admits, and hides the client.
func TestXEDGE04(t *testing.T) {
	build := func(deny bool, nsg string) *model.Estate {
		x := edgeEstate(t)
		nat := netRule("n", "198.51.100.0/24 -> 20.0.0.4 tcp 8443")
		nat.ToAddress, nat.ToPort = addr("10.1.1.5"), 443
		x.fw.Collections = []model.RuleCollection{collection("nat", model.DNATRules, 100, model.Allow, nat)}
		if deny {
			x.fw.Collections = append(x.fw.Collections, collection("net", model.NetworkRules, 100, model.Deny, netRule("d", "* -> 10.1.1.5 tcp 443")))
		}
		if nsg != "" {
			x.nsg("own", nsg)
			x.work.NSG = nsgID("own")
		}
		return x.build()
	}
	for _, test := range []struct {
		deny           bool
		nsg, src, port string
		want           string
	}{
		{true, "", "198.51.100.7", "8443", unclear},                               // P: ASM-E-DNATDENY
		{true, "", "203.0.113.1", "8443", nothing},                                // doc: source not in the NAT rule
		{true, "", "198.51.100.7", "443", nothing},                                // doc: no NAT rule
		{false, "", "198.51.100.7", "8443", reached},                              // variant without the network Deny
		{false, "100 Deny In * Internet -> * *", "198.51.100.7", "8443", reached}, // variant: the NSG sees 10.0.0.x
	} {
		r := Run(build(test.deny, test.nsg), Options{}, packet(test.src+" > 20.0.0.4 tcp/"+test.port))
		check(t, fmt.Sprintf("%+v", test), r, ask(r, nic("vm")), test.want)
		if test.want != nothing {
			p := r.Paths[0].Packet
			if !netip.MustParsePrefix("10.0.0.0/26").Contains(p.Src) || p.DPort != 443 {
				t.Errorf("the machine sees %s, want a source in 10.0.0.0/26 and port 443", p)
			}
		}
		if test.want == unclear && !hasAssumption(r, "ASM-E-DNATDENY") {
			t.Errorf("ASM-E-DNATDENY is missing: %v", assumptionsOf(r))
		}
	}
}

// X-EDGE-05: wildcards of FQDNs.
func TestXEDGE05(t *testing.T) {
	for pattern, names := range map[string]map[string]string{
		"*contoso.com": {
			"contoso.com": reached, "www.contoso.com": reached, "a.b.contoso.com": reached, "evilcontoso.com": reached, "contoso.com.evil.net": nothing, "": nothing,
		},
		"*.contoso.com": {
			"contoso.com": nothing, "www.contoso.com": reached, "a.b.contoso.com": reached, "evilcontoso.com": nothing, "contoso.com.evil.net": nothing, "": nothing,
		},
	} {
		x := edgeEstate(t)
		x.fw.Collections = []model.RuleCollection{collection("app", model.ApplicationRules, 100, model.Allow, appRule("a", "* Https:443 "+pattern))}
		e := x.build()
		for name, want := range names {
			r := Run(e, Options{}, named(name, packet("10.1.1.5 > 203.0.113.9 tcp/443")))
			check(t, pattern+" against "+name, r, ask(r, internet()), want) // C
		}
	}
}

// X-EDGE-06: an application rule hides the source, a network rule keeps it.
func TestXEDGE06(t *testing.T) {
	for _, test := range []struct {
		network bool
		want    string
	}{
		{false, reached},                     // doc
		{true, "D target/securityRules/100"}, // doc
	} {
		x := edgeEstate(t, "10.2.0.0/16 10.0.0.4")
		x.work.NSG = "" // by default rules the sender's side rests on ASM-VNETTAG: 10.2.0.0/16 is no peer of the spoke
		data := x.vnet("data", "10.2.0.0/16")
		a, b := x.peer(x.hub, data)
		a.AllowForwarded, b.AllowForwarded = model.On, model.On
		x.nsg("target", "100 Deny In * 10.1.0.0/16 -> * *")
		x.routes("rt2", "0.0.0.0/0 10.0.0.4", "10.1.0.0/16 10.0.0.4")
		x.subnet("data/s", "10.2.1.0/24", "nsg=target", "rt=rt2")
		x.nic("target", "data/s", "10.2.1.5")
		x.add(&model.DNSZone{
			Meta: meta(network("privateDnsZones", "internal")), Private: true, Zone: "internal",
			Links: []model.ZoneLink{{VNet: vnetID("hub")}}, Records: []model.DNSRecord{{Name: "app", Addresses: []netip.Addr{addr("10.2.1.5")}}},
		})
		x.fw.Collections = []model.RuleCollection{collection("app", model.ApplicationRules, 100, model.Allow, appRule("a", "10.1.0.0/16 Https:443 app.internal"))}
		if test.network {
			x.fw.Collections = []model.RuleCollection{collection("net", model.NetworkRules, 100, model.Allow, netRule("n", "10.1.0.0/16 -> 10.2.1.5 tcp 443"))}
		}
		r := Run(x.build(), Options{}, named("app.internal", packet("10.1.1.5 > 10.2.1.5 tcp/443")))
		check(t, fmt.Sprintf("%+v", test), r, decided(r, nic("target")), test.want)
	}
}

// X-EDGE-07: private ranges.
func TestXEDGE07(t *testing.T) {
	const kept, public, private = "kept", "20.0.0.4", "10.0.0.x"
	for _, test := range []struct {
		name   string
		ranges model.SNATRanges
		want   [3]string
	}{
		{"default", model.SNATRanges{}, [3]string{kept, kept, public}},
		{"192.168", model.SNATRanges{Custom: true, Prefixes: prefixes("192.168.0.0/16")}, [3]string{private, private, public}},
		{"IANA and one", model.SNATRanges{Custom: true, IANA: true, Prefixes: prefixes("203.0.113.0/24")}, [3]string{kept, kept, kept}},
		{"always", model.SNATRanges{Custom: true, Prefixes: prefixes("255.255.255.255/32")}, [3]string{private, private, public}},
		{"never", model.SNATRanges{Custom: true, Prefixes: prefixes("0.0.0.0/0")}, [3]string{kept, kept, kept}},
	} {
		x := edgeEstate(t, "10.2.0.0/16 10.0.0.4", "172.20.0.0/16 10.0.0.4")
		for _, v := range []struct{ name, space, subnet, vm string }{{"data", "10.2.0.0/16", "10.2.1.0/24", "10.2.1.5"}, {"odd", "172.20.0.0/16", "172.20.0.0/24", "172.20.0.9"}} {
			y := x.vnet(v.name, v.space)
			a, b := x.peer(x.hub, y)
			a.AllowForwarded, b.AllowForwarded = model.On, model.On
			x.subnet(v.name+"/s", v.subnet)
			x.nic(v.name, v.name+"/s", v.vm)
		}
		x.fw.SNAT = test.ranges
		x.fw.Collections = []model.RuleCollection{collection("all", model.NetworkRules, 100, model.Allow, netRule("any", "* -> * * *"))}
		e := x.build()
		for i, dst := range []string{"10.2.1.5", "172.20.0.9", "203.0.113.9"} {
			r := Run(e, Options{}, packet("10.1.1.5 > "+dst+" tcp/443"))
			at := []model.Place{nic("data"), nic("odd"), internet()}[i]
			got := nothing
			for _, p := range r.Paths {
				if p.End != Delivered || p.At != at {
					continue
				}
				switch src := p.Packet.Src; {
				case src == addr("10.1.1.5"):
					got = kept
				case netip.MustParsePrefix("10.0.0.0/26").Contains(src):
					got = private
				default:
					got = src.String()
				}
				if got == kept && i == 2 && p.Certain {
					t.Errorf("%s: a kept source reaches the internet for certain", test.name) // under D
				}
			}
			check(t, test.name+" "+dst, r, got, test.want[i]) // doc
		}
	}
}

// X-EDGE-08: longer routes bypass the firewall.
func TestXEDGE08(t *testing.T) {
	for _, test := range []struct {
		policy string
		udr    []string
		want   [3]string // machine in the hub, internet, private endpoint
	}{
		{"Disabled", nil, [3]string{reached, nothing, reached}},                              // der
		{"Disabled", []string{"10.0.0.0/16 10.0.0.4"}, [3]string{nothing, nothing, reached}}, // der
		{"Enabled", []string{"10.0.0.0/16 10.0.0.4"}, [3]string{nothing, nothing, nothing}},  // der
	} {
		x := edgeEstate(t, test.udr...)
		x.subnet("hub/pe2", "10.0.7.0/24", "pe="+test.policy)
		x.endpoint("pe", "hub/pe2", "10.0.7.4", "")
		x.nic("hubvm", "hub/vms", "10.0.5.5")
		e := x.build()
		for i, q := range []struct {
			packet string
			at     model.Place
		}{{"10.1.1.5 > 10.0.5.5 tcp/22", nic("hubvm")}, {"10.1.1.5 > 203.0.113.9 tcp/443", internet()}, {"10.1.1.5 > 10.0.7.4 tcp/443", endpoint("pe")}} {
			r := Run(e, Options{}, packet(q.packet))
			check(t, fmt.Sprintf("%+v %s", test, q.packet), r, ask(r, q.at), test.want[i])
		}
	}
	x := edgeEstate(t)
	x.work.ServiceEndpoints = []model.ServiceEndpoint{{Service: "Microsoft.Storage", State: "Succeeded"}}
	r := Run(x.build(), Options{}, tagged(packet("10.1.1.5 > 20.60.0.9 tcp/443"), "Storage.westeurope"))
	check(t, "storage by service endpoint", r, ask(r, internet()), reached) // der
}

// X-EDGE-09: ingress by a load balancer, reply by the firewall.
func TestXEDGE09(t *testing.T) {
	x := edgeEstate(t)
	x.nsg("open", "100 Allow In tcp Internet -> * 443")
	x.work.NSG = nsgID("open")
	x.pip("plb", "20.0.0.9")
	n := x.resources[slices.IndexFunc(x.resources, func(r model.Resource) bool { return r.ResourceID() == nicID("vm") })].(*model.NIC)
	n.IPConfigs[0].LBPools = []model.ID{poolID("lb")}
	x.balancer("lb", model.LBFrontend{PublicIP: pipID("plb")}, model.LBRule{Protocol: model.TCP, FrontendPort: 443, BackendPort: 443})
	r := Run(x.build(), Options{}, packet("198.51.100.7 > 20.0.0.9 tcp/443"))
	check(t, "internet by the load balancer", r, ask(r, nic("vm")), asym) // doc
	for _, p := range r.Paths {
		for _, h := range p.Hops {
			if h.At.Kind == model.PlaceFirewall {
				t.Error("the packet met the firewall")
			}
		}
	}
}

// gatewayEstate is an application gateway in front of 10.1.1.5:443.
func gatewayEstate(t testing.TB, tier string, waf *model.WAFPolicy, nsg ...string) (*edge, *model.AppGateway) {
	x := edgeEstate(t)
	x.nsg("agw", nsg...)
	if len(nsg) == 0 {
		x.subnet("spoke/agw", "10.1.5.0/24")
	} else {
		x.subnet("spoke/agw", "10.1.5.0/24", "nsg=agw")
	}
	x.pip("pagw", "20.0.0.7")
	id := agwID("agw")
	g := &model.AppGateway{
		Meta: meta(id), Tier: tier, Subnets: []model.ID{subnetID("spoke/agw")},
		Frontends: []model.AGWFrontend{{ID: id + "/f", Name: "public", PublicIP: pipID("pagw")}},
		Ports:     []model.AGWPort{{ID: id + "/p443", Port: 443}, {ID: id + "/p80", Port: 80}},
		Listeners: []model.AGWListener{{ID: id + "/l443", Name: "https", Frontend: id + "/f", Port: id + "/p443", Protocol: "Https"}},
		Pools:     []model.AGWPool{{ID: id + "/pool", Name: "pool", Addresses: []netip.Addr{addr("10.1.1.5")}}},
		Settings:  []model.AGWSetting{{ID: id + "/set", Name: "set", Port: 443, Protocol: "Https"}},
		Rules:     []model.AGWRule{{ID: id + "/r", Name: "r", Priority: 10, Listener: id + "/l443", Pool: id + "/pool", Setting: id + "/set"}},
	}
	if waf != nil {
		waf.Meta = meta(network("applicationGatewayWebApplicationFirewallPolicies", "waf"))
		g.WAFPolicy = waf.ID
		x.add(waf)
	}
	x.add(g)
	return x, g
}

func agw() model.Place { return model.Place{Kind: model.PlaceAppGateway, ID: agwID("agw")} }

// X-EDGE-10: Detection is no control.
func TestXEDGE10(t *testing.T) {
	block := model.WAFRule{Name: "others", Priority: 10, Action: "Block", Enabled: model.On, Conditions: []model.WAFCondition{{Variables: []string{"RemoteAddr"}, Operator: "IPMatch", Negate: true, Prefixes: prefixes("198.51.100.0/24")}}}
	for _, test := range []struct {
		tier    string
		enabled model.Setting
		mode    string
		rules   []model.WAFRule
		want    string
		detail  string
	}{
		{"WAF_v2", model.On, "Prevention", []model.WAFRule{block}, nothing, "Prevention"},  // doc
		{"WAF_v2", model.On, "Prevention", nil, reached, "in Prevention"},                  // doc
		{"WAF_v2", model.On, "Detection", []model.WAFRule{block}, reached, "in Detection"}, // doc
		{"WAF_v2", model.Off, "Prevention", []model.WAFRule{block}, reached, "disabled"},   // doc
		{"Standard_v2", model.NotStated, "", nil, reached, "no WAF"},                       // doc
	} {
		x, _ := gatewayEstate(t, test.tier, &model.WAFPolicy{Enabled: test.enabled, Mode: test.mode, Custom: test.rules})
		e := x.build()
		r := Run(e, Options{}, packet("203.0.113.1 > 20.0.0.7 tcp/443"))
		check(t, fmt.Sprintf("%+v", test), r, ask(r, agw()), test.want)
		last := r.Paths[0].Hops[len(r.Paths[0].Hops)-1]
		if !strings.Contains(last.Detail, test.detail) {
			t.Errorf("%+v: the hop says %q", test, last.Detail)
		}
		r = Run(e, Options{}, from(agw(), packet("10.1.5.4 > 10.1.1.5 tcp/443")))
		check(t, "the gateway's own leg", r, ask(r, nic("vm")), reached)
		if hop := r.Paths[0].Hops[0]; hop.Stage != Relay || hop.Rule != "agw/https" {
			t.Errorf("the relay hop names %q at %s", hop.Rule, hop.Stage)
		}
	}
}

// X-EDGE-11: a listener's own policy replaces the gateway's; a path rule's replaces both.
func TestXEDGE11(t *testing.T) {
	deny := []model.WAFRule{{Name: "all", Priority: 1, Action: "Block", Enabled: model.On, Conditions: []model.WAFCondition{{Variables: []string{"RemoteAddr"}, Operator: "IPMatch", Prefixes: prefixes("0.0.0.0/0")}}}}
	x, g := gatewayEstate(t, "WAF_v2", &model.WAFPolicy{Enabled: model.On, Mode: "Prevention", Custom: deny})
	own := &model.WAFPolicy{Meta: meta(network("applicationGatewayWebApplicationFirewallPolicies", "pay")), Enabled: model.On, Mode: "Detection", Custom: deny}
	admin := &model.WAFPolicy{Meta: meta(network("applicationGatewayWebApplicationFirewallPolicies", "admin")), Enabled: model.On, Mode: "Prevention", Custom: deny}
	x.add(own)
	x.add(admin)
	g.Listeners[0].WAFPolicy = own.ID
	g.Rules[0] = model.AGWRule{ID: g.ID + "/r", Name: "r", Listener: g.Listeners[0].ID, PathMap: g.ID + "/map"}
	g.PathMaps = []model.AGWPathMap{{
		ID: g.ID + "/map", Name: "map", DefaultPool: g.ID + "/pool", DefaultSetting: g.ID + "/set",
		Paths: []model.AGWPathRule{{Name: "admin", Paths: []string{"/admin/*"}, Pool: g.ID + "/pool", Setting: g.ID + "/set", WAFPolicy: admin.ID}},
	}}
	w := newWorld(x.build(), Options{})
	tr := &tracer{world: w}
	want := map[string]bool{"r": false, "r/admin": true} // doc: enforcing for /admin/*, not for the rest
	for _, p := range tr.listenerPaths(g, &g.Listeners[0]) {
		v, mode := tr.wafVerdict(p.waf, g, w.address(addr("203.0.113.1")), nil)
		if enforcing := !v.allow.is; enforcing != want[p.name] {
			t.Errorf("path %s: %s lets the client in: %v", p.name, mode, v.allow.is)
		}
	}
	r := Run(w.e, Options{}, packet("203.0.113.1 > 20.0.0.7 tcp/443"))
	check(t, "the client picks the open path", r, ask(r, agw()), reached) // doc: not all ingress passes an enforcing WAF
}

// X-EDGE-12: the NSG of the gateway's subnet.
func TestXEDGE12(t *testing.T) {
	rules := []string{"100 Allow In tcp Internet -> * 443", "110 Allow In tcp GatewayManager -> * 65200-65535", "120 Allow In * AzureLoadBalancer -> * *", "4096 Deny In * * -> * *"}
	build := func(rules ...string) *model.Estate {
		x, g := gatewayEstate(t, "WAF_v2", nil, rules...)
		g.Listeners = append(g.Listeners, model.AGWListener{ID: g.ID + "/l80", Name: "http", Frontend: g.ID + "/f", Port: g.ID + "/p80", Protocol: "Http"})
		return x.build()
	}
	management := agw()
	management.Part = "management"
	for _, test := range []struct {
		rules []string
		port  string
		at    model.Place
		want  string
	}{
		{rules, "443", agw(), reached},                                                                                // doc
		{rules, "80", agw(), "D agw/securityRules/4096"},                                                              // doc
		{append([]string{"105 Allow In tcp * -> * 8443"}, rules...), "8443", agw(), nothing},                          // doc: no listener
		{rules, "65300", management, "D agw/securityRules/4096"},                                                      // doc
		{[]string{rules[0], "110 Allow In tcp * -> * 65200-65535", rules[2], rules[3]}, "65300", management, reached}, // doc: open at the NSG
	} {
		r := Run(build(test.rules...), Options{}, packet("203.0.113.1 > 20.0.0.7 tcp/"+test.port))
		check(t, test.port, r, decided(r, test.at), test.want)
	}
	// doc: relayed to the backend, unless the rule for GatewayManager is missing: then under D.
	r := Run(build(rules...), Options{}, from(agw(), packet("10.1.5.4 > 10.1.1.5 tcp/443")))
	check(t, "relayed", r, ask(r, nic("vm")), reached)
	r = Run(build(rules[0], rules[2], rules[3]), Options{}, from(agw(), packet("10.1.5.4 > 10.1.1.5 tcp/443")))
	check(t, "relayed without GatewayManager", r, ask(r, nic("vm")), unclear)
}
