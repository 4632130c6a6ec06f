package kubernetes

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringfence/ringfence/model"
)

// calico is a NetworkPolicy p of Calico in namespace a. The lines of spec begin at line 5.
func calico(spec string) string {
	return "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: p, namespace: a}\nspec:\n" + indent(spec)
}

// TestCalicoSelectors reads selectors into terms (K8S-CAL-03).
func TestCalicoSelectors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "[]"},
		{"all()", "[]"},
		{"!all()", ""},
		{"app == 'web'", "[app In web]"},
		{`app!="web"`, "[app NotIn web]"},
		{"app in {'a', 'b'}", "[app In a,b]"},
		{"app not in { 'a' }", "[app NotIn a]"},
		{"app in {}", ""},
		{"app not in {}", "[]"},
		{"has(app)", "[app Exists]"},
		{"! has( app )", "[app DoesNotExist]"},
		{"a == '1' && b == '2' || has(c)", "[a In 1; b In 2] [c Exists]"},
		{"a == '1' && (b == '2' || has(c))", "[a In 1; b In 2] [a In 1; c Exists]"},
		{"!(a == '1' && (b == '2' || has(c)))", "[a NotIn 1] [b NotIn 2; c DoesNotExist]"},
		{"!!has(a)", "[a Exists]"},
		{"projectcalico.org/namespace == 'b' && pcns.env == 'dev' && app == 'x'", "[app In x / kubernetes.io/metadata.name In b; env In dev]"},
		{"global()", "[ / kubernetes.io/metadata.name DoesNotExist]"},
		{"!global()", "[ / kubernetes.io/metadata.name Exists]"},
		{"app contains 'x' || has(b)", "[] [b Exists] not followed: the operator contains"},
		{"app starts with 'x'", "[] not followed: the operator starts with"},
		{"projectcalico.org/serviceaccount == 'x'", "[] not followed: the label projectcalico.org/serviceaccount"},
		{strings.TrimSuffix(strings.Repeat("(a == '1' || b == '2') && ", 8), " && "), "not followed: a selector of so many terms"},
		{"app = 'x'", "wrong: an operator"},
		{"app == x", "wrong: a value in quotes"},
		{"app == 'x' and b == 'y'", "wrong: an operator"},
		{"(app == 'x'", "wrong: `)`"},
		{"has(app", "wrong: `)`"},
		{"app in {'a' 'b'}", "wrong: `}`"},
		{"== 'x'", "wrong: a label"},
		{strings.Repeat("(", 1000), "wrong: fewer brackets"},
		{"app == 'x", "wrong: a value in quotes"},
	} {
		list, unread, fault := parseCalico(test.text, false)
		var out []string
		print := func(s model.LabelSelector) string {
			var parts []string
			for _, r := range s.Requirements {
				parts = append(parts, strings.TrimSpace(r.Key+" "+r.Operator+" "+strings.Join(r.Values, ",")))
			}
			return strings.Join(parts, "; ")
		}
		for _, term := range list {
			text := print(term.Labels)
			if term.Namespaces != nil {
				text += " / " + print(*term.Namespaces)
			}
			out = append(out, "["+text+"]")
		}
		if strings.Contains(unread, "so many") {
			out = nil
		}
		if unread != "" {
			out = append(out, "not followed: "+unread)
		}
		if fault != "" {
			out = []string{"wrong: " + fault}
		}
		if got := strings.Join(out, " "); got != test.want {
			t.Errorf("%s: got %s, want %s", test.text, got, test.want)
		}
	}
}

// TestCalicoPolicies reads the kinds of Calico, in both of their groups (K8S-CAL-02, K8S-CAL-04).
func TestCalicoPolicies(t *testing.T) {
	all := model.CalicoSelector{{}}
	port := func(first, last uint16) model.PolicyPort {
		return model.PolicyPort{Protocol: model.AnyProtocol, Ports: model.PortRange{First: first, Last: last}}
	}
	label := func(key, value string) model.CalicoSelector {
		return model.CalicoSelector{{Labels: model.LabelSelector{Requirements: []model.Requirement{{Key: key, Operator: "In", Values: []string{value}}}}}}
	}
	name := model.LabelSelector{Requirements: []model.Requirement{{Key: "kubernetes.io/metadata.name", Operator: "In", Values: []string{"b"}}}}
	text := calico("tier: t\norder: 10.5\nselector: app == 'web'\ntypes: [Ingress, Egress]\n" +
		"ingress:\n- {action: Allow, protocol: TCP, source: {nets: [10.0.0.0/8], notNets: [10.0.0.1], ports: [1]}, destination: {ports: [80, '90:99', http], notPorts: ['85']}}\n" +
		"- {action: Log}\n- {action: Pass, notProtocol: 47, ipVersion: 6, source: {namespaceSelector: \"projectcalico.org/name == 'b'\", notSelector: app == 'x'}}\n" +
		"- {action: Deny, protocol: ICMP, icmp: {type: 8}}\negress: [{action: Allow, http: {methods: [GET]}}]\n")
	for _, group := range []string{"projectcalico.org/v3", "crd.projectcalico.org/v1"} {
		r := mustImport(t, "m.yaml", strings.Replace(text, "projectcalico.org/v3", group, 1))
		got := get[*model.CalicoPolicy](t, r, "CalicoNetworkPolicy", "a", "p")
		want := model.CalicoPolicy{
			Kind: "NetworkPolicy", Namespace: "a", Tier: "t", Order: 10.5, Selector: label("app", "web"), Applies: [2]bool{true, true},
			Rules: [2][]model.CalicoRule{{
				{
					Action: model.PolicyAllow, Protocols: []model.Protocol{model.TCP},
					From: model.CalicoEnd{Nets: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, NotNets: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}, Ports: []model.PolicyPort{port(1, 1)}},
					To:   model.CalicoEnd{Ports: []model.PolicyPort{port(80, 80), port(90, 99), {Protocol: model.AnyProtocol, Named: "http"}}, NotPorts: []model.PolicyPort{port(85, 85)}},
				},
				{Action: model.PolicyLog},
				{Action: model.PolicyPass, NotProtocols: []model.Protocol{47}, Family: 6, From: model.CalicoEnd{Namespaces: model.CalicoSelector{{Namespaces: &name}}, NotSelector: label("app", "x")}},
				{Protocols: []model.Protocol{model.ICMP}, ICMPType: true},
			}, {{Action: model.PolicyAllow, Doubt: true}}},
		}
		if diff := cmp.Diff(want, *got, cmpopts.IgnoreTypes(model.Source{}, model.Meta{}, model.ID("")), cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", group, diff)
		}
	}
	for _, test := range []struct {
		spec    string
		applies [2]bool
	}{{"selector: all()\n", [2]bool{true, false}}, {"egress: [{action: Allow}]\n", [2]bool{false, true}}, {"ingress: [{action: Allow}]\negress: [{action: Allow}]\n", [2]bool{true, true}}, {"types: [Egress]\n", [2]bool{false, true}}} {
		p := get[*model.CalicoPolicy](t, mustImport(t, "m.yaml", calico(test.spec)), "CalicoNetworkPolicy", "a", "p")
		if p.Applies != test.applies || p.Tier != "default" || !math.IsInf(p.Order, 1) {
			t.Errorf("%s: applies to %v, tier %s, order %v, want %v, default, +Inf", test.spec, p.Applies, p.Tier, p.Order, test.applies)
		}
	}
	others := mustImport(t, "m.yaml", "apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: t}\nspec: {order: 5, defaultAction: Pass}\n---\n"+
		"apiVersion: projectcalico.org/v3\nkind: NetworkSet\nmetadata: {name: s, namespace: a, labels: {k: v}}\nspec: {nets: [10.0.0.0/8], allowedEgressDomains: [x.example]}\n---\n"+
		"apiVersion: crd.projectcalico.org/v1\nkind: GlobalNetworkSet\nmetadata: {name: s}\nspec: {nets: []}\n---\n"+
		"apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: g}\nspec: {namespaceSelector: has(env)}\n")
	if tier := get[*model.CalicoTier](t, others, "CalicoTier", "", "t"); tier.Order != 5 || !tier.Pass {
		t.Errorf("tier: got %+v", tier)
	}
	if s := get[*model.CalicoNetworkSet](t, others, "CalicoNetworkSet", "a", "s"); len(s.Nets) != 1 || !s.Names || s.Labels["k"] != "v" || s.Namespace != "a" {
		t.Errorf("set: got %+v", s)
	}
	get[*model.CalicoNetworkSet](t, others, "CalicoGlobalNetworkSet", "", "s")
	if g := get[*model.CalicoPolicy](t, others, "CalicoGlobalNetworkPolicy", "", "g"); len(g.Namespaces) != 1 || g.Namespace != "" || len(g.Selector) != len(all) {
		t.Errorf("global: got %+v", g)
	}
}

// TestBadCalico has what Calico refuses.
func TestBadCalico(t *testing.T) {
	in := func(rule string) string { return calico("ingress:\n- " + rule + "\n") }
	for _, test := range []struct{ name, text, want string }{
		{"a selector", calico("selector: app = 'web'\n"), "m.yaml:5: p: spec.selector: found `app = 'web'`, want a selector of Calico: here it wants an operator"},
		{"namespaces of a policy of one", calico("namespaceSelector: all()\n"), "m.yaml:5: p: spec.namespaceSelector: found `all()`, want no namespaceSelector in the policy of a namespace"},
		{"a type", calico("types: [ingress]\n"), "m.yaml:5: p: spec.types[0]: found `ingress`, want Ingress or Egress"},
		{"an action", in("{action: Accept}"), "m.yaml:6: p: spec.ingress[0].action: found `Accept`, want Allow, Deny, Pass or Log"},
		{"a protocol", in("{action: Deny, protocol: GRE}"), "m.yaml:6: p: spec.ingress[0].protocol: found `GRE`, want TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite or a number"},
		{"a protocol number", in("{action: Deny, protocol: 256}"), "m.yaml:6: p: spec.ingress[0].protocol: found `256`, want a protocol number from 1 to 255, or a name"},
		{"ports of no protocol", in("{action: Deny, destination: {ports: [80]}}"), "m.yaml:6: p: spec.ingress[0]: found `ports`, want protocol TCP, UDP or SCTP beside them"},
		{"a range", in("{action: Deny, protocol: TCP, destination: {ports: ['90:80']}}"), "m.yaml:6: p: spec.ingress[0].destination.ports[0]: found `90:80`, want a port, a range as in 80:90, or a name"},
		{"a net", in("{action: Deny, source: {nets: [10.0.0.0/x]}}"), "m.yaml:6: p: spec.ingress[0].source.nets[0]: found `10.0.0.0/x`, want a CIDR as in 10.9.8.0/24 or 2001:db8::/64"},
		{"a family", in("{action: Deny, ipVersion: 5}"), "m.yaml:6: p: spec.ingress[0].ipVersion: found `5`, want 4 or 6"},
		{"an order", calico("order: first\n"), "m.yaml:5: p: spec.order: found `first`, want a value of this field's form; this is a string"},
		{"the end of a tier", "apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: t}\nspec: {defaultAction: Allow}\n", "m.yaml:4: t: spec.defaultAction: found `Allow`, want Deny or Pass"},
		{"a misspelt field", in("{action: Deny, source: {net: [10.0.0.0/8]}}"), "m.yaml:6: p: spec.ingress[0].source.net: found `net`, want a known field, perhaps nets"},
	} {
		_, err := importText("m.yaml", test.text)
		if got := fmt.Sprint(err); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

// TestCalicoLedger has what is not followed, with what it leaves open.
func TestCalicoLedger(t *testing.T) {
	in := func(rule string) string { return calico("ingress:\n- " + rule + "\n") }
	const policy, ns = " CalicoNetworkPolicy/a/p", " Namespace//a"
	for _, test := range []struct{ name, text, want string }{
		{"a peer by service", in("{action: Deny, source: {services: {name: x}}}"), "unsupported m.yaml:6 spec.ingress[0].source.services: a kind of peers that is not followed: whom the rule is about is not known" + policy},
		{"a newer field", in("{action: Deny, source: {mood: {}}}"), "unsupported m.yaml:6 spec.ingress[0].source.mood: a field that this version does not know: what the policy lets pass is not known" + policy},
		{"a subject that is not followed", calico("selector: app contains 'x'\n"), "unsupported m.yaml:5 spec.selector: the operator contains in a selector: whom the policy is about is not known" + ns},
		{"service accounts", calico("serviceAccountSelector: all()\n"), "unsupported m.yaml:5 spec.serviceAccountSelector: service accounts are not followed: whom the policy is about is not known" + ns},
		{"before connection tracking", "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: p}\nspec: {doNotTrack: true}\n", "unsupported m.yaml:4 spec: a policy before connection tracking: it is about nodes and what they forward " + string(options().Cluster)},
	} {
		if got := fieldEntries(t, test.text); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

// Selectors of namespaces: what is in none has none of their labels (K8S-CAL-03).
func TestCalicoNamespaceSelector(t *testing.T) {
	for text, want := range map[string]string{
		"all()":                            "kubernetes.io/metadata.name Exists []",
		"!all()":                           "kubernetes.io/metadata.name DoesNotExist []",
		"global()":                         "kubernetes.io/metadata.name DoesNotExist []",
		"env == 'prod'":                    "env In [prod]",
		"projectcalico.org/name == 'a'":    "kubernetes.io/metadata.name In [a]",
		"env != 'a' || global()":           "env NotIn [a] | kubernetes.io/metadata.name DoesNotExist []",
		"all() && !has(env)":               "kubernetes.io/metadata.name Exists [] & env DoesNotExist []",
		"pcns.env == 'a'":                  "not followed: the label pcns.env",
		"has(projectcalico.org/namespace)": "not followed: the label projectcalico.org/namespace",
	} {
		list, unread, fault := parseCalico(text, true)
		var terms []string
		for _, term := range list {
			var parts []string
			if term.Namespaces != nil {
				for _, r := range term.Namespaces.Requirements {
					parts = append(parts, fmt.Sprint(r.Key, " ", r.Operator, " ", r.Values))
				}
			}
			terms = append(terms, strings.Join(parts, " & "))
		}
		got := strings.Join(terms, " | ")
		if unread != "" {
			got = "not followed: " + unread
		}
		if got != want || fault != "" {
			t.Errorf("%s: got %s %s, want %s", text, got, fault, want)
		}
	}
}
