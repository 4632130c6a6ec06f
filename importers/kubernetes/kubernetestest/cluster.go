// Package kubernetestest makes manifests of Kubernetes clusters for tests and benchmarks.
//
// [Cluster] is shaped as people write such clusters: namespaces with teams, environments and tiers, a default deny in each namespace, and
// above it what about ten templates of policies admit by label, namespace and port. They are no customer's data; the same size and seed
// give the same bytes.
package kubernetestest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// Size is how many objects a cluster has. The zero value is an empty cluster.
type Size struct{ Workloads, Policies, Namespaces int }

// Small and Large are the clusters of docs/performance.md.
func Small() Size { return Size{Workloads: 500, Policies: 500, Namespaces: 50} }
func Large() Size { return Size{Workloads: 4000, Policies: 2000, Namespaces: 200} }

// File is one file of manifests.
type File struct {
	Name string
	Data []byte
}

// Cluster makes the manifests of a cluster, a file for each namespace.
func Cluster(size Size, seed uint64) []File {
	r := rand.New(rand.NewPCG(seed, 11))
	files := make([]File, size.Namespaces)
	for i := range files {
		n := namespaceOf(i)
		var b bytes.Buffer
		n.write(&b)
		for w := i; w < size.Workloads; w += size.Namespaces {
			writeWorkload(&b, r, n, w)
		}
		for p := i; p < size.Policies; p += size.Namespaces {
			writePolicy(&b, r, n, p, p/size.Namespaces, size.Namespaces)
		}
		files[i] = File{Name: n.name + ".yaml", Data: b.Bytes()}
	}
	return files
}

// Write writes files into a folder.
func Write(dir string, files []File) error {
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

type namespace struct {
	name, team, env string
}

// The first namespaces are those of the platform: everything else admits them.
func namespaceOf(i int) namespace {
	n := namespace{fmt.Sprintf("ns-%03d", i), "team-" + strconv.Itoa(i%12), []string{"prod", "stage", "dev"}[i/12%3]}
	switch i {
	case 0:
		n.name, n.team, n.env = "kube-system", "platform", "platform"
	case 1:
		n.name, n.team, n.env = "monitoring", "platform", "platform"
	case 2:
		n.name, n.team, n.env = "ingress-nginx", "platform", "platform"
	}
	return n
}

func (n namespace) write(b *bytes.Buffer) {
	fmt.Fprintf(b, "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n  labels:\n    team: %s\n    env: %s\n", n.name, n.team, n.env)
}

func tiers() []string { return []string{"web", "api", "db", "worker", "cache"} }

// writeWorkload writes a controller, or a bare Pod.
func writeWorkload(b *bytes.Buffer, r *rand.Rand, n namespace, i int) {
	tier := tiers()[r.IntN(5)]
	app := "app-" + strconv.Itoa(r.IntN(25))
	kind := []string{"Deployment", "Deployment", "Deployment", "Deployment", "Deployment", "Deployment", "StatefulSet", "DaemonSet", "CronJob", "Pod"}[r.IntN(10)]
	name := fmt.Sprintf("%s-%04d", tier, i)
	labels := func(indent string) string {
		return fmt.Sprintf("%slabels:\n%s  app: %s\n%s  tier: %s\n%s  team: %s\n%s  version: v%d\n", indent, indent, app, indent, tier, indent, n.team, indent, r.IntN(3))
	}
	containers := func(indent string) string {
		return fmt.Sprintf("%scontainers:\n%s- name: main\n%s  image: registry.example/%s:1\n%s  ports:\n%s  - name: http\n%s    containerPort: %d\n%s  - name: metrics\n%s    containerPort: 9090\n",
			indent, indent, indent, app, indent, indent, indent, []int{8080, 8443, 5432}[r.IntN(3)], indent, indent)
	}
	fmt.Fprintf(b, "---\n")
	switch kind {
	case "Pod":
		fmt.Fprintf(b, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  namespace: %s\n%sspec:\n%s", name, n.name, labels("  "), containers("  "))
	case "CronJob":
		fmt.Fprintf(b, "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: %s\n  namespace: %s\nspec:\n  schedule: \"0 * * * *\"\n  jobTemplate:\n    spec:\n      template:\n        metadata:\n%s        spec:\n          restartPolicy: Never\n%s",
			name, n.name, labels("          "), containers("          "))
	default:
		more := ""
		switch kind {
		case "Deployment":
			more = fmt.Sprintf("  replicas: %d\n", 1+r.IntN(4))
		case "StatefulSet":
			more = fmt.Sprintf("  serviceName: %s\n", name)
		}
		fmt.Fprintf(b, "apiVersion: apps/v1\nkind: %s\nmetadata:\n  name: %s\n  namespace: %s\nspec:\n%s  selector:\n    matchLabels:\n      app: %s\n  template:\n    metadata:\n%s    spec:\n%s",
			kind, name, n.name, more, app, labels("      "), containers("      "))
	}
}

// writePolicy writes policy p, the k-th of its namespace: the default deny first, then the templates in turn.
func writePolicy(b *bytes.Buffer, r *rand.Rand, n namespace, p, k, namespaces int) {
	app := func() string { return "app-" + strconv.Itoa(r.IntN(25)) }
	other := func() string { return namespaceOf(r.IntN(namespaces)).name }
	team := func() string { return "team-" + strconv.Itoa(r.IntN(12)) }
	spec := ""
	template := (k - 1) % 10
	if k > 0 && k < 5 {
		template = (k*3 + p) % 10 // namespaces with few policies do not all have the same
	}
	switch {
	case k == 0:
		spec = "  podSelector: {}\n  policyTypes: [Ingress, Egress]\n"
	case template == 0: // names
		spec = "  podSelector: {}\n  policyTypes: [Egress]\n  egress:\n  - to:\n    - namespaceSelector:\n        matchLabels:\n          kubernetes.io/metadata.name: kube-system\n    ports:\n    - protocol: UDP\n      port: 53\n    - protocol: TCP\n      port: 53\n"
	case template == 1: // from tier to tier in the namespace
		spec = "  podSelector:\n    matchLabels:\n      tier: api\n  policyTypes: [Ingress, Egress]\n  ingress:\n  - from:\n    - podSelector:\n        matchLabels:\n          tier: web\n    ports:\n    - port: 8080\n  egress:\n  - to:\n    - podSelector:\n        matchLabels:\n          tier: db\n    ports:\n    - port: 5432\n"
	case template == 2:
		spec = "  podSelector:\n    matchLabels:\n      tier: db\n  policyTypes: [Ingress]\n  ingress:\n  - from:\n    - podSelector:\n        matchExpressions:\n        - {key: tier, operator: In, values: [api, worker]}\n    ports:\n    - port: 5432\n"
	case template == 3: // from the ingress controllers
		spec = "  podSelector:\n    matchLabels:\n      tier: web\n  policyTypes: [Ingress]\n  ingress:\n  - from:\n    - namespaceSelector:\n        matchLabels:\n          kubernetes.io/metadata.name: ingress-nginx\n    ports:\n    - port: http\n"
	case template == 4: // metrics
		spec = "  podSelector: {}\n  policyTypes: [Ingress]\n  ingress:\n  - from:\n    - namespaceSelector:\n        matchLabels:\n          kubernetes.io/metadata.name: monitoring\n    ports:\n    - port: 9090\n"
	case template == 5: // one application calls another one elsewhere
		spec = fmt.Sprintf("  podSelector:\n    matchLabels:\n      app: %s\n  policyTypes: [Ingress]\n  ingress:\n  - from:\n    - namespaceSelector:\n        matchLabels:\n          team: %s\n      podSelector:\n        matchLabels:\n          app: %s\n    ports:\n    - port: %d\n      endPort: %d\n", app(), team(), app(), 8000, 8100)
	case template == 6:
		spec = fmt.Sprintf("  podSelector:\n    matchLabels:\n      tier: web\n  policyTypes: [Egress]\n  egress:\n  - to:\n    - namespaceSelector:\n        matchLabels:\n          kubernetes.io/metadata.name: %s\n    - namespaceSelector:\n        matchExpressions:\n        - {key: env, operator: NotIn, values: [dev]}\n      podSelector:\n        matchLabels:\n          tier: api\n    ports:\n    - port: 8080\n    - port: 8443\n", other())
	case template == 7: // out of the cluster
		spec = fmt.Sprintf("  podSelector:\n    matchLabels:\n      tier: worker\n  policyTypes: [Egress]\n  egress:\n  - to:\n    - ipBlock:\n        cidr: 203.0.113.0/24\n        except: [203.0.113.%d/32]\n    ports:\n    - port: 443\n", r.IntN(16))
	case template == 8: // the tiers of a team, in whatever namespace
		spec = fmt.Sprintf("  podSelector:\n    matchLabels:\n      tier: cache\n  policyTypes: [Ingress, Egress]\n  ingress:\n  - from:\n    - namespaceSelector:\n        matchLabels:\n          team: %s\n    ports:\n    - port: 6379\n  egress:\n  - to:\n    - namespaceSelector:\n        matchLabels:\n          team: %s\n      podSelector:\n        matchLabels:\n          tier: cache\n", n.team, n.team)
	default: // an environment among itself
		spec = fmt.Sprintf("  podSelector:\n    matchExpressions:\n    - {key: tier, operator: NotIn, values: [db, cache]}\n    - {key: version, operator: Exists}\n  policyTypes: [Ingress, Egress]\n  ingress:\n  - from:\n    - namespaceSelector:\n        matchLabels:\n          env: %s\n      podSelector:\n        matchLabels:\n          tier: web\n    ports:\n    - port: http\n    - protocol: UDP\n      port: 4789\n  egress:\n  - to:\n    - namespaceSelector:\n        matchLabels:\n          env: %s\n    ports:\n    - port: http\n", n.env, n.env)
	}
	fmt.Fprintf(b, "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p-%04d\n  namespace: %s\nspec:\n%s", p, n.name, spec)
}
