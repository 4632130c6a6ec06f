package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

func (r *reader) workload(w *model.Workload) string { return r.refs.Of(model.SelPod, w) }

// providedNamespaces lists the namespaces that AKS provides, by their exact names (AKS-POL-03).
func providedNamespaces() []string {
	return []string{
		"kube-system", "kube-public", "kube-node-lease", "gatekeeper-system", "calico-system", "tigera-operator", "aks-istio-system",
		"aks-istio-ingress", "aks-istio-egress", "app-routing-system", "aks-command", "azure-arc", "dapr-system", "flux-system",
		"azure-extensions-usage-system", "aks-static-egress-gateway",
	}
}

// exempt reports whether no default deny is demanded of a namespace: AKS provides it, or the intent file says so.
func (r *reader) exempt(namespace string) bool {
	listed := slices.Contains(providedNamespaces(), namespace)
	if r.p.Intent == nil {
		return listed
	}
	says := func(list []model.ExemptNamespace) bool {
		return slices.ContainsFunc(list, func(n model.ExemptNamespace) bool { return n.Name == namespace })
	}
	x := r.p.Intent.PCI.ExemptNamespaces
	if x.OnlySet {
		listed = says(x.Only)
	}
	return listed || says(x.Add)
}

// policiesOf returns the NetworkPolicies of a namespace.
func (r *reader) policiesOf(cluster model.ID, namespace string) []*model.NetworkPolicy {
	var out []*model.NetworkPolicy
	for _, p := range r.e.NetPolicies {
		if p.Cluster.Key() == cluster.Key() && p.Namespace == namespace {
			out = append(out, p)
		}
	}
	return out
}

// workloadsOf returns the workloads of a namespace.
func (r *reader) workloadsOf(cluster model.ID, namespace string) []*model.Workload {
	var out []*model.Workload
	for _, w := range r.e.Workloads {
		if w.Cluster.Key() == cluster.Key() && w.Namespace == namespace {
			out = append(out, w)
		}
	}
	return out
}

// everyPod reports whether a selector selects every pod (K8S-NP-01).
func everyPod(s model.LabelSelector) bool { return len(s.Match)+len(s.Requirements) == 0 }

// rulesOf returns the rules of a policy in a direction.
func rulesOf(p *model.NetworkPolicy, d model.Direction) []model.PolicyRule {
	if d == model.Inbound {
		return p.Ingress
	}
	return p.Egress
}

// deniedByDefault reports whether policies isolate every pod of their namespace in a direction, and none admits everything again for
// every pod (K8S-NP-03, K8S-NP-04, K8S-NP-07).
func deniedByDefault(policies []*model.NetworkPolicy, d model.Direction) bool {
	isolated := false
	for _, p := range policies {
		if !p.Isolates[d] || !everyPod(p.Pods) {
			continue
		}
		isolated = true
		if slices.ContainsFunc(rulesOf(p, d), func(u model.PolicyRule) bool { return len(u.Peers)+len(u.Ports) == 0 }) {
			return false
		}
	}
	return isolated
}

// word is the direction as NetworkPolicy spells it.
func word(d model.Direction) string {
	if d == model.Inbound {
		return "ingress"
	}
	return "egress"
}

// namespaceWithoutDefaultDeny: a pod that no policy isolates in a direction accepts, or opens, everything (K8S-NP-03, K8S-EXP-03). It is an
// error where such a pod is there, a warning where policies isolate each one and only the next is open. Where policies of another kind
// apply, the check is silent.
func namespaceWithoutDefaultDeny(r *reader, found sink) {
	for _, n := range r.e.Namespaces {
		if r.exempt(n.Name()) || r.otherPolicies(n) {
			continue
		}
		workloads := slices.DeleteFunc(r.workloadsOf(n.Cluster, n.Name()), func(w *model.Workload) bool { return w.HostNetwork })
		if len(workloads) == 0 {
			continue
		}
		policies := r.policiesOf(n.Cluster, n.Name())
		severity := Warning
		var missing, open []string
		for _, d := range []model.Direction{model.Inbound, model.Outbound} {
			if deniedByDefault(policies, d) {
				continue
			}
			missing = append(missing, word(d))
			var names []string
			for _, w := range workloads {
				if !slices.ContainsFunc(policies, func(p *model.NetworkPolicy) bool { return p.Isolates[d] && maySelect(p.Pods, w) }) {
					names = append(names, r.workload(w))
				}
			}
			if len(names) > 0 {
				open, severity = append(open, join(names)+" (no policy isolates the "+word(d)+")"), Error
			}
		}
		if len(missing) == 0 {
			continue
		}
		text := fmt.Sprintf("No policy denies the %s of every pod", strings.Join(missing, " and "))
		if len(open) > 0 {
			text += ". Open today: " + join(open) + "."
		} else {
			text += ". Policies isolate each workload that is there; the next one starts open."
		}
		found(fact{
			severity: severity, subject: r.refs.Of(model.SelNamespace, n), origin: n.Source, text: text,
			remedy: "Add a NetworkPolicy with an empty podSelector, policyTypes Ingress and Egress, and no rules.",
		})
	}
}

// otherPolicies reports whether policies other than NetworkPolicies may apply in a namespace: what they leave open is for the solver to say.
func (r *reader) otherPolicies(n *model.Namespace) bool {
	if slices.ContainsFunc(r.e.ClusterPolicies, func(p *model.ClusterPolicy) bool { return p.Cluster.Key() == n.Cluster.Key() }) ||
		slices.ContainsFunc(r.e.CiliumPolicies, func(p *model.CiliumPolicy) bool {
			return p.Cluster.Key() == n.Cluster.Key() && (p.Namespace == "" || p.Namespace == n.Name())
		}) || slices.ContainsFunc(r.e.CalicoPolicies, func(p *model.CalicoPolicy) bool {
		return p.Cluster.Key() == n.Cluster.Key() && (p.Namespace == "" || p.Namespace == n.Name())
	}) {
		return true
	}
	return slices.ContainsFunc(r.e.Ledger, func(l model.LedgerEntry) bool {
		if l.Disposition != model.Unsupported || !strings.Contains(strings.ToLower(l.Type), "networkpolic") {
			return false
		}
		return len(l.Affects) == 0 || slices.ContainsFunc(l.Affects, func(id model.ID) bool {
			return id.Key() == n.ID.Key() || id.Key() == n.Cluster.Key()
		})
	})
}

// selects reports whether a label selector matches labels.
func selects(s model.LabelSelector, labels map[string]string) bool {
	_, must := s.Selects(labels, nil)
	return must
}

// maySelect reports whether a selector matches a workload's pods, or cannot be told from the template (K8S-WL-02).
func maySelect(s model.LabelSelector, w *model.Workload) bool {
	may, _ := s.Selects(w.Labels, func(key string) bool { return slices.Contains(w.Implied, key) })
	return may
}

// hostNetworkWorkload: pods on the node's network are no subject of NetworkPolicies (K8S-NP-25).
func hostNetworkWorkload(r *reader, found sink) {
	for _, w := range r.e.Workloads {
		if !w.HostNetwork || r.exempt(w.Namespace) || len(r.policiesOf(w.Cluster, w.Namespace)) == 0 {
			continue
		}
		found(fact{
			subject: r.workload(w), origin: w.Source,
			text:   fmt.Sprintf("The pods use the node's network, so the policies of the namespace %s do not apply to them: only the node's NSGs filter.", w.Namespace),
			remedy: "Remove hostNetwork, or move the workload to a namespace of its own.",
		})
	}
}

// hostPort: a host port publishes a pod at its node's address, and no Service shows it (K8S-AZ-09).
func hostPort(r *reader, found sink) {
	for _, w := range r.e.Workloads {
		if w.HostNetwork || len(w.HostPorts) == 0 || r.exempt(w.Namespace) {
			continue
		}
		var ports []string
		for _, p := range w.HostPorts {
			ports = append(ports, fmt.Sprintf("%s/%d", p.Protocol, p.Port))
		}
		found(fact{
			subject: r.workload(w), origin: w.HostPorts[0].Source,
			text:   fmt.Sprintf("The pods publish %s at the address of their node: whoever the node's NSGs admit reaches them past every Service.", join(ports)),
			remedy: "Remove hostPort and use a Service.",
		})
	}
}

// egressGatewaySkipsPolicy: what leaves by a static egress gateway is not subject to NetworkPolicies (AKS-OUT-09).
func egressGatewaySkipsPolicy(r *reader, found sink) {
	for _, w := range r.e.Workloads {
		gateway := w.Annotations["kubernetes.azure.com/static-gateway-configuration"]
		if gateway == "" {
			continue
		}
		isolated := slices.ContainsFunc(r.policiesOf(w.Cluster, w.Namespace), func(p *model.NetworkPolicy) bool {
			return p.Isolates[model.Outbound] && selects(p.Pods, w.Labels)
		})
		if !isolated {
			continue
		}
		found(fact{
			subject: r.workload(w), origin: w.Source,
			text:   fmt.Sprintf("The pods leave the cluster by the static egress gateway %s, where NetworkPolicies do not apply: the policies that isolate their egress do not limit what they reach outside.", gateway),
			remedy: "Filter at the gateway pool's subnet (NSG, route to the firewall), or remove the annotation.",
		})
	}
}
