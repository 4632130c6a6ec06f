package kubernetes

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ringfence/ringfence/model"
)

var update = flag.Bool("update", false, "rewrite the wanted results in testdata")

// TestShop imports a whole project and compares every fact that came out of it.
func TestShop(t *testing.T) {
	const name = "testdata/shop.txtar"
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	want := ""
	for i, f := range archive.Files {
		if f.Name == "want.txt" {
			want = string(f.Data)
			continue
		}
		fsys[f.Name] = &fstest.MapFile{Data: archive.Files[i].Data}
	}
	r, err := Import(fsys, []string{"shop"}, options())
	if err != nil {
		t.Fatal(err)
	}
	got := dump(r)
	if *update {
		archive.Files[len(archive.Files)-1].Data = []byte(got)
		if err = os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}

	for _, res := range r.Resources {
		if res.Origin().IsZero() || res.Origin().Line == 0 {
			t.Errorf("%s has no place", res.ResourceID())
		}
	}
	if _, err = model.NewEstate(r.Resources, r.Ledger); err != nil {
		t.Errorf("the estate refuses the result: %v", err)
	}

	// What stands in environments, Secrets and annotations must not leave the importer.
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"correct-horse", "aHVudGVyMg", "hunter2", "s3cr3t", "not-read"} {
		if strings.Contains(string(data), secret) {
			t.Errorf("the result holds %q", secret)
		}
	}

	// The order of files changes nothing: not that of the paths, nor how often a file is reached.
	paths := []string{"shop/web.yaml", "./shop/ns.yaml", "shop/policies.yml", "shop/live.json", "shop", "shop/"}
	for range 20 {
		rand.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
		again, err := Import(fsys, paths, options())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, dump(again)); diff != "" {
			t.Fatalf("paths in the order %v (-want +got):\n%s", paths, diff)
		}
	}
}

// TestObjectOrder shuffles the documents of one file: the same objects come out.
func TestObjectOrder(t *testing.T) {
	docs := []string{
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {env: prod}}\n",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: a}\nspec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}}\n",
		livePod("web-1-x", "web-1", "app: web, pod-template-hash: '1'", "10.0.0.1"),
		livePod("web-2-y", "web-2", "app: web, pod-template-hash: '2', track: canary", "10.0.0.2"),
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: a}\nspec: {podSelector: {matchLabels: {track: canary}}}\n",
		"apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: example.com/x}\n",
		"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, namespace: a}\nspec: {ingressClassName: nginx, defaultBackend: {service: {name: s, port: {number: 1}}}}\n",
		"apiVersion: v1\nkind: Endpoints\nmetadata: {name: s, namespace: a}\n",
		"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: a}\nspec: {selector: {app: web}, ports: [{port: 1}]}\n",
	}
	place := regexp.MustCompile(` at m\.yaml:\d+`)
	facts := func(r Result) []string {
		lines := strings.Split(place.ReplaceAllString(dump(r), ""), "\n")
		lines = slices.DeleteFunc(lines, func(line string) bool { // these hold lines too
			return strings.HasPrefix(line, "  Ports") || strings.HasPrefix(line, "  Backends")
		})
		slices.Sort(lines)
		return lines
	}
	want := facts(mustImport(t, "m.yaml", strings.Join(docs, "---\n")))
	for range 30 {
		rand.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		got := facts(mustImport(t, "m.yaml", strings.Join(docs, "---\n")))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
}

// policy wraps the spec of a policy; its first line is line 5 of the file.
func policy(spec string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: a}\nspec:\n" + indent(spec)
}

func indent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString("  " + line)
	}
	return b.String()
}

// pod wraps the spec of a pod; its first line is line 5 of the file.
func pod(spec string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n" + indent(spec)
}

func service(spec string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n" + indent(spec)
}

// livePod is a running pod of a ReplicaSet that is not in the input.
func livePod(name, replicaSet, labels, ip string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name + "\n  namespace: a\n  labels: {" + labels + "}\n" +
		"  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: " + replicaSet + ", uid: u, controller: true}]\n" +
		"spec: {containers: [{name: c}]}\nstatus: {phase: Running, podIP: " + ip + "}\n"
}

// TestErrors has the exact messages, with file, line and field.
func TestErrors(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"X09 g: an empty peer", policy("ingress:\n- from:\n  - {}\n"), "m.yaml:7: p: spec.ingress[0].from[0]: found `an empty peer`, want podSelector, namespaceSelector or ipBlock; leave the whole list out to admit every peer"},
		{"a null peer is an empty one", policy("egress:\n- to:\n  -\n"), "m.yaml:7: p: spec.egress[0].to[0]: found `an empty peer`, want podSelector, namespaceSelector or ipBlock; leave the whole list out to admit every peer"},
		{"a peer with a null selector is empty, K8S-NP-11", policy("ingress:\n- from:\n  - podSelector:\n"), "m.yaml:7: p: spec.ingress[0].from[0]: found `an empty peer`, want podSelector, namespaceSelector or ipBlock; leave the whole list out to admit every peer"},
		{"X16 a", policy("ingress:\n- ports:\n  - port: 100\n    endPort: 90\n"), "m.yaml:8: p: spec.ingress[0].ports[0].endPort: found `90`, want a port not below port 100"},
		{"X16 b", policy("ingress:\n- ports:\n  - port: http\n    endPort: 90\n"), "m.yaml:8: p: spec.ingress[0].ports[0].endPort: found `90`, want no endPort with a named port"},
		{"X16 c", policy("ingress:\n- ports:\n  - port: 0\n"), "m.yaml:7: p: spec.ingress[0].ports[0].port: found `0`, want a port from 1 to 65535"},
		{"X16 d", policy("ingress:\n- ports:\n  - endPort: 90\n"), "m.yaml:7: p: spec.ingress[0].ports[0].endPort: found `90`, want no endPort without port"},
		{"X16 e", policy("ingress:\n- ports:\n  - protocol: ICMP\n"), "m.yaml:7: p: spec.ingress[0].ports[0].protocol: found `ICMP`, want TCP, UDP or SCTP"},
		{"a protocol in lower case", policy("ingress:\n- ports: [{protocol: tcp}]\n"), "m.yaml:6: p: spec.ingress[0].ports[0].protocol: found `tcp`, want TCP, UDP or SCTP"},
		{"an empty protocol", policy("ingress:\n- ports: [{protocol: ''}]\n"), "m.yaml:6: p: spec.ingress[0].ports[0].protocol: found `an empty string`, want TCP, UDP or SCTP"},
		{"a port above all ports", policy("ingress:\n- ports: [{port: 65536}]\n"), "m.yaml:6: p: spec.ingress[0].ports[0].port: found `65536`, want a port from 1 to 65535"},
		{"an endPort above all ports", policy("ingress:\n- ports: [{port: 1, endPort: 70000}]\n"), "m.yaml:6: p: spec.ingress[0].ports[0].endPort: found `70000`, want a port from 1 to 65535"},
		{"a number in quotes is a name", policy("ingress:\n- ports: [{port: '80'}]\n"), "m.yaml:6: p: spec.ingress[0].ports[0].port: found `80`, want a port number without quotes, or a port name: up to 15 of lower case, digits and `-`, at least one letter"},
		{"a port that is a list", policy("ingress:\n- ports: [{port: [80]}]\n"), "m.yaml:6: p: spec.ingress[0].ports[0].port: want a port number or a name; this is a list"},
		{"a bad CIDR", policy("ingress:\n- from:\n  - ipBlock:\n      cidr: 10.0.0.0\n"), "m.yaml:8: p: spec.ingress[0].from[0].ipBlock.cidr: found `10.0.0.0`, want a CIDR as in 10.9.8.0/24 or 2001:db8::/64"},
		{"a CIDR in another notation", policy("ingress:\n- from:\n  - ipBlock: {cidr: 010.0.0.0/8}\n"), "m.yaml:7: p: spec.ingress[0].from[0].ipBlock.cidr: found `010.0.0.0/8`, want a CIDR as in 10.9.8.0/24 or 2001:db8::/64"},
		{"IPv4 inside IPv6", policy("ingress:\n- from:\n  - ipBlock: {cidr: '::ffff:10.0.0.0/104'}\n"), "m.yaml:7: p: spec.ingress[0].from[0].ipBlock.cidr: found `::ffff:10.0.0.0/104`, want an IPv4 or IPv6 CIDR, not IPv4 inside IPv6"},
		{"no CIDR", policy("ingress:\n- from:\n  - ipBlock: {}\n"), "m.yaml:7: p: spec.ingress[0].from[0].ipBlock.cidr: want a CIDR as in 10.9.8.0/24 or 2001:db8::/64"},
		{"except outside", policy("ingress:\n- from:\n  - ipBlock:\n      cidr: 10.0.0.0/8\n      except:\n      - 10.1.0.0/16\n      - 11.0.0.0/16\n"), "m.yaml:11: p: spec.ingress[0].from[0].ipBlock.except[1]: found `11.0.0.0/16`, want a part of 10.0.0.0/8"},
		{"except as large as the block", policy("ingress:\n- from:\n  - ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}\n"), "m.yaml:7: p: spec.ingress[0].from[0].ipBlock.except[0]: found `10.0.0.0/8`, want a part of 10.0.0.0/8"},
		{"except of the other family", policy("ingress:\n- from:\n  - ipBlock: {cidr: 0.0.0.0/0, except: ['::/1']}\n"), "m.yaml:7: p: spec.ingress[0].from[0].ipBlock.except[0]: found `::/1`, want a part of 0.0.0.0/0"},
		{"an ipBlock with a selector", policy("ingress:\n- from:\n  - ipBlock: {cidr: 10.0.0.0/8}\n    podSelector: {}\n"), "m.yaml:7: p: spec.ingress[0].from[0]: found `ipBlock and a selector`, want one or the other"},
		{"In without values", policy("podSelector:\n  matchExpressions:\n  - key: app\n    operator: In\n"), "m.yaml:7: p: spec.podSelector.matchExpressions[0].values: want at least one value with operator In"},
		{"Exists with values", policy("podSelector:\n  matchExpressions:\n  - {key: app, operator: Exists, values: [x]}\n"), "m.yaml:7: p: spec.podSelector.matchExpressions[0].values: found `x`, want no values with operator Exists"},
		{"an unknown operator", policy("podSelector:\n  matchExpressions:\n  - {key: app, operator: Is, values: [x]}\n"), "m.yaml:7: p: spec.podSelector.matchExpressions[0].operator: found `Is`, want In, NotIn, Exists or DoesNotExist"},
		{"no key", policy("podSelector:\n  matchExpressions:\n  - {operator: Exists}\n"), "m.yaml:7: p: spec.podSelector.matchExpressions[0].key: want " + wantLabelKey},
		{"a bad label key", policy("podSelector:\n  matchLabels:\n    app: web\n    a b: web\n"), "m.yaml:8: p: spec.podSelector.matchLabels[a b]: found `a b`, want " + wantLabelKey},
		{"a bad label value", policy("podSelector:\n  matchLabels:\n    app.kubernetes.io/name: we/b\n"), "m.yaml:7: p: spec.podSelector.matchLabels[app.kubernetes.io/name]: found `we/b`, want " + wantLabelValue},
		{"a bad value in an expression", policy("podSelector:\n  matchExpressions:\n  - {key: app, operator: In, values: [a, 'b!']}\n"), "m.yaml:7: p: spec.podSelector.matchExpressions[0].values[1]: found `b!`, want " + wantLabelValue},
		{"an unknown policy type", policy("policyTypes: [Ingress, egress]\n"), "m.yaml:5: p: spec.policyTypes[1]: found `egress`, want Ingress or Egress"},
		{"three policy types", policy("policyTypes: [Ingress, Egress, Ingress]\n"), "m.yaml:5: p: spec.policyTypes: found `3 entries`, want at most two"},

		{"X32: a name that YAML reads as a boolean", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: y}\n", "m.yaml:3: metadata.name: found `y`, want a string; this is a boolean, unless it stands in quotes"},
		{"a label that YAML reads as a number", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    version: 1.10\n", "m.yaml:6: a: metadata.labels.version: found `1.10`, want a string; this is a number, unless it stands in quotes"},
		{"a misspelt peer", policy("ingress:\n- from:\n  - namespaceSelector: {}\n    podSelectors: {}\n"), "m.yaml:8: p: spec.ingress[0].from[0].podSelectors: found `podSelectors`, want a known field, perhaps podSelector"},
		{"a field in the wrong case", policy("podSelector: {}\nIngress: []\n"), "m.yaml:6: p: spec.Ingress: found `Ingress`, want a known field, perhaps ingress"},
		{"a field from nowhere", policy("ingress:\n- comment: hello\n"), "m.yaml:6: p: spec.ingress[0].comment: found `comment`, want a known field: from, ports"},
		{"a spec in the wrong case", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nSpec: {}\n", "m.yaml:4: p: Spec: found `Spec`, want a known field, perhaps spec"},
		{"a key twice", policy("podSelector: {}\ningress: []\npodSelector: {}\n"), "m.yaml:7: spec.podSelector: found `the same key twice`, want each key once; the other is in line 5"},
		{"a policy that is a list", policy("- podSelector: {}\n"), "m.yaml:4: p: spec: want an object; this is a list"},
		{
			"all type errors of an object", policy("podSelector: web\ningress:\n- from: all\n- ports: [{port: 1, endPort: x}]\n"),
			"m.yaml:5: p: spec.podSelector: found `web`, want an object; this is a string\n" +
				"m.yaml:7: p: spec.ingress[0].from: found `all`, want a list; this is a string\n" +
				"m.yaml:8: p: spec.ingress[1].ports[0].endPort: found `x`, want a whole number; this is a string",
		},

		{"no name", "apiVersion: v1\nkind: Service\nspec: {ports: [{port: 1}]}\n", "m.yaml:1: metadata.name: want a name"},
		{"a name that the server makes", "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: x-}\nspec: {template: {spec: {containers: [{name: c}]}}}\n", "m.yaml:3: metadata.generateName: found `x-`, want a name: an object that gets a new name each time is not described by a file"},
		{"a hostile name", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: \"a/../b\\n\"}\n", "m.yaml:3: metadata.name: found `a/../b\\n`, want a DNS name (RFC 1123): lower case, digits, `-` and `.`"},
		{"a hostile namespace", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: <script>}\n", "m.yaml:3: metadata.namespace: found `<script>`, want a DNS label (RFC 1123): lower case, digits and `-`, at most 63"},
		{"a hostile name of a kind that is not decoded", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a/b}\n", "m.yaml:3: metadata.name: found `a/b`, want a name as a string: printable, without `/` and `%`"},
		{"a namespace with dots", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a.b}\n", "m.yaml:3: a.b: metadata.name: found `a.b`, want a DNS label (RFC 1123): lower case, digits and `-`, at most 63"},
		{"K8S-NS-02", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    kubernetes.io/metadata.name: b\n", "m.yaml:6: a: metadata.labels[kubernetes.io/metadata.name]: found `b`, want `a`, the name of the namespace"},
		{"K8S-NS-04", policy("podSelector: {}\n") + "---\n" + policy("podSelector: {}\n"), "m.yaml:7: p: found `a second NetworkPolicy of this name`, want each object once; the other is at m.yaml:1"},
		{
			"K8S-NS-04 with the default namespace", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: default}\n",
			"m.yaml:5: c: found `a second ConfigMap of this name`, want each object once; the other is at m.yaml:1",
		},

		{"a selector that misses its template", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec:\n  selector: {matchLabels: {app: web}}\n  template: {metadata: {labels: {app: wbe}}, spec: {containers: [{name: c}]}}\n", "m.yaml:5: w: spec.selector: want a selector that matches the labels of the pod template"},
		{"a workload without a template", "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: w}\nspec: {selector: {matchLabels: {a: b}}}\n", "m.yaml:4: w: spec.selector: want a selector that matches the labels of the pod template\nm.yaml:4: w: spec.template.spec.containers: want at least one container"},
		{"a secret is not printed", pod("containers:\n- name: c\n  env:\n  - {name: PIN, value: 123456}\n"), "m.yaml:8: x: spec.containers[0].env[0].value: want a string; this is a number, unless it stands in quotes"},
		{"no containerPort", pod("containers:\n- name: c\n  ports:\n  - name: http\n"), "m.yaml:8: x: spec.containers[0].ports[0].containerPort: found `0`, want a port from 1 to 65535"},
		{"a port name twice", pod("containers:\n- {name: c, ports: [{name: a, containerPort: 1}, {name: a, containerPort: 2}]}\n"), "m.yaml:6: x: spec.containers[0].ports[1].name: found `a`, want each port name once in a container"},
		{"a probe of no port", pod("containers:\n- {name: c, livenessProbe: {tcpSocket: {port: 0}}}\n"), "m.yaml:6: x: spec.containers[0].livenessProbe.tcpSocket.port: found `0`, want a port from 1 to 65535"},
		{"an owner from nowhere", "apiVersion: v1\nkind: Pod\nmetadata: {name: x, ownerReferences: [{apiVersion: v1, kind: ReplicaSet, name: a/b, uid: u, controller: true}]}\nspec: {containers: [{name: c}]}\n", "m.yaml:3: x: metadata.ownerReferences[0].name: found `a/b`, want the name of an object"},
		{"a pod address that is none", pod("containers: [{name: c}]\n") + "status:\n  podIPs:\n  - ip: x\n", "m.yaml:8: x: status.podIPs[0].ip: found `x`, want an IP address"},

		{"a service account that is none", pod("serviceAccountName: A\ncontainers: [{name: c}]\n"), "m.yaml:5: x: spec.serviceAccountName: found `A`, want the name of a ServiceAccount"},
		{"a toleration by no operator", pod("containers: [{name: c}]\ntolerations:\n- {key: a, operator: exists}\n"), "m.yaml:7: x: spec.tolerations[0].operator: found `exists`, want Equal, Exists, Lt or Gt"},
		{"a toleration of no key", pod("containers: [{name: c}]\ntolerations:\n- {key: a b}\n"), "m.yaml:7: x: spec.tolerations[0].key: found `a b`, want " + wantLabelKey},
		{"a kind that YAML reads as a boolean", "apiVersion: v1\nkind: Yes\nmetadata: {name: a}\n", "m.yaml:2: kind: found `Yes`, want apiVersion and kind that every YAML parser reads alike"},
		{"a controller without a domain", "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: a}\nspec: {controller: nginx}\n", "m.yaml:4: a: spec.controller: found `nginx`, want a DNS name and a path as in k8s.io/ingress-nginx"},
		{"replicas below zero", controller("apps/v1", "Deployment", "web", "app: web", "  replicas: -1\n"), "m.yaml:5: web: spec.replicas: found `-1`, want a number from 0 up"},
		{"a ReplicationController without a template", "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: r}\nspec: {replicas: 1}\n", "m.yaml:4: r: spec.template: want a pod template"},
		{"a quantity that is a list", pod("containers:\n- name: c\n  resources: {limits: {cpu: [1]}}\n"), "m.yaml:7: x: spec.containers[0].resources.limits.cpu: want a value of this field's form; this is a list"},
		{"a time that is none", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, creationTimestamp: yesterday}\n", "m.yaml:3: a: metadata.creationTimestamp: found `yesterday`, want a time as in 2026-11-01T10:00:00Z; this is a string"},
		{"a Boolean that is a string", pod("hostNetwork: 'true'\ncontainers: [{name: c}]\n"), "m.yaml:5: x: spec.hostNetwork: found `true`, want true or false; this is a string"},
		{"labels that are a list", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: [b]}\n", "m.yaml:3: a: metadata.labels: want an object; this is a list"},
		{"an owner of no kind", "apiVersion: v1\nkind: Pod\nmetadata: {name: x, ownerReferences: [{apiVersion: v1, kind: a/b, name: a, uid: u, controller: true}]}\nspec: {containers: [{name: c}]}\n", "m.yaml:3: x: metadata.ownerReferences[0].kind: found `a/b`, want a kind as in ReplicaSet"},
		{"a Service without ports", service("selector: {a: b}\n"), "m.yaml:4: s: spec.ports: want at least one port"},
		{"a Service of no type", service("type: Loadbalancer\nports: [{port: 1}]\n"), "m.yaml:5: s: spec.type: found `Loadbalancer`, want ClusterIP, NodePort, LoadBalancer or ExternalName"},
		{"a node port without a node port", service("ports:\n- port: 1\n  nodePort: 30000\n"), "m.yaml:7: s: spec.ports[0].nodePort: found `30000`, want no nodePort in a Service of type ClusterIP"},
		{"ports without names", service("ports:\n- {port: 1, name: a}\n- {port: 2}\n"), "m.yaml:7: s: spec.ports[1].name: want a name, where there is more than one port"},
		{"a service tag where only CIDRs go, AKS-LB-03", service("type: LoadBalancer\nports: [{port: 1}]\nloadBalancerSourceRanges: [AzureCloud]\n"), "m.yaml:7: s: spec.loadBalancerSourceRanges[0]: found `AzureCloud`, want a CIDR as in 10.9.8.0/24 or 2001:db8::/64"},
		{"a traffic policy of no kind", service("ports: [{port: 1}]\nexternalTrafficPolicy: local\n"), "m.yaml:6: s: spec.externalTrafficPolicy: found `local`, want Cluster or Local"},
		{"an external address that is none", service("ports: [{port: 1}]\nexternalIPs: [10.0.0.0/8]\n"), "m.yaml:6: s: spec.externalIPs[0]: found `10.0.0.0/8`, want an IP address"},
		{"a target name that is none", service("ports: [{port: 1, targetPort: 'a b'}]\n"), "m.yaml:5: s: spec.ports[0].targetPort: found `a b`, want a port number without quotes, or a port name: up to 15 of lower case, digits and `-`, at least one letter"},
		{"an Ingress of nothing", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {}\n", "m.yaml:4: i: spec: want defaultBackend or rules"},
		{"a back end without a port", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec:\n  rules:\n  - host: a.example.com\n    http: {paths: [{backend: {service: {name: s}}}]}\n", "m.yaml:7: i: spec.rules[0].http.paths[0].backend.service.port: want a number or a name"},
		{"a back end without a service", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec:\n  defaultBackend: {}\n", "m.yaml:5: i: spec.defaultBackend: want a service with its port"},
		{"a back end with two ports", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec:\n  defaultBackend: {service: {name: s, port: {number: 1, name: a}}}\n", "m.yaml:5: i: spec.defaultBackend.service.port: found `a and 1`, want a number or a name"},
		{"a back end of two kinds", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec:\n  defaultBackend: {service: {name: s, port: {number: 1}}, resource: {kind: Bucket, name: b}}\n", "m.yaml:5: i: spec.defaultBackend: found `service and resource`, want one or the other"},
		{"a class that is none", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec:\n  ingressClassName: a b\n  defaultBackend: {service: {name: s, port: {number: 1}}}\n", "m.yaml:5: i: spec.ingressClassName: found `a b`, want the name of an IngressClass"},
		{"a host that is none", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {rules: [{host: 'a b'}]}\n", "m.yaml:4: i: spec.rules[0].host: found `a b`, want a DNS name, possibly with `*.` in front"},

		{"broken YAML", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n labels: {}\n", "m.yaml:5: no valid YAML: did not find expected key"},
		{"broken YAML in the second document", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n---\napiVersion: v1\nkind: b: c\n", "m.yaml:6: no valid YAML: mapping values are not allowed in this context"},
		{"a template", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {{ .Values.name }}\n", "m.yaml:4: metadata.name: want a plain key; the file looks like a template, which must be rendered first"},
		{"a document that is no object among objects", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\nspec: {podSelector: {}}\n", "m.yaml:5: found `a document without apiVersion and kind`, want an object with apiVersion and kind"},
		{"an apiVersion that was lost", "kind: NetworkPolicy\nmetadata: {name: p}\n", "m.yaml:1: apiVersion: want an object with apiVersion and kind"},
		{"an apiVersion in another case", "apiversion: v1\nkind: Namespace\nmetadata: {name: a}\n", "m.yaml:1: found `apiversion`, want apiVersion in this spelling"},
		{"both keys in another case", "ApiVersion: v1\nKind: Namespace\n", "m.yaml:1: found `ApiVersion`, want apiVersion and kind in this spelling"},
		{"a kind that was lost", "apiVersion: v1\nmetadata: {name: a}\n", "m.yaml:1: kind: want an object with apiVersion and kind"},
		{"an apiVersion of no form", "apiVersion: networking.k8s.io/\nkind: NetworkPolicy\n", "m.yaml:1: apiVersion: found `networking.k8s.io/`, want v1, or group/version as in networking.k8s.io/v1"},
		{"a hostile kind", "apiVersion: v1\nkind: a/b\n", "m.yaml:2: kind: found `a/b`, want a kind as in NetworkPolicy"},
		{"text behind the separator", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n--- {a: b}\n", "m.yaml:4: found `text behind ---`, want a line that begins with --- to hold nothing else but a comment"},
		{"a document end", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n...\nkind: NetworkPolicy\n", "m.yaml:1: found `a second document behind ...`, want documents separated by lines of ---"},
		{"an infinite number", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {secret: .inf}\n", "m.yaml:1: want YAML that kubectl can turn into JSON: string keys, each once, finite numbers, merges of mappings"},
		{"a merge that comes too late", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  <<: {name: b}\n", "m.yaml:5: metadata.name: found `a key and a merge behind it that sets the same key`, want the merge before the key"},
		{"a key that is no word", "apiVersion: v1\nkind: Namespace\n? [a]\n: b\n", "m.yaml:3: want a plain key"},
		{"no object in a file that was named", "replicas: 3\n", "m.yaml:1: found `a document without apiVersion and kind`, want at least one Kubernetes object with apiVersion and kind"},
		{"nothing in a file that was named", "# later\n---\n", "m.yaml:1: found `no object`, want at least one Kubernetes object with apiVersion and kind"},
		{"an Azure resource", "apiVersion: 2024-05-01\nkind: app\n", "m.yaml:1: found `an Azure resource`, want at least one Kubernetes object with apiVersion and kind"},
		{"no text", "\xff\xfea", "m.yaml: found `bytes that are no UTF-8`, want a text file in UTF-8"},
		{"a list without items", "apiVersion: v1\nkind: List\n", "m.yaml:1: items: want a list of objects"},
		{
			"items that are no objects", "apiVersion: v1\nkind: List\nitems:\n- 1\n-\n- kind: NetworkPolicy\n  spec: {}\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: A}\n",
			"m.yaml:4: items[0]: found `text`, want an object with apiVersion and kind\n" +
				"m.yaml:5: items[1]: found `text`, want an object with apiVersion and kind\n" +
				"m.yaml:6: items[2]: want an object with apiVersion and kind\n" +
				"m.yaml:10: A: metadata.name: found `A`, want a DNS label (RFC 1123): lower case, digits and `-`, at most 63",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := importText("m.yaml", test.text)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", test.text, diff)
			}
			if err != nil && (len(r.Resources) > 0 || len(r.Ledger) > 0) {
				t.Errorf("a result beside errors: %v", ids(r))
			}
		})
	}
}

// TestErrorsJSON has messages of JSON input: lines count there too.
func TestErrorsJSON(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"broken JSON", "{\n \"apiVersion\": \"v1\",\n \"kind\": }\n", "m.json:3: no valid JSON: invalid character '}' at start of value"},
		{"a name twice", "{\"apiVersion\": \"v1\",\n \"kind\": \"Namespace\",\n \"kind\": \"Pod\"}\n", "m.json:3: no valid JSON: duplicate object member name"},
		{"a name twice, deep down", "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"a\"},\n \"data\": {\"a\": \"b\",\n\"a\": \"b\"}}\n", "m.json:3: no valid JSON: duplicate object member name"},
		{"a number for a name", "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\",\n\n \"metadata\": {\n\"name\": 1}}\n", "m.json:4: metadata.name: found `1`, want a string; this is a number, unless it stands in quotes"},
		{
			"the second of two objects, in a list",
			"{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n" +
				"{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"a\"}},\n" +
				"{\"apiVersion\": \"networking.k8s.io/v1\", \"kind\": \"NetworkPolicy\",\n \"metadata\": {\"name\": \"p\"},\n \"spec\": {\"ingress\": [\n  {\"from\": [\n   {}]}]}}]}\n",
			"m.json:7: p: spec.ingress[0].from[0]: found `an empty peer`, want podSelector, namespaceSelector or ipBlock; leave the whole list out to admit every peer",
		},
		{
			"two objects behind each other", "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"a\"}}\n{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"B\"}}\n",
			"m.json:2: B: metadata.name: found `B`, want a DNS label (RFC 1123): lower case, digits and `-`, at most 63",
		},
		{"an array", "[]", "m.json:1: found `a list`, want at least one Kubernetes object with apiVersion and kind"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := importText("m.json", test.text)
			got := fmt.Sprint(err)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", test.text, diff)
			}
		})
	}
}

// TestErrorsInOrder has two files with errors: they come in the order of their place, whatever the order of the paths, and each is an
// InputError.
func TestErrorsInOrder(t *testing.T) {
	fsys := fstest.MapFS{
		"b.yaml": {Data: []byte(policy("ingress:\n- ports: [{port: 0}]\n"))},
		"a.yaml": {Data: []byte(policy("policyTypes: [x]\ningress:\n- from: [{}]\n") + "---\n" + service("ports: [{port: 1}]\nclusterIP: x\n"))},
		"c.yaml": {Data: []byte(policy("podSelector: {}\n"))},
	}
	_, err := Import(fsys, []string{"c.yaml", "b.yaml", "gone.yaml", "a.yaml", "../d.yaml"}, options())
	want := "../d.yaml: want a path inside the project, without `..`\n" +
		"a.yaml:5: p: spec.policyTypes[0]: found `x`, want Ingress or Egress\n" +
		"a.yaml:7: p: spec.ingress[0].from[0]: found `an empty peer`, want podSelector, namespaceSelector or ipBlock; leave the whole list out to admit every peer\n" +
		"a.yaml:14: s: spec.clusterIP: found `x`, want an IP address\n" +
		"b.yaml:1: p: found `a second NetworkPolicy of this name`, want each object once; the other is at a.yaml:1\n" +
		"b.yaml:6: p: spec.ingress[0].ports[0].port: found `0`, want a port from 1 to 65535\n" +
		"c.yaml:1: p: found `a second NetworkPolicy of this name`, want each object once; the other is at a.yaml:1\n" +
		"gone.yaml: cannot be read: file does not exist"
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, e := range flatten(err) {
		if _, ok := e.(*model.InputError); !ok { //nolint:errorlint // the error itself, not one that it wraps
			t.Errorf("%T is no InputError: %v", e, e)
		}
	}
}

func flatten(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// TestManyErrors caps their number.
func TestManyErrors(t *testing.T) {
	var b strings.Builder
	b.WriteString("ingress:\n- ports:\n")
	for range maxErrors + 5 {
		b.WriteString("  - port: 0\n")
	}
	_, err := importText("m.yaml", policy(b.String()))
	list := flatten(err)
	if len(list) != maxErrors+1 {
		t.Fatalf("%d errors, want %d", len(list), maxErrors+1)
	}
	if got, want := list[maxErrors].Error(), "m.yaml:1007: and 5 more errors from here on"; got != want {
		t.Errorf("last error: got %q, want %q", got, want)
	}
}

// BenchmarkImport reads a live cluster of 2,000 pods, as kubectl prints it, and 500 policies.
func BenchmarkImport(b *testing.B) {
	var pods, policies strings.Builder
	pods.WriteString("{\n \"apiVersion\": \"v1\",\n \"items\": [\n")
	for i := range 2000 {
		if i > 0 {
			pods.WriteString(",\n")
		}
		fmt.Fprintf(&pods, `{"apiVersion": "v1", "kind": "Pod",
 "metadata": {"name": "web-%d-1-x", "namespace": "ns-%d", "labels": {"app": "web", "pod-template-hash": "1"},
  "annotations": {"note": %q},
  "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-%d-1", "uid": "u", "controller": true}]},
 "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 8080}],
  "env": [{"name": "A", "value": "b"}], "livenessProbe": {"httpGet": {"port": 8080}}}]},
 "status": {"phase": "Running", "podIP": "10.0.%d.%d"}}`, i/4, i%50, strings.Repeat("x", 1500), i/4, i/256, i%256)
	}
	pods.WriteString("\n ],\n \"kind\": \"List\"\n}\n")
	for i := range 500 {
		policies.WriteString(strings.Replace(policy("podSelector: {matchLabels: {app: web}}\ningress:\n- from:\n  - namespaceSelector: {matchLabels: {env: prod}}\n  - ipBlock: {cidr: 10.0.0.0/8}\n  ports: [{port: 8080}]\n"), "name: p", fmt.Sprintf("name: p%d", i), 1) + "---\n")
	}
	fsys := fstest.MapFS{"pods.json": {Data: []byte(pods.String())}, "policies.yaml": {Data: []byte(policies.String())}}
	b.SetBytes(int64(pods.Len() + policies.Len()))
	for b.Loop() {
		if _, err := Import(fsys, []string{"."}, options()); err != nil {
			b.Fatal(err)
		}
	}
}
