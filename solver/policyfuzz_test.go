package solver

import (
	"encoding/json"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"sigs.k8s.io/yaml"

	"github.com/ringfence/ringfence/importers/kubernetes"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
)

// fuzzCluster is what the policies of the fuzz targets are about: live pods with addresses, a template without, a pod of the host network, a
// namespace that is not declared, a Service, and network sets.
const fuzzCluster = `
{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {env: prod, istio.io/rev: asm-1-27}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {env: dev}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a, labels: {app: web, tier: front}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}, {name: dns, containerPort: 53, protocol: UDP}]}]}, status: {phase: Running, podIP: 10.244.0.4, podIPs: [{ip: 10.244.0.4}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: a, labels: {app: db}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}, {name: dns, containerPort: 53}]}]}, status: {phase: Running, podIP: 10.244.0.5, podIPs: [{ip: 10.244.0.5}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: b, labels: {app: api}}, spec: {containers: [{name: c}]}, status: {phase: Running, podIP: 10.244.1.4, podIPs: [{ip: 10.244.1.4}]}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: new, namespace: c}, spec: {selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 443}]}]}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: agent, namespace: b, labels: {app: web}}, spec: {hostNetwork: true, containers: [{name: c}]}, status: {phase: Running, podIP: 10.240.0.5, podIPs: [{ip: 10.240.0.5}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a}, spec: {clusterIP: 10.0.0.80, selector: {app: web}, ports: [{port: 80, targetPort: http}]}}
---
{apiVersion: projectcalico.org/v3, kind: GlobalNetworkSet, metadata: {name: everywhere, labels: {app: web}}, spec: {nets: [203.0.113.0/24]}}
---
{apiVersion: projectcalico.org/v3, kind: NetworkSet, metadata: {name: own, namespace: a, labels: {app: db}}, spec: {nets: [198.51.100.0/24], allowedEgressDomains: [x.example]}}
---
{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: first}, spec: {order: 1}}
---
`

// fuzzSeeds are small policies of every kind, each a document; together they have every field that a compiler reads.
func fuzzSeeds() []string {
	np := func(spec string) string {
		return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: a}, spec: {" + spec + "}}"
	}
	return []string{
		// NetworkPolicy: selectors, blocks with holes, ports by number, range and name.
		np("podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {matchLabels: {app: db}}}, {namespaceSelector: {matchLabels: {env: dev}}, podSelector: {}}], ports: [{port: 80, endPort: 90}, {protocol: UDP}]}], egress: [{ports: [{port: http}]}]"),
		np("podSelector: {matchExpressions: [{key: app, operator: In, values: [web, db]}]}, ingress: [{from: [{ipBlock: {cidr: 10.244.0.0/16, except: [10.244.0.0/30]}}, {ipBlock: {cidr: 203.0.113.0/24}}], ports: [{protocol: SCTP, port: dns}, {protocol: UDP, port: dns}]}, {from: [{namespaceSelector: {matchExpressions: [{key: env, operator: NotIn, values: [prod]}]}}]}]"),
		np("podSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}, ingress: [{}], egress: []"),
		// Cluster-wide policies in both versions.
		"{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: p}, spec: {tier: Admin, priority: 10, subject: {pods: {namespaceSelector: {matchLabels: {env: prod}}, podSelector: {}}}, ingress: [{name: r, action: Pass, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: db}}}}]}, {action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {range: {start: 79, end: 90}}}}, {udp: {}}, {sctp: {destinationPort: {number: 80}}}, {destinationNamedPort: http}]}], egress: [{action: Accept, to: [{domainNames: ['*.bank.example']}, {nodes: {matchLabels: {kubernetes.io/os: linux}}}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]}}",
		"{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: p}, spec: {tier: Baseline, priority: 0, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {matchExpressions: [{key: env, operator: Exists}]}}]}]}}",
		"{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: p}, spec: {priority: 10, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}], ports: [{portNumber: {port: 80, protocol: UDP}}, {portRange: {start: 53, end: 80}}, {namedPort: http}]}, {action: Pass, from: [{pods: {namespaceSelector: {}, podSelector: {}}}]}], egress: [{action: Deny, to: [{networks: [10.244.0.0/24]}]}]}}",
		"{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: default}, spec: {subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}, egress: [{action: Allow, to: [{namespaces: {}}], ports: [{portNumber: {port: 80, protocol: TCP}}]}, {action: Deny, to: [{networks: ['0.0.0.0/0', '::/0']}]}]}}",
		// Cilium.
		"{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: a}, spec: {endpointSelector: {matchLabels: {'k8s:app': web}}, enableDefaultDeny: {egress: false}, ingress: [{fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': b}}, {}], toPorts: [{ports: [{port: '80', endPort: 90, protocol: TCP}, {port: http}]}]}, {fromEntities: [world, cluster]}], ingressDeny: [{fromCIDRSet: [{cidr: 203.0.113.0/24, except: [203.0.113.0/25]}]}], egress: [{toFQDNs: [{matchName: x.example}]}, {toCIDR: [198.51.100.0/24], icmps: [{fields: [{type: 8, family: IPv4}]}]}], egressDeny: [{toPorts: [{ports: [{port: '53', protocol: ANY}]}]}]}}",
		"{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: p}, specs: [{endpointSelector: {matchExpressions: [{key: io.cilium.k8s.namespace.labels.env, operator: Exists}]}, ingress: [{fromEntities: [all], toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET}]}}]}]}, {endpointSelector: {}, egress: [{toServices: [{k8sService: {serviceName: web, namespace: a}}]}, {toEntities: [host]}], ingressDeny: [{}]}]}",
		// Calico.
		"{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: p, namespace: a}, spec: {order: 10, selector: \"app in {'web', 'db'} && !has(other)\", types: [Ingress, Egress], ingress: [{action: Log}, {action: Allow, protocol: TCP, source: {selector: app == 'api', namespaceSelector: all(), notNets: [10.244.1.0/30]}, destination: {ports: [80, '8080:8090', http]}}, {action: Deny, notProtocol: UDP, source: {nets: [203.0.113.0/24]}}], egress: [{action: Pass, ipVersion: 4, destination: {notSelector: app == 'db', notPorts: [53]}, protocol: UDP}]}}",
		"{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: first.p}, spec: {tier: first, namespaceSelector: env != 'prod', ingress: [{action: Allow, source: {namespaceSelector: env == 'prod' || global()}}, {action: Allow, protocol: ICMP, icmp: {type: 8}}, {action: Deny, source: {selector: pcns.env == 'dev'}}]}}",
		"{apiVersion: crd.projectcalico.org/v1, kind: GlobalNetworkPolicy, metadata: {name: default.p}, spec: {order: 1000, selector: all(), egress: [{action: Deny, destination: {selector: app == 'web'}}, {action: Allow, protocol: 17}]}}",
		"{apiVersion: projectcalico.org/v3, kind: GlobalNetworkSet, metadata: {name: p, labels: {app: db}}, spec: {nets: [203.0.113.7, '2001:db8::/64']}}",
		"{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: second}, spec: {order: 2, defaultAction: Pass}}",
		// Istio.
		"{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: p, namespace: a}, spec: {selector: {matchLabels: {app: web}}, action: DENY, rules: [{from: [{source: {namespaces: [b], notIpBlocks: [10.0.0.0/8]}}], to: [{operation: {ports: ['80'], methods: [GET]}}], when: [{key: source.ip, values: [10.244.0.5]}]}]}}",
		"{apiVersion: security.istio.io/v1beta1, kind: PeerAuthentication, metadata: {name: p, namespace: a}, spec: {selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: DISABLE}}}}",
		"{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: p, namespace: a}, spec: {hosts: ['*'], gateways: [g], http: [{route: [{destination: {host: web.a.svc.cluster.local, port: {number: 80}}}]}], tcp: [{route: [{destination: {host: web}}]}]}}",
		"{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: g, namespace: a}, spec: {selector: {istio: ingress}, servers: [{port: {number: 15443, name: tls, protocol: TLS}, tls: {mode: AUTO_PASSTHROUGH}, hosts: ['*']}]}}",
		"{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: p, namespace: a}, spec: {hosts: [x.example], endpoints: [{address: 10.244.0.5}], workloadSelector: {labels: {app: db}}}}",
		// Ingress and Gateway API.
		"{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: p, namespace: a}, spec: {ingressClassName: nginx, defaultBackend: {service: {name: web, port: {number: 80}}}, tls: [{hosts: [x.example]}], rules: [{host: x.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}}]}}",
		"{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: p, namespace: a}, spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: web, port: 80}, {group: multicluster.x-k8s.io, kind: ServiceImport, name: x}], filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web, namespace: a, port: 80}}}]}]}}",
		"{apiVersion: gateway.networking.k8s.io/v1alpha2, kind: TCPRoute, metadata: {name: p, namespace: b}, spec: {rules: [{backendRefs: [{name: web, namespace: a, port: 80}]}]}}",
		// Versions that nobody reads.
		"{apiVersion: networking.k8s.io/v1beta9, kind: NetworkPolicy, metadata: {name: p, namespace: a}, spec: {podSelector: {}}}",
		"{apiVersion: cilium.io/v3, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: a}, spec: {endpointSelector: {}}}",
	}
}

// fuzzEngines are those that a policy is compiled for.
func fuzzEngines() []string {
	return []string{"", "azure", "calico", "cilium", "ovn-kubernetes", "weave", "none"}
}

// compiled imports policies beside the cluster and compares the engines on some packets. It fails where an error has no place, where an
// object left no trace, and where the engines differ. It returns what was read of an object that is the only one of the text.
func compiled(t *testing.T, engine, text string, packets int) (kubernetes.Result, bool) {
	t.Helper()
	c := &model.Cluster{Meta: model.Meta{ID: "kubernetes:B/Cluster//B", Source: model.Source{File: "B"}}, Manifest: true, Engine: engine}
	fsys := fstest.MapFS{"base.yaml": {Data: []byte(fuzzCluster)}, "p.yaml": {Data: []byte(text)}}
	r, err := kubernetes.Import(fsys, []string{"base.yaml", "p.yaml"}, kubernetes.Options{Cluster: c.ID, ClusterName: "B"})
	if err != nil {
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Fatalf("no list of errors: %v", err)
		}
		for _, e := range joined.Unwrap() {
			ie, ok := errors.AsType[*model.InputError](e)
			if !ok || ie.Source.File == "" || ie.Source.Line < 1 && ie.Source.Path != "" { // of a file as a whole there is no line
				t.Fatalf("no place: %v", e)
			}
		}
		return r, false
	}
	j, err := newJoint(modeltest.Draft{Resources: append(slices.Clone(r.Resources), c), Ledger: r.Ledger})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	h := fnv.New64a()
	h.Write([]byte(engine + text))
	rnd := rand.New(rand.NewPCG(h.Sum64(), 5))
	service, behind := netip.MustParseAddr("10.0.0.80"), netip.MustParseAddr("10.244.0.4")
	targets := []netip.Addr{}
	for _, a := range []string{"10.244.0.4", "10.244.0.5", "10.244.1.4", "10.240.0.5", "203.0.113.7", "10.0.0.80", "198.51.100.9", "2001:db8::7"} {
		targets = append(targets, netip.MustParseAddr(a))
	}
	for _, w := range j.s.Project.Estate.Workloads {
		if a, ok := j.s.Project.Estate.Symbols().Of(model.PodAddress, w.ID, ""); ok {
			targets = append(targets, a)
		}
	}
	for tries := 0; packets > 0 && tries < 200; tries++ {
		p, ok := j.draw(rnd, targets)
		if !ok || p.trace.Dst == service && p.trace.Src == behind { // what comes back to its sender is no flow (AZ-GEN-05)
			continue
		}
		packets--
		if p.trace.Protocol.HasPorts() && rnd.IntN(2) == 0 {
			p.trace.DPort = []uint16{53, 80, 85, 8080, 443}[rnd.IntN(5)]
			p.solver.DPort = p.trace.DPort
		}
		if diff := j.differ(p); diff != "" {
			t.Fatalf("engine %q: %s\n%s", engine, diff, text)
		}
	}
	return r, true
}

// FuzzPolicyText compiles whatever text somebody calls a policy.
func FuzzPolicyText(f *testing.F) {
	for i, s := range fuzzSeeds() {
		f.Add(uint8(i), s)
	}
	f.Add(uint8(2), strings.Join(fuzzSeeds()[3:6], "\n---\n")) // several tiers
	f.Add(uint8(0), "a: \xff\n")                               // no UTF-8
	f.Fuzz(func(t *testing.T, engine uint8, text string) {
		compiled(t, fuzzEngines()[int(engine)%len(fuzzEngines())], text, 20)
	})
}

// FuzzPolicyFields changes fields of policies that are in order, so that nearly every input gets as far as the compilers: values, entries and
// fields of one seed go to other places, disappear, or are of no known name. A field that nobody knows is an error, or the ledger tells.
func FuzzPolicyFields(f *testing.F) {
	for i := range fuzzSeeds() {
		f.Add(uint8(i), uint8(i%7), []byte{1, 4, 0, 2, 9, 1})          // a list of its own, an entry away
		f.Add(uint8(i), uint8(2+i%2), []byte{0, 7, 3, 0, 12, 8, 3, 6}) // other values, a field that nobody knows
	}
	f.Fuzz(compiledFields)
}

// compiledFields changes a seed step by step and compiles what becomes of it.
func compiledFields(t *testing.T, seed, engine uint8, steps []byte) {
	t.Helper()
	text := fuzzSeeds()[int(seed)%len(fuzzSeeds())]
	var object map[string]any
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	foreign := false
	for i := 0; i+2 < len(steps) && i < 30; i += 3 {
		foreign = changed(object, steps[i], steps[i+1], steps[i+2]) || foreign
	}
	data, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	r, ok := compiled(t, fuzzEngines()[int(engine)%len(fuzzEngines())], string(data), 20)
	if !ok {
		return
	}
	told, modelled := false, false
	for _, e := range r.Ledger {
		if e.Source.File != "p.yaml" {
			continue
		}
		told = told || e.Field != "" || e.Disposition == model.Unsupported && e.Field == ""
		modelled = modelled || e.Disposition == model.Modelled || e.Disposition == model.Unsupported && e.Field == "" && e.Effect != ""
	}
	if !modelled {
		t.Fatalf("an object without a trace: %s", data)
	}
	if foreign && !told && strings.Contains(string(data), foreignField) {
		t.Fatalf("a field without a trace: %s", data)
	}
	if e := r.Ledger; slices.ContainsFunc(e, func(e model.LedgerEntry) bool { return e.Source.File == "p.yaml" && e.Disposition == model.Modelled }) &&
		!slices.ContainsFunc(r.Resources, func(x model.Resource) bool { return x.Origin().File == "p.yaml" }) {
		t.Fatalf("modelled, and not in the model: %s", data)
	}
}

// foreignField is a field of no API.
const foreignField = "xqzw"

// fuzzValues are values that fields of policies may have, and some that they must not.
func fuzzValues() []any {
	return []any{
		nil, "", "web", "db", "env", "prod", "a", "b", "http", "dns", 80, 0, 53, 65535, 65536, -1, "80", "8080:8090", "TCP", "UDP", "SCTP", "ICMP", "Allow", "Deny", "Pass", "Log", "Accept",
		"In", "NotIn", "Exists", "DoesNotExist", "0.0.0.0/0", "10.244.0.0/24", "203.0.113.7/32", "::/0", "all()", "global()", "app == 'web' || has(tier)", "!has(env)", "projectcalico.org/name == 'a'",
		"world", "cluster", "host", "all", "none", true, false,
		[]any{},
		map[string]any{},
		[]any{map[string]any{}},
		[]any{nil},
		"Ingress", "Egress", 6, 1000, "first", "DENY", "ALLOW", "AUDIT", "PERMISSIVE",
	}
}

// changed changes one place of an object in one way, and reports whether it put a field there that nobody knows.
func changed(object map[string]any, how, where, what byte) bool {
	type place struct {
		path string
		set  func(any)
		get  any
		drop func()
	}
	var places []place
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			keys := make([]string, 0, len(v))
			for k := range v {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			for _, k := range keys {
				places = append(places, place{path + "." + k, func(x any) { v[k] = x }, v[k], func() { delete(v, k) }})
				walk(path+"."+k, v[k])
			}
		case []any:
			for i := range v {
				places = append(places, place{path + "[" + strconv.Itoa(i) + "]", func(x any) { v[i] = x }, v[i], func() { v[i] = nil }})
				walk(path+"[]", v[i])
			}
		}
	}
	walk("", object)
	places = slices.DeleteFunc(places, func(p place) bool { // an object stays what it is
		return slices.Contains([]string{".apiVersion", ".kind", ".metadata", ".metadata.name", ".metadata.namespace"}, p.path)
	})
	if len(places) == 0 {
		return false
	}
	p := places[int(where)%len(places)]
	copied := func(v any) any {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		var out any
		if err = json.Unmarshal(data, &out); err != nil {
			panic(err)
		}
		return out
	}
	switch how % 6 {
	case 0:
		p.set(fuzzValues()[int(what)%len(fuzzValues())])
	case 1:
		p.drop()
	case 2: // what stands elsewhere
		p.set(copied(places[int(what)%len(places)].get))
	case 3: // an entry more
		if list, ok := p.get.([]any); ok {
			list = append(slices.Clone(list), fuzzValues()[int(what)%len(fuzzValues())])
			if len(list) > 1 && what%2 == 0 {
				list[len(list)-1] = copied(list[0])
			}
			p.set(list)
		}
	case 4: // a field of elsewhere
		if m, ok := p.get.(map[string]any); ok {
			q := places[int(what)%len(places)]
			if i := strings.LastIndexByte(q.path, '.'); i >= 0 && !strings.HasSuffix(q.path, "]") {
				m[q.path[i+1:]] = copied(q.get)
			}
		}
	case 5:
		if m, ok := p.get.(map[string]any); ok && !anyKeys(p.path) {
			m[foreignField] = fuzzValues()[int(what)%len(fuzzValues())]
			return strings.HasPrefix(p.path, ".spec")
		}
	}
	return false
}

// anyKeys says that a field takes any key: labels, or what is not read any further.
func anyKeys(path string) bool {
	return slices.ContainsFunc([]string{"matchLabels", "labels", "annotations", "icmp", "notICMP", "http", "rules[].http", "k8sService", ".rules", "metadata"}, func(s string) bool {
		return strings.Contains(path, s)
	})
}
