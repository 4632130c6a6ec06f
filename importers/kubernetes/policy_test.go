package kubernetes

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringfence/ringfence/model"
)

// TestPolicyTypes is K8S-NP-05 with the policies of X02 to X06.
func TestPolicyTypes(t *testing.T) {
	for _, test := range []struct {
		name, spec      string
		ingress, egress bool
	}{
		{"nothing at all", "podSelector: {}\n", true, false},
		{"X02", "podSelector: {}\npolicyTypes: [Ingress]\n", true, false},
		{"X03: egress rules without policyTypes isolate both", "podSelector: {}\negress: [{to: [{podSelector: {}}]}]\n", true, true},
		{"X04: egress without rules does not", "podSelector: {}\negress: []\n", true, false},
		{"X05: rules of another direction do not count", "podSelector: {}\npolicyTypes: [Egress]\ningress: [{from: [{podSelector: {}}]}]\n", false, true},
		{"X06", "podSelector: {}\npolicyTypes: [Ingress, Egress]\ningress: [{}]\n", true, true},
		{"an empty list is as good as none", "podSelector: {}\npolicyTypes: []\negress: [{}]\n", true, true},
		{"null too", "policyTypes:\negress:\n", true, false},
	} {
		p := get[*model.NetworkPolicy](t, mustImport(t, "m.yaml", policy(test.spec)), "NetworkPolicy", "a", "p")
		if got, want := p.Isolates, [2]bool{test.ingress, test.egress}; got != want {
			t.Errorf("%s: isolates %v, want %v", test.name, got, want)
		}
	}
}

// TestPolicyRules has each form of a rule, as K8S-NP-09 to K8S-NP-16 say them.
func TestPolicyRules(t *testing.T) {
	selector := func(match map[string]string) *model.LabelSelector { return &model.LabelSelector{Match: match} }
	cidr := netip.MustParsePrefix
	all := model.PortRange{First: 1, Last: 65535}
	for _, test := range []struct {
		name, rule string
		want       model.PolicyRule
	}{
		{"X09 b: an empty rule admits everything", "{}", model.PolicyRule{}},
		{"a null rule is an empty one", "", model.PolicyRule{}},
		{"X09 c: an empty list of peers is everyone", "from: []", model.PolicyRule{}},
		{"X09 d: an empty podSelector", "from: [{podSelector: {}}]", model.PolicyRule{Peers: []model.PolicyPeer{{Pods: selector(nil)}}}},
		{"X09 e: an empty namespaceSelector", "from: [{namespaceSelector: {}}]", model.PolicyRule{Peers: []model.PolicyPeer{{Namespaces: selector(nil)}}}},
		{"X09 f", "from: [{ipBlock: {cidr: 0.0.0.0/0}}]", model.PolicyRule{Peers: []model.PolicyPeer{{IPBlock: &model.IPBlock{CIDR: cidr("0.0.0.0/0")}}}}},
		{"K8S-NP-11: a null selector is absent", "from: [{podSelector: null, namespaceSelector: {}}]", model.PolicyRule{Peers: []model.PolicyPeer{{Namespaces: selector(nil)}}}},
		{
			"X07: two entries", "from: [{namespaceSelector: {matchLabels: {env: dev}}}, {podSelector: {matchLabels: {app: web}}}]",
			model.PolicyRule{Peers: []model.PolicyPeer{{Namespaces: selector(map[string]string{"env": "dev"})}, {Pods: selector(map[string]string{"app": "web"})}}},
		},
		{
			"X08: one entry", "from: [{namespaceSelector: {matchLabels: {env: dev}}, podSelector: {matchLabels: {app: web}}}]",
			model.PolicyRule{Peers: []model.PolicyPeer{{Namespaces: selector(map[string]string{"env": "dev"}), Pods: selector(map[string]string{"app": "web"})}}},
		},
		{
			"X10: expressions", "from: [{namespaceSelector: {matchExpressions: [{key: env, operator: NotIn, values: [prod, test]}, {key: team, operator: DoesNotExist}]}}]",
			model.PolicyRule{Peers: []model.PolicyPeer{{Namespaces: &model.LabelSelector{Requirements: []model.Requirement{
				{Key: "env", Operator: "NotIn", Values: []string{"prod", "test"}}, {Key: "team", Operator: "DoesNotExist"},
			}}}}},
		},
		{
			"X20: a hole", "from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.2.0.0/24]}}]",
			model.PolicyRule{Peers: []model.PolicyPeer{{IPBlock: &model.IPBlock{CIDR: cidr("10.0.0.0/8"), Except: []netip.Prefix{cidr("10.1.0.0/16"), cidr("10.2.0.0/24")}}}}},
		},
		{"K8S-NP-12: host bits", "from: [{ipBlock: {cidr: 10.0.0.5/8, except: ['10.1.2.3/16']}}]", model.PolicyRule{Peers: []model.PolicyPeer{{IPBlock: &model.IPBlock{CIDR: cidr("10.0.0.0/8"), Except: []netip.Prefix{cidr("10.1.0.0/16")}}}}}},
		{"IPv6", "from: [{ipBlock: {cidr: '2001:DB8::/32', except: ['2001:db8:1::/48']}}]", model.PolicyRule{Peers: []model.PolicyPeer{{IPBlock: &model.IPBlock{CIDR: cidr("2001:db8::/32"), Except: []netip.Prefix{cidr("2001:db8:1::/48")}}}}}},
		{"X15 a: TCP is the default", "ports: [{port: 53}]", model.PolicyRule{Ports: []model.PolicyPort{{Protocol: model.TCP, Ports: model.PortRange{First: 53, Last: 53}}}}},
		{"X15 b: a protocol without port", "ports: [{protocol: UDP}]", model.PolicyRule{Ports: []model.PolicyPort{{Protocol: model.UDP, All: true, Ports: all}}}},
		{"X15 c: an empty entry is all of TCP", "ports: [{}]", model.PolicyRule{Ports: []model.PolicyPort{{Protocol: model.TCP, All: true, Ports: all}}}},
		{"a null entry too", "ports: [null]", model.PolicyRule{Ports: []model.PolicyPort{{Protocol: model.TCP, All: true, Ports: all}}}},
		{
			"X15 d", "ports: [{protocol: UDP, port: 53}, {port: 53}]",
			model.PolicyRule{Ports: []model.PolicyPort{{Protocol: model.UDP, Ports: model.PortRange{First: 53, Last: 53}}, {Protocol: model.TCP, Ports: model.PortRange{First: 53, Last: 53}}}},
		},
		{"X15 e: an empty list of ports is everything", "ports: []", model.PolicyRule{}},
		{"X15 f: a range of one", "ports: [{port: 100, endPort: 100}]", model.PolicyRule{Ports: []model.PolicyPort{{Protocol: model.TCP, Ports: model.PortRange{First: 100, Last: 100}}}}},
		{"a range", "ports: [{protocol: SCTP, port: 1, endPort: 65535}]", model.PolicyRule{Ports: []model.PolicyPort{{Protocol: model.SCTP, Ports: all}}}},
		{"X18: a name with its protocol", "ports: [{protocol: UDP, port: http}]", model.PolicyRule{Ports: []model.PolicyPort{{Protocol: model.UDP, Named: "http"}}}},
		{"K8S-GEN-05: octal", "ports: [{port: 0123}]", model.PolicyRule{Ports: []model.PolicyPort{{Protocol: model.TCP, Ports: model.PortRange{First: 83, Last: 83}}}}},
	} {
		p := get[*model.NetworkPolicy](t, mustImport(t, "m.yaml", policy("ingress:\n- "+test.rule+"\n")), "NetworkPolicy", "a", "p")
		if diff := cmp.Diff([]model.PolicyRule{test.want}, p.Ingress, cmpopts.IgnoreTypes(model.Source{}), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestPolicySources has the lines of nested entries, in the second document of a file and in a list.
func TestPolicySources(t *testing.T) {
	spec := "podSelector: {}\negress:\n- ports:\n  - port: 1\n  - port: 2\n- to:\n  - podSelector: {}\n  - ipBlock:\n      cidr: 10.0.0.0/8\n"
	second := mustImport(t, "m.yaml", "# one\n---\n\n"+policy(spec))
	inList := mustImport(t, "m.yaml", "apiVersion: v1\nkind: List\nitems:\n- "+strings.TrimSpace(strings.ReplaceAll("\n"+policy(spec), "\n", "\n  "))+"\n")
	for _, test := range []struct {
		name   string
		result Result
		first  int // line of the object
		prefix string
	}{{"second document", second, 4, ""}, {"item", inList, 4, "items[0]."}} {
		p := get[*model.NetworkPolicy](t, test.result, "NetworkPolicy", "a", "p")
		got := []model.Source{p.Source, p.Egress[0].Source, p.Egress[0].Ports[1].Source, p.Egress[1].Source, p.Egress[1].Peers[0].Source, p.Egress[1].Peers[1].Source}
		at := func(line int, path string) model.Source {
			return model.Source{File: "m.yaml", Line: test.first + line, Path: path, Resource: p.ID}
		}
		want := []model.Source{
			at(0, strings.TrimSuffix(test.prefix, ".")), at(6, test.prefix+"spec.egress[0]"), at(8, test.prefix+"spec.egress[0].ports[1]"),
			at(9, test.prefix+"spec.egress[1]"), at(10, test.prefix+"spec.egress[1].to[0]"), at(11, test.prefix+"spec.egress[1].to[1]"),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestPolicyLeniency has what a policy may hold beyond its fields (K8S-NP-08), and the note about host bits.
func TestPolicyLeniency(t *testing.T) {
	r := mustImport(t, "m.yaml", policy("podSelector: {}\ningress:\n- from:\n  - ipBlock:\n      cidr: 10.0.0.5/8\n")+"status: {conditions: []}\n")
	var got []string
	for _, e := range r.Ledger {
		if e.Field != "" {
			got = append(got, e.Source.String()+" "+e.Field+": "+e.Effect)
		}
	}
	want := []string{"m.yaml:9 spec.ingress[0].from[0].ipBlock.cidr: host bits are ignored: 10.0.0.5/8 means 10.0.0.0/8"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestAliases reads anchors, aliases and merges as kubectl does.
func TestAliases(t *testing.T) {
	r := mustImport(t, "m.yaml", policy("podSelector: &web {matchLabels: {app: web}}\ningress:\n- &rule\n  ports: [{port: 80}]\n  from: [{podSelector: *web}]\n- <<: *rule\n  ports: [{port: 443}]\n"))
	p := get[*model.NetworkPolicy](t, r, "NetworkPolicy", "a", "p")
	if len(p.Ingress) != 2 {
		t.Fatalf("%d rules, want 2", len(p.Ingress))
	}
	second := p.Ingress[1]
	if got := second.Ports[0].Ports.First; got != 443 {
		t.Errorf("port of the merged rule: got %d, want its own 443", got)
	}
	if diff := cmp.Diff(&model.LabelSelector{Match: map[string]string{"app": "web"}}, second.Peers[0].Pods); diff != "" {
		t.Errorf("peer of the merged rule (-want +got):\n%s", diff)
	}
	if got := second.Source.Line; got != 10 {
		t.Errorf("line of the merged rule: got %d, want 10", got)
	}
}
