package kubernetes

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ringfence/ringfence/model"
)

const overlays = `
-- base/kustomization.yaml --
resources: [web.yaml, policy.yaml]
-- base/web.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
-- base/policy.yaml --
# Two documents: the policy stands second.
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{ports: [{port: 80}]}]
-- prod/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: prod
namePrefix: p-
resources: [../base, ns.yaml]
components: [../open]
labels: [{pairs: {env: prod}, includeTemplates: true}]
patches:
- path: replicas.yaml
-- prod/ns.yaml --
apiVersion: v1
kind: Namespace
metadata: {name: prod}
-- prod/replicas.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 0}
-- prod/old.yaml --
apiVersion: v1
kind: Namespace
metadata: {name: forgotten}
-- open/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
- target: {kind: NetworkPolicy}
  patch: |
    - {op: replace, path: /spec/ingress/0/ports/0/port, value: 443}
`

func tree(text string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, f := range txtar.Parse([]byte(text)).Files {
		fsys[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return fsys
}

// A kustomization is built: what it takes in is not read by itself, and its objects stand where they were written (K8S-NS-01, K8S-NS-04).
func TestKustomization(t *testing.T) {
	for _, paths := range [][]string{{"prod"}, {"."}, {"prod/kustomization.yaml"}, {"prod", "base"}} {
		r, err := Import(tree(overlays), paths, options())
		if err != nil {
			t.Fatal(paths, err)
		}
		var got []string
		for _, x := range r.Resources {
			switch x := x.(type) {
			case *model.Workload:
				got = append(got, fmt.Sprintf("%s %s %v replicas %d at %s", x.Namespace, x.Name(), x.Labels, x.Replicas, x.Source))
			case *model.NetworkPolicy:
				got = append(got, fmt.Sprintf("%s %s %v at %s, rule at %s", x.Namespace, x.Name(), x.Ingress[0].Ports[0].Ports, x.Source, x.Ingress[0].Source))
			case *model.Namespace:
				got = append(got, fmt.Sprintf("namespace %s at %s", x.Name(), x.Source))
			default:
			}
		}
		want := []string{
			"prod p-web map[app:web env:prod] replicas 0 at base/web.yaml:1",
			"namespace prod at prod/ns.yaml:1",
			"prod p-web 443 at base/policy.yaml:6, rule at base/policy.yaml:6",
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%v: %s", paths, diff)
		}
		notes := 0
		for _, e := range r.Ledger {
			if strings.Contains(e.Effect, "does not name it") {
				notes++
			}
		}
		if len(paths) == 1 && paths[0] != "prod/kustomization.yaml" && notes != 1 {
			t.Errorf("%v: %d notes of files that are not deployed, want that of prod/old.yaml", paths, notes)
		}
	}
}

// What is not in the input is refused before kustomize sees it: it would ask the network, or run a program.
func TestKustomizationRefused(t *testing.T) {
	const name = "k/kustomization.yaml"
	for _, test := range []struct{ text, want string }{
		{"resources: [https://example.com/a.yaml]", "k/kustomization.yaml:1: resources[0]: found `https://example.com/a.yaml`, want a path inside the input: nothing is fetched"},
		{"resources: [github.com/org/repo]", "k/kustomization.yaml:1: resources[0]: found `github.com/org/repo`, want a path inside the input: nothing is fetched"},
		{"resources: ['git@github.com:org/repo']", "k/kustomization.yaml:1: resources[0]: found `git@github.com:org/repo`, want a path inside the input: nothing is fetched"},
		{"components: [../../outside]", "k/kustomization.yaml:1: components[0]: found `../../outside`, want a path inside the input: nothing is fetched"},
		{"resources: [/etc]", "k/kustomization.yaml:1: resources[0]: found `/etc`, want a path inside the input: nothing is fetched"},
		{"resources: [none.yaml]", "k/kustomization.yaml:1: resources[0]: found `none.yaml`, want a file inside the input"},
		{"patches: [{path: 'http://example.com/p.yaml'}]", "k/kustomization.yaml:1: patches: found `http://example.com/p.yaml`, want a path inside the input: nothing is fetched"},
		{"configMapGenerator: [{name: c, files: ['a=https://example.com/x']}]", "k/kustomization.yaml:1: files: found `https://example.com/x`, want a path inside the input: nothing is fetched"},
		{"helmCharts: [{name: c, repo: 'https://example.com'}]", "k/kustomization.yaml:1: helmCharts: found `a Helm chart`, want the manifests that `helm template` makes of it"},
		{"generators: [g.yaml]", "k/kustomization.yaml:1: generators: found `a program or configuration of its own`, want none: only what a kustomization states itself is built"},
		{"resourcess: [a.yaml]", `k/kustomization.yaml:1: want a kustomization whose fields kustomize knows: invalid Kustomization: json: unknown field "resourcess"`},
		{"resources: [", "k/kustomization.yaml:1: no valid YAML: did not find expected node content"},
	} {
		fsys := fstest.MapFS{name: {Data: []byte(test.text + "\n")}, "k/a.yaml": {Data: []byte(oneNamespace)}}
		_, err := Import(fsys, []string{name}, options())
		if diff := cmp.Diff(test.want, fmt.Sprint(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.text, diff)
		}
		// In a folder its files are read as they are, and whatever it would add is unknown.
		r, err := Import(fsys, []string{"k"}, options())
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if len(r.Resources) != 1 {
			t.Errorf("%s: %v", test.text, ids(r))
		}
		unsupported := 0
		for _, e := range r.Ledger {
			if e.Disposition == model.Unsupported && len(e.Affects) == 1 {
				unsupported++
			}
		}
		if unsupported != 1 {
			t.Errorf("%s: the ledger has %d unsupported entries, want 1", test.text, unsupported)
		}
	}
}

// What kustomize cannot build is an error with its place; overlays that make the same object twice are one too.
func TestKustomizationErrors(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"a patch without a target", "-- k/kustomization.yaml --\nresources: [a.yaml]\npatches: [{patch: '{apiVersion: v1, kind: Namespace, metadata: {name: other}}'}]\n-- k/a.yaml --\n" + oneNamespace, "k/kustomization.yaml:1: kustomize: "},
		{"a cycle", "-- k/kustomization.yaml --\nresources: [../l]\n-- l/kustomization.yaml --\nresources: [../k]\n", "k/kustomization.yaml:1: found `kustomizations that take in each other`"},
		{"two overlays", overlays + "-- stage/kustomization.yaml --\nresources: [../base]\nnamespace: prod\nnamePrefix: p-\n", "a second Deployment of this name"},
		{"a policy that does not decode", "-- k/kustomization.yaml --\nresources: [a.yaml]\n-- k/a.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelectors: {}}\n", "k/a.yaml:1: a: spec.podSelectors: found `podSelectors`"},
	} {
		_, err := Import(tree(test.text), []string{"."}, options())
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}
