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

// istio is an object m of the mesh in namespace a. The lines of spec begin at line 5.
func istio(kind, spec string) string {
	return "apiVersion: security.istio.io/v1\nkind: " + kind + "\nmetadata: {name: m, namespace: a}\nspec:\n" + indent(spec)
}

// TestMesh reads the policies of a mesh (K8S-IST-02 to K8S-IST-04).
func TestMesh(t *testing.T) {
	prefix := netip.MustParsePrefix("10.0.0.0/8")
	for _, test := range []struct {
		name, spec string
		want       model.AuthorizationPolicy
	}{
		{"nothing said is ALLOW", "{}\n", model.AuthorizationPolicy{Action: "ALLOW"}},
		{
			"namespaces, addresses and ports", "action: DENY\nselector: {matchLabels: {app: web}}\nrules:\n- from: [{source: {namespaces: [b], ipBlocks: [10.0.0.0/8]}}]\n  to: [{operation: {ports: ['80', '81']}}]\n",
			model.AuthorizationPolicy{Action: "DENY", Pods: model.LabelSelector{Match: map[string]string{"app": "web"}}, Rules: []model.MeshRule{{From: []model.MeshSource{{Namespaces: []string{"b"}, Blocks: []netip.Prefix{prefix}}}, Ports: []uint16{80, 81}}}},
		},
		{
			"what else a rule may say", "targetRefs: [{kind: Service, name: x}]\nrules: [{when: [{key: x, values: [y]}]}, {from: [{source: {principals: [x]}}], to: [{operation: {ports: ['80']}}, {operation: {paths: ['/']}}]}]\n",
			model.AuthorizationPolicy{Action: "ALLOW", Elsewhere: true, Rules: []model.MeshRule{{Doubt: true}, {Doubt: true, From: []model.MeshSource{{Doubt: true}}}}},
		},
	} {
		got := get[*model.AuthorizationPolicy](t, mustImport(t, "m.yaml", istio("AuthorizationPolicy", test.spec)), "AuthorizationPolicy", "a", "m")
		test.want.Namespace = "a"
		if diff := cmp.Diff(test.want, *got, cmpopts.IgnoreTypes(model.Source{}, model.Meta{}, model.ID("")), cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	p := get[*model.PeerAuthentication](t, mustImport(t, "m.yaml", istio("PeerAuthentication", "selector: {matchLabels: {app: web}}\nmtls: {mode: STRICT}\nportLevelMtls: {8080: {mode: DISABLE}, 8081: {mode: UNSET}}\n")), "PeerAuthentication", "a", "m")
	if p.Mode != "STRICT" || p.Pods == nil || p.Ports[8080] != "DISABLE" || p.Ports[8081] != "" || len(p.Ports) != 2 {
		t.Errorf("peer authentication: got %+v", p)
	}
	old := strings.Replace(istio("PeerAuthentication", "mtls: {mode: STRICT}\n"), "/v1\n", "/v1beta1\n", 1)
	if got := get[*model.PeerAuthentication](t, mustImport(t, "m.yaml", old), "PeerAuthentication", "a", "m"); got.Mode != "STRICT" || got.Pods != nil {
		t.Errorf("v1beta1: got %+v", got)
	}
	for _, test := range []struct{ text, want string }{
		{istio("AuthorizationPolicy", "action: REFUSE\n"), "m.yaml:5: m: spec.action: found `REFUSE`, want ALLOW, DENY, CUSTOM or AUDIT"},
		{istio("AuthorizationPolicy", "rules: [{to: [{operation: {ports: [http]}}]}]\n"), "m.yaml:5: m: spec.rules[0].to[0].operation.ports[0]: found `http`, want a port from 1 to 65535, in quotes"},
		{istio("AuthorizationPolicy", "rules: [{from: [{source: {ipBlocks: [x]}}]}]\n"), "m.yaml:5: m: spec.rules[0].from[0].source.ipBlocks[0]: found `x`, want a CIDR as in 10.9.8.0/24 or 2001:db8::/64"},
		{istio("AuthorizationPolicy", "rule: []\n"), "m.yaml:5: m: spec.rule: found `rule`, want a known field, perhaps rules"},
		{istio("PeerAuthentication", "mtls: {mode: strict}\n"), "m.yaml:5: m: spec.mtls.mode: found `strict`, want STRICT, PERMISSIVE, DISABLE or UNSET"},
		{istio("PeerAuthentication", "portLevelMtls: {http: {mode: STRICT}}\n"), "m.yaml:5: m: spec.portLevelMtls.http: found `http`, want a port from 1 to 65535"},
	} {
		_, err := importText("m.yaml", test.text)
		if got := fmt.Sprint(err); got != test.want {
			t.Errorf("\n got %s\nwant %s", got, test.want)
		}
	}
}
