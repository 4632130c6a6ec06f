package kubernetes

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ringfence/ringfence/model"
)

// FuzzImport feeds any bytes to the importer: no panic, an error is made of InputErrors with a place, a result has the same bytes twice,
// every resource and entry has a place, and the estate accepts it.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		"", // nothing
		oneNamespace,
		policy("podSelector: {}\ningress:\n- from:\n  - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}\n  ports:\n  - {port: 1, endPort: 2}\n"), // a policy with everything
		policy("ingress:\n- from: [{}]\n"),                                                                     // X09 g: an empty peer
		policy("ingress:\n- ports: [{port: http, endPort: 90}]\n"),                                             // X16 b: a name with an endPort
		policy("ingress: [null]\negress: [{to: [null], ports: [null]}]\n"),                                     // null where objects belong
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: null\n",                              // no metadata
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: [a]\n",                               // a list where an object belongs
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: y}\n",                         // X32
		"apiVersion: v1\nkind: List\nitems: [null, 1, {kind: Pod}, {apiVersion: v1, kind: List, items: []}]\n", // a list of what it must not hold
		`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","ownerReferences":[{"kind":"Node","name":"n","controller":true}]},"spec":{"containers":[{"name":"c","ports":[{"containerPort":80,"hostPort":80}]}]},"status":{"podIPs":[{"ip":"::1"}]}}]}`,                      // a live pod
		controller("apps/v1", "Deployment", "web", "app: web", "  replicas: 0\n") + "---\n" + livePod("web-1-x", "web-1", "app: web, pod-template-hash: '1'", "10.0.0.1"),                                                                                                                                                 // a Deployment and its pod
		service("type: LoadBalancer\nloadBalancerClass: x\nloadBalancerSourceRanges: ['10.0.0.1/8']\nports: [{port: 1, targetPort: a, nodePort: 30000}]\n"),                                                                                                                                                               // a Service with everything
		"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {rules: [{http: {paths: [{backend: {service: {name: s, port: {number: 1}}}}]}}]}\n",                                                                                                                                                  // an Ingress
		cilium("endpointSelector: {matchExpressions: [{key: 'k8s:io.cilium.k8s.namespace.labels.env', operator: Exists}]}\ningress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.0.0.0/9]}], toPorts: [{ports: [{port: '1', endPort: 2}]}]}, null]\negressDeny: [{icmps: [{fields: [{type: 8}, {type: x}, null]}]}]\n"), // a policy of Cilium with everything
		calico("order: 1\nselector: \"a in {'b'} && !has(c)\"\ningress: [{action: Pass, protocol: TCP, source: {nets: [10.0.0.0/8], namespaceSelector: global()}, destination: {ports: ['1:2', a, 3]}}, null]\n"),                                                                                                         // a policy of Calico with everything
		calico("selector: \"!(a == 'b' || ((\"\n"), // open brackets
		istio("AuthorizationPolicy", "action: DENY\nrules: [{from: [{source: {namespaces: [a]}}, null], to: [{operation: {ports: ['80', x]}}], when: [1]}, null]\n"),                                                                                   // a policy of a mesh
		tierPolicy("tier: Admin\npriority: 10\nsubject: {pods: {podSelector: {}}}\negress: [{action: Deny, to: [{networks: [10.0.0.0/8]}, {nodes: {}}, {futurePeer: {}}, {}], protocols: [{tcp: {destinationPort: {range: {start: 1, end: 2}}}}]}]\n"), // a ClusterNetworkPolicy with everything
		oldTierPolicy("AdminNetworkPolicy", "priority: 10\nsubject: {namespaces: {}}\ningress: [null, {action: Allow, from: [null], ports: [{namedPort: http}, null]}]\n"),                                                                             // null where objects belong
		oldTierPolicy("BaselineAdminNetworkPolicy", "subject: {namespaces: {}, pods: {}}\negress: [{action: Pass, to: []}]\n"),                                                                                                                         // mistakes
		"a: &a [*a]\n",                      // an alias of what contains it
		"a: &a {b: c}\nd: {<<: *a, b: e}\n", // a merge
		"? {a: b}\n: c\n",                   // a key that is a mapping
		"{{ .Values.x }}: {{- if }}\n",      // a template
		"--- # x\n---\n...\n%YAML 1.1\n",    // separators and directives
		"\xff\xfe\x00a",                     // UTF-16
		"{\"a\": 1, \"a\": 2}",              // a name twice
		"[[[[[[[[[[",                        // open brackets
		"a: 'x\n# y\n  - z: !!binary x",     // an open quote, a comment, a tag
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		Recognise(data)
		fsys := fstest.MapFS{"m/a.yaml": {Data: data}, "m/b.json": {Data: data}}
		for _, path := range []string{"m/a.yaml", "m/b.json", "m"} {
			r, err := Import(fsys, []string{path}, options())
			if err != nil {
				for _, e := range flatten(err) {
					ie, ok := e.(*model.InputError) //nolint:errorlint // the error itself, not one that it wraps
					if !ok || ie.Source.File == "" {
						t.Fatalf("no place: %v", e)
					}
					if strings.ContainsAny(e.Error(), "\n\r") {
						t.Fatalf("an error on two lines: %q", e.Error())
					}
				}
				continue
			}
			for _, res := range r.Resources {
				if res.Origin().Line < 1 || res.ResourceID() == "" {
					t.Fatalf("%T %s at %v", res, res.ResourceID(), res.Origin())
				}
			}
			for _, e := range r.Ledger {
				if e.Source.Line < 1 || e.Disposition != model.Modelled && e.Effect == "" {
					t.Fatalf("ledger: %+v", e)
				}
			}
			if _, err = model.NewEstate(r.Resources, r.Ledger); err != nil {
				t.Fatalf("the estate refuses the result: %v", err)
			}
			again, err := Import(fsys, []string{path}, options())
			if err != nil {
				t.Fatal(err)
			}
			first, _ := json.Marshal(r)
			second, _ := json.Marshal(again)
			if string(first) != string(second) {
				t.Fatalf("two results of one input:\n%s\n%s", first, second)
			}
		}
	})
}
