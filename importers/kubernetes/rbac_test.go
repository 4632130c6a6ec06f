package kubernetes

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringfence/ringfence/model"
)

// Roles and who has them; paths of the API server are left out.
func TestRBAC(t *testing.T) {
	r := mustImport(t, "m.yaml", `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "shop:policies"}
rules:
  - {apiGroups: [networking.k8s.io], resources: [networkpolicies], verbs: ["*"]}
  - {nonResourceURLs: [/metrics], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {all: "true"}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: admins}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
  - {kind: Group, apiGroup: rbac.authorization.k8s.io, name: 00000000-0000-0000-0000-00000000000a}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deploy, namespace: a}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployer}
subjects:
  - {kind: User, name: lead@shop.example}
  - {kind: ServiceAccount, name: flux, namespace: flux-system}
`)
	var got []model.Resource
	for _, x := range r.Resources {
		switch x.(type) {
		case *model.KubeRole, *model.KubeBinding:
			got = append(got, x)
		default:
		}
	}
	role := func(kind, namespace, name string) model.ID {
		return model.Kubernetes("aks-prod", kind, namespace, name)
	}
	want := []model.Resource{
		&model.KubeRole{Rules: []model.KubeRule{{Groups: []string{"networking.k8s.io"}, Resources: []string{"networkpolicies"}, Verbs: []string{"*"}}}},
		&model.KubeRole{Aggregated: true},
		&model.KubeBinding{Role: role("ClusterRole", "", "cluster-admin"), Subjects: []model.KubeSubject{{Kind: "Group", Name: "00000000-0000-0000-0000-00000000000a"}}},
		&model.KubeBinding{Namespace: "a", Role: role("Role", "a", "deployer"), Subjects: []model.KubeSubject{{Kind: "ServiceAccount", Namespace: "flux-system", Name: "flux"}, {Kind: "User", Name: "lead@shop.example"}}},
	}
	byName := cmpopts.SortSlices(func(a, b model.Resource) bool { return a.Origin().Line < b.Origin().Line })
	cluster := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Cluster" || p.Last().String() == ".Meta" }, cmp.Ignore())
	if diff := cmp.Diff(want, got, byName, cluster); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		"kind: ClusterRoleBinding\nmetadata: {name: x}\nroleRef: {kind: Role, name: z}\n": "roleRef.kind: found `Role`, want ClusterRole",
		"kind: RoleBinding\nmetadata: {name: x}\nroleRef: {kind: Pod, name: z}\n":         "roleRef.kind: found `Pod`, want Role or ClusterRole",
		"kind: RoleBinding\nmetadata: {name: x}\n":                                        "roleRef.name",
		"kind: Role\nmetadata: {name: x}\nrules: [{verbs: no}]\n":                         "rules[0].verbs",
	} {
		_, err := Import(fstest.MapFS{"m.yaml": {Data: []byte("apiVersion: rbac.authorization.k8s.io/v1\n" + text)}}, []string{"m.yaml"}, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
