package kubernetes

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringfence/ringfence/model"
)

// tierPolicy is a ClusterNetworkPolicy p. The lines of spec begin at line 5.
func tierPolicy(spec string) string {
	return "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec:\n" + indent(spec)
}

// oldTierPolicy is one of the kinds of v1alpha1, with the name default. The lines of spec begin at line 5.
func oldTierPolicy(kind, spec string) string {
	return "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: " + kind + "\nmetadata: {name: default}\nspec:\n" + indent(spec)
}

// TestClusterPolicies has every form of the three kinds (K8S-CNP-01, K8S-CNP-07 to K8S-CNP-13).
func TestClusterPolicies(t *testing.T) {
	selector := func(kv ...string) *model.LabelSelector {
		s := &model.LabelSelector{}
		if len(kv) > 0 {
			s.Match = map[string]string{kv[0]: kv[1]}
		}
		return s
	}
	all := model.PortRange{First: 1, Last: 65535}
	port := func(n uint16) model.PortRange { return model.PortRange{First: n, Last: n} }
	for _, test := range []struct {
		name, kind, text string
		want             model.ClusterPolicy
	}{
		{
			"an Admin policy of v1alpha2", "ClusterNetworkPolicy",
			tierPolicy("tier: Admin\npriority: 10\nsubject: {namespaces: {matchLabels: {env: prod}}}\n" +
				"ingress:\n- {name: one, action: Accept, from: [{namespaces: {}}, {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}], protocols: [{tcp: {destinationPort: {number: 80}}}, {udp: {destinationPort: {range: {start: 1, end: 9}}}}, {sctp: {}}, {destinationNamedPort: http}]}\n" +
				"egress:\n- {action: Deny, to: [{networks: [10.0.0.0/8, 'fd00::/8']}, {nodes: {}}]}\n- {action: Accept, to: [{domainNames: ['*.Bank.example', bank.example.]}]}\n- {action: Pass, to: [{namespaces: {}}]}\n"),
			model.ClusterPolicy{
				Priority: 10, Subject: model.PolicySubject{Namespaces: *selector("env", "prod")},
				Ingress: []model.ClusterPolicyRule{{
					Name: "one", Action: model.PolicyAllow, Peers: []model.ClusterPolicyPeer{{Namespaces: selector()}, {Namespaces: selector(), Pods: selector("app", "web")}},
					Ports: []model.PolicyPort{
						{Protocol: model.TCP, Ports: port(80)},
						{Protocol: model.UDP, Ports: model.PortRange{First: 1, Last: 9}},
						{Protocol: model.SCTP, All: true, Ports: all},
						{Protocol: model.AnyProtocol, Named: "http"},
					},
				}},
				Egress: []model.ClusterPolicyRule{
					{Action: model.PolicyDeny, Peers: []model.ClusterPolicyPeer{{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}, {Nodes: selector()}}},
					{Action: model.PolicyAllow, Peers: []model.ClusterPolicyPeer{{Names: []string{"*.bank.example", "bank.example"}}}},
					{Action: model.PolicyPass, Peers: []model.ClusterPolicyPeer{{Namespaces: selector()}}},
				},
			},
		},
		{
			"a Baseline policy of v1alpha2, a subject of pods", "ClusterNetworkPolicy",
			tierPolicy("tier: Baseline\npriority: 0\nsubject: {pods: {namespaceSelector: {}, podSelector: {}}}\ningress: [{action: Pass, from: [{namespaces: {}}]}]\n"),
			model.ClusterPolicy{
				Tier: model.BaselineTier, Subject: model.PolicySubject{Pods: selector()},
				Ingress: []model.ClusterPolicyRule{{Action: model.PolicyPass, Peers: []model.ClusterPolicyPeer{{Namespaces: selector()}}}},
			},
		},
		{
			"K8S-CNP-13: TCP is the default of v1alpha1", "AdminNetworkPolicy",
			oldTierPolicy("AdminNetworkPolicy", "priority: 1000\nsubject: {namespaces: {}}\n"+
				"ingress:\n- {action: Allow, from: [{namespaces: {}}], ports: [{portNumber: {port: 80}}, {portNumber: {protocol: UDP, port: 53}}, {portRange: {protocol: SCTP, start: 1, end: 9}}, {namedPort: http}]}\n"),
			model.ClusterPolicy{
				Priority: 1000,
				Ingress: []model.ClusterPolicyRule{{
					Action: model.PolicyAllow, Peers: []model.ClusterPolicyPeer{{Namespaces: selector()}},
					Ports: []model.PolicyPort{
						{Protocol: model.TCP, Ports: port(80)},
						{Protocol: model.UDP, Ports: port(53)},
						{Protocol: model.SCTP, Ports: model.PortRange{First: 1, Last: 9}},
						{Protocol: model.AnyProtocol, Named: "http"},
					},
				}},
			},
		},
		{
			"the Baseline policy of v1alpha1", "BaselineAdminNetworkPolicy",
			oldTierPolicy("BaselineAdminNetworkPolicy", "subject: {namespaces: {}}\negress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]\n"),
			model.ClusterPolicy{
				Tier:   model.BaselineTier,
				Egress: []model.ClusterPolicyRule{{Action: model.PolicyDeny, Peers: []model.ClusterPolicyPeer{{Networks: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}}}},
			},
		},
		{
			"K8S-CNP-14: a peer of nothing", "ClusterNetworkPolicy",
			tierPolicy("tier: Admin\npriority: 1\nsubject: {namespaces: {}}\ningress: [{action: Deny, from: [{}]}]\n"),
			model.ClusterPolicy{Priority: 1, Ingress: []model.ClusterPolicyRule{{Action: model.PolicyDeny, Peers: []model.ClusterPolicyPeer{{}}}}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := mustImport(t, "m.yaml", test.text)
			name := "default"
			if test.kind == "ClusterNetworkPolicy" {
				name = "p"
			}
			got := get[*model.ClusterPolicy](t, r, test.kind, "", name)
			test.want.Kind = test.kind
			if diff := cmp.Diff(test.want, *got, cmpopts.IgnoreTypes(model.Source{}, model.Meta{}, model.ID("")), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestBadClusterPolicies has what the API server refuses (K8S-GEN-06, K8S-CNP-15).
func TestBadClusterPolicies(t *testing.T) {
	const head = "tier: Admin\npriority: 10\nsubject: {namespaces: {}}\n"
	rules := func(n int) string {
		return "ingress: [" + strings.TrimSuffix(strings.Repeat("{action: Deny, from: [{namespaces: {}}]}, ", n), ", ") + "]\n"
	}
	ports := func(p string) string {
		return tierPolicy(head + "ingress:\n- action: Deny\n  from: [{namespaces: {}}]\n  protocols: [" + p + "]\n")
	}
	oldPorts := func(p string) string {
		return oldTierPolicy("AdminNetworkPolicy", "priority: 1\nsubject: {namespaces: {}}\ningress:\n- action: Deny\n  from: [{namespaces: {}}]\n  ports: ["+p+"]\n")
	}
	to := func(p string) string { return tierPolicy(head + "egress:\n- action: Deny\n  to:\n  - " + p + "\n") }
	for _, test := range []struct{ name, text, want string }{
		{"an unknown tier", tierPolicy("tier: admin\npriority: 1\nsubject: {namespaces: {}}\n"), "m.yaml:5: p: spec.tier: found `admin`, want Admin or Baseline"},
		{"a priority out of range", tierPolicy("tier: Admin\npriority: 1001\nsubject: {namespaces: {}}\n"), "m.yaml:6: p: spec.priority: found `1001`, want a number from 0 to 1000"},
		{"no priority", tierPolicy("tier: Admin\nsubject: {namespaces: {}}\n"), "m.yaml:4: p: spec.priority: want a number from 0 to 1000"},
		{"no subject", tierPolicy("tier: Admin\npriority: 1\n"), "m.yaml:4: p: spec.subject: want namespaces or pods"},
		{"two subjects", tierPolicy("tier: Admin\npriority: 1\nsubject: {namespaces: {}, pods: {podSelector: {}}}\n"), "m.yaml:7: p: spec.subject: found `namespaces and pods`, want one or the other"},
		{"a subject without podSelector", tierPolicy("tier: Admin\npriority: 1\nsubject: {pods: {namespaceSelector: {}}}\n"), "m.yaml:7: p: spec.subject.pods.podSelector: want a selector; {} selects every pod"},
		{"another action", tierPolicy(head + "ingress: [{action: Allow, from: [{namespaces: {}}]}]\n"), "m.yaml:8: p: spec.ingress[0].action: found `Allow`, want Accept, Deny or Pass"},
		{"Pass in a Baseline of v1alpha1", oldTierPolicy("BaselineAdminNetworkPolicy", "subject: {namespaces: {}}\ningress: [{action: Pass, from: [{namespaces: {}}]}]\n"), "m.yaml:6: default: spec.ingress[0].action: found `Pass`, want Allow or Deny"},
		{"another Baseline", strings.Replace(oldTierPolicy("BaselineAdminNetworkPolicy", "subject: {namespaces: {}}\n"), "default", "other", 1), "m.yaml:3: other: metadata.name: found `other`, want default, the name of the only one"},
		{"no peers", tierPolicy(head + "ingress: [{action: Deny, from: []}]\n"), "m.yaml:8: p: spec.ingress[0].from: found `0 peers`, want 1 to 25"},
		{"too many rules", tierPolicy(head + rules(26)), "m.yaml:8: p: spec.ingress: found `26 rules`, want at most 25"},
		{"more rules than v1alpha1 takes", oldTierPolicy("AdminNetworkPolicy", "priority: 1\nsubject: {namespaces: {}}\n"+rules(101)), "m.yaml:7: default: spec.ingress: found `101 rules`, want at most 100"},
		{"two peers in one", to("{namespaces: {}, networks: [10.0.0.0/8]}"), "m.yaml:11: p: spec.egress[0].to[0]: found `namespaces and networks`, want exactly one of them"},
		{"a bad network", to("{networks: [10.0.0.0]}"), "m.yaml:11: p: spec.egress[0].to[0].networks[0]: found `10.0.0.0`, want a CIDR as in 10.9.8.0/24 or 2001:db8::/64"},
		{"no networks", to("{networks: []}"), "m.yaml:11: p: spec.egress[0].to[0].networks: found `0 networks`, want 1 to 25"},
		{"names in a Deny", to("{domainNames: [a.example]}"), "m.yaml:11: p: spec.egress[0].to[0].domainNames: found `domainNames`, want domain names in rules with action Accept only"},
		{"a bad name", strings.Replace(to("{domainNames: ['a.*.example']}"), "Deny", "Accept", 1), "m.yaml:11: p: spec.egress[0].to[0].domainNames[0]: found `a.*.example`, want a domain name, possibly with `*.` in front"},
		{"a misspelt peer", to("{network: [10.0.0.0/8]}"), "m.yaml:11: p: spec.egress[0].to[0].network: found `network`, want a known field, perhaps networks"},
		{"two protocols in one", ports("{tcp: {}, udp: {}}"), "m.yaml:11: p: spec.ingress[0].protocols[0]: found `2 of them`, want exactly one of tcp, udp, sctp, destinationNamedPort"},
		{"no protocol", ports("{}"), "m.yaml:11: p: spec.ingress[0].protocols[0]: found `0 of them`, want exactly one of tcp, udp, sctp, destinationNamedPort"},
		{"an empty list", ports(""), "m.yaml:11: p: spec.ingress[0].protocols: found `0 entries`, want 1 to 25, or no list at all"},
		{"port 0", ports("{tcp: {destinationPort: {number: 0}}}"), "m.yaml:11: p: spec.ingress[0].protocols[0].tcp.destinationPort.number: found `0`, want a port from 1 to 65535"},
		{"a port of nothing", ports("{tcp: {destinationPort: {}}}"), "m.yaml:11: p: spec.ingress[0].protocols[0].tcp.destinationPort: want exactly one of number and range"},
		{"a range that does not grow", ports("{tcp: {destinationPort: {range: {start: 9, end: 9}}}}"), "m.yaml:11: p: spec.ingress[0].protocols[0].tcp.destinationPort.range.end: found `9`, want a port above port 9"},
		{"a protocol of its own", oldPorts("{portNumber: {protocol: ICMP, port: 1}}"), "m.yaml:10: default: spec.ingress[0].ports[0].portNumber.protocol: found `ICMP`, want TCP, UDP or SCTP"},
		{"two ports in one", oldPorts("{portNumber: {port: 1}, namedPort: a}"), "m.yaml:10: default: spec.ingress[0].ports[0]: found `2 of them`, want exactly one of portNumber, portRange, namedPort"},
		{"a port by name of a network", tierPolicy(head + "egress:\n- action: Deny\n  to: [{networks: [10.0.0.0/8]}]\n  protocols: [{destinationNamedPort: http}]\n"), "m.yaml:9: p: spec.egress[0]: found `a named port`, want port numbers for nodes, networks and domain names, which have no named ports"},
		{"text where a list belongs", tierPolicy(head + "ingress: all\n"), "m.yaml:8: p: spec.ingress: found `all`, want a list; this is a string"},
	} {
		_, err := importText("m.yaml", test.text)
		if got := fmt.Sprint(err); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

// TestClusterPolicyLedger has what is read otherwise than written, or not understood.
func TestClusterPolicyLedger(t *testing.T) {
	const head = "tier: Admin\npriority: 10\nsubject: {namespaces: {}}\n"
	for _, test := range []struct{ name, text, want string }{
		{"K8S-CNP-14: a peer of nothing", tierPolicy(head + "ingress:\n- action: Deny\n  from: [{}]\n"), "irrelevant m.yaml:10 spec.ingress[0].from[0]: a peer without a known field: an allowing rule matches nothing, any other denies everything (K8S-CNP-14)"},
		{
			"K8S-CNP-14: a peer of another version", tierPolicy(head + "ingress:\n- action: Deny\n  from:\n  - {serviceAccounts: {}}\n"),
			"unsupported m.yaml:11 spec.ingress[0].from[0].serviceAccounts: a kind of peer that this version does not know: what the policy lets pass is not known (K8S-CNP-14) ClusterNetworkPolicy//p",
		},
		{
			"K8S-CNP-01: both versions", tierPolicy(head) + "---\n" + oldTierPolicy("BaselineAdminNetworkPolicy", "subject: {namespaces: {}}\n"),
			"irrelevant m.yaml:9 apiVersion: v1alpha1 and v1alpha2 of the API in one input, of which a cluster enforces one: read as one set of policies (K8S-CNP-01)",
		},
		{"K8S-NP-08: status never matters", tierPolicy(head) + "status: {conditions: []}\n", ""},
	} {
		if got := fieldEntries(t, test.text); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

// fieldEntries is what the ledger has on single fields of a text, a line each.
func fieldEntries(t *testing.T, text string) string {
	t.Helper()
	var out []string
	for _, e := range mustImport(t, "m.yaml", text).Ledger {
		if e.Field == "" {
			continue
		}
		s := fmt.Sprintf("%s %s %s: %s", e.Disposition, e.Source, e.Field, e.Effect)
		for _, id := range e.Affects {
			s += " " + strings.TrimPrefix(string(id), "kubernetes:aks-prod/")
		}
		out = append(out, s)
	}
	return strings.Join(out, "\n")
}
