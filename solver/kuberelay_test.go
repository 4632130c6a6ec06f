package solver

import (
	"slices"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// K8S-GW-02: routes of the Gateway API may relay what policies keep out, to the pods behind the Services that they name and to no others. The
// packets themselves stay out, as both engines say (AZ-REL-03).
func TestGatewayRoutes(t *testing.T) {
	const (
		service  = "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}"
		guarded  = "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: gateways}}}]}]"
		closed   = "podSelector: {}, policyTypes: [Ingress]"
		silenced = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: silent, namespace: b}, spec: {podSelector: {}, policyTypes: [Egress]}}"
	)
	route := func(kind, rules string) string {
		return "{apiVersion: gateway.networking.k8s.io/v1, kind: " + kind + ", metadata: {name: r, namespace: b}, spec: {parentRefs: [{name: gw}], rules: [" + rules + "]}}"
	}
	const note = "UNSUPPORTED(gateway.networking.k8s.io/v1/HTTPRoute r)"
	web := route("HTTPRoute", "{backendRefs: [{name: web, namespace: a, port: 80}]}")
	for _, test := range []struct {
		name, policy string
		objects      []string
		rows         []string // reach: U unreachable, ? unknown, A reachable
		note         string
	}{
		{"no route", guarded, nil, []string{"ext>web tcp/8080 U", "api>web tcp/8080 U"}, ""},
		{"a gateway alone", guarded, []string{"{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: gw, namespace: b}, spec: {gatewayClassName: x}}"}, []string{"ext>web tcp/8080 U"}, ""},
		{"a back end", guarded, []string{web}, []string{"ext>web tcp/8080 ?", "api>web tcp/8080 ?", "db>web tcp/8080 ?", "ext>web tcp/80 U", "ext>web udp/8080 U", "ext>db tcp/5432 U", "web>api tcp/9090 A"}, note},
		{"a back end that admits no pod", closed, []string{web}, []string{"ext>web tcp/8080 U"}, ""},
		{"a sender that opens nothing", guarded, []string{web, silenced}, []string{"ext>web tcp/8080 ?", "api>web tcp/8080 U"}, note},
		{"a mirror", guarded, []string{route("HTTPRoute", "{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web, namespace: a, port: 80}}}]}")}, []string{"ext>web tcp/8080 ?", "ext>db tcp/5432 U"}, note},
		{"a redirect", guarded, []string{route("HTTPRoute", "{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}")}, []string{"ext>web tcp/8080 U"}, ""},
		{"a Service of another namespace", guarded, []string{route("HTTPRoute", "{backendRefs: [{name: web, port: 80}]}")}, []string{"ext>web tcp/8080 U"}, ""},
		{"a back end of another kind", guarded, []string{route("HTTPRoute", "{backendRefs: [{group: x.io, kind: Pool, name: p}]}")}, []string{"ext>web tcp/8080 ?", "ext>db tcp/5432 ?"}, note},
		{"a filter of another API", guarded, []string{route("HTTPRoute", "{filters: [{type: ExtensionRef, extensionRef: {group: x.io, kind: F, name: f}}]}")}, []string{"ext>db udp/53 ?"}, note},
		{"TCP", guarded, []string{route("TCPRoute", "{backendRefs: [{name: web, namespace: a, port: 80}]}")}, []string{"ext>web tcp/8080 ?"}, "UNSUPPORTED(gateway.networking.k8s.io/v1/TCPRoute r)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := manifests(t, "azure", append([]string{service, netPolicy(test.policy)}, test.objects...)...)
			for _, row := range test.rows {
				f := strings.Fields(row)
				src, dst, _ := strings.Cut(f[0], ">")
				services := []model.PortService{portService(t, f[1])}
				want := map[string]Verdict{"U": Unreachable, "?": Unknown, "A": Reachable}[f[2]]
				for _, direct := range []bool{false, true} {
					r, err := k.s.Reach(k.selectors(src), k.selectors(dst), services, direct)
					if err != nil {
						t.Fatal(err)
					}
					if direct && want == Unknown {
						want = Unreachable
					}
					if r.Verdict != want {
						t.Errorf("%s direct %v: got %s, want %s", row, direct, r.Verdict, want)
					}
					if r.Verdict == Unknown && !slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return a.ID == test.note }) {
						t.Errorf("%s: %v do not name %s", row, r.Assumptions, test.note)
					}
				}
				if f[2] != "A" {
					k.flows(f[0] + " " + f[1] + " D")
				}
				rows, _, err := WorkloadMatrix(k.s.Project, Options{}, WorkloadQuestion{Services: services})
				if err != nil {
					t.Fatal(err)
				}
				from, to := k.selectors(src)[0].Text, strings.TrimPrefix(k.selectors(dst)[0].Text, "B/")
				found := slices.ContainsFunc(rows, func(r Row) bool {
					return strings.HasSuffix(r.Src, strings.TrimPrefix(from, "pod:B/")) && strings.HasSuffix(r.Dst, strings.TrimPrefix(to, "pod:B/"))
				})
				if found != (f[2] != "U") {
					t.Errorf("%s: the matrix says %v", row, found)
				}
			}
		})
	}
}
