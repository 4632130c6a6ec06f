package solver

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/trace"
)

// firewalled is a hub with a firewall between two subnets, which send to each other and to the internet through it, and a peer.
type firewalled struct {
	rules  []model.RuleCollection
	policy *model.FirewallPolicy
	back   string // next hop type of the target's route to the senders; empty: the firewall
	far    string // prefix of the peer
	forced bool   // the firewall's subnet sends the default route to an appliance
	zone   bool   // a private zone names the target app.contoso.com
	nsg    *model.NSG

	learned string // hop of the default route beside one that a VPN gateway brings: none, "Internet", or "managed" for a management NIC
}

func (f firewalled) draft() modeltest.Draft {
	on := model.On
	hub := &model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/24")}
	far := &model.VNet{Meta: smallMeta("virtualNetworks/w"), Prefixes: cidrs(f.far)}
	link := func(a, b *model.VNet) {
		a.Peerings = append(a.Peerings, model.Peering{
			Name: "p", Remote: b.ID, State: "Connected", AllowVNetAccess: on, AllowForwarded: on, CompleteVNets: on, RemotePrefixes: b.Prefixes, SyncedPrefixes: b.Prefixes,
		})
	}
	link(hub, far)
	link(far, hub)
	subnet := func(v *model.VNet, name, prefix, table string) *model.Subnet {
		s := &model.Subnet{Meta: smallMeta("virtualNetworks/" + v.Name()), VNet: v.ID, Prefixes: cidrs(prefix), DefaultOutbound: model.Off}
		s.ID = v.ID + "/subnets/" + model.ID(name)
		if table != "" {
			s.RouteTable = smallID("routeTables/" + table)
		}
		return s
	}
	toFirewall := func(name string, prefixes ...string) *model.RouteTable {
		t := &model.RouteTable{Meta: smallMeta("routeTables/" + name), DisableBGP: on}
		for _, p := range prefixes {
			t.Routes = append(t.Routes, model.UserRoute{Name: p, Prefix: cidrs(p)[0], NextHop: model.HopAppliance, Address: ip("10.0.0.4")})
		}
		return t
	}
	there, back := toFirewall("there", "0.0.0.0/0", "10.0.0.128/26", f.far), toFirewall("back", "0.0.0.0/0", "10.0.0.64/26")
	if f.back != "" {
		back.Routes = []model.UserRoute{{Name: "local", Prefix: cidrs("10.0.0.64/26")[0], NextHop: model.NextHopType(f.back)}}
	}
	fwSubnet, target := subnet(hub, "AzureFirewallSubnet", "10.0.0.0/26", ""), subnet(hub, "d", "10.0.0.128/26", "back")
	pip := &model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), SKU: model.Standard, Address: ip("20.0.0.4")}
	fw := &model.Firewall{Meta: smallMeta("azureFirewalls/fw"), Tier: "Standard", Subnet: fwSubnet.ID, Address: ip("10.0.0.4"), PublicIPs: []model.ID{pip.ID}, Management: f.forced, Collections: f.rules}
	closed := &model.RouteTable{Meta: smallMeta("routeTables/closed"), DisableBGP: on, Routes: []model.UserRoute{{Name: "none", Prefix: cidrs("0.0.0.0/0")[0], NextHop: model.HopNone}}}
	out := small{hub, far, fwSubnet, subnet(hub, "s", "10.0.0.64/26", "there"), target, subnet(far, "d", f.far, "closed"), pip, fw, there, back, closed}
	if f.policy != nil {
		fw.Policy, fw.Collections = f.policy.ID, nil
		group := &model.RuleCollectionGroup{Meta: smallMeta("g"), Policy: f.policy.ID, Priority: 100, Collections: f.rules}
		group.ID = f.policy.ID + "/ruleCollectionGroups/g"
		f.policy.Groups = []model.ID{group.ID}
		out = append(out, f.policy, group)
	}
	if f.forced {
		fwSubnet.RouteTable = smallID("routeTables/forced")
		nva := toFirewall("forced", "0.0.0.0/0")
		nva.Routes[0].Address = ip("10.0.0.200")
		out = append(out, nva)
	}
	if f.zone {
		out = append(out, &model.DNSZone{
			Meta: smallMeta("privateDnsZones/contoso.com"), Zone: "contoso.com", Private: true, Links: []model.ZoneLink{{VNet: hub.ID}},
			Records: []model.DNSRecord{{Name: "app", Addresses: []netip.Addr{ip("10.0.0.140")}}},
		})
	}
	if f.learned != "" {
		gwSubnet := subnet(hub, "GatewaySubnet", "10.0.0.192/27", "")
		site := &model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs("172.16.0.0/12", "20.9.0.0/16")}
		gw := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: gwSubnet.ID, DefaultSite: site.ID, BGP: model.Off}
		out = append(out, gwSubnet, site, gw, &model.Connection{Meta: smallMeta("connections/c"), Kind: "IPsec", Gateway: gw.ID, Peer: site.ID, BGP: model.Off})
		fw.Management = f.learned == "managed"
		if f.learned == "Internet" {
			fwSubnet.RouteTable = smallID("routeTables/direct")
			out = append(out, &model.RouteTable{Meta: smallMeta("routeTables/direct"), Routes: []model.UserRoute{{Name: "out", Prefix: cidrs("0.0.0.0/0")[0], NextHop: model.HopInternet}}})
		}
	}
	if f.nsg != nil {
		target.NSG = f.nsg.ID
		out[5].(*model.Subnet).NSG = f.nsg.ID
		out = append(out, f.nsg)
	}
	return modeltest.Draft{Resources: out}
}

func collection(name string, priority int, kind model.RuleKind, access model.Access, rules ...model.FirewallRule) model.RuleCollection {
	return model.RuleCollection{Name: name, Priority: priority, Kind: kind, Access: access, Rules: rules}
}

// Rules of azure-edge-and-aks.md section 1, as both engines have them.
func TestFirewallRules(t *testing.T) {
	any := model.AddressMatch{Any: true}
	tcp, every := []model.Protocol{model.TCP}, []model.PortRange{model.AllPorts}
	all := model.FirewallRule{Name: "all", Sources: any, Dests: any, Protocols: tcp, Ports: every}
	web := model.FirewallRule{Name: "web", Sources: any, Apps: []model.AppProtocol{{Type: "Https", Port: 443}}, FQDNs: []string{"app.contoso.com"}}
	star := web
	star.FQDNs = []string{"*"}
	dnat := func(to string) model.FirewallRule {
		return model.FirewallRule{
			Name: "in", Sources: any, Dests: model.AddressMatch{Prefixes: cidrs("20.0.0.4/32")}, Protocols: tcp, Ports: []model.PortRange{{First: 443, Last: 443}}, ToAddress: ip(to), ToPort: 443,
		}
	}
	net := func(priority int, access model.Access) model.RuleCollection {
		return collection("net"+access.String(), priority, model.NetworkRules, access, all)
	}
	app := func(access model.Access, r model.FirewallRule) model.RuleCollection {
		return collection("app", 100, model.ApplicationRules, access, r)
	}
	in := func(to string) model.RuleCollection {
		return collection("nat"+to, 100, model.DNATRules, model.Allow, dnat(to))
	}
	from := func(prefix string) *model.NSG {
		return &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: append(model.DefaultRules(), model.SecurityRule{
			Name: "only", Priority: 100, Direction: model.Inbound, Access: model.Allow, Protocol: model.AnyProtocol, SourceAddrs: model.AddressMatch{Prefixes: cidrs(prefix)}, DestAddrs: any, SourcePorts: every, DestPorts: every,
		}, model.SecurityRule{
			Name: "rest", Priority: 200, Direction: model.Inbound, Access: model.Deny, Protocol: model.AnyProtocol, SourceAddrs: any, DestAddrs: any, SourcePorts: every, DestPorts: every,
		})}
	}
	const far = "10.1.0.0/24"
	policy := func() *model.FirewallPolicy { return &model.FirewallPolicy{Meta: smallMeta("firewallPolicies/p")} }
	list := func(c ...model.RuleCollection) []model.RuleCollection { return c }
	for _, test := range []struct {
		name           string
		estate         firewalled
		src, dst, host string
		at, want       string
	}{
		{"AZ-FW-07: both directions cross the firewall", firewalled{rules: list(net(100, model.Allow)), far: far}, "10.0.0.70", "10.0.0.140", "", "subnet v/d ", "over one-way session"},
		{"AZ-FW-07: the reply passes the firewall by", firewalled{rules: list(net(100, model.Allow)), back: "VnetLocal", far: far}, "10.0.0.70", "10.0.0.140", "", "subnet v/d ", "over one-way"},
		{"AZ-FW-11: the first priority decides", firewalled{rules: list(net(101, model.Allow), net(100, model.Deny)), far: far}, "10.0.0.70", "10.0.0.140", "", "subnet v/d ", ""},
		{"AZ-FW-16: of two collections with one priority either may be first", firewalled{rules: list(net(100, model.Allow), net(100, model.Deny)), far: far}, "10.0.0.70", "10.0.0.140", "", "subnet v/d ", "over"},
		{"AZ-FW-16: likewise in a policy", firewalled{rules: list(net(100, model.Deny), net(100, model.Allow)), policy: policy(), far: far}, "10.0.0.70", "10.0.0.140", "", "subnet v/d ", "over"},
		{"AZ-FW-16: of two translations with one priority either may be first", firewalled{rules: list(in("10.0.0.140"), in("10.1.0.9")), far: far}, "203.0.113.9", "20.0.0.4", "", "subnet v/d ", "over"},
		{"AZ-FW-20: the first translation decides", firewalled{rules: list(in("10.0.0.140")), far: far}, "203.0.113.9", "20.0.0.4", "", "subnet v/d ", "over one-way session"},
		{"AZ-FW-23: application rules do not see what a NAT rule took", firewalled{rules: list(in("10.0.0.140"), app(model.Deny, star)), far: far}, "203.0.113.9", "20.0.0.4", "", "subnet v/d ", "over one-way session"},
		{"AZ-FW-21: a network Deny may stop it", firewalled{rules: list(in("10.0.0.140"), net(100, model.Deny)), far: far}, "203.0.113.9", "20.0.0.4", "", "subnet v/d ", "over"},
		{"AZ-FW-25: with forced tunnelling the reply leaves elsewhere", firewalled{rules: list(in("10.0.0.140")), forced: true, far: far}, "203.0.113.9", "20.0.0.4", "", "subnet v/d ", "over one-way"},
		{"AZ-FW-26: the target may lie in a peer, and no network rule has to admit it", firewalled{rules: list(in("10.1.0.9")), far: far}, "203.0.113.9", "20.0.0.4", "", "subnet w/d ", "over one-way session"},
		{"AZ-FW-38: application rules act on private destinations", firewalled{rules: list(app(model.Allow, web)), zone: true, far: far}, "10.0.0.70", "10.0.0.141", "app.contoso.com", "subnet v/d ", "over one-way session"},
		{"AZ-FW-38: and deny other names there", firewalled{rules: list(app(model.Allow, web)), zone: true, far: far}, "10.0.0.70", "10.0.0.140", "other.contoso.com", "subnet v/d ", ""},
		{"AZ-FW-43: the target sees the firewall's subnet", firewalled{rules: list(app(model.Allow, web)), zone: true, nsg: from("10.0.0.0/26"), far: far}, "10.0.0.70", "10.0.0.140", "app.contoso.com", "subnet v/d ", "over one-way session"},
		{"AZ-FW-41: between private ranges the source is kept", firewalled{rules: list(net(100, model.Allow)), nsg: from("10.0.0.0/26"), far: far}, "10.0.0.70", "10.1.0.9", "", "subnet w/d ", ""},
		{"AZ-FW-46: a learned default route may break a firewall without a management NIC", firewalled{rules: list(net(100, model.Allow)), learned: "none", far: far}, "10.0.0.70", "8.8.8.8", "", "far side vpn c", "over"},
		{"AZ-FW-46: or it has the internet all the same", firewalled{rules: list(net(100, model.Allow)), learned: "none", far: far}, "10.0.0.70", "8.8.8.8", "", "internet  ", "over"},
		{"AZ-FW-46: a narrower route is no default", firewalled{rules: list(net(100, model.Allow)), learned: "none", far: far}, "10.0.0.70", "20.9.0.9", "", "internet  ", ""},
		{"AZ-FW-46: and breaks nothing", firewalled{rules: list(net(100, model.Allow)), learned: "none", far: far}, "10.0.0.70", "20.9.0.9", "", "far side vpn c", "over one-way session"},
		{"AZ-FW-46: with a route to the internet of its own the firewall works", firewalled{rules: list(net(100, model.Allow)), learned: "Internet", far: far}, "10.0.0.70", "8.8.8.8", "", "internet  ", "over one-way session"},
		{"AZ-FW-45: with a management NIC it follows the default route", firewalled{rules: list(net(100, model.Allow)), learned: "managed", far: far}, "10.0.0.70", "8.8.8.8", "", "far side vpn c", "over one-way session"},
		{"AZ-FW-45: and nothing leaves beside it", firewalled{rules: list(net(100, model.Allow)), learned: "managed", far: far}, "10.0.0.70", "8.8.8.8", "", "internet  ", ""},
		{"AZ-FW-44: towards public space in private use the source is a private one of the firewall", firewalled{rules: list(net(100, model.Allow)), nsg: from("10.0.0.0/26"), far: "25.0.0.0/24"}, "10.0.0.70", "25.0.0.9", "", "subnet w/d ", "over one-way session"},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, err := newJoint(test.estate.draft().Clone())
			if err != nil {
				t.Fatal(err)
			}
			p := trace.Packet{Src: ip(test.src), Dst: ip(test.dst), Protocol: model.TCP, SPort: 50000, DPort: 443, Name: test.host}
			j.holds(t, p, test.at, test.want)
		})
	}
}

// AZ-FW-53, AZ-FW-54, AZ-REL-09: the explicit proxy relays what application rules allow, the DNS proxy what its servers are asked.
func TestFirewallRelays(t *testing.T) {
	any := model.AddressMatch{Any: true}
	web := model.FirewallRule{Name: "web", Sources: any, Apps: []model.AppProtocol{{Type: "Https", Port: 443}}, FQDNs: []string{"api.contoso.com"}}
	rules := []model.RuleCollection{collection("app", 100, model.ApplicationRules, model.Allow, web)}
	proxy := func(p model.FirewallPolicy) firewalled {
		p.Meta = smallMeta("firewallPolicies/p")
		return firewalled{rules: rules, policy: &p, back: "VnetLocal", far: "10.1.0.0/24"}
	}
	for _, test := range []struct {
		name, from, to, service string
		estate                  firewalled
		direct                  bool
		want                    Verdict
	}{
		{"the peer's way out is the proxy", "subnet:w/d", "internet", "tcp/443", proxy(model.FirewallPolicy{ExplicitProxy: model.On, ProxyPorts: []uint16{8080}}), false, Unknown},
		{"packets have none", "subnet:w/d", "internet", "tcp/443", proxy(model.FirewallPolicy{ExplicitProxy: model.On, ProxyPorts: []uint16{8080}}), true, Unreachable},
		{"without the proxy there is no way", "subnet:w/d", "internet", "tcp/443", proxy(model.FirewallPolicy{}), false, Unreachable},
		{"another port than the rules name is not relayed", "subnet:w/d", "internet", "tcp/22", proxy(model.FirewallPolicy{ExplicitProxy: model.On, ProxyPorts: []uint16{8080}}), false, Unreachable},
		{"queries go on to the server", "subnet:w/d", "internet", "udp/53", proxy(model.FirewallPolicy{DNSProxy: model.On, DNSServers: []netip.Addr{ip("198.51.100.53")}}), false, Unknown},
		{"nothing else does", "subnet:w/d", "internet", "tcp/443", proxy(model.FirewallPolicy{DNSProxy: model.On, DNSServers: []netip.Addr{ip("198.51.100.53")}}), false, Unreachable},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := test.estate.draft().Estate()
			if err != nil {
				t.Fatal(err)
			}
			sel := func(text string) []model.Selector {
				x, bad := model.ParseSelector(text)
				if bad != nil {
					t.Fatal(bad)
				}
				return []model.Selector{x}
			}
			service, err := model.ParsePortService(test.service)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Solve(&model.Project{Estate: e}, Options{Questions: slices.Concat(sel(test.from), sel(test.to))})
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Reach(sel(test.from), sel(test.to), []model.PortService{service}, test.direct)
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != test.want {
				t.Errorf("%s to %s %s: got %s, want %s", test.from, test.to, test.service, got.Verdict, test.want)
			}
			for _, f := range got.Flows {
				if f.Kind != "relayed" || !slices.Contains(f.Via, "firewall:fw") {
					t.Errorf("%s to %s: got %s via %v, want relayed via firewall:fw", test.from, test.to, f.Kind, f.Via)
				}
			}
		})
	}
}

// AZ-FW-33: an account of which the input does not state the names may be the owner of any name that no other account has, at its public door,
// and at a private endpoint that a zone leads to. What is known of the name stays as it is.
func TestNamelessAccounts(t *testing.T) {
	any := model.AddressMatch{Any: true}
	web := model.FirewallRule{Name: "web", Sources: any, Apps: []model.AppProtocol{{Type: "Https", Port: 443}}, FQDNs: []string{"*.contoso.com", "kv.vault.azure.net"}}
	closed := web
	closed.FQDNs = []string{"kv.vault.azure.net"}
	const host, kv = "a.contoso.com", "kv.vault.azure.net"
	for _, test := range []struct {
		name, host, public string
		rule               model.FirewallRule
		zone, stated       bool
		door, endpoint     string
		internet           string
	}{
		{"any name may be its own", host, "Enabled", web, false, false, "over", "", "over one-way session"},
		{"but not that of another account", kv, "Enabled", web, false, false, "", "", ""},
		{"nor one that no rule allows", host, "Enabled", closed, false, false, "", "", ""},
		{"its door may be shut", host, "Disabled", web, false, false, "", "", "over one-way session"},
		{"a zone leads to its endpoint", host, "Disabled", web, true, false, "", "over", "over one-way session"},
		{"with names it is as they say", host, "Enabled", web, true, true, "", "", "over one-way session"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := firewalled{rules: []model.RuleCollection{collection("app", 100, model.ApplicationRules, model.Allow, test.rule)}, far: "10.1.0.0/24"}.draft()
			account := &model.Service{Meta: smallMeta("things/t"), Kind: model.OtherService, Type: "Microsoft.Network/things", Public: test.public, HasACLs: true, DefaultAccess: model.Allow}
			if test.stated {
				account.Hosts = []string{"t.example.net"}
			}
			vault := &model.Service{Meta: smallMeta("vaults/kv"), Kind: model.KeyVault, Type: "Microsoft.KeyVault/vaults", Public: "Enabled", HasACLs: true, DefaultAccess: model.Allow, Hosts: []string{kv}}
			pe := &model.PrivateEndpoint{Meta: smallMeta("privateEndpoints/pe"), Subnet: smallID("virtualNetworks/v") + "/subnets/d", Addresses: []netip.Addr{ip("10.0.0.150")}, Target: account.ID, State: "Approved"}
			if test.zone {
				zone := &model.DNSZone{Meta: smallMeta("privateDnsZones/z"), Zone: "privatelink.example.net", Private: true, Links: []model.ZoneLink{{VNet: smallID("virtualNetworks/v")}}}
				pe.Zones = []model.ID{zone.ID}
				d.Resources = append(d.Resources, zone)
			}
			d.Resources = append(d.Resources, account, vault, pe)
			j, err := newJoint(d.Clone())
			if err != nil {
				t.Fatal(err)
			}
			p := trace.Packet{Src: ip("10.0.0.70"), Dst: ip("198.51.100.9"), Protocol: model.TCP, SPort: 50000, DPort: 443, Name: test.host}
			q, ok := j.sent(p)
			if !ok {
				t.Fatalf("nobody sends %s", p)
			}
			if diff := j.differ(q); diff != "" {
				t.Errorf("the engines differ: %s", diff)
			}
			got := j.solver(q)
			for place, want := range map[model.Place]string{
				{Kind: model.PlaceService, ID: account.ID}: test.door, {Kind: model.PlaceEndpoint, ID: pe.ID}: test.endpoint, {Kind: model.PlaceInternet}: test.internet,
			} {
				if b := bounds(got[placeText(place)]); b != want {
					t.Errorf("at %s: got %q, want %q; all: %v", placeText(place), b, want, got)
				}
			}
			res := trace.Run(j.s.Project.Estate, j.s.traceOptions(false), q.trace)
			named := slices.ContainsFunc(res.Paths, func(x trace.Path) bool { return slices.Contains(x.Assumptions, "MISSING(host names of t)") })
			if named != (test.host == host && !test.stated && test.rule.FQDNs[0] != kv) {
				t.Errorf("MISSING(host names of t) is named: %v", named)
			}
			r, err := j.s.Reach(selectors(t, "subnet:v/s"), selectors(t, "service:t"), []model.PortService{portService(t, "tcp/443")}, true)
			if err != nil {
				t.Fatal(err)
			}
			if test.door != "" && (r.Verdict != Unknown || !slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return a.ID == "MISSING(host names of t)" })) {
				t.Errorf("subnet to account: got %s for %v, want unknown for its names", r.Verdict, r.Assumptions)
			}
		})
	}
}
