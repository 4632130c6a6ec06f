package lint

import (
	"fmt"
	"slices"

	"github.com/ringfence/ringfence/model"
)

func clusterPolicy(p *model.ClusterPolicy) string {
	return "policy:" + p.Cluster.Name() + "/" + p.Kind + "/" + p.Name()
}

// subjectMaySelect reports whether a cluster-wide policy may be about a workload's pods (K8S-CNP-07).
func (r *reader) subjectMaySelect(p *model.ClusterPolicy, w *model.Workload) bool {
	if p.Cluster.Key() != w.Cluster.Key() || w.HostNetwork || p.Subject.Pods != nil && !maySelect(*p.Subject.Pods, w) {
		return false
	}
	return r.namespaceMay(p.Subject.Namespaces, p.Cluster, w.Namespace)
}

// namespaceMay decides a namespace selector; labels of a namespace that is not declared are not known (K8S-NS-03).
func (r *reader) namespaceMay(s model.LabelSelector, cluster model.ID, name string) bool {
	labels, declared := map[string]string{"kubernetes.io/metadata.name": name}, false
	for _, n := range r.e.Namespaces {
		if n.Cluster.Key() == cluster.Key() && n.Name() == name {
			labels, declared = n.Labels, n.Declared
		}
	}
	may, _ := s.Selects(labels, func(string) bool { return !declared })
	return may
}

// policyEqualPriority: which of two policies with one priority is asked first is not specified (K8S-CNP-05). It matters where both may be
// about the same pods, in the same direction, with other actions.
func policyEqualPriority(r *reader, found sink) {
	for i, p := range r.e.ClusterPolicies {
		for _, q := range r.e.ClusterPolicies[:i] {
			if p.Cluster.Key() != q.Cluster.Key() || p.Tier != q.Tier || p.Priority != q.Priority {
				continue
			}
			if !slices.ContainsFunc(r.e.Workloads, func(w *model.Workload) bool { return r.subjectMaySelect(p, w) && r.subjectMaySelect(q, w) }) {
				continue
			}
			for _, d := range []model.Direction{model.Inbound, model.Outbound} {
				if !differ(p.Rules(d), q.Rules(d)) {
					continue
				}
				found(fact{
					subject: clusterPolicy(p), origin: p.Source,
					text:   fmt.Sprintf("%s has priority %d in the tier %s too and may be about the same pods: which of the two decides about their %s is not specified.", clusterPolicy(q), p.Priority, p.Tier, word(d)),
					remedy: "Give each policy of a tier a priority of its own.",
				})
				break
			}
		}
	}
}

// differ reports whether two lists of rules have other actions.
func differ(a, b []model.ClusterPolicyRule) bool {
	return slices.ContainsFunc(a, func(x model.ClusterPolicyRule) bool {
		return slices.ContainsFunc(b, func(y model.ClusterPolicyRule) bool { return x.Action != y.Action })
	})
}

// policyLeavesOutsideOpen: a rule cannot name sources outside the cluster, so that denying every namespace leaves them in (K8S-CNP-08). It is
// found where a Baseline stands in for a default deny, and a workload of it has no NetworkPolicy that isolates its ingress.
func policyLeavesOutsideOpen(r *reader, found sink) {
	for _, p := range r.e.ClusterPolicies {
		if p.Tier != model.BaselineTier {
			continue
		}
		i := slices.IndexFunc(p.Ingress, func(u model.ClusterPolicyRule) bool {
			return u.Action == model.PolicyDeny && len(u.Ports) == 0 && slices.ContainsFunc(u.Peers, func(x model.ClusterPolicyPeer) bool {
				return x.Namespaces != nil && everyPod(*x.Namespaces) && (x.Pods == nil || everyPod(*x.Pods))
			})
		})
		if i < 0 {
			continue
		}
		var names []string
		for _, w := range r.e.Workloads {
			isolated := slices.ContainsFunc(r.policiesOf(w.Cluster, w.Namespace), func(n *model.NetworkPolicy) bool { return n.Isolates[model.Inbound] && maySelect(n.Pods, w) })
			if r.subjectMaySelect(p, w) && !isolated {
				names = append(names, r.workload(w))
			}
		}
		if len(names) == 0 {
			continue
		}
		found(fact{
			subject: clusterPolicy(p), origin: p.Ingress[i].Source,
			text:   fmt.Sprintf("The rule denies what comes from pods of every namespace, but no rule of such a policy can name sources outside the cluster: they still reach %s.", join(names)),
			remedy: "Isolate the ingress of the pods by a NetworkPolicy in each namespace.",
		})
	}
}
