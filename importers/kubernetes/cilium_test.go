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

// cilium is a CiliumNetworkPolicy p of namespace a. The lines of spec begin at line 5.
func cilium(spec string) string {
	return "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: a}\nspec:\n" + indent(spec)
}

// TestCiliumPolicies has every form of a rule (K8S-CIL-02 to K8S-CIL-07).
func TestCiliumPolicies(t *testing.T) {
	label := func(kv ...string) model.LabelSelector {
		return model.LabelSelector{Match: map[string]string{kv[0]: kv[1]}}
	}
	port := func(p model.Protocol, first, last uint16) model.PolicyPort {
		return model.PolicyPort{Protocol: p, Ports: model.PortRange{First: first, Last: last}}
	}
	namespace := label("kubernetes.io/metadata.name", "b")
	for _, test := range []struct {
		name, spec string
		want       model.CiliumRule
	}{
		{
			"ingress of endpoints", "endpointSelector: {matchLabels: {'k8s:app': web, 'any:tier': x}}\ningress:\n- fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': b, app: db}}, {}]\n  toPorts: [{ports: [{port: '80', protocol: TCP}, {port: '1', endPort: 9, protocol: udp}, {port: http}]}]\n",
			model.CiliumRule{
				Subject: model.CiliumSelector{Pods: model.LabelSelector{Match: map[string]string{"app": "web", "tier": "x"}}}, Isolates: [2]model.Setting{model.On, model.Off},
				Allow: [2][]model.CiliumTraffic{{{
					Peers: []model.CiliumPeer{{Endpoints: &model.CiliumSelector{Pods: label("app", "db"), Namespaces: &namespace}}, {Endpoints: &model.CiliumSelector{}}},
					Ports: []model.PolicyPort{port(model.TCP, 80, 80), port(model.UDP, 1, 9), {Protocol: model.AnyProtocol, Named: "http"}},
				}}},
			},
		},
		{
			"egress of addresses, entities and names", "endpointSelector: {}\nenableDefaultDeny: {egress: false, ingress: true}\negress:\n- toCIDR: [10.0.0.0/8, '2001:db8::1']\n- toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.0.0.0/8]}]\n- toEntities: [world]\n- toFQDNs: [{matchName: Bank.example}, {matchPattern: '*.x.example'}]\n- icmps: [{fields: [{type: 8}, {family: IPv6, type: EchoRequest}, {family: IPv6, type: '1'}]}]\n",
			model.CiliumRule{
				Isolates: [2]model.Setting{model.On, model.Off},
				Allow: [2][]model.CiliumTraffic{nil, {
					{Peers: []model.CiliumPeer{{Block: &model.IPBlock{CIDR: netip.MustParsePrefix("10.0.0.0/8")}}, {Block: &model.IPBlock{CIDR: netip.MustParsePrefix("2001:db8::1/128")}}}},
					{Peers: []model.CiliumPeer{{Block: &model.IPBlock{CIDR: netip.MustParsePrefix("10.0.0.0/8"), Except: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}}},
					{Peers: []model.CiliumPeer{{Entity: "world"}}},
					{Peers: []model.CiliumPeer{{Name: "bank.example"}, {Name: "*.x.example"}}},
					{AnyPeer: true, ICMP: []model.CiliumICMP{{Protocol: model.ICMP, Echo: true}, {Protocol: model.ICMPv6, Echo: true}, {Protocol: model.ICMPv6}}},
				}},
			},
		},
		{
			"sections and empty rules", "endpointSelector: {}\ningress: []\negress: [{}]\negressDeny: [{}, {toEndpoints: []}]\n",
			model.CiliumRule{
				Isolates: [2]model.Setting{model.NotStated, model.On},
				Allow:    [2][]model.CiliumTraffic{nil, {{}}},
				Deny:     [2][]model.CiliumTraffic{nil, {{AnyPeer: true, Doubt: true}, {}}},
			},
		},
		{
			// Of lists that are there and empty, and of entries that limit nothing, versions of Cilium say different things (K8S-CIL-04).
			"empty lists and entries", "endpointSelector: {}\ningress:\n- fromCIDR: []\n  toPorts: [{ports: [{port: '80', protocol: TCP}]}]\n- fromEndpoints: []\n  fromEntities: [world]\n- fromEntities: [all]\n  toPorts: [{}, {ports: [{port: '80', protocol: TCP}]}]\n- fromEntities: [all]\n  toPorts: []\n- icmps: [{fields: []}]\negressDeny:\n- toEntities: [all]\n  icmps: [{}]\n- toPorts: [{}]\n",
			model.CiliumRule{
				Isolates: [2]model.Setting{model.On, model.On},
				Allow: [2][]model.CiliumTraffic{{
					{AnyPeer: true, Doubt: true, Ports: []model.PolicyPort{port(model.TCP, 80, 80)}},
					{Doubt: true, Peers: []model.CiliumPeer{{Entity: "world"}}},
					{Doubt: true, Peers: []model.CiliumPeer{{Entity: "all"}}},
					{Peers: []model.CiliumPeer{{Entity: "all"}}},
					{AnyPeer: true, Doubt: true},
				}},
				Deny: [2][]model.CiliumTraffic{nil, {{Doubt: true, Peers: []model.CiliumPeer{{Entity: "all"}}}, {AnyPeer: true, Doubt: true}}},
			},
		},
		{
			"ports as Cilium reads them", "endpointSelector: {}\ningress:\n- toPorts: [{ports: [{port: '0100', protocol: TCP}, {port: HTTP, protocol: TCP}]}]\n- toPorts: [{ports: [{port: '0', endPort: 90, protocol: TCP}]}]\n",
			model.CiliumRule{
				Isolates: [2]model.Setting{model.On, model.Off},
				Allow: [2][]model.CiliumTraffic{{
					{AnyPeer: true, Ports: []model.PolicyPort{port(model.TCP, 64, 64), {Protocol: model.TCP, Named: "http"}}},
					{AnyPeer: true, Doubt: true, Ports: []model.PolicyPort{{Protocol: model.TCP, All: true, Ports: model.PortRange{First: 1, Last: 65535}}}},
				}},
			},
		},
		{
			// A selector that asks for no label takes what has none, unless Cilium adds that there be a namespace (K8S-CIL-03).
			"peers that lack a label", "endpointSelector: {}\ningress: [{fromEndpoints: [{matchExpressions: [{key: 'k8s:io.kubernetes.pod.namespace', operator: NotIn, values: [b]}]}, {matchExpressions: [{key: app, operator: DoesNotExist}]}]}]\n",
			model.CiliumRule{
				Isolates: [2]model.Setting{model.On, model.Off},
				Allow: [2][]model.CiliumTraffic{{{Peers: []model.CiliumPeer{
					{Endpoints: &model.CiliumSelector{Others: true, Namespaces: &model.LabelSelector{Requirements: []model.Requirement{{Key: "kubernetes.io/metadata.name", Operator: "NotIn", Values: []string{"b"}}}}}},
					{Endpoints: &model.CiliumSelector{Pods: model.LabelSelector{Requirements: []model.Requirement{{Key: "app", Operator: "DoesNotExist"}}}}},
				}}}},
			},
		},
		{
			"the application layer", "endpointSelector: {}\ningress:\n- toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{}]}}]\n- authentication: {mode: required}\n  fromEntities: [all]\n",
			model.CiliumRule{
				Isolates: [2]model.Setting{model.On, model.Off},
				Allow:    [2][]model.CiliumTraffic{{{AnyPeer: true, Doubt: true, Ports: []model.PolicyPort{port(model.TCP, 80, 80)}}, {Doubt: true, Peers: []model.CiliumPeer{{Entity: "all"}}}}},
			},
		},
	} {
		got := get[*model.CiliumPolicy](t, mustImport(t, "m.yaml", cilium(test.spec)), "CiliumNetworkPolicy", "a", "p")
		if diff := cmp.Diff([]model.CiliumRule{test.want}, got.Rules, cmpopts.IgnoreTypes(model.Source{}), cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if got.Namespace != "a" {
			t.Errorf("%s: namespace %q, want a", test.name, got.Namespace)
		}
	}
	wide := get[*model.CiliumPolicy](t, mustImport(t, "m.yaml", "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: p}\nspecs: [{endpointSelector: {}, ingress: [{}]}, {endpointSelector: {}, egress: [{}]}]\n"), "CiliumClusterwideNetworkPolicy", "", "p")
	if wide.Namespace != "" || len(wide.Rules) != 2 {
		t.Errorf("clusterwide: namespace %q, %d rules, want none and 2", wide.Namespace, len(wide.Rules))
	}
}

// TestBadCilium has what Cilium refuses (K8S-CIL-04), and what is no field.
func TestBadCilium(t *testing.T) {
	in := func(rule string) string { return cilium("endpointSelector: {}\ningress:\n- " + rule + "\n") }
	for _, test := range []struct{ name, text, want string }{
		{"no rule", "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: a}\n", "m.yaml:1: p: spec: want spec or specs"},
		{"no subject", cilium("ingress: [{}]\n"), "m.yaml:4: p: spec.endpointSelector: want a selector; {} selects every pod"},
		{"no section", cilium("endpointSelector: {}\n"), "m.yaml:4: p: spec: want at least one of ingress, ingressDeny, egress, egressDeny"},
		{"two kinds of peers", in("{fromEntities: [all], fromCIDR: [10.0.0.0/8]}"), "m.yaml:7: p: spec.ingress[0]: found `fromCIDR and fromEntities`, want one kind of peers in a rule"},
		{"peers of the other direction", in("{toEntities: [all]}"), "m.yaml:7: p: spec.ingress[0].toEntities: found `toEntities`, want peers of this direction: from…"},
		{"an unknown entity", in("{fromEntities: [internet]}"), "m.yaml:7: p: spec.ingress[0].fromEntities[0]: found `internet`, want one of " + strings.Join(ciliumEntities(), ", ")},
		{"a bad CIDR", in("{fromCIDR: [10.0.0.0/33]}"), "m.yaml:7: p: spec.ingress[0].fromCIDR[0]: found `10.0.0.0/33`, want a CIDR as in 10.9.8.0/24 or 2001:db8::/64"},
		{"except outside", in("{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/9]}]}"), "m.yaml:7: p: spec.ingress[0].fromCIDRSet[0].except[0]: found `11.0.0.0/9`, want a part of 10.0.0.0/8"},
		{"a port as a number", in("{toPorts: [{ports: [{port: 80}]}]}"), "m.yaml:7: p: spec.ingress[0].toPorts[0].ports[0].port: found `80`, want a string; this is a number, unless it stands in quotes"},
		{"a port out of range", in("{toPorts: [{ports: [{port: '70000'}]}]}"), "m.yaml:7: p: spec.ingress[0].toPorts[0].ports[0].port: found `70000`, want a port from 0 to 65535, or a port name"},
		{"an endPort below", in("{toPorts: [{ports: [{port: '80', endPort: 79}]}]}"), "m.yaml:7: p: spec.ingress[0].toPorts[0].ports[0].endPort: found `79`, want a port not below port 80"},
		{"a protocol that Cilium does not know", in("{toPorts: [{ports: [{port: '80', protocol: ICMP}]}]}"), "m.yaml:7: p: spec.ingress[0].toPorts[0].ports[0].protocol: found `ICMP`, want TCP, UDP, SCTP, ANY, or without a port VRRP, IGMP, GRE, IPIP, IPV6, ESP, AH"},
		{"a port of a protocol without ports", in("{toPorts: [{ports: [{port: '80', protocol: GRE}]}]}"), "m.yaml:7: p: spec.ingress[0].toPorts[0].ports[0].port: found `80`, want no port, or 0: GRE has none"},
		{"an octal number that is none", in("{toPorts: [{ports: [{port: '0080'}]}]}"), "m.yaml:7: p: spec.ingress[0].toPorts[0].ports[0].port: found `0080`, want a port from 0 to 65535, or a port name"},
		{"a CIDR beside a group", in("{fromCIDRSet: [{cidr: 10.0.0.0/8, cidrGroupRef: g}]}"), "m.yaml:7: p: spec.ingress[0].fromCIDRSet[0]: found `cidr beside a group`, want one of cidr, cidrGroupRef and cidrGroupSelector"},
		{"ports and kinds of messages", in("{toPorts: [{ports: [{port: '80'}]}], icmps: [{fields: [{type: 8}]}]}"), "m.yaml:7: p: spec.ingress[0]: found `toPorts and icmps`, want one or the other"},
		{"a family", in("{icmps: [{fields: [{type: 8, family: IP}]}]}"), "m.yaml:7: p: spec.ingress[0].icmps[0].fields[0].family: found `IP`, want IPv4 or IPv6"},
		{"no type", in("{icmps: [{fields: [{family: IPv4}]}]}"), "m.yaml:7: p: spec.ingress[0].icmps[0].fields[0].type: want a type of ICMP messages, by number or name"},
		{"two forms of a name", cilium("endpointSelector: {}\negress:\n- toFQDNs: [{matchName: a, matchPattern: b}]\n"), "m.yaml:7: p: spec.egress[0].toFQDNs[0]: want exactly one of matchName and matchPattern"},
		{"names in a rule that denies", cilium("endpointSelector: {}\negressDeny:\n- toFQDNs: [{matchName: a}]\n"), "m.yaml:7: p: spec.egressDeny[0].toFQDNs: found `toFQDNs`, want no names in a rule that denies"},
		{"the application layer in a rule that denies", cilium("endpointSelector: {}\ningressDeny:\n- toPorts: [{ports: [{port: '80'}], serverNames: [a]}]\n"), "m.yaml:7: p: spec.ingressDeny[0].toPorts[0]: found `rules for the application layer`, want ports alone in a rule that denies"},
		{"another default deny", cilium("endpointSelector: {}\nenableDefaultDeny: {ingres: true}\ningress: [{}]\n"), "m.yaml:6: p: spec.enableDefaultDeny.ingres: found `ingres`, want ingress or egress"},
		{"a misspelt peer", in("{fromEndpoint: [{}]}"), "m.yaml:7: p: spec.ingress[0].fromEndpoint: found `fromEndpoint`, want a known field, perhaps fromEndpoints"},
		{"two subjects", cilium("endpointSelector: {}\nnodeSelector: {}\ningress: [{}]\n"), "m.yaml:4: p: spec: found `endpointSelector and nodeSelector`, want one or the other"},
	} {
		_, err := importText("m.yaml", test.text)
		if got := fmt.Sprint(err); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

// TestCiliumLedger has what is not understood, with what it leaves open (K8S-CIL-04, K8S-CIL-08).
func TestCiliumLedger(t *testing.T) {
	in := func(rule string) string { return cilium("endpointSelector: {}\ningress:\n- " + rule + "\n") }
	const policy, ns = " CiliumNetworkPolicy/a/p", " Namespace//a"
	for _, test := range []struct{ name, text, want string }{
		{"groups", in("{fromGroups: [{}]}"), "unsupported m.yaml:7 spec.ingress[0].fromGroups: a kind of peers that is not followed: whom the rule is about is not known" + policy},
		{"a group of addresses", in("{fromCIDRSet: [{cidrGroupRef: g}]}"), "unsupported m.yaml:7 spec.ingress[0].fromCIDRSet[0]: a CiliumCIDRGroup: which addresses it holds is not known" + policy},
		{"a derived label of a peer", in("{fromEndpoints: [{matchLabels: {'k8s:io.cilium.k8s.policy.serviceaccount': x}}]}"), "unsupported m.yaml:7 spec.ingress[0].fromEndpoints[0].matchLabels[k8s:io.cilium.k8s.policy.serviceaccount]: a label that Cilium derives from more than pods and namespaces: whom the policy selects is not known" + policy},
		{"a label of another source for the subject", cilium("endpointSelector: {matchLabels: {'container:app': x}}\ningress: [{}]\n"), "unsupported m.yaml:5 spec.endpointSelector.matchLabels[container:app]: a label that is not one of Kubernetes: whom the policy selects is not known" + ns},
		{"a protocol without ports", in("{toPorts: [{ports: [{protocol: VRRP}, {port: '0', protocol: igmp}]}]}"), "unsupported m.yaml:4 spec: ingress[0].toPorts[0].ports[0]: an entry without a port is known to Cilium by its setting enable-extended-ip-protocols alone: whether the policy acts is not known" + policy + "\nunsupported m.yaml:4 spec: ingress[0].toPorts[0].ports[1]: an entry without a port is known to Cilium by its setting enable-extended-ip-protocols alone: whether the policy acts is not known" + policy},
		{"no port", in("{toPorts: [{ports: [{protocol: TCP}]}]}"), "unsupported m.yaml:4 spec: ingress[0].toPorts[0].ports[0]: an entry without a port is known to Cilium by its setting enable-extended-ip-protocols alone: whether the policy acts is not known" + policy},
		{"an endPort beside a name", in("{toPorts: [{ports: [{port: HTTP, endPort: 90}]}]}"), "irrelevant m.yaml:7 spec.ingress[0].toPorts[0].ports[0].endPort: Cilium reads no endPort beside a named port (K8S-CIL-04)"},
		{"another namespace than its own", cilium("endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': b}}\ningress: [{}]\n"), "unsupported m.yaml:5 spec.endpointSelector.matchLabels[k8s:io.kubernetes.pod.namespace]: another namespace than the policy's: whom the policy selects is not known (K8S-CIL-03)" + ns},
		{"a newer field", in("{trustDomain: mars}"), "unsupported m.yaml:7 spec.ingress[0].trustDomain: a field that this version does not know: what the policy lets pass is not known" + policy},
		{"the application layer", in("{toPorts: [{ports: [{port: '80'}], rules: {dns: []}}]}"), "irrelevant m.yaml:7 spec.ingress[0].toPorts[0]: rules for the application layer: connections may open, and not all requests are answered (K8S-CIL-04)"},
		{"a policy for nodes", "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: p}\nspec:\n  nodeSelector: {}\n  ingress: [{}]\n", "unsupported m.yaml:5 spec.nodeSelector: a policy for nodes: what it lets nodes open and accept is not known (K8S-CIL-08) " + string(options().Cluster)},
	} {
		if got := fieldEntries(t, test.text); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}
