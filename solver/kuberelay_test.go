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
		guarded  = "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: gateways}}}]}]"
		closed   = "podSelector: {}, policyTypes: [Ingress]"
		silenced = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: silent, namespace: b}, spec: {podSelector: {}, policyTypes: [Egress]}}"
	)
	route := func(kind, rules string) string {
		return "{apiVersion: gateway.networking.k8s.io/v1, kind: " + kind + ", metadata: {name: r, namespace: b}, spec: {parentRefs: [{name: gw}], rules: [" + rules + "]}}"
	}
	const note = "UNSUPPORTED(gateway.networking.k8s.io/v1/HTTPRoute r)"
	web := route("HTTPRoute", "{backendRefs: [{name: web, namespace: a, port: 80}]}")
	for _, test := range []relayCase{
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
		t.Run(test.name, test.hold)
	}
}

// relayCase is what is reached with some objects beside the Service web.a of the base cluster.
type relayCase struct {
	name, policy string
	objects      []string
	rows         []string // reach: U unreachable, ? unknown and R reachable by a relay alone, A reachable
	note         string   // of those that are unknown
}

const relayService = "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a}, spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}}"

func (test relayCase) hold(t *testing.T) {
	k := manifests(t, "azure", append([]string{relayService, netPolicy(test.policy)}, test.objects...)...)
	for _, row := range test.rows {
		f := strings.Fields(row)
		src, dst, _ := strings.Cut(f[0], ">")
		services := []model.PortService{portService(t, f[1])}
		want := map[string]Verdict{"U": Unreachable, "?": Unknown, "A": Reachable, "R": Reachable}[f[2]]
		for _, direct := range []bool{false, true} {
			r, err := k.s.Reach(k.selectors(src), k.selectors(dst), services, direct)
			if err != nil {
				t.Fatal(err)
			}
			if direct && (f[2] == "?" || f[2] == "R") {
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
}

// K8S-ING-02: an Ingress whose controller is not among the pods of the input relays what policies keep out, perhaps, to its own back ends alone.
func TestIngressWithoutController(t *testing.T) {
	const (
		guarded = "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]}]"
		closed  = "podSelector: {}, policyTypes: [Ingress]"
		note    = "MISSING(controller of the Ingress i)"
	)
	ingress := func(class, port string) string {
		return "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: a}, spec: {" + class + "rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {" + port + "}}}}]}}]}}"
	}
	controller := func(namespace, more string) string {
		return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: controller, namespace: " + namespace + "}, spec: {template: {metadata: {labels: {app: controller}}, spec: {" + more + "containers: [{name: c}]}}, selector: {matchLabels: {app: controller}}}}"
	}
	class := func(name, by string) string {
		return "{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: " + name + "}, spec: {controller: " + by + "}}"
	}
	plain := ingress("", "number: 80")
	for _, test := range []relayCase{
		{"no Ingress", guarded, nil, []string{"ext>web tcp/8080 U"}, ""},
		{"by number", guarded, []string{plain}, []string{"ext>web tcp/8080 ?", "api>web tcp/8080 ?", "ext>web tcp/80 U", "ext>web udp/8080 U", "ext>db tcp/5432 U"}, note},
		{"by name", guarded, []string{ingress("", "name: http")}, []string{"ext>web tcp/8080 ?", "ext>db tcp/5432 U"}, note},
		{"a port that the Service lacks", guarded, []string{ingress("", "number: 81")}, []string{"ext>web tcp/8080 U"}, ""},
		{"a back end that admits no pod", closed, []string{plain}, []string{"ext>web tcp/8080 U"}, ""},
		{"a controller among the pods", guarded, []string{plain, controller("ingress-nginx", "")}, []string{"ext>web tcp/8080 R", "ext>db tcp/5432 U"}, ""},
		{"of its class", guarded, []string{ingress("ingressClassName: nginx, ", "number: 80"), controller("ingress-nginx", "")}, []string{"ext>web tcp/8080 R"}, ""},
		{"of its class, by the object", guarded, []string{ingress("ingressClassName: outer, ", "number: 80"), class("outer", "k8s.io/ingress-nginx"), controller("ingress-nginx", "")}, []string{"ext>web tcp/8080 R"}, ""},
		{"elsewhere", guarded, []string{ingress("ingressClassName: webapprouting.kubernetes.azure.com, ", "number: 80"), controller("ingress-nginx", "")}, []string{"ext>web tcp/8080 ?"}, note},
		{"an application gateway sends from a subnet", guarded, []string{ingress("ingressClassName: azure-application-gateway, ", "number: 80"), class("azure-application-gateway", "azure/application-gateway"), controller("ingress-nginx", "")}, []string{"ext>web tcp/8080 ?", "ext>db tcp/5432 U"}, note},
		{"Application Gateway for Containers too", guarded, []string{ingress("ingressClassName: azure-alb-external, ", "number: 80"), controller("ingress-nginx", "")}, []string{"ext>web tcp/8080 ?"}, note},
		{"a class that nobody knows", guarded, []string{ingress("ingressClassName: traefik, ", "number: 80"), controller("ingress-nginx", "")}, []string{"ext>web tcp/8080 ?", "ext>db tcp/5432 U"}, note},
		{"a controller of its class elsewhere", guarded, []string{ingress("ingressClassName: inner, ", "number: 80"), class("inner", "k8s.io/ingress-inner")}, []string{"ext>web tcp/8080 ?"}, note},
	} {
		t.Run(test.name, test.hold)
	}
}

// K8S-GEN-07: other objects that make pods which the input lacks open connections.
func TestOtherRelays(t *testing.T) {
	const guarded = "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: gateways}}}]}]"
	mesh := func(kind, spec string) string {
		return "{apiVersion: networking.istio.io/v1, kind: " + kind + ", metadata: {name: m, namespace: b}, spec: {" + spec + "}}"
	}
	const virtual = "UNSUPPORTED(networking.istio.io/v1/VirtualService m)"
	cilium := func(kind, spec string) string {
		return "{apiVersion: cilium.io/v2, kind: " + kind + ", metadata: {name: m, namespace: a}, spec: {" + spec + "}}"
	}
	for _, test := range []relayCase{
		{"a VirtualService of a gateway", guarded, []string{mesh("VirtualService", "hosts: ['*'], gateways: [gw], http: [{route: [{destination: {host: web.a.svc.cluster.local}}]}]")}, []string{"ext>web tcp/8080 ?", "api>web tcp/8080 ?", "ext>db tcp/5432 U"}, virtual},
		{"by a short name", guarded, []string{mesh("VirtualService", "hosts: ['*'], gateways: [gw], tcp: [{route: [{destination: {host: web.a}}]}]")}, []string{"ext>web tcp/8080 ?", "ext>db tcp/5432 U"}, virtual},
		{"a Service of another namespace", guarded, []string{mesh("VirtualService", "hosts: ['*'], gateways: [gw], http: [{route: [{destination: {host: web}}]}]")}, []string{"ext>web tcp/8080 U"}, ""},
		{"a mirror", guarded, []string{mesh("VirtualService", "hosts: ['*'], gateways: [gw], http: [{mirrors: [{destination: {host: web.a}}], route: [{destination: {host: other}}]}]")}, []string{"ext>web tcp/8080 ?"}, virtual},
		{"of the mesh alone", guarded, []string{mesh("VirtualService", "hosts: [web.a], http: [{route: [{destination: {host: web.a}}]}]")}, []string{"ext>web tcp/8080 U", "api>web tcp/8080 U"}, ""},
		{"a delegate", guarded, []string{mesh("VirtualService", "hosts: ['*'], gateways: [gw], http: [{delegate: {name: other}}]")}, []string{"ext>web tcp/8080 ?", "ext>db tcp/5432 ?"}, virtual},
		{"a name outside", guarded, []string{mesh("VirtualService", "hosts: ['*'], gateways: [gw], tls: [{route: [{destination: {host: www.bank.example}}]}]")}, []string{"ext>web tcp/8080 U"}, ""},
		{"behind which pods may be", guarded, []string{mesh("VirtualService", "hosts: ['*'], gateways: [gw], tls: [{route: [{destination: {host: www.bank.example}}]}]"), mesh("ServiceEntry", "hosts: [www.bank.example], workloadSelector: {labels: {app: db}}")}, []string{"ext>db tcp/5432 ?"}, virtual},
		{"a gateway", guarded, []string{mesh("Gateway", "servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*']}]")}, []string{"ext>web tcp/8080 U"}, ""},
		{"one that passes on", guarded, []string{mesh("Gateway", "servers: [{port: {number: 15443, name: tls, protocol: TLS}, tls: {mode: AUTO_PASSTHROUGH}, hosts: ['*.local']}]")}, []string{"ext>web tcp/8080 ?", "ext>db tcp/5432 ?"}, "UNSUPPORTED(networking.istio.io/v1/Gateway m)"},
		{"a proxy of Cilium", guarded, []string{cilium("CiliumEnvoyConfig", "services: [{name: other, namespace: a}], backendServices: [{name: web}], resources: [{'@type': type.googleapis.com/envoy.config.listener.v3.Listener, name: l}]")}, []string{"ext>web tcp/8080 ?", "ext>db tcp/5432 U"}, "UNSUPPORTED(cilium.io/v2/CiliumEnvoyConfig m)"},
		{"with addresses of its own", guarded, []string{cilium("CiliumEnvoyConfig", "services: [{name: web}], resources: [{'@type': type.googleapis.com/envoy.config.cluster.v3.Cluster, type: STATIC}]")}, []string{"ext>web tcp/8080 ?", "ext>db tcp/5432 ?"}, "UNSUPPORTED(cilium.io/v2/CiliumEnvoyConfig m)"},
		{"a Service for other clusters", guarded, []string{"{apiVersion: multicluster.x-k8s.io/v1alpha1, kind: ServiceExport, metadata: {name: web, namespace: a}}"}, []string{"ext>web tcp/8080 ?", "ext>db tcp/5432 U"}, "UNSUPPORTED(multicluster.x-k8s.io/v1alpha1/ServiceExport web)"},
		{"an Ingress in an old version", guarded, []string{"{apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: i, namespace: a}, spec: {}}"}, []string{"ext>web tcp/8080 ?", "ext>db tcp/5432 ?"}, "UNSUPPORTED(extensions/v1beta1/Ingress i)"},
		{"a back end that is no Service", guarded, []string{"{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: a}, spec: {defaultBackend: {resource: {apiGroup: x.io, kind: Bucket, name: b}}}}"}, []string{"ext>web tcp/8080 ?"}, "UNSUPPORTED(networking.k8s.io/v1/Ingress i spec.defaultBackend.resource)"},
	} {
		t.Run(test.name, test.hold)
	}
}
