package solver

import (
	"fmt"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/trace"
)

// EX-20: floating IP. What the machine sees is asked of the interpreter; the verdict of both engines.
func TestEX20(t *testing.T) {
	for _, floating := range []string{"floating", ""} {
		var rows []exampleRow
		for _, front := range []string{"65.52.0.1", "65.52.0.2"} {
			for _, vm := range []string{"VM1", "VM2"} {
				rows = append(rows, exampleRow{from: "internet", to: "nic:" + vm, service: "tcp/80", dial: "ip:" + front, want: "reachable"}) // doc
			}
		}
		s := written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg")), az.NSG("nsg", "100 Allow In tcp Internet -> * *"),
			az.NIC("VM1", "net/s", "10.0.0.4", "pool=lb/pool"), az.NIC("VM2", "net/s", "10.0.0.5", "pool=lb/pool"), az.PublicIP("a", "65.52.0.1"), az.PublicIP("b", "65.52.0.2"),
			az.LoadBalancer("lb", "frontend a pip=a", "frontend b pip=b", "rule tcp a:80 -> pool:80 "+floating, "rule tcp b:80 -> pool:"+map[string]string{"floating": "80 floating", "": "81"}[floating]),
		}, rows)
		for i := range rows {
			if floating == "" && i >= 2 {
				rows[i].service, rows[i].port = "tcp/81", "tcp/80" // two rules of one pool need two ports at the members
			}
		}
		hold(t, s, rows)
		for i, front := range []string{"65.52.0.1", "65.52.0.2"} {
			res := trace.Run(s.Project.Estate, s.traceOptions(false), trace.Packet{Src: address("198.51.100.7"), Dst: address(front), Protocol: model.TCP, SPort: 50000, DPort: 80})
			for _, p := range res.Paths {
				want := map[string]string{"nic:VM1": "10.0.0.4", "nic:VM2": "10.0.0.5"}[s.placeRef(p.At)] + fmt.Sprint(":", 80+i) // doc
				if floating != "" {
					want = front + ":80" // doc
				}
				if got := fmt.Sprint(p.Packet.Dst, ":", p.Packet.DPort); got != want {
					t.Errorf("floating %q: %s sees %s, want %s", floating, s.placeRef(p.At), got, want)
				}
			}
		}
	}
	// der: the NSG allows the subnet of the machine only.
	rows := []exampleRow{{from: "internet", to: "nic:VM1", service: "tcp/80", dial: "ip:65.52.0.1", want: "unknown: ASM-FLOATIP"}}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg")), az.NSG("nsg", "100 Allow In tcp Internet -> 10.0.0.0/24 80"), az.NIC("VM1", "net/s", "10.0.0.4", "pool=lb/pool"),
		az.PublicIP("a", "65.52.0.1"), az.LoadBalancer("lb", "frontend a pip=a", "rule tcp a:80 -> pool:80 floating"),
	}, rows), rows)
}

// EX-22: the NSG of AzureBastionSubnet; rules doc, verdicts der.
func TestEX22(t *testing.T) {
	rows := []exampleRow{
		{from: "internet", to: "bastion:bastion", service: "tcp/443", dial: "ip:20.0.0.1", want: "reachable: bastion/securityRules/FromInternet"},
		{from: "internet", to: "bastion:bastion", service: "tcp/22", dial: "ip:20.0.0.1", want: "unreachable: bastion/defaultSecurityRules/DenyAllInBound"},
		{from: "bastion:bastion", to: "nic:vm", service: "tcp/22", want: "reachable: bastion/securityRules/ToMachines, vm/defaultSecurityRules/AllowVnetInBound"},
		{from: "bastion:bastion", to: "nic:vm", service: "tcp/445", want: "reachable: bastion/defaultSecurityRules/AllowVnetOutBound, vm/defaultSecurityRules/AllowVnetInBound"}, // the eight rules do not deny it
	}
	hold(t, written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("AzureBastionSubnet", "10.0.1.0/26", "nsg=bastion"), az.Subnet("s", "10.0.0.0/24", "nsg=vm")),
		az.NSG("bastion",
			"100 Allow In tcp Internet -> * 443 FromInternet", "110 Allow In tcp GatewayManager -> * 443 FromManager", "120 Allow In tcp AzureLoadBalancer -> * 443 FromProbe",
			"130 Allow In * VirtualNetwork -> VirtualNetwork 8080,5701 AmongHosts", "100 Allow Out * * -> VirtualNetwork 22,3389 ToMachines", "110 Allow Out tcp * -> AzureCloud 443 ToCloud",
			"120 Allow Out * VirtualNetwork -> VirtualNetwork 8080,5701 ToHosts", "130 Allow Out * * -> Internet 80 ToInternet"),
		az.NSG("vm"), az.NIC("vm", "net/s", "10.0.0.4"), az.PublicIP("bastion", "20.0.0.1"), az.Bastion("bastion", "net", "Standard", "bastion").Set("enableTunneling", true),
	}, rows), rows)
}

// EX-23: choice of the outbound method. A published list says that 203.0.113.9 is no storage (AZ-OUT-06).
func TestEX23(t *testing.T) {
	for _, test := range []struct {
		route, nat, instance, lb, private string
		want, hop, source                 string // source: of the packet at the internet
	}{
		{"0.0.0.0/0 10.0.9.4", "nat=ng", "pip=own", "pool=lb/p", "", "unknown: ASM-NVA", "VirtualAppliance 10.0.9.4", ""}, // doc
		{"", "nat=ng", "pip=own", "pool=lb/p", "", "reachable", "Internet", "20.0.0.1"},                                   // doc
		{"", "", "pip=own", "pool=lb/p", "", "reachable", "Internet", "20.0.0.2"},                                         // doc
		{"", "", "", "pool=lb/p", "", "reachable", "Internet", "20.0.0.3"},                                                // doc
		{"", "", "", "", "outbound=true", "reachable", "Internet", "default"},                                             // doc
		{"", "", "", "", "outbound=unstated", "unknown: ASM-DOA", "Internet", ""},                                         // AZ-OUT-05: null depends on the version of the API
		{"", "", "", "", "outbound=false", "unreachable", "Internet", ""},                                                 // doc
	} {
		rows := []exampleRow{{from: "ip:10.0.0.4", to: "ip:203.0.113.9", service: "tcp/443", want: test.want, hop: test.hop}}
		s := writtenWith(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "rt=rt", test.nat, test.private), az.Subnet("nva", "10.0.9.0/24")), az.RouteTable("rt", test.route),
			az.NIC("vm", "net/s", "10.0.0.4", test.instance, test.lb), az.NIC("nva", "net/nva", "10.0.9.4", "forward"), az.PublicIP("nat", "20.0.0.1"), az.PublicIP("own", "20.0.0.2"), az.PublicIP("lb", "20.0.0.3"),
			az.NATGateway("ng", "nat"), az.LoadBalancer("lb", "frontend f pip=lb", "outbound f -> p"),
		}, rows, Options{}, storageList())
		hold(t, s, rows)
		res := trace.Run(s.Project.Estate, s.traceOptions(false), trace.Packet{Src: address("10.0.0.4"), Dst: address("203.0.113.9"), Protocol: model.TCP, SPort: 50000, DPort: 443})
		for _, p := range res.Paths {
			if test.source == "" || p.End != trace.Delivered {
				continue
			}
			got := p.Packet.Src.String()
			if sym, ok := s.symbols().At(p.Packet.Src); ok && sym.Kind == model.DefaultOutbound {
				got = "default"
			}
			if got != test.source {
				t.Errorf("%+v: leaves as %s", test, got)
			}
		}
	}
	// doc: the tag route of a private subnet fails, but for storage of the same region (AZ-OUT-06); the rest goes to the appliance, here a
	// firewall without rules.
	rows := []exampleRow{
		{from: "nic:vm", to: "service:near", service: "tcp/443", want: "unknown: ASM-PRIVATE-ST", hop: "Internet"},
		{from: "nic:vm", to: "service:far", service: "tcp/443", want: "unreachable", hop: "Internet"},
		{from: "nic:vm", to: "ip:203.0.113.9", service: "tcp/443", want: "unreachable", hop: "VirtualAppliance 10.0.9.4"},
	}
	hold(t, writtenWith(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "rt=rt", "outbound=false"), az.Subnet("AzureFirewallSubnet", "10.0.9.0/26")), az.RouteTable("rt", "0.0.0.0/0 10.0.9.4", "Storage Internet"),
		az.NIC("vm", "net/s", "10.0.0.4"), az.Firewall("fw", "net/AzureFirewallSubnet", "10.0.9.4", "fw"), az.PublicIP("fw", "20.0.0.4"), az.StorageAccount("near"), az.StorageAccount("far").Set(".location", "eastasia"),
	}, rows, Options{}, storageList()), rows)
}

// EX-32: ports before and after translation (AZ-GEN-11).
func TestEX32(t *testing.T) {
	rows := []exampleRow{
		{from: "internet", to: "nic:vm", service: "tcp/8443", dial: "ip:20.0.0.9", port: "tcp/443", want: "reachable: nsg/securityRules/100"}, // der
		{from: "internet", to: "nic:vm", service: "tcp/443", dial: "ip:20.0.0.9", port: "tcp/8443", want: "unreachable"},                      // der
		{from: "internet", to: "ip:20.0.0.9", service: "tcp/443", want: "reachable"},                                                          // der
		{from: "internet", to: "ip:20.0.0.9", service: "tcp/8443", want: "unreachable"},                                                       // der: no rule
	}
	s := written(t, []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=nsg")), az.NSG("nsg", "100 Allow In tcp Internet -> * 8443"), az.NIC("vm", "net/s", "10.0.0.4", "pool=lb/p"),
		az.PublicIP("p", "20.0.0.9"), az.LoadBalancer("lb", "frontend f pip=p", "rule tcp f:443 -> p:8443"),
	}, rows)
	hold(t, s, rows)
	svc, err := model.ParsePortService("tcp/8443")
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Check(model.Assertion{ID: "only", Verb: model.VerbOnly, From: selectors(t, "internet"), To: selectors(t, "nic:vm"), Services: []model.PortService{svc}})
	if err != nil || r.Verdict != Pass {
		t.Errorf("only tcp/8443: got %+v, %v, want pass", r, err)
	}
}

// X-EDGE-33: a vault in a network security perimeter, from Azure's JSON; der.
func TestXEDGE33(t *testing.T) {
	vault := func(public string) az.Resource {
		return az.New("Microsoft.KeyVault/vaults", "kv", az.Object{
			"vaultUri": "https://kv.vault.azure.net/", "publicNetworkAccess": public,
			"networkAcls": az.Object{"defaultAction": "Allow", "bypass": "None", "ipRules": []any{}, "virtualNetworkRules": []any{}},
		})
	}
	const kind = "networkSecurityPerimeters"
	profile := az.New(kind+"/profiles", "nsp/p", nil)
	rules := []az.Resource{
		az.New(kind+"/profiles/accessRules", "nsp/p/in", az.Object{"direction": "Inbound", "addressPrefixes": []any{"198.51.100.0/24"}}),
		az.New(kind+"/profiles/accessRules", "nsp/p/out", az.Object{"direction": "Outbound", "fullyQualifiedDomainNames": []any{"contoso.com"}}),
		az.New(kind+"/profiles/accessRules", "nsp/other/in", az.Object{"direction": "Inbound", "addressPrefixes": []any{"0.0.0.0/0"}}), // of another profile
	}
	held := func(mode string) az.Resource {
		return az.New(kind+"/resourceAssociations", "nsp/kv", az.Object{
			"accessMode": mode, "privateLinkResource": az.Object{"id": az.ID("Microsoft.KeyVault/vaults", "kv")}, "profile": az.Object{"id": az.ID(kind+"/profiles", "nsp/p")},
		})
	}
	listed := az.New(kind+"/resourceAssociations", "nsp/somebody", nil)
	delete(listed, "properties")
	whole := func(mode string) []az.Resource { return append([]az.Resource{profile, held(mode)}, rules...) }
	const open, shut, unknown = "reachable", "unreachable", "unknown: ASM-E-NSP"
	for _, test := range []struct {
		name, public          string
		perimeter             []az.Resource
		stranger, listed, sub string // sub: a subnet by its service endpoint
	}{
		{"Learning", "Enabled", whole("Learning"), open, open, open},
		{"Audit", "Enabled", whole("Audit"), open, open, open}, // AZ-NSP-03
		{"Learning, own door shut", "Disabled", whole("Learning"), shut, open, shut},
		{"Enforced", "Enabled", whole("Enforced"), shut, open, "unknown"}, // AZ-NSP-02
		{"Enforced, own door shut", "Disabled", whole("Enforced"), shut, open, shut},
		{"secured", "SecuredByPerimeter", whole("Enforced"), shut, open, "unknown"},
		{"secured, Learning", "SecuredByPerimeter", whole("Learning"), shut, open, "unknown"}, // AZ-NSP-03: own rules are void
		{"no profile", "SecuredByPerimeter", append([]az.Resource{held("Enforced")}, rules...), unknown, unknown, unknown},
		{"no rules", "Enabled", []az.Resource{profile, held("Enforced")}, unknown, unknown, unknown},
		{"no association", "SecuredByPerimeter", append([]az.Resource{profile}, rules...), unknown, unknown, unknown},
		{"an association without properties", "Enabled", append([]az.Resource{profile, listed}, rules...), unknown, unknown, unknown}, // AZ-NSP-04
		{"the same, own door shut", "Disabled", append([]az.Resource{profile, listed}, rules...), unknown, unknown, unknown},
		{"the same beside its own", "Enabled", append(whole("Enforced"), listed), shut, open, "unknown"},
		{"no association, shut", "Disabled", append([]az.Resource{profile}, rules...), shut, shut, shut},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := []exampleRow{
				{from: "ip:203.0.113.1", to: "service:kv", service: "tcp/443", want: test.stranger},
				{from: "ip:198.51.100.7", to: "service:kv", service: "tcp/443", want: test.listed},
				{from: "nic:vm", to: "service:kv", service: "tcp/443", want: test.sub},
			}
			subnet := az.Subnet("s", "10.0.0.0/24")
			subnet["properties"].(az.Object)["serviceEndpoints"] = []any{az.Object{"service": "Microsoft.KeyVault", "provisioningState": "Succeeded"}}
			base := append([]az.Resource{az.VNet("net", "10.0.0.0/16", subnet, az.Subnet("pe", "10.0.1.0/24")), vault(test.public), az.NIC("vm", "net/s", "10.0.0.4")}, test.perimeter...)
			hold(t, written(t, base, rows), rows)
			rows = []exampleRow{{from: "nic:vm", to: "endpoint:pe", service: "tcp/443", want: open}} // AZ-NSP-01
			hold(t, written(t, append(base, az.PrivateEndpoint("pe", "net/pe", "10.0.1.4", az.ID("Microsoft.KeyVault/vaults", "kv"))), rows), rows)
		})
	}
}
