package trace

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/ringfence/ringfence/model"
)

func paasID(kind, name string) model.ID {
	return model.ID("/subscriptions/s/resourceGroups/rg/providers/" + kind + "/" + name)
}

func (b *builder) service(kind model.ServiceKind, typ, name string, hosts ...string) *model.Service {
	s := &model.Service{Meta: meta(paasID(typ, name)), Kind: kind, Type: typ, Hosts: hosts}
	b.add(s)
	return s
}

func servicePlace(s *model.Service) model.Place {
	return model.Place{Kind: model.PlaceService, ID: s.ID}
}

func doorOf(e *model.Estate, s *model.Service) netip.Addr {
	a, _ := e.Symbols().Of(model.ServiceDoor, s.ID, "")
	return a
}

func toDoor(e *model.Estate, s *model.Service, src string) Packet {
	return Packet{Src: addr(src), Dst: doorOf(e, s), Protocol: model.TCP, SPort: 50000, DPort: 443}
}

// X-EDGE-14: a Key Vault's doors; C, der.
func TestXEDGE14(t *testing.T) {
	for _, test := range []struct {
		public string
		access model.Access
		ip     string
		vnet   bool
		se     bool
		bypass string
		from   string
		want   string
	}{
		{"Enabled", model.Allow, "", false, false, "", "internet", reached},
		{"Enabled", model.Deny, "", false, false, "AzureServices", "internet", nothing},
		{"Enabled", model.Deny, "198.51.100.0/24", false, false, "None", "198.51.100.7", reached},
		{"Enabled", model.Deny, "198.51.100.0/24", false, false, "None", "10.1.1.5", nothing},
		{"Enabled", model.Deny, "20.0.0.4/32", false, false, "None", "10.1.1.5", reached},
		{"Enabled", model.Deny, "", true, true, "None", "10.1.1.5", reached},
		{"Enabled", model.Deny, "", true, false, "None", "10.1.1.5", nothing},
		{"Disabled", model.Allow, "0.0.0.0/0", false, false, "AzureServices", "internet", nothing},
		{"Disabled", model.Deny, "", false, false, "None", "endpoint", reached},
	} {
		x := edgeEstate(t)
		x.fw.Collections = []model.RuleCollection{collection("all", model.NetworkRules, 100, model.Allow, netRule("any", "* -> * * *"))}
		x.subnet("spoke/pe", "10.1.9.0/24", "pe=Disabled")
		kv := x.service(model.KeyVault, "Microsoft.KeyVault/vaults", "kv", "kv.vault.azure.net")
		kv.Public, kv.HasACLs, kv.DefaultAccess, kv.Bypass = test.public, true, test.access, test.bypass
		if test.ip != "" {
			kv.IPRules = []model.IPRule{{Prefixes: prefixes(test.ip)}}
		}
		if test.vnet {
			kv.VNetRules = []model.VNetRule{{Subnet: subnetID("spoke/work")}}
		}
		if test.se {
			x.work.ServiceEndpoints = []model.ServiceEndpoint{{Service: "Microsoft.KeyVault", State: "Succeeded"}}
		}
		x.endpoint("pe", "spoke/pe", "10.1.9.4", kv.ID)
		e := x.build()
		p, at := toDoor(e, kv, "203.0.113.1"), servicePlace(kv)
		switch test.from {
		case "internet":
		case "endpoint":
			p, at = packet("10.1.1.5 > 10.1.9.4 tcp/443"), endpoint("pe")
		default:
			p.Src = addr(test.from)
		}
		r := Run(e, Options{}, p)
		check(t, fmt.Sprintf("%+v", test), r, ask(r, at), test.want)
		if test.bypass == "AzureServices" && test.public == "Enabled" && !hasAssumption(r, "ASM-E-TRUSTED") {
			t.Errorf("ASM-E-TRUSTED is missing: %v", assumptionsOf(r))
		}
		if test.se {
			check(t, "path", r, nextHop(r), "VirtualNetworkServiceEndpoint")
		}
	}
}

// X-EDGE-15: the SQL rule 0.0.0.0; doc.
func TestXEDGE15(t *testing.T) {
	for _, test := range []struct {
		public          string
		all, everywhere bool
		laptop, tenant  string
	}{
		{"Enabled", true, false, nothing, reached},
		{"Enabled", false, true, reached, reached},
		{"Disabled", true, true, nothing, nothing},
	} {
		b := estate(t)
		sql := b.service(model.SQLServer, "Microsoft.Sql/servers", "sql", "sql.database.windows.net")
		sql.Public = test.public
		if test.all {
			sql.IPRules = append(sql.IPRules, model.IPRule{Name: "AllowAllWindowsAzureIps", AllAzure: true})
		}
		if test.everywhere {
			sql.IPRules = append(sql.IPRules, model.IPRule{Name: "all", Prefixes: prefixes("0.0.0.0/0")})
		}
		e := b.build()
		r := Run(e, Options{}, toDoor(e, sql, "203.0.113.1"))
		check(t, fmt.Sprintf("laptop %+v", test), r, ask(r, servicePlace(sql)), test.laptop)
		r = Run(e, Options{}, tagged(toDoor(e, sql, "203.0.113.1"), "AzureCloud"))
		check(t, fmt.Sprintf("another tenant %+v", test), r, ask(r, servicePlace(sql)), test.tenant)
	}
}

// X-EDGE-16: the name decides which door; C, der. The client's resolution is the test's part: the packet carries the address.
func TestXEDGE16(t *testing.T) {
	for _, public := range []string{"Enabled", "Disabled"} {
		b := estate(t)
		va, vb := b.vnet("A", "10.1.0.0/16"), b.vnet("B", "10.2.0.0/16")
		b.peer(va, vb)
		b.subnet("A/pe", "10.1.9.0/24", "pe=Disabled")
		b.subnet("A/s", "10.1.1.0/24")
		b.subnet("B/s", "10.2.1.0/24")
		b.nic("vma", "A/s", "10.1.1.4")
		b.nic("vmb", "B/s", "10.2.1.4")
		st := b.service(model.StorageAccount, "Microsoft.Storage/storageAccounts", "st", "st.blob.core.windows.net")
		st.Public = public
		b.endpoint("pe", "A/pe", "10.1.9.5", st.ID)
		b.add(&model.DNSZone{
			Meta: meta(network("privateDnsZones", "privatelink.blob.core.windows.net")), Private: true, Zone: "privatelink.blob.core.windows.net",
			Links: []model.ZoneLink{{VNet: va.ID}}, Records: []model.DNSRecord{{Name: "st", Addresses: []netip.Addr{addr("10.1.9.5")}}},
		})
		e := b.build()
		w := newWorld(e, Options{})
		for _, test := range []struct {
			v    *model.VNet
			want netip.Addr
		}{{va, addr("10.1.9.5")}, {vb, doorOf(e, st)}} { // doc: linked in A only
			got := w.resolve(w.resolverOf(test.v), "st.blob.core.windows.net")
			if len(got) != 1 || got[0].addr.at != test.want || !got[0].match.must {
				t.Errorf("in %s the name leads to %v, want %s", test.v.Name(), got, test.want)
			}
		}
		r := Run(e, Options{}, packet("10.1.1.4 > 10.1.9.5 tcp/443"))
		check(t, "A by name", r, ask(r, endpoint("pe")), reached)
		r = Run(e, Options{}, packet("10.2.1.4 > 10.1.9.5 tcp/443"))
		check(t, "B by address", r, ask(r, endpoint("pe")), reached) // doc
		want := reached
		if public == "Disabled" {
			want = "D st/publicNetworkAccess" // doc
		}
		r = Run(e, Options{}, toDoor(e, st, "10.2.1.4"))
		check(t, "B by name, "+public, r, decided(r, servicePlace(st)), want)
	}
}

// X-EDGE-25: infrastructure names; doc, P.
func TestXEDGE25(t *testing.T) {
	for _, denyAll := range []bool{false, true} {
		x := edgeEstate(t)
		if denyAll {
			x.fw.Collections = []model.RuleCollection{collection("last", model.ApplicationRules, 65000, model.Deny, appRule("all", "* Http:80,Https:443 *"))}
		}
		e := x.build()
		r := Run(e, Options{}, named("evil.example.net", packet("10.1.1.5 > 203.0.113.9 tcp/443")))
		check(t, "evil.example.net", r, ask(r, internet()), nothing)
		platform := Run(e, Options{}, named("platform.example", packet("10.1.1.5 > 203.0.113.9 tcp/443"), "infra"))
		want := reached
		if denyAll {
			want = "D fw/last/all"
		}
		check(t, "a platform name", platform, decided(platform, internet()), want)
		if !denyAll {
			found := false
			for _, h := range platform.Paths[0].Hops {
				found = found || h.Stage == FirewallInfrastructure
			}
			if !found || !hasAssumption(platform, "ASM-E-FWINFRA") || !hasAssumption(r, "ASM-E-FWINFRA") {
				t.Errorf("the built-in collection and ASM-E-FWINFRA should show\n%s", show(platform))
			}
		}
	}
}

// X-EDGE-27: the firewall resolves the name itself; doc.
func TestXEDGE27(t *testing.T) {
	build := func(network bool) *model.Estate {
		x := edgeEstate(t)
		x.fw.DNSProxy = model.On
		x.add(&model.DNSZone{Meta: meta(paasID("Microsoft.Network/dnsZones", "contoso.com")), Zone: "contoso.com", Records: []model.DNSRecord{{Name: "api", Addresses: []netip.Addr{addr("198.51.100.80")}}}})
		x.fw.Collections = []model.RuleCollection{collection("app", model.ApplicationRules, 100, model.Allow, appRule("a", "10.1.1.0/24 Https:443 api.contoso.com"))}
		if network {
			x.fw.Collections = []model.RuleCollection{collection("net", model.NetworkRules, 100, model.Allow, netRule("n", "10.1.1.0/24 -> fqdn:api.contoso.com tcp 443"))}
		}
		return x.build()
	}
	e := build(false)
	p := named("api.contoso.com", packet("10.1.1.5 > 203.0.113.66 tcp/443"))
	owner, _ := e.Symbols().Of(model.NamedHost, "", "")
	r := Run(e, Options{}, p)
	for _, path := range r.Paths { // doc: it reaches the owner of the name, never the attacker
		if path.End == Delivered && (path.Packet.Dst != owner || !path.Certain) {
			t.Errorf("reaches %s", path.Packet.Dst)
		}
	}
	check(t, "by application rule", r, ask(r, internet()), reached)
	if !hasAssumption(r, "ASM-E-FWRESOLVE") {
		t.Errorf("ASM-E-FWRESOLVE is missing: %v", assumptionsOf(r))
	}
	attacker := false
	for _, path := range Run(e, Options{Strict: true}, p).Paths { // doc: over A, under D
		if path.End == Delivered && path.Packet.Dst == addr("203.0.113.66") {
			attacker = true
			if path.Certain {
				t.Error("the attacker is reached for certain")
			}
		}
	}
	if !attacker {
		t.Error("with --strict the client's own destination is a second outcome")
	}
	e = build(true)
	r = Run(e, Options{}, p)
	check(t, "by network rule to another address", r, ask(r, internet()), nothing) // doc
	r = Run(e, Options{}, named("other.example", packet("10.1.1.5 > 198.51.100.80 tcp/443")))
	check(t, "by network rule to the address", r, ask(r, internet()), reached) // doc: any SNI
}

// X-EDGE-30: FQDN tags; doc, C.
func TestXEDGE30(t *testing.T) {
	x := edgeEstate(t)
	x.fw.Collections = []model.RuleCollection{
		collection("aks", model.ApplicationRules, 100, model.Allow, appRule("a", "10.1.1.0/24 Https:443 tag:AzureKubernetesService")),
		collection("last", model.ApplicationRules, 65000, model.Deny, appRule("all", "* Http:80,Https:443 *")),
	}
	e := x.build()
	for _, test := range []struct {
		name string
		tags []string
		want string
	}{
		{"mcr.microsoft.com", nil, reached},                            // doc: listed
		{"evil.example.net", nil, nothing},                             // ASM-E-FQDNTAG
		{"other.example", []string{"AzureKubernetesService"}, reached}, // doc: a name in the tag
		{"", nil, nothing},                                             // doc: no name
	} {
		r := Run(e, Options{}, named(test.name, packet("10.1.1.5 > 203.0.113.9 tcp/443"), test.tags...))
		got := ask(r, internet())
		if test.name == "" && got == unclear {
			got = nothing
		}
		check(t, test.name, r, got, test.want)
		if test.name == "evil.example.net" && !hasAssumption(r, "ASM-E-FQDNTAG") {
			t.Errorf("ASM-E-FQDNTAG is missing: %v", assumptionsOf(r))
		}
	}
}

// X-EDGE-31: relays and rewrites (AZ-REL-02); the backend sees the relay, so that its NSG names no client (AZ-REL-04); der. The trace follows the packets; chains are put together elsewhere.
func TestXEDGE31(t *testing.T) {
	x, g := gatewayEstate(t, "WAF_v2", &model.WAFPolicy{Enabled: model.On, Mode: "Prevention"})
	g.Settings[0].Port = 8443
	x.nsg("backend", "100 Allow In tcp 10.1.5.0/24 -> * 8443", "4096 Deny In * * -> * *")
	x.work.NSG = nsgID("backend")
	x.fw.Collections = []model.RuleCollection{collection("app", model.ApplicationRules, 100, model.Allow, appRule("a", "10.1.1.0/24 Https:443 api.contoso.com"))}
	e := x.build()
	r := Run(e, Options{}, packet("198.51.100.7 > 20.0.0.7 tcp/443"))
	check(t, "internet to the gateway", r, ask(r, agw()), reached)
	r = Run(e, Options{}, from(agw(), packet("10.1.5.4 > 10.1.1.5 tcp/8443")))
	check(t, "the gateway to the backend", r, ask(r, nic("vm")), reached)
	r = Run(e, Options{}, from(agw(), packet("10.1.5.4 > 10.1.1.5 tcp/443")))
	check(t, "the gateway to another port", r, ask(r, nic("vm")), nothing)
	r = Run(e, Options{}, named("api.contoso.com", packet("10.1.1.5 > 203.0.113.9 tcp/443")))
	check(t, "to api.contoso.com", r, ask(r, internet()), reached)
	if got := r.Paths[0].Packet.From; got != nic("vm") {
		t.Errorf("the origin is %v, want the machine", got)
	}
	x.fw.ProvisioningBad = "Failed" // AZ-FW-06: reach under D
	r = Run(e, Options{}, named("api.contoso.com", packet("10.1.1.5 > 203.0.113.9 tcp/443")))
	check(t, "with the firewall down", r, ask(r, internet()), unclear)
}

// X-EDGE-32: storage behind the firewall; doc, I.
func TestXEDGE32(t *testing.T) {
	for _, test := range []struct {
		ip, zone, region string
		want             string
		at               string
	}{
		{"20.0.0.4", "", "eastasia", reached, "door"},
		{"", "", "eastasia", nothing, "door"},
		{"", "record", "eastasia", reached, "endpoint"},
		{"20.0.0.4", "", "westeurope", unclear, "door"},
		{"", "custom", "eastasia", unclear, "endpoint"},
	} {
		x := edgeEstate(t)
		x.spoke.DNSServers = []netip.Addr{addr("10.0.0.4")}
		st := x.service(model.StorageAccount, "Microsoft.Storage/storageAccounts", "st", "st.blob.core.windows.net")
		st.Public, st.HasACLs, st.DefaultAccess, st.Location = "Enabled", true, model.Deny, test.region
		if test.ip != "" {
			st.IPRules = []model.IPRule{{Prefixes: prefixes(test.ip)}}
		}
		x.endpoint("pe", "hub/pe", "10.0.6.4", st.ID)
		p := x.policy("pol", group("g", 100, collection("app", model.ApplicationRules, 100, model.Allow, appRule("a", "10.1.1.0/24 Https:443 st.blob.core.windows.net"))))
		p.DNSProxy = model.On
		x.fw.Policy = p.ID
		switch test.zone {
		case "record":
			x.add(&model.DNSZone{
				Meta: meta(network("privateDnsZones", "privatelink.blob.core.windows.net")), Private: true, Zone: "privatelink.blob.core.windows.net",
				Links: []model.ZoneLink{{VNet: x.hub.ID}}, Records: []model.DNSRecord{{Name: "st", Addresses: []netip.Addr{addr("10.0.6.4")}}},
			})
		case "custom":
			p.DNSServers = []netip.Addr{addr("10.9.9.9")}
		}
		e := x.build()
		at := servicePlace(st)
		if test.at == "endpoint" {
			at = endpoint("pe")
		}
		r := Run(e, Options{}, named("st.blob.core.windows.net", toDoor(e, st, "10.1.1.5")))
		check(t, fmt.Sprintf("%+v", test), r, ask(r, at), test.want)
		for _, path := range r.Paths {
			switch {
			case path.End != Delivered:
			case path.At == servicePlace(st) && path.Packet.Src != addr("20.0.0.4"):
				t.Errorf("the account sees %s, want 20.0.0.4", path.Packet.Src)
			case path.At == endpoint("pe") && !netip.MustParsePrefix("10.0.0.0/26").Contains(path.Packet.Src):
				t.Errorf("the endpoint sees %s, want 10.0.0.x", path.Packet.Src)
			}
		}
		for id, row := range map[string]bool{"ASM-E-STREGION": test.region == "westeurope", "ASM-E-DNSCUSTOM": test.zone == "custom"} {
			if row && !hasAssumption(r, id) {
				t.Errorf("%s is missing: %v", id, assumptionsOf(r))
			}
		}
	}
}

// X-EDGE-33: a vault in a network security perimeter; der.
func TestXEDGE33(t *testing.T) {
	nsp := paasID("Microsoft.Network/networkSecurityPerimeters", "nsp")
	for _, test := range []struct {
		mode, public     string // mode: empty without an association
		profile          bool
		stranger, listed string
	}{
		{"Learning", "Enabled", true, reached, reached},
		{"Enforced", "Enabled", true, nothing, reached},
		{"Enforced", "SecuredByPerimeter", true, nothing, reached},
		{"Enforced", "SecuredByPerimeter", false, unclear, unclear},
		{"", "Disabled", true, nothing, nothing},
		{"?", "Disabled", true, unclear, unclear}, // AZ-NSP-04
	} {
		b := estate(t)
		b.vnet("v", "10.1.0.0/16")
		b.subnet("v/s", "10.1.9.0/24", "pe=Disabled")
		kv := b.service(model.KeyVault, "Microsoft.KeyVault/vaults", "kv", "kv.vault.azure.net")
		kv.Public, kv.HasACLs, kv.DefaultAccess = test.public, true, model.Allow
		b.endpoint("pe", "v/s", "10.1.9.4", kv.ID)
		profile := nsp + "/profiles/p"
		if test.profile {
			b.add(&model.PerimeterProfile{Meta: meta(profile)})
		}
		b.add(&model.PerimeterRule{Meta: meta(profile + "/accessRules/in"), Inbound: true, Prefixes: prefixes("198.51.100.0/24")})
		switch test.mode {
		case "":
		case "?": // listed without its properties
			b.add(&model.PerimeterAssociation{Meta: meta(nsp + "/resourceAssociations/somebody")})
		default:
			b.add(&model.PerimeterAssociation{Meta: meta(nsp + "/resourceAssociations/kv"), Resource: kv.ID, Profile: profile, Mode: test.mode})
		}
		e := b.build()
		for _, client := range []struct{ src, want string }{{"203.0.113.1", test.stranger}, {"198.51.100.7", test.listed}} {
			r := Run(e, Options{}, toDoor(e, kv, client.src))
			check(t, fmt.Sprintf("%+v from %s", test, client.src), r, ask(r, servicePlace(kv)), client.want)
			if client.want == unclear && !hasAssumption(r, "ASM-E-NSP") {
				t.Errorf("%+v: ASM-E-NSP is missing: %v", test, assumptionsOf(r))
			}
		}
		r := Run(e, Options{}, packet("10.1.9.5 > 10.1.9.4 tcp/443"))
		check(t, fmt.Sprintf("%+v at the endpoint", test), r, ask(r, endpoint("pe")), reached)
	}
}
