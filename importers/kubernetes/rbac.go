package kubernetes

import (
	"cmp"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/ringfence/ringfence/model"
)

// Roles of Kubernetes and who has them carry no traffic: they say who may change what does (1.1.1-c).

func (im *importer) role(o *object, r *rbacv1.Role) { im.kubeRole(o, r.Rules, false) }

func (im *importer) clusterRole(o *object, r *rbacv1.ClusterRole) {
	im.kubeRole(o, r.Rules, r.AggregationRule != nil)
}

func (im *importer) kubeRole(o *object, rules []rbacv1.PolicyRule, aggregated bool) {
	out := &model.KubeRole{Meta: o.meta(), Cluster: im.options.Cluster, Namespace: o.namespace, Aggregated: aggregated}
	for _, r := range rules {
		if len(r.NonResourceURLs) > 0 && len(r.Resources) == 0 {
			continue // paths of the API server, such as /metrics
		}
		out.Rules = append(out.Rules, model.KubeRule{Groups: slices.Clone(r.APIGroups), Resources: slices.Clone(r.Resources), Verbs: slices.Clone(r.Verbs)})
	}
	im.resources = append(im.resources, out)
	im.record(o, model.Modelled, "")
}

func (im *importer) roleBinding(o *object, b *rbacv1.RoleBinding) {
	im.kubeBinding(o, b.RoleRef, b.Subjects)
}

func (im *importer) clusterRoleBinding(o *object, b *rbacv1.ClusterRoleBinding) {
	im.kubeBinding(o, b.RoleRef, b.Subjects)
}

func (im *importer) kubeBinding(o *object, ref rbacv1.RoleRef, subjects []rbacv1.Subject) {
	out := &model.KubeBinding{Meta: o.meta(), Cluster: im.options.Cluster, Namespace: o.namespace}
	switch {
	case ref.Name == "":
		im.bad(o, "roleRef.name", "", "the name of a Role or a ClusterRole")
		return
	case ref.Kind == "ClusterRole":
		out.Role = im.id("ClusterRole", "", ref.Name)
	case ref.Kind == "Role" && o.namespace != "":
		out.Role = im.id("Role", o.namespace, ref.Name)
	default:
		im.bad(o, "roleRef.kind", ref.Kind, map[bool]string{true: "Role or ClusterRole", false: "ClusterRole"}[o.namespace != ""])
		return
	}
	for _, s := range subjects {
		out.Subjects = append(out.Subjects, model.KubeSubject{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name})
	}
	slices.SortStableFunc(out.Subjects, func(a, b model.KubeSubject) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	im.resources = append(im.resources, out)
	im.record(o, model.Modelled, "")
}
