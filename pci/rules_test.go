package pci

import (
	"encoding/csv"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

// azure is the ID of a resource of the test estate.
func azure(kind, name string) model.ID {
	return model.ID("/subscriptions/s/resourceGroups/rg-a/providers/Microsoft.Network/" + kind + "/" + name)
}

func meta(id model.ID, line int) model.Meta {
	return model.Meta{ID: id, Source: at(line)}
}

func at(line int) model.Source { return model.Source{File: "estate.json", Line: line} }

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, p := range list {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

// controls is an estate with one control of each kind.
func controls(t *testing.T) *model.Estate {
	t.Helper()
	every := []model.PortRange{model.AllPorts}
	https := []model.PortRange{{First: 443, Last: 443}}
	anyone := model.AddressMatch{Any: true}
	subnet := azure("virtualNetworks", "vnet") + "/subnets/snet-pe"
	cluster := model.ID("/subscriptions/s/resourceGroups/rg-a/providers/Microsoft.ContainerService/managedClusters/aks")
	list := []model.Resource{
		&model.NSG{Meta: meta(azure("networkSecurityGroups", "nsg-pe"), 10), Rules: []model.SecurityRule{
			{Name: "AllowVaultIn", Source: at(11), Priority: 100, Direction: model.Inbound, Access: model.Allow, Protocol: model.TCP, SourceAddrs: model.AddressMatch{Prefixes: prefixes("10.240.1.0/24"), ASGs: []model.ID{azure("applicationSecurityGroups", "asg-web")}}, DestAddrs: model.AddressMatch{Tags: []string{"VirtualNetwork"}}, SourcePorts: every, DestPorts: https},
			{Name: "DenyAllIn", Source: at(12), Priority: 4096, Direction: model.Inbound, Access: model.Deny, Protocol: model.AnyProtocol, SourceAddrs: anyone, DestAddrs: anyone, SourcePorts: every, DestPorts: every},
			{Name: "AllowVnetInBound", Source: model.Source{Platform: "default rule", Resource: azure("networkSecurityGroups", "nsg-pe")}, Priority: 65000, Direction: model.Inbound, Access: model.Allow, Protocol: model.AnyProtocol, SourceAddrs: anyone, DestAddrs: anyone, SourcePorts: every, DestPorts: every, Default: true},
			{Name: "Odd", Source: at(13), Priority: 200, Direction: model.Outbound, Access: model.Allow, Protocol: model.UDP, SourceAddrs: anyone, SourcePorts: []model.PortRange{{First: 53, Last: 53}}, DestPorts: []model.PortRange{{First: 1000, Last: 2000}}, UnknownMatch: "a new field"},
		}},
		&model.FirewallPolicy{Meta: meta(azure("firewallPolicies", "fwp"), 20)},
		&model.IPGroup{Meta: meta(azure("ipGroups", "ipg-web"), 21), Prefixes: prefixes("10.1.0.0/16", "10.2.0.4/32")},
		&model.RuleCollectionGroup{Meta: meta(azure("firewallPolicies", "fwp")+"/ruleCollectionGroups/rcg", 22), Policy: azure("firewallPolicies", "fwp"), Priority: 300, Collections: []model.RuleCollection{
			{Name: "app", Source: at(23), Priority: 100, Kind: model.ApplicationRules, Access: model.Allow, Rules: []model.FirewallRule{
				{Name: "psp", Source: at(24), Sources: model.AddressMatch{IPGroups: []model.ID{azure("ipGroups", "ipg-web")}}, Apps: []model.AppProtocol{{Type: "Https", Port: 443}}, FQDNs: []string{"api.psp.example"}},
				{Name: "both", Source: at(25), Sources: anyone, Apps: []model.AppProtocol{{Type: "Http", Port: 80}, {Type: "Https", Port: 443}}, FQDNTags: []string{"WindowsUpdate"}, WebCategories: []string{"Banking"}},
			}},
			{Name: "dnat", Source: at(26), Priority: 200, Kind: model.DNATRules, Access: model.Allow, Rules: []model.FirewallRule{
				{Name: "in", Source: at(27), Sources: anyone, Dests: model.AddressMatch{Prefixes: prefixes("20.1.1.1/32")}, Protocols: []model.Protocol{model.TCP, model.UDP}, Ports: https, ToAddress: netip.MustParseAddr("10.1.2.3"), ToPort: 8443},
			}},
			{Name: "strange", Source: at(28), Priority: 300, Kind: model.NetworkRules, Access: model.Deny, Unknown: "a collection of kind Quantum"},
		}},
		&model.Firewall{Meta: meta(azure("azureFirewalls", "fw-old"), 30), Collections: []model.RuleCollection{
			{Name: "net", Source: at(31), Priority: 100, Kind: model.NetworkRules, Access: model.Allow, Rules: []model.FirewallRule{
				{Name: "ntp", Source: at(32), Sources: anyone, Dests: model.AddressMatch{FQDNs: []string{"time.example"}}, Protocols: []model.Protocol{model.UDP}, Ports: []model.PortRange{{First: 123, Last: 123}}},
			}},
		}},
		&model.PublicIP{Meta: meta(azure("publicIPAddresses", "pip"), 40)},
		&model.AppGateway{
			Meta: meta(azure("applicationGateways", "agw"), 41), Stopped: true, LegacyWAF: &model.LegacyWAF{Enabled: model.On, Mode: "Detection", RuleSet: "OWASP 3.2"},
			Frontends: []model.AGWFrontend{{ID: "front", PublicIP: azure("publicIPAddresses", "pip")}}, Ports: []model.AGWPort{{ID: "port", Port: 443}},
			Listeners: []model.AGWListener{{Name: "pay", Source: at(42), Frontend: "FRONT", Port: "Port", Protocol: "Https", Hosts: []string{"pay.example"}}},
		},
		&model.WAFPolicy{Meta: meta(azure("ApplicationGatewayWebApplicationFirewallPolicies", "waf"), 50), Enabled: model.On, Mode: "Prevention", RuleSets: []string{"OWASP 3.2"}, Disabled: []string{"942100"}, Exclusions: 2, Custom: []model.WAFRule{
			{Name: "office", Source: at(51), Priority: 5, Action: "Allow", Conditions: []model.WAFCondition{{Variables: []string{"RemoteAddr"}, Operator: "IPMatch", Negate: true, Prefixes: prefixes("203.0.113.0/24")}}},
			{Name: "bots", Source: at(52), Priority: 6, Action: "Block", RateLimit: true},
		}},
		&model.WAFPolicy{Meta: meta(azure("ApplicationGatewayWebApplicationFirewallPolicies", "waf-watch"), 53), Enabled: model.On, Mode: "Detection", Custom: []model.WAFRule{{Name: "bots", Source: at(54), Priority: 6, Action: "Block"}}},
		&model.LoadBalancer{
			Meta: meta(azure("loadBalancers", "lb"), 60), Frontends: []model.LBFrontend{{ID: "lbfront", Address: netip.MustParseAddr("10.240.4.4")}},
			Rules:    []model.LBRule{{Name: "https", Source: at(61), Frontend: "lbfront", Protocol: model.TCP, FrontendPort: 443, BackendPort: 8443}, {Name: "ha", Source: at(62), Frontend: "lbfront", Protocol: model.AnyProtocol}},
			NATRules: []model.LBNATRule{{Name: "ssh", Source: at(63), Frontend: "lbfront", Protocol: model.TCP, FrontendPorts: model.PortRange{First: 5000, Last: 5010}, BackendPort: 22}},
		},
		&model.Cluster{Meta: meta(cluster, 70), APIRangesSet: true, APIRanges: prefixes("198.51.100.0/24")},
		&model.NetworkPolicy{
			Meta: model.Meta{ID: model.Kubernetes("aks", "NetworkPolicy", "payments", "web"), Source: at(80)}, Cluster: cluster, Namespace: "payments",
			Pods: model.LabelSelector{Match: map[string]string{"tier": "front", "app": "web"}}, Isolates: [2]bool{true, true},
			Ingress: []model.PolicyRule{{Source: at(81), Peers: []model.PolicyPeer{
				{IPBlock: &model.IPBlock{CIDR: netip.MustParsePrefix("10.0.0.0/8"), Except: prefixes("10.9.0.0/16")}},
				{Namespaces: &model.LabelSelector{}, Pods: &model.LabelSelector{Requirements: []model.Requirement{{Key: "app", Operator: "In", Values: []string{"a", "b"}}}}},
			}, Ports: []model.PolicyPort{{Protocol: model.TCP, Ports: model.PortRange{First: 8443, Last: 8443}}, {Protocol: model.UDP, Named: "dns"}}}},
		},
		&model.CalicoPolicy{
			Meta: model.Meta{ID: model.Kubernetes("aks", "CalicoGlobalNetworkPolicy", "", "wall"), Source: at(87)}, Cluster: cluster, Kind: "GlobalNetworkPolicy", Tier: "first", Order: 2.5,
			Selector: model.CalicoSelector{{Labels: model.LabelSelector{Requirements: []model.Requirement{{Key: "app", Operator: "In", Values: []string{"web"}}}}}, {Namespaces: &model.LabelSelector{Match: map[string]string{"env": "x"}}}}, Applies: [2]bool{true, false},
			Rules: [2][]model.CalicoRule{
				{{Source: at(88), Action: model.PolicyPass, NotProtocols: []model.Protocol{model.UDP}, From: model.CalicoEnd{Nets: prefixes("10.0.0.0/8"), NotSelector: model.CalicoSelector{{}}, Namespaces: model.CalicoSelector{{Namespaces: &model.LabelSelector{Requirements: []model.Requirement{{Key: "kubernetes.io/metadata.name", Operator: "DoesNotExist"}}}}}}}},
				{{Source: at(89), Protocols: []model.Protocol{model.TCP}, To: model.CalicoEnd{NotNets: prefixes("10.0.0.0/8"), Ports: []model.PolicyPort{{Ports: model.PortRange{First: 80, Last: 90}}}, NotPorts: []model.PolicyPort{{Named: "http"}}}}},
			},
		},
		&model.CiliumPolicy{
			Meta: model.Meta{ID: model.Kubernetes("aks", "CiliumNetworkPolicy", "payments", "l7"), Source: at(82)}, Cluster: cluster, Kind: "CiliumNetworkPolicy", Namespace: "payments",
			Rules: []model.CiliumRule{{
				Allow: [2][]model.CiliumTraffic{{{Source: at(83), Peers: []model.CiliumPeer{{Endpoints: &model.CiliumSelector{}}, {Entity: "world"}}, Doubt: true, Ports: []model.PolicyPort{{Protocol: model.TCP, Ports: model.PortRange{First: 80, Last: 80}}}}, {Source: at(84)}}},
				Deny:  [2][]model.CiliumTraffic{nil, {{Source: at(84), AnyPeer: true, ICMP: []model.CiliumICMP{{Protocol: model.ICMP}}}}},
			}},
		},
		&model.ClusterPolicy{
			Meta: model.Meta{ID: model.Kubernetes("aks", "ClusterNetworkPolicy", "", "guard"), Source: at(85)}, Cluster: cluster, Kind: "ClusterNetworkPolicy", Priority: 7,
			Subject: model.PolicySubject{Namespaces: model.LabelSelector{Match: map[string]string{"env": "prod"}}, Pods: &model.LabelSelector{}},
			Egress: []model.ClusterPolicyRule{{Source: at(86), Peers: []model.ClusterPolicyPeer{{Networks: prefixes("10.0.0.0/8")}, {Nodes: &model.LabelSelector{}}, {}}, Ports: []model.PolicyPort{{Protocol: model.TCP, All: true}}}, {
				Source: at(87), Action: model.PolicyAllow, Peers: []model.ClusterPolicyPeer{{Names: []string{"*.bank.example"}}, {Namespaces: &model.LabelSelector{}}},
			}},
		},
		&model.Service{
			Meta: meta("/subscriptions/s/resourceGroups/rg-a/providers/Microsoft.KeyVault/vaults/kv", 90), Kind: model.KeyVault, HasACLs: true, DefaultAccess: model.Deny, Bypass: "AzureServices",
			IPRules: []model.IPRule{{Source: at(91), Prefixes: prefixes("203.0.113.0/24")}}, VNetRules: []model.VNetRule{{Source: at(92), Subnet: subnet}},
		},
		&model.Service{
			Meta: meta("/subscriptions/s/resourceGroups/rg-a/providers/Microsoft.Sql/servers/sql", 93), Kind: model.SQLServer, Public: "Disabled", PublicSource: at(94),
			IPRules: []model.IPRule{{Name: "AllowAllWindowsAzureIps", Source: at(95), AllAzure: true}},
		},
	}
	e, err := model.NewEstate(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Every rule of every control, in the order of decisions.md 8.2.
func TestRules(t *testing.T) {
	want := []string{ // rule | action | protocol ports | source | destination | place | note
		"nsg:nsg-pe/AllowVaultIn | Allow | tcp 443 | 10.240.1.0/24, asg:asg-web | VirtualNetwork | estate.json:11 |",
		"nsg:nsg-pe/DenyAllIn | Deny | any * | * | * | estate.json:12 |",
		"nsg:nsg-pe/defaultSecurityRules/AllowVnetInBound | Allow | any * | * | * | default rule of nsg-pe |",
		"nsg:nsg-pe/Odd | Allow | udp 1000-2000 | * | nothing | estate.json:13 | not understood: a new field; from source ports 53",
		"firewall:fwp/rcg/dnat/in | Allow | tcp, udp 443 | * | 20.1.1.1 | estate.json:27 | dnat rule; translated to 10.1.2.3:8443",
		"firewall:fwp/rcg/strange | Deny | any * | * | * | estate.json:28 | not understood: a collection of kind Quantum",
		"firewall:fwp/rcg/app/psp | Allow | https 443 | ipgroup:ipg-web (10.1.0.0/16, 10.2.0.4) | api.psp.example | estate.json:24 | application rule",
		"firewall:fwp/rcg/app/both | Allow | http, https http:80, https:443 | * | FQDN tag WindowsUpdate, category Banking | estate.json:25 | application rule",
		"firewall:fw-old/net/ntp | Allow | udp 123 | * | time.example | estate.json:32 | network rule",
		"appgw:agw/pay | Allow | https 443 | * | public address pip, host pay.example | estate.json:42 | listener; the gateway is stopped",
		"appgw:agw/webApplicationFirewallConfiguration | Log | http * | * | * | estate.json:41 | managed rules OWASP 3.2; mode Detection",
		"waf:waf/office | Allow | http * | RemoteAddr not IPMatch 203.0.113.0/24 | * | estate.json:51 | custom rule",
		"waf:waf/bots | Deny | http * | * | * | estate.json:52 | custom rule; above a rate only",
		"waf:waf/managedRules | Deny | http * | * | * | estate.json:50 | managed rules OWASP 3.2; mode Prevention; 1 rule disabled; 2 exclusions",
		"waf:waf-watch/bots | Log | http * | * | * | estate.json:54 | custom rule",
		"waf:waf-watch/managedRules | Log | http * | * | * | estate.json:53 | no managed rules; mode Detection",
		"lb:lb/https | Allow | tcp 443 | * | 10.240.4.4 | estate.json:61 | load balancing, to port 8443",
		"lb:lb/ha | Allow | any * | * | 10.240.4.4 | estate.json:62 | load balancing, every port",
		"lb:lb/ssh | Allow | tcp 5000-5010 | * | 10.240.4.4 | estate.json:63 | inbound NAT, to port 22",
		"policy:aks/ClusterNetworkPolicy/guard/egress[0] | Deny | tcp * | pods (all) in namespaces env=prod | 10.0.0.0/8, nodes (all), a peer that says nothing | estate.json:86 | tier Admin, priority 7",
		"policy:aks/ClusterNetworkPolicy/guard/egress[1] | Allow | any * | pods (all) in namespaces env=prod | *.bank.example, namespaces (all) | estate.json:87 | tier Admin, priority 7",
		"policy:aks/GlobalNetworkPolicy/wall/ingress[0] | Pass | not udp * | endpoints (all) that are global and not endpoints (all) and 10.0.0.0/8 | pods app In (web) or env=x | estate.json:88 | tier first, order 2.5",
		"policy:aks/GlobalNetworkPolicy/wall/egress[0] | Deny | tcp 80-90, not http | pods app In (web) or env=x | not 10.0.0.0/8 | estate.json:89 | tier first, order 2.5; without effect: the policy does not apply to this direction",
		"policy:aks/payments/web/ingress[0] | Allow | tcp, udp tcp/8443, udp/dns | 10.0.0.0/8 except 10.9.0.0/16, pods app In (a, b) in namespaces (all) | pods app=web, tier=front in payments | estate.json:81 |",
		"policy:aks/payments/l7/ingress[0] | Allow | tcp 80 | pods (all) in payments, entity world | pods (all) in payments | estate.json:83 | may match less: rules for the application layer, or what versions of Cilium read differently",
		"policy:aks/payments/l7/ingress[1] | Allow | any * | nothing | pods (all) in payments | estate.json:84 |",
		"policy:aks/payments/l7/egressDeny[0] | Deny | icmp * | pods (all) in payments | * | estate.json:84 |",
		"policy:aks/payments/web | Deny | any * | pods app=web, tier=front in payments | * | estate.json:80 | isolates the pods: what no policy allows is denied",
		"database:sql/publicNetworkAccess | Deny | any * | internet | service:sql | estate.json:94 | public network access Disabled",
		"database:sql/AllowAllWindowsAzureIps | Allow | any * | every Azure address | service:sql | estate.json:95 |",
		"vault:kv/publicNetworkAccess | Allow | any * | internet | service:kv | estate.json:90 | public network access is not stated, which is Enabled",
		"vault:kv/defaultAction | Deny | any * | * | service:kv | estate.json:90 | what no rule below matches",
		"vault:kv/203.0.113.0/24 | Allow | any * | 203.0.113.0/24 | service:kv | estate.json:91 |",
		"vault:kv/vnet/snet-pe | Allow | any * | subnet:vnet/snet-pe | service:kv | estate.json:92 |",
		"vault:kv/bypass | Allow | any * | trusted Microsoft services | service:kv | estate.json:90 | bypass AzureServices",
		"apiserver:aks/198.51.100.0/24 | Allow | tcp 443 | 198.51.100.0/24 | apiserver:aks | estate.json:70 | authorised range",
	}
	var got []string
	for _, r := range Rules(&model.Project{Estate: controls(t)}) {
		got = append(got, strings.TrimSpace(strings.Join([]string{
			r.Rule, r.Action, r.Protocol + " " + joinCell(r.Ports), joinCell(r.Source), joinCell(r.Destination), r.At, r.Note,
		}, " | ")))
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("rules (-got +want):\n%s", diff)
	}
}

// Who may reach an API server's public door (AKS-API-01 to 03).
func TestAPIServerRules(t *testing.T) {
	for _, test := range []struct {
		name    string
		cluster model.Cluster
		want    string
	}{
		{"open by default", model.Cluster{}, "Allow internet: no authorised ranges: open to the internet"},
		{"an empty list is open", model.Cluster{APIRangesSet: true}, "Allow internet: no authorised ranges: open to the internet"},
		{"private", model.Cluster{Private: model.On}, "Deny internet: private: no public door"},
		{"public access off", model.Cluster{PublicAccess: "disabled"}, "Deny internet: private: no public door"},
		{
			"ranges of a private cluster do nothing",
			model.Cluster{Private: model.On, APIRanges: prefixes("198.51.100.0/24")},
			"Deny internet: private: no public door | Allow 198.51.100.0/24: authorised range, without effect: there is no public door",
		},
		{"manifests say nothing", model.Cluster{Manifest: true}, ""},
	} {
		c := test.cluster
		c.Meta = meta("/subscriptions/s/resourceGroups/rg-a/providers/Microsoft.ContainerService/managedClusters/aks", 1)
		e, err := model.NewEstate([]model.Resource{&c}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range Rules(&model.Project{Estate: e}) {
			got = append(got, r.Action+" "+joinCell(r.Source)+": "+r.Note)
		}
		if got := strings.Join(got, " | "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// Reasons join by name: decisions.md, 8.2.
func TestJustifications(t *testing.T) {
	valid := func(line int, reason string, rules ...string) model.Justification {
		return model.Justification{Source: model.Source{File: "ringfence.yaml", Line: line}, Rules: rules, Reason: reason, Owner: "Payments", ApprovedBy: "Board", Expires: model.Date{Year: 2026, Month: 11, Day: 1}}
	}
	changed := func(j model.Justification, change func(*model.Justification)) model.Justification {
		change(&j)
		return j
	}
	const vault, deny, platform, web, psp = "nsg:nsg-pe/AllowVaultIn", "nsg:nsg-pe/DenyAllIn", "nsg:nsg-pe/defaultSecurityRules/AllowVnetInBound", "policy:aks/payments/web/ingress[0]", "firewall:fwp/rcg/app/psp"
	for _, test := range []struct {
		name    string
		reasons []model.Justification
		rule    string
		want    string // reason | note
	}{
		{"by name", []model.Justification{valid(1, "a", vault)}, vault, "a |"},
		{"Azure names compare without case", []model.Justification{valid(1, "a", "NSG:NSG-PE/allowvaultin")}, vault, "a |"},
		{"Kubernetes names compare exactly", []model.Justification{valid(1, "a", "policy:aks/payments/Web/ingress[0]")}, web, "|"},
		{"a resource group may precede", []model.Justification{valid(1, "a", "nsg:RG-A/nsg-pe/AllowVaultIn")}, vault, "a |"},
		{"another resource group does not", []model.Justification{valid(1, "a", "nsg:rg-b/nsg-pe/AllowVaultIn")}, vault, "|"},
		{"a glob", []model.Justification{valid(1, "a", "nsg:nsg-*/Allow*")}, vault, "a |"},
		{"a glob stays within its part", []model.Justification{valid(1, "a", "nsg:*")}, vault, "|"},
		{"a question mark is one character", []model.Justification{valid(1, "a", "nsg:nsg-p?/AllowVaultI?")}, vault, "a |"},
		{"a question mark is not none", []model.Justification{valid(1, "a", "nsg:nsg-pe?/AllowVaultIn")}, vault, "|"},
		{"a glob does not reach default rules", []model.Justification{valid(1, "a", "nsg:nsg-pe/*", "nsg:nsg-pe/defaultSecurityRules/*")}, platform, "|"},
		{"a default rule that is named", []model.Justification{valid(1, "a", "nsg:*/defaultSecurityRules/AllowVnetInBound")}, platform, "a |"},
		{"a glob does not excuse a denial", []model.Justification{valid(1, "a", "nsg:nsg-pe/*")}, deny, "|"},
		{"a denial that is named", []model.Justification{valid(1, "a", deny)}, deny, "a |"},
		{"a whole policy", []model.Justification{valid(1, "a", "policy:aks/payments/web")}, web, "a |"},
		{"a rule of a policy", []model.Justification{valid(1, "a", "policy:aks/payments/web/ingress[*]")}, web, "a |"},
		{"a range", []model.Justification{valid(1, "a", "apiserver:aks/198.51.100.0/24")}, "apiserver:aks/198.51.100.0/24", "a | authorised range"},
		{"all ranges", []model.Justification{valid(1, "a", "apiserver:*/*")}, "apiserver:aks/198.51.100.0/24", "a | authorised range"},
		{"a range with its resource group", []model.Justification{valid(1, "a", "vault:rg-a/kv/203.0.113.0/24")}, "vault:kv/203.0.113.0/24", "a |"},
		{"another kind", []model.Justification{valid(1, "a", "waf:nsg-pe/AllowVaultIn")}, vault, "|"},
		{"firewall rules have four parts", []model.Justification{valid(1, "a", "firewall:fwp/*/*/psp")}, psp, "a | application rule"},

		{"the most specific wins: fewest wildcards", []model.Justification{valid(1, "wide", "nsg:*/*"), valid(2, "exact", vault), valid(3, "one", "nsg:nsg-pe/*")}, vault, "exact | 2 more justifications"},
		{"then most literal characters", []model.Justification{valid(1, "short", "nsg:nsg-pe/A*"), valid(2, "long", "nsg:nsg-pe/AllowVault*")}, vault, "long | 1 more justification"},
		{"then the order of the file", []model.Justification{valid(1, "first", vault), valid(2, "second", vault)}, vault, "first | 1 more justification"},
		{"one justification counts once", []model.Justification{valid(1, "a", vault, "nsg:nsg-pe/*")}, vault, "a |"},

		{"the day of expiry still counts", []model.Justification{valid(1, "a", vault)}, vault, "a |"},
		{
			"the day after it does not",
			[]model.Justification{changed(valid(1, "a", vault), func(j *model.Justification) { j.Expires.Day, j.Expires.Month = 31, 10 })},
			vault,
			"| a reason that does not count, expired 2026-10-31 (ringfence.yaml:1)",
		},
		{"no day, no expiry", []model.Justification{changed(valid(1, "a", vault), func(j *model.Justification) { j.Expires = model.Date{} })}, vault, "a |"},
		{
			"an expired one gives way to a valid one",
			[]model.Justification{changed(valid(1, "old", vault), func(j *model.Justification) { j.Expires.Year = 2025 }), valid(2, "new", "nsg:nsg-pe/*")},
			vault,
			"new | a reason that does not count, expired 2025-11-01 (ringfence.yaml:1)",
		},
		{
			"without owner and approval",
			[]model.Justification{changed(valid(1, "a", vault), func(j *model.Justification) { j.Owner, j.ApprovedBy = " ", "" })},
			vault,
			"| a reason that does not count, without owner, approvedBy (ringfence.yaml:1)",
		},
	} {
		p := &model.Project{Estate: controls(t), Intent: &model.Intent{AsOf: model.Date{Year: 2026, Month: 11, Day: 1}, Justifications: test.reasons}}
		rows := Rules(p)
		i := slices.IndexFunc(rows, func(r RuleRow) bool { return r.Rule == test.rule })
		if i < 0 {
			t.Fatalf("%s: no rule %s", test.name, test.rule)
		}
		if got := strings.TrimSpace(rows[i].Justification + " | " + rows[i].Note); got != test.want {
			t.Errorf("%s: %s: got %q, want %q", test.name, test.rule, got, test.want)
		}
	}
}

// Patterns of untrusted files end soon.
func TestGlobIsFast(t *testing.T) {
	pattern, name := []rune(strings.Repeat("*a", 2000)+"b"), []rune(strings.Repeat("a", 4000))
	done := make(chan bool)
	go func() { done <- glob(pattern, name) }()
	select {
	case got := <-done:
		if got {
			t.Error("the pattern ends in b, the name does not")
		}
	case <-time.After(10 * time.Second):
		t.Error("still matching")
	}
}

func TestRulesFiles(t *testing.T) {
	p := &model.Project{Estate: controls(t), Intent: &model.Intent{AsOf: model.Date{Year: 2026, Month: 11, Day: 1}, Justifications: []model.Justification{{
		Source: at(1), Rules: []string{"nsg:*/Allow*"}, Reason: "=HYPERLINK(1)", Owner: "Payments", ApprovedBy: "Board", Ticket: "CHG-1", SecurityFeatures: []string{"mtls", "waf"},
	}}}}
	rows := Rules(p)
	data, err := RulesCSV(rows)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "rules.csv", data)
	if data, err = RulesJSON(rows); err != nil {
		t.Fatal(err)
	}
	golden(t, "rules.json", data)
	if data, err = RulesJSON(nil); err != nil || !strings.Contains(string(data), `"rows": []`) {
		t.Errorf("no rules: got %s (%v), want an empty list", data, err)
	}
	if data, err = RulesJSON([]RuleRow{{}}); err != nil || strings.Contains(string(data), "null") {
		t.Errorf("a row without lists: got %s (%v), want no null", data, err)
	}
}

// No cell of the table is a formula, and each row keeps its cells, whatever the names.
func TestRulesCSVIsHarmless(t *testing.T) {
	for _, name := range hostile() {
		list := []string{name, name}
		rows := []RuleRow{{name, name, name, name, list, list, list, name, name, name, list, list, name, name, 1, true, name, name, name}}
		data, err := RulesCSV(rows)
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
		if err != nil || len(records) != 2 || len(records[1]) != len(records[0]) {
			t.Fatalf("table of %q: got %d lines (%v), want 2 of equal length", name, len(records), err)
		}
		for i, cell := range records[1] {
			if c := strings.TrimLeft(cell, " "); c != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", []rune(c)[0]) {
				t.Errorf("table of %q: %s is the formula %q", name, records[0][i], cell)
			}
			if strings.ContainsAny(cell, "\x1b\n\r\t\u202e\x00") {
				t.Errorf("table of %q: %s holds a raw character: %q", name, records[0][i], cell)
			}
		}
	}
}

// The order of the input changes nothing.
func TestRulesOrder(t *testing.T) {
	e := controls(t)
	want := Rules(&model.Project{Estate: e})
	list := e.Resources()
	slices.Reverse(list)
	e, err := model.NewEstate(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Rules(&model.Project{Estate: e}), want); diff != "" {
		t.Errorf("rules of the reversed input (-got +want):\n%s", diff)
	}
}
