package solver

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/kubernetes"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/trace"
)

// The worked examples of docs/semantics/kubernetes.md for policies beyond NetworkPolicy, from YAML on: importer, solver and interpreter, which
// have to agree on every packet.

// clusterB is the base cluster of the examples.
const clusterB = `
{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {env: prod}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {env: dev}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: a}, spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}}, selector: {matchLabels: {app: web}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: db, namespace: a}, spec: {template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, ports: [{name: sql, containerPort: 5432}]}]}}, selector: {matchLabels: {app: db}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: api, namespace: b}, spec: {template: {metadata: {labels: {app: api}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 9090}]}]}}, selector: {matchLabels: {app: api}}}}
`

// kube is a cluster of manifests, solved.
type kube struct {
	*joint

	t *testing.T
}

// manifests solves the base cluster with more objects, of which each is a document.
func manifests(t *testing.T, engine string, objects ...string) *kube {
	t.Helper()
	return trusting(t, false, engine, objects...)
}

// trusting is manifests where the intent file says whether a mesh counts (K8S-IST-05).
func trusting(t *testing.T, mesh bool, engine string, objects ...string) *kube {
	t.Helper()
	return solved(t, mesh, &model.Cluster{Meta: model.Meta{ID: "kubernetes:B/Cluster//B", Source: model.Source{File: "B"}}, Manifest: true, Engine: engine}, objects...)
}

// solved is trusting for a cluster of which more is known.
func solved(t *testing.T, mesh bool, c *model.Cluster, objects ...string) *kube {
	t.Helper()
	text := clusterB + "---\n" + strings.Join(objects, "\n---\n")
	if slices.ContainsFunc(objects, func(o string) bool { return strings.Contains(o, "istio.io/") }) {
		text = strings.Replace(text, "env: prod", "env: prod, istio.io/rev: asm-1-27", 1)
	}
	r, err := kubernetes.Import(fstest.MapFS{"m.yaml": {Data: []byte(text)}}, []string{"m.yaml"}, kubernetes.Options{Cluster: c.ID, ClusterName: "B"})
	if err != nil {
		t.Fatal(err)
	}
	j, err := newJointWith(modeltest.Draft{Resources: append(r.Resources, c), Ledger: r.Ledger}, &model.Intent{TrustMesh: mesh})
	if err != nil {
		t.Fatal(err)
	}
	return &kube{j, t}
}

// place is where packets for an end of a flow arrive.
func (k *kube) place(name string) string {
	if a, err := netip.ParseAddr(name); err == nil && a.IsValid() || name == "ext" {
		return "internet  "
	}
	return placeText(model.Place{Kind: model.PlacePod, ID: k.workload(name).ID})
}

func (k *kube) workload(name string) *model.Workload {
	k.t.Helper()
	for _, w := range k.s.Project.Estate.Workloads {
		if w.Name() == name {
			return w
		}
	}
	k.t.Fatalf("no workload %s", name)
	return nil
}

func (k *kube) addr(name string) netip.Addr {
	k.t.Helper()
	if name == "ext" {
		return netip.MustParseAddr("203.0.113.7")
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return a
	}
	w := k.workload(name)
	if len(w.Addresses) > 0 {
		return w.Addresses[0]
	}
	a, _ := k.s.Project.Estate.Symbols().Of(model.PodAddress, w.ID, "")
	return a
}

// ask is the answer of both engines for one packet: A delivered, D dropped, ? over delivered and under dropped; with the assumptions that the
// interpreter names.
func (k *kube) ask(src, dst, service string) (string, []string) {
	k.t.Helper()
	svc := portService(k.t, service)
	p := trace.Packet{Src: k.addr(src), Dst: k.addr(dst), Protocol: svc.Protocol}
	if p.Protocol.HasPorts() {
		p.SPort, p.DPort = 50000, svc.Ports.First
	}
	q, ok := k.sent(p)
	if !ok {
		k.t.Fatalf("nobody sends %s", p)
	}
	if diff := k.differ(q); diff != "" {
		k.t.Errorf("%s>%s %s: the engines differ: %s", src, dst, service, diff)
	}
	res := trace.Run(k.s.Project.Estate, k.s.traceOptions(false), q.trace)
	var notes []string
	for _, x := range res.Paths {
		notes = append(notes, x.Assumptions...)
	}
	answer := map[string]string{"over one-way session": "A", "over": "?", "": "D"}[bounds(k.solver(q)[k.place(dst)])]
	return answer, notes
}

// flows checks rows as `web>db tcp/5432 A`; the service * stands for samples of all connections.
func (k *kube) flows(rows ...string) {
	k.t.Helper()
	for _, row := range rows {
		f := strings.Fields(row)
		src, dst, _ := strings.Cut(f[0], ">")
		services := []string{"tcp/1", "tcp/80", "tcp/5432", "tcp/8080", "tcp/65535", "udp/53"}
		if f[1] != "*" {
			services = []string{f[1]}
		}
		for _, s := range services {
			if got, _ := k.ask(src, dst, s); got != f[2] {
				k.t.Errorf("%s %s: got %s, want %s", f[0], s, got, f[2])
			}
		}
	}
}

// open checks a row that is unknown for a reason.
func (k *kube) open(row, reason string) {
	k.t.Helper()
	f := strings.Fields(row)
	src, dst, _ := strings.Cut(f[0], ">")
	got, notes := k.ask(src, dst, f[1])
	if got != "?" || !slices.ContainsFunc(notes, func(n string) bool { return strings.HasPrefix(n, reason) }) {
		k.t.Errorf("%s: got %s for %v, want ? for %s", row, got, notes, reason)
	}
	r, err := k.s.Reach(k.selectors(src), k.selectors(dst), []model.PortService{portService(k.t, f[1])}, true)
	if err != nil {
		k.t.Fatal(err)
	}
	if !slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return strings.HasPrefix(a.ID, reason) }) {
		k.t.Errorf("%s: the solver names %v, want %s", row, r.Assumptions, reason)
	}
}

// blocked checks who stops a flow.
func (k *kube) blocked(row, rule string) {
	k.t.Helper()
	f := strings.Fields(row)
	src, dst, _ := strings.Cut(f[0], ">")
	r, err := k.s.Reach(k.selectors(src), k.selectors(dst), []model.PortService{portService(k.t, f[1])}, true)
	if err != nil {
		k.t.Fatal(err)
	}
	if len(r.BlockedBy) != 1 || !strings.HasSuffix(r.BlockedBy[0].Rule, rule) {
		k.t.Errorf("%s: blocked by %+v, want %s", row, r.BlockedBy, rule)
	}
}

func (k *kube) selectors(name string) []model.Selector {
	if name == "ext" {
		return selectors(k.t, "internet")
	}
	return selectors(k.t, "pod:B/"+k.workload(name).Namespace+"/"+name)
}

// netPolicy is a NetworkPolicy of namespace a.
func netPolicy(spec string) string {
	return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np, namespace: a}, spec: {" + spec + "}}"
}

// tierPolicy is a cluster-wide policy in both versions of the API: rules use the newer one's words.
func tierPolicy(old bool, name, tier string, priority int, subject, rules string) string {
	if !old {
		return fmt.Sprintf("{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: %s}, spec: {tier: %s, priority: %d, subject: {%s}, %s}}", name, tier, priority, subject, rules)
	}
	for _, w := range [][2]string{
		{"Accept", "Allow"},
		{"protocols:", "ports:"},
		{"destinationNamedPort:", "namedPort:"},
		{"tcp: {destinationPort: {number: 5432}}", "portNumber: {protocol: TCP, port: 5432}"},
		{"tcp: {destinationPort: {number: 80}}", "portNumber: {protocol: TCP, port: 80}"},
		{"tcp: {destinationPort: {range: {start: 1, end: 100}}}", "portRange: {start: 1, end: 100}"},
	} {
		rules = strings.ReplaceAll(rules, w[0], w[1])
	}
	if tier == "Baseline" {
		return fmt.Sprintf("{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: default}, spec: {subject: {%s}, %s}}", subject, rules)
	}
	return fmt.Sprintf("{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: %s}, spec: {priority: %d, subject: {%s}, %s}}", name, priority, subject, rules)
}

const (
	prod      = "namespaces: {matchLabels: {env: prod}}"
	everyPod  = "namespaces: {}"
	fromDev   = "from: [{namespaces: {matchLabels: {env: dev}}}]"
	fromAll   = "from: [{namespaces: {}}]"
	isolated  = "podSelector: {}, policyTypes: [Ingress]"
	fromEvery = "podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]"
)

// tierText writes a policy in one version of the API.
type tierText func(name, tier string, priority int, subject, rules string) string

// inBoth runs an example with both versions of the API.
func inBoth(t *testing.T, test func(t *testing.T, policy tierText)) {
	t.Helper()
	for _, old := range []bool{false, true} {
		t.Run(map[bool]string{false: "v1alpha2", true: "v1alpha1"}[old], func(t *testing.T) {
			test(t, func(name, tier string, priority int, subject, rules string) string {
				return tierPolicy(old, name, tier, priority, subject, rules)
			})
		})
	}
}

// Engines that are documented to enforce cluster-wide policies (K8S-CNP-17).
const tiersEngine = "ovn-kubernetes"

// X40: an Admin Deny stands before NetworkPolicies; der. Where the engine may not enforce it, both readings hold (K8S-CNP-17).
func TestX40(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		objects := []string{netPolicy(fromEvery), policy("p", "Admin", 10, prod, "ingress: [{action: Deny, "+fromDev+"}]")}
		k := manifests(t, tiersEngine, objects...)
		k.flows("api>web * D", "api>db * D", "web>db * A", "db>web * A", "ext>web * D", "ext>db * D")
		k.blocked("api>web tcp/80", "/p/ingress[0]")
		k.blocked("ext>web tcp/80", "a/np")
		for _, engine := range []string{"", "azure", "calico", "cilium", "another"} {
			k := manifests(t, engine, objects...)
			k.flows("api>web * ?", "web>db * A", "ext>web * D")
			k.open("api>web tcp/80", "ASM-K-CNP")
		}
		manifests(t, "none", objects...).flows("api>web * A", "ext>web * A")
	})
}

// X41: an Admin Accept overrides isolation; der.
func TestX41(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		manifests(t, tiersEngine, netPolicy(isolated), policy("p", "Admin", 10, prod, "ingress: [{action: Accept, "+fromDev+", protocols: [{tcp: {destinationPort: {number: 5432}}}]}]")).flows(
			"api>db tcp/5432 A", "api>web tcp/5432 A", "api>db tcp/5433 D", "api>db udp/5432 D", "web>db * D", "db>web * D", "ext>web * D", "ext>db * D")
	})
}

// X42: Pass leads to the NetworkPolicies, past all other Admin rules; der.
func TestX42(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		manifests(t, tiersEngine, netPolicy(isolated), policy("p", "Admin", 10, prod, "ingress: [{action: Pass, "+fromDev+"}]"), policy("q", "Admin", 20, prod, "ingress: [{action: Accept, "+fromAll+"}]")).flows(
			"api>web * D", "api>db * D", "web>db * A", "db>web * A", "ext>web * D", "ext>db * D")
	})
}

// X43: Baseline denies what is passed on; outside sources are nobody's peer (K8S-CNP-08); der.
func TestX43(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		manifests(t, tiersEngine, policy("p", "Admin", 10, prod, "ingress: [{action: Pass, "+fromDev+"}]"), policy("q", "Admin", 20, prod, "ingress: [{action: Accept, "+fromAll+"}]"),
			policy("r", "Baseline", 0, everyPod, "ingress: [{action: Deny, "+fromAll+"}]")).flows(
			"api>web * D", "api>db * D", "web>db * A", "db>web * A", "ext>web * A", "ext>db * A", "ext>api * A", "web>api * D", "db>api * D")
	})
}

// X44: where a NetworkPolicy isolates, Baseline is not asked; der.
func TestX44(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		manifests(t, tiersEngine, netPolicy(fromEvery), policy("r", "Baseline", 0, everyPod, "ingress: [{action: Deny, "+fromAll+"}]")).flows(
			"web>db * A", "db>web * A", "api>web * A", "api>db * A", "web>api * D", "db>api * D", "ext>web * D", "ext>db * D", "ext>api * A")
	})
}

// X45: a Baseline Accept does not open what a NetworkPolicy isolates; der.
func TestX45(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		manifests(t, tiersEngine, netPolicy(isolated), policy("r", "Baseline", 0, everyPod, "ingress: [{action: Accept, "+fromAll+"}]")).flows(
			"db>web * D", "api>web * D", "ext>web * D", "web>db * D", "api>db * D")
	})
}

// X46: rules of a policy stand in their order; der.
func TestX46(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		k := manifests(t, tiersEngine, policy("p", "Admin", 10, prod, "ingress: [{action: Deny, "+fromAll+", protocols: [{tcp: {destinationPort: {number: 80}}}]}, "+
			"{action: Accept, "+fromAll+", protocols: [{tcp: {destinationPort: {range: {start: 1, end: 100}}}}]}, {action: Deny, "+fromAll+"}]"))
		for _, pair := range []string{"db>web ", "api>web ", "web>db ", "api>db "} {
			k.flows(pair+"tcp/1 A", pair+"tcp/79 A", pair+"tcp/80 D", pair+"tcp/81 A", pair+"tcp/100 A", pair+"tcp/101 D", pair+"udp/53 D", pair+"icmp D")
		}
		k.flows("ext>web * A")
	})
}

// X47: both sides decide (K8S-CNP-03); der.
func TestX47(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		manifests(t, tiersEngine, policy("p", "Admin", 10, prod, "ingress: [{action: Accept, "+fromAll+"}]"), policy("q", "Admin", 20, "namespaces: {matchLabels: {env: dev}}", "egress: [{action: Deny, to: [{namespaces: {}}]}]")).flows(
			"api>web * D", "api>db * D", "web>api * A", "api>ext * A")
	})
}

// X48: of two policies of one priority either may decide (K8S-CNP-05); der.
func TestX48(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		manifests(t, tiersEngine, policy("p", "Admin", 10, prod, "ingress: [{action: Deny, "+fromDev+"}]"), policy("q", "Admin", 10, prod, "ingress: [{action: Accept, "+fromAll+"}]"), policy("z", "Admin", 11, prod, "ingress: [{action: Deny, "+fromAll+"}]")).flows(
			"api>web * ?", "web>db * A", "db>web * A")
	})
}

// X49: networks include pods (K8S-CNP-10); der.
func TestX49(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		manifests(t, tiersEngine, policy("p", "Admin", 10, prod, "egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]")).flows(
			"web>ext * D", "web>db * D", "web>api * D", "db>ext * D", "db>web * D", "db>api * D", "ext>web * A", "api>web * A", "web>ext icmp D")
	})
}

// X50: a Pass before takes pods out; der.
func TestX50(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		manifests(t, tiersEngine, policy("p", "Admin", 10, prod, "egress: [{action: Pass, to: [{namespaces: {}}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]")).flows(
			"web>db * A", "web>api * A", "db>web * A", "db>api * A", "web>ext * D", "db>ext * D")
	})
}

// X51: a domain name may be any address outside (K8S-CNP-12); der.
func TestX51(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		k := manifests(t, tiersEngine, policy("p", "Admin", 10, prod, "egress: [{action: Accept, to: [{domainNames: ['*.bank.example']}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]"))
		k.flows("web>ext * ?", "web>db * D")
		k.open("web>ext tcp/443", "ASM-K-FQDN")
	})
}

// X52: a port by name is that of each destination pod (K8S-CNP-13); der.
func TestX52(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		manifests(t, tiersEngine, policy("p", "Admin", 10, prod, "ingress: [{action: Accept, "+fromAll+", protocols: [{destinationNamedPort: http}]}, {action: Deny, "+fromAll+"}]")).flows(
			"api>web tcp/8080 A", "db>web tcp/8080 A", "api>web tcp/9090 D", "api>web udp/8080 D", "web>db * D", "api>db * D", "ext>web * A")
	})
}

// K8S-CNP-14: a rule with a peer of nothing fails closed; a peer that this version does not know leaves open what its policy does.
func TestUnknownPeers(t *testing.T) {
	for _, test := range []struct{ action, peer, web, api string }{
		{"Accept", "{}", "D", "A"},
		{"Deny", "{}", "D", "A"},
		{"Pass", "{}", "D", "A"},
		{"Accept", "{serviceAccounts: {}}", "?", "A"},
		{"Deny", "{serviceAccounts: {}}", "?", "A"},
	} {
		k := manifests(t, tiersEngine, netPolicy(isolated), tierPolicy(false, "p", "Admin", 10, prod, "ingress: [{action: "+test.action+", from: ["+test.peer+"]}, {action: Accept, from: [{pods: {podSelector: {matchLabels: {app: none}}}}]}]"))
		k.flows("api>web * "+test.web, "ext>web * "+test.web, "web>api * "+test.api)
		if test.web == "?" {
			k.open("api>web tcp/80", "UNSUPPORTED(policy.networking.k8s.io/v1alpha2/ClusterNetworkPolicy p spec.ingress[0].from[0].serviceAccounts)")
		}
	}
	closed := manifests(t, tiersEngine, tierPolicy(false, "p", "Admin", 10, prod, "ingress: [{action: Accept, from: [{}]}]"))
	closed.flows("api>web * A", "ext>web * A")
	closed = manifests(t, tiersEngine, tierPolicy(false, "p", "Admin", 10, prod, "ingress: [{action: Pass, from: [{}]}]"))
	closed.flows("api>web * D", "ext>web * D", "web>api * A")
}

// ciliumPolicy is a policy of Cilium for namespace a, clusterwide where it says so.
func ciliumPolicy(spec string) string {
	return "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: cp, namespace: a}, spec: {" + spec + "}}"
}

func clusterwide(spec string) string {
	return "{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: ccp}, spec: {" + spec + "}}"
}

const (
	onWeb   = "endpointSelector: {matchLabels: {app: web}}, "
	onDB    = "endpointSelector: {matchLabels: {'k8s:app': db}}, "
	fromWeb = "fromEndpoints: [{matchLabels: {app: web}}]"
)

// X63: an empty rule admits nothing, where a NetworkPolicy's admits all (K8S-CIL-02); der.
func TestX63(t *testing.T) {
	manifests(t, "cilium", ciliumPolicy(onWeb+"ingress: [{}]")).flows("db>web * D", "api>web * D", "ext>web * D", "web>db * A", "ext>db * A")
	manifests(t, "cilium", netPolicy("podSelector: {matchLabels: {app: web}}, ingress: [{}]")).flows("db>web * A", "api>web * A", "ext>web * A")
}

// X64: a rule that denies beats every other (K8S-CIL-01); der.
func TestX64(t *testing.T) {
	k := manifests(t, "cilium", netPolicy("podSelector: {matchLabels: {app: db}}, ingress: [{from: [{namespaceSelector: {}}]}]"), ciliumPolicy(onDB+"ingressDeny: [{"+fromWeb+"}]"))
	k.flows("web>db * D", "api>db * A", "ext>db * D")
	k.blocked("web>db tcp/80", "a/CiliumNetworkPolicy/cp/ingressDeny[0]")
}

// What policies of Cilium do, row by row; der.
func TestCilium(t *testing.T) {
	for _, test := range []struct {
		name, engine string
		policies     []string
		flows        []string
		why          string // of the first flow, where it is open
	}{
		{"K8S-CIL-01: another engine does not know them", "calico", []string{ciliumPolicy(onWeb + "ingress: [{}]")}, []string{"api>web * A"}, ""},
		{"K8S-CIL-01: an engine that is not known may", "", []string{ciliumPolicy(onWeb + "ingress: [{}]")}, []string{"api>web * ?", "api>db * A"}, "ASM-K-CNP"},
		{"K8S-CIL-01: one union with NetworkPolicies", "cilium", []string{netPolicy(isolated), ciliumPolicy(onWeb + "ingress: [{" + fromWeb + "}, {fromEndpoints: [{matchLabels: {app: db}}]}]")}, []string{"db>web * A", "api>web * D", "web>db * D"}, ""},
		{"K8S-CIL-02: without default deny a rule only adds", "cilium", []string{ciliumPolicy(onWeb + "enableDefaultDeny: {ingress: false}, ingress: [{" + fromWeb + "}]")}, []string{"api>web * A", "ext>web * A"}, ""},
		{"K8S-CIL-02: and another may isolate", "cilium", []string{netPolicy(isolated), ciliumPolicy(onDB + "enableDefaultDeny: {ingress: false}, ingress: [{" + fromWeb + "}]")}, []string{"web>db * A", "api>db * D"}, ""},
		{"K8S-CIL-02: a section that denies isolates too", "cilium", []string{ciliumPolicy(onDB + "ingressDeny: [{" + fromWeb + "}]")}, []string{"web>db * D", "api>db * D", "web>api * A"}, ""},
		{"K8S-CIL-02: not without default deny", "cilium", []string{ciliumPolicy(onDB + "enableDefaultDeny: {ingress: false}, ingressDeny: [{" + fromWeb + "}]")}, []string{"web>db * D", "api>db * A", "ext>db * A"}, ""},
		{"K8S-CIL-02: versions differ about an empty section", "cilium", []string{ciliumPolicy(onWeb + "egress: []")}, []string{"web>ext * ?", "api>web * A"}, "ASM-K-CILIUM"},
		{"K8S-CIL-02: stated without a section", "cilium", []string{ciliumPolicy(onWeb + "enableDefaultDeny: {egress: true}, ingress: [{fromEntities: [all]}]")}, []string{"web>ext * D", "ext>web * A"}, ""},
		{"K8S-CIL-03: endpoints of the namespace", "cilium", []string{ciliumPolicy(onDB + "ingress: [{fromEndpoints: [{}]}]")}, []string{"web>db * A", "api>db * D", "ext>db * D"}, ""},
		{"K8S-CIL-03: of another, by its name", "cilium", []string{ciliumPolicy(onDB + "ingress: [{fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': b}}]}]")}, []string{"api>db * A", "web>db * D"}, ""},
		{"K8S-CIL-03: of another, by its labels", "cilium", []string{ciliumPolicy(onDB + "ingress: [{fromEndpoints: [{matchExpressions: [{key: 'k8s:io.cilium.k8s.namespace.labels.env', operator: In, values: [dev]}]}]}]")}, []string{"api>db * A", "web>db * D"}, ""},
		{"K8S-CIL-03: an empty list selects nothing", "cilium", []string{ciliumPolicy(onDB + "ingress: [{fromEndpoints: []}]")}, []string{"web>db * D", "api>db * D"}, ""},
		{"K8S-CIL-03: clusterwide, every namespace", "cilium", []string{clusterwide("endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]")}, []string{"web>db * A", "api>db * A", "web>api * A", "ext>db * D", "ext>api * D"}, ""},
		{"K8S-CIL-03: what lacks the label of a namespace", "cilium", []string{ciliumPolicy(onDB + "ingress: [{fromEndpoints: [{matchExpressions: [{key: 'k8s:io.kubernetes.pod.namespace', operator: NotIn, values: [a]}]}]}]")}, []string{"ext>db * ?", "api>db * A", "web>db * D"}, "ASM-K-CILIUM"},
		{"K8S-CIL-03: which clusterwide its labels do not bring in", "cilium", []string{clusterwide("endpointSelector: {matchLabels: {app: db}}, ingress: [{fromEndpoints: [{matchExpressions: [{key: 'k8s:io.cilium.k8s.namespace.labels.env', operator: NotIn, values: [prod]}]}]}]")}, []string{"ext>db * D", "api>db * A", "web>db * D"}, ""},
		{"K8S-CIL-03: a subject in another namespace", "cilium", []string{ciliumPolicy("endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': b}}, ingress: [{}]")}, []string{"ext>db * ?", "ext>api * A"}, "UNSUPPORTED(cilium.io/v2/CiliumNetworkPolicy cp"},
		{"K8S-CIL-04: an empty list of peers beside ports", "cilium", []string{ciliumPolicy(onDB + "ingress: [{fromCIDR: [], toPorts: [{ports: [{port: '80'}]}]}]")}, []string{"ext>db tcp/80 ?", "ext>db tcp/81 D", "web>db udp/80 ?"}, "ASM-K-CILIUM"},
		{"K8S-CIL-04: an entry without ports", "cilium", []string{ciliumPolicy(onDB + "ingress: [{" + fromWeb + ", toPorts: [{}]}]")}, []string{"web>db tcp/80 ?", "api>db * D"}, "ASM-K-CILIUM"},
		{"K8S-CIL-04: an empty list of entries is none", "cilium", []string{ciliumPolicy(onDB + "ingress: [{" + fromWeb + ", toPorts: []}]")}, []string{"web>db * A", "web>db icmp A", "api>db * D"}, ""},
		{"K8S-CIL-04: a rule that denies by no port", "cilium", []string{ciliumPolicy(onDB + "enableDefaultDeny: {ingress: false}, ingressDeny: [{" + fromWeb + ", toPorts: [{}]}]")}, []string{"web>db tcp/80 ?", "api>db * A"}, "ASM-K-CILIUM"},
		{"K8S-CIL-04: a rule that denies by no kind of message", "cilium", []string{ciliumPolicy(onDB + "enableDefaultDeny: {ingress: false}, ingressDeny: [{" + fromWeb + ", icmps: [{fields: []}]}]")}, []string{"web>db tcp/80 ?", "api>db * A"}, "ASM-K-CILIUM"},
		{"K8S-CIL-04: a protocol without ports", "cilium", []string{ciliumPolicy(onDB + "ingress: [{" + fromWeb + ", toPorts: [{ports: [{protocol: VRRP}]}]}]")}, []string{"web>db tcp/80 ?", "ext>db tcp/80 ?", "ext>web * A"}, "UNSUPPORTED(cilium.io/v2/CiliumNetworkPolicy cp spec)"},
		{"K8S-CIL-04: in both directions", "cilium", []string{ciliumPolicy(onDB + "ingress: [{toPorts: [{ports: [{protocol: VRRP}]}]}], egress: [{}]")}, []string{"db>ext tcp/80 ?"}, "UNSUPPORTED(cilium.io/v2/CiliumNetworkPolicy cp spec)"},
		{"K8S-CIL-04: port 0 with an end", "cilium", []string{ciliumPolicy(onDB + "enableDefaultDeny: {ingress: false}, ingressDeny: [{toPorts: [{ports: [{port: '0', endPort: 90}]}]}]")}, []string{"ext>db tcp/91 ?"}, "ASM-K-CILIUM"},
		{"K8S-CIL-04: ports of every peer", "cilium", []string{ciliumPolicy(onDB + "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}, {port: '100', endPort: 110}]}]}]")}, []string{"ext>db tcp/80 A", "ext>db udp/80 D", "ext>db udp/105 A", "web>db tcp/110 A", "web>db tcp/111 D", "web>db icmp D"}, ""},
		{"K8S-CIL-04: peers and ports", "cilium", []string{ciliumPolicy(onDB + "ingress: [{" + fromWeb + ", toPorts: [{ports: [{port: sql}]}]}]")}, []string{"web>db tcp/5432 A", "web>db tcp/80 D", "api>db tcp/5432 D"}, ""},
		{"K8S-CIL-04: port 0 is every port", "cilium", []string{ciliumPolicy(onDB + "ingress: [{toPorts: [{ports: [{port: '0', protocol: UDP}]}]}]")}, []string{"ext>db udp/53 A", "ext>db tcp/80 D"}, ""},
		{"K8S-CIL-04: rules for the application layer", "cilium", []string{ciliumPolicy(onDB + "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET}]}}]}]")}, []string{"ext>db tcp/80 ?", "ext>db tcp/81 D"}, "ASM-K-CILIUM"},
		{"K8S-CIL-04: kinds of ICMP messages", "cilium", []string{ciliumPolicy(onDB + "ingress: [{" + fromWeb + ", icmps: [{fields: [{type: 8, family: IPv4}]}]}]")}, []string{"web>db icmp A", "web>db tcp/80 D", "api>db icmp D"}, ""},
		{"K8S-CIL-04: another kind", "cilium", []string{ciliumPolicy(onDB + "ingress: [{" + fromWeb + ", icmps: [{fields: [{type: TimeExceeded}]}]}]")}, []string{"web>db icmp ?"}, "ASM-K-CILIUM"},
		{"K8S-CIL-05: CIDRs are for the outside", "cilium", []string{ciliumPolicy(onDB + "ingress: [{fromCIDRSet: [{cidr: 0.0.0.0/0, except: [203.0.113.0/25]}]}, {fromCIDR: [203.0.113.9]}]")}, []string{"ext>db * D", "203.0.113.9>db * A", "203.0.113.200>db * A", "web>db * D", "api>db * D"}, ""},
		{"K8S-CIL-06: entities", "cilium", []string{ciliumPolicy(onDB + "ingress: [{fromEntities: [world]}]"), ciliumPolicyNamed("w", onWeb+"ingress: [{fromEntities: [cluster]}]")}, []string{"ext>db * A", "web>db * D", "api>web * A", "ext>web * D"}, ""},
		{"K8S-CIL-06: all", "cilium", []string{ciliumPolicy(onDB + "ingress: [{fromEntities: [all]}]")}, []string{"ext>db * A", "web>db * A"}, ""},
		{"K8S-CIL-06: the API server may be any address outside", "cilium", []string{ciliumPolicy(onWeb + "egress: [{toEntities: [kube-apiserver]}]")}, []string{"web>ext tcp/443 ?", "web>db * D"}, "ASM-K-CILIUM"},
		{"K8S-CIL-06: nodes are not outside", "cilium", []string{ciliumPolicy(onWeb + "egress: [{toEntities: [host, remote-node]}]")}, []string{"web>ext * D", "web>db * D"}, ""},
		{"K8S-CIL-07: a name may be any address outside", "cilium", []string{ciliumPolicy(onWeb + "egress: [{toFQDNs: [{matchPattern: '*.bank.example'}]}]")}, []string{"web>ext tcp/443 ?", "web>db * D"}, "ASM-K-FQDN"},
		{"K8S-CIL-08: what is not followed leaves its pods open", "cilium", []string{ciliumPolicy(onDB + "ingress: [{fromGroups: [{aws: {}}]}]")}, []string{"api>db * ?", "api>web * A"}, "UNSUPPORTED(cilium.io/v2/CiliumNetworkPolicy cp spec.ingress[0].fromGroups)"},
		{"several rules in one object", "cilium", []string{"{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: cp, namespace: a}, specs: [{" + onWeb + "ingress: [{}]}, {" + onDB + "egress: [{}]}]}"}, []string{"api>web * D", "api>db * A", "db>ext * D", "web>ext * A"}, ""},
		{"K8S-CNP-02: tiers stand around them", "cilium", []string{ciliumPolicy(onDB + "ingress: [{}]"), tierPolicy(false, "p", "Admin", 1, prod, "ingress: [{action: Accept, "+fromAll+"}]")}, []string{"web>db * ?", "ext>db * D"}, "ASM-K-CNP"},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := manifests(t, test.engine, test.policies...)
			k.flows(test.flows...)
			if test.why != "" {
				k.open(strings.Replace(test.flows[0], " * ", " tcp/80 ", 1), test.why)
			}
		})
	}
}

func ciliumPolicyNamed(name, spec string) string {
	return strings.Replace(ciliumPolicy(spec), "name: cp,", "name: "+name+",", 1)
}

func calicoPolicy(name, spec string) string {
	return "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: " + name + ", namespace: a}, spec: {" + spec + "}}"
}

func calicoGlobal(name, spec string) string {
	return "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: " + name + "}, spec: {" + spec + "}}"
}

func calicoTier(name, spec string) string {
	return "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: " + name + "}, spec: {" + spec + "}}"
}

// What policies of Calico do, row by row; der.
func TestCalico(t *testing.T) {
	const fromDev = "source: {namespaceSelector: \"env == 'dev'\"}"
	set := "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkSet, metadata: {name: s, labels: {kind: partner}}, spec: {nets: [203.0.113.0/24]}}"
	ownSet := "{apiVersion: projectcalico.org/v3, kind: NetworkSet, metadata: {name: s, namespace: a, labels: {kind: partner}}, spec: {nets: [203.0.113.0/24]}}"
	for _, test := range []struct {
		name, engine string
		policies     []string
		flows        []string
		why          string // of the first flow, where it is open
	}{
		{"K8S-CAL-01: another engine does not know them", "cilium", []string{calicoGlobal("g", "selector: all(), ingress: [{action: Deny}]")}, []string{"api>web * A"}, ""},
		{"K8S-CAL-01: an engine that is not known may", "", []string{calicoGlobal("g", "selector: all(), ingress: [{action: Deny}]")}, []string{"api>web * ?"}, "ASM-K-CNP"},
		{"K8S-CAL-02: a policy that selects denies what it does not match", "calico", []string{calicoPolicy("p", "selector: app == 'web', ingress: [{action: Allow, source: {selector: app == 'db'}}]")}, []string{"db>web * A", "api>web * D", "ext>web * D", "web>ext * A", "api>db * A"}, ""},
		{"K8S-CAL-02: an Allow before NetworkPolicies overrides isolation", "calico", []string{netPolicy(isolated), calicoGlobal("g", "order: 10, selector: all(), types: [Ingress], ingress: [{action: Allow, "+fromDev+"}]")}, []string{"api>web * A", "db>web * D", "ext>web * D", "web>api * D"}, ""},
		{"K8S-CAL-02: behind them it only adds", "calico", []string{netPolicy("podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {env: dev}}}]}]"), calicoGlobal("g", "order: 2000, selector: app == 'web', ingress: [{action: Deny, "+fromDev+"}, {action: Allow, source: {nets: [203.0.113.0/24]}}]")}, []string{"api>web * A", "ext>web * A", "ext>db * D", "db>web * ?"}, ""}, // a net may hold the pod's address (K8S-NP-13)
		{"K8S-CAL-02: of one order either may be first", "calico", []string{calicoGlobal("g", "order: 10, selector: all(), ingress: [{action: Deny, "+fromDev+"}]"), calicoGlobal("h", "order: 10, selector: all(), ingress: [{action: Allow}]")}, []string{"api>web * ?", "db>web * A"}, ""},
		{"K8S-CAL-02: rules in sequence, Log decides nothing", "calico", []string{calicoGlobal("g", "selector: app == 'web', ingress: [{action: Log}, {action: Deny, protocol: TCP, destination: {ports: [80, '100:110']}}, {action: Allow}]")}, []string{"db>web tcp/80 D", "db>web tcp/81 A", "db>web tcp/105 D", "db>web udp/80 A"}, ""},
		{"K8S-CAL-02: tiers by their order, Pass goes to the next", "calico", []string{calicoTier("first", "order: 1"), calicoTier("second", "order: 2"), calicoGlobal("first.g", "tier: first, selector: all(), ingress: [{action: Pass, "+fromDev+"}, {action: Deny, source: {nets: [203.0.113.0/24]}}, {action: Allow}]"), calicoGlobal("second.g", "tier: second, selector: all(), ingress: [{action: Deny, "+fromDev+"}, {action: Allow}]")}, []string{"api>web * D", "ext>web * D", "db>web * ?"}, ""},
		{"K8S-CAL-02: the end of a tier denies", "calico", []string{calicoTier("first", "order: 1"), calicoGlobal("first.g", "tier: first, selector: app == 'web', ingress: [{action: Allow, "+fromDev+"}]")}, []string{"api>web * A", "db>web * D", "db>api * A"}, ""},
		{"K8S-CAL-02: or passes", "calico", []string{calicoTier("first", "order: 1, defaultAction: Pass"), calicoGlobal("first.g", "tier: first, selector: app == 'web', ingress: [{action: Deny, "+fromDev+"}]")}, []string{"api>web * D", "db>web * A", "ext>web * A"}, ""},
		{"K8S-CAL-02: a tier that the input lacks", "calico", []string{calicoGlobal("first.g", "tier: first, selector: app == 'web', ingress: [{action: Deny}]")}, []string{"api>web * ?", "api>db * A"}, "ASM-K-CALICO"},
		{"K8S-CAL-02: types that are not stated", "calico", []string{calicoPolicy("p", "selector: app == 'web', egress: [{action: Allow, destination: {selector: app == 'db'}}]")}, []string{"web>db * A", "web>ext * D", "web>api * D", "ext>web * A"}, ""},
		{"K8S-CAL-03: selectors", "calico", []string{calicoPolicy("p", "selector: \"app in {'web', 'db'} && !has(other)\", ingress: [{action: Allow, source: {selector: \"projectcalico.org/namespace == 'b'\", namespaceSelector: all()}}]")}, []string{"api>web * A", "api>db * A", "db>web * D"}, ""},
		{"K8S-CAL-03: a policy of a namespace means its own pods", "calico", []string{calicoPolicy("p", "selector: app == 'web', ingress: [{action: Allow, source: {selector: all()}}]")}, []string{"db>web * A", "api>web * D"}, ""},
		{"K8S-CAL-03: not, in a policy of a namespace: its own others", "calico", []string{calicoPolicy("p", "selector: app == 'web', ingress: [{action: Deny, source: {notSelector: app == 'x'}}, {action: Allow}]")}, []string{"db>web * D", "api>web * A", "ext>web * A"}, ""},
		{"K8S-CAL-03: not, in a global policy: everyone else", "calico", []string{calicoGlobal("p", "selector: app == 'web', ingress: [{action: Deny, source: {notSelector: app == 'db'}}, {action: Allow}]")}, []string{"db>web * A", "api>web * D", "ext>web * D"}, ""},
		{"K8S-CAL-03: not, of a namespace that is selected", "calico", []string{calicoPolicy("p", "selector: app == 'web', ingress: [{action: Allow, source: {notSelector: app == 'db', namespaceSelector: all()}}]")}, []string{"db>web * D", "api>web * A", "ext>web * D"}, ""},
		{"K8S-CAL-03: a namespace or none", "calico", []string{set, calicoPolicy("p", "selector: app == 'web', ingress: [{action: Allow, source: {namespaceSelector: env == 'dev' || global()}}]")}, []string{"api>web * A", "ext>web * A", "db>web * ?", "198.51.100.1>web * D"}, ""}, // the set's net may hold a pod's address
		{"K8S-CAL-03: what has no namespace lacks its labels", "calico", []string{set, calicoGlobal("g", "selector: app == 'web', ingress: [{action: Allow, source: {namespaceSelector: env != 'prod'}}]")}, []string{"api>web * A", "ext>web * A", "198.51.100.1>web * D"}, ""},
		{"K8S-CAL-03: every namespace, and nothing without", "calico", []string{set, calicoGlobal("g", "selector: app == 'web', ingress: [{action: Allow, source: {namespaceSelector: all()}}]")}, []string{"api>web * A", "db>web * A", "ext>web * D"}, ""},
		{"K8S-CAL-03: no selector of namespaces has labels of pods", "calico", []string{calicoGlobal("g", "selector: app == 'web', ingress: [{action: Allow, source: {namespaceSelector: pcns.env == 'dev'}}]")}, []string{"api>web * ?", "db>web * ?"}, "UNSUPPORTED(projectcalico.org/v3/GlobalNetworkPolicy g spec.ingress[0].source.namespaceSelector)"},
		{"K8S-CAL-03: global sets", "calico", []string{set, calicoPolicy("p", "selector: app == 'web', ingress: [{action: Allow, source: {selector: kind == 'partner', namespaceSelector: global()}}]"), calicoPolicy("q", "selector: app == 'db', ingress: [{action: Allow, source: {selector: kind == 'partner'}}]")}, []string{"ext>web * A", "198.51.100.1>web * D", "ext>db * D"}, ""},
		{"K8S-CAL-03: sets of the namespace", "calico", []string{ownSet, calicoPolicy("p", "selector: app == 'web', ingress: [{action: Allow, source: {selector: kind == 'partner'}}]"), calicoGlobal("g", "selector: app == 'api', egress: [{action: Deny, destination: {selector: kind != 'partner'}}, {action: Allow}]")}, []string{"ext>web * A", "198.51.100.1>web * D", "db>web * ?", "api>ext * A", "api>db * D"}, ""},
		{"K8S-CAL-03: an operator that is not followed", "calico", []string{calicoPolicy("p", "selector: app == 'web', ingress: [{action: Allow, source: {selector: app starts with 'd'}}]")}, []string{"api>web * ?", "api>db * A"}, "UNSUPPORTED(projectcalico.org/v3/NetworkPolicy p spec.ingress[0].source.selector)"},
		{"K8S-CAL-04: nets take pods", "calico", []string{calicoPolicy("p", "selector: app == 'web', egress: [{action: Deny, destination: {nets: [0.0.0.0/0], notNets: [203.0.113.0/25]}}, {action: Allow}]")}, []string{"web>ext * A", "web>203.0.113.200 * D", "web>db * ?"}, ""},
		{"K8S-CAL-04: ports by name, and all but", "calico", []string{calicoPolicy("p", "selector: app == 'db', ingress: [{action: Allow, protocol: TCP, destination: {ports: [sql]}}]"), calicoPolicy("q", "selector: app == 'web', ingress: [{action: Allow, protocol: TCP, destination: {notPorts: [80]}}]")}, []string{"web>db tcp/5432 A", "web>db tcp/80 D", "db>web tcp/80 D", "db>web tcp/81 A", "db>web udp/81 D"}, ""},
		{"K8S-CAL-04: ports of the sender by its own names", "calico", []string{calicoPolicy("p", "selector: app == 'db', ingress: [{action: Allow, protocol: TCP, source: {ports: [high]}}]"), "{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: b, labels: {app: c}}, spec: {containers: [{name: c, ports: [{name: high, containerPort: 50000}]}]}}"}, []string{"c>db tcp/80 A", "c>db udp/80 D", "api>db tcp/80 D"}, ""},
		{"K8S-CAL-04: a protocol, and all but", "calico", []string{calicoPolicy("p", "selector: app == 'db', ingress: [{action: Allow, protocol: ICMP}]"), calicoPolicy("q", "selector: app == 'web', ingress: [{action: Allow, notProtocol: TCP}]")}, []string{"web>db icmp A", "web>db tcp/80 D", "db>web tcp/80 D", "db>web udp/80 A"}, ""},
		{"K8S-CAL-04: a type of ICMP messages", "calico", []string{calicoPolicy("p", "selector: app == 'db', ingress: [{action: Allow, protocol: ICMP, icmp: {type: 3}}]")}, []string{"web>db icmp ?"}, "ASM-K-CALICO"},
		{"with cluster-wide policies, nothing is settled", "calico", []string{calicoPolicy("p", "selector: app == 'db', ingress: [{action: Allow}]"), tierPolicy(false, "p", "Admin", 1, prod, "ingress: [{action: Deny, "+fromAll+"}]")}, []string{"web>db * ?", "web>api * A"}, "ASM-K-CALICO"},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := manifests(t, test.engine, test.policies...)
			k.flows(test.flows...)
			if test.why != "" {
				k.open(strings.Replace(test.flows[0], " * ", " tcp/80 ", 1), test.why)
			}
		})
	}
}

func istio(kind, namespace, spec string) string {
	return "{apiVersion: security.istio.io/v1, kind: " + kind + ", metadata: {name: m, namespace: " + namespace + "}, spec: {" + spec + "}}"
}

// X65: a mesh is evidence, no network control, unless the intent file trusts it (K8S-IST-05); der.
func TestX65(t *testing.T) {
	k := trusting(t, false, "", istio("AuthorizationPolicy", "a", ""))
	k.flows("api>web tcp/80 ?", "api>web udp/53 A", "web>api * A")
	k.open("api>web tcp/80", "ASM-K-MESH")
	trusting(t, true, "", istio("AuthorizationPolicy", "a", "")).flows("api>web tcp/80 D", "ext>db tcp/80 D", "api>web udp/53 A", "web>api * A")
}

// What policies of a mesh refuse, where the intent file trusts it, row by row; der. Where it does not, what is refused here is unknown, and
// what is unknown stays so.
func TestIstio(t *testing.T) {
	both := "{apiVersion: v1, kind: Namespace, metadata: {name: c, labels: {istio-injection: enabled}}}\n---\n" +
		"{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: c, labels: {app: x}}, spec: {containers: [{name: c}]}}"
	for _, test := range []struct {
		name     string
		policies []string
		flows    []string
	}{
		{"K8S-IST-01: pods without a sidecar are none of its matters", []string{istio("AuthorizationPolicy", "b", "")}, []string{"web>api tcp/80 A", "ext>api tcp/80 A"}},
		{"K8S-IST-02: an empty rule admits everyone", []string{istio("AuthorizationPolicy", "a", "rules: [{}]")}, []string{"api>web tcp/80 A", "ext>web tcp/80 A"}},
		{"K8S-IST-02: DENY stands before ALLOW", []string{istio("AuthorizationPolicy", "a", "action: DENY, rules: [{to: [{operation: {ports: ['80']}}]}]"), strings.Replace(istio("AuthorizationPolicy", "a", "rules: [{}]"), "name: m", "name: other", 1)}, []string{"api>web tcp/80 D", "api>web tcp/81 A"}},
		{"K8S-IST-02: without an ALLOW what no DENY matches is admitted", []string{istio("AuthorizationPolicy", "a", "action: DENY, rules: [{to: [{operation: {ports: ['80']}}]}]")}, []string{"api>web tcp/81 A"}},
		{"K8S-IST-02: an ALLOW refuses all others", []string{istio("AuthorizationPolicy", "a", "selector: {matchLabels: {app: web}}, rules: [{from: [{source: {ipBlocks: [203.0.113.0/24]}}]}]")}, []string{"ext>web tcp/80 A", "198.51.100.1>web tcp/80 D", "198.51.100.1>db tcp/80 A", "198.51.100.1>web udp/53 A"}},
		{"K8S-IST-02: CUSTOM may refuse", []string{istio("AuthorizationPolicy", "a", "action: CUSTOM, provider: {name: x}, rules: [{to: [{operation: {ports: ['80']}}]}]")}, []string{"api>web tcp/80 ?", "api>web tcp/81 A"}},
		{"K8S-IST-02: the root namespace is the whole mesh", []string{istio("AuthorizationPolicy", "aks-istio-system", "")}, []string{"api>web tcp/80 D", "web>api tcp/80 A"}},
		{"AKS-MESH-02: that of Istio is not certain to be it", []string{istio("AuthorizationPolicy", "istio-system", "")}, []string{"api>web tcp/80 ?"}},
		{"K8S-IST-03: names of namespaces need both sidecars", []string{both, istio("AuthorizationPolicy", "a", "rules: [{from: [{source: {namespaces: [b, 'c*']}}]}]")}, []string{"x>web tcp/80 A", "api>web tcp/80 D", "db>web tcp/80 D", "ext>web tcp/80 D"}},
		{"K8S-IST-03: and no mode that turns mutual TLS off", []string{both, istio("AuthorizationPolicy", "a", "rules: [{from: [{source: {namespaces: [c]}}]}]"), istio("PeerAuthentication", "a", "mtls: {mode: DISABLE}")}, []string{"x>web tcp/80 ?", "api>web tcp/80 D"}},
		{"K8S-IST-03: what the application layer decides is open", []string{istio("AuthorizationPolicy", "a", "rules: [{to: [{operation: {ports: ['80'], methods: [GET]}}]}]")}, []string{"api>web tcp/80 ?", "api>web tcp/81 D"}},
		{"K8S-IST-04: STRICT refuses whoever has no identity", []string{both, istio("PeerAuthentication", "a", "mtls: {mode: STRICT}")}, []string{"x>web tcp/80 A", "db>web tcp/80 A", "api>web tcp/80 D", "ext>web tcp/80 D", "ext>web udp/53 A"}},
		{"K8S-IST-04: PERMISSIVE refuses nobody", []string{istio("PeerAuthentication", "a", "mtls: {mode: PERMISSIVE}")}, []string{"api>web tcp/80 A", "ext>web tcp/80 A"}},
		{"K8S-IST-04: the most specific wins", []string{istio("PeerAuthentication", "aks-istio-system", "mtls: {mode: STRICT}"), istio("PeerAuthentication", "a", "mtls: {mode: PERMISSIVE}")}, []string{"ext>web tcp/80 A"}},
		{"K8S-IST-04: ports have modes of their own", []string{istio("PeerAuthentication", "a", "selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: PERMISSIVE}}")}, []string{"ext>web tcp/8080 ?", "ext>web tcp/80 D", "ext>db tcp/80 A"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			trusting(t, true, "", test.policies...).flows(test.flows...)
			var open []string
			for _, f := range test.flows {
				open = append(open, strings.TrimSuffix(f, " D")+map[bool]string{true: " ?"}[strings.HasSuffix(f, " D")])
			}
			trusting(t, false, "", test.policies...).flows(open...)
		})
	}
}

// K8S-GEN-07: objects that nobody understands, by what they may do; der.
func TestUnmodelled(t *testing.T) {
	object := func(apiVersion, kind, namespace string) string {
		if namespace != "" {
			namespace = ", namespace: " + namespace
		}
		return "{apiVersion: " + apiVersion + ", kind: " + kind + ", metadata: {name: o" + namespace + "}}"
	}
	deny := netPolicy("podSelector: {}, policyTypes: [Ingress]")
	sidecars := "{apiVersion: v1, kind: Namespace, metadata: {name: c, labels: {istio-injection: enabled}}}\n---\n" +
		"{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: c, labels: {app: x}}, spec: {containers: [{name: c}]}}"
	const direct = "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: o, namespace: c}}"
	for _, test := range []struct {
		name    string
		objects []string
		flows   []string
		why     string // of the first flow, where it is open
	}{
		{"a kind that nobody knows may do anything in its namespace", []string{deny, object("example.com/v1", "Thing", "a")}, []string{"api>web * ?", "web>ext * ?", "web>api * ?", "api>ext * A"}, "UNSUPPORTED(example.com/v1/Thing o)"},
		{"and without one in the cluster", []string{deny, object("example.com/v1", "Thing", "")}, []string{"api>web * ?", "api>ext * ?"}, "UNSUPPORTED(example.com/v1/Thing o)"},
		{"what deploys other objects may open and close", []string{deny, object("helm.toolkit.fluxcd.io/v2", "HelmRelease", "flux")}, []string{"api>web * ?", "web>api * ?"}, "UNSUPPORTED(helm.toolkit.fluxcd.io/v2/HelmRelease o)"},
		{"what generates policies", []string{deny, object("kyverno.io/v1", "ClusterPolicy", "")}, []string{"api>web * ?"}, "UNSUPPORTED(kyverno.io/v1/ClusterPolicy o)"},
		{"a policy in a version that is not read", []string{object("networking.k8s.io/v2", "NetworkPolicy", "a")}, []string{"api>web * ?", "web>api * ?", "api>ext * A"}, "UNSUPPORTED(networking.k8s.io/v2/NetworkPolicy o)"},
		{"a policy of a kind that is not known", []string{object("policy.networking.k8s.io/v1alpha3", "TenantPolicy", "")}, []string{"api>web * ?"}, "UNSUPPORTED(policy.networking.k8s.io/v1alpha3/TenantPolicy o)"},
		{"an object of a mesh may refuse TCP to and from sidecars", []string{sidecars, direct}, []string{"x>web tcp/80 ?", "api>x tcp/80 ?", "x>web udp/53 A", "api>web * A"}, "UNSUPPORTED(networking.istio.io/v1/DestinationRule o)"},
		{"and opens nothing", []string{sidecars, direct, netPolicyIn("c", "podSelector: {}, policyTypes: [Ingress, Egress]")}, []string{"api>x tcp/80 D", "x>web tcp/80 D"}, ""},
		{"what adds pods changes nothing else", []string{deny, object("argoproj.io/v1alpha1", "Rollout", "a")}, []string{"api>web * D", "web>api * A"}, ""},
		{"nor what says how many there are", []string{deny, object("autoscaling/v2", "HorizontalPodAutoscaler", "a")}, []string{"api>web * D", "web>api * A"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := manifests(t, "azure", test.objects...)
			k.flows(test.flows...)
			if test.why != "" {
				k.open(strings.Replace(test.flows[0], " * ", " tcp/80 ", 1), test.why)
			}
			for _, f := range test.flows {
				k.inMatrix(f)
			}
		})
	}
}

// inMatrix holds the matrix by workload to what a flow between pods says: a row that is certain, one that is open, or none.
func (k *kube) inMatrix(flow string) {
	k.t.Helper()
	f := strings.Fields(flow)
	src, dst, _ := strings.Cut(f[0], ">")
	service := f[1]
	if service == "*" {
		service = "tcp/80"
	}
	rows, _, err := WorkloadMatrix(k.s.Project, Options{}, WorkloadQuestion{Services: []model.PortService{portService(k.t, service)}, Direct: true})
	if err != nil {
		k.t.Fatal(err)
	}
	got := "D"
	for _, r := range rows {
		if strings.HasSuffix(r.Src, "/"+src) && (strings.HasSuffix(r.Dst, "/"+dst) || dst == "ext" && r.Dst == "internet") {
			got = map[Verdict]string{Reachable: "A", Unknown: "?"}[r.Verdict]
		}
	}
	if src != "ext" && got != f[2] {
		k.t.Errorf("%s: the matrix says %s", flow, got)
	}
}

func netPolicyIn(namespace, spec string) string {
	return strings.Replace(netPolicy(spec), "namespace: a", "namespace: "+namespace, 1)
}

// Rules of NetworkPolicy that no worked example has; der.
func TestNetworkPolicyRules(t *testing.T) {
	egress := strings.Replace(netPolicy("podSelector: {matchLabels: {app: db}}, policyTypes: [Egress]"), "name: np", "name: out", 1)
	for _, test := range []struct {
		name     string
		policies []string
		flows    []string
	}{
		{"K8S-GEN-01: replies need no rule of their own", []string{netPolicy("podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]"), egress}, []string{"web>db * A", "db>web * D", "db>ext * D"}},
		{"K8S-NP-20: ports that no container declares", []string{netPolicy("podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 9999}]}]")}, []string{"web>db tcp/9999 A", "ext>db tcp/9999 A", "web>db tcp/5432 D"}},
	} {
		k := manifests(t, "", test.policies...)
		k.t = t
		k.flows(test.flows...)
		if !slices.Contains(k.s.graph.Notes, "ASM-K-RACE") {
			t.Errorf("%s: nobody says that policies act on new connections (K8S-NP-26)", test.name)
		}
	}
	if k := manifests(t, ""); slices.Contains(k.s.graph.Notes, "ASM-K-RACE") {
		t.Error("without policies there is nothing to say about them (K8S-NP-26)")
	}
}

// K8S-SVC-06, K8S-SVC-08: nodes hand on what comes to a node port, with their own address where the traffic policy is Cluster. Of a cluster of
// manifests nobody knows the nodes: they may have any private address (K8S-GEN-04).
func TestNodePortOfManifests(t *testing.T) {
	service := func(more string) string {
		return "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a}, spec: {" + more + "selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}"
	}
	fromDB := netPolicy("podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: db}}}]}]")
	toPods := netPolicyIn("b", "podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}]}]")
	const cluster, local = "type: NodePort, ", "type: NodePort, externalTrafficPolicy: Local, "
	for _, test := range []struct {
		name, from string
		manifests  []string
		service    string
		want       Verdict
	}{
		{"a pod by a node port", "pod:b/api", []string{service(cluster), fromDB}, "tcp/8080", Unknown},
		{"to another port of the pod", "pod:b/api", []string{service(cluster), fromDB}, "tcp/8081", Unreachable},
		{"a host around", "ip:10.9.0.4", []string{service(cluster), fromDB}, "tcp/8080", Unknown},
		{"past the source ranges of a load balancer", "ip:10.9.0.4", []string{service("type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24], "), fromDB}, "tcp/8080", Unknown},
		{"which has no node ports", "ip:10.9.0.4", []string{service("type: LoadBalancer, allocateLoadBalancerNodePorts: false, loadBalancerSourceRanges: [203.0.113.0/24], "), fromDB}, "tcp/8080", Unreachable},
		{"the internet has no way to nodes", "internet", []string{service(cluster), fromDB}, "tcp/8080", Unreachable},
		{"Local, where policies see the pod", "pod:b/api", []string{service(local), fromDB}, "tcp/8080", Unreachable},
		{"a pod that may send to pods alone", "pod:b/api", []string{service(cluster), fromDB, toPods}, "tcp/8080", Unreachable},
		{"no node port", "pod:b/api", []string{service(""), fromDB}, "tcp/8080", Unreachable},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := manifests(t, "calico", test.manifests...)
			from := selectors(t, test.from)
			s, err := Solve(k.s.Project, Options{Questions: from})
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Reach(from, selectors(t, "pod:a/web"), []model.PortService{portService(t, test.service)}, true)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != test.want {
				t.Errorf("got %s, want %s: %v", r.Verdict, test.want, r.Flows)
			}
			for _, id := range []string{"ASM-K-SNAT", "ASM-K-NODEPORT", "MISSING(network of cluster B)"} {
				if test.want == Unknown && !slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return a.ID == id }) {
					t.Errorf("nobody names %s: %v", id, r.Assumptions)
				}
			}
			if !strings.HasPrefix(test.from, "pod:") {
				return
			}
			rows, notes, err := WorkloadMatrix(k.s.Project, Options{}, WorkloadQuestion{Services: []model.PortService{portService(t, test.service)}, Direct: true})
			if err != nil {
				t.Fatal(err)
			}
			if test.want == Unknown && !slices.ContainsFunc(notes, func(a Assumption) bool { return a.ID == "MISSING(network of cluster B)" }) {
				t.Errorf("nobody names what the matrix rests on: %v", notes)
			}
			got := Unreachable
			for _, row := range rows {
				if row.Src == test.from && row.Dst == "pod:a/web" {
					got = row.Verdict
				}
			}
			if got != test.want {
				t.Errorf("the matrix says %s, want %s", got, test.want)
			}
		})
	}
}

// K8S-WL-02: a selector on a label that a template does not show leaves the verdict open, by that label.
func TestUnknownPodLabels(t *testing.T) {
	const hash = "podSelector: {matchLabels: {pod-template-hash: x}}"
	load := "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {type: LoadBalancer, selector: {pod-template-hash: x}, ports: [{port: 80}]}}"
	for _, test := range []struct {
		name, from string
		manifests  []string
		reason     string
	}{
		{"the subject", "pod:b/api", []string{netPolicy(hash + ", policyTypes: [Ingress]")}, "ASM-K-PODLABELS(a/web, pod-template-hash)"},
		{"a peer", "pod:b/api", []string{netPolicy("podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {}, " + hash + "}]}]")}, "ASM-K-PODLABELS(b/api, pod-template-hash)"},
		{"a peer of Cilium", "pod:b/api", []string{ciliumPolicy(onWeb + "ingress: [{fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': b, pod-template-hash: x}}]}]")}, "ASM-K-PODLABELS(b/api, pod-template-hash)"},
		{"a Service", "internet", []string{load, netPolicy("podSelector: {}, policyTypes: [Ingress]")}, "ASM-K-PODLABELS(a/web, pod-template-hash)"},
	} {
		engine := "calico"
		if strings.Contains(test.name, "Cilium") {
			engine = "cilium"
		}
		r, err := manifests(t, engine, test.manifests...).s.Reach(selectors(t, test.from), selectors(t, "pod:a/web"), []model.PortService{portService(t, "tcp/80")}, true)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != Unknown || !slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return a.ID == test.reason }) {
			t.Errorf("%s: %s by %v, want unknown by %s", test.name, r.Verdict, r.Assumptions, test.reason)
		}
	}
}

// K8S-NP-23: whether policies act on what a pod sends to its own address by a Service nobody documents; a rule that admits it settles it.
func TestPodToItself(t *testing.T) {
	live := "{apiVersion: v1, kind: Pod, metadata: {name: live, namespace: a, labels: {app: live}}, spec: {containers: [{name: c}]}, status: {phase: Running, podIP: 10.244.0.5, podIPs: [{ip: 10.244.0.5}]}}"
	service := "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {clusterIP: 10.0.0.10, selector: {app: live}, ports: [{port: 80, targetPort: 8080}]}}"
	for _, test := range []struct {
		name   string
		policy string
		want   Verdict
	}{
		{"isolated", netPolicy("podSelector: {}, policyTypes: [Ingress]"), Unknown},
		{"in the other direction", netPolicy("podSelector: {}, policyTypes: [Egress]"), Unknown},
		{"admitted", netPolicy("podSelector: {}, ingress: [{from: [{podSelector: {}}]}]"), Reachable},
	} {
		k := manifests(t, "calico", live, service, test.policy)
		r, err := k.s.Reach(selectors(t, "pod:a/live"), selectors(t, "pod:a/live"), []model.PortService{portService(t, "tcp/8080")}, true)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != test.want {
			t.Errorf("%s: got %s, want %s", test.name, r.Verdict, test.want)
		}
		if test.want == Unknown && !slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return a.ID == "ASM-K-SELF" }) {
			t.Errorf("%s: nobody names what is open: %v", test.name, r.Assumptions)
		}
	}
}

// X21: a pod of the host network is its node: no subject, matched by no selector, and by blocks as the engine has it for nodes (K8S-NP-13,
// K8S-NP-25). Manifests alone know no node but by it.
func TestX21(t *testing.T) {
	const spec = "spec: {hostNetwork: true, containers: [{name: c}]}"
	agent := "{apiVersion: v1, kind: Pod, metadata: {name: agent, namespace: b, labels: {app: web}}, " + spec + ", status: {phase: Running, podIP: 10.240.0.5, podIPs: [{ip: 10.240.0.5}]}}"
	probe := "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: probe, namespace: b}, spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, " + spec + "}}}"
	inB := netPolicyIn("b", "podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{namespaceSelector: {}}]}]")
	onDB := netPolicy("podSelector: {matchLabels: {app: db}}, ingress: [{from: [{namespaceSelector: {}}]}]")
	withBlock := netPolicy("podSelector: {matchLabels: {app: db}}, ingress: [{from: [{namespaceSelector: {}}, {ipBlock: {cidr: 10.240.0.0/16}}]}]")
	for _, test := range []struct {
		engine, policy string
		flows          []string
	}{
		{"", onDB, []string{"agent>db * D", "probe>db * D"}},
		{"calico", onDB, []string{"agent>db * D", "probe>db * D"}},
		{"calico", withBlock, []string{"agent>db * A", "probe>db * ?"}}, // a node's address that the input does not state may lie there
		{"azure", withBlock, []string{"agent>db * A", "probe>db * ?"}},
		{"cilium", withBlock, []string{"agent>db * D", "probe>db * D"}},
		{"", withBlock, []string{"agent>db * ?"}},
		{"none", onDB, []string{"agent>db * A", "probe>db * A"}},
		{"antrea", onDB, []string{"agent>db * ?", "probe>db * ?"}}, // ASM-K-BYOCNI: it may match them
	} {
		k := manifests(t, test.engine, agent, probe, inB, test.policy)
		k.flows(test.flows...)
		answer := "A"
		if test.engine == "antrea" {
			answer = "?" // or take them for subjects
		}
		for _, from := range []string{"web", "db", "ext", "agent"} {
			k.flows(from + ">probe * " + answer)
		}
		k.flows("probe>ext * A", "agent>web * A")
	}
	// A rule by selectors lets nothing out to them; one by blocks what it says.
	k := manifests(t, "calico", agent, netPolicy("podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}, podSelector: {}}]}]"))
	k.flows("web>agent * D", "web>db * A")
	k = manifests(t, "calico", agent, netPolicy("podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.240.0.5/32}}]}]"))
	k.flows("web>agent * A", "web>db * ?")
	// A Service leads to the node's address.
	service := "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: b}, spec: {clusterIP: 10.0.0.10, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}"
	r, err := manifests(t, "calico", agent, service).s.Reach(selectors(t, "pod:a/web"), selectors(t, "pod:b/agent"), []model.PortService{portService(t, "tcp/8080")}, true)
	if err != nil || r.Verdict != Reachable {
		t.Errorf("through the Service: %+v, %v", r, err)
	}
}

// Of the network around a cluster of manifests nobody knows who is there: what policies let its hosts and pods open is possible, and nothing
// that they forbid is.
func TestNetworkAroundManifests(t *testing.T) {
	k := manifests(t, "calico", netPolicy("podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{ipBlock: {cidr: 10.9.0.0/16}}]}], egress: [{to: [{ipBlock: {cidr: 192.168.7.0/24}}], ports: [{port: 1433}]}]"))
	for _, test := range []struct {
		from, to, service string
		want              Verdict
	}{
		{"cidr:10.9.0.0/24", "pod:a/db", "tcp/443", Unknown},
		{"cidr:10.8.0.0/24", "pod:a/db", "tcp/443", Unreachable},
		{"any", "pod:a/db", "tcp/443", Unknown},
		{"internet", "pod:a/db", "tcp/443", Unreachable},
		{"pod:a/web", "cidr:192.168.7.9/32", "tcp/1433", Unknown},
		{"pod:a/web", "cidr:192.168.7.9/32", "tcp/80", Unreachable},
		{"pod:a/web", "cidr:192.168.8.0/24", "tcp/1433", Unreachable},
	} {
		from, to := selectors(t, test.from), selectors(t, test.to)
		s, err := Solve(k.s.Project, Options{Questions: append(slices.Clone(from), to...)})
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Reach(from, to, []model.PortService{portService(t, test.service)}, true)
		if err != nil {
			t.Fatalf("%s to %s: %v", test.from, test.to, err)
		}
		if r.Verdict != test.want {
			t.Errorf("%s to %s %s: got %s, want %s", test.from, test.to, test.service, r.Verdict, test.want)
		}
		if test.want == Unknown && !slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return a.ID == "MISSING(network of cluster B)" }) {
			t.Errorf("%s to %s: nobody names the network that is missing: %v", test.from, test.to, r.Assumptions)
		}
	}
	// The matrix says the same, of a block that holds public addresses as well in two rows.
	k = manifests(t, "calico", netPolicy("podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress], ingress: [{from: [{ipBlock: {cidr: 10.9.0.0/16}}, {ipBlock: {cidr: 172.0.0.0/8}}]}], egress: [{to: [{ipBlock: {cidr: 10.9.0.0/16}}]}]"))
	rows, notes, err := WorkloadMatrix(k.s.Project, Options{}, WorkloadQuestion{Services: []model.PortService{portService(t, "tcp/443")}, Direct: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		if strings.HasPrefix(r.Src, "cidr:") && r.Dst == "pod:a/db" || r.Src == "pod:a/db" && strings.HasPrefix(r.Dst, "cidr:") {
			got = append(got, fmt.Sprintf("%s %s %s", r.Src, r.Dst, r.Verdict))
		}
	}
	if diff := cmp.Diff(got, []string{
		"cidr:10.9.0.0/16 pod:a/db unknown", "cidr:172.0.0.0/8 pod:a/db reachable", "cidr:172.0.0.0/8 pod:a/db unknown", "pod:a/db cidr:10.9.0.0/16 unknown",
	}); diff != "" {
		t.Errorf("the matrix (-got +want):\n%s", diff)
	}
	if len(notes) != 1 || notes[0].ID != "MISSING(network of cluster B)" {
		t.Errorf("the matrix names %v", notes)
	}
}

// K8S-SVC-06, K8S-SVC-09: where the input has no nodes a load balancer leads to pods all the same. With traffic policy Cluster the pod may see a
// node, or run on the node that took the packet, so that no policy keeps the internet out for certain; with Local it sees the client.
func TestLoadBalancerOfManifests(t *testing.T) {
	service := func(more string) string {
		return "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a" + more + ", selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}"
	}
	const cluster, local = "}, spec: {type: LoadBalancer", "}, spec: {type: LoadBalancer, externalTrafficPolicy: Local"
	inside := netPolicy("podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]")
	anyone := netPolicy("podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: 8080}]}]")
	for _, test := range []struct {
		name      string
		manifests []string
		service   string
		want      Verdict
	}{
		{"Cluster", []string{service(cluster), inside}, "tcp/8080", Unknown},
		{"Cluster, another port", []string{service(cluster), inside}, "tcp/8081", Unreachable},
		{"Cluster, everybody admitted", []string{service(cluster), anyone}, "tcp/8080", Reachable},
		{"Local", []string{service(local), inside}, "tcp/8080", Unreachable},
		{"Local, everybody admitted", []string{service(local), anyone}, "tcp/8080", Reachable},
		{"source ranges that nobody outside has", []string{service(cluster + ", loadBalancerSourceRanges: [10.1.0.0/16]"), inside}, "tcp/8080", Unreachable},
		{"internal", []string{service(", annotations: {service.beta.kubernetes.io/azure-load-balancer-internal: 'true'}" + cluster), inside}, "tcp/8080", Unreachable},
		{"no Service", []string{inside}, "tcp/8080", Unreachable},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := manifests(t, "calico", test.manifests...)
			r, err := k.s.Reach(selectors(t, "internet"), selectors(t, "pod:a/web"), []model.PortService{portService(t, test.service)}, true)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != test.want {
				t.Errorf("got %s, want %s: %v", r.Verdict, test.want, r.Flows)
			}
			if test.want == Unknown && !slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return a.ID == "ASM-K-SNAT" }) {
				t.Errorf("nobody names what is open: %v", r.Assumptions)
			}
			rows, _, err := WorkloadMatrix(k.s.Project, Options{}, WorkloadQuestion{Services: []model.PortService{portService(t, test.service)}, Direct: true})
			if err != nil {
				t.Fatal(err)
			}
			got := Unreachable
			for _, row := range rows {
				if row.Src == "internet" && row.Dst == "pod:a/web" {
					got = row.Verdict
				}
			}
			if got != test.want {
				t.Errorf("the matrix says %s, want %s", got, test.want)
			}
		})
	}
}

// X70: an engine without endPort applies the first port of a range alone (K8S-NP-16).
func TestX70(t *testing.T) {
	const (
		np  = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np, namespace: a}, spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: [{ports: [{port: 85, endPort: 100}]}]}}"
		cnp = "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: cnp, namespace: a}, spec: {endpointSelector: {matchLabels: {app: db}}, ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: '85', endPort: 100, protocol: TCP}]}]}]}}"
	)
	for _, test := range []struct {
		engine, version string
		objects         []string
		flow            string
		assumed         bool
	}{
		{"cilium", "1.30.9", []string{np}, "web>db tcp/90 ?", false},
		{"cilium", "1.31.0", []string{np}, "web>db tcp/90 A", false},
		{"cilium", "", []string{np}, "web>db tcp/90 A", true},
		{"cilium", "1.30", []string{cnp}, "web>db tcp/90 ?", false},
		{"cilium", "1.33", []string{cnp}, "web>db tcp/90 A", false},
		{"cilium", "", []string{cnp}, "web>db tcp/90 A", true},
		{"calico", "1.30", []string{np}, "web>db tcp/90 A", false},
		{"azure", "1.30", []string{np}, "web>db tcp/90 A", false},
		{"antrea", "1.30", []string{np}, "web>db tcp/90 A", true},
		{"", "1.30", []string{np}, "web>db tcp/90 A", true},
	} {
		k := solved(t, false, &model.Cluster{
			Meta: model.Meta{ID: "kubernetes:B/Cluster//B", Source: model.Source{File: "B"}}, Manifest: true, Engine: test.engine, KubernetesVersion: test.version,
		}, test.objects...)
		k.flows("web>db tcp/85 A", "web>db tcp/84 D", "web>db tcp/101 D", test.flow)
		_, notes := k.ask("web", "db", "tcp/90")
		r, err := k.s.Reach(k.selectors("web"), k.selectors("db"), []model.PortService{portService(t, "tcp/90")}, true)
		if err != nil {
			t.Fatal(err)
		}
		said := slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return a.ID == "ASM-K-ENDPORT" })
		if said != test.assumed || slices.Contains(notes, "ASM-K-ENDPORT") != test.assumed {
			t.Errorf("%s %s: the solver names %v, the interpreter %v", test.engine, test.version, r.Assumptions, notes)
		}
		strict, err := Solve(k.s.Project, Options{Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		r, err = strict.Reach(k.selectors("web"), k.selectors("db"), []model.PortService{portService(t, "tcp/90")}, true)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(test.flow, "?") {
			k.open(test.flow, "ASM-K-CILIUM")
		}
		if test.assumed && r.Verdict != Unknown {
			t.Errorf("%s %s, strict: %s, want unknown", test.engine, test.version, r.Verdict)
		}
	}
}
